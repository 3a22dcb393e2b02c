"""The lemmas on real runs: single steps, windows, Bregman distances and sequences (dossier 3.1, 3.2, 4.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import RandK
from taciturn.solvers.delays import Trace
from taciturn.solvers.methods import Dense, Fixed, StaleGradient, run
from taciturn.solvers.problems import LinearModel
from taciturn.theory.stale_steps import inverse_powers
from taciturn.theory.theorem import Theorem

from ...attacks.measures import stated
from ...attacks.staleness.lemmas import three_point
from ...evidence import Budget
from ..comparison import Comparison, Experiment, sampled, worst
from ..settings import rotated, start, text
from .messages import rows, samplers, variance
from .problems import disagreement, divided, largest_weighted, quadratics
from .stale import moments
from .traces import patterns

__all__ = ["EXPERIMENTS"]

_STEPS = 40


@dataclass(frozen=True)
class _Iteration:
    """What is known in one iteration of a stale run on several workers, seen from the minimiser."""

    x: Any
    """r_k, shape (d,)."""

    y: Any
    """Where the workers computed, shape (n, d)."""

    gradients: Any
    """g_i^k, shape (n, d)."""

    differences: Any
    """g_i^k - h_i, shape (n, d)."""

    bregman: Any
    """D_{f_i}(x*, y_i^k), shape (n,)."""

    gap: float
    """F(x_k) - F*."""


@cache
def _history(seed: int) -> tuple[LinearModel, Trace, float, list[_Iteration]]:
    """Return logistic regression on the text, and a stale run with exact gradients and delays that vary."""
    problem = divided()
    trace = patterns(problem.workers, _STEPS, seed)["uniform 4"]
    step = 1 / (problem.L * (1 + trace.max_delay))
    method = StaleGradient(Dense(), trace, step_size=step)
    made = run(method, problem, _STEPS, start(problem), record={"x": lambda state: state.x})
    points, minimiser = made.recorded["x"], problem.minimiser
    at_best, h = problem.local_values_and_gradients(np.broadcast_to(minimiser, (problem.workers, problem.d)))
    iterations = []
    for k in range(_STEPS):
        y = points[k - trace.delay[k]]
        values, gradients = problem.local_values_and_gradients(y)
        bregman = at_best - values - np.sum(gradients * (minimiser - y), axis=1)
        iterations.append(
            _Iteration(points[k] - minimiser, y - minimiser, gradients, gradients - h, bregman, float(made.gap[k]))
        )
    return problem, trace, step, iterations


def _three_point(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem, _, _, iterations = _history(budget.seed)
    points = np.stack([iteration.x for iteration in iterations]) + problem.minimiser
    x, y, z = points[:-2], points[1:-1], points[2:]
    one = text()
    difference = three_point(one.objective, one.gradient, x, y, z)
    scale = np.abs(one.objective(x)) + np.abs(one.objective(z))
    setting = "consecutive points, logistic regression on text: 1 + difference of both sides / values"
    yield worst(setting, 1 + difference / scale, 1.0)


def _cocoercive(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem, _, _, iterations = _history(budget.seed)
    p, L_i = problem.weights, problem.L_i
    w = np.stack([iteration.differences for iteration in iterations])
    D = 2 * np.stack([iteration.bregman for iteration in iterations]) @ p
    squares = np.sum(w**2, axis=2)
    yield worst("mean difference, logistic regression on text", np.sum((p @ w) ** 2, axis=1), problem.L * D)
    yield worst("squares, logistic regression on text", squares @ p**2, largest_weighted(problem) * D)
    yield worst("relative squares, logistic regression on text", squares @ (p / L_i), D)


def _one_step(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The next squared distance, without compression and over the coins of one step."""
    problem, _, step, iterations = _history(budget.seed)
    p, L_i = problem.weights, problem.L_i
    senders = {"exact gradients": None, **samplers(problem.d)}
    for name, compressor in senders.items():
        for k in (0, 5, _STEPS - 1):
            now = iterations[k]
            v = p @ now.gradients
            moved = step * float(p * L_i @ np.sum((now.x - now.y) ** 2, axis=1))
            bound = np.sum(now.x**2) - 2 * step * (now.gap + float(p @ now.bregman)) + moved + step**2 * np.sum(v**2)
            setting = f"{name}, k = {k}, logistic regression on text"
            if compressor is None:
                yield worst(setting, np.sum((now.x - step * v) ** 2), bound)
                continue
            errors = compressor.declared_moments(now.gradients).error * np.sum(now.gradients**2, axis=1)
            copies = np.broadcast_to(now.gradients, (budget.replicas, *now.gradients.shape))
            sent = Fixed(compressor).send(copies, p, Stream([budget.seed, k])).vectors
            draws = np.sum((now.x - step * problem.average(sent)) ** 2, axis=1)
            yield sampled(setting, draws, bound + step**2 * float(p**2 @ errors))


def _read(points: Any, trace: Trace, k: int) -> Any:
    """Return the models that iteration k uses, shape (R, n, d), of points (K + 1, R, d)."""
    return np.stack([points[k - delay] for delay in trace.delay[k]], axis=-2)


