# ---
# title: "Fine-tune a language model, in seven ways"
# minutes: 90
# colab: gguf optuna colorlog
# able: "fine-tune an encoder or a causal language model for recommendation in seven ways, say what each costs and brings, and judge it by ranks and not by accuracy"
# ---

# %% [markdown]
# # Lesson 04 · Fine-tune a language model, in seven ways
#
# **After this lesson you can** fine-tune an encoder or a causal language model for recommendation in
# seven ways, say what each costs and what it brings, foresee the memory it takes, and judge it by
# ranks and not by accuracy.
#
# | | |
# |---|---|
# | You need | [Lesson 01](01_the_cold_start_problem.ipynb) (views, splits), [lesson 03](03_language_models_on_the_graph.ipynb) for sections 8 and 9; a little PyTorch helps |
# | You read for | 90 minutes, with a good place to stop after section 4 |
# | It runs for | about six minutes on two cores (tier `cpu`), with 6 GB of memory; a GPU takes its part if there is one |

# %%
import copy
import os
import tempfile

import gguf
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import optuna
import pandas as pd
import torch
from gguf import quants

import coldrec as cr
from coldrec.language import adapters, memory

run = cr.setup(seed=0)
L, M, V = cr.language, cr.models, cr.views
ml = cr.load("ml-100k")
split = cr.splits.item_cold(ml, 0.2, seed=0)
ratings = split.test.ratings.sample(frac=1, random_state=0)
some = ratings["user"].unique()[:run.pick(smoke=12, cpu=100)]
test = ratings[ratings["user"].isin(some)].groupby("user").head(8)  # so that each has an order
measured = cr.recorded("04")
value, se = measured["value"], measured["se"]
pd.options.display.float_format = "{:.3f}".format

# %% [markdown]
# ## 1. What the model reads, and what it is to say
#
# The article fine-tunes "a large language model" for recommendation and imports
# `BertForSequenceClassification`; then its code trains something else, without a word of text. Here
# is the step it names. A **BERT encoder** (MiniLM, 22.7 million parameters) reads two texts, one about a
# user and one about an item, and a head on top of it says a number: the rating.

# %%
profiles, texts = L.Profiles(split.train), V.describe(ml)
user, item = split.train.user_rows([1])[0], 0
print("user:", profiles.text(user))
print("item:", texts[item])

# %% [markdown]
# Two details. The rated item is left out of the user's text (else the model reads its own answer).
# And the number isn't the rating itself, but what is left of it after the user's mean: who is
# generous is known without a language model.
#
# How do we judge it? Not by **accuracy**: half of the ratings and more are likes, and "yes" to
# everything is right as often. And not by the AUC of all pairs together, as many papers do: it
# rewards knowing who is generous. We take the **AUC within each user**: how often does a film that
# this person liked score above one that they didn't? One half is guessing.

# %%
def judge(scores, asked=test, threshold=3.5):
    """Return how good scores of the asked pairs are; what is above the threshold is a yes."""
    liked, yes = asked["rating"] >= ml.like, np.asarray(scores) > threshold
    return {"says yes": yes.mean(), "accuracy": (yes == liked).mean(),
            "AUC, all pairs": cr.metrics.auc_within(np.zeros(len(asked)), scores, liked).mean(),
            "AUC within users": cr.metrics.auc_within(asked["user"], scores, liked).mean()}


def pairs(model):
    """Return a star recommender's predictions of the test pairs."""
    stars = model.predict(ml.user_ids, ml.item_ids)
    return stars[ml.user_rows(test["user"]), ml.item_rows(test["item"])]


ridge = M.ViewStars({"text": V.text(ml)}).fit(split.train)
rows = {"yes to everything": judge(np.full(len(test), 5)),
        "the user's bias": judge(pairs(M.Bias().fit(split.train))),
        "ridge on frozen MiniLM": judge(pairs(ridge))}
pd.DataFrame(rows).T

# %% [markdown]
# The user's bias alone has a fine AUC over all pairs, and orders no one's films: within users it is
# one half exactly.
#
# ## 2. Fine-tune it, twice
#
# `cr.language.TextRater` draws pairs from the training ratings and trains by squared error. The same
# number of pairs twice: first with people's own ratings, then with what a **teacher** says of these
# pairs, the ridge on frozen vectors of the row above. (Learning what another model says is called
# *distillation*. It is how small language models are made of large ones.)
#
# > **Predict.** Own ratings are the truth; the teacher is only a model. Which teaches more?

# %%
updates = run.pick(smoke=2, cpu=120, gpu=2000)
for name, teacher in {"own ratings": None, "a teacher": ridge}.items():
    rater = L.TextRater("full", updates=updates, teacher=teacher, seed=0).fit(split.train)
    rows[f"MiniLM, tuned on {name}"] = judge(rater.score_pairs(test["user"], test["item"]))
pd.DataFrame(rows).T

# %%
fair = {"user's bias": "bias", "ridge on genres and year": "genres+year ridge",
        "ridge on frozen MiniLM (the teacher)": "frozen text ridge",
        "MiniLM, tuned on own ratings": "full, own ratings", "MiniLM, tuned on the teacher": "full"}
fig, panels = plt.subplots(1, 2, figsize=(11, 2.4), sharey=True, layout="constrained")
cr.plots.bars({name: value[f"auc {short}"] for name, short in fair.items()},
              {name: se[f"auc {short}"] for name, short in fair.items()}, ax=panels[0], digits=3, label="AUC within users")
