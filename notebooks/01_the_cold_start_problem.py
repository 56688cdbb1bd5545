# ---
# title: The cold-start problem
# minutes: 75
# able: say which recommender fails for new items and new users and why, and measure it without fooling yourself
# ---

# %% [markdown]
# # Lesson 01 · The cold-start problem
#
# **After this lesson you can** say which kinds of recommender fail when an item or a user is new,
# and why; set up the experiment that shows it; and recognise six ways in which such an experiment
# flatters itself.
#
# | | |
# |---|---|
# | You need | [Lesson 00](00_start_here.ipynb); cosine, linear regression |
# | You read for | 75 minutes, with a good place to stop after section 5 |
# | It runs for | under six minutes on two cores (tier `cpu`), with 2 GB of memory; the same work on a GPU, with the article's network at its full width |

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import coldrec as cr

run = cr.setup(seed=0)
M = cr.models
ml = cr.load("ml-100k")
pd.options.display.float_format = "{:.3f}".format

# %% [markdown]
# ## 1. The map
#
# Three families of recommender, two kinds of newcomer, and two sources of knowledge that may help.
# The article that this course follows and corrects ("LLM对推荐系统冷启动问题的缓解", by 禅与计算机程序设计艺术)
# draws such a map too. Its map leaves out the language model that it is about; here it has its place.

# %%
places = {"recommender\nsystem": (0, 2), "collaborative\nfiltering": (-3, 1),
          "content-based": (0, 1), "hybrid": (3, 1), "who rated what": (-3, 0),
          "what an item is,\nwho a person is": (0, 0), "dense\nembedding\n(a view)": (3, 0),
          "new item": (-3.8, -1), "new user": (-2.2, -1), "knowledge\ngraph": (1, -1),
          "language\nmodel": (4, -1)}
arrows = {("grey", "-", "is a kind of"): [(1, 0), (2, 0), (3, 0)],
          (cr.plots.BLUE, "-", "learns from"): [(1, 4), (2, 5), (3, 4), (3, 5), (3, 6), (2, 6)],
          (cr.plots.RED, "-", "has none of"): [(7, 4), (8, 4)],
          ("black", "--", "adds to"): [(9, 5), (9, 6), (10, 6), (9, 10)]}
fig, ax = plt.subplots(figsize=(9, 5), layout="constrained")
boxes = [ax.text(x, y, name, ha="center", va="center", bbox={
    "boxstyle": "round", "facecolor": "#FBE3D6" if name.startswith("new") else "#E6F0F7"})
    for name, (x, y) in places.items()]
for (colour, style, meaning), pairs in arrows.items():
    ax.plot([], [], color=colour, linestyle=style, label=meaning)
    for start, end in pairs:
        ax.annotate("", boxes[end].get_position(), boxes[start].get_position(), arrowprops={
            "arrowstyle": "->", "linestyle": style, "color": colour, "shrinkA": 2, "shrinkB": 2,
            "patchA": boxes[start].get_bbox_patch(), "patchB": boxes[end].get_bbox_patch()})
ax.set(xlim=(-4.8, 5.2), ylim=(-1.5, 2.4))
ax.legend(loc="upper right", frameon=False)
ax.axis("off")
cr.plots.show(ax, "Concept map. Collaborative, content-based and hybrid are kinds of recommender. "
                  "Collaborative ones learn from who rated what, and a new item or user has none "
                  "of that. Content-based ones learn from what an item is and who a person is. A "
                  "knowledge graph and a language model add to that knowledge, as facts and as "
                  "dense embeddings; lessons 02 to 04 take both apart.")

# %% [markdown]
# * **Collaborative filtering** learns from *who rated what*, and from nothing else.
# * **Content-based** recommenders learn from *what an item is*: title, year, genre, text, facts.
# * **Hybrids** use both.
#
# (All terms, with their Chinese names, are in [GLOSSARY.md](../GLOSSARY.md).)

# %% [markdown]
# ## 2. Everybody is warm
#
# First the comfortable case: hide a tenth of the *ratings*, at random. Every film and every person
# keeps most of theirs. A line-up of the three families and three baselines:
#
# | model | in one line |
# |---|---|
# | random | any order |
# | popularity | the most rated films, the same for everybody |
# | biases | stars = mean + how generous the person is + how well the film is liked |
# | UserKNN | what people with similar ratings liked |
# | ItemKNN | films liked by the same people as those you liked |
# | matrix factorisation | biases + the product of a person's and a film's learnt vectors |
# | EASE | each film's score is a linear sum of your likes of all *other* films (Steck 2019) |
# | TF-IDF profile | films whose words resemble those of the films you liked; rare words count more |
# | ridge on views | lesson 00's regression, on text, genres and year together |
# | weighted hybrid | a weighted mean of the ranks that EASE and the ridge give |
# | feature combination | a ridge that reads the views and, as one more view, who liked the film |
#
# and the columns, beside those of lesson 00 (its section 7 explains recall, ndcg, precision and
# coverage): **rmse** is the root of the mean squared error of predicted stars, for models that
# predict stars; **novelty** the mean surprise of what is recommended, in bits (a film known to half
# of the people has 1 bit, to one in a thousand 10); **popularity_bias** how many times more popular
# than the average film the recommended ones are.

