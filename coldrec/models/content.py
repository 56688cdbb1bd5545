"""Content-based recommenders: like what you liked."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import normalize

from coldrec import views as make
from coldrec.models.base import Recommender


class ViewCosine(Recommender):
    """Score an item by the cosine between its view and the mean view of the user's likes.

    ``views`` maps names to matrices with one row per catalogue item; rows are scaled to unit
    length view by view and put side by side.
    """

    scores_cold_items = True

    def __init__(self, views: dict):
        self.views = views

    def _fit(self, train):
        self.items_ = sp.hstack([normalize(sp.csr_matrix(v)) for v in self.views.values()],
                                format="csr")
        likes = train.matrix(likes=True)
        self.profiles_ = likes @ self.items_
        self.liked_ = np.asarray(likes.sum(1)).ravel() > 0

    def _score(self, user_rows, item_rows):
        scores = (normalize(self.profiles_[user_rows]) @ normalize(self.items_[item_rows]).T)
        scores = scores.toarray()
        scores[~self.liked_[user_rows]] = np.nan  # without a like there is no profile
        return scores


class Content(ViewCosine):
    """The classic content-based recommender: a user profile of TF-IDF weighted words.

    It reads title, year, genres and description from the items' table. (Pazzani & Billsus 2007.)
    """

    def __init__(self):
        super().__init__({})

    def _fit(self, train):
        self.views = {"tfidf": make.tfidf(train)}
        super()._fit(train)
