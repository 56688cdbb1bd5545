"""Graphs: what is built, linked, known at which time, called and shared, and the views of it."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import coldrec as cr
from coldrec.graph import link, names
from coldrec.graph.build import INTERACTIONS
from coldrec.graph.facts import AWARDS

COLUMNS = ["head", "relation", "tail"]


@pytest.fixture(scope="module")
def shop():
    return cr.load("shop")


@pytest.fixture(scope="module")
def shop_graph(shop):
    return cr.graph.shop()


@pytest.fixture(scope="module")
def built(ml):
    return cr.graph.build(ml)


@pytest.fixture(scope="module")
def table(ml):
    """The relinked links."""
    return cr.graph.link_table(ml)


@pytest.fixture(scope="module")
def tables(ml):
    return {links: cr.graph.link_table(ml, links) for links in cr.graph.LINKS}


@pytest.fixture(scope="module")
def kg(ml):
    """Freebase, relinked."""
    return cr.graph.freebase(ml)


@pytest.fixture(scope="module")
def split(ml):
    return cr.splits.item_cold(ml, fraction=0.2, seed=0)


@pytest.fixture(scope="module")
def other_test(ml, split):
    """The same ratings, but of those of cold films only one each is left."""
    cold = ml.ratings["item"].isin(split.cold_items)
    first = ~ml.ratings.duplicated("item")
    return ml.with_ratings(ml.ratings[~cold | first])


def catalogue(n=4, counts=None, users=None, **columns):
    """Items 1 to n with these columns; item i has been rated ``counts[i - 1]`` times."""
    counts = [1] * n if counts is None else counts
    pairs = [(user, item) for item, count in enumerate(counts, 1) for user in range(1, count + 1)]
    ratings = pd.DataFrame(pairs, columns=["user", "item"]).assign(rating=4.0)
    ratings.loc[0, "rating"] = 2.0
    return cr.Ratings.from_frames(ratings, pd.DataFrame({"item": range(1, n + 1), **columns}),
                                  users)


def graph_of(*triples, labels=None, **attributes):
    """A graph of ``"head relation tail"``."""
    graph = nx.MultiDiGraph(**attributes)
    for head, relation, tail in map(str.split, triples):
        graph.add_edge(head, tail, key=relation)
    nx.set_node_attributes(graph, {node: node.partition(":")[0] for node in graph}, "type")
    nx.set_node_attributes(graph, labels or {}, "label")
    return graph


def triples_of(graph, *heads):
    """Every edge, or those from these nodes, as ``"head relation tail"``."""
    return {f"{head} {relation} {tail}" for head, tail, relation in graph.edges(keys=True)
            if not heads or head in heads}


def told(facts):
    """Facts as a set of rows; a missing ``other`` is None."""
    rows = facts.astype(object).where(facts.notna(), None)
    assert not rows.duplicated().any()
    return set(rows.itertuples(index=False, name=None))


class TestBuildMovieLens:
    def test_a_film_and_its_facts(self, built):
        assert built.nodes["item:12"] == {"type": "item", "label": "The Usual Suspects"}
        assert triples_of(built, "item:12") == {
            "item:12 has_genre genre:Crime", "item:12 has_genre genre:Thriller",
            "item:12 released_in year:1995"}
        assert built.nodes["year:1995"] == {"type": "year", "label": "1995"}

    def test_the_one_film_without_a_year_has_none(self, ml, built):
        assert ml.items.set_index("item")["year"].isna()[267]
        assert triples_of(built, "item:267") == set()
        assert not [node for node in built if "nan" in node.lower()]

    def test_a_user_and_what_is_known_of_him(self, built):
        """User 1 is a technician of 24 years, male, in zip code 85711."""
        facts = {t for t in triples_of(built, "user:1") if " rated " not in t}
        assert facts == {"user:1 in_age_band age:20-29", "user:1 has_gender gender:M",
                         "user:1 has_occupation occupation:technician",
                         "user:1 lives_in region:zip 8"}

    def test_a_zip_code_with_a_letter_first_is_abroad(self, ml, built):
        abroad = ml.users[ml.users["zip"].str[0].str.isalpha()]["user"]
        assert len(abroad) > 5
        there = {user for user, _ in built.in_edges("region:abroad")}
        assert there == set("user:" + abroad.astype(str))

    def test_each_rating_is_an_edge_with_stars_and_time(self, ml, built):
        rated = [(head, tail, data) for head, tail, key, data in built.edges(keys=True, data=True)
                 if key == "rated"]
        assert len(rated) == len(ml) == 100_000
        row = ml.ratings.iloc[777]
        assert built[f"user:{row['user']:.0f}"][f"item:{row['item']:.0f}"]["rated"] == {
            "rating": row["rating"], "timestamp": row["timestamp"]}

    def test_counts_types_and_labels(self, ml, built):
        types = pd.Series(nx.get_node_attributes(built, "type"))
        assert len(types) == len(built)
        assert types["item:1"] == "item"
        assert types.value_counts()[["item", "user", "genre"]].tolist() == [1682, 943, 18]
        assert all(node == f"{kind}:{node.partition(':')[2]}" for node, kind in types.items())
        assert all(isinstance(label, str) and label for _, label in built.nodes(data="label"))

    def test_without_ratings(self, ml, built):
        bare = cr.graph.build(ml, rated=False)
        assert not [key for *_, key in bare.edges(keys=True) if key in INTERACTIONS]
        assert triples_of(bare) == {t for t in triples_of(built) if " rated " not in t}

    def test_the_graph_of_train_knows_no_test_rating(self, split):
        graph = cr.graph.build(split.train)
        rated = {(head, tail) for head, tail, key in graph.edges(keys=True) if key == "rated"}
        assert len(rated) == len(split.train)
        cold = {f"item:{item}" for item in split.cold_items}
        assert not cold & {tail for _, tail in rated}
        assert cold <= set(graph)


class TestBuildShop:
    def test_a_product(self, shop_graph):
        assert shop_graph.nodes["product:p02"] == {"type": "product",
                                                   "label": "Hearthside Tea Cosy"}
        assert triples_of(shop_graph, "product:p02") == {
            "product:p02 " + fact for fact in (
                "has_genre category:Kitchen", "has_genre category:Tea", "released_in year:2020",
                "has_brand brand:Murrowdale", "made_of material:wool", "for_season season:winter",
                "goes_with product:p01")}

    def test_follows_leads_from_the_successor(self, shop, shop_graph):
        rows = shop.items[shop.items["follows"].notna()]
        assert len(rows) and all(
            shop_graph.has_edge(f"product:{row.item}", f"product:{row.follows}", "follows")
            for row in rows.itertuples())

    def test_a_user_has_a_name_and_a_city(self, shop_graph):
        assert shop_graph.nodes["user:u01"]["label"] == "Ingrid Solheim"
        facts = {t for t in triples_of(shop_graph, "user:u01")
                 if " rated " not in t and " wrote " not in t}
        assert facts == {"user:u01 in_age_band age:40-49", "user:u01 has_gender gender:F",
                         "user:u01 has_occupation occupation:nurse",
                         "user:u01 lives_in region:Bergen"}

    def test_each_review_leads_from_its_user_to_its_product(self, shop, shop_graph):
        reviews = [node for node, kind in shop_graph.nodes(data="type") if kind == "review"]
        assert len(reviews) == len(shop) == 500
        pairs = set()
        for review in reviews:
            (user, _, wrote), = shop_graph.in_edges(review, keys=True)
            (_, product, about), = shop_graph.out_edges(review, keys=True)
            assert (wrote, about) == ("wrote", "about")
            pairs.add((user, product))
        assert pairs == {(f"user:{row.user}", f"product:{row.item}")
                         for row in shop.ratings.itertuples()}

    def test_a_review_has_its_text(self, shop_graph):
        assert shop_graph.nodes["review:1"]["label"].startswith("The bamboo feels warm")
        assert "user:u09 wrote review:1" in triples_of(shop_graph)

    def test_reviews_of_the_test_are_left_out(self, shop, shop_graph):
        split = cr.splits.item_cold(shop, seed=1)
        graph = cr.graph.shop(split.train)
        reviews = {node for node in graph if node.startswith("review:")}
        assert 0 < len(reviews) == len(split.train) < 500
        assert reviews < set(shop_graph)
        for review in reviews:  # the same review has the same name in both graphs
            assert graph.nodes[review] == shop_graph.nodes[review]
        about = {tail for _, tail, key in graph.edges(keys=True) if key == "about"}
        assert not about & {f"product:{item}" for item in split.cold_items}

    def test_node(self, shop_graph):
        assert cr.graph.node(shop_graph, "p01") == "product:p01"
        with pytest.raises(KeyError, match="no node 'product:p99'.*Ratings.items"):
            cr.graph.node(shop_graph, "p99")


class TestBuildOthers:
    def test_ratings_alone_are_enough(self):
        frame = pd.DataFrame({"user": ["b", "a"], "item": ["x:1", "y 2"], "rating": [1, 5]})
        graph = cr.graph.build(cr.Ratings.from_frames(frame))
        assert triples_of(graph) == {"user:b rated item:x:1", "user:a rated item:y 2"}
        assert graph.nodes["item:x:1"] == {"type": "item", "label": "x:1"}
        assert graph["user:a"]["item:y 2"]["rated"] == {"rating": 5.0}

    def test_a_missing_year_is_no_fact(self):
        graph = cr.graph.build(catalogue(3, year=[1990, None, np.nan]), rated=False)
        assert triples_of(graph) == {"item:1 released_in year:1990"}

    def test_whole_numbers_in_a_column_with_empty_fields(self):
        """pandas makes them floats; ids of seven digits and more are not written as 1e+06."""
        big = catalogue(2, brand=[1234567, None], goes_with=[2, None])
        assert triples_of(cr.graph.build(big, rated=False)) == {
            "item:1 has_brand brand:1234567", "item:1 goes_with item:2"}

    def test_several_values_in_a_field(self):
        several = catalogue(3, goes_with=[[2, 3], (1,), None],
                            brand=[{"b", "a"}, np.array(["c"]), ""])
        assert triples_of(cr.graph.build(several, rated=False)) == {
            "item:1 goes_with item:2", "item:1 goes_with item:3", "item:2 goes_with item:1",
            "item:1 has_brand brand:a", "item:1 has_brand brand:b", "item:2 has_brand brand:c"}

    def test_users_of_whom_little_is_known(self):
        users = pd.DataFrame({"user": [1], "age": [np.nan], "zip": [None], "gender": [""],
                              "name": [None]})
        graph = cr.graph.build(catalogue(1, users=users), rated=False)
        assert triples_of(graph) == set()
        assert graph.nodes["user:1"] == {"type": "user", "label": "1"}

    def test_names_of_types(self):
        graph = cr.graph.build(catalogue(1, genres=["Jazz"]), item="record", genre="style")
        assert triples_of(graph) == {"record:1 has_genre style:Jazz", "user:1 rated record:1"}
        assert cr.graph.node(graph, 1) == "record:1"

    def test_reviews_of_two_files_stay_apart(self):
        """Frames that were put together have row labels twice."""
        one = pd.DataFrame({"user": [1], "item": [1], "text": ["good"]})
        graph = cr.graph.build(catalogue(2), pd.concat([one, one.assign(item=2, text="bad")]))
        assert {graph.nodes[f"review:{n}"]["label"] for n in (0, 1)} == {"good", "bad"}
        assert "review:1 about item:2" in triples_of(graph)

    def test_a_review_without_a_rating_is_left_out(self):
        reviews = pd.DataFrame({"user": [1, 2], "item": [1, 1], "text": ["rated", "not rated"]})
        graph = cr.graph.build(catalogue(1), reviews)
        assert [n for n in graph if n.startswith("review:")] == ["review:0"]

    def test_a_split_is_refused(self, ml, split):
        with pytest.raises(TypeError, match="needs Ratings, such as split.train, not Split"):
            cr.graph.build(split)
        with pytest.raises(TypeError, match="needs Ratings, such as split.train, not DataFrame"):
            cr.graph.shop(ml.ratings)

    def test_an_unknown_neighbour_is_refused(self):
        with pytest.raises(ValueError, match="goes_with of item:1 is '7', and there is no"):
            cr.graph.build(catalogue(2, goes_with=[7, None]))

    def test_reviews_without_a_column_are_refused(self):
        with pytest.raises(ValueError, match=r"no column \['text'\]; they need user, item, text"):
            cr.graph.build(catalogue(1), pd.DataFrame({"user": [1], "item": [1]}))


class TestLinks:
    def test_the_default_is_relinked(self, table, tables):
        assert table.equals(tables["relinked"])

    @pytest.mark.parametrize("links", cr.graph.LINKS)
    def test_each_item_and_each_entity_is_linked_once(self, ml, tables, links):
        found = tables[links]
        assert list(found) == ["item", "entity"]
        assert len(found) >= 1500
        assert found["item"].is_unique and found["entity"].is_unique
        assert set(found["item"]) <= set(ml.item_ids)

    def test_shuffled_links_the_same_items_to_the_same_entities_all_wrong(self, ml, table, tables):
        one, two = tables["shuffled"], cr.graph.link_table(ml, "shuffled", seed=1)
        for shuffled in (one, two):
            assert_array_equal(shuffled["item"], table["item"])
            assert sorted(shuffled["entity"]) == sorted(table["entity"])
            assert (shuffled["entity"] != table["entity"]).all()
        assert (one["entity"] != two["entity"]).mean() > 0.9

    def test_shipped_and_relinked_disagree(self, tables, table):
        both = tables["shipped"].merge(table, on="item")
        assert len(both) > 1400
        assert (both["entity_x"] == both["entity_y"]).mean() < 0.01

    def test_of_a_film_that_is_there_twice_the_first_copy_is_linked(self, table):
        """Chasing Amy is items 246 and 268."""
        assert table["item"].isin([246, 268]).tolist().count(True) == 1
        assert 246 in set(table["item"])

    def test_a_part_of_the_catalogue(self, ml, table):
        part = cr.Ratings.from_frames(ml.ratings[ml.ratings["item"] <= 50])
        assert set(cr.graph.link_table(part)["item"]) == {i for i in table["item"] if i <= 50}

    @pytest.mark.parametrize("make", [cr.graph.link_table, cr.graph.freebase])
    def test_another_name_is_refused(self, ml, make):
        with pytest.raises(ValueError, match="links is 'right'; it may be 'shipped', 'relinked', "
                                             "'shuffled', or a frame of your own"):
            make(ml, "right")

    def test_a_split_is_refused(self, split, kg):
        for call in (cr.graph.link_table, cr.graph.freebase,
                     lambda split: cr.graph.known_facts(split, kg)):
            with pytest.raises(TypeError, match="needs Ratings, not Split. Use split.train"):
                call(split)


class TestWithErrors:
    LINKS = pd.DataFrame({"item": range(40), "entity": [f"m.{n}" for n in range(40)]})

    @pytest.mark.parametrize(("share", "wrong"), [(0, 0), (0.05, 2), (0.25, 10), (1, 40)])
    def test_exactly_the_share_is_wrong(self, share, wrong):
        for seed in range(5):
            found = cr.graph.with_errors(self.LINKS, share, seed)
            assert (found["entity"] != self.LINKS["entity"]).sum() == wrong
            assert sorted(found["entity"]) == sorted(self.LINKS["entity"])
            assert_array_equal(found["item"], self.LINKS["item"])

    def test_seeds_differ_and_repeat_and_the_table_is_left_alone(self):
        before = self.LINKS.copy()
        one, two, again = (cr.graph.with_errors(self.LINKS, 0.5, seed) for seed in (0, 1, 0))
        assert one.equals(again) and not one.equals(two)
        assert self.LINKS.equals(before)

    @pytest.mark.parametrize("share", [-0.1, 1.01, float("nan")])
    def test_other_shares_are_refused(self, share):
        with pytest.raises(ValueError, match=r"share is .*from 0 \(none wrong\) to 1"):
            cr.graph.with_errors(self.LINKS, share)


class TestCanonical:
    def test_each_fact_once_read_from_the_film(self):
        triples = pd.DataFrame([
            ("m.film", "film.film.directed_by", "m.she"),
            ("m.she", "film.director.film", "m.film"),  # the same, said from the other end
            ("m.he", "film.actor.film", "m.film"),      # said from the other end alone
            ("m.two", "film.film.prequel", "m.one"),    # one is the prequel of two ...
            ("m.one", "film.film.sequel", "m.two"),     # ... and two the sequel of one
            ("m.film", "film.film.country", "m.land"),
        ], columns=COLUMNS)
        found = link.canonical(triples)
        assert list(found) == COLUMNS
        assert sorted(found.itertuples(index=False, name=None)) == [
            ("m.film", "actor", "m.he"), ("m.film", "country", "m.land"),
            ("m.film", "director", "m.she"), ("m.one", "sequel", "m.two")]

    def test_an_unknown_relation_is_refused(self):
        with pytest.raises(ValueError, match=r"unknown relations \['music.album'\]; known are"):
            link.canonical(pd.DataFrame([("a", "music.album", "b")], columns=COLUMNS))


class TestFreebase:
    def test_every_linked_item_has_facts(self, ml, kg, table):
        """Two items on one entity would leave one of them bare."""
        assert kg.graph == {"item": "item", "linked": len(table)}
        bare = [item for item in table["item"] if not kg.degree(f"item:{item}")]
        assert bare == []

    def test_a_linked_film_is_an_item_and_an_unlinked_one_is_not(self, ml, kg, table):
        assert {f"item:{item}" for item in ml.item_ids} <= set(kg)
        films = {node.removeprefix("film:") for node in kg if node.startswith("film:")}
        assert films and not films & set(table["entity"])
        assert kg.nodes["item:12"] == {"type": "item", "label": "The Usual Suspects"}

    def test_edges_lead_from_films_and_types_follow_from_relations(self, kg):
        kinds = {relation: kind for relation, (kind, _, _) in link.RELATIONS.items()}
        for head, tail, relation in kg.edges(keys=True):
            assert kg.nodes[head]["type"] in ("item", "film")
            end = kg.nodes[tail]["type"]
            assert end == kinds[relation] or (end == "item" and relation == "sequel")
        assert all(kind == node.partition(":")[0] for node, kind in kg.nodes(data="type"))
        assert {relation for *_, relation in kg.edges(keys=True)} == set(link.RELATIONS)

    def test_the_relinked_graph_is_right_about_films_that_everybody_knows(self, ml, kg):
        """Pulp Fiction and Reservoir Dogs have one director, Aliens is the sequel of Alien."""
        number = ml.items.drop_duplicates("title").set_index("title")["item"]

        def ends(title, relation):
            return {tail for _, tail, key in kg.out_edges(f"item:{number[title]}", keys=True)
                    if key == relation}
        assert len(ends("Pulp Fiction", "director") & ends("Reservoir Dogs", "director")) == 1
        assert f"item:{number['Aliens']}" in ends("Alien", "sequel")
        assert f"item:{number['Empire Strikes Back, The']}" in ends("Star Wars", "sequel")

    def test_sequels_come_later(self, ml, kg):
        year = ml.items.set_index("item")["year"]
        sequels = cr.graph.known_facts(ml, kg, "all").query("relation == 'sequel'").dropna()
        assert len(sequels) > 40
        assert (sequels["other"].map(year) >= sequels["item"].map(year)).all()

    def test_a_frame_of_ones_own(self, ml, table):
        """Only what is linked is an item; all else is as before under another name."""
        own = table[table["item"] == 12].assign(note="right")
        graph = cr.graph.freebase(ml, own)
        assert graph.graph["linked"] == 1
        assert {node for node, degree in graph.degree() if degree and node.startswith("item:")} == {
            "item:12"}

    @pytest.mark.parametrize(("own", "message"), [
        ({"item": [1], "entity": ["m.none"]}, "1 linked entities have no facts, first 'm.none'"),
        ({"item": [9999], "entity": ["m.0"]}, r"unknown item \[9999\]"),
        ({"item": [1]}, r"links have no column \['entity'\]; they need item and entity"),
        ({"item": [1, 1], "entity": ["m.a", "m.b"]}, "item 1 is linked twice"),
        ({"item": [1, 2], "entity": ["m.a", "m.a"]}, "entity 'm.a' is linked twice"),
    ])
    def test_wrong_frames_are_refused(self, ml, own, message):
        with pytest.raises(ValueError, match=message):
            cr.graph.freebase(ml, pd.DataFrame(own))


DATED = graph_of(
    "item:1 director person:d", "item:2 director person:d",
    "item:1 award_won award:x", "item:2 award_won award:x", "item:4 award_nomination award:x",
    "item:1 sequel item:2", "item:2 sequel item:3", "item:3 sequel item:5", "item:4 sequel item:1",
    "item:1 sequel film:m.9",
    "user:1 rated item:1", "user:1 likes item:2", "user:1 wrote review:1", "review:1 about item:1",
    "review:1 praises item:1", "item:1 has_fan user:1", "user:1 has_gender gender:F",
    "user:1 knows user:2")
TIMELESS = {(1, "director", "person:d", None), (2, "director", "person:d", None)}


class TestKnownFacts:
    @pytest.fixture
    def dated(self):
        """Films of 1996, 1997, 1998, of no year, and of 1977."""
        return catalogue(5, counts=[2, 1, 1, 1, 1], year=[1996, 1997, 1998, None, 1977])

    def test_at_release_neither_awards_nor_sequels(self, dated):
        facts = cr.graph.known_facts(dated, DATED)
        assert list(facts) == ["item", "relation", "entity", "other"]
        assert told(facts) == TIMELESS
        assert told(cr.graph.known_facts(dated, DATED, "release")) == TIMELESS

    def test_before_the_first_rating(self, dated):
        """An award of a film of 1996 counts and one of 1997 doesn't; sequels until 1997 do.

        Both films have to be of 1997 or earlier: a film of 1998 says nothing of one of 1977.
        """
        assert told(cr.graph.known_facts(dated, DATED, "before")) == TIMELESS | {
            (1, "award_won", "award:x", None),
            (1, "sequel", "item:2", 2), (2, "sequel_of", "item:1", 1)}

    def test_all_is_all_and_an_edge_between_items_is_told_of_both(self, dated):
        assert told(cr.graph.known_facts(dated, DATED, "all")) == TIMELESS | {
            (1, "award_won", "award:x", None), (2, "award_won", "award:x", None),
            (4, "award_nomination", "award:x", None),
            (1, "sequel", "item:2", 2), (2, "sequel_of", "item:1", 1),
            (2, "sequel", "item:3", 3), (3, "sequel_of", "item:2", 2),
            (3, "sequel", "item:5", 5), (5, "sequel_of", "item:3", 3),
            (4, "sequel", "item:1", 1), (1, "sequel_of", "item:4", 4),
            (1, "sequel", "film:m.9", None)}

    def test_without_a_column_of_years_nothing_late_was_known_before(self):
        bare = catalogue(5, counts=[2, 1, 1, 1, 1])
        assert told(cr.graph.known_facts(bare, DATED, "before")) == TIMELESS

    def test_of_users(self, dated):
        """What joins a user to an item isn't a fact; what joins two users is one of both."""
        for known in cr.graph.REGIMES:
            facts = cr.graph.known_facts(dated, DATED, known, side="user")
            assert list(facts) == ["user", "relation", "entity", "other"]
            assert told(facts) == {(1, "has_gender", "gender:F", None), (1, "knows", "user:2", 2),
                                   (2, "knows_of", "user:1", 1)}

    def test_ids_keep_their_type(self, ml, shop, built, shop_graph):
        for data, graph, kind in ((ml, built, int), (shop, shop_graph, str)):
            for side in ("item", "user"):
                facts = cr.graph.known_facts(data, graph, side=side)
                assert (facts[side].dtype == "int64") == (kind is int)
                assert {type(value) for value in facts[side].tolist()} == {kind}
                assert facts[side].isin(data.item_ids if side == "item" else data.user_ids).all()

    def test_interactions_are_never_among_them(self, ml, built, shop, shop_graph):
        for data, graph in ((ml, built), (shop, shop_graph)):
            for side in ("item", "user"):
                facts = cr.graph.known_facts(data, graph, "all", side)
                assert not facts["relation"].str.removesuffix("_of").isin(INTERACTIONS).any()
                assert not facts["entity"].str.startswith(
                    ("user:" if side == "item" else "item:", "product:p99", "review:")).any()

    def test_the_shops_links_are_told_of_both_ends(self, shop, shop_graph):
        facts = told(cr.graph.known_facts(shop, shop_graph))
        assert {("p02", "goes_with", "product:p01", "p01"),
                ("p01", "goes_with_of", "product:p02", "p02")} <= facts

    def test_on_movielens_each_regime_knows_more(self, ml, kg):
        regimes = [cr.graph.known_facts(ml, kg, known) for known in ("release", "before", "all")]
        release, before, everything = (set(zip(facts["item"], facts["relation"], facts["entity"],
                                               strict=True)) for facts in regimes)
        assert release < before < everything
        assert {relation for _, relation, _ in before - release} == {
            "award_won", "award_nomination", "sequel", "sequel_of"}
        assert not {relation for _, relation, _ in release} & set(AWARDS)

    def test_a_graph_that_calls_items_otherwise_is_refused(self, shop, shop_graph, ml, kg):
        """Its attributes get lost in a file of triples; an empty view would pass for a result."""
        nameless = nx.MultiDiGraph(shop_graph.edges(keys=True))
        with pytest.raises(ValueError, match="none of the items is in the graph.*'item:p01'"):
            cr.graph.known_facts(shop, nameless)
        with pytest.raises(ValueError, match="none of the users is in the graph.*'user:1'"):
            cr.graph.known_facts(ml, kg, side="user")

    def test_other_words_are_refused(self, dated):
        with pytest.raises(ValueError, match="known is 'now'; it may be 'release', 'before', "):
            cr.graph.known_facts(dated, DATED, "now")
        with pytest.raises(ValueError, match="side is 'film'; it may be 'item' or 'user'"):
            cr.graph.known_facts(dated, DATED, side="film")


