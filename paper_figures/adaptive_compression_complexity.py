"""Table: how many iterations are guaranteed, in the worst case and with the data, and how many it took."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from taciturn.theory import theorem

from . import style
from .adaptive_compression_guarantees import decrease_for_any_gradient
from .adaptive_compression_runs import TEXT, Trajectory, dense, fixed, problem, trajectories
from .figure import Figure
from .setting import Progress, Setting
from .table import Table

__all__ = ["FIGURE"]

ENTRIES = 100
TARGET = 0.2  # gap relative to the start
GRADIENT_TARGET = 0.05  # squared gradient relative to the start
BATCH = 64  # rows of a stochastic gradient

METHODS = {"full": "all entries", "S": f"S, $T={ENTRIES}$", "S+Q": f"S+Q, $T={ENTRIES}$", "SS": f"SS, $T={ENTRIES}$"}
PL, CONVEX, NONCONVEX, STOCHASTIC = (
    "PL inequality",
    "convex",
    "non-convex",
    f"PL inequality, stochastic gradients of {BATCH} rows",
)


def compute(setting: Setting, progress: Progress) -> Table:
    """Iterations to the targets, from theorems and from runs."""
    tasks = {"full": dense(0.05), "S": fixed("S", ENTRIES, 0.1)}
    tasks |= {scheme: fixed(scheme, ENTRIES, TARGET) for scheme in ("S+Q", "SS")}
    runs = dict(zip(tasks, trajectories(setting, list(tasks.values()), progress), strict=True))
    rows = [row for method, run in runs.items() for row in _rows(method, run)] + list(_stochastic(runs["full"].gap[0]))
    rows.sort(key=lambda row: (PL, CONVEX, NONCONVEX, STOCHASTIC).index(row["assumption"]))
    return Table.of(**{name: [row[name] for row in rows] for name in rows[0]})


def _rows(method: str, run: Trajectory) -> Iterator[dict[str, Any]]:
    """One row for each assumption: the theorem, its iterations with the worst and with the mean decrease, the run's."""
    where, gap = problem(TEXT), float(run.gap[0])
    radius = math.sqrt(float(run.squared_distance.max()))
    eps = GRADIENT_TARGET * float(run.squared_gradient_norm[0])
    to_gap, to_gradient = _first(run.gap, TARGET * gap), _first(run.squared_gradient_norm, eps)
    pl = {"S+Q": ("sq-rates", "beta"), "SS": ("ss-pl-rate", "omega")}.get(method, ("topT-pl-rate", "alpha"))
    # Full gradients and the scaled sign of S+Q are of projection type, to which the statements about S apply.
    family, letter = ("ss", "omega") if method == "SS" else ("topT", "alpha")
    convex = ({"L": where.L}, radius**2) if method == "SS" else ({"L": where.L, "radius": radius}, gap)
    cases = (
        (PL, *pl, {"L": where.L, "mu": where.mu}, TARGET * gap, gap, to_gap),
        (CONVEX, f"{family}-convex-rate", letter, convex[0], TARGET * gap, convex[1], to_gap),
        (NONCONVEX, f"{family}-nonconvex-rate", letter, {"L": where.L}, eps, gap, to_gradient),
    )
    for assumption, id, name, constants, accuracy, initial, measured in cases:
        seen = run.coefficient if measured is None else run.coefficient[:measured]
        decreases = np.array([_worst(method), seen.mean()])
        any_data, with_data = theorem(id).evaluate(**constants, **{name: decreases}).iterations(accuracy, initial)
        yield _row(assumption, method, id, any_data, with_data, math.nan if measured is None else measured)


def _first(values: NDArray[Any], target: float) -> int | None:
    """The first iteration with a value of at most the target; None if there is none."""
    reached = np.flatnonzero(values <= target)
    return int(reached[0]) if reached.size else None


def _worst(method: str) -> float:
    """The certified decrease of a message with `ENTRIES` entries, whatever the gradient."""
    return 1.0 if method == "full" else float(decrease_for_any_gradient(method, ENTRIES, problem(TEXT).d))


