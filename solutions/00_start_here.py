# ---
# title: "Exercises 00: Start here"
# minutes: 20
# able: count likes, say what chance alone would find, and make a list out of scores
# ---

# %% [markdown]
# # Exercises 00 · Start here
#
# **You practise** counting likes, saying what chance alone would find, and making a list out of
# scores.
#
# | | |
# |---|---|
# | You need | [Lesson 00](../notebooks/00_start_here.ipynb); a little pandas and NumPy |
# | It takes | 20 minutes: three exercises of 5, 7 and 8 |
#
# **How a sheet works.** Each exercise has a function whose body is missing: replace the line
# `raise NotImplementedError("your turn")` and keep the rest. Run the cell, then the check below it.
# The check says ✓, or ✗ and what is *likely* wrong. Stuck? Unfold the hint, then the help, then
# the solution, one at a time. A cell that uses your function stops with an error as long as it
# isn't written; the cells after it run all the same.

# %%
import numpy as np
import pandas as pd

import coldrec as cr

run = cr.setup(seed=0)
ml = cr.load("ml-100k")
split = cr.splits.item_cold(ml, fraction=0.2, seed=0)

# %% [markdown]
# ## Exercise 1 · Who likes how much?
#
# Difficulty ●○○○○ · 5 minutes
#
# Everything in this course counts **likes**, ratings of 4 stars or more. Before any model, look
# at how freely people give them.

# %%
def liked_share(ratings: pd.DataFrame, like: float = 4.0) -> pd.Series:
    """Return, for each user, the share of their ratings that are likes.

    ``ratings`` has one row a rating, with the columns ``user``, ``item`` and ``rating``; a rating
    of ``like`` stars or more is a like. The result has one number from 0 to 1 for every user with
    a rating; its index is the user ids.
    """
    ### BEGIN SOLUTION
    return (ratings["rating"] >= like).groupby(ratings["user"]).mean()
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# `ratings["rating"] >= like` is a column of `True` and `False`. What is the mean of such a column?
# </details>
#
# <details><summary>Help</summary>
#
# A likely mistake is to keep the likes first and to count them by user: then people who like
# nothing are lost, though their share is 0. Group *all* rows by user. (One column can be grouped
# by another: `column.groupby(ratings["user"])`.)
# </details>
#
# <details><summary>Solution</summary>
#
# The mean of `True` and `False` is the share of `True`; taken within each user's rows, it is what
# we want, and nobody is lost.
#
# ```python
# return (ratings["rating"] >= like).groupby(ratings["user"]).mean()
# ```
# </details>

# %%
cr.checks.lesson00.liked_share(liked_share)

# %% tags=["check"]
share = liked_share(ml.ratings, ml.like)
ax = cr.plots.axes(height=3)
ax.hist(share, bins=np.linspace(0, 1, 26), color=cr.plots.BLUE)
ax.set(xlabel="share of a person's ratings that are likes", ylabel="people")
cr.plots.show(ax, f"How many of their films people like: {share.between(0.4, 0.8).mean():.0%} of the "
                  f"people like between four and eight in ten; {(share < 0.1).sum()} people like "
                  f"fewer than one in ten, {(share > 0.9).sum()} more than nine.")
of_all = (ml.ratings["rating"] >= ml.like).mean()
print(f"mean over people {share.mean():.3f}; over ratings {of_all:.3f}")
cr.claim("The mean over people is larger than the share over all ratings.", share.mean() > of_all)

# %% [markdown]
# **Question.** The mean over people is larger than the share over all ratings. Which people make
# the difference?
#
# <details><summary>Answer</summary>
#
# The second figure counts every rating once, so whoever rates much weighs much; the first counts
# everybody once. Who has rated hundreds of films has seen more than the good ones, and likes a
# smaller share. (Recall in this course is a mean over people.)
# </details>

# %% tags=["solution"]
many = ml.ratings.groupby("user").size() > 200
print(f"{many.sum()} people with more than 200 ratings like {share[many].mean():.1%} of their films, "
      f"the others {share[~many].mean():.1%}")