class TestKnownTriples:
    @pytest.fixture
    def dated(self):
        return catalogue(5, counts=[2, 1, 1, 1, 1], year=[1996, 1997, 1998, None, 1977])

    @staticmethod
    def written(ratings, graph, *options):
        triples = cr.graph.known_triples(ratings, graph, *options)
        assert list(triples) == COLUMNS
        assert list(triples.index) == list(range(len(triples)))
        rows = [" ".join(row) for row in triples.itertuples(index=False)]
        assert len(set(rows)) == len(rows)
        return set(rows)

    RELEASE = {"item:1 director person:d", "item:2 director person:d"}

    def test_each_regime_by_hand(self, dated):
        """An edge between two items is told once; no user is in it, and no review."""
        assert self.written(dated, DATED) == self.RELEASE
        assert self.written(dated, DATED, "release") == self.RELEASE
        before = self.RELEASE | {"item:1 award_won award:x", "item:1 sequel item:2"}
        assert self.written(dated, DATED, "before") == before
        assert self.written(dated, DATED, "all") == before | {
            "item:2 award_won award:x", "item:4 award_nomination award:x", "item:2 sequel item:3",
            "item:3 sequel item:5", "item:4 sequel item:1", "item:1 sequel film:m.9"}

    def test_an_entity_needs_so_many_facts_and_an_item_none(self, dated):
        items = {"item:1 sequel item:2", "item:2 sequel item:3", "item:3 sequel item:5",
                 "item:4 sequel item:1"}
        awards = {"item:1 award_won award:x", "item:2 award_won award:x",
                  "item:4 award_nomination award:x"}
        assert self.written(dated, DATED, "all", 2) == self.RELEASE | items | awards
        assert self.written(dated, DATED, "all", 3) == items | awards
        assert self.written(dated, DATED, "all", 4) == items

    def test_facts_of_then_count_not_those_of_later(self, dated):
        assert "item:1 award_won award:x" in self.written(dated, DATED, "before", 1)
        assert "item:1 award_won award:x" not in self.written(dated, DATED, "before", 2)

    def test_what_leads_to_an_item_from_outside_is_told_of_the_item(self):
        graph = graph_of("film:m.1 sequel item:1", "item:2 director person:d", item="item")
        assert self.written(catalogue(2), graph, "all") == {
            "item:1 sequel_of film:m.1", "item:2 director person:d"}

    def test_a_relation_may_be_called_of(self):
        """It isn't taken for another one told back; what is stated both ways stays so."""
        graph = graph_of("item:1 remake_of item:2", "item:2 sequel item:3",
                         "item:3 sequel_of item:2", item="item")
        assert self.written(catalogue(3), graph, "all") == {
            "item:1 remake_of item:2", "item:2 sequel item:3", "item:3 sequel_of item:2"}

    def test_an_item_that_is_joined_to_itself(self):
        graph = graph_of("item:1 goes_with item:1", item="item")
        assert self.written(catalogue(2), graph) == {"item:1 goes_with item:1"}

    @pytest.mark.parametrize("known", cr.graph.REGIMES)
    def test_on_the_shop_they_are_the_graphs_own_edges(self, shop, shop_graph, known):
        found = self.written(shop, shop_graph, known)
        products = [node for node in shop_graph if node.startswith("product:")]
        assert found == triples_of(shop_graph, *products)

    def test_on_movielens(self, ml, kg):
        triples = cr.graph.known_triples(ml, kg, "all")
        back = triples["relation"] == "sequel_of"
        assert all(kg.has_edge(*row) for row in
                   triples.loc[~back, ["head", "tail", "relation"]].itertuples(index=False))
        assert all(kg.has_edge(tail, head, "sequel") and tail.startswith("film:") for head, _, tail
                   in triples[back].itertuples(index=False))
        facts = cr.graph.known_facts(ml, kg, "all")
        assert len(facts) - len(triples) == (facts["relation"].eq("sequel")
                                             & facts["other"].notna()).sum() > 40
        often = cr.graph.known_triples(ml, kg, "all", 4)
        ends = often.loc[~often["tail"].str.startswith("item:"), "tail"].value_counts()
        assert ends.min() == 4
        assert set(often["head"]) <= {f"item:{item}" for item in ml.item_ids}
        assert len(often) == len(triples[triples["tail"].isin(ends.index)
                                         | triples["tail"].str.startswith("item:")])

    def test_what_known_facts_refuses_is_refused(self, dated, split, kg):
        with pytest.raises(ValueError, match="known is 'now'; it may be 'release', 'before', "):
            cr.graph.known_triples(dated, DATED, "now")
        with pytest.raises(TypeError, match="needs Ratings, not Split. Use split.train"):
            cr.graph.known_triples(split, kg)


