# ---
# title: "A knowledge graph, and how to find out that it is wrong"
# minutes: 75
# able: "build a knowledge graph, test whether it is joined to the right items, repair it, and say how much of its power is knowledge and how much is fame"
# ---

# %% [markdown]
# # Lesson 02 · A knowledge graph, and how to find out that it is wrong
#
# **After this lesson you can** build a knowledge graph from tables, join a public one to your catalogue,
# *test* whether the join is right without any outside data, repair it, and say how much of what it adds
# is knowledge and how much is fame.
#
# | | |
# |---|---|
# | You need | [Lesson 01](01_the_cold_start_problem.ipynb): views, the ridge, splits, the leak control |
# | You read for | 75 minutes, with a good place to stop after section 5 |
# | It runs for | under six minutes on two cores (tier `cpu`), with 3 GB of memory; a GPU makes no difference |

# %%
import time
import tracemalloc

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd

import coldrec as cr

run = cr.setup(seed=0)
G, M, V = cr.graph, cr.models, cr.views
ml = cr.load("ml-100k")
pd.options.display.float_format = "{:.3f}".format

# %% [markdown]
# ## 1. A graph from tables: the shop
#
# The article's first step is to build a knowledge graph: "in e-commerce", of products, users and
# reviews. Here is one, from the course's own small shop. A **node** has a type; an **edge** has a
# **relation** and a direction; an edge with its two ends is a **triple**.

# %%
shop = G.shop()
print(shop)
G.to_triples(shop)[["head", "relation", "tail"]].sample(5, random_state=4)

# %%
kinds = pd.Series(nx.get_node_attributes(shop, "type")).value_counts()
relations = pd.Series([key for *_, key in shop.edges(keys=True)]).value_counts()
pd.concat({"nodes of a type": kinds, "edges of a relation": relations}).to_frame("number").T

# %%
things = [n for n, kind in shop.nodes(data="type") if kind in ("product", "brand", "category")]
map_ = nx.Graph(shop.subgraph(things))
palette = {"product": cr.plots.BLUE, "brand": cr.plots.ORANGE, "category": cr.plots.GREEN}
place = nx.spring_layout(map_, seed=3, k=0.35)
ax = cr.plots.axes(width=9, height=6.5)
nx.draw_networkx_edges(map_, place, ax=ax, edge_color="#C0C0C0")
for kind, colour in palette.items():
    nodes = [n for n in map_ if shop.nodes[n]["type"] == kind]
    nx.draw_networkx_nodes(map_, place, nodes, ax=ax, node_color=colour, label=kind,
                           node_size=60 if kind == "product" else 160)
nx.draw_networkx_labels(map_, {n: xy + [0, 0.045] for n, xy in place.items()}, ax=ax, font_size=7,
                        labels={n: shop.nodes[n]["label"] for n in map_
                                if shop.nodes[n]["type"] != "product"})
ax.axis("off")
ax.legend(frameon=False)
cr.plots.show(ax, "The shop's products (blue), brands (orange) and categories (green), joined where "
                  "the tables join them. Products of one category lie together; a brand that "
                  "makes many kinds of things sits between them. Users and reviews are left out.")

# %% [markdown]
# A product that nobody has bought has its place in this picture from the first day, and so do its
# neighbours. *That* is what a graph offers for the cold start. Two rules keep it honest:
#
# * ratings and reviews are edges too (`rated`, `wrote`, `about`), but a **view never reads them**;
# * the graph of `split.train` holds only the reviews of training ratings.
#
# ## 2. A bigger graph, ready-made
#
# Freebase was a public collection of facts. A benchmark (KB4Rec) took out what it says of films, and
# a link file says which film of MovieLens each entity is; both come with a popular library, and many
# papers use them. (The entities have no names, only numbers.) We load the facts and the links *as
# they are shipped*:

# %%
start = time.perf_counter()
shipped = G.freebase(ml, links="shipped")
seconds = time.perf_counter() - start
raw, _ = G.read_recbole(cr.assets.fetch("ml-100k-kg"), "ml-100k")
facts = G.known_facts(ml, shipped, known="all")
print(f"{len(raw):,} triples in the file, {shipped.number_of_edges():,} after facts that stand there "
      f"twice, once from either end, are made one; {shipped.number_of_nodes():,} nodes; "
      f"{shipped.graph['linked']:,} of {len(ml.items):,} films linked; read in {seconds:.1f} s.")
