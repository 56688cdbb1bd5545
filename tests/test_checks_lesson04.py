"""The checks of sheet 04: likely mistakes get the hint that fits, other right answers pass.

That the solutions pass and the stubs are told apart is tested for all sheets in test_checks.py, and
here once more, because the sheet has an exercise with two functions.
"""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sheets import written
from sklearn.metrics import roc_auc_score
from torch.nn.functional import linear

from coldrec.checks.lesson04 import RATES

# Mistakes that are no single edit of the solution -------------------------------------------------


def layer_in_place(x, weight, down, up, alpha):
    weight += alpha / len(down) * up @ down
    return x @ weight.T


def input_in_place(x, weight, down, up, alpha):
    found = x @ weight.T + alpha / len(down) * x @ down.T @ up.T
    x *= 0
    return found


def half_a_gradient(x, weight, down, up, alpha):
    update = alpha / len(down) * x @ down.T @ up.T
    return x @ weight.T + update / 2 + update.detach() / 2


def half_of_up(x, weight, down, up, alpha):
    return x @ weight.T + alpha / len(down) * x @ down.T @ (up + up.detach()).T / 2


def without_x(x, weight, down, up, alpha):
    return x.detach() @ weight.T + alpha / len(down) * x.detach() @ down.T @ up.T


def without_up(x, weight, down, up, alpha):
    return x @ weight.T + alpha / len(down) * x @ down.T @ up.data.T


def merged_in_place(weight, down, up, alpha):
    weight.add_(alpha / len(down) * up @ down)
    return weight


def parts_of(size, end=lambda sums, rows: sum(sums) / rows, each=lambda g, n: g * n):
    """Return an accumulation with another size of parts, another sum or another weight."""
    def accumulate(gradient, batch, parts):
        step = size(len(batch), parts)
        cut = [batch[start:start + step] for start in range(0, len(batch), step)]
        return end([each(gradient(part), len(part)) for part in cut], len(batch))
    return accumulate


def ceil(rows, parts):
    return math.ceil(rows / parts)


def drops_the_rest(gradient, batch, parts):
    size = len(batch) // parts
    return sum(gradient(batch[n * size:(n + 1) * size]) for n in range(parts)) / parts


def repeats_rows(gradient, batch, parts):
    size = math.ceil(len(batch) / parts)
    return sum(gradient(batch[max(0, min(n * size, len(batch) - size)):][:size])
               for n in range(parts)) / parts


def an_empty_part(gradient, batch, parts):
    size = math.ceil(len(batch) / parts)
    cut = [batch[n * size:(n + 1) * size] for n in range(parts + 1)]
    return sum(gradient(part) * len(part) for part in cut) / len(batch)


def other_rows(gradient, batch, parts):
    return sum(gradient(part + 1) * len(part) for part in np.array_split(batch, parts)) / len(batch)


def sorts_in_place(gradient, batch, parts):
    batch.sort(axis=0)
    return gradient(batch[:1])


def forever(gradient, batch, parts):
    while True:
        gradient(batch[:1])


def by_factor(factor, size=True, up=math.ceil):
    """Return a rate that is ``factor(step, steps, up)`` of the largest."""
    def rate(step, steps, warmup, largest):
        return factor(step, steps, up(warmup * steps)) * (largest if size else 1)
    return rate


def line(step, steps, up):
    if step < up:
        return step / up
    return max(0, (steps - step) / max(1, steps - up))


def cosine(step, steps, up):
    return step / up if step < up else (
        0 if step >= steps else (1 + math.cos(math.pi * (step - up) / (steps - up))) / 2)


def each_user(users, scores, liked, area=lambda own, likes: roc_auc_score(likes, own)):
    """Return the AUCs of users who have a pair."""
    return [area(scores[users == user], liked[users == user]) for user in np.unique(users)
            if 0 < liked[users == user].sum() < (users == user).sum()]


def pooled(users, scores, liked):
    return roc_auc_score(liked, scores) if 0 < liked.sum() < len(liked) else math.nan


def all_pairs(users, scores, liked):
    """Count the pairs of all users, and divide once."""
    won = pairs = 0
    for user in np.unique(users):
        own = users == user
        likes, dislikes = scores[own & liked], scores[own & ~liked]
        won += (np.sign(likes[:, None] - dislikes) + 1).sum() / 2
        pairs += len(likes) * len(dislikes)
    return won / pairs if pairs else math.nan


