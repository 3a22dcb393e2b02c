"""Which mixing leaves least: residual over the strength of mixing, and over the threshold."""

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from taciturn.solvers.decentralised import Constant, DifferenceNorm, EventTriggeredGradient, run_decentralised
from taciturn.solvers.problems import Quadratic, quadratic
from taciturn.solvers.topology import bound_optimal_weights, fastest_mixing, lazy, network
from taciturn.theory import theorem
from taciturn.theory.mixing import mixing

from . import style
from .event_runs import ring
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "best_strength", "bound", "measured", "problem"]

WORKERS, L, MU, STEP, DISSIMILARITY = 8, 1.0, 0.1, 0.1, 1.0
SHOWN = (1e-3, 1e-2, 1e-1)
STRENGTHS = {"quick": 40, "full": 200}
SIMULATED = {"quick": (0.1, 0.3, 1.0), "full": (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)}
THRESHOLDS = {"quick": 7, "full": 25}
LONG = 8.0  # times 1/(gamma mu)


def problem() -> Quadratic:
    """Return workers with curvatures from mu to L whose gradients at the minimiser 0 have the root mean square 1."""
    curvature = np.linspace(MU, L, WORKERS)[:, None]
    gradient = np.cos(2 * np.pi * np.arange(WORKERS) / WORKERS)[:, None]  # the slowest mode of the ring
    gradient *= DISSIMILARITY / np.sqrt(np.mean(gradient**2))
    return quadratic(curvature, -gradient / curvature)


def bound(W: Any, threshold: float) -> float:
    """Return what `eg-sc` and `dgd-bias` allow together for the distance from the minimiser, root mean square."""
    net = mixing(W)
    left = theorem("eg-sc").evaluate(
        L=L,
        mu=MU,
        lambda_n=net.lambda_n,
        step_size=STEP,
        mixing_pull=net.mixing_pull,
        trigger_threshold=threshold,
        gradient_noise=0.0,
        workers=WORKERS,
    )
    bias = theorem("dgd-bias").evaluate(
        L=L, mu=MU, lambda_2=net.lambda_2, step_size=STEP, optimum_dissimilarity=DISSIMILARITY
    )
    return float(np.asarray(left.residual)) / math.sqrt(WORKERS) + float(np.asarray(bias.value))


def best_strength(threshold: float) -> float:
    """Return eta* of `optimal-weights` for the ring with weights 1/3.

    Examples
    --------
    >>> best_strength(1e-6), round(best_strength(0.1), 3)
    (1.0, 0.424)
    """
    net = mixing(ring(WORKERS))
    found = theorem("optimal-weights").evaluate(
        L=L,
        mu=MU,
        step_size=STEP,
        optimum_dissimilarity=DISSIMILARITY,
        mixing_pull=net.mixing_pull,
        trigger_threshold=threshold,
        mixing_gap=net.mixing_gap,
        workers=WORKERS,
    )
    return float(np.asarray(found.value))


def measured(W: Any, threshold: float) -> float:
    """Return the distance from the minimiser that a run leaves, root mean square, largest of its last quarter.

    The start is far away, so that every worker comes to rest where the trigger lets it.
    """
    where = problem()
    far = np.full(1, 2 * bound(W, threshold))
    iterations = round(LONG / (STEP * MU))
    method = EventTriggeredGradient(W, DifferenceNorm(Constant(threshold)), STEP)
    record = {"distance": lambda state: np.mean((state.points - where.minimiser) ** 2)}
    found = run_decentralised(method, where, iterations, far, record_every=10, record=record)
    return float(np.sqrt(found.recorded["distance"][found.iterations_recorded >= 0.75 * iterations].max()))


