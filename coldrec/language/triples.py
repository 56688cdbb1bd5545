"""A small GPT whose words are the entities and relations of a graph."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.sparse as sp

from coldrec import runtime
from coldrec.graph.link_prediction import LinkPredictor
from coldrec.language.training import train
from coldrec.validation import check_whole

PAD = 0
ASKED_AT_ONCE = 1024  # questions


class GraphGPT(LinkPredictor):
    """GPT-2 (Radford et al. 2019), trained from scratch to continue facts, and paths of facts.

    A triple is a sentence of three words, ``head relation tail``, and read from its end another
    one, ``tail relation⁻¹ head``. A path of ``hops`` facts, drawn at random, is a longer sentence:
    ``head relation entity relation⁻¹ head ...``. Each word is one token, and the model learns to
    predict the next one (causal language modelling): after ``head relation``, the tail. So link
    prediction is reading off the next word, and its word vectors are vectors of the entities
    (:meth:`vectors`). KGGLM (Balloccu et al. 2024) and PEARLM (Balloccu et al. 2023) do the same
    with larger models, on paths.

    Parameters
    ----------
    width, layers, heads, dropout
        The size of a vector, and GPT-2's other sizes.
    epochs, batch, learning_rate, weight_decay
        How :func:`coldrec.language.train` is called; the rate follows a cosine. Without much
        weight decay, the model learns a sparse graph by heart.
    paths, hops
        Paths that start at each entity, an epoch, and the facts in each. Without any, triples only.
    folder
        Where checkpoints and logs are kept; a second fit with the same arguments goes on there.

    After :meth:`fit`, ``training_`` tells how it went, and ``model_`` is a ``GPT2LMHeadModel``.
    """

    def __init__(self, width: int = 160, layers: int = 1, heads: int = 4, *, epochs: int = 16,
                 batch: int = 512, learning_rate: float = 3e-3, dropout: float = 0.0,
                 weight_decay: float = 4.0, paths: int = 0, hops: int = 2, seed: int = 0,
                 folder=None, progress: bool = True):
        sizes = {"width": width, "layers": layers, "heads": heads, "epochs": epochs,
                 "batch": batch, "hops": hops}
        for name, value in sizes.items():
            check_whole(value, name, example=2)
        check_whole(paths, "paths", least=0, example=0)
        if width % heads:
            raise ValueError(f"width is {width}; it must be a multiple of heads, {heads}.")
        self.width, self.layers, self.heads, self.epochs, self.batch, self.hops = sizes.values()
        self.learning_rate, self.dropout, self.paths = learning_rate, dropout, paths
        self.weight_decay = weight_decay
        self.seed, self.folder, self.progress = seed, folder, progress

    def _fit(self, triples):
        import torch
        from transformers import GPT2Config, GPT2LMHeadModel

        torch.manual_seed(self.seed)
        n_words = 1 + len(self.entities) + 2 * len(self.relations)
        self.model_ = GPT2LMHeadModel(GPT2Config(
            vocab_size=n_words, n_positions=2 * max(self.hops, 2) + 1, n_embd=self.width,
            n_layer=self.layers, n_head=self.heads, resid_pdrop=self.dropout,
            embd_pdrop=self.dropout, attn_pdrop=self.dropout,
            bos_token_id=PAD, eos_token_id=PAD, pad_token_id=PAD))
        heads, relations, tails = self._tokens(*triples.T)
        turned = relations + len(self.relations)
        self.facts_ = np.concatenate([np.stack([heads, relations, tails], 1),
                                      np.stack([tails, turned, heads], 1)])
        sentences = self.facts_.tolist()
        if self.paths:
            sentences += walks(self.facts_, self.paths * len(self.entities), self.hops,
                               np.random.default_rng(self.seed))
        answers = Answers(self.facts_, n_words)
        self.training_ = train(
            self.model_, sentences, batch=min(self.batch, len(sentences)), epochs=self.epochs,
            learning_rate=self.learning_rate, schedule="cosine", weight_decay=self.weight_decay,
            collate=answers.collate, loss=answers.loss, seed=self.seed, progress=self.progress,
            folder=self.folder)

    def _tokens(self, heads, relations, tails):
        return heads + 1, relations + 1 + len(self.entities), tails + 1

    @property
    def vectors(self) -> pd.DataFrame:
        """One row of ``width`` numbers (float32) per entity, its word's; its ids are the index."""
        self._rows()
        words = self.model_.get_input_embeddings().weight.detach().float().cpu().numpy()
        return pd.DataFrame(words[self.words(self.entities)], index=self.entities)

    def words(self, ids) -> np.ndarray:
        """Return the numbers of entities' words, ``(ids,)``; 0 for what the graph hasn't."""
        return self._rows(head=ids)[0] + 1

    def _next(self, first, second) -> np.ndarray:
        """Return the log-probability of each entity, among them, after two words: a row for two."""
        import torch

        model = self.model_.to(runtime.device()).eval()
        words = torch.tensor(np.stack([first, second], 1), device=model.device)
        with torch.inference_mode():
            parts = [model(part).logits[:, -1, 1:1 + len(self.entities)].float().log_softmax(-1)
                     .cpu().numpy() for part in words.split(ASKED_AT_ONCE)]
        return np.concatenate(parts)

    def _tails(self, heads, relations):
        heads, relations, _ = self._tokens(heads, relations, heads)
        return self._next(heads, relations)

    def _heads(self, relations, tails):
        _, relations, tails = self._tokens(tails, relations, tails)
        return self._next(tails, relations + len(self.relations))

    def _score(self, heads, relations, tails):
        return self._tails(heads, relations)[np.arange(len(tails)), tails]


