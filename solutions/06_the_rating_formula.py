# ---
# title: "Exercises 06: The rating formula"
# minutes: 75
# able: find the errors in the article's example, fit its symbols by hand, update a belief by its precision, check whether intervals hold what they promise, and say from how many ratings on these beat a film's description
# ---

# %% [markdown]
# # Exercises 06 · The rating formula
#
# **You practise** what `RatingFormula` is made of: the formula for one pair, a bias from three ratings,
# the two choices that no rating can make for you, one step of alternating least squares, and a belief
# that each rating moves by its precision. Then you judge it: do its intervals hold as many ratings as
# they say, and from how many ratings on do a film's own ratings tell more than its description?
#
# | | |
# |---|---|
# | You need | [Lesson 06](../notebooks/06_the_rating_formula.ipynb); NumPy |
# | It takes | 75 minutes: eight exercises of 5 to 15; only exercise 2 calls an earlier one, and only the last cell, *All together*, calls them all |
#
# How a sheet works is told at the top of [sheet 00](00_start_here.ipynb): replace the `raise` line,
# run the cell, run the check; stuck, unfold the hint, the help, the solution.
#
# The cell below fits the formula on four fifths of MovieLens' films, which takes a few seconds. The
# others are **new films**: nobody has rated them yet, and the model knows their texts and genres.

# %%
import numpy as np
import pandas as pd
from scipy.stats import norm

import coldrec as cr

run = cr.setup(seed=0)
ml = cr.load("ml-100k")
pd.options.display.float_format = "{:.3f}".format
views = {"text": cr.views.text(ml), "genres": cr.views.genres(ml)}
folds = cr.splits.item_folds(ml, 5, seed=0)


def fitted(split):
    """Return the formula, small enough for a sheet, fitted on the films that aren't new."""
    formula = cr.rating.RatingFormula(views, directions=run.pick(cpu=60, smoke=10), free=0,
                                      sweeps=run.pick(cpu=4, smoke=1), progress=False)
    return formula.fit(split.train)


split = folds[0]
formula = fitted(split)
test = split.test.ratings
of_user, of_item = ml.user_rows(test["user"]), ml.item_rows(test["item"])
print(f"{len(split.cold_items)} films are new; {len(test):,} ratings of them are held out.")

# %% [markdown]
# ## Exercise 1 · The example, by code
#
# Difficulty ●○○○○ · 5 minutes
#
# $$r_{ui} = \alpha_u \cdot \alpha_i \cdot \cos(u, i) + \beta_u + \beta_i$$
#
# The cosine is the dot product of the two vectors divided by both their lengths. In NumPy: `u @ i` is
# the dot product, `np.linalg.norm(u)` the length.

# %%
def worked_example(
    u: np.ndarray, i: np.ndarray, alpha_u: float, alpha_i: float, beta_u: float, beta_i: float
) -> tuple[float, float]:
    """Return the cosine of two vectors, and the rating that the formula makes of it.

    Neither vector has the length 0. Nothing is rounded, and the rating isn't cut to a scale.
    """
    ### BEGIN SOLUTION
    cos = u @ i / (np.linalg.norm(u) * np.linalg.norm(i))
    return cos, alpha_u * alpha_i * cos + beta_u + beta_i
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Two lines: the cosine, and the rating made of it. Return both, with a comma between them.
# </details>
#
# <details><summary>Help</summary>
#
# Divide `u @ i` by `(np.linalg.norm(u) * np.linalg.norm(i))`. The parentheses matter: `a / b * c` is
# `(a / b) * c`. The two weights are multiplied with the cosine, and the two biases added after.
# </details>
#
# <details><summary>Solution</summary>
#
# The cosine, then the formula as it stands.
#
# ```python
# cos = u @ i / (np.linalg.norm(u) * np.linalg.norm(i))
# return cos, alpha_u * alpha_i * cos + beta_u + beta_i
# ```
# </details>

# %%
cr.checks.lesson06.worked_example(worked_example)

# %% [markdown]
# The article's example has the weights 0.5 and 0.7 and the biases 0.1 and 0.2, and comes to a rating of
# about 0.7. Below, u is turned all the way around, and i stays.
#
# > **Predict.** Which cosine does a rating of 0.7 need? Which is the largest rating of all?

# %% tags=["check"]
angles = np.linspace(0, np.pi, 181)
turned = [worked_example(np.array([np.cos(angle), np.sin(angle)]), np.array([2.0, 0.0]), 0.5, 0.7, 0.1, 0.2)
          for angle in angles]
cosines, stars = map(np.array, zip(*turned, strict=True))
needed = (0.7 - 0.1 - 0.2) / (0.5 * 0.7)
ax = cr.plots.axes(height=3.4)
ax.plot(cosines, stars, color=cr.plots.BLUE, linewidth=2, label="the formula")
ax.axhline(0.7, color=cr.plots.ORANGE, linestyle="--", label="the rating that the article prints")
ax.set(xlabel="cos(u, i)", ylabel="rating", xlim=(-1.05, 1.25), ylim=(-0.1, 0.8))
ax.legend(loc="lower right", frameon=False)
cr.plots.show(ax, f"The rating over the cosine, for the article's weights and biases: a straight line from "
                  f"{stars.min():.2f} at −1 to {stars.max():.2f} at 1. It ends below the dashed line at 0.7.")
print(f"A rating of 0.7 needs a cosine of {needed:.3f}.")
cr.claim("With the article's weights and biases, no two vectors have a rating of 0.7: the largest is 0.65.",
         needed > 1 and np.isclose(stars.max(), 0.65))

# %% [markdown]
# **Question.** A scale from 1 to 5 wants ratings of at least 1. Which symbols have to change for that?
#
# <details><summary>Answer</summary>
#
# The biases. The cosine is as often below 0 as above it, so the weights only say how far a rating may be
# from the middle; the middle itself is β_u + β_i, about 3.5 in MovieLens. The article's biases, 0.3
# together, fit no scale that begins at 1.
# </details>