# %%
words = {"text": cr.views.text(ml), "genres": cr.views.genres(ml), "year": cr.views.year(ml)}
families = {
    "random": M.Random(), "popularity": M.Popularity(), "biases": M.Bias(),
    "UserKNN": M.UserKNN(), "ItemKNN": M.ItemKNN(), "matrix factorisation":
    M.MatrixFactorisation(), "EASE": M.EASE(),
    "TF-IDF profile": M.Content(), "ridge on views": M.ViewRidge(words),
    "weighted hybrid": M.WeightedHybrid([(M.EASE(), 1.0), (M.ViewRidge(words), 0.5)]),
    "feature combination": M.FeatureCombination(words),
}
warm = cr.leaderboard(families, [cr.splits.warm(ml, 0.1, seed=0)])
warm[["recall", "ndcg", "rmse", "coverage", "novelty", "popularity_bias"]]

# %% [markdown]
# The best of them, EASE, is eleven lines of linear algebra. Here they are, from the package itself:

# %%
cr.show(M.EASE)

# %% [markdown]
# Two things to notice, which will matter again and again.
#
# * **Popularity is a strong baseline**, and not personal at all.
# * **Guessing stars isn't ranking.** The two that guess stars (those with an `rmse`) find less than
#   popularity, which guesses none. How many stars a film gets *if* you watch it doesn't say what
#   you should watch.

# %%
cr.claim("Warm, popularity finds more of what people like than matrix factorisation, which "
         "predicts their stars better than the biases do.",
         warm.recall["popularity"] > warm.recall["matrix factorisation"]
         and warm.rmse["matrix factorisation"] < warm.rmse["biases"])
cr.claim("The best three are collaborative, or hybrids with a collaborative part.",
         set(warm.index[:3]) <= {"EASE", "UserKNN", "ItemKNN", "weighted hybrid",
                                 "feature combination"})

# %% [markdown]
# ## 3. Now the films are new
#
# The same line-up, but what we hide is *every* rating of a fifth of the films.
#
# > **Predict.** Which of the eleven bars will fall to random's level? Which will be on top?

# %%
seeds = range(run.pick(smoke=2, cpu=5))
cold_splits = [cr.splits.item_cold(ml, 0.2, seed=seed) for seed in seeds]
split = cold_splits[0]
cold = cr.leaderboard(families, [split])

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
cr.plots.bars(warm.recall, ax=left, label="Recall@20, warm (1,682 films ranked)",
              reference={"chance": warm.chance["random"]})
cr.plots.bars(cold.recall[warm.index], ax=right, label="Recall@20, cold (336 new films ranked)",
              reference={"chance": cold.chance["random"]})
cr.plots.show(left, "Left: with warm films, EASE, the feature combination and the two neighbour "
                    "models lead, and popularity is in the middle. Right, the same models in the "
                    "same order with new films: everything that is purely collaborative stands "
                    "near the dashed line of chance (20 films over the films ranked), and only "
                    "models that read the films' content are above it.")

# %%
blind = ["popularity", "biases", "UserKNN", "ItemKNN", "matrix factorisation", "EASE"]
new = np.concatenate([families[m].fit(split.train).score(ml.user_ids, split.cold_items)
                      for m in blind])
cr.claim("Every purely collaborative model says NaN for every new film.", np.isnan(new).all())
cr.claim("Every model that reads content finds at least three times what random does.",
         cold.recall.drop([*blind, "random"]).min() > 3 * cold.recall["random"])

# %% [markdown]
# What can't be scored is put in random order by `evaluate`, the same for all six: that is why their
# bars are equal. (A random order is a draw, and lies a little beside chance.)
#
# ## 4. Why: nobody has moved its vector
#
# Matrix factorisation and neural recommenders give each item an *embedding* that training moves
# until it fits the item's ratings. A new item has none, so nothing moves it.
#
# We show it on the network that the article itself proposes for the cold start: an embedding of
# user and item, a bidirectional GRU over the two, a dense layer, a softmax over the ratings. As
# printed, its code can't run (section 9 lists why), so the package has it in PyTorch:

# %%
cr.show(M.sequence.build_network)

# %%
network = M.ArticleNetwork(hidden=run.pick(smoke=8, cpu=32, gpu=256),
                           epochs=run.pick(smoke=1, cpu=3)).fit(split.train)
trained = network.network_.embedding.weight.detach().cpu().numpy()
moved = np.linalg.norm(trained - network.start_, axis=1)[len(ml.user_ids):]
is_cold = ml.item_ids.isin(split.cold_items)

