"""Adapt a language model: train all of its weights, or few, in one of six ways."""

from __future__ import annotations

import contextlib

from coldrec.language.adapters._layers import HEADS, _find_layers, _with_bottlenecks
from coldrec.language.adapters._peft import _layers_config, _method, _with_peft
from coldrec.language.adapters._ranks import AllocateRanks, _kept_ranks
from coldrec.language.adapters._saved import load, save
from coldrec.language.adapters._words import _check_takes_words, _words_config
from coldrec.validation import check_whole

__all__ = ["METHODS", "TASKS", "AllocateRanks", "adapt", "load", "ranks", "save", "trainable"]

METHODS = ("full", "adapter", "lora", "adalora", "prefix", "prompt", "ia3")
TASKS = ("SEQ_CLS", "CAUSAL_LM", "FEATURE_EXTRACTION")


def adapt(model, method: str, *, rank: int = 8, targets=None, tokens: int = 10, width: int = 32,
          steps: int | None = None, task: str | None = None, seed: int | None = None):
    """Return the model to train, made of ``model``, which is changed by it.

    What the method adds can be trained, and the head of a classifier; the rest is frozen.

    ``full``
        all weights, and nothing added
    ``adapter``
        a bottleneck of ``width`` after attention and after the feed-forward layers of each block,
        and all normalisations, which Houlsby et al. (2019) train too
    ``lora``
        to linear layers in all blocks, a product of rank ``rank`` is added (Hu et al. 2021)
    ``adalora``
        the same on average: each layer starts with half as many again, and in ``steps`` updates
        :func:`AllocateRanks` takes them from where they serve least (Zhang et al. 2023)
    ``prefix``
        keys and values of ``tokens`` made-up words, in every layer (Li & Liang 2021)
    ``prompt``
        embeddings of ``tokens`` made-up words in front of the text (Lester et al. 2021). A causal
        model returns logits for them too; an encoder returns what the text's own tokens are.
    ``ia3``
        a factor for each key, value and activation within the feed-forward layers (Liu et al. 2022)

    What is added starts at random values, drawn from ``seed``, or by default from torch's own
    generator. ``targets`` names other linear layers for the methods that change some. ``task``, one
    of ``TASKS``, is known from the model's head. Prefixes and prompts are for BERT and causal
    models.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; it may be one of {METHODS}.")
    if not hasattr(model, "get_input_embeddings") or _method(model) != "full":
        raise ValueError(f"adapt got a {type(model).__name__} that isn't a model of transformers, "
                         "or that is adapted already. Load the base model again.")
    if targets is not None and method in ("full", "prefix", "prompt"):
        raise ValueError(f"targets is {targets!r}, but {method!r} takes no layers. Leave it out.")
    if task not in (None, *TASKS):
        raise ValueError(f"task is {task!r}; it may be one of {TASKS}, or None.")
    for name, value in {"rank": rank, "tokens": tokens, "width": width}.items():
        check_whole(value, name, example=8)
    if method == "full":
        return model.requires_grad_(True)
    if seed is not None:
        check_whole(seed, "seed", least=0, example=0)
    with _drawn_from(seed):
        if method in ("prefix", "prompt"):
            _check_takes_words(model, method)
            return _with_peft(model, _words_config(model, method, task or _task(model), tokens))
        layers = _find_layers(model, method, targets)
        if method == "adapter":
            return _with_bottlenecks(model, layers, width)
        return _with_peft(model, _layers_config(model, method, task or _task(model), layers, rank,
                                                steps))


@contextlib.contextmanager
def _drawn_from(seed):
    """Draw torch's random numbers from a seed, and leave its generator as it was."""
    import torch

    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        yield


def trainable(model) -> tuple[int, int]:
    """Return how many parameters can be trained, and how many there are; tied ones count once."""
    own = [value for name, value in model.named_parameters()  # less peft's copies and constants
           if ".original_module." not in name and ".ranknum." not in name]
    return sum(v.numel() for v in own if v.requires_grad), sum(v.numel() for v in own)


def ranks(model) -> dict[str, int]:
    """Return how many ranks each layer of an AdaLoRA model has."""
    if _method(model) != "adalora":
        raise ValueError(f"ranks are AdaLoRA's, and this model's method is {_method(model)!r}. "
                         "Use adapt(model, 'adalora', steps=...).")
    return {name.split(".lora_E")[0]: sum(kept)
            for name, kept in _kept_ranks(model.base_model.model).items()}


def _task(model) -> str:
    if any(hasattr(model, head) for head in HEADS):
        return "SEQ_CLS"
    return "CAUSAL_LM" if model.get_output_embeddings() is not None else "FEATURE_EXTRACTION"
