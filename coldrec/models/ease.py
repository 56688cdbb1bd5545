"""EASE: a linear item-to-item model with a closed form."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from coldrec.models.base import Recommender


class EASE(Recommender):
    """Score items by ``X B``, with X the users' likes and B fitted so that X B is close to X.

    B has a zero diagonal, so that no item explains itself; with ``P`` the inverse of
    ``X'X + regularisation · I`` it is ``B = I - P / diag(P)`` (Steck 2019, equation 8).
    """

    def __init__(self, regularisation: float = 200.0):
        self.regularisation = regularisation

    def _fit(self, train):
        self.likes_ = train.matrix(likes=True)
        gram = (self.likes_.T @ self.likes_).toarray()
        gram[np.diag_indices_from(gram)] += self.regularisation
        inverse = linalg.inv(gram, overwrite_a=True)
        self.weights_ = -inverse / np.diag(inverse)
        np.fill_diagonal(self.weights_, 0.0)

    def _score(self, user_rows, item_rows):
        return self.likes_[user_rows] @ self.weights_[:, item_rows]
