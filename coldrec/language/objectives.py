"""What the vectors of a batch of items are trained to tell: who likes what."""

from __future__ import annotations

import numpy as np

TEMPERATURE = 0.05  # 0.1 was no better on validation-cold items of MovieLens-100K


def contrastive(likes, seed: int = 0):
    """Return a loss: half of each user's likes must point to the other half, within a batch.

    ``likes`` is ``(users, items)``, sparse. With ``p_u`` the direction of the mean of the vectors
    of one half, the loss is the mean over the other half's items i of
    ``-log softmax_j(cos(p_u, v_j) / temperature)[i]``, the softmax over the batch's items less
    those in ``p_u``: the others are the negatives (InfoNCE with in-batch negatives: van den Oord
    et al. 2018; Hidasi et al. 2016). The halves are drawn from ``seed`` and the batch.
    """
    from torch.nn import functional as F

    def loss(vectors, rows, batch):
        liked = _liked(likes, rows, vectors)
        halves = np.random.default_rng([seed, *rows.tolist()]).random(tuple(liked.shape)) < 0.5
        given = liked * vectors.new_tensor(halves)
        asked = liked - given
        both = (given.sum(1) > 0) & (asked.sum(1) > 0)
        given, asked = given[both], asked[both]
        nearness = F.normalize(given @ vectors, dim=1) @ vectors.T / TEMPERATURE
        chance = nearness.masked_fill(given > 0, -1e4).log_softmax(1)
        return -(asked * chance).sum() / asked.sum().clamp(min=1) * len(rows) / batch

    return _in_fp32(loss)


def elsa(likes, seed: int = 0):
    """Return a loss: the vectors' products must rebuild the users' likes within a batch.

    With X the likes of the batch's items and V their unit vectors, it is the mean over users of
    ``||norm(X) - norm(X (V V' - I))||²``, where norm scales rows to length one (ELSA: Vančura et
    al. 2022; with V from a text encoder: beeFormer, Vančura et al. 2024). ``seed``
    isn't used: nothing is drawn.
    """
    from torch.nn import functional as F

    def loss(vectors, rows, batch):
        liked = _liked(likes, rows, vectors)
        liked = liked[liked.sum(1) > 1]  # one like can't be rebuilt from others
        rebuilt = liked @ vectors @ vectors.T - liked
        error = F.normalize(liked, dim=1) - F.normalize(rebuilt, dim=1)
        return (error ** 2).sum() / max(1, len(liked)) * len(rows) / batch

    return _in_fp32(loss)


OBJECTIVES = {"contrastive": contrastive, "elsa": elsa}


def _liked(likes, rows, like):
    """Return the likes of a batch's items as a tensor, ``(users, batch)``."""
    return like.new_tensor(likes[:, rows.cpu().numpy()].toarray())


def _in_fp32(loss):
    """A temperature of 0.05 makes too much of what half precision rounds."""
    def of_batch(vectors, rows, num_items_in_batch):
        import torch

        with torch.autocast(vectors.device.type, enabled=False):
            return loss(vectors.float(), rows, num_items_in_batch)

    return of_batch