# %% [markdown]
# ## Exercise 2 · What is wrong in it
#
# Difficulty ●●○○○ · 10 minutes
#
# These are the symbols and figures of the article's fourth section.
#
# | symbol | what it stands for there |
# |---|---|
# | *U*, *I*, *R* | the graph's users, its items, and the relations between them |
# | *H*, of the size n_u × n_i | the vectors, n_u users and n_i items: each row is a user's vector, each column an item's |
# | *R*, of the size n_u × n_i | the ratings of the items by the users |
# | r_ui | the rating of item i by user u |
#
# | in the example | |
# |---|---|
# | r_ui | [5, 3, 2, 4] |
# | u | [0.4, 0.2, 0.1, 0.3] |
# | i | [0.6, 0.3, 0.5, 0.2] |
# | α_u, α_i | 0.5, 0.7 |
# | β_u, β_i | 0.1, 0.2 |
# | cos(u, i) | about 0.7 |
# | the rating | about 0.7, from 0.5 · 0.7 · 0.7 + 0.1 + 0.2 |
#
# Write down what should stand there. (The size of *H* is that of a matrix in which all vectors have a
# place, and any user's can be compared with any item's.)

# %%
def corrections(n_users: int, n_items: int, width: int) -> dict:
    """Return what should stand in the article's fourth section.

    - ``cos``: the cosine of its two vectors, to three decimals at least;
    - ``rating``: the rating, with the right cosine, to three decimals at least;
    - ``rating_by_printed_cos``: what its own cosine, 0.7, gives in its own formula;
    - ``shape_of_H``: a pair (rows, columns), for so many users and items and vectors of ``width``
      numbers;
    - ``two_meanings``: the capital letter that names two things, as a text;
    - ``unused``: the list of numbers that the example gives and that the formula never uses.
    """
    ### BEGIN SOLUTION
    u, i = np.array([0.4, 0.2, 0.1, 0.3]), np.array([0.6, 0.3, 0.5, 0.2])
    cos, rating = worked_example(u, i, 0.5, 0.7, 0.1, 0.2)
    return {
        "cos": cos,
        "rating": rating,
        "rating_by_printed_cos": 0.5 * 0.7 * 0.7 + 0.1 + 0.2,
        "shape_of_H": (n_users + n_items, width),
        "two_meanings": "R",
        "unused": [5, 3, 2, 4],
    }
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# The first two come from exercise 1 (or from a calculator). For *H*, think of how many numbers a row of
# it has, and how many a column: could you take their cosine? For the last two, go through both tables
# with a finger.
# </details>
#
# <details><summary>Help</summary>
#
# `worked_example(np.array([0.4, 0.2, 0.1, 0.3]), np.array([0.6, 0.3, 0.5, 0.2]), 0.5, 0.7, 0.1, 0.2)`
# gives the first two. The third is a sum that needs no vectors. *H* needs a row for each user *and* one
# for each item, and all rows have `width` numbers. One letter stands in two rows of the first table.
# One row of the second table has no place in the formula: the left side of it is *one* number.
# </details>
#
# <details><summary>Solution</summary>
#
# Three numbers, a size, a letter, a list.
#
# ```python
# u, i = np.array([0.4, 0.2, 0.1, 0.3]), np.array([0.6, 0.3, 0.5, 0.2])
# cos, rating = worked_example(u, i, 0.5, 0.7, 0.1, 0.2)
# return {
#     "cos": cos,
#     "rating": rating,
#     "rating_by_printed_cos": 0.5 * 0.7 * 0.7 + 0.1 + 0.2,
#     "shape_of_H": (n_users + n_items, width),
#     "two_meanings": "R",
#     "unused": [5, 3, 2, 4],
# }
# ```
# </details>

# %%
cr.checks.lesson06.corrections(corrections)

# %% tags=["check"]
found = corrections(*ml.matrix().shape, views["text"].shape[1])
rows, columns = found["shape_of_H"]
everybody = np.random.default_rng(0).normal(size=(rows, columns))  # the right place, any vectors
users, items = np.split(everybody, [len(ml.user_ids)])
print(f"For MovieLens and MiniLM, H is {rows:,} × {columns}. Its first {len(users)} rows with its last "
      f"{len(items):,} make {users.shape[0] * items.shape[0]:,} cosines.")
pd.DataFrame({"the article": [0.7, 0.7, 0.7], "right": [found["cos"], found["rating"], found["rating_by_printed_cos"]]},
             index=["cosine", "rating", "rating by the cosine 0.7"])

# %% [markdown]
# **Question.** The article says 0.7 twice, and both are wrong. Do the errors matter for what it teaches?
#
# <details><summary>Answer</summary>
#
# The formula is right, and the lesson is built on it. But a reader who checks the example finds that the
# numbers don't follow, and one who programs *H* as it is printed gets an error, or, where there are as
# many users as items, a number without a meaning. Do such sums by code, and keep the code beside
# the text.
# </details>

# %% [markdown]
# ## Exercise 3 · A bias from three ratings
#
# Difficulty ●●○○○ · 10 minutes
#
# Three people rate a new film, and it gets 4, 5 and 4 stars. To a film that is like the mean, these
# three would give 3.5, 4 and 3 stars. The film's genres suggest a bias of 0.2, and this **prior** should
# count as much as 2 ratings. What is the film's bias β_i?
#
# Each rating says something about it: by how much it is above what was expected. The bias is the mean of
# what the ratings say, and of the prior, which is in it as if it were `pull` ratings more.
#
# Work it out on paper first; then write the function.

