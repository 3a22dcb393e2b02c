"""Attacks on links, bits, schedules and a-posteriori ratios (dossier 3.12)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from taciturn.solvers.ratios import best_budget, best_round_time, waterfill
from taciturn.theory import theorem as statement
from taciturn.theory.theorem import Theorem

from ..family import Family, Instance
from ..fields import Entries, Fields, Integers, Positive
from ..functions import square
from ..measures import agreement, quotient, stated
from ..senders import top
from .instances import WEIGHED, WORKERS, each, extreme, memory_cost, within_budget

__all__ = ["FAMILIES"]


@cache
def _named(id: str) -> Theorem:
    return statement(id)


def _joint(theorem: Theorem, instance: Instance) -> float:
    """Bounds whose ratios minimise one scalar, against the bounds of other ratios, at steps that both allow."""
    del theorem
    w = np.asarray(instance["weights"], dtype=float) / np.sum(instance["weights"])
    c = np.asarray(instance["costs"], dtype=float)
    B = float(instance["share"] * np.sum(c))
    best = waterfill(w, B, costs=c).delta
    lower = np.full(WORKERS, 1e-4)
    others = within_budget(np.asarray(instance["others"]), c, max(B, float(c @ lower)), lower)
    # The surrogate 2/delta - 3/2 of a, which the assignment minimises.
    scalars = np.sum(w * (2 / np.vstack([best, others]) - 1.5), axis=1)
    ratios = []
    steps = float(instance["relative_step"]) * np.array([0.1, 1.0]) / (1 + np.max(scalars))
    for step in steps:
        sharp = _named("nuef-nonconvex").evaluate(
            L=1.0, memory_dissimilarity=0.0, memory_residual=scalars, gradient_noise=0.3, step_size=step
        )
        flat = _named("nuef-absolute").evaluate(L=1.0, absolute_error=scalars, gradient_noise=0.3, step_size=step)
        for K in (1, 100):
            for guarantee in (sharp, flat):
                bounds = guarantee.bound(K, 1.0)
                ratios.append(quotient(bounds[0], np.min(bounds[1:])))
    longest = stated(_named("nuef21-nonconvex").evaluate(L=1.0, memory_smoothness=np.maximum(scalars, 0.0)).step_size)
    ratios.append(quotient(np.max(longest[1:]), longest[0]))
    return float(np.max(ratios))


def _links(theorem: Theorem, instance: Instance) -> float:
    """Other deadlines, other ratios within a deadline, and convexity by midpoints."""
    del theorem
    w, c, latency = (np.asarray(instance[name], dtype=float) for name in ("weights", "costs", "latency"))
    L = float(np.sum(w))
    found = best_round_time(w, c, latency=latency)

    def cost(T: float) -> float:
        return float(T * (L + np.sum(w * (2 * np.maximum(c / (T - latency), 1.0) - 1.5))))

    deadlines = np.max(latency) + np.asarray(instance["deadlines"]) * np.max(c)
    values = np.array([cost(T) for T in deadlines])
    ratios = [
        float(np.max(quotient(found.objective, values))),
        float(agreement(cost(found.round_time), found.objective)),
    ]
    for T, S in zip(deadlines[::2], deadlines[1::2], strict=True):
        ratios.append(float(quotient(cost((T + S) / 2), (cost(T) + cost(S)) / 2)))
    for T, kept in zip(deadlines, np.asarray(instance["others"]), strict=True):
        most = np.minimum(1.0, (T - latency) / c)
        ratios.append(float(quotient(np.sum(w * (2 / most - 1.5)), np.sum(w * (2 / (kept * most) - 1.5)))))
    return max(ratios)


def _bits(theorem: Theorem, instance: Instance) -> float:
    """Equal workers exactly; and the branch of small ratios, which costs less the larger the budget."""
    n, delta, L = int(instance["workers"]), float(instance["delta"]), float(instance["L"])
    floats = (L + L * memory_cost(delta)) * n * delta
    equal = agreement(floats, stated(theorem.evaluate(workers=n, L=L, delta=delta).value))
    w, c = (np.asarray(instance[name], dtype=float) for name in ("weights", "costs"))
    total, U = float(np.sum(w)), float(np.sum(np.sqrt(w * c)))
    budgets = np.sort(np.asarray(instance["budgets"]))
    branch = (total - 1.5 * total + 2 * U**2 / budgets) * budgets
    falls = quotient(branch[1:] + total * budgets[-1], branch[:-1] + total * budgets[-1])
    chosen = best_budget(w, costs=c, lower=1e-2)
    others = np.clip(np.outer(np.asarray(instance["budgets"]), np.sqrt(w / c)), 1e-2, 1.0)
    products = (total + memory_cost(others) @ w) * (others @ c)
    return float(max(equal, np.max(falls), quotient(chosen.objective * (1 - 2e-4), np.min(products))))


def _effective(theorem: Theorem, instance: Instance) -> float:
    """Top-k on any gradients: the measured contraction certifies the memory of the run."""
    del theorem
    gradients, k = np.asarray(instance["gradients"], dtype=float), int(instance["k"])
    e, kept, largest = np.zeros(gradients.shape[1]), 1.0, 0.0
    for g in gradients:
        v = e + g
        e = v - top(v, np.asarray(k))
        if square(v) > 0:
            kept = min(kept, 1 - float(square(e) / square(v)))
        largest = max(largest, float(square(e)))
    h = float(np.sqrt(np.max(square(gradients))))
    value = _named("ef-memory-uniform").evaluate(delta=max(kept, 1e-12), gradient_bound=h, gradient_noise=0.0).value
    return float(quotient(np.sqrt(largest), stated(value) + 1e-12 * h))


def _periodic(theorem: Theorem, instance: Instance) -> float:
    """Everything once in T steps: gradients of norm at most 1, and constant ones, which attain the bound."""
    period, gradients = int(instance["period"]), np.asarray(instance["gradients"], dtype=float)
    value = stated(theorem.evaluate(period=period).value)
    unit = gradients / np.sqrt(square(gradients))[:, None]
    ratios = []
    for stream in (unit, np.repeat(unit[:1], len(unit), axis=0)):
        e, largest = np.zeros(gradients.shape[1]), 0.0
        for k in range(3 * period):
            v = e + stream[k % len(stream)]
            e = np.zeros_like(v) if (k + 1) % period == 0 else v
            largest = max(largest, float(np.sqrt(square(e))))
        ratios.append(float(quotient(largest, value)))
    constant = agreement(largest, value)
    always = quotient(2 * period - 2, memory_cost(1 / period)) if period > 1 else 0.0
    return float(max(*ratios, constant, always))


def _links_known() -> Iterator[Instance]:
    for latency in ([0.0] * WORKERS, [1.0, 0.1, 0.0, 0.0]):
        yield {
            "weights": [1.0, 0.5, 0.2, 0.1],
            "costs": [1.0, 2.0, 0.5, 5.0],
            "latency": latency,
            "deadlines": [0.1, 0.2, 0.5, 1.0],
            "others": [[1.0] * WORKERS] * 4,
        }


def _equal_workers() -> Iterator[Instance]:
    for delta in (0.01, 0.5, 1.0):
        yield {
            "workers": 5,
            "delta": delta,
            "L": 2.0,
            "weights": [1.0] * WORKERS,
            "costs": [1.0] * WORKERS,
            "budgets": [0.01, 0.05, 0.1, 0.2],
        }


_PLAIN: Fields = {"weights": WEIGHED["weights"], "costs": WEIGHED["costs"]}
_JOINT: Fields = {
    **WEIGHED,
    "others": Positive(1e-3, 1.0, rows=(8, WORKERS)),
    "relative_step": Positive(1e-2, 1.0),
}

FAMILIES = {
    "joint-step-ratio": Family(
        _JOINT,
        each(_joint),
        "bound with the ratios that minimise the scalar / with others",
        extreme(_JOINT, relative_step=1.0),
        dimensions=(1,),
    ),
    "link-time": Family(
        {
            **_PLAIN,
            "latency": Positive(1e-3, 10.0, rows=(WORKERS,)),
            "deadlines": Positive(1e-2, 3.0, rows=(4,)),
            "others": Positive(0.05, 1.0, rows=(4, WORKERS)),
        },
        each(_links),
        "cost of the best round time / of others; middle / mean of the ends",
        _links_known,
        dimensions=(1,),
    ),
    "bits-optimal": Family(
        {
            "workers": Integers(1, 50),
            "delta": Positive(1e-3, 1.0),
            "L": Positive(0.01, 100.0),
            **_PLAIN,
            "budgets": Positive(1e-3, 1.0, rows=(4,)),
        },
        each(_bits),
        "floats / stated, or the reverse; best budget / others",
        _equal_workers,
        dimensions=(1,),
    ),
    "effective-delta": Family(
        {"gradients": Entries(rows=(20,)), "k": Integers(1)},
        each(_effective),
        "largest memory / its bound at the measured contraction",
        lambda: ({"gradients": [[1.0, 1.0]] * 20, "k": k} for k in (1, 2)),
        dimensions=(2, 4, 8),
    ),
    "schedule-periodic": Family(
        {"gradients": Entries(rows=(6,)), "period": Integers(2, 20)},
        each(_periodic),
        "largest memory / stated, or the reverse for constant gradients",
        lambda: ({"gradients": [[1.0]] * 6, "period": period} for period in (2, 5, 20)),
        dimensions=(1, 3),
    ),
}
