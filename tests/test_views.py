"""Views: one row per item in catalogue order, from whatever is known, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import coldrec as cr
from coldrec import assets, views
from coldrec.language import encode


def catalogue(users=None, **columns):
    """Items 0, 1, 2 ... with these columns; the last of them has been rated."""
    n = len(next(iter(columns.values()), [0, 0]))
    return cr.Ratings.from_frames(
        pd.DataFrame({"user": [0, 1], "item": [n - 1] * 2, "rating": [5, 1]}),
        pd.DataFrame({"item": range(n), **columns}), users)


@pytest.fixture(scope="module")
def shop():
    return cr.load("shop")


def test_genres_are_one_column_each_in_alphabetical_order():
    ml = catalogue(genres=["War|Comedy", None, ("Drama", "Comedy")])
    assert_array_equal(views.genres(ml), [[1, 0, 1], [0, 0, 0], [1, 1, 0]])  # Comedy, Drama, War


def test_year_is_near_the_years_around_it():
    ml = catalogue(year=[1990, 1995, 2000, None, 1992])
    near = views.year(ml, width=5)
    one, two = np.exp(-1 / 2), np.exp(-4 / 2)  # one and two widths away
    assert_allclose(near[:4, :3], [[1, one, two], [one, 1, one], [two, one, 1], [0, 0, 0]])
    assert near[4].argmax() == 0  # 1992 is nearer to 1990 than to 1995
    assert near[4, 1] > near[4, 2]


def test_year_on_movielens_covers_every_film_that_has_one(ml):
    near = views.year(ml)
    assert_array_equal(near.max(1) > 0.8, ml.items["year"].notna())


def test_demographics_by_hand():
    users = pd.DataFrame({"user": [0, 1, 2], "age": [24, 29, 41], "gender": ["F", "M", "F"],
                          "occupation": ["artist", "doctor", "artist"], "zip": ["1", "2", "3"]})
    found = views.demographics(catalogue(title=["a", "b"], users=users))
    # Gender F, M; occupation artist, doctor; the twenties, the forties.
    assert_array_equal(found, [[1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 1, 0], [1, 0, 1, 0, 0, 1]])
    assert found.dtype == float
    wide = views.demographics(catalogue(title=["a", "b"], users=users), age_band=50)
    assert wide.shape == (3, 5)


def test_what_is_known_of_no_item_has_no_columns_and_no_words():
    assert views.year(catalogue(year=[None, np.nan])).shape == (2, 0)
    assert views.genres(catalogue(genres=[None, None])).shape == (2, 0)
    assert views.describe(catalogue(item=[0, 1, 2])) == ["", "", ""]


@pytest.mark.parametrize("column", ["genres", "year"])
def test_a_missing_column_is_named(column):
    with pytest.raises(ValueError, match=rf"views.{column} needs a column '{column}' in the table "
                                         r"of items, which has \['item', 'title'\]. Give Ratings"):
        getattr(views, column)(catalogue(title=["a", "b"]))


def test_demographics_without_any_are_refused():
    with pytest.raises(ValueError, match=r"'age', 'gender' or 'occupation'.*which has \['user'\]"):
        views.demographics(catalogue(title=["a", "b"]))


@pytest.mark.parametrize("make", [views.genres, views.year, views.demographics, views.describe,
                                  views.tfidf, views.text], ids=lambda make: make.__name__)
def test_views_are_made_of_ratings(ml, make):
    with pytest.raises(TypeError, match="needs Ratings, not DataFrame"):
        make(ml.items)
    with pytest.raises(TypeError, match="needs Ratings, not Split. Use split.train"):
        make(cr.splits.item_cold(ml))


def test_describe_says_what_is_known():
    ml = catalogue(title=["Usual Suspects, The", None, "Heat", "Up"],
                   year=[1995, 1996, None, None],
                   genres=["Crime|Thriller", "Drama", None, None],
                   description=[None, None, "Two men. One town.", "Balloons"])
    assert views.describe(ml) == ["The Usual Suspects (1995). Crime, Thriller.", "(1996). Drama.",
                                  "Heat. Two men. One town.", "Up. Balloons."]


def test_describe_on_movielens(ml):
    text = views.describe(ml)
    assert text[0] == "Toy Story (1995). Animation, Children's, Comedy."
    assert text[11] == "The Usual Suspects (1995). Crime, Thriller."
    assert len(text) == 1682
    assert not any("nan" in t.split() or "None" in t for t in text)


@pytest.mark.parametrize(("filed", "readable"), [
    ("Usual Suspects, The", "The Usual Suspects"),
    ("Affair to Remember, An", "An Affair to Remember"),
    ("Enfer, L'", "L'Enfer"),
    ("City of Lost Children, The (La Cité)", "The City of Lost Children (La Cité)"),
    ("Good, The Bad and The Ugly, The", "The Good, The Bad and The Ugly"),
    ("Eat Drink Man Woman", "Eat Drink Man Woman"),
    ("Lock, Stock", "Lock, Stock"),
    ("Theatre, Theremin", "Theatre, Theremin"),
])
def test_readable_title(filed, readable):
    assert views.readable_title(filed) == readable


def test_tfidf_rows_are_unit_vectors_over_words(ml):
    words = views.tfidf(ml)
    assert words.shape[0] == 1682
    assert_allclose(np.sqrt(words.multiply(words).sum(1)), 1)


def test_tfidf_weighs_rare_words_more_and_keeps_short_and_hyphened_ones():
    ml = catalogue(title=["M film", "Sci-Fi film", "film", "M film"])
    words = views.tfidf(ml).toarray()
    assert words.shape == (4, 3)  # "film", "m", "sci-fi"
    assert_array_equal(words[0], words[3])
    assert words[1, 2] > words[0, 1] > words[0, 0] > words[1, 0] > 0
    assert words[0, 2] == words[1, 1] == 0


def test_tfidf_refuses_items_without_words():
    with pytest.raises(ValueError, match="needs words.*no title, year, genres or description"):
        views.tfidf(catalogue(item=[0, 1]))


class TestText:
    def test_is_a_unit_row_per_item(self, ml, shop):
        for data, n in ((ml, 1682), (shop, 40)):
            vectors = views.text(data)
            assert vectors.shape == (n, 384)
            assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)

    def test_rows_are_in_catalogue_order(self, shop):
        texts = views.describe(shop)
        for row in (0, 17, 39):
            assert_allclose(views.text(shop)[row], encode.sentences([texts[row]])[0], atol=1e-5)

    def test_likes_like(self, ml):
        """Star Wars (item 50) is nearest to its sequels, of 1681 films."""
        vectors = views.text(ml)
        near = np.argsort(-vectors @ vectors[ml.item_rows([50])[0]])[1:6]
        assert {"The Empire Strikes Back", "Return of the Jedi"} & {
            views.readable_title(t) for t in ml.items["title"].iloc[near]}

    def test_takes_other_texts(self, shop):
        vectors = views.text(shop, ["a kettle"] * 39 + ["a pair of mittens"])
        assert_allclose(vectors[:39], vectors[:1].repeat(39, axis=0), atol=1e-6)
        assert vectors[0] @ vectors[39] < 0.7

    def test_refuses_another_number_of_texts(self, shop):
        with pytest.raises(ValueError, match="there are 2 texts for 40 items; give one each"):
            views.text(shop, ["one", "two"])

    def test_is_computed_once(self, tmp_path, monkeypatch):
        """Texts that differ only in where a line breaks are other texts."""
        encoded = []

        def sentences(texts):
            encoded.append(texts)
            return np.full((len(texts), 384), len(encoded))

        monkeypatch.setattr(encode, "sentences", sentences)
        monkeypatch.setattr(assets, "home", lambda: tmp_path)
        two = catalogue(title=["a", "b"])
        for texts in (["a\nb", "c"], ["a", "b\nc"], ["a\nb", "c"]):
            found = views.text(two, texts)
            assert_array_equal(found, encoded.index(texts) + 1)
        assert len(encoded) == 2
        assert len(list((tmp_path / "vectors").iterdir())) == 2  # and no half-written file

    def test_the_second_call_needs_no_torch(self, shop):
        views.text(shop)
        code = ("import sys, coldrec as cr; cr.views.text(cr.load('shop'));"
                "print([m for m in ('torch', 'transformers') if m in sys.modules])")
        root = Path(cr.__file__).parents[1]
        done = subprocess.run([sys.executable, "-c", code], cwd=root, text=True,
                              capture_output=True, encoding="utf-8")
        assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


class TestEncoder:
    def test_takes_the_mean_of_the_token_vectors(self):
        import torch

        tokenizer, model = encode.load_encoder()
        model.cpu()
        tokens = tokenizer("A film about a lighthouse.", return_tensors="pt")
        with torch.inference_mode():
            mean = model(**tokens).last_hidden_state[0].mean(0).numpy()
        assert_allclose(encode.sentences(["A film about a lighthouse."])[0],
                        mean / np.linalg.norm(mean), atol=1e-5)

    def test_padding_and_batches_change_nothing(self):
        texts = ["one " * n for n in (1, 40, 3, 90, 2)]
        alone = np.vstack([encode.sentences([t]) for t in texts])
        assert_allclose(encode.sentences(texts), alone, atol=1e-5)
        assert_allclose(encode.sentences(texts, batch=2), alone, atol=1e-5)

    def test_cuts_long_texts(self):
        """256 tokens are 254 words of one token and two marks."""
        just, long, short = encode.sentences(["cat " * 254, "cat " * 254 + "dog " * 99,
                                              "cat " * 253 + "dog"])
        assert_allclose(long, just, atol=1e-5)
        assert np.abs(short - just).max() > 1e-3
