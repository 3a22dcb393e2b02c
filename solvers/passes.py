"""Reading a long vector: fixed samples of it, and passes over it in pieces that stay in the cache."""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .array import Array, array_like, array_namespace, check_gradient, detached

__all__ = ["CHUNK", "LARGEST_SAMPLE", "check_ahead", "magnitude_chunks", "sample_magnitudes", "sample_size"]

LARGEST_SAMPLE = 2**15
"""Entries looked at, at most, to guess a level."""

CHUNK = 2**16
"""Entries per step of a pass: few enough, in double precision, to stay in the cache from one operation to the next."""

_GOLDEN_SECTION = (math.sqrt(5) - 1) / 2


def sample_size(d: int) -> int:
    """Return how many of d entries to look at: all of a few, an eighth of more, and never many.

    Examples
    --------
    >>> sample_size(100), sample_size(10_000), sample_size(10_000_000)
    (100, 1250, 32768)
    """
    return min(d, max(512, d // 8), LARGEST_SAMPLE)


def check_ahead(v: Array, name: str) -> Array:
    """Return a gradient checked as by `check_gradient`, but of a long vector only the head: a first pass does the rest.

    Raises
    ------
    TypeError, ValueError
        As `check_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> check_ahead(np.ones(3), "gradient")
    array([1., 1., 1.])
    """
    is_long = getattr(v, "ndim", None) == 1 and v.shape[0] > LARGEST_SAMPLE
    if not is_long:
        return check_gradient(v, name)
    check_gradient(v[:LARGEST_SAMPLE], name)
    return detached(v)


def sample_magnitudes(v: Array, size: int) -> Array:
    """Magnitudes of ``size`` entries of a vector, at fixed positions without a period, in increasing order.

    Parameters
    ----------
    v : Array, shape (d,)
        The vector.
    size : int
        Number of entries to look at; from d on it is all of them, once each.

    Returns
    -------
    Array, shape (min(size, d),)

    Notes
    -----
    The multiples of the golden section modulo 1 are spread more evenly than random points, and they do not resonate
    with a vector that repeats with a period, as a flattened matrix does.

    Examples
    --------
    >>> import numpy as np
    >>> sample_magnitudes(np.array([-3.0, 1.0, 2.0]), 3)
    array([1., 2., 3.])
    """
    xp = array_namespace(v)
    d = v.shape[0]
    if size < d:
        v = xp.take(v, array_like(_positions(size, d), v, dtype=xp.int64))
    return xp.sort(xp.abs(v), stable=False)


@lru_cache(maxsize=16)
def _positions(size: int, d: int) -> NDArray[Any]:
    """Where a sample looks; the rows of a batch are all looked at in the same places."""
    return ((np.arange(1, size + 1) * _GOLDEN_SECTION) % 1.0 * d).astype(np.int64)


def magnitude_chunks(v: Array, size: int | None = None) -> Iterator[tuple[int, Array]]:
    """Yield the magnitudes of a vector in pieces, each with the index of its first entry.

    Parameters
    ----------
    v : Array, shape (d,)
        The vector.
    size : int, optional
        Entries of a piece; default `CHUNK`.

    Examples
    --------
    >>> import numpy as np
    >>> list(magnitude_chunks(np.array([-3.0, 1.0])))
    [(0, array([3., 1.]))]
    """
    xp = array_namespace(v)
    size = CHUNK if size is None else size
    for start in range(0, v.shape[0], size):
        yield start, xp.abs(v[start : min(start + size, v.shape[0])])
