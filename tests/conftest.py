"""Data that several test files share. Nothing may change them: they live for the whole run."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

import coldrec as cr

# The same examples on every machine, and no failure because a machine is slow.
settings.register_profile("coldrec", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("coldrec")


@pytest.fixture(scope="session")
def ml():
    """MovieLens-100K."""
    return cr.load("ml-100k")


@pytest.fixture(scope="session")
def tiny():
    """30 users (1 to 30) by 20 items (101 to 120); nobody rated the last, and two are one film."""
    rng = np.random.default_rng(0)
    user, item = (side.ravel() + 1 for side in np.indices((30, 19)))
    rated = rng.random(len(user)) < 0.5
    ratings = pd.DataFrame({"user": user, "item": item + 100})[rated]
    ratings["rating"] = rng.integers(1, 6, len(ratings))
    ratings["timestamp"] = rng.permutation(len(ratings)) + 880_000_000
    items = pd.DataFrame({"item": np.arange(101, 121)})
    items["title"] = [f"Film {n}" for n in items["item"]]
    items["year"] = 1980 + np.arange(20)
    items["genres"] = ["Drama", "Comedy|War", "Drama|War", "Comedy"] * 5
    items.loc[17, ["title", "year"]] = items.loc[2, ["title", "year"]].to_numpy()
    users = pd.DataFrame({"user": np.arange(1, 31), "age": 20 + np.arange(30)})
    return cr.Ratings.from_frames(ratings, items, users)


@pytest.fixture(scope="module")
def one_thread():
    """Let torch use one thread: networks as small as the tests' are slower on several."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
