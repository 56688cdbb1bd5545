"""Checks of exercise sheet 00."""

from __future__ import annotations

import functools
import math

import numpy as np
import pandas as pd

from coldrec.checks import CheckFailed, check, expect
from coldrec.checks.answers import brief, call, compare, is_number


@check
def liked_share(answer):
    """Per user, the share of the ratings that are likes."""
    hand = pd.DataFrame({"user": [7, 7, 7, 3, 3, 9], "item": [1, 2, 3, 1, 2, 3],
                         "rating": [5, 4, 3, 1, 2, 4]})
    rng = np.random.default_rng(0)
    cases = [(hand, 4.0), (hand, 3.0)]
    for _ in range(5):
        user = np.repeat(rng.permutation(20)[:8], rng.integers(1, 9, 8))
        stars = rng.integers(1, 11, len(user)) / 2
        frame = pd.DataFrame({"user": user, "item": np.arange(len(user)), "rating": stars})
        cases.append((frame, float(rng.choice([3.0, 3.5, 4.0]))))

    @functools.wraps(answer)
    def by_user(ratings, like):
        """Return the shares in the order of the user ids."""
        share = call(answer, ratings, like)
        users = sorted(set(ratings["user"]))
        expect(not isinstance(share, float), "You return one number for everybody. Wanted is one "
               "for each user: group by the user before you take the mean.")
        expect(isinstance(share, pd.Series), f"You return a {type(share).__name__}. Wanted is a "
               "Series: one share per user, the user ids as its index.")
        missing = sorted(set(users) - set(share.index))
        expect(not missing or len(share) != len(users), f"The index is {list(share.index)}; it has "
               f"to be the user ids, {users}.")
        expect(not missing, f"The users {missing} are missing. Whoever likes nothing has the share "
               "0; when you keep only the likes before grouping, they are lost.")
        expect(len(share) == len(users), f"There are {len(share)} values for {len(users)} users.")
        expect(share.notna().all(), f"Users {list(share.index[share.isna()])} have NaN. Whoever "
               "likes nothing has the share 0. (A quotient of counts is NaN where one is missing.)")
        return share.reindex(users).to_numpy()

    def groups(ratings):
        return [rows["rating"].to_list() for _, rows in sorted(ratings.groupby("user"))]

    def right(ratings, like):
        return [sum(stars >= like for stars in of_user) / len(of_user)
                for of_user in groups(ratings)]

    compare(by_user, cases, right, [
        ("You count from more than `like` stars; a rating of exactly `like` stars is a like, too.",
         lambda ratings, like: [sum(s > like for s in g) / len(g) for g in groups(ratings)]),
        ("You return the number of likes. The share is that number over all the user's ratings.",
         lambda ratings, like: [sum(s >= like for s in g) for g in groups(ratings)]),
        ("You divide by the number of all ratings. Divide by the number of this user's.",
         lambda ratings, like: [sum(s >= like for s in g) / len(ratings) for g in groups(ratings)]),
        ("You return the mean number of stars. Wanted is the mean of 'is it a like?'.",
         lambda ratings, like: [sum(g) / len(g) for g in groups(ratings)]),
        ("You always count from 4 stars on. Use the argument `like`: other data have other scales.",
         lambda ratings, like: right(ratings, 4.0)),
        ("You return per cent. A share goes from 0 to 1.",
         lambda ratings, like: [100 * share for share in right(ratings, like)]),
    ])


