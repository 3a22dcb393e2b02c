"""Index coding: what the positions of T of d entries cost when they are not sent as plain indices."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taciturn.theory.checks import check_count

from .entries import integer_entries
from .payload import index_bits

__all__ = [
    "elias_gamma_bits",
    "entropy_index_bits",
    "golomb_rice_mean_bits",
    "golomb_rice_remainder_bits",
    "rice_bits",
    "rice_bound",
    "rice_remainder_bits",
]


def entropy_index_bits(T: ArrayLike, d: int) -> Any:
    """Return log2 of the number of sets of T of d indices: the least a code for equally likely sets can take.

    Parameters
    ----------
    T : integer or array of integers
        Number of entries, 0..d.
    d : int
        Length of the gradient.

    Returns
    -------
    float or array of float64, in bits

    Raises
    ------
    TypeError
        If T or d is not integer.
    ValueError
        If T is outside 0..d.

    Notes
    -----
    Concave in T, 0 at T = 0 and T = d, at most ``index_bits(d) * T``: with such a code CAT sends at least as many
    entries as with plain indices (`entropy-larger-T`, dossier, chapter 1, section 8.3). Priced as
    ``TableCost(c0 + value_bits * T + entropy_index_bits(T, d))`` for T = 1..d.

    Examples
    --------
    >>> float(2 ** entropy_index_bits(2, 4))
    6.0
    """
    d = check_count(d, "d")
    entries = integer_entries(T, "T", 0, d)
    # binom(d, T) = prod_{j<=t} (d - j + 1)/j with t = min(T, d - T), by symmetry the shorter product.
    shorter = np.minimum(entries, d - entries)
    j = np.arange(1, int(np.max(shorter, initial=0)) + 1)
    logarithms = np.concatenate(([0.0], np.cumsum(np.log2((d - j + 1) / j))))
    return logarithms[shorter]


def rice_remainder_bits(T: int, d: int) -> int:
    """Return the Rice parameter c = ceil(log2(d/T)): bits of a gap that are sent as they are.

    Examples
    --------
    >>> rice_remainder_bits(1000, 47236)
    6
    """
    T = check_count(T, "T", highest=d)
    return index_bits(-(-d // T))


def rice_bound(T: int, d: int) -> int:
    """Return a number of bits that the Rice code needs at most for any T of d indices, T (c + 2).

    With c = ceil(log2(d/T)) the quotients of all gaps sum to at most d/2^c <= T (`rice-bound`, dossier, chapter 1,
    section 8.3): at most three bits an index above log2(d/T).

    Examples
    --------
    >>> rice_bound(1000, 47236)
    8000
    """
    remainder_bits = rice_remainder_bits(T, d)
    return int(T) * (remainder_bits + 2)


def rice_bits(indices: ArrayLike, d: int, remainder_bits: int | None = None) -> int:
    """Return the bits of a set of indices as Rice-coded gaps.

    Parameters
    ----------
    indices : array of integers, shape (T,)
        Strictly increasing, in 0..d-1.
    d : int
        Length of the gradient.
    remainder_bits : int, optional
        The Rice parameter c; by default `rice_remainder_bits`.

    Returns
    -------
    int, in bits
        The sum over the gaps of quotient by 2^c (in unary), one end mark, and c bits of remainder.

    Raises
    ------
    TypeError
        If the indices are not integers.
    ValueError
        If there are none, or they are not strictly increasing in 0..d-1.

    Examples
    --------
    >>> rice_bits([0, 3, 9], 16)
    12
    """
    gaps = _gaps(indices, d)
    c = rice_remainder_bits(gaps.size, d) if remainder_bits is None else remainder_bits
    c = check_count(c, "remainder_bits", lowest=0)
    return int(np.sum(((gaps - 1) >> c) + 1 + c))


def elias_gamma_bits(indices: ArrayLike, d: int) -> int:
    """Return the bits of a set of indices as Elias-gamma-coded gaps, at most 2 T log2(d/T) + T.

    Parameters
    ----------
    indices : array of integers, shape (T,)
        Strictly increasing, in 0..d-1.
    d : int
        Length of the gradient.

    Returns
    -------
    int, in bits

    Raises
    ------
    TypeError
        If the indices are not integers.
    ValueError
        If there are none, or they are not strictly increasing in 0..d-1.

    Examples
    --------
    >>> elias_gamma_bits([0, 3, 9], 16)
    9
    """
    # frexp gives the exponent exactly: 2^(e-1) <= gap < 2^e.
    _, exponents = np.frexp(_gaps(indices, d).astype(np.float64))
    return int(np.sum(2 * (exponents - 1) + 1))


def golomb_rice_remainder_bits(density: float) -> int:
    """Return the best Rice parameter for independent random positions of a given density in (0, 1).

    Source: c = max{0, 1 + floor(log2(ln(phi - 1) / ln(1 - density)))} with the golden ratio phi, as in Sattler et al.
    (2019); dossier, chapter 1, section 8.3.

    Examples
    --------
    >>> golomb_rice_remainder_bits(0.01)
    6
    """
    _check_density(density)
    golden_ratio = (1 + math.sqrt(5)) / 2
    return max(0, 1 + math.floor(math.log2(math.log(golden_ratio - 1) / math.log1p(-density))))


def golomb_rice_mean_bits(density: float, remainder_bits: int) -> float:
    """Return the mean bits of an index under the Rice code, for independent random positions of a given density.

    The gaps are geometric, so the unary part has the mean 1 / (1 - (1 - density)^(2^c)).

    Examples
    --------
    >>> round(golomb_rice_mean_bits(0.01, 6), 3)
    8.108
    """
    _check_density(density)
    remainder_bits = check_count(remainder_bits, "remainder_bits", lowest=0)
    return remainder_bits - 1 / math.expm1(2**remainder_bits * math.log1p(-density))


def _check_density(density: float) -> None:
    if not 0 < density < 1:
        raise ValueError(f"density = {density} is outside the accepted range (0, 1)")


def _gaps(indices: ArrayLike, d: int) -> NDArray[np.int64]:
    d = check_count(d, "d")
    positions = integer_entries(indices, "indices", 0, d - 1)
    if positions.ndim != 1 or not positions.size:
        raise ValueError(f"indices has the shape {positions.shape}; accepted: (T,) with T >= 1")
    gaps: NDArray[np.int64] = np.diff(np.concatenate(([-1], positions)))
    repeated = np.flatnonzero(gaps < 1)
    if repeated.size:
        raise ValueError(f"indices[{repeated[0]}] = {positions[repeated[0]]} is not above the index before it")
    return gaps
