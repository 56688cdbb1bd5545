"""A graph's GPT tuned on likes: what it recommends, and what it may not know."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import coldrec as cr
from coldrec.language import likes
from coldrec.language.likes import LikesGPT
from coldrec.language.triples import Answers, GraphGPT
from coldrec.splits import Split

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("one_thread")]

KINDS, ITEMS, COLD, FANS = 4, 9, 3, 5  # of each kind of item, the last three are cold
TUNED = {"epochs": 15, "batch": 64, "learning_rate": 5e-3, "progress": False}


def about(*items):
    """Return what the graph says: items of a kind have the kind's three topics."""
    return pd.DataFrame([(f"item:{item}", "about", f"topic:{item[0]}_{n}")
                         for item in items for n in range(3)], columns=["head", "relation", "tail"])


ALL = [f"{kind}{n}" for kind in range(KINDS) for n in range(ITEMS)]


@pytest.fixture(scope="module")
def world():
    """Fans of a kind like all of it, and rate some of the next kind badly; ``new`` is unknown."""
    stars = [(f"fan{kind}{n}", item, 5 if item[0] == str(kind) else 1)
             for kind in range(KINDS) for n in range(FANS) for item in ALL
             if item[0] == str(kind) or (item[0] == str((kind + 1) % KINDS) and n == 0)]
    return cr.Ratings.from_frames(pd.DataFrame(stars, columns=["user", "item", "rating"]),
                                  pd.DataFrame({"item": [*ALL, "new"]}),
                                  pd.DataFrame({"user": [*dict.fromkeys(s[0] for s in stars),
                                                         "nobody"]}))


@pytest.fixture(scope="module")
def split(world):
    cold = pd.Index([item for item in ALL if int(item[1]) >= ITEMS - COLD])
    held_out = world.ratings["item"].isin(cold)
    return Split("kinds", world.with_ratings(world.ratings[~held_out]),
                 world.with_ratings(world.ratings[held_out]), cold, pd.Index([], dtype=object))


@pytest.fixture(scope="module")
def gpt():
    return GraphGPT(16, 1, 2, epochs=60, batch=32, learning_rate=5e-3, progress=False).fit(
        about(*ALL))


@pytest.fixture(scope="module")
def tuned(gpt, world, split):
    return LikesGPT(gpt, world, **TUNED).fit(split.train)


def own_kind(users, items):
    return np.array([[user[3] == item[0] for item in items] for user in users])


def test_the_cold_items_of_the_liked_kind_come_first(tuned, split):
    row = cr.evaluate(tuned, split, k=COLD)
    assert row["recall"] > 0.95
    assert row["chance"] == pytest.approx(1 / KINDS)


def test_with_their_words_shuffled_they_come_at_random(tuned, split):
    words = tuned.views["word"].copy()
    found = [cr.evaluate(tuned, split, k=COLD, control="shuffled", seed=seed)["recall"]
             for seed in (0, 1)]
    assert np.mean(found) < 0.5
    assert_array_equal(tuned.views["word"], words)


def test_the_words_are_a_view_and_what_is_read_of_it(gpt, world, split):
    model = LikesGPT(gpt, world, **TUNED | {"epochs": 1})
    view = model.views["word"]
    assert view.shape == (len(world.item_ids), 1)
    assert_array_equal(view[:, 0], [*gpt.words([f"item:{item}" for item in ALL]), 0])
    turned = np.arange(len(view))
    turned[[6, 15]] = 15, 6  # two cold items change places
    plain = model.fit(split.train).score(world.user_ids[:3], world.item_ids)
    model.views = {"word": view[turned]}
    assert_array_equal(model.fit(split.train).score(world.user_ids[:3], world.item_ids),
                       plain[:, turned])


def test_cold_items_are_not_pushed_down(gpt, world, split, monkeypatch):
    """As answers that nobody could give yet they don't count as wrong, or they would sink."""
    def gap():
        model = LikesGPT(gpt, world, **TUNED, rehearsal=0).fit(split.train)
        scores = model.score(world.user_ids[:-1], ALL)
        own, cold = own_kind(world.user_ids[:-1], ALL), pd.Index(ALL).isin(split.cold_items)
        return scores[own & ~cold].mean() - scores[own & cold].mean()

    spared = gap()
    monkeypatch.setattr(likes, "Answers", lambda facts, words, never_wrong: Answers(facts, words))
    assert spared < 0.65 * gap()


def test_the_graphs_model_is_left_as_it_was(gpt, world, split):
    before = {name: value.clone() for name, value in gpt.model_.state_dict().items()}
    words, size = gpt.vectors.copy(), gpt.model_.config.vocab_size
    LikesGPT(gpt, world, **TUNED | {"epochs": 1}).fit(split.train)
    assert gpt.model_.config.vocab_size == size == len(gpt.model_.lm_head.weight)
    assert all(torch.equal(value, before[name]) for name, value in gpt.model_.state_dict().items())
    assert words.equals(gpt.vectors)


