"""Metrics against hand-worked cases, scikit-learn, brute force and their own laws."""

from __future__ import annotations

from itertools import combinations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from sklearn import metrics as sklearn_metrics

from coldrec import metrics

RANKING = [metrics.precision, metrics.recall, metrics.hit_rate, metrics.mrr, metrics.ndcg]


def seeded():
    return np.random.default_rng(0)


# Four users' lists of five. The first has hits at ranks 1 and 3 of 3 relevant items, the second
# none of 2, the third nothing relevant at all, the fourth a hit at rank 4 of 8.
HITS = np.array([[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0]], dtype=bool)
RELEVANT = np.array([3, 2, 0, 8])


@pytest.mark.parametrize(("metric", "right"), [
    (metrics.precision, [2 / 5, 0, np.nan, 1 / 5]),
    (metrics.recall, [2 / 3, 0, np.nan, 1 / 8]),
    (metrics.hit_rate, [1, 0, np.nan, 1]),
    (metrics.mrr, [1, 0, np.nan, 1 / 4]),  # one over the rank of the first hit
    # Discounts 1/log2(r + 1): 1, 0.6309, 0.5, 0.4307, 0.3869. The first user has 1 + 0.5 of an
    # ideal 1 + 0.6309 + 0.5 = 2.1309; the fourth 0.4307 of all five, 2.9485 (8 don't fit in 5).
    (metrics.ndcg, [1.5 / 2.1309, 0, np.nan, 0.4307 / 2.9485]),
])
def test_ranking_metric_by_hand(metric, right):
    assert_allclose(metric(HITS, RELEVANT), right, atol=1e-4)


def test_perfect_list_has_ndcg_one_whether_or_not_all_relevant_items_fit():
    hits = np.array([[1, 1, 0], [1, 1, 1]], dtype=bool)
    assert_allclose(metrics.ndcg(hits, np.array([2, 10])), 1)
    assert_allclose(metrics.recall(hits, np.array([2, 10])), [1, 0.3])


@st.composite
def judged_lists(draw):
    """Draw ``hits`` and an ``n_relevant`` that allows them."""
    hits = draw(hnp.arrays(bool, st.tuples(st.integers(1, 5), st.integers(1, 8))))
    more = draw(hnp.arrays(int, len(hits), elements=st.integers(0, 5)))
    return hits, hits.sum(1) + more


@given(judged_lists())
def test_ranking_metrics_are_nan_without_relevant_items_and_else_from_zero_to_one(lists):
    for metric in RANKING:
        values = metric(*lists)
        assert (np.isnan(values) == (lists[1] == 0)).all()
        assert ((values >= 0) & (values <= 1 + 1e-12) | np.isnan(values)).all()


@given(judged_lists(), st.data())
def test_moving_a_hit_up_raises_ndcg_and_never_lowers_mrr(lists, data):
    hits, n_relevant = lists
    movable = np.argwhere(hits[:, 1:] & ~hits[:, :-1])
    if not len(movable):
        return
    row, rank = data.draw(st.sampled_from(movable.tolist()))
    better = hits.copy()
    better[row, [rank, rank + 1]] = True, False
    assert metrics.ndcg(better, n_relevant)[row] > metrics.ndcg(hits, n_relevant)[row]
    assert metrics.mrr(better, n_relevant)[row] >= metrics.mrr(hits, n_relevant)[row]
    for metric in (metrics.precision, metrics.recall, metrics.hit_rate):  # they ignore the order
        assert metric(better, n_relevant)[row] == metric(hits, n_relevant)[row]


@pytest.mark.parametrize("k", [1, 5, 20])
def test_ranking_metrics_agree_with_scikit_learn(k):
    rng = seeded()
    relevant = rng.random((30, 40)) < 0.15
    relevant[:, 0] = True  # scikit-learn needs a relevant item for each
    scores = rng.normal(size=relevant.shape)
    top = metrics.top_k(scores, k, rng)
    hits, n_relevant = np.take_along_axis(relevant, top, 1), relevant.sum(1)
    listed = np.zeros_like(relevant)
    np.put_along_axis(listed, top, True, 1)
    rows = range(len(relevant))
    for ours, theirs in [
        (metrics.precision, [sklearn_metrics.precision_score(relevant[i], listed[i])
                             for i in rows]),
        (metrics.recall, [sklearn_metrics.recall_score(relevant[i], listed[i]) for i in rows]),
        (metrics.ndcg, [sklearn_metrics.ndcg_score(relevant[[i]], scores[[i]], k=k)
                        for i in rows]),
    ]:
        assert_allclose(ours(hits, n_relevant), theirs)


