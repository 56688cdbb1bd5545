"""The judge: against brute force, against cheats, on foreign data, and the course's bars."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats

import coldrec as cr
from coldrec import metrics, models, splits, views
from coldrec.evaluation import compare, evaluate, leaderboard, recommend, runs, summarise


class Says:
    """An outside model, no kin of ours: it says what it is told, for ids in the data's order."""

    def __init__(self, ml, scores):
        self.ml, self.scores = ml, np.asarray(scores, float)

    def fit(self, train):
        return self

    def score(self, users, items):
        return self.scores[np.ix_(self.ml.user_rows(users), self.ml.item_rows(items))]


class Cheat:
    """It looks the test's ratings up by id, whatever it is told about the items."""

    def __init__(self, split):
        self.test = split.test

    def fit(self, train):
        return self

    def score(self, users, items):
        stars = self.test.matrix().toarray()
        return stars[np.ix_(self.test.user_rows(users), self.test.item_rows(items))]


def random_scores(ml, seed=0):
    return np.random.default_rng(seed).random((len(ml.user_ids), len(ml.item_ids)))


def brute_force(split, scores, k, pool):
    """Recall, NDCG, precision, MRR and hit rate by loops over dictionaries; no two scores tie."""
    ml, rows = split.train, {}
    train = {(r.user, r.item) for r in ml.ratings.itertuples()}
    liked = {(r.user, r.item) for r in split.test.ratings.itertuples() if r.rating >= ml.like}
    for user in ml.user_ids:
        if user not in set(split.test.ratings["user"]):
            continue
        shown = [i for i in (split.pool if pool == "cold" else ml.item_ids)
                 if (user, i) not in train]
        by_score = {i: scores[ml.user_rows([user])[0], ml.item_rows([i])[0]] for i in shown}
        best = sorted(shown, key=by_score.get, reverse=True)[:k]
        relevant = {i for i in shown if (user, i) in liked}
        row = dict.fromkeys(["recall", "ndcg", "precision", "mrr", "hit_rate",
                             "recall_cold", "recall_warm"], np.nan)
        if relevant:
            hits = [i in relevant for i in best]
            gain = sum(hit / np.log2(rank + 2) for rank, hit in enumerate(hits))
            ideal = sum(1 / np.log2(rank + 2) for rank in range(min(k, len(relevant))))
            row |= {"recall": sum(hits) / len(relevant), "ndcg": gain / ideal,
                    "precision": sum(hits) / k, "hit_rate": float(any(hits)),
                    "mrr": 1 / (hits.index(True) + 1) if any(hits) else 0.0}
        for part, kind in (("cold", set(split.cold_items)),
                           ("warm", set(ml.item_ids) - set(split.cold_items))):
            if relevant & kind:
                row[f"recall_{part}"] = len(relevant & kind & set(best)) / len(relevant & kind)
        rows[user] = row
    return pd.DataFrame(rows).T.rename_axis("user")


SPLITS = {
    "warm": splits.warm, "item_cold": splits.item_cold, "user_cold": splits.user_cold,
    "both_cold": lambda ml: splits.both_cold(ml, fraction=0.4), "mixed": splits.mixed,
    "k_shot": lambda ml: splits.k_shot(splits.item_cold(ml, fraction=0.4), 3),
}


@pytest.mark.parametrize("pool", ["cold", "all"])
@pytest.mark.parametrize("name", SPLITS)
def test_lists_are_those_of_brute_force(tiny, name, pool):
    split, scores = SPLITS[name](tiny), random_scores(tiny)
    found = evaluate(Says(tiny, scores), split, k=3, pool=pool, per_user=True)
    expected = brute_force(split, scores, 3, pool)
    mixes = pool == "all" and len(split.cold_items) > 0
    assert ("recall_cold" in found) == ("recall_warm" in found) == mixes
    assert ("share_cold" in evaluate(Says(tiny, scores), split, k=3, pool=pool)) == mixes
    columns = found.columns.drop("auc")
    assert_frame_equal(found[columns], expected.loc[found.index, columns].astype(float))
    assert len(found) == len(expected)
    assert found["ndcg"].notna().any()

    row = evaluate(Says(tiny, scores), split, k=3, pool=pool)
    assert_allclose(row[found.columns], found.mean())
    assert row["users"] == found["recall"].notna().sum()


