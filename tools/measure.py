"""Measure the figures that need more training than a lesson's minutes, seed by seed.

``python course.py measure 01`` calls this. Each seed's figures are kept in ``build/measure`` when
they are there, so a run that was stopped goes on; once all seeds are in, they are recorded in
``results/<tier>.json``. A measurement whose code changed starts anew.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SEEDS = {"01": 5, "03": 5, "04": 3, "05": 5, "06": 5}  # lesson 04: an hour and a half for each


def lesson01(seed: int) -> dict:
    """Return Recall@20 of the article's network at the article's own sizes, on new films."""
    import coldrec as cr

    split = cr.splits.item_cold(cr.load("ml-100k"), 0.2, seed=seed)
    sizes = {"hidden": 256, "epochs": 10, "batch": 32, "learning_rate": 1e-3}
    network = cr.models.ArticleNetwork(**sizes, seed=seed).fit(split.train)
    row = cr.evaluate(network, split)
    return {"R article network, its own sizes": row["recall"],
            "rmse article network, its own sizes": row["rmse"]}


def lesson03(seed: int) -> dict:
    """Return lesson 03's figures of one seed: the GPT and TransE as views, tuned, and asked."""
    import networkx as nx
    import numpy as np

    import coldrec as cr

    ml = cr.load("ml-100k")
    graph = nx.compose(cr.graph.freebase(ml), cr.graph.build(ml, rated=False))
    split, mixed = cr.splits.item_cold(ml, 0.2, seed=seed), cr.splits.mixed(ml, seed=seed)
    items = [f"item:{item}" for item in ml.item_ids]
    moved = dict(zip(items, np.random.default_rng(seed).permutation(items), strict=True))
    words = {"text": cr.views.text(ml), "genres": cr.views.genres(ml), "year": cr.views.year(ml),
             "stars": cr.views.star_power(split.train, graph)}
    teacher, figures = cr.models.EASE().fit(split.train), {}

    def view(model):
        vectors = model.vectors.reindex(items).to_numpy()
        return np.nan_to_num(vectors - np.nanmean(vectors, axis=0))

    def recall(model, split=split, **options):
        return cr.evaluate(model.fit(split.train), split, **options)["recall"]

    def stack(views):
        return cr.models.ViewRidge(views, targets=teacher, weights={"text": 1.5})

    for known in (*cr.graph.REGIMES, "shuffled"):
        triples = cr.graph.known_triples(ml, graph, "all" if known == "shuffled" else known, 4)
        if known == "shuffled":
            triples[["head", "tail"]] = triples[["head", "tail"]].replace(moved)
        train, held_out = cr.graph.embeddings.split_triples(triples, 0.05, seed=seed)
        gpt = cr.language.GraphGPT(seed=seed, progress=False).fit(train)
        ridge = cr.models.ViewRidge({"kg": view(gpt)})
        if known in ("all", "shuffled"):
            asked = cr.graph.embeddings.link_prediction(gpt, held_out, train)
            name = "gpt" if known == "all" else "gpt shuffled"
            figures |= {f"mrr {name}": asked["mrr"], f"hits@10 {name}": asked["hits@10"]}
        if known == "shuffled":
            figures["R gpt shuffled"] = recall(ridge)
            continue
        transe = cr.graph.embeddings.TransE(seed=seed).fit(train)
        figures |= {
            f"R gpt ridge {known}": recall(ridge),
            f"control gpt ridge {known}": recall(ridge, control="shuffled"),
            f"R gpt cosine {known}": recall(cr.models.ViewCosine({"kg": view(gpt)})),
            f"R transe ridge {known}": recall(cr.models.ViewRidge({"kg": view(transe)})),
            f"R transe cosine {known}": recall(cr.models.ViewCosine({"kg": view(transe)}))}
        views = words | {"graph": cr.views.graph(ml, cr.graph.freebase(ml), known)}
        without = recall(stack(views))
        for name, model in {"gpt": gpt, "transe": transe}.items():
            figures[f"R stack {known} with {name}"] = recall(stack(views | {"kg": view(model)}))
            figures[f"R stack with {name} minus without {known}"] = (
                figures[f"R stack {known} with {name}"] - without)
        if known == "all":
            asked = cr.graph.embeddings.link_prediction(transe, held_out, train)
            figures |= {"mrr transe": asked["mrr"], "hits@10 transe": asked["hits@10"]}
            tuned = cr.language.LikesGPT(gpt, ml, seed=seed, progress=False)
            figures["R gpt tuned"] = recall(tuned)
            for name, model in {"popularity": cr.models.Popularity(), "ease": cr.models.EASE(),
                                "gpt cosine": cr.models.ViewCosine({"kg": view(gpt)}),
                                "gpt ridge": cr.models.ViewRidge({"kg": view(gpt)}, targets="ease"),
                                "gpt tuned": tuned}.items():
                figures[f"R mixed {name}"] = recall(model, mixed, pool="all")
                figures[f"R mixed cold pool {name}"] = cr.evaluate(model, mixed)["recall"]
    return figures