facts["relation"].value_counts().to_frame("facts about MovieLens' films").T

# %% [markdown]
# As a view, a film is the set of its facts: one column for each pair of relation and entity that at
# least two films share, weighted as TF-IDF weighs words (rare facts say more). Then the same ridge as
# always:
#
# > **Predict.** Text alone reached a Recall@20 of about 0.3 for new films. What will seventy thousand
# > facts do?

# %%
split = cr.splits.item_cold(ml, 0.2, seed=0)
words = {"text": V.text(ml), "genres": V.genres(ml), "year": V.year(ml)}
first = cr.leaderboard({
    "random": M.Random(), "text": M.ViewRidge({"text": words["text"]}),
    "graph, shipped links": M.ViewRidge({"graph": V.graph(ml, shipped, known="all")})}, [split])
first[["recall", "chance", "control"]]

# %% [markdown]
# **Nothing at all.** The graph looks right, loads without an error, trains without a warning, and is
# worth a random list. Its score is its leak control's. At this point one writes "knowledge graphs don't
# help here", and moves on. Or one looks.

# %%
cr.claim("As shipped, the graph ranks new films no better than random.",
         abs(first.recall["graph, shipped links"] - first.recall["random"]) < 0.03
         < first.recall["text"] - first.recall["random"])

# %% [markdown]
# ## 3. Look at one film
#
# Whose facts are these? A name helps: an anonymous entity can be called after what it is joined to,
# "the director of *this* and *that*" (never after ratings of the test). If the links are wrong, so are
# the names; so we borrow names from the repaired graph that section 5 will make.

# %%
kg = G.freebase(ml, links="relinked")
named = G.with_names(kg, split.train)
entity_of = G.link_table(ml, "shipped").set_index("item")["entity"]
owner = G.link_table(ml, "relinked").set_index("entity")["item"]
title = ml.items.set_index("item")["title"].map(V.readable_title)
famous = split.train.ratings["item"].value_counts().index[:12]
pd.DataFrame({"film": title[famous], "has the facts of": [
    title.get(owner.get(entity_of.get(item)), "(a film not in MovieLens-100K)")
    for item in famous]}).set_index("film").T

# %%
raiders, roles = 174, ["director", "writer", "actor", "cinematographer", "studio", "film_genre",
                       "sequel"]
labels = {n: text for n, text in named.nodes(data="label") if not n.startswith("item:")}
nx.set_node_attributes(shipped, {n: text for n, text in labels.items() if n in shipped}, "label")
fig, panels = plt.subplots(1, 2, figsize=(14, 6), layout="constrained")
for ax, graph, name in zip(panels, (shipped, named), ("as shipped", "repaired"), strict=True):
    cr.plots.neighbourhood(graph, f"item:{raiders}", roles, most=2, ax=ax)
    ax.set_title(name)
cr.plots.show(panels[0], f"What the graph says of {title[raiders]}. Left, as shipped: the director, "
              "actors and genres of another film. Right, repaired: its own makers, who also "
              "made its sequels, and the sequel itself.")

# %% [markdown]
# *Titanic* is "directed" by the director of *The Swan Princess*, a cartoon. One film could be a slip.
# But nobody can look at 1,600. What is needed is a test of all links at once.

# %%
titanic = ml.items.set_index("title").at["Titanic", "item"]
swan = owner[entity_of[titanic]]
cr.claim("As shipped, Titanic has the facts of The Swan Princess.",
         title[swan] == "The Swan Princess")

# %% [markdown]
# ## 4. An audit without outside data
#
# If facts are joined to the right films, two sources that know nothing of each other must agree: what
# the *graph* says of a film, and what *MovieLens* says of it. Four tests:
#
# 1. films joined by `sequel` share a word of their titles;
# 2. films with one Freebase genre have similar MovieLens genres;
# 3. films by one director, writer or cinematographer are close in time;
# 4. films with many facts have many ratings (whoever writes down facts prefers the known).
#
# And how much would they agree by chance? Deal the films' facts out anew at random, a thousand times,
# and look: that is a **permutation test**. Its p-value is the share of random deals that agree at
# least as well.
#
# > **Predict.** For the shipped links, will all four fail?