def test_mixed_pool_splits_recall_by_what_was_cold(tiny):
    """A model that puts all cold items in front finds every cold one, and no warm one."""
    split = splits.mixed(tiny, cold=0.2, warm=0.2)
    cold_first = np.tile(tiny.item_ids.isin(split.cold_items), (30, 1)) + 0.1 * random_scores(tiny)
    row = evaluate(Says(tiny, cold_first), split, k=len(split.cold_items), pool="all")
    assert row["recall_cold"] == 1
    assert row["recall_warm"] == 0
    assert row["share_cold"] == 1
    assert 0 < row["recall"] < 1
    # Lists of all that is left: the cold items, and what each user didn't rate in training.
    users = split.test.ratings["user"].unique()
    left = 20 * len(users) - split.train.ratings["user"].isin(users).sum()
    whole = evaluate(Says(tiny, cold_first), split, k=20, pool="all")
    assert_allclose(whole["share_cold"], len(split.cold_items) * len(users) / left)


def test_all_pool_never_counts_what_was_seen(tiny):
    """A model that loves what the user rated in training is judged on the rest of its list."""
    split = splits.warm(tiny, fraction=0.3)
    scores = random_scores(tiny)
    seen = 100 * (split.train.matrix().toarray() > 0)
    judged = [evaluate(Says(tiny, s), split, k=3, pool="all") for s in (scores, scores + seen)]
    assert_array_equal(*judged)


def short_lists():
    """One item is left for user 1, three for user 2; see the test below."""
    train = [(1, "a"), (1, "b"), (1, "c"), (2, "a"), (3, "c")]
    test = [(1, "d"), (2, "b")]
    frame = pd.DataFrame(train + test, columns=["user", "item"]).assign(rating=5)
    items = pd.DataFrame({"item": list("abcd"), "genres": ["X", "X", "X", "Y"]})
    ml = cr.Ratings.from_frames(frame, items)
    return splits.Split("short", ml.with_ratings(ml.ratings[:5]), ml.with_ratings(ml.ratings[5:]))


def test_what_was_rated_in_training_never_fills_a_short_list():
    split = short_lists()
    model = Says(split.train, [[9, 8, 7, 1], [9, 3, 2, 1], [0, 0, 0, 0]])
    row = evaluate(model, split, k=3, pool="all")
    assert_allclose(row[["recall", "precision"]], [1, 1 / 3])  # empty places are no hits
    # The lists are d, and b, c, d. Ratings in all: a, b, c 2 each, d 1; three users.
    assert_allclose(row["coverage"], 3 / 4)
    assert_allclose(row["diversity"], 2 / 3)  # of the second: of its pairs only b and c are alike
    assert_allclose(row["novelty"], (1 + (1 - 2 * np.log2(3 / 4)) / 3) / 2)  # d has 1 bit
    assert_allclose(row["popularity_bias"], (1 + 2 + 2 + 1) / 4 / (7 / 4))
    assert row["chance"] == 1
    # k is 1: user 1 has one item to find it among, user 2 three.
    assert_allclose(evaluate(model, split, k=1, pool="all")["chance"], (1 + 1 / 3) / 2)
    assert recommend(model, split, user=1, k=3, pool="all")["item"].tolist() == ["d"]
    assert recommend(model, split, user=2, k=3, pool="all")["item"].tolist() == ["b", "c", "d"]


@pytest.mark.parametrize("pool", ["cold", "all"])
def test_chance_is_what_random_orders_find(tiny, pool):
    split = splits.item_cold(tiny, fraction=0.4)
    rows = [evaluate(models.Random(seed).fit(split.train), split, k=3, pool=pool)
            for seed in range(200)]
    assert len({row["chance"] for row in rows}) == 1
    mean, se = metrics.mean_se([row["recall"] for row in rows])
    assert abs(mean - rows[0]["chance"]) < 3 * se < 0.05
    if pool == "cold":
        assert rows[0]["chance"] == 3 / len(split.pool)
    else:  # the fewer are left for a user, the likelier: well above 3 of the catalogue's 20
        assert rows[0]["chance"] > 3 / 20 + 3 * se


def test_without_genres_diversity_alone_is_unknown(tiny):
    split = splits.item_cold(tiny.with_items(tiny.items.drop(columns="genres")))
    row = evaluate(models.Random().fit(split.train), split, k=2)
    assert np.isnan(row["diversity"])
    assert row[["recall", "coverage", "novelty", "popularity_bias"]].notna().all()