def test_mrr_agrees_with_scikit_learn_where_one_item_is_relevant():
    """Average precision with a single relevant item is one over its rank."""
    rng = seeded()
    scores = rng.normal(size=(30, 12))
    relevant = np.eye(12, dtype=bool)[rng.integers(12, size=30)]
    hits = np.take_along_axis(relevant, metrics.top_k(scores, 12, rng), 1)
    theirs = [sklearn_metrics.label_ranking_average_precision_score(relevant[[i]], scores[[i]])
              for i in range(30)]
    assert_allclose(metrics.mrr(hits, relevant.sum(1)), theirs)


def test_top_k_by_hand():
    scores = np.array([[0.1, 0.9, 0.5, 0.7], [3, -2, -1, 0]])
    assert metrics.top_k(scores, 3, seeded()).tolist() == [[1, 3, 2], [0, 3, 2]]


def test_top_k_puts_what_cannot_be_scored_after_scores_and_what_is_masked_last():
    scores = np.array([[-np.inf, np.nan, -1e300, 5.0, -np.inf, np.nan]] * 50)
    top = metrics.top_k(scores, 6, seeded())
    assert (top[:, :2] == [3, 2]).all()
    assert (np.sort(top[:, 2:4]) == [1, 5]).all()
    assert (np.sort(top[:, 4:]) == [0, 4]).all()


def test_top_k_of_fewer_items_is_all_of_them():
    assert metrics.top_k(np.array([[1.0, 2.0]]), 20, seeded()).tolist() == [[1, 0]]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([1.0, 2.0, np.nan]), min_size=2, max_size=6), st.data())
def test_top_k_breaks_ties_fairly(row, data):
    """Whatever the scores: lists are sorted, and tied items have the same chance of a place."""
    n, k = 2000, data.draw(st.integers(1, len(row)))
    top = metrics.top_k(np.tile(row, (n, 1)), k, seeded())
    values = np.nan_to_num(row, nan=0.0)
    assert (values[top] == np.sort(values)[::-1][:k]).all()
    for value in np.unique(values):
        tied = np.flatnonzero(values == value)
        better = (values > value).sum()
        expected = np.clip(k - better, 0, len(tied)) / len(tied)
        found = np.array([(top == item).any(1).mean() for item in tied])
        assert (np.abs(found - expected) < 5 * 0.5 / np.sqrt(n)).all()


@pytest.mark.parametrize(("k", "message"), [
    (0, "k is 0; it must be a whole number from 1 on"), (-3, "k is -3"), (2.0, "k is 2.0, a float"),
    ("2", "k is '2', a str"), (True, "k is True, a bool"), (None, "k is None")])
def test_a_k_that_is_none_is_refused(k, message):
    with pytest.raises((ValueError, TypeError), match=message):
        metrics.top_k(np.ones((2, 3)), k, seeded())
    with pytest.raises((ValueError, TypeError), match=message):
        metrics.chance(np.ones(2), np.ones(2), k)


def test_auc_by_hand():
    # Relevant items score 3 and 1, the others 2 and 0: of the four pairs 3>2, 3>0, 1>0 are right.
    assert metrics.auc(np.array([[3.0, 2, 1, 0]]), np.array([[1, 0, 1, 0]]) > 0) == [3 / 4]
    # A tie counts one half: 1 = 1 and 1 > 0.
    assert metrics.auc(np.array([[1.0, 1, 0]]), np.array([[1, 0, 0]]) > 0) == [(0.5 + 1) / 2]


def test_auc_leaves_masked_items_out_and_ranks_unknown_ones_below_all():
    scores = np.array([[-np.inf, 2.0, 1.0, np.nan, -np.inf]])
    # Without the masked two: the relevant item scores 1, above the NaN and below the 2.
    assert metrics.auc(scores, np.array([[0, 0, 1, 0, 0]]) > 0) == [1 / 2]
    assert metrics.auc(scores, np.array([[0, 0, 0, 1, 0]]) > 0) == [0]
    assert metrics.auc(np.full((1, 4), np.nan), np.array([[1, 0, 0, 0]]) > 0) == [1 / 2]


