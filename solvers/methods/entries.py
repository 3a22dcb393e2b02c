"""Sending some of the entries of many vectors at once, each as its index and its value."""

import math

import numpy as np
from numpy.typing import ArrayLike

from taciturn.theory.communication import Cost, entry_bits

from .. import passes
from ..array import Array, array_like, array_namespace, check_gradient, detached, float_bits, scatter, to_numpy
from .sender import decrease
from .state import Sent

__all__ = ["reaching_positions", "send_entries"]


def send_entries(vectors: Array, positions: Array, cost: Cost | None) -> Sent:
    """Send the entries at some positions.

    Parameters
    ----------
    vectors : Array, shape (..., n, d)
        Finite real numbers.
    positions : Array of integers, shape (N,)
        Where in the flattened vectors, increasing. Entries that are zero are not sent.
    cost : Cost or None
        Price of a message with T entries; None for the bits of T indices and values.

    Returns
    -------
    Sent
        With the realised coefficients 1 - ||C(v) - v||^2 / ||v||^2.

    Examples
    --------
    >>> sent = send_entries(np.array([[3.0, 4.0]]), np.array([1]), cost=None)
    >>> sent.vectors, sent.cost, sent.coefficient
    (array([[0., 4.]]), array([65]), array([0.64]))
    """
    vectors = detached(vectors)
    xp = array_namespace(vectors)
    shape, d = vectors.shape[:-1], vectors.shape[-1]
    values = xp.take(xp.reshape(vectors, (-1,)), positions)
    kept = scatter(values, positions, vectors.shape)
    numbers = to_numpy(values).astype(np.float64)
    rows, n = to_numpy(positions) // d, math.prod(shape)
    entries = np.bincount(rows[numbers != 0], minlength=n).reshape(shape)
    if cost is None:
        price = entries * entry_bits("S", d, float_bits(vectors))
    else:
        price = np.where(entries > 0, cost(np.maximum(entries, 1)), 0.0)
    with np.errstate(over="ignore"):
        energy, precision = to_numpy(xp.vecdot(vectors, vectors)), xp.finfo(vectors.dtype)
    if np.all((energy > precision.smallest_normal / precision.eps**2) & np.isfinite(energy)):
        share = np.minimum(np.bincount(rows, numbers**2, minlength=n).reshape(shape) / energy, 1.0)
    else:  # squares that vanish or overflow
        share = to_numpy(decrease(vectors, kept))
    return Sent(kept, price, entries, share, positions)


def reaching_positions(vectors: Array, thresholds: ArrayLike) -> Array:
    """Return where the entries of at least a magnitude are in the flattened array, increasing.

    Parameters
    ----------
    vectors : Array, shape (..., n, d)
        Real numbers.
    thresholds : array_like, shape (n,) or (..., n)
        At least 0, one for each worker, or for each worker and replica.

    Raises
    ------
    TypeError, ValueError
        If the vectors are not finite real floating-point numbers.

    Notes
    -----
    A pass in pieces that stay in the cache. In single precision the entries are compared with the smallest number of
    that precision that is at least the threshold, which decides as the threshold itself.

    Examples
    --------
    >>> reaching_positions(np.array([[1.0, -3.0], [2.0, 4.0]]), [1.0, 3.0])
    array([0, 1, 3])
    """
    xp = array_namespace(vectors)
    d = vectors.shape[-1]
    levels = np.array(np.broadcast_to(thresholds, vectors.shape[:-1]), dtype=np.float64).ravel()
    if float_bits(vectors) == 32:
        rounded = levels.astype(np.float32)
        levels = np.where(rounded < levels, np.nextafter(rounded, np.float32(np.inf)), rounded)
    column = array_like(levels, vectors)[:, None]
    rows = xp.reshape(detached(vectors), (-1, d))
    height, width = max(passes.CHUNK // d, 1), min(d, passes.CHUNK)
    found = []
    for top in range(0, rows.shape[0], height):
        some, own = rows[top : min(top + height, rows.shape[0]), :], column[top : min(top + height, rows.shape[0]), :]
        for left in range(0, d, width):
            piece = check_gradient(some[:, left : min(left + width, d)], "vectors")
            (reached,) = xp.nonzero(xp.reshape(xp.abs(piece) >= own, (-1,)))
            found.append(reached + top * d + left)  # a piece is of one row, or of whole rows
    return xp.concat(found)
