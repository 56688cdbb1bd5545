"""How much memory an update takes, measured."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

import pandas as pd


def peak(step, model, optimiser=None) -> pd.Series:
    """Return the most MB that were held while ``step()`` ran, to the byte.

    ``step`` is an update: forward pass, backward pass, optimiser. It runs twice, for the first
    time makes the optimiser's state; the second is measured. The rows are ``before`` (the model,
    gradients that are still there, the optimiser's state), ``added``, by all tensors that were made
    and not yet given up, and ``total``. What else the process holds isn't counted.
    """
    device = next(model.parameters()).device
    if device.type not in ("cpu", "cuda"):
        message = f"the model is on {device}; peaks are measured on cpu and cuda. Move it there."
        raise ValueError(message)
    measure = _added_on_gpu if device.type == "cuda" else _added_on_cpu
    before, added = measure(step, lambda: _alive(model, optimiser))
    return pd.Series({"before": before, "added": added, "total": before + added}) / 1e6


def _alive(model, optimiser) -> int:
    tensors = [*model.parameters(), *model.buffers()]
    tensors += [value.grad for value in model.parameters() if value.grad is not None]
    states = optimiser.state.values() if optimiser is not None else ()
    return number_of_bytes(*tensors, *(value for state in states for value in state.values()
                                       if hasattr(value, "element_size")))


def _added_on_gpu(step, alive) -> tuple[int, int]:
    import torch

    step()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before, held = alive(), torch.cuda.memory_allocated()
    step()
    torch.cuda.synchronize()
    return before, torch.cuda.max_memory_allocated() - held


def _added_on_cpu(step, alive) -> tuple[int, int]:
    """Add up each allocation and release that torch's profiler has seen."""
    from torch.profiler import ProfilerActivity, profile, record_function

    profiler = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
    with _mute():
        profiler.start()
    try:
        with _mute():  # it complains that it doesn't know what is given up
            step()
        before = alive()
        with record_function("coldrec.peak"):
            step()
    finally:
        with _mute():
            profiler.stop()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(file))
        events = json.loads(file.read_text(encoding="utf-8"))["traceEvents"]
    start = next(e["ts"] for e in events if e.get("name") == "coldrec.peak" and e["ph"] == "X")
    held = added = 0
    for event in sorted((e for e in events if e.get("name") == "[memory]"), key=lambda e: e["ts"]):
        if event["ts"] >= start:
            held += event["args"]["Bytes"]
            added = max(added, held)
    return before, added


@contextlib.contextmanager
def _mute():
    """Keep the profiler's notes, which no setting stops, from the standard error."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def number_of_bytes(*tensors) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
