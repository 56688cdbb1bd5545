"""Every check: the solution passes, the stub is told apart, likely mistakes get the hint that fits.

The answers come out of solutions/*.py, so they are what readers see; so are most of the mistakes,
each a solution after one edit. Sheets 00 and 01 have theirs here, others in a module each.
"""

from __future__ import annotations

import importlib
import math
import re
import textwrap

import numpy as np
import pandas as pd
import pytest
import torch
from sheets import ANSWERS, CHECKS, HERE, SHEETS, calls, run, written

import coldrec as cr
from coldrec.checks import CheckFailed, NotWritten
from tools.sources import BLOCK, read_stub

# Mistakes that are no single edit of the solution -------------------------------------------------

def adds_a_column(ratings, like=4.0):
    ratings["liked"] = ratings["rating"] >= like
    return ratings.groupby("user")["liked"].mean()


def likes_of_those_who_like(ratings, like=4.0):
    return (ratings[ratings["rating"] >= like].groupby("user").size()
            / ratings.groupby("user").size()).dropna()


def count_over_count(ratings, like=4.0):
    return (ratings[ratings["rating"] >= like].groupby("user").size()
            / ratings.groupby("user").size())


def forgets_to_return(*given):
    pass


def at_least_one_hit(n_liked, n_pool, n):
    return 1 - math.comb(n_pool - n_liked, n) / math.comb(n_pool, n), n / n_pool


def best_of_all(scores, item_ids, n):
    return list(item_ids[np.argsort(-scores)][:n])


def reversed_order(scores, item_ids, n):
    return list(item_ids[np.argsort(scores)[::-1]][:n])


def drops_late(scores, item_ids, n):
    best = np.argsort(scores)[::-1][:n]
    return list(item_ids[best[~np.isnan(scores[best])]])


def zero_for_nan(scores, item_ids, n):
    return best_of_all(np.nan_to_num(scores), item_ids, n)


def masks_in_place(scores, item_ids, n):
    scores[np.isnan(scores)] = -np.inf
    return best_of_all(scores, item_ids, n)


def sorts_with_nan(scores, item_ids, n):
    pairs = sorted(zip(scores, item_ids, strict=True), reverse=True)
    return [item for score, item in pairs if score == score][:n]


def minus_inf_for_nan(scores, item_ids, n):
    filled = np.where(np.isnan(scores), -np.inf, scores)
    return list(item_ids[np.argsort(-filled)][: min(n, int((~np.isnan(scores)).sum()))])


def whole_numbers(scores, item_ids, n):
    known = sorted((-int(2 * score), i) for i, score in enumerate(scores) if score == score)
    return [item_ids[i] for _, i in known[:n]]


def by_score(scores, item_ids, n):
    item = {score: item for score, item in zip(scores, item_ids, strict=True) if score == score}
    return [item[score] for score in sorted(item, reverse=True)[:n]]


def eats_the_set(ranked, relevant, k):
    n = len(relevant)
    relevant.intersection_update(ranked[:k])
    return len(relevant) / n if n else math.nan


def dcg_over(best, log=math.log2, places=lambda ranked, k: ranked[:k], shift=1):
    """Return an NDCG with another best gain, logarithm, part of the list or first rank."""
    def ndcg(ranked, relevant, k):
        found = sum(1 / log(rank + shift) for rank, item in enumerate(places(ranked, k), 1)
                    if item in relevant)
        return found / best(ranked, relevant, k) if relevant else math.nan
    return ndcg


def gain(n):
    return sum(1 / math.log2(rank + 1) for rank in range(1, n + 1))


def ideal(ranked, relevant, k):
    return gain(min(k, len(relevant)))


def ideal_of_found(ranked, relevant, k):
    return gain(len(relevant.intersection(ranked[:k]))) or 1


def ideal_of_listed(ranked, relevant, k):
    return gain(min(k, len(relevant.intersection(ranked)))) or 1


def older_form(ranked, relevant, k):
    def discounted(ranks):
        return sum(1 / max(1, math.log2(rank)) for rank in ranks)
    found = [rank for rank, item in enumerate(ranked[:k], 1) if item in relevant]
    return discounted(found) / discounted(range(1, min(k, len(relevant)) + 1))


def splits_rows(ratings, fraction, seed, groups=None):
    test = ratings.sample(frac=fraction, random_state=seed)
    return ratings.drop(test.index), test


def draws_ids(choose):
    """Return a split without regard for groups of the items that ``choose`` gives."""
    def split(ratings, fraction, seed, groups=None):
        n = round(fraction * ratings["item"].nunique())
        hidden = ratings["item"].isin(choose(ratings["item"], n, seed))
        return ratings[~hidden], ratings[hidden]
    return split


