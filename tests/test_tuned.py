"""A sentence encoder tuned on interactions."""

import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

import coldrec as cr
from coldrec.language import TunedEncoder, adapt, encoder
from coldrec.language.encode import pooled
from coldrec.language.exported import export
from coldrec.language.objectives import TEMPERATURE, contrastive, elsa

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("one_thread")]


QUICK = {"updates": 15, "batch": 16, "learning_rate": 5e-3, "progress": False}


@pytest.fixture(scope="module")
def world():
    """Users like films of the sea or of space, whatever their genre; each third is unrated."""
    words = {"sea": ["Ocean", "Wave", "Sail", "Whale", "Harbour", "Storm"],
             "space": ["Planet", "Rocket", "Star", "Comet", "Orbit", "Moon"]}
    titles = [f"{word} {n}" for kind in words for word in words[kind] for n in range(2)]
    kinds = np.repeat(["sea", "space"], 12)
    items = pd.DataFrame({"item": range(24), "title": titles, "genres": ["Drama", "Comedy"] * 12})
    rows = [(user, item, 5 if (user % 2 == 0) == (kinds[item] == "sea") else 1)
            for user in range(12) for item in range(24) if item % 3 and (user + item) % 4]
    return cr.Ratings.from_frames(pd.DataFrame(rows, columns=["user", "item", "rating"]), items)


@pytest.fixture(scope="module")
def tuned(world):
    return TunedEncoder(**QUICK).fit(world)


def apart(world, vectors):
    """How much nearer unrated items are to each other within a kind than across."""
    new = np.arange(0, 24, 3)
    near, same = vectors[new] @ vectors[new].T, (new[:, None] < 12) == (new < 12)
    return near[same].mean() - near[~same].mean()


@pytest.mark.parametrize("objective", ["contrastive", "elsa"])
def test_texts_liked_together_come_together_those_of_new_items_too(world, tuned, objective):
    model = tuned if objective == "contrastive" else TunedEncoder("elsa", **QUICK).fit(world)
    frozen = pooled(*encoder(), cr.views.describe(world))
    assert apart(world, model.vectors_) > 2 * apart(world, frozen)
    assert model.training_.steps == 15
    assert_allclose(np.linalg.norm(model.vectors_, axis=1), 1, rtol=1e-5)


def test_shuffled_texts_teach_nothing_of_new_items(world, tuned):
    texts = cr.views.describe(world)
    order = np.random.default_rng(0).permutation(24)
    model = TunedEncoder(**QUICK).fit(world, [texts[place] for place in order])
    assert apart(world, model.encode(texts)) < apart(world, tuned.vectors_) / 2


def test_the_same_seed_gives_the_same_vectors(world, tuned):
    again = TunedEncoder(**QUICK).fit(world)
    assert_array_equal(again.vectors_, tuned.vectors_)


def test_a_view_for_the_usual_models(world, tuned):
    model = cr.models.ViewCosine({"text": tuned.vectors_}).fit(world)
    scores = model.score([0, 1], list(range(0, 24, 3)))  # new items of the sea, then of space
    assert scores[0, :4].min() > scores[0, 4:].max()
    assert scores[1, 4:].min() > scores[1, :4].max()


def test_stops_when_held_out_items_get_no_better(world):
    model = TunedEncoder(updates=30, batch=8, validation=0.3, judge_every=2, patience=2,
                         progress=False).fit(world)
    judged = model.training_.judged
    assert 2 <= len(judged) <= 15
    assert judged.between(0, 1).all()
    assert model.training_.steps <= 30