def test_what_is_in_front_of_the_list(tiny):
    """Coverage, diversity, novelty, popularity bias: of one list that all users get."""
    split = splits.item_cold(tiny, fraction=0.3)
    items = split.cold_items[:2]
    rows = tiny.item_rows(items)
    scores = np.zeros((30, 20))
    scores[:, rows] = [2, 1]
    row = evaluate(Says(tiny, scores), split, k=2)
    count = tiny.ratings["item"].value_counts()  # train and test together
    one, two = (set(tiny.items["genres"][r]) for r in rows)
    cosine = len(one & two) / np.sqrt(len(one) * len(two))
    assert_allclose(row["coverage"], 2 / len(split.cold_items))
    assert_allclose(row["diversity"], 1 - cosine)
    assert_allclose(row["novelty"], -np.log2((count[items] + 1) / 31).mean())
    assert_allclose(row["popularity_bias"],
                    count[items].mean() / count[split.cold_items].mean())


def test_stars_are_judged_where_there_are_some(tiny):
    split = splits.item_cold(tiny.with_ratings(tiny.ratings.sample(frac=1, random_state=0)))
    bias = models.Bias().fit(split.train)
    row = evaluate(bias, split)
    guess = [bias.predict([r.user], [r.item])[0, 0] for r in split.test.ratings.itertuples()]
    assert_allclose(row["rmse"], metrics.rmse(split.test.ratings["rating"], guess))
    assert_allclose(row["mae"], metrics.mae(split.test.ratings["rating"], guess))
    silent = evaluate(models.Random().fit(split.train), split)
    assert np.isnan(silent[["rmse", "mae"]]).all()


def test_pool_smaller_than_k_is_ranked_whole(tiny):
    split = splits.item_cold(tiny)
    row = evaluate(Says(tiny, random_scores(tiny)), split, k=1000)
    assert row["recall"] == 1
    assert row["coverage"] == 1


def test_cold_users_are_judged_on_the_whole_catalogue(tiny):
    split = splits.user_cold(tiny)
    table = evaluate(models.Popularity().fit(split.train), split, k=5, per_user=True)
    assert set(table.index) == set(split.cold_users)
    best = evaluate(models.TestCountOracle(split).fit(split.train), split, k=5)
    assert best["recall"] > table["recall"].mean() > 0


def test_new_users_and_new_items_at_once(tiny):
    split = SPLITS["both_cold"](tiny)
    table = evaluate(Says(tiny, random_scores(tiny)), split, k=2, per_user=True)
    assert set(table.index) <= set(split.cold_users)
    oracle = models.TestCountOracle(split).fit(split.train)
    assert evaluate(oracle, split, k=2)["recall"] > table["recall"].mean()


def test_a_few_ratings_make_a_cold_item_known(tiny):
    """With k shots EASE can score the new items; their few known raters don't get them again."""
    split = SPLITS["k_shot"](tiny)
    model = models.EASE().fit(split.train)
    assert np.isfinite(model.score(split.train.user_ids, split.pool)).all()
    row = evaluate(model, split, k=len(split.pool))
    assert row["recall"] == 1


@pytest.mark.parametrize(("bad", "message"), [
    (lambda scores: scores.T, r"shape \(\d+, \d+\) for \d+ users and \d+ items; it must be"),
    (lambda scores: scores[:, 0], r"shape \(\d+,\)"),
    (lambda scores: np.where(scores > 0.5, np.inf, scores), "infinite value.*is NaN"),
    (lambda scores: np.where(scores > 0.5, -np.inf, scores), "infinite value.*is NaN"),
])
def test_bad_scores_are_refused(tiny, bad, message):
    class Bad(Says):
        def score(self, users, items):
            return bad(super().score(users, items))

    with pytest.raises(ValueError, match=message):
        evaluate(Bad(tiny, random_scores(tiny)), splits.item_cold(tiny))


def test_bad_options_are_refused(tiny):
    model, split = Says(tiny, random_scores(tiny)), splits.item_cold(tiny)
    with pytest.raises(ValueError, match="pool is 'warm'.*'cold' or 'all'"):
        evaluate(model, split, pool="warm")
    with pytest.raises(ValueError, match="control is True.*None or 'shuffled'"):
        evaluate(model, split, control=True)
    with pytest.raises(ValueError, match="user_cold has no cold items"):
        evaluate(model, splits.user_cold(tiny), control="shuffled")


