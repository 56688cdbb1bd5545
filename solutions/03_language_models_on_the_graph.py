# ---
# title: "Exercises 03: A language model learns the graph"
# minutes: 65
# able: write facts as sentences, a filtered rank, a loss that spares other right answers, perplexity, and a probe with a control
# ---

# %% [markdown]
# # Exercises 03 · A language model learns the graph
#
# **You practise** what a language model of a graph is made of and judged by: its sentences, the rank
# of a right answer, the loss, perplexity, and a probe that tells knowledge from habit.
#
# | | |
# |---|---|
# | You need | [Lesson 03](../notebooks/03_language_models_on_the_graph.ipynb); pandas and NumPy; for exercise 3 a little PyTorch, which is told there |
# | It takes | 65 minutes: five exercises of 10, 12, 15, 10 and 18; each can be done without the others |
#
# How a sheet works is told at the top of [sheet 00](00_start_here.ipynb): replace the `raise` line,
# run the cell, run the check; stuck, unfold the hint, the help, the solution.

# %%
import networkx as nx
import numpy as np
import pandas as pd
import torch
from scipy.stats import binomtest

import coldrec as cr

run = cr.setup(seed=0)
ml = cr.load("ml-100k")
graph = nx.compose(cr.graph.freebase(ml), cr.graph.build(ml, rated=False))
facts = cr.graph.known_triples(ml, graph, "release", least=4)
shop_graph = cr.graph.shop()
shop_facts = cr.graph.known_triples(cr.load("shop"), shop_graph, "all")
pd.options.display.float_format = "{:.3f}".format
print(f"{len(facts):,} facts about films, {len(shop_facts)} about the shop's products.")

# %% [markdown]
# ## Exercise 1 · From facts to sentences
#
# Difficulty ●○○○○ · 10 minutes
#
# A causal model predicts the next word from those before it. So the fact *Fargo, director, Coen*
# answers only what is asked from its head. Read from its other end, with the inverse relation, it
# answers "what did Coen direct" as well.