cr.claim("Who has rated hundreds of films likes a smaller share.",
         share[many].mean() < share[~many].mean())

# %% [markdown]
# ## Exercise 2 · What would chance find?
#
# Difficulty ●●○○○ · 7 minutes
#
# A recall of 0.06: good or bad? Only the comparison with a random list says so, and for that one
# you need no experiment.

# %%
def by_chance(n_liked: int, n_pool: int, n: int) -> tuple[float, float]:
    """Return the expected hits and the expected recall of a random list, as ``(hits, recall)``.

    The list is ``n`` different items, drawn at random from a pool of ``n_pool`` items of which the
    user likes ``n_liked``. Hits are the liked items in the list; recall is hits / n_liked, and NaN
    where ``n_liked`` is 0. Where ``n`` is larger than the pool, the list is the whole pool.
    """
    ### BEGIN SOLUTION
    n = min(n, n_pool)
    recall = n / n_pool if n_liked > 0 else float("nan")
    return n * n_liked / n_pool, recall
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Every item has the same chance to be in the list. What is it? Each liked item adds that much to
# the expected hits.
# </details>
#
# <details><summary>Help</summary>
#
# With `n_liked = 3`, `n_pool = 6`, `n = 2`, half of the items are liked, so on average one of the
# two picks is a hit: one third of the three liked items. A likely mistake is to divide the hits by
# `n`: that is precision. And mind the two borders: `n` above `n_pool`, and `n_liked` of 0.
# </details>
#
# <details><summary>Solution</summary>
#
# An item is in the list with probability n / n_pool, and there are n_liked that count. (That each
# pick changes the odds of the next one doesn't matter for the mean.) Divided by n_liked, only
# n / n_pool is left: a random list's recall is the same for everybody.
#
# ```python
# n = min(n, n_pool)
# recall = n / n_pool if n_liked > 0 else float("nan")
# return n * n_liked / n_pool, recall
# ```
# </details>

# %%
cr.checks.lesson00.by_chance(by_chance)

# %% [markdown]
# Now the experiment. Random models, lists of several lengths, all users with a like among the cold
# films. (Both axes are logarithmic, so that the short lists can be seen.)

# %% tags=["check"]
n_pool = len(split.cold_items)
lengths = run.pick(smoke=[20], cpu=[1, 10, 20, 50, 100, 200, n_pool])
chance = [cr.models.Random(seed=seed).fit(split.train) for seed in range(run.pick(smoke=2, cpu=10))]
runs = pd.DataFrame({n: [cr.evaluate(model, split, k=n)["recall"] for model in chance]
                     for n in lengths})
table = pd.DataFrame({"expected": {n: by_chance(1, n_pool, n)[1] for n in lengths},
                      "measured": runs.mean(), "standard error": runs.sem()})
ax = cr.plots.axes()
ax.plot(table["expected"], color=cr.plots.BLUE, label="expected")
ax.errorbar(table.index, table["measured"], table["standard error"], linestyle="none", marker="o",
            markersize=4, capsize=4, color=cr.plots.ORANGE, label="measured, mean ± SE")
ax.set(xscale="log", yscale="log", xlabel="length of the list", ylabel="recall of a random list")
ax.legend(frameon=False)
cr.plots.show(ax, f"Recall of random lists by their length. The line is what is expected; the dots "
                  f"are means of {len(chance)} random models with their standard errors, and they "
                  "lie near the line, which reaches 1 at the length of the pool.")
off = (table["measured"] - table["expected"]).abs()
cr.claim("Every measured recall is within four standard errors of the expected one.",
         (off <= 4 * table["standard error"] + 1e-9).all())
table.round(4)

# %% [markdown]
# **Question.** The recall of a random list is the same for somebody with 2 liked films and for
# somebody with 80. Is its *precision* (hits / n) the same, too? Does precision depend on n?
#
# <details><summary>Answer</summary>
#
# Expected precision is n_liked / n_pool: it depends on how much the person likes, and not on n.
# With recall it is just the other way round. A figure without the random figure beside it says
# little.
# </details>

