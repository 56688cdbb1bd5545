"""Figures: what they say is what they were given, and they show and save nothing by themselves."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from coldrec import plots


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Fail on showing or saving; need no screen and leave no figure behind."""
    plt.switch_backend("Agg")

    def refuse(*args, **kwargs):
        raise AssertionError("a plot showed or saved itself")

    monkeypatch.setattr(plt, "show", refuse)
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", refuse)
    yield
    plt.close("all")


def tick_names(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


BARS = {"ours": 0.3, "theirs": 0.2, "random": 0.05}


def test_bars_say_what_they_were_given():
    ax = plots.bars(pd.Series(BARS), errors={"ours": 0.01, "theirs": 0.02, "random": 0.03},
                    label="Recall@20", colours={"ours": plots.RED})
    assert ax.get_xlabel() == "Recall@20"
    width = dict(zip(ax.get_yticks(), tick_names(ax.yaxis), strict=True))
    bars = {width[round(p.get_y() + p.get_height() / 2)]: p for p in ax.patches}
    assert {name: bar.get_width() for name, bar in bars.items()} == BARS
    # The first is on top.
    assert bars["ours"].get_y() > bars["theirs"].get_y() > bars["random"].get_y()
    assert to_hex(bars["ours"].get_facecolor()).upper() == plots.RED
    assert to_hex(bars["random"].get_facecolor()).upper() == plots.BLUE
    ends = [segment[:, 0] for segment in ax.collections[0].get_segments()]
    assert_allclose(ends, [[0.29, 0.31], [0.18, 0.22], [0.02, 0.08]])


def test_bars_draw_each_reference_with_its_name():
    references = {"oracle": 0.4, "random": 0.05, "popularity": 0.06, "another": 0.1}
    ax = plots.bars(BARS, reference=references)
    assert {line.get_label(): line.get_xdata()[0] for line in ax.lines} == references
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(references)
    assert plots.bars(BARS).get_legend() is None


def test_points_say_what_they_were_given():
    values = {"ours": 0.891, "theirs": 0.934, "never measured": np.nan}
    ax = plots.points(values, {"ours": 0.01, "theirs": 0.02, "never measured": np.nan},
                      label="RMSE", colours={"ours": plots.ORANGE})
    assert ax.get_xlabel() == "RMSE"
    assert tick_names(ax.yaxis) == list(values)
    points = [container.lines[0] for container in ax.containers]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in points] == [(0.891, 0),
                                                                             (0.934, -1)]
    assert [to_hex(line.get_color()).upper() for line in points] == [plots.ORANGE, plots.BLUE]
    assert [text.get_text() for text in ax.texts] == ["0.891", "0.934"]
    bar = ax.containers[1].lines[2][0].get_segments()[0]
    assert_allclose(bar[:, 0], [0.914, 0.954])


def test_lines_say_what_they_were_given():
    table = pd.DataFrame({"ours": [1.0, 2, 4], "theirs": [1.0, 1, 1]}, index=[0, 5, 10])
    errors = table * 0 + 0.5
    ax = plots.lines(table, errors, xlabel="ratings per item", ylabel="Recall@20")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("ratings per item", "Recall@20")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ours", "theirs"]
    for line, band, name in zip(ax.lines, ax.collections, table, strict=True):
        assert_allclose(line.get_xdata(), table.index)
        assert_allclose(line.get_ydata(), table[name])
        edge = band.get_paths()[0].vertices[:, 1]
        assert (edge.min(), edge.max()) == (table[name].min() - 0.5, table[name].max() + 0.5)


def test_lines_draws_every_column_and_no_two_alike():
    ax = plots.lines(pd.DataFrame(np.eye(9)))
    looks = {(line.get_color(), line.get_marker()) for line in ax.lines}
    assert len(ax.lines) == len(looks) == 9


@pytest.mark.parametrize("draw", [
    lambda ax: plots.bars(BARS, ax=ax),
    lambda ax: plots.points(BARS, ax=ax),
    lambda ax: plots.lines(pd.DataFrame({"a": [1, 2]}), ax=ax),
    lambda ax: plots.axes(ax),
])
def test_figures_draw_on_the_axes_given_or_on_new_ones(draw):
    _, mine = plt.subplots()
    assert draw(mine) is mine
    assert draw(None) is not mine
    assert len(plt.get_fignums()) == 2


def test_new_axes_have_the_size_asked_for():
    assert plots.axes(width=3, height=2).figure.get_size_inches().tolist() == [3, 2]


def test_show_displays_the_figure_once_with_its_caption(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *a, **k: shown.append((*a, k)))
    ax = plots.bars(BARS)
    assert plots.show(ax, "Ours is the longest bar.") is None
    (figure, options), (caption, _) = shown
    assert figure is ax.figure
    assert options["metadata"]["image/png"]["alt"] == "Ours is the longest bar."
    assert caption.data == "*Ours is the longest bar.*"
    assert not plt.fignum_exists(figure.number)
