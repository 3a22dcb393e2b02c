"""Ratios and thresholds on the text and on real runs beside the statements about them (dossier 3.7–3.10, 3.12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from taciturn.solvers.compressors import TopK
from taciturn.solvers.methods import Fixed, PerWorkerTopK
from taciturn.solvers.ratios import (
    assign_counts,
    best_budget,
    best_round_time,
    predicted_gain,
    rational_gap,
    waterfill,
)
from taciturn.solvers.thresholds import L1Rule, ThresholdController, common_level, profile_thresholds
from taciturn.theory import theorem as statement
from taciturn.theory.memory_constants import memory_cost
from taciturn.theory.theorem import Theorem

from ..attacks.measures import stated
from ..attacks.ratio_assignment.thresholds import traffic
from ..evidence import Budget
from .comparison import Comparison, Experiment, worst
from .error_feedback.problems import constants, feedback, places, volumes
from .settings import text_gradients

__all__ = ["EXPERIMENTS", "NOT_APPLICABLE"]

_WORKERS, _POWERS, _BUDGETS = 50, (0.0, 1.0, 2.0, 3.0), (0.05, 1.0, 5.0)
_RATIOS = (0.01, 0.1, 0.5)


def _shares(power: float, workers: int = _WORKERS) -> Any:
    """Volumes in proportion to i^(-power)."""
    volumes = np.arange(1, workers + 1) ** -power
    return volumes / volumes.sum()


def _volumes() -> Iterator[tuple[str, Any, float]]:
    """Power laws of 50 workers, with budgets of 0.1 % to 10 % on average."""
    for power in _POWERS:
        for budget in _BUDGETS:
            yield f"volumes i^-{power:g}, budget {budget:g}", _shares(power), budget


def _uniform(budget: float) -> Any:
    return np.full(_WORKERS, budget / _WORKERS)


def _chi2(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, p, B in _volumes():
        value = theorem.evaluate(assignment_scale=np.sum(np.sqrt(p)), ratio_budget=B, objective_exponent=1).value
        best, uniform = float(stated(value)), float(np.sum(p / _uniform(B)))
        chi2 = np.sum((np.sqrt(p) / np.sum(np.sqrt(p)) - 1 / _WORKERS) ** 2 * _WORKERS)
        yield worst(f"uniform ratios, {setting}", best * (1 + chi2), uniform * (1 + 1e-12))
        yield worst(f"uniform ratios, {setting}, the reverse", uniform, best * (1 + chi2) * (1 + 1e-12))


def _waterfill(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    del theorem
    for setting, p, B in _volumes():
        for b in (1.0, 2.0):
            found = waterfill(p, B, b=b)
            for alpha in (0.0, 1 / 3, 0.5, 2 / 3, 1.0):
                other = np.minimum(B * p**alpha / np.sum(p**alpha), 1.0)
                yield worst(f"b = {b:g} against exponent {alpha:.2g}, {setting}", found.objective, np.sum(p / other**b))


def _gaps(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Proven gaps of uniform ratios against their distance from the optimum."""
    for setting, p, B in _volumes():
        best, delta = waterfill(p, B), _uniform(B)
        value = float(np.sum(p / delta))
        if theorem.id == "gap-dual":
            at_price = np.minimum(np.sqrt(p / best.multiplier), 1.0) if best.multiplier > 0 else np.ones(_WORKERS)
            gap = value - float(np.sum(p / at_price) + best.multiplier * (np.sum(at_price) - B))
        else:
            slopes, y = p / delta**2, np.zeros(_WORKERS)
            order = np.argsort(-slopes)
            y[order] = np.clip(B - np.arange(_WORKERS), 0.0, 1.0)
            gap = float(slopes @ (y - delta))
            yield worst(f"of the answer, {setting}", 1 + float(rational_gap(best).relative_gap), 1 + 1e-9)
        yield worst(setting, value - best.objective + value, (gap + value) * (1 + 1e-12))


