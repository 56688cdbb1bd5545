"""Match MovieLens-100K's films to those of a larger MovieLens set, by title and year.

    python data/make_crosswalk.py path/to/ml-1m/movies.dat            write ml100k_crosswalk.csv
    python data/make_crosswalk.py path/to/ml-1m/movies.dat --check    compare, change nothing

The Freebase links that come with MovieLens-100K's graph belong to the ids of the larger sets, in
which the same number is another film (lesson 02). ``movies.dat`` is part of GroupLens' ml-1m.zip,
``MovieID::Title (Year)::Genres``; it is read here and not kept. What is kept is pairs of integers,
and for each film whether it is ``matched``, ``ambiguous`` or ``unmatched``.

Two titles are the same film if they agree on one of their names, after articles, accents, case and
punctuation are taken away, and their years differ by one at most. A title's names are the title
itself, what stands in brackets (often the original title), and what stands before and after a
colon or dash, where the year has to be the same. If several films are equally good, it is ambiguous
and left out.
"""

from __future__ import annotations

import argparse
import re
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

import pandas as pd

OUT = Path(__file__).resolve().parent / "ml100k_crosswalk.csv"
ARTICLES = set("the a an la le les l il el das der die lo los las un une i gli en det den".split())
WHOLE, BRACKETS, SEGMENT = range(3)  # kinds of name, the surest first


def names(title: str) -> dict[str, int]:
    """Return the names a title goes by, made comparable, and what kind each is."""
    whole = re.sub(r"\([^()]*\)", "", title)
    pieces = [(whole, WHOLE), *((part, BRACKETS) for part in re.findall(r"\(([^()]*)\)", title))]
    pieces += [(part, SEGMENT) for part in re.split(r": | - ", whole)]
    found = {}
    for piece, kind in pieces:
        # Copies of movies.dat in which accented letters were lost agree on the other letters.
        for text in (piece, "".join(letter for letter in piece if letter.isascii())):
            name = comparable(text)
            if name:
                found.setdefault(name, kind)
    return found


def comparable(text: str) -> str:
    """Return a name without article, accents, case, spaces and punctuation."""
    text = re.sub(r"^a\.?k\.?a\.? ", "", text.strip().casefold())
    text = "".join(letter for letter in unicodedata.normalize("NFKD", text)
                   if not unicodedata.combining(letter)).replace("&", " and ")
    words = re.findall(r"[a-z0-9]+", text.replace("'", ""))
    moved = re.fullmatch(r".*, ([a-z']+) *", text)
    if moved and len(words) > 1 and words[-1] in ARTICLES:
        words.pop()
    while len(words) > 1 and words[0] in ARTICLES:
        words.pop(0)
    return "".join(words)


def read_movies(path: Path) -> pd.DataFrame:
    """Return ``movie, title, year`` of a movies.dat, whichever encoding it is in."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    rows = [line.split("::") for line in text.splitlines() if line.strip()]
    if any(len(row) != 3 for row in rows):
        raise SystemExit(f"{path} isn't a movies.dat: a line is 'MovieID::Title (Year)::Genres'.")
    frame = pd.DataFrame(rows, columns=["movie", "full", "genres"])
    parts = frame["full"].str.extract(r"^(?P<title>.*?)\s*\((?P<year>\d{4})\)\s*$")
    return parts.assign(movie=frame["movie"].astype(int)).dropna()


def match(items: pd.DataFrame, movies: pd.DataFrame) -> tuple[dict[int, int], list[int]]:
    """Return ``{item: movie}``, and the ambiguous items.

    ``items`` has ``item, title, year``; ``movies`` has ``movie, title, year``.
    """
    by_name = defaultdict(list)
    for movie in movies.itertuples():
        for name, kind in names(movie.title).items():
            by_name[name].append((movie, kind))
    pairs, ambiguous = {}, []
    for item in items[items["year"].notna()].itertuples():
        quality = {}
        for name, kind in names(item.title).items():
            for movie, other_kind in by_name[name]:
                years = abs(int(movie.year) - int(item.year))
                if years > (0 if SEGMENT in (kind, other_kind) else 1):
                    continue
                grade = (item.title != movie.title, years, kind + other_kind)
                quality[movie.movie] = min(quality.get(movie.movie, grade), grade)
        best = [movie for movie, grade in quality.items() if grade == min(quality.values())]
        if len(best) == 1:
            pairs[item.item] = best[0]
        elif best:
            ambiguous.append(item.item)
    return pairs, ambiguous


def table(items, pairs: dict[int, int], ambiguous: list[int]) -> str:
    """Return the file's text, ``item,movie,match``, one line an item."""
    lines = ["item,movie,match"]
    for item in sorted(items):
        match = "matched" if item in pairs else "ambiguous" if item in ambiguous else "unmatched"
        lines.append(f"{item},{pairs.get(item, '')},{match}")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the crosswalk, or with ``--check`` compare it; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("movies", type=Path, help="movies.dat of ml-1m.zip")
    parser.add_argument("--check", action="store_true", help="compare, change nothing")
    asked = parser.parse_args(arguments)
    import coldrec as cr

    items = cr.load("ml-100k").items
    pairs, ambiguous = match(items, read_movies(asked.movies))
    text = table(items["item"], pairs, ambiguous)
    print(f"{len(pairs)} films matched, {len(ambiguous)} ambiguous, "
          f"{len(items) - len(pairs) - len(ambiguous)} unmatched")
    if not asked.check:
        OUT.write_text(text, encoding="utf-8", newline="\n")
    elif not OUT.exists() or OUT.read_text(encoding="utf-8") != text:
        print(f"{OUT.name} differs from what {asked.movies.name} gives. "
              "Mend: run this without --check.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