# %%
audits = {name: G.audit(ml, G.known_facts(ml, graph, known="all"),
                        permutations=run.pick(smoke=100, cpu=1000))
          for name, graph in {"shipped": shipped, "relinked": kg,
                              "shuffled": G.freebase(ml, "shuffled")}.items()}
pd.concat({name: audit.tests for name, audit in audits.items()})

# %%
fig, panels = plt.subplots(2, 2, figsize=(11, 6), layout="constrained")
for ax, test in zip(panels.flat, audits["shipped"].tests.index, strict=True):
    ax.hist(audits["shipped"].nulls[test], bins=30, color=cr.plots.GREY, label="by chance")
    for name, colour, style in (("shipped", cr.plots.RED, "-"), ("relinked", cr.plots.BLUE, "--")):
        ax.axvline(audits[name].tests.at[test, "statistic"], color=colour, linestyle=style,
                   linewidth=2, label=name)
    ax.set(title=test, yticks=[], ylabel="permutations")
    ax.spines[["top", "right"]].set_visible(False)
panels[0, 0].legend(frameon=False)
cr.plots.show(panels[0, 0], "Four tests of the links. Grey: a thousand random deals of the facts. The "
              "shipped links (solid, orange-red) lie inside what chance does in all four; the repaired "
              "ones (dashed, blue) far outside. Horizontal: share of sequels with a common title "
              "word; mean similarity of genres; mean difference in years; rank correlation.")
for name, audit in audits.items():
    print(f"{name}: {audit.verdict}")

# %% [markdown]
# The audit also estimates *how many* links are wrong. Each linked film gets a p-value: a regression on
# all other films says which genres and years go with which facts; if the film's own facts fit it no
# better than other films' facts do, its p is anything from 0 to 1; if they are its own, p is near 0.
# Whatever lies above 0.8 is nearly all wrong links, and a fifth of them (Storey 2002):

# %%
cr.show(G.wrong_share)

# %%
cr.claim("The shipped links fail all four tests, and nearly all of them look wrong.",
         audits["shipped"].tests["p"].min() > 0.05 and audits["shipped"].wrong > 0.8)
cr.claim("The relinked pass all four, and at most a tenth look wrong.",
         audits["relinked"].tests["p"].max() < 0.01 and audits["relinked"].wrong < 0.1)

# %% [markdown]
# ## 5. What happened, and the repair
#
# The links were made for the *larger* MovieLens sets, in which film 174 is another film than in
# MovieLens-100K. Both number their films from 1, so every id exists in both, and no program noticed.
# (It was reported in public in the data's own issue tracker, RecSysDatasets issue 130, years after
# papers had used it.) The repair is a **crosswalk**: which id of the one set is which of the other,
# found by title and year, with articles, punctuation and alternative titles taken care of
# (`data/make_crosswalk.py`). Only the pairs of numbers are kept in the repository.

# %%
crosswalk = G.crosswalk()
counts = crosswalk["match"].value_counts()
print(f"{counts['matched']:,} films matched, {counts.get('ambiguous', 0)} ambiguous, "
      f"{counts['unmatched']} unmatched; {kg.graph['linked']:,} have an entity.")
lost = crosswalk[crosswalk["movie"] > len(ml.items)]["item"]
print(f"{len(lost)} films have a number above {len(ml.items):,} in the larger set. The link file was "
      f"cut off there, so they stay without facts, {title[titanic]} among them.")

# %%
cr.claim("More than 1,600 films are matched and more than 1,500 have an entity.",
         counts["matched"] > 1600 and kg.graph["linked"] > 1500)
cr.claim("Titanic is one of those that were cut off.", titanic in set(lost))

# %% [markdown]
# ☕ *A good place to stop for today.*

# %% [markdown]
# ## 6. How wrong may it be?
#
# All wrong is easy to find. What if only a twentieth of the links is? Plant errors in the repaired
# links (the chosen films pass their facts on in a ring), twenty times for each share, and see what
# the audit estimates.

# %%
table, good = G.link_table(ml, "relinked"), G.known_facts(ml, kg, known="all")
shares = run.pick(smoke=[0.0, 0.05, 0.2], cpu=[0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0])