class TestNames:
    GRAPH = graph_of("item:1 director person:d", "item:2 director person:d",
                     "item:3 director person:d", "item:3 actor person:d",
                     "item:4 actor person:a", "film:m.9 director person:d",
                     "film:m.9 actor person:a", "film:m.8 sequel film:m.7",
                     "item:1 studio studio:s", "item:4 award_won award:w",
                     labels={"item:1": "Dune", "item:2": "Alien", "item:3": "Brazil",
                             "item:4": "Casablanca", "studio:s": "Pinewood"}, item="item")

    def test_the_two_films_with_the_most_training_ratings(self):
        train = catalogue(4, counts=[3, 1, 2, 9])
        assert cr.graph.name(self.GRAPH, "person:d", train) == "the director of *Dune* and *Brazil*"
        assert cr.graph.name(self.GRAPH, "person:d", train, films=1) == "the director of *Dune*"

    def test_without_ratings_the_first_in_the_alphabet(self):
        assert cr.graph.name(self.GRAPH, "person:d") == "the director of *Alien* and *Brazil*"

    def test_films_without_training_ratings_come_last_by_alphabet(self):
        train = catalogue(4, counts=[1, 0, 0, 1])
        assert cr.graph.name(self.GRAPH, "person:d", train) == "the director of *Dune* and *Alien*"

    def test_one_film_alone_and_other_roles(self):
        assert cr.graph.name(self.GRAPH, "person:a") == "an actor in *Casablanca*"
        assert cr.graph.name(self.GRAPH, "award:w") == "an award won by *Casablanca*"

    def test_labels_are_kept(self):
        assert cr.graph.name(self.GRAPH, "item:1") == "Dune"
        assert cr.graph.name(self.GRAPH, "studio:s") == "Pinewood"

    def test_a_film_outside_the_catalogue(self):
        """It is called by what it shares, the director first; else it stays unnamed."""
        train = catalogue(4, counts=[3, 1, 2, 9])
        assert cr.graph.name(self.GRAPH, "film:m.9", train) == (
            "a film that shares its director with *Dune*")
        assert cr.graph.name(self.GRAPH, "film:m.8") == "an unnamed film (m.8)"

    def test_with_names_labels_a_copy(self):
        before = dict(self.GRAPH.nodes(data="label"))
        named = cr.graph.with_names(self.GRAPH)
        assert dict(self.GRAPH.nodes(data="label")) == before
        assert all(label for _, label in named.nodes(data="label"))
        assert named.nodes["person:d"]["label"] == cr.graph.name(self.GRAPH, "person:d")
        assert triples_of(named) == triples_of(self.GRAPH)

    def test_every_relation_of_freebase_but_sequel_has_words(self):
        assert set(names.ROLES) == set(link.RELATIONS) - {"sequel"}

    def test_on_freebase(self, ml, kg, split, other_test):
        """Everything gets a label."""
        labels = dict(cr.graph.with_names(kg, split.train).nodes(data="label"))
        assert len(labels) == len(kg)
        assert all(isinstance(label, str) and label for label in labels.values())

    def test_test_ratings_of_cold_films_never_change_a_name(self, ml, kg, split, other_test):
        directed = kg.edge_subgraph([edge for edge in kg.edges(keys=True) if edge[2] == "director"])

        def labels(ratings):
            return dict(cr.graph.with_names(directed, ratings).nodes(data="label"))
        cold = other_test.ratings["item"].isin(split.cold_items)
        assert labels(other_test.with_ratings(other_test.ratings[~cold])) == labels(split.train)
        assert labels(other_test) != labels(ml)  # it would show if they did

    def test_directors_that_everybody_knows(self, ml, kg):
        """That of Pulp Fiction (item 56) plays in more films than he directed; 100 is Fargo."""
        known = {item: cr.graph.name(kg, tail, ml) for item in (56, 100)
                 for _, tail, key in kg.out_edges(f"item:{item}", keys=True) if key == "director"}
        assert known[56] == "an actor in *Pulp Fiction* and *Reservoir Dogs*"
        assert known[100].startswith("the director of *Fargo* and *")

    def test_an_unknown_node_is_refused(self):
        with pytest.raises(KeyError, match="no node 'person:x'. Nodes are such as"):
            cr.graph.name(self.GRAPH, "person:x")


