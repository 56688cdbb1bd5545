"""What a recommender is."""

from __future__ import annotations

import numpy as np

from coldrec.data import Ratings
from coldrec.validation import check_is_ratings


class Recommender:
    """Something that learns from ratings and scores items for users.

    A subclass writes ``_fit(train)`` and ``_score(user_rows, item_rows)``, which returns an array
    ``(len(user_rows), len(item_rows))``. Its two flags say whether it can score an item, or a
    user, without training ratings; where it can't, :meth:`score` gives NaN, never zero.
    """

    scores_cold_items = False
    scores_cold_users = False
    reads_items = True  # False: learns from ratings alone, so the leak control needn't refit it

    def fit(self, train: Ratings) -> Recommender:
        """Learn from the training ratings and return self."""
        check_is_ratings(train, "fit")
        if not len(train):
            raise ValueError("fit got no ratings: there is nothing to learn from.")
        self.train_ = train
        self.warm_items_ = train.item_ids.isin(train.ratings["item"])
        self.warm_users_ = train.user_ids.isin(train.ratings["user"])
        self._fit(train)
        return self

    def score(self, users, items) -> np.ndarray:
        """Return a score for each user id and item id, ``(len(users), len(items))``.

        Higher is better. NaN means that the model can't tell.
        """
        user_rows, item_rows = self._rows(users, items)
        scores = np.array(self._score(user_rows, item_rows), dtype=float)
        if not self.scores_cold_items:
            scores[:, ~self.warm_items_[item_rows]] = np.nan
        if not self.scores_cold_users:
            scores[~self.warm_users_[user_rows]] = np.nan
        return scores

    def score_pairs(self, users, items) -> np.ndarray:
        """Return the score of each user's item, ``(pairs,)``, for as many ids of either."""
        user_rows, item_rows = self._pairs(users, items)
        (users, user_at), (items, item_at) = (np.unique(rows, return_inverse=True)
                                              for rows in (user_rows, item_rows))
        scores = self.score(self.train_.user_ids[users], self.train_.item_ids[items])
        return scores[user_at, item_at]

    def _pairs(self, users, items):
        user_rows, item_rows = self._rows(users, items)
        if len(user_rows) != len(item_rows):
            raise ValueError(f"got {len(users)} users and {len(items)} items; pairs need as many "
                             "of either. Use score for all items of all users.")
        return user_rows, item_rows

    def _rows(self, users, items):
        if not hasattr(self, "train_"):
            raise RuntimeError(f"this {type(self).__name__} isn't fitted. Call fit(train) first.")
        return self.train_.user_rows(users), self.train_.item_rows(items)


class StarRecommender(Recommender):
    """A recommender that predicts ratings in stars; the prediction is its score.

    A subclass writes ``_predict(user_rows, item_rows)``.
    """

    def _score(self, user_rows, item_rows):
        return self._predict(user_rows, item_rows)

    def predict(self, users, items) -> np.ndarray:
        """Return ratings in stars, ``(len(users), len(items))``, inside the rating scale.

        For a new user or item it falls back on what is left of the model, such as the biases.
        """
        return np.clip(self._predict(*self._rows(users, items)), *self.train_.scale)
