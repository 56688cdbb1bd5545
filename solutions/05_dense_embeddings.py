# ---
# title: "Exercises 05: Dense embeddings"
# minutes: 75
# able: centre vectors, count hubs, tell when the length of a vector matters, write the contrastive loss, search a catalogue block by block, and fuse rankings with gaps
# ---

# %% [markdown]
# # Exercises 05 · Dense embeddings
#
# **You practise** what turns a language model's vectors into a recommender: taking out what all of
# them share, seeing what goes wrong between near neighbours, choosing between cosine and dot product,
# the loss that tunes an encoder, a search that fits into memory, and a ranking made of several.
#
# | | |
# |---|---|
# | You need | [Lesson 05](../notebooks/05_dense_embeddings.ipynb); NumPy |
# | It takes | 75 minutes: six exercises of 10, 10, 10, 15, 15 and 15; each can be done without the others |
#
# How a sheet works is told at the top of [sheet 00](00_start_here.ipynb): replace the `raise` line,
# run the cell, run the check; stuck, unfold the hint, the help, the solution.

# %%
import time

import numpy as np
import pandas as pd
from scipy.sparse.linalg import svds
from scipy.stats import skew, spearmanr

import coldrec as cr

run = cr.setup(seed=0)
ml = cr.load("ml-100k")
text = cr.views.text(ml)  # a vector for each film, made of its title, year and genres
shifted = text - text.mean(axis=0)  # the same, centred, where all films are known
pd.options.display.float_format = "{:.3f}".format


def known_in(split):
    """Return a mask: which films of the catalogue aren't new in this split."""
    return ~ml.item_ids.isin(split.cold_items)


print(f"{len(text):,} films, {text.shape[1]} numbers each; shortest and longest vector: "
      f"{np.linalg.norm(text, axis=1).min():.3f} and {np.linalg.norm(text, axis=1).max():.3f}")

# %% [markdown]
# MiniLM's vectors all have length one. Those of other models, and those that you make in this sheet,
# needn't.
#
# ## Exercise 1 · Take out what all share
#
# Difficulty ●●○○○ · 10 minutes
#
# All texts of a catalogue are about films, and so all vectors point in much the same direction. That
# direction tells nothing about any of the films. **Centring** subtracts it: the mean vector. After it,
# each row is divided by its length, so that the product of two rows is their cosine again.
#
# Which mean? That of the items you know when you make the vectors. New ones come later, and must not
# move those that are already there.