def test_scores_are_nan_where_nothing_is_known(tuned, world):
    scores = tuned.score(world.user_ids, world.item_ids)
    unknown = (world.user_ids == "nobody")[:, None] | (world.item_ids == "new")
    assert_array_equal(np.isnan(scores), unknown)


def test_scores_are_what_the_model_says_after_user_likes(tuned, world):
    users, items = ["fan31", "fan02"], ["20", "38", "05"]
    first = len(tuned.gpt.entities) + 2 * len(tuned.gpt.relations) + 1
    asked = [[first + 2 + row, first] for row in tuned.train_.user_rows(users)]
    with torch.inference_mode():
        logits = tuned.model_(torch.tensor(asked).to(tuned.model_.device)).logits[:, -1].cpu()
    words = tuned.gpt.words([f"item:{item}" for item in items])
    np.testing.assert_allclose(tuned.score(users, items), logits[:, words], rtol=1e-4)


def test_it_is_trained_on_likes_both_ways_and_on_facts(gpt, world, split, monkeypatch):
    """Five stars are a like, one star isn't; ``rehearsal`` facts are told to each like."""
    seen = {}

    class Told(Exception):
        pass

    def spy(model, sentences, **options):
        seen.update(sentences=sentences, collate=options["collate"])
        raise Told

    monkeypatch.setattr(likes, "train_model", spy)
    for rehearsal in (0, 0.25):
        with pytest.raises(Told):
            LikesGPT(gpt, world, **TUNED, rehearsal=rehearsal).fit(split.train)
        word = gpt.model_.config.vocab_size
        new = 2 * len(split.train.ratings.query("rating == 5"))
        told = {tuple(sentence) for sentence in seen["sentences"]}
        assert len(told) == len(seen["sentences"]) == new + round(rehearsal * new)
        row = split.train.user_rows(["fan10"])[0]
        item, other = gpt.words(["item:10", "item:20"])
        assert {(word + 2 + row, word, item), (item, word + 1, word + 2 + row)} <= told
        assert (word + 2 + row, word, other) not in told
        facts = {s for s in told if max(s) < word}
        assert len(facts) == round(rehearsal * new)
        assert facts <= set(map(tuple, gpt.facts_.tolist()))
        cold = set(gpt.words([f"item:{item}" for item in split.cold_items]))
        assert not cold & {word for sentence in told - facts for word in sentence}
        seen["collate"](seen["sentences"])  # all its questions are known


def test_without_rehearsal_it_learns_too(gpt, world, split):
    model = LikesGPT(gpt, world, **TUNED, rehearsal=0).fit(split.train)
    assert cr.evaluate(model, split, k=COLD)["recall"] > 0.9


def test_a_seed_gives_the_same_scores(gpt, world, split):
    one, again, other = (LikesGPT(gpt, world, **TUNED | {"epochs": 1}, seed=seed).fit(split.train)
                         .score(world.user_ids, ALL[:4]) for seed in (0, 0, 1))
    assert_array_equal(one, again)
    assert not np.allclose(one, other, equal_nan=True)


def test_items_may_be_called_otherwise(world):
    facts = about(*ALL)
    facts["head"] = facts["head"].str.replace("item:", "product:")
    gpt = GraphGPT(16, 1, 2, epochs=1, progress=False).fit(facts)
    assert (LikesGPT(gpt, world, prefix="product").views["word"] > 0).sum() == len(ALL)
    with pytest.raises(ValueError, match="knows none of the items: no entity is called such as "
                                         "'item:00'. Say what they are called by prefix"):
        LikesGPT(gpt, world)


def test_what_cannot_be_is_refused(gpt, world, split):
    with pytest.raises(ValueError, match=r"needs a fitted GraphGPT. Call fit\(triples\)"):
        LikesGPT(GraphGPT(), world)
    for bad in (-0.1, np.nan):
        with pytest.raises(ValueError, match=f"rehearsal is {bad}; it must be 0 or more"):
            LikesGPT(gpt, world, rehearsal=bad)
    with pytest.raises(TypeError, match="LikesGPT needs Ratings, not Split. Use split.train"):
        LikesGPT(gpt, split)
    with pytest.raises(RuntimeError, match="this LikesGPT isn't fitted. Call fit"):
        LikesGPT(gpt, world).score(["fan00"], ["00"])


def test_without_a_like_of_a_known_item_there_is_nothing_to_learn(gpt, world):
    few = world.with_ratings(world.ratings.query("rating == 1"))
    with pytest.raises(ValueError, match="no item that the GPT knows has a rating of 4 or more"):
        LikesGPT(gpt, world).fit(few)
