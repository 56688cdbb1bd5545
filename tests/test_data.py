"""Data: what is bad is refused by row and rule, what is foreign passes, what is loaded is right."""

import hashlib
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coldrec as cr
from coldrec.validation import DataError

RATINGS = pd.DataFrame({"user": [1, 1, 2, 3], "item": [10, 20, 10, 30], "rating": [4, 3, 5, 1],
                        "timestamp": [881250949, 891717742, 878887116, 880606923]})
ITEMS = pd.DataFrame({"item": [10, 20, 30, 40], "title": ["Heat", "Alien", None, "Big"],
                      "year": [1995, 1979, None, 1988],
                      "genres": ["Crime|Drama", ["Horror"], None, ("Comedy",)]})
USERS = pd.DataFrame({"user": [1, 2, 3], "age": [24, 53, 23]})
TABLES = {"ratings": RATINGS, "items": ITEMS, "users": USERS}


def put(column, value, row=1):
    """Return a change that puts a value, of whatever type, into a column of objects."""
    def change(frame):
        frame = frame.astype({column: object})
        frame.at[row, column] = value
        return frame
    return change


def cast(column, dtype):
    return lambda frame: frame.assign(**{column: frame[column].astype(dtype)})


def fill(column, values):
    return lambda frame: frame.assign(**{column: values})


def again(row):
    return lambda frame: pd.concat([frame, frame.iloc[[row]]], ignore_index=True)


NO_ID = "it must be a whole number (an integer of 64 bits) or a text that isn't empty."
NO_STARS = "it must be a number."
NO_FINITE = "it must be a finite number. Fill the row in, or leave it out."
NO_TIME = "it must be seconds since 1970, as a number, or a datetime"
NO_GENRES = "it must be a list of texts, one text with | between them, or missing."

