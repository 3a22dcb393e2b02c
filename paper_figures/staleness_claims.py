"""The claims about staled and compressed gradients (dossier chapter 2, section 7.3), measured."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.solvers.delays import Constant
from taciturn.solvers.problems import Quadratic, quadratic
from taciturn.solvers.second_moment import NoiseModel, second_moments
from taciturn.theory import theorem
from taciturn.verification.constants_table import constants_table

from . import staleness_accuracy as accuracy_figure
from . import staleness_adaptive_steps as steps_figure
from . import staleness_convergence as convergence_figure
from . import staleness_data as data_figure
from . import staleness_judgements as judge
from . import staleness_stored as stored_figure
from . import staleness_tau as tau_figure
from .setting import Progress, Setting
from .table import Table
from .verdicts import Finding

__all__ = ["measure"]

DIMENSIONS = {"quick": (1, 2, 3, 10, 100, 1000), "full": (1, 2, 3, 10, 100, 1000, 10_000)}
SEARCH = 2  # steps from the vector that attains the constant by its proof, and from ordinary ones
SPARSE = 0.5  # density of data that are called sparse
YOUNG = (1.0, 4.0, 16.0, 32.0, 64.0)  # theta of D-CGD; the last is twice the one before
PUBLISHED = (1.0, 4.0)  # theta of the published form, whose steps are short
LONG = 25.0  # times 1/(gamma mu): what is left of the start is below rounding of the floor
TARGETS, GUARANTEED = (0.1, 0.01, 0.001), 0.5  # gaps relative to the start; squared distance that is guaranteed
GRID = (1, 5, 20, 50)  # staleness and variance of stored messages with their own step


def measure(setting: Setting, progress: Progress) -> tuple[Finding, ...]:
    """Make the runs, or take them from the cache, and judge all claims."""
    parts = (_constants, _sparsity, _ball, _staleness, _tradeoff, _exchange, _stored, _adaptive_steps)
    findings = []
    for done, part in enumerate(parts, start=1):
        findings.append(part(setting))
        progress(done, len(parts))
    return tuple(findings)


def _silent(done: int, total: int) -> None:
    del done, total


def _constants(setting: Setting) -> Finding:
    dimensions = DIMENSIONS[setting.budget]
    rows = constants_table(dimensions, steps=SEARCH)
    exact: dict[str, float] = {}
    for row in rows:
        if row.exact:
            exact[row.theorem] = min(row.share, exact.get(row.theorem, math.inf))
    loosest = min(row.share for row in rows if not row.exact)
    finding = judge.on_constants(exact, max(row.share for row in rows), loosest)
    return replace(finding, data=f"search over vectors, d = {dimensions[0]} to {dimensions[-1]}")


def _sparsity(setting: Setting) -> Finding:
    table = data_figure.FIGURE.compute(setting, _silent)
    table = Table({name: column[table["density"] < SPARSE] for name, column in table.columns.items()})
    names = [f"{data}, {section}" for data, section in zip(table["data"], table["section"], strict=True)]
    published, exact = table["sigma_published_upper"] / table["workers"], table["sigma_coord"] / table["workers"]
    columns = (published, exact, table["L_supp"] / table["L_bar"])
    finding = judge.on_sparsity(*(dict(zip(names, column.tolist(), strict=True)) for column in columns))
    return replace(finding, data="e-mails, synthetic words")


def _ball(setting: Setting) -> Finding:
    del setting
    problem = tau_figure.different()
    young = np.array(YOUNG)
    known = _noise(problem)
    promised: Any = theorem("dcgd-sc").evaluate(L=problem.L, **_noise_table(problem, young))
    published: Any = theorem("dcgd-published").evaluate(
        **known, young=np.array(PUBLISHED), sparsity_sigma=float(problem.workers)
    )
    steps = np.concatenate([promised.step_size, published.step_size])
    distance = _from_afar(problem, steps)
    floors = distance[-1]
    own, theirs = floors[: len(young)], floors[len(young) :]
    k, start = np.arange(len(distance))[:, None], distance[0, 0]
    over = float(np.max(distance[:, : len(young)] / promised.bound(k, start)))
    twice = _from_afar(_with_distant_minimisers(problem, 2.0), steps[:1])[-1, 0]
    scaled = young * own
    finding = judge.on_ball(
        over,
        dict(zip(YOUNG, (own / promised.residual).tolist(), strict=True)),
        float(scaled[-1] / scaled[-2]),
        float(twice / (4 * own[0])),
        float(np.max(theirs / published.residual)),
    )
    return replace(finding, data=f"{problem.workers} quadratics, d = {problem.d}, exact expectations")


def _noise(problem: Quadratic) -> dict[str, float]:
    h, p = problem.worker_gradients(problem.minimiser), problem.weights
    return {
        "mu": problem.mu,
        "variance": tau_figure.VARIANCE["different"],
        "Lambda": float(np.max(p * problem.L_i)),
        "optimum_gradients": float(p**2 @ np.sum(h * h, axis=-1)),
    }


def _noise_table(problem: Quadratic, young: NDArray[np.float64]) -> dict[str, Any]:
    known = _noise(problem)
    mu = known.pop("mu")
    noise = theorem("noise-table").evaluate(**known, young=young)
    return {"mu": mu, "noise_slope": noise.value, "noise_floor": noise.residual}


def _from_afar(problem: Quadratic, steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """E ||x_k - x*||^2, shape (K + 1, steps), until nothing is left of the start."""
    K = math.ceil(LONG / (float(steps.min()) * problem.mu))
    trace = Constant(0).trace(K, problem.workers)
    noise = NoiseModel(diagonal=tau_figure.VARIANCE["different"])
    start = problem.minimiser + 1.0
    return second_moments(problem, trace, np.broadcast_to(steps, (K, len(steps))), noise, start).squared_distance


def _with_distant_minimisers(problem: Quadratic, factor: float) -> Quadratic:
    """Minimisers of the f_i farther from that of F: gradients there grow by the factor, and nothing else changes."""
    moved = problem.minimiser + factor * (problem.minimisers - problem.minimiser)
    return quadratic(problem.hessians, moved, weights=problem.weights)


def _staleness(setting: Setting) -> Finding:
    table = tau_figure.FIGURE.compute(setting, _silent)
    exponents, iterations = table.where(panel="exponent"), table.where(panel="iterations")
    guaranteed = exponents.where(curve="stale-sc-refined")["y"]
    over, slow_downs, least = {}, {}, {}
    for family in table.different("family"):
        measured = exponents.where(curve="exact", family=family)["y"]
        over[family], least[family] = float((measured / guaranteed).min()), float(measured.min())
        needed = iterations.where(curve="exact", family=family)
        slow_down = needed["y"] / needed["y"][0] / needed["x"]
        slow_downs[family] = (float(slow_down.min()), float(slow_down.max()))
    finding = judge.on_staleness(over, slow_downs, least)
    return replace(finding, data="quadratics, exact expectations")


def _tradeoff(setting: Setting) -> Finding:
    table = accuracy_figure.FIGURE.compute(setting, _silent)
    flat, slopes, slow_downs = {}, {}, {}
    for tau in table.different("tau"):
        rows = table.where(tau=tau)
        k, needed = _ordered(rows.where(curve="exact"))
        variance = accuracy_figure.D / k - 1
        free = accuracy_figure.D / rows.where(curve="free")["k"][0] - 1
        slow_downs[tau] = needed / needed[0]
        flat[tau] = float(slow_downs[tau][variance <= free].max())
        far = variance >= 4 * free
        if far.sum() >= 2:
            slopes[tau] = float(np.polyfit(np.log(variance[far]), np.log(needed[far]), 1)[0])
    taus = list(slow_downs)
    relief = float(slow_downs[taus[0]][-1] / slow_downs[taus[-1]][-1])
    finding = judge.on_tradeoff(flat, slopes, relief)
    return replace(finding, data=f"quadratics, d = {accuracy_figure.D:,}, exact expectations")


def _ordered(rows: Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Entries of a message, from all of them downwards, and the iterations they need."""
    order = np.argsort(-rows["k"])
    return rows["k"][order].astype(float), rows["iterations"][order].astype(float)


