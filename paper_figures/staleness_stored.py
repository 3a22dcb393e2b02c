"""Messages used once against messages that are stored: noise and staleness add, or multiply."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray
from scipy.constants import golden

from taciturn.solvers.delays import Hold
from taciturn.solvers.problems import quadratic_with_spectrum
from taciturn.solvers.second_moment import NoiseModel, second_moments
from taciturn.theory import theorem

from . import style
from .adaptive_compression_runs import spread
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "TAU", "VARIANCE", "block_growth", "squared_distance", "stored_step", "used_once_step"]

TAU = VARIANCE = 20
ONCE, STORED, OWN = "used once", "stored, same step", "stored, own step"
BLOCKS, SHOWN = 150, 10  # of tau + 1 iterations: computed, and shown one by one
POINTS = 150
GRID = {"quick": (12, 19), "full": (27, 61)}
"""Staleness and variance of the map: points on a logarithmic scale."""

LARGEST = 100  # staleness and variance of the map
SHADES, MARKED = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 16.0), (0.5, 1.0, 2.0, 8.0)
"""Growth per block: limits of the colours, and lines."""


def used_once_step(tau: int, variance: float) -> float:
    """Return the closed-form step of `stale-convex` for L = 1 and one worker.

    Examples
    --------
    >>> round(1 / used_once_step(20, 20.0), 2)  # 1 + phi tau + variance
    53.36
    """
    closed_form = 1 / (1 + golden * tau + variance)
    return _step("stale-convex", tau, variance, step_size=closed_form)


def stored_step(tau: int, variance: float) -> float:
    """Return the step of `stale-stored-convex` for L = 1 and one worker.

    Examples
    --------
    >>> round(1 / stored_step(20, 20.0))  # 2 (1 + variance) (1 + tau)
    882
    """
    return _step("stale-stored-convex", tau, variance)


def _step(id: str, tau: int, variance: float, **chosen: float) -> float:
    """The step that a theorem allows, or the chosen one if it does."""
    guarantee = theorem(id).evaluate(L_hat=1.0, tau=tau, noise_slope=variance, noise_floor=0.0, **chosen)
    return float(np.asarray(guarantee.step_size))


def squared_distance(tau: int, variance: float, step_size: float, blocks: int, stored: bool) -> NDArray[np.float64]:
    """Return E x_k^2 of x_0 = 1 on x^2/2 for k = 0, ..., (tau + 1) blocks, exactly.

    The model is held for tau + 1 iterations; messages have a variance of exactly `variance` g^2.

    Examples
    --------
    >>> used_once, kept = (squared_distance(2, 5.0, 0.1, 1, stored) for stored in (False, True))
    >>> used_once.round(3).tolist(), kept.round(3).tolist()
    ([1.0, 0.86, 0.74, 0.64], [1.0, 0.86, 0.84, 0.94])
    """
    trace = Hold(tau).trace((tau + 1) * blocks, workers=1)
    if stored:
        trace = trace.with_stored_messages()
    one = quadratic_with_spectrum([1.0])
    return second_moments(one, trace, step_size, NoiseModel.exact_variance(variance), x0=[1.0]).squared_distance


def block_growth(tau: int, variance: float, step_size: float, stored: bool) -> float:
    """Return the factor of E x_k^2 over one block of tau + 1 iterations, the same in every block.

    Examples
    --------
    >>> round(block_growth(2, 5.0, 0.1, stored=True), 9)
    0.94
    """
    return float(squared_distance(tau, variance, step_size, 1, stored)[-1])


def compute(setting: Setting, progress: Progress) -> Table:
    """Runs at tau = variance = 20, and growth per block over tau and variance at the step for messages used once."""
    tables = [*_runs()]
    progress(1, 2)
    tables.append(_map(*GRID[setting.budget]))
    progress(2, 2)
    return stacked(tables)


def _runs() -> list[Table]:
    step, own = used_once_step(TAU, VARIANCE), stored_step(TAU, VARIANCE)
    constants = {"L_hat": 1.0, "tau": TAU, "noise_slope": float(VARIANCE), "noise_floor": 0.0}
    bounds = {
        ONCE: theorem("stale-convex").evaluate(**constants, step_size=step),
        OWN: theorem("stale-stored-convex").evaluate(**constants, step_size=own),
    }
    tables = []
    for curve, gamma, stored in ((ONCE, step, False), (STORED, step, True), (OWN, own, True)):
        square = squared_distance(TAU, VARIANCE, gamma, BLOCKS, stored)
        k = np.arange((TAU + 1) * SHOWN + 1)
        tables.append(_rows("distance", curve, k, square[k]))
        K = spread(1, len(square) - 1, POINTS)
        # The mean of x_k^2/2 over k < K, in units of that at the start.
        tables.append(_rows("mean gap", curve, K, np.cumsum(square)[K - 1] / K))
        if curve in bounds:
            # From the squared distance 1 to the gap, in units of 1/2.
            tables.append(_rows("mean gap", f"{curve}, guaranteed", K, 2 * np.asarray(bounds[curve].bound(K, 1.0))))
    return tables


def _rows(panel: str, curve: str, k: Any, value: Any) -> Table:
    return Table.of(panel=panel, curve=curve, k=k, variance=float(VARIANCE), value=value)


def _map(delays: int, variances: int) -> Table:
    """Growth per block; here `k` is the staleness."""
    tables = []
    for tau in spread(1, LARGEST, delays).tolist():
        variance = np.geomspace(0.1, LARGEST, variances)
        for curve, stored in ((ONCE, False), (STORED, True)):
            growth = [block_growth(tau, omega, used_once_step(tau, omega), stored) for omega in variance.tolist()]
            tables.append(Table.of(panel="map", curve=curve, k=tau, variance=variance, value=growth))
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """Distance, mean gap with its bounds, and the map of growth."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.7, columns=3)
    colours = {ONCE: style.BLUE, STORED: style.VERMILION, OWN: style.GREEN}
    distance, mean_gap = table.where(panel="distance"), table.where(panel="mean gap")
    for curve, colour in colours.items():
        rows = distance.where(curve=curve)
        axes[0].semilogy(rows["k"], rows["value"], color=colour, label=curve)
        rows, bound = mean_gap.where(curve=curve), mean_gap.where(curve=f"{curve}, guaranteed")
        axes[1].loglog(rows["k"], rows["value"], color=colour)
        axes[1].loglog(bound["k"], bound["value"], color=colour, linestyle=":")
    axes[0].set(title="squared distance", xlabel="iteration $k$", ylabel=r"$\mathrm{E}\,x_k^2/x_0^2$")
    axes[0].set(xticks=np.arange(0, (TAU + 1) * SHOWN + 1, 3 * (TAU + 1)), ylim=(1e-3, None))
    axes[0].legend(loc="upper left", fontsize=7.5, borderpad=0.1)
    axes[1].set(title="mean gap, bounds dotted", xlabel="iterations $K$", ylabel="mean gap so far / first gap")
    axes[1].set(ylim=(5e-3, 30), xlim=(1, None))
    _draw_map(axes[2], table.where(panel="map"))
    style.panel_letters(axes)
    return figure


