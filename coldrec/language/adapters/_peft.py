"""The models that peft makes."""

from __future__ import annotations

import warnings

from coldrec.language.adapters._layers import _FEED_FORWARD, _bottleneck, _pattern
from coldrec.language.adapters._words import _is_bert, _keep_places, _start_prefix
from coldrec.validation import check_whole

_PEFT = {"LORA": "lora", "ADALORA": "adalora", "PREFIX_TUNING": "prefix",
         "PROMPT_TUNING": "prompt", "IA3": "ia3"}
_ORTHOGONAL, _NOTHING = 0.5, 1e-12  # AdaLoRA's penalty: peft's weight, and as good as none


def _method(model) -> str:
    if hasattr(model, "peft_config"):
        return _PEFT[model.peft_config["default"].peft_type.value]
    return "adapter" if any(isinstance(m, _bottleneck()) for m in model.modules()) else "full"


def _layers_config(model, method, task, layers, rank, steps):
    import peft
    from transformers.pytorch_utils import Conv1D

    common = {"task_type": task, "target_modules": _pattern(layers), "fan_in_fan_out": any(
        isinstance(part, Conv1D) for part in model.modules())}
    if method == "lora":
        return peft.LoraConfig(r=rank, lora_alpha=2 * rank, **common)
    if method == "ia3":
        inner = [name for name in layers if name in _FEED_FORWARD]
        return peft.IA3Config(feedforward_modules=_pattern(inner) if inner else [], **common)
    if steps is None:
        raise ValueError("'adalora' plans when it moves ranks, for which it must know how many "
                         "updates training takes. Use adapt(model, 'adalora', steps=...).")
    check_whole(steps, "steps", least=10, example=200)
    # A tenth of the updates to get going, and a third to go on with the ranks that are left.
    return peft.AdaLoraConfig(init_r=rank + (rank + 1) // 2, target_r=rank, lora_alpha=2 * rank,
                              total_step=steps, tinit=steps // 10, tfinal=steps // 3,
                              deltaT=max(1, steps // 100), orth_reg_weight=_NOTHING, **common)


def _with_peft(model, config):
    """Return the PeftModel, put right where peft isn't."""
    from peft import get_peft_model

    with warnings.catch_warnings():  # peft 0.21 asks transformers 5.23 by a name of old
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated")
        adapted = get_peft_model(model, config)
    if config.is_prompt_learning and _is_bert(model):
        _keep_places(adapted, config.num_virtual_tokens)
    if config.peft_type == "ADALORA":  # which a model that isn't trained lacks, and asks for
        adapted.base_model.trainable_adapter_name = "default"
    if config.peft_type == "PREFIX_TUNING":
        if not config.inference_mode:
            _start_prefix(model, adapted.prompt_encoder["default"].embedding.weight)

        def refuse(*args, **kwargs):
            raise ValueError("'prefix' can't be trained with checkpointing, which drops the keys "
                             "and values it is made of. Take smaller batches, or another method.")

        model.gradient_checkpointing_enable = model.activation_checkpointing_enable = refuse
    return adapted
