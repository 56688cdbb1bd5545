"""A sentence encoder tuned on interactions, so that items liked together lie together."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from coldrec import metrics, splits, views
from coldrec.language.adapters import adapt
from coldrec.language.encode import pooled, read, unit_means
from coldrec.language.load import encoder
from coldrec.language.objectives import OBJECTIVES
from coldrec.language.training import train as train_model
from coldrec.models import ViewCosine
from coldrec.validation import check_is_ratings, check_whole


class TunedEncoder:
    """Text in, co-rating structure out: a view that plain cosine can use.

    A batch is a random part of the warm items. Their texts are encoded, and the vectors are judged
    by how well they tell who likes what within the batch, by one of two ``objective``s:

    ``"contrastive"``
        half of a user's likes, averaged, must be nearer to the other half than to the batch's other
        items (:func:`coldrec.language.objectives.contrastive`)
    ``"elsa"``
        the products of the vectors, with a zero diagonal, must rebuild the users' likes, as
        beeFormer has it (:func:`coldrec.language.objectives.elsa`)

    Unlike a vector for each item, an encoder has a vector for any text: also for that of an item
    nobody has rated (Vančura et al. 2024).

    Parameters
    ----------
    model, method, options
        As for :func:`coldrec.language.encoder` and :func:`coldrec.language.adapt`.
    updates, batch, learning_rate
        See :func:`coldrec.language.train`. Where a batch doesn't fit into memory, its parts are
        smaller, and so is what each item is compared with.
    validation, judge_every, patience
        With ``validation`` above 0, that share of the items is held out with all their ratings.
        Every ``judge_every`` updates the cosine's Recall@20 on them is looked at; after
        ``patience`` looks without a better one training stops, and the best model is kept.

    After ``fit``, ``vectors_`` are the items' unit vectors ``(items, width)``, ``model_`` and
    ``tokenizer_`` the encoder, ``training_`` tells how it went.
    """

    def __init__(self, objective: str = "contrastive", *, model: str = "minilm",
                 method: str = "lora", updates: int = 40, batch: int = 128,
                 learning_rate: float = 1e-3, validation: float = 0.0, judge_every: int = 10,
                 patience: int = 3, seed: int = 0, progress: bool = True, **options):
        if objective not in OBJECTIVES:
            raise ValueError(f"objective is {objective!r}; it may be one of {tuple(OBJECTIVES)}.")
        check_whole(batch, "batch", least=2, example=128)
        check_whole(updates, "updates", example=40)
        if not 0 <= validation < 1:
            raise ValueError(f"validation is {validation}; it is a share of the items, such as 0.2."
                             " Give 0 to hold out none.")
        self.objective, self.model, self.method, self.options = objective, model, method, options
        self.updates, self.batch, self.learning_rate = updates, batch, learning_rate
        self.validation, self.judge_every, self.patience = validation, judge_every, patience
        self.seed, self.progress = seed, progress

    def fit(self, train, texts: list[str] | None = None) -> TunedEncoder:
        """Tune on the training ratings; ``texts``, one an item, replace ``views.describe``'s."""
        check_is_ratings(train, "TunedEncoder.fit")
        texts = views.describe(train) if texts is None else list(texts)
        if len(texts) != len(train.item_ids):
            raise ValueError(f"there are {len(texts)} texts for {len(train.item_ids)} items; give "
                             "one each.")
        split = splits.item_cold(train, self.validation, self.seed) if self.validation else None
        known = train if split is None else split.train
        likes = known.matrix(likes=True)
        liked = np.flatnonzero(likes.getnnz(axis=0))
        if len(liked) < 2:
            raise ValueError(f"{len(liked)} items have a rating of {train.like:g} or more; it "
                             "takes two to tell which are liked together.")
        self.tokenizer_, base = encoder(self.model)
        self.model_ = adapt(base, self.method, task="FEATURE_EXTRACTION", seed=self.seed,
                            **self.options)
        judge = None if split is None else lambda _: _recall(split, self.encode(texts))
        self.training_ = train_model(
            _unit_vectors(self.model_), liked.tolist(), batch=min(self.batch, len(liked)),
            steps=self.updates, learning_rate=self.learning_rate,
            collate=_reader(self.tokenizer_, texts),
            loss=OBJECTIVES[self.objective](likes, self.seed), judge=judge,
            judge_every=self.judge_every, patience=self.patience, seed=self.seed,
            progress=self.progress)
        self.vectors_ = self.encode(texts)
        return self

    def encode(self, texts: list[str]) -> np.ndarray:
        """Return the unit vectors of texts, ``(texts, width)``."""
        if not hasattr(self, "model_"):
            raise RuntimeError("this TunedEncoder isn't fitted. Call fit(train) first.")
        return pooled(self.tokenizer_, self.model_, list(texts))

    def export(self, folder) -> Path:
        """Write the encoder to a new folder that sentence-transformers loads; return its path.

        ``SentenceTransformer(folder).encode(texts)`` gives the vectors of :meth:`encode`. What was
        added to the model in tuning is merged into its weights.
        """
        from coldrec.language.exported import export

        if not hasattr(self, "model_"):
            raise RuntimeError("this TunedEncoder isn't fitted. Call fit(train) first.")
        return export(self.tokenizer_, self.model_, folder)


def _reader(tokenizer, texts):
    """Return what makes a batch of some items' rows: the tokens of their texts, and the rows."""
    def collate(rows):
        import torch

        return {**read(tokenizer, [texts[row] for row in rows]), "labels": torch.tensor(rows)}

    return collate


def _unit_vectors(model):
    """Return a module that turns each text into a unit vector, made of a transformers model."""
    import torch

    class UnitVectors(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model, self.config = model, model.config

        def forward(self, attention_mask, **tokens):
            hidden = self.model(attention_mask=attention_mask, **tokens).last_hidden_state
            return unit_means(hidden, attention_mask)

    return UnitVectors()


def _recall(split, vectors) -> float:
    """Return plain cosine's Recall@20 on the split's cold items."""
    model = ViewCosine({"text": vectors}).fit(split.train)
    users, items = split.test.user_ids, split.cold_items
    relevant = split.test.matrix(likes=True)[:, split.test.item_rows(items)].toarray() > 0
    top = metrics.top_k(model.score(users, items), min(20, len(items)), np.random.default_rng(0))
    return np.nanmean(metrics.recall(np.take_along_axis(relevant, top, 1), relevant.sum(1)))
