"""Splits: nothing cold is ever in training, and every split holds out what it promises."""

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import coldrec as cr
from coldrec import splits
from coldrec.splits import Split

SPLITTERS = {
    "warm": partial(splits.warm, fraction=0.3),
    "item_cold": partial(splits.item_cold, fraction=0.3),
    "user_cold": partial(splits.user_cold, fraction=0.3),
    "both_cold": partial(splits.both_cold, fraction=0.3),
    "mixed": partial(splits.mixed, cold=0.3, warm=0.2),
    "by_time": lambda data, seed: splits.by_time(data, fraction=0.3),
}
FOLDERS = {"item": splits.item_folds, "user": splits.user_folds, "rating": splits.random_folds}
every_splitter = pytest.mark.parametrize("name", SPLITTERS)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def data_sets(draw):
    """Small data: ids of numbers or texts, films under two ids, ties in time, nobody's films."""
    rng = np.random.default_rng(draw(seeds))
    n_users, n_items = draw(st.integers(5, 12)), draw(st.integers(6, 12))
    user, item = (side.ravel() for side in np.indices((n_users, n_items)))
    rated = rng.random(len(user)) < draw(st.sampled_from([0.3, 0.6, 1.0]))
    rated[0] = True
    ratings = pd.DataFrame({"user": user + 100, "item": item + 7})[rated]
    ratings["rating"] = rng.integers(1, 11, len(ratings)) / 2
    ratings["timestamp"] = rng.integers(0, len(ratings), len(ratings))
    items = pd.DataFrame({"item": rng.permutation(n_items + 5) + 7})
    items["title"] = [f"Film {n}" for n in rng.integers(0, 2 * len(items), len(items))]
    users = pd.DataFrame({"user": rng.permutation(n_users + 5) + 100})
    if draw(st.booleans()):
        for frame in (ratings, items, users):
            ids = frame.columns.intersection(["user", "item"])
            frame[ids] = "id " + frame[ids].astype(str)
    return cr.Ratings.from_frames(ratings, items, users)


def split_or_skip(make, *args, **kwargs) -> Split:
    """Make a split; hypothesis draws other data where these are too few for it."""
    try:
        return make(*args, **kwargs)
    except ValueError as error:
        assume(not re.search("nothing is left|it must be from 2 to", str(error)))
        raise


def rows(data) -> set:
    """The ratings as a set of tuples, whatever their order."""
    return set(data.ratings.itertuples(index=False, name=None))


def of(data, kind, ids) -> set:
    return rows(data.with_ratings(data.ratings[data.ratings[kind].isin(list(ids))]))


def twins_apart(data, split) -> set:
    """The groups of films that are cold under one id and in training under another."""
    group = dict(zip(data.item_ids, data.item_groups(), strict=True))
    return ({group[item] for item in split.cold_items}
            & {group[item] for item in split.train.ratings["item"]})


@every_splitter
@given(data=data_sets(), seed=seeds)
def test_train_and_test_are_parts_of_the_data_and_nothing_cold_is_in_train(name, data, seed):
    split = split_or_skip(SPLITTERS[name], data, seed=seed)
    train, test = rows(split.train), rows(split.test)
    assert not train & test
    assert train | test <= rows(data)
    if name != "both_cold":
        assert train | test == rows(data)
    assert len(train) == len(split.train) and len(test) == len(split.test)
    assert not set(split.cold_items) & set(split.train.ratings["item"])
    assert not set(split.cold_users) & set(split.train.ratings["user"])
    assert not twins_apart(data, split)
    assert list(split.train.item_ids) == list(split.test.item_ids) == list(data.item_ids)
    assert list(split.train.user_ids) == list(split.test.user_ids) == list(data.user_ids)
    assert split.train.scale == split.test.scale == data.scale


