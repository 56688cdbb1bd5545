"""The crosswalk from MovieLens-100K to the larger sets: which titles are one film, and the file."""

import importlib.util
import os
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

import coldrec as cr

ROOT = Path(__file__).parents[1]
FILE = ROOT / "data" / "ml100k_crosswalk.csv"


@pytest.fixture(scope="module")
def maker():
    """The script ``data/make_crosswalk.py`` as a module."""
    spec = importlib.util.spec_from_file_location("make_crosswalk",
                                                  ROOT / "data" / "make_crosswalk.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def match(maker):
    """Match one film, ``(title, year)``, to others; movies are called 10, 20, ..."""
    def call(film, *others):
        items = pd.DataFrame([(1, *film)], columns=["item", "title", "year"])
        rows = [(10 * n, title, str(year)) for n, (title, year) in enumerate(others, 1)]
        movies = pd.DataFrame(rows, columns=["movie", "title", "year"])
        pairs, ambiguous = maker.match(items, movies)
        assert not pairs or not ambiguous
        return pairs.get(1, "ambiguous" if ambiguous else None)
    return call


@pytest.mark.parametrize(("one", "other"), [
    ("Usual Suspects, The", "The Usual Suspects"),
    ("Affair to Remember, An", "affair to remember"),
    ("Misérables, Les", "Les Miserables"),
    ("Enfer, L'", "Enfer"),
    ("Romeo & Juliet", "Romeo and Juliet"),
    ("Schindler's List", "Schindlers List"),
    ("E.T. the Extra-Terrestrial", "ET: The Extra Terrestrial"),
    ("a.k.a. Cassius Clay", "Cassius Clay"),
    ("  Heat ", "HEAT"),
])
def test_these_names_are_the_same(maker, one, other):
    assert maker.comparable(one) == maker.comparable(other) != ""


@pytest.mark.parametrize(("one", "other"), [
    ("Alien", "Aliens"), ("Die Hard", "Die Hard 2"), ("Toy Story", "Story"), ("Theatre", "atre")])
def test_these_are_not(maker, one, other):
    assert maker.comparable(one) != maker.comparable(other)


def test_an_article_alone_is_a_name(maker):
    assert maker.comparable("The") == "the"
    assert maker.comparable("The The") == "the"
    assert maker.comparable("...") == ""


def test_the_names_of_a_title(maker):
    """The whole, what is in brackets, and what is around a colon or dash, the surest kind first."""
    names = maker.names("City of Lost Children, The (Cité des enfants perdus, La)")
    assert names == {"cityoflostchildren": maker.WHOLE, "citedesenfantsperdus": maker.BRACKETS,
                     "citdesenfantsperdus": maker.BRACKETS}
    assert maker.names("Star Trek: First Contact") == {
        "startrekfirstcontact": maker.WHOLE, "startrek": maker.SEGMENT,
        "firstcontact": maker.SEGMENT}
    assert maker.names("Heat") == {"heat": maker.WHOLE}
    assert maker.names("!") == {}


@pytest.mark.parametrize(("title", "other"), [
    ("Usual Suspects, The", "Usual Suspects, The"),
    ("Seven (Se7en)", "Se7en"),
    ("Se7en", "Seven (a.k.a. Se7en)"),
    ("Star Wars", "Star Wars: Episode IV - A New Hope"),
    ("Cit\xe9 perdue, La", "Cit perdue, La"),  # an accented letter was lost on the way
])
def test_a_film_is_found_under_any_of_its_names(match, title, other):
    assert match((title, 1995.0), ("Heat", 1995), (other, 1995)) == 20


@pytest.mark.parametrize(("year", "found"), [(1993, None), (1994, 10), (1995, 10), (1996, 10),
                                             (1997, None)])
def test_years_may_differ_by_one(match, year, found):
    assert match(("Heat", 1995.0), ("Heat", year)) == found


@pytest.mark.parametrize(("year", "found"), [(1976, None), (1977, 10), (1978, None)])
def test_but_not_for_a_part_of_a_title(match, year, found):
    """Any series has many films that begin alike."""
    assert match(("Star Wars", 1977.0), ("Star Wars: A New Hope", year)) == found


def test_the_better_one_is_taken(match):
    """First the same spelling, then the same year, then the surer kind of name."""
    assert match(("Heat", 1995.0), ("Heat, The", 1995), ("Heat", 1996)) == 20
    assert match(("Heat", 1995.0), ("Heat, The", 1996), ("The Heat", 1995)) == 20
    assert match(("Heat", 1995.0), ("Cold (Heat)", 1995), ("The Heat", 1995)) == 20
    assert match(("Sabrina", 1995.0), ("Sabrina", 1954), ("Sabrina", 1995)) == 20


def test_equally_good_ones_are_ambiguous(match):
    assert match(("Heat", 1995.0), ("Heat", 1994), ("Heat", 1996)) == "ambiguous"
    assert match(("Heat", 1995.0), ("Heat", 1995), ("Heat", 1995)) == "ambiguous"


def test_no_year_or_no_such_title_is_no_match(match):
    assert match(("Heat", None), ("Heat", 1995)) is None
    assert match(("Heat", 1995.0), ("Cold", 1995)) is None
    assert match(("!", 1995.0), ("?", 1995)) is None


def test_the_table_says_what_became_of_each(maker):
    assert maker.table([3, 1, 2], {1: 70}, [3]) == (
        "item,movie,match\n1,70,matched\n2,,unmatched\n3,,ambiguous\n")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_movies_are_read_in_either_encoding(maker, tmp_path, encoding):
    path = tmp_path / "movies.dat"
    path.write_bytes("7::Amélie, La (2001)::Comedy\n\n8::No year::Drama\n"
                     "9::1984 (1984)::Drama\n".encode(encoding))
    found = maker.read_movies(path)
    assert found.to_dict("list") == {"title": ["Amélie, La", "1984"], "year": ["2001", "1984"],
                                     "movie": [7, 9]}


def test_another_file_is_refused(maker, tmp_path):
    path = tmp_path / "movies.csv"
    path.write_text("movieId,title,genres\n1,Toy Story (1995),Comedy\n")
    with pytest.raises(SystemExit, match="isn't a movies.dat: a line is"):
        maker.read_movies(path)


def test_writing_and_checking(maker, tmp_path, monkeypatch, capsys):
    """``--check`` writes nothing, and fails if the file isn't what the movies give."""
    movies, out = tmp_path / "movies.dat", tmp_path / "out.csv"
    monkeypatch.setattr(maker, "OUT", out)
    movies.write_text("41::Toy Story (1995)::X\n42::Fargo (1996)::X\n", encoding="utf-8")
    assert maker.main([str(movies), "--check"]) == 1
    assert not out.exists()
    assert maker.main([str(movies)]) == 0
    assert out.read_bytes().startswith(b"item,movie,match\n1,41,matched\n2,,unmatched\n")
    assert "2 films matched, 0 ambiguous, 1680 unmatched" in capsys.readouterr().out
    assert maker.main([str(movies), "--check"]) == 0
    out.write_text(out.read_text().replace("1,41,", "1,42,", 1))
    before = out.read_bytes()
    assert maker.main([str(movies), "--check"]) == 1
    assert out.read_bytes() == before
    assert "out.csv differs from what movies.dat gives. Mend:" in capsys.readouterr().err


class TestTheFile:
    def test_is_pairs_of_integers_and_no_titles(self):
        """GroupLens' titles aren't ours to pass on."""
        header, *lines = FILE.read_text(encoding="ascii").splitlines()
        assert header == "item,movie,match"
        assert len(lines) == 1682
        for line in lines:
            assert re.fullmatch(r"\d+,(\d+,matched|,ambiguous|,unmatched)", line), line

    def test_has_every_film_once_and_nearly_all_matched(self, ml):
        frame = cr.graph.crosswalk()
        assert frame["item"].tolist() == ml.item_ids.tolist()
        assert (frame["match"] == "matched").sum() >= 1600
        assert (frame["movie"].notna() == (frame["match"] == "matched")).all()

    def test_a_movie_is_one_film(self, ml):
        """Twice it stands there only where the film stands in MovieLens-100K twice."""
        frame = cr.graph.crosswalk().assign(film=ml.item_groups()).dropna()
        twice = frame[frame["movie"].duplicated(keep=False)]
        assert (twice.groupby("movie")["film"].nunique() == 1).all()
        assert (frame.groupby("film")["movie"].nunique() == 1).all()
        assert len(twice) == 36
        assert set(frame["movie"][frame["item"].isin([246, 268])]) == {1639}

    def test_is_right_about_films_that_everybody_knows(self, ml):
        """Toy Story, The Usual Suspects, Star Wars, Pulp Fiction, Fargo."""
        movie = cr.graph.crosswalk().set_index("item")["movie"]
        assert movie[[1, 12, 50, 56, 100]].tolist() == [1, 50, 260, 296, 608]
        assert movie.isna()[267]

    def test_is_what_the_script_makes(self, maker, capsys):
        """Only where there is GroupLens' file, which isn't part of the project."""
        movies = os.environ.get("COLDREC_ML1M")
        if not movies:
            pytest.skip("COLDREC_ML1M doesn't name the movies.dat of ml-1m.zip")
        assert maker.main([movies, "--check"]) == 0, capsys.readouterr().err

    def test_goes_into_the_package_where_it_is_looked_for(self, tmp_path, monkeypatch):
        """Beside the shop, both in a checkout and in an installed package."""
        settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
        there = Path(included["data/ml100k_crosswalk.csv"])
        assert there.name == FILE.name
        assert there.parent == Path(included["data/shop"]).parent == Path("coldrec/shipped")
        (tmp_path / FILE.name).write_bytes(FILE.read_bytes())
        monkeypatch.setattr(cr.data, "shop_folder", lambda: tmp_path / "shop")
        assert len(cr.graph.crosswalk()) == 1682
