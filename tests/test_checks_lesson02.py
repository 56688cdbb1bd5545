"""Sheet 02: likely mistakes and the hint that fits, other right answers (see test_checks.py), and
what only its checks have to keep.
"""

from __future__ import annotations

import re

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import coldrec as cr
from coldrec.checks import lesson02

# Mistakes that are no single edit of the solution -------------------------------------------------


def audits(permuted, p=lambda null, real: (1 + (null >= real).sum()) / (1 + len(null)),
           words=lambda title: {w for w in re.findall(r"\w+", title.lower()) if len(w) > 2}):
    """Return an audit with another way to permute, to make p of the shares, or to find words."""
    def audit(items, facts, rng, permutations=999):
        titles = pd.Series(items["title"].to_numpy(), items["item"])
        pairs = facts[(facts["relation"] == "sequel") & facts["other"].isin(titles.index)]

        def share(titles, first, second):
            return np.mean([bool(words(a) & words(b)) for a, b in
                            zip(titles[first], titles[second], strict=True)])
        real = share(titles, pairs["item"], pairs["other"])
        null = np.array([share(*permuted(titles, pairs["item"], pairs["other"], rng))
                         for _ in range(permutations)])
        return real, p(null, real)
    return audit


def of_items(titles, first, second, rng):
    return pd.Series(rng.permutation(titles), titles.index), first, second


def of_pairs(titles, first, second, rng):
    return titles, first, rng.permutation(second)


def of_sequels(titles, first, second, rng):
    films = sorted({*first, *second})
    return titles[films].set_axis(rng.permutation(films)), first, second


def with_replacement(titles, first, second, rng):
    return pd.Series(rng.choice(titles, len(titles)), titles.index), first, second


def own_generator(titles, first, second, rng, own=np.random.default_rng(0)):  # noqa: B008
    return of_items(titles, first, second, own)


def letters(title):
    return {w[i:i + 3] for w in re.findall(r"\w+", title.lower()) for i in range(len(w) - 2)}


def two_sided(null, real):
    return (1 + (abs(null - null.mean()) >= abs(real - null.mean())).sum()) / (1 + len(null))


def shuffles_the_column(items, facts, rng, permutations=999):
    real = audits(of_items)(items, facts, rng, permutations)
    items["title"] = rng.permutation(items["title"])
    return real


def glued(titles):
    """Return a relink that compares what ``titles`` makes of the titles, and the year exactly."""
    def relink(items, movies, articles=()):
        there = dict(zip(zip(movies["title"].map(titles), movies["year"], strict=True),
                         movies["movie"], strict=True))
        found = {item: there.get((titles(title), year)) for item, title, year in
                 items[["item", "title", "year"]].itertuples(index=False)}
        return {item: movie for item, movie in found.items() if movie is not None}
    return relink


def by_counts(graph):
    """Name all reviews of a product that has more reviews than ratings."""
    count = {relation: {} for relation in ("rated", "about")}
    for _, tail, relation in graph.edges(keys=True):
        if relation in count:
            count[relation][tail] = count[relation].get(tail, 0) + 1
    many = {p for p, n in count["about"].items() if n != count["rated"].get(p, 0)}
    return {(head, relation, tail) for head, tail, relation in graph.edges(keys=True)
            if relation == "about" and tail in many}


def open_triangles(graph, edge):
    """Return an edge of each review whose author hasn't rated what it is about."""
    found = set()
    for review, product, relation in graph.edges(keys=True):
        if relation == "about":
            (author,) = graph.predecessors(review)
            if not graph.has_edge(author, product, key="rated"):
                found.add(edge(author, review, product))
    return found


def compares_with_the_shop(graph):
    good = {(a, r, b) for a, b, r in cr.graph.shop().edges(keys=True)}
    return {(a, r, b) for a, b, r in graph.edges(keys=True)} - good


def unanswered(graph):
    """Name each rating without a review that is about the product, by the same person."""
    about = {(author, product) for review, product, r in graph.edges(keys=True) if r == "about"
             for author in graph.predecessors(review)}
    return {(a, r, b) for a, b, r in graph.edges(keys=True) if r == "rated" and (a, b) not in about}