# %%
def item_bias(ratings: np.ndarray, expected: np.ndarray, prior: float, pull: float) -> float:
    """Return the bias of an item, shrunk towards a prior.

    ``ratings`` are those that the item got, and ``expected`` what the same users would give to an item
    whose bias is 0. Both may be empty. The prior counts as ``pull`` ratings (more than 0, and not
    always a whole number).
    """
    ### BEGIN SOLUTION
    above = ratings - expected
    return (above.sum() + pull * prior) / (len(ratings) + pull)
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# A mean is a sum divided by a number. In the sum: what each rating is above the expected one, and the
# prior `pull` times. The number is how many that are.
# </details>
#
# <details><summary>Help</summary>
#
# `above = ratings - expected` has an entry for each rating. Use `above.sum()` and not `above.mean()`: the
# sum of nothing is 0, the mean of nothing is NaN. Add `pull * prior` to the sum, and divide by
# `len(ratings) + pull`.
#
# By hand: 0.5 + 1 + 1 = 2.5, and 2 · 0.2 = 0.4, so 2.9 / 5.
# </details>
#
# <details><summary>Solution</summary>
#
# One mean of ratings and prior.
#
# ```python
# above = ratings - expected
# return (above.sum() + pull * prior) / (len(ratings) + pull)
# ```
# </details>

# %%
cr.checks.lesson06.item_bias(item_bias)

# %% [markdown]
# Now real films, those with 60 ratings or more. Of each, n ratings are shown, in five random orders; the
# bias by the ratings beyond the first 20 is what one would like to know. Three ways to guess it: the
# shown ratings alone, the prior alone (here the mean bias of these films), and yours with a pull of 5.
#
# > **Predict.** After three ratings, is a film's own mean nearer, or what is true of films in general?

# %% tags=["check"]
rated = ml.ratings.assign(expected=ml.ratings.groupby("user")["rating"].transform("mean"))
rated = rated[rated.groupby("item")["item"].transform("size") >= 60]
pulls = {"the ratings alone": 1e-9, "the prior alone": 1e9, "yours, pull 5": 5}
rows, spreads = [], []
for seed in range(5):
    films = [film[["rating", "expected"]].to_numpy().T for _, film in rated.sample(frac=1, random_state=seed).groupby("item")]
    beyond = np.array([(stars[20:] - expected[20:]).mean() for stars, expected in films])
    spreads.append((np.mean([np.var(stars - expected, ddof=1) for stars, expected in films]), beyond.var()))
    for n in (0, 1, 2, 3, 5, 10, 20):
        for name, pull in pulls.items():
            guess = [item_bias(stars[:n], expected[:n], beyond.mean(), pull) for stars, expected in films]
            rows.append((seed, n, name, np.sqrt(np.mean((guess - beyond) ** 2))))
errors = pd.DataFrame(rows, columns=["seed", "ratings shown", "way", "error"]).pivot(
    index=["seed", "ratings shown"], columns="way", values="error")[list(pulls)]
table = errors.groupby("ratings shown").mean()
print(f"By hand: {item_bias(np.array([4, 5, 4]), np.array([3.5, 4, 3]), 0.2, 2):.2f}. "
      f"Below: the error of the guessed bias in stars (root mean square) over {len(films)} films.")
shown = errors[errors.index.get_level_values("ratings shown") > 0]
few = errors[errors.index.get_level_values("ratings shown").isin([1, 2, 3])]
cr.claim("In each of the five orders: after one, two and three ratings the prior alone is nearer to the truth "
         "than the film's own mean.", (few["the prior alone"] < few["the ratings alone"]).all())
cr.claim("In each of the five orders: with any number of ratings, yours is nearer than both.",
         (shown["yours, pull 5"] < shown.drop(columns="yours, pull 5").min(axis=1)).all())
table

# %% [markdown]
# **Question.** Which pull would be best? Think of what makes a single rating a bad witness, and what
# makes the prior one.
#
# <details><summary>Answer</summary>
#
# A single rating is a bad witness if ratings of one film differ much; the prior is one if films differ
# much from it. The pull is the variance of the first over that of the second, as exercise 6 shows. Here
# that is about 6.
# </details>

# %% tags=["solution"]
within, between = np.mean(spreads, axis=0)
print(f"variance of ratings within a film {within:.2f}, of biases between films {between:.2f}: {within / between:.1f}")
cr.claim("The variance within films over that between them is about 6.", 5 < within / between < 7)

# %% [markdown]
# ## Exercise 4 · What no rating can tell
#
# Difficulty ●●○○○ · 5 minutes
#
# In the article an encoder makes the vectors: their directions are **given**, and only weights and biases
# are fitted. Two people do that with the same directions and the same ratings, and their numbers differ.
# Both may be right: with all α_u doubled and all α_i halved, no prediction changes, nor with a star taken
# from all β_u and given to all β_i. These two choices are all that is left open, if there are enough
# ratings and directions of many kinds: each product α_u · α_i and each sum β_u + β_i can be told. To
# compare two fits one has to choose, and we choose as `RatingFormula` does: **the mean of α_i is 1, and
# the mean of β_u is 0**.
#
# (Where the vectors are fitted along with the rest, ratings tell less. The question at the end of this
# exercise is about that.)

