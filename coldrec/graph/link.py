"""Freebase's facts about films, and which film of the catalogue each is about.

The files are those that KB4Rec made (Zhao et al. 2019, doi:10.1162/dint_a_00008) and RecBole ships
for MovieLens-100K: triples over anonymous entities, and a link from item ids to entities.
"""

from __future__ import annotations

from functools import cache

import networkx as nx
import numpy as np
import pandas as pd

from coldrec import assets, data
from coldrec.data import Ratings
from coldrec.graph.exchange import read_recbole
from coldrec.validation import check_is_ratings
from coldrec.views import readable_title

LINKS = ("shipped", "relinked", "shuffled")

# Relation -> type of the node at its end, and Freebase's names for it from the film and to it.
RELATIONS = {
    "actor": ("person", "film.film.actor", "film.actor.film"),
    "director": ("person", "film.film.directed_by", "film.director.film"),
    "writer": ("person", "film.film.written_by", "film.writer.film"),
    "producer": ("person", "film.film.produced_by", "film.producer.film"),
    "cinematographer": ("person", "film.film.cinematography", "film.cinematographer.film"),
    "studio": ("studio", "film.film.production_companies", "film.production_company.films"),
    "film_genre": ("film_genre", "film.film.genre", "film.film_genre.films_in_this_genre"),
    "subject": ("subject", "film.film.subjects", "film.film_subject.films"),
    "content_rating": ("content_rating", "film.film.rating", "film.content_rating.film"),
    "language": ("language", "film.film.language", None),
    "country": ("country", "film.film.country", None),
    "award_won": ("award", "film.film.award_won", None),
    "award_nomination": ("award", "film.film.award_nomination", None),
    "sequel": ("film", "film.film.sequel", "film.film.prequel"),
}


def link_table(ratings: Ratings, links: str = "relinked", seed: int = 0) -> pd.DataFrame:
    """Return which Freebase entity each film is: ``item, entity``, one row a linked film.

    ``"shipped"`` is the file as everybody downloads it. Its item ids are those of the larger
    MovieLens sets, in which the same number is another film. ``"relinked"`` goes through
    ``data/ml100k_crosswalk.csv``, which matches the two sets' films by title and year;
    ``"shuffled"`` permutes the relinked entities among their films. Of a film that stands in
    MovieLens-100K twice, the first copy is linked.
    """
    check_is_ratings(ratings, "link_table")
    if links not in LINKS:
        raise ValueError(f"links is {links!r}; it may be {', '.join(map(repr, LINKS))}, or a frame "
                         "of your own with the columns item and entity.")
    table = _recbole()[1].astype({"item": "int64"})
    if links == "shipped":
        return table[table["item"].isin(ratings.item_ids)].reset_index(drop=True)
    table = crosswalk().merge(table.rename(columns={"item": "movie"}), on="movie")
    table = table[table["item"].isin(ratings.item_ids)].drop_duplicates("entity")
    table = table[["item", "entity"]].reset_index(drop=True)
    return with_errors(table, 1.0, seed) if links == "shuffled" else table