BAD = {  # what is wrong: (table, change, where and what, the rule)
    "a pair rated twice": (
        "ratings", again(1), "ratings, rows 1 and 4: user 1 rates item 20 twice", "Keep one"),
    "NaN for a user": ("ratings", put("user", np.nan), "ratings, row 1: user is nan", NO_ID),
    "None for an item": ("ratings", put("item", None), "ratings, row 1: item is None", NO_ID),
    "NA for an item": (
        "ratings", fill("item", pd.array([10, None, 20, 30], "Int64")),
        "ratings, row 1: item is <NA>", NO_ID),
    "an id of floats": ("ratings", cast("user", float), "ratings, row 0: user is 1.0", NO_ID),
    "an id that is a bool": ("ratings", put("user", True), "ratings, row 1: user is True", NO_ID),
    "an id that is a list": ("ratings", put("item", [10]), "ratings, row 1: item is [10]", NO_ID),
    "an id that is bytes": ("ratings", put("item", b"10"), "ratings, row 1: item is b'10'", NO_ID),
    "an id that is a blank": (
        "ratings", fill("item", ["a", " ", "b", "c"]), "ratings, row 1: item is ' '", NO_ID),
    "an id beyond 64 bits": (
        "ratings", put("user", 2**63), f"ratings, row 1: user is {2**63}", NO_ID),
    "an unsigned id that would turn negative": (
        "ratings", fill("user", np.array([1, 1, 2**63 + 5, 3], "uint64")),
        f"ratings, row 2: user is {2**63 + 5}", NO_ID),
    "texts among numbers as ids": (
        "ratings", put("user", "2", row=2), "ratings, row 2: user is '2', but before it is 1",
        "Make all ids of one type"),
    "a user who isn't in the table": (
        "ratings", put("user", 9, row=3),
        "ratings, row 3: user 9 isn't in the table of users (1 such rows)", "add it to users"),
    "an item that isn't in the table": (
        "items", lambda frame: frame[1:],
        "ratings, row 0: item 10 isn't in the table of items (2 such rows)", "add it to items"),
    "ids of another type in the table": (
        "items", cast("item", str),
        "ratings, row 0: item 10 isn't in the table of items (4 such rows)",
        "ids are int in ratings and str in items: make them one type"),
    "NaN for a rating": (
        "ratings", fill("rating", [4, np.nan, 5, 1]), "ratings, row 1: rating is nan", NO_FINITE),
    "NA for a rating": (
        "ratings", fill("rating", pd.array([4, 3, None, 1], "Float64")),
        "ratings, row 2: rating is <NA>", NO_FINITE),
    "an infinite rating": (
        "ratings", put("rating", -np.inf), "ratings, row 1: rating is -inf", NO_FINITE),
    "ratings of text": ("ratings", cast("rating", str), "ratings, row 0: rating is '4'", NO_STARS),
    "ratings that are bools": (
        "ratings", cast("rating", bool), "ratings, row 0: rating is True", NO_STARS),
    "one rating that is a bool": (
        "ratings", put("rating", True), "ratings, row 1: rating is True", NO_STARS),
    "a timestamp of text": (
        "ratings", put("timestamp", "2020-01-01"), "ratings, row 1: timestamp is '2020-01-01'",
        NO_TIME),
    "NaN for a timestamp": (
        "ratings", fill("timestamp", [1.0, 2.0, np.nan, 3.0]), "ratings, row 2: timestamp is nan",
        NO_FINITE),
    "a missing datetime": (
        "ratings", fill("timestamp", pd.to_datetime(["2020-01-01", None, *["2020-01-02"] * 2])),
        "ratings, row 1: timestamp is nan", NO_FINITE),
    "a list instead of a frame": (
        "ratings", lambda frame: frame.to_numpy().tolist(),
        "ratings must be a pandas DataFrame", "not list."),
    "a text instead of a frame": (
        "items", lambda frame: "items.csv", "items must be a pandas DataFrame", "not str."),
    "no ratings": ("ratings", lambda frame: frame[:0], "ratings is empty", "nothing to learn"),
    "no users": ("users", lambda frame: frame[:0], "users is empty", "nothing to learn"),
    "no column of users": (
        "ratings", lambda frame: frame.rename(columns={"user": "userId"}),
        "ratings has no column 'user'", "['userId', 'item', 'rating', 'timestamp']. Rename"),
    "no column of items": (
        "items", lambda frame: frame.set_index("item"), "items has no column 'item'", "Rename"),
    "two columns of one name": (
        "ratings", lambda frame: pd.concat([frame, frame[["rating"]]], axis=1),
        "ratings has two columns called 'rating'", "Rename or drop one."),
    "an item that stands twice": (
        "items", again(2), "items, row 4: item 30 stands there twice", "Each item has one row."),
    "a user who stands twice": (
        "users", again(0), "users, row 3: user 1 stands there twice", "Each user has one row."),
    "an item without an id": ("items", put("item", None), "items, row 1: item is None", NO_ID),
    "a title that is a number": (
        "items", put("title", 2001), "items, row 1: title is 2001", "it must be a text"),
    "a year of text": ("items", put("year", "1979"), "items, row 1: year is '1979'", NO_STARS),
    "an infinite year": (
        "items", put("year", np.inf), "items, row 1: year is inf", NO_FINITE),
    "a number as genres": ("items", put("genres", 7), "items, row 1: genres is 7", NO_GENRES),
    "a number among the genres": (
        "items", put("genres", ["War", 7]), "items, row 1: genres is ['War', 7]", NO_GENRES),
    "a dict as genres": (
        "items", put("genres", {"War": 1}), "items, row 1: genres is {'War': 1}", NO_GENRES),
}


@pytest.mark.parametrize("table, change, where, rule", BAD.values(), ids=BAD)
def test_bad_input_is_refused_with_its_row_and_the_rule(table, change, where, rule):
    frames = TABLES | {table: change(TABLES[table].copy())}
    with pytest.raises(DataError, match=f"^{re.escape(where)}.*{re.escape(rule)}"):
        cr.Ratings.from_frames(**frames)


