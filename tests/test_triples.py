"""A GPT of a graph's own words: what it learns, its batches and loss worked by hand, its walks."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal

from coldrec.graph.embeddings import FrequentTail, link_prediction, split_triples
from coldrec.language.triples import Answers, GraphGPT, walks

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("one_thread")]

SIZES = {"width": 16, "layers": 1, "heads": 2, "progress": False}
LEARNS = {**SIZES, "epochs": 60, "batch": 32, "learning_rate": 3e-3}


def frame(*triples):
    """Return a frame of triples: ``frame("anna likes ben", ...)``."""
    return pd.DataFrame([t.split() for t in triples], columns=["head", "relation", "tail"])


def clubs(number=3, members=8, places=4):
    """Each member of a club goes to all of its places; clubs share nothing."""
    return frame(*(f"m{c}_{m} goes_to p{c}_{p}" for c in range(number) for m in range(members)
                   for p in range(places)))


KIN = frame("anna parent ben", "ben parent cleo", "anna parent dora", "dora parent emil",
            "anna likes emil", "cleo likes emil")
PEOPLE = ["anna", "ben", "cleo", "dora", "emil"]  # words 1 to 5
LIKES, PARENT, LIKES_BACK, PARENT_BACK = 6, 7, 8, 9


@pytest.fixture(scope="module")
def parts():
    return split_triples(clubs(), 0.15)


@pytest.fixture(scope="module")
def learnt(parts):
    return GraphGPT(**LEARNS).fit(parts[0])


@pytest.fixture(scope="module")
def kin():
    return GraphGPT(**SIZES, epochs=1).fit(KIN)


def mrr(model, parts):
    train, test = parts
    return link_prediction(model, test, train)["mrr"]


# What it learns

def test_held_out_facts_of_a_regular_graph_are_found(learnt, parts):
    untrained = GraphGPT(**SIZES, epochs=1, learning_rate=1e-9).fit(parts[0])
    assert mrr(learnt, parts) > 0.9
    assert mrr(untrained, parts) < 0.3
    assert mrr(FrequentTail().fit(parts[0]), parts) < 0.2
    losses = learnt.training_.losses
    assert losses.iloc[-1] < 0.5 * losses.iloc[0]


def test_both_directions_are_learnt(learnt, parts):
    """Held-out tails, and heads, come before all that isn't of their club and kind."""
    train, test = parts
    for given, ask, wanted in ((("head", "relation"), learnt.score_tails, "tail"),
                               (("relation", "tail"), learnt.score_heads, "head")):
        scores = ask(*(test[name].tolist() for name in given))
        own = scores[np.arange(len(test)), learnt.entities.get_indexer(test[wanted])]
        other = [[e[:2] != t[:2] for e in learnt.entities] for t in test[wanted]]
        assert (own > np.where(other, scores, -np.inf).max(1)).mean() > 0.9


def test_a_relation_with_a_direction_is_learnt_with_it():
    tree = frame(*(f"p{n} parent p{child}" for n in range(7) for child in (2 * n + 1, 2 * n + 2)))
    model = GraphGPT(**LEARNS).fit(tree)
    there = model.score(tree["head"], tree["relation"], tree["tail"])
    back = model.score(tree["tail"], tree["relation"], tree["head"])
    assert (there > back).all()


def test_paths_are_learnt_too(parts):
    model = GraphGPT(**{**LEARNS, "epochs": 40}, paths=2, hops=3).fit(parts[0])
    assert mrr(model, parts) > 0.5
    sentences = 2 * len(parts[0]) + 2 * len(model.entities)
    assert model.training_.steps == round(40 * sentences / 32)
    assert model.model_.config.n_positions >= 7


def test_a_seed_gives_the_same_model():
    one, again, other = (GraphGPT(**SIZES, epochs=2, batch=4, paths=1, dropout=0.1, seed=seed)
                         .fit(KIN) for seed in (5, 5, 6))
    assert_frame_equal(one.vectors, again.vectors)
    assert_array_equal(one.score_tails(["anna"], ["likes"]), again.score_tails(["anna"], ["likes"]))
    assert not np.allclose(one.vectors, other.vectors)


# The contract of a link predictor

def test_fit_returns_the_model_and_keeps_the_ids_in_order():
    model = GraphGPT(**SIZES, epochs=1)
    assert model.fit(KIN.sample(frac=1, random_state=0)) is model
    assert list(model.entities) == PEOPLE
    assert list(model.relations) == ["likes", "parent"]


def test_facts_are_read_from_both_ends(kin):
    anna, ben, cleo, dora, emil = range(1, 6)
    assert_array_equal(kin.facts_, [
        [anna, PARENT, ben], [ben, PARENT, cleo], [anna, PARENT, dora], [dora, PARENT, emil],
        [anna, LIKES, emil], [cleo, LIKES, emil],
        [ben, PARENT_BACK, anna], [cleo, PARENT_BACK, ben], [dora, PARENT_BACK, anna],
        [emil, PARENT_BACK, dora], [emil, LIKES_BACK, anna], [emil, LIKES_BACK, cleo]])


