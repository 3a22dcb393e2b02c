"""Attacks on hard thresholds: streams of gradients, and every choice of supports (dossier 3.10)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from taciturn.solvers.thresholds import (
    L1Rule,
    Laplace,
    ThresholdController,
    common_level,
    optimal_thresholds,
    profile_thresholds,
)
from taciturn.theory.theorem import Theorem

from ..family import Family, Instance
from ..fields import Entries, Fields, Positive
from ..measures import agreement, quotient, stated
from .instances import WORKERS, Vector, each

__all__ = ["FAMILIES", "traffic"]

_STEPS = 24


def traffic(gradients: Vector, rule: Callable[[int, Vector, list[int]], float]) -> tuple[Vector, Vector]:
    """Return N_k and lambda_k, shape (K,), of error feedback with the thresholds rule(k, gradient, N so far).

    Examples
    --------
    >>> sent, _ = traffic(np.full((6, 2), 0.4), lambda k, g, sent: 1.0)  # 1.2 > 1 in every third step
    >>> sent.tolist()
    [0, 0, 2, 0, 0, 2]
    """
    e, sent, thresholds = np.zeros(gradients.shape[1]), list[int](), []
    for k, g in enumerate(gradients):
        level = rule(k, g, sent)
        v = e + g
        passing = np.abs(v) > level
        e = np.where(passing, 0.0, v)
        sent.append(int(np.sum(passing)))
        thresholds.append(level)
    return np.array(sent), np.array(thresholds)


def _stream(instance: Instance) -> Vector:
    """The first gradients again and again, each scaled by its step's factor."""
    gradients = np.asarray(instance["gradients"], dtype=float)
    scales = np.asarray(instance["scales"], dtype=float)
    k = np.arange(_STEPS)
    return np.asarray(gradients[k % len(gradients)] * scales[k % len(scales), None])


def _traffic(theorem: Theorem, instance: Instance) -> float:
    """A constant threshold, and one that walks."""
    gradients = _stream(instance)
    norms = np.sum(np.abs(gradients), axis=1)
    level = float(instance["level"] * np.max(np.abs(gradients)))
    sent, _ = traffic(gradients, lambda k, g, sent: level)
    value = theorem.evaluate(l1_norm=np.mean(norms), magnitude_threshold=level).value
    constant = quotient(np.mean(sent), stated(value))
    walk = level * np.asarray(instance["walk"])
    sent, thresholds = traffic(gradients, lambda k, g, sent: float(walk[k % len(walk)]))
    falls = gradients.shape[1] * np.maximum(thresholds[:-1] / thresholds[1:] - 1, 0)
    falling = quotient(np.sum(sent), np.sum(norms / thresholds) + np.sum(falls))
    return float(max(constant, falling, *(_attained(theorem, gradients.shape[1], M) for M in (1, 3, 8))))


def _attained(theorem: Theorem, d: int, M: int) -> float:
    """Entries of lambda/M and a hair are sent once in M steps, which is what the theorem allows."""
    gradients = np.full((_STEPS, d), (1 + 1e-10) / M)
    sent, _ = traffic(gradients, lambda k, g, sent: 1.0)
    value = theorem.evaluate(l1_norm=float(np.sum(gradients[0])), magnitude_threshold=1.0).value
    return float(agreement(np.mean(sent), stated(value)))


def _l1_rule(theorem: Theorem, instance: Instance) -> float:
    gradients = _stream(instance)
    d = gradients.shape[1]
    budget = int(np.clip(np.ceil(instance["share"] * d), 1, d))
    rule = L1Rule(budget, d, float(instance["eta"]))
    level = 0.0

    def threshold(k: int, g: Vector, sent: list[int]) -> float:
        nonlocal level
        level = rule.threshold(float(np.sum(np.abs(g))), level)
        return level

    sent, _ = traffic(gradients, threshold)
    value = stated(theorem.evaluate(d=d, entries_per_step=budget).value)
    return float(np.max(np.cumsum(sent) / np.arange(1, _STEPS + 1)) / value)


