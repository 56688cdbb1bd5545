"""A BERT encoder that reads a user's text and an item's text, and says the rating."""

from __future__ import annotations

import numpy as np

from coldrec import runtime, views
from coldrec.language.adapters import AllocateRanks, adapt
from coldrec.language.load import classifier
from coldrec.language.profiles import Profiles
from coldrec.language.training import train as train_model
from coldrec.models import Bias, StarRecommender
from coldrec.validation import check_whole

LONGEST = 96  # tokens of a pair: a profile of six titles and an item's text have some 50
# The largest learning rate of each method, chosen on validation-cold items of MovieLens-100K.
RATES = {"full": 1e-4, "adapter": 1e-3, "lora": 1e-3, "adalora": 1e-2, "prefix": 1e-2,
         "prompt": 1e-2, "ia3": 1e-2}


class TextRater(StarRecommender):
    """Predict stars by a cross-encoder: ``[CLS] user text [SEP] item text`` → a number.

    The number is what is left of a rating after the mean and the user's bias
    (:class:`coldrec.models.Bias`). BERT with a regression head (Devlin et al. 2019) is trained on
    it by squared error, in any way of :func:`coldrec.language.adapt`. Both texts are read for each
    pair anew, so a whole catalogue is dear to score: see :class:`coldrec.models.Rerank`.

    Parameters
    ----------
    method, options
        As for :func:`coldrec.language.adapt`.
    model
        A name that :func:`coldrec.language.classifier` knows.
    updates, batch, learning_rate, warmup
        Pairs are drawn from the training ratings without replacement, and what a profile tells of
        its user is drawn anew for each; the rated item isn't in it. See
        :func:`coldrec.language.train`; the rate is by default the method's in ``RATES``.
    teacher
        A fitted recommender of stars. The model then learns what it says of these pairs, instead of
        the ratings themselves, which are noisier (knowledge distillation: Hinton et al. 2015).
    validation, judge_every, patience
        With ``validation`` above 0, that share of the items is held out with all their ratings;
        every ``judge_every`` updates the model is judged by its RMSE there, after ``patience``
        judgements without a better one training stops, and the best model is kept.
    profiles
        How :class:`coldrec.language.Profiles` is called.

    After ``fit``, ``training_`` tells how it went, and ``model_`` is the model.
    """

    scores_cold_items = scores_cold_users = True

    def __init__(self, method: str = "lora", *, model: str = "minilm", updates: int = 300,
                 batch: int = 8, learning_rate: float | None = None, warmup: float = 0.1,
                 teacher=None, validation: float = 0.0, judge_every: int = 50, patience: int = 3,
                 profiles: dict | None = None, seed: int = 0, progress: bool = True, **options):
        for name, value in {"updates": updates, "batch": batch}.items():
            check_whole(value, name, example=8)
        if not 0 <= validation < 1:
            raise ValueError(f"validation is {validation}; it is a share of the items, such as 0.1."
                             " Give 0 to hold out none.")
        self.method, self.model, self.options = method, model, options
        self.updates, self.batch, self.warmup = updates, batch, warmup
        self.learning_rate, self.teacher = learning_rate, teacher
        self.validation, self.judge_every, self.patience = validation, judge_every, patience
        self.profiles, self.seed, self.progress = profiles or {}, seed, progress

    def _fit(self, train):
        self.bias_ = Bias().fit(train)
        self.profiles_ = Profiles(train, seed=self.seed, **self.profiles)
        self.items_ = views.describe(train)
        self.tokenizer_, model = classifier(self.model, labels=1, seed=self.seed)
        plan = {"steps": self.updates} if self.method == "adalora" else {}
        self.model_ = adapt(model, self.method, seed=self.seed, **plan, **self.options)
        rng = np.random.default_rng(self.seed)
        held_out = rng.random(len(train.item_ids)) < self.validation
        users, items = (rows(train.ratings[kind]) for rows, kind in
                        ((train.user_rows, "user"), (train.item_rows, "item")))
        stars = train.ratings["rating"].to_numpy(float)
        drawn = rng.permutation(np.flatnonzero(~held_out[items]))[:self.updates * self.batch]
        if self.teacher is not None:
            taught = self.teacher.predict(train.user_ids, train.item_ids)[users, items]
            stars = np.where(held_out[items], stars, taught)
        examples = self._read(users[drawn], items[drawn], rng)
        for example, star, user in zip(examples, stars[drawn], users[drawn], strict=True):
            example["labels"] = float(star - self._level(user))
        judged = rng.permutation(np.flatnonzero(held_out[items]))[:400]
        judge = None if not len(judged) else lambda model: -np.sqrt(np.mean(
            (stars[judged] - self._stars(users[judged], items[judged])) ** 2))
        self.training_ = train_model(
            self.model_, examples, batch=min(self.batch, len(examples)), steps=self.updates,
            learning_rate=self.learning_rate or RATES[self.method], warmup=self.warmup,
            collate=self._collate, judge=judge, judge_every=self.judge_every,
            patience=self.patience, callbacks=[AllocateRanks()], seed=self.seed,
            progress=self.progress)

    def _level(self, user_rows):
        return self.bias_.mean_ + self.bias_.user_bias_[user_rows]

    def _read(self, user_rows, item_rows, rng=None) -> list[dict]:
        """Return the tokens of pairs; with ``rng``, profiles for training."""
        profiles = [self.profiles_.text(user, item, rng) if rng else self.profiles_.text(user)
                    for user, item in zip(user_rows, item_rows, strict=True)]
        read = self.tokenizer_(profiles, [self.items_[item] for item in item_rows],
                               truncation=True, max_length=LONGEST)
        return [dict(zip(read, values, strict=True)) for values in zip(*read.values(), strict=True)]

    def _collate(self, examples):
        return self.tokenizer_.pad(examples, return_tensors="pt")

    def _stars(self, user_rows, item_rows, batch: int = 64) -> np.ndarray:
        import torch

        pairs = self._read(user_rows, item_rows)
        order = np.argsort([len(pair["input_ids"]) for pair in pairs], kind="stable")
        model = self.model_.to(runtime.device()).eval()
        left = np.zeros(len(pairs))
        with torch.inference_mode():
            for start in range(0, len(order), batch):
                chosen = order[start:start + batch]
                tokens = self._collate([pairs[row] for row in chosen]).to(model.device)
                left[chosen] = model(**tokens).logits[:, 0].float().cpu().numpy()
        return self._level(np.asarray(user_rows)) + left

    def _predict(self, user_rows, item_rows):
        users, items = np.meshgrid(user_rows, item_rows, indexing="ij")
        return self._stars(users.ravel(), items.ravel()).reshape(users.shape)

    def score_pairs(self, users, items) -> np.ndarray:
        """Return the stars of each user's item, ``(pairs,)``, for as many ids of either."""
        return self._stars(*self._pairs(users, items))
