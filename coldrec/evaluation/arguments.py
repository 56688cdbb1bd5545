"""What the judge may be given; each error says what is wrong, what is allowed, the next step."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import pandas as pd

from coldrec.data import Ratings
from coldrec.models import Recommender
from coldrec.splits import Split
from coldrec.validation import check_whole


def check_pair(model, split, who: str) -> None:
    """Refuse what isn't a model and a split, in this order."""
    if isinstance(model, (Ratings, Split)):
        raise TypeError(f"{who} got {type(model).__name__} where the model belongs. The order is "
                        f"{who}(model, split).")
    if not isinstance(split, Split):
        hint = ("For several splits there is cr.leaderboard." if isinstance(split, (list, tuple))
                else "Make one first: split = cr.splits.item_cold(ml); fit on split.train.")
        raise TypeError(f"{who} needs a split, not {_told(split)}. {hint}")
    if model is None:
        raise TypeError(f"{who} got None for a model: a fit that doesn't return self gives that. "
                        "End fit with return self.")
    if isinstance(model, type):
        raise TypeError(f"{who} got the class {model.__name__}; it needs a fitted model, such as "
                        f"{model.__name__}(...).fit(split.train).")
    if not callable(getattr(model, "score", None)):
        raise TypeError(f"{who} got {_told(model)} as a model; a model has score(users, items). "
                        "Those of cr.models do.")


def check_fitted(model) -> None:
    """Refuse a recommender of the package's kind that isn't fitted."""
    if isinstance(model, Recommender) and not hasattr(model, "train_"):
        raise ValueError(f"this {type(model).__name__} isn't fitted. Call fit(split.train) first.")


def check_honest(model, split) -> None:
    """Refuse a model that was fitted on ratings it is to be judged on."""
    known = getattr(model, "train_", None)
    if known is None or known is split.train:
        return
    pairs = ["user", "item"]
    shared = known.ratings[pairs].merge(split.test.ratings[pairs], on=pairs)
    if len(shared):
        raise ValueError(f"this {type(model).__name__} was fitted on {len(shared):,} of the "
                         "ratings that the test hides. Fit it on split.train.")


def check_options(k, pool) -> None:
    """Refuse a length of lists, or a pool, that can't be."""
    check_whole(k, "k")
    if not isinstance(pool, str) or pool not in ("cold", "all"):
        raise ValueError(f"pool is {pool!r}; it may be 'cold' or 'all'.")


def check_likes(relevant, split, pool: str) -> None:
    """Refuse a test that holds no like among the items of the pool: every metric would be NaN."""
    if relevant.any():
        return
    like, n = split.test.like, int(split.test.matrix(likes=True).nnz)
    stars = split.test.ratings["rating"]
    if n:
        raise ValueError(f"the test of {split.name} holds no like in pool={pool!r}: its {n} likes "
                         "are of other items. Take pool='all'.")
    raise ValueError(f"the test of {split.name} holds no like: a rating is one from like={like:g} "
                     f"stars on, and its {len(stars)} ratings are {stars.min():g} to "
                     f"{stars.max():g}. Set another like in cr.Ratings.from_frames, or take more "
                     "data or another seed.")


def check_models(models) -> None:
    """Refuse what isn't a dict of names and what makes a model."""
    if not isinstance(models, Mapping):
        raise TypeError(f"models is {_told(models)}; it must be a dict, name to model, such as "
                        "{'popularity': cr.models.Popularity()}.")
    if not models:
        raise ValueError("models is empty: there is nothing to judge. Give name to model, such as "
                         "{'popularity': cr.models.Popularity()}.")
    for name, recipe in models.items():
        if isinstance(recipe, type):
            if next(iter(inspect.signature(recipe).parameters), None) != "split":
                raise TypeError(f"models[{name!r}] is the class {recipe.__name__}, and its first "
                                f"argument isn't split. Give a model, {recipe.__name__}(...), or a "
                                f"function of the split, lambda split: {recipe.__name__}(...).")
        elif not callable(recipe) and not hasattr(recipe, "fit"):
            raise TypeError(f"models[{name!r}] is {_told(recipe)}; it must be an unfitted model, "
                            "or a function that makes one from the split.")


def check_splits(splits) -> list:
    """Return several splits as a list."""
    if isinstance(splits, Split):
        raise TypeError(f"splits is one split, {splits}; it must be a list. Give [split].")
    if isinstance(splits, (str, Mapping, Ratings, pd.DataFrame)) or not hasattr(splits, "__iter__"):
        raise TypeError(f"splits is {_told(splits)}; it must be a list of splits, such as "
                        "[cr.splits.item_cold(ml, seed=s) for s in range(5)].")
    splits = list(splits)
    if not splits:
        raise ValueError("splits is empty: there is nothing to judge on. Give a list such as "
                         "[cr.splits.item_cold(ml, seed=s) for s in range(5)].")
    for number, split in enumerate(splits):
        if not isinstance(split, Split):
            raise TypeError(f"splits[{number}] is {_told(split)}; it must be a split, such as "
                            "cr.splits.item_cold(ml).")
    return splits


def check_runs(table, who: str) -> None:
    """Refuse what isn't a table of runs, such as a leaderboard."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"{who} needs the table of cr.evaluation.runs, not {_told(table)}.")
    missing = [c for c in ("model", "split", "test_over_train") if c not in table]
    if missing:
        what = "this is a leaderboard" if "recall_se" in table else f"it has {list(table)}"
        raise ValueError(f"{who} needs a row per model and split, the table of "
                         f"cr.evaluation.runs(models, splits); {what}, without {missing}.")


def _told(value) -> str:
    """Return a value as an error shows it: a short text as it stands, else its type."""
    if isinstance(value, (str, int, float)) or value is None:
        return repr(value)
    return f"a {type(value).__name__}"
