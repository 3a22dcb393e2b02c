"""The claims about event-triggered messages (dossier 4.11), measured."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from taciturn.solvers.decentralised import (
    Adaptive,
    DecentralisedRun,
    EventTriggeredGradient,
    fixed_point,
    posterior_bound,
    run_decentralised,
)
from taciturn.solvers.gossip import GossipSettings, replay, run_gossip
from taciturn.theory.event_triggering.counterexamples import NORM_DIFFERENCE
from taciturn.verification.norm_paths import event_pattern

from . import event_horizon as horizon_figure
from . import event_judgements as judge
from . import event_mixing as mixing_figure
from . import event_networks as networks_figure
from . import event_one_sided as one_sided_figure
from . import event_residual as residual_figure
from . import event_savings as savings_figure
from . import event_workers as workers_figure
from .event_runs import AVERAGE_PRESERVING, FORCED, PUBLISHED, STEP, SYNCHRONOUS, WORKERS, Course, Rule, course, ring
from .event_tasks import BATCH_NORM, CNN2, MODELS, SOFTMAX, images, models, network_passes, task
from .setting import Progress, Setting
from .staleness_asynchronous import torch_is_here
from .verdicts import Finding

__all__ = ["measure"]

CIFAR, MNIST = 0.6, 0.7  # claimed savings
SPARSE, CHOCO = "top 10 % at events, A", "choco-event, top 10 %"
SCALE, SHIFT, SCALED_PASSES = 10.0, 3.0, 300
REAL_WORKERS, REAL_ITERATIONS = 3, 60


def measure(setting: Setting, progress: Progress) -> tuple[Finding, ...]:
    """Make the runs, or take them from the cache, and judge all claims."""
    parts = (_cifar, _mnist, _tuning, _accuracy, _compression, _guarantee, _parallel, _workers)
    findings = []
    for done, part in enumerate(parts, start=1):
        findings.append(part(setting))
        progress(done, len(parts))
    return tuple(findings)


def _silent(done: int, total: int) -> None:
    del done, total


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _saving(setting: Setting, model: str) -> judge.Saving:
    runs = savings_figure.courses(setting, _silent, model)
    events, always = runs[PUBLISHED], runs[SYNCHRONOUS]
    pairs = list(zip(events, always, strict=True))
    return judge.Saving(
        nominal=_mean([1 - run.share_after_forced for run in events]),
        with_forced=_mean([1 - run.message_share for run in events]),
        at_equal_loss=_mean([1 - _spent(run, other) for run, other in pairs]),
        spent_after_forced=_mean([_spent(run, other, forced=FORCED / len(run.events)) for run, other in pairs]),
        bits=_mean([1 - run.volume[-1] for run in events]),
        bits_at_equal_loss=_mean([1 - _spent(run, other, "volume") for run, other in pairs]),
        accuracy=_lost(pairs, "accuracy"),
        workers_accuracy=_lost(pairs, "workers_accuracy"),
    )


def _lost(pairs: Sequence[tuple[Course, Course]], accuracy: str) -> float:
    """How much less of an accuracy the first run of a pair ends with, mean."""
    return _mean([getattr(other, accuracy)[-1] - getattr(run, accuracy)[-1] for run, other in pairs])


def _spent(run: Course, other: Course, what: str = "messages", forced: float = 0.0) -> float:
    """Messages or volume of a run over those that another one needs to its loss, without the forced ones of both."""
    needed = other.until(float(run.loss[-1]), getattr(other, what)) - forced
    return (float(getattr(run, what)[-1]) - forced) / needed if needed > 0 else math.inf


def _savings(setting: Setting, id: str, claim: str, claimed: float, *wanted: str) -> Finding:
    shown = models(*wanted)
    savings = {MODELS[model]: _saving(setting, model) for model in shown}
    finding = judge.on_messages(id, claim, claimed, savings, 1 - horizon_figure.null_share(1.0, seed=0))
    return _on(finding, setting, *wanted)


def _on(finding: Finding, setting: Setting, *wanted: str) -> Finding:
    """Say on what the numbers were measured, and what was left out."""
    shown = models(*wanted)
    words = f"{', '.join(MODELS[model] for model in shown)}; {images(setting.budget)[0].name}, {WORKERS} workers"
    missing = [MODELS[model] for model in wanted if model not in shown]
    left_out = f"; left out, torch is not installed: {', '.join(missing)}" if missing else ""
    return replace(finding, data=words + left_out)


def _cifar(setting: Setting) -> Finding:
    words = "Up to 60 % fewer messages at the same accuracy (of the paper on CIFAR-10; here on other data)."
    return _savings(setting, "C1", words, CIFAR, SOFTMAX, CNN2, BATCH_NORM)


def _mnist(setting: Setting) -> Finding:
    return _savings(setting, "C2", "About 70 % fewer messages on MNIST.", MNIST, SOFTMAX, CNN2)


def _tuning(setting: Setting) -> Finding:
    table = horizon_figure.FIGURE.compute(setting, _silent)
    worst: dict[str, float] = {}
    share = {"random walks, h = 1.05": horizon_figure.null_share(1.05, seed=0)}
    for curve, model in (("A", SOFTMAX), ("A, CNN-2", CNN2)):
        rows, name = table.where(rule="adaptive", curve=curve), MODELS[model]
        if not len(rows):
            continue
        ratio, horizon = rows["loss"] / rows["synchronous_loss"], rows["x"]
        worst |= {f"{name}, h to 1": float(ratio[horizon <= 1].max())}
        worst |= {f"{name}, h above 1": float(ratio[horizon > 1].max())}
        share |= {name: float(rows["share"][horizon == 1][0])}
        share |= {f"{name}, a tenth of the step": _share_of_small_steps(setting, model)}
    norms = 100 + np.cumsum(np.random.default_rng(1).normal(size=(400, 20)), axis=0)
    patterns = [event_pattern(S, Adaptive())[FORCED:] for S in (norms, SCALE * norms + SHIFT)]
    scaled = setting.cache.get(
        partial(_scaled, setting.budget),
        what="events, scaled data",
        budget=setting.budget,
        data=images(setting.budget)[0].name,
    )
    differ = {
        "random walks, norms ten times larger": float(np.mean(patterns[0] != patterns[1])),
        f"{MODELS[SOFTMAX]}, data ten times larger": float(np.mean(scaled["plain"] != scaled["scaled"])),
    }
    return _on(judge.on_tuning(worst, differ, share), setting, SOFTMAX, CNN2)


def _share_of_small_steps(setting: Setting, model: str) -> float:
    budget = setting.budget
    passes = horizon_figure.PASSES[budget] if model == SOFTMAX else network_passes(WORKERS, budget, model)
    return course(setting, Rule(Adaptive(), step=STEP / SCALE), passes, model=model).share_after_forced


def _scaled(budget: str) -> dict[str, Any]:
    """Events of the published rule after the forced ones, and of the run whose parameters are `SCALE` times smaller.

    The data are that much larger; gradients are, too, so that the step is smaller by the square.
    """
    events = {}
    for name, scale in (("plain", 1.0), ("scaled", SCALE)):
        where, rule = task(WORKERS, budget, scale=scale), Rule(Adaptive(), step=STEP / scale**2)
        run = run_decentralised(
            rule.method(where), where.problem, SCALED_PASSES, where.start, record_every=SCALED_PASSES
        )
        events[name] = run.events[FORCED:]
    return events


def _accuracy(setting: Setting) -> Finding:
    loss, lost, workers_lost, apart = {}, {}, {}, {}
    for model in models(SOFTMAX, CNN2):
        runs = savings_figure.courses(setting, _silent, model)
        for name in (PUBLISHED, AVERAGE_PRESERVING):
            pairs, words = list(zip(runs[name], runs[SYNCHRONOUS], strict=True)), f"{MODELS[model]}, {name}"
            loss[words] = _mean([run.loss[-1] / other.loss[-1] for run, other in pairs])
            lost[words], workers_lost[words] = (_lost(pairs, what) for what in ("accuracy", "workers_accuracy"))
            apart[words] = _mean([run.disagreement[-1] / other.disagreement[-1] for run, other in pairs])
    return _on(judge.on_accuracy(loss, lost, workers_lost, apart), setting, SOFTMAX, CNN2)


def _compression(setting: Setting) -> Finding:
    found = {MODELS[model]: _compressed(setting, model) for model in models(SOFTMAX, CNN2)}
    return _on(judge.on_compression(found), setting, SOFTMAX, CNN2)


def _compressed(setting: Setting, model: str) -> judge.Compression:
    runs = savings_figure.courses(setting, _silent, model)
    both, events, choco = (runs[name][0] for name in (SPARSE, PUBLISHED, CHOCO))
    target = float(both.loss[-1])
    alone = events.until(target, events.volume)
    return judge.Compression(
        float(both.volume[-1] / events.volume[-1]),
        _lost([(both, events)], "accuracy"),
        _lost([(both, events)], "workers_accuracy"),
        float(both.volume[-1]) / alone,
        choco.until(target, choco.volume) / alone,
    )


def _guarantee(setting: Setting) -> Finding:
    table = residual_figure.FIGURE.compute(setting, _silent)
    share = {
        curve: float((table.where(curve=curve)["residual"] / table.where(curve=curve)["bound"]).max())
        for curve in (residual_figure.A, residual_figure.STUCK)
    }
    x, copy = list(NORM_DIFFERENCE.replay(NORM_DIFFERENCE.forced + 5))[-1]
    threshold = 1e-9  # constant; an adaptive one is not met either
    finding = judge.on_guarantee(
        share[residual_figure.A], share[residual_figure.STUCK], abs(float(x - copy)) / threshold, _posterior()
    )
    return replace(finding, data="quadratics; exact counterexample")


def _posterior() -> float:
    """Largest distance from the fixed point over what `ev-posterior` proves, of the published trigger."""
    problem, W = mixing_figure.problem(), ring(mixing_figure.WORKERS)
    known: dict[str, Any] = {"step_size": mixing_figure.STEP, "mu": mixing_figure.MU}
    settled, _ = fixed_point(problem, W, **known)
    method = EventTriggeredGradient(W, Adaptive(), mixing_figure.STEP, measure_error=True)
    distance = {"distance": lambda state: float(np.linalg.norm(state.points - settled))}
    found: DecentralisedRun = run_decentralised(method, problem, 300, np.full(1, 5.0), record=distance)
    allowed = posterior_bound(found.error, found.recorded["distance"][0], W=W, L=mixing_figure.L, **known)
    return float((found.recorded["distance"][1:] / allowed[1:]).max())  # at the start they are equal


def _parallel(setting: Setting) -> Finding:
    table = one_sided_figure.FIGURE.compute(setting, _silent)
    final, exact, late = one_sided_figure.final, one_sided_figure.EXACT, one_sided_figure.LATE
    variants = tuple(one_sided_figure.CASES)
    difference, processes = None, "no processes: torch is not installed"
    if torch_is_here():
        found = setting.cache.get(lambda: _real(setting.budget), what="real run", budget=setting.budget)
        difference, processes = float(found["difference"]), f"{REAL_WORKERS} processes, latency 2"
    lost = {
        what: {v: final(table, what, v, exact) - final(table, what, v) for v in variants}
        for what in ("accuracy", "workers_accuracy")
    }
    finding = judge.on_parallel(
        {v: final(table, "loss", v) / final(table, "loss", v, exact) for v in variants},
        lost["accuracy"],
        lost["workers_accuracy"],
        max(final(table, "lag", v) for v in variants) / one_sided_figure.INJECTED_LAG,
        max(final(table, "over_bound", v, late) for v in variants),
        difference,
    )
    return replace(finding, data=f"softmax regression, {table['data'][0]}, simulated windows; {processes}")


def _real(budget: str) -> dict[str, Any]:
    where = task(REAL_WORKERS, budget)
    settings = GossipSettings(
        ring(REAL_WORKERS), Adaptive(), 0.05, REAL_ITERATIONS, where.tensors, latency=2, batch=where.batch
    )
    run = run_gossip(where.problem, settings, where.start)
    if run.errors or run.trace is None:
        raise RuntimeError(f"the run of processes has failed: {run.errors}")
    simulated = replay(where.problem, settings, run.trace, where.start)
    return {"difference": np.array(np.abs(simulated.recorded["x"] - run.points).max())}


def _workers(setting: Setting) -> Finding:
    rings, networks = (figure.FIGURE.compute(setting, _silent) for figure in (workers_figure, networks_figure))
    tables = {f"{MODELS[model]}, ring": rings.where(model=model) for model in rings.different("model")}
    tables |= {f"{MODELS[SOFTMAX]}, {name}": networks.where(network=name) for name in ("torus", "complete")}
    saved: dict[str, float] = {}
    loss: dict[str, float] = {}
    for place, table in tables.items():
        events, always = table.where(rule=PUBLISHED), table.where(rule=SYNCHRONOUS)
        names = [f"{place}, n = {workers}" for workers in events["workers"].tolist()]
        saved |= dict(zip(names, (1 - events["after_forced"]).tolist(), strict=True))
        loss |= dict(zip(names, (events["loss"] / always["loss"]).tolist(), strict=True))
    words = " and ".join(MODELS[model] for model in rings.different("model"))
    return replace(judge.on_workers(saved, loss, CIFAR), data=f"{words}, {images(setting.budget)[0].name}")
