"""How probable texts are to a causal language model."""

from __future__ import annotations

import numpy as np
import pandas as pd


def log_likelihood(model, tokenizer, prompts, continuations, batch: int = 16) -> pd.DataFrame:
    """Return the log-probability of each continuation after its prompt, and its number of tokens.

    The frame has ``log_prob`` (natural logarithm, summed over the tokens) and ``tokens``, a row a
    pair. An empty prompt is allowed; the first token of the text then has no probability, and isn't
    counted. Prompt and continuation are tokenised apart: begin the continuation with its space.
    """
    import torch

    prompts, continuations = list(prompts), list(continuations)
    if len(prompts) != len(continuations):
        raise ValueError(f"there are {len(prompts)} prompts and {len(continuations)} "
                         "continuations; give one of each for a pair.")
    pairs = [(_ids(tokenizer, p), _ids(tokenizer, c))
             for p, c in zip(prompts, continuations, strict=True)]
    for row, (prompt, continuation) in enumerate(pairs):
        if len(prompt) + len(continuation) < 2 or not continuation:
            raise ValueError(f"pair {row} is {prompts[row]!r} and {continuations[row]!r}: nothing "
                             "in it has a probability. A continuation needs a token, and one more "
                             "where there is no prompt.")
    order = np.argsort([len(p) + len(c) for p, c in pairs], kind="stable")  # less padding
    found = np.zeros((len(pairs), 2))
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            rows = order[start:start + batch]
            longest = max(len(pairs[r][0]) + len(pairs[r][1]) for r in rows)
            words = torch.zeros(len(rows), longest, dtype=torch.long)
            counts = torch.zeros(len(rows), longest, dtype=torch.bool)
            there = torch.zeros(len(rows), longest, dtype=torch.long)
            for line, (prompt, continuation) in enumerate(pairs[r] for r in rows):
                end = len(prompt) + len(continuation)
                words[line, :end] = torch.tensor(prompt + continuation)
                there[line, :end] = 1
                counts[line, max(len(prompt), 1):end] = True
            logits = model(input_ids=words.to(model.device),
                           attention_mask=there.to(model.device)).logits[:, :-1].float()
            each = logits.log_softmax(-1).gather(2, words[:, 1:, None].to(model.device))[..., 0]
            counts = counts[:, 1:]
            found[rows, 0] = (each.cpu() * counts).sum(1).double().numpy()
            found[rows, 1] = counts.sum(1).numpy()
    return pd.DataFrame({"log_prob": found[:, 0], "tokens": found[:, 1].astype(int)})


def perplexity(model, tokenizer, texts, batch: int = 16) -> float:
    """Return the exponential of the mean negative log-probability a token of the texts."""
    texts = list(texts)
    if not texts:
        raise ValueError("there are no texts. Give one of two tokens at least.")
    found = log_likelihood(model, tokenizer, [""] * len(texts), texts, batch)
    return float(np.exp(-found["log_prob"].sum() / found["tokens"].sum()))


def _ids(tokenizer, text) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"]
