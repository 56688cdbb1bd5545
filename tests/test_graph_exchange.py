"""The exchange of graphs: nothing is lost on the way, and a bad file is refused with its line."""

import os
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coldrec as cr
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
from coldrec.validation import DataError


def a_graph(edges, labels=(), **attributes):
    """A graph of ``(head, relation, tail)`` or ``(head, relation, tail, attributes)``."""
    graph = nx.MultiDiGraph(**attributes)
    for head, relation, tail, *data in edges:
        for node in (head, tail):
            graph.add_node(node, type=node.partition(":")[0])
        graph.add_edges_from([(head, tail, relation, *data)])
    for node, label in dict(labels).items():
        graph.add_node(node, type=node.partition(":")[0], label=label)
    return graph


FILMS = a_graph([
    ("item:50", "has_genre", "genre:Sci-Fi"),
    ("item:50", "directed_by", "person:m.02vxn"),
    ("user:7", "rated", "item:50", {"rating": 4.5, "timestamp": 881250949}),
    ("user:7", "likes", "item:50"),
], {"item:50": 'The "Star" Café', "item:51": "Nobody's"}, item="item")


def nodes_of(graph):
    return {node: data for node, data in graph.nodes(data=True)}


def edges_of(graph):
    """Every edge with its attributes and their types."""
    return {(head, relation, tail): {name: (type(value), value) for name, value in data.items()}
            for head, tail, relation, data in graph.edges(keys=True, data=True)}


def same(one, other):
    return nodes_of(one) == nodes_of(other) and edges_of(one) == edges_of(other)


def linked(graph):
    """The part of a graph that triples hold: no labels, and no nodes without an edge."""
    return a_graph((head, relation, tail, data)
                   for head, tail, relation, data in graph.edges(keys=True, data=True))


# Graphs with any names that a format can hold

ODD = '\t\n\r\\"\'|,:; etnr\x85\u2028éß日本\U0001f37f'


@st.composite
def graphs(draw, without="", empty=True):
    letters = st.sampled_from(sorted(set(ODD) - set(without))) | st.characters(
        exclude_categories=("Cs", "Cc", "Cn"), exclude_characters=without)
    texts = st.text(letters, max_size=6) if empty else st.text(letters, min_size=1, max_size=6)
    names = texts.filter(str.strip)
    kinds = names.map(lambda text: text.replace(":", "")).filter(str.strip)
    kinds = st.sampled_from(["item", "user", "genre"]) | kinds
    nodes = draw(st.lists(st.tuples(kinds, names).map(":".join), min_size=1, max_size=6))
    data = st.fixed_dictionaries({}, optional={
        "rating": st.floats(allow_nan=False), "timestamp": st.integers(-2**63, 2**63 - 1),
        "source": texts | st.sampled_from(["5", "4.5", "True", "nan", "NA"]),
        "sure": st.booleans(), "dc:count": st.integers(0, 9), "text:int": names,
        'we"ight\\n': st.floats(allow_nan=False)})
    triple = st.tuples(st.sampled_from(nodes), names, st.sampled_from(nodes))
    edges = draw(st.lists(st.tuples(triple, data), max_size=8, unique_by=lambda edge: edge[0]))
    labels = draw(st.dictionaries(st.sampled_from(nodes), names))
    return a_graph([(*triple, data) for triple, data in edges], labels)


@given(graphs())
def test_a_graph_survives_triples(graph):
    labels = {node: data["label"] for node, data in graph.nodes(data=True) if "label" in data}
    back = from_triples(to_triples(graph), labels)
    assert edges_of(back) == edges_of(graph)
    assert nodes_of(back) == {node: nodes_of(graph)[node] for node in linked(graph)}


@given(graphs())
def test_a_graph_survives_tsv(tmp_path_factory, graph):
    path = tmp_path_factory.mktemp("graph") / "graph.tsv"
    write_triples(graph, path)
    assert same(read_triples(path, {key for *_, key in graph.edges(keys=True)}), linked(graph))
    text = path.read_text("utf-8")
    for end in ("\r\n", "\n"):  # Windows' line ends, and its mark at the start
        path.write_text(text, encoding="utf-8-sig", newline=end)
        assert same(read_triples(path), linked(graph))
    path.write_text(text.removesuffix("\n"), encoding="utf-8", newline="\n")
    assert same(read_triples(path), linked(graph)), "without a line end at the end"