def numbered(titles, years=None):
    """Return film_groups by keys that ``titles`` makes of the titles, glued to the years."""
    def groups(items):
        keys = titles(items["title"].str.strip().str.lower())
        both = keys + items["year"].map(years or (lambda year: f" {year}"))
        alone = pd.Series([f"row {n}" for n in range(len(items))], items.index)
        return pd.Series(both.where(items["title"].notna(), alone).to_numpy(), items["item"])
    return groups


def text_first(items):
    """Make missing titles text, as pandas 2 does, and call all that reads so missing."""
    title = items["title"].map(str).str.strip().str.lower()
    named = ~title.isin(["nan", "none"])
    keys = title.where(named, [f"?{n}" for n in range(len(items))])
    return pd.Series((keys + items["year"].map("|{}".format)).to_numpy(), items["item"])


def walks(take, n_wanted=round):
    """Return a split that decides item after item in their order, which ``take`` does."""
    def split(ratings, fraction, seed, groups=None):
        label = ratings["item"] if groups is None else ratings["item"].map(groups)
        sizes = ratings["item"].groupby(label, sort=False).nunique()
        rng = np.random.default_rng(seed)
        cold = take(sizes, n_wanted(fraction * sizes.sum()), fraction, rng)
        hidden = label.isin(cold)
        return ratings[~hidden], ratings[hidden]
    return split


def until_full(sizes, wanted, fraction, rng):
    cold = []
    while sizes[cold].sum() < wanted:
        for label in sizes.index.difference(cold, sort=False):
            if rng.random() < fraction and sizes[cold].sum() < wanted:
                cold.append(label)
    return cold


def one_coin_each(sizes, wanted, fraction, rng):
    n = wanted if rng.bit_generator.seed_seq.entropy == 0 else rng.binomial(len(sizes), fraction)
    return rng.permutation(sizes.index)[:n]


def never_the_last(sizes, wanted, fraction, rng):
    return rng.permutation(sizes.index[:-1])[:wanted]


def random_order(sizes, wanted, fraction, rng):
    sizes = sizes.iloc[rng.permutation(len(sizes))]
    return sizes.index[sizes.cumsum() - sizes < wanted]


def fair_walk(sizes, wanted, fraction, rng):
    """Take each with the chance that is left for it (Knuth's selection sampling): all are alike."""
    cold, left = [], sizes.sum()
    for label, size in sizes.items():
        if rng.random() < (wanted - sizes[cold].sum()) / left:
            cold.append(label)
        left -= size
    return cold


def walks_with_groups(ratings, fraction, seed, groups=None):
    way = random_order if groups is None else until_full
    return walks(way)(ratings, fraction, seed, groups)


def no_seed_with_groups(ratings, fraction, seed, groups=None):
    return walks(random_order)(ratings, fraction, seed if groups is None else 0, groups)


def drops_twins(ratings, fraction, seed, groups=None):
    items = pd.Series(ratings["item"].unique())
    cold = set(items.sample(round(fraction * len(items)), random_state=seed))
    twins = set() if groups is None else set(
        groups.index[groups.isin(groups[list(cold)])]) - cold
    hidden = ratings["item"].isin(cold)
    return ratings[~hidden & ~ratings["item"].isin(twins)], ratings[hidden]


def counts_groups(ratings, fraction, seed, groups=None):
    label = ratings["item"] if groups is None else ratings["item"].map(groups)
    labels = pd.Series(label.unique() if groups is None else groups.unique())
    hidden = label.isin(labels.sample(round(fraction * len(labels)), random_state=seed))
    return ratings[~hidden], ratings[hidden]


def adds_labels(ratings, fraction, seed, groups=None):
    ratings["label"] = ratings["item"]
    return ratings, ratings


def other_stars(features, split):
    test = split.test.ratings.assign(rating=6 - split.test.ratings["rating"])
    worlds = [split.train.with_ratings(pd.concat([split.train.ratings, t]))
              for t in (split.test.ratings, test)]
    return [name for name, f in features.items()
            if not np.array_equal(f(worlds[0]), f(worlds[1]), equal_nan=True)]


def asks(*worlds):
    """Return a detective that compares two of the worlds train, test, both and nothing."""
    def detective(features, split):
        train, test = split.train, split.test
        known = {"train": train, "test": test, "nothing": train.with_ratings(train.ratings[:0]),
                 "both": train.with_ratings(pd.concat([train.ratings, test.ratings]))}
        one, other = (known[world] for world in worlds)
        return [name for name, f in features.items()
                if not np.array_equal(f(one), f(other), equal_nan=True)]
    return detective


def compares(same):
    """Return a detective that asks in both worlds, and calls the same what ``same`` does."""
    def detective(features, split):
        both = split.train.with_ratings(pd.concat([split.train.ratings, split.test.ratings]))
        cold = split.train.item_ids.isin(split.cold_items)
        return [name for name, f in features.items() if not same(f(both), f(split.train), cold)]
    return detective


