"""What a graph's files share: tables checked, read and written whole.

A table is columns: name -> list of values, ``None`` where there is none.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd

from coldrec.validation import DataError

TRIPLE = {"head": "head", "relation": "relation", "tail": "tail"}  # name in the file: ours
NODE = re.compile(r"\s*[^:\s][^:]*:.*\S", re.DOTALL)
KINDS = {"float": float, "int": int, "bool": {"True": True, "False": False}.__getitem__, "str": str}


def columns_of(graph) -> dict[str, list]:
    if not isinstance(graph, nx.MultiDiGraph):
        raise DataError(f"graph must be a networkx MultiDiGraph, not {type(graph).__name__}.")
    edges = list(graph.edges(keys=True, data=True))
    names = list(dict.fromkeys(name for *_, data in edges for name in data))
    if not TRIPLE.keys().isdisjoint(names):
        raise DataError(f"graph: edges have the attributes {names}, but {', '.join(TRIPLE)} are "
                        "taken by triples. Rename what is called so.")
    return checked({"head": [edge[0] for edge in edges], "relation": [edge[2] for edge in edges],
                   "tail": [edge[1] for edge in edges]}
                  | {name: [edge[3].get(name) for edge in edges] for name in names}, "graph, edge")


def graph_of(columns, nodes=()) -> nx.MultiDiGraph:
    graph, names = nx.MultiDiGraph(), [name for name in columns if name not in TRIPLE]
    graph.add_nodes_from(nodes)
    for node in dict.fromkeys(columns["head"] + columns["tail"]):
        graph.add_node(node, type=node.partition(":")[0])
    graph.add_edges_from(zip(columns["head"], columns["tail"], columns["relation"], (
        {name: columns[name][row] for name in names if columns[name][row] is not None}
        for row in range(len(columns["head"]))), strict=True))
    return graph


def checked(columns, where, first=0, relations=None, typed=True, texts=tuple(TRIPLE), key=3):
    """Refuse bad texts, rows that repeat another's key, and bad attributes; return the columns."""
    for name in texts:
        for row, value in enumerate(columns[name], first):
            if not isinstance(value, str) or not value.strip():
                raise DataError(f"{where} {row}: {name} is {value!r}; it must be a text that isn't "
                                "empty. Fill it in, or leave the row out.")
            if typed and name != "relation" and not NODE.match(value):
                raise DataError(f"{where} {row}: {name} is {value!r}; an id must be type:name, as "
                                "in 'item:50'. Put its type in front.")
            if relations is not None and name == "relation" and value not in relations:
                raise DataError(f"{where} {row}: the relation {value!r} is unknown; allowed are "
                                f"{sorted(relations)}. Correct it, or allow it.")
    seen = {}
    for row, found in enumerate(zip(*(columns[name] for name in texts[:key]), strict=True), first):
        if seen.setdefault(found, row) != row:
            raise DataError(f"{where}s {seen[found]} and {row}: {', '.join(map(repr, found))} "
                            "stands there twice. Keep one of the two.")
    return {name: values if name in texts else attribute_of(name, values, where, first)
            for name, values in columns.items()}


def attribute_of(name, values, where, first=0) -> list:
    """Return an attribute's values as Python has them, all of one type, or ``None``."""
    if not isinstance(name, str) or not name.strip():
        raise DataError(f"{where.split(',')[0]}: an attribute is called {name!r}; that must be a "
                        "text. Rename it.")
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    values = [None if pd.api.types.is_scalar(value) and pd.isna(value) else value
              for value in values]
    kind = kind_of(values)
    for row, value in enumerate(values, first):
        right = type(value).__name__ in {kind, "int" if kind == "float" else kind} & set(KINDS)
        if value is not None and not (right and (kind != "int" or -2**63 <= value < 2**63)):
            raise DataError(f"{where} {row}: {name} is {value!r}; an attribute must be a text, a "
                            "truth value or a number (whole ones of 64 bits), and of one kind "
                            "everywhere. Correct it, or leave it out.")
    return values if kind != "float" else [None if v is None else float(v) for v in values]


def kind_of(values) -> str:
    kinds = {type(value).__name__: 0 for value in values if value is not None}
    return "float" if "float" in kinds else next(iter(kinds), "str")


def nodes_of(graph, where):
    """Yield nodes and their attributes, checked."""
    for row, (node, data) in enumerate(graph.nodes(data=True)):
        kind = node.partition(":")[0] if isinstance(node, str) and NODE.match(node) else None
        if kind is None or data.get("type") != kind:
            raise DataError(f"{where}: node {node!r} has the type {data.get('type')!r}; an id must "
                            "be type:name, and the node have that type. Add or correct the node.")
        data = {name: attribute_of(name, [value], f"{where}, node", row)[0]
                for name, value in data.items()}
        yield node, {name: value for name, value in data.items() if value is not None}


def check_header(names, needed, where) -> None:
    for name in [*needed, *names]:
        if names.count(name) != 1:
            raise DataError(f"{where}: there must be one column {name!r}, not {names.count(name)}; "
                            f"the columns are {names}. Correct the header.")


def read_columns(path, needed: dict[str, str]) -> dict[str, list[str]]:
    """Return a file's tab-separated columns; ``needed`` must be there, and are renamed to ours."""
    content = Path(path).read_bytes()
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n")
    except UnicodeDecodeError as error:
        before = error.object[:error.start].split(b"\n")
        raise DataError(f"{path}, line {len(before)}: byte {len(before[-1]) + 1} of the line is "
                        f"0x{error.object[error.start]:02x}, which isn't UTF-8. Save the file as "
                        "UTF-8.") from error
    if not text.strip():
        raise DataError(f"{path} is empty; line 1 must name the columns {list(needed)}.")
    header, *lines = [line.split("\t") for line in text.split("\n")]
    check_header(header, needed, f"{path}, line 1")
    for number, fields in enumerate(lines, 2):
        if len(fields) != len(header):
            raise DataError(f"{path}, line {number}: {len(fields)} fields instead of {len(header)} "
                            f"({', '.join(header)}). Separate them by one tab each.")
    columns = zip(*lines, strict=True) if lines else [()] * len(header)
    return {needed.get(name, name): list(texts)
            for name, texts in zip(header, columns, strict=True)}


def table_bytes(header, columns) -> bytes:
    text = "".join("\t".join(row) + "\n" for row in [header, *zip(*columns, strict=True)])
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        line = text[:error.end].split("\n")[-1]
        raise DataError(f"graph: {line!r} ends in half a character, which UTF-8 can't hold. Take "
                        "it out.") from error


def write_files(files: dict[Path, bytes]) -> None:
    """Write files of one folder, each of them whole or not at all."""
    folder = next(iter(files)).parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as work:
        for path, content in files.items():
            (Path(work) / path.name).write_bytes(content)
        for path in files:
            os.replace(Path(work) / path.name, path)
