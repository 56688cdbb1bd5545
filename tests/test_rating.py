"""The rating formula: the article's example, the model fitted in two ways, and tuned end to end."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import coldrec as cr
from coldrec.rating import RatingFormula, _priors, end_to_end, rating, tuned_text
from coldrec.rating._beliefs import Beliefs

pytestmark = pytest.mark.usefixtures("one_thread")

USER, ITEM = [0.4, 0.2, 0.1, 0.3], [0.6, 0.3, 0.5, 0.2]  # the article's


# One pair

def test_the_worked_example_has_another_result_than_the_article_prints():
    assert np.dot(USER, ITEM) == pytest.approx(0.41)
    assert rating(1, 1, USER, ITEM, 0, 0) == pytest.approx(0.41 / np.sqrt(0.30 * 0.74))
    assert rating(1, 1, USER, ITEM, 0, 0) == pytest.approx(0.870, abs=5e-4)
    assert rating(0.5, 0.7, USER, ITEM, 0.1, 0.2) == pytest.approx(0.605, abs=5e-4)
    assert 0.5 * 0.7 * 0.7 + 0.1 + 0.2 == pytest.approx(0.545)  # with the article's own cosine


def test_rows_of_vectors_are_rated_row_by_row():
    rows = rating([1, 2], 3, [USER, ITEM], [ITEM, ITEM], [0, 1], 0.5)
    assert_allclose(rows, [rating(1, 3, USER, ITEM, 0, 0.5), 2 * 3 + 1.5])


def test_a_vector_without_direction_is_refused():
    with pytest.raises(ValueError, match="length zero has no direction"):
        rating(1, 1, [0, 0], [1, 2], 0, 0)


@pytest.mark.parametrize(("u", "i", "shapes"), [
    (USER, ITEM[:3], r"\(4,\) and i has \(3,\)"), (USER, [1], r"\(4,\) and i has \(1,\)"),
    ([USER] * 2, [ITEM] * 3, r"\(2, 4\) and i has \(3, 4\)"), (1, 1, r"\(\) and i has \(\)")])
def test_vectors_that_do_not_fit_together_are_refused(u, i, shapes):
    with pytest.raises(ValueError, match=f"u has shape {shapes}; they must be"):
        rating(1, 1, u, i, 0, 0)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_vector_with_a_number_that_is_none_is_refused(wrong):
    for u, i in (([wrong, 1], [1, 2]), ([[1, 1], [2, 3]], [1, wrong])):
        with pytest.raises(ValueError, match="u or i holds NaN or infinite values"):
            rating(1, 1, u, i, 0, 0)


def test_only_the_product_of_the_weights_and_the_sum_of_the_biases_can_be_told():
    one = rating(0.5, 0.7, USER, ITEM, 0.1, 0.2)
    assert rating(5, 0.07, USER, ITEM, -2.9, 3.2) == pytest.approx(one)
    longer, shorter = np.multiply(USER, 9), np.multiply(ITEM, 0.1)
    assert rating(0.5, 0.7, longer, shorter, 0.1, 0.2) == pytest.approx(one)


# What is believed

def beliefs(rng, n=4, m=5, width=2, free=2):
    """Return beliefs with random means and proper covariances."""
    def cov(rows, size):
        roots = rng.normal(0, 0.3, (rows, size, size))
        return roots @ roots.transpose(0, 2, 1)

    size = width + free + 1
    return Beliefs(rng.normal(size=(m, width)), rng.normal(size=(n, size)), cov(n, size),
                   rng.normal(size=(m, free + 1)), cov(m, free + 1), rng.normal(size=(n, size)),
                   rng.random(size) + 0.5, rng.normal(size=m), 0.7, 3.5, 0.8)


def test_means_and_variances_are_those_of_draws():
    rng = np.random.default_rng(0)
    now, draws = beliefs(rng), 200_000
    user = rng.multivariate_normal(now.users[1], now.user_cov[1], draws)
    item = rng.multivariate_normal(now.items[2], now.item_cov[2], draws)
    stars = (now.level + user[:, :2] @ now.known[2] + (user[:, 2:4] * item[:, :2]).sum(1)
             + user[:, 4] + item[:, 2])
    assert now.means([1], [2])[0, 0] == pytest.approx(stars.mean(), abs=0.02)
    assert now.variances([1], [2])[0, 0] == pytest.approx(stars.var(), rel=0.02)


def test_a_bias_is_shrunk_by_its_precision():
    """Three ratings with noise 1 and a prior of variance 1/2: 3 of 5 parts are the ratings'."""
    now = Beliefs(np.zeros((1, 0)), np.zeros((3, 1)), np.zeros((3, 1, 1)), np.zeros((1, 1)),
                  np.zeros((1, 1, 1)), np.zeros((3, 1)), np.ones(1), np.array([0.2]), 0.5, 3.0, 1.0)
    now.update_item(0, [0, 1, 2], np.array([4.0, 5.0, 4.5]))
    assert now.items[0, 0] == pytest.approx((3 * 1.5 + 2 * 0.2) / 5)
    assert now.item_cov[0, 0, 0] == pytest.approx(1 / 5)