class TestContrastive:
    def test_by_hand(self):
        """One user likes both items: whichever half is given, the other is asked for."""
        import torch

        vectors = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
        likes = sp.csr_matrix(np.array([[1.0, 1.0, 0.0]] * 8))
        loss = contrastive(likes)(vectors, torch.arange(3), 3).item()
        asked = {}
        for given, other in ((0, 1), (1, 0)):
            near = (vectors[given] @ vectors.T / TEMPERATURE).numpy()
            near = np.delete(near, given)
            asked[other] = -(near[other if other < given else other - 1]
                             - np.log(np.exp(near).sum()))
        assert min(asked.values()) - 1e-6 <= loss <= max(asked.values()) + 1e-6
        halves = np.random.default_rng([0, 0, 1, 2]).random((8, 3)) < 0.5
        split = halves[:, 0] != halves[:, 1]
        expected = np.mean([asked[1] if half[0] else asked[0] for half in halves[split]])
        assert loss == pytest.approx(expected, rel=1e-5)

    def test_is_lowest_where_those_who_like_the_same_lie_together(self):
        import torch

        likes = sp.csr_matrix(np.kron(np.eye(2), np.ones((6, 4))))
        rows = torch.arange(8)
        good = torch.tensor(np.kron(np.eye(2), np.ones((4, 1))), dtype=torch.float32)
        bad = torch.tensor(np.tile(np.eye(2), (4, 1)), dtype=torch.float32)
        assert contrastive(likes)(good, rows, 8) < contrastive(likes)(bad, rows, 8)

    def test_parts_of_a_batch_are_averaged(self):
        import torch

        likes, rows = sp.csr_matrix(np.ones((6, 4))), torch.arange(4)
        vectors = torch.nn.functional.normalize(torch.arange(8.0).reshape(4, 2) + 1)
        for objective in (contrastive, elsa):
            whole = objective(likes)(vectors, rows, 4)
            assert objective(likes)(vectors, rows, 8) == pytest.approx(whole.item() / 2)

    def test_nobody_with_two_likes_is_no_loss(self):
        import torch

        likes = sp.csr_matrix(np.eye(3))
        for objective in (contrastive, elsa):
            assert objective(likes)(torch.eye(3), torch.arange(3), 3) == 0


def test_elsa_by_hand():
    """X (V V' - I) is [0.6, 0.6] for a user who likes two items with a product of 0.6."""
    import torch

    vectors = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    likes = sp.csr_matrix([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])  # the second has one like: left out
    rebuilt = np.array([0.6, 0.6, 0.8])  # the third's products with the first two: 0 + 0.8
    error = np.array([1, 1, 0]) / np.sqrt(2) - rebuilt / np.linalg.norm(rebuilt)
    loss = elsa(likes)(vectors, torch.arange(3), 3).item()
    assert loss == pytest.approx((error ** 2).sum(), rel=1e-5)


class TestExport:
    @pytest.mark.parametrize("method", ["full", "lora", "ia3"])
    def test_the_folder_holds_a_plain_model_with_the_same_vectors(self, tmp_path, world, method):
        from transformers import AutoModel, AutoTokenizer

        model = TunedEncoder(method=method, updates=2, batch=8, progress=False).fit(world)
        texts = ["Fargo (1996). Crime.", "A much longer text than the other one has been."]
        before = model.encode(texts)
        folder = model.export(tmp_path / "new" / "tuned")
        plain = (AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder))
        assert_allclose(pooled(*plain, texts), before, atol=1e-5)
        assert_array_equal(model.encode(texts), before)
        steps = json.loads((folder / "modules.json").read_text())
        assert [step["type"].rpartition(".")[2] for step in steps] == [
            "Transformer", "Pooling", "Normalize"]
        assert all((folder / step["path"]).is_dir() for step in steps)

    def test_sentence_transformers_loads_it(self, tmp_path, tuned):
        library = pytest.importorskip("sentence_transformers")
        loaded = library.SentenceTransformer(str(tuned.export(tmp_path / "tuned")))
        texts = ["Ocean", "Planet 9 from outer space"]
        assert_allclose(loaded.encode(texts), tuned.encode(texts), atol=1e-5)

    def test_says_what_is_wrong(self, tmp_path, tuned):
        with pytest.raises(ValueError, match="is there already"):
            tuned.export(tmp_path)
        with pytest.raises(RuntimeError, match=r"Call fit\(train\) first"):
            TunedEncoder().export(tmp_path / "new")
        tokenizer, model = encoder()
        with pytest.raises(ValueError, match="what 'prefix' adds can't be merged"):
            export(tokenizer, adapt(model, "prefix"), tmp_path / "new")
        assert not (tmp_path / "new").exists()
        assert list(tmp_path.iterdir()) == []


def test_says_what_is_wrong(world):
    with pytest.raises(ValueError, match=r"objective is 'dot'; it may be one of \('contrastive'"):
        TunedEncoder("dot")
    with pytest.raises(ValueError, match="batch"):
        TunedEncoder(batch=1)
    with pytest.raises(ValueError, match="validation is 1; it is a share"):
        TunedEncoder(validation=1)
    with pytest.raises(RuntimeError, match=r"Call fit\(train\) first"):
        TunedEncoder().encode(["a"])
    with pytest.raises(TypeError, match=r"TunedEncoder\.fit"):
        TunedEncoder().fit(world.ratings)
    with pytest.raises(ValueError, match="there are 2 texts for 24 items"):
        TunedEncoder().fit(world, ["a", "b"])
    one = world.with_ratings(world.ratings.query("item == 1"))
    with pytest.raises(ValueError, match="1 items have a rating of 4 or more; it takes two"):
        TunedEncoder().fit(one)
