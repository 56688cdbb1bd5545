"""Feedback for the exercises: one module a lesson, one function an exercise.

A check calls the reader's function on cases whose answers are known and says what is likely wrong,
not only that something is.
"""

from __future__ import annotations

import functools
import importlib


class CheckFailed(AssertionError):
    """What a check has to say; a notebook shows the sentence without a traceback."""

    def _render_traceback_(self):
        return [f"✗ {self}"]


class NotWritten(CheckFailed, NotImplementedError):
    """The exercise's stub is still as it was."""


def check(function):
    """Turn a function that raises ``CheckFailed`` into a check: say ✓, or what to mend.

    Whatever the reader's code raises becomes a sentence as well; the untouched stub is told apart.
    """

    @functools.wraps(function)
    def wrapper(answer, *args, **kwargs):
        name = getattr(answer, "__name__", "your answer")
        try:
            function(answer, *args, **kwargs)
        except CheckFailed:
            raise
        except NotImplementedError:
            raise NotWritten(f"{name} isn't written yet: replace the line "
                             "`raise NotImplementedError(...)` in the cell above.") from None
        except Exception as error:
            raise CheckFailed(f"{name} stopped with {type(error).__name__}: {error}") from error
        print(f"✓ {name} does what it should.")

    return wrapper


def expect(condition, hint: str) -> None:
    """Raise ``CheckFailed`` with the hint unless the condition holds."""
    if not condition:
        raise CheckFailed(hint)


def __getattr__(name):
    if name.startswith("lesson"):
        return importlib.import_module(f"coldrec.checks.{name}")
    raise AttributeError(f"coldrec.checks has no {name!r}; there is one module a lesson, "
                         "such as lesson00.")
