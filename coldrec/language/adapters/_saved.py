"""Adapted models on the disk."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from coldrec.language.adapters._layers import (
    _BLOCK,
    _added,
    _bottleneck,
    _find_layers,
    _with_bottlenecks,
)
from coldrec.language.adapters._peft import _PEFT, _method, _with_peft

_SAVED = ("full", "adapter", *_PEFT.values())
ABOUT, WEIGHTS = "coldrec.json", {"full": "model.safetensors", "adapter": "adapter.safetensors"}


def save(model, folder) -> Path:
    """Write what was trained to a folder, as safetensors; an earlier save there is replaced.

    It is written whole or not at all. For a hub, use the model's own ``push_to_hub("you/name")``
    (``huggingface_hub.upload_folder`` for ``adapter``). It publishes the base model's
    ``name_or_path``: where that is a folder of yours, put the name in, and in the model's config,
    before you adapt it.
    """
    from safetensors.torch import save_file

    method, folder = _method(model), Path(folder).expanduser().absolute()
    if folder.exists() and not (folder / ABOUT).is_file() and not (
            folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(f"{folder} holds something that isn't a saved model. Give another "
                              "folder.")
    about = {"method": method, "base": _describe(model)}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        new, old = Path(scratch, "new"), Path(scratch, "old")
        new.mkdir()
        if method == "adapter":
            places = [n for n, part in model.named_modules() if isinstance(part, _bottleneck())]
            about["targets"] = sorted({_BLOCK.fullmatch(name)[1] for name in places})
            about["width"] = model.get_submodule(places[0]).down.out_features
            save_file({n: v.contiguous() for n, v in _added(model).items()}, new / WEIGHTS[method])
        elif method == "full":
            model.save_pretrained(new)
        else:
            model.save_pretrained(new, save_embedding_layers=False)
        (new / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    return folder


def load(base_model, folder, trainable: bool = False):
    """Return what was saved, made of its base model, freshly loaded, which is changed by it.

    With ``trainable``, training can go on; AdaLoRA then keeps the ranks that it has found.
    """
    from peft import PeftConfig, get_peft_model_state_dict, set_peft_model_state_dict

    folder = Path(folder).expanduser()
    about = _read_about(folder)
    method, there, here = about["method"], about["base"], _describe(base_model)
    if there != here:
        told = ", ".join(f"its {k} is {v!r}, not {here.get(k)!r}" for k, v in there.items()
                         if v != here.get(k))
        raise ValueError(f"{folder} was trained on another model: {told}. Load its base model.")
    path = folder / WEIGHTS.get(method, "adapter_model.safetensors")
    found = _read(path)
    if method == "full":
        model, wanted = base_model, base_model.state_dict()
        written = {wanted[name].data_ptr() for name in found if name in wanted}
        _check_fit(found, {name: value for name, value in wanted.items() if name in found
                           or value.data_ptr() not in written}, path)  # of tied ones, one is
        model.load_state_dict(found, strict=False)
    elif method == "adapter":
        model = _with_bottlenecks(base_model, _find_layers(
            base_model, method, about["targets"]), about["width"])
        _check_fit(found, _added(model), path)
        model.load_state_dict(found, strict=False)
    else:
        config = PeftConfig.from_pretrained(folder)
        config.inference_mode = not trainable
        config.modules_to_save = None  # peft adds the head to them, each time
        model = _with_peft(base_model, config)
        _check_fit(found, get_peft_model_state_dict(model, save_embedding_layers=False), path)
        set_peft_model_state_dict(model, found)
    if not trainable:
        model.requires_grad_(False)
    return model.train(trainable)


def _describe(model) -> dict:
    base = model.get_base_model() if hasattr(model, "peft_config") else model
    return {"class": type(base).__name__} | {
        name: getattr(base.config, name, None) for name in (
            "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
            "num_attention_heads", "num_key_value_heads", "num_labels")}


def _read_about(folder) -> dict:
    if not (folder / ABOUT).is_file():
        raise FileNotFoundError(f"{folder} isn't a folder that save wrote: it has no {ABOUT}.")
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return {"method": _SAVED[_SAVED.index(about["method"])], **about}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / ABOUT} is damaged ({error}). Save the model again.") from None


def _read(path) -> dict:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is missing or damaged ({error}). Save the model again.") from None


def _check_fit(found, wanted, path) -> None:
    found, wanted = ({n: tuple(v.shape) for n, v in side.items()} for side in (found, wanted))
    wrong = sorted(n for n in found.keys() | wanted.keys() if found.get(n) != wanted.get(n))
    if wrong:
        name = wrong[0]
        raise ValueError(f"{path} doesn't fit the model: {name} is {found.get(name)} there and "
                         f"{wanted.get(name)} here (None: there is none). Save the model again.")
