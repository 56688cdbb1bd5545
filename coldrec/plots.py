"""Figures: each takes ``ax``, labels its axes, and returns the axes it drew on."""

from __future__ import annotations

from itertools import cycle

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
         colours=None):
    """Draw one horizontal bar per name, the first on top, with error bars.

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
    ax.set_yticks(place, names)
    styles = cycle(("--", ":", "-."))
    for (name, value), style in zip((reference or {}).items(), styles, strict=False):
        ax.axvline(value, color="black", linestyle=style, linewidth=1, label=name)
    if reference:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(reference),
                  frameon=False)  # above, where no bar or line runs through it
    ax.set_xlabel(label)
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
