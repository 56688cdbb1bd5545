"""Long measurements: resumable seed by seed, and started anew when their code changes."""

from __future__ import annotations

import ast
import inspect

import pytest

import coldrec as cr
from coldrec import lesson
from tools import measure


@pytest.fixture
def calls(monkeypatch):
    seen = []

    def counted(seed):
        seen.append(seed)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return {"R x": seed / 10}

    monkeypatch.setitem(measure.MEASUREMENTS, "01", [counted])
    return seen


def test_a_stopped_measurement_goes_on_where_it_was(calls, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        measure.measure("01", range(4), tmp_path)
    assert measure.measure("01", range(4), tmp_path) == {"R x": [0.0, 0.1, 0.2, 0.3]}
    assert calls == [0, 1, 2, 2, 3]


def test_changed_code_is_measured_anew(calls, tmp_path, monkeypatch):
    measure.measure("01", range(2), tmp_path)
    monkeypatch.setitem(measure.MEASUREMENTS, "01", [lambda seed: {"R x": 1.0}])
    assert measure.measure("01", range(2), tmp_path) == {"R x": [1.0, 1.0]}


def test_an_unknown_lesson_is_named(capsys):
    assert measure.main(["77"]) == 1
    assert "nothing to measure for 77" in capsys.readouterr().out


def test_what_is_measured_is_recorded(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COLDREC_TIER", "cpu")
    monkeypatch.setattr(lesson, "results_folder", lambda: tmp_path / "results")
    monkeypatch.setattr(measure, "ROOT", tmp_path)
    monkeypatch.setattr(measure, "measure", lambda lesson: {"R x": [int(lesson), 3.0]})
    assert measure.main([]) == 0
    said = capsys.readouterr().out
    for name in measure.MEASUREMENTS:
        assert f"lesson {name}: recorded in results" in said
        assert cr.recorded(name).loc["R x", "value"] == (int(name) + 3) / 2


def called(tree):
    """The names that are written out from ``cr`` on, such as ``cr.models.EASE``."""
    for node in ast.walk(tree):
        names = []
        while isinstance(node, ast.Attribute):
            names.insert(0, node.attr)
            node = node.value
        if names and isinstance(node, ast.Name) and node.id == "cr":
            yield names


def test_measurements_keep_up_with_the_package():
    """They run for hours and seldom: all that they call is there."""
    found = list(called(ast.parse(inspect.getsource(measure))))
    assert ["models", "ArticleNetwork"] in found
    for names in found:
        thing = cr
        for name in names:
            thing = getattr(thing, name)  # AttributeError names what is missing
