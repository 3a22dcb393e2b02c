"""Which fraction every worker keeps: powers of its share of the data, between limits, under one budget."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from taciturn.solvers.ratios import power_law
from taciturn.theory.ratio_presets import PRESETS

from . import style
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "LOOKS", "NAMES", "shares_of"]

WORKERS = {"quick": 50, "full": 500}
IMBALANCE = 2  # p_i ~ i^-2
MEAN = 0.02  # fraction that is kept on average
LIMITS = {"without limits": (0.0, 1.0), "with limits": (0.005, 0.15)}

NAMES = {
    "uniform": "uniform",
    "jensen": r"$\alpha=1/3$",
    "tri": r"$\alpha=1/2$",
    "cs": r"$\alpha=2/3$",
    "chi2": r"$\alpha=1$",
}
LOOKS: dict[str, dict[str, Any]] = {
    "uniform": {"color": style.BLACK},
    "jensen": {"color": style.SKY},
    "tri": {"color": style.BLUE},
    "cs": {"color": style.GREEN},
    "chi2": {"color": style.VERMILION},
}
"""Names and colours of the presets in all figures about ratios."""


def shares_of(workers: int, imbalance: float) -> NDArray[np.float64]:
    """Return shares of the data in proportion to i^-imbalance.

    Examples
    --------
    >>> shares_of(3, 1.0).round(3)
    array([0.545, 0.273, 0.182])
    """
    volumes = np.arange(1, workers + 1) ** -float(imbalance)
    return np.asarray(volumes / volumes.sum())


def compute(setting: Setting, progress: Progress) -> Table:
    """Fractions over shares, for every preset, without limits that bind and with them."""
    n = WORKERS[setting.budget]
    p = shares_of(n, IMBALANCE)
    tables = []
    for limits, (lower, upper) in LIMITS.items():
        for name, preset in PRESETS.items():
            found = power_law(float(preset.exponent), p, n * MEAN, lower=lower, upper=upper)
            at = {"limits": limits, "lower": lower, "upper": upper, "preset": name}
            tables.append(Table.of(**at, p=p, delta=found.delta, gap=found.relative_gap))
    progress(1, 1)
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """A panel without limits, and one with them as bands."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.9, columns=2, sharex=True, sharey=True)
    for axis, limits in zip(axes, table.different("limits"), strict=True):
        rows = table.where(limits=limits)
        lower, upper = rows["lower"][0], rows["upper"][0]
        axis.axhspan(upper, 10, color="#F0F0F0", zorder=0)
        axis.axhspan(1e-9, lower, color="#F0F0F0", zorder=0)
        for limit, place, words in ((upper, "bottom", "upper limit"), (lower, "top", "lower limit")):
            if limit > 0:
                axis.axhline(limit, color=style.GREY, linewidth=0.7)
                above = limit * (1.1 if place == "bottom" else 0.9)
                axis.text(0.98, above, words, transform=axis.get_yaxis_transform(), ha="right", va=place, fontsize=7.5)
        for name in rows.different("preset"):
            part = rows.where(preset=name)
            axis.loglog(part["p"], part["delta"], marker=".", markersize=3, linewidth=0.9, **LOOKS[name])
        axis.set(title=limits, xlabel="share of the data, $p_i$")
    axes[0].set(ylabel=r"fraction kept, $\delta_i$", ylim=(table["delta"].min() / 2, 2.5))
    style.panel_letters(axes)
    handles = [Line2D([], [], label=NAMES[name], **LOOKS[name]) for name in table.different("preset")]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


FIGURE = Figure(
    name="ratios-assignment",
    title="Fractions kept, by share of the data",
    caption=(
        "Fractions delta_i of their entries that workers keep against their shares p_i ~ i^-2 of the data, both on "
        "logarithmic scales, under one budget: 2 % on average. Each colour is a power delta_i ~ p_i^alpha, solved "
        "exactly by water-filling, without limits that bind and with 0.5 % and 15 % as limits (grey outside): what "
        "the limits take or give is shared out at the same slope. Quick: 50 workers; full: 500."
    ),
    claim="The best exponent is 1/2; limits clip, and the rest keeps its slope.",
    theorems=("waterfill", "exponent-table", "chi2-identity"),
    compute=compute,
    plot=plot,
)
