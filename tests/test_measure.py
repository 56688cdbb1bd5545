"""Long measurements: resumable seed by seed, and started anew when their code changes."""

from __future__ import annotations

import pytest

from tools import measure


@pytest.fixture
def calls(monkeypatch):
    seen = []

    def counted(seed):
        seen.append(seed)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return {"R x": seed / 10}

    monkeypatch.setitem(measure.MEASUREMENTS, "01", counted)
    return seen


def test_a_stopped_measurement_goes_on_where_it_was(calls, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        measure.measure("01", range(4), tmp_path)
    assert measure.measure("01", range(4), tmp_path) == {"R x": [0.0, 0.1, 0.2, 0.3]}
    assert calls == [0, 1, 2, 2, 3]


def test_changed_code_is_measured_anew(calls, tmp_path, monkeypatch):
    measure.measure("01", range(2), tmp_path)
    monkeypatch.setitem(measure.MEASUREMENTS, "01", lambda seed: {"R x": 1.0})
    assert measure.measure("01", range(2), tmp_path) == {"R x": [1.0, 1.0]}


def test_an_unknown_lesson_is_named(capsys):
    assert measure.main(["77"]) == 1
    assert "nothing to measure for 77" in capsys.readouterr().out
