"""Checks of exercise sheet 05."""

from __future__ import annotations

import tracemalloc
from itertools import product

import numpy as np

from coldrec.checks import CheckFailed, check, expect
from coldrec.checks.answers import ask, brief, call, number, what
from coldrec.checks.errors import name_of

NAN = float("nan")

# Exercise 1 ---------------------------------------------------------------------------------------

CENTRES = {
    "right": "", "all": "You subtract the mean of *all* rows. Those that aren't known belong to "
    "items that aren't there yet: with each that arrives, the vectors of all others would change, "
    "and a test would be told of its own items. Take vectors[known].mean(axis=0).",
    "new": "You subtract the mean of the rows that are *not* known: the mask is turned around.",
    "none": "You don't subtract the mean.",
    "items": "You subtract from each row the mean of its own numbers. Wanted is the mean *row*: "
    "vectors[known].mean(axis=0).",
    "one": "You subtract one number, the mean of all numbers. Wanted is the mean *row*, a number "
    "for each column: vectors[known].mean(axis=0).",
    "plus": "You add the mean. Subtract it.",
    "first": "You scale the rows to length one *before* you take the mean as well. Take the mean "
    "of the vectors as they are.",
    "sum": "You subtract the sum of the known rows. Divide it by their number.",
    "late": "You scale first and subtract the mean after it, and so the rows don't have length "
    "one. Subtract first, then scale.",
}
LENGTHS = {
    "right": "", "none": "Your rows aren't scaled. Divide each by its length.",
    "columns": "You divide each *column* by its length. Divide each row: "
    "np.linalg.norm(..., axis=1, keepdims=True).",
    "square": "You divide by the square of the length. The length is its root.",
    "sum": "You divide by the sum of the absolute values. The length is the root of the sum of the "
    "squares: np.linalg.norm(..., axis=1, keepdims=True).",
    "table": "You divide by one number, the norm of the whole table. Each row has a length of its "
    "own: axis=1, keepdims=True.",
    "before": "You divide by the lengths that the rows have *before* the mean is subtracted. Take "
    "those they have after it.",
    "spread": "You divide each column by its standard deviation. That is another method "
    "(standardising); here each row is divided by its length.",
}
ZEROS = {
    "right": "", "nan": "A row that is zero has no length to divide by, and in yours it becomes "
    "NaN. It stays zero: divide by 1 there.",
    "kept": "A row that is zero after the subtraction is, in yours, as it was before it. It stays "
    "zero.",
}


@check
def centred(answer):
    """Vectors of which some are known; rows that are zero; float32."""
    cases = list(_catalogues())
    wanted = "Wanted is an array of the shape of `vectors`"
    found = [_array(call(answer, *case), case[0].shape, wanted) for case in cases]
    want = [_centred(*case) for case in cases]

    def wrong(n):
        row = int(np.argmin([_near(*rows) for rows in zip(found[n], want[n], strict=True)]))
        vectors, known = cases[n]
        right, yours = (", ".join(f"{one:.6g}" for one in part[n][row]) for part in (want, found))
        added = (" Do you add a number to the length, so that it isn't 0? It changes all rows. "
                 "Divide by 1 where the length is 0: np.where(length > 0, length, 1)."
                 if np.allclose(found[n], want[n], 0.1) else "")
        return (f"Of the vectors {brief(vectors.tolist())}, of which {brief(known.tolist())} are "
                f"known, row {row} should become [{right}]; yours is [{yours}]. Subtract the mean "
                f"of the known rows, then divide each row by its length.{added}")

    _tell(found, want, _combined(
        {"centre": CENTRES, "length": LENGTHS, "zero": ZEROS}, _centred, cases), wrong)


def _catalogues():
    yield np.array([[4.0, 0], [0, 2], [2, 4]]), np.array([True, True, False])
    yield np.array([[1.0, 2], [3, 4], [2, 3], [2, 8]]), np.array([True, True, False, False])
    yield np.array([[1.0, 2, 3], [3, 0, 1], [5, 5, 0]]), np.array([False, True, False])
    rng = np.random.default_rng(1)
    yield rng.normal(1, 1, (6, 4)) * rng.uniform(1, 9, (6, 1)), rng.permutation([True, False] * 3)
    yield rng.normal(2, 1, (5, 3)), np.ones(5, bool)
    yield rng.normal(1, 1, (8, 5)).astype(np.float32), np.arange(8) % 3 == 1


