"""A directed search for the vector at which a claim about every vector is nearest to being false."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.checks import check_count

__all__ = ["worst_vector"]


def worst_vector(
    badness: Callable[[NDArray[Any]], NDArray[Any]], starts: NDArray[Any], steps: int, seed: int
) -> NDArray[Any]:
    """Return the worst vector found by changing the worst ones known, again and again.

    Parameters
    ----------
    badness : callable
        Takes vectors (m, d) that are not zero to numbers (m,), the larger the worse.
    starts : ndarray (m, d)
        Vectors to start from.
    steps : int
        Steps, with 64 changed vectors each.
    seed : int
        Of the changes.

    Returns
    -------
    ndarray (d,)
        At least as bad as every start.

    Examples
    --------
    >>> def spread(v):
    ...     return np.sum(np.abs(v), axis=-1) ** 2 / np.sum(v * v, axis=-1)
    >>> v = worst_vector(spread, np.array([[1.0, 0.0, 0.0, 0.0]]), steps=50, seed=0)
    >>> bool(spread(v) > 3.99)
    True
    """
    check_count(steps, "steps", lowest=0)
    rng = np.random.default_rng(seed)
    vectors, values = starts, badness(starts)
    for _ in range(steps):
        worst = np.argsort(values)[-4:]
        vectors, values = vectors[worst], values[worst]
        changed = _changed(vectors[rng.integers(len(vectors), size=64)], rng)
        changed = changed[np.any(changed, axis=-1)]
        vectors, values = np.concatenate([vectors, changed]), np.concatenate([values, badness(changed)])
    found: NDArray[Any] = vectors[np.argmax(values)]
    return found


def _changed(vectors: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Return each vector (m, d) with a random part of its entries changed in one of several ways."""
    m, d = vectors.shape
    part = rng.random((m, d)) < rng.choice([1 / d, 0.25, 0.5, 1.0], size=(m, 1))
    size = rng.choice([1.0, 0.1, 0.01], size=(m, 1))
    another = np.abs(np.take_along_axis(vectors, rng.integers(d, size=(m, 1)), axis=1))
    ways = np.stack(
        [
            vectors * np.exp(size * rng.standard_normal((m, 1))),  # the part larger or smaller, as a whole
            vectors * np.exp(size * rng.standard_normal((m, d))),  # each entry by itself
            np.broadcast_to(another * np.exp(size * rng.standard_normal((m, 1))), (m, d)),  # equal magnitudes
            np.zeros((m, d)),
            -vectors,
        ]
    )
    changed: NDArray[Any] = np.where(part, ways[rng.integers(len(ways), size=m), np.arange(m)], vectors)
    return changed
