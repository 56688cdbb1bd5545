# ---
# title: "Exercises 01: The cold-start problem"
# minutes: 60
# able: write two metrics, a split without leaks, a recommender for new items and a leak detective
# ---

# %% [markdown]
# # Exercises 01 · The cold-start problem
#
# **You practise** what stands behind every figure of this course: two metrics, a split in which
# new films really are new, a recommender that can score them, and a detective for features that
# know too much.
#
# | | |
# |---|---|
# | You need | [Lesson 01](../notebooks/01_the_cold_start_problem.ipynb); pandas and NumPy; a class with two methods (exercise 5) |
# | It takes | 60 minutes: six exercises of 5, 10, 8, 12, 15 and 10; each can be done without the others |
#
# How a sheet works is told at the top of [sheet 00](00_start_here.ipynb): replace the `raise` line,
# run the cell, run the check; stuck, unfold the hint, the help, the solution.

# %%
import numpy as np
import pandas as pd

import coldrec as cr

run = cr.setup(seed=0)
ml = cr.load("ml-100k")
split = cr.splits.item_cold(ml, fraction=0.2, seed=0)
pd.options.display.float_format = "{:.3f}".format

# %% [markdown]
# ## Exercise 1 · Recall
#
# Difficulty ●○○○○ · 5 minutes
#
# The figure of every leaderboard here, for one user: how much of what they like did the list find?

# %%
def recall_at_k(ranked: list, relevant: set, k: int) -> float:
    """Return the share of the relevant items that are among the first ``k`` of the ranking.

    ``ranked`` has item ids, best first and each once, ``relevant`` the ids of what the user likes.
    The ranking may be shorter than ``k``, and a relevant item may be missing there. Where nothing
    is relevant, recall isn't defined: NaN.
    """
    ### BEGIN SOLUTION
    if not relevant:
        return float("nan")
    return len(relevant.intersection(ranked[:k])) / len(relevant)
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# `ranked[:k]` is what the user gets to see. Which of these are in `relevant`?
# </details>
#
# <details><summary>Help</summary>
#
# Two of three liked films among the first ten: recall is 2/3. A likely mistake is to divide by k
# (that is precision, 0.2). Another is a 0 where nothing is relevant: it would pull the mean down
# for somebody whom no list could please.
# </details>
#
# <details><summary>Solution</summary>
#
# Hits over the number of relevant items.
#
# ```python
# if not relevant:
#     return float("nan")
# return len(relevant.intersection(ranked[:k])) / len(relevant)
# ```
# </details>

# %%
cr.checks.lesson01.recall_at_k(recall_at_k)

# %% [markdown]
# With it, from the scores of two models to a curve: recall at every length of the list, averaged
# over the users. (Where you return NaN, the mean of pandas leaves the user out.)

# %%
def lists(model):
    """Return (ranked, relevant) of every test user: cold films, best first, and the liked ones."""
    test = split.test.ratings
    users = ml.user_ids[ml.user_ids.isin(test["user"])]
    liked = test[test["rating"] >= ml.like].groupby("user")["item"].agg(set)
    scores = model.fit(split.train).score(users, split.cold_items)
    order = cr.metrics.top_k(scores, len(split.cold_items), np.random.default_rng(0))
    return [(split.cold_items[row].tolist(), liked.get(user, set()))
            for user, row in zip(users, order, strict=True)]


genres_year = cr.models.ViewRidge({"genres": cr.views.genres(ml), "year": cr.views.year(ml)})
ridge, chance = lists(genres_year), lists(cr.models.Random(seed=0))

# %% tags=["check"]
pool = len(split.cold_items)
ks = [1, 5, 10, 20, 50, 100, 200, pool]
curve = pd.DataFrame({name: {k: pd.Series([recall_at_k(*pair, k) for pair in pairs]).mean()
                             for k in ks}
                      for name, pairs in {"ridge on genres + year": ridge,
                                          "random": chance}.items()})
ax = cr.plots.lines(curve, xlabel="k, the length of the list", ylabel="Recall@k")
cr.plots.show(ax, "Recall by the length of the list. Random lies on the diagonal; the ridge is far "
                  "above it for short lists, and both end at 1, where everything is on the list.")
cr.claim("Random lies on the diagonal, k / pool.",
         np.allclose(curve["random"], curve.index / pool, atol=0.02))
