"""The audit of links: it sees what is wrong, and how much of it, and doesn't see what isn't."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.metrics import roc_auc_score

import coldrec as cr
from coldrec.graph import suspicion

TESTS = ["sequels share a word of the title", "one Freebase genre, similar genres",
         "one director or writer, close years", "many facts, many ratings"]
SEEDS = range(3)


@pytest.fixture(scope="module")
def table(ml):
    return cr.graph.link_table(ml)


@pytest.fixture(scope="module")
def facts(ml):
    """Freebase's facts, relinked."""
    return cr.graph.known_facts(ml, cr.graph.freebase(ml), "all")


@pytest.fixture(scope="module")
def shipped(ml):
    return cr.graph.known_facts(ml, cr.graph.freebase(ml, "shipped"), "all")


@pytest.fixture(scope="module")
def shuffled(facts, table):
    """The facts under a shuffled table, for each seed."""
    return {seed: relink(facts, table, cr.graph.with_errors(table, 1, seed)) for seed in SEEDS}


def relink(facts, table, other):
    """The facts as another table of the same items and entities would give them, but quicker."""
    item_of = dict(zip(table["entity"], table["item"], strict=True))
    move = dict(zip(other["entity"].map(item_of), other["item"], strict=True))
    ends = facts["other"].map(move)
    entity = facts["entity"].where(ends.isna(), "item:" + ends.astype("Int64").astype(str))
    return facts.assign(item=facts["item"].map(move), other=ends, entity=entity)


def planted(facts, table, share, seed=0):
    """Facts of which a share belongs to other films, and the films whose links are wrong."""
    other = cr.graph.with_errors(table, share, seed)
    return relink(facts, table, other), set(other["item"][other["entity"] != table["entity"]])