def by_ratings(users, scores, liked):
    frame = pd.DataFrame({"user": users, "score": scores, "liked": liked})
    kept = frame[frame.groupby("user")["liked"].transform("nunique") > 1]
    if not len(kept):
        return math.nan
    sizes = kept.groupby("user").size()
    return np.average(each_user(users, scores, liked), weights=sizes)


def in_order(own, likes):
    ranks = np.argsort(np.argsort(own, kind="stable")) + 1
    n = likes.sum()
    return (ranks[likes].sum() - n * (n + 1) / 2) / (n * (len(own) - n))


def in_runs(users, scores, liked):
    runs = np.cumsum(np.append(True, users[1:] != users[:-1]))
    found = each_user(runs, scores, liked)
    return np.mean(found) if found else math.nan


def centres_scores(users, scores, liked):
    scores -= scores.mean()
    return np.mean(each_user(users, scores, liked))


def bytes_of(weights=lambda n, t: n, gradients=lambda n, t: t, optimiser=lambda n, t: 2 * t,
             total=None, b=lambda given: given):
    """Return a memory that counts something else."""
    def memory(n, t, bytes_per_number=4):
        size = b(bytes_per_number)
        parts = {"weights": weights(n, t) * size, "gradients": gradients(n, t) * size,
                 "optimiser": optimiser(n, t) * size}
        return parts | {"total": total(**parts) if total else sum(parts.values())}
    return memory


