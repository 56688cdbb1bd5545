# ---
# title: "Exercises 04: Fine-tune a language model"
# minutes: 70
# able: write LoRA, gradient accumulation, a learning-rate schedule, an AUC within users, and foresee the memory that training takes
# ---

# %% [markdown]
# # Exercises 04 · Fine-tune a language model
#
# **You practise** the parts that fine-tuning is made of: the update that LoRA adds to a frozen layer,
# a large batch in a small memory, the course of the learning rate, a measure that isn't fooled by
# generous users, and a forecast of what will fit.
#
# | | |
# |---|---|
# | You need | [Lesson 04](../notebooks/04_fine_tuning.ipynb); NumPy; for exercise 1 a little PyTorch, which is told there |
# | It takes | 70 minutes: five exercises of 15, 15, 10, 15 and 15; each can be done without the others |
#
# How a sheet works is told at the top of [sheet 00](00_start_here.ipynb): replace the `raise` line,
# run the cell, run the check; stuck, unfold the hint, the help, the solution.

# %%
import math

import numpy as np
import pandas as pd
import torch

import coldrec as cr

run = cr.setup(seed=0)
ml = cr.load("ml-100k")
pd.options.display.float_format = "{:.3f}".format

# %% [markdown]
# ## Exercise 1 · LoRA, and its end
#
# Difficulty ●●○○○ · 15 minutes
#
# A linear layer of a language model has a weight *W* with a row for each output and a column for each
# input; it makes x Wᵀ of an input x. LoRA leaves *W* frozen and trains two thin matrices: *A* (here
# `down`) takes the inputs to r numbers, *B* (`up`) takes these to the outputs. The layer then works as
# if its weight were
#
# $$W + \frac{\alpha}{r}\, B A$$
#
# While it is trained, *W* and the update stay apart. When training is over, they can be **merged**
# into one matrix, and the model is as fast as before.
#
# Of use in PyTorch: `x @ weight` multiplies matrices, `weight.T` is the transpose, `down.shape` the
# pair (rows, columns). All dimensions of `x` but the last stay as they are.

# %%
def lora(
    x: torch.Tensor, weight: torch.Tensor, down: torch.Tensor, up: torch.Tensor, alpha: float
) -> torch.Tensor:
    """Return the output of a frozen linear layer plus that of its LoRA update.

    ``x`` has the shape ``(..., in)``, ``weight`` ``(out, in)``, ``down`` ``(r, in)`` and ``up``
    ``(out, r)``; the output ``(..., out)``. The layer has no bias. The update is multiplied by
    ``alpha / r``. Gradients flow to ``x``, ``down`` and ``up``, and nothing that is given changes.
    """
    ### BEGIN SOLUTION
    scale = alpha / down.shape[0]
    return x @ weight.T + scale * (x @ down.T @ up.T)
    ### END SOLUTION

# %%
def merged(
    weight: torch.Tensor, down: torch.Tensor, up: torch.Tensor, alpha: float
) -> torch.Tensor:
    """Return the one weight, ``(out, in)``, with which a linear layer does what ``lora`` does.

    It is a new tensor: ``weight`` stays as it is.
    """
    ### BEGIN SOLUTION
    return weight + alpha / down.shape[0] * (up @ down)
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# r is the number of rows of `down`. In `lora`, go from x to r numbers to the outputs, and add that to
# what the layer gives alone. In `merged`, the product of the two has to have the shape of `weight`:
# only one order fits, unless the layer is square.
# </details>
#
# <details><summary>Help</summary>
#
# All three matrices have a row for each of what comes *out* of them, so each is transposed on the way:
# `x @ weight.T`, and `x @ down.T @ up.T`, which is never larger than r numbers on its way. The scale
# `alpha / down.shape[0]` belongs to the update only. In `merged`, `up @ down` is (out × r) times
# (r × in). Write `weight + ...`: `weight += ...` would change the frozen weight, and change it again in
# the next call.
# </details>
#
# <details><summary>Solution</summary>
#
# The layer, plus the scaled way through r numbers:
#
# ```python
# scale = alpha / down.shape[0]
# return x @ weight.T + scale * (x @ down.T @ up.T)
# ```
#
# And one matrix that does the same:
#
# ```python
# return weight + alpha / down.shape[0] * (up @ down)
# ```
# </details>

