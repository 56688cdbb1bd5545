"""Knowledge-graph embeddings: vectors for entities and relations, learnt from triples."""

from __future__ import annotations

import pandas as pd

from coldrec import runtime
from coldrec.graph.link_prediction import (
    FrequentTail,
    LinkPredictor,
    link_prediction,
    ranks,
    split_triples,
)
from coldrec.validation import check_whole

__all__ = ["ComplEx", "FrequentTail", "GraphEmbedding", "LinkPredictor", "TransE",
           "link_prediction", "ranks", "split_triples"]


class GraphEmbedding(LinkPredictor):
    """A vector of ``dim`` numbers per entity and relation; the base of TransE and ComplEx.

    Head and relation make a point that is compared with the tail; relation and tail make one that
    is compared with the head. Training puts ``negatives`` entities, drawn at random, in the place
    of each triple's tail, and of its head, and minimises the cross-entropy of picking the true one:
    the best of the usual losses in Ruffinelli et al. (2020). A batch shares what is drawn, so the
    work is one product of matrices (Zheng et al. 2020, DGL-KE). The optimiser is Adagrad;
    ``losses_`` has the mean of each epoch.

    ``device`` is ``cuda`` where there is one and ``cpu`` elsewhere, unless given. One seed gives
    one result on one device. A subclass writes ``_to_tail``, ``_to_head`` and ``_compare``.
    """

    def __init__(self, dim: int = 64, epochs: int = 60, negatives: int = 256,
                 batch_size: int = 1024, learning_rate: float = 0.3, seed: int = 0, device=None):
        sizes = {"dim": dim, "epochs": epochs, "negatives": negatives, "batch_size": batch_size}
        for name, value in sizes.items():
            check_whole(value, name, example=64)
        if not learning_rate > 0:
            raise ValueError(f"learning_rate is {learning_rate}; it must be above 0, such as 0.3.")
        self.dim, self.epochs, self.negatives, self.batch_size = sizes.values()
        self.learning_rate, self.seed, self.device = learning_rate, seed, device

    def _fit(self, triples):
        import torch

        found = runtime.device()
        device = self.device or ("cpu" if found == "mps" else found)  # mps: no sparse gradients
        rng = torch.Generator().manual_seed(self.seed)
        self.entity_, self.relation_ = weights = [
            torch.empty(len(ids), self.dim).uniform_(-0.1, 0.1, generator=rng).to(device)
            .requires_grad_() for ids in (self.entities, self.relations)]
        optimiser = torch.optim.Adagrad(weights, lr=self.learning_rate)
        triples = torch.tensor(triples)
        self.losses_ = []
        for _ in range(self.epochs):
            shuffled = triples[torch.randperm(len(triples), generator=rng)]
            losses = []
            for batch in shuffled.split(self.batch_size):
                drawn = torch.randint(len(self.entities), (self.negatives,), generator=rng)
                loss = self._loss(batch.to(device), drawn.to(device))
                optimiser.zero_grad()
                loss.backward()
                with torch.sparse.check_sparse_tensor_invariants(False):  # or else torch warns
                    optimiser.step()
                losses.append(loss.item() * len(batch) / len(triples))
            self.losses_.append(sum(losses))
        self.entity_, self.relation_ = self.entity_.detach(), self.relation_.detach()

    def _loss(self, triples, drawn):
        """Return the cross-entropy of the true tails and heads against the drawn entities."""
        import torch
        from torch.nn.functional import cross_entropy, embedding

        heads, relations, tails = triples.T
        head, relation, tail, others = (
            embedding(rows, weight, sparse=True)  # sparse: a step moves only the rows looked up
            for rows, weight in ((heads, self.entity_), (relations, self.relation_),
                                 (tails, self.entity_), (drawn, self.entity_)))
        loss = self._penalty(head, relation, tail)
        for point, true, row in ((self._to_tail(head, relation), tail, tails),
                                 (self._to_head(relation, tail), head, heads)):
            wrong = self._compare(point, others).masked_fill(drawn == row[:, None], -torch.inf)
            scores = torch.cat([self._compare_pairs(point, true)[:, None], wrong], dim=1)
            loss = loss + cross_entropy(scores, torch.zeros_like(row))  # column 0 is the true one
        return loss

    def _penalty(self, head, relation, tail):
        return 0.0

    def _compare_pairs(self, points, vectors):
        return self._compare(points[:, None], vectors[:, None]).flatten()

    def _score(self, heads, relations, tails):
        point = self._to_tail(self.entity_[heads], self.relation_[relations])
        return self._compare_pairs(point, self.entity_[tails]).cpu().numpy()

    def _tails(self, heads, relations):
        point = self._to_tail(self.entity_[heads], self.relation_[relations])
        return self._compare(point, self.entity_).cpu().numpy()

    def _heads(self, relations, tails):
        point = self._to_head(self.relation_[relations], self.entity_[tails])
        return self._compare(point, self.entity_).cpu().numpy()

    @property
    def vectors(self) -> pd.DataFrame:
        """One row of ``dim`` numbers (float32) per entity; its ids are the index."""
        self._rows()
        return pd.DataFrame(self.entity_.cpu().numpy(), self.entities, copy=True)

    @property
    def relation_vectors(self) -> pd.DataFrame:
        """One row of ``dim`` numbers (float32) per relation; their names are the index."""
        self._rows()
        return pd.DataFrame(self.relation_.cpu().numpy(), self.relations, copy=True)


