"""Knowledge graphs: build one, link it to a catalogue, audit the links, follow its paths.

A graph is a networkx ``MultiDiGraph``. A node's id is a text ``"type:name"`` (``"item:50"``,
``"person:m.0bxtg"``), with the attributes ``type`` and, where it has a readable name, ``label``. An
edge's key is its relation. A frame of triples (``head, relation, tail``) is the exchange form.
"""

from coldrec.graph import embeddings
from coldrec.graph.audit import Audit, audit, suspects, wrong_share
from coldrec.graph.build import build, node, shop
from coldrec.graph.exchange import (
    from_triples,
    read_graphml,
    read_recbole,
    read_triples,
    to_triples,
    write_graphml,
    write_recbole,
    write_triples,
)
from coldrec.graph.facts import REGIMES, known_facts, known_triples
from coldrec.graph.link import LINKS, crosswalk, freebase, link_table, with_errors
from coldrec.graph.names import name, with_names
from coldrec.graph.paths import paths

__all__ = ["LINKS", "REGIMES", "Audit", "audit", "build", "crosswalk", "embeddings", "freebase",
           "from_triples", "known_facts", "known_triples", "link_table", "name", "node", "paths",
           "read_graphml", "read_recbole", "read_triples", "shop", "suspects", "to_triples",
           "with_errors", "with_names", "write_graphml", "write_recbole", "write_triples",
           "wrong_share"]
