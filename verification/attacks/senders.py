"""Batches of what is sent in place of gradients: projections, communication-aware choices, random samples.

Vectors have the shape (m, ..., d); whatever differs between instances has a leading axis of length m.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.solvers.tune import optimal_probabilities
from taciturn.solvers.tune.optimum import TIE_TOLERANCE

from .fields import Array
from .functions import dot, square
from .measures import quotient

__all__ = [
    "PROJECTIONS",
    "bernoulli_outcomes",
    "best_sparsity",
    "largest",
    "nonzeros",
    "on_line",
    "project",
    "sampling_probabilities",
    "scaled_sign",
    "share",
    "sorted_sums",
    "top",
]

PROJECTIONS = ("top-T", "scaled sign", "line")
"""Projection-type compressors; the line, spanned by a direction of the instance, realises every share kept."""


def nonzeros(v: Array) -> Array:
    """Return the numbers of entries that are not zero."""
    return np.count_nonzero(v, axis=-1)


def largest(v: Array, T: Array) -> Array:
    """Mark the T (m, ...) entries of largest magnitude of v (m, ..., d), ties by the lowest index."""
    order = np.argsort(-np.abs(v), axis=-1, kind="stable")
    ranks = np.argsort(order, axis=-1, kind="stable")
    return ranks < np.asarray(T)[..., None]


def top(v: Array, T: Array) -> Array:
    """Return v with all but the T largest magnitudes set to zero."""
    return np.where(largest(v, T), v, 0.0)


def scaled_sign(v: Array, T: Array) -> Array:
    """Return the signs of the T largest magnitudes times their mean; T is lowered to the number of non-zeros."""
    kept = np.minimum(T, np.maximum(nonzeros(v), 1))
    v_T = top(v, kept)
    return np.sum(np.abs(v_T), axis=-1)[..., None] / kept[..., None] * np.sign(v_T)


def on_line(v: Array, direction: Array) -> Array:
    """Return the projection on the line along the direction; v itself where that is zero."""
    squared = square(direction)[..., None]
    return np.where(squared > 0, dot(v, direction)[..., None] / np.where(squared > 0, squared, 1.0) * direction, v)


def project(kind: Array, v: Array, T: Array, direction: Array) -> Array:
    """Compress v (m, d) with the kind (m,) of `PROJECTIONS` of every instance."""
    choices = [top(v, T), scaled_sign(v, T), on_line(v, direction)]
    return np.select([(kind == name)[:, None] for name in PROJECTIONS], choices)


def share(v: Array, q: Array) -> Array:
    """Return |q|^2/|v|^2, the efficiency of a projection: alpha or beta; 1 where v is zero."""
    return np.where(square(v) > 0, np.minimum(quotient(square(q), square(v)), 1.0), 1.0)


def sorted_sums(v: Array) -> tuple[Array, Array, Array]:
    """Return the magnitudes in decreasing order, and the sums of the T largest and of their squares, (m, ..., d)."""
    magnitudes = -np.sort(-np.abs(v), axis=-1)
    return magnitudes, np.cumsum(magnitudes, axis=-1), np.cumsum(magnitudes**2, axis=-1)


def best_sparsity(numerator: Array, prices: Array) -> Array:
    """Return the largest T that maximises numerator / price, both (m, ..., d) over T = 1..d."""
    efficiency = numerator / prices
    tied = efficiency >= (1 - TIE_TOLERANCE) * np.max(efficiency, axis=-1, keepdims=True)
    return tied.shape[-1] - np.argmax(tied[..., ::-1], axis=-1)


def sampling_probabilities(v: Array, T: Array) -> Array:
    """Return the optimal probabilities (m, ..., d) of samples with T (m,) entries in expectation."""
    return np.stack([optimal_probabilities(v[i], float(T[i])) for i in range(len(v))])


def bernoulli_outcomes(v: Array, p: Array) -> Iterator[tuple[Array, Array]]:
    """Yield every outcome of independent sampling of v (..., d) with probabilities p: probability and message."""
    scaled = np.where(p > 0, v / np.where(p > 0, p, 1.0), 0.0)
    for coins in np.ndindex(*(2,) * v.shape[-1]):
        kept = np.array(coins, dtype=bool)
        yield np.prod(np.where(kept, p, 1 - p), axis=-1), np.where(kept, scaled, 0.0)