class NoSelf(models.Random):
    """Its fit forgets to return the model."""

    def fit(self, train):
        super().fit(train)


class NoFit:
    def score(self, users, items):
        return np.zeros((len(users), len(items)))


def error_of(call) -> str:
    """Return what the call says; it must raise a ValueError or a TypeError."""
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    return str(caught.value)


JUDGED_WRONGLY = {  # what is called, and what it says
    "ratings for a split": (lambda ml, s, m: evaluate(m, ml), "needs a split, not a Ratings.*fit "),
    "swapped": (lambda ml, s, m: evaluate(s, m), r"got Split where the model belongs.*\(model, s"),
    "swapped ratings": (lambda ml, s, m: evaluate(ml, m), "got Ratings where the model belongs"),
    "no model": (lambda ml, s, m: evaluate(NoSelf().fit(s.train), s), "None for a model.*return s"),
    "a name": (lambda ml, s, m: evaluate("ease", s), r"'ease' as a model.*score\(users, items\)"),
    "a class": (lambda ml, s, m: evaluate(models.EASE, s), r"class EASE.*EASE\(...\).fit\(split"),
    "not fitted": (lambda ml, s, m: evaluate(models.EASE(), s), r"EASE isn't fitted. Call fit\(s"),
    "several splits": (lambda ml, s, m: evaluate(m, [s]), "not a list.*cr.leaderboard"),
    "no split": (lambda ml, s, m: evaluate(m, None), "needs a split, not None"),
    "k zero": (lambda ml, s, m: evaluate(m, s, k=0), "k is 0; it must be a whole number from 1"),
    "k a half": (lambda ml, s, m: evaluate(m, s, k=2.5), "k is 2.5, a float; .* whole number"),
    "k a text": (lambda ml, s, m: evaluate(m, s, k="5"), "k is '5', a str; .* whole number"),
    "k true": (lambda ml, s, m: evaluate(m, s, k=True), "k is True, a bool"),
    "no fit": (lambda ml, s, m: evaluate(NoFit(), s, control="shuffled"), "NoFit has no"),
    "control without self": (lambda ml, s, m: evaluate(NoSelf(), s, control="shuffled"),
                             "None for a model.*return self"),
    "a list of users": (lambda ml, s, m: recommend(m, s, user=[1]), r"user is \[1\], a list.*as 1"),
    "an array of users": (lambda ml, s, m: recommend(m, s, ml.user_ids), "user is .*one user's id"),
    "an unknown user": (lambda ml, s, m: recommend(m, s, user=99), r"^unknown user \[99\].*\[1, 2"),
    "an unknown user of an outsider": (
        lambda ml, s, m: recommend(NoFit(), s, user=99), "^unknown user"),
    "recommend, swapped": (lambda ml, s, m: recommend(s, m, 1), r"order is recommend\(model, s"),
    "recommend, not fitted": (lambda ml, s, m: recommend(models.EASE(), s, 1), "isn't fitted"),
    "recommend, k": (lambda ml, s, m: recommend(m, s, 1, k=-1), "k is -1; it must be"),
    "recommend, pool": (lambda ml, s, m: recommend(m, s, 1, pool="hot"), "pool is 'hot'.*'cold' o"),
}


@pytest.mark.parametrize(("call", "message"), JUDGED_WRONGLY.values(), ids=JUDGED_WRONGLY)
def test_the_judge_says_what_it_needs(tiny, call, message):
    split = splits.item_cold(tiny)
    model = models.Popularity().fit(split.train)
    assert re.search(message, error_of(lambda: call(tiny, split, model)))


