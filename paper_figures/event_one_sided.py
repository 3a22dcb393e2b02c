"""What one-sided windows, as in the reference program, do to event-triggered training: one deviation at a time."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from taciturn.solvers.array import Array
from taciturn.solvers.decentralised import Adaptive, Counts, OneSidedGradient, Sparsified, Whole, Windows
from taciturn.solvers.decentralised import run_decentralised as run
from taciturn.solvers.methods import MiniBatch
from taciturn.theory import theorem

from . import style
from .cache import Arrays
from .event_runs import STEP, WORKERS, ring
from .event_tasks import Task, images, task
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["ALL", "CASES", "EXACT", "FIGURE", "INJECTED_LAG", "LATE", "SPARSE", "WHOLE", "Case", "final"]

PASSES = {"quick": 120, "full": 1000}
SEEDS = {"quick": 1, "full": 2}
POINTS = 25
KEPT = 0.1

LATENESS = (0.25, 0.25, 0.25, 0.25)
TORN = 0.25
PACES = tuple(np.linspace(0.7, 1.0, WORKERS).round(3).tolist())
DEVIATION = 0.05
MARGIN = 1.3  # of ticks, for the slowest worker to finish
INJECTED_LAG = len(LATENESS)
"""Ticks: the latest put, and one more where it is torn."""

EXACT, LATE, ALL = "exact", "late, in order", "all together"
WHOLE, SPARSE = "whole tensors", f"top {KEPT:.0%} at events".replace("%", " %")


@dataclass(frozen=True)
class Case:
    """What is different from exact links.

    Parameters
    ----------
    windows : Windows
        Of the links.
    uneven : bool
        Whether workers have paces of their own, and are silent when they have finished.
    momentum : float
        Of the local steps.
    """

    windows: Windows
    uneven: bool = False
    momentum: float = 0.0


CASES: dict[str, dict[str, Case]] = {
    WHOLE: {
        EXACT: Case(Windows()),
        LATE: Case(Windows(lateness=LATENESS)),
        "late, out of order": Case(Windows(lateness=LATENESS, in_order=False)),
        "late, zero start": Case(Windows(lateness=LATENESS, start="zeros")),
        "torn reads": Case(Windows(torn=TORN)),
        "own paces": Case(Windows(), uneven=True),
        "momentum 0.9": Case(Windows(), momentum=0.9),
        ALL: Case(Windows.reference_program(sparse=False, lateness=LATENESS, torn=TORN), uneven=True),
    },
    SPARSE: {
        EXACT: Case(Windows()),
        LATE: Case(Windows(lateness=LATENESS)),
        "late, overwritable": Case(Windows(lateness=LATENESS, overwritable=True)),
        "late, pairs of zeros": Case(Windows(lateness=LATENESS, zero_pairs=True)),
        "random models": Case(Windows(start="random", deviation=DEVIATION)),
        "own paces": Case(Windows(), uneven=True),
        ALL: Case(
            Windows.reference_program(sparse=True, lateness=LATENESS, torn=TORN, deviation=DEVIATION), uneven=True
        ),
    },
}
"""All together: without momentum, which is no matter of the windows."""


def method(where: Task, variant: str, case: Case, passes: int) -> OneSidedGradient:
    """Return the published update and trigger with the windows of a case."""
    windows = replace(case.windows, paces=PACES, stops=(passes,) * WORKERS) if case.uneven else case.windows
    content = Sparsified(KEPT) if variant == SPARSE else Whole()
    oracle = MiniBatch(where.batch)
    return OneSidedGradient(ring(WORKERS), Adaptive(), STEP, windows, where.tensors, content, case.momentum, oracle)


def start(where: Task, seed: int) -> Array:
    """Return the parameters of all workers at the start: of the size of random models, not zero as a late window is."""
    return DEVIATION * np.random.default_rng(seed).normal(size=where.tensors.d)


def _run(variant: str, case: Case, passes: int, seed: int, budget: str) -> Arrays:
    where = task(WORKERS, budget)
    ticks = int(MARGIN * passes / min(PACES)) if case.uneven else passes
    record = {"passes": lambda state: state.iterations.mean()}
    every = max(ticks // POINTS, 1)
    found = run(
        method(where, variant, case, passes), where.problem, ticks, start(where, seed), seed,
        record_every=every, record=record,
    )  # fmt: skip
    if found.recorded["passes"][-1] != passes:
        raise RuntimeError(
            f"after {ticks} ticks the workers have taken {found.recorded['passes'][-1]} of {passes} steps"
        )
    counts: Counts = found.state.counts
    return {
        **found.recorded,
        "loss": found.value,
        "accuracy": np.array(where.accuracy(found.state.average)),
        "workers_accuracy": np.array(where.workers_accuracy(found.state.points)),
        "mean_age": np.array(counts.mean_age),
        "oldest": counts.oldest.max(),
        "lag": counts.lag.max(),
        "torn": counts.torn.sum() / counts.reads.sum(),
        "overwritten": counts.overwritten.sum() / counts.puts.sum(),
        "over_bound": over_bound(counts),
    }


def over_bound(counts: Counts) -> Any:
    """Largest distance of a copy over what `latency-staleness` allows with c, l and m as measured, of all tensors."""
    bound = theorem("latency-staleness").evaluate
    allowed = [
        bound(trigger_threshold=c, latency=int(lag), movement=m).value
        for c, lag, m in zip(counts.threshold, counts.lag, counts.movement, strict=True)
    ]
    return np.max(counts.error / np.array(allowed, dtype=np.float64))


def compute(setting: Setting, progress: Progress) -> Table:
    """Loss along the runs, accuracies at their end, and what the windows did, means over the seeds."""
    passes, data = PASSES[setting.budget], images(setting.budget)[0].name
    tables: list[Table] = []
    todo = [(variant, name, case) for variant, cases in CASES.items() for name, case in cases.items()]
    for number, (variant, name, case) in enumerate(todo, start=1):
        runs = []
        for seed in range(SEEDS[setting.budget]):
            inputs: dict[str, Any] = {"passes": passes, "seed": seed, "budget": setting.budget}
            work = partial(_run, variant, case, **inputs)
            runs.append(setting.cache.get(work, what="one-sided", variant=variant, case=case, data=data, **inputs))
        columns = {column: np.mean([each[column] for each in runs], axis=0) for column in runs[0]}
        tables.append(Table.of(data=data, variant=variant, case=name, **columns))
        progress(number, len(todo))
    return stacked(tables)


def final(table: Table, column: str, variant: str, case: str = ALL) -> float:
    """Return what a column of the table ends with in a case."""
    return float(table.where(variant=variant, case=case)[column][-1])


COLOURS = {
    EXACT: style.BLACK,
    LATE: style.SKY,
    "late, out of order": style.BLUE,
    "late, zero start": style.PURPLE,
    "late, overwritable": style.BLUE,
    "late, pairs of zeros": style.PURPLE,
    "torn reads": style.GREEN,
    "random models": style.GREEN,
    "own paces": style.ORANGE,
    "momentum 0.9": style.GREY,
    ALL: style.VERMILION,
}


def plot(table: Table) -> Drawing:
    """A row for each variant: loss over passes; final loss over that of exact links, accuracies, ages, shares."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 4.8, rows=2, columns=5, width_ratios=(1.35, 1, 1, 1, 1))
    for row, variant in enumerate(CASES):
        rows = table.where(variant=variant)
        loss, *dots = axes[5 * row : 5 * row + 5]
        ratio, accuracy, ages, shares = dots
        cases = rows.different("case")
        exact = final(table, "loss", variant, EXACT)
        for place, case in enumerate(cases):
            some = rows.where(case=case)
            look: dict[str, Any] = {"color": COLOURS[case], "markersize": 4.5}
            last = {name: column[-1] for name, column in some.columns.items()}
            loss.plot(some["passes"], some["loss"], color=COLOURS[case], linewidth=1.1)
            ratio.plot(last["loss"] / exact, place, "o", **look)
            accuracy.plot(last["accuracy"], place, "o", **look)
            accuracy.plot(last["workers_accuracy"], place, "|", color=COLOURS[case], markersize=9.0)
            ages.plot(last["mean_age"], place, "o", **look)
            ages.plot(last["oldest"], place, "|", color=COLOURS[case], markersize=9.0)
            shares.plot(last["torn"], place, "o", **look)
            shares.plot(last["overwritten"], place, "s", fillstyle="none", **look)
        ratio.axvline(1.0, color=style.BLACK, linewidth=0.8)
        loss.set(title=variant, xlabel="passes", ylabel="loss of the average")
        ratio.set(title="loss / exact")
        accuracy.set(title="accuracy")
        ages.set(title="age of copies", xlabel="ticks", xscale="log", xlim=(0.5, 2 * table["oldest"].max()))
        shares.set(title="torn, overwritten", xlabel="share", xlim=(-0.03, 0.5))
        for axis in dots:
            axis.set_yticks(range(len(cases)), cases if axis is ratio else [""] * len(cases), fontsize=7.5)
            axis.set_ylim(len(cases) - 0.5, -0.5)
    style.panel_letters(axes)
    return figure


FIGURE = Figure(
    name="event-one-sided",
    title="One-sided windows",
    caption=(
        "Softmax regression on digits (column data), 8 workers on a ring, published update and trigger. Every link is "
        "a window into which the sender puts and from which the receiver reads when it likes. Deviations of the "
        "reference program, one at a time and all together (but momentum), for whole tensors (a to e) and for the "
        f"{KEPT * 100:g} % of the entries that have changed most (f to j). Late: puts arrive 0 to 3 ticks after they "
        "were made, equally likely; torn: a quarter of the reads of what arrives; own paces: workers act in 70 to "
        "100 % of the ticks, and are silent when they have finished. (a, f) Loss over passes, mean of the workers. "
        "Then, after equally many passes: loss over that of exact links; test accuracy of the average (dots) and mean "
        "of that of the workers (bars); age of copies when they are mixed, silence included, mean (dots) and largest "
        "(bars); torn reads over reads (dots), and puts overwritten unread over puts (squares). Full: means over 2 "
        "seeds."
    ),
    claim="Late copies hold the published update back; overwriting costs whole tensors nothing, and sparse ones most.",
    theorems=("latency-staleness", "torn-copies", "mass-conservation", "pullback-cap"),
    compute=compute,
    plot=plot,
)
