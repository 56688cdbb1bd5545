"""Checks of exercise sheet 06."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
from scipy.special import ndtri  # what norm.ppf gives, and fast

from coldrec.checks import CheckFailed, check, expect
from coldrec.checks.answers import brief, call, compare, number, what
from coldrec.checks.errors import name_of

NAN = float("nan")

# Exercise 1 ---------------------------------------------------------------------------------------

ARTICLE = ([0.4, 0.2, 0.1, 0.3], [0.6, 0.3, 0.5, 0.2], 0.5, 0.7, 0.1, 0.2)
PAIRS = [
    ARTICLE,
    ([0.6, 0.8], [1.0, 0.0], 2.0, 0.25, -0.5, 4.0),
    ([1.0, 2.0, 2.0], [-2.0, -1.0, 0.5], 1.5, 2.0, 3.5, -0.7),
    ([3.0, 4.0], [8.0, -6.0], 0.5, 3.0, 0.3, 3.1),
    ([-1.0, 0.5, 2.0, 0.0, 1.0], [-4.0, 1.0, 3.0, 2.0, 2.0], 1.2, 1.4, 0.4, 3.6),
]
COSINES = {
    "right": "", "dot": "Your cosine is the dot product. Divide it by both vectors' lengths.",
    "u": "You divide by the length of u only. The length of i belongs there too.",
    "i": "You divide by the length of i only. The length of u belongs there too.",
    "squares": "You divide by the *squares* of the lengths, u · u and i · i. Take the roots.",
    "loose": "Python reads a / b * c as (a / b) * c, so yours multiplies by the length of i. Put "
    "the product of the lengths into parentheses.",
    "sums": "You divide by the sums of the vectors' numbers. The length is the root of the sum of "
    "their squares: np.linalg.norm.",
    "centred": "You take the vectors' means away first. That is a correlation; the cosine leaves "
    "them in.",
    "distance": "You return 1 − cos, the cosine *distance*.",
    "abs": "Your cosine is never negative. Vectors that point away from each other have a cosine "
    "below 0.",
    "printed": "Your cosine is 0.7 for any vectors. Work it out of those that are given.",
}
RATINGS = {
    "right": "", "none": "The weights are missing in your rating: the cosine is multiplied by "
    "alpha_u and by alpha_i.",
    "u": "Your rating leaves out alpha_i.", "i": "Your rating leaves out alpha_u.",
    "sum": "You add the two weights. They are multiplied.",
    "beta_u": "Your rating leaves out beta_u.", "beta_i": "Your rating leaves out beta_i.",
    "betas": "The biases are missing in your rating.",
    "inside": "You multiply the biases by the weights as well. They are added at the end, as they "
    "are.",
    "product": "You multiply the biases with each other. They are added.",
    "clip": "You push the rating into the scale from 1 to 5. The formula doesn't: the article's "
    "example is below 1.",
}


@check
def worked_example(answer):
    """The article's pair, and others."""
    _compare(answer, "two numbers, the cosine and the rating", PAIRS, _pair, [
        ("You return the rating first. Wanted is the cosine, then the rating.",
         lambda *case: _pair(*case)[::-1]),
        ("You round. Return the numbers as they are, and round what you show.",
         lambda *case: np.round(_pair(*case), 3)),
        ("You round. Return the numbers as they are, and round what you show.",
         lambda *case: np.round(_pair(*case), 2)),
        *_mixed(_pair, COSINES, RATINGS)])


def _pair(u, i, alpha_u, alpha_i, beta_u, beta_i, cosine="right", rating="right"):
    """Return the cosine and the rating; the options make the likely mistakes."""
    u, i = np.array(u), np.array(i)
    if cosine == "centred":
        u, i = u - u.mean(), i - i.mean()
    long_u, long_i = np.linalg.norm(u), np.linalg.norm(i)
    lengths = {"dot": 1, "u": long_u, "i": long_i, "squares": (long_u * long_i) ** 2,
               "loose": long_u / long_i, "sums": abs(u).sum() * abs(i).sum()}
    cos = u @ i / lengths.get(cosine, long_u * long_i)
    cos = {"distance": 1 - cos, "abs": abs(cos), "printed": 0.7}.get(cosine, cos)
    weights = {"none": 1, "u": alpha_u, "i": alpha_i, "sum": alpha_u + alpha_i}.get(
        rating, alpha_u * alpha_i)
    biases = {"beta_u": beta_i, "beta_i": beta_u, "betas": 0, "product": beta_u * beta_i,
              "inside": weights * (beta_u + beta_i)}.get(rating, beta_u + beta_i)
    stars = weights * cos + biases
    return cos, np.clip(stars, 1, 5) if rating == "clip" else stars


# Exercise 2 ---------------------------------------------------------------------------------------

