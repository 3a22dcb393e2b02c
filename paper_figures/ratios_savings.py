"""What the exponent 1/2 saves over uniform ratios, by imbalance and budget: guaranteed, predicted and measured."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from taciturn.solvers.ratios import preset
from taciturn.theory import theorem
from taciturn.theory.memory_constants import memory_constants

from . import ratios_runs as runs
from . import style
from .figure import Figure
from .ratios_assignment import shares_of
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "guaranteed", "measured", "predicted"]

GRID = {"quick": (25, 25), "full": (81, 81)}
"""Imbalances and budgets of the heat map."""

STEEPEST = 4.0
TIGHTEST = 1e-3  # fraction kept on average
LOWEST = 1e-6
PRESETS = ("tri", "chi2")
SHADES = np.arange(0, 1.0, 0.1)


def predicted(imbalance: float) -> float:
    """Return the saving that gain-formula predicts for shares as i^-imbalance.

    Examples
    --------
    >>> [round(predicted(imbalance), 3) for imbalance in (1, 2, 3)]
    [0.139, 0.446, 0.668]
    """
    root = float(np.sqrt(shares_of(runs.WORKERS, imbalance)).sum())
    gain = theorem("gain-formula").evaluate(workers=runs.WORKERS, root_sum=root).value
    assert gain is not None
    return 1 - 1 / float(gain)


def guaranteed(imbalance: float, means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the savings in the iterations that EF21 needs by nuef21-nonconvex at its longest step, L_i = L."""
    p = shares_of(runs.WORKERS, imbalance)
    steps = []
    for name in ("uniform", "tri"):
        ratios = [preset(name, p, runs.WORKERS * float(mean), lower=LOWEST).delta for mean in means]
        memory = np.array([memory_constants(p, delta, smoothness=1.0).memory_smoothness for delta in ratios])
        steps.append(np.asarray(theorem("nuef21-nonconvex").evaluate(L=1.0, memory_smoothness=memory).step_size))
    return np.asarray(1 - steps[0] / steps[1])


def compute(setting: Setting, progress: Progress) -> Table:
    """Savings over imbalance and budget, guaranteed; over imbalance, predicted and measured."""
    imbalances, budgets = GRID[setting.budget]
    tables = []
    for imbalance in np.linspace(0, STEEPEST, imbalances):
        mean = np.geomspace(TIGHTEST, 1, budgets)
        tables.append(_rows("guaranteed", "", "", imbalance, mean, guaranteed(float(imbalance), mean), 0.0))
        tables.append(_rows("predicted", "", "", imbalance, 0.0, predicted(float(imbalance)), 0.0))
    tables.extend(measured(setting, progress))
    return stacked(tables)


def measured(setting: Setting, progress: Progress) -> Iterator[Table]:
    """Yield mean savings of the runs over their seeds, with standard deviations."""
    wanted = [(case, a, budget) for case in runs.cases() for budget in runs.BUDGETS for a in runs.IMBALANCES]
    compared = ("uniform", *PRESETS)
    done = runs.courses(setting, [(*place, name) for place in wanted for name in compared], progress)
    seeds = range(runs.SEEDS[setting.budget])
    for case, imbalance, budget in wanted:
        needed = {name: [done[case, imbalance, budget, name, seed].iterations for seed in seeds] for name in compared}
        for name in PRESETS:
            saved = runs.saving(needed["uniform"], needed[name])
            mean = runs.BUDGETS[budget]
            yield _rows(case.title, name, budget, imbalance, mean, saved.mean(), saved.std(ddof=1))


def _rows(curve: str, name: str, budget: str, imbalance: float, mean: object, value: object, spread: float) -> Table:
    numbers = {"mean": mean, "saving": np.asarray(value, dtype=float), "spread": float(spread)}
    return Table.of(curve=curve, preset=name, budget=budget, imbalance=float(imbalance), **numbers)


