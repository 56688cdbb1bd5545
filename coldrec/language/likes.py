"""A recommender made of a graph's GPT: the same model, tuned on likes."""

from __future__ import annotations

import copy

import numpy as np

from coldrec import runtime
from coldrec.language.training import train as train_model
from coldrec.language.triples import Answers, GraphGPT
from coldrec.models import Recommender
from coldrec.validation import check_is_ratings


class LikesGPT(Recommender):
    """Recommend what a :class:`GraphGPT`, tuned on likes, would say next after ``user likes``.

    A like becomes a triple, ``user likes item``, read from both ends as all others are; each user
    is a new word, and ``likes`` and its inverse are two more. The model goes on training on these
    sentences, mixed with facts it knows (``rehearsal`` of them to each like), so that it doesn't
    forget them. A cold item appears in no like: it is reached through its facts alone. Nor may it
    count as a wrong answer, because nobody could have liked it yet: in training, it is left out of
    the softmax wherever it isn't the right answer. (Two stages, pretraining on the graph and tuning
    on likes, are KGGLM's: Balloccu et al. 2024.)

    Parameters
    ----------
    gpt
        Fitted on triples in which an item is ``item:ID``. It is copied, not changed.
    ml
        The ratings whose catalogue is recommended from (of which only the ids are read).
    epochs, batch, learning_rate
        How :func:`coldrec.language.train` is called.
    """

    scores_cold_items = True

    def __init__(self, gpt: GraphGPT, ml, epochs: float = 5, batch: int = 512,
                 learning_rate: float = 1e-3, rehearsal: float = 0.5, seed: int = 0,
                 prefix: str = "item", progress: bool = True):
        check_is_ratings(ml, "LikesGPT")
        if not hasattr(gpt, "model_"):
            raise ValueError("LikesGPT needs a fitted GraphGPT. Call fit(triples) on it first.")
        if not rehearsal >= 0:
            raise ValueError(f"rehearsal is {rehearsal}; it must be 0 or more, such as 0.5.")
        words = gpt.words([f"{prefix}:{item}" for item in ml.item_ids])
        if not words.any():
            raise ValueError(f"the GPT knows none of the items: no entity is called such as "
                             f"'{prefix}:{ml.item_ids[0]}'. Say what they are called by prefix.")
        self.gpt, self.views = gpt, {"word": words[:, None]}  # a view: the leak control permutes it
        self.epochs, self.batch, self.learning_rate = epochs, batch, learning_rate
        self.rehearsal, self.seed, self.progress = rehearsal, seed, progress

    def _fit(self, train):
        import torch

        torch.manual_seed(self.seed)
        self.words_ = self.views["word"][:, 0]
        self.likes_ = self.gpt.model_.config.vocab_size  # the first new word; then its inverse
        self.model_ = copy.deepcopy(self.gpt.model_)
        self.model_.resize_token_embeddings(self.likes_ + 2 + len(train.user_ids),
                                            mean_resizing=False)
        likes = train.matrix(likes=True).tocoo()
        users, items = self.likes_ + 2 + likes.row, self.words_[likes.col]
        known = items > 0
        if not known.any():
            raise ValueError(f"no item that the GPT knows has a rating of {train.like:g} or more: "
                             "there are no likes to learn from.")
        facts = np.concatenate([
            np.stack([users, np.full_like(users, self.likes_), items], 1)[known],
            np.stack([items, np.full_like(items, self.likes_ + 1), users], 1)[known],
            self.gpt.facts_])
        new = 2 * known.sum()
        old = np.random.default_rng(self.seed).permutation(len(self.gpt.facts_))
        old = old[:round(self.rehearsal * new)]
        sentences = facts[np.concatenate([np.arange(new), new + old])].tolist()
        cold = self.words_[~self.warm_items_]
        answers = Answers(facts, self.model_.config.vocab_size, never_wrong=cold[cold > 0])
        self.training_ = train_model(
            self.model_, sentences, batch=min(self.batch, len(sentences)), epochs=self.epochs,
            learning_rate=self.learning_rate, schedule="cosine", collate=answers.collate,
            loss=answers.loss, seed=self.seed, progress=self.progress)

    def _score(self, user_rows, item_rows):
        import torch

        model = self.model_.to(runtime.device()).eval()
        asked = np.stack([self.likes_ + 2 + user_rows, np.full(len(user_rows), self.likes_)], 1)
        with torch.inference_mode():
            logits = torch.cat([model(part.to(model.device)).logits[:, -1].float().cpu()
                                for part in torch.tensor(asked).split(512)]).numpy()
        words = self.words_[item_rows]
        return np.where(words > 0, logits[:, words], np.nan)