cr.plots.bars({name: value["rmse bias"] - value[f"rmse {short}"] for name, short in fair.items()},
              {name: se[f"rmse {short}"] for name, short in fair.items()}, ax=panels[1], digits=3,
              label=f"RMSE, stars below the bias's {value['rmse bias']:.3f}")
panels[0].axvline(0.5, color="black", linestyle=":")
cr.plots.show(panels[0], "New films: MiniLM after 300 updates (2,400 ratings) beside simpler models, mean ± SE over "
                         "splits; more is better on both sides. Own ratings and the teacher come to the same order "
                         "(left); the teacher to better stars (right). Ridges, which take a second, are ahead.")

# %% [markdown]
# (Here you see one split, 100 people and 120 updates; in the figure three splits, 200 people each, and
# 300 updates, as `python course.py measure 04` made them. So it goes throughout this lesson.)
#
# The order of the films is as good with one as with the other. The stars are closer with the
# teacher: a rating is the truth of one evening, and the teacher has averaged over many. But the sobering
# line is another one. **The ridge on genres and year, which has no language model at all, is the
# best of them.** A few thousand ratings are little to tune 22.7 million weights with, and much
# for a ridge. Keep it beside every fine-tuned model that you build.

# %%
cr.claim("Tuned on the teacher, MiniLM's RMSE is better than on own ratings, and its AUC within 0.02 of it.",
         value["rmse full"] < value["rmse full, own ratings"] and abs(value["auc full"] - value["auc full, own ratings"]) < 0.02)
cr.claim("Neither is ahead of the ridge on genres and year, by AUC or by RMSE.",
         max(value["auc full"], value["auc full, own ratings"]) < value["auc genres+year ridge"]
         and min(value["rmse full"], value["rmse full, own ratings"]) > value["rmse genres+year ridge"])

# %% [markdown]
# ## 3. Seven ways to fine-tune
#
# Full fine-tuning changes every weight: 22.7 million here, billions elsewhere, with a copy of them
# for every task. The other six leave the model as it is and train little beside it:
#
# | method | what is added and trained | from |
# |---|---|---|
# | **adapter** | two small bottlenecks in each block (down to 32 numbers, up again) | Houlsby et al. 2019 |
# | **LoRA** | to each weight matrix `W`, a product `B·A` of rank 8 | Hu et al. 2021 |
# | **AdaLoRA** | the same, but ranks go to where they serve most | Zhang et al. 2023 |
# | **prefix** | keys and values of ten made-up words, in every layer | Li & Liang 2021 |
# | **prompt** | ten made-up words in front of the text | Lester et al. 2021 |
# | **IA3** | a factor for each key, value and activation | Liu et al. 2022 |
#
# Five of the six are in the library `peft`. Houlsby's adapter isn't, and is short enough to read:

# %%
cr.show(adapters._layers._bottleneck)

# %%
counts = {}
for method in L.METHODS:
    model = L.adapt(L.classifier(labels=1)[1], method, steps=100)
    counts[method] = adapters.trainable(model)[0]
table = pd.DataFrame({"parameters trained": counts, "peak memory, MB": {m: value[f"peak MB {m}"] for m in counts},
                      "seconds a step": {m: value[f"step seconds {m}"] for m in counts},
                      "AUC within users": {m: value[f"auc {m}"] for m in counts},
                      "SE": {m: se[f"auc {m}"] for m in counts}, "RMSE": {m: value[f"rmse {m}"] for m in counts},
                      "SE ": {m: se[f"rmse {m}"] for m in counts}})
table.style.format({"parameters trained": "{:,.0f}", "peak memory, MB": "{:.0f}", "seconds a step": "{:.2f}"}, precision=3)

# %% [markdown]
# * **Little is enough.** LoRA, AdaLoRA, adapter and IA3 are as good as full fine-tuning here: with few
#   ratings, it is no loss to keep most of the model as it is. IA3 trains one weight in 1,600.
# * **Prefix and prompt** hardly get away from the user's bias in 300 updates. Their ten made-up words
#   stand beside the text and have to turn the model from there; papers train them longer, and
#   larger models.
# * **Memory halves, and doesn't vanish**; nor does a step take half of the time, for the gradient must
#   still pass through the whole model (section 5). (Seconds on one core of a busy machine: compare
#   them with each other only, and not to the last digit.)
# * None of the seven is ahead of the ridge on genres and year.
#
# What is trained can be saved alone, and put onto the model again:

# %%
with tempfile.TemporaryDirectory() as folder:
    lora = L.TextRater("lora", updates=run.pick(smoke=1, cpu=10), teacher=ridge, progress=False).fit(split.train)
    adapters.save(lora.model_, folder)
    size = sum(file.stat().st_size for file in os.scandir(folder)) / 1e6
    again = adapters.load(L.classifier(labels=1)[1], folder).eval()
read = lora.tokenizer_([profiles.text(row) for row in range(8)], texts[:8], padding=True, return_tensors="pt").to(run.device)
same = torch.equal(lora.model_.eval()(**read).logits, again.to(run.device)(**read).logits)
print(f"saved in {size:.1f} MB; reloaded, it says the same to the last bit: {same}")
cr.claim("A reloaded model says the same.", same)
four = table.loc[["lora", "adalora", "adapter", "ia3"]]
cr.claim("LoRA, AdaLoRA, adapter and IA3: an AUC at least full fine-tuning's, and an RMSE within 0.01 of its.",
         (four["AUC within users"] >= table.at["full", "AUC within users"]).all()
         and ((four["RMSE"] - table.at["full", "RMSE"]).abs() < 0.01).all())
