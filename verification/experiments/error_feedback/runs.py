"""Error feedback and EF21 on quadratics and on the text beside their bounds (dossier 3.3–3.5, 3.10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from taciturn.solvers.methods import CompressedGradient, PerWorkerRandK, PerWorkerThresholds, run
from taciturn.solvers.problems import Problem
from taciturn.theory.memory_constants import memory_cost
from taciturn.theory.theorem import Guarantee, Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..adaptive_compression.one_node import known
from ..comparison import Comparison, Experiment, sampled, worst
from ..settings import start
from .problems import STEPS, Made, constants, feedback, places, ratios, shared, thresholds, volumes

__all__ = ["EXPERIMENTS"]

_NOISE = 0.1  # relative to the largest gradient at the start


def _delta(problem: Problem) -> Any:
    return np.array(ratios(problem)) / problem.d


def _counter(steps: int = STEPS) -> Any:
    return np.arange(1, steps + 1)


def _average(values: Any) -> Any:
    """The means over k < K for K = 1, ..., of (K + 1, ...)."""
    steps = values.shape[0] - 1
    return np.cumsum(values[:-1], axis=0) / _counter(steps).reshape(-1, *(1,) * (values.ndim - 1))


def _largest(problem: Problem) -> float:
    return float(np.max(np.linalg.norm(np.asarray(problem.worker_gradients(start(problem))), axis=1)))


def _noisy(problem: Problem, guarantee: Guarantee, noise: float, budget: Budget) -> Made:
    """A few replicas of a run with noise; of the text fewer."""
    replicas = budget.replicas if problem.d < 100 else max(budget.replicas // 10, 2)
    step = float(stated(guarantee.step_size))
    return feedback(problem, step, noise=noise, replicas=replicas, steps=20, seed=budget.seed)


def _shorter(theorem: Theorem, **values: Any) -> Guarantee:
    """The guarantee for a step a little shorter than the longest that is recommended."""
    longest = float(stated(theorem.evaluate(**values).step_size))
    return theorem.evaluate(**values, step_size=longest * (1 - 1e-9))


def _target(theorem: Theorem, value: float) -> dict[str, float]:
    return {"target": value} if "target" in {entry.name for entry in theorem.parameters} else {}


def _nonconvex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """With b_i = 1 zeta_i is what runs show; where the step depends on it, twice that leaves room for the last run."""
    for place, problem in places().items():
        A_b = float(volumes(problem) @ memory_cost(_delta(problem)))
        target = _target(theorem, 0.1 * _largest(problem))
        D = (2 if target else 1) * _shown(feedback(problem, 0.25 * min(1, np.sqrt(2) / A_b) / problem.L))
        guarantee = _shorter(
            theorem, L=problem.L, memory_dissimilarity=A_b, memory_residual=D, gradient_noise=0.0, **target
        )
        made = feedback(problem, float(stated(guarantee.step_size)))
        assert _shown(made) <= D * (1 + 1e-6)
        measured = _average(made.run.squared_gradient_norm)
        yield worst(f"top-k, {place}", measured, guarantee.bound(_counter(), made.run.gap[0]))


def _shown(made: Made) -> float:
    """D of the smallest zeta_i with |grad f_i| <= zeta_i + |grad F| along the run."""
    norms = np.linalg.norm(made.run.recorded["gradients"], axis=-1)
    zeta = np.max(np.maximum(norms - np.sqrt(made.run.squared_gradient_norm)[:, None], 0.0), axis=0)
    return float(volumes(made.problem) @ (memory_cost(made.delta) * zeta))


def _plain(theorem: Theorem, problem: Problem, noise: float) -> dict[str, Any]:
    found = constants(problem, _delta(problem), noise=noise)
    gap = float(problem.objective(start(problem)) - problem.minimum)
    return {
        "L": problem.L,
        "memory_curvature": found.memory_curvature,
        "residual_at_optimum": found.memory_residual,
        "gradient_noise": found.gradient_noise,
        **_target(theorem, 0.1 * gap),
    }


def _convex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in places().items():
        guarantee = _shorter(theorem, **_plain(theorem, problem, 0.0))
        made = feedback(problem, float(stated(guarantee.step_size)))
        assert made.run.squared_distance is not None
        bound = guarantee.bound(_counter(), made.run.squared_distance[0])
        yield worst(f"top-k, {place}", _average(made.run.gap), bound)
        noise = _NOISE * _largest(problem)
        guarantee = _shorter(theorem, **_plain(theorem, problem, noise))
        made = _noisy(problem, guarantee, noise, budget)
        assert made.run.squared_distance is not None
        yield sampled(
            f"top-k with noise, {place}",
            _average(made.run.gap)[-1],
            float(guarantee.bound(20, made.run.squared_distance[0, 0])),
        )


def _discounted_mean(gaps: Any, rate: float) -> Any:
    weights = rate ** -np.arange(float(gaps.shape[0] - 1))
    weights = weights.reshape(-1, *(1,) * (gaps.ndim - 1))
    return np.cumsum(weights * gaps[:-1], axis=0) / np.cumsum(weights, axis=0)


def _strongly_convex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in places().items():
        smallest = {"mu": problem.mu, "delta": float(_delta(problem).min())}
        guarantee = _shorter(theorem, **_plain(theorem, problem, 0.0), **smallest)
        step = float(stated(guarantee.step_size))
        made = feedback(problem, step)
        assert made.run.squared_distance is not None
        bound = guarantee.bound(_counter(), made.run.squared_distance[0])
        yield worst(f"top-k, {place}", _discounted_mean(made.run.gap, 1 - step * problem.mu), bound)
        noise = _NOISE * _largest(problem)
        guarantee = _shorter(theorem, **_plain(theorem, problem, noise), **smallest)
        made = _noisy(problem, guarantee, noise, budget)
        assert made.run.squared_distance is not None
        means = _discounted_mean(made.run.gap, 1 - made.step_size * problem.mu)
        bound = float(guarantee.bound(20, made.run.squared_distance[0, 0]))
        yield sampled(f"top-k with noise, {place}", means[-1], bound)


def _master(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in places().items():
        for share in (0.5, 1.0):
            step = share * 0.2 / np.sqrt(problem.L * constants(problem, _delta(problem)).memory_curvature)
            found = constants(problem, _delta(problem), beta=float(np.sqrt(1 - step * problem.mu)))
            guarantee = theorem.evaluate(
                L=problem.L, mu=problem.mu, discounted_curvature=found.memory_curvature,
                discounted_residual=found.memory_residual, gradient_noise=0.0, step_size=step,
            )  # fmt: skip
            made = feedback(problem, step)
            assert made.run.squared_distance is not None
            bound = guarantee.bound(_counter(), made.run.squared_distance[0])
            yield worst(
                f"top-k, step {step:.3g}, {place}", _discounted_mean(made.run.gap, 1 - step * problem.mu), bound
            )


def _interpolation(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem = shared()
    simple = "delta" in {entry.name for entry in theorem.parameters}
    delta = _delta(problem)
    plain = constants(problem, delta).memory_curvature
    for share in (0.3, 1.0):
        if simple:
            values = {"memory_curvature": plain, "delta": float(delta.min())}
            step = share * float(stated(theorem.evaluate(L=problem.L, mu=problem.mu, **values).step_size))
        else:
            step = share * 0.4 / np.sqrt(problem.L * plain)
            beta = float(np.sqrt(1 - step * problem.mu))
            values = {"discounted_curvature": constants(problem, delta, beta).memory_curvature}
        guarantee = theorem.evaluate(L=problem.L, mu=problem.mu, **values, step_size=step)
        distances = feedback(problem, step).squared_virtual_distance
        counted = distances[1:] > 1e-12 * distances[0]
        yield worst(
            f"top-k, step {step:.3g}, a shared minimiser",
            distances[1:],
            guarantee.bound(_counter(), distances[0]),
            counted,
        )


def _ef21(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in places().items():
        found = constants(problem, _delta(problem))
        guarantee = theorem.evaluate(L=problem.L, memory_smoothness=found.memory_smoothness)
        made = feedback(problem, float(stated(guarantee.step_size)), ef21=True)
        # The first step does not move: it sends the exact gradients.
        squares, gap = made.run.squared_gradient_norm[1:], made.run.gap[1]
        yield worst(f"top-k, {place}", _average(squares), guarantee.bound(_counter(), gap))


def _ef21_pl(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    simple = "delta" in {entry.name for entry in theorem.parameters}
    for place, problem in places().items():
        delta = _delta(problem)
        plain = constants(problem, delta).memory_smoothness
        values: dict[str, float] = {"memory_smoothness": plain, "delta": float(delta.min())}
        step = min(1 / (problem.L + np.sqrt(2) * plain), (1 - np.sqrt(1 - float(delta.min()))) / (2 * problem.mu))
        beta = float(np.sqrt(1 - step * problem.mu))
        A = constants(problem, delta, beta).memory_smoothness
        if not simple:
            values = {"discounted_smoothness": A}
        guarantee = theorem.evaluate(L=problem.L, mu=problem.mu, **values, step_size=step)
        made = feedback(problem, step, ef21=True)
        a, q = memory_cost(delta, beta), np.sqrt(1 - delta)
        kappa = step / 2 * A * volumes(problem) / (np.asarray(problem.L_i) * a * beta * (beta - q))
        potential = (made.run.gap + made.squared_errors @ kappa)[1:]
        counted = known(problem, made.run)[2:]
        yield worst(f"top-k, {place}", potential[1:], guarantee.bound(_counter(), potential[0]), counted)


def _dcgd(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in places().items():
        p, counts = volumes(problem), ratios(problem)
        omega = problem.d / np.array(counts) - 1
        zeta = np.linalg.norm(np.asarray(problem.worker_gradients(problem.minimiser)), axis=1)
        guarantee = theorem.evaluate(
            L=problem.L, mu=problem.mu, noise_smoothness=float(np.max(p * omega * np.asarray(problem.L_i))),
            noise_at_optimum=float(np.sum(p**2 * omega * zeta**2)), received_noise=0.0,
        )  # fmt: skip
        method = CompressedGradient(PerWorkerRandK(counts), step_size=float(stated(guarantee.step_size)))
        replicas = budget.replicas if problem.d < 100 else max(budget.replicas // 10, 2)
        made = run(method, problem, 30, start(problem, (replicas,)), budget.seed)
        assert made.squared_distance is not None
        for k in (1, 30):
            bound = float(guarantee.bound(k, made.squared_distance[0, 0]))
            yield sampled(f"rand-k, {place}, k = {k}", made.squared_distance[k], bound)


def _one_step(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Every step of a run; the gap, which is subtracted, is brought to the other side."""
    for place, problem in places().items():
        for share in (0.1, 0.5, 0.9):
            step = share / problem.L
            guarantee = theorem.evaluate(L=problem.L, mu=problem.mu, step_size=step)
            rate, coefficient = float(stated(guarantee.rate)), float(stated(guarantee.value))
            made = feedback(problem, step)
            distances, gaps = made.squared_virtual_distance, np.maximum(made.run.gap, 0.0)
            apart = np.sum((step * made.mean_memory) ** 2, axis=-1)
            measured = distances[1:] + rate * 2 * step * gaps[:-1]
            yield worst(f"top-k, step {share:g}/L, {place}", measured, rate * (distances + coefficient * apart)[:-1])