@given(graphs(empty=False))
def test_a_graph_survives_graphml(tmp_path_factory, graph):
    path = tmp_path_factory.mktemp("graph") / "graph.graphml"
    before = graph.copy()
    write_graphml(graph, path)
    assert same(read_graphml(path), graph)
    assert same(graph, before), "and writing doesn't touch it"


@given(graphs(without='\t\r\n"'))
def test_a_graph_survives_recbole(tmp_path_factory, graph):
    folder = tmp_path_factory.mktemp("graph")
    write_recbole(graph, folder, "mine")
    triples, links = read_recbole(folder, "mine")
    pd.testing.assert_frame_equal(triples, to_triples(graph)[["head", "relation", "tail"]])
    items = {node for node in linked(graph) if node.startswith("item:")}
    assert set(links["entity"]) == items and len(links) == len(items)
    assert list("item:" + links["item"]) == list(links["entity"])


# Triples


def test_triples_are_a_row_per_edge():
    frame = to_triples(FILMS)
    assert list(frame) == ["head", "relation", "tail", "rating", "timestamp"]
    assert frame[["head", "relation", "tail"]].to_numpy().tolist() == [
        ["item:50", "has_genre", "genre:Sci-Fi"], ["item:50", "directed_by", "person:m.02vxn"],
        ["user:7", "rated", "item:50"], ["user:7", "likes", "item:50"]]
    assert frame["rating"].isna().tolist() == frame["timestamp"].isna().tolist() == [
        True, True, False, True]
    assert (frame["rating"][2], frame["timestamp"][2]) == (4.5, 881250949)
    assert (frame["rating"].dtype, frame["timestamp"].dtype) == ("float64", "Int64")


def test_a_graph_without_edges_has_no_triples(tmp_path):
    frame = to_triples(nx.MultiDiGraph())
    assert list(frame) == ["head", "relation", "tail"] and frame.empty
    assert len(from_triples(frame)) == 0
    write_triples(nx.MultiDiGraph(), tmp_path / "empty.tsv")
    assert (tmp_path / "empty.tsv").read_bytes() == b"head\trelation\ttail\n"
    assert len(read_triples(tmp_path / "empty.tsv")) == 0


@pytest.mark.parametrize("dtype", [object, "string", "category", "str"])
def test_triples_are_read_however_pandas_keeps_them(dtype):
    frame = to_triples(FILMS)
    frame[["head", "relation", "tail"]] = frame[["head", "relation", "tail"]].astype(dtype)
    frame["rating"] = frame["rating"].astype("Float64")
    frame["note"] = pd.Series([None, "x", pd.NA, np.nan], dtype=object)
    frame.index = [9, 9, 8, 8]
    back = edges_of(from_triples(frame))
    assert back.pop(("item:50", "directed_by", "person:m.02vxn")) == {"note": (str, "x")}
    assert back == {edge: data for edge, data in edges_of(FILMS).items()
                    if edge[1] != "directed_by"}


def test_labels_are_those_of_the_nodes_there_are():
    labels = pd.Series({"item:50": "Star Wars", "item:99": "elsewhere", "user:7": np.nan})
    graph = from_triples(to_triples(FILMS), labels)
    assert nodes_of(graph)["item:50"] == {"type": "item", "label": "Star Wars"}
    assert nodes_of(graph)["user:7"] == {"type": "user"}
    assert "item:99" not in graph


def test_whole_and_other_numbers_are_numbers(tmp_path):
    graph = a_graph([("a:1", "r", "b:1", {"x": 1}), ("a:1", "r", "b:2", {"x": np.float32(0.5)}),
                     ("a:1", "r", "b:3", {"x": None}), ("a:1", "r", "b:4", {"x": np.nan})])
    frame = to_triples(graph)
    assert frame["x"].dtype == "float64" and frame["x"].tolist()[:2] == [1.0, 0.5]
    assert frame["x"].isna().tolist() == [False, False, True, True]
    write_triples(graph, tmp_path / "graph.tsv")
    write_graphml(graph, tmp_path / "graph.graphml")
    for back in (read_triples(tmp_path / "graph.tsv"), read_graphml(tmp_path / "graph.graphml")):
        assert [edges_of(back)["a:1", "r", f"b:{n}"].get("x") for n in (1, 2, 3, 4)] == [
            (float, 1.0), (float, 0.5), None, None]


