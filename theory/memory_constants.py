"""From weights, ratios and smoothness of single workers to the constants of the theorems (dossier 3.1.4, 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Values = Any
"""A number, or one number per worker."""


def memory_cost(delta: Values, beta: Values = 1.0) -> Floats:
    """``a = q/(beta - q)``, ``q = sqrt(1 - delta)``: what a memory amounts to in units of the gradients that fill it.

    Parameters
    ----------
    delta
        Contraction of the compressor, in (0, 1].
    beta
        Discount per iteration, in (q, 1]: ``sqrt(1 - step_size mu)`` for linear rates.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Dossier ``def-a-r``. Convex in `delta` on (0, 8/9] only; ``2/delta - 3/2`` is above it by at most 1/2.

    Examples
    --------
    >>> float(memory_cost(0.75)), float(memory_cost(1.0))
    (1.0, 0.0)
    """
    q, beta = _residual_factor(delta, beta)
    return np.asarray(q / (beta - q))


def noise_memory_cost(delta: Values, beta: Values = 1.0) -> Floats:
    """``r = q/sqrt(beta (beta - q))``: the same for gradient noise, which averages out in the memory.

    Parameters and errors as for `memory_cost`; dossier ``def-a-r``.

    Examples
    --------
    >>> round(float(noise_memory_cost(0.75)) ** 2, 12)
    0.5
    """
    q, beta = _residual_factor(delta, beta)
    return np.asarray(q / np.sqrt(beta * (beta - q)))


@dataclass(frozen=True)
class MemoryConstants:
    """What the theorems about error feedback need to know of all workers together.

    Attributes
    ----------
    mean_smoothness
        ``sum_i p_i L_i``.
    memory_smoothness, memory_curvature
        ``A_L = sum_i p_i L_i a_i`` and ``A_2 = sum_i p_i L_i a_i^2``.
    memory_dissimilarity
        ``A_b = sum_i p_i b_i a_i``.
    memory_residual
        ``D = sum_i p_i (a_i zeta_i + r_i s_i)``; ``D_*`` where ``zeta_i`` are the gradient norms at the minimiser.
    gradient_noise
        ``sqrt(sum_i p_i^2 s_i^2)``, for noise that is uncorrelated between workers.
    """

    mean_smoothness: float
    memory_smoothness: float
    memory_curvature: float
    memory_dissimilarity: float
    memory_residual: float
    gradient_noise: float


def memory_constants(
    weights: Values,
    delta: Values,
    *,
    smoothness: Values,
    gradients: Values = 0.0,
    relative: Values = 0.0,
    noise: Values = 0.0,
    beta: float = 1.0,
) -> MemoryConstants:
    """The constants of a set of workers, each with its own compression.

    Parameters
    ----------
    weights
        Shares ``p_i > 0`` with sum 1, one per worker.
    delta
        Contraction of the workers' compressors, in (0, 1].
    smoothness
        ``L_i > 0``.
    gradients, relative
        ``zeta_i`` and ``b_i`` with ``|grad f_i(x)| <= zeta_i + b_i |grad F(x)|``, or ``zeta_i = |grad f_i(x*)|``.
    noise
        Standard deviations ``s_i`` of the workers' stochastic gradients.
    beta
        Discount, see `memory_cost`.

    Raises
    ------
    ValueError
        If an argument is out of range or the weights do not have sum 1.

    Notes
    -----
    Dossier 3.3. Apart from `weights`, one number stands for all workers.

    Examples
    --------
    >>> constants = memory_constants([0.8, 0.2], [0.2, 0.1], smoothness=1.0)
    >>> round(constants.memory_smoothness, 4)
    10.4751
    """
    p = np.asarray(weights, dtype=float)
    if p.ndim != 1 or p.size == 0 or not np.all(p > 0) or not np.isclose(p.sum(), 1.0, rtol=0.0, atol=1e-9):
        raise ValueError(f"weights={weights!r} must be positive numbers of sum 1, one per worker")
    L_i = _per_worker(smoothness, "smoothness", p)
    if not np.all(L_i > 0):
        raise ValueError(f"smoothness={smoothness!r} must be positive")
    zeta, b, s = (
        _per_worker(value, name, p)
        for value, name in ((gradients, "gradients"), (relative, "relative"), (noise, "noise"))
    )
    contraction = _per_worker(delta, "delta", p)
    a, r = memory_cost(contraction, beta), noise_memory_cost(contraction, beta)
    return MemoryConstants(
        mean_smoothness=float(p @ L_i),
        memory_smoothness=float(p @ (L_i * a)),
        memory_curvature=float(p @ (L_i * a**2)),
        memory_dissimilarity=float(p @ (b * a)),
        memory_residual=float(p @ (a * zeta + r * s)),
        gradient_noise=float(np.sqrt(p**2 @ s**2)),
    )


def _residual_factor(delta: Values, beta: Values) -> tuple[Floats, Floats]:
    delta, beta = np.asarray(delta, dtype=float), np.asarray(beta, dtype=float)
    if not np.all((delta > 0) & (delta <= 1)):
        raise ValueError(f"delta={delta} must be in (0, 1]")
    q = np.sqrt(1 - delta)
    if not np.all((beta > q) & (beta <= 1)):
        raise ValueError(f"beta={beta} must be in (sqrt(1 - delta), 1], sqrt(1 - delta) = {q}")
    return q, beta


def _per_worker(value: Values, name: str, weights: Floats) -> Floats:
    array = np.asarray(value, dtype=float)
    if array.ndim > 1 or (array.ndim == 1 and array.shape != weights.shape):
        raise ValueError(f"{name}={value!r} must be one number, or one per worker ({weights.size})")
    if not np.all(np.isfinite(array) & (array >= 0)):
        raise ValueError(f"{name}={value!r} must be finite and non-negative")
    return np.asarray(np.broadcast_to(array, weights.shape))
