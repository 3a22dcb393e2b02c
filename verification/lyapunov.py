"""The best contraction that a quadratic potential proves for error feedback, without the theorem (dossier 3.11).

One worker in step units: ``X = z - x*``, memory E, ``h = step_size grad f``. A potential ``P`` of (X, E) contracts by
rho if ``rho P(X, E) - P(X - h, E+)`` is a combination with weights ``m, t >= 0`` of what is known of h and E+, plus
squares: a semidefinite program in ``P, m, t`` for every rho.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import cvxpy
import numpy as np
from numpy.typing import NDArray

from taciturn.solvers.array import check_fraction, check_positive

__all__ = ["best_quadratic_rate"]

Matrix = NDArray[np.float64]

_FLATTEST = 1e-3
"""The smallest eigenvalue of a potential of trace 1: without such a floor some would not see all directions."""

_X, _E, _H, _NEXT = np.eye(4)  # coordinates of X, E, h, E+


def best_quadratic_rate(L: float, mu: float, delta: float, step_size: float, tolerance: float = 1e-8) -> float:
    """Return the smallest rho <= 1 for which some quadratic potential contracts, 1 if none does.

    Parameters
    ----------
    L, mu
        Curvatures, ``0 < mu < L``.
    delta
        Contraction of the compressor, in (0, 1).
    step_size
        Positive.
    tolerance
        Of rho, by bisection.

    Raises
    ------
    ValueError
        If an argument is out of range.
    ArithmeticError
        If the solver does not reach its tolerance.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> exact = theorem("ef-tight").evaluate(L_max=1, mu=0.1, delta=0.75, step_size=0.3).rate
    >>> abs(best_quadratic_rate(1.0, 0.1, 0.75, 0.3) - exact) < 1e-6
    True
    """
    L, step_size = check_positive(L, "L"), check_positive(step_size, "step_size")
    mu, delta = check_positive(mu, "mu", highest=L), check_fraction(delta, "delta")
    if mu == L or delta == 1:
        raise ValueError(f"mu={mu} and delta={delta} must be below L={L} and 1")
    worst = _least_violation(step_size * L, step_size * mu, math.sqrt(1 - delta))
    low, high = 0.0, 1.0
    # The program's own accuracy is what a violation of 0 is known to.
    while high - low > tolerance:
        middle = (low + high) / 2
        low, high = (low, middle) if worst(middle) <= 0 else (middle, high)
    return high


def _least_violation(L: float, mu: float, s: float) -> Callable[[float], float]:
    """What has to be added to the inequality for the factor rho, for potentials of trace 1."""
    P = cvxpy.Variable((2, 2), symmetric=True)
    m, t, violation = cvxpy.Variable(nonneg=True), cvxpy.Variable(nonneg=True), cvxpy.Variable()
    rho = cvxpy.Parameter(nonneg=True)
    before, after = np.stack([_X, _E]), np.stack([_X - _H, _NEXT])
    x = _X + _E
    interpolation = _product(_H - mu * x, L * x - _H)
    contraction = s**2 * _product(_E + _H, _E + _H) - _product(_NEXT, _NEXT)
    slack = before.T @ (rho * P) @ before - after.T @ P @ after - m * interpolation - t * contraction
    potential = [P >> _FLATTEST * np.eye(2), cvxpy.trace(P) == 1]
    problem = cvxpy.Problem(cvxpy.Minimize(violation), [*potential, slack + violation * np.eye(4) >> 0])

    def solve(value: float) -> float:
        rho.value = value
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            problem.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
        if problem.status not in (cvxpy.OPTIMAL, cvxpy.OPTIMAL_INACCURATE):
            raise ArithmeticError(f"rho={value}: Clarabel says {problem.status}")
        return float(violation.value)

    return solve


def _product(v: NDArray[np.float64], w: NDArray[np.float64]) -> Matrix:
    """The symmetric matrix of the scalar product of two combinations."""
    return np.asarray((np.outer(v, w) + np.outer(w, v)) / 2)
