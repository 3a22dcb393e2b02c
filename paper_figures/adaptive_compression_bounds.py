"""Runs of CAT against the bounds that are certified for them."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from taciturn.theory import theorem

from . import style
from .adaptive_compression_guarantees import decrease_for_any_gradient, linear_rate
from .adaptive_compression_runs import (
    MNIST,
    TEXT,
    Task,
    Trajectory,
    cat,
    mnist_is_here,
    problem,
    spread,
    trajectories,
)
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "curves", "tasks"]

POINTS = 120
CASES = (
    ("e-mails", TEXT, None, {"S": 0.05, "S+Q": 0.2}),
    ("e-mails", TEXT, 1e-3, {"S": 1e-3, "S+Q": 1e-3}),
    ("e-mails", TEXT, 1e-2, {"S": 1e-4, "S+Q": 1e-4}),
)
MNIST_CASE = ("MNIST", MNIST, None, {"S": 0.2, "S+Q": 0.2})
"""Data, problem, regularisation (None: the usual one) and the relative gap that the run of each scheme is taken to."""

LINES: dict[str, dict[str, Any]] = {
    "any data": {"color": style.BLACK, "linestyle": ":", "label": r"$T_k/d$: any data"},
    "mean": {"color": style.GREEN, "linestyle": "-.", "label": r"$(1-\bar\alpha_k/\kappa)^k$: data, PL"},
    "exact": {"color": style.VERMILION, "linestyle": "--", "label": r"$\prod r^2$: data, strongly convex"},
    "measured": {"color": style.BLUE, "label": "measured"},
}


def tasks() -> dict[tuple[str, str], Task]:
    """The runs by scheme and title; those with the usual regularisation are shared."""
    cases = (*CASES, MNIST_CASE) if mnist_is_here() else CASES
    return {
        (scheme, f"{data}, {_condition(problem(name, lam).condition_number)}"): cat(scheme, "plain", gap, name, lam)
        for scheme in ("S", "S+Q")
        for data, name, lam, gaps in cases
        for gap in (gaps[scheme],)
    }


def _condition(number: float) -> str:
    return rf"$\kappa={number:.0f}$" if number >= 10 else rf"$\kappa={number:.1f}$"


def compute(setting: Setting, progress: Progress) -> Table:
    """Relative gaps over iterations, measured and certified."""
    wanted = tasks()
    tables = []
    for (key, task), run in zip(wanted.items(), trajectories(setting, list(wanted.values()), progress), strict=True):
        k = np.unique(np.concatenate([[0], spread(1, len(run.cost), POINTS)]))
        for curve, values in curves(key[0], task, run).items():
            columns = {"scheme": key[0], "problem": key[1], "curve": curve}
            tables.append(Table.of(**columns, iteration=k, relative_gap=values[k]))
    return stacked(tables)


def curves(scheme: str, task: Task, run: Trajectory) -> dict[str, NDArray[Any]]:
    """Return the measured relative gap and its bounds, each of shape (K + 1,)."""
    where = problem(task.problem, task.regularisation)
    efficiency, T, K = run.coefficient[:, 0], run.sparsity[:, 0], np.arange(1, len(run.cost) + 1)
    any_data: Any = linear_rate(scheme, where, decrease_for_any_gradient(scheme, T, where.d)).rate
    mean = linear_rate(scheme, where, np.cumsum(efficiency) / K)
    # The scaled sign is of projection type as well, so the exact factor holds with beta in place of alpha.
    exact: Any = theorem("topT-sc-exact").evaluate(L=where.L, mu=where.mu, alpha=efficiency).rate
    return {
        "any data": np.cumprod([1.0, *any_data]),
        "mean": np.array([1.0, *mean.bound(K, 1.0)]),
        "exact": np.cumprod([1.0, *exact]),
        "measured": run.relative_gap,
    }


def plot(table: Table) -> Drawing:
    """A row for each scheme, a column for each problem."""
    schemes, problems = table.different("scheme"), table.different("problem")
    figure, axes = style.canvas(style.TWO_COLUMNS, 4.4, rows=len(schemes), columns=len(problems), sharey=True)
    panels = [(scheme, name) for scheme in schemes for name in problems]
    for axis, (scheme, name) in zip(axes, panels, strict=True):
        for curve, look in LINES.items():
            rows = table.where(scheme=scheme, problem=name, curve=curve)
            axis.semilogy(rows["iteration"], rows["relative_gap"], **look)
        axis.set_title(name)
    for axis in axes[-len(problems) :]:
        axis.set_xlabel("iteration $k$")
    for axis, scheme in zip(axes[:: len(problems)], schemes, strict=True):
        axis.set_ylabel(f"CAT-{scheme}: gap relative to the start")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    style.panel_letters(axes)
    return figure


FIGURE = Figure(
    name="adaptive-compression-bounds",
    title="Runs against their certified bounds",
    caption=(
        "F(x_k) - F* relative to the start along runs of CAT, and the bounds certified for these very runs: the mean "
        "of the certified decreases under the PL inequality; the product of the exact one-step factors for strongly "
        "convex functions; and what the same numbers of entries guarantee for any data. Logistic regression on "
        "e-mails, d = 26,521, regularisation 1e-4, 1e-3 and 1e-2, and softmax regression on 2000 images of MNIST where "
        "a copy is at hand; payload with 64 bits."
    ),
    claim="The bounds hold along every run; with the data they are useful where the problem is well conditioned.",
    theorems=("topT-pl-rate", "topT-sc-exact", "sq-rates", "alpha-profile", "beta-profile"),
    compute=compute,
    plot=plot,
)
