"""Loss over rounds for ratios that follow the volumes by several exponents, every method at its own best step."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from . import ratios_runs as runs
from . import style
from .adaptive_compression_runs import spread
from .figure import Figure
from .ratios_assignment import LOOKS, NAMES
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE"]

BUDGET = "tight"
POINTS = 60


def compute(setting: Setting, progress: Progress) -> Table:
    """Gaps over rounds at the best step, for every seed."""
    wanted = [(case, a, BUDGET, name) for case in runs.cases() for a in runs.IMBALANCES for name in LOOKS]
    done = runs.courses(setting, wanted, progress)
    return stacked(_curve(*task, course) for task, course in done.items())


def _curve(case: runs.Case, imbalance: int, budget: str, name: str, seed: int, course: runs.Course) -> Table:
    del budget
    last = len(course.gap) - 1
    k = np.unique(np.concatenate([[0], spread(1, last, POINTS), np.linspace(0, last, POINTS).astype(int)]))
    at = {"data": case.title, "imbalance": imbalance, "preset": name, "seed": seed, "iterations": course.iterations}
    return Table.of(**at, step=float(runs.GRID[course.best]), round=k, relative_gap=course.gap[k, course.best])


def plot(table: Table) -> Drawing:
    """A row for each data set, a column for each imbalance."""
    data, imbalances = table.different("data"), table.different("imbalance")
    size = (style.TWO_COLUMNS, 0.9 + 1.75 * len(data))
    figure, axes = style.canvas(*size, rows=len(data), columns=len(imbalances), sharey=True, sharex="row")
    for axis, (title, imbalance) in zip(axes, _places(table), strict=True):
        _draw(axis, table.where(data=title, imbalance=imbalance))
        axis.set(title=rf"{title}, $p_i\propto i^{{-{imbalance}}}$", ylim=(0.7 * runs.TARGET, 1.4))
    for axis in axes[:: len(imbalances)]:
        axis.set(ylabel="relative gap")
    for axis in axes[-len(imbalances) :]:
        axis.set(xlabel="round $k$")
    style.panel_letters(axes)
    handles = [Line2D([], [], label=NAMES[name], **look) for name, look in LOOKS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _places(table: Table) -> Iterator[tuple[str, int]]:
    return ((title, a) for title in table.different("data") for a in table.different("imbalance"))


def _draw(axis: Axes, rows: Table) -> None:
    axis.axhline(runs.TARGET, color=style.GREY, linewidth=0.7, linestyle=":")
    for number, (name, look) in enumerate(LOOKS.items()):
        own = rows.where(preset=name)
        needed = []
        for seed in own.different("seed"):
            part = own.where(seed=seed)
            axis.semilogy(part["round"], part["relative_gap"], linewidth=0.7, alpha=0.6, **look)
            needed.append(float(part["iterations"][0]))
        if np.isfinite(needed).all():
            height = runs.TARGET * (1.25 - 0.1 * number)
            axis.plot([min(needed), max(needed)], [height, height], linewidth=0.8, **look)
            axis.plot(np.mean(needed), height, "o", markersize=3.5, **look)


FIGURE = Figure(
    name="ratios-convergence",
    title="Loss over rounds for ratios that follow the volumes",
    caption=(
        "F(x_k) - F* relative to the start of logistic regression by error feedback with top-k, ten workers, 2 % of "
        "the entries on average, ratios in proportion to p_i^alpha, against rounds, for shares p_i ~ i^-1, i^-2, "
        "i^-3. Every method at its own best step of the same grid, by factors sqrt(2); one line for each seed of the "
        "partition; dots and bars: mean and range of the rounds to 1 % (dotted). Data: e-mails dealt at random, and "
        "alike in their labels; MNIST, odd or even, where a local copy is. Quick: 604 e-mails, 200 tokens, 600 "
        "images, 3 seeds; full: 6046 e-mails, 2000 tokens, 5000 images, 10 seeds."
    ),
    claim="Matched ratios save rounds, the more the more imbalanced; 1/2 is safe, 1 only where the data are alike.",
    theorems=("exponent-table", "exponent-symmetry", "gain-formula"),
    compute=compute,
    plot=plot,
)
