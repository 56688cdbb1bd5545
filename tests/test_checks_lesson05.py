"""The checks of sheet 05: likely mistakes get the hint that fits, other right answers pass.

That the solutions pass and the stubs are told apart is tested for all sheets in test_checks.py.
"""

from __future__ import annotations

import heapq
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import rankdata
from sheets import run, written
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

import coldrec as cr
from coldrec.checks import CheckFailed, lesson05

# Mistakes that are no single edit of the solution -------------------------------------------------


def centre_of(vectors, known, scale=normalize):
    return scale(vectors - vectors[known].mean(axis=0))


def standardises(vectors, known):
    new = vectors - vectors[known].mean(axis=0)
    return new / new.std(axis=0)


def keeps_zeros(vectors, known):
    new = vectors - vectors[known].mean(axis=0)
    length = np.linalg.norm(new, axis=1, keepdims=True)
    return np.divide(new, length, out=vectors.copy().astype(float), where=length > 0)


def by_distance(vectors, k):
    found = NearestNeighbors(n_neighbors=k).fit(vectors).kneighbors(return_distance=False)
    return np.bincount(found.ravel(), minlength=len(vectors))


def both_ways(vectors, k):
    unit = normalize(vectors)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    table = np.zeros_like(cosines)
    np.put_along_axis(table, np.argsort(-cosines, axis=1)[:, :k], 1, axis=1)
    return (table * table.T).sum(0)


def made_of(user, relevant, other):
    """Return an answer to `lose` with these three vectors."""
    def lose(n_relevant, n_others):
        return np.array(user), np.array([relevant] * n_relevant + [other] * n_others)
    return lose


def others_first(n_relevant, n_others):
    return np.array([1.0, 0]), np.array([[1.0, 0]] * n_others + [[9.0, 9]] * n_relevant)


def nce(end=lambda logits: -np.diag(log_softmax(logits)).mean()):
    """Return an InfoNCE that does something else with the logits."""
    def info_nce(queries, items, temperature):
        return end(normalize(queries) @ normalize(items).T / temperature)
    return info_nce


def log_softmax(logits, axis=1):
    return logits - np.logaddexp.reduce(logits, axis=axis, keepdims=True)


def without_own(logits):
    away = np.where(np.eye(len(logits)) > 0, -np.inf, logits)
    return (np.logaddexp.reduce(away, axis=1) - np.diag(logits)).mean()


def two_sides(logits):
    return -(np.diag(log_softmax(logits)) + np.diag(log_softmax(logits, 0))).mean() / 2


def softmax(logits):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def candidates(vectors, queries, k, block, cut=False, order=True):
    """Collect the k best of each block, and sort them at the end, or only cut."""
    queries, rows, best = queries.astype(np.float32), [], []
    for start in range(0, len(vectors), block):
        products = queries @ vectors[start:start + block].astype(np.float32).T
        top = np.argsort(-products, axis=1)[:, :k]
        rows.append(top + start)
        best.append(np.take_along_axis(products, top, axis=1))
    rows, best = np.hstack(rows), np.hstack(best)
    if not cut:
        top = np.argsort(-best, axis=1)[:, :k]
        top = top if order else np.sort(top, axis=1)
        rows, best = (np.take_along_axis(part, top, axis=1) for part in (rows, best))
    return rows[:, :k], best[:, :k]


def all_products(vectors, queries, k, block):
    products = np.hstack([queries.astype(np.float32) @ vectors[start:start + block].astype("f4").T
                          for start in range(0, len(vectors), block)])
    top = np.argsort(-products, axis=1)[:, :k]
    return top, np.take_along_axis(products, top, axis=1)


def all_vectors(vectors, queries, k, block):
    table = np.vstack([vectors[start:start + block].astype(np.float32)
                       for start in range(0, len(vectors), block)])
    return cr.retrieval.exact(table, queries, k, block)


def shares(tables, over=np.nanmean, rank=lambda table: rankdata(-table, axis=1, nan_policy="omit"),
           value=lambda k0, rank: 1 / (k0 + rank)):
    """Return a fusion with another mean, ranks or values."""
    def one(tables, k0=60):
        with np.errstate(all="ignore"):
            parts = np.array([np.where(np.isnan(t), np.nan, value(k0, rank(t))) for t in tables])
            known = ~np.isnan(parts).all(0)
            found = np.full(parts.shape[1:], np.nan)
            found[known] = over(parts[:, known], axis=0)
            return found
    return one


