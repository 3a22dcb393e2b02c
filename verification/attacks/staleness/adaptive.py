"""Attacks on step sizes that follow measured delays (dossier 4.12)."""

from __future__ import annotations

import numpy as np
import sympy

from taciturn.theory.theorem import Theorem

from ..fields import Array, Entries, Fields, Positive, Words
from ..measures import reached, stated
from .fresh import DISTANCE, MEAN_GAP
from .instances import DELAYS, NOISE, QUADRATICS, WORKERS, hard
from .nonconvex import MEAN_GRADIENT, stale_smoothness
from .setting import Setting, compared, family, noisy, sloped, steep

__all__ = ["FAMILIES", "steps_of_rules"]

RULE: Fields = {"rule": Words(("fill", "one over delay")), "fraction": Positive(0.1, 1.0)}
CONVEX: Fields = {**QUADRATICS, **NOISE, **DELAYS, **RULE, "budget": Positive(0.05, 1.0)}
NOISE_FREE: Fields = {**QUADRATICS, **NOISE, "row": Words(("none",)), **DELAYS, **RULE}
NONCONVEX: Fields = {**NOISE_FREE, "added": Entries(rows=(WORKERS,), zero=True)}


def steps_of_rules(of: Setting, budget: Array, highest: Array | float = np.inf) -> Array:
    """Return the steps (m, K) of the rules along the largest delay of every iteration.

    Parameters
    ----------
    budget
        H, the largest sum of the steps of a window, shape (m,).
    highest
        No step is longer, shape (m,).
    """
    delay = np.max(of.delays, axis=2)
    m, iterations = delay.shape
    fill, each = of.batch["rule"] == "fill", np.arange(m)
    taken = np.zeros((m, iterations + 1))  # the sum of the steps before iteration k
    for k in range(iterations):
        left = budget - (taken[:, k] - taken[each, k - delay[:, k]])
        equal = budget / (delay[:, k] + 1)
        step = np.where(fill, of.batch["fraction"] * np.maximum(left, 0.0), np.where(equal <= left, equal, 0.0))
        taken[:, k + 1] = taken[:, k] + np.minimum(step, highest)
    return np.diff(taken, axis=1)


def _convex(theorem: Theorem, of: Setting) -> Array:
    # h < 1, and as close to it as one likes: the end of the range that the theorem states.
    h = np.minimum(of.batch["budget"], 1 - 1e-9) * _end_of_range(theorem, "window_budget")
    slope = of.noise.slope
    highest = np.where(slope > 0, (1 - h) ** 2 / np.where(slope > 0, slope, 1.0), np.inf)
    steps = steps_of_rules(of, h / of.workers.L, highest)
    k = np.arange(1, steps.shape[1] + 1)
    guarantee = theorem.evaluate(
        **{name: values[:, None] for name, values in noisy(of).items()},
        mean_step=np.cumsum(steps, axis=1) / k,
        mean_square_step=np.cumsum(steps**2, axis=1) / k,
        window_budget=h[:, None],
        largest_step=np.max(steps, axis=1)[:, None],
    )
    made = of.run(steps)
    mean = np.cumsum(steps * made.gap[:, :-1], axis=1) / np.cumsum(steps, axis=1)
    return compared(mean, guarantee, of.squared_distance, of.workers.L * of.size)


def _end_of_range(theorem: Theorem, name: str) -> float:
    (upper,) = (entry.domain.upper for entry in theorem.parameters if entry.name == name)
    return float(sympy.sympify(upper))


def _strongly_convex(theorem: Theorem, of: Setting) -> Array:
    known = {"L_hat": of.workers.L[:, None], "mu": of.workers.mu[:, None]}
    budget = stated(theorem.evaluate(**known, step_size=1e-6 / known["L_hat"]).value)[:, 0] / of.workers.L
    steps = steps_of_rules(of, budget)
    # The rate of a step of any length; none is taken where the window is full.
    rates = stated(theorem.evaluate(**known, step_size=np.where(steps > 0, steps, budget[:, None])).rate)
    bound = np.cumprod(np.where(steps > 0, rates, 1.0), axis=1) * of.squared_distance[:, None]
    ratios = reached(of.run(steps).squared_distance[:, 1:], bound, of.size[:, None])
    return np.fmax.reduce(ratios, axis=1)


def _nonconvex(theorem: Theorem, of: Setting) -> Array:
    smoothness = stale_smoothness(of)
    steps = steps_of_rules(of, 1 / smoothness)
    mean_step = np.cumsum(steps, axis=1) / np.arange(1, steps.shape[1] + 1)
    guarantee = theorem.evaluate(L_stale=smoothness[:, None], mean_step=mean_step)
    made = of.run(steps)
    mean = np.cumsum(steps * made.squared_gradient[:, :-1], axis=1) / np.cumsum(steps, axis=1)
    return compared(mean, guarantee, of.gap, of.workers.L**2 * of.size)


_FULL = {"rule": "fill", "fraction": 1.0}

FAMILIES = {
    "delay-adaptive-convex": family(CONVEX, sloped, _convex, MEAN_GAP, hard(CONVEX, **_FULL, budget=1.0)),
    "delay-adaptive-sc": family(NOISE_FREE, steep, _strongly_convex, DISTANCE, hard(NOISE_FREE, **_FULL)),
    "delay-adaptive-nonconvex": family(NONCONVEX, sloped, _nonconvex, MEAN_GRADIENT, hard(NONCONVEX, **_FULL)),
}
