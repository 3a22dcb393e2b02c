"""The longest safe step for unequal ratios: measured on linear instances, between what is necessary and sufficient."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from taciturn.solvers.linear_instances import METHODS, divergence_limit
from taciturn.solvers.ratios import preset
from taciturn.theory import theorem
from taciturn.theory.memory_constants import MemoryConstants, memory_constants

from . import style
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "MEANS"]

WORKERS = 5
LARGEST = {"quick": 9, "full": 33}
"""Points from equal shares to the extreme one."""

EXTREME = 0.96  # share of the largest worker at the other end
MEANS = (0.6, 0.3, 0.05)  # fractions that are kept on average
LOWEST = 1e-3
SHOWN = ("uniform", "tri", "chi2")
SMOOTHNESS = 1.0  # of every worker


def _shares(largest: float) -> NDArray[np.float64]:
    """One worker holds so much, the others the same."""
    others = (1 - largest) / (WORKERS - 1)
    return np.array([largest, *(others,) * (WORKERS - 1)])


def compute(setting: Setting, progress: Progress) -> Table:
    """Step limits in units of 1/L over the share of the largest worker."""
    shares = np.linspace(1 / WORKERS, EXTREME, LARGEST[setting.budget])
    tables = []
    for done, (mean, name) in enumerate(((mean, name) for mean in MEANS for name in SHOWN), start=1):
        for largest in shares:
            p = _shares(float(largest))
            delta = preset(name, p, WORKERS * mean, lower=LOWEST).delta
            at = {"mean": mean, "preset": name, "largest": largest}
            constants = memory_constants(p, delta, smoothness=SMOOTHNESS)
            steps = {**_bounds(constants), **{f: divergence_limit(p, SMOOTHNESS, delta, f) for f in METHODS}}
            tables.append(Table.of(**at, curve=list(steps), step=list(steps.values())))
        progress(done, len(MEANS) * len(SHOWN))
    return stacked(tables)


def _bounds(constants: MemoryConstants) -> dict[str, float]:
    memory: Any = constants.memory_smoothness
    necessary = theorem("step-limit").evaluate(mean_smoothness=constants.mean_smoothness, memory_smoothness=memory)
    sufficient = theorem("nuef21-nonconvex").evaluate(L=SMOOTHNESS, memory_smoothness=memory)
    assert necessary.value is not None
    assert sufficient.step_size is not None
    return {"necessary": float(necessary.value), "sufficient": float(sufficient.step_size)}


COLOURS = {"uniform": style.BLACK, "tri": style.BLUE, "chi2": style.VERMILION}
WIDTHS = {"uniform": 1.3, "tri": 1.3, "chi2": 2.4}  # two curves coincide where limits bind
WORDS = {"uniform": "uniform ratios", "tri": r"$\delta_i\propto p_i^{1/2}$", "chi2": r"$\delta_i\propto p_i$"}
MARKS: dict[str, dict[str, Any]] = {
    "EF": {"marker": "o", "markersize": 5.0, "fillstyle": "none"},
    "EF21": {"marker": "x", "markersize": 3.0},
}


def plot(table: Table) -> Drawing:
    """A column for each budget: the steps, and the same over the necessary limit."""
    means = table.different("mean")
    figure, axes = style.canvas(style.TWO_COLUMNS, 4.4, rows=2, columns=len(means), sharex=True, sharey="row")
    for column, mean in enumerate(means):
        steps, ratios = axes[column], axes[len(means) + column]
        for name, colour in reversed(COLOURS.items()):
            rows = table.where(mean=mean, preset=name)
            x, necessary = (rows.where(curve="necessary")[key] for key in ("largest", "step"))
            for axis, unit in ((steps, 1.0), (ratios, necessary)):
                axis.plot(x, necessary / unit, color=colour, linestyle="--", linewidth=WIDTHS[name])
                axis.plot(x, rows.where(curve="sufficient")["step"] / unit, color=colour, linewidth=WIDTHS[name])
                for method, look in MARKS.items():
                    limit = rows.where(curve=method)["step"]
                    axis.plot(x, limit / unit, color=colour, linestyle="", **look)
        steps.set(title=rf"$\delta={mean:g}$ on average", yscale="log")
        ratios.set(title="the same over step-limit", xlabel="share of the largest worker", ylim=(0.45, 1.05))
    axes[0].set(ylabel=r"step size, $\gamma L$")
    axes[len(means)].set(ylabel="step over step-limit")
    style.panel_letters(axes)
    handles = [Line2D([], [], color=colour, label=WORDS[name]) for name, colour in COLOURS.items()]
    handles += [
        Line2D([], [], color=style.GREY, linestyle="--", label="necessary: step-limit"),
        Line2D([], [], color=style.GREY, label="sufficient: nuef21-nonconvex"),
    ]
    handles += [
        Line2D([], [], color=style.GREY, linestyle="", label=f"{method} diverges, measured", **look)
        for method, look in MARKS.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


FIGURE = Figure(
    name="ratios-step-limits",
    title="The longest safe step for unequal ratios",
    caption=(
        "Step sizes in units of 1/L for five workers, one of which holds the share on the axis and the others the "
        "same, from equal to 96 %, with ratios uniform and proportional to p_i^(1/2) and p_i (at most 1), for three "
        "budgets; below, in units of step-limit. Circles and crosses: where EF and EF21 stop converging on L x^2/2 "
        "with C_i(v) = (1 + q_i) v, from the eigenvalues. Dashed: step-limit, above which nobody may "
        "go; solid: nuef21-nonconvex, up to which EF21 is safe on every smooth problem."
    ),
    claim="The safe step is known to a factor of at most 2; proportional ratios move it no farther than uniform ones.",
    theorems=("step-limit", "nuef21-nonconvex", "exponent-symmetry"),
    compute=compute,
    plot=plot,
)
