"""RatingFormula: one model from no ratings to many."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
from scipy import stats

from coldrec.models.base import StarRecommender
from coldrec.rating import _priors
from coldrec.rating._beliefs import at_first, ratings_of
from coldrec.rating._gradient import by_gradient
from coldrec.rating._least_squares import LeastSquares
from coldrec.validation import DataError, check_fraction, check_ratings, check_views, check_whole

FITS = ("als", "gradient")


def rating(alpha_u, alpha_i, u, i, beta_u, beta_i):
    """Return ``α_u·α_i·cos(u, i) + β_u + β_i``, for vectors or for rows of vectors, ``(..., d)``.

    Raises ValueError for a vector of length zero, which has no direction, for NaN or infinite
    numbers in a vector, and for vectors that aren't of one length.
    """
    alpha_u, alpha_i, u, i, beta_u, beta_i = (
        np.asarray(given, float) for given in (alpha_u, alpha_i, u, i, beta_u, beta_i))
    try:
        shape = np.broadcast_shapes(u.shape, i.shape)
    except ValueError:
        shape = ()
    if not shape or u.shape[-1] != i.shape[-1]:
        raise ValueError(f"u has shape {u.shape} and i has {i.shape}; they must be two vectors of "
                         "one length, or as many rows of such.")
    if not (np.isfinite(u).all() and np.isfinite(i).all()):
        raise ValueError("u or i holds NaN or infinite values; a vector is of finite numbers. "
                         "Leave the pair out, or use 0 for unknown.")
    lengths = np.linalg.norm(u, axis=-1) * np.linalg.norm(i, axis=-1)
    if not np.all(lengths > 0):
        raise ValueError("a vector of length zero has no direction, and so no cosine. Leave its "
                         "pair out, or predict the biases alone.")
    return alpha_u * alpha_i * np.sum(u * i, axis=-1) / lengths + beta_u + beta_i


class RatingFormula(StarRecommender):
    """Predict stars by ``α_u·α_i·cos(u, i) + β_u + β_i``, with an uncertainty for each.

    ``α_u·α_i·cos(u, i)`` is the product of two vectors of lengths α: matrix factorisation with
    biases (Koren et al. 2009), written in lengths and angles. An item's vector has coordinates that
    are known from its views and ``free`` ones that its ratings teach. Before any rating, a user's
    or an item's numbers are what their views suggest, learnt from the others by ridge regressions;
    each rating then moves them by its precision. So there is one model for nobody's and everybody's
    ratings (regression-based latent factors: Agarwal & Chen 2009), and no penalty to choose: the
    variances are learnt, too.

    Parameters
    ----------
    views, user_views
        Name to matrix, one row per item (or user). Without, one that is cold is the average one:
        ``score`` of a cold item is then NaN, for it can't be told from others; ``predict``,
        ``interval`` and ``terms`` fall back on the average item's numbers.
    directions
        How many directions of the items' views are used: the strongest.
    free
        Free coordinates of each item.
    by
        ``"als"``: alternating least squares in their Bayesian form, each user and item with a
        covariance (variational Bayes: Lim & Teh 2007). ``"gradient"``: the same by Adam on parts of
        the ratings, with variances but no covariances; slower here, and open to other losses.
    sweeps, epochs
        How often users and items are fitted in turn (als), the ratings are gone through (gradient).

    After ``fit``: ``alpha_user_`` and ``alpha_item_`` (mean 1 over items with ratings),
    ``beta_user_`` (mean 0 over users with ratings) and ``beta_item_``, and ``user_vectors_`` and
    ``item_vectors_``, of length one.
    """

    scores_cold_users = True

    def __init__(self, views: dict | None = None, user_views: dict | None = None, *,
                 directions: int = 200, free: int = 8, by: str = "als", sweeps: int = 8,
                 epochs: int = 40, seed: int = 0, progress: bool = True):
        for name, given in (("views", views), ("user_views", user_views)):
            if given is not None:
                check_views(given, f"RatingFormula's {name}")
        for name, value, least in (("directions", directions, 1), ("free", free, 0),
                                   ("sweeps", sweeps, 1), ("epochs", epochs, 1),
                                   ("seed", seed, 0)):
            check_whole(value, name, least=least, example=8)
        if by not in FITS:
            raise ValueError(f"by is {by!r}; it may be one of {FITS}.")
        self.views, self.user_views = views or {}, user_views or {}
        self.directions, self.free = directions, free
        self.by, self.sweeps, self.epochs = by, sweeps, epochs
        self.seed, self.progress = seed, progress
        self.scores_cold_items = bool(self.views)

    def _fit(self, train):
        rated = train.matrix()
        about = _priors.directions(self.user_views, self.warm_users_, self.directions, "user")
        known = _priors.directions(self.views, self.warm_items_, self.directions, "item")
        start = at_first(known, self.free, rated, self.seed)
        if self.by == "als":
            fit = LeastSquares(start, about, rated, self.warm_users_, self.warm_items_)
            self.beliefs_ = fit.fit(self.sweeps, self.progress)
        else:
            self.beliefs_ = by_gradient(
                start, about, rated, self.warm_users_, self.warm_items_, epochs=self.epochs,
                seed=self.seed, progress=self.progress)
        self._in_words()

    def observe(self, ratings: pd.DataFrame, side: str) -> RatingFormula:
        """Return a model that knows further ratings, too, without fitting anew; this one stays.

        ``ratings`` has the columns user, item, rating. With ``side="item"``, what is believed of
        each of its items is worked out from all of the item's ratings, exactly, given what is
        believed of the users; with ``side="user"`` of each of its users, given the items. Without
        any rows, the model that is returned is equal to this one.
        """
        if side not in ("item", "user"):
            raise ValueError(f"side is {side!r}; it may be 'item' or 'user': whose numbers move.")
        self._rows([], [])  # refuses a model that isn't fitted
        if isinstance(ratings, pd.DataFrame) and not len(ratings):
            return copy.copy(self)
        ratings, (low, high) = check_ratings(ratings), self.train_.scale
        outside = np.flatnonzero(~ratings["rating"].between(low, high))
        if len(outside):
            row, value = outside[0], ratings["rating"][outside[0]]
            raise DataError(f"ratings, row {row}: rating is {value:g}; it must be within the scale "
                            f"of the training ratings, {low:g} to {high:g}. Bring it to this "
                            "scale, or fit anew with it.")
        both = self.train_.ratings.merge(ratings, on=["user", "item"])
        if len(both):
            raise ValueError(f"user {both.at[0, 'user']!r} and item {both.at[0, 'item']!r} have a "
                             "rating already. Leave out the known ratings, or fit anew.")
        train = self.train_.with_ratings(pd.concat([self.train_.ratings, ratings]))
        model = copy.copy(self)
        model.train_, model.beliefs_ = train, copy.deepcopy(self.beliefs_)
        model.warm_items_ = train.item_ids.isin(train.ratings["item"])
        model.warm_users_ = train.user_ids.isin(train.ratings["user"])
        matrix, beliefs = train.matrix(), model.beliefs_
        if side == "item":
            rows, update, matrix = train.item_rows(ratings["item"]), beliefs.update_item, matrix.T
        else:
            rows, update = train.user_rows(ratings["user"]), beliefs.update_user
        matrix = matrix.tocsr()
        for row in np.unique(rows):
            update(row, *ratings_of(matrix, row))
        model._in_words()
        return model

    def _in_words(self) -> None:
        """Write the beliefs in the formula's own symbols."""
        now = self.beliefs_
        users, items = now.users[:, :-1], np.hstack([now.known, now.items[:, :-1]])
        lengths = np.linalg.norm(items, axis=1)
        scale = lengths[self.warm_items_].mean() or 1.0
        self.alpha_item_ = lengths / scale
        self.alpha_user_ = np.linalg.norm(users, axis=1) * scale
        self.item_vectors_, self.user_vectors_ = _directions_of(items), _directions_of(users)
        shift = now.users[self.warm_users_, -1].mean()
        self.beta_user_ = now.users[:, -1] - shift
        self.beta_item_ = now.level + shift + now.items[:, -1]

    def _predict(self, user_rows, item_rows):
        return self.beliefs_.means(user_rows, item_rows)

    def deviation(self, users, items) -> np.ndarray:
        """Return the standard deviation of each rating, ``(len(users), len(items))``, in stars.

        It has the noise of a rating in it, and what isn't known of the user and of the item.
        """
        rows = self._rows(users, items)  # first, for it refuses a model that isn't fitted
        return np.sqrt(self.beliefs_.variances(*rows) + self.beliefs_.noise)

    def interval(self, users, items, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds that hold a rating with a probability of ``level``, within the scale."""
        check_fraction(level, "level", "0.9")
        half = stats.norm.ppf((1 + level) / 2) * self.deviation(users, items)
        mean = self._predict(*self._rows(users, items))
        low, high = (np.clip(mean + side * half, *self.train_.scale) for side in (-1, 1))
        return low, high

    def terms(self, user, item) -> pd.Series:
        """Return the formula's symbols for one user and one item, and the stars they come to."""
        (user_row,), (item_row,) = self._rows([user], [item])
        found = {"alpha_u": self.alpha_user_[user_row], "alpha_i": self.alpha_item_[item_row],
                 "cos": self.user_vectors_[user_row] @ self.item_vectors_[item_row],
                 "beta_u": self.beta_user_[user_row], "beta_i": self.beta_item_[item_row]}
        found["stars"] = (found["alpha_u"] * found["alpha_i"] * found["cos"] + found["beta_u"]
                          + found["beta_i"])
        return pd.Series(found)


def _directions_of(rows) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)
