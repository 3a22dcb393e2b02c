"""Comparisons of what was measured with what was promised: at most 1 where the promise was kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from taciturn.theory.theorem import Guarantee

from .fields import Array

__all__ = ["TOLERANCE", "agreement", "e_foldings", "iterations_needed", "progress", "promised_e_foldings", "quotient"]

TOLERANCE = 1e-9
"""How far above 1 a ratio may be by rounding: instances are conditioned up to 1e4 and have at most a few dozen
coordinates, so every measured quantity is known to about 1e-16 x 1e4 x 100 = 1e-10, relative."""

DIGITS = 1e-12
"""A gap that has shrunk by this factor counts as zero."""

_ROUNDING = 2e-15  # of the logarithm of one rate


def quotient(part: ArrayLike, whole: ArrayLike) -> Array:
    """Return part / whole: 0 where both are 0, infinite where only the whole is 0 or negative.

    Examples
    --------
    >>> quotient([1.0, 0.0, 1.0], [2.0, 0.0, 0.0])
    array([0.5, 0. , inf])
    """
    part, whole = np.broadcast_arrays(np.asarray(part, dtype=float), np.asarray(whole, dtype=float))
    beyond = np.where(part > 0, np.inf, np.where(np.isnan(part), np.nan, 0.0))
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.where(np.isnan(whole), np.nan, beyond))


def agreement(measured: ArrayLike, stated: ArrayLike) -> Array:
    """Return the larger of measured/stated and stated/measured, for equalities between non-negative numbers.

    Examples
    --------
    >>> agreement([2.0, 0.0], [4.0, 0.0])
    array([2., 1.])
    """
    same = np.equal(measured, stated)
    return np.where(same, 1.0, np.maximum(quotient(measured, stated), quotient(stated, measured)))


def e_foldings(decrease: Array, before: Array) -> Array:
    """Return ln(before / (before - decrease)): by how many factors of e a positive quantity shrank.

    From the decrease, and not from the quantity afterwards, slow progress is known to full relative accuracy.
    """
    with np.errstate(divide="ignore"):
        return -np.log1p(-np.minimum(quotient(decrease, before), 1.0))


def promised_e_foldings(rate: ArrayLike) -> Array:
    """Return the e-foldings that a factor promises, less the rounding of the factor, and no more than `DIGITS`."""
    return np.maximum(-np.log(np.maximum(rate, DIGITS)) - _ROUNDING, 0.0)


def progress(promised: Array, made: Array, counted: Array) -> Array:
    """Return the largest promised / made progress over all beginnings of runs.

    Parameters
    ----------
    promised, made : shape (m, K)
        E-foldings of every step.
    counted : shape (m, K)
        Steps that count; a run ends at the first that does not.

    Returns
    -------
    shape (m,)
        NaN for runs without a step.
    """
    running = np.logical_and.accumulate(counted, axis=1)
    sums = [np.cumsum(np.where(running, steps, 0.0), axis=1) for steps in (promised, made)]
    return np.where(running[:, 0], np.max(np.where(running, quotient(*sums), 0.0), axis=1), np.nan)


def iterations_needed(guarantee: Guarantee, k: ArrayLike, measured: Array, initial: Array) -> Array:
    """Return (k + 1) / the promised number of iterations to a little less than what was measured after k.

    The number is whole and must be at least k + 1, because after k iterations that accuracy is not reached.
    """
    eps = np.where(measured > 0, measured * (1 - 1e-6), 1.0)
    return np.where(measured > 0, quotient(np.asarray(k) + 1, guarantee.iterations(eps, initial)), 0.0)