def test_rows_are_counted_from_the_top_whatever_the_index_says():
    bad = RATINGS.astype({"rating": float})
    bad.loc[2, "rating"] = np.nan
    bad.index = [100, 200, 300, 300]
    with pytest.raises(DataError, match="^ratings, row 2: rating is nan"):
        cr.Ratings.from_frames(bad)


def test_clean_data_come_out_as_they_went_in():
    data = cr.Ratings.from_frames(**TABLES)
    pd.testing.assert_frame_equal(data.ratings, RATINGS.astype({"rating": float,
                                                                "timestamp": float}))
    assert data.items["year"].tolist()[:2] == [1995, 1979] and np.isnan(data.items["year"][2])
    assert data.items["genres"].tolist() == [("Crime", "Drama"), ("Horror",), (), ("Comedy",)]
    assert list(data.users["age"]) == [24, 53, 23]
    assert list(data.item_ids) == [10, 20, 30, 40], "an item nobody rated stays in the catalogue"
    assert (len(data), data.scale, data.like) == (4, (1.0, 5.0), 4.0)
    assert repr(data) == "Ratings(4 ratings by 3 users of 4 items)"


@pytest.mark.parametrize("genres", [" War | |Drama ", ["War", "", " Drama"], ("War", "Drama")])
def test_genres_may_be_a_list_or_one_text(genres):
    data = cr.Ratings.from_frames(RATINGS, put("genres", genres)(ITEMS))
    assert data.items["genres"][1] == ("War", "Drama")


@pytest.mark.parametrize("dtype", ["string", "category", "str", object])
def test_genres_are_tuples_however_pandas_keeps_texts(dtype):
    genres = pd.Series(["War|Drama", "War", "Drama", "War"]).astype(dtype)
    genres[2] = None
    data = cr.Ratings.from_frames(RATINGS, ITEMS.assign(genres=genres))
    assert data.items["genres"].tolist() == [("War", "Drama"), ("War",), (), ("War",)]


@pytest.mark.parametrize("year", [
    pd.array([1995, 1979, None, 1988], "Int64"), pd.array([1995, 1979, None, 1988], "Float64"),
    pd.Series([1995, 1979, pd.NA, 1988], dtype=object), [1995, 1979, None, 1988],
], ids=["Int64", "Float64", "objects", "list"])
def test_a_missing_year_is_nan_however_pandas_says_missing(year):
    data = cr.Ratings.from_frames(RATINGS, ITEMS.assign(year=year))
    np.testing.assert_array_equal(data.items["year"], [1995, 1979, np.nan, 1988])


@pytest.mark.parametrize("when", [
    pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01 01:00", tz="Europe/Paris"), 1577836800,
], ids=["naive", "with a zone", "seconds"])
def test_timestamps_are_seconds_since_1970(when):
    data = cr.Ratings.from_frames(RATINGS.assign(timestamp=pd.Series([when] * 4)))
    assert data.ratings["timestamp"].tolist() == [1577836800.0] * 4


NUMBER_IDS = ("int64", "int32", "uint8", "uint64", "Int64", "UInt16", "category", object)
TEXT_IDS = ("str", "string", "category", object)
STARS = ("float64", "float32", "Float64", "category", object)


@pytest.mark.filterwarnings("error")
@given(text=st.booleans(), data=st.data())
def test_one_data_set_is_the_same_however_pandas_keeps_it(text, data):
    """Half stars and ids of every type; extra columns and another index change nothing."""
    frame = pd.DataFrame({"user": [5, 5, 7, 9, 9], "item": [30, 20, 30, 10, 20],
                          "rating": [0.5, 5, 3.5, 4, 4.5]})
    if text:
        frame = frame.assign(user="u" + frame["user"].astype(str),
                             item="i" + frame["item"].astype(str))
    plain = cr.Ratings.from_frames(frame)
    kinds = {column: data.draw(st.sampled_from(TEXT_IDS if text else NUMBER_IDS), label=column)
             for column in ("user", "item")}
    kept = frame.astype(kinds | {"rating": data.draw(st.sampled_from(STARS), label="rating")})
    kept["text"], kept["verified"] = "so so", True
    kept.index = data.draw(st.permutations(list("vwxyz")), label="index")
    other = cr.Ratings.from_frames(kept)
    pd.testing.assert_frame_equal(other.ratings, plain.ratings)
    pd.testing.assert_frame_equal(other.items, plain.items)
    pd.testing.assert_frame_equal(other.users, plain.users)
    assert other.scale == (0.5, 5.0)
    assert list(other.item_ids) == sorted(frame["item"].unique())
    assert list(other.item_rows(frame["item"])) == [2, 1, 2, 0, 1]


