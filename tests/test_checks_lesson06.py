"""The checks of sheet 06: likely mistakes get the hint that fits, other right answers pass.

That the solutions pass and the stubs are told apart is tested for all sheets in test_checks.py.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.distance import cosine
from scipy.stats import norm
from sheets import run, written
from sklearn.linear_model import Ridge

import coldrec as cr
from coldrec.checks import CheckFailed
from coldrec.checks.lesson06 import CORRECTIONS, CURVES

# Mistakes that are no single edit of the solution -------------------------------------------------


def gives_none(*given):
    return None


def turns_in_place(u, i, alpha_u, alpha_i, beta_u, beta_i):
    u /= np.linalg.norm(u)
    i /= np.linalg.norm(i)
    return u @ i, alpha_u * alpha_i * (u @ i) + beta_u + beta_i


def without_means(u, i, alpha_u, alpha_i, beta_u, beta_i):
    cos = np.corrcoef(u, i)[0, 1]
    return cos, alpha_u * alpha_i * cos + beta_u + beta_i


def corrected(**more):
    """Return the corrections with other entries; what can be called is given the sizes."""
    right = written("lesson06.corrections")

    def corrections(n_users, n_items, width):
        return right(n_users, n_items, width) | {
            key: value(n_users, n_items, width) if callable(value) else value
            for key, value in more.items()}
    return corrections


def by_mean(ratings, expected, prior, pull):
    n, mean = len(ratings), np.mean(ratings - expected)
    return (n * mean + pull * prior) / (n + pull)


def in_place(alpha_u, alpha_i, beta_u, beta_i):
    beta_u -= beta_u.mean()
    return alpha_u, alpha_i, beta_u, beta_i


def scaled(scale=np.mean, shift=np.mean, side="alpha_i", to="beta_u", up=1, back=1):
    """Return a normalisation by other numbers, of the other side, or given back otherwise."""
    def normalised(alpha_u, alpha_i, beta_u, beta_i):
        by = scale(alpha_i if side == "alpha_i" else 1 / alpha_u)
        less = shift(beta_u if to == "beta_u" else -beta_i)
        return alpha_u * by ** up, alpha_i / by, beta_u - less, beta_i + back * less
    return normalised


def fitted_apart(first):
    """Return a step that fits the bias before the vector, or after it."""
    def user_step(items, item_biases, ratings, penalty):
        left = ratings - item_biases
        bias = left.mean() * first
        vector = np.linalg.solve(items.T @ items + penalty * np.eye(items.shape[1]),
                                 items.T @ (left - bias))
        if not first:
            bias = (left - items @ vector).mean()
        return np.linalg.norm(vector), vector / np.linalg.norm(vector), bias
    return user_step


def with_the_bias(items, item_biases, ratings, penalty):
    seen = np.column_stack([items, np.ones(len(items))])
    fitted = np.linalg.solve(seen.T @ seen + penalty * np.eye(seen.shape[1]),
                             seen.T @ (ratings - item_biases))
    length = np.linalg.norm(fitted)
    return length, fitted[:-1] / length, fitted[-1]


def mean_of_nothing(prior_mean, prior_var, ratings, noise_var):
    precision = 1 / prior_var + len(ratings) / noise_var
    mean = prior_mean / prior_var + len(ratings) * np.mean(ratings) / noise_var
    return mean / precision, 1 / precision


def weighted_by_variances(prior_mean, prior_var, ratings, noise_var):
    n = len(ratings)
    return ((prior_mean * prior_var + ratings.sum() * noise_var) / (prior_var + n * noise_var),
            1 / (1 / prior_var + n / noise_var))


def by_summed_variances(prior_mean, prior_var, ratings, noise_var, whole=True):
    """Return a belief whose weights are variances, of all ratings or of their mean only."""
    told, times = (ratings.sum(), len(ratings)) if whole else (ratings.mean(), 1)
    weight = prior_var + times * noise_var
    return (prior_mean * prior_var + told * noise_var) / weight, 1 / weight


def one_sided(truth, mean, deviation, level):
    return np.mean(truth <= mean + norm.ppf((1 + level) / 2) * deviation)


def by_points(point):
    """Return a crossing that takes a point in place of a straight line between two."""
    def crossing(k, one, other):
        ahead = np.flatnonzero(one < other)
        if not len(ahead):
            return math.nan
        j = ahead[0]
        return k[0] if j == 0 else point(k, one - other, j)
    return crossing


def by_a_loop(k, one, other):
    """Return where the first line that ends ahead is at 0, wherever it begins."""
    gap = one - other
    for j in range(1, len(k)):
        if gap[j] < 0:
            return k[j - 1] + gap[j - 1] / (gap[j - 1] - gap[j]) * (k[j] - k[j - 1])
    return math.nan


def by_argmax(k, one, other):
    gap = one - other
    j = np.argmax(gap < 0)
    return k[j - 1] + gap[j - 1] / (gap[j - 1] - gap[j]) * (k[j] - k[j - 1])


def any_change(k, one, other):
    gap = one - other
    for j in range(1, len(k)):
        if (gap[j] < 0) != (gap[j - 1] < 0):
            return k[j - 1] + gap[j - 1] / (gap[j - 1] - gap[j]) * (k[j] - k[j - 1])
    return math.nan


AT_ONCE = "if after == 0:\n        return k[0]"

# For each check: (what is wrong, a piece of the hint). What is wrong is a function, or an edit of
# the solution, {old text: new text}.
WRONG = {
    "lesson06.worked_example": [
        ({" / (np.linalg.norm(u) * np.linalg.norm(i))": ""}, "cosine is the dot product"),
        ({"(np.linalg.norm(u) * np.linalg.norm(i))": "np.linalg.norm(u)"}, "length of u only"),
        ({"(np.linalg.norm(u) * np.linalg.norm(i))": "np.linalg.norm(i)"}, "length of i only"),
        ({"(np.linalg.norm(u) * np.linalg.norm(i))": "((u @ u) * (i @ i))"}, "Take the roots"),
        ({"(np.linalg.norm(u) * np.linalg.norm(i))": "np.linalg.norm(u) * np.linalg.norm(i)"},
         "into parentheses"),
        ({"np.linalg.norm(u) * np.linalg.norm(i)": "abs(u).sum() * abs(i).sum()"},
         "sums of the vectors' numbers"),
        ({"cos = u": "cos = 1 - u"}, r"cosine \*distance\*"),
        ({"cos = u @ i": "cos = abs(u @ i)"}, "never negative"),
        ({"return cos": "cos = 0.7; return cos"}, "0.7 for any vectors"),
        (without_means, "That is a correlation"),
        ({"alpha_u * alpha_i * cos": "cos"}, "weights are missing"),
        ({"alpha_u * alpha_i * cos": "alpha_u * cos"}, "leaves out alpha_i"),
        ({"alpha_u * alpha_i * cos": "alpha_i * cos"}, "leaves out alpha_u"),
        ({"alpha_u * alpha_i * cos": "(alpha_u + alpha_i) * cos"}, "add the two weights"),
        ({" + beta_u": ""}, "leaves out beta_u"),
        ({" + beta_i": ""}, "leaves out beta_i"),
        ({" + beta_u + beta_i": ""}, "biases are missing"),
        ({"beta_u + beta_i": "beta_u * beta_i"}, "multiply the biases with each other"),
        ({"cos + beta_u + beta_i": "(cos + beta_u + beta_i)"}, "biases by the weights as well"),
        ({"return cos, alpha_u * alpha_i * cos + beta_u + beta_i":
          "return cos, np.clip(alpha_u * alpha_i * cos + beta_u + beta_i, 1, 5)"}, "scale from 1"),
        ({" / (np.linalg.norm(u) * np.linalg.norm(i))": "", " + beta_u": ""},
         "the dot product.*leaves out beta_u"),
        ({"return cos, alpha_u * alpha_i * cos + beta_u + beta_i":
          "return alpha_u * alpha_i * cos + beta_u + beta_i, cos"}, "rating first"),
        ({"cos = u @ i / (np.linalg.norm(u) * np.linalg.norm(i))":
          "cos = round(u @ i / (np.linalg.norm(u) * np.linalg.norm(i)), 3)"}, r"should be \[0.87"),
        ({"return cos, alpha_u * alpha_i * cos + beta_u + beta_i":
          "return np.round((cos, alpha_u * alpha_i * cos + beta_u + beta_i), 3)"}, "You round"),
        ({"return cos, ": "return "}, "You return the float64 0.6046. Wanted is two numbers"),
        ({"return cos, ": "return str(cos), "}, "You return the str '0.8.*' as part of the tuple"),
        ({"return cos, ": "return [cos], "}, "You return the list .* as part of the tuple"),
        ({"return cos": "return 1 + cos"}, r"should be \[0.8702, 0.6046\], not \[1.8702, 0.6046\]"),
        ({"u @ i": "u * i"}, r"You return a ndarray of the shape \(4,\) as part of"),
        (turns_in_place, "changes the ndarray"),
        ({"u @ i": "user @ i"}, "stopped with NameError"),
        (lambda u, i: 0.7, "yours takes u, i"),
        (gives_none, "returns nothing"),
    ],
    "lesson06.corrections": [
        ({'"cos": cos': '"cos": 0.7'}, "'cos' stands 0.7. 0.7 is the cosine that the article"),
        ({'"cos": cos': '"cos": 0.41'}, "0.41 is the dot product"),
        ({'"cos": cos': '"cos": 0.41 / 0.3 / 0.74'}, r"\*squares\* of the lengths"),
        ({'"cos": cos': '"cos": 0.874'}, "That is near; three decimals"),
        ({'"cos": cos': '"cos": 0.5'}, "0.5, which isn't the cosine of the article's"),
        ({'"rating": rating': '"rating": 0.7'}, "'rating' stands 0.7. 0.7 is the rating that"),
        ({'"rating": rating': '"rating": 0.545'}, r"comes of the article's \*printed\* cosine"),
        ({'"rating": rating': '"rating": cos'}, "This is the cosine"),
        ({"0.5 * 0.7 * 0.7 + 0.1 + 0.2": "0.7"}, "0.7 is what the article prints"),
        ({"0.5 * 0.7 * 0.7 + 0.1 + 0.2": "rating"}, r"by the \*right\* cosine"),
        ({"0.5 * 0.7 * 0.7 + 0.1 + 0.2": "0.5 * 0.7 * 0.7"}, "The biases are missing"),
        ({'"cos": cos': '"cos": "0.87"'}, "Under 'cos' stands the str '0.87'. Wanted is one numb"),
        ({"(n_users + n_items, width)": "(n_users, n_items)"}, "That is the article's own"),
        ({"(n_users + n_items, width)": "(width, n_users + n_items)"}, "That is turned"),
        ({"(n_users + n_items, width)": "(n_users + n_items, n_users + n_items)"},
         "doesn't grow with users"),
        ({"(n_users + n_items, width)": "(n_users, width)"}, "room for the users' vectors"),
        ({"(n_users + n_items, width)": "(n_items, width)"}, "room for the items' vectors"),
        ({"(n_users + n_items, width)": "(n_users * n_items, width)"}, r"row for each \*pair\*"),
        ({"(n_users + n_items, width)": "(n_users + n_items, 2 * width)"}, "have the same columns"),
        ({"(n_users + n_items, width)": "(2625, 384)"},
         r"For 3 users, 5 items and vectors of 2 numbers you have \(2625, 384\)"),
        ({"(n_users + n_items, width)": "n_users + n_items"}, "stands the int 2625. Wanted is a p"),
        ({"(n_users + n_items, width)": "'(n_u+n_i) x d'"}, "Wanted is a pair"),
        ({'"two_meanings": "R"': '"two_meanings": "H"'}, "in two rows of the list of symbols"),
        ({'"two_meanings": "R"': '"two_meanings": "r"'}, r"the \*capital\* letter"),
        ({'"two_meanings": "R"': '"two_meanings": "r_ui"'}, r"the \*capital\* letter"),
        ({'"two_meanings": "R"': '"two_meanings": 2'}, "stands the int 2. Wanted is a letter"),
        ({"[5, 3, 2, 4]": "[0.4, 0.2, 0.1, 0.3]"}, "user's vector, and the cosine needs it"),
        ({"[5, 3, 2, 4]": "[0.6, 0.3, 0.5, 0.2]"}, "item's vector, and the cosine needs it"),
        ({"[5, 3, 2, 4]": "[0.5, 0.7]"}, "tick off what the formula has a symbol for"),
        ({"[5, 3, 2, 4]": "[5, 3, 2]"}, "tick off what the formula has a symbol for"),
        ({"[5, 3, 2, 4]": "'r_ui'"}, "Under 'unused' stands the str 'r_ui'. Wanted is the list"),
        ({"[5, 3, 2, 4]": "None"}, "Under 'unused' stands None: it is still to be found"),
        ({'"unused": [5, 3, 2, 4],': ""}, "'unused' is missing"),
        (corrected(shape_of_H=(3, 4, 5)), "Wanted is a pair"),
        (lambda n_users, n_items, width: 0.87, "You return the float 0.87. Wanted is a dictionary"),
        (lambda n_users, n_items, width: {}, "has .*; 'cos' is missing"),
        (lambda: {}, "yours takes no arguments"),
        (gives_none, "returns nothing"),
    ],
    "lesson06.item_bias": [
        ({"ratings - expected": "ratings"}, "You take the ratings as they are"),
        ({"ratings - expected": "expected - ratings"}, "differences are turned around"),
        ({" + pull * prior) / (len(ratings) + pull)": ") / (len(ratings) + pull)"},
         "You shrink towards 0"),
        ({"(above.sum() + pull * prior) / (len(ratings) + pull)":
          "above.mean() if len(above) else prior"}, "You don't shrink"),
        ({"(above.sum() + pull * prior) / (len(ratings) + pull)": "above.mean()"},
         "You don't shrink.*yours is NaN"),
        ({"(above.sum() + pull * prior) / (len(ratings) + pull)":
          "above.mean() if len(above) else 0.0"}, "You don't shrink.*you return 0"),
        ({"(len(ratings) + pull)": "len(ratings) if len(ratings) else prior"},
         "divide by the number of ratings"),
        ({"pull * prior": "prior", "+ pull)": "+ 1)"}, "counts as one rating"),
        ({"pull * prior": "prior", "return": "if not len(ratings): return prior\n    return"},
         "in the number `pull` times"),
        ({"+ pull)": "+ 1)", "return": "if not len(ratings): return prior\n    return"},
         r"divide by n \+ 1"),
        ({"(above.sum() + pull * prior)": "prior + above.sum()"}, "then add the whole prior"),
        ({"(above.sum() + pull * prior)": "(pull * above.mean() + len(ratings) * prior)",
          "return": "if not len(ratings): return prior\n    return"}, "have changed places"),
        ({"(above.sum() + pull * prior) / (len(ratings) + pull)": "(above.mean() + prior) / 2",
          "return": "if not len(ratings): return prior\n    return"}, "middle between the ratings"),
        ({"above.sum() + pull": "above.mean() * len(above) + pull"}, "yours is NaN"),
        (by_mean, "Without any rating yours is NaN"),
        ({"return": "if not len(ratings): return 0.0\n    return"}, "you return 0. All that is"),
        (lambda ratings, expected, prior, pull: prior, "the prior, whatever the ratings say"),
        ({"return (": "return 1 + ("}, r"should be 0.58, not 1.58"),
        ({"above.sum()": "above.mean()"}, "ratings count once, by their mean, and.*yours is NaN"),
        ({"above.sum()": "above.mean()", "return": "if not len(ratings): return prior\n    return"},
         "ratings count once, by their mean, and in the number n times"),
        ({"above.sum()": "above.mean()", "len(ratings) + pull": "1 + pull"},
         "count as one in yours.*yours is NaN"),
        ({"above.sum()": "above.mean()", "len(ratings) + pull": "1 + pull",
          "return": "if not len(ratings): return prior\n    return"}, "count as one in yours"),
        ({"above.sum()": "above"}, r"a ndarray of the shape \(3,\). Wanted is the item's bias"),
        ({"return (": "ratings -= expected; return ("}, "changes the ndarray"),
        ({"above.sum()": "over.sum()"}, "stopped with NameError"),
        (lambda ratings, expected, prior: prior, "yours takes ratings, expected, prior"),
        (lambda ratings, expected, prior, pull: "0.58", "You return the str '0.58'"),
        (gives_none, "returns nothing"),
    ],
    "lesson06.normalised": [
        ({"alpha_u * scale": "alpha_u"}, "You leave alpha_u as it is.*0.25 times"),
        ({"alpha_u * scale": "alpha_u / scale"}, "yours are 0.0625 times"),
        ({"alpha_i / scale": "alpha_i"}, "those that were given, and their mean is 4.0"),
        ({"alpha_i / scale": "alpha_i * scale"}, "mean of your alpha_i is 16.0"),
        ({"alpha_i / scale": "alpha_i - scale"}, "you subtract it. A weight is scaled"),
        ({"alpha_u * scale": "alpha_u + scale"}, "Not all products"),
        ({"alpha_u * scale": "alpha_u / alpha_u.mean()", "alpha_i / scale":
          "alpha_i * alpha_u.mean()"}, "You have made the mean of alpha_u 1"),
        (scaled(scale=np.sum), r"have the \*sum\* 1"),
        (scaled(scale=np.linalg.norm), "length 1, as a vector"),
        (scaled(scale=np.max), "largest of your alpha_i"),
        (scaled(scale=lambda alpha: 2 * alpha.mean()), "mean of your alpha_i is 0.5; it should"),
        ({"beta_u - shift": "beta_u"}, "Your beta_u are those that were given"),
        ({"beta_u - shift": "beta_u / shift"}, "A bias is shifted, not scaled"),
        ({"beta_u - shift": "beta_u + shift"}, "The mean of your beta_u is 4.0"),
        ({"beta_i + shift": "beta_i"}, "You leave beta_i as it is.* -2.0 stars"),
        ({"beta_i + shift": "beta_i - shift"}, "from both biases"),
        ({"beta_i + shift": "beta_i * shift"}, "Not all sums"),
        ({"beta_i + shift": "beta_i + 2 * shift"}, "yours are 2.0 stars more"),
        ({"beta_u - shift": "beta_u + beta_i.mean()", "beta_i + shift": "beta_i - beta_i.mean()"},
         "You have made the mean of beta_i 0"),
        ({"return alpha_u * scale, alpha_i / scale, beta_u - shift, beta_i + shift":
          "return alpha_u, alpha_i, beta_u, beta_i"}, "those that were given, and their mean"),
        ({"scale, shift = alpha_i.mean(), beta_u.mean()":
          "alpha_i = alpha_i / alpha_i.mean(); scale, shift = alpha_i.mean(), beta_u.mean()"},
         "You leave alpha_u as it is"),
        ({"alpha_u * scale": "alpha_u * scale * np.nan"}, "Not all products"),
        ({", beta_i + shift": ""}, "You return the tuple .* Wanted is four arrays"),
        ({"beta_i + shift": "None"}, "as part of the tuple"),
        ({"alpha_u * scale, alpha_i / scale": "alpha_i / scale, alpha_u * scale"},
         r"a ndarray of the shape \(3,\) as part of the tuple"),
        (in_place, "changes the ndarray"),
        (lambda alpha_u, alpha_i: (alpha_u, alpha_i), "yours takes alpha_u, alpha_i"),
        (gives_none, "returns nothing"),
    ],
    "lesson06.user_step": [
        ({"ratings - item_biases": "ratings"}, "You fit the ratings as they are"),
        ({"ratings - item_biases": "ratings + item_biases"}, "They are taken away"),
        ({" + penalty * np.eye(seen.shape[1])": ""}, "Your fit has no penalty"),
        ({"penalty * np.eye(seen.shape[1])": "penalty * np.diag(np.arange(seen.shape[1]) < "
          "items.shape[1])"}, "bias out of the penalty"),
        ({"penalty * np.eye(seen.shape[1])": "penalty"}, r"\*every\* entry"),
        ({"penalty * np.eye": "len(items) * penalty * np.eye"}, "by the number of ratings"),
        ({"penalty * np.eye": "penalty ** 2 * np.eye"}, "square the penalty"),
        ({"np.column_stack([items, np.ones(len(items))])": "items",
          "fitted[:-1], fitted[-1]": "fitted, 0.0"}, "Your user has no bias"),
        (fitted_apart(first=True), "You take the bias first"),
        (fitted_apart(first=False), "fit the vector first"),
        ({"vector / alpha_u": "vector"}, "isn't of length one"),
        ({"return alpha_u": "return 1.0"}, "You return alpha_u = 1"),
        ({"return alpha_u": "return alpha_u ** 2"}, "square of the length"),
        (with_the_bias, "take the bias for a part"),
        ({"np.column_stack([items, np.ones(len(items))])":
          "np.column_stack([np.ones(len(items)), items])"}, "should be"),
        ({"ratings - item_biases": "ratings", "vector / alpha_u": "vector"},
         "as they are.*isn't of length one"),
        ({"alpha_u = np": "if len(items) < 3: return 1.0, vector, beta_u\n    alpha_u = np"},
         "should be"),
        ({"return alpha_u, vector / alpha_u, beta_u": "return vector, beta_u"},
         "Wanted is three things"),
        ({"return alpha_u, vector / alpha_u, beta_u": "return alpha_u, fitted, beta_u"},
         r"a ndarray of the shape \(3,\) as part"),
        ({"seen.T @ (ratings": "seen @ (ratings"}, "stopped with ValueError"),
        ({"seen = np.column_stack": "ratings -= item_biases; seen = np.column_stack"},
         "changes the ndarray"),
        (lambda items, ratings, penalty: 0, "yours takes items, ratings, penalty"),
        (gives_none, "returns nothing"),
    ],
    "lesson06.posterior": [
        (weighted_by_variances, r"by the \*variances\*"),
        ({"return mean, 1 / precision": "return mean, precision"}, "You return the precision"),
        ({"return mean, 1 / precision": "return mean, precision ** -0.5"}, "standard deviation"),
        ({"return mean, 1 / precision": "return 1 / precision, mean"}, "variance first"),
        ({"return mean, 1 / precision": "return mean, 1 / precision + noise_var"},
         "noise of a further rating"),
        ({"return mean, 1 / precision": "return mean, prior_var"}, "variance is the prior's"),
        ({"return mean, 1 / precision": "return mean, prior_var + noise_var / len(ratings) "
          "if len(ratings) else prior_var"}, "You add the variances"),
        ({"return mean, 1 / precision": "return mean, np.var(ratings) if len(ratings) else "
          "prior_var"}, "variance is that of the ratings"),
        ({"return mean, 1 / precision": "return mean, noise_var / len(ratings) if len(ratings) "
          "else prior_var"}, "variance forgets the prior"),
        ({"ratings.sum()": "(ratings.mean() if len(ratings) else 0)"}, "only the mean is taken"),
        ({"len(ratings) / noise_var": "(len(ratings) > 0) / noise_var",
          "ratings.sum()": "(ratings.mean() if len(ratings) else 0)"},
         "all ratings together count as one.*variance is that after one"),
        ({"len(ratings) / noise_var": "1 / noise_var"},
         "sum of all ratings by the precision after one.*variance is that after one.*as if there"),
        ({"len(ratings) / noise_var": "1 / noise_var", "ratings.sum()": "ratings.mean()"},
         "all ratings together count as one.*variance is that after one.*your mean is NaN"),
        ({"return mean, 1 / precision": "return mean, 1 / (1 / prior_var + 1 / noise_var)"},
         "variance is that after one rating.*your variance is as if there were one"),
        ({"ratings.sum()": "ratings.mean()"}, "only the mean is taken once.*yours is NaN"),
        (by_summed_variances, r"by the \*variances\*.*precision is a sum of \*variances\*"),
        (lambda *given: by_summed_variances(*given, whole=False),
         r"by the \*variances\*.*the ratings only once.*sum of \*variances\*.*yours is NaN"),
        ({"1 / prior_var + len(ratings) / noise_var": "prior_var + len(ratings) * noise_var",
          "prior_mean / prior_var + ratings.sum() / noise_var":
          "prior_mean * prior_var + ratings.sum() * noise_var", "1 / precision": "precision"},
         r"by the \*variances\*.*You return a sum of variances"),
        ({"1 / prior_var + len(ratings) / noise_var": "prior_var + noise_var",
          "prior_mean / prior_var + ratings.sum() / noise_var": "prior_mean * prior_var + "
          "(ratings.mean() if len(ratings) else prior_mean) * noise_var",
          "1 / precision": "precision"}, r"the ratings only once.*You return a sum of variances"),
        ({"return mean, 1 / precision": "spread = noise_var / max(1, len(ratings)); return "
          "(prior_mean * prior_var + ratings.mean() * spread) / (prior_var + spread) "
          "if len(ratings) else prior_mean, 1 / precision"}, "that of the ratings' mean, so what"),
        ({"return mean, 1 / precision": "return prior_mean, 1 / precision"}, "mean is the prior's"),
        ({"return mean, 1 / precision": "mean = ratings.mean() if len(ratings) else prior_mean; "
          "return mean, 1 / precision"}, "mean forgets the prior"),
        ({"return mean, 1 / precision": "mean = (prior_mean + ratings.mean()) / 2 if len(ratings) "
          "else prior_mean; return mean, 1 / precision"}, "middle between the prior's"),
        ({"precision = 1": "prior_var, noise_var = prior_var ** 2, noise_var ** 2; precision = 1"},
         "and square them"),
        (mean_of_nothing, "Without ratings yours is NaN"),
        ({"return mean, 1 / precision": "return prior_mean, prior_var"},
         "mean is the prior's.*variance is the prior's"),
        ({"return mean": "return mean + 1"}, r"should be \[4.0?.*, not \[5"),
        ({"return mean, 1 / precision": "return mean"}, "Wanted is two numbers"),
        ({"return mean, 1 / precision": "return {'mean': mean, 'var': 1 / precision}"},
         "You return the dict"),
        ({"precision = 1": "ratings.sort(); precision = 1"}, "changes the ndarray"),
        ({"ratings.sum()": "sum(rating)"}, "stopped with NameError"),
        (lambda prior_mean, prior_var, ratings: 0, "yours takes prior_mean, prior_var, ratings"),
        (gives_none, "returns nothing"),
    ],
    "lesson06.covered": [
        ({"(1 + level) / 2": "level"}, "whole rest on one side"),
        ({"(1 + level) / 2": "(1 - level) / 2"}, "the negative one"),
        ({"norm.ppf((1 + level) / 2)": "1"}, "one standard deviation on each side"),
        ({"norm.ppf((1 + level) / 2)": "2"}, "two standard deviations"),
        ({"norm.ppf((1 + level) / 2)": "norm.ppf(0.975)"}, "those of 95 %"),
        ({"norm.ppf((1 + level) / 2)": "norm.ppf(0.95)"}, "those of 90 %"),
        ({"norm.ppf((1 + level) / 2)": "level"}, "multiply the deviations by the level"),
        ({"(1 + level) / 2": "level / 2"}, "the negative one"),
        ({"* deviation": "* deviation ** 2"}, "You use the variances"),
        ({"* deviation": "* np.sqrt(deviation)"}, "They are roots already"),
        ({"* deviation": "* deviation.mean()"}, "the mean deviation for all"),
        ({"* deviation": "* deviation / 2"}, "You halve the intervals"),
        ({"* deviation": "* deviation / len(truth) ** 0.5"}, "That is for a mean"),
        ({"<= half": "> half"}, r"what is \*outside\*"),
        ({"np.abs(truth - mean)": "(truth - mean)"}, "the upper bound only"),
        (one_sided, "the upper bound only"),
        ({"np.abs(truth - mean)": "(mean - truth)"}, "the lower bound only"),
        ({"<= half": "< half"}, "compare with <= and not with <"),
        ({"np.abs(truth - mean) <= half": "(truth - mean < half) & (mean - truth < half)"},
         "Bounds belong to the interval"),
        ({"np.abs(truth - mean) <= half": "truth - mean < half"},
         "the upper bound only.*Bounds belong to the interval"),
        ({"np.mean(np": "np.sum(np"}, "You return how many they are"),
        ({"np.mean(np": "100 * np.mean(np"}, "You return per cent"),
        ({"(1 + level) / 2": "level", "np.mean(np": "np.sum(np"}, "on one side.*how many they are"),
        ({"return np": "return 1 - 0.1 * np"}, r"should be 0.5, not 0.95"),
        ({"np.mean(np.abs(truth - mean) <= half)": "np.abs(truth - mean) <= half"},
         r"a ndarray of the shape \(4,\). Wanted is the share"),
        ({"return np": "truth -= mean; return np"}, "changes the ndarray"),
        ({"norm.ppf": "norm.pdf"}, "should be"),
        ({"* deviation": "* deviations"}, "stopped with NameError"),
        (lambda truth, mean, deviation: 0.9, "yours takes truth, mean, deviation"),
        (lambda truth, mean, deviation, level: level, "should be 0.5, not 0.9"),
        (gives_none, "returns nothing"),
    ],
    "lesson06.crossing": [
        (by_points(lambda k, gap, j: k[j]), "first k that was measured"),
        (by_points(lambda k, gap, j: k[j - 1]), r"last k before `one` is ahead"),
        (by_points(lambda k, gap, j: (k[j] + k[j - 1]) / 2), "middle between two points"),
        (by_points(lambda k, gap, j: j - 1 + gap[j - 1] / (gap[j - 1] - gap[j])), "a place in the"),
        ({"gap[before] / (": "-gap[after] / ("}, "the wrong way round"),
        ({AT_ONCE: "if after == 0:\n        return 0.0"}, r"That k may be another: k\[0\]"),
        ({"np.flatnonzero(gap < 0)": "1 + np.flatnonzero((gap[1:] < 0) & (gap[:-1] >= 0))"},
         "look for a change only"),
        ({'float("nan")': "k[-1]"}, "you return the last k"),
        ({'float("nan")': "np.inf"}, "you return infinity"),
        ({'float("nan")': "-1"}, "you return -1"),
        ({'float("nan")': "0"}, "you return 0, as if"),
        ({'float("nan")': "k[0]"}, "argmax of nothing but False"),
        ({'float("nan")': "None"}, "returns nothing.*not None"),
        ({"gap = one - other": "gap = other - one"}, "You take higher for better"),
        (any_change, r"falls \*behind\*"),
        ({"gap < 0": "gap <= 0", "share = gap[before] / (gap[before] - gap[after])":
          "share = gap[before] / (gap[before] - gap[after])"}, "A tie isn't ahead"),
        ({"ahead[0]": "ahead[np.flatnonzero(np.diff(ahead, prepend=-9) > 1)[-1]]"},
         "may cross again"),
        ({"gap = one - other": "gap = other - one", 'float("nan")': "-1"},
         "you return -1.*higher for better"),
        ({AT_ONCE: "pass"}, r"the place 0 - 1 = -1 is the \*last\* one"),
        (by_a_loop, "follows it backwards"),
        (by_argmax, r"is the \*last\* one.*from the last point to the first"),
        ({"share = gap[before] / (gap[before] - gap[after])": "share = gap[before]"}, "should be"),
        ({"return k[before] + share * (k[after] - k[before])": "return before, after"},
         r"You return the tuple \(.*Wanted is a number, k or NaN"),
        ({"gap = one - other": "one -= other; gap = one"}, "changes the ndarray"),
        ({"if len(ahead) == 0:": "if False:"}, "stopped with IndexError"),
        (lambda one, other: 0, "yours takes one, other"),
        (lambda k, one, other: "5", "You return the str '5'"),
        (gives_none, "returns nothing"),
    ],
}


def by_scipy(u, i, alpha_u, alpha_i, beta_u, beta_i):
    cos = 1 - cosine(u, i)
    return [cos, cr.rating.rating(alpha_u, alpha_i, u, i, beta_u, beta_i)]


def by_torch(u, i, alpha_u, alpha_i, beta_u, beta_i):
    cos = torch.cosine_similarity(torch.tensor(u), torch.tensor(i), dim=0, eps=1e-300)
    return torch.stack([cos, alpha_u * alpha_i * cos + beta_u + beta_i])


def by_ridge(items, item_biases, ratings, penalty):
    seen = np.hstack([items, np.ones((len(items), 1))])
    *vector, bias = Ridge(penalty, fit_intercept=False, tol=1e-14).fit(
        seen, ratings - item_biases).coef_
    length = math.hypot(*vector)
    return [length, [number / length for number in vector], bias]


def on_more_rows(items, item_biases, ratings, penalty):
    """Return the same ridge regression, by ratings that aren't there."""
    seen = np.column_stack([items, np.ones(len(items))])
    size = seen.shape[1]
    fitted = np.linalg.lstsq(np.vstack([seen, penalty ** 0.5 * np.eye(size)]),
                             np.append(ratings - item_biases, np.zeros(size)), rcond=None)[0]
    alpha_u = np.linalg.norm(fitted[:-1])
    return alpha_u, torch.tensor(fitted[:-1] / alpha_u), torch.tensor(fitted[-1])