class TestPaths:
    FACTS = cr.graph.known_facts(catalogue(4), graph_of(
        "item:1 director person:d", "item:3 director person:d", "item:2 actor person:d",
        "item:2 film_genre film_genre:g", "item:3 film_genre film_genre:g",
        "item:1 sequel item:3", "item:4 studio studio:s"), "all")

    def test_by_hand(self):
        found = cr.graph.paths(self.FACTS, [1, 2], 3)
        assert list(found) == ["liked", "path", "via", "count", "weight"]
        rows = [(liked, path, via if isinstance(via, str) else None, count)
                for liked, path, via, count, _ in found.itertuples(index=False)]
        assert rows == [(1, "sequel (direct)", None, 1),
                        (2, "film_genre", "film_genre:g", 2),
                        (1, "director", "person:d", 3),
                        (2, "actor, director", "person:d", 3)]
        assert_allclose(found["weight"], np.log([4 / 1, 4 / 2, 4 / 3, 4 / 3]))

    def test_the_other_way_round(self):
        """From the sequel to the first film, and from the director to the actor."""
        found = cr.graph.paths(self.FACTS, [3], 1)
        assert found["path"].tolist() == ["sequel_of (direct)", "director"]
        assert cr.graph.paths(self.FACTS, [1, 3], 2)["path"].tolist() == [
            "film_genre", "director, actor", "director, actor"]

    def test_the_candidate_is_no_reason_for_itself(self):
        with_it = cr.graph.paths(self.FACTS, [1, 3, 1], 3)
        assert with_it.equals(cr.graph.paths(self.FACTS, [1], 3))
        assert cr.graph.paths(self.FACTS, [3], 3).empty

    @pytest.mark.parametrize("liked", [[1, 2], []])
    def test_nothing_in_common_is_an_empty_frame(self, liked):
        found = cr.graph.paths(self.FACTS, liked, 4)
        assert found.empty
        assert list(found) == ["liked", "path", "via", "count", "weight"]

    def test_an_item_without_facts_is_refused(self):
        with pytest.raises(KeyError, match=r"no facts about the items \[9\]"):
            cr.graph.paths(self.FACTS, [1, 9], 3)
        with pytest.raises(KeyError, match=r"no facts about the items \[8\]"):
            cr.graph.paths(self.FACTS, [1], 8)

    def test_of_texts_and_one_liked_item(self, shop, shop_graph):
        facts = cr.graph.known_facts(shop, shop_graph)
        found = cr.graph.paths(facts, "p02", "p01")
        assert found.equals(cr.graph.paths(facts, pd.Series(["p02"]), "p01"))
        assert set(found["path"]) >= {"goes_with (direct)", "has_genre"}

    def test_at_release_a_sequel_is_no_reason(self, ml, kg):
        """Star Wars and The Empire Strikes Back."""
        empire = ml.items.set_index("title")["item"]["Empire Strikes Back, The"]
        late, early = (cr.graph.paths(cr.graph.known_facts(ml, kg, known), [50], empire)
                       for known in ("all", "release"))
        assert "sequel (direct)" in set(late["path"])
        assert "actor" in set(early["path"])
        assert not early["path"].str.contains("sequel").any()


