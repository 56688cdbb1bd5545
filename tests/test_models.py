"""Recommenders: one contract for all of them, and each against its definition."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_similarity

import coldrec as cr
from coldrec import models
from coldrec.language import GraphGPT, LikesGPT, TextRater, YesNo
from coldrec.rating import RatingFormula
from coldrec.splits import Split, warm

pytestmark = pytest.mark.usefixtures("one_thread")

N = 12  # warm users, and warm items, of the checkerboard; two cold ones of each come after them


class Board(NamedTuple):
    """A world whose right answers are known: even users like even items, odd users odd ones."""

    split: Split
    views: dict  # of the items; both agree with the two kinds
    user_views: dict

    @property
    def train(self):
        return self.split.train


def make_board():
    """Users u0 to u13 and items i0 to i13, not in order; u12, u13, i12 and i13 are cold.

    Each user's ratings of two items, one of either kind, are left out of the training set.
    """
    shuffle = np.random.default_rng(1)
    user, item = (side.ravel() for side in np.indices((N + 2, N + 2)))
    wobble = (user + item) // 2 % 2  # 5 and 4 stars for the own kind, 2 and 1 for the other
    stars = np.where(user % 2 == item % 2, 5, 2) - wobble
    everything = pd.DataFrame({"user": [f"u{n}" for n in user], "item": [f"i{n}" for n in item],
                               "rating": stars})
    kind = np.where(np.arange(N + 2) % 2, "odd", "even")
    items = pd.DataFrame({"item": [f"i{n}" for n in range(N + 2)], "genres": kind,
                          "title": [f"The {k} one" for k in kind]})
    users = pd.DataFrame({"user": [f"u{n}" for n in range(N + 2)], "occupation": kind})
    world = cr.Ratings.from_frames(everything, items.iloc[shuffle.permutation(N + 2)],
                                   users.iloc[shuffle.permutation(N + 2)])
    held_out = (user // 2 == item // 2) | (user >= N) | (item >= N)
    split = Split("board", world.with_ratings(world.ratings[~held_out]),
                  world.with_ratings(world.ratings[held_out]),
                  pd.Index(["i12", "i13"]), pd.Index(["u12", "u13"]))
    sign = world.items["genres"].map({("even",): 1.0, ("odd",): -1.0}).to_numpy()
    views = {"genres": cr.views.genres(world), "sign": sp.csr_matrix(100 * sign[:, None])}
    return Board(split, views, {"job": cr.views.demographics(world)})


@pytest.fixture(scope="module")
def board():
    return make_board()


@functools.cache
def board_gpt():
    """A model of what a graph says of the checkerboard: which items are of which kind."""
    items = make_board().train.items
    facts = pd.DataFrame([(f"item:{item}", "is", f"{kind}{n}") for item, (kind,) in
                          zip(items["item"], items["genres"], strict=True) for n in range(2)],
                         columns=["head", "relation", "tail"])
    return GraphGPT(16, 1, 2, epochs=50, batch=16, learning_rate=5e-3, progress=False).fit(facts)


class Case(NamedTuple):
    make: Callable  # of the board
    answers: tuple = ()  # which questions of the checkerboard it must answer right


WARM, COLD_ITEM, COLD_USER = "a warm item", "a cold item", "a cold user"
CONTENT = (WARM, COLD_ITEM)

CASES = {
    "Random": Case(lambda board: models.Random()),
    "Popularity": Case(lambda board: models.Popularity()),
    "TestCountOracle": Case(lambda board: models.TestCountOracle(board.split)),
    "Bias": Case(lambda board: models.Bias()),
    "ItemKNN": Case(lambda board: models.ItemKNN(), (WARM,)),
    "UserKNN": Case(lambda board: models.UserKNN(), (WARM,)),
    "MatrixFactorisation": Case(lambda board: models.MatrixFactorisation(), (WARM,)),
    "ImplicitALS": Case(lambda board: models.ImplicitALS(factors=4), (WARM,)),
    "EASE": Case(lambda board: models.EASE(), (WARM,)),
    "ArticleNetwork": Case(
        lambda board: models.ArticleNetwork(hidden=8, epochs=40, batch=32, learning_rate=0.03),
        (WARM,)),
    "Content": Case(lambda board: models.Content(), CONTENT),
    "ViewCosine": Case(lambda board: models.ViewCosine(board.views), CONTENT),
    "ViewRidge of likes": Case(lambda board: models.ViewRidge(board.views), CONTENT),
    "ViewRidge of EASE": Case(lambda board: models.ViewRidge(board.views, "ease"), CONTENT),
    "ViewRidge of a teacher": Case(
        lambda board: models.ViewRidge(board.views, models.UserKNN().fit(board.train)), CONTENT),
    "ViewRidge of users": Case(
        lambda board: models.ViewRidge(board.user_views, side="user"), (WARM, COLD_USER)),
    "ViewStars of items": Case(lambda board: models.ViewStars(board.views, 0.1, 0.1), CONTENT),
    "ViewStars of users": Case(
        lambda board: models.ViewStars(board.user_views, 0.1, 0.1, side="user"), (WARM, COLD_USER)),
    "FeatureCombination": Case(lambda board: models.FeatureCombination(board.views), CONTENT),
    "WeightedHybrid": Case(
        lambda board: models.WeightedHybrid([(models.EASE(), 1.0),
                                             (models.ViewRidge(board.views), 2.0)]), CONTENT),
    "SwitchingHybrid": Case(
        lambda board: models.SwitchingHybrid(models.EASE(),
                                             models.ViewRidge(board.views, "ease")), CONTENT),
    "LikesGPT": Case(
        lambda board: LikesGPT(board_gpt(), board.train, epochs=10, batch=32, learning_rate=1e-2,
                               progress=False), CONTENT),
    "Rerank": Case(
        lambda board: models.Rerank(models.ViewRidge(board.views),
                                    models.ViewStars(board.views, 0.1, 0.1), n=3), CONTENT),
    "TextRater": Case(
        lambda board: TextRater("full", updates=30, learning_rate=3e-4, progress=False),
        (*CONTENT, COLD_USER)),
    "RatingFormula": Case(
        lambda board: RatingFormula(board.views, board.user_views, free=2, progress=False),
        (*CONTENT, COLD_USER)),
    "RatingFormula of gradients": Case(
        lambda board: RatingFormula(board.views, board.user_views, free=2, by="gradient",
                                    progress=False), (*CONTENT, COLD_USER)),
    "YesNo": Case(lambda board: YesNo(profiles={"likes": 1, "dislikes": 0}, progress=False)),
}
STARS = ["Bias", "MatrixFactorisation", "ArticleNetwork", "ViewStars of items",
         "ViewStars of users", "TextRater", "RatingFormula", "RatingFormula of gradients"]
ALWAYS = ["Random", "TestCountOracle", "ArticleNetwork", "TextRater", "RatingFormula",
          "RatingFormula of gradients", "YesNo"]  # they score whatever they are asked
OF_ITEMS = ["Content", "ViewCosine", "ViewRidge of likes", "ViewRidge of EASE",
            "ViewRidge of a teacher", "ViewStars of items", "FeatureCombination", "WeightedHybrid",
            "SwitchingHybrid", "LikesGPT", "Rerank"]
OF_USERS = ["Popularity", "Bias", "ViewRidge of likes", "ViewRidge of EASE",
            "ViewRidge of a teacher", "ViewRidge of users", "ViewStars of items",
            "ViewStars of users", "FeatureCombination", "WeightedHybrid",
            "Rerank"]
SEEDED = ["Random", "MatrixFactorisation", "ImplicitALS", "ArticleNetwork", "LikesGPT", "TextRater",
          "RatingFormula", "RatingFormula of gradients"]


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(scope="module")
def model(case, board):
    """The case's model, fitted; tests that would change it make their own."""
    return case.make(board).fit(board.train)


