"""What a language model reads of a user: who they are, and some of what they rated."""

from __future__ import annotations

import numpy as np

from coldrec.data import Ratings
from coldrec.validation import check_is_ratings, check_whole
from coldrec.views import readable_title

ABOUT = ("age", "gender", "occupation")


class Profiles:
    """Texts about users, such as ``Liked: Fargo; Heat. Disliked: Spawn. age 24, gender M.``

    Parameters
    ----------
    train
        The ratings that may be told. ``like`` stars and more are told as liked, two stars fewer and
        less as disliked.
    likes, dislikes
        At most so many titles of each, drawn at random.
    about
        Columns of the users' table that are told, where there are such.
    """

    def __init__(self, train: Ratings, likes: int = 4, dislikes: int = 2, about=ABOUT,
                 seed: int = 0):
        check_is_ratings(train, "Profiles")
        check_whole(likes, "likes", least=0, example=4)
        check_whole(dislikes, "dislikes", least=0, example=2)
        self.train, self.likes, self.dislikes, self.seed = train, likes, dislikes, seed
        titles = train.items.get("title", train.items["item"].astype(str))
        self.titles = [readable_title(title) for title in titles]
        told = [column for column in about if column in train.users]
        self.about = [", ".join(f"{column} {value}" for column, value in row.items()
                                if value == value)  # not a missing one
                      for row in train.users[told].to_dict("records")]
        stars = train.matrix()
        self.rated = [(row.indices, row.data) for row in map(stars.getrow, range(stars.shape[0]))]

    def text(self, user_row: int, without: int | None = None, rng=None) -> str:
        """Return a user's text; ``without`` is the row of an item that mustn't be told.

        Without ``rng``, a user's titles are the same at each call.
        """
        rng = rng or np.random.default_rng([self.seed, user_row])
        items, stars = self.rated[user_row]
        order = rng.permutation(len(items))
        items, stars = items[order], stars[order]
        told = items != without
        liked = items[told & (stars >= self.train.like)][:self.likes]
        disliked = items[told & (stars <= self.train.like - 2)][:self.dislikes]
        parts = [f"{word}: " + "; ".join(self.titles[item] for item in chosen)
                 for word, chosen in (("Liked", liked), ("Disliked", disliked)) if len(chosen)]
        return " ".join(f"{part}." for part in [*parts, self.about[user_row]] if part)