COLOURS = (style.BLUE, style.GREEN, style.ORANGE)
MARKS = {"tri": "o", "chi2": "x"}


def plot(table: Table) -> Drawing:
    """The heat map; predicted and measured savings at two budgets."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 3.2, columns=3, width_ratios=(1.15, 1, 1))
    _draw_map(axes[0], table.where(curve="guaranteed"))
    for axis, budget in zip(axes[1:], runs.BUDGETS, strict=True):
        line = table.where(curve="predicted")
        axis.plot(line["imbalance"], 100 * line["saving"], color=style.BLACK, label="predicted")
        own = table.where(budget=budget)
        for number, (title, colour) in enumerate(zip(own.different("curve"), COLOURS, strict=False)):
            for name, mark in MARKS.items():
                part = own.where(curve=title, preset=name)
                axis.errorbar(
                    part["imbalance"] + 0.13 * (number - 1),
                    100 * part["saving"],
                    100 * part["spread"],
                    color=colour,
                    marker=mark,
                    linestyle="",
                    markersize=4,
                    elinewidth=0.8,
                )
        axis.axhline(0, color=style.GREY, linewidth=0.7)
        axis.set(title=rf"EF keeps ${100 * runs.BUDGETS[budget]:g}\,\%$", xlim=(0, STEEPEST), ylim=(-110, 100))
        axis.set(xlabel="imbalance $a$, $p_i\\propto i^{-a}$")
    axes[1].set(ylabel=r"iterations saved ($\%$)")
    style.panel_letters(axes)
    titles = [title for title in table.different("curve") if title not in ("guaranteed", "predicted")]
    for title, colour in zip(titles, COLOURS, strict=False):
        axes[1].plot([], [], "s", color=colour, label=title)
    axes[1].plot([], [], MARKS["tri"], color=style.GREY, label=r"$\alpha=1/2$")
    axes[1].plot([], [], MARKS["chi2"], color=style.GREY, label=r"$\alpha=1$")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=6, columnspacing=1.2)
    return figure


def _draw_map(axis: Axes, rows: Table) -> None:
    imbalance, mean = np.unique(rows["imbalance"]), np.unique(rows["mean"])
    saved = 100 * rows["saving"].reshape(len(imbalance), len(mean)).T
    shades = axis.contourf(imbalance, mean, saved, levels=100 * SHADES, cmap="Blues", extend="both")
    shades.set_edgecolor("face")  # no seams in the PDF
    lines = axis.contour(imbalance, mean, saved, levels=100 * SHADES[1::2], colors=style.BLACK, linewidths=0.5)
    axis.clabel(lines, fontsize=7.5, fmt=r"%g")
    axis.set(yscale="log", title=r"guaranteed, EF21 ($\%$)", xlabel="imbalance $a$, $p_i\\propto i^{-a}$")
    axis.set(ylabel="fraction kept on average")
    axis.grid(False)


FIGURE = Figure(
    name="ratios-savings",
    title="Iterations that ratios matched to volumes save",
    caption=(
        "Iterations saved by ratios delta_i ~ p_i^alpha over the same ratio for all of ten workers with shares "
        "p_i ~ i^-a. (a) Guaranteed by nuef21-nonconvex for alpha = 1/2, over imbalance and fraction kept on average. "
        "(b), (c) Error feedback with top-k, iterations to 1 % of the gap at the start at the best step of a "
        "grid by factors sqrt(2), each method its own; means over seeds with standard deviations (a run counts at most "
        "300 rounds); line: gain-formula for alpha = 1/2. "
        "Data: logistic regression on e-mails, dealt at random or by label, and MNIST, odd or even, where a copy is."
    ),
    claim="Savings grow with imbalance under a tight budget, and vanish or turn into losses under a loose one.",
    theorems=("gain-formula", "nuef21-nonconvex", "exponent-symmetry"),
    compute=compute,
    plot=plot,
)
