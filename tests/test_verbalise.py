"""Facts as sentences: who is asked about, what is told, and what is left unsaid."""

from __future__ import annotations

import networkx as nx
import pandas as pd
import pytest

import coldrec as cr
from coldrec.graph.names import ROLES
from coldrec.language.verbalise import VERBS, verbalise


def graph_of(*triples, labels, **attributes):
    """A graph of ``"head relation tail"``."""
    graph = nx.MultiDiGraph(**attributes)
    for head, relation, tail in map(str.split, triples):
        graph.add_edge(head, tail, key=relation)
    nx.set_node_attributes(graph, labels, "label")
    return graph


def frame(*triples):
    return pd.DataFrame([t.split() for t in triples], columns=["head", "relation", "tail"])


LABELS = {"item:1": "Fargo", "item:2": "Blood Simple", "item:3": "Raising Arizona",
          "item:4": "M*A*S*H", "item:5": "Fargo", "item:6": "Fargo North", "genre:Crime": "Crime"}
GRAPH = graph_of(
    "item:1 director person:c", "item:2 director person:c", "item:3 director person:c",
    "item:3 producer person:e", "item:1 producer person:c", "item:1 writer person:w",
    "item:4 director person:a", "item:2 writer person:a", "item:3 studio studio:s",
    "item:4 studio studio:s", "item:1 subject subject:b", "item:5 subject subject:b",
    "item:1 language language:x", "item:6 language language:x", "item:1 has_genre genre:Crime",
    "item:1 sequel film:m.1", "film:m.2 sequel item:1", "film:m.2 director person:c",
    "item:2 sequel item:1", "item:5 sequel item:1", "film:m.1 studio studio:s",
    labels=LABELS, item="item")


def said(*triples, train=None):
    return verbalise(GRAPH, frame(*triples), train)


@pytest.mark.parametrize(("triple", "asked", "told"), [
    ("item:1 director person:c", "Fargo was directed by",
     " the director of Blood Simple and Raising Arizona."),
    ("item:3 director person:c", "Raising Arizona was directed by",
     " the director of Blood Simple and Fargo."),
    ("item:1 producer person:c", "Fargo was produced by",  # he produced no other
     " the director of Blood Simple and Raising Arizona."),
    ("item:4 director person:a", "M*A*S*H was directed by", " a writer of Blood Simple."),
    ("item:3 studio studio:s", "Raising Arizona was made by", " a studio of M*A*S*H."),
    ("item:1 has_genre genre:Crime", "Fargo has the genre", " Crime."),
    ("item:2 sequel item:1", "Blood Simple was followed by", " Fargo."),
    ("item:1 language language:x", "Fargo is in", " a language of Fargo North."),
    ("item:1 writer person:w", "Fargo was written by", ""),  # nobody else's
    ("item:3 producer person:e", "Raising Arizona was produced by", ""),
    ("item:1 sequel film:m.1", "Fargo was followed by", ""),  # a film of which nothing is known
    ("item:1 sequel_of film:m.2", "Fargo is the sequel of", ""),
    ("item:1 subject subject:b", "Fargo is about", ""),  # the other is called Fargo too
    ("item:5 sequel item:1", "Fargo was followed by", ""),
])
def test_by_hand(triple, asked, told):
    assert said(triple) == [(asked, told)]


def test_there_is_a_sentence_for_each_triple_in_its_order():
    triples = ["item:1 has_genre genre:Crime", "item:2 sequel item:1", "item:1 writer person:w",
               "item:1 has_genre genre:Crime"]
    assert said(*triples) == [said(triple)[0] for triple in triples]
    assert verbalise(GRAPH, frame("item:2 sequel item:1").iloc[:0]) == []


def test_the_best_known_of_the_others_stand_for_it():
    ratings = pd.DataFrame({"user": [1, 2, 1], "item": [3, 3, 1], "rating": 5})
    train = cr.Ratings.from_frames(ratings, pd.DataFrame({"item": range(1, 7)}))
    (_, told), = said("item:1 director person:c", train=train)
    assert told == " the director of Raising Arizona and Blood Simple."