def _centred(vectors, known, centre="right", length="right", zero="right"):
    """Return the right vectors; the options make the likely mistakes."""
    old = np.asarray(vectors, float)
    with np.errstate(all="ignore"):
        if centre in ("first", "late"):
            old = old / np.linalg.norm(old, axis=1, keepdims=True)
        mean = {"all": lambda: old.mean(0), "none": lambda: 0,
                "new": lambda: old[~known].sum(0) / (~known).sum(),
                "items": lambda: old.mean(1, keepdims=True), "one": lambda: old[known].mean(),
                "plus": lambda: -old[known].mean(0), "sum": lambda: old[known].sum(0),
                }.get(centre, lambda: old[known].mean(0))()
        new = old - mean
        if centre == "late":
            return new
        norm = {"none": lambda: np.ones((len(new), 1)),
                "columns": lambda: np.linalg.norm(new, axis=0, keepdims=True),
                "square": lambda: (new ** 2).sum(1, keepdims=True),
                "sum": lambda: abs(new).sum(1, keepdims=True),
                "table": lambda: np.linalg.norm(new, keepdims=True),
                "before": lambda: np.linalg.norm(old, axis=1, keepdims=True),
                "spread": lambda: new.std(0, keepdims=True),
                }.get(length, lambda: np.linalg.norm(new, axis=1, keepdims=True))()
        if zero == "kept":
            return np.where(norm > 0, new / norm, old)
        return new / (norm if zero == "nan" else np.where(norm > 0, norm, 1))


# Exercise 2 ---------------------------------------------------------------------------------------

MEASURES = {
    "right": "", "dot": "You rank by the dot product, so that long vectors are near to everything. "
    "Divide each row by its length first: the cosine.",
    "distance": "You rank by the distance between the vectors. The cosine is wanted: divide each "
    "row by its length first.",
}
SELVES = {
    "right": "", "counted": "Each item is among its own nearest in yours. It doesn't count: give "
    "it the cosine -np.inf before you rank.",
    "zero": "You give an item the cosine 0 with itself, and others may have a negative one. Give "
    "it -np.inf.",
    "more": "You take the k + 1 nearest, and the item itself is one of them: then leave it out of "
    "the counts. Or give it the cosine -np.inf, and take k.",
    "dropped": "You drop the first place, [:, 1:k + 1], and the item isn't there: -np.inf on the "
    "diagonal puts it last, and so does NaN, which np.argsort always puts last. What you drop is "
    "the nearest. Take [:, :k].",
}
ENDS = {
    "right": "", "far": "You take the k farthest. np.argsort sorts upwards: the nearest have the "
    "largest cosine, and come first in np.argsort(-cosines).",
    "up": "You take the k farthest, and the item itself with its -np.inf before them. np.argsort "
    "sorts upwards: the nearest come first in np.argsort(-cosines).",
}
COUNTED = {
    "right": "", "own": "You count how many neighbours each item *has*, which is always k. Count "
    "how often it *is* one: np.bincount of all neighbours.",
    "share": "You return shares. Wanted is how often: a whole number.",
    "mutual": "You count only where both are among the other's nearest. It needn't be so "
    "both ways: that is how a hub comes to be.",
}


@check
def hubs(answer):
    """Counts for vectors of several lengths, with twins, and with all as neighbours of all."""
    cases = list(_clouds())
    wanted = "Wanted is an array of one count for each item"
    found = [_array(call(answer, *case), (len(case[0]),), wanted) for case in cases]
    want = [_hubs(*case) for case in cases]
    if _near(found[:-1], want[:-1]):
        expect(_near(found[-1], want[-1]),
               "All is right, until two items have the same vector. Then the first in an item's "
               "list may be its twin, and whoever drops the first place drops the twin and keeps "
               "the item. Drop it by its number: give it the cosine -np.inf with itself.")

    def wrong(n):
        item = int(np.argmin(np.isclose(found[n], want[n])))
        total = "" if found[n].sum() == want[n].sum() else (
            f" Your counts add up to {found[n].sum():g}; each of {len(want[n])} items has "
            f"{cases[n][1]} neighbours, so it should be {want[n].sum():g}.")
        near = [row for row, others in enumerate(_neighbours(*cases[n])) if item in others]
        return (f"With k = {cases[n][1]}, and the vectors {brief(cases[n][0].round(2).tolist())}, "
                f"item {item} is among the nearest of the items {near}, so its count is "
                f"{want[n][item]:g}; yours is {found[n][item]:g}.{total}")

    _tell(found, want, _combined({"measure": MEASURES, "itself": SELVES, "end": ENDS,
                                  "counted": COUNTED}, _hubs, cases), wrong)