def _exchange(setting: Setting) -> Finding:
    runs = convergence_figure.courses(setting, _silent)
    reference = "full precision"
    gains, guaranteed = {}, {}
    for (tau, name), course in runs.items():
        if name == reference:
            continue
        full, plain = runs[tau, reference], name.replace("$", "")
        for target in TARGETS:
            gains[tau, target, plain] = _gain(full.to(target)[1], course.to(target)[1])
        guaranteed[tau, plain] = _gain(_bits_guaranteed(full), _bits_guaranteed(course))
    where = convergence_figure.problem(convergence_figure.SIZES[setting.budget])
    finding = judge.on_exchange(gains, guaranteed, GUARANTEED)
    return replace(finding, data=f"e-mails, d = {where.d}, {where.workers} workers")


def _gain(full: float, bits: float) -> float:
    return 0.0 if math.isinf(bits) else full / bits


def _bits_guaranteed(course: convergence_figure.Course) -> float:
    """Bits until the bound of the squared distance is a part of that at the start; infinite if it never is."""
    reached = np.flatnonzero(course.bound <= GUARANTEED * course.bound[0])
    return float(course.bits[reached[0]]) if reached.size else math.inf


def _stored(setting: Setting) -> Finding:
    del setting
    growth, own = stored_figure.block_growth, stored_figure.stored_step
    tau, variance = stored_figure.TAU, float(stored_figure.VARIANCE)
    step = stored_figure.used_once_step(tau, variance)
    finding = judge.on_stored(
        growth(tau, variance, step, stored=False),
        growth(tau, variance, step, stored=True),
        growth(tau, variance, own(tau, variance), stored=True),
        max(growth(each, float(omega), own(each, float(omega)), stored=True) for each in GRID for omega in GRID),
    )
    return replace(finding, data="x^2/2, one worker, hold pattern, exact expectations")


def _adaptive_steps(setting: Setting) -> Finding:
    K = steps_figure.ITERATIONS[setting.budget]
    gains = dict(_gains(K, steps_figure.SEEDS[setting.budget]))
    delay = steps_figure.pareto_delays(steps_figure.WORKERS, steps_figure.INDEX, K, seed=0)
    bounds, gaps = {}, {}
    for name, rule in steps_figure.rules(steps_figure.WORKERS, steps_figure.problem().L, int(delay.max())).items():
        gaps[name] = steps_figure.weighted_gaps(setting, rule, delay)
        bounds[name] = float(np.nanmax(gaps[name] / steps_figure.bound(name, rule, delay)))
    slow = gaps.pop(steps_figure.CONSTANT)[-1]
    better = {name: float(slow / values[-1]) for name, values in gaps.items()}
    finding = judge.on_adaptive_steps(gains, better, bounds)
    return replace(finding, data="event-driven server, Pareto compute times; gaps on e-mails")


def _gains(iterations: int, seeds: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """Least gain in the sum of steps, and the largest over that of the delays, by rule."""
    table = steps_figure.gains(iterations, seeds)
    for name in table.different("rule"):
        rows = table.where(rule=name)
        yield name, (float(rows["y"].min()), float((rows["y"] / rows["x"]).max()))
