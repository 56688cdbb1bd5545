"""Checks of exercise sheet 01."""

from __future__ import annotations

import functools
import math
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from coldrec.checks import CheckFailed, check, check_class, expect
from coldrec.checks.answers import brief, call, compare, fits, is_number
from coldrec.data import Ratings
from coldrec.splits import item_cold

NOT_DEFINED = "Where nothing is relevant there is nothing to find: return NaN"
FIRST = 880_000_000  # the time of the first rating, in seconds since 1970


@check
def recall_at_k(answer):
    """Recall at k of one user's list."""
    compare(answer, _lists(), _recall, [
        ("You divide by k: that is precision. Recall divides by the number of relevant items.",
         lambda ranked, relevant, k: _hits(ranked, relevant, k) / k),
        ("You divide by the smaller of k and the number of relevant items, as some libraries do. "
         "Here recall divides by the number of relevant items, whatever k is.",
         lambda ranked, relevant, k: _hits(ranked, relevant, k) / min(k, len(relevant))),
        ("You divide by the smaller of the places and the number of relevant items. Here recall "
         "divides by the number of relevant items, whatever k is.",
         lambda ranked, relevant, k: _hits(ranked, relevant, k)
         / min(len(ranked[:k]), len(relevant))),
        ("You divide by no more than the list is long. A short list finds less, and its recall is "
         "smaller: divide by the number of relevant items.",
         lambda ranked, relevant, k: _hits(ranked, relevant, k)
         / min(len(ranked), len(relevant))),
        ("You divide by the relevant items that are in the ranking. Those that are missing there "
         "count, too.", lambda ranked, relevant, k: _hits(ranked, relevant, k)
         / max(1, _hits(ranked, relevant, len(ranked)))),
        ("You count hits in the whole list. Only its first k places count.",
         lambda ranked, relevant, k: _recall(ranked, relevant, len(ranked))),
        ("You return the number of hits. Divide it by the number of relevant items.", _hits),
        ("You return whether there is a hit at all: that is the hit rate.",
         lambda ranked, relevant, k: _hits(ranked, relevant, k) > 0),
        ("You count one place too many: the first k places are ranked[:k].",
         lambda ranked, relevant, k: _recall(ranked, relevant, k + 1)),
        ("You count one place too few: the first k places are ranked[:k].",
         lambda ranked, relevant, k: _recall(ranked, relevant, k - 1)),
    ])
    _undefined(answer)


