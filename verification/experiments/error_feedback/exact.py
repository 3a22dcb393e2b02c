"""The methods on the quadratics that attain the exact rates and the step nobody may exceed (dossier 3.6, 3.11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from taciturn.solvers.compressors import TopK
from taciturn.solvers.methods import CompressedGradient, Fixed, run
from taciturn.solvers.problems import quadratic
from taciturn.theory.memory_constants import memory_constants
from taciturn.theory.theorem import Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment, worst
from ..settings import diagonal, rotated, start
from .problems import Scaling, alone, feedback, shared, volumes

__all__ = ["EXPERIMENTS"]

_DELTA = 0.75
_S = 0.5


def _feedback_potential(made: Any) -> Any:
    """V of `ef-tight`, shape (K + 1,)."""
    step, p = made.step_size, volumes(made.problem)
    away = (made.run.recorded["x"] - np.asarray(made.problem.minimiser))[:, None]
    apart = np.sum((away - step * made.memory) ** 2, axis=-1) @ p
    return apart + step**2 / _S * np.sum(made.mean_memory**2, axis=-1)


def _gradient_potential(made: Any) -> Any:
    """V of `ef-ef21-isomorphism`, after the first step, shape (K + 1,)."""
    gradients = made.run.recorded["gradients"]
    potential = np.sum(gradients**2, axis=(1, 2)) + np.sum(made.squared_errors, axis=1) / _S
    return potential[1:]


def _tight(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """One step beside the rate; and the rate that sets in, for the compressor and the curvature that attain it."""
    ef21 = theorem.id == "ef-ef21-isomorphism"
    problem, potential = alone(), _gradient_potential if ef21 else _feedback_potential
    limit = 2 / problem.L * (1 - _S) / (1 + _S)
    for share in (0.4, 1 / 1.1, 0.97):
        step = share * limit
        guarantee = theorem.evaluate(L_max=problem.L, mu=problem.mu, delta=_DELTA, step_size=step)
        rate = float(stated(guarantee.rate))
        for left in (_S, -_S):
            made = feedback(problem, step, sender=Scaling((left,)), ef21=ef21, steps=500)
            V = potential(made)
            yield worst(f"C(v) = {1 - left:g} v, step {step:.3g}", V[1:], rate * V[:-1], V[1:] > 1e-200)
        # Overshooting: 20 steps once the slowest mode is all that is left.
        decayed = V[-1] / V[-21]
        yield worst(f"20 late steps with C(v) = 1.5 v, step {step:.3g}, the reverse", rate**20 * (1 - 1e-6), decayed)
    if not ef21:
        together, step = shared(), 0.5 * limit
        mu, L = (extreme([np.linalg.eigvalsh(H) for H in together.hessians]) for extreme in (np.min, np.max))
        rate = float(stated(theorem.evaluate(L_max=L, mu=mu, delta=_DELTA, step_size=step / L).rate))
        for kept in ((_S,) * 3, (-_S, _S, -_S)):
            V = potential(feedback(together, step / L, sender=Scaling(kept)))
            yield worst(f"three workers that keep {kept} back", V[1:], rate * V[:-1])


def _memoryless(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for place, problem in {"rotated quadratic": rotated(), "diagonal quadratic": diagonal()}.items():
        for k in (problem.d // 4, problem.d // 2):
            guarantee = theorem.evaluate(L=problem.L, mu=problem.mu, delta=k / problem.d)
            method = CompressedGradient(Fixed(TopK(k)), step_size=float(stated(guarantee.step_size)))
            made = run(method, problem, 60, start(problem))
            bound = guarantee.bound(np.arange(1, 61), made.gap[0])
            yield worst(f"top-{k}, {place}", made.gap[1:], bound, made.gap[1:] > 1e-10 * made.gap[0])
    one = alone()
    guarantee = theorem.evaluate(L=one.L, mu=one.mu, delta=_DELTA)
    for left, x0 in ((_S, [1.0, 0.0, 0.0]), (-_S, [0.0, 0.0, 1.0])):
        method = CompressedGradient(Scaling((left,)), step_size=float(stated(guarantee.step_size)))
        gap, bound = run(method, one, 3, np.array(x0)).gap, guarantee.bound(np.arange(1, 4), 1.0)
        setting = f"C(v) = {1 - left:g} v along an axis"
        yield worst(setting, gap[1:] / gap[0], bound)
        yield worst(f"{setting}, the reverse", bound * (1 - 1e-9), gap[1:] / gap[0])


def _step_limit(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Runs at 0.97 of the limit shrink, runs at 1.03 of it grow, whatever the volumes."""
    ratios, curvatures = np.array([0.4, 0.2, 0.1]), np.array([1.0, 0.5, 2.0])
    for p in ((1 / 3, 1 / 3, 1 / 3), (0.6, 0.3, 0.1), (0.98, 0.01, 0.01)):
        known = memory_constants(p, ratios, smoothness=curvatures)
        limit = float(
            stated(
                theorem.evaluate(mean_smoothness=known.mean_smoothness, memory_smoothness=known.memory_smoothness).value
            )
        )
        problem = quadratic(curvatures[:, None], np.zeros((3, 1)), p)
        sender = Scaling(tuple(-np.sqrt(1 - ratios)))
        for ef21, name in ((False, "EF"), (True, "EF21")):
            sizes = {}
            for share in (0.97, 1.03):
                made = feedback(problem, share * limit, sender=sender, ef21=ef21, steps=400)
                size = np.abs(made.run.recorded["x"][:, 0]) + np.max(np.abs(made.memory[..., 0]), axis=1)
                sizes[share] = np.log(size[[200, 400]])
            volumes_of = " : ".join(f"{share:.2g}" for share in p)
            # Factors of 200 late steps.
            yield worst(f"{name} at 0.97 of the limit, {volumes_of}", np.exp(sizes[0.97][1] - sizes[0.97][0]), 1.0)
            yield worst(f"{name} at 1.03 of the limit, {volumes_of}", np.exp(sizes[1.03][0] - sizes[1.03][1]), 1.0)


EXPERIMENTS: Mapping[str, Experiment] = {
    "ef-tight": _tight,
    "ef-ef21-isomorphism": _tight,
    "memoryless-tight": _memoryless,
    "step-limit": _step_limit,
}
