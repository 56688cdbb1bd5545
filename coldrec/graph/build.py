"""A graph from tables: what a catalogue, its users and their ratings say."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd

from coldrec import data
from coldrec.data import Ratings
from coldrec.views import readable_title

# Column of the table -> relation, and the type of the node at its end.
ITEM_FACTS = {"genres": ("has_genre", "genre"), "year": ("released_in", "year"),
              "brand": ("has_brand", "brand"), "material": ("made_of", "material"),
              "season": ("for_season", "season")}
ITEM_LINKS = {"goes_with": "goes_with", "follows": "follows"}  # from one item to another
USER_FACTS = {"gender": ("has_gender", "gender"), "occupation": ("has_occupation", "occupation"),
              "city": ("lives_in", "region")}
INTERACTIONS = ("rated", "wrote", "about")  # made by ratings: no view may read these
AGE_BAND = 10  # years


def build(ratings: Ratings, reviews: pd.DataFrame | None = None, rated: bool = True,
          item: str = "item", genre: str = "genre") -> nx.MultiDiGraph:
    """Return the graph of a data set's own tables.

    Parameters
    ----------
    ratings
        Items become nodes with genres, year, brand, material, season and links to other items;
        users with age band, gender, occupation and region (city, or the first digit of the zip
        code, in the United States a group of states); each as far as the tables have it.
    reviews
        ``user, item, text``: each becomes a node, ``user -wrote-> review -about-> item``. Reviews
        of pairs that aren't in ``ratings`` are left out, so that the graph of ``split.train``
        can't know the test.
    rated
        Whether each rating becomes an edge ``user -rated-> item`` with ``rating`` (stars) and
        ``timestamp`` (seconds since 1970).
    item, genre
        What the two types of node are called.

    Returns
    -------
    networkx.MultiDiGraph
    """
    if not isinstance(ratings, Ratings):
        raise TypeError(f"build needs Ratings, such as split.train, not {type(ratings).__name__}. "
                        "Make them with cr.Ratings.from_frames.")
    graph = nx.MultiDiGraph(item=item)
    for row in ratings.items.to_dict("records"):
        label = readable_title(row["title"]) if isinstance(row.get("title"), str) else None
        _add_node(graph, item, row["item"], label)
    for row in ratings.items.to_dict("records"):
        start = f"{item}:{row['item']}"
        for column, (relation, kind) in ITEM_FACTS.items():
            kind = genre if kind == "genre" else kind
            for value in _values(row.get(column)):
                graph.add_edge(start, _add_node(graph, kind, value), key=relation)
        for column, relation in ITEM_LINKS.items():
            for value in _values(row.get(column)):
                graph.add_edge(start, _known_node(graph, item, value, column, start), key=relation)
    for row in ratings.users.to_dict("records"):
        start = _add_node(graph, "user", row["user"], _text(row.get("name")))
        for relation, kind, value in _user_facts(row):
            graph.add_edge(start, _add_node(graph, kind, value), key=relation)
    if rated:
        for row in ratings.ratings.to_dict("records"):
            fact = {key: kind(row[key]) for key, kind in (("rating", float), ("timestamp", int))
                    if key in row and pd.notna(row[key])}
            graph.add_edge(f"user:{row['user']}", f"{item}:{row['item']}", key="rated", **fact)
    if reviews is not None:
        _add_reviews(graph, ratings, reviews, item)
    return graph


def shop(ratings: Ratings | None = None) -> nx.MultiDiGraph:
    """Return the graph of the course's shop: users, products, categories, brands, reviews.

    ``ratings`` limits it to the reviews of, say, ``split.train``.
    """
    reviews = pd.read_csv(data.shop_folder() / "reviews.csv")
    ratings = data.load("shop") if ratings is None else ratings
    return build(ratings, reviews, item="product", genre="category")


def node(graph: nx.MultiDiGraph, item) -> str:
    """Return the node of an item id; KeyError if the graph has none."""
    name = f"{graph.graph.get('item', 'item')}:{item}"
    if name not in graph:
        raise KeyError(f"the graph has no node {name!r}. Ids are those of Ratings.items.")
    return name


def _add_node(graph, kind, value, label=None) -> str:
    value = _written(value)
    name = f"{kind}:{value}"
    graph.add_node(name, type=kind, label=label or value)
    return name


def _known_node(graph, kind, value, column, start) -> str:
    value = _written(value)
    name = f"{kind}:{value}"
    if name not in graph:
        raise ValueError(f"{column} of {start} is {value!r}, and there is no such item. "
                         "Correct the table of items, or leave the field empty.")
    return name


def _add_reviews(graph, ratings, reviews, item):
    missing = {"user", "item", "text"} - set(reviews)
    if missing:
        raise ValueError(f"reviews have no column {sorted(missing)}; they need user, item, text.")
    pairs = pd.MultiIndex.from_frame(ratings.ratings[["user", "item"]])
    reviews = reviews.reset_index(drop=True)  # a review is called by its row
    kept = reviews[pd.MultiIndex.from_frame(reviews[["user", "item"]]).isin(pairs)]
    for number, row in kept.iterrows():
        review = f"review:{number}"
        graph.add_node(review, type="review", label=row["text"])
        graph.add_edge(f"user:{row['user']}", review, key="wrote")
        graph.add_edge(review, f"{item}:{row['item']}", key="about")


def _user_facts(row):
    for column, (relation, kind) in USER_FACTS.items():
        for value in _values(row.get(column)):
            yield relation, kind, value
    if pd.notna(row.get("age")):
        start = int(row["age"]) // AGE_BAND * AGE_BAND
        yield "in_age_band", "age", f"{start}-{start + AGE_BAND - 1}"
    zip_code = _text(row.get("zip"))
    if zip_code:  # letters are other countries' codes
        yield "lives_in", "region", f"zip {zip_code[0]}" if zip_code[0].isdigit() else "abroad"


def _values(value) -> list:
    """Return a field's values: several of a list, one of anything else, none of an empty field."""
    if isinstance(value, (list, tuple, set, np.ndarray)):
        return sorted(value) if isinstance(value, set) else list(value)
    return [] if value is None or pd.isna(value) or value == "" else [value]


def _written(value) -> str:
    """Return 1995.0 as 1995: whole numbers are floats in a column with empty fields."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _text(value) -> str | None:
    return value if isinstance(value, str) and value else None