def with_errors(table: pd.DataFrame, share: float, seed: int = 0, alike=None) -> pd.DataFrame:
    """Return links of which a random ``share`` (0 to 1) is wrong: their entities change places.

    They are passed on in a ring, so that each of them, if there are two or more, is wrong. With
    ``alike``, a label for each row, only rows with one label change places, as confusable films
    would; then the share is what can be had of it, for a row alone with its label stays right.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share!r}; it must be from 0 (none wrong) to 1 (all).")
    rng = np.random.default_rng(seed)
    order, wanted = rng.permutation(len(table)), round(share * len(table))
    labels = np.zeros(len(table), int) if alike is None else pd.factorize(pd.Series(alike))[0]
    if len(labels) != len(table):
        raise ValueError(f"alike has {len(labels)} labels for {len(table)} links; give one each.")
    entity = table["entity"].to_numpy(copy=True)
    for label in pd.unique(labels[order]):
        ring = order[labels[order] == label][:wanted]
        if len(ring) > 1:
            entity[ring] = entity[np.roll(ring, 1)]
            wanted -= len(ring)
    return table.assign(entity=entity)


def crosswalk() -> pd.DataFrame:
    """Return ``item, movie, match``: MovieLens-100K's ids and those of the larger MovieLens sets.

    ``match`` is ``"matched"``, ``"ambiguous"`` (several films are equally good, so none is taken)
    or ``"unmatched"``; ``movie`` is missing in the latter two. Made by ``data/make_crosswalk.py``.
    """
    return pd.read_csv(data.shop_folder().parent / "ml100k_crosswalk.csv", dtype={"movie": "Int64"})


def freebase(ratings: Ratings, links: str | pd.DataFrame = "relinked",
             seed: int = 0) -> nx.MultiDiGraph:
    """Return Freebase's facts as a graph in which the linked films are the catalogue's items.

    Parameters
    ----------
    ratings
        MovieLens-100K.
    links
        See :func:`link_table`; or a frame ``item, entity`` of your own.

    Returns
    -------
    networkx.MultiDiGraph
        ``item:50 -director-> person:m.0xxx`` and so on. Freebase has many facts twice, once from
        either end (``film.film.sequel`` and ``film.film.prequel``); here each stands once, as an
        edge from the film. A film that no item is linked to is ``film:m.0xxx``. The entities have
        no names (see :func:`coldrec.graph.with_names`). ``graph.graph["linked"]`` is the number of
        linked items.
    """
    check_is_ratings(ratings, "freebase")
    table = (link_table(ratings, links, seed) if isinstance(links, str)
             else _checked(ratings, links))
    triples = canonical(_recbole()[0])
    known = set(triples["head"]) | set(triples["tail"])
    unknown = table[~table["entity"].isin(known)]
    if len(unknown):
        raise ValueError(f"{len(unknown)} linked entities have no facts, first "
                         f"{unknown['entity'].iloc[0]!r}. Entities are such as 'm.0bth54'.")
    item_of = dict(zip(table["entity"], "item:" + table["item"].astype(str), strict=True))
    graph = nx.MultiDiGraph(item="item", linked=len(table))
    for row in ratings.items.to_dict("records"):
        label = readable_title(row["title"]) if isinstance(row.get("title"), str) else ""
        graph.add_node(f"item:{row['item']}", type="item", label=label or str(row["item"]))
    for head, relation, tail in triples.itertuples(index=False):
        kind = RELATIONS[relation][0]
        start = item_of.get(head, f"film:{head}")
        end = item_of.get(tail, f"film:{tail}") if kind == "film" else f"{kind}:{tail}"
        graph.add_edge(start, end, key=relation)
    nx.set_node_attributes(graph, {n: n.partition(":")[0] for n in graph}, "type")
    return graph


def canonical(triples: pd.DataFrame) -> pd.DataFrame:
    """Return Freebase's triples with every relation read from the film, each fact once."""
    forward = {name: relation for relation, (_, name, _) in RELATIONS.items()}
    backward = {name: relation for relation, (_, _, name) in RELATIONS.items() if name}
    unknown = set(triples["relation"]) - set(forward) - set(backward)
    if unknown:
        raise ValueError(f"unknown relations {sorted(unknown)[:3]}; known are "
                         f"{sorted([*forward, *backward])}.")
    turned = triples["relation"].isin(backward)
    same = triples[~turned].replace({"relation": forward})
    other = triples[turned].rename(columns={"head": "tail", "tail": "head"})
    other = other.replace({"relation": backward})
    columns = ["head", "relation", "tail"]
    return pd.concat([same[columns], other[columns]]).drop_duplicates(ignore_index=True)


def _recbole() -> tuple[pd.DataFrame, pd.DataFrame]:
    return _read(assets.fetch("ml-100k-kg"))


@cache
def _read(folder):
    return read_recbole(folder, "ml-100k")


def _checked(ratings, table) -> pd.DataFrame:
    missing = {"item", "entity"} - set(table)
    if missing:
        raise ValueError(f"links have no column {sorted(missing)}; they need item and entity.")
    ratings.item_rows(table["item"])  # an unknown item is an error
    for column in ("item", "entity"):
        twice = table.loc[table[column].duplicated(), column].tolist()
        if twice:
            raise ValueError(f"{column} {twice[0]!r} is linked twice. A film is one "
                             "entity, and an entity is one film.")
    return table[["item", "entity"]].reset_index(drop=True)
