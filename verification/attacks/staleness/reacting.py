"""Attacks on bounds that allow delays to react to the noise (dossier 4.6): every outcome of the coins is followed."""

from __future__ import annotations

import numpy as np

from taciturn.solvers.adversaries import RULES, worst_delays
from taciturn.theory.theorem import Theorem

from ..fields import Array, Words
from ..functions import dot, square
from ..measures import stated
from .fresh import DISTANCE, FRESH, MEAN_GAP
from .instances import hard
from .noise import split
from .setting import Setting, compared, family, promise, running_mean, sloped, steep

__all__ = ["FAMILIES", "reacting_moments"]

REACTING = {**FRESH, "rule": Words(RULES)}
STEPS, AGES = 6, 4
"""Iterations of which every outcome is followed, and models that the delays choose from."""


def reacting_moments(of: Setting, step_size: Array) -> tuple[Array, Array]:
    """Run with one coin for all workers, Q(g) = (1 +- sqrt(omega)) g, and delays chosen after it is seen.

    Parameters
    ----------
    step_size
        Shape (m, 1).

    Returns
    -------
    squared_distance, gap
        E|r_k|^2 and E F(x_k) - F* for k = 0, ..., STEPS, shape (m, STEPS + 1).
    """
    workers, m = of.workers, len(step_size)
    swing = np.sqrt(of.batch["variance"])[:, None, None]
    models = of.start[None, :, None]  # the newest first, shape (ages, m, outcomes, d)
    distances, gaps = [], []
    for k in range(STEPS + 1):
        x = models[0]
        distances.append(np.mean(square(x), axis=1))
        gaps.append(0.5 * np.mean(dot(x, np.einsum("mij,moj->moi", workers.hessian, x)), axis=1))
        ages = np.minimum(np.arange(AGES)[:, None], np.minimum(_tau(of), k))
        read = models[ages, np.arange(m)]
        gradients = np.einsum("mnij,amoj->amoni", workers.hessians, read) + workers.pulls[:, None]
        delay = np.empty(gradients.shape[1:4], dtype=int)
        for rule in RULES:
            follows = of.batch["rule"] == rule
            delay[follows] = worst_delays(gradients[:, follows], x[follows], rule)
        chosen = np.take_along_axis(gradients, delay[None, ..., None], axis=0)[0]
        mean = step_size[..., None] * np.einsum("mn,moni->moi", workers.weights, chosen)
        moved = np.concatenate([x - (1 + swing) * mean, x - (1 - swing) * mean], axis=1)
        models = np.concatenate([moved[None], np.concatenate([models, models], axis=2)])[:AGES]
    return np.stack(distances, axis=1), np.stack(gaps, axis=1)


def _tau(of: Setting) -> Array:
    return np.minimum(of.tau, AGES - 1)


def _second_moment(of: Setting) -> dict[str, Array]:
    """L_hat, A and N: from the noise table, or for any joint law in the form of the paper."""
    theta, inverse = split(of.workers, of.batch)
    alpha = 1 + of.batch["variance"]
    published = of.batch["row"] == "counted"
    slope = alpha * (1 + theta) * of.workers.sigma * of.workers.Lambda
    floor = alpha * (1 + inverse) * of.workers.sigma * of.workers.E_star
    return {
        "L_hat": of.workers.L,
        "second_moment_slope": np.where(published, slope, of.workers.L + of.noise.slope),
        "second_moment_floor": np.where(published, floor, of.noise.floor),
    }


def _one_coin(of: Setting) -> dict[str, Array]:
    """The same for one coin: E|G|^2 = (1 + omega)|v|^2 <= 2 (1 + omega) L_hat D."""
    L, alpha = of.workers.L, 1 + of.batch["variance"]
    return {"L_hat": L, "second_moment_slope": alpha * L, "second_moment_floor": np.zeros_like(L)}


def _convex(theorem: Theorem, of: Setting) -> Array:
    scale = of.workers.L * of.size
    guarantee = promise(theorem, of.batch, **_second_moment(of), tau=of.tau)
    oblivious = running_mean(of.run(stated(guarantee.step_size)).gap)
    reacting = promise(theorem, of.batch, **_one_coin(of), tau=_tau(of))
    _, gap = reacting_moments(of, stated(reacting.step_size))
    return np.fmax(
        compared(oblivious, guarantee, of.squared_distance, scale),
        compared(running_mean(gap), reacting, of.squared_distance, scale),
    )


def _strongly_convex(theorem: Theorem, of: Setting) -> Array:
    guarantee = promise(theorem, of.batch, **_second_moment(of), mu=of.workers.mu, tau=of.tau)
    oblivious = of.run(stated(guarantee.step_size)).squared_distance[:, 1:]
    reacting = promise(theorem, of.batch, **_one_coin(of), mu=of.workers.mu, tau=_tau(of))
    distance, _ = reacting_moments(of, stated(reacting.step_size))
    return np.fmax(
        compared(oblivious, guarantee, of.squared_distance, of.size),
        compared(distance[:, 1:], reacting, of.squared_distance, of.size),
    )


FAMILIES = {
    "stale-second-moment-convex": family(REACTING, sloped, _convex, MEAN_GAP, hard(REACTING, rule="excess")),
    "stale-second-moment": family(REACTING, steep, _strongly_convex, DISTANCE, hard(REACTING, rule="excess")),
}
