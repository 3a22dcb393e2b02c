"""Attacks on asynchronous servers: any compute times, constant, scattered, heavy-tailed (dossier 4.12, 6.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from taciturn.theory.theorem import Theorem

from ..adaptive_compression.descent import SCALES
from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Positive
from ..measures import agreement, quotient, stated

__all__ = ["FAMILIES", "Arrivals", "arrivals"]

_ITERATIONS = 150
_JOBS = 8
"""Compute times of a worker that are drawn; then they repeat."""


@dataclass(frozen=True)
class Arrivals:
    """The messages of m servers with n workers each; the message of an arrival is used once."""

    delay: Array
    """tau_k, shape (m, K)."""

    under_way: Array
    """Iterations that every unfinished job has seen at the end, shape (m, n)."""


def arrivals(times: Array, iterations: int) -> Arrivals:
    """Let n workers compute for the times (m, J, n), one job after the other, each on the newest model."""
    m, jobs, n = times.shape
    rows = np.arange(m)
    finish, started, done = times[:, 0].copy(), np.zeros((m, n), dtype=int), np.zeros((m, n), dtype=int)
    delay = np.zeros((m, iterations), dtype=int)
    for k in range(iterations):
        i = np.argmin(finish, axis=1)
        delay[:, k] = k - started[rows, i]
        started[rows, i] = k + 1
        done[rows, i] += 1
        finish[rows, i] += times[rows, done[rows, i] % jobs, i]
    return Arrivals(delay, iterations - started)


def _budget(theorem: Theorem, batch: Batch) -> Array:
    """Finished and unfinished jobs cover every iteration once for each worker: the mean is exactly n - 1."""
    times = np.abs(batch["times"])
    made = arrivals(times, _ITERATIONS)
    value = np.full(len(times), stated(theorem.evaluate(workers=times.shape[2]).value))
    finished = np.cumsum(made.delay, axis=1) / np.arange(1, _ITERATIONS + 1)
    everything = finished[:, -1] + np.sum(made.under_way, axis=1) / _ITERATIONS
    return np.maximum(np.max(quotient(finished, value[:, None]), axis=1), agreement(everything, value))


def _filter(theorem: Theorem, batch: Batch) -> Array:
    """Run on a Huber function with a knee as drawn, quadratic for a long one."""
    times = np.abs(batch["times"])
    m, _, n = times.shape
    L, R, slope = batch["L"], batch["R"], batch["L"] * batch["R"] * batch["knee"]
    guarantee = theorem.evaluate(L=L[:, None], workers=n)
    delay = arrivals(times, _ITERATIONS).delay
    accepted = delay <= 2 * n - 1
    steps = np.where(accepted, stated(guarantee.step_size), 0.0)
    rows, points, gaps = np.arange(m), np.empty((_ITERATIONS + 1, m)), np.empty((m, _ITERATIONS))
    points[0] = R
    for k in range(_ITERATIONS):
        pull = np.clip(L * points[k], -slope, slope)
        gaps[:, k] = pull * points[k] - pull**2 / (2 * L)
        stale = np.clip(L * points[k - delay[:, k], rows], -slope, slope)
        points[k + 1] = points[k] - steps[:, k] * stale
    made = np.arange(1, _ITERATIONS + 1)
    count = np.cumsum(accepted, axis=1)
    average = quotient(np.cumsum(accepted * gaps, axis=1), count)
    bound = guarantee.bound(made, R[:, None] ** 2)
    return np.max(np.maximum(quotient(average, bound), quotient(made / 2, count)), axis=1)


def _laws() -> Iterator[tuple[int, list[list[float]]]]:
    """One fast worker among slow ones that are late by one iteration, equal workers, and times that vary."""
    for n in (1, 2, 5, 10):
        yield n, [[1.0] + [n + 2.0] * (n - 1)] * _JOBS
        yield n, [[1.0] * n] * _JOBS
        yield n, [[1.0 + (i * j) % n for i in range(n)] for j in range(_JOBS)]


def _budgets() -> Iterator[Instance]:
    for _, times in _laws():
        yield {"times": times}


def _filters() -> Iterator[Instance]:
    for n, times in _laws():
        # The slope at which the Huber function is worst when little more than half of the steps are made (tight-huber).
        yield {"times": times, "L": 1.0, "R": 1.0, "knee": 1 / (0.6 * _ITERATIONS / (2 * n) + 1)}


_DIMENSIONS = (1, 2, 5, 10)
"""Numbers of workers."""

FAMILIES = {
    "delay-budget": Family(
        {"times": Entries(rows=(_JOBS,))},
        _budget,
        "mean delay / n - 1, unfinished jobs included: an equality",
        _budgets,
        dimensions=_DIMENSIONS,
    ),
    "delay-filter": Family(
        {
            "times": Entries(rows=(_JOBS,)),
            "L": SCALES,
            "R": Positive(0.01, 100.0),
            "knee": Positive(1e-3, 1.0),
        },
        _filter,
        "average gap over accepted messages / its bound, and K/2 over their number",
        _filters,
        dimensions=_DIMENSIONS,
    ),
}
