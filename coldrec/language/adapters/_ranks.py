"""AdaLoRA's ranks, and how they move."""

from __future__ import annotations

from pathlib import Path

from coldrec.language.adapters._peft import _ORTHOGONAL, _method

_SCORES = ("ipt", "exp_avg_ipt", "exp_avg_unc")  # what peft's allocator knows of each rank


def AllocateRanks():
    """Return a callback for transformers' Trainer that moves AdaLoRA's ranks; others it lets be.

    It weighs ranks by gradients, so it works after the optimiser's step, before they are cleared.
    Two things peft does otherwise. The penalty that keeps matrices orthogonal goes to the gradients
    here: peft adds it to the model's loss, in evaluation too, and a Trainer with a loss of its own
    doesn't see it. And ranks taken away are zeros in matrices of the old size: peft's checkpoints
    have them cut out, and then can't be gone on from.
    """
    import torch
    from accelerate.utils import extract_model_from_parallel
    from safetensors.torch import load_file, save_file
    from transformers import TrainerCallback

    class Callback(TrainerCallback):
        tuner = None

        def on_train_begin(self, args, state, control, model=None, **kwargs):
            model = extract_model_from_parallel(model, keep_torch_compile=False)
            self.tuner = model.base_model if _method(model) == "adalora" else None
            if self.tuner is None:
                return
            self.config, self.allocator = model.peft_config["default"], self.tuner.rankallocator
            self.kept, scores = _kept_ranks(self.tuner.model), self.scores(args, state)
            self.done = False
            self.allocator.reset_ipt()
            if scores.is_file():  # training goes on from a checkpoint
                for name, value in load_file(scores).items():
                    kind, name = name.split("/")
                    getattr(self.allocator, kind)[name] = value.to(args.device)
            else:
                held = sum(map(sum, self.kept.values()))
                self.done = held <= self.allocator.target_bgt  # by a training before this one
            if not self.done and state.max_steps != self.config.total_step:
                raise ValueError(f"adapt was told steps={self.config.total_step}, and the training "
                                 f"takes {state.max_steps}: ranks would move too early or never. "
                                 f"Use adapt(..., steps={state.max_steps}).")

        def on_pre_optimizer_step(self, args, state, control, **kwargs):
            if self.tuner is None:
                return
            pairs = {name: value for name, value in self.tuner.model.named_parameters()
                     if ".lora_A." in name or ".lora_B." in name}
            rows = [v if ".lora_A." in name else v.T for name, v in pairs.items()]
            far = sum(torch.linalg.norm(v @ v.T - torch.eye(len(v), device=v.device)) for v in rows)
            slopes = torch.autograd.grad(_ORTHOGONAL / len(rows) * far, list(pairs.values()))
            for value, slope in zip(pairs.values(), slopes, strict=True):
                value.grad.add_(slope)

        def on_optimizer_step(self, args, state, control, **kwargs):
            if self.tuner is None:
                return
            if self.done:
                self.allocator.mask_using_rank_pattern(self.tuner.model, self.kept)
                return
            for value in self.tuner.model.parameters():
                if value.grad is not None:  # infinite where fp16's scaler left this step out
                    torch.nan_to_num_(value.grad, 0.0, 0.0, 0.0)
            self.config.rank_pattern = self.kept
            self.tuner.update_and_allocate(state.global_step + 1)
            self.kept, self.config.rank_pattern = self.config.rank_pattern, None

        def on_save(self, args, state, control, **kwargs):
            if self.tuner is not None and not self.done and state.is_world_process_zero:
                save_file({f"{kind}/{name}": value for kind in _SCORES
                           for name, value in getattr(self.allocator, kind).items()},
                          self.scores(args, state))

        def scores(self, args, state):
            return Path(args.output_dir, f"checkpoint-{state.global_step}", "ranks.safetensors")

    return Callback()


def _kept_ranks(model) -> dict[str, list[bool]]:
    """Return which of the ranks AdaLoRA hasn't set to zero: all of them, before it has begun."""
    kept = {name: (value != 0).flatten().tolist() for name, value in model.named_parameters()
            if ".lora_E." in name}
    begun = any(map(any, kept.values()))
    return kept if begun else {name: [True] * len(row) for name, row in kept.items()}
