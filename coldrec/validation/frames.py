"""The rules that data of one's own must keep, each with an error that names the row."""

from __future__ import annotations

import numpy as np
import pandas as pd


class DataError(ValueError):
    """Data that break a rule; the message names the row, the rule and what to do."""


def check_ratings(ratings) -> pd.DataFrame:
    """Return a clean copy with ``user, item, rating`` and ``timestamp`` where there is one."""
    _check_frame(ratings, "ratings", ("user", "item", "rating"))
    wanted = ["user", "item", "rating"] + ["timestamp"] * ("timestamp" in ratings)
    frame = ratings[wanted].reset_index(drop=True)
    for column in ("user", "item"):
        frame[column] = _ids(frame[column], "ratings", column)
    frame["rating"] = _numbers(frame["rating"], "ratings", "rating")
    if "timestamp" in frame:
        frame["timestamp"] = _timestamps(frame["timestamp"])
    twice = frame.duplicated(["user", "item"], keep=False).to_numpy()
    if twice.any():
        row = int(np.flatnonzero(frame.duplicated(["user", "item"]))[0])
        user, item = _value(frame["user"], row), _value(frame["item"], row)
        first = int(np.flatnonzero((frame["user"] == user) & (frame["item"] == item))[0])
        raise DataError(f"ratings, rows {first} and {row}: user {user!r} rates item {item!r} "
                        "twice. Keep one rating a pair, such as the last.")
    return frame


def check_entities(frame, kind: str, ratings: pd.DataFrame) -> pd.DataFrame:
    """Return a clean table of ``kind`` (``item`` or ``user``); made from the ratings if None."""
    if frame is None:
        return pd.DataFrame({kind: np.sort(ratings[kind].unique())})
    table = f"{kind}s"
    _check_frame(frame, table, (kind,))
    frame = frame.reset_index(drop=True)
    frame[kind] = _ids(frame[kind], table, kind)
    again = np.flatnonzero(frame.duplicated(kind))
    if len(again):
        raise DataError(f"{table}, row {again[0]}: {kind} {_value(frame[kind], again[0])!r} stands "
                        f"there twice. Each {kind} has one row.")
    if "title" in frame:
        _all(frame["title"], lambda v: isinstance(v, str), table, "title",
             "a text, or missing", missing=True)
    if "year" in frame:
        frame["year"] = _numbers(frame["year"], table, "year", missing=True)
    if "genres" in frame:
        frame["genres"] = _genres(frame["genres"], table)
    return frame


def check_known(ratings: pd.DataFrame, frame: pd.DataFrame, kind: str) -> None:
    """Refuse ratings of an item, or by a user, that its table doesn't have."""
    unknown = np.flatnonzero(~ratings[kind].isin(frame[kind]))
    if len(unknown):
        row, value = unknown[0], _value(ratings[kind], unknown[0])
        example = _value(frame[kind], 0)
        hint = (f"ids are {type(value).__name__} in ratings and {type(example).__name__} in "
                f"{kind}s: make them one type" if type(value) is not type(example)
                else f"add it to {kind}s, or leave its ratings out")
        raise DataError(f"ratings, row {row}: {kind} {value!r} isn't in the table of {kind}s "
                        f"({len(unknown)} such rows); {hint}.")


def _check_frame(frame, name: str, needed) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{name} must be a pandas DataFrame, not {type(frame).__name__}.")
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise DataError(f"{name} has two columns called {doubled[0]!r}. Rename or drop one.")
    for column in needed:
        if column not in frame:
            raise DataError(f"{name} has no column {column!r}; it has {list(frame.columns)}. "
                            "Rename the one that is meant.")
    if frame.empty:
        raise DataError(f"{name} is empty: there is nothing to learn from.")


def _all(values: pd.Series, right, table, column, rule, missing=False) -> None:
    """Refuse the first value that isn't right."""
    for row, value in enumerate(values):
        if missing and not isinstance(value, (list, tuple, np.ndarray)) and pd.isna(value):
            continue
        if not right(value):
            raise DataError(f"{table}, row {row}: {column} is {value!r}; it must be {rule}.")


def _value(values: pd.Series, row: int):
    """Return one value as Python writes it: ``10``, not ``np.int64(10)``."""
    value = values.iloc[row]
    return value.item() if isinstance(value, np.generic) else value


def _ids(values: pd.Series, table: str, column: str) -> pd.Series:
    def right(value):
        if isinstance(value, str):
            return value.strip() != ""
        return (isinstance(value, (int, np.integer)) and not isinstance(value, bool)
                and -2**63 <= value < 2**63)

    if pd.api.types.is_signed_integer_dtype(values.dtype) and not values.isna().any():
        return values.astype("int64")
    _all(values, right, table, column,
         "a whole number (an integer of 64 bits) or a text that isn't empty")
    is_text = np.array([isinstance(v, str) for v in values])
    other = np.flatnonzero(is_text != is_text[0])
    if len(other):
        raise DataError(f"{table}, row {other[0]}: {column} is {_value(values, other[0])!r}, but "
                        f"before it is {_value(values, 0)!r}: texts and numbers are mixed. Make "
                        "all ids of one type, for example with .astype(str).")
    return values.astype(object if is_text[0] else "int64")


def _numbers(values: pd.Series, table, column, missing=False, rule="a number") -> pd.Series:
    if pd.api.types.is_bool_dtype(values.dtype) or not pd.api.types.is_numeric_dtype(values.dtype):
        _all(values, lambda v: isinstance(v, (int, float, np.number)) and not isinstance(v, bool),
             table, column, rule, missing)
    numbers = values.where(values.notna(), np.nan).astype(float)  # NA among objects isn't a float
    wrong = np.flatnonzero(np.isinf(numbers) | (numbers.isna() & (not missing)))
    if len(wrong):
        raise DataError(f"{table}, row {wrong[0]}: {column} is {_value(values, wrong[0])!r}; it "
                        "must be a finite number. Fill the row in, or leave it out.")
    return numbers


def _timestamps(values: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        since = values - pd.Timestamp(0, tz=values.dt.tz)
        values = since / pd.Timedelta(seconds=1)
    return _numbers(values, "ratings", "timestamp", rule="seconds since 1970, as a number, or a "
                    "datetime (pandas.to_datetime makes those of texts)")


def _genres(values: pd.Series, table: str) -> pd.Series:
    rule = "a list of texts, one text with | between them, or missing"
    _all(values, lambda v: isinstance(v, str) or (isinstance(v, (list, tuple, set))
         and all(isinstance(g, str) for g in v)), table, "genres", rule, missing=True)

    def clean(value):
        if isinstance(value, str):
            value = value.split("|")
        elif not isinstance(value, (list, tuple, set)):
            value = ()
        return tuple(g.strip() for g in value if g.strip())

    return pd.Series([clean(value) for value in values], values.index, dtype=object)
