"""Steps that follow the measured delays, against one step for the largest delay."""

from functools import cache
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from taciturn.solvers.data import load_text
from taciturn.solvers.delays import ParameterServer, Pareto, Trace, Worker
from taciturn.solvers.methods import (
    DelayFilter,
    Dense,
    FillWindow,
    OneOverDelay,
    StaleGradient,
    StepRule,
    adaptive_steps,
    run,
)
from taciturn.solvers.problems import LinearModel, logistic_regression
from taciturn.theory import theorem

from . import style
from .adaptive_compression_runs import spread
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = [
    "CONSTANT",
    "FIGURE",
    "INDEX",
    "ITERATIONS",
    "SEEDS",
    "WORKERS",
    "bound",
    "gains",
    "pareto_delays",
    "problem",
    "rules",
    "weighted_gaps",
]

CONSTANT, FILL, OVER, FILTER = "one step for the largest delay", "rule 1", "rule 2", "delay filter"
WORKERS, INDEX = 20, 1.5  # of the runs
SIZES, INDICES = (2, 8, 20), (1.2, 1.5, 2.0, 3.0)  # workers and Pareto indices of the third panel
ITERATIONS = {"quick": 1000, "full": 4000}
SEEDS = {"quick": 5, "full": 25}
EVERY = 10  # of the e-mails, one is used
POINTS = 120


@cache
def problem() -> LinearModel:
    """Return logistic regression on every tenth e-mail: the function that all workers have."""
    data = load_text()
    return logistic_regression(data.features[::EVERY], data.targets[::EVERY], 1e-4)


def pareto_delays(workers: int, index: float, iterations: int, seed: int) -> NDArray[np.int64]:
    """Return tau_k, shape (K,), of a server whose workers compute for Pareto times from one second on.

    Examples
    --------
    >>> pareto_delays(workers=1, index=1.5, iterations=3, seed=0).tolist()
    [0, 0, 0]
    """
    server = ParameterServer([Worker(Pareto(index, least=1.0))] * workers)
    return server.trace(iterations, message_bits=0, seed=seed).largest_delay


def rules(workers: int, L: float, longest: int) -> dict[str, StepRule | float]:
    """Return the steps of `delay-adaptive-convex` (h = 1) and `delay-filter`, and the constant one for a delay."""
    constant = theorem("stale-convex").evaluate(L_hat=L, tau=longest, noise_slope=0.0, noise_floor=0.0)
    kept = theorem("delay-filter").evaluate(L=L, workers=workers)
    return {
        CONSTANT: float(np.asarray(constant.step_size)),
        FILL: FillWindow(1 / L),
        OVER: OneOverDelay(1 / L),
        FILTER: DelayFilter(float(np.asarray(kept.step_size)), 2 * workers - 1),
    }