def small(n=60, seed=0, **gone):
    """A catalogue of n films in three genres, and facts that agree with it.

    Each genre has its decade, its own Freebase genre, and five directors; two in three films have a
    sequel, and a film with more actors has more ratings.
    """
    rng = np.random.default_rng(seed)
    kind = np.arange(n) % 3
    items = pd.DataFrame({"item": np.arange(n), "title": [f"Saga{i // 3 * 3 % n} {i}" for i in
                                                          np.arange(n) // 3 + 1000 * kind],
                          "year": 1960.0 + 10 * kind + rng.integers(0, 5, n),
                          "genres": np.array(["War", "Comedy", "Drama"])[kind]})
    fame = rng.integers(1, 9, n)
    ratings = pd.DataFrame([(user, item, 3 + user % 2) for item in range(n)
                            for user in range(fame[item])], columns=["user", "item", "rating"])
    graph = nx.MultiDiGraph(item="item")
    for item in range(n):
        graph.add_edge(f"item:{item}", f"film_genre:{kind[item]}", key="film_genre")
        person = f"person:{kind[item]}.{item // 3 % 5}"
        graph.add_edge(f"item:{item}", person, key="director")
        for actor in range(fame[item]):
            graph.add_edge(f"item:{item}", f"person:{item}.{actor}", key="actor")
        if item % 9 < 6 and item + 3 < n:
            graph.add_edge(f"item:{item}", f"item:{item + 3}", key="sequel")
    ml = cr.Ratings.from_frames(ratings, items.drop(columns=list(gone)).assign(
        **{column: value for column, value in gone.items() if value is not None}))
    return ml, cr.graph.known_facts(ml, graph, "all")


class TestVerdicts:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_the_shipped_file_is_no_better_than_chance(self, ml, shipped, seed):
        found = cr.graph.audit(ml, shipped, permutations=200, seed=seed)
        assert not found.better_than_chance and not found.passed
        assert found.verdict.startswith("These links are no better than chance")
        assert found.wrong > 0.8
        assert found.links > 1500

    def test_the_relinked_one_passes(self, ml, facts):
        found = cr.graph.audit(ml, facts, permutations=200)
        assert found.better_than_chance and found.passed
        assert found.verdict.startswith("These links agree with the catalogue; an estimated 4%")
        assert found.tests.index.tolist() == TESTS
        assert_allclose(found.tests["p"], 1 / 201)
        assert found.tests["n"].dtype == int
        assert found.wrong < 0.06
        for name, null in found.nulls.items():
            row = found.tests.loc[name]
            assert len(null) == 200
            assert_allclose([row["chance"], row["chance_sd"]], [null.mean(), null.std(ddof=1)])
            assert abs(row["statistic"] - row["chance"]) > 8 * row["chance_sd"]

    @pytest.mark.parametrize("seed", SEEDS)
    def test_shuffled_ones_do_not(self, ml, shuffled, seed):
        found = cr.graph.audit(ml, shuffled[seed], permutations=200)
        assert not found.better_than_chance and not found.passed
        assert found.wrong > 0.85

    def test_relinking_facts_is_what_freebase_does(self, ml, shuffled):
        """Else the tests above would be about nothing."""
        real = cr.graph.known_facts(ml, cr.graph.freebase(ml, "shuffled"), "all")
        columns = list(real)

        def rows(frame):
            return sorted(frame[columns].fillna(-1).itertuples(index=False, name=None))
        assert rows(shuffled[0]) == rows(real)

    def test_the_estimate_grows_with_the_share_of_planted_errors(self, ml, facts, table):
        """At 20 % and more, the audit doesn't pass; none of the estimates is far too low."""
        estimates = []
        for share in (0, 0.05, 0.2, 0.5):
            wrong, _ = planted(facts, table, share)
            found = cr.graph.audit(ml, wrong, permutations=100)
            assert found.better_than_chance
            assert found.passed == (share < 0.2), share
            assert -2 * found.wrong_se < found.wrong - share < 0.12, share
            estimates.append(found.wrong)
        assert (np.diff(estimates) > 0.02).all()
        assert "Some links are right, but an estimated" in found.verdict

    def test_it_repeats_and_changes_nothing(self):
        data, facts = small()
        before = facts.copy()
        one, again, other = (cr.graph.audit(data, facts, 100, seed) for seed in (0, 0, 1))
        assert one.tests.equals(again.tests) and facts.equals(before)
        assert one.nulls[TESTS[0]].tolist() != other.nulls[TESTS[0]].tolist()


class TestSuspects:
    @pytest.mark.parametrize("share", [0.05, 0.2])
    def test_planted_errors_look_suspicious(self, ml, facts, table, share):
        """The area under the curve of right and wrong links by p."""
        for seed in (0, 1):
            wrong, items = planted(facts, table, share, seed)
            found = cr.graph.suspects(ml, wrong)
            assert found["p"].is_monotonic_decreasing
            assert len(items) > 50
            assert roc_auc_score(found["item"].isin(items), found["p"]) > 0.85

    def test_of_wrong_links_every_p_is_equally_likely(self, ml, shuffled, shipped):
        """Kolmogorov and Smirnov's distance. The p of one file lean on each other a little, so
        that a p-value of the distance would be too strict; of right links it is above 0.6."""
        ps = [cr.graph.suspects(ml, facts)["p"] for facts in (*shuffled.values(), shipped)]
        for p in ps:
            assert stats.kstest(p, "uniform").statistic < 0.06
        assert stats.kstest(np.concatenate(ps), "uniform").statistic < 0.02

    def test_right_links_have_low_p(self, ml, facts):
        found = cr.graph.suspects(ml, facts)
        assert list(found) == ["item", "title", "p"]
        assert stats.kstest(found["p"], "uniform").statistic > 0.6
        assert found["p"].between(1 / len(found), 1).all()
        assert found["item"].is_unique and set(found["item"]) <= set(facts["item"])
        title = ml.items.set_index("item")["title"]
        assert (found["title"].to_numpy() == found["item"].map(title).to_numpy()).all()

    @pytest.mark.parametrize("gone", [{}, {"genres": None}, {"year": None}])
    def test_leaving_one_out_by_brute_force(self, gone):
        """The closed form is a ridge regression that was fitted without the item."""
        data, facts = small(31, **gone)
        features = suspicion._features(facts, pd.Index(data.items["item"])).toarray()
        wanted = suspicion._wanted(data)
        n, predicted = len(wanted), []
        for item in range(n):
            rest = np.arange(n) != item
            x, mean = features[rest], wanted[rest].mean(0)
            weights = np.linalg.solve(x.T @ x + suspicion.RIDGE * np.eye(x.shape[1]),
                                      x.T @ (wanted[rest] - mean))
            predicted.append(mean + features[item] @ weights)
        distance = ((wanted[:, None] - np.array(predicted)) ** 2).sum(2)
        p = (distance <= np.diag(distance)[:, None] + 1e-12).mean(1)
        found = cr.graph.suspects(data, facts).set_index("item")["p"]
        assert_allclose(found[data.item_ids], p, atol=1e-12)
        assert len(set(p)) > 2

    def test_features_by_hand(self):
        """Two of four items have d, three g; awards, sequels and what one item has aren't read."""
        facts = pd.DataFrame([(1, "director", "d"), (2, "director", "d"), (2, "director", "d"),
                              (1, "film_genre", "g"), (2, "film_genre", "g"),
                              (3, "film_genre", "g"), (3, "actor", "a"), (3, "actor", "a"),
                              (1, "award_won", "w"), (2, "award_won", "w"), (1, "sequel", "x"),
                              (2, "sequel", "x"), (9, "director", "d")],
                             columns=["item", "relation", "entity"])
        found = suspicion._features(facts, pd.Index([1, 2, 3, 4])).toarray()
        both = np.log([4 / 2, 4 / 3])
        both /= np.linalg.norm(both)
        assert_allclose(found, [both, both, [0, 1], [0, 0]])

    def test_awards_and_sequels_are_not_read(self, ml, facts):
        timeless = facts[~facts["relation"].str.contains("award|sequel")]
        assert len(timeless) < len(facts)
        assert cr.graph.suspects(ml, timeless).equals(cr.graph.suspects(ml, facts))

    def test_one_wrong_link_is_the_first_suspect(self):
        """A war film of the sixties that has got the facts of a drama of the eighties."""
        data, facts = small()
        other = facts[facts["item"] == 2].assign(item=0)
        found = cr.graph.suspects(data, pd.concat([facts[facts["item"] != 0], other]))
        assert found["item"][0] == 0
        assert found["p"][0] > 0.6


class TestWrongShare:
    def test_by_hand(self):
        """Of ten, one is above 0.8, and a fifth of the wrong ones is: half are wrong."""
        p = [0.01] * 8 + [0.8, 0.81]
        assert_allclose(cr.graph.wrong_share(p), (0.5, np.sqrt(0.1 * 0.9 / 10) / 0.2))

    def test_none_and_all(self):
        assert cr.graph.wrong_share(np.zeros(5)) == (0.0, 0.0)
        assert cr.graph.wrong_share(np.ones(5)) == (1.0, 0.0)

    def test_uniform_p_are_all_wrong(self):
        assert_allclose(cr.graph.wrong_share(np.linspace(0, 1, 10_001))[0], 1, atol=1e-3)

    @pytest.mark.parametrize("p", [[], [0.2, np.nan], [1.2], [-0.1]])
    def test_other_numbers_are_refused(self, p):
        with pytest.raises(ValueError, match="needs p-values, each from 0 to 1, at least one"):
            cr.graph.wrong_share(p)


@pytest.fixture(scope="module")
def tests(ml, facts):
    return cr.graph.audit(ml, facts, permutations=100).tests


class TestStatisticsByBruteForce:
    """Each statistic of MovieLens, computed pair by pair."""

    @staticmethod
    def pairs(facts, relations, all_of_them=False):
        """Pairs of items with an entity in common: once each, or once for every entity."""
        one = facts[facts["relation"].isin(relations)].drop_duplicates(["item", "entity"])
        both = one.merge(one, on="entity").query("item_x < item_y")
        return both if all_of_them else both.drop_duplicates(["item_x", "item_y"])

    def test_sequels(self, ml, facts, tests):
        """56 pairs, of which the titles of three quarters have a word in common."""
        pairs = facts[(facts["relation"] == "sequel") & facts["other"].notna()]
        row = tests.loc[TESTS[0]]
        assert row["n"] == len(pairs)
        assert 0.7 < row["statistic"] < 0.8

    def test_mean_cosine(self, ml, facts, tests):
        pairs = self.pairs(facts, ["film_genre"], all_of_them=True)
        sets = ml.items.set_index("item")["genres"].map(set)
        rows = pairs.sample(3000, random_state=0)
        a, b = sets[rows["item_x"]], sets[rows["item_y"]]
        sample = [len(x & y) / np.sqrt(len(x) * len(y)) if x and y else 0
                  for x, y in zip(a, b, strict=True)]
        row = tests.loc[TESTS[1]]
        assert row["n"] == len(pairs)
        assert abs(row["statistic"] - np.mean(sample)) < 3 * np.std(sample) / np.sqrt(3000)

    def test_mean_cosine_of_all_pairs_of_a_small_catalogue(self):
        data, facts = small(40, genres=["War|Drama", "Comedy", "Drama", "War|Comedy|Drama"] * 10)
        sets = data.items.set_index("item")["genres"].map(set)
        pairs = self.pairs(facts, ["film_genre"], all_of_them=True)
        cosines = [len(sets[x] & sets[y]) / np.sqrt(len(sets[x]) * len(sets[y]))
                   for x, y in zip(pairs["item_x"], pairs["item_y"], strict=True)]
        row = cr.graph.audit(data, facts, 100).tests.loc[TESTS[1]]
        assert row["n"] == len(cosines)
        assert_allclose(row["statistic"], np.mean(cosines))

    def test_years(self, ml, facts, tests):
        pairs = self.pairs(facts, ["director", "writer", "cinematographer"])
        year = ml.items.set_index("item")["year"]
        between = (pairs["item_x"].map(year) - pairs["item_y"].map(year)).abs()
        row = tests.loc[TESTS[2]]
        assert row["n"] == len(pairs)
        assert between.notna().all()
        assert_allclose(row["statistic"], between.mean())

    def test_fame(self, ml, facts, tests):
        count = ml.ratings["item"].value_counts()
        degree = facts["item"].value_counts()
        row = tests.loc[TESTS[3]]
        assert row["n"] == len(degree)
        assert_allclose(row["statistic"],
                        stats.spearmanr(degree, count.reindex(degree.index)).statistic)

    def test_chance_is_the_mean_of_all_pairs(self, ml, facts, tests):
        """What permutation finds for the years is what any two linked films are apart."""
        year = ml.items.set_index("item")["year"][facts["item"].unique()].to_numpy()
        apart = np.abs(year[:, None] - year)[np.triu_indices(len(year), 1)].mean()
        row = tests.loc[TESTS[2]]
        assert abs(row["chance"] - apart) < 4 * row["chance_sd"] / np.sqrt(100)


class TestOtherData:
    def test_a_small_catalogue(self):
        data, facts = small()
        found = cr.graph.audit(data, facts, 200)
        assert found.passed and found.links == 60
        assert found.tests.index.tolist() == TESTS
        moved = dict(enumerate(np.random.default_rng(1).permutation(60)))
        wrong = facts.assign(item=facts["item"].map(moved), other=facts["other"].map(moved))
        assert not cr.graph.audit(data, wrong, 200).passed

    @pytest.mark.parametrize(("column", "left"), [
        ("title", [1, 2, 3]), ("year", [0, 1, 3]), ("genres", [0, 2, 3])])
    def test_without_a_column(self, column, left):
        """Its test is left out, and the others go on."""
        data, facts = small(**{column: None})
        assert column not in data.items
        found = cr.graph.audit(data, facts, 200)
        assert found.tests.index.tolist() == [TESTS[n] for n in left]
        assert found.passed
        assert cr.graph.suspects(data, facts)["title"].notna().all()

    @pytest.mark.parametrize(("column", "empty", "left"), [
        ("title", None, [0, 1, 2, 3]), ("year", np.nan, [0, 1, 3]), ("genres", "", [0, 2, 3])])
    def test_an_empty_column_is_no_evidence(self, column, empty, left):
        """That two titles are missing, or two years, isn't something in common."""
        data, facts = small(**{column: [empty] * 60})
        tests = cr.graph.audit(data, facts, 200).tests
        assert tests.index.tolist() == [TESTS[n] for n in left]
        assert column != "title" or tests.loc[TESTS[0]][["statistic", "p"]].tolist() == [0, 1]

    def test_with_neither_genres_nor_years_the_share_cant_be_told(self):
        data, facts = small(year=None, genres=None)
        found = cr.graph.audit(data, facts, 200)
        assert found.tests.index.tolist() == [TESTS[0], TESTS[3]]
        assert found.better_than_chance and not found.passed
        assert np.isnan(found.wrong) and np.isnan(found.wrong_se)
        assert found.verdict.startswith("These links are better than chance. How many are wrong "
                                        "can't be told")
        with pytest.raises(ValueError, match="only 0 items have a genre or a year"):
            cr.graph.suspects(data, facts)

    def test_without_sequels(self):
        data, facts = small()
        found = cr.graph.audit(data, facts[~facts["relation"].str.startswith("sequel")], 200)
        assert found.tests.index.tolist() == TESTS[1:]
        assert found.passed

    def test_a_missing_year_here_and_there(self):
        data, facts = small(year=[np.nan, *range(1960, 2019)])
        found = cr.graph.audit(data, facts, 100)
        assert np.isfinite(found.tests[["statistic", "chance"]]).all(axis=None)
        assert np.isfinite(found.wrong)

    def test_facts_of_items_outside_the_catalogue_are_not_read(self):
        data, facts = small()
        more = pd.concat([facts, facts.assign(item=facts["item"] + 1000, other=np.nan)])
        assert cr.graph.audit(data, more, 100).tests.equals(cr.graph.audit(data, facts, 100).tests)
        assert cr.graph.suspects(data, more).equals(cr.graph.suspects(data, facts))

    def test_the_shop_has_nothing_of_freebases_but_the_number_of_facts(self):
        shop = cr.load("shop")
        facts = cr.graph.known_facts(shop, cr.graph.shop(), "all")
        assert cr.graph.audit(shop, facts, 100).tests.index.tolist() == TESTS[3:]

    def test_fewer_than_twenty_items_are_refused(self):
        data, facts = small()
        for call in (cr.graph.audit, cr.graph.suspects):
            with pytest.raises(ValueError, match="only 19 items have facts; .* at least 20"):
                call(data, facts[facts["item"] < 19])
        assert cr.graph.audit(data, facts[facts["item"] < 20], 100).links == 20

    def test_nothing_to_compare_is_refused(self):
        data, facts = small(title=None, year=None, genres=None)
        one_each = facts.drop_duplicates("item")
        with pytest.raises(ValueError, match="nothing can be compared"):
            cr.graph.audit(data, one_each, 100)

    def test_other_frames_and_too_few_permutations_are_refused(self):
        data, facts = small()
        for call in (cr.graph.audit, cr.graph.suspects):
            with pytest.raises(ValueError, match=r"facts have no column \['other'\]; make them"):
                call(data, facts.drop(columns="other"))
        with pytest.raises(ValueError, match="permutations is 50; with fewer than 100"):
            cr.graph.audit(data, facts, permutations=50)
