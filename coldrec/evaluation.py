"""Judge a recommender on a split, and several on several."""

from __future__ import annotations

import copy
import time

import numpy as np
import pandas as pd

from coldrec import metrics, views

RANKED = ("precision", "recall", "ndcg", "mrr", "hit_rate")


def evaluate(model, split, k: int = 20, pool: str = "cold", control: str | None = None,
             per_user: bool = False, seed: int = 0):
    """Rank every item of the pool for every test user, and judge the lists.

    Parameters
    ----------
    model
        Fitted on ``split.train``; all it needs is ``score(users, items) -> (users, items)``.
        With ``predict`` of the same shape, ratings are judged too.
    pool
        ``"cold"`` ranks what is new in the split (the cold items; all items where only the users
        are new), ``"all"`` ranks the whole catalogue with each user's training items masked.
        Never a sample of it (Krichene & Rendle 2020).
    control
        ``"shuffled"`` fits a copy of the model with the cold items' side information permuted
        among the cold items. Its score must be a random ranking's; if it is better, the model
        has seen the cold items' ratings. Side information is what a model reads from the items'
        table in ``fit``, or keeps as matrices in a dict ``views``.
    per_user
        Return the ranking metrics as a frame with one row a user, instead of the means.

    Returns
    -------
    pandas.Series
        ``recall, ndcg, precision, mrr, hit_rate`` (at k), ``auc``, the lists' ``coverage,
        diversity`` (over genres), ``novelty`` (bits) and ``popularity_bias``, ``rmse`` and
        ``mae`` (stars; NaN without ``predict``), and ``users``, how many were judged. Where the
        pool mixes cold and warm items, also ``recall_cold`` and ``recall_warm``, over the relevant
        items of each kind. A test item is relevant from ``like`` stars on. Novelty and popularity
        bias use the popularity in all the data, which the judge may know and the model may not.
    """
    if control not in (None, "shuffled"):
        raise ValueError(f"control is {control!r}; it may be None or 'shuffled'.")
    if control and not len(split.cold_items):
        raise ValueError(f"control='shuffled' permutes the cold items' side information, and "
                         f"{split.name} has no cold items. Leave it out there.")
    if control:
        model = _refit_shuffled(model, split, seed)
    train, test = split.train, split.test
    _check_not_fitted_on_test(model, split)
    items = _pool(split, pool)
    columns = train.item_rows(items)
    users = train.user_ids[train.user_ids.isin(test.ratings["user"])]
    relevant = test.matrix(likes=True)[train.user_rows(users)][:, columns].toarray() > 0
    scores = _scores(model, split, users, items)
    top = metrics.top_k(scores, min(k, len(items)), np.random.default_rng(seed))
    hits = np.take_along_axis(relevant, top, axis=1)
    n_relevant = relevant.sum(1)
    is_cold = pd.Index(items).isin(split.cold_items)
    table = pd.DataFrame({name: getattr(metrics, name)(hits, n_relevant) for name in RANKED},
                         index=pd.Index(users, name="user"))
    table["auc"] = metrics.auc(scores, relevant)
    if is_cold.any() and not is_cold.all():
        for part, of_part in (("cold", is_cold), ("warm", ~is_cold)):
            table[f"recall_{part}"] = metrics.recall(hits & of_part[top],
                                                     relevant[:, of_part].sum(1))
    if per_user:
        return table
    popularity = _popularity(split)[columns]
    row = table.mean()
    row["coverage"] = metrics.coverage(top, len(items))
    row["diversity"] = metrics.diversity(top, views.genres(train)[columns]).mean()
    row["novelty"] = metrics.novelty(top, popularity, len(train.user_ids)).mean()
    row["popularity_bias"] = metrics.popularity_bias(top, popularity)
    row["rmse"], row["mae"] = _star_errors(model, split)
    row["users"] = int((n_relevant > 0).sum())
    return row