@given(data=data_sets(), seed=seeds, fraction=st.floats(0.05, 0.6))
def test_item_cold_holds_out_whole_items_and_about_the_fraction(data, seed, fraction):
    split = split_or_skip(splits.item_cold, data, fraction, seed)
    assert rows(split.test) == of(data, "item", split.cold_items)
    assert len(split.cold_users) == 0
    wanted = max(1, round(fraction * data.ratings["item"].nunique()))
    largest = np.bincount(data.item_groups()).max()
    assert wanted <= len(split.cold_items) < wanted + largest


@given(data=data_sets(), seed=seeds, fraction=st.floats(0.05, 0.6))
def test_user_cold_holds_out_whole_users_and_exactly_the_fraction(data, seed, fraction):
    split = split_or_skip(splits.user_cold, data, fraction, seed)
    assert rows(split.test) == of(data, "user", split.cold_users)
    assert len(split.cold_items) == 0
    assert len(split.cold_users) == max(1, round(fraction * data.ratings["user"].nunique()))


@given(data=data_sets(), seed=seeds)
def test_both_cold_tests_new_users_on_new_items_and_uses_no_mixed_rating(data, seed):
    split = split_or_skip(splits.both_cold, data, 0.4, seed)
    new_items = of(data, "item", split.cold_items)
    new_users = of(data, "user", split.cold_users)
    assert rows(split.test) == new_items & new_users
    assert rows(split.train) == rows(data) - new_items - new_users


@given(data=data_sets(), seed=seeds)
def test_mixed_holds_out_whole_items(data, seed):
    split = split_or_skip(splits.mixed, data, cold=0.3, warm=0.5, seed=seed)
    cold = of(data, "item", split.cold_items)
    assert cold <= rows(split.test)
    assert len(split.cold_users) == 0
    only_cold = split_or_skip(splits.mixed, data, cold=0.3, warm=1e-9, seed=seed)
    assert rows(only_cold.test) == cold


@given(data=data_sets(), fraction=st.floats(0.05, 0.9))
def test_by_time_trains_on_the_past_and_names_all_who_first_appear_later(data, fraction):
    split = split_or_skip(splits.by_time, data, fraction)
    train, test = split.train.ratings, split.test.ratings
    assert train["timestamp"].max() < test["timestamp"].min()
    assert len(test) <= fraction * len(data) + 1
    assert set(split.cold_users) == set(test["user"]) - set(train["user"])
    group = dict(zip(data.item_ids, data.item_groups(), strict=True))
    known = {group[item] for item in train["item"]}
    assert set(split.cold_items) == {i for i in test["item"] if group[i] not in known}


def test_a_film_rated_before_under_another_id_is_not_cold_later():
    ratings = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": [1, 2, 1, 3, 4], "rating": 3.0,
                            "timestamp": [10, 20, 30, 40, 50]})
    items = pd.DataFrame({"item": [1, 2, 3, 4], "title": ["Heat", "Big", "HEAT", "Alien"]})
    split = splits.by_time(cr.Ratings.from_frames(ratings, items), 0.4)
    assert list(split.test.ratings["item"]) == [3, 4]
    assert list(split.cold_items) == [4]
    assert list(split.cold_users) == [3]


def test_by_time_without_timestamps_says_what_to_use():
    data = cr.Ratings.from_frames(pd.DataFrame({"user": [1, 2], "item": [1, 1], "rating": 3}))
    with pytest.raises(ValueError, match="needs a column 'timestamp'.*Use item_cold or user_cold"):
        splits.by_time(data)


@pytest.mark.parametrize("make, share", [
    (splits.warm, 0.1), (splits.item_cold, 0.2), (splits.user_cold, 0.2), (splits.by_time, 0.2)],
    ids=lambda value: getattr(value, "__name__", ""))
def test_sizes_on_movielens_are_near_the_default_fraction(ml, make, share):
    split = make(ml)
    parts = {"item_cold": len(split.cold_items) / 1682, "user_cold": len(split.cold_users) / 943}
    assert parts.get(split.name, len(split.test) / 100_000) == pytest.approx(share, abs=0.003)


