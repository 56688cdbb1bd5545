"""What this machine can do: the tier, the device and the seed of a run."""

from __future__ import annotations

import functools
import importlib.util
import os
import random
from dataclasses import dataclass

TIERS = ("smoke", "cpu", "gpu")


@dataclass(frozen=True)
class Run:
    """The settings every lesson starts from: ``tier``, ``device`` and ``seed``."""

    tier: str
    device: str
    seed: int

    def pick(self, *, cpu, smoke=None, gpu=None):
        """Return the value for this run's tier; a tier left out takes the ``cpu`` value."""
        value = {"smoke": smoke, "cpu": cpu, "gpu": gpu}[self.tier]
        return cpu if value is None else value


def setup(seed: int = 0) -> Run:
    """Seed every generator, find tier and device, say what was found.

    The tier is the environment variable ``COLDREC_TIER`` (``smoke``, ``cpu`` or ``gpu``); without
    it, ``gpu`` where CUDA is found and ``cpu`` elsewhere.
    """
    import numpy as np

    found = device()
    run = Run(tier(), found, seed)
    random.seed(seed)
    np.random.seed(seed)
    if importlib.util.find_spec("torch"):
        import torch

        torch.manual_seed(seed)
    sizes = {"smoke": "tiny sizes, to test that everything runs: its figures mean nothing",
             "cpu": "sizes for two cores without a GPU",
             "gpu": "sizes for one GPU with 15 GB"}
    print(f"tier {run.tier} ({sizes[run.tier]}), device {run.device}, seed {seed}")
    return run


def tier() -> str:
    """Return this run's tier: ``COLDREC_TIER``, or what the device suggests."""
    asked = os.environ.get("COLDREC_TIER", "").strip().lower()
    if asked and asked not in TIERS:
        raise ValueError(
            f"COLDREC_TIER is {asked!r}; it may be one of {', '.join(TIERS)}. "
            "Set it to one of these, or remove it to let the machine decide."
        )
    return asked or ("gpu" if device().startswith("cuda") else "cpu")


@functools.cache
def device() -> str:
    """Return ``cuda``, ``mps`` or ``cpu``: the best device that torch, where installed, can use."""
    if not importlib.util.find_spec("torch"):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
