"""One run of the published rule from inside: what its trigger sees, when it fires, and how old the copies are."""

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from taciturn.solvers.array import Stream

from . import style
from .cache import Arrays
from .event_runs import FORCED, PUBLISHED, RULES, WORKERS
from .event_tasks import CNN2, MODELS, SOFTMAX, images, models, network_passes, task
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "PASSES", "inside"]

PASSES = {"quick": 240, "full": 1000}
SHOWN = (FORCED - 9, 140)
"""Passes of the panels with single events."""

NETWORK_TENSOR = "dense1.weight"  # 25,000 of the 27,480 parameters


def inside(passes: int, budget: str, model: str = SOFTMAX) -> Arrays:
    """Run the published rule and look at the tensors in every pass, as its trigger does.

    Returns
    -------
    mapping from name to array, shape (K, n, B)
        Norms of the tensors, what the trigger sees (the change of the norm since the last message), how far the
        copy is, the threshold it is compared with, whether it fires, and the age of the copy after that.
    """
    where = task(WORKERS, budget, model)
    method = RULES[PUBLISHED].method(where)
    state, rng = method.init(where.problem, where.start), Stream(0)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("norm", "seen", "distance", "threshold", "event")}
    for _ in range(passes):
        before, threshold = state, state.trigger_memory.threshold  # horizon 1 keeps it until an event
        state = method.step(where.problem, state, rng)
        norms = where.tensors.norms(before.points)
        columns["norm"].append(norms)
        columns["seen"].append(np.abs(norms - before.copy_norms))
        columns["distance"].append(where.tensors.distances(before.points, before.copies))
        columns["threshold"].append(threshold)
        columns["event"].append(state.events.fired)
    found = {name: np.stack(values) for name, values in columns.items()}
    k = np.arange(passes)[:, None, None]
    return found | {"age": k - np.maximum.accumulate(np.where(found["event"], k, 0), axis=0)}


def compute(setting: Setting, progress: Progress) -> Table:
    """Norms, thresholds, events and ages of every tensor of every worker in every pass."""
    budget, data = setting.budget, images(setting.budget)[0].name
    tables: list[Table] = []
    shown = models(SOFTMAX, CNN2)
    for number, model in enumerate(shown, start=1):
        passes = PASSES[budget] if model == SOFTMAX else network_passes(WORKERS, budget, model)
        inputs: dict[str, Any] = {"passes": passes, "budget": budget, "model": model}
        found = setting.cache.get(partial(inside, **inputs), **inputs, what="inside the published rule", data=data)
        for b, tensor in enumerate(task(WORKERS, budget, model).tensors.names):
            for worker in range(WORKERS):
                columns = {name: values[:, worker, b] for name, values in found.items()}
                columns["event"] = columns["event"].astype(np.int64)
                place = {"data": data, "model": model, "tensor": tensor, "worker": worker}
                tables.append(Table.of(**place, iteration=np.arange(passes), **columns))
        progress(number, len(shown))
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """Norm with events; what the trigger sees; the raster; events per tensor; of a network the first two."""
    rows = len(table.different("model"))
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.3 * (rows + 1), rows=rows + 1, columns=2, width_ratios=(1.5, 1))
    softmax = table.where(model=SOFTMAX)
    tensor = min(softmax.different("tensor"), key=lambda name: int(softmax.where(tensor=name)["event"].sum()))
    _draw_trigger(axes[0], softmax.where(tensor=tensor, worker=0), tensor)
    _draw_norm(axes[1], softmax.where(tensor=tensor, worker=0), tensor)
    _draw_raster(axes[2], softmax.where(tensor=tensor), tensor)
    _draw_counts(axes[3], softmax)
    if rows > 1:
        one = table.where(model=CNN2, tensor=NETWORK_TENSOR, worker=0)
        _draw_trigger(axes[4], one, f"{MODELS[CNN2]}'s {NETWORK_TENSOR}")
        _draw_norm(axes[5], one, NETWORK_TENSOR)
    style.panel_letters(axes)
    return figure


def _draw_norm(axis: Axes, rows: Table, tensor: str) -> None:
    fired = rows.where(event=1)
    axis.plot(rows["iteration"], rows["norm"], color=style.BLUE)
    axis.plot(fired["iteration"], fired["norm"], "|", color=style.VERMILION, markersize=7.0, mew=0.5, label="event")
    axis.axvspan(0, FORCED, color="#F0F0F0", zorder=0, label="forced")
    axis.set(title=f"norm of {tensor}, worker 0", xlabel="pass $k$", ylabel=r"$\|x\|$", xlim=(0, None))
    axis.legend(loc="lower right")


