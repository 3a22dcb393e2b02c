"""Attacks on damped mixing: any bounded gradients, copies as bad as ages, triggers and compressors allow (4.4-4.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Integers, Positive, Words
from ..functions import square
from ..measures import quotient, stated
from .networks import Mixings, complete, figures, ring
from .setting import DIMENSIONS, rows, units

__all__ = ["FAMILIES", "compress"]

_ITERATIONS = 120
_OLDEST = 4
_PULLS = ("apart", "fixed", "turning", "drawn")


def _attacked(measure: Callable[[Theorem, Batch], Array]) -> Callable[[Theorem, Batch], Array]:
    def ratio(theorem: Theorem, batch: Batch) -> Array:
        connected = figures(batch["W"]).connected
        ratios = np.full(len(connected), np.nan)
        if np.any(connected):
            ratios[connected] = measure(theorem, {name: values[connected] for name, values in batch.items()})
        return ratios

    return ratio


def _pulled(batch: Batch, X: Array, k: int) -> Array:
    """Gradients of length G at most (m, n, 2): what drives the workers apart, or goes its own way."""
    fixed = units(rows(batch["directions"]))
    angle = 0.3 * k
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    apart = X - np.mean(X, axis=1, keepdims=True)
    away = np.where(square(apart)[..., None] > 0, -units(apart), fixed)
    drawn = np.roll(fixed, k, axis=1) * (-1) ** (k // 3)
    kind = batch["pull"][:, None, None]
    kinds = [kind == name for name in _PULLS[:3]]
    return batch["bound"][:, None, None] * np.select(kinds, [away, fixed, fixed @ turn.T], drawn)


def _root_V(X: Array) -> Array:
    return np.sqrt(np.mean(square(X - np.mean(X, axis=1, keepdims=True)), axis=1))


def _damping(batch: Batch, period: Array) -> tuple[Array, Array, Array]:
    of, n = figures(batch["W"]), batch["W"].shape[-1]
    B, beta = of.mixing_strength, of.mixing_gap
    return B, beta, 1 / (2 * period * B * np.sqrt(n) * (1 + B / beta))


def _stale(theorem: Theorem, batch: Batch) -> Array:
    """Every entry of a copy is the one of the last iterations that is farthest away, or as old as it may be."""
    tau, gamma, n = batch["tau"], batch["step"], batch["W"].shape[-1]
    B, beta, eta = _damping(batch, tau)
    X = np.zeros((len(tau), n, 2))
    past, weights = [X] * (_OLDEST + 1), eta[:, None, None] * (batch["W"] - np.eye(n))
    allowed = (np.arange(_OLDEST + 1) <= tau[:, None])[:, :, None, None]
    oldest = (batch["ages"] == "oldest")[:, None, None, None]
    unseen, V = np.zeros(len(tau)), np.zeros(len(tau))
    for k in range(_ITERATIONS):
        seen = np.stack(past, axis=1)
        distance = np.where(
            allowed, np.where(oldest, np.arange(_OLDEST + 1.0)[:, None, None], np.abs(seen - X[:, None])), -1
        )
        copies = np.take_along_axis(seen, np.argmax(distance, axis=1)[:, None], axis=1)[:, 0]
        unseen = np.maximum(unseen, np.max(np.sqrt(square(X - copies)), axis=1))
        X = X + weights @ copies - gamma[:, None, None] * _pulled(batch, X, k)
        past, V = [X, *past[:-1]], np.maximum(V, _root_V(X))
    value = theorem.evaluate(
        tau=tau, step_size=gamma, gradient_bound=batch["bound"], mixing_strength=B, mixing_gap=beta, workers=n
    ).value
    allowed_distance = 2 * tau * gamma * batch["bound"] * (1 + B * np.sqrt(n) / beta)
    return np.maximum(quotient(V, stated(value)), quotient(unseen, allowed_distance))


def _saving(theorem: Theorem, batch: Batch) -> Array:
    """The trigger itself with the stated threshold: the disagreement, and the pauses between two messages."""
    hold, gamma, n = batch["tau"], batch["step"], batch["W"].shape[-1]
    B, beta, eta = _damping(batch, hold)
    c = 2 * hold * gamma * batch["bound"] * (1 + B * np.sqrt(n) / beta)
    X = copies = np.zeros((len(hold), n, 2))
    last, pause, V = np.zeros((len(hold), n)), np.full(len(hold), np.inf), np.zeros(len(hold))
    for k in range(_ITERATIONS):
        fires = np.sqrt(square(X - copies)) >= c[:, None]
        pause = np.minimum(pause, np.min(np.where(fires, k - last, np.inf), axis=1))
        copies, last = np.where(fires[..., None], X, copies), np.where(fires, k, last)
        X = X + eta[:, None, None] * (batch["W"] @ copies - copies) - gamma[:, None, None] * _pulled(batch, X, k)
        V = np.maximum(V, _root_V(X))
    value = theorem.evaluate(
        hold=hold, step_size=gamma, gradient_bound=batch["bound"], mixing_strength=B, mixing_gap=beta, workers=n
    ).value
    return np.maximum(quotient(V, stated(value)), hold / pause)


def compress(kind: Array, v: Array, delta: Array) -> Array:
    """Return contractive compressions of v (m, ..., 2): the larger entry (delta = 1/2), or a multiple of v.

    A multiple that leaves exactly ``sqrt(1 - delta)`` of v is as bad as the class allows.
    """
    first = np.abs(v[..., :1]) >= np.abs(v[..., 1:])
    top = np.where(np.concatenate([first, ~first], axis=-1), v, 0.0)
    shape = (-1, *(1 for _ in v.shape[1:]))
    scaled = (1 - np.sqrt(1 - delta.reshape(shape))) * v
    return np.where((kind == "larger entry").reshape(shape), top, scaled)


def _compressed(theorem: Theorem, batch: Batch) -> Array:
    """Step, compressed event, damped mixing."""
    delta = np.where(batch["compressor"] == "larger entry", 0.5, batch["delta"])
    s, of, n = np.sqrt(1 - delta), figures(batch["W"]), batch["W"].shape[-1]
    B, beta, gamma, c = of.mixing_strength, of.mixing_gap, batch["step"], batch["threshold"]
    with np.errstate(divide="ignore"):
        eta = np.minimum(1 / B, beta * (1 - s) / (2 * s * B * (B + beta)))
    X = copies = np.zeros((len(c), n, 2))
    V = np.zeros(len(c))
    for k in range(_ITERATIONS):
        Y = X - gamma[:, None, None] * _pulled(batch, X, k)
        fires = np.sqrt(square(Y - copies)) >= c[:, None]
        copies = copies + np.where(fires[..., None], compress(batch["compressor"], Y - copies, delta), 0.0)
        X = Y + eta[:, None, None] * (batch["W"] @ copies - copies)
        V = np.maximum(V, _root_V(X))
    value = theorem.evaluate(
        trigger_threshold=c, delta=delta, step_size=gamma, gradient_bound=batch["bound"], mixing_strength=B,
        mixing_gap=np.minimum(beta, B),
    ).value  # fmt: skip
    return quotient(V, stated(value))


_COMMON: Fields = {
    "W": Mixings(),
    "directions": Entries(rows=(2,)),
    "pull": Words(_PULLS),
    "step": Positive(1e-2, 1e2),
    "bound": Positive(1e-2, 1e2),
}
_COMPRESSORS = ("larger entry", "multiple")


def _hard(**parts: object) -> Callable[[], Iterator[Instance]]:
    def made() -> Iterator[Instance]:
        for W in (complete(2), ring(4)):
            apart = np.where(np.arange(len(W)) % 2, -1.0, 1.0) * np.ones((2, 1))
            for pull in ("apart", "fixed"):
                yield {"W": W.tolist(), "directions": apart.tolist(), "pull": pull, "step": 1.0, "bound": 1.0, **parts}

    return made


FAMILIES = {
    "bounded-stale-damped": Family(
        {**_COMMON, "tau": Integers(1, _OLDEST), "ages": Words(("farthest", "oldest"))},
        _attacked(_stale),
        "largest disagreement and largest staleness / their bounds",
        _hard(tau=2, ages="oldest"),
        DIMENSIONS,
    ),
    "guaranteed-saving": Family(
        {**_COMMON, "tau": Integers(1, 6)},
        _attacked(_saving),
        "largest disagreement / its bound, and promised / shortest pause",
        _hard(tau=2),
        DIMENSIONS,
    ),
    "choco-event": Family(
        {
            **_COMMON,
            "threshold": Positive(1e-6, 1e2),
            "delta": Positive(0.05, 0.999),
            "compressor": Words(_COMPRESSORS),
        },
        _attacked(_compressed),
        "largest disagreement / its bound",
        _hard(threshold=1.0, delta=0.5, compressor="multiple"),
        DIMENSIONS,
    ),
}