def test_every_model_is_in_the_contract():
    exported = {getattr(models, name) for name in models.__all__}
    abstract = {models.Recommender, models.StarRecommender}
    assert {name.split(" of ")[0] for name in CASES} == {
        c.__name__ for c in exported - abstract | {LikesGPT, RatingFormula, TextRater, YesNo}}


class TestContract:
    def test_scores_have_a_row_per_user_and_a_column_per_item(self, model):
        scores = model.score(["u3", "u0", "u12"], pd.Index(["i1", "i13"]))
        assert scores.shape == (3, 2)
        assert scores.dtype == float

    def test_scores_are_nan_exactly_where_the_flags_say_so(self, model, board):
        train = board.train
        scores = model.score(train.user_ids, train.item_ids)
        unknown_user = train.user_ids.isin(["u12", "u13"]) & (not model.scores_cold_users)
        unknown_item = train.item_ids.isin(["i12", "i13"]) & (not model.scores_cold_items)
        assert_array_equal(np.isnan(scores), unknown_user[:, None] | unknown_item)
        assert not np.isinf(scores).any()

    def test_scores_follow_the_order_of_the_ids(self, model, board):
        users, items = board.train.user_ids, board.train.item_ids
        scores = model.score(users, items)
        turned = model.score(list(users[::-1]), np.roll(items, 3))
        assert_allclose(turned, np.roll(scores[::-1], 3, axis=1), atol=1e-6)

    def test_pairs_are_scored_as_all_with_all(self, model, board):
        scores = model.score(["u3", "u0", "u12"], ["i1", "i13", "i4"])
        pairs = model.score_pairs(["u3", "u0", "u3", "u12"], ["i1", "i13", "i4", "i1"])
        assert_allclose(pairs, scores[[0, 1, 0, 2], [0, 1, 2, 0]], atol=1e-5)
        with pytest.raises(ValueError, match="got 2 users and 1 items; pairs need as many"):
            model.score_pairs(["u0", "u1"], ["i0"])

    @pytest.mark.parametrize("question", [WARM, COLD_ITEM, COLD_USER])
    def test_the_checkerboard_is_answered(self, case, model, question):
        if question not in case.answers:
            pytest.skip(f"knows nothing of {question}")
        for user in range(N, N + 2) if question == COLD_USER else range(N):
            first = {WARM: user - user % 2, COLD_ITEM: N, COLD_USER: 0}[question]
            even, odd = model.score([f"u{user}"], [f"i{first}", f"i{first + 1}"])[0]
            assert odd > even if user % 2 else even > odd, f"u{user} and i{first}"

    def test_fit_returns_self_and_can_be_repeated(self, case, model, board):
        again = case.make(board)
        assert again.fit(board.train) is again
        ids = board.train.user_ids, board.train.item_ids
        assert_array_equal(again.score(*ids), model.score(*ids))  # the seed is the same

    def test_fit_changes_neither_ratings_nor_views(self, case):
        mine, untouched = make_board(), make_board()
        case.make(mine).fit(mine.train)
        for table in ("ratings", "items", "users"):
            assert_frame_equal(getattr(mine.train, table), getattr(untouched.train, table))
        for ours, theirs in ((mine.views, untouched.views),
                             (mine.user_views, untouched.user_views)):
            assert list(ours) == list(theirs)
            for name in ours:
                assert abs(ours[name] - theirs[name]).max() == 0

    def test_a_deep_copy_is_equal_and_independent(self, model, board):
        ids = board.train.user_ids, board.train.item_ids
        before = model.score(*ids)
        twin = copy.deepcopy(model)
        assert_array_equal(twin.score(*ids), before)
        few = board.train.ratings.drop(index=range(0, len(board.train), 3))
        twin.fit(board.train.with_ratings(few))
        assert_array_equal(model.score(*ids), before)

    def test_scoring_before_fit_is_refused(self, case, board):
        model = case.make(board)
        with pytest.raises(RuntimeError, match=f"{type(model).__name__} isn't fitted. Call fit"):
            model.score(["u0"], ["i0"])

    def test_an_unknown_id_is_refused(self, model):
        with pytest.raises(KeyError, match="unknown user.*nobody"):
            model.score(["nobody"], ["i0"])
        with pytest.raises(KeyError, match="unknown item.*7.*not positions"):
            model.score(["u0"], [7])

    def test_fit_refuses_what_are_no_ratings(self, case, board):
        with pytest.raises(TypeError, match="needs Ratings.*not DataFrame"):
            case.make(board).fit(board.train.ratings)
        with pytest.raises(TypeError, match="fit needs Ratings, not Split. Use split.train."):
            case.make(board).fit(board.split)
        with pytest.raises(ValueError, match="no ratings"):
            case.make(board).fit(board.train.with_ratings(board.train.ratings[:0]))


