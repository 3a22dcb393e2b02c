"""Assignment problems as instances, and points of their feasible sets (dossier 3.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.theorem import Theorem

from ..family import Batch, Instance
from ..fields import Array, Fields, Positive

__all__ = ["BOXES", "WEIGHED", "WORKERS", "Problem", "each", "extreme", "memory_cost", "problem", "within_budget"]

Vector = NDArray[np.float64]

WORKERS = 4

WEIGHED: Fields = {
    "weights": Positive(1e-4, 1.0, rows=(WORKERS,)),
    "costs": Positive(0.1, 10.0, rows=(WORKERS,)),
    "share": Positive(0.01, 0.99),
}
"""w_i, c_i, and the budget between what the lower ends and what the upper ends cost."""

BOXES: Fields = {
    **WEIGHED,
    "lower": Positive(1e-3, 0.2, rows=(WORKERS,)),
    "upper": Positive(0.2, 1.0, rows=(WORKERS,)),
    "others": Positive(1e-3, 1.0, rows=(8, WORKERS)),
}
"""With boxes, and other points to compare the best one with."""


@dataclass(frozen=True)
class Problem:
    """Weights, costs, a budget, boxes, and feasible points (k, n)."""

    w: Vector
    c: Vector
    B: float
    lower: Vector
    upper: Vector
    others: Vector


def problem(instance: Instance) -> Problem:
    """Return the problem of an instance."""
    w, c, lower, upper = (np.asarray(instance[name], dtype=float) for name in ("weights", "costs", "lower", "upper"))
    budget = float((1 - instance["share"]) * (c @ lower) + instance["share"] * (c @ upper))
    others = within_budget(lower + np.asarray(instance["others"]) * (upper - lower), c, budget, lower)
    return Problem(w, c, budget, lower, upper, others)


def within_budget(points: Vector, costs: Vector, budget: float, lower: Vector) -> Vector:
    """Move points (k, n) towards the lower ends until the budget pays for them.

    Examples
    --------
    >>> within_budget(np.array([[1.0, 1.0]]), np.ones(2), 1.5, np.zeros(2))
    array([[0.75, 0.75]])
    """
    above = (points - lower) @ costs
    kept = np.minimum(1.0, (budget - costs @ lower) / np.where(above > 0, above, 1.0))
    return np.asarray(lower + kept[:, None] * (points - lower))


def memory_cost(delta: Array) -> Array:
    """Return a(delta) = q/(1 - q), q = sqrt(1 - delta)."""
    q = np.sqrt(1 - np.asarray(delta))
    return q / (1 - q)


def each(ratio: Callable[[Theorem, Instance], float]) -> Callable[[Theorem, Batch], Array]:
    """Return the ratio of a batch, one instance after the other."""

    def of_batch(theorem: Theorem, batch: Batch) -> Array:
        count = len(next(iter(batch.values())))
        return np.array([ratio(theorem, {name: values[i] for name, values in batch.items()}) for i in range(count)])

    return of_batch


def extreme(fields: Fields, **parts: object) -> Callable[[], Iterator[Instance]]:
    """Return a function that makes problems of equal workers, of extreme volumes, and with tight boxes."""

    def instances() -> Iterator[Instance]:
        for weights in ([1.0] * WORKERS, [1.0, 1e-4, 1e-4, 1e-4], [1.0, 0.1, 0.01, 1e-3]):
            for share in (0.01, 0.5, 0.99):
                for upper in (0.2, 1.0):
                    made: dict[str, object] = {
                        "weights": weights,
                        "costs": [1.0] * WORKERS,
                        "share": share,
                        "lower": [0.01] * WORKERS,
                        "upper": [upper] * WORKERS,
                        "others": [[0.5] * WORKERS] * 8,
                        "b": 1.0,
                        **parts,
                    }
                    yield {name: made[name] for name in fields}

    return instances
