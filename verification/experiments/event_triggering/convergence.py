"""Runs of both updates beside the bounds of their convergence (dossier 4.2, 4.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from taciturn.solvers.array import Stream
from taciturn.solvers.decentralised import (
    Constant,
    DecentralisedRun,
    DifferenceNorm,
    EventTriggeredGradient,
    Forced,
    NormDifference,
    Sparsified,
    Trigger,
)
from taciturn.solvers.problems import Quadratic, quadratic
from taciturn.theory.theorem import Guarantee, Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ..comparison import Comparison, Experiment, worst
from .problems import WORKERS, Setting, alike, distances, run, safe, settings, settled, shifted

__all__ = ["EXPERIMENTS"]

_C = 0.05
_DIGITS = 1e-9
"""Distances below this share of the first one are rounding: fixed points are known to about 1e-12."""


def _bounded(setting: str, measured: Any, guarantee: Guarantee) -> Comparison:
    """Compare after every iteration k >= 1, from the first value."""
    k = np.arange(1, len(measured))
    bound = guarantee.bound(k, max(float(measured[0]), 1e-300))
    return worst(setting, np.where(measured[1:] > _DIGITS * measured[0], measured[1:], 0.0), bound)


def _largest_step(of: Setting) -> float:
    return (1 + of.figures.lambda_n) / (of.L + of.mu) * (1 - 1e-12)


def _strongly_convex(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for of in settings():
        gamma = _largest_step(of)
        point = settled(of, gamma)
        for name, trigger in safe(_C).items():
            guarantee = theorem.evaluate(
                L=of.L, mu=of.mu, lambda_n=of.figures.lambda_n, step_size=gamma, mixing_pull=of.figures.mixing_pull,
                trigger_threshold=_C, gradient_noise=0.0, workers=WORKERS,
            )  # fmt: skip
            yield _bounded(f"{of.name}, {name}", distances(run(of, trigger, gamma), point), guarantee)


def _posterior(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Runs without any bound beforehand: norms, latency, sparsified messages."""
    runs: Mapping[str, tuple[Trigger, dict[str, Any]]] = {
        "norm difference": (NormDifference(Constant(_C)), {}),
        "norm difference, latency 3": (NormDifference(Constant(_C)), {"latency": 3}),
        "a tenth of the entries": (DifferenceNorm(Constant(_C)), {"content": Sparsified(0.1)}),
    }
    for of in settings():
        gamma = _largest_step(of)
        point = settled(of, gamma)
        for name, (trigger, parts) in runs.items():
            made = run(of, trigger, gamma, **parts)
            guarantee = theorem.evaluate(
                L=of.L, mu=of.mu, lambda_n=of.figures.lambda_n, step_size=gamma, measured_error=float(made.error.max())
            )
            measured = distances(made, point)
            yield _bounded(f"{of.name}, {name}", measured, guarantee)
            bound = [measured[0]]
            for error in made.error:
                bound.append(float(np.asarray(guarantee.rate)) * bound[-1] + error)
            yield worst(f"{of.name}, {name}, sum of the errors", measured[1:], np.array(bound[1:]) + _DIGITS)


