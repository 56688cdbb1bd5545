"""What a graph says of a catalogue, and when it could be known."""

from __future__ import annotations

import networkx as nx
import pandas as pd

from coldrec.data import Ratings
from coldrec.graph.build import INTERACTIONS
from coldrec.validation import check_is_ratings

REGIMES = ("release", "before", "all")
AWARDS = ("award_won", "award_nomination")
FIRST_RATING = 1997  # MovieLens-100K's ratings begin in September of that year


def known_facts(ratings: Ratings, graph: nx.MultiDiGraph, known: str = "release",
                side: str = "item") -> pd.DataFrame:
    """Return what the graph says of the items, and could be known then.

    The frame has ``item, relation, entity``, and in ``other`` the id of the item that the entity
    is, if it is one. With ``side="user"`` it has ``user`` instead, and what is said of the users.
    A fact that ends at an item is told of that item too, as ``RELATION_of``. Ratings, reviews and
    whatever else joins a user to an item aren't facts, and are never among them.

    ``known`` is one of three regimes:

    * ``"release"``: on the day the film comes out. No awards, no sequels (and in the shop, no
      later product that follows this one).
    * ``"before"``: before the first rating of MovieLens-100K, September 1997. Awards of films of
      1996 and earlier; sequels among films of 1997 and earlier. Not where a year is missing.
    * ``"all"``: everything, which includes fame from the future.
    """
    check_is_ratings(ratings, "known_facts")
    if known not in REGIMES:
        raise ValueError(f"known is {known!r}; it may be {', '.join(map(repr, REGIMES))}.")
    if side not in ("item", "user"):
        raise ValueError(f"side is {side!r}; it may be 'item' or 'user'.")
    ids = ratings.item_ids if side == "item" else ratings.user_ids
    prefix = graph.graph.get("item", "item") if side == "item" else "user"
    node_of = pd.Series(ids, f"{prefix}:" + ids.astype(str))
    if not any(node in graph for node in node_of.index):
        raise ValueError(f"none of the {side}s is in the graph: it has no node such as "
                         f"{node_of.index[0]!r}. If it calls them otherwise, say so: "
                         "graph.graph['item'] = 'product'.")
    edges = pd.DataFrame([(start, key, end) for start, end, key in graph.edges(keys=True)
                          if not _interaction(graph, start, key, end)],
                         columns=["head", "relation", "tail"])
    out = edges[edges["head"].isin(node_of.index)]
    back = edges[edges["tail"].isin(node_of.index)]
    facts = pd.DataFrame({
        side: pd.concat([node_of[out["head"]], node_of[back["tail"]]]).to_numpy(),
        "relation": pd.concat([out["relation"], back["relation"] + "_of"]).to_numpy(),
        "entity": pd.concat([out["tail"], back["head"]]).to_numpy()})
    facts["other"] = facts["entity"].map(node_of)
    if side == "user" or known == "all":
        return facts
    late = facts["relation"].isin((*AWARDS, "sequel", "sequel_of", "follows_of"))
    if known == "before" and late.any():
        year = ratings.items.set_index("item").get("year", pd.Series(dtype=float))
        award = facts["relation"].isin(AWARDS)
        own, others = facts["item"].map(year), facts["other"].map(year)
        late &= ~(award & (own < FIRST_RATING))
        late &= ~(~award & (own <= FIRST_RATING) & (others <= FIRST_RATING))
    return facts[~late].reset_index(drop=True)


def known_triples(ratings: Ratings, graph: nx.MultiDiGraph, known: str = "release",
                  least: int = 1) -> pd.DataFrame:
    """Return :func:`known_facts` as triples ``head, relation, tail`` of nodes.

    A fact between two items is one triple, not two. Entities with fewer than ``least`` facts are
    left out, but for the items: what hardly anything is joined to says little of anything.
    """
    facts = known_facts(ratings, graph, known)
    node = f"{graph.graph.get('item', 'item')}:" + facts["item"].astype(str)
    triples = pd.DataFrame({"head": node, "relation": facts["relation"], "tail": facts["entity"]})
    of_items = facts["other"].notna()
    there = pd.Series([graph.has_edge(head, tail, relation) for head, relation, tail
                       in triples.itertuples(index=False)], triples.index, dtype=bool)
    told_back = of_items & ~there
    often = facts["entity"].map(facts["entity"][~told_back].value_counts()) >= least
    return triples[~told_back & (often | of_items)].drop_duplicates(ignore_index=True)


def _interaction(graph, start, relation, end) -> bool:
    kinds = {start.partition(":")[0], end.partition(":")[0]}
    return (relation in INTERACTIONS or "review" in kinds
            or {"user", graph.graph.get("item", "item")} <= kinds)
