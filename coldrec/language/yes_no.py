"""A causal language model, asked whether a person would like an item: yes or no."""

from __future__ import annotations

import numpy as np

from coldrec import runtime, views
from coldrec.language.adapters import AllocateRanks, adapt
from coldrec.language.load import causal
from coldrec.language.profiles import Profiles
from coldrec.language.training import train as train_model
from coldrec.models import Recommender
from coldrec.validation import check_whole

QUESTION = "Would this person like the item? Answer {first} or {second}."
IGNORED = -100


class YesNo(Recommender):
    """Score an item by the log-odds of "Yes" against "No", as the next word after a question.

    The prompt is an instruction, the user's profile (:class:`coldrec.language.Profiles`), the
    item's text, and ``Answer:``, which is the format of TALLRec (Bao et al. 2023). Zero-shot is the
    model as it is. ``shots`` puts so many of the user's rated items into the prompt, each with its
    answer (few-shot, in context). ``examples`` tunes it: so many questions about training ratings,
    at least ``like`` stars are a yes.

    Parameters
    ----------
    model
        A name that :func:`coldrec.language.causal` knows.
    examples, batch, learning_rate, method, options
        How it is tuned, see :func:`coldrec.language.train` and :func:`coldrec.language.adapt`.
    order
        In which the instruction names the two answers.
    """

    scores_cold_items = scores_cold_users = True

    def __init__(self, *, model: str = "smollm2", shots: int = 0, examples: int = 0, batch: int = 8,
                 learning_rate: float = 1e-3, method: str = "lora",
                 order: tuple[str, str] = ("Yes", "No"), profiles: dict | None = None,
                 seed: int = 0, progress: bool = True, **options):
        check_whole(shots, "shots", least=0, example=4)
        check_whole(examples, "examples", least=0, example=64)
        check_whole(batch, "batch", example=8)
        if sorted(order) != ["No", "Yes"]:
            raise ValueError(f"order is {order!r}; it must be ('Yes', 'No') or ('No', 'Yes').")
        self.model, self.shots, self.examples, self.batch = model, shots, examples, batch
        self.learning_rate, self.method, self.options = learning_rate, method, options
        self.order, self.profiles = order, profiles or {}
        self.seed, self.progress = seed, progress

    def _fit(self, train):
        self.profiles_ = Profiles(train, seed=self.seed, **self.profiles)
        self.items_ = views.describe(train)
        self.tokenizer_, self.model_ = causal(self.model)
        self.words_ = [self._tokens(f" {word}")[0] for word in ("Yes", "No")]
        if self.examples:
            self._tune(train)

    def _tune(self, train):
        rng = np.random.default_rng(self.seed)
        drawn = train.ratings.iloc[rng.permutation(len(train.ratings))[:self.examples]]
        users, items = train.user_rows(drawn["user"]), train.item_rows(drawn["item"])
        yes = (drawn["rating"] >= train.like).to_numpy()
        examples = []
        for user, item, answer in zip(users, items, yes, strict=True):
            tokens = self._tokens(self.prompt(user, item, rng)) + [self.words_[0 if answer else 1]]
            examples.append({"input_ids": tokens,
                             "labels": [IGNORED] * (len(tokens) - 1) + tokens[-1:]})
        updates = max(1, round(len(examples) / self.batch))
        plan = {"steps": updates} if self.method == "adalora" else {}
        self.model_ = adapt(self.model_, self.method, seed=self.seed, **plan, **self.options)
        self.training_ = train_model(
            self.model_, examples, batch=min(self.batch, len(examples)), steps=updates,
            learning_rate=self.learning_rate, collate=self._collate, callbacks=[AllocateRanks()],
            seed=self.seed, progress=self.progress)

    def prompt(self, user_row: int, item_row: int, rng=None) -> str:
        """Return the question about one pair; the item itself is told nowhere before it."""
        return self._about(user_row, item_row, rng) + self._asked(item_row)

    def _about(self, user_row, without=None, rng=None) -> str:
        """Return the part of the prompt that is the same for all items of a user."""
        question = QUESTION.format(first=self.order[0], second=self.order[1])
        text = f"{question}\n{self.profiles_.text(user_row, without, rng)}\n"
        items, stars = self.profiles_.rated[user_row]
        order = np.random.default_rng([self.seed, user_row, 1]).permutation(len(items))
        shown = [place for place in order if items[place] != without][:self.shots]
        like = self.train_.like
        solved = [f"{self._asked(items[place])} {'Yes' if stars[place] >= like else 'No'}\n"
                  for place in shown]
        return text + "".join(solved)

    def _asked(self, item_row) -> str:
        return f"Item: {self.items_[item_row]}\nAnswer:"

    def _tokens(self, text) -> list[int]:
        return self.tokenizer_(text, add_special_tokens=False)["input_ids"]

    def _collate(self, examples):
        import torch

        longest = max(len(example["input_ids"]) for example in examples)
        pad = {"input_ids": self.tokenizer_.pad_token_id, "labels": IGNORED}
        batch = {name: torch.tensor([example[name] + [value] * (longest - len(example[name]))
                                     for example in examples]) for name, value in pad.items()}
        there = [[1] * len(e["input_ids"]) + [0] * (longest - len(e["input_ids"]))
                 for e in examples]
        return batch | {"attention_mask": torch.tensor(there)}

    def _log_odds(self, user_row, item_rows) -> np.ndarray:
        """Return the scores of a user's items: what is said of the user is read once for all."""
        import torch

        model = self.model_.to(runtime.device()).eval()
        said = torch.tensor([self._tokens(self._about(user_row))], device=model.device)
        asked = [self._tokens(self._asked(item)) for item in item_rows]
        longest = max(map(len, asked))
        words = torch.tensor([a + [self.tokenizer_.pad_token_id] * (longest - len(a))
                              for a in asked], device=model.device)
        last = torch.tensor([len(a) - 1 for a in asked], device=model.device)
        with torch.inference_mode():
            known = model(input_ids=said, use_cache=True, logits_to_keep=1).past_key_values
            known.batch_repeat_interleave(len(asked))
            there = torch.ones(len(asked), said.shape[1] + longest, dtype=torch.long,
                               device=model.device)  # padding stands after what is read off
            hidden = model(input_ids=words, attention_mask=there, past_key_values=known,
                           logits_to_keep=torch.unique(last)).logits.float()
        place = torch.searchsorted(torch.unique(last), last)
        logits = hidden[torch.arange(len(asked)), place].cpu()
        return (logits[:, self.words_[0]] - logits[:, self.words_[1]]).numpy()

    def _score(self, user_rows, item_rows):
        return np.stack([self._some(user, item_rows) for user in user_rows])

    def _some(self, user_row, item_rows, batch: int = 64) -> np.ndarray:
        parts = np.array_split(np.asarray(item_rows), -(-len(item_rows) // batch))
        return np.concatenate([self._log_odds(user_row, part) for part in parts])

    def score_pairs(self, users, items) -> np.ndarray:
        """Return the log-odds of each user's item, ``(pairs,)``, for as many ids of either."""
        user_rows, item_rows = self._pairs(users, items)
        scores = np.zeros(len(user_rows))
        for user in np.unique(user_rows):
            mine = np.flatnonzero(user_rows == user)
            scores[mine] = self._some(user, item_rows[mine])
        return scores
