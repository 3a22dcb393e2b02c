"""Attacks on memories of compressed messages and on the max-recursion route (dossier 4.7, 4.9)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taciturn.theory.theorem import Theorem

from ..fields import Array, Words
from ..measures import stated
from .delays import kept
from .fresh import DISTANCE, FRESH, INDEPENDENT, MEAN_GAP
from .moments import Moments, stored_moments
from .noise import split
from .setting import Setting, compared, family, noisy, promise, running_mean, sloped, steep

__all__ = ["FAMILIES"]

ANY_LAW = {**FRESH, "row": Words(("independent", "joint", "one map"))}


def _kept(of: Setting) -> Setting:
    return replace(of, delays=kept(of.delays))


def _run(of: Setting, step_size: Array) -> Moments:
    steps = np.broadcast_to(step_size, of.delays.shape[:2])
    return stored_moments(of.workers, of.noise, of.delays, steps, of.start)


def _convex(theorem: Theorem, of: Setting) -> Array:
    of = _kept(of)
    guarantee = promise(theorem, of.batch, **noisy(of), tau=of.tau)
    made = _run(of, stated(guarantee.step_size))
    return compared(running_mean(made.gap), guarantee, of.squared_distance, of.workers.L * of.size)


def _strongly_convex(theorem: Theorem, of: Setting) -> Array:
    of = _kept(of)
    guarantee = promise(theorem, of.batch, **noisy(of), mu=of.workers.mu, tau=of.tau)
    made = _run(of, stated(guarantee.step_size))
    return compared(made.squared_distance[:, 1:], guarantee, of.squared_distance, of.size)


def _maxrec(theorem: Theorem, of: Setting) -> Array:
    workers, sigma = of.workers, of.workers.sigma
    theta, inverse = split(workers, of.batch)
    alpha = 1 + of.batch["variance"]
    guarantee = promise(
        theorem,
        of.batch,
        mu=workers.mu,
        L_stale=workers.L_Q,
        max_slope=alpha * sigma * (1 + theta) * workers.average(workers.weights * workers.L_i**2),
        max_floor=alpha * sigma * (1 + inverse) * workers.E_star,
        tau=of.tau,
    )
    made = of.run(stated(guarantee.step_size))
    return compared(made.squared_distance[:, 1:], guarantee, of.squared_distance, of.size)


FAMILIES = {
    "stale-stored-convex": family(INDEPENDENT, sloped, _convex, MEAN_GAP),
    "stale-stored-sc": family(INDEPENDENT, steep, _strongly_convex, DISTANCE),
    "stale-maxrec": family(ANY_LAW, steep, _maxrec, DISTANCE),
}
