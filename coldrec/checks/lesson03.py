"""Checks of exercise sheet 03. (PyTorch is loaded when a check that needs it runs.)"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import binom, rankdata

from coldrec.checks import CheckFailed, check, expect
from coldrec.checks.answers import brief, call, compare, number, what

# Exercise 1 ---------------------------------------------------------------------------------------

INVERSE = "⁻¹"


@check
def sentences(answer):
    """Sentences of a small frame of facts."""
    frame = pd.DataFrame([
        ("film:fargo", "director", "person:coen", "a"),
        ("film:fargo", "writer", "person:coen", "a"),
        ("film:blood", "director", "person:coen", "b"),
        ("film:fargo", "genre", "genre:crime", "a"),
        ("film:fargo", "director", "person:coen", "b"),  # the first one, from another source
        ("film:blood", "like", "film:fargo", "a"),
        ("film:fargo", "like", "film:blood", "b"),
    ], columns=["head", "relation", "tail", "source"], index=[4, 0, 2, 2, 9, 7, 1])
    found = _sentences(answer, frame)
    facts = set(frame[["head", "relation", "tail"]].itertuples(index=False, name=None))
    turned = {(t, r + INVERSE, h) for h, r, t in facts}
    got = set(found)
    for hint, wrong in [
        ("Your sentences are the facts as they stand. Read each from its other end as well: "
         f"(tail, 'director{INVERSE}', head).", facts),
        ("You have only the facts read from their tail. Those from the head belong there too.",
         turned),
        ("You write the sign behind the relation, and the fact is still read from its head. In the "
         f"inverse, the ends change places: (tail, 'director{INVERSE}', head).",
         facts | {(h, r + INVERSE, t) for h, r, t in facts}),
        ("You change the ends, and leave the relation as it is. Then 'film:fargo' would be the "
         f"director of 'person:coen': write 'director{INVERSE}'.",
         facts | {(t, r, h) for h, r, t in facts}),
        ("You have one sentence for each pair of entities. Coen is both director and writer of "
         "Fargo: two facts, and four sentences.", {s for s in facts | turned if s[1].rstrip(
             INVERSE) != "writer"}),
    ]:
        expect(got != wrong, hint)
    for sentence in found:
        for place in (0, 2):
            ends = {fact[place] for fact in facts | turned}
            expect(sentence[place] in ends, f"In {brief(sentence)} stands {sentence[place]!r}, "
                   "which is no entity of the facts. A sentence is (entity, relation, entity).")
        known = {fact[1] for fact in facts | turned}
        expect(sentence[1] in known, f"In {brief(sentence)} the relation is {sentence[1]!r}. The "
               f"inverse of 'director' is 'director{INVERSE}': the same word, and behind it "
               r"'⁻¹' (copy it from here, or write '\u207b\u00b9').")
    lost, extra = sorted((facts | turned) - got), sorted(got - (facts | turned))
    expect(not lost, f"The sentence {lost[:1]} is missing.")
    expect(not extra, f"The sentence {extra[:1]} follows from no fact of the frame.")
    expect(len(found) == len(got), "A sentence stands there twice. The frame has one fact from two "
           "sources: drop the doubles of head, relation and tail.")
    expect(_sentences(answer, frame[:0]) == [], "A frame without facts gives an empty list.")


def _sentences(answer, frame):
    found = call(answer, frame)
    expect(isinstance(found, (list, tuple)), f"You return a {type(found).__name__}. Wanted is a "
           "list of sentences.")
    for sentence in found:
        expect(not isinstance(sentence, str), f"Your sentence {brief(sentence)} is one text. "
               "Wanted are three words in a tuple: (entity, relation, entity).")
        expect(isinstance(sentence, (tuple, list)) and len(sentence) == 3, "Your list has "
               f"{brief(sentence)}. Wanted are tuples of three: (entity, relation, entity).")
        expect(all(isinstance(word, str) for word in sentence), f"In {brief(tuple(sentence))} not "
               "every word is a text.")
    return [tuple(sentence) for sentence in found]


# Exercise 2 ---------------------------------------------------------------------------------------

NAN = float("nan")
RANKED = [  # scores, the right answer, others that are right
    ([0.1, 0.9, 0.4, 0.2, 0.7], 2, []),
    ([0.5, 0.9, 0.5, 0.5, 0.1], 0, []),
    ([0.3, 0.9, 0.8, 0.1, 0.7, 0.2], 0, [1, 4]),
    ([0.6, 0.6, 0.9, 0.6, 0.2, 0.6], 3, [0, 4]),
    ([0.6, 0.9, 0.8, 0.6, 0.1], 3, [1, 3]),
    ([3.0, 1.0, 2.0, 2.0], 2, []),
    ([1.0, 1.0, 1.0, 1.0, 1.0], 4, []),
    ([-5.0, NAN, -3.0, -9.0], 0, []),
    ([0.4, NAN, 0.3, NAN, NAN, 0.1], 1, []),
    ([NAN, 0.4, NAN, 0.3, NAN], 4, [0, 1]),
]


@check
def filtered_rank(answer):
    """Ranks with ties, with other right answers, and with NaN."""
    _refuse_shapes(answer, "a rank", np.array(RANKED[0][0]), *RANKED[0][1:])
    compare(_plain(answer), [(np.array(scores), true, others) for scores, true, others in RANKED],
            _rank, _rank_mistakes())


TIES = {
    "mean": "", "best": "A tie gets the best rank in yours, and a model that gives everything the "
    "same score is perfect. Take the mean of the best and the worst.",
    "worst": "A tie gets the worst rank in yours. Take the mean of the best and the worst.",
    "order": "In yours, ties are decided by the order of the rows, which means nothing. Count "
    "those above and those as good, rather than sort.",
    "half": "You count the right answer among those that are as good as it. It is tied with the "
    "*others* only; alone, it has rank 1 + those above.",
    "all": "You add each tied answer in full, and the right answer itself. On average it stands in "
    "the middle of them.",
}
FILTER = {
    "others": "", "none": "You count other right answers as wrong. Leave out the rows of `others` "
    "before you count.",
    "ties": "You leave out other right answers above the right one, but not those that are tied "
    "with it. Leave them out of both counts.",
    "true": "`true` may stand among `others`, and you leave it out with them. It stays.",
}
NANS = {
    "last": "", "best": "Every comparison with NaN is false, so nothing is above a right answer "
    "whose score is NaN, and in yours it wins. NaN comes last: make it -np.inf first.",
    "half": "Every comparison with NaN is false, also NaN == NaN, so in yours a right answer with "
    "the score NaN wins. NaN comes last: make it -np.inf first.",
    "zero": "You take NaN for 0, which is better than a negative score. NaN comes last: -np.inf.",
    "alone": "Where the score of the right answer is NaN, other NaNs are tied with it, and share "
    "the last places.",
    "first": "In yours, NaN comes first. It is last: make it -np.inf before you compare.",
}


def _rank_mistakes():
    """Return pairs of a hint and a wrong rank, those with one mistake first."""
    return [
        ("Your ranks begin with 0. The best is 1.", lambda *case: _rank(*case) - 1),
        ("Yours ranks low scores first. The highest score is the best.",
         lambda scores, *rest: _rank(-scores, *rest)),
        ("Yours ranks low scores first, and NaN before them. The highest score is the best.",
         lambda scores, *rest: _rank(-scores, *rest, nan="first")),
        ("You return one over the rank. Wanted is the rank; the mean of its inverses comes after.",
         lambda *case: 1 / _rank(*case)),
        *((" ".join(filter(None, (TIES[tie], FILTER[keep], NANS[nan]))),
           functools.partial(_rank, tie=tie, keep=keep, nan=nan))
          for tie, keep, nan in sorted(product(TIES, FILTER, NANS), key=lambda which: sum(
              option != right for option, right in zip(which, ("mean", "others", "last"),
                                                       strict=True)))
          if (tie, keep, nan) != ("mean", "others", "last")),
    ]


def _rank(scores, true, others, tie="mean", keep="others", nan="last"):
    """Return the right rank; the options make the likely mistakes."""
    scores = np.asarray(scores, float)
    lost = np.isnan(scores)
    if nan in ("last", "zero", "first"):
        scores = np.where(lost, {"last": -np.inf, "zero": 0.0, "first": np.inf}[nan], scores)
    own = scores[true]
    above, equal = scores > own, scores == own
    if nan == "alone" and lost[true]:
        above = ~lost
    left = np.zeros(len(scores), bool)
    if keep != "none":
        left[others] = True
    itself, left[true] = left[true], False
    above &= ~left
    if keep != "ties":
        equal &= ~left
    equal[true] = False
    if tie == "order":
        return 1 + above.sum() + equal[:true].sum()
    if nan == "half" and lost[true]:
        equal = equal.astype(int)
        equal[true] = -1
    share = {"mean": 0.5, "best": 0, "worst": 1, "half": 0.5, "all": 1}[tie]
    with_itself = tie in ("half", "all") and not itself
    return (1 + above.sum() + share * (equal.sum() + with_itself)
            - 0.5 * (keep == "true" and itself))


# Exercise 3 ---------------------------------------------------------------------------------------

@check
def next_entity_loss(answer):
    """The loss of a few questions, and its gradient."""
    import torch

    rng = torch.Generator().manual_seed(3)
    logits = torch.randn(4, 6, generator=rng) * 2
    answers = torch.tensor([2, 0, 5, 2])
    none = torch.zeros(4, 6, dtype=torch.bool)
    some = none.clone()
    some[0, [1, 4]] = some[1, 3] = some[3, [0, 5]] = True
    own = some.clone()
    own[torch.arange(4), answers] = True
    alone = own.clone()
    alone[2] = True
    cases = [("where nothing is left out", logits, answers, none),
             ("where some words are left out", logits, answers, some),
             ("where the right answer is marked too", logits, answers, own),
             ("where all words of a question are marked", logits, answers, alone),
             ("with one question", logits[:1], answers[:1], own[:1]),
             ("with logits that are far from 0", logits * 100 - 2000, answers, own),
             ("with logits that are far from 0", logits * 100 + 2000, answers, own)]
    found = [_loss_of(answer, *case[1:]) for case in cases]
    right = [_loss(*case[1:]) for case in cases]

    def near(values):
        return [bool(np.isclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True))
                for a, b in zip(found, values, strict=False)]  # perhaps the first few only

    good = near(right)
    if not all(good):
        _loss_hints(cases, found, right, near)
        first = good.index(False)
        raise CheckFailed(f"The loss {cases[first][0]} should be {brief(right[first])}; yours is "
                          f"{brief(found[first])}. It is the mean, over the questions, of minus "
                          "the log-probability of the right answer.")
    _gradient(answer, logits, answers, own)


LOSSES = [
    ("You return minus the loss: a good model would have a high one. The mean of *minus* the "
     "log-probability.", {"sign": -1}),
    ("You add up the questions' losses. Take the mean over the questions.", {"over": "sum"}),
    ("You take the mean over all words of all questions. Pick each question's right answer first, "
     "and divide by the number of questions.", {"over": "all"}),
    ("You take the mean of minus the log-probabilities of all words, and of the right answer's "
     "only is wanted: gather, or cross_entropy.", {"over": "every"}),
    ("Your softmax runs over the questions. The words of one question compete: dim=-1.",
     {"dim": 0}),
    ("You take a softmax of a softmax. cross_entropy wants logits, and takes the log_softmax "
     "itself.", {"twice": True}),
    ("You return the mean probability of the right answer. Take its logarithm, and the minus.",
     {"over": "p"}),
    ("You take the logarithm to the base 2. The natural one is wanted.", {"base": 2}),
]
FILLS = [
    ("", {}),
    ("The words that `left_out` marks still count as wrong answers: you don't use it, or only "
     "after the softmax, when they have taken their part of the probability. Give them the logit "
     "-inf before it.", {"fill": None}),
    ("You give the words that are left out the logit 0, and e⁰ is 1: they still take a part of "
     "the probability. Their logit has to be -inf.", {"fill": 0.0}),
    ("Your mask is turned around: it keeps what it should leave out.", {"turn": "first"}),
    ("Your mask is turned around: it leaves out the right answer, and keeps what it should leave "
     "out.", {"turn": "last"}),
    ("You leave the right answer out, where `left_out` marks it. It always counts: take it out of "
     "a copy of the mask first, with left_out.scatter(1, answers[:, None], False).",
     {"own": False}),
    ("You pass over the questions whose right answer is marked in `left_out`. They count: take the "
     "right answer out of a copy of the mask.", {"skip": True}),
]


def _loss_hints(cases, found, right, near):
    """Tell the mistake, or the two, that explain all answers to logits of the usual size."""
    usual = [case for case in cases if "far" not in case[0]]
    n = len(usual)
    with np.errstate(all="ignore"):
        for fill, options in FILLS:
            for hint, more in [("", {}), *LOSSES]:
                values = [_loss(*case[1:], **options, **more) for case in usual]
                expect(not (fill or hint) or not all(near(values)),
                       " ".join(filter(None, (fill, hint))))
    expect(np.isfinite(found[:n]).any(), f"Your loss is {brief(found[0])} even where nothing is "
           "left out. Beware of mask * -inf: 0 times infinity is NaN. logits.masked_fill(mask, "
           "-torch.inf) does it.")
    expect(np.isfinite(found[2]) or not np.isfinite(found[1]), "Where `left_out` marks the right "
           f"answer too, your loss is {brief(found[2])}. The right answer always counts: take it "
           "out of a copy of the mask first, with left_out.scatter(1, answers[:, None], False).")
    expect(not all(near(right)[:n]), f"With logits that are far from 0 your loss is "
           f"{brief(found[n])} and {brief(found[n + 1])}: exp overflows, or gives 0, and log(0) is "
           "-inf. log_softmax and cross_entropy take care of that, and so does logsumexp. (A "
           "finite number in place of -inf may be too near: these logits go beyond -2000.)")


def _loss(logits, answers, left_out, fill=-np.inf, own=True, over="mean", sign=1, dim=1,
          twice=False, base=np.e, turn=None, skip=False):
    """Return the right loss; the options make the likely mistakes."""
    logits, answers = logits.double().numpy(), answers.numpy()
    rows = np.arange(len(answers))
    out = left_out.numpy().copy()
    if skip:
        kept = ~out[rows, answers]
        if not kept.any():
            return NAN
        logits, answers, out = logits[kept], answers[kept], out[kept]
        rows = np.arange(len(answers))
    if turn == "first":
        out = ~out
    if own:
        out[rows, answers] = False
    if turn == "last":
        out = ~out
    if fill is not None:
        logits = np.where(out, fill, logits)
    log_p = logits - np.logaddexp.reduce(logits, axis=dim, keepdims=True)
    if twice:
        log_p = np.exp(log_p) - np.logaddexp.reduce(np.exp(log_p), axis=1, keepdims=True)
    picked = log_p[rows, answers]
    if over == "p":
        return np.exp(picked).mean()
    total = -sign * picked.sum() / np.log(base)
    if over == "every":
        return -sign * log_p.mean()
    return total / {"mean": len(answers), "sum": 1, "all": logits.size}[over]


def _loss_of(answer, *tensors) -> float:
    """Return the reader's loss as a number."""
    found = call(answer, *tensors)
    loss = number(found)
    expect(loss is not None, f"You return {what(found)}. Wanted is one number, in a tensor "
           "without dimensions: the mean over the questions.")
    return loss


