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


def genres(ml) -> np.ndarray:
    """Return one column per genre, 1.0 where the item has it: ``(items, genres)``."""
    if "genres" not in ml.items:
        return np.zeros((len(ml.items), 0))
    return MultiLabelBinarizer().fit_transform(ml.items["genres"]).astype(float)


def year(ml, width: float = 5.0) -> np.ndarray:
    """Return the release year as soft membership of evenly spaced years: ``(items, centres)``.

    The centres are ``width`` years apart and a year belongs to those near it, so that a linear
    model can prefer a period, and 1994 is close to 1995. Without a year, a row is zero.
    """
    if "year" not in ml.items or ml.items["year"].isna().all():
        return np.zeros((len(ml.items), 0))
    years = ml.items["year"].to_numpy(float)
    centres = np.arange(np.nanmin(years), np.nanmax(years) + width, width)
    near = np.exp(-0.5 * ((years[:, None] - centres) / width) ** 2)
    return np.nan_to_num(near)


def demographics(ml, age_band: int = 10) -> np.ndarray:
    """Return age band, gender and occupation of each user as 0/1 columns: ``(users, d)``."""
    users = ml.users
    parts = [pd.get_dummies(users[c], prefix=c) for c in ("gender", "occupation") if c in users]
    if "age" in users:
        parts.append(pd.get_dummies(users["age"] // age_band * age_band, prefix="age"))
    return np.hstack(parts).astype(float) if parts else np.zeros((len(users), 0))


def describe(ml) -> list[str]:
    """Return a text per item, ``Title (year). Genre, genre. description``, of what is known."""
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