def planted(share, seed):
    """Return all facts, as they are if that share of the links is wrong."""
    wrong = G.with_errors(table, share, seed).set_index("entity")["item"]
    moved = table.set_index("item")["entity"].map(wrong)
    return good.assign(item=good["item"].map(moved), other=good["other"].map(moved))


found = pd.DataFrame([
    {"share": share, "estimate": wrong, "se": error}
    for share in shares for seed in range(run.pick(smoke=2, cpu=20))
    for wrong, error in [G.wrong_share(G.suspects(ml, planted(share, seed))["p"])]])
trusted = found[found["share"] == 0].iloc[0]
found["against a trusted file"] = found["estimate"] > trusted["estimate"] + 1.645 * trusted["se"]
found["with nothing to compare"] = found["estimate"] - 2 * found["se"] > 0.1
power = found.groupby("share")[["estimate", "against a trusted file",
                                "with nothing to compare"]].mean()
power

# %%
wrong_links = pd.DataFrame({share: cr.evaluation.runs(
    {"graph": M.ViewRidge({"graph": V.graph(ml, G.freebase(ml, G.with_errors(table, share)),
                                            known="all")})},
    [cr.splits.item_cold(ml, 0.2, seed=s) for s in range(3)], control=0)["recall"]
    for share in shares})
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
cr.plots.lines(power.drop(columns="estimate"), ax=left, xlabel="share of the links that is wrong",
               ylabel="share of 20 audits that sound the alarm")
cr.plots.lines(wrong_links.mean().to_frame("ridge on the graph"),
               wrong_links.sem().to_frame("ridge on the graph"), ax=right,
               xlabel="share of the links that is wrong", ylabel="Recall@20, new films (all)")
right.axhline(first.chance["random"], color="black", linestyle="--", label="chance")
right.legend(frameon=False)
cr.plots.show(left, "Left: how often the audit finds planted errors. If an audit of a trusted file "
                    "of the same catalogue is there to compare with, one link in twenty is "
                    "found nine times in ten; without, the alarm sounds only somewhere between one "
                    "in ten and one in five. Right: what wrong links cost, in the regime all: "
                    "recall sinks with every wrong link, down to chance.")

# %%
cr.claim("Against a trusted file, 5 % of wrong links are found at least four times in five; with "
         "nothing to compare, 20 % are found every time, and 5 % never.",
         power.at[0.05, "against a trusted file"] >= 0.8
         and power.at[0.2, "with nothing to compare"] == 1
         and power.at[0.05, "with nothing to compare"] == 0)

# %% [markdown]
# So "passed" means: not obviously wrong. It doesn't mean right.
#
# ## 7. What the repaired graph is worth
#
# Before the figures, a question of honesty. Our films are *pretended* to be new. Freebase was written
# years later, and knows that a film won an award, or got a sequel. Could that have been known on its
# first day? Three **regimes** of knowledge, and no figure without its regime:
#
# | regime | what may be known |
# |---|---|
# | `release` | on the day the film comes out: people, studio, genre, country, language, rating; no awards, no sequels |
# | `before` | before the first rating of this data, in September 1997: also awards of films of 1996 and earlier, and sequels among films of 1997 and earlier |
# | `all` | everything Freebase says: fame from the future included |
#
# One more view comes with the graph. **Star power** is the mean popularity, in training, of the *other*
# films of the same director, cast, writers, studio and producers. It is made anew for each split from
# `split.train`, so it can't see a test rating:

# %%
cr.show(V.star_power)

# %% [markdown]
# > **Predict.** Text, genres and year on EASE targets reached 0.33 in lesson 01; the oracle, one list in
# > the order of the hidden likes, about 0.41. Where will the stack of everything land, in each regime?

# %%
cold_splits = [cr.splits.item_cold(ml, 0.2, seed=s) for s in range(run.pick(smoke=2, cpu=5))]
views = {regime: V.graph(ml, kg, known=regime) for regime in G.REGIMES}
teacher = {id(s): M.EASE().fit(s.train) for s in cold_splits}  # once a split, for all stacks
stars = {id(s): V.star_power(s.train, kg) for s in cold_splits}
wrong_graphs = {"shipped": shipped, "shuffled": G.freebase(ml, "shuffled")}


