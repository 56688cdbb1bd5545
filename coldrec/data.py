"""Who rated what, and what is known of the users and the items."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from coldrec import validation as rules

LIKE = 4.0  # stars from which on an item counts as liked, and as relevant in a test


class Ratings:
    """Ratings, and the catalogue and the users they are about.

    ``ratings`` has one row a rating: ``user, item, rating`` and, where known, ``timestamp``
    (seconds since 1970). ``items`` has one row per catalogue item, in catalogue order: ``item`` and
    what is known of it (``title, year, genres`` where there are such). ``users`` likewise. Items
    that nobody rated stay in the catalogue: they are what this course is about. Ratings of ``like``
    stars and more are likes.

    Make one with :meth:`from_frames`, which checks the data.
    """

    def __init__(self, ratings, items, users, like=LIKE, scale=None):
        self.ratings, self.items, self.users, self.like = ratings, items, users, like
        self.scale = scale or (float(ratings["rating"].min()), float(ratings["rating"].max()))
        self.item_ids = pd.Index(items["item"])
        self.user_ids = pd.Index(users["user"])

    @classmethod
    def from_frames(cls, ratings, items=None, users=None, *, like=LIKE) -> Ratings:
        """Check data frames of your own and make them ``Ratings``.

        Parameters
        ----------
        ratings
            ``user, item, rating`` and optionally ``timestamp`` (seconds since 1970, or datetimes).
            Ids are whole numbers or texts; each pair of user and item stands once.
        items
            ``item`` and whatever is known of it; ``title`` (text), ``year`` (number) and ``genres``
            (a list of texts, or one text with ``|`` between them) are understood by the views.
            Without it, the catalogue is the items that were rated.
        users
            ``user`` and whatever is known of them.
        like
            From this many stars on, an item is liked.

        Raises
        ------
        DataError
            Naming the row and the rule that it breaks.
        """
        rules.check_like(like)
        ratings = rules.check_ratings(ratings)
        items = rules.check_entities(items, "item", ratings)
        users = rules.check_entities(users, "user", ratings)
        rules.check_known(ratings, items, "item")
        rules.check_known(ratings, users, "user")
        return cls(ratings, items, users, like)

    def __len__(self) -> int:
        return len(self.ratings)

    def __repr__(self) -> str:
        return (f"Ratings({len(self):,} ratings by {len(self.user_ids):,} users "
                f"of {len(self.item_ids):,} items)")

    def with_ratings(self, ratings: pd.DataFrame) -> Ratings:
        """Return other ratings over the same catalogue and users."""
        return Ratings(ratings.reset_index(drop=True), self.items, self.users, self.like,
                       self.scale)

    def with_items(self, items: pd.DataFrame) -> Ratings:
        """Return the same ratings with another table of items for the same ids."""
        return Ratings(self.ratings, items, self.users, self.like, self.scale)

    def item_rows(self, items) -> np.ndarray:
        """Return the catalogue positions of item ids, shape ``(len(items),)``."""
        return rules.find_rows(self.item_ids, items, "item")

    def user_rows(self, users) -> np.ndarray:
        """Return the positions of user ids, shape ``(len(users),)``."""
        return rules.find_rows(self.user_ids, users, "user")

    def matrix(self, likes: bool = False) -> sp.csr_matrix:
        """Return ratings as a sparse matrix ``(users, items)``; with ``likes``, ones for likes."""
        frame = self.ratings[self.ratings["rating"] >= self.like] if likes else self.ratings
        values = np.ones(len(frame)) if likes else frame["rating"].to_numpy(float)
        place = self.user_rows(frame["user"]), self.item_rows(frame["item"])
        return sp.csr_matrix((values, place), shape=(len(self.user_ids), len(self.item_ids)))

    def item_groups(self) -> np.ndarray:
        """Return a group number per item; items of one title and year are one film twice."""
        if "title" not in self.items:
            return np.arange(len(self.items))
        title = self.items["title"].astype("string").str.casefold().str.strip()
        year = self.items["year"] if "year" in self.items else pd.Series(0, self.items.index)
        key = title + " " + year.astype("string").fillna("?")
        alone = pd.Series(np.arange(len(key)).astype(str), key.index).radd("row ")
        return pd.factorize(key.where(title.fillna("") != "", alone))[0]


def load(name: str = "ml-100k", path=None) -> Ratings:
    """Load a data set by name: ``"ml-100k"`` or ``"shop"``.

    MovieLens-100K is fetched once and checked (Harper & Konstan 2015,
    doi:10.1145/2827872). If you have GroupLens' own ``ml-100k.zip``, give its ``path`` (the zip,
    or the folder it unpacks to) and nothing is fetched.
    """
    if name == "ml-100k":
        from coldrec import assets

        return _movielens(Path(path) if path else assets.fetch("ml-100k"))
    if name == "shop":
        return _shop(Path(path) if path else shop_folder())
    raise ValueError(f"no data set is called {name!r}; there are 'ml-100k' and 'shop'. "
                     "For data of your own, use Ratings.from_frames.")


def shop_folder() -> Path:
    """Return the folder of the course's own shop, in a checkout or in an installed package."""
    here = Path(__file__).resolve().parent
    checkout = here.parent / "data" / "shop"
    return checkout if checkout.is_dir() else here / "shipped" / "shop"