def _bounded_memory(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in places().items():
        step = 0.25 / problem.L
        made = feedback(problem, step)
        norm = float(np.max(np.linalg.norm(made.mean_memory, axis=-1)))
        guarantee = theorem.evaluate(L=problem.L, mu=problem.mu, memory_norm=norm, gradient_noise=0.0, step_size=step)
        distances = made.squared_virtual_distance
        yield worst(f"top-k, {place}", distances[1:], guarantee.bound(_counter(), distances[0]))


def _absolute(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    curved = "mu" in {entry.name for entry in theorem.parameters}
    for place, problem in places().items():
        levels = thresholds(problem)
        kappa = float(volumes(problem) @ levels) * np.sqrt(problem.d)
        known_constants = {"L": problem.L, "absolute_error": kappa, "gradient_noise": 0.0}
        guarantee = theorem.evaluate(**known_constants, **({"mu": problem.mu} if curved else {}))
        made = feedback(problem, float(stated(guarantee.step_size)), sender=PerWorkerThresholds(levels))
        if curved:
            distances = made.squared_virtual_distance
            yield worst(f"thresholds, {place}", distances[1:], guarantee.bound(_counter(), distances[0]))
        else:
            bound = guarantee.bound(_counter(), made.run.gap[0])
            yield worst(f"thresholds, {place}", _average(made.run.squared_gradient_norm), bound)


EXPERIMENTS: Mapping[str, Experiment] = {
    "nuef-nonconvex": _nonconvex,
    "nuef-nonconvex-complexity": _nonconvex,
    "nuef-convex": _convex,
    "nuef-convex-complexity": _convex,
    "nuef-master": _master,
    "nuef-strongly-convex": _strongly_convex,
    "nuef-strongly-convex-complexity": _strongly_convex,
    "nuef-interpolation": _interpolation,
    "nuef-interpolation-simple": _interpolation,
    "nuef21-nonconvex": _ef21,
    "nuef21-pl": _ef21_pl,
    "nuef21-pl-simple": _ef21_pl,
    "nu-dcgd": _dcgd,
    "ef-onestep-convex": _one_step,
    "nuef-bounded-memory": _bounded_memory,
    "nuef-absolute": _absolute,
    "nuef-absolute-strongly-convex": _absolute,
}
