"""An assignment of fractions kept, with the proof of how good it is."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .criteria import Criterion
from .exact_sums import chunks
from .problem import RatioProblem, spare

__all__ = ["Assignment", "certified"]

Vector = NDArray[np.float64]

ROUNDING = 2.0**-47
"""More than the relative rounding error of f' and of the minimiser of f plus a price."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """Fractions kept that respect the limits and the budget exactly, and how far from optimal they can be.

    Attributes
    ----------
    delta : numpy.ndarray of float, shape (n,)
        The fraction that worker i keeps.
    multiplier : float
        nu >= 0: what a unit of budget is worth, in objective per unit.
    objective : float
        sum_i w_i f(delta_i).
    gap : float
        Proven: the objective is at most this far above the minimum (`gap-dual`).
    unspent : float
        B - sum_i c_i delta_i >= 0, computed without rounding.
    method : str
        How it was found.
    problem : RatioProblem
        Weights, budget, costs and limits.
    criterion : Criterion
        f.
    """

    delta: Vector
    multiplier: float
    objective: float
    gap: float
    unspent: float
    method: str
    problem: RatioProblem
    criterion: Criterion

    @property
    def relative_gap(self) -> float:
        """gap / objective; zero if both are."""
        return self.gap / self.objective if self.gap > 0 else 0.0

    @property
    def at_lower(self) -> NDArray[np.bool_]:
        """Which workers are at a positive lower limit, shape (n,)."""
        return np.asarray((self.delta == self.problem.lower) & (self.delta < self.problem.upper))

    @property
    def at_upper(self) -> NDArray[np.bool_]:
        """Which workers are at their upper limit, shape (n,)."""
        return np.asarray(self.delta == self.problem.upper)

    @property
    def remark(self) -> str:
        """What is special about the budget; empty if nothing."""
        if self.problem.largest:
            return "the budget pays for all upper limits, which are the answer"
        if bool(np.all(self.delta == self.problem.lower)):
            return "the budget pays for no more than the lower limits, which are the answer"
        return ""


def certified(problem: RatioProblem, criterion: Criterion, delta: Vector, multiplier: float, method: str) -> Assignment:
    """Return an assignment with its dual gap.

    Parameters
    ----------
    problem : RatioProblem
        What is to be assigned.
    criterion : Criterion
        f.
    delta : numpy.ndarray of float, shape (n,)
        Within the limits and the budget.
    multiplier : float
        Any nu >= 0; the better, the smaller the gap.
    method : str
        How delta was found.

    Raises
    ------
    ValueError
        If delta breaks a limit or the budget, or the numbers leave double precision.

    Notes
    -----
    For every feasible y, the objective at y is at least that at delta minus

        nu (B - sum_i c_i delta_i) + sum_i [phi_i(delta_i) - min phi_i],    phi_i = w_i f + nu c_i,

    the minimum over [l_i, u_i] (`gap-dual`). Since phi_i is convex, the bracket is at most
    phi_i'(delta_i) (delta_i - y_i) with y_i the minimiser, which lies within rounding of the computed one: all terms
    are products of two differences, bounded from above, and nothing cancels.

    Examples
    --------
    >>> from taciturn.solvers.ratios.criteria import Power
    >>> problem = RatioProblem([1.0, 4.0], budget=0.5)
    >>> guess = certified(problem, Power(1), np.array([0.25, 0.25]), 36.0, "guess")
    >>> guess.objective, round(guess.gap, 6)  # the minimum is 18
    (20.0, 4.0)
    """
    if not (np.all(delta >= problem.lower) and np.all(delta <= problem.upper)):
        raise ValueError("delta is outside the limits; accepted: lower <= delta <= upper")
    unspent = float(spare(problem.costs, delta, problem.budget))
    if unspent < 0:
        raise ValueError(f"delta spends {-unspent:.3g} more than the budget {problem.budget!r}")
    return with_gap(problem, criterion, delta, multiplier, unspent, method)


def with_gap(
    problem: RatioProblem, criterion: Criterion, delta: Vector, multiplier: float, unspent: float, method: str
) -> Assignment:
    """As `certified`, for what is known to be feasible and to leave so much of the budget.

    Examples
    --------
    >>> from taciturn.solvers.ratios.criteria import Power
    >>> with_gap(RatioProblem([1.0], budget=0.5), Power(1), np.array([0.5]), 4.0, 0.0, "guess").relative_gap < 1e-20
    True
    """
    objectives, gaps = [], []
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        for piece in chunks(problem.workers):
            part = delta[piece]
            objectives.append(float(np.dot(problem.weights[piece], criterion.value(part))))
            gaps.append(_lagrangian_gap(problem, criterion, part, multiplier, piece))
        gap = 0.0 if problem.largest else (math.fsum(gaps) + multiplier * unspent) * (1 + ROUNDING)
        objective = math.fsum(objectives)
    if not (math.isfinite(objective) and math.isfinite(gap)):
        raise ValueError(
            "the objective leaves double precision; raise the budget or the lower limits, or rescale the weights"
        )
    return Assignment(delta, multiplier, objective, gap, unspent, method, problem, criterion)


def _lagrangian_gap(
    problem: RatioProblem, criterion: Criterion, delta: Vector, multiplier: float, piece: slice
) -> float:
    """Bound the sum of phi(delta) - min phi over some workers."""
    if problem.largest:
        return 0.0
    weights, lower, upper = problem.weights[piece], problem.lower[piece], problem.upper[piece]
    charge = multiplier * problem.costs[piece]
    # In place where it can be: this is what a large problem spends most of its time on.
    lowest = criterion.minimiser(charge / weights)
    highest = lowest * (1 + ROUNDING)
    lowest *= 1 - ROUNDING
    for minimiser in (lowest, highest):
        np.maximum(minimiser, lower, out=minimiser)
        np.minimum(minimiser, upper, out=minimiser)
    np.subtract(delta, lowest, out=lowest)
    np.subtract(highest, delta, out=highest)
    farthest = np.maximum(lowest, highest, out=lowest)
    pull = criterion.slope(delta)
    pull *= weights
    rounding = ROUNDING * (float(np.dot(charge, farthest)) + float(np.dot(pull, farthest)))
    derivative = np.abs(np.subtract(charge, pull, out=pull), out=pull)
    return float(np.dot(derivative, farthest)) + rounding
