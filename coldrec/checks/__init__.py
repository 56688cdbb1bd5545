"""Feedback for the exercises: one module a lesson, one function an exercise.

A check calls the reader's function on cases whose answers are known and says what is likely wrong,
not only that something is.
"""

from __future__ import annotations

import functools
import importlib

from coldrec.checks.errors import borrowed, explain, frame_of, is_stub, name_of


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
    def wrapper(answer):
        name = name_of(answer)
        expect(not isinstance(answer, type), f"{name} is a class. Wanted is a function.")
        expect(callable(answer), f"You give the check a {type(answer).__name__}. Give it the "
               "function itself: its name, without parentheses behind it.")
        _run(function, answer)

    return wrapper


def check_class(function):
    """Do the same as ``check`` for an exercise whose answer is a class."""

    @functools.wraps(function)
    def wrapper(answer):
        kind = type(answer).__name__
        expect(isinstance(answer, type) or callable(answer),
               f"You give the check a {kind} object. Give it the class itself: {kind}, without "
               "parentheses behind it.")
        expect(isinstance(answer, type), f"{name_of(answer)} is a function. Wanted is a class.")
        _run(function, answer)

    return wrapper


def _run(function, answer) -> None:
    name = name_of(answer)
    try:
        function(answer)
    except CheckFailed as failed:
        raise type(failed)(borrowed(answer) + str(failed)) from None
    except Exception as error:
        if is_stub(error, answer):
            place = frame_of(error, answer)
            what = f"{name}.{place[0]}" if isinstance(answer, type) and place else name
            raise NotWritten(f"{what} isn't written yet: replace the line "
                             "`raise NotImplementedError(...)` in the cell above.") from None
        raise CheckFailed(borrowed(answer) + explain(error, answer)) from error
    print(f"✓ {name} does what it should.")


def expect(condition, hint: str) -> None:
    """Raise ``CheckFailed`` with the hint unless the condition holds."""
    if not condition:
        raise CheckFailed(hint)


def __getattr__(name):
    if name.startswith("lesson"):
        return importlib.import_module(f"coldrec.checks.{name}")
    raise AttributeError(f"coldrec.checks has no {name!r}; there is one module a lesson, "
                         "such as lesson00.")