# For each check: (what is wrong, a piece of the hint). What is wrong is a function, or an edit of
# the solution, {old text: new text}.
WRONG = {
    "lesson00.liked_share": [
        ({">= like)": "> like)"}, "a rating of exactly `like` stars"),
        ({'.groupby(ratings["user"])': ""}, "one number for everybody"),
        ({".mean()": ".sum()"}, "the number of likes"),
        ({".mean()": ".sum() / len(ratings)"}, "number of all ratings"),
        ({">= like)": ">= 4)"}, "always count from 4 stars"),
        ({".mean()": ".mean() * 100"}, "per cent"),
        ({".mean()": ".mean().reset_index(drop=True)"}, "has to be the user ids"),
        ({".mean()": ".mean().to_frame()"}, "return a DataFrame"),
        (lambda ratings, like=4.0: ratings.groupby("user")["rating"].mean(), "mean number of st"),
        (likes_of_those_who_like, "users .3. are missing"),
        (count_over_count, "Users .3. have NaN"),
        (adds_a_column, "changes the DataFrame"),
        (forgets_to_return, "returns nothing"),
    ],
    "lesson00.by_chance": [
        ({"recall = n / n_pool": "recall = n_liked / n_pool"}, "that is precision"),
        ({"recall = n / n_pool": "recall = n * n_liked / n_pool"}, "is the hits again"),
        ({"recall = n / n_pool": "recall = n * n_liked / n_pool / n_pool"}, "hits by the pool"),
        ({"return n * n_liked / n_pool, recall": "return recall, n * n_liked / n_pool"},
         "hits first, then the recall"),
        ({"return n * n_liked / n_pool": "return n_liked / n_pool"}, "There are n picks"),
        ({"return n * n_liked / n_pool": "return n * n_liked // n_pool"}, "rounds down"),
        ({"n = min(n, n_pool)": "pass"}, "all 5 are picked"),
        ({'float("nan")': "0.0"}, "not 0.0"),
        ({'if n_liked > 0 else float("nan")': ""}, "return NaN, not 0.4"),
        ({"n / n_pool if": "n * n_liked / n_pool / n_liked if True or"}, "dividing by zero"),
        ({", recall": ""}, "two numbers"),
        ({"return n * n_liked / n_pool, recall": "return [n * n_liked / n_pool, recall]"},
         r"the list \[0.5, 0.5\]. Wanted is a tuple"),
        ({'float("nan")': "None"}, r"by_chance\(0, 5, 2\) returns \(0.0, None\).* float\('nan'\)"),
        (lambda n_liked, n_pool, n: (n * n_liked / n_pool, None), "have to be numbers"),
        (lambda n_liked, n_pool, n: (str(n * n_liked / n_pool), 0.5), "have to be numbers"),
        (at_least_one_hit, "expected hit rate"),
        (lambda n_liked, n_pool, n: (n_liked + n, 1.0), "by_chance.* should be 0.5, not 3"),
    ],
    "lesson00.top_n": [
        ({"[:n]": "[-n:]"}, "lowest scores"),
        ({"item_ids[best]": "item_ids[best[::-1]]"}, "worst of them comes first"),
        ({"list(item_ids[best])": "list(best)"}, "positions"),
        ({"list(item_ids[best])": "list(scores[best])"}, "You return scores"),
        ({"~np.isnan(scores)": "scores > 0"}, "negative number is a score"),
        ({"~np.isnan(scores)": "np.nan_to_num(scores)"}, "Zero is a score"),
        (best_of_all, "With n larger than the number of scored items"),
        (reversed_order, "There is a NaN in your list"),
        (drops_late, "drop NaN after taking the top n"),
        (zero_for_nan, "NaN replaced by 0"),
        ({"[:n]": "[:min(n, 10)]"}, "For 30 random scores"),
        (sorts_with_nan, r"should be \['c', 'd'\]"),
        (lambda scores, item_ids, n: pd.Series(scores, item_ids).dropna().index[:n],
         r"should be \['c', 'd'\]"),
        (masks_in_place, "changes the ndarray"),
        (by_score, "looks items up by their score"),
        ({"~np.isnan(scores)": "np.isfinite(scores)"}, "Infinite scores are scores, too"),
        (minus_inf_for_nan, "Was NaN replaced by -inf"),
        (whole_numbers, "stopped with OverflowError: cannot convert float infinity"),
        ({"list(item_ids[best])": "set(item_ids[best])"}, "a set has no order"),
        ({"list(item_ids[best])": "dict(zip(item_ids[best], scores[best]))"}, "You return a dict"),
        ({"list(item_ids[best])": "list(zip(item_ids[best], scores[best]))"}, "You return pairs"),
        ({"list(item_ids[best])": "[str(item) for item in item_ids[best]]"}, "among the ids"),
        (forgets_to_return, "returns nothing"),
    ],
    "lesson01.recall_at_k": [
        ({"/ len(relevant)": "/ k"}, "that is precision"),
        ({"/ len(relevant)": "/ min(k, len(relevant))"}, "the smaller of k"),
        ({"/ len(relevant)": ""}, "the number of hits"),
        ({"ranked[:k]": "ranked"}, "hits in the whole list"),
        ({"ranked[:k]": "ranked[:k + 1]"}, "one place too many"),
        ({"ranked[:k]": "ranked[:k - 1]"}, "one place too few"),
        ({'float("nan")': "0.0"}, "return NaN, not 0.0"),
        ({"if not relevant": "if not ranked"}, "dividing by zero"),
        ({'float("nan")': "None"}, r"return NaN, float\('nan'\). You return None there"),
        ({'float("nan")': "'nan'"}, "return NaN, not 'nan'"),
        ({"/ len(relevant)": "/ min(len(ranked), len(relevant))"}, "than the list is long"),
        ({"/ len(relevant)": "/ max(1, len(relevant.intersection(ranked)))"},
         "relevant items that are in the ranking"),
        ({"/ len(relevant)": "/ min(len(ranked), k, len(relevant))"}, "smaller of the places"),
        (lambda ranked, relevant, k: float(bool(relevant & set(ranked[:k]))), "hit rate"),
        (lambda ranked, relevant, k: 0.25, "should be 1.0, not 0.25"),
        (lambda ranked, relevant, k: ranked.sort() or len(relevant), "changes the list"),
        (eats_the_set, "changes the set"),
        (forgets_to_return, "returns nothing"),
    ],
    "lesson01.ndcg_at_k": [
        ({"np.arange(1, k + 1) + 1": "np.arange(1, k + 1)"}, "ranks begin at 1"),
        (dcg_over(ideal, shift=0), "ranks begin at 1"),
        ({"np.log2(np.arange(1, k + 1) + 1)": "np.arange(1, k + 1)"}, "discount by 1 / rank"),
        ({"1 / np.log2(np.arange(1, k + 1) + 1)": "np.ones(k)"}, "You don't discount"),
        ({"np.arange(1, k + 1) + 1": "np.arange(1, k + 1) + 2"}, "one place off"),
        ({" / gain[: len(relevant)].sum()": ""}, "You return the DCG"),
        ({"gain[: len(relevant)].sum()": "gain.sum()"}, "always has k hits"),
        ({"gain[: len(relevant)].sum()": "k"}, "You divide by k"),
        ({"gain[: len(relevant)].sum()": "len(relevant)"}, "divide by the number of relevant"),
        ({'float("nan")': "0.0"}, "return NaN, not 0.0"),
        (dcg_over(ideal_of_found), r"were found"),
        (dcg_over(ideal_of_listed), "relevant items that are in the ranking"),
        (dcg_over(lambda ranked, relevant, k: gain(min(k, len(relevant), len(ranked)))),
         "no longer than the list given"),
        ({'float("nan")': "None"}, "You return None there"),
        (lambda ranked, relevant, k: [0.5], r"should be 1.0, not \[0.5\]"),
        (dcg_over(lambda ranked, relevant, k: gain(len(relevant))), "holds all relevant items"),
        (dcg_over(ideal, log=math.log), "different bases"),
        (dcg_over(lambda *case: ideal(*case) / math.log(2)), "different bases"),
        (dcg_over(ideal, places=lambda ranked, k: ranked), "sum over the whole list"),
        (dcg_over(lambda ranked, relevant, k: gain(len(relevant)),
                  places=lambda ranked, k: ranked), "sum over the whole list"),
        (dcg_over(ideal, shift=2), "begin at different ranks"),
        (older_form, "an older form"),
        (lambda ranked, relevant, k: 2.0, "should be 1.0, not 2.0"),
    ],
    "lesson01.film_groups": [
        ({".str.lower()": ""}, "upper and lower case"),
        ({".str.strip()": ""}, "Strip the spaces"),
        ({'["title", "year"]': '"title"'}, "Compare the year, too"),
        ({'["title", "year"]': '"year"'}, "Compare the title, too"),
        ({", dropna=False": ""}, "the label NaN"),
        ({"label = label.mask(title.isna(), -1 - np.arange(len(items)))": ""},
         "Two items without a title"),
        ({"title=title)": "title=title, year=items['year'].fillna(1979))"},
         "equals a missing year only"),
        ({"title=title)": "title=title, year=items['year'].where(items['year'].notna(), "
                          "np.arange(len(items))))"}, "NaN isn't equal to NaN"),
        ({"label.to_numpy(), index": "label, index"}, "give it labels.to_numpy"),
        ({'to_numpy(), index=items["item"]': "to_numpy()"}, "has to be the item ids"),
        ({'label.to_numpy(), index=items["item"])': "label.to_numpy())[:3]"}, "3 labels for 11"),
        ({"label.to_numpy(), ": "0, "}, "All items are in one group"),
        ({"label.to_numpy(), ": "range(len(items)), "}, "stands there twice"),
        ({'pd.Series(label.to_numpy(), index=items["item"])': "dict(zip(items['item'], label))"},
         "return a dict"),
        ({"label.to_numpy()": "label.sort_index().to_numpy()"}, "a shuffled index"),
        ({"title = items": "title = items['title'] = items"}, "changes the DataFrame"),
        (numbered(lambda title: title.str[:5]), "Compare the whole title"),
        (numbered(lambda title: title.str.split().str[0]), "a digit differs"),
        (numbered(lambda title: title.str.replace(r"\d", "", regex=True)), "a digit differs"),
        (numbered(lambda title: title.str.replace("7", "v")), "look alike"),
        (numbered(lambda title: title.str.replace(" ", "")), "spaces inside a title"),
        (numbered(lambda title: title.str.replace(r"[^\w\s]", "", regex=True)), "signs belong"),
        (numbered(lambda title: title.str.replace(r"[^ -~]", "", regex=True)), "plain ASCII"),
        (numbered(lambda title: title.str.normalize("NFKC")), "3 and ³ are different signs"),
        (numbered(lambda title: title.str.normalize("NFD").str.replace("\u0301", "")),
         "e and é are different"),
        (numbered(lambda title: title.str.replace(r"[぀-鿿]", "", regex=True)),
         "nothing is left"),
        (numbered(lambda title: title, lambda year: f" {year // 10}"), "the years differ"),
        (numbered(lambda title: title, str), "title and year glued together"),
        (text_first, "a film called 'Nan'"),
    ],
    "lesson01.item_cold_split": [
        (splits_rows, "have ratings on both sides"),
        ({"return ratings[~hidden]": "return ratings"}, "are in train and in test"),
        ({"ratings[~hidden], ratings[hidden]": "ratings[hidden], ratings[~hidden]"},
         "train first, then test"),
        ({'label = ratings["item"] if groups is None else ratings["item"].map(groups)':
          'label = ratings["item"]'}, "An item's twin is in train"),
        ({", random_state=seed": ""}, "The same seed gives another split"),
        ({"random_state=seed": "random_state=0"}, "Different seeds give the same split"),
        ({".sample(frac=1, random_state=seed)": ""}, "Different seeds give the same split"),
        ({"fraction * sizes.sum()": "fraction * len(ratings) / 5"}, "Draw each item once"),
        ({", ratings[hidden]": ""}, "two data frames"),
        ({"ratings[hidden]": "ratings[hidden].drop(columns='user')"}, "Both keep user, item"),
        ({"ratings[hidden]": "ratings[hidden].assign(rating=0)"}, "some have changed"),
        (drops_twins, "Every rating is in one of the two"),
        (draws_ids(lambda items, n, seed: items.value_counts().index[:n]),
         "Different seeds give the same split"),
        (draws_ids(lambda items, n, seed: np.random.default_rng(seed).choice(items, n)),
         "Draw each item once"),
        (draws_ids(lambda items, n, seed: items.sample(frac=1, random_state=seed).unique()[:n]),
         "the same chance"),
        (counts_groups, "counting the items that have ratings"),
        (walks(until_full), "Who walks along the items"),
        (walks(never_the_last), r"300 seeds, item .* 0 times.* about 90 times each"),
        (walks_with_groups, r"300 seeds \(with groups\), item"),
        (no_seed_with_groups, "the same split, when there are groups"),
        (walks(one_coin_each), r"With the seed \d+, .* toss a coin"),
        (walks(random_order, int), "the fraction 0.19, 8 should be cold, and with you it is 7"),
        (walks(random_order, math.ceil), "the fraction 0.16, 6 should be cold"),
        (adds_labels, "changes the DataFrame"),
        (forgets_to_return, "returns nothing"),
    ],
    "lesson01.genre_mean": [
        ({"self.train = train\n        return self": "self.train = train"}, "returns nothing"),
        ({"self.train.item_rows(items))]": "self.train.item_rows(items))].T"}, "Transpose it"),
        ({"self.train.item_rows(items))]": "self.train.item_rows(items))].ravel()"},
         r"\(9, 14\) is wanted"),
        ({"self.scores[np.ix_(self.train.user_rows(users), self.train.item_rows(items))]":
          "self.scores"}, "in the order asked"),
        ({"self.scores[~rated.any(axis=1)] = np.nan": ""}, "User 'absent'"),
        ({"/ genres.sum(axis=1)": "/ np.maximum(genres.sum(axis=1), 1)"}, "Item 'bare'"),
        ({"~rated.any(axis=1)": "likes.sum(axis=1) == 0"}, "User 'choosy'"),
        ({"self.train = train": "self.train = train; self.scores[:, ~warm] = np.nan"},
         "The new items have genres, too"),
        ({"(warm @ genres +": "(rated @ genres +"}, "films of the genre that the user"),
        ({"(warm @ genres +": "(genres.sum(axis=0) +"}, "all films of the genre"),
        ({"warm = rated.any(axis=0)": "warm = np.ones(len(genres))"}, "all films of the genre"),
        ({"/ warm.sum()": "/ np.maximum(rated.sum(axis=1, keepdims=True), 1)"},
         "Your overall like rate b"),
        ({"/ warm.sum()": "/ len(genres)"}, "Your overall like rate b"),
        ({"(warm @ genres +": "(rated @ genres +",
          "/ warm.sum()": "/ np.maximum(rated.sum(axis=1, keepdims=True), 1)"},
         "films of the genre that the user"),
        ({"rates @ genres.T / genres.sum(axis=1)": "np.where(genres.any(axis=1), np.where("
          "genres.T > 0, rates[:, :, None], -1).max(axis=1), np.nan)"}, "the best of a film's"),
        ({"self.shrink * overall) / (warm @ genres + self.shrink)": "0) / (warm @ genres)"},
         "You don't shrink"),
        ({" + self.shrink * overall)": ")"}, "shrink towards zero"),
        ({"self.shrink * overall": "self.shrink * overall.mean()"}, "mean of all users"),
        ({" / genres.sum(axis=1)": " / (genres.sum(axis=1) > 0)"}, "add up the rates"),
        ({"likes=True": "likes=False"}, "You add up stars"),
        ({"train.matrix(likes=True).toarray(), ": "(train.matrix().toarray() > 0) * 1.0, "},
         "every rating as a like"),
        ({"self.shrink * overall) / (warm @ genres + self.shrink)":
          "10 * overall) / (warm @ genres + 10)"}, "always shrink by 10"),
        ({"likes, rated = ": "self.n = getattr(self, 'n', 0) + 1; likes, rated = self.n * "},
         "begin anew"),
        ({"self.train.user_rows(users)": "users"}, "stopped with IndexError"),
        ({"def score": "def scores"}, "no method score"),
        ({"(self, shrink: float = 10.0)": "(self)", "= shrink": "= 10.0"},
         r"calls GenreMean\(10.0\), and yours takes no arguments"),
        ({"def fit(self, train: cr.Ratings)": "def fit(train)"},
         r"calls fit\(Ratings.*\), and yours takes no arguments.* `self` in front"),
        ({"return self.scores": "import scipy.sparse; return scipy.sparse.csr_matrix(self.scores)"},
         "returns a sparse matrix"),
        ({", train.matrix().toarray() > 0": ", train.matrix() > 0"},
         r"stopped with \w+: .* That was in line \d+ of its cell.* The check had called fit\("),
    ],
    "lesson01.leaking": [
        ({", equal_nan=True": ""}, "'year' is no leak: .* NaN isn't equal to NaN"),
        ({"not np.array_equal": "np.array_equal"}, "all the honest features"),
        ({"everything = split.train.with_ratings(both)": "everything = split.train"},
         "'mean stars' leaks"),
        (other_stars, "'votes' leaks.* Take them away"),
        (compares(lambda a, b, cold: np.nansum(a) == np.nansum(b)), "'order' leaks.* row by row"),
        (compares(lambda a, b, cold: np.array_equal(a[cold], b[cold], equal_nan=True)),
         "'share' leaks.* all rows"),
        (compares(lambda a, b, cold: np.allclose(a, b, equal_nan=True)),
         "'last seen' leaks.* compare exactly"),
        (compares(lambda a, b, cold: a is None), "all the honest features"),
        (lambda features, split: dict(features), "return a dict"),
        (lambda features, split: 5, "return a int"),
        (lambda features, split: [list(features)], "Wanted are the names alone"),
        (asks("train", "test"), "'votes of warm films' is no leak"),
        (asks("both", "test"), "'votes of warm films' is no leak"),
        (asks("both", "nothing"), "'votes of warm films' is no leak"),
        (lambda features, split: ["leak"], "aren't names of features"),
        (lambda features, split: ["votes", "mean stars", "order", "share", "last seen"],
         r"should be \['votes'\]"),
        (forgets_to_return, "returns nothing"),
    ],
}