def test_auc_is_nan_where_nothing_or_everything_is_relevant():
    scores = np.zeros((2, 3))
    assert np.isnan(metrics.auc(scores, np.array([[0, 0, 0], [1, 1, 1]]) > 0)).all()


def test_auc_agrees_with_scikit_learn_on_ties_masks_and_unknowns():
    rng = seeded()
    scores = rng.integers(-2, 4, (40, 25)).astype(float)
    relevant = rng.random(scores.shape) < 0.3
    scores[rng.random(scores.shape) < 0.1] = np.nan
    masked = (rng.random(scores.shape) < 0.2) & ~relevant
    ours = metrics.auc(np.where(masked, -np.inf, scores), relevant)
    for user in range(len(scores)):
        shown = ~masked[user]
        theirs = sklearn_metrics.roc_auc_score(
            relevant[user, shown], np.nan_to_num(scores[user, shown], nan=-100))
        assert_allclose(ours[user], theirs)


def test_star_errors_by_hand_and_by_scikit_learn():
    # Errors 1, 0, -2: the mean square is 5 / 3, the mean size 3 / 3.
    assert_allclose(metrics.rmse([4, 3, 1], np.array([3.0, 3, 3])), np.sqrt(5 / 3))
    assert metrics.mae([4, 3, 1], np.array([3.0, 3, 3])) == 1
    truth, guess = seeded().uniform(1, 5, (2, 100))
    assert_allclose(metrics.rmse(truth, guess),
                    sklearn_metrics.root_mean_squared_error(truth, guess))
    assert_allclose(metrics.mae(truth, guess), sklearn_metrics.mean_absolute_error(truth, guess))


def test_star_errors_are_nan_if_one_prediction_is():
    assert np.isnan(metrics.rmse([1, 2], np.array([1, np.nan])))
    assert np.isnan(metrics.mae([1, 2], np.array([1, np.nan])))


def test_coverage_by_hand():
    assert metrics.coverage(np.array([[0, 1], [1, 4]]), n_items=6) == 3 / 6  # items 0, 1, 4 of 6


def test_diversity_by_hand():
    features = np.array([[1, 0], [2, 0], [0, 3], [0, 0]])
    # Items 0 and 1 point the same way: 0. Items 0 and 2 are orthogonal: 1. Of 0, 1, 2 one pair
    # of three is alike: 2/3. Item 3 has no features: it is unlike all others.
    assert_allclose(metrics.diversity(np.array([[0, 1], [0, 2], [0, 3]]), features), [0, 1, 1])
    assert_allclose(metrics.diversity(np.array([[0, 1, 2]]), features), [2 / 3])


def test_diversity_agrees_with_brute_force_over_pairs():
    rng = seeded()
    features = rng.normal(size=(15, 4))
    features[3] = 0
    top = np.array([rng.permutation(15)[:6] for _ in range(10)])

    def cosine(a, b):
        norms = np.linalg.norm(a) * np.linalg.norm(b)
        return a @ b / norms if norms else 0.0

    brute = [np.mean([1 - cosine(features[a], features[b]) for a, b in combinations(row, 2)])
             for row in top]
    assert_allclose(metrics.diversity(top, features), brute)


def test_diversity_is_nan_without_pairs_or_features():
    assert np.isnan(metrics.diversity(np.array([[0], [1]]), np.eye(2))).all()
    assert np.isnan(metrics.diversity(np.array([[0, 1]]), np.zeros((2, 0)))).all()


def test_empty_places_take_no_part():
    """Users with 3, 2, 1 and no items: each is judged on those, as on lists of that length."""
    top = np.array([[0, 1, 2], [0, 2, -1], [2, -1, -1], [-1, -1, -1]])
    features = np.array([[1, 0], [2, 0], [0, 3], [5, 5]])
    popularity = np.array([7, 3, 0, 99])
    assert metrics.coverage(top, n_items=4) == 3 / 4
    assert metrics.coverage(top[3:], n_items=4) == 0
    assert_allclose(metrics.diversity(top, features), [2 / 3, 1, np.nan, np.nan])
    assert_allclose(metrics.novelty(top, popularity, 7), [(0 + 1 + 3) / 3, 3 / 2, 3, np.nan])
    assert_allclose(metrics.popularity_bias(top, popularity), (7 + 3 + 0 + 7 + 0 + 0) / 6 / 27.25)
    assert np.isnan(metrics.popularity_bias(top[3:], popularity))