ax = cr.plots.axes(height=3.2)
ax.hist(moved[~is_cold], bins=40, color=cr.plots.BLUE, label=f"{(~is_cold).sum()} warm films")
ax.axvline(0, color=cr.plots.RED, linewidth=3, label=f"{is_cold.sum()} cold films: exactly 0")
ax.set(xlabel="distance between a film's vector before and after training", ylabel="films")
ax.legend(frameon=False)
cr.plots.show(ax, "How far training moved each film's embedding: warm films by varying amounts, "
                  "the cold films not at all. What the network says of them is made from random "
                  "numbers.")
cr.claim("Training moved every warm film's vector and no cold film's.",
         (moved[is_cold] == 0).all() and (moved[~is_cold] > 0).all())

# %%
noise, floor = (cr.evaluate(m, split) for m in (network, M.Random().fit(split.train)))
print(f"The article's network on new films: Recall@20 {noise.recall:.3f}, random "
      f"{floor.recall:.3f}; RMSE {noise.rmse:.3f} stars, biases alone {cold.rmse['biases']:.3f}.")

# %% [markdown]
# One run is luck: the network gives nearly one and the same random list to everybody, and random
# lists differ by much. Section 8 has five runs on five splits, their spread, and their mean, which is
# at random's level. (At tier `cpu` the network is narrower and trained for fewer epochs than the
# article's: width 32 and 3 epochs, not 256 and 10.)
#
# So the network proposed as a cure has the disease. Nothing in it reads anything about an item but
# its number. What helps is not the architecture but the *input*: a vector that a new item has on
# its first day.

# %% [markdown]
# ## 5. Four settings, and the road between them
#
# New items are one case. Rearrange the rating matrix so that a random fifth of the people and of
# the films come last, and four blocks appear. (Within a block the films keep MovieLens' numbers, and
# low numbers went to popular films, which is why the dots thin out to the right.)

# %%
both = cr.splits.both_cold(ml, 0.2, seed=0)
new_user, new_item = ~ml.user_ids.isin(both.cold_users), ~ml.item_ids.isin(both.cold_items)
row = np.argsort(np.lexsort((np.arange(len(new_user)), ~new_user)))[
    ml.user_rows(ml.ratings["user"])]
column = np.argsort(np.lexsort((np.arange(len(new_item)), ~new_item)))[
    ml.item_rows(ml.ratings["item"])]
block = 2 * (row >= new_user.sum()) + (column >= new_item.sum())
ax = cr.plots.axes(height=4.5)
ax.scatter(column[::2], row[::2], s=0.3, c=np.array([cr.plots.BLUE, cr.plots.RED, cr.plots.ORANGE,
                                            "black"])[block[::2]])
for (x, y), name in zip(((500, 380), (1510, 380), (500, 850), (1510, 850)),
                        ("warm", "item-cold", "user-cold", "both-cold"), strict=True):
    ax.text(x, y, name, ha="center", fontsize=13, bbox={"facecolor": "white", "alpha": 0.85})
ax.set(xlabel="films (the last fifth is new)", ylabel="people (the last fifth is new)",
       xlim=(0, len(new_item)), ylim=(len(new_user), 0))
cr.plots.show(ax, "Half of the 100,000 ratings as dots, in four blocks: known people and known films "
                  "(warm), new films (item-cold), new people (user-cold), and new people with new "
                  "films (both-cold). Item-cold tests on the right half of the picture and trains "
                  "on the left; user-cold tests on the lower part and trains on the upper; "
                  "both-cold trains on the warm block alone and tests on the smallest.")

# %% [markdown]
# (`targets="ease"` below: instead of "liked or not", the ridge learns the score that EASE gives each
# known film; section 8 says what that is worth. For a new person it ranks by the mean over people.)
#
# For new *people* the table is turned: what is known of them is age, gender and occupation, a
# **user view**. Popularity needs no history of the person at all.
#
# > **Predict.** For a new person and known films: popularity, or a ridge on who the person is?

# %%
few = {
    "random": M.Random(), "popularity": M.Popularity(), "EASE": M.EASE(),
    "ridge on item views": M.ViewRidge(words, targets="ease"),
    "ridge on user view": M.ViewRidge({"who": cr.views.demographics(ml)}, targets="ease",
                                      side="user"),
}
settings = {"warm": cr.splits.warm(ml), "item-cold": split, "user-cold": cr.splits.user_cold(ml),
            "both-cold": both}
boards = {name: cr.leaderboard(few, [s]) for name, s in settings.items()}
table = pd.DataFrame({name: board["recall"] for name, board in boards.items()}).loc[list(few)]
table

# %%
cr.claim("For new people, popularity is at least three times random, and EASE is at random.",
         table.at["popularity", "user-cold"] > 3 * table.at["random", "user-cold"]
         and abs(table.at["EASE", "user-cold"] - table.at["random", "user-cold"]) < 0.02)
