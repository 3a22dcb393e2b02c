"""Runs of CAT against the bounds that are certified for them."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from taciturn.theory import theorem

from . import style
from .adaptive_compression_runs import TEXT, Trajectory, cat, problem, spread, trajectories
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE"]

POINTS = 120
RUNS = {1e-4: {"S": 0.05, "S+Q": 0.2}, 1e-3: {"S": 1e-3, "S+Q": 1e-3}, 1e-2: {"S": 1e-4, "S+Q": 1e-4}}
"""Relative gap that each run is taken to, by regularisation and scheme."""

LINES: dict[str, dict[str, Any]] = {
    "any data": {"color": style.BLACK, "linestyle": ":", "label": r"$T_k/d$: any data"},
    "mean": {"color": style.GREEN, "linestyle": "-.", "label": r"$(1-\bar\alpha_k/\kappa)^k$: data, PL"},
    "exact": {"color": style.VERMILION, "linestyle": "--", "label": r"$\prod r^2$: data, strongly convex"},
    "measured": {"color": style.BLUE, "label": "measured"},
}


def compute(setting: Setting, progress: Progress) -> Table:
    """Relative gaps over iterations, measured and certified."""
    cases = [(scheme, regularisation) for scheme in ("S", "S+Q") for regularisation in RUNS]
    tasks = [cat(scheme, "plain", RUNS[lam][scheme], None if lam == 1e-4 else lam) for scheme, lam in cases]
    tables = []
    for (scheme, lam), run in zip(cases, trajectories(setting, tasks, progress), strict=True):
        where = problem(TEXT, lam)
        k = np.unique(np.concatenate([[0], spread(1, len(run.cost), POINTS)]))
        for curve, values in _curves(scheme, where.L, where.mu, where.d, run).items():
            columns = {"scheme": scheme, "condition_number": where.condition_number, "curve": curve}
            tables.append(Table.of(**columns, iteration=k, relative_gap=values[k]))
    return stacked(tables)


def _curves(scheme: str, L: float, mu: float, d: int, run: Trajectory) -> dict[str, NDArray[Any]]:
    efficiency, T, K = run.coefficient[:, 0], run.sparsity[:, 0], np.arange(1, len(run.cost) + 1)
    if scheme == "S":
        pl, name = theorem("topT-pl-rate"), "alpha"
        any_data = theorem("alpha-profile").evaluate(d=d, T=T, effective_sparsity=d).decrease
    else:
        pl, name = theorem("sq-rates"), "beta"
        any_data = theorem("beta-profile").evaluate(d=d, T=T).decrease
    mean = np.cumsum(efficiency) / K
    # The scaled sign is of projection type as well, so the exact factor holds with beta in place of alpha.
    exact = theorem("topT-sc-exact").evaluate(L=L, mu=mu, alpha=efficiency).rate
    return {
        "any data": np.cumprod([1.0, *pl.evaluate(L=L, mu=mu, **{name: any_data}).rate]),
        "mean": np.array([1.0, *pl.evaluate(L=L, mu=mu, **{name: mean}).bound(K, 1.0)]),
        "exact": np.cumprod([1.0, *exact]),
        "measured": run.relative_gap,
    }


def plot(table: Table) -> Drawing:
    """A row for each scheme, a column for each condition number."""
    schemes, conditions = table.different("scheme"), table.different("condition_number")
    figure, axes = style.canvas(style.TWO_COLUMNS, 4.4, rows=len(schemes), columns=len(conditions), sharey=True)
    panels = [(scheme, condition) for scheme in schemes for condition in conditions]
    for axis, (scheme, condition) in zip(axes, panels, strict=True):
        for curve, look in LINES.items():
            rows = table.where(scheme=scheme, condition_number=condition, curve=curve)
            axis.semilogy(rows["iteration"], rows["relative_gap"], **look)
        axis.set_title(rf"CAT-{scheme}, $\kappa={condition:.3g}$")
    for axis in axes[-len(conditions) :]:
        axis.set_xlabel("iteration $k$")
    for axis in axes[:: len(conditions)]:
        axis.set_ylabel("gap relative to the start")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    style.panel_letters(axes)
    return figure


FIGURE = Figure(
    name="adaptive-compression-bounds",
    title="Runs against their certified bounds",
    caption=(
        "F(x_k) - F* relative to the start along runs of CAT, and the bounds certified for these very runs: the mean of "
        "the certified decreases under the PL inequality; the product of the exact one-step factors for strongly convex "
        "functions; and what the same numbers of entries guarantee for any data. Logistic regression on e-mails, "
        "d = 26,521, regularisation 1e-4, 1e-3 and 1e-2, payload with 64 bits."
    ),
    claim="The bounds hold along every run; with the data they are useful where the problem is well conditioned.",
    theorems=("topT-pl-rate", "topT-sc-exact", "sq-rates", "alpha-profile", "beta-profile"),
    compute=compute,
    plot=plot,
)