def fills_in_place(tables, k0=60):
    for table in tables:
        table[np.isnan(table)] = -np.inf
    return tables[0]


def whole_table(table):
    return rankdata(-table, nan_policy="omit").reshape(table.shape)


WRONG = {
    "lesson05.centred": [
        ({"vectors[known].mean": "vectors.mean"}, r"the mean of \*all\* rows.*told of its own"),
        ({"vectors[known]": "vectors[~known]"}, "the mask is turned around"),
        ({" - vectors[known].mean(axis=0)": ""}, "You don't subtract the mean"),
        ({"vectors[known].mean(axis=0)": "vectors.mean(axis=1, keepdims=True)"},
         "the mean of its own numbers"),
        ({"mean(axis=0)": "mean()"}, "You subtract one number"),
        ({"vectors - ": "vectors + "}, "You add the mean"),
        ({"mean(axis=0)": "sum(axis=0)"}, "the sum of the known rows"),
        (lambda vectors, known: centre_of(normalize(vectors), known), "before. you take the mean"),
        (lambda vectors, known: centre_of(normalize(vectors), known, lambda new: new),
         "You scale first and subtract the mean after it"),
        ({" / np.where(length > 0, length, 1)": ""}, "Your rows aren't scaled"),
        ({"axis=1, keepdims": "axis=0, keepdims"}, r"divide each \*column\* by its length"),
        ({"length, 1)": "length, 1) ** 2"}, "by the square of the length"),
        ({"norm(shifted, ": "norm(shifted, 1, "}, "sum of the absolute values"),
        ({"shifted, axis=1, keepdims=True": "shifted"}, "the norm of the whole table"),
        ({"norm(shifted": "norm(vectors"}, r"lengths that the rows have \*before\*"),
        (standardises, "by its standard deviation"),
        ({"np.where(length > 0, length, 1)": "length"}, "in yours it becomes NaN"),
        (keeps_zeros, "is, in yours, as it was before it"),
        ({"np.where(length > 0, length, 1)": "length ** 2"}, "square of the length.*becomes NaN"),
        ({"np.where(length > 0, length, 1)": "(length + 1e-3)"},
         r"become \[0.894427, -0.447214\]; yours is \[0.894027, -0.447014\].*Do you add a number"),
        ({"return shifted": "return 1 + shifted"}, r"row 0 should become \[0.894.*of the known"),
        ({"shifted = vectors - ": "vectors -= 1; shifted = vectors - "}, "changes the ndarray"),
        ({"return shifted": "shifted, length = shifted[known], length[known]; return shifted"},
         r"the shape \(2, 2\). Wanted is an array of the shape of `vectors`: \(3, 2\)"),
        ({"axis=1, keepdims=True": "axis=1"}, "stopped with ValueError"),
        (lambda vectors: vectors, "yours takes vectors"),
        (lambda vectors, known: None, "returns nothing"),
    ],
    "lesson05.hubs": [
        ({"unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)": "unit = vectors"},
         "You rank by the dot product"),
        (by_distance, "the distance between the vectors"),
        ({"unit @ unit.T": "unit @ vectors.T"}, "You rank by the dot product"),
        ({"np.fill_diagonal(cosines, -np.inf)": "pass"}, "among its own nearest"),
        ({"-np.inf": "0"}, "others may have a negative one"),
        ({"np.fill_diagonal(cosines, -np.inf)": "k = k + 1"}, "You take the k . 1 nearest"),
        ({"np.fill_diagonal(cosines, -np.inf)": "pass", "[:, :k]": "[:, 1:k + 1]"},
         "until two items have the same vector"),
        ({"-np.inf": "np.nan", "[:, :k]": "[:, 1:k + 1]"}, "What you drop is the nearest"),
        ({"[:, :k]": "[:, 1:k + 1]"}, "What you drop is the nearest"),
        ({"argsort(-cosines": "argsort(cosines"}, "the k farthest, and the item itself"),
        ({"argsort(-cosines": "argsort(cosines", "-np.inf": "np.inf"}, "You take the k farthest. "),
        ({"np.bincount(nearest.ravel(), minlength=len(vectors))": "np.full(len(vectors), k)"},
         r"how many neighbours each item \*has\*"),
        ({"minlength=len(vectors))": "minlength=len(vectors)) / len(vectors)"}, "return shares"),
        (both_ways, "only where both are among"),
        ({"unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)": "unit = vectors",
          "np.fill_diagonal(cosines, -np.inf)": "pass"}, "dot product.*its own nearest"),
        ({", minlength=len(vectors)": ""}, r"the shape \(3,\). Wanted is an array of one count"),
        ({"return np.bincount": "return 2 + np.bincount"},
         "With k = 1.*is among the nearest of the items .*add up to 12.*it should be 4"),
        ({"return np.bincount(nearest.ravel(), minlength=len(vectors))": "return nearest"},
         r"shape \(4, 1\)"),
        ({"unit = vectors / ": "vectors /= "}, "stopped with NameError"),
        ({"unit = vectors": "vectors *= 2; unit = vectors"}, "changes the ndarray"),
        (lambda vectors: vectors, "yours takes vectors"),
        (lambda vectors, k: None, "returns nothing"),
    ],
    "lesson05.lose": [
        ({"[10.0, 10.0]": "[1.0, 1.0]"}, "the dot product doesn't put all relevant items first"),
        ({"[10.0, 10.0]": "[0.0, 1.0]"}, "all your items have the same length"),
        ({"[10.0, 10.0], [1.0, 0.0]": "[1.0, 0.0], [10.0, 10.0]"}, "the dot product that loses"),
        ({"[10.0, 10.0], [1.0, 0.0]": "[10.0, 0.0], [0.1, 1.0]"}, "both put the relevant items"),
        ({"[1.0, 0.0]\n": "[-1.0, 0.0]\n"}, "not all of the others point to the user"),
        (made_of([1.0, 0], [0.0, 1], [-1.0, 0]), "not all of the others point to the user"),
        (made_of([1.0, 0], [-9.0, 9], [-1.0, 0]), "not all of the others point to the user"),
        (made_of([1.0, 0], [9.0, 9], [0.0, 1]), "not all of the others point to the user"),
        ({"[10.0, 10.0]": "[10.0, 0.0]"}, "the dot product is right, but for the cosine not every"),
        (others_first, r"In others_first\(1, 1\) it is the dot product"),
        ({"return user, np.array(": "return np.array(", "n_others)": "n_others), user"},
         "You return the items first"),
        ({"* n_others": ""}, r"Your items are a ndarray of the shape .*2 . 3 items"),
        ({"np.array([1.0, 0.0])": "np.array([1.0, 0.0, 0.0])"}, "has 3 numbers, and your items' "),
        (made_of([1.0], [2.0], [1.0]), "the cosine is only its sign"),
        (made_of([1.0, np.nan], [2.0, 1], [1.0, 0]), "stands NaN"),
        (made_of([1.0, 0], [0.0, 0], [1.0, 0]), "One of your vectors is zero"),
        (made_of([1.0, 0], [1e200, 1e200], [1.0, 0]), "too large or too small"),
        (made_of([[1.0, 0]], [10.0, 10], [1.0, 0]), "It is one vector, of one dimension"),
        (made_of("user", [10.0, 10], [1.0, 0]), r"You return the ndarray array\('user'"),
        ({"return user, ": "return "}, "Wanted are two arrays, `return user, items`"),
        (lambda n_relevant: 0, "yours takes n_relevant"),
        (lambda n_relevant, n_others: None, "returns nothing"),
    ],
    "lesson05.info_nce": [
        ({"queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)": "pass",
          "items = items / np.linalg.norm(items, axis=1, keepdims=True)": "pass"},
         "so that a long vector wins"),
        ({"items = items / np.linalg.norm(items, axis=1, keepdims=True)": "pass"},
         "scale the queries to length one, and not the items"),
        ({"queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)": "pass"},
         "scale the items to length one, and not the queries"),
        ({"norm(queries, axis=1": "norm(queries, axis=0",
          "norm(items, axis=1": "norm(items, axis=0"}, r"the \*columns\* by their lengths"),
        ({"/ temperature": "* temperature"}, "You multiply by the temperature"),
        ({" / temperature": ""}, "You don't use the temperature"),
        ({" / temperature": "", "-log_p.mean()": "-log_p.mean() / temperature"},
         "divide the loss by the temperature"),
        ({"/ temperature": "/ temperature ** 0.5"}, "the root of the temperature"),
        ({"logits.max(axis=1": "logits.max(axis=0", "sum(axis=1)": "sum(axis=0)"},
         "Your softmax runs over the queries"),
        (nce(two_sides), "the mean of two losses"),
        (nce(without_own), "You leave the own item out"),
        ({"logits.max(axis=1, keepdims=True)": "logits.max()", "sum(axis=1)": "sum()"},
         "all pairs at once"),
        ({"-log_p.mean()": "-log_p.sum()"}, "You add up the queries' losses"),
        ({"-log_p.mean()": "log_p.mean()"}, "You return minus the loss"),
        ({"-log_p.mean()": "np.exp(log_p).mean()"}, "the mean probability"),
        ({"-log_p.mean()": "-np.log(np.exp(log_p).mean())"}, "logarithm of the mean probability"),
        ({"-log_p.mean()": "-log_p.mean() / np.log(2)"}, "to the base 2"),
        (nce(lambda logits: -log_softmax(logits).mean()), "over all pairs. Only those"),
        ({"-log_p.mean()": "-log_p.sum() / len(log_p) ** 2"}, "by the number of pairs"),
        ({" / temperature": "", "-log_p.mean()": "-log_p.sum()"}, "temperature.*You add up"),
        ({"logits = logits - logits.max(axis=1, keepdims=True)": "pass"},
         "At the temperature 0.001 the loss should be .*exp overflows"),
        (nce(lambda logits: -np.log(np.diag(softmax(logits))).mean()), "yours is inf.* exp overf"),
        (nce(lambda logits: -np.log(np.diag(softmax(logits)) + 1e-12).mean()), "only hides it"),
        ({"logits.max(axis=1, keepdims=True)": "logits.max()"},
         r"should be 0.0, and yours is -inf.*Each row needs its own maximum"),
        ({"logits.max(axis=1, keepdims=True)": "1 / temperature"}, "needs its own maximum"),
        ({"float(-log_p.mean())": "1 - log_p.mean()"}, r"For 2 queries.*should be 0.3133"),
        ({"float(-log_p.mean())": "-log_p"}, r"You return a ndarray of the shape \(2,\)"),
        ({"queries = queries / ": "queries /= "}, "changes the ndarray"),
        (lambda queries, items: 0.0, "yours takes queries, items"),
        (lambda queries, items, temperature: None, "returns nothing"),
    ],
    "lesson05.search": [
        ({"np.arange(start, start + len(part))": "np.arange(len(part))"}, "within the block"),
        ({"np.empty((len(queries), 0), int)": "np.zeros((len(queries), k), int)",
          "np.empty((len(queries), 0), np.float32)": "np.zeros((len(queries), k), np.float32)"},
         "You begin with rows and products of 0"),
        (lambda *given: candidates(*given, cut=True), "one after another, and cut"),
        (lambda *given: candidates(*given, order=False), "but not in order"),
        ({"return rows, best": "return rows[:, ::-1], best[:, ::-1]"}, "the worst of them comes"),
        ({"argsort(-best": "argsort(best"}, r"the \*smallest\* products"),
        ({"argsort(-best": "argsort(-abs(best)"}, "by the absolute values"),
        ({".astype(np.float32)": ""}, "until vectors and queries are in float16"),
        ({"queries = queries.astype(np.float32)": "pass",
          "block].astype(np.float32)": "block]",
          "queries @ part.T": "np.round(queries @ part.T, 0 if part.dtype == np.float16 else 9)"},
         "until vectors and queries are in float16"),
        ({"np.arange(start, start + len(part))": "np.arange(len(part))", ".astype(np.float32)": ""},
         "within the block"),
        ({".astype(np.float32)": "", "return rows, best": "return best, rows"},
         "You return the products first"),
        ({"return rows, best": "return rows + 1, best"},
         r"the rows should be \[\[\d, \d\]\]; yours are \[\[\d, \d\]\]\."),
        ({"return rows, best": "return best, rows"}, "You return the products first"),
        ({"len(vectors), block)": "len(vectors) - block + 1, block)"}, "you never read row 8"),
        ({"    return rows, best": "        return rows, best"}, "you never read row 4.*`return`"),
        ({"np.hstack([rows, numbers])": "numbers", "np.hstack([best, queries @ part.T])":
          "queries @ part.T"}, r"\(2, 2\). Wanted are two arrays.*fewer than k.*\(2, 3\)"),
        ({"vectors[start:start + block]": "np.asarray(vectors)[start:start + block]"},
         "all rows of `vectors` at once"),
        (lambda vectors, queries, k, block: (queries @ vectors.T, 0), "all rows of `vectors` at"),
        (lambda vectors, queries, k, block: (vectors @ queries.T, 0), "all rows of `vectors` at"),
        (lambda vectors, queries, k, block: (queries.dot(vectors), 0), "all rows of `vectors` at"),
        (lambda vectors, queries, k, block: (np.dot(vectors, queries[0]), 0), "all rows of `vec"),
        ({"vectors[start:start + block]": "vectors[:][start:start + block]"},
         "You read 10 rows of `vectors` at once, and `block` is 4"),
        ({"start:start + block]": "start:start + block + 1]"}, "You read 5 rows|row"),
        (all_products, "All answers are right. But 8000 vectors.*at one moment yours holds"),
        (all_vectors, "All answers are right. But 8000 vectors.*at one moment yours holds"),
        ({"queries = queries.astype(np.float32)": "queries *= 2"}, "changes the queries"),
        ({"return rows, best": "return rows"}, "You return a ndarray .*Wanted are two arrays"),
        ({"return rows, best": "return rows, best + 1"}, "6 vectors in float64, 1 queries, k = 2, "
         "block = 6: the products should be"),
        ({"[:, :k]": "[:, :k + 1]"}, "Wanted are two arrays"),
        ({"rows = np.empty": "row = np.empty"}, "stopped with UnboundLocalError.*6 vectors in flo"),
        (lambda vectors, queries, k: (0, 0), "yours takes vectors, queries, k"),
        (lambda vectors, queries, k, block: None, "returns nothing"),
    ],
    "lesson05.fused": [
        ({"total / np.maximum(models, 1)": "total"}, "You add up over the tables.*never come up"),
        ({"np.maximum(models, 1)": "len(tables)"}, r"by the number of \*all\* tables"),
        (shares([], over=np.nanmax), "the best of the tables"),
        ({"axis=1) + 1": "axis=1)"}, "Your ranks begin with 0"),
        ({"-table": "table"}, "Yours ranks low scores first"),
        ({"np.argsort(best_first, axis=1) + 1": "best_first + 1"}, "Sort twice"),
        ({"axis=1": "axis=0"}, "You rank each item's users"),
        (shares([], rank=whole_table), "the whole table at once"),
        ({"1 / (k0 + rank)": "table"}, "You use the scores themselves"),
        ({"np.where(known, 1 / (k0 + rank), 0)": "1 / (k0 + rank)", "models + known": "models + 1"},
         "has the last rank there.*yours has a value all the same"),
        ({"-table, np.inf": "-table, -np.inf"}, "NaN comes first in your ranking"),
        ({"rank), 0)": "rank), np.nan)"}, r"is NaN where \*one\* table can't"),
        ({"np.where(models > 0, total / np.maximum(models, 1), np.nan)":
          "total / np.maximum(models, 1)"}, "you return 0. It is NaN"),
        ({"k0 + rank": "60 + rank"}, "You take 60, whatever"),
        ({"k0 + rank": "rank"}, "You don't add `k0`"),
        ({"1 / (k0": "-1 / (k0"}, "Your values are negative"),
        (shares([], value=lambda k0, rank: rank), "You return the mean rank"),
        ({"total / np.maximum(models, 1)": "total", "axis=1) + 1": "axis=1)"},
         "over the tables.*begin with 0"),
        ({"models = models + known": "models = models + known * (1 + known)"},
         "With k0 = 60, of a user's scores .*item 0 should get"),
        ({"total = total": "total = total * np.nan"}, r"yours is nan.*\(NaN . 1 is NaN.\)"),
        (fills_in_place, "changes the list or what is in it"),
        (lambda tables, k0=60: tables, r"You return the list.* Wanted is one array"),
        (lambda tables, k0: None, "yours takes tables, k0"),
        (lambda tables, k0=60: None, "returns nothing"),
    ],
}


