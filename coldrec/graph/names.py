"""Names for anonymous entities, made from what they are connected to."""

from __future__ import annotations

import networkx as nx

from coldrec.data import Ratings

ROLES = {"director": "the director of", "writer": "a writer of", "producer": "a producer of",
         "cinematographer": "the cinematographer of", "actor": "an actor in",
         "studio": "a studio of", "film_genre": "a genre of", "subject": "a subject of",
         "content_rating": "the rating of", "language": "a language of", "country": "a country of",
         "award_won": "an award won by", "award_nomination": "an award with nominations for"}


def name(graph: nx.MultiDiGraph, node: str, train: Ratings | None = None, films: int = 2,
         role: str | None = None, besides: str | None = None) -> str:
    """Return a readable name: the node's label, or one made from its best known connections.

    An entity without a label is called by its most frequent role and up to ``films`` of the items
    it has it in: "the director of *Fargo* and *Raising Arizona*". The items are those with the
    most ratings in ``train``, or without it the first in the alphabet: a test's ratings have no say
    in what a thing is called. Several may share a name. ``role`` is a relation to prefer, and
    ``besides`` an item's node to leave out, where the name is to say what *else* the entity did.
    """
    if node not in graph:
        raise KeyError(f"the graph has no node {node!r}. Nodes are such as {list(graph)[:3]}.")
    return _name(graph, node, _counts(graph, train), films, role, besides)


def with_names(graph: nx.MultiDiGraph, train: Ratings | None = None) -> nx.MultiDiGraph:
    """Return a copy of the graph in which every node has a ``label`` (see :func:`name`)."""
    counts = _counts(graph, train)
    labels = {node: _name(graph, node, counts, 2) for node in graph}
    named = graph.copy()
    nx.set_node_attributes(named, labels, "label")
    return named


def _counts(graph, train) -> dict[str, int]:
    known = {} if train is None else train.ratings["item"].value_counts().to_dict()
    return {f"{graph.graph.get('item', 'item')}:{item}": n for item, n in known.items()}


def _name(graph, node, counts, films, role=None, besides=None) -> str:
    label = graph.nodes[node].get("label")
    if label:
        return label
    roles = {}
    for item, _, relation in graph.in_edges(node, keys=True):
        if relation in ROLES and item != besides and graph.nodes[item].get("label"):
            roles.setdefault(relation, []).append(item)
    if roles:
        most = max(ROLES, key=lambda relation: len(roles.get(relation, ())))
        role = role if role in roles else most
        return f"{ROLES[role]} {_best(graph, roles[role], counts, films)}"
    if besides and graph.has_edge(besides, node):
        return f"{ROLES.get(role, 'a part of')} no other film here"
    return _by_shared_facts(graph, node, counts)


def _best(graph, items, counts, films) -> str:
    ranked = sorted(set(items), key=lambda item: (-counts.get(item, 0),
                                                  graph.nodes[item]["label"]))
    return " and ".join(f"*{graph.nodes[item]['label']}*" for item in ranked[:films])


def _by_shared_facts(graph, node, counts) -> str:
    """Name a film outside the catalogue by a catalogue film that shares a fact with it."""
    for relation in ROLES:
        for _, entity, key in graph.out_edges(node, keys=True):
            others = [item for item, _, same in graph.in_edges(entity, keys=True)
                      if key == same == relation and graph.nodes[item].get("label")]
            if others:
                shared = relation.replace("_", " ")
                return f"a film that shares its {shared} with {_best(graph, others, counts, 1)}"
    kind, _, rest = node.partition(":")
    return f"an unnamed {kind.replace('_', ' ')} ({rest})"
