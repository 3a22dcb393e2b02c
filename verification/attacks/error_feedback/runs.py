"""Attacks on the convergence of error feedback with contractive compressors (dossier 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from taciturn.theory.theorem import Guarantee, Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Positive, Spectrum
from ..functions import Quadratics, square
from ..measures import (
    DIGITS,
    agreement,
    e_foldings,
    iterations_missed,
    promised_e_foldings,
    quotient,
    reached,
    stated,
)
from .instances import COMPRESSION, NOISE, PROBLEMS, PULLS, SHAPES, STEP, TARGET, hard
from .setting import Point, Setting, allowed_step, by_noise, feedback, largest

__all__ = [
    "FAMILIES",
    "affinely",
    "averages",
    "compared",
    "discount",
    "expected_gap",
    "longest",
    "progress",
    "squared_gradient",
    "virtual_distance",
]

_STEPS = 24


def averages(values: Array) -> Array:
    """Return the means over k < K of (m, K), for K = 1, ..."""
    return np.cumsum(values, axis=1) / np.arange(1, values.shape[1] + 1)


def compared(measured: Array, guarantee: Guarantee, initial: Array, steps: Array) -> Array:
    """Return the largest measured / bound, or steps + 1 / iterations stated, after `steps` (K,); all else is (m, K)."""
    bound, scale = guarantee.bound(steps, initial[:, None]), np.max(measured, axis=1, keepdims=True)
    ratios = reached(measured, bound, scale)
    # A mean over k < K that is not small enough asks for more than K iterations; below those digits it counts as 0.
    missed = iterations_missed(guarantee, steps, np.where(measured > DIGITS * scale, measured, 0.0), initial[:, None])
    return np.fmax.reduce(np.fmax(ratios, missed), axis=1)


def squared_gradient(of: Setting, at: Point) -> Array:
    """Return E|grad F(x_k)|^2, shape (m,)."""
    return np.mean(square(of.mean(of.gradients(at.x))), axis=1)


def expected_gap(of: Setting, at: Point) -> Array:
    """Return E F(x_k) - F*, shape (m,)."""
    return np.mean(of.gap(at.x), axis=1)


def _columns(values: dict[str, Array]) -> dict[str, Array]:
    return {name: np.asarray(value)[:, None] for name, value in values.items()}


def _measured(of: Setting, step: Array, measure: Callable[[Setting, Point], Array]) -> Array:
    return np.stack([measure(of, at) for at in feedback(of, step, _STEPS - 1)], axis=1)


def _steps() -> Array:
    return np.arange(1, _STEPS + 1)


def _nonconvex(theorem: Theorem, of: Setting) -> Array:
    start = of.batch["start"][:, None]
    values = {
        "L": of.L,
        "memory_dissimilarity": of.memory_dissimilarity(),
        "memory_residual": of.memory_residual(),
        "gradient_noise": of.sigma,
    }
    if "target" in of.batch:
        values["target"] = of.batch["target"] * np.sqrt(square(of.mean(of.gradients(start)))[:, 0])
    step = allowed_step(theorem, of.batch, values)
    guarantee = theorem.evaluate(**_columns({**values, "step_size": step}))
    return compared(averages(_measured(of, step, squared_gradient)), guarantee, of.gap(start)[:, 0], _steps())


def _plain_constants(of: Setting) -> dict[str, Array]:
    return {
        "L": of.L,
        "memory_curvature": of.memory_curvature(),
        "residual_at_optimum": of.memory_residual(),
        "gradient_noise": of.sigma,
    }


def _target(of: Setting) -> dict[str, Array]:
    return {"target": of.batch["target"] * of.gap(of.batch["start"][:, None])[:, 0]} if "target" in of.batch else {}


def _convex(theorem: Theorem, of: Setting) -> Array:
    values = {**_plain_constants(of), **_target(of)}
    step = allowed_step(theorem, of.batch, values)
    guarantee = theorem.evaluate(**_columns({**values, "step_size": step}))
    return compared(averages(_measured(of, step, expected_gap)), guarantee, square(of.batch["start"]), _steps())


def _discounted(of: Setting, step: Array, guarantee: Guarantee) -> Array:
    """The gaps averaged with weights rho^(-k), against the bound on their mean."""
    gaps = _measured(of, step, expected_gap)
    weights = (1 - step * of.mu)[:, None] ** -np.arange(float(_STEPS))
    means = np.cumsum(weights * gaps, axis=1) / np.cumsum(weights, axis=1)
    return compared(means, guarantee, square(of.batch["start"]), _steps())


def _strongly_convex(theorem: Theorem, of: Setting) -> Array:
    values = {**_plain_constants(of), "mu": of.mu, "delta": 1 - of.largest_q**2, **_target(of)}
    step = allowed_step(theorem, of.batch, values)
    return _discounted(of, step, theorem.evaluate(**_columns({**values, "step_size": step})))


def discount(of: Setting, step: Array) -> Array:
    """Return beta = sqrt(1 - step mu), or what is left above the largest q where the step is too long."""
    return np.maximum(np.sqrt(np.maximum(1 - step * of.mu, 0.0)), of.largest_q + 1e-9 * (1 - of.largest_q))


def longest(of: Setting, condition: Callable[[Array, Array], Array]) -> Array:
    """Return the longest step whose discount is above all q and for which condition(step, beta) holds, shape (m,)."""

    def fits(step: Array) -> Array:
        beta = discount(of, step)
        return (beta**2 <= 1 - step * of.mu + 1e-15) & condition(step, beta)

    return largest(fits, 1 / of.L)


def _fits_curvature(of: Setting) -> Callable[[Array, Array], Array]:
    return lambda step, beta: step**2 * of.L * of.memory_curvature(beta) + step * of.L <= 1 - 1e-9


def _master(theorem: Theorem, of: Setting) -> Array:
    step = of.batch["relative_step"] * longest(of, _fits_curvature(of))
    beta = discount(of, step)
    values = {
        "L": of.L,
        "mu": of.mu,
        "discounted_curvature": of.memory_curvature(beta),
        "discounted_residual": of.memory_residual(beta),
        "gradient_noise": of.sigma,
        "step_size": step,
    }
    return _discounted(of, step, theorem.evaluate(**_columns(values)))


def virtual_distance(of: Setting, at: Point, step: Array) -> Array:
    """Return E|z_k - x*|^2 of the virtual iterate, shape (m,)."""
    return np.asarray(np.mean(square(at.x - step[:, None, None] * of.mean(at.memory)), axis=1))


def affinely(distances: Array, guarantee: Guarantee) -> Array:
    """Return the largest distance / bound after k = 1, ..., K steps, of (m, K + 1)."""
    bound = guarantee.bound(np.arange(1, distances.shape[1]), distances[:, :1])
    return np.fmax.reduce(reached(distances[:, 1:], bound, np.max(distances, axis=1, keepdims=True)), axis=1)


def _interpolation(theorem: Theorem, of: Setting) -> Array:
    if "discounted_curvature" in {entry.name for entry in theorem.parameters}:
        step = of.batch["relative_step"] * longest(of, _fits_curvature(of))
        values = {"L": of.L, "mu": of.mu, "discounted_curvature": of.memory_curvature(discount(of, step))}
    else:
        values = {
            "L": of.L,
            "mu": of.mu,
            "memory_curvature": of.memory_curvature(),
            "delta": 1 - of.largest_q**2,
        }
        step = allowed_step(theorem, of.batch, values)
    rate = stated(theorem.evaluate(**values, step_size=step).rate)
    distances = [virtual_distance(of, at, step) for at in feedback(of, step, _STEPS)]
    return progress(np.stack(distances, axis=1), rate)


def progress(values: Array, rate: Array) -> Array:
    """Return the largest promised / made progress in the logarithm of values (m, K + 1), as far as they are known."""
    first, later = values[:, :1], values[:, 1:]
    made = e_foldings(first - later, first)
    promised = promised_e_foldings(rate[:, None] ** np.arange(1, values.shape[1]))
    return np.max(np.where(later > 1e-10 * first, quotient(promised, made), 0.0), axis=1)


def _bounded_memory(theorem: Theorem, of: Setting) -> Array:
    """The memory bound is what the run itself shows."""
    step = of.batch["relative_step"] / of.L * (1 - 1e-3)
    points = list(feedback(of, step, _STEPS))
    norms = [np.mean(square(of.mean(at.memory)), axis=1) for at in points]
    values = {
        "L": of.L,
        "mu": of.mu,
        "memory_norm": np.sqrt(np.max(norms[:-1], axis=0)),
        "gradient_noise": of.sigma,
        "step_size": step,
    }
    distances = np.stack([virtual_distance(of, at, step) for at in points], axis=1)
    return affinely(distances, theorem.evaluate(**_columns(values)))


def _one_step(theorem: Theorem, batch: Batch) -> Array:
    """Any iterate and any virtual iterate; the noise enters both sides alike, and is left out."""
    function = Quadratics.along(batch["L"][:, None] * batch["spectrum"], batch["mirror"])
    curvatures = batch["L"][:, None] * batch["spectrum"]
    L, mu = np.max(curvatures, axis=1), np.min(curvatures, axis=1)
    step = batch["relative_step"] * (1 - 1e-6) / L
    guarantee = theorem.evaluate(L=L, mu=mu, step_size=step)
    x, error = batch["start"], batch["error"]
    rate, gap = stated(guarantee.rate), function.gap(x)
    after = square(x - error - step[:, None] * function.gradient(x))
    # The gap is a saving: brought to the other side, both are sums of positive terms.
    left = after + rate * 2 * step * gap
    below = quotient(left, rate * (square(x - error) + stated(guarantee.value) * square(error)))
    return np.fmax(below, agreement(_least_coefficient(L, step, rate), stated(guarantee.value)))


def _least_coefficient(L: Array, step: Array, rate: Array) -> Array:
    """What the error of x must be multiplied with for F = L x^2/2, x = 1 and the error 1 - step L."""
    error = 1 - step * L
    after = (1 - error - step * L) ** 2
    return (after - rate * ((1 - error) ** 2 - step * L)) / (rate * error**2)


def _worst_errors() -> Iterator[Instance]:
    """Equality for F = L |x|^2/2 and the error (1 - step L) x."""
    for share in (0.1, 0.5, 0.9):
        kept = 1 - share * (1 - 1e-6)
        yield {
            "L": 2.0,
            "spectrum": [1.0, 1.0],
            "mirror": [0.0, 0.0],
            "start": [1.0, 2.0],
            "error": [kept, 2 * kept],
            "relative_step": share,
        }


_SHARED: Fields = {**PROBLEMS, **COMPRESSION, **STEP}
_CONVEX: Fields = {**_SHARED, **PULLS, **NOISE}
_NONCONVEX: Fields = {**_CONVEX, **SHAPES}
_GRADIENT = "average squared gradient / its bound, or iterations"
_GAP = "average gap / its bound, or iterations"
_DISTANCE = "expected squared distance of the virtual iterate / its bound"
_PROGRESS = "promised / made progress in the logarithm of the squared distance"


def _family(fields: Fields, ratio: Callable[[Theorem, Setting], Array], compares: str) -> Family:
    return Family(fields, by_noise(ratio), compares, hard(fields), dimensions=(1, 3, 6))


FAMILIES = {
    "nuef-nonconvex": _family(_NONCONVEX, _nonconvex, _GRADIENT),
    "nuef-nonconvex-complexity": _family({**_NONCONVEX, **TARGET}, _nonconvex, _GRADIENT),
    "nuef-convex": _family(_CONVEX, _convex, _GAP),
    "nuef-convex-complexity": _family({**_CONVEX, **TARGET}, _convex, _GAP),
    "nuef-master": _family(_CONVEX, _master, _GAP),
    "nuef-strongly-convex": _family(_CONVEX, _strongly_convex, _GAP),
    "nuef-strongly-convex-complexity": _family({**_CONVEX, **TARGET}, _strongly_convex, _GAP),
    "nuef-interpolation": _family(_SHARED, _interpolation, _PROGRESS),
    "nuef-interpolation-simple": _family(_SHARED, _interpolation, _PROGRESS),
    "nuef-bounded-memory": _family(_CONVEX, _bounded_memory, _DISTANCE),
    "ef-onestep-convex": Family(
        {
            "L": Positive(0.01, 100.0),
            "spectrum": Spectrum(),
            "mirror": Entries(zero=True),
            "start": Entries(),
            "error": Entries(zero=True),
            "relative_step": Positive(0.05, 1.0),
        },
        _one_step,
        "squared distance after a step and the gap / what they are bounded by",
        _worst_errors,
        dimensions=(1, 2, 6),
    ),
}
