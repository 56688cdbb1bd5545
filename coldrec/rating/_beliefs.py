"""What is believed of users and items: means and covariances, and how ratings move them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Beliefs:
    """Normal distributions over the numbers of the formula, for ``n`` users and ``m`` items.

    A user has ``[w, y, β]``: weights of the items' ``D`` known coordinates ``x``, of their ``d``
    free ones ``z``, and a bias. An item has ``[z, β]``. The rating is believed to be
    ``level + w·x + y·z + β_u + β_i``, with a variance of ``noise``.

    Before any rating, a user's numbers are about ``user_prior``, with variances ``user_spread``, an
    item's ``z`` is about zero with variance one (which fixes its scale), and its bias about
    ``item_prior`` with variance ``item_spread``.
    """

    known: np.ndarray  # x: (m, D)
    users: np.ndarray  # means: (n, D + d + 1)
    user_cov: np.ndarray  # (n, D + d + 1, D + d + 1)
    items: np.ndarray  # means: (m, d + 1)
    item_cov: np.ndarray  # (m, d + 1, d + 1)
    user_prior: np.ndarray  # (n, D + d + 1)
    user_spread: np.ndarray  # (D + d + 1,)
    item_prior: np.ndarray  # (m,)
    item_spread: float
    level: float
    noise: float

    @property
    def free(self) -> slice:
        """Where ``y`` stands among a user's numbers."""
        size = self.known.shape[1]
        return slice(size, size + self.items.shape[1] - 1)

    @property
    def item_variances(self) -> np.ndarray:
        """How far an item's ``[z, β]`` may be from its prior."""
        return np.append(np.ones(self.items.shape[1] - 1), self.item_spread)

    def update_user(self, user: int, items, stars) -> None:
        """Believe of a user what prior and ratings say, given what is believed of the items.

        A ridge regression of the ratings on the items, whose penalty is the prior's. Where an item
        is uncertain, its covariance is added to what is known of it: it counts for less.
        """
        free = self.free
        seen = self._seen(items)
        precision = seen.T @ seen
        precision[free, free] += self.item_cov[items, :-1, :-1].sum(0)
        told = seen.T @ (stars - self.level - self.items[items, -1])
        told[free] -= self.item_cov[items, :-1, -1].sum(0)
        precision = precision / self.noise + np.diag(1 / self.user_spread)
        told = told / self.noise + self.user_prior[user] / self.user_spread
        self.user_cov[user] = np.linalg.inv(precision)
        self.users[user] = self.user_cov[user] @ told

    def update_item(self, item: int, users, stars) -> None:
        """Believe of an item what prior and ratings say, given what is believed of the users."""
        free, known = self.free, self.known[item]
        seen = np.hstack([self.users[users, free], np.ones((len(users), 1))])
        precision = seen.T @ seen
        precision[:-1, :-1] += self.user_cov[users, free, free].sum(0)
        taste = self.users[users, :len(known)] @ known
        told = seen.T @ (stars - self.level - self.users[users, -1] - taste)
        told[:-1] -= (self.user_cov[users, free, -1]
                      + self.user_cov[users, free, :len(known)] @ known).sum(0)
        told = told / self.noise
        told[-1] += self.item_prior[item] / self.item_spread
        precision = precision / self.noise + np.diag(1 / self.item_variances)
        self.item_cov[item] = np.linalg.inv(precision)
        self.items[item] = self.item_cov[item] @ told

    def forget(self, users, items) -> None:
        """Believe of these users and items what their priors say."""
        self.users[users], self.user_cov[users] = self.user_prior[users], np.diag(self.user_spread)
        self.items[items, :-1], self.items[items, -1] = 0, self.item_prior[items]
        self.item_cov[items] = np.diag(self.item_variances)

    def means(self, users, items) -> np.ndarray:
        """Return the expected ratings, ``(users, items)``."""
        seen = self._seen(items)
        return self.level + self.items[items, -1] + self.users[users] @ seen.T

    def variances(self, users, items) -> np.ndarray:
        """Return how uncertain these are, without the noise of a rating: ``(users, items)``."""
        seen, free, rows = self._seen(items), self.free, []
        for mean, cov in zip(self.users[users], self.user_cov[users], strict=True):
            taste = np.append(mean[free], 1)
            of_user = ((seen @ cov) * seen).sum(1)
            of_item = (self.item_cov[items] @ taste) @ taste
            of_both = (self.item_cov[items, :-1, :-1] * cov[free, free]).sum((1, 2))
            rows.append(of_user + of_item + of_both)
        return np.array(rows)

    def _seen(self, items) -> np.ndarray:
        """Return what a user's numbers are multiplied by, one row per item: ``[x, z, 1]``."""
        return np.hstack([self.known[items], self.items[items, :-1], np.ones((len(items), 1))])


def at_first(known, free: int, rated, seed: int) -> Beliefs:
    """Return what to start from; free coordinates are small and random, for zeros would stay."""
    (n, m), width = rated.shape, known.shape[1]
    size = width + free + 1
    items = np.zeros((m, free + 1))
    items[:, :-1] = np.random.default_rng(seed).normal(0, 0.1, (m, free))
    spread = np.concatenate([np.full(width, 0.01), np.full(free, 0.1), [0.2]])
    return Beliefs(known, np.zeros((n, size)), np.zeros((n, size, size)), items,
                   np.zeros((m, free + 1, free + 1)), np.zeros((n, size)), spread, np.zeros(m), 0.3,
                   rated.data.mean(), 0.9)


def ratings_of(matrix, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns and the values of a sparse matrix's row."""
    part = slice(*matrix.indptr[row:row + 2])
    return matrix.indices[part], matrix.data[part]