cr.claim("For lists of 20 the ridge finds more than three times what random finds.",
         curve["ridge on genres + year"][20] > 3 * curve["random"][20])
cr.claim("Both end at 1.", np.allclose(curve.loc[pool], 1))

# %% [markdown]
# **Question.** A paper reports Recall@100 on a pool of 120 new items and finds 0.87 "excellent".
# What do you say?
#
# <details><summary>Answer</summary>
#
# A random list has 100 / 120 = 0.83. Recall means nothing without the size of the pool, and little
# when k is most of it.
# </details>

# %% [markdown]
# ## Exercise 2 · NDCG
#
# Difficulty ●●○○○ · 10 minutes
#
# Recall doesn't care whether a hit is first or last in the list; people do. NDCG gives a hit at
# rank r (the first is 1) the weight 1 / log2(r + 1), and divides by what the best possible list of
# the same length would get, so that perfection is 1.

# %%
def ndcg_at_k(ranked: list, relevant: set, k: int) -> float:
    """Return the normalised discounted cumulative gain of the first ``k`` of the ranking.

    ``ranked`` has item ids, best first and each once, ``relevant`` the ids of what the user likes.
    A hit at rank r, from 1, gains 1 / log2(r + 1). The sum is divided by that of a list of ``k``
    with as many relevant items in front as there can be, also where the ranking is shorter than
    ``k``. Where nothing is relevant: NaN.
    """
    ### BEGIN SOLUTION
    if not relevant:
        return float("nan")
    gain = 1 / np.log2(np.arange(1, k + 1) + 1)  # of the ranks 1 to k
    found = sum(gain[place] for place, item in enumerate(ranked[:k]) if item in relevant)
    return found / gain[: len(relevant)].sum()
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# First write down the k gains, 1, 0.63, 0.5 and so on. Which of them does the list get? Which would
# the best list get?
# </details>
#
# <details><summary>Help</summary>
#
# The best list of k with m relevant items has min(k, m) hits, all in front. Two likely mistakes:
# to take only the relevant items that *were found* for it (then one hit in front is perfect,
# however much was missed), and to take k hits even where there are fewer to find. A third: with
# `enumerate(ranked)` the first position is 0, so its gain is 1 / log2(0 + 2).
# </details>
#
# <details><summary>Solution</summary>
#
# The gains of the k ranks first. The list gets those of its hits; the best list the first m of
# them, or all k where m is larger.
#
# ```python
# if not relevant:
#     return float("nan")
# gain = 1 / np.log2(np.arange(1, k + 1) + 1)  # of the ranks 1 to k
# found = sum(gain[place] for place, item in enumerate(ranked[:k]) if item in relevant)
# return found / gain[: len(relevant)].sum()
# ```
# </details>

# %%
cr.checks.lesson01.ndcg_at_k(ndcg_at_k)

# %% [markdown]
# Does the package agree with you, for every user?

# %% tags=["check"]
judged = cr.evaluate(genres_year, split, k=20, per_user=True)["ndcg"]
yours = pd.Series([ndcg_at_k(*pair, 20) for pair in ridge], judged.index)
print(f"{len(yours)} users, {yours.isna().sum()} of them without a like; mean NDCG@20 "
      f"{yours.mean():.3f}")
cr.claim("Your NDCG is the package's, user by user.", np.allclose(yours, judged, equal_nan=True))

# %% [markdown]
# **Question.** Somebody likes 3 of the films. List A has hits at ranks 1 and 2, list B at 19 and
# 20. What are their Recall@20, and which NDCG@20 is larger, and by how much, roughly?
#
# <details><summary>Answer</summary>
#
# Both recalls are 2/3. The best list gets 1 + 0.63 + 0.5 = 2.13. A gets 1.63, so 0.77; B gets
# 1/log2(20) + 1/log2(21) = 0.46, so 0.22.
# </details>

# %% tags=["solution"]
places = list(range(1, 21))
cr.claim("NDCG@20 is 0.77 for list A, and 0.22 for list B.",
         [round(ndcg_at_k(places, {*hits, 99}, 20), 2) for hits in ((1, 2), (19, 20))]
         == [0.77, 0.22])

# %% [markdown]
# ## Exercise 3 · One film, two numbers
#
# Difficulty ●●○○○ · 8 minutes
#
# If one copy of a film is in training and the other in the test, the "new" film isn't new (section
# 7.4). Before you can keep copies together you have to find them, and catalogues are untidy.

