"""Attacks on EF21 with weights and ratios of its own for every worker (dossier 3.4)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.memory_constants import memory_cost
from taciturn.theory.theorem import Theorem

from ..family import Family
from ..fields import Array, Entries, Fields
from ..functions import square
from ..measures import stated
from .instances import COMPRESSION, PROBLEMS, PULLS, SHAPES, STEP, WORKERS, hard
from .runs import averages, compared, discount, longest, progress, squared_gradient
from .setting import Point, Setting, allowed_step, by_noise

__all__ = ["FAMILIES", "estimates"]

_STEPS = 20


def estimates(of: Setting, step: Array, steps: int) -> Iterator[Point]:
    """Yield the points of EF21 at k = 0, ..., steps; the memory is what the estimates are off by."""
    x = of.batch["start"][:, None]
    # Workers that send everything start exactly.
    error = np.where((of.q > 0)[..., None], of.batch["first_error"] * of.batch["L"][:, None, None], 0.0)[:, None]
    for k in range(steps + 1):
        yield Point(x, error)
        estimate = error + of.gradients(x)
        x = x - step[:, None, None] * of.mean(estimate)
        # v = grad f_i(x+) - G_i is sent compressed; what is kept back is missing in G_i.
        error = -of.kept_back(of.gradients(x) - estimate, k)


def _potential_weights(of: Setting, step: Array, beta: Array) -> Array:
    """kappa_i of the potential F - F* + sum_i kappa_i |G_i - grad f_i|^2, shape (m, n)."""
    compressed = of.workers.exists & (of.q > 0)
    q = np.where(compressed, of.q, 0.0)
    a = np.where(compressed, memory_cost(1 - q**2, beta[:, None]), 1.0)
    numerator = (step / 2 * of.memory_smoothness(beta))[:, None] * of.weights
    return np.where(compressed, numerator / (of.L_i * a * beta[:, None] * (beta[:, None] - q)), 0.0)


def _potential(of: Setting, at: Point, kappa: Array) -> Array:
    return np.mean(of.gap(at.x) + np.einsum("mn,mNn->mN", kappa, square(at.memory)), axis=1)


def _nonconvex(theorem: Theorem, of: Setting) -> Array:
    values = {"L": of.L, "memory_smoothness": of.memory_smoothness()}
    step = allowed_step(theorem, of.batch, values)
    columns = {name: value[:, None] for name, value in {**values, "step_size": step}.items()}
    points = list(estimates(of, step, _STEPS - 1))
    initial = _potential(of, points[0], _potential_weights(of, step, np.ones_like(step)))
    squares = np.stack([squared_gradient(of, at) for at in points], axis=1)
    return compared(averages(squares), theorem.evaluate(**columns), initial, np.arange(1, _STEPS + 1))


def _fits_smoothness(of: Setting, step: Array, beta: Array) -> Array:
    return step * of.L + step**2 * of.memory_smoothness(beta) ** 2 <= 1 - 1e-9


def _pl(theorem: Theorem, of: Setting) -> Array:
    values = {"L": of.L, "mu": of.mu}
    if "discounted_smoothness" in {entry.name for entry in theorem.parameters}:
        step = of.batch["relative_step"] * longest(of, lambda step, beta: _fits_smoothness(of, step, beta))
        values["discounted_smoothness"] = of.memory_smoothness(discount(of, step))
    else:
        values |= {"memory_smoothness": of.memory_smoothness(), "delta": 1 - of.largest_q**2}
        step = allowed_step(theorem, of.batch, values)
    rate = stated(theorem.evaluate(**values, step_size=step).rate)
    kappa = _potential_weights(of, step, discount(of, step))
    potentials = [_potential(of, at, kappa) for at in estimates(of, step, _STEPS)]
    return progress(np.stack(potentials, axis=1), rate)


_ESTIMATES: Fields = {
    **PROBLEMS,
    **PULLS,
    **COMPRESSION,
    **STEP,
    "first_error": Entries(rows=(WORKERS,), zero=True),
}
_NONCONVEX: Fields = {**_ESTIMATES, **SHAPES}


def _family(fields: Fields, pl: bool) -> Family:
    def structured() -> Iterator[dict[str, object]]:
        for instance in hard(fields, first_error=[])():
            yield {**instance, "first_error": [[0.0] * len(instance["start"])] * WORKERS}

    return Family(
        fields,
        by_noise(_pl if pl else _nonconvex),
        "promised / made progress in the logarithm of the potential"
        if pl
        else "average squared gradient / its bound, or iterations",
        structured,
        dimensions=(1, 3, 6),
    )


FAMILIES = {
    "nuef21-nonconvex": _family(_NONCONVEX, pl=False),
    "nuef21-pl": _family(_ESTIMATES, pl=True),
    "nuef21-pl-simple": _family(_ESTIMATES, pl=True),
}
