"""Comparisons of what was measured with what was promised: at most 1 where the promise was kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from taciturn.theory.theorem import Guarantee, Number

from .fields import Array

__all__ = [
    "DIGITS",
    "TOLERANCE",
    "agreement",
    "e_foldings",
    "iterations_missed",
    "promised_e_foldings",
    "quotient",
    "reached",
    "stated",
]

TOLERANCE = 1e-9
"""How far above 1 a ratio may be by rounding: instances are conditioned up to 1e4 and have at most a few dozen
coordinates, so every measured quantity is known to about 1e-16 x 1e4 x 100 = 1e-10, relative."""

DIGITS = 1e-12
"""A gap that has shrunk by this factor counts as zero."""


def stated(number: Number | None) -> Array:
    """Return a number of a guarantee, which the theorem must state."""
    if number is None:
        raise ValueError("the theorem states no such number; its attack asks for one")
    return np.asarray(number)


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


def reached(measured: ArrayLike, bound: ArrayLike, scale: ArrayLike) -> Array:
    """Return measured / bound where both may vanish: `DIGITS` of the scale of the problem are added to the bound."""
    return quotient(measured, np.asarray(bound) + DIGITS * np.asarray(scale))


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


def promised_e_foldings(factor: ArrayLike) -> Array:
    """Return the e-foldings that a factor promises, less what rounding may hide.

    The share 1 - factor is compared with a measured one that is known to 1e-10 relatively (see `TOLERANCE`), and the
    factor itself to 1e-15; both are taken off. No more than `DIGITS` digits are promised.
    """
    lost = np.maximum((1 - np.asarray(factor)) * (1 - 1e-10) - 2e-15, 0.0)
    return -np.log1p(-np.minimum(lost, 1 - DIGITS))


def iterations_missed(guarantee: Guarantee, k: ArrayLike, measured: Array, initial: Array) -> Array:
    """Return (k + 1) / the promised number of iterations to a little less than what was measured after k.

    That accuracy is not reached after k iterations, so the whole number must be at least k + 1; where it is, the answer
    is 0, because rounding up hides the slack.
    """
    eps = np.where(measured > 0, measured * (1 - 1e-6), 1.0)
    needed = np.asarray(k) + 1
    promised = guarantee.iterations(eps, initial)
    return np.where((measured > 0) & (promised < needed), quotient(needed, promised), 0.0)
