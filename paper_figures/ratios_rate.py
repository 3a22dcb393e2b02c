"""The exact rate of error feedback for every step, and what the other theorems promise there."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from taciturn.solvers.linear_instances import linear_instance_rate
from taciturn.theory import theorem
from taciturn.theory.memory_constants import memory_constants

from . import style
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE"]

POINTS = {"quick": 121, "full": 481}
MEASURED = 13  # steps or ratios at which the instances are run
CONDITION = 20.0
SHOWN = (0.9, 0.5, 0.1)  # ratios in the first panel
LOWEST = 0.01  # ratio in the others
CONDITIONS = (2.0, 20.0, 200.0)


def compute(setting: Setting, progress: Progress) -> Table:
    """Rates over the step; over the ratio at the best step; iterations over their limit."""
    points = POINTS[setting.budget]
    tables = [*_over_steps(points), *_over_ratios(points)]
    progress(1, 1)
    return stacked(tables)


def _best(delta: Any, condition: float) -> Any:
    return theorem("ef-tight").evaluate(L_max=1.0, mu=1 / condition, delta=delta)


def _limit(delta: float) -> float:
    """Steps from here on do not contract: `step-limit` of one worker."""
    constants = memory_constants([1.0], delta, smoothness=1.0)
    value = (
        theorem("step-limit")
        .evaluate(mean_smoothness=constants.mean_smoothness, memory_smoothness=constants.memory_smoothness)
        .value
    )
    assert value is not None
    return float(value)


def _over_steps(points: int) -> Iterator[Table]:
    mu = 1 / CONDITION
    for delta in SHOWN:
        limit = _limit(delta)
        share = np.linspace(0, 1, points + 1)[1:-1]
        exact: Any = theorem("ef-tight").evaluate(L_max=1.0, mu=mu, delta=delta, step_size=share * limit).rate
        yield _rows("step", "exact", delta, share, exact)
        best: Any = _best(delta, CONDITION)
        yield _rows("step", "best", delta, [best.step_size / limit], [best.rate])
        some = np.linspace(0.04, 0.96, MEASURED)
        measured = [linear_instance_rate([1.0], 1.0, mu, delta, float(s * limit)) ** 2 for s in some]
        yield _rows("step", "instances", delta, some, measured)
        for id in ("nuef-interpolation", "nuef21-pl"):
            steps, rates = _promised(id, delta, mu, share * limit)
            yield _rows("step", id, delta, steps / limit, rates)


def _promised(id: str, delta: float, mu: float, steps: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The steps that a theorem admits, and its rates there."""
    kept, rates = [], []
    for step in steps:
        beta = np.sqrt(1 - step * mu)
        if beta <= np.sqrt(1 - delta):
            continue
        constants = memory_constants([1.0], delta, smoothness=1.0, beta=float(beta))
        known = (
            {"discounted_curvature": constants.memory_curvature}
            if id == "nuef-interpolation"
            else {"discounted_smoothness": constants.memory_smoothness}
        )
        try:
            rate = theorem(id).evaluate(L=1.0, mu=mu, **known, step_size=float(step)).rate
        except ValueError:  # the step is longer than the theorem admits
            continue
        kept.append(step)
        rates.append(rate)
    return np.array(kept, dtype=float), np.array(rates, dtype=float)


def _over_ratios(points: int) -> Iterator[Table]:
    delta = np.geomspace(LOWEST, 0.999, points)
    for condition in CONDITIONS:
        best: Any = _best(delta, condition)
        yield _rows("ratio", "exact", condition, delta, 1 - best.rate)
        simple = [_simple(float(d), condition) for d in delta]
        yield _rows("ratio", "nuef21-pl-simple", condition, delta, simple)
        memoryless: Any = theorem("memoryless-tight").evaluate(L=1.0, mu=1 / condition, delta=delta).rate
        yield _rows("ratio", "memoryless-tight", condition, delta, 1 - memoryless)


def _simple(delta: float, condition: float) -> float:
    memory = memory_constants([1.0], delta, smoothness=1.0).memory_smoothness
    rate: Any = (
        theorem("nuef21-pl-simple").evaluate(L=1.0, mu=1 / condition, memory_smoothness=memory, delta=delta).rate
    )
    return 1 - float(rate)