def _gradient(answer, logits, answers, left_out):
    """A loss is there to be minimised."""
    import torch

    copies = []

    @functools.wraps(answer)
    def kept(logits, *rest):
        copies.append(logits)
        return answer(logits, *rest)

    found = call(kept, logits.clone().requires_grad_(), answers, left_out)
    expect(isinstance(found, torch.Tensor) and found.requires_grad, "The number is right, but "
           "nothing can be learnt from it: no gradient leads back to the logits. Return the tensor "
           "itself, without .item(), float(), .detach() or NumPy on the way.")
    found.backward()
    slope = copies[0].grad
    want = logits.clone().requires_grad_()
    mask = left_out.scatter(1, answers[:, None], False)
    torch.nn.functional.cross_entropy(want.masked_fill(mask, -torch.inf), answers).backward()
    expect(slope is not None and torch.isfinite(slope).all(), "The loss is right, but its gradient "
           "is NaN or infinite, and an optimiser would spoil the model with it. Put -inf in "
           "*before* the log_softmax, and don't multiply by the mask.")
    expect(torch.allclose(slope, want.grad, rtol=1e-3, atol=1e-5), "The loss is right, but its "
           "gradient isn't: does a part of it go through .detach(), .data or a number?")


# Exercise 4 ---------------------------------------------------------------------------------------

