"""Nearest-neighbour search."""

import builtins

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from coldrec import retrieval

faiss = pytest.importorskip("faiss")


def catalogue(n=500, d=16, seed=0):
    """Unit vectors in some clusters, as a catalogue's are."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(20, d))[rng.integers(0, 20, n)] + 0.5 * rng.normal(size=(n, d))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors():
    return catalogue()


@pytest.fixture(scope="module")
def queries():
    return catalogue(30, seed=1)


def test_by_hand():
    vectors = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    rows, products = retrieval.exact(vectors, np.array([[1.0, 0.2], [0.0, 1.0]]), k=2)
    assert_array_equal(rows, [[2, 0], [1, 2]])
    assert_allclose(products, [[1.2, 1.0], [2.0, 1.0]], rtol=1e-6)


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 70), st.integers(0, 99))
def test_exact_is_a_sort_whatever_the_blocks(n, k, block, seed):
    rng = np.random.default_rng(seed)
    vectors, queries = rng.normal(size=(n, 4)), rng.normal(size=(3, 4))
    rows, products = retrieval.exact(vectors, queries, min(k, n), block)
    of_all = queries.astype(np.float32) @ vectors.astype(np.float32).T
    assert_allclose(products, -np.sort(-of_all, axis=1)[:, :min(k, n)], rtol=1e-5, atol=1e-5)
    assert_allclose(np.take_along_axis(of_all, rows, 1), products, rtol=1e-5, atol=1e-5)
    assert all(len(set(one)) == len(one) for one in rows.tolist())


def test_half_precision_finds_the_same_in_half_the_memory(vectors, queries):
    half = retrieval.Index(vectors.astype(np.float16))
    assert half.nbytes == vectors.nbytes / 2
    rows, _ = half.search(queries, 10)
    assert retrieval.recall(rows, retrieval.exact(vectors, queries, 10)[0]) > 0.97


def test_a_memory_map_is_searched_where_it_is(vectors, queries, tmp_path):
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert_array_equal(retrieval.exact(mapped, queries, 5)[0],
                       retrieval.exact(vectors, queries, 5)[0])


@pytest.mark.parametrize("kind", ["flat", "ivf", "hnsw"])
def test_with_all_effort_every_index_finds_what_is_nearest(vectors, queries, kind):
    effort = {"flat": None, "ivf": 22, "hnsw": 500}[kind]
    index = retrieval.Index(vectors, kind)
    rows, products = index.search(queries, 10, effort)
    nearest, best = retrieval.exact(vectors, queries, 10)
    assert retrieval.recall(rows, nearest) > 0.99
    assert_allclose(products, best, rtol=1e-4, atol=1e-4)
    written = faiss.serialize_index(index._index).nbytes
    assert abs(index.nbytes - written) < 0.02 * written + 200


@pytest.mark.parametrize(("kind", "few", "many"), [("ivf", 1, 10), ("hnsw", 10, 200)])
def test_more_effort_finds_more(queries, kind, few, many):
    vectors = catalogue(3000)
    index = retrieval.Index(vectors, kind, links=4)
    nearest, _ = retrieval.exact(vectors, queries, 10)
    found = [retrieval.recall(index.search(queries, 10, effort)[0], nearest)
             for effort in (few, many)]
    assert found[0] < found[1]


def test_what_isnt_found_is_minus_one(vectors, queries):
    rows, products = retrieval.Index(vectors, "ivf", lists=100).search(queries, 100, effort=1)
    assert (rows < 0).any()
    assert_array_equal(np.isneginf(products), rows < 0)


def test_clusters_are_those_of_the_seed(vectors, queries):
    found = [retrieval.Index(vectors, "ivf", seed=seed).search(queries, 10, 1)[0]
             for seed in (0, 0, 1)]
    assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_recall_is_the_share_of_the_nearest_that_was_found():
    assert retrieval.recall([[1, 2], [3, 4]], [[2, 9], [4, 3]]) == 0.75
    with pytest.raises(ValueError, match=r"found has shape \(1, 2\) and nearest \(2, 2\)"):
        retrieval.recall([[1, 2]], [[2, 9], [4, 3]])


@pytest.mark.parametrize(("how", "message"), [
    ({"vectors": np.zeros(3)}, r"vectors has shape \(3,\)"),
    ({"vectors": np.zeros((0, 3))}, r"vectors has shape \(0, 3\)"),
    ({"vectors": np.zeros((3, 2), int)}, "of floats"),
    ({"queries": np.zeros((1, 3))}, r"it must be \(queries, 2\)"),
    ({"queries": np.zeros(2)}, r"give queries\[None\]"),
    ({"queries": [[0, np.nan]]}, "query 0 has a value that is NaN"),
    ({"vectors": np.array([[1, 2], [np.nan, 0.0]])}, "vector 1 has a value that is NaN"),
    ({"k": 9}, "k is 9, but there are 3 vectors"),
    ({"k": 0}, "k"),
    ({"block": 0}, "block"),
])
def test_exact_says_what_is_wrong(how, message):
    right = {"vectors": np.eye(3)[:, :2], "queries": np.eye(2), "k": 1}
    with pytest.raises((ValueError, TypeError), match=message):
        retrieval.exact(**right | how)


def test_index_says_what_is_wrong(vectors, queries, monkeypatch):
    with pytest.raises(ValueError, match="kind is 'tree'; it may be one of"):
        retrieval.Index(vectors, "tree")
    with pytest.raises(ValueError, match="lists is 501, but there are 500 vectors"):
        retrieval.Index(vectors, "ivf", lists=501)
    with pytest.raises(ValueError, match="effort is 3, but 'exact' search looks at all"):
        retrieval.Index(vectors).search(queries, effort=3)
    with pytest.raises(ValueError, match="effort is 3, but 'flat' search looks at all"):
        retrieval.Index(vectors, "flat").search(queries, effort=3)
    with pytest.raises(ValueError, match="vector 3 has a value"), np.errstate(over="ignore"):
        retrieval.Index(np.vstack([vectors[:3], 1e6 * vectors[3:]]).astype(np.float16), "flat")
    with pytest.raises(ValueError, match="k is 501"):
        retrieval.Index(vectors, "hnsw").search(queries, 501)
    found = builtins.__import__

    def without_faiss(name, *args, **kwargs):
        if name == "faiss":
            raise ImportError(name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_faiss)
    with pytest.raises(ImportError, match="pip install faiss-cpu"):
        retrieval.Index(vectors, "hnsw")
    assert len(retrieval.Index(vectors).search(queries)[0]) == 30