@check
def ndcg_at_k(answer):
    """NDCG at k of one user's list."""
    try:
        with np.errstate(all="ignore"):
            got = call(answer, ["a", "b", "c"], {"a"}, 3)
            finite = not isinstance(got, float) or np.isfinite(got)
    except ZeroDivisionError:
        finite = False
    expect(finite, "The first place counts 1 / log2(1 + 1) = 1. With you it divides by log2(1), "
           "which is zero: ranks begin at 1, and 1 is added before the logarithm is taken.")
    bases = ("Your two sums have logarithms of different bases. Any base will do, as it cancels, "
             "but it has to be the same above and below (math.log is the natural logarithm).")
    first_k = "You sum over the whole list. Only its first k places count."
    compare(answer, _lists(), _ndcg, [
        ("You return the DCG. Divide it by that of the best possible list.", _dcg),
        ("You discount by 1 / rank. NDCG discounts by 1 / log2(rank + 1).",
         _another_ndcg(lambda rank: 1 / rank)),
        ("You don't discount. A hit at rank r counts 1 / log2(r + 1).",
         _another_ndcg(lambda rank: 1)),
        ("Your discount is one place off: it is 1 / log2(r + 1) with ranks from 1, or "
         "1 / log2(r + 2) with positions from 0.",
         _another_ndcg(lambda rank: 1 / math.log2(rank + 2))),
        ("You discount by log2(r) from the second place on, an older form. Here the discount is "
         "1 / log2(r + 1) from the first place on.",
         _another_ndcg(lambda rank: 1 / max(1, math.log2(rank)))),
        ("Your best possible list holds only the relevant items that *were found*. It holds as "
         "many as there are (at most k), or a list that misses half gets full marks.",
         _another_ndcg(_usual, lambda ranked, relevant, k: _hits(ranked, relevant, k))),
        ("Your best possible list is no longer than the list given. The best list of k has "
         "min(k, len(relevant)) hits, however short the list given is.",
         _another_ndcg(_usual, lambda ranked, relevant, k: min(k, len(relevant), len(ranked)))),
        ("Your best possible list holds only the relevant items that are in the ranking. Those "
         "that are missing there count, too.", _another_ndcg(
             _usual, lambda ranked, relevant, k: min(k, _hits(ranked, relevant, len(ranked))))),
        ("Your best possible list always has k hits. There can't be more hits than relevant "
         "items: it has min(k, len(relevant)).", _another_ndcg(_usual, lambda *case: case[2])),
        ("Your best possible list holds all relevant items. A list of k has room for k: it has "
         "min(k, len(relevant)) hits.",
         _another_ndcg(_usual, lambda ranked, relevant, k: len(relevant))),
        ("Your two sums begin at different ranks. Both begin with 1 / log2(1 + 1).",
         lambda ranked, relevant, k: sum(1 / math.log2(place + 2) for place, item in
                                         enumerate(ranked[:k], 1) if item in relevant)
         / _dcg(sorted(relevant), relevant, k)),
        (first_k, lambda ranked, relevant, k: _ndcg(ranked, relevant, len(ranked))),
        (first_k, lambda ranked, relevant, k: _dcg(ranked, relevant, len(ranked))
         / _dcg(sorted(relevant), relevant, len(relevant))),
        (first_k, lambda ranked, relevant, k: _dcg(ranked, relevant, len(ranked))
         / _dcg(sorted(relevant), relevant, k)),
        (bases, lambda *case: _ndcg(*case) * math.log(2)),
        (bases, lambda *case: _ndcg(*case) / math.log(2)),
        ("You divide by k. Divide by the DCG of the best possible list.",
         lambda ranked, relevant, k: _dcg(ranked, relevant, k) / k),
        ("You divide by the number of relevant items. Divide by the DCG of the best possible list.",
         lambda ranked, relevant, k: _dcg(ranked, relevant, k) / len(relevant)),
    ])
    _undefined(answer)


def _lists():
    """Return (ranked, relevant, k): some small ones, some with little and some with much liked.

    In some the list is shorter than k, and in some a relevant item isn't in the list at all.
    """
    cases = [(["a", "b", "c"], {"a"}, 1), (["a", "b", "c"], {"b", "c"}, 2),
             (["a", "b", "c", "d"], {"a", "c", "d"}, 2), (["a", "b", "c", "d"], {"d"}, 3),
             (["a"], {"a", "b"}, 2), (["a", "b"], {"b", "c", "d"}, 5),
             (["a", "b", "c"], {"b", "x"}, 2)]
    rng = np.random.default_rng(0)
    for _ in range(30):
        ranked = rng.permutation(100)[: rng.integers(8, 15)].tolist()
        some = rng.permutation(ranked)[: rng.integers(1, 8)].tolist()
        cases.append((ranked, set(some), int(rng.integers(1, 8))))
    return cases


def _hits(ranked, relevant, k):
    return sum(item in relevant for item in ranked[:k])


def _recall(ranked, relevant, k):
    return sum(item in ranked[:k] for item in relevant) / len(relevant)


def _dcg(ranked, relevant, k):
    places = [ranked.index(item) + 1 for item in relevant if item in ranked]
    return sum(1 / math.log2(place + 1) for place in places if place <= k)


def _ndcg(ranked, relevant, k):
    best = sorted(relevant)  # the best list: what is relevant, in front
    return _dcg(ranked, relevant, k) / _dcg(best, relevant, k)


def _usual(rank):
    return 1 / math.log2(rank + 1)


def _another_ndcg(discount, ideal=lambda ranked, relevant, k: min(len(relevant), k)):
    """Return an NDCG with another discount of a rank, or another ideal number of hits."""
    def wrong(ranked, relevant, k):
        gain = sum(discount(r) for r, item in enumerate(ranked[:k], 1) if item in relevant)
        best = sum(discount(r) for r in range(1, ideal(ranked, relevant, k) + 1))
        return gain / best if best else 0.0
    return wrong