@check
def by_chance(answer):
    """Expected hits and expected recall of a random pick."""
    cases = [(1, 4, 2), (3, 6, 2), (2, 5, 4), (84, 336, 10)]
    cases += [(n_liked, n_pool, n) for n_pool in (3, 7) for n_liked in (1, 2) for n in (1, 3)]

    def pair(*case):
        got = call(answer, *case)
        expect(not isinstance(got, list), f"You return the list {brief(got)}. Wanted is a tuple: "
               "return hits, recall, without brackets.")
        expect(isinstance(got, tuple) and len(got) == 2,
               f"You return {brief(got)}. Wanted are two numbers: return hits, recall.")
        expect(all(map(is_number, got)), f"by_chance{case} returns {brief(got)}. Both have to be "
               "numbers; what isn't defined is NaN, float('nan').")
        return got

    def hits(*case):
        return pair(*case)[0]

    def recall(*case):
        return pair(*case)[1]

    hits.__name__, recall.__name__ = "the hits of by_chance", "the recall of by_chance"
    compare(hits, cases, _mean_hits, [
        ("Your first number is the expected recall. Return the hits first, then the recall.",
         lambda n_liked, n_pool, n: n / n_pool),
        ("You return the chance that one pick is a hit. There are n picks.",
         lambda n_liked, n_pool, n: n_liked / n_pool),
        ("You return the chance of at least one hit (the expected hit rate). Several picks can be "
         "hits: how many are there on average?",
         lambda n_liked, n_pool, n: 1 - math.comb(n_pool - n_liked, n) / math.comb(n_pool, n)),
        ("You divide with //, which rounds down. An expected number needn't be whole.",
         lambda n_liked, n_pool, n: n * n_liked // n_pool),
    ])
    compare(recall, cases, lambda n_liked, *rest: _mean_hits(n_liked, *rest) / n_liked, [
        ("You divide the hits by n: that is precision. Recall divides by the number of liked "
         "items.", lambda n_liked, n_pool, n: n_liked / n_pool),
        ("You divide the hits by the pool. Recall divides by the number of liked items.",
         lambda n_liked, n_pool, n: n * n_liked / n_pool ** 2),
        ("Your second number is the hits again. Recall is hits / n_liked.", _mean_hits),
    ])
    got = pair(2, 5, 8)
    expect(np.allclose(got, (2, 1)), f"by_chance(2, 5, 8) returns {brief(got)}. A pool of 5 holds "
           "no 8 items: all 5 are picked, so it should be (2.0, 1.0).")
    nothing = "With n_liked = 0 there is nothing to find, so recall isn't defined: return NaN"
    try:
        got = pair(0, 5, 2)
    except ZeroDivisionError:
        raise CheckFailed(f"{nothing}, instead of dividing by zero.") from None
    expect(got[0] == 0, f"With n_liked = 0 there are no hits, and you return {brief(got[0])}.")
    expect(np.isnan(got[1]), f"{nothing}, not {brief(got[1])}. (A number would count in the "
           "mean over users, for people whom no list could please.)")


def _mean_hits(n_liked, n_pool, n):
    """Add up every possible number of hits times the ways to get it, over all ways to pick."""
    ways = [math.comb(n_liked, h) * math.comb(n_pool - n_liked, n - h) for h in range(n + 1)]
    return sum(h * w for h, w in enumerate(ways)) / sum(ways)


@check
def top_n(answer):
    """The n best of an array of scores, without NaN."""
    nan, inf = np.nan, np.inf

    def best(scores, n, ids="abcdefgh"):
        ids = pd.Index(list(ids[: len(scores)]))
        return _listed(call(answer, np.array(scores, float), ids, n))

    got = best([0.2, nan, 0.9, 0.5], 2)
    expect(not {type(item) for item in got} & {float, np.float64},
           f"You return scores, {got}. Wanted are the ids of the items that have them.")
    expect(not any(isinstance(item, tuple) for item in got), f"You return pairs, {brief(got)}. "
           "Wanted are the ids alone.")
    expect(all(isinstance(item, str) for item in got), f"You return positions, {brief(got)}. Look "
           "up the ids: position 2 is item_ids[2].")
    too_late = "You drop NaN after taking the top n: drop it before."
    expect(len(got) == 2, f"Of four items three have a score and n is 2, but your list has "
           f"{len(got)}. {too_late}")
    expect("b" not in got, "There is a NaN in your list. NumPy sorts NaN to the end, as if it were "
           "the largest, so that reversing the order puts it first: take NaN out before sorting.")
    expect(got != ["a", "d"] and got != ["d", "a"], "Your list has the lowest scores. NumPy sorts "
           "from low to high; the n best are at the other end.")
    expect(got != ["d", "c"], "The right items, but the worst of them comes first. Best first.")
    expect(got == ["c", "d"], f"For the scores 0.2, NaN, 0.9, 0.5 of a, b, c, d and n = 2 you "
           f"return {got}; it should be ['c', 'd'].")
    got = best([nan, 0.1, nan, 0.3, 0.2], 3)
    expect(len(got) == 3, f"Of five items three have a score and n is 3, but your list has "
           f"{len(got)}. {too_late}")
    got = best([-3, nan, -1], 2)
    expect(len(got) == 2, f"For the scores -3, NaN, -1 and n = 2 you return {got}. A negative "
           "number is a score, too: only NaN means 'can't tell'.")
    expect(got == ["c", "a"], f"For the scores -3, NaN, -1 of a, b, c and n = 2 you return {got}; "
           "it should be ['c', 'a']. Was NaN replaced by 0? Then it beats every negative score.")
    got = best([0, nan, -1, 2], 4)
    expect("a" in got, "The item with the score 0 is missing. Zero is a score like any other; only "
           "NaN means 'can't tell'.")
    expect("b" not in got, "With n larger than the number of scored items, a NaN comes in at the "
           "end of your list. The list is shorter then.")
    for scores in ([inf, nan, -inf, 1], [-inf, nan, inf, 1]):
        got = best(scores, 4)
        expect("b" not in got, f"For the scores {brief(scores)} of a, b, c, d and n = 4 you return "
               f"{got}, and b has NaN. Was NaN replaced by -inf? A model may give that as a score.")
        expect({"a", "c"} <= set(got), f"For the scores {brief(scores)} of a, b, c, d and n = 4 "
               f"you return {got}. Infinite scores are scores, too: np.isnan finds NaN only, "
               "np.isfinite drops both.")
        right = ["a", "d", "c"] if scores[0] > 0 else ["c", "d", "a"]
        expect(got == right, f"For the scores {brief(scores)} of a, b, c, d and n = 4 you return "
               f"{got}; it should be {right}.")
    expect(best([nan, nan], 2) == [], "Where no item has a score the list must be empty.")
    got = best([1, 1, nan, 1], 3)
    expect(sorted(got) == ["a", "b", "d"], f"Three items have the same score and n is 3; you "
           f"return {got}. Who looks items up by their score finds only one of them.")
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores = rng.integers(-5, 6, 30) / 2
        scores[rng.random(30) < 0.3] = nan
        ids = pd.Index(rng.permutation(1000)[:30])
        n = int(rng.integers(1, 31))
        got = _listed(call(answer, scores, ids, n))
        strange = [item for item in got if item not in set(ids)]
        expect(not strange, f"Your list has {brief(strange[:3])}, and these aren't among the ids. "
               "Here the ids are whole numbers: return them as they are.")
        of_list = [scores[list(ids).index(item)] for item in got]
        right = sorted((s for s in scores if s == s), reverse=True)[:n]
        expect(of_list == right and len(set(got)) == len(got),
               f"For 30 random scores and n = {n}, your items have the scores {brief(of_list)}; "
               f"the best are {brief(right)}.")


def _listed(got) -> list:
    """Return what top_n returned as a list, if it is something that has an order."""
    expect(not isinstance(got, (set, frozenset)), "You return a set, and a set has no order. "
           "Wanted is a list, best first.")
    expect(isinstance(got, (list, tuple, np.ndarray, pd.Index, pd.Series)),
           f"You return a {type(got).__name__}. Wanted is a list of ids, best first.")
    return list(got)
