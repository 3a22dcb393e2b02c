"""Confidence intervals that hold at the sample sizes in use, not only in the limit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.checks import check_count, check_positive

__all__ = ["mean_interval"]


def mean_interval(samples: NDArray[Any], failure_probability: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the mean of samples along the first axis, and the half-width of its confidence interval.

    Parameters
    ----------
    samples : ndarray, shape (n, ...)
        Independent draws along the first axis, n at least 2.
    failure_probability : float
        Probability, for each column, that the true mean is outside mean +- half-width.

    Returns
    -------
    mean, half_width : ndarray, shape (...)

    Notes
    -----
    Empirical Bernstein inequality of Maurer and Pontil (2009), Theorem 4, on both sides: sqrt(2 V l / n) +
    7 b l / (3 (n - 1)), V the sample variance, l = ln(4 / failure_probability), b the length of an interval that holds
    every possible draw. For b stands the length of the interval that holds the draws seen: outcomes that are much
    larger and so rare that none was seen escape it, as they escape every test of a black box.

    Examples
    --------
    >>> draws = np.random.default_rng(0).integers(0, 2, 1000)
    >>> mean, half_width = mean_interval(draws, 0.01)
    >>> bool(abs(mean - 0.5) < half_width < 0.1)
    True
    """
    samples = np.asarray(samples)
    n = len(samples)
    check_count(n, "len(samples)", lowest=2)
    check_positive(failure_probability, "failure_probability", highest=1.0)
    logarithm = np.log(4 / failure_probability)
    spread = np.ptp(samples, axis=0)
    variance = np.var(samples, axis=0, ddof=1)
    half_width = np.sqrt(2 * variance * logarithm / n) + 7 * spread * logarithm / (3 * (n - 1))
    return np.mean(samples, axis=0), half_width
