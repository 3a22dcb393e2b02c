"""Exact selection of the largest magnitudes, without sorting a long vector."""

import math

from . import passes
from .array import Array, array_namespace, check_count, check_gradient

__all__ = ["top_k_indices", "top_k_mask"]


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


def _is_long(v: Array) -> bool:
    return bool(v.ndim == 1 and v.shape[0] > passes.LARGEST_SAMPLE)


def _checked(v: Array, k: int) -> tuple[Array, int]:
    v = passes.check_ahead(v, "v")
    return v, check_count(k, "k", highest=v.shape[-1])


def _first(marked: Array, room: Array | int) -> Array:
    """Keep the first ``room`` true entries of each row."""
    xp = array_namespace(marked)
    return marked & (xp.cumulative_sum(xp.astype(marked, xp.int64), axis=-1) <= room)


def _mask(magnitudes: Array, threshold: Array, k: int) -> Array:
    """Mark k entries of each row, the threshold being the k-th largest."""
    xp = array_namespace(magnitudes)
    reaching = magnitudes >= threshold
    if not xp.any(xp.count_nonzero(reaching, axis=-1) > k):
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
    # Half a sample is enough for one level: what it costs less outweighs the entries that are kept more.
    half = -(-passes.sample_size(d) // 2)
    for size in (half, 16 * half, d):
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
