"""Put questions to the reader's function, and find the mistake that explains its answers."""

from __future__ import annotations

import copy
import inspect
import numbers

import networkx as nx
import numpy as np
import pandas as pd

from coldrec.checks import CheckFailed, expect
from coldrec.checks.errors import name_of


def call(function, *given, nothing: str = ""):
    """Return the function's answer; it has to give one, and to leave alone what it is given.

    ``nothing`` is the hint where it returns None, if that isn't just a forgotten ``return``.
    """
    copies, name = copy.deepcopy(given), name_of(function)
    answer = ask(function, *copies, shown=", ".join(map(_kind, given)), nothing=nothing)
    for before, after in zip(given, copies, strict=True):
        inside = " or what is in it" if isinstance(before, (list, tuple)) else ""
        expect(_same(before, after),
               f"{name} changes the {type(before).__name__}{inside} that it is given, and whoever "
               "calls it still needs that. Work on a copy, or with methods that return something "
               "new."
               + (" (In PyTorch, those whose names end with _ change the tensor itself.)"
                  if hasattr(before, "detach") else ""))
    return answer


def ask(function, *given, shown: str, nothing: str = ""):
    """Return the function's answer, whatever it does to what it is given.

    ``shown`` is what stands for the arguments where it stops with an error.
    """
    fits(function, *given)
    try:
        answer = function(*given)
    except CheckFailed:
        raise
    except Exception as error:
        error.add_note(f"{name_of(function)}({shown})")  # for the sentence about it
        raise
    expect(answer is not None,
           nothing or f"{name_of(function)} returns nothing. Does its last line say `return`?")
    return answer


def fits(function, *given) -> None:
    """Say so where the function, method or class can't be called with these arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some that are written in C don't tell
        return
    try:
        signature.bind(*given)
    except TypeError:
        named = ", ".join(map(str, signature.parameters.values())) or "no arguments"
        method = inspect.ismethod(function) or isinstance(function, type)
        raise CheckFailed(
            f"The check calls {name_of(function)}({', '.join(map(_kind, given))}), and yours takes "
            f"{named}. Leave the `def` line as it is in the sheet."
            + (" (A method has `self` in front.)" if method else "")) from None


def compare(function, cases, right, mistakes=()) -> None:
    """Compare the function's answers with those of ``right``; put the simplest case first.

    ``mistakes`` are pairs of a hint and a wrong version of ``right``. Where one of them explains
    all the answers, its hint is what the reader is told; else it is the first case that went wrong.
    """
    answers = [call(function, *case) for case in cases]

    def explained_by(version):
        return [_close(answer, version(*case)) for answer, case in zip(answers, cases, strict=True)]

    good = explained_by(right)
    if all(good):
        return
    for hint, mistake in mistakes:
        expect(not all(explained_by(mistake)), hint)
    first = good.index(False)
    asked = f"{name_of(function)}({', '.join(map(brief, cases[first]))})"
    raise CheckFailed(f"{asked} should be {brief(right(*cases[first]))}, not "
                      f"{brief(answers[first])}.")


def brief(value) -> str:
    """Return a value as a reader would write it, cut off where it is long."""
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(brief, value))
        text = f"[{inside}]" if isinstance(value, list) else f"({inside})"
    elif isinstance(value, pd.DataFrame):
        text = brief(value.to_dict("list"))
    elif isinstance(value, (float, np.floating)):
        text = repr(round(float(value), 4))
    else:
        text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 200 else text[:199] + "…"


def is_number(value) -> bool:
    """Say whether it is one number: NaN is, None and "0.5" aren't, though NumPy would take them."""
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "biuf"
    return isinstance(value, (numbers.Real, np.bool_))


def number(value) -> float | None:
    """Return what is one number as a float, from NumPy and PyTorch too; of all else, None."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        return float(value) if is_number(value) else None
    except OverflowError:  # a whole number past any float
        return None


def what(value) -> str:
    """Return what a value is, for a sentence."""
    if getattr(value, "shape", ()):
        return f"a {type(value).__name__} of the shape {tuple(value.shape)}"
    return f"the {type(value).__name__} {brief(value)}"


def _kind(value) -> str:
    """Return a short value as it is written, and of a longer one only what it is."""
    if hasattr(value, "detach"):
        return f"{type(value).__name__} of the shape {tuple(value.shape)}"
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index, nx.Graph, np.random.Generator)):
        return type(value).__name__
    if len(brief(value)) > 40:
        return type(value).__name__
    return brief(value)


def _close(answer, right) -> bool:
    try:
        if not all(map(is_number, np.asarray(answer, object).ravel())):
            return False
        values = np.asarray(answer, float)
    except (TypeError, ValueError, OverflowError):
        return False
    return values.shape == np.shape(right) and np.allclose(values, right, 1e-9, 1e-9,
                                                           equal_nan=True)


def _same(before, after) -> bool:
    if isinstance(before, nx.Graph):
        return nx.utils.graphs_equal(before, after)
    if isinstance(before, np.random.Generator):  # drawing from it is what it is given for
        return True
    if hasattr(before, "detach"):
        return before.shape == after.shape and bool((before == after).all())
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(_same, before, after))
    if isinstance(before, (pd.DataFrame, pd.Series, pd.Index)):
        return before.equals(after)
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    if isinstance(before, dict):
        return list(before) == list(after) and all(_same(before[k], after[k]) for k in before)
    if hasattr(before, "__dict__") and not callable(before):  # Ratings, and a split of them
        return _same(vars(before), vars(after))
    return before is after or before == after  # NaN is only itself
