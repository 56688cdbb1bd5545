"""Train a GPT on the graph's facts, at any size, and judge it on triples held out.

    python tools/pretrain.py --known all --folder build/gpt

With a folder, a second call goes on where the first was stopped. On several GPUs, start it with
``accelerate launch`` (see GPU.md). MRR and hits are printed beside those of the trivial baseline.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys

from coldrec.language import GraphGPT

TOLD = {"width": "the size of a vector", "layers": "layers", "heads": "heads",
        "epochs": "times all triples are seen", "batch": "sequences an update",
        "learning_rate": "AdamW's largest rate", "dropout": "dropout",
        "weight_decay": "AdamW's weight decay", "paths": "random paths from each entity",
        "hops": "facts in a path", "seed": "seed"}


def main(arguments: list[str]) -> int:
    """Train as the arguments say, print the figures, return the exit status."""
    options = parser().parse_args(arguments)
    import pandas as pd

    from coldrec.graph.embeddings import FrequentTail, link_prediction

    train, test = split(options.known, options.share, options.seed)
    sizes = {name: value for name, value in vars(options).items() if name not in ("known", "share")}
    first = os.environ.get("RANK", "0") == "0"
    model = GraphGPT(**sizes, progress=first).fit(train)
    judged = {"GraphGPT": model, "FrequentTail": FrequentTail().fit(train)}
    figures = pd.DataFrame({name: link_prediction(one, test, train)
                            for name, one in judged.items()}).T  # all ask: each may have a part
    if first:
        losses = model.training_.losses
        print(f"{len(train)} triples, regime {options.known}; {len(test)} held out. Loss "
              f"{losses.iloc[0]:.2f} to {losses.iloc[-1]:.2f} in {losses.index[-1]} updates.")
        print(figures.round(3).to_string())
    return 0


def split(known: str, share: float, seed: int):
    """Return the graph's triples, 19 of 20 to train on and the rest to judge by."""
    import networkx as nx

    import coldrec as cr
    from coldrec.graph.embeddings import split_triples

    ml = cr.load("ml-100k")
    graph = nx.compose(cr.graph.freebase(ml), cr.graph.build(ml, rated=False))
    triples = cr.graph.known_triples(ml, graph, known, least=4)
    if share < 1:
        triples = triples.sample(frac=share, random_state=seed)
    return split_triples(triples, 0.05, seed=seed)


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--known", default="release", choices=("release", "before", "all"),
                         help="the graph's regime: what was known when (%(default)s)")
    options.add_argument("--share", type=float, default=1.0,
                         help="share of the triples, to try it out (%(default)s)")
    sizes = inspect.signature(GraphGPT).parameters
    for name, told in TOLD.items():
        value = sizes[name].default
        options.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value,
                             help=f"{told} (%(default)s)")
    options.add_argument("--folder", help="where checkpoints and logs are kept (nowhere)")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
