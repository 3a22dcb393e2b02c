"""Whole counts of entries under one budget, each method with the guarantee that is true for it."""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array import check_choice, check_count
from .criteria import Criterion, Power
from .errors import InfeasibleBudget
from .problem import LARGEST, SMALLEST, RatioProblem, check_range
from .waterfill import assign

__all__ = ["COUNT_METHODS", "Counts", "assign_counts"]

Integers = NDArray[np.int64]

COUNT_METHODS = {
    "proximity": "optimal, to rounding of the gains: no exchange of two entries is a gain",
    "greedy": "optimal, to rounding of the gains: every entry went where it gained most",
    "density": "within the stated gap of the optimum: the budget left was worth less",
    "dynamic": "optimal, to rounding of the objective: every split of the budget was tried",
}
"""Methods, each with its guarantee."""

_LARGEST_TABLE = 10**8


@dataclass(frozen=True, eq=False)
class Counts:
    """Whole numbers of entries that respect the limits and the budget exactly.

    Attributes
    ----------
    counts : numpy.ndarray of int, shape (n,)
        k_i.
    objective : float
        sum_i w_i f(k_i / d).
    spent, budget : int
        sum_i c_i k_i, and what there was to spend.
    gap : float
        Proven, to rounding: the objective is at most this far above that of the best whole numbers.
    method, guarantee : str
        How they were found, and what that proves.
    """

    counts: Integers
    objective: float
    spent: int
    budget: int
    gap: float
    method: str

    @property
    def guarantee(self) -> str:
        """What the method proves."""
        return COUNT_METHODS[self.method]


