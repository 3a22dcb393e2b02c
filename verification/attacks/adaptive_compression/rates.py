"""Attacks on the convergence of sparsified gradient descent (dossier 1.4–1.8)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Guarantee, Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Integers, Spectrum
from ..functions import PiecewiseQuadratics, Quadratics
from ..measures import iterations_missed, promised_e_foldings, quotient, stated
from ..senders import project
from ..trajectories import Trajectory, descend
from .descent import SCALES, STEP, curvature, quadratics

__all__ = ["BOUNDED_BELOW", "CONVEX", "FAMILIES", "PROGRESS", "bounded", "convex", "exact_instances", "run"]

STEPS = 6
RUN: Fields = {**STEP, "T": Integers(rows=(STEPS,))}
"""`STEP` with a number of entries for every iteration: any rule, the worst included."""

CONVEX: Fields = {
    "L": SCALES,
    "knots": Entries(rows=(4,), zero=True),
    "slopes": Spectrum(condition=1e3, rows=(5,), singular=True),
    "mirror": Entries(zero=True),
    "start": Entries(),
    "compressor": RUN["compressor"],
    "T": RUN["T"],
    "direction": RUN["direction"],
}
"""A convex function that is neither strongly convex nor quadratic, a start and a compressor."""

BOUNDED_BELOW: Fields = {**CONVEX, "slopes": Spectrum(condition=1e3, rows=(5,), signed=True)}
"""The same with gradients that also fall."""

PROGRESS = "promised / made progress in the logarithm of the gap"


def run(batch: Batch, L: Array, steps: int = STEPS) -> Trajectory:
    """Run the method with step size 1/L on the quadratics of a batch."""
    function = quadratics(batch)
    return _descend(function, function.point(batch["gradient"]), batch, 1 / L, steps, batch["gradient"])


def convex(batch: Batch) -> PiecewiseQuadratics:
    """Return the convex functions of a batch: the slopes times L, along reflected axes."""
    return _piecewise(batch, np.abs(batch["slopes"]))


def bounded(batch: Batch) -> PiecewiseQuadratics:
    """Return the functions of a batch, bounded below because their outermost slopes are L."""
    inner = batch["slopes"][:, 1:-1]
    outer = np.ones_like(batch["slopes"][:, :1])
    return _piecewise(batch, np.concatenate([outer, inner, outer], axis=1))


def _piecewise(batch: Batch, slopes: Array) -> PiecewiseQuadratics:
    knots = np.sort(np.moveaxis(batch["knots"], 1, -1), axis=-1)
    return PiecewiseQuadratics(knots, batch["L"][:, None, None] * np.moveaxis(slopes, 1, -1), batch["mirror"])


def _descend(
    function: Quadratics | PiecewiseQuadratics,
    x: Array,
    batch: Batch,
    step_size: Array,
    steps: int,
    gradient: Array | None = None,
) -> Trajectory:
    def send(k: int, g: Array) -> Array:
        return project(batch["compressor"], g, batch["T"][:, k], batch["direction"])

    return descend(function, x, send, step_size, steps, gradient)


def _pl_rate(theorem: Theorem, batch: Batch) -> Array:
    L, mu = batch["L"][:, None], curvature(batch)[:, None]
    made = run(batch, batch["L"])
    initial = np.where(made.gap[:, :1] > 0, made.gap[:, :1], 1.0)
    every_step = stated(theorem.evaluate(L=L, mu=mu, alpha=made.certified).rate)
    with_the_mean = theorem.evaluate(L=L, mu=mu, alpha=made.mean_share).bound(made.steps, initial)
    promised = np.cumsum(promised_e_foldings(every_step), axis=1)
    return np.fmax(made.progress(promised), made.progress(promised_e_foldings(with_the_mean / initial)))


def _every_step(theorem: Theorem, batch: Batch) -> Array:
    made = run(batch, batch["L"])
    guarantee = theorem.evaluate(L=batch["L"][:, None], mu=curvature(batch)[:, None], alpha=made.certified)
    return made.progress(np.cumsum(promised_e_foldings(stated(guarantee.rate)), axis=1))


def exact_instances() -> Iterator[Instance]:
    """Yield the plane quadratics of dossier 1.5, on which the exact factor is attained, for top-T and for lines."""
    for m in (0.01, 0.1, 0.5, 0.9):
        for alpha in (0.1, 0.3, 0.5, 0.8, 0.99):
            for first, others in ((1, 1), (1, 5), (2, 3)):
                genuine = alpha >= first / (first + others)
                yield _exact_instance(m, alpha, first, others, "top-T" if genuine else "line")
    yield from (_exact_instance(m, 1 / 40, 1, 39, "top-T") for m in (0.1, 0.5))
    for kind in ("top-T", "scaled sign"):  # mu = L: the factor is 1 - alpha
        yield {
            "L": 3.0,
            "spectrum": [1.0, 1.0],
            "mirror": [0.0, 0.0],
            "gradient": [2.0, 1.0],
            "compressor": kind,
            "T": [1] * STEPS,
            "direction": [1.0, 0.0],
        }


def _exact_instance(m: float, alpha: float, first: int, others: int, kind: str) -> Instance:
    root = alpha * (1 - m) + np.sqrt(alpha**2 * (1 - m) ** 2 + 4 * (1 - alpha))
    z = 1 - (1 - m) * root / 2
    theta = np.arccos(np.sqrt(alpha))
    phi = (np.pi - np.angle(np.exp(2j * theta) - z / m)) / 2
    # The first entries hold the share alpha of the gradient's energy; u and v are the directions of the two groups.
    u = np.repeat([1.0, 0.0], [first, others]) / np.sqrt(first)
    v = np.repeat([0.0, 1.0], [first, others]) / np.sqrt(others)
    flattest = np.cos(phi + theta) * u + np.sin(phi + theta) * v
    return {
        "L": 1.0,
        "spectrum": [m] + [1.0] * (first + others - 1),
        "mirror": (np.eye(first + others)[0] - flattest).tolist(),
        "gradient": (np.cos(theta) * u + np.sin(theta) * v).tolist(),
        "compressor": kind,
        "T": [first] * STEPS,
        "direction": u.tolist(),
    }


def _convex_rate(theorem: Theorem, batch: Batch) -> Array:
    made = _descend(convex(batch), batch["start"], batch, 1 / batch["L"], STEPS)
    radius = np.sqrt(np.maximum.accumulate(made.squared_distance[:, :-1], axis=1))
    initial = np.where(made.gap[:, :1] > 0, made.gap[:, :1], 1.0)
    guarantee = theorem.evaluate(L=batch["L"][:, None], radius=np.where(radius > 0, radius, 1.0), alpha=made.mean_share)
    promised = promised_e_foldings(guarantee.bound(made.steps, initial) / initial)
    missed = iterations_missed(guarantee, made.steps, made.gap[:, 1:], initial)
    return np.fmax(made.progress(promised), made.largest(missed))


def _flat_outside() -> Iterator[Instance]:
    for width in (0.01, 0.1, 0.3, 1.0, 3.0):
        # Huber's function: the slowest convex one for gradient descent.
        yield _one_dimensional([-2 * width, -width, width, 2 * width], [0.0, 0.0, 1.0, 0.0, 0.0], 3.0)


def _one_dimensional(knots: list[float], slopes: list[float], start: float) -> Instance:
    return {
        "L": 1.0,
        "knots": [[t] for t in knots],
        "slopes": [[slope] for slope in slopes],
        "mirror": [0.0],
        "start": [start],
        "compressor": "top-T",
        "T": [1] * STEPS,
        "direction": [1.0],
    }


def smallest_gradient(guarantee: Guarantee, made: Trajectory) -> Array:
    """Compare the smallest squared gradient of the first k points with its bound, for every k."""
    lowest = np.minimum.accumulate(made.squared_gradient[:, :-1], axis=1)
    initial = np.where(made.gap[:, :1] > 0, made.gap[:, :1], 1.0)
    ratio = quotient(lowest, guarantee.bound(made.steps, initial))
    return made.largest(np.fmax(ratio, iterations_missed(guarantee, made.steps, lowest, initial)))


def _nonconvex_rate(theorem: Theorem, batch: Batch) -> Array:
    made = _descend(bounded(batch), batch["start"], batch, 1 / batch["L"], STEPS)
    return smallest_gradient(theorem.evaluate(L=batch["L"][:, None], alpha=made.mean_share), made)


def _gd_nonconvex(theorem: Theorem, batch: Batch) -> Array:
    made = descend(bounded(batch), batch["start"], lambda k, g: g, 1 / batch["L"], STEPS)
    return smallest_gradient(theorem.evaluate(L=batch["L"][:, None]), made)


def saw_tooth() -> Iterator[Instance]:
    """Yield the functions on which gradient descent meets the same gradient K times, as large as can be.

    Between two points the gradient falls by half and rises again, as fast as L allows; the last step ends at a minimum.
    """
    yield _one_dimensional([8.0, 9.0, 10.0, 11.0], [1.0] * 5, 1.0)
    yield _one_dimensional([1.0, 1.5, 8.0, 9.0], [1.0, -1.0, 1.0, 1.0, 1.0], 2.0)
    yield _one_dimensional([1.0, 1.5, 2.0, 2.5], [1.0, -1.0, 1.0, -1.0, 1.0], 3.0)


def _mean_validity(theorem: Theorem, batch: Batch) -> Array:
    made = _descend(bounded(batch), batch["start"], batch, 1 / batch["L"], STEPS)
    guarantee = theorem.evaluate(L=batch["L"][:, None], alpha_min=np.minimum.accumulate(made.certified, axis=1))
    average = np.cumsum(made.squared_gradient[:, :-1], axis=1) / made.steps
    initial = np.where(made.gap[:, :1] > 0, made.gap[:, :1], 1.0)
    ratio = quotient(average, guarantee.bound(made.steps, initial))
    return made.largest(np.fmax(ratio, iterations_missed(guarantee, made.steps, average, initial)))


def _isotropic_from(start: list[float]) -> Instance:
    d = len(start)
    straight = _one_dimensional([8.0, 9.0, 10.0, 11.0], [1.0] * 5, 1.0)
    spread = {name: [straight[name][i] * d for i in range(len(straight[name]))] for name in ("knots", "slopes")}
    return {**straight, **spread, "mirror": [0.0] * d, "start": start, "direction": [1.0] + [0.0] * (d - 1)}


def _means() -> Iterator[Instance]:
    yield _isotropic_from([1.0])  # one step: the bound is attained
    # Counterexamples to the arithmetic and to the harmonic mean.
    yield _isotropic_from([1.0, 1.0])
    yield _isotropic_from([1.0, 1.0, 0.1])


_SMALLEST = "smallest squared gradient / its bound"

FAMILIES = {
    "topT-pl-rate": Family(RUN, _pl_rate, PROGRESS, exact_instances),
    "topT-sc-exact": Family(RUN, _every_step, PROGRESS, exact_instances),
    "topT-convex-rate": Family(CONVEX, _convex_rate, PROGRESS, _flat_outside, dimensions=(1, 2, 4)),
    "topT-nonconvex-rate": Family(BOUNDED_BELOW, _nonconvex_rate, _SMALLEST, saw_tooth, dimensions=(1, 2, 4)),
    "gd-nonconvex-exact": Family(BOUNDED_BELOW, _gd_nonconvex, _SMALLEST, saw_tooth, dimensions=(1, 2)),
    "mean-validity": Family(
        BOUNDED_BELOW,
        _mean_validity,
        "average squared gradient / its bound",
        _means,
        dimensions=(1, 2, 3),
    ),
}
