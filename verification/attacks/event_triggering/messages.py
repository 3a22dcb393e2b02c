"""Attacks on what is said of messages along a path: how many there are, how far copies lag behind (4.6-4.8)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Integers, Positive, Words
from ..functions import square
from ..measures import agreement, quotient, stated
from .damped import compress

__all__ = ["FAMILIES"]

_DIMENSIONS = (6, 12, 30)
"""Numbers of iterations: the vectors of an instance run over them."""


def _paths(batch: Batch) -> Array:
    """Return paths (m, K + 1, 2) from the origin."""
    moves = np.swapaxes(batch["moves"], -1, -2)
    return np.concatenate([np.zeros((len(moves), 1, 2)), np.cumsum(moves, axis=1)], axis=1)


def _lengths(path: Array) -> Array:
    return np.sqrt(square(np.diff(path, axis=1)))


def _copies(path: Array, c: Array) -> tuple[Array, Array]:
    """Return the copies after every check of the trigger (m, K + 1, 2), and the events (m, K + 1)."""
    copy, copies, events = path[:, 0], [], []
    for k in range(path.shape[1]):
        fires = np.sqrt(square(path[:, k] - copy)) >= c
        copy = np.where(fires[:, None], path[:, k], copy)
        copies.append(copy)
        events.append(fires)
    return np.stack(copies, axis=1), np.stack(events, axis=1)


def _count(theorem: Theorem, batch: Batch) -> Array:
    """Any path, and a straight one whose steps divide the threshold, a power of two: the count is attained there."""
    path = _paths(batch)
    total = np.sum(_lengths(path), axis=1)
    c = batch["threshold"] * total
    events = np.sum(_copies(path, c)[1], axis=1)
    any_path = quotient(events, stated(theorem.evaluate(path=total, trigger_threshold=c).value))
    parts = 2.0 ** batch["power"]
    K = path.shape[1]
    straight = np.stack([np.arange(K) / parts[:, None], np.zeros((len(parts), K))], axis=-1)
    kept = (np.arange(K) % parts[:, None] == 0) & (np.arange(K) > 0)
    last = np.max(np.where(kept, np.arange(K), 0), axis=1)
    length = last / parts
    counted = np.sum(_copies(straight, np.ones(len(parts)))[1], axis=1)
    promised = stated(theorem.evaluate(path=np.maximum(length, 1e-300), trigger_threshold=1.0).value)
    return np.maximum(any_path, np.where(length > 0, agreement(counted, promised), 0.0))


def _pullback(theorem: Theorem, batch: Batch) -> Array:
    """Identical workers with any events: no component falls faster."""
    w, eigenvalue = batch["w"], batch["eigenvalue"]
    gamma = batch["relative_step"] * w / eigenvalue
    factor = stated(theorem.evaluate(self_weight=w, eigenvalue=eigenvalue, step_size=gamma).value)
    y = held = np.ones(len(w))
    events, ratios, pauses = np.zeros(len(w)), [], np.maximum(batch["pauses"], 1)
    due, turn = pauses[:, 0].copy(), np.zeros(len(w), dtype=int)
    for k in range(400):
        fires = due == k
        turn += fires
        due = np.where(fires, k + pauses[np.arange(len(w)), turn % pauses.shape[1]], due)
        events += fires
        held = np.where(fires, y, held)
        y = w * y + (1 - w) * held - gamma * eigenvalue * y
        ratios.append(np.exp((events + 1) * np.log(factor) - np.log(y)))
    return np.max(ratios, axis=0)


def _compressed(theorem: Theorem, batch: Batch) -> Array:
    """Paths of bounded steps, events with a compressor that leaves as much as its class allows."""
    delta = np.where(batch["compressor"] == "larger entry", 0.5, batch["delta"])
    path, c = _paths(batch), batch["threshold"]
    movement = np.max(_lengths(path), axis=1)
    c = c * movement
    copy, farthest = path[:, 0], np.zeros(len(c))
    for k in range(1, path.shape[1]):
        fires = np.sqrt(square(path[:, k] - copy)) >= c
        copy = copy + np.where(fires[:, None], compress(batch["compressor"], path[:, k] - copy, delta), 0.0)
        farthest = np.maximum(farthest, np.sqrt(square(path[:, k] - copy)))
    value = theorem.evaluate(trigger_threshold=c, delta=delta, movement=movement).value
    return quotient(farthest, stated(value))


def _late(theorem: Theorem, batch: Batch) -> Array:
    """What is used is the sender's record of some iterations ago, as many as the latency at most."""
    path, latency = _paths(batch), batch["latency"]
    movement = np.max(_lengths(path), axis=1)
    c = batch["threshold"] * movement
    records, rows = _copies(path, c)[0], np.arange(len(c))
    farthest = np.zeros(len(c))
    for k in range(path.shape[1]):
        for age in range(_LATEST + 1):
            record = records[rows, max(k - age, 0)]
            distance = np.where(age <= latency, np.sqrt(square(path[:, k] - record)), 0.0)
            farthest = np.maximum(farthest, distance)
    value = theorem.evaluate(trigger_threshold=c, latency=latency, movement=movement).value
    return quotient(farthest, stated(value))