@check
def perplexity(answer):
    """Perplexities of texts of equal and unequal lengths."""
    cases = [([np.log(np.full(5, 1 / 8))],),
             ([np.log([0.5, 0.1, 0.25])],),
             ([np.log([0.5, 0.1, 0.3]), np.log([0.2, 0.4, 0.9])],),
             ([np.log([0.01]), np.log([0.5, 0.4, 0.6, 0.5, 0.8])],),
             ([np.log([0.3, 0.2]), np.array([]), np.log([0.9, 0.8, 0.05])],),
             ([np.full(2000, -2.0), np.full(500, -1.0)],)]
    found = [_perplexity_of(answer, *case) for case in cases]
    _tell(found, cases, _perplexity, 1e-6, PERPLEXITIES, lambda case, want, got: "The perplexity "
          f"of {_texts(*case)} should be {brief(want)}; yours is {brief(got)}. It is exp of minus "
          "the mean log-probability of all tokens of all texts.")


PERPLEXITIES = [
    ("You take the mean of the texts' perplexities, so that a text of one word weighs as "
     "much as a long one. Take the mean log-probability of all tokens, then exp once.",
     lambda texts: np.mean([_perplexity([t]) for t in texts if len(t)])),
    ("You take the mean of the texts' perplexities, so that a text of one word weighs as "
     "much as a long one, and an empty text makes it NaN. Take the mean log-probability "
     "of all tokens, then exp once.",
     lambda texts: np.mean([_perplexity([t]) for t in texts])),
    ("You take the mean of the texts' means, so that a text of one word weighs as much as "
     "a long one. Add up all tokens of all texts, and divide by their number.",
     lambda texts: np.exp(-np.mean([t.mean() for t in texts if len(t)]))),
    ("You take the mean of the texts' means, so that a text of one word weighs as much as "
     "a long one, and an empty text makes it NaN. Add up all tokens of all texts, and "
     "divide by their number.",
     lambda texts: np.exp(-np.mean([t.mean() if len(t) else NAN for t in texts]))),
    ("You divide by the number of texts. Divide by the number of tokens: perplexity is per "
     "token.", lambda texts: np.exp(-_all(texts).sum() / len(texts))),
    ("You don't divide by anything. Take the mean over the tokens, not the sum.",
     lambda texts: np.exp(-_all(texts).sum())),
    ("You return the mean loss a token. Perplexity is exp of it.",
     lambda texts: -_all(texts).mean()),
    ("The minus is missing. Log-probabilities are negative, and perplexity is 1 or more: "
     "exp of *minus* the mean.", lambda texts: np.exp(_all(texts).mean())),
    ("These are natural logarithms, so it is exp, or e to the power, and not 2 to it.",
     lambda texts: 2 ** -_all(texts).mean()),
    ("These are natural logarithms, so it is exp, or e to the power, and not 10 to it.",
     lambda texts: 10 ** -_all(texts).mean()),
    ("You take the mean of 1/p of the tokens. The mean is taken of the *logarithms*, and "
     "exp comes after it.", lambda texts: np.exp(-_all(texts)).mean()),
    ("You take the mean of the probabilities. The mean is taken of the *logarithms*, and "
     "exp comes after it.", lambda texts: 1 / np.exp(_all(texts)).mean()),
    ("You look at the first text only.", lambda texts: _perplexity(texts[:1])),
    ("You look at the last text only.", lambda texts: _perplexity(texts[-1:])),
    ("You multiply probabilities. With some hundred tokens the product is 0 to a computer: "
     "add up the logarithms.",
     lambda texts: np.prod(np.exp(_all(texts))) ** (-1 / len(_all(texts)))),
]