def put(column, row, value):
    """Return a change to a frame: one value."""
    def change(frame):
        values = [value if at == row else old for at, old in enumerate(frame[column])]
        return frame.assign(**{column: pd.Series(values, frame.index, dtype=object)})
    return change


AN_ID = "an id must be type:name, as in 'item:50'. Put its type in front."
A_TEXT = "it must be a text that isn't empty. Fill it in, or leave the row out."
BAD_FRAMES = {
    "no tail": (lambda f: f.drop(columns="tail"),
                "triples: there must be one column 'tail', not 0; the columns are ['head', 'rel"),
    "two tails": (lambda f: pd.concat([f, f[["tail"]]], axis=1),
                  "triples: there must be one column 'tail', not 2"),
    "two ratings": (lambda f: pd.concat([f, f[["rating"]]], axis=1),
                    "triples: there must be one column 'rating', not 2"),
    "not a frame": (lambda f: f.to_dict(), "triples must be a pandas DataFrame, not dict."),
    "NaN": (put("tail", 2, np.nan), f"triples, row 2: tail is nan; {A_TEXT}"),
    "None": (put("relation", 1, None), f"triples, row 1: relation is None; {A_TEXT}"),
    "a number": (put("head", 3, 50), f"triples, row 3: head is 50; {A_TEXT}"),
    "empty": (put("head", 0, ""), f"triples, row 0: head is ''; {A_TEXT}"),
    "blank": (put("relation", 0, " "), f"triples, row 0: relation is ' '; {A_TEXT}"),
    "no type": (put("head", 1, "50"), f"triples, row 1: head is '50'; {AN_ID}"),
    "an empty type": (put("head", 1, ":50"), f"triples, row 1: head is ':50'; {AN_ID}"),
    "a blank type": (put("head", 1, " :50"), f"triples, row 1: head is ' :50'; {AN_ID}"),
    "an empty name": (put("tail", 1, "item: "), f"triples, row 1: tail is 'item: '; {AN_ID}"),
    "twice": (lambda f: pd.concat([f, f[2:3].assign(rating=1)]),
              "triples, rows 2 and 4: 'user:7', 'rated', 'item:50' stands there twice. Keep one"),
    "a list": (put("note", 1, ["x"]), "triples, row 1: note is ['x']; an attribute must be a text"),
    "two kinds": (put("note", 3, 1.5), "triples, row 0: note is 'x'; an attribute must be a text"),
    "a date": (put("note", 0, pd.Timestamp(0)), "triples, row 0: note is Timestamp"),
    "a large number": (put("rating", 0, 2**63), "triples, row 0: rating is 9223372036854775808; "),
    "a numbered column": (lambda f: f.rename(columns={"note": 5}), "triples: an attribute is "
                          "called 5; that must be a text. Rename it."),
}


