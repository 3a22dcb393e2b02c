"""Events and top-k together: loss and accuracy against the bits, indices counted (F6 of the paper)."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from taciturn.solvers.decentralised import Adaptive, Always, Constant, DifferenceNorm

from . import style
from .event_runs import PUBLISHED, RULES, SYNCHRONOUS, WORKERS, Course, Rule, course
from .event_savings import PASSES, SEEDS, mark_workers
from .event_tasks import images
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["EVENTS", "FIGURE", "PERCENT", "at_equal_bits", "rules"]

PERCENT = (1, 5, 10, 25)
TOP, EVENTS, CHOCO = "top-k always, A", "top-k at events, A", "choco-event"
THRESHOLD, DAMPING = 0.2, 0.2  # of choco-event
BUDGETS = (0.005, 0.03)  # bits, in units of sending everything always; the first is less than any run sends


def rules() -> dict[tuple[str, int], Rule]:
    """Return the rules by family and percentage of the entries; 100 stands for whole tensors.

    Examples
    --------
    >>> rules()[EVENTS, 10] == RULES["top 10 % at events, A"]
    True
    """
    found = {(SYNCHRONOUS, 100): RULES[SYNCHRONOUS], (PUBLISHED, 100): RULES[PUBLISHED]}
    for percent in PERCENT:
        kept = percent / 100
        found[TOP, percent] = Rule(Always(), kept=kept)
        found[EVENTS, percent] = Rule(Adaptive(), kept=kept)
        found[CHOCO, percent] = Rule(DifferenceNorm(Constant(THRESHOLD)), kept=kept, damping=DAMPING)
    return found


def at_equal_bits(run: Course, volume: float) -> float:
    """Return the loss when a volume has been sent, interpolated; NaN if the run sends less.

    Parameters
    ----------
    run : Course
        A run.
    volume : float
        Bits, in units of sending everything always.
    """
    return float(np.interp(volume, run.volume, run.loss, right=np.nan))


def compute(setting: Setting, progress: Progress) -> Table:
    """Loss, accuracy and bits along the runs, means over the seeds, and losses at equal bits."""
    tables = []
    data, passes, seeds = images(setting.budget)[0].name, PASSES[setting.budget], SEEDS[setting.budget]
    for number, ((family, percent), rule) in enumerate(rules().items(), start=1):
        runs = [course(setting, rule, passes, seed=seed) for seed in range(seeds)]
        columns = {
            column: np.mean([getattr(run, column) for run in runs], axis=0)
            for column in ("volume", "loss", "accuracy", "workers_accuracy")
        }
        place = {"data": data, "seeds": seeds, "family": family, "percent": percent}
        tables.append(Table.of(**place, curve="run", x=columns.pop("volume"), **columns))
        budgets = np.array(BUDGETS)
        losses = np.mean([[at_equal_bits(run, volume) for volume in BUDGETS] for run in runs], axis=0)
        ends = {"accuracy": np.nan, "workers_accuracy": np.nan}
        tables.append(Table.of(**place, curve="equal bits", x=budgets, loss=losses, **ends))
        progress(number, len(rules()))
    return stacked(tables)


WHOLE = {SYNCHRONOUS: style.BLACK, PUBLISHED: style.VERMILION}
COLOURS = dict(zip(PERCENT, (style.ORANGE, style.GREEN, style.BLUE, style.PURPLE), strict=True))
FAMILIES: dict[str, dict[str, Any]] = {
    TOP: {"marker": "^", "linestyle": ":"},
    EVENTS: {"marker": "s", "linestyle": "--"},
    CHOCO: {"marker": "o", "linestyle": "-"},
}
LEAST = 3e-4
"""Left end of the axes; what is less lies there."""


def plot(table: Table) -> Drawing:
    """Loss over bits for every family; accuracy at the end; loss at equal bits."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 4.9, rows=2, columns=3)
    runs = table.where(curve="run")
    for axis, family in zip(axes, FAMILIES, strict=False):
        _losses(axis, runs, family)
        axis.set(title=family, ylim=(0.7 * runs["loss"].min(), 1.03 * runs["loss"].max()))
    axes[0].set(ylabel="loss of the average")
    _accuracies(axes[3], runs)
    for axis in axes[:4]:
        axis.set(xscale="log", xlim=(LEAST, 1.5), xlabel="bits / bits of sending everything")
    _equal(axes[4], table.where(curve="equal bits"))
    _legend(axes[5])
    style.panel_letters(axes[:5])
    return figure


