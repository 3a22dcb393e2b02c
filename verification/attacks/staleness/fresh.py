"""Attacks on stale compressed gradients whose messages are used once, convex functions (dossier 4.2–4.4, 4.11)."""

from __future__ import annotations

import numpy as np

from taciturn.theory.theorem import Theorem

from ..fields import Array, Words
from ..measures import stated
from .instances import DELAYS, NOISE, QUADRATICS, STEP
from .setting import Setting, compared, family, noisy, promise, running_mean, sloped, steep, steep_each

__all__ = ["DISTANCE", "FAMILIES", "FRESH", "MEAN_GAP"]

FRESH = {**QUADRATICS, **NOISE, **DELAYS, **STEP}
INDEPENDENT = {**FRESH, "row": Words(("none", "independent"))}
DISTANCE = "expected squared distance / its bound"
MEAN_GAP = "mean expected gap / its bound"


def _stale_convex(theorem: Theorem, of: Setting) -> Array:
    guarantee = promise(theorem, of.batch, **noisy(of), tau=of.tau)
    made = of.run(stated(guarantee.step_size))
    return compared(running_mean(made.gap), guarantee, of.squared_distance, of.workers.L * of.size)


def _stale_sc(theorem: Theorem, of: Setting) -> Array:
    guarantee = promise(theorem, of.batch, **noisy(of), mu=of.workers.mu, tau=of.tau)
    made = of.run(stated(guarantee.step_size))
    return compared(made.squared_distance[:, 1:], guarantee, of.squared_distance, of.size)


def _stale_sc_refined(theorem: Theorem, of: Setting) -> Array:
    workers = of.workers
    # Row 2 with p_max L_max in place of Lambda.
    slope = of.noise.slope / workers.Lambda * workers.largest_weight * workers.L_max
    parameters = {**noisy(of), "noise_slope": slope, "mu": np.minimum(workers.mu_each, workers.L), "tau": of.tau}
    guarantee = promise(theorem, of.batch, **parameters)
    made = of.run(stated(guarantee.step_size))
    return compared(made.squared_distance[:, 1:], guarantee, of.squared_distance, of.size)


def _pattern_aware(theorem: Theorem, of: Setting) -> Array:
    iterations = of.delays.shape[1]
    j, k = np.arange(iterations), np.arange(iterations)[:, None]
    first = np.moveaxis(k - of.delays, 2, 1)[..., None]
    windows = ((first <= j) & (j < k)).astype(float)  # W_i[k, j], shape (m, n, K, K)
    count = np.max(np.sum(windows, axis=-2), axis=-1)
    norms = np.zeros_like(count)
    norms[count > 0] = np.linalg.norm(windows[count > 0], 2, axis=(-2, -1))
    # Rounded up: the theorem takes every number above the norm.
    norm, count = np.max(norms, axis=1) ** 2 * (1 + 1e-12), np.max(count, axis=1)
    guarantee = promise(theorem, of.batch, **noisy(of), window_norm=norm, window_count=count)
    made = of.run(stated(guarantee.step_size))
    return compared(running_mean(made.gap), guarantee, of.squared_distance, of.workers.L * of.size)


FAMILIES = {
    "stale-convex": family(FRESH, sloped, _stale_convex, MEAN_GAP),
    "stale-sc": family(FRESH, steep, _stale_sc, DISTANCE),
    "stale-sc-refined": family(INDEPENDENT, steep_each, _stale_sc_refined, DISTANCE),
    "stale-pattern-aware": family(FRESH, sloped, _pattern_aware, MEAN_GAP),
}
