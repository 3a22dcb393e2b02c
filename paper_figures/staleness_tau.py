"""The stale method for several delays, in exact expectation, against its theorems."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from taciturn.solvers.delays import Constant, Hold, RampPlateau, Trace
from taciturn.solvers.problems import Quadratic, heterogeneous_quadratic
from taciturn.solvers.second_moment import NoiseModel, second_moments
from taciturn.theory import Guarantee, theorem

from . import style
from .adaptive_compression_runs import spread
from .figure import Figure
from .setting import Progress, Setting
from .staleness_quadratics import mean_square
from .table import Table, stacked

__all__ = ["FIGURE", "alike", "different"]

FAMILIES: dict[str, type[Any]] = {"constant": Constant, "hold": Hold, "ramp": RampPlateau}
SHOWN = {"quick": (0, 2, 8, 32), "full": (0, 2, 8, 32, 128)}
TRIED = {"quick": (0, 1, 3, 7, 15, 31), "full": (0, 1, 3, 7, 15, 31, 63, 127)}
CONDITIONS = {"quick": (5, 20, 100, 1000), "full": (5, 10, 20, 50, 100, 200, 500, 1000, 10_000)}

VARIANCE = {"different": 1.0, "alike": 9.0}
"""Of the compressors: every entry is sent with probability 1/2, or 1/10."""

WORKERS = {"different": 4, "alike": 10}
SMALLEST_CURVATURE = 0.1  # of every f_i in the first panel and the last; the largest is 1
YOUNG = 2.0  # theta for different workers
COMPARED = 8  # delay in the second panel
ACCURACY = 1e-3  # in the last panel
ROUNDS = 60  # iterations over 1 + tau in the first panel, and in the second
POINTS = 120


def alike(tau: Any, mu: Any) -> dict[str, Guarantee]:
    """Return both theorems for workers with one quadratic, L = 1, at the root step of the refined one.

    That step is admissible for the other theorem too. All gradients vanish at the minimiser: theta = 0.
    """
    slope = VARIANCE["alike"] / WORKERS["alike"]
    return _both({"L_hat": 1.0, "tau": tau, "noise_slope": slope, "noise_floor": 0.0}, mu)


def different() -> Quadratic:
    """Return the quadratics of the first panel: other axes, curvatures and minimisers."""
    return heterogeneous_quadratic(WORKERS["different"], d=4, L=1.0, mu=SMALLEST_CURVATURE, spread=0.1, seed=2)


def _different(problem: Quadratic, tau: int) -> dict[str, Guarantee]:
    h, p = problem.worker_gradients(problem.minimiser), problem.weights
    noise = theorem("noise-table").evaluate(
        variance=VARIANCE["different"],
        young=YOUNG,
        Lambda=float(np.max(p * problem.L_i)),
        optimum_gradients=float(p**2 @ np.sum(h * h, axis=-1)),
    )
    known = {"L_hat": problem.L, "tau": tau, "noise_slope": noise.value, "noise_floor": noise.residual}
    return _both(known, SMALLEST_CURVATURE)


def _both(known: dict[str, Any], mu: Any) -> dict[str, Guarantee]:
    refined = theorem("stale-sc-refined").evaluate(mu=mu, **known)
    return {
        "stale-sc-refined": refined,
        "stale-sc": theorem("stale-sc").evaluate(mu=mu, step_size=refined.step_size, **known),
    }


def compute(setting: Setting, progress: Progress) -> Table:
    """Squared distances over iterations; exponents over condition numbers; iterations to the accuracy over delays."""
    budget = setting.budget
    jobs: list[Callable[[], Iterator[Table]]] = [partial(_courses, tau) for tau in SHOWN[budget]]
    jobs += [partial(_exponents, number) for number in CONDITIONS[budget]]
    jobs += [partial(_iterations, tau) for tau in TRIED[budget]]
    tables: list[Table] = []
    for done, job in enumerate(jobs, start=1):
        tables.extend(job())
        progress(done, len(jobs))
    return stacked(tables)


def _courses(tau: int) -> Iterator[Table]:
    """Different workers, constant delay."""
    problem, K = different(), ROUNDS * (1 + tau)
    promised = _different(problem, tau)
    step: Any = promised["stale-sc-refined"].step_size
    start = problem.minimiser + 1.0
    noise = NoiseModel(diagonal=VARIANCE["different"])
    exact = second_moments(problem, Constant(tau).trace(K, problem.workers), step, noise, start).squared_distance
    k = np.unique(np.concatenate([[0], spread(1, K, POINTS), np.linspace(0, K, POINTS).astype(int)]))
    yield _rows("delays", "constant", tau, "exact", k, exact[k] / exact[0])
    for name, promise in promised.items():
        yield _rows("delays", "constant", tau, name, k, np.asarray(promise.bound(k, exact[0])) / exact[0])


def _exponents(condition_number: float) -> Iterator[Table]:
    """-ln(V_K / V_0) / (K gamma mu), started along the axis of the smallest curvature."""
    mu, K = 1 / condition_number, ROUNDS * (1 + COMPARED)
    promised = alike(COMPARED, mu)
    step: Any = promised["stale-sc-refined"].step_size
    for family in FAMILIES:
        course = mean_square([mu], _trace(family, COMPARED, K), step, VARIANCE["alike"], WORKERS["alike"])
        yield _rows("exponent", family, COMPARED, "exact", condition_number, -math.log(course[-1]) / (K * step * mu))
    for name, promise in promised.items():
        rate: Any = promise.rate
        yield _rows("exponent", "constant", COMPARED, name, condition_number, -math.log(rate) / (step * mu))


def _iterations(tau: int) -> Iterator[Table]:
    """Iterations to the accuracy, from a start at equal distance along three axes."""
    promised = alike(tau, SMALLEST_CURVATURE)
    step: Any = promised["stale-sc-refined"].step_size
    counts = {name: float(promise.iterations(ACCURACY, 1.0)) for name, promise in promised.items()}
    for family in FAMILIES:
        trace = _trace(family, tau, int(counts["stale-sc-refined"]))
        curvatures = np.geomspace(SMALLEST_CURVATURE, 1.0, 3)
        course = mean_square(curvatures, trace, step, VARIANCE["alike"], WORKERS["alike"])
        yield _rows("iterations", family, tau, "exact", 1.0 + tau, float(np.argmax(course <= ACCURACY)))
    for name, count in counts.items():
        yield _rows("iterations", "constant", tau, name, 1.0 + tau, count)


def _trace(family: str, tau: int, iterations: int) -> Trace:
    model = FAMILIES[family](tau)
    trace: Trace = model.trace(iterations, workers=1)
    return trace


def _rows(panel: str, family: str, tau: int, curve: str, x: Any, y: Any) -> Table:
    axis: NDArray[np.float64] = np.asarray(x, dtype=np.float64)
    return Table.of(panel=panel, family=family, tau=tau, curve=curve, x=axis, y=y)


BOUNDS: dict[str, dict[str, Any]] = {
    "stale-sc-refined": {"linestyle": "--", "linewidth": 1.0},
    "stale-sc": {"linestyle": ":", "linewidth": 1.1},
}


def plot(table: Table) -> Drawing:
    """Several delays; exponents; iterations over the delay."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.8, columns=3)
    _draw_delays(axes[0], table.where(panel="delays"))
    for axis, panel in zip(axes[1:], ("exponent", "iterations"), strict=True):
        _draw_families(axis, table.where(panel=panel))
    axes[1].set(title=rf"exponent, $\tau={COMPARED}$", xlabel=r"condition number, $L/\mu$", ylim=(0.8, 2.45))
    axes[1].set(xscale="log", ylabel=r"$-\ln(V_k/V_0)/(k\gamma\mu)$")
    axes[2].set(title=f"iterations to $10^{{{round(math.log10(ACCURACY))}}}V_0$", xlabel=r"$1+\tau$ (iterations)")
    axes[2].set(xscale="log", yscale="log", ylabel="iterations")
    axes[2].legend(loc="upper left")
    style.panel_letters(axes)
    handles = [Line2D([], [], color=style.BLACK, label="exact expectation")]
    handles += [Line2D([], [], color=style.BLACK, label=f"bound, {name}", **look) for name, look in BOUNDS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _draw_delays(axis: Axes, rows: Table) -> None:
    for tau, colour in zip(rows.different("tau"), style.COLOURS, strict=False):
        for curve, look in {"exact": {}, "stale-sc-refined": BOUNDS["stale-sc-refined"]}.items():
            part = rows.where(tau=tau, curve=curve)
            axis.semilogy(part["x"] / (1 + tau), part["y"], color=colour, **look)
        axis.plot([], [], color=colour, label=rf"$\tau={tau}$")
    axis.legend(loc="lower left", ncols=2, columnspacing=1.0)
    axis.set(title="constant delay", xlabel=r"iterations over $1+\tau$", ylabel=r"$V_k/V_0$", ylim=(1e-8, 2))


def _draw_families(axis: Axes, rows: Table) -> None:
    for family, colour, mark in zip(rows.different("family"), style.COLOURS, "os^", strict=False):
        part = rows.where(family=family, curve="exact")
        axis.plot(part["x"], part["y"], color=colour, marker=mark, linewidth=0.8, label=family)
    for name, look in BOUNDS.items():
        part = rows.where(curve=name)
        axis.plot(part["x"], part["y"], color=style.BLACK, **look)


FIGURE = Figure(
    name="staleness-tau",
    title="Several delays",
    caption=(
        "V_k is the exact expected squared distance to the minimiser. (a) Constant delays of several lengths, over "
        "iterations divided by 1 + tau: four quadratics with other axes, curvatures (from 0.1 to 1) and minimisers; "
        "entries are sent with probability 1/2. (b) Exponent in units of gamma mu along the flattest axis, for delays "
        "of three families up to 8, ten workers with the same quadratic, entries sent with probability 1/10, and what "
        "the theorems guarantee at the same step. (c) Iterations to 1e-3 of V_0 for the workers of (b), L/mu = 10. "
        "Step: root step of stale-sc-refined."
    ),
    claim="Staleness slows by about 1 + tau and does not destroy the linear rate.",
    theorems=("stale-sc", "stale-sc-refined", "noise-table"),
    compute=compute,
    plot=plot,
)