def assign_counts(
    weights: Any,
    budget: int,
    dimension: int,
    *,
    costs: Any = 1,
    lower: Any = 1,
    upper: Any = None,
    criterion: Criterion | None = None,
    method: str | None = None,
) -> Counts:
    """Minimise sum_i w_i f(k_i/d) subject to sum_i c_i k_i <= B, l_i <= k_i <= u_i, in whole numbers of entries k_i.

    Parameters
    ----------
    weights : array_like, shape (n,)
        w_i > 0.
    budget : int
        B, in the unit of the costs.
    dimension : int
        d.
    costs : array_like of int, shape (n,) or an integer
        c_i >= 1: the price of an entry.
    lower, upper : array_like of int, shape (n,) or an integer
        1 <= l_i <= u_i <= d; by default 1 and d.
    criterion : Criterion, optional
        f, by default Power(1).
    method : str, optional
        "proximity" (default for equal costs): round the solution of `assign` and exchange single entries until none is
        a gain, O(n log n) after it. "greedy": one entry after the other, O(B log n); equal costs. "density" (default
        for unequal costs): one entry after the other by gain per cost; where one does not fit, others are tried.
        "dynamic": dynamic programming, O(n B max u), small problems.

    Returns
    -------
    Counts
        With equal costs c the budget is spent to the last multiple of c, unless all upper limits are reached.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its kind or range, or the method does not apply.
    InfeasibleBudget
        If the budget does not pay for the lower limits.

    Notes
    -----
    Gains w_i (f(k/d) - f((k+1)/d)) decrease in k, since f is convex. With equal costs the largest B of them are
    therefore an assignment (`int-greedy`; Gross 1956, Fox 1966), and one that no exchange improves is optimal. With
    unequal costs this is a knapsack problem: what density gives is optimal for the budget it spends before the first
    entry that does not fit, whose density times the budget then left is the gap; entries that still fit reduce it.
    Source: dossier chapter 3, `int-greedy`, `int-proximity`, `int-weighted`.

    Examples
    --------
    >>> assign_counts([0.8, 0.2], budget=10, dimension=100).counts
    array([7, 3])
    >>> found = assign_counts([0.8, 0.2], budget=10, dimension=100, costs=[3, 2])
    >>> found.counts, found.spent, found.method
    (array([2, 2]), 10, 'density')
    """
    k, top = _limits(weights, dimension, lower, upper)
    weights = np.asarray(weights, dtype=np.float64)
    prices = _integers(costs, "costs", k.size, 1, None)
    budget = check_count(budget, "budget")
    criterion = Power() if criterion is None else criterion
    equal = len(set(prices)) == 1
    method = method or ("proximity" if equal else "density")
    check_choice(method, "method", tuple(COUNT_METHODS))
    if method in ("proximity", "greedy") and not equal:
        raise ValueError(f"method = {method!r} is optimal for equal costs only; accepted here: 'density', 'dynamic'")
    smallest = sum(c * count for c, count in zip(prices, k.tolist(), strict=True))
    if budget < smallest:
        raise InfeasibleBudget(budget, smallest, smallest - budget)
    scale: list[float] = weights.tolist()

    def gain(i: int, count: int) -> float:
        return scale[i] * float(criterion.gain(count, dimension))

    gap = 0.0
    if method == "dynamic":
        k = _dynamic(weights, k, top, prices, budget, lambda count: criterion.value(count / dimension))
    elif method == "density":
        k, gap = _by_density(k, top, prices, budget, gain)
    else:
        total = min(budget // prices[0], int(top.sum()))
        if method == "proximity" and total > k.sum():
            near = RatioProblem(weights, total / dimension, 1.0, k / dimension, top / dimension)
            k = np.clip(np.floor(assign(near, criterion).delta * dimension).astype(np.int64), k, top)
        lowest = _integers(lower, "lower", k.size, 1, dimension)
        k = _exchanged(k, np.array(lowest), top, total, gain)
    objective = float(np.dot(weights, criterion.value(k / dimension)))
    spent = sum(c * count for c, count in zip(prices, k.tolist(), strict=True))
    return Counts(k, objective, spent, budget, gap, method)


def _limits(weights: Any, dimension: int, lower: Any, upper: Any) -> tuple[Integers, Integers]:
    """Check the weights and the limits, and return the limits."""
    dimension = check_count(dimension, "dimension")
    array = np.asarray(weights, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"weights has the shape {array.shape}; accepted: (n,), one number for each of n >= 1 workers")
    check_range(array, "weights", SMALLEST, LARGEST)
    low = np.array(_integers(lower, "lower", array.size, 1, dimension))
    high = np.array(_integers(dimension if upper is None else upper, "upper", array.size, 1, dimension))
    for i in np.flatnonzero(low > high)[:1]:
        raise ValueError(f"lower[{i}] = {low[i]} is above upper[{i}] = {high[i]}")
    return low, high


def _integers(values: Any, name: str, n: int, lowest: int, highest: int | None) -> list[int]:
    array = np.asarray(values)
    if array.shape not in ((), (n,)):
        raise ValueError(f"{name} has the shape {array.shape}; accepted: one integer, or ({n},) as the weights")
    return [
        check_count(value, f"{name}[{i}]", lowest, highest)
        for i, value in enumerate(np.broadcast_to(array, (n,)).tolist())
    ]


def _exchanged(k: Integers, lowest: Integers, top: Integers, total: int, gain: Callable[[int, int], float]) -> Integers:
    """Add or remove entries until there are ``total``, the best first, and exchange them until that is no gain."""
    counts = k.tolist()
    left = total - sum(counts)
    # Entries on the heaps carry the count they were made for; they are stale once it has changed.
    ups = [(-gain(i, count), i, count) for i, count in enumerate(counts) if count < top[i]]
    downs = [(gain(i, count - 1), i, count) for i, count in enumerate(counts) if count > lowest[i]]
    heapq.heapify(ups)
    heapq.heapify(downs)

    def move(i: int, step: int) -> None:
        counts[i] += step
        if counts[i] < top[i]:
            heapq.heappush(ups, (-gain(i, counts[i]), i, counts[i]))
        if counts[i] > lowest[i]:
            heapq.heappush(downs, (gain(i, counts[i] - 1), i, counts[i]))

    def best(heap: list[tuple[float, int, int]]) -> tuple[float, int]:
        while heap and counts[heap[0][1]] != heap[0][2]:
            heapq.heappop(heap)
        return heap[0][:2] if heap else (math.inf, -1)

    while True:
        (lost, giver), (won, taker) = best(downs), best(ups)
        if left > 0:
            move(taker, 1)
            left -= 1
        elif left < 0:
            move(giver, -1)
            left += 1
        elif -won > lost:
            move(taker, 1)
            move(giver, -1)
        else:
            return np.array(counts)


def _by_density(
    k: Integers, top: Integers, prices: list[int], budget: int, gain: Callable[[int, int], float]
) -> tuple[Integers, float]:
    """Take entries by gain per cost; return the counts and what they may lack."""
    counts = k.tolist()
    left = budget - sum(c * count for c, count in zip(prices, counts, strict=True))
    heap = [(-gain(i, count) / prices[i], i) for i, count in enumerate(counts) if count < top[i]]
    heapq.heapify(heap)
    gap = 0.0
    rejected = False
    while heap:
        density, i = heapq.heappop(heap)
        if prices[i] > left:
            # A worker that does not fit now never will; the first one bounds what the budget left is worth.
            gap, rejected = (gap, True) if rejected else (-density * left, True)
            continue
        if rejected:
            gap += density * prices[i]
        counts[i], left = counts[i] + 1, left - prices[i]
        if counts[i] < top[i]:
            heapq.heappush(heap, (-gain(i, counts[i]) / prices[i], i))
    return np.array(counts), max(gap, 0.0)


def _dynamic(
    weights: Any, lowest: Integers, top: Integers, prices: list[int], budget: int, value: Callable[[Any], Any]
) -> Integers:
    """The best objective of the first workers for every budget, one worker after the other."""
    n = lowest.size
    work = n * (budget + 1) * int((top - lowest).max() + 1)
    if work > _LARGEST_TABLE:
        raise ValueError(f"method = 'dynamic' takes n B max(u) = {work} steps here; accepted: {_LARGEST_TABLE}")
    best = np.zeros(budget + 1)
    choices = np.zeros((n, budget + 1), dtype=np.int64)
    for i in range(n):
        reached = np.full(budget + 1, np.inf)
        for count in range(int(lowest[i]), min(int(top[i]), budget // prices[i]) + 1):
            paid = count * prices[i]
            candidate = best[: budget + 1 - paid] + weights[i] * value(np.float64(count))
            better = candidate < reached[paid:]
            reached[paid:][better] = candidate[better]
            choices[i, paid:][better] = count
        best = reached
    left, counts = budget, np.zeros(n, dtype=np.int64)
    for i in reversed(range(n)):
        counts[i] = choices[i, left]
        left -= int(counts[i]) * prices[i]
    return counts