def lesson03_paths(seed: int) -> dict:
    """Return the figures of the GPT that is trained on paths, too, regime all."""
    import networkx as nx
    import numpy as np

    import coldrec as cr

    ml = cr.load("ml-100k")
    graph = nx.compose(cr.graph.freebase(ml), cr.graph.build(ml, rated=False))
    split = cr.splits.item_cold(ml, 0.2, seed=seed)
    triples = cr.graph.known_triples(ml, graph, "all", 4)
    train, held_out = cr.graph.embeddings.split_triples(triples, 0.05, seed=seed)
    gpt = cr.language.GraphGPT(paths=8, hops=2, seed=seed, progress=False).fit(train)
    vectors = gpt.vectors.reindex([f"item:{item}" for item in ml.item_ids]).to_numpy()
    view = {"kg": np.nan_to_num(vectors - np.nanmean(vectors, axis=0))}
    return {"mrr gpt with paths": cr.graph.embeddings.link_prediction(gpt, held_out, train)["mrr"],
            **{f"R gpt with paths {how} all": cr.evaluate(
                model(view).fit(split.train), split)["recall"] for how, model in
               (("ridge", cr.models.ViewRidge), ("cosine", cr.models.ViewCosine))}}


def lesson03_words(seed: int) -> dict:
    """Return what SmolLM2 knows of films before and after it is told facts, and as a view."""
    import networkx as nx
    from transformers import DataCollatorForLanguageModeling

    import coldrec as cr
    from coldrec.language.encode import pooled

    ml = cr.load("ml-100k")
    graph = nx.compose(cr.graph.freebase(ml), cr.graph.build(ml, rated=False))
    split = cr.splits.item_cold(ml, 0.2, seed=seed)
    triples = cr.graph.known_triples(ml, graph, "release", least=4)
    train, held_out = cr.graph.embeddings.split_triples(triples, 0.05, seed=seed)
    texts, figures = cr.views.describe(ml), {}
    told = [asked + answer for asked, answer in cr.language.verbalise(
        graph, train.sample(1200, random_state=seed), split.train) if answer][:960]
    general = cr.language.GENERAL_TEXTS

    def look(when, tokenizer, model):
        asked = cr.language.verbalise(graph, held_out.sample(200, random_state=seed), split.train)
        for name, said in {"held-out facts": [a + answer for a, answer in asked if answer],
                           "general text": general}.items():
            figures[f"perplexity {name}, {when}"] = cr.language.perplexity(model, tokenizer, said)
        for name, facts in {"held-out": held_out, "told": train}.items():
            figures[f"knows {name}, {when}"] = cr.language.knows(
                model, tokenizer, graph, facts, split.train, n=200, seed=seed).mean()

    def recall(tokenizer, model):
        model.layers = model.layers[:10]
        view = pooled(tokenizer, model, texts)
        ridge = cr.models.ViewRidge({"text": view}).fit(split.train)
        return cr.evaluate(ridge, split)["recall"]

    tokenizer, model = cr.language.causal()
    look("before", tokenizer, model)
    model = cr.language.adapt(model, "lora", rank=16)
    cr.language.train(
        model, [{"input_ids": tokenizer(text)["input_ids"]} for text in told], batch=16, epochs=1,
        learning_rate=5e-4, collate=DataCollatorForLanguageModeling(tokenizer, mlm=False),
        seed=seed, progress=False)
    look("after", tokenizer, model)
    figures["R smollm2 told, ridge"] = recall(tokenizer, model.merge_and_unload().model)
    figures["R smollm2 ridge"] = recall(*cr.language.encoder("smollm2"))
    return figures


