"""How many entries CAT sends along a run, on different networks, and how much faster than T/d it is."""

import numpy as np
from matplotlib.figure import Figure as Drawing

from . import style
from .adaptive_compression_runs import TEXT, TITLES, Task, cat, problem, spread, trajectories
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "NETWORKS", "tasks"]

NETWORKS = {
    "lorawan-eu868-dr0": 0.2,
    "ieee-802.15.4": 0.1,
    "plain": 0.05,
    "ethernet-udp": 0.05,
    "infiniband-4096": 0.05,
    "ethernet-10g": 0.05,
}
"""Networks from small packets to long latency, and the relative gap each is run to."""

POINTS = 150
PLACES = {"plain": (0.3, 0.2), "ethernet-udp": (0.01, 1.35)}  # of names, relative to the end of the line


def tasks() -> dict[str, Task]:
    """The runs of CAT-S by network."""
    return {name: cat("S", name, accuracy) for name, accuracy in NETWORKS.items()}


def compute(setting: Setting, progress: Progress) -> Table:
    """T_k and alpha_k d / T_k at iterations spread evenly on a logarithmic scale."""
    wanted = tasks()
    tables = []
    for name, run in zip(wanted, trajectories(setting, list(wanted.values()), progress), strict=True):
        k = spread(1, len(run.sparsity), POINTS)
        T, alpha = run.sparsity[k - 1, 0].astype(np.int64), run.coefficient[k - 1, 0]
        speed_up = alpha * problem(TEXT).d / T
        gap = run.relative_gap[k - 1]
        tables.append(Table.of(network=name, iteration=k, T=T, alpha=alpha, speed_up=speed_up, relative_gap=gap))
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """Entries over iterations; speed-up over what T/d guarantees."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.8, columns=2)
    for name, colour in zip(table.different("network"), style.COLOURS, strict=False):
        rows = table.where(network=name)
        for axis, column in zip(axes, ("T", "speed_up"), strict=True):
            axis.loglog(rows["iteration"], rows[column], color=colour, linewidth=1.1)
        x, y = PLACES.get(name, (1.2, 1.0))
        end = rows["iteration"][-1], rows["T"][-1]
        style.label_line(axes[0], x * end[0], y * end[1], TITLES[name], colour, va="center")
    axes[0].set(title="entries of the message", ylabel="$T_k$", xlim=(0.9, 1.2e5), ylim=(0.9, 9000))
    axes[1].set(title="speed-up over the worst case", ylabel=r"$\alpha_k/(T_k/d)$")
    for axis in axes:
        axis.set_xlabel("iteration $k$")
    style.panel_letters(axes)
    return figure


FIGURE = Figure(
    name="adaptive-compression-technologies",
    title="CAT on different networks",
    caption=(
        "(a) Entries CAT-S chooses at every iteration. Packets that are billed in full are filled and one is enough; "
        "without packets the number grows as gradients become flatter, and a long latency asks for thousands. "
        "(b) The decrease that these messages certify, relative to T/d, which is all that holds for every gradient; "
        "colours as in (a). Logistic regression on e-mails, d = 26,521, until F(x) - F* is 0.05 (802.15.4: 0.1, "
        "LoRaWAN: 0.2) of its value at the start; 32-bit values."
    ),
    claim="One rule adapts to networks from the internet of things to high-performance computing.",
    theorems=("eff-packet", "eff-c0-monotone", "cat-greedy", "alpha-profile"),
    compute=compute,
    plot=plot,
)