cr.claim("Prefix and prompt have the lowest AUC and the worst RMSE, within 0.03 of the user's bias.",
         set(table["AUC within users"].nsmallest(2).index) == set(table["RMSE"].nlargest(2).index) == {"prefix", "prompt"}
         and (table.loc[["prefix", "prompt"], "RMSE"] - value["rmse bias"]).abs().max() < 0.03)
cr.claim("Each of the six needs 45 to 60 % of full fine-tuning's memory; none is ahead of the ridge on genres and year.",
         table["peak memory, MB"].iloc[1:].between(0.45 * table["peak memory, MB"].iloc[0], 0.6 * table["peak memory, MB"].iloc[0]).all()
         and table["AUC within users"].max() < value["auc genres+year ridge"])
cr.claim("IA3 trains one weight in 1,600.", round(counts["full"] / counts["ia3"], -2) == 1600)

# %%
ranks = (1, 4, 16, 64)
ax = cr.plots.axes(height=3.2)
for where, colour in {"query, value": cr.plots.BLUE, "all linear": cr.plots.ORANGE}.items():
    keys = [f"rank {rank}, {where}" for rank in ranks]
    size, quality = (value[[f"{kind} {key}" for key in keys]].to_numpy() for kind in ("params", "validation auc"))
    ax.errorbar(size, quality, se[[f"validation auc {key}" for key in keys]], marker="o", capsize=3, color=colour, label=where)
    for rank, *place in zip(ranks, size, quality, strict=True):
        ax.annotate(rank, place, xytext=(4, 5), textcoords="offset points", fontsize=8)
ax.set(xscale="log", xlabel="parameters trained", ylabel="AUC within users\n(validation)")
ax.legend(title="LoRA on", frameon=False)
cr.plots.show(ax, "LoRA by rank (the numbers at the points) and by the layers it changes: AUC within users on validation "
                  "films after 150 updates at one learning rate, mean ± SE. More is better, to a point.")

# %% [markdown]
# LoRA has two knobs: the **rank**, and **which layers** get a product, the queries and values of the
# attention (as in the paper) or all linear layers. At one learning rate and in so few updates, more is
# better up to a point: rank 1 on two layers is still on its way; rank 64 on all layers is no better than
# rank 16, and much worse in one split of three. More numbers at the same rate move the model further,
# and too far in the end: which is the next section's subject.

# %%
auc = {rank: value[f"validation auc rank {rank}, all linear"] for rank in ranks}
cr.claim("On all linear layers, rank 16 is the best of the four.", max(auc, key=auc.get) == 16)
cr.claim("On queries and values, rank 64 is ahead of rank 1.",
         value["validation auc rank 64, query, value"] > value["validation auc rank 1, query, value"])

# %% [markdown]
# ## 4. Learning rate and warm-up
#
# The article's readers ask how to choose the **learning rate**. By trying, on validation items, and
# by powers of ten; and anew for each method, for what suits one ruins another:
#
# > **Predict.** 1e-4 is usual for full fine-tuning. Does LoRA, with a sixtieth of the weights, want
# > a smaller rate, or a larger?

# %%
rates = (1e-5, 1e-4, 1e-3, 1e-2)
fig, panels = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for ax, key in zip(panels, ("rmse", "auc"), strict=True):
    cr.plots.axes(ax)
    for method, style in zip(L.METHODS, ("o-", "s-", "^-", "v-", "D--", "P--", "X--"), strict=True):
        names = [f"validation {key} {method} {rate:.0e}" for rate in rates]
        if key == "rmse":  # splits differ more than settings do: the difference on the same pairs
            ax.plot(rates, value[names] - value["validation rmse bias"], style, markersize=4, label=method)
        else:
            ax.errorbar(rates, value[names], se[names], fmt=style, capsize=2, markersize=4)
    ax.set(xscale="log", xlabel="largest learning rate", ylabel={"rmse": "RMSE less the bias's", "auc": "AUC within users"}[key])
    ax.axhline({"rmse": 0, "auc": 0.5}[key], color="black", linestyle=":")
panels[0].legend(fontsize=8, ncols=2, frameon=False)
cr.plots.show(panels[0], "RMSE, less that of the user's bias (left, less is better), and AUC within users (right) on "
                         "validation films after 100 updates, by the largest learning rate. Full fine-tuning is best at 1e-4 and has lost all at 1e-3. LoRA and the adapter "
                         "learn at 1e-3; AdaLoRA, IA3, prefix and prompt only at 1e-2. At 1e-5 nothing learns.")

# %% [markdown]
# * **A rate too small learns nothing** in the time there is: at 1e-5, each method is where the
#   user's bias is.
# * **A rate too large destroys.** The loss doesn't run off to infinity, because the gradient is
#   clipped; but full fine-tuning at 1e-3 ends with about the same number for every film.
# * **What trains few numbers wants large steps**: ten times the rate of full fine-tuning for LoRA and
#   the adapter, a hundred times for the others. So a tutorial's rate is of no use with another method.
#
# **Warm-up** lets the rate rise through the first tenth of the updates, since AdamW's first steps are
# large: it has seen few gradients to measure them by. Does it help here?

# %%
pd.DataFrame({warm: {rate: value[f"validation rmse full {rate}{tail}"] for rate in ("1e-04", "1e-03")}
              for warm, tail in {"RMSE with warm-up": "", "without": ", no warm-up"}.items()})