TRUE_COS, TRUE_RATING = _pair(*ARTICLE)
FROM_PRINTED = _pair(*ARTICLE, "printed")[1]
FIGURES = {  # key: (the right value, pairs of a wrong value and a hint, what is asked)
    "cos": (TRUE_COS, [
        (0.7, "0.7 is the cosine that the article prints. Work it out of the two vectors."),
        (0.41, "0.41 is the dot product. Divide it by both lengths."),
        (0.41 / (0.30 * 0.74), "0.30 and 0.74 are the *squares* of the lengths. Take their roots."),
    ], "the cosine of the article's two vectors"),
    "rating": (TRUE_RATING, [
        (0.7, "0.7 is the rating that the article prints. Put the right cosine into the formula."),
        (FROM_PRINTED, "This is what comes of the article's *printed* cosine, 0.7. It belongs "
         "under 'rating_by_printed_cos'; here the right cosine is wanted."),
        (TRUE_COS, "This is the cosine. The rating is 0.5 · 0.7 · cos + 0.1 + 0.2."),
    ], "the rating of the article's example, with the right cosine"),
    "rating_by_printed_cos": (FROM_PRINTED, [
        (0.7, "0.7 is what the article prints. Put its cosine into its formula: 0.5 · 0.7 · 0.7 "
         "+ 0.1 + 0.2 is less."),
        (TRUE_RATING, "This is the rating by the *right* cosine. Here the one that the article "
         "prints is wanted, 0.7, put into the same formula."),
        (0.245, "The biases are missing: 0.1 + 0.2 are added."),
    ], "the rating that comes of the article's own cosine, 0.7"),
}
CORRECTIONS = (*FIGURES, "shape_of_H", "two_meanings", "unused")
SIZES = [(943, 1682, 384), (3, 5, 2), (6, 4, 6)]


@check
def corrections(answer):
    """What is wrong in the article's fourth section, for data of three sizes."""
    for size in SIZES:
        found = _dictionary(answer, size)
        for key, (right, mistakes, asked) in FIGURES.items():
            _figure(key, found[key], right, mistakes, asked)
        _shape(found["shape_of_H"], *size)
        _letter(found["two_meanings"])
        _unused(found["unused"])


def _dictionary(answer, size) -> Mapping:
    found = call(answer, *size)
    if isinstance(found, pd.Series):
        found = found.to_dict()
    expect(isinstance(found, Mapping), f"You return {what(found)}. Wanted is a dictionary with "
           f"the keys {', '.join(map(repr, CORRECTIONS))}.")
    for key in CORRECTIONS:
        expect(key in found, f"Your dictionary has {brief(list(found))}; {key!r} is missing.")
        expect(found[key] is not None, f"Under {key!r} stands None: it is still to be found.")
    return found


def _figure(key, value, right, mistakes, asked) -> None:
    one = number(value)
    expect(one is not None, f"Under {key!r} stands {what(value)}. Wanted is one number: {asked}.")
    if abs(one - right) < 6e-4:  # three decimals will do
        return
    for wrong, hint in mistakes:
        expect(abs(one - wrong) >= 6e-4, f"Under {key!r} stands {brief(one)}. {hint}")
    expect(abs(one - right) >= 6e-3, f"Under {key!r} stands {brief(one)}. That is near; three "
           "decimals are wanted.")
    raise CheckFailed(f"Under {key!r} stands {brief(one)}, which isn't {asked}.")


def _shape(value, n_users, n_items, width) -> None:
    sizes = _floats(value)
    expect(sizes is not None and sizes.shape == (2,), "Under 'shape_of_H' stands "
           f"{what(value)}. Wanted is a pair: (number of rows, number of columns).")
    rows, columns = sizes
    given = f"For {n_users} users, {n_items} items and vectors of {width} numbers you have " \
        f"({rows:g}, {columns:g})."
    for wrong, hint in [
        ((n_users, n_items), "That is the article's own. A user's row would have as many numbers "
         "as there are items, an item's column as many as there are users: no cosine can be taken "
         "between them, and every new item would make all users' vectors longer."),
        ((width, n_users + n_items), "That is turned: each user and each item has a *row*, and a "
         "row has as many numbers as a vector."),
        ((n_users + n_items,) * 2, "The number of columns is that of a vector's numbers. It "
         "doesn't grow with users and items."),
        ((n_users, width), "That is room for the users' vectors. The items' have to stand there, "
         "too."),
        ((n_items, width), "That is room for the items' vectors. The users' have to stand there, "
         "too."),
        ((n_users * n_items, width), "That is a row for each *pair*. There is one for each user, "
         "and one for each item."),
        ((n_users + n_items, 2 * width), "A user's row and an item's row have the same columns: "
         "as many as a vector has numbers."),
    ]:
        expect((rows, columns) != wrong, f"{given} {hint}")
    expect((rows, columns) == (n_users + n_items, width), f"{given} Each user and each item has "
           "a row, and all vectors have one length.")


def _letter(value) -> None:
    expect(isinstance(value, str), f"Under 'two_meanings' stands {what(value)}. Wanted is a "
           "letter, as a text.")
    letter = value.strip().strip("$")
    hints = dict.fromkeys(("r", "r_ui"), "It does name a rating and a list of four, too. Asked is "
                          "the *capital* letter that names two things.")
    expect(letter == "R", f"Under 'two_meanings' stands {value!r}. "
           + hints.get(letter, "Which capital letter stands in two rows of the list of symbols?"))


def _unused(value) -> None:
    numbers = _floats(list(value) if isinstance(value, (set, frozenset)) else value)
    expect(numbers is not None, f"Under 'unused' stands {what(value)}. Wanted is the list of "
           "numbers that the example gives and the formula never uses.")
    for wrong, hint in [(ARTICLE[0], "That is the user's vector, and the cosine needs it."),
                        (ARTICLE[1], "That is the item's vector, and the cosine needs it.")]:
        expect(numbers.tolist() != wrong, f"Under 'unused' stands {brief(wrong)}. {hint}")
    expect(sorted(numbers.ravel()) == [2, 3, 4, 5], f"Under 'unused' stands {brief(value)}. Go "
           "through what the example gives, and tick off what the formula has a symbol for.")


