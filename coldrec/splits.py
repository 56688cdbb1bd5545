"""Ways to hold ratings out: what is new in the test says which cold start is measured."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from coldrec.data import Ratings


@dataclass(frozen=True)
class Split:
    """A training set and a test set over one catalogue, checked for leaks when made.

    ``cold_items`` and ``cold_users`` are the ids that training must not know; after
    :func:`k_shot` it knows exactly ``shots`` ratings of each.
    """

    name: str
    train: Ratings
    test: Ratings
    cold_items: pd.Index = field(default_factory=lambda: pd.Index([]))
    cold_users: pd.Index = field(default_factory=lambda: pd.Index([]))
    shots: int = 0

    def __post_init__(self):
        if not len(self.train) or not len(self.test):
            empty = "train" if not len(self.train) else "test"
            raise ValueError(f"{self.name}: nothing is left to {empty} on. Use more data or "
                             "another fraction.")
        for kind, cold in (("item", self.cold_items), ("user", self.cold_users)):
            known = self.train.ratings[kind].value_counts().reindex(cold, fill_value=0)
            wrong = known[known != self.shots]
            if len(wrong):
                known_one, count = next(wrong.items())
                raise AssertionError(f"{self.name} leaks: {kind} {known_one!r} is cold, but "
                                     f"training has {count} ratings of it, not {self.shots}.")
        both = self.train.ratings.merge(self.test.ratings, on=["user", "item"])
        if len(both):
            raise AssertionError(f"{self.name} leaks: {len(both)} ratings are in train and test.")

    def __repr__(self) -> str:
        return (f"Split({self.name}: train {len(self.train):,}, test {len(self.test):,}, "
                f"{len(self.cold_items)} cold items, {len(self.cold_users)} cold users)")

    @property
    def pool(self) -> pd.Index:
        """The items ranked when only what is new is ranked: the cold ones, or else all."""
        return self.cold_items if len(self.cold_items) else self.train.item_ids


def warm(ml: Ratings, fraction: float = 0.1, seed: int = 0) -> Split:
    """Hold out ratings at random: nearly every user and item stays known (the easy setting)."""
    _check_fraction(fraction)
    test = np.random.default_rng(seed).random(len(ml)) < fraction
    return _split("warm", ml, ~test, test)


def item_cold(ml: Ratings, fraction: float = 0.2, seed: int = 0) -> Split:
    """Hold out every rating of a random fraction of the rated items.

    Items that are the same film under two ids stay on one side.
    """
    _check_fraction(fraction)
    cold = _draw_items(ml, fraction, np.random.default_rng(seed))
    return _item_split("item_cold", ml, cold)


def user_cold(ml: Ratings, fraction: float = 0.2, seed: int = 0) -> Split:
    """Hold out every rating of a random fraction of the users."""
    _check_fraction(fraction)
    return _user_split("user_cold", ml, _draw_users(ml, fraction, np.random.default_rng(seed)))


def both_cold(ml: Ratings, fraction: float = 0.2, seed: int = 0) -> Split:
    """Test new users on new items; ratings with just one of the two new are in neither set."""
    _check_fraction(fraction)
    rng = np.random.default_rng(seed)
    items, users = _draw_items(ml, fraction, rng), _draw_users(ml, fraction, rng)
    new_item = ml.ratings["item"].isin(items).to_numpy()
    new_user = ml.ratings["user"].isin(users).to_numpy()
    return _split("both_cold", ml, ~new_item & ~new_user, new_item & new_user, items, users)


def mixed(ml: Ratings, cold: float = 0.2, warm: float = 0.1, seed: int = 0) -> Split:
    """Hold out a fraction of the items whole, and a fraction of the other items' ratings."""
    _check_fraction(cold)
    _check_fraction(warm)
    rng = np.random.default_rng(seed)
    items = _draw_items(ml, cold, rng)
    new = ml.ratings["item"].isin(items).to_numpy()
    test = new | (rng.random(len(ml)) < warm)
    return _split("mixed", ml, ~test, test, items)


