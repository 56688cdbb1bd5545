"""The leak control: the same model, with the cold items' side information mixed up."""

from __future__ import annotations

import copy

import numpy as np
import scipy.sparse as sp


def check_control(model, split, control) -> None:
    """Refuse a control that can't be made."""
    if control not in (None, "shuffled"):
        raise ValueError(f"control is {control!r}; it may be None or 'shuffled'.")
    if control and not len(split.cold_items):
        raise ValueError(f"control='shuffled' permutes the cold items' side information, and "
                         f"{split.name} has no cold items. Leave it out there.")
    if control and not hasattr(model, "fit"):
        raise TypeError(f"control='shuffled' fits the model once more, and this "
                        f"{type(model).__name__} has no fit(train). Write one that returns self.")


def refit_shuffled(model, split, seed: int):
    """Fit a copy that finds, in each cold item's place, another cold item's side information."""
    if not getattr(model, "scores_cold_items", True) or not getattr(model, "reads_items", True):
        return model  # it knows no side information, so there is nothing to permute
    rng = np.random.default_rng(seed)
    rows = split.train.item_rows(split.cold_items)
    order = np.arange(len(split.train.item_ids))
    order[rows] = rng.permutation(rows)
    items = split.train.items.iloc[order].reset_index(drop=True)
    items["item"] = split.train.items["item"].to_numpy()
    twin = copy.deepcopy(model)
    _reorder_views(twin, order)
    return twin.fit(split.train.with_items(items))


def _reorder_views(model, order) -> None:
    """Reorder the rows of a model's views of the items, and of those of a hybrid's parts."""
    if getattr(model, "views", None) and getattr(model, "side", "item") == "item":
        model.views = {name: _reordered(view, order) for name, view in model.views.items()}
    for part, _ in getattr(model, "parts", ()):
        _reorder_views(part, order)


def _reordered(view, order):
    if hasattr(view, "iloc"):
        return view.iloc[order]
    return (view.tocsr() if sp.issparse(view) else np.asarray(view))[order]
