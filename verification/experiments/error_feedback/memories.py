"""Memories of real runs beside the lemmas about them (dossier 3.1, 3.2, 3.10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from taciturn.solvers.methods import PerWorkerRandK, PerWorkerThresholds
from taciturn.theory.memory_constants import memory_cost
from taciturn.theory.theorem import Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment, sampled, worst
from .problems import STEPS, Made, Scaling, alone, feedback, places, thresholds, volumes

__all__ = ["EXPERIMENTS"]

_STEP = 0.2


def _runs() -> Iterator[tuple[str, Made]]:
    for place, problem in places().items():
        yield place, feedback(problem, _STEP / problem.L)


def _squares(made: Made) -> tuple[Any, Any]:
    """|e_i|^2 and |grad f_i|^2, shape (K + 1, n)."""
    return np.sum(made.memory**2, axis=-1), np.sum(made.run.recorded["gradients"] ** 2, axis=-1)


def _ratio_functions(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Memories relative to the largest gradient; scaling compressors reach the stated number where gradients stay."""
    for place, made in _runs():
        memories, gradients = (np.sqrt(np.max(squares, axis=0)) for squares in _squares(made))
        yield worst(place, memories, stated(theorem.evaluate(delta=made.delta).value) * gradients)
    flat = feedback(alone(), 1e-9, sender=Scaling((0.5,)))
    memories, gradients = (np.sqrt(squares) for squares in _squares(flat))
    value = float(stated(theorem.evaluate(delta=0.75).value))
    yield worst("a short step with C(v) = v/2", memories[-1], value * gradients[0])
    yield worst("a short step with C(v) = v/2, the reverse", value * gradients[0] * (1 - 1e-6), memories[-1])


def _virtual_iterate(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    del theorem
    for place, made in _runs():
        virtual = made.run.recorded["x"] - made.step_size * made.mean_memory
        moved = np.einsum("n,knd->kd", volumes(made.problem), made.run.recorded["gradients"]) * made.step_size
        difference = np.linalg.norm(virtual[1:] - virtual[:-1] + moved[:-1], axis=1)
        # Both sides are lifted by the size of their terms, of which rounding is a part of 1e-15.
        size = np.linalg.norm(virtual[:-1], axis=1) + np.linalg.norm(moved[:-1], axis=1)
        yield worst(place, difference + size, size)


def _memory_step(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, made in _runs():
        memories, gradients = _squares(made)
        q = np.sqrt(1 - made.delta)
        for share in (0.2, 1.0):
            guarantee = theorem.evaluate(
                delta=made.delta,
                discount=q + share * (1 - q),
                gradient_bound=np.sqrt(gradients[:-1]),
                gradient_noise=0.0,
            )
            rate = stated(guarantee.rate)
            bound = rate * memories[:-1] + (1 - rate) * stated(guarantee.residual)
            yield worst(f"discount at {share:g} of its range, {place}", memories[1:], bound)


def _memory_sum(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, made in _runs():
        memories, gradients = _squares(made)
        q = np.sqrt(1 - made.delta)
        for share in (0.5, 1.0):
            beta = q + share * (1 - q)
            weights = beta ** (-2.0 * np.arange(STEPS)[:, None])
            roots = [np.sqrt(np.sum(weights * squares[:STEPS], axis=0) / np.sum(weights, axis=0)) for squares in
                     (memories, gradients)]  # fmt: skip
            value = theorem.evaluate(delta=made.delta, discount=beta, gradient_bound=roots[1], gradient_noise=0.0).value
            yield worst(f"discount at {share:g} of its range, {place}", roots[0], stated(value))


def _memory_uniform(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, made in _runs():
        memories, gradients = _squares(made)
        h = np.sqrt(np.max(gradients, axis=0))
        value = theorem.evaluate(delta=made.delta, gradient_bound=h, gradient_noise=0.0).value
        yield worst(place, np.sqrt(np.max(memories, axis=0)), stated(value))


def _memory_aggregate(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    del theorem
    for place, made in _runs():
        p, n = volumes(made.problem), made.problem.workers
        memories, gradients = _squares(made)
        y = memory_cost(made.delta) * np.sqrt(np.max(gradients, axis=0))
        mean = np.max(np.sum(made.mean_memory**2, axis=-1))
        triangle = float(p @ y) ** 2
        yield worst(f"triangle, {place}", mean, triangle)
        yield worst(f"Jensen, {place}", triangle, p @ y**2)
        yield worst(f"Cauchy-Schwarz, {place}", triangle, n * p**2 @ y**2)
        yield worst(f"triangle of the memories themselves, {place}", np.sqrt(mean), np.max(np.sqrt(memories) @ p))


def _memory_meanlinear(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in places().items():
        k = max(problem.d // 4, 1)
        sender = PerWorkerRandK([k] * problem.workers, scaled=False)
        replicas = budget.replicas if problem.d < 100 else max(budget.replicas // 10, 2)
        made = feedback(problem, _STEP / problem.L, sender=sender, replicas=replicas, steps=20, seed=budget.seed)
        h = float(np.sqrt(np.max(_squares(made)[1])))
        squares = float(np.sum(volumes(problem) ** 2))
        value = theorem.evaluate(delta=k / problem.d, gradient_bound=h, sum_square_weights=squares).value
        yield sampled(f"rand-{k}, {place}", np.sum(made.mean_memory[-1] ** 2, axis=-1), float(stated(value)) ** 2)


def _threshold_memory(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in places().items():
        levels = thresholds(problem)
        made = feedback(problem, _STEP / problem.L, sender=PerWorkerThresholds(levels))
        value = theorem.evaluate(d=problem.d, mean_threshold=float(volumes(problem) @ levels)).value
        yield worst(place, np.linalg.norm(made.mean_memory, axis=-1), stated(value))


EXPERIMENTS: Mapping[str, Experiment] = {
    "def-a-r": _ratio_functions,
    "ef-virtual-iterate": _virtual_iterate,
    "ef-memory-step": _memory_step,
    "ef-memory-sum": _memory_sum,
    "ef-memory-uniform": _memory_uniform,
    "ef-memory-aggregate": _memory_aggregate,
    "ef-memory-meanlinear": _memory_meanlinear,
    "thr-memory": _threshold_memory,
}