def test_scores_are_what_the_model_says_of_the_next_word(kin):
    """Log-probabilities among the entities: no other word may be an answer."""
    with torch.inference_mode():
        for asked, scores in (([1, PARENT], kin.score_tails(["anna"], ["parent"])),
                              ([5, LIKES_BACK], kin.score_heads(["likes"], ["emil"]))):
            words = kin.model_(torch.tensor([asked]).to(kin.model_.device)).logits[0, -1]
            assert words.shape == (10,)
            assert_allclose(scores[0], words[1:6].log_softmax(-1).cpu(), rtol=1e-4)
    scores = kin.score(["anna", "emil"], ["parent", "likes"], ["ben", "ben"])
    tails = kin.score_tails(["anna", "emil"], ["parent", "likes"])
    assert scores.shape == (2,) and tails.shape == (2, 5)
    assert_allclose(scores, tails[:, PEOPLE.index("ben")], rtol=1e-5)


def test_many_questions_are_asked_in_parts(kin, monkeypatch):
    heads, relations = PEOPLE * 3, ["likes", "parent", "likes"] * 5
    whole = kin.score_tails(heads, relations)
    monkeypatch.setattr("coldrec.language.triples.ASKED_AT_ONCE", 4)
    assert_allclose(kin.score_tails(heads, relations), whole, rtol=1e-4)


def test_what_is_unknown_is_nan(kin):
    scores = kin.score(["anna", "zoe", "anna", None], ["likes", "likes", "hates", "likes"],
                       ["ben", "ben", "ben", "ben"])
    assert_array_equal(np.isnan(scores), [False, True, True, True])
    assert_array_equal(np.isnan(kin.score_tails(["zoe", "ben"], ["likes"] * 2)),
                       np.array([[True], [False]]) | np.zeros(5, dtype=bool))
    assert np.isnan(kin.score_heads(["hates"], ["ben"])).all()
    assert np.isnan(kin.score_heads(["likes"], ["zoe"])).all()


def test_vectors_are_the_words_and_copies(kin):
    words = kin.model_.get_input_embeddings().weight.detach().cpu().numpy()
    assert len(words) == 1 + 5 + 2 * 2
    assert_array_equal(kin.vectors, words[1:6])
    assert list(kin.vectors.index) == PEOPLE
    assert (kin.vectors.dtypes == np.float32).all()
    vectors = kin.vectors
    vectors.iloc[:] = 0
    assert (kin.vectors != 0).any(axis=None)
    assert kin.model_.get_output_embeddings().weight is kin.model_.get_input_embeddings().weight


def test_words_are_numbers_of_entities_and_0_is_none(kin):
    assert_array_equal(kin.words(["emil", "zoe", "anna"]), [5, 0, 1])
    assert_array_equal(kin.words(pd.Index(PEOPLE)), kin.words(PEOPLE))


def test_an_unfitted_model_says_so():
    model = GraphGPT(**SIZES)
    for ask in (lambda: model.score(["a"], ["r"], ["b"]), lambda: model.words(["a"]),
                lambda: model.vectors):
        with pytest.raises(RuntimeError, match="this GraphGPT isn't fitted. Call fit"):
            ask()


@pytest.mark.parametrize(("bad", "error", "message"), [
    ({"width": 0}, ValueError, "width is 0; it must be a whole number from 1 on"),
    ({"layers": 1.5}, TypeError, "layers is 1.5, a float"),
    ({"heads": 0}, ValueError, "heads is 0"),
    ({"epochs": 0}, ValueError, "epochs is 0"),
    ({"batch": -1}, ValueError, "batch is -1"),
    ({"hops": 0}, ValueError, "hops is 0"),
    ({"paths": -1}, ValueError, "paths is -1; it must be a whole number from 0 on"),
    ({"paths": True}, TypeError, "paths is True, a bool"),
    ({"width": 16, "heads": 3}, ValueError, "width is 16; it must be a multiple of heads, 3"),
])
def test_bad_sizes_are_refused(bad, error, message):
    with pytest.raises(error, match=re.escape(message)):
        GraphGPT(**bad)


# Walks

@pytest.fixture(scope="module")
def facts(kin):
    return kin.facts_


def test_walks_go_along_facts_only(facts):
    known = set(map(tuple, facts.tolist()))
    found = walks(facts, 200, 3, np.random.default_rng(0))
    assert len(found) == 200
    assert {len(walk) for walk in found} == {1 + 2 * 3}
    for walk in found:
        for at in range(0, 6, 2):
            assert tuple(walk[at:at + 3]) in known
    assert all(type(word) is int for word in found[0])


def test_walks_start_everywhere_and_take_every_fact(facts):
    found = walks(facts, 300, 1, np.random.default_rng(0))
    assert {tuple(walk) for walk in found} == set(map(tuple, facts.tolist()))
    starts = np.bincount([walk[0] for walk in found], minlength=6)[1:]
    assert starts.min() > 300 / 5 / 2  # by entity, not by how many facts it has
    of_ben = [walk for walk in found if walk[0] == 2]
    up = np.mean([walk[1] == PARENT_BACK for walk in of_ben])
    assert 0.3 < up < 0.7


