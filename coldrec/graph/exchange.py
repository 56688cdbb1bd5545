"""A graph as a table of triples, and as files: TSV, GraphML, and RecBole's .kg and .link.

Errors are ``DataError`` and name the row, or file and line. Writers check first, then write beside
the file and move it into place, so that nothing is ever half written.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree.ElementTree import ParseError, fromstring

import networkx as nx
import numpy as np
import pandas as pd

from coldrec.graph._tables import (
    KINDS,
    TRIPLE,
    check_header,
    checked,
    columns_of,
    graph_of,
    kind_of,
    nodes_of,
    read_columns,
    table_bytes,
    write_files,
)
from coldrec.validation import DataError

KG = {"head_id:token": "head", "relation_id:token": "relation", "tail_id:token": "tail"}
LINK = {"item_id:token": "item", "entity_id:token": "entity"}
KNOWN = {"rating": "float", "timestamp": "int"}  # what a column is unless it's called NAME:KIND
DTYPES = {"float": "float64", "int": "Int64", "bool": "boolean", "str": object}
MEANINGS = {r"\\": "\\", r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\e": ""}
ESCAPES = str.maketrans({text: mark for mark, text in MEANINGS.items() if text})


def to_triples(graph) -> pd.DataFrame:
    """Return a row per edge: ``head, relation, tail``, and a column per attribute of edges.

    An attribute is a float, a whole number (``Int64``), a truth value (``boolean``) or a text, the
    same on all edges; ``NaN`` or ``NA`` says that an edge has none. Labels, nodes without an edge,
    and attributes of the graph itself aren't in the frame.
    """
    return pd.DataFrame({
        name: pd.Series([np.nan if value is None else value for value in values] if
                        kind_of(values) == "str" else values, dtype=DTYPES[kind_of(values)])
        for name, values in columns_of(graph).items()})


def from_triples(frame, labels=None) -> nx.MultiDiGraph:
    """Return the graph of a frame of triples; each column beyond the three is an attribute.

    ``labels`` maps node ids to readable names; other nodes, and what isn't a text, are passed over.
    Refused, with the row: a missing or empty id, one that isn't ``type:name``, and a triple that
    stands there twice, whatever its attributes, for a relation holds once.
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"triples must be a pandas DataFrame, not {type(frame).__name__}.")
    check_header(list(frame), TRIPLE, "triples")
    graph = graph_of(checked({name: frame[name].tolist() for name in frame}, "triples, row"))
    labels = {} if labels is None else dict(labels)
    nx.set_node_attributes(graph, {node: label for node, label in labels.items()
                                   if isinstance(label, str)}, "label")
    return graph


def write_triples(graph, path) -> None:
    r"""Write a TSV in UTF-8: a header, then a line per edge, as in :func:`to_triples`.

    A column of attributes is called ``NAME:KIND``, the kind being ``float``, ``int``, ``bool`` or
    ``str``; ``rating`` (a float), ``timestamp`` (an int) and texts go by the name alone. An empty
    field is no attribute, ``\e`` an empty text. Names keep their quotes; a backslash, tab or line
    break in them becomes ``\\``, ``\t``, ``\n`` or ``\r``.
    """
    table = {}
    for name, values in columns_of(graph).items():
        plain = kind_of(values) == KNOWN.get(name, "str") and ":" not in name
        suffix = "" if plain else f":{kind_of(values)}"
        table[name.translate(ESCAPES) + suffix] = [
            "" if v is None else str(v).translate(ESCAPES) or r"\e" for v in values]
    write_files({Path(path): table_bytes(table, table.values())})


def read_triples(path, relations=None) -> nx.MultiDiGraph:
    """Return the graph of a TSV as :func:`write_triples` makes it; BOM and CRLF are accepted.

    Refused, with the line: a missing column, too few or too many fields, an empty field, an id that
    isn't ``type:name``, a relation that isn't among ``relations`` (if given), a triple that stands
    there twice, an attribute not of its kind, an unknown escape, bytes that aren't UTF-8, no text.
    """
    def parse(text, kind, name, line):
        try:
            return KINDS[kind](re.sub(r"\\.?", lambda found: MEANINGS[found[0]], text))
        except (KeyError, ValueError):
            raise DataError(f"{path}, line {line}: {name} is {text!r}, which can't be read as "
                            f"{kind}. Kinds are {', '.join(KINDS)}, escapes {' '.join(MEANINGS)}. "
                            "Correct it.") from None

    columns = {}
    for header, texts in read_columns(path, TRIPLE).items():
        name, _, kind = header.rpartition(":") if ":" in header else (header, "", None)
        name = parse(name, "str", "the name of a column", 1)
        if name in columns or not name.strip():
            raise DataError(f"{path}, line 1: column {header!r} has no name, or that of another "
                            "column. Rename it.")
        columns[name] = [parse(text, kind or KNOWN.get(name, "str"), name, line) if text else None
                         for line, text in enumerate(texts, 2)]
    return graph_of(checked(columns, f"{path}, line", 2, relations))


