"""How much memory an update takes: foreseen by formulas, and measured."""

from __future__ import annotations

import pandas as pd

from coldrec.language._peak import number_of_bytes, peak
from coldrec.language.training import PRECISIONS
from coldrec.validation import check_whole

__all__ = ["OPTIMISERS", "estimate", "peak"]

OPTIMISERS = {"adamw": 2, "sgd": 0}  # numbers kept per trained weight

# Blocks like BERT's, like Llama's, like GPT-2's: normalisations, and linear layers by their input.
_KINDS = [
    {"norms": ("attention.output.LayerNorm", "output.LayerNorm"),
     "attend": ("attention.self.query", "attention.self.key", "attention.self.value"),
     "out": ("attention.output.dense",), "up": ("intermediate.dense",), "down": ("output.dense",)},
    {"norms": ("input_layernorm", "post_attention_layernorm"),
     "attend": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
     "out": ("self_attn.o_proj",), "up": ("mlp.gate_proj", "mlp.up_proj"),
     "down": ("mlp.down_proj",)},
    {"norms": ("ln_1", "ln_2"), "attend": ("attn.c_attn",), "out": ("attn.c_proj",),
     "up": ("mlp.c_fc",), "down": ("mlp.c_proj",)},
]


def estimate(model, batch: int, length: int, *, optimiser: str = "adamw", precision: str = "fp32",
             checkpointing: bool = False, accumulate: int = 1) -> pd.Series:
    """Return the MB (10⁶ bytes) that an update takes, with ``batch`` texts of ``length`` tokens.

    The model is BERT, Llama, Qwen3, GPT-2 or built like one of them, in whatever state of freezing
    or with LoRA; it is neither run nor changed.

    The rows are ``weights``, ``gradients``, ``optimiser``, ``activations`` (the most that is held
    between forward and backward pass), and ``total``, the most that is held at one time: less than
    the sum, for gradients appear while activations are given up.

    Weights, gradients and AdamW's two moments are a number each per weight, the last three only
    where it is trained: 16 bytes a weight in fp32. Under ``fp16`` and ``bf16`` these stay in fp32,
    as in :func:`coldrec.language.train`, and linear layers read copies of 2 bytes a weight.
    (Rajbhandari et al. 2020, ZeRO, section 3.1, come to 16 with gradients of half the size.)

    Activations are what each operation of a block keeps, added up as by Korthikanti et al. (2022,
    arXiv 2205.05198, section 4). They find ``s·b·h·(34 + 5·a·s/h)`` bytes for ``b`` texts of ``s``
    tokens, width ``h``, ``a`` heads and 16 bits. Here it is per token, with ``w`` bytes a number (4
    in fp32; under ``fp16`` and ``bf16`` 2, but 4 for normalisations), ``d`` bytes a number of a
    dropout mask (1; on a CPU ``w``), ``q`` the width of all heads and ``m`` that of the
    feed-forward layer:

    * normalisations: ``2hw``; ``4hw`` for RMSNorm, which transformers computes in several steps
    * what linear layers read: ``(2h + m)w``
    * attention: ``4qw`` for queries, keys, values and output, and ``sw`` for a mask; but
      ``4qw + a·s·(2w + d)`` where each pair is kept, as for dropout on a CPU
    * after the first linear layer of the feed-forward: ``mw`` for GELU, ``3mw`` where there is a
      gate, ``4mw`` for GPT-2's approximate GELU
    * dropout: ``2hd``

    and ``3hw`` in front of the first block and after the last. BERT's blocks (``q = h``,
    ``m = 4h``) at 16 bits come to the formula above, the pairs left out. A causal model's loss over
    ``v`` words takes ``12·s·b·v`` bytes, the log-probabilities and twice their gradient, in fp32.

    A frozen linear layer keeps no input, and blocks below the lowest trained weight keep nothing:
    what LoRA and a frozen encoder save. With ``checkpointing`` a block keeps its input alone, and
    the rest is made again, a block at a time (Chen et al. 2016, arXiv 1604.06174). With
    ``accumulate`` above 1 the gradients of one part are held during the next. Tokens that prompt
    tuning puts in front of a text count for its length.
    """
    for name, value in {"batch": batch, "length": length, "accumulate": accumulate}.items():
        check_whole(value, name, example=16)
    for name, value, known in (("optimiser", optimiser, tuple(OPTIMISERS)),
                               ("precision", precision, PRECISIONS)):
        if value not in known:
            raise ValueError(f"{name} is {value!r}; it may be one of {known}.")
    blocks, kind = _blocks(model, length)
    tokens, any_weight = batch * length, next(model.parameters())
    stream, on_cpu = any_weight.element_size(), any_weight.device.type == "cpu"
    width = stream if precision == "fp32" else 2
    trained = [value for value in model.parameters() if value.requires_grad]
    if not trained:
        message = ("model has no weight that is trained, every requires_grad is False: there is no "
                   "update. Call model.requires_grad_(True), or adapt.")
        raise ValueError(message)
    weights = number_of_bytes(*model.parameters(), *model.buffers())
    gradients = number_of_bytes(*trained)
    states = OPTIMISERS[optimiser] * (gradients + 2 * len(trained))  # AdamW counts each's steps
    entering = tokens * model.config.hidden_size * stream

    below, *flows = _flows(model, blocks)
    kept = [tokens * _kept(block, kind, model.config, length, stream, width)
            for block, flow in zip(blocks, flows, strict=True) if flow]
    held = len(kept) * entering if checkpointing else sum(kept)
    held += entering * (3 if below else 1)
    if width != stream:
        held += width * sum(layer.weight.numel() for layer in model.modules()
                            if type(layer).__name__ in ("Linear", "Conv1D"))
    one, wide = max(kept, default=0), tokens * _feed(model.config) * width
    again = one - entering if checkpointing and kept else 0
    work = len(kind["up"]) * wide + entering  # gradients of a block's inner tensors
    frozen = 0 if all(flows) else max(  # a block's inner tensors, while nothing is kept
        (len(kind["up"]) + 1) * wide + 2 * entering,
        tokens * _attention(model.config, length, width, on_cpu)[2])

    first, last = model.get_input_embeddings(), model.get_output_embeddings()
    loss = 12 * tokens * last.weight.shape[0] if last else 0
    head = number_of_bytes(last.weight) if last and last.weight.requires_grad else 0
    words = number_of_bytes(first.weight) if first.weight.requires_grad else 0
    tied = bool(last) and first.weight is last.weight
    before = gradients if accumulate > 1 else 0
    peaks = [before + held + loss,
             before + held + loss / 3 + head,  # one of the three is left beside the new gradient
             before + held + again + work + head,  # the last block's backward pass
             gradients - words * (not tied) + one + work,  # the first block's
             gradients + 2 * words * tied,  # two gradients of the word vectors, and their sum
             frozen]
    return pd.Series({
        "weights": weights, "gradients": gradients, "optimiser": states,
        "activations": max(held + max(loss, again + work), frozen),
        "total": weights + states + max(peaks)}) / 1e6


