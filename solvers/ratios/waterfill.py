"""The exact assignment of fractions kept under one budget."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ..array import check_choice
from .assignment import Assignment, with_gap
from .criteria import Criterion, Power, SquaredMemory, contraction
from .exact_sums import chunks
from .level import Rays, find_level
from .problem import RatioProblem, little_spare, spare

__all__ = ["assign", "waterfill"]

Vector = NDArray[np.float64]

METHODS = ("select", "sort")
_EPS = float(np.finfo(np.float64).eps)


def waterfill(
    weights: Any,
    budget: float,
    *,
    costs: Any = 1.0,
    lower: Any = 0.0,
    upper: Any = 1.0,
    b: float = 1.0,
    method: str = "select",
) -> Assignment:
    """Minimise sum_i w_i / delta_i^b subject to sum_i c_i delta_i <= B and l_i <= delta_i <= u_i, exactly.

    Parameters
    ----------
    weights : array_like, shape (n,)
        w_i > 0.
    budget : float
        B > 0, in the unit of the costs.
    costs : array_like, shape (n,) or a number
        c_i > 0.
    lower, upper : array_like, shape (n,) or a number
        0 <= l_i <= u_i <= 1.
    b : float
        Positive.
    method : str
        "select": expected O(n). "sort": O(n log n). Both find the same assignment, to rounding.

    Returns
    -------
    Assignment

    Raises
    ------
    TypeError, ValueError
        See `RatioProblem`; b is not positive, or the method is unknown.
    InfeasibleBudget
        If the budget does not pay for the lower limits.

    Notes
    -----
    delta_i = clip(t (b w_i / c_i)^(1/(1+b)), l_i, u_i) with the level t at which the budget is spent, and nu =
    t^(-1-b). Source: dossier chapter 3, `waterfill`.

    Examples
    --------
    A worker with four times the data gets twice the ratio, not four times:

    >>> assignment = waterfill([0.8, 0.2], budget=0.3)
    >>> assignment.delta.round(6), round(assignment.objective, 6)
    (array([0.2, 0.1]), 6.0)
    >>> assignment.relative_gap < 1e-14
    True
    """
    return assign(RatioProblem(weights, budget, costs, lower, upper), Power(b), method)


def assign(problem: RatioProblem, criterion: Criterion, method: str = "select") -> Assignment:
    """Minimise sum_i w_i f(delta_i) under a budget, for any criterion f, exactly.

    Parameters
    ----------
    problem : RatioProblem
        Weights, budget, costs, limits.
    criterion : Criterion
        `Power`, `SquaredMemory`, or another convex decreasing f, whose level is found by bisection.
    method : str
        As for `waterfill`.

    Returns
    -------
    Assignment

    Notes
    -----
    The level is first found in rounded arithmetic, then moved by a few units of rounding until the budget, computed
    without rounding, is spent to the last few units but not exceeded.
    Source: dossier chapter 3, `waterfill`, `exact-objectives`.

    Examples
    --------
    >>> assignment = assign(RatioProblem([0.8, 0.2], budget=0.3), SquaredMemory())
    >>> assignment.delta.round(4)
    array([0.1827, 0.1173])
    """
    check_choice(method, "method", METHODS)
    if problem.largest:
        delta = np.array(problem.upper)
        unspent = float(spare(problem.costs, delta, problem.budget))
        return with_gap(problem, criterion, delta, 0.0, unspent, "the upper limits")
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        path, words = _path(problem, criterion, method)
        level, delta, unspent = _last_within(path, problem)
        multiplier = path.multiplier(level)
    return with_gap(problem, criterion, delta, multiplier, unspent, words)


@dataclass(frozen=True)
class _Path:
    """The minimisers for all multipliers, by their level; about where the budget is spent, and how fast that grows."""

    start: float
    growth: float
    delta: Callable[[float], Vector]
    multiplier: Callable[[float], float]


def _path(problem: RatioProblem, criterion: Criterion, method: str) -> tuple[_Path, str]:
    lower, upper, costs, weights = problem.lower, problem.upper, problem.costs, problem.weights
    words = "water-filling, sorted" if method == "sort" else "water-filling, selected"
    if isinstance(criterion, Power):
        b = criterion.b
        slopes = weights / costs
        slopes *= b  # in place: memory that is new to the process costs as much as the arithmetic
        slopes **= 1 / (1 + b)
        rays = Rays(slopes, lower, upper, costs)
        return _Path(*find_level(rays, problem.budget, method), rays.at, lambda t: float(np.power(t, -1 - b))), words
    if isinstance(criterion, SquaredMemory):
        slopes = (weights / costs) ** (1 / 3)
        rays = Rays(slopes, contraction(lower), contraction(upper), costs, curved=True)

        def delta(t: float) -> Vector:
            z = rays.at(t)
            # At a limit of z exactly at that of delta: z (2 - z) is rounded.
            inside = np.where(z == rays.high, upper, np.minimum(np.maximum(z * (2 - z), lower), upper))
            return np.asarray(np.where(z == rays.low, lower, inside))

        return _Path(*find_level(rays, problem.budget, method), delta, lambda t: t**-3.0), words

    def minimisers(t: float) -> Vector:
        return np.asarray(np.minimum(np.maximum(criterion.minimiser(costs / (t * weights)), lower), upper))

    start = _bisected(minimisers, problem, criterion)
    growth = _free_spending(problem, minimisers(start)) / start
    return _Path(start, growth, minimisers, lambda t: 1 / t), "bisection of the multiplier"


def _bisected(minimisers: Callable[[float], Vector], problem: RatioProblem, criterion: Criterion) -> float:
    """The level at which the budget is spent, to rounding."""

    def excess(log_level: float) -> float:
        return float(np.dot(problem.costs, minimisers(math.exp(log_level)))) - problem.budget

    # With equal parts of what the lower limits leave, the budget is spent: somebody keeps at most that much.
    part = float(spare(problem.costs, problem.lower, problem.budget)) / (problem.workers * problem.costs)
    modest = np.minimum(problem.lower + part, problem.upper)
    low, high = (
        math.log(extreme(problem.costs / (problem.weights * criterion.slope(limit))))
        for extreme, limit in ((np.min, modest), (np.max, problem.upper))
    )
    if excess(low) >= 0 or excess(high) <= 0:
        return math.exp(low if excess(low) >= 0 else high)
    return math.exp(float(brentq(excess, low, high, xtol=4 * _EPS, rtol=4 * _EPS)))


def _last_within(path: _Path, problem: RatioProblem) -> tuple[float, Vector, float]:
    """The largest level, to a few units of rounding, whose exact spending the budget pays for; and what is left."""
    t, stride = path.start * (1 - 3 * _EPS), _EPS  # as much below as sums are rounded, typically
    free = t * path.growth
    low, high = (0.0, problem.lower, math.inf), math.inf
    step = math.inf
    while True:
        delta = path.delta(t)
        left = float(little_spare(problem.costs, delta, problem.budget))
        if left >= 0:
            low = (t, delta, left)
            if left <= 8 * _EPS * free:
                return low
        else:
            high = t
        if math.nextafter(low[0], high) >= high:
            return low
        free = _free_spending(problem, delta)
        # What the free workers pay is about proportional to the level, so the steps shrink at once. Where they do not
        # (near full communication it is far less), the level is enclosed, and what encloses it halved.
        before, step = step, left / free if free > 0 else math.inf
        proportional = t * (1 + step) * (1 - 2 * _EPS)
        if abs(step) <= abs(before) / 2 and low[0] < proportional < high:
            t = proportional
        elif low[0] > 0 and high < math.inf:
            t = low[0] + (high - low[0]) / 2
        else:
            t = low[0] * (1 + stride) if high == math.inf else high * (1 - stride)
            stride = min(16 * stride, 0.5)


def _free_spending(problem: RatioProblem, delta: Vector) -> float:
    """What the workers between their limits pay."""
    parts = []
    for piece in chunks(delta.size):
        part = delta[piece]
        free = (part > problem.lower[piece]) & (part < problem.upper[piece])
        parts.append(float(np.dot(free, problem.costs[piece] * part)))
    return math.fsum(parts)