def steps(rule: StepRule | float, delay: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return gamma_k, shape (K,)."""
    return np.full(len(delay), rule) if isinstance(rule, float) else adaptive_steps(rule, delay)


def weighted_gaps(setting: Setting, rule: StepRule | float, delay: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of F(x_k) - F* over k < K with weights gamma_k, for K = 1, 2, ..., from x_0 = 0.

    NaN before the first step. All workers have the same function, so a run needs no more than the delays.
    """
    gamma = steps(rule, delay)

    def compute() -> dict[str, Any]:
        method = StaleGradient(Dense(), Trace.from_delays(delay[:, None]), rule)
        return {"gap": run(method, problem().on(setting.prototype()), len(delay)).gap}

    inputs = {"rule": rule, "delay": delay.tobytes().hex(), "backend": setting.backend, "device": setting.device}
    gap = setting.cache.get(compute, what="adaptive steps", **inputs)["gap"]
    total = np.cumsum(gamma)
    return np.asarray(np.divide(np.cumsum(gamma * gap[:-1]), total, out=np.full(len(delay), np.nan), where=total > 0))


def compute(setting: Setting, progress: Progress) -> Table:
    """One long trace, the gaps along it, and the gain in the sum of steps over many traces."""
    K = ITERATIONS[setting.budget]
    delay = pareto_delays(WORKERS, INDEX, K, seed=0)
    where = problem()
    chosen = rules(WORKERS, where.L, int(delay.max()))
    total = len(chosen) + 1
    at = spread(1, K, POINTS)
    tables = []
    for done, (name, rule) in enumerate(chosen.items(), start=1):
        sums = np.cumsum(steps(rule, delay)) * where.L
        gaps, limit = weighted_gaps(setting, rule, delay), bound(name, rule, delay)
        for panel, values in (("sum", sums), ("gap", gaps), ("bound", limit)):
            tables.append(Table.of(panel=panel, rule=name, x=at.astype(float), y=values[at - 1]))
        progress(done, total)
    tables.append(gains(K, SEEDS[setting.budget]))
    progress(total, total)
    return stacked(tables)


def bound(name: str, rule: StepRule | float, delay: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what the theorems say of the same mean, for K = 1, 2, ...; infinite before the first step."""
    where, K = problem(), np.arange(1, len(delay) + 1)
    start = float(where.minimiser @ where.minimiser)
    if name == FILTER:
        return np.asarray(theorem("delay-filter").evaluate(L=where.L, workers=WORKERS).bound(K, start))
    total = np.cumsum(steps(rule, delay))
    begun = total > 0
    # Without noise the bound depends on the sum of the steps only.
    noise_free = {"noise_slope": 0.0, "noise_floor": 0.0, "window_budget": 0.5, "largest_step": 1 / where.L}
    mean = np.where(begun, total, 1.0) / K
    promise = theorem("delay-adaptive-convex").evaluate(
        L_hat=where.L, **noise_free, mean_step=mean, mean_square_step=mean**2
    )
    return np.where(begun, promise.bound(K, start), np.inf)


def gains(iterations: int, seeds: int) -> Table:
    """Return the sum of steps over that of the constant step (y), and largest over mean delay (x), of many traces."""
    tables = []
    for n, index, seed in product(SIZES, INDICES, range(seeds)):
        delay = pareto_delays(n, index, iterations, seed)
        sums = {name: steps(rule, delay).sum() for name, rule in rules(n, 1.0, int(delay.max())).items()}
        spread_of_delays = float(delay.max() / delay.mean())
        tables += [
            Table.of(panel="gain", rule=name, x=spread_of_delays, y=float(sums[name] / sums[CONSTANT]))
            for name in (FILL, OVER, FILTER)
        ]
    return stacked(tables)


COLOURS = {FILL: style.BLUE, OVER: style.GREEN, FILTER: style.ORANGE, CONSTANT: style.VERMILION}


def plot(table: Table) -> Drawing:
    """Sums of steps, gaps with bounds, gains over many traces."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.9, columns=3)
    for name, colour in COLOURS.items():
        rows, gap, bound = (table.where(panel=panel, rule=name) for panel in ("sum", "gap", "bound"))
        axes[0].loglog(rows["x"], rows["y"], color=colour, label=name)
        axes[1].loglog(gap["x"], gap["y"], color=colour)
        axes[1].loglog(bound["x"], bound["y"], color=colour, linestyle=":")
    axes[0].set(title="sum of steps", xlabel="iterations $K$", ylabel=r"$L\sum_{k<K}\gamma_k$")
    axes[1].set(title="mean gap, bounds dotted", xlabel="iterations $K$", ylabel=r"mean of the gap, weights $\gamma_k$")
    lowest = min(float(np.nanmin(table.where(panel="gap", rule=name)["y"])) for name in COLOURS)
    axes[1].set(ylim=(0.8 * lowest, 3e2))
    _draw_gains(axes[2], table.where(panel="gain"))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    style.panel_letters(axes)
    return figure


def _draw_gains(axis: Axes, rows: Table) -> None:
    for name, marker in ((FILTER, "^"), (OVER, "s"), (FILL, "o")):
        part = rows.where(rule=name)
        axis.loglog(part["x"], part["y"], marker, color=COLOURS[name], markersize=2.5, markeredgewidth=0, alpha=0.8)
    ends = np.array([1.0, 1.2 * rows["x"].max()])
    axis.plot(ends, ends, color=style.GREY, linewidth=0.8)
    axis.plot(ends, [1, 1], color=style.GREY, linewidth=0.8)
    axis.set(title="gain in the sum", xlabel="largest delay / mean delay", ylabel="over the constant step")
    axis.set(xlim=tuple(ends))


FIGURE = Figure(
    name="staleness-adaptive-steps",
    title="Steps from measured delays",
    caption=(
        f"Asynchronous server, {WORKERS} workers with Pareto compute times of index {INDEX}, all with the same "
        "function (logistic regression on every tenth e-mail), exact gradients. (a) Sum of the steps in units of 1/L: "
        "the step that is safe for the largest delay of the trace, known beforehand; rules 1 and 2, which fill the "
        "window 1/L with what the delays leave; messages later than 2n - 1 dropped. (b) Mean of F(x_k) - F* with the "
        "steps as weights; dotted: guaranteed. (c) Gain in the sum over traces of "
        f"{', '.join(map(str, SIZES))} workers and indices {', '.join(map(str, INDICES))}; lines: 1, and largest over "
        "mean delay."
    ),
    claim="Steps that follow the delays gain about largest over mean delay, and the gap falls accordingly.",
    theorems=("delay-adaptive-convex", "delay-filter", "stale-convex", "delay-budget"),
    compute=compute,
    plot=plot,
)
