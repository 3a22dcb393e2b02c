"""Compressed gradients of workers with different data, fresh and stale: gap against iterations and against bits."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from taciturn.solvers.array import array_like
from taciturn.solvers.compressors import QSGD, Bernoulli, Compressor, Natural, RandK, Ternary
from taciturn.solvers.data import load_text
from taciturn.solvers.delays import Constant
from taciturn.solvers.methods import CompressedGradient, Dense, Fixed, Method, Sender, StaleGradient, run
from taciturn.solvers.partition import split_by_label
from taciturn.solvers.problems import LinearModel, logistic_regression
from taciturn.theory import Guarantee, theorem
from taciturn.theory.communication import AffineCost, entry_bits, header_bits
from taciturn.theory.compression import Unbiased, natural_bits, qsgd_bits, ternary_bits

from . import style
from .adaptive_compression_runs import FLOAT_BITS, spread
from .cache import Arrays
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "SIZES", "Course", "Size", "compressors", "courses", "guarantee", "problem"]

YOUNG = 1.0  # theta of the noise table
POINTS = 150


@dataclass(frozen=True)
class Size:
    """How much is computed.

    Parameters
    ----------
    every : int
        One e-mail in so many is taken.
    columns : int
        The commonest tokens that are kept.
    workers : int
        Rows are dealt by label, so that their data differ.
    regularisation : float
        Of the logistic regression.
    tau : int
        Delay of the stale method, constant.
    fresh, stale : int
        Iterations of both.
    replicas : int
        Independent runs that are averaged.
    """

    every: int
    columns: int
    workers: int
    regularisation: float
    tau: int
    fresh: int
    stale: int
    replicas: int


SIZES = {
    "quick": Size(4, 1000, workers=5, regularisation=1e-3, tau=10, fresh=200, stale=500, replicas=1),
    "full": Size(1, 5000, workers=10, regularisation=1e-3, tau=20, fresh=400, stale=1000, replicas=2),
}


@dataclass(frozen=True, eq=False)
class Course:
    """A run: means over the replicas, and what its step size is certified for.

    Parameters
    ----------
    gap, squared_distance : shape (K + 1,)
        F(x_k) - F* and ||x_k - x*||^2.
    bits : shape (K + 1,)
        Sent by all workers before iteration k.
    bound : shape (K + 1,)
        Of the mean squared distance.
    """

    gap: NDArray[np.float64]
    squared_distance: NDArray[np.float64]
    bits: NDArray[np.float64]
    bound: NDArray[np.float64]

    def to(self, relative_gap: float) -> tuple[float, float]:
        """Return iterations and bits until that gap relative to the start; infinite if it was not reached."""
        reached = np.flatnonzero(self.gap <= relative_gap * self.gap[0])
        return (float(reached[0]), float(self.bits[reached[0]])) if reached.size else (math.inf, math.inf)


@cache
def problem(size: Size) -> LinearModel:
    """Return logistic regression on e-mails dealt by label."""
    data = load_text()
    common = np.argsort(-np.diff(data.features.tocsc().indptr), kind="stable")[: size.columns]
    features, labels = data.features[:: size.every][:, np.sort(common)], data.targets[:: size.every]
    return logistic_regression(features, labels, size.regularisation).split(split_by_label(labels, size.workers))


def compressors(d: int) -> dict[str, Compressor | None]:
    """Return what is compared by name, for vectors of length d; None sends everything."""
    return {
        "full precision": None,
        "natural": Natural(),
        "QSGD, 16 levels": QSGD(16, "max"),
        "QSGD, 4 levels": QSGD(4, "max"),
        "ternary": Ternary(),
        "QSGD, 1 level of the norm": QSGD(1, "two"),
        "random $d/10$": RandK(d // 10),
        "random $d/10$, best odds": Bernoulli(d // 10),
    }


def _price(compressor: Compressor | None, d: int) -> AffineCost:
    """Bits of a message with values of 32 bits, from the number of its entries that are not zero."""
    if compressor is None:
        return AffineCost(FLOAT_BITS * d, 0.0)
    if isinstance(compressor, QSGD) and compressor.norm == "two":  # few entries of one magnitude
        return AffineCost(header_bits("S+Q", FLOAT_BITS), entry_bits("S+Q", d, FLOAT_BITS))
    if isinstance(compressor, QSGD):
        return AffineCost(qsgd_bits(compressor.levels, d, FLOAT_BITS), 0.0)
    if isinstance(compressor, Ternary):
        return AffineCost(ternary_bits(d, FLOAT_BITS), 0.0)
    if isinstance(compressor, Natural):
        return AffineCost(natural_bits(d, FLOAT_BITS), 0.0)
    return AffineCost(header_bits("S", FLOAT_BITS), entry_bits("S", d, FLOAT_BITS))


def guarantee(where: LinearModel, compressor: Compressor | None, tau: int) -> Guarantee:
    """Return dcgd-sc without delay and stale-sc-refined with delay, at the largest step for the compressor."""
    h, p = where.worker_gradients(where.minimiser), where.weights
    compression = Unbiased(0.0) if compressor is None else compressor.guarantee(where.d)
    assert isinstance(compression, Unbiased)  # all that are compared
    noise = theorem("noise-table").evaluate(
        variance=compression.variance,
        young=YOUNG,
        Lambda=float(np.max(p * where.L_i)),
        optimum_gradients=float(p**2 @ np.sum(h * h, axis=-1)),
    )
    known = {"mu": where.mu, "noise_slope": noise.value, "noise_floor": noise.residual}
    if tau == 0:
        return theorem("dcgd-sc").evaluate(L=where.L, **known)
    return theorem("stale-sc-refined").evaluate(L_hat=where.L, tau=tau, **known)


def courses(setting: Setting, progress: Progress) -> dict[tuple[int, str], Course]:
    """Return the runs by delay and compressor, made or from the cache."""
    size = SIZES[setting.budget]
    wanted = [(tau, name) for tau in (0, size.tau) for name in compressors(problem(size).d)]
    done = {}
    for number, (tau, name) in enumerate(wanted, start=1):
        inputs = {"size": size, "tau": tau, "compressor": name, "backend": setting.backend, "device": setting.device}
        done[tau, name] = Course(**setting.cache.get(partial(_run, setting, size, tau, name), **inputs))
        progress(number, len(wanted))
    return done


def _run(setting: Setting, size: Size, tau: int, name: str) -> Arrays:
    where = problem(size)
    compressor = compressors(where.d)[name]
    promise = guarantee(where, compressor, tau)
    price = _price(compressor, where.d)
    sender: Sender = Dense(price) if compressor is None else Fixed(compressor, price)
    step: Any = promise.step_size
    iterations = size.stale if tau else size.fresh
    method: Method = CompressedGradient(sender, step)
    if tau:
        method = StaleGradient(sender, Constant(tau).trace(iterations, size.workers), step)
    there = where.on(setting.prototype())
    result = run(method, there, iterations, x0=array_like(np.zeros((size.replicas, where.d)), there.weights))
    assert result.squared_distance is not None  # there is a reference
    distance = result.squared_distance.mean(axis=-1)
    return {
        "gap": result.gap.mean(axis=-1),
        "squared_distance": distance,
        "bits": result.cumulative_cost.mean(axis=-1),
        "bound": np.asarray(promise.bound(np.arange(len(distance)), float(distance[0]))),
    }


def compute(setting: Setting, progress: Progress) -> Table:
    """Gaps relative to the start, measured and certified, over iterations and bits."""
    L = problem(SIZES[setting.budget]).L
    return stacked(
        part for (tau, name), course in courses(setting, progress).items() for part in _curves(tau, name, course, L)
    )


def _curves(tau: int, name: str, course: Course, L: float) -> Iterator[Table]:
    k = np.unique(np.concatenate([[0], spread(1, len(course.gap) - 1, POINTS)]))
    place = {"tau": tau, "compressor": name, "iteration": k, "bits": course.bits[k]}
    yield Table.of(curve="measured", **place, relative_gap=np.maximum(course.gap[k] / course.gap[0], SMALLEST))
    # Smoothness takes the bound of the squared distance to one of the gap.
    yield Table.of(curve="bound", **place, relative_gap=L / 2 * course.bound[k] / course.gap[0])


SMALLEST = 1e-12  # below it rounding decides

LOOKS: dict[str, dict[str, Any]] = {
    "full precision": {"color": style.BLACK},
    "natural": {"color": style.BLUE},
    "QSGD, 16 levels": {"color": style.SKY},
    "QSGD, 4 levels": {"color": style.GREEN},
    "ternary": {"color": style.ORANGE},
    "QSGD, 1 level of the norm": {"color": style.PURPLE},
    "random $d/10$": {"color": style.VERMILION},
    "random $d/10$, best odds": {"color": style.VERMILION, "linestyle": (0, (5, 1.2))},
}
BOUND: dict[str, Any] = {"linestyle": ":", "linewidth": 0.9}


def plot(table: Table) -> Drawing:
    """A row for each delay: gap over iterations with the bounds, gap over bits."""
    delays = table.different("tau")
    figure, axes = style.canvas(style.TWO_COLUMNS, 4.8, rows=len(delays), columns=2, sharey=True)
    for number, tau in enumerate(delays):
        over_iterations, over_bits = axes[2 * number : 2 * number + 2]
        for name, look in LOOKS.items():
            rows = table.where(tau=tau, compressor=name)
            measured, bound = rows.where(curve="measured"), rows.where(curve="bound")
            over_iterations.semilogy(bound["iteration"], bound["relative_gap"], **{**look, **BOUND})
            over_iterations.semilogy(measured["iteration"], measured["relative_gap"], **look)
            over_bits.loglog(measured["bits"][1:], measured["relative_gap"][1:], **look)
        words = "no delay" if tau == 0 else rf"delay $\tau={tau}$"
        over_iterations.set(title=words, xlabel="iteration $k$", ylabel="gap relative to the start", ylim=(3e-7, 20))
        over_bits.set(title=words, xlabel="bits of all workers", xlim=(table["bits"].max() / 1e4, None))
    style.panel_letters(axes)
    handles = [Line2D([], [], label=name, **look) for name, look in LOOKS.items()]
    handles.append(Line2D([], [], color=style.BLACK, label="bounds", **BOUND))
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


FIGURE = Figure(
    name="staleness-convergence",
    title="Compressed gradients, fresh and stale",
    caption=(
        "F(x_k) - F* relative to the start for workers that compress their gradients of a logistic regression on "
        "e-mails, dealt by label, against iterations and against bits of all workers, without delay and with a "
        "constant one. Steps: the largest that dcgd-sc and stale-sc-refined allow, theta = 1, whose bounds on the "
        "squared distance, times L/2, are dotted. Values of 32 bits; the sparse messages send indices. Quick: 1512 "
        "e-mails, 1000 tokens, 5 workers, one run; full: 6046 e-mails, 5000 tokens, 10 workers, means of 2 runs."
    ),
    claim="Compression slows iterations, ends at a floor, and saves bits until there: under delay it costs little.",
    theorems=("dcgd-sc", "stale-sc-refined", "noise-table", "urq-natural", "urq-qsgd-inf", "urq-randk"),
    compute=compute,
    plot=plot,
)