# %%
def film_groups(items: pd.DataFrame) -> pd.Series:
    """Return a label per item such that two items have the same one if they are the same film.

    ``items`` has the columns ``item`` (the id), ``title`` and ``year``. Two items are one film if
    title and year are the same; upper and lower case, and spaces around the title, don't matter.
    A missing year equals another missing year, and no other year. An item with a missing title is
    nobody's copy: it has a label of its own. The index of the result is the item ids; the labels
    are anything that can be compared, but not NaN.
    """
    ### BEGIN SOLUTION
    title = items["title"].str.strip().str.lower()
    label = items.assign(title=title).groupby(["title", "year"], dropna=False).ngroup()
    label = label.mask(title.isna(), -1 - np.arange(len(items)))
    return pd.Series(label.to_numpy(), index=items["item"])
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Clean the title with `.str.strip()` and `.str.lower()`. `frame.groupby([...]).ngroup()` gives the
# rows of each group the same number.
# </details>
#
# <details><summary>Help</summary>
#
# Missing values are the trap, twice. `groupby` leaves out rows with NaN unless it is told
# `dropna=False`. But then all items without a title and of one year fall into one group: give each
# a label that nobody else has, such as a negative number. If you make texts of titles and years,
# look for the missing ones first: `astype(str)` makes the text "nan" of NaN in pandas 2, and leaves
# NaN in pandas 3. And when you make the Series, pass `label.to_numpy()`: of a Series, pandas would
# look up the ids in its old index.
# </details>
#
# <details><summary>Solution</summary>
#
# A number per pair of title and year, NaN included; negative numbers, all different, where there
# is no title.
#
# ```python
# title = items["title"].str.strip().str.lower()
# label = items.assign(title=title).groupby(["title", "year"], dropna=False).ngroup()
# label = label.mask(title.isna(), -1 - np.arange(len(items)))
# return pd.Series(label.to_numpy(), index=items["item"])
# ```
# </details>

# %%
cr.checks.lesson01.film_groups(film_groups)

# %% tags=["check"]
label = film_groups(ml.items)
twice = ml.items.assign(film=ml.items["item"].map(label))
twice = twice[twice["film"].duplicated(keep=False)].sort_values("film")
both = ml.ratings.merge(twice, on="item").groupby(["film", "user"])["rating"]
both = both.agg(["size", "nunique"]).query("size == 2")
print(f"{len(twice)} ids are {twice['film'].nunique()} films. {len(both)} times, somebody rated both "
      f"ids of a film, and {(both['nunique'] == 1).mean():.0%} of the time with the same stars.")
cr.claim("Who rated both ids of a film mostly gave them the same stars.",
         (both["nunique"] == 1).mean() > 0.5)
twice[["item", "title", "year", "genres"]].astype({"year": "Int64"}).head(6)  # years without .000

# %% [markdown]
# **Question.** Cape Fear is in the catalogue with 1962 and with 1991, and your function says they
# are two films. Are they a leak all the same?
#
# <details><summary>Answer</summary>
#
# No. A remake is another film, which one can like or not; that a recommender knows the old one when
# the new one comes out is fair. With a copy in training it knows the *answers*: many of the people
# in the test have said there, mostly with the same stars, what they think of this very film.
# </details>

# %% tags=["solution"]
fear = ml.items[ml.items["title"] == "Cape Fear"]
cr.claim("Cape Fear stands there with 1962 and 1991, and these are two films.",
         sorted(fear["year"]) == [1962, 1991] and fear["item"].map(label).nunique() == 2)
raters = ml.ratings.merge(twice, on="item").groupby("film")["user"].nunique()
share = len(both) / raters.sum()
print(f"Of the people who rated a film that has two ids, {share:.0%} rated both ids.")
cr.claim("A quarter or more of them rated both.", share >= 0.25)

# %% [markdown]
# ## Exercise 4 · A split in which new means new
#
# Difficulty ●●●○○ · 12 minutes
#
# The experiment stands and falls with the split: one rating of a cold film in training, or its
# twin there, and the film isn't cold.