# Other right answers ------------------------------------------------------------------------------

def with_tensors(vectors, known):
    vectors = torch.tensor(vectors, dtype=torch.float64)
    return torch.nn.functional.normalize(vectors - vectors[torch.tensor(known)].mean(0))


def by_counting(vectors, k):
    found = NearestNeighbors(n_neighbors=k, metric="cosine").fit(vectors).kneighbors(
        return_distance=False)
    return [int((found == item).sum()) for item in range(len(vectors))]


def with_heaps(vectors, queries, k, block):
    rows, best = [], []
    for query in queries.astype(float):
        scored = ((float(np.dot(query, vectors[row].astype(float))), row)
                  for row in range(len(vectors)))
        top = heapq.nlargest(k, scored)
        best.append([score for score, _ in top])
        rows.append([row for _, row in top])
    return rows, best


def with_topk(vectors, queries, k, block):
    rows = best = None
    queries = torch.tensor(queries).float()
    for start in range(0, len(vectors), block):
        part = queries @ torch.tensor(vectors[start:start + block]).float().T
        numbers = torch.arange(start, start + part.shape[1]).expand_as(part)
        best = part if best is None else torch.hstack([best, part])
        rows = numbers if rows is None else torch.hstack([rows, numbers])
        best, order = best.topk(min(k, best.shape[1]))
        rows = rows.gather(1, order)
    return rows, best


