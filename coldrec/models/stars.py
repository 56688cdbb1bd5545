"""ViewStars: ratings in stars for newcomers, from biases and from what is known of them."""

from __future__ import annotations

import copy

import numpy as np
import scipy.sparse as sp
from scipy import linalg

from coldrec.models import kernels
from coldrec.models.base import StarRecommender
from coldrec.models.baselines import Bias
from coldrec.validation import check_views

SHRINK = 5.0  # ratings: the spread of one rating about its item's mean, over that of the means


class ViewStars(StarRecommender):
    """Predict the stars of a new item as ``mean + b_u + x_i · (w + w_u)``.

    ``x_i`` is the new item's row of the views, ``w`` what such items are worth to everybody, and
    ``w_u`` what more they are worth to this user. Both are ridge regressions, solved for the rows:
    ``w`` on the items' mean residuals, and each ``w_u`` on what the biases leave of that user's
    ratings. A known item has its bias in place of ``x_i · w``.

    With ``side="user"`` the table is turned, for new users: ``mean + b_i + x_u · (w + w_i)``.

    Parameters
    ----------
    views
        As for :class:`ViewRidge`: name to matrix, one row per item (or user).
    shared
        The penalty on ``w``, in items; the mean of n ratings counts as ``n / (n + 5)`` items.
    own
        The penalty on each ``w_u``, in ratings. (Both were chosen on validation folds of
        MovieLens-100K's training items.)
    bias
        The unfitted biases to start from, by default ``Bias()``.
    """

    def __init__(self, views: dict, shared: float = 60.0, own: float = 70.0, side: str = "item",
                 bias: Bias | None = None):
        check_views(views, type(self).__name__)
        if side not in ("item", "user"):
            raise ValueError(f"side is {side!r}; it may be 'item' or 'user'.")
        self.views, self.shared, self.own, self.side = views, shared, own, side
        self.bias = bias or Bias()
        # Item views say of a new user what the average one gives; user views nothing of a new item.
        self.scores_cold_items, self.scores_cold_users = side == "item", True

    def _fit(self, train):
        bias = copy.deepcopy(self.bias).fit(train)
        stars = train.matrix()
        mine, other, warm = bias.item_bias_, bias.user_bias_, self.warm_items_
        if self.side == "item":
            stars = stars.T.tocsr()
        else:
            mine, other, warm = other, mine, self.warm_users_
        kernel = kernels.kernel(kernels.scaled(self.views, warm, self.side), warm)
        left = _minus(stars, bias.mean_ + other)
        ratings = left.getnnz(axis=1)[warm]
        means = np.asarray(left.sum(1)).ravel()[warm] / ratings
        shared = kernel[warm] + np.diag(self.shared * (1 + SHRINK / ratings))
        level = np.where(warm, mine, kernel @ linalg.solve(shared, means, assume_a="pos"))
        own = self._own(kernel, warm, _minus(left.T.tocsr(), mine))
        table = bias.mean_ + level[:, None] + other + own
        self.stars_ = table.T if self.side == "item" else table

    def _own(self, kernel, warm, left) -> np.ndarray:
        """Return each other's own part, ``(rows, others)``, from its ratings of warm rows."""
        place = np.cumsum(warm) - 1  # row of the table -> column of the kernel
        parts = np.zeros((len(kernel), left.shape[0]))
        for one in range(left.shape[0]):
            row = left.getrow(one)
            if row.nnz:
                columns = place[row.indices]
                known = kernel[np.ix_(row.indices, columns)]
                known[np.diag_indices_from(known)] += self.own
                parts[:, one] = kernel[:, columns] @ linalg.solve(known, row.data, assume_a="pos")
        return parts

    def _predict(self, user_rows, item_rows):
        return self.stars_[np.ix_(user_rows, item_rows)]


def _minus(stars, columns) -> sp.csr_matrix:
    """Return the stored values less their column's value."""
    rest = stars.copy()
    rest.data = rest.data - columns[rest.indices]
    return rest