def _clouds():
    angles = np.radians([0, 25, 60, 170])
    yield np.array([1, 4, 0.5, 2])[:, None] * np.column_stack([np.cos(angles), np.sin(angles)]), 1
    rng = np.random.default_rng(2)
    for n, width, k in ((7, 3, 2), (12, 4, 3), (15, 2, 9), (5, 3, 4)):
        yield rng.normal(0.2, 1, (n, width)) * rng.uniform(0.3, 4, (n, 1)), k
    twins = rng.normal(0, 1, (9, 3))
    twins[6] = twins[2]
    twins[8] = twins[0]
    yield twins, 3


def _neighbours(vectors, k, measure="right", itself="right", end="right"):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    near = {"right": lambda: unit @ unit.T, "dot": lambda: vectors @ vectors.T,
            "distance": lambda: -np.linalg.norm(vectors[:, None] - vectors, axis=2)}[measure]()
    if end == "far":
        near = -near
    if itself in ("right", "zero", "dropped"):
        np.fill_diagonal(near, 0 if itself == "zero" else -np.inf)
    if end == "up":
        near = -near
    first = int(itself == "dropped")
    return np.argsort(-near, axis=1, kind="stable")[:, first:first + k + (itself == "more")]


def _hubs(vectors, k, measure="right", itself="right", end="right", counted="right"):
    """Return the right counts; the options make the likely mistakes."""
    near, n = _neighbours(vectors, k, measure, itself, end), len(vectors)
    table = np.zeros((n, n))
    np.put_along_axis(table, near, 1, axis=1)
    if counted == "mutual":
        table *= table.T
    return table.sum(1 if counted == "own" else 0) / (n if counted == "share" else 1)


# Exercise 3 ---------------------------------------------------------------------------------------

@check
def lose(answer):
    """Vectors for several numbers of items, ranked both ways."""
    for relevant, others in ((1, 1), (2, 3), (3, 12), (5, 1)):
        user, items = _made(answer, relevant, others)
        asked = f"{name_of(answer)}({relevant}, {others})"
        products, lengths = items @ user, np.linalg.norm(items, axis=1)
        cosines = products / lengths / np.linalg.norm(user)
        expect(all(np.isfinite(part).all() for part in (products, lengths, cosines)),
               f"In {asked}, the products or lengths are too large or too small for a number. Take "
               "vectors of moderate numbers.")
        dot, cos = (_wins(scores, relevant) for scores in (products, cosines))
        if dot and _wins(-cosines, relevant):
            continue
        table = (f"The products are {brief(products.round(3).tolist())}, the cosines "
                 f"{brief(cosines.round(3).tolist())}; the first {relevant} are relevant.")
        expect(cosines[relevant:].min() > 1e-7, f"In {asked}, not all of the others point to the "
               "user: one has a product of 0 or less. Whatever has a product above 0 has a larger "
               "cosine, too, however long it is. Let the others point where the user points. "
               f"{table}")
        expect(np.ptp(lengths) > 1e-6 * lengths.max(), f"In {asked}, all your items have the same "
               "length. Then the cosine is the product divided by one number, and both rank alike. "
               f"Make the relevant ones longer. {table}")
        expect(not (cos and _wins(-products, relevant)), f"In {asked} it is the dot product that "
               "loses, and the cosine that wins. Are the relevant items the first rows? Make them "
               f"long, and let the others point where the user points. {table}")
        expect(not (dot and cos), f"In {asked}, both put the relevant items first. Turn these away "
               "from the user, and make them longer, so that their products stay the largest. "
               f"{table}")
        expect(dot, f"In {asked}, the dot product doesn't put all relevant items first. Make them "
               f"longer: their product with the user grows in proportion, their cosine stays. "
               f"{table}")
        raise CheckFailed(f"In {asked}, the dot product is right, but for the cosine not every "
                          "other item is above every relevant one. Turn the relevant ones away "
                          f"from the user, and the others to the user. {table}")


def _wins(scores, relevant) -> bool:
    """Say whether each of the first items has a higher score than each of the others."""
    gap = scores[:relevant].min() - scores[relevant:].max()
    return bool(gap > 1e-7 * abs(scores).max())