cr.claim("Knowing age, gender and occupation of a new person adds less than 0.01 to popularity.",
         table.at["ridge on user view", "user-cold"]
         < table.at["popularity", "user-cold"] + 0.01)
cr.claim("For new people and new films, only the ridge on item views is clearly above random.",
         table["both-cold"].drop("ridge on item views").max() < 0.12
         < table.at["ridge on item views", "both-cold"])

# %% [markdown]
# **From cold to warm.** Nobody stays new. Give the models `k` random ratings of each new film, and
# test all on the same other ratings. Only films with more than 50 ratings can take part, little more
# than a hundred a split, so chance alone finds a fifth: compare the lines with each other and with
# the dashed one, not with other sections.

# %%
ks = run.pick(smoke=[0, 5], cpu=[0, 1, 5, 10, 20, 50])
arms = {"EASE (ratings only)": M.EASE(), "ridge on views": M.ViewRidge(words, targets="ease"),
        "feature combination": M.FeatureCombination(words, targets="ease")}
curve = pd.concat(
    cr.evaluation.runs(arms, [cr.splits.k_shot(s, k, most=max(ks)) for s in cold_splits[:3]],
                       control=False).assign(k=k) for k in ks)
chance = curve["chance"].mean()
curve = curve.groupby(["k", "model"])["recall"].agg(["mean", "sem"]).unstack()
ax = cr.plots.lines(curve["mean"][list(arms)], curve["sem"], ylabel="Recall@20 of the new films",
                    xlabel="ratings known of each film (scale stretched near zero)")
ax.axhline(chance, color="black", linestyle="--", linewidth=1, label="chance")
ax.set_xscale("symlog", linthresh=1)
ax.set_xticks(ks, ks)
ax.set_xlim(-0.2, 1.2 * max(ks))
ax.legend(frameon=False)
cr.plots.show(ax, "Recall against the number of known ratings of each film, mean of three splits "
                  "with a band of one standard error. Ratings alone start at chance, rise steeply "
                  "and reach the views late; the hybrid of both is not behind either.")

# %%
mean = curve["mean"]
first, last = mean.index[0], mean.index[-1]
cr.claim("With no rating, views find more than twice what ratings find; with fifty, the two are "
         "within 0.05.",
         mean.at[first, "ridge on views"] > 2 * mean.at[first, "EASE (ratings only)"]
         and abs(mean.at[last, "EASE (ratings only)"] - mean.at[last, "ridge on views"]) < 0.05)
cr.claim("The feature combination, which reads both, is behind neither by more than 0.01 anywhere.",
         (mean["feature combination"] > mean.drop(columns="feature combination").max(axis=1)
          - 0.01).all())

# %% [markdown]
# Where the lines cross is a number worth knowing for your own shop: up to there, an item is cold in
# practice. Here it is some dozens of ratings, and three splits don't say more. A hybrid needn't
# choose. The rating formula of lesson 06 goes smoothly from one to the other, and says how sure it
# is.
#
# ☕ *A good place to stop for today.*

# %% [markdown]
# ## 6. Random or in time?
#
# Real newcomers aren't a random sample: they come *later*. A split by time trains on the first
# four fifths of the ratings and tests on the last.

# %%
later, anytime = cr.splits.by_time(ml, 0.2), cr.splits.warm(ml, 0.2, seed=0)
print(later)
in_test = later.test.ratings["user"].isin(later.cold_users).mean()
print(f"{in_test:.0%} of the ratings in the later test are by people unknown before.")
print(f"{len(later.cold_users)} of {later.test.ratings['user'].nunique()} people in it are new.")
clock = {name: families[name] for name in ("random", "popularity", "ItemKNN", "EASE")}
in_time = pd.DataFrame({name: cr.leaderboard(clock, [s], pool="all", control=False)["recall"]
              for name, s in {"random split": anytime, "split by time": later}.items()})
in_time

# %% [markdown]
# In time, popularity beats EASE, for most of the later ratings are by people whom EASE doesn't know.
# MovieLens is peculiar: many people rate their films in one sitting and never come back, while few
# films are new. That is why this course splits over entities: over films for the item cold start,
# over people for the user cold start. Where the dates of your data are dates of use, take `by_time`;
# a random split lets a model learn from the future (Ji et al. 2020, arXiv:2010.11060).

# %%
cr.claim("On the random split EASE finds twice what popularity finds; in time it finds less.",
         in_time.at["EASE", "random split"] > 2 * in_time.at["popularity", "random split"]
         and in_time.at["EASE", "split by time"] < in_time.at["popularity", "split by time"])
cr.claim("Split by time, more than half of the test ratings are by new people.", in_test > 0.5)

# %% [markdown]
# ## 7. Six ways to fool yourself
#
# ### 7.1 Accuracy
#
# The article judges its network by *accuracy*: how often is the predicted number of stars right?
# Here for the first 200 people, warm (the network reads each pair one by one, and all people would
# take minutes):

