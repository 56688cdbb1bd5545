"""Checks of exercise sheet 02, and the broken shop of its last exercise."""

from __future__ import annotations

import functools
import re

import networkx as nx
import numpy as np
import pandas as pd

from coldrec.checks import CheckFailed, check, expect
from coldrec.checks.answers import brief, call, is_number
from coldrec.data import Ratings
from coldrec.evaluation import evaluate
from coldrec.graph import shop
from coldrec.models import ViewRidge
from coldrec.splits import item_cold
from coldrec.views import graph as graph_view

TRIPLE = ["head", "relation", "tail"]


# Exercise 1 ---------------------------------------------------------------------------------------

@check
def triples(answer):
    """Triples from a small table of products."""
    frame = pd.DataFrame([
        ("p01", "Kettlewick", ["Kitchen", "Tea"], None), ("p02", None, ["Tea"], "winter"),
        ("p04", "Tinmarrow", [], "summer"), ("p03", "Kettlewick", ["Tea", "Books", "Tea"], np.nan),
    ], columns=["item", "brand", "genres", "season"], index=[7, 2, 5, 3])
    found = _triples(answer, frame)
    texts = [value for column in TRIPLE for value in found[column]]
    expect(found[TRIPLE].notna().all(axis=None) and not any(
        str(tail).rpartition(":")[2].lower() in ("nan", "none", "") for tail in found["tail"]),
        "Some triples say that something is missing, such as ('product:p01', 'for_season', NaN). "
        "What isn't known is no fact: leave these rows out. (NaN is no text: as one it is 'nan'.)")
    odd = [text for text in texts if not isinstance(text, str)]
    expect(not odd, f"Heads, relations and tails have to be texts; of yours, {brief(odd[:1])} "
           "isn't.")
    listed = [tail for tail in found["tail"] if "[" in tail or "," in tail]
    expect(not listed, f"The tail {listed[:1]} is a whole list. Each of its values is a fact of "
           "its own: loop over the list, or use frame.explode('genres').")
    bare = [text for column in ("head", "tail") for text in found[column]
            if not re.match(r"\w+:.", text)]
    expect(not bare, f"The node {bare[:1]} has no type. Ids are 'type:name', so that a brand and "
           "a material with one name stay two nodes.")
    letters = [tail for tail in found["tail"] if len(tail.partition(":")[2]) == 1]
    expect(not letters, f"The tail {letters[:1]} is a single letter: who loops over a text gets "
           "its letters. Only genres is a list.")
    want = _facts_of(frame)
    for column, allowed in (("relation", {"has_brand", "has_genre", "for_season"}),
                            ("head", {f"product:{item}" for item in frame["item"]})):
        strange = sorted(set(found[column]) - allowed)
        expect(not strange, f"In the column {column} stands {brief(strange[:1])}; it may be "
               f"{', '.join(sorted(allowed))}.")
    kinds = {tail.partition(":")[0] for tail in found["tail"]}
    expect(kinds <= {"brand", "category", "season"}, "The types of your tails are "
           f"{', '.join(sorted(kinds))}; they may be brand, category, season. (A category is what "
           "the column genres lists.)")
    got = set(found[TRIPLE].itertuples(index=False, name=None))
    lost = sorted(want - got)
    expect(not lost, f"The triple {lost[:1]} is missing." + (
        " Do you leave out the whole product where one field is missing?"
        if lost and {fact[0] for fact in lost} & {"product:p02", "product:p04"} else ""))
    expect(got == want, f"The triple {sorted(got - want)[:1]} isn't in the table.")
    expect(len(found) == len(want), "A triple stands there twice: Tea is listed twice for p03, and "
           "a fact holds once. drop_duplicates() helps.")
    nothing = _triples(answer, frame[frame["item"] == "p04"].assign(brand=None, season=None))
    expect(nothing.empty, "Of a product without brand, genres and season nothing is known: no "
           "triples, but a frame with the three columns.")


def _triples(answer, frame):
    found = call(answer, frame)
    expect(isinstance(found, pd.DataFrame), f"You return a {type(found).__name__}. Wanted is a "
           "data frame: pd.DataFrame(rows, columns=['head', 'relation', 'tail']).")
    expect(list(found.columns) == TRIPLE, f"Your frame has the columns {list(found.columns)}. "
           "Wanted are head, relation, tail, in this order (an empty frame has them too: say "
           "columns=).")
    return found