# Exercise 3 ---------------------------------------------------------------------------------------

RATED = [
    ([4.0, 5.0, 4.0], [3.5, 4.0, 3.0], 0.2, 2.0),
    ([1.0], [3.0], -0.4, 4.0),
    ([5.0, 3.0, 4.0, 4.0, 2.0], [4.2, 3.1, 3.9, 4.4, 3.0], 0.1, 0.5),
    ([2.0, 3.0, 1.0, 2.5, 4.0, 3.5, 3.0, 2.0], [3.0, 3.7, 2.2, 3.3, 4.1, 4.0, 3.9, 2.4], 0.7, 5.0),
    ([], [], 0.3, 5.0),
]
RESIDUALS = {
    "right": "", "ratings": "You take the ratings as they are. The bias is about what they are "
    "*above* what was expected: ratings - expected.",
    "sign": "Your differences are turned around. An item that is liked more than expected has a "
    "bias above 0: ratings - expected.",
}
SHRUNK = {
    "right": "", "none": "You don't shrink: yours is the mean of the differences alone. The prior "
    "counts as `pull` ratings.",
    "zero": "You shrink towards 0. The prior is what the bias is pulled to: add pull * prior to "
    "the sum.",
    "one": "The prior counts as one rating in yours. It counts as `pull` of them.",
    "mean": "In your sum the ratings count once, by their mean, and in the number n times. Take "
    "the sum of the differences: (ratings - expected).sum().",
    "mean once": "All ratings together count as one in yours, by their mean. Each counts: take the "
    "sum of the differences, and divide by n + pull.",
    "sum": "In your sum the prior counts once, and in the number `pull` times. Add pull * prior.",
    "n": "You divide by the number of ratings. The prior counts as `pull` more: divide by n + "
    "pull.",
    "1": "You divide by n + 1. The prior counts as `pull` ratings: divide by n + pull.",
    "added": "You shrink the differences towards 0 and then add the whole prior. It is part of "
    "the mean: with many ratings nothing should be left of it.",
    "swapped": "Your weights have changed places: the ratings have the weight n, the prior the "
    "weight `pull`.",
    "half": "You take the middle between the ratings' mean and the prior. The more ratings, the "
    "more they should count.",
    "prior": "Yours is the prior, whatever the ratings say.",
}
NO_RATINGS = {
    "right": "", "nan": "Without any rating yours is NaN. (The mean of nothing is NaN, and 0 * NaN "
    "is NaN as well.) All that is known then is the prior.",
    "zero": "Without any rating you return 0. All that is known then is the prior.",
}


@check
def item_bias(answer):
    """Biases from three ratings, one, more, and none."""
    _compare(answer, "the item's bias, one number", RATED, _bias,
             _mixed(_bias, RESIDUALS, SHRUNK, NO_RATINGS))


def _bias(ratings, expected, prior, pull, residual="right", shrunk="right", none="right"):
    """Return the shrunk bias; the options make the likely mistakes."""
    n = len(ratings)
    if not n and none != "right":
        return {"nan": NAN, "zero": 0.0}[none]
    if not n:
        return prior
    left = np.array(ratings) - np.array(expected)
    left = {"right": left, "ratings": np.array(ratings), "sign": -left}[residual]
    total, mean = left.sum(), left.mean()
    return {"right": (total + pull * prior) / (n + pull), "none": mean, "zero": total / (n + pull),
            "mean": (mean + pull * prior) / (n + pull),
            "mean once": (mean + pull * prior) / (1 + pull),
            "one": (total + prior) / (n + 1), "sum": (total + prior) / (n + pull),
            "n": (total + pull * prior) / n, "1": (total + pull * prior) / (n + 1),
            "added": prior + total / (n + pull),
            "swapped": (pull * mean + n * prior) / (n + pull), "half": (mean + prior) / 2,
            "prior": prior}[shrunk]


# Exercise 4 ---------------------------------------------------------------------------------------

SYMBOLS = ("alpha_u", "alpha_i", "beta_u", "beta_i")
MODELS = [
    ([1.0, 3.0], [2.0, 4.0, 6.0], [1.5, 2.5], [3.0, 2.0, 2.5]),
    ([0.2, 0.5, 0.8, 0.3], [0.1, 0.4], [-0.4, -0.2, -0.9, -0.1], [4.0, 4.5]),
    ([7.0], [0.5, 0.25, 3.0], [3.5], [0.0, -0.2, 0.4]),
]


@check
def normalised(answer):
    """Three models; the two conditions, and that no prediction changes."""
    for case in MODELS:
        given = [np.array(part) for part in case]
        found = _parts(call(answer, *given), tuple(given),
                       "four arrays, alpha_u, alpha_i, beta_u and beta_i, as long as those given")
        _one_scale(given, found)
        _one_shift(given, found)


