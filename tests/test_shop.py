"""The shop in data/shop: complete, consistent, reproducible, and true to its own products."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SHOP = Path(__file__).parents[1] / "data" / "shop"
YEAR_2024 = (1704067200, 1735689600)  # seconds since 1970, UTC: from the first to before the last

# Words that only a pleased or only a displeased customer of this shop writes.
PLEASED = re.compile(
    r"\b(love|perfect|superb\w*|excellent|wonderful|marvellous|delight\w*|joy|recommend"
    r"|glad|fond|pleased|happy|favourite|best|flawless|nicely|would buy again)\b"
)
DISPLEASED = re.compile(
    r"\b(disappoint\w*|regret buying|unfortunately|trouble is|awful|avoid|weak|waste|dreadful"
    r"|refund|never again|let me down|let down|sorry|worse|worst|would not|not for me|pity"
    r"|one flaw|nobody warned|can't recommend|elsewhere|wanting|below what)\b"
)


def read(name):
    return pd.read_csv(SHOP / f"{name}.csv", keep_default_na=False)


@pytest.fixture(scope="module")
def users():
    return read("users")


@pytest.fixture(scope="module")
def products():
    return read("products")


@pytest.fixture(scope="module")
def reviews():
    return read("reviews")


@pytest.fixture(scope="module")
def told(users, products, reviews):
    """Reviews beside what is true of their user and their product."""
    return reviews.merge(users, on="user").merge(products, on="item")


def test_the_script_writes_exactly_the_committed_files():
    done = subprocess.run(
        [sys.executable, SHOP / "make_shop.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_tables_have_the_promised_sizes_and_columns(users, products, reviews):
    assert (len(users), len(products), len(reviews)) == (60, 40, 500)
    assert list(users) == ["user", "name", "age", "gender", "occupation", "city"]
    assert list(products) == (
        ["item", "title", "year", "genres", "brand", "material", "season", "price"]
        + ["goes_with", "follows", "description"]
    )
    assert list(reviews) == ["user", "item", "rating", "timestamp", "text"]


def test_ids_names_titles_and_pairs_are_unique(users, products, reviews):
    for column in (users["user"], users["name"], products["item"], products["title"]):
        assert column.is_unique, column.name
    assert not reviews.duplicated(["user", "item"]).any()


def test_every_id_that_is_referred_to_exists(users, products, reviews):
    assert set(reviews["user"]) <= set(users["user"])
    assert set(reviews["item"]) <= set(products["item"])
    for link in ("goes_with", "follows"):
        linked = products[products[link] != ""]
        assert len(linked) > 0
        assert set(linked[link]) <= set(products["item"])
        assert (linked[link] != linked["item"]).all()


def test_ratings_and_times_are_in_range(products, reviews):
    assert set(reviews["rating"]) == {1, 2, 3, 4, 5}
    assert reviews["timestamp"].between(*YEAR_2024, inclusive="left").all()
    assert reviews["timestamp"].is_monotonic_increasing
    assert products["year"].between(2016, 2024).all()


def test_genres_alternate_between_a_shelf_and_a_kind_on_it(products):
    shelf_of = {}
    for genres in products["genres"].str.split("|"):
        assert len(genres) in (2, 4)
        for shelf, kind in zip(genres[::2], genres[1::2], strict=True):
            assert shelf in ("Kitchen", "Outdoors", "Stationery", "Music")
            assert shelf_of.setdefault(kind, shelf) == shelf
    assert len(shelf_of) == 12


def test_some_products_and_users_are_cold_and_popularity_has_a_long_tail(users, products, reviews):
    per_product = reviews["item"].value_counts().reindex(products["item"], fill_value=0)
    per_user = reviews["user"].value_counts().reindex(users["user"], fill_value=0)
    assert 4 <= (per_product <= 3).sum() <= 10
    assert (per_product == 0).any()
    assert per_product.nlargest(10).sum() > 0.45 * len(reviews)
    assert per_user.min() >= 1
    assert 3 <= (per_user <= 2).sum() <= 10
    successors = products.loc[products["follows"] != "", "item"]
    assert per_product[successors].max() <= 3, "a successor that came in December is cold"


def test_texts_are_different_and_one_to_three_sentences_long(reviews):
    assert reviews["text"].is_unique
    assert reviews["text"].str.len().between(40, 300).all()
    assert reviews["text"].str.fullmatch(r"(?:[A-Z0-9][^.{}]+\.(?: |$)){1,3}").all()


def test_texts_agree_with_the_stars(reviews):
    text = reviews["text"].str.lower()
    tone = text.str.count(PLEASED) - text.str.count(DISPLEASED)
    assert tone.corr(reviews["rating"], method="spearman") > 0.5
    mean = tone.groupby(reviews["rating"]).mean()
    assert mean[5] > 0.5 and mean[1] < -0.5


@pytest.mark.parametrize("fact", ["brand", "city"])
def test_texts_name_no_brand_and_no_city_but_their_own(told, fact):
    named = told["text"].str.extractall(f"({'|'.join(told[fact].unique())})")[0]
    own = told[fact].loc[named.index.get_level_values(0)]
    assert len(named) > 30
    assert (named.to_numpy() == own.to_numpy()).all()


def test_texts_state_the_true_price(told):
    stated = told["text"].str.extract(r"(\d+) euros")[0].dropna().astype(int)
    assert len(stated) > 20
    assert (stated == told["price"].loc[stated.index]).all()


def test_texts_mention_only_related_products(told, products):
    title = products.set_index("item")["title"]
    longest_first = sorted(title, key=len, reverse=True)
    mentions = 0
    for row in told.itertuples():
        related = {title[item] for item in (row.item, row.goes_with, row.follows) if item}
        text = row.text
        for name in longest_first:
            if name in text:
                assert name in related, f"{row.title}: {row.text}"
                mentions += 1
                text = text.replace(name, "")
    assert mentions > 50


def test_materials_in_texts_are_those_of_the_product(told):
    materials = sorted(told["material"].unique())
    for material in materials:
        says = told["text"].str.contains(rf"\bthe {material} ")
        assert (told.loc[says, "material"] == material).all(), material
    assert np.mean(told["text"].str.contains(rf"\b(?:{'|'.join(materials)})\b")) > 0.1