def _facts_of(frame):
    facts = set()
    for row in frame.to_dict("records"):
        head = f"product:{row['item']}"
        facts |= {(head, "has_genre", f"category:{genre}") for genre in row["genres"]}
        facts |= {(head, relation, f"{field}:{row[field]}") for field, relation in
                  (("brand", "has_brand"), ("season", "for_season")) if pd.notna(row[field])}
    return facts


# Exercise 2 ---------------------------------------------------------------------------------------

@check
def sequel_audit(answer):
    """The share of sequels that share a word, and its permutation p-value."""
    _share(answer)
    _direction(answer)
    _deals(answer)


SEQUELS = [  # twelve pairs; those that share a word come first
    ("Harvest Road", "Harvest Moon"), ("Alien Dawn", "DAWN Returns"),
    ("Godfather, Part", "Godfather North"), ("Stalker: Zone", "Stalker Again"),
    ("Mud", "Quiet Mud Lake"), ("Ran", "Ran Away"), ("Ego Trip", "Big Ego"),
    ("Up in Smoke", "Up Hill"), ("Alien", "Aliens"), ("Rocket", "Rocketeer"),
    ("Blue Velvet", "Wild Hearts"), ("Brazil", "Tampopo")]


def _share(answer):
    titles = {7 * n + 3: title for n, title in enumerate(t for pair in SEQUELS for t in pair)}
    pairs = [(7 * n + 3, 7 * n + 10) for n in range(0, 24, 2)]
    items, facts = _catalogue({**titles, 500: "Metropolis", 501: "Metropolis Redux", 502: "Zardoz"},
                              pairs, others=[(500, 501)], abroad=[3, 10, 17], outside=[(24, 999)])
    got = _audited(answer, items, facts, 19)[0]

    def share(words=_words, pairs=pairs):
        title = dict(zip(items["item"], items["title"], strict=True))
        return np.mean([bool(words(title[a]) & words(title[b])) for a, b in pairs])

    right, known = share(), 12 * share()
    for hint, wrong in [
        ("You count a word of two letters, such as 'Up'. Only those of more than two count.",
         share(lambda t: set(re.findall(r"\w+", t.lower())))),
        ("'Dawn' and 'DAWN' are the same word: make everything lower case first.",
         share(lambda t: {w for w in re.findall(r"\w+", t) if len(w) > 2})),
        ("Signs stick to your words: in 'Godfather, Part' the first is 'Godfather', without the "
         "comma. re.findall(r'\\w+', title) finds words without them.",
         share(lambda t: {w for w in t.lower().split() if len(w) > 2})),
        ("You compare parts of words. 'Alien' and 'Aliens' are two words, and no common one.",
         share(lambda t: {w[i:i + 3] for w in _words(t) for i in range(len(w) - 2)})),
        ("You count words of more than three letters. 'Mud' has three, and is a word of more than "
         "two.", share(lambda t: {w for w in _words(t) if len(w) > 3})),
        ("You return the number of pairs. Divide it by the number of all pairs.", known),
        ("You count facts that aren't sequels. Take the rows with the relation 'sequel' only.",
         share(pairs=[*pairs, (500, 501)])),
        ("You count facts that aren't sequels. Take the rows with the relation 'sequel' only.",
         share(pairs=[*pairs, *pairs, (500, 501)])),
        ("You divide by all sequels, also those whose other film isn't in the catalogue. No title "
         "is known there: leave out the rows where `other` is missing or not in `items`.",
         known / 16),
        ("You divide by sequels whose other film isn't in `items`. No title is known there: leave "
         "them out.", known / 13),
    ]:
        expect(not np.isclose(got, wrong), hint)
    expect(np.isclose(got, right), f"Of these twelve pairs the first seven share a word, so "
           f"the share is {brief(right)}; you return {brief(got)}. {brief(SEQUELS)}")