# %%
def sentences(triples: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return each fact as two sentences of three words, from its head and from its tail.

    ``triples`` has the columns ``head``, ``relation`` and ``tail``, and perhaps others; all texts.
    The fact ``a, director, b`` becomes ``("a", "director", "b")`` and ``("b", "director⁻¹", "a")``.
    No sentence stands there twice, whatever the other columns say. The order doesn't matter.
    """
    ### BEGIN SOLUTION
    facts = triples[["head", "relation", "tail"]].drop_duplicates()
    both = []
    for head, relation, tail in facts.itertuples(index=False):
        both += [(head, relation, tail), (tail, f"{relation}⁻¹", head)]
    return both
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# For each row, append two tuples to a list. In the second the ends have changed places, and the
# relation has `⁻¹` behind it (copy the two signs from here).
# </details>
#
# <details><summary>Help</summary>
#
# `triples[["head", "relation", "tail"]]` takes the three columns and no other, so that each row of
# `.itertuples(index=False)` unpacks into three names. `.drop_duplicates()` before the loop is enough:
# different facts never give the same sentence here. Two facts about the same two entities, such as
# director and writer, stay two.
# </details>
#
# <details><summary>Solution</summary>
#
# Drop the doubles, then two sentences a fact.
#
# ```python
# facts = triples[["head", "relation", "tail"]].drop_duplicates()
# both = []
# for head, relation, tail in facts.itertuples(index=False):
#     both += [(head, relation, tail), (tail, f"{relation}⁻¹", head)]
# return both
# ```
# </details>

# %%
cr.checks.lesson03.sentences(sentences)

# %% [markdown]
# What is asked is the first two words; the third is the answer. A question can have many right
# answers. How many, on average, from each end?
#
# > **Predict.** Which relation has the fewest answers when asked from the film, and which the most
# > when asked from the other end?

# %% tags=["check"]
yours = pd.DataFrame(map(tuple, sentences(facts)), columns=["first", "relation", "answer"])
per_question = yours.groupby(["relation", "first"]).size().groupby("relation").mean()
from_film = per_question[~per_question.index.str.endswith("⁻¹")].sort_values()
from_other = per_question[from_film.index + "⁻¹"].set_axis(from_film.index)
ax = cr.plots.axes(height=4.2)
ax.hlines(from_film.index, from_film, from_other, color=cr.plots.GREY, linewidth=1)
ax.scatter(from_film, from_film.index, color=cr.plots.BLUE, label="asked from the film", zorder=2)
ax.scatter(from_other, from_film.index, color=cr.plots.ORANGE, marker="s", label="asked from the other end (⁻¹)", zorder=2)
ax.set(xscale="log", xlabel="right answers to a question, mean (logarithmic axis)")
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
cr.plots.show(ax, f"How many right answers a question has, by relation: asked from the film, between "
                  f"{from_film.min():.1f} and {from_film.max():.1f} on average; asked from the other end, "
                  f"between {from_other.min():.1f} and {from_other.max():.1f}.")
print(f"{len(facts):,} facts, {len(yours):,} sentences, {per_question.size} relations with the inverse ones.")
cr.claim("Each fact gives two sentences. From the other end a question has more right answers, but for "
         "the actors: a cast is larger than what an actor played in here.",
         len(yours) == 2 * len(facts)
         and set(from_film.index[from_other <= from_film]) == {"actor"})

# %% [markdown]
# **Question.** What does this mean for a loss in which each question has *one* right answer, and for
# ranks?
#
# <details><summary>Answer</summary>
#
# Both would call right answers wrong: the loss pushes a drama down each time another drama is the
# answer, and a model that names a true drama first gets a bad rank, because another was asked for.
# Exercise 2 mends the rank, exercise 3 the loss.
# </details>

# %% [markdown]
# ## Exercise 2 · The filtered rank
#
# Difficulty ●●○○○ · 12 minutes
#
# A model has given each entity a score as the answer to one question. On which place stands the
# right one? Three things make this harder than it looks:
#
# * other answers are right as well: they are left out (the rank is **filtered**);
# * others have the same score: they could stand above or below. Take the mean of the best and of
#   the worst rank that is possible (the **realistic** rank);
# * some have no score at all, NaN: they stand last.

# %%
def filtered_rank(scores: np.ndarray, true: int, others: list[int]) -> float:
    """Return the rank of the right answer among the wrong ones; 1 is the best.

    ``scores`` has a number per entity, and a higher one is better. ``true`` is the row of the
    right answer, ``others`` are the rows of further right answers, which are left out. ``true``
    itself may be among them, and stays in.

    A tie gets the mean of the best and the worst rank it may mean. NaN comes last: it is worse than
    every number, and tied with every other NaN.
    """
    ### BEGIN SOLUTION
    scores = np.where(np.isnan(scores), -np.inf, scores)
    wrong = np.ones(len(scores), bool)
    wrong[others] = False
    wrong[true] = False
    above = (scores[wrong] > scores[true]).sum()
    tied = (scores[wrong] == scores[true]).sum()
    return 1 + above + tied / 2
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Don't sort: count. How many wrong answers are above the right one, and how many are as good? If
# *a* are above and *t* are tied, the best rank is 1 + a, and the worst 1 + a + t.
# </details>
#
# <details><summary>Help</summary>
#
# Every comparison with NaN is false, so a right answer with NaN would have nobody above it. Make
# NaN `-np.inf` first, in a copy: `np.where(np.isnan(scores), -np.inf, scores)`. Then a mask of wrong
# answers: all true, false at `others`, false at `true`. Deleting rows with `np.delete` moves those
# behind them, and `true` then points to another entity.
# </details>
#
# <details><summary>Solution</summary>
#
# A mask of what is wrong, and two counts.
#
# ```python
# scores = np.where(np.isnan(scores), -np.inf, scores)
# wrong = np.ones(len(scores), bool)
# wrong[others] = False
# wrong[true] = False
# above = (scores[wrong] > scores[true]).sum()
# tied = (scores[wrong] == scores[true]).sum()
# return 1 + above + tied / 2
# ```
# </details>

# %%
cr.checks.lesson03.filtered_rank(filtered_rank)

# %% [markdown]
# A handful of questions: a tenth of the shop's facts is held out, and of each the tail is asked for.
# MRR is the mean of 1 / rank. Three that answer: TransE, the most frequent tail, and a model that
# gives everything the same score. Beside your rank stands a **careless** one: other right answers
# aren't left out, and only those strictly above count.
#
# > **Predict.** Which of the three has the best MRR by the careless rank?

# %% tags=["check"]
train, test = cr.graph.embeddings.split_triples(shop_facts, 0.1, seed=0)
transe = cr.graph.embeddings.TransE(dim=32, epochs=100, seed=0).fit(train)
frequent = cr.graph.embeddings.FrequentTail().fit(train)
scores = {"TransE": transe.score_tails(test["head"], test["relation"]),
          "most frequent tail": frequent.score_tails(test["head"], test["relation"]),
          "all the same": np.zeros((len(test), len(transe.entities)))}
right = shop_facts.groupby(["head", "relation"])["tail"].agg(transe.entities.get_indexer)
true = transe.entities.get_indexer(test["tail"])
others = [right[fact.head, fact.relation].tolist() for fact in test.itertuples()]

ranks = {name: np.array([filtered_rank(*question) for question in zip(rows, true, others, strict=True)])
         for name, rows in scores.items()}
careless = {name: 1 + (rows > rows[np.arange(len(test)), true][:, None]).sum(1)
            for name, rows in scores.items()}
mrr = pd.DataFrame({"MRR, careless": {name: (1 / rank).mean() for name, rank in careless.items()},
                    "MRR, your rank": {name: (1 / rank).mean() for name, rank in ranks.items()}})
print(f"{len(test)} questions, {len(transe.entities)} entities.")
package = cr.graph.embeddings.ranks(transe, test, train)["tail"]
cr.claim("Your ranks are those of the package.", np.allclose(ranks["TransE"], package))
cr.claim("By the careless rank, the model without an opinion is perfect; by yours, it is the worst.",
         mrr.loc["all the same", "MRR, careless"] == 1
         and mrr["MRR, your rank"].idxmin() == "all the same")
mrr

# %% [markdown]
# **Question.** A colleague breaks ties by a tiny random number that is added to each score. Is that
# as good?
#
# <details><summary>Answer</summary>
#
# Nearly. The *rank* is then right on average, but no longer the same in each run. And the mean of
# 1 / rank isn't 1 / (mean rank), so the MRR differs: a random order sometimes puts the right answer
# first, and 1 / rank rewards that more than it punishes the last place. Say which one you use.
# </details>

# %% tags=["solution"]
rng = np.random.default_rng(0)
wrong_ones = [len(transe.entities) - len({*row, t}) for row, t in zip(others, true, strict=True)]
random_order = np.mean([np.mean(1 / (1 + rng.integers(0, np.array(wrong_ones) + 1))) for _ in range(2000)])
print(f"The model without an opinion: MRR {mrr.loc['all the same', 'MRR, your rank']:.3f} by the realistic "
      f"rank, {random_order:.3f} with ties broken at random.")
cr.claim("With ties broken at random, the MRR of the model without an opinion is higher.",
         random_order > mrr.loc["all the same", "MRR, your rank"])

# %% [markdown]
# ## Exercise 3 · A loss that spares other right answers
#
# Difficulty ●●●○○ · 15 minutes
#
# Training is a series of questions. For each, the model gives a **logit** to every entity, softmax
# makes them probabilities, and the loss is minus the logarithm of the right answer's. Whatever else
# is in the softmax is thereby a wrong answer, and pushed down. So other right answers have to be
# taken out of it, and likewise new films, of which nobody could have said anything yet.
#
# Of use in PyTorch: `tensor.masked_fill(mask, value)` and `tensor.scatter(1, columns, value)` return
# changed copies; `torch.nn.functional.cross_entropy(logits, answers)` takes logits and the number of
# the right answer in each row.

# %%
def next_entity_loss(
    logits: torch.Tensor, answers: torch.Tensor, left_out: torch.Tensor
) -> torch.Tensor:
    """Return the mean cross-entropy over the questions, a tensor of one number.

    ``logits`` has the shape ``(questions, entities)``, ``answers`` is the number of the right
    answer of each question, ``(questions,)``. ``left_out`` is a mask of the shape of ``logits``:
    where it is True, this entity doesn't count as a wrong answer to this question. The right
    answer itself always counts, also where the mask is True.

    Logits may be far from 0, such as -2000. Gradients flow back to them.
    """
    ### BEGIN SOLUTION
    left_out = left_out.scatter(1, answers[:, None], False)
    return torch.nn.functional.cross_entropy(logits.masked_fill(left_out, -torch.inf), answers)
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# A probability of 0 is a logit of minus infinity, because e to that power is 0. Fill it in *before*
# the softmax. And think of the right answer, which the mask may hold too.
# </details>
#
# <details><summary>Help</summary>
#
# First a mask without the right answers: `left_out.scatter(1, answers[:, None], False)`. It is a
# copy; `scatter_`, or an assignment to `left_out[...]`, changes the mask of whoever called you. Then
# `logits.masked_fill(mask, -torch.inf)`, then `cross_entropy`, which takes the log of the softmax
# itself, safely. Not `mask * -torch.inf`: zero times infinity is NaN. Not 0 as a logit: e⁰ is 1.
# </details>
#
# <details><summary>Solution</summary>
#
# Take the right answers out of the mask, fill, cross-entropy.
#
# ```python
# left_out = left_out.scatter(1, answers[:, None], False)
# return torch.nn.functional.cross_entropy(logits.masked_fill(left_out, -torch.inf), answers)
# ```
# </details>

# %%
cr.checks.lesson03.next_entity_loss(next_entity_loss)

# %% [markdown]
# Now use it. The simplest model there is has a free logit for each question and each answer: it can
# learn the shop's facts by heart. It is trained twice, once without sparing anything. Then the best
# that it can do with a question of *k* right answers is to give each the probability 1/k, and the
# loss is log k.
#
# > **Predict.** Where will the other loss end?

# %% tags=["check"]
ends = shop_facts[["head", "relation", "tail"]]
asked = pd.concat([ends["head"] + " " + ends["relation"], ends["tail"] + " " + ends["relation"] + "⁻¹"])
question, names = pd.factorize(asked)
answer, entities = pd.factorize(pd.concat([ends["tail"], ends["head"]]))
question, answer = torch.tensor(question), torch.tensor(answer)
right = torch.zeros(len(names), len(entities), dtype=torch.bool)
right[question, answer] = True
floor = right.sum(1)[question].log().mean().item()

losses, in_order = {}, {}
for name, mask in {"all others are wrong": torch.zeros_like(right), "right ones are spared": right}.items():
    table = torch.zeros(right.shape, requires_grad=True)
    optimiser = torch.optim.Adam([table], lr=0.2)
    losses[name] = []
    for _ in range(100):
        optimiser.zero_grad()
        loss = next_entity_loss(table[question], answer, mask[question])
        loss.backward()
        optimiser.step()
        losses[name].append(loss.item())
    table = table.detach()
    in_order[name] = (table.masked_fill(~right, torch.inf).min(1).values
                      > table.masked_fill(right, -torch.inf).max(1).values).all().item()

ax = cr.plots.axes(height=3.4)
for (name, values), colour in zip(losses.items(), (cr.plots.ORANGE, cr.plots.BLUE), strict=True):
    ax.plot(values, color=colour, label=name)
ax.axhline(floor, color="black", linestyle="--", linewidth=1, label="mean of log k")
ax.set(xlabel="update", ylabel="loss (nats)", ylim=(0, None))
ax.legend(frameon=False)
cr.plots.show(ax, f"The two losses by update. Where all others count as wrong, it ends at "
                  f"{losses['all others are wrong'][-1]:.2f}, just above the mean of log k, {floor:.2f} "
                  f"(dashed). Where right ones are spared, it ends at {losses['right ones are spared'][-1]:.2f}.")
cr.claim("The plain loss ends within 0.05 of the mean of log k and not below; the other below 0.05.",
         floor <= losses["all others are wrong"][-1] < floor + 0.05
         and losses["right ones are spared"][-1] < 0.05)
cr.claim("Both have learnt to put all right answers of each question above all wrong ones.",
         all(in_order.values()))

# %% [markdown]
# **Question.** The blue curve is lower. Has that model learnt more?
#
# <details><summary>Answer</summary>
#
# The curves don't say. They answer different questions: in one, all other right answers are
# competitors, in the other they aren't. By the last claim, both know all there is to know. Compare
# models by a measure that doesn't depend on the loss, such as the filtered
# rank. What sparing changes is what the model spends its effort on: nothing pushes true facts down.
# </details>

# %% [markdown]
# ## Exercise 4 · Perplexity
#
# Difficulty ●●●○○ · 10 minutes
#
# How surprised is a model by texts? It gives each token a probability. **Perplexity** is e to the
# mean of minus its logarithm: a model that chooses each token among eight equally likely ones has a
# perplexity of 8. The mean is taken over *tokens*, of all texts together.

# %%
def perplexity(log_probs: list[np.ndarray]) -> float:
    """Return the perplexity of texts, all together.

    ``log_probs`` has an array for each text: the natural logarithm of the probability of each of
    its tokens. Texts differ in length, and one may be empty; there is at least one token.
    """
    ### BEGIN SOLUTION
    total = sum(text.sum() for text in log_probs)
    tokens = sum(len(text) for text in log_probs)
    return float(np.exp(-total / tokens))
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Two sums over all texts: the log-probabilities, and the tokens.
# </details>
#
# <details><summary>Help</summary>
#
# Divide the one by the other, take the minus, then `np.exp`, once and at the end. Or join the texts
# with `np.concatenate(log_probs)` and take the mean of that. A mean for each text, and then the mean
# of those, lets a token in a short text weigh more. Don't go back to probabilities: the product of a
# few hundred of them is 0 to a computer.
# </details>
#
# <details><summary>Solution</summary>
#
# Two sums, one division, one exponential.
#
# ```python
# total = sum(text.sum() for text in log_probs)
# tokens = sum(len(text) for text in log_probs)
# return float(np.exp(-total / tokens))
# ```
# </details>

# %%
cr.checks.lesson03.perplexity(perplexity)

# %% [markdown]
# A very simple language model of the shop's reviews: the probability of a word is how often it
# stands in half of the reviews (plus one, so that a new word isn't impossible). It reads the other
# half. Beside your perplexity, the mean of each review's own.
#
# > **Predict.** Is the mean of perplexities higher or lower?

# %% tags=["check"]
reviews = [data["label"] for node, data in shop_graph.nodes(data=True) if node.startswith("review:")]
order = np.random.default_rng(0).permutation(len(reviews))
read, unread = ([reviews[n] for n in half] for half in np.array_split(order, 2))


def by_pieces(split, texts):
    """Return the log-probabilities of the texts' pieces, by their counts in the reviews that were read."""
    counts = pd.Series([piece for text in read for piece in split(text)]).value_counts()
    total = counts.sum() + len(counts) + 1  # one more for all that is new
    return [np.log([(counts.get(piece, 0) + 1) / total for piece in split(text)]) for text in texts]


def words(text):
    return text.lower().split()


by_words = by_pieces(words, unread)
each = np.array([perplexity([text]) for text in by_words])
together = perplexity(by_words)
length = np.array([len(text) for text in by_words])
ax = cr.plots.axes(height=3.6)
ax.scatter(length, each, color=cr.plots.BLUE, alpha=0.5, label="a review")
ax.axhline(together, color="black", label="your perplexity, of all tokens")
ax.axhline(each.mean(), color="black", linestyle="--", label="mean of the reviews' own")
ax.set(xlabel="words in the review", ylabel="perplexity (logarithmic axis)", yscale="log")
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
cr.plots.show(ax, f"Each unread review by its length and its own perplexity, which goes from {each.min():.0f} to "
                  f"{each.max():.0f}. All tokens together have {together:.0f} (solid line); the mean of the "
                  f"reviews' own is {each.mean():.0f} (dashed).")
cr.claim("The mean of perplexities is higher, and short reviews vary more than long ones.",
         each.mean() > together and each[length < np.median(length)].std() > each[length > np.median(length)].std())

# %% [markdown]
# Two reasons. The exponential makes a few surprising texts weigh more than many plain ones. And a
# token in a short text counts for more than one in a long text. A constructed case shows the second
# alone:

# %% tags=["check"]
short, long = np.log([0.01]), np.log(np.full(99, 0.5))
pd.Series({"your perplexity": perplexity([short, long]),
           "mean of the two perplexities": (perplexity([short]) + perplexity([long])) / 2,
           "exp of minus the mean of the two means": np.exp(-(short.mean() + long.mean()) / 2)})

# %% [markdown]
# **Question.** The same model by *letters* instead of words, on the same reviews, has a far lower
# perplexity. Is it the better model?
#
# <details><summary>Answer</summary>
#
# No: a token is another thing there. To choose among a few letters is easy, and there are more of
# them to choose. Perplexities can be compared only where the tokens are the same. What can be
# compared is the log-probability of the *whole* texts.
# </details>

# %% tags=["solution"]
def letters(text):
    return list(" ".join(words(text)))


by_letters = by_pieces(letters, unread)
known = {word for text in read for word in words(text)}
new = [word for text in unread for word in words(text) if word not in known]
spelt = by_pieces(letters, [" ".join(new)])  # the model by words says "new", and not which
compared = pd.DataFrame({
    "words": {"perplexity a token": together, "log-probability of all texts": sum(map(np.sum, by_words))},
    "words, new ones spelt": {"log-probability of all texts": sum(map(np.sum, by_words + spelt))},
    "letters": {"perplexity a token": perplexity(by_letters),
                "log-probability of all texts": sum(map(np.sum, by_letters))}}).T
whole = compared["log-probability of all texts"]
cr.claim("By letters the perplexity is lower, and the texts are less probable, even if the model by words "
         "has to spell each new word.", perplexity(by_letters) < together
         and whole["letters"] < whole["words, new ones spelt"])
compared

# %% [markdown]
# ## Exercise 5 · Does it know, or is it only used to it?
#
# Difficulty ●●●●○ · 18 minutes
#
# Does a model know facts? One looks at pairs: the true sentence, and one that is false. If the true
# one is more probable more often than a coin would have it, the model knows something. This has two
# parts: the count, which you write, and the choice of the false sentence, which comes after.
#
# How likely is the count by chance? The **sign test** says: leave out the ties, toss a coin for
# each pair that is left, and ask how probable it is to win as many or more.

# %%
def knows_more_than_chance(log_prob_true: np.ndarray, log_prob_false: np.ndarray) -> dict:
    """Return ``{"share": ..., "p": ...}`` of pairs of a true and a false sentence.

    The two arrays have the log-probabilities of the true sentences, and of their false partners in
    the same order. ``share`` is the share of pairs in which the true one is more probable; a tie
    counts half. ``p`` is that of the sign test with one side (more wins than chance): ties are left
    out of it. Where all are ties, p is 1.
    """
    ### BEGIN SOLUTION
    wins = int((log_prob_true > log_prob_false).sum())
    losses = int((log_prob_true < log_prob_false).sum())
    ties = len(log_prob_true) - wins - losses
    share = (wins + ties / 2) / len(log_prob_true)
    decided = wins + losses
    p = binomtest(wins, decided, alternative="greater").pvalue if decided else 1.0
    return {"share": share, "p": p}
    ### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Count wins, losses and ties. All else is made of these three numbers.
# </details>
#
# <details><summary>Help</summary>
#
# `scipy.stats.binomtest(wins, wins + losses, alternative="greater").pvalue` is the sign test. It
# stops where there are no pairs, so ask before. Compare the logarithms: the probability of a long
# text is 0 to a computer. A permutation test that exchanges the partners of random pairs and counts
# shares as large or larger asks the same question, and comes near the same p.
# </details>
#
# <details><summary>Solution</summary>
#
# Three counts, a share, a test.
#
# ```python
# wins = int((log_prob_true > log_prob_false).sum())
# losses = int((log_prob_true < log_prob_false).sum())
# ties = len(log_prob_true) - wins - losses
# share = (wins + ties / 2) / len(log_prob_true)
# decided = wins + losses
# p = binomtest(wins, decided, alternative="greater").pvalue if decided else 1.0
# return {"share": share, "p": p}
# ```
# </details>

# %%
cr.checks.lesson03.knows_more_than_chance(knows_more_than_chance)

# %% [markdown]
# ### Find the flaw
#
# Here is a model that knows no film. It knows how frequent each genre is among MovieLens' films, and
# gives *every* film these probabilities, give or take a little that depends on the sentence. It is
# asked about 300 true facts, in two ways:
#
# * **without a control**: "Fargo has the genre Crime" against "Fargo has the genre Western", with a
#   wrong genre drawn at random. Film and sentence stay, the *answer* changes;
# * **with a control**: "Fargo has the genre Crime" against "Clueless has the genre Crime", with a film
#   drawn among those for which it is false. The answer stays, the *film* changes.
#
# > **Predict.** The share and the p of both.

# %% tags=["check"]
genres = facts[facts["relation"] == "has_genre"]
is_true = pd.crosstab(genres["head"], genres["tail"]).to_numpy() > 0  # films × genres
how_often = np.log(is_true.sum(0) / is_true.sum())


def film_genre_model(knows, rng):
    """Return a model's log-probabilities, films × genres; it knows that share of the true facts."""
    told = is_true & (rng.random(is_true.shape) < knows)
    return how_often + rng.normal(0, 0.1, is_true.shape) + 3 * told


def both_probes(knows, rng, n=300):
    model = film_genre_model(knows, rng)
    rows = rng.permutation(np.argwhere(is_true))[:n]
    film, genre = rows.T
    other_genre = np.array([rng.choice(np.flatnonzero(~is_true[f])) for f in film])
    other_film = np.array([rng.choice(np.flatnonzero(~is_true[:, g])) for g in genre])
    return {"without a control": knows_more_than_chance(model[film, genre], model[film, other_genre]),
            "with a control": knows_more_than_chance(model[film, genre], model[other_film, genre])}


probes = pd.DataFrame(both_probes(0, np.random.default_rng(0))).T
cr.claim("Without a control, a model that knows no film seems to: share above 0.75, p below 0.001. "
         "With it, p is above 0.05.",
         probes.loc["without a control", "share"] > 0.75 and probes.loc["without a control", "p"] < 0.001
         and probes.loc["with a control", "p"] > 0.05)
probes.assign(p=probes["p"].map("{:.2g}".format))

# %% [markdown]
# **Question.** The p of the first row is tiny. Is it wrong? What does it say?
#
# <details><summary>Answer</summary>
#
# It is right, and answers another question: whether true answers are more probable than others. They
# are, for true answers are often frequent ones, and frequent ones are probable after every film. A p
# says that something isn't chance. *What* it is, the design of the pairs decides: only the control
# holds the answer still and changes nothing but the film.
# </details>
#
# And a model that does know some of the facts? Here its knowledge grows from nothing to all.

# %% tags=["check"]
levels = np.linspace(0, 1, 6)
curve = pd.DataFrame([{name: np.mean([both_probes(knows, np.random.default_rng(seed))[name]["share"]
                                      for seed in range(5)])
                       for name in ("without a control", "with a control")} for knows in levels], index=levels)
ax = cr.plots.lines(curve, ax=cr.plots.axes(height=3.6), xlabel="share of the facts that the model knows",
                    ylabel="share of pairs won")
ax.axhline(0.5, color="black", linestyle="--", linewidth=1)
ax.set(ylim=(0.4, 1.02))
cr.plots.show(ax, f"The share of pairs won, by how many facts the model knows. Without a control it begins at "
                  f"{curve.iloc[0, 0]:.2f} for a model that knows nothing. With the control it begins at "
                  f"{curve.iloc[0, 1]:.2f}, and rises with knowledge to {curve.iloc[-1, 1]:.2f}.")
cr.claim("With the control, the share begins within 0.03 of one half, and rises at each step.",
         abs(curve.iloc[0, 1] - 0.5) < 0.03 and (curve["with a control"].diff().dropna() > 0).all())

# %% [markdown]
# **Next:** lesson 04, fine-tuning in seven ways. All solutions, run and with their figures, are in
# `solutions/03_language_models_on_the_graph.ipynb`.