def _draw_trigger(axis: Axes, rows: Table, tensor: str) -> None:
    first, last = SHOWN
    shown = (rows["iteration"] >= first) & (rows["iteration"] < last)
    k = rows["iteration"][shown]
    # Where the norm happens not to have changed the logarithm has no place for it.
    for name, colour, words in (
        ("distance", style.GREEN, r"distance $\|x-\hat x\|$"),
        ("seen", style.BLUE, r"seen $|\|x\|-\|\hat x\||$"),
    ):
        axis.semilogy(k, np.maximum(rows[name][shown], 1e-4), color=colour, label=words)
    axis.semilogy(
        k, rows["threshold"][shown], color=style.BLACK, drawstyle="steps-post", label="threshold", linewidth=1.0
    )
    fired = shown & (rows["event"] == 1)
    height = np.maximum(rows["seen"][fired], 1e-4)
    axis.plot(rows["iteration"][fired], height, "o", color=style.VERMILION, markersize=2.6, label="event")
    axis.axvspan(first, FORCED, color="#F0F0F0", zorder=0)
    axis.set(title=f"what the trigger sees of {tensor}, worker 0", xlabel="pass $k$", ylabel="change since sent")
    least, most = np.nanmin(rows["threshold"][shown]), rows["distance"][shown].max()
    axis.set(xlim=SHOWN, ylim=(least / 8, 4 * most))
    axis.legend(loc="upper center", ncols=4, columnspacing=0.8, handlelength=1.2, fontsize=7.5)


def _draw_raster(axis: Axes, rows: Table, tensor: str) -> None:
    first, last = SHOWN
    workers = rows.different("worker")
    age = np.stack([rows.where(worker=worker)["age"][first:last] for worker in workers])
    event = np.stack([rows.where(worker=worker)["event"][first:last] for worker in workers])
    edges = np.arange(first, last + 1), np.arange(len(workers) + 1) - 0.5
    shades = axis.pcolormesh(*edges, age, cmap="Blues", vmin=0, rasterized=True)
    which, when = np.nonzero(event)
    axis.plot(first + when + 0.5, which, "|", color=style.VERMILION, markersize=6.0, markeredgewidth=0.8)
    axis.set(title=f"events (red) and age of the copies of {tensor}", xlabel="pass $k$", ylabel="worker")
    axis.set_yticks(workers)
    axis.invert_yaxis()
    axis.grid(False)
    axis.figure.colorbar(shades, ax=axis, label="age (passes)", pad=0.02)


def _draw_counts(axis: Axes, table: Table) -> None:
    tensors = table.different("tensor")
    width, most = 0.8 / len(tensors), 0
    passes = int(table["iteration"].max()) + 1
    for b, tensor in enumerate(tensors):
        rows = table.where(tensor=tensor)
        counts = [int(rows.where(worker=worker)["event"].sum()) for worker in rows.different("worker")]
        most = max(most, *counts)
        place = np.arange(len(counts)) + (b - (len(tensors) - 1) / 2) * width
        share = np.mean(counts) / passes
        axis.bar(place, counts, width, color=style.COLOURS[b], label=f"{tensor}: {share:.0%} of the passes")
    axis.axhline(FORCED, color=style.BLACK, linestyle="--", linewidth=0.9, label="forced")
    axis.set(title="events per tensor", xlabel="worker", ylabel="events", ylim=(0, 1.5 * most))
    axis.legend(loc="upper right")


FIGURE = Figure(
    name="event-raster",
    title="A run of the published rule from inside",
    caption=(
        f"Softmax regression on digits (column data), {WORKERS} workers on a ring, update A, adaptive trigger with "
        "horizon 1, tensors weight and bias; (a) to (c) show the one with the fewest events. (a) What the trigger "
        "compares, the change of the norm since the last message, with its threshold, and the true distance of the "
        "copy, which nothing bounds. (b) Norm, with events; shaded: the 29 forced passes. (c) Events of every worker, "
        "and the age of the neighbours' copies. (d) Events of every tensor; dashed: the forced part. (e), (f) "
        "Where torch is, (a) and (b) of the largest tensor of CNN-2."
    ),
    claim="The published trigger sees a part of the movement only; events follow the shape of the norm's path.",
    theorems=("norm-diff-unsafe", "adaptive-invariance"),
    compute=compute,
    plot=plot,
)
