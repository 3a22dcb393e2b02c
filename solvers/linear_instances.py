"""Error feedback and EF21 on quadratics of one variable with compressors that scale: their exact rates and step limits.

On ``f_i = curvature_i x^2/2`` with ``C_i(v) = (1 - left_i) v`` a step is a matrix of n + 1 rows. Every rate of it is a
lower bound on what the methods can promise for contractive compressors, ``|left_i| <= sqrt(1 - delta_i)``.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .array import check_choice, check_positive

__all__ = ["METHODS", "divergence_limit", "linear_instance_rate", "linear_instances", "radius"]

Floats = NDArray[np.float64]

METHODS = ("EF", "EF21")

_LARGEST_COUNT = 6


def linear_instances(p: Any, curvature: Any, left: Any, step_size: Any, method: str) -> Floats:
    """Return the matrices of one step, shape (..., n + 1, n + 1).

    The state of EF is the virtual iterate with the memories in step units, that of EF21 the iterate with the estimates.

    Parameters
    ----------
    p, curvature, left : array_like, shape (..., n)
        Weights of sum 1, curvatures, and the share of v that C_i keeps back.
    step_size : array_like, shape (...)
        gamma.
    method : str
        One of `METHODS`.

    Notes
    -----
    Source: dossier chapter 3, `step-limit`.

    Examples
    --------
    Without compression both are gradient descent:

    >>> linear_instances([1.0], [2.0], [0.0], 0.25, "EF")[0]
    array([ 0.5, -0.5])
    """
    check_choice(method, "method", METHODS)
    p, curvature, left = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (p, curvature, left)))
    n, step = p.shape[-1], np.asarray(step_size, dtype=np.float64)[..., None]
    shape = np.broadcast_shapes(p.shape[:-1], step.shape[:-1])
    matrix = np.zeros((*shape, n + 1, n + 1))
    diagonal = np.arange(1, n + 1)
    matrix[..., 0, 0] = 1.0
    if method == "EF":
        x = np.concatenate([np.ones((*p.shape[:-1], 1)), p], axis=-1)  # the iterate, from the state
        matrix[..., 0, :] -= step * np.sum(p * curvature, axis=-1, keepdims=True) * x
        matrix[..., 1:, :] = (left * step * curvature)[..., None] * x[..., None, :]
    else:
        matrix[..., 0, 1:] = -step * p
        matrix[..., 1:, :] = ((1 - left) * curvature)[..., None] * matrix[..., :1, :]
    matrix[..., diagonal, diagonal] += left
    return matrix


def radius(matrices: Any) -> Any:
    """Return the spectral radii of matrices (..., k, k), shape (...).

    Examples
    --------
    >>> round(float(radius(np.array([[0.0, 0.5], [-0.5, 0.0]]))), 12)
    0.5
    """
    return np.max(np.abs(np.linalg.eigvals(matrices)), axis=-1)


def linear_instance_rate(
    p: ArrayLike, L: ArrayLike, mu: ArrayLike, delta: ArrayLike, step_size: float, method: str = "EF"
) -> float:
    """Return the largest factor per iteration over all curvatures in {mu_i, L_i} and C_i(v) = (1 +- q_i) v.

    Parameters
    ----------
    p : array_like, shape (n,)
        Shares p_i > 0 of sum 1, n <= 6.
    L, mu, delta : array_like, shape (n,) or a number
        Curvatures 0 <= mu_i <= L_i, and contraction of the compressors, in (0, 1].
    step_size : float
        gamma, positive.
    method : str
        One of `METHODS`.

    Returns
    -------
    float
        Of the distance from the minimiser; 1 and more where the method does not converge.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    4^n eigenvalue problems of n + 1 rows. Source: dossier chapter 3, 3.13.

    Examples
    --------
    One worker has the exact rate of error feedback, z with z^2 - T z - s = 0 (`ef-tight`):

    >>> from taciturn.theory import theorem
    >>> exact = theorem("ef-tight").evaluate(L_max=1, mu=0.1, delta=0.75, step_size=0.3).rate
    >>> abs(linear_instance_rate([1.0], 1.0, 0.1, 0.75, 0.3) ** 2 - exact) < 1e-12
    True
    """
    p, L_i, mu_i, q = _checked(p, L, mu, delta)
    step_size = check_positive(step_size, "step_size")
    choices = np.array(list(itertools.product((0, 1), repeat=2 * p.size)), dtype=bool)
    curvature = np.where(choices[:, : p.size], L_i, mu_i)
    left = np.where(choices[:, p.size :], q, -q)
    return float(np.max(radius(linear_instances(p, curvature, left, step_size, method))))


def divergence_limit(p: ArrayLike, L: ArrayLike, delta: ArrayLike, method: str = "EF") -> float:
    """Return the step size from which on C_i(v) = (1 + q_i) v keeps a method from converging on L_i x^2/2, measured.

    Parameters
    ----------
    p : array_like, shape (n,)
        Shares p_i > 0 of sum 1.
    L, delta : array_like, shape (n,) or a number
        Curvatures L_i > 0, and contraction of the compressors, in (0, 1].
    method : str
        One of `METHODS`.

    Returns
    -------
    float
        Where the spectral radius of a step crosses 1, by bisection to a relative 1e-12.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    The measured counterpart of `step-limit`, whose formula is not used.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> from taciturn.theory.memory_constants import memory_constants
    >>> p, delta = [0.9, 0.1], [0.3, 0.1]
    >>> constants = memory_constants(p, delta, smoothness=1.0)
    >>> stated = theorem("step-limit").evaluate(
    ...     mean_smoothness=constants.mean_smoothness, memory_smoothness=constants.memory_smoothness
    ... ).value
    >>> round(divergence_limit(p, 1.0, delta) / stated, 9)
    1.0
    """
    check_choice(method, "method", METHODS)
    p, L_i, _, q = _checked(p, L, 0.0, delta, limit=None)

    def growth(step: float) -> float:
        return float(radius(linear_instances(p, L_i, -q, step, method)))

    # Without compression the limit is 2/L; compression only shortens it.
    low, high = 0.0, 2.5 / float(p @ L_i)
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if growth(middle) < 1 else (low, middle)
    return high


def _checked(
    p: ArrayLike, L: ArrayLike, mu: ArrayLike, delta: ArrayLike, limit: int | None = _LARGEST_COUNT
) -> tuple[Floats, Floats, Floats, Floats]:
    weights = np.asarray(p, dtype=np.float64)
    if weights.ndim != 1 or weights.size == 0 or not np.all(weights > 0) or abs(weights.sum() - 1) > 1e-9:
        raise ValueError(f"p={p!r} must be positive numbers of sum 1, one per worker")
    if limit is not None and weights.size > limit:
        raise ValueError(f"p has {weights.size} entries; accepted: up to {limit} workers, as 4^n instances are tried")
    named = (("L", L), ("mu", mu), ("delta", delta))
    columns = []
    for name, value in named:
        array = np.asarray(value, dtype=np.float64)
        if array.shape not in ((), weights.shape):
            raise ValueError(f"{name}={value!r} must be one number, or one per worker ({weights.size})")
        columns.append(np.broadcast_to(array, weights.shape))
    L_i, mu_i, ratios = columns
    if not np.all(np.isfinite(L_i) & (L_i > 0)):
        raise ValueError(f"L={L!r} must be positive and finite")
    if not np.all((mu_i >= 0) & (mu_i <= L_i)):
        raise ValueError(f"mu={mu!r} must be in [0, L]")
    if not np.all((ratios > 0) & (ratios <= 1)):
        raise ValueError(f"delta={delta!r} must be in (0, 1]")
    return weights, L_i, mu_i, np.sqrt(1 - ratios)
