"""Judge several recommenders on several splits, and compare them."""

from __future__ import annotations

import copy
import time

import numpy as np
import pandas as pd

from coldrec import metrics
from coldrec.evaluation.arguments import (
    check_models,
    check_options,
    check_runs,
    check_splits,
)
from coldrec.evaluation.judge import evaluate
from coldrec.validation import check_whole

KEYS = ["model", "split", "test_over_train"]  # columns of a run that are no result


def runs(models: dict, splits, k: int = 20, pool: str = "cold", control: int = 1) -> pd.DataFrame:
    """Fit and judge every model on every split: one row a model and split.

    ``models`` maps a name to an unfitted model, or to what makes one from the split: a function,
    or a class whose first argument is ``split``, such as ``TestCountOracle``. Each is fitted
    afresh. ``control`` is the number of permutations of the leak control a split (0: none); the
    column of that name is their mean recall, for splits with cold items. ``test_over_train``, the
    number of test ratings over that of training ratings, is what :func:`compare` needs.
    """
    from tqdm import tqdm

    check_models(models)
    splits = check_splits(splits)
    check_options(k, pool)
    control = int(control) if isinstance(control, (bool, np.bool_)) else control
    check_whole(control, "control", least=0, example=3)
    jobs = tqdm([(number, split, name) for number, split in enumerate(splits) for name in models],
                leave=False, unit="fit")
    rows = []
    for number, split, name in jobs:
        jobs.set_description(str(name))
        recipe = models[name]
        makes = isinstance(recipe, type) or not hasattr(recipe, "fit")
        model = recipe(split) if makes else copy.deepcopy(recipe)
        if not hasattr(model, "fit"):
            raise TypeError(f"models[{name!r}] made a {type(model).__name__} of the split, which "
                            "has no fit(train). It must return an unfitted model.")
        start = time.perf_counter()
        model = model.fit(split.train)
        seconds = time.perf_counter() - start
        if model is None:
            raise TypeError(f"the fit of models[{name!r}] returned None; it must return the "
                            "fitted model. End it with return self.")
        row = evaluate(model, split, k, pool).to_dict()
        if control and len(split.cold_items):
            row["control"] = np.mean([evaluate(model, split, k, pool, "shuffled", seed=s)["recall"]
                                      for s in range(control)])
        keys = (name, number, len(split.test) / len(split.train))
        rows.append(dict(zip(KEYS, keys, strict=True)) | row | {"fit_seconds": seconds})
    return pd.DataFrame(rows)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Turn :func:`runs`' rows into a leaderboard: mean and standard error over the splits.

    Columns are ``recall, recall_se, ndcg, ndcg_se, ...`` and ``n``, the number of splits; the best
    recall comes first.
    """
    check_runs(table, "summarise")
    board = {}
    for name, group in table.groupby("model", sort=False):
        row = {}
        for column in table.columns.drop(KEYS):
            row[column], row[f"{column}_se"] = metrics.mean_se(group[column])
        board[name] = row | {"n": len(group)}
    return pd.DataFrame(board).T.sort_values("recall", ascending=False).astype({"n": int})


def leaderboard(models: dict, splits, k: int = 20, pool: str = "cold",
                control: int = 1) -> pd.DataFrame:
    """Fit and judge every model on every split, and return means and standard errors.

    ``control`` is the number of permutations a split, as in :func:`runs`.
    """
    return summarise(runs(models, splits, k, pool, control))


def compare(table: pd.DataFrame, a: str, b: str, metric: str = "recall") -> dict:
    """Compare two models of a :func:`runs` table split by split, by the corrected t-test.

    Random splits of the same data share most of their ratings, which makes a plain paired
    interval too narrow; the share of test to training ratings corrects it (Nadeau & Bengio 2003;
    see :func:`metrics.paired`).
    """
    check_runs(table, "compare")
    results = list(table.columns.drop(KEYS))
    if metric not in results:
        raise ValueError(f"no metric is called {metric!r}; the table has {results}.")
    for name in (a, b):
        if name not in set(table["model"]):
            raise ValueError(f"no model is called {name!r}; the table has "
                             f"{list(table['model'].unique())}.")
    if table.duplicated(["model", "split"]).any():
        raise ValueError("the table has several rows for one model and split. Compare the rows of "
                         "one run of cr.evaluation.runs at a time.")
    if table["split"].nunique() < 2:
        raise ValueError("the table has one split, which shows no spread. Judge the models on 2 "
                         "splits or more, such as 5 seeds.")
    wide = table.pivot(index="split", columns="model", values=metric)
    share = table.groupby("split")["test_over_train"].first().mean()
    return metrics.paired(wide[a], wide[b], test_over_train=share)