class TestGraphView:
    GRAPH = graph_of("item:1 director person:d", "item:2 director person:d",
                     "item:3 director person:d", "item:3 actor person:d", "item:4 actor person:a",
                     "item:1 made_of material:m", "item:4 made_of material:m",
                     "item:1 sequel item:2", "item:4 sequel item:2",
                     "user:1 rated item:1", "user:1 rated item:2", item="item")

    def test_by_hand(self):
        """A director of three in four items, a material of two; all else is one item's alone."""
        found = cr.views.graph(catalogue(4), self.GRAPH).toarray()
        director, material = np.log(4 / 3), np.log(4 / 2)
        assert_allclose(found, [[director, material], [director, 0], [director, 0], [0, material]])

    def test_what_may_be_known(self):
        """Two items have a sequel in common, which isn't known at release."""
        found = cr.views.graph(catalogue(4), self.GRAPH, known="all").toarray()
        assert found.shape == (4, 3)
        assert sorted(np.flatnonzero(column).tolist() for column in found.T) == [
            [0, 1, 2], [0, 3], [0, 3]]
        dated = catalogue(4, year=[1980, 1990, 1997, 1998])
        assert cr.views.graph(dated, self.GRAPH, known="before").shape == (4, 2)

    @pytest.mark.parametrize(("relations", "columns"), [
        ("director", 1), (["director"], 1), ("made_of", 1), (("director", "made_of"), 2),
        ("actor", 0), ((), 0)])
    def test_relations_alone(self, relations, columns):
        """``made_of`` ends as an inverse relation does, and is none."""
        found = cr.views.graph(catalogue(4), self.GRAPH, relations=relations)
        assert found.shape == (4, columns)
        assert (found.toarray() > 0).any(axis=0).sum() == columns

    def test_a_relation_brings_its_inverse(self, shop, shop_graph):
        facts = cr.views._facts(shop, shop_graph, "release", "goes_with")
        assert set(facts["relation"]) == {"goes_with", "goes_with_of"}

    def test_an_unknown_relation_is_refused(self):
        with pytest.raises(ValueError, match=r"no relation \['directed_by'\]; it has \['act"):
            cr.views.graph(catalogue(4), self.GRAPH, relations=["director", "directed_by"])

    def test_on_freebase(self, ml, kg):
        found = cr.views.graph(ml, kg)
        assert found.shape[0] == 1682 and found.shape[1] > 5000
        assert np.isfinite(found.data).all() and (found.data > 0).all()
        assert found.getnnz(axis=0).min() >= 2
        assert set(np.flatnonzero(found.getnnz(axis=1) == 0)) >= {
            ml.item_rows([item])[0] for item in ml.item_ids if not kg.degree(f"item:{item}")}

    def test_relations_are_parts_of_the_whole(self, ml, kg):
        whole = cr.views.graph(ml, kg)
        people = {"actor", "director", "writer"}
        parts = [cr.views.graph(ml, kg, relations=relations)
                 for relations in ("actor", people - {"actor"}, set(link.RELATIONS) - people)]
        assert sum(part.shape[1] for part in parts) == whole.shape[1]
        assert_allclose(sum(part.sum() for part in parts), whole.sum())

    def test_users(self, ml, built):
        """Their view is by the same rule: every occupation of two or more users is a column."""
        found = cr.views.graph(ml, built, side="user", relations="has_occupation")
        assert found.shape == (943, 21)
        share = (ml.users["occupation"] == "technician").mean()
        assert_allclose(found[0].data, -np.log(share))
        # And two genders, seven age bands (one child is alone in his), ten digits and "abroad".
        assert cr.views.graph(ml, built, side="user").shape == (943, 21 + 2 + 7 + 11)

    def test_of_the_shop(self, shop, shop_graph):
        found = cr.views.graph(shop, shop_graph, relations="made_of").toarray()
        walnut = (shop.items["material"] == "walnut").to_numpy()
        column = np.flatnonzero(found[np.flatnonzero(walnut)[0]])
        assert_allclose(found[:, column[0]], walnut * np.log(len(shop.items) / walnut.sum()))

    @pytest.mark.parametrize("side", ["item", "user"])
    def test_no_rating_can_change_it(self, ml, built, split, side):
        """The graph of all ratings and that of some give the same view, although one knows more."""
        fewer = cr.graph.build(split.train)
        assert fewer.number_of_edges() < built.number_of_edges()
        one, two = (cr.views.graph(data, graph, known="all", side=side)
                    for data, graph in ((ml, built), (split.train, fewer)))
        assert one.shape == two.shape and abs(one - two).nnz == 0

    def test_a_graph_without_facts_gives_no_columns(self):
        bare = graph_of("user:1 rated item:1", item="item")
        assert cr.views.graph(catalogue(4), bare).shape == (4, 0)
        assert_array_equal(cr.views.number_of_facts(catalogue(4), bare), np.zeros((4, 1)))

    def test_a_split_is_refused(self, split, kg):
        for view in (cr.views.graph, cr.views.number_of_facts, cr.views.star_power):
            with pytest.raises(TypeError, match="needs Ratings, not Split. Use split.train"):
                view(split, kg)

    def test_number_of_facts(self):
        """The items have 2, 1, 2 and 2 facts at release; with all, 3, 3, 2 and 3."""
        found = cr.views.number_of_facts(catalogue(4), self.GRAPH)
        assert_allclose(found, np.log([[3], [2], [3], [3]]))
        found = cr.views.number_of_facts(catalogue(4), self.GRAPH, known="all")
        assert_allclose(found, np.log([[4], [4], [3], [4]]))