def stack(regime, targets=None, text=True):
    """Return what makes, from a split, the ridge on all views of one regime."""
    content = words if text else {name: words[name] for name in ("genres", "year")}
    return lambda s: M.ViewRidge({**content, "graph": views[regime], "stars": stars[id(s)]},
                                 targets=targets or teacher[id(s)],
                                 weights={"text": 1.5} if text else None)


line_up = {"oracle": M.TestCountOracle, "text + genres + year": M.ViewRidge(words, targets="ease")}
line_up |= {f"graph, {name} links, all": M.ViewRidge({"graph": V.graph(ml, graph, known="all")})
            for name, graph in wrong_graphs.items()}
for regime in G.REGIMES:
    line_up |= {f"number of facts, {regime}": M.ViewRidge({"n": V.number_of_facts(ml, kg, regime)}),
                f"graph, {regime}": M.ViewRidge({"graph": views[regime]}),
                f"stack, {regime}": stack(regime),
                f"stack, {regime}, raw likes": stack(regime, "likes"),
                f"stack, {regime}, no text": stack(regime, text=False)}
runs = cr.evaluation.runs(line_up, cold_splits)
board = cr.evaluation.summarise(runs)
board[["recall", "recall_se", "ndcg", "coverage", "popularity_bias", "control", "chance"]]

# %%
colours = {"release": cr.plots.GREEN, "before": cr.plots.BLUE, "all": cr.plots.ORANGE}
shown = board.drop("oracle")
ax = cr.plots.bars(shown.recall, shown.recall_se, label="Recall@20 on new films, mean ± SE", digits=3,
                   reference={"chance": board.chance["oracle"], "oracle": board.recall["oracle"]},
                   colours={name: next((c for r, c in colours.items() if f", {r}" in name
                                        and "links" not in name), cr.plots.GREY) for name in shown.index})
cr.plots.show(ax, "Recall@20 of new films by what may be known: at release (green), before the first "
                  "rating (blue), everything (orange); grey: without a graph, or with wrong links. "
                  "The stacks lead; wrong links are worth nothing; even the bare number of facts "
                  "is worth a good deal.")

# %%
pairs = [(f"stack, {r}", other) for r in G.REGIMES
         for other in ("oracle", "text + genres + year", f"stack, {r}, no text",
                       f"stack, {r}, raw likes")]
paired = pd.DataFrame([{"a": a, "b": b, **cr.compare(runs, a, b)} for a, b in pairs]).set_index(
    ["a", "b"])
paired[["mean", "se", "low", "high"]]

# %% [markdown]
# Read the table by the corrected intervals of lesson 01. With what could be known *before* the first
# rating, the stack is on average above the line of the oracle: an honest model that knows persons finds
# more than perfect foresight of popularity does. Five splits of one data set can't prove more than the
# interval says.

# %%
cr.claim("Wrong links are worth nothing: shipped and shuffled are within 0.02 of chance.",
         all(abs(board.recall[f"graph, {name} links, all"] - board.chance["oracle"]) < 0.02
             for name in wrong_graphs))
cr.claim("The graph adds to text, genres and year in every regime, in every split.",
         all(cr.compare(runs, f"stack, {r}", "text + genres + year")["mean"] > 0
             and (runs[runs.model == f"stack, {r}"].recall.to_numpy()
                  > runs[runs.model == "text + genres + year"].recall.to_numpy()).all()
             for r in G.REGIMES))
cr.claim("On average the stack is below the oracle at release, and above it before and in all.",
         [paired.at[(f"stack, {r}", "oracle"), "mean"] > 0 for r in G.REGIMES]
         == [False, True, True])
cr.claim("No control is above chance by more than three standard errors.",
         (shown.control < shown.chance + 3 * shown.control_se).all())

# %% [markdown]
# ## 8. Knowledge, or fame?
#
# What is the graph's power made of? Take the regime `all` apart: each group of relations alone, and all
# but that group. (Sequels have no group: two films seldom have the same one, so they make no column.)
#
# > **Predict.** The director? The actors? The genre?