def _made(answer, relevant, others):
    """Return the reader's user and items, after a look at their shapes."""
    found = call(answer, relevant, others)
    wanted = ("Wanted are two arrays, `return user, items`: the user's vector, and a table with a "
              f"row for each of {relevant} + {others} items.")
    expect(isinstance(found, (tuple, list)) and len(found) == 2,
           f"You return {what(found)}. {wanted}")
    user, items = (_floats(part, wanted) for part in found)
    expect(not (user.ndim == 2 and items.ndim == 1), "You return the items first. " + wanted)
    expect(user.ndim == 1, f"Your user is {what(user)}. It is one vector, of one dimension. "
           + wanted)
    expect(items.ndim == 2 and len(items) == relevant + others,
           f"Your items are {what(items)}. {wanted}")
    expect(items.shape[1] == len(user), f"Your user's vector has {len(user)} numbers, and your "
           f"items' have {items.shape[1]}. They need as many.")
    expect(len(user) > 1, "Your vectors have one number. Then the cosine is only its sign, 1 or "
           "-1: take two numbers or more.")
    expect(np.isfinite(user).all() and np.isfinite(items).all(),
           "In your vectors stands NaN, or something infinite. Take numbers.")
    expect(user.any() and items.any(1).all(), "One of your vectors is zero, and has no cosine with "
           "anything. Give each a number that isn't 0.")
    return user, items


# Exercise 4 ---------------------------------------------------------------------------------------

NORMS = {
    "right": "", "none": "You take the products of the rows as they are, so that a long vector "
    "wins. Divide each row by its length first, the queries' and the items'.",
    "queries": "You scale the queries to length one, and not the items.",
    "items": "You scale the items to length one, and not the queries.",
    "columns": "You divide the *columns* by their lengths. Divide each row: axis=1, keepdims=True.",
}
TEMPERATURES = {
    "right": "", "times": "You multiply by the temperature. Divide: a low one makes the softmax "
    "sharper.", "none": "You don't use the temperature. Divide the cosines by it.",
    "late": "You divide the loss by the temperature. Divide the *cosines*, before the softmax.",
    "root": "You divide by the root of the temperature. Divide by it.",
}
SOFTMAXES = {
    "right": "", "queries": "Your softmax runs over the queries of an item. For each query the "
    "*items* compete: axis=1.",
    "both": "You take the mean of two losses, over the items and over the queries. That is a good "
    "loss, too (CLIP has it); here for each query the items compete, and that alone.",
    "others": "You leave the own item out of what you divide by. It is one of the batch's items: "
    "the softmax runs over all of them.",
    "all": "Your softmax runs over all pairs at once. Each query has one of its own: axis=1.",
}
MEANS = {
    "right": "", "sum": "You add up the queries' losses. Take the mean.",
    "sign": "You return minus the loss: a good encoder would have a high one. It is the mean of "
    "*minus* log p.",
    "p": "You return the mean probability of the own item. Take its logarithm, and the minus.",
    "log": "You take the logarithm of the mean probability. It is the mean of the *logarithms*.",
    "base": "You take the logarithm to the base 2. The natural one is wanted.",
    "every": "You take the mean of -log p over all pairs. Only those of each query with its own "
    "item count: np.diag.",
    "square": "You divide by the number of pairs. The mean is over the queries: divide by the "
    "length of the batch.",
}


@check
def info_nce(answer):
    """Losses of small batches at several temperatures, also at one that makes logits large."""
    cases = list(_batches())
    found = []
    for case in cases:
        got = call(answer, *case)
        expect(number(got) is not None,
               f"You return {what(got)}. Wanted is one number: the mean over the queries.")
        found.append(number(got))
    want = [_info_nce(*case) for case in cases]
    usual = [n for n, case in enumerate(cases) if case[2] > 0.01]

    def some(values):
        return [values[n] for n in usual]

    mistakes = _combined(
        {"norm": NORMS, "by": TEMPERATURES, "softmax": SOFTMAXES, "mean": MEANS}, _info_nce,
        some(cases))
    _tell(some(found), some(want), mistakes, lambda n: (
        f"For {len(cases[usual[n]][0])} queries and the temperature {cases[usual[n]][2]}, the loss "
        f"should be {brief(some(want)[n])}; yours is {brief(some(found)[n])}. Divide the cosines "
        "by the temperature, take for each query the softmax over the items, and return the mean "
        "of minus the logarithm of the own item's probability."))
    for case, got, right in zip(cases[:-1], found[:-1], want[:-1], strict=True):
        expect(_near(got, right), f"At the temperature {case[2]} the loss should be "
               f"{brief(right)}, and yours is {brief(got)}. There the logits go to 1000: exp "
               "overflows, or gives 0, and log(0) is -inf (a small number added inside the log "
               "only hides it). Subtract each row's maximum before exp, and don't take the "
               "logarithm of a probability: log p = logit - log(sum(exp(logits))).")
    expect(_near(found[-1], want[-1]), "All is right, until one row's logits go to 1000 and "
           f"another's to 100. There the loss should be {brief(want[-1] + 0)}, and yours is "
           f"{brief(found[-1])}. Subtract one number from the whole table, its maximum or 1 / "
           "temperature, and exp of each logit of the second row is 0: log(0) is -inf. Each row "
           "needs its own maximum: logits.max(axis=1, keepdims=True).")