RIGHT = [
    ("lesson05.centred", centre_of),
    ("lesson05.centred", with_tensors),
    ("lesson05.centred", lambda vectors, known: [
        list(row / (np.linalg.norm(row) + 1e-12)) for row in vectors - vectors[known].mean(0)]),
    ("lesson05.hubs", by_counting),
    ("lesson05.hubs", lambda vectors, k: pd.Series(by_counting(vectors, k))),
    ("lesson05.lose", made_of([1.0, 0, 0], [5.0, 0, 12], [1.0, 0.1, 0.1])),
    ("lesson05.lose", made_of([1, 1], [1, 100], [1, 1])),
    ("lesson05.lose", lambda n, m: (torch.tensor([2.0, 0]), torch.tensor(
        [[3.0, 4]] * n + [[-0.5, 0.1]] * 0 + [[0.5, 0]] * m))),
    ("lesson05.info_nce", nce()),
    ("lesson05.info_nce", lambda queries, items, temperature: torch.nn.functional.cross_entropy(
        torch.tensor(normalize(queries) @ normalize(items).T / temperature),
        torch.arange(len(queries)))),
    ("lesson05.search", cr.retrieval.exact),
    ("lesson05.search", candidates),
    ("lesson05.search", with_heaps),
    ("lesson05.search", with_topk),
    ("lesson05.fused", shares([])),
    ("lesson05.fused", lambda tables, k0=60: pd.concat(
        [1 / (k0 + pd.DataFrame(table).rank(axis=1, ascending=False)) for table in tables]
    ).groupby(level=0).mean()),
]