class TransE(GraphEmbedding):
    """A relation is a step: the score is ``-|head + relation - tail|`` (Bordes et al. 2013).

    ``norm`` is 2 for the straight distance, 1 for the sum over the axes. Unlike in the paper, the
    vectors' lengths are free, and the loss isn't a margin but that of :class:`GraphEmbedding`,
    which has the other options too.
    """

    def __init__(self, dim: int = 64, *, norm: int = 2, **options):
        super().__init__(dim, **options)
        if norm not in (1, 2):
            raise ValueError(f"norm is {norm!r}; it must be 1 or 2.")
        self.norm = norm

    def _to_tail(self, head, relation):
        return head + relation

    def _to_head(self, relation, tail):
        return tail - relation

    def _compare(self, points, vectors):
        import torch

        return -torch.cdist(points, vectors, p=float(self.norm))


class ComplEx(GraphEmbedding):
    """A relation turns and stretches: ``Re(sum(head * relation * conj(tail)))``.

    The vectors are complex (Trouillon et al. 2016): of their ``dim`` numbers the first half are the
    real parts, the second the imaginary ones. The score is symmetric in head and tail where the
    relation is real and antisymmetric where it is imaginary, so it can tell a direction.
    ``regularisation`` weighs the cubed absolute values (N3, Lacroix et al. 2018); without it, this
    model learns a sparse graph by heart. The other options are those of :class:`GraphEmbedding`.
    """

    def __init__(self, dim: int = 64, *, regularisation: float = 0.1, **options):
        super().__init__(dim, **options)
        if dim % 2:
            raise ValueError(f"dim is {dim}; it must be even, for real and imaginary parts.")
        if not regularisation >= 0:
            raise ValueError(f"regularisation is {regularisation}; it must be 0 or more.")
        self.regularisation = regularisation

    def _to_tail(self, head, relation):
        import torch

        (real, imaginary), (turn_real, turn_imaginary) = head.chunk(2, -1), relation.chunk(2, -1)
        return torch.cat([real * turn_real - imaginary * turn_imaginary,
                          real * turn_imaginary + imaginary * turn_real], -1)

    def _to_head(self, relation, tail):
        import torch

        real, imaginary = relation.chunk(2, -1)
        return self._to_tail(tail, torch.cat([real, -imaginary], -1))

    def _compare(self, points, vectors):
        return points @ vectors.mT

    def _penalty(self, head, relation, tail):
        import torch

        sizes = [torch.stack(v.chunk(2, -1)).square().sum(0) for v in (head, relation, tail)]
        return self.regularisation * sum((s + 1e-9).pow(1.5).sum(1).mean() for s in sizes)