def _perplexity_of(answer, texts) -> float:
    """Return the reader's perplexity as a number."""
    found = call(answer, texts)
    perplexity = number(found)
    expect(perplexity is not None,
           f"You return {what(found)}. Wanted is one number, the perplexity of all texts.")
    return perplexity


def _texts(texts) -> str:
    lengths = [len(text) for text in texts]
    return f"texts of {lengths} tokens" if len(lengths) > 1 else f"a text of {lengths[0]} tokens"


def _all(texts):
    return np.concatenate(texts)


def _perplexity(texts):
    return np.exp(-np.divide(_all(texts).sum(), len(_all(texts))))


# Exercise 5 ---------------------------------------------------------------------------------------

@check
def knows_more_than_chance(answer):
    """Shares and p-values of pairs whose wins are counted."""
    cases = list(_pairs())
    found = [_probe(answer, *case) for case in cases]
    _tell([share for share, _ in found], cases, _share, 1e-6, SHARES, _pairs_go(
        "share", "It is (wins + ties / 2) / pairs."))
    ps = [p for _, p in found]
    odd = [p for p in ps if not 0 <= p <= 1 + 1e-9]
    expect(not odd, f"Your p is {brief(odd[:1])}. A probability lies between 0 and 1.")
    _tell(ps, cases, _p, 0.06, PS, _pairs_go("p", "It is the chance that as many of the decided "
          "pairs or more are won, if each is decided by a coin: binomtest(wins, wins + losses, "
          "alternative='greater').pvalue."))
    expect(ps[4] > 0, "For 40 wins in 40 pairs your p is 0. It is small, but never 0: coins can do "
           "that, too. (In a permutation test, count the real order: (1 + as many) / (1 + "
           "permutations).)")