# %%
easy = settings["warm"]
truth = easy.test.ratings.query("user <= 200")
easy_200 = cr.splits.Split("warm, 200 people", easy.train, easy.test.with_ratings(truth))
users, items = pd.Index(truth["user"].unique()), pd.Index(truth["item"].unique())
place = users.get_indexer(truth["user"]), items.get_indexer(truth["item"])
judged = {"biases": M.Bias(), "the article's network":
          M.ArticleNetwork(hidden=network.hidden, epochs=network.epochs)}
rows = {"always 4 stars": {"accuracy": (truth["rating"] == 4).mean()},
        "popularity": {"Recall@20": cr.evaluate(M.Popularity().fit(easy.train), easy_200).recall}}
for name, model in judged.items():
    stars = model.fit(easy.train).predict(users, items)[place]
    rows[name] = {"accuracy": (stars.round() == truth["rating"]).mean(),
                  "Recall@20": cr.evaluate(model, easy_200)["recall"]}
accuracy = pd.DataFrame(rows).T
accuracy

# %%
cr.claim("Both models are right more often than always saying 4, and rank worse than popularity.",
         all(accuracy.at[m, "accuracy"] > accuracy.at["always 4 stars", "accuracy"]
             and accuracy.at[m, "Recall@20"] < accuracy.at["popularity", "Recall@20"]
             for m in judged))

# %% [markdown]
# Accuracy counts a guess of 3 for a 4 as wrong as a guess of 1, asks only about films that people
# chose to see, and says nothing about the order of a list.

# %% [markdown]
# ### 7.2 Ranking against a sample
#
# Many papers rank each liked film among 100 random others instead of the whole catalogue.

# %%
def sampled_recall(model, split, k=20, negatives=100):
    """Recall@k where each liked film is ranked among a sample of films the user never rated."""
    rng = np.random.default_rng(0)
    known = (split.train.matrix() + split.test.matrix()).toarray() > 0
    likes = split.test.matrix(likes=True).toarray() > 0
    scores = np.nan_to_num(model.score(ml.user_ids, ml.item_ids), nan=-np.inf)
    found = []
    for user in np.flatnonzero(likes.any(1)):
        order = scores[user, rng.choice(np.flatnonzero(~known[user]), negatives, replace=False)]
        above = (order > scores[user, likes[user]][:, None]).sum(1)
        equal = (order == scores[user, likes[user]][:, None]).sum(1)
        found.append((above + equal / 2 < k).mean())
    return np.mean(found)


fitted = {name: families[name].fit(easy.train) for name in ("popularity", "biases", "EASE")}
sample = pd.DataFrame({name: {"all films": cr.evaluate(m, easy)["recall"],
                              "among 100": sampled_recall(m, easy)} for name, m in fitted.items()})
sample

# %% [markdown]
# The same lists look far better, and the distance between good and bad shrinks. Sampled metrics can
# even swap two models (Krichene & Rendle 2020). This course always ranks the whole pool.

# %%
cr.claim("Ranked among 100 samples, every figure rises by half and more, and the ratio of EASE to "
         "the biases shrinks to less than half of what it is.",
         (sample.loc["among 100"] > 1.5 * sample.loc["all films"]).all()
         and sample.at["all films", "EASE"] / sample.at["all films", "biases"]
         > 2 * sample.at["among 100", "EASE"] / sample.at["among 100", "biases"])

# %% [markdown]
# ### 7.3 Ties in the order of the file
#
# In MovieLens, films with low numbers are the popular ones. A model that gives every cold film the
# same score knows nothing, but if ties are broken by position, it looks clever:

# %%
relevant = split.test.matrix(likes=True)[:, ml.item_rows(split.cold_items)].toarray() > 0
judged = relevant.sum(1) > 0
first = cr.metrics.recall(relevant[judged][:, :20], relevant[judged].sum(1)).mean()
print(f"the first 20 cold films of the file for everybody: Recall@20 {first:.3f}; "
      f"random order: {cold.recall['random']:.3f}")
cr.claim("File order beats random order by more than half.", first > 1.5 * cold.recall["random"])

# %% [markdown]
# ### 7.4 One film, two numbers
#
# Some films are in the catalogue twice. If one copy is in training and the other in the test, the
# "new" film isn't new.

# %%
twice = ml.items[ml.items.duplicated(["title", "year"], keep=False)].sort_values("title")


def torn(split):
    """Return the films of which one copy is cold and the other warm."""
    cold = twice["item"].isin(split.cold_items)
    return set(twice[cold]["title"]) & set(twice[~cold]["title"])


naive = cr.splits.item_cold(ml.with_items(ml.items.drop(columns="title")), 0.2, seed=0)
print(f"{len(twice)} entries are {len(twice) // 2} films twice; pairs torn apart by a split that "
      f"ignores titles: {len(torn(naive))}, by the course's: {len(torn(split))}.")
