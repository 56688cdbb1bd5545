"""Facts as sentences."""

from __future__ import annotations

import re

import networkx as nx
import pandas as pd

from coldrec.data import Ratings
from coldrec.graph.names import name

VERBS = {"director": "was directed by", "writer": "was written by", "producer": "was produced by",
         "cinematographer": "was filmed by", "actor": "has in its cast", "studio": "was made by",
         "film_genre": "belongs to", "subject": "is about", "content_rating": "has",
         "language": "is in", "country": "comes from", "award_won": "won",
         "award_nomination": "was nominated for", "has_genre": "has the genre",
         "released_in": "was released in", "sequel": "was followed by",
         "sequel_of": "is the sequel of", "follows": "follows", "has_brand": "is made by",
         "made_of": "is made of", "for_season": "is for", "goes_with": "goes with"}


def verbalise(graph: nx.MultiDiGraph, triples: pd.DataFrame,
              train: Ratings | None = None) -> list[tuple[str, str]]:
    """Return each triple as the two parts of a sentence: what is asked, and the answer.

    ``("Fargo was directed by", " the director of Raising Arizona and Blood Simple.")``: an entity
    without a name is called by the *other* items it has that relation to (see
    :func:`coldrec.graph.name`; ``train`` says which items are well known), and the item's own name
    never stands in the answer. Where there is no other item, or one of the same name (a remake),
    the answer is an empty text.
    """
    unknown = set(triples["relation"]) - set(VERBS)
    if unknown:
        raise ValueError(f"there are no words for the relations {sorted(unknown)}; there are for "
                         f"{sorted(VERBS)}.")
    sentences = []
    for triple in triples.itertuples():
        head, tail = triple.head, triple.tail
        item = name(graph, head, train)
        told = name(graph, tail, train, role=triple.relation, besides=head)
        nameless = not graph.nodes[tail].get("label") and not graph.has_edge(head, tail)
        if (nameless or told.endswith("no other film here")
                or f"*{item}*" in f"*{told}*"):  # another item, of the same name
            told = ""
        sentences.append((f"{_plain(item)} {VERBS[triple.relation]}", told and f" {_plain(told)}."))
    return sentences


def _plain(text) -> str:
    return re.sub(r"(?<!\w)\*|\*(?!\w)", "", text)  # but not those of M*A*S*H
