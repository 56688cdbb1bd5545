"""Fit the same numbers by gradient, on parts of the ratings."""

from __future__ import annotations

import numpy as np
from tqdm.auto import tqdm

from coldrec.rating._beliefs import Beliefs

RATE = 0.02  # Adam's largest learning rate; it falls to nothing
PARTS = 40  # of the ratings, each an update: as many for few ratings as for many


def by_gradient(start: Beliefs, about, rated, warm_users, warm_items, *, epochs: int,
                seed: int = 0, progress: bool = True) -> Beliefs:
    """Return what is believed, found by Adam: a mean and a variance for each number.

    What is made large is the bound that alternating least squares climbs too, but with a variance
    in place of each covariance (mean-field variational Bayes; the bound is Lim & Teh's 2007): the
    expected log-probability of the ratings, less how far (Kullback & Leibler) all numbers are from
    their priors, whose means and variances are learnt with the rest. Parts of the ratings give an
    unbiased estimate of its gradient.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    (n, m), width, free = rated.shape, start.known.shape[1], start.items.shape[1] - 1
    size = width + free + 1
    known, about = (torch.tensor(table, dtype=torch.float32) for table in (start.known, about))
    means = {"users": torch.zeros(n, size), "items": torch.zeros(m, free + 1),
             "about": torch.zeros(about.shape[1], size), "known": torch.zeros(width)}
    means["users"][:, width:-1].normal_(0, 0.1, generator=generator)
    means["items"][:, :-1].normal_(generator=generator)
    spreads = {"users": torch.tensor(start.user_spread).float(), "about": torch.full((size,), 0.01),
               "bias": torch.tensor([start.item_spread]), "known": torch.tensor([0.01])}
    first = spreads | {"items": torch.tensor(start.item_variances).float()}
    # Sure of everything at first, and the priors' pull grows over the first half (Bowman et al.
    # 2016): else the free numbers are given up before they have found a use.
    logs = {name: (0.01 * first[name]).log().expand_as(mean).clone()
            for name, mean in means.items()}
    spreads = {name: value.log() for name, value in spreads.items()}
    average, noise = torch.zeros(size), torch.tensor(float(np.log(start.noise)))
    learnt = [*means.values(), *logs.values(), *spreads.values(), average, noise]
    optimiser = torch.optim.Adam([value.requires_grad_() for value in learnt], lr=RATE)

    def misfit(user, item, stars):
        """Return minus the expected log-probability of ratings, their mean."""
        mine, its = means["users"][user], means["items"][item]
        mine_var, its_var = logs["users"][user].exp(), logs["items"][item].exp()
        seen = torch.cat([known[item], its[:, :-1], torch.ones(len(item), 1)], 1)
        its_taste, taste = its_var[:, :-1], slice(width, width + free)
        left = stars - (mine * seen).sum(1) - its[:, -1]
        unsure = ((mine_var * seen ** 2).sum(1) + its_var[:, -1]
                  + ((mine ** 2 + mine_var)[:, taste] * its_taste).sum(1))
        return 0.5 * ((left ** 2 + unsure) / noise.exp() + noise).mean()

    def far(name, spread, centre=0.0, unsure=0.0):
        """Return the distance of what is believed from its prior, in nats."""
        mean, log = means[name], logs[name]
        return 0.5 * (spread - log - 1
                      + ((mean - centre) ** 2 + log.exp() + unsure) / spread.exp()).sum()

    def from_priors():
        fixed = torch.zeros(free)  # variance one: else z could grow and y shrink for ever
        bias = known @ means["known"], known ** 2 @ logs["known"].exp()
        centre, unsure = (torch.cat([torch.zeros(m, free), value[:, None]], 1) for value in bias)
        return (far("items", torch.cat([fixed, spreads["bias"]]), centre, unsure)
                + far("users", spreads["users"], average + about @ means["about"],
                      about ** 2 @ logs["about"].exp())
                + far("about", spreads["about"]) + far("known", spreads["known"]))

    coo = rated.tocoo()
    users, items = (torch.tensor(rows, dtype=torch.long) for rows in (coo.row, coo.col))
    stars = torch.tensor(coo.data - start.level, dtype=torch.float32)
    batch = -(-len(stars) // PARTS)
    steps = -(-len(stars) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=epochs * steps)
    for epoch in tqdm(range(epochs), desc="epochs", disable=not progress, leave=False):
        pull = min(1.0, 2 * (epoch + 1) / epochs) / rated.nnz
        for chosen in torch.randperm(len(stars), generator=generator).split(batch):
            optimiser.zero_grad()
            bound = misfit(users[chosen], items[chosen], stars[chosen]) + pull * from_priors()
            bound.backward()
            optimiser.step()
            schedule.step()
    with torch.no_grad():
        start.user_prior = (average + about @ means["about"]).double().numpy()
        start.item_prior = (known @ means["known"]).double().numpy()
        start.user_spread = spreads["users"].exp().double().numpy()
        start.item_spread, start.noise = float(spreads["bias"].exp()), float(noise.exp())
        start.users, start.items = (means[name].double().numpy() for name in ("users", "items"))
        start.user_cov, start.item_cov = (
            logs[name].exp().double().numpy()[:, :, None] * np.eye(means[name].shape[1])
            for name in ("users", "items"))
    start.forget(~warm_users, ~warm_items)
    return start
