"""A real asynchronous run: its delays, and its replay in one process."""

import math
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from taciturn.solvers.compressors import Natural
from taciturn.solvers.data import load_text
from taciturn.solvers.delays import ParameterServer, ShiftedExponential, Worker
from taciturn.solvers.distributed import AsyncSettings, run_async
from taciturn.solvers.methods import FillWindow, run
from taciturn.solvers.partition import split_iid
from taciturn.solvers.problems import LinearModel, logistic_regression
from taciturn.theory import theorem

from . import style
from .cache import Arrays
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "WORKERS", "problem", "recorded", "torch_is_here"]

WORKERS = 4
ITERATIONS = {"quick": 300, "full": 2000}
SHOWN = 60  # iterations in the first panel
REAL, SIMULATED = "processes", "simulated server"


@cache
def problem() -> LinearModel:
    """Return logistic regression on the e-mails, dealt at random to the workers."""
    data = load_text()
    whole = logistic_regression(data.features, data.targets, 1e-3)
    return whole.split(split_iid(len(data.targets), WORKERS, seed=0))


def torch_is_here() -> bool:
    """Whether processes can talk to each other."""
    return find_spec("torch") is not None


def recorded(iterations: int) -> Arrays:
    """Run processes, or the simulated server where torch is missing, and replay the trace.

    Returns
    -------
    mapping from name to array
        The columns of the trace, shape (M,); F(x_k) - F* of the replay and of the run (NaN without one), and the
        largest difference of an entry of x_k between them, shape (K + 1,).
    """
    where = problem()
    # A worker that arrives alone moves the model along its own function: half of the window of the roughest.
    settings = AsyncSettings(Natural(), iterations, FillWindow(0.5 / where.L_max), start_timeout=60.0)
    points: list[Any] = []
    if torch_is_here():
        trace = run_async(where, settings, observe=lambda version, x: points.append(x)).trace
    else:
        law = ShiftedExponential(least=1.0, average_excess=0.5)
        trace = ParameterServer([Worker(law)] * WORKERS).trace(iterations, message_bits=0)
    replay = run(settings.replay(trace), where, iterations, record={"x": lambda state: state.x})
    nothing = np.full(iterations + 1, np.nan)
    there = np.stack(points) if points else None
    return {
        **{name: getattr(trace, name) for name in ("iteration", "worker", "version")},
        "replay": replay.gap,
        "run": nothing if there is None else np.array([where.objective(x) for x in points]) - where.minimum,
        "difference": nothing if there is None else np.abs(replay.recorded["x"] - there).max(axis=1),
    }


def compute(setting: Setting, progress: Progress) -> Table:
    """Who read which version when, and the gap of the run and of its replay."""
    iterations = ITERATIONS[setting.budget]
    real = torch_is_here()
    found = setting.cache.get(lambda: recorded(iterations), what="asynchronous run", iterations=iterations, real=real)
    progress(1, 1)
    source = REAL if real else SIMULATED
    k = np.arange(iterations + 1)
    messages = {name: found[name] for name in ("worker", "version", "iteration")}
    tables = [Table.of(source=source, series="message", **messages, value=math.nan)]
    for name in ("run", "replay", "difference"):
        tables.append(Table.of(source=source, series=name, worker=-1, version=k, iteration=k, value=found[name]))
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """Messages over the first iterations, delays, and the two runs."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.5, columns=3, width_ratios=(1.5, 1, 1))
    messages, (source,) = table.where(series="message"), table.different("source")
    delay = messages["iteration"] - messages["version"]
    shades = Normalize(-0.4 * delay.max() - 1, delay.max())
    _draw_messages(axes[0], messages, shades)
    _draw_delays(axes[1], delay, len(np.unique(messages["worker"])))
    _draw_runs(axes[2], table, source)
    if source == SIMULATED:
        figure.suptitle(f"{source}: torch is not installed", fontsize=9.0)
    style.panel_letters(axes)
    return figure


def _draw_messages(axis: Axes, rows: Table, shades: Normalize) -> None:
    """A bar from the version that was read to the update that used it: those of a worker do not overlap."""
    first = rows["version"] < SHOWN
    version, iteration, worker = (rows[name][first] for name in ("version", "iteration", "worker"))
    colour = colormaps["Blues"](shades(iteration - version))
    axis.barh(worker, iteration - version + 1, 0.72, version, color=colour, edgecolor="white", linewidth=0.8)
    axis.plot(iteration + 0.5, worker, "o", color=style.VERMILION, markersize=2.2)
    names = [f"worker {i}" for i in range(int(rows["worker"].max()) + 1)]
    axis.set(title="from version read to update", xlabel="version / iteration", xlim=(0, SHOWN))
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.grid(False, axis="y")


def _draw_delays(axis: Axes, delay: NDArray[np.int64], workers: int) -> None:
    length, count = np.unique(delay, return_counts=True)
    axis.bar(length, count, 0.8, color=style.SKY)
    limit = float(np.asarray(theorem("delay-budget").evaluate(workers=workers).value))
    for value, colour, line in ((float(delay.mean()), style.BLUE, "-"), (limit, style.VERMILION, "--")):
        axis.axvline(value, color=colour, linestyle=line, linewidth=1.0)
    axis.set(title="delays", xlabel="delay of a message (iterations)", ylabel="messages", yscale="log")
    axis.set(ylim=(0.7, 12 * count.max()))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    words = f"mean {delay.mean():.3f}, at most\n$n-1={limit:g}$ (dashed)\nlargest {delay.max()}"
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    axis.text(0.97, 0.97, words, transform=axis.transAxes, ha="right", va="top", fontsize=7.5, bbox=ground)


def _draw_runs(axis: Axes, table: Table, source: str) -> None:
    replay, measured = table.where(series="replay"), table.where(series="run")
    axis.semilogy(replay["iteration"], replay["value"], color=style.SKY, linewidth=3.0, label="replay")
    axis.set(title="gap", xlabel="iteration $k$", ylabel="$F(x_k)-F^*$")
    if source == REAL:
        axis.semilogy(measured["iteration"], measured["value"], color=style.BLACK, linewidth=0.8, label="run")
        difference = table.where(series="difference")["value"].max()
        words = f"largest difference\nof an entry: {difference:.2g}"
        axis.text(0.97, 0.74, words, transform=axis.transAxes, ha="right", va="top", fontsize=7.5)
    axis.legend(loc="upper right", fontsize=7.5)


FIGURE = Figure(
    name="staleness-asynchronous",
    title="A real asynchronous run",
    caption=(
        f"A server and {WORKERS} workers, processes that exchange messages of natural compression over "
        "torch.distributed (gloo): logistic regression on the e-mails, dealt at random, steps of rule 1. Without torch "
        "the simulated server stands in, and the picture says so. (a) Who computed what from which version: a bar "
        "reaches from the version that was read to the update that used the message (dot); those of a worker cannot "
        "overlap, which bounds the mean delay. (b) Delays. (c) F(x_k) - F* of the run, and of the replay of its trace "
        "in one process."
    ),
    claim="The mean delay of a real run is at most n - 1, and its trace repeats it to rounding.",
    theorems=("delay-budget",),
    compute=compute,
    plot=plot,
    repeatable=False,
)