def by_time(ml: Ratings, fraction: float = 0.2) -> Split:
    """Test on the last fraction of the ratings; who first appears there is cold.

    An item whose twin under another id was rated before isn't cold.
    """
    _check_fraction(fraction)
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
    return _split("by_time", ml, ~test, test, items, users)


def item_folds(ml: Ratings, k: int = 5, seed: int = 0) -> list[Split]:
    """Cut the rated items into ``k`` parts, each cold once; twins stay together."""
    groups, of_item = _rated_groups(ml)
    parts = _parts(groups, k, seed, "items")
    return [_item_split(f"item_fold {n}", ml, ml.item_ids[np.isin(of_item, part)])
            for n, part in enumerate(parts)]


def user_folds(ml: Ratings, k: int = 5, seed: int = 0) -> list[Split]:
    """Cut the users into ``k`` parts, each cold once."""
    parts = _parts(ml.ratings["user"].unique(), k, seed, "users")
    return [_user_split(f"user_fold {n}", ml, pd.Index(part)) for n, part in enumerate(parts)]


def random_folds(ml: Ratings, k: int = 5, seed: int = 0) -> list[Split]:
    """Cut the ratings into ``k`` parts at random: the folds of most published RMSE figures."""
    parts = _parts(np.arange(len(ml)), k, seed, "ratings")
    tests = [np.isin(np.arange(len(ml)), part) for part in parts]
    return [_split(f"random_fold {n}", ml, ~test, test) for n, test in enumerate(tests)]


def k_shot(split: Split, k: int, most: int | None = None, seed: int = 0) -> Split:
    """Give training ``k`` of each cold item's (or user's) test ratings and test on the others.

    For a curve over k, give the largest one as ``most``: only what has more than ``most`` ratings
    takes part, the first k of one random order are revealed and those after the first ``most`` are
    tested, so that every k faces the same test.
    """
    most = k if most is None else most
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


def _split(name, ml, train, test, items=None, users=None) -> Split:
    none = pd.Index([])
    return Split(name, ml.with_ratings(ml.ratings[train]), ml.with_ratings(ml.ratings[test]),
                 none if items is None else items, none if users is None else users)


def _item_split(name, ml, cold) -> Split:
    test = ml.ratings["item"].isin(cold).to_numpy()
    return _split(name, ml, ~test, test, items=cold)


def _user_split(name, ml, cold) -> Split:
    test = ml.ratings["user"].isin(cold).to_numpy()
    return _split(name, ml, ~test, test, users=cold)


def _rated_groups(ml) -> tuple[np.ndarray, np.ndarray]:
    """Return the groups of rated items, and each catalogue item's group (-1 where unrated)."""
    rated = ml.item_ids.isin(ml.ratings["item"])
    of_item = np.where(rated, ml.item_groups(), -1)
    return np.unique(of_item[rated]), of_item


def _draw_items(ml, fraction, rng) -> pd.Index:
    """Draw whole groups of items until the fraction of the rated items is reached."""
    groups, of_item = _rated_groups(ml)
    order = rng.permutation(groups)
    sizes = np.bincount(of_item[of_item >= 0])[order]
    wanted = max(1, round(fraction * sizes.sum()))
    drawn = order[: np.searchsorted(np.cumsum(sizes), wanted) + 1]
    return ml.item_ids[np.isin(of_item, drawn)]


def _draw_users(ml, fraction, rng) -> pd.Index:
    users = np.sort(ml.ratings["user"].unique())
    return pd.Index(rng.permutation(users)[: max(1, round(fraction * len(users)))])


def _parts(things, k, seed, what) -> list[np.ndarray]:
    if not 2 <= k <= len(things):
        raise ValueError(f"k is {k}; for {len(things)} {what} it must be from 2 to {len(things)}.")
    return np.array_split(np.random.default_rng(seed).permutation(things), k)


def _check_fraction(fraction) -> None:
    if not 0 < fraction < 1:
        raise ValueError(f"a fraction is {fraction!r}; it must be above 0 and below 1, "
                         "such as 0.2 for a fifth.")