# %%
cr.checks.lesson04.lora(lora)

# %%
with torch.no_grad():  # one merges when training is over
    cr.checks.lesson04.merged(merged)

# %% [markdown]
# MiniLM's attention layers have 384 inputs and 384 outputs: 147,456 weights each. How many numbers
# does LoRA train in such a layer? That depends on the rank.
#
# > **Predict.** At which rank has LoRA as many numbers to train as the layer itself?

# %% tags=["check"]
size, alpha = 384, 16
rng = torch.Generator().manual_seed(0)
x, weight = (torch.randn(n, size, generator=rng, dtype=torch.float64) for n in (8, size))
rows = {}
for rank in (1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 320, 384):
    down, up = (torch.randn(shape, generator=rng, dtype=torch.float64) for shape in ((rank, size), (size, rank)))
    one = merged(weight, down, up, alpha)
    rows[rank] = {"trained": down.numel() + up.numel(),
                  "rank of the change": torch.linalg.matrix_rank(one - weight).item(),
                  "apart": (lora(x, weight, down, up, alpha) - x @ one.T).abs().max().item()}
counted = pd.DataFrame(rows).T
ax = cr.plots.axes(height=3.6)
ax.plot(counted.index, counted["trained"] / 1e3, color=cr.plots.BLUE, marker="o", label="LoRA: r · (in + out)")
ax.axhline(size * size / 1e3, color=cr.plots.ORANGE, label="the layer: in · out")
ax.axvline(size * size / (2 * size), color="black", linestyle="--", linewidth=1, label="in · out / (in + out)")
ax.set(xlabel="rank r", ylabel="numbers to train (thousands)", xlim=(0, size + 8), ylim=(0, None))
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
cr.plots.show(ax, f"Numbers to train in a layer of {size} inputs and outputs, by LoRA's rank. LoRA's grow from "
                  f"{counted['trained'].iloc[0]:,.0f} at rank 1 to {counted['trained'].iloc[-1]:,.0f} at rank {size}. "
                  f"They cross those of the layer, {size * size:,}, at rank {size // 2} (dashed).")
cr.claim("At rank 8, LoRA trains about 4 % of the layer's numbers. At rank 192 it trains as many as the layer has.",
         0.035 < counted.loc[8, "trained"] / size ** 2 < 0.045 and counted.loc[192, "trained"] == size ** 2)
cr.claim("The change has the rank r, and the merged weight does what your LoRA layer does.",
         (counted["rank of the change"] == counted.index).all() and (counted["apart"] < 1e-8).all())

# %% [markdown]
# **Question.** Training begins with `up` = 0 and a random `down`. What does the adapted model say before
# the first update? And which of the two matrices gets a gradient in it?
#
# <details><summary>Answer</summary>
#
# Before the first update, it says exactly what the pretrained model says: the update is 0. In the first
# one only `up` gets a gradient, for that of `down` is multiplied by `up`, which is 0. From the second on
# both learn. If both began with 0, neither would ever move.
# </details>

# %% tags=["solution"]
fresh = {"down": torch.randn(8, size, generator=rng, dtype=torch.float64).requires_grad_(),
         "up": torch.zeros(size, 8, dtype=torch.float64).requires_grad_()}
said = lora(x, weight, fresh["down"], fresh["up"], alpha)
said.square().mean().backward()
cr.claim("With up = 0 the output is that of the frozen layer, and only `up` gets a gradient that isn't 0.",
         torch.equal(said, x @ weight.T) and fresh["up"].grad.abs().max() > 0
         and fresh["down"].grad.abs().max() == 0)

# %% [markdown]
# ## Exercise 2 · A large batch in a small memory
#
# Difficulty ●●●○○ · 15 minutes
#
# A batch of 32 texts doesn't fit into memory; 8 do. **Gradient accumulation** takes the batch in parts,
# adds up what the parts give, and makes one update. It has to be the *same* update, and that needs a
# little thought, because each part gives the gradient of its own *mean* loss, and parts needn't be
# of one size.