def _direction(answer):
    """Look at p where it is known for certain: the smallest there is, and one."""
    names = ("Gorko", "Marrow", "Tindal", "Selk", "Orvan")
    family = {10 + n: f"{names[n // 3]} {('One', 'Duo', 'Tre')[n % 3]}" for n in range(15)}
    alone = {40 + n: f"Word{n} Other{n}" for n in range(21)}
    chain = [(n, n + 1) for n in range(10, 25) if n % 3 != 0]
    p = _audited(answer, *_catalogue(family | alone, chain), 99)[1]
    expect(p > 0, "All pairs share a word, no permutation comes near it, and your p is 0. The "
           "order that was found is one of the possible ones: p is (1 + as many) / (1 + "
           "permutations), and never 0.")
    expect(p < 0.5, f"All pairs share a word, which no permutation should reach, and your p is "
           f"{brief(p)}. Count the permutations with a share as large or *larger*; and see that "
           "they do change which film has which title.")
    expect(not np.isclose(p, 1 / 99), "You divide by the number of permutations. The real order "
           "counts above and below: (1 + as many) / (1 + permutations).")
    expect(np.isclose(p, 1 / 100), "No permutation comes near the real order, so p is 1 / (1 + 99) "
           f"= 0.01 for 99 permutations, and yours is {brief(p)}. p is (1 + as many) / (1 + "
           "permutations), for as many permutations as are asked for.")
    same = {n: f"Film Number{n}" for n in range(12)}
    p = _audited(answer, *_catalogue(same, [(0, 1), (2, 3)]), 99)[1]
    expect(np.isclose(p, 1), "All titles share a word, so every permutation does as well as the "
           f"real order, and p is 1; yours is {brief(p)}. Count those that are *as* large, too: "
           ">= and not >.")
    moons = {n: f"Moon Part{n}" for n in range(12)} | {20: "Sun", 21: "Star"}
    p = _audited(answer, *_catalogue(moons, [(20, 21)]), 99)[1]
    expect(np.isclose(p, 1), "No pair shares a word, so every permutation shares as much or more, "
           f"and p is 1; yours is {brief(p)}. The question has one side: too *few* common words "
           "are no sign of right links.")


def _deals(answer):
    """Look at how the permutations are made, with one pair among eight films."""
    titles = {n: f"Moon Part{n}" for n in (3, 5, 7, 9)} | {n: f"Word{n}" for n in (2, 4, 6, 8)}
    items, facts = _catalogue(titles, [(3, 5)])
    p = _audited(answer, items, facts, 1999)[1]
    expect(p < 0.9, "With one pair of sequels, p should be the chance that two films of the "
           f"catalogue share a word, 0.21 here; yours is {brief(p)}. To exchange the ends of the "
           "*pairs*, or the titles of the sequels alone, leaves one pair as it is: deal out the "
           "titles among all *items*.")
    expect(abs(p - 5 / 16) > 0.04, "You draw titles with replacement, so that two films can get "
           "the same one. A permutation gives each title once: rng.permutation.")
    expect(abs(p - 6 / 28) < 0.045, "With one pair of sequels, p should be near the chance that "
           f"two films of the catalogue share a word, 0.21 here; yours is {brief(p)}. Deal out the "
           "titles among all items, anew each time, and compare each share with the real one.")
    ps = {_audited(answer, items, facts, 199, seed)[1] for seed in range(4)}
    expect(len(ps) > 1, "Four generators give the same p to the last digit. Draw from the `rng` "
           "that is given, not from one of your own.")
    again = [_audited(answer, items, facts, 199, 5)[1] for _ in range(2)]
    expect(again[0] == again[1], "The same generator gives another p the second time. Draw from "
           "the `rng` that is given, and from nothing else.")


def _catalogue(titles, sequels, others=(), abroad=(), outside=()):
    """Return items in no order, and facts as ``known_facts`` gives them."""
    rng = np.random.default_rng(0)
    items = pd.DataFrame({"item": list(titles), "title": list(titles.values())})
    items = items.iloc[rng.permutation(len(items))]
    rows = [(a, "sequel", f"item:{b}", b) for a, b in sequels]
    rows += [(b, "sequel_of", f"item:{a}", a) for a, b in sequels]
    rows += [(a, "remake", f"item:{b}", b) for a, b in others]
    rows += [(a, "sequel", f"film:m.0{a}", np.nan) for a in abroad]
    rows += [(a, "sequel", f"item:{b}", b) for a, b in outside]
    rows += [(item, "director", f"person:m.{item % 3}", np.nan) for item in titles]
    facts = pd.DataFrame(rows, columns=["item", "relation", "entity", "other"])
    return items, facts.iloc[rng.permutation(len(facts))]


