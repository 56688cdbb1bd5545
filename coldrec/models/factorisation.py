"""Matrix factorisation by alternating least squares."""

from __future__ import annotations

import numpy as np

from coldrec.models.base import StarRecommender
from coldrec.models.baselines import Bias


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
