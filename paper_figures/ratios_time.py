"""Time to compress: top-k against thresholds, as the dimension grows."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from taciturn.solvers.array import array_like
from taciturn.solvers.compressors import HardThreshold, TopK
from taciturn.solvers.thresholds import L1Rule, l1_norm

from . import style
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE"]

DIMENSIONS = {"quick": (10**3, 10**4, 10**5, 10**6), "full": (10**3, 10**4, 10**5, 10**6, 10**7)}
REPEATS = {"quick": 7, "full": 15}
KEPT = 0.01


def _operations(vector: Any) -> dict[str, Callable[[], Any]]:
    d = vector.shape[-1]
    k = max(int(KEPT * d), 1)
    magnitudes = np.abs(np.asarray(vector))
    level = float(np.partition(magnitudes, d - k)[d - k])
    top, hard, rule = TopK(k), HardThreshold(level), L1Rule(k, d)
    return {
        "copy": lambda: vector + 0,
        "top-k": lambda: top(vector),
        "threshold": lambda: hard(vector),
        "l1 rule": lambda: HardThreshold(rule.threshold(l1_norm(vector)))(vector),
    }


def compute(setting: Setting, progress: Progress) -> Table:
    """Shortest times of several calls, in turn, in single precision."""
    tables = []
    dimensions = DIMENSIONS[setting.budget]
    for done, d in enumerate(dimensions, start=1):
        numbers = np.random.default_rng(0).normal(size=d).astype(np.float32)
        operations = _operations(array_like(numbers, setting.prototype()))
        seconds: dict[str, list[float]] = {name: [] for name in operations}
        for _ in range(REPEATS[setting.budget]):
            for name, operation in operations.items():
                start = time.perf_counter()
                operation()
                seconds[name].append(time.perf_counter() - start)
        shortest = [min(times) for times in seconds.values()]
        tables.append(Table.of(operation=list(seconds), d=d, seconds=shortest))
        progress(done, len(dimensions))
    return stacked(tables)


LOOKS: dict[str, dict[str, Any]] = {
    "copy": {"color": style.GREY, "marker": "."},
    "top-k": {"color": style.VERMILION, "marker": "o"},
    "threshold": {"color": style.BLUE, "marker": "s"},
    "l1 rule": {"color": style.SKY, "marker": "^"},
}
WORDS = {"copy": "copy", "top-k": "top-$k$", "threshold": "threshold", "l1 rule": r"$\ell_1$ rule and threshold"}


def plot(table: Table) -> Drawing:
    """Times; times of top-k over those of thresholds."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.7, columns=2, sharex=True)
    top = table.where(operation="top-k")
    for operation, look in LOOKS.items():
        part = table.where(operation=operation)
        axes[0].loglog(part["d"], part["seconds"], label=WORDS[operation], **look)
        if operation in ("threshold", "l1 rule"):
            axes[1].semilogx(part["d"], top["seconds"] / part["seconds"], **look)
    axes[1].axhline(1, color=style.BLACK, linewidth=0.8, linestyle="--")
    axes[0].set(title="compression of a vector", xlabel="dimension $d$", ylabel="seconds")
    axes[1].set(title="top-$k$ over thresholds", xlabel="dimension $d$", ylabel="ratio of the times", ylim=(0, None))
    style.panel_letters(axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


FIGURE = Figure(
    name="ratios-time",
    title="Time to compress",
    caption=(
        "Shortest of several timings, in turn, of a copy, of top-k with k = d/100, of the threshold that keeps as "
        "many entries, and of the l1 rule that finds one, on normal numbers in single precision, over the dimension; "
        "and the time of top-k over those of thresholds. Timings differ between machines and runs."
    ),
    claim="A threshold is cheaper than top-k, by how much depends on the implementation of the selection.",
    theorems=("thr-l1-rule",),
    compute=compute,
    plot=plot,
    repeatable=False,
)
