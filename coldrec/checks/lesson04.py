"""Checks of exercise sheet 04. (PyTorch is loaded when a check that needs it runs.)"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from coldrec.checks import CheckFailed, check, expect
from coldrec.checks.answers import ask, brief, call, number, what
from coldrec.checks.errors import name_of

NAN = float("nan")

# Exercise 1 ---------------------------------------------------------------------------------------

SCALES = {
    "right": "", "alpha": "You multiply the update by alpha. The scale is alpha / r, and r is the "
    "number of rows of `down`: then the rank can change, and the learning rate needn't.",
    "none": "You leave out the scale. The update is multiplied by alpha / r.",
    "1/r": "You divide by r, and alpha is missing. The scale is alpha / r.",
    "r/alpha": "Your scale is upside down. It is alpha / r.",
    "in": "You divide alpha by the number of inputs. r is the number of *rows* of `down`, "
    "down.shape[0].",
    "out": "You divide alpha by the number of outputs. r is the number of rows of `down`, "
    "down.shape[0].",
    "root": "You divide alpha by the root of r. That is another method (rank-stabilised LoRA); "
    "here it is alpha / r.",
    "twice": "You apply the scale to both `down` and `up`, so it counts twice. Apply it once.",
    "all": "You scale the frozen layer too. Only the update is multiplied by alpha / r.",
}
SUMS = {
    "both": "", "weight": "The update is missing: yours is what the frozen layer gives alone.",
    "update": "The frozen weight is missing: yours is the update alone. Add the two.",
    "minus": "You subtract the update. It is added.",
}
TURNS = {
    "right": "", "weight": "You multiply by `weight` as it stands. It has a row for each *output*, "
    "so a linear layer is x @ weight.T.",
    "both": "You multiply by `down` and `up` as they stand. They have a row for each of what comes "
    "*out* of them, as weights have: x @ down.T @ up.T.",
    "order": "You use `up` before `down`. First `down`, from the inputs to r numbers, then `up`.",
    "all": "You multiply by all three matrices as they stand. A weight has a row for each "
    "*output*: x @ weight.T, and so with `down` and `up`.",
}
PRODUCTS = {
    "right": "", "order": "You multiply down @ up. The change of the weight is up @ down, "
    "(out × r) times (r × in).",
    "turned": "Your product is transposed. The change of the weight is up @ down, (out × r) times "
    "(r × in), and nothing has to be turned.",
    "weight": "Your weight is transposed. The sum is weight + scale * up @ down.",
}


@check
def lora(answer):
    """Outputs of layers of several shapes, and the gradient."""
    cases = [_layer(4, 4, 4, 6, (3,)), _layer(5, 4, 2, 3, (3,)), _layer(6, 3, 1, 0.5, (2, 3)),
             _layer(3, 7, 3, 16, (1,)), _layer(5, 4, 2, 3, (3,), fresh=True)]
    names = ("x", "weight", "down", "up", "alpha")
    wanted = "the layer's output, a number for each output in the place of the inputs"
    _tensors(answer, names, cases, wanted, _lora, TURNS)
    _lora_gradient(answer, names, cases[1])


@check
def merged(answer):
    """Weights of layers of several shapes."""
    cases = [_layer(4, 4, 4, 6, (3,))[1:], _layer(5, 4, 2, 3, (3,))[1:],
             _layer(3, 6, 1, 0.5, (3,))[1:], _layer(4, 4, 2, 16, (3,))[1:],
             _layer(5, 4, 2, 3, (3,), fresh=True)[1:]]
    _tensors(answer, ("weight", "down", "up", "alpha"), cases,
             "one weight, of the shape of the one that is given", _merged, PRODUCTS)


def _layer(n_in, n_out, r, alpha, shape, fresh=False):
    import torch

    rng = torch.Generator().manual_seed(n_in + 10 * n_out + 100 * r)
    x, weight, down, up = (torch.randn(size, generator=rng) for size in
                           ((*shape, n_in), (n_out, n_in), (r, n_in), (n_out, r)))
    return x, weight, down, up * (not fresh), alpha


def _scale(down, up, alpha, scale):
    r, n_in = down.shape
    return {"right": alpha / r, "alpha": alpha, "none": 1, "1/r": 1 / r, "r/alpha": r / alpha,
            "in": alpha / n_in, "out": alpha / len(up), "root": alpha / math.sqrt(r),
            "twice": (alpha / r) ** 2, "all": alpha / r}[scale]


def _added(base, update, factor, scale, parts):
    if scale == "all":
        base = base * factor
    return {"both": base + factor * update, "weight": base, "update": factor * update,
            "minus": base - factor * update}[parts]


def _lora(x, weight, down, up, alpha, scale="right", parts="both", turn="right"):
    """Return the right output; the options make the likely mistakes, some in square layers only."""
    base = x @ (weight if turn in ("weight", "all") else weight.T)
    update = {"both": lambda: x @ down @ up, "all": lambda: x @ down @ up,
              "order": lambda: x @ up.T @ down.T}.get(turn, lambda: x @ down.T @ up.T)()
    return _added(base, update, _scale(down, up, alpha, scale), scale, parts)


def _merged(weight, down, up, alpha, scale="right", parts="both", turn="right"):
    """Return the right weight; the options make the likely mistakes, some in square layers only."""
    change = {"order": lambda: down @ up, "turned": lambda: (up @ down).T}.get(
        turn, lambda: up @ down)()
    base = weight.T if turn == "weight" else weight
    return _added(base, change, _scale(down, up, alpha, scale), scale, parts)


def _tensors(answer, names, cases, wanted, right, turns):
    """Compare tensors with the right ones; the first case is a square layer, where all fits."""
    square = cases[0]
    found = [_tensor(answer, names, square, wanted, right)]
    for turn in list(turns)[1:]:  # what is turned doesn't fit into other layers: say so first
        for scale, parts in product(SCALES, SUMS):
            version = right(*square, scale, parts, turn)
            expect(not _near(found[0], version) or _near(found[0], right(*square)),
                   " ".join(filter(None, (turns[turn], SCALES[scale], SUMS[parts]))))
    found += [_tensor(answer, names, case, wanted, right) for case in cases[1:]]
    if all(_near(got, right(*case)) for got, case in zip(found, cases, strict=True)):
        return
    for scale, parts in sorted(product(SCALES, SUMS), key=lambda mistakes: sum(
            mistake != none for mistake, none in zip(mistakes, ("right", "both"), strict=True))):
        expect(not all(_near(got, right(*case, scale, parts))
                       for got, case in zip(found, cases, strict=True)),
               " ".join(filter(None, (SCALES[scale], SUMS[parts]))))
    first = [_near(got, right(*case)) for got, case in zip(found, cases, strict=True)].index(False)
    raise CheckFailed(
        f"Of {_given(names, cases[first])}, the first number should be "
        f"{brief(right(*cases[first]).flatten()[0].item())} and yours is "
        f"{brief(found[first].flatten()[0].item())}. The weight of the layer is weight + "
        "(alpha / r) * up @ down, and of an input it makes x @ that.T.")


def _tensor(answer, names, case, wanted, right):
    """Return the reader's tensor, after a look at its kind and shape."""
    import torch

    found, _ = _give(answer, names, case)
    expect(isinstance(found, torch.Tensor), f"You return {what(found)}. Wanted is a tensor: "
           f"{wanted}.")
    shape = tuple(right(*case).shape)
    expect(tuple(found.shape) == shape, f"Of {_given(names, case)} your tensor has the shape "
           f"{tuple(found.shape)}. Wanted is {wanted}: {shape}.")
    return found.detach()


