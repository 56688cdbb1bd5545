"""Figures: each takes ``ax``, labels its axes, and returns the axes it drew on."""

from __future__ import annotations

from itertools import cycle
from textwrap import fill

import numpy as np

# Okabe & Ito's colours: told apart with any kind of colour vision.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#7F7F7F"


def axes(ax=None, width: float = 7.0, height: float = 4.0):
    """Return ``ax``, or new axes of that size in inches, without the frame's top and right."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def show(ax, caption: str) -> None:
    """Display the figure that ``ax`` is on with a caption, which is its alt text too."""
    import matplotlib.pyplot as plt
    from IPython.display import Markdown, display

    figure = ax.figure
    display(figure, metadata={"image/png": {"alt": caption}})
    display(Markdown(f"*{caption}*"))
    plt.close(figure)  # or the inline backend would draw it a second time


def bars(values, errors=None, ax=None, label: str = "", reference: dict | None = None,
         colours=None, digits: int = 2):
    """Draw one horizontal bar per name, the first on top, with error bars and the values.

    ``values`` and ``errors`` are Series or dicts by name; ``reference`` maps the name of a
    vertical line to its value; ``colours`` maps names to colours.
    """
    names = list(values.keys())
    ax = axes(ax, height=0.9 + 0.32 * len(names))
    place = np.arange(len(names))[::-1]
    width = [values[n] for n in names]
    error = None if errors is None else [errors[n] for n in names]
    ax.barh(place, width, xerr=error, height=0.7, ecolor="black", capsize=2,
            color=[(colours or {}).get(n, BLUE) for n in names])
    for where, value, half in zip(place, width, error or [0] * len(names), strict=True):
        if np.isfinite(value):
            end = value + (half if np.isfinite(half) else 0)
            ax.annotate(f"{value:.{digits}f}", (end, where), xytext=(4, 0), va="center",
                        textcoords="offset points", bbox={"facecolor": "white", "alpha": 0.9,
                                                          "edgecolor": "none", "pad": 0.5})
    ax.margins(x=0.12)
    ax.set_yticks(place, names)
    styles = cycle(("--", ":", "-."))
    for (name, value), style in zip((reference or {}).items(), styles, strict=False):
        ax.axvline(value, color="black", linestyle=style, linewidth=1, label=name)
    if reference:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(reference),
                  frameon=False)  # above, where no bar or line runs through it
    ax.set_xlabel(label)
    return ax


def points(values, errors=None, ax=None, label: str = "", colours=None, digits: int = 3):
    """Draw one point per name, the first on top, with error bars and the values.

    For figures that are far from zero, such as an RMSE, where bars would have to be cut.
    ``values``, ``errors`` and ``colours`` are as for :func:`bars`; a name with NaN has no point.
    """
    names = list(values.keys())
    ax = axes(ax, height=0.9 + 0.36 * len(names))
    for place, name in enumerate(names):
        if np.isfinite(values[name]):
            ax.errorbar(values[name], -place, xerr=None if errors is None else errors[name],
                        fmt="o", capsize=3, color=(colours or {}).get(name, BLUE))
            ax.annotate(f"{values[name]:.{digits}f}", (values[name], -place), xytext=(0, 6),
                        textcoords="offset points", ha="center", fontsize=9)
    ax.margins(x=0.12)
    ax.set(xlabel=label, ylim=(0.6 - len(names), 0.8))
    ax.set_yticks(-np.arange(len(names)), names)
    return ax


def lines(table, errors=None, ax=None, xlabel: str = "", ylabel: str = ""):
    """Draw one line per column of a frame over its index, with bands of one standard error."""
    ax = axes(ax)
    colours = cycle((BLUE, ORANGE, GREEN, RED, GREY, "black"))
    styles = zip(table.columns, colours, cycle("os^Dv"), strict=False)  # 30 that differ
    for name, colour, marker in styles:
        ax.plot(table.index, table[name], color=colour, marker=marker, label=name)
        if errors is not None:
            ax.fill_between(table.index, table[name] - errors[name], table[name] + errors[name],
                            color=colour, alpha=0.2, linewidth=0)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.legend(frameon=False)
    return ax


def neighbourhood(graph, node: str, relations=None, most: int = 3, name=None, ax=None):
    """Draw what one node of a knowledge graph is joined to, by relation, on a circle around it.

    ``relations`` limits and orders them, and fixes their colours; of each, up to ``most`` entities
    are drawn, those first that are joined to most others. They are called ``name(entity,
    relation)``, or by their labels.
    """
    ends = {}
    for _, other, relation in graph.out_edges(node, keys=True):
        ends.setdefault(relation, []).append(other)
    for other, _, relation in graph.in_edges(node, keys=True):
        ends.setdefault(f"{relation}, from", []).append(other)
    ends = {relation: sorted(ends[relation], key=lambda other: (-graph.degree(other), other))[:most]
            for relation in (relations or ends) if relation in ends}
    colours = dict(zip(relations or ends, cycle((BLUE, ORANGE, GREEN, RED, GREY, "black")),
                       strict=False))
    ax = axes(ax, height=6.0)
    ax.axis("off")
    ax.set(xlim=(-2.2, 2.2), ylim=(-1.35, 1.35))
    spokes = [(relation, other) for relation, others in ends.items() for other in others]
    for number, (relation, other) in enumerate(spokes):
        angle = np.pi / 2 - 2 * np.pi * number / len(spokes)
        x, y = 1.55 * np.cos(angle), 1.1 * np.sin(angle)
        ax.plot([0, x], [0, y], color=colours[relation], linewidth=1.5, zorder=0)
        ax.text(0.6 * x, 0.6 * y, relation.replace("_", " "), color=colours[relation], fontsize=8,
                ha="center", va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
        text = name(other, relation) if name else graph.nodes[other].get("label") or other
        ax.text(x, y, _boxed(text), ha="center", va="center", fontsize=8,
                bbox={"boxstyle": "round", "facecolor": "#E6F0F7", "edgecolor": colours[relation]})
    ax.text(0, 0, _boxed(graph.nodes[node].get("label") or node), ha="center", va="center",
            weight="bold", bbox={"boxstyle": "round", "facecolor": "#FBE3D6"})
    return ax


def _boxed(text: str) -> str:
    return fill(text.replace("*", "").replace("$", r"\$"), 22)