def test_a_model_may_return_what_it_keeps(board):
    """Marking what it can't know must not write into the model's own memory."""
    class Keeps(models.Recommender):
        def _fit(self, train):
            self.kept = np.zeros((1, 2))

        def _score(self, user_rows, item_rows):
            return self.kept

    model = Keeps().fit(board.train)
    assert_array_equal(model.score(["u0"], ["i0", "i12"]), [[0, np.nan]])
    assert_array_equal(model.kept, [[0, 0]])


def test_flags_say_who_scores_the_cold(board):
    made = {name: case.make(board) for name, case in CASES.items()}
    assert {n for n, m in made.items() if m.scores_cold_items} == {*ALWAYS, *OF_ITEMS}
    assert {n for n, m in made.items() if m.scores_cold_users} == {*ALWAYS, *OF_USERS}


@pytest.mark.parametrize("name", STARS)
def test_stars_are_inside_the_scale_for_everyone(name, board):
    model = CASES[name].make(board)
    with pytest.raises(RuntimeError, match="isn't fitted"):
        model.predict(["u0"], ["i0"])
    stars = model.fit(board.train).predict(board.train.user_ids, board.train.item_ids)
    assert stars.shape == (N + 2, N + 2)
    assert stars.min() >= 1
    assert stars.max() <= 5


def test_stars_are_clipped_to_the_scale():
    """A fan gives what all find bad five stars, a critic one to what all find good."""
    frame = pd.DataFrame({"user": ["1", "1", "2", "2", "3", "3", "fan", "critic"],
                          "item": ["good", "bad"] * 4, "rating": [5, 1] * 3 + [5, 1]})
    frame.loc[6:, "item"] = ["bad", "good"]
    bias = models.Bias(shrink_users=0, shrink_items=0).fit(cr.Ratings.from_frames(frame))
    assert bias.score(["fan"], ["good"]) > 5
    assert bias.predict(["fan"], ["good"]) == 5
    assert bias.score(["critic"], ["bad"]) < 1
    assert bias.predict(["critic"], ["bad"]) == 1


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_gives_other_scores(name, board):
    models_ = [CASES[name].make(board) for _ in range(2)]
    models_[1].seed = 1
    first, second = (m.fit(board.train).score(["u0"], ["i0"]) for m in models_)
    assert first != second


# Baselines

SMALL = cr.Ratings.from_frames(
    pd.DataFrame({"user": [1, 1, 2], "item": ["a", "b", "a"], "rating": [5, 3, 4]}),
    items=pd.DataFrame({"item": ["a", "b", "new"]}))