def _surrogate(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Two workers, whose best ratios are found on a grid."""
    for share in (0.5, 0.9, 0.99):
        p = np.array([share, 1 - share])
        for B in (0.2, 1.0, 1.6):
            grid = np.linspace(max(1e-3, B - 1), min(1.0, B - 1e-3), 4001)
            best = np.min(memory_cost(np.stack([grid, np.clip(B - grid, 1e-3, 1.0)], axis=1)) @ p)
            lost = p @ memory_cost(waterfill(p, B).delta) - best
            value = theorem.evaluate(weight_sum=1.0, largest_weight=share, ratio_budget=B).value
            yield worst(f"volumes {share:g} and {1 - share:.2g}, budget {B:g}", max(float(lost), 0.0), stated(value))


def _minimax(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, p, B in _volumes():
        value = float(stated(theorem.evaluate(weight_cost=float(np.sum(p)), ratio_budget=B).value))
        for alpha in (0.0, 0.5, 1.0):
            found = np.max(p / (B * p**alpha / np.sum(p**alpha)))
            yield worst(f"against exponent {alpha:g}, {setting}", value, found * (1 + 1e-12))
        yield worst(f"exponent 1, {setting}, the reverse", found, value * (1 + 1e-12))


def _exponents(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, p, _ in _volumes():
        for e, b in ((1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (2.0, 1.0)):
            if p[0] == p[-1]:
                continue
            delta = waterfill(p**e, 1e-6, b=b).delta
            slope = np.log(delta[0] / delta[-1]) / np.log(p[0] / p[-1])
            value = float(stated(theorem.evaluate(weight_exponent=e, objective_exponent=b).value))
            yield worst(f"e = {e:g}, b = {b:g}, {setting}", slope, value)
            yield worst(f"e = {e:g}, b = {b:g}, {setting}, the reverse", value, slope)


def _symmetry(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    del theorem
    for setting, p, B in _volumes():
        cost = {alpha: float(np.sum(p / (B * p**alpha / np.sum(p**alpha)))) for alpha in (0.0, 1 / 3, 0.5, 2 / 3, 1.0)}
        yield worst(f"1 against 0, {setting}", cost[1.0], cost[0.0] * (1 + 1e-12))
        yield worst(f"0 against 1, {setting}", cost[0.0], cost[1.0] * (1 + 1e-12))
        yield worst(f"1/2 against others, {setting}", cost[0.5], min(cost.values()) * (1 + 1e-12))


def _gain(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for setting, p, _ in _volumes():
        value = float(
            stated(theorem.evaluate(workers=_WORKERS, root_sum=float(np.sum(np.sqrt(p))) * (1 - 1e-15)).value)
        )
        measured = np.sum(p / _uniform(1e-6)) / waterfill(p, 1e-6).objective
        yield worst(setting, [measured, predicted_gain(p)], value)
        yield worst(f"{setting}, the reverse", value, [measured, predicted_gain(p)])


def _counts(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Whole numbers of 300 entries: both exact methods against each other and against the continuous optimum."""
    d = 300
    for power in _POWERS:
        p = _shares(power)
        for total in (60, 300, 3000):
            greedy, near = (assign_counts(p, total, d, method=method) for method in ("greedy", "proximity"))
            setting = f"{total} entries, volumes i^-{power:g}"
            if theorem.id == "int-greedy":
                yield worst(f"greedy, {setting}", greedy.objective, near.objective)
                yield worst(f"greedy, {setting}, the reverse", near.objective, greedy.objective)
                continuous = waterfill(p, total / d, lower=1 / d).objective
                yield worst(f"continuous, {setting}", continuous, greedy.objective * (1 + 1e-12))
            elif theorem.id == "int-proximity":
                x = d * waterfill(p, total / d, lower=1 / d).delta
                yield worst(setting, np.max(np.abs(near.counts - x)), _WORKERS)
            else:
                costs = 1 + np.arange(_WORKERS) % 3
                dense = assign_counts(p, 2 * total + 100, d, costs=costs, method="density")
                exact = assign_counts(p, 2 * total + 100, d, costs=costs, method="dynamic")
                yield worst(setting, dense.objective, exact.objective + dense.gap * (1 + 1e-9) + 1e-12)


def _constant(level: float) -> Callable[[int, Any, list[int]], float]:
    return lambda k, g, sent: level


def _traffic(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    gradients = np.asarray(text_gradients())
    d, norms = gradients.shape[1], np.sum(np.abs(gradients), axis=1)
    for quantile in (0.5, 0.9, 0.99):
        level = float(np.quantile(np.abs(gradients), quantile))
        sent, _ = traffic(gradients, _constant(level))
        value = theorem.evaluate(l1_norm=float(np.mean(norms)), magnitude_threshold=level).value
        yield worst(f"threshold at the {quantile:g} quantile, gradients of the text", np.mean(sent), stated(value))
    flat = np.full((40, d), 0.25 * (1 + 1e-9))
    sent, _ = traffic(flat, _constant(1.0))
    value = float(stated(theorem.evaluate(l1_norm=float(np.sum(flat[0])), magnitude_threshold=1.0).value))
    yield worst("equal entries, sent in every fourth step", np.mean(sent), value)
    yield worst("equal entries, sent in every fourth step, the reverse", value * (1 - 1e-8), np.mean(sent))


def _l1_rule(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    gradients = np.tile(np.asarray(text_gradients()), (4, 1))
    d = gradients.shape[1]
    for share in _RATIOS:
        for eta in (0.1, 0.5):
            rule, levels = L1Rule(max(int(share * d), 1), d, eta), [0.0]

            def threshold(k: int, g: Any, sent: list[int], rule: L1Rule = rule, levels: list[float] = levels) -> float:
                levels.append(rule.threshold(float(np.sum(np.abs(g))), levels[-1]))
                return levels[-1]

            sent, _ = traffic(gradients, threshold)
            value = float(stated(theorem.evaluate(d=d, entries_per_step=rule.budget).value))
            allowed = value * np.arange(1, len(sent) + 1)
            yield worst(f"budget {share:g} d, eta {eta:g}, gradients of the text", np.cumsum(sent), allowed)


def _controller(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    gradients = np.tile(np.asarray(text_gradients()), (4, 1))
    d, largest = gradients.shape[1], float(np.max(np.sum(np.abs(gradients), axis=1)))
    steps = np.arange(1, len(gradients) + 1)
    for share in _RATIOS:
        for gain in (0.1, 1.0):
            control, levels = ThresholdController(share * d, gain), [largest / d]

            def threshold(
                k: int, g: Any, sent: list[int], control: ThresholdController = control, levels: list[float] = levels
            ) -> float:
                if sent:
                    levels.append(control.threshold(levels[-1], sent[-1]))
                return levels[-1]

            sent, _ = traffic(gradients, threshold)
            value = theorem.evaluate(
                d=d, entries_per_step=control.budget, controller_gain=gain, start_threshold=levels[0], l1_bound=largest,
                steps=steps,
            ).value  # fmt: skip
            yield worst(f"budget {share:g} d, gain {gain:g}, gradients of the text", np.cumsum(sent), stated(value))


def _one_step(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Thresholds with a common weighted level against equal thresholds and equal counts, for the same traffic."""
    del theorem
    for place, problem in places().items():
        v, p = np.asarray(problem.worker_gradients(np.zeros(problem.d))), volumes(problem)
        for share in _RATIOS:
            total = max(int(share * v.size), problem.workers)
            thresholds = profile_thresholds(common_level(v, p, total), p)
            kept = np.abs(v) >= thresholds[:, None] * (1 - 1e-12)
            squares = (p[:, None] * v) ** 2
            lost, used = np.sum(squares[~kept]), int(np.sum(kept))
            equal = np.abs(v) >= np.sort(np.abs(v).ravel())[-used]
            counts = np.sum(np.sort(squares, axis=1)[:, : problem.d - used // problem.workers])
            scale = np.sum(squares)
            yield worst(
                f"against equal thresholds, {used} entries, {place}", lost + scale, np.sum(squares[~equal]) + scale
            )
            if used % problem.workers == 0:
                yield worst(f"against equal counts, {used} entries, {place}", lost + scale, counts + scale)


def _optimal(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The mean threshold for l1 norms of the text's workers, against other exponents of the volumes."""
    for place, problem in places().items():
        norms = np.sum(np.abs(np.asarray(problem.worker_gradients(np.zeros(problem.d)))), axis=1)
        p, B = volumes(problem), 0.1 * problem.d * problem.workers
        scale = float(np.sum(np.sqrt(norms * p)))
        value = float(stated(theorem.evaluate(traffic_scale=scale, traffic_budget=B).value))
        for alpha in (0.0, -0.5, -1.0):
            levels = p**alpha * np.sum(norms / p**alpha) / B
            yield worst(f"thresholds in proportion to p^{alpha:g}, {place}", value, p @ levels)
        best = np.sqrt(norms / p) * scale / B
        yield worst(f"the stated thresholds, {place}, the reverse", p @ best, value * (1 + 1e-12))


def _joint(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """EF21's bound for every step and horizon, with the ratios for A_L and with uniform ones."""
    del theorem
    for place, problem in places().items():
        w, n = volumes(problem) * np.asarray(problem.L_i), problem.workers
        best = waterfill(w, 0.4).delta
        scalars = [constants(problem, delta).memory_smoothness for delta in (best, np.full(n, 0.4 / n))]
        steps = [
            float(stated(statement("nuef21-nonconvex").evaluate(L=problem.L, memory_smoothness=A).step_size))
            for A in scalars
        ]
        yield worst(f"longest step, {place}", steps[1], steps[0])
        for share in (0.1, 1.0):
            bounds = [
                float(
                    statement("nuef-absolute")
                    .evaluate(L=problem.L, absolute_error=A, gradient_noise=0.0, step_size=share * min(steps))
                    .bound(100, 1.0)
                )
                for A in scalars
            ]
            yield worst(f"bound at {share:g} of the step, {place}", bounds[0], bounds[1])


def _links(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    del theorem
    for power in _POWERS:
        p = _shares(power)
        seconds, latency = np.geomspace(0.1, 10.0, _WORKERS), np.linspace(0.0, 1.0, _WORKERS)
        found = best_round_time(p, seconds, latency=latency)
        T = np.geomspace(1.05, 20, 200)[:, None]
        ratios = np.minimum(1.0, (T - latency) / seconds)
        costs = T[:, 0] * (1 + (2 / ratios - 1.5) @ p)
        yield worst(f"links of 0.1 to 10 seconds, volumes i^-{power:g}", found.objective, np.min(costs))


def _bits(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for delta in _RATIOS:
        value = float(stated(theorem.evaluate(workers=_WORKERS, L=1.0, delta=delta).value))
        floats = (1 + float(memory_cost(delta))) * _WORKERS * delta
        yield worst(f"equal workers, ratio {delta:g}", floats, value)
        yield worst(f"equal workers, ratio {delta:g}, the reverse", value, floats)
        yield worst(f"full communication, ratio {delta:g}", _WORKERS, value)
    # Dossier 3.12: unequal volumes do save.
    for n in (10, 50):
        chosen = best_budget(_shares(3.0, n), lower=1e-3)
        yield worst(f"the best budget for volumes i^-3, {n} workers", chosen.objective, n)


def _effective(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Top-k keeps more than k/d of real vectors: what it keeps certifies the memories of the run."""
    del theorem
    for place, problem in places().items():
        k = max(problem.d // 10, 1)
        for sender in (Fixed(TopK(k)), PerWorkerTopK([k] * problem.workers)):
            made = feedback(problem, 0.2 / problem.L, sender=sender)
            v = made.memory[:-1] + made.run.recorded["gradients"][:-1]
            left = np.sum(made.memory[1:] ** 2, axis=-1) / np.sum(v**2, axis=-1)
            h = np.sqrt(np.max(np.sum(made.run.recorded["gradients"] ** 2, axis=-1), axis=0))
            value = statement("ef-memory-uniform").evaluate(
                delta=1 - np.max(left, axis=0), gradient_bound=h, gradient_noise=0.0
            ).value  # fmt: skip
            largest = np.sqrt(np.max(np.sum(made.memory**2, axis=-1), axis=0))
            yield worst(f"{type(sender).__name__}, k = {k}, {place}", largest, stated(value))


def _periodic(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    gradients = np.asarray(text_gradients())
    largest = float(np.max(np.linalg.norm(gradients, axis=1)))
    for period in (2, 5, 10):
        value = float(stated(theorem.evaluate(period=period).value))
        for place, stream, scale in (
            ("gradients of the text", gradients, largest),
            ("a constant", np.ones((13, 1)), 1.0),
        ):
            e, norms = np.zeros(stream.shape[1]), []
            for k in range(26):
                e = np.zeros_like(e) if (k + 1) % period == 0 else e + stream[k % 13]
                norms.append(np.linalg.norm(e))
            yield worst(f"everything once in {period} steps, {place}", np.max(norms), value * scale)
        yield worst(f"everything once in {period} steps, a constant, the reverse", value, np.max(norms))


EXPERIMENTS: Mapping[str, Experiment] = {
    "chi2-identity": _chi2,
    "waterfill": _waterfill,
    "gap-dual": _gaps,
    "gap-fw": _gaps,
    "alloc-surrogate": _surrogate,
    "minimax-ratio": _minimax,
    "exponent-table": _exponents,
    "exponent-symmetry": _symmetry,
    "gain-formula": _gain,
    "int-greedy": _counts,
    "int-proximity": _counts,
    "int-weighted": _counts,
    "thr-traffic": _traffic,
    "thr-l1-rule": _l1_rule,
    "thr-controller": _controller,
    "thr-one-step": _one_step,
    "thr-optimal": _optimal,
    "joint-step-ratio": _joint,
    "link-time": _links,
    "bits-optimal": _bits,
    "effective-delta": _effective,
    "schedule-periodic": _periodic,
}

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        "exact-objectives": "derivatives of the objectives; the assignments that follow from them are attacked",
        "myopic-vertex": "a comparison of assignments for one step, of which no method here makes use",
    }
)
"""Why nothing is run for a theorem."""