def _words(title):
    return {word for word in re.findall(r"\w+", title.lower()) if len(word) > 2}


def _audited(answer, items, facts, permutations, seed=0):
    pair = call(answer, items, facts, np.random.default_rng(seed), permutations)
    expect(isinstance(pair, (tuple, list)) and len(pair) == 2 and all(map(is_number, pair)),
           f"You return {brief(pair)}. Wanted are two numbers: return share, p.")
    share, p = map(float, pair)
    expect(0 <= p <= 1, f"Your p is {brief(p)}; a probability is from 0 to 1. Is it share first, "
           "then p, and is the number of permutations divided by their number?")
    return share, p


# Exercise 3 ---------------------------------------------------------------------------------------

LINKS = [  # (catalogue title, year), [(number, title, year) there], wanted, hint
    (("Solaris", 1972), [(7, "Solaris", 1972), (3, "Stalker", 1979)], 7,
     "Title and year are the same there: that is the film. The result is a dictionary {item: "
     "movie}."),
    (("Brief Encounter", 1945), [(7, "Encounter", 1945)], None,
     "'Encounter' is another film: compare the whole name, not a part of it."),
    (("SOLARIS", 1972), [(7, "Solaris", 1972)], 7, "Upper and lower case don't matter."),
    (("Dr. Strangelove: Or How", 1963), [(7, "Dr Strangelove, or How", 1963)], 7,
     "Signs don't matter: take letters and digits only, re.findall(r'\\w+', title)."),
    (("Usual Suspects, The", 1995), [(7, "The Usual Suspects", 1995)], 7,
     "'Usual Suspects, The' is 'The Usual Suspects': drop the article in front, and the one that "
     "stands last behind a comma."),
    (("Plan A", 1990), [(7, "Plan, The", 1990)], None,
     "'Plan A' isn't 'The Plan': a last word is an article only behind a comma."),
    (("Mother", 1996), [(7, "Mor", 1996)], None, "You cut 'the' out of the middle of 'Mother'. An "
     "article is a whole word, in front or behind the last comma."),
    (("Beauty and the Beast", 1991), [(7, "Beauty & the Beast", 1991)], 7, "'&' is 'and'."),
    (("Shanghai Triad (Yao a yao)", 1995), [(7, "Shanghai Triad", 1995)], 7,
     "What stands in brackets is another name of the film. Without it, its first name is "
     "'Shanghai Triad'."),
    (("Postino, Il (The Postman)", 1994), [(7, "Postman, The", 1994)], 7,
     "What stands in brackets is a name of its own, with its own article."),
    (("Wings of Desire", 1987), [(7, "Himmel (Wings of Desire)", 1987)], 7,
     "The other set has names in brackets, too."),
    (("Stalker", 1979), [(7, "Stalker", 1980)], 7,
     "A year more or less is the same film: the two sets date some by festival, some by cinema."),
    (("Stalker", 1979), [(7, "Stalker", 1978)], 7,
     "A year more or less is the same film, in both directions: use abs."),
    (("Stalker", 1979), [(7, "Stalker", 1981)], None, "Two years apart is another film."),
    (("Stalker", 1979), [(7, "Stalker", 1977)], None,
     "Two years apart is another film, in both directions: use abs."),
    (("Cape Fear", 1991), [(3, "Cape Fear", 1991), (7, "Cape Fear", 1962)], 3,
     "Cape Fear stands there with 1962 and 1991: these are two films, and the year says which."),
    (("Emma", 1996), [(7, "Emma", 1995), (3, "Emma", 1996), (5, "Emma", 1997)], 3,
     "One has the same year and two are a year off: the nearest is the film, and not ambiguous."),
    (("Emma", 1996), [(7, "Emma", 1996), (3, "Emma", 1996)], None,
     "Two films have the same title and year: which it is can't be known, so leave it out. A "
     "wrong link is worse than none."),
    (("Emma", 1996), [(7, "Emma", 1995), (3, "Emma", 1997)], None,
     "One film is a year early and one a year late: which it is can't be known, so leave it out."),
    (("Kolya (Kolja)", 1996), [(7, "Kolya (Kolja)", 1996)], 7,
     "Both names of Kolya (Kolja) agree, and it is still one film: count films, not names, before "
     "you call it ambiguous."),
    (("Kolya (Emma)", 1996), [(7, "Kolya", 1996), (3, "Emma", 1996)], None,
     "One film has the first name and another the name in brackets, in the same year: which it is "
     "can't be known, so leave it out."),
    (("Nikita", np.nan), [(7, "Nikita", 1990)], None,
     "Without a year it can't be known which film it is: leave it out."),
]