def _give(answer, names, case):
    """Return the answer, and the copies that it was given; it has to leave these alone."""
    import torch

    copies = [value.detach().clone().requires_grad_(value.requires_grad)
              if isinstance(value, torch.Tensor) else value for value in case]
    found = ask(answer, *copies, shown=_given(names, case))
    for name, before, after in zip(names, case, copies, strict=True):
        expect(not isinstance(before, torch.Tensor)
               or before.shape == after.shape and torch.equal(before, after),
               f"{name_of(answer)} changes the tensor `{name}` that it is given. "
               + ("The frozen weight has to stay as it is, or each call adds the update again. "
                  if name == "weight" else "Whoever calls it still needs that. ")
               + "`a + b` makes a new tensor; `a += b` and `a.add_(b)` don't.")
    return found, copies


def _given(names, case) -> str:
    return ", ".join(f"{name} {tuple(value.shape)}" if hasattr(value, "shape")
                     else f"{name} {value}" for name, value in zip(names, case, strict=True))


def _near(found, right) -> bool:
    import torch

    return found.shape == right.shape and torch.allclose(found.double(), right.double(),
                                                         rtol=1e-4, atol=1e-5)


def _lora_gradient(answer, names, case):
    """An update is there to be trained."""
    import torch

    asked = [case[0].clone().requires_grad_(), case[1],
             *(value.clone().requires_grad_() for value in case[2:4]), case[4]]
    found, given = _give(answer, names, asked)
    expect(found.requires_grad, "The numbers are right, but nothing can be learnt from them: no "
           "gradient leads back to `down` and `up`. Leave out torch.no_grad(), .detach() and "
           ".data.")
    (found ** 2).sum().backward()
    (_lora(*asked) ** 2).sum().backward()
    for name, got, want in zip(names, given, asked, strict=True):
        if name in ("x", "down", "up"):
            why = " (The layers below need it.)" if name == "x" else ""
            expect(got.grad is not None, f"The output is right, but no gradient leads back to "
                   f"`{name}`: does it go through .detach(), .data or a number?{why}")
            expect(torch.allclose(got.grad, want.grad, rtol=1e-3, atol=1e-4), "The output is "
                   f"right, but its gradient by `{name}` isn't: does a part of it go through "
                   f".detach(), .data or a number?{why}")