def _one_scale(given, found) -> None:
    (old_u, old_i), (new_u, new_i) = given[:2], found[:2]
    mean = new_i.mean()
    if not np.isclose(mean, 1):
        for value, hint in [
            (new_u.mean(), "You have made the mean of alpha_u 1. It is that of alpha_i that is "
             "wanted."),
            (new_i.sum(), "Your alpha_i have the *sum* 1. Divide by their mean."),
            ((new_i ** 2).sum(), "Your alpha_i have the length 1, as a vector. Divide by their "
             "mean."),
            (new_i.max(), "The largest of your alpha_i is 1. Divide by their mean."),
            (1 + mean, "The mean of your alpha_i is 0: you subtract it. A weight is scaled: "
             "divide."),
        ]:
            expect(not np.isclose(value, 1), hint)
        expect(not np.array_equal(old_i, new_i), "Your alpha_i are those that were given, and "
               f"their mean is {brief(mean)}. Divide them by it.")
        raise CheckFailed(f"The mean of your alpha_i is {brief(mean)}; it should be 1. Divide them "
                          "by the mean of those that were given.")
    factor = np.outer(new_u, new_i) / np.outer(old_u, old_i)
    expect(not np.array_equal(old_u, new_u), "You leave alpha_u as it is, so all products alpha_u "
           f"* alpha_i are {brief(factor[0, 0])} times what they were. What you divide one by, "
           "the other has to be multiplied by.")
    expect(np.allclose(factor, factor[0, 0]), "Not all products alpha_u * alpha_i change alike in "
           "yours. All alpha_i are divided by one number, and all alpha_u multiplied by it.")
    expect(np.isclose(factor[0, 0], 1), "The products alpha_u * alpha_i should stay, and yours are "
           f"{brief(factor[0, 0])} times what they were. Multiply alpha_u by the mean of the "
           "alpha_i that were *given*.")


def _one_shift(given, found) -> None:
    (old_u, old_i), (new_u, new_i) = given[2:], found[2:]
    mean, shift = new_u.mean(), old_u.mean()
    if not np.isclose(mean, 0, atol=1e-9):
        expect(not np.isclose(new_i.mean(), 0, atol=1e-9), "You have made the mean of beta_i 0. It "
               "is that of beta_u that is wanted.")
        expect(not np.array_equal(old_u, new_u), "Your beta_u are those that were given, and their "
               f"mean is {brief(mean)}. Subtract it.")
        expect(not np.isclose(mean, 1), "The mean of your beta_u is 1. A bias is shifted, not "
               "scaled: subtract the mean.")
        raise CheckFailed(f"The mean of your beta_u is {brief(mean)}; it should be 0. Subtract the "
                          "mean of those that were given.")
    more = np.add.outer(new_u, new_i) - np.add.outer(old_u, old_i)
    expect(not np.array_equal(old_i, new_i), "You leave beta_i as it is, so each prediction "
           f"changes by {brief(-shift)} stars. What you take from one bias, the other has to get.")
    expect(not np.allclose(more, -2 * shift), "You take the shift from both biases. What you take "
           "from beta_u, beta_i has to *get*.")
    expect(np.allclose(more, more[0, 0]), "Not all sums beta_u + beta_i change alike in yours. One "
           "number is taken from all beta_u and given to all beta_i.")
    expect(np.isclose(more[0, 0], 0, atol=1e-9), "The sums beta_u + beta_i should stay, and yours "
           f"are {brief(more[0, 0])} stars more than they were. Add to beta_i the mean of the "
           "beta_u that were *given*.")


# Exercise 5 ---------------------------------------------------------------------------------------

USERS = [
    ([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 0.5]], [3.0, 3.5, 3.2, 2.5],
     [5.0, 3.0, 4.0, 1.0], 1.0),
    ([[0.4, -1.0], [1.2, 0.3], [-0.7, 0.9], [0.1, 0.8], [-1.1, -0.6]], [3.1, 4.0, 2.8, 3.6, 3.3],
     [4.0, 3.0, 4.0, 5.0, 4.0], 2.5),
    ([[0.4, -1.0, 0.3], [1.2, 0.3, 0.8], [-0.7, 0.9, -0.2], [0.1, 0.8, 1.0], [-1.1, -0.6, 0.2],
      [0.5, 0.5, -0.9]], [3.1, 4.0, 2.8, 3.6, 3.3, 3.0], [2.0, 3.0, 1.0, 4.0, 1.0, 3.0], 0.3),
]
FEW = [([[0.5, 1.0, -0.4]], [3.4], [5.0], 2.0),
       ([[0.3, -0.8, 1.1], [1.0, 0.2, 0.5]], [3.9, 2.9], [2.0, 4.0], 0.7)]
