"""The rules that arguments must keep, shared by the rooms above."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
import pandas as pd
import scipy.sparse as sp


class UnknownId(KeyError, ValueError):
    """An id that its table doesn't have."""

    __str__ = ValueError.__str__  # KeyError would show the message as a quoted literal


def find_rows(index: pd.Index, ids, kind: str) -> np.ndarray:
    """Return the positions of ids, of a ``kind`` (``item`` or ``user``), in its table's index."""
    if pd.api.types.is_scalar(ids):
        raise TypeError(f"{kind}s is {ids!r}, a {type(ids).__name__}; it must be a list of {kind} "
                        f"ids, such as [{ids!r}].")
    rows = index.get_indexer(pd.Index(ids))
    if (rows < 0).any():
        unknown = list(pd.Index(ids)[rows < 0][:3])
        raise UnknownId(f"unknown {kind} {unknown}: the {kind} ids are such as {list(index[:3])}. "
                        f"Give ids of the table .{kind}s, not positions.")
    return rows


def check_is_ratings(value, who: str) -> None:
    """Refuse what isn't ``Ratings`` (known by what it has: that class stands above this room)."""
    if hasattr(value, "ratings") and hasattr(value, "matrix"):
        return
    hint = ("Use split.train." if hasattr(value, "train")
            else "Use split.train, or make Ratings of your frames with cr.Ratings.from_frames.")
    raise TypeError(f"{who} needs Ratings, not {type(value).__name__}. {hint}")


def check_whole(value, name: str, least: int | None = 1, example: int = 20) -> None:
    """Refuse what isn't a whole number, or is below ``least``."""
    allowed = "a whole number" if least is None else f"a whole number from {least} on"
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; it must be {allowed}, "
                        f"such as {example}.")
    if least is not None and value < least:
        raise ValueError(f"{name} is {value}; it must be {allowed}, such as {example}.")


def check_fraction(value, name: str = "a fraction", example: str = "0.2 for a fifth") -> None:
    """Refuse what isn't a number between 0 and 1."""
    if not isinstance(value, Real):
        raise TypeError(f"{name} is {value!r}, a {type(value).__name__}; it must be a number above "
                        f"0 and below 1, such as {example}.")
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value!r}; it must be above 0 and below 1, such as {example}.")


def check_like(like) -> None:
    """Refuse a like threshold that isn't a number of stars."""
    if isinstance(like, bool) or not isinstance(like, Real):
        raise TypeError(f"like is {like!r}, a {type(like).__name__}; it must be a number of stars, "
                        "such as 4; ratings from there on are likes.")
    if not np.isfinite(like):
        raise ValueError(f"like is {like}; it must be a finite number of stars, such as 4.")


def check_column(ml, column: str, who: str) -> None:
    """Refuse ratings whose table of items lacks a column that a view is made from."""
    check_is_ratings(ml, who)
    if column not in ml.items:
        raise ValueError(f"{who} needs a column {column!r} in the table of items, which has "
                         f"{list(ml.items)}. Give Ratings.from_frames a table of items with one, "
                         "or leave this view out.")


def check_views(views, who: str) -> None:
    """Refuse what isn't a dict of views."""
    if not isinstance(views, Mapping):
        what = repr(views) if isinstance(views, str) else type(views).__name__
        raise TypeError(f"{who} got {what} as views; it takes a dict, name to matrix, such as "
                        "{'text': cr.views.text(ml)}.")


def check_view(name: str, view, rows: int, side: str = "item"):
    """Return a view as an array of floats, or as a CSR matrix if it is sparse."""
    try:
        view = sp.csr_matrix(view) if sp.issparse(view) else np.asarray(view, float)
    except (TypeError, ValueError):
        raise TypeError(f"view {name!r}, a {type(view).__name__}, isn't a matrix of numbers. Give "
                        f"one row of numbers per {side}, as cr.views.genres(ml) does.") from None
    if view.ndim != 2:
        hint = " For one number each, give view[:, None]." if view.ndim == 1 else ""
        raise ValueError(f"view {name!r} has shape {view.shape}; it must have two dimensions, one "
                         f"row per {side}: ({rows}, d).{hint}")
    if view.shape[0] != rows:
        raise ValueError(f"view {name!r} has {view.shape[0]} rows; the data have {rows} {side}s. "
                         f"A view has one row for each, in the order of Ratings.{side}s.")
    if not np.isfinite(view.data if sp.issparse(view) else view).all():
        known = sp.coo_matrix(view)
        first = known.row[~np.isfinite(known.data)].min()
        raise ValueError(f"view {name!r} holds NaN or infinite values, first in row {first}. "
                         "Use 0 for unknown.")
    return view
