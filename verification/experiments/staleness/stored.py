"""Messages that are stored and used again, and biased ones, beside the bounds of dossier 4.8 and 4.9."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from taciturn.solvers.compressors import HardThreshold, RandK
from taciturn.solvers.delays import RampPlateau, RoundRobin, Trace
from taciturn.solvers.methods import Fixed, StaleGradient, run
from taciturn.solvers.problems import Problem
from taciturn.theory.theorem import Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment
from ..settings import flat, start
from .measures import bounded, bounded_means
from .messages import independent, independent_noise, samplers, variance
from .problems import divided, quadratics, shape
from .stale import moments
from .traces import patterns, server, server_delays

__all__ = ["EXPERIMENTS"]

_STEPS = 40
_CHECKED = (1, 5, 20)


def _traces(workers: int, seed: int) -> Mapping[str, Trace]:
    """Return traces in which messages are kept: the patterns, round robin, and a server that works so."""
    kept = {name: trace.with_stored_messages() for name, trace in patterns(workers, _STEPS, seed).items()}
    if workers == 1:
        return kept
    return {
        **kept,
        "round robin": RoundRobin().trace(_STEPS, workers),
        "Pareto server": server(workers, _STEPS, "aggregated", seed),
    }


def _stored(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    curved = any(entry.name == "mu" for entry in theorem.parameters)
    problems: dict[str, Problem] = {**quadratics()} if curved else {**quadratics(), "flat quadratic": flat()}
    for place, problem in problems.items():
        known = shape(problem) if curved else {"L_hat": problem.L}
        few, half = RandK(max(problem.d // 4, 1)), RandK(max(problem.d // 2, 1))
        table = [independent(problem, few, 1.0), independent(problem, half, 10.0)]
        for pattern, trace in _traces(problem.workers, budget.seed).items():
            for messages in table:
                guarantee = theorem.evaluate(**known, **messages.table, tau=trace.max_delay)
                made = moments(problem, messages, trace, guarantee.step_size)
                yield bounded(f"{messages.name}, {pattern}, {place}", guarantee, made)
    yield from _on_text(theorem, budget, shape(divided()) if curved else {"L_hat": divided().L})


def _on_text(theorem: Theorem, budget: Budget, known: Mapping[str, float]) -> Iterator[Comparison]:
    problem = divided()
    for pattern, trace in {
        "round robin": RoundRobin().trace(max(_CHECKED), problem.workers),
        "Pareto server": server(problem.workers, max(_CHECKED), "aggregated", budget.seed),
    }.items():
        for name, compressor in samplers(problem.d).items():
            table = independent_noise(problem, variance(compressor, problem.d))
            guarantee = theorem.evaluate(**known, **table, tau=trace.max_delay)
            method = StaleGradient(Fixed(compressor), trace, step_size=float(stated(guarantee.step_size)))
            x0 = start(problem, (max(budget.replicas // 8, 2),))
            made = run(method, problem, trace.iterations, x0, budget.seed)
            yield from bounded_means(f"{name}, {pattern}, logistic regression on text", guarantee, made, _CHECKED)


def _absolute(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Run hard thresholds of several sizes, from far and from the neighbourhood of the minimiser."""
    names = ("ridge regression on text", "three different quadratics", "steep and flat")
    problems: dict[str, Problem] = {name: quadratics()[name] for name in names}
    for place, problem in {**problems, "logistic regression on text": divided()}.items():
        scale = float(np.max(np.abs(problem.worker_gradients(start(problem)))))
        for share in (1e-6, 0.05, 0.5):
            for far in (1.0, 1e-3):
                x0 = problem.minimiser + far * (start(problem) - problem.minimiser)
                setting = f"threshold {share:g} of the largest entry, {place}, start x {far:g}"
                yield from _thresholded(setting, theorem, problem, share * scale, x0, budget)
    # No entry ever reaches the threshold: the error stays as large as it can be.
    problem = quadratics()["equal curvatures"]
    stuck = problem.minimiser + 0.999 / problem.mu
    yield from _thresholded("nothing is sent, equal curvatures", theorem, problem, 1.0, stuck, budget)


def _thresholded(
    setting: str, theorem: Theorem, problem: Problem, threshold: float, x0: Any, budget: Budget
) -> Iterator[Comparison]:
    compressor = HardThreshold(threshold)
    error = compressor.guarantee(problem.d).error
    ramp = RampPlateau(4).trace(2 * _STEPS, problem.workers)
    delays = server_delays(problem.workers, 2 * _STEPS, budget.seed)
    traces = {"ramp 4": ramp, "ramp 4, stored": ramp.with_stored_messages(), "Pareto server": delays}
    for pattern, trace in traces.items():
        guarantee = theorem.evaluate(**shape(problem), absolute_error=error, tau=trace.max_delay)
        method = StaleGradient(Fixed(compressor), trace, step_size=float(stated(guarantee.step_size)))
        yield bounded(f"{setting}, {pattern}", guarantee, run(method, problem, trace.iterations, x0))


EXPERIMENTS: Mapping[str, Experiment] = {
    "stale-stored-convex": _stored,
    "stale-stored-sc": _stored,
    "stale-absolute": _absolute,
}