def one_by_one(prior_mean, prior_var, ratings, noise_var):
    for rating in ratings:
        gain = prior_var / (prior_var + noise_var)
        prior_mean, prior_var = prior_mean + gain * (rating - prior_mean), (1 - gain) * prior_var
    return np.array([prior_mean, prior_var])


def step_by_step(k, one, other):
    """Return the same by a loop and NumPy's interpolation."""
    if one[0] < other[0]:
        return torch.tensor(k[0])
    for j in range(1, len(k)):
        if one[j] < other[j]:
            gap = [one[j] - other[j], one[j - 1] - other[j - 1]]
            return np.interp(0, gap, [k[j], k[j - 1]])
    return np.float64("nan")


RIGHT = [
    ("lesson06.worked_example", by_scipy),
    ("lesson06.worked_example", by_torch),
    ("lesson06.worked_example", lambda *given: pd.Series(by_scipy(*given), ["cos", "rating"])),
    ("lesson06.corrections", corrected(cos=0.87, rating=0.605, rating_by_printed_cos=0.545)),
    ("lesson06.corrections", corrected(unused=np.array([2, 3, 4, 5]), two_meanings=" R ",
                                       shape_of_H=lambda n, m, width: [m + n, width], note="")),
    ("lesson06.corrections", corrected(unused={5, 3, 2, 4}, cos=torch.tensor(0.8702),
                                       shape_of_H=lambda n, m, d: np.zeros((n + m, d)).shape)),
    ("lesson06.item_bias", lambda ratings, expected, prior, pull:
        prior + np.sum(ratings - expected - prior) / (len(ratings) + pull)),
    ("lesson06.item_bias", lambda ratings, expected, prior, pull: np.average(
        [*(ratings - expected), prior], weights=[1] * len(ratings) + [pull])),
    ("lesson06.item_bias", lambda ratings, expected, prior, pull: torch.tensor(
        (sum(ratings) - sum(expected) + pull * prior) / (len(ratings) + pull))),
    ("lesson06.normalised", scaled()),
    ("lesson06.normalised", lambda *given: [list(part) for part in scaled()(*given)]),
    ("lesson06.normalised", lambda *given: tuple(map(torch.tensor, scaled()(*given)))),
    ("lesson06.user_step", by_ridge),
    ("lesson06.user_step", on_more_rows),
    ("lesson06.posterior", one_by_one),
    ("lesson06.posterior", lambda mean, var, ratings, noise: (
        np.average([mean, *ratings], weights=[noise / var] + [1] * len(ratings)),
        torch.tensor(var * noise / (noise + len(ratings) * var)))),
    ("lesson06.covered", lambda truth, mean, deviation, level: sum(
        low <= star <= high for star, low, high in zip(
            truth, *norm.interval(level, mean, deviation), strict=True)) / len(truth)),
    ("lesson06.covered", lambda truth, mean, deviation, level: torch.tensor(
        2 * norm.cdf(abs(truth - mean) / deviation) - 1 <= level).double().mean()),
    ("lesson06.crossing", step_by_step),
]