# Exercise 2 ---------------------------------------------------------------------------------------

@check
def accumulate(answer):
    """Gradients of batches that parts don't divide evenly, with a limit to the rows of a call."""
    rng = np.random.default_rng(4)
    cases = [(rng.normal(size=(n, 3)).round(2), parts)
             for n, parts in ((10, 4), (7, 3), (11, 2), (6, 3), (5, 5), (8, 1))]
    found, calls = [], []
    for batch, parts in cases:
        gradient, asked = _counted(len(batch), parts)
        found.append(_vector(answer, gradient, batch, parts))
        _rows_once(asked, batch, parts)
        calls.append(asked)
    want = [_slopes(batch).mean(0) for batch, _ in cases]
    good = [np.allclose(*pair, 1e-7, 1e-9) for pair in zip(found, want, strict=True)]
    if all(good):
        return
    for hint, mistake in ACCUMULATED:
        versions = [mistake(np.array([len(rows) for rows in asked]),
                            np.array([_slopes(rows).mean(0) for rows in asked]))
                    for asked in calls]
        expect(not all(np.allclose(*pair, 1e-7, 1e-9)
                       for pair in zip(found, versions, strict=True)), hint)
    first = good.index(False)
    sizes = [len(rows) for rows in calls[first]]
    raise CheckFailed(
        f"For parts of {sizes} rows the gradient should be {brief(want[first].tolist())}; yours is "
        f"{brief(found[first].tolist())}. Each part's gradient counts by its number of rows: add "
        "up gradient * rows, and divide by all rows.")


ACCUMULATED = [
    ("You take the mean of the parts' means. Parts differ in size, so a row in a small part counts "
     "for more: multiply each part's gradient by its number of rows, and divide the sum by the "
     "number of rows of the whole batch.", lambda n, g: g.mean(0)),
    ("You add up the parts' gradients. Each is already a mean: multiply it by its number of rows, "
     "and divide the sum by the number of rows of the whole batch.", lambda n, g: g.sum(0)),
    ("You add up gradient * rows, which is right, and don't divide by the number of all rows.",
     lambda n, g: n @ g),
    ("You add up gradient * rows, which is right, and divide by the number of parts. Divide by the "
     "number of rows of the whole batch.", lambda n, g: n @ g / len(n)),
    ("You divide by the number of rows, but each part's gradient is already a mean: multiply it by "
     "its number of rows first.", lambda n, g: g.sum(0) / n.sum()),
    ("You give each part the weight 1 / rows, so that small parts count for more. It is rows / all "
     "rows.", lambda n, g: (g / n[:, None]).sum(0)),
    ("You return the gradient of the last part alone. Add up those of all parts: `total = total + "
     "...`.", lambda n, g: g[-1]),
    ("You return the gradient of the first part alone. Add up those of all parts.",
     lambda n, g: g[0]),
    ("You return the step down, minus the gradient. Wanted is the gradient.",
     lambda n, g: -n @ g / n.sum()),
]


def _slopes(rows):
    """Return each row's gradient."""
    return np.sin(rows) + rows * rows.sum(1, keepdims=True) + 1


