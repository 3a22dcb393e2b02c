"""Certified decrease per bit against the number of entries: what CAT maximises, for three kinds of price."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from taciturn.solvers.array import to_numpy
from taciturn.solvers.tune import profile, tune
from taciturn.theory.communication import AffineCost, Cost, HybridCost, entry_bits, technology

from . import style
from .adaptive_compression_runs import FLOAT_BITS, HEADER_BITS, TEXT, dense_cost, gradient_after, spread
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE"]

OVERHEADS = (0, HEADER_BITS, 528, 100_000)  # bits of a message besides its entries; 528 are the headers of UDP
PACKETS = "ieee-802.15.4"
LARGEST_TEETH = 120  # entries shown with packets
POINTS = 200


def compute(setting: Setting, progress: Progress) -> Table:
    """Efficiencies of the first gradient of the text."""
    gradient = gradient_after(setting, TEXT, 0)
    d = gradient.shape[0]
    alpha = to_numpy(profile(gradient).alpha)
    c1 = entry_bits("S", d, FLOAT_BITS)

    def curve(panel: str, name: str, T: NDArray[Any], cost: Cost) -> list[Table]:
        """Gain over sending everything, and the T that `tune` chooses."""
        best = tune(gradient, cost)
        gain = dense_cost(d) * alpha[T - 1] / cost(T)
        return [
            Table.of(panel=panel, curve=name, T=T, value=gain),
            Table.of(panel=panel, curve=f"{name}, best", T=best.T, value=dense_cost(d) * best.efficiency),
        ]

    T = spread(1, d, POINTS)
    tables = [part for c0 in OVERHEADS for part in curve("affine", f"{c0}", T, AffineCost(c0, c1))]

    # D(T) <= 0 iff the next squared magnitude is at most the average per unit of price; they meet at the threshold.
    cost = AffineCost(HEADER_BITS, c1)
    squares, best = np.diff(alpha, prepend=0.0), tune(gradient, cost)
    T = spread(1, int(np.count_nonzero(squares)) - 1, POINTS)
    tables += [
        Table.of(panel="threshold", curve="next entry", T=T, value=squares[T]),
        Table.of(panel="threshold", curve="average", T=T, value=c1 * alpha[T - 1] / cost(T)),
        Table.of(panel="threshold", curve="best", T=best.T, value=c1 * best.efficiency),
    ]

    radio = technology(PACKETS)
    packets = radio.packets("S", d, FLOAT_BITS)
    T = np.arange(1, LARGEST_TEETH + 1)
    full = radio.cost("S", d, FLOAT_BITS)
    tables += curve("packets", "full packets billed", T, full)
    tables += curve("packets", "last packet short", T, HybridCost(packets, 8 * radio.overhead_bytes, 1.0))
    tables += curve("packets", "without rounding up", T, AffineCost(*full.affine_minorant()))
    progress(1, 1)
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """Affine prices; the threshold; packets."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.6, columns=3)
    _affine(axes[0], table.where(panel="affine"))
    _threshold(axes[1], table.where(panel="threshold"))
    _packets(axes[2], table.where(panel="packets"))
    style.panel_letters(axes)
    return figure


def _affine(axis: Axes, rows: Table) -> None:
    names = [name for name in rows.different("curve") if not name.endswith("best")]
    for name, colour in zip(names, style.COLOURS, strict=False):
        line, best = rows.where(curve=name), rows.where(curve=f"{name}, best")
        axis.loglog(line["T"], line["value"], color=colour)
        axis.plot(best["T"], best["value"], "o", color=colour)
        label = f"$c_0={int(name)}$" if int(name) < 10_000 else "$c_0=10^5$"
        style.label_line(axis, best["T"][0] * 0.8, best["value"][0] * 1.12, label, colour, ha="left", va="bottom")
    axis.set(title="affine price $c_0+47T$ bits", xlabel="entries sent, $T$")
    axis.set_ylabel("gain per bit over sending everything")


def _threshold(axis: Axes, rows: Table) -> None:
    following, average = rows.where(curve="next entry"), rows.where(curve="average")
    best = rows.where(curve="best")
    T, threshold = best["T"][0], best["value"][0]
    axis.loglog(following["T"], following["value"], color=style.BLACK)
    axis.loglog(average["T"], average["value"], color=style.VERMILION)
    axis.axhline(threshold, color=style.GREY, linewidth=0.8, linestyle="--")
    axis.axvline(T, color=style.GREY, linewidth=0.8, linestyle="--")
    axis.plot(T, threshold, "o", color=style.VERMILION)


def _packets(axis: Axes, rows: Table) -> None:
    names = [name for name in rows.different("curve") if not name.endswith("best")]
    for name, colour in zip(names, (style.BLUE, style.VERMILION, style.GREY), strict=True):
        line, best = rows.where(curve=name), rows.where(curve=f"{name}, best")
        axis.plot(line["T"], line["value"], color=colour, label=name)
        axis.plot(best["T"], best["value"], "o", color=colour)
    axis.set(title="packets of IEEE 802.15.4", xlabel="entries sent, $T$")
    axis.legend(loc="upper right")


FIGURE = Figure(
    name="adaptive-compression-efficiency",
    title="Certified decrease per bit, and where it is largest",
    caption=(
        ""
    ),
    claim="",
    theorems=("eff-affine", "eff-threshold", "eff-packet", "eff-hybrid", "eff-c0-monotone", "gain-ceiling"),
    compute=compute,
    plot=plot,
)