class Answers:
    """Which words are right after an entity and a relation: makes batches, and their loss."""

    def __init__(self, facts: np.ndarray, n_words: int, never_wrong=()):
        asked, rows = np.unique(facts[:, :2], axis=0, return_inverse=True)
        self.row_ = {(entity, relation): row for row, (entity, relation) in
                     enumerate(asked.tolist())}
        ones = np.ones(len(facts), bool)
        self.right_ = sp.csr_matrix((ones, (np.ravel(rows), facts[:, 2])), (len(asked), n_words))
        self.never_wrong = np.asarray(never_wrong, int)

    def collate(self, sentences: list[list[int]]) -> dict:
        """Return sentences as one padded batch; its labels are each answer, and what was asked.

        Only entities are to be predicted: whoever asks a question names the relation.
        ``logits_to_keep`` are the places in front of them, so that the model computes no others.
        """
        import torch

        longest = max(map(len, sentences))
        words = torch.tensor([s + [PAD] * (longest - len(s)) for s in sentences])
        labels = torch.tensor([[(s[at], self.row_[s[at - 2], s[at - 1]]) if at < len(s)
                                else (-100, -100) for at in range(2, longest, 2)]
                               for s in sentences])
        return {"input_ids": words[:, :-1], "attention_mask": (words[:, :-1] != PAD).long(),
                "logits_to_keep": torch.arange(1, longest - 1, 2), "labels": labels}

    def loss(self, outputs, labels, num_items_in_batch=None):
        """Return the mean cross-entropy; a question's other right answers don't count as wrong.

        (They are left out of the softmax, as ranks are filtered: Bordes et al. 2013.)
        """
        import torch
        from torch.nn.functional import cross_entropy

        answers, asked = labels.flatten(0, 1).T
        logits = outputs["logits"].flatten(0, 1)[asked >= 0]
        answers, asked = answers[asked >= 0], asked[asked >= 0]
        left_out = self.right_[asked.cpu().numpy()].toarray()
        left_out[:, self.never_wrong] = True
        left_out = torch.from_numpy(left_out).to(logits.device)
        left_out = left_out.scatter(1, answers[:, None], False)
        total = cross_entropy(logits.masked_fill(left_out, -torch.inf), answers, reduction="sum")
        n = len(answers) if num_items_in_batch is None else num_items_in_batch / 2  # pairs
        return total / n


def walks(facts, n: int, hops: int, rng) -> list[list[int]]:
    """Draw ``n`` walks of ``hops`` facts: from a random entity, each time along a random fact."""
    order = np.argsort(facts[:, 0], kind="stable")
    facts = facts[order]
    starts, first, degree = np.unique(facts[:, 0], return_index=True, return_counts=True)
    place = {word: number for number, word in enumerate(starts)}
    at = rng.integers(len(starts), size=n)
    columns = [starts[at]]
    for _ in range(hops):
        step = facts[first[at] + rng.integers(1 << 31, size=n) % degree[at]]
        columns += [step[:, 1], step[:, 2]]
        at = np.array([place[word] for word in step[:, 2]])
    return np.stack(columns, 1).tolist()