def _counted(n, parts):
    """Return a gradient that refuses more rows than fit, and the list of what it was asked."""
    most, asked = math.ceil(n / parts), []

    def gradient(rows):
        try:
            table = np.array(rows, float)
        except (TypeError, ValueError, OverflowError):
            raise CheckFailed(f"You call gradient with {what(rows)}. It takes rows of the "
                              "batch, such as batch[0:3].") from None
        expect(table.ndim == 2 and table.shape[1] == 3, f"You call gradient with {what(rows)}. "
               "It takes rows of the batch, also where it is one: batch[0:1], not batch[0].")
        expect(len(table), "You call gradient without rows, and the mean of nothing is NaN.")
        expect(len(table) <= most, "You call gradient with "
               + ("the whole batch" if len(table) == n else f"{len(table)} rows")
               + f". With {n} rows in {parts} parts, {most} at most fit into memory in a call "
               f"({n} / {parts}, rounded up): that is why the batch is cut.")
        asked.append(table)
        expect(len(asked) <= n, f"You call gradient more than {n} times for {n} rows.")
        return _slopes(table).mean(0)

    return gradient, asked


def _vector(answer, gradient, batch, parts):
    found = call(answer, gradient, batch, parts)
    if hasattr(found, "detach"):
        found = found.detach().cpu().numpy()
    wanted = "Wanted is one vector, as gradient returns it: a number for each weight."
    try:
        vector = np.array(found, float)
    except (TypeError, ValueError, OverflowError):
        raise CheckFailed(f"You return {what(found)}. {wanted}") from None
    expect(vector.shape == (3,), f"You return {what(found)}. {wanted} (Here there are 3.)")
    return vector


def _rows_once(asked, batch, parts):
    """Say so where a row was left out, counted twice, or isn't of the batch."""
    expect(asked, "You never call gradient. It is the only way to the gradient of some rows.")
    seen = np.concatenate(asked)
    sizes = [len(rows) for rows in asked]
    known = np.array([(batch == row).all(1).any() for row in seen])
    expect(known.all(), f"You call gradient with a row that isn't in the batch: "
           f"{brief(seen[np.argmin(known)].tolist())}. Cut the batch, and leave its numbers alone.")
    counts = np.array([(seen == row).all(1).sum() for row in batch])
    expect(len(asked) > 1 or parts == 1, f"You call gradient once, with {sizes[0]} of {len(batch)} "
           f"rows, and there are {parts} parts. Is `return` inside the loop?")
    expect(counts.min() > 0, f"{len(batch)} rows in {parts} parts: you call gradient with {sizes} "
           f"rows, and {(counts == 0).sum()} of the batch are left out. Where the parts don't come "
           "out even, the rest belongs to them too: np.array_split(batch, parts).")
    expect(counts.max() == 1, f"{len(batch)} rows in {parts} parts: you call gradient with {sizes} "
           "rows, and some rows are in two parts. Each belongs to one.")
    expect(len(asked) <= parts, f"{len(batch)} rows in {parts} parts: you call gradient "
           f"{len(asked)} times, with {sizes} rows. Make {parts} calls at most, or it takes longer "
           "than it has to: np.array_split(batch, parts).")


# Exercise 3 ---------------------------------------------------------------------------------------

RATES = [  # step, steps, warmup, largest
    *((step, 20, 0.25, 2.0) for step in (0, 1, 3, 4, 5, 6, 12, 19, 20)),
    *((step, 25, 0.1, 1e-3) for step in (0, 1, 2, 3, 4, 24, 25)),
    *((step, 41, 0.2, 1e-4) for step in (8, 9, 10)),
    *((step, 10, 0.0, 2.0) for step in (0, 1, 9, 10)),
    *((step, 10, 0.5, 0.3) for step in (0, 4, 5, 9)),
    (25, 20, 0.25, 2.0), (11, 10, 0.0, 2.0),
    (9, 10, 0.95, 1.0), (10, 10, 0.95, 1.0),  # all updates are warm-up, by the rounding
]