@pytest.mark.parametrize("change, message", BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_bad_triples_are_refused_with_their_row(change, message):
    frame = to_triples(FILMS).assign(note="x").drop(columns=["rating"]).assign(rating=3)
    with pytest.raises(DataError, match="^" + re.escape(message)):
        from_triples(change(frame))


BAD_GRAPHS = {
    "undirected": (nx.MultiGraph(), "graph must be a networkx MultiDiGraph, not MultiGraph."),
    "one relation a pair": (nx.DiGraph(), "graph must be a networkx MultiDiGraph, not DiGraph."),
    "no relation": (nx.MultiDiGraph([("a:1", "b:1")]), "graph, edge 0: relation is 0; it must"),
    "no type": (nx.MultiDiGraph([("a:1", "b", "r")]), "graph, edge 0: tail is 'b'; an id must be"),
    "a number": (nx.MultiDiGraph([("a:1", 5, "r")]), "graph, edge 0: tail is 5; it must be a text"),
    "a taken name": (a_graph([("a:1", "r", "b:1", {"tail": 1})]),
                     "graph: edges have the attributes ['tail'], but head, relation, tail are"),
    "mixed kinds": (a_graph([("a:1", "r", "b:1", {"x": 1}), ("a:1", "r", "b:2", {"x": "1"})]),
                    "graph, edge 1: x is '1'; an attribute must be a text, a truth value or a"),
}


@pytest.mark.parametrize("graph, message", BAD_GRAPHS.values(), ids=BAD_GRAPHS)
def test_what_is_no_graph_of_ours_is_never_written(tmp_path, graph, message):
    for write in (lambda g: to_triples(g), lambda g: write_triples(g, tmp_path / "a" / "graph.tsv"),
                  lambda g: write_graphml(g, tmp_path / "a" / "graph.graphml"),
                  lambda g: write_recbole(g, tmp_path / "a", "graph")):
        with pytest.raises(DataError, match="^" + re.escape(message)):
            write(graph)
    assert list(tmp_path.iterdir()) == []


# TSV


def test_tsv_is_what_it_says(tmp_path):
    write_triples(a_graph([
        ("item:1", "by", "person:A\tB", {"rating": 4.5, "timestamp": 7, "n": 1, "note": ""}),
        ("item:1", "by", 'person:"C\\D"', {"rating": 5.0, "sure": True, "note": "so\nso"})]),
        tmp_path / "graph.tsv")
    assert (tmp_path / "graph.tsv").read_bytes().decode() == (
        "head\trelation\ttail\trating\ttimestamp\tn:int\tnote\tsure:bool\n"
        "item:1\tby\tperson:A\\tB\t4.5\t7\t1\t\\e\t\n"
        'item:1\tby\tperson:"C\\\\D"\t5.0\t\t\tso\\nso\tTrue\n')


def test_whole_ratings_are_read_as_floats(tmp_path):
    path = tmp_path / "graph.tsv"
    path.write_text("rating\ttail\thead\trelation\tzip\n5\titem:1\tuser:1\trated\t01234\n")
    assert edges_of(read_triples(path)) == {
        ("user:1", "rated", "item:1"): {"rating": (float, 5.0), "zip": (str, "01234")}}


HEAD = "head\trelation\ttail\n"
ROWS = "item:1\tby\tperson:1\nitem:2\tby\tperson:1\n"
BAD_TSV = {
    "a missing column": ("head\trelation\nitem:1\tby\n", "line 1: there must be one column 'tail', "
                         "not 0; the columns are ['head', 'relation']. Correct the header."),
    "no header": (ROWS, "line 1: there must be one column 'head', not 0; the columns are ['it"),
    "two columns": (HEAD.replace("head", "tail\thead"), "line 1: there must be one column 'tail'"),
    "two kinds": (HEAD.strip() + "\ta:int\ta\n" + "i:1\tby\tp:1\t1\t1\n",
                  "line 1: column 'a' has no name, or that of another column. Rename it."),
    "no name": (HEAD.strip() + "\t\n" + "i:1\tby\tp:1\t1\n", "line 1: column '' has no name"),
    "commas": (HEAD.replace("\t", ","), "line 1: there must be one column 'head', not 0; the col"),
    "too few fields": (HEAD + ROWS + "item:3\tby\n",
                       "line 4: 2 fields instead of 3 (head, relation, tail). Separate them by"),
    "too many fields": (HEAD + ROWS + "item:3\tby\tperson:1\t\n" + ROWS, "line 4: 4 fields"),
    "a blank line": (HEAD + "\n" + ROWS, "line 2: 1 fields instead of 3"),
    "an empty field": (HEAD + ROWS + "item:3\t\tperson:1\n", f"line 4: relation is None; {A_TEXT}"),
    "an empty name": (HEAD + ROWS + "\\e\tby\tperson:1\n", f"line 4: head is ''; {A_TEXT}"),
    "no type": (HEAD + ROWS + "item:3\tby\tBob\n", f"line 4: tail is 'Bob'; {AN_ID}"),
    "an unknown relation": (HEAD + ROWS + "item:3\tbye\tperson:1\n", "line 4: the relation 'bye' "
                            "is unknown; allowed are ['by', 'of']. Correct it, or allow it."),
    "a repeated triple": (HEAD + ROWS + "item:3\tby\tperson:1\n" + "item:2\tby\tperson:1\n",
                          "lines 3 and 5: 'item:2', 'by', 'person:1' stands there twice. Keep one"),
    "Latin-1": ((HEAD + ROWS + "item:3\tby\tperson:Ren\xe9e\n").encode("latin-1"),
                "line 4: byte 21 of the line is 0xe9, which isn't UTF-8. Save the file as UTF-8."),
    "Latin-1 after a BOM": (b"\xef\xbb\xbfh\xe9ad\n", "line 1: byte 2 of the line is 0xe9, which"),
    "UTF-16": ((HEAD + ROWS).encode("utf-16"), "line 1: byte 1 of the line is 0xff, which isn't"),
    "an empty file": ("", " is empty; line 1 must name the columns ['head', 'relation', 'tail']."),
    "only a BOM": (b"\xef\xbb\xbf\r\n", " is empty; line 1 must name the columns"),
    "a bad rating": (HEAD.strip() + "\trating\nuser:1\trated\titem:1\t4,5\n",
                     "line 2: rating is '4,5', which can't be read as float. Kinds are"),
    "a bad timestamp": (HEAD.strip() + "\ttimestamp\nuser:1\trated\titem:1\t4.5\n",
                        "line 2: timestamp is '4.5', which can't be read as int."),
    "a bad kind": (HEAD.strip() + "\tx:number\nuser:1\trated\titem:1\t4\n",
                   "line 2: x is '4', which can't be read as number. Kinds are float, int, bool"),
    "a bad truth value": (HEAD.strip() + "\tx:bool\nuser:1\trated\titem:1\ttrue\n",
                          "line 2: x is 'true', which can't be read as bool."),
    "a bare backslash": (HEAD + ROWS + "item:3\tby\tperson:AC\\DC\n",
                         r"line 4: tail is 'person:AC\\DC', which can't be read as str. "),
    "a backslash at the end": (HEAD + "item:3\tby\tperson:A\\\n", "line 2: tail is 'person:A"),
}


@pytest.mark.parametrize("content, message", BAD_TSV.values(), ids=BAD_TSV)
def test_a_malformed_tsv_is_refused_with_its_line(tmp_path, content, message):
    path = tmp_path / "graph.tsv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    message = f"{path}{'' if message.startswith(' ') else ', '}{message}"
    with pytest.raises(DataError, match="^" + re.escape(message)):
        read_triples(path, relations=["of", "by", "rated"][:2 + ("rated" in str(content))])


# GraphML


def test_graphml_keeps_labels_lonely_nodes_and_what_is_known_of_the_graph(tmp_path):
    graph = FILMS.copy()
    graph.add_edge("user:7", "genre:Sci-Fi", key="likes")  # as the film: a relation, twice an id
    write_graphml(graph, tmp_path / "graph.graphml")
    back = read_graphml(tmp_path / "graph.graphml")
    assert same(back, graph) and back.graph == {"item": "item"}
    assert nodes_of(back)["item:51"] == {"type": "item", "label": "Nobody's"}
    text = (tmp_path / "graph.graphml").read_text("utf-8")
    assert len(set(re.findall(r'<edge .*id="(\w+)"', text))) == 5, "ids that other programs accept"


def test_graphml_takes_missing_attributes_as_none(tmp_path):
    graph = a_graph([("a:1", "r", "b:1", {"x": np.nan, "y": np.int64(5)})], {"a:1": None})
    write_graphml(graph, tmp_path / "graph.graphml")
    back = read_graphml(tmp_path / "graph.graphml")
    assert edges_of(back) == {("a:1", "r", "b:1"): {"y": (int, 5)}}
    assert nodes_of(back)["a:1"] == {"type": "a"}


NODES = ('<node id="a:1"><data key="t">a</data></node>\n'
         '<node id="b:1"><data key="t">b</data></node>\n')
EDGE = '<edge source="a:1" target="b:1"><data key="r">by</data></edge>\n'


def graphml(body, edges="directed"):
    return ('<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
            '<key id="t" for="node" attr.name="type" attr.type="string"/>\n'
            '<key id="r" for="edge" attr.name="relation" attr.type="string"/>\n'
            '<key id="n" for="edge" attr.name="n" attr.type="int"/>\n'
            f'<graph edgedefault="{edges}">\n{body}</graph></graphml>\n')


def test_graphml_of_others_is_read_without_edge_ids(tmp_path):
    path = tmp_path / "graph.graphml"
    path.write_text(graphml(NODES + EDGE + EDGE.replace("by", "of")))
    assert set(edges_of(read_graphml(path))) == {("a:1", "by", "b:1"), ("a:1", "of", "b:1")}


BAD_GRAPHML = {
    "an unclosed tag": (graphml(NODES + EDGE).replace("</edge>", ""), ", line 9: the XML is broken "
                        "(mismatched tag: line 9, column 2). Mend that line, or export the file"),
    "a bare ampersand": (graphml(NODES.replace("b:1", "b:R&B")), ", line 7: the XML is broken "),
    "cut off": (graphml(NODES + EDGE)[:-30], ", line 8: the XML is broken (unclosed"),
    "Latin-1": (graphml(NODES.replace("b:1", "b:\xe9")).encode("latin-1"), ", line 7: the XML is"),
    "empty": ("", ", line 1: the XML is broken (no element found: line 1, column 0)."),
    "not GraphML": ("<html/>", " isn't GraphML that networkx reads: NetworkXError('file not"),
    "an undeclared key": (graphml(NODES + EDGE.replace('"r"', '"q"')), " isn't GraphML that "
                          "networkx reads: NetworkXError('Bad GraphML data: no key q'). Export"),
    "a bad number": (graphml(NODES + EDGE.replace('"r"', '"n"')), " isn't GraphML that networkx"),
    "undirected": (graphml(NODES + EDGE, "undirected"), ": the graph is undirected, but a relation "
                   "has a direction. Export it as a directed graph."),
    "no relation": (graphml(NODES + '<edge source="a:1" target="b:1"/>\n'), ": an edge from 'a:1' "
                    "to 'b:1' has the relation None; each must have one, and each but"),
    "a repeated triple": (graphml(NODES + EDGE + EDGE), ": an edge from 'a:1' to 'b:1' has the "
                          "relation 'by'; each must have one, and each but once. Correct it."),
    "an edge to no node": (graphml(NODES + EDGE.replace("b:1", "b:2")), ": node 'b:2' has the type "
                           "None; an id must be type:name, and the node have that type. Add or"),
    "a wrong type": (graphml(NODES.replace(">b<", ">a<")), ": node 'b:1' has the type 'a'; an id"),
    "an id without type": (graphml(NODES.replace("b:1", "b")), ": node 'b' has the type 'b'; an"),
}


@pytest.mark.parametrize("content, message", BAD_GRAPHML.values(), ids=BAD_GRAPHML)
def test_malformed_graphml_is_refused(tmp_path, content, message):
    path = tmp_path / "graph.graphml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError, match="^" + re.escape(f"{path}{message}")):
        read_graphml(path)


@pytest.mark.parametrize("graph, message", [
    (a_graph([], {"a:1": "b\x00c"}), r"graph: XML can't hold a character in '<data .*b\\x00c<"),
    (a_graph([("a:\x01", "r", "b:1")]), r"graph: XML can't hold a character in .<node id=.a:\\x01"),
    (a_graph([], {"a:1": "b\ud800c"}), "graph: XML can't hold a character in .*b&#55296;c"),
    (a_graph([], {"a:1": ["b"]}), r"graph, node 0: label is \['b'\]; an attribute must be a text"),
    (nx.MultiDiGraph([("a:1", "b:1", "r")]), "graph: node 'a:1' has the type None; an id must be"),
    (a_graph([("a:1", "r", "b:1")], x=["y"]), "graph.graph: GraphML .* Make it a text"),
], ids=["a label", "an id", "half a character", "a list", "no type", "the graph's"])
def test_what_graphml_cannot_hold_is_not_written(tmp_path, graph, message):
    with pytest.raises(DataError, match=f"^{message}"):
        write_graphml(graph, tmp_path / "a" / "graph.graphml")
    assert list(tmp_path.iterdir()) == []


# RecBole


def test_the_real_files_are_read():
    triples, links = read_recbole(cr.assets.fetch("ml-100k-kg"), "ml-100k")
    assert list(triples) == ["head", "relation", "tail"] and list(links) == ["item", "entity"]
    assert (len(triples), triples["relation"].nunique(), len(links)) == (91_631, 24, 1598)
    assert triples.loc[0].tolist() == ["m.04ctbw8", "film.producer.film", "m.0bln8"]
    assert links.loc[0].tolist() == ["476", "m.08gjyx"]
    assert set(links["entity"]) <= {*triples["head"], *triples["tail"]}, "no link dangles"


def test_the_real_files_survive_the_graph_and_back(tmp_path):
    folder = cr.assets.fetch("ml-100k-kg")
    triples, links = read_recbole(folder, "ml-100k")
    new = dict(zip(links["entity"], "item:" + links["item"], strict=True))
    typed = triples.assign(**{end: [new.get(entity, f"entity:{entity}") for entity in triples[end]]
                              for end in ("head", "tail")})
    graph = from_triples(typed)
    assert graph.number_of_edges() == len(triples)
    write_recbole(graph, tmp_path, "back")
    back, items = read_recbole(tmp_path, "back", relations=set(triples["relation"]))
    assert {tuple(row) for row in back.to_numpy()} == {tuple(row) for row in typed.to_numpy()}
    assert sorted(items["item"]) == sorted(links["item"])


def test_recbole_files_are_what_recbole_reads(tmp_path):
    write_recbole(FILMS, tmp_path / "new" / "folder", "films")
    folder = tmp_path / "new" / "folder"
    assert (folder / "films.kg").read_bytes().startswith(
        b"head_id:token\trelation_id:token\ttail_id:token\nitem:50\thas_genre\tgenre:Sci-Fi\n")
    assert (folder / "films.link").read_bytes() == (
        b"item_id:token\tentity_id:token\n50\titem:50\n"), "item 51 has no edge: its link'd dangle"
    assert sorted(os.listdir(folder)) == ["films.kg", "films.link"]
    as_recbole = pd.read_csv(folder / "films.kg", delimiter="\t", dtype=str, engine="python")
    assert as_recbole.to_numpy().tolist() == to_triples(FILMS).iloc[:, :3].to_numpy().tolist()


def test_the_shops_products_are_linked_as_items(tmp_path):
    graph = a_graph([("product:p01", "has_brand", "brand:X"), ("item:9", "is", "brand:X")],
                    item="product")
    write_recbole(graph, tmp_path, "shop")
    assert read_recbole(tmp_path, "shop")[1].to_numpy().tolist() == [["p01", "product:p01"]]


@pytest.mark.parametrize("edge, text", [
    (("item:1", "by", "person:A\tB"), "person:A\tB"), (("item:1", "b\ny", "person:A"), "b\ny"),
    (("item:1", '"by"', "person:A"), '"by"'), (('item:"1"', "by", "person:A\rB"), "person:A\rB"),
    (('item:"1"', "by", "person:A"), '"1"')])
def test_what_recbole_would_misread_is_not_written(tmp_path, edge, text):
    with pytest.raises(DataError, match="^" + re.escape(f"graph: {text!r} can't be written for")):
        write_recbole(a_graph([edge]), tmp_path / "a", "mine")
    assert list(tmp_path.iterdir()) == []


KG = "head_id:token\trelation_id:token\ttail_id:token\n"
FACTS = "m.1\tfilm.actor\tm.2\nm.1\tfilm.genre\tm.3\nm.4\tfilm.actor\tm.2\n"
LINK = "item_id:token\tentity_id:token\n"
LINKS = "7\tm.1\n8\tm.4\n"
BAD_RECBOLE = {
    "a missing column": ("kg", KG.replace("relation_id", "relation") + FACTS,
                         "line 1: there must be one column 'relation_id:token', not 0; the col"),
    "a missing type": ("link", LINK.replace(":token", "") + LINKS,
                       "line 1: there must be one column 'item_id:token', not 0; the columns"),
    "too few fields": ("kg", KG + FACTS + "m.5\tm.6\n", "line 5: 2 fields instead of 3"),
    "too many fields": ("link", LINK + LINKS + "9\tm.1\t\n", "line 4: 3 fields instead of 2"),
    "an empty field": ("kg", KG + FACTS + "m.5\tfilm.actor\t\n", f"line 5: tail is ''; {A_TEXT}"),
    "an empty item": ("link", LINK + LINKS + "\tm.1\n", f"line 4: item is ''; {A_TEXT}"),
    "an unknown relation": ("kg", KG + FACTS + "m.1\tfilm.actress\tm.3\n", "line 5: the relation "
                            "'film.actress' is unknown; allowed are ['film.actor', 'film.genre']."),
    "a repeated triple": ("kg", KG + FACTS + "m.1\tfilm.genre\tm.3\n",
                          "lines 3 and 5: 'm.1', 'film.genre', 'm.3' stands there twice. Keep"),
    "an item linked twice": ("link", LINK + LINKS + "7\tm.2\n",
                             "lines 2 and 4: '7' stands there twice. Keep one of the two."),
    "a dangling link": ("link", LINK + "7\tm.1\n8\tm.9\n9\tm.9\n", "line 3: item '8' is linked to "
                        "'m.9', which isn't in mine.kg. Correct the link, or take it out."),
    "Latin-1": ("kg", (KG + FACTS + "m.\xe9\tfilm.actor\tm.1\n").encode("latin-1"),
                "line 5: byte 3 of the line is 0xe9, which isn't UTF-8. Save the file as UTF-8."),
    "an empty file": ("link", "", " is empty; line 1 must name the columns ['item_id:token', 'ent"),
}


@pytest.mark.parametrize("suffix, content, message", BAD_RECBOLE.values(), ids=BAD_RECBOLE)
def test_a_malformed_recbole_file_is_refused_with_its_line(tmp_path, suffix, content, message):
    for name, right in (("kg", KG + FACTS), ("link", LINK + LINKS)):
        (tmp_path / f"mine.{name}").write_text(right, newline="\r\n")
    right = read_recbole(tmp_path, "mine", ["film.actor", "film.genre"])
    assert [len(frame) for frame in right] == [3, 2], "but for one thing it is right"
    path = tmp_path / f"mine.{suffix}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    message = f"{path}{'' if message.startswith(' ') else ', '}{message}"
    with pytest.raises(DataError, match="^" + re.escape(message)):
        read_recbole(tmp_path, "mine", relations={"film.actor", "film.genre"})


# Nothing half written

WRITERS = {"tsv": lambda graph, folder: write_triples(graph, folder / "graph.tsv"),
           "graphml": lambda graph, folder: write_graphml(graph, folder / "graph.graphml"),
           "recbole": lambda graph, folder: write_recbole(graph, folder, "graph")}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()],
                         ids=["disk full", "stopped"])
@pytest.mark.parametrize("place", ["write_bytes", "replace"])
def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch, write, error, place):
    write(FILMS, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    whole = Path.write_bytes

    def half(path, content):
        if path.suffix != ".kg":  # of two files, the second fails
            whole(path, content[:len(content) // 2])
            raise error
        return whole(path, content)

    def refuse(*args):
        raise error

    if place == "write_bytes":
        monkeypatch.setattr(Path, "write_bytes", half)
    else:
        monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(type(error)):
        write(a_graph([("item:1", "by", "person:1")]), tmp_path)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    write(a_graph([("item:1", "by", "person:1")]), tmp_path)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.keys() == before.keys() and all(after[name] != before[name] for name in after)


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_half_a_character_is_refused_before_anything_is_written(tmp_path, write):
    with pytest.raises(DataError, match="^graph: .*(half a character|XML can't hold a character)"):
        write(a_graph([("item:1", "by", "person:\ud800")]), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
