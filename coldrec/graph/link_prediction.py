"""Link prediction: complete a triple, and judge whoever does.

A model answers two questions: which tail completes ``(head, relation, ?)``, and which head
completes ``(?, relation, tail)``. Triples are frames with the text columns head, relation, tail.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.sparse as sp

from coldrec.validation import DataError, check_fraction, check_whole

TRIPLE = ["head", "relation", "tail"]


class LinkPredictor:
    """Something that learns from triples and says how plausible others are.

    A subclass writes ``_fit(triples)``, ``_score(heads, relations, tails)``, ``_tails(heads,
    relations)`` and ``_heads(relations, tails)``. They get row numbers of ``entities`` and
    ``relations``, the first as an array ``(n, 3)``; the last two return ``(n, entities)``.
    """

    def fit(self, triples: pd.DataFrame) -> LinkPredictor:
        """Learn from a frame of triples and return self; ``DataError`` names what is wrong."""
        triples = _check_triples(triples, "triples")
        self.entities = pd.Index(np.unique(triples[["head", "tail"]].to_numpy(object)))
        self.relations = pd.Index(np.unique(triples["relation"].to_numpy(object)))
        self._fit(np.stack(self._rows(**triples), axis=1))
        return self

    def score(self, heads, relations, tails) -> np.ndarray:
        """Return how plausible each triple is, ``(n,)``: higher is more, NaN has an unknown id."""
        return self._ask(self._score, head=heads, relation=relations, tail=tails)

    def score_tails(self, heads, relations) -> np.ndarray:
        """Return the score of every entity as the tail, ``(n, entities)``."""
        return self._ask(self._tails, head=heads, relation=relations)

    def score_heads(self, relations, tails) -> np.ndarray:
        """Return the score of every entity as the head, ``(n, entities)``."""
        return self._ask(self._heads, relation=relations, tail=tails)

    def _rows(self, **ids) -> list[np.ndarray]:
        """Return row numbers; -1 is an id that training didn't have."""
        if not hasattr(self, "entities"):
            raise RuntimeError(f"this {type(self).__name__} isn't fitted. Call fit(triples) first.")
        lengths = {f"{name}s": len(values) for name, values in ids.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the lengths differ: {lengths}. Give one id of each for a question.")
        return [(self.relations if name == "relation" else self.entities).get_indexer(list(values))
                for name, values in ids.items()]

    def _ask(self, answer, **ids) -> np.ndarray:
        rows = self._rows(**ids)
        scores = np.array(answer(*(row.clip(0) for row in rows)), dtype=np.float32)
        scores[np.min(rows, axis=0) < 0] = np.nan
        return scores


class FrequentTail(LinkPredictor):
    """Rank entities by how often they are the relation's tail (or head): the trivial baseline.

    It ignores the other end of the triple, so it knows what is common and nothing else.
    """

    def _fit(self, triples):
        heads, relations, tails = triples.T
        shape, ones = (len(self.relations), len(self.entities)), np.ones(len(triples))
        self.as_head_ = sp.csr_matrix((ones, (relations, heads)), shape)  # doubles add up
        self.as_tail_ = sp.csr_matrix((ones, (relations, tails)), shape)

    def _score(self, heads, relations, tails):
        return np.ravel(self.as_head_[relations, heads] + self.as_tail_[relations, tails])

    def _tails(self, heads, relations):
        return self.as_tail_[relations].toarray()

    def _heads(self, relations, tails):
        return self.as_head_[relations].toarray()


def split_triples(triples: pd.DataFrame, fraction: float = 0.1, seed: int = 0):
    """Hold triples out at random and return ``(train, test)``, two frames in the old order.

    Every entity and relation of the test is in train too, or no model could know it; there is less
    test than asked for where that leaves no more. All triples between two entities, whatever their
    relation or direction, stay on one side: Freebase states many facts twice, such as
    ``film.film.directed_by`` and ``director.film``, and a random split would show a model the
    answers turned around (Toutanova & Chen 2015; Dettmers et al. 2018).
    """
    triples = _check_triples(triples, "triples")
    check_fraction(fraction)
    relation = pd.factorize(triples["relation"])[0]
    ends = pd.factorize(triples[["head", "tail"]].to_numpy(object).ravel())[0].reshape(-1, 2)
    ends.sort(axis=1)  # now both directions look the same
    ends_left, relations_left = np.bincount(ends.ravel()), np.bincount(relation)
    pairs = list(triples.groupby([ends[:, 0], ends[:, 1]]).indices.values())
    wanted, test = max(1, round(fraction * len(triples))), []
    for number in np.random.default_rng(seed).permutation(len(pairs)):
        rows = pairs[number]
        np.subtract.at(ends_left, ends[rows], 1)
        np.subtract.at(relations_left, relation[rows], 1)
        if ends_left[ends[rows]].all() and relations_left[relation[rows]].all():
            test.extend(rows)
            if len(test) >= wanted:
                break
        else:  # one of them would be gone: put the pair back
            np.add.at(ends_left, ends[rows], 1)
            np.add.at(relations_left, relation[rows], 1)
    if not test:
        raise DataError(f"none of the {len(triples)} triples can be held out: each has an entity "
                        "or relation that no other pair of entities has. Use a denser graph.")
    held_out = triples.index.isin(test)
    return tuple(triples[side].reset_index(drop=True) for side in (~held_out, held_out))


def ranks(model, test: pd.DataFrame, known: pd.DataFrame, batch: int = 256) -> pd.DataFrame:
    """Return the rank of each test triple's ``head`` and ``tail``, a row per triple, 1 the best.

    ``model`` is anything with ``entities``, ``score_tails(heads, relations)`` and
    ``score_heads(relations, tails)``, which return ``(n, entities)``. The ranks are filtered
    (Bordes et al. 2013): other answers that stand in ``known`` (the training triples) or in the
    test are true too, and left out. A tie gets the mean of the best and the worst rank it may mean
    (the realistic rank, Berrendorf et al. 2020), else a constant score would win. NaN comes last.
    """
    test, known = _check_triples(test, "test"), _check_triples(known, "known", unique=False)
    check_whole(batch, "batch", example=256)
    entities = pd.Index(model.entities)
    for end in ("head", "tail"):
        unknown = test[end][~test[end].isin(entities)]
        if len(unknown):
            raise DataError(f"test has the {end} {unknown.iloc[0]!r}, which isn't among the "
                            f"model's {len(entities)} entities. Split with split_triples.")
    true = pd.concat([test, known]).drop_duplicates()
    true = true[true["head"].isin(entities) & true["tail"].isin(entities)]
    found = {"head": [], "tail": []}
    for end, given, ask in (("head", ["relation", "tail"], model.score_heads),
                            ("tail", ["head", "relation"], model.score_tails)):
        answers, column = true.groupby(given).indices, entities.get_indexer(true[end])
        for start in range(0, len(test), batch):
            part = test[start:start + batch]
            questions = [part[name].tolist() for name in given]
            scores = np.asarray(ask(*questions)) + 0.0  # a copy, of floats
            if scores.shape != (len(part), len(entities)):
                raise ValueError(f"score_{end}s returned the shape {scores.shape}; it must be "
                                 f"{(len(part), len(entities))}: a score per entity.")
            scores[np.isnan(scores)] = -np.inf
            own = scores[np.arange(len(part)), entities.get_indexer(part[end])][:, None]
            for row, question in enumerate(zip(*questions, strict=True)):
                scores[row, column[answers[question]]] = np.nan  # neither above nor equal
            found[end].append(1 + (scores > own).sum(1) + (scores == own).sum(1) / 2)
    return pd.DataFrame({end: np.concatenate(parts) for end, parts in found.items()})


def link_prediction(model, test: pd.DataFrame, known: pd.DataFrame, ks=(1, 3, 10),
                    batch: int = 256) -> pd.Series:
    """Return ``mrr``, ``hits@k`` and ``n``: means over ``n`` questions, two per test triple.

    MRR is the mean of 1 / rank, ``hits@k`` the share of ranks up to k; see :func:`ranks`.
    """
    for k in ks:
        check_whole(k, "k", example=10)
    rank = ranks(model, test, known, batch).to_numpy()
    hits = {f"hits@{k}": (rank <= k).mean() for k in ks}
    return pd.Series({"mrr": (1 / rank).mean(), **hits, "n": rank.size})


def _check_triples(triples, name: str, unique: bool = True) -> pd.DataFrame:
    """Return the three columns, or refuse what isn't a frame of triples."""
    if not isinstance(triples, pd.DataFrame):
        raise DataError(f"{name} must be a pandas DataFrame, not {type(triples).__name__}.")
    for column in TRIPLE:
        if list(triples).count(column) != 1:
            raise DataError(f"{name} must have one column {column!r}; it has {list(triples)}. "
                            "Rename or drop columns.")
    triples = triples[TRIPLE].reset_index(drop=True)
    if triples.empty:
        raise DataError(f"{name} is empty: there are no triples.")
    for column in TRIPLE:
        for row, value in enumerate(triples[column]):
            if not isinstance(value, str) or not value:
                raise DataError(f"{name}, row {row}: {column} is {value!r}; it must be a text that "
                                "isn't empty. Fill the row in, or leave it out.")
    twice = np.flatnonzero(triples.duplicated()) if unique else []
    if len(twice):
        triple = tuple(triples.iloc[twice[0]])
        raise DataError(f"{name}, row {twice[0]}: {triple} stands there twice. Drop the doubles "
                        "with drop_duplicates().")
    return triples
