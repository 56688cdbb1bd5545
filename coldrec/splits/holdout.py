"""Hold ratings out once: at random, by item, by user, by time, or all but a few."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coldrec.data import Ratings
from coldrec.splits.split import Split, item_split, make_split, rated_groups, user_split
from coldrec.validation import check_fraction, check_is_ratings, check_whole


def warm(ml: Ratings, fraction: float = 0.1, seed: int = 0) -> Split:
    """Hold out ratings at random: nearly every user and item stays known (the easy setting)."""
    check_is_ratings(ml, "warm")
    check_fraction(fraction)
    test = np.random.default_rng(seed).random(len(ml)) < fraction
    return make_split("warm", ml, ~test, test)


def item_cold(ml: Ratings, fraction: float = 0.2, seed: int = 0) -> Split:
    """Hold out every rating of a random fraction of the rated items.

    Items that are the same film under two ids stay on one side.
    """
    check_is_ratings(ml, "item_cold")
    check_fraction(fraction)
    cold = _draw_items(ml, fraction, np.random.default_rng(seed))
    return item_split("item_cold", ml, cold)


def user_cold(ml: Ratings, fraction: float = 0.2, seed: int = 0) -> Split:
    """Hold out every rating of a random fraction of the users."""
    check_is_ratings(ml, "user_cold")
    check_fraction(fraction)
    return user_split("user_cold", ml, _draw_users(ml, fraction, np.random.default_rng(seed)))


def both_cold(ml: Ratings, fraction: float = 0.2, seed: int = 0) -> Split:
    """Test new users on new items; ratings with just one of the two new are in neither set."""
    check_is_ratings(ml, "both_cold")
    check_fraction(fraction)
    rng = np.random.default_rng(seed)
    items, users = _draw_items(ml, fraction, rng), _draw_users(ml, fraction, rng)
    new_item = ml.ratings["item"].isin(items).to_numpy()
    new_user = ml.ratings["user"].isin(users).to_numpy()
    return make_split("both_cold", ml, ~new_item & ~new_user, new_item & new_user, items, users)


def mixed(ml: Ratings, cold: float = 0.2, warm: float = 0.1, seed: int = 0) -> Split:
    """Hold out a fraction of the items whole, and a fraction of the other items' ratings."""
    check_is_ratings(ml, "mixed")
    check_fraction(cold)
    check_fraction(warm)
    rng = np.random.default_rng(seed)
    items = _draw_items(ml, cold, rng)
    new = ml.ratings["item"].isin(items).to_numpy()
    test = new | (rng.random(len(ml)) < warm)
    return make_split("mixed", ml, ~test, test, items)


def by_time(ml: Ratings, fraction: float = 0.2) -> Split:
    """Test on the last fraction of the ratings; who first appears there is cold.

    An item whose twin under another id was rated before isn't cold.
    """
    check_is_ratings(ml, "by_time")
    check_fraction(fraction)
    if "timestamp" not in ml.ratings:
        raise ValueError("by_time needs a column 'timestamp' in the ratings, and there is none. "
                         "Use item_cold or user_cold, which don't.")
    time = ml.ratings["timestamp"]
    test = (time > time.quantile(1 - fraction)).to_numpy()
    before, after = ml.ratings[~test], ml.ratings[test]
    group = pd.Series(ml.item_groups(), ml.item_ids)
    items = pd.Index(after["item"].unique())
    items = items[~group[items].isin(group[before["item"].unique()]).to_numpy()]
    users = pd.Index(np.setdiff1d(after["user"].unique(), before["user"].unique()))
    return make_split("by_time", ml, ~test, test, items, users)


def k_shot(split: Split, k: int, most: int | None = None, seed: int = 0) -> Split:
    """Give training ``k`` of each cold item's (or user's) test ratings and test on the others.

    For a curve over k, give the largest one as ``most``: only what has more than ``most`` ratings
    takes part, the first k of one random order are revealed and those after the first ``most`` are
    tested, so that every k faces the same test.
    """
    if not isinstance(split, Split):
        raise TypeError(f"k_shot needs a split, not {type(split).__name__}. Make one first: "
                        "k_shot(cr.splits.item_cold(ml), k).")
    most = k if most is None else most
    check_whole(k, "k", least=None)
    check_whole(most, "most", least=None)
    if not 0 <= k <= most:
        raise ValueError(f"k is {k} and most is {most}; k must be from 0 to most.")
    if (len(split.cold_items) > 0) == (len(split.cold_users) > 0):
        raise ValueError(f"k_shot needs a split with cold items or cold users, one of the two; "
                         f"{split.name} has {len(split.cold_items)} and {len(split.cold_users)}.")
    kind = "item" if len(split.cold_items) else "user"
    cold = split.cold_items if kind == "item" else split.cold_users
    frame = split.test.ratings
    frame = frame[frame[kind].isin(cold)]
    frame = frame.sample(frac=1, random_state=np.random.default_rng(seed))
    place = frame.groupby(kind).cumcount()
    size = frame.groupby(kind)[kind].transform("size")
    frame, place = frame[size > most], place[size > most]
    train = pd.concat([split.train.ratings, frame[place < k]])
    chosen = cold[cold.isin(frame[kind])]
    sides = {"cold_items": chosen} if kind == "item" else {"cold_users": chosen}
    return Split(f"{split.name} {k}-shot", split.train.with_ratings(train),
                 split.test.with_ratings(frame[place >= most]), shots=k, **sides)


def _draw_items(ml, fraction, rng) -> pd.Index:
    """Draw whole groups of items until the fraction of the rated items is reached."""
    groups, of_item = rated_groups(ml)
    order = rng.permutation(groups)
    sizes = np.bincount(of_item[of_item >= 0])[order]
    wanted = max(1, round(fraction * sizes.sum()))
    drawn = order[: np.searchsorted(np.cumsum(sizes), wanted) + 1]
    return ml.item_ids[np.isin(of_item, drawn)]


def _draw_users(ml, fraction, rng) -> pd.Index:
    users = np.sort(ml.ratings["user"].unique())
    return pd.Index(rng.permutation(users)[: max(1, round(fraction * len(users)))])