@check
def relink(answer):
    """Items to the movies of another set, by title and year."""
    for (title, year), there, wanted, hint in LINKS:
        items = pd.DataFrame({"item": [50], "title": [title], "year": [year]}, index=[4])
        movies = pd.DataFrame(there, columns=["movie", "title", "year"], index=range(9, 9 + len(
            there)))
        found = _linked(answer, items, movies)
        want = {} if wanted is None else {50: wanted}
        expect(found == want, f"{hint} (For {title!r}, {year}, and {brief(there)} you return "
               f"{brief(found)}; it should be {want}.)")
    items = pd.DataFrame({"item": [4, 6], "title": ["Hugo Pool", "Hugo Pool"], "year": 1997})
    movies = pd.DataFrame({"movie": [88], "title": ["Hugo Pool"], "year": [1997]})
    expect(_linked(answer, items, movies) == {4: 88, 6: 88}, "The catalogue has Hugo Pool under "
           "two ids, and both are the one film there: neither is ambiguous. Look up each item.")
    rng = np.random.default_rng(0)
    items, movies, want = _two_sets()
    for _ in range(3):
        found = _linked(answer, items.iloc[rng.permutation(len(items))],
                        movies.iloc[rng.permutation(len(movies))])
        wrong = sorted({*found.items()} ^ {*want.items()})
        expect(not wrong, "All cases together, in another order of the rows: the links "
               f"{wrong[:2]} are in yours or in the right ones, not in both. Does the index of a "
               "frame, or the order of its rows, matter to your function?")


def _linked(answer, items, movies):
    found = call(answer, items, movies)
    expect(isinstance(found, dict), f"You return a {type(found).__name__}. Wanted is a dictionary "
           "{item: movie}.")
    missing = [item for item, movie in found.items() if movie is None or movie != movie]
    expect(not missing, f"Your dictionary has the items {missing[:2]} without a movie. Leave them "
           "out.")
    plain = all(is_number(value) and np.isfinite(float(value)) for link in found.items()
                for value in link)
    expect(plain, f"Your dictionary is {brief(found)}: its keys should be the numbers in the "
           "column item, its values those in the column movie, one for each item.")
    return {int(item): int(movie) for item, movie in found.items()}


def _two_sets():
    """Return all cases in one catalogue, each in a century of its own."""
    rows, there, want = [], [], {}
    for n, ((title, year), movies, wanted, _) in enumerate(LINKS):
        rows.append((100 + n, title, year + 100 * n))
        there += [(1000 + 10 * n + number, name, when + 100 * n) for number, name, when in movies]
        if wanted is not None:
            want[100 + n] = 1000 + 10 * n + wanted
    return (pd.DataFrame(rows, columns=["item", "title", "year"]),
            pd.DataFrame(there, columns=["movie", "title", "year"]), want)


# Exercise 4 ---------------------------------------------------------------------------------------

GROUPS = {"people": ["director", "actor"], "awards": ["award_won"], "studio": ["studio"]}