film = pd.Series(ml.item_groups(), ml.item_ids)[ml.ratings["item"]].to_numpy()
again = ml.ratings.assign(film=film)
again = again[again.duplicated(["user", "film"], keep=False)].groupby(["user", "film"])["rating"]
print(f"{again.ngroups} times somebody rated both copies of a film, "
      f"{(again.nunique() == 1).mean():.0%} of the time with the same stars.")

torn_items = twice[twice["title"].isin(torn(naive))]["item"]
rest = naive.test.ratings[~naive.test.ratings["item"].isin(torn_items)]
without = cr.splits.Split("no torn pairs", naive.train, naive.test.with_ratings(rest),
                          cold_items=naive.cold_items)
hybrid = M.FeatureCombination(words).fit(naive.train)
flattery = cr.evaluate(hybrid, naive)["recall"] - cr.evaluate(hybrid, without)["recall"]
print(f"Recall@20 with the torn films, minus without: {flattery:+.4f}")
twice[["item", "title", "genres"]].head(4)

# %%
cr.claim("The course's splits tear no pair apart; one that ignores titles does.",
         len(torn(split)) == 0 < len(torn(naive)))
cr.claim("With so few pairs, it changes the recall by less than 0.01 here.",
         abs(flattery) < 0.01)

# %% [markdown]
# So in this catalogue the copies are a matter of principle. In a shop where every colour of a shirt
# has a number of its own, they are most of the test.

# %% [markdown]
# ### 7.5 A feature that knows the answer
#
# "Number of votes" looks like a harmless property of a film. Add it to the views, once counted over
# all the data, as it stands in a downloaded table, and once over the training ratings only:

# %%
def votes(ratings):
    """Return the log of one plus the number of ratings of each film, as a view."""
    return np.log1p(ratings.matrix().getnnz(axis=0))[:, None]


leaky = {
    "views": M.ViewRidge(words, targets="ease"),
    "views + votes in all data": M.ViewRidge(words | {"votes": votes(ml)}, targets="ease"),
    "views + votes in training": lambda s: M.ViewRidge(words | {"votes": votes(s.train)},
                                                       targets="ease"),
    "oracle: likes in the test": M.TestCountOracle,
}
leak = cr.leaderboard(leaky, cold_splits)
leak[["recall", "control"]]

# %% [markdown]
# Counted over everything, one column lifts the model past the oracle: it has been told which new
# films will be hits. Counted over training, it is zero for every new film, and no help. **Ask of
# every column: could it have been known on the first day?**
#
# The column `control` is this course's standing leak test: the new films' side information is
# shuffled among them and the model fitted again. An honest model falls to random. The *oracle*,
# which looks the hidden ratings up by film number, doesn't, and is caught. Mark what it can't
# catch: a leak *inside* a view is shuffled away with the view. For those, ask the question above.

# %%
cr.claim("The leaked column lifts the model past the oracle; counted in training it doesn't help.",
         leak.recall["views + votes in all data"] > leak.recall["oracle: likes in the test"]
         and leak.recall["views + votes in training"] < leak.recall["views"])
cr.claim("Shuffled, the honest model is below 0.1 and the oracle stays where it is.",
         leak.control["views"] < 0.1 and leak.control["oracle: likes in the test"] > 0.3)

# %% [markdown]
# ### 7.6 Only the cold pool
#
# So far new films competed with new films. In a real list they compete with everything. In the
# **mixed pool**, a fifth of the films is new, a tenth of the other ratings is hidden, and all films
# are ranked:

# %%
mixture = [cr.splits.mixed(ml, seed=seed) for seed in seeds[:2]]
mixed = cr.leaderboard({**few, "weighted hybrid": M.WeightedHybrid(
    [(M.EASE(), 1.0), (M.ViewRidge(words, targets="ease"), 0.5)])}, mixture, pool="all",
    control=False)
mixed[["recall_warm", "recall_cold", "recall", "share_cold"]]

# %% [markdown]
# `share_cold` is the share of the lists that is new films. EASE finds warm films and no new one. The
# ridge finds some of both. The hybrid is a mean of the two models' ranks; a new film has the ridge's
# rank alone, so new films crowd its lists. It finds the most of them, and pays for them with much of
# what EASE finds among the warm ones. Good on both at once is what a shop needs: lesson 05 draws
# this trade-off and moves it. Until then, whoever shows you a cold-start figure: ask for the pool.

# %%
cr.claim("In the mixed pool, EASE finds none of the new films.", mixed.recall_cold["EASE"] < 0.005)
cr.claim("The hybrid finds the most new films, and less than two thirds of EASE's warm ones.",
         mixed.recall_cold.idxmax() == "weighted hybrid"
         and mixed.recall_warm["weighted hybrid"] < 2 / 3 * mixed.recall_warm["EASE"])