# %%
def centred(vectors: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the vectors less the mean of the known ones, each scaled to length one.

    ``vectors`` is ``(items, d)``, and ``known`` has True or False for each item, True at least once.
    *All* rows are centred and scaled; the mean is that of the known rows, as they are given. A row
    that is zero after the subtraction stays zero. What is given doesn't change.
    """
    ### BEGIN SOLUTION
    shifted = vectors - vectors[known].mean(axis=0)
    length = np.linalg.norm(shifted, axis=1, keepdims=True)
    return shifted / np.where(length > 0, length, 1)
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# A mask picks rows: `vectors[known]`. Its mean has to be a *row*, so take it along the right axis. The
# lengths are those after the subtraction, one for each row.
# </details>
#
# <details><summary>Help</summary>
#
# `vectors[known].mean(axis=0)` has d numbers and is subtracted from every row at once. `vectors - ...`
# makes a new array; `vectors -= ...` would change what you were given.
# `np.linalg.norm(shifted, axis=1, keepdims=True)` is a column of lengths, which divides row by row.
# Where a length is 0, divide by 1: `np.where(length > 0, length, 1)`.
# </details>
#
# <details><summary>Solution</summary>
#
# Subtract, measure, divide.
#
# ```python
# shifted = vectors - vectors[known].mean(axis=0)
# length = np.linalg.norm(shifted, axis=1, keepdims=True)
# return shifted / np.where(length > 0, length, 1)
# ```
# </details>

# %%
cr.checks.lesson05.centred(centred)

# %% [markdown]
# A fifth of the films are new. Each user's profile is the mean of the vectors of the films they liked,
# and the new films are ranked by their cosine with it.
#
# > **Predict.** What is the mean cosine of two films before centring, and what after it? And what does
# > centring change in the recall?

# %% tags=["check"]
splits = [cr.splits.item_cold(ml, 0.2, seed=seed) for seed in range(run.pick(smoke=2, cpu=5))]


def off_diagonal(vectors):
    """Return the cosines of all pairs of different rows; the rows have length one."""
    return (vectors @ vectors.T)[~np.eye(len(vectors), dtype=bool)]


center = centred(text, known_in(splits[0]))
cosines = {"as they are": off_diagonal(text), "centred": off_diagonal(center)}
recalls = pd.DataFrame([
    {name: cr.evaluate(cr.models.ViewCosine({"text": vectors}).fit(split.train), split)["recall"]
     for name, vectors in (("as they are", text), ("centred", centred(text, known_in(split))))}
    for split in splits])
ax = cr.plots.axes(height=3.2)
for (name, values), colour, style in zip(cosines.items(), (cr.plots.ORANGE, cr.plots.BLUE), ("--", "-"), strict=True):
    ax.hist(values, bins=100, range=(-0.5, 1), histtype="step", density=True, color=colour, linestyle=style,
            linewidth=2, label=name)
ax.set(xlabel="cosine of two films", ylabel="density", xlim=(-0.5, 1))
ax.legend(frameon=False)
cr.plots.show(ax, "The cosines of all pairs of films. " + " ".join(
    f"Vectors {name}: mean {abs(values.mean()):.2f}, and 98 % lie between {np.quantile(values, 0.01):.2f} and "
    f"{np.quantile(values, 0.99):.2f}." for name, values in cosines.items()))
gain = recalls["centred"] - recalls["as they are"]
print(f"Recall@20 of new films, {len(splits)} splits: " + ", ".join(
    "{} {:.3f} ± {:.3f}".format(name, *cr.metrics.mean_se(values)) for name, values in recalls.items())
    + ". The difference is {:.3f} ± {:.3f}.".format(*cr.metrics.mean_se(gain)))
cr.claim("As they are, two films have a mean cosine above 0.4, and fewer than 1 % of the pairs a negative one. "
         "Centred, the mean is 0.", cosines["as they are"].mean() > 0.4
         and (cosines["as they are"] < 0).mean() < 0.01 and abs(cosines["centred"].mean()) < 0.01)
cr.claim("Centring raises the recall by more than 0.09 in each of the five splits.", (gain > 0.09).all())

# %% [markdown]
# One subtraction, and no rating was used for it.
#
# **Question.** Where does the gain come from: from the films that are ranked, or from the users'
# profiles? How would you find out?
#
# <details><summary>Answer</summary>
#
# Centre one of the two, and leave the other. Centred films and profiles as they are: no gain. Films as
# they are and centred profiles: the whole gain. The profile is a mean of many vectors. What they share
# adds up in it, and what tells them apart cancels out, so all users' profiles look alike. Where you average
# vectors, centre first.
# </details>

# %% tags=["solution"]
class TwoViews(cr.models.Recommender):
    """Rank by the products of films' vectors with profiles that are made of others."""

    scores_cold_items = True

    def __init__(self, profile, films):
        self.views = {"profile": profile, "films": films}

    def _fit(self, train):
        self.users_ = train.matrix(likes=True) @ self.views["profile"]

    def _score(self, user_rows, item_rows):
        return self.users_[user_rows] @ self.views["films"][item_rows].T


ways = []
for split in splits:
    center = centred(text, known_in(split))
    ways.append({name: cr.evaluate(TwoViews(*views).fit(split.train), split)["recall"] for name, views in {
        "neither": (text, text), "films": (text, center), "profiles": (center, text), "both": (center, center)}.items()})
ways = pd.DataFrame(ways)
likes = splits[0].train.matrix(likes=True)
some = np.asarray(likes.sum(1)).ravel() > 0
profiles = {}
for name, vectors in (("as they are", text), ("centred", centred(text, known_in(splits[0])))):
    mean = likes[some] @ vectors
    profiles[name] = off_diagonal(mean / np.linalg.norm(mean, axis=1, keepdims=True)).mean()
cr.claim("Centring the films alone brings nothing, in any split. Centring the profiles alone brings the gain, to "
         "within 0.02 of centring both.", (ways["films"] <= ways["neither"]).all()
         and (abs(ways["profiles"] - ways["both"]) < 0.02).all())
cr.claim("As they are, two users' profiles have a mean cosine above 0.9. Centred, it is below 0.25.",
         profiles["as they are"] > 0.9 and profiles["centred"] < 0.25)
ways

# %% [markdown]
# ## Exercise 2 · Hubs
#
# Difficulty ●●○○○ · 10 minutes
#
# Each item has k nearest neighbours. But it needn't *be* a neighbour k times. In many dimensions some
# items are near to a great many others, and many to none: the first are called **hubs**. "Similar films"
# then shows the same few everywhere.

# %%
def hubs(vectors: np.ndarray, k: int) -> np.ndarray:
    """Return for each item how often it is among the k nearest of the other items.

    ``vectors`` is ``(items, d)``, of any lengths but 0. Nearest are those with the largest cosine. No
    item is a neighbour of itself, also not where another one has the same vector. ``k`` is at least 1
    and below the number of items.
    """
    ### BEGIN SOLUTION
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1)[:, :k]
    return np.bincount(nearest.ravel(), minlength=len(vectors))
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Make the table of all cosines. Each row has its k largest somewhere; collect their columns from all rows,
# and count how often each one is there. Before you rank, see to it that nobody finds itself.
# </details>
#
# <details><summary>Help</summary>
#
# Divide the rows by their lengths; `unit @ unit.T` is the table. `np.fill_diagonal(cosines, -np.inf)`
# changes it in place and takes the items themselves out: by number, so that a twin can't take their
# place. `np.argsort(-cosines, axis=1)[:, :k]` are the neighbours' numbers, a row for each item.
# `np.bincount(..., minlength=len(vectors))` counts numbers in a flat array (`.ravel()`), and has a place
# for those that never occur.
# </details>
#
# <details><summary>Solution</summary>
#
# All cosines without the diagonal, the k first of each row, and the count.
#
# ```python
# unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
# cosines = unit @ unit.T
# np.fill_diagonal(cosines, -np.inf)
# nearest = np.argsort(-cosines, axis=1)[:, :k]
# return np.bincount(nearest.ravel(), minlength=len(vectors))
# ```
# </details>

# %%
cr.checks.lesson05.hubs(hubs)

# %% [markdown]
# Now the films, with k = 10. Beside the vectors as they are stand centred ones: `shifted`, made in the first
# cell. (All films are known here, so their mean is that of all.)
#
# > **Predict.** Each film is a neighbour 10 times on average. How often is the largest hub one? Which kind
# > of film will it be: a famous one, an obscure one, one with a long text, or one with a short text?

