"""Stale compressed gradients, every message used once, beside the bounds of dossier 4.2–4.7 and 4.11."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from taciturn.solvers.adversaries import worst_delays
from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import Bernoulli, Compressor, Natural, RandK
from taciturn.solvers.delays import RampPlateau, Trace, window_count, window_norm
from taciturn.solvers.methods import Dense, Exact, Fixed, MiniBatch, Noisy, Oracle, StaleGradient, run
from taciturn.solvers.problems import Problem, Quadratic
from taciturn.solvers.second_moment import ExactMoments, second_moments
from taciturn.theory.theorem import Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment, sampled
from ..settings import flat, start
from .measures import bounded, bounded_means
from .messages import Messages, exact, independent, independent_noise, rows, samplers, variance
from .problems import (
    curvature,
    disagreement,
    divided,
    matrices,
    mean_square,
    quadratics,
    ridge,
    shape,
    sigmoid,
    steepest,
)
from .traces import patterns, seeds

__all__ = ["EXPERIMENTS", "moments"]

_STEPS = 40
_CHECKED = (1, 5, 20)


def moments(problem: Problem, messages: Messages, trace: Trace, step_size: Any) -> ExactMoments:
    """Return exact expectations along a trace, from the usual start."""
    return second_moments(
        problem,
        trace,
        step_size,
        messages.noise,
        start(problem),
        shared_coins=messages.shared_coins,
        shifted=messages.shifted,
    )


def _settings(budget: Budget, problems: Mapping[str, Problem]) -> Iterator[tuple[str, Problem, Messages, Trace]]:
    """Yield every problem with every trace, the rows of the noise table in turn; more random delays in a long run."""
    for seed in seeds(budget):
        for place, problem in problems.items():
            table = list(rows(problem))
            for i, (pattern, trace) in enumerate(patterns(problem.workers, _STEPS, seed).items()):
                for messages in (table[i % len(table)], table[(i + 1) % len(table)]):
                    yield f"{messages.name}, {pattern}, {place}", problem, messages, trace


def _convex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, messages, trace in _settings(budget, {**quadratics(), "flat quadratic": flat()}):
        guarantee = theorem.evaluate(L_hat=problem.L, **messages.table, tau=trace.max_delay)
        yield bounded(setting, guarantee, moments(problem, messages, trace, guarantee.step_size))
    yield from _on_text(theorem, budget, {"L_hat": divided().L})


def _sc(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, messages, trace in _settings(budget, quadratics()):
        guarantee = theorem.evaluate(**shape(problem), **messages.table, tau=trace.max_delay)
        yield bounded(setting, guarantee, moments(problem, messages, trace, guarantee.step_size))
    yield from _on_text(theorem, budget, shape(divided()))


def _on_text(theorem: Theorem, budget: Budget, known: Mapping[str, float]) -> Iterator[Comparison]:
    """Run compressors of every kind, and mini-batches, on logistic regression with a ramp of delays."""
    problem = divided()
    trace = RampPlateau(3).trace(max(_CHECKED), problem.workers)
    oracles: dict[str, tuple[Compressor, Oracle, int]] = {
        name: (compressor, Exact(), 4) for name, compressor in samplers(problem.d).items()
    }
    oracles["natural, mini-batches of 10 rows"] = Natural(), MiniBatch(10), 10
    oracles["natural, noisy gradients"] = Natural(), Noisy(_row_deviation(problem, 10)), 4
    for name, (compressor, oracle, fewer) in oracles.items():
        omega = variance(compressor, problem.d)
        table = independent_noise(problem, omega)
        if not isinstance(oracle, Exact):
            table["noise_floor"] += (1 + omega) * float(np.sum(problem.weights**2)) * _row_deviation(problem, 10) ** 2
        guarantee = theorem.evaluate(**known, **table, tau=trace.max_delay)
        method = StaleGradient(Fixed(compressor), trace, float(stated(guarantee.step_size)), oracle)
        x0 = start(problem, (max(budget.replicas // fewer, 2),))
        made = run(method, problem, trace.iterations, x0, budget.seed)
        yield from bounded_means(f"{name}, ramp 3, logistic regression on text", guarantee, made, _CHECKED)


def _row_deviation(problem: Any, size: int) -> float:
    """Bound the standard deviation of the mean gradient of rows drawn with replacement: slopes are at most 1."""
    squares = [float(np.mean(np.sum(block.features**2, axis=1))) for block in problem.blocks]
    return float(np.sqrt(max(squares) / size))


def _refined(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in quadratics().items():
        known = {"L_hat": problem.L, "mu": min(curvature(problem), problem.L)}
        largest = float(np.max(problem.weights)) * problem.L_max
        table = [exact(problem)] + [
            independent(problem, compressor, young, largest)
            for compressor, young in ((RandK(max(problem.d // 4, 1)), 1.0), (Bernoulli(problem.d / 2, "uniform"), 10.0))
        ]
        for pattern, trace in patterns(problem.workers, _STEPS, budget.seed).items():
            for messages in table:
                guarantee = theorem.evaluate(**known, **messages.table, tau=trace.max_delay)
                made = moments(problem, messages, trace, guarantee.step_size)
                yield bounded(f"{messages.name}, {pattern}, {place}", guarantee, made)


def _relative(problem: Problem, trace: Trace) -> Iterator[tuple[Messages, dict[str, float]]]:
    """Yield messages whose noise is at most omega |v|^2: none, or one mask for all workers."""
    common = problem.workers == 1 or bool((trace.delay == trace.delay[:, :1]).all())
    smoothness = problem.L if common else max(mean_square(problem), problem.L)
    compressor = RandK(max(problem.d // 4, 1))
    for messages, omega in (
        (exact(problem), 0.0),
        (replace(independent(problem, compressor, 1.0), shared_coins=True), variance(compressor, problem.d)),
    ):
        yield messages, {"L_stale": smoothness, "relative_noise": omega, "absolute_noise": 0.0, "tau": trace.max_delay}


def _nonconvex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in quadratics().items():
        for pattern, trace in patterns(problem.workers, _STEPS, budget.seed).items():
            for messages, known in _relative(problem, trace):
                guarantee = theorem.evaluate(**known)
                made = moments(problem, messages, trace, guarantee.step_size)
                setting = f"variance {known['relative_noise']:g}, {pattern}, {place}"
                yield bounded(setting, guarantee, made)
    yield from _count_of_errors(theorem, budget)


def _count_of_errors(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Run on the smooth count of errors, which is not convex; F and all f_i are between 0 and 1."""
    problem = sigmoid(4)
    for pattern, trace in patterns(problem.workers, max(_CHECKED), budget.seed).items():
        known = {"L_stale": max(mean_square(problem), problem.L), "relative_noise": 0.0, "tau": trace.max_delay}
        guarantee = theorem.evaluate(**known, absolute_noise=0.0)
        method = StaleGradient(Dense(), trace, step_size=float(stated(guarantee.step_size)))
        made = run(method, problem, trace.iterations, start(problem), reference=False)
        yield bounded(f"exact gradients, {pattern}, count of errors on text", guarantee, replace(made, minimum=0.0))
    trace = RampPlateau(3).trace(max(_CHECKED), problem.workers)
    for name, compressor in samplers(problem.d).items():
        noise = float(np.sqrt(variance(compressor, problem.d) * steepest(problem)))
        guarantee = theorem.evaluate(**{**known, "tau": 3}, absolute_noise=noise)
        method = StaleGradient(Fixed(compressor), trace, step_size=float(stated(guarantee.step_size)))
        x0 = start(problem, (max(budget.replicas // 4, 2),))
        made = run(method, problem, trace.iterations, x0, budget.seed, reference=False)
        setting = f"{name}, ramp 3, count of errors on text"
        yield from bounded_means(setting, guarantee, replace(made, minimum=0.0), _CHECKED)


def _pl(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    # The flat quadratic satisfies the PL inequality with its smallest positive curvature.
    problems = {place: (problem, min(problem.mu, problem.L)) for place, problem in quadratics().items()}
    for place, (problem, mu) in {**problems, "flat quadratic": (flat(), 0.05)}.items():
        for pattern, trace in patterns(problem.workers, _STEPS, budget.seed).items():
            for messages, known in _relative(problem, trace):
                guarantee = theorem.evaluate(**known, mu=mu * (1 - 1e-12))
                made = moments(problem, messages, trace, guarantee.step_size)
                yield bounded(f"variance {known['relative_noise']:g}, {pattern}, {place}", guarantee, made)


def _hetero(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in quadratics().items():
        relative, absolute = _dissimilarity(problem)
        for compressor in (RandK(max(problem.d // 4, 1)), Bernoulli(0.9 * problem.d, "uniform")):
            known = {
                "L_Q": mean_square(problem),
                "variance": variance(compressor, problem.d),
                "relative_dissimilarity": relative,
                "absolute_dissimilarity": absolute,
                "largest_weight": float(np.max(problem.weights)),
            }
            for pattern, trace in patterns(problem.workers, _STEPS, budget.seed).items():
                guarantee = theorem.evaluate(**known, tau=trace.max_delay)
                made = moments(problem, independent(problem, compressor, 1.0), trace, guarantee.step_size)
                yield bounded(f"{compressor!r}, {pattern}, {place}", guarantee, made)


def _dissimilarity(problem: Quadratic) -> tuple[float, float]:
    """Return B and zeta_0 with sum_i p_i^2 |grad f_i|^2 <= B^2 |grad F|^2 + zeta_0^2 for all x, of quadratics.

    |H_i r + h_i|^2 <= 2 |H_i r|^2 + 2 |h_i|^2, or |H_i r|^2 where all h_i are 0; r is H^(-1) grad F.
    """
    hessians = matrices(problem)
    inverse = np.linalg.inv(np.tensordot(problem.weights, hessians, axes=1))
    squares = np.einsum("i,ijk,ikl->jl", problem.weights**2, hessians, hessians)
    largest = float(np.linalg.eigvalsh(inverse @ squares @ inverse)[-1]) * (1 + 1e-10)
    factor = 1 if disagreement(problem) <= 1e-20 else 2
    return float(np.sqrt(factor * largest)), float(np.sqrt(2 * disagreement(problem)))


def _pattern_aware(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, messages, trace in _settings(budget, {**quadratics(), "flat quadratic": flat()}):
        known = {"window_norm": window_norm(trace.delay).upper, "window_count": window_count(trace.delay)}
        guarantee = theorem.evaluate(L_hat=problem.L, **messages.table, **known)
        yield bounded(setting, guarantee, moments(problem, messages, trace, guarantee.step_size))


def _second_moment(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    curved = any(entry.name == "mu" for entry in theorem.parameters)
    for setting, problem, messages, trace in _settings(budget, quadratics()):
        known = _second(problem, messages.table, curved)
        guarantee = theorem.evaluate(**known, tau=trace.max_delay)
        yield bounded(setting, guarantee, moments(problem, messages, trace, guarantee.step_size))
    for place, problem in {"ridge regression on text": ridge(), "logistic regression on text": divided()}.items():
        for name, compressor in samplers(problem.d).items():
            table = independent_noise(problem, variance(compressor, problem.d))
            guarantee = theorem.evaluate(**_second(problem, table, curved), tau=3)
            step, replicas = float(stated(guarantee.step_size)), budget.replicas // (1 if problem.d < 100 else 8)
            points = _chased(problem, Fixed(compressor), step, 3, start(problem, (max(replicas, 2),)), budget.seed)
            initial = float(np.sum((start(problem) - problem.minimiser) ** 2))
            for k in _CHECKED:
                if curved:
                    draws = np.sum((points[k] - problem.minimiser) ** 2, axis=-1)
                else:
                    draws = np.mean(problem.objective(points[:k]) - problem.minimum, axis=0)
                setting = f"{name}, delays that react to the noise, {place}, k = {k}"
                yield sampled(setting, draws, float(guarantee.bound(k, initial)))


def _second(problem: Problem, table: Mapping[str, float], curved: bool) -> dict[str, float]:
    """Return the parameters of E|G|^2 <= 2 A D + N: A = L_hat + B_0, N = N_0."""
    known = shape(problem) if curved else {"L_hat": shape(problem)["L_hat"]}
    slope = known["L_hat"] + table["noise_slope"]
    return {**known, "second_moment_slope": slope, "second_moment_floor": table["noise_floor"]}


def _chased(problem: Problem, sender: Fixed, step: float, tau: int, x: Any, seed: int) -> Any:
    """Return the points (K + 1, R, d) of runs whose delays an adversary chooses, knowing all coins so far."""
    rng, recent, points = Stream(seed), list[Any](), [x]
    for _ in range(max(_CHECKED)):
        recent = [problem.worker_gradients(x), *recent[:tau]]
        ages = np.stack(recent)
        chosen = worst_delays(ages, x - problem.minimiser)
        stale = np.take_along_axis(ages, chosen[None, ..., None], axis=0)[0]
        x = x - step * problem.average(sender.send(stale, problem.weights, rng).vectors)
        points.append(x)
    return np.stack(points)


def _maxrec(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The second moment of independent messages with theta = 1: P = 2 (1 + omega) n sum p_i^2 L_i^2, R likewise."""
    for place, problem in quadratics().items():
        compressor = Bernoulli(problem.d / 2, "uniform")
        factor = 2 * (1 + variance(compressor, problem.d)) * problem.workers
        known = {
            "mu": min(problem.mu, mean_square(problem)),
            "L_stale": mean_square(problem),
            "max_slope": factor * float(problem.weights**2 @ problem.L_i**2),
            "max_floor": factor * disagreement(problem),
        }
        for pattern, trace in patterns(problem.workers, _STEPS, budget.seed).items():
            guarantee = theorem.evaluate(**known, tau=trace.max_delay)
            made = moments(problem, independent(problem, compressor, 1.0), trace, guarantee.step_size)
            yield bounded(f"{compressor!r}, {pattern}, {place}", guarantee, made)


EXPERIMENTS: Mapping[str, Experiment] = {
    "stale-convex": _convex,
    "stale-sc": _sc,
    "stale-sc-refined": _refined,
    "stale-nonconvex": _nonconvex,
    "stale-pl": _pl,
    "stale-nonconvex-hetero": _hetero,
    "stale-second-moment-convex": _second_moment,
    "stale-second-moment": _second_moment,
    "stale-pattern-aware": _pattern_aware,
    "stale-maxrec": _maxrec,
}