def test_mixed_holds_out_both_default_fractions_on_movielens(ml):
    split = splits.mixed(ml)
    of_warm = ~split.test.ratings["item"].isin(split.cold_items)
    share = of_warm.sum() / (of_warm.sum() + len(split.train))
    assert len(split.cold_items) / 1682 == pytest.approx(0.2, abs=0.003)
    assert share == pytest.approx(0.1, abs=0.003)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", ["item_cold", "both_cold", "mixed", "by_time"])
def test_movielens_twins_stay_on_one_side(ml, name, seed):
    split = SPLITTERS[name](ml, seed=seed)
    assert not twins_apart(ml, split)
    if name != "by_time":
        assert pd.Series(ml.item_groups()[ml.item_rows(split.cold_items)]).duplicated().any()


@every_splitter
def test_one_seed_is_one_split_and_another_another(tiny, name):
    same = [SPLITTERS[name](tiny, seed=3) for _ in range(2)]
    pd.testing.assert_frame_equal(same[0].train.ratings, same[1].train.ratings)
    pd.testing.assert_frame_equal(same[0].test.ratings, same[1].test.ratings)
    if name != "by_time":
        tests = {frozenset(rows(SPLITTERS[name](tiny, seed=seed).test)) for seed in range(8)}
        assert len(tests) == 8


@pytest.mark.parametrize("kind", FOLDERS)
@given(data=data_sets(), seed=seeds, k=st.integers(2, 4))
def test_folds_test_every_rating_once(kind, data, seed, k):
    folds = split_or_skip(FOLDERS[kind], data, k, seed)
    assert len(folds) == k
    tested = [row for fold in folds for row in rows(fold.test)]
    assert len(tested) == len(data) and set(tested) == rows(data)
    for fold in folds:
        assert rows(fold.train) == rows(data) - rows(fold.test)
        assert not twins_apart(data, fold)
    if kind == "rating":
        sizes = [len(fold.test) for fold in folds]
        assert max(sizes) - min(sizes) <= 1
    else:
        cold = [entity for fold in folds for entity in getattr(fold, f"cold_{kind}s")]
        assert sorted(cold) == sorted(data.ratings[kind].unique())
        assert all(of(data, kind, getattr(fold, f"cold_{kind}s")) == rows(fold.test)
                   for fold in folds)


@pytest.mark.parametrize("kind", FOLDERS)
def test_folds_depend_on_the_seed_alone(tiny, kind):
    one, same, other = (FOLDERS[kind](tiny, 3, seed)[0].test for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.ratings, same.ratings)
    assert rows(one) != rows(other)


def test_movielens_twins_share_a_fold(ml):
    folds = splits.item_folds(ml, k=5)
    assert not set.union(*(twins_apart(ml, fold) for fold in folds))
    assert {len(fold.cold_items) for fold in folds} <= set(range(330, 343))


@pytest.mark.parametrize("kind, most", [("item", 19), ("user", 30)])
@pytest.mark.parametrize("k", [-1, 0, 1, 31])
def test_a_number_of_folds_that_cannot_be_is_refused(tiny, kind, most, k):
    most -= kind == "item"  # the two ids of one film are one thing to fold
    with pytest.raises(ValueError, match=f"^k is {k}; for {most} {kind}s it must be from 2 to"):
        FOLDERS[kind](tiny, k)


@pytest.mark.parametrize("kind", ["item", "user"])
@given(data=data_sets(), seed=seeds, most=st.integers(1, 4))
def test_k_shot_reveals_k_of_each_and_every_k_faces_the_same_test(kind, data, seed, most):
    split = split_or_skip(SPLITTERS[f"{kind}_cold"], data, seed=seed)
    curve = [split_or_skip(splits.k_shot, split, k, most, seed) for k in range(most + 1)]
    sizes = split.test.ratings[kind].value_counts()
    before = rows(split.train)
    for k, shot in enumerate(curve):
        cold = getattr(shot, f"cold_{kind}s")
        revealed = rows(shot.train) - rows(split.train)
        assert shot.shots == k and shot.name == f"{split.name} {k}-shot"
        assert set(cold) == set(sizes[sizes > most].index)
        assert len(revealed) == len(shot.train) - len(split.train) == k * len(cold)
        assert (shot.train.ratings[kind].value_counts().reindex(cold, fill_value=0) == k).all()
        assert rows(shot.test) == rows(curve[0].test)
        assert (shot.test.ratings[kind].value_counts()[cold] == sizes[cold] - most).all()
        assert before <= rows(shot.train), "what k reveals, k + 1 reveals as well"
        before = rows(shot.train)
    alone = splits.k_shot(split, most, seed=seed)
    assert rows(alone.test) == rows(curve[-1].test), "without most, k is the most"