# %% tags=["check"]
counts = pd.DataFrame({"as they are": hubs(text, 10), "centred": hubs(shifted, 10)})
ax = cr.plots.axes(height=3.2)
for (name, values), colour, style in zip(counts.items(), (cr.plots.ORANGE, cr.plots.BLUE), ("--", "-"), strict=True):
    ax.plot(np.arange(1, len(text) + 1), np.sort(values)[::-1], color=colour, linestyle=style, linewidth=2, label=name)
ax.axhline(10, color="black", linewidth=1, linestyle=":", label="if all were alike")
ax.set(xscale="log", xlabel="films, the largest hub first (log scale)", ylabel="times among the 10 nearest",
       xlim=(1, len(text)), ylim=(0, None))
ax.legend(frameon=False)
cr.plots.show(ax, "How often each film is among another's 10 nearest. " + " ".join(
    f"Vectors {name}: at most {values.max()} times, never for {(values == 0).mean():.1%} of the films, skewness "
    f"{skew(values):.1f}." for name, values in counts.items()) + " A dotted line marks the mean, 10.")
words = np.array([len(line.split()) for line in cr.views.describe(ml)])
fame = np.bincount(ml.item_rows(ml.ratings["item"]), minlength=len(ml.item_ids))
largest = np.argsort(-counts["as they are"].to_numpy(), kind="stable")[:20]
about = pd.DataFrame({"words in the text": words, "ratings": fame})
cr.claim("As they are, the largest hub is a neighbour more than 100 times. Centring takes that below 60, and the "
         "skewness from above 3 to below 1.5.",
         counts["as they are"].max() > 100 and counts["centred"].max() < 60
         and skew(counts["as they are"]) > 3 and skew(counts["centred"]) < 1.5)
cr.claim("As they are, more than 5 % of the films are nobody's neighbour; centred, fewer than 1 %.",
         (counts["as they are"] == 0).mean() > 0.05 and (counts["centred"] == 0).mean() < 0.01)
cr.claim("The 20 largest hubs have shorter texts than films have on average, by more than a word, and fewer ratings "
         "than the median film.",
         about["words in the text"][largest].mean() < words.mean() - 1 and about["ratings"][largest].median() < np.median(fame))
pd.concat([ml.items["title"].reset_index(drop=True), counts, about], axis=1).iloc[largest[:8]]

# %% [markdown]
# **Question.** What have these films in common, and why does it make them near to everything?
#
# <details><summary>Answer</summary>
#
# Their texts say little: a title of one common word, a year, a genre. Such a vector has little of its own
# and is mostly what all texts share, so it lies close to the mean, and what is close to the mean has a
# fairly large cosine with everybody. Centring takes that share away. Some hubs remain, as they do for most
# vectors of many dimensions (Radovanović, Nanopoulos & Ivanović 2010).
# </details>

# %% tags=["solution"]
shared = text @ text.mean(axis=0) / np.linalg.norm(text.mean(axis=0))
print("Rank correlation of the count with the cosine to the mean vector: "
      + ", ".join(f"{spearmanr(values, shared).statistic:.2f} ({name})" for name, values in counts.items()) + ".")
cr.claim("As they are, the nearer to the mean vector, the more often a neighbour: the rank correlation is above 0.5. "
         "Centred, it is below 0.15.", spearmanr(counts["as they are"], shared).statistic > 0.5
         and abs(spearmanr(counts["centred"], shared).statistic) < 0.15)

# %% [markdown]
# ## Exercise 3 · Make the cosine lose
#
# Difficulty ●●○○○ · 10 minutes
#
# The dot product of two vectors is their cosine times their lengths. Where a length *means* something,
# the cosine throws it away. Build a case in which that costs everything: the dot product puts all
# relevant items first, and the cosine puts them all last.