@check
def rate(answer):
    """Rates on the way up and down, at the corners, and after the end."""
    found = [_number_of(answer, case, "a learning rate") for case in RATES]
    want = [_rate(*case) for case in RATES]
    options = list(product(UPS, COUNTS, FALLS, PASTS, SIZES))
    options.sort(key=lambda which: sum(option != "right" for option in which))
    mistakes = [(" ".join(filter(None, (texts[option] for texts, option in
                                        zip((UPS, COUNTS, FALLS, PASTS, SIZES), which,
                                            strict=True)))),
                 [_rate(*case, *which) for case in RATES]) for which in options[1:]]
    _tell(found, want, mistakes, lambda n: "rate({}, {}, {}, {})".format(*RATES[n])
          + f" should be {want[n]:.6g}; yours is {found[n]:.6g}. {_stage(*RATES[n])}")


UPS = {
    "right": "", "one": "In yours the first update has already a part of the rate, (step + 1) / "
    "updates of warm-up. `step` counts the updates that are made, so at step 0 the rate is 0.",
    "flat": "There is no warm-up in yours: the rate has its largest value from the start. It rises "
    "from 0.",
    "whole": "You divide by `steps` on the way up, and so it never gets to the top. Divide by the "
    "number of warm-up updates.",
}
COUNTS = {
    "right": "", "round": "You round the number of warm-up updates to the nearest. It is rounded "
    "*up*: math.ceil(warmup * steps).",
    "floor": "You round the number of warm-up updates down. It is rounded *up*: "
    "math.ceil(warmup * steps).",
    "exact": "You don't round the number of warm-up updates. It is a whole number, rounded up: "
    "math.ceil(warmup * steps).",
    "number": "You take `warmup` for a number of updates. It is a share of them: math.ceil(warmup "
    "* steps).",
}
FALLS = {
    "right": "", "flat": "In yours the rate stays at its largest value after the warm-up. It falls "
    "to 0.",
    "whole": "On the way down you take 1 - step / steps, which isn't 1 where the warm-up ends: the "
    "rate jumps. What is left, steps - step, is divided by steps - updates of warm-up.",
    "long": "You let the fall take `steps` updates, and it starts later than that: at the end the "
    "rate isn't 0. It takes steps - updates of warm-up.",
    "early": "In yours the rate is 0 one step too soon. It is 0 at `steps`.",
    "cosine": "Your rate falls along a cosine. Here it falls along a straight line.",
}
PASTS = {
    "right": "", "goes on": "",  # the line itself, which is right where it falls to 0 at `steps`
    "negative": "After `steps` your rate is below 0, and would train the model "
    "backwards. It stays at 0.",
    "wrong": "After `steps` the rate isn't 0 in yours.",
}
SIZES = {
    "right": "", "share": "You return the share of the largest rate. Multiply by `largest`.",
}


def _rate(step, steps, warmup, largest, up="right", count="right", fall="right", past="right",
          size="right"):
    """Return the right rate; the options make the likely mistakes."""
    exact = warmup * steps
    n = {"right": math.ceil(exact), "round": round(exact), "floor": math.floor(exact),
         "exact": exact, "number": warmup}[count]
    largest = 1 if size == "share" else largest
    if step < n:
        return largest * {"right": step / n, "one": (step + 1) / n, "flat": 1,
                          "whole": step / steps}[up]
    if step >= steps and past == "right":
        return 0.0
    if step > steps and past == "wrong":
        return largest
    end = steps - 1 if fall == "early" else steps
    if end == n and fall in ("right", "early", "cosine"):
        return 0.0
    line = {"right": (steps - step) / max(steps - n, 1e-9), "flat": 1, "whole": 1 - step / steps,
            "long": 1 - (step - n) / steps, "early": (end - step) / max(end - n, 1e-9),
            "cosine": (1 + math.cos(math.pi * min(1, (step - n) / max(steps - n, 1e-9)))) / 2}[fall]
    return largest * (line if past == "negative" else max(0, line))


def _stage(step, steps, warmup, largest):
    n = math.ceil(warmup * steps)
    if step < n:
        return f"Of {steps} updates, {n} are warm-up, in which it rises from 0 to {largest}."
    if step >= steps:
        return f"At step {steps}, and after it, the rate is 0."
    return f"Of {steps} updates, {n} are warm-up; from there it falls to 0, in {steps - n} updates."


# Exercise 4 ---------------------------------------------------------------------------------------

