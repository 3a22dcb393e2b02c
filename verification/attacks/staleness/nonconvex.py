"""Attacks on bounds without convexity of the f_i: F is convex, but its workers need not be (dossier 3.7, 4.5)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taciturn.theory.theorem import Theorem

from ..fields import Array, Entries, Words
from ..measures import stated
from .instances import DELAYS, NOISE, QUADRATICS, STEP, WORKERS
from .noise import relative
from .setting import Setting, compared, family, promise, running_mean, sloped, steep_each

__all__ = ["FAMILIES", "MEAN_GRADIENT", "stale_smoothness"]

ROWS = Words(("none", "one map", "independent"))
DISSIMILAR = {**QUADRATICS, "added": Entries(rows=(WORKERS,), zero=True), **NOISE, "row": ROWS, **STEP}
STALE = {**DISSIMILAR, **DELAYS}
HETERO = {**STALE, "row": Words(("none", "independent"))}
ABC = {**QUADRATICS, **NOISE, "row": Words(("none", "independent")), **STEP}
MEAN_GRADIENT = "mean expected squared gradient / its bound"


def _similar(of: Setting) -> Array:
    """Whether the dissimilarity of the workers is bounded, which one map for all of them does not need."""
    return sloped(of) & ((of.batch["row"] != "independent") | np.isfinite(relative(of.workers, of.batch)[0]))


def _dissimilar(of: Setting) -> Array:
    return sloped(of) & np.isfinite(relative(of.workers, of.batch)[0])


def _pl(of: Setting) -> Array:
    """Whether the smallest curvature that is not zero is known to enough digits."""
    spectrum, L = of.workers.spectrum, of.workers.L[:, None]
    return _similar(of) & np.all((spectrum > 1e-6 * L) | (np.abs(spectrum) <= 1e-12 * L), axis=1)


def _pl_constant(of: Setting) -> Array:
    spectrum, L = of.workers.spectrum, of.workers.L[:, None]
    return np.min(np.where(spectrum > 1e-6 * L, spectrum, L), axis=1)


def _one_model(of: Setting) -> Setting:
    """Let all workers read the same model where their noise is bounded only there."""
    common = np.max(of.delays, axis=2, keepdims=True)
    alike = (of.batch["row"] == "independent")[:, None, None]
    return replace(of, delays=np.where(of.workers.exists[:, None] & alike, common, of.delays))


def stale_smoothness(of: Setting) -> Array:
    """Return L where all workers read the same models, else L_Q."""
    exists = of.workers.exists[:, None]
    longest = np.max(np.where(exists, of.delays, 0), axis=2)
    shortest = np.min(np.where(exists, of.delays, of.delays.shape[1]), axis=2)
    return np.where(np.all(longest == shortest, axis=1), of.workers.L, of.workers.L_Q)


def _relative_noise(of: Setting) -> dict[str, Array]:
    """The parameters beta and zeta of E|xi|^2 <= beta |v|^2 + zeta^2."""
    row, omega = of.batch["row"], of.batch["variance"]
    slope, floor = relative(of.workers, of.batch)
    beta = np.select([row == "none", row == "one map"], [0 * omega, omega], omega * slope)
    zeta = np.where(row == "independent", np.sqrt(omega * floor), 0.0)
    return {"relative_noise": beta, "absolute_noise": zeta}


def _mean_gradient(theorem: Theorem, of: Setting, **parameters: Array) -> Array:
    guarantee = promise(theorem, of.batch, **parameters)
    made = of.run(stated(guarantee.step_size))
    return compared(running_mean(made.squared_gradient), guarantee, of.gap, of.workers.L**2 * of.size)


def _stale_nonconvex(theorem: Theorem, of: Setting) -> Array:
    of = _one_model(of)
    return _mean_gradient(theorem, of, L_stale=stale_smoothness(of), tau=of.tau, **_relative_noise(of))


def _stale_pl(theorem: Theorem, of: Setting) -> Array:
    of = _one_model(of)
    smoothness, mu = stale_smoothness(of), _pl_constant(of)
    guarantee = promise(theorem, of.batch, L_stale=smoothness, mu=mu, tau=of.tau, **_relative_noise(of))
    made = of.run(stated(guarantee.step_size))
    return compared(made.gap[:, 1:], guarantee, of.gap, of.workers.L * of.size)


def _stale_hetero(theorem: Theorem, of: Setting) -> Array:
    slope, floor = relative(of.workers, of.batch)
    return _mean_gradient(
        theorem,
        of,
        L_Q=of.workers.L_Q,
        variance=np.where(of.batch["row"] == "none", 0.0, of.batch["variance"]),
        relative_dissimilarity=np.sqrt(slope),
        absolute_dissimilarity=np.sqrt(floor),
        tau=of.tau,
        largest_weight=of.workers.largest_weight,
    )


def _dcgd_nonconvex(theorem: Theorem, of: Setting) -> Array:
    return _mean_gradient(theorem, of, L=of.workers.L, **_relative_noise(of))


def _dcgd_abc(theorem: Theorem, of: Setting) -> Array:
    workers, L = of.workers, of.workers.L
    # H_i^(-1) h_i, and nothing for workers that do not exist.
    H = np.where(workers.exists[..., None, None], workers.hessians, np.eye(workers.hessians.shape[-1]))
    lowest = np.linalg.solve(H, workers.pulls[..., None])[..., 0]
    omega = np.where(of.batch["row"] == "none", 0.0, of.batch["variance"])
    guarantee = theorem.evaluate(
        L=L[:, None],
        step_size=(of.batch["relative_step"] / L)[:, None],
        noise_strength=(omega * workers.Lambda)[:, None],
        dissimilarity_inf=(0.5 * workers.average(np.sum(workers.pulls * lowest, axis=-1)))[:, None],
    )
    made = of.run(stated(guarantee.step_size))
    smallest = np.minimum.accumulate(made.squared_gradient[:, :-1], axis=1)
    return compared(smallest, guarantee, of.gap, L**2 * of.size)


FAMILIES = {
    "dcgd-nonconvex": family(DISSIMILAR, _similar, _dcgd_nonconvex, MEAN_GRADIENT),
    "dcgd-nc-abc": family(ABC, steep_each, _dcgd_abc, "smallest expected squared gradient / its bound"),
    "stale-nonconvex": family(STALE, _similar, _stale_nonconvex, MEAN_GRADIENT),
    "stale-pl": family(STALE, _pl, _stale_pl, "expected gap / its bound"),
    "stale-nonconvex-hetero": family(HETERO, _dissimilar, _stale_hetero, MEAN_GRADIENT),
}
