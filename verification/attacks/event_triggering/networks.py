"""Networks as part of an instance: mixing matrices of many kinds, and the figures of them that theorems speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..fields import Array

__all__ = ["MARGIN", "Figures", "Mixings", "RowMixings", "complete", "figures", "gossip_sums", "lazy", "ring"]

MARGIN = 1e-3
"""Networks whose spectral gap is smaller are left out: eigenvalues are known to about 1e-15, gaps to 1e-12 of them."""


def ring(n: int) -> Array:
    """Return equal weights 1/3 on a ring; both neighbours of two workers are the same one."""
    forth = np.eye(n)[np.roll(np.arange(n), 1)]
    return (np.eye(n) + forth + forth.T) / 3


def complete(n: int) -> Array:
    """Return equal weights for everybody."""
    return np.full((n, n), 1 / n)


def lazy(W: Array, strength: float) -> Array:
    """Return ``(1 - strength) I + strength W``."""
    return (1 - strength) * np.eye(len(W)) + strength * W


def _metropolis(linked: Array) -> Array:
    degrees = linked.sum(axis=1)
    W = linked / (1 + np.maximum(degrees[:, None], degrees))
    return W + np.diag(1 - W.sum(axis=1))


def _path(n: int, rng: np.random.Generator) -> Array:
    del rng
    return _metropolis(np.eye(n, k=1) + np.eye(n, k=-1))


def _star(n: int, rng: np.random.Generator) -> Array:
    del rng
    linked = np.zeros((n, n))
    linked[0, 1:] = linked[1:, 0] = 1
    return _metropolis(linked)


def _random_graph(n: int, rng: np.random.Generator) -> Array:
    upper = np.triu(rng.random((n, n)) < rng.uniform(0.2, 1.0), 1)
    return _metropolis((upper | upper.T | (np.eye(n, k=1) + np.eye(n, k=-1) > 0)).astype(float))


def _random_weights(n: int, rng: np.random.Generator) -> Array:
    """Symmetric doubly stochastic: an average of permutations and their inverses."""
    shares = rng.dirichlet(np.ones(3) * rng.choice([0.3, 3.0]))
    swaps = [np.eye(n)[rng.permutation(n)] for _ in shares]
    return np.sum([share * (P + P.T) / 2 for share, P in zip(shares, swaps, strict=True)], axis=0)


_KINDS: tuple[Callable[[int, np.random.Generator], Array], ...] = (
    lambda n, rng: ring(n),
    lambda n, rng: complete(n),
    _path,
    _star,
    _random_graph,
    _random_weights,
)


@dataclass(frozen=True)
class Mixings:
    """Symmetric doubly stochastic matrices of n workers, (m, n, n): rings, paths, stars, random ones; often lazy."""

    def draw(self, m: int, d: int, rng: np.random.Generator) -> Array:
        """Draw matrices for d workers."""
        return np.stack([self._one(d, rng) for _ in range(m)])

    def _one(self, n: int, rng: np.random.Generator) -> Array:
        W = _KINDS[rng.integers(len(_KINDS))](n, rng)
        return lazy(W, rng.choice([1.0, 0.5, rng.uniform(0.01, 1)]))

    def change(self, values: Array, d: int, rng: np.random.Generator) -> Array:
        """Mix every matrix with another one, with the identity or with the average: all stay doubly stochastic."""
        m = len(values)
        others = np.stack(
            [self.draw(m, d, rng), np.broadcast_to(np.eye(d), values.shape), np.full(values.shape, 1 / d)]
        )
        share = (rng.choice([1.0, 0.1, 0.01], m) * rng.random(m))[:, None, None]
        return (1 - share) * values + share * others[rng.integers(len(others), size=m), np.arange(m)]


@dataclass(frozen=True)
class RowMixings:
    """Non-negative matrices whose rows sum to one, with positive diagonal, (m, n, n): directed networks too.

    Parameters
    ----------
    lowest
        Smallest weight of a worker's own parameters.
    """

    lowest: float = 0.02

    def draw(self, m: int, d: int, rng: np.random.Generator) -> Array:
        """Draw symmetric and arbitrary ones."""
        directed = rng.dirichlet(np.full(d, 0.5), size=(m, d))
        W = np.where(rng.random((m, 1, 1)) < 0.3, Mixings().draw(m, d, rng), directed)
        own = rng.choice([self.lowest, 0.3], size=(m, 1, 1))
        return (1 - own) * W + own * np.eye(d)

    def change(self, values: Array, d: int, rng: np.random.Generator) -> Array:
        """Mix with another one."""
        share = (rng.choice([1.0, 0.1, 0.01], len(values)) * rng.random(len(values)))[:, None, None]
        return (1 - share) * values + share * self.draw(len(values), d, rng)


@dataclass(frozen=True)
class Figures:
    """What theorems need to know of symmetric matrices (m, n, n), shapes (m,)."""

    eigenvalues: Array
    """Increasing, (m, n)."""
    lambda_2: Array
    lambda_n: Array
    mixing_rate: Array
    mixing_pull: Array
    pull: Array

    @property
    def spectral_gap(self) -> Array:
        """1 - rho."""
        return 1 - self.mixing_rate

    @property
    def mixing_gap(self) -> Array:
        """1 - lambda_2."""
        return 1 - self.lambda_2

    @property
    def mixing_strength(self) -> Array:
        """1 - lambda_n."""
        return 1 - self.lambda_n

    @property
    def connected(self) -> Array:
        """Whether the average is reached, by more than rounding."""
        return self.spectral_gap > MARGIN


def figures(W: Array) -> Figures:
    """Return the figures of symmetric matrices with rows that sum to one."""
    values = np.linalg.eigvalsh(W)
    given = 1 - np.diagonal(W, axis1=-2, axis2=-1)
    return Figures(
        values,
        values[:, -2],
        values[:, 0],
        np.maximum(np.abs(values[:, -2]), np.abs(values[:, 0])),
        np.linalg.norm(given, axis=1),
        np.mean(given, axis=1),
    )


def gossip_sums(eigenvalues: Array, accuracy: float = 1e-13) -> Array:
    """Return S_W, (m,), of all eigenvalues (m, n - 1) but that of the average; those below 0.98 take 1500 terms.

    Examples
    --------
    >>> gossip_sums(np.array([[-0.5, 0.5]])).round(9)
    array([3.])
    """
    size, powers, total = np.abs(eigenvalues), 1 - eigenvalues, np.zeros(len(eigenvalues))
    rate = np.max(size, axis=1, initial=0.0)
    while np.any(np.max(powers, axis=1) > accuracy * (1 - rate)):
        total += np.max(powers, axis=1)
        powers = powers * size
    return total