# %% [markdown]
# ## Exercise 3 · The best n, and never a NaN
#
# Difficulty ●●○○○ · 8 minutes
#
# A model gives scores; people want a list. In between, items that the model can't score, whose
# score is NaN, must not slip in. It is a small step, and where many programs go wrong.

# %%
def top_n(scores: np.ndarray, item_ids: pd.Index, n: int) -> list:
    """Return the ids of the ``n`` items with the highest scores, best first.

    ``scores[i]`` is the score of ``item_ids[i]``; any number is a score, also 0 and below, and
    infinite ones. NaN means that the item can't be scored, and such an item is never in the list,
    which is shorter than ``n`` (or empty) where too few items have a score. Items with equal scores
    may come in any order.
    """
    ### BEGIN SOLUTION
    known = np.flatnonzero(~np.isnan(scores))
    best = known[np.argsort(-scores[known])][:n]
    return list(item_ids[best])
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.argsort(x)` gives the positions that put `x` in order, lowest first. `np.isnan` finds NaN;
# `np.flatnonzero` turns `True` and `False` into positions.
# </details>
#
# <details><summary>Help</summary>
#
# The order of the steps matters. Sort everything and reverse, and NaN comes first, for NumPy sorts
# NaN as the largest. Cut to n and then drop NaN, and the list is too short. Put 0 for NaN, and a
# film nobody knows anything about beats every negative score. So: drop, sort, cut, look up the ids.
# </details>
#
# <details><summary>Solution</summary>
#
# Positions of the scored items first; the order among them; the first n; their ids. The minus sign
# turns "lowest first" into "highest first".
#
# ```python
# known = np.flatnonzero(~np.isnan(scores))
# best = known[np.argsort(-scores[known])][:n]
# return list(item_ids[best])
# ```
# </details>

# %%
cr.checks.lesson00.top_n(top_n)

# %% [markdown]
# Now with real scores. Take another person than in the lesson (`ml.user_ids` has them all), and
# compare popularity with the ridge on the text view:

# %% tags=["check"]
user = 7
popularity = cr.models.Popularity().fit(split.train)
ridge = cr.models.ViewRidge({"text": cr.views.text(ml)}).fit(split.train)
liked = set(split.test.ratings.query("user == @user and rating >= @ml.like")["item"])
for name, model in {"popularity": popularity, "ridge": ridge}.items():
    scores = model.score([user], split.cold_items)[0]
    best = top_n(scores, split.cold_items, 10)
    print(f"{name}: {len(best)} films, {len(liked.intersection(best))} of them liked; "
          f"by chance {by_chance(len(liked), len(split.cold_items), len(best))[0]:.1f}")
    for title in ml.items.set_index("item").loc[best, "title"]:
        print("   ", title)

# %% [markdown]
# **Question.** A colleague writes `np.nan_to_num(scores)` before sorting, "because NaN only makes
# trouble". What would popularity's list of cold films look like then, and who would notice?
#
# <details><summary>Answer</summary>
#
# It would be ten films, each with the score 0, in whatever order the sort leaves them, often that of
# the file: a list like any other, made of nothing. And as MovieLens gives low numbers to well-known
# films, the order of the file even finds more than chance does (lesson 01, section 7.3). Nobody would
# notice; of an empty list, everybody does.
# </details>

# %% tags=["solution"]
likes = split.test.ratings.query("rating >= @ml.like")
in_file_order = likes["item"].isin(split.cold_items[:10]).groupby(likes["user"]).mean()
print(f"recall of the first ten in the file {in_file_order.mean():.3f} ± {in_file_order.sem():.3f}, "
      f"by chance {by_chance(1, n_pool, 10)[1]:.3f}")
cr.claim("The first ten films of the file find more than chance does.",
         in_file_order.mean() - 2 * in_file_order.sem() > by_chance(1, n_pool, 10)[1])

# %% [markdown]
# **Next:** [lesson 01](../notebooks/01_the_cold_start_problem.ipynb). All solutions, run and with
# their figures, are in `solutions/00_start_here.ipynb`.
