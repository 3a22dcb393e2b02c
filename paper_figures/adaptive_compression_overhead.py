"""How many entries are worth their price against the overhead of a message, from radios to data centres."""

import numpy as np
from matplotlib.figure import Figure as Drawing

from taciturn.solvers.array import Array, array_like
from taciturn.solvers.tune import tune
from taciturn.theory import technology
from taciturn.theory.communication import AffineCost, entry_bits

from . import style
from .adaptive_compression_runs import FLOAT_BITS, LINKS, MNIST, TEXT, gradient_after, mnist_is_here, problem
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE"]

OVERHEADS = np.geomspace(0.1, 1e7, 81)
LATER = 20
PACKET_HEADERS = {"lorawan-eu868-dr0": "LoRaWAN", "ethernet-udp": "UDP"}
LATENCIES = {"rdma-100g": "RDMA", "ethernet-10g": "10 GbE"}


def compute(setting: Setting, progress: Progress) -> Table:
    """Best T for gradients of the text, of MNIST where it is here, and of two model shapes; places of networks."""
    d = problem(TEXT).d
    j = np.arange(1.0, d + 1)
    gradients = {
        "e-mails, first": gradient_after(setting, TEXT, 0),
        f"e-mails, after {LATER} steps": gradient_after(setting, TEXT, LATER),
        "$1/j$": array_like(1 / j, setting.prototype()),
        r"$1/\sqrt{j}$": array_like(1 / np.sqrt(j), setting.prototype()),
    }
    if mnist_is_here():
        gradients["MNIST, first"] = gradient_after(setting, MNIST, 0)
    tables = []
    for done, (name, gradient) in enumerate(gradients.items(), start=1):
        best = [_best(gradient, overhead) for overhead in OVERHEADS]
        tables.append(Table.of(kind="gradient", name=name, overhead=OVERHEADS, T=best))
        progress(done, len(gradients))
    entry = entry_bits("S", d, FLOAT_BITS)
    for name, title in PACKET_HEADERS.items():
        tables.append(Table.of(kind="network", name=title, overhead=8 * technology(name).overhead_bytes / entry, T=0))
    for name, title in LATENCIES.items():
        latency, bandwidth = LINKS[name]
        tables.append(Table.of(kind="network", name=title, overhead=latency * bandwidth / entry, T=0))
    return stacked(tables)


def _best(gradient: Array, overhead: float) -> int:
    return int(tune(gradient, AffineCost(float(overhead), 1.0)).T)


def plot(table: Table) -> Drawing:
    """Lines for gradients, marks for networks."""
    figure, (axis,) = style.canvas(style.ONE_COLUMN, 2.9)
    gradients, networks = table.where(kind="gradient"), table.where(kind="network")
    for name, overhead, side in zip(networks["name"], networks["overhead"], ("right", "left") * 2, strict=True):
        axis.axvline(overhead, color=style.GREY, linewidth=0.7)
        axis.text(overhead, 1.01, name, transform=axis.get_xaxis_transform(), fontsize=8.0, ha=side)
    for name, colour in zip(gradients.different("name"), style.COLOURS, strict=False):
        rows = gradients.where(name=name)
        axis.loglog(rows["overhead"], rows["T"], color=colour, label=name, linestyle="--" if "$" in name else "-")
    axis.set(xlabel=r"overhead of a message $\rho=c_0/c_1$, in entries", ylabel="best number of entries $T^*$")
    axis.set(xlim=(OVERHEADS[0], OVERHEADS[-1]), ylim=(0.8, None))
    axis.legend(loc="lower right", fontsize=7.5, borderpad=0.2, frameon=True, framealpha=1.0, edgecolor="none")
    return figure


FIGURE = Figure(
    name="adaptive-compression-overhead",
    title="From the internet of things to high-performance computing",
    caption=(
        "Number of entries with the largest certified decrease per unit of an affine price, against the overhead of a "
        "message in units of an entry's price. Vertical lines: the packet headers of LoRaWAN and of UDP on "
        "Ethernet over a 47-bit entry; latency times bandwidth over an entry for RDMA (1.3 microseconds, 100 Gbit/s) "
        "and 10 Gbit/s Ethernet (50 microseconds). Dashed: magnitudes 1/j and 1/sqrt(j), d = 26,521."
    ),
    claim="The best number of entries never falls as the overhead grows, and spans four orders of magnitude.",
    theorems=("eff-affine", "eff-c0-monotone", "eff-threshold"),
    compute=compute,
    plot=plot,
)
