"""How few entries a message may have: bits to accuracy for several delays, with what is optimal and what is free."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.constants import golden

from taciturn.solvers.delays import Constant
from taciturn.theory import Guarantee, technology, theorem
from taciturn.theory.communication import entry_bits

from . import style
from .adaptive_compression_runs import FLOAT_BITS, LINKS, spread
from .figure import Figure
from .setting import Progress, Setting
from .staleness_quadratics import mean_square
from .table import Table, stacked

__all__ = ["FIGURE", "HEADERS", "complexities", "guarantee"]

D = 2**16
WORKERS = 32
SMALLEST_CURVATURE = 0.1  # the largest is 1; curvatures are spread evenly on a logarithmic scale
CURVATURES = 8  # different ones
ACCURACY = 1e-4  # of the expected squared distance
DELAYS = {"quick": (0, 4, 16), "full": (0, 4, 16, 64)}
HALVINGS = {"quick": 2, "full": 1}
"""The k that are run: d, and each time that many halvings less, down to d/1024."""

FEWEST = 16  # entries for which the guarantee is drawn
POINTS = 60

HEADERS = {
    "UDP on Ethernet": 8.0 * technology("ethernet-udp").overhead_bytes,
    "10 Gbit/s, latency 50 µs": math.prod(LINKS["ethernet-10g"]),
}
"""Bits that a message costs besides its entries: a header, or a latency times the bandwidth."""


def complexities(tau: Any) -> tuple[Any, float]:
    """Return A_0 and B_1 of 1/(gamma mu) = (A_0 + B_1 omega)/mu for L = 1 and workers with one function (theta = 0)."""
    return 1 + golden * tau + 0.75 * SMALLEST_CURVATURE * tau, 1 / WORKERS


def guarantee(tau: Any, variance: Any) -> Guarantee:
    """Return the theorem at its closed-form step, for which the optimal k has a formula."""
    base, slope = complexities(tau)
    return theorem("stale-sc").evaluate(
        L_hat=1.0,
        mu=SMALLEST_CURVATURE,
        tau=tau,
        noise_slope=slope * variance,
        noise_floor=0.0,
        step_size=1 / (base + slope * variance),
    )


def compute(setting: Setting, progress: Progress) -> Table:
    """Iterations to the accuracy over k and delay, exact and guaranteed; the marked k."""
    k = D >> np.arange(0, 11, HALVINGS[setting.budget])
    runs = [(tau, int(each)) for tau in DELAYS[setting.budget] for each in k]
    tables = []
    for done, (tau, each) in enumerate(runs, start=1):
        tables.append(_point(tau, each))
        progress(done, len(runs))
    return stacked([*tables, *(part for tau in DELAYS[setting.budget] for part in _guaranteed(tau))])


def _point(tau: int, k: int) -> Table:
    promise = guarantee(tau, D / k - 1)
    trace = Constant(tau).trace(int(promise.iterations(ACCURACY, 1.0)), workers=1)
    step: Any = promise.step_size
    course = mean_square(np.geomspace(SMALLEST_CURVATURE, 1.0, CURVATURES), trace, step, D / k - 1, WORKERS)
    return _rows("exact", "", tau, k, np.argmax(course <= ACCURACY))


def _guaranteed(tau: int) -> Iterator[Table]:
    """The guarantee over k, and at the k that are marked."""
    k = spread(FEWEST, D, POINTS)
    yield _rows("guaranteed", "", tau, k, guarantee(tau, D / k - 1).iterations(ACCURACY, 1.0))
    base, slope = complexities(tau)
    known = {"base_complexity": base, "noise_complexity": slope}
    free: Any = theorem("tradeoff-free-compression").evaluate(**known).value
    places = {("free", ""): D / (1 + free)}
    for name, header in HEADERS.items():
        best = theorem("optimal-accuracy").evaluate(**known, d=D, header=header, entry_bits=_entry()).value
        places["best", name] = float(np.asarray(best))
    for (curve, name), k in places.items():
        yield _rows(curve, name, tau, k, guarantee(tau, D / k - 1).iterations(ACCURACY, 1.0))


def _rows(curve: str, header: str, tau: int, k: Any, iterations: Any) -> Table:
    columns = {"k": np.asarray(k, dtype=np.float64), "iterations": np.asarray(iterations, dtype=np.float64)}
    return Table.of(curve=curve, header=header, tau=tau, **columns)


def _entry() -> float:
    return float(entry_bits("S", D, FLOAT_BITS))


def bits(k: NDArray[Any], iterations: NDArray[Any], header: float) -> NDArray[np.float64]:
    """Return the bits that all workers send."""
    return np.asarray(WORKERS * iterations * (header + _entry() * k))


def plot(table: Table) -> Drawing:
    """Iterations over the variance; bits over k for each header."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 3.0, columns=1 + len(HEADERS))
    colours = dict(zip(table.different("tau"), style.COLOURS, strict=False))
    for tau, colour in colours.items():
        rows = table.where(tau=tau)
        _lines(axes[0], rows, colour, lambda part: part["iterations"])
        free = rows.where(curve="free")
        axes[0].plot(free["k"] / D, free["iterations"], color=colour, **FREE)
        for axis, (name, header) in zip(axes[1:], HEADERS.items(), strict=True):
            _lines(axis, rows, colour, lambda part, header=header: bits(part["k"], part["iterations"], header))
            for place, look in ((free, FREE), (rows.where(curve="best", header=name), BEST)):
                axis.plot(place["k"] / D, bits(place["k"], place["iterations"], header), color=colour, **look)
    for axis, title in zip(axes, ("iterations", *HEADERS), strict=True):
        axis.set(xscale="log", yscale="log", title=title, xlabel="fraction kept, $k/d$")
    axes[0].set_ylabel(f"iterations to $10^{{{round(math.log10(ACCURACY))}}}$")
    axes[1].set_ylabel("bits of all workers")
    style.panel_letters(axes)
    handles = [Line2D([], [], color=colour, linewidth=4.0, label=rf"$\tau={tau}$") for tau, colour in colours.items()]
    handles += [Line2D([], [], **{"color": style.BLACK, **look}, label=label) for label, look in LOOKS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=math.ceil(len(handles) / 2))
    return figure


