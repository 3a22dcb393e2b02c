"""How large should the budget be? Budget and step size together."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array import check_non_negative, check_positive
from .criteria import memory_cost
from .problem import LARGEST, RatioProblem

__all__ = ["BudgetChoice", "best_budget"]

Vector = NDArray[np.float64]

_GRID = 256
_BLOCK = 2**20


@dataclass(frozen=True, eq=False)
class BudgetChoice:
    """A budget, its assignment and its step size.

    Attributes
    ----------
    budget : float
        sum_i c_i delta_i.
    delta : numpy.ndarray of float, shape (n,)
        Fractions kept, in proportion to sqrt(w_i / c_i) between the limits.
    step_size : float
        1/(L + A_L), safe for EF21; A_L = sum_i w_i a(delta_i).
    objective : float
        (L + A_L) (c_0 + budget): to this the communication to a target accuracy is proportional.
    full : float
        The same without compression: L (c_0 + sum_i c_i).
    gap : float
        Proven, to rounding: the objective is at most this far above the least one of all levels of water-filling.
    """

    budget: float
    delta: Vector
    step_size: float
    objective: float
    full: float
    gap: float


def best_budget(
    weights: Any,
    *,
    costs: Any = 1.0,
    overhead: float = 0.0,
    lower: Any,
    upper: Any = 1.0,
    L: float | None = None,
    tolerance: float = 1e-4,
) -> BudgetChoice:
    """Choose the budget that reaches a target with the least communication.

    Parameters
    ----------
    weights : array_like, shape (n,)
        w_i = p_i L_i > 0.
    costs, lower, upper
        As for `waterfill`; the lower limits are positive.
    overhead : float
        c_0 >= 0: what a round costs whatever is sent, in the unit of the costs.
    L : float, optional
        Smoothness of the mean, positive and at most sum_i w_i, its default.
    tolerance : float
        Accepted gap, relative to the objective.

    Returns
    -------
    BudgetChoice

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    Along the levels of `waterfill` with b = 1 the memory cost falls and the budget grows, so that on an interval of
    levels the objective is at least the product of the smallest of both; intervals that may hold the minimum are halved
    until this proves the tolerance. There can be several local minima. Source: dossier chapter 3, `bits-optimal`.

    Examples
    --------
    >>> volumes = np.arange(1.0, 11.0) ** -3
    >>> choice = best_budget(volumes / volumes.sum(), lower=1e-4)
    >>> round(choice.budget, 1), round(choice.objective, 2), round(choice.full, 6)
    (2.5, 4.61, 10.0)
    """
    problem = RatioProblem(weights, LARGEST, costs, lower, upper)
    overhead, tolerance = check_non_negative(overhead, "overhead"), check_positive(tolerance, "tolerance", highest=1.0)
    w, c, low, high = problem.weights, problem.costs, problem.lower, problem.upper
    if not np.all(low > 0):
        raise ValueError(f"lower[{int(np.argmin(low))}] = 0.0 is outside the accepted range (0, 1]")
    total = float(w.sum())
    smoothness = total if L is None else check_positive(L, "L", highest=total * (1 + 1e-12))
    slopes = np.sqrt(w / c)

    def factors(levels: Vector) -> tuple[Vector, Vector]:
        """L + A_L and c_0 + the budget at some levels."""
        size = max(1, _BLOCK // w.size)
        parts = np.split(levels, range(size, levels.size, size))
        blocks = (np.clip(part[:, None] * slopes, low, high) for part in parts)
        pairs = [(smoothness + memory_cost(delta) @ w, overhead + delta @ c) for delta in blocks]
        inverse_steps, rounds = zip(*pairs, strict=True)
        return np.concatenate(inverse_steps), np.concatenate(rounds)

    levels = np.geomspace(float(np.min(low / slopes)), float(np.max(high / slopes)), _GRID)
    inverse_steps, rounds = factors(levels)
    best_level, best = 0.0, math.inf
    while levels.size:
        values = inverse_steps * rounds
        if float(values.min()) < best:
            best_level, best = float(levels.ravel()[values.argmin()]), float(values.min())
        # Neighbours in a row are the ends of an interval, on which the first factor falls and the second grows.
        possible = inverse_steps[..., 1:] * rounds[..., :-1] < best * (1 - tolerance)
        starts, stops = levels[..., :-1][possible], levels[..., 1:][possible]
        middles = np.sqrt(starts * stops)
        middle_steps, middle_rounds = factors(middles)
        inverse_steps = _with_middles(inverse_steps, middle_steps, possible)
        rounds = _with_middles(rounds, middle_rounds, possible)
        levels = np.stack((starts, middles, stops), axis=-1)
    delta = np.clip(best_level * slopes, low, high)
    return BudgetChoice(
        budget=float(delta @ c),
        delta=delta,
        step_size=1 / (smoothness + float(memory_cost(delta) @ w)),
        objective=best,
        full=smoothness * (overhead + float(c.sum())),
        gap=best * tolerance,
    )


def _with_middles(values: Vector, middles: Vector, possible: Any) -> Vector:
    """The values at the start, the middle and the stop of every possible interval, a row for each."""
    return np.stack((values[..., :-1][possible], middles, values[..., 1:][possible]), axis=-1)
