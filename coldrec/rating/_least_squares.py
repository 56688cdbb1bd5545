"""Fit the numbers by alternating least squares in their Bayesian form: no penalty to choose."""

from __future__ import annotations

import numpy as np
from tqdm.auto import tqdm

from coldrec.rating import _priors
from coldrec.rating._beliefs import Beliefs, ratings_of


class LeastSquares:
    """Users given items, items given users, then the priors and variances given both; and again.

    This is variational Bayes (Lim & Teh 2007) with priors that are regressions on side information
    (Agarwal & Chen 2009): each step makes the same bound of the ratings' probability larger.
    """

    def __init__(self, start: Beliefs, about, rated, warm_users, warm_items):
        self.now, self.about, self.rated, self.raters = start, about, rated, rated.T.tocsr()
        self.warm_users, self.warm_items = warm_users, warm_items
        # How far the priors' coefficients spread; learnt like all else.
        self.user_scales, self.item_scale = np.full(start.users.shape[1], 0.01), 0.01

    def fit(self, sweeps: int, progress: bool) -> Beliefs:
        """Return what is believed after so many sweeps."""
        for _ in tqdm(range(sweeps), desc="sweeps", disable=not progress, leave=False):
            for user in np.flatnonzero(self.warm_users):
                self.now.update_user(user, *ratings_of(self.rated, user))
            for item in np.flatnonzero(self.warm_items):
                self.now.update_item(item, *ratings_of(self.raters, item))
            self._level()
            self._item_priors()
            self._user_priors()
            self.now.forget(~self.warm_users, ~self.warm_items)
            self._noise()
        return self.now

    def _level(self) -> None:
        """Move what all warm users' biases have in common into the level: predictions stay."""
        now = self.now
        shift = now.users[self.warm_users, -1].mean()
        now.users[:, -1] -= shift
        now.level += shift

    def _item_priors(self) -> None:
        now, warm = self.now, self.warm_items
        bias, variance = now.items[:, -1], now.item_cov[:, -1, -1]
        if now.known.shape[1]:
            alone, noise = _priors.from_ratings_alone(bias[warm], variance[warm],
                                                      now.item_prior[warm], now.item_spread)
            found, self.item_scale = _priors.ridge(now.known[warm], alone,
                                                   noise + now.item_spread, self.item_scale)
            now.item_prior = now.known @ found
        now.item_spread = max(_priors.LEAST,
                              np.mean((bias - now.item_prior)[warm] ** 2 + variance[warm]))

    def _user_priors(self) -> None:
        now, warm, about = self.now, self.warm_users, self.about
        means, variances = now.users[warm], np.diagonal(now.user_cov, axis1=1, axis2=2)[warm]
        noise = np.tile(now.user_spread, (len(means), 1))
        told = means.copy()
        # Ratings tell much of a bias: it is explained as they alone would have it. Of a taste they
        # tell little; what they alone would have of it is too noisy to learn from.
        told[:, -1], alone = _priors.from_ratings_alone(
            means[:, -1], variances[:, -1], now.user_prior[warm, -1], now.user_spread[-1])
        noise[:, -1] += alone
        now.user_prior = np.tile(means.mean(0), (len(warm), 1))
        if about.shape[1]:
            for place in range(told.shape[1]):
                found, self.user_scales[place] = _priors.ridge(
                    about[warm], told[:, place] - means[:, place].mean(), noise[:, place],
                    self.user_scales[place])
                now.user_prior[:, place] += about @ found
        now.user_spread = np.maximum(
            _priors.LEAST, ((means - now.user_prior[warm]) ** 2 + variances).mean(0))

    def _noise(self) -> None:
        total = 0.0
        for user in np.flatnonzero(self.warm_users):
            items, stars = ratings_of(self.rated, user)
            left = stars - self.now.means([user], items)[0]
            total += np.sum(left ** 2 + self.now.variances([user], items)[0])
        self.now.noise = total / self.rated.nnz