# %%
def accumulate(gradient, batch: np.ndarray, parts: int) -> np.ndarray:
    """Return the gradient of the mean loss over all rows of a batch, taken part by part.

    ``gradient(rows)`` returns the gradient of the *mean* loss over these rows, a vector; rows are a
    table such as ``batch[0:3]``, and not empty. ``batch`` has one row an example, and ``parts`` is at
    least 1 and at most the number of rows.

    ``gradient`` is called at most ``parts`` times, with at most ``rows / parts`` rows, rounded up.
    Each row of the batch takes part once, also where the parts don't come out even.
    """
    ### BEGIN SOLUTION
    total = 0
    for part in np.array_split(batch, parts):
        total = total + gradient(part) * len(part)
    return total / len(batch)
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# A mean is a sum divided by a number. From each part's mean make its sum; add up the sums; divide once,
# at the end.
# </details>
#
# <details><summary>Help</summary>
#
# `np.array_split(batch, parts)` cuts a table into parts that differ by one row at most, and loses none.
# (`batch[:n * parts]` with `n = len(batch) // parts` loses the rest.) `gradient(part) * len(part)` is the
# part's sum. The mean of the parts' means would be right for parts of one size only: in a small part
# each row would count for more.
# </details>
#
# <details><summary>Solution</summary>
#
# The sum of the parts' sums, divided by all rows.
#
# ```python
# total = 0
# for part in np.array_split(batch, parts):
#     total = total + gradient(part) * len(part)
# return total / len(batch)
# ```
# </details>

# %%
cr.checks.lesson04.accumulate(accumulate)

# %% [markdown]
# Now a real loss: will a film get 4 stars or more, judged by its genres (logistic regression, all
# weights 0 at the start)? The batch has 50 ratings. Beside your gradient stands the **mean of means**,
# for parts that are filled one after another, so that the last one is smaller.
#
# > **Predict.** For which numbers of parts is the mean of means right?

# %% tags=["check"]
rated = ml.ratings.sample(50, random_state=0)
batch = np.column_stack([cr.views.genres(ml)[ml.item_rows(rated["item"])], rated["rating"] >= 4])
asked = []


def gradient(rows, weights=0.0):
    """Return the gradient of the mean logistic loss; the last column says what was liked."""
    asked.append(len(rows))
    films, liked = rows[:, :-1], rows[:, -1]
    guess = 1 / (1 + np.exp(-(films * weights).sum(1)))
    return films.T @ (guess - liked) / len(rows)


whole = gradient(batch)
rows = {}
for parts in (1, 2, 3, 4, 7, 16, 50):
    asked.clear()
    yours = accumulate(gradient, batch, parts)
    most = max(asked)
    filled = np.split(batch, range(most, len(batch), most))
    mean_of_means = np.mean([gradient(part) for part in filled], axis=0)
    rows[parts] = {"most rows": most, "rows in the last": len(filled[-1]),
                   "yours, % off": 100 * np.linalg.norm(yours - whole) / np.linalg.norm(whole),
                   "mean of means, % off": 100 * np.linalg.norm(mean_of_means - whole) / np.linalg.norm(whole)}
table = pd.DataFrame(rows).T.rename_axis("parts")
even = table["rows in the last"] == table["most rows"]
cr.claim("Yours is the gradient of the whole batch for any number of parts. The mean of means is so only "
         "where all parts have one size, and else off by more than 2 %.",
         (table["yours, % off"] < 1e-9).all() and (table.loc[even, "mean of means, % off"] < 1e-9).all()
         and (table.loc[~even, "mean of means, % off"] > 2).all())
cr.claim("The mean of means is farthest off for 7 parts, where 2 ratings are left for the last one.",
         table["mean of means, % off"].idxmax() == 7 and table.loc[7, "rows in the last"] == 2)
table.astype({"most rows": int, "rows in the last": int})

# %% [markdown]
# **Question.** The loss of a language model is the mean over *tokens*. A batch of 32 texts is taken in 4
# parts of 8 texts. All parts have one size: is the mean of their means right?
#
# <details><summary>Answer</summary>
#
# No. The parts have as many texts and not as many tokens, so a token counts for more where its
# neighbours are short. Each part has to count by its number of tokens, and that has to be known before
# the first part is taken. Widely used training code took the mean of means, until somebody compared
# the two in [October 2024](https://huggingface.co/blog/gradient_accumulation).
# </details>

