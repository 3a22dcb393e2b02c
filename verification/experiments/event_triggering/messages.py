"""Runs beside what is said of triggers, of the number of messages, and of old, late and torn copies (4.4-4.9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import TopK
from taciturn.solvers.decentralised import (
    Always,
    Compressed,
    CompressedEvents,
    Constant,
    DecentralisedRun,
    DifferenceNorm,
    EventTracking,
    EventTriggeredGradient,
    Every,
    Forced,
    Geometric,
    NormAndAngle,
    NormDifference,
    Relative,
    Tensors,
    Trigger,
    run_decentralised,
)
from taciturn.solvers.problems import quadratic
from taciturn.solvers.topology import lazy, metropolis, network
from taciturn.theory.event_triggering.counterexamples import CHECKERBOARD
from taciturn.theory.theorem import Theorem

from ...attacks.measures import stated
from ...evidence import Budget
from ...norm_paths import event_pattern, published
from ..comparison import Comparison, Experiment, worst
from .problems import WORKERS, RoundRobin, Setting, alike, run, safe, settings, shifted

__all__ = ["EXPERIMENTS", "adaptive_pattern"]

_C = 0.05
_TENSORS = Tensors.of({"first": 2, "second": 3, "third": 1})


def _moved(made: DecentralisedRun) -> Any:
    """Movements of every worker in every iteration, (K, n)."""
    return np.linalg.norm(np.diff(made.recorded["points"], axis=0), axis=2)


# --- ages and tensors -------------------------------------------------------------------------------------------------


def _tensor_by_tensor(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The exact counterexample by the solver: one tensor in every iteration grows, whole vectors every third shrink."""
    del theorem
    H, gamma = np.array(CHECKERBOARD.hessian, dtype=float), float(CHECKERBOARD.step_size)
    problem = quadratic(np.broadcast_to(H, (4, 3, 3)), np.zeros((4, 3)))
    W = metropolis(network("ring", 4))
    of = Setting("checkerboard", problem, 1.0, 0.05, W)
    start = np.array([1.0, -1.0, 1.0, -1.0])[:, None] * np.array([1e-3, -2e-3, 1e-3])
    single = Tensors.of({"0": 1, "1": 1, "2": 1})
    order = tuple(tensor for (tensor,) in CHECKERBOARD.schedule)
    apart = run(of, RoundRobin(order), gamma, x0=start, iterations=300, tensors=single)
    sizes = np.linalg.norm(apart.recorded["points"], axis=(1, 2))
    yield worst("stated / measured growth in a period of three", 1.05, (sizes[-1] / sizes[-151]) ** (1 / 50))
    whole = run(of, Every(3), gamma, x0=start, iterations=300)
    yield worst("whole vectors at the end / at the start", whole.disagreement[-1], whole.disagreement[0])