def _pairs():
    rng = np.random.default_rng(5)
    for wins, losses, ties, level in ((8, 4, 0, -6), (9, 3, 12, -6), (0, 0, 9, -5), (3, 9, 2, -6),
                                      (40, 0, 0, -6), (7, 3, 0, -900)):
        gaps = np.concatenate([rng.uniform(0.1, 2, wins), rng.uniform(-2, -0.1, losses),
                               np.zeros(ties)])
        false = level + rng.integers(-8, 9, len(gaps)) / 4
        order = rng.permutation(len(gaps))
        yield (false + gaps)[order], false[order]
    # small wins and a few large losses, at very different levels
    gaps = np.array([0.2] * 12 + [-9.0] * 3)
    false = -np.arange(15) * 3.0 - 10
    yield false + gaps, false


def _counts(true, false):
    return (true > false).sum(), (true < false).sum(), (true == false).sum()


def _share(true, false):
    wins, losses, ties = _counts(true, false)
    return (wins + ties / 2) / (wins + losses + ties)


def _p(true, false):
    wins, losses, _ = _counts(true, false)
    return binom.sf(wins - 1, wins + losses, 0.5)


def _ranked(true, false):
    """Return the share among all pairs of a true and a false one, partners or not."""
    ranks = rankdata(np.concatenate([true, false]))[:len(true)]
    return (ranks.sum() - len(true) * (len(true) + 1) / 2) / len(true) ** 2


