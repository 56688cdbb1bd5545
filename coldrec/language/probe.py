"""What a language model knows: true facts against the same facts told of something else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coldrec.language.score import log_likelihood
from coldrec.language.verbalise import verbalise

# English about nothing that the course is about, written for it: has a model forgotten the rest?
GENERAL_TEXTS = (
    "The kettle had boiled twice before anybody noticed that the tea was gone. She put on her coat "
    "and walked down to the corner shop, which had closed an hour ago.",
    "To mend a flat tyre, take the wheel off, lift one side of the tyre over the rim, and pull out "
    "the tube. Hold it under water: where bubbles rise, there is the hole.",
    "Most rivers begin as small streams in the hills. As they flow down, other streams join them, "
    "and the water grows slower and wider until it reaches the sea.",
    "In the nineteenth century the railway changed how people thought about time. Towns that had "
    "kept their own clocks now needed one hour for all, so that a timetable made sense.",
    "A good loaf needs only flour, water, salt and patience. The dough has risen enough when it "
    "has doubled in size and springs back slowly where you press it with a finger.",
    "The committee met on Tuesday to discuss the new library. Several members asked whether the "
    "building would be warm in winter, and how much the heating was going to cost.",
)


def knows(model, tokenizer, graph, triples: pd.DataFrame, train=None, n: int = 100,
          seed: int = 0) -> np.ndarray:
    """Ask for ``n`` facts whether the true one is more probable than the same about another item.

    Returns ``(n,)``: 1 where the answer is more probable after its own item than after another one,
    drawn from those without that fact, 0 where it is less, and 0.5 for a tie. A model that knows
    nothing of the items comes to one half on average, however probable the answers are by
    themselves: frequent answers are probable after any item.
    """
    rng = np.random.default_rng(seed)
    drawn = triples.iloc[rng.permutation(len(triples))[:2 * n]]
    have = drawn.merge(triples, on=["relation", "tail"], suffixes=("", "_too"))
    have = have.groupby(["relation", "tail"])["head_too"].agg(set)
    heads = triples["head"].unique()
    others = []
    for triple in drawn.itertuples():
        known = have[triple.relation, triple.tail]
        others.append(next((h for h in rng.choice(heads, 50) if h not in known), None))
    true = verbalise(graph, drawn, train)
    pairs = [(asked, asked.replace(graph.nodes[head]["label"], graph.nodes[other]["label"], 1),
              answer) for (asked, answer), head, other in zip(true, drawn["head"], others,
                                                              strict=True) if answer and other][:n]
    own, other = (log_likelihood(model, tokenizer, [pair[side] for pair in pairs],
                                 [pair[2] for pair in pairs])["log_prob"].to_numpy()
                  for side in (0, 1))
    return np.where(own == other, 0.5, own > other)
