"""Typed paths from what a user liked to what might be recommended: the raw material of reasons."""

from __future__ import annotations

import numpy as np
import pandas as pd


def paths(facts: pd.DataFrame, liked, candidate) -> pd.DataFrame:
    """Return the paths of one or two steps from liked items to a candidate.

    Parameters
    ----------
    facts
        ``item, relation, entity, other``, from :func:`coldrec.graph.known_facts`, which decides
        what may be known.
    liked
        Item ids.
    candidate
        One item id.

    Returns
    -------
    pandas.DataFrame
        ``liked, path, via, count, weight``, best first. ``path`` is the relations on the way, such
        as ``"director"`` where both items have the entity ``via`` in that relation,
        ``"actor, director"`` where the liked item has it in one and the candidate in the other,
        and ``"sequel (direct)"``, with ``via`` missing, where one item is a fact of the other.
        ``count`` is how many items have ``via``; ``weight`` is ``log(items / count)``, so that a
        rare thing in common counts more (inverse frequency). An empty frame if nothing joins them.

    Raises
    ------
    KeyError
        The candidate or a liked item has no facts at all.
    """
    liked = [liked] if isinstance(liked, str) else list(liked)
    known = set(facts["item"])
    strange = [item for item in [*liked, candidate] if item not in known]
    if strange:
        raise KeyError(f"no facts about the items {strange[:3]}. Leave them out, or use a graph "
                       "that links them.")
    liked = [item for item in dict.fromkeys(liked) if item != candidate]
    of_candidate = facts[facts["item"] == candidate]
    of_liked = facts[facts["item"].isin(liked)].rename(columns={"item": "liked"})
    shared = of_liked.merge(of_candidate, on="entity", suffixes=("", "_there"))
    same = shared["relation"] == shared["relation_there"]
    shared["path"] = shared["relation"].where(
        same, shared["relation"] + ", " + shared["relation_there"])
    count = facts[facts["entity"].isin(shared["entity"])].groupby("entity")["item"].nunique()
    shared["count"] = shared["entity"].map(count)
    direct = of_liked[of_liked["other"] == candidate]
    direct = direct.assign(path=direct["relation"] + " (direct)", entity=None, count=1)
    columns = ["liked", "path", "entity", "count"]
    found = pd.concat([direct[columns], shared[columns]], ignore_index=True)
    found["weight"] = np.log(len(known) / found["count"].astype(float))
    found = found.rename(columns={"entity": "via"}).drop_duplicates()
    return found.sort_values(["weight", "liked", "path", "via"],
                             ascending=[False, True, True, True], ignore_index=True)