LEFT = {
    "right": "", "all": "You fit the ratings as they are. What the items' biases explain is taken "
    "away first: ratings - item_biases.",
    "plus": "You add the items' biases to the ratings. They are taken away.",
}
PENALTIES = {
    "right": "", "none": "Your fit has no penalty. It is a ridge regression: add penalty times "
    "np.eye to the left side.",
    "bias": "You leave the bias out of the penalty. Here it is part of it, like all numbers of the "
    "user.",
    "ones": "You add the penalty to *every* entry of the left side. It belongs on the diagonal: "
    "penalty * np.eye(...).",
    "n": "You multiply the penalty by the number of ratings. Then a user with many ratings would "
    "be pulled to 0 as much as one with few.",
    "squared": "You square the penalty. It is used as it is.",
    "no column": "Your user has no bias. Put a column of ones beside the items' vectors, and fit "
    "all at once.",
    "first": "You take the bias first, as a mean, and fit the vector to what is left. Both are "
    "fitted at once: with a column of ones beside the items' vectors.",
    "after": "You fit the vector first, and the bias to what it leaves. Both are fitted at once: "
    "with a column of ones beside the items' vectors.",
}
FORMS = {
    "right": "", "raw": "Your u isn't of length one. Divide the fitted vector by its length, which "
    "is alpha_u.",
    "one": "You return alpha_u = 1 for all. It is the length of the fitted vector.",
    "all": "You take the bias for a part of the vector when you take its length. The length is "
    "that of the vector alone.",
    "squared": "Your alpha_u is the square of the length. Take the root.",
}


@check
def user_step(answer):
    """Users with more ratings than numbers to fit, then with fewer."""
    mistakes = _mixed(_step, LEFT, PENALTIES, FORMS)
    wanted = "three things: alpha_u, a number; u, a vector; beta_u, a number"
    _compare(answer, wanted, USERS, _step, mistakes)
    _compare(answer, wanted, FEW, _step)


def _step(items, biases, ratings, penalty, left="right", penalised="right", form="right"):
    """Return the user's numbers; the options make the likely mistakes."""
    items, rest = np.array(items), np.array(ratings)
    n, width = items.shape
    rest = rest + {"right": -1, "all": 0, "plus": 1}[left] * np.array(biases)
    first = rest.mean()
    if penalised in ("no column", "after", "first"):
        seen, told = items, rest - first * (penalised == "first")
    else:
        seen, told = np.column_stack([items, np.ones(n)]), rest
    size = seen.shape[1]
    square = penalty * np.eye(size)
    added = {"none": 0 * square, "n": n * square, "squared": penalty * square,
             "bias": square * (np.arange(size) < width),
             "ones": np.full((size, size), penalty)}.get(penalised, square)
    found = np.linalg.lstsq(seen.T @ seen + added, seen.T @ told, rcond=None)[0]
    vector, bias = found[:width], found[-1]
    if size == width:
        bias = {"no column": 0.0, "first": first,
                "after": (rest - items @ vector).mean()}[penalised]
    length = np.linalg.norm(vector)
    if form == "all":
        length = np.linalg.norm(found)
    return ({"one": 1.0, "squared": length ** 2}.get(form, length),
            vector if form == "raw" else vector / length, bias)


# Exercise 6 ---------------------------------------------------------------------------------------

BELIEFS = [
    (3.5, 0.25, [5.0, 4.0, 5.0], 1.0),
    (3.0, 2.0, [1.0], 0.5),
    (2.5, 0.1, [4.0, 3.0, 5.0, 4.0, 4.5, 3.5, 5.0], 1.3),
    (4.0, 0.7, [2.0, 2.0], 0.9),
    (3.2, 0.4, [], 1.0),
]
MEANS = {
    "right": "", "swapped": "Your mean weights by the *variances*, so what is least certain counts "
    "most. The weights are their inverses.",
    "swapped once": "Your mean weights by the *variances*, so what is least certain counts most, "
    "and the ratings only once. The weights are precisions: 1 / prior_var, and n / noise_var.",
    "swapped mean": "Your mean weights by the *variances*, that of the prior and that of the "
    "ratings' mean, so what is least certain counts most. The weights are their inverses.",
    "one": "In your mean, all ratings together count as one. Each brings its precision: n / "
    "noise_var.",
    "count": "In your mean, you divide the sum of all ratings by the precision after one. Each "
    "brings its precision: n / noise_var.",
    "half": "Your mean sums up the precisions of n ratings, and of what they say only the mean is "
    "taken once. It is sum(ratings) / noise_var.",
    "alone": "Your mean forgets the prior.", "prior": "Your mean is the prior's, whatever the "
    "ratings say.",
    "middle": "Your mean is the middle between the prior's and that of the ratings. Each is "
    "weighted by its precision.",
}
VARIANCES = {
    "right": "", "precision": "You return the precision. The variance is one over it.",
    "deviation": "You return the standard deviation. The variance is wanted.",
    "one": "Your variance is that after one rating, however many there are. Each brings its "
    "precision: n / noise_var.",
    "sum": "You return a sum of variances. It is the precisions that are added, 1 / prior_var and "
    "n / noise_var, and the variance is one over their sum.",
    "inverse": "Your precision is a sum of *variances*. A precision is one over a variance: add up "
    "1 / prior_var and n / noise_var.",
    "sum once": "You return a sum of variances. It is the precisions that are added, 1 / prior_var "
    "and n / noise_var, and the variance is one over their sum.",
    "inverse once": "Your precision is a sum of *variances*. A precision is one over a variance: "
    "add up 1 / prior_var and n / noise_var.",
    "noise": "You add the noise of a further rating to the variance. Wanted is how uncertain the "
    "*mean* is.",
    "alone": "Your variance forgets the prior.",
    "added": "You add the variances. It is the precisions that are added; the more is known, the "
    "smaller the variance.",
    "prior": "Your variance is the prior's. Each rating makes it smaller.",
    "sample": "Your variance is that of the ratings. `noise_var` says how they spread.",
}
ROOTS = {
    "right": "", "squares": "You take the variances for standard deviations, and square them.",
}
NOTHING = {
    "right": "", "nan": "Without ratings yours is NaN. (The mean of nothing is NaN; the sum of "
    "nothing is 0.) Then it is the prior, mean and variance.",
    "one": "Without ratings yours is as if there were one. Then it is the prior, mean and "
    "variance.",
    "variance": "Without ratings your variance is as if there were one. Then it is the prior's.",
    "both": "Without ratings your mean is NaN (the mean of nothing), and your variance as if there "
    "were one. Then it is the prior, mean and variance.",
}


