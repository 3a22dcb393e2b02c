"""Attacks on whole numbers of entries: every assignment is tried (dossier 3.9)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from taciturn.solvers.ratios import assign_counts
from taciturn.theory.theorem import Theorem

from ..family import Family, Instance
from ..fields import Fields, Integers, Positive
from ..measures import quotient
from .allocation import level_set
from .instances import Problem, Vector, each

__all__ = ["FAMILIES"]

_COUNT, _LARGEST = 3, 7


def _setup(instance: Instance, costs: Vector) -> tuple[Vector, int]:
    """Weights, and a budget between one entry for each worker and all of them."""
    least, most = int(np.sum(costs)), int(np.sum(costs)) * _LARGEST
    return np.asarray(instance["weights"], dtype=float), int(least + round(float(instance["share"]) * (most - least)))


def _optimum(w: Vector, b: float, costs: Vector, budget: int) -> tuple[float, list[Vector]]:
    """The smallest objective over all counts, and all counts that attain it."""
    counts = np.array(list(itertools.product(range(1, _LARGEST + 1), repeat=len(w))))
    values = np.sum(w * counts**-b, axis=1)
    values[counts @ costs > budget] = np.inf
    best = float(np.min(values))
    return best, list(counts[values <= best * (1 + 1e-12)])


def _greedy(w: Vector, b: float, costs: Vector, budget: int) -> tuple[Vector, float, float]:
    """The statement's counts, by gain per cost; the gain and the density of the first increment that does not fit."""
    k = np.ones(len(w), dtype=int)
    while True:
        gains = np.where(k < _LARGEST, w * (k**-b - (k + 1.0) ** -b), -np.inf)
        i = int(np.argmax(gains / costs))
        if gains[i] == -np.inf:
            return k, 0.0, 0.0
        if costs @ k + costs[i] > budget:
            return k, float(gains[i]), float(gains[i] / costs[i])
        k[i] += 1


def _int_greedy(theorem: Theorem, instance: Instance) -> float:
    del theorem
    ones, b = np.ones(_COUNT, dtype=int), float(instance["b"])
    w, budget = _setup(instance, ones)
    best, _ = _optimum(w, b, ones, budget)
    found = [float(np.sum(w * _greedy(w, b, ones, budget)[0] ** -b))]
    if b == 1.0:
        for method in ("greedy", "proximity"):
            counts = assign_counts(w, budget, _LARGEST, method=method)
            found.append(float(np.sum(w / counts.counts)))
    return float(np.max(quotient(found, best)))


def _int_proximity(theorem: Theorem, instance: Instance) -> float:
    """The nearest integer optimum, in units of n - 1: distances below n are at most that but for a fraction."""
    del theorem
    ones, b = np.ones(_COUNT, dtype=int), float(instance["b"])
    w, budget = _setup(instance, ones)
    if budget in (_COUNT, _COUNT * _LARGEST):
        return float("nan")
    box = np.ones(_COUNT), np.full(_COUNT, float(_LARGEST))
    continuous, _ = level_set(Problem(w, np.ones(_COUNT), float(budget), *box, np.empty((0, _COUNT))), b)
    distance = min(float(np.max(np.abs(k - continuous))) for k in _optimum(w, b, ones, budget)[1])
    return distance / _COUNT


def _int_weighted(theorem: Theorem, instance: Instance) -> float:
    """What the greedy counts lose, relative to nu (B - spent), which is below the gain of the rejected increment."""
    del theorem
    costs, b = np.asarray(instance["costs"]).astype(int), float(instance["b"])
    w, budget = _setup(instance, costs)
    k, gain, density = _greedy(w, b, costs, budget)
    best, _ = _optimum(w, b, costs, budget)
    value = float(np.sum(w * k**-b))
    allowed = density * (budget - int(costs @ k))
    if gain > 0 and not allowed < gain:
        return float("inf")
    # Every prefix is optimal for what it spends.
    prefix, _ = _optimum(w, b, costs, int(costs @ k))
    return float(max(1 - (allowed - (value - best)) / value, quotient(value, prefix)))


def _hard(unequal: bool) -> Callable[[], Iterator[Instance]]:
    def instances() -> Iterator[Instance]:
        for weights in ([1.0] * _COUNT, [1.0, 0.1, 0.01], [1.0, 1e-4, 1e-4], [1.0, 1.3, 0.2]):
            for share in (0.1, 0.4, 0.8):
                costs: Instance = {"costs": [1, 2, 4]} if unequal else {}
                yield {"weights": weights, "share": share, "b": 1.0, **costs}

    return instances


_COUNTS: Fields = {
    "weights": Positive(1e-4, 2.0, rows=(_COUNT,)),
    "share": Positive(0.02, 1.0),
    "b": Positive(0.5, 2.0),
}

FAMILIES = {
    "int-greedy": Family(
        _COUNTS, each(_int_greedy), "objective of the greedy counts / of the best", _hard(False), dimensions=(1,)
    ),
    "int-proximity": Family(
        _COUNTS,
        each(_int_proximity),
        "distance of the nearest integer optimum from the continuous one / n",
        _hard(False),
        dimensions=(1,),
    ),
    "int-weighted": Family(
        {**_COUNTS, "costs": Integers(1, 4, rows=(_COUNT,))},
        each(_int_weighted),
        "1 - (bound less loss) / objective; objective of the greedy counts / of the best for what they spend",
        _hard(True),
        dimensions=(1,),
    ),
}
