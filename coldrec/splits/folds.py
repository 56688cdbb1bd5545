"""Cut the items, the users or the ratings into parts, each held out once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coldrec.data import Ratings
from coldrec.splits.split import Split, item_split, make_split, rated_groups, user_split
from coldrec.validation import check_is_ratings, check_whole


def item_folds(ml: Ratings, k: int = 5, seed: int = 0) -> list[Split]:
    """Cut the rated items into ``k`` parts, each cold once; twins stay together."""
    check_is_ratings(ml, "item_folds")
    groups, of_item = rated_groups(ml)
    parts = _parts(groups, k, seed, "items")
    return [item_split(f"item_fold {n}", ml, ml.item_ids[np.isin(of_item, part)])
            for n, part in enumerate(parts)]


def user_folds(ml: Ratings, k: int = 5, seed: int = 0) -> list[Split]:
    """Cut the users into ``k`` parts, each cold once."""
    check_is_ratings(ml, "user_folds")
    parts = _parts(ml.ratings["user"].unique(), k, seed, "users")
    return [user_split(f"user_fold {n}", ml, pd.Index(part)) for n, part in enumerate(parts)]


def random_folds(ml: Ratings, k: int = 5, seed: int = 0) -> list[Split]:
    """Cut the ratings into ``k`` parts at random: the folds of most published RMSE figures."""
    check_is_ratings(ml, "random_folds")
    parts = _parts(np.arange(len(ml)), k, seed, "ratings")
    tests = [np.isin(np.arange(len(ml)), part) for part in parts]
    return [make_split(f"random_fold {n}", ml, ~test, test) for n, test in enumerate(tests)]


def _parts(things, k, seed, what) -> list[np.ndarray]:
    check_whole(k, "k", least=None)
    if not 2 <= k <= len(things):
        raise ValueError(f"k is {k}; for {len(things)} {what} it must be from 2 to {len(things)}.")
    return np.array_split(np.random.default_rng(seed).permutation(things), k)
