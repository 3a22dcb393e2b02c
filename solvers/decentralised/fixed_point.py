"""Where the published update settles without thresholds, and a certificate of how near a run has come."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.theory import theorem
from taciturn.theory.mixing import mixing

from ..array import Array, array_namespace, check_count, check_non_negative, check_positive, matrix_like
from ..problems import Problem

__all__ = ["fixed_point", "posterior_bound"]


def fixed_point(
    problem: Problem, W: Any, step_size: float, mu: float, accuracy: float = 1e-12, iterations: int = 100_000
) -> tuple[Array, float]:
    """Return the solution of ``X = W X - step_size (gradients at X)`` and a bound of its distance from the exact one.

    Parameters
    ----------
    problem : Problem
        Strongly convex f_i with equal weights.
    W : array_like or scipy sparse array, shape (n, n)
        Symmetric mixing matrix.
    step_size : float
        gamma, at most ``(1 + lambda_n)/(L + mu)`` with the constants of the f_i.
    mu : float
        Smallest strong convexity of the f_i.
    accuracy : float
        The bound at which the iteration stops, relative to the size of the solution.
    iterations : int
        Most iterations.

    Returns
    -------
    X : Array, shape (n, d)
    bound : float
        In the Frobenius norm: one more step moves X by r, so the fixed point lies within ``r/(gamma mu)``.

    Raises
    ------
    RuntimeError
        If the accuracy is not reached.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.problems import quadratic
    >>> X, bound = fixed_point(quadratic([[1.0], [1.0]], [[-1.0], [1.0]]), np.full((2, 2), 0.5), 0.5, mu=1.0)
    >>> X.round(9).ravel().tolist(), bound < 1e-9
    ([-0.333333333, 0.333333333], True)
    """
    check_positive(step_size, "step_size")
    check_count(iterations, "iterations")
    check_positive(mu, "mu")
    xp = array_namespace(problem.weights)
    X = xp.zeros((problem.workers, problem.d), dtype=problem.weights.dtype)
    matrix = matrix_like(W if hasattr(W, "shape") else np.asarray(W), X)
    bound = np.inf
    for _ in range(iterations):
        following = matrix @ X - step_size * problem.local_gradients(X)
        bound = float(xp.linalg.vector_norm(following - X)) / (step_size * mu)
        X = following
        if bound <= accuracy * (1 + float(xp.linalg.vector_norm(X))):
            return X, bound
    raise RuntimeError(f"the fixed point is known to {bound:.3g} only after {iterations} iterations")


def posterior_bound(
    errors: NDArray[np.float64], initial: float, *, W: Any, step_size: float, L: float, mu: float
) -> NDArray[np.float64]:
    """Return the bounds of ``|X^k - fixed point|_F``, k = 0..K, that a run's own errors prove (`ev-posterior`).

    Parameters
    ----------
    errors : numpy.ndarray, shape (K,)
        ``|E^k|_F`` of the run, for example `DecentralisedRun.error` with ``measure_error=True``.
    initial : float
        ``|X^0 - fixed point|_F``.
    W : array_like or scipy sparse array, shape (n, n)
        Symmetric mixing matrix.
    step_size, L, mu : float
        gamma, and the largest and smallest constants of the f_i.

    Raises
    ------
    ValueError
        If an error is not a finite non-negative number, or the step is beyond what the theorem admits.

    Examples
    --------
    >>> import numpy as np
    >>> posterior_bound(np.array([0.0, 0.1]), 1.0, W=np.full((2, 2), 0.5), step_size=0.5, L=1.0, mu=1.0).tolist()
    [1.0, 0.5, 0.35]
    """
    errors = np.asarray(errors, dtype=np.float64)
    if errors.ndim != 1 or not (np.isfinite(errors) & (errors >= 0)).all():
        raise ValueError("errors must be finite and non-negative, shape (K,); run with measure_error=True")
    check_non_negative(initial, "initial")
    guarantee = theorem("ev-posterior").evaluate(
        L=L, mu=mu, lambda_n=mixing(W).lambda_n, step_size=step_size, measured_error=float(np.max(errors, initial=0.0))
    )
    bounds, rate = [float(initial)], float(np.asarray(guarantee.rate))
    for error in errors:
        bounds.append(rate * bounds[-1] + float(error))
    return np.array(bounds)
