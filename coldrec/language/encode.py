"""Encode texts with a frozen BERT-style encoder."""

from __future__ import annotations

import functools

import numpy as np

from coldrec import assets, runtime

LONGEST = 256  # tokens of a text: the length that MiniLM was trained on


@functools.cache
def load_encoder():
    """Return all-MiniLM-L6-v2's tokenizer and model, checked and read from disk only."""
    from transformers import AutoModel, AutoTokenizer

    folder = assets.fetch("minilm")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return tokenizer, model.eval()


def sentences(texts: list[str], batch: int = 64) -> np.ndarray:
    """Return one unit vector per text, ``(texts, 384)``: MiniLM's, see :func:`pooled`."""
    return pooled(*load_encoder(), texts, batch)


def pooled(tokenizer, model, texts: list[str], batch: int = 64) -> np.ndarray:
    """Return one unit vector per text, ``(texts, width)``: the mean of its tokens' hidden vectors.

    ``model`` is a transformers model without a head. Long texts are cut at ``LONGEST`` tokens.
    """
    import torch

    model = model.to(runtime.device()).eval()
    order = np.argsort([len(t) for t in texts])  # like lengths together: less padding
    vectors = np.zeros((len(texts), model.config.hidden_size), np.float32)
    with torch.inference_mode():
        for start in range(0, len(texts), batch):
            chosen = order[start:start + batch]
            tokens = read(tokenizer, [texts[i] for i in chosen]).to(model.device)
            hidden = model(**tokens).last_hidden_state.float()
            vectors[chosen] = unit_means(hidden, tokens["attention_mask"]).cpu().numpy()
    return vectors


def read(tokenizer, texts: list[str]):
    """Return the tokens of a batch of texts, as tensors of one length."""
    return tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")


def unit_means(hidden, mask):
    """Return the direction of the mean of each text's tokens, ``(texts, width)``, as a tensor.

    ``hidden`` is ``(texts, tokens, width)``, ``mask`` is 0 where a text is padded.
    """
    import torch

    mask = mask.unsqueeze(-1)
    return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)