def lesson03_memory(seed: int) -> dict:
    """Return what SmolLM2 knows by heart of MovieLens: years, genres, titles, as they are written
    and with the letters of the titles scrambled; and what scrambling does to the views.
    """
    import re

    import networkx as nx
    import numpy as np

    import coldrec as cr
    from coldrec.language.encode import pooled
    from coldrec.views import describe, readable_title

    ml, rng = cr.load("ml-100k"), np.random.default_rng(seed)
    split = cr.splits.item_cold(ml, 0.2, seed=seed)
    graph = nx.compose(cr.graph.freebase(ml), cr.graph.build(ml, rated=False))
    facts = cr.graph.known_triples(ml, graph, "release", least=4)

    def scramble(text):
        return re.sub(r"\w+", lambda word: "".join(rng.permutation(list(word[0]))), text)

    scrambled = nx.relabel_nodes(graph, {})  # a copy
    for item in ml.item_ids:
        scrambled.nodes[f"item:{item}"]["label"] = scramble(graph.nodes[f"item:{item}"]["label"])
    tokenizer, model = cr.language.causal()
    figures = {}
    for name, told in {"": graph, ", scrambled": scrambled}.items():
        for what, relation in {"year": "released_in", "genre": "has_genre"}.items():
            figures[f"knows {what}{name}"] = cr.language.knows(
                model, tokenizer, told, facts[facts.relation == relation], split.train, n=100,
                seed=seed).mean()
    titles = [readable_title(title).rsplit(" ", 1) for title in ml.items.title.unique()]
    cut = [title for title in titles if len(title) == 2]
    starts, ends = zip(*[cut[i] for i in rng.permutation(len(cut))[:100]], strict=True)

    def finish(starts):
        prompts = [f"The film is called {start}" for start in starts]
        return cr.language.log_likelihood(model, tokenizer, prompts, [f" {end}" for end in ends])[
            "log_prob"].to_numpy()

    for name, said in {"": starts, ", scrambled": [scramble(start) for start in starts]}.items():
        figures[f"knows title{name}"] = np.mean(finish(said) > finish(np.roll(said, 1)))
    texts = {"": describe(ml), ", scrambled": describe(cr.Ratings.from_frames(
        ml.ratings, ml.items.assign(title=[scramble(title) for title in ml.items.title])))}
    for short in ("minilm", "smollm2"):
        tokenizer, model = cr.language.encoder(short)
        if short == "smollm2":
            model.layers = model.layers[:10]
        for name, said in texts.items():
            ridge = cr.models.ViewRidge({"text": pooled(tokenizer, model, said)}).fit(split.train)
            figures[f"recall {short}{name}"] = cr.evaluate(ridge, split)["recall"]
    return figures


def some(split, users: int, each: int, seed: int):
    """Return test ratings of some users, at most ``each`` a user: enough of each for an AUC."""
    ratings = split.test.ratings.sample(frac=1, random_state=seed)
    chosen = ratings["user"].unique()[:users]
    return ratings[ratings["user"].isin(chosen)].groupby("user").head(each)


def lesson04_rates(seed: int) -> dict:
    """Return how each way to fine-tune does by learning rate, on validation-cold items."""
    import coldrec as cr

    ml = cr.load("ml-100k")
    split = cr.splits.item_cold(cr.splits.item_cold(ml, 0.2, seed=seed).train, 0.2, seed=seed)
    test = some(split, 80, 8, seed)
    teacher = cr.models.ViewStars({"text": cr.views.text(ml)}).fit(split.train)
    settings = [(method, rate, 0.1) for method in cr.language.METHODS
                for rate in (1e-5, 1e-4, 1e-3, 1e-2)]
    settings += [("full", rate, 0.0) for rate in (1e-4, 1e-3)]
    bias = cr.models.Bias().fit(split.train).predict(ml.user_ids, ml.item_ids)
    bias = bias[ml.user_rows(test["user"]), ml.item_rows(test["item"])]
    figures = {"validation rmse bias": cr.metrics.rmse(test["rating"], bias)}
    for method, rate, warmup in settings:
        rater = cr.language.TextRater(method, updates=100, learning_rate=rate, warmup=warmup,
                                      teacher=teacher, seed=seed, progress=False)
        stars = rater.fit(split.train).score_pairs(test["user"], test["item"])
        name = f"{method} {rate:.0e}{'' if warmup else ', no warm-up'}"
        figures[f"validation rmse {name}"] = cr.metrics.rmse(test["rating"], stars)
        figures[f"validation auc {name}"] = cr.metrics.auc_within(
            test["user"], stars, test["rating"] >= ml.like).mean()
    return figures


def lesson04_methods(seed: int) -> dict:
    """Return what each way to fine-tune costs and brings, on one task: MiniLM as a rater."""
    import torch

    import coldrec as cr
    from coldrec.language import adapters, memory

    ml = cr.load("ml-100k")
    split = cr.splits.item_cold(ml, 0.2, seed=seed)
    test = some(split, 200, 10, seed)

    def judge(name, stars):
        liked = test["rating"] >= ml.like
        return {f"auc {name}": cr.metrics.auc_within(test["user"], stars, liked).mean(),
                f"rmse {name}": cr.metrics.rmse(test["rating"], stars)}

    def pairs(model):
        stars = model.predict(ml.user_ids, ml.item_ids)
        return stars[ml.user_rows(test["user"]), ml.item_rows(test["item"])]

    teacher = cr.models.ViewStars({"text": cr.views.text(ml)}).fit(split.train)
    genres = cr.models.ViewStars({"genres": cr.views.genres(ml), "year": cr.views.year(ml)})
    figures = (judge("bias", pairs(cr.models.Bias().fit(split.train)))
               | judge("frozen text ridge", pairs(teacher))
               | judge("genres+year ridge", pairs(genres.fit(split.train))))
    for method in (*cr.language.METHODS, "full, own ratings"):
        rater = cr.language.TextRater(
            method.split(",")[0], updates=300, seed=seed, progress=False,
            teacher=None if method.endswith("ratings") else teacher).fit(split.train)
        figures |= judge(method, rater.score_pairs(test["user"], test["item"]))
        figures[f"step seconds {method}"] = rater.training_.step_seconds
        figures[f"params {method}"] = adapters.trainable(rater.model_)[0]
    for method in cr.language.METHODS:
        _, model = cr.language.classifier(labels=1, seed=seed)
        model = cr.language.adapt(model, method, steps=100)
        learnt = [v for v in model.parameters() if v.requires_grad]
        optimiser = torch.optim.AdamW(learnt, fused=True)  # as train does
        words = torch.randint(1000, 20000, (8, 64))

        def step(model=model, optimiser=optimiser, words=words):
            optimiser.zero_grad()
            model(input_ids=words, labels=torch.ones(8)).loss.backward()
            optimiser.step()

        figures[f"peak MB {method}"] = memory.peak(step, model.train(), optimiser)["total"]
    return figures


