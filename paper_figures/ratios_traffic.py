"""Traffic of thresholds over time: fixed ones, the l1 rule and the controller, against the budget."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from taciturn.solvers.array import array_like
from taciturn.solvers.methods import ErrorFeedback, Method, PerWorkerThresholds, ThresholdFeedback, run
from taciturn.solvers.problems import LinearModel
from taciturn.solvers.thresholds import L1Rule, ThresholdController

from . import ratios_runs as runs
from . import style
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "largest_excess", "problem"]

ITERATIONS = {"quick": 200, "full": 1000}
IMBALANCE = 2
KEPT = 0.05  # of the entries, on average: the budget
ETA, GAIN = 0.5, 0.05  # of the l1 rule and of the controller
STEP = 2.0  # times 1/L
FIXED = (1.0, 0.1)
"""Fixed thresholds in units of the one that sends the budget in the first iteration."""


def problem(setting: Setting) -> LinearModel:
    """Return the logistic regression on e-mails that is solved."""
    return runs.problem(runs.CASES[0], IMBALANCE, 0, setting.budget)


def _budget(where: LinearModel) -> int:
    """Entries per iteration of one worker."""
    return max(int(KEPT * where.d), 1)


def _first_level(where: LinearModel) -> float:
    """The common threshold that sends the budget of all workers in the first iteration."""
    magnitudes = np.sort(np.abs(where.worker_gradients(np.zeros(where.d))).ravel())
    return float(magnitudes[-where.workers * _budget(where)])


def _methods(where: LinearModel) -> dict[str, Method]:
    level, step, own = _first_level(where), STEP / where.L, _budget(where)
    fixed = {
        f"fixed, {factor:g}": ErrorFeedback(PerWorkerThresholds([factor * level] * where.workers), step)
        for factor in FIXED
    }
    return {
        **fixed,
        "l1 rule": ThresholdFeedback(L1Rule(own, where.d, ETA), step_size=step),
        "controller": ThresholdFeedback(
            ThresholdController(own * where.workers, GAIN),
            profile=np.ones(where.workers),
            initial=FIXED[-1] * level,
            step_size=step,
        ),
    }


def largest_excess(where: LinearModel, l1_norms: NDArray[np.float64]) -> float:
    """Return how many entries thr-controller lets all workers send above the budget, for these total l1 norms."""
    controller = ThresholdController(_budget(where) * where.workers, GAIN)
    initial = FIXED[-1] * _first_level(where)
    return controller.largest_excess(float(l1_norms.max()), initial, where.d * where.workers)


def compute(setting: Setting, progress: Progress) -> Table:
    """Entries of all workers in every iteration and until then, and the gap."""
    where = problem(setting)
    there = where.on(setting.prototype())
    total = where.workers * _budget(where)
    methods = _methods(where)
    k = np.arange(1, ITERATIONS[setting.budget] + 1)
    tables = []
    for done, (name, method) in enumerate(methods.items(), start=1):
        x0 = array_like(np.zeros(where.d), there.weights)
        l1 = {"l1": _total_l1} if name == "controller" else {}
        result = run(method, there, len(k), x0=x0, reference=False, record=l1)
        sent = result.sparsity.sum(axis=-1)
        gap = (result.value - where.minimum) / (result.value[0] - where.minimum)
        allowed = largest_excess(where, result.recorded["l1"]) if l1 else 0.0
        columns: dict[str, Any] = {"sent": sent, "cumulative": np.cumsum(sent), "relative_gap": gap[1:]}
        tables.append(Table.of(rule=name, iteration=k, budget=total, allowed_excess=allowed, **columns))
        progress(done, len(methods))
    return stacked(tables)


def _total_l1(state: Any) -> Any:
    return abs(state.gradients).sum()


LOOKS: dict[str, dict[str, Any]] = {
    "fixed, 1": {"color": style.GREY},
    "fixed, 0.1": {"color": style.ORANGE},
    "l1 rule": {"color": style.BLUE},
    "controller": {"color": style.VERMILION},
}
WORDS = {
    "fixed, 1": r"fixed, $\lambda_1$",
    "fixed, 0.1": r"fixed, $\lambda_1/10$",
    "l1 rule": r"$\ell_1$ rule",
    "controller": "controller",
}


def plot(table: Table) -> Drawing:
    """Traffic, cumulative traffic with the budget line, gap over traffic."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.8, columns=3)
    budget, k = table["budget"][0], np.unique(table["iteration"])
    for rule, look in LOOKS.items():
        rows = table.where(rule=rule)
        axes[0].semilogy(rows["iteration"], np.maximum(rows["sent"] / budget, FEWEST), linewidth=0.8, **look)
        axes[1].plot(rows["iteration"], rows["cumulative"] / budget, label=WORDS[rule], **look)
        axes[2].loglog(rows["cumulative"] / budget, rows["relative_gap"], **look)
    excess = table.where(rule="controller")["allowed_excess"][0] / budget
    axes[1].plot(k, k + excess, color=style.VERMILION, linestyle=":", linewidth=1.0, label="its bound")
    for axis, line in ((axes[0], np.ones(len(k))), (axes[1], k)):
        axis.plot(k, line, color=style.BLACK, linestyle="--", linewidth=1.0, label="budget")
    axes[0].set(title="each iteration", xlabel="iteration $k$", ylabel="entries over the budget", ylim=(FEWEST, 30))
    axes[1].set(title="until then", xlabel="iteration $k$", ylabel="entries over the budget")
    axes[1].set(ylim=(0, 2.2 * k[-1]))
    axes[2].set(title="gap", xlabel="entries over the budget", ylabel="gap relative to the start")
    style.panel_letters(axes)
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=6, columnspacing=1.2)
    return figure


FEWEST = 0.01  # what is drawn of fewer entries


FIGURE = Figure(
    name="ratios-traffic",
    title="Traffic of thresholds over time",
    caption=(
        "Entries that ten workers with shares ~ i^-2 send under error feedback with hard thresholds, in units of the "
        "budget (5 % of all entries per iteration), on a logistic regression on e-mails: in each iteration, until "
        "then, and the gap against them. Fixed thresholds lambda_1, which sends the budget in the first iteration, "
        "and a tenth of it; the l1 rule for every worker, eta = 1/2; one controller for the total, gain 0.05, started "
        "at lambda_1/10, with its bound thr-controller (dotted)."
    ),
    claim="A fixed threshold misses the budget either way; the l1 rule never exceeds it, the controller settles on it.",
    theorems=("thr-l1-rule", "thr-controller", "thr-traffic"),
    compute=compute,
    plot=plot,
)
