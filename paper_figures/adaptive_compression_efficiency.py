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

STEPS = 20  # of gradient descent before the gradient that is shown
UDP_BITS = 8 * technology("ethernet-udp").overhead_bytes
OVERHEADS = (0, HEADER_BITS, UDP_BITS, 100_000)  # bits of a message besides its entries
PACKETS = "ieee-802.15.4"
LARGEST_TEETH = 200  # entries shown with packets
POINTS = 200


def compute(setting: Setting, progress: Progress) -> Table:
    """Efficiencies of a gradient of the text."""
    gradient = gradient_after(setting, TEXT, STEPS)
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
    cost = AffineCost(UDP_BITS, c1)
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
    for axis in axes:
        axis.set_xlabel("entries sent, $T$")
    style.panel_letters(axes)
    return figure


def _affine(axis: Axes, rows: Table) -> None:
    for name, colour in zip(_curves(rows), style.COLOURS, strict=False):
        line, best = rows.where(curve=name), rows.where(curve=f"{name}, best")
        axis.loglog(line["T"], line["value"], color=colour)
        axis.plot(best["T"], best["value"], "o", color=colour)
        x, y = best["T"][0], best["value"][0]
        if name == "0":
            style.label_line(axis, x, 1.3 * y, "$c_0=0$", colour, va="bottom")
        else:
            style.label_line(axis, x, 0.8 * y, _power(int(name)), colour, ha="center", va="top")
    axis.set(title="price $c_0+47T$ bits", ylabel="gain per bit over sending all")
    axis.set_ylim(0.4, 1500)


def _power(number: int) -> str:
    return f"$10^{round(np.log10(number))}$" if number >= 10_000 else str(number)


def _threshold(axis: Axes, rows: Table) -> None:
    following, average, best = (rows.where(curve=name) for name in ("next entry", "average", "best"))
    T, threshold = best["T"][0], best["value"][0]
    axis.hlines(threshold, 1, T, color=style.GREY, linewidth=0.8, linestyle="--")
    axis.vlines(T, 0, threshold, color=style.GREY, linewidth=0.8, linestyle="--")
    axis.loglog(following["T"], following["value"], color=style.BLACK)
    axis.loglog(average["T"], average["value"], color=style.GREEN)
    axis.plot(T, threshold, "o", color=style.GREEN)
    style.label_line(axis, 1.1, threshold * 0.85, r"$\lambda^*$", style.BLACK, va="top")
    style.label_line(axis, T * 1.15, 1.5e-5, f"$T^*={T}$", style.BLACK)
    style.label_line(axis, 330, 1.9e-4, "next entry\n$g_{(T+1)}^2$", style.BLACK, ha="right", va="center")
    style.label_line(axis, 300, 2.5e-3, "average per price\n$c_1A_T/(c_0+c_1T)$", style.GREEN, va="bottom")
    axis.set(title=f"threshold, $c_0={UDP_BITS}$", ylabel=r"share of $\Vert g\Vert^2$", ylim=(1e-5, 0.04))


def _packets(axis: Axes, rows: Table) -> None:
    for name, colour in zip(_curves(rows), (style.BLUE, style.VERMILION, style.GREY), strict=True):
        line, best = rows.where(curve=name), rows.where(curve=f"{name}, best")
        axis.loglog(line["T"], line["value"], color=colour, label=name)
        axis.plot(best["T"], best["value"], "o", color=colour)
    axis.set(title="packets of IEEE 802.15.4", ylim=(6, 600))
    axis.legend(loc="lower right")


def _curves(rows: Table) -> list[str]:
    return [name for name in rows.different("curve") if not name.endswith("best")]


FIGURE = Figure(
    name="adaptive-compression-efficiency",
    title="Certified decrease per bit, and where it is largest",
    caption=(
        "(a) Certified decrease of one step per bit, relative to sending the full gradient, against the number of "
        "entries, for prices with an overhead of c0 bits; dots: the T that CAT chooses. More overhead, more entries. "
        "(b) The choice as a threshold: an entry is worth its price as long as its squared magnitude exceeds the "
        "average so far, c1 A_T/C(T), which is largest there. (c) Packets of 19 entries: with full packets billed only "
        "full packets can be best. Logistic regression on e-mails, d = 26,521, after 20 steps of gradient descent; "
        "32-bit values."
    ),
    claim="Decrease per bit has one maximum for affine prices, and a saw-tooth with its maximum at full packets else.",
    theorems=("eff-affine", "eff-threshold", "eff-packet", "eff-hybrid", "eff-c0-monotone", "gain-ceiling"),
    compute=compute,
    plot=plot,
)