def _batches():
    yield np.eye(2), np.eye(2), 1.0
    rng = np.random.default_rng(4)
    for n, width, temperature in ((3, 2, 1.0), (5, 3, 0.5), (6, 4, 0.07), (4, 8, 2.0), (1, 3, 0.5),
                                  (5, 3, 0.001), (7, 4, 0.0005)):
        queries = rng.normal(0.5, 1, (n, width)) * rng.uniform(0.5, 3, (n, 1))
        items = (queries + rng.normal(0, 1, (n, width))) * rng.uniform(0.5, 3, (n, 1))
        yield queries, items if temperature > 0.01 else items[::-1].copy(), temperature
    yield np.eye(2, 3), np.array([[1.0, 0, 0], [0, 0.1, 1]]), 0.001  # the rows differ by 900


def _unit(vectors, axis=1):
    return vectors / np.linalg.norm(vectors, axis=axis, keepdims=True)


def _info_nce(queries, items, temperature, norm="right", by="right", softmax="right",
              mean="right"):
    """Return the right loss; the options make the likely mistakes."""
    if norm == "columns":
        queries, items = _unit(queries, 0), _unit(items, 0)
    queries = _unit(queries) if norm in ("right", "queries") else queries
    items = _unit(items) if norm in ("right", "items") else items
    logits = queries @ items.T * {"right": 1 / temperature, "times": temperature,
                                  "root": temperature ** -0.5}.get(by, 1)
    if softmax == "both":
        return (_info_nce(queries, items, temperature, "none", by, "right", mean)
                + _info_nce(queries, items, temperature, "none", by, "queries", mean)) / 2
    away = np.where(np.eye(len(logits)) > 0, -np.inf, logits) if softmax == "others" else logits
    with np.errstate(all="ignore"):
        total = np.logaddexp.reduce(away, axis={"queries": 0, "all": None}.get(softmax, 1),
                                    keepdims=True)
        log_p = logits - total
        own = np.diag(log_p)
        loss = {"sum": lambda: -own.sum(), "sign": own.mean, "p": lambda: np.exp(own).mean(),
                "log": lambda: -np.log(np.exp(own).mean()),
                "base": lambda: -own.mean() / np.log(2), "every": lambda: -log_p.mean(),
                "square": lambda: -own.sum() / log_p.size}.get(mean, lambda: -own.mean())()
    return loss / temperature if by == "late" else loss


# Exercise 5 ---------------------------------------------------------------------------------------

ROWS = {
    "right": "", "block": "Your rows are counted within the block. Add the row with which the "
    "block starts.",
}
MERGES = {
    "right": "", "joined": "You put the best of the blocks one after another, and cut. Sort them "
    "together first: a later block may have better ones.",
    "zeros": "You begin with rows and products of 0, and where all products are negative, these "
    "stay. Begin with nothing, or with -np.inf.",
}
ORDERS = {
    "right": "", "worst": "You keep the *smallest* products. The largest are wanted.",
    "size": "You rank by the absolute values. A product that is far below 0 is a bad one.",
}


@check
def search(answer):
    """Tables that can be read by blocks only; in float16; and how much is held at once."""
    cases = list(_tables())
    found = [_searched(answer, *case) for case in cases]
    want = [_search(*case) for case in cases]
    few = len(cases) - 1  # the last is in float16, where other mistakes look different
    expect(not all(_near(one[0], two[1]) and _near(one[1], two[0])
                   for one, two in zip(found[:few], want[:few], strict=True)),
           "You return the products first. Wanted are the rows, then the products.")

    def wrong(n):
        which = 0 if not _near(found[n][0], want[n][0]) else 1
        right, yours = (_shown(part[n][which]) for part in (want, found))
        return (f"{_sizes(*cases[n])}: the {('rows', 'products')[which]} should be {right}; yours "
                f"are {yours}.")

    _in_order(found[:few], want[:few])
    _tell(found[:few], want[:few], _combined(
        {"rows": ROWS, "merge": MERGES, "order": ORDERS}, _search, cases[:few]), wrong)
    expect(_near(found[-1], want[-1]), "All is right, until vectors and queries are in "
           "float16. Its numbers end at 65,504 and have three digits, and products in it are "
           "infinite, or rounded. Turn each block, and the queries, into float32 before you "
           "multiply: .astype(np.float32).")
    _holds_little(answer)