AUC = "each.append(above + tied / 2)"
WRONG = {
    "lesson04.lora": [
        ({"alpha / down.shape[0]": "alpha"}, "You multiply the update by alpha"),
        ({"alpha / down.shape[0]": "1"}, "You leave out the scale"),
        ({"alpha / down.shape[0]": "1 / down.shape[0]"}, "alpha is missing"),
        ({"alpha / down.shape[0]": "down.shape[0] / alpha"}, "upside down"),
        ({"down.shape[0]": "down.shape[1]"}, "by the number of inputs"),
        ({"down.shape[0]": "up.shape[0]"}, "by the number of outputs"),
        ({"down.shape[0]": "down.shape[0] ** 0.5"}, "the root of r"),
        ({"scale * (x @ down.T @ up.T)": "(x @ (scale * down).T @ (scale * up).T)"},
         "counts twice"),
        ({"x @ weight.T + scale * (x @ down.T @ up.T)":
          "scale * (x @ weight.T + x @ down.T @ up.T)"}, "You scale the frozen layer too"),
        ({" + scale * (x @ down.T @ up.T)": ""}, "The update is missing"),
        ({"x @ weight.T + ": ""}, "The frozen weight is missing"),
        ({"weight.T + ": "weight.T - "}, "You subtract the update"),
        ({"weight.T + scale": "weight.T - alpha"}, "multiply the update by alpha.*subtract"),
        ({"x @ weight.T": "x @ weight"}, "multiply by `weight` as it stands"),
        ({"down.T @ up.T": "down @ up"}, "`down` and `up` as they stand"),
        ({"down.T @ up.T": "up.T @ down.T"}, "use `up` before `down`"),
        ({"x @ weight.T": "x @ weight", "down.T @ up.T": "down @ up"}, "all three matrices"),
        ({"x @ weight.T": "x @ weight", "alpha / down.shape[0]": "alpha"},
         "`weight` as it stands.*multiply the update by alpha"),
        ({"x @ down.T @ up.T": "x @ down.T"}, "stopped with RuntimeError.* weight .4, 5.,"),
        (layer_in_place, "changes the tensor `weight`.* adds the update again"),
        (input_in_place, "changes the tensor `x`.* still needs that"),
        (half_a_gradient, "gradient by `x` isn't.*layers below"),
        (half_of_up, "gradient by `up` isn't"),
        (without_x, "no gradient leads back to `x`.*layers below"),
        (without_up, "no gradient leads back to `up`"),
        ({"return x": "x, down, up = x.detach(), down.detach(), up.detach(); return x"},
         "no gradient leads back to `down` and `up`"),
        ({"return x @ weight.T + scale * (x @ down.T @ up.T)":
          "return (x @ weight.T + scale * (x @ down.T @ up.T)).detach().numpy()"},
         "You return a ndarray of the shape"),
        ({"return x @ weight.T": "return x.sum() + x @ weight.T"}, "the first number should be"),
        (lambda x, weight, down, up, alpha: weight, r"shape \(4, 4\). Wanted is the layer's out"),
        (lambda x, weight, down, up: x, "yours takes x, weight, down, up"),
        (lambda x, weight, down, up, alpha: x / 0 + torch.zeros(9), "stopped with RuntimeError"),
        (lambda x, weight, down, up, alpha: None, "returns nothing"),
    ],
    "lesson04.merged": [
        ({"alpha / down.shape[0]": "alpha"}, "You multiply the update by alpha"),
        ({"alpha / down.shape[0] * ": ""}, "You leave out the scale"),
        ({"down.shape[0]": "down.shape[1]"}, "by the number of inputs"),
        ({"down.shape[0]": "up.shape[0]"}, "by the number of outputs"),
        ({"weight + ": ""}, "The frozen weight is missing"),
        ({" + alpha / down.shape[0] * (up @ down)": ""}, "The update is missing"),
        ({"weight + ": "weight - "}, "You subtract the update"),
        ({"up @ down": "down @ up"}, r"You multiply down @ up"),
        ({"up @ down": "down.T @ up.T"}, "Your product is transposed"),
        ({"weight + ": "weight.T + "}, "Your weight is transposed"),
        ({"up @ down": "down @ up", "alpha / down.shape[0]": "alpha"},
         "multiply down @ up.*update by alpha"),
        ({"return weight +": "return weight[0] +"}, "first number should be"),
        ({"(up @ down)": "(up @ down).mean()"}, "first number should be"),
        ({"return weight": "weight += 1; return weight"}, "changes the tensor `weight`"),
        (merged_in_place, "changes the tensor `weight`.* adds the update again"),
        (lambda weight, down, up, alpha: up @ down[:, :1],
         r"the shape \(4, 1\). Wanted is one weight"),
        (lambda weight, down, up, alpha: 0, "You return the int 0. Wanted is a tensor"),
        (lambda weight, down, up, alpha: None, "returns nothing"),
    ],
    "lesson04.accumulate": [
        ({" * len(part)": "", "total / len(batch)": "total / parts"}, "mean of the parts' means"),
        ({" * len(part)": "", " / len(batch)": ""}, "You add up the parts' gradients"),
        ({" / len(batch)": ""}, "don't divide by the number of all rows"),
        ({"total / len(batch)": "total / parts"}, "divide by the number of parts"),
        ({" * len(part)": ""}, "each part's gradient is already a mean"),
        ({" * len(part)": " / len(part)", "total / len(batch)": "total"}, "the weight 1 / rows"),
        ({"total + gradient(part) * len(part)": "gradient(part)", " / len(batch)": ""},
         "the last part alone"),
        ({"total = total": "return gradient(part)  #"}, "Is `return` inside the loop"),
        ({"total = total": "total = gradient(part); return total  #"}, "You call gradient once"),
        (lambda gradient, batch, parts: [*map(gradient, np.array_split(batch, parts))][0],
         "the first part alone"),
        ({"total + gradient": "total - gradient"}, "the step down"),
        ({"return total": "return 1 + total"}, "For parts of .3, 3, 2, 2. rows"),
        (drops_the_rest, "2 of the batch are left out"),
        (repeats_rows, "some rows are in two parts"),
        (an_empty_part, "You call gradient without rows"),
        (other_rows, "a row that isn't in the batch"),
        (lambda gradient, batch, parts: gradient(batch), "with the whole batch. With 10 rows in 4"),
        (parts_of(lambda rows, parts: parts), "You call gradient with 4 rows.* 3 at most fit"),
        (parts_of(lambda rows, parts: 1), "you call gradient 10 times"),
        (parts_of(lambda rows, parts: rows // parts), "you call gradient 5 times"),
        (parts_of(ceil, lambda sums, rows: np.mean(sums, 0), lambda g, n: g),
         "mean of the parts' means"),
        (lambda gradient, batch, parts: sum(map(gradient, batch)), "batch.0:1., not batch.0."),
        (lambda gradient, batch, parts: gradient("rows"), "call gradient with the str 'rows'"),
        (lambda gradient, batch, parts: gradient(parts), "call gradient with the int 4"),
        (lambda gradient, batch, parts: batch.mean(0), "You never call gradient"),
        ({"total / len(batch)": "[total]"}, "You return the list .* Wanted is one vector"),
        ({"total / len(batch)": "total.sum()"}, "Wanted is one vector"),
        ({"total / len(batch)": "'down'"}, "You return the str 'down'. Wanted is one vector"),
        (sorts_in_place, "changes the ndarray"),
        (forever, "You call gradient more than 10 times"),
        ({"total = 0": "total = None"}, "stopped with TypeError"),
        (lambda gradient, batch: batch, "yours takes gradient, batch"),
        (lambda gradient, batch, parts: None, "returns nothing"),
    ],
    "lesson04.rate": [
        ({"step / up": "(step + 1) / up"}, "the first update has already a part"),
        ({"largest * step / up": "largest"}, "no warm-up in yours"),
        ({"largest * step / up": "largest * step / steps"}, "You divide by `steps` on the way up"),
        ({"math.ceil": "round"}, "to the nearest"),
        ({"math.ceil": "int"}, "warm-up updates down"),
        ({"math.ceil(warmup * steps)": "warmup * steps"}, "You don't round"),
        ({"math.ceil(warmup * steps)": "warmup"}, "for a number of updates"),
        ({"largest * (steps - step) / (steps - up)": "largest"}, "stays at its largest value"),
        ({"(steps - step) / (steps - up)": "(1 - step / steps)"}, "the rate jumps"),
        ({"(steps - step) / (steps - up)": "(1 - (step - up) / steps)"}, "at the end the rate"),
        ({"(steps - step) / (steps - up)": "(steps - 1 - step) / max(1, steps - 1 - up)"},
         "one step too soon"),
        (by_factor(cosine), "falls along a cosine"),
        (by_factor(lambda step, steps, up: step / up if step < up
                   else (steps - step) / max(1, steps - up)), "After `steps`.*below 0"),
        (by_factor(line, size=False), "the share of the largest rate"),
        (by_factor(line, up=round, size=False), "to the nearest.*share of the largest"),
        (by_factor(lambda step, steps, up: line(step + 1, steps, up)), r"rate\(0, 20, 0.25, 2.0\)"),
        ({"if step >= steps:\n        return 0.0\n": "if False: pass\n"},
         r"ZeroDivisionError.*had called rate\(10, 10, 0.95"),
        ({"step < up": "step <= up"}, "stopped with ZeroDivisionError"),
        ({"return largest * (": "return 1 + largest * ("},
         "should be 2; yours is 3.* it falls to"),
        ({"return 0.0": "return 1e-9"}, "At step 20, and after it, the rate is 0"),
        ({"return 0.0": "return None"}, "returns nothing"),
        ({"return largest * step / up": "return [largest]"}, "You return the list"),
        (lambda step, steps, warmup: 0.0, "yours takes step, steps, warmup"),
        (lambda step, steps, warmup, largest: "low", "Wanted is a learning rate"),
        (lambda step, steps, warmup, largest: None, "returns nothing"),
    ],
    "lesson04.auc_within": [
        (pooled, "pairs of all users together"),
        (all_pairs, "number of pairs"),
        (by_ratings, "by their number of ratings"),
        ({"above + tied / 2": "above"}, "A tie counts as nothing"),
        ({"above + tied / 2": "above + tied"}, "A tie counts in full"),
        ({"above + tied / 2": "1 - above - tied / 2"}, "one minus the AUC"),
        (lambda *given: np.mean(each_user(*given, area=in_order) or math.nan),
         "decided by the order of the rows"),
        ({AUC: AUC + "\n        else:\n            each.append(0.5)",
          " if each else float(\"nan\")": ""}, "one half to users with only likes"),
        ({AUC: AUC + "\n        else:\n            each.append(0.0)"}, "You give 0 to users"),
        ({AUC: AUC + "\n        else:\n            each.append(1.0)"}, "You give 1 to users"),
        ({"if len(likes) and len(dislikes):": "if True:"}, "makes your whole mean NaN"),
        ({'float("nan")': "0.5"}, "you return 0.5. Nothing was measured"),
        ({'float("nan")': "0.0"}, "you return 0, the worst"),
        ({"above + tied / 2": "above", 'float("nan")': "0.0"}, "counts as nothing.*the worst"),
        (in_runs, "stand together. They don't"),
        ({"np.mean(each)": "np.median(each)"}, r"auc_within\(\[3, 2, 1.* 0.6667; yours is 1.0"),
        ({"np.mean(each)": "np.mean(each) if len(users) < 10 else 0.0"},
         "Of 70 ratings by 9 users, auc_within should be"),
        ({"float(np.mean(each))": "each"}, "You return the list"),
        ({"float(np.mean(each))": "np.array(each)"}, r"a ndarray of the shape \(1,\)"),
        ({"float(np.mean(each)) if each else float(\"nan\")": "sum(each) / len(each)"},
         "stopped with ZeroDivisionError"),
        ({"own & ~liked": "not liked"}, "stopped with ValueError"),
        (centres_scores, "changes the ndarray"),
        (lambda users, scores, liked: 0.5, "should be 0.0?.*; yours is 0.5"),
        (lambda users, scores, liked: "high", "You return the str 'high'"),
        (lambda users, scores: 0.5, "yours takes users, scores"),
        (lambda users, scores, liked: None, "returns nothing"),
    ],
    "lesson04.memory": [
        ({"2 * n_trained": "2 * n_weights"}, "two moments of every weight"),
        ({"2 * n_trained": "n_trained"}, "You count one moment. AdamW"),
        ({"2 * n_trained": "n_weights"}, "one moment, and of every weight"),
        ({"2 * n_trained": "3 * n_trained"}, "three numbers a trained weight"),
        ({"2 * n_trained": "2 * (n_weights - n_trained)"}, r"that are \*not\* trained"),
        ({'"gradients": n_trained': '"gradients": n_weights'}, "a gradient for every weight"),
        ({'"gradients": n_trained': '"gradients": (n_weights - n_trained)'},
         r"gradients for the weights that are \*not\*"),
        ({'"gradients": n_trained': '"gradients": 2 * n_trained'}, "two is what AdamW keeps"),
        ({'"gradients": n_trained': '"gradients": 0'}, "gradients take no memory"),
        ({'"weights": n_weights': '"weights": (n_weights - n_trained)'}, "those that are frozen"),
        ({'"weights": n_weights': '"weights": (n_weights + n_trained)'}, "They are among them"),
        ({'"weights": n_weights': '"weights": n_trained'}, "frozen ones are needed"),
        ({"n_weights * bytes_per_number": "n_weights"}, "You return the number of weights"),
        (bytes_of(b=lambda given: 4), "You count 4 bytes a weight"),
        ({'"gradients": n_trained * bytes_per_number': '"gradients": n_trained * 4'},
         "You count 4 bytes a gradient"),
        ({"2 * n_trained * bytes_per_number": "8 * n_trained"}, "You count 4 bytes a moment"),
        ({"2 * n_trained * bytes_per_number": "2 * n_trained"}, "You return the number of moments"),
        ({"2 * n_trained * bytes_per_number": "0"}, "Your optimiser keeps nothing"),
        (bytes_of(b=lambda given: given / 1e9), "You return GB"),
        (bytes_of(b=lambda given: given / 2 ** 20), "You return MiB"),
        (bytes_of(b=lambda given: given / 8), "You count in bits"),
        (bytes_of(weights=lambda n, t: n + 7), r"memory\(1000, 1000\): weights should be 4000"),
        (bytes_of(total=lambda weights, gradients, optimiser: gradients + optimiser),
         "The weights are missing in your total"),
        (bytes_of(total=lambda weights, gradients, optimiser: weights + optimiser),
         "The gradients are missing in your total"),
        (bytes_of(total=lambda weights, gradients, optimiser: weights + gradients),
         "The optimiser is missing in your total"),
        (bytes_of(total=lambda weights, gradients, optimiser: 4 * weights), "four numbers for ev"),
        ({'parts | {"total": sum(parts.values())}': "parts"}, "wanted are 'weights', .*'total'"),
        ({'"optimiser"': '"optimizer"'}, "With an s: optimiser"),
        ({'parts | {"total": sum(parts.values())}': "sum(parts.values())"}, "You return the int"),
        ({"sum(parts.values())": "parts"}, "Under 'total' stands the dict"),
        ({"sum(parts.values())": "float('nan')"}, "Under 'total' stands NaN"),
        ({"n_weights * bytes": "weights * bytes"}, "stopped with NameError"),
        (lambda n_weights, n_trained, bytes_per_number: {}, "yours takes n_weights, n_trained"),
        (lambda n_weights, n_trained, bytes_per_number=4: None, "returns nothing"),
    ],
}


def by_frame(users, scores, liked):
    """Return the mean by pandas, with ranks."""
    frame = pd.DataFrame({"user": users, "score": scores, "liked": liked})
    frame["rank"] = frame.groupby("user")["score"].rank()
    n = frame.groupby("user")["liked"].sum()
    others = frame.groupby("user").size() - n
    ranks = frame[frame["liked"]].groupby("user")["rank"].sum().reindex(n.index, fill_value=0)
    return ((ranks - n * (n + 1) / 2) / (n * others).where(n * others > 0)).mean()


def in_a_list(gradient, batch, parts):
    """Return a list, with the parts in another order and as lists."""
    sums = [len(part) * gradient(part.tolist()) for part in np.array_split(batch[::-1], parts)]
    return list(np.sum(sums, axis=0) / len(batch))


RIGHT = [
    ("lesson04.lora", lambda x, weight, down, up, alpha:
        x @ (weight + alpha / len(down) * up @ down).T),
    ("lesson04.lora", lambda x, weight, down, up, alpha:
        linear(x, weight) + linear(linear(x, down), up) * alpha / down.size(0)),
    ("lesson04.lora", lambda x, weight, down, up, alpha: torch.einsum(
        "...i,oi->...o", x, weight) + alpha / up.shape[1] * torch.einsum(
        "...i,ri,or->...o", x, down, up)),
    ("lesson04.merged", lambda weight, down, up, alpha:
        weight.clone().addmm_(up, down, alpha=alpha / len(down))),
    ("lesson04.merged", lambda weight, down, up, alpha:
        torch.nn.Parameter(weight + up @ (down * (alpha / len(down))))),
    ("lesson04.merged", lambda weight, down, up, alpha:
        weight.double() + alpha / len(down) * (down.T @ up.T).T),
    ("lesson04.accumulate", parts_of(ceil)),
    ("lesson04.accumulate", in_a_list),
    ("lesson04.accumulate", lambda gradient, batch, parts: torch.tensor(
        parts_of(ceil)(gradient, batch, parts))),
    ("lesson04.accumulate", lambda gradient, batch, parts: np.average(
        [gradient(part) for part in np.array_split(batch, parts)], axis=0,
        weights=[len(part) for part in np.array_split(batch, parts)])),
    ("lesson04.rate", by_factor(line)),
    ("lesson04.rate", lambda *given: np.float64(by_factor(line)(*given))),
    ("lesson04.rate", lambda step, steps, warmup, largest: largest * max(0, min(
        step / max(math.ceil(warmup * steps), 1e-9) if warmup else 1,
        (steps - step) / max(steps - math.ceil(warmup * steps), 1e-9)))),
    ("lesson04.auc_within", by_frame),
    ("lesson04.auc_within", lambda *given: np.mean(each_user(*given) or math.nan)),
    ("lesson04.auc_within", lambda *given: torch.tensor(each_user(*given)).mean()),
    ("lesson04.memory", bytes_of()),
    ("lesson04.memory", lambda *given: pd.Series(bytes_of()(*given))),
    ("lesson04.memory", lambda *given: {"note": "AdamW"} | {
        key: np.float64(value) for key, value in reversed(bytes_of()(*given).items())}),
]


def test_the_rate_is_that_of_transformers():
    """Its schedule takes the number of warm-up updates, which its Trainer rounds up."""
    from transformers import get_linear_schedule_with_warmup

    rate = written("lesson04.rate")
    settings = {case[1:] for case in RATES} | {(300, 0.1, 1e-3), (7, 0.5, 1.0), (1, 0.0, 0.1)}
    for steps, warmup, largest in settings:
        optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=largest)
        theirs = get_linear_schedule_with_warmup(optimiser, math.ceil(warmup * steps), steps)
        for step in range(steps + 3):
            assert rate(step, steps, warmup, largest) == pytest.approx(theirs.get_last_lr()[0])
            optimiser.step()
            theirs.step()


def test_the_number_of_warm_up_updates_is_that_of_the_trainer():
    from transformers import TrainingArguments

    for _, steps, warmup, _ in RATES:
        arguments = TrainingArguments(output_dir="unused", warmup_steps=warmup, report_to="none")
        assert arguments.get_warmup_steps(steps) == math.ceil(warmup * steps)


def test_the_checks_load_no_torch():
    """Until one that needs it is run."""
    code = ("import sys, coldrec as cr; cr.checks.lesson04.rate; "
            "sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
