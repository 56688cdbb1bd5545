"""Load a pretrained language model: a fresh one at each call, for it may be trained.

Weights come from safetensors or GGUF files whose SHA-256 is known, never from a pickle, and no code
comes with them.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from coldrec import assets
from coldrec._fetch import sha256
from coldrec.validation import check_whole

WAIT = 5  # seconds for the hub to answer; without asking first, its client retries for 23 and more
PLAIN = 540_000_000  # bytes that SmolLM2 takes after its 4-bit weights were written out in fp32
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Pretrained:
    """A model known by name: an asset, or a repository of the Hugging Face hub at one commit.

    ``causal`` models predict the next token. ``sha256`` is that of a hub model's weights.
    """

    about: str
    causal: bool = False
    revision: str = ""
    sha256: str = ""


MODELS = {
    "minilm": Pretrained("all-MiniLM-L6-v2, an encoder of 22.7 million parameters; an asset"),
    "smollm2": Pretrained("SmolLM2-135M-Instruct, a causal model in 4 bits; an asset", causal=True),
    "HuggingFaceTB/SmolLM2-135M-Instruct": Pretrained(
        "the same before it was cut to 4 bits: bf16, 269 MB to fetch", causal=True,
        revision="12fd25f77366fa6b3b4b768ec3050bf629380bac",
        sha256="5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c"),
    "Qwen/Qwen3-0.6B": Pretrained(
        "a causal model of 596 million parameters, for a GPU; 1.5 GB to fetch", causal=True,
        revision="c1899de289a04d12100db370d81485cdf75e47ca",
        sha256="f47f71177f32bcd101b7573ec9171e6a57f4f4d31148d38e382306f42996874b"),
    "Qwen/Qwen3-Embedding-0.6B": Pretrained(
        "an encoder of 596 million parameters, for a GPU; its vector is the last token's; 1.2 GB",
        revision="97b0c614be4d77ee51c0cef4e5f07c00f9eb65b3",
        sha256="0437e45c94563b09e13cb7a64478fc406947a93cb34a7e05870fc8dcd48e23fd"),
}


def causal(name: str = "smollm2", dtype=None):
    """Return ``(tokenizer, model)`` of a causal language model, in fp32 unless ``dtype`` is given.

    The tokenizer pads on the right, as training wants it; set ``tokenizer.padding_side = "left"``
    before generating from several texts. It pads with ``<|endoftext|>``, which is not the token
    that ends an answer: else a loss that skips padding would not teach the model to stop.
    """
    from transformers import AutoModelForCausalLM

    known = [key for key, model in MODELS.items() if model.causal]
    if name in MODELS and name not in known:
        message = (f"{name!r} is {MODELS[name].about}: it can't predict the next token. "
                   f"Choose one of {', '.join(known)}, or call encoder or classifier.")
        raise ValueError(message)
    return _load(AutoModelForCausalLM, name, dtype)


def encoder(name: str = "minilm", dtype=None):
    """Return ``(tokenizer, model)``, a model whose output is one hidden vector per token."""
    from transformers import AutoModel

    return _load(AutoModel, name, dtype)


def classifier(name: str = "minilm", labels: int = 2, *, seed: int = 0, dtype=None):
    """Return ``(tokenizer, model)``, a model with a new head of ``labels`` outputs a text.

    The head's weights are drawn from ``seed``. One label means a regression: the model's own loss
    is then the squared error.
    """
    import torch
    from transformers import AutoModelForSequenceClassification

    check_whole(labels, "labels", example=2)
    check_whole(seed, "seed", least=0, example=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _load(AutoModelForSequenceClassification, name, dtype, num_labels=labels)


def _load(auto, name: str, dtype, **settings):
    from transformers import AutoTokenizer

    folder = _folder(name)
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model, info = auto.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=dtype or "float32",
            output_loading_info=True, **settings)
    # The report that was silenced says the same; only a new head may have no weights.
    lacking = [key for key in info["missing_keys"]
               if not settings or key.startswith(f"{model.base_model_prefix}.")]
    if lacking:
        message = (f"the weights of {name} in {folder} lack {', '.join(lacking)}. "
                   "Remove the folder and call this again.")
        raise assets.AssetError(message)
    tokenizer.padding_side = "right"
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id):
        tokenizer.pad_token = "<|endoftext|>"
    model.config.pad_token_id = tokenizer.pad_token_id
    if model.can_generate():
        model.generation_config.pad_token_id = tokenizer.pad_token_id
    return tokenizer, model.eval()


@contextlib.contextmanager
def quiet():
    """Silence transformers: its progress bars, and the report that a new head has no weights."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _folder(name: str) -> Path:
    """Return the folder with a model's safetensors file and its tokenizer."""
    if name not in MODELS:
        message = f"no model is called {name!r}; there are: {', '.join(MODELS)}."
        raise ValueError(message)
    if MODELS[name].revision:
        return _from_hub(name)
    return _dequantised(name) if name == "smollm2" else assets.fetch(name)


