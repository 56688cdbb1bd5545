"""What every method must beat, and the reference that knows too much."""

from __future__ import annotations

import numpy as np

from coldrec.models.base import Recommender, StarRecommender


class Random(Recommender):
    """Score everything at random: the floor."""

    scores_cold_items = scores_cold_users = True

    def __init__(self, seed: int = 0):
        self.seed = seed

    def _fit(self, train):
        shape = len(train.user_ids), len(train.item_ids)
        self.scores_ = np.random.default_rng(self.seed).random(shape)

    def _score(self, user_rows, item_rows):
        return self.scores_[np.ix_(user_rows, item_rows)]


class Popularity(Recommender):
    """Score an item by its number of training likes, the same for every user."""

    scores_cold_users = True

    def _fit(self, train):
        self.likes_ = np.asarray(train.matrix(likes=True).sum(0)).ravel()

    def _score(self, user_rows, item_rows):
        return np.tile(self.likes_[item_rows], (len(user_rows), 1))


class TestCountOracle(Recommender):
    """Score an item by its number of likes in the *test*: perfect foresight of popularity.

    It cheats on purpose, and gives everybody the same list. (Counting likes is the best one list
    for precision; for recall, likes of people with few likes should weigh more.)
    """

    scores_cold_items = scores_cold_users = True
    __test__ = False  # not a test class, whatever its name suggests to pytest

    def __init__(self, split):
        self.test = split.test

    def _fit(self, train):
        self.likes_ = np.asarray(self.test.matrix(likes=True).sum(0)).ravel()

    _score = Popularity._score


class Bias(StarRecommender):
    """Predict ``mean + user bias + item bias`` (Koren, Bell & Volinsky 2009, equation 3).

    Each bias is a mean shrunk towards zero: the sum of the residuals over their number plus
    ``shrink_users`` or ``shrink_items``. A new user or item has bias zero.
    """

    scores_cold_users = True

    def __init__(self, shrink_users: float = 5.0, shrink_items: float = 5.0, sweeps: int = 5):
        self.shrink_users, self.shrink_items, self.sweeps = shrink_users, shrink_items, sweeps

    def _fit(self, train):
        user = train.user_rows(train.ratings["user"])
        item = train.item_rows(train.ratings["item"])
        stars = train.ratings["rating"].to_numpy(float)
        self.mean_ = stars.mean()
        self.user_bias_ = np.zeros(len(train.user_ids))
        self.item_bias_ = np.zeros(len(train.item_ids))
        for _ in range(self.sweeps):
            rest = stars - self.mean_ - self.user_bias_[user]
            self.item_bias_ = _shrunk_means(rest, item, len(self.item_bias_), self.shrink_items)
            rest = stars - self.mean_ - self.item_bias_[item]
            self.user_bias_ = _shrunk_means(rest, user, len(self.user_bias_), self.shrink_users)

    def _predict(self, user_rows, item_rows):
        return self.mean_ + self.user_bias_[user_rows, None] + self.item_bias_[None, item_rows]


def _shrunk_means(values, group, n_groups, shrink):
    return np.bincount(group, values, n_groups) / (np.bincount(group, minlength=n_groups) + shrink)
