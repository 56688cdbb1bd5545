"""Judge one recommender on one split, and show what it recommends."""

from __future__ import annotations

import reprlib

import numpy as np
import pandas as pd

from coldrec import metrics, views
from coldrec.evaluation.arguments import (
    check_fitted,
    check_honest,
    check_likes,
    check_options,
    check_pair,
)
from coldrec.evaluation.control import check_control, refit_shuffled

RANKED = ("precision", "recall", "ndcg", "mrr", "hit_rate")


def evaluate(model, split, k: int = 20, pool: str = "cold", control: str | None = None,
             per_user: bool = False, seed: int = 0):
    """Rank every item of the pool for every test user, and judge the lists.

    Parameters
    ----------
    model
        Fitted on ``split.train``; all it needs is ``score(users, items) -> (users, items)``.
        With ``predict`` of the same shape, ratings are judged too.
    pool
        ``"cold"`` ranks what is new in the split (the cold items; all items where only the users
        are new), ``"all"`` ranks the whole catalogue with each user's training items masked.
        Never a sample of it (Krichene & Rendle 2020). Where fewer than k items are left for a
        user, the list is shorter; its empty places are no hits.
    control
        ``"shuffled"`` fits a copy of the model with the cold items' side information permuted
        among the cold items, once, by ``seed``. Its score must be a random ranking's; if it is
        better, the model has seen the cold items' ratings. Side information is what a model reads
        from the items' table in ``fit``, or keeps as matrices in a dict ``views``.
    per_user
        Return the ranking metrics as a frame with one row a user, instead of the means.

    Returns
    -------
    pandas.Series
        ``recall, ndcg, precision, mrr, hit_rate`` (at k), ``auc``, the lists' ``coverage,
        diversity`` (over genres), ``novelty`` (bits) and ``popularity_bias``, ``rmse`` and
        ``mae`` (stars; NaN without ``predict``), ``chance``, the expected recall of a random order
        (see :func:`metrics.chance`), and ``users``, how many were judged. Where the pool mixes
        cold and warm items, also ``recall_cold`` and ``recall_warm``, over the relevant items of
        each kind, and ``share_cold``, how much of the lists is cold. A test item is relevant from
        ``like`` stars on. Novelty and popularity bias use the popularity in all the data, which
        the judge may know and the model may not.
    """
    check_pair(model, split, "evaluate")
    check_options(k, pool)
    check_control(model, split, control)
    if control:
        model = refit_shuffled(model, split, seed)
        check_pair(model, split, "evaluate")
    check_fitted(model)
    check_honest(model, split)
    train, test = split.train, split.test
    items = _pool(split, pool)
    columns = train.item_rows(items)
    users = train.user_ids[train.user_ids.isin(test.ratings["user"])]
    relevant = test.matrix(likes=True)[train.user_rows(users)][:, columns].toarray() > 0
    check_likes(relevant, split, pool)
    scores = _scores(model, split, users, items)
    top = _lists(scores, k, seed)
    hits = np.take_along_axis(relevant, top, axis=1) & (top >= 0)
    n_relevant = relevant.sum(1)
    is_cold = pd.Index(items).isin(split.cold_items)
    mixes = is_cold.any() and not is_cold.all()
    table = pd.DataFrame({name: getattr(metrics, name)(hits, n_relevant) for name in RANKED},
                         index=pd.Index(users, name="user"))
    table["auc"] = metrics.auc(scores, relevant)
    if mixes:
        for part, of_part in (("cold", is_cold), ("warm", ~is_cold)):
            table[f"recall_{part}"] = metrics.recall(hits & of_part[top],
                                                     relevant[:, of_part].sum(1))
    if per_user:
        return table
    popularity = _popularity(split)[columns]
    row = table.mean()
    if mixes:
        row["share_cold"] = is_cold[top[top >= 0]].mean()
    row["coverage"] = metrics.coverage(top, len(items))
    row["diversity"] = _mean(metrics.diversity(top, _genres(train)[columns]))
    row["novelty"] = _mean(metrics.novelty(top, popularity, len(train.user_ids)))
    row["popularity_bias"] = metrics.popularity_bias(top, popularity)
    row["rmse"], row["mae"] = _star_errors(model, split)
    row["chance"] = _mean(metrics.chance((~np.isneginf(scores)).sum(1), n_relevant, k))
    row["users"] = int((n_relevant > 0).sum())
    return row