def test_bias_by_hand():
    # Mean 4. Items: a has residuals 1 and 0, so 1 / (2 + 1); b has -1, so -1 / (1 + 1).
    # Users: 1 has 5 - 4 - 1/3 = 2/3 and 3 - 4 + 1/2 = -1/2, so (1/6) / (2 + 1); 2 has -1/3,
    # so (-1/3) / (1 + 1).
    model = models.Bias(shrink_users=1, shrink_items=1, sweeps=1).fit(SMALL)
    assert_allclose(model.item_bias_, [1 / 3, -1 / 2, 0])
    assert_allclose(model.user_bias_, [1 / 18, -1 / 6])
    assert_allclose(model.predict([1, 2], ["b", "new"]),
                    [[4 + 1 / 18 - 1 / 2, 4 + 1 / 18], [4 - 1 / 6 - 1 / 2, 4 - 1 / 6]])


def test_popularity_counts_training_likes():
    """At 4 stars and more: two for a, none for b's 3 stars; of a new item nothing is known."""
    assert_array_equal(models.Popularity().fit(SMALL).score([1, 2], ["b", "a", "new"]),
                       [[0, 2, np.nan]] * 2)


def test_oracle_counts_the_likes_of_the_test(board):
    """Every cold item is liked by half of the 14 users, and each warm one by 3: see the board."""
    oracle = models.TestCountOracle(board.split).fit(board.train)
    assert_array_equal(oracle.score(["u0"], ["i0", "i12", "i13"]), [[2, 7, 7]])


# Neighbours

def test_neighbours_by_hand():
    # Likes: user 1 {a, b}, user 2 {a, b, c}, user 3 {c}. Cosines of items: a-b 1, a-c and b-c 1/2.
    # Of users: 1-2 2/√6 = 0.8165, 2-3 1/√3 = 0.5774, 1-3 0.
    likes = [(1, "a"), (1, "b"), (2, "a"), (2, "b"), (2, "c"), (3, "c")]
    train = cr.Ratings.from_frames(pd.DataFrame(likes, columns=["user", "item"]).assign(rating=5))
    by_item = models.ItemKNN().fit(train).score([1, 2, 3], ["a", "b", "c"])
    assert_allclose(by_item, [[1, 1, 1], [1.5, 1.5, 1], [0.5, 0.5, 0]])
    nearest = models.ItemKNN(neighbours=1).fit(train).score([1, 3], ["a", "b"])
    assert_allclose(nearest, [[1, 1], [0, 0]])  # a and b are each other's one neighbour
    by_user = models.UserKNN().fit(train).score([1, 2, 3], ["a", "c"])
    assert_allclose(by_user, [[0.8165, 0.8165], [0.8165, 0.5774], [0.5774, 0.5774]], atol=1e-4)
    nearest = models.UserKNN(neighbours=1).fit(train).score([2], ["a", "c"])
    assert_allclose(nearest, [[0.8165, 0]], atol=1e-4)  # user 2's one neighbour is user 1


@pytest.mark.parametrize("make", [models.ItemKNN, models.UserKNN])
def test_a_number_of_neighbours_that_is_none_is_refused(make):
    with pytest.raises(ValueError, match="neighbours is 0; it must be a whole number from 1 on"):
        make(neighbours=0)
    with pytest.raises(TypeError, match="neighbours is 2.5, a float"):
        make(2.5)


# Linear models

def test_ease_is_the_constrained_ridge(tiny):
    """Column by column: regress each item's likes on all the other items' (Steck 2019)."""
    X = tiny.matrix(likes=True).toarray()
    weights = np.zeros((X.shape[1], X.shape[1]))
    for item in range(X.shape[1]):
        others = np.delete(np.arange(X.shape[1]), item)
        ridge = Ridge(alpha=3.0, fit_intercept=False).fit(X[:, others], X[:, item])
        weights[others, item] = ridge.coef_
    model = models.EASE(regularisation=3.0).fit(tiny)
    assert_allclose(model.weights_, weights, atol=1e-10)
    rated = tiny.item_ids[:-1]
    assert_allclose(model.score(tiny.user_ids, rated), (X @ weights)[:, :-1], atol=1e-10)


def scaled(view, warm):
    """A view as ViewRidge must see it: centred, its strongest direction of variance one."""
    view = view - view[warm].mean(0)
    return view / (np.linalg.svd(view[warm], compute_uv=False)[0] / np.sqrt(warm.sum()))


@pytest.mark.parametrize("columns", [3, 200], ids=["primal, d < n", "dual, d > n"])
@pytest.mark.parametrize("side", ["item", "user"])
def test_view_ridge_is_scikit_learns_ridge(tiny, side, columns):
    """Three cold rows: they take no part in the fit, the means or the scale."""
    rng = np.random.default_rng(0)
    ids = tiny.item_ids if side == "item" else tiny.user_ids
    warm = np.arange(len(ids)) < len(ids) - 3
    train = tiny.with_ratings(tiny.ratings[tiny.ratings[side].isin(ids[warm])])
    views = {"a": rng.normal(5, 3, (len(ids), columns)), "b": rng.random((len(ids), 2))}
    model = models.ViewRidge(views, side=side, regularisation=0.7, weights={"b": 2.0}).fit(train)

    X = np.hstack([scaled(views["a"], warm), 2 * scaled(views["b"], warm)])
    Y = train.matrix(likes=True).toarray()
    Y = Y.T if side == "item" else Y
    expected = Ridge(alpha=0.7 * warm.sum()).fit(X[warm], Y[warm]).predict(X)
    expected = expected.T if side == "item" else expected
    known = train.user_ids.isin(train.ratings["user"]) | (side == "user")
    judged = train.item_ids.isin(train.ratings["item"]) | (side == "item")
    found = model.score(train.user_ids, train.item_ids)
    assert_allclose(found[np.ix_(known, judged)], expected[np.ix_(known, judged)], atol=1e-8)