ONE = {"pop": models.Popularity()}
LISTED_WRONGLY = {
    "one split": (lambda s: leaderboard(ONE, s), r"splits is one split, Split\(.*Give \[split\]"),
    "ratings": (lambda s: leaderboard(ONE, s.train), r"splits is a Ratings.*\[cr.splits.item_cold"),
    "a number": (lambda s: leaderboard(ONE, 5), "splits is 5; it must be a list"),
    "a list of others": (lambda s: leaderboard(ONE, [s, s.train]), r"splits\[1\] is a Ratings; it"),
    "no splits": (lambda s: leaderboard(ONE, []), "splits is empty"),
    "a list of models": (lambda s: leaderboard([models.EASE()], [s]), "models is a list.* a dict"),
    "swapped": (lambda s: leaderboard([s], ONE), "models is a list.* a dict, name to model"),
    "no models": (lambda s: leaderboard({}, [s]), "models is empty"),
    "None": (lambda s: leaderboard({"x": None}, [s]), r"models\['x'\] is None; .*unfitted model"),
    "a class": (lambda s: leaderboard({"x": models.EASE}, [s]), r"class EASE.*EASE\(...\), or a f"),
    "a function of nothing": (
        lambda s: leaderboard({"x": lambda split: None}, [s]), r"models\['x'\] made a NoneType"),
    "fit without self": (
        lambda s: leaderboard({"x": NoSelf()}, [s]), r"fit of models\['x'\] returned None.*self"),
    "k": (lambda s: runs(ONE, [s], k=0), "k is 0; it must be a whole number from 1"),
    "pool": (lambda s: runs(ONE, [s], pool="warm"), "pool is 'warm'"),
    "a named control": (lambda s: runs(ONE, [s], control="shuffled"), "control is 'shuffled', a"),
    "a negative control": (lambda s: runs(ONE, [s], control=-1), "control is -1.*from 0 on"),
}


@pytest.mark.parametrize(("call", "message"), LISTED_WRONGLY.values(), ids=LISTED_WRONGLY)
def test_a_leaderboard_says_what_it_needs(tiny, call, message):
    split = splits.item_cold(tiny)
    assert re.search(message, error_of(lambda: call(split)))


def test_splits_may_come_one_by_one(tiny):
    found = runs(ONE, (splits.item_cold(tiny, seed=s) for s in range(2)), k=2, control=0)
    assert found["split"].tolist() == [0, 1]


def test_a_test_without_likes_is_refused_with_the_threshold(tiny):
    low = tiny.with_ratings(tiny.ratings[tiny.ratings["rating"] < 4])
    split = splits.item_cold(low)
    model = models.Random().fit(split.train)
    for per_user in (False, True):
        assert re.search(r"item_cold holds no like: .*like=4 stars on, and its \d+ ratings are 1 "
                         "to 3. Set another like",
                         error_of(partial(evaluate, model, split, per_user=per_user)))
    # Likes there are, but of warm items only.
    mixed = splits.mixed(tiny, warm=0.3)
    test = mixed.test.ratings
    bad = test[(test["rating"] < 4) | ~test["item"].isin(mixed.cold_items)]
    some = replace(mixed, test=mixed.test.with_ratings(bad))
    model = models.Random().fit(some.train)
    assert re.search("no like in pool='cold': its .* likes are of other items. Take pool='all'",
                     error_of(lambda: evaluate(model, some)))
    assert evaluate(model, some, pool="all")["users"] > 0


def test_judging_is_repeatable_and_ties_are_broken_by_the_seed(tiny):
    split = splits.item_cold(tiny)
    ties = Says(tiny, np.zeros((30, 20)))
    first, again, other = (evaluate(ties, split, k=2, seed=s) for s in (0, 0, 1))
    assert_array_equal(first, again)
    assert first["recall"] != other["recall"]


def test_every_user_of_movielens_is_judged_within_a_second(ml):
    split = splits.item_cold(ml)
    model = Says(ml, random_scores(ml))
    assert len(split.pool) == 336
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        evaluate(model, split)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1


# The control

class Spy:
    """A model that notes what it was fitted on."""

    def __init__(self, view, parts=()):
        self.views, self.parts = {"view": view}, list(parts)

    def fit(self, train):
        self.items = train.items
        for part, _ in self.parts:
            part.fit(train)
        Spy.last = self
        return self

    def score(self, users, items):
        Spy.judged = self
        return np.zeros((len(users), len(items)))


def test_control_permutes_what_is_known_of_cold_items_among_them(tiny):
    split = splits.item_cold(tiny, fraction=0.4)
    cold = tiny.item_ids.isin(split.cold_items)
    view = np.arange(20.0)[:, None]
    spy = Spy(view, parts=[(Spy(view), 1.0)])
    evaluate(spy, split, control="shuffled")
    twin, inside = Spy.last, Spy.last.parts[0][0]
    order = twin.views["view"][:, 0].astype(int)
    assert sorted(order) == list(range(20))
    assert_array_equal(order[~cold], np.arange(20)[~cold])
    assert (order[cold] != np.arange(20)[cold]).any()
    assert_array_equal(twin.items["item"], tiny.items["item"])
    assert_array_equal(twin.items["title"], tiny.items["title"].iloc[order])
    assert_array_equal(inside.views["view"], twin.views["view"])  # a hybrid's part sees the same
    assert_array_equal(inside.items["title"], twin.items["title"])
    assert Spy.judged is twin
    assert twin is not spy
    assert_array_equal(spy.views["view"], view)
    assert_array_equal(spy.parts[0][0].views["view"], view)


