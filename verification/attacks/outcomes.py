"""Exact expectations of stochastic sparsification: every outcome of every coin, weighted by its probability."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .fields import Array
from .functions import Function, square
from .senders import bernoulli_outcomes, sampling_probabilities

__all__ = ["Outcomes", "expected", "tree"]


@dataclass(frozen=True)
class Outcomes:
    """All points that m methods may have reached after some iterations, N each."""

    x: Array
    """Shape (m, N, d)."""

    probability: Array
    """Shape (m, N)."""

    gradient: Array
    """At x, shape (m, N, d)."""

    omega: Array
    """|g|^2/E|Q|^2 at x, shape (m, N); 1 where g = 0."""

    progress: Array
    """The sum of omega over the points on the way to x, shape (m, N)."""

    weighted: Array
    """The sum of omega times the points on the way to x, shape (m, N, d)."""

    inner: Array
    """Probabilities of the coins at x, shape (m, N, d)."""

    @property
    def smallest_omega(self) -> Array:
        """The smallest omega at a point of positive probability, shape (m,)."""
        return np.min(np.where(self.probability > 0, self.omega, 1.0), axis=1)


def expected(outcomes: Outcomes, values: Array) -> Array:
    """Return the expectations (m,) of values (m, N)."""
    return np.sum(np.where(outcomes.probability > 0, outcomes.probability * values, 0.0), axis=1)


def tree(function: Function, start: Array, L: Array, T: Array, steps: int) -> Iterator[Outcomes]:
    """Yield the outcomes after 0, 1, ..., steps iterations of x <- x - (omega/L) Q, T (m,) entries in expectation."""
    zeros = np.zeros_like(start[:, None])
    now = _at(function, start[:, None], np.ones_like(start[:, :1]), zeros[..., 0], zeros, T)
    yield now
    for _ in range(steps):
        now = _step(function, now, L, T)
        yield now


def _at(function: Function, x: Array, probability: Array, progress: Array, weighted: Array, T: Array) -> Outcomes:
    g = function.gradient(x)
    p = sampling_probabilities(g, T)
    second_moment = np.sum(np.where(p > 0, g**2 / np.where(p > 0, p, 1.0), 0.0), axis=-1)
    omega = np.where(second_moment > 0, square(g) / np.where(second_moment > 0, second_moment, 1.0), 1.0)
    return Outcomes(x, probability, g, np.minimum(omega, 1.0), progress, weighted, p)


def _step(function: Function, now: Outcomes, L: Array, T: Array) -> Outcomes:
    reached, probabilities = [], []
    for probability, message in bernoulli_outcomes(now.gradient, now.inner):
        reached.append(now.x - (now.omega / L[:, None])[..., None] * message)
        probabilities.append(now.probability * probability)
    copies = len(reached)
    progress = np.concatenate([now.progress + now.omega] * copies, axis=1)
    weighted = np.concatenate([now.weighted + now.omega[..., None] * now.x] * copies, axis=1)
    return _at(function, np.concatenate(reached, axis=1), np.concatenate(probabilities, axis=1), progress, weighted, T)