def _controller(theorem: Theorem, instance: Instance) -> float:
    gradients = _stream(instance)
    d, gain = gradients.shape[1], float(instance["gain"])
    largest = float(np.max(np.sum(np.abs(gradients), axis=1)))
    budget, start = float(instance["share"] * d), float(instance["level"] * largest)
    control = ThresholdController(budget, gain)
    level = start

    def threshold(k: int, g: Vector, sent: list[int]) -> float:
        nonlocal level
        if sent:
            level = control.threshold(level, sent[-1])
        return level

    sent, _ = traffic(gradients, threshold)
    following = control.threshold(level, int(sent[-1]))
    identity = agreement(1.0 + np.mean(sent), 1.0 + budget * (1 + np.log(following / start) / (gain * _STEPS)))
    steps = np.arange(1, _STEPS + 1)
    value = theorem.evaluate(
        d=d, entries_per_step=budget, controller_gain=gain, start_threshold=start, l1_bound=largest, steps=steps
    ).value
    return float(max(identity, np.max(quotient(np.cumsum(sent), stated(value)))))


def _one_step(theorem: Theorem, instance: Instance) -> float:
    """Supports of all sizes within the budget, on two workers."""
    del theorem
    v, importance = np.asarray(instance["vectors"], dtype=float), np.asarray(instance["importance"], dtype=float)
    squares = (importance[:, None] * v) ** 2
    entries = squares.ravel()
    budget = int(np.clip(np.ceil(instance["share"] * entries.size), 1, entries.size))
    left = [
        np.sum(entries) - np.sum(entries[list(support)])
        for support in itertools.combinations(range(entries.size), budget)
    ]
    level = common_level(v, importance, budget)
    thresholds = profile_thresholds(level, importance) if level > 0 else np.zeros(len(v))
    # As many entries as reach the level, up to ties in rounding.
    reaching = np.sum(np.abs(v) > thresholds[:, None] * (1 + 1e-12))
    if reaching > budget:
        return float("inf")
    kept = np.sort(entries)[-budget:]
    lost = float(np.sum(entries) - np.sum(kept))
    scale = float(np.sum(entries))
    below = float(np.sum(np.where(np.abs(v) < thresholds[:, None] * (1 - 1e-12), squares, 0.0)))
    return float(max(1 + (lost - min(left)) / scale, 1 + max(below - lost, 0.0) / scale))


def _optimal(theorem: Theorem, instance: Instance) -> float:
    """The rigorous traffic model against other thresholds of the same budget, and Laplace magnitudes against others."""
    p = np.asarray(instance["volumes"], dtype=float) / np.sum(instance["volumes"])
    costs, norms = (np.asarray(instance[name], dtype=float) for name in ("costs", "norms"))
    budget = float(instance["budget"])
    scale = float(np.sum(np.sqrt(costs * norms * p)))
    value = stated(theorem.evaluate(traffic_scale=scale, traffic_budget=budget).value)
    best = np.sqrt(costs * norms / p) * scale / budget
    others = np.asarray(instance["others"])
    # Scaled so that they spend the budget: the cheapest of their direction.
    spent = np.sum(costs * norms / others, axis=1)
    compared = [float(np.max(quotient(value, others @ p * spent / budget))), float(agreement(best @ p, value))]
    compared.append(float(agreement(np.sum(costs * norms / best), budget)))
    d, dear = 10, float(np.sum(costs)) * 10
    models = [Laplace(norm) for norm in norms]
    for order in (1, 2):
        found = optimal_thresholds(models, p, 0.3 * dear, d, costs=costs, order=order)
        for other in others:
            thresholds = _within(other, norms, costs, d, 0.3 * dear)
            compared.append(float(quotient(found.objective, p @ thresholds**order)))
    return max(compared)