# %% [markdown]
# ## Exercise 3 · Up, then down
#
# Difficulty ●●○○○ · 10 minutes
#
# The learning rate isn't the same all the time. In the **warm-up** it rises from 0 to its largest
# value, along a straight line; from there it falls along a straight line to 0.

# %%
def rate(step: int, steps: int, warmup: float, largest: float) -> float:
    """Return the learning rate after ``step`` of ``steps`` updates.

    ``warmup`` is the share of the updates that are warm-up, from 0 to below 1: their number is
    ``warmup * steps``, rounded *up* to a whole one. At step 0 the rate is 0, at the step of that
    number it is ``largest``, and at ``steps``, and at any step after it, it is 0 again. Without
    warm-up, it is ``largest`` at step 0.
    """
    ### BEGIN SOLUTION
    up = math.ceil(warmup * steps)
    if step >= steps:
        return 0.0
    if step < up:
        return largest * step / up
    return largest * (steps - step) / (steps - up)
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Three cases: after the end, on the way up, on the way down. On the way up it is a share of `largest`:
# how many of the warm-up updates are made. On the way down: how many of the *other* updates are left.
# </details>
#
# <details><summary>Help</summary>
#
# `up = math.ceil(warmup * steps)` is the number of warm-up updates. `step / up` goes from 0 to 1, and
# `(steps - step) / (steps - up)` from 1 to 0. Ask first whether `step >= steps`: then nothing is
# negative, and nothing is divided by 0 where the rounding makes every update a warm-up. Without warm-up,
# `step < up` is never true, and `step / up` is never reached.
# </details>
#
# <details><summary>Solution</summary>
#
# The end, the way up, the way down.
#
# ```python
# up = math.ceil(warmup * steps)
# if step >= steps:
#     return 0.0
# if step < up:
#     return largest * step / up
# return largest * (steps - step) / (steps - up)
# ```
# </details>

# %%
cr.checks.lesson04.rate(rate)

# %% [markdown]
# Three schedules of 300 updates with the same largest rate.
#
# > **Predict.** In which of them does the model move most, if an update moves it in proportion to the
# > rate?

# %% tags=["check"]
steps, largest = 300, 1e-3
curves = pd.DataFrame({f"{share:.0%} warm-up": [rate(step, steps, share, largest) for step in range(steps + 1)]
                       for share in (0.0, 0.1, 0.5)})
means = curves.iloc[:-1].mean() / largest  # there is no update at step 300
ax = cr.plots.axes(height=3.4)
for name, colour, style in zip(curves, (cr.plots.BLUE, cr.plots.ORANGE, cr.plots.GREEN), ("-", "--", ":"), strict=True):
    ax.plot(curves[name] * 1e3, color=colour, linestyle=style, linewidth=2, label=name)
ax.set(xlabel="updates made", ylabel="learning rate (thousandths)", ylim=(0, 1.05), xlim=(0, steps))
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
cr.plots.show(ax, f"The learning rate over {steps} updates. Without warm-up it falls from {largest} to 0. With a "
                  f"warm-up of a tenth it rises from 0 to the same {largest} in {curves.iloc[:, 1].argmax()} updates, "
                  f"and with one of half in {curves.iloc[:, 2].argmax()}, and then falls to 0.")
print("Mean rate over the updates, as a share of the largest: "
      + ", ".join(f"{mean:.3f} ({name})" for name, mean in means.items()) + ".")
cr.claim("The mean rate is half of the largest in all three, to within 1 %.", (abs(means - 0.5) < 0.005).all())

# %% [markdown]
# All are triangles of one height and one base. Warm-up doesn't slow the training down; it moves the large
# steps to a later time.
#
# **Question.** Why not begin with large steps? Think of AdamW, which divides the running mean of a
# weight's gradient by the root of the running mean of its square. What is the size of its first step for
# a gradient of 0.001, and for one of 1000?
#
# <details><summary>Answer</summary>
#
# The same. In the first update each of the two means is made of one gradient, so their ratio is 1 or −1,
# and every weight moves by the whole rate, in the direction that one batch says. Only after some updates
# do the means tell a steady gradient from noise. With warm-up, these blind steps are small.
# </details>