def runs(models: dict, splits, k: int = 20, pool: str = "cold",
         control: bool = True) -> pd.DataFrame:
    """Fit and judge every model on every split: one row a model and split.

    ``models`` maps a name to an unfitted model, or to what makes one from the split (a function,
    or a class such as ``TestCountOracle``). Each is fitted afresh; ``control`` adds the column of
    that name, the recall of the shuffled control, for splits with cold items.
    """
    from tqdm import tqdm

    jobs = tqdm([(number, split, name) for number, split in enumerate(splits) for name in models],
                leave=False, unit="fit")
    rows = []
    for number, split, name in jobs:
        jobs.set_description(name)
        recipe = models[name]
        makes = isinstance(recipe, type) or not hasattr(recipe, "fit")
        model = recipe(split) if makes else copy.deepcopy(recipe)
        start = time.perf_counter()
        model.fit(split.train)
        seconds = time.perf_counter() - start
        row = evaluate(model, split, k, pool).to_dict()
        if control and len(split.cold_items):
            row["control"] = evaluate(model, split, k, pool, control="shuffled")["recall"]
        rows.append({"model": name, "split": number, **row, "fit_seconds": seconds})
    return pd.DataFrame(rows)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Turn :func:`runs`' rows into a leaderboard: mean and standard error over the splits.

    Columns are ``recall, recall_se, ndcg, ndcg_se, ...`` and ``n``, the number of splits; the best
    recall comes first.
    """
    board = {}
    for name, group in table.groupby("model", sort=False):
        row = {}
        for column in table.columns.drop(["model", "split"]):
            row[column], row[f"{column}_se"] = metrics.mean_se(group[column])
        board[name] = row | {"n": len(group)}
    return pd.DataFrame(board).T.sort_values("recall", ascending=False).astype({"n": int})


def leaderboard(models: dict, splits, k: int = 20, pool: str = "cold",
                control: bool = True) -> pd.DataFrame:
    """Fit and judge every model on every split, and return means and standard errors."""
    return summarise(runs(models, splits, k, pool, control))


def compare(table: pd.DataFrame, a: str, b: str, metric: str = "recall") -> dict:
    """Compare two models of a :func:`runs` table split by split (see :func:`metrics.paired`)."""
    wide = table.pivot(index="split", columns="model", values=metric)
    return metrics.paired(wide[a], wide[b])


def recommend(model, split, user, k: int = 10, pool: str = "cold") -> pd.DataFrame:
    """Return one user's ``k`` best items of the pool, best first, as rows of ``Ratings.items``.

    The column ``stars`` has the rating that the user gave in the test; NaN where there is none.
    A model that can't score any of them gets an empty frame.
    """
    items = _pool(split, pool)
    scores = _scores(model, split, [user], items)
    best = metrics.top_k(scores, min(k, len(items)), np.random.default_rng(0))[0]
    best = best[np.isfinite(scores[0, best])]
    rows = split.train.items.iloc[split.train.item_rows(items[best])]
    given = split.test.ratings.query("user == @user").set_index("item")["rating"]
    return rows.assign(stars=rows["item"].map(given)).set_index(pd.RangeIndex(1, len(rows) + 1))


def _pool(split, pool) -> pd.Index:
    if pool not in ("cold", "all"):
        raise ValueError(f"pool is {pool!r}; it may be 'cold' or 'all'.")
    return split.pool if pool == "cold" else split.train.item_ids


def _scores(model, split, users, items) -> np.ndarray:
    """Return checked scores, ``-inf`` for what the user rated in training."""
    scores = np.asarray(model.score(users, items), dtype=float)
    if scores.shape != (len(users), len(items)):
        raise ValueError(f"score returned shape {scores.shape} for {len(users)} users and "
                         f"{len(items)} items; it must be ({len(users)}, {len(items)}).")
    if np.isinf(scores).any():
        raise ValueError("score returned an infinite value; what can't be scored is NaN.")
    train = split.train
    seen = train.matrix()[train.user_rows(users)][:, train.item_rows(items)].toarray() > 0
    return np.where(seen, -np.inf, scores)


def _check_not_fitted_on_test(model, split) -> None:
    """Refuse a model that learnt from the ratings it is to be judged on."""
    known = getattr(model, "train_", None)
    if known is None or known is split.train:
        return
    pairs = ["user", "item"]
    shared = known.ratings[pairs].merge(split.test.ratings[pairs], on=pairs)
    if len(shared):
        raise ValueError(f"this {type(model).__name__} was fitted on {len(shared):,} of the "
                         "ratings that the test hides. Fit it on split.train.")


def _star_errors(model, split) -> tuple[float, float]:
    if not hasattr(model, "predict"):
        return np.nan, np.nan
    frame = split.test.ratings
    users, items = pd.Index(frame["user"].unique()), pd.Index(frame["item"].unique())
    stars = np.asarray(model.predict(users, items), float)
    guess = stars[users.get_indexer(frame["user"]), items.get_indexer(frame["item"])]
    return metrics.rmse(frame["rating"], guess), metrics.mae(frame["rating"], guess)


def _popularity(split) -> np.ndarray:
    counts = [np.asarray((part.matrix() > 0).sum(0)).ravel() for part in (split.train, split.test)]
    return counts[0] + counts[1]


def _refit_shuffled(model, split, seed):
    """Fit a copy that finds, in each cold item's place, another cold item's side information."""
    if getattr(model, "scores_cold_items", True) is False:
        return model  # it knows no side information, so there is nothing to permute
    rng = np.random.default_rng(seed)
    rows = split.train.item_rows(split.cold_items)
    order = np.arange(len(split.train.item_ids))
    order[rows] = rng.permutation(rows)
    items = split.train.items.iloc[order].reset_index(drop=True)
    items["item"] = split.train.items["item"].to_numpy()
    twin = copy.deepcopy(model)
    _reorder_views(twin, order)
    return twin.fit(split.train.with_items(items))


def _reorder_views(model, order) -> None:
    """Reorder the rows of a model's views, and of those of a hybrid's parts."""
    if getattr(model, "views", None):
        model.views = {name: view.iloc[order] if hasattr(view, "iloc") else view[order]
                       for name, view in model.views.items()}
    for part, _ in getattr(model, "parts", ()):
        _reorder_views(part, order)
