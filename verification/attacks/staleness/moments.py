"""Exact expectations of stale compressed gradients for m quadratics at once, each with delays and noise of its own.

The recursion of `taciturn.solvers.second_moment` for a batch of problems: mean and covariance of the last models (and
of the messages, where they are stored) are kept in a ring of slots, one of which is replaced in every iteration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..fields import Array
from ..functions import square
from .noise import Noise
from .workers import Workers

__all__ = ["FreshMoments", "Moments", "moments", "stored_moments"]


@dataclass(frozen=True)
class Moments:
    """What m runs of K iterations do in expectation; every array has the shape (m, K + 1)."""

    squared_distance: Array
    """E|r_k|^2."""

    gap: Array
    """E F(x_k) - F*."""

    squared_gradient: Array
    """E|grad F(x_k)|^2."""


@dataclass(frozen=True)
class FreshMoments(Moments):
    """The same where every message is used once, with what the one-step inequality speaks of, shape (m, K) each."""

    direction: Array
    """E|v_k|^2."""

    noise: Array
    """E|xi_k|^2."""

    bregman: Array
    """E D_k."""

    moved: Array
    """E sum_i p_i |e_i^k|^2 in the norm of H_i."""


def moments(workers: Workers, noise: Noise, delays: Array, step_sizes: Array, start: Array) -> FreshMoments:
    """Run x_{k+1} = x_k - gamma_k (sum_i p_i grad f_i(x_{k - tau_i^k}) + xi_k), every message used once.

    Parameters
    ----------
    workers, noise
        m problems and the laws of their noise.
    delays
        tau_i^k <= k, shape (m, K, n).
    step_sizes
        gamma_k, shape (m, K).
    start
        x_0 less the minimiser, shape (m, d).
    """
    m, iterations, n = delays.shape
    each, worker = np.arange(m)[:, None], np.arange(n)
    ring = _Ring(start, int(np.max(delays)) + 1, 0)
    weighted = workers.weights[..., None, None] * workers.hessians
    signed = noise.signs[..., None, None] * weighted
    pulls = np.where(noise.shifted[:, None, None], 0.0, workers.pulls)
    runs, steps = [], []
    for k in range(iterations):
        read = (k - delays[:, k]) % ring.models
        at_read = ring.covariance[each, read]
        slopes = (workers.hessians @ ring.mean[each, read][..., None])[..., 0]
        direction = workers.average(slopes)  # the h_i cancel
        rows = _sums(weighted, at_read)
        variance = spread = np.sum(rows[each, :, read] @ weighted, axis=1)
        if np.any(noise.signs != 1):
            spread = np.sum(_sums(signed, at_read)[each, :, read] @ signed, axis=1)
        signed_mean = np.einsum("mn,mni->mi", noise.signs * workers.weights, slopes + pulls)
        own = workers.hessians @ at_read[each, worker, :, read] @ workers.hessians + _outer(slopes + pulls)
        covariance = noise.covariance(own, spread + _outer(signed_mean))
        runs.append(_forms(workers, ring.newest(k)))
        steps.append((_trace(variance) + square(direction), _trace(covariance), *ring.lag(workers, k, read)))
        ring.step(k, step_sizes[:, k], direction, rows, variance + covariance)
    runs.append(_forms(workers, ring.newest(iterations)))
    return FreshMoments(*_columns(runs), *_columns(steps))


def stored_moments(workers: Workers, noise: Noise, delays: Array, step_sizes: Array, start: Array) -> Moments:
    """Run x_{k+1} = x_k - gamma_k sum_i p_i q_i with messages that are kept while k - tau_i^k stays the same.

    The parameters are those of `moments`; k - tau_i^k must not decrease, and the noise must be that of independent
    workers (row 2).
    """
    m, iterations, n = delays.shape
    ring = _Ring(start, int(np.max(delays)) + 1, n)
    messages = ring.models + np.arange(n)
    versions = np.arange(iterations)[:, None] - delays
    fresh = np.concatenate([np.ones((m, 1, n), dtype=bool), versions[:, 1:] != versions[:, :-1]], axis=1)
    runs = []
    for k in range(iterations):
        for i in range(n):
            _send(ring, workers, noise, i, versions[:, k, i] % ring.models, fresh[:, k, i])
        direction = workers.average(ring.mean[:, messages])
        rows = np.einsum("mn,mnisj->misj", workers.weights, ring.covariance[:, messages])
        variance = np.einsum("mn,minj->mij", workers.weights, rows[:, :, messages])
        runs.append(_forms(workers, ring.newest(k)))
        ring.step(k, step_sizes[:, k], direction, rows, variance)
    runs.append(_forms(workers, ring.newest(iterations)))
    return Moments(*_columns(runs))


def _send(ring: _Ring, workers: Workers, noise: Noise, i: int, read: Array, fresh: Array) -> None:
    """Replace the message of worker i, computed at the models in these slots (m,), where it is fresh."""
    each, H = np.arange(len(read)), workers.hessians[:, i]
    rows = np.einsum("mij,mjsl->misl", H, ring.covariance[each, read])
    mean = np.einsum("mij,mj->mi", H, ring.mean[each, read]) + workers.pulls[:, i]
    variance = rows[each, :, read] @ H
    second = variance + _outer(mean)
    added = noise.own_outer[:, None, None] * second
    added = added + noise.own_entries[:, None, None] * second * np.eye(second.shape[-1])
    ring.replace(ring.models + i, mean, rows, variance + added, fresh)


class _Ring:
    """Mean and covariance of the models x_k, x_{k-1}, ..., less the minimiser, and of the messages."""

    def __init__(self, start: Array, models: int, messages: int) -> None:
        m, d = start.shape
        self.models = models
        self.mean = np.zeros((m, models + messages, d))
        self.mean[:, 0] = start
        self.covariance = np.zeros((m, models + messages, d, models + messages, d))

    def step(self, k: int, step_size: Array, direction: Array, rows: Array, variance: Array) -> None:
        """Put x_{k+1} = x_k - gamma G in place of the oldest model.

        Parameters
        ----------
        direction, rows, variance
            Mean of G (m, d), its covariance with everything (m, d, slots, d) and with itself (m, d, d).
        """
        now, gamma = k % self.models, step_size[:, None, None]
        beside = self.covariance[:, now] - gamma[..., None] * rows
        own = beside[:, :, now] - gamma * np.swapaxes(rows[:, :, now], 1, 2) + gamma**2 * variance
        # An antisymmetric part, born of rounding, can grow by a factor of up to two in a step that is stable otherwise.
        own = (own + np.swapaxes(own, 1, 2)) / 2
        self.replace((k + 1) % self.models, self.mean[:, now] - gamma[..., 0] * direction, beside, own)

    def replace(self, slot: int, mean: Array, rows: Array, own: Array, where: Array | None = None) -> None:
        """Put a vector of this mean (m, d), covariance with everything else and with itself into a slot."""
        if where is not None:
            mean = np.where(where[:, None], mean, self.mean[:, slot])
            rows = np.where(where[:, None, None, None], rows, self.covariance[:, slot])
            own = np.where(where[:, None, None], own, self.covariance[:, slot, :, slot])
        self.mean[:, slot] = mean
        self.covariance[:, slot] = rows
        self.covariance[:, :, :, slot] = rows.transpose(0, 2, 3, 1)
        self.covariance[:, slot, :, slot] = own

    def newest(self, k: int) -> Array:
        """Return E r_k r_k^T, shape (m, d, d)."""
        now = k % self.models
        return self.covariance[:, now, :, now] + _outer(self.mean[:, now])

    def lag(self, workers: Workers, k: int, read: Array) -> tuple[Array, Array]:
        """Return E D_k and E sum_i p_i |x_k - y_i|^2 in the norm of H_i for points y_i in these slots (m, n)."""
        each, now = np.arange(len(read))[:, None], k % self.models
        mean = self.mean[each, read]
        at_read = self.covariance[each, read, :, read] + _outer(mean)
        both = self.covariance[each, read, :, now] + mean[..., None] * self.mean[:, None, None, now]
        apart = self.newest(k)[:, None] - 2 * both + at_read
        return (
            0.5 * workers.average(np.sum(workers.hessians * at_read, axis=(-2, -1))),
            workers.average(np.sum(workers.hessians * apart, axis=(-2, -1))),
        )


def _forms(workers: Workers, newest: Array) -> tuple[Array, Array, Array]:
    """The squared distance, the gap and the squared gradient from E r_k r_k^T."""
    H = workers.hessian
    return (
        _trace(newest),
        0.5 * np.sum(H * newest, axis=(-2, -1)),
        np.sum((H @ H) * newest, axis=(-2, -1)),
    )


def _columns(records: list[tuple[Array, ...]]) -> list[Array]:
    return [np.stack(column, axis=1) for column in zip(*records, strict=True)]


def _sums(matrices: Array, rows: Array) -> Array:
    """sum_i matrices_i rows_i of (m, n, d, d) and (m, n, d, slots, d), shape (m, d, slots, d)."""
    m, n, d = matrices.shape[:3]
    beside = matrices.transpose(0, 2, 1, 3).reshape(m, d, n * d)
    return (beside @ rows.reshape(m, n * d, -1)).reshape(m, d, *rows.shape[3:])


def _outer(v: Array) -> Array:
    return v[..., :, None] * v[..., None, :]


def _trace(matrices: Array) -> Array:
    return np.trace(matrices, axis1=-2, axis2=-1)