def test_view_ridge_of_a_teacher_regresses_on_what_it_says(tiny):
    view = np.random.default_rng(0).normal(size=(20, 3))
    teacher = models.EASE().fit(tiny)
    warm = tiny.item_ids != 120  # nobody rated the last
    X = scaled(view, warm)
    Y = teacher.score(tiny.user_ids, tiny.item_ids).T
    expected = Ridge(alpha=0.3 * warm.sum()).fit(X[warm], Y[warm]).predict(X).T
    for targets in (teacher, "ease"):
        model = models.ViewRidge({"view": view}, targets).fit(tiny)
        assert_allclose(model.score(tiny.user_ids, tiny.item_ids), expected, atol=1e-10)


def test_view_ridge_scores_a_new_user_like_the_average_one(tiny):
    """Where no view is of the users, an item's score is its mean over those who rated."""
    train = tiny.with_ratings(tiny.ratings[tiny.ratings["user"] > 3])
    view = np.random.default_rng(0).normal(size=(20, 3))
    scores = models.ViewRidge({"view": view}).fit(train).score(tiny.user_ids, tiny.item_ids)
    assert_allclose(scores[:3], np.tile(scores[3:].mean(0), (3, 1)))


def test_view_ridge_ignores_units_and_takes_sparse_views(tiny):
    view = np.random.default_rng(0).integers(0, 3, (20, 5))

    def scores(view):
        return models.ViewRidge({"view": view}).fit(tiny).score(tiny.user_ids, tiny.item_ids)

    assert_allclose(scores(1000 * view + 7), scores(view))
    assert_allclose(scores(sp.csr_matrix(view)), scores(view))
    assert_allclose(scores(np.hstack([view, view])), scores(view))


def test_view_ridge_leaves_out_a_view_that_tells_nothing(tiny):
    view = np.random.default_rng(0).normal(size=(20, 3))
    nothing = {"constant": np.ones((20, 2)), "none": np.zeros((20, 0))}
    both = models.ViewRidge({"view": view, **nothing}).fit(tiny)
    assert_array_equal(both.predictions_, models.ViewRidge({"view": view}).fit(tiny).predictions_)
    with pytest.raises(ValueError, match=r"no view of \['constant', 'none'\] tells the items"):
        models.ViewRidge(nothing).fit(tiny)


def test_view_ridge_refuses_bad_views_and_options(tiny):
    good = np.eye(20)
    with pytest.raises(ValueError, match="view 'v' has 19 rows; the data have 20 items"):
        models.ViewRidge({"v": good[:19]}).fit(tiny)
    with pytest.raises(ValueError, match="view 'v' has 20 rows; the data have 30 users"):
        models.ViewRidge({"v": good}, side="user").fit(tiny)
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="view 'v' holds NaN or infinite"):
            models.ViewRidge({"v": np.where(good, bad, 0)}).fit(tiny)
    with pytest.raises(ValueError, match=r"weights for \['w'\], but the views are \['v'\]"):
        models.ViewRidge({"v": good}, weights={"w": 2.0})
    with pytest.raises(ValueError, match="side is 'both'.*'item' or 'user'"):
        models.ViewRidge({"v": good}, side="both")
    for bad in ("love", models.EASE, None):
        with pytest.raises(ValueError, match="targets is .*'likes', 'ease' or a fitted"):
            models.ViewRidge({"v": good}, targets=bad)


OF_VIEWS = {"ridge": models.ViewRidge, "cosine": models.ViewCosine,
            "combination": models.FeatureCombination}