# %%
groups = {"awards": ["award_won", "award_nomination"], "actors": ["actor"],
          "director, writer, camera": ["director", "writer", "cinematographer"],
          "producer, studio": ["producer", "studio"], "genre, subject": ["film_genre", "subject"],
          "country, language": ["country", "language"], "content rating": ["content_rating"]}
every = sorted({key for *_, key in kg.edges(keys=True)})
parts = {}
for name, group in groups.items():
    rest = [relation for relation in every if relation not in group]
    parts |= {("alone", name): V.graph(ml, kg, "all", group),
              ("all but", name): V.graph(ml, kg, "all", rest)}
ablation = cr.leaderboard({key: M.ViewRidge({"graph": view}) for key, view in parts.items()},
                          cold_splits[:3], control=0)["recall"]
ablation = pd.DataFrame({part: {name: ablation[part, name] for name in groups}
                         for part in ("alone", "all but")}).sort_values("alone", ascending=False)
fig, panels = plt.subplots(1, 2, figsize=(11, 3.8), sharex=True, layout="constrained")
marks = {"chance": board.chance["oracle"], "number of facts": board.recall["number of facts, all"],
         "whole graph": board.recall["graph, all"]}
for ax, part in zip(panels, ablation, strict=True):
    cr.plots.bars(ablation[part], ax=ax, label=f"Recall@20, {part} (regime all)", reference=marks)
cr.plots.show(panels[0], "The graph by its relations, regime all. Left: each group alone. Right: all but "
                         "that group. Awards alone are nearly as good as the whole graph, and "
                         "nothing else is missed so much.")

# %% [markdown]
# Awards carry most of it. Is that knowledge? An award says that people thought highly of a film, and how
# many awards and nominations are on record says how many people noticed. Compare the dotted line: the
# bare *number* of facts, which knows nothing about any film, is a **fame meter**. And part of this fame
# came after the ratings, *because* people had seen and liked the film. That is what the regime `all`
# lets in, and why `release` is the default.

# %%
cr.claim("Awards alone find more than everything but awards.",
         ablation.at["awards", "alone"] > ablation.at["awards", "all but"])
cr.claim("No other group is missed as much.", ablation["all but"].idxmin() == "awards")
cr.claim("The number of facts alone, regime all, finds more than three times what chance does.",
         board.recall["number of facts, all"] > 3 * board.chance["oracle"])

# %% [markdown]
# ## 9. In stars, for new films and for new people
#
# The same views predict ratings: `ViewStars` adds to a person's bias what films with such facts are worth
# to everybody, and what more they are worth to this person. Five folds over *items*: each film is new
# once. (The root mean squared error counts only films that people chose to rate; section 7.1 of lesson
# 01. Recall is the harder question.)

# %%
def rmse(model, folds):
    """Return the RMSE of each fold."""
    return [cr.evaluate(model(s).fit(s.train), s)["rmse"] for s in folds]


n_folds = run.pick(smoke=2, cpu=5)
item_folds = cr.splits.item_folds(ml, 5, seed=0)[:n_folds]
by_items = {"bias only": rmse(lambda s: M.Bias(), item_folds),
         "text + genres + year": rmse(lambda s: M.ViewStars(words), item_folds)}
for regime in G.REGIMES:
    by_items[f"all views, {regime}"] = rmse(lambda s, r=regime: M.ViewStars(
        {**words, "graph": views[r], "stars": V.star_power(s.train, kg)}), item_folds)
published = {"published: bias only": 1.0742, "published: best with metadata": 1.0479}
pd.DataFrame({"RMSE": pd.Series({k: np.mean(v) for k, v in by_items.items()} | published),
              "SE": pd.Series({k: cr.metrics.mean_se(v)[1] for k, v in by_items.items()})})

# %% [markdown]
# (Published: Bremer et al. 2017, the same data and protocol, other folds.)
#
# And five folds over *people*, who bring their age, gender, occupation and region: the user side of a
# graph made from MovieLens' own tables. Mark the second row: **a better baseline**. Item biases are
# shrunk towards zero because films with few ratings have noisy means; our default shrinks more than is
# good here. A new method must be compared with the best bias, not with the first.

