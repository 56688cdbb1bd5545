"""Views on one scale, and the products between their rows."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy import linalg
from scipy.sparse.linalg import eigsh

from coldrec.validation import check_view


def scaled(views: dict, warm, side: str, weights: dict | None = None) -> list:
    """Return each view with the factor that gives its strongest direction variance one.

    Variance is over the ``warm`` rows. A factor is multiplied by the view's weight, if it has one;
    a view whose warm rows are all the same is left out. ``side`` names the rows in errors.
    """
    parts = []
    for name, view in views.items():
        view = check_view(name, view, len(warm), side)
        view = view.tocsr() if sp.issparse(view) else view
        spread = _largest_deviation(view, warm)
        if spread > 1e-6:
            parts.append((view, (weights or {}).get(name, 1.0) / spread))
    if not parts:
        raise ValueError(f"no view of {list(views)} tells the {side}s apart. "
                         "Give one whose rows differ.")
    return parts


def centred(view, warm) -> np.ndarray:
    """Return the view less the mean of its warm rows, dense: ``(rows, d)``."""
    view = view.toarray() if sp.issparse(view) else view
    return view - view[warm].mean(0)


def kernel(parts, warm) -> np.ndarray:
    """Return the products of the centred, scaled rows with the warm ones: ``(rows, warm rows)``.

    ``parts`` is what :func:`scaled` returns; several views' products add up.
    """
    return sum(scale ** 2 * _products(view, warm) for view, scale in parts)


def _products(view, warm) -> np.ndarray:
    """The mean is taken out of the products, not of the view, so that a sparse one stays sparse."""
    products = view @ view[warm].T
    products = products.toarray() if sp.issparse(products) else products
    mean = np.asarray(view[warm].mean(0)).ravel()
    along = view @ mean
    return products - along[:, None] - along[warm] + mean @ mean


def _largest_deviation(view, warm) -> float:
    """Return the standard deviation of the warm rows along their strongest direction."""
    n = int(warm.sum())
    if not view.shape[1]:
        return 0.0
    if view.shape[1] > n:
        gram = _products(view, warm)[warm]
    else:
        rows = centred(view, warm)[warm]
        gram = rows.T @ rows
    if len(gram) > 200:  # the largest alone is quicker there, from a start that is always the same
        start = np.random.default_rng(0).normal(size=len(gram))
        largest = eigsh(gram, k=1, v0=start, return_eigenvectors=False)[0]
    else:
        largest = linalg.eigvalsh(gram)[-1]
    return float(np.sqrt(max(largest, 0.0) / n))