def _undefined(answer):
    try:
        got = call(answer, ["a", "b"], set(), 2,
                   nothing=f"{NOT_DEFINED}, float('nan'). You return None there.")
    except ZeroDivisionError:
        raise CheckFailed(f"{NOT_DEFINED}, instead of dividing by zero.") from None
    expect(is_number(got) and np.isnan(got), f"{NOT_DEFINED}, not {brief(got)}. (A number "
           "would count in the mean over users, for people whom no list could please.)")


@check
def film_groups(answer):
    """Which items are one film under several ids."""
    rows = [("alien", "Alien", 1979), ("solaris", "Solaris", 1972), ("alien2", "Alien", 1979),
            ("remake", "Solaris", 2002), ("shout", "ALIEN", 1979), ("space", " Alien ", 1979),
            ("nameless", None, 1979), ("nameless2", None, 1979),
            ("timeless", "Stalker", np.nan), ("timeless2", "Stalker", np.nan),
            ("dated", "Stalker", 1979)]
    items = pd.DataFrame(rows, columns=["item", "title", "year"])
    group = _labels(answer, items)

    def together(a, b):
        return group[a] == group[b]

    expect(not together("alien", "remake"), "All items are in one group, or you compare something "
           "else than title and year.")
    expect(not together("solaris", "remake"), "Solaris (1972) and Solaris (2002) are in one group: "
           "a remake is another film. Compare the year, too.")
    expect(not together("alien", "dated"), "Alien and Stalker of one year are in one group. "
           "Compare the title, too.")
    expect(not together("alien", "nameless"), "Alien is in a group with an item of the same year "
           "that has no title. A missing title isn't like any other.")
    expect(together("alien", "alien2"), "Alien (1979) stands there twice, and its two ids are in "
           "different groups. Same title and year: same group.")
    expect(together("alien", "shout"), "'Alien' and 'ALIEN' of one year are one film. Ignore upper "
           "and lower case.")
    expect(together("alien", "space"), "'Alien' and ' Alien ' of one year are one film. Strip the "
           "spaces around the title.")
    expect(not together("nameless", "nameless2"), "Two items without a title are in one group. "
           "Nothing is known of them, so each has a group of its own.")
    expect(together("timeless", "timeless2"), "Stalker stands there twice without a year, and its "
           "two ids are in different groups. NaN isn't equal to NaN: say so (groupby has "
           "dropna=False), or put a value in its place.")
    expect(not together("timeless", "dated"), "Stalker without a year and Stalker (1979) are in "
           "one group. A missing year equals a missing year only.")
    _other_films(answer)
    rng = np.random.default_rng(0)
    for _ in range(5):
        n = 25
        titles = rng.choice(["Up", "up", "Her ", "Her", "Ran", None], n)
        years = rng.choice([1985, 2009, np.nan], n)
        items = pd.DataFrame({"item": rng.permutation(100)[:n], "title": titles, "year": years},
                             index=rng.permutation(n))
        group = _labels(answer, items)
        for one, other in combinations(items.itertuples(), 2):
            same = (isinstance(one.title, str) and isinstance(other.title, str)
                    and one.title.lower().strip() == other.title.lower().strip()
                    and (one.year == other.year or np.isnan(one.year) and np.isnan(other.year)))
            expect((group[one.item] == group[other.item]) == same,
                   f"Items {one.item} and {other.item}, {one.title!r} ({one.year}) and "
                   f"{other.title!r} ({other.year}), should {'' if same else 'not '}be in one "
                   "group. (This table's rows have a shuffled index: don't rely on it.)")


