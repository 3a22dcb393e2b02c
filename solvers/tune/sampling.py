"""Stochastic sparsification: the optimal probabilities, and a sample of fixed size that has them."""

import math

from ..array import Array, array_namespace, check_choice, check_gradient, check_positive

__all__ = ["optimal_probabilities", "systematic_sample"]


def optimal_probabilities(gradient: Array, T: float, method: str = "newton") -> Array:
    """Return the probabilities with sum T that minimise the second moment of the stochastic sparsification.

    Parameters
    ----------
    gradient : Array, shape (..., d)
        One gradient, or a stack of them.
    T : float
        Expected number of entries, in (0, d].
    method : str
        "newton": a few passes, no sort; "sort": a sort and a scan. They agree to rounding errors.

    Returns
    -------
    Array, shape (..., d)
        p_j = min(1, abs(g_j)/t) with the threshold t for which they sum to T; where T is at least the number of
        non-zeros, one for those and zero for the rest.

    Raises
    ------
    TypeError
        If the gradient is not an array of real floating-point numbers, or T is not a number.
    ValueError
        If the gradient is empty or not finite, T is outside (0, d], or the method is unknown.

    Notes
    -----
    `ss-optimal-p`, dossier, chapter 1, section 3.2; Wangni et al. (2018). Zeros are never sampled: p_j = 0 there.

    Examples
    --------
    >>> import numpy as np
    >>> optimal_probabilities(np.array([6.0, -1.0, 0.0, 1.0]), 2)
    array([1. , 0.5, 0. , 0.5])
    """
    gradient = check_gradient(gradient)
    T = check_positive(T, "T", highest=gradient.shape[-1])
    check_choice(method, "method", ("newton", "sort"))
    xp = array_namespace(gradient)
    magnitudes = xp.astype(xp.abs(gradient), xp.float64)
    largest = xp.max(magnitudes, axis=-1, keepdims=True)
    # Relative to the largest entry nothing overflows; a zero gradient stays zero.
    magnitudes = magnitudes / xp.where(largest > 0, largest, xp.ones_like(largest))
    nonzero = magnitudes > 0
    everything = xp.count_nonzero(nonzero, axis=-1, keepdims=True) <= math.floor(T)
    # Rows that keep every non-zero have their answer already; ones stand in for them, for which any T has a root.
    unsettled = xp.where(everything, xp.ones_like(magnitudes), magnitudes)
    clipped, left, rest = (_by_newton if method == "newton" else _by_sorting)(unsettled, float(T))
    # In this order, since left / rest may overflow.
    shares = magnitudes / xp.where(clipped, xp.ones_like(rest), rest)
    probabilities = xp.where(clipped, xp.ones_like(shares), xp.clip(left * shares, max=1.0))
    return xp.astype(xp.where(everything, xp.astype(nonzero, xp.float64), probabilities), gradient.dtype)