@check
def posterior(answer):
    """Beliefs after three ratings, one, more, and none."""
    wanted = "two numbers, the mean and the variance"
    _compare(answer, wanted, BELIEFS, _posterior, [
        ("You return the variance first. Wanted is the mean, then the variance.",
         lambda *case: _posterior(*case)[::-1]),
        *_mixed(_posterior, MEANS, VARIANCES, ROOTS, NOTHING)])


def _posterior(mean, var, ratings, noise, means="right", variances="right", roots="right",
               nothing="right"):
    """Return mean and variance; the options make the likely mistakes."""
    n, ratings = len(ratings), np.array(ratings)
    if roots == "squares":
        var, noise = var ** 2, noise ** 2
    precision, after_one = 1 / var + n / noise, 1 / var + 1 / noise
    own = ratings.mean() if n else mean
    found = {
        "right": (mean / var + n * own / noise) * (1 / precision),
        "swapped": (mean * var + n * own * noise) / (var + n * noise),
        "swapped once": (mean * var + own * noise) / (var + noise),
        "swapped mean": (mean * var + own * noise / n) / (var + noise / n) if n else mean,
        "one": (mean / var + own / noise) / after_one,
        "count": (mean / var + n * own / noise) / after_one if n else mean,
        "half": (mean / var + own / noise) / precision if n else mean,
        "alone": own, "prior": mean, "middle": (mean + own) / 2}[means]
    if not n:
        found = {"nan": NAN, "both": NAN, "one": mean / var / after_one}.get(nothing, found)
        if nothing in ("one", "both", "variance"):
            return found, 1 / after_one
    variance = {"precision": precision, "deviation": precision ** -0.5,
                "one": 1 / after_one if n else var, "noise": 1 / precision + noise,
                "sum": var + n * noise, "inverse": 1 / (var + n * noise),
                "sum once": var + noise, "inverse once": 1 / (var + noise),
                "alone": noise / n if n else var, "added": var + noise / n if n else var,
                "prior": var, "sample": ratings.var() if n else var}.get(variances, 1 / precision)
    return found, variance


# Exercise 7 ---------------------------------------------------------------------------------------

QUANTILES = {
    "right": "", "one": "You leave the whole rest on one side. It is split: half below, half "
    "above, so the quantile is that of (1 + level) / 2.",
    "low": "Your quantile is the negative one, so your intervals end before they begin. Take that "
    "of (1 + level) / 2.",
    "none": "You take one standard deviation on each side, whatever the level. How many it are, "
    "norm.ppf((1 + level) / 2) tells.",
    "two": "You take two standard deviations on each side, whatever the level. How many it are, "
    "norm.ppf((1 + level) / 2) tells.",
    "1.96": "You take 1.96 standard deviations, those of 95 %, whatever the level. "
    "norm.ppf((1 + level) / 2) tells how many it are.",
    "1.645": "You take 1.645 standard deviations, those of 90 %, whatever the level. "
    "norm.ppf((1 + level) / 2) tells how many it are.",
    "level": "You multiply the deviations by the level. By how many of them an interval reaches, "
    "norm.ppf((1 + level) / 2) tells.",
}
SPREADS = {
    "right": "", "variance": "You use the variances. An interval is so many standard *deviations* "
    "wide, and those are given.",
    "root": "You take the root of the deviations. They are roots already.",
    "mean": "You use the mean deviation for all. Each rating has an interval of its own.",
    "narrow": "You halve the intervals: they reach so many deviations to *each* side.",
    "error": "You divide by the root of the number of ratings. That is for a mean; here each "
    "single rating has its interval.",
}
SIDES = {
    "right": "", "outside": "You count what is *outside*.",
    "below": "You look at the upper bound only. A rating that is far too low is outside as well: "
    "take the absolute difference.",
    "above": "You look at the lower bound only. A rating that is far too high is outside as well: "
    "take the absolute difference.",
}
BOUNDS = {
    "right": "", "open": "What lies right on a bound is outside in yours. Bounds belong to the "
    "interval: compare with <= and not with <.",
}
SHARES = {
    "right": "", "number": "You return how many they are. The share is wanted: divide by all.",
    "percent": "You return per cent. The share is wanted, from 0 to 1.",
}


@check
def covered(answer):
    """A few ratings by hand, drawn ones at several levels, and some on a bound."""
    _compare(answer, "the share of the ratings, one number", list(_intervals()), _covered,
             _mixed(_covered, QUANTILES, SPREADS, SIDES, BOUNDS, SHARES))