def _shown(table) -> str:
    """Return a table as a reader would write it: whole numbers without a point."""
    return brief([[int(one) if one % 1 == 0 else one for one in row]
                  for row in table.tolist()])


def _in_order(found, want) -> None:
    """Say so where all is there, and in another order."""
    mixed = any(not _near(one[0], two[0]) for one, two in zip(found, want, strict=True))
    if mixed and all(_near([np.sort(part) for part in one], [np.sort(part) for part in two])
                     for one, two in zip(found, want, strict=True)):
        turned = all(_near(one[0][:, ::-1], two[0]) for one, two in zip(found, want, strict=True))
        raise CheckFailed("You find the right rows, and the worst of them comes first. The best "
                          "comes first." if turned else "You find the right rows, but not in "
                          "order (np.argpartition doesn't sort). Sort the k that are left, best "
                          "first.")


def _tables():
    rng = np.random.default_rng(5)
    for n, width, queries, k, block, kind in (
            (6, 2, 1, 2, 6, float), (10, 3, 2, 3, 4, float), (9, 4, 3, 5, 2, np.float32),
            (50, 8, 4, 10, 7, np.float32), (7, 3, 2, 7, 100, float)):
        yield (rng.normal(size=(n, width)).astype(kind),
               rng.normal(size=(queries, width)).astype(kind), k, block)
    yield rng.uniform(1, 2, (8, 3)), -rng.uniform(1, 2, (2, 3)), 2, 3
    yield (rng.normal(0, 300, (12, 6)).astype(np.float16),
           rng.normal(0, 300, (2, 6)).astype(np.float16), 4, 5)


class _Shelf:
    """A table in a file: some of its rows can be read at a time, and it notes which were."""

    __array_ufunc__ = None  # NumPy leaves a product to __rmatmul__

    def __init__(self, table, block):
        self._table, self._block = table, block
        self.shape, self.dtype, self.ndim = table.shape, table.dtype, table.ndim
        self.size, self.nbytes = table.size, table.nbytes
        self._rows, self.read = np.arange(len(table)), np.zeros(len(table), int)

    def __len__(self):
        return len(self._table)

    def __getitem__(self, key):
        part = self._table[key]
        rows = np.atleast_1d(self._rows[key[0] if isinstance(key, tuple) else key])
        expect(len(rows) <= self._block, f"You read {len(rows)} rows of `vectors` at once, and "
               f"`block` is {self._block}: no more fit into memory. Read vectors[start:start + "
               "block], and use that before you read more.")
        self.read[rows] += 1
        return part.copy()

    def _whole(self, *given, **named):
        raise CheckFailed("You use all rows of `vectors` at once, and they don't fit into memory. "
                          f"Read {self._block} at a time: vectors[start:start + block].")

    __array__ = __matmul__ = __rmatmul__ = __mul__ = __rmul__ = astype = dot = copy = _whole
    transpose = tolist = _whole
    T = property(_whole)


def _searched(answer, vectors, queries, k, block):
    """Return the reader's rows and products, after a look at what was read."""
    shelf, given = _Shelf(vectors, block), queries.copy()
    found = ask(answer, shelf, given, k, block, shown=_sizes(vectors, queries, k, block))
    expect(np.array_equal(given, queries), f"{name_of(answer)} changes the queries that it is "
           "given, and whoever calls it still needs them. `queries / x` makes new ones; `queries "
           "/= x` doesn't.")
    wanted = ("Wanted are two arrays, `return rows, products`, each with a row for each query and "
              "k columns, also where a block has fewer than k vectors")
    expect(isinstance(found, (tuple, list)) and len(found) == 2,
           f"You return {what(found)}. {wanted}.")
    rows, products = (_array(part, (len(queries), k), wanted) for part in found)
    unread = np.flatnonzero(shelf.read == 0)
    expect(not len(unread), f"{_sizes(vectors, queries, k, block)}: you never read row "
           f"{unread[0] if len(unread) else 0} of `vectors`. The last block may be smaller than "
           "the others: range(0, len(vectors), block). And is `return` behind the loop?")
    return rows, products


def _sizes(vectors, queries, k, block) -> str:
    return (f"{len(vectors)} vectors in {vectors.dtype}, {len(queries)} queries, k = {k}, block = "
            f"{block}")