def test_the_bias_is_the_package_s():
    """With the noise over the prior's variance as the pull, as tests/test_rating.py has it."""
    item_bias, posterior = written("lesson06.item_bias"), written("lesson06.posterior")
    stars = np.array([4.0, 5.0, 4.5])
    mean, var = posterior(0.2, 0.5, stars - 3, 1.0)
    assert mean == pytest.approx((3 * 1.5 + 2 * 0.2) / 5)
    assert mean == pytest.approx(item_bias(stars, np.full(3, 3.0), 0.2, 1.0 / 0.5))
    assert var == pytest.approx(1 / 5)


def test_curves_of_all_kinds_are_asked_for():
    """Among them one that is ahead from the start, one that never is, a tie, and two crossings."""
    crossing = written("lesson06.crossing")
    found = [crossing(*map(np.array, curves)) for curves in CURVES]
    assert sum(map(math.isnan, found)) >= 2
    assert sum(k == curves[0][0] for k, curves in zip(found, CURVES, strict=True)) >= 2


@pytest.mark.parametrize("value", [float("inf"), "x", [1], {}, float("nan"), torch.zeros(2, 2)])
def test_a_dictionary_with_odd_entries_gets_a_sentence(value):
    for key in CORRECTIONS:
        with pytest.raises(CheckFailed, match=f"Under '{key}' stands") as caught:
            run("lesson06.corrections", corrected(**{key: value}))
        assert "The check can't work" not in str(caught.value)