@pytest.mark.parametrize("split", ["item_cold", "user_cold", "both_cold", "warm", "mixed"])
def test_foreign_data_go_through_split_fit_and_evaluate(split):
    rng = np.random.default_rng(0)
    user, item = (side.ravel() for side in np.indices((20, 15)))
    frame = pd.DataFrame({"user": [f"customer {n}" for n in user],
                          "item": [f"B00{n:02}" for n in item],
                          "rating": rng.integers(1, 11, 300) / 2})
    foreign = cr.Ratings.from_frames(frame.sample(frac=0.7, random_state=0))
    part = getattr(cr.splits, split)(foreign, 0.3)
    row = cr.evaluate(cr.models.Bias().fit(part.train), part, k=3)
    assert 0 <= row["recall"] <= 1 and row["users"] > 0
    assert 0.5 < row["rmse"] < 3


def test_from_frames_leaves_its_frames_alone():
    frames = {"ratings": RATINGS.assign(timestamp=pd.to_datetime(RATINGS["timestamp"], unit="s"),
                                        user=RATINGS["user"].astype("category")),
              "items": put("genres", ["War", " Drama "])(ITEMS), "users": USERS.copy()}
    for frame in frames.values():
        frame.index = range(7, 7 + len(frame))
    before = {name: frame.copy() for name, frame in frames.items()}
    lists = frames["items"]["genres"].iloc[1]
    data = cr.Ratings.from_frames(**frames)
    for table in (data.ratings, data.items, data.users):
        table.iloc[:, 0] = 0
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[name])
    assert lists == ["War", " Drama "]


def test_rows_and_matrix_follow_the_tables_of_items_and_users(tiny):
    assert list(tiny.item_rows([103, 101])) == [2, 0]
    assert list(tiny.user_rows([30, 1])) == [29, 0]
    assert list(tiny.item_rows([])) == []
    stars, likes = tiny.matrix().toarray(), tiny.matrix(likes=True).toarray()
    assert stars.shape == likes.shape == (30, 20)
    for user, item, rating, _ in tiny.ratings.itertuples(index=False):
        assert stars[user - 1, item - 101] == rating
    assert (stars > 0).sum() == len(tiny)
    np.testing.assert_array_equal(likes, stars >= 4)


def test_an_unknown_id_is_named(tiny):
    with pytest.raises(KeyError, match=r"unknown item \[0, 19\].*\[101, 102, 103\].*not positions"):
        tiny.item_rows([0, 101, 19])
    with pytest.raises(ValueError, match=r"^unknown user \['1'\]"):  # as readable, and both
        tiny.user_rows(["1"])


def test_like_moves_the_line(tiny):
    strict = cr.Ratings.from_frames(tiny.ratings, tiny.items, tiny.users, like=5)
    assert strict.matrix(likes=True).sum() == (tiny.ratings["rating"] == 5).sum()
    assert strict.with_ratings(tiny.ratings[:9]).like == 5


@pytest.mark.parametrize(("like", "message"), [
    ("4", "like is '4', a str; it must be a number of stars, such as 4"),
    (None, "like is None"), (True, "like is True, a bool"), (np.nan, "like is nan; .*finite"),
    (np.inf, "like is inf; .*finite")])
