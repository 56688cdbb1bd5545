"""Write an encoder where other programs can load it."""

from __future__ import annotations

import copy
import json
import os
import tempfile
from pathlib import Path

from coldrec.language.adapters._peft import _method
from coldrec.language.encode import LONGEST
from coldrec.language.load import quiet

MERGED = ("lora", "adalora", "ia3")
# How sentence-transformers makes a vector of a text, in the names that all its versions read.
STEPS = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}


def export(tokenizer, model, folder) -> Path:
    """Write an encoder and its tokenizer to a new folder that sentence-transformers loads.

    What :func:`coldrec.language.adapt` added to the linear layers is merged into their weights; the
    model given stays as it is. ``SentenceTransformer(folder).encode(texts)`` then returns what
    :func:`coldrec.language.encode.pooled` does. Returns the folder's path.
    """
    folder = Path(folder).expanduser().absolute()
    if folder.exists():
        raise ValueError(f"{folder} is there already. Give a folder that is new, or delete it.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with quiet(), tempfile.TemporaryDirectory(dir=folder.parent) as work:
        whole = Path(work) / "whole"
        tokenizer.save_pretrained(whole)
        _merged(model).save_pretrained(whole)
        for name, text in _configuration(model.config.hidden_size).items():
            (whole / name).parent.mkdir(exist_ok=True)
            (whole / name).write_text(json.dumps(text, indent=2), encoding="utf-8")
        os.replace(whole, folder)
    return folder


def _merged(model):
    """Return a plain transformers model that computes the same."""
    method = _method(model)
    if method == "full":
        return model
    if method not in MERGED:
        raise ValueError(f"what {method!r} adds can't be merged into a model's weights. Tune it "
                         f"with one of {('full', *MERGED)}.")
    return copy.deepcopy(model).merge_and_unload()


def _configuration(width: int) -> dict:
    return {
        "modules.json": [{"idx": place, "name": str(place), "path": path,
                          "type": f"sentence_transformers.models.{step}"}
                         for place, (path, step) in enumerate(STEPS.items())],
        "sentence_bert_config.json": {"max_seq_length": LONGEST, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": width,
                                  "pooling_mode_mean_tokens": True,
                                  "pooling_mode_cls_token": False,
                                  "pooling_mode_max_tokens": False},
        "2_Normalize/config.json": {},
    }