def _shop(folder: Path) -> Ratings:
    return Ratings.from_frames(pd.read_csv(folder / "reviews.csv"),
                               pd.read_csv(folder / "products.csv"),
                               pd.read_csv(folder / "users.csv"))


def _movielens(path: Path) -> Ratings:
    """Read MovieLens-100K in either of its two forms; both give the same frames."""
    wanted = "Give the folder that GroupLens' ml-100k.zip unpacks to, or the zip itself."
    if path.is_file():
        if not zipfile.is_zipfile(path):
            raise rules.DataError(f"{path} is neither a folder nor a zip file. {wanted}")
        with zipfile.ZipFile(path) as archive:
            place = next((n for n in archive.namelist() if n.split("/")[-1] == "u.data"), None)
            if place is None:
                raise rules.DataError(f"{path} holds no u.data: it isn't GroupLens' "
                                      f"ml-100k.zip. {wanted}")
            inside = zipfile.Path(archive, place).parent
            return _grouplens(inside)
    if (path / "u.data").exists():
        return _grouplens(path)
    if not (path / "ml-100k.inter").exists():
        raise rules.DataError(f"{path} holds neither u.data nor ml-100k.inter. {wanted}")
    ratings = pd.read_csv(path / "ml-100k.inter", sep="\t", dtype="int64", header=0,
                          names=["user", "item", "rating", "timestamp"])
    items = pd.read_csv(path / "ml-100k.item", sep="\t", dtype=str, header=0,
                        names=["item", "title", "year", "genres"])
    users = pd.read_csv(path / "ml-100k.user", sep="\t", dtype=str, header=0,
                        names=["user", "age", "gender", "occupation", "zip"])
    full = items["title"] + " (" + items["year"] + ")"
    return _movielens_frames(ratings, items["item"], full, items["genres"].str.split(" "), users)


def _grouplens(folder) -> Ratings:
    """Read GroupLens' own files: u.data (tabs), u.item and u.user (bars, Latin-1)."""
    def table(name, sep):
        with (folder / name).open(encoding="latin-1") as file:
            return pd.read_csv(file, sep=sep, header=None, dtype=str, quoting=3)

    ratings = table("u.data", "\t").astype("int64")
    ratings.columns = ["user", "item", "rating", "timestamp"]
    items = table("u.item", "|")
    flags = items.loc[:, 5:].to_numpy() == "1"
    genres = [[g for g, on in zip(GENRES, row, strict=True) if on] for row in flags]
    users = table("u.user", "|")
    users.columns = ["user", "age", "gender", "occupation", "zip"]
    return _movielens_frames(ratings, items[0], items[1], pd.Series(genres), users)


def _movielens_frames(ratings, ids, full_titles, genres, users) -> Ratings:
    """Split ``Title (1995)`` in two, name the one unknown film, and check all of it."""
    parts = full_titles.str.extract(r"^(?P<title>.*?)\s*\((?P<year>\d{4})\)(?: \(V\))?\s*$")
    items = pd.DataFrame({
        "item": ids.astype("int64"),
        "title": parts["title"].fillna("unknown"),  # item 267: no title, no year, no genre
        "year": parts["year"].astype("float"),
        "genres": [tuple(g for g in row if g != "unknown") for row in genres],
    })
    users = users.astype({"user": "int64", "age": "int64"})
    return Ratings.from_frames(ratings, items, users)


GENRES = ("unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy "
          "Film-Noir Horror Musical Mystery Romance Sci-Fi Thriller War Western").split()
