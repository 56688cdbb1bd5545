"""Train any of the course's models: one function, on Hugging Face's Trainer and Accelerate.

The same call runs on a CPU, on one GPU, and under ``accelerate launch`` on several (see GPU.md).
"""

from __future__ import annotations

import functools
import math
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from coldrec import runtime
from coldrec.language.training._checkpoints import last_checkpoint, open_folder, step_of
from coldrec.language.training._trainer import left_as_found, make_trainer
from coldrec.validation import check_whole

PRECISIONS = ("fp32", "fp16", "bf16")


@dataclass(frozen=True)
class Training:
    """What a training left behind, beside the model, which it changed in place.

    ``losses`` is the training loss by update (a mean over the updates since the last one listed),
    ``judged`` what ``judge`` said by update; both hold what came before a break too. ``steps``,
    ``seconds`` and ``step_seconds`` (of one update) are this call's. ``micro`` is the sequences a
    device took at once, ``accumulate`` how many such parts made an update, and ``peak_mb`` the
    most memory that a GPU held (None on a CPU).
    """

    losses: pd.Series
    judged: pd.Series
    steps: int
    seconds: float
    micro: int
    accumulate: int
    precision: str
    peak_mb: float | None

    @property
    def step_seconds(self) -> float:
        return self.seconds / max(1, self.steps)


def train(model, examples, *, batch: int = 32, epochs: float = 1.0, steps: int | None = None,
          learning_rate: float = 1e-4, warmup: float = 0.1, schedule: str = "linear",
          weight_decay: float = 0.01, clip: float = 1.0, accumulate: int = 1, collate=None,
          loss=None, judge=None, judge_every: int | None = None, patience: int = 3,
          folder=None, save_every: int | None = None, precision: str | None = None,
          checkpointing: bool = False, callbacks=(), seed: int = 0,
          progress: bool = True) -> Training:
    """Train the model in place on examples, and return how it went.

    Parameters
    ----------
    examples
        Anything with ``len`` and rows of what the model takes: a list of dicts, a ``Dataset``.
        ``collate`` makes a batch of a list of them (by default, it stacks what is of one length).
    batch
        Sequences per update, over all devices. Where they don't fit into memory at once,
        ``accumulate`` parts are summed into the same gradient; on running out of memory, the parts
        are made smaller (halved, where the batch can be) and training goes on.
    steps
        Updates, in place of ``epochs``.
    learning_rate, warmup, schedule
        AdamW's largest rate (Loshchilov & Hutter 2019); ``warmup`` is the share of the updates in
        which it rises linearly; then it falls as ``schedule`` says (``"linear"``, ``"cosine"``,
        ``"constant_with_warmup"``).
    loss
        ``loss(outputs, labels, num_items_in_batch)``, where the model's own isn't wanted: a sum,
        divided by ``num_items_in_batch``, the update's labels that aren't -100.
    judge, judge_every, patience
        ``judge(model)`` returns how good the model is (more is better), every so many updates and
        after the last, measured where training doesn't look, such as on validation-cold items.
        After ``patience`` judgements without a better one (NaN never is), training stops, and the
        best model is what is left. (Checkpoints are then written at the judgements.)
    folder, save_every
        Where checkpoints (by default, ten times a training) and logs are kept; without it, nothing
        is. A second call with the same folder and arguments goes on from the last checkpoint, to
        the same weights as an unbroken run (if ``collate`` draws nothing at random). Logs are
        TensorBoard's, and Weights & Biases' (offline) where that is installed.
    precision
        ``"fp32"``, ``"fp16"`` or ``"bf16"`` for the products; by default bf16 on a GPU that has
        it, fp16 on another (a T4), fp32 elsewhere. What is trained is held in fp32 always.
    checkpointing
        Compute activations again on the way back instead of keeping them (Chen et al. 2016).
    callbacks
        Further transformers ``TrainerCallback``s.

    Raises ValueError for arguments that can't be, MemoryError where not even one sequence fits.
    """
    processes = int(os.environ.get("WORLD_SIZE", 1))
    _check(examples, batch, accumulate, processes, epochs, steps, learning_rate, warmup, precision,
           judge, judge_every, patience, folder, save_every)
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    for value in trained.values():  # fp16 gradients can't be unscaled, small steps get lost
        value.data = value.data.float()
    updates = steps or max(1, round(epochs * len(examples) / batch))
    settings = {"batch": batch, "updates": updates, "learning_rate": learning_rate,
                "warmup": warmup, "schedule": schedule, "weight_decay": weight_decay, "clip": clip,
                "seed": seed, "judge_every": judge_every if judge else None}
    size = {"examples": len(examples), "trained": sum(v.numel() for v in trained.values())}
    with tempfile.TemporaryDirectory() as scratch, left_as_found(model, checkpointing):
        kept = Path(scratch) if folder is None else open_folder(folder, settings | size)
        if folder is not None:
            save_every = save_every or max(1, updates // 10)
        make = functools.partial(
            make_trainer, model, examples, kept, **settings, collate=collate, loss=loss,
            judge=judge, patience=patience, save_every=save_every, callbacks=callbacks,
            precision=precision or best_precision(), progress=progress, logs=folder is not None)
        return _run_until_it_fits(make, model, kept, batch, accumulate, processes)


def best_precision() -> str:
    """Return bf16 on a GPU that computes with it, fp16 on another GPU, fp32 elsewhere."""
    import torch

    if not runtime.device().startswith("cuda"):
        return "fp32"
    return "bf16" if torch.cuda.get_device_capability() >= (8, 0) else "fp16"


def _check(examples, batch, accumulate, processes, epochs, steps, learning_rate, warmup, precision,
           judge, judge_every, patience, folder, save_every) -> None:
    if not len(examples):
        raise ValueError("train got no examples: there is nothing to learn from.")
    for value, name in ((batch, "batch"), (accumulate, "accumulate"), (patience, "patience")):
        check_whole(value, name, example=1)
    if batch % (accumulate * processes):
        raise ValueError(f"batch is {batch}; it must be a multiple of accumulate × processes, "
                         f"{accumulate} × {processes}. Take another batch.")
    if steps is not None:
        check_whole(steps, "steps", example=100)
    elif not epochs > 0:
        raise ValueError(f"epochs is {epochs}; it must be above 0.")
    if not learning_rate > 0:
        raise ValueError(f"learning_rate is {learning_rate}; it must be above 0, such as 1e-4.")
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup is {warmup}; it is a share of the updates, such as 0.1.")
    if precision is not None and precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}; it may be one of {PRECISIONS}, or None.")
    if precision == "fp16" and not runtime.device().startswith("cuda"):
        raise ValueError("precision 'fp16' needs a GPU, where the loss can be scaled. Take 'fp32' "
                         "or 'bf16' on a CPU.")
    if judge is not None:
        check_whole(judge_every, "judge_every", example=50)
    if save_every is not None:
        check_whole(save_every, "save_every", example=50)
    if folder is None and (save_every is not None or (judge is not None and processes > 1)):
        raise ValueError("there is no folder to save checkpoints to. Give one (that all processes "
                         "see).")