@check
def ablate(answer):
    """Recall of each group of relations alone, and of all the others."""
    ratings, kg, splits = _film_world()
    for known in ("release", "all"):
        got = call(answer, ratings, kg, GROUPS, splits, known)
        expect(isinstance(got, pd.DataFrame), f"You return a {type(got).__name__}. Wanted is a "
               "data frame with a row per group.")
        expect(list(got.columns) == ["alone", "without"], "Your frame has the columns "
               f"{list(got.columns)}. Wanted are alone, without.")
        expect(list(got.index) == list(GROUPS), f"The index of your frame is {list(got.index)}. "
               f"Wanted are the names of the groups, {list(GROUPS)}.")
        strange = [value for value in got.to_numpy().ravel() if not is_number(value)]
        expect(not strange, f"Your frame has {brief(strange[:1])} in it; wanted are numbers. "
               "cr.evaluate(...)['recall'] is one.")
        if not _agree(got, _ablation(known)):
            for hint, options in [
                ("You use everything, whatever `known` says. Hand it to cr.views.graph.",
                 {"regime": "all"}),
                ("You use what is known at release, whatever `known` says. Hand it to "
                 "cr.views.graph.", {"regime": "release"}),
                ("You use what was known before the ratings began, whatever `known` says. Hand it "
                 "to cr.views.graph.", {"regime": "before"}),
                ("Your columns are exchanged: 'alone' is the group's own relations, 'without' all "
                 "others.", {"swap": True}),
                ("Your two columns are the same. For 'without', keep the relations of all *other* "
                 "groups.", {"rest": "same"}),
                ("Your 'without' leaves nothing out: it has all relations. Keep those of the other "
                 "groups only.", {"rest": "all"}),
                ("Your 'without' has relations that are in no group. Keep those of the other "
                 "groups only.", {"rest": "graph"}),
                ("Your 'without' says how much is lost. Wanted is the recall that is left.",
                 {"loss": True}),
                ("You measure on the first split only. Take the mean over all of them.",
                 {"over": "first"}),
                ("You measure on the last split only. Take the mean over all of them.",
                 {"over": "last"}),
                ("You add up the recalls of the splits. Take their mean.", {"over": "sum"}),
                ("You teach the ridge what EASE says. Leave targets as it is, likes: it is "
                 "quicker.", {"targets": "ease"}),
                ("You take only one relation of each group. Hand all of the group's to "
                 "cr.views.graph, which takes a list.", {"first_relation": True}),
            ]:
                expect(not _agree(got, _ablation(known, **options)), hint)
            want = _ablation(known)
            expect(known != "release" or np.isnan(got.at["awards", "alone"]), "On the day of "
                   "release nothing is known of awards, so the view has no column (view.shape[1] "
                   f"is 0), and 'alone' is NaN; yours is {brief(got.at['awards', 'alone'])}.")
            off = ~np.isclose(got.to_numpy(float), want.to_numpy(), atol=1e-6, equal_nan=True)
            row, column = np.argwhere(off)[0]
            expect(False, f"With known={known!r}, the recall of {want.index[row]!r}, "
                   f"{want.columns[column]!r} should be {brief(want.iat[row, column])}, and yours "
                   f"is {brief(got.iat[row, column])}. It is the mean over the splits of "
                   "cr.evaluate(model, split, k=20)['recall'], with ViewRidge on one view, fitted "
                   "on split.train.")
    one = call(answer, ratings, kg, {"people": GROUPS["people"]}, splits, "all")
    expect(np.isnan(one["without"].iloc[0]), "With one group there is nothing without it: the view "
           f"has no column, and the figure is NaN; yours is {brief(one['without'].iloc[0])}.")


def _agree(got, want):
    return np.allclose(got.to_numpy(float), want.to_numpy(float), atol=1e-6, equal_nan=True)


@functools.cache
def _film_world():
    """Return ratings of 50 users and 120 films whose people, studios and awards mean something."""
    rng = np.random.default_rng(4)
    n = 120
    director, actor, studio = (rng.integers(0, k, n) for k in (15, 20, 6))
    taste = rng.normal(size=(3, 50, 20))
    good = rng.random(n) < 0.3
    wish = (taste[0][:, director] + 0.7 * taste[1][:, actor] + 0.5 * taste[2][:, studio]
            + 0.8 * good + rng.normal(size=(50, n)))
    user, item = np.nonzero(wish > 1.0)
    ratings = pd.DataFrame({"user": user, "item": item + 200, "rating": 4 + (user + item) % 2})
    year = 1990 + rng.integers(0, 9, n)
    items = pd.DataFrame({"item": np.arange(n) + 200, "title": [f"Film {k}" for k in range(n)],
                          "year": year.astype(float)})
    graph = nx.MultiDiGraph(item="item")
    for k in range(n):
        graph.add_node(f"item:{k + 200}", type="item", label=f"Film {k}")
        ends = [("director", f"person:m.d{director[k]}"), ("actor", f"person:m.a{actor[k]}"),
                ("studio", f"studio:m.s{studio[k]}"), ("language", f"language:m.l{k % 2}")]
        ends += [("award_won", f"award:m.w{k % 3}")] * bool(good[k])
        for relation, end in ends:
            graph.add_node(end, type=end.partition(":")[0])
            graph.add_edge(f"item:{k + 200}", end, key=relation)
    ratings = Ratings.from_frames(ratings, items)
    return ratings, graph, [item_cold(ratings, 0.3, seed=seed) for seed in range(2)]