def _window(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """How far the models have moved, over replicas of compressed runs: 1 - slack in units of the right-hand side."""
    problem = divided()
    weights = problem.weights * problem.L_i  # the matrices of smoothness are L_i I, so that L_hat is their sum
    replicas, k = max(budget.replicas // 8, 2), _STEPS - 1
    for pattern in ("constant delay 5", "uniform 4"):
        trace = patterns(problem.workers, _STEPS, budget.seed)[pattern]
        tau = trace.max_delay
        step = 0.2 / (problem.L * (1 + tau))
        for name, compressor in {"exact gradients": None, **samplers(problem.d)}.items():
            method = StaleGradient(Dense() if compressor is None else Fixed(compressor), trace, step)
            x0 = start(problem, (replicas,))
            points = run(method, problem, _STEPS, x0, budget.seed, record={"x": lambda state: state.x}).recorded["x"]
            recent = range(k - tau, k)
            v = np.stack([problem.average(problem.local_gradients(_read(points, trace, j))) for j in recent])
            xi = (points[k - tau : k] - points[k - tau + 1 : k + 1]) / step - v
            left = np.sum((points[k][:, None] - _read(points, trace, k)) ** 2, axis=2) @ weights
            squares, noise = (np.sum(vectors**2, axis=(0, 2)) for vectors in (v, xi))
            for c in (0.01, 1.0):
                right = step**2 * np.sum(weights) * ((1 + c) * tau * squares + (1 + 1 / c) * noise)
                setting = f"{name}, c = {c:g}, {pattern}, logistic regression on text"
                yield sampled(setting, 1 - (right - left) / np.mean(right), 1.0)


def _sequences(budget: Budget) -> Iterator[tuple[str, Any, Any, Trace, float]]:
    """Yield exact V_k = E|r_k|^2 and W_k = 2 step E D_k of compressed runs on one node, with the trace and 1 - step mu.

    The workers' points are earlier iterates, so D_k is the gap of one of them.
    """
    for place, problem in {
        "rotated quadratic": rotated(6, 20.0),
        "equal curvatures": quadratics()["equal curvatures"],
    }.items():
        for messages in rows(problem):
            for pattern, trace in patterns(1, _STEPS, budget.seed).items():
                step = 0.5 / (problem.L * (1 + 2 * trace.max_delay) + messages.slope)
                made = moments(problem, messages, trace, step)
                bregman = made.gap[np.arange(_STEPS) - trace.delay[:, 0]]
                setting = f"{messages.name}, {pattern}, {place}"
                yield setting, made.squared_distance, 2 * step * bregman, trace, 1 - step * problem.mu


def _absorption(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The smallest r with which the run satisfies the recursion; then the conclusion."""
    for setting, V, W, trace, rho in _sequences(budget):
        tau = trace.max_delay
        for p in (0.5, 0.01):
            q = p / float(inverse_powers(rho, tau)) if tau else 0.0
            window = np.array([np.sum(W[max(k - tau, 0) : k]) for k in range(_STEPS)])
            r = max(float(np.max(V[1:] - rho * V[:-1] + p * W - q * window)), 0.0)
            k = np.arange(1, _STEPS + 1)
            yield worst(f"{setting}, p = {p:g}", V[1:], rho**k * V[0] + r * (1 - rho**k) / (1 - rho))


def _max_recursion(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The smallest r with which the run satisfies the recursion; then the conclusion."""
    for setting, V, _, trace, rho in _sequences(budget):
        m = trace.max_delay
        window = np.array([np.max(V[max(k - m, 0) : k + 1]) for k in range(_STEPS)])
        for a, q in ((rho**2, 0.0), (0.5 * rho, 0.5 * rho**2), (0.0, rho)):
            r = max(float(np.max(V[1:] - a * V[:-1] - q * window)), 0.0)
            guarantee = theorem.evaluate(current_weight=a, window_weight=q, window=m)
            bound = guarantee.bound(np.arange(1, _STEPS + 1), float(V[0])) + r / (1 - a - q)
            yield worst(f"{setting}, a = {a:.3g}, q = {q:.3g}", V[1:], bound)


def _noise_table(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The noise of every compressor along a stale run, over its coins, and of rand-k exactly at the minimiser."""
    problem, _, _, iterations = _history(budget.seed)
    p, E, Lambda = problem.weights, disagreement(problem), largest_weighted(problem)
    known = {"Lambda": Lambda, "optimum_gradients": E}
    for name, compressor in samplers(problem.d).items():
        for young in (0.3, 3.0):
            guarantee = theorem.evaluate(**known, variance=variance(compressor, problem.d), young=young)
            for k in (0, _STEPS - 1):
                now = iterations[k]
                bound = 2 * stated(guarantee.value) * (p @ now.bregman) + stated(guarantee.residual)
                copies = np.broadcast_to(now.gradients, (budget.replicas, *now.gradients.shape))
                sent = Fixed(compressor).send(copies, p, Stream([budget.seed, k])).vectors
                draws = np.sum(problem.average(sent - copies) ** 2, axis=1)
                yield sampled(f"{name}, theta = {young:g}, k = {k}, logistic regression on text", draws, float(bound))
    compressor = RandK(problem.d // 4)
    omega = variance(compressor, problem.d)
    guarantee = theorem.evaluate(**known, variance=omega, young=100.0)
    yield worst(f"{compressor!r}, theta = 100, at the minimiser", omega * E, stated(guarantee.residual))
    one = quadratics()["equal curvatures"]
    gap = float(one.objective(start(one))) - one.minimum
    alone = theorem.evaluate(variance=3.0, young=1e-3, Lambda=one.L, optimum_gradients=0.0)
    squares = float(np.sum(one.gradient(start(one)) ** 2))
    yield worst("rand-k, theta = 0.001, one node of equal curvatures", 3 * squares, 2 * stated(alone.value) * gap)


EXPERIMENTS: Mapping[str, Experiment] = {
    "lemma-three-point": _three_point,
    "lemma-cocoercive-matrix": _cocoercive,
    "stale-onestep": _one_step,
    "stale-window": _window,
    "lemma-absorption": _absorption,
    "lemma-max-recursion": _max_recursion,
    "noise-table": _noise_table,
}