def _intervals():
    yield ([4.0, 3.0, 5.0, 1.0], [3.5, 3.2, 3.9, 3.8], [1.0, 0.5, 0.6, 1.2], 0.9)
    rng = np.random.default_rng(4)
    for level in (0.5, 0.8, 0.95, 0.3):
        mean, deviation = rng.uniform(2, 4.5, 300), rng.uniform(0.3, 1.8, 300)
        away = rng.permutation(np.linspace(-2.9, 3.1, 300))  # so dense that 1.96 isn't 2
        rounded = (np.round(part, 3) for part in (mean + away * deviation, mean, deviation))
        yield *(part.tolist() for part in rounded), level
    # Only here is a bound exact in any way to compute it: at the level 0 it is the mean.
    yield [3.0, 4.0, 2.5, 5.0, 1.5], [3.0, 4.0, 3.0, 4.5, 1.5], [1.0, 0.5, 0.8, 1.2, 0.9], 0.0


def _covered(truth, mean, deviation, level, quantile="right", spread="right", side="right",
             bound="right", share="right"):
    """Return the share; the options make the likely mistakes."""
    truth, mean, deviation = map(np.array, (truth, mean, deviation))
    z = {"right": ndtri((1 + level) / 2), "one": ndtri(level),
         "low": ndtri((1 - level) / 2), "none": 1, "two": 2, "1.96": ndtri(0.975),
         "1.645": ndtri(0.95), "level": level}[quantile]
    half = z * {"right": deviation, "variance": deviation ** 2, "root": deviation ** 0.5,
                "mean": deviation.mean(), "narrow": deviation / 2,
                "error": deviation / len(truth) ** 0.5}[spread]
    away = truth - mean
    away = {"below": away, "above": -away}.get(side, abs(away))
    inside = away < half if bound == "open" else away <= half
    inside = ~inside if side == "outside" else inside
    return {"right": inside.mean(), "number": inside.sum(), "percent": 100 * inside.mean()}[share]


# Exercise 8 ---------------------------------------------------------------------------------------

SHOTS = [0.0, 1.0, 2.0, 5.0, 10.0, 20.0]
CURVES = [
    (SHOTS, [1.1, 1.05, 1.0, 0.96, 0.9, 0.88], [0.95] * 6),
    (SHOTS, [1.1, 1.05, 1.0, 0.94, 0.9, 0.88], [0.97, 0.97, 0.96, 0.955, 0.95, 0.95]),
    ([1.0, 3.0, 10.0, 30.0], [1.2, 1.0, 1.1, 0.8], [1.1, 1.05, 1.0, 1.0]),
    ([0.0, 2.0, 4.0], [1.0, 0.9, 0.8], [0.9, 0.7, 0.5]),
    ([1.0, 2.0, 4.0], [0.8, 0.7, 0.6], [0.9, 0.9, 0.9]),
    ([2.0, 4.0, 8.0], [0.8, 0.85, 1.1], [0.9, 0.9, 0.9]),
    ([2.0, 4.0, 8.0, 16.0], [0.9, 1.0, 1.0, 0.8], [1.0, 0.95, 0.9, 0.9]),
    ([0.0, 1.0, 4.0, 5.0], [1.0, 0.75, 1.0, 0.5], [0.875, 0.75, 0.75, 0.75]),
    ([0.0, 1.0, 4.0, 5.0], [1.0, 0.75, 0.75, 0.5], [0.875, 0.75, 0.75, 0.75]),
    ([3.0, 6.0], [1.0, 0.5], [0.5, 0.5]),
]
PLACES = {
    "right": "", "after": "You return the first k that was measured at which `one` is ahead. The "
    "curves cross before it: where a straight line from the point before says that the gap is 0.",
    "before": "You return the last k before `one` is ahead. The curves cross after it: where a "
    "straight line to the next point says that the gap is 0.",
    "middle": "You return the middle between two points. Where the gap is 0 depends on its size at "
    "both.",
    "index": "You return a place in the list. Wanted is a k, and their steps differ in size.",
    "turned": "You weight the two points the wrong way round: the crossing is near to the point "
    "where the gap is *small*.",
}
STARTS = {
    "right": "", "missed": "Where `one` is ahead at the first k already, that k is wanted; you "
    "look for a change only.",
    "zero": "Where `one` is ahead at the first k already, you return 0. That k may be another: "
    "k[0].",
    "wrapped": "Where `one` is ahead at the first k already, there is no point before it, and the "
    "place 0 - 1 = -1 is the *last* one. Then return k[0], before you look for a line.",
    "backwards": "Where `one` is ahead at the first k already, yours draws the line from there to "
    "the next point, and follows it backwards. Nothing crosses there: return k[0].",
}
NEVERS = {
    "right": "", "last": "Where `one` never gets ahead, you return the last k, as if it did there. "
    "NaN is wanted.",
    "inf": "Where `one` never gets ahead, you return infinity. NaN is wanted: further on nothing "
    "was measured.",
    "minus": "Where `one` never gets ahead, you return -1, which somebody might take for a number. "
    "NaN is wanted.",
    "zero": "Where `one` never gets ahead, you return 0, as if it were ahead from the start. NaN "
    "is wanted.",
    "wrapped": "Where `one` never gets ahead, yours draws a line from the last point to the first. "
    "(np.argmax of nothing but False is 0, and 0 - 1 is the last place.) NaN is wanted.",
    "first": "Where `one` never gets ahead, you return the first k, as if it were ahead from the "
    "start. (np.argmax of nothing but False is 0.) NaN is wanted.",
}
ORDERS = {
    "right": "", "last": "The curves may cross again. You return the last time that `one` gets "
    "ahead; the first is wanted.",
    "above": "You take higher for better. These are errors: ahead is who is *below*.",
    "either": "You count also where `one` falls *behind*. Look for the first k at which it is "
    "ahead.",
}
TIES = {
    "right": "", "ahead": "A tie isn't ahead: `one` has to be below the other.",
}


