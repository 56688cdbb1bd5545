"""Two stages: a quick model finds candidates, a slow one puts them in order."""

from __future__ import annotations

import numpy as np

from coldrec.models.base import Recommender
from coldrec.validation import check_whole


class Rerank(Recommender):
    """Let ``second`` order the best ``n`` candidates of ``first`` (retrieve and rerank).

    ``second`` is asked for these pairs alone, by its ``score_pairs(users, items)``; so a language
    model that reads each pair can rank a whole catalogue. What isn't among a user's candidates, or
    the second model can't tell, keeps the first model's order, below them. Candidates are taken
    from the items that are scored together (of two with one score, the first in the catalogue);
    what the user rated in training is none. :meth:`fit` fits both models, but for one that was
    fitted on the same training set already.
    """

    def __init__(self, first: Recommender, second, n: int = 50):
        check_whole(n, "n", example=50)
        for name, model, method in (("first", first, "score"), ("second", second, "score_pairs")):
            if not hasattr(model, method):
                raise TypeError(f"{name} is a {type(model).__name__}, which has no {method}; give "
                                "a model that has.")
        self.first, self.second, self.n = first, second, n
        self.scores_cold_items = first.scores_cold_items
        self.scores_cold_users = first.scores_cold_users

    def _fit(self, train):
        for model in (self.first, self.second):
            if getattr(model, "train_", None) is not train:
                model.fit(train)

    def _score(self, user_rows, item_rows):
        users, items = self.train_.user_ids[user_rows], self.train_.item_ids[item_rows]
        scores = np.asarray(self.first.score(users, items), float)
        seen = self.train_.matrix()[user_rows][:, item_rows].toarray() > 0
        open_ = np.where(seen, np.nan, scores)
        listed = np.argsort(item_rows)
        order = np.argsort(-open_[:, listed], axis=1, kind="stable")  # NaN goes to the end
        best = listed[order[:, :self.n]]
        rows, places = np.nonzero(~np.isnan(np.take_along_axis(open_, best, axis=1)))
        columns = best[rows, places]
        told = np.asarray(self.second.score_pairs(users[rows], items[columns]), float)
        known = ~np.isnan(told)
        if known.any():
            lift = np.nanmax(scores) + 1 - told[known].min()
            scores[rows[known], columns[known]] = lift + told[known]
        return scores
