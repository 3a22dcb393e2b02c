"""The attack on independent unbiased compressors: moments that are known exactly (dossier 3.5)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Family
from ..fields import Array, Fields, Positive
from ..functions import square
from ..measures import reached, stated
from .instances import NOISE, PROBLEMS, PULLS, STEP, WORKERS, hard
from .setting import Setting, allowed_step, by_noise

__all__ = ["FAMILIES", "squared_distances"]

_STEPS = 60


def squared_distances(of: Setting, step: Array, omega: Array, steps: int) -> Iterator[Array]:
    """Yield E|x_k - x*|^2, k = 1, 2, ..., for compressors with Var Q_i(v) = omega_i |v|^2, coordinate by coordinate.

    The noise of a worker is spread over all coordinates alike. The first two moments of the distance follow from
    themselves.
    """
    H, hessians, pulls = of.workers.hessian, of.workers.hessians, of.workers.pulls
    x, d = of.batch["start"], of.batch["start"].shape[1]
    moment, gamma = x[:, :, None] * x[:, None, :], step[:, None, None]
    received = of.weights**2 * omega
    noise = np.sum(of.weights**2 * (1 + omega) * of.noise**2, axis=1) / d
    for _ in range(steps):
        gradients = np.einsum("mnij,mj->mni", hessians, x)
        squared = np.einsum("mnij,mjk,mnki->mni", hessians, moment, hessians) + 2 * gradients * pulls + pulls**2
        variance = np.einsum("mn,mni->mi", received, squared) + noise[:, None]
        moment = moment - gamma * (H @ moment + moment @ H) + gamma**2 * (H @ moment @ H)
        moment = moment + gamma**2 * np.eye(d) * variance[:, None]
        x = x - step[:, None] * np.einsum("mij,mj->mi", H, x)
        yield np.trace(moment, axis1=1, axis2=2)


def _dcgd(theorem: Theorem, of: Setting) -> Array:
    omega = np.where(of.workers.exists, 1 / of.batch["delta"] - 1, 0.0)
    squares = of.weights**2
    values = {
        "L": of.L,
        "mu": of.mu,
        "noise_smoothness": np.max(of.weights * omega * of.L_i, axis=1),
        "noise_at_optimum": np.sum(squares * omega * of.zeta**2, axis=1),
        "received_noise": np.sum(squares * (1 + omega) * of.noise**2, axis=1),
    }
    step = allowed_step(theorem, of.batch, values)
    guarantee = theorem.evaluate(**values, step_size=step)
    initial = square(of.batch["start"])
    scale = initial + stated(guarantee.residual)
    distances = squared_distances(of, step, omega, _STEPS)
    ratios = [reached(distance, guarantee.bound(k, initial), scale) for k, distance in enumerate(distances, 1)]
    return np.max(ratios, axis=0)


_FIELDS: Fields = {**PROBLEMS, **PULLS, "delta": Positive(0.02, 1.0, rows=(WORKERS,)), **NOISE, **STEP}

FAMILIES = {
    "nu-dcgd": Family(
        _FIELDS,
        by_noise(_dcgd),
        "expected squared distance / its bound",
        hard(_FIELDS),
        dimensions=(1, 2, 3),
    )
}
