"""Put questions to the reader's function, and find the mistake that explains its answers."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd

from coldrec.checks import CheckFailed, expect


def call(function, *given):
    """Return the function's answer; it has to give one, and to leave alone what it is given."""
    copies = copy.deepcopy(given)
    answer = function(*copies)
    name = function.__name__
    expect(answer is not None, f"{name} returns nothing. Does its last line say `return`?")
    for before, after in zip(given, copies, strict=True):
        expect(_same(before, after),
               f"{name} changes the {type(before).__name__} that it is given, and whoever calls it "
               "still needs that. Work on a copy, or with methods that return something new.")
    return answer


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
    asked = f"{function.__name__}({', '.join(map(brief, cases[first]))})"
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


def _close(answer, right) -> bool:
    try:
        numbers = np.asarray(answer, float)
    except (TypeError, ValueError):
        return False
    return numbers.shape == np.shape(right) and np.allclose(numbers, right, 1e-9, 1e-9,
                                                            equal_nan=True)


def _same(before, after) -> bool:
    if isinstance(before, (pd.DataFrame, pd.Series, pd.Index)):
        return before.equals(after)
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    if isinstance(before, dict):
        return list(before) == list(after) and all(_same(before[k], after[k]) for k in before)
    if hasattr(before, "__dict__") and not callable(before):  # Ratings, and a split of them
        return _same(vars(before), vars(after))
    return before == after
