"""Delay patterns as part of an instance: drawn from the models of the library, and changed by the search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from taciturn.solvers.delays import Constant, Cyclic, DelayModel, Geometric, Hold, RampPlateau, Uniform

from ..fields import Array

__all__ = ["MODELS", "Delays", "Weights", "kept"]

MODELS: tuple[Callable[[int], DelayModel], ...] = (
    Constant,
    Cyclic,
    Hold,
    RampPlateau,
    Uniform,
    lambda tau: Geometric(0.5, tau),
    lambda tau: Geometric(0.9, tau),
)
"""Delay models by largest delay (dossier 6)."""


@dataclass(frozen=True)
class Delays:
    """tau_i^k <= min(k, largest), shape (m, K, n).

    Parameters
    ----------
    iterations, workers
        K and n.
    largest
        Largest delay that is drawn; the largest of an instance is often smaller.
    """

    iterations: int
    workers: int
    largest: int = 8

    def draw(self, m: int, d: int, rng: np.random.Generator) -> Array:
        """Draw patterns of one model for all workers, or of a model for each of them."""
        del d
        return np.stack([self._pattern(rng) for _ in range(m)])

    def _pattern(self, rng: np.random.Generator) -> Array:
        if rng.random() < 0.5:
            return self._of_a_model(self.workers, rng)
        return np.concatenate([self._of_a_model(1, rng) for _ in range(self.workers)], axis=1)

    def _of_a_model(self, workers: int, rng: np.random.Generator) -> Array:
        model = MODELS[rng.integers(len(MODELS))](int(rng.integers(self.largest + 1)))
        return model.trace(self.iterations, workers, rng).delay

    def change(self, values: Array, d: int, rng: np.random.Generator) -> Array:
        """Move, hold, repeat, shift, equalise or limit the delays."""
        del d
        m, K, n = values.shape
        k, i = np.arange(K)[:, None], rng.integers(n, size=(m, 1, 1))
        first, length = rng.integers(K, size=(m, 1, 1)), rng.integers(1, 2 * self.largest + 2, size=(m, 1, 1))
        some = (rng.random((m, 1, n)) < 0.5) | (np.arange(n) == i)
        part = some & (k >= first) & (k < first + length)
        newest = rng.integers(self.largest + 1, size=(m, 1, 1))
        ways = np.stack(
            [
                np.where(part, values + rng.integers(-1, 2, size=values.shape), values),
                np.where(part, newest, values),  # constant for a while
                np.where(part, k - first, values),  # one model held for a while
                np.take_along_axis(values, np.where(some, k % length, k), axis=1),  # the beginning, repeated
                np.take_along_axis(values, np.where(some, (k + first) % K, k), axis=1),
                np.broadcast_to(np.take_along_axis(values, i, axis=2), values.shape),
                np.minimum(values, newest),
            ]
        )
        chosen = ways[rng.integers(len(ways), size=m), np.arange(m)]
        return np.clip(chosen, 0, np.minimum(k, self.largest))


@dataclass(frozen=True)
class Weights:
    """Weights of n workers, not all of which exist: (m, n), in [0.05, 1] or zero, not all zero.

    Parameters
    ----------
    workers
        n.
    """

    workers: int

    def draw(self, m: int, d: int, rng: np.random.Generator) -> Array:
        """Draw equal or different weights of some workers."""
        del d
        different = rng.random((m, 1)) < 0.5
        weights = np.where(different, rng.uniform(0.05, 1.0, (m, self.workers)), 1.0)
        return self._some(weights, rng.random((m, self.workers)) < rng.uniform(0, 1, (m, 1)), rng)

    def change(self, values: Array, d: int, rng: np.random.Generator) -> Array:
        """Change the weights, let workers come and go, or make all that exist equal."""
        del d
        m = len(values)
        ways = np.stack(
            [
                values * np.exp(rng.choice([1.0, 0.1, 0.01], (m, 1)) * rng.standard_normal(values.shape)),
                np.where(values > 0, 1.0, 0.0),
                np.where(rng.random(values.shape) < 0.3, 1.0 - np.sign(values), values),
            ]
        )
        chosen = ways[rng.integers(len(ways), size=m), np.arange(m)]
        return self._some(np.clip(chosen, 0.05, 1.0), chosen > 0, rng)

    def _some(self, weights: Array, exist: Array, rng: np.random.Generator) -> Array:
        always = np.arange(self.workers) == rng.integers(self.workers, size=(len(weights), 1))
        nobody = ~np.any(exist, axis=1, keepdims=True)
        return np.where(exist | (nobody & always), weights, 0.0)


def kept(delays: Array) -> Array:
    """Return delays for messages that are stored: the versions k - tau_i^k never decrease.

    Examples
    --------
    >>> kept(np.array([[[0], [0], [2], [3]]]))[0, :, 0]
    array([0, 0, 1, 2])
    """
    k = np.arange(delays.shape[1])[:, None]
    return k - np.maximum.accumulate(k - delays, axis=1)