def closes_them(graph):
    wrong = open_triangles(graph, lambda user, review, product: (review, "about", product))
    graph.remove_edges_from([(review, product) for review, _, product in wrong])
    return wrong


def other_brand(graph):
    brands = sorted(node for node in graph if node.startswith("brand:"))
    return {(a, r, b) for a, b, r in graph.edges(keys=True) if r == "has_brand" and b in brands[:7]}


WRONG = {
    "lesson02.triples": [
        ({'if pd.notna(product["season"])': "if True"}, "something is missing"),
        ({'if pd.notna(product["brand"])': "if True"}, "something is missing"),
        ({".drop_duplicates()": ""}, "stands there twice"),
        ({'f"category:{genre}") for genre in product["genres"]]':
          'f"category:{product[\'genres\']}")]'}, "is a whole list"),
        ({'f"category:{genre}") for genre in product["genres"]]':
          'f"category:{g}") for g in product["genres"][0:1]]'}, r"The triple .* is missing"),
        ({'f"brand:{product[\'brand\']}"': "product['brand']"}, "has no type"),
        ({'f"product:{product[\'item\']}"': "product['item']"}, "has no type"),
        ({'f"category:{genre}"': 'f"genre:{genre}"'}, "they may be brand, category, season"),
        ({'"has_genre"': '"has_category"'}, r"In the column relation stands \['has_category'\]"),
        ({'f"product:{product[\'item\']}"': "f\"item:{product['item']}\""}, "In the column head"),
        ({'columns=["head", "relation", "tail"]': 'columns=["head", "tail", "relation"]'},
         "in this order"),
        ({', columns=["head", "relation", "tail"]': ""}, "Wanted are head, relation, tail"),
        ({"return pd": "return rows or pd"}, "You return a list"),
        ({'products.to_dict("records")': 'products.dropna().to_dict("records")'},
         "leave out the whole product"),
        ({'products.to_dict("records")': 'products[:1].to_dict("records")'}, "is missing"),
        ({'rows.append((head, "has_brand"': "[rows.append((head, 'has_brand', f'brand:{letter}'))"
          ' for letter in product["brand"]]; rows.append((head, "has_brand"'}, "single letter"),
        ({"rows = []": "rows = [('product:p01', 'for_season', 'season:winter')]"},
         "isn't in the table"),
        ({"rows = []": "rows = [(1, 'for_season', 'season:winter')]"}, "have to be texts"),
        ({"rows = []": "products.loc[:, 'brand'] = 'x'; rows = []"}, "changes the DataFrame"),
        (lambda products: None, "returns nothing"),
    ],
    "lesson02.sequel_audit": [
        ({"title.lower()": "title"}, "make everything lower case"),
        ({"if len(word) > 2": ""}, "a word of two letters"),
        ({"len(word) > 2": "len(word) > 3"}, "'Mud' has three"),
        ({'re.findall(r"\\w+", title.lower())': "title.lower().split()"}, "Signs stick"),
        ({'(facts["relation"] == "sequel") & ': '(facts["relation"] != "") & '},
         "facts that aren't sequels"),
        ({'& facts["other"].isin(place)]': "]"}, "whose other film isn't in"),
        ({"return np.mean(": "return np.sum("}, "You return the number of pairs"),
        (audits(of_items, words=letters), "compare parts of words"),
        (audits(of_items, words=lambda title: {title}), "the first seven share a word"),
        ({"(1 + as_many) / (1 + permutations)": "as_many / permutations"}, "your p is 0"),
        ({"(1 + as_many) / (1 + permutations)": "as_many / (1 + permutations)"}, "your p is 0"),
        ({"(1 + as_many) / (1 + permutations)": "(1 + as_many) / permutations"},
         "The real order counts above and below"),
        ({"(1 + as_many) / (1 + permutations)": "(1 + as_many) / 1000"},
         "for as many permutations as are asked for"),
        ({">= real": "> real"}, ">= and not >"),
        ({">= real": "<= real"}, "as large or .larger"),
        ({"return real, (1 + as_many) / (1 + permutations)":
          "return (1 + as_many) / (1 + permutations), real"}, "the share is 0.5833"),
        ({"return real, ": "return "}, "Wanted are two numbers"),
        ({"rng.permutation(len(items))": "np.arange(len(items))"}, "do change which film has"),
        (audits(of_pairs), "exchange the ends of the .pairs"),
        (audits(of_sequels), "titles of the sequels alone"),
        (audits(with_replacement), "with replacement"),
        (audits(of_items, two_sided), "The question has one side"),
        (audits(own_generator), "Draw from the `rng`"),
        ({"rng.permutation(len(items))": "np.random.default_rng(0).permutation(len(items))"},
         "anew each time"),
        (shuffles_the_column, "changes the DataFrame"),
        ({"return real, ": "real, "}, "returns nothing"),
    ],
    "lesson02.relink": [
        (glued(str), "Upper and lower case"),
        (glued(str.lower), "Signs don't matter"),
        (glued(lambda t: re.sub(r"\W", "", t.lower())), "is 'The Usual Suspects'"),
        (glued(lambda t: re.sub(r"\W|the", "", t.lower())), "out of the middle of 'Mother'"),
        ({"if words and words[0] in articles": "if False"}, "drop the article in front"),
        ({'if "," in text and last in articles else words': "if False else words"},
         "stands last behind a comma"),
        ({'"," in text and last in articles': "words[-1:] and words[-1] in articles"},
         "only behind a comma"),
        ({'.replace("&", " and ")': ""}, "'&' is 'and'"),
        ({'re.sub(r"\\(.*?\\)", " ", title)': "title"}, "What stands in brackets is another name"),
        ({', *re.findall(r"\\((.*?)\\)", title)]': "]"}, "a name of its own"),
        ({"for one in names(movie.title)": "for one in [name(movie.title)]"},
         "names in brackets, too"),
        ({"<= 1}": "<= 0}"}, "A year more or less"),
        ({"<= 1}": "<= 2}"}, "Two years apart"),
        ({"abs(year - item.year)": "(year - item.year)"}, "in both directions"),
        ({"abs(year - item.year) <= 1}": "True}"}, "Two years apart"),
        ({"if years == min(apart.values())": ""}, "the nearest is the film"),
        ({"len(best) == 1": "best"}, "leave it out. A wrong link is worse than none"),
        ({"setdefault(one, {})[movie.movie] = movie.year":
          "update({one: {movie.movie: movie.year}}) if one else 0"},
         "the year says which"),
        ({"return pairs": "return {item: pairs.get(item) for item in items['item']}"},
         "without a movie"),
        ({"return pairs": "return list(pairs.items())"}, "You return a list"),
        ({"return pairs": "return {movie: item for item, movie in pairs.items()}"},
         "dictionary .item: movie."),
        ({"return pairs": "return {i: m for i, m in pairs.items() "
          "if list(pairs.values()).count(m) == 1}"}, "under two ids"),
        ({'return {name(part) for part in parts} - {""}': "return [name(part) for part in parts]",
          "apart = {movie: abs(year - item.year)": "apart = {(movie, one): abs(year - item.year)",
          "pairs[item.item] = best[0]": "pairs[item.item] = best[0][0]"}, "count films, not names"),
        ({"return pairs": "return {item: str(movie) for item, movie in pairs.items()}"},
         "should be the numbers"),
        ({"return pairs": "items['year'] = 0; return pairs"}, "changes the DataFrame"),
    ],
    "lesson02.ablate": [
        ({"known=known, ": ""}, "what is known at release, whatever `known` says"),
        ({"known=known": 'known="all"'}, "You use everything, whatever `known` says"),
        ({"known=known": 'known="before"'}, "before the ratings began"),
        ({'float("nan")': "0.0"}, "'alone' is NaN"),
        ({'{"alone": recall(own), "without": recall(others)}':
          '{"alone": recall(others), "without": recall(own)}'}, "columns are exchanged"),
        ({"recall(others)": "recall(own)"}, "two columns are the same"),
        ({"if other != name ": ""}, "leaves nothing out"),
        ({"recall(others)": "recall([r for r in {key for *_, key in kg.edges(keys=True)} "
          "if r not in own])"}, "relations that are in no group"),
        ({"recall(others)": "recall([r for g in groups.values() for r in g]) - recall(others)"},
         "how much is lost"),
        ({"for split in splits]": "for split in splits[:1]]"}, "first split only"),
        ({"for split in splits]": "for split in splits[-1:]]"}, "last split only"),
        ({"np.mean(": "np.sum("}, "add up the recalls"),
        ({'{"graph": view})': '{"graph": view}, targets="ease")'}, "teach the ridge what EASE"),
        ({"return pd.DataFrame(rows).T": "return pd.DataFrame(rows)"}, "Wanted are alone, without"),
        ({"return pd.DataFrame(rows).T": "return pd.DataFrame(rows).T.reset_index(drop=True)"},
         "Wanted are the names of the groups"),
        ({"return pd.DataFrame(rows).T": "return rows"}, "You return a dict"),
        ({"return pd.DataFrame(rows).T": "return pd.DataFrame(rows).T.astype(str)"},
         "wanted are numbers"),
        ({"others = [relation for other in groups if other != name for relation in groups[other]]":
          "others = [r for g in groups if g != name for r in groups[g]] or ['actor']"},
         "With one group"),
        ({"k=20": "k=10"}, "With known='release', the recall of 'people', 'alone' should be"),
        ({"fit(split.train)": "fit(ratings)"}, "stopped with ValueError: this ViewRidge was fit"),
        ({"if view.shape[1] == 0:": "if False:"}, "stopped with ValueError: no view"),
        ({"relations=relations": "relations=relations[:1]"}, "only one relation of each group"),
        ({"rows = {}": "kg.remove_node('studio:m.s0'); rows = {}"}, "changes the MultiDiGraph"),
        (lambda ratings, kg, groups, splits, known: None, "returns nothing"),
    ],
    "lesson02.second_kind": [
        (lambda graph: set(), "and you find none"),
        (lambda graph: {}, "as {} is a dictionary"),
        (by_counts, r"You name all reviews of \d+ products"),
        (compares_with_the_shop, "first kind"),
        (other_brand, "the first kind"),
        (unanswered, "The ratings are right"),
        (closes_them, "changes the MultiDiGraph"),
        (lambda graph: open_triangles(graph, lambda u, r, p: (u, "wrote", r)), "not who wrote it"),
        (lambda graph: open_triangles(graph, lambda u, r, p: (r, p, "about")), "in the middle"),
        (lambda graph: open_triangles(graph, lambda u, r, p: (p, "about", r)), "other way round"),
        (lambda graph: open_triangles(graph, lambda u, r, p: (u, "rated", p)), "no such edge"),
        (lambda graph: open_triangles(graph, lambda u, r, p: r), "Wanted are triples"),
        (lambda graph: list(open_triangles(graph, lambda u, r, p: (r, "about", p))), "a list"),
        (lambda graph: set(sorted(open_triangles(graph, lambda u, r, p: (r, "about", p)))[1:]),
         r"You find \d+ of \d+ wrong edges"),
        (lambda graph: {(a, r, b) for a, b, r in graph.edges(keys=True) if r == "goes_with"}
         | open_triangles(graph, lambda u, r, p: (r, "about", p)), "This relation is in order"),
        (lambda graph: {(a, r, b) for a, b, r in graph.edges(keys=True) if r == "about"},
         "of them are right"),
        (lambda graph: None, "returns nothing"),
    ],
}