@functools.cache
def _ablation(known, regime=None, swap=False, rest="others", loss=False, over="mean",
              targets="likes", first_relation=False):
    """Return the right frame; the options make the likely mistakes."""
    regime = regime or known
    table = {}
    everything = tuple(r for names in GROUPS.values() for r in names)
    for group, names in GROUPS.items():
        own = tuple(names[:1] if first_relation else names)
        others = tuple(r for other in GROUPS if other != group for r in GROUPS[other])
        left = {"others": others[:1] if first_relation else others, "same": own, "all": everything,
                "graph": tuple(r for r in (*everything, "language") if r not in own)}[rest]
        alone, without = (_recall(regime, relations, targets, over) for relations in (own, left))
        if loss:
            without = _recall(regime, everything, targets, over) - without
        table[group] = (without, alone) if swap else (alone, without)
    return pd.DataFrame(table, index=["alone", "without"]).T


@functools.cache
def _recall(known, relations, targets, over):
    ratings, kg, splits = _film_world()
    view = graph_view(ratings, kg, known=known, relations=list(relations))
    if not view.shape[1]:
        return float("nan")
    found = [evaluate(ViewRidge({"graph": view}, targets=targets).fit(split.train), split)["recall"]
             for split in splits]
    return {"mean": np.mean, "sum": np.sum, "first": lambda f: f[0],
            "last": lambda f: f[-1]}[over](found)


# Exercise 5 ---------------------------------------------------------------------------------------

def planted_shop(seed: int = 0) -> nx.MultiDiGraph:
    """Return the shop's graph with errors of two kinds; another seed, other errors.

    The first kind is the lesson's: the brands and materials of some products have changed places.
    The second is for the reader to find.
    """
    return _planted(seed)[0]