# %% [markdown]
# A little at 1e-4, if at all, and it doesn't save 1e-3. Warm-up costs nothing, so everybody uses
# it; it is no substitute for the right rate.

# %%
best = {m: min(rates, key=lambda rate: value[f"validation rmse {m} {rate:.0e}"]) for m in L.METHODS}
cr.claim("At 1e-5, no method's RMSE is better than the user's bias by 0.01.",
         all(value[f"validation rmse {m} 1e-05"] > value["validation rmse bias"] - 0.01 for m in L.METHODS))
cr.claim("Full fine-tuning is best at 1e-4, and its AUC at 1e-3 is at most one half. Each of the others is "
         "best at ten times that rate or more.", best["full"] == 1e-4 and value["validation auc full 1e-03"] <= 0.5
         and min(rate for m, rate in best.items() if m != "full") >= 1e-3)
cr.claim("Warm-up changes full fine-tuning's RMSE by less than 0.02, at both rates.",
         all(abs(value[f"validation rmse full {r}"] - value[f"validation rmse full {r}, no warm-up"]) < 0.02
             for r in ("1e-04", "1e-03")))

# %% [markdown]
# ☕ *A good place to stop for today.*
#
# ## 5. What it takes: memory, precision, size, machines
#
# **Memory.** An update holds the weights, a gradient and two moments (AdamW's) for each weight that
# is trained, and the *activations* that the backward pass will need. All of it can be foreseen by
# counting, which `memory.estimate` does; `memory.peak` watches a real update. *Checkpointing* gives
# activations up and makes them again on the way back.

# %%
looks, words = {}, torch.randint(1000, 20000, (16, 64))
for method in ("full", "lora"):
    model = L.adapt(L.classifier(labels=1)[1], method).train()
    model.config.use_cache = False  # it is for generating text
    optimiser = torch.optim.AdamW([v for v in model.parameters() if v.requires_grad], fused=True)

    def update(model=model, optimiser=optimiser):
        model(input_ids=words, labels=torch.ones(len(words))).loss.backward()
        optimiser.step()
        optimiser.zero_grad()

    for how in ("", ", checkpointing"):
        if how:
            name = "activation_checkpointing_enable"  # in transformers before 5.2x, gradient_...
            getattr(model, name, model.gradient_checkpointing_enable)()
        looks[method + how] = {**memory.estimate(model, *words.shape, checkpointing=bool(how)),
                               "measured": memory.peak(update, model, optimiser)["total"]}
looks = pd.DataFrame(looks).T.rename(columns={"total": "foreseen"})
looks.style.format(precision=0)

# %% [markdown]
# (In MB, for 16 texts of 64 tokens.) LoRA needs neither gradients nor moments for the frozen weights;
# most of its activations stay, because the gradient still has to come down through all blocks.
# Checkpointing takes these away, for the time of a second forward pass. For a model of seven billion
# parameters, the first three columns alone are 112 GB with full fine-tuning: hence the interest in
# the other six.

# %%
cr.claim("Memory is foreseen to within 5 %.", (looks["foreseen"] / looks["measured"] - 1).abs().max() < 0.05)
each = looks.loc["full", ["weights", "gradients", "optimiser"]].sum() * 1e6 / counts["full"]
cr.claim("The first three take 16 bytes a weight, which is 112 GB for seven billion.", round(each * 7e9 / 1e9) == 112)

# %% [markdown]
# **Batch size.** What doesn't fit at once is done in parts. The gradient of a batch is the mean of its
# parts' gradients, so adding them up (*gradient accumulation*) changes nothing but the time. Nor does
# it matter where the parts are: on two machines, it is *data-parallel* training, and what travels
# between them is one gradient an update.

# %%
known = split.train.ratings.sample(16, random_state=0)
read = rater.tokenizer_(list(map(profiles.text, split.train.user_rows(known["user"]))),
                        [texts[row] for row in ml.item_rows(known["item"])], padding=True, return_tensors="pt")
stars = torch.tensor(known["rating"].to_numpy(), dtype=torch.float32) - 3.5
model = rater.model_.to("cpu").eval()  # no dropout: its dice would differ


def gradient(parts):
    """Return the gradient of the batch's mean squared error, added up over parts of it."""
    model.zero_grad()
    for part in parts:
        said = model(**{name: tokens[part] for name, tokens in read.items()}).logits[:, 0]
        (((said - stars[part]) ** 2).sum() / len(stars)).backward()
    return torch.cat([v.grad.flatten() for v in model.parameters() if v.grad is not None])


whole = gradient([slice(0, 16)])
in_parts = gradient([slice(k, k + 4) for k in range(0, 16, 4)])
difference = ((whole - in_parts).norm() / whole.norm()).item()
print(f"16 at once, and 4 times 4: the gradients differ by {difference:.0e} of their length")
cr.claim("The gradient of a batch and that of its parts are the same, but for rounding.", difference < 1e-5)

# %%
sent = pd.Series({"data parallel, full: a gradient for each weight": counts["full"] * 4,
                  "data parallel, LoRA": counts["lora"] * 4,
                  "model parallel, cut after the third block: activations and their gradient":
                      2 * words.numel() * model.config.hidden_size * 4}) / 1e6
sent.rename("MB an update between two machines").to_frame().style.format(precision=1)