def systematic_sample(p: Array, uniform: Array) -> Array:
    """Select entries with the inclusion probabilities p, exactly sum(p) of them (Madow's systematic sampling).

    Parameters
    ----------
    p : Array, shape (..., d)
        Inclusion probabilities in [0, 1]; each row sums to an integer, to within rounding errors.
    uniform : Array, shape (...)
        One number in [0, 1) for each row.

    Returns
    -------
    Array of booleans, shape (..., d)
        True for the selected entries. Entries with p = 1 always are, those with p = 0 never.

    Raises
    ------
    TypeError
        If an argument is not an array of real floating-point numbers.
    ValueError
        If a number is out of range, the shapes do not match, or a row does not sum to an integer.

    Notes
    -----
    With the cumulative sums P_j, entry j is selected iff an integer i has uniform + i in [P_{j-1}, P_j). For a number
    that is uniform on [0, 1) this has the probability p_j, and the price of the message is known beforehand
    (`ss-fixed-size`, dossier, chapter 1, section 3.8). Entries are not selected independently of one another.

    Examples
    --------
    >>> import numpy as np
    >>> systematic_sample(np.array([0.5, 1.0, 0.25, 0.25]), np.array(0.6))
    array([False,  True,  True, False])
    """
    p = check_gradient(p, "p")
    xp = array_namespace(p, uniform)
    if tuple(uniform.shape) != tuple(p.shape[:-1]):
        raise ValueError(
            f"uniform has the shape {tuple(uniform.shape)}; p of the shape {tuple(p.shape)} needs one a row"
        )
    if not bool(xp.all((p >= 0) & (p <= 1))):
        raise ValueError("p has entries outside the accepted range [0, 1]")
    if not bool(xp.all((uniform >= 0) & (uniform < 1))):
        raise ValueError("uniform has entries outside the accepted range [0, 1)")
    # One less a rounding error is one: a step of the cumulative sums that is rounded up could pass two integers.
    certain = p >= 1 - p.shape[-1] * 2.0**-50
    cumulative = xp.cumulative_sum(xp.astype(xp.where(certain, xp.zeros_like(p), p), xp.float64), axis=-1)
    total = cumulative[..., -1:]
    size = xp.round(total)
    if not bool(xp.all(xp.abs(total - size) <= 1e-6 * xp.clip(total, min=1.0))):
        raise ValueError("p has rows that do not sum to an integer")
    # The end is made an exact integer, back to the last entry that is not zero: exactly `size` integers lie before it.
    cumulative = xp.where(cumulative >= total, size, xp.minimum(cumulative, size))
    # The number of i >= 0 with uniform + i < P_j; a difference P_j - uniform would be rounded.
    whole = xp.floor(cumulative)
    counted = whole + xp.astype(cumulative - whole > xp.astype(uniform, xp.float64)[..., None], xp.float64)
    before = xp.concat((xp.zeros_like(counted[..., :1]), counted[..., :-1]), axis=-1)
    return certain | (counted > before)


def _by_newton(magnitudes: Array, T: float) -> tuple[Array, Array, Array]:
    """Root s of sum_j min(1, s b_j) = T, a concave piecewise linear function of s, by Newton's method.

    From the left the iterates increase and entries are only added to the clipped set, which is final once none is.
    Returned are that set and s as a fraction: the entries left for the others, and the sum of the others.
    """
    xp = array_namespace(magnitudes)
    rest = xp.sum(magnitudes, axis=-1, keepdims=True)
    left = xp.full_like(rest, T)
    clipped = left * magnitudes >= rest
    while True:
        others = xp.sum(xp.where(clipped, xp.zeros_like(magnitudes), magnitudes), axis=-1, keepdims=True)
        count = xp.astype(xp.count_nonzero(clipped, axis=-1, keepdims=True), xp.float64)
        # Fewer than T entries are clipped; where rounding errors say otherwise, the last fraction is the root.
        better = (others > 0) & (count < T)
        left, rest = xp.where(better, T - count, left), xp.where(better, others, rest)
        # Rounding errors may not take an entry out again: the loop has to end.
        grown = clipped | (left * magnitudes >= rest)
        if not bool(xp.any(grown & ~clipped)):
            return clipped, left, rest
        clipped = grown


def _by_sorting(magnitudes: Array, T: float) -> tuple[Array, Array, Array]:
    """The same: the m clipped entries are the fewest with b_{m+1} <= t_m = (b_{m+1} + ... + b_d)/(T - m)."""
    xp = array_namespace(magnitudes)
    ascending = xp.sort(magnitudes, axis=-1, stable=False)
    # Summed from the smallest up, the tails do not suffer from cancellation.
    tails = xp.flip(xp.cumulative_sum(ascending, axis=-1), axis=-1)
    left = T - xp.arange(magnitudes.shape[-1], dtype=xp.float64, device=magnitudes.device)
    enough = (left > 0) & (left * xp.flip(ascending, axis=-1) <= tails)
    m = xp.argmax(xp.astype(enough, xp.int8), axis=-1, keepdims=True)
    left, rest = T - xp.astype(m, xp.float64), xp.take_along_axis(tails, m, axis=-1)
    return left * magnitudes >= rest, left, rest
