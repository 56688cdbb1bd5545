"""Are the links right? Tests that need no data but the catalogue and the graph themselves.

If facts are joined to the right items, what the graph says of an item agrees with what the
catalogue says of it. How much they would agree if every item had another's facts is found by
permutation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy import stats
from sklearn.preprocessing import normalize

from coldrec import views
from coldrec.data import Ratings
from coldrec.graph.suspicion import TooFew, linked, suspects, wrong_share

COMMON_WORDS = set("the and for from with you not der die das les des una".split())
PEOPLE = ("director", "writer", "cinematographer")
LEVEL = 0.05
TOLERATED = 0.1  # share of wrong links up to which an audit is passed
PERMUTATIONS = 100  # with fewer, no p could be small enough


@dataclass
class Audit:
    """What :func:`audit` found.

    ``tests`` has one row a test: ``statistic``, the ``chance`` mean and ``chance_sd`` over the
    permutations, ``p`` and ``n``, what the statistic is over (pairs of films, or films). ``nulls``
    has the statistic of every permutation, by test. ``wrong`` and ``wrong_se`` estimate the share
    of wrong links (``NaN`` where too few can be judged), and ``links`` is their number. ``verdict``
    says it in a sentence; ``passed`` is whether all is well.
    """

    tests: pd.DataFrame
    nulls: dict[str, np.ndarray] = field(repr=False)
    wrong: float
    wrong_se: float
    links: int

    @property
    def better_than_chance(self) -> bool:
        """Whether some test's p is below 5 %, corrected for the number of tests (Bonferroni)."""
        return bool((self.tests["p"] * len(self.tests) < LEVEL).any())

    @property
    def passed(self) -> bool:
        """Whether the links beat chance and few of them look wrong."""
        return self.better_than_chance and self.wrong - 2 * self.wrong_se < TOLERATED

    @property
    def verdict(self) -> str:
        """The finding in a sentence."""
        if not self.better_than_chance:
            return ("These links are no better than chance: the facts may as well belong to other "
                    "items.")
        if np.isnan(self.wrong):
            return ("These links are better than chance. How many are wrong can't be told: too few "
                    "items have a genre or a year, and a fact in common with another.")
        share = f"{self.wrong:.0%} (± {self.wrong_se:.0%})"
        if not self.passed:
            return (f"Some links are right, but an estimated {share} of them are wrong. "
                    "See graph.suspects.")
        return (f"These links agree with the catalogue; an estimated {share} look wrong. Errors "
                "between items of the same genres and year can't be seen.")


def audit(ratings: Ratings, facts: pd.DataFrame, permutations: int = 1000,
          seed: int = 0) -> Audit:
    """Test whether facts are joined to the right items.

    Parameters
    ----------
    ratings
        The catalogue: titles, years and genres are compared with the facts. The ratings themselves
        are used by the last test alone, as each item's number of ratings.
    facts
        ``item, relation, entity, other`` from ``known_facts(ratings, kg, known="all")``.
    permutations
        How often the items' facts are dealt out anew to find what chance does; at least 100.

    Returns
    -------
    Audit
        With the tests: films joined by ``sequel`` share a word of the title; films with one
        Freebase genre have similar genres in the catalogue (mean cosine); films by one director,
        writer or cinematographer are close in time (mean difference in years); films with many
        facts have many ratings (Spearman's rank correlation). A test without anything to compare
        is left out.

    Raises
    ------
    ValueError
        There are fewer than 20 linked items, nothing that could be compared, or too few
        permutations.
    """
    if permutations < PERMUTATIONS:
        raise ValueError(f"permutations is {permutations}; with fewer than {PERMUTATIONS}, no link "
                         "could be told from chance.")
    items = linked(ratings, facts)
    place = pd.Index(items["item"])
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(items)) for _ in range(permutations)]
    rows, nulls = {}, {}
    for name, (statistic, n, larger) in _tests(ratings, items, facts, place).items():
        value = statistic(np.arange(len(items)))
        null = np.array([statistic(order) for order in orders])
        as_far = (null >= value) if larger else (null <= value)
        rows[name] = {"statistic": value, "chance": null.mean(), "chance_sd": null.std(ddof=1),
                      "p": (1 + as_far.sum()) / (1 + permutations), "n": n}
        nulls[name] = null
    if not rows:
        raise ValueError("nothing can be compared: the items have no title, year or genres that "
                         "the facts speak of too.")
    try:
        wrong, error = wrong_share(suspects(ratings, facts)["p"])
    except TooFew:
        wrong = error = np.nan
    return Audit(pd.DataFrame(rows).T.astype({"n": int}), nulls, wrong, error, len(items))


