"""Attacks on what is said of triggers: what they do not see, and when they fall silent (dossier 4.5)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Integers, Positive
from ..functions import square
from ..measures import agreement, stated

__all__ = ["FAMILIES", "adaptive_events"]

_FORCED = 29


def adaptive_events(norms: Array, horizon: Array) -> Array:
    """Return when the published rule sends (m, K), for norms (m, K) of one tensor and horizons (m,).

    The first 29 passes send, the threshold is the mean of the last two slopes, times the horizon in every pass.
    """
    m, K = norms.shape
    last_norm, last_pass, threshold, slope = (np.zeros(m) for _ in range(4))
    events = np.zeros((m, K), dtype=bool)
    for k in range(K):
        change = np.abs(norms[:, k] - last_norm)
        with np.errstate(over="ignore"):
            threshold = threshold * horizon
        fires = (change >= threshold) | (k < _FORCED)
        newest = change / (k + 1 - last_pass)
        threshold = np.where(fires, (slope + newest) / 2, threshold)
        slope, last_norm = np.where(fires, newest, slope), np.where(fires, norms[:, k], last_norm)
        last_pass = np.where(fires, k + 1.0, last_pass)
        events[:, k] = fires
    return events


def _unsafe(theorem: Theorem, batch: Batch) -> Array:
    """Run the norm-difference trigger on the sphere: what it does not see, and the error that stays."""
    w, error, angle = batch["w"], batch["error"], batch["angle"]
    radius = w / (1 - w) * error / (2 * np.sin(angle / 2))
    sent = radius[:, None] * np.array([1.0, 0.0])
    stays = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    centre = (stays - (1 - w)[:, None] * sent) / w[:, None]
    forced = batch["forced"]
    x = centre + (sent - centre) * ((1 - w) ** -(forced - 1.0))[:, None]
    copy, events = x, np.zeros(len(w))
    for k in range(40):
        # Norms on the sphere are equal up to the rounding of the forced phase, which shrinks from its start.
        sees = np.abs(np.sqrt(square(x)) - np.sqrt(square(copy))) >= 1e-9 * radius * (1 - w) ** -(forced - 1.0)
        fires = (k < forced) | sees
        events += fires & (k >= forced)
        copy = np.where(fires[:, None], x, copy)
        x = w[:, None] * x + (1 - w)[:, None] * copy - w[:, None] * (x - centre)
    value = stated(theorem.evaluate(self_weight=w, error=error).value)
    unseen, left = np.sqrt(square(x - copy)), np.sqrt(square(x - centre))
    ratios = np.maximum(agreement(unseen, value), agreement(left, error))
    return np.where(events > 0, np.inf, ratios)


def _repair(theorem: Theorem, batch: Batch) -> Array:
    """The two parts that the repaired trigger compares make up the distance."""
    x, y = batch["point"], batch["copy"]
    norms = np.sqrt(square(x)), np.sqrt(square(y))
    # |x||y| - <x, y> by the difference of the unit vectors: no cancellation.
    between = square(x / norms[0][:, None] - y / norms[1][:, None])
    parts = np.abs(norms[0] - norms[1]), np.sqrt(norms[0] * norms[1] * between)
    value = stated(theorem.evaluate(norm_threshold=parts[0], angle_threshold=parts[1]).value)
    size = 1e-6 * (norms[0] + norms[1]) ** 2
    return agreement(square(x - y) + size, value + size)


def _lockout(theorem: Theorem, batch: Batch) -> Array:
    """The largest horizon at which the rule still sends after the forced passes, by bisection of the rule itself."""
    drift = batch["drift"]
    norms = drift[:, None] * np.arange(1, _FORCED + 25)
    low, high = np.ones(len(drift)), np.full(len(drift), 2.0)
    for _ in range(50):
        middle = (low + high) / 2
        sends = np.any(adaptive_events(norms, middle)[:, _FORCED:], axis=1)
        low, high = np.where(sends, middle, low), np.where(sends, high, middle)
    return agreement(low, stated(theorem.evaluate().value))


def _invariance(theorem: Theorem, batch: Batch) -> Array:
    """Whole numbers and powers of two: the change of scale is exact, and so must be the pattern."""
    del theorem
    walk = np.cumsum(batch["increments"], axis=1).astype(float)
    other = (1 - 2 * batch["turned"])[:, None] * 2.0 ** batch["power"][:, None] * walk + batch["shift"][:, None]
    events = [adaptive_events(norms, batch["horizon"])[:, _FORCED:] for norms in (walk, other)]
    return 1.0 + np.sum(events[0] != events[1], axis=1)


def _spheres() -> Iterator[Instance]:
    for w, angle, forced in ((1 / 3, np.pi, 29), (1 / 3, 0.5, 5), (0.5, 2.0, 2)):
        yield {"w": w, "error": 4.0, "angle": angle, "forced": forced}


FAMILIES = {
    "norm-diff-unsafe": Family(
        {
            "w": Positive(0.02, 0.9),
            "error": Positive(1e-3, 1e3),
            "angle": Positive(1e-2, np.pi),
            "forced": Integers(2, 8),
        },
        _unsafe,
        "unseen distance and error / stated, or the reverse: equalities; infinite if the trigger fires",
        _spheres,
        dimensions=(1,),
    ),
    "norm-diff-repair": Family(
        {"point": Entries(), "copy": Entries()},
        _repair,
        "squared distance / sum of the two parts, or the reverse: an identity",
        lambda: [{"point": [1.0, 0.0], "copy": [0.0, 1.0]}, {"point": [1.0, 0.0], "copy": [-1.0, 0.0]}],
    ),
    "horizon-lockout": Family(
        {"drift": Positive(1e-3, 1e3)},
        _lockout,
        "largest horizon with an event / stated, or the reverse: an equality",
        lambda: [{"drift": 1.0}],
        dimensions=(1,),
    ),
    "adaptive-invariance": Family(
        {
            "increments": Integers(-9, 9, rows=(120,)),
            "horizon": Positive(0.5, 1.4),
            "turned": Integers(0, 1),
            "power": Integers(-8, 8),
            "shift": Integers(-1000, 1000),
        },
        _invariance,
        "1 + number of events that differ",
        dimensions=(1,),
    ),
}
