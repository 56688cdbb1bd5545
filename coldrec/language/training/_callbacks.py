"""Who listens to a training: the judge's patience, the logs and the progress bar."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from coldrec.language.training._checkpoints import since_best, step_of


def stop_after(patience: int):
    from transformers import TrainerCallback

    class Patience(TrainerCallback):
        """Stop when so many judgements weren't better; what it knows is in the checkpoint."""

        def on_evaluate(self, args, state, control, **kwargs):
            if since_best(state.log_history) >= patience:
                control.should_training_stop = True

    return Patience()


def keep_few(folder: Path):
    from transformers import TrainerCallback

    class KeepFew(TrainerCallback):
        """Keep the best checkpoint and the last two (the Trainer's own way goes by file times)."""

        def on_save(self, args, state, control, **kwargs):
            if state.is_world_process_zero:
                found = sorted(folder.glob("checkpoint-*"), key=step_of)
                for checkpoint in found[:-2]:
                    if step_of(checkpoint) != state.best_global_step:
                        shutil.rmtree(checkpoint)

    return KeepFew()


def loggers(folder: Path) -> list:
    """Return who keeps the logs in the folder: TensorBoard and W&B, where they are installed."""
    from transformers import integrations

    found = []
    if integrations.is_tensorboard_available():
        found.append(integrations.TensorBoardCallback())
        found[0].logging_dir = str(folder / "logs")
    if integrations.is_wandb_available():
        found.append(_wandb(folder))
    return found


def _wandb(folder: Path):
    import wandb
    from transformers.integrations import WandbCallback

    class Run(WandbCallback):
        """A run of its own in the folder, off the network unless WANDB_MODE says otherwise."""

        def on_train_begin(self, args, state, control, **kwargs):
            self.run = None
            if state.is_world_process_zero and wandb.run is None:
                self.run = wandb.init(project=os.environ.get("WANDB_PROJECT", "coldrec"),
                                      name=folder.name, dir=folder,
                                      mode=os.environ.get("WANDB_MODE", "offline"),
                                      settings=wandb.Settings(silent=True))
            super().on_train_begin(args, state, control, **kwargs)

        def on_train_end(self, args, state, control, **kwargs):
            super().on_train_end(args, state, control, **kwargs)
            if self.run is not None:
                self.run.finish()

    return Run()


def progress_bar():
    from tqdm.auto import tqdm
    from transformers import TrainerCallback

    class ProgressBar(TrainerCallback):
        """A bar with the last loss; only the first process shows it."""

        def on_train_begin(self, args, state, control, **kwargs):
            self.bar = tqdm(total=state.max_steps, initial=state.global_step, unit="update",
                            leave=False, disable=not state.is_world_process_zero)

        def on_step_end(self, args, state, control, **kwargs):
            self.bar.update()

        def on_log(self, args, state, control, logs=None, **kwargs):
            if "loss" in (logs or {}):
                self.bar.set_postfix(loss=f"{float(logs['loss']):.3f}")

        def on_train_end(self, args, state, control, **kwargs):
            self.bar.close()

    return ProgressBar()