def test_k_shot_draws_by_its_seed(tiny):
    split = splits.item_cold(tiny)
    one, same, other = (rows(splits.k_shot(split, 3, seed=seed).test) for seed in (1, 1, 2))
    assert one == same != other


def test_k_shot_of_a_mixed_split_tests_cold_items_only(tiny):
    shot = splits.k_shot(splits.mixed(tiny, warm=0.5), 2)
    assert set(shot.test.ratings["item"]) == set(shot.cold_items)


@pytest.mark.parametrize("k, most", [(-1, None), (-1, 5), (6, 5)])
def test_k_shot_refuses_a_k_outside_zero_to_most(tiny, k, most):
    with pytest.raises(ValueError, match=f"^k is {k} and most is .*; k must be from 0 to most"):
        splits.k_shot(splits.item_cold(tiny), k, most)


@pytest.mark.parametrize("name, counts", [("warm", "0 and 0"), ("both_cold", "6 and 9")])
def test_k_shot_needs_one_kind_of_cold(tiny, name, counts):
    with pytest.raises(ValueError, match=f"one of the two; {name} has {counts}"):
        splits.k_shot(SPLITTERS[name](tiny, seed=0), 1)


def test_k_shot_says_when_nothing_has_that_many_ratings(tiny):
    with pytest.raises(ValueError, match="item_cold 40-shot: nothing is left to test on"):
        splits.k_shot(splits.item_cold(tiny), 40)


@pytest.mark.parametrize("outer", ["item_cold", "mixed"])
@given(data=data_sets(), seed=seeds)
def test_a_split_of_the_training_part_draws_among_rated_items_only(outer, data, seed):
    """Settings are chosen on validation-cold items: no item of the outer test is among them."""
    split = split_or_skip(SPLITTERS[outer], data, seed=seed)
    inner = split_or_skip(splits.item_cold, split.train, 0.3, seed)
    assert set(inner.cold_items) <= set(split.train.ratings["item"])
    assert not set(inner.cold_items) & set(split.cold_items)
    assert rows(inner.train) | rows(inner.test) == rows(split.train)
    assert not set(inner.train.ratings["item"]) & set(inner.cold_items.union(split.cold_items))
    for fold in split_or_skip(splits.item_folds, split.train, 2, seed):
        assert set(fold.cold_items) <= set(split.train.ratings["item"])


def text_ids(data):
    ratings = data.ratings.assign(user="u" + data.ratings["user"].astype(str),
                                  item="i" + data.ratings["item"].astype(str))
    return cr.Ratings.from_frames(ratings)


@pytest.mark.parametrize("ids", [lambda data: data, text_ids], ids=["numbers", "texts"])
@pytest.mark.parametrize("kind", ["item", "user"])
def test_a_split_that_was_tampered_with_is_refused(tiny, kind, ids):
    data = ids(tiny)
    split = SPLITTERS[f"{kind}_cold"](data, seed=0)
    leak = pd.concat([split.train.ratings, split.test.ratings[:1]])
    who = repr(split.test.ratings[kind].tolist()[0])
    with pytest.raises(AssertionError, match=f"leaks: {kind} {who} is cold, but training has 1 "):
        replace(split, train=data.with_ratings(leak))
    shot = splits.k_shot(split, 2)
    with pytest.raises(AssertionError, match=f"leaks: {kind} .* training has 2 .*, not 3"):
        replace(shot, shots=3)
    with pytest.raises(AssertionError, match=f"leaks: {kind} .* training has 0 .*, not 2"):
        replace(shot, train=split.train)