def lesson04_ranks(seed: int) -> dict:
    """Return what LoRA's rank and its layers change, on validation-cold items."""
    import coldrec as cr
    from coldrec.language import adapters

    ml = cr.load("ml-100k")
    split = cr.splits.item_cold(cr.splits.item_cold(ml, 0.2, seed=seed).train, 0.2, seed=seed)
    test = some(split, 100, 10, seed)
    teacher = cr.models.ViewStars({"text": cr.views.text(ml)}).fit(split.train)
    figures, layers = {}, {"query, value": ["query", "value"], "all linear": None}
    for name, targets in layers.items():
        for rank in (1, 4, 16, 64):
            rater = cr.language.TextRater("lora", rank=rank, targets=targets, updates=150,
                                          teacher=teacher, seed=seed, progress=False)
            stars = rater.fit(split.train).score_pairs(test["user"], test["item"])
            figures[f"validation auc rank {rank}, {name}"] = cr.metrics.auc_within(
                test["user"], stars, test["rating"] >= ml.like).mean()
            figures[f"params rank {rank}, {name}"] = adapters.trainable(rater.model_)[0]
    return figures


def lesson04_yes_no(seed: int) -> dict:
    """Return how SmolLM2 does when it is asked yes or no, and as the second of two stages."""
    import numpy as np

    import coldrec as cr

    ml = cr.load("ml-100k")
    split = cr.splits.item_cold(ml, 0.2, seed=seed)
    test = some(split, 120, 8, seed)
    liked = test["rating"] >= ml.like
    few = split.test.with_ratings(split.test.ratings[split.test.ratings["user"].isin(
        test["user"].unique()[:80])])
    few = cr.splits.Split(split.name, split.train, few, split.cold_items)
    text = cr.views.text(ml)
    first = cr.models.ViewRidge({"text": text, "genres": cr.views.genres(ml)}).fit(split.train)

    class Dice:  # the trivial second stage
        def score_pairs(self, users, items):
            return np.random.default_rng(seed).random(len(users))

    def second(name, model):
        if model is None:
            report = cr.evaluate(first, few)
        else:
            model.train_ = split.train
            report = cr.evaluate(cr.models.Rerank(first, model, 40).fit(split.train), few)
        return {f"recall reranked by {name}": report["recall"],
                f"ndcg reranked by {name}": report["ndcg"]}

    figures = {"accuracy always yes": liked.mean()} | second("nothing", None) | second("dice",
                                                                                       Dice())
    teacher = cr.models.ViewStars({"text": text}).fit(split.train)
    rater = cr.language.TextRater("full", updates=300, teacher=teacher, seed=seed, progress=False)
    stars = rater.fit(split.train).score_pairs(test["user"], test["item"])
    figures["auc MiniLM"] = cr.metrics.auc_within(test["user"], stars, liked).mean()
    figures |= second("MiniLM", rater)
    settings = {"zero-shot": {}, "zero-shot, No first": {"order": ("No", "Yes")},
                "few-shot": {"shots": 6}, "tuned on 64": {"examples": 64},
                "tuned on 256": {"examples": 256}}
    for name, options in settings.items():
        model = cr.language.YesNo(seed=seed, progress=False, **options).fit(split.train)
        odds = model.score_pairs(test["user"], test["item"])
        figures |= {f"auc {name}": cr.metrics.auc_within(test["user"], odds, liked).mean(),
                    f"says yes {name}": (odds > 0).mean(),
                    f"accuracy {name}": ((odds > 0) == liked).mean()}
        if name in ("zero-shot", "tuned on 256"):
            figures |= second(name, model)
    return figures


