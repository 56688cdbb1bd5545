"""One loss for all: the ratings' errors tune the encoder, through the formula."""

from __future__ import annotations

import numpy as np

from coldrec import splits, views
from coldrec.language import adapt, encoder
from coldrec.language import train as train_model
from coldrec.language.encode import pooled, read, unit_means
from coldrec.rating.formula import RatingFormula
from coldrec.validation import check_fraction, check_is_ratings, check_whole


def tuned_text(train, *, updates: int = 100, batch: int = 8, most: int = 64, share: float = 0.3,
               learning_rate: float = 1e-3, rank: int = 8, seed: int = 0, progress: bool = True,
               **formula):
    """Return vectors of the items' texts, ``(items, 384)``, from an encoder tuned on the ratings.

    A ``share`` of the rated items is held out; on the others, the formula is fitted with the frozen
    encoder's vectors. Then the held-out ratings are predicted as those of new items are, from the
    text through the encoder and the formula to the stars, and the gradient of the squared error
    goes all the way back to the encoder's LoRA weights (Hu et al. 2021). So the encoder learns what
    helps where nothing but a text is known. Fit :class:`RatingFormula` on all ratings with the
    vectors that this returns as a view.

    ``batch`` items an update, each with up to ``most`` of its ratings; see
    :func:`coldrec.language.train` for ``updates`` and ``learning_rate``. ``formula`` are further
    settings of the formula in between.
    """
    check_is_ratings(train, "tuned_text")
    for name, value in {"updates": updates, "batch": batch, "most": most}.items():
        check_whole(value, name, example=8)
    check_whole(seed, "seed", least=0, example=0)
    check_fraction(share, "share", "0.3 to hold 3 of 10 items out")
    texts = views.describe(train)
    if not any(texts):
        raise ValueError("the items have no title, year, genres or description to read; their "
                         f"table has {list(train.items)}. Give Ratings.from_frames a table of "
                         "items with one of these.")
    frozen = views.text(train)
    split = splits.item_cold(train, share, seed)
    between = RatingFormula({"text": frozen}, seed=seed, progress=False, **formula)
    between.fit(split.train)
    tokenizer, model = encoder()
    model = adapt(model, "lora", rank=rank, task="FEATURE_EXTRACTION", seed=seed)
    whole = through_formula(model, between, frozen)
    examples = []
    for item, ratings in split.test.ratings.groupby("item"):
        chosen = ratings.sample(min(most, len(ratings)), random_state=seed)
        examples.append({"text": texts[train.item_rows([item])[0]],
                         "users": train.user_rows(chosen["user"]),
                         "stars": chosen["rating"].to_numpy(float)})
    train_model(whole, examples, batch=min(batch, len(examples)), steps=updates,
                learning_rate=learning_rate, collate=_collate(tokenizer), loss=_squared_error,
                seed=seed, progress=progress)
    return pooled(tokenizer, whole.encoder.merge_and_unload(), texts)


def through_formula(model, formula: RatingFormula, vectors):
    """Return a PyTorch module: from texts and users to stars, by an encoder and the formula.

    ``formula`` was fitted with ``vectors`` as its one view. Its numbers are constants here; what of
    ``model`` can be trained is what is trained.
    """
    import torch

    # Known coordinates are a linear function of a new item's vector; which, its own items tell.
    new = ~formula.warm_items_
    centre = vectors[formula.warm_items_].mean(0)
    beliefs = formula.beliefs_
    axes = np.linalg.lstsq(vectors[new] - centre, beliefs.known[new], rcond=None)[0]
    width = beliefs.known.shape[1]
    worth = np.linalg.lstsq(vectors[new] - centre, beliefs.item_prior[new], rcond=None)[0]

    class Whole(torch.nn.Module):
        """``α_u·α_i·cos(u, i) + β_u + β_i``, with i and β_i from the encoder."""

        def __init__(self):
            super().__init__()
            self.encoder = model
            for name, value in {"centre": centre, "u": beliefs.users[:, :width] @ axes.T,
                                "beta_u": formula.beta_user_, "worth": worth,
                                "level": formula.beta_item_[new].mean()
                                - beliefs.item_prior[new].mean()}.items():
                self.register_buffer(name, torch.tensor(value, dtype=torch.float32))

        def forward(self, input_ids, attention_mask, users, **more):
            hidden = self.encoder(input_ids=input_ids,
                                  attention_mask=attention_mask).last_hidden_state
            i = (unit_means(hidden, attention_mask) - self.centre)[:, None]
            u = self.u[users]  # (items, ratings, width of the encoder)
            alphas = u.norm(dim=-1) * i.norm(dim=-1)
            cosine = torch.cosine_similarity(u, i, dim=-1)
            return {"stars": alphas * cosine + self.beta_u[users] + self.level + i @ self.worth}

    return Whole()


def _collate(tokenizer):
    """Return what makes a batch of items, each with its text, some users, and their stars."""
    def collate(examples):
        import torch

        longest = max(len(example["users"]) for example in examples)

        def padded(key, fill, dtype):
            return torch.tensor(np.array([
                np.pad(example[key], (0, longest - len(example[key])), constant_values=fill)
                for example in examples]), dtype=dtype)

        tokens = read(tokenizer, [example["text"] for example in examples])
        return {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"],
                "users": padded("users", 0, torch.long),
                "labels": padded("stars", -100, torch.float32)}

    return collate


def _squared_error(outputs, labels, num_items_in_batch=None):
    there = labels != -100
    total = ((outputs["stars"] - labels)[there] ** 2).sum()
    return total / (there.sum() if num_items_in_batch is None else num_items_in_batch)