# %% [markdown]
# (*Model parallel*: half of the blocks here, half there, for a model that fits nowhere whole.) You
# write none of this yourself: `cr.language.train` runs under `accelerate launch`, on two processes or
# on many GPUs, and a test of this repository sees that two give the losses of one.
# [GPU.md](../GPU.md) has the commands, and what was never tried on a GPU.
#
# **Precision.** GPUs multiply numbers of 16 bits many times faster than those of 32. There are two
# kinds. *fp16* has three good digits and a small range: gradients vanish below 6e-8, so the loss is
# scaled up before the backward pass, and the gradient down after it. *bf16* has the range of fp32,
# and two digits.

# %%
there, kinds = whole != 0, {}
for name, (kind, scale) in {"fp16": (torch.float16, 1), "fp16, loss scaled by 2¹⁶": (torch.float16, 2 ** 16),
                            "bf16": (torch.bfloat16, 1)}.items():
    kept = (whole * scale).to(kind).float() / scale
    with torch.inference_mode(), torch.autocast("cpu", dtype=kind):
        said = model(**read).logits.float()
    kinds[name] = {"gradients that vanish, %": 100 * (kept[there] == 0).float().mean().item(),
                   "overflow": torch.isinf(kept).sum().item(),
                   "median error of the others, %": 100 * ((kept - whole)[there] / whole[there]).abs().median().item(),
                   "largest change of a prediction, stars": (said - model(**read).logits).abs().max().item()}
kinds = pd.DataFrame(kinds).T
cr.claim("In fp16 more gradients vanish than after scaling, and none in bf16, whose errors are three times "
         "as large.", kinds.iloc[0, 0] > kinds.iloc[1, 0] > kinds.iloc[2, 0] == 0 and kinds.iloc[2, 2] > 3 * kinds.iloc[1, 2])
kinds.style.format(precision=4)

# %% [markdown]
# **Smaller weights.** A trained model can be cut before it is used. *Quantisation* writes each weight
# with few bits: blocks of 32 share a scale. *Pruning* sets the smallest to zero. SmolLM2, which we
# use below, comes quantised to four bits, as a GGUF file. PyTorch reads it by writing these weights out
# in fp32. Is anything lost by that, and what does it take?

# %%
file, = cr.assets.fetch("smollm2").glob("*.gguf")
packed = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}["blk.0.ffn_down.weight"]
plain = L.causal("smollm2")[1].state_dict()["model.layers.0.mlp.down_proj.weight"].numpy()
print(f"one layer, {plain.size:,} weights: {packed.data.nbytes / 1e6:.2f} MB as {packed.tensor_type.name}, {plain.nbytes / 1e6:.2f} MB in fp32")
cr.claim("Written out in fp32, the four-bit weights are what they were, to the last bit.",
         np.array_equal(quants.dequantize(packed.data, packed.tensor_type), plain))

# %% [markdown]
# Nothing is lost, and nothing is saved: only programs that multiply packed weights get the smaller memory.
# What was lost, was lost when the model was cut. Here the tuned MiniLM is; what it said before is
# the measure.

# %%
def cut(weight, how):
    """Return weights as they are after quantising to a GGUF type, or pruning a share of them."""
    if isinstance(how, float):
        return weight * (weight.abs() > weight.abs().flatten().kthvalue(int(how * weight.numel())).values)
    kind = gguf.GGMLQuantizationType[how]
    return torch.from_numpy(quants.dequantize(quants.quantize(weight.numpy(), kind), kind))


original, before = copy.deepcopy(rater.model_.state_dict()), rater.score_pairs(test["user"], test["item"])
bits, cuts = {"Q8_0": 8.5, "Q4_0": 4.5}, {}
for how in (*bits, 0.3, 0.7):
    rater.model_.load_state_dict({name: cut(w, how) if w.ndim == 2 and len(w) > 2 else w for name, w in original.items()})
    after = rater.score_pairs(test["user"], test["item"])
    name = how if how in bits else f"pruned by {how:.0%}"
    cuts[name] = {"bits a weight": bits.get(how, 32), "change, stars": np.abs(after - before).mean(),
                  "AUC within users": judge(after)["AUC within users"]}
rater.model_.load_state_dict(original)
cuts = pd.DataFrame({"as trained": {"bits a weight": 32, "change, stars": 0.0,
                                    "AUC within users": judge(before)["AUC within users"]}, **cuts}).T
cuts

# %% [markdown]
# Eight bits change next to nothing, and four bits little: a seventh of the memory, in blocks of 32 weights
# with one scale each. Pruning costs more at once, and saves nothing by itself: a zero takes as much room
# as another number, until it is stored and multiplied in a form that leaves zeros out. (The third way
# to a small model you have seen: distillation, in section 2.) The AUC of a hundred people doesn't see
# any of it. For a finer look, compare with what the model said before.

# %%
cr.claim("Eight bits change predictions by less than 0.01 stars, four by less than 0.03; pruning by 70 % by more than "
         "either, and more than pruning by 30 %.", (change := cuts["change, stars"])["Q8_0"] < 0.01 and change["Q4_0"] < 0.03
         and change["pruned by 70%"] > max(change["Q4_0"], change["pruned by 30%"]))

# %% [markdown]
# ## 6. Ask a language model: yes or no?
#
# The other way to recommend with a language model is to ask it. SmolLM2 can answer, and the article's
# outlook promises recommendation without any labels, *zero-shot*. TALLRec (Bao et al. 2023) put the
# question so, and then tuned the model on a few dozen answers:

# %%
smol = L.YesNo(seed=0).fit(split.train)
print(smol.prompt(user, item))