def lesson04_labels(seed: int) -> dict:
    """Return recall by the share of labels, with the graph's pretraining and without."""
    import copy

    import networkx as nx

    import coldrec as cr

    ml = cr.load("ml-100k")
    split = cr.splits.item_cold(ml, 0.2, seed=seed)
    graph = nx.compose(cr.graph.freebase(ml), cr.graph.build(ml, rated=False))
    facts = cr.graph.known_triples(ml, graph, "release", 4)
    gpt = cr.language.GraphGPT(seed=seed, progress=False).fit(facts)
    fresh = copy.deepcopy(gpt)
    fresh.model_.apply(fresh.model_._init_weights)
    vectors = gpt.vectors.reindex([f"item:{item}" for item in ml.item_ids]).fillna(0).to_numpy()
    figures = {}
    for share in (0.01, 0.1, 1.0):
        few = split.train.with_ratings(split.train.ratings.sample(frac=share, random_state=seed))
        epochs = 5 / share ** 0.5  # fewer labels, more often
        rivals = {"pretrained": cr.language.LikesGPT(gpt, ml, epochs, seed=seed, progress=False),
                  "not pretrained": cr.language.LikesGPT(fresh, ml, epochs, seed=seed,
                                                         progress=False),
                  "pretrained, cosine": cr.models.ViewCosine({"kg": vectors}),
                  "text ridge": cr.models.ViewRidge({"text": cr.views.text(ml)})}
        for name, model in rivals.items():
            few_labels = cr.splits.Split(split.name, few, split.test, split.cold_items)
            figures[f"recall {name}, {share:.0%} of labels"] = cr.evaluate(
                model.fit(few), few_labels)["recall"]
    return figures


@functools.cache
def pretrained(known: str):
    """Return the films' vectors of lesson 03's GPT of a regime: one for all splits."""
    import networkx as nx
    import numpy as np

    import coldrec as cr

    ml = cr.load("ml-100k")
    graph = nx.compose(cr.graph.freebase(ml), cr.graph.build(ml, rated=False))
    triples = cr.graph.known_triples(ml, graph, known, least=4)
    train, _ = cr.graph.embeddings.split_triples(triples, 0.05, seed=0)
    gpt = cr.language.GraphGPT(seed=0, progress=False).fit(train)
    vectors = gpt.vectors.reindex([f"item:{item}" for item in ml.item_ids]).to_numpy()
    return np.nan_to_num(vectors - np.nanmean(vectors, axis=0))


def lesson05(seed: int) -> dict:
    """Return what tuning MiniLM on likes brings on new films: by cosine, by ridge, in the stack."""
    import coldrec as cr

    ml = cr.load("ml-100k")
    kg = cr.graph.freebase(ml)
    split = cr.splits.item_cold(ml, 0.2, seed=seed)
    related = cr.views.describe_related(split.train, kg, "release")

    def tuned(objective, texts=None):
        encoder = cr.language.TunedEncoder(objective, seed=seed, progress=False)
        return encoder.fit(split.train, texts).vectors_

    def recall(model, **options):
        return cr.evaluate(model.fit(split.train), split, **options)["recall"]

    warm = split.train.item_ids.isin(split.train.ratings["item"])
    texts = {"frozen": cr.views.text(ml), "frozen related": cr.views.text(ml, related),
             "tuned": tuned("elsa"), "tuned contrastive": tuned("contrastive"),
             "tuned contrastive related": tuned("contrastive", related)}
    figures = {"test over train": len(split.test) / len(split.train)}
    for name, vectors in texts.items():
        cosine = cr.models.ViewCosine({"text": vectors})
        figures |= {
            f"R {name} cosine": recall(cosine),
            f"control {name} cosine": recall(cosine, control="shuffled"),
            f"R {name} cosine, centred": recall(
                cr.models.ViewCosine({"text": vectors - vectors[warm].mean(0)})),
            f"recall {name} ridge": recall(cr.models.ViewRidge({"text": vectors}))}
    for name in ("tuned", "tuned contrastive", "tuned contrastive related"):
        figures[f"R {name} cosine minus frozen, centred"] = (
            figures[f"R {name} cosine"] - figures["R frozen cosine, centred"])
    for tail in ("cosine", "cosine, centred"):
        figures[f"R related films minus without, {tail}"] = (
            figures[f"R tuned contrastive related {tail}"] - figures[f"R tuned contrastive {tail}"])

    oracle = recall(cr.models.TestCountOracle(split))
    targets = {"ALS": cr.models.ImplicitALS().fit(split.train),
               "EASE": cr.models.EASE().fit(split.train)}
    known_by_all = {"genres": cr.views.genres(ml), "year": cr.views.year(ml),
                    "stars": cr.views.star_power(split.train, kg)}
    for known in cr.graph.REGIMES:
        base = known_by_all | {"graph": cr.views.graph(ml, kg, known)}

        def stack(text=None, gpt=None, target="ALS", base=base):
            views = base | ({} if gpt is None else {"kg": gpt})
            views |= {"text": texts[text]} if text else {}
            return cr.models.ViewRidge(views, targets=targets[target],
                                       weights={"text": 1.5} if text else None)

        parts = {"without LM": stack(), "frozen text": stack("frozen"),
                 "tuned text": stack("tuned"),
                 "tuned related text": stack("tuned contrastive related"),
                 "GPT": stack(gpt=pretrained(known)),
                 "frozen text + GPT": stack("frozen", pretrained(known)),
                 "EASE targets": stack("tuned", pretrained(known), "EASE")}
        found = {name: recall(model) for name, model in parts.items()}
        full = stack("tuned", pretrained(known))
        whole = recall(full)
        figures[f"R stack {known}"] = whole
        figures[f"control stack {known}"] = recall(full, control="shuffled")
        figures[f"R stack minus oracle {known}"] = whole - oracle
        figures[f"R stack {known} without LM"] = found["without LM"]
        for name, value in found.items():
            figures[f"recall stack {known}, {name}"] = value
            figures[f"R stack minus {name} {known}"] = whole - value
            figures[f"R stack {name} minus without LM {known}"] = value - found["without LM"]
    return figures