def _other_films(answer):
    """Ask about titles that are nearly the same, and about films with odd names."""
    for (title, year), (other, then), hint in (
        (("Alien", 1986), ("Aliens", 1986), "one begins like the other. Compare the whole title."),
        (("Alien 2", 1986), ("Alien 3", 1986), "a digit differs, and it belongs to the title."),
        (("Se7en", 1995), ("Seven", 1995), "titles that look alike aren't the same."),
        (("Up", 2009), ("U P", 2009), "spaces inside a title count. Strip those around it only."),
        (("MASH", 1970), ("M*A*S*H", 1970), "signs belong to the title. Don't take them out."),
        (("Alien", 1992), ("Alien³", 1992), "a ³ belongs to the title. Don't take out what isn't "
         "plain ASCII."),
        (("Alien3", 1992), ("Alien³", 1992), "3 and ³ are different signs. Change nothing but "
         "capitals and the spaces around the title."),
        (("Rose", 2011), ("Rosé", 2011), "e and é are different letters."),
        (("生きる", 1952), ("羅生門", 1952), "don't take out what isn't plain ASCII: of such "
         "titles nothing is left."),
        (("Ran", 1985), ("Ran", 1986), "the years differ, if only by one."),
        (("Room1", 988), ("Room", 1988), "title and year glued together read 'room1988' for both. "
         "Group by the two columns, or put a sign in between that no title has."),
    ):
        group = _labels(answer, pd.DataFrame({"item": [1, 2], "title": [title, other],
                                              "year": [year, then]}))
        expect(group[1] != group[2], f"{title!r} ({year}) and {other!r} ({then}) are in one group: "
               f"{hint}")
    for title in ("Nan", "None"):
        items = pd.DataFrame({"item": [1, 2, 3], "title": [title, title, None], "year": 1979})
        group = _labels(answer, items)
        expect(group[1] == group[2] and group[1] != group[3], f"You take a film called {title!r} "
               "for one without a title, or the other way round. Ask isna() of the titles as they "
               "are given, before they are made into text.")


def _labels(answer, items):
    """Return the answer's Series after looking at its form."""
    group = call(answer, items)
    expect(isinstance(group, pd.Series), f"You return a {type(group).__name__}. Wanted is a Series "
           "with one label per item; its index is the item ids.")
    expect(group.index.is_unique and len(group) == len(items),
           f"There are {len(group)} labels for {len(items)} items. Every item gets one, whether it "
           "has a twin or not. (groupby leaves out rows with a missing title or year.)")
    expect(set(group.index) == set(items["item"]),
           f"The index of your Series is {brief(list(group.index)[:3])}, and so on. It has to be "
           "the item ids.")
    expect(group.notna().any(), "All labels are NaN. pd.Series(labels, index=ids) looks the ids up "
           "where the labels are a Series already: give it labels.to_numpy().")
    expect(group.notna().all(), f"The items {brief(list(group.index[group.isna()]))} have the "
           "label NaN. Give every item a label, also where title or year is missing.")
    return group