# %%
people = G.build(ml, rated=False)
user_folds = cr.splits.user_folds(ml, 5, seed=0)[:n_folds]
bias = M.Bias(shrink_items=1.0)  # chosen on validation people
sides = {"graph: age band, gender, occupation, region": {"graph": V.graph(ml, people, side="user")},
         "graph: gender, occupation; age as a number": {"age": V.age(ml), "graph": V.graph(
             ml, people, side="user", relations=["has_gender", "has_occupation"])},
         "age, gender, occupation as plain columns": {"age": V.age(ml), "who": V.demographics(ml)}}
for_people = {"bias only": rmse(lambda s: M.Bias(), user_folds),
              "bias only, less shrinkage": rmse(lambda s: bias, user_folds)}
for name, side in sides.items():
    for_people[name] = rmse(lambda s, v=side: M.ViewStars(v, shared=10, own=300, side="user",
                                                         bias=bias), user_folds)
gains = {name: cr.metrics.paired(for_people["bias only"], errors)
         for name, errors in for_people.items()}
pd.DataFrame({"RMSE": {k: np.mean(v) for k, v in for_people.items()},
              **{f"gain, {key}": {k: v[key] for k, v in gains.items()}
                 for key in ("mean", "low", "high")}})

# %%
best_people = min(for_people, key=lambda name: np.mean(for_people[name]))
cr.claim("With all views and regime all, new films are predicted at least 8 % better than with biases "
         "alone; with what could be known at release, at least 5 %.",
         np.mean(by_items["all views, all"]) < 0.92 * np.mean(by_items["bias only"])
         and np.mean(by_items["all views, release"]) < 0.95 * np.mean(by_items["bias only"]))
cr.claim("For new people the best is at least half a percent better than our first baseline, in every "
         "fold; about half of that is the better baseline, not the knowledge of the person.",
         np.mean(for_people[best_people]) < 0.995 * np.mean(for_people["bias only"])
         and min(np.subtract(for_people["bias only"], for_people[best_people])) > 0
         and np.mean(for_people["bias only, less shrinkage"])
         < np.mean(for_people["bias only"]) - 0.25 * gains[best_people]["mean"])

# %% [markdown]
# What a person's age, gender and occupation say of their taste is little: lesson 01 found the same for
# rankings. The region only adds noise. For new people, what helps is to ask: lesson 07.
#
# ## 10. What a graph costs
#
# The article's second limit is computation. A graph as `networkx` objects is comfortable and heavy; as a
# frame of triples, or as a sparse view, it is neither:

# %%
triples = G.to_triples(kg)
costs = []
for share in run.pick(smoke=[0.1], cpu=[0.25, 0.5, 1.0]):
    part = triples.sample(frac=share, random_state=0)
    tracemalloc.start()
    start = time.perf_counter()
    graph = G.from_triples(part)
    seconds = time.perf_counter() - start
    costs.append({"triples": len(part), "networkx, MB": tracemalloc.get_traced_memory()[0] / 1e6,
                  "seconds to build, while traced": seconds,
                  "frame, MB": part.memory_usage(deep=True).sum() / 1e6})
    tracemalloc.stop()
sparse = views["all"]
costs = pd.DataFrame(costs).set_index("triples")
ax = cr.plots.lines(costs[["networkx, MB", "frame, MB"]], xlabel="triples", ylabel="memory, MB")
cr.plots.show(ax, "Memory against the number of triples: both grow in proportion, the networkx graph "
                  "more than twice as fast as the frame.")
print(f"As a sparse view, the whole graph takes "
      f"{(sparse.data.nbytes + sparse.indices.nbytes + sparse.indptr.nbytes) / 1e6:.1f} MB.")
costs

# %%
degree = pd.Series(dict(kg.degree())).value_counts().sort_index()
ax = cr.plots.axes(height=3.4)
ax.loglog(degree.index, degree, ".", color=cr.plots.BLUE)
ax.set(xlabel="degree (facts of a node)", ylabel="nodes with that degree")
cr.plots.show(ax, "Degrees of the repaired graph, both axes logarithmic: most nodes have one fact, a few "
                  "have a thousand and more (a language, a country). Facts that nobody shares say nothing, "
                  "and those that all share say little.")

# %% [markdown]
# ## 11. Look around
#
# With a running kernel, choose a film and whose links to believe (a static copy of this page shows one
# film only).

# %%
look = {"repaired": named, "as shipped": shipped}
film_names = {title[item]: item for item in famous}