def _draw_map(axis: Axes, rows: Table) -> None:
    tau, variance = np.unique(rows["k"]), np.unique(rows["variance"])
    growth = {curve: rows.where(curve=curve)["value"] for curve in (ONCE, STORED)}
    logarithm = np.log(growth[STORED]).reshape(len(tau), len(variance)).T
    levels = np.log(SHADES)
    shades = axis.contourf(1 + tau, variance, logarithm, levels=levels, cmap="RdBu_r", norm=TwoSlopeNorm(0.0, -3, 4))
    shades.set_edgecolor("face")  # no seams in the PDF
    marked = {"colors": style.BLACK, "linestyles": "-", "linewidths": (0.5, 1.3, 0.5, 0.5)}
    lines = axis.contour(1 + tau, variance, logarithm, levels=np.log(MARKED), **marked)
    axis.clabel(lines, fontsize=7.5, fmt=lambda level: f"{np.exp(level):g}")
    axis.plot(1 + TAU, VARIANCE, "o", color=style.BLACK)
    axis.set(xscale="log", yscale="log", title="stored: growth per block", xlabel=r"$1+\tau$ (iterations)")
    axis.set(ylabel=r"variance of the compressor, $\omega$")
    axis.grid(False)
    style.label_line(axis, 2.2, 0.13, f"used once: at most {growth[ONCE].max():.2f}", style.BLACK, fontsize=7.5)


FIGURE = Figure(
    name="staleness-stored",
    title="Messages used once, and messages stored",
    caption=(
        "Exact expectations on x^2/2 with one worker whose model is held for tau + 1 iterations, messages of variance "
        "exactly omega. (a), (b) tau = omega = 20: each message used in one iteration, with the closed-form step "
        "1/(1 + phi tau + omega); stored and used again, with that step and with the step of its own theorem. (b) Mean "
        "of the gap over all iterations so far; dotted: guaranteed. (c) Stored messages with the step for messages "
        "used once: factor of the squared distance per block of tau + 1 iterations; the dot is (a)."
    ),
    claim="Used once, staleness and noise add; stored, they multiply: the step that is safe for the one diverges.",
    theorems=("stale-convex", "stale-stored-convex", "stale-necessary-stored"),
    compute=compute,
    plot=plot,
)
