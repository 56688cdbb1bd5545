"""Which links look wrong, and what share of them is: the second half of :mod:`audit`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.preprocessing import normalize

from coldrec import views
from coldrec.data import Ratings

RIDGE = 1.0  # the penalty of suspects' regression; 0.3 and 3 give much the same
TAIL = 0.8  # from this p-value on, a link counts towards the share of wrong ones
LEAST = 20  # linked items


class TooFew(ValueError):
    """Too few linked items to say anything."""


def suspects(ratings: Ratings, facts: pd.DataFrame) -> pd.DataFrame:
    """Return each linked item with the p-value of its link, the most suspicious first.

    The facts of all *other* linked items teach a ridge regression what genres and years go with
    which facts. ``p`` is the share of linked items whose facts fit this item's genres and year at
    least as well as its own do. The right facts are among the best; for wrong ones, every p from 0
    to 1 is equally likely. Awards and sequels aren't read.

    Returns
    -------
    pandas.DataFrame
        ``item, title, p``; one row a linked item that has a genre or a year and a fact that
        another item has too.

    Raises
    ------
    ValueError
        There are fewer than 20 such items.
    """
    items = linked(ratings, facts)
    features = _features(facts, pd.Index(items["item"]))
    wanted = _wanted(ratings)[ratings.item_rows(items["item"])]
    known = (features.getnnz(axis=1) > 0) & wanted.any(axis=1)
    features, wanted, items = features[known], wanted[known], items[known]
    if len(items) < LEAST:
        raise TooFew(f"only {len(items)} items have a genre or a year, and a fact that another "
                     f"item has too; to compare them takes at least {LEAST}.")
    predicted = _predict_each_from_the_others(features, wanted)
    # Closeness of item i's catalogue entry to what item j's facts predict: minus their distance.
    fit = 2 * wanted @ predicted.T - (predicted ** 2).sum(1)
    p = (fit >= np.diag(fit)[:, None] - 1e-9).mean(1)  # equal, but for rounding, is as well
    titles = items["title"] if "title" in items else items["item"].astype(str)
    found = pd.DataFrame({"item": items["item"], "title": titles, "p": p})
    return found.sort_values("p", ascending=False, ignore_index=True, kind="stable")


def wrong_share(p) -> tuple[float, float]:
    """Estimate the share of wrong links from :func:`suspects`' p-values, with a standard error.

    Of links that are wrong at random, a fifth has a p above 0.8, and of right ones few; so the
    share is that tail's, times five (Storey 2002, doi:10.1111/1467-9868.00346). Right links that
    fit badly make it too high. Links that confuse items of the same genres and year fit as well as
    right ones do, and aren't counted.
    """
    p = np.asarray(p, float)
    if not len(p) or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("wrong_share needs p-values, each from 0 to 1, at least one. Give it "
                         "graph.suspects(ratings, facts)['p'].")
    tail = np.mean(p > TAIL)
    error = np.sqrt(tail * (1 - tail) / len(p)) / (1 - TAIL)
    return float(min(tail / (1 - TAIL), 1.0)), float(error)


def linked(ratings: Ratings, facts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``ratings.items`` that have facts; refuse fewer than 20."""
    missing = {"item", "relation", "entity", "other"} - set(facts)
    if missing:
        raise ValueError(f"facts have no column {sorted(missing)}; make them with "
                         "graph.known_facts(ratings, kg, known='all').")
    items = ratings.items[ratings.items["item"].isin(facts["item"])].reset_index(drop=True)
    if len(items) < LEAST:
        raise TooFew(f"only {len(items)} items have facts; an audit needs at least {LEAST}.")
    return items


def _predict_each_from_the_others(features, wanted) -> np.ndarray:
    """Return what a ridge regression that never saw an item predicts of it: ``(items, d)``."""
    # In its dual form, leaving one item out has a closed form in the hat matrix. It holds for any
    # target, so also for one less the mean of the others.
    kernel = (features @ features.T).toarray()
    hat = kernel @ np.linalg.inv(kernel + RIDGE * np.eye(len(kernel)))
    own = np.diag(hat)[:, None]

    def without_own(target):
        return (hat @ target - own * target) / (1 - own)

    others = (wanted.sum(0) - wanted) / (len(wanted) - 1)
    return others + without_own(wanted) - others * without_own(np.ones((len(wanted), 1)))


def _wanted(ratings) -> np.ndarray:
    """Return what the catalogue says of every item, as far as it says it: genres and year."""
    parts = [np.zeros((len(ratings.items), 0))]
    if "genres" in ratings.items and (genres := views.genres(ratings)).shape[1]:
        parts.append(normalize(genres))
    if "year" in ratings.items:
        parts.append(views.year(ratings, 10.0))
    return np.hstack(parts)


def _features(facts, place) -> sp.csr_matrix:
    """Return facts that several items have as unit TF-IDF rows, ``(len(place), tokens)``."""
    timeless = facts[~facts["relation"].str.contains("award|sequel") & facts["item"].isin(place)]
    timeless = timeless.drop_duplicates(["item", "relation", "entity"])
    token = timeless["relation"] + " " + timeless["entity"]
    shared = token.isin(token.value_counts().loc[lambda n: n >= 2].index)
    columns, tokens = pd.factorize(token[shared])
    rows = place.get_indexer(timeless["item"][shared])
    ones = sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(place), len(tokens)))
    return normalize(ones.multiply(np.log(len(place) / ones.getnnz(axis=0))).tocsr())