# %%
def normalised(
    alpha_u: np.ndarray, alpha_i: np.ndarray, beta_u: np.ndarray, beta_i: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return alpha_u, alpha_i, beta_u and beta_i that make the same predictions for all pairs.

    The directions of all vectors are given, and stay: only weights and biases change.
    The returned alpha_i have the mean 1, the returned beta_u the mean 0. There may be another number
    of users (alpha_u, beta_u) than of items (alpha_i, beta_i); all weights are above 0. What is given
    stays as it is.
    """
    ### BEGIN SOLUTION
    scale, shift = alpha_i.mean(), beta_u.mean()
    return alpha_u * scale, alpha_i / scale, beta_u - shift, beta_i + shift
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Two numbers do it all: one that scales, one that shifts. What one side loses, the other gets.
# </details>
#
# <details><summary>Help</summary>
#
# Divide alpha_i by its mean, and multiply alpha_u by the same number: the products stay. Subtract the
# mean of beta_u from beta_u, and add the same number to beta_i: the sums stay. Take both means before you
# change anything, and write `beta_u - shift`: `beta_u -= shift` would change what is given.
# </details>
#
# <details><summary>Solution</summary>
#
# One scale, one shift, each used twice.
#
# ```python
# scale, shift = alpha_i.mean(), beta_u.mean()
# return alpha_u * scale, alpha_i / scale, beta_u - shift, beta_i + shift
# ```
# </details>

# %%
cr.checks.lesson06.normalised(normalised)

# %% [markdown]
# A colleague's fit of the same films, with the same directions: her numbers are other ones, and her
# predictions are the same.
#
# > **Predict.** Which of your numbers may you compare with hers: β_i of *Toy Story*, β_i of *Toy Story*
# > less that of *Star Wars*, α_u of a user, α_u of one user over that of another?

# %% tags=["check"]
mine = (formula.alpha_user_, formula.alpha_item_, formula.beta_user_, formula.beta_item_)
hers = (mine[0] * 4, mine[1] / 4, mine[2] + 1.5, mine[3] - 1.5)


def predicted(alpha_u, alpha_i, beta_u, beta_i):
    """Return the stars of all users for all films."""
    cos = formula.user_vectors_ @ formula.item_vectors_.T
    return np.outer(alpha_u, alpha_i) * cos + np.add.outer(beta_u, beta_i)


def compared(alpha_u, alpha_i, beta_u, beta_i):
    """Return a few numbers of a fit, to be compared with another's."""
    toys, wars = (ml.item_rows(ml.items.loc[ml.items["title"] == title, "item"])[0] for title in ("Toy Story", "Star Wars"))
    return {"β_i of Toy Story": beta_i[toys], "Toy Story less Star Wars": beta_i[toys] - beta_i[wars],
            "α_u of the first user": alpha_u[0], "the first user's over the second's": alpha_u[0] / alpha_u[1]}


table = pd.DataFrame({"mine": compared(*mine), "hers": compared(*hers), "mine, normalised": compared(*normalised(*mine)),
                      "hers, normalised": compared(*normalised(*hers))})
same = np.isclose(table["mine"], table["hers"])
cr.claim("Both fits make the same predictions for all pairs, and so do both after yours.",
         all(np.allclose(predicted(*fit), predicted(*mine)) for fit in (hers, normalised(*mine), normalised(*hers))))
cr.claim("Before, differences of biases and ratios of weights agree, and the numbers themselves don't. After it, "
         "all agree.", same.tolist() == [False, True, False, True]
         and np.allclose(table["mine, normalised"], table["hers, normalised"]))
table

# %% [markdown]
# **Question.** Here the directions were given. Matrix factorisation fits the vectors along with the rest.
# Do ratings still tell the products α_u · α_i and the sums β_u + β_i?
#
# <details><summary>Answer</summary>
#
# No. Write p_u for α_u · u and q_i for α_i · i: the formula is p_u · q_i + β_u + β_i. Two kinds of changes
# leave all predictions as they are:
#
# - **Any invertible matrix *A* for all**: p_u becomes p_u*A*, and q_i becomes q_i*A*⁻ᵀ (the inverse,
#   transposed). A rotation is such a matrix, and keeps all lengths and angles. Most others keep neither, so
#   the products α_u · α_i change, each by another factor, and the cosines with them.
# - **One vector c for all items**: q_i becomes q_i + c, and β_u becomes β_u − p_u · c. The sums change, for
#   each user by another number. (The same goes with users and items exchanged.)
#
# So ratings tell the whole prediction, and not how much of it is taste and how much bias. The means of
# `normalised` don't settle that: they are about given directions. In `RatingFormula` the views and the
# prior settle it. The films' coordinates that come from the views stay as they are, so no *A* is left there;
# a vector common to all users could still trade places with the β_i, and the prior says how much of it may.
# </details>

# %% tags=["solution"]
alpha_u, alpha_i, beta_u, beta_i = mine
p, q = alpha_u[:, None] * formula.user_vectors_, alpha_i[:, None] * formula.item_vectors_
rng = np.random.default_rng(0)
A, c = rng.normal(size=(q.shape[1],) * 2), rng.normal(size=q.shape[1])
others = {"mapped": (p @ A, q @ np.linalg.inv(A).T, beta_u), "shifted": (p, q + c, beta_u - p @ c)}
cr.claim("After a random invertible map of all vectors, or a shift of all items', the predictions are the same.",
         all(np.allclose(P @ Q.T + np.add.outer(b, beta_i), predicted(*mine)) for P, Q, b in others.values()))


def lengths_and_biases(P, Q, b):
    """Return such a fit in the formula's symbols, normalised."""
    return normalised(np.linalg.norm(P, axis=1), np.linalg.norm(Q, axis=1), b, beta_i)


told = normalised(*mine)
cr.claim("The map changes the users' weights, and the shift their biases, even after `normalised`.",
         not np.allclose(lengths_and_biases(*others["mapped"])[0], told[0], rtol=0.1)
         and not np.allclose(lengths_and_biases(*others["shifted"])[2], told[2], atol=0.1))

# %% [markdown]
# ## Exercise 5 · One step of alternating least squares
#
# Difficulty ●●●○○ · 15 minutes
#
# α_u · α_i · cos(u, i) is the dot product of a vector of length α_u and one of length α_i. So if the
# items are known, a user is a **ridge regression** of their ratings: find the vector w and the bias
# β_u for which
#
# $$\sum_i \left(r_{ui} - \beta_i - w \cdot x_i - \beta_u\right)^2 + \lambda \left(\|w\|^2 + \beta_u^2\right)$$
#
# is smallest, where x_i is the item's vector of length α_i. Then α_u is the length of w, and u its
# direction. Alternating least squares does this for each user, then the same for each item given the users,
# and so on.
#
# With a matrix *X* whose rows are the items' vectors, each with a 1 at its end for the bias, the answer is
# the solution of (XᵀX + λ·1) · [w, β_u] = Xᵀ · (what is left of the ratings).

# %%
def user_step(
    items: np.ndarray, item_biases: np.ndarray, ratings: np.ndarray, penalty: float
) -> tuple[float, np.ndarray, float]:
    """Return alpha_u, u and beta_u of one user, fitted to their ratings by a ridge regression.

    ``items`` has a row for each film that the user rated: its vector, of length alpha_i.
    ``item_biases`` and ``ratings`` have an entry for each of them. The penalty, above 0, is on the
    vector and on the bias. The returned u has the length 1. There may be fewer ratings than
    coordinates.
    """
    ### BEGIN SOLUTION
    seen = np.column_stack([items, np.ones(len(items))])
    left_side = seen.T @ seen + penalty * np.eye(seen.shape[1])
    fitted = np.linalg.solve(left_side, seen.T @ (ratings - item_biases))
    vector, beta_u = fitted[:-1], fitted[-1]
    alpha_u = np.linalg.norm(vector)
    return alpha_u, vector / alpha_u, beta_u
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Build *X*, solve for all numbers of the user at once, and take the result apart: the last one is the
# bias, and the others are the vector, which you part into length and direction.
# </details>
#
# <details><summary>Help</summary>
#
# `seen = np.column_stack([items, np.ones(len(items))])` is *X*. `np.linalg.solve(A, b)` solves A · x = b;
# here A is `seen.T @ seen + penalty * np.eye(seen.shape[1])` and b is
# `seen.T @ (ratings - item_biases)`. Of the result, `[:-1]` is w and `[-1]` is β_u. The length is
# `np.linalg.norm`, of w without the bias.
# </details>
#
# <details><summary>Solution</summary>
#
# A ridge regression with a column of ones, and its result in the formula's symbols.
#
# ```python
# seen = np.column_stack([items, np.ones(len(items))])
# left_side = seen.T @ seen + penalty * np.eye(seen.shape[1])
# fitted = np.linalg.solve(left_side, seen.T @ (ratings - item_biases))
# vector, beta_u = fitted[:-1], fitted[-1]
# alpha_u = np.linalg.norm(vector)
# return alpha_u, vector / alpha_u, beta_u
# ```
# </details>

# %%
cr.checks.lesson06.user_step(user_step)

# %% [markdown]
# Below, all users of MovieLens are fitted anew by your step, to the films' vectors and biases of the
# fitted formula, with several penalties. Then the ratings of the new films are predicted, whose vectors
# come from their texts and genres.
#
# > **Predict.** What happens to α_u, and to the error, if the penalty is tiny? If it is huge?

# %% tags=["check"]
vectors = formula.alpha_item_[:, None] * formula.item_vectors_
known = [(films["item"].pipe(ml.item_rows), films["rating"].to_numpy(float), own)
         for user, films in split.train.ratings.groupby("user")
         for own in [np.flatnonzero(test["user"] == user)]]
rows = {}
for penalty in (0.1, 1.0, 10.0, 100.0, 1000.0):
    stars, weights = np.full(len(test), np.nan), []
    for films, given, own in known:
        alpha_u, u, beta_u = user_step(vectors[films], formula.beta_item_[films], given, penalty)
        stars[own] = vectors[of_item[own]] @ (alpha_u * u) + beta_u + formula.beta_item_[of_item[own]]
        weights.append(alpha_u)
    asked = ~np.isnan(stars)  # a user may have rated new films only
    rows[penalty] = {"RMSE": cr.metrics.rmse(test["rating"][asked], stars[asked]), "mean α_u": np.mean(weights)}
steps = pd.DataFrame(rows).T.rename_axis("penalty")
bias_alone = cr.evaluate(cr.models.Bias().fit(split.train), split)["rmse"]
ax = cr.plots.lines(steps[["RMSE"]], xlabel="penalty (logarithmic)", ylabel="RMSE on new films (stars)")
ax.axhline(bias_alone, color="black", linestyle="--", linewidth=1, label="the user's bias alone")
ax.set_xscale("log")
ax.legend(frameon=False)
cr.plots.show(ax, "Error on new films by the penalty of your step: " + ", ".join(
    f"{error:.3f} at {penalty:g}" for penalty, error in steps["RMSE"].items())
    + f". The user's bias alone (dashed) has {bias_alone:.3f}.")
cr.claim("The larger the penalty, the smaller α_u.", steps["mean α_u"].is_monotonic_decreasing)
cr.claim("With a penalty of 0.1 the error is larger than the bias alone has; with 10 it is smaller by 0.03 stars "
         "or more, and smaller than with all others.", steps.loc[0.1, "RMSE"] > bias_alone
         and steps.loc[10, "RMSE"] < bias_alone - 0.03 and steps["RMSE"].idxmin() == 10)
steps

# %% [markdown]
# **Question.** The figure says that 10 is a good penalty. May you use it, and report the error that stands
# there?
#
# <details><summary>Answer</summary>
#
# Not that error: the penalty was chosen by the ratings that it is judged by. Choose it on films that
# are held out of the *training* films, then look at the test once. `RatingFormula` chooses no penalty at
# all: it learns how much its numbers vary, one variance for each coordinate, from the training ratings.
# </details>

# %% [markdown]
# ## Exercise 6 · A belief, and what ratings make of it
#
# Difficulty ●●○○○ · 10 minutes
#
# Before any rating, a film's mean rating is believed to be about `prior_mean`, give or take: the
# **variance** of this belief is `prior_var`. Ratings vary about the film's mean with the variance
# `noise_var`. One over a variance is a **precision**, and precisions add up: that of the prior, and one
# of each rating. The new mean is the mean of the prior's and the ratings', each weighted by its
# precision.

# %%
def posterior(
    prior_mean: float, prior_var: float, ratings: np.ndarray, noise_var: float
) -> tuple[float, float]:
    """Return the mean and the variance of what is believed of a film's mean after its ratings.

    All variances are above 0. ``ratings`` may be empty: then the belief is the prior.
    """
    ### BEGIN SOLUTION
    precision = 1 / prior_var + len(ratings) / noise_var
    mean = (prior_mean / prior_var + ratings.sum() / noise_var) / precision
    return mean, 1 / precision
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# First the precision of all together. Then the weighted mean: a sum of values times their precisions,
# divided by the sum of the precisions. The variance is one over the precision.
# </details>
#
# <details><summary>Help</summary>
#
# n ratings have the precision `len(ratings) / noise_var`. To the weighted sum, the prior brings
# `prior_mean / prior_var`, and each rating itself over `noise_var`, so all of them
# `ratings.sum() / noise_var`. (The sum of nothing is 0; the mean of nothing would be NaN.)
# </details>
#
# <details><summary>Solution</summary>
#
# Precisions add up, and weight the mean.
#
# ```python
# precision = 1 / prior_var + len(ratings) / noise_var
# mean = (prior_mean / prior_var + ratings.sum() / noise_var) / precision
# return mean, 1 / precision
# ```
# </details>

# %%
cr.checks.lesson06.posterior(posterior)

# %% [markdown]
# Prior and noise are taken from all films but one. That one is *Fargo*, and its ratings come in, one
# after another, in a random order.
#
# > **Predict.** After how many ratings is the interval half as wide as at the start?

# %% tags=["check"]
fargo = ml.items.loc[ml.items["title"] == "Fargo", "item"].iloc[0]
others = ml.ratings[ml.ratings["item"] != fargo].groupby("item")["rating"].agg(["mean", "var", "size"])
others = others[others["size"] >= 20]
prior_mean, noise_var = others["mean"].mean(), others["var"].mean()
prior_var = others["mean"].var() - (others["var"] / others["size"]).mean()  # less what the means' own noise adds
stars = ml.ratings.loc[ml.ratings["item"] == fargo, "rating"].sample(frac=1, random_state=0).to_numpy(float)
at_once = np.array([posterior(prior_mean, prior_var, stars[:n], noise_var) for n in range(len(stars) + 1)])
one_by_one = [(prior_mean, prior_var)]
for star in stars:
    one_by_one.append(posterior(*one_by_one[-1], np.array([star]), noise_var))
means, halves = at_once[:, 0], norm.ppf(0.95) * np.sqrt(at_once[:, 1])
first = int(np.argmax(halves <= halves[0] / 2))
ax = cr.plots.axes(height=3.4)
ax.plot(means[:61], color=cr.plots.BLUE, label="mean")
ax.fill_between(np.arange(61), (means - halves)[:61], (means + halves)[:61], color=cr.plots.BLUE, alpha=0.2, linewidth=0,
                label="90 % interval")
ax.axhline(stars.mean(), color="black", linestyle="--", linewidth=1, label=f"mean of all {len(stars)} ratings")
ax.set(xlabel="ratings", ylabel="what is believed of its mean (stars)", xlim=(0, 60), ylim=(2, 5))
ax.legend(frameon=False, loc="lower right")
cr.plots.show(ax, f"What is believed of Fargo's mean. Before any rating: {means[0]:.2f} ± {halves[0]:.2f} stars. After "
                  f"10: {means[10]:.2f} ± {halves[10]:.2f}. After 60: {means[60]:.2f} ± {halves[60]:.2f}. The mean of "
                  f"all {len(stars)} is {stars.mean():.2f}.")
print(f"prior {prior_mean:.2f}, its variance {prior_var:.2f}; noise variance {noise_var:.2f}. Half as wide after {first}.")
missed = np.flatnonzero(abs(means - stars.mean()) > halves)
print(f"{len(missed)} of the {len(halves)} intervals miss the dashed line, the last one after {missed.max()} ratings.")
cr.claim("One after another, the ratings lead to the same belief as all at once.", np.allclose(at_once, one_by_one))
cr.claim("The interval is half as wide after 3 · noise_var / prior_var ratings, rounded up.",
         first == np.ceil(3 * noise_var / prior_var))

# %% [markdown]
# **Question.** What has the mean here to do with the bias of exercise 3?
#
# <details><summary>Answer</summary>
#
# It is the same mean. Multiply sum and precision by `noise_var`: the prior counts as
# `noise_var / prior_var` ratings. That is the pull, and so nobody has to choose it: both variances can be
# learnt from the other films.
# </details>
#
# **Question.** For a while the interval misses the dashed line. Is something wrong with it?
#
# <details><summary>Answer</summary>
#
# One film can't tell. An interval of 90 % misses one time in ten, and *Fargo* is far from what films are
# like before any rating. Where the first ratings happen to be low, too, so is what is believed for a
# while. Whether such intervals hold what they say shows over many films: exercise 7.
# </details>

# %% tags=["solution"]
pull = noise_var / prior_var
same = [np.isclose(posterior(prior_mean, prior_var, stars[:n], noise_var)[0],
                   item_bias(stars[:n], np.zeros(n), prior_mean, pull)) for n in range(30)]
cr.claim("With the pull noise_var / prior_var, exercise 3 gives the same means.", all(same))

# %% [markdown]
# ## Exercise 7 · Do the intervals hold what they say?
#
# Difficulty ●●○○○ · 10 minutes
#
# A model says of each rating what it expects, and how far it may be off: a mean and a standard deviation.
# If it is right, and errors are normal, then the interval in the middle that has a probability of 90 %
# holds nine ratings in ten. It reaches by so many deviations to each side as leave 5 % above it.
#
# `norm.ppf(p)`, from SciPy, is the number of standard deviations below which there is the share p of a
# normal distribution: `norm.ppf(0.5)` is 0.

# %%
def covered(truth: np.ndarray, mean: np.ndarray, deviation: np.ndarray, level: float) -> float:
    """Return the share of the ratings that lie within their central interval of this level.

    ``truth``, ``mean`` and ``deviation`` have an entry for each rating: what it was, what was expected,
    and the standard deviation of that, above 0. ``level`` is below 1, such as 0.9, and may be 0.
    Bounds belong to the interval (at the level 0 it is the mean alone), and it isn't cut to a scale.
    """
    ### BEGIN SOLUTION
    half = norm.ppf((1 + level) / 2) * deviation
    return np.mean(np.abs(truth - mean) <= half)
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# How many deviations does it reach to one side? Then compare: is the distance from the mean at most so many
# of this rating's deviations?
# </details>
#
# <details><summary>Help</summary>
#
# Of what is outside, 1 − level, half is above. So below the upper bound lies level + (1 − level) / 2, which
# is (1 + level) / 2, and `norm.ppf((1 + level) / 2)` is the number: 1.645 for 90 %. Multiply it by
# `deviation`, and take the mean of `np.abs(truth - mean) <= half`: with `<`, bounds would be outside.
# </details>
#
# <details><summary>Solution</summary>
#
# Half an interval for each rating, and the share of distances within it.
#
# ```python
# half = norm.ppf((1 + level) / 2) * deviation
# return np.mean(np.abs(truth - mean) <= half)
# ```
# </details>

# %%
cr.checks.lesson06.covered(covered)

# %% [markdown]
# Two kinds of intervals for the ratings of new films, both about the formula's predictions: by its own
# deviations, and by the noise of a rating alone, as if everything were known of users and films.
#
# > **Predict.** Which of them hold too few?

# %% tags=["check"]
truth = test["rating"].to_numpy(float)
expected = formula.predict(ml.user_ids, ml.item_ids)[of_user, of_item]
own = formula.deviation(ml.user_ids, ml.item_ids)[of_user, of_item]
noise = np.full(len(own), np.sqrt(formula.beliefs_.noise))
levels = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
shares = pd.DataFrame({name: [covered(truth, expected, deviation, level) for level in levels]
                       for name, deviation in {"the formula's own": own, "noise alone": noise}.items()},
                      index=pd.Index(levels, name="level"))
ax = cr.plots.lines(shares, xlabel="level of the interval", ylabel="share of the ratings within it")
ax.plot(levels, levels, color="black", linestyle="--", linewidth=1, label="as it should be")
ax.legend(frameon=False)
cr.plots.show(ax, f"Share of {len(truth):,} ratings of new films that lie within their intervals. At the level 0.9: "
                  + ", ".join(f"{share:.3f} ({name})" for name, share in shares.loc[0.9].items()) + ".")
cr.claim("The formula's own intervals hold as many as they say, to within 0.04, at all six levels.",
         (abs(shares["the formula's own"] - levels) < 0.04).all())
cr.claim("With the noise alone they hold too few at all six levels, by 0.02 or more.",
         (shares["noise alone"] < levels - 0.02).all())
shares

# %% [markdown]
# **Question.** On the whole, the formula's own intervals hold what they say. For whom may they not?
#
# <details><summary>Answer</summary>
#
# The formula takes one noise for everybody. Some users give nearly always the same stars, and their
# intervals are too wide; others use the whole scale, and theirs are too narrow. Over all ratings, the two
# make up for each other. Put the ratings into three groups of one size, by how much the known ratings of
# their users spread: intervals of 90 % hold more than 93 % in the group that spreads least, and less than
# 89 % in the one that spreads most. (`solutions/06_the_rating_formula.ipynb` has the code for it.)
# </details>

# %% tags=["solution"]
spread = split.train.ratings.groupby("user")["rating"].std().reindex(test["user"]).to_numpy()
groups = pd.qcut(spread, 3, labels=["little", "middling", "much"])
by_group = pd.Series({group: covered(truth[groups == group], expected[groups == group], own[groups == group], 0.9)
                      for group in groups.categories}, name="within 90 % intervals").rename_axis("their stars spread")
cr.claim("Intervals of 90 % hold more than 93 % for the third of the ratings whose users spread their stars least, "
         "and less than 89 % for the third whose users spread them most.", by_group["little"] > 0.93 and by_group["much"] < 0.89)
by_group.to_frame()

# %% [markdown]
# ## Exercise 8 · Where the curves cross
#
# Difficulty ●●○○○ · 10 minutes
#
# Two methods predict a film's ratings, and k of them are known. As k grows, one method's error falls; the
# other's falls less, or not at all. From which k on is the first ahead? Errors are measured at a few k, and
# between two of them one draws a straight line.

# %%
def crossing(k: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """Return the first k at which ``one`` gets ahead of ``other``: where its error falls below.

    ``k`` rises, in steps of any size; ``one`` and ``other`` are the errors at these k. Where ``one`` is
    ahead at the first k already, it is that k. Between two k, both errors follow straight lines: if
    ``one`` isn't ahead at a k and is at the next, it is the k at which the lines are equal. A tie
    isn't ahead. Where ``one`` is never ahead, NaN.
    """
    ### BEGIN SOLUTION
    gap = one - other
    ahead = np.flatnonzero(gap < 0)
    if len(ahead) == 0:
        return float("nan")
    after = ahead[0]
    if after == 0:
        return k[0]
    before = after - 1
    share = gap[before] / (gap[before] - gap[after])
    return k[before] + share * (k[after] - k[before])
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Look at the gap `one - other`. Find the first place where it is below 0. Never? Right at the start? Else
# go back from there to the point before, and ask at which share of the step the gap is 0.
# </details>
#
# <details><summary>Help</summary>
#
# `np.flatnonzero(gap < 0)` are the places where `one` is ahead; it may be empty. With `after` the first of
# them and `before` the place before it, the gap falls by `gap[before] - gap[after]` over the step, and
# has to fall by `gap[before]` to reach 0: the ratio is the share of the step. The step goes from
# `k[before]` to `k[after]`.
# </details>
#
# <details><summary>Solution</summary>
#
# Never, at once, or between two points.
#
# ```python
# gap = one - other
# ahead = np.flatnonzero(gap < 0)
# if len(ahead) == 0:
#     return float("nan")
# after = ahead[0]
# if after == 0:
#     return k[0]
# before = after - 1
# share = gap[before] / (gap[before] - gap[after])
# return k[before] + share * (k[after] - k[before])
# ```
# </details>

# %%
cr.checks.lesson06.crossing(crossing)

# %% [markdown]
# ## All together
#
# You have written the parts of a recommender for new films. Here they work together, on three folds of
# MovieLens: k ratings of each new film become known, and the rest of them is predicted, in three ways.
#
# - **the description**: the formula's prior from text and genres; the k ratings aren't looked at;
# - **the ratings**: the user's bias and the film's, by your `item_bias`, which knows no description
#   (its prior is the mean film);
# - **both**: the formula's prior, which your `posterior` moves with each rating.
#
# > **Predict.** From how many ratings on are the ratings ahead of the description? And from which k on are
# > both together ahead of the ratings alone?

# %% tags=["check"]
def errors_after(k, split, formula):
    """Return the RMSE of the three ways after k ratings, and the share within 90 % intervals."""
    shot = cr.splits.k_shot(split, k, most=20)
    shown = shot.train.ratings.iloc[len(split.train.ratings):]
    stars, deviation = (f(ml.user_ids, ml.item_ids) for f in (formula.score, formula.deviation))
    warm = np.flatnonzero(ml.item_ids.isin(split.train.ratings["item"]))
    beliefs, mean_film = formula.beliefs_, formula.beta_item_[warm].mean()
    rows = []
    for item, hidden in shot.test.ratings.groupby("item"):
        column, who = ml.item_rows([item])[0], ml.user_rows(hidden["user"])
        known = shown[shown["item"] == item]
        those, given = ml.user_rows(known["user"]), known["rating"].to_numpy(float)
        prior, beta_u = formula.beta_item_[column], formula.beta_user_
        without = stars[:, column] - prior  # what each user's part of the formula comes to
        by_ratings = item_bias(given, beta_u[those], mean_film, 5)
        mean, var = posterior(prior, beliefs.item_spread, given - without[those], beliefs.noise)
        rows.append(pd.DataFrame({
            "truth": hidden["rating"].to_numpy(float), "the description": stars[who, column],
            "the ratings": beta_u[who] + by_ratings, "both": without[who] + mean,
            "deviation": np.sqrt(deviation[who, column] ** 2 - beliefs.item_spread + var)}))
    all_ = pd.concat(rows)
    return {way: cr.metrics.rmse(all_["truth"], all_[way]) for way in ("the description", "the ratings", "both")} | {
        "covered": covered(*(all_[name].to_numpy() for name in ("truth", "both", "deviation")), 0.9)}


shots = np.array([0, 1, 2, 5, 10, 20])
chosen = folds[:run.pick(cpu=3, smoke=1)]
models = [formula] + [fitted(fold) for fold in chosen[1:]]
ways = ["the description", "the ratings", "both"]
curves = [pd.DataFrame([errors_after(k, fold, model) for k in shots], index=pd.Index(shots, name="k"))
          for fold, model in zip(chosen, models, strict=True)]
crossings = pd.DataFrame([{f"{one} ahead of {other}": crossing(shots, curve[one].to_numpy(), curve[other].to_numpy())
                           for one, other in (("the ratings", "the description"), ("both", "the ratings"),
                                              ("the ratings", "both"))} for curve in curves])
mean = sum(curves) / len(curves)
spread = pd.concat([curve[ways] for curve in curves]).groupby(level=0).sem()
ax = cr.plots.lines(mean[ways], spread, xlabel="k, known ratings of the new film", ylabel="RMSE on its other ratings (stars)")
passed = crossings["the ratings ahead of the description"]
weight = np.mean([model.beliefs_.noise / model.beliefs_.item_spread for model in models])
ax.axvline(passed.mean(), color="black", linestyle="--", linewidth=1, label="here the ratings pass the description")
ax.legend(frameon=False)
cr.plots.show(ax, f"RMSE on new films over k, mean of {len(curves)} folds with bands of one standard error. "
                  + " ".join(f"{way.capitalize()}: {mean.loc[0, way]:.3f} at k = 0, {mean.loc[20, way]:.3f} at k = 20."
                             for way in ways) + f" The ratings pass the description at {passed.mean():.1f}.")
print(f"The ratings pass the description at {passed.mean():.1f} ratings (folds: {', '.join(f'{k:.1f}' for k in passed)}).")
print(f"In what is believed of β_i alone, the description counts as {weight:.1f} ratings (noise over the prior's variance).")
print(f"Intervals of 90 % for both together hold {mean['covered'].min():.3f} to {mean['covered'].max():.3f}.")
cr.claim("In each fold the ratings pass the description between 3 and 15 ratings.", passed.between(3, 15).all())
cr.claim("In each fold both together are ahead of the ratings alone from k = 0 on, and the ratings alone never of both.",
         (crossings["both ahead of the ratings"] == 0).all() and crossings["the ratings ahead of both"].isna().all())
lead = mean["the ratings"] - mean["both"]
cr.claim("The lead of both together over the ratings alone shrinks from k to k, and is above 0.01 stars at k = 20.",
         lead.is_monotonic_decreasing and lead[20] > 0.01)
cr.claim("The intervals hold 87 to 95 % of the ratings at each k, in each fold.",
         all(curve["covered"].between(0.87, 0.95).all() for curve in curves))
mean

# %% [markdown]
# "How many ratings is a description worth?" is several questions, and each number answers one:
#
# - The crossing above: from which k on does a film's own **bias** predict better than *this* description?
# - Noise over the prior's variance (printed above; about five with lesson 06's richer views): how many
#   ratings count as much as the views in what is believed of **β_i alone**?
# - Some 28 in lesson 06: from which k on does **matrix factorisation** predict better than views alone
#   (regime `all`, read by a ridge regression), for films that have more than fifty ratings?
#
# **Question.** At k = 0, both together are as good as the description alone, and at k = 20 still ahead of the
# ratings alone. Does a description help a film that has a thousand ratings?
#
# <details><summary>Answer</summary>
#
# Hardly its bias: the prior counts as a handful of ratings there, and the lead shrinks as k grows. But
# the description does more than that. It says *who* likes such films, and that takes far more ratings to
# learn than a bias.
# </details>
#
# **Next:** lesson 07. All solutions, run and with their figures, are in
# `solutions/06_the_rating_formula.ipynb`.
