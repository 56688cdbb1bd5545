"""Matrix factorisation by alternating least squares, of ratings and of likes."""

from __future__ import annotations

import numpy as np

from coldrec.models.base import Recommender, StarRecommender
from coldrec.models.baselines import Bias
from coldrec.validation import check_whole


class MatrixFactorisation(StarRecommender):
    """Predict ``mean + biases + p_u · q_i`` (Koren, Bell & Volinsky 2009, equation 4).

    The biases are fitted first; then the users' and the items' vectors in turn, each by its own
    ridge regression on the other's. An item without ratings keeps its random start, so its score
    is no knowledge; ``score`` gives NaN there and ``predict`` the biases alone.
    """

    def __init__(self, factors: int = 16, sweeps: int = 10, regularisation: float = 8.0,
                 seed: int = 0):
        self.factors, self.sweeps = factors, sweeps
        self.regularisation, self.seed = regularisation, seed

    def _fit(self, train):
        self.bias_ = Bias().fit(train)
        by_user = train.matrix()
        coo = by_user.tocoo()
        bias = self.bias_
        by_user.data = coo.data - (bias.mean_ + bias.user_bias_[coo.row] + bias.item_bias_[coo.col])
        by_item = by_user.T.tocsr()
        rng = np.random.default_rng(self.seed)
        self.users_ = rng.normal(0, 0.1, (len(train.user_ids), self.factors))
        self.items_ = rng.normal(0, 0.1, (len(train.item_ids), self.factors))
        for _ in range(self.sweeps):
            self._solve(by_user, self.items_, self.users_)
            self._solve(by_item, self.users_, self.items_)

    def _solve(self, residuals, fixed, solved):
        """Fit each row of ``solved`` by ridge regression of its residuals on ``fixed``."""
        penalty = self.regularisation * np.eye(self.factors)
        for row in range(len(solved)):
            place = slice(residuals.indptr[row], residuals.indptr[row + 1])
            known = fixed[residuals.indices[place]]
            if len(known):
                solved[row] = np.linalg.solve(known.T @ known + penalty,
                                              known.T @ residuals.data[place])

    def _predict(self, user_rows, item_rows):
        users = self.users_[user_rows] * self.warm_users_[user_rows, None]
        items = self.items_[item_rows] * self.warm_items_[item_rows, None]
        return self.bias_._predict(user_rows, item_rows) + users @ items.T


class ImplicitALS(Recommender):
    """Score by ``p_u · q_i``, fitted so that likes are close to one and all else to zero.

    A like counts ``1 + weight`` times as much as a pair without one, for not to have liked says
    little: many never saw the item (Hu, Koren & Volinsky 2008, equations 3 to 5). After ``fit``,
    ``users_`` is ``(users, factors)`` and ``items_`` is ``(items, factors)``; rows of what has no
    likes are zero.
    """

    def __init__(self, factors: int = 32, weight: float = 10.0, regularisation: float = 10.0,
                 sweeps: int = 5, seed: int = 0):
        check_whole(factors, "factors", example=32)
        check_whole(sweeps, "sweeps", example=5)
        for name, value in (("weight", weight), ("regularisation", regularisation)):
            if not value > 0:
                raise ValueError(f"{name} is {value}; it must be above 0, such as 10.")
        self.factors, self.weight, self.regularisation = factors, weight, regularisation
        self.sweeps, self.seed = sweeps, seed

    def _fit(self, train):
        likes = train.matrix(likes=True)
        liked_by = likes.T.tocsr()
        rng = np.random.default_rng(self.seed)
        self.items_ = rng.normal(0, 0.1, (len(train.item_ids), self.factors))
        for _ in range(self.sweeps):
            self.users_ = self._solved(likes, self.items_)
            self.items_ = self._solved(liked_by, self.users_)

    def _solved(self, likes, fixed) -> np.ndarray:
        """Return the best rows for these likes, given the other side's."""
        everything = fixed.T @ fixed + self.regularisation * np.eye(self.factors)
        rows = np.zeros((likes.shape[0], self.factors))
        for row in np.flatnonzero(likes.getnnz(axis=1)):
            liked = fixed[likes.indices[slice(*likes.indptr[row:row + 2])]]
            rows[row] = np.linalg.solve(everything + self.weight * liked.T @ liked,
                                        (1 + self.weight) * liked.sum(0))
        return rows

    def _score(self, user_rows, item_rows):
        return self.users_[user_rows] @ self.items_[item_rows].T
