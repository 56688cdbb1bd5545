"""Nearest-neighbour search: the k vectors of a catalogue with the largest products with a query.

:func:`exact` looks at every vector; :class:`Index` puts it and FAISS' indices behind one call. For
the cosine, give vectors of length one.
"""

from __future__ import annotations

import numpy as np

from coldrec.validation import check_whole

KINDS = ("exact", "flat", "ivf", "hnsw")
EFFORT = {"ivf": 8, "hnsw": 64}  # clusters, candidates
BLOCK = 32768  # vectors at once: their products with 100 queries take 13 MB


def exact(vectors, queries, k: int = 20, block: int = BLOCK) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the ``k`` vectors nearest to each query, and the products, best first.

    ``vectors`` is ``(n, d)``, in any float type, such as float16, which takes half the memory of
    float32; it may be a memory map. ``queries`` is ``(q, d)``. Both results are ``(q, k)``; the
    memory needed beside them is that of ``block`` vectors in float32 and their products. Of equal
    products, either may come first.
    """
    vectors, queries = _check_vectors(vectors), _check_queries(queries, vectors.shape[1])
    _check_k(k, len(vectors))
    check_whole(block, "block", example=BLOCK)
    best = np.empty((len(queries), 0), np.float32)
    rows = np.empty((len(queries), 0), np.int64)
    for start, part in _blocks(vectors, block):
        products = queries @ part.T
        few = min(k, len(part))
        top = np.argpartition(products, -few, axis=1)[:, -few:]
        best = np.hstack([best, np.take_along_axis(products, top, 1)])
        rows = np.hstack([rows, top + start])
        order = np.argsort(-best, axis=1, kind="stable")[:, :k]  # of the best so far and these
        best, rows = (np.take_along_axis(table, order, 1) for table in (best, rows))
    return rows, best


class Index:
    """A catalogue's vectors, ready to be searched.

    Parameters
    ----------
    vectors
        ``(n, d)``, one row an item.
    kind
        ``"exact"``: :func:`exact` on the vectors as they are, no copy. The others are FAISS'
        (Douze et al. 2024; ``pip install faiss-cpu``): ``"flat"`` is exact search, too;
        ``"ivf"`` puts the vectors into ``lists`` clusters and looks into the ``effort`` nearest;
        ``"hnsw"`` links each to some ``links`` neighbours and walks along these with ``effort``
        candidates in hand (Malkov & Yashunin 2018).
    lists, links
        By default the square root of n, and 32.
    seed
        Of the clusters.

    ``nbytes`` is the memory that the index takes.
    """

    def __init__(self, vectors, kind: str = "exact", *, lists: int | None = None, links: int = 32,
                 seed: int = 0):
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; it may be one of {KINDS}.")
        vectors = _check_vectors(vectors)
        check_whole(links, "links", least=2, example=32)
        if lists is not None:
            check_whole(lists, "lists", example=100)
            if lists > len(vectors):
                raise ValueError(f"lists is {lists}, but there are {len(vectors)} vectors. Give "
                                 "fewer lists than vectors.")
        self.kind, self.shape = kind, vectors.shape
        if kind == "exact":
            self._vectors, self.nbytes = vectors, vectors.nbytes
            return
        self._index = _faiss_index(kind, vectors, lists or round(len(vectors) ** 0.5), links, seed)
        self.nbytes = 4 * vectors.size + _nbytes_besides(kind, self._index)

    def search(self, queries, k: int = 20, effort: int | None = None):
        """Return rows and products, ``(queries, k)``, as :func:`exact` does.

        ``effort`` trades speed for recall, for ``"ivf"`` (clusters looked into) and ``"hnsw"``
        (candidates); ``EFFORT`` has the defaults. Where an approximate search finds fewer than k,
        the last rows are -1 and their products ``-inf``.
        """
        if self.kind in EFFORT:
            effort = EFFORT[self.kind] if effort is None else effort
            check_whole(effort, "effort", example=EFFORT[self.kind])
        elif effort is not None:
            raise ValueError(f"effort is {effort}, but {self.kind!r} search looks at all vectors. "
                             "Leave it out.")
        if self.kind == "exact":
            return exact(self._vectors, queries, k)
        import faiss

        queries = _check_queries(queries, self.shape[1])
        _check_k(k, self.shape[0])
        settings = None
        if self.kind == "ivf":
            settings = faiss.SearchParametersIVF(nprobe=effort)
        elif self.kind == "hnsw":
            settings = faiss.SearchParametersHNSW(efSearch=max(k, effort))
        products, rows = self._index.search(queries, k, params=settings)
        products[rows < 0] = -np.inf
        return rows, products


def recall(found, nearest) -> float:
    """Return the share of the truly nearest rows ``(q, k)`` that a search found, 0 to 1."""
    found, nearest = np.asarray(found), np.asarray(nearest)
    if found.ndim != 2 or nearest.ndim != 2 or len(found) != len(nearest):
        raise ValueError(f"found has shape {found.shape} and nearest {nearest.shape}; both must be "
                         "(queries, k), for the same queries.")
    return float(np.mean([np.isin(true, one).mean()
                          for one, true in zip(found, nearest, strict=True)]))


def _faiss_index(kind, vectors, lists, links, seed):
    try:
        import faiss
    except ImportError as error:
        raise ImportError(f"kind {kind!r} needs FAISS: pip install faiss-cpu. Without it, kind "
                          "'exact' finds the same as 'flat'.") from error
    width, metric = vectors.shape[1], faiss.METRIC_INNER_PRODUCT
    if kind == "flat":
        index = faiss.IndexFlatIP(width)
    elif kind == "hnsw":
        index = faiss.IndexHNSWFlat(width, links, metric)
    else:
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, metric)
        index.cp.seed = seed
        index.cp.min_points_per_centroid = 1  # no warning for few vectors
        rng = np.random.default_rng(seed)
        some = np.sort(rng.permutation(len(vectors))[:64 * lists])  # more don't move the clusters
        index.train(np.ascontiguousarray(vectors[some], np.float32))
    for _, part in _blocks(vectors, BLOCK):
        index.add(part)
    return index


def _blocks(vectors, size):
    """Yield the first row and the vectors of each block, in float32."""
    for start in range(0, len(vectors), size):
        part = np.ascontiguousarray(vectors[start:start + size], np.float32)
        if not np.isfinite(part).all():  # NaN would be nearest to everything
            row = start + int(np.flatnonzero(~np.isfinite(part).all(1))[0])
            raise ValueError(f"vector {row} has a value that is NaN or infinite (float16 ends at "
                             "65,504). Leave it out.")
        yield start, part


def _nbytes_besides(kind, index) -> int:
    """Return the bytes that an index takes besides the vectors in float32."""
    if kind == "ivf":  # a number for each vector, and the clusters' centres
        return 8 * index.ntotal + 4 * index.nlist * index.d
    if kind == "hnsw":
        graph = index.hnsw
        return 4 * graph.neighbors.size() + 8 * graph.offsets.size() + 4 * graph.levels.size()
    return 0


def _check_vectors(vectors) -> np.ndarray:
    if not hasattr(vectors, "dtype"):
        vectors = np.asarray(vectors)
    if vectors.ndim != 2 or not vectors.size or not np.issubdtype(vectors.dtype, np.floating):
        raise ValueError(f"vectors has shape {vectors.shape} of {vectors.dtype}; it must be (n, d) "
                         "of floats, with a row or more.")
    return vectors


def _check_queries(queries, width) -> np.ndarray:
    queries = np.asarray(queries)
    if queries.ndim != 2 or queries.shape[1] != width:
        raise ValueError(f"queries has shape {queries.shape}; it must be (queries, {width}), as "
                         "wide as the vectors. For one query, give queries[None].")
    queries = np.ascontiguousarray(queries, np.float32)
    if not np.isfinite(queries).all():
        row = int(np.flatnonzero(~np.isfinite(queries).all(1))[0])
        raise ValueError(f"query {row} has a value that is NaN or infinite. Leave it out.")
    return queries


def _check_k(k, n) -> None:
    check_whole(k, "k", example=20)
    if k > n:
        raise ValueError(f"k is {k}, but there are {n} vectors. Give a smaller k.")