def test_a_rating_in_train_and_in_test_is_refused(tiny):
    split = splits.warm(tiny)
    with pytest.raises(AssertionError, match="warm leaks: 2 ratings are in train and test"):
        replace(split, test=tiny.with_ratings(pd.concat([split.test.ratings,
                                                         split.train.ratings[:2]])))


@pytest.mark.parametrize("part", ["train", "test"])
def test_an_empty_part_is_refused(tiny, part):
    with pytest.raises(ValueError, match=f"warm: nothing is left to {part} on. Use more data"):
        replace(splits.warm(tiny), **{part: tiny.with_ratings(tiny.ratings[:0])})


@pytest.mark.parametrize("fraction", [0, 1, -0.2, 1.5, float("nan"), 20])
@pytest.mark.parametrize("make", [
    splits.warm, splits.item_cold, splits.user_cold, splits.both_cold, splits.by_time,
    lambda data, bad: splits.mixed(data, cold=bad), lambda data, bad: splits.mixed(data, warm=bad),
], ids=["warm", "item_cold", "user_cold", "both_cold", "by_time", "mixed cold", "mixed warm"])
def test_a_fraction_that_is_none_is_refused(tiny, make, fraction):
    with pytest.raises(ValueError, match=f"a fraction is {fraction!r}; it must be above 0 and bel"):
        make(tiny, fraction)


@pytest.mark.parametrize("fraction", ["0.2", None, [0.2]])
@pytest.mark.parametrize("make", [splits.item_cold, splits.by_time])
def test_a_fraction_that_is_no_number_is_refused(tiny, make, fraction):
    with pytest.raises(TypeError, match=r"a fraction is .*, a \w+; it must be a number above 0"):
        make(tiny, fraction)


MAKERS = [splits.warm, splits.item_cold, splits.user_cold, splits.both_cold, splits.mixed,
          splits.by_time, *FOLDERS.values()]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_what_is_split_are_ratings(tiny, make):
    name = make.__name__
    with pytest.raises(TypeError, match=f"{name} needs Ratings, not DataFrame.*from_frames"):
        make(tiny.ratings)
    with pytest.raises(TypeError, match=f"{name} needs Ratings, not Split. Use split.train."):
        make(splits.item_cold(tiny))


def test_a_split_is_made_of_ratings(tiny):
    split = splits.warm(tiny)
    with pytest.raises(TypeError, match="test of a Split needs Ratings, not DataFrame"):
        replace(split, test=split.test.ratings)


def test_k_shot_takes_a_split_and_whole_numbers(tiny):
    with pytest.raises(TypeError, match=r"k_shot needs a split, not Ratings.*item_cold\(ml\), k"):
        splits.k_shot(tiny, 3)
    for bad in (1.5, "1", None, True):
        with pytest.raises(TypeError, match="k is .*; it must be a whole number"):
            splits.k_shot(splits.item_cold(tiny), bad)
    with pytest.raises(TypeError, match="most is 2.5, a float"):
        splits.k_shot(splits.item_cold(tiny), 1, most=2.5)


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_number_of_folds_is_whole(tiny, kind):
    with pytest.raises(TypeError, match="k is 2.0, a float; it must be a whole number"):
        FOLDERS[kind](tiny, 2.0)


def test_the_pool_is_what_is_new_or_else_the_catalogue(tiny):
    for name in ("item_cold", "both_cold", "mixed"):
        split = SPLITTERS[name](tiny, seed=0)
        assert list(split.pool) == list(split.cold_items)
    for name in ("warm", "user_cold"):
        assert list(SPLITTERS[name](tiny, seed=0).pool) == list(range(101, 121))


def test_a_split_tells_its_sizes(tiny):
    split = splits.item_cold(tiny)
    assert repr(split) == (f"Split(item_cold: train {len(split.train)}, test {len(split.test)}, "
                           f"{len(split.cold_items)} cold items, 0 cold users)")
