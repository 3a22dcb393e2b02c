"""Exact selection of the largest magnitudes, without sorting a long vector."""

import math

import numpy as np
from numpy.typing import ArrayLike

from . import passes
from .array import Array, array_like, array_namespace, check_count, check_gradient, check_positive, detached

__all__ = ["threshold_indices", "top_k_indices", "top_k_mask", "top_k_positions"]


def top_k_mask(v: Array, k: int) -> Array:
    """Mark the k entries of largest magnitude along the last axis.

    Parameters
    ----------
    v : Array, shape (..., d)
        Real numbers.
    k : int
        Number of entries to mark, 1..d.

    Returns
    -------
    Array of booleans, shape (..., d)
        Exactly k true entries in each row; among equal magnitudes those of lowest index: the set I_k(v) of the
        dossier, chapter 1, section 0.

    Raises
    ------
    TypeError
        If ``v`` is not an array of real floating-point numbers, or ``k`` is not an integer.
    ValueError
        If ``v`` is empty or not finite, or ``k`` is outside 1..d.

    Examples
    --------
    >>> import numpy as np
    >>> top_k_mask(np.array([[1.0, -3.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]]), 2)
    array([[False,  True,  True, False],
           [ True,  True, False, False]])
    """
    v, k = _checked(v, k)
    xp = array_namespace(v)
    if _is_long(v):
        return _mask(xp.abs(v), xp.min(xp.abs(xp.take(v, _select(v, k)))), k)
    return _sorted_mask(v, k)


def top_k_indices(v: Array, k: int) -> Array:
    """Return the indices of the k entries of largest magnitude along the last axis, in increasing order.

    Parameters
    ----------
    v : Array, shape (..., d)
        Real numbers.
    k : int
        Number of entries to select, 1..d.

    Returns
    -------
    Array of integers, shape (..., k)
        Increasing along the last axis; among equal magnitudes the lowest indices are selected.

    Raises
    ------
    TypeError
        If ``v`` is not an array of real floating-point numbers, or ``k`` is not an integer.
    ValueError
        If ``v`` is empty or not finite, or ``k`` is outside 1..d.

    Notes
    -----
    A long vector is read once: a small sample gives a level that a little more than k entries should reach, the pass
    keeps those, and only they are sorted. The answer never depends on the sample: a level that fewer than k entries
    reach is replaced by that of a larger sample, in the end of everything.

    Examples
    --------
    >>> import numpy as np
    >>> top_k_indices(np.array([1.0, -3.0, 3.0, 2.0, -2.0]), 3)
    array([1, 2, 3])
    """
    v, k = _checked(v, k)
    if _is_long(v):
        return _select(v, k)
    xp = array_namespace(v)
    return xp.reshape(xp.nonzero(_sorted_mask(v, k))[-1], (*v.shape[:-1], k))


