"""The threshold of an affine cost: CAT for S without sorting, sampling or selecting."""

from ..array import Array, array_namespace, check_non_negative

__all__ = ["adaptive_threshold"]


def adaptive_threshold(squares: Array, overhead: float) -> float:
    """Return the price of progress: the largest A_T / (overhead + T) over T, where A_T sums the T largest squares.

    An entry is worth its price if its square is at least this (`eff-threshold`): CAT for S with the cost c0 + c1 T
    sends the entries with g_j^2 >= threshold, where the overhead is c0/c1 entries.

    Parameters
    ----------
    squares : Array, shape (d,)
        Squared magnitudes, not all zero.
    overhead : float
        At least 0.

    Returns
    -------
    float
        In the units of the squares.

    Raises
    ------
    ValueError
        If the overhead is negative or not finite, or no square is positive.

    Notes
    -----
    Newton's method for sum_j (g_j^2 - t)_+ = overhead t, a convex and piecewise linear equation: from t = 0 the
    iterates increase, the entries above them only become fewer, and only those are read again.
    Source: dossier chapter 1, section 4.4.

    Examples
    --------
    >>> import numpy as np
    >>> adaptive_threshold(np.array([9.0, 1.0, 4.0, 0.0]), overhead=0.5)
    6.0
    """
    overhead = check_non_negative(overhead, "overhead")
    xp = array_namespace(squares)
    active = xp.take(squares, xp.nonzero(squares > 0)[0])
    if active.shape[0] == 0:
        raise ValueError("squares are all zero; accepted: at least one positive number")
    while True:
        threshold: float = float(xp.sum(active)) / (active.shape[0] + overhead)
        (above,) = xp.nonzero(active > threshold)
        # None of several equal squares is above their mean, which is the threshold if there is no overhead.
        if above.shape[0] in (0, active.shape[0]):
            return threshold
        active = xp.take(active, above)