def test_a_user_is_a_ridge_regression_about_the_prior():
    rng = np.random.default_rng(1)
    now = beliefs(rng, m=30)
    now.item_cov[:] = 0  # all is known of the items
    items, stars = np.arange(30), rng.normal(3.5, 1, 30)
    seen = np.hstack([now.known, now.items[:, :-1], np.ones((30, 1))])
    left = stars - now.level - now.items[:, -1] - seen @ now.user_prior[0]
    ridge = np.linalg.solve(seen.T @ seen / now.noise + np.diag(1 / now.user_spread),
                            seen.T @ left / now.noise)
    now.update_user(0, items, stars)
    assert_allclose(now.users[0], now.user_prior[0] + ridge)


def test_an_item_given_users_is_the_mean_of_what_could_be_drawn():
    """The exact update makes the expected squared error plus the prior's smallest: no step helps.

    The expectation is over the users' covariances, which the update must not forget.
    """
    rng = np.random.default_rng(2)
    now, users, stars = beliefs(rng, n=6), np.arange(6), rng.normal(3.5, 1, 6)
    now.update_item(3, users, stars)
    now.item_cov[3] = 0  # a point

    def cost():
        error = (stars - now.means(users, [3])[:, 0]) ** 2 + now.variances(users, [3])[:, 0]
        step = now.items[3] - [0, 0, now.item_prior[3]]
        return error.sum() / now.noise + (step ** 2 / now.item_variances).sum()

    best = cost()
    for place in range(3):
        for step in (-0.05, 0.05):
            now.items[3, place] += step
            assert cost() > best
            now.items[3, place] -= step


# The model

def world(n=120, m=90, seed=0, each=30, view=True):
    """Return ratings drawn from the model, and views of items and users that tell of them."""
    rng = np.random.default_rng(seed)
    about, x = rng.normal(size=(n, 2)), rng.normal(size=(m, 3))
    z = rng.normal(size=(m, 2))
    w, y = rng.normal(0, 0.4, (n, 3)), rng.normal(0, 0.4, (n, 2))
    beta_u = about @ [0.5, -0.3] + rng.normal(0, 0.2, n)
    beta_i = x @ [0.5, -0.4, 0.3] + rng.normal(0, 0.3, m)
    stars = 3.5 + w @ x.T + y @ z.T + beta_u[:, None] + beta_i + rng.normal(0, 0.7, (n, m))
    rated = np.zeros((n, m), bool)
    for user in rated:
        user[rng.permutation(m)[:each]] = True
    user, item = np.nonzero(rated)
    ml = cr.Ratings.from_frames(
        pd.DataFrame({"user": user, "item": item, "rating": stars[rated]}),
        pd.DataFrame({"item": np.arange(m), "title": [f"Film {i}" for i in range(m)]}),
        pd.DataFrame({"user": np.arange(n)}))
    return ml, {"x": x}, {"about": about}