def test_chance_by_hand():
    # Two of ten; two of three; both of two; one item is sure to be found; without likes, NaN.
    found = metrics.chance(np.array([10, 3, 2, 1, 5, 0]), np.array([4, 1, 1, 1, 0, 0]), 2)
    assert_allclose(found, [2 / 10, 2 / 3, 1, 1, np.nan, np.nan])


def test_novelty_by_hand():
    # Seven users. Nobody rated item 0: -log2(1 / 8) = 3 bits; three rated item 1: -log2(4 / 8) = 1.
    assert metrics.novelty(np.array([[0, 1], [1, 1]]), np.array([0, 3]), 7).tolist() == [2, 1]


def test_popularity_bias_by_hand():
    # The lists' items were rated 10, 2, 10, 0 times: 5.5 on average; the pool's mean is 12 / 3.
    top = np.array([[0, 1], [0, 2]])
    assert metrics.popularity_bias(top, np.array([10, 2, 0])) == 5.5 / 4
    assert np.isnan(metrics.popularity_bias(top, np.zeros(3)))


def test_mean_and_standard_error_by_hand():
    # Deviations from 2.5: 1.5, 0.5, 0.5, 1.5; variance 5 / 3; over root 4.
    mean, se = metrics.mean_se([1, 2, 3, 4])
    assert mean == 2.5
    assert_allclose(se, np.sqrt(5 / 3) / 2)
    assert metrics.mean_se([7])[0] == 7
    assert np.isnan(metrics.mean_se([7])[1])


@settings(deadline=None)
@given(hnp.arrays(float, st.tuples(st.just(2), st.integers(3, 12)),
                  elements=st.integers(0, 100).map(float)),
       st.sampled_from([0.8, 0.95]))
def test_paired_agrees_with_scipy(values, confidence):
    a, b = values
    found = metrics.paired(a, b, confidence)
    assert_allclose(found["mean"], a.mean() - b.mean(), atol=1e-9)
    assert found["n"] == len(a)
    assert found["low"] <= found["mean"] <= found["high"]
    if np.ptp(a - b) > 0:
        test = stats.ttest_rel(a, b)
        assert_allclose(found["p"], test.pvalue)
        assert_allclose((found["low"], found["high"]), test.confidence_interval(confidence))
        assert_allclose(found["se"], stats.sem(a - b))


def test_paired_corrects_for_splits_that_overlap():
    # Differences 1, 2, 3: mean 2, variance 1. With one test rating for six of training, the
    # variance of the mean is 1 (1/3 + 1/6) = 1/2 and t is 2 / 0.7071 = 2.8284. For 2 degrees of
    # freedom p = 1 - t / sqrt(2 + t²) = 1 - 2.8284 / 3.1623, and the 97.5 % quantile is 4.3027.
    found = metrics.paired([2, 4, 6], [1, 2, 3], test_over_train=1 / 6)
    assert found == pytest.approx({"mean": 2, "se": 0.70711, "low": 2 - 3.04243,
                                   "high": 2 + 3.04243, "p": 0.10557, "n": 3}, abs=1e-4)
    plain = metrics.paired([2, 4, 6], [1, 2, 3])
    assert_allclose(plain["se"], np.sqrt(1 / 3))
    assert plain["low"] > found["low"]


@pytest.mark.parametrize(("option", "message"), [
    ({"test_over_train": -0.1}, "test_over_train is -0.1; it must be 0 or more"),
    ({"test_over_train": np.nan}, "test_over_train is nan"),
    ({"confidence": 95}, "confidence is 95; it must be above 0 and below 1"),
])
def test_paired_refuses_options_that_cannot_be(option, message):
    with pytest.raises(ValueError, match=message):
        metrics.paired([1, 2], [2, 4], **option)


def test_paired_of_a_difference_that_never_varies():
    assert metrics.paired([1, 2], [1, 2])["p"] == 1
    assert metrics.paired([2, 3], [1, 2]) == {
        "mean": 1.0, "se": 0.0, "low": 1.0, "high": 1.0, "p": 0.0, "n": 2}


@pytest.mark.parametrize(("a", "b"), [([1], [2]), (3.0, 4.0), (np.eye(2), np.eye(2))])
def test_paired_refuses_what_is_no_pair_of_lists(a, b):
    with pytest.raises(ValueError, match="equally long lists"):
        metrics.paired(a, b)
