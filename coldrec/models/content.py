"""Content-based recommenders: like what you liked."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import normalize

from coldrec import views as make
from coldrec.models.base import Recommender
from coldrec.validation import check_view, check_views


class ViewCosine(Recommender):
    """Score an item by the cosine between its view and the mean view of the user's likes.

    ``views`` maps names to matrices with one row per catalogue item; rows are scaled to unit
    length view by view and put side by side.
    """

    scores_cold_items = True

    def __init__(self, views: dict):
        check_views(views, type(self).__name__)
        self.views = views

    def _fit(self, train):
        if not self.views:
            raise ValueError("ViewCosine got no views. Give it one, such as "
                             "{'text': cr.views.text(ml)}.")
        rows = len(train.item_ids)
        self.items_ = sp.hstack([normalize(sp.csr_matrix(check_view(name, view, rows)))
                                 for name, view in self.views.items()], format="csr")
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