def lesson05_mixed(seed: int) -> dict:
    """Return recall where known and new films compete, by how much new ones are boosted."""
    import coldrec as cr

    ml = cr.load("ml-100k")
    kg, split = cr.graph.freebase(ml), cr.splits.mixed(ml, seed=seed)
    views = {"text": cr.views.text(ml), "genres": cr.views.genres(ml), "year": cr.views.year(ml),
             "graph": cr.views.graph(ml, kg, "release")}

    def judge(model, split):
        return cr.evaluate(model.fit(split.train), split, pool="all")

    def boosted(split, boosts):
        teacher = cr.models.EASE().fit(split.train)
        cold = cr.models.ViewRidge(views | {"stars": cr.views.star_power(split.train, kg)},
                                   targets=teacher, weights={"text": 1.5})
        return {boost: judge(cr.models.SwitchingHybrid(cr.models.EASE(), cold, boost), split)
                for boost in boosts}

    figures, boosts = {}, (0.5, 0.6, 0.7, 0.85, 1.0, 1.3, 1.6, 2.0, 3.0)
    warm_only = {"popularity": cr.models.Popularity(), "EASE": cr.models.EASE(),
                 "ItemKNN": cr.models.ItemKNN(), "UserKNN": cr.models.UserKNN(),
                 "ImplicitALS": cr.models.ImplicitALS()}
    rows = {name: judge(model, split) for name, model in warm_only.items()}
    rows |= {f"boost {boost}": row for boost, row in boosted(split, boosts).items()}
    # The largest boost that costs known films at most 1.5 %, on validation films and ratings.
    inner = cr.splits.mixed(split.train, seed=seed)
    least = 0.985 * judge(cr.models.EASE(), inner)["recall_warm"]
    fine = [boost for boost, row in boosted(inner, boosts).items() if row["recall_warm"] >= least]
    chosen = max(fine, default=boosts[0])
    rows["chosen"] = rows[f"boost {chosen}"]
    for name, row in rows.items():
        figures |= {f"R mixed warm {name}": row["recall_warm"],
                    f"R mixed cold {name}": row["recall_cold"], f"R mixed {name}": row["recall"],
                    f"share of new films {name}": row["share_cold"]}
    best = max(rows[name]["recall_warm"] for name in warm_only)
    warm, cold = (rows["chosen"][f"recall_{part}"] for part in ("warm", "cold"))
    return figures | {"R mixed warm": warm, "R mixed cold": cold, "R mixed warm-only": best,
                      "boost chosen": chosen, "warm recall lost, %": 100 * (1 - warm / best)}


def lesson06_views(ml, train, known: str) -> dict:
    """Return lesson 06's views of the films in one of the graph's regimes."""
    import networkx as nx

    import coldrec as cr

    freebase = cr.graph.freebase(ml)
    graph = nx.compose(freebase, cr.graph.build(ml, rated=False))
    return {"text": cr.views.text(ml), "genres": cr.views.genres(ml), "year": cr.views.year(ml),
            "graph": cr.views.graph(ml, freebase, known),
            "stars": cr.views.star_power(train, graph)}


