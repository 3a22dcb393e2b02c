"""Batches of quadratics on several workers, seen from the minimiser of their mean, and the constants of chapter 2."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..family import Batch
from ..fields import Array
from ..functions import reflection, square
from ..measures import quotient

__all__ = ["Workers", "convex_workers", "dissimilar_workers", "weighted"]


@dataclass(frozen=True)
class Workers:
    """F = sum_i p_i f_i with f_i(x) = 1/2 <x, H_i x> + <h_i, x> and sum_i p_i h_i = 0: F is smallest at 0.

    A worker of weight zero does not exist: no constant depends on it.
    """

    hessians: Array
    """H_i, shape (m, n, d, d)."""

    weights: Array
    """p_i, shape (m, n), of sum 1."""

    pulls: Array
    """h_i, the gradients at the minimiser, shape (m, n, d)."""

    @cached_property
    def exists(self) -> Array:
        """Which workers there are, shape (m, n)."""
        return self.weights > 0

    @cached_property
    def hessian(self) -> Array:
        """H, the Hessian of F, shape (m, d, d)."""
        return self.average(self.hessians)

    @cached_property
    def spectrum(self) -> Array:
        """Eigenvalues of H, increasing, shape (m, d); those that are zero but for rounding are zero."""
        values = np.linalg.eigvalsh(self.hessian)
        return np.where(np.abs(values) > 1e-13 * np.max(np.abs(values), axis=1, keepdims=True), values, 0.0)

    @property
    def L(self) -> Array:
        """Smoothness of F, which is L_hat of convex quadratics, shape (m,)."""
        return self.spectrum[:, -1]

    @property
    def mu(self) -> Array:
        """Strong convexity of F, shape (m,)."""
        return self.spectrum[:, 0]

    @cached_property
    def curvatures(self) -> Array:
        """Eigenvalues of every H_i, increasing, shape (m, n, d)."""
        return np.linalg.eigvalsh(self.hessians)

    @property
    def L_i(self) -> Array:
        """Lipschitz constants of the gradients, shape (m, n)."""
        return np.max(np.abs(self.curvatures), axis=-1)

    @property
    def L_max(self) -> Array:
        """The largest L_i, shape (m,)."""
        return np.max(np.where(self.exists, self.L_i, 0.0), axis=1)

    @property
    def L_Q(self) -> Array:
        """The root mean square of the L_i, shape (m,)."""
        return np.sqrt(self.average(self.L_i**2))

    @property
    def mu_each(self) -> Array:
        """The strong convexity that all f_i have, shape (m,)."""
        return np.min(np.where(self.exists, self.curvatures[..., 0], np.inf), axis=1)

    @property
    def Lambda(self) -> Array:
        """The largest p_i L_i, shape (m,)."""
        return np.max(self.weights * self.L_i, axis=1)

    @property
    def largest_weight(self) -> Array:
        """The largest p_i, shape (m,)."""
        return np.max(self.weights, axis=1)

    @cached_property
    def squared_pulls(self) -> Array:
        """|h_i|^2, shape (m, n)."""
        return square(self.pulls)

    @property
    def E_star(self) -> Array:
        """sum_i p_i^2 |h_i|^2, shape (m,)."""
        return self.average(self.weights * self.squared_pulls)

    @property
    def H_star(self) -> Array:
        """sum_i p_i/L_i |h_i|^2, infinite if an f_i is linear, shape (m,)."""
        return np.sum(quotient(self.weights * self.squared_pulls, self.L_i), axis=1)

    @cached_property
    def supports(self) -> Array:
        """Which entries the gradients of a worker may have, shape (m, n, d)."""
        return (np.any(self.hessians != 0, axis=-1) | (self.pulls != 0)) & self.exists[..., None]

    @property
    def sigma(self) -> Array:
        """How many workers share an entry at most, at least 1, shape (m,)."""
        return np.maximum(np.max(np.sum(self.supports, axis=1), axis=1), 1)

    @property
    def L_supp(self) -> Array:
        """The largest sum of p_i L_i over workers that share an entry, shape (m,)."""
        return np.max(np.sum(self.supports * (self.weights * self.L_i)[..., None], axis=1), axis=1)

    def average(self, values: Array) -> Array:
        """Return sum_i p_i values_i of (m, n, ...)."""
        return np.einsum("mn,mn...->m...", self.weights, values)


def weighted(weights: Array, hessians: Array, pulls: Array) -> Workers:
    """Return workers with these weights, up to a factor, and pulls up to their mean."""
    p = weights / np.sum(weights, axis=1, keepdims=True)
    from_mean = pulls - np.einsum("mn,mni->mi", p, pulls)[:, None]
    # Equal pulls cancel: what rounding leaves of them is no heterogeneity.
    rounding = 1e-14 * np.max(np.abs(pulls), axis=(1, 2), keepdims=True)
    return Workers(hessians, p, np.where(np.abs(from_mean) > rounding, from_mean, 0.0))


def convex_workers(batch: Batch) -> Workers:
    """Return the workers of a batch: curvatures up to L along axes of their own, pulls in units of L."""
    axes = reflection(batch["mirrors"])
    hessians = (axes * (batch["L"][:, None, None] * batch["spectra"])[..., None, :]) @ axes
    return weighted(batch["weights"], hessians, batch["L"][:, None, None] * batch["pulls"])


def dissimilar_workers(batch: Batch) -> Workers:
    """Return workers that need not be convex, with a convex mean: curvatures that cancel on average are added."""
    workers = convex_workers(batch)
    axes = reflection(batch["mirrors"])
    added = (axes * (batch["L"][:, None, None] * batch["added"])[..., None, :]) @ axes
    return Workers(workers.hessians + added - workers.average(added)[:, None], workers.weights, workers.pulls)
