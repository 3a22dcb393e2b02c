"""The noise of compression: every row of the noise table as a covariance, with what the table says of it (dossier 3.2).

A compressor here is a random linear map of mean one. Along: Q(g) = (1 +- sqrt(omega)) g. By entries: a mask that keeps
each entry with probability 1/(1 + omega). Both have the variance omega |g|^2 for every g.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..family import Batch
from ..fields import Array
from .workers import Workers

__all__ = ["ROWS", "Noise", "noise", "relative", "split"]

ROWS = ("none", "independent", "joint", "counted", "one map", "shifted", "permuted", "stochastic", "one worker")
"""Rows 1, 2, 3a, 3b, 4, 5, 6, 7 and 8 of the table."""


@dataclass(frozen=True)
class Noise:
    """Cov xi = outer S + diag(entries_j S_jj) of two matrices S, plus a multiple of the identity.

    One S is the sum of `own_weights` E g_i g_i^T, of g_i or of g_i - h_i; the other is E u u^T for the sum
    u = sum_i signs_i p_i g_i, which is the step direction where the signs are all one.
    """

    own_weights: Array
    """Shape (m, n)."""

    own_outer: Array
    """Shape (m,), like all below except the signs."""

    own_entries: Array
    shifted: Array
    """Whether the h_i are left out."""

    signs: Array
    """Shape (m, n)."""

    mean_outer: Array
    mean_entries: Array
    isotropic: Array
    """Variance of every entry."""

    slope: Array
    """B_0."""

    floor: Array
    """N_0."""

    def covariance(self, own: Array, mean: Array) -> Array:
        """Return Cov xi (m, d, d) from E g_i g_i^T (m, n, d, d) and E u u^T (m, d, d)."""
        S = np.einsum("mn,mnij->mij", self.own_weights, own)
        outer = _spread(self.own_outer) * S + _spread(self.mean_outer) * mean
        entries = _spread(self.own_entries) * S + _spread(self.mean_entries) * mean + _spread(self.isotropic)
        return outer + entries * np.eye(S.shape[-1])


def split(workers: Workers, batch: Batch) -> tuple[Array, Array]:
    """Return theta of Young's inequality and 1/theta, shape (m,); both 0 for a common minimiser: nothing is split."""
    needed = workers.E_star > 0
    return np.where(needed, batch["young"], 0.0), np.where(needed, 1 / batch["young"], 0.0)


def noise(workers: Workers, batch: Batch) -> Noise:
    """Return the noise of a batch: its row, the law of its compressors and their variance omega."""
    row, omega = batch["row"], batch["variance"]
    theta, inverse = split(workers, batch)
    p, n, d = workers.weights, np.sum(workers.exists, axis=1), workers.hessians.shape[-1]
    along = batch["law"] == "along"
    outer, entries = np.where(along, omega, 0.0), np.where(along, 0.0, omega)
    zero, repulsion = np.zeros_like(omega), 1 / np.maximum(n - 1, 1)
    jointly = np.isin(row, ("joint", "counted"))
    shared = jointly | (row == "one map")
    squares = workers.average(workers.squared_pulls)
    sampled = (1 + omega) * workers.average(p) * (batch["L"] * batch["deviation"]) ** 2

    def by_row(default: Array, **values: Array) -> Array:
        return np.select([row == name.replace("_", " ") for name in values], list(values.values()), default)

    return Noise(
        own_weights=np.where(np.isin(row, ("permuted", "one worker"))[:, None], p, p**2),
        own_outer=by_row(outer, none=zero, permuted=-repulsion, one_worker=1 + outer) * ~shared,
        own_entries=by_row(entries, none=zero, permuted=n * repulsion) * ~shared,
        shifted=row == "shifted",
        signs=np.where(jointly[:, None], 1 - 2 * batch["opposed"], 1),
        mean_outer=by_row(outer * shared, permuted=repulsion, one_worker=zero - 1),
        mean_entries=by_row(entries * shared, permuted=-n * repulsion),
        isotropic=by_row(zero, stochastic=sampled / d),
        slope=by_row(
            omega * (1 + theta) * workers.Lambda,
            none=zero,
            joint=omega * (1 + theta) * workers.L_supp,
            counted=omega * (1 + theta) * workers.sigma * workers.Lambda,
            one_map=omega * workers.L,
            shifted=omega * workers.Lambda,
            permuted=(1 + theta) * workers.L_max,
            one_worker=(1 + omega) * (1 + theta) * workers.L_max,
        ),
        floor=by_row(
            omega * (1 + inverse) * workers.E_star,
            none=zero,
            joint=omega * (1 + inverse) * workers.L_supp * workers.H_star,
            counted=omega * (1 + inverse) * workers.sigma * workers.E_star,
            one_map=zero,
            shifted=zero,
            permuted=(1 + inverse) * squares,
            stochastic=omega * (1 + inverse) * workers.E_star + sampled,
            one_worker=(1 + omega) * (1 + inverse) * squares,
        ),
    )


def relative(workers: Workers, batch: Batch) -> tuple[Array, Array]:
    """Return B^2 and zeta_0^2 with sum p_i^2 |grad f_i|^2 <= B^2 |grad F|^2 + zeta_0^2 everywhere; NaN if F is flat.

    By Young's inequality B^2 = (1 + theta) max_x sum_i p_i^2 |H_i x|^2/|H x|^2.
    """
    theta, inverse = split(workers, batch)
    steep = workers.mu > 1e-4 * workers.L
    H = np.where(steep[:, None, None], workers.hessian, np.eye(workers.hessian.shape[-1]))
    squares = np.einsum("mn,mnij,mnjk->mik", workers.weights**2, workers.hessians, workers.hessians)
    quotients = np.linalg.solve(H, np.swapaxes(np.linalg.solve(H, squares), -1, -2))
    largest = np.linalg.eigvalsh((quotients + np.swapaxes(quotients, -1, -2)) / 2)[:, -1]
    # H is conditioned up to 1e4: its inverse on both sides leaves eight digits.
    slope = np.where(steep, (1 + theta) * largest * (1 + 1e-8), np.nan)
    return slope, (1 + inverse) * workers.E_star


def _spread(values: Array) -> Array:
    return values[:, None, None]
