"""The article's own network, in PyTorch."""

from __future__ import annotations

import numpy as np

from coldrec.models.base import StarRecommender


def build_network(n_ids: int, n_ratings: int, hidden: int = 256):
    """Return embedding -> bidirectional GRU -> dense -> a logit per rating value.

    The input is ``(batch, 2)``: a user's number and an item's, read as a sequence of two words.
    (The softmax over ratings is in the loss.)
    """
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(n_ids, hidden)
            self.gru = nn.GRU(hidden, hidden // 2, bidirectional=True, batch_first=True)
            self.dense = nn.Linear(hidden, hidden // 2)
            self.out = nn.Linear(hidden // 2, n_ratings)

        def forward(self, pairs):
            _, last = self.gru(self.embedding(pairs))  # (2 directions, batch, hidden / 2)
            return self.out(self.dense(last.transpose(0, 1).flatten(1)).relu())

    return Network()


class ArticleNetwork(StarRecommender):
    """Classify the rating of a (user, item) pair with the network of the article.

    The prediction is the expected rating under the softmax. The sizes are for minutes on two cores;
    the article's own are ``hidden=256, epochs=10, batch=32, learning_rate=1e-3``. It answers for
    cold items and users too, from an embedding that no training rating has moved: noise, which
    lesson 01 shows.
    """

    scores_cold_items = scores_cold_users = True
    reads_items = False

    def __init__(self, hidden: int = 64, epochs: int = 3, batch: int = 1024,
                 learning_rate: float = 1e-2, seed: int = 0):
        self.hidden, self.epochs, self.batch = hidden, epochs, batch
        self.learning_rate, self.seed = learning_rate, seed

    def _fit(self, train):
        import torch

        from coldrec import runtime

        device = runtime.device()
        torch.manual_seed(self.seed)
        self.offset_ = len(train.user_ids)
        values, label = np.unique(train.ratings["rating"], return_inverse=True)
        pairs = np.stack([train.user_rows(train.ratings["user"]),
                          train.item_rows(train.ratings["item"]) + self.offset_], axis=1)
        pairs, label = torch.tensor(pairs, device=device), torch.tensor(label, device=device)
        self.values_ = torch.tensor(values, dtype=torch.float32, device=device)
        network = build_network(self.offset_ + len(train.item_ids), len(values), self.hidden)
        self.network_ = network.to(device)
        self.start_ = self.network_.embedding.weight.detach().cpu().numpy().copy()
        optimiser = torch.optim.Adam(self.network_.parameters(), lr=self.learning_rate)
        self.losses_ = []
        for _ in range(self.epochs):
            for rows in torch.randperm(len(label), device=device).split(self.batch):
                loss = torch.nn.functional.cross_entropy(self.network_(pairs[rows]), label[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                self.losses_.append(loss.item())

    def _predict(self, user_rows, item_rows):
        import torch

        user, item = np.meshgrid(user_rows, item_rows + self.offset_, indexing="ij")
        pairs = torch.tensor(np.stack([user.ravel(), item.ravel()], axis=1),
                             device=self.values_.device)
        with torch.inference_mode():
            stars = [self.network_(part).softmax(1) @ self.values_ for part in pairs.split(65536)]
        return torch.cat(stars).cpu().numpy().reshape(user.shape)