def lesson06_folds(fold: int) -> dict:
    """Return RMSE, order and calibration on one fold of items, of users, and of ratings."""
    import numpy as np
    import pandas as pd
    from scipy import stats

    import coldrec as cr
    from coldrec.rating import RatingFormula

    ml, figures = cr.load("ml-100k"), {}
    people = {"demographics": cr.views.demographics(ml), "age": cr.views.age(ml)}
    edges = {"item": [0, 10, 50, 150, 300, 1000], "user": [0, 50, 100, 200, 400, 1000]}
    options = {"seed": fold, "progress": False}
    for kind in ("item_folds", "user_folds", "random_folds"):
        split = getattr(cr.splits, kind)(ml)[fold]
        test = split.test.ratings
        place = ml.user_rows(test["user"]), ml.item_rows(test["item"])
        views = lesson06_views(ml, split.train, "all")
        rivals = {"bias": cr.models.Bias(), "mf": cr.models.MatrixFactorisation(seed=fold),
                  "views": (cr.models.ViewStars(people, side="user") if kind == "user_folds"
                            else cr.models.ViewStars(views)),
                  "all": RatingFormula(views, people, **options)}
        if kind != "user_folds":
            rivals["gradient"] = RatingFormula(views, people, by="gradient", **options)
        if kind == "item_folds":
            rivals |= {known: RatingFormula(lesson06_views(ml, split.train, known), people,
                                            **options) for known in ("release", "before")}
        said = {}
        for name, model in rivals.items():
            said[name] = model.fit(split.train).predict(ml.user_ids, ml.item_ids)[place]
            figures |= {f"rmse {kind} {name}": cr.metrics.rmse(test["rating"], said[name]),
                        f"auc {kind} {name}": cr.metrics.auc_within(
                            test["user"], said[name], test["rating"] >= ml.like).mean()}
        for name in rivals.keys() - {"all"}:
            figures[f"rmse {kind} {name} minus all"] = (
                figures[f"rmse {kind} {name}"] - figures[f"rmse {kind} all"])
        formula = rivals["all"]
        deviation = formula.deviation(ml.user_ids, ml.item_ids)[place]
        mean = formula.score(ml.user_ids, ml.item_ids)[place]
        for level in (0.1, 0.3, 0.5, 0.7, 0.9, 0.95):  # as formula.interval does
            half = stats.norm.ppf((1 + level) / 2) * deviation
            low, high = (np.clip(mean + side * half, *ml.scale) for side in (-1, 1))
            figures[f"coverage {100 * level:.0f} {kind}"] = test["rating"].between(low, high).mean()
        found = pd.DataFrame({"rating": test["rating"].to_numpy(), "stars": said["all"],
                              "variance": deviation ** 2})
        found["square"] = (found["rating"] - found["stars"]) ** 2
        for tenth, part in found.groupby(pd.qcut(found["stars"], 10, labels=False)):
            figures |= {f"said {kind} {tenth}": part["stars"].mean(),
                        f"given {kind} {tenth}": part["rating"].mean()}
        for side, bins in edges.items():
            ratings = test[side].map(ml.ratings[side].value_counts()).to_numpy()
            for low, part in found.groupby(pd.cut(ratings, bins, labels=bins[:-1]), observed=True):
                name = f"{kind} {side} {low}"
                figures |= {f"residual {name}": (part["rating"] - part["stars"]).mean(),
                            f"error {name}": np.sqrt(part["square"].mean()),
                            f"expected {name}": np.sqrt(part["variance"].mean())}
        if kind == "item_folds":
            figures["rmse item_folds all, shuffled"] = cr.evaluate(
                formula, split, control="shuffled")["rmse"]
        if kind == "random_folds":
            rivals |= {"popularity": cr.models.Popularity().fit(split.train),
                       "ease": cr.models.EASE().fit(split.train)}
            for name, model in rivals.items():
                report = cr.evaluate(model, split, pool="all")
                figures |= {f"ndcg {name}": report["ndcg"], f"recall {name}": report["recall"]}
    figures["rmse user_folds"] = figures["rmse user_folds all"]
    figures["user_folds under bias, %"] = 100 * (
        1 - figures["rmse user_folds"] / figures["rmse user_folds bias"])
    figures["coverage 90"] = np.mean([figures[f"coverage 90 {kind}"] for kind in (
        "item_folds", "user_folds", "random_folds")])
    return figures


