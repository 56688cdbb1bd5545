# ---
# title: Start here
# minutes: 10
# able: rank, for one person, films that nobody has rated, and tell whether the list is any good
# ---

# %% [markdown]
# # Lesson 00 · Start here
#
# A new film has no ratings. Every recommender that learns from ratings is blind to it, and on
# the day it matters most. That is the **cold-start problem**, and this course is about what helps:
# language models, knowledge graphs, and measuring honestly whether they do.
#
# **After this lesson you can** rank films that nobody has rated for one person, with a language
# model, and tell whether the list is any good.
#
# | | |
# |---|---|
# | You need | Python, and to have used a data frame once |
# | You read for | 10 minutes |
# | It runs for | under a minute on two cores (tier `cpu`), with 1 GB of memory; a GPU makes no difference yet |

# %% [markdown]
# ## 1. Is everything here?

# %%
import pandas as pd

import coldrec as cr

pd.options.display.float_format = "{:.9g}".format
run = cr.setup(seed=0)

# %% [markdown]
# That line says which **tier** you run at. `cpu` is for a laptop or Colab without a GPU, `gpu`
# for one graphics card with 15 GB, and `smoke` only tests that every cell runs. You choose with
# the environment variable `COLDREC_TIER`, or let the machine decide.
#
# Three habits run through the course:
#
# * **Predict first.** Before a figure, write down what you expect. Being wrong is how one learns.
# * **Claims that can fail.** A sentence with a ✓ in front was checked against the figures of this
#   very run; if it weren't true, the notebook would have stopped there.
# * **Exercises that answer back.** Each lesson has a sheet in `exercises/` whose checks say what
#   is likely wrong.

# %% [markdown]
# ## 2. A hundred thousand ratings
#
# MovieLens-100K: what 943 people thought of 1,682 films, in 1997 and 1998, in stars from 1 to 5.

# %%
ml = cr.load("ml-100k")
print(ml)
ml.ratings.head(3)

# %%
ml.items.sample(4, random_state=3)

# %% [markdown]
# ## 3. Make a fifth of the films new
#
# We can't wait for new films to come out and be rated, so we pretend: take every rating of a
# random fifth of the films away, and hide them in a **test set**. For every model, these films are
# now *cold*. The hidden ratings will tell us whom they should have been recommended to.

# %%
split = cr.splits.item_cold(ml, fraction=0.2, seed=0)
split

# %% [markdown]
# Take a person: user 1, simply because they come first. Some of the films they loved, among those
# that a model may learn from:

# %%
user = 1
loved = split.train.ratings.query("user == @user and rating == 5").merge(ml.items, on="item")
loved[["title", "year", "genres"]].head(8)

# %% [markdown]
# ## 4. Popularity has nothing to say
#
# The simplest recommender of all counts ratings, and it is hard to beat (lesson 01). What does it
# recommend among the cold films?

# %%
popularity = cr.models.Popularity().fit(split.train)
scores = popularity.score([user], split.cold_items)
print(f"{scores.shape[1]} cold films, scored by popularity: {pd.Series(scores[0]).notna().sum()}")
cr.recommend(popularity, split, user)

# %% [markdown]
# An empty list. A film without ratings has no popularity, and in this course a model that can't
# tell says `NaN`, never zero. (An honest "I don't know" is easy to see; a zero looks like an
# opinion.) All that is known of a cold film is what is written on the box: title, year, genres.

# %% [markdown]
# ## 5. Let a language model read the box
#
# *all-MiniLM-L6-v2* is a small BERT that turns a text into 384 numbers, such that texts with
# similar meanings get similar vectors. It was trained on pairs of sentences, not on
# these ratings. We give it one sentence a film:

# %%
print(*cr.views.describe(ml)[:3], sep="\n")
text = cr.views.text(ml)
text.shape

# %% [markdown]
# That matrix is a **view**: one row for each film, made without ratings, so cold films have one
# like all others. The first idea is to average the vectors of the films that the person liked,
# and to look for cold films in the same direction (the cosine).
#
# > **Predict.** Of ten cold films picked at random, how many would user 1 have liked? And of the ten
# > that the encoder picks?

# %%
liked = split.test.ratings.query("user == @user and rating >= @ml.like")
by_chance = 10 * len(liked) / len(split.cold_items)
print(f"User {user} likes {len(liked)} of the {len(split.cold_items)} cold films: "
      f"ten at random would hold {by_chance:.1f} of them.")

cosine = cr.models.ViewCosine({"text": text}).fit(split.train)
cr.recommend(cosine, split, user)

# %% [markdown]
# The column `stars` is what the user really gave (`NaN`: they never rated it). A sensible-looking
# list, and not one known hit. Sounding alike may not be being liked by the same people.