def _losses(axis: Axes, runs: Table, family: str) -> None:
    lines = [(name, 100, colour) for name, colour in WHOLE.items()]
    lines += [(family, percent, colour) for percent, colour in COLOURS.items()]
    for name, percent, colour in lines:
        rows = runs.where(family=name, percent=percent)
        sent = np.maximum(rows["x"], LEAST)
        axis.plot(sent, rows["loss"], color=colour, linewidth=0.9 if name in WHOLE else 1.3)
        axis.plot(sent[-1], rows["loss"][-1], "o", color=colour, markersize=3.5, clip_on=False)


def _accuracies(axis: Axes, runs: Table) -> None:
    """After all passes."""
    for family, look in FAMILIES.items():
        ends = [runs.where(family=family, percent=percent) for percent in PERCENT]
        bits, accuracy = ([float(rows[column][-1]) for rows in ends] for column in ("x", "accuracy"))
        axis.plot(bits, accuracy, color=style.GREY, linewidth=0.7, linestyle=look["linestyle"])
        for rows, x, y, colour in zip(ends, bits, accuracy, COLOURS.values(), strict=True):
            axis.plot(x, y, color=colour, marker=look["marker"], linestyle="none")
            mark_workers(axis, x, rows, colour)
    for name, colour in WHOLE.items():
        rows = runs.where(family=name)
        axis.plot(rows["x"][-1], rows["accuracy"][-1], "D", color=colour, clip_on=False)
        mark_workers(axis, rows["x"][-1], rows, colour)
    axis.set(title="test accuracy after all passes", ylabel="test accuracy")


def _equal(axis: Axes, table: Table) -> None:
    """Loss over the percentage; open markers: the larger budget."""
    for volume, fill in zip(BUDGETS, ("full", "none"), strict=True):
        for family, look in FAMILIES.items():
            rows = table.where(family=family, x=volume)
            axis.semilogx(rows["percent"], rows["loss"], color=style.BLACK, fillstyle=fill, **look)
    axis.set(title="loss at equal bits", xlabel="entries sent, %", ylabel="loss of the average")
    axis.set_xticks(PERCENT, [str(percent) for percent in PERCENT])
    axis.minorticks_off()


def _legend(axis: Axes) -> None:
    """Rules, percentages and budgets, in the place of a panel."""
    plain: dict[str, Any] = {"color": style.BLACK, "linestyle": "none"}
    lines = [Line2D([], [], color=colour, label=name) for name, colour in WHOLE.items()]
    shares = [Line2D([], [], color=colour, label=f"{percent} %") for percent, colour in COLOURS.items()]
    families = [Line2D([], [], color=style.BLACK, label=family, **look) for family, look in FAMILIES.items()]
    budgets = [
        Line2D([], [], **plain, marker="o", fillstyle=fill, label=f"{volume:g}")
        for volume, fill in zip(BUDGETS, ("full", "none"), strict=True)
    ]
    groups = (
        (lines, 1.0, "whole tensors, (d): diamonds", 1),
        (shares, 0.74, "top-k of the entries", 2),
        (families, 0.47, "(d) and (e)", 1),
        (budgets, 0.13, "(e): bits / bits of sending everything", 2),
    )
    style.legend_panel(axis, groups, columnspacing=1.0)


FIGURE = Figure(
    name="event-sparsified",
    title="Top-k at events",
    caption=(
        f"Softmax regression on contiguous parts of images of digits (column data), {WORKERS} workers on a ring, "
        "mini-batches, equally many passes. Events send the entries that have changed most, values of 32 bits and "
        "indices counted; dots: after all passes. (a) The published update with top-k in every pass. (b) At the events "
        "of the published trigger, 29 forced passes sparse, too. (c) choco-event: compressed differences, threshold "
        f"{THRESHOLD:g}, damping {DAMPING:g}, far above what its theorem admits. (d) Test accuracy of the average "
        "after all passes, and the mean of the workers' own (bars). (e) Loss when equally many bits have been sent; "
        "missing: the run ends before."
    ),
    claim=(
        "At equal bits top-k at events is ahead of whole tensors and not behind top-k always, but at equal passes it "
        "loses accuracy; choco-event is ahead at every percentage, most at the smallest, and its average loses none."
    ),
    theorems=("compressed-staleness", "choco-event", "pullback-cap"),
    compute=compute,
    plot=plot,
)
