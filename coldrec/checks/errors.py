"""Say in a sentence what went wrong with the reader's function, and in which of its lines."""

from __future__ import annotations

import dis
import inspect
import linecache
import traceback
from types import CodeType


def name_of(answer) -> str:
    """Return what the reader calls their function or class."""
    return getattr(answer, "__name__", "your answer")


def frame_of(error, answer):
    """Return (function, file, line) where the reader's cell was last at work, or None.

    None means that the error came from elsewhere: from the check, which got something odd.
    """
    files = {code.co_filename for code in _codes(answer)}
    places = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)
              if frame.f_code.co_filename in files]
    if not places:
        return None
    code, line = places[-1]
    return code.co_name, code.co_filename, line


def is_stub(error, answer) -> bool:
    """Say whether the error is the line ``raise NotImplementedError`` of the sheet."""
    if not isinstance(error, NotImplementedError):
        return False
    *_, (raised_in, _) = traceback.walk_tb(error.__traceback__)
    files = {code.co_filename for code in _codes(answer)}
    return not files or raised_in.f_code.co_filename in files


def explain(error, answer) -> str:
    """Return the sentence about an error that came up while the check was at work."""
    name = name_of(answer)
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    place = frame_of(error, answer)
    if place is None:
        return (f"The check can't work with what {name} returns ({said}). Does it return what the "
                "text under its `def` line, or its `class` line, asks for?")
    _, file, line = place
    text = linecache.getline(file, line).strip()
    where = f"line {line} of its cell" + (f", `{text}`" if text else "")
    notes = getattr(error, "__notes__", [])  # ``answers.call`` leaves one
    asked = f" The check had called {notes[0]}." if notes else ""
    return f"{name} stopped with {said}. That was in {where}.{asked}"


def borrowed(answer) -> str:
    """Return a sentence on data that the answer uses from outside, or nothing.

    The check brings data of its own, so an answer that reads ``ml`` works in the notebook only.
    """
    import pandas as pd

    from coldrec.data import Ratings
    from coldrec.splits import Split

    data = (Ratings, Split, pd.DataFrame, pd.Series)
    names = sorted({name for function in _functions(answer) for name in _globals(function.__code__)
                    if isinstance(function.__globals__.get(name), data)})
    if not names:
        return ""
    return (f"{name_of(answer)} uses {' and '.join(f'`{name}`' for name in names)} from outside, "
            "and the check gives it other data: work with the arguments only. What it met: ")


def _functions(answer) -> list:
    """Return the function itself, or the methods of a class; none where Python can't tell."""
    parts = vars(answer).values() if isinstance(answer, type) else [answer]
    return [function for function in map(inspect.unwrap, filter(callable, parts))
            if inspect.isfunction(function)]


def _codes(answer) -> list[CodeType]:
    return [function.__code__ for function in _functions(answer)]


def _globals(code):
    """Yield the global names that code reads, also in functions inside it."""
    for step in dis.get_instructions(code):
        if step.opname == "LOAD_GLOBAL":
            yield step.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _globals(inner)
