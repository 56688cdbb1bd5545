"""How a ranking, a rating and a whole set of recommendations are judged.

Ranking metrics work on ``hits``, a boolean array ``(users, k)`` that says whether the item at each
rank is relevant, and ``n_relevant``, how many relevant items each user has in the pool. They return
one value per user; a user without a relevant item gets NaN, and means are taken over the others.

What judges the lists themselves works on ``top``, ``(users, k)`` columns of the pool. A place with
-1 is empty (fewer items than k were left for this user) and takes no part.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from coldrec.validation import check_whole


def top_k(scores, k: int, rng) -> np.ndarray:
    """Return the columns of each row's ``k`` best scores, best first: shape ``(users, k)``.

    Ties are broken at random: breaking them by position would favour low item numbers, and in
    MovieLens those are the popular films. NaN (can't be scored) comes after every score, and
    ``-inf`` (masked) last.
    """
    check_whole(k, "k")
    ranked = np.where(np.isnan(scores), np.finfo(float).min, scores)
    chance = rng.random(ranked.shape)
    return np.lexsort((chance, -ranked), axis=1)[:, :k]


def precision(hits, n_relevant) -> np.ndarray:
    """Share of the k recommended items that are relevant."""
    return _defined(hits.sum(1) / hits.shape[1], n_relevant)


def recall(hits, n_relevant) -> np.ndarray:
    """Share of the relevant items that are among the k recommended: hits / number relevant."""
    return hits.sum(1) / _defined(n_relevant, n_relevant)


def chance(n_shown, n_relevant, k: int) -> np.ndarray:
    """Expected recall of a random order, exactly: k over the ``n_shown`` items ranked, at most one.

    Each relevant item has that chance of a place among the first k, whatever their number.
    """
    check_whole(k, "k")
    return _defined(np.minimum(k / np.maximum(n_shown, 1), 1), n_relevant)


def hit_rate(hits, n_relevant) -> np.ndarray:
    """One if any of the k recommended items is relevant, else zero."""
    return _defined(hits.any(1), n_relevant)


def mrr(hits, n_relevant) -> np.ndarray:
    """One over the rank of the first relevant item, zero if it isn't among the k."""
    first = hits.argmax(1)
    return _defined(np.where(hits.any(1), 1 / (first + 1), 0.0), n_relevant)


def ndcg(hits, n_relevant) -> np.ndarray:
    """Normalised discounted cumulative gain with binary gain (Järvelin & Kekäläinen 2002).

    A hit at rank r (from 1) counts 1 / log2(r + 1); the sum is divided by that of a ranking with
    all relevant items, or k of them if there are more, in front.
    """
    discount = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    best = np.concatenate([[0.0], np.cumsum(discount)])
    ideal = best[np.minimum(n_relevant, hits.shape[1])]
    return hits @ discount / _defined(ideal, n_relevant)


def auc(scores, relevant) -> np.ndarray:
    """Probability that a relevant item scores above one that isn't; a tie counts one half.

    ``scores`` is ``(users, items)`` with ``-inf`` for items that don't take part and NaN, which
    counts as lower than every score, for items that can't be scored. ``relevant`` is boolean.
    """
    masked = np.isneginf(scores)
    ranked = np.where(np.isnan(scores), np.finfo(float).min, scores)
    ranks = stats.rankdata(ranked, axis=1) - masked.sum(1, keepdims=True)
    n = relevant.sum(1)
    others = (~masked).sum(1) - n
    above = (ranks * relevant).sum(1) - n * (n + 1) / 2
    return above / _defined(n * others, n * others)


def auc_within(users, scores, liked) -> pd.Series:
    """Return each user's AUC over rated items, ``(users,)``, indexed by user; a tie is one half.

    The three arguments have an entry a rating. NaN where a user liked all, or none. The mean is
    blind to who is generous and who isn't, which the AUC of all pairs together rewards. (Zhu et al.
    2017, arXiv 1706.06978, section 5.3, but for their weights.)
    """
    frame = pd.DataFrame({"user": np.asarray(users), "score": np.asarray(scores, float),
                          "liked": np.asarray(liked, bool)})
    by_user = frame.groupby("user")
    n = by_user["liked"].sum()
    others = by_user.size() - n
    above = (by_user["score"].rank() * frame["liked"]).groupby(frame["user"]).sum()
    pairs = (n * others).where(n * others > 0)
    return ((above - n * (n + 1) / 2) / pairs).rename("auc")


def rmse(truth, predicted) -> float:
    """Root mean squared error over all ratings, in stars; NaN if any prediction is."""
    return float(np.sqrt(np.mean((np.asarray(truth, float) - predicted) ** 2)))


def mae(truth, predicted) -> float:
    """Mean absolute error over all ratings, in stars; NaN if any prediction is."""
    return float(np.mean(np.abs(np.asarray(truth, float) - predicted)))


def coverage(top, n_items: int) -> float:
    """Share of the pool that is in at least one user's list."""
    return len(np.unique(top[top >= 0])) / n_items


def diversity(top, features) -> np.ndarray:
    """Mean of one minus the cosine over the pairs of each list (intra-list diversity).

    ``features`` is ``(items, d)``; an item without features is unlike all others. A list of one
    item has no pairs, and where d is zero nothing can be told: NaN. (Ziegler et al. 2005, as a
    distance.)
    """
    if not features.shape[1]:
        return np.full(len(top), np.nan)
    norm = np.linalg.norm(features, axis=1, keepdims=True)
    unit = np.divide(features, norm, out=np.zeros_like(features, float), where=norm > 0)
    listed = top >= 0
    lists = unit[top] * listed[:, :, None]  # (users, k, d)
    # The sum over all pairs is the squared length of the sum of the unit vectors.
    everything = (lists.sum(1) ** 2).sum(1) - (lists ** 2).sum((1, 2))
    pairs = listed.sum(1) * (listed.sum(1) - 1)
    return 1 - everything / _defined(pairs, pairs)


def novelty(top, popularity, n_users: int) -> np.ndarray:
    """Mean of ``-log2`` of the share of users who know each recommended item, in bits.

    ``popularity`` counts each item's ratings; one is added to it, so that an unknown item has a
    finite value. (Self-information, Zhou et al. 2010.)
    """
    bits = -np.log2((popularity[top] + 1) / (n_users + 1))
    n = (top >= 0).sum(1)
    return (bits * (top >= 0)).sum(1) / _defined(n, n)


def popularity_bias(top, popularity) -> float:
    """Mean popularity of what is recommended, over the mean popularity of the pool.

    One means no bias; three means that lists hold items three times as popular as the average.
    """
    average, listed = popularity.mean(), popularity[top[top >= 0]]
    return float(listed.mean() / average) if average > 0 and len(listed) else np.nan


def mean_se(values) -> tuple[float, float]:
    """Return mean and standard error (sample deviation over root n); one value has no error."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return float(values.mean()), np.nan
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def paired(a, b, confidence: float = 0.95, test_over_train: float = 0.0) -> dict:
    """Compare two models on the same seeds (or users): the mean of ``a - b`` and its interval.

    Splits differ among themselves by more than models do, so only the differences within a split
    say much. Returns ``mean, se, low, high, p, n`` of a paired t-test.

    Random splits of the same data share most of their training ratings and some of the test, so
    their differences aren't independent, and the usual variance of the mean, ``s² / n``, is too
    small. For those give ``test_over_train``, the number of test ratings over that of training
    ratings: the variance is then ``s² (1 / n + test_over_train)``, the corrected resampled t-test
    (Nadeau & Bengio 2003, "Inference for the Generalization Error", Machine Learning 52). Left at
    zero, as for users, it is the usual test.
    """
    difference = np.asarray(a, float) - np.asarray(b, float)
    if difference.ndim != 1 or len(difference) < 2:
        raise ValueError(f"paired needs two equally long lists of at least 2 values, "
                         f"not {np.shape(a)} and {np.shape(b)}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must be above 0 and below 1, as 0.95.")
    if not 0 <= test_over_train < np.inf:
        raise ValueError(f"test_over_train is {test_over_train}; it must be 0 or more, such as "
                         "len(split.test) / len(split.train).")
    n, mean = len(difference), float(difference.mean())
    se = float(difference.std(ddof=1) * np.sqrt(1 / n + test_over_train))
    if se == 0:
        return {"mean": mean, "se": 0.0, "low": mean, "high": mean, "p": float(mean == 0), "n": n}
    half = se * stats.t.ppf((1 + confidence) / 2, n - 1)
    return {"mean": mean, "se": se, "low": float(mean - half), "high": float(mean + half),
            "p": float(2 * stats.t.sf(abs(mean) / se, n - 1)), "n": n}


def _defined(values, n) -> np.ndarray:
    """Return values as floats, NaN where ``n`` is zero."""
    return np.where(np.asarray(n) > 0, values, np.nan).astype(float)
