"""The linear layers of a language model, and the bottlenecks that go behind them."""

from __future__ import annotations

import functools
import re

HEADS = ("classifier", "score")  # what transformers calls a classifier's last layer
# Which linear layers of a block each method takes, in BERT, in Llama and its kin, and in GPT-2.
_LAYERS = [
    {"lora": ("attention.self.query", "attention.self.key", "attention.self.value",
              "attention.output.dense", "intermediate.dense", "output.dense"),
     "ia3": ("attention.self.key", "attention.self.value", "output.dense"),
     "adapter": ("attention.output.dense", "output.dense")},
    {"lora": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
              "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
     "ia3": ("self_attn.k_proj", "self_attn.v_proj", "mlp.down_proj"),
     "adapter": ("self_attn.o_proj", "mlp.down_proj")},
    {"lora": ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"),
     "ia3": ("attn.c_attn", "mlp.c_proj"),  # the queries too: GPT-2 makes all three at once
     "adapter": ("attn.c_proj", "mlp.c_proj")}]
_FEED_FORWARD = {layers["adapter"][1] for layers in _LAYERS}  # (IA)³ scales what goes into these
_BLOCK = re.compile(r"(?:.*\.)?\d+\.(.+)")  # a layer's name within its numbered block


def _find_layers(model, method, targets) -> list[str]:
    """Return the linear layers to take, by their names within a block."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    found = {match[1]: None for name, part in model.named_modules()
             if isinstance(part, (nn.Linear, Conv1D)) and (match := _BLOCK.fullmatch(name))}
    if targets is None:
        for layers in _LAYERS:
            if found.keys() >= set(layers["lora"]):
                return list(layers["lora" if method == "adalora" else method])
        raise ValueError(f"adapt doesn't know the layers of a {type(model).__name__}. Name some by "
                         f"targets: the linear layers of its blocks are {list(found)}.")
    wanted = [targets] if isinstance(targets, str) else list(targets)
    meant = {w: [n for n in found if n == w or w not in found and n.endswith("." + w)]
             for w in wanted}
    unknown = [w for w in wanted if not meant[w]]
    if unknown or not wanted:
        raise ValueError(f"targets has {unknown}, which this model lacks; the linear layers of its "
                         f"blocks are {list(found)}. Take one or more, or leave targets out.")
    return sorted({name for names in meant.values() for name in names})


def _pattern(layers) -> str:
    return rf"(?:.*\.)?\d+\.(?:{'|'.join(map(re.escape, layers))})"


@functools.cache
def _bottleneck():
    """Return the class of the adapter's own module; torch isn't imported before it is needed."""
    from torch import nn

    class Bottleneck(nn.Module):
        """A layer, and after it x + up(gelu(down(x))), which is x as long as ``up`` is zero."""

        def __init__(self, layer, width: int):
            super().__init__()
            size, where = getattr(layer, "out_features", None) or layer.nf, layer.weight.device
            self.layer = layer
            self.down = nn.Linear(size, width, device=where)
            self.up = nn.Linear(width, size, device=where)
            nn.init.zeros_(self.up.weight)
            nn.init.zeros_(self.up.bias)

        def forward(self, x):
            x = self.layer(x)
            step = nn.functional.gelu(self.down(x.to(self.down.weight.dtype)))
            return x + self.up(step).to(x.dtype)

    return Bottleneck


def _with_bottlenecks(model, layers, width):
    pattern = re.compile(_pattern(layers))
    for name in [name for name, _ in model.named_modules() if pattern.fullmatch(name)]:
        parent, _, leaf = name.rpartition(".")
        parent = model.get_submodule(parent)
        setattr(parent, leaf, _bottleneck()(getattr(parent, leaf), width))
    model.requires_grad_(False)
    for value in _added(model).values():
        value.requires_grad_(True)
    return model


def _added(model) -> dict:
    """Return what the method "adapter" trains, by name: bottlenecks, normalisations, the head."""
    names = set()
    for name, part in model.named_modules():
        if isinstance(part, _bottleneck()):
            names |= {f"{name}.{n}" for n, _ in part.named_parameters() if n[:6] != "layer."}
        elif type(part).__name__.endswith("Norm") or name in HEADS:
            names |= {f"{name}.{n}" for n, _ in part.named_parameters()}
    return {name: value for name, value in model.named_parameters() if name in names}
