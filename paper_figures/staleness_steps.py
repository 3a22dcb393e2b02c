"""Step sizes that are safe for every delay, against those that are not."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.constants import golden

from taciturn.solvers.delays import DESTABILISING
from taciturn.theory import theorem

from . import style
from .adaptive_compression_runs import spread
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "largest_stable_step"]

SHOWN = (0.0, 1.0, 10.0, 100.0)
"""Variances of the compressors in the first panel."""

GRID = {"quick": (41, 41), "full": (121, 121)}
"""Staleness and variance of the second panel: points on a logarithmic scale."""

HIGHEST, LOWEST_VARIANCE, HIGHEST_VARIANCE = 1000, 0.1, 1000.0
RAMPS = {"quick": (8, 12, 20), "full": (8, 12, 16, 20, 32, 50)}
"""Staleness for which no search was made: the ramp with its worst plateau stands in."""

STEPS = 200  # sizes tried in each refinement
SHADES = (1.8, 1.9, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7)


def largest_stable_step(pattern: tuple[int, ...]) -> float:
    """Return the smallest step at which x_{k+1} = x_k - step x_{k - delay_k} is no longer stable, delays repeating.

    Parameters
    ----------
    pattern : tuple of int
        The delays of one period.

    Returns
    -------
    float
        Up to 1e-9 relative; crossings that are closer together than 1.5 % are not told apart.

    Examples
    --------
    >>> round(largest_stable_step((0,)), 6), round(largest_stable_step((0, 1, 2, 2)), 6)  # 2 and 2 - sqrt(2)
    (2.0, 0.585786)
    """
    lowest = 1 / (1 + 2 * max(pattern))
    steps = np.geomspace(lowest, 2.1, STEPS)
    for _ in range(5):
        first = int(np.argmax(_growth(pattern, steps) > 1))  # the step below it is stable
        steps = np.linspace(steps[first - 1], steps[first], STEPS)
    return float(steps[0])


def _growth(pattern: tuple[int, ...], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spectral radius of one period of the iteration on (x_k, ..., x_{k - tau}), for every step."""
    order = max(pattern) + 1
    period = np.broadcast_to(np.eye(order), (len(steps), order, order))
    for delay in pattern:
        newest = period[:, 0] - steps[:, None] * period[:, delay]
        period = np.concatenate([newest[:, None], period[:, :-1]], axis=1)
    return np.asarray(np.abs(np.linalg.eigvals(period)).max(axis=1))


def compute(setting: Setting, progress: Progress) -> Table:
    """Safe and unsafe steps in units of 1/L over staleness and variance, and noise-free patterns that are unstable."""
    tables = [_against_delay(), _grid(*GRID[setting.budget])]
    progress(1, 2)
    tables.append(_patterns(RAMPS[setting.budget]))
    progress(2, 2)
    return stacked(tables)


def _safe(tau: Any, variance: Any, **step: Any) -> Any:
    """The root step: one worker, so its gradient vanishes at the minimiser and the noise slope is variance L."""
    known = {"L_hat": 1.0, "tau": tau, "noise_slope": variance, "noise_floor": 0.0}
    return theorem("stale-convex").evaluate(**known, **step).step_size


def _closed_form(tau: Any, variance: Any) -> Any:
    """1/(L (1 + phi tau) + B_0), which the theorem refuses where it exceeds the root step."""
    return _safe(tau, variance, step_size=1 / (1 + golden * tau + variance))


def _necessary(tau: Any, variance: Any) -> Any:
    return theorem("stale-necessary").evaluate(L=1.0, tau=tau, variance=variance).value


def _against_delay() -> Table:
    tau = np.concatenate([[0], spread(1, HIGHEST, 60)])
    curves = {"safe, root step": _safe, "safe, closed form": _closed_form, "unsafe above": _necessary}
    return stacked(
        Table.of(panel="delay", curve=curve, tau=tau, variance=variance, step=step(tau, variance))
        for curve, step in curves.items()
        for variance in SHOWN
    )


def _grid(delays: int, variances: int) -> Table:
    tau = np.concatenate([[0], spread(1, HIGHEST, delays)])
    variance = np.geomspace(LOWEST_VARIANCE, HIGHEST_VARIANCE, variances)
    at = {"tau": np.repeat(tau, len(variance)), "variance": np.tile(variance, len(tau))}
    return Table.of(panel="ratio", curve="unsafe / safe", **at, step=_necessary(**at) / _safe(**at))


def _patterns(ramps: tuple[int, ...]) -> Table:
    tau = np.array([*DESTABILISING, *ramps])
    searched = [largest_stable_step(pattern) for pattern in DESTABILISING.values()]
    curves = {
        "worst pattern known": searched + [_unstable_ramp(each) for each in ramps],
        "constant delay": [largest_stable_step((each,)) for each in tau.tolist()],
        "hold": _necessary(tau, 0.0),
        "safe, root step": _safe(tau, 0.0),
    }
    return stacked(
        Table.of(panel="pattern", curve=curve, tau=tau, variance=0.0, step=step) for curve, step in curves.items()
    )