POOLS = {
    "right": "", "all": "You rank the pairs of all users together. That rewards a model for "
    "knowing who is generous. Take each user's AUC, then the mean over users.",
    "rows": "You weight the users by their number of ratings. Each user counts once: the mean of "
    "their AUCs.",
    "pairs": "You weight the users by their number of pairs of a like and a dislike, for you count "
    "all these pairs together. Each user counts once: divide for each user, then take the mean.",
}
LOOKS = {
    "right": "", "loses": "A tie counts as nothing in yours. It counts one half, so that a model "
    "without an opinion has 0.5.",
    "wins": "A tie counts in full in yours, so that a model that gives everything the same score "
    "is perfect. It counts one half.",
    "order": "In yours, ties are decided by the order of the rows, which means nothing. A tie "
    "counts one half.",
    "turned": "Yours is one minus the AUC: it counts where the *dislike* scores higher.",
}
LONE = {
    "right": "", "half": "You give one half to users with only likes or only dislikes. They have "
    "no pair to judge: leave them out of the mean.",
    "zero": "You give 0 to users with only likes or only dislikes. They have no pair to judge: "
    "leave them out of the mean.",
    "one": "You give 1 to users with only likes or only dislikes. They have no pair to judge: "
    "leave them out of the mean.",
    "nan": "One user with only likes, or only dislikes, makes your whole mean NaN. Leave those "
    "users out before you take it.",
}
NOBODY = {
    "right": "", "half": "Where no user is left, you return 0.5. Nothing was measured: NaN.",
    "zero": "Where no user is left, you return 0, the worst there is. Nothing was measured: NaN.",
    "one": "Where no user is left, you return 1. Nothing was measured: NaN.",
}


@check
def auc_within(answer):
    """Means of users' AUCs, with ties, with users who have no pair, and in any order of rows."""
    cases = list(_judged())
    found = [_number_of(answer, case, "a number, the mean over the users") for case in cases]
    want = [_auc(*case) for case in cases]
    options = sorted(product(POOLS, LOOKS, LONE, NOBODY),
                     key=lambda which: sum(option != "right" for option in which))
    mistakes = [(" ".join(filter(None, (texts[option] for texts, option in
                                        zip((POOLS, LOOKS, LONE, NOBODY), which, strict=True)))),
                 [_auc(*case, *which) for case in cases]) for which in options[1:]]
    mistakes.append((
        "Yours takes the rows of a user to stand together. They don't: pick them with users == "
        "user, or with groupby.", [_auc(_runs(users), *rest) for users, *rest in cases]))

    def wrong(n):
        given = ", ".join(brief(part.tolist()) for part in cases[n])
        asked = (f"auc_within({given})" if len(cases[n][0]) < 10 else
                 f"Of {len(cases[n][0])} ratings by {len(set(cases[n][0]))} users, auc_within")
        return (f"{asked} should be {brief(want[n])}; yours is {brief(found[n])}. It is the mean "
                "over users of the share of pairs, a like and a dislike of that user, in which the "
                "like scores higher.")

    _tell(found, want, mistakes, wrong)


def _judged():
    yield np.array([1, 1, 1]), np.array([3.5, 2.0, 4.0]), np.array([True, False, False])
    yield (np.array([7, 3, 7, 3, 7, 3, 3, 3]), np.array([1.5, 4.5, 1.0, 4.0, 1.2, 4.8, 4.2, 4.6]),
           np.array([True, True, False, False, False, True, False, False]))
    yield (np.array([1, 2, 1, 2, 1, 2, 2]), np.array([3.0, 3.0, 3.0, 2.0, 1.0, 3.0, 2.0]),
           np.array([True, False, False, True, False, True, False]))
    yield (np.array([5, 8, 5, 9, 8, 5, 9, 2]), np.array([2.0, 4.0, 3.0, 1.0, 5.0, 1.0, 2.0, 9.0]),
           np.array([True, True, False, False, True, False, False, True]))
    yield (np.array(["eva", "bo", "eva", "bo", "eva", "bo"]),
           np.array([-1.0, -3.0, -2.0, -0.5, -4.0, -0.7]),
           np.array([False, True, True, False, True, True]))
    yield np.array([4, 4, 6, 6, 6]), np.full(5, 0.25), np.array([True, False, False, False, True])
    yield np.array([1, 2, 1]), np.array([0.1, 0.2, 0.3]), np.array([True, False, True])
    yield (np.array([3, 2, 1, 1, 2, 3]), np.array([0.5, 0.5, 0.1, 0.2, 0.3, 0.1]),
           np.array([True, True, True, False, False, False]))
    rng = np.random.default_rng(6)
    users = rng.integers(0, 9, 70)
    yield users, (rng.integers(0, 12, 70) + 3 * users) / 4, rng.random(70) < 0.2 + users / 14


