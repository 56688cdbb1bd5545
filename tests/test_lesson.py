"""Lessons: what is shown is the real source, what is claimed can fail, what is kept stays."""

import hashlib
import json
import math
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import coldrec as cr
from coldrec import lesson

ROOT = Path(__file__).parents[1]
RESULTS_FOLDER = lesson.results_folder


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """A run at tier cpu that keeps its figures in a folder of its own."""
    monkeypatch.setenv("COLDREC_TIER", "cpu")
    monkeypatch.setattr(lesson, "results_folder", lambda: tmp_path / "results")
    monkeypatch.setattr(lesson.runtime, "device", lambda: "cpu")  # needn't load torch
    return tmp_path / "results"


def kept(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("tier", ["cpu", "gpu"])
def test_a_true_claim_is_printed_and_a_false_one_fails(monkeypatch, capsys, tier):
    monkeypatch.setenv("COLDREC_TIER", tier)
    cr.claim("two is more than one", np.float64(2) > 1)
    assert capsys.readouterr().out == "✓ two is more than one\n"
    with pytest.raises(lesson.ClaimFailed, match="not true in this run: one is more than two"):
        cr.claim("one is more than two", np.float64(1) > 2)
    assert capsys.readouterr().out == ""
    assert issubclass(lesson.ClaimFailed, AssertionError)


@pytest.mark.parametrize("condition", [True, False])
def test_at_tier_smoke_a_claim_is_only_printed(monkeypatch, capsys, condition):
    monkeypatch.setenv("COLDREC_TIER", "smoke")
    cr.claim("pigs fly", condition)
    assert capsys.readouterr().out == "(not checked at tier smoke) pigs fly\n"


def test_show_prints_the_real_source_and_where_it_is(capsys):
    cr.show(cr.metrics.ndcg)
    said = capsys.readouterr().out
    assert said.startswith("# coldrec/metrics.py\ndef ndcg(hits, n_relevant)")
    text = (Path(cr.metrics.__file__)).read_text(encoding="utf-8")
    assert said.split("\n", 1)[1].strip() in text
    cr.show(cr.Ratings)
    assert "class Ratings:" in capsys.readouterr().out


def test_show_displays_code_in_a_notebook(monkeypatch, capsys):
    display = pytest.importorskip("IPython.display")
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    shown = []
    monkeypatch.setattr(display, "display", shown.append)
    cr.show(cr.metrics.mrr)
    assert capsys.readouterr().out == ""
    assert shown[0].data.startswith("# coldrec/metrics.py\ndef mrr(")
    assert shown[0].language == "python"


@pytest.mark.parametrize("figure, value, se, n", [
    (0.25, 0.25, None, 1), (3, 3, None, 1), (np.float32(0.5), 0.5, None, 1),
    (np.float64(0.1234567), 0.123457, None, 1), (np.int64(7), 7, None, 1),
    ((0.3, 0.01, 5), 0.3, 0.01, 5), ((0.3, None, 1), 0.3, None, 1),
    ((np.float64(0.3), math.nan, np.int64(1)), 0.3, None, 1),
    ([1, 2, 3, 4], 2.5, 0.645497, 4),  # a deviation of 1.290994 over root 4
    (np.array([1.0, 3.0]), 2, 1, 2), (pd.Series([1.0, 3.0], index=[5, 6]), 2, 1, 2),
    ([0.5], 0.5, None, 1)])
def test_a_figure_becomes_value_se_and_n(figure, value, se, n):
    path = cr.record("01", {"R": figure})
    assert kept(path)["01"]["R"] == {"value": value, "se": se, "n": n}


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf, np.float32("nan"),
                                    (math.nan, 0.1, 3), [0.1, math.nan], []])
def test_a_figure_that_is_not_finite_is_refused_and_nothing_is_written(folder, figure):
    with pytest.raises(ValueError, match="'R bad' is .*; only finite figures are kept"):
        cr.record("01", {"R fine": 1.0, "R bad": figure})
    assert not folder.exists()


def test_record_merges_lessons_and_keys(folder):
    cr.record("01", {"R random": 0.1, "R genres": 0.2})
    cr.record("02", {"R graph": 0.4})
    path = cr.record("01", {"R genres": 0.3, "R text": 0.5})
    assert path == folder / "cpu.json"
    content = kept(path)
    assert {key: figure["value"] for key, figure in content["01"].items()} == {
        "R random": 0.1, "R genres": 0.3, "R text": 0.5}
    assert content["02"]["R graph"]["value"] == 0.4
    assert set(content) == {"header", "01", "02"}


def test_each_tier_has_its_file(monkeypatch, folder):
    cr.record("01", {"R": 0.1})
    monkeypatch.setenv("COLDREC_TIER", "smoke")
    cr.record("01", {"R": 0.9})
    assert kept(folder / "cpu.json")["01"]["R"]["value"] == 0.1
    assert kept(folder / "smoke.json")["01"]["R"]["value"] == 0.9


def test_the_header_says_on_what_and_from_what(monkeypatch, tmp_path):
    source = tmp_path / "notebooks" / "01_cold.py"
    source.parent.mkdir()
    source.write_text("# %%\nprint('é')\n", encoding="utf-8")
    monkeypatch.setattr(lesson, "_checkout", lambda: tmp_path)
    header = kept(cr.record("01", {"R": 0.1}))["header"]
    assert set(header) == {"date", "machine", "versions", "sources"}
    assert header["sources"] == {"01": hashlib.sha256(source.read_bytes()).hexdigest()}
    assert header["versions"]["numpy"] == np.__version__ and "python" in header["versions"]
    assert header["machine"] == f"{os.cpu_count()} cores, {platform.machine()}, cpu"
    assert header["date"] == date.today().isoformat()
    header = kept(cr.record("02", {"R": 0.1}))["header"]
    assert header["sources"]["02"] is None, "a lesson without a source is still recorded"
    assert header["sources"]["01"], "and the others' sources are kept"