def test_control_leaves_views_of_users_alone(tiny):
    """In a hybrid, the part that reads the users isn't about items, cold or not."""
    split = splits.item_cold(tiny, fraction=0.4)
    users, items = np.arange(30.0)[:, None], sp.coo_matrix(np.arange(1.0, 21)[:, None])
    part = Spy(users)
    part.side = "user"
    evaluate(Spy(items, parts=[(part, 1.0)]), split, control="shuffled")
    assert_array_equal(Spy.last.parts[0][0].views["view"], users)
    order = Spy.last.views["view"].toarray()[:, 0]
    assert sorted(order) == list(range(1, 21))
    assert (order != np.arange(1, 21)).any()


def test_control_of_a_model_without_side_information_is_itself(tiny):
    split = splits.item_cold(tiny)
    model = models.EASE().fit(split.train)
    assert_array_equal(evaluate(model, split, control="shuffled"), evaluate(model, split))


def test_control_catches_cheats(ml):
    split = splits.item_cold(ml)
    for cheat in (Cheat(split), models.TestCountOracle(split).fit(split.train)):
        assert evaluate(cheat, split, control="shuffled")["recall"] > 0.3


# Leaderboards

TWO = {"pop": models.Popularity(), "ridge": lambda split: models.ViewRidge(
    {"genres": views.genres(split.train)})}


@pytest.fixture(scope="module")
def table(tiny):
    return runs(TWO, [splits.item_cold(tiny, seed=s) for s in range(4)], k=2)


def test_runs_has_a_row_per_model_and_split(table, tiny):
    assert table[["model", "split"]].to_numpy().tolist() == [
        [name, number] for number in range(4) for name in TWO]
    split = splits.item_cold(tiny, seed=2)
    model = TWO["ridge"](split).fit(split.train)
    row = table.query("model == 'ridge' and split == 2").iloc[0]
    judged = evaluate(model, split, k=2)
    assert_allclose(row[judged.index].astype(float), judged)
    assert row["control"] == evaluate(model, split, k=2, control="shuffled")["recall"]
    assert row["test_over_train"] == len(split.test) / len(split.train)
    assert (table["fit_seconds"] > 0).all()
    assert not hasattr(TWO["pop"], "train_")  # the model given stays as it was


def test_runs_controls_where_there_are_cold_items(tiny):
    both = [splits.item_cold(tiny), splits.user_cold(tiny)]
    controlled = runs({"pop": models.Popularity()}, both, k=2)["control"]
    assert np.isnan(controlled).tolist() == [False, True]
    for none in (0, False):
        assert "control" not in runs({"pop": models.Popularity()}, both, k=2, control=none)


def test_runs_take_the_mean_of_several_permutations(tiny):
    split = splits.item_cold(tiny, fraction=0.4)
    ridge = models.ViewRidge({"year": views.year(tiny)})
    each = [evaluate(ridge, split, k=2, control="shuffled", seed=s)["recall"] for s in range(3)]
    assert len(set(each)) > 1
    for control, mean in ((3, np.mean(each)), (1, each[0]), (True, each[0])):
        assert_allclose(runs({"r": ridge}, [split], k=2, control=control)["control"], [mean])
        assert_allclose(leaderboard({"r": ridge}, [split], k=2, control=control)["control"], mean)


def test_leaderboard_has_means_errors_and_numbers_best_first(table):
    board = summarise(table)
    assert board["recall"].is_monotonic_decreasing
    assert set(board.index) == set(TWO)
    assert (board["n"] == 4).all()
    assert not [column for column in board if column.startswith("test_over_train")]
    assert board[["chance", "chance_se", "control_se"]].notna().all(axis=None)
    for name in TWO:
        mine = table[table["model"] == name]
        for metric in ("recall", "ndcg", "control", "fit_seconds"):
            assert_allclose(board.loc[name, metric], mine[metric].mean())
            assert_allclose(board.loc[name, f"{metric}_se"], mine[metric].std() / 2)  # √4