def with_sets(graph):
    """Compare, person by person, what their reviews are about with what they have rated."""
    triples = cr.graph.to_triples(graph)
    of = {relation: part for relation, part in triples.groupby("relation")}
    told = of["wrote"].merge(of["about"], left_on="tail", right_on="head", suffixes=("_w", "_a"))
    rated = set(zip(of["rated"]["head"], of["rated"]["tail"], strict=True))
    return {(row.head_a, "about", row.tail_a) for row in told.itertuples()
            if (row.head_w, row.tail_a) not in rated}


def with_explode(products):
    long = products.explode("genres")
    parts = [("has_brand", "brand", products, "brand"), ("has_genre", "category", long, "genres"),
             ("for_season", "season", products, "season")]
    frames = [pd.DataFrame({"head": "product:" + kept["item"], "relation": relation,
                            "tail": f"{kind}:" + kept[column]})
              for relation, kind, frame, column in parts
              for kept in [frame[frame[column].notna()].astype({column: object})]]
    return pd.concat(frames).drop_duplicates().reset_index(drop=True)


ARTICLES = tuple("the a an il la le les der die das".split())


def pair_by_pair(items, movies, articles=ARTICLES):
    def comparable(part):
        part = part.strip().lower().replace("&", " and ")
        front, comma, last = part.rpartition(",")
        if comma and last.strip() in articles:
            part = front
        elif part.partition(" ")[0] in articles:
            part = part.partition(" ")[2]
        return "".join(letter for letter in part if letter.isalnum())

    def names(title):
        return {comparable(part) for part in re.split(r"[()]", title) if part.strip()}

    links = {}
    for item, title, year in items[["item", "title", "year"]].to_numpy():
        near = sorted((abs(when - year), movie) for movie, name, when in
                      movies[["movie", "title", "year"]].to_numpy()
                      if names(title) & names(name) and abs(when - year) < 2)
        if near and (len(near) == 1 or near[0][0] < near[1][0]):
            links[item] = near[0][1]
    return links