def browse(film, links):
    """Draw the neighbourhood of a film."""
    ax = cr.plots.neighbourhood(look[links], f"item:{film_names[film]}", roles, most=2)
    cr.plots.show(ax, f"{film}, {links}: its makers, genres and sequels in the graph.")


try:
    from ipywidgets import interact
    interact(browse, film=list(film_names), links=list(look))
except ImportError:  # no widgets here: the picture below has to do
    pass
browse("Star Wars", "repaired")

# %%
means = {f"R stack {r}": list(runs[runs.model == f"stack, {r}"].recall) for r in G.REGIMES}
means |= {f"R graph relinked {r}": list(runs[runs.model == f"graph, {r}"].recall) for r in G.REGIMES}
means |= {f"R graph {n}": list(runs[runs.model == f"graph, {n} links, all"].recall)
          for n in wrong_graphs}
controls = {f"control stack {r}": list(runs[runs.model == f"stack, {r}"].control) for r in G.REGIMES}
controls |= {f"control graph relinked {r}": list(runs[runs.model == f"graph, {r}"].control)
             for r in G.REGIMES}
kept = cr.record("02", means | controls | {
    **{f"R stack minus oracle {r}": (paired.at[(f"stack, {r}", "oracle"), "mean"],
                                     paired.at[(f"stack, {r}", "oracle"), "se"], len(cold_splits))
       for r in G.REGIMES},
    "rmse item_folds bias": by_items["bias only"],
    **{f"rmse item_folds stack {r}": by_items[f"all views, {r}"] for r in G.REGIMES},
    "rmse user_folds bias": for_people["bias only"], "rmse user_folds best": for_people[best_people],
    "crosswalk matched": int(counts["matched"]), "crosswalk linked": kg.graph["linked"]})

# %% [markdown]
# ## Key points
#
# * A graph is typed nodes and relations; triples are its exchange form. A new item has its place in it
#   from the first day.
# * **Test the join.** A graph linked to the wrong items loads, trains and evaluates without a murmur, and
#   is worth a random list. Permutation tests find it without outside data.
# * "Passed" means not obviously wrong. Say how many wrong links your audit would have found.
# * Say *when* each fact could have been known. Awards carry most of this graph, and part of them is fame
#   that came with or after the ratings.
# * The number of facts alone is a fame meter: put it beside every graph.
#
# ## Check your understanding
#
# <details><summary>1. A paper finds that a knowledge graph doesn't help on MovieLens-100K. What would you
# ask for?</summary>
#
# How the items were linked to entities, and a test of the links: for example whether films joined by
# sequel share title words, against a permutation. And the shuffled links beside the true ones.
# </details>
#
# <details><summary>2. Why does the audit deal the facts out anew among films, and not each fact
# by itself?</summary>
#
# A film's facts belong together. The question is whether each *bundle* is at the right film; so chance
# is "another film's bundle". Shuffling single facts would also destroy what bundles have in common, and
# almost anything looks better than that.
# </details>
#
# <details><summary>3. Star power uses ratings. Why is it no leak?</summary>
#
# It uses training ratings of *other*, warm films, and is made anew for each split. It would be a leak if
# it were computed once from all ratings, or if a film's own ratings counted.
# </details>
#
# ## To read on
#
# * The facts: Zhao et al. 2019, *KB4Rec*, doi:[10.1162/dint_a_00008](https://doi.org/10.1162/dint_a_00008);
#   for research, not to be passed on (`data/README.md`).
# * The links: [RecSysDatasets, issue 130](https://github.com/RUCAIBox/RecSysDatasets/issues/130).
# * Share of false nulls: Storey 2002, doi:[10.1111/1467-9868.00346](https://doi.org/10.1111/1467-9868.00346).
# * Facts stored from both ends: Toutanova & Chen 2015, doi:[10.18653/v1/W15-4007](https://doi.org/10.18653/v1/W15-4007).
# * Ratings of new films and people: Bremer et al. 2017, [CEUR Vol-1887](https://ceur-ws.org/Vol-1887/), paper 5.
#
# **Next:** the exercise sheet `exercises/02_knowledge_graph.ipynb` (70 minutes), then lesson 03:
# a language model that learns this graph by heart.
