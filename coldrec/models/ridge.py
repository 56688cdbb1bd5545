"""ViewRidge: from what is known of the items to what the users think of them, in one solve."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from coldrec.models import kernels
from coldrec.models.base import Recommender
from coldrec.models.ease import EASE
from coldrec.validation import check_views


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
        check_views(views, type(self).__name__)
        if side not in ("item", "user"):
            raise ValueError(f"side is {side!r}; it may be 'item' or 'user'.")
        teaches = not isinstance(targets, type) and hasattr(targets, "score")
        if not teaches and not (isinstance(targets, str) and targets in ("likes", "ease")):
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
        parts = kernels.scaled(self.views, warm, self.side, self.weights)
        targets = self._targets(train)[warm]
        self.intercept_ = targets.mean(0)
        wide = sum(view.shape[1] for view, _ in parts) > warm.sum()
        self.predictions_ = (_dual if wide else _primal)(
            parts, warm, targets - self.intercept_, self.regularisation * warm.sum())
        self.predictions_ += self.intercept_
        if self.side == "item":
            known = self.predictions_[:, self.warm_users_]
            self.predictions_[:, ~self.warm_users_] = known.mean(1, keepdims=True)

    def _score(self, user_rows, item_rows):
        rows, columns = ((item_rows, user_rows) if self.side == "item" else (user_rows, item_rows))
        scores = self.predictions_[np.ix_(rows, columns)]
        return scores.T if self.side == "item" else scores

    def _targets(self, train):
        """Return what to predict, ``(items, users)``, or the transpose for ``side="user"``."""
        if isinstance(self.targets, str) and self.targets == "likes":
            targets = train.matrix(likes=True).toarray()
        else:
            teacher = EASE().fit(train) if isinstance(self.targets, str) else self.targets
            # Rows and columns that the teacher can't score are cold, and left out of the fit.
            targets = np.nan_to_num(teacher.score(train.user_ids, train.item_ids))
        return targets.T if self.side == "item" else targets


def _primal(parts, warm, targets, penalty) -> np.ndarray:
    """Fit on the warm rows, solving for the views' columns, and return predictions for all rows."""
    features = np.hstack([kernels.centred(view, warm) * scale for view, scale in parts])
    known = features[warm]
    gram = known.T @ known
    gram[np.diag_indices_from(gram)] += penalty
    return features @ linalg.solve(gram, known.T @ targets, assume_a="pos")


def _dual(parts, warm, targets, penalty) -> np.ndarray:
    """The same solved for the warm rows: quicker where there are fewer of them than columns."""
    kernel = kernels.kernel(parts, warm)
    known = kernel[warm]
    known[np.diag_indices_from(known)] += penalty
    return kernel @ linalg.solve(known, targets, assume_a="pos")