def _rows(panel: str, curve: str, parameter: float, x: Any, y: Any) -> Table:
    return Table.of(panel=panel, curve=curve, parameter=parameter, x=np.asarray(x, float), y=np.asarray(y, float))


LINES: dict[str, dict[str, Any]] = {
    "exact": {"linestyle": "-"},
    "nuef21-pl": {"linestyle": "--", "linewidth": 1.0},
    "nuef21-pl-simple": {"linestyle": "--", "linewidth": 1.0},
    "memoryless-tight": {"linestyle": ":", "linewidth": 1.2},
}
COLOURS = (style.BLUE, style.GREEN, style.VERMILION)
CIRCLE: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 3.2, "fillstyle": "none"}


def plot(table: Table) -> Drawing:
    """Progress per iteration over the step, and over the ratio."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 3.2, columns=2)
    _draw_steps(axes[0], table.where(panel="step"))
    _draw_ratios(axes[1], table.where(panel="ratio"))
    style.panel_letters(axes)
    black = style.BLACK
    handles = [
        Line2D([], [], color=black, label="exact: ef-tight", **LINES["exact"]),
        Line2D([], [], color=black, label="worst quadratics", **CIRCLE),
        Line2D([], [], color=black, label="(a) nuef21-pl, (b) its simple step", **LINES["nuef21-pl"]),
        Line2D([], [], color=black, label="without memory, exact", **LINES["memoryless-tight"]),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _draw_steps(axis: Axes, rows: Table) -> None:
    for delta, colour in zip(rows.different("parameter"), COLOURS, strict=True):
        own = rows.where(parameter=delta)
        for curve in ("exact", "nuef21-pl"):
            part = own.where(curve=curve)
            axis.semilogy(part["x"], 1 - part["y"], color=colour, **LINES[curve])
        measured, best = own.where(curve="instances"), own.where(curve="best")
        axis.plot(measured["x"], 1 - measured["y"], color=colour, **CIRCLE)
        axis.plot(best["x"], 1 - best["y"], "^", color=colour, markersize=5)
        exact = own.where(curve="exact")
        middle = len(exact) // 3
        x, y = exact["x"][middle], 1 - exact["y"][middle]
        style.label_line(axis, x, 1.2 * y, rf"$\delta={delta:g}$", colour, ha="center", va="bottom")
    axis.set(title=rf"every step, $L/\mu={CONDITION:g}$", xlabel=r"step over its limit, $\eta/\eta_{\max}$")
    axis.set(xlim=(0, 1), ylabel="$1-$rate")


def _draw_ratios(axis: Axes, rows: Table) -> None:
    for condition, colour in zip(rows.different("parameter"), COLOURS, strict=True):
        for curve in rows.different("curve"):
            part = rows.where(parameter=condition, curve=curve)
            axis.loglog(part["x"], part["y"], color=colour, **LINES[curve])
        lowest = rows.where(parameter=condition, curve="nuef21-pl-simple")
        x, y = lowest["x"][len(lowest) // 2], lowest["y"][len(lowest) // 2]
        style.label_line(axis, 1.1 * x, 0.9 * y, rf"$L/\mu={condition:g}$", colour, ha="left", va="top")
    axis.set(title="best step of each theorem", xlabel=r"ratio, $\delta$", ylabel="$1-$rate")


FIGURE = Figure(
    name="ratios-rate",
    title="The exact rate of error feedback",
    caption=(
        "One minus the factor per iteration of the potential of error feedback, one worker. (a) L/mu = 20, over the "
        "step in units of the limit from which on nothing contracts: exact (triangles: best step), on the worst "
        "quadratics with compressors that scale (circles), and what nuef21-pl promises where it admits the step; "
        "nuef-interpolation promises the same for one worker. (b) At each theorem's best step, over the ratio, for "
        "three condition numbers; dotted: compressed gradients without memory, faster for a single worker."
    ),
    claim="The rate z^2 is exact for every step; general theorems lose a constant; one worker needs no memory.",
    theorems=(
        "ef-tight",
        "ef-ef21-isomorphism",
        "nuef-interpolation",
        "nuef21-pl",
        "nuef21-pl-simple",
        "memoryless-tight",
        "step-limit",
    ),
    compute=compute,
    plot=plot,
)