def _stochastic(gap: float) -> Iterator[dict[str, Any]]:
    """Stochastic gradients: rows have norm 1 and slopes at most 1, so one row deviates by at most 1 in mean square."""
    where, rate = problem(TEXT), theorem("ss-sgd")
    for method in ("full", "SS"):
        constants = {"L": where.L, "mu": where.mu, "omega": _worst(method), "gradient_noise": BATCH**-0.5}
        largest = rate.evaluate(**constants)
        residual: Any = largest.residual
        # The residual is proportional to the step size: half of the target is left to the other term.
        step: Any = largest.step_size
        small = rate.evaluate(**constants, step_size=step * min(1.0, TARGET * gap / 2 / residual))
        yield _row(STOCHASTIC, method, rate.id, small.iterations(TARGET * gap, gap), math.nan, math.nan)


def _row(assumption: str, method: str, id: str, any_data: float, data: float, measured: float) -> dict[str, Any]:
    guaranteed = {"any_data": float(any_data), "with_data": float(data), "measured": float(measured)}
    return {"assumption": assumption, "method": METHODS[method], "theorem": id, **guaranteed}


def plot(table: Table) -> Drawing:
    """The table, typeset."""
    columns = {"method": 0.02, "theorem": 0.24, "any_data": 0.63, "with_data": 0.81, "measured": 0.99}
    heads = ("", "theorem", "guaranteed,\nany data", "guaranteed,\nwith the data", "measured")
    assumptions = table.different("assumption")
    lines = len(table) + len(assumptions)
    figure, (axis,) = style.canvas(0.72 * style.TWO_COLUMNS, 0.17 * (lines + 4))
    axis.set(xlim=(0, 1), ylim=(lines + 0.6, -2.6))
    axis.axis("off")
    for head, (name, x) in zip(heads, columns.items(), strict=True):
        axis.text(x, -0.9, head, ha=_side(name), va="center", fontweight="bold", fontsize=8.5)
    y = 0.0
    for weight, height in ((1.0, -2.4), (0.6, 0.1)):
        axis.axhline(height, color=style.BLACK, linewidth=weight)
    for assumption in assumptions:
        y += 0.75
        axis.text(0, y, assumption, style="italic", va="center")
        y += 0.25
        for row in _each(table.where(assumption=assumption)):
            y += 0.75
            _write(axis, y, columns, row)
            y += 0.25
    axis.axhline(lines + 0.4, color=style.BLACK, linewidth=1.0)
    return figure


def _each(table: Table) -> Iterator[dict[str, Any]]:
    for values in zip(*table.columns.values(), strict=True):
        yield dict(zip(table.columns, values, strict=True))


def _write(axis: Axes, y: float, columns: dict[str, float], row: dict[str, Any]) -> None:
    for name, x in columns.items():
        axis.text(x, y, row[name] if _side(name) == "left" else _number(row[name]), ha=_side(name), va="center")


def _side(name: str) -> str:
    return "left" if name in ("method", "theorem") else "right"


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    if value < 10_000:
        return f"{value:.0f}"
    exponent = math.floor(math.log10(value))
    return rf"${value / 10**exponent:.1f}\times10^{{{exponent}}}$"


FIGURE = Figure(
    name="adaptive-compression-complexity",
    title="Iteration complexity: guaranteed and measured",
    caption=(
        f"Iterations until F(x) - F* is {TARGET} of its value at the start (non-convex: until the smallest squared "
        f"gradient is {GRADIENT_TARGET} of the first), for logistic regression on e-mails, d = 26,521, condition "
        "number 142. Guaranteed for any data: from T/d, and for S+Q from min(1/T, T/d). With the data: from the mean "
        "decrease seen until the target, which is known only after the run. Convex: with the largest distance to the "
        "minimiser in the run (SS: for the averaged point). Stochastic gradients: means of "
        f"{BATCH} rows of norm at most 1, with the step size for the target."
    ),
    claim="Sparsification multiplies the worst-case complexity by d/T, and with the data by 1/(mean decrease) only.",
    theorems=(
        "topT-pl-rate",
        "sq-rates",
        "ss-pl-rate",
        "topT-convex-rate",
        "ss-convex-rate",
        "topT-nonconvex-rate",
        "ss-nonconvex-rate",
        "ss-sgd",
        "alpha-profile",
        "beta-profile",
        "ss-omega-profile",
    ),  # fmt: skip
    compute=compute,
    plot=plot,
)
