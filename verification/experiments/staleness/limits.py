"""Methods at the limits that no analysis can exceed, and what compression costs there (dossier 4.2, 4.10, 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from taciturn.solvers.compressors import RandK
from taciturn.solvers.delays import Constant, Hold
from taciturn.solvers.methods import Dense, StaleGradient, run
from taciturn.solvers.problems import quadratic_with_spectrum
from taciturn.solvers.second_moment import NoiseModel, second_moments
from taciturn.theory import theorem as statement
from taciturn.theory.theorem import Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment, worst
from ..settings import start
from .messages import independent, variance
from .problems import huber, largest_weighted, quadratics, shape
from .traces import patterns

__all__ = ["EXPERIMENTS"]

_PHI = (1 + 5**0.5) / 2


def _huber(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Run on the Huber function whose slope is the worst one for K iterations."""
    R = 3.0
    for step in (1.0, 0.3):
        guarantee = theorem.evaluate(L=1.0, step_size=step)
        for K in (1, 8, 40):
            problem = huber(R / ((K - 1) * step + 1))
            for pattern, trace in patterns(1, K, budget.seed).items():
                method = StaleGradient(Dense(), trace, step_size=step)
                made = replace(run(method, problem, K, np.array([R]), reference=False), minimum=0.0)
                average, bound = float(np.mean(made.gap[:K])), float(guarantee.bound(K, R**2))
                setting = f"K = {K}, step {step:g}/L, {pattern}"
                yield worst(setting, average, bound)
                yield worst(f"{setting}, the reverse", bound, average)


def _necessary(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Hold a model for tau + 1 iterations with rand-k, whose variance is the same at every vector: E|x|^2 stays."""
    stored, L = theorem.id.endswith("stored"), 2.0
    problem = quadratic_with_spectrum([L] * 6)
    for tau in (0, 1, 5, 20):
        trace = Hold(tau).trace(3 * (tau + 1), 1)
        used = trace.with_stored_messages() if stored else trace
        for compressor in (RandK(6), RandK(3), RandK(1)):
            limit = float(stated(theorem.evaluate(L=L, tau=tau, variance=variance(compressor, 6)).value))
            noise = NoiseModel.of(compressor, 6)
            distance = second_moments(problem, used, limit, noise, start(problem)).squared_distance
            setting = f"{compressor!r}, a model held for {tau + 1} iterations, thrice"
            yield worst(setting, distance[-1], distance[0])
            yield worst(f"{setting}, the reverse", distance[0], distance[-1])


def _free(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Guaranteed iterations at the free variance, and those really needed with the largest free compression."""
    for place, problem in quadratics().items():
        known, young = shape(problem), 1.0
        for tau in (0, 3, 20):
            A = known["L_hat"] * (1 + _PHI * tau) + 0.75 * known["mu"] * tau
            B = (1 + young) * largest_weighted(problem)
            free = float(stated(theorem.evaluate(base_complexity=A, noise_complexity=B).value))
            yield worst(f"promised iterations, tau = {tau}, {place}", A + B * free, 2 * A)
            # rand-k with k entries has the variance d/k - 1.
            compressor = RandK(int(np.ceil(problem.d / (1 + free) - 1e-9)))
            step = 1 / (A + B * variance(compressor, problem.d))
            messages = independent(problem, compressor, young)
            floor = statement("stale-sc").evaluate(**known, **messages.table, tau=tau, step_size=step).residual
            promised = 2 * A / known["mu"]
            trace = Constant(tau).trace(min(int(promised), 200), problem.workers)
            distance = second_moments(problem, trace, step, messages.noise, start(problem)).squared_distance
            k = np.arange(trace.iterations + 1)
            bound = np.exp(-k / promised) * distance[0] + floor
            yield worst(f"{compressor!r} at the free variance, constant delay {tau}, {place}", distance, bound)


def _accuracy(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Bits to an accuracy, by the bound on stale gradients, for every number of entries of every problem."""
    for place, problem in quadratics().items():
        known, d = shape(problem), problem.d
        B = 2 * largest_weighted(problem)
        for tau in (0, 3, 20):
            A = known["L_hat"] * (1 + _PHI * tau) + 0.75 * known["mu"] * tau
            for header in (0.0, 64.0, 4096.0):
                value = float(
                    stated(
                        theorem.evaluate(
                            base_complexity=A, noise_complexity=B, d=d, header=header, entry_bits=40.0
                        ).value
                    )
                )
                entries = np.append(np.linspace(1, d, 20 * (d - 1) + 1), value)
                complexity = A + B * (d / entries - 1)
                bits = complexity * (header + 40.0 * entries)
                setting = f"tau = {tau}, {header:g} bits of header, {place}"
                yield worst(setting, bits[-1] if 1 <= value <= d else np.inf, np.min(bits[:-1]))


EXPERIMENTS: Mapping[str, Experiment] = {
    "tight-huber": _huber,
    "stale-necessary": _necessary,
    "stale-necessary-stored": _necessary,
    "tradeoff-free-compression": _free,
    "optimal-accuracy": _accuracy,
}