def test_the_file_is_readable_sorted_text(folder):
    raw = cr.record("01", {"R θ": 0.1, "R a": 0.2}).read_bytes()
    assert "θ".encode() in raw and raw.endswith(b"}\n") and b"\r" not in raw
    text = raw.decode("utf-8")
    assert text.index('"01"') < text.index('"header"') and text.index("R a") < text.index("R θ")


def test_recorded_reads_what_record_wrote(folder):
    cr.record("01", {"R b": [1, 2, 3, 4], "R a": 0.25})
    cr.record("02", {"R c": 0.5})
    frame = cr.recorded("01")
    assert list(frame) == ["value", "se", "n"]
    assert frame.dtypes.tolist() == [float, float, int]
    assert set(frame.index) == {"R a", "R b"}
    assert frame.loc["R b"].tolist() == [2.5, 0.645497, 4]
    assert frame.loc["R a", ["value", "n"]].tolist() == [0.25, 1]
    assert math.isnan(frame.loc["R a", "se"])


def test_recorded_prefers_this_tiers_figures_where_there_are_any(monkeypatch):
    for tier, figures in {"cpu": {"R both": 0.1, "R cpu": 0.2},
                          "gpu": {"R both": 0.3, "R gpu": 0.4},
                          "smoke": {"R both": 0.5, "R smoke": 0.6}}.items():
        monkeypatch.setenv("COLDREC_TIER", tier)
        cr.record("01", figures)
    at_cpu = {"R both": 0.1, "R cpu": 0.2}
    for tier, expected in {"cpu": at_cpu, "smoke": at_cpu,
                           "gpu": {"R both": 0.3, "R cpu": 0.2, "R gpu": 0.4}}.items():
        monkeypatch.setenv("COLDREC_TIER", tier)
        assert cr.recorded("01")["value"].to_dict() == expected


@pytest.mark.parametrize("tier", ["cpu", "gpu", "smoke"])
def test_what_is_not_recorded_says_how_to_get_it(monkeypatch, tier):
    message = "nothing is recorded of lesson 01. Run its notebook, or python course.py measure 01"
    with pytest.raises(LookupError, match=message):
        cr.recorded("01")
    cr.record("02", {"R": 0.1})
    monkeypatch.setenv("COLDREC_TIER", tier)
    with pytest.raises(LookupError, match=message):
        cr.recorded("01")
    assert len(cr.recorded("02")) == 1


def test_without_a_checkout_recorded_reads_what_came_with_the_package(monkeypatch, tmp_path):
    """And what is measured here, in the folder one works in, goes first."""
    package = tmp_path / "site-packages" / "coldrec"
    (package / "shipped").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    monkeypatch.setattr(lesson, "__file__", str(package / "lesson.py"))
    monkeypatch.setattr(lesson, "results_folder", RESULTS_FOLDER)
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(LookupError, match="nothing is recorded of lesson 01"):
        cr.recorded("01")
    figure = {"se": None, "n": 1}
    (package / "shipped" / "cpu.json").write_text(json.dumps(
        {"01": {"R old": {"value": 0.1, **figure}, "R new": {"value": 0.2, **figure}}}), "utf-8")
    assert cr.recorded("01")["value"].to_dict() == {"R old": 0.1, "R new": 0.2}
    assert cr.record("01", {"R new": 0.9}) == tmp_path / "work" / "results" / "cpu.json"
    assert cr.recorded("01")["value"].to_dict() == {"R old": 0.1, "R new": 0.9}


def test_this_checkouts_figures_can_be_read(monkeypatch):
    monkeypatch.setattr(lesson, "results_folder", RESULTS_FOLDER)
    frame = cr.recorded("01")
    assert np.isfinite(frame["value"]).all() and (frame["n"] >= 1).all() and len(frame) > 5


def test_an_interrupted_record_leaves_the_old_figures(monkeypatch, folder):
    path = cr.record("01", {"R": 0.1})
    before = path.read_bytes()

    def killed(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            cr.record("01", {"R": 0.9})
    assert path.read_bytes() == before
    cr.record("01", {"R": 0.9})
    assert kept(path)["01"]["R"]["value"] == 0.9
    assert {p.name for p in folder.iterdir()} <= {"cpu.json", "cpu.lock"}


def test_processes_that_record_at_once_lose_nothing(folder):
    script = ("import sys; from pathlib import Path; from coldrec import lesson\n"
              "lesson.results_folder = lambda: Path(sys.argv[1])\n"
              "lesson.runtime.device = lambda: 'cpu'\n"
              "print('ready', flush=True); input()\n"
              "for n in range(25): lesson.record(sys.argv[2], {f'R {n}': n})")
    writers = [subprocess.Popen([sys.executable, "-c", script, str(folder), name], cwd=ROOT,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for name in ("01", "02")]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 2
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0]
    content = kept(folder / "cpu.json")
    for name in ("01", "02"):
        assert [content[name][f"R {n}"]["value"] for n in range(25)] == list(range(25))
        assert name in content["header"]["sources"]
