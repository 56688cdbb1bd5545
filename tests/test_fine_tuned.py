"""Language models as recommenders: what they read, and what comes of it in two stages."""

import numpy as np
import pandas as pd
import pytest

import coldrec as cr
from coldrec import metrics, models
from coldrec.language import Profiles, TextRater, YesNo, log_likelihood

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def world():
    """Two kinds of users and items; item i9 is cold, and u9 has rated nothing."""
    rows = [(f"u{u}", f"i{i}", 5 if u % 2 == i % 2 else 1) for u in range(9) for i in range(9)
            if (u + i) % 3]
    items = pd.DataFrame({"item": [f"i{i}" for i in range(10)],
                          "title": [f"{'War' if i % 2 else 'Love'} {i}, The" for i in range(10)],
                          "genres": ["War" if i % 2 else "Romance" for i in range(10)]})
    users = pd.DataFrame({"user": [f"u{u}" for u in range(10)], "age": [20, None] * 5,
                          "zip": ["12345"] * 10})
    return cr.Ratings.from_frames(pd.DataFrame(rows, columns=["user", "item", "rating"]), items,
                                  users)


class TestProfiles:
    def test_tell_who_a_user_is_and_what_they_liked(self, world):
        text = Profiles(world, likes=2, dislikes=1).text(0)
        assert text.startswith("Liked: The Love ")
        assert text.count("The Love") == 2
        assert text.count("The War") == 1
        assert text.endswith(" age 20.0.")
        assert "12345" not in text

    def test_never_tell_the_item_that_is_asked_for(self, world):
        profiles, rng = Profiles(world, likes=9, dislikes=9), np.random.default_rng(0)
        for item in range(9):
            assert profiles.titles[item] not in profiles.text(0, without=item)
            assert profiles.titles[item] not in profiles.text(0, item, rng)

    def test_are_the_same_at_each_call_unless_drawn(self, world):
        profiles, rng = Profiles(world, likes=1), np.random.default_rng(0)
        assert profiles.text(2) == profiles.text(2) == Profiles(world, likes=1).text(2)
        assert len({profiles.text(2, rng=rng) for _ in range(20)}) > 1

    def test_of_somebody_new_tell_only_who_it_is(self, world):
        assert Profiles(world).text(9) == ""
        assert Profiles(world, about=["zip"]).text(9) == "zip 12345."

    def test_say_what_is_wrong(self, world):
        with pytest.raises(ValueError, match="likes"):
            Profiles(world, likes=-1)
        with pytest.raises(TypeError, match="Profiles"):
            Profiles(world.ratings)


class TestTextRater:
    def test_learns_from_texts_what_a_cold_item_is_worth_to_whom(self, world):
        rater = TextRater("full", updates=40, learning_rate=3e-4, progress=False).fit(world)
        even, odd = rater.score_pairs(["u0", "u1"], ["i9", "i9"])
        assert odd > even + 1
        np.testing.assert_allclose(rater.predict(["u0", "u1"], ["i9"])[:, 0],
                                   np.clip([even, odd], 1, 5), rtol=1e-4)
        assert rater.training_.steps == 40

    def test_learns_what_a_teacher_says(self, world):
        class Teacher:
            def predict(self, users, items):
                return np.full((len(users), len(items)), 1.0) + 3 * (np.arange(len(items)) % 2)

        rater = TextRater("full", updates=40, learning_rate=3e-4, teacher=Teacher(),
                          progress=False).fit(world)
        stars = rater.predict(["u0", "u1"], ["i2", "i9"])
        assert (stars[:, 1] > stars[:, 0] + 1).all()  # for both users, whatever they rated

    def test_stops_by_items_it_is_not_trained_on(self, world):
        rater = TextRater("lora", updates=6, validation=0.3, judge_every=2, patience=1,
                          learning_rate=1e-9, progress=False).fit(world)
        assert len(rater.training_.judged) >= 2
        assert rater.training_.steps <= 6

    def test_the_same_seed_gives_the_same_stars(self, world):
        """What LoRA adds is drawn from the seed, whatever torch drew before."""
        one, two = (TextRater("lora", updates=2, learning_rate=1e-2, seed=3, progress=False)
                    .fit(world).predict(["u0"], ["i9", "i2"]) for _ in range(2))
        np.testing.assert_array_equal(one, two)

    def test_plans_adalora(self, world):
        rater = TextRater("adalora", updates=10, rank=2, progress=False).fit(world)
        assert rater.training_.steps == 10

    def test_says_what_is_wrong(self):
        with pytest.raises(ValueError, match="validation is 1.5"):
            TextRater(validation=1.5)
        with pytest.raises(ValueError, match="updates"):
            TextRater(updates=0)


@pytest.fixture(scope="module")
def model(world):
    return YesNo(shots=2, seed=1).fit(world)