def write_graphml(graph, path) -> None:
    """Write GraphML with everything in a graph; relations are the edges' data ``relation``.

    GraphML can't tell an empty text from none. Refused: control characters, which XML can't hold.
    """
    clean = graph_of(columns_of(graph), nodes_of(graph, "graph"))
    plain, buffer = nx.MultiDiGraph(), io.BytesIO()
    plain.graph.update(graph.graph)
    plain.add_nodes_from(clean.nodes(data=True))
    plain.add_edges_from((head, tail, f"e{row}", {"relation": relation} | data) for row, (
        head, tail, relation, data) in enumerate(clean.edges(keys=True, data=True)))
    try:
        nx.write_graphml_xml(plain, buffer)
        content = buffer.getvalue().replace(b"\r", b"&#13;")  # bare, it would become a newline
        fromstring(content)
    except (TypeError, nx.NetworkXError) as error:
        raise DataError(f"graph.graph: {error} Make it a text, or leave it out.") from error
    except ParseError as error:
        line = content.split(b"\n")[error.position[0] - 1].decode().strip()
        raise DataError(f"graph: XML can't hold a character in {line!r}. Take it out.") from error
    write_files({Path(path): content})


def read_graphml(path) -> nx.MultiDiGraph:
    """Return the graph of a directed GraphML file whose edges have data ``relation``.

    Refused: broken XML, with the line; and what isn't such a graph, with the node or the edge.
    """
    try:
        raw = nx.read_graphml(io.BytesIO(Path(path).read_bytes()), str, str, force_multigraph=True)
    except ParseError as error:
        raise DataError(f"{path}, line {error.position[0]}: the XML is broken ({error}). Mend that "
                        "line, or export the file again.") from error
    except (nx.NetworkXError, ValueError, KeyError) as error:
        raise DataError(f"{path} isn't GraphML that networkx reads: {error!r}. Export it again as "
                        "GraphML.") from error
    if not raw.is_directed():
        raise DataError(f"{path}: the graph is undirected, but a relation has a direction. Export "
                        "it as a directed graph.")
    graph = nx.MultiDiGraph()
    graph.graph.update({name: value for name, value in raw.graph.items()
                        if name not in ("node_default", "edge_default")})
    graph.add_nodes_from(nodes_of(raw, path))
    for head, tail, data in raw.edges(data=True):
        relation = data.pop("relation", None)
        if relation is None or graph.has_edge(head, tail, relation):
            raise DataError(f"{path}: an edge from {head!r} to {tail!r} has the relation "
                            f"{relation!r}; each must have one, and each but once. Correct it.")
        graph.add_edges_from([(head, tail, relation, data)])
    columns_of(graph)  # for its checks
    return graph


def write_recbole(graph, folder, name) -> None:
    """Write RecBole's ``NAME.kg`` and ``NAME.link``, in which each item with an edge is linked.

    The first has ``head_id:token, relation_id:token, tail_id:token``, the second ``item_id:token``
    (``50`` for ``item:50``) and ``entity_id:token``. Attributes and labels aren't in them. Leave
    out the users' edges before: RecBole takes ratings from ``NAME.inter``. Refused: tabs, line
    breaks, and quotes in front, for which RecBole has no escapes.
    """
    heads, relations, tails = list(columns_of(graph).values())[:3]
    kind = f"{graph.graph.get('item', 'item')}:"  # the shop's graph calls them product
    items = [node for node in dict.fromkeys(heads + tails) if node.startswith(kind)]
    ids = [node.removeprefix(kind) for node in items]
    for text in dict.fromkeys([*heads, *relations, *tails, *ids]):
        if re.search('^"|[\t\r\n]', text):
            raise DataError(f"graph: {text!r} can't be written for RecBole, which knows no escapes "
                            "for tabs, line breaks and quotes in front. Rename it.")
    write_files({Path(folder) / f"{name}.kg": table_bytes(KG, (heads, relations, tails)),
            Path(folder) / f"{name}.link": table_bytes(LINK, (ids, items))})


def read_recbole(folder, name, relations=None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return RecBole's ``NAME.kg`` and ``NAME.link`` as two frames of texts.

    The first has ``head, relation, tail``, the second ``item, entity``. Refused, with the line:
    what :func:`read_triples` refuses but for the form of ids, an item that is linked twice, and a
    link to an entity that the .kg lacks.
    """
    kg, link = (Path(folder) / f"{name}.{suffix}" for suffix in ("kg", "link"))
    triples = checked(read_columns(kg, KG), f"{kg}, line", 2, relations, typed=False)
    links = checked(read_columns(link, LINK), f"{link}, line", 2, typed=False,
                    texts=("item", "entity"), key=1)
    known = {*triples["head"], *triples["tail"]}
    for line, (item, entity) in enumerate(zip(links["item"], links["entity"], strict=True), 2):
        if entity not in known:
            raise DataError(f"{link}, line {line}: item {item!r} is linked to {entity!r}, which "
                            f"isn't in {kg.name}. Correct the link, or take it out.")
    return (pd.DataFrame(triples, columns=list(KG.values()), dtype=object),
            pd.DataFrame(links, columns=list(LINK.values()), dtype=object))