# %% [markdown]
# ## 8. The first leaderboard
#
# Item-cold, five splits, all 336 or so new films ranked, mean and standard error. `control` is the
# mean of three shuffled runs a split, and belongs near `chance`. One row reads the box without a
# language model: "words" is TF-IDF over the same texts that MiniLM gets. The dotted line is the
# *oracle*: one list for everybody, in the order of the hidden likes. It is what perfect foresight of
# popularity is worth without any personal taste; to pass it, an honest model must know something
# about persons.

# %%
line_up = {
    "random": M.Random(), "popularity": M.Popularity(), "matrix factorisation":
    M.MatrixFactorisation(), "article's network": M.ArticleNetwork(
        hidden=network.hidden, epochs=network.epochs),
    "text cosine": M.ViewCosine({"text": words["text"]}), "TF-IDF profile": M.Content(),
    "genres + year ridge": M.ViewRidge({v: words[v] for v in ("genres", "year")}),
    "text ridge": M.ViewRidge({"text": words["text"]}),
    "text + genres + year ridge": M.ViewRidge(words),
    "feature combination": M.FeatureCombination(words),
    "genres + year, EASE targets": M.ViewRidge(
        {v: words[v] for v in ("genres", "year")}, targets="ease"),
    "words + genres + year, EASE targets": M.ViewRidge(
        {**words, "text": cr.views.tfidf(ml)}, targets="ease"),
    "text + genres + year, EASE targets": M.ViewRidge(words, targets="ease"),
    "oracle": M.TestCountOracle,
}
runs = cr.evaluation.runs(line_up, cold_splits, control=run.pick(smoke=1, cpu=3))
board = cr.evaluation.summarise(runs)
board[["recall", "recall_se", "ndcg", "coverage", "popularity_bias", "rmse", "control",
       "control_se", "chance"]]

# %% tags=["readme"]
shown = board.drop("oracle")
ax = cr.plots.bars(shown.recall, shown.recall_se, label="Recall@20 on new films, mean ± SE",
                   reference={"chance": board.chance["random"], "oracle": board.recall["oracle"]},
                   digits=3)
cr.plots.show(ax, "The first leaderboard. Ridges on views lead, the more so when they learn what "
                  "EASE says of the warm films instead of raw likes; popularity, matrix "
                  "factorisation and the article's network stand at random.")

# %% [markdown]
# The same model differs between splits by as much as neighbouring models do, so we compare models
# *within* each split. The five splits share most of their training data and some of their test, so
# five differences say less than five independent ones would: `cr.compare` widens the interval for it
# (Nadeau & Bengio 2003). It is the plain paired t interval, with the variance of the mean taken as
# $s^2 (1/n + n_\mathrm{test}/n_\mathrm{train})$ instead of $s^2/n$. More splits of the same data
# would hardly narrow it: the second term stays.

# %%
best = "text + genres + year, EASE targets"
pairs = [(best, "genres + year, EASE targets"), (best, "words + genres + year, EASE targets"),
         (best, "text + genres + year ridge"), (best, "oracle"), ("text ridge", "text cosine")]
paired = pd.DataFrame([{"a": a, "b": b, **cr.compare(runs, a, b)} for a, b in pairs])
paired[["a", "b", "mean", "se", "low", "high"]]

# %% [markdown]
# Row by row: what reading the box adds to genres and years; what a *language model* adds to counting
# its words (the question in the title of this course, and every lesson tries to move this number);
# what a better *target* adds; how far the line of the oracle still is; and what asking for preference
# instead of similarity adds. An interval that has zero in it says: these five splits don't prove it.

# %%
low, high = paired["low"], paired["high"]
wins = runs.pivot(index="split", columns="model", values="recall")
cr.claim("The text adds to genres and year, and MiniLM adds to counting its words, both by a "
         "corrected 95 % interval.", low[0] > 0 and low[1] > 0)
cr.claim("EASE targets beat raw likes in every one of the splits, but the corrected interval "
         "doesn't exclude zero.", (wins[best] > wins["text + genres + year ridge"]).all()
         and low[2] < 0 < high[2])
cr.claim("The best honest model of this lesson has a lower mean than the oracle.",
         paired["mean"][3] < 0)
network_runs = wins["article's network"]
print(f"The article's network, split by split: {network_runs.min():.3f} to "
      f"{network_runs.max():.3f}, mean {network_runs.mean():.3f}; chance "
      f"{board.chance['random']:.3f}.")
cr.claim("Popularity, matrix factorisation and the article's network are no better than random "
         "plus three standard errors.",
         all(board.recall[m] < board.recall["random"] + 3 * np.hypot(
             board.recall_se["random"], board.recall_se[m])
             for m in ("popularity", "matrix factorisation", "article's network")))
cr.claim("Shuffled, no honest model is above chance by more than three standard errors, and the "
         "oracle is.", (shown.control < shown.chance + 3 * shown.control_se).all()
         and board.control["oracle"] > board.chance["oracle"] + 3 * board.control_se["oracle"])