def _unstable_ramp(tau: int) -> float:
    """The smallest unstable step of 0, 1, ..., tau, ..., tau over all plateaus from half of tau to tau."""
    return min(largest_stable_step((*range(tau), *(tau,) * plateau)) for plateau in range(tau // 2, tau + 1))


def plot(table: Table) -> Drawing:
    """Steps over staleness; the gap between safe and unsafe; patterns without noise."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.9, columns=3)
    _draw_delay(axes[0], table.where(panel="delay"))
    _draw_ratio(axes[1], table.where(panel="ratio"))
    _draw_patterns(axes[2], table.where(panel="pattern"))
    style.panel_letters(axes)
    return figure


def _draw_delay(axis: Axes, rows: Table) -> None:
    looks = {"safe, root step": "-", "safe, closed form": ":", "unsafe above": "--"}
    for variance, colour in zip(rows.different("variance"), style.COLOURS, strict=False):
        for curve, line in looks.items():
            part = rows.where(curve=curve, variance=variance)
            axis.loglog(1 + part["tau"], part["step"], color=colour, linestyle=line, linewidth=1.1)
        start = rows.where(curve="safe, root step", variance=variance)["step"][0]
        style.label_line(axis, 0.85, start, rf"$\omega={variance:g}$", colour, ha="right", va="center")
    axis.legend(
        handles=[Line2D([], [], color=style.BLACK, linestyle=line, label=curve) for curve, line in looks.items()],
        loc="lower left",
        fontsize=7.5,
        borderpad=0.1,
    )
    axis.set(title="safe and unsafe steps", xlabel=r"$1+\tau$ (iterations)", ylabel=r"step size, $\gamma L$")
    axis.set(xlim=(0.07, HIGHEST), ylim=(1e-5, 3), xticks=(1, 10, 100, 1000))
    axis.set_xticks([], minor=True)


def _draw_ratio(axis: Axes, rows: Table) -> None:
    tau, variance = np.unique(rows["tau"]), np.unique(rows["variance"])
    ratio = rows["step"].reshape(len(tau), len(variance)).T
    shades = axis.contourf(1 + tau, variance, ratio, levels=SHADES, cmap="Blues", norm=Normalize(1.6, 3.2))
    shades.set_edgecolor("face")  # no seams in the PDF
    lines = axis.contour(1 + tau, variance, ratio, levels=SHADES[4::2], colors=style.BLACK, linewidths=0.5)
    axis.clabel(lines, fontsize=7.5)
    worst = int(np.argmax(rows["step"]))
    x, y = 1 + rows["tau"][worst], rows["variance"][worst]
    axis.plot(x, y, "o", color=style.VERMILION, clip_on=False)
    style.label_line(axis, 0.8 * x, y, f"{rows['step'][worst]:.2f}", style.VERMILION, ha="right", va="center")
    axis.set(xscale="log", yscale="log", title="unsafe over safe", xlabel=r"$1+\tau$ (iterations)")
    axis.set(ylabel=r"variance of the compressor, $\omega$", ylim=(LOWEST_VARIANCE, HIGHEST_VARIANCE))
    axis.grid(False)


def _draw_patterns(axis: Axes, rows: Table) -> None:
    looks: dict[str, dict[str, Any]] = {
        "hold": {"color": style.GREY, "marker": "^", "linestyle": "--"},
        "constant delay": {"color": style.ORANGE, "marker": "s", "linestyle": "--"},
        "worst pattern known": {"color": style.VERMILION, "marker": "o", "linestyle": "--"},
        "safe, root step": {"color": style.BLUE, "linestyle": "-"},
    }
    for curve, look in looks.items():
        part = rows.where(curve=curve)
        axis.plot(part["tau"], part["step"] * (part["tau"] + 0.5), label=curve, linewidth=1.0, **look)
    axis.set(title="without noise", xlabel=r"$\tau$ (iterations)", ylabel=r"$\gamma L\,(\tau+\frac{1}{2})$")
    axis.set(xscale="log", ylim=(0.8, 2.3))
    axis.legend(loc="upper left", ncols=1, fontsize=7.5, borderpad=0.1)


FIGURE = Figure(
    name="staleness-steps",
    title="Safe steps against necessary limits",
    caption=(
        "(a) Step sizes that are safe for all delays up to tau and all unbiased compressors of variance omega (root "
        "step and closed form), and steps above which the hold pattern with messages used once diverges. (b) Ratio of "
        "the two over tau and omega; the dot marks the largest. (c) Without noise: steps from which x <- x - gamma L "
        "x_{k - tau_k} grows under periodic delays, multiplied by tau + 1/2, and the root step. Worst patterns: "
        "from a search up to tau = 6, beyond that from all ramps 0, 1, ..., tau with a plateau. One worker."
    ),
    claim="Staleness and compression noise add; safe steps are within a factor 2.64 of what nobody may exceed.",
    theorems=("stale-convex", "stale-necessary"),
    compute=compute,
    plot=plot,
)