def recommend(model, split, user, k: int = 10, pool: str = "cold") -> pd.DataFrame:
    """Return one user's ``k`` best items of the pool, best first, as rows of ``Ratings.items``.

    The column ``stars`` has the rating that the user gave in the test; NaN where there is none.
    What the user rated in training is never in the list, nor what the model can't score: it may be
    shorter than ``k``, or empty.
    """
    check_pair(model, split, "recommend")
    check_options(k, pool)
    if not pd.api.types.is_scalar(user):
        raise TypeError(f"user is {reprlib.repr(user)}, a {type(user).__name__}; it must be one "
                        f"user's id, such as {split.train.user_ids.tolist()[0]!r}.")
    split.train.user_rows([user])
    check_fitted(model)
    items = _pool(split, pool)
    scores = _scores(model, split, [user], items)
    best = metrics.top_k(scores, min(k, len(items)), np.random.default_rng(0))[0]
    best = best[np.isfinite(scores[0, best])]
    rows = split.train.items.iloc[split.train.item_rows(items[best])]
    given = split.test.ratings.query("user == @user").set_index("item")["rating"]
    return rows.assign(stars=rows["item"].map(given)).set_index(pd.RangeIndex(1, len(rows) + 1))


def _pool(split, pool) -> pd.Index:
    return split.pool if pool == "cold" else split.train.item_ids


def _scores(model, split, users, items) -> np.ndarray:
    """Return checked scores, ``-inf`` for what the user rated in training."""
    scores = np.asarray(model.score(users, items), dtype=float)
    if scores.shape != (len(users), len(items)):
        raise ValueError(f"score returned shape {scores.shape} for {len(users)} users and "
                         f"{len(items)} items; it must be ({len(users)}, {len(items)}).")
    if np.isinf(scores).any():
        raise ValueError("score returned an infinite value; what can't be scored is NaN.")
    train = split.train
    seen = train.matrix()[train.user_rows(users)][:, train.item_rows(items)].toarray() > 0
    return np.where(seen, -np.inf, scores)


def _lists(scores, k, seed) -> np.ndarray:
    """Return each user's list as columns, with -1 for the places that masked items would fill."""
    top = metrics.top_k(scores, min(k, scores.shape[1]), np.random.default_rng(seed))
    return np.where(np.isneginf(np.take_along_axis(scores, top, axis=1)), -1, top)


def _mean(values) -> float:
    """Return the mean over the users for whom it is defined; NaN if there are none."""
    return pd.Series(values).mean()


def _genres(train) -> np.ndarray:
    """Return the genres, or no columns where nothing is known of them (diversity is NaN then)."""
    return (views.genres(train) if "genres" in train.items
            else np.zeros((len(train.item_ids), 0)))


def _star_errors(model, split) -> tuple[float, float]:
    if not hasattr(model, "predict"):
        return np.nan, np.nan
    frame = split.test.ratings
    users, items = pd.Index(frame["user"].unique()), pd.Index(frame["item"].unique())
    stars = np.asarray(model.predict(users, items), float)
    guess = stars[users.get_indexer(frame["user"]), items.get_indexer(frame["item"])]
    return metrics.rmse(frame["rating"], guess), metrics.mae(frame["rating"], guess)


def _popularity(split) -> np.ndarray:
    counts = [np.asarray((part.matrix() > 0).sum(0)).ravel() for part in (split.train, split.test)]
    return counts[0] + counts[1]