EXACT: dict[str, Any] = {"linestyle": "-", "marker": "o", "markersize": 2.6, "linewidth": 1.0}
GUARANTEED: dict[str, Any] = {"linestyle": "--", "linewidth": 1.0}
FREE: dict[str, Any] = {"linestyle": "none", "marker": "D", "markersize": 5.0, "markerfacecolor": "white"}
BEST: dict[str, Any] = {"linestyle": "none", "marker": "*", "markersize": 9.0}
LOOKS = {
    "exact expectation": EXACT,
    "guaranteed": GUARANTEED,
    r"$k_{\mathrm{free}}$: iterations doubled": FREE,
    r"$k^\star$: fewest guaranteed bits": BEST,
}


def _lines(axis: Axes, rows: Table, colour: str, height: Any) -> None:
    for curve, look in (("exact", EXACT), ("guaranteed", GUARANTEED)):
        part = rows.where(curve=curve)
        axis.plot(part["k"] / D, height(part), color=colour, **look)


FIGURE = Figure(
    name="staleness-accuracy",
    title="Bits to accuracy against the entries of a message",
    caption=(
        f"{WORKERS} workers with the same quadratic, d = 65,536, L/mu = 10, messages of k random entries, constant "
        "delay tau; until the expected squared distance is 1e-4 of its value at the start. (a) Iterations: flat while "
        "compression is free. (b), (c) Bits of all messages, 48 a kept entry and a header of 528 bits (Ethernet, IP, "
        "UDP) or the 500,000 bits that a latency of 50 microseconds is worth at 10 Gbit/s. Exact expectations and what "
        "stale-sc guarantees, both with its closed-form step."
    ),
    claim="The more asynchrony, the more compression is free; below k_free bits hardly fall, above it time hardly.",
    theorems=("stale-sc", "tradeoff-free-compression", "optimal-accuracy", "urq-randk"),
    compute=compute,
    plot=plot,
)