def _exp(function):
    return lambda true, false: function(np.exp(true), np.exp(false))


SHARES = [
    ("A tie counts as nothing in your share. It counts half: a model for which both are equally "
     "probable should come to one half.", lambda t, f: (t > f).mean()),
    ("A tie counts as a win in your share, so that a model that knows nothing, and always gives "
     "the same, is perfect. It counts half.", lambda t, f: (t >= f).mean()),
    ("You leave ties out of the share. They stay in, and count half. (Out of the p-value they go.)",
     lambda t, f: (t > f).sum() / max(1, (t != f).sum())),
    ("Your share is the other way round: it counts where the *false* sentence is more probable.",
     lambda t, f: 1 - _share(t, f)),
    ("Your share is the other way round, and leaves out ties: count where the true sentence is "
     "more probable, and a tie half.", lambda t, f: (t < f).mean()),
    ("You return the number of wins. Divide by the number of pairs.",
     lambda t, f: _share(t, f) * len(t)),
    ("You take exp before you compare. Of sentences of some hundred tokens, both probabilities are "
     "0 to a computer. Compare the logarithms.", _exp(_share)),
    ("You take exp before you compare. Of sentences of some hundred tokens, both probabilities are "
     "0 to a computer. Compare the logarithms. And a tie counts half.",
     _exp(lambda t, f: (t > f).mean())),
    ("You compare each true sentence with all false ones. Each has its own partner: compare place "
     "by place.", _ranked),
    ("You compare the means. Count the pairs in which the true one is more probable.",
     lambda t, f: float(t.mean() > f.mean())),
]


def _sign(extra=0.0, of_ties=0.0, sided="greater"):
    """Return a sign test with ties among the wins and the pairs, or on another side."""
    def p(true, false):
        wins, losses, ties = _counts(true, false)
        n, k = wins + losses + int(of_ties * ties), wins + int(extra * ties)
        above, below = binom.sf(k - 1, n, 0.5), binom.cdf(k, n, 0.5)
        if not n and sided in ("more", "other"):
            return NAN  # whoever asks first whether there are pairs gives anything
        return {"greater": above, "less": below, "two": min(1, 2 * min(above, below)),
                "more": binom.sf(k, n, 0.5), "other": 1 - above}[sided]
    return p