def test_a_like_that_is_no_number_is_refused(like, message):
    with pytest.raises((ValueError, TypeError), match=message):
        cr.Ratings.from_frames(RATINGS, like=like)


def test_with_ratings_keeps_catalogue_and_scale(tiny):
    few = tiny.with_ratings(tiny.ratings[tiny.ratings["rating"] == 3])
    assert few.scale == (1.0, 5.0)
    assert few.matrix().shape == (30, 20)
    assert list(few.ratings.index) == list(range(len(few)))
    assert tiny.with_items(tiny.items.assign(title="x")).items["title"].eq("x").all()
    assert not tiny.items["title"].eq("x").any()


def test_items_of_one_title_and_year_are_one_group():
    ratings = pd.DataFrame({"user": 1, "item": range(9), "rating": 3})
    items = pd.DataFrame({
        "item": range(9),
        "title": ["Heat", "heat ", "Heat", "Heat", "Heat", None, None, "", ""],
        "year": [1995, 1995, 1986, None, None, 1995, 1995, 1995, 1995]})
    groups = cr.Ratings.from_frames(ratings, items).item_groups()
    assert groups[0] == groups[1], "case and blanks don't make another film"
    assert groups[3] == groups[4]
    assert len(set(groups)) == 7, "another year is another film; without a title each is alone"
    assert len(set(cr.Ratings.from_frames(ratings).item_groups())) == 9
    no_year = cr.Ratings.from_frames(ratings, items.drop(columns="year")).item_groups()
    assert len(set(no_year)) == 5


# MovieLens-100K


def test_movielens_is_all_there(ml):
    assert (len(ml), len(ml.user_ids), len(ml.item_ids)) == (100_000, 943, 1682)
    assert list(ml.item_ids) == list(range(1, 1683))
    assert list(ml.user_ids) == list(range(1, 944))
    assert ml.scale == (1, 5)
    assert list(ml.items) == ["item", "title", "year", "genres"]
    assert list(ml.users) == ["user", "age", "gender", "occupation", "zip"]
    assert set().union(*ml.items["genres"]) == set(cr.data.GENRES) - {"unknown"}
    assert ml.items.loc[0].tolist() == [1, "Toy Story", 1995,
                                        ("Animation", "Children's", "Comedy")]


def test_movielens_ratings_are_those_of_the_official_file(ml):
    """GroupLens' own u.data, rebuilt from what was loaded, byte for byte."""
    lines = "".join(f"{user}\t{item}\t{rating:.0f}\t{timestamp:.0f}\n"
                    for user, item, rating, timestamp in ml.ratings.itertuples(index=False))
    assert hashlib.sha256(lines.encode()).hexdigest() == (
        "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490")


def test_movielens_has_18_films_under_two_ids(ml):
    sizes = np.bincount(ml.item_groups())
    assert (sizes == 2).sum() == 18 and sizes.max() == 2


def test_movielens_odd_films(ml):
    items = ml.items.set_index("item")
    unknown = items.loc[267]
    assert (unknown["title"], unknown["genres"]) == ("unknown", ()) and np.isnan(unknown["year"])
    assert items["year"].isna().sum() == 1
    assert items.loc[1412, ["title", "year"]].tolist() == [
        "Land Before Time III: The Time of the Great Giving", 1995]
    assert not items["title"].str.contains(r"\(\d{4}\)").any()
    assert items["year"].dropna().between(1922, 1998).all()


def u_item(item, full_title, genres):
    """Write a line of u.item: 5 fields and 19 flags."""
    flags = "|".join(str(int(genre in genres)) for genre in cr.data.GENRES)
    return f"{item}|{full_title}|01-Jan-1995|||{flags}\n"