# %% [markdown]
# The score is how much more probable *Yes* is than *No* as the next word. *Few-shot* puts six of the
# person's rated films, with their answers, in front of the question.
#
# > **Predict.** Zero-shot, few-shot, tuned on 64 answers: which is above one half?

# %%
asked = test[test["user"].isin(some[:run.pick(smoke=2, cpu=25)])]
answers = {"yes to everything": judge(np.full(len(asked), 5), asked)}
for name, options in {"zero-shot": {}, "few-shot": {"shots": 6},
                      "tuned": {"examples": run.pick(smoke=8, cpu=64)}}.items():
    smol = L.YesNo(seed=0, progress=False, **options).fit(split.train)
    answers[name] = judge(smol.score_pairs(asked["user"], asked["item"]), asked, threshold=0)
mini = L.TextRater("full", updates=run.pick(smoke=1, cpu=8), progress=False).fit(split.train)
answers["MiniLM, tuned on as many ratings"] = judge(mini.score_pairs(asked["user"], asked["item"]), asked)
pd.DataFrame(answers).T

# %%
names = ["zero-shot", "zero-shot, No first", "few-shot", "tuned on 64", "tuned on 256"]
more = pd.DataFrame({key: {name: value[f"{stem} {name}"] for name in names} for key, stem in {
    "says yes": "says yes", "accuracy": "accuracy", "AUC within users": "auc"}.items()})
more["SE"] = [se[f"auc {name}"] for name in names]
print(f"yes to everything: accuracy {value['accuracy always yes']:.3f}")
more

# %% [markdown]
# (Measured on 120 people and up to eight films each.) None of them is above guessing. Zero-shot, the
# model says what it always says, and says it more or less often by how the question names the
# answers. Tuning teaches it how often to say yes, and not to whom; accuracy rises, AUC doesn't. This
# is a negative result, and one of size: TALLRec reports that fewer than a hundred answers helped a
# model of seven billion parameters; this one has 0.135. (With a GPU: `L.YesNo(model="Qwen/Qwen3-0.6B")`.)

# %%
cr.claim("No way of asking is above one half by two standard errors.", (more["AUC within users"] - 2 * more["SE"] < 0.5).all())
cr.claim("Tuned on 256 answers, it says yes more often than zero-shot, and is right more often; yet not more often "
         "than yes to everything.", more.at["tuned on 256", "says yes"] > more.at["zero-shot", "says yes"]
         and more.at["zero-shot", "accuracy"] < more.at["tuned on 256", "accuracy"] <= value["accuracy always yes"] + 0.01)

# %% [markdown]
# **Position bias.** Perhaps it is better at comparing two films than at judging one? For each person
# a film that they liked and one that they didn't, in both orders. Whoever compares by content gives
# the same film both times.

# %%
tokenizer, model = L.causal("smollm2")
model = model.to(run.device).eval()
A, B = (tokenizer(f" {letter}", add_special_tokens=False)["input_ids"][0] for letter in "AB")


def first_wins(user_row, one, two):
    """Return by how much the model prefers A, the film that is named first."""
    prompt = (f"{profiles.text(user_row)}\nWhich film would this person rather see?\n"
              f"A: {texts[one]}\nB: {texts[two]}\nAnswer:")
    with torch.inference_mode():
        logits = model(**tokenizer(prompt, return_tensors="pt").to(run.device)).logits[0, -1]
    return (logits[A] - logits[B]).item()


duels = []
for user_id, its in list(ratings.groupby("user", sort=False))[:run.pick(smoke=6, cpu=30)]:
    good, bad = (ml.item_rows(its["item"][chosen])[:1] for chosen in (its["rating"] >= 4, its["rating"] <= 2))
    if len(good) and len(bad):
        row = split.train.user_rows([user_id])[0]
        duels.append((first_wins(row, good[0], bad[0]), first_wins(row, bad[0], good[0])))
duels = np.array(duels)
print(f"{len(duels)} people. It takes the first film in {(duels > 0).mean():.0%} of the answers; "
      f"it holds to one film in both orders for {((duels > 0).sum(1) == 1).mean():.0%} of the people.")

cr.claim("It takes the first film in nine of ten answers at least.", (duels > 0).mean() >= 0.9)

# %% [markdown]
# It doesn't compare; it says *A*. Shown in one order only, with the liked film first, it would have
# looked like a perfect recommender. Large models have this bias too, if less of it (Hou et al. 2024).
# The remedy is in the test: ask in both orders, and count what doesn't change.
#
# ## 7. Two stages: retrieve, then rerank
#
# A model that reads pairs can't read a whole catalogue for each person: it takes a forward pass for each
# pair, where a ridge takes one product of matrices for all of them. So in practice a quick model fetches candidates, and the slow one puts these in
# order. `cr.models.Rerank` does that. First stage: the ridge on likes, with texts and genres;
# second: each of our models, on its best 40 of the 336 new films.

# %%
cr.show(M.Rerank._score)

# %%
cr.claim("336 films are new.", len(split.cold_items) == 336)
few = split.test.with_ratings(split.test.ratings[split.test.ratings["user"].isin(some[:run.pick(smoke=3, cpu=40)])])
few = cr.splits.Split(split.name, split.train, few, split.cold_items)
first = M.ViewRidge({"text": V.text(ml), "genres": V.genres(ml)}).fit(split.train)
alone, reranked = cr.evaluate(first, few), cr.evaluate(M.Rerank(first, rater, 40).fit(split.train), few)
pd.DataFrame({"first stage alone": alone, "reranked by MiniLM": reranked}).T[["ndcg", "recall", "auc", "users"]]

