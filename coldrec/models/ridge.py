"""ViewRidge: from what is known of the items to what the users think of them, in one solve."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy import linalg

from coldrec.models.base import Recommender
from coldrec.models.ease import EASE


class ViewRidge(Recommender):
    """Ridge regression from views to targets, one regression a user, all in one linear solve.

    On the warm items it learns ``W = argmin ||X W - Y||² + regularisation · ||W||²``, with X the
    views side by side and Y the targets, one column a user; a cold item's scores are its row of
    ``X W``, and a new user gets the mean of the known users' scores. With ``side="user"`` the
    table is turned: user views predict each item's targets for a new user.

    Parameters
    ----------
    views
        Name to matrix with one row per catalogue item (or user), dense or sparse. Each is centred
        and scaled over the warm rows so that its strongest direction has variance one, whatever
        its units and its number of columns.
    targets
        ``"likes"``: one for a like, zero else. ``"ease"``, or any fitted warm recommender: what it
        says of the warm items. The warm model is the teacher and the views are the pupil, as in
        content-to-embedding regression (Gantner et al. 2010) and Heater (Zhu et al. 2020).
    regularisation
        The weight of the penalty, per warm row: a direction of a view with this much variance is
        shrunk by half. (0.3 was chosen on validation-cold items of MovieLens-100K.)
    weights
        Name to a factor on the view's scale (default 1).
    """

    def __init__(self, views: dict, targets="likes", regularisation: float = 0.3,
                 weights: dict | None = None, side: str = "item"):
        if side not in ("item", "user"):
            raise ValueError(f"side is {side!r}; it may be 'item' or 'user'.")
        if isinstance(targets, str) and targets not in ("likes", "ease"):
            raise ValueError(f"targets is {targets!r}; it may be 'likes', 'ease' or a fitted "
                             "recommender.")
        unknown = set(weights or {}) - set(views)
        if unknown:
            raise ValueError(f"weights for {sorted(unknown)}, but the views are {list(views)}.")
        self.views, self.targets = views, targets
        self.regularisation, self.weights, self.side = regularisation, weights or {}, side
        # Item views score a new user like the average one; user views know nothing of a new item.
        self.scores_cold_items, self.scores_cold_users = side == "item", True

    def _fit(self, train):
        warm = self.warm_items_ if self.side == "item" else self.warm_users_
        features = self._features(warm)
        targets = self._targets(train)[warm]
        self.intercept_ = targets.mean(0)
        self.predictions_ = _ridge(features, warm, targets - self.intercept_,
                                    self.regularisation * warm.sum())
        self.predictions_ += self.intercept_
        if self.side == "item":
            known = self.predictions_[:, self.warm_users_]
            self.predictions_[:, ~self.warm_users_] = known.mean(1, keepdims=True)

    def _score(self, user_rows, item_rows):
        rows, columns = ((item_rows, user_rows) if self.side == "item" else (user_rows, item_rows))
        scores = self.predictions_[np.ix_(rows, columns)]
        return scores.T if self.side == "item" else scores

    def _features(self, warm):
        """Return the scaled views side by side, ``(rows, d)``."""
        parts = []
        for name, view in self.views.items():
            if view.shape[0] != len(warm):
                raise ValueError(f"view {name!r} has {view.shape[0]} rows; the data have "
                                 f"{len(warm)} {self.side}s. A view has one row for each.")
            view = view.toarray() if sp.issparse(view) else np.asarray(view, float)
            if not np.isfinite(view).all():
                raise ValueError(f"view {name!r} holds NaN or infinite values. Use 0 for unknown.")
            view = view - view[warm].mean(0)
            spread = _largest_deviation(view[warm])
            if spread > 1e-12:
                parts.append(view * (self.weights.get(name, 1.0) / spread))
        if not parts:
            raise ValueError(f"no view of {list(self.views)} tells the {self.side}s apart.")
        return np.hstack(parts)

    def _targets(self, train):
        """Return what to predict, ``(items, users)``, or the transpose for ``side="user"``."""
        if isinstance(self.targets, str) and self.targets == "likes":
            targets = train.matrix(likes=True).toarray()
        else:
            teacher = EASE().fit(train) if isinstance(self.targets, str) else self.targets
            # Rows and columns that the teacher can't score are cold, and left out of the fit.
            targets = np.nan_to_num(teacher.score(train.user_ids, train.item_ids))
        return targets.T if self.side == "item" else targets


def _largest_deviation(rows) -> float:
    """Return the standard deviation of centred rows along their strongest direction."""
    gram = rows.T @ rows if rows.shape[1] <= rows.shape[0] else rows @ rows.T
    if not len(gram):
        return 0.0
    last = len(gram) - 1
    largest = linalg.eigh(gram, eigvals_only=True, subset_by_index=[last, last])[0]
    return float(np.sqrt(max(largest, 0.0) / len(rows)))


def _ridge(features, warm, targets, penalty) -> np.ndarray:
    """Fit on the warm rows and return predictions for all rows.

    With more columns than rows it solves for the rows (the dual form), else for the columns.
    """
    known = features[warm]
    if known.shape[1] > known.shape[0]:
        gram = known @ known.T
        gram[np.diag_indices_from(gram)] += penalty
        return (features @ known.T) @ linalg.solve(gram, targets, assume_a="pos")
    gram = known.T @ known
    gram[np.diag_indices_from(gram)] += penalty
    return features @ linalg.solve(gram, known.T @ targets, assume_a="pos")
