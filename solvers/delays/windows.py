"""Window matrices of a delay pattern: their norm and their multiplicity, for steps that know the pattern."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..bounds import Bracket

__all__ = ["window_count", "window_norm"]

_TOLERANCE = 1e-6  # width of the bracket at which the power iteration stops, relative
_STEPS = 300  # and where it stops anyway; every step improves the upper limit
_EPS = float(np.finfo(np.float64).eps)


def window_norm(delay: ArrayLike) -> Bracket:
    """Bound w^2 = max_i ||W_i||_2^2, where W_i[k, j] = 1 if k - tau_i^k <= j < k, else 0.

    Parameters
    ----------
    delay : array_like of int, shape (K,) or (K, n)
        tau_i^k with 0 <= tau_i^k <= k: ``trace.delay``, or ``trace.largest_delay`` where all workers read one model
        or one worker is used at a time.

    Returns
    -------
    Bracket
        Both limits are rigorous; theorems take the upper one. It is at most the squared largest delay.

    Raises
    ------
    TypeError, ValueError
        If the delays are not integers in 0..k.

    Notes
    -----
    Source: dossier 4.11, `stale-pattern-aware`. M = W^T W has entries >= 0, so its largest eigenvalue is at most
    max_j (M x)_j / x_j for every positive x (Collatz 1942, Wielandt 1950) and at least |W x|^2 / |x|^2. Power
    iteration drives both together. M x is two running sums, O(K), and x is kept in integers: the sums are exact, and
    differences of them lose nothing.

    Examples
    --------
    >>> bracket = window_norm([0, 1, 2, 3] * 10)  # the hold pattern of length 4
    >>> round(bracket.lower, 4), round(bracket.upper, 4)
    (5.0489, 5.0489)
    """
    limits = [_column_norm(column) for column in _distinct_columns(delay)]
    return Bracket(max(limit.lower for limit in limits), max(limit.upper for limit in limits))


def window_count(delay: ArrayLike) -> int:
    """Return m = max_{i, j} sum_k W_i[k, j]: how many windows an iteration lies in, at most.

    Parameters
    ----------
    delay : array_like of int, shape (K,) or (K, n)
        As in `window_norm`.

    Examples
    --------
    >>> window_count([0, 1, 2, 3] * 10)
    3
    """
    columns = _distinct_columns(delay)
    return max(int(_Windows(column).adjoint(np.ones_like(column)).max(initial=0)) for column in columns)


class _Windows:
    """Products with the window matrix of one worker and with its transpose, by running sums of integers."""

    def __init__(self, delay: NDArray[np.int64]) -> None:
        self.k = np.arange(len(delay))
        self.first = self.k - delay
        self.order = np.argsort(self.first, kind="stable")
        self.begun = np.searchsorted(self.first[self.order], self.k, side="right")

    def product(self, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """(W x)_k = sum of x_j over k - tau_k <= j < k."""
        running = np.concatenate([[0], np.cumsum(x)])
        return np.asarray(running[self.k] - running[self.first])

    def adjoint(self, y: NDArray[np.int64]) -> NDArray[np.int64]:
        """(W^T y)_j = sum of y_k over the windows that have begun at j, less those that have ended (k <= j)."""
        running = np.concatenate([[0], np.cumsum(y[self.order])])
        return np.asarray(running[self.begun] - np.cumsum(y))


def _column_norm(delay: NDArray[np.int64]) -> Bracket:
    longest = int(delay.max(initial=0))
    if longest == 0:
        return Bracket(0.0, 0.0)
    windows = _Windows(delay)
    # No sum exceeds K times the longest window times the largest x: with this size it stays below 2^62.
    size = 2.0 ** (62 - (len(delay) * longest).bit_length())
    x = np.full(len(delay), int(size))
    lower, upper = 0.0, float(longest) ** 2
    for _ in range(_STEPS):
        sums = windows.product(x)
        product = windows.adjoint(sums)
        upper = min(upper, float((product / x).max()) * (1 + 2 * _EPS))
        a, b = sums.astype(np.float64), x.astype(np.float64)
        lower = max(lower, float(a @ a) / float(b @ b) * (1 - 2 * (len(delay) + 2) * _EPS))
        if upper <= lower * (1 + _TOLERANCE):
            break
        x = np.maximum((product * (size / product.max())).astype(np.int64), 1)
    return Bracket(min(lower, upper), upper)


def _distinct_columns(delay: ArrayLike) -> list[NDArray[np.int64]]:
    delays = np.asarray(delay)
    if not np.isdtype(delays.dtype, "integral"):
        raise TypeError(f"delay is of {delays.dtype}; accepted: integers")
    if delays.ndim not in (1, 2) or delays.size == 0:
        raise ValueError(f"delay has the shape {delays.shape}; accepted: (K,) or (K, n), neither zero")
    columns = delays.reshape(len(delays), -1).astype(np.int64)
    for k, i in np.argwhere((columns < 0) | (columns > np.arange(len(columns))[:, None]))[:1]:
        raise ValueError(f"delay = {columns[k, i]} of worker {i} in iteration {k} is outside the accepted range 0..{k}")
    return list({column.tobytes(): column for column in np.ascontiguousarray(columns.T)}.values())
