"""Steps that follow the delays of asynchronous servers, beside the statements of dossier 4.12 and 6.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from taciturn.solvers.compressors import RandK
from taciturn.solvers.delays import (
    Deterministic,
    Exponential,
    LogNormal,
    ParameterServer,
    Pareto,
    ShiftedExponential,
    Trace,
    Worker,
)
from taciturn.solvers.methods import (
    Capped,
    DelayFilter,
    Dense,
    FillWindow,
    OneOverDelay,
    Run,
    StaleGradient,
    StepRule,
    adaptive_steps,
    run,
)
from taciturn.solvers.second_moment import ExactMoments
from taciturn.theory.theorem import Theorem

from ...attacks.measures import agreement, stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment, worst
from ..settings import flat, rotated, start, text
from .measures import bounded
from .messages import independent
from .problems import alike, divided, mean_square, quadratics, shape, sigmoid
from .stale import moments
from .traces import patterns, seeds, server

__all__ = ["EXPERIMENTS"]

_STEPS = 60
_WORKERS = 5


def _delays(workers: int, seed: int) -> Mapping[str, Trace]:
    """Return some patterns and the delays of a server: what is read again is the same without noise."""
    chosen = ("no delay", "constant delay 5", "ramp 4", "uniform 4", "Pareto server")
    traces = patterns(workers, _STEPS, seed)
    return {name: traces[name] for name in chosen}


def _rules(budget: float) -> Mapping[str, StepRule]:
    """Return the rules that keep every window within a budget."""
    return {
        "rule 1": FillWindow(budget),
        "rule 1, c = 0.7": FillWindow(budget, 0.7),
        "rule 2": OneOverDelay(budget),
    }


def _weighted(setting: str, theorem: Theorem, known: Any, made: Run | ExactMoments, steps: Any) -> Comparison:
    """Compare the average with the weights gamma_k, after every iteration, with its bound."""
    steps = steps[: len(made.gap) - 1]  # a run ends where the gradient is zero
    k = np.arange(1, len(steps) + 1)
    means = {"mean_step": np.cumsum(steps) / k, "mean_square_step": np.cumsum(steps**2) / k}
    wanted = {name: means[name] for name in means if any(entry.name == name for entry in theorem.parameters)}
    return bounded(setting, theorem.evaluate(**known, **wanted), made, steps)


def _convex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    quiet = {"noise_slope": 0.0, "noise_floor": 0.0, "window_budget": np.nextafter(1.0, 0.0)}
    for seed in seeds(budget):
        for place, problem in {**quadratics(), "flat quadratic": flat(), "text": divided()}.items():
            L = shape(problem)["L_hat"]
            for pattern, trace in _delays(problem.workers, seed).items():
                for name, rule in _rules(1 / L).items():
                    steps = adaptive_steps(rule, trace.largest_delay)
                    method = StaleGradient(Dense(), trace, rule)
                    made = run(method, problem, _STEPS, start(problem))
                    known = {"L_hat": L, **quiet, "largest_step": float(np.max(steps))}
                    yield _weighted(f"{name}, {pattern}, {place}", theorem, known, made, steps)
        yield from _convex_with_noise(theorem, seed)


def _convex_with_noise(theorem: Theorem, seed: int) -> Iterator[Comparison]:
    """Compressed messages with half of the window, exactly: of workers that disagree, and of a server of equal ones."""
    h = 0.5
    several = [
        (place, problem, "Pareto server", patterns(problem.workers, _STEPS, seed)["Pareto server"])
        for place, problem in quadratics().items()
    ]
    same = alike(rotated(6, 20.0), _WORKERS)
    several.append(("equal workers", same, "asynchronous Pareto server", server(_WORKERS, _STEPS, "async", seed)))
    for place, problem, pattern, trace in several:
        compressor = RandK(max(problem.d // 2, 1))
        alone = trace.messages == trace.iterations  # one message in an update: nothing averages its noise
        messages = independent(problem, compressor, 1.0, problem.L if alone else None)
        limit = (1 - h) ** 2 / messages.slope
        steps = adaptive_steps(Capped(FillWindow(h / problem.L), limit), trace.largest_delay)
        made = moments(problem, messages, trace, steps)
        known = {"L_hat": problem.L, **messages.table, "window_budget": h, "largest_step": float(np.max(steps))}
        yield _weighted(f"{messages.name}, rule 1 capped, {pattern}, {place}", theorem, known, made, steps)


def _sc(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for seed in seeds(budget):
        for place, problem in {**quadratics(), "text": divided()}.items():
            known = shape(problem)
            h = float(stated(theorem.evaluate(**known, step_size=1e-3 / known["L_hat"]).value))
            for pattern, trace in _delays(problem.workers, seed).items():
                for name, rule in _rules(h / known["L_hat"]).items():
                    steps = adaptive_steps(rule, trace.largest_delay)
                    made = run(StaleGradient(Dense(), trace, rule), problem, _STEPS, start(problem))
                    yield _product(f"{name}, {pattern}, {place}", theorem, known, made, steps)


def _product(setting: str, theorem: Theorem, known: Any, made: Run, steps: Any) -> Comparison:
    """Compare squared distances with the product of the rates of the steps made."""
    steps = steps[: made.iterations]
    rates = np.ones(len(steps))
    moved = steps > 0
    rates[moved] = stated(theorem.evaluate(**known, step_size=steps[moved]).rate)
    assert made.squared_distance is not None
    initial = made.squared_distance[0]
    measured = np.where(made.squared_distance[1:] > 1e-8 * initial, made.squared_distance[1:], 0.0)
    return worst(setting, measured, np.cumprod(rates) * initial)


def _nonconvex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for seed in seeds(budget):
        for workers in (1, 4):
            problem = sigmoid(workers)
            smoothness = problem.L if workers == 1 else max(mean_square(problem), problem.L)
            for pattern, trace in _delays(workers, seed).items():
                for name, rule in _rules(1 / smoothness).items():
                    steps = adaptive_steps(rule, trace.largest_delay)
                    method = StaleGradient(Dense(), trace, rule)
                    made = run(method, problem, _STEPS, start(problem), reference=False)
                    setting = f"{name}, {pattern}, count of errors on text, {workers} workers"
                    known = {"L_stale": smoothness}
                    yield _weighted(setting, theorem, known, replace(made, minimum=0.0), steps)


def _filter(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for seed in seeds(budget):
        for n in (1, 2, _WORKERS, 20):
            for place, one in {"rotated quadratic": rotated(), "flat quadratic": flat(), "text": text()}.items():
                if place == "text" and n > _WORKERS:
                    continue  # the simulation evaluates all workers in every update
                problem = alike(one, n)
                guarantee = theorem.evaluate(L=problem.L, workers=n)
                rule = DelayFilter(float(stated(guarantee.step_size)), 2 * n - 1)
                trace = server(n, 5 * _STEPS, "async", seed)
                made = run(StaleGradient(Dense(), trace, rule), problem, trace.iterations, start(problem))
                accepted = (trace.largest_delay <= 2 * n - 1)[: made.iterations]
                setting = f"{n} workers, Pareto server, {place}"
                yield bounded(setting, guarantee, made, accepted)
                updates = np.arange(1, made.iterations + 1)
                yield worst(f"half of the messages, {setting}", updates / 2, np.cumsum(accepted))


def _budget(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Jobs under way at the end are counted with the iterations they have seen: then the mean is n - 1 exactly."""
    laws = (
        Deterministic(1.0), Exponential(1.0), ShiftedExponential(0.5, 0.5), Pareto(1.2, 1.0), LogNormal(1.0, 1.5)
    )  # fmt: skip
    for seed in seeds(budget):
        for n in (2, _WORKERS, 20):
            value = float(stated(theorem.evaluate(workers=n).value))
            for law in laws:
                trace = ParameterServer([Worker(law)] * n).trace(50 * _STEPS, 0.0, seed=seed)
                updates = np.arange(1, trace.iterations + 1)
                setting = f"{n} workers, {law!r}"
                yield worst(setting, np.cumsum(trace.message_delay) / updates, value)
                newest = np.zeros(n)
                newest[trace.worker] = trace.iteration + 1  # the last one counts
                total = np.sum(trace.message_delay) + np.sum(trace.iterations - newest)
                yield worst(f"{setting}, unfinished jobs included", agreement(total / trace.iterations, value), 1.0)


EXPERIMENTS: Mapping[str, Experiment] = {
    "delay-adaptive-convex": _convex,
    "delay-adaptive-sc": _sc,
    "delay-adaptive-nonconvex": _nonconvex,
    "delay-filter": _filter,
    "delay-budget": _budget,
}