@pytest.fixture(scope="module")
def drawn():
    return world()


@pytest.fixture(scope="module")
def bare():
    """Ratings of three items by three users, with texts for ids and nothing else to read."""
    return cr.Ratings.from_frames(pd.DataFrame(
        [(f"u{u}", f"i{i}", 1 + (u + i) % 5) for u in range(3) for i in range(3)],
        columns=["user", "item", "rating"]))


def make(views=None, user_views=None, **options):
    return RatingFormula(views, user_views, **{"free": 2, "progress": False} | options)


def rmse(model, split):
    test = split.test.ratings
    stars = model.predict(test["user"].unique(), test["item"].unique())
    frame = pd.DataFrame(stars, test["user"].unique(), test["item"].unique()).stack()
    return cr.metrics.rmse(test["rating"], frame[list(zip(test["user"], test["item"],
                                                          strict=True))].to_numpy())


def covered(model, split, level=0.9):
    test = split.test.ratings
    low, high = model.interval(split.train.user_ids, split.train.item_ids, level)
    place = split.train.user_rows(test["user"]), split.train.item_rows(test["item"])
    return test["rating"].between(low[place], high[place]).mean()


SPLITS = {"warm": lambda ml: cr.splits.random_folds(ml)[0],
          "new items": lambda ml: cr.splits.item_folds(ml)[0],
          "new users": lambda ml: cr.splits.user_folds(ml)[0]}


@pytest.mark.parametrize("kind", SPLITS)
def test_intervals_hold_as_many_as_they_say(kind, drawn):
    ml, views, people = drawn
    split = SPLITS[kind](ml)
    model = make(views, people).fit(split.train)
    assert 0.86 < covered(model, split) < 0.94
    assert 0.42 < covered(model, split, 0.5) < 0.58


@pytest.mark.parametrize("kind", SPLITS)
def test_both_fits_agree_and_are_ahead_of_the_biases(kind, drawn):
    ml, views, people = drawn
    split = SPLITS[kind](ml)
    by = {by: make(views, people, by=by, sweeps=30).fit(split.train)
          for by in ("als", "gradient")}
    stars = [model.predict(ml.user_ids, ml.item_ids).ravel() for model in by.values()]
    assert np.corrcoef(stars)[0, 1] > 0.97
    als, gradient = (rmse(model, split) for model in by.values())
    assert gradient == pytest.approx(als, rel=0.04)
    assert max(als, gradient) < 0.97 * rmse(cr.models.Bias().fit(split.train), split)


def test_variances_are_learnt(drawn):
    ml, views, people = drawn
    now = make(views, people, sweeps=20).fit(ml).beliefs_
    assert now.noise == pytest.approx(0.7 ** 2, rel=0.15)
    assert now.item_spread == pytest.approx(0.3 ** 2, rel=0.6)
    assert now.user_spread[-1] == pytest.approx(0.2 ** 2, rel=0.6)


def test_sweeps_explain_the_ratings_better_and_better(drawn):
    ml, views, people = drawn
    noise = [make(views, people, sweeps=sweeps).fit(ml).beliefs_.noise for sweeps in (1, 3, 6, 12)]
    assert sorted(noise, reverse=True) == noise
    assert noise[0] > 1.1 * noise[-1]


def test_shuffled_views_say_nothing_of_new_items(drawn):
    ml, views, people = drawn
    split = SPLITS["new items"](ml)
    order = np.random.default_rng(0).permutation(len(ml.item_ids))
    known, shuffled = (make({"x": table}, people).fit(split.train)
                       for table in (views["x"], views["x"][order]))
    without = make(None, people).fit(split.train)
    assert rmse(known, split) < 0.9 * rmse(without, split)
    assert rmse(shuffled, split) > 0.98 * rmse(without, split)


def test_user_views_help_new_users(drawn):
    ml, views, people = drawn
    split = SPLITS["new users"](ml)
    assert rmse(make(views, people).fit(split.train), split) < 0.95 * rmse(
        make(views).fit(split.train), split)