_LATEST = 5


def _torn(theorem: Theorem, batch: Batch) -> Array:
    """Every entry of the read comes from the last message or from the one before, whichever is farther."""
    path = _paths(batch)
    movement = np.max(_lengths(path), axis=1)
    c = batch["threshold"] * movement
    copies, events = _copies(path, c)
    newest = older = path[:, 0]
    farthest = np.zeros(len(c))
    for k in range(path.shape[1]):
        older = np.where(events[:, k, None], newest, older)
        newest = copies[:, k]
        torn = np.maximum(np.abs(path[:, k] - older), np.abs(path[:, k] - newest))
        farthest = np.maximum(farthest, np.sqrt(square(torn)))
    value = theorem.evaluate(trigger_threshold=c, movement=movement).value
    return quotient(farthest, stated(value))


_MOVES: Fields = {"moves": Entries(rows=(2,)), "threshold": Positive(1e-2, 10.0)}


def _straight(K: int = 12) -> list[list[float]]:
    return [[1.0] * K, [0.0] * K]


def _lines() -> Iterator[Instance]:
    for power in (0, 1, 2):
        yield {"moves": _straight(), "threshold": 0.1, "power": power}


def _long_holds() -> Iterator[Instance]:
    for w, step in ((1 / 3, 0.03), (0.5, 1.0), (0.9, 0.1)):
        yield {"w": w, "eigenvalue": 1.0, "relative_step": step, "pauses": [200] * 6}


def _chased() -> Iterator[Instance]:
    for threshold in (1e-2, 5 + 1e-9):
        for compressor in ("multiple", "larger entry"):
            yield {"moves": _straight(30), "threshold": threshold, "delta": 0.3, "compressor": compressor}


def _just_below() -> Iterator[Instance]:
    for latency in (0, 3):
        yield {"moves": _straight(30), "threshold": 3 + 1e-9, "latency": latency}


def _turning() -> Iterator[Instance]:
    yield {"moves": [[1.0] * 6 + [0.0] * 6, [0.0] * 6 + [1.0] * 6], "threshold": 5 + 1e-9}
    yield {"moves": _straight(), "threshold": 5 + 1e-9}


FAMILIES = {
    "count-path": Family(
        {**_MOVES, "threshold": Positive(1e-3, 1.0), "power": Integers(0, 3)},
        _count,
        "events / their bound, or the reverse on straight paths",
        _lines,
        _DIMENSIONS,
    ),
    "pullback-cap": Family(
        {
            "w": Positive(0.02, 0.95),
            "eigenvalue": Positive(1e-2, 1e2),
            "relative_step": Positive(1e-2, 1.0),
            "pauses": Integers(1, 40, rows=(6,)),
        },
        _pullback,
        "stated / smallest factor of a component",
        _long_holds,
        dimensions=(1,),
    ),
    "compressed-staleness": Family(
        {**_MOVES, "delta": Positive(0.05, 0.999), "compressor": Words(("larger entry", "multiple"))},
        _compressed,
        "distance from the copy / its bound",
        _chased,
        _DIMENSIONS,
    ),
    "latency-staleness": Family(
        {**_MOVES, "latency": Integers(0, _LATEST)},
        _late,
        "distance from the copy in use / its bound",
        _just_below,
        _DIMENSIONS,
    ),
    "torn-copies": Family(_MOVES, _torn, "distance from a torn read / its bound", _turning, _DIMENSIONS),
}