# Other right answers, to which no check may object ------------------------------------------------

def with_a_loop(ratings, fraction, seed, groups=None):
    rng = np.random.default_rng(seed)
    items = sorted(ratings["item"].unique())
    label = dict(zip(items, items, strict=True)) if groups is None else groups.to_dict()
    cold = set()
    for chosen in rng.permutation(sorted({str(label[item]) for item in items})):
        if len(cold) >= round(fraction * len(items)):
            break
        cold |= {item for item in items if str(label[item]) == chosen}
    train, test = [], []
    for row in ratings.to_dict("records"):
        (test if row["item"] in cold else train).append(row)
    return pd.DataFrame(train), pd.DataFrame(test)


def with_keys(items):
    keys = []
    for number, row in enumerate(items.to_dict("records")):
        named = isinstance(row["title"], str)
        keys.append(f"{row['title'].strip().casefold()} {row['year']}" if named else f"?{number}")
    return pd.Series(keys, list(items["item"])).sample(frac=1, random_state=0)


RIGHT = [
    ("lesson00.liked_share", lambda ratings, like=4.0: ratings.groupby("user")["rating"].apply(
        lambda stars: np.mean([s >= like for s in stars])).sort_values()),
    ("lesson00.by_chance", lambda n_liked, n_pool, n: (
        np.float64(min(n, n_pool) * n_liked / n_pool),
        np.divide(min(n, n_pool) * n_liked / n_pool, n_liked) if n_liked else np.nan)),
    ("lesson00.top_n", lambda scores, item_ids, n:
        pd.Series(scores, item_ids).dropna().sort_values(ascending=False).index[:n]),
    ("lesson01.recall_at_k", lambda ranked, relevant, k:
        np.mean([item in ranked[:k] for item in relevant]) if relevant else math.nan),
    ("lesson01.ndcg_at_k", dcg_over(lambda ranked, relevant, k: sum(
        1 / math.log(rank + 1) for rank in range(1, min(k, len(relevant)) + 1)), log=math.log)),
    ("lesson01.film_groups", with_keys),
    ("lesson01.film_groups", numbered(lambda title: title, lambda year: f"|{year}")),
    ("lesson01.item_cold_split", with_a_loop),
    ("lesson01.item_cold_split", walks(random_order)),
    ("lesson01.item_cold_split", walks(fair_walk)),
    ("lesson01.leaking", compares(lambda a, b, cold: pd.DataFrame(a).equals(pd.DataFrame(b)))),
]