def compute(setting: Setting, progress: Progress) -> Table:
    """Bounds and measured residuals over the strength; bounds of the ring, fastest and optimal weights over c."""
    W, graph = ring(WORKERS), network("ring", WORKERS)
    tables = []
    for number, threshold in enumerate(SHOWN, start=1):
        for curve, strengths, left in (
            ("bound", np.geomspace(0.05, 1, STRENGTHS[setting.budget]), bound),
            ("measured", np.array(SIMULATED[setting.budget]), measured),
            ("best", np.array([best_strength(threshold)]), bound),
        ):
            values = [left(lazy(W, eta), threshold) for eta in strengths.tolist()]
            tables.append(Table.of(panel="strength", curve=curve, threshold=threshold, x=strengths, value=values))
        progress(number, len(SHOWN) + 1)
    thresholds = np.geomspace(1e-4, 1e-1, THRESHOLDS[setting.budget])
    known: dict[str, Any] = {"step_size": STEP, "L": L, "mu": MU, "optimum_dissimilarity": DISSIMILARITY}
    fastest = fastest_mixing(graph)
    for c in thresholds.tolist():
        optimal = bound_optimal_weights(graph, threshold=c, **known)
        for curve, matrix in (
            ("weights 1/3", W),
            ("fastest mixing", fastest),
            (r"best $\eta$", lazy(W, best_strength(c))),
            ("optimal for the bound", optimal),
        ):
            own = float(np.mean(matrix.diagonal()))
            tables.append(Table.of(panel="residual", curve=curve, threshold=c, x=c, value=bound(matrix, c)))
            tables.append(Table.of(panel="own weight", curve=curve, threshold=c, x=c, value=own))
    progress(len(SHOWN) + 1, len(SHOWN) + 1)
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """Over the strength with eta*; over the threshold; the own weights."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.8, columns=3)
    strength = table.where(panel="strength")
    for threshold, colour in zip(SHOWN, (style.GREEN, style.BLUE, style.VERMILION), strict=True):
        rows = strength.where(threshold=threshold)
        allowed, found, best = (rows.where(curve=curve) for curve in ("bound", "measured", "best"))
        axes[0].loglog(allowed["x"], allowed["value"], color=colour, label=f"$c={threshold:g}$")
        axes[0].loglog(best["x"], best["value"], "*", color=colour, markersize=9.0, markeredgecolor="white", zorder=3)
        axes[0].loglog(found["x"], found["value"], "o", color=colour, fillstyle="none")
    axes[0].set(title="bounds, and measured (circles)", xlabel=r"mixing strength $\eta$", ylabel="residual")
    axes[0].set(ylim=(0.08, 60))
    axes[0].legend(loc="upper right", ncols=2, fontsize=7.5, columnspacing=0.8)
    looks = dict(zip(table.where(panel="residual").different("curve"), ("-", "--", "-.", ":"), strict=True))
    colours = (style.BLACK, style.ORANGE, style.PURPLE, style.BLUE)
    for axis, panel in zip(axes[1:], ("residual", "own weight"), strict=True):
        for (curve, line), colour in zip(looks.items(), colours, strict=True):
            rows = table.where(panel=panel, curve=curve)
            axis.plot(rows["x"], rows["value"], linestyle=line, color=colour, label=curve)
        axis.set(xscale="log", xlabel="threshold $c$")
    axes[1].set(title="bound", yscale="log", ylabel="residual")
    axes[1].legend(loc="upper left", fontsize=7.5)
    axes[2].set(title="own weight $W_{ii}$", ylim=(0, 1), ylabel="mean of $W_{ii}$")
    style.panel_letters(axes)
    return figure


FIGURE = Figure(
    name="event-mixing",
    title="Mixing for event-triggered methods",
    caption=(
        f"Ring of {WORKERS}, L = 1, mu = 0.1, step 0.1, gradients of root mean square 1 at the minimiser. (a) Bound of "
        "the distance from the minimiser (eg-sc and dgd-bias), of update A with constant thresholds of the "
        "difference-norm trigger, over the strength of mixing in W_eta = (1 - eta) I + eta W with weights 1/3; stars: "
        "eta* of optimal-weights. Circles: measured on quadratics. (b) The bound over the threshold, for the weights "
        "1/3, the fastest mixing, eta*, and the weights that minimise it (a semidefinite program). (c) What a worker "
        "keeps of its own."
    ),
    claim="The larger the threshold, the lazier the best mixing; the fastest mixing hurts at large thresholds.",
    theorems=("optimal-weights", "eg-sc", "dgd-bias"),
    compute=compute,
    plot=plot,
)