def test_walks_have_a_seed(facts):
    one, again, other = (walks(facts, 9, 2, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert one == again != other


# Batches and their loss, by hand

ASKED = np.array([[1, 4, 2], [1, 4, 3], [2, 5, 1], [3, 5, 1], [3, 4, 3]])
N_WORDS = 6  # 0 is the padding


@pytest.fixture
def answers():
    return Answers(ASKED, N_WORDS)


def test_a_batch_of_triples_and_paths_is_padded_on_the_right(answers):
    batch = answers.collate([[1, 4, 2], [2, 5, 1, 4, 3], [3, 5, 1]])
    assert set(batch) == {"input_ids", "attention_mask", "logits_to_keep", "labels"}
    assert batch["input_ids"].tolist() == [[1, 4, 2, 0], [2, 5, 1, 4], [3, 5, 1, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 0]]
    assert batch["logits_to_keep"].tolist() == [1, 3]  # the relations' places
    row = answers.row_
    none = [-100, -100]
    assert batch["labels"].tolist() == [[[2, row[1, 4]], none],
                                        [[1, row[2, 5]], [3, row[1, 4]]],
                                        [[1, row[3, 5]], none]]


def test_a_batch_of_triples_alone_asks_in_one_place(answers):
    batch = answers.collate([[1, 4, 2], [3, 4, 3]])
    assert batch["input_ids"].tolist() == [[1, 4], [3, 4]]
    assert batch["logits_to_keep"].tolist() == [1]
    assert batch["labels"].shape == (2, 1, 2)


def cross_entropy(logits, answer, *left_out):
    kept = [n for n in range(N_WORDS) if n not in left_out]
    return np.log(np.exp(np.array(logits)[kept]).sum()) - logits[answer]


@pytest.fixture
def batch(answers):
    """Sentences, their batch, random logits, and the loss of each answer."""
    sentences = [[1, 4, 2], [2, 5, 1, 4, 3], [3, 4, 3]]
    logits = torch.randn(3, 2, N_WORDS, generator=torch.manual_seed(0), dtype=torch.float64)
    z = logits.tolist()
    losses = [cross_entropy(z[0][0], 2, 3), cross_entropy(z[1][0], 1),
              cross_entropy(z[1][1], 3, 2), cross_entropy(z[2][0], 3)]
    return sentences, answers.collate(sentences)["labels"], logits, losses


def test_the_loss_leaves_out_other_right_answers_and_padding(answers, batch):
    _, labels, logits, losses = batch
    assert_allclose(answers.loss({"logits": logits}, labels), np.mean(losses))
    logits[0, 1] = logits[2, 1] = 1e9  # where nothing is asked
    assert_allclose(answers.loss({"logits": logits}, labels), np.mean(losses))


def test_the_loss_of_parts_adds_up_to_that_of_the_whole(answers, batch):
    """``num_items_in_batch`` counts what isn't -100 in all the update's labels: two a question."""
    sentences, labels, logits, losses = batch
    n = int((labels != -100).sum())
    assert n == 8
    parts = [answers.loss({"logits": logits[rows]}, labels[rows], num_items_in_batch=n)
             for rows in ([0], [1, 2])]
    assert_allclose(sum(parts), np.mean(losses))
    alone = answers.collate(sentences[:1])["labels"]  # padded less
    assert_allclose(answers.loss({"logits": logits[:1, :1]}, alone, torch.tensor(n)), parts[0])


def test_what_is_never_wrong_may_be_right(batch):
    _, labels, logits, _ = batch
    answers = Answers(ASKED, N_WORDS, never_wrong=[1, 2])
    z = logits.tolist()
    assert_allclose(answers.loss({"logits": logits}, labels), np.mean(
        [cross_entropy(z[0][0], 2, 3, 1), cross_entropy(z[1][0], 1, 2),
         cross_entropy(z[1][1], 3, 2, 1), cross_entropy(z[2][0], 3, 1, 2)]))


def test_the_model_computes_what_the_loss_reads(kin):
    """From sentences to a loss and back: the same as of each question asked by itself."""
    answers = Answers(kin.facts_, 10)
    sentences = [[1, PARENT, 2], [2, PARENT_BACK, 1, LIKES, 5]]
    batch = answers.collate(sentences)
    labels = batch.pop("labels")
    device = kin.model_.device
    with torch.inference_mode():
        logits = kin.model_(**{k: v.to(device) for k, v in batch.items()}).logits.cpu()
        whole = kin.model_(torch.tensor([sentences[1]]).to(device)).logits[0].cpu()
        first = kin.model_(torch.tensor([sentences[0]]).to(device)).logits[0].cpu()
    assert logits.shape == (2, 2, 10)
    assert_allclose(logits[1], whole[[1, 3]], atol=1e-5)
    assert_allclose(logits[0, 0], first[1], atol=1e-5)
    assert answers.loss({"logits": logits}, labels).item() == pytest.approx(np.log(9), abs=0.5)
