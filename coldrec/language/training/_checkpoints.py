"""The folder of a training: its settings, and checkpoints of which only whole ones count."""

from __future__ import annotations

import json
import math
import os
import shutil
import zipfile
from pathlib import Path

SETTINGS = "training.json"


def open_folder(folder, settings: dict) -> Path:
    """Make the folder of a training, or go on with one of the same settings."""
    folder = Path(folder).expanduser().resolve()
    if os.environ.get("RANK", "0") != "0":
        return folder  # the first process does it for all
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / SETTINGS
    if kept.exists():
        before = json.loads(kept.read_text(encoding="utf-8"))
        told = ", ".join(f"{name} was {before.get(name)!r} and is {value!r}"
                         for name, value in settings.items() if before.get(name) != value)
        if told:
            raise ValueError(f"{folder} holds another training: {told}. Give another folder, or "
                             "delete this one.")
    elif any(folder.glob("checkpoint-*")):
        raise ValueError(f"{folder} holds checkpoints of a training whose settings aren't known. "
                         "Give another folder.")
    else:
        part = kept.with_suffix(".part")
        part.write_text(json.dumps(settings, indent=1), encoding="utf-8")
        part.replace(kept)
    for checkpoint in folder.glob("checkpoint-*"):
        if not _whole(checkpoint):
            shutil.rmtree(checkpoint)  # cut short while it was written
    return folder


def last_checkpoint(folder: Path) -> Path | None:
    """Return the folder's last checkpoint, None where there is none."""
    whole = [path for path in folder.glob("checkpoint-*") if _whole(path)]
    return max(whole, key=step_of, default=None)


def step_of(checkpoint: Path | None) -> int:
    """Return after how many updates a checkpoint was written."""
    return 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])


def _whole(checkpoint: Path) -> bool:
    """Return whether all of a checkpoint was written: its state is last, and no file ends early."""
    from safetensors import SafetensorError, safe_open

    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        for file in checkpoint.glob("*.safetensors"):
            safe_open(file, "numpy")  # its head says how long it must be
    except (OSError, ValueError, SafetensorError):
        return False
    return (any(checkpoint.glob("*model*")) and any(checkpoint.glob("optimizer*"))
            and all(map(zipfile.is_zipfile, checkpoint.glob("*.pt"))))


def since_best(history) -> int:
    """Return how many judgements came since the best one."""
    judged = [row["eval_judge"] for row in history if "eval_judge" in row]
    judged = [-math.inf if math.isnan(value) else value for value in judged]
    return len(judged) - 1 - judged.index(max(judged)) if judged else 0


def ended(checkpoint: Path | None, patience: int) -> int | None:
    """Return the update at which the judge's patience ended, if the checkpoint says it has."""
    if checkpoint is not None:
        state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        if since_best(state["log_history"]) >= patience:
            return step_of(checkpoint)
    return None