def test_no_answer_hangs_on_a_tie():
    """But for the twins themselves: the last neighbour is nearer than the first that isn't one."""
    for vectors, k in lesson05._clouds():
        unit = normalize(vectors)
        cosines = unit @ unit.T
        np.fill_diagonal(cosines, -np.inf)
        ordered = -np.sort(-cosines, axis=1)
        if k < len(vectors) - 1:
            assert (ordered[:, k - 1] - ordered[:, k]).min() > 1e-4
    for vectors, queries, *_ in lesson05._tables():
        products = np.sort(queries.astype(float) @ vectors.astype(float).T, axis=1)
        assert (np.diff(products) / abs(products).max()).min() > 1e-5
    for tables, *_ in lesson05._scored():
        assert all(len(set(row)) == len(row) for table in tables for row in table.tolist())


def test_what_is_held_is_measured_also_while_somebody_else_measures():
    import tracemalloc

    tracemalloc.start()
    try:
        run("lesson05.search", candidates)
        with pytest.raises(CheckFailed, match="at one moment yours holds"):
            run("lesson05.search", all_products)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_the_solutions_agree_with_the_package():
    rng = np.random.default_rng(0)
    vectors, queries = rng.normal(size=(90, 6)), rng.normal(size=(5, 6))
    rows, products = written("lesson05.search")(vectors, queries, 8, 20)
    theirs, best = cr.retrieval.exact(vectors, queries, 8, 20)
    np.testing.assert_array_equal(rows, theirs)
    np.testing.assert_allclose(products, best, rtol=1e-6)


def test_the_checks_load_no_torch():
    code = ("import sys, coldrec as cr; cr.checks.lesson05.search; "
            "sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