def _auc(users, scores, liked, pool="right", look="right", lone="right", nobody="right"):
    """Return the right mean; the options make the likely mistakes."""
    groups = [users == user for user in np.unique(users)]
    if pool == "all":
        groups = [np.ones(len(users), bool)]
    each, weights, rows = [], [], []
    for own in groups:
        likes, dislikes = scores[own & liked], scores[own & ~liked]
        pairs = len(likes) * len(dislikes)
        if not pairs:
            if lone != "right":
                each.append({"half": 0.5, "zero": 0.0, "one": 1.0, "nan": NAN}[lone])
                weights.append(0)
                rows.append(own.sum())
            continue
        if look == "order":
            order = np.argsort(np.argsort(scores[own], kind="stable")) + 1.0
        else:
            order = rankdata(scores[own])
        area = (order[liked[own]].sum() - len(likes) * (len(likes) + 1) / 2) / pairs
        tied = (likes[:, None] == dislikes).mean()
        each.append({"loses": area - tied / 2, "wins": area + tied / 2,
                     "turned": 1 - area}.get(look, area))
        weights.append(pairs)
        rows.append(own.sum())
    if not each or not any(weights) and pool == "pairs":
        return {"right": NAN, "half": 0.5, "zero": 0.0, "one": 1.0}[nobody]
    return np.average(each, weights={"rows": rows, "pairs": weights}.get(pool))


def _runs(users):
    """Return a new number for each run of the same user."""
    return np.cumsum(np.append(True, users[1:] != users[:-1]))


# Exercise 5 ---------------------------------------------------------------------------------------

KEYS = ("weights", "gradients", "optimiser", "total")
MODELS = [(1000, 1000), (1000, 10), (1000, 0), (1000, 10, 2), (7_000_000_000, 40_000_000),
          (800, 200, 0.5), (100, 100, 8)]


@check
def memory(answer):
    """Bytes of models that are trained in full, in part, and not at all."""
    found = [_parts(answer, case) for case in MODELS]
    for key in KEYS:
        got = np.array([parts[key] for parts in found])
        want = np.array([_bytes(*case)[key] for case in MODELS], float)
        if np.allclose(got, want, 1e-6, 1e-3):
            continue
        for hint, mistake in BYTES[key]:
            values = np.array([mistake(*_three(*case)) for case in MODELS], float)
            expect(not np.allclose(got, values, 1e-6, 1e-3), hint)
        for unit, size in (("KB", 1e3), ("KiB", 2 ** 10), ("MB", 1e6), ("MiB", 2 ** 20),
                           ("GB", 1e9), ("GiB", 2 ** 30)):
            expect(not np.allclose(got * size, want, 1e-6, 1e-3),
                   f"You return {unit}. Bytes are wanted, and whoever shows them divides.")
        expect(not np.allclose(got * 8, want, 1e-6) and not np.allclose(got, want * 8, 1e-6),
               "You count in bits, or take `bytes_per_number` for bits. Bytes are wanted, and "
               "given.")
        n = int(np.argmin(np.isclose(got, want, 1e-6, 1e-3)))
        raise CheckFailed(f"memory({', '.join(map(str, MODELS[n]))}): {key} should be {want[n]:g} "
                          f"bytes; yours is {got[n]:g}. {RULES[key]}")