def test_the_leak_control_permutes_the_views(ml):
    split = cr.splits.item_cold(ml, 0.2, seed=0)
    views = {"genres": cr.views.genres(ml)}
    model = RatingFormula(views, directions=20, free=1, sweeps=2, progress=False).fit(split.train)
    row, control = (cr.evaluate(model, split, control=control) for control in (None, "shuffled"))
    assert row["recall"] != control["recall"]
    assert row["rmse"] < control["rmse"]
    assert model.views is views


def test_who_is_cold_without_views_is_the_average_one(drawn):
    ml, _, _ = drawn
    split = SPLITS["new items"](ml)
    model = make().fit(split.train)
    new = split.cold_items
    assert np.isnan(model.score(ml.user_ids, new)).all()
    stars = model.predict([0], new)
    assert_allclose(stars, stars[0, 0])
    assert model.terms(0, new[0])["stars"] == pytest.approx(stars[0, 0])
    low, high = model.interval([0], new)
    assert (low < stars).all()
    assert (stars < high).all()


# In the formula's words

def test_the_terms_come_to_the_prediction(drawn):
    ml, views, people = drawn
    model = make(views, people).fit(ml)
    found = model.terms(5, 7)
    assert found["stars"] == pytest.approx(model.score([5], [7])[0, 0])
    assert found["stars"] == pytest.approx(rating(
        found["alpha_u"], found["alpha_i"], model.user_vectors_[5], model.item_vectors_[7],
        found["beta_u"], found["beta_i"]))


def test_what_cannot_be_told_is_fixed(drawn):
    ml, views, people = drawn
    split = SPLITS["new users"](ml)
    model = make(views, people).fit(split.train)
    assert model.alpha_item_.mean() == pytest.approx(1)
    assert model.beta_user_[model.warm_users_].mean() == pytest.approx(0, abs=1e-9)
    for vectors in (model.user_vectors_, model.item_vectors_):
        assert_allclose(np.linalg.norm(vectors, axis=1), 1)


def test_a_rows_directions_are_those_that_it_would_have_if_it_were_new():
    """Many columns, few rows: with the product with itself, warm rows would be much longer."""
    rng = np.random.default_rng(0)
    view, warm = rng.normal(size=(600, 20)) @ rng.normal(size=(20, 300)), np.arange(600) < 300
    view += 8 * rng.normal(size=view.shape)
    length = np.linalg.norm(_priors.directions({"v": view}, warm, 50, "item"), axis=1)
    assert length[warm].mean() == pytest.approx(length[~warm].mean(), rel=0.1)


# Further ratings

def shots(drawn, side, k=5):
    """Return a model fitted without some, k ratings of each of these, and a split to judge by."""
    ml, views, people = drawn
    base = SPLITS[f"new {side}s"](ml)
    split = cr.splits.k_shot(base, k)
    return (make(views, people, sweeps=15).fit(base.train),
            split.train.ratings.iloc[len(base.train):], split)


@pytest.mark.parametrize("side", ["item", "user"])
def test_ratings_that_are_folded_in_do_as_well_as_a_fit_anew(side, drawn):
    model, more, split = shots(drawn, side)
    folded, anew = model.observe(more, side), make(*drawn[1:], sweeps=15).fit(split.train)
    none, few, all_ = (rmse(m, split) for m in (model, folded, anew))
    assert few < none
    assert few == pytest.approx(all_, rel=0.03)


@pytest.mark.parametrize("side", ["item", "user"])
def test_folding_in_is_exact_given_the_other_side(side, drawn):
    model, more, split = shots(drawn, side)
    folded, one = model.observe(more, side), more.iloc[[0]][side].item()
    row = getattr(model.train_, f"{side}_rows")([one])[0]
    own = split.train.ratings[split.train.ratings[side] == one]
    expected = copy.deepcopy(model.beliefs_)
    if side == "item":
        expected.update_item(row, model.train_.user_rows(own["user"]), own["rating"].to_numpy())
    else:
        expected.update_user(row, model.train_.item_rows(own["item"]), own["rating"].to_numpy())
    assert_allclose(getattr(folded.beliefs_, f"{side}s")[row],
                    getattr(expected, f"{side}s")[row])
    other = {"item": "users", "user": "items"}[side]
    assert_array_equal(getattr(folded.beliefs_, other), getattr(model.beliefs_, other))


