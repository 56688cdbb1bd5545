"""What a split is, and the steps that all ways to make one share."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from coldrec.data import Ratings
from coldrec.validation import check_is_ratings


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
        for part, ratings in (("train", self.train), ("test", self.test)):
            check_is_ratings(ratings, f"{part} of a Split")
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


def make_split(name, ml, train, test, items=None, users=None) -> Split:
    """Make a split of masks over the ratings, and ids of what is cold."""
    none = pd.Index([])
    return Split(name, ml.with_ratings(ml.ratings[train]), ml.with_ratings(ml.ratings[test]),
                 none if items is None else items, none if users is None else users)


def item_split(name, ml, cold) -> Split:
    """Hold out every rating of these items."""
    test = ml.ratings["item"].isin(cold).to_numpy()
    return make_split(name, ml, ~test, test, items=cold)


def user_split(name, ml, cold) -> Split:
    """Hold out every rating of these users."""
    test = ml.ratings["user"].isin(cold).to_numpy()
    return make_split(name, ml, ~test, test, users=cold)


def rated_groups(ml) -> tuple[np.ndarray, np.ndarray]:
    """Return the groups of rated items, and each catalogue item's group (-1 where unrated)."""
    rated = ml.item_ids.isin(ml.ratings["item"])
    of_item = np.where(rated, ml.item_groups(), -1)
    return np.unique(of_item[rated]), of_item