# %%
seconds = {"nothing": "nothing", "MiniLM, tuned": "MiniLM", "SmolLM2, zero-shot": "zero-shot",
           "SmolLM2, tuned on 256": "tuned on 256", "dice": "dice"}
ax = cr.plots.bars({name: value[f"ndcg reranked by {key}"] for name, key in seconds.items()},
                   {name: se[f"ndcg reranked by {key}"] for name, key in seconds.items()}, digits=3,
                   label="NDCG@20 on new films, best 40 reranked by ..., mean ± SE")
cr.plots.show(ax, "What the list is worth when the first stage's best 40 are put in order by a second stage. All second "
                  "stages make it worse: they are nearer to dice than to leaving it alone.")

# %% [markdown]
# Every second stage spoils the list, MiniLM too, whose AUC within users is well above one half. Nothing is
# wrong with the code: **it is another question.** The AUC asks: of the films that a person chose to
# see and rate, which did they like? The list asks: of all films, which will they see, and like? The
# greater part of the second question is what people choose, and the raters have never seen a film
# that wasn't chosen. Ratings are *missing not at random*: that somebody didn't rate a film says much
# (Marlin & Zemel 2009). The first stage was trained on likes against everything else, which is the
# list's own question.
#
# So a model that tells liked from disliked isn't yet a recommender. Train a reranker on what it will
# be asked, likes against the other candidates; and judge it by the whole list, beside the first stage
# alone and beside dice.

# %%
cr.claim("Each second stage's NDCG is nearer to that of dice than to that of the first stage alone.",
         all(value[f"ndcg reranked by {key}"] < (value["ndcg reranked by nothing"] + value["ndcg reranked by dice"]) / 2
             for key in ("MiniLM", "zero-shot", "tuned on 256")))
cr.claim("MiniLM's AUC within the same users is above one half by two standard errors.",
         value["auc MiniLM"] - 2 * se["auc MiniLM"] > 0.5)

# %% [markdown]
# ## 8. Search for settings
#
# Learning rate, epochs, and so on: let a library try them. Optuna proposes settings, looks at how
# they did, and proposes better ones. What it must not see are the test items. It judges on a
# **validation-cold** split of the training data, new films again, in the same way. As an example,
# the two-stage GPT of lesson 03, pretrained on the graph (regime `release`) and tuned on a tenth of the
# likes:

# %%
graph = nx.compose(cr.graph.freebase(ml), cr.graph.build(ml, rated=False))
gpt = L.GraphGPT(**run.pick(smoke={"width": 16, "epochs": 1}, cpu={"epochs": 3}), seed=0).fit(
    cr.graph.known_triples(ml, graph, "release", least=4))


def a_share(train, share):
    """Return some of the labels."""
    return train.with_ratings(train.ratings.sample(frac=share, random_state=0))


inner = cr.splits.item_cold(a_share(split.train, 0.1), 0.2, seed=0)


def try_out(trial):
    """Return recall on validation-cold films with the settings of a trial."""
    settings = {"learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
                "epochs": trial.suggest_int("epochs", 1, run.pick(smoke=2, cpu=10)),
                "rehearsal": trial.suggest_float("rehearsal", 0, 1)}
    return cr.evaluate(L.LikesGPT(gpt, ml, **settings, progress=False).fit(inner.train), inner).recall


optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(n_startup_trials=3, seed=0))
study.optimize(try_out, n_trials=run.pick(smoke=2, cpu=6))
tried = study.trials_dataframe(attrs=("value", "params")).sort_values("value", ascending=False)
tried

# %%
labelled = cr.splits.Split(split.name, a_share(split.train, 0.1), split.test, split.cold_items)
chosen = {name: cr.evaluate(L.LikesGPT(gpt, ml, **settings, progress=False).fit(labelled.train), labelled).recall
          for name, settings in {"as it comes": {}, "as found": study.best_params}.items()}
print(f"validation: {study.best_value:.3f}; test:", {name: round(float(r), 3) for name, r in chosen.items()})

# %% [markdown]
# The winner's figure on validation is flattered: it is the best of six, and chance had a hand in it.
# (The films of the two splits differ, too, so compare only what stands on the same split.) On the
# test films it needn't be ahead of the settings as they come: see above. That is why the test films
# are asked once, for the winner, at the very end. A search that looks at them six times has fitted
# them. (Six tries, the first three at random, are a sketch of a search. With a GPU, let it run for
# some dozens.)
#
# ## 9. Few labels, or none
#
# The article's outlook asks what is left when labels are scarce. The same GPT, pretrained on the graph
# or started from chance, tuned on 1 %, 10 % and all of the training ratings; and, beside it, what
# needs less: the ridge on frozen texts, and plain cosine in the pretrained vectors.

# %%
shares = ("1%", "10%", "100%")
kinds = {"GPT, pretrained on the graph": "pretrained", "GPT, not pretrained": "not pretrained",
         "pretrained vectors, cosine": "pretrained, cosine", "frozen texts, ridge": "text ridge"}
curve, spread = (pd.DataFrame({name: [column[f"recall {key}, {share} of labels"] for share in shares]
                               for name, key in kinds.items()}, index=shares) for column in (value, se))