RULES = {
    "weights": "All weights lie in memory, frozen or not.",
    "gradients": "A gradient is a number for each weight that is trained.",
    "optimiser": "AdamW keeps two numbers for each weight that is trained.",
    "total": "The total is the sum of the other three.",
}
BYTES = {
    "weights": [
        ("Your weights are those that are frozen. The trained ones lie in memory too, and are "
         "among `n_weights`.", lambda n, t, b: (n - t) * b),
        ("You add the trained weights to `n_weights`. They are among them.",
         lambda n, t, b: (n + t) * b),
        ("Your weights are those that are trained. The frozen ones are needed as well: they lie in "
         "memory too.", lambda n, t, b: t * b),
        ("You return the number of weights. Multiply by `bytes_per_number`.", lambda n, t, b: n),
        ("You count 4 bytes a weight, whatever `bytes_per_number` says.", lambda n, t, b: 4 * n),
    ],
    "gradients": [
        ("You count a gradient for every weight. What is frozen needs none: `n_trained` have one.",
         lambda n, t, b: n * b),
        ("You count gradients for the weights that are *not* trained.",
         lambda n, t, b: (n - t) * b),
        ("You count two numbers a weight as gradients. There is one; two is what AdamW keeps.",
         lambda n, t, b: 2 * t * b),
        ("You return the number of gradients. Multiply by `bytes_per_number`.", lambda n, t, b: t),
        ("You count 4 bytes a gradient, whatever `bytes_per_number` says.", lambda n, t, b: 4 * t),
        ("Your gradients take no memory. Each trained weight has one.", lambda n, t, b: 0),
    ],
    "optimiser": [
        ("Your optimiser keeps its two moments of every weight. Of a frozen one there is nothing "
         "to keep: 2 numbers for each of `n_trained`.", lambda n, t, b: 2 * n * b),
        ("You count one moment. AdamW keeps two numbers a trained weight: the running mean of its "
         "gradient, and that of the gradient's square.", lambda n, t, b: t * b),
        ("You count one moment, and of every weight. AdamW keeps two, of those that are trained.",
         lambda n, t, b: n * b),
        ("Your optimiser keeps its two moments of the weights that are *not* trained.",
         lambda n, t, b: 2 * (n - t) * b),
        ("You count three numbers a trained weight. AdamW keeps two; the gradient has a line of "
         "its own.", lambda n, t, b: 3 * t * b),
        ("You return the number of moments. Multiply by `bytes_per_number`.",
         lambda n, t, b: 2 * t),
        ("You count 4 bytes a moment, whatever `bytes_per_number` says.", lambda n, t, b: 8 * t),
        ("Your optimiser keeps nothing. AdamW keeps two numbers a trained weight.",
         lambda n, t, b: 0),
    ],
    "total": [
        ("The weights are missing in your total.", lambda n, t, b: 3 * t * b),
        ("The gradients are missing in your total.", lambda n, t, b: (n + 2 * t) * b),
        ("The optimiser is missing in your total.", lambda n, t, b: (n + t) * b),
        ("Your total counts four numbers for every weight, as if all were trained. It is the sum "
         "of the other three.", lambda n, t, b: 4 * n * b),
    ],
}


def _three(n, trained, bytes_per_number=4):
    return n, trained, bytes_per_number


def _bytes(n, trained, bytes_per_number=4):
    parts = [n * bytes_per_number, trained * bytes_per_number, 2 * trained * bytes_per_number]
    return dict(zip(KEYS, [*parts, sum(parts)], strict=True))


def _parts(answer, case) -> dict:
    found = call(answer, *case)
    if isinstance(found, pd.Series):
        found = found.to_dict()
    expect(isinstance(found, Mapping), f"You return {what(found)}. Wanted is a dictionary: "
           "{'weights': ..., 'gradients': ..., 'optimiser': ..., 'total': ...}.")
    for key in KEYS:
        expect(key in found, f"Your dictionary has {brief(list(found))}; wanted are "
               f"{', '.join(map(repr, KEYS))}."
               + (" (With an s: optimiser.)" if "optimizer" in found else ""))
        size = number(found[key])
        expect(size is not None, f"Under {key!r} stands {what(found[key])}; wanted is a number "
               "of bytes.")
        expect(size == size, f"Under {key!r} stands NaN; wanted is a number of bytes.")
    return {key: number(found[key]) for key in KEYS}


# What all use -------------------------------------------------------------------------------------

def _tell(found, want, mistakes, wrong) -> None:
    """Raise the hint of the mistake whose values the answers are, or show the first wrong one.

    ``mistakes`` are pairs of a hint and a list of values, the likeliest first.
    """
    def near(values):
        return np.isclose(found, values, rtol=1e-6, atol=1e-12, equal_nan=True)

    good = near(want)
    if good.all():
        return
    for hint, values in mistakes:
        expect(not near(values).all(), hint)
    raise CheckFailed(wrong(int(np.argmin(good))))


def _number_of(answer, case, wanted) -> float:
    found = call(answer, *case)
    one = number(found)
    expect(one is not None, f"You return {what(found)}. Wanted is {wanted}.")
    return one