def _search(vectors, queries, k, block, rows="right", merge="right", order="right"):
    """Return the right rows and products; the options make the likely mistakes."""
    products = queries.astype(float) @ vectors.astype(float).T
    value = {"worst": -products, "size": abs(products)}.get(order, products)
    best = np.argsort(-value, axis=1, kind="stable")
    if merge == "joined":
        best = np.hstack([start + np.argsort(-value[:, start:start + block], axis=1)[:, :k]
                          for start in range(0, len(vectors), block)])
    best = best[:, :k]
    scores = np.take_along_axis(products, best, axis=1)
    if merge == "zeros":
        lost = np.take_along_axis(value, best, axis=1) < 0
        best, scores = np.where(lost, 0, best), np.where(lost, 0.0, scores)
    if rows == "block":
        best = best % block
    return best, scores


def _holds_little(answer, n=8000, width=16, n_queries=16, k=5, block=200):
    """Say so where all products, or all vectors, are in memory at some time."""
    rng = np.random.default_rng(6)
    table = rng.normal(size=(n, width)).astype(np.float16)
    queries = rng.normal(size=(n_queries, width)).astype(np.float32)
    shelf, was = _Shelf(table, block), tracemalloc.is_tracing()
    if not was:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    try:
        ask(answer, shelf, queries, k, block, shown=_sizes(table, queries, k, block))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        if not was:
            tracemalloc.stop()
    held, products = peak - before, 4 * n * n_queries
    expect(held < products / 2, f"All answers are right. But {_sizes(table, queries, k, block)}: "
           f"at one moment yours holds {held / 1e6:.1f} MB, and {products / 1e6:.1f} MB are all "
           "products in float32. Of each block keep only its k best, and neither its vectors nor "
           "its products.")


# Exercise 6 ---------------------------------------------------------------------------------------

SHARES = {
    "right": "", "sum": "You add up over the tables. Then an item that two models can score has "
    "about twice as much as one that a single model can, and new items never come up. Take the "
    "mean over the tables that can score it.",
    "all": "You divide by the number of *all* tables. Take the mean over those that can score the "
    "item.",
    "best": "You take the best of the tables. Take the mean over those that can score the item.",
}
RANKS = {
    "right": "", "zero": "Your ranks begin with 0. The best has rank 1.",
    "low": "Yours ranks low scores first. The highest score has rank 1.",
    "order": "np.argsort once tells *which* item stands at each place, not at which place each "
    "item stands. Sort twice, np.argsort(np.argsort(-scores)), or use scipy.stats.rankdata.",
    "users": "You rank each item's users. Rank each user's items: axis=1.",
    "all": "You rank the whole table at once. Each user's items are ranked by themselves: axis=1.",
    "score": "You use the scores themselves. They are on different scales: take their ranks, and 1 "
    "/ (k0 + rank).",
}
GAPS = {
    "right": "", "last": "An item that a table can't score has the last rank there, in yours. The "
    "table has no opinion, and takes no part in the mean.",
    "first": "NaN comes first in your ranking, and pushes the others down. Items that a table "
    "can't score take no part in it.",
    "any": "In yours, an item is NaN where *one* table can't score it. The others can: take the "
    "mean over those.",
}
NOBODY = {
    "right": "", "zero": "Where no table can score an item, you return 0. It is NaN: nothing is "
    "known.",
    "guess": "Where no table can score an item, yours has a value all the same. It is NaN.",
}
ADDED = {
    "right": "", "sixty": "You take 60, whatever `k0` is.", "none": "You don't add `k0` to the "
    "rank.", "sign": "Your values are negative. It is 1 / (k0 + rank).",
    "rank": "You return the mean rank. Take the mean of 1 / (k0 + rank).",
}


@check
def fused(answer):
    """Tables with and without gaps, for several k0."""
    cases = list(_scored())
    wanted = "Wanted is one array (users, items), like each of the tables"
    found = [_array(call(answer, *case), case[0][0].shape, wanted) for case in cases]
    want = [_fused(*case) for case in cases]
    few = len(cases) - 1  # the last has several gaps in a row, and where they rank is anybody's
    mistakes = _combined({"share": SHARES, "rank": RANKS, "gap": GAPS, "nobody": NOBODY,
                          "add": ADDED}, _fused, cases[:few])

    def wrong(n):
        user, item = np.argwhere(~np.isclose(found[n], want[n], 1e-5, 1e-9, equal_nan=True))[0]
        scores = [table[user].tolist() for table in cases[n][0]]
        gap = " (NaN + 1 is NaN.)" if np.isnan(found[n][user, item]) else ""
        return (f"With k0 = {cases[n][1] if len(cases[n]) > 1 else 60}, of a user's scores "
                f"{brief(scores)}, item {item} should get {want[n][user, item]:.6g}; yours is "
                f"{found[n][user, item]:.6g}. It is the mean, over the tables that can score the "
                f"item, of 1 / (k0 + its rank there).{gap}")

    _tell(found[:few], want[:few], mistakes, wrong)
    _tell(found, want, (), wrong)


