"""Optimality proved in rational arithmetic: no rounding, no library function, nothing to trust but integers."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .assignment import Assignment
from .criteria import Power

__all__ = ["RationalGap", "rational_gap"]

_GUARD_BITS = 120


@dataclass(frozen=True)
class RationalGap:
    """Proven limits of the objective of an assignment and of the minimum.

    Attributes
    ----------
    objective : fractions.Fraction
        At least sum_i w_i / delta_i^b.
    lower_bound : fractions.Fraction
        At most the minimum.
    unspent : fractions.Fraction
        B - sum_i c_i delta_i >= 0, exactly.
    """

    objective: Fraction
    lower_bound: Fraction
    unspent: Fraction

    @property
    def gap(self) -> Fraction:
        """How far from the minimum the objective can be."""
        return self.objective - self.lower_bound

    @property
    def relative_gap(self) -> Fraction:
        """gap / lower_bound."""
        return self.gap / self.lower_bound


def rational_gap(assignment: Assignment) -> RationalGap:
    """Prove in rational arithmetic how far an assignment can be from optimal.

    Parameters
    ----------
    assignment : Assignment
        For the criterion Power(b) with a whole b.

    Raises
    ------
    TypeError
        If the criterion is another one.
    ValueError
        If delta breaks a limit or the budget.

    Notes
    -----
    For every nu >= 0 the minimum is at least sum_i min phi_i - nu B with phi_i(y) = w_i y^(-b) + nu c_i y on
    [l_i, u_i]. Where the sign of phi_i' at a limit, a rational number, does not decide the minimiser, the minimum over
    all y > 0 is (1 + b) (w_i (nu c_i / b)^b)^(1/(1+b)), a root that integers bound from below. Terms are rounded to a
    common grid, up in the objective and down in the bound. Source: dossier chapter 3, `gap-dual`; the published
    alternative `gap-fw` is first-order in rounding errors and large where upper limits are far away.

    Examples
    --------
    >>> from taciturn.solvers.ratios import waterfill
    >>> proof = rational_gap(waterfill([0.7, 0.2, 0.1], budget=0.5))
    >>> proof.relative_gap < Fraction(1, 10**14), proof.unspent >= 0
    (True, True)
    """
    criterion, problem = assignment.criterion, assignment.problem
    if not isinstance(criterion, Power) or criterion.b != int(criterion.b):
        raise TypeError(f"the criterion is {criterion}; accepted: Power(b) with a whole b, whose minima are roots")
    b, nu, budget = int(criterion.b), Fraction(assignment.multiplier), Fraction(problem.budget)
    columns = (_fractions(column) for column in (problem.weights, problem.costs, problem.lower, problem.upper))
    grid = _GUARD_BITS + problem.workers.bit_length() - int(np.frexp(assignment.objective)[1])
    objective, bound, spent = 0, 0, Fraction(0)
    for w, c, low, high, delta in zip(*columns, _fractions(assignment.delta), strict=True):
        if not low <= delta <= high:
            raise ValueError("delta is outside the limits; accepted: lower <= delta <= upper")
        spent += c * delta
        objective -= _on_grid(-w / delta**b, grid)
        bound += _on_grid(_lowest(w, nu * c, low, high, b, grid), grid)
    if spent > budget:
        raise ValueError(f"delta spends {float(spent - budget):.3g} more than the budget {problem.budget!r}")
    unit = Fraction(2) ** -grid
    return RationalGap(objective * unit, bound * unit - nu * budget, budget - spent)


def _fractions(column: NDArray[np.float64]) -> list[Fraction]:
    return [Fraction(number) for number in column.tolist()]


def _on_grid(number: Fraction, grid: int) -> int:
    """The largest integer multiple of 2^-grid that is not above the number."""
    scaled = number * Fraction(2) ** grid
    return scaled.numerator // scaled.denominator


def _lowest(w: Fraction, charge: Fraction, low: Fraction, high: Fraction, b: int, grid: int) -> Fraction:
    """At most the minimum of w y^(-b) + charge y over low <= y <= high."""
    if charge * high ** (b + 1) <= b * w:
        return w / high**b + charge * high
    if charge * low ** (b + 1) >= b * w:
        return w / low**b + charge * low
    return (1 + b) * _root_below(w * (charge / b) ** b, 1 + b, grid)


def _root_below(x: Fraction, degree: int, grid: int) -> Fraction:
    """The largest multiple of 2^-(grid + a few) whose power is not above x."""
    bits = max(grid, 0) + 8
    scaled = x * Fraction(2) ** (bits * degree)
    return Fraction(_integer_root(scaled.numerator // scaled.denominator, degree), 2**bits)


def _integer_root(x: int, degree: int) -> int:
    """floor(x^(1/degree)), by Newton's method from above.

    Examples
    --------
    >>> _integer_root(26, 3), _integer_root(27, 3)
    (2, 3)
    """
    if x == 0:
        return 0
    root = 1 << -(-x.bit_length() // degree)
    while True:
        better = ((degree - 1) * root + x // root ** (degree - 1)) // degree
        if better >= root:
            return root
        root = better