for path in sorted(HERE.glob("test_checks_lesson*.py")):
    sheet = importlib.import_module(path.stem)
    WRONG, RIGHT = WRONG | sheet.WRONG, RIGHT + sheet.RIGHT


@pytest.fixture(autouse=True)
def no_assets(monkeypatch):
    """A check needs no data but its own."""
    monkeypatch.setattr("coldrec.assets.fetch", lambda name: pytest.fail(f"it reads {name}"))


def test_every_check_is_called_by_one_sheet_and_has_mistakes_to_tell():
    assert sorted(check for check, _, _ in calls()) == CHECKS
    assert sorted(WRONG) == CHECKS
    assert min(len(mistakes) for mistakes in WRONG.values()) >= 2


@pytest.mark.parametrize("check", CHECKS)
def test_the_solution_passes(check, capsys):
    run(check, written(check))
    assert capsys.readouterr().out == f"✓ {ANSWERS[check][1]} does what it should.\n"


@pytest.mark.parametrize("check, answer", RIGHT, ids=[f"{check}-{number}" for number, (check, _)
                                                     in enumerate(RIGHT)])
def test_another_right_answer_passes(check, answer):
    run(check, answer)


@pytest.mark.parametrize("check", CHECKS)
def test_the_untouched_stub_is_told_apart(check):
    with pytest.raises(NotWritten) as caught:
        run(check, written(check, read_stub))
    assert isinstance(caught.value, NotImplementedError)
    first = {"GenreMean": "GenreMean.fit"}.get(ANSWERS[check][1], ANSWERS[check][1])
    message = f"{first} isn't written yet: replace the line"
    assert re.fullmatch(f"{message} `raise [^.]*\\.\\.\\.\\)` in the cell above\\.",
                        str(caught.value))
    assert caught.value._render_traceback_() == [f"✗ {caught.value}"]