def _dequantised(name: str) -> Path:
    """Return a folder with the model of a GGUF file in fp32, made when first asked for.

    Reading a GGUF file takes transformers some 18 seconds each time, the copy takes one. And what
    it returns says that it is quantised, though it isn't any more: a Trainer refuses it, and it
    can't be saved.
    """
    from filelock import FileLock

    (file, (_, digest)), = assets.REGISTRY[name].sources[0].files.items()
    kept = assets.home() / "dequantised" / f"{name}-{digest[:16]}"
    if kept.exists():
        return kept
    source = assets.fetch(name)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(kept.parent / f".{name}.lock"):
            if not kept.exists():
                with tempfile.TemporaryDirectory(dir=kept.parent) as work:
                    plain = Path(work) / "plain"
                    _dequantise(source, file, plain)
                    os.replace(plain, kept)
    except OSError as error:
        message = (f"{name} can't be kept in {kept}: {error}. It needs {PLAIN / 1e6:,.0f} MB "
                   f"there, and {assets.free() / 1e6:,.0f} MB are free. Make room, or set "
                   "COLDREC_HOME to a folder that you can write to.")
        raise assets.AssetError(message) from error
    return kept


def _dequantise(source: Path, file: str, target: Path) -> None:
    """Write out the weights of a GGUF file in fp32, which holds them exactly, and its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    print(f"{source.name}: writing out its 4-bit weights, once; {PLAIN / 1e6:,.0f} MB", flush=True)
    with quiet(), contextlib.redirect_stderr(io.StringIO()):  # a bar that can't be switched off
        tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=file, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(source, gguf_file=file, dtype="float32",
                                                     local_files_only=True)
        config = model.config
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        tokenizer.model_max_length = config.max_position_embeddings
        plain = AutoModelForCausalLM.from_config(config)
        plain.load_state_dict(model.state_dict())
        tokenizer.save_pretrained(target)
        plain.save_pretrained(target)


def _from_hub(name: str) -> Path:
    """Return a hub model's folder in the hub's own cache, fetched where it is missing."""
    from huggingface_hub import HfApi, snapshot_download

    known = MODELS[name]
    what = {"repo_id": name, "revision": known.revision, "token": False,
            "allow_patterns": ["*.json", "*.txt", "*.jinja", WEIGHTS]}
    try:  # a commit can't change: no need to ask the hub about what is on this disk
        folder = Path(snapshot_download(**what, local_files_only=True))
    except OSError:
        folder = None
    if folder is None or not (folder / WEIGHTS).exists():
        if assets.offline():
            raise assets.AssetError(_advice(name, "COLDREC_OFFLINE forbids the network"))
        try:
            HfApi().model_info(name, revision=known.revision, timeout=WAIT, token=False)
            folder = Path(snapshot_download(**what))
        except Exception as error:  # of several HTTP libraries, by version
            raise assets.AssetError(_advice(name, f"{type(error).__name__}: {error}")) from error
    if sha256(folder / WEIGHTS) != known.sha256:
        message = (f"{folder / WEIGHTS} is not the file that it should be: its SHA-256 is not "
                   f"{known.sha256}. Remove {folder.parents[1]} and call this again.")
        raise assets.AssetError(message)
    return folder


def _advice(name: str, failure: str) -> str:
    revision = MODELS[name].revision
    here = [key for key, model in MODELS.items() if not model.revision]
    return "\n".join([
        f"{name} ({MODELS[name].about}) is not on this disk and was not fetched:",
        f"  - {failure}",
        "What to do:",
        f"  - {'unset COLDREC_OFFLINE' if assets.offline() else 'connect to the network'} and "
        f"run: hf download {name} --revision {revision}",
        "  - if the hub is reached through a mirror, set HF_ENDPOINT to its address",
        "  - or copy ~/.cache/huggingface/hub from a machine where that was done",
        f"  - or use a model that needs no hub: {', '.join(here)}",
    ])