# %%
def item_cold_split(
    ratings: pd.DataFrame, fraction: float, seed: int, groups: pd.Series | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make a random fraction of the items cold and return ``(train, test)``.

    ``ratings`` has the columns ``user``, ``item`` and ``rating``. Every rating of a cold item is in
    ``test``, every other one in ``train``. ``round(fraction * number of rated items)`` items are
    cold, each with the same chance; the same ``seed`` gives the same split.

    ``groups`` maps item ids (its index) to labels: items with one label are one film, and all of
    them are cold or none. It may know items that nobody has rated; these don't count. As a group
    can't be cut, the number of cold items may then miss the mark by less than the largest group.
    """
    ### BEGIN SOLUTION
    label = ratings["item"] if groups is None else ratings["item"].map(groups)
    sizes = ratings["item"].groupby(label).nunique().sample(frac=1, random_state=seed)
    wanted = round(fraction * sizes.sum())
    before = sizes.cumsum() - sizes
    hidden = label.isin(sizes.index[before < wanted])
    return ratings[~hidden], ratings[hidden]
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Without groups: the different items (`ratings["item"].unique()`) in random order, the first so
# many of them are cold, and `ratings["item"].isin(cold)` says which rows to hide. With groups, do
# the same with labels: `ratings["item"].map(groups)` is each row's label.
# </details>
#
# <details><summary>Help</summary>
#
# Draw items, not rows: rows would draw popular films more often. Give the seed to the generator,
# `np.random.default_rng(seed)`, or to pandas' `sample(frac=1, random_state=seed)`. With groups,
# draw labels until there are enough *items*: add up how many rated items each label has
# (`cumsum`), and stop when the sum reaches the number wanted.
# </details>
#
# <details><summary>Solution</summary>
#
# An item without groups is a group of its own, so one way does for both. `sizes` is the number of
# rated items of each label, in random order; a label is cold if those before it haven't filled the
# quota.
#
# ```python
# label = ratings["item"] if groups is None else ratings["item"].map(groups)
# sizes = ratings["item"].groupby(label).nunique().sample(frac=1, random_state=seed)
# wanted = round(fraction * sizes.sum())
# before = sizes.cumsum() - sizes
# hidden = label.isin(sizes.index[before < wanted])
# return ratings[~hidden], ratings[hidden]
# ```
# </details>

# %%
cr.checks.lesson01.item_cold_split(item_cold_split)

# %% tags=["check"]
films = pd.Series(ml.item_groups(), ml.item_ids)
rows = []
for seed in range(10):
    row = {"seed": seed}
    for name, groups in {"ids": None, "films": films}.items():
        train, test = item_cold_split(ml.ratings, 0.2, seed, groups)
        row[f"torn, by {name}"] = len(set(films[train["item"]]) & set(films[test["item"]]))
    rows.append(row | {"cold items": test["item"].nunique(),
                       "ratings in test": len(test) / len(ml.ratings)})
table = pd.DataFrame(rows).set_index("seed")
cr.claim("A split of ids tears films apart with every seed, a split of films never does.",
         (table["torn, by ids"] > 0).all() and (table["torn, by films"] == 0).all())
cr.claim("The test has sometimes less and sometimes more than a fifth of the ratings.",
         table["ratings in test"].min() < 0.2 < table["ratings in test"].max())
table

# %% [markdown]
# The columns "torn" count the films of which one id is cold and the other isn't, for splits of ids
# and of films.
#
# **Question.** A fifth of the films is cold, always; yet the test has sometimes less and sometimes
# more than a fifth of the ratings. Why, and what does it mean for comparing two models?
#
# <details><summary>Answer</summary>
#
# Some films have one rating, some have five hundred, and it is luck whether the big ones are drawn.
# So some splits are easier than others, for every model. Compare models *within* each split, and
# over several splits (`cr.compare`).
# </details>

# %% tags=["solution"]
votes = ml.ratings.groupby("item").size()
cr.claim("Some films have one rating, and some have more than five hundred.",
         votes.min() == 1 and votes.max() > 500)

# %% [markdown]
# ## Exercise 5 · A recommender for new films
#
# Difficulty ●●●●○ · 15 minutes
#
# A recommender in this course is anything with `fit(train)` and `score(users, items)`. Write one
# that can score a film on its first day: by how much the user likes the film's genres.
#
# *Warm* films are those with a rating in `train`. For a user and a genre, the **like rate** is
#
# $$\text{rate}(u, g) = \frac{\text{liked}(u, g) + s \cdot b(u)}{\text{warm}(g) + s}
# \qquad\text{with}\qquad b(u) = \frac{\text{liked}(u)}{\text{warm}}$$
#
# where liked(u, g) is the number of warm films of the genre that the user likes, warm(g) the number
# of warm films of the genre, and liked(u) and warm the same over all genres. It is *shrunk*: s films
# with the user's overall rate b are put to each genre, so that three Westerns don't decide alone.
# A film's score is the mean of the rates of its genres.

# %%
class GenreMean:
    """Score a film by the mean of the user's shrunk like rates in its genres.

    NaN for a film without genres, and for a user without a rating in ``train``. (A user with
    ratings but no likes is known: their rates are zero.)
    """

    def __init__(self, shrink: float = 10.0):
        self.shrink = shrink

    def fit(self, train: cr.Ratings) -> "GenreMean":
        """Learn the like rates and return self.

        Of use: ``cr.views.genres(train)``, 0 or 1, is ``(items, genres)``;
        ``train.matrix(likes=True)`` has a 1 for each like, ``(users, items)``; ``train.matrix()``
        has the stars, 0 where there is no rating. Both are sparse: ``.toarray()`` first makes them
        arrays, with which all of NumPy works.
        """
        ### BEGIN SOLUTION
        genres = cr.views.genres(train)
        likes, rated = train.matrix(likes=True).toarray(), train.matrix().toarray() > 0
        warm = rated.any(axis=0)
        overall = likes.sum(axis=1, keepdims=True) / warm.sum()
        rates = (likes @ genres + self.shrink * overall) / (warm @ genres + self.shrink)
        with np.errstate(invalid="ignore"):  # no genre: 0 / 0 is the NaN we want
            self.scores = rates @ genres.T / genres.sum(axis=1)
        self.scores[~rated.any(axis=1)] = np.nan
        self.train = train
        return self
        ### END SOLUTION

    def score(self, users, items) -> np.ndarray:
        """Return the scores of item ids for user ids, in that order: ``(len(users), len(items))``.

        Of use: ``train.user_rows(users)`` and ``train.item_rows(items)`` turn ids into the rows
        and columns of the matrices above.
        """
        ### BEGIN SOLUTION
        return self.scores[np.ix_(self.train.user_rows(users), self.train.item_rows(items))]
        ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Counting is matrix multiplication: `likes @ genres` is liked(u, g) for all users and genres at
# once, `(users, genres)`. The same with a row of ones for warm films gives warm(g).
# </details>
#
# <details><summary>Help</summary>
#
# In `fit` make the whole table of scores, users by items: first the rates, `(users, genres)`; then
# `rates @ genres.T` adds up the rates of each item's genres, and dividing by the number of its
# genres makes the mean. Write NaN over the rows of users without ratings. In `score`, cut the rows
# and columns out: `table[np.ix_(rows, columns)]`. Likely mistakes: to divide by the films the user
# *rated*, to count new films among the warm ones, and to forget `return self`.
# </details>
#
# <details><summary>Solution</summary>
#
# `fit`: three counts, two divisions, NaN where nothing is known.
#
# ```python
# genres = cr.views.genres(train)
# likes, rated = train.matrix(likes=True).toarray(), train.matrix().toarray() > 0
# warm = rated.any(axis=0)
# overall = likes.sum(axis=1, keepdims=True) / warm.sum()
# rates = (likes @ genres + self.shrink * overall) / (warm @ genres + self.shrink)
# with np.errstate(invalid="ignore"):  # no genre: 0 / 0 is the NaN we want
#     self.scores = rates @ genres.T / genres.sum(axis=1)
# self.scores[~rated.any(axis=1)] = np.nan
# self.train = train
# return self
# ```
#
# `score`: ids to positions, and the part that was asked for.
#
# ```python
# return self.scores[np.ix_(self.train.user_rows(users), self.train.item_rows(items))]
# ```
# </details>

# %%
cr.checks.lesson01.genre_mean(GenreMean)

# %% [markdown]
# It passes the contract, so all the course's tools take it, the leak control (`control`) included.
#
# > **Predict.** Random finds about 6 % of what people like, a ridge on the same genres about 19 %
# > (both are checked below). And your recommender?

# %% tags=["check"]
splits = [cr.splits.item_cold(ml, 0.2, seed=seed) for seed in range(run.pick(smoke=1, cpu=5))]
line_up = {"random": cr.models.Random(), "popularity": cr.models.Popularity(),
           "GenreMean (yours)": GenreMean(),
           "ridge on genres": cr.models.ViewRidge({"genres": cr.views.genres(ml)})}
board = cr.leaderboard(line_up, splits)
ax = cr.plots.bars(board["recall"], board["recall_se"], label="Recall@20 on new films, mean ± SE")
times = board["recall"] / board["recall"]["random"]
cr.plots.show(ax, f"Recall on new films: GenreMean finds {times['GenreMean (yours)']:.1f} times what "
                  f"random finds, popularity {times['popularity']:.1f} times, the ridge on the same "
                  f"genres {times['ridge on genres']:.1f} times.")
cr.claim("Random finds about 6 % of what people like, the ridge on genres about 19 %.",
         abs(board.recall["random"] - 0.06) < 0.01
         and abs(board.recall["ridge on genres"] - 0.19) < 0.01)
cr.claim("GenreMean finds more than twice what random finds, and less than the ridge.",
         2 < times["GenreMean (yours)"] < times["ridge on genres"])
board[["recall", "recall_se", "ndcg", "control"]]

# %% [markdown]
# **Question.** Why divide by *all* warm films of a genre, and not by those the user has rated?
# "Of the Westerns I have seen I liked 80 %" sounds right, too. Change it, predict, and run the board
# again. (The check will complain.)
#
# <details><summary>Answer</summary>
#
# Recall falls to 0.07 or so, not far above random. People choose what they see. Who has seen three
# Westerns and liked them all has a rate of 1 there, and still won't see most of the others: *what*
# somebody rates says more than *how*. It is the lesson's point that guessing stars well isn't
# ranking well, in one denominator.
# </details>

# %% tags=["solution"]
class OfRated(GenreMean):
    """The change: divide by the films that the user has rated."""

    def fit(self, train):
        genres = cr.views.genres(train)
        likes, rated = train.matrix(likes=True).toarray(), train.matrix().toarray() > 0
        overall = likes.sum(axis=1, keepdims=True) / np.maximum(rated.sum(axis=1, keepdims=True), 1)
        rates = (likes @ genres + self.shrink * overall) / (rated @ genres + self.shrink)
        self.scores = rates @ genres.T / np.maximum(genres.sum(axis=1), 1)
        self.train = train
        return self


changed = cr.leaderboard({"GenreMean of rated films": OfRated()}, splits)
print(changed[["recall", "recall_se"]])
cr.claim("Divided by the films rated, recall falls to 0.07 or so.",
         abs(changed["recall"].iloc[0] - 0.07) < 0.01)

# %% [markdown]
# ## Exercise 6 · The leak detective
#
# Difficulty ●●●●● · 10 minutes · a stretch: little code, much to think of
#
# The lesson's control shuffles side information, and a leak *inside* a feature is shuffled away
# with it (section 7.5). Another experiment finds it. A feature is a function: it gets data and
# returns its values for all items. So ask it twice: what do you say now that the hidden ratings
# are there, and what would you say had they never been given?

# %%
def leaking(features: dict, split: cr.splits.Split) -> list[str]:
    """Return the names of the features that hold hidden ratings.

    ``features`` maps a name to a function that gets ``Ratings`` and returns an array with one row
    per item of the catalogue, ``(items,)`` or ``(items, d)``; it may have NaN. A feature leaks if
    any of its values, of a cold item or another, depends on the ratings in ``split.test``.

    Of use: ``split.train`` and ``split.test`` are ``Ratings``, and ``split.train.with_ratings``
    makes ``Ratings`` of another frame of ratings over the same items and users.
    """
    ### BEGIN SOLUTION
    both = pd.concat([split.train.ratings, split.test.ratings])
    everything = split.train.with_ratings(both)
    return [name for name, feature in features.items()
            if not np.array_equal(feature(everything), feature(split.train), equal_nan=True)]
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# The world with the hidden ratings is both frames together (`pd.concat`); the world without them is
# `split.train`. An honest feature says the same in both.
# </details>
#
# <details><summary>Help</summary>
#
# "The same" has traps. NaN isn't equal to NaN, so an honest feature with a gap would look guilty.
# A sum or a mean can stay the same while the rows change. A feature can give itself away in the
# rows of the *warm* films only. And `np.allclose` forgives differences of a hundred-thousandth,
# which is much for large numbers. `np.array_equal(a, b, equal_nan=True)` has none of these.
# </details>
#
# <details><summary>Solution</summary>
#
# Both worlds, each feature in both, and an exact comparison.
#
# ```python
# both = pd.concat([split.train.ratings, split.test.ratings])
# everything = split.train.with_ratings(both)
# return [name for name, feature in features.items()
#         if not np.array_equal(feature(everything), feature(split.train), equal_nan=True)]
# ```
# </details>

# %%
cr.checks.lesson01.leaking(leaking)

# %% [markdown]
# Now some candidates for MovieLens, each a column that could stand in a downloaded table.
#
# > **Predict.** Which of them leak? And which make a good recommender, each on its own?

# %%
def of_raters(data, values):
    """Return the mean of one value per rating over each item's ratings, as a column."""
    return values.groupby(data.ratings["item"]).mean().reindex(data.item_ids).to_numpy()


candidates = {
    "year": lambda data: data.items["year"].to_numpy(),
    "length of the title": lambda data: data.items["title"].str.len().to_numpy(float),
    "number of genres": lambda data: data.items["genres"].str.len().to_numpy(float),
    "number of votes": lambda data: data.matrix().getnnz(axis=0).astype(float),
    "mean stars": lambda data: of_raters(data, data.ratings["rating"]),
    "mean age of raters": lambda data: of_raters(
        data, data.ratings["user"].map(data.users.set_index("user")["age"])),
    "votes in training": lambda data: split.train.matrix().getnnz(axis=0).astype(float),
    "number in the catalogue": lambda data: np.arange(len(data.items), dtype=float),
}

# %% tags=["check"]
found = leaking(candidates, split)
teacher = cr.models.EASE().fit(split.train)
recall = {}
for name, feature in candidates.items():
    column = feature(ml)  # from all data, as in a downloaded table
    column = np.where(np.isnan(column), np.nanmean(column), column)[:, None]
    model = cr.models.ViewRidge({name: column}, targets=teacher).fit(split.train)
    recall[name] = cr.evaluate(model, split)["recall"]
recall = pd.Series(recall).sort_values(ascending=False)
floor = cr.evaluate(cr.models.Random().fit(split.train), split)["recall"]
ax = cr.plots.bars(recall, label="Recall@20 on new films of a ridge on this column alone",
                   reference={"random": floor},
                   colours={name: cr.plots.RED for name in found})
ax.barh(0, 0, color=cr.plots.RED, label="found by the detective")
ax.barh(0, 0, color=cr.plots.BLUE, label="not found")
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
cr.plots.show(ax, "Recall of a ridge on one column, those that the detective found in another "
                  "colour. The number of votes is best by far; the mean age of the raters leaks and "
                  "is of no use; the number in the catalogue isn't found, and is well above random.")
print("The detective found:", ", ".join(found))
cr.claim("The best column is one that leaks, the number of votes, and by far.",
         recall.index[0] == "number of votes" and "number of votes" in found
         and recall.iloc[0] > 1.5 * recall.iloc[1])
cr.claim("The mean age of the raters leaks, and is of no use.",
         "mean age of raters" in found and recall["mean age of raters"] < 1.3 * floor)
cr.claim("The number in the catalogue isn't found, and has twice random's recall.",
         "number in the catalogue" not in found and recall["number in the catalogue"] > 2 * floor)

# %% [markdown]
# **Question.** *Number in the catalogue*, the row in which the film stands, is no leak to the
# detective, and yet it beats random by far. How does it know? Name another feature, of films or
# elsewhere, that leaks and that the detective can't find.
#
# <details><summary>Answer</summary>
#
# The well-known films were put into the catalogue first, so the row knows fame that was earned
# somewhere else. The detective finds what is made from *these hidden ratings*. What came from the
# future by another road, such as awards, sequels, a page view count or an encyclopedia's long
# article, doesn't change when they are taken away. There only dates help: could this have been
# known on the first day? Lesson 02 asks it of a whole knowledge graph.
# </details>

# %% tags=["solution"]
rows, fame = candidates["number in the catalogue"](ml), candidates["number of votes"](ml)
rho = pd.Series(rows).corr(pd.Series(fame), method="spearman")
print(f"rank correlation of row and number of votes: {rho:.2f}")
cr.claim("The well-known films were put into the catalogue first.", rho < -0.5)

# %% [markdown]
# **Next:** lesson 02, a knowledge graph, and how to find out that it is wrong. All solutions, run
# and with their figures, are in `solutions/01_the_cold_start_problem.ipynb`.
