"""Views: what is known of the items without their ratings, one row per catalogue item.

A view is a matrix, dense or sparse, of shape ``(items, d)`` in the order of ``Ratings.items``. A
user view has one row per user. Every lesson makes a better view; the same models use them all.
"""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import MultiLabelBinarizer

from coldrec.validation import check_column, check_is_ratings, check_whole


def genres(ml) -> np.ndarray:
    """Return one column per genre, 1.0 where the item has it: ``(items, genres)``."""
    check_column(ml, "genres", "views.genres")
    return MultiLabelBinarizer().fit_transform(ml.items["genres"]).astype(float)


def year(ml, width: float = 5.0) -> np.ndarray:
    """Return the release year as soft membership of evenly spaced years: ``(items, centres)``.

    The centres are ``width`` years apart and a year belongs to those near it, so that a linear
    model can prefer a period, and 1994 is close to 1995. Without a year, a row is zero.
    """
    check_column(ml, "year", "views.year")
    if ml.items["year"].isna().all():
        return np.zeros((len(ml.items), 0))
    return _soft(ml.items["year"].to_numpy(float), width)


def demographics(ml, age_band: int = 10) -> np.ndarray:
    """Return age band, gender and occupation of each user as 0/1 columns: ``(users, d)``."""
    check_is_ratings(ml, "views.demographics")
    users = ml.users
    parts = [pd.get_dummies(users[c], prefix=c) for c in ("gender", "occupation") if c in users]
    if "age" in users:
        parts.append(pd.get_dummies(users["age"] // age_band * age_band, prefix="age"))
    if not parts:
        raise ValueError("views.demographics needs a column 'age', 'gender' or 'occupation' in the "
                         f"table of users, which has {list(users)}. Give Ratings.from_frames one.")
    return np.hstack(parts).astype(float)


def age(ml, width: float = 8.0) -> np.ndarray:
    """Return each user's age as soft membership of evenly spaced ages, ``(users, centres)``.

    As :func:`year` does for items: 24 is close to 25, which bands of ten years can't say.
    """
    check_is_ratings(ml, "views.age")
    if "age" not in ml.users:
        raise ValueError("views.age needs a column 'age' in the table of users, which has "
                         f"{list(ml.users)}. Give Ratings.from_frames one.")
    return _soft(ml.users["age"].to_numpy(float), width)


def _soft(values, width) -> np.ndarray:
    """Return nearness to evenly spaced centres; a missing value is near none."""
    centres = np.arange(np.nanmin(values), np.nanmax(values) + width, width)
    return np.nan_to_num(np.exp(-0.5 * ((values[:, None] - centres) / width) ** 2))


def describe(ml) -> list[str]:
    """Return a text per item, ``Title (year). Genre, genre. description``, of what is known."""
    check_is_ratings(ml, "views.describe")
    lines = []
    for row in ml.items.to_dict("records"):
        text = readable_title(row["title"]) if isinstance(row.get("title"), str) else ""
        if pd.notna(row.get("year")):
            text += f" ({row['year']:.0f})"
        parts = [text.strip(), ", ".join(row.get("genres") or ())]
        parts.append(row.get("description") if isinstance(row.get("description"), str) else "")
        lines.append(" ".join(p.rstrip(".") + "." for p in parts if p))
    return lines


def readable_title(title: str) -> str:
    """Move the article that MovieLens puts last to the front: ``Usual Suspects, The``."""
    found = re.fullmatch(r"(.+), (The|A|An|La|Le|Les|L'|Il|El|Das|Der|Die)(\s*\(.*\))?", title)
    if not found:
        return title
    name, article, rest = found.groups()
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{name}{rest or ''}"


def tfidf(ml) -> sp.csr_matrix:
    """Return TF-IDF over the words of :func:`describe`'s texts: ``(items, words)``, unit rows."""
    texts = describe(ml)
    if not any(texts):
        raise ValueError("tfidf needs words, and the items have no title, year, genres or "
                         "description. Give Ratings.from_frames a table of items with one of them.")
    words = TfidfVectorizer(token_pattern=r"(?u)\b[\w'-]+\b", sublinear_tf=True)
    return words.fit_transform(texts)


def text(ml, texts: list[str] | None = None) -> np.ndarray:
    """Return all-MiniLM-L6-v2's vectors of the items' texts: ``(items, 384)``, unit rows.

    ``texts`` replaces :func:`describe`'s. Vectors are kept in the cache, so only the first call
    needs torch and takes some seconds. (Reimers & Gurevych 2019; Wang et al. 2020.)
    """
    from coldrec import assets
    from coldrec.language import encode

    texts = describe(ml) if texts is None else list(texts)
    if len(texts) != len(ml.items):
        raise ValueError(f"there are {len(texts)} texts for {len(ml.items)} items; give one each.")
    key = hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]
    kept = assets.home() / "vectors" / f"minilm-{key}.npy"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        vectors = encode.sentences(texts)
        part = kept.with_suffix(f".{np.random.default_rng().integers(1 << 32)}.npy")
        np.save(part, vectors)
        part.replace(kept)
    return np.load(kept)


def graph(ml, kg, known: str = "release", relations=None, side: str = "item") -> sp.csr_matrix:
    """Return TF-IDF over what each item is connected to: ``(items, tokens)``, sparse.

    Parameters
    ----------
    kg
        A graph from ``cr.graph``, such as ``cr.graph.freebase(ml)``.
    known
        What may be known: ``"release"``, ``"before"`` or ``"all"`` (see
        :func:`coldrec.graph.known_facts`). Say which, wherever you print a figure.
    relations
        Keep these alone, for ablations; without it, all.
    side
        ``"user"`` for a user view: ``(users, tokens)``.

    A token is a relation with the entity at its end, and counts if two items or more have it. Its
    value is ``log(items / items that have it)``. Rows aren't scaled to one length: that much is
    known of a film is knowledge too, and its fame (see :func:`number_of_facts`).
    """
    facts = _facts(ml, kg, known, relations, side)
    token = facts["relation"] + " " + facts["entity"]
    return _tokens(ml, facts, token, side, least=2, idf=True)


def number_of_facts(ml, kg, known: str = "release") -> np.ndarray:
    """Return the logarithm of one plus the number of facts about each item: ``(items, 1)``.

    A control for :func:`graph`. It knows what none of the facts is, only that somebody wrote them
    down, and so measures fame.
    """
    counts = _facts(ml, kg, known)["item"].value_counts()
    return np.log1p(counts.reindex(ml.item_ids, fill_value=0).to_numpy(float))[:, None]


STAR_RELATIONS = ("director", "actor", "writer", "studio", "producer")


def star_power(train, kg, relations=STAR_RELATIONS, shrink: float = 2.0) -> np.ndarray:
    """Return how popular other films of the same people and studio are: ``(items, relations)``.

    For each relation, the mean over the item's entities and their *other* films with a training
    rating of ``log(1 + training ratings)``, less the mean of all such films, and shrunk to zero as
    if ``shrink`` films of average popularity were among them. Popularity is that of ``train``, and
    the item's own is left out: make the view anew for each split, and it never sees a test rating.
    """
    check_is_ratings(train, "views.star_power")
    relations = [relations] if isinstance(relations, str) else list(relations)
    counts = np.bincount(train.item_rows(train.ratings["item"]), minlength=len(train.item_ids))
    warm = counts > 0
    popularity = np.where(warm, np.log1p(counts) - np.log1p(counts[warm]).mean(), 0.0)
    facts = _facts(train, kg, "release", relations)
    columns = []
    for relation in relations:
        of_one = facts[facts["relation"] == relation]
        has = _tokens(train, of_one, of_one["entity"], "item", least=2, idf=False)
        entities = np.asarray(has.sum(1)).ravel()
        total = has @ (has.T @ popularity) - entities * popularity
        films = has @ (has.T @ warm) - entities * warm
        columns.append(np.divide(total, films + shrink, out=np.zeros(len(total)), where=films > 0))
    return np.column_stack(columns)


def describe_related(train, kg, known: str = "release", relations=None,
                     most: int = 3) -> list[str]:
    """Return :func:`describe`'s texts with which other items share people or a studio with each.

    ``Fargo (1996). Crime. Same director: Raising Arizona, The Hudsucker Proxy.``: for each of the
    relations (by default ``STAR_RELATIONS``) the names of up to ``most`` other items, first those
    that share most entities with it, then those with most training ratings. Freebase's entities
    have no names, but the films that share them have; and a language model knows films.
    """
    check_column(train, "title", "views.describe_related")
    check_whole(most, "most", example=3)
    relations = STAR_RELATIONS if relations is None else relations
    relations = [relations] if isinstance(relations, str) else list(relations)
    rated = np.bincount(train.item_rows(train.ratings["item"]), minlength=len(train.item_ids))
    names = [readable_title(str(title)).partition(" (")[0] for title in train.items["title"]]
    facts, texts = _facts(train, kg, known, relations), describe(train)
    for relation in relations:
        of_one = facts[facts["relation"] == relation]
        has = _tokens(train, of_one, of_one["entity"], "item", least=2, idf=False)
        shared = (has @ has.T).tocsr()
        for row, text in enumerate(texts):
            part = slice(*shared.indptr[row:row + 2])
            others = shared.indices[part]
            best = others[np.lexsort((others, -rated[others], -shared.data[part]))]
            told = [name for name in dict.fromkeys(names[other] for other in best)
                    if name != names[row]][:most]  # not itself, nor a film of the same name
            if told:
                texts[row] = f"{text} Same {relation.replace('_', ' ')}: {', '.join(told)}."
    return texts


def _facts(ml, kg, known, relations=None, side="item") -> pd.DataFrame:
    from coldrec.graph import known_facts

    facts = known_facts(ml, kg, known, side)
    if relations is None:
        return facts
    relations = [relations] if isinstance(relations, str) else list(relations)
    there = {key for _, _, key in kg.edges(keys=True)}
    if not set(relations) <= there:
        raise ValueError(f"the graph has no relation {sorted(set(relations) - there)}; it has "
                         f"{sorted(there)}.")
    asked = {*relations, *(f"{relation}_of" for relation in relations)}
    return facts[facts["relation"].isin(asked)].reset_index(drop=True)


def _tokens(ml, facts, token, side, least, idf) -> sp.csr_matrix:
    """Return which rows have which tokens, those that at least ``least`` rows have."""
    n = len(ml.item_ids) if side == "item" else len(ml.user_ids)
    rows = ml.item_rows(facts["item"]) if side == "item" else ml.user_rows(facts["user"])
    columns, tokens = pd.factorize(token)
    ones = sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(n, len(tokens)))
    ones.data[:] = 1.0  # a fact said twice is one fact
    had_by = ones.getnnz(axis=0)
    ones = ones[:, had_by >= least]
    return ones.multiply(np.log(n / had_by[had_by >= least])).tocsr() if idf else ones