class TestDescribeRelated:
    GRAPH = graph_of("item:1 director person:d", "item:2 director person:d",
                     "item:3 director person:d", "item:1 director person:e",
                     "item:3 director person:e", "item:4 director person:f",
                     "item:1 actor person:b", "item:2 actor person:b", item="item")

    @staticmethod
    def films(counts=(1, 4, 2, 1), titles=("A (x)", "Story, The (1990)", "C", "D")):
        rows = [(user, item, 5) for item, count in enumerate(counts, 1) for user in range(count)]
        return cr.Ratings.from_frames(pd.DataFrame(rows, columns=["user", "item", "rating"]),
                                      pd.DataFrame({"item": [1, 2, 3, 4], "title": titles}))

    def test_names_first_those_that_share_most_then_the_well_known(self):
        told = cr.views.describe_related(self.films(), self.GRAPH, relations="director")
        assert told == ["A (x). Same director: C, The Story.",
                        "The Story (1990). Same director: C, A.",
                        "C. Same director: A, The Story.", "D."]
        told = cr.views.describe_related(self.films(), self.GRAPH, relations=["actor", "director"],
                                         most=1)
        assert told[0] == "A (x). Same actor: The Story. Same director: C."

    def test_a_film_of_the_same_name_is_not_told(self):
        films = self.films(titles=("A", "A", "C", "D"))
        told = cr.views.describe_related(films, self.GRAPH, relations="director")
        assert told[0] == "A. Same director: C."

    def test_of_movielens(self, ml, kg, split):
        told = cr.views.describe_related(split.train, kg)
        assert len(told) == len(ml.items)
        assert all(full.startswith(bare)
                   for full, bare in zip(told, cr.views.describe(ml), strict=True))
        assert sum("Same director: " in text for text in told) > 500
        assert max(text.count(", ") for text in told) < 30

    def test_says_what_is_wrong(self, kg, split):
        with pytest.raises(TypeError, match="needs Ratings, not Split"):
            cr.views.describe_related(split, kg)
        with pytest.raises(ValueError, match=r"no relation \['nobody'\]"):
            cr.views.describe_related(split.train, kg, relations="nobody")
        with pytest.raises(ValueError, match="most"):
            cr.views.describe_related(split.train, kg, most=0)


