"""Hybrids of collaborative and content-based recommenders (Burke 2002)."""

from __future__ import annotations

import numpy as np
from scipy import stats
from sklearn.decomposition import TruncatedSVD

from coldrec.models.base import Recommender
from coldrec.models.ridge import ViewRidge


class WeightedHybrid(Recommender):
    """Add up several recommenders' ranks, each with a weight.

    ``parts`` is a list of ``(recommender, weight)``. Scores of different models have different
    scales, so each is turned into its rank within the user's list (1 is best). Where a part
    can't score, the others decide.
    """

    def __init__(self, parts: list):
        if not parts or not isinstance(parts, (list, tuple)) or not all(
                isinstance(part, (list, tuple)) and len(part) == 2 and hasattr(part[0], "score")
                for part in parts):
            raise TypeError(f"parts is {parts!r}; it must be a list of pairs (recommender, weight),"
                            " such as [(EASE(), 1.0), (Content(), 0.5)].")
        self.parts = parts
        self.scores_cold_items = any(model.scores_cold_items for model, _ in parts)
        self.scores_cold_users = any(model.scores_cold_users for model, _ in parts)

    def _fit(self, train):
        for model, _ in self.parts:
            model.fit(train)

    def score(self, users, items):
        """Return the weighted mean rank; NaN only where no part can score."""
        self._rows(users, items)
        total = np.zeros((len(users), len(items)))
        weights = np.zeros_like(total)
        for model, weight in self.parts:
            scores = model.score(users, items)
            known = ~np.isnan(scores)
            unknown = (~known).sum(1, keepdims=True)
            ranks = stats.rankdata(np.where(known, scores, -np.inf), axis=1) - unknown
            most = np.maximum(known.sum(1, keepdims=True), 1)
            total += np.where(known, weight * ranks / most, 0.0)
            weights += weight * known
        return np.divide(total, weights, out=np.full_like(total, np.nan), where=weights > 0)


class SwitchingHybrid(Recommender):
    """Score known items by a warm model, new ones by a cold model's scores times ``boost``.

    The scores must be on one scale, as they are where the warm model taught the cold one
    (``ViewRidge(views, targets=warm)``). A model's guess for a new item is closer to the mean than
    what is known of others, so new items seldom come first; a ``boost`` above 1 shows more of
    them, at a price in the known ones that are pushed down.
    """

    scores_cold_items = True

    def __init__(self, warm, cold, boost: float = 1.0):
        if not boost > 0:
            raise ValueError(f"boost is {boost}; it must be above 0, such as 1.5.")
        if not cold.scores_cold_items:
            raise ValueError(f"{type(cold).__name__} can't score new items, so there is nothing to "
                             "switch to. Give a model that reads views, such as ViewRidge.")
        self.warm, self.cold, self.boost = warm, cold, boost
        self.parts = [(warm, 1.0), (cold, boost)]  # the leak control permutes the parts' views
        self.scores_cold_users = warm.scores_cold_users and cold.scores_cold_users

    def _fit(self, train):
        for model in (self.warm, self.cold):
            model.fit(train)

    def _score(self, user_rows, item_rows):
        users, items = self.train_.user_ids[user_rows], self.train_.item_ids[item_rows]
        return np.where(self.warm_items_[item_rows], self.warm.score(users, items),
                        self.boost * self.cold.score(users, items))


class FeatureCombination(ViewRidge):
    """A content-based ridge that takes "who liked it" as one more set of features.

    The likes are reduced to ``factors`` numbers an item by a truncated SVD; a cold item has zeros
    there, and only its content speaks.
    """

    def __init__(self, views: dict, factors: int = 32, **ridge):
        super().__init__(views, **ridge)
        self.factors = factors

    def _fit(self, train):
        likes = train.matrix(likes=True)
        n = min(self.factors, min(likes.shape) - 1)
        liked_by = TruncatedSVD(n, random_state=0).fit_transform(likes.T.tocsr())
        content = self.views
        self.views = content | {"liked_by": liked_by}
        try:
            super()._fit(train)
        finally:
            self.views = content
