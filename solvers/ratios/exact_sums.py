"""Sums and scalar products without rounding, or nearly so."""

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["chunks", "close_dot", "exact_dot", "exact_sum"]

Vector = NDArray[np.float64]

_CHUNK = 2**16
_SPLITTER = 2.0**27 + 1


def chunks(n: int) -> Iterator[slice]:
    """Cut 0..n into pieces that stay in the cache from one operation to the next.

    Examples
    --------
    >>> list(chunks(3))
    [slice(0, 3, None)]
    """
    for start in range(0, n, _CHUNK):
        yield slice(start, min(start + _CHUNK, n))


def exact_sum(x: Vector) -> Fraction:
    """Return the sum of finite numbers, not rounded.

    Parameters
    ----------
    x : numpy.ndarray of float, shape (n,)
        Below 2^970 in magnitude.

    Notes
    -----
    Adding and subtracting a large power of two leaves multiples of a unit that are few enough to be added in any order
    without rounding; the rests are treated likewise (Rump, Ogita, Oishi 2008).

    Examples
    --------
    >>> exact_sum(np.array([1e16, 1.0, -1e16]))
    Fraction(1, 1)
    """
    return _sum(x, everything=True)


def exact_dot(x: Vector, y: Vector) -> Fraction:
    """Return the scalar product of two vectors, not rounded; a view of one repeated number costs no more than a sum.

    Parameters
    ----------
    x, y : numpy.ndarray of float, shape (n,)
        Their products are between 2^-900 and 2^900, or zero.

    Examples
    --------
    >>> exact_dot(np.array([0.1, 3.0]), np.array([10.0, 1.0])) == 10 * Fraction(0.1) + 3
    True
    """
    return _dot(x, y, everything=True)


def close_dot(x: Vector, y: Vector) -> Fraction:
    """Return the scalar product of two vectors to a relative 2^-70 of n times the largest product, in half the time.

    Examples
    --------
    >>> x, y = np.array([0.1, 3.0]), np.array([10.0, 1.0])
    >>> abs(close_dot(x, y) - exact_dot(x, y)) < 2.0**-68
    True
    """
    return _dot(x, y, everything=False)


def _dot(x: Vector, y: Vector, everything: bool) -> Fraction:
    if x.strides == (0,):
        return Fraction(float(x[0])) * _sum(y, everything)
    total = Fraction(0)
    for piece in chunks(y.size):
        product, error = _two_product(x[piece], y[piece])
        total += _sum(product, everything) + (_sum(error, True) if everything else Fraction(float(error.sum())))
    return total


def _sum(x: Vector, everything: bool) -> Fraction:
    total = Fraction(0)
    for piece in chunks(x.size):
        rest = x[piece]
        bits = rest.size.bit_length()
        largest = max(float(rest.max()), -float(rest.min()))
        level = math.ldexp(1.0, math.frexp(largest)[1] + bits)
        while largest > 0:
            leading = (rest + level) - level
            total += Fraction(float(leading.sum()))
            rest = rest - leading
            level *= 2.0 ** (bits - 52)  # the rests are at most half a unit of the last level
            if not everything:
                total += Fraction(float(rest.sum()))
                break
            largest = float(rest.any())
    return total


def _two_product(x: Vector, y: Vector) -> tuple[Vector, Vector]:
    """The rounded products and what rounding left out (Dekker 1971)."""
    (x_high, x_low), (y_high, y_low) = _halves(x), _halves(y)
    product = x * y
    excess = product - x_high * y_high
    excess -= x_low * y_high
    excess -= x_high * y_low
    return product, x_low * y_low - excess


def _halves(x: Vector) -> tuple[Vector, Vector]:
    scaled = _SPLITTER * x
    high = scaled - (scaled - x)
    return high, x - high