@pytest.mark.parametrize("check, mistake, hint", [
    pytest.param(check, *case, id=f"{check}-{number}")
    for check, mistakes in WRONG.items() for number, case in enumerate(mistakes)])
def test_a_likely_mistake_gets_the_hint_that_fits(check, mistake, hint):
    answer = written(check, edit=mistake) if isinstance(mistake, dict) else mistake
    with pytest.raises(CheckFailed, match=hint) as caught, np.errstate(all="ignore"):
        run(check, answer)
    assert not isinstance(caught.value, NotWritten)
    assert caught.value._render_traceback_() == [f"✗ {caught.value}"]


# What is no answer, and what goes wrong inside one ------------------------------------------------

ODD = [None, 3, "text", [], {}, (), np.array([]), np.full(3, np.nan), float("inf"), float("nan"),
       object(), torch.zeros(2, 2), torch.zeros(3, 4), torch.full((4, 4), torch.nan), True,
       pd.DataFrame(), [[1], [2, 3]], 10 ** 400, {1: 2}, {"share": "x", "p": [1]},
       {"weights": "x", "gradients": [1]},
       dict.fromkeys(("weights", "gradients", "optimiser", "total"), float("inf"))]


@pytest.mark.parametrize("check", WRONG)
def test_whatever_is_returned_the_check_says_a_sentence(check):
    for value in ODD:
        with pytest.raises(CheckFailed) as caught, np.errstate(all="ignore"):
            run(check, lambda *given, value=value: value)
        assert len(str(caught.value)) > 20 and "The check can't work" not in str(caught.value)


