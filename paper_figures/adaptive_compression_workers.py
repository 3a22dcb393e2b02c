"""Several workers with different data: CAT without memory stalls, with EF21 it converges."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from taciturn.solvers.compressors import TopK
from taciturn.solvers.methods import CAT, EF21, CompressedGradient, CoordinatedCAT, Fixed, Method
from taciturn.theory import theorem

from . import style
from .adaptive_compression_runs import (
    DIGITS,
    SPLIT_TEXT,
    Task,
    Trajectory,
    dense,
    plain_cost,
    problem,
    spread,
    trajectories,
    workers_data,
)
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = [
    "ACCURACY",
    "CERTIFIED",
    "FIGURE",
    "FIXED",
    "FULL",
    "LARGE_STEP",
    "LOCAL",
    "fewest_entries",
    "neighbourhood",
    "tasks",
    "workers_data",
]

ACCURACY = 1e-6
STALLED = 400  # iterations of the methods that do not converge
LONGEST = {DIGITS: 4000, SPLIT_TEXT: 400}  # iterations of the others, at most
POINTS = 200
FULL, LOCAL, JOINT, CERTIFIED, LARGE_STEP, FIXED = (
    "full gradients",
    "CAT, no memory",
    "coordinated CAT",
    "EF21 with CAT, certified step",
    "EF21 with CAT, step 1/L",
    "EF21 with fixed T, step 1/L",
)


def fewest_entries() -> int:
    """Return the least number of entries that CAT may send with the certified step: one in eight."""
    return problem(workers_data()).d // 8


def tasks() -> dict[str, Task]:
    """The runs by name. EF21 with the step 1/L has no theorem."""
    name = workers_data()
    L, cost, few = problem(name).L, plain_cost("S", problem(name).d), fewest_entries()
    methods: dict[str, Method] = {
        CERTIFIED: EF21(CAT("S", cost, few)),
        LARGE_STEP: EF21(CAT("S", cost), step_size=1 / L),
        FIXED: EF21(Fixed(TopK(few // 2), cost), step_size=1 / L),
    }
    return {
        FULL: dense(ACCURACY, name),
        LOCAL: Task(name, CompressedGradient(CAT("S", cost)), ACCURACY, STALLED),
        JOINT: Task(name, CompressedGradient(CoordinatedCAT(cost)), ACCURACY, STALLED),
        **{title: Task(name, method, ACCURACY, LONGEST[name]) for title, method in methods.items()},
    }


def compute(setting: Setting, progress: Progress) -> Table:
    """Relative gaps over iterations and bits of all workers, measured and certified."""
    wanted = tasks()
    runs = dict(zip(wanted, trajectories(setting, list(wanted.values()), progress), strict=True))
    bounds = {CERTIFIED: _memory_bound(runs[CERTIFIED]), LOCAL: neighbourhood(runs[LOCAL])}
    tables = []
    for name, run in runs.items():
        k = np.unique(np.concatenate([[0], spread(1, len(run.cost), POINTS)]))
        place = {"method": name, "iteration": k, "bits": run.cumulative_cost[k]}
        tables.append(Table.of(curve="measured", **place, relative_gap=run.relative_gap[k]))
        if name in bounds:
            tables.append(Table.of(curve="bound", **place, relative_gap=bounds[name][k] / run.gap[0]))
    return stacked(tables)


def _memory_bound(run: Trajectory) -> NDArray[Any]:
    """The potential of `ef21-cat-pl`, which bounds the gap; the estimates start at zero."""
    where = problem(workers_data())
    L_tilde = math.sqrt(float(where.weights @ where.L_i**2))
    delta = fewest_entries() / where.d
    guarantee = theorem("ef21-cat-pl").evaluate(L=where.L, mu=where.mu, L_tilde=L_tilde, delta=delta)
    theta = 1 - math.sqrt(1 - delta)
    step_size: Any = guarantee.step_size
    start = run.gap[0] + step_size / theta * run.worker_energy[0]
    return np.asarray(guarantee.bound(np.arange(len(run.gap)), start))


def neighbourhood(run: Trajectory) -> NDArray[Any]:
    """The bound of `mn-neighbourhood` with the dissimilarity seen in the run, for the G that gives the least residual.

    Any G is allowed with B^2 = max_k (sum_i p_i |g_i|^2 - G |g|^2) over the points visited.
    """
    where = problem(workers_data())
    alpha = float(run.coefficient[run.sparsity > 0].min())  # a silent worker has a zero gradient and keeps all of it
    G = 1 + np.linspace(0, 1, 200, endpoint=False) * alpha / (1 - alpha)
    B = np.sqrt(np.maximum(run.worker_energy - G[:, None] * run.squared_gradient_norm, 0).max(axis=1))
    candidates = {"L": where.L, "mu": where.mu, "alpha_min": alpha}
    residuals: Any = theorem("mn-neighbourhood").evaluate(**candidates, dissimilarity=G, heterogeneity=B).residual
    best = int(np.argmin(residuals))
    guarantee = theorem("mn-neighbourhood").evaluate(**candidates, dissimilarity=G[best], heterogeneity=B[best])
    return np.asarray(guarantee.bound(np.arange(len(run.gap)), run.gap[0]))


def plot(table: Table) -> Drawing:
    """Gap against bits, and against iterations with the bounds."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 3.2, columns=2, sharey=True)
    for name, colour in zip(table.different("method"), style.COLOURS, strict=False):
        measured, bound = table.where(method=name, curve="measured"), table.where(method=name, curve="bound")
        look = {"color": colour, "linestyle": (0, (5, 1)) if name in (LARGE_STEP, FIXED) else "-"}
        axes[0].loglog(measured["bits"][1:], measured["relative_gap"][1:], label=name, **look)
        axes[1].loglog(measured["iteration"][1:], measured["relative_gap"][1:], **look)
        axes[1].loglog(bound["iteration"][1:], bound["relative_gap"][1:], color=colour, linestyle=":")
    axes[0].set(
        title="price", xlabel="bits of all workers", ylabel="gap relative to the start", ylim=(ACCURACY / 3, 1e2)
    )
    axes[1].set(title="bounds (dotted)", xlabel="iteration $k$")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    style.panel_letters(axes)
    return figure


FIGURE = Figure(
    name="adaptive-compression-workers",
    title="Several workers",
    caption=(
        "F(x) - F* relative to the start for four workers, each with the 8x8 digits of other classes (odd against "
        "even, logistic loss, d = 64, condition number 27; without scikit-learn the e-mails split by label). CAT at "
        "each worker, also with a coordinated price, stalls far from the minimum; the dotted line is the neighbourhood "
        "guaranteed from the dissimilarity seen in the run. EF21 with CAT converges as guaranteed (dotted) with its "
        "certified step and at least d/8 entries; the step 1/L (dashed) no theorem covers."
    ),
    claim="With dissimilar data CAT alone converges to a neighbourhood; with EF21 it converges.",
    theorems=("mn-descent", "mn-neighbourhood", "ef21-cat-pl", "mn-price"),
    compute=compute,
    plot=plot,
)