def test_folding_in_one_by_one_is_as_good_as_at_once(drawn):
    model, more, _ = shots(drawn, "item")
    at_once, one_by_one = model.observe(more, "item"), model
    for _, ratings in more.groupby(more.groupby("item").cumcount()):
        one_by_one = one_by_one.observe(ratings, "item")
    ids = model.train_.user_ids, model.train_.item_ids
    assert_allclose(one_by_one.score(*ids), at_once.score(*ids))


def test_folding_in_leaves_the_model_alone_and_narrows_its_intervals(drawn):
    model, more, _ = shots(drawn, "item", k=10)
    ids = model.train_.user_ids, more["item"].unique()
    stars, deviation = model.score(*ids), model.deviation(*ids)
    folded = model.observe(more, "item")
    assert_array_equal(model.score(*ids), stars)
    assert (folded.deviation(*ids) < deviation).mean() > 0.95
    assert len(folded.train_) == len(model.train_) + len(more)
    assert folded.warm_items_.sum() > model.warm_items_.sum()


def test_folding_in_refuses_what_it_cannot_use(drawn):
    model, more, _ = shots(drawn, "item")
    with pytest.raises(ValueError, match="side is 'items'; it may be 'item' or 'user'"):
        model.observe(more, "items")
    with pytest.raises(RuntimeError, match="isn't fitted"):
        make().observe(more, "item")
    with pytest.raises(ValueError, match="ratings has no column 'rating'"):
        model.observe(more.drop(columns="rating"), "item")
    with pytest.raises(ValueError, match="user .* and item .* have a rating already"):
        model.observe(model.train_.ratings.iloc[:1], "item")
    with pytest.raises(KeyError, match="unknown item"):
        model.observe(more.head(1).assign(item=-1), "item")
    wrong = more.head(2).assign(rating=[3.5, 50])
    with pytest.raises(ValueError, match=r"row 1: rating is 50; .* scale .*, [-\d.]+ to [\d.]+\."):
        model.observe(wrong, "item")


@pytest.mark.parametrize("side", ["item", "user"])
def test_folding_in_nothing_returns_an_equal_model(side, drawn):
    model, more, _ = shots(drawn, side)
    same, ids = model.observe(more.head(0), side), (model.train_.user_ids, model.train_.item_ids)
    assert same is not model
    assert_array_equal(same.score(*ids), model.score(*ids))
    assert_array_equal(same.deviation(*ids), model.deviation(*ids))
    same.observe(more, side)
    assert len(same.train_) == len(model.train_)


@pytest.mark.parametrize(("options", "message"), [
    ({"by": "sgd"}, "by is 'sgd'; it may be one of"), ({"directions": 0}, "directions is 0"),
    ({"free": -1}, "free is -1"), ({"sweeps": 0}, "sweeps is 0"), ({"epochs": 0}, "epochs is 0"),
    ({"seed": "a"}, "seed is 'a', a str"), ({"seed": -1}, "seed is -1"),
    ({"views": "text"}, "RatingFormula's views got 'text' as views"),
    ({"user_views": [1]}, "RatingFormula's user_views got list")])