def _blocks(model, length: int):
    """Return a model's blocks, and how they are built."""
    config = getattr(model, "config", None)
    depth = getattr(config, "num_hidden_layers", None)
    for blocks in model.modules() if depth else ():
        if type(blocks).__name__ == "ModuleList" and len(blocks) == depth:
            names = {name for name, _ in blocks[0].named_modules()}
            for kind in _KINDS:
                if names.issuperset(sum(kind.values(), ())):
                    if length > config.max_position_embeddings:
                        message = (f"length is {length}; this model reads at most "
                                   f"{config.max_position_embeddings} tokens. Give a smaller one.")
                        raise ValueError(message)
                    return blocks, kind
    message = (f"model is a {type(model).__name__}; it must have blocks like BERT's, Llama's, "
               "Qwen3's or GPT-2's. Measure another with peak.")
    raise ValueError(message)


def _flows(model, blocks) -> list[bool]:
    """Return whether gradients pass into the first block, and whether into each one's output."""
    inside = {id(value) for value in blocks.parameters()}
    flow = False
    for value in model.parameters():
        if id(value) in inside:
            break
        flow = flow or value.requires_grad
    flow = flow or any("prompt_encoder" in name for name, _ in model.named_parameters())  # PEFT's
    flows = [flow]
    for block in blocks:
        flow = flow or any(value.requires_grad for value in block.parameters())
        flows.append(flow)
    return flows


def _kept(block, kind: dict, config, length: int, stream: int, width: int) -> int:
    """Return the bytes per token that a block keeps for the backward pass."""
    on_cpu = next(block.parameters()).device.type == "cpu"
    h, m, gated = config.hidden_size, _feed(config), len(kind["up"]) > 1
    rms = hasattr(config, "rms_norm_eps")

    def read(role: str, size: int, kept: bool = False) -> int:
        """What linear layers keep of the input that they share, unless something else keeps it."""
        layers = [layer for layer in map(block.get_submodule, kind[role])
                  if any(value.requires_grad for value in layer.parameters())]
        own = sum(type(part).__name__ == "Dropout" and part.p > 0  # LoRA's: one for each layer
                  for layer in layers for part in layer.modules())
        copies = len(layers) if width != stream else min(1, len(layers))  # casts aren't shared
        mask = stream if on_cpu else 1
        return size * (own * (stream + mask) + (0 if own or kept else copies * width))

    attention, fused, _ = _attention(config, length, width, on_cpu)
    total = attention + read("attend", h) + read("out", _heads(config), kept=fused)
    for name in kind["norms"]:
        learns = block.get_submodule(name).weight.requires_grad
        total += h * (4 + stream * learns if rms else stream)
    if hasattr(getattr(block, "self_attn", None), "q_norm"):  # Qwen3's
        total += 2 * (_heads(config) + _heads(config, "num_key_value_heads")) * stream
    name = getattr(config, "hidden_act", None) or config.activation_function
    total += m * width * (3 if gated else 4 if name == "gelu_new" else 1)
    total += read("up", h) + read("down", m)
    if _rate(config, "hidden_dropout_prob", "resid_pdrop"):
        total += 2 * h * (width if on_cpu else 1)
    return total


def _attention(config, length: int, width: int, on_cpu: bool) -> tuple[int, bool, int]:
    """Return the bytes per token that attention keeps, whether its output is among these, and the
    bytes that it needs in a frozen block.
    """
    heads, wide = config.num_attention_heads, _heads(config) * width
    drop = _rate(config, "attention_probs_dropout_prob", "attention_dropout", "attn_pdrop") > 0
    pair = 4 * heads * length  # a number for each pair of tokens, in fp32
    if config._attn_implementation == "eager" or drop and on_cpu:  # else a kernel is used
        masked = pair + (pair if on_cpu else heads * length)
        return 3 * wide + pair + masked * drop, False, 7 * wide + 3 * pair
    return 4 * wide + 4 * heads + length * width, True, 5 * wide


def _heads(config, count: str = "num_attention_heads") -> int:
    """Return the width of all heads."""
    each = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return getattr(config, count) * each


def _rate(config, *names: str) -> float:
    return max(getattr(config, name, None) or 0 for name in names)


def _feed(config) -> int:
    """Return the width between the feed-forward layers."""
    names = ("intermediate_size", "n_inner")
    return next((size for name in names if (size := getattr(config, name, None))),
                4 * config.hidden_size)