@check
def crossing(answer):
    """Curves that cross, cross twice, touch, never meet, or don't have to."""
    _compare(answer, "a number, k or NaN", CURVES, _crossing,
             _mixed(_crossing, PLACES, STARTS, NEVERS, ORDERS, TIES),
             nothing=f"{name_of(answer)} returns nothing. Does it say `return`? Where `one` never "
             "gets ahead, return float('nan'), not None.")


def _crossing(k, one, other, place="right", start="right", never="right", order="right",
              tie="right"):
    """Return the k; the options make the likely mistakes."""
    k, gap = np.array(k), np.subtract(one, other)
    gap = -gap if order == "above" else gap
    ahead = gap <= 0 if tie == "ahead" else gap < 0
    turns = 1 + np.flatnonzero((ahead[1:] != ahead[:-1]) if order == "either"
                               else ahead[1:] & ~ahead[:-1])
    if ahead[0] and order != "either" and start != "missed" and not (
            order == "last" and len(turns)):
        if start in ("right", "zero"):
            return k[0] if start == "right" else 0.0
        later = np.flatnonzero(ahead[1:])
        turns = [1 + later[0] if start == "backwards" and len(later) else 0]
    elif not len(turns):
        if never != "wrapped":
            return {"right": NAN, "last": k[-1], "inf": np.inf, "minus": -1.0, "zero": 0.0,
                    "first": k[0]}[never]
        turns = [0]
    j = turns[-1] if order == "last" else turns[0]
    share = gap[j - 1] / (gap[j - 1] - gap[j])  # the place -1 is the last one
    before, step = k[j - 1], k[j] - k[j - 1]
    return {"right": before + share * step, "after": k[j], "before": before,
            "middle": before + step / 2, "index": j - 1 + share,
            "turned": before + (1 - share) * step}[place]


# What all use -------------------------------------------------------------------------------------

def _mixed(version, *tables):
    """Return pairs of a hint and a version with mistakes, those that make one mistake first.

    Each table has the hints of one option of ``version``; its first one is no mistake.
    """
    choices = sorted(product(*tables), key=lambda options: sum(map("right".__ne__, options)))
    return [(" ".join(filter(None, (table[option] for table, option
                                    in zip(tables, options, strict=True)))),
             lambda *case, options=options: version(*case, *options)) for options in choices[1:]]


def _compare(answer, wanted, cases, right, mistakes=(), nothing="") -> None:
    """Compare as ``compare`` does, where the cases are lists: the function gets arrays of them.

    What it returns may be arrays, lists or tensors, if they have the parts of what ``right``
    returns: all numbers of them are compared.
    """
    @functools.wraps(answer)
    def asked(*case):
        arrays = [np.array(given, float) if isinstance(given, list) else given for given in case]
        want = right(*case)
        found, exact = (np.array(_flat(_parts(given, want, wanted)))
                        for given in (call(answer, *arrays, nothing=nothing), want))
        near = np.isclose(found, exact, 1e-6, 1e-9)  # as near as numbers of 32 bits come
        return np.where(near, exact, found).tolist()

    def flat(version):
        return lambda *case: _flat(version(*case))

    with np.errstate(all="ignore"):
        compare(asked, cases, flat(right), [(hint, flat(version)) for hint, version in mistakes])


def _parts(found, like, wanted) -> list[np.ndarray]:
    """Return the parts of an answer as arrays, if they have the shapes of those of ``like``."""
    if not isinstance(like, tuple):
        like, parts = (like,), [found]
    else:
        try:
            ordered = not isinstance(found, (str, Mapping, set, pd.DataFrame))
            parts = list(found) if ordered else [found]
        except TypeError:  # a number
            parts = [found]
    expect(len(parts) == len(like), f"You return {what(found)}. Wanted is {wanted}.")
    arrays = []
    for part, right in zip(parts, like, strict=True):
        array = _floats(part)
        expect(array is not None and array.shape == np.shape(right),
               f"You return {what(part)}" + (f" as part of {what(found)}" if part is not found
                                             else "") + f". Wanted is {wanted}.")
        arrays.append(array)
    return arrays


def _flat(parts):
    """Return a number, or the numbers of all parts in one list."""
    numbers = np.hstack([np.ravel(part) for part in parts] if isinstance(parts, (tuple, list))
                        else [parts]).tolist()
    return numbers[0] if len(numbers) == 1 else numbers


def _floats(found) -> np.ndarray | None:
    """Return the numbers of an array, list or tensor, or of one number; of all else, None."""
    if hasattr(found, "detach"):
        found = found.detach().cpu().numpy()
    try:
        cells = np.asarray(found, object)
    except ValueError:  # parts that don't fit together
        return None
    values = [number(cell) for cell in cells.ravel()]
    return None if None in values else np.array(values, float).reshape(cells.shape)
