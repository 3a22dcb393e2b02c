"""Attacks on compressed gradients without delay, and on the noise table itself (dossier 3.2–3.6)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Instance
from ..fields import Array, Entries, Words
from ..measures import quotient, stated
from .fresh import DISTANCE, MEAN_GAP
from .instances import NOISE, QUADRATICS, STEP, WORKERS, apart
from .setting import Setting, compared, family, promise, running_mean, sloped, steep, steep_each

__all__ = ["FAMILIES"]

TABLE = {**QUADRATICS, "points": Entries(rows=(WORKERS,), zero=True), **NOISE, "row": Words(("independent",))}
FRESH = {**QUADRATICS, **NOISE, **STEP}
PUBLISHED = {**QUADRATICS, **NOISE, "row": Words(("joint", "independent", "one map"))}
TIGHT = {**FRESH, "row": Words(("none", "independent"))}
_NEXT_TO_NOTHING = 1e-12
"""Young's theta where nothing is split."""


def _noise_table(theorem: Theorem, of: Setting) -> Array:
    workers, points = of.workers, of.batch["points"]
    slopes = np.einsum("mnij,mnj->mni", workers.hessians, points)
    gradients = slopes + workers.pulls
    guarantee = theorem.evaluate(
        variance=of.batch["variance"],
        young=of.batch["young"],
        Lambda=workers.Lambda,
        optimum_gradients=workers.E_star,
    )
    own = gradients[..., :, None] * gradients[..., None, :]
    made = np.trace(of.noise.covariance(own, 0 * own[:, 0]), axis1=-2, axis2=-1)
    bregman = 0.5 * workers.average(np.sum(slopes * points, axis=-1))
    return quotient(made, 2 * stated(guarantee.value) * bregman + stated(guarantee.residual))


def _young_is_tight() -> Iterator[Instance]:
    """Yield workers at points where theta (g_i - h_i) = h_i, with the largest p_i L_i."""
    for theta in (0.1, 1.0, 10.0):
        points = [[1 / theta], [-1 / theta], [0.0], [0.0]]
        instance = apart([1.0], row="independent", young=theta, points=points)
        yield {name: instance[name] for name in TABLE}


def _published(theorem: Theorem, of: Setting) -> Array:
    workers = of.workers
    guarantee = theorem.evaluate(
        mu=workers.mu[:, None],
        variance=of.batch["variance"][:, None],
        young=of.batch["young"][:, None],
        Lambda=workers.Lambda[:, None],
        sparsity_sigma=workers.sigma[:, None],
        optimum_gradients=workers.E_star[:, None],
    )
    made = of.run(stated(guarantee.step_size))
    return compared(made.squared_distance[:, 1:], guarantee, of.squared_distance, of.size)


def _common(of: Setting) -> dict[str, Array]:
    return {"L": of.workers.L, "noise_slope": of.noise.slope, "noise_floor": of.noise.floor}


def _dcgd_sc(theorem: Theorem, of: Setting) -> Array:
    guarantee = promise(theorem, of.batch, **_common(of), mu=of.workers.mu)
    made = of.run(stated(guarantee.step_size))
    return compared(made.squared_distance[:, 1:], guarantee, of.squared_distance, of.size)


def _dcgd_sc_tight(theorem: Theorem, of: Setting) -> Array:
    workers = of.workers
    guarantee = promise(
        theorem,
        of.batch,
        L=workers.L,
        mu=np.minimum(workers.mu_each, workers.L),
        L_max=np.maximum(workers.L_max, workers.L),
        variance=np.where(of.batch["row"] == "none", 0.0, of.batch["variance"]),
        young=np.where(workers.E_star > 0, of.batch["young"], _NEXT_TO_NOTHING),
        optimum_gradients=workers.E_star,
        largest_weight=workers.largest_weight,
        sum_square_weights=workers.average(workers.weights),
    )
    made = of.run(stated(guarantee.step_size))
    return compared(made.squared_distance[:, 1:], guarantee, of.squared_distance, of.size)


def _dcgd_convex(theorem: Theorem, of: Setting) -> Array:
    guarantee = promise(theorem, of.batch, **_common(of))
    made = of.run(stated(guarantee.step_size))
    return compared(running_mean(made.gap), guarantee, of.squared_distance, of.workers.L * of.size)


FAMILIES = {
    "noise-table": family(TABLE, sloped, _noise_table, "E|xi|^2 / (2 B_0 D + N_0)", _young_is_tight),
    "dcgd-published": family(PUBLISHED, steep, _published, DISTANCE),
    "dcgd-sc": family(FRESH, steep, _dcgd_sc, DISTANCE),
    "dcgd-sc-tight": family(TIGHT, steep_each, _dcgd_sc_tight, DISTANCE),
    "dcgd-convex": family(FRESH, sloped, _dcgd_convex, MEAN_GAP),
}