names = {"genres + year ridge": "genres+year ridge", "matrix factorisation": "mf",
         "article's network": "article network"}
kept = cr.record("01", {
    **{f"R {names.get(m, m)}": list(rows["recall"]) for m, rows in runs.groupby("model")},
    **{f"control {names.get(m, m)}": list(rows["control"]) for m, rows in runs.groupby("model")},
    "R chance": board.chance["random"],
    "text adds (paired)": (paired["mean"][0], paired["se"][0], len(cold_splits)),
    "MiniLM adds to words (paired)": (paired["mean"][1], paired["se"][1], len(cold_splits))})

# %% [markdown]
# ## 9. The article's program
#
# The article that this course follows ends in a program, TensorFlow code that it calls PyTorch. It
# imports BERT and never uses it, and it can't run. What stops it, and what we did instead:
#
# | in the program | what happens | here |
# |---|---|---|
# | `from_tensor_slices(data_frame)` | rows of three numbers can't be unpacked into `x, y`: it stops | tensors of pairs and of labels |
# | `categorical_crossentropy` on whole numbers | it wants one-hot rows | `cross_entropy` with labels from 0 |
# | `.repeat()` without a count | the first epoch never ends | epochs over shuffled batches |
# | `Accuracy().predict(...)` | there is no such method; and a probability is no label | RMSE, and recall over the whole pool |
# | user 7 and item 7 share one embedding row | two things become one | items are numbered after the users |
# | `train_test_split` of the rows | nobody is new: it would measure the warm case | `item_cold`, `user_cold`, `both_cold` |
# | no text, no graph, no language model in it | no newcomer can be told from another | views |
#
# Its text has gaps of the same kind, which later lessons come to: a graph can't be "fine-tuned" (a
# *model* is, on the graph's triples; lessons 03 and 04), and its worked example of the rating
# formula has two errors of arithmetic (lesson 06). What it is right about is the plan: facts about
# items, a language model that reads them, dense vectors, a formula that makes ratings of them.
#
# ## Key points
#
# * Ratings say nothing about what has none. Collaborative models, the article's network included,
#   rank new items at random, because nothing has moved their vectors.
# * What helps is an input that a newcomer has on the first day: a view.
# * Say *which* cold start you measure: warm, item-cold, user-cold, both-cold, k-shot, in time; and
#   which pool.
# * Learning what a good warm model says (EASE targets) beats learning raw likes.
# * Beside every method: random, popularity, an oracle line; over several seeds; compared in pairs,
#   with intervals that know the splits overlap; with a leak control.
#
# ## Check your understanding
#
# <details><summary>1. A colleague's model for new items reaches 0.45 where yours has 0.33. Name three
# questions to ask before you congratulate.</summary>
#
# Which pool, and all of it or a sample? Which features, and could each have been known on the first
# day? Are copies of one item on both sides? (Also: what do random and the oracle get on the same
# split, and what is the error?)
# </details>
#
# <details><summary>2. Why does popularity work for new users and fail for new items?</summary>
#
# It is a property of the *items*, learnt from other people. A new person doesn't change it; a new
# item has none.
# </details>
#
# <details><summary>3. Why can the ridge on views fall behind EASE once a film has some ratings?</summary>
#
# It can only say what the views can express. Two films with the same box but different audiences
# look the same to it; ratings tell them apart.
# </details>

# %% [markdown]
# ## To read on
#
# * The article: 禅与计算机程序设计艺术, *LLM对推荐系统冷启动问题的缓解* (in Chinese).
# * EASE: Steck 2019, *Embarrassingly shallow autoencoders for sparse data*,
#   doi:[10.1145/3308558.3313710](https://doi.org/10.1145/3308558.3313710).
# * Matrix factorisation: Koren, Bell & Volinsky 2009,
#   doi:[10.1109/MC.2009.263](https://doi.org/10.1109/MC.2009.263).
# * Hybrids: Burke 2002, doi:[10.1023/A:1021240730564](https://doi.org/10.1023/A:1021240730564).
# * Sampled metrics: Krichene & Rendle 2020,
#   doi:[10.1145/3394486.3403226](https://doi.org/10.1145/3394486.3403226).
# * Splits and leaks in time: Ji, Sun, Zhang & Li 2020, *A critical study on data leakage in recommender
#   system offline evaluation*, [arXiv:2010.11060](https://arxiv.org/abs/2010.11060).
# * Intervals over overlapping splits: Nadeau & Bengio 2003, *Inference for the generalization error*,
#   doi:[10.1023/A:1024068626366](https://doi.org/10.1023/A:1024068626366).
#
# **Next:** the exercise sheet `exercises/01_the_cold_start_problem.ipynb` (60 minutes), then lesson
# 02: a knowledge graph, and how to find out that it is wrong.