def _scored():
    yield [np.array([[3.0, 1, 2, 0]]), np.array([[0.1, 0.9, 0.5, 0.7]])],
    yield [np.array([[3.0, 1, NAN, 2], [1.5, 2.5, 3.5, NAN]]),
           np.array([[-0.9, -0.1, -0.5, -0.2], [-0.8, -0.3, -0.4, NAN]])], 1
    rng = np.random.default_rng(7)
    for n, users, items, k0, gaps in ((3, 4, 7, 60, 1), (2, 3, 9, 10, 1), (1, 2, 5, 60, 1),
                                      (4, 5, 6, 0, 1), (3, 5, 8, 20, 4)):
        tables = []
        for scale in range(n):
            table = rng.permuted(np.arange(users * items).reshape(users, items) - 9.0, axis=1)
            for row in table[1:]:
                row[rng.permutation(items)[:gaps]] = NAN
            tables.append(table * 10.0 ** scale)
        yield tables, k0


def _fused(tables, k0=60, share="right", rank="right", gap="right", nobody="right", add="right"):
    """Return the right table; the options make the likely mistakes."""
    parts, known = [], []
    for table in tables:
        lost = np.isnan(table)
        filled = np.where(lost, np.inf if gap == "first" else -np.inf,
                          -table if rank == "low" else table)
        axis = 0 if rank == "users" else 1
        places = np.argsort(-filled, axis=axis, kind="stable")
        if rank != "order":
            places = np.argsort(places, axis=axis, kind="stable")
        if rank == "all":
            places = np.argsort(np.argsort(-filled.ravel(), kind="stable"))
            places = places.reshape(table.shape)
        places = places + (rank != "zero")
        add_to = {"sixty": 60, "none": 0}.get(add, k0)
        with np.errstate(all="ignore"):
            value = {"rank": places * 1.0, "sign": -1 / (add_to + places)}.get(
                add, 1 / (add_to + places))
        parts.append(table if rank == "score" else value)
        known.append(np.ones_like(lost) if gap == "last" else ~lost)
    parts, known = np.array(parts), np.array(known)
    total = np.where(known, parts, NAN if gap == "any" else 0).sum(0)
    n = known.sum(0)
    empty = np.isnan(tables).all(0)
    with np.errstate(all="ignore"):
        value = {"sum": lambda: total, "all": lambda: total / len(tables),
                 "best": lambda: np.where(known, parts, -np.inf).max(0),
                 }.get(share, lambda: total / np.maximum(n, 1))()
    return value if nobody == "guess" else np.where(empty, NAN if nobody == "right" else 0, value)


# What all use -------------------------------------------------------------------------------------

def _floats(found, wanted) -> np.ndarray:
    """Return an array of floats, from lists, frames and tensors too."""
    try:
        if hasattr(found, "detach"):
            found = found.detach().cpu().numpy()
        return np.array(found, float)
    except (TypeError, ValueError, OverflowError):
        raise CheckFailed(f"You return {what(found)}. {wanted}") from None


def _array(found, shape, wanted) -> np.ndarray:
    """Return the reader's array, after a look at its shape."""
    table = _floats(found, f"{wanted}.")
    expect(table.shape == shape, f"You return {what(found)}. {wanted}: {shape}.")
    return table


def _near(found, right) -> bool:
    """Say whether numbers, arrays, or lists of arrays are equal but for rounding in float32."""
    if isinstance(right, (list, tuple)):
        return len(found) == len(right) and all(map(_near, found, right))
    return np.shape(found) == np.shape(right) and np.allclose(found, right, 1e-4, 1e-5,
                                                              equal_nan=True)


def _combined(tables, version, cases):
    """Yield a hint and the answers for each way to be wrong, those with one mistake first.

    ``tables`` has for each option of ``version`` the hints to its values.
    """
    options = sorted(product(*tables.values()),
                     key=lambda which: sum(one != "right" for one in which))
    for which in options[1:]:
        chosen = dict(zip(tables, which, strict=True))
        hint = " ".join(filter(None, (tables[name][one] for name, one in chosen.items())))
        yield hint, [version(*case, **chosen) for case in cases]


def _tell(found, want, mistakes, wrong) -> None:
    """Raise the hint of the mistake whose answers these are, or show the first wrong one."""
    good = [_near(one, two) for one, two in zip(found, want, strict=True)]
    if all(good):
        return
    for hint, values in mistakes:
        expect(not all(map(_near, found, values)), hint)
    raise CheckFailed(wrong(good.index(False)))
