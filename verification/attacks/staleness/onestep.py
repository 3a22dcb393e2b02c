"""Attacks on the one-step inequality and the window bound (dossier 4.1)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.solvers.delays import Constant
from taciturn.theory.theorem import Theorem

from ..family import Instance
from ..fields import Array
from ..measures import reached
from .fresh import FRESH
from .instances import ITERATIONS, WORKERS, alone
from .setting import Setting, family, sloped

__all__ = ["FAMILIES"]


def _one_step(theorem: Theorem, of: Setting) -> Array:
    del theorem  # it states no number
    step = of.batch["relative_step"][:, None] / of.workers.L[:, None]
    made = of.run(step)
    distance, gap = made.squared_distance, made.gap[:, :-1]
    terms = (
        distance[:, :-1],
        -2 * step * gap,
        -2 * step * made.bregman,
        step * made.moved,
        step**2 * (made.direction + made.noise),
    )
    scale = sum(np.abs(term) for term in terms)
    # Matrices of smoothness are the Hessians: an equality.
    return np.fmax.reduce(reached(distance[:, 1:], sum(terms), scale), axis=1)


def _window(theorem: Theorem, of: Setting) -> Array:
    del theorem  # it states no number
    L, c, tau = of.workers.L[:, None], of.batch["young"][:, None], of.tau[:, None]
    step = of.batch["relative_step"][:, None] / L
    made = of.run(step)
    each = (1 + c) * tau * made.direction + (1 + 1 / c) * made.noise
    window = np.zeros_like(each)
    for lag in range(1, int(np.max(tau)) + 1):  # not by differences of running sums: small terms would be lost
        window[:, lag:] += np.where(lag <= tau, each[:, :-lag], 0.0)
    ratios = reached(made.moved, step**2 * L * window, L * of.size[:, None])
    return np.where(of.tau > 0, np.fmax.reduce(ratios, axis=1), np.nan)


def _short_steps() -> Iterator[Instance]:
    """Yield steps so short that the gradients hardly change, and Young's inequality with nothing to split."""
    for tau in (1, 2, 5, 8):
        delays = Constant(tau).trace(ITERATIONS, WORKERS).delay
        instance = alone([1.0], delays=delays, relative_step=0.05, young=0.01)
        yield {name: instance[name] for name in FRESH}


FAMILIES = {
    "stale-onestep": family(FRESH, sloped, _one_step, "expected squared distance / its bound"),
    "stale-window": family(FRESH, sloped, _window, "how far stale models have moved / its bound", _short_steps),
}