def _planted(seed, first=True, second=True, silent=0.0, rename=False):
    """Return the graph, its wrong edges of the first kind, and those of the second.

    ``silent`` is the share of ratings that lose their review. ``rename`` gives the products each
    other's ids and leaves a third of the users out, so that no comparison with the shop in
    ``data/shop`` is of use.
    """
    rng = np.random.default_rng(seed)
    graph = shop()
    if rename:
        users = sorted(node for node in graph if node.startswith("user:"))
        gone = set(rng.permutation(users)[: len(users) // 3])
        gone |= {review for user in gone for review in graph.successors(user)
                 if review.startswith("review:")}
        graph.remove_nodes_from(gone)
        products = sorted(node for node in graph if node.startswith("product:"))
        graph = nx.relabel_nodes(graph, dict(zip(products, rng.permutation(products).tolist(),
                                                 strict=True)))
    reviews = sorted((node for node in graph if node.startswith("review:")),
                     key=lambda node: int(node.partition(":")[2]))
    if silent:
        for review in rng.permutation(reviews)[: round(silent * len(reviews))]:
            graph.remove_node(review)
            reviews.remove(review)
    one = _swap_facts(graph, rng) if first else set()
    other = _move_reviews(graph, reviews, rng) if second else set()
    return graph, one, other


def _swap_facts(graph, rng):
    wrong = set()
    for relation in ("has_brand", "made_of"):
        edges = sorted((head, tail) for head, tail, key in graph.edges(keys=True)
                       if key == relation)
        chosen = [edges[n] for n in rng.permutation(len(edges))[:8]]
        tails = np.roll([tail for _, tail in chosen], 1).tolist()
        for (head, tail), new in zip(chosen, tails, strict=True):
            graph.remove_edge(head, tail, key=relation)
            graph.add_edge(head, new, key=relation)
            if new != tail:
                wrong.add((head, relation, new))
    return wrong


def _move_reviews(graph, reviews, rng):
    """Let a run of reviews be about the next product that their author hasn't rated."""
    products = sorted(node for node in graph if node.startswith("product:"))
    start, length = rng.integers(0, len(reviews) - 24), rng.integers(12, 24)
    wrong = set()
    for review in reviews[start:start + length]:
        (author,), (product,) = graph.predecessors(review), graph.successors(review)
        place = products.index(product)
        new = next(p for p in products[place + 1:] + products[:place]
                   if not graph.has_edge(author, p, key="rated"))
        graph.remove_edge(review, product, key="about")
        graph.add_edge(review, new, key="about")
        wrong.add((review, "about", new))
    return wrong


@check
def second_kind(answer):
    """Wrong edges of the second kind in several broken shops."""
    for seed in (11, 12):
        graph, first, second = _planted(seed, rename=True)
        _exactly(_edges(answer, graph), graph, first, second)
    for first in (True, False):
        graph, wrong, _ = _planted(13, first=first, second=False, rename=True)
        found = _edges(answer, graph)
        _not_the_first(found, wrong)
        expect(not found, "In a shop without errors of the second kind you find "
               f"{len(found)} of them, such as {sorted(found)[:1]}. There the set is empty: does "
               "your rule hold for every edge of a good shop?")
    graph, first, second = _planted(14, silent=0.3, rename=True)
    found = _edges(answer, graph)
    _exactly(found, graph, first, second, " Here some ratings come without a review, which is no "
             "error: numbers of edges need not be equal, so look at each review on its own.")


def _edges(answer, graph):
    found = call(answer, graph)
    expect(isinstance(found, (set, frozenset)), f"You return a {type(found).__name__}. Wanted is a "
           "set of triples; an empty one is set(), as {} is a dictionary.")
    expect(all(isinstance(edge, tuple) and len(edge) == 3 and all(isinstance(p, str) for p in edge)
               for edge in found), f"Your set has {brief(next(iter(found), None))}. Wanted are "
           "triples of texts, (head, relation, tail).")
    there = {(head, key, tail) for head, tail, key in graph.edges(keys=True)}
    strange = sorted(found - there)
    if strange:
        head, middle, tail = strange[0]
        expect(not graph.has_edge(head, middle, key=tail), f"Your set has {strange[0]}: wanted is "
               "(head, relation, tail), with the relation in the middle. networkx gives it last.")
        expect(not graph.has_edge(tail, head, key=middle), f"Your set has {strange[0]}, which "
               "stands there the other way round. Head first, as in the graph.")
        raise CheckFailed(f"Your set has {strange[0]}, and the graph has no such edge. Return the "
                          "wrong edges that are there, not the right ones that should be; and "
                          "don't compare with cr.graph.shop(), the check's shops have other users.")
    return found


def _not_the_first(found, first):
    expect(not found & first, f"Your set has {sorted(found & first)[:1]}. Brands and materials are "
           "the first kind, which is the lesson's. The second is in another relation.")


def _exactly(found, graph, first, second, note=""):
    _not_the_first(found, first)
    extra, lost = found - second, second - found
    expect(found or not second, f"There are {len(second)} wrong edges of the second kind, and you "
           "find none. Read some reviews beside the title of what they are about, and ask who "
           f"wrote them.{note}")
    for edge in sorted(extra):
        why = {"about": None,
               "wrote": "The review is wrong, but not who wrote it: no person has more reviews "
                        "than ratings. Which edge of the review leads to where it can't be?",
               "rated": "The ratings are right, also those that miss their review: that review is "
                        "still there, and leads somewhere else."
               }.get(edge[1], "This relation is in order.")
        expect(why is None, f"Your set has {edge}. {why}{note}")
    about = [(head, key, tail) for head, tail, key in graph.edges(keys=True) if key == "about"]
    products = {edge[2] for edge in found}
    whole = found == {edge for edge in about if edge[2] in products} and len(found) < len(about)
    expect(not (extra and whole), f"You name all reviews of {len(products)} products, "
           f"{len(extra)} right ones among them. The numbers of edges say that something is wrong "
           f"there; which edge it is, you learn from each review's author.{note}")
    expect(not extra, f"You name {len(found)} edges, and {len(extra)} of them are right, such as "
           f"{sorted(extra)[:1]}.{note}")
    expect(not lost, f"You find {len(found)} of {len(second)} wrong edges of the second kind, and "
           f"miss for instance {sorted(lost)[:1]}.{note}")
