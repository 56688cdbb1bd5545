"""Running lessons without a browser: what is written and printed, also when a cell fails."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import run_lessons

DRAW = """
import os
import matplotlib.pyplot as plt
figure, ax = plt.subplots(figsize=(1, 1))
print("tier", os.environ["COLDREC_TIER"])
"""
BOARD = {"header": {}, "01": {
    "R random": {"value": 0.058, "se": 0.001, "n": 5},
    "R text ridge": {"value": 0.299, "se": 0.01, "n": 5},
    "R oracle": {"value": 0.415, "se": None, "n": 1},
    "rmse bias": {"value": 1.06, "se": None, "n": 1}}}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("COLDREC_TIER", "smoke")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "results").mkdir()
    return tmp_path


def test_a_failing_lesson_is_written_as_far_as_it_came(project, capsys):
    old = [new_output("stream", text="from long ago")]
    cells = [new_code_cell(DRAW), new_code_cell("raise ValueError('k is 0;\\nset it to 20')"),
             new_code_cell("print('never')", outputs=old, execution_count=3)]
    nbformat.write(new_notebook(cells=cells), project / "notebooks/01_cold.ipynb")
    pictures = project / "build/01_cold_figures"
    pictures.mkdir(parents=True)
    (pictures / "07.png").touch()
    assert run_lessons.main(["01_cold"], project) == 1
    out, err = capsys.readouterr()
    assert "notebooks/01_cold.ipynb: cell 2 (`raise ValueError" in err
    assert err.count("ValueError: k is 0;\nset it to 20\n") == 1 and "Traceback" not in err
    assert "build/01_cold_figures/ (1)" in out and "No leaderboard at tier smoke" in out
    first, second, third = nbformat.read(project / "build/01_cold.ipynb", as_version=4).cells
    assert first.outputs[0].text == "tier smoke\n"
    assert second.outputs[0].ename == "ValueError"
    assert third.outputs == [] and third.execution_count is None
    assert [path.name for path in pictures.iterdir()] == ["01.png"]
    assert (pictures / "01.png").read_bytes().startswith(b"\x89PNG")
    assert "tier smoke" in (project / "build/01_cold.html").read_text(encoding="utf-8")


def test_a_lesson_without_notebook_is_made_from_its_source(project):
    front = "# ---\n# title: T\n# minutes: 1\n# able: Read.\n# ---\n"
    (project / "notebooks/00_x.py").write_text(front + "\n# %%\n1 + 1\n", encoding="utf-8")
    (project / "pyproject.toml").write_text('[tool.coldrec]\nrepository = "a/b"', encoding="utf-8")
    assert run_lessons.lesson(project, "00_x").cells[-1].source == "1 + 1"


def test_leaderboard_shows_recall_of_the_lessons_run_and_of_lesson_01_best_first(project):
    results = {"02": {"R graph": {"value": 0.327, "se": 0.01, "n": 5}}, **BOARD, "03": BOARD["01"]}
    (project / "results/cpu.json").write_text(json.dumps(results), encoding="utf-8")
    board = run_lessons.leaderboard(project, ["00_start", "02_graph"], "cpu").splitlines()
    assert [line.split() for line in board if not line.startswith("Lesson")] == [
        ["graph", "0.327", "±", "0.010", "5"], ["oracle", "0.415", "1"],
        ["text", "ridge", "0.299", "±", "0.010", "5"], ["random", "0.058", "±", "0.001", "5"],
        ["(from", "results/cpu.json)"]]
    assert [line[:9] for line in board if line.startswith("Lesson")] == ["Lesson 02", "Lesson 01"]


@pytest.mark.parametrize("error", ["out of time", "killed"])
def test_a_lesson_that_stops_without_an_error_gets_advice(error):
    assert error in run_lessons.error_in(new_notebook(cells=[new_code_cell("x")]))
