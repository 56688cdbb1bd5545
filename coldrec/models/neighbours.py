"""Nearest neighbours among users or items, by who liked what."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.metrics.pairwise import cosine_similarity

from coldrec.models.base import Recommender
from coldrec.validation import check_whole


class ItemKNN(Recommender):
    """Score an item by the user's liked items among its ``neighbours`` most similar ones.

    Similarity is the cosine between the items' columns of likes (Sarwar et al. 2001).
    """

    def __init__(self, neighbours: int = 50):
        check_whole(neighbours, "neighbours")
        self.neighbours = neighbours

    def _fit(self, train):
        self.likes_ = train.matrix(likes=True)
        self.similarity_ = _nearest(cosine_similarity(self.likes_.T), self.neighbours)

    def _score(self, user_rows, item_rows):
        return (self.likes_[user_rows] @ self.similarity_[item_rows].T).toarray()


class UserKNN(Recommender):
    """Score an item by how many of the user's ``neighbours`` most similar users liked it.

    Each counts with the cosine between the two users' rows of likes (Resnick et al. 1994).
    """

    def __init__(self, neighbours: int = 50):
        check_whole(neighbours, "neighbours")
        self.neighbours = neighbours

    def _fit(self, train):
        self.likes_ = train.matrix(likes=True)
        self.similarity_ = _nearest(cosine_similarity(self.likes_), self.neighbours)

    def _score(self, user_rows, item_rows):
        return (self.similarity_[user_rows] @ self.likes_[:, item_rows]).toarray()


def _nearest(similarity: np.ndarray, n: int) -> sp.csr_matrix:
    """Keep each row's ``n`` largest similarities to others."""
    np.fill_diagonal(similarity, 0.0)
    n = min(n, len(similarity) - 1)
    columns = np.argpartition(-similarity, n - 1, axis=1)[:, :n]
    rows = np.repeat(np.arange(len(similarity)), n)
    values = similarity[rows, columns.ravel()]
    return sp.csr_matrix((values, (rows, columns.ravel())), similarity.shape)