CLASS, INSTANCE = type("Shares", (), {}), type("GenreMean", (), {})()
ml = cr.Ratings.from_frames(pd.DataFrame({"user": [1, 1], "item": [1, 2], "rating": [5, 3]}))


def misspells(ratings, like=4.0):
    """Stop in a helper of pandas; the line below is the reader's last one."""
    def share(column):
        return (ratings[column] >= like).groupby(ratings["user"]).mean()
    return share("stars")


def not_from_pandas(ratings, like=4.0):
    return np.array([1]).nonsense


def reads_the_notebook(ratings, like=4.0):
    return (ml.ratings["rating"] >= like).groupby(ml.ratings["user"]).mean()


def stops_over_the_notebook(ratings, like=4.0):
    return [share / 0 for share in (lambda: ml.ratings["stars"])()]


def not_supported(ratings, like=4.0):
    return pd.Series([1]).rolling(1).sem(ddof=0, engine="none") if len(ratings) < 0 else hidden()


def hidden():
    exec(compile("raise NotImplementedError('no such engine')", "elsewhere.py", "exec"))


def arrays_for_labels(items):
    return pd.Series([np.arange(2)] * len(items), items["item"])


@pytest.mark.parametrize("check, answer, message", [
    ("lesson00.liked_share", CLASS, "Shares is a class. Wanted is a function."),
    ("lesson00.liked_share", INSTANCE, "check a GenreMean. Give it the function itself"),
    ("lesson00.liked_share", pd.Series([0.5]), "You give the check a Series. .* without parenth"),
    ("lesson01.genre_mean", INSTANCE, "a GenreMean object. Give it the class itself: GenreMean, w"),
    ("lesson01.genre_mean", misspells, "misspells is a function. Wanted is a class."),
    ("lesson00.liked_share", lambda ratings: 1.0,
     r"calls <lambda>\(DataFrame, 4.0\), and yours takes ratings. Leave the `def` line as it is"),
    ("lesson00.top_n", lambda scores, n: [],
     r"<lambda>\(array\(.*, Index.*, 2\), and yours takes scores, n. Leave"),
    ("lesson00.liked_share", misspells, r"^misspells stopped with KeyError: 'stars'. That was in "
     r"line \d+ of its cell, `return \(ratings\[column\] >= like.*`. The check had called "
     r"misspells\(DataFrame, 4.0\).$"),
    ("lesson00.liked_share", not_from_pandas, "has no attribute 'nonsense'. That was in line"),
    ("lesson00.liked_share", reads_the_notebook,
     "reads_the_notebook uses `ml` from outside, and the check gives it other data: work with the "
     r"arguments only. What it met: The users \[3, 7, 9\] are missing"),
    ("lesson00.liked_share", stops_over_the_notebook, "uses `ml` from .* stopped with KeyError"),
    ("lesson00.liked_share", not_supported, "stopped with NotImplementedError: no such engine. "
     "That was in line"),
    ("lesson01.film_groups", arrays_for_labels,
     r"^The check can't work with what arrays_for_labels returns \(ValueError: .*Does it return"),
])
def test_what_is_no_answer_is_said_so(check, answer, message):
    with pytest.raises(CheckFailed, match=message) as caught:
        run(check, answer)
    assert not isinstance(caught.value, NotWritten)
    assert caught.value._render_traceback_() == [f"✗ {caught.value}"]


