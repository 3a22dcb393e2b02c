"""Attacks on the descent lemmas and on what the kept energy guarantees (dossier 1.0–1.3, 1.9–1.11)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Integers, Positive, Spectrum, Words
from ..functions import PiecewiseQuadratics, Quadratics, square
from ..measures import agreement, promised_e_foldings, quotient, stated
from ..senders import PROJECTIONS, project, share, sorted_sums, top
from ..trajectories import descend

__all__ = ["FAMILIES", "SCALES", "STEP", "certified", "flat_and_sparse", "isotropic", "quadratics", "sending"]

SCALES = Positive(0.01, 100.0)
"""Of the smoothness L: no bound may depend on the unit of F."""

STEP: Fields = {
    "L": SCALES,
    "spectrum": Spectrum(),
    "mirror": Entries(zero=True),
    "gradient": Entries(),
    "compressor": Words(PROJECTIONS),
    "T": Integers(),
    "direction": Entries(),
}
"""A quadratic with curvatures up to L, the gradient at the start, and a projection-type compressor."""


def quadratics(batch: Batch) -> Quadratics:
    """Return the quadratics of a batch: the spectrum times L along reflected axes."""
    return Quadratics.along(batch["L"][:, None] * batch["spectrum"], batch["mirror"])


def curvature(batch: Batch) -> Array:
    """Return mu, the smallest curvature."""
    return batch["L"] * np.min(batch["spectrum"], axis=1)


def sending(batch: Batch, v: Array) -> Array:
    """Return what the compressor of every instance makes of v."""
    return project(batch["compressor"], v, batch["T"], batch["direction"])


def certified(promised: Array, L: Array, g: Array, decrease: Array) -> Array:
    """Return promised |g|^2/(2L) relative to the decrease that was made; NaN for g = 0."""
    return np.where(square(g) > 0, quotient(promised * square(g) / (2 * L), decrease), np.nan)


def isotropic(**parts: object) -> Iterator[Instance]:
    """Yield F = L/2 |x|^2, where the descent lemma is an equality, with several gradients and every compressor."""
    gradients = {1: [[1.0]], 2: [[1.0, 1.0], [3.0, 1.0]], 4: [[1.0] * 4, [8.0, 4.0, 2.0, 1.0]]}
    for d, starts in gradients.items():
        for g in starts:
            for kind in PROJECTIONS:
                yield {
                    "L": 2.0,
                    "spectrum": [1.0] * d,
                    "mirror": [0.0] * d,
                    "gradient": g,
                    "compressor": kind,
                    "T": max(1, d // 2),
                    "direction": [1.0] + [0.0] * (d - 1),
                    **parts,
                }


def flat_and_sparse(dimensions: tuple[int, ...] = (1, 2, 4, 9, 16)) -> Iterator[Instance]:
    """Yield vectors of equal entries, some of them zero, with every T."""
    for d in dimensions:
        for kept in range(1, d + 1):
            vector = [1.0] * kept + [0.0] * (d - kept)
            yield from ({"gradient": vector, "T": T} for T in range(1, d + 1))


def _sc_implies_pl(theorem: Theorem, batch: Batch) -> Array:
    guarantee = theorem.evaluate(mu=curvature(batch))
    gap = quadratics(batch).gap(quadratics(batch).point(batch["gradient"]))
    return quotient(stated(guarantee.value) * gap, square(batch["gradient"]))


def _along_the_flattest_axis() -> Iterator[Instance]:
    for m in (1.0, 0.1, 1e-4):
        yield {"L": 2.0, "spectrum": [m, 1.0], "mirror": [0.3, 0.7], "gradient": _reflected_axis([0.3, 0.7])}


def _reflected_axis(mirror: list[float]) -> list[float]:
    w = np.array(mirror)
    axis = np.array([1.0, 0.0]) - 2 * w * w[0] / (w @ w)
    return [float(entry) for entry in axis]


def _proj_descent(theorem: Theorem, batch: Batch) -> Array:
    L, g = batch["L"], batch["gradient"]
    q = sending(batch, g)
    alpha = share(g, q)
    step_size = batch["relative_step"] / L
    guarantee = theorem.evaluate(L=L, alpha=np.maximum(alpha, 1e-12), step_size=step_size)
    decrease = quadratics(batch).decrease(g, g, stated(guarantee.step_size)[:, None] * q)
    return np.where(alpha > 1e-12, certified(stated(guarantee.decrease), L, g, decrease), np.nan)


def _descent_plus(theorem: Theorem, batch: Batch) -> Array:
    function = PiecewiseQuadratics(
        np.sort(np.moveaxis(batch["knots"], 1, -1), axis=-1),
        batch["L"][:, None, None] * np.moveaxis(batch["slopes"], 1, -1),
        batch["mirror"],
    )
    mu = function.pl_constant
    found = np.isfinite(mu)
    guarantee = theorem.evaluate(L=batch["L"], mu=np.where(found, np.minimum(mu, batch["L"]), batch["L"]))
    run = descend(function, batch["start"], lambda k, g: g, stated(guarantee.step_size), 1)
    return np.where(found, run.progress(promised_e_foldings(stated(guarantee.rate))[:, None]), np.nan)


def _pl_functions() -> Iterator[Instance]:
    # Strongly convex, and steep, then flat, then steep: a gradient step from the outside lands where F is flattest.
    for flat in (1.0, 0.5, 0.1, 0.02):
        for knots in ([-1.0, 1.0, 2.0], [-1.0, 1.0, 1.5]):
            slopes = [1.0, flat, 1.0, flat]
            yield {
                "L": 1.0,
                "knots": [[t] for t in knots],
                "slopes": [[slope] for slope in slopes],
                "mirror": [0.0],
                "start": [2.0],
            }


def _alpha_profile(theorem: Theorem, batch: Batch) -> Array:
    g, T = batch["gradient"], batch["T"]
    _, mass, energy = sorted_sums(g)
    sparsity = np.clip(quotient(mass[:, -1] ** 2, energy[:, -1]), 1.0, g.shape[1])
    guarantee = theorem.evaluate(d=g.shape[1], T=T, effective_sparsity=sparsity)
    kept = np.take_along_axis(energy, T[:, None] - 1, axis=1)[:, 0] / energy[:, -1]
    return quotient(stated(guarantee.decrease), kept)


def _worst_case_lower(theorem: Theorem, batch: Batch) -> Array:
    ratios = []
    for L, m, T, others, eps in zip(*(batch[name] for name in ("L", "m", "T", "others", "eps")), strict=True):
        d, m = int(T + others), min(m, 1 - 1e-6)
        x, iterations = np.ones(d), 0
        while square(x) > eps * d:
            x, iterations = x - m * top(x, T), iterations + 1
        initial = 0.5 * m * L * d
        guarantee = theorem.evaluate(L=L, mu=m * L, d=d, T=T)
        ratios.append(agreement(iterations, guarantee.iterations(eps * initial, initial)))
    return np.array(ratios)


def _diagonal_sc(theorem: Theorem, batch: Batch) -> Array:
    curvatures, coupling = batch["spectrum"], batch["coupling"]
    scale = np.where(square(coupling) > 0, square(coupling), 1.0)
    rank_one = coupling[:, :, None] * coupling[:, None, :] * (batch["strength"] / scale)[:, None, None]
    function = Quadratics(np.eye(curvatures.shape[1]) * curvatures[:, None, :] + rank_one)
    L = np.linalg.eigvalsh(function.hessian)[:, -1]
    guarantee = theorem.evaluate(
        L=L,
        mu=np.min(curvatures, axis=1),
        T=batch["T"],
        effective_dimension=np.sum(np.min(curvatures, axis=1, keepdims=True) / curvatures, axis=1),
    )
    start = function.point(batch["gradient"])
    run = descend(function, start, lambda k, g: top(g, batch["T"]), stated(guarantee.step_size), 6, batch["gradient"])
    return run.progress(promised_e_foldings(stated(guarantee.rate))[:, None] * run.steps)


def _diagonal() -> Iterator[Instance]:
    for curvatures in ([1.0, 1.0, 1.0], [0.01, 1.0, 1.0], [0.01, 0.01, 1.0], [1.0, 0.1, 0.01, 0.001]):
        d = len(curvatures)
        for T in range(1, d):
            # |g_j| = 1 makes the norm inequality behind the rate an equality where all mu_j are equal.
            yield {
                "spectrum": curvatures,
                "coupling": [1.0] * d,
                "strength": 1e-6,
                "gradient": [math.sqrt(c) for c in curvatures],
                "T": T,
            }


def _restricted(theorem: Theorem, batch: Batch) -> Array:
    L, g, T = batch["L"], batch["gradient"], batch["T"]
    function, d = quadratics(batch), g.shape[1]
    subsets = np.array(list(np.ndindex(*(2,) * d)), dtype=bool)[1:]
    blocks = np.where(subsets[:, :, None] & subsets[:, None, :], function.hessian[:, None], 0.0)
    largest = np.linalg.eigvalsh(blocks)[..., -1]
    sparse = np.count_nonzero(subsets, axis=1) <= T[:, None]
    L_T = np.minimum(np.max(np.where(sparse, largest, 0.0), axis=1), L)
    q = top(g, T)
    guarantee = theorem.evaluate(L=L, L_restricted=L_T, alpha=share(g, q))
    decrease = function.decrease(g, g, stated(guarantee.step_size)[:, None] * q)
    return certified(stated(guarantee.decrease), L, g, decrease)


_VECTOR: Fields = {"gradient": Entries(), "T": Integers()}
_PROGRESS = "promised / made progress in the logarithm of the gap"
_DECREASE = "certified / true decrease of one step"

FAMILIES = {
    "sc-implies-pl": Family(
        {name: STEP[name] for name in ("L", "spectrum", "mirror", "gradient")},
        _sc_implies_pl,
        "2 mu (F - F*) / |grad F|^2",
        _along_the_flattest_axis,
    ),
    "proj-descent": Family(
        {**STEP, "spectrum": Spectrum(signed=True), "relative_step": Positive(0.01, 1.9)},
        _proj_descent,
        _DECREASE,
        lambda: isotropic(relative_step=1.0),
    ),
    "descent-plus": Family(
        {
            "L": SCALES,
            "knots": Entries(rows=(3,), zero=True),
            "slopes": Spectrum(condition=1e3, rows=(4,), signed=True),
            "mirror": Entries(zero=True),
            "start": Entries(),
        },
        _descent_plus,
        _PROGRESS,
        _pl_functions,
        dimensions=(1, 2),
    ),
    "alpha-profile": Family(
        _VECTOR, _alpha_profile, "lower bound / alpha(T)", flat_and_sparse, dimensions=(1, 2, 5, 12, 40)
    ),
    "topT-worst-case-lower": Family(
        {
            "L": SCALES,
            "m": Positive(0.05, 1.0),
            "T": Integers(1, 4),
            "others": Integers(0, 12),
            "eps": Positive(1e-3, 0.7),
        },
        _worst_case_lower,
        "stated / counted iterations, or the reverse: an equality",
        dimensions=(1,),
    ),
    "topT-diagonal-sc": Family(
        {
            "spectrum": Spectrum(),
            "coupling": Entries(zero=True),
            "strength": Positive(1e-6, 1.0),
            "gradient": Entries(),
            "T": Integers(),
        },
        _diagonal_sc,
        _PROGRESS,
        _diagonal,
    ),
    "restricted-smoothness": Family(
        {name: STEP[name] for name in ("L", "spectrum", "mirror", "gradient", "T")},
        _restricted,
        _DECREASE,
        lambda: ({k: v for k, v in i.items() if k not in ("compressor", "direction")} for i in isotropic()),
        dimensions=(2, 3, 5),
    ),
}