@pytest.mark.parametrize("make", OF_VIEWS.values(), ids=OF_VIEWS)
@pytest.mark.parametrize(("bad", "message"), [
    (np.ones(20), r"view 'v' has shape \(20,\); .* two dimensions.*\(20, d\).*give view\[:, None"),
    (np.ones((20, 2, 2)), r"view 'v' has shape \(20, 2, 2\); .*: \(20, d\)\.$"),
    (np.eye(19), "view 'v' has 19 rows; the data have 20 items.*order of Ratings.items"),
    (sp.eye(21), "view 'v' has 21 rows; the data have 20 items"),
    (np.where(np.eye(20) * np.arange(20) == 3, np.nan, 1), "'v' holds NaN or.*first in row 3.*0"),
    (sp.coo_matrix(np.where(np.eye(20), np.inf, 0)), "view 'v' holds NaN or infinite.*row 0"),
    ("text", "view 'v', a str, isn't a matrix of numbers"),
    (["a film"] * 20, "view 'v', a list, isn't a matrix of numbers.*as cr.views.genres"),
    (pd.DataFrame({"title": ["a film"] * 20}), "view 'v', a DataFrame, isn't a matrix of numbers"),
])
def test_a_view_that_is_none_is_refused(tiny, make, bad, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make({"v": bad}).fit(tiny)


@pytest.mark.parametrize("make", OF_VIEWS.values(), ids=OF_VIEWS)
def test_views_are_a_dict(make):
    with pytest.raises(TypeError, match=r"got ndarray as views; it takes a dict.*\{'text': "):
        make(np.eye(20))
    with pytest.raises(TypeError, match="got 'text' as views; it takes a dict, name to matrix"):
        make("text")


def test_view_cosine_needs_a_view(tiny):
    with pytest.raises(ValueError, match="got no views. Give it one"):
        models.ViewCosine({}).fit(tiny)


def test_a_view_may_be_a_frame(tiny):
    view = np.random.default_rng(0).random((20, 3))
    for make in (models.ViewRidge, models.ViewCosine):
        one, other = (make({"v": v}).fit(tiny).score(tiny.user_ids, tiny.item_ids)
                      for v in (view, pd.DataFrame(view, index=range(5, 25))))
        assert_array_equal(one, other)


def test_feature_combination_without_content_of_its_own_knows_nothing_of_the_cold(board):
    """The features from likes are zeros for a cold item, so only the views speak there."""
    model = models.FeatureCombination(board.views, factors=4).fit(board.train)
    assert model.views is board.views
    alone = models.ViewRidge(board.views).fit(board.train)
    assert not np.allclose(model.predictions_, alone.predictions_)
    constant = {"constant": np.ones((N + 2, 1))}
    blind = models.FeatureCombination(constant, factors=4).fit(board.train)
    first, second = blind.score(["u0", "u1"], ["i12", "i13"]).T
    assert_allclose(first, second)


# Content

@pytest.mark.parametrize("side", ["item", "user"])
def test_view_stars_is_two_ridge_regressions_on_what_the_biases_leave(tiny, side):
    """The dual solution against weighted ridges in the space of the view's columns."""
    users, items = len(tiny.user_ids), len(tiny.item_ids)
    rng = np.random.default_rng(0)
    view = rng.normal(size=(items if side == "item" else users, 2))
    model = models.ViewStars({"v": view}, shared=3.0, own=2.0, side=side).fit(tiny)
    bias = models.Bias().fit(tiny)
    frame = tiny.ratings
    user, item = tiny.user_rows(frame["user"]), tiny.item_rows(frame["item"])
    mine, other, own_bias, other_bias = (
        (item, user, bias.item_bias_, bias.user_bias_) if side == "item"
        else (user, item, bias.user_bias_, bias.item_bias_))
    warm = np.isin(np.arange(len(view)), mine)
    x = view - view[warm].mean(0)
    x /= np.sqrt(np.linalg.eigvalsh(x[warm].T @ x[warm] / warm.sum())[-1])
    left = frame["rating"].to_numpy(float) - bias.mean_ - other_bias[other]
    n = np.bincount(mine, minlength=len(x))
    mean = np.bincount(mine, left, len(x)) / np.maximum(n, 1)
    shared = Ridge(alpha=3.0, fit_intercept=False).fit(
        x[warm], mean[warm], sample_weight=n[warm] / (n[warm] + 5))
    level = np.where(warm, own_bias, shared.predict(x))
    expected = np.empty((len(x), len(other_bias)))
    for one in range(len(other_bias)):
        rows = other == one
        own = (Ridge(alpha=2.0, fit_intercept=False).fit(
            x[mine[rows]], left[rows] - own_bias[mine[rows]]).predict(x) if rows.any() else 0)
        expected[:, one] = bias.mean_ + level + other_bias[one] + own
    expected = expected if side == "user" else expected.T
    assert_allclose(model.predict(tiny.user_ids, tiny.item_ids),
                    np.clip(expected, *tiny.scale), atol=1e-8)


def test_view_stars_refuses_a_side_that_is_none(tiny):
    with pytest.raises(ValueError, match="side is 'both'; it may be 'item' or 'user'"):
        models.ViewStars({"v": np.eye(len(tiny.item_ids))}, side="both")


def test_view_stars_beats_the_biases_on_new_films(ml):
    fold = cr.splits.item_folds(ml, 5, seed=0)[0]
    views = {"genres": cr.views.genres(ml), "year": cr.views.year(ml)}
    stars = cr.evaluate(models.ViewStars(views).fit(fold.train), fold)["rmse"]
    assert stars < 0.97 * cr.evaluate(models.Bias().fit(fold.train), fold)["rmse"]


def test_view_cosine_by_hand():
    # The user likes a (1, 0) and b (0, 1): the profile (1, 1) has cosine 1/√2 with (1, 0), 1 with
    # the new item's (3, 3). User 2 likes only a. User 3 likes nothing: no profile.
    train = cr.Ratings.from_frames(
        pd.DataFrame({"user": [1, 1, 2, 3], "item": ["a", "b", "a", "b"], "rating": [5, 4, 4, 1]}),
        items=pd.DataFrame({"item": ["a", "b", "new"]}))
    model = models.ViewCosine({"view": np.array([[1, 0], [0, 1], [3, 3]])}).fit(train)
    assert_allclose(model.score([1, 2, 3], ["a", "new"]),
                    [[0.7071, 1], [1, 0.7071], [np.nan, np.nan]], atol=1e-4)


def test_view_cosine_scales_each_view_by_itself(tiny):
    """A view in thousands doesn't drown the other: the score is the mean of the unit rows'."""
    rng = np.random.default_rng(0)
    a, b = rng.random((20, 4)), rng.random((20, 3))
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b)]
    likes = tiny.matrix(likes=True).toarray()
    expected = cosine_similarity(likes @ np.hstack(unit), np.hstack(unit))
    model = models.ViewCosine({"a": 1000 * a, "b": sp.csr_matrix(b)}).fit(tiny)
    found = model.score(tiny.user_ids, tiny.item_ids)
    assert_allclose(found[likes.any(1)], expected[likes.any(1)])


