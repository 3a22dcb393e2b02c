"""What thresholds leave: the residual of both updates over the threshold and over the step."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from taciturn.solvers.decentralised import Constant, DifferenceNorm, EventTriggeredGradient, run_decentralised
from taciturn.solvers.problems import Quadratic, quadratic
from taciturn.theory import theorem
from taciturn.theory.mixing import mixing

from . import style
from .event_runs import ring
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "bound", "different", "residual"]

WORKERS, D = 8, 2
MU = 0.5  # smallest curvature; the largest is 1
CRITICAL = 0.999  # start, in units of the distance within which no event ever fires
THRESHOLDS = {"quick": (1e-3, 1e-2, 1e-1, 1.0), "full": (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)}
STEPS = {"quick": (0.008, 0.016, 0.032), "full": (0.004, 0.006, 0.008, 0.012, 0.016, 0.024, 0.032)}
FIXED_STEP, FIXED_THRESHOLD = 0.032, 0.1
LONG = 16.0  # times 1/(gamma mu): what is left of the start by then is e^-16
A, B, STUCK = "A", "B", "A, stuck"


def different() -> Quadratic:
    """Return workers with different curvatures and one minimiser, 0: what is left comes from the thresholds alone."""
    curvatures = np.linspace(MU, 1.0, WORKERS * D).reshape(WORKERS, D)[:, ::-1]
    return quadratic(curvatures, np.zeros((WORKERS, D)))


def identical() -> Quadratic:
    """Return workers that all have the function (mu/2) x^2."""
    return quadratic(np.full((WORKERS, 1), MU), np.zeros((WORKERS, 1)))


def residual(update: str, threshold: float, step_size: float, *, stuck: bool = False) -> float:
    """Return what is left of a run: distance of the workers from 0, root mean square, largest of the last quarter.

    `stuck` starts identical workers where the trigger never fires; else the start is twice as far as the bound of A.

    Examples
    --------
    >>> round(residual("published", 0.1, 0.032, stuck=True), 3)  # (1 - w) c/(gamma mu), nearly
    4.163
    """
    problem = identical() if stuck else different()
    x0 = np.full(D, 2 * bound("published", threshold, step_size))
    if stuck:
        w = float(ring(WORKERS).diagonal()[0])
        x0 = np.array([CRITICAL * threshold * (1 - w + step_size * MU) / (step_size * MU)])
    method = EventTriggeredGradient(ring(WORKERS), DifferenceNorm(Constant(threshold)), step_size, update)
    iterations = round(LONG / (step_size * MU))
    record = {"distance": lambda state: np.mean(np.sum(state.points**2, axis=1))}
    found = run_decentralised(method, problem, iterations, x0, record_every=10, record=record)
    late = found.iterations_recorded >= 0.75 * iterations
    return float(np.sqrt(found.recorded["distance"][late].max()))


def bound(update: str, threshold: float, step_size: float) -> float:
    """Return what `eg-sc` (A) and `ap-sc` (B) allow for the root mean square distance."""
    net = mixing(ring(WORKERS))
    known: dict[str, Any] = {"mu": MU, "step_size": step_size, "trigger_threshold": threshold, "workers": WORKERS}
    if update == "published":
        known |= {"L": 1.0, "lambda_n": net.lambda_n, "mixing_pull": net.mixing_pull, "gradient_noise": 0.0}
        return float(np.asarray(theorem("eg-sc").evaluate(**known).residual)) / math.sqrt(WORKERS)
    known |= {"L": 1.0, "spectral_gap": net.spectral_gap, "mixing_strength": net.mixing_strength}
    disagreement = float(np.asarray(theorem("ap-sc").evaluate(**known).residual))
    # ap-sc bounds the average by kappa and the disagreement by 1 times the same number.
    return disagreement * float(np.hypot(1.0 / MU, 1.0)) / math.sqrt(WORKERS)


def compute(setting: Setting, progress: Progress) -> Table:
    """Residuals over the threshold at one step, and over the step at one threshold, with the bounds."""
    tables = []
    points = [*_points(setting.budget)]
    for number, (panel, c, gamma) in enumerate(points, start=1):
        for curve, update in ((A, "published"), (STUCK, "published"), (B, "average-preserving")):
            row = {"threshold": c, "step_size": gamma, "residual": residual(update, c, gamma, stuck=curve == STUCK)}
            tables.append(Table.of(panel=panel, curve=curve, **row, bound=bound(update, c, gamma)))
        progress(number, len(points))
    return stacked(tables)


def _points(budget: str) -> Iterator[tuple[str, float, float]]:
    for c in THRESHOLDS[budget]:
        yield "threshold", c, FIXED_STEP
    for gamma in STEPS[budget]:
        yield "step", FIXED_THRESHOLD, gamma


LOOKS: dict[str, dict[str, Any]] = {
    STUCK: {"color": style.VERMILION, "marker": "o", "linestyle": "none"},
    A: {"color": style.ORANGE, "marker": "^"},
    B: {"color": style.BLUE, "marker": "s"},
}
WORDS = {STUCK: "A, stuck start", A: "A, different workers", B: "B, different workers"}


def plot(table: Table) -> Drawing:
    """Over the threshold, and over the step."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.9, columns=2)
    _draw(axes[0], table.where(panel="threshold"), "threshold")
    _draw(axes[1], table.where(panel="step"), "step_size")
    axes[0].set(title=rf"$\gamma={FIXED_STEP:g}$", xlabel=r"threshold over step $c/\gamma$")
    axes[1].set(title=rf"$c={FIXED_THRESHOLD:g}$", xlabel=r"step size $\gamma$")
    axes[1].set(ylim=(0.01, 100))
    axes[1].set_xticks(STEPS["quick"], [f"{gamma:g}" for gamma in STEPS["quick"]])
    axes[1].minorticks_off()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, columnspacing=1.2)
    style.panel_letters(axes)
    return figure


def _draw(axis: Axes, rows: Table, over: str) -> None:
    for curve, look in LOOKS.items():
        some = rows.where(curve=curve)
        x = some[over] / (some["step_size"] if over == "threshold" else 1.0)
        axis.loglog(x, some["residual"], **look, label=WORDS[curve])
        if curve != A:
            name = "eg-sc (A)" if curve == STUCK else "ap-sc (B)"
            axis.loglog(x, some["bound"], color=look["color"], linestyle=":", label=f"bound {name}")
    axis.set(ylabel="residual")


FIGURE = Figure(
    name="event-residual",
    title="What thresholds leave",
    caption=(
        f"Distance from the common minimiser (root mean square over {WORKERS} workers on a ring with weights 1/3) that "
        "constant thresholds of the difference-norm trigger leave, largest of the last quarter of long runs on "
        "quadratics with curvatures from 0.5 to 1. (a) Over the threshold, relative to the step. (b) Over the step. "
        "Stuck start: identical workers that start just within the distance where the trigger never fires. Dotted: "
        "bounds. The residual of A grows like c/gamma and attains its bound; that of B is of the order of c whatever "
        "the step."
    ),
    claim="Residual of A: slope 1 in c and -1 in the step, attained; of B: slope 1 in c and 0 in the step.",
    theorems=("eg-sc", "eg-stuck", "ap-sc"),
    compute=compute,
    plot=plot,
)