class TestStarPower:
    GRAPH = graph_of("item:1 director person:d", "item:2 director person:d",
                     "item:3 director person:d", "item:1 director person:e",
                     "item:4 director person:f", "item:1 actor person:b", "item:2 actor person:b",
                     "item:3 actor person:d", item="item")
    COUNTS = [3, 1, 0, 2]

    def test_by_hand(self):
        """Items 1 to 3 share a director. Nobody rated item 3: it counts as no film of anybody."""
        train = catalogue(4, self.COUNTS)
        one, two, _, four = np.log(np.array(self.COUNTS) + 1)
        mean = (one + two + four) / 3
        found = cr.views.star_power(train, self.GRAPH, ("director", "actor"))
        assert_allclose(found, [[(two - mean) / (1 + 2), (two - mean) / (1 + 2)],
                                [(one - mean) / (1 + 2), (one - mean) / (1 + 2)],
                                [(one + two - 2 * mean) / (2 + 2), 0],
                                [0, 0]])

    def test_shrinking(self):
        train = catalogue(4, self.COUNTS)
        bare, much = (cr.views.star_power(train, self.GRAPH, "director", shrink)
                      for shrink in (0, 98))
        assert bare.shape == (4, 1)
        assert_allclose(bare * [[1], [1], [2], [0]], much * [[99], [99], [100], [0]])
        assert bare[3] == 0  # and not 0 / 0

    def test_two_people_in_common_count_twice(self):
        graph = graph_of(*(f"item:{i} director person:{p}" for i in (1, 2) for p in "de"),
                         "item:3 director person:d")
        train = catalogue(3, [3, 1, 7])
        one, two, three = np.log([4, 2, 8]) - np.log([4, 2, 8]).mean()
        assert_allclose(cr.views.star_power(train, graph, "director")[:, 0],
                        [(2 * two + three) / 5, (2 * one + three) / 5, (one + two) / 4])

    def test_its_own_popularity_is_left_out(self):
        """However often an item is rated, its row stays in place among items of equal means."""
        rows = []
        for own in (1, 5, 9):
            train = catalogue(5, [own, 2, 4, 10 - own, 3])  # the mean of counts isn't used
            popularity = np.log1p([own, 2, 4, 10 - own, 3])
            row = cr.views.star_power(train, self.GRAPH, "director", shrink=0)[0, 0]
            rows.append(row + popularity.mean())
        assert_allclose(rows, [np.log([3, 5]).mean()] * 3)

    def test_test_ratings_have_no_say(self, ml, kg, split, other_test):
        before = cr.views.star_power(split.train, kg)
        assert before.shape == (1682, 5) and np.isfinite(before).all()
        assert (before != 0).any(axis=0).all()
        cold = other_test.ratings["item"].isin(split.cold_items)
        train = other_test.with_ratings(other_test.ratings[~cold])
        assert_array_equal(cr.views.star_power(train, kg), before)
        # That would show if they had.
        assert (cr.views.star_power(ml, kg) != cr.views.star_power(other_test, kg)).any()

    def test_by_brute_force_on_freebase(self, split, kg):
        train, row = split.train, split.train.item_rows
        counts = train.ratings["item"].value_counts()
        mean = np.log1p(counts).mean()
        found = cr.views.star_power(train, kg)
        rng = np.random.default_rng(0)
        for item in rng.choice(train.item_ids, 60, replace=False):
            for column, relation in enumerate(cr.views.STAR_RELATIONS):
                films = [int(film.partition(":")[2])
                         for _, person, key in kg.out_edges(f"item:{item}", keys=True)
                         if key == relation
                         for film, _, same in kg.in_edges(person, keys=True)
                         if same == relation and film.startswith("item:")]
                known = [np.log1p(counts[film]) - mean for film in films
                         if film != item and film in counts]
                assert_allclose(found[row([item])[0], column], sum(known) / (len(known) + 2),
                                atol=1e-12)

    def test_a_film_without_company_gets_nothing(self, split, kg):
        alone = [item for item in split.train.item_ids if not kg.degree(f"item:{item}")]
        assert len(alone) > 100
        assert not cr.views.star_power(split.train, kg)[split.train.item_rows(alone)].any()

    def test_an_unknown_relation_is_refused(self):
        with pytest.raises(ValueError, match=r"no relation \['studio'\]"):
            cr.views.star_power(catalogue(4), self.GRAPH, ("director", "studio"))


