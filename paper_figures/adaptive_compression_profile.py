"""What the T largest entries of a real gradient keep, against what is guaranteed for every gradient."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from taciturn.solvers.array import Array, to_numpy
from taciturn.solvers.tune import profile
from taciturn.solvers.tune.stochastic import stochastic_profile
from taciturn.theory import theorem

from . import style
from .adaptive_compression_guarantees import decrease_for_any_gradient
from .adaptive_compression_runs import MNIST, TEXT, gradient_after, mnist_is_here, spread
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE"]

POINTS = 160
LATER = 20  # steps of gradient descent, after which the gap is a tenth

MEASURED = {"alpha": style.BLUE, "beta": style.VERMILION, "omega": style.GREEN}


def compute(setting: Setting, progress: Progress) -> Table:
    """Profiles of gradients of the text at the start and later, and of MNIST where it is here."""
    panels = [("e-mails, first gradient", TEXT, 0), (f"e-mails, after {LATER} steps", TEXT, LATER)]
    if mnist_is_here():
        panels.append(("MNIST, first gradient", MNIST, 0))
    tables = []
    for done, (panel, name, iterations) in enumerate(panels, start=1):
        tables.append(_curves(panel, gradient_after(setting, name, iterations)))
        progress(done, len(panels))
    return stacked(tables)


def _curves(panel: str, gradient: Array) -> Table:
    sums, omega = profile(gradient), stochastic_profile(gradient)
    d, nonzeros, s = gradient.shape[0], int(sums.nonzeros), float(sums.effective_sparsity)
    T = spread(1, nonzeros, POINTS)
    curves = {
        "alpha": to_numpy(sums.alpha)[T - 1],
        "beta": to_numpy(sums.beta)[T - 1],
        "omega": omega(T),
        "alpha, sparse": theorem("alpha-profile").evaluate(d=d, T=T, effective_sparsity=s).decrease,
        "alpha, any": decrease_for_any_gradient("S", T, d),
        "beta, any": decrease_for_any_gradient("S+Q", T, d),
        "omega, any": decrease_for_any_gradient("SS", T, d),
    }
    return stacked(
        Table.of(panel=panel, d=d, effective_sparsity=s, curve=name, T=T, decrease=np.asarray(values, dtype=float))
        for name, values in curves.items()
    )


def plot(table: Table) -> Drawing:
    """One panel a gradient."""
    panels = table.different("panel")
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.5, columns=len(panels), sharey=True)
    for axis, panel in zip(axes, panels, strict=True):
        rows = table.where(panel=panel)
        d, s = rows["d"][0], rows["effective_sparsity"][0]
        for curve, colour in MEASURED.items():
            axis.semilogx(*_line(rows, curve), color=colour)
        axis.semilogx(*_line(rows, "alpha, sparse"), color=style.BLUE, linestyle=(0, (4, 1.5)), linewidth=1.0)
        axis.semilogx(*_line(rows, "alpha, any"), color=style.BLACK, linestyle=":", linewidth=1.2)
        axis.set(title=panel, xlabel="entries sent, $T$", ylim=(0, 1.02), xlim=(1, d))
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        axis.text(0.04, 0.94, f"$d={d}$\n$s={s:.0f}$", transform=axis.transAxes, va="top", fontsize=8.0)
    axes[0].set_ylabel(r"certified decrease, % of $\Vert g\Vert^2/2L$")
    style.panel_letters(axes)
    _name_lines(axes[0], table.where(panel=panels[0]))
    return figure


def _name_lines(axis: Axes, rows: Table) -> None:
    """Write names beside the lines, at the height given, on the side where there is room."""
    for curve, height, side, text, colour in (
        ("alpha", 0.60, "right", r"S: $\alpha(T)$", style.BLUE),
        ("omega", 0.25, "right", r"SS: $\omega(T)$", style.GREEN),
        ("alpha, sparse", 0.19, "left", r"$1-s/4T$", style.BLUE),
        ("alpha, any", 0.45, "right", "$T/d$", style.BLACK),
    ):
        T, decrease = _line(rows, curve)
        x = T[np.argmax(decrease >= height)] * (0.85 if side == "right" else 1.15)
        style.label_line(axis, x, height, text, colour, ha=side, va="center")
    T, beta = _line(rows, "beta")
    style.label_line(
        axis, T[beta.argmax()], 0.8 * beta.max(), r"S+Q: $\beta(T)$", style.VERMILION, ha="center", va="top"
    )


def _line(rows: Table, curve: str) -> tuple[NDArray[Any], NDArray[Any]]:
    line = rows.where(curve=curve)
    return line["T"], line["decrease"]


FIGURE = Figure(
    name="adaptive-compression-profile",
    title="What the largest entries of a gradient keep",
    caption=(
        "Certified decrease of one step against the number of entries sent, for sparsification (S), with quantisation "
        "(S+Q) and stochastic (SS). Solid: measured on gradients of logistic regression on e-mails (and of softmax "
        "regression on MNIST where a copy is at hand). Dashed: the guarantee max(T/d, 1 - s/4T) from the effective "
        "sparsity s of the gradient. Dotted: T/d, all that holds for every gradient."
    ),
    claim="Data-dependent guarantees of sparsification exceed the worst case T/d by orders of magnitude.",
    theorems=("alpha-profile", "beta-profile", "ss-omega-profile", "ss-order"),
    compute=compute,
    plot=plot,
)
