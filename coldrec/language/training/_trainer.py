"""The transformers Trainer behind :func:`coldrec.language.train`."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from coldrec import runtime
from coldrec.language.training._callbacks import keep_few, loggers, progress_bar, stop_after
from coldrec.language.training._checkpoints import ended, last_checkpoint


def make_trainer(model, examples, folder: Path, *, batch, micro, accumulate, updates,
                 learning_rate, warmup, schedule, weight_decay, clip, precision, seed, collate,
                 loss, judge, judge_every, patience, save_every, callbacks, progress, logs):
    """Return a transformers Trainer for these settings, which say what ``train`` says of them."""
    from transformers import Trainer, TrainingArguments
    from transformers.trainer_callback import PrinterCallback

    class Ours(Trainer):
        """A Trainer whose evaluation is ``judge``, and whose logs tell the true epoch."""

        def evaluate(self, *args, **kwargs):
            metrics = {"eval_judge": _judged(judge, self.model)}
            self.log(metrics)
            self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control,
                                                             metrics)
            return metrics

        def log(self, logs, *args, **kwargs):
            self.state.epoch = self.state.global_step * batch / len(examples)
            super().log(logs, *args, **kwargs)

        def _issue_warnings_after_load(self, load_result):
            tied = getattr(self.model, "all_tied_weights_keys", {})  # saved once, under one name
            missing = [key for key in load_result.missing_keys if key not in tied]
            super()._issue_warnings_after_load(load_result._replace(missing_keys=missing))

    every = judge_every if judge else save_every
    end = judge and ended(last_checkpoint(folder), patience) or updates  # nothing more to train?
    arguments = TrainingArguments(
        output_dir=str(folder), max_steps=end, per_device_train_batch_size=micro,
        gradient_accumulation_steps=accumulate, train_sampling_strategy="sequential",
        learning_rate=learning_rate, warmup_steps=warmup, lr_scheduler_type=schedule,
        weight_decay=weight_decay, max_grad_norm=clip, seed=seed, fp16=precision == "fp16",
        bf16=precision == "bf16", logging_steps=max(1, updates // 200),
        logging_nan_inf_filter=False,  # show divergence
        eval_strategy="steps" if judge else "no", eval_steps=judge_every if judge else None,
        save_strategy="steps" if every else "no", save_steps=every or 500,
        load_best_model_at_end=bool(judge), metric_for_best_model="judge" if judge else None,
        greater_is_better=True if judge else None, remove_unused_columns=False,
        dataloader_pin_memory=runtime.device().startswith("cuda"), label_names=["labels"],
        report_to="none", use_cpu=runtime.device() == "cpu", disable_tqdm=True)
    arguments.mixed_precision = "no" if precision == "fp32" else precision  # not the launcher's
    by_token = loss is None and _is_causal(model)
    trainer = Ours(
        model=model, args=arguments, train_dataset=Shuffled(examples, end * batch, seed),
        data_collator=collate, eval_dataset=examples if judge else None, compute_loss_func=loss,
        callbacks=[*(callbacks if end == updates else ()), keep_few(folder),
                   *([stop_after(patience)] if judge else []),
                   *(loggers(folder) if logs else []), *([progress_bar()] if progress else [])])
    # A causal model's loss is a mean over the labels of the update, however it is divided. Others'
    # is a mean over a part, though they take ``num_items_in_batch`` and the Trainer believes them.
    trainer.model_accepts_loss_kwargs = by_token
    if loss is not None:
        trainer._loss_shifts_labels = False  # or the first label of each row wouldn't be counted
    trainer.remove_callback(PrinterCallback)
    return trainer


class Shuffled:
    """Examples in the order of training: all of them at random, then all in another order ...

    An update is the next ``batch`` of them, so it doesn't change with parts, devices or breaks.
    """

    def __init__(self, examples, length: int, seed: int):
        self.examples, self.length, self.seed, self.epoch = examples, length, seed, None

    def __len__(self):
        return self.length

    def __getitem__(self, place):
        epoch, row = divmod(place, len(self.examples))
        if epoch != self.epoch:
            rng = np.random.default_rng((self.seed, epoch))
            self.order, self.epoch = rng.permutation(len(self.examples)), epoch
        return self.examples[int(self.order[row])]


def _is_causal(model) -> bool:
    """Return whether a model (within PEFT's, maybe) is one that predicts the next token."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    causal = type(base).__name__ in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()
    if causal and getattr(base, "loss_type", None) is None:
        base.loss_type = "ForCausalLM"  # GPT2LMHeadModel's name doesn't say so
    return causal


def _judged(judge, model) -> float:
    """Ask the judge, who may draw random numbers; all processes hear what the first was told."""
    import torch
    from accelerate.utils import broadcast_object_list
    from accelerate.utils.memory import should_reduce_batch_size

    model.eval()
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    try:
        with torch.no_grad(), torch.random.fork_rng(devices):
            return broadcast_object_list([float(judge(model))])[0]
    except RuntimeError as error:
        if should_reduce_batch_size(error):  # which smaller parts of a batch wouldn't help
            raise MemoryError(f"judge ran out of memory. Let it take less at once. ({error})"
                              ) from error
        raise


@contextlib.contextmanager
def left_as_found(model, checkpointing: bool):
    """Switch checkpointing on, and afterwards off all that the libraries changed in the model."""
    from transformers.utils import logging

    kept, config = vars(model).get("forward"), getattr(model, "config", None)
    cache = getattr(config, "use_cache", None)
    new = hasattr(model, "activation_checkpointing_enable")  # not before transformers 5.2x
    name = "activation_checkpointing" if new else "gradient_checkpointing"
    if checkpointing:
        getattr(model, f"{name}_enable")({"use_reentrant": False})
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # one for each checkpoint
    try:
        yield
    finally:
        if bars:
            logging.enable_progress_bar()
        if checkpointing:
            getattr(model, f"{name}_disable")()
        if cache is not None:
            config.use_cache = cache
        for attribute in ("forward", "_original_forward"):  # Accelerate's, which autocasts
            vars(model).pop(attribute, None)
        if kept is not None:
            model.forward = kept
        model.eval()