# %%
def lose(n_relevant: int, n_others: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a user's vector, ``(d,)``, and the items' vectors, ``(n_relevant + n_others, d)``.

    The first ``n_relevant`` rows are the relevant items. By the dot product with the user, each of
    them scores above each of the others. By the cosine, each of the others scores above each of
    them. Both numbers are at least 1. The dimension d is yours to choose. No vector is zero.
    """
    ### BEGIN SOLUTION
    user = np.array([1.0, 0.0])
    long_and_aside, short_and_straight = [10.0, 10.0], [1.0, 0.0]
    return user, np.array([long_and_aside] * n_relevant + [short_and_straight] * n_others)
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Draw it on paper, in two dimensions: the user points to the right. Which arrow has the largest cosine with
# it? Which arrow has a smaller cosine, and all the same a large product? All relevant items may have the
# same vector, and all others, too.
# </details>
#
# <details><summary>Help</summary>
#
# With the user [1, 0], the product is the item's first number, and the cosine is that number divided by
# the item's length. [1, 0] has the product 1 and the cosine 1, and no cosine is larger. [10, 10] has the
# product 10, and the cosine is 10 / √200, about 0.7. `[row] * n` is a list of n such rows, and `+` puts
# two lists one after another.
# </details>
#
# <details><summary>Solution</summary>
#
# The relevant ones are long and point aside; the others are short and point straight to the user.
#
# ```python
# user = np.array([1.0, 0.0])
# long_and_aside, short_and_straight = [10.0, 10.0], [1.0, 0.0]
# return user, np.array([long_and_aside] * n_relevant + [short_and_straight] * n_others)
# ```
# </details>

# %%
cr.checks.lesson05.lose(lose)

# %% [markdown]
# Is that far-fetched? Now vectors that were learnt from ratings: the likes of a training set are factorised
# into 20 numbers for each user and film (a truncated SVD; a tenth of the ratings is held out). All
# films are ranked, by the dot product and by the cosine.
#
# > **Predict.** What does a long vector say about a film here? By how much does the recall differ?

# %%
class Factors(cr.models.Recommender):
    """Rank by the dot product of factors of the likes, or by the cosine."""

    reads_items = False

    def __init__(self, cosine: bool):
        self.cosine = cosine

    def _fit(self, train):
        users, strengths, films = svds(train.matrix(likes=True).astype(float), k=20, random_state=0)
        self.users_, self.films_ = users, films.T * strengths
        self.lengths_ = np.linalg.norm(self.films_, axis=1)

    def _score(self, user_rows, item_rows):
        scores = self.users_[user_rows] @ self.films_[item_rows].T
        return scores / np.maximum(self.lengths_[item_rows], 1e-12) if self.cosine else scores


judged, related = [], []
for seed in range(run.pick(smoke=2, cpu=5)):
    split = cr.splits.warm(ml, 0.1, seed=seed)
    models = {"dot product": Factors(cosine=False), "cosine": Factors(cosine=True), "popularity": cr.models.Popularity()}
    judged.append({name: cr.evaluate(model.fit(split.train), split, pool="all")["recall"] for name, model in models.items()})
    liked = np.asarray(split.train.matrix(likes=True).sum(0)).ravel()
    related.append(spearmanr(models["cosine"].lengths_, liked).statistic)
judged = pd.DataFrame(judged)
means, errors = (dict(zip(judged, values, strict=True)) for values in zip(
    *(cr.metrics.mean_se(judged[name]) for name in judged), strict=True))
ax = cr.plots.bars(means, errors, label=f"Recall@20, all films ranked (mean of {len(judged)} splits)",
                   colours={"cosine": cr.plots.ORANGE, "popularity": cr.plots.GREY})
cr.plots.show(ax, "Recall@20 of factors of the likes. " + " ".join(
    f"{name.capitalize()}: {means[name]:.3f} ± {errors[name]:.3f}." for name in means))
print(f"Rank correlation of a film's length with its number of likes: {np.mean(related):.3f}")
cr.claim("A film's length is its popularity, nearly: the rank correlation is above 0.95 in each split.", min(related) > 0.95)
cr.claim("The dot product has more than four times the recall of the cosine, in each of the five splits. The cosine is "
         "even below popularity alone.", (judged["dot product"] > 4 * judged["cosine"]).all()
         and (judged["cosine"] < judged["popularity"]).all())

# %% [markdown]
# **Question.** Does a length also mislead? Think of new films, whose vectors were not learnt but predicted from
# their texts by a ridge regression, and which are ranked among known ones. And would the cosine help them?
#
# <details><summary>Answer</summary>
#
# A regression that isn't sure predicts values near the mean, so predicted vectors are shorter than learnt
# ones, and by the dot product hardly a new film comes into a list, however well its direction fits. The
# cosine is no help: it also throws away all that the lengths know of the known films, and the lists are as bad
# as above. So don't throw the lengths away, mend them: make the predicted vectors longer by one factor, as the
# `boost` of `cr.models.SwitchingHybrid` does. A validation split would choose the factor. With 3, as an
# example, new films come up, known ones pay for it, and all in all more of what users liked is found.
# </details>

# %% tags=["solution"]
class Predicted(Factors):
    """The same, with vectors for new films that a ridge predicts from centred texts."""

    scores_cold_items = True

    def __init__(self, cosine: bool = False, factor: float = 1.0):
        super().__init__(cosine)
        self.factor = factor

    def _fit(self, train):
        super()._fit(train)
        known = self.warm_items_
        view = text - text[known].mean(axis=0)
        mean = self.films_[known].mean(axis=0)
        to_factors = np.linalg.solve(view[known].T @ view[known] + 10 * np.eye(view.shape[1]),
                                     view[known].T @ (self.films_[known] - mean))
        self.films_ = np.where(known[:, None], self.films_, self.factor * (mean + view @ to_factors))
        self.lengths_ = np.linalg.norm(self.films_, axis=1)


mixed = []
for seed in range(run.pick(smoke=2, cpu=5)):
    split = cr.splits.mixed(ml, seed=seed)
    for name, model in {"dot product": Predicted(), "cosine": Predicted(cosine=True),
                        "dot product, new times 3": Predicted(factor=3)}.items():
        lengths, new = model.fit(split.train).lengths_, ml.item_ids.isin(split.cold_items)
        row = cr.evaluate(model, split, pool="all")[["recall", "recall_cold", "recall_warm", "share_cold"]]
        mixed.append({"by": name, "length, new / known": lengths[new].mean() / lengths[~new].mean()} | row.to_dict())
mixed = pd.DataFrame(mixed)
dot, cosine, longer = (mixed[mixed["by"] == name].reset_index(drop=True) for name in mixed["by"].unique())
cr.claim("Predicted vectors are less than 0.8 times as long as learnt ones, and by the dot product less than 1 % of the "
         "lists is new.", (dot["length, new / known"] < 0.8).all() and (dot["share_cold"] < 0.01).all())
cr.claim("The cosine finds less than 2 % of the relevant new films, and less than a third of the known ones that the dot "
         "product finds.", (cosine["recall_cold"] < 0.02).all() and (cosine["recall_warm"] < dot["recall_warm"] / 3).all())
cr.claim("Three times as long, the new films are more than a fifth of the lists. The recall of known films falls, that of "
         "all rises, in each split.", (longer["share_cold"] > 0.2).all()
         and (longer["recall_warm"] < dot["recall_warm"]).all() and (longer["recall"] > dot["recall"]).all())
mixed.groupby("by", sort=False).mean()

# %% [markdown]
# ## Exercise 4 · The contrastive loss
#
# Difficulty ●●●○○ · 15 minutes
#
# To tune an encoder, one takes a batch of pairs: a query (a user's profile, or a film) and an item that
# belongs to it. Each query should be nearer to its own item than to the *other* items of the batch. These
# cost nothing, for they are there anyway: **in-batch negatives**. For the query number i, with the items j,
#
# $$\text{loss}_i = -\log \frac{\exp(\cos(q_i, x_i) / \tau)}{\sum_j \exp(\cos(q_i, x_j) / \tau)}$$
#
# and the loss of the batch is the mean. The temperature τ says how much a small difference counts. This
# loss is called InfoNCE.

# %%
def info_nce(queries: np.ndarray, items: np.ndarray, temperature: float) -> float:
    """Return the mean over the queries of -log p of the own item, among the items of the batch.

    Both arrays are ``(batch, d)``; row i of ``items`` belongs to row i of ``queries``. Rows can have
    any length but 0: it is their cosine that counts. ``temperature`` is above 0, and may be so low
    that exp of a cosine over it is more than a number can hold.
    """
    ### BEGIN SOLUTION
    queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    items = items / np.linalg.norm(items, axis=1, keepdims=True)
    logits = queries @ items.T / temperature
    logits = logits - logits.max(axis=1, keepdims=True)
    log_p = np.diag(logits) - np.log(np.exp(logits).sum(axis=1))
    return float(-log_p.mean())
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# First the table of all cosines over the temperature: a row for each query. The own items stand on its
# diagonal. The logarithm of a fraction is a difference, so p itself is never needed.
# </details>
#
# <details><summary>Help</summary>
#
# `logits = queries @ items.T / temperature`, after both are scaled to length one. The softmax of a row stays
# the same if you subtract one number from the whole row. Subtract the largest,
# `logits.max(axis=1, keepdims=True)`: then exp is at most 1, and at least one of them is 1, so their sum
# is never 0. log p of the own item is `np.diag(logits) - np.log(np.exp(logits).sum(axis=1))`.
# </details>
#
# <details><summary>Solution</summary>
#
# Cosines over the temperature, their largest taken away, and log p as a difference.
#
# ```python
# queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
# items = items / np.linalg.norm(items, axis=1, keepdims=True)
# logits = queries @ items.T / temperature
# logits = logits - logits.max(axis=1, keepdims=True)
# log_p = np.diag(logits) - np.log(np.exp(logits).sum(axis=1))
# return float(-log_p.mean())
# ```
# </details>

# %%
cr.checks.lesson05.info_nce(info_nce)

# %% [markdown]
# Now batches of 64 users: the query is the mean vector of the films that a user liked, all but one, and
# that one is the item. Nothing is tuned; the vectors are MiniLM's, as they are and centred.
#
# > **Predict.** Which loss has an encoder that knows nothing, and gives all 64 items the same cosine? And
# > does a lower temperature always make the loss of a model smaller that knows a little?

# %% tags=["check"]
liked = ml.matrix(likes=True).toarray()
batch = 64
temperatures = [1, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03]


def draw(rng):
    """Return the rows of some users, and for each the row of one film they liked."""
    users = rng.permutation(np.flatnonzero(liked.sum(1) > 5))[:batch]
    return users, np.array([rng.choice(np.flatnonzero(liked[user])) for user in users])


def queries_of(users, own, vectors):
    """Return the sum of the vectors of each user's liked films, without the own one."""
    others = liked[users].copy()
    others[np.arange(len(users)), own] = 0
    return others @ vectors


losses = {name: [] for name in ("as they are", "centred")}
for seed in range(20):
    users, own = draw(np.random.default_rng(seed))
    for name, vectors in (("as they are", text), ("centred", shifted)):
        queries = queries_of(users, own, vectors)
        losses[name].append([info_nce(queries, vectors[own], t) for t in temperatures])
curves = pd.DataFrame({name: np.mean(values, axis=0) for name, values in losses.items()}, index=temperatures)
spread = pd.DataFrame({name: np.std(values, axis=0, ddof=1) / len(values) ** 0.5 for name, values in losses.items()},
                      index=temperatures)
nothing = np.log(batch)
shown = ["centred", "as they are"]  # in the colours of the other figures
ax = cr.plots.lines(curves[shown], spread[shown], xlabel="temperature (log scale)", ylabel="loss of a batch of 64")
ax.set(xscale="log", ylim=(3.8, 6))
ax.set_xticks(temperatures, temperatures, minor=False)
ax.minorticks_off()
ax.axhline(nothing, color="black", linestyle="--", linewidth=1)
cr.plots.show(ax, f"InfoNCE of untuned vectors over the temperature, mean and standard error of {len(losses['centred'])} "
                  f"batches; above 6 the curves are cut off. A dashed line marks {nothing:.2f}, the loss of an encoder that knows nothing. "
                  + " ".join(f"Vectors {name}: lowest {values.min():.2f}, at {values.idxmin():g}; at {temperatures[-1]}, "
                             f"{values.iloc[-1]:.2f}." for name, values in curves.items()))
cr.claim("An encoder that knows nothing has the loss log 64, at any temperature.",
         all(abs(info_nce(np.ones((batch, 3)), np.ones((batch, 3)), t) - nothing) < 1e-9 for t in temperatures))
plain, better = (np.array(losses[name])[:, curves[name].argmin()] for name in losses)
below, gained = cr.metrics.mean_se(nothing - plain), cr.metrics.mean_se(plain - better)
cr.claim("Each at its best temperature, both know a little, and the centred vectors more: each difference is larger than "
         "three standard errors.", below[0] > 3 * below[1] > 0 and gained[0] > 3 * gained[1] > 0)
cr.claim("At a temperature of 0.03 both losses are above log 64: the same vectors are then worse than to know nothing.",
         (curves.iloc[-1] > nothing).all())
curves

# %% [markdown]
# The order of the items is the same at each temperature. What changes is how sure the softmax is, and a model
# that knows little mustn't be sure. That is why the temperature is tuned with the encoder, or chosen on
# validation-cold items.
#
# **Question.** The batch takes the other 63 items for wrong answers. Are they?
#
# <details><summary>Answer</summary>
#
# Not all: some of them are films that this user liked, too. They are *false negatives*, and the loss pushes
# them away. And a popular film is the own item of many users, so it stands in many batches, and is pushed
# away most often. Either mask the items that the user is known to like, or subtract from each logit the
# logarithm of how often its item comes into a batch (the logQ correction, which sampled-softmax
# recommenders use). Where the encoder reads texts, that is more than a detail: it would learn to make the
# texts of popular films unlikely.
# </details>

# %% tags=["solution"]
false, random = [], []
for seed in range(20):
    users, own = draw(np.random.default_rng(seed))
    others = ~np.eye(batch, dtype=bool)
    false.append((liked[users][:, own] > 0)[others].mean())
    random.append((liked[users] > 0).mean())
print(f"Of the 63 other items, a user likes {np.mean(false):.1%}; of all films, {np.mean(random):.1%}.")
cr.claim("More than a tenth of the negatives are false. Among films drawn at random it would be less than a third of that.",
         np.mean(false) > 0.1 and np.mean(random) < np.mean(false) / 3)

# %% [markdown]
# ## Exercise 5 · Search, block by block
#
# Difficulty ●●●●○ · 15 minutes
#
# A million vectors of 384 numbers take 768 MB, in 16 bits. In 32 bits they would take twice as much, and
# their products with 100 queries another 400 MB. But nobody wants all products: k for each query are
# enough. So read some vectors, multiply, keep the best, and go on.

# %%
def search(
    vectors: np.ndarray, queries: np.ndarray, k: int, block: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the k vectors with the largest products with each query, and the products.

    ``vectors`` is ``(n, d)``, perhaps in a file: ``vectors[start:stop]`` reads these rows, at most
    ``block`` of them at once. Never are more than that in memory, nor all products. ``queries`` is
    ``(q, d)``. Both results are ``(q, k)``, best first. It is exact: ``k`` may be larger than
    ``block``, the last block may be smaller, and what is in float16 is computed in float32.
    """
    ### BEGIN SOLUTION
    queries = queries.astype(np.float32)
    rows = np.empty((len(queries), 0), int)
    best = np.empty((len(queries), 0), np.float32)
    for start in range(0, len(vectors), block):
        part = vectors[start:start + block].astype(np.float32)
        numbers = np.tile(np.arange(start, start + len(part)), (len(queries), 1))
        rows = np.hstack([rows, numbers])
        best = np.hstack([best, queries @ part.T])
        order = np.argsort(-best, axis=1)[:, :k]
        rows = np.take_along_axis(rows, order, axis=1)
        best = np.take_along_axis(best, order, axis=1)
    return rows, best
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Keep two tables, the best rows so far and their products, empty at the start. Let each block compete with
# them: put its rows and products beside them, sort, and keep k. What is the number of a block's first row?
# </details>
#
# <details><summary>Help</summary>
#
# `range(0, len(vectors), block)` gives the first row of each block, and a slice that goes past the end is
# simply shorter. `part = vectors[start:start + block].astype(np.float32)`; `queries @ part.T` has a row for
# each query. Beside it belongs a table of row numbers of the same shape:
# `np.tile(np.arange(start, start + len(part)), (len(queries), 1))`. `np.hstack` puts tables side by side.
# `order = np.argsort(-best, axis=1)[:, :k]`, and `np.take_along_axis(best, order, axis=1)` picks in each row
# its own columns. While there are fewer than k, the slice keeps all.
# </details>
#
# <details><summary>Solution</summary>
#
# The best so far and a block compete, again and again.
#
# ```python
# queries = queries.astype(np.float32)
# rows = np.empty((len(queries), 0), int)
# best = np.empty((len(queries), 0), np.float32)
# for start in range(0, len(vectors), block):
#     part = vectors[start:start + block].astype(np.float32)
#     numbers = np.tile(np.arange(start, start + len(part)), (len(queries), 1))
#     rows = np.hstack([rows, numbers])
#     best = np.hstack([best, queries @ part.T])
#     order = np.argsort(-best, axis=1)[:, :k]
#     rows = np.take_along_axis(rows, order, axis=1)
#     best = np.take_along_axis(best, order, axis=1)
# return rows, best
# ```
# </details>

# %%
cr.checks.lesson05.search(search)

# %% [markdown]
# What do 16 bits cost? Each film's ten nearest are searched, among vectors of 16 and of 32 bits. Then a
# catalogue of 30,000: the films' vectors with noise.
#
# > **Predict.** How many of the ten nearest films are lost with 16 bits? And which block is the fastest: one
# > of 100 vectors, one of 3,000, or all at once?

# %% tags=["check"]
films = shifted / np.linalg.norm(shifted, axis=1, keepdims=True)
exact, _ = search(films, films, 11, 500)  # each film finds itself, too
half, _ = search(films.astype(np.float16), films, 11, 500)
same = np.mean([np.isin(a, b).mean() for a, b in zip(exact, half, strict=True)])
rng = np.random.default_rng(0)
many = films[rng.integers(0, len(films), 30_000)] + rng.normal(0, 0.03, (30_000, films.shape[1]))
many = many.astype(np.float16)
asked = films[:100]
timed = {}
for block in (100, 300, 1000, 3000, 10_000, 30_000):
    began = time.perf_counter()
    _, products = search(many, asked, 10, block)
    timed[block] = {"seconds": time.perf_counter() - began,
                    "MB for a block and its products": block * 4 * (films.shape[1] + len(asked)) / 1e6,
                    "products": products}
_, truth = cr.retrieval.exact(many, asked, 10)
cr.claim("With 16 bits, more than 99 % of the nearest films are the same.", same > 0.99)
cr.claim("With blocks of any size, the ten largest products are those that `cr.retrieval.exact` finds.",
         all(np.allclose(row["products"], truth, atol=1e-5) for row in timed.values()))
print(f"The same with 16 bits: {same:.2%}. A table of {len(many):,} vectors takes {many.nbytes / 1e6:.0f} MB in 16 bits.")
pd.DataFrame(timed).T.drop(columns="products").astype(float).rename_axis("block")

# %% [markdown]
# The times are your machine's; run the cell again, and they will differ. (The solution sorts a whole block,
# where it needs k of it: `np.argpartition` is faster, and `cr.retrieval.exact` uses it.)
#
# **Question.** A million vectors, 100 queries, 1 GB to spare besides the vectors themselves. How large may a
# block be? And what would you gain by a larger one?
#
# <details><summary>Answer</summary>
#
# For each vector of a block you hold 384 numbers and 100 products of 4 bytes, 1,936 bytes, so 1 GB holds half
# a million, if nothing else is kept (sorting needs its share, so rather a quarter of that). You would gain
# next to nothing, as the table shows: a matrix product works at full speed from some hundred rows on. Some MB
# are enough.
# </details>

# %% tags=["solution"]
a_vector = 4 * (text.shape[1] + 100)
print(f"{a_vector:,} bytes a vector of the block: {1e9 / a_vector:,.0f} vectors in 1 GB.")
cr.claim("1 GB holds about half a million vectors in 32 bits with their products.", abs(1e9 / a_vector / 5e5 - 1) < 0.05)

# %% [markdown]
# ## Exercise 6 · Fuse rankings that have gaps
#
# Difficulty ●●●○○ · 15 minutes
#
# One model knows the ratings, another one the texts. Their scores are on different scales, so they can't be
# added up. But their *ranks* can: **reciprocal rank fusion** (Cormack, Clarke & Büttcher 2009) gives each
# item 1 / (k₀ + rank) from each model, and k₀ keeps the first places from deciding everything.
#
# The published method adds these up. In a cold start that has a catch: the model of the ratings can't score
# a new item at all. So take the *mean* over the models that can.

# %%
def fused(tables: list[np.ndarray], k0: float = 60) -> np.ndarray:
    """Return one table of scores ``(users, items)``, made of several by reciprocal rank fusion.

    Each of ``tables`` has that shape, higher is better, and NaN means that the model can't score.
    Rank 1 is the best item of a user, among those that this model can score. An item gets the mean,
    over the models that can score it, of ``1 / (k0 + rank)``; where none can, NaN. Of equal scores,
    either may come first.
    """
    ### BEGIN SOLUTION
    total, models = 0, 0
    for table in tables:
        known = ~np.isnan(table)
        best_first = np.argsort(np.where(known, -table, np.inf), axis=1)
        rank = np.argsort(best_first, axis=1) + 1
        total = total + np.where(known, 1 / (k0 + rank), 0)
        models = models + known
    return np.where(models > 0, total / np.maximum(models, 1), np.nan)
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# From scores to ranks, you sort twice: the first time tells which item stands at each place, the second time
# at which place each item stands. Send NaN to the end before you sort. Then two sums over the tables: of 1 /
# (k0 + rank), and of how many models know the item.
# </details>
#
# <details><summary>Help</summary>
#
# `known = ~np.isnan(table)`. `np.where(known, -table, np.inf)` sorts upwards with the best first and the
# unknown last. `np.argsort(np.argsort(...), axis=1) + 1`, each along `axis=1`, are the ranks.
# `np.where(known, 1 / (k0 + rank), 0)` adds nothing where the model has no opinion. At the end divide by the
# number of models; `np.maximum(models, 1)` keeps the division quiet where it is 0, and `np.where(models > 0,
# ..., np.nan)` says that nothing is known there.
# </details>
#
# <details><summary>Solution</summary>
#
# Ranks by sorting twice, a sum, and a count.
#
# ```python
# total, models = 0, 0
# for table in tables:
#     known = ~np.isnan(table)
#     best_first = np.argsort(np.where(known, -table, np.inf), axis=1)
#     rank = np.argsort(best_first, axis=1) + 1
#     total = total + np.where(known, 1 / (k0 + rank), 0)
#     models = models + known
# return np.where(models > 0, total / np.maximum(models, 1), np.nan)
# ```
# </details>

# %%
cr.checks.lesson05.fused(fused)

# %% [markdown]
# Now all together, on the task of a real shop: a fifth of the films are new, a tenth of the other ratings
# are held out, and *all* films are ranked in one list. EASE knows the ratings, and can't score new films;
# the cosine between centred text vectors can score all. Your fusion stands beside the sum.
#
# > **Predict.** Which share of the lists will be new films, by the sum and by the mean? And what does it cost
# > the known ones?

# %% tags=["check"]
class Table(cr.models.Recommender):
    """Scores that are there already."""

    scores_cold_items = True
    reads_items = False

    def __init__(self, scores):
        self.scores = scores

    def _fit(self, train):
        pass

    def _score(self, user_rows, item_rows):
        return self.scores[np.ix_(user_rows, item_rows)]


rows = []
for seed in range(run.pick(smoke=2, cpu=5)):
    split = cr.splits.mixed(ml, seed=seed)
    known = known_in(split)
    view = text - text[known].mean(axis=0)
    models = [cr.models.EASE(), cr.models.ViewCosine({"text": view})]
    tables = [model.fit(split.train).score(ml.user_ids, ml.item_ids) for model in models]
    rated = split.train.matrix().toarray() > 0
    tables = [np.where(rated, np.nan, table) for table in tables]  # they aren't recommended again
    mean = fused(tables)
    for name, scores in {"EASE": tables[0], "text": tables[1], "fused, mean": mean,
                         "fused, sum": mean * sum(~np.isnan(table) for table in tables)}.items():
        row = cr.evaluate(Table(scores).fit(split.train), split, pool="all")
        rows.append({"by": name, "seed": seed} | row[["recall", "recall_cold", "recall_warm", "share_cold"]].to_dict())
board = pd.DataFrame(rows)
value = {name: board.pivot(index="seed", columns="by", values=name) for name in board.columns[2:]}
summary = board.groupby("by", sort=False)[["recall", "recall_cold", "recall_warm", "share_cold"]].mean()
ax = cr.plots.axes(height=3.4)
for name, marker, colour in zip(summary.index, "o^sD", (cr.plots.GREY, cr.plots.ORANGE, cr.plots.BLUE, cr.plots.RED), strict=True):
    ax.errorbar(summary.loc[name, "recall_warm"], summary.loc[name, "recall_cold"],
                xerr=value["recall_warm"][name].sem(), yerr=value["recall_cold"][name].sem(),
                color=colour, marker=marker, markersize=8, capsize=2, linestyle="none", label=name)
ax.set(xlabel="Recall@20 of known films", ylabel="Recall@20 of new films", xlim=(0, 0.55), ylim=(-0.01, 0.25))
ax.legend(frameon=False)
cr.plots.show(ax, f"Recall of known and of new films in one list, mean and standard error of {board['seed'].nunique()} splits. " + " ".join(
    f"{name}: {row['recall_warm']:.2f} of the known, {row['recall_cold']:.2f} of the new, {row['share_cold']:.0%} of the list "
    "is new." for name, row in summary.iterrows()))
cr.claim("By the sum less than 1 % of the lists is new, by the mean more than 30 %.",
         (value["share_cold"]["fused, sum"] < 0.01).all() and (value["share_cold"]["fused, mean"] > 0.3).all())
cr.claim("In each split, the mean has the higher recall over all relevant films, and a lower one for known films.",
         (value["recall"]["fused, mean"] > value["recall"]["fused, sum"]).all()
         and (value["recall_warm"]["fused, mean"] < value["recall_warm"]["fused, sum"]).all())
cr.claim("For known films alone, EASE is better than any fusion, in each split.",
         (value["recall_warm"]["EASE"] > value["recall_warm"][["fused, mean", "fused, sum"]].max(axis=1)).all())
summary

# %% [markdown]
# **Question.** By the mean, more of the list is new than the catalogue is (a fifth). Why? And with which
# number would you steer it?
#
# <details><summary>Answer</summary>
#
# A new film needs one good rank, the text's; a known film needs two, for its value is a mean. Means vary less
# than single values, and the top of a list is made of what varies. So the fusion favours whoever has
# fewer judges. A smaller k₀ helps: then a single first place counts for more, and a known film that EASE
# puts on top comes up even where the text model doesn't like it. Or multiply the value of new items by a
# factor. Either is chosen on validation splits. Which trade is right no number says: that depends on what the
# shop wants.
# </details>

# %% tags=["solution"]
shares = []
for k0 in (0, 10, 60, 300):
    row = cr.evaluate(Table(fused(tables, k0)).fit(split.train), split, pool="all")
    shares.append({"k0": k0} | row[["recall", "recall_cold", "recall_warm", "share_cold"]].to_dict())
shares = pd.DataFrame(shares).set_index("k0")
cr.claim("The larger k0, the more of the list is new, and the lower the recall of known films (one split).",
         shares["share_cold"].is_monotonic_increasing and shares["recall_warm"].is_monotonic_decreasing)
shares

# %% [markdown]
# **Next:** lesson 06. All solutions, run and with their figures, are in `solutions/05_dense_embeddings.ipynb`.