@check
def item_cold_split(answer):
    """An item-cold split, with groups or without."""
    rng = np.random.default_rng(0)
    ratings = _uneven_ratings(rng)
    n_items, fraction = ratings["item"].nunique(), 0.25
    wanted = round(fraction * n_items)
    train, test = _two_frames(answer, ratings, fraction, 0)
    _no_leak(ratings, train, test)
    n_cold = test["item"].nunique()
    expect(n_cold != n_items - wanted, f"{n_cold} of {n_items} items are in the second frame, and "
           f"the fraction is {fraction}. Return train first, then test.")
    expect(n_cold == wanted, f"With {n_items} rated items and the fraction {fraction}, {wanted} "
           f"should be cold; with you it is {n_cold}. Draw each item once, and draw items, not "
           "ratings.")
    again = _two_frames(answer, ratings, fraction, 0)[1]
    expect(set(again["item"]) == set(test["item"]), "The same seed gives another split the second "
           "time. Draw with np.random.default_rng(seed), or with sample(..., random_state=seed).")
    for other in (0.16, 0.19):
        n_cold, due = len(_cold(answer, ratings, other, 0)), round(other * n_items)
        expect(n_cold == due, f"With {n_items} rated items and the fraction {other}, {due} should "
               f"be cold, and with you it is {n_cold}. Take round(fraction * number of items).")
    few = _uneven_ratings(rng, 20)
    drawn = _draw_often(answer, few)
    counts = few["item"].value_counts()
    mean = np.mean([counts[list(items)].mean() for items in drawn])
    error = counts.std() / np.sqrt(sum(map(len, drawn)))
    expect(abs(mean - counts.mean()) < 5 * error,
           f"Over many seeds, your cold items have {mean:.1f} ratings on average, and all items "
           f"{counts.mean():.1f}: you don't draw all items with the same chance. Draw from the "
           "list of different items, not from the rows of the ratings.")
    _same_chance(drawn, counts.index)

    _keeps_groups(answer, ratings, fraction, rng)
    pairs = pd.Series(np.arange(20) // 2, few["item"].unique())  # of one size, so all are alike
    _same_chance(_draw_often(answer, few, pairs), pairs.index[::2], " (with groups)")


def _keeps_groups(answer, ratings, fraction, rng):
    """Split by groups of one to three items, and look whether any group is torn."""
    n_items = ratings["item"].nunique()
    wanted = round(fraction * n_items)
    label = np.repeat(np.arange(30), rng.integers(1, 4, 30))[: n_items + 10]
    groups = pd.Series(rng.permutation(label),  # it knows ten items that nobody has rated
                       [f"i{n}" for n in range(n_items + 10)])
    sizes = groups[ratings["item"].unique()].value_counts()
    for seed in range(20):
        train, test = _two_frames(answer, ratings, fraction, seed, groups)
        _no_leak(ratings, train, test)
        torn = sorted(set(groups[train["item"].unique()]) & set(groups[test["item"].unique()]))
        if torn:
            twins = sorted(set(ratings["item"]) & set(groups.index[groups == torn[0]]))
            raise CheckFailed(f"An item's twin is in train: {twins} are one group, and some of "
                              "them are cold and some not. Draw groups instead of items.")
        n_cold = test["item"].nunique()
        expect(abs(n_cold - wanted) < sizes.max(),
               f"With groups, {n_cold} items are cold. {wanted} are wanted, and as the largest "
               f"group has {sizes.max()}, fewer than {sizes.max()} too many or too few. Add up the "
               "groups' sizes, counting the items that have ratings.")


def _uneven_ratings(rng, n_items=40):
    """Return ratings of some items, from i0 with one rating to the last with as many as items."""
    ratings = pd.DataFrame([(f"u{user}", f"i{item}", int(rng.integers(1, 6)))
                            for item in range(n_items) for user in rng.permutation(60)[: item + 1]],
                           columns=["user", "item", "rating"])
    return ratings.iloc[rng.permutation(len(ratings))]


def _cold(answer, *given):
    return set(_two_frames(answer, *given)[1]["item"])


def _draw_often(answer, ratings, groups=None):
    """Return the cold items for each of many seeds, 30 % of the items each time."""
    wanted = round(0.3 * ratings["item"].nunique())
    drawn = []
    for seed in range(300):
        drawn.append(_cold(answer, ratings, 0.3, seed, groups))
        n_cold = len(drawn[-1])
        expect(groups is not None or n_cold == wanted,
               f"With the seed {seed}, {n_cold} items are cold instead of {wanted}. The number has "
               "to be right with every seed: don't toss a coin for each item, draw that many.")
    expect(len(set(map(frozenset, drawn))) > 50, "Different seeds give the same split"
           f"{'' if groups is None else ', when there are groups'}. Draw the items at random, with "
           "the seed.")
    return drawn


def _same_chance(drawn, items, when=""):
    """Compare how often each item is cold with what is to be expected (Pearson's chi-square)."""
    times = pd.Series({item: sum(item in cold for cold in drawn) for item in items})
    binomial = times.mean() * (1 - times.mean() / len(drawn))
    spread = times.var(ddof=0) / binomial * (len(times) - 1)
    # A right answer is refused once in a million; walks along the list, as in the tests, are found.
    expect(stats.chi2.sf(spread, len(times) - 1) > 1e-6,
           f"Over {len(drawn)} seeds{when}, item {times.idxmax()!r} is cold {times.max()} times "
           f"and {times.idxmin()!r} {times.min()} times; with the same chance for all it would be "
           f"about {times.mean():.0f} times each. Who walks along the items and decides one by one "
           "favours those in front: put them in random order first.")


def _two_frames(answer, *given):
    pair = call(answer, *given)
    expect(isinstance(pair, (tuple, list)) and len(pair) == 2
           and all(isinstance(frame, pd.DataFrame) for frame in pair),
           f"You return {type(pair).__name__}. Wanted are two data frames: return train, test.")
    for frame in pair:
        expect({"user", "item", "rating"} <= set(frame.columns),
               f"A frame has the columns {list(frame.columns)}. Both keep user, item, rating.")
    return pair


def _no_leak(ratings, train, test):
    twice = train.merge(test, on=["user", "item"])
    expect(twice.empty, f"{len(twice)} ratings are in train and in test. Take those of cold items "
           "out of train.")
    both = sorted(set(train["item"]) & set(test["item"]))
    expect(not both, f"{len(both)} items, such as {both[:1]}, have ratings on both sides, so they "
           "aren't cold. Draw items, and hide all ratings of each.")
    n = len(train) + len(test)
    expect(n == len(ratings), f"There are {len(ratings)} ratings, and train and test have {n} "
           "together. Every rating is in one of the two.")
    key = ["user", "item"]
    back = pd.concat([train, test])[[*key, "rating"]].sort_values(key).reset_index(drop=True)
    expect(back.equals(ratings[[*key, "rating"]].sort_values(key).reset_index(drop=True)),
           "Train and test together aren't the ratings that were given: some have changed.")


@check_class
def genre_mean(answer):
    """A recommender class: the user's like rate in the item's genres."""
    train = _genre_world()
    users, items = train.user_ids, train.item_ids
    fits(answer, 10.0)
    for method in ("fit", "score"):
        expect(callable(getattr(answer, method, None)), f"The class has no method {method}. Its "
               "`def` line has to be inside the class: indented by four spaces.")

    @functools.cache
    def table(shrink):
        model = answer(shrink)
        fitted = call(model.fit, train)
        expect(fitted is model, "fit has to end with `return self`, so that one can write "
               "GenreMean().fit(train).")
        scores = call(model.score, list(users), list(items))
        expect(not hasattr(scores, "toarray"), "score returns a sparse matrix, which has no NaN "
               "but zeros. Begin with train.matrix(...).toarray().")
        scores = np.asarray(scores, float)
        expect(scores.shape != (len(items), len(users)), f"For {len(users)} users and {len(items)} "
               f"items, score returns the shape {scores.shape}: one row per user is wanted. "
               "Transpose it.")
        expect(scores.shape == (len(users), len(items)), f"For {len(users)} users and {len(items)} "
               f"items, score returns the shape {scores.shape}; ({len(users)}, {len(items)}) is "
               "wanted.")
        return pd.DataFrame(scores, users, items)

    scores = table(10.0)
    expect(scores["bare"].isna().all(), "Item 'bare' has no genre, and you give it a score. What "
           "can't be scored is NaN.")
    expect(scores.loc["absent"].isna().all(), "User 'absent' has no rating in train, and you give "
           "them scores. Nothing is known of them: NaN.")
    expect(scores.loc["choosy"].notna().any(), "User 'choosy' has rated, but liked "
           "nothing. That is known of them, so they get scores (of 0), not NaN.")
    known = scores.drop("absent").drop(columns="bare")
    expect(known.notna().all(axis=None), "Some scores are NaN though the user has ratings and the "
           "item has genres. The new items have genres, too: don't look at who rated them.")
    model = answer(10.0).fit(train)
    few = np.asarray(model.score([users[5], users[2]], [items[7], items[1], items[4]]), float)
    want = scores.iloc[[5, 2], [7, 1, 4]].to_numpy()
    expect(few.shape == want.shape and np.allclose(few, want, equal_nan=True),
           "Asked for two users and three items, score doesn't give their rows and columns in the "
           "order asked. train.user_rows and train.item_rows turn ids into positions.")

    def score(shrink, user, item):
        return table(shrink).at[user, item]

    rated = ("You divide by the films of the genre that the user *rated*. Divide by all warm films "
             "of the genre: what people leave alone says as much as what they rate.")
    new = ("You divide by all films of the genre, the new ones too. Nobody could like those yet: "
           "count the warm films, those with a rating in train.")
    score.__name__ = "the score for (shrink, user, item) = "
    cases = [(shrink, user, item) for shrink in (1.0, 10.0)
             for user in known.index for item in known.columns]
    compare(score, cases, functools.partial(_genre_score, train), [
        (hint, functools.partial(_genre_score, train, **change)) for hint, change in (
            (rated, {"films": "rated"}),
            (rated, {"films": "rated", "overall": "rated"}),
            (new, {"films": "all"}),
            (new, {"films": "all", "overall": "all"}),
            ("Your overall like rate b divides by another number than that of the warm films.",
             {"overall": "rated"}),
            ("Your overall like rate b divides by another number than that of the warm films.",
             {"overall": "all"}),
            ("You don't shrink. Add s · b to the likes and s to the number of films.",
             {"shrunk": False}),
            ("You shrink towards zero: s is added below, but s · b isn't above.", {"base": "zero"}),
            ("You shrink towards the mean of all users. Take each user's own overall like rate b.",
             {"base": "everybody"}),
            ("You add up the rates of a film's genres. Take their mean, or films with many genres "
             "win.", {"pooled": sum}),
            ("You take the best of a film's genres. Take the mean.", {"pooled": max}),
            ("You add up stars. Count likes: train.matrix(likes=True).", {"worth": "stars"}),
            ("You count every rating as a like. Count likes: train.matrix(likes=True).",
             {"worth": "ratings"}),
            ("You always shrink by 10. Use the shrink that the class was made with.",
             {"fixed": 10.0}),
        )])
    model = answer(10.0)
    for part in (train, train.with_ratings(train.ratings.iloc[: len(train) // 2])):
        again = np.asarray(model.fit(part).score(users, items), float)
        fresh = np.asarray(answer(10.0).fit(part).score(users, items), float)
        expect(np.array_equal(again, fresh, equal_nan=True), "Fitted a second time, the model "
               "still knows the first training set. fit has to begin anew.")


def _genre_world():
    """Return ratings of 9 users and 14 items, in no order; some items and a user without any."""
    rng = np.random.default_rng(2)
    genres = ["Drama", "Comedy", "War", "Drama|War", "Comedy|Drama", "Comedy|Drama|War"]
    names = [f"f{n}" for n in range(13)]
    items = pd.DataFrame({"item": [*names, "bare"],
                          "genres": [*(genres[n % 6] for n in range(13)), ""]})
    users = [*(f"u{n}" for n in range(7)), "choosy", "absent"]
    rows = [(user, item, rng.integers(1, 4 if user == "choosy" else 6))
            for user in users[:-1] for item in [*names[:9], "bare"] if rng.random() < 0.6]
    return Ratings.from_frames(pd.DataFrame(rows, columns=["user", "item", "rating"]),
                               items.iloc[rng.permutation(14)],
                               pd.DataFrame({"user": np.array(users)[rng.permutation(9)]}))


def _genre_score(train, shrink, user, item, *, films="warm", overall="warm", base="own",
                 shrunk=True, pooled=np.mean, worth="likes", fixed=None):
    """Return the score by counting films one by one; the options make the likely mistakes."""
    shrink = (fixed or shrink) if shrunk else 0.0
    frame = train.ratings
    stars = dict(zip(zip(frame["user"], frame["item"], strict=True), frame["rating"], strict=True))
    genres_of = dict(zip(train.items["item"], train.items["genres"], strict=True))

    def counted(user, which):
        return {"warm": {item for _, item in stars}, "all": set(genres_of),
                "rated": {item for someone, item in stars if someone == user}}[which]

    def rate(user, films, extra=0.0, towards=0.0):
        given = [stars.get((user, film), 0) for film in films]
        liked = {"likes": sum(g >= train.like for g in given), "stars": sum(given),
                 "ratings": sum(g > 0 for g in given)}[worth]
        return (liked + extra * towards) / max(len(films) + extra, 1e-9)

    people = train.user_ids if base == "everybody" else [user]
    towards = np.mean([rate(u, counted(u, overall)) for u in people]) if base != "zero" else 0.0
    of_genres = [[film for film in counted(user, films) if genre in genres_of[film]]
                 for genre in genres_of[item]]
    return pooled([rate(user, of_genre, shrink, towards) for of_genre in of_genres])


@check
def leaking(answer):
    """Which features hold hidden ratings."""
    split = _feature_world()
    features = _features(split)
    found = call(answer, dict(features), split)
    expect(isinstance(found, (list, tuple, set, pd.Index, np.ndarray)),
           f"You return a {type(found).__name__}. Wanted is a list with the names of the features "
           "that leak.")
    expect(all(isinstance(name, str) for name in found), f"You return {brief(list(found))}. Wanted "
           "are the names alone, the keys of the dictionary.")
    found = set(found)
    expect(found <= set(features), f"{sorted(map(str, found - set(features)))} aren't names of "
           "features. Return the keys of the dictionary that leak.")
    honest = {"year", "title length", "genres", "seen in train", "votes of warm films"}
    expect(not honest <= found, "You name all the honest features. A film's year and title stay "
           "the same whatever anybody rates: are == and != mixed up, or do you compare the new "
           "films with the others?")
    for name, hint in {
        "year": "the year of one film is missing, and NaN isn't equal to NaN. np.array_equal and "
                "np.testing have an option equal_nan.",
        "seen in train": "it counts training ratings only, and says the same with the hidden "
                         "ratings and without.",
        "genres": "it has several columns, and none of them changes.",
        "title length": "it is made from the titles alone.",
        "votes of warm films": "it counts the ratings of films that aren't new, and these are the "
                               "same with the hidden ratings and without. Compare all ratings, "
                               "train and test together, with those of train; split.test alone, or "
                               "no ratings at all, is another question.",
    }.items():
        expect(name not in found, f"'{name}' is no leak: {hint}")
    for name, hint in {
        "mean stars": "it is made from the hidden stars. Compare what a feature says with the "
                      "hidden ratings and without.",
        "votes": "it counts the hidden ratings, whatever their stars. Take them away; to change "
                 "the stars isn't enough.",
        "order": "it holds the same numbers in another order. Compare row by row, not sums, means "
                 "or sorted values.",
        "share": "it says the same of the new films with and without the hidden ratings, but not "
                 "of the others, for it divides by the number of all ratings. Compare all rows.",
        "last seen": "times are seconds since 1970, and beside such numbers np.allclose takes two "
                     "hours for nothing. No feature here is rounded, so compare exactly.",
    }.items():
        expect(name in found, f"'{name}' leaks, and you don't find it: {hint}")
    only = {name: features[name] for name in ("genres", "votes", "year")}
    expect(list(call(answer, only, split)) == ["votes"], "Asked about genres, votes and year only, "
           f"you return {brief(call(answer, only, split))}; it should be ['votes'].")


def _feature_world():
    rng = np.random.default_rng(3)
    rows = [(user, item) for user in range(14) for item in range(100, 115) if rng.random() < 0.6]
    ratings = pd.DataFrame(rows, columns=["user", "item"])
    ratings["rating"] = rng.integers(1, 6, len(rows))
    ratings["timestamp"] = FIRST + 60 * rng.permutation(len(rows))
    items = pd.DataFrame({"item": range(100, 115), "year": 1980.0 + rng.integers(0, 19, 15),
                          "title": ["Film " + "x" * n for n in range(15)],
                          "genres": ["Drama", "War|Drama", "Comedy"] * 5})
    items.loc[4, "year"] = np.nan
    users = pd.DataFrame({"user": range(14), "age": rng.integers(15, 70, 14)})
    return item_cold(Ratings.from_frames(ratings, items, users), 0.3, seed=0)


def _features(split):
    """Return honest features first, then those that hold hidden ratings."""
    def votes(data):
        return data.matrix().getnnz(axis=0).astype(float)

    def per_item(data, column, how, missing):
        values = data.ratings.groupby("item")[column].agg(how)
        return values.reindex(data.item_ids, fill_value=missing).to_numpy(float)

    return {
        "year": lambda data: data.items["year"].to_numpy(),
        "title length": lambda data: data.items["title"].str.len().to_numpy(),
        "genres": lambda data: np.array([["Drama" in g, "War" in g] for g in data.items["genres"]]),
        "seen in train": lambda data: votes(split.train),
        "votes of warm films": lambda data: np.where(data.item_ids.isin(split.cold_items), 0.0,
                                                     votes(data)),
        "votes": votes,
        "mean stars": lambda data: per_item(data, "rating", "mean", np.nan),
        "order": lambda data: votes(data).argsort(kind="stable").argsort(),
        "share": lambda data: votes(split.train) / len(data),
        "last seen": lambda data: per_item(data, "timestamp", "max", FIRST),
    }