class TestYesNo:
    def test_scores_as_if_each_prompt_was_read_whole(self, model, world):
        users, items = ["u0", "u0", "u3", "u0"], ["i9", "i2", "i9", "i5"]
        prompts = [model.prompt(world.user_rows([u])[0], world.item_rows([i])[0])
                   for u, i in zip(users, items, strict=True)]
        yes, no = (log_likelihood(model.model_, model.tokenizer_, prompts, [word] * 4)["log_prob"]
                   for word in (" Yes", " No"))
        pairs = model.score_pairs(users, items)
        cold = [0, 2]  # known items are shown to their raters, in what is read once
        np.testing.assert_allclose(pairs[cold], (yes - no).to_numpy()[cold], atol=1e-3)
        np.testing.assert_allclose(model.score(["u0", "u3"], ["i9"])[:, 0], pairs[cold], atol=1e-3)

    def test_shows_solved_examples_and_never_the_answer(self, model, world):
        prompt = model.prompt(0, 1)
        assert prompt.count("Answer:") == 3
        assert prompt.endswith("Answer:")
        assert prompt.count(model.items_[1]) == 1

    def test_can_be_tuned(self, world):
        before = YesNo().fit(world)
        after = YesNo(examples=24, batch=8, learning_rate=2e-3, progress=False).fit(world)
        again = YesNo(examples=24, batch=8, learning_rate=2e-3, progress=False).fit(world)
        assert after.training_.steps == 3
        assert not np.allclose(before.score(["u0"], ["i9"]), after.score(["u0"], ["i9"]))
        np.testing.assert_array_equal(again.score(["u0"], ["i9"]), after.score(["u0"], ["i9"]))

    def test_says_what_is_wrong(self):
        with pytest.raises(ValueError, match="order"):
            YesNo(order=("Yes", "Yes"))
        with pytest.raises(ValueError, match="shots"):
            YesNo(shots=-1)


class Judge:
    """Likes the items whose number is even, and remembers what it was asked."""

    def fit(self, train):
        self.train_ = train
        return self

    def score_pairs(self, users, items):
        self.asked = list(zip(users, items, strict=True))
        return np.array([-float(item[1:]) for item in items])


class TestRerank:
    @pytest.fixture
    def first(self, world):
        return models.Popularity().fit(world)

    def test_the_second_orders_the_candidates_of_the_first_alone(self, world):
        second = Judge()
        model = models.Rerank(models.Random(seed=3), second, n=3).fit(world)
        users, items = world.user_ids, world.item_ids
        first, scores = model.first.score(users, items), model.score(users, items)
        seen = world.matrix().toarray() > 0
        assert len(second.asked) == sum(min(3, n) for n in (~seen).sum(1))
        for row, user in enumerate(users):
            open_ = np.flatnonzero(~seen[row])
            best = open_[np.argsort(-first[row, open_])]
            mine = open_[np.argsort(-scores[row, open_])]
            assert sorted(mine[:3]) == sorted(best[:3])
            assert list(mine[:3]) == sorted(best[:3], key=lambda i: int(items[i][1:]))
            assert list(mine[3:]) == list(best[3:])
            assert all((user, items[i]) in second.asked for i in best[:3])

    def test_what_the_first_cannot_score_stays_unknown(self, world, first):
        scores = models.Rerank(first, Judge().fit(world), n=20).fit(world).score(["u0"], ["i9"])
        assert np.isnan(scores).all()

    def test_what_the_second_cannot_score_stays_below(self, world, first):
        alone = first.fit(world).score(["u0"], world.item_ids)[0]

        class Blind(Judge):
            def score_pairs(self, users, items):
                return np.where(np.asarray(items) == items[0], np.nan, 0.0)

        mine = models.Rerank(first, Blind().fit(world), n=3).fit(world).score(
            ["u0"], world.item_ids)[0]
        told = mine > np.nanmax(alone)
        assert told.sum() == 2
        np.testing.assert_array_equal(mine[~told], alone[~told])

    def test_fits_what_is_not_fitted_yet(self, world, first):
        second = Judge()
        models.Rerank(first, second).fit(world)
        assert second.train_ is world

    def test_says_what_is_wrong(self, world, first):
        with pytest.raises(TypeError, match="second is a Profiles, which has no score_pairs"):
            models.Rerank(first, Profiles(world))
        with pytest.raises(ValueError, match="n"):
            models.Rerank(first, Judge(), n=0)


def test_auc_within_is_each_users_own():
    users = ["a", "a", "a", "b", "b", "c"]
    auc = metrics.auc_within(users, [1, 2, 2, 3, 1, 1], [False, True, False, False, True, True])
    pd.testing.assert_series_equal(auc, pd.Series({"a": 0.75, "b": 0.0, "c": np.nan}, name="auc"),
                                   check_names=False)
