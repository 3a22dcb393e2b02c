"""Runs of several workers and of error feedback beside the bounds of dossier 5.10–5.12 and 8."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from taciturn.solvers.compressors import Bernoulli, TopK
from taciturn.solvers.methods import CAT, EF21, CompressedGradient, CoordinatedCAT, ErrorFeedback, Fixed, Run, run
from taciturn.solvers.problems import Problem, quadratic
from taciturn.theory.communication import AffineCost
from taciturn.theory.theorem import Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment, sampled, worst
from ..settings import BITS, several, start, strongly_convex
from .one_node import decreases, known

__all__ = ["EXPERIMENTS"]

_STEPS = 60
_RECORD = {"x": lambda state: state.x, "gradients": lambda state: state.gradients}


def _counter(made: Run) -> Any:
    return np.arange(1, made.iterations + 1)


def _squared(made: Run) -> Any:
    """Return |g_i|^2 at every point, shape (K + 1, n)."""
    return np.sum(made.recorded["gradients"] ** 2, axis=-1)


def _mn_descent(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in several().items():
        step_size = float(stated(theorem.evaluate(L=problem.L).step_size))
        for name, sender in (("local CAT-S", CAT("S", BITS)), ("local CAT-S+Q", CAT("S+Q", BITS))):
            method = CompressedGradient(sender, step_size=step_size)
            made = run(method, problem, _STEPS, start(problem), record=_RECORD)
            unsent = (1 - made.coefficient) * _squared(made)[:-1] @ problem.weights
            promised = (made.squared_gradient_norm[:-1] - unsent) / (2 * problem.L)
            decrease, counted = decreases(made)
            # The right-hand side may be negative: both sides are lifted by the same scale.
            scale = _squared(made)[:-1] @ problem.weights / (2 * problem.L)
            yield worst(f"{name}, {place}", promised + scale, decrease + scale, counted)


def _mn_divergence(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    v = np.array([[-3.0, 2.0, 2.0], [2.0, -3.0, 2.0], [2.0, 2.0, -3.0]])
    hessians = 2 * v[:, :, None] * v[:, None, :] + 0.5 * np.eye(3)
    problem = quadratic(hessians, np.zeros((3, 3)))
    for step_size in (0.001, 0.1, 1.0):
        method = CompressedGradient(CAT("S", AffineCost(c0=0.4, c1=1)), step_size=step_size)
        made = run(method, problem, 20, np.ones(3), record=_RECORD)
        distance = np.linalg.norm(made.recorded["x"], axis=1)
        bound = theorem.evaluate(step_size=step_size).bound(_counter(made), distance[0])
        setting = f"local CAT-S on the example of Beznosikov et al., step {step_size}"
        yield worst(setting, distance[1:], bound)
        yield worst(f"{setting}, the reverse", bound, distance[1:])


def _mn_neighbourhood(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in several().items():
        for T in (problem.d // 2, 3 * problem.d // 4):
            method = CompressedGradient(Fixed(TopK(T)), step_size=1 / problem.L)
            made = run(method, problem, _STEPS, start(problem), record=_RECORD)
            alpha, total = float(np.min(made.coefficient)), _squared(made) @ problem.weights
            for relative in (0.1, 0.9):
                G = 1 + relative * (1 / (1 - alpha) - 1)
                B = math.sqrt(max(float(np.max(total - G * made.squared_gradient_norm)), 0.0))
                guarantee = theorem.evaluate(
                    L=problem.L, mu=problem.mu, alpha_min=alpha, dissimilarity=G, heterogeneity=B
                )
                bound = guarantee.bound(_counter(made), made.gap[0])
                yield worst(f"top-{T}, {place}, G = {G:.3g}", made.gap[1:], bound, known(problem, made)[1:])


def _mn_ss(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in several().items():
        T = problem.d // 4
        nu, p = problem.d / T - 1, problem.weights
        at_minimiser = np.sum(problem.worker_gradients(problem.minimiser) ** 2, axis=1)
        guarantee = theorem.evaluate(
            L=problem.L,
            mu=problem.mu,
            noise_smoothness=float(np.max(p * nu * problem.L_i)),
            noise_at_optimum=float(np.sum(p**2 * nu * at_minimiser)),
        )
        replicas = budget.replicas if problem.d < 100 else max(budget.replicas // 4, 2)
        for name, sampler in (("uniform", Bernoulli(T, "uniform")), ("optimal", Bernoulli(T))):
            method = CompressedGradient(Fixed(sampler), step_size=float(stated(guarantee.step_size)))
            made = run(method, problem, 30, start(problem, (replicas,)), budget.seed)
            assert made.squared_distance is not None
            for k in (1, 5, 30):
                bound = guarantee.bound(k, made.squared_distance[0, 0])
                yield sampled(f"{name} coins, T = {T}, {place}, k = {k}", made.squared_distance[k], bound)


def _mn_price(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in several().items():
        points = {}
        for name, sender in (("local", CAT("S", BITS)), ("coordinated", CoordinatedCAT(BITS))):
            points[name] = run(CompressedGradient(sender, step_size=1 / problem.L), problem, 1, start(problem))
        squares = np.sum(problem.worker_gradients(start(problem)) ** 2, axis=1) * problem.weights
        local, joint = (float(np.sum(made.coefficient[0] * squares) / np.sum(made.cost[0])) for made in points.values())
        own = points["local"].coefficient[0] * squares / points["local"].cost[0]
        value = theorem.evaluate(smallest_efficiency=float(own.min()), largest_efficiency=float(own.max())).value
        yield worst(f"local against coordinated CAT-S, {place}", float(stated(value)) * joint, local)
        yield worst(f"local against coordinated CAT-S, {place}, the reverse", local, joint)


def _ef14(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in strongly_convex().items():
        for smallest in (problem.d // 4, problem.d // 2):
            guarantee = theorem.evaluate(L=problem.L, delta=smallest / problem.d)
            method = ErrorFeedback(CAT("S", BITS, smallest), step_size=float(stated(guarantee.step_size)))
            made = run(method, problem, _STEPS, start(problem))
            average = np.cumsum(made.squared_gradient_norm[:-1]) / _counter(made)
            yield worst(f"CAT-S, T >= {smallest}, {place}", average, guarantee.bound(_counter(made), made.gap[0]))


def _estimates(theorem: Theorem, pl: bool) -> Iterator[tuple[str, Problem, Run, Any, Any]]:
    """Run EF21 with CAT; yield the setting, the problem, the run, the guarantee and sum_i p_i |G_i - g_i|^2."""
    for place, problem in several().items():
        for smallest in (problem.d // 4, problem.d // 2):
            constants = {
                "L": problem.L,
                "L_tilde": math.sqrt(float(problem.weights @ problem.L_i**2)),
                "delta": smallest / problem.d,
                **({"mu": problem.mu} if pl else {}),
            }
            guarantee = theorem.evaluate(**constants)
            method = EF21(CAT("S", BITS, smallest), step_size=float(stated(guarantee.step_size)))
            record = {**_RECORD, "memory": lambda state: state.memory}
            made = run(method, problem, _STEPS, start(problem), record=record)
            errors = np.sum((made.recorded["memory"] - made.recorded["gradients"]) ** 2, axis=-1) @ problem.weights
            theta = 1 - math.sqrt(1 - smallest / problem.d)
            weighted = float(stated(guarantee.step_size)) / theta * errors
            yield f"CAT-S, T >= {smallest}, {place}", problem, made, guarantee, weighted


def _ef21(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, _, made, guarantee, weighted in _estimates(theorem, pl=False):
        average = np.cumsum(made.squared_gradient_norm[:-1]) / _counter(made)
        yield worst(setting, average, guarantee.bound(_counter(made), made.gap[0] + weighted[0] / 2))


def _ef21_pl(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, problem, made, guarantee, weighted in _estimates(theorem, pl=True):
        potential = made.gap + weighted
        bound = guarantee.bound(_counter(made), potential[0])
        yield worst(setting, potential[1:], bound, known(problem, made)[1:])


EXPERIMENTS: Mapping[str, Experiment] = {
    "mn-descent": _mn_descent,
    "mn-divergence": _mn_divergence,
    "mn-neighbourhood": _mn_neighbourhood,
    "mn-ss": _mn_ss,
    "mn-price": _mn_price,
    "ef14-cat": _ef14,
    "ef21-cat": _ef21,
    "ef21-cat-pl": _ef21_pl,
}