def top_k_positions(v: Array, counts: ArrayLike) -> Array:
    """Return where the largest magnitudes of each row are in the flattened array, each row's own number of them.

    Parameters
    ----------
    v : Array, shape (..., d)
        Real numbers.
    counts : array_like of int, of a shape that broadcasts to (...)
        How many entries of each row, 1..d.

    Returns
    -------
    Array of integers, shape (sum of the counts,)
        Increasing; among equal magnitudes of a row the lowest indices are selected.

    Raises
    ------
    TypeError
        If ``v`` is not an array of real floating-point numbers, or the counts are not integers.
    ValueError
        If ``v`` is empty or not finite, or a count is outside 1..d.

    Notes
    -----
    Short rows are sorted, as many at a time as stay in the cache; long ones are read once, as by `top_k_indices`.

    Examples
    --------
    >>> import numpy as np
    >>> top_k_positions(np.array([[1.0, -3.0], [2.0, 4.0]]), [2, 1])
    array([0, 1, 3])
    """
    v = detached(v)
    xp = array_namespace(v)
    d = v.shape[-1]
    k = np.array(np.broadcast_to(counts, v.shape[:-1])).ravel()
    if k.dtype.kind not in "iu":
        raise TypeError(f"counts are of {k.dtype}; accepted: integers")
    for i in np.flatnonzero((k < 1) | (k > d))[:1]:
        raise ValueError(f"counts[{i}] = {k[i]} is outside the accepted range 1..{d}")
    rows = xp.reshape(v, (-1, d))
    step = 1 if d > passes.LARGEST_SAMPLE else max(passes.CHUNK // d, 1)
    found = []
    for first in range(0, rows.shape[0], step):
        some, own = rows[first : min(first + step, rows.shape[0]), :], k[first : first + step]
        if d > passes.LARGEST_SAMPLE:
            indices = _select(passes.check_ahead(some[0, :], "v"), int(own[0]))
        else:
            ordered = xp.reshape(xp.sort(xp.abs(check_gradient(some, "v")), axis=-1, stable=False), (-1,))
            last = array_like(np.arange(1, own.size + 1) * d - own, v, dtype=xp.int64)
            marked = _mask(xp.abs(some), xp.take(ordered, last)[:, None], array_like(own, v, dtype=xp.int64)[:, None])
            (indices,) = xp.nonzero(xp.reshape(marked, (-1,)))
        found.append(indices + first * d)
    return xp.concat(found)


def threshold_indices(v: Array, magnitude_threshold: float) -> Array:
    """Return the indices of the entries of at least a magnitude, in increasing order, in one pass without sorting.

    Parameters
    ----------
    v : Array, shape (d,)
        Real numbers.
    magnitude_threshold : float
        Positive.

    Returns
    -------
    Array of integers, shape (N,)
        As many as there are.

    Raises
    ------
    TypeError
        If ``v`` is not an array of real floating-point numbers.
    ValueError
        If ``v`` is no vector, empty or not finite, or the threshold is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> threshold_indices(np.array([1.0, -3.0, 0.5, 2.0]), 1.0)
    array([0, 1, 3])
    """
    v, level = passes.check_ahead(v, "v"), check_positive(magnitude_threshold, "magnitude_threshold")
    if v.ndim != 1:
        raise ValueError(f"v has the shape {tuple(v.shape)}; accepted: (d,)")
    xp = array_namespace(v)
    indices = []
    for start, magnitudes in passes.magnitude_chunks(v, 2 * passes.CHUNK):
        if not math.isfinite(float(xp.max(magnitudes))):
            check_gradient(v, "v")
        indices.append(xp.nonzero(magnitudes >= level)[0] + start)
    return xp.concat(indices)


def _is_long(v: Array) -> bool:
    return bool(v.ndim == 1 and v.shape[0] > passes.LARGEST_SAMPLE)


def _checked(v: Array, k: int) -> tuple[Array, int]:
    v = passes.check_ahead(v, "v")
    return v, check_count(k, "k", highest=v.shape[-1])


def _first(marked: Array, room: Array | int) -> Array:
    """Keep the first ``room`` true entries of each row."""
    xp = array_namespace(marked)
    return marked & (xp.cumulative_sum(xp.astype(marked, xp.int64), axis=-1) <= room)


def _mask(magnitudes: Array, threshold: Array, k: Array | int) -> Array:
    """Mark k entries of each row, the threshold being the k-th largest."""
    xp = array_namespace(magnitudes)
    reaching = magnitudes >= threshold
    if not xp.any(xp.count_nonzero(reaching, axis=-1, keepdims=True) > k):
        return reaching  # no ties to break
    above = magnitudes > threshold
    return above | _first(magnitudes == threshold, k - xp.count_nonzero(above, axis=-1, keepdims=True))


def _sorted_mask(v: Array, k: int) -> Array:
    xp = array_namespace(v)
    magnitudes = xp.abs(v)
    first = v.shape[-1] - k
    return _mask(magnitudes, xp.sort(magnitudes, axis=-1, stable=False)[..., first : first + 1], k)


def _select(v: Array, k: int) -> Array:
    """`top_k_indices` of a long vector."""
    xp = array_namespace(v)
    d = v.shape[0]
    # A sample of s entries costs in proportion to s, and keeps in proportion to sqrt(k d / s) entries too many: both
    # together cost least for s in proportion to the cube root of k d. Half a sample is enough for any level.
    half = -(-passes.sample_size(d) // 2)
    first = min(half, 2 ** math.ceil(math.log2(k * d) / 3 + 1))
    for size in (first, 16 * first, d):
        # Of a proper sample, `expected` entries are among the k largest, give or take the square root.
        expected = k * size / d
        rank = k if size >= d else math.ceil(expected + 4 * (math.sqrt(expected) + 1))
        if rank <= min(size, d):
            level = passes.sample_magnitudes(v, size)[-rank]
            indices, magnitudes = _reaching(v, level, k)
            if indices.shape[0] >= k:
                break
    threshold = xp.sort(magnitudes, stable=False)[-k]
    chosen, _ = _reaching(magnitudes, threshold, k - int(xp.count_nonzero(magnitudes > threshold)))
    return xp.take(indices, chosen)


def _reaching(v: Array, level: Array, room: int) -> tuple[Array, Array]:
    """Indices and magnitudes of the entries above a level and of the first ``room`` that equal it."""
    xp = array_namespace(v)
    indices, magnitudes = [], []
    # Nothing is converted to double precision here, so longer chunks stay in the cache.
    for start, chunk in passes.magnitude_chunks(v, 2 * passes.CHUNK):
        # While the chunk is in the cache this is nearly free; the full check finds the words.
        if not math.isfinite(float(xp.max(chunk))):
            check_gradient(v, "v")
        (reached,) = xp.nonzero(chunk >= level if room else chunk > level)
        found = xp.take(chunk, reached)
        tied = found == level
        ties = int(xp.count_nonzero(tied))
        if ties > room:
            kept = (found > level) | _first(tied, room)
            reached, found, ties = reached[kept], found[kept], room
        room -= ties
        indices.append(reached + start)
        magnitudes.append(found)
    return xp.concat(indices), xp.concat(magnitudes)