def row_by_row(ratings, kg, groups, splits, known):
    frame = pd.DataFrame(index=list(groups), columns=["alone", "without"])  # of objects
    for group in groups:
        for column, keep in (("alone", [group]), ("without", [g for g in groups if g != group])):
            view = cr.views.graph(ratings, kg, known, [r for g in keep for r in groups[g]])
            models = [cr.models.ViewRidge({"kg": view}) for _ in splits if view.shape[1]]
            found = [cr.evaluate(model.fit(split.train), split).recall
                     for model, split in zip(models, splits, strict=False)]
            frame.loc[group, column] = sum(found) / len(found) if found else np.nan
    return frame


RIGHT = [
    ("lesson02.triples", with_explode),
    ("lesson02.relink", pair_by_pair),
    ("lesson02.ablate", row_by_row),
    ("lesson02.sequel_audit", audits(of_items)),
    ("lesson02.second_kind", with_sets),
]


# The broken shop ----------------------------------------------------------------------------------

def edges(graph):
    return {(head, relation, tail) for head, tail, relation in graph.edges(keys=True)}


@pytest.mark.parametrize("seed", range(4))
def test_the_broken_shop_has_both_kinds_and_nothing_else(seed):
    graph, first, second = lesson02._planted(seed)
    assert edges(graph) - edges(cr.graph.shop()) == first | second
    assert {edge[1] for edge in first} == {"has_brand", "made_of"}
    assert {edge[1] for edge in second} == {"about"} and 12 <= len(second) < 24
    assert nx.utils.graphs_equal(lesson02.planted_shop(seed), graph)


@pytest.mark.parametrize("rename, silent", [(False, 0.0), (True, 0.0), (True, 0.3)])
def test_the_rule_tells_each_wrong_edge_and_no_other(rename, silent):
    for seed in range(3):
        graph, _, second = lesson02._planted(seed, rename=rename, silent=silent)
        assert with_sets(graph) == second
        clean = lesson02._planted(seed, second=False, rename=rename, silent=silent)[0]
        assert with_sets(clean) == set()
    whole = lesson02._planted(0, first=False, second=False)[0]
    assert nx.utils.graphs_equal(whole, cr.graph.shop())


def test_the_checks_shops_are_not_the_shop():
    """Who compares with cr.graph.shop() can't pass."""
    graph = lesson02._planted(11, first=False, second=False, rename=True)[0]
    assert len(edges(graph) - edges(cr.graph.shop())) > 100