GROUPLENS = {  # a few lines of our own in the official format
    "u.data": "2\t3\t5\t881250949\n1\t1\t3\t891717742\n1\t4\t1\t878887116\n",
    "u.item": "".join([
        u_item(1, "Blue Teapot, The (1995)", ["Animation", "Western"]),
        u_item(2, '"Tea" for Two (1996)', ["Sci-Fi"]),
        u_item(3, "Café (1990) (V)", ["Film-Noir"]),
        "4|unknown||||1" + "|0" * 18 + "\n"]),
    "u.user": "1|24|M|technician|02139\n2|53|F|other|T8H1N\n",
}


def write_folder(folder, files=GROUPLENS):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode("latin-1"))
    return folder


def write_zip(path, inside, files=GROUPLENS):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(inside + name, text.encode("latin-1"))
    return path


def assert_same(one, other):
    for table in ("ratings", "items", "users"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(other, table))


def test_grouplens_own_files_are_read(tmp_path):
    data = cr.load("ml-100k", path=write_folder(tmp_path))
    assert data.ratings.to_numpy().tolist() == [
        [2, 3, 5, 881250949], [1, 1, 3, 891717742], [1, 4, 1, 878887116]]
    assert data.items["title"].tolist() == ["Blue Teapot, The", '"Tea" for Two', "Café", "unknown"]
    np.testing.assert_array_equal(data.items["year"], [1995, 1996, 1990, np.nan])
    assert data.items["genres"].tolist() == [("Animation", "Western"), ("Sci-Fi",),
                                             ("Film-Noir",), ()]
    assert data.users.to_numpy().tolist() == [[1, 24, "M", "technician", "02139"],
                                              [2, 53, "F", "other", "T8H1N"]]


@pytest.mark.parametrize("inside", ["ml-100k/", ""])
def test_grouplens_zip_gives_what_its_folder_gives(tmp_path, inside):
    path = write_zip(tmp_path / "my copy.zip", inside)
    assert_same(cr.load("ml-100k", path=str(path)), cr.load("ml-100k", write_folder(tmp_path)))


def test_a_zip_made_on_a_mac_is_read(tmp_path):
    path = write_zip(tmp_path / "ml-100k.zip", "__MACOSX/ml-100k/._", {"u.data": "junk"})
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in GROUPLENS.items():
            archive.writestr(f"ml-100k/{name}", text.encode("latin-1"))
    assert len(cr.load("ml-100k", path)) == 3


def test_both_forms_of_movielens_give_the_same_frames(ml, tmp_path):
    """All of it, rewritten in GroupLens' format, so that only the form differs."""
    titles = ml.items["title"] + " (" + ml.items["year"].map("{:.0f}".format) + ")"
    official = {
        "u.data": ml.ratings.astype("int64").to_csv(sep="\t", header=False, index=False),
        "u.item": "".join(map(u_item, ml.items["item"],
                              titles.where(ml.items["year"].notna(), "unknown"),
                              ml.items["genres"])),
        "u.user": ml.users.to_csv(sep="|", header=False, index=False)}
    assert_same(cr.load("ml-100k", write_folder(tmp_path, official)), ml)


def test_a_wrong_path_says_what_to_give(tmp_path):
    give = "Give the folder that GroupLens' ml-100k.zip unpacks to, or the zip itself."
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError, match=f"holds neither u.data nor ml-100k.inter. {give}"):
            cr.load("ml-100k", folder)
    other = write_zip(tmp_path / "other.zip", "", {"menu.data": "1"})
    with pytest.raises(DataError, match=rf"other.zip holds no u.data.*{give}"):
        cr.load("ml-100k", other)
    with pytest.raises(DataError, match=f"u.data is neither a folder nor a zip file. {give}"):
        cr.load("ml-100k", write_folder(tmp_path / "ml") / "u.data")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="no data set is called 'ml-1m'.*'ml-100k' and 'shop'"):
        cr.load("ml-1m")


def test_the_shop_loads():
    shop = cr.load("shop")
    assert (len(shop), len(shop.user_ids), len(shop.item_ids)) == (500, 60, 40)
    assert shop.items["genres"][0] == ("Kitchen", "Tea")
    assert shop.items["item"][0] == "p01" and {"brand", "description"} <= set(shop.items)
