"""Compressed gradients without delay, D-CGD, beside the bounds of dossier 3.3–3.8."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from taciturn.solvers.compressors import Bernoulli, RandK
from taciturn.solvers.delays import Constant
from taciturn.solvers.methods import CompressedGradient, Fixed, run
from taciturn.solvers.problems import Problem, Quadratic, quadratic
from taciturn.solvers.second_moment import ExactMoments, second_moments
from taciturn.theory.theorem import Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment, sampled, worst
from ..settings import flat, start
from .measures import bounded, bounded_means
from .messages import Messages, any_law, exact, independent, independent_noise, rows, samplers, variance
from .problems import curvature, disagreement, divided, largest_weighted, quadratics, sigmoid, steepest

__all__ = ["EXPERIMENTS"]

_STEPS = 60
_CHECKED = (1, 5, 20)
_YOUNG = (0.3, 3.0, 100.0)
_SHORTER = (1.0, 0.3)
"""Step sizes in units of the longest that the theorem allows."""


def _moments(problem: Problem, messages: Messages, step_size: Any, iterations: int = _STEPS) -> ExactMoments:
    trace = Constant(0).trace(iterations, problem.workers)
    return second_moments(
        problem,
        trace,
        float(step_size),
        messages.noise,
        start(problem),
        shared_coins=messages.shared_coins,
        shifted=messages.shifted,
    )


def _replicas(problem: Problem, budget: Budget) -> Any:
    """Return starts for as many runs as the size of the problem allows."""
    return start(problem, (budget.replicas if problem.d < 100 else max(budget.replicas // 4, 2),))


def _sampled(
    problem: Problem, step_sizes: Mapping[str, float], budget: Budget, reference: bool = True
) -> Iterator[Any]:
    """Run compressors whose moments are not linear, each with its step size; yield the name and the run."""
    for name, compressor in samplers(problem.d).items():
        method = CompressedGradient(Fixed(compressor), step_size=step_sizes[name])
        x0 = _replicas(problem, budget)
        yield name, run(method, problem, max(_CHECKED), x0, budget.seed, reference=reference)


def _published(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in quadratics().items():
        known = {"mu": problem.mu, "Lambda": largest_weighted(problem), "sparsity_sigma": problem.workers}
        for young in _YOUNG:
            compressor = RandK(max(problem.d // 4, 1))
            guarantee = theorem.evaluate(
                **known,
                variance=variance(compressor, problem.d),
                young=young,
                optimum_gradients=disagreement(problem),
            )
            messages = independent(problem, compressor, young)
            made = _moments(problem, messages, guarantee.step_size)
            yield bounded(f"{compressor!r}, theta = {young:g}, {place}", guarantee, made)


def _sc(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in quadratics().items():
        for messages in rows(problem):
            for shorter in _SHORTER:
                L, mu = problem.L, min(problem.mu, problem.L)
                step = shorter / (L + messages.slope)
                guarantee = theorem.evaluate(L=L, mu=mu, **messages.table, step_size=step)
                made = _moments(problem, messages, step)
                yield bounded(f"{messages.name}, {place}, step {shorter:g}/M", guarantee, made)
    yield from _sc_on_text(theorem, budget)


def _sc_on_text(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem = divided()
    guarantees = {
        name: theorem.evaluate(
            L=problem.L, mu=problem.mu, **independent_noise(problem, variance(compressor, problem.d))
        )
        for name, compressor in samplers(problem.d).items()
    }
    steps = {name: float(stated(guarantee.step_size)) for name, guarantee in guarantees.items()}
    for name, made in _sampled(problem, steps, budget):
        yield from bounded_means(f"{name}, logistic regression on text", guarantees[name], made, _CHECKED)


def _sc_tight(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problems: dict[str, tuple[Quadratic, float]] = {name: (entry, entry.L) for name, entry in quadratics().items()}
    # Nothing is steeper than mu, though L = 1 is all that is known: the worst case.
    problems["equal curvatures, L not known"] = (quadratics()["equal curvatures"], 1.0)
    for place, (problem, L) in problems.items():
        for young in _YOUNG:
            compressor = RandK(max(problem.d // 4, 1))
            guarantee = theorem.evaluate(**_each(problem, L, compressor, young))
            made = _moments(problem, independent(problem, compressor, young), guarantee.step_size)
            yield bounded(f"{compressor!r}, theta = {young:g}, {place}", guarantee, made)
    # Short steps and a long Young parameter leave nothing of the bound on the floor unused.
    problem, compressor = quadratic(np.full((3, 2), 0.1), [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]), RandK(1)
    known = _each(problem, problem.L, compressor, 100.0)
    step = 0.02 * float(stated(theorem.evaluate(**known).step_size))
    guarantee = theorem.evaluate(**known, step_size=step)
    made = _moments(problem, independent(problem, compressor, 100.0), step, 8000)
    yield bounded(f"{compressor!r}, theta = 100, three centres, equal curvatures", guarantee, made)


def _each(problem: Quadratic, L: float, compressor: RandK, young: float) -> dict[str, float]:
    """Return the parameters of workers that are all strongly convex."""
    return {
        "L": L,
        "mu": min(curvature(problem), L),
        "L_max": max(problem.L_max, L),
        "variance": variance(compressor, problem.d),
        "young": young,
        "optimum_gradients": disagreement(problem),
        "largest_weight": float(np.max(problem.weights)),
        "sum_square_weights": float(min(np.sum(problem.weights**2), np.max(problem.weights))),
    }


def _convex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problems = {**quadratics(), "flat quadratic": flat()}
    for place, problem in problems.items():
        for messages in rows(problem):
            for shorter in _SHORTER:
                step = shorter / (problem.L + messages.slope)
                guarantee = theorem.evaluate(L=problem.L, **messages.table, step_size=step)
                made = _moments(problem, messages, step)
                yield bounded(f"{messages.name}, {place}, step {shorter:g}/M", guarantee, made)


def _nonconvex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in quadratics().items():
        compressor = RandK(max(problem.d // 4, 1))
        messages = replace(independent(problem, compressor, 1.0), shared_coins=True)
        for noise, relative in ((messages, variance(compressor, problem.d)), (exact(problem), 0.0)):
            guarantee = theorem.evaluate(L=problem.L, relative_noise=relative, absolute_noise=0.0)
            made = _moments(problem, noise, guarantee.step_size)
            yield bounded(f"one mask for all, variance {relative:g}, {place}", guarantee, made)
    yield from _count_of_errors(theorem, budget)


def _count_of_errors(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for workers in (1, 4):
        problem = sigmoid(workers)
        guarantees = {}
        for name, compressor in samplers(problem.d).items():
            omega = variance(compressor, problem.d)
            relative, absolute = (omega, 0.0) if workers == 1 else (0.0, float(np.sqrt(omega * steepest(problem))))
            guarantees[name] = theorem.evaluate(L=problem.L, relative_noise=relative, absolute_noise=absolute)
        steps = {name: float(stated(guarantee.step_size)) for name, guarantee in guarantees.items()}
        for name, made in _sampled(problem, steps, budget, reference=False):
            setting = f"{name}, count of errors on text, {workers} workers"
            # F is not negative: no gap is larger than F itself.
            yield from bounded_means(setting, guarantees[name], replace(made, minimum=0.0), _CHECKED)


def _abc(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in quadratics().items():
        compressor = RandK(max(problem.d // 4, 1))
        A = variance(compressor, problem.d) * largest_weighted(problem)
        for horizon in (5, _STEPS):
            step = 1 / (problem.L * max(1.0, np.sqrt(A * horizon / problem.L)))
            guarantee = theorem.evaluate(
                L=problem.L, step_size=step, noise_strength=A, dissimilarity_inf=problem.minimum
            )
            made = _moments(problem, independent(problem, compressor, 1.0), step)
            smallest = np.minimum.accumulate(made.squared_gradient_norm[:-1])
            bound = guarantee.bound(np.arange(1, _STEPS + 1), float(made.gap[0]))
            yield worst(f"{compressor!r}, {place}, step for {horizon} iterations", smallest, bound)
    yield from _abc_on_text(theorem, budget)


def _abc_on_text(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem = sigmoid(4)
    A = {name: variance(entry, problem.d) * largest_weighted(problem) for name, entry in samplers(problem.d).items()}
    steps = {name: 1 / float(np.sqrt(problem.L * max(problem.L, a * max(_CHECKED)))) for name, a in A.items()}
    for name, made in _sampled(problem, steps, budget, reference=False):
        # F and all f_i are not negative, and F_inf is at most F at the start.
        initial = float(made.value[0, 0])
        guarantee = theorem.evaluate(
            L=problem.L, step_size=steps[name], noise_strength=A[name], dissimilarity_inf=initial
        )
        for k in _CHECKED:
            squares = made.squared_gradient_norm[:k]
            smallest = squares[int(np.argmin(np.mean(squares, axis=1)))]
            setting = f"{name}, count of errors on text, k = {k}"
            yield sampled(setting, smallest, float(guarantee.bound(k, initial)))


def _select(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The constants of real problems, every entry of whose gradients may belong to every worker: sigma = n."""
    problems: dict[str, Problem] = {**quadratics(), "logistic regression on text": divided()}
    for place, problem in problems.items():
        Lambda, sigma = largest_weighted(problem), problem.workers
        for young in _YOUNG:
            for T in (1, problem.d // 2):
                omega = variance(Bernoulli(T, "uniform"), problem.d)
                value = stated(theorem.evaluate(variance=omega, young=young, Lambda=Lambda, sparsity_sigma=sigma).value)
                published = (1 + omega) * (1 + young) * sigma * Lambda
                here = problem.L + omega * (1 + young) * sigma * Lambda
                setting = f"T = {T}, theta = {young:g}, {place}"
                yield worst(f"the gain over the published form, {setting}", value * here, published)
                better = independent(problem, Bernoulli(T, "uniform"), young).slope
                yield worst(
                    f"independent coins against any joint law, {setting}",
                    better,
                    any_law(problem, Bernoulli(T, "uniform"), young).slope,
                )


EXPERIMENTS: Mapping[str, Experiment] = {
    "dcgd-published": _published,
    "dcgd-sc": _sc,
    "dcgd-sc-tight": _sc_tight,
    "dcgd-convex": _convex,
    "dcgd-nonconvex": _nonconvex,
    "dcgd-nc-abc": _abc,
    "dcgd-select": _select,
}