def _t_test(true, false):
    from scipy.stats import ttest_1samp

    gaps = true - false
    return ttest_1samp(gaps, 0, alternative="greater").pvalue if gaps.any() else NAN


PS = [
    ("Your p has two sides, and counts too *few* wins as a surprise, too. The question is whether "
     "the model knows *more* than chance: alternative='greater'.", _sign(sided="two")),
    ("Your p asks whether there are so *few* wins. Whether there are so many is the question: "
     "alternative='greater'.", _sign(sided="less")),
    ("You count only coins that win *more* often. As many counts too: in binom.sf, that is "
     "wins - 1.", _sign(sided="more")),
    ("You return 1 - p.", _sign(sided="other")),
    ("You count the ties among the pairs of the sign test, as losses. A tie decides nothing: "
     "binomtest(wins, wins + losses).", _sign(of_ties=1)),
    ("You count half of the ties as wins in the sign test, which makes it look like more evidence "
     "than there is. A tie decides nothing: binomtest(wins, wins + losses).",
     _sign(extra=0.5, of_ties=1)),
    ("You count the ties as wins in the sign test. A tie decides nothing: binomtest(wins, wins + "
     "losses).", _sign(extra=1, of_ties=1)),
    ("Your p has two sides, and ties among the pairs. Use alternative='greater', and wins + losses "
     "pairs.", _sign(of_ties=1, sided="two")),
    ("Your p has two sides, and ties among the wins. Use alternative='greater', and wins + losses "
     "pairs.", _sign(extra=0.5, of_ties=1, sided="two")),
    ("You test the mean of the differences, which a few large ones decide. Test how *often* the "
     "true one wins: the sign test.", _t_test),
]


def _pairs_go(what, rule):
    def wrong(case, want, got):
        wins, losses, ties = _counts(*case)
        return (f"With {wins} wins, {losses} losses and {ties} ties, {what} should be "
                f"{brief(want)}; yours is {brief(got)}. {rule}")

    return wrong


def _probe(answer, true, false):
    found = call(answer, true, false)
    if isinstance(found, pd.Series):
        found = found.to_dict()
    expect(isinstance(found, Mapping), f"You return a {type(found).__name__}. Wanted is a "
           "dictionary: {'share': ..., 'p': ...}.")
    for key in ("share", "p"):
        expect(key in found, f"Your dictionary has {brief(list(found))}; wanted are 'share' and "
               "'p'.")
        expect(number(found[key]) is not None, f"Under {key!r} stands {what(found[key])}; wanted "
               "is a number." + (" binomtest(...).pvalue is one." if key == "p" else ""))
    share, p = number(found["share"]), number(found["p"])
    decided = (true != false).any()
    expect(share == share and p == p, f"Your {'share' if share != share else 'p'} is NaN" + (
        "." if decided else " where all pairs are ties. Then the share is 0.5, and p is 1: nothing "
        "speaks against chance."))
    return share, p


# What all use -------------------------------------------------------------------------------------

def _tell(found, cases, right, tolerance, mistakes, wrong) -> None:
    """Raise the hint of the mistake that explains all answers, or show the first wrong one."""
    found = np.array(found)
    want = np.array([right(*case) for case in cases], float)
    with np.errstate(all="ignore"):
        good = abs(found - want) <= tolerance
        if good.all():
            return
        for hint, mistake in mistakes:
            values = np.array([mistake(*case) for case in cases], float)
            known = ~np.isnan(values)
            expect(not np.allclose(found[known], values[known], atol=1e-6), hint)
    first = int(np.argmin(good))
    raise CheckFailed(wrong(cases[first], want[first], found[first]))


def _plain(answer):
    """Return the reader's function with a number where it returns a tensor of one."""
    @functools.wraps(answer)
    def plain(*given):
        found = answer(*given)
        plain_number = number(found)
        return found if plain_number is None else plain_number

    return plain


def _refuse_shapes(answer, wanted, *given):
    found = call(answer, *given)
    expect(number(found) is not None,
           f"You return {what(found)}. Wanted is {wanted}: one number.")