def test_leaderboard_is_runs_summarised(table, tiny):
    board = leaderboard(TWO, [splits.item_cold(tiny, seed=s) for s in range(4)], k=2)
    timing = ["fit_seconds", "fit_seconds_se"]
    assert_frame_equal(board.drop(columns=timing), summarise(table).drop(columns=timing))


def test_leaderboard_of_one_split_has_no_error(tiny):
    board = leaderboard({"pop": models.Popularity()}, [splits.item_cold(tiny)])
    assert np.isnan(board.loc["pop", "recall_se"])


def test_compare_pairs_the_splits(table, tiny):
    shuffled = table.sample(frac=1, random_state=0)
    found = compare(shuffled, "ridge", "pop", "ndcg")
    a, b = (table[table["model"] == name]["ndcg"].to_numpy() for name in ("ridge", "pop"))
    share = np.mean([len(s.test) / len(s.train) for s in
                     (splits.item_cold(tiny, seed=s) for s in range(4))])
    assert found == pytest.approx(metrics.paired(a, b, test_over_train=share))
    assert_allclose(found["mean"], (a - b).mean())
    assert found["p"] > stats.ttest_rel(a, b).pvalue
    assert_allclose(compare(table, "pop", "ridge", "ndcg")["mean"], -found["mean"])


def test_compare_by_hand():
    # Differences 1, 2, 3: mean 2, variance 1; test over train 1/6 on average.
    table = pd.DataFrame({"model": ["a"] * 3 + ["b"] * 3, "split": [0, 1, 2] * 2,
                          "test_over_train": [0.1, 1 / 6, 0.4 - 1 / 6] * 2,
                          "recall": [2, 4, 6, 1, 2, 3]})
    found = compare(table, "a", "b")
    assert_allclose([found["mean"], found["se"]], [2, np.sqrt(1 / 3 + 1 / 6)])


@pytest.mark.parametrize(("change", "message"), [
    (lambda t: compare(t, "pop", "x"), r"no model is called 'x'; the table has \['pop', 'ridge'\]"),
    (lambda t: compare(t, "x", "pop"), "no model is called 'x'"),
    (lambda t: compare(t, "pop", "ridge", "recal"), "no metric is called 'recal'.*'recall'"),
    (lambda t: compare(summarise(t), "pop", "ridge"), "a row per model and split.*a leaderboard"),
    (lambda t: compare(t.drop(columns="test_over_train"), "pop", "ridge"), "test_over_train"),
    (lambda t: compare(pd.concat([t, t]), "pop", "ridge"), "several rows for one model and split"),
    (lambda t: compare(t[t["split"] == 1], "pop", "ridge"), "the table has one split"),
    (lambda t: compare("pop", "ridge", t), "needs the table of cr.evaluation.runs, not 'pop'"),
    (lambda t: summarise(summarise(t)), "summarise needs a row per model and split"),
])
def test_a_table_that_is_none_of_runs_is_refused(table, change, message):
    assert re.search(message, error_of(lambda: change(table)))


def test_recommend_shows_the_best_of_the_pool(tiny):
    split = splits.item_cold(tiny, fraction=0.4)
    scores = random_scores(tiny)
    given = tiny.ratings[tiny.ratings["user"] == 8].set_index("item")["rating"]
    shown = recommend(Says(tiny, scores), split, user=8, k=3)
    place = tiny.item_rows(split.cold_items)
    best = split.cold_items[np.argsort(-scores[tiny.user_rows([8])[0], place])[:3]]
    assert shown["item"].tolist() == best.tolist()
    assert shown.index.tolist() == [1, 2, 3]
    assert shown["title"].tolist() == tiny.items.set_index("item")["title"][best].tolist()
    assert_array_equal(shown["stars"], given.reindex(best))
    assert shown["stars"].notna().any()
    assert shown["stars"].isna().any()

    everything = recommend(Says(tiny, scores), split, user=8, k=99, pool="all")
    known = split.train.ratings.query("user == 8")["item"]
    assert set(everything["item"]) == set(tiny.item_ids) - set(known)
    assert recommend(models.EASE().fit(split.train), split, user=8).empty


# Foreign data

@pytest.fixture(scope="module")
def foreign():
    """Text ids, half stars, no table of items, no times."""
    rng = np.random.default_rng(0)
    user, item = (side.ravel() for side in np.indices((25, 30)))
    ratings = pd.DataFrame({"user": [f"{u:02d}@example.org" for u in user],
                            "item": [f"B00{i:02d}" for i in item],
                            "rating": rng.integers(1, 11, len(user)) / 2})
    return cr.Ratings.from_frames(ratings[rng.random(len(user)) < 0.5])