def test_content_is_the_cosine_of_tfidf(tiny):
    ids = tiny.user_ids, tiny.item_ids
    assert_array_equal(models.Content().fit(tiny).score(*ids),
                       models.ViewCosine({"words": cr.views.tfidf(tiny)}).fit(tiny).score(*ids))


# Hybrids

class Says(models.Recommender):
    """A recommender that says what it is told."""

    def __init__(self, scores, cold_items=True):
        self.scores, self.scores_cold_items = np.array([scores]), cold_items
        self.scores_cold_users = False

    def _fit(self, train):
        pass

    def _score(self, user_rows, item_rows):
        return self.scores[:, item_rows]


def test_weighted_hybrid_by_hand():
    # Ranks over their number: A 1/3, 2/3, 1, none; B none, 1, 1/3, 2/3. With weights 1 and 3:
    # 1/3 (A alone), (2/3 + 3) / 4, (1 + 1) / 4, 2/3 (B alone); nobody can score the last.
    items = list("abcde")
    train = cr.Ratings.from_frames(
        pd.DataFrame({"user": [1, 1], "item": ["a", "b"], "rating": [5, 1]}),
        items=pd.DataFrame({"item": items}))
    a, b = Says([1, 2, 3, np.nan, np.nan]), Says([np.nan, 30, 10, 20, np.nan])
    scores = models.WeightedHybrid([(a, 1), (b, 3)]).fit(train).score([1], items)
    assert_allclose(scores, [[1 / 3, 11 / 12, 1 / 2, 2 / 3, np.nan]])


def test_weighted_hybrid_can_do_what_one_of_its_parts_can():
    content, collaborative = Says([0]), Says([0], cold_items=False)
    assert models.WeightedHybrid([(content, 1), (collaborative, 1)]).scores_cold_items
    assert not models.WeightedHybrid([(collaborative, 1)]).scores_cold_items
    assert not models.WeightedHybrid([(content, 1)]).scores_cold_users


@pytest.mark.parametrize("parts", [[], {}, [Says([0])], [(1.0, Says([0]))], Says([0])])
def test_weighted_hybrid_needs_pairs(parts):
    with pytest.raises(TypeError, match=r"it must be a list of pairs \(recommender, weight\)"):
        models.WeightedHybrid(parts)


def test_switching_hybrid_by_hand():
    train = cr.Ratings.from_frames(
        pd.DataFrame({"user": [1, 1], "item": ["a", "b"], "rating": [5, 1]}),
        items=pd.DataFrame({"item": list("abc")}))
    warm, cold = Says([1, 2, np.nan], cold_items=False), Says([7, 8, 3])
    model = models.SwitchingHybrid(warm, cold, boost=2).fit(train)
    assert_allclose(model.score([1], list("abc")), [[1, 2, 6]])


def test_a_larger_boost_shows_more_new_items_and_less_of_the_known(ml):
    split = cr.splits.mixed(ml, seed=0)
    cold = models.ViewRidge({"genres": cr.views.genres(ml)}, targets="ease")
    rows = [cr.evaluate(models.SwitchingHybrid(models.EASE(), cold, boost).fit(split.train), split,
                        pool="all") for boost in (1, 2, 4)]
    assert rows[0]["recall_cold"] < rows[1]["recall_cold"] < rows[2]["recall_cold"]
    assert rows[0]["recall_warm"] > rows[1]["recall_warm"] > rows[2]["recall_warm"]


def test_switching_hybrid_says_what_is_wrong():
    with pytest.raises(ValueError, match="boost is 0; it must be above 0"):
        models.SwitchingHybrid(models.EASE(), Says([0]), boost=0)
    with pytest.raises(ValueError, match="EASE can't score new items, so there is nothing to"):
        models.SwitchingHybrid(models.EASE(), models.EASE())


# Matrix factorisation