def _holds(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Identical workers that hold tensors."""
    for of in alike():
        for every in (1, 3, 6):
            w, problem = of.figures.self_weight, of.problem
            gamma = 0.9 * (1 + w) / of.L
            trigger = Forced(NormDifference(Constant(0.3)), every)
            made = run(of, trigger, gamma, tensors=_TENSORS)
            k = np.arange(1, made.iterations + 1)
            guarantee = theorem.evaluate(L=of.L, self_weight=w, step_size=gamma, tau=every - 1)
            measured = np.cumsum(made.squared_gradient_norm[:-1]) / k
            bound = guarantee.bound(k, float(made.value[0] - problem.minimum))
            yield worst(f"{of.name}, tensors at least every {every}", measured, bound)


def _instability(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Just below the stated damping held copies contract, just beyond they do not."""
    problem = quadratic(np.zeros((WORKERS, 1)), np.zeros((WORKERS, 1)))
    for of in alike():
        flat = Setting(of.name, problem, 1.0, 1.0, of.W)
        limit = float(np.asarray(theorem.evaluate(lambda_n=of.figures.lambda_n).value))
        start = np.where(np.arange(WORKERS) % 2, -1.0, 1.0)[:, None]
        for hold in (4, 5):
            ends = []
            for share in (0.98, 1.02):
                made = run(
                    flat, Every(hold), 1.0, x0=start, iterations=20 * hold, update="average-preserving",
                    damping=share * limit / hold,
                )  # fmt: skip
                ends.append(made.disagreement[-1])
            yield worst(f"{of.name}, held for {hold}: below the limit", ends[0], 1.0)
            yield worst(f"{of.name}, held for {hold}: beyond it", 1.0, ends[1])


def _damped_step(of: Setting, period: int) -> float:
    B, beta = of.figures.mixing_strength, of.figures.mixing_gap
    return float(1 / (2 * period * B * np.sqrt(WORKERS) * (1 + B / beta)))


def _largest_gradient(of: Setting, made: DecentralisedRun) -> float:
    slopes = [of.problem.local_gradients(X) for X in made.recorded["points"][:-1]]
    return float(np.max(np.linalg.norm(slopes, axis=2)))


def _damped(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Tensors in turn under damped mixing: the largest gradient is that of the run."""
    for of in shifted():
        gamma, tau = 0.1 / of.L, 2
        made = run(
            of, RoundRobin((0, 1, 2)), gamma, tensors=_TENSORS, update="average-preserving",
            damping=_damped_step(of, tau),
        )  # fmt: skip
        value = theorem.evaluate(
            tau=tau, step_size=gamma, gradient_bound=_largest_gradient(of, made), workers=WORKERS,
            mixing_strength=of.figures.mixing_strength, mixing_gap=of.figures.mixing_gap,
        ).value  # fmt: skip
        yield worst(of.name, np.sqrt(made.disagreement), stated(value))


def _saving(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The threshold of the statement, for the largest gradient that the run without messages meets."""
    for of in shifted():
        gamma, hold, B, beta = 0.1 / of.L, 3, of.figures.mixing_strength, of.figures.mixing_gap
        G = 1.5 * _largest_gradient(of, run(of, Always(), gamma, update="average-preserving"))
        c = 2 * hold * gamma * G * (1 + B * np.sqrt(WORKERS) / beta)
        made = run(
            of, DifferenceNorm(Constant(c)), gamma, update="average-preserving", damping=_damped_step(of, hold),
            iterations=150,
        )  # fmt: skip
        value = theorem.evaluate(
            hold=hold, step_size=gamma, gradient_bound=G, mixing_strength=B, mixing_gap=beta, workers=WORKERS
        ).value
        yield worst(f"{of.name}, largest gradient", _largest_gradient(of, made), G)
        yield worst(f"{of.name}, disagreement", np.sqrt(made.disagreement), stated(value))
        yield worst(f"{of.name}, events", np.sum(made.events, axis=(0, 2)), made.iterations / hold)


# --- triggers ---------------------------------------------------------------------------------------------------------


def _unsafe(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Copy and parameters on one sphere: the published trigger sees no difference."""
    error = 4.0
    for of in alike():
        w = of.figures.self_weight
        for angle in (np.pi, 1.0):
            radius = w / (1 - w) * error / (2 * np.sin(angle / 2))
            sent, stays = radius * np.array([1.0, 0.0]), radius * np.array([np.cos(angle), np.sin(angle)])
            problem = quadratic(np.ones((WORKERS, 2)), np.tile((stays - (1 - w) * sent) / w, (WORKERS, 1)))
            on_a_plane = Setting(of.name, problem, 1.0, 1.0, of.W)
            made = run(on_a_plane, NormDifference(Constant(1e-9)), w, x0=sent)
            unseen = np.linalg.norm(made.recorded["points"][-1] - made.recorded["copies"][-1], axis=1)
            value = float(stated(theorem.evaluate(self_weight=w, error=error).value))
            yield worst(f"{of.name}, angle {angle:.2f}: stated / unseen distance", value, np.min(unseen))
            yield worst(f"{of.name}, angle {angle:.2f}: events", 1.0 + np.sum(made.events), 1.0)


def _repair(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    parts = (0.03, 0.07)
    trigger = NormAndAngle(*(Constant(part) for part in parts))
    value = theorem.evaluate(norm_threshold=parts[0], angle_threshold=parts[1]).value
    for of in settings():
        made = run(of, trigger, 0.3 / of.L)
        behind = np.linalg.norm(made.recorded["points"][:-1] - made.recorded["copies"][1:], axis=2)
        yield worst(of.name, behind**2, stated(value))


def adaptive_pattern(norms: Any, horizon: float) -> Any:
    """Return when the published rule of the library sends a tensor with these norms (K,)."""
    return event_pattern(np.asarray(norms)[:, None], published(horizon))[:, 0]


def _lockout(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """A drifting norm just below and just beyond the stated horizon."""
    limit, norms = float(np.asarray(theorem.evaluate().value)), np.arange(1.0, 61.0)
    sends = np.sum(adaptive_pattern(norms, limit * (1 - 1e-6))[29:])
    silent = np.sum(adaptive_pattern(norms, limit * (1 + 1e-6))[29:])
    yield worst("an event just below the limit", 1.0, float(sends > 0))
    yield worst("events just beyond it", 1.0 + silent, 1.0)


def _scale_free(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Norms of a real run and of random walks, scaled and shifted; and what the rule saves where nothing is learned."""
    del theorem
    rng = np.random.default_rng(budget.seed)
    of = settings()[-1]
    trained = np.linalg.norm(run(of, Always(), 0.3 / of.L).recorded["points"][:, 0], axis=1)
    # A grid of 2^-20 makes the change of scale exact.
    for name, path in (("digits", trained), ("random walk", 1e3 + np.cumsum(rng.standard_normal(400)))):
        norms = np.round(path * 2**20)
        for horizon in (0.9, 1.0):
            patterns = [adaptive_pattern(series, horizon)[29:] for series in (norms, 8 * norms + 2.0**20)]
            yield worst(f"{name}, h = {horizon}: 1 + events that differ", 1.0 + np.sum(patterns[0] != patterns[1]), 1.0)
            share = float(np.mean(patterns[0]))
            yield worst(f"{name}, h = {horizon}: share of the messages that the rule sends", share, 1.0)


def _relative(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Identical workers, thresholds proportional to the gradient step."""
    for of in alike():
        w, gamma = of.figures.self_weight, 1 / of.L
        for share in (0.3, 0.9):
            made = run(of, Relative(share / (1 - w)), gamma)
            guarantee = theorem.evaluate(L=of.L, mu=of.mu, lambda_n=1.0, step_size=gamma, relative_threshold=share)
            gap = made.value - of.problem.minimum
            bound = guarantee.bound(np.arange(1, len(gap)), float(gap[0]))
            yield worst(f"{of.name}, {share}", np.where(gap[1:] > 1e-9 * gap[0], gap[1:], 0.0), bound)


# --- messages ---------------------------------------------------------------------------------------------------------


def _count(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for of in settings():
        for name, trigger in safe(_C).items():
            if name == "norm and angle":
                continue  # fires at a smaller distance
            made = run(of, trigger, 0.5 / of.L)
            events, way = np.sum(made.events, axis=(0, 2)), np.sum(_moved(made), axis=0)
            value = theorem.evaluate(path=way, trigger_threshold=_C).value
            yield worst(f"{of.name}, {name}", events, stated(value))


def _pullback(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The components of identical workers under several triggers."""
    triggers: Mapping[str, Trigger] = {
        "always": Always(),
        "every fifth": Every(5),
        "difference norm": DifferenceNorm(Geometric(0.5, 0.95)),
        "norm difference": NormDifference(Constant(0.05)),
    }
    curvatures = np.geomspace(1.0, 0.1, 6)
    for of in alike():
        w = of.figures.self_weight
        gamma = 0.5 * w / of.L
        factors = theorem.evaluate(self_weight=w, eigenvalue=curvatures, step_size=gamma).value
        for name, trigger in triggers.items():
            made = run(of, trigger, gamma)
            away = np.abs(made.recorded["points"][1:, 0] - 1.0)
            # The copies at the start are true: only messages after iteration 0 count.
            counted = np.cumsum(made.events[:, 0, 0]) - made.events[0, 0, 0]
            least = np.asarray(factors) ** (counted[:, None] + 1) * np.abs(of.start - 1.0)
            yield worst(f"{of.name}, {name}", least, np.maximum(away, 1e-12 * np.abs(of.start - 1.0)))


def _compressed(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for of in settings():
        d = of.problem.d
        for kept in (d // 2, d // 6):
            made = run(of, DifferenceNorm(Constant(_C)), 0.1 / of.L, content=Compressed(TopK(kept)))
            behind = np.linalg.norm(made.recorded["points"][:-1] - made.recorded["copies"][1:], axis=2)
            value = theorem.evaluate(trigger_threshold=_C, delta=kept / d, movement=float(np.max(_moved(made)))).value
            yield worst(f"{of.name}, top {kept}", behind, stated(value))


def _choco(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for of in settings():
        figures, d = of.figures, of.problem.d
        gamma, delta = 0.1 / of.L, 0.5
        s = np.sqrt(1 - delta)
        B, beta = figures.mixing_strength, figures.mixing_gap
        damping = float(min(1 / B, beta * (1 - s) / (2 * s * B * (B + beta)), 1.0))
        method = CompressedEvents(of.W, DifferenceNorm(Constant(_C)), TopK(d // 2), gamma, damping)
        made = run_decentralised(method, of.problem, 60, of.start, record={"points": lambda state: state.points})
        value = theorem.evaluate(
            trigger_threshold=_C, delta=delta, step_size=gamma, gradient_bound=_largest_gradient(of, made),
            mixing_strength=B, mixing_gap=beta,
        ).value  # fmt: skip
        yield worst(of.name, np.sqrt(made.disagreement), stated(value))


def _late(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for of in settings():
        for latency in (1, 4):
            made = run(of, DifferenceNorm(Constant(_C)), 0.1 / of.L, latency=latency)
            behind = np.linalg.norm(made.recorded["points"][:-1] - made.recorded["in_use"][1:], axis=2)
            value = theorem.evaluate(trigger_threshold=_C, latency=latency, movement=float(np.max(_moved(made)))).value
            yield worst(f"{of.name}, latency {latency}", behind, stated(value))


def _torn(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Every entry of a read comes from the last message or from the one before, whichever is farther."""
    for of in settings():
        made = run(of, DifferenceNorm(Constant(_C)), 0.1 / of.L)
        points, copies = made.recorded["points"][:-1], made.recorded["copies"]
        older, farthest = copies[0].copy(), 0.0
        for k, X in enumerate(points):
            older = np.where(made.events[k], copies[k], older)
            torn = np.maximum(np.abs(X - older), np.abs(X - copies[k + 1]))
            farthest = max(farthest, float(np.max(np.linalg.norm(torn, axis=1))))
        value = theorem.evaluate(trigger_threshold=_C, movement=float(np.max(_moved(made)))).value
        yield worst(of.name, farthest, stated(value))


def _mass(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Messages that both ends use after the same latency leave the average where the gradients put it."""
    del theorem
    for of in settings():
        gamma = 0.1 / of.L
        for latency in (0, 3):
            made = run(of, DifferenceNorm(Constant(_C)), gamma, update="average-preserving", latency=latency)
            points = made.recorded["points"]
            means = points.mean(axis=1)
            slopes = np.stack([of.problem.local_gradients(X).mean(axis=0) for X in points[:-1]])
            drift = np.max(np.abs(means[1:] - means[:-1] + gamma * slopes))
            yield worst(f"{of.name}, latency {latency}", drift, 1e-12 * np.max(np.abs(points)))


# --- beyond the paper -------------------------------------------------------------------------------------------------


def _tracking(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Workers that disagree, and no bias: the potential of the statement, of quadratics."""
    for of in shifted():
        figures = of.figures
        theta, B, kappa = figures.spectral_gap, figures.mixing_strength, of.L / of.mu
        z = min(theta / 4, theta**2 / (4 * B), theta / (2 * np.sqrt(1 + 2 * kappa))) * (1 - 1e-12)
        gamma, d = z / of.L, 0.02
        v3 = of.L * (B + z + 2 * kappa * z) / (theta - z - gamma * of.mu / 2)
        guarantee = theorem.evaluate(
            L=of.L, mu=of.mu, spectral_gap=theta, mixing_strength=B, step_size=gamma, trigger_threshold=_C,
            tracker_threshold=d, workers=WORKERS,
        )  # fmt: skip
        method = EventTracking(of.W, DifferenceNorm(Constant(_C)), DifferenceNorm(Constant(d)), gamma)
        record = {"points": lambda state: state.points, "trackers": lambda state: state.trackers.points}
        made = run_decentralised(method, of.problem, 100, of.start, record=record)
        points, trackers = made.recorded["points"], made.recorded["trackers"]
        average = np.sqrt(WORKERS) * np.linalg.norm(points.mean(axis=1) - of.problem.minimiser, axis=1)
        apart = [np.linalg.norm(V - V.mean(axis=1, keepdims=True), axis=(1, 2)) for V in (points, trackers)]
        potential = np.max([average / (2 * kappa), apart[0], apart[1] / v3], axis=0)
        bound = guarantee.bound(np.arange(1, len(potential)), float(potential[0]))
        yield worst(of.name, potential[1:], bound)


def _laziest(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """The residual of the bounds at the stated mixing strength, beside all others."""
    for of in settings():
        for c in (1e-3, 1e-1, 10.0):
            figures, zeta = of.figures, of.optimum_dissimilarity
            gamma = 0.1 / of.L

            def residual(eta: float, c: float = c, of: Setting = of, gamma: float = gamma, zeta: float = zeta) -> float:
                W = lazy(of.dense, eta)
                gap, pull = 1 - np.linalg.eigvalsh(W)[-2], np.linalg.norm(1 - np.diag(W))
                bias = gamma * zeta * np.sqrt((of.L / of.mu + 1) / 2) / gap
                return float(pull * c / (np.sqrt(WORKERS) * gamma * of.mu) + bias)

            value = theorem.evaluate(
                L=of.L, mu=of.mu, step_size=gamma, optimum_dissimilarity=zeta, mixing_pull=figures.mixing_pull,
                trigger_threshold=c, mixing_gap=figures.mixing_gap, workers=WORKERS,
            ).value  # fmt: skip
            others = min(residual(eta) for eta in np.geomspace(1e-3, 1.0, 60).tolist())
            yield worst(f"{of.name}, c = {c:g}", residual(min(float(np.asarray(value)), 1.0)), others)


def _changing(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Neighbours to the left and to the right in turn: neither network is connected."""
    pairs = [np.eye(WORKERS), np.eye(WORKERS)]
    for first, W in enumerate(pairs):
        for i in range(first, WORKERS + first, 2):
            j = (i + 1) % WORKERS
            W[np.ix_([i % WORKERS, j], [i % WORKERS, j])] = 0.5
    rate = max(float(np.linalg.norm(b @ a - 1 / WORKERS, ord=2)) for a, b in (pairs, pairs[::-1]))
    gain = 2 / (1 - rate) + 1
    of = shifted()[0]
    gradients = of.problem.worker_gradients(of.problem.minimiser)
    zeta = float(np.sqrt(np.mean(np.sum(gradients**2, axis=1))))
    gamma = 1 / (2 * of.L * gain)
    for update in ("published", "average-preserving"):
        a = np.sqrt(WORKERS) * (0.5 if update == "published" else 1.0)
        methods = [EventTriggeredGradient(W, DifferenceNorm(Constant(_C)), gamma, update) for W in pairs]
        state, sizes, rng = methods[0].init(of.problem, of.start), [], Stream(0)
        for k in range(100):
            # What the copies contribute belongs to the network of the iteration before.
            state = methods[k % 2].step(of.problem, replace(state, mixed=None), rng)
            sizes.append(np.sqrt(WORKERS * state.disagreement))
        value = theorem.evaluate(
            span=2, span_rate=rate, mixing_input=a, trigger_threshold=_C, step_size=gamma, uniform_dissimilarity=zeta,
            workers=WORKERS,
        ).value  # fmt: skip
        yield worst(f"pairs to either side in turn, {update}", sizes, stated(value))


EXPERIMENTS: Mapping[str, Experiment] = {
    "per-tensor-divergence": _tensor_by_tensor,
    "hold-descent": _holds,
    "ap-hold-instability": _instability,
    "bounded-stale-damped": _damped,
    "guaranteed-saving": _saving,
    "norm-diff-unsafe": _unsafe,
    "norm-diff-repair": _repair,
    "horizon-lockout": _lockout,
    "adaptive-invariance": _scale_free,
    "relative-threshold": _relative,
    "count-path": _count,
    "pullback-cap": _pullback,
    "compressed-staleness": _compressed,
    "choco-event": _choco,
    "latency-staleness": _late,
    "torn-copies": _torn,
    "mass-conservation": _mass,
    "event-gt": _tracking,
    "optimal-weights": _laziest,
    "time-varying": _changing,
}