ax = cr.plots.lines(curve, spread, xlabel="share of the training ratings", ylabel="Recall@20 on new films")
ax.axhline(alone.chance, color="black", linestyle=":")
cr.plots.show(ax, "Recall on new films by the share of the training ratings, mean ± SE (regime release; dotted: chance). "
                  "Pretrained on the graph, the GPT is ahead of the same model that wasn't, at each share. Plain cosine, "
                  "which trains on no label, keeps up with it. The ridge on frozen texts needs neither.")

# %% [markdown]
# **Pretraining is worth labels**: at each share, the GPT that knows the graph finds more than the one
# that starts from chance. And with **no label** to train on (the plain cosine asks only what the person
# liked), the pretrained vectors do as well as after tuning, where labels are few. But the simplest
# line, a ridge on texts read by a model that was pretrained on the web, is ahead at both ends: what
# helps with few labels is pretraining, on whatever says most about the items.

# %%
cr.claim("At each share, the pretrained GPT is ahead of the one that starts from chance.",
         (curve["GPT, pretrained on the graph"] > curve["GPT, not pretrained"]).all())
cr.claim("With 1 % and 10 % of the labels, the cosine is within 0.03 of the tuned GPT.",
         (curve["pretrained vectors, cosine"] - curve["GPT, pretrained on the graph"]).abs()[["1%", "10%"]].max() < 0.03)
cr.claim("The ridge on texts is ahead of all with 1 % and with all labels.",
         (curve.idxmax(axis=1)[["1%", "100%"]] == "frozen texts, ridge").all())

# %% [markdown]
# ## Key points
#
# * Seven ways to fine-tune: with few ratings, those that change little do as well as changing all, in half
#   of the memory, with ten to a hundred times the learning rate.
# * A teacher's word can be less noisy than the ratings. A ridge on frozen views stands beside every
#   fine-tuned model, and is often ahead.
# * Memory can be counted beforehand. Accumulated gradients are the gradient; fp16 needs a scaled
#   loss; a trained model can be cut to four bits a weight and says nearly the same.
# * Judge by AUC within users, in both orders, and by the whole list. Accuracy, and the AUC of all
#   pairs, flatter.
# * Small language models aren't recommenders by being asked, nor by being tuned on a few answers.
# * Rating well isn't ranking well: what people rate, they chose.
#
# ## Check your understanding
#
# <details><summary>1. A colleague fine-tunes a model to an accuracy of 0.60 and an AUC of 0.72 over all
# pairs, and is content. What do you ask?</summary>
#
# How many of the ratings are likes (yes to everything may have 0.60, too), and what the AUC is
# within users. A model that knows only who is generous has a fine AUC over all pairs, and puts
# nobody's films in order.
# </details>
#
# <details><summary>2. LoRA trains a sixtieth of the weights. Why does it need more than half of the
# memory all the same, and what else does it save?</summary>
#
# The frozen weights must be there to be used, and so must most activations, because the gradient
# has to come through all blocks to reach the LoRA matrices of the first. Gradients and moments are
# saved. So is traffic between machines, and disk: a task is one megabyte.
# </details>
#
# <details><summary>3. You ask a language model which of two films a person would like, and it is
# right in 9 of 10 questions. In all of them, the liked film stood first. What do you do?</summary>
#
# Ask again with the films exchanged. A model that always takes the first would be right in all of
# the first questions, and in none of the second. Count only answers that don't change.
# </details>
#
# ## To read on
#
# * BERT: Devlin et al. 2019, [arXiv 1810.04805](https://arxiv.org/abs/1810.04805). Adapters: Houlsby
#   et al. 2019, [arXiv 1902.00751](https://arxiv.org/abs/1902.00751). LoRA: Hu et al. 2021,
#   [arXiv 2106.09685](https://arxiv.org/abs/2106.09685). AdaLoRA: Zhang et al. 2023,
#   [arXiv 2303.10512](https://arxiv.org/abs/2303.10512). Prefixes: Li & Liang 2021,
#   [arXiv 2101.00190](https://arxiv.org/abs/2101.00190). Prompt tuning: Lester et al. 2021,
#   [arXiv 2104.08691](https://arxiv.org/abs/2104.08691). IA3: Liu et al. 2022,
#   [arXiv 2205.05638](https://arxiv.org/abs/2205.05638).
# * A language model asked yes or no, and tuned on few answers: Bao et al. 2023, *TALLRec*,
#   [arXiv 2305.00447](https://arxiv.org/abs/2305.00447). They used seven billion parameters.
# * Position bias in recommending by prompt: Hou et al. 2024,
#   [arXiv 2305.08845](https://arxiv.org/abs/2305.08845).
# * Ratings that are missing not at random: Marlin & Zemel 2009, *Collaborative Prediction and Ranking
#   with Non-Random Missing Data*.
# * Memory, counted: Rajbhandari et al. 2020, *ZeRO*, [arXiv 1910.02054](https://arxiv.org/abs/1910.02054);
#   Korthikanti et al. 2022, [arXiv 2205.05198](https://arxiv.org/abs/2205.05198). Checkpointing: Chen et
#   al. 2016, [arXiv 1604.06174](https://arxiv.org/abs/1604.06174).
# * Mixed precision: Micikevicius et al. 2018, [arXiv 1710.03740](https://arxiv.org/abs/1710.03740).
# * Distillation: Hinton et al. 2015, [arXiv 1503.02531](https://arxiv.org/abs/1503.02531).
# * Optuna: Akiba et al. 2019, [arXiv 1907.10902](https://arxiv.org/abs/1907.10902).
#
# **Next:** the exercise sheet `exercises/04_fine_tuning.ipynb` (70 minutes), then lesson 05: dense
# embeddings.
