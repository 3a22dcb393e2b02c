"""How much to send for an accuracy: communication in the worst case against the budget of a round."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from taciturn.solvers.ratios import best_budget, preset
from taciturn.theory import theorem
from taciturn.theory.memory_constants import memory_constants

from . import style
from .figure import Figure
from .ratios_assignment import LOOKS, NAMES, shares_of
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE"]

WORKERS = 10
IMBALANCES = (0, 1, 2, 3)
POINTS = {"quick": 61, "full": 241}
SMALLEST = 0.03  # budget, in vectors per round
LOWEST = 1e-7  # ratio; far below what a budget assigns
COLOURS = (style.BLACK, style.SKY, style.BLUE, style.VERMILION)


def compute(setting: Setting, progress: Progress) -> Table:
    """Communication to accuracy over the budget: by imbalance, by preset, and the best budget."""
    budgets = np.geomspace(SMALLEST, WORKERS, POINTS[setting.budget])
    tables = []
    for done, imbalance in enumerate(IMBALANCES, start=1):
        p = shares_of(WORKERS, imbalance)
        for name in LOOKS:
            price = [_communication(name, p, float(budget)) for budget in budgets]
            tables.append(Table.of(imbalance=imbalance, curve=name, budget=budgets, communication=price))
        best = best_budget(p, lower=LOWEST, tolerance=1e-7)
        tables.append(Table.of(imbalance=imbalance, curve="best", budget=best.budget, communication=best.objective))
        root = float(np.sqrt(p).sum()) ** 2
        tables.append(Table.of(imbalance=imbalance, curve="small budgets", budget=SMALLEST, communication=2 * root))
        progress(done, len(IMBALANCES))
    equal: Any = theorem("bits-optimal").evaluate(workers=WORKERS, L=1.0, delta=budgets / WORKERS).value
    return stacked([*tables, Table.of(imbalance=0, curve="bits-optimal", budget=budgets, communication=equal)])


def _communication(name: str, p: NDArray[np.float64], budget: float) -> float:
    """(1 + A_L) B, with L = 1 for everybody: vectors that are sent, in units of those of a gradient step."""
    delta = preset(name, p, budget, lower=LOWEST).delta
    return float((1 + memory_constants(p, delta, smoothness=1.0).memory_smoothness) * delta.sum())


def plot(table: Table) -> Drawing:
    """The best exponent by imbalance; all exponents for the largest imbalance."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 3.0, columns=2, sharex=True)
    for imbalance, colour in zip(IMBALANCES, COLOURS, strict=True):
        rows = table.where(imbalance=imbalance)
        part, best, limit = (rows.where(curve=curve) for curve in ("tri", "best", "small budgets"))
        words = "equal shares" if imbalance == 0 else rf"$p_i\propto i^{{-{imbalance}}}$"
        axes[0].semilogx(part["budget"], part["communication"], color=colour, label=words)
        axes[0].plot(limit["budget"], limit["communication"], ">", color=colour, markersize=4, clip_on=False)
        axes[0].plot(best["budget"], best["communication"], "o", color=colour, clip_on=False)
        if imbalance == IMBALANCES[-1]:
            x, y = best["budget"][0], best["communication"][0]
            words = f"{y:.2f} at $B={x:.2f}$"
            axes[0].annotate(
                words, (x, y), (2.2, 2.6), color=colour, fontsize=8, arrowprops={"arrowstyle": "-", "color": colour}
            )
    exact = table.where(curve="bits-optimal")
    axes[0].plot(exact["budget"][::6], exact["communication"][::6], "x", color=style.GREY, label="bits-optimal")
    rows = table.where(imbalance=IMBALANCES[-1])
    for name, look in LOOKS.items():
        part = rows.where(curve=name)
        axes[1].semilogx(part["budget"], part["communication"], label=NAMES[name], **look)
    for axis in axes:
        axis.axhline(WORKERS, color=style.GREY, linewidth=0.8, linestyle=":")
        axis.set(
            xlabel="budget, $B=\\sum_i\\delta_i$ (vectors per round)",
            ylim=(0, 2.1 * WORKERS),
            xlim=(0.9 * SMALLEST, 1.15 * WORKERS),
        )
        axis.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    style.label_line(axes[1], 0.032, WORKERS - 0.2, "no compression", style.GREY, ha="left", va="top")
    axes[0].set(title=r"$\delta_i\propto p_i^{1/2}$", ylabel="vectors sent to the accuracy")
    axes[1].set(title=rf"$p_i\propto i^{{-{IMBALANCES[-1]}}}$")
    for axis in axes:
        axis.legend(loc="lower left", fontsize=7.5, borderpad=0.1, ncols=2)
    style.panel_letters(axes)
    return figure


FIGURE = Figure(
    name="ratios-budget",
    title="Communication to an accuracy against the budget of a round",
    caption=(
        "(L + A_L) B with L = 1: vectors that ten workers must send for an accuracy with EF21 in the worst case, in "
        "units in which one gradient step of one worker costs 1, against the budget of a round. Dotted: without "
        "compression. (a) delta_i ~ p_i^(1/2), by imbalance; circles: the best budget; triangles: the limit of small "
        "budgets; crosses: the closed form for equal shares. (b) All exponents for p_i ~ i^-3. The step follows "
        "from the ratios, gamma = 1/(L + A_L)."
    ),
    claim="In the worst case equal shares never save; unequal ones do: 4.61 in place of 10 at B = 2.50 for i^-3.",
    theorems=("bits-optimal", "nuef21-nonconvex", "exponent-symmetry"),
    compute=compute,
    plot=plot,
)