def _within(direction: Vector, scales: Vector, costs: Vector, d: int, budget: float) -> Vector:
    """The smallest multiple of the direction whose expected traffic with Laplace magnitudes is within the budget."""
    low, high = 0.0, 1.0

    def spent(t: float) -> float:
        return float(np.sum(costs * d * np.exp(-t * direction / scales)))

    while spent(high) > budget:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if spent(middle) > budget else (low, middle)
    return np.asarray(high * direction)


_STREAM: Fields = {"gradients": Entries(rows=(6,)), "scales": Positive(1e-2, 10.0, rows=(8,))}


def _tight(**parts: object) -> Callable[[], Iterator[Instance]]:
    """Equal entries of lambda/M and a hair, which are sent once in M steps."""

    def instances() -> Iterator[Instance]:
        for M in (1, 2, 4, 8):
            for d in (1, 3):
                yield {
                    "gradients": [[1.0] * d] * 6,
                    "scales": [1.0] * 8,
                    "level": M * (1 - 1e-10),
                    "walk": [1.0] * 8,
                    **parts,
                }

    return instances


def _rules(**parts: object) -> Callable[[], Iterator[Instance]]:
    def instances() -> Iterator[Instance]:
        for scales in ([1.0] * 8, [10.0, 1e-2] * 4, [1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]):
            for share in (0.1, 0.5, 1.0):
                yield {"gradients": [[1.0, 0.5, 0.25, 0.1]] * 6, "scales": scales, "share": share, **parts}

    return instances


def _pairs() -> Iterator[Instance]:
    for importance in ([1.0, 1.0], [0.9, 0.1]):
        yield {"vectors": [[3.0, 2.0, 1.0], [4.0, 0.5, 0.25]], "importance": importance, "share": 0.5}


def _models() -> Iterator[Instance]:
    for volumes in ([1.0] * WORKERS, [1.0, 0.1, 0.01, 0.001]):
        yield {
            "volumes": volumes,
            "costs": [1.0] * WORKERS,
            "norms": [1.0, 2.0, 3.0, 4.0],
            "budget": 2.0,
            "others": [[1.0] * WORKERS] * 4,
        }


FAMILIES = {
    "thr-traffic": Family(
        {**_STREAM, "level": Positive(0.1, 10.0), "walk": Positive(0.1, 10.0, rows=(8,))},
        each(_traffic),
        "entries sent / their bound, or the reverse where it is attained",
        _tight(),
        dimensions=(1, 3, 8),
    ),
    "thr-l1-rule": Family(
        {**_STREAM, "share": Positive(0.05, 1.0), "eta": Positive(0.05, 0.95)},
        each(_l1_rule),
        "entries per step since the start / the budget",
        _rules(eta=0.5),
        dimensions=(1, 4, 8),
    ),
    "thr-controller": Family(
        {**_STREAM, "share": Positive(0.05, 1.0), "gain": Positive(0.01, 3.0), "level": Positive(1e-4, 10.0)},
        each(_controller),
        "entries sent / their bound; the identity in both directions",
        _rules(gain=0.5, level=1e-3),
        dimensions=(1, 4, 8),
    ),
    "thr-one-step": Family(
        {"vectors": Entries(rows=(2,)), "importance": Positive(0.05, 1.0, rows=(2,)), "share": Positive(0.1, 1.0)},
        each(_one_step),
        "1 + what is left out in excess of the best supports / everything",
        _pairs,
        dimensions=(1, 3, 5),
    ),
    "thr-optimal": Family(
        {
            "volumes": Positive(1e-3, 1.0, rows=(WORKERS,)),
            "costs": Positive(0.1, 10.0, rows=(WORKERS,)),
            "norms": Positive(1e-2, 100.0, rows=(WORKERS,)),
            "budget": Positive(0.1, 100.0),
            "others": Positive(1e-2, 10.0, rows=(4, WORKERS)),
        },
        each(_optimal),
        "objective of the stated thresholds / of others with the same traffic",
        _models,
        dimensions=(1,),
    ),
}