def test_factorisation_beats_the_biases_on_held_out_ratings(ml):
    split = warm(ml, seed=0)
    users, items = split.test.ratings["user"], split.test.ratings["item"]
    error = {}
    for model in (models.Bias(), models.MatrixFactorisation()):
        stars = model.fit(split.train).predict(ml.user_ids, ml.item_ids)
        guess = stars[ml.user_rows(users), ml.item_rows(items)]
        error[type(model).__name__] = cr.metrics.rmse(split.test.ratings["rating"], guess)
    assert error["Bias"] < 0.96  # and 1.12 for the mean alone
    assert error["MatrixFactorisation"] < error["Bias"] - 0.01


def test_factorisation_falls_back_on_the_biases_for_the_cold(board):
    model = models.MatrixFactorisation().fit(board.train)
    bias = models.Bias().fit(board.train)
    ids = board.train.user_ids, ["i12", "i13"]
    assert_allclose(model.predict(*ids), bias.predict(*ids))
    assert np.ptp(model.items_[board.train.item_rows(["i12", "i13"])]) > 0  # its start, not zero


def test_factorisation_solves_each_row_by_ridge(board):
    """After the last half sweep, every warm item's vector is the ridge solution for its ratings."""
    train = board.train
    model = models.MatrixFactorisation(factors=3, regularisation=2.0).fit(train)
    frame = train.ratings[train.ratings["item"] == "i0"]
    rows = train.user_rows(frame["user"])
    bias = model.bias_._predict(rows, train.item_rows(["i0"]))[:, 0]
    ridge = Ridge(alpha=2.0, fit_intercept=False).fit(model.users_[rows], frame["rating"] - bias)
    assert_allclose(model.items_[train.item_rows(["i0"])[0]], ridge.coef_, atol=1e-8)


def test_implicit_als_solves_each_row_by_weighted_ridge(board):
    """After the last half sweep, every item's vector is the weighted ridge solution for its likes,
    and one without likes has none."""
    train = board.train
    model = models.ImplicitALS(factors=3, weight=4.0, regularisation=2.0).fit(train)
    likes = train.matrix(likes=True).toarray()[:, train.item_rows(["i0"])[0]]
    ridge = Ridge(alpha=2.0, fit_intercept=False).fit(model.users_, likes, 1 + 4 * likes)
    assert_allclose(model.items_[train.item_rows(["i0"])[0]], ridge.coef_, atol=1e-8)
    assert not model.items_[train.item_rows(["i12"])].any()


def test_implicit_als_beats_popularity_on_held_out_likes(ml):
    split = warm(ml, seed=0)
    found = {name: cr.evaluate(model.fit(split.train), split, pool="all")["recall"] for name, model
             in {"als": models.ImplicitALS(), "popularity": models.Popularity()}.items()}
    assert found["als"] > 1.5 * found["popularity"]


@pytest.mark.parametrize("wrong", [{"factors": 0}, {"sweeps": 0}, {"weight": 0},
                                   {"regularisation": -1}])
def test_implicit_als_says_what_is_wrong(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} is {wrong[name]}; it must be"):
        models.ImplicitALS(**wrong)


# The article's network

@pytest.fixture(scope="module")
def article(board):
    return CASES["ArticleNetwork"].make(board).fit(board.train)


def test_network_leaves_the_embedding_of_the_cold_where_it_started(article, board):
    train = board.train
    after = article.network_.embedding.weight.detach().cpu().numpy()
    moved = (after != article.start_).any(1)
    is_warm = np.concatenate([~train.user_ids.isin(["u12", "u13"]),
                              ~train.item_ids.isin(["i12", "i13"])])
    assert_array_equal(moved, is_warm)


def test_network_learns(article):
    epoch = len(article.losses_) // 40
    assert np.mean(article.losses_[-epoch:]) < np.mean(article.losses_[:epoch]) / 2


def test_network_predicts_the_expected_rating(article, board):
    import torch

    train = board.train
    pair = [train.user_rows(["u2"])[0], train.item_rows(["i5"])[0] + len(train.user_ids)]
    with torch.inference_mode():
        logits = article.network_(torch.tensor([pair], device=article.values_.device))[0]
    chance = np.exp(logits.cpu().numpy())
    assert_allclose(article.predict(["u2"], ["i5"])[0, 0],
                    chance @ [1, 2, 4, 5] / chance.sum(), rtol=1e-5)


def test_network_is_the_articles():
    """Embedding, bidirectional GRU, dense with ReLU, one logit per rating."""
    import torch

    from coldrec.models.sequence import build_network

    network = build_network(n_ids=7, n_ratings=5, hidden=32)
    assert network.embedding.weight.shape == (7, 32)
    gru = network.gru
    assert (gru.input_size, gru.hidden_size, gru.bidirectional) == (32, 16, True)
    assert network.dense.weight.shape == (16, 32)
    assert network.out.weight.shape == (5, 16)
    _, last = gru(network.embedding(torch.tensor([[1, 6]])))
    hidden = torch.relu(network.dense(torch.cat([last[0], last[1]], dim=1)))
    assert torch.allclose(network(torch.tensor([[1, 6]])), network.out(hidden))
    assert (network.dense(torch.cat([last[0], last[1]], dim=1)) < 0).any()  # so the ReLU shows