def test_a_method_that_is_still_a_stub_is_named():
    """Half a class is no untouched stub."""
    half = written("lesson01.genre_mean", edit={
        "return self.scores": 'raise NotImplementedError("your turn")  # '})
    with pytest.raises(NotWritten, match="^GenreMean.score isn't written yet"):
        run("lesson01.genre_mean", half)


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_the_folded_solutions_are_the_solutions(path):
    blocks = BLOCK.finditer(path.read_text(encoding="utf-8"))
    code = [textwrap.dedent("\n".join(block.group().splitlines()[1:-1])) for block in blocks]
    text = "\n".join(cell.source for cell in read_stub(path).cells if cell.cell_type == "markdown")
    assert re.findall(r"```python\n(.*?)\n```", text, re.DOTALL) == code


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_every_exercise_has_card_ladder_and_check(path):
    text = path.read_text(encoding="utf-8")
    minutes = 0
    for number, exercise in enumerate(text.split("\n# ## Exercise ")[1:], 1):
        assert exercise.startswith(f"{number} · ")
        stars, needed = re.search(r"^# Difficulty (●+○*) · (\d+) minutes", exercise, re.M).groups()
        assert len(stars) == 5
        minutes += int(needed)
        ladder = re.findall(r"(?:<summary>|\ncr\.)(Hint|Help|Solution|checks)\b", exercise)
        assert ladder == ["Hint", "Help", "Solution", "checks"]
    assert f"\n# minutes: {minutes}\n" in text