def _run_until_it_fits(make, model, folder, batch, accumulate, processes) -> Training:
    """Train with the parts asked for, or with smaller ones on running out of memory."""
    import torch
    from accelerate.utils.memory import should_reduce_batch_size

    start = {name: value.detach().to("cpu", copy=True) for name, value in model.named_parameters()
             if value.requires_grad and processes == 1}  # several don't start again
    while True:
        try:
            return _run(make(micro=batch // accumulate // processes, accumulate=accumulate), folder)
        except RuntimeError as error:
            if not should_reduce_batch_size(error):
                raise
            full = str(error)
        # Outside the handler, whose traceback would keep the activations alive.
        accumulate = _next_parts(batch, accumulate, processes, full)
        print(f"Out of memory: now {batch // accumulate} sequences at once, {accumulate} times an "
              "update.", flush=True)
        model.zero_grad(set_to_none=True)
        with torch.no_grad():
            for name, value in model.named_parameters():
                if name in start:
                    value.copy_(start[name])


def _next_parts(batch, accumulate, processes, error) -> int:
    """Return the next larger number of parts, at least twice as many, that divides the batch."""
    if processes > 1:  # the others wait in the middle of this update
        raise MemoryError(f"a part of a batch doesn't fit into one process's memory. Give a larger "
                          f"accumulate than {accumulate}. ({error})")
    for more in range(2 * accumulate, batch + 1):
        if batch % more == 0:
            return more
    raise MemoryError("not even the smallest part of a batch fits into memory. Take shorter "
                      f"sequences, a smaller model, or checkpointing=True. ({error})")


def _run(trainer, folder) -> Training:
    """Train from the folder's last checkpoint, if it has one, and gather what is reported."""
    import torch

    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    checkpoint, arguments = last_checkpoint(folder), trainer.args
    started = time.perf_counter()
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    seconds = time.perf_counter() - started
    history = trainer.state.log_history
    judged = _series(history, "eval_judge").rename("judge")
    if len(judged) and not (judged > -math.inf).any():
        raise ValueError(f"judge never returned a number, but {judged.tolist()}. There is no best "
                         "model to keep.")
    return Training(
        losses=_series(history, "loss"), judged=judged,
        steps=trainer.state.global_step - step_of(checkpoint), seconds=seconds,
        micro=arguments.per_device_train_batch_size,
        accumulate=arguments.gradient_accumulation_steps,
        precision="fp16" if arguments.fp16 else "bf16" if arguments.bf16 else "fp32",
        peak_mb=torch.cuda.max_memory_allocated() / 1e6 if on_gpu else None)


def _series(history, key) -> pd.Series:
    found = {row["step"]: float(row[key]) for row in history if key in row}
    return pd.Series(found, name=key, dtype=float).rename_axis("update")
