"""Problems of several workers with compressors of their own, and runs of error feedback on them (dossier 3.1).

Arrays of a run have a leading axis for the instances, and one for the outcomes of coins: (m, N, n, d).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from taciturn.theory.memory_constants import memory_cost, noise_memory_cost
from taciturn.theory.theorem import Theorem

from ..family import Batch
from ..fields import Array
from ..functions import square
from ..senders import top
from ..staleness.workers import Workers, convex_workers

__all__ = [
    "COINS",
    "COMPRESSORS",
    "Point",
    "Setting",
    "aligned",
    "allowed_step",
    "by_noise",
    "feedback",
    "kept_back",
    "largest",
    "setting",
]

COMPRESSORS = ("top-k", "under", "over", "alternating", "aligned", "fixed")
"""What they keep back of v: all but the k largest; q v; -q v; both in turn; q|v| along the mean of all v; anywhere."""

COINS = 4
"""Steps whose gradients are noisy; all later ones are exact."""


@dataclass(frozen=True)
class Setting:
    """m problems F = sum_i p_i f_i, smallest at 0, with the compressors and the noise of their workers.

    The f_i are quadratics, or curvature log(1 + t^2)/2 in every coordinate plus a linear function.
    """

    batch: Batch
    workers: Workers

    @cached_property
    def curved(self) -> Array:
        """Which problems are not quadratic, shape (m,)."""
        shape = self.batch.get("shape")
        return np.zeros(len(self.batch["start"]), dtype=bool) if shape is None else shape == "logarithm"

    @cached_property
    def coordinates(self) -> Array:
        """Curvatures at 0 of the f_i that are not quadratic, shape (m, n, d)."""
        return self.batch["L"][:, None, None] * self.batch["spectra"]

    @property
    def weights(self) -> Array:
        """p_i, shape (m, n); 0 for workers that do not exist."""
        return self.workers.weights

    @cached_property
    def L(self) -> Array:
        """Smoothness of F, shape (m,)."""
        return np.where(self.curved, np.max(self.average(self.coordinates), axis=1), self.workers.L)

    @property
    def mu(self) -> Array:
        """Strong convexity of F, if quadratic, shape (m,)."""
        return np.minimum(self.workers.mu, self.L)

    @cached_property
    def L_i(self) -> Array:
        """Smoothness of the f_i, shape (m, n)."""
        return np.where(self.curved[:, None], np.max(self.coordinates, axis=2), self.workers.L_i)

    @property
    def zeta(self) -> Array:
        """|grad f_i(0)|, shape (m, n)."""
        return np.sqrt(square(self.workers.pulls))

    @cached_property
    def relative(self) -> Array:
        """b_i with |grad f_i(x)| <= zeta_i + b_i |grad F(x)|, shape (m, n)."""
        quadratic = np.linalg.norm(self.workers.hessians @ np.linalg.inv(self.workers.hessian)[:, None], 2, (2, 3))
        curved = np.max(self.coordinates / self.average(self.coordinates)[:, None], axis=2)
        return np.where(self.curved[:, None], curved, quadratic)

    @cached_property
    def noise(self) -> Array:
        """s_i, shape (m, n): the worker of the largest weight alone has noise."""
        if "deviation" not in self.batch:
            return np.zeros_like(self.weights)
        heaviest = np.arange(self.weights.shape[1]) == np.argmax(self.weights, axis=1)[:, None]
        size = self.batch["L"] * self.batch["deviation"] * (self.batch["noise"] == "coins")
        return np.where(heaviest, size[:, None], 0.0)

    @property
    def sigma(self) -> Array:
        """sqrt(sum_i p_i^2 s_i^2), shape (m,)."""
        return np.sqrt(np.sum(self.weights**2 * self.noise**2, axis=1))

    @cached_property
    def counts(self) -> Array:
        """Entries that top-k sends, shape (m, n)."""
        d = self.batch["start"].shape[1]
        return np.clip(np.ceil(self.batch["delta"] * d - 1e-9), 1, d).astype(int)

    @cached_property
    def delta(self) -> Array:
        """Contraction of the compressors, shape (m, n)."""
        sent = self.counts / self.batch["start"].shape[1]
        return np.where((self.batch["compressor"] == "top-k")[:, None], sent, self.batch["delta"])

    @cached_property
    def q(self) -> Array:
        """sqrt(1 - delta_i), shape (m, n)."""
        return np.sqrt(1 - self.delta)

    @property
    def largest_q(self) -> Array:
        """Of the workers that exist, shape (m,)."""
        return np.max(np.where(self.workers.exists, self.q, 0.0), axis=1)

    def average(self, values: Array) -> Array:
        """Return sum_i p_i values_i of (m, n, ...)."""
        return self.workers.average(values)

    def memory_smoothness(self, beta: Array | float = 1.0) -> Array:
        """Return A_L, shape (m,)."""
        return self.average(self.L_i * self._cost(beta))

    def memory_curvature(self, beta: Array | float = 1.0) -> Array:
        """Return A_2, shape (m,)."""
        return self.average(self.L_i * self._cost(beta) ** 2)

    def memory_dissimilarity(self) -> Array:
        """Return A_b, shape (m,)."""
        return self.average(self.relative * memory_cost(self.delta))

    def memory_residual(self, beta: Array | float = 1.0) -> Array:
        """Return D, or D_* as the gradients at 0 are those at the minimiser, shape (m,)."""
        r = noise_memory_cost(self._existing, self._column(beta))
        return self.average(self._cost(beta) * self.zeta + r * self.noise)

    def _cost(self, beta: Array | float) -> Array:
        return memory_cost(self._existing, self._column(beta))

    @property
    def _existing(self) -> Array:
        """delta_i, and 1 for workers that do not exist: their q need not be below beta."""
        return np.where(self.workers.exists, self.delta, 1.0)

    @staticmethod
    def _column(beta: Array | float) -> Array:
        return np.asarray(beta, dtype=float)[..., None]

    def gap(self, x: Array) -> Array:
        """Return F - F* at x (m, N, d), shape (m, N)."""
        quadratic = 0.5 * np.einsum("mNi,mij,mNj->mN", x, self.workers.hessian, x)
        curved = 0.5 * np.einsum("mi,mNi->mN", self.average(self.coordinates), np.log1p(x**2))
        return np.where(self.curved[:, None], curved, quadratic)

    def gradients(self, x: Array) -> Array:
        """Return the gradients of all f_i at x (m, N, d), shape (m, N, n, d)."""
        quadratic = np.einsum("mnij,mNj->mNni", self.workers.hessians, x)
        curved = self.coordinates[:, None] * (x / (1 + x**2))[:, :, None]
        return np.where(self.curved[:, None, None, None], curved, quadratic) + self.workers.pulls[:, None]

    def mean(self, values: Array) -> Array:
        """Return sum_i p_i values_i of (m, N, n, d)."""
        return np.einsum("mn,mNnd->mNd", self.weights, values)

    def kept_back(self, v: Array, k: int) -> Array:
        """Return v - C(v) of every worker for v (m, N, n, d) at step k."""
        return kept_back(self.batch, self.q, self.counts, self.mean(v), v, k)


def setting(batch: Batch) -> Setting:
    """Return the problems of a batch; without pulls all workers share the minimiser; a ratio (m,) is that of all."""
    parts = {"pulls": np.zeros_like(batch["spectra"]), **batch}
    if "delta" in batch and batch["delta"].ndim == 1:
        parts["delta"] = np.broadcast_to(batch["delta"][:, None], batch["weights"].shape)
    return Setting(parts, convex_workers(parts))


def kept_back(batch: Batch, q: Array, counts: Array, mean: Array, v: Array, k: int) -> Array:
    """Return what the compressors keep back of v (m, N, n, d): at most q (m, n) times its norm."""
    factor = q[:, None, :, None]
    norm = np.sqrt(square(v))[..., None]
    somewhere = aligned(np.broadcast_to(batch["direction"][:, None, None], v.shape), v)
    kinds = (
        v - top(v, np.broadcast_to(counts[:, None], v.shape[:-1])),
        factor * v,
        -factor * v,
        (-1) ** k * factor * v,
        factor * norm * aligned(np.broadcast_to(mean[:, :, None], v.shape), v),
        factor * norm * somewhere,
    )
    return np.select([(batch["compressor"] == name)[:, None, None, None] for name in COMPRESSORS], kinds)


def aligned(direction: Array, otherwise: Array) -> Array:
    """Return unit vectors along the direction, along the other vector where it is zero, and 0 where both are."""
    for vector in (direction, otherwise):
        size = np.sqrt(square(vector))[..., None]
        unit = vector / np.where(size > 0, size, 1.0)
        direction = unit if vector is direction else np.where(square(direction)[..., None] > 0, direction, unit)
    return direction


@dataclass(frozen=True)
class Point:
    """Where m runs may be after k steps, with equal probabilities of the N outcomes."""

    x: Array
    """Shape (m, N, d)."""

    memory: Array
    """e_i, or G_i - grad f_i(x) for EF21, shape (m, N, n, d)."""


def feedback(
    of: Setting, step: Array, steps: int, keep: Callable[[Array, int], Array] | None = None
) -> Iterator[Point]:
    """Yield the points of error feedback at k = 0, ..., steps, from an empty memory.

    Parameters
    ----------
    of
        The problems.
    step
        Step sizes (m,).
    steps
        K.
    keep
        What is kept back of v at step k, if not what the compressors of the setting keep.
    """
    keep = of.kept_back if keep is None else keep
    x = of.batch["start"][:, None]
    at = Point(x, np.zeros_like(of.gradients(x)))
    for k in range(steps + 1):
        yield at
        v = at.memory + of.gradients(at.x)
        x = at.x
        if np.any(of.noise) and k < COINS:
            # A fair coin doubles the outcomes.
            noise = (of.noise[..., None] * aligned(of.batch["direction"], of.batch["start"])[:, None])[:, None]
            x, v = np.concatenate([x, x], axis=1), np.concatenate([v + noise, v - noise], axis=1)
        memory = keep(v, k)
        at = Point(x - step[:, None, None] * of.mean(v - memory), memory)


def by_noise(ratio: Callable[[Theorem, Setting], Array]) -> Callable[[Theorem, Batch], Array]:
    """Return the ratio of a batch, those with and without noise apart: without there is one outcome only."""

    def of_batch(theorem: Theorem, batch: Batch) -> Array:
        ratios = np.full(len(batch["start"]), np.nan)
        usable = square(batch["start"]) > 0
        noisy = batch["noise"] == "coins" if "noise" in batch else np.zeros(len(usable), dtype=bool)
        for chosen in (usable & noisy, usable & ~noisy):
            if np.any(chosen):
                ratios[chosen] = ratio(theorem, setting({name: values[chosen] for name, values in batch.items()}))
        return ratios

    return of_batch


def allowed_step(theorem: Theorem, batch: Batch, values: dict[str, Array]) -> Array:
    """Return the fraction of the instance of the longest step that the theorem allows, shape (m,)."""
    (upper,) = (entry.domain.upper for entry in theorem.parameters if entry.name == "step_size")
    given = {name: np.asarray(value, dtype=float) for name, value in values.items()}
    # Open ends are not reached.
    return np.asarray(batch["relative_step"] * (1 - 1e-9) * theorem.compute(sympy.sympify(upper), given))


def largest(fits: Callable[[Array], Array], upper: Array) -> Array:
    """Return the largest numbers in (0, upper] that fit, where all smaller ones do, by bisection."""
    low, high = np.zeros_like(upper), upper
    for _ in range(50):
        middle = (low + high) / 2
        fit = fits(middle)
        low, high = np.where(fit, middle, low), np.where(fit, high, middle)
    return low
