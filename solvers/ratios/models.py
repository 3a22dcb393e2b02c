"""The assignment as a convex program for cvxpy: slower than water-filling, independent of it, open to more constraints.

cvxpy is imported with this module only.
"""

import warnings
from typing import Any

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

from ..array import check_choice, check_positive
from .assignment import Assignment, certified
from .criteria import Power
from .errors import SolverFailed
from .problem import RatioProblem, spare

__all__ = ["FORMS", "AssignmentModel", "repaired"]

Vector = NDArray[np.float64]

FORMS = ("power", "inverse", "quadratic")
_EPS = float(np.finfo(np.float64).eps)


class AssignmentModel:
    """A disciplined parametrised convex program (DCP and DPP) for n workers: built once, solved for many problems.

    Parameters
    ----------
    workers : int
        n.
    b : float
        Of the objective sum_i w_i / delta_i^b.
    form : str
        How the objective is written: "power" (any b), "inverse" (inv_pos, b = 1) or "quadratic" (quad_over_lin, b = 1).

    Attributes
    ----------
    program : cvxpy.Problem
        The program; more constraints on ``fractions`` can be added before the first solve, see cvxpy.
    fractions : cvxpy.Variable, shape (n,)
        delta_i, each in units of `scale` of the problem at hand.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    Source: dossier chapter 3, section 3.7, cvxpy formulations. Solvers see each delta_i in units of
    what it would be without limits (clipped to them), the coordinates of `chi2-identity`: volumes of any imbalance are
    well conditioned.

    Examples
    --------
    >>> model = AssignmentModel(2)
    >>> [model.solve(RatioProblem([0.8, 0.2], budget)).delta.round(4) for budget in (0.3, 0.6)]
    [array([0.2, 0.1]), array([0.4, 0.2])]
    """

    def __init__(self, workers: int, b: float = 1.0, form: str = "power") -> None:
        check_choice(form, "form", FORMS)
        self.criterion = Power(check_positive(b, "b"))
        if form != "power" and b != 1:
            raise ValueError(f"form = {form!r} is for b = 1, not b = {b}; accepted: 'power'")
        self.fractions = cp.Variable(workers)
        self._quadratic = form == "quadratic"
        self._weights, self._costs, self._lower, self._upper = (cp.Parameter(workers, nonneg=True) for _ in range(4))
        self._budget = cp.Parameter(nonneg=True)
        if form == "power":
            objective = cp.sum(cp.multiply(self._weights, cp.power(self.fractions, -self.criterion.b)))
        elif form == "inverse":
            objective = self._weights @ cp.inv_pos(self.fractions)
        else:
            objective = cp.sum([cp.quad_over_lin(self._weights[i], self.fractions[i]) for i in range(workers)])
        self._spending = self._costs @ self.fractions <= self._budget
        limits = [self.fractions >= self._lower, self.fractions <= self._upper]
        self.program = cp.Problem(cp.Minimize(objective), [self._spending, *limits])

    def solve(self, problem: RatioProblem, solver: str = "CLARABEL", **options: Any) -> Assignment:
        """Solve one problem, repair the answer to feasibility, and prove its gap.

        Parameters
        ----------
        problem : RatioProblem
            Of n workers.
        solver : str
            What cvxpy calls it: "CLARABEL", or "SCS" as a second witness.
        **options
            For the solver.

        Returns
        -------
        Assignment
            With the gap that the solver's multiplier proves for the repaired answer.

        Raises
        ------
        SolverFailed
            If the solver fails, or reports anything but an optimum, an inaccurate one included.
        ValueError
            If the problem has another number of workers.
        """
        if problem.workers != self.fractions.size:
            raise ValueError(f"problem has {problem.workers} workers; accepted: {self.fractions.size}, as the model")
        b = self.criterion.b
        units = (problem.weights / problem.costs) ** (1 / (1 + b))
        units = np.clip(units * (problem.budget / float(np.dot(problem.costs, units))), problem.lower, problem.upper)
        weights, costs = problem.weights * units**-b, problem.costs * units
        scale = float(weights.sum())
        self._weights.value = np.sqrt(weights / scale) if self._quadratic else weights / scale
        self._costs.value, self._budget.value = costs / problem.budget, 1.0
        self._lower.value, self._upper.value = problem.lower / units, problem.upper / units
        self._run(solver, options)
        delta = repaired(problem, self.fractions.value * units)
        multiplier = max(float(self._spending.dual_value), 0.0) * scale / problem.budget
        return certified(problem, self.criterion, delta, multiplier, f"cvxpy with {solver}, repaired")

    def _run(self, solver: str, options: dict[str, Any]) -> None:
        try:
            with warnings.catch_warnings():
                # An inaccurate answer is an error, below; one a little outside the domain is repaired.
                warnings.filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
                warnings.filterwarnings("ignore", category=RuntimeWarning)
                self.program.solve(solver=solver, **options)
        except cp.error.SolverError as error:
            raise SolverFailed(solver, str(error)) from error
        if self.program.status != cp.OPTIMAL:
            raise SolverFailed(solver, self.program.status)


def repaired(problem: RatioProblem, delta: Vector) -> Vector:
    """Return the fractions within the limits and the budget, near the given ones.

    Clipped, then those that can be are multiplied by one number until the budget is spent to a few units of rounding.

    Examples
    --------
    >>> repaired(RatioProblem([1.0, 1.0], budget=0.5), np.array([0.3, 0.3])).round(6)
    array([0.25, 0.25])
    """
    delta = np.clip(delta, problem.lower, problem.upper)
    while (left := float(spare(problem.costs, delta, problem.budget))) < 0 or left > 8 * _EPS * problem.budget:
        movable = delta < problem.upper if left > 0 else delta > problem.lower
        movable_spending = float(np.dot(movable, problem.costs * delta))
        if movable_spending == 0:
            return delta
        # Rounded towards less, so that the budget is approached from below.
        factor = 1 + left / movable_spending - 2 * _EPS
        moved = np.clip(np.where(movable, delta * factor, delta), problem.lower, problem.upper)
        if left > 0 and (moved <= delta).all():
            return delta
        delta = moved
    return delta
