"""The claims about adaptive compression (dossier chapter 1, section 7), measured on e-mails and on digits."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np

from taciturn.solvers.array import Array, to_numpy
from taciturn.solvers.tune import profile, tune
from taciturn.solvers.tune.stochastic import stochastic_profile
from taciturn.theory import technologies, theorem
from taciturn.theory.communication import AffineCost, Cost, entry_bits

from . import adaptive_compression_bits as bits_figure
from . import adaptive_compression_bounds as bounds_figure
from . import adaptive_compression_judgements as judge
from . import adaptive_compression_technologies as technologies_figure
from . import adaptive_compression_workers as workers_figure
from .adaptive_compression_guarantees import decrease_for_any_gradient, linear_rate
from .adaptive_compression_runs import (
    FLOAT_BITS,
    LINKS,
    MNIST,
    TEXT,
    Task,
    Trajectory,
    cat,
    dense,
    dense_cost,
    gradient_after,
    mnist_is_here,
    price,
    problem,
    trajectories,
)
from .setting import Progress, Setting
from .verdicts import Check, Finding

__all__ = ["measure"]

Runs = Mapping[tuple[str, str], Trajectory]
"""Runs by scheme and name."""


def measure(setting: Setting, progress: Progress) -> tuple[Finding, ...]:
    """Make the runs, or take them from the cache, and judge all claims."""
    tasks = _tasks()
    done = dict(zip(tasks, trajectories(setting, list(tasks.values()), progress), strict=True))

    def of(group: str) -> Runs:
        return {(scheme, name): run for (which, scheme, name), run in done.items() if which == group}

    bits, d = of("bits"), problem(TEXT).d
    one_node = (
        _savings(setting, bits, of("mnist")),
        judge.on_rate({T: float(bits["S", f"{T}"].coefficient.mean()) * d / T for T in (10, 100, 1000)}),
        judge.on_bounds(_bound_ratios(of("bounds"))),
        judge.on_choice(_greedy(setting), dict(_over_best_fixed(bits))),
        _networks({name: run for (_, name), run in of("networks").items()}),
        judge.on_quantisation(dict(_dynamic(bits, of("more")["S+Q", "ieee-802.15.4"]))),
        _sampling(bits),
        _orders(setting, bits, of("more")["S", "payload"]),
    )
    several = _workers({name: run for (_, name), run in of("workers").items()})
    shared = problem(workers_figure.workers_data())
    return (
        *(replace(finding, data=f"e-mails, d = {d}") for finding in one_node),
        replace(several, data=f"{workers_figure.workers_data()}, d = {shared.d}, {shared.workers} workers"),
    )


def _tasks() -> dict[tuple[str, str, str], Task]:
    """All runs by group, scheme and name; most are those of figures."""
    tasks = {("bits", *key): task for key, task in bits_figure.tasks().items()}
    tasks |= {("networks", "S", name): task for name, task in technologies_figure.tasks().items()}
    tasks |= {("bounds", *key): task for key, task in bounds_figure.tasks().items()}
    tasks |= {("workers", "S", name): task for name, task in workers_figure.tasks().items()}
    tasks["more", "S", "payload"] = cat("S", "payload", 0.5)
    tasks["more", "S+Q", "ieee-802.15.4"] = cat("S+Q", "ieee-802.15.4", 0.2)
    if mnist_is_here():
        tasks |= {("mnist", "S", "full"): dense(0.2, MNIST), ("mnist", "S", "CAT plain"): cat("S", "plain", 0.2, MNIST)}
    return tasks


def _savings(setting: Setting, bits: Runs, mnist: Runs) -> Finding:
    where, start, cost = problem(TEXT), float(bits["S", "full"].gap[0]), price("plain", "S", problem(TEXT).d)
    T = np.arange(1, where.d + 1)
    any_data = linear_rate("S", where, decrease_for_any_gradient("S", T, where.d))
    sparse = any_data.bits(0.5 * start, start, cost(T))
    full = linear_rate("S", where, 1.0).bits(0.5 * start, start, dense_cost(where.d))
    gains = {f"e-mails, gap {target}": _gain(bits, "S", target) for target in (0.5, 0.2, 0.1, 0.05)}
    if mnist:
        gains |= {f"MNIST, gap {target}": _gain(mnist, "S", target) for target in (0.5, 0.2)}
    s = float(profile(gradient_after(setting, TEXT, 0)).effective_sparsity)
    half = math.ceil(s / 2)
    kept: Any = theorem("alpha-profile").evaluate(d=where.d, T=half, effective_sparsity=s).decrease
    floor = dense_cost(where.d) * float(kept) / float(cost(half))
    return judge.on_savings(float(np.min(sparse) / full), gains, floor)


def _gain(bits: Runs, scheme: str, target: float) -> float:
    return _over(bits["S", "full"].cost_to(target), bits[scheme, "CAT plain"].cost_to(target), both_missed=0.0)


def _over(price: float, other: float, both_missed: float = math.inf) -> float:
    """Return a ratio of prices, infinite where a target was missed; where both missed it, what speaks against CAT."""
    return both_missed if math.isinf(price) and math.isinf(other) else price / other


def _bound_ratios(runs: Runs) -> dict[str, float]:
    """At x_0 the two are equal, so the largest ratio is looked for after it."""
    tasks = bounds_figure.tasks()
    ratios = {}
    for (scheme, name), run in runs.items():
        lines = bounds_figure.curves(scheme, tasks[scheme, name], run)
        ratios[f"CAT-{scheme}, {name}"] = float((lines["measured"] / lines["exact"])[1:].max())
    return ratios


def _greedy(setting: Setting) -> float:
    """The smallest ratio over two gradients, all schemes, all technologies and the plain price."""
    d = problem(TEXT).d
    names = ["plain", *(medium.name for medium in technologies())]
    return min(
        _share_of_best(gradient, price(name, scheme, d), scheme)
        for gradient in (gradient_after(setting, TEXT, steps) for steps in (0, 20))
        for scheme in ("S", "S+Q", "SS")
        for name in names
    )


def _share_of_best(gradient: Array, cost: Cost, scheme: str) -> float:
    sums = profile(gradient)
    T = np.arange(1, int(sums.nonzeros) + 1)
    if scheme == "SS":
        decrease = stochastic_profile(gradient)(T)
    else:
        decrease = to_numpy(sums.alpha if scheme == "S" else sums.beta)[: T.size]
    return tune(gradient, cost, scheme).efficiency / float(np.max(decrease / cost(T)))


def _over_best_fixed(bits: Runs) -> Iterator[tuple[tuple[str, float], float]]:
    for name in bits_figure.PRICES:
        cost = price(name, "S", problem(TEXT).d)
        for target in bits_figure.TARGETS["S"]:
            best = min(bits["S", f"{T}"].cost_to(target, cost) for T in bits_figure.grid("S"))
            yield (name, target), _over(bits["S", f"CAT {name}"].cost_to(target), best)


def _networks(runs: Mapping[str, Trajectory]) -> Finding:
    d, target = problem(TEXT).d, 0.2
    medians = {name: float(np.median(run.sparsity[: int(run.iterations_to(target))])) for name, run in runs.items()}
    in_bits = [name for name in runs if name not in LINKS]
    mismatches = {
        (own, other): _over(runs[other].cost_to(target, price(own, "S", d)), runs[own].cost_to(target), both_missed=0.0)
        for own, other in permutations(in_bits, 2)
    }
    return judge.on_networks(medians, mismatches)


def _dynamic(bits: Runs, radio: Trajectory) -> Iterator[tuple[tuple[str, str, float], float]]:
    tuned = {"ieee-802.15.4": radio, **{name: bits["S+Q", f"CAT {name}"] for name in bits_figure.PRICES}}
    for scale in ("published", "optimal"):
        for name, run in tuned.items():
            for target in bits_figure.TARGETS["S+Q"]:
                rule = bits["S+Q", f"dynamic, {scale}"].cost_to(target, price(name, "S+Q", problem(TEXT).d))
                yield (scale, name, target), _over(rule, run.cost_to(target), both_missed=0.0)


def _sampling(bits: Runs) -> Finding:
    targets = bits_figure.TARGETS["SS"]
    over_top = {t: _over(bits["SS", "CAT plain"].cost_to(t), bits["S", "CAT plain"].cost_to(t)) for t in targets}
    return judge.on_sampling({t: _gain(bits, "SS", t) for t in targets}, over_top)


def _orders(setting: Setting, bits: Runs, payload: Trajectory) -> Finding:
    d = problem(TEXT).d
    full = bits["S", "full"].iterations_to(0.5) * dense_cost(d, "payload")
    without_header = _over(full, payload.cost_to(0.5), both_missed=0.0)
    gains = {"CAT-S, payload only, gap 0.5": without_header}
    gains |= {
        f"CAT-{scheme}, payload and 64 bits, gap {t}": _gain(bits, scheme, t)
        for scheme in ("S", "S+Q")
        for t in (0.5, 0.2)
    }
    gradients = {"e-mails, first gradient": TEXT} | ({"MNIST, first gradient": MNIST} if mnist_is_here() else {})
    information = [
        Check(f"largest gain per bit, {words}", _gain_per_bit(gradient_after(setting, name, 0)))
        for words, name in gradients.items()
    ]
    information += [
        Check(f"largest gain per bit that d = {size} of {name} allows", _ceiling(size), reference=reference)
        for name, size, reference in (("RCV1", 47_236, 3.1e4), ("URL", 3_231_961, 1.9e6))
    ]
    return judge.on_orders(_ceiling(d), gains, information)


def _ceiling(d: int) -> float:
    entry = float(entry_bits("S", d, FLOAT_BITS))
    ceiling: Any = theorem("gain-ceiling").evaluate(dense_cost=dense_cost(d, "payload"), c0=0.0, c1=entry).value
    return float(ceiling)


def _gain_per_bit(gradient: Array) -> float:
    d = gradient.shape[0]
    return dense_cost(d, "payload") * tune(gradient, AffineCost(0.0, entry_bits("S", d, FLOAT_BITS))).efficiency


def _workers(runs: Mapping[str, Trajectory]) -> Finding:
    local = runs[workers_figure.LOCAL]
    tuned = {name: runs[name] for name in (workers_figure.CERTIFIED, workers_figure.LARGE_STEP)}
    bits = {name: run.cost_to(workers_figure.ACCURACY) for name, run in runs.items()}
    return judge.on_workers(
        float(local.relative_gap.min()),
        float((local.gap / workers_figure.neighbourhood(local)).max()),
        {name: float(run.relative_gap[-1]) for name, run in tuned.items()},
        _over(bits[workers_figure.LARGE_STEP], bits[workers_figure.FIXED]),
        {name: _over(bits[workers_figure.FULL], bits[name], both_missed=0.0) for name in tuned},
    )