# %% tags=["solution"]
moved = {}
for slope in (0.001, 1000.0):
    number = torch.zeros(1, requires_grad=True)
    number.grad = torch.tensor([slope])
    torch.optim.AdamW([number], lr=largest).step()
    moved[slope] = number.item()
    print(f"gradient {slope:g}: the first step is {number.item():.6f}")
cr.claim("AdamW's first step is as large as the rate, whatever the gradient, to within 0.01 %.",
         all(abs(value / -largest - 1) < 1e-4 for value in moved.values()))

# %% [markdown]
# ## Exercise 4 · Within each user
#
# Difficulty ●●●○○ · 15 minutes
#
# A classifier has given a probability to each pair of a user and a film: will this user like it? The usual
# measure is AUC: the share of pairs, a like and a dislike, in which the like has the higher score. If
# all ratings are thrown together, the like may be one user's and the dislike another's. But a
# recommender ranks for *one* user at a time. So take each user's AUC, and then the mean over users.

# %%
def auc_within(users: np.ndarray, scores: np.ndarray, liked: np.ndarray) -> float:
    """Return the mean over users of each user's own AUC.

    The three arrays have an entry for each rating, in any order: who rated, the model's score (a
    finite number, higher is better), and whether it was liked (True or False).

    A user's AUC is the share of pairs, a like and a dislike of theirs, in which the like has the
    higher score; a tie counts one half. Who has only likes or only dislikes is left out of
    the mean. Where nobody is left, it is NaN.
    """
    ### BEGIN SOLUTION
    each = []
    for user in np.unique(users):
        own = users == user
        likes, dislikes = scores[own & liked], scores[own & ~liked]
        if len(likes) and len(dislikes):
            above = (likes[:, None] > dislikes).mean()
            tied = (likes[:, None] == dislikes).mean()
            each.append(above + tied / 2)
    return float(np.mean(each)) if each else float("nan")
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# A loop over `np.unique(users)`, a list of AUCs, and a mean at the end. Who has no pair never gets into
# the list.
# </details>
#
# <details><summary>Help</summary>
#
# `own = users == user` is a mask of this user's ratings, wherever they stand; `scores[own & liked]` are
# the scores of the likes, `scores[own & ~liked]` of the dislikes. `likes[:, None] > dislikes` compares
# each with each: a table of True and False, whose mean is the share. Half of the mean of the same table
# with `==` are the ties. If the list is empty at the end, return `float("nan")`: 0.5 would say that
# something was measured.
# </details>
#
# <details><summary>Solution</summary>
#
# For each user, all pairs at once.
#
# ```python
# each = []
# for user in np.unique(users):
#     own = users == user
#     likes, dislikes = scores[own & liked], scores[own & ~liked]
#     if len(likes) and len(dislikes):
#         above = (likes[:, None] > dislikes).mean()
#         tied = (likes[:, None] == dislikes).mean()
#         each.append(above + tied / 2)
# return float(np.mean(each)) if each else float("nan")
# ```
# </details>

# %%
cr.checks.lesson04.auc_within(auc_within)

# %% [markdown]
# Three models predict the stars of new films, and a like is 4 stars or more. The first knows only how
# generous each user is: to it, all new films are the same. The second knows the user and the films'
# genres. The third is the second less the first: it knows genres, and not who is generous.
#
# > **Predict.** Which one is the worst, by the AUC of all ratings together? By yours?

# %% tags=["check"]
split = cr.splits.item_cold(ml, 0.2, seed=0)
test = split.test.ratings
users, liked = test["user"].to_numpy(), (test["rating"] >= 4).to_numpy()


def stars(model):
    """Return the fitted model's predictions for the ratings of the test."""
    table = model.fit(split.train).predict(ml.user_ids, ml.item_ids)
    return table[ml.user_rows(test["user"]), ml.item_rows(test["item"])]


bias = stars(cr.models.Bias())
both = stars(cr.models.ViewStars({"genres": cr.views.genres(ml)}))
judged = {"the user's bias alone": bias, "bias and genres": both, "genres without the bias": both - bias}
aucs = pd.DataFrame({"AUC, all together": {name: cr.metrics.auc(scores[None], liked[None])[0]
                                           for name, scores in judged.items()},
                     "AUC, within users": {name: auc_within(users, scores, liked)
                                           for name, scores in judged.items()}})