def test_settings_that_cannot_be_are_refused(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        RatingFormula(**options)


@pytest.mark.parametrize(("level", "error", "message"), [
    (90, ValueError, "level is 90; it must be above 0 and below 1, such as 0.9"),
    ("90", TypeError, "level is '90', a str; it must be a number above 0 and below 1")])
def test_a_level_that_is_no_probability_is_refused(level, error, message, drawn):
    with pytest.raises(error, match=message):
        make(sweeps=1).fit(drawn[0]).interval([0], [0], level)


ASKED = ("score", "predict", "score_pairs", "deviation", "interval")


@pytest.mark.parametrize("name", ASKED)
def test_a_model_that_is_not_fitted_says_so(name):
    with pytest.raises(RuntimeError, match="this RatingFormula isn't fitted. Call fit"):
        getattr(make(), name)([0], [0])


@pytest.mark.parametrize("name", ASKED)
def test_one_id_in_place_of_a_list_is_refused(name, bare):
    ask = getattr(make(sweeps=1).fit(bare), name)
    for user, item, message in (("u0", "i0", r"users is 'u0', a str; .* such as \['u0'\]"),
                                (3, ["i0"], r"users is 3, a int; .* such as \[3\]"),
                                (["u0"], "i0", r"items is 'i0', a str; .* such as \['i0'\]")):
        with pytest.raises(TypeError, match=message):
            ask(user, item)


# End to end

@pytest.fixture(scope="module")
def small(ml):
    """Ratings of a few films of MovieLens."""
    few = ml.ratings["item"].value_counts().index[100:160]
    return ml.with_ratings(ml.ratings[ml.ratings["item"].isin(few)])


def test_before_it_is_tuned_the_whole_says_what_the_formula_says(small):
    import torch

    from coldrec.language import adapt, encoder

    split = cr.splits.item_cold(small, 0.3, seed=0)
    vectors = cr.views.text(small)
    formula = make({"text": vectors}).fit(split.train)
    tokenizer, model = encoder()
    whole = end_to_end.through_formula(adapt(model, "lora", task="FEATURE_EXTRACTION"), formula,
                                       vectors).eval()
    items, users = split.cold_items[:3], small.user_ids[:4]
    texts = cr.views.describe(small)
    read = tokenizer([texts[row] for row in small.item_rows(items)], padding=True,
                     return_tensors="pt")
    rows = torch.tensor(small.user_rows(users)).expand(3, -1)
    said = whole(read["input_ids"], read["attention_mask"], rows)["stars"]
    assert_allclose(said.detach().numpy(), formula.score(users, items).T, atol=2e-3)
    said.sum().backward()
    trained = {name: value for name, value in whole.named_parameters() if value.requires_grad}
    assert trained
    assert all("lora" in name for name in trained)
    assert any(value.grad.abs().max() > 0 for value in trained.values())


def test_tuned_vectors_are_a_view(small):
    options = {"updates": 2, "batch": 2, "most": 4, "progress": False}
    tuned = tuned_text(small, **options)
    assert tuned.shape == cr.views.text(small).shape
    assert_allclose(np.linalg.norm(tuned, axis=1), 1, rtol=1e-5)
    assert not np.allclose(tuned, cr.views.text(small), atol=1e-4)
    assert_allclose(tuned, tuned_text(small, **options), atol=1e-5)


def test_tuning_refuses_what_cannot_be(small):
    with pytest.raises(ValueError, match="share is 1; it must be above 0 and below 1"):
        tuned_text(small, share=1)
    with pytest.raises(TypeError, match="share is 'a', a str"):
        tuned_text(small, share="a")
    with pytest.raises(ValueError, match="seed is -1"):
        tuned_text(small, seed=-1)
    with pytest.raises(TypeError, match="needs Ratings"):
        tuned_text(small.ratings)
    with pytest.raises(ValueError, match="updates is 0"):
        tuned_text(small, updates=0)


def test_tuning_refuses_items_of_which_there_is_nothing_to_read(bare):
    untold = bare.with_items(bare.items.assign(title=None, colour="red"))
    for ml in (bare, untold):
        with pytest.raises(ValueError, match="no title, year, genres or description to read"):
            tuned_text(ml)


def test_the_loss_is_the_mean_over_the_ratings_there_are():
    import torch

    stars = torch.tensor([[1.0, 2.0], [3.0, 9.0]])
    labels = torch.tensor([[2.0, 4.0], [3.0, -100.0]])
    assert end_to_end._squared_error({"stars": stars}, labels) == pytest.approx(5 / 3)
    assert end_to_end._squared_error({"stars": stars}, labels, 5) == pytest.approx(1)