def test_without_its_own_fact_an_item_is_told_the_same():
    """The answer is known from the other items alone."""
    bare = GRAPH.copy()
    bare.remove_edge("item:1", "person:c", "director")
    fact = frame("item:1 director person:c")
    assert verbalise(bare, fact) == verbalise(GRAPH, fact)


def test_a_relation_without_words_is_refused():
    with pytest.raises(ValueError, match=r"no words for the relations \['hates'\]; there are for "
                                         r"\['actor', 'award_nom"):
        said("item:1 hates item:2", "item:1 director person:c")


def test_an_unknown_entity_is_refused():
    with pytest.raises(KeyError, match="the graph has no node 'person:z'"):
        said("item:1 director person:z")


def test_on_the_shop():
    shop, graph = cr.load("shop"), cr.graph.shop()
    triples = cr.graph.known_triples(shop, graph, "all")
    assert set(triples["relation"]) <= set(VERBS)
    sentences = verbalise(graph, triples)
    assert len(sentences) == len(triples) > 100
    for triple, (asked, told) in zip(triples.itertuples(), sentences, strict=True):
        assert asked == f"{graph.nodes[triple.head]['label']} {VERBS[triple.relation]}"
        assert told == f" {graph.nodes[triple.tail]['label']}."
    where = (triples["head"] == "product:p02").to_numpy()
    assert {asked + told for (asked, told), own in zip(sentences, where, strict=True) if own} >= {
        "Hearthside Tea Cosy is made by Murrowdale.", "Hearthside Tea Cosy is made of wool.",
        "Hearthside Tea Cosy is for winter.", "Hearthside Tea Cosy has the genre Tea."}


@pytest.fixture(scope="module")
def films(ml):
    graph = nx.compose(cr.graph.freebase(ml), cr.graph.build(ml, rated=False))
    return graph, cr.graph.known_triples(ml, graph, "all")


def test_every_relation_of_freebase_has_words(films):
    _, triples = films
    assert {"director", "sequel", "sequel_of", "has_genre"} <= set(triples["relation"])
    assert set(triples["relation"]) <= set(VERBS)


def test_on_freebase(ml, films):
    graph, triples = films
    labels = dict(graph.nodes(data="label"))
    split = cr.splits.item_cold(ml, seed=0)
    some = pd.concat([triples.sample(160, random_state=0),
                      triples[triples["relation"].str.startswith("sequel")].sample(
                          40, random_state=0)])
    named = 0
    for triple, (asked, told) in zip(some.itertuples(), verbalise(graph, some, split.train),
                                     strict=True):
        assert asked == f"{labels[triple.head]} {VERBS[triple.relation]}"
        assert told == "" or (told.startswith(" ") and told.endswith("."))
        assert "no other" not in told and "unnamed" not in told and triple.tail not in told
        others = [labels[item] for item, _ in graph.in_edges(triple.tail)
                  if labels.get(item) and item != triple.head]
        if labels.get(triple.tail):
            assert told == f" {labels[triple.tail]}."
        elif told:
            named += 1
            role = next(role for role in ROLES.values() if told.startswith(f" {role} "))
            rest = told[len(role) + 2:-1]
            assert [other for other in others if rest == other or rest.startswith(f"{other} and ")]
            assert labels[triple.head] not in rest.split(" and ")
    assert named > 60
    assert 0 < sum(not told for _, told in verbalise(graph, some, split.train)) < 100


def test_a_remake_does_not_give_its_own_name_away(ml, films):
    """There are two films Cape Fear, of 1962 and 1991, in which the same actors play."""
    graph, triples = films
    own = triples[triples["head"].map(dict(graph.nodes(data="label"))) == "Cape Fear"]
    answers = [told for _, told in verbalise(graph, own)]
    assert len(set(own["head"])) == 2 and len(set(answers)) > 10
    assert not [told for told in answers if "Cape Fear" in told]