# %% [markdown]
# ## 6. The same vectors, asked a better question
#
# Instead of *which film sounds like my favourites?* ask *which of the 384 numbers go with being
# liked by this person?* That is a linear regression, one for each user, on the films that have
# ratings: what is predicted is 1 for a like and 0 for everything else, seen or not. With more
# numbers than likes it would learn each like by heart, so large weights cost a penalty; that makes
# it a **ridge** regression. A cold film has the same 384 numbers, so it gets a score.

# %%
ridge = cr.models.ViewRidge({"text": text}).fit(split.train)
cr.recommend(ridge, split, user)

# %%
hits = {name: (cr.recommend(model, split, user)["stars"] >= ml.like).sum()
        for name, model in {"cosine": cosine, "ridge": ridge}.items()}
cr.claim("Of its ten films, the cosine has none that user 1 liked, and the ridge five.",
         hits == {"cosine": 0, "ridge": 5})

# %% [markdown]
# Nobody has rated these films, as far as the model knows, and half of them are films that the person
# gave four or five stars. Same encoder, same vectors. What we asked of them has changed.

# %% [markdown]
# ## 7. One person is an anecdote
#
# User 1 may be lucky. So judge the lists of *everybody*, and average over people. All 336 cold films
# are ranked, not a sample; what a model can't score comes last, in random order. (So popularity's
# lists, empty above, are random ones here.)
#
# * **Recall@20**: of the cold films that the person liked, the share that is among the 20 best.
# * **Precision@20**: of those 20, the share that the person liked.
# * **NDCG@20**: like recall, but a liked film counts more the higher it stands; 1 is a perfect order.
# * **Coverage**: the share of the cold films that is in at least one person's list.

# %%
models = {
    "ridge on the text view": ridge,
    "cosine on the text view": cosine,
    "popularity": popularity,
    "random": cr.models.Random(seed=0).fit(split.train),
}
board = pd.DataFrame({name: cr.evaluate(model, split, k=20) for name, model in models.items()}).T
board[["recall", "ndcg", "precision", "coverage"]].map("{:.3f}".format)

# %%
ax = cr.plots.bars(board["recall"], label="Recall@20 on films that nobody has rated")
cr.plots.show(ax, "Recall@20 on cold films: the ridge on the encoder's vectors finds far more of "
                  "what people liked than the cosine on the same vectors; popularity is no better "
                  "than random.")

# %%
recall = board["recall"]
cr.claim("Knowing of each new film no more than the box says, the ridge finds more than four "
         "times as many liked films as chance does.",
         recall["ridge on the text view"] > 4 * recall["random"])
cr.claim("On the same vectors, the ridge beats the cosine by half and more.",
         recall["ridge on the text view"] > 1.5 * recall["cosine on the text view"])
cr.claim("Popularity is within one hundredth of random: films that it can't score come in "
         "random order.", abs(recall["popularity"] - recall["random"]) < 0.01)
kept = cr.record("00", {f"R {name}, one split": value for name, value in recall.items()})

# %% [markdown]
# One split, too, is little evidence: another fifth of the films may be easier. Lesson 01 repeats
# this over five, gives every figure a standard error, and puts a dozen methods side by side.
#
# ## Key points
#
# * An item is **cold** when no rating of it is known. Models of ratings alone can't score it.
# * A **view** is one row of numbers per item, made without ratings; a language model makes one.
# * What the view is asked to predict matters, not only the view: similarity is not preference.
# * Judge on everybody, against random and popularity, with hidden ratings.
#
# ## Check your understanding
#
# <details><summary>1. Why does the ridge know anything about a film without ratings?</summary>
#
# It learned which of the 384 numbers go with a person's likes on films *with* ratings. A film
# without ratings has the same 384 numbers.
# </details>
#
# <details><summary>2. Most of the lists' stars are <code>NaN</code>. Are these films misses?</summary>
#
# They count as misses, but we don't know: the person may never have come across them. Figures on
# such data are lower bounds, the same for all methods; lesson 08 comes back to it.
# </details>
#
# <details><summary>3. The model has not seen the ratings of a cold film. What might still give
# it an unfair hint?</summary>
#
# Anything in the view that was made from ratings or from the future: the number of votes, tags,
# awards won later; the same film under a second id; an encoder that has read about MovieLens.
# Lessons 01 and 02 catch several of these in the act.
# </details>

# %% [markdown]
# **Next:** the exercise sheet `exercises/00_start_here.ipynb` (20 minutes), then
# [lesson 01](01_the_cold_start_problem.ipynb): what goes wrong, for whom, and how to measure it.