def _tests(ratings, items, facts, place) -> dict:
    """Return each test as (statistic of an order, n, whether larger is better).

    The order says whose place in the catalogue each item's facts are given.
    """
    facts = facts[facts["item"].isin(place)]
    tests = {"sequels share a word of the title": _sequels(items, facts, place),
             "one Freebase genre, similar genres": _genres(ratings, items, facts, place),
             "one director or writer, close years": _years(items, facts, place),
             "many facts, many ratings": _fame(ratings, items, facts)}
    return {name: test for name, test in tests.items() if test is not None}


def _sequels(items, facts, place):
    pairs = facts[(facts["relation"] == "sequel") & facts["other"].isin(place)]
    if "title" not in items or not len(pairs):
        return None
    words = [_words(title) for title in items["title"]]
    first, second = place.get_indexer(pairs["item"]), place.get_indexer(pairs["other"])

    def share(order):
        return np.mean([not words[a].isdisjoint(words[b])
                        for a, b in zip(order[first], order[second], strict=True)])
    return share, len(pairs), True


def _genres(ratings, items, facts, place):
    groups = _memberships(facts[facts["relation"] == "film_genre"], place)
    if "genres" not in items or not items["genres"].map(len).any() or not groups.shape[0]:
        return None
    genres = normalize(views.genres(ratings)[ratings.item_rows(items["item"])])
    lengths, sizes = (genres ** 2).sum(1), groups.getnnz(axis=1)
    pairs = (sizes * (sizes - 1)).sum()

    def mean_cosine(order):  # over all pairs of a group: the squared length of the group's sum
        return (((groups @ genres[order]) ** 2).sum() - (groups @ lengths[order]).sum()) / pairs
    return mean_cosine, int(pairs // 2), True


def _years(items, facts, place):
    people = _memberships(facts[facts["relation"].isin(PEOPLE)], place)
    if "year" not in items or items["year"].isna().all() or not people.shape[0]:
        return None
    year = items["year"].fillna(items["year"].median()).to_numpy(float)
    first, second = sp.triu(people.T @ people, 1).nonzero()

    def difference(order):
        return np.abs(year[order[first]] - year[order[second]]).mean()
    return difference, len(first), False


def _fame(ratings, items, facts):
    counts = ratings.ratings["item"].value_counts().reindex(items["item"], fill_value=0)
    popularity = stats.rankdata(counts)
    degree = stats.rankdata(facts["item"].value_counts().reindex(items["item"]))
    if not degree.std() or not popularity.std():
        return None
    return lambda order: np.corrcoef(degree, popularity[order])[0, 1], len(items), True


def _memberships(facts, place) -> sp.csr_matrix:
    """Return which items have each entity that two or more have, 0/1 ``(entities, items)``."""
    facts = facts.drop_duplicates(["item", "entity"])
    rows, entities = pd.factorize(facts["entity"])
    ones = sp.csr_matrix((np.ones(len(rows)), (rows, place.get_indexer(facts["item"]))),
                         shape=(len(entities), len(place)))
    return ones[ones.getnnz(axis=1) >= 2]


def _words(title) -> set[str]:
    words = re.findall(r"\w+", title.casefold()) if isinstance(title, str) else ()
    return {word for word in words if len(word) > 2 and word not in COMMON_WORDS}
