"""Minimisers with a certificate: L-BFGS comes near, Newton with conjugate gradients finishes, the residual proves."""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, cg

from .problem import Problem, Reference

__all__ = ["solve"]

NEWTON_STEPS = 20
RELATIVE_ERROR = 1e-10  # of the certified error, in units of F(0) - F(minimiser)


def solve(problem: Problem) -> Reference:
    """Minimise a smooth strongly convex problem on the host.

    Parameters
    ----------
    problem : Problem
        With NumPy data and mu > 0.

    Returns
    -------
    Reference
        The point with the smallest gradient g found, with minimum_error = ||g||^2 / (2 mu).

    Raises
    ------
    ValueError
        If mu = 0.
    ArithmeticError
        If minimum_error is above 1e-10 (F(0) - F(minimiser)) plus rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.problems import logistic_regression
    >>> solve(logistic_regression(np.eye(2), np.ones(2), 0.1)).minimum_error < 1e-25
    True
    """
    if not problem.mu > 0:
        raise ValueError("mu = 0: no residual certifies a minimiser; add regularisation, or do without the minimiser")
    start = np.zeros(problem.d)
    near = minimize(_value_and_gradient, start, args=(problem,), jac=True, method="L-BFGS-B", options={"maxcor": 20})
    x, gradient = near.x, problem.gradient(near.x)
    for _ in range(NEWTON_STEPS):
        candidate = x - _newton_direction(problem, x, gradient)
        candidate_gradient = problem.gradient(candidate)
        if not np.linalg.norm(candidate_gradient) < 0.9 * np.linalg.norm(gradient):
            break  # rounding: the residual no longer falls
        x, gradient = candidate, candidate_gradient
    minimum = float(problem.objective(x))
    error = float(gradient @ gradient) / (2 * problem.mu)
    accepted = RELATIVE_ERROR * (float(problem.objective(start)) - minimum) + np.finfo(float).eps * abs(minimum)
    if not error <= accepted:
        raise ArithmeticError(
            f"the minimiser is certified to {error:.2g} only, accepted: {accepted:.2g}; "
            f"condition number {problem.condition_number:.2g}"
        )
    return Reference(x, minimum, error)


def _value_and_gradient(x: Any, problem: Problem) -> tuple[float, Any]:
    value, gradient = problem.value_and_gradient(x)
    return float(value), gradient


def _newton_direction(problem: Problem, x: Any, gradient: Any) -> Any:
    hessian = LinearOperator((problem.d, problem.d), matvec=lambda v: problem.hessian_product(x, v), dtype=np.float64)
    return cg(hessian, gradient, rtol=1e-6, maxiter=2000)[0]