ax = cr.plots.axes(height=2.8)
places = np.arange(len(aucs))[::-1]
for (name, values), colour, marker in zip(aucs.items(), (cr.plots.ORANGE, cr.plots.BLUE), "so", strict=True):
    ax.scatter(values, places, color=colour, marker=marker, s=60, label=name)
ax.axvline(0.5, color="black", linestyle="--", linewidth=1)
ax.set_yticks(places, aucs.index)
ax.set(xlabel="AUC (0.5 is chance)", xlim=(0.48, 0.75), ylim=(-0.5, 2.5))
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
alone, without = aucs.loc["the user's bias alone"], aucs.loc["genres without the bias"]
cr.plots.show(ax, f"AUC of three models on {len(test):,} ratings of new films. All ratings together, the user's bias "
                  f"alone has {alone.iloc[0]:.2f}, and genres without the bias {without.iloc[0]:.2f}. Within users, the "
                  f"first has {alone.iloc[1]:.2f} and the second {without.iloc[1]:.2f}.")
cr.claim("Of all ratings together, a model that can't tell one new film from another has an AUC above 0.65. "
         "Within users it has 0.5.", alone.iloc[0] > 0.65 and alone.iloc[1] == 0.5)
cr.claim("All together, that model beats the one that knows genres and not who is generous, by more than 0.05. "
         "Within users it loses by more than 0.1.",
         alone.iloc[0] > without.iloc[0] + 0.05 and without.iloc[1] > alone.iloc[1] + 0.1)
cr.claim("Within users, genres do as well without the bias: the difference is below 0.001.",
         abs(aucs.loc["bias and genres"].iloc[1] - without.iloc[1]) < 0.001)
aucs

# %% [markdown]
# **Question.** A language model is tuned to say whether a user will like a film, and its prompt lists
# films that this user liked or disliked before. What could it learn that raises the AUC of all ratings
# together, and helps nobody?
#
# <details><summary>Answer</summary>
#
# To read from the prompt how generous the user is: how many of the films that are listed were liked.
# That is the same for all new films, so it changes nobody's ranking. The loss rewards it all the same,
# and it is easy to learn. So watch the AUC within users, or the ranking itself.
# </details>

# %% [markdown]
# ## Exercise 5 · Will it fit?
#
# Difficulty ●●○○○ · 15 minutes
#
# Training keeps more than the model. To each weight that is trained belong a **gradient** and the two
# **moments** of AdamW: the running mean of the gradient, and that of its square. A frozen weight needs
# none of these. But it has to be there.

# %%
def memory(n_weights: float, n_trained: float, bytes_per_number: float = 4) -> dict:
    """Return the bytes that training takes: ``weights``, ``gradients``, ``optimiser``, ``total``.

    The model has ``n_weights`` weights, and the ``n_trained`` that are trained are among them; the
    rest is frozen. The optimiser is AdamW. Each number takes ``bytes_per_number`` bytes: 4 of 32
    bits, 2 of 16, 0.5 of 4.

    What the forward pass keeps for the backward pass, the activations, is left out: it depends on
    the batch.
    """
    ### BEGIN SOLUTION
    parts = {
        "weights": n_weights * bytes_per_number,
        "gradients": n_trained * bytes_per_number,
        "optimiser": 2 * n_trained * bytes_per_number,
    }
    return parts | {"total": sum(parts.values())}
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Count numbers first: how many weights, how many gradients, how many moments? Then multiply all by the
# bytes of a number, and add up.
# </details>
#
# <details><summary>Help</summary>
#
# `n_weights` weights, since frozen ones lie in memory too. `n_trained` gradients. `2 * n_trained` numbers
# of AdamW. Make a dictionary of these three; `parts | {"total": sum(parts.values())}` is a new dictionary
# with the sum as well.
# </details>
#
# <details><summary>Solution</summary>
#
# Three products and their sum.
#
# ```python
# parts = {
#     "weights": n_weights * bytes_per_number,
#     "gradients": n_trained * bytes_per_number,
#     "optimiser": 2 * n_trained * bytes_per_number,
# }
# return parts | {"total": sum(parts.values())}
# ```
# </details>

# %%
cr.checks.lesson04.memory(memory)

