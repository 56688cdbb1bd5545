"""Graph embeddings: their formulas, what they learn, and ranks worked by hand.

PyKEEN's own models and evaluation stand beside ours when asked:

    python -m pip install -e ".[peers]"
    python -m pytest -m pykeen -s tests/test_graph_embeddings.py
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal

import coldrec as cr
from coldrec.graph.embeddings import (
    ComplEx,
    FrequentTail,
    TransE,
    link_prediction,
    ranks,
    split_triples,
)
from coldrec.validation import DataError

MODELS = {"FrequentTail": FrequentTail, "TransE": TransE, "ComplEx": ComplEx}
EMBEDDINGS = {"TransE": TransE, "ComplEx": ComplEx}
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
every_embedding = pytest.mark.parametrize("make", EMBEDDINGS.values(), ids=EMBEDDINGS)


@pytest.fixture(autouse=True)
def one_thread(request):
    """Networks this small are slower on several."""
    import torch

    threads = torch.get_num_threads()
    if "pykeen" not in request.keywords:
        torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def frame(*triples):
    """Return a frame of triples: ``frame("anna likes ben", ...)``."""
    return pd.DataFrame([t.split() for t in triples], columns=["head", "relation", "tail"])


def clock(hours=24, steps=(1, 2, 5)):
    """Hours of a clock, and which hour is so many steps after another."""
    return frame(*(f"h{h} plus{s} h{(h + s) % hours}" for h in range(hours) for s in steps))


def families(number=12, roles=("mother", "father", "child", "house")):
    """Who is what to whom in families that have nothing to do with each other."""
    return frame(*(f"{one}{n} {one}_{other} {other}{n}" for n in range(number)
                   for one in roles for other in roles if one != other))


KIN = frame("anna parent ben", "ben parent cleo", "anna parent dora", "dora parent emil",
            "anna likes emil", "cleo likes emil")


class Table:
    """A model whose scores of all entities are given: as tails in any question, and as heads."""

    entities = ["a", "b", "c", "d", "e"]

    def __init__(self, tails, heads=(0, 0, 0, 0, 0)):
        self.tails, self.heads = tails, heads

    def score_tails(self, heads, relations):
        return np.tile(np.array(self.tails, float), (len(heads), 1))

    def score_heads(self, relations, tails):
        return np.tile(np.array(self.heads, float), (len(tails), 1))


# Ranks and what is made of them

@pytest.mark.parametrize(("scores", "known", "rank"), [
    ([9, 8, 7, 6, 5], [], 3),
    ([9, 8, 7, 6, 5], ["a r a"], 2),  # a is another true tail, and is left out
    ([9, 8, 7, 6, 5], ["a r a", "a r b", "a r e"], 1),
    ([9, 8, 7, 6, 5], ["b r a", "a other a"], 3),  # answers to other questions
    ([1, 2, 3, 4, 5], ["a r c", "a r x"], 3),  # the triple itself; a tail the model doesn't know
    ([9, 8, 7, 6, 5], ["a r b", "a r b"], 2),  # known twice
    ([9, 7, 7, 7, 5], [], 3),  # tied with b and d: 2, 3 or 4
    ([9, 7, 7, 7, 5], ["a r b"], 2.5),
    ([0, 0, 0, 0, 0], [], 3),  # a constant tells nothing: the middle of five
    ([0, 0, 0, 0, 0], ["a r a", "a r b"], 2),  # the middle of three
    ([9, np.nan, 7, np.nan, 5], [], 2),
    ([9, 8, np.nan, 6, np.nan], [], 4.5),  # NaN is last, tied with e
    ([np.nan] * 5, [], 3),
    ([-np.inf, -1, -2, 3, np.inf], ["a r d"], 3),
])
def test_ranks_by_hand(scores, known, rank):
    found = ranks(Table(scores), frame("a r c"), frame("e z e", *known))
    assert found.loc[0, "tail"] == rank
    assert found.loc[0, "head"] == 3  # all heads are tied, and "b r a" is no answer to (?, r, c)


def test_other_test_triples_are_left_out_too_and_on_both_sides():
    test = frame("a r c", "b r c", "a r d", "e q a")
    found = ranks(Table([5, 4, 3, 2, 1], heads=[5, 5, 4, 3, 5]), test, frame("e r c"), batch=3)
    # Tails of (a, r): c and d, each without the other. Heads of (r, c): a, b and the known e.
    assert_array_equal(found["tail"], [3, 3, 3, 1])
    assert_array_equal(found["head"], [1, 1, 2, 2])
    assert list(found.index) == [0, 1, 2, 3]


def test_link_prediction_is_the_mean_over_both_questions():
    test = frame("a r c", "b r c", "a r d", "e q a")
    found = link_prediction(Table([5, 4, 3, 2, 1], heads=[5, 5, 4, 3, 5]), test, frame("e r c"),
                            ks=(1, 2))
    assert list(found.index) == ["mrr", "hits@1", "hits@2", "n"]
    assert_allclose(found, [(3 / 3 + 1 + 1 + 1 + 1 / 2 + 1 / 2) / 8, 3 / 8, 5 / 8, 8])


def test_the_size_of_a_batch_changes_nothing():
    train, test = split_triples(clock(), 0.2)
    model = FrequentTail().fit(train)
    assert_frame_equal(ranks(model, test, train, batch=1), ranks(model, test, train))


def test_ranks_agree_with_counting_one_by_one():
    train, test = split_triples(clock(12, (1, 2, 3, 4)), 0.3)
    model = TransE(dim=4, epochs=5).fit(train)
    true = {tuple(t) for part in (train, test) for t in part.to_numpy()}
    for row, (head, relation, tail) in enumerate(test.to_numpy()):
        others = [e for e in model.entities if e == tail or (head, relation, e) not in true]
        scores = model.score_tails([head], [relation])[0, model.entities.get_indexer(others)]
        rank = 1 + (scores > scores[others.index(tail)]).sum()
        assert ranks(model, test, train).loc[row, "tail"] == rank


def test_ranks_refuse_what_they_cannot_rank():
    model = Table([0] * 5)
    with pytest.raises(DataError, match="test has the tail 'x', which isn't among the model's 5 "
                                        "entities. Split with split_triples"):
        ranks(model, frame("a r x"), frame("a r b"))
    model.score_heads = lambda relations, tails: np.zeros((len(tails), 3))
    with pytest.raises(ValueError, match=r"score_heads returned the shape \(1, 3\); .* \(1, 5\)"):
        ranks(model, frame("a r b"), frame("a r b"))
    with pytest.raises(ValueError, match="k is 0"):
        link_prediction(Table([0] * 5), frame("a r b"), frame("a r c"), ks=(0,))
    with pytest.raises(DataError, match="known is empty"):
        ranks(Table([0] * 5), frame("a r b"), frame("a r b")[:0])


# What every model does

@every_model
def test_all_scores_of_a_model_are_one_function_of_the_triple(make):
    model = make().fit(KIN)
    heads, relations, tails = ["anna", "emil", "ben"], ["likes", "parent", "likes"], ["ben"] * 3
    scores = model.score(heads, relations, tails)
    assert scores.shape == (3,) and np.isfinite(scores).all()
    as_tail, as_head = model.score_tails(heads, relations), model.score_heads(relations, tails)
    assert as_tail.shape == as_head.shape == (3, len(model.entities))
    if make is FrequentTail:  # its answers leave out what is the same for all entities
        return
    ben = model.entities.get_loc("ben")
    assert_allclose(as_tail[:, ben], scores, atol=1e-3)
    assert_allclose(as_head[range(3), model.entities.get_indexer(heads)], scores, atol=1e-3)


@every_model
def test_what_is_unknown_is_nan(make):
    model = make().fit(KIN)
    scores = model.score(["anna", "zoe", "anna", None], ["likes", "likes", "hates", "likes"],
                         ["ben", "ben", "ben", "ben"])
    assert_array_equal(np.isnan(scores), [False, True, True, True])
    assert_array_equal(np.isnan(model.score_tails(["zoe", "ben"], ["likes"] * 2)),
                       np.array([[True], [False]]) | np.zeros(5, dtype=bool))
    assert np.isnan(model.score_heads(["hates"], ["ben"])).all()


@every_model
def test_fit_returns_the_model_and_keeps_the_ids_in_order(make):
    model = make()
    assert model.fit(KIN) is model
    assert list(model.entities) == ["anna", "ben", "cleo", "dora", "emil"]
    assert list(model.relations) == ["likes", "parent"]


@every_model
@pytest.mark.parametrize(("bad", "message"), [
    ([("a", "r", "b")], "triples must be a pandas DataFrame, not list"),
    (KIN.rename(columns={"tail": "object"}), r"one column 'tail'; it has \['head', 'relation', 'o"),
    (KIN[["head", "head", "relation", "tail"]], "must have one column 'head'"),
    (KIN[:0], "triples is empty"),
    (KIN.assign(tail=[*"abcde", None]), "row 5: tail is (nan|None); it must be a text"),
    (KIN.astype(object).assign(head=range(6)), "row 0: head is 0; it must be a text"),
    (KIN.assign(relation=["r", "", *"rrrr"]), "row 1: relation is ''; .*isn't empty"),
    (pd.concat([KIN, KIN[1:2]]), r"row 6: \('ben', 'parent', 'cleo'\) stands there twice. Drop"),
])
def test_fit_refuses_what_are_no_triples(make, bad, message):
    with pytest.raises(DataError, match=message):
        make().fit(bad)


@every_model
def test_scores_need_a_fitted_model_and_as_many_of_each(make):
    with pytest.raises(RuntimeError, match=f"this {make.__name__} isn't fitted. Call fit"):
        make().score(["a"], ["r"], ["b"])
    with pytest.raises(ValueError, match="lengths differ: {'heads': 2, 'relations': 1}"):
        make().fit(KIN).score_tails(["anna", "ben"], ["likes"])


def test_frequent_tail_counts():
    model = FrequentTail().fit(KIN)
    # anna, ben, cleo, dora, emil
    assert_array_equal(model.score_tails(["cleo", "anna"], ["likes", "parent"]),
                       [[0, 0, 0, 0, 2], [0, 1, 1, 1, 1]])
    assert_array_equal(model.score_heads(["parent"], ["emil"]), [[2, 1, 0, 1, 0]])
    assert_array_equal(model.score(["anna"], ["parent"], ["emil"]), [3])


# Embeddings

def by_hand(model, vectors, relations):
    """A fitted model with these vectors in place of its own."""
    import torch

    model.fit(frame("a r b", "b s c"))
    model.entity_ = torch.tensor(vectors, dtype=torch.float32)
    model.relation_ = torch.tensor(relations, dtype=torch.float32)
    return model


@pytest.mark.parametrize(("norm", "expected"), [(2, [0, -5, -13]), (1, [0, -7, -17])])
def test_transe_is_minus_the_distance_to_head_plus_relation(norm, expected):
    model = by_hand(TransE(dim=2, norm=norm, epochs=1), [[1, 2], [4, 6], [6, 14]], [[3, 4], [0, 0]])
    assert_allclose(model.score(["a", "a", "a"], ["r", "s", "s"], ["b", "b", "c"]), expected)
    assert_allclose(model.score_heads(["r"], ["b"])[0, 0], 0, atol=1e-6)
    assert_array_equal(model.vectors.loc["c"], [6, 14])
    assert_array_equal(model.relation_vectors.loc["r"], [3, 4])


def test_complex_is_the_real_part_of_head_times_relation_times_conjugate_tail():
    rng = np.random.default_rng(0)
    entities, relations = rng.normal(size=(3, 6)), rng.normal(size=(2, 6))
    model = by_hand(ComplEx(dim=6, epochs=1), entities, relations)
    h, r, t = (v[:3] + 1j * v[3:] for v in (entities[0], relations[1], entities[2]))
    assert_allclose(model.score(["a"], ["s"], ["c"]), (h * r * t.conj()).real.sum(), rtol=1e-5)


def test_complex_tells_a_direction_by_the_imaginary_part_of_the_relation():
    entities = np.random.default_rng(0).normal(size=(3, 4))
    model = by_hand(ComplEx(dim=4, epochs=1), entities, [[1, 2, 0, 0], [0, 0, 1, 2]])
    there, back = (["a", "b", "c"], ["b", "c", "a"]), (["b", "c", "a"], ["a", "b", "c"])
    for relation, sign in (("r", 1), ("s", -1)):
        scores = [model.score(heads, [relation] * 3, tails) for heads, tails in (there, back)]
        assert_allclose(scores[0], sign * scores[1], rtol=1e-4)
        assert (np.abs(scores[0]) > 0.01).all()
    assert_allclose(model.score(["a"], ["s"], ["a"]), 0, atol=1e-6)


TINY = {"dim": 16, "epochs": 200, "batch_size": 32, "negatives": 16}


@every_embedding
def test_families_are_learnt_far_better_than_chance(make):
    train, test = split_triples(families(), 0.15)
    baseline = link_prediction(FrequentTail().fit(train), test, train)["mrr"]
    model = make(**TINY).fit(train)
    assert baseline < 0.1
    assert link_prediction(model, test, train)["mrr"] > 0.9
    assert len(model.losses_) == 200
    assert model.losses_[-1] < 0.5 * model.losses_[0]
    assert model.losses_[0] < 7  # guessing twice among 17 entities would be 2 log(17) = 5.7


def test_a_turn_can_come_round_to_its_start_but_a_step_cannot():
    train, test = split_triples(clock(), 0.15)
    transe, complex_ = (link_prediction(make(**TINY).fit(train), test, train)["mrr"]
                        for make in (TransE, ComplEx))
    assert transe < 0.4
    assert complex_ > 0.9


@every_embedding
def test_a_relation_with_a_direction_is_learnt_with_it(make):
    tree = frame(*(f"p{n} parent p{child}" for n in range(7) for child in (2 * n + 1, 2 * n + 2)))
    model = make(dim=8, epochs=200, negatives=16).fit(tree)
    there = model.score(tree["head"], tree["relation"], tree["tail"])
    back = model.score(tree["tail"], tree["relation"], tree["head"])
    assert (there > back).all()


def test_entities_drawn_by_accident_are_not_held_against_the_true_one():
    """With two entities, half of what is drawn is the answer itself."""
    model = TransE(dim=4, epochs=300, negatives=64).fit(frame("a r b"))
    assert model.losses_[-1] < np.log(2)


@every_embedding
def test_a_seed_gives_the_same_vectors_and_leaves_other_generators_alone(make):
    import torch

    torch.manual_seed(1)
    first = torch.rand(1)
    torch.manual_seed(1)
    one, again, other = (make(dim=4, epochs=3, seed=seed).fit(KIN) for seed in (5, 5, 6))
    assert torch.rand(1) == first
    assert_frame_equal(one.vectors, again.vectors)
    assert_frame_equal(one.relation_vectors, again.relation_vectors)
    assert one.losses_ == again.losses_
    assert not np.allclose(one.vectors, other.vectors)


@every_embedding
def test_vectors_have_a_row_per_id_and_are_copies(make):
    model = make(dim=4, epochs=1).fit(KIN.sample(frac=1, random_state=0))
    assert model.vectors.shape == (5, 4) and model.relation_vectors.shape == (2, 4)
    assert list(model.vectors.index) == ["anna", "ben", "cleo", "dora", "emil"]
    assert (model.vectors.dtypes == np.float32).all()
    before = model.score(["anna"], ["likes"], ["ben"])
    vectors = model.vectors
    vectors.iloc[:] = 0
    assert_array_equal(model.score(["anna"], ["likes"], ["ben"]), before)


@every_embedding
def test_training_warns_of_nothing(make, recwarn):
    import torch

    torch.set_warn_always(True)
    try:
        make(epochs=2).fit(KIN)
    finally:
        torch.set_warn_always(False)
    assert [str(w.message) for w in recwarn] == []


def test_regularisation_keeps_the_vectors_of_complex_small():
    sizes = [ComplEx(regularisation=r).fit(KIN).vectors.abs().mean().mean() for r in (0, 0.1, 1)]
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize(("make", "options", "message"), [
    (TransE, {"dim": 0}, "dim is 0; it must be a whole number from 1"),
    (TransE, {"epochs": 0}, "epochs is 0"),
    (ComplEx, {"negatives": 0}, "negatives is 0"),
    (ComplEx, {"batch_size": 0}, "batch_size is 0"),
    (TransE, {"learning_rate": 0}, "learning_rate is 0; it must be above 0"),
    (TransE, {"norm": 3}, "norm is 3; it must be 1 or 2"),
    (ComplEx, {"dim": 5}, "dim is 5; it must be even"),
    (ComplEx, {"regularisation": -1}, "regularisation is -1; it must be 0 or more"),
])
def test_settings_that_make_no_sense_are_refused(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


# Splits

@st.composite
def graphs(draw):
    """Small graphs with several relations, both directions and loops."""
    ends = st.integers(0, draw(st.integers(2, 8)))
    triples = draw(st.sets(st.tuples(ends, st.integers(0, 2), ends), min_size=1, max_size=60))
    return frame(*(f"e{h} r{r} e{t}" for h, r, t in triples))


def split_or_skip(triples, *args):
    try:
        return split_triples(triples, *args)
    except DataError as error:
        assume("can be held out" not in str(error))
        raise


@given(graphs(), st.sampled_from([0.05, 0.1, 0.3, 0.6]), st.integers(0, 99))
def test_a_split_keeps_its_promises(triples, fraction, seed):
    train, test = split_or_skip(triples, fraction, seed)
    rows = [set(map(tuple, part.to_numpy())) for part in (train, test, triples)]
    assert rows[0] | rows[1] == rows[2] and not rows[0] & rows[1]
    assert len(train) + len(test) == len(triples)
    assert set(test["head"]) | set(test["tail"]) <= set(train["head"]) | set(train["tail"])
    assert set(test["relation"]) <= set(train["relation"])
    pairs = [set(map(frozenset, part[["head", "tail"]].to_numpy())) for part in (train, test)]
    assert not pairs[0] & pairs[1]
    assert_frame_equal(split_triples(triples, fraction, seed)[1], test)
    if len(test) < round(fraction * len(triples)):  # then no other pair could have been held out
        kept = [frozenset(pair) for pair in train[["head", "tail"]].to_numpy()]
        for pair in set(kept):
            rest = train[[other != pair for other in kept]]
            assert (not pair <= set(rest["head"]) | set(rest["tail"])
                    or rest["relation"].nunique() < train["relation"].nunique())


def test_a_split_has_the_size_asked_for_the_old_order_and_a_seed():
    triples = clock()  # no hour can lose all its triples at this size
    train, test = split_triples(triples, 0.25, seed=3)
    assert (len(train), len(test)) == (54, 18)
    for part in (train, test):
        merged = part.merge(triples.reset_index(names="place"))
        assert merged["place"].is_monotonic_increasing
        assert list(part.index) == list(range(len(part)))
    assert not split_triples(triples, 0.25, seed=4)[1].equals(test)


def test_triples_stored_in_both_directions_are_never_parted():
    facts = clock()
    turned = pd.DataFrame({"head": facts["tail"], "relation": "back_" + facts["relation"],
                           "tail": facts["head"]})
    train, test = split_triples(pd.concat([facts, turned]), 0.2)
    assert test["relation"].str.startswith("back_").mean() == 0.5
    assert len(test) == pytest.approx(0.2 * 144, abs=2)


def test_a_split_says_when_it_cannot():
    star = frame("hub r a", "hub r b", "hub r c")
    with pytest.raises(DataError, match="none of the 3 triples can be held out.*denser graph"):
        split_triples(star)
    with pytest.raises(ValueError, match="a fraction is 1.5"):
        split_triples(clock(), 1.5)
    with pytest.raises(DataError, match="no column|one column 'head'"):
        split_triples(clock().drop(columns="head"))


# Beside PyKEEN

class Theirs:
    """A model of PyKEEN behind the interface that ``link_prediction`` asks for."""

    def __init__(self, model, factory):
        self.model, self.numbers = model, factory.entity_to_id | factory.relation_to_id
        self.entities = sorted(factory.entity_to_id, key=factory.entity_to_id.get)

    def _ask(self, predict, *columns):
        import torch

        with torch.inference_mode():
            return predict(torch.tensor([[self.numbers[name] for name in column]
                                         for column in columns]).T).numpy()

    def score_tails(self, heads, relations):
        return self._ask(self.model.predict_t, heads, relations)

    def score_heads(self, relations, tails):
        return self._ask(self.model.predict_h, relations, tails)


@pytest.mark.pykeen
@pytest.mark.parametrize(("make", "settings"), [
    (TransE, {"scoring_fct_norm": 2, "entity_constrainer": None}),
    (ComplEx, {"regularizer": "lp", "regularizer_kwargs": {"p": 3.0, "weight": 0.1}}),
], ids=["TransE", "ComplEx"])
def test_as_good_and_as_fast_as_pykeen(make, settings):
    """Same triples, numbers per entity, epochs, batches, optimiser and corruptions per triple."""
    pytest.importorskip("pykeen", reason="PyKEEN is not installed")
    from pykeen.pipeline import pipeline
    from pykeen.triples import TriplesFactory

    facts = pd.read_csv(cr.assets.fetch("ml-100k-kg") / "ml-100k.kg", sep="\t", dtype=str)
    train, test = split_triples(facts.set_axis(["head", "relation", "tail"], axis=1))
    test = test.sample(1000, random_state=0)
    epochs, batch, negatives = 10, 1024, 32

    start = time.perf_counter()
    model = make(epochs=epochs, batch_size=batch, negatives=negatives, device="cpu").fit(train)
    seconds = time.perf_counter() - start
    ours = link_prediction(model, test, train)["mrr"]

    factory = TriplesFactory.from_labeled_triples(train.to_numpy(str))
    result = pipeline(
        training=factory, model=make.__name__, loss="infonce", optimizer="Adagrad", device="cpu",
        testing=TriplesFactory.from_labeled_triples(
            test.to_numpy(str), entity_to_id=factory.entity_to_id,
            relation_to_id=factory.relation_to_id),
        model_kwargs={"embedding_dim": 64 if make is TransE else 32, **settings},
        optimizer_kwargs={"lr": 0.3}, negative_sampler_kwargs={"num_negs_per_pos": 2 * negatives},
        training_kwargs={"num_epochs": epochs, "batch_size": batch, "use_tqdm": False},
        evaluation_kwargs={"batch_size": 64, "use_tqdm": False}, random_seed=0)
    theirs = link_prediction(Theirs(result.model, factory), test, train)["mrr"]
    print(f"\n{make.__name__}: MRR {ours:.3f}, PyKEEN's {theirs:.3f}; seconds an epoch "
          f"{seconds / epochs:.2f}, PyKEEN's {result.train_seconds / epochs:.2f}")
    assert result.get_metric("both.realistic.inverse_harmonic_mean_rank") == pytest.approx(
        theirs, abs=1e-4)  # their evaluation of their model, and ours of it
    assert ours > 0.8 * theirs
    assert seconds < result.train_seconds
