"""Sheet 03: likely mistakes and the hint that fits, other right answers (see test_checks.py), and
what only its checks have to keep.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import torch
from scipy.stats import binomtest, rankdata, wilcoxon
from torch.nn.functional import cross_entropy

# Mistakes that are no single edit of the solution -------------------------------------------------


def by_comparisons(scores, true, others):
    """Rank with ties and filter, and never think of NaN."""
    wrong = [row for row in range(len(scores)) if row != true and row not in others]
    return 1 + sum((scores[row] > scores[true]) + (scores[row] == scores[true]) / 2
                   for row in wrong)


def best_and_worst(scores, true, others):
    kept = np.array([row == true or row not in others for row in range(len(scores))])
    return (1 + (scores[kept] > scores[true]).sum() + (scores[kept] >= scores[true]).sum()) / 2


def by_sorting(scores, true, others):
    scores = np.where(np.isnan(scores), -np.inf, scores)
    order = [row for row in np.argsort(-scores, kind="stable") if row == true or row not in others]
    return 1.0 + order.index(true)


def optimistic_and_unfiltered(scores, true, others):
    return 1 + (scores > scores[true]).sum()


def deletes_rows(scores, true, others):
    kept = np.delete(np.nan_to_num(scores, nan=-np.inf), others)
    return by_comparisons(kept, true, [])


def takes_it_out(scores, true, others):
    if true in others:
        others.remove(true)
    return right_rank(scores, true, others)


def right_rank(scores, true, others):
    return by_comparisons([-np.inf if score != score else score for score in scores], true, others)


def loss(prepare=lambda logits, answers, out: logits.masked_fill(out, -torch.inf),
         keep=lambda answers, out: out.scatter(1, answers[:, None], False), end=cross_entropy):
    """Return a loss that prepares logits, keeps the right answer, or ends in another way."""
    def next_entity_loss(logits, answers, left_out):
        return end(prepare(logits, answers, keep(answers, left_out)), answers)
    return next_entity_loss


def by_hand(logits, answers):
    """The formula as it stands in the book: it overflows."""
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    return -p.gather(1, answers[:, None]).log().mean()


def zero_after_softmax(logits, answers, left_out):
    out = left_out.scatter(1, answers[:, None], False)
    p = logits.softmax(1).masked_fill(out, 0)
    return -p.gather(1, answers[:, None]).log().mean()


def times_infinity(logits, answers, left_out):
    out = left_out.scatter(1, answers[:, None], False)
    return cross_entropy(logits + out * -torch.inf, answers)


def in_place(logits, answers, left_out):
    left_out[torch.arange(len(answers)), answers] = False
    return cross_entropy(logits.masked_fill(left_out, -torch.inf), answers)


def drops_questions(logits, answers, left_out):
    kept = ~left_out[torch.arange(len(answers)), answers]
    return cross_entropy(logits[kept].masked_fill(left_out[kept], -torch.inf), answers[kept])


def one_hot_mean(logits, answers):
    hot = torch.nn.functional.one_hot(answers, logits.shape[1])
    return -torch.where(hot > 0, logits.log_softmax(1), 0.0).mean()


def gradient_by_halves(logits, answers, left_out):
    found = loss()(logits, answers, left_out)
    return found / 2 + found.detach() / 2


def infinite_slope(logits, answers, left_out):
    """Right, but for a branch whose gradient is NaN (torch.where and sqrt at zero)."""
    found = loss()(logits, answers, left_out)
    return found + (torch.where(logits > 1e9, 1.0, 0.0) + 0 * logits).clamp(min=0).sqrt().sum()


def numpy_loss(logits, answers, left_out):
    return loss()(logits, answers, left_out).item()


def of_tokens(tokens):
    """Return a perplexity that ``tokens`` makes of all log-probabilities."""
    return lambda log_probs: tokens(np.concatenate(log_probs))


def adds_up_in_place(log_probs):
    first = log_probs[0]
    for text in log_probs[1:]:
        first[:1] += text.sum()
    return float(np.exp(-first.sum() / sum(map(len, log_probs))))


def eats_the_list(log_probs):
    total = tokens = 0
    while log_probs:
        text = log_probs.pop()
        total, tokens = total + text.sum(), tokens + len(text)
    return np.exp(-total / tokens)


def probe(share=None, p=None):
    """Return a probe with another share, or another p."""
    def knows(true, false):
        wins, losses = int((true > false).sum()), int((true < false).sum())
        found = {"share": (wins + len(true) - losses) / 2 / len(true), "p": 1}
        if wins + losses:
            found["p"] = binomtest(wins, wins + losses, alternative="greater").pvalue
        if share:
            found["share"] = share(true, false)
        if p:
            found["p"] = p(true, false, wins, losses)
        return found
    return knows


def all_pairs(true, false):
    ranks = rankdata([*true, *false])[:len(true)]
    return (ranks.sum() - len(true) * (len(true) + 1) / 2) / len(true) ** 2


def signed_ranks(true, false, wins, losses):
    return wilcoxon(true, false, alternative="greater").pvalue if (true != false).any() else 1.0


def flips(true, false, wins, losses, n=2000, one=1, rng=np.random.default_rng(0)):  # noqa: B008
    """Exchange the partners of random pairs."""
    gap = np.sign(true - false)
    null = (gap * rng.choice([-1, 1], (n, len(gap)))).sum(1)
    return (one + (null >= gap.sum()).sum()) / (one + n)


def test_of(name, sided="greater", ties=0.0):
    """Return the p of a binomial test of the pairs, with a share of the ties among the wins."""
    def p(true, false, wins, losses):
        n = len(true) if ties is not None else wins + losses
        extra = int((ties or 0) * (len(true) - wins - losses))
        return binomtest(wins + extra, n, alternative=sided).pvalue if n else 1.0
    p.__name__ = name
    return p


test_of.__test__ = False  # no test

BOTH = 'both += [(head, relation, tail), (tail, f"{relation}⁻¹", head)]'
LOSS = "next_entity_loss"
WRONG = {
    "lesson03.sentences": [
        ({', (tail, f"{relation}⁻¹", head)]': "]"}, "facts as they stand"),
        ({"[(head, relation, tail), ": "["}, "only the facts read from their tail"),
        ({'(tail, f"{relation}⁻¹", head)': '(head, f"{relation}⁻¹", tail)'}, "ends change places"),
        ({'f"{relation}⁻¹"': "relation"}, "leave the relation as it is"),
        ({'f"{relation}⁻¹"': 'f"{relation}-1"'}, r"the relation is 'director-1'. The inverse of"),
        ({'f"{relation}⁻¹"': 'f"inverse_{relation}"'}, "The inverse of 'director' is 'director⁻¹'"),
        ({'f"{relation}⁻¹"': '"director⁻¹"'}, "The sentence .* is missing"),
        ({".drop_duplicates()": ""}, "stands there twice"),
        ({"[[\"head\", \"relation\", \"tail\"]].drop_duplicates()": ".drop_duplicates()"},
         "stopped with ValueError: too many values to unpack"),
        ({".drop_duplicates()": '.drop_duplicates(["head", "tail"])'}, "both director and writer"),
        ({"return both": "return both[:3]"}, "is missing"),
        ({"(head, relation, tail), ": "(relation, head, tail), "}, "which is no entity"),
        ({"return both": "return set(both)"}, "You return a set"),
        ({"return both": "return pd.DataFrame(both)"}, "You return a DataFrame"),
        ({"return both": "return [' '.join(words) for words in both]"}, "is one text"),
        ({"return both": "return [words[:2] for words in both]"}, "tuples of three"),
        ({"return both": "return [(a, b, 1) for a, b, _ in both]"}, "not every word is a text"),
        ({"return both": "return both or [('a', 'b', 'c')]"}, "gives an empty list"),
        ({"both = []": "triples['tail'] = 'x'; both = []"}, "changes the DataFrame"),
        (lambda triples: [], "The sentence .* is missing"),
        (lambda triples: [None], r"Your list has None"),
        (lambda triples: 3, "You return a int"),
        (lambda triples: None, "returns nothing"),
    ],
    "lesson03.filtered_rank": [
        ({"1 + above + tied / 2": "1 + above"}, "tie gets the best rank"),
        ({"1 + above + tied / 2": "1 + above + tied"}, "tie gets the worst rank"),
        ({"1 + above + tied / 2": "above + tied / 2"}, "The best is 1"),
        ({"1 + above + tied / 2": "1 / (1 + above + tied / 2)"}, "one over the rank"),
        ({"wrong[true] = False": ""}, "among those that are as good"),
        ({"wrong[true] = False": "", "tied / 2": "tied"}, "in full, and the right answer itself"),
        ({"wrong[others] = False": ""}, "count other right answers as wrong"),
        ({"tied = (scores[wrong] == ": "wrong[others] = others != []; wrong[true] = False; "
          "tied = (scores[wrong] == "}, "but not those that are tied"),
        ({"> scores[true]": "< scores[true]"}, "low scores first"),
        ({"-np.inf, scores": "np.inf, scores"}, "NaN comes first"),
        ({"-np.inf, scores": "0, scores"}, "You take NaN for 0"),
        (by_comparisons, "in yours it wins"),
        (best_and_worst, "so in yours a right answer with the score NaN wins"),
        (by_sorting, "decided by the order of the rows"),
        (optimistic_and_unfiltered, "best rank in yours.* count other right.* in yours it wins"),
        (deletes_rows, "stopped with IndexError"),
        (takes_it_out, "changes the list"),
        ({"scores = np.where(np.isnan(scores), -np.inf, scores)":
          "scores[np.isnan(scores)] = -np.inf"}, "changes the ndarray"),
        ({"return 1 + above + tied / 2": "return scores"}, "ndarray of the shape"),
        ({"return 1 + above + tied / 2": "return [1 + above + tied / 2]"}, r"You return the list"),
        (lambda scores, true, others: "first", "You return the str 'first'"),
        (lambda scores, true, others: 3.0, "should be 2.0, not 3.0"),
        (lambda scores, true, others: 1.0, "should be"),
        (lambda scores, true: 1.0, "yours takes scores, true"),
        (lambda scores, true, others: None, "returns nothing"),
    ],
    "lesson03.next_entity_loss": [
        ({"left_out = left_out.scatter(1, answers[:, None], False)": ""},
         "where `left_out` marks it. It always counts"),
        ({"logits.masked_fill(left_out, -torch.inf)": "logits"}, "marks still count as wrong"),
        ({"-torch.inf)": "0.0)"}, "e⁰ is 1"),
        (loss(lambda logits, answers, out: logits * ~out), "e⁰ is 1"),
        ({"-torch.inf)": "-1000.0)"}, "far from 0.*finite number in place of -inf"),
        ({"left_out, -torch.inf": "~left_out, -torch.inf"}, "it leaves out the right answer"),
        (loss(keep=lambda answers, out: (~out).scatter(1, answers[:, None], False)),
         "turned around"),
        (zero_after_softmax, "only after the softmax"),
        (times_infinity, "0 times infinity is NaN"),
        (in_place, "changes the Tensor"),
        (loss(lambda logits, answers, out: logits.masked_fill_(out, -torch.inf)),
         "changes the Tensor"),
        (drops_questions, "pass over the questions"),
        (loss(end=lambda x, y: cross_entropy(x.softmax(1), y)), "softmax of a softmax"),
        (loss(end=by_hand), "With logits that are far from 0"),
        (loss(end=lambda x, y: -x.softmax(1).gather(1, y[:, None]).log().mean()),
         "With logits that are far from 0"),
        (loss(end=lambda x, y: -x.log_softmax(0).gather(1, y[:, None]).mean()),
         "softmax runs over the questions"),
        (loss(lambda x, y, out: x, end=lambda x, y: -x.log_softmax(0).gather(1, y[:, None]).mean()),
         "still count as wrong.*runs over the questions"),
        (loss(end=one_hot_mean), "mean over all words of all questions"),
        (loss(lambda x, y, out: x, end=lambda x, y: -x.log_softmax(1).mean()),
         "still count as wrong.*minus the log-probabilities of all words"),
        (loss(end=lambda x, y: cross_entropy(x, y, reduction="sum")), "Take the mean over"),
        (loss(end=lambda x, y: cross_entropy(x, y, reduction="none")), r"Tensor of the shape"),
        (loss(end=lambda x, y: -cross_entropy(x, y)), "minus the loss"),
        (loss(end=lambda x, y: cross_entropy(x, y) / np.log(2)), "base 2"),
        (loss(end=lambda x, y: x.softmax(1).gather(1, y[:, None]).mean()), "mean probability"),
        (loss(end=lambda x, y: cross_entropy(x, y.float())), "stopped with"),
        (numpy_loss, "no gradient leads back"),
        ({"return torch": "logits = logits.detach(); return torch"}, "no gradient leads back"),
        (gradient_by_halves, "its gradient isn't"),
        (infinite_slope, "gradient is NaN or infinite"),
        (lambda logits, answers, left_out: torch.tensor(1.5), "should be 2.* yours is 1.5"),
        (lambda logits, answers, left_out: 0, "yours is 0.0"),
        (lambda logits, answers, left_out: float("nan"), "Your loss is nan"),
        (lambda logits, answers, left_out: "low", "You return the str 'low'"),
        (lambda logits, answers, left_out: logits, r"Tensor of the shape \(4, 6\)"),
        (lambda logits, answers: logits.mean(), "yours takes logits, answers"),
        (lambda logits, answers, left_out: None, "returns nothing"),
    ],
    "lesson03.perplexity": [
        (lambda texts: np.mean([np.exp(-t.mean()) for t in texts if len(t)]),
         "texts' perplexities, so that a text of one word weighs as much as a long one."),
        (lambda texts: np.mean([np.exp(-t.sum() / max(len(t), 1)) if len(t) else np.nan
                                for t in texts]), "perplexities.*an empty text makes it NaN"),
        (lambda texts: np.exp(-np.mean([t.mean() for t in texts if len(t)])),
         "mean of the texts' means, so that a text of one word weighs as much as a long one."),
        (lambda texts: np.exp(-np.mean([t.mean() if len(t) else np.nan for t in texts])),
         "means.*an empty text makes it NaN"),
        ({"total / tokens": "total / len(log_probs)"}, "divide by the number of texts"),
        ({"-total / tokens": "-total"}, "You don't divide"),
        ({"np.exp(-total / tokens)": "-total / tokens"}, "the mean loss a token"),
        ({"-total": "total"}, "The minus is missing"),
        ({"np.exp(-total / tokens)": "2 ** (-total / tokens)"}, "not 2 to it"),
        ({"np.exp(-total / tokens)": "10 ** (-total / tokens)"}, "not 10 to it"),
        (of_tokens(lambda t: np.exp(-t).mean()), "mean of 1/p"),
        (of_tokens(lambda t: 1 / np.exp(t).mean()), "mean of the probabilities"),
        (of_tokens(lambda t: np.prod(np.exp(t)) ** (-1 / len(t))), "You multiply probabilities"),
        (lambda texts: np.exp(-texts[0].mean()), "the first text only"),
        (lambda texts: np.exp(-texts[-1].mean()), "the last text only"),
        (of_tokens(lambda t: np.exp(-np.median(t))), r"The perplexity of .* should be"),
        (lambda texts: [np.exp(-t.sum() / max(len(t), 1)) for t in texts], "You return the list"),
        (lambda texts: np.exp(-np.concatenate(texts)), r"ndarray of the shape \(5,\)"),
        (lambda texts: np.exp(-np.array(texts).mean()), "stopped with ValueError"),
        (adds_up_in_place, "changes the list or what is in it"),
        (eats_the_list, "changes the list or what is in it"),
        (lambda texts: 8.0, "should be 4.3.*; yours is 8.0"),
        (lambda texts: float("nan"), "yours is nan"),
        (lambda texts: "eight", "You return the str 'eight'"),
        (lambda: 8.0, "yours takes no arguments"),
        (lambda texts: None, "returns nothing"),
    ],
    "lesson03.knows_more_than_chance": [
        ({"wins + ties / 2": "wins"}, "A tie counts as nothing"),
        ({"wins + ties / 2": "wins + ties"}, "A tie counts as a win"),
        ({"(wins + ties / 2) / len(log_prob_true)": "wins / max(1, wins + losses)"},
         "You leave ties out of the share"),
        ({"(wins + ties / 2)": "(losses + ties / 2)"}, "the other way round"),
        ({"(wins + ties / 2)": "losses"}, "the other way round, and leaves out"),
        ({" / len(log_prob_true)": ""}, "the number of wins"),
        (probe(lambda t, f: (np.exp(t) > np.exp(f)).mean() + (np.exp(t) == np.exp(f)).mean() / 2),
         "take exp before you compare"),
        (probe(lambda t, f: (np.exp(t) > np.exp(f)).mean()), "take exp .* And a tie"),
        (probe(all_pairs), "its own partner"),
        (probe(lambda t, f: float(t.mean() > f.mean())), "You compare the means"),
        (probe(lambda t, f: 0.5), "With 8 wins, 4 losses and 0 ties, share should be"),
        ({'alternative="greater"': 'alternative="two-sided"'}, "two sides, and counts too .few"),
        ({'alternative="greater"': 'alternative="less"'}, "so .few. wins"),
        ({"binomtest(wins, decided,": "binomtest(wins, len(log_prob_true),"}, "as losses"),
        (probe(p=test_of("half", ties=0.5)), "half of the ties as wins in the sign test"),
        (probe(p=test_of("all", ties=1.0)), "count the ties as wins in the sign test"),
        (probe(p=test_of("two", "two-sided")), "two sides, and ties among the pairs"),
        (probe(p=test_of("two", "two-sided", 0.5)), "two sides, and ties among the wins"),
        (probe(p=lambda t, f, wins, losses: 1 - binomtest(wins, max(1, wins + losses),
                                                          alternative="greater").pvalue
               if wins + losses else 0), "You return 1 - p"),
        (probe(p=lambda t, f, wins, losses: binomtest(wins + 1, wins + losses,
               alternative="greater").pvalue if 0 < losses else 1.0 - (wins > 0)),
         "more. often"),
        (probe(p=signed_ranks), r"p should be"),
        (probe(p=lambda *given: flips(*given, one=0)), "your p is 0"),
        (probe(p=lambda *given: 0.01), "p should be"),
        (probe(p=lambda *given: 1.0), "p should be"),
        (probe(p=lambda *given: 7), "lies between 0 and 1"),
        ({" if decided else 1.0": ""}, "stopped with ValueError: n must be"),
        ({" if decided else 1.0": ' if decided else float("nan")'}, "NaN where all pairs are ties"),
        ({".pvalue if decided else 1.0": " if decided else 1.0"}, "pvalue is one"),
        ({'return {"share": share, "p": p}': "return share, p"}, "You return a tuple"),
        ({'{"share": share, "p": p}': '{"share": share, "pvalue": p}'}, "wanted are 'share' and"),
        ({'"share": share': '"share": log_prob_true > log_prob_false'},
         r"Under 'share' stands a ndarray of the shape \(12,\)"),
        ({"wins = int": "log_prob_true += 1; wins = int"}, "changes the ndarray"),
        (lambda true, false: {}, "wanted are 'share' and"),
        (lambda true, false: {"share": None, "p": None}, "Under 'share' stands the NoneType None"),
        (lambda true: {}, "yours takes true"),
        (lambda true, false: None, "returns nothing"),
    ],
}


def with_columns(triples):
    """Return lists, in another order, by whole columns."""
    back = pd.DataFrame({"head": triples["tail"], "relation": triples["relation"] + "⁻¹",
                         "tail": triples["head"]})
    both = pd.concat([back, triples[["head", "relation", "tail"]]]).drop_duplicates()
    return both.to_numpy().tolist()


def logsumexp_loss(logits, answers, left_out):
    out = left_out.clone()
    out[torch.arange(len(answers)), answers] = False
    own = logits[torch.arange(len(answers)), answers]
    return (torch.where(out, torch.tensor(-torch.inf), logits).logsumexp(1) - own).mean()


def loop_loss(logits, answers, left_out):
    each = []
    for row, answer in enumerate(answers.tolist()):
        kept = ~left_out[row]
        kept[answer] = True
        each.append(torch.logsumexp(logits[row][kept], 0) - logits[row, answer])
    return torch.stack(each).mean()


RIGHT = [
    ("lesson03.sentences", with_columns),
    ("lesson03.sentences", lambda triples: sorted({s for h, r, t in zip(
        triples["head"], triples["relation"], triples["tail"], strict=True)
        for s in ((h, r, t), (t, r + "⁻¹", h))})),
    ("lesson03.filtered_rank", right_rank),
    ("lesson03.filtered_rank", lambda *case: torch.tensor(right_rank(*case))),
    ("lesson03.filtered_rank", lambda *case: np.array(right_rank(*case))),
    ("lesson03.filtered_rank", lambda scores, true, others: rankdata(
        [-np.nan_to_num(score, nan=-1e99) for row, score in enumerate(scores)
         if row == true or row not in others])[
        sum(row not in others for row in range(true))]),
    ("lesson03.next_entity_loss", logsumexp_loss),
    ("lesson03.next_entity_loss", loop_loss),
    ("lesson03.next_entity_loss", loss(lambda x, y, out: x.masked_fill(out, -1e9))),
    ("lesson03.next_entity_loss", loss(lambda x, y, out: x.masked_fill(out, -torch.inf).double())),
    ("lesson03.next_entity_loss", loss(end=lambda x, y: torch.nn.NLLLoss()(x.log_softmax(1), y))),
    ("lesson03.perplexity", of_tokens(lambda tokens: np.exp(-tokens.mean()))),
    ("lesson03.perplexity", of_tokens(lambda tokens: torch.tensor(-tokens).mean().exp())),
    ("lesson03.perplexity", lambda texts: np.e ** -np.average(
        [t.mean() for t in texts if len(t)], weights=[len(t) for t in texts if len(t)])),
    ("lesson03.knows_more_than_chance", probe(p=flips)),
    ("lesson03.knows_more_than_chance", lambda *pair: pd.Series(probe()(*pair))),
    ("lesson03.knows_more_than_chance", lambda true, false: {
        "share": torch.tensor(np.where(true == false, 0.5, true > false)).mean(),
        "p": np.float64(probe()(true, false)["p"]), "n": len(true)}),
]


def test_the_checks_load_no_torch():
    """Until one that needs it is run."""
    code = ("import sys, coldrec as cr; cr.checks.lesson03.perplexity; "
            "sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