def lesson06_kshot(fold: int) -> dict:
    """Return RMSE by the number of ratings that are known of a new item, or of a new user.

    Films and people with more than 20 ratings, scored on all but 20; and those with more than 50.
    """
    import copy

    import coldrec as cr
    from coldrec.rating import RatingFormula

    ml, figures = cr.load("ml-100k"), {}
    people = {"demographics": cr.views.demographics(ml), "age": cr.views.age(ml)}
    options = {"seed": fold, "progress": False}
    for side, folds in {"item": cr.splits.item_folds, "user": cr.splits.user_folds}.items():
        split = folds(ml)[fold]
        views = lesson06_views(ml, split.train, "all")
        fitted = {"all": RatingFormula(views, people, **options).fit(split.train),
                  "no views": RatingFormula(**options).fit(split.train)}
        if side == "item":
            release = lesson06_views(ml, split.train, "release")
            fitted["release"] = RatingFormula(release, people, **options).fit(split.train)
        bias = cr.models.Bias(shrink_items=1.0)  # better for new people: see lesson 02
        alone = (cr.models.ViewStars(views) if side == "item" else cr.models.ViewStars(
            people, shared=10, own=300, side="user", bias=bias)).fit(split.train)
        for most, shots in {20: (0, 1, 5, 10, 20), 50: (0, 1, 2, 5, 10, 20, 50)}.items():
            for k in shots:
                few = cr.splits.k_shot(split, k, most, seed=fold)
                cold, known = getattr(few, f"cold_{side}s"), few.train.ratings
                test, new = few.test.ratings, known[known[side].isin(cold)]
                rivals = {"bias": cr.models.Bias().fit(few.train), "views": alone,
                          "bias, less shrunk": copy.deepcopy(bias).fit(few.train),
                          "mf": cr.models.MatrixFactorisation(seed=fold).fit(few.train)}
                rivals |= {name: model.observe(new, side) if k else model
                           for name, model in fitted.items()}
                if (most, k) == (20, 10):
                    rivals["fitted anew"] = RatingFormula(views, people, **options).fit(few.train)
                name = f"{side}s k={k}" + (" of 50" if most == 50 else "")
                users, items = (ml.user_ids, cold) if side == "item" else (cold, ml.item_ids)
                place = users.get_indexer(test["user"]), items.get_indexer(test["item"])
                for who, model in rivals.items():
                    stars = model.predict(users, items)[place]
                    figures[f"rmse {name} {who}"] = cr.metrics.rmse(test["rating"], stars)
                figures[f"rmse {name}"] = figures[f"rmse {name} all"]
                low, high = rivals["all"].interval(users, items)
                figures[f"coverage 90 {name}"] = test["rating"].between(
                    low[place], high[place]).mean()
    return figures


def lesson06_tuned(fold: int) -> dict:
    """Return RMSE on new items with frozen texts and with texts tuned through the formula."""
    import coldrec as cr
    from coldrec.rating import RatingFormula, tuned_text

    ml, figures = cr.load("ml-100k"), {}
    split = cr.splits.item_folds(ml)[fold]
    stack = lesson06_views(ml, split.train, "release")
    tuned = tuned_text(split.train, seed=fold, progress=False)
    for name, (views, by) in {
            "frozen": ({"text": stack["text"]}, "als"), "tuned": ({"text": tuned}, "als"),
            "frozen, by gradient": ({"text": stack["text"]}, "gradient"),
            "tuned, by gradient": ({"text": tuned}, "gradient"),
            "stack, frozen": (stack, "als"),
            "stack, tuned": (stack | {"text": tuned}, "als")}.items():
        model = RatingFormula(views, by=by, seed=fold, progress=False).fit(split.train)
        figures[f"rmse text {name}"] = cr.evaluate(model, split)["rmse"]
    for name in ("tuned", "stack, tuned", "tuned, by gradient"):
        frozen = name.replace("tuned", "frozen")
        figures[f"rmse text {name} minus frozen"] = (
            figures[f"rmse text {name}"] - figures[f"rmse text {frozen}"])
    return figures


MEASUREMENTS = {"01": [lesson01], "03": [lesson03, lesson03_paths, lesson03_words,
                                    lesson03_memory],
                "04": [lesson04_rates, lesson04_methods, lesson04_ranks, lesson04_yes_no,
                       lesson04_labels],
                "05": [lesson05, lesson05_mixed],
                "06": [lesson06_folds, lesson06_kshot, lesson06_tuned]}


def measure(lesson: str, seeds=None, root: Path = ROOT) -> dict:
    """Run what is missing of a lesson's measurement and return ``{figure: [one a seed]}``."""
    seeds, figures = range(SEEDS[lesson]) if seeds is None else seeds, {}
    for function in MEASUREMENTS[lesson]:
        code = hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:8]
        folder = root / "build" / "measure" / f"{lesson}-{code}"
        folder.mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            for name, value in _measured(function, seed, folder / f"seed-{seed}.json").items():
                figures.setdefault(name, []).append(value)
    return figures


def _measured(function, seed: int, kept: Path) -> dict:
    """Return one seed's figures: those kept in the file, or new ones, which are then kept."""
    if not kept.exists():
        start = time.perf_counter()
        text = json.dumps(function(seed))
        part = kept.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(kept)
        print(f"{function.__name__}, seed {seed}: {text} ({time.perf_counter() - start:.0f} s)",
              flush=True)
    return json.loads(kept.read_text(encoding="utf-8"))


def main(lessons: list[str]) -> int:
    """Measure the named lessons, or all; return the exit status."""
    import coldrec as cr

    unknown = set(lessons) - set(MEASUREMENTS)
    if unknown:
        print(f"nothing to measure for {', '.join(sorted(unknown))}: lessons with measurements "
              f"are {', '.join(MEASUREMENTS)}. The others make their figures as they run.")
        return 1
    for lesson in lessons or MEASUREMENTS:
        path = cr.record(lesson, measure(lesson))
        print(f"lesson {lesson}: recorded in {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