def test_a_name_says_what_else_the_entity_did():
    """Asked about one film, the name leaves it out, and prefers the role that is asked for."""
    kg = nx.MultiDiGraph(item="item")
    for item, label in (("1", "Fargo"), ("2", "Blood Simple"), ("3", "Jaws")):
        kg.add_node(f"item:{item}", type="item", label=label)
    for item, relation in (("1", "director"), ("2", "director"), ("1", "writer"), ("2", "writer"),
                           ("3", "writer")):
        kg.add_edge(f"item:{item}", "person:a", key=relation)
    kg.add_edge("item:3", "person:b", key="actor")
    assert cr.graph.name(kg, "person:a") == "a writer of *Blood Simple* and *Fargo*"
    assert cr.graph.name(kg, "person:a", role="director", besides="item:1") == (
        "the director of *Blood Simple*")
    assert cr.graph.name(kg, "person:b", role="actor", besides="item:3") == (
        "an actor in no other film here")


def test_errors_among_alike_links_stay_among_them():
    table = pd.DataFrame({"item": range(9), "entity": list("abcdefghi")})
    labels = list("xxxxyyyyz")
    wrong = cr.graph.with_errors(table, 1, alike=labels)
    kind = dict(zip(table["entity"], labels, strict=True))
    assert [kind[e] for e in wrong["entity"]] == labels
    assert (wrong["entity"] != table["entity"]).sum() == 8  # the only z has nobody to change with
    half = cr.graph.with_errors(table, 0.5, alike=labels)
    assert (half["entity"] != table["entity"]).sum() == 4
    with pytest.raises(ValueError, match="alike has 2 labels for 9 links"):
        cr.graph.with_errors(table, 0.5, alike=["x", "y"])