# %% [markdown]
# Two models, tuned in full and with LoRA on every linear layer of their blocks: MiniLM with 22.7 million
# weights, and one with 7 billion, built like Llama. A free GPU in the cloud (a T4) has 15 GB that one can
# use, a large one 80 GB. Where the frozen weights have another size than what is trained, your function
# is called twice, once for each, and the results are added.
#
# > **Predict.** Which of these fit on a T4?

# %% tags=["check"]
def lora_numbers(rank, blocks, layers):
    """Return how many numbers LoRA trains; ``layers`` are (in, out) of a block's linear layers."""
    return blocks * sum(rank * (n_in + n_out) for n_in, n_out in layers)


small_lora = lora_numbers(8, 6, [(384, 384)] * 4 + [(384, 1536), (1536, 384)])
large_lora = lora_numbers(16, 32, [(4096, 4096)] * 4 + [(4096, 11008)] * 2 + [(11008, 4096)])
small, large = 22.7e6, 7e9
needs = {
    "MiniLM, full": [memory(small, small)],
    "MiniLM, LoRA": [memory(small + small_lora, small_lora)],
    "7 billion, full": [memory(large, large)],
    "7 billion, LoRA": [memory(large + large_lora, large_lora)],
    "7 billion of 16 bits, LoRA": [memory(large, 0, 2), memory(large_lora, large_lora)],
    "7 billion of 4 bits, LoRA": [memory(large, 0, 0.5), memory(large_lora, large_lora)],
}
gigabytes = pd.DataFrame({name: pd.DataFrame(parts).sum() / 1e9 for name, parts in needs.items()}).T
ax = cr.plots.bars(gigabytes["total"], label="GB for weights, gradients and optimiser, without activations",
                   reference={"T4: 15 GB": 15, "large GPU: 80 GB": 80},
                   colours={name: cr.plots.ORANGE for name in needs if "full" in name})
cr.plots.show(ax, "Memory without activations. " + " ".join(
    f"{name}: {total:.2f} GB." for name, total in gigabytes["total"].items()) + " Lines mark 15 and 80 GB.")
print(f"LoRA trains {small_lora:,} numbers in MiniLM, and {large_lora:,} in the large model.")
total = gigabytes["total"]
cr.claim("MiniLM fits on a T4 either way. In full, the large model takes 112 GB: too much for one large GPU.",
         total.filter(like="MiniLM").max() < 15 and 80 < total["7 billion, full"]
         and round(total["7 billion, full"]) == 112)
cr.claim("With LoRA it fits on a large GPU but not on a T4, where its weights need 16 bits or fewer.",
         15 < total["7 billion, LoRA"] < 80 and total.filter(like="bits").max() < 15)
cr.claim("With LoRA and weights of 32 bits, more than 97 % of the memory is the weights.",
         (gigabytes["weights"] / total)["7 billion, LoRA"] > 0.97)
gigabytes

# %% [markdown]
# **Question.** Why is there no bar for "4 bits, full"?
#
# <details><summary>Answer</summary>
#
# A number of 4 bits has 16 values. An update is far smaller than the distance between two of them, so it
# would be rounded away, and nothing would be learnt. And it would help little: gradients and moments of
# 32 bits for every weight take 12 bytes each, more than a large GPU has. That is why one freezes what is
# kept in 4 bits, and trains small matrices of more bits beside it (QLoRA).
# </details>
#
# **Question.** The 16-bit bar ends just below the T4's line. Would you try?
#
# <details><summary>Answer</summary>
#
# Hardly. Activations come on top, and grow with the batch and the length of the texts; what is left is
# below half a gigabyte. With 4 bits there is room. The forecast is a lower bound: what it says doesn't
# fit won't, and what it says fits may not.
# </details>

# %% tags=["solution"]
trained_apart = 3 * large * 4 / 1e9
left = 15 - total["7 billion of 16 bits, LoRA"]
print(f"Gradients and moments of 7 billion weights: {trained_apart:.0f} GB. Left on the T4 with 16 bits: {left:.2f} GB.")
cr.claim("Gradients and moments alone are above 80 GB. With 16 bits, below half a gigabyte is left on a T4.",
         trained_apart > 80 and 0 < left < 0.5)

# %% [markdown]
# **Next:** lesson 05. All solutions, run and with their figures, are in `solutions/04_fine_tuning.ipynb`.