@pytest.mark.parametrize("make", [
    splits.warm, splits.item_cold, splits.user_cold, splits.both_cold, splits.mixed])
def test_foreign_data_passes_through_everything(foreign, make):
    split = make(foreign)
    own = {"own": np.random.default_rng(1).normal(size=(len(foreign.item_ids), 3))}
    contenders = {
        "random": models.Random(), "pop": models.Popularity(), "bias": models.Bias(),
        "knn": models.ItemKNN(), "mf": models.MatrixFactorisation(), "ease": models.EASE(),
        "ridge": models.ViewRidge(own, "ease"), "cosine": models.ViewCosine(own),
        "both": models.WeightedHybrid([(models.EASE(), 1), (models.ViewRidge(own), 1)]),
        "outside": lambda split: Says(foreign, random_scores(foreign)),
    }
    board = leaderboard(contenders, [split], k=5)
    assert set(board.index) == set(contenders)
    assert board[["recall", "ndcg", "auc", "coverage", "novelty"]].notna().all(axis=None)
    assert board["diversity"].isna().all()  # nothing is known of the items
    assert board.loc[["bias", "mf"], "rmse"].between(0.5, 3).all()
    assert ("control" in board) == (len(split.cold_items) > 0)


# The bars: item-cold on MovieLens, five seeds

FIVE = range(5)


@pytest.fixture(scope="module")
def five(ml):
    return [splits.item_cold(ml, seed=s) for s in FIVE]


@pytest.fixture(scope="module")
def known(ml):
    return {"genres": views.genres(ml), "year": views.year(ml), "text": views.text(ml)}


def only(known, *names):
    return {name: known[name] for name in names}


@pytest.fixture(scope="module")
def bars(five, known):
    return runs({
        "random": models.Random(), "popularity": models.Popularity(),
        "mf": models.MatrixFactorisation(), "oracle": models.TestCountOracle,
        "genres+year ridge": models.ViewRidge(only(known, "genres", "year")),
        "text ridge": models.ViewRidge(only(known, "text")),
        "text+genres+year, ease": models.ViewRidge(known, "ease"),
    }, five, control=False)


@pytest.mark.slow
class TestBars:
    def test_views_tell_the_cold_apart(self, bars):
        recall = summarise(bars)["recall"]
        assert 0.04 < recall["random"] < 0.08
        assert recall["genres+year ridge"] >= 0.24
        assert recall["text ridge"] >= 0.27
        assert recall["text+genres+year, ease"] >= 0.315
        assert recall["oracle"] > 0.35

    @pytest.mark.parametrize("name", ["mf", "popularity"])
    def test_without_views_nothing_beats_random(self, bars, name):
        difference = compare(bars, name, "random")
        assert abs(difference["mean"]) < 3 * difference["se"]

    def test_each_view_adds_something_on_the_same_splits(self, bars):
        """Of genres and year beside the text, five splits leave that open: p is 0.055."""
        for better, worse in [("text+genres+year, ease", "genres+year ridge"),
                              ("text ridge", "genres+year ridge"),
                              ("genres+year ridge", "random")]:
            assert compare(bars, better, worse)["low"] > 0, (better, worse)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ridge", "cosine", "content", "hybrid"])
def test_control_sends_honest_models_back_to_random(five, known, name):
    cheap = only(known, "genres", "year")
    make = {
        "ridge": lambda: models.ViewRidge(cheap),
        "cosine": lambda: models.ViewCosine(only(known, "text")),
        "content": models.Content,
        "hybrid": lambda: models.WeightedHybrid([(models.ViewRidge(cheap), 1.0),
                                                 (models.Content(), 1.0)]),
    }[name]
    fitted = [(make().fit(split.train), split) for split in five]
    assert np.mean([evaluate(model, split)["recall"] for model, split in fitted]) > 0.15
    control = [evaluate(model, split, control="shuffled")["recall"] for model, split in fitted]
    assert 0.04 < np.mean(control) < 0.08


def test_a_model_fitted_on_the_test_is_refused(ml):
    split = cr.splits.item_cold(ml, 0.2, seed=0)
    cheat = cr.models.EASE().fit(ml)
    with pytest.raises(ValueError, match=r"fitted on [\d,]+ of the ratings that the test hides"):
        cr.evaluate(cheat, split)