def _bias(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for of in settings():
        for share in (1.0, 0.1) if isinstance(of.problem, Quadratic) else (1.0,):
            gamma = share * _largest_step(of)
            point = settled(of, gamma)
            value = theorem.evaluate(
                L=of.L, mu=of.mu, lambda_2=of.figures.lambda_2, step_size=gamma,
                optimum_dissimilarity=of.optimum_dissimilarity,
            ).value  # fmt: skip
            measured = np.linalg.norm(point - of.problem.minimiser) / np.sqrt(WORKERS)
            yield worst(f"{of.name}, step {gamma:.3g}", measured, stated(value))


def _stuck(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The safe trigger on one variable, from just below its critical start."""
    for of in alike():
        w, mu = of.figures.self_weight, 0.5
        gamma = 0.3 * w / mu
        problem = quadratic(np.full((WORKERS, 1), mu), np.zeros((WORKERS, 1)))
        on_a_line = Setting(of.name, problem, mu, mu, of.W)
        start = (1 - 1e-8) * _C * (1 - w + gamma * mu) / (gamma * mu)
        made = run(on_a_line, DifferenceNorm(Constant(_C)), gamma, iterations=120, x0=np.array([start]))
        value = theorem.evaluate(mu=mu, self_weight=w, step_size=gamma, trigger_threshold=_C).value
        yield worst(f"{of.name}: stated distance", stated(value), abs(made.recorded["points"][-1, 0, 0]))
        yield worst(f"{of.name}: events after the first iteration", 1.0 + np.sum(made.events[1:]), 1.0)


def _updates(of: Setting, gamma: float) -> Iterator[tuple[str, float, DecentralisedRun]]:
    for name, trigger in safe(_C).items():
        for update in ("published", "average-preserving"):
            pull = of.figures.pull if update == "published" else 0.0
            yield f"{of.name}, {update}, {name}", pull, run(of, trigger, gamma, update=update)


def _half_gap(of: Setting) -> float:
    return of.figures.spectral_gap / (2 * of.L)


def _mean(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for of in settings():
        gamma = _half_gap(of)
        for name, pull, made in _updates(of, gamma):
            V = float(np.max(made.disagreement))
            guarantee = theorem.evaluate(
                L=of.L, mu=of.mu, step_size=gamma, pull=pull, trigger_threshold=_C, disagreement=V, gradient_noise=0.0,
                workers=WORKERS,
            )  # fmt: skip
            averages = made.recorded["points"].mean(axis=1)
            yield _bounded(name, np.linalg.norm(averages - of.problem.minimiser, axis=1), guarantee)


def _on_average(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Means over the iterations of what the theorem bounds: gaps after every step, or squared gradients before it."""
    for of in settings():
        gamma = _half_gap(of)
        for name, pull, made in _updates(of, gamma):
            k = np.arange(1, made.iterations + 1)
            gap = made.value - of.problem.minimum
            is_gap = theorem.goal == "objective_gap"
            measured = np.cumsum(gap[1:] if is_gap else made.squared_gradient_norm[:-1]) / k
            distance = np.sum((made.recorded["points"][0].mean(axis=0) - of.problem.minimiser) ** 2)
            guarantee = theorem.evaluate(
                L=of.L, step_size=gamma, pull=pull, trigger_threshold=_C,
                disagreement=np.cumsum(made.disagreement[:-1]) / k, gradient_noise=0.0, workers=WORKERS,
            )  # fmt: skip
            yield worst(name, measured, guarantee.bound(k, float(distance if is_gap else gap[0])))


def _disagreement(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Same Hessian, different minimisers; either bound of the disagreement."""
    for of in shifted():
        figures, gamma = of.figures, _half_gap(of)
        gradients = of.problem.worker_gradients(of.problem.minimiser)
        dissimilarity = float(np.sqrt(np.mean(np.sum(gradients**2, axis=1))))
        for name, pull, made in _updates(of, gamma):
            shared = {
                "L": of.L, "step_size": gamma, "trigger_threshold": _C, "uniform_dissimilarity": dissimilarity,
                "gradient_noise": 0.0,
            }  # fmt: skip
            if theorem.id == "consensus":
                gain = figures.mixing_pull / np.sqrt(WORKERS) if pull else figures.mixing_strength
                value = theorem.evaluate(**shared, mixing_rate=figures.mixing_rate, disagreement_gain=gain).value
            elif pull:
                continue  # stated for the update that preserves the average
            else:
                value = theorem.evaluate(
                    **shared, spectral_gap=figures.spectral_gap, gossip_sum=figures.gossip_sum
                ).value
            yield worst(name, np.sqrt(made.disagreement), stated(value))


def _preserving(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for of in (*(of for of in settings() if isinstance(of.problem, Quadratic)), *shifted()):
        kappa = of.L / of.mu
        gamma = of.figures.spectral_gap / (2 * of.L * (kappa + 1)) * (1 - 1e-12)
        point = settled(of, gamma)
        guarantee = theorem.evaluate(
            L=of.L, mu=of.mu, spectral_gap=of.figures.spectral_gap, step_size=gamma,
            mixing_strength=of.figures.mixing_strength, trigger_threshold=_C, workers=WORKERS,
        )  # fmt: skip
        made = run(of, DifferenceNorm(Constant(_C)), gamma, update="average-preserving")
        delta = made.recorded["points"] - point
        mean = delta.mean(axis=1, keepdims=True)
        average = np.sqrt(WORKERS) * np.linalg.norm(mean[:, 0], axis=1)
        apart = np.linalg.norm(delta - mean, axis=(1, 2))
        yield _bounded(of.name, np.maximum(average / (2 * kappa), apart), guarantee)


def _decreasing(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Step sizes and thresholds that decay together."""
    scale = 0.5
    for of in shifted():
        figures = of.figures
        gradients = of.problem.worker_gradients(of.problem.minimiser)
        dissimilarity = float(np.sqrt(np.mean(np.sum(gradients**2, axis=1))))
        first = np.ceil(max(8 * of.L / (of.mu * figures.spectral_gap), 4 / figures.spectral_gap, 2))
        value = theorem.evaluate(
            spectral_gap=figures.spectral_gap, mixing_strength=figures.mixing_strength, threshold_scale=scale,
            uniform_dissimilarity=dissimilarity, gradient_noise=0.0,
        ).value  # fmt: skip
        state, ratios, rng = None, [], Stream(0)
        for k in range(200):
            gamma = float(2 / (of.mu * (k + first)))
            method = EventTriggeredGradient(of.W, DifferenceNorm(Constant(scale * gamma)), gamma, "average-preserving")
            state = method.init(of.problem, of.start) if state is None else state
            ratios.append(np.sqrt(state.disagreement) / gamma)
            state = method.step(of.problem, state, rng)
        yield worst(of.name, ratios, stated(value))


def _contraction(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Pairs of points of every worker."""
    rng = np.random.default_rng(3)
    for of in settings():
        gamma = 2 / (of.L + of.mu)
        rate = float(np.asarray(theorem.evaluate(L=of.L, mu=of.mu, step_size=gamma).rate))
        x, y = (rng.standard_normal((WORKERS, of.problem.d)) for _ in range(2))
        change = of.problem.local_gradients(x) - of.problem.local_gradients(y)
        moved = np.linalg.norm(x - y - gamma * change, axis=1)
        yield worst(of.name, moved, rate * np.linalg.norm(x - y, axis=1))


def _oracle(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """What every step of a run leaves and costs, beside what it starts from."""
    del theorem
    for of in settings():
        gamma = 1 / of.L
        made = run(of, DifferenceNorm(Constant(_C)), gamma, iterations=30)
        points, copies = made.recorded["points"], made.recorded["in_use"]
        off = of.dense - np.diag(np.diag(of.dense))
        means, least = points.mean(axis=1), of.problem.minimiser
        parts = []
        for k in range(made.iterations):
            e = (off @ (copies[k + 1] - points[k])).mean(axis=0)
            step = -gamma * of.problem.local_gradients(points[k]).mean(axis=0) + e
            gap = made.value[k + 1] - of.problem.minimum
            left = 2 * gamma * gap + np.sum((means[k + 1] - least) ** 2)
            spent = (1 - gamma * of.L) * np.sum(step**2) - 2 * e @ (means[k + 1] - least)
            whole = (1 - gamma * of.mu) * np.sum((means[k] - least) ** 2)
            parts.append((left + spent, whole + gamma * (of.L - of.mu) * made.disagreement[k]))
        measured, bound = np.array(parts).T
        yield worst(of.name, measured, bound)


def _drift(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """How far the average moves besides the mean gradient; the update that preserves it not at all."""
    for of in settings():
        gamma = _half_gap(of)
        for name, pull, made in _updates(of, gamma):
            points = made.recorded["points"]
            means = points.mean(axis=1)
            slopes = np.stack([of.problem.local_gradients(X).mean(axis=0) for X in points[:-1]])
            drift = np.linalg.norm(means[1:] - means[:-1] + gamma * slopes, axis=1)
            value = float(np.asarray(theorem.evaluate(pull=pull, trigger_threshold=_C).value))
            yield worst(name, drift, value + 1e-12 * float(np.max(np.abs(points))))


def _forced(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Triggers that would never fire, forced to; late messages besides."""
    for of in settings():
        w = of.figures.self_weight
        gamma = 2 * w / (of.L + of.mu) * (1 - 1e-12)
        point = settled(of, gamma)
        for every, latency in ((1, 0), (4, 0), (3, 2)):
            guarantee = theorem.evaluate(
                L=of.L, mu=of.mu, self_weight=w, step_size=gamma, tau=every - 1 + latency, acts_within=1
            )
            trigger = Forced(NormDifference(Constant(1e9)), every)
            made = run(of, trigger, gamma, latency=latency)
            measured = np.max(np.linalg.norm(made.recorded["points"] - point, axis=2), axis=1)
            yield _bounded(f"{of.name}, every {every}, latency {latency}", measured, guarantee)


EXPERIMENTS: Mapping[str, Experiment] = {
    "mean-drift": _drift,
    "gd-contraction": _contraction,
    "mean-oracle-step": _oracle,
    "consensus": _disagreement,
    "gossip-sum": _disagreement,
    "eg-sc": _strongly_convex,
    "ev-posterior": _posterior,
    "dgd-bias": _bias,
    "eg-stuck": _stuck,
    "ev-sc-mean": _mean,
    "ev-convex": _on_average,
    "ev-nonconvex": _on_average,
    "ap-sc": _preserving,
    "ap-decreasing": _decreasing,
    "bounded-delay": _forced,
}
