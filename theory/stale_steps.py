"""Numerical functions of the staleness theory: sums of inverse powers, root steps, noise factors (dossier 4.1).

Every function broadcasts over arrays. ``a = step_size * L_hat`` and ``b = step_size * noise_slope`` are the two ways in
which a stale compressed step can be too long; the condition ``Phi <= 1`` weighs them together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Values = Any
"""A number or an array of numbers."""


def inverse_powers(rho: Values, tau: Values) -> Floats:
    """``T_rho(tau) = sum_{t=1}^tau rho^(-t)``, which is `tau` for ``rho = 1``.

    Examples
    --------
    >>> round(float(inverse_powers(0.5, 3)), 9), float(inverse_powers(1.0, 3))
    (14.0, 3.0)
    """
    rho, tau = np.broadcast_arrays(np.asarray(rho, dtype=float), np.asarray(tau, dtype=float))
    shrink = 1 - rho
    safe = np.where(shrink > 0, shrink, 1.0)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        growth = np.expm1(-tau * np.log1p(-np.where(shrink > 0, shrink, 0.0))) / safe
    return np.asarray(np.where(shrink > 0, growth, tau))


def absorption(step_size: Values, L_hat: Values, noise_slope: Values, tau: Values, mu: Values) -> Floats:
    """``min_c Phi = a + b + a T_rho(tau) (sqrt(tau a) + sqrt(b))^2`` with ``rho = 1 - step_size mu``.

    A step is admissible when this is at most 1.
    """
    step_size = np.asarray(step_size, dtype=float)
    a, b = step_size * L_hat, step_size * noise_slope
    with np.errstate(over="ignore", invalid="ignore"):
        weight = a * inverse_powers(1 - step_size * mu, tau)
        return np.asarray(a + b + np.where(weight > 0, weight * (np.sqrt(tau * a) + np.sqrt(b)) ** 2, 0.0))


def root_step(L_hat: Values, noise_slope: Values, tau: Values, mu: Values = 0.0) -> Floats:
    """The largest admissible step of a stale method: the root of ``min_c Phi = 1`` ("root step").

    Returns the lower end of a bracket that has shrunk to rounding, so the step is admissible.

    Examples
    --------
    >>> round(float(root_step(1.0, 0.0, 3)), 6)  # 2 / (1 + sqrt(1 + 4 tau^2))
    0.282376
    """
    return largest_step(lambda step: absorption(step, L_hat, noise_slope, tau, mu), L_hat, noise_slope, tau, mu)


def largest_step(condition: Any, L_hat: Values, noise_slope: Values, *others: Values) -> Floats:
    """The largest step in ``(0, 1/(L_hat + noise_slope)]`` with ``condition(step) <= 1``, `condition` increasing."""
    shape = np.broadcast_shapes(*(np.shape(entry) for entry in (L_hat, noise_slope, *others)))
    upper = np.broadcast_to(1 / (np.asarray(L_hat, dtype=float) + noise_slope), shape)
    lower, upper = np.zeros(shape), np.array(upper)
    done = condition(upper) <= 1
    lower = np.where(done, upper, lower)
    for _ in range(200):
        middle = (lower + upper) / 2
        good = condition(middle) <= 1
        lower, upper = np.where(good, middle, lower), np.where(good, upper, middle)
        if np.all(upper - lower <= 1e-15 * upper):
            break
    return np.asarray(lower)


def noise_factor(
    step_size: Values,
    L_hat: Values,
    noise_slope: Values,
    tau: Values,
    mu: Values = 0.0,
) -> Floats:
    """``c_N = 1 + a tau (1 + 1/c)`` with the largest ``c`` for which ``Phi(step_size; c) <= 1``.

    How much the noise floor is amplified by being carried through stale models; 1 without staleness.

    Examples
    --------
    >>> float(noise_factor(0.1, 1.0, 0.0, 0)), round(float(noise_factor(0.1, 1.0, 0.5, 3)), 4)
    (1.0, 1.3363)
    """
    step_size = np.asarray(step_size, dtype=float)
    a, b, delay = np.broadcast_arrays(step_size * L_hat, step_size * noise_slope, np.asarray(tau, dtype=float))
    weight = a * inverse_powers(1 - step_size * mu, tau)
    return _noise_factor(a, b, weight * delay * a, weight * b, delay)


def _noise_factor(a: Floats, b: Floats, P: Floats, R: Floats, spread: Floats) -> Floats:
    """``1 + a spread (1 + 1/c)`` with the largest ``c`` for which ``a + b + P (1 + c) + R (1 + 1/c) <= 1``."""
    Q = 1 - a - b - P - R  # the condition is P c^2 - Q c + R <= 0
    with np.errstate(divide="ignore", invalid="ignore"):
        c = (Q + np.sqrt(np.maximum(Q**2 - 4 * P * R, 0.0))) / (2 * P)
        factor = 1 + a * spread * (1 + 1 / c)
    # At the root step without noise slope c is infinite or lost to rounding: no finite amplification is certified.
    certified = np.where(np.isfinite(factor), factor, np.finfo(float).max)
    return np.asarray(np.where(spread > 0, certified, 1.0))


def pattern_root_step_value(L_hat: Values, noise_slope: Values, window_norm: Values, window_count: Values) -> Floats:
    """The largest step with ``a + b + a (sqrt(w^2 a) + sqrt(m b))^2 <= 1`` (`stale-pattern-aware`).

    Examples
    --------
    >>> round(float(pattern_root_step_value(1.0, 0.0, 9.0, 3)), 6)  # 2 / (1 + sqrt(1 + 4 w^2))
    0.282376
    """

    def condition(step: Floats) -> Floats:
        a, b = step * L_hat, step * noise_slope
        return np.asarray(a + b + a * (np.sqrt(window_norm * a) + np.sqrt(window_count * b)) ** 2)

    return largest_step(condition, L_hat, noise_slope, window_norm, window_count)


def pattern_noise_factor_value(
    step_size: Values,
    L_hat: Values,
    noise_slope: Values,
    window_norm: Values,
    window_count: Values,
) -> Floats:
    """``c_N = 1 + a m (1 + 1/c)`` with the largest admissible ``c`` (`stale-pattern-aware`)."""
    step_size = np.asarray(step_size, dtype=float)
    a, b, norm, count = np.broadcast_arrays(
        step_size * L_hat,
        step_size * noise_slope,
        np.asarray(window_norm, dtype=float),
        np.asarray(window_count, float),
    )
    return _noise_factor(a, b, a * a * norm, a * b * count, count)
