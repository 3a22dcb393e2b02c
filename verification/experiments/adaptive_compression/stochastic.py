"""Replicated runs of stochastic sparsification beside the bounds of dossier 3 and 5.7."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from taciturn.solvers.compressors import Bernoulli, SystematicSampling
from taciturn.solvers.methods import CAT, CompressedGradient, Fixed, Run, run
from taciturn.solvers.problems import Problem
from taciturn.theory.communication import AffineCost
from taciturn.theory.theorem import Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment, sampled
from ..settings import flat, rotated, start

__all__ = ["EXPERIMENTS", "stopped_runs"]

_CHECKED = (1, 5, 20)
_SAMPLERS = {
    "uniform coins": Bernoulli(5, "uniform"),
    "optimal coins": Bernoulli(5),
    "fixed size": SystematicSampling(5),
}


def _replicated(problem: Problem, budget: Budget, iterations: int = max(_CHECKED)) -> Iterator[tuple[str, Run]]:
    """Run every sampler from one start, all replicas at once."""
    x0 = start(problem, (budget.replicas,))
    for name, sampler in _SAMPLERS.items():
        record = {"x": lambda state: state.x}
        yield (
            f"{name}, T = 5 of {problem.d}",
            run(CompressedGradient(Fixed(sampler)), problem, iterations, x0, budget.seed, record=record),
        )


def _gaps(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem = rotated()
    guarantee = theorem.evaluate(L=problem.L, mu=problem.mu, omega=5 / problem.d)
    for setting, made in _replicated(problem, budget):
        for k in _CHECKED:
            yield sampled(f"{setting}, k = {k}", made.gap[k], guarantee.bound(k, made.gap[0, 0]))


def _ss_pl_rate(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    yield from _gaps(theorem, budget)
    for setting, eps, gaps, _, _ in stopped_runs(budget):
        yield sampled(f"{setting}, stopping rule", gaps, eps)


def _ss_moments(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    g = np.broadcast_to(rotated().gradient(start(rotated())), (budget.replicas, 20))
    for name, sampler in _SAMPLERS.items():
        made = run(CompressedGradient(Fixed(sampler)), rotated(), 1, start(rotated(), (budget.replicas,)), budget.seed)
        assert made.state.sent is not None
        omega = float(made.coefficient[0, 0, 0])
        errors = np.sum((made.state.sent.vectors[:, 0] - g) ** 2, axis=1) / np.sum(g**2, axis=1)
        yield sampled(name, errors, stated(theorem.evaluate(omega=omega).value))


def _ss_descent(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem = rotated()
    for setting, made in _replicated(problem, budget, 1):
        omega = float(made.coefficient[0, 0, 0])
        promised = stated(theorem.evaluate(L=problem.L, omega=omega).decrease)
        before = float(made.gap[0, 0])
        bound = before - float(promised) * float(made.squared_gradient_norm[0, 0]) / (2 * problem.L)
        yield sampled(setting, made.gap[1], bound)


def _ss_distance(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem = rotated()
    guarantee = theorem.evaluate(L=problem.L, mu=problem.mu, omega=5 / problem.d, relative_step=1 / problem.L)
    for setting, made in _replicated(problem, budget):
        assert made.squared_distance is not None
        for k in _CHECKED:
            bound = guarantee.bound(k, made.squared_distance[0, 0])
            yield sampled(f"{setting}, k = {k}", made.squared_distance[k], bound)


def _ss_convex_rate(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem = flat()
    guarantee = theorem.evaluate(L=problem.L, omega=5 / problem.d)
    for setting, made in _replicated(problem, budget):
        assert made.squared_distance is not None
        omega = made.coefficient[:, :, 0]
        for k in _CHECKED:
            weights = omega[:k] / np.sum(omega[:k], axis=0)
            average = np.sum(weights[..., None] * made.recorded["x"][:k], axis=0)
            gaps = problem.objective(average) - problem.minimum
            yield sampled(f"{setting}, k = {k}", gaps, guarantee.bound(k, made.squared_distance[0, 0]))


def _ss_nonconvex_rate(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem = rotated()
    guarantee = theorem.evaluate(L=problem.L, omega=5 / problem.d)
    for setting, made in _replicated(problem, budget):
        for k in _CHECKED:
            squares = made.squared_gradient_norm[:k]
            smallest = int(np.argmin(np.mean(squares, axis=1)))
            yield sampled(f"{setting}, k = {k}", squares[smallest], guarantee.bound(k, made.gap[0, 0]))


def stopped_runs(budget: Budget) -> Iterator[tuple[str, float, Any, Any, float]]:
    """Run CAT-SS until the sum of omega_k reaches kappa ln(gap_0/eps).

    Yields
    ------
    setting, eps, gaps, bits, smallest efficiency
        Gaps at the stopping time and expected bits until then, one for every replica, and the smallest expected
        efficiency of a message in all of them.
    """
    problem, cost = rotated(10, 4.0), AffineCost(c0=32, c1=36)
    x0 = start(problem, (max(budget.replicas // 2, 2),))  # every message is tuned by itself: the slowest runs of all
    made = run(CompressedGradient(CAT("SS", cost)), problem, 25, x0, budget.seed)
    omega, gap_0 = made.coefficient[..., 0], float(made.gap[0, 0])
    total = np.cumsum(omega, axis=0)
    prices = cost(made.sparsity[..., 0])  # of the expected number of entries: the expected bits
    for accuracy in (0.5, 0.1):
        needed = problem.condition_number * np.log(1 / accuracy)
        if not np.all(total[-1] >= needed):
            raise ArithmeticError("the runs are too short for the stopping rule")
        N = np.argmax(total >= needed, axis=0) + 1
        before = np.arange(len(omega))[:, None] < N
        bits = np.sum(np.where(before, prices, 0.0), axis=0)
        efficiency = float(np.min(np.where(before, omega / prices, np.inf)))
        gaps = np.take_along_axis(made.gap, N[None], axis=0)[0]
        yield f"CAT-SS, rotated quadratic, eps = {accuracy:g} of the gap", accuracy * gap_0, gaps, bits, efficiency


def _cat_ss_bits(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    problem = rotated(10, 4.0)
    gap_0 = float(problem.objective(start(problem))) - problem.minimum
    for setting, eps, gaps, bits, efficiency in stopped_runs(budget):
        guarantee = theorem.evaluate(L=problem.L, mu=problem.mu, efficiency=efficiency)
        yield sampled(f"{setting}, bits", bits, guarantee.bits(eps, gap_0))
        yield sampled(f"{setting}, gap", gaps, eps)


EXPERIMENTS: Mapping[str, Experiment] = {
    "ss-moments": _ss_moments,
    "ss-descent": _ss_descent,
    "ss-pl-rate": _ss_pl_rate,
    "ss-distance-exact": _ss_distance,
    "ss-convex-rate": _ss_convex_rate,
    "ss-sc-exact": _gaps,
    "ss-nonconvex-rate": _ss_nonconvex_rate,
    "cat-ss-bits": _cat_ss_bits,
}
