"""Write the shop's three tables, users.csv, products.csv and reviews.csv, next to this file.

The words come from catalogue.toml and phrases.toml. The stars come from a hidden model: what a
user likes about a product (its category, material, brand, price, season), how good the product is,
how kind the user is, and noise. What the user likes most and least about the product is what the
review talks about.

    python data/shop/make_shop.py            write the files
    python data/shop/make_shop.py --check    write nothing; exit 1 if a file differs
"""

import csv
import datetime
import io
import sys
import tomllib
from pathlib import Path

import numpy as np
from review_writer import Writer, below

HERE = Path(__file__).parent
SEED = 11  # of 26 tried: everybody has a review, and attributes tell something about the stars
REVIEWS = 500
YEAR = 2024  # the year in which all reviews were written
VOICES = ("warm", "dry", "precise", "brief")


def read(name):
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def indicator(rows, values):
    """Return a (rows, values) matrix of 0 and 1 saying which of the values each row has."""
    return np.array([[float(value in row) for value in values] for row in rows])


def users_and_products(words):
    """Return the users and the products as two lists of dicts, links resolved to ids."""
    fields = ("name", "age", "gender", "occupation", "city")
    users = [
        {"user": f"u{n:02}"} | dict(zip(fields, row, strict=True))
        for n, row in enumerate(words["people"]["list"], start=1)
    ]
    ids = {p["title"]: f"p{n:02}" for n, p in enumerate(words["products"], start=1)}
    products = []
    for p in words["products"]:
        partner, elder = p.get("goes_with", ""), p.get("follows", "")
        links = {"goes_with": ids.get(partner, ""), "follows": ids.get(elder, "")}
        titles = {"partner": partner, "elder": elder}
        season = {"season": p.get("season", "")}
        products.append(p | {"item": ids[p["title"]]} | season | links | titles)
    return users, products


def tastes(rng, words, users, products):
    """Return {reason: (users, products) matrix}: the stars that each reason adds or takes away."""

    def drawn(rows, shared, own, lean=0.0):
        """Draw a liking for each value: one part all users share, one part their own."""
        values = sorted({value for row in rows for value in row})
        liking = rng.normal(0, shared, len(values)) + rng.normal(0, own, (len(users), len(values)))
        return (liking + lean) @ indicator(rows, values).T

    shelves = [p["genres"][0::2] for p in products]  # genres alternate: shelf, kind, shelf, kind
    kinds = [p["genres"][1::2] for p in products]
    leans = [[words["occupations"][u["occupation"]]["lean"]] for u in users]
    lean = indicator(leans, sorted({shelf for row in shelves for shelf in row}))
    category = drawn(shelves, 0.0, 0.35, lean - 0.25) + drawn(kinds, 0.15, 0.3)
    material = drawn([[p["material"]] for p in products], 0.25, 0.35)
    brand = drawn([[p["brand"]] for p in products], 0.35, 0.2)

    thrift = rng.normal(0.1, 0.3, len(users))
    dearness = np.log([p["price"] for p in products])
    price = -np.outer(thrift, (dearness - dearness.mean()) / dearness.std())

    climate = [1 if u["city"] in words["people"]["cold_cities"] else -1 for u in users]
    warmth = [{"winter": 0.6, "summer": -0.6, "": 0.0}[p["season"]] for p in products]
    season = np.outer(climate, warmth)
    reasons = ("category", "material", "brand", "price", "season")
    return dict(zip(reasons, (category, material, brand, price, season), strict=True))


def ratings(rng, products, liked):
    """Draw who rates what and with how many stars: (user, product, stars) by position."""
    n_users, n_products = liked.shape
    quality = rng.normal(0, 0.3, n_products)
    kindness = rng.normal(0, 0.35, n_users)
    noise = rng.normal(0, 0.5, liked.shape)
    stars = np.clip(np.rint(3.3 + liked + quality + kindness[:, None] + noise), 1, 5)

    # People buy what is well known and what they like. The largest of log weight + Gumbel noise are
    # a weighted sample without replacement, so exactly REVIEWS different pairs come out.
    year_on_sale = np.array([min(366, days_on_sale(p)) / 366 for p in products])
    fame = rng.normal(0, 0.8, n_products) + 1.5 * np.log(year_on_sale)
    activity = rng.normal(0, 0.8, n_users)
    weight = fame + activity[:, None] + 0.7 * liked + rng.gumbel(size=liked.shape)
    for pair in np.sort(np.argsort(-weight, axis=None)[:REVIEWS]):
        u, i = divmod(int(pair), n_products)
        yield u, i, int(stars[u, i])


def days_on_sale(product):
    return (datetime.date(YEAR, 12, 31) - product["launched"]).days + 1


def timestamp(rng, product):
    """Draw a second of the year at which the product was on sale and people are awake."""
    day = 365 - below(rng, min(366, days_on_sale(product)))
    start = datetime.datetime(YEAR, 1, 1, tzinfo=datetime.UTC)
    return int(start.timestamp()) + day * 86400 + 7 * 3600 + below(rng, 15 * 3600)


def table(rows, columns):
    """Return rows as CSV text."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def make():
    """Return {file name: text} for the three tables, the same on every machine."""
    # RandomState and not default_rng: NumPy promises never to change the stream of the former.
    rng = np.random.RandomState(SEED)
    words = read("catalogue.toml")
    users, products = users_and_products(words)
    taste = tastes(rng, words, users, products)
    voices = [VOICES[below(rng, len(VOICES))] for _ in users]
    writer = Writer(rng, words, read("phrases.toml"))
    reviews = []
    for u, i, stars in ratings(rng, products, sum(taste.values())):
        reasons = {reason: matrix[u, i] for reason, matrix in taste.items()}
        text = writer.write(users[u], products[i], stars, reasons, voices[u])
        when = timestamp(rng, products[i])
        pair = {"user": users[u]["user"], "item": products[i]["item"]}
        reviews.append(pair | {"rating": stars, "timestamp": when, "text": text})
    reviews.sort(key=lambda r: (r["timestamp"], r["user"], r["item"]))

    flat = [p | {"genres": "|".join(p["genres"]), "year": p["launched"].year} for p in products]
    return {
        "users.csv": table(users, ["user", "name", "age", "gender", "occupation", "city"]),
        "products.csv": table(
            flat,
            ["item", "title", "year", "genres", "brand", "material", "season", "price"]
            + ["goes_with", "follows", "description"],
        ),
        "reviews.csv": table(reviews, ["user", "item", "rating", "timestamp", "text"]),
    }


def main(check):
    stale = []
    for name, text in make().items():
        path = HERE / name
        if not check:
            path.write_bytes(text.encode("utf-8"))
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        sys.exit(f"stale: {', '.join(stale)}. Run: python data/shop/make_shop.py")


if __name__ == "__main__":
    main(check="--check" in sys.argv[1:])
