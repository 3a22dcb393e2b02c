"""Workers that differ: where events lead with plain gradients, and with gradients that are tracked."""

import math
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from taciturn.solvers.decentralised import (
    Always,
    Constant,
    DecentralisedMethod,
    DifferenceNorm,
    EventTracking,
    EventTriggeredGradient,
    Geometric,
    run_decentralised,
)
from taciturn.solvers.problems import Quadratic, heterogeneous_quadratic
from taciturn.solvers.topology import metropolis, network
from taciturn.theory import theorem
from taciturn.theory.mixing import mixing

from . import style
from .event_runs import FLOAT_BITS
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "bias", "floor", "messages", "methods", "problem", "tracking_bound"]

WORKERS, D, DEGREE = 16, 10, 4  # a torus
L, MU, SPREAD, START = 1.0, 0.25, 1.0, 1.0
CONSTANT = 0.01  # threshold
FIRST, SLOWER = 0.1, 0.4  # decaying thresholds are FIRST (1 - SLOWER step mu)^k: event-gt needs SLOWER below 1/2
ITERATIONS = {"quick": 2000, "full": 6000}
EVERY = 20

SYNCHRONOUS, A, B, B_DECAYING = "D-PSGD", "A, constant", "B, constant", "B, decaying"
TRACKING, EVENT_TRACKING = "gradient tracking", "event-gt, decaying"


@cache
def problem() -> Quadratic:
    """Return quadratics with different axes, curvatures from 1/4 to 1, and minimisers."""
    return heterogeneous_quadratic(WORKERS, D, L, MU, SPREAD, seed=0)


@cache
def weights() -> Any:
    """Return the mixing matrix of the torus."""
    return metropolis(network("torus", WORKERS))


def _known() -> dict[str, Any]:
    """What `event-gt` has to know but for the step and the thresholds; mu is that of F."""
    net = mixing(weights())
    spectrum = {"spectral_gap": net.spectral_gap, "mixing_strength": net.mixing_strength}
    return {"L": L, "mu": float(problem().mu), "workers": WORKERS, **spectrum}


@cache
def step_size() -> float:
    """Return the largest step that `event-gt` admits, which all methods take.

    Examples
    --------
    >>> round(step_size(), 6)
    0.025
    """
    found = theorem("event-gt").evaluate(**_known(), trigger_threshold=0.0, tracker_threshold=0.0)
    return float(np.asarray(found.step_size))


def decaying() -> Geometric:
    """Return thresholds that decay more slowly than what `event-gt` proves without any."""
    return Geometric(FIRST, 1 - SLOWER * step_size() * float(problem().mu))


def methods() -> dict[str, DecentralisedMethod]:
    """Return the methods by name."""
    W, gamma = weights(), step_size()
    constant, falling = DifferenceNorm(Constant(CONSTANT)), DifferenceNorm(decaying())
    return {
        SYNCHRONOUS: EventTriggeredGradient(W, Always(), gamma),
        A: EventTriggeredGradient(W, constant, gamma),
        B: EventTriggeredGradient(W, constant, gamma, "average-preserving"),
        B_DECAYING: EventTriggeredGradient(W, falling, gamma, "average-preserving"),
        TRACKING: EventTracking(W, Always(), Always(), gamma),
        EVENT_TRACKING: EventTracking(W, falling, falling, gamma),
    }


def bias() -> float:
    """Return what `dgd-bias` allows for the distance of the fixed point from the minimiser, root mean square."""
    where, net = problem(), mixing(weights())
    gradients = where.worker_gradients(where.minimiser)
    dissimilarity = math.sqrt(float(np.mean(np.sum(gradients**2, axis=1))))
    found = theorem("dgd-bias").evaluate(
        L=L, mu=MU, lambda_2=net.lambda_2, step_size=step_size(), optimum_dissimilarity=dissimilarity
    )
    return float(np.asarray(found.value))


def floor() -> float:
    """Return what `eg-sc` allows for the distance from the fixed point that the constant threshold leaves in A."""
    net = mixing(weights())
    found = theorem("eg-sc").evaluate(
        L=L,
        mu=MU,
        lambda_n=net.lambda_n,
        step_size=step_size(),
        mixing_pull=net.mixing_pull,
        trigger_threshold=CONSTANT,
        gradient_noise=0.0,
        workers=WORKERS,
    )
    return float(np.asarray(found.residual)) / math.sqrt(WORKERS)


def tracking_bound(iterations: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what `event-gt` allows for the distance from the minimiser, root mean square, with decaying thresholds.

    The potential obeys ``V <- rate V + input factor^k``, and bounds the average by 2 kappa and the rest by 1 times it.
    """
    where, known, gamma = problem(), _known(), step_size()
    left, threshold = 1 - gamma * known["mu"] / 2, decaying()  # what remains in an iteration

    def added(c: float, d: float) -> float:  # to the potential, in one iteration
        found = theorem("event-gt").evaluate(**known, step_size=gamma, trigger_threshold=c, tracker_threshold=d)
        return float(np.asarray(found.residual) * (1 - left))

    start = np.full(D, START)
    gradients = where.worker_gradients(start)
    trackers = float(np.linalg.norm(gradients - gradients.mean(axis=0)))
    # added(0, d) = B sqrt(n) d/v3 gives v3, in which the potential counts the trackers' disagreement.
    third = known["mixing_strength"] * math.sqrt(WORKERS) / added(0.0, 1.0)
    kappa = L / known["mu"]
    distance = math.sqrt(WORKERS) * float(np.linalg.norm(start - where.minimiser))
    potential = max(distance / (2 * kappa), trackers / third)
    k, factor = iterations.astype(np.float64), threshold.factor
    kept = added(threshold.c, threshold.c) * (factor**k - left**k) / (factor - left)
    return np.asarray((left**k * potential + kept) * math.hypot(2 * kappa, 1.0) / math.sqrt(WORKERS))


def messages(events: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return messages per link until before every iteration, of parameters and of trackers, (K + 1,) each.

    Examples
    --------
    >>> [part.tolist() for part in messages(np.ones((2, 3, 2), dtype=bool))]
    [[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]
    """
    each = np.zeros((len(events) + 1, 2))
    each[1:, : events.shape[2]] = events.mean(axis=1)  # trackers follow the parameters, if there are any
    so_far = np.cumsum(each, axis=0)
    return so_far[:, 0], so_far[:, 1]


def compute(setting: Setting, progress: Progress) -> Table:
    """Distances from the minimiser, messages and bits along the runs."""
    where, iterations, tables = problem(), ITERATIONS[setting.budget], []
    record = {"distance": lambda state: np.mean(np.sum((state.points - where.minimiser) ** 2, axis=1))}
    for number, (name, method) in enumerate(methods().items(), start=1):
        start = np.full(D, START)
        found = run_decentralised(method, where, iterations, start, record_every=EVERY, record=record)
        k = found.iterations_recorded
        x, y = (part[k] for part in messages(found.events))
        tables.append(
            Table.of(
                rule=name,
                iteration=k,
                distance=np.sqrt(found.recorded["distance"]),
                bound=tracking_bound(k) if name == EVENT_TRACKING else np.nan,
                parameters=x,
                trackers=y,
                bits=(x + y) * DEGREE * FLOAT_BITS * D,
                bias=bias(),
                floor=bias() + floor(),
            )
        )
        progress(number, len(methods()))
    return stacked(tables)


LOOKS: dict[str, dict[str, Any]] = {
    SYNCHRONOUS: {"color": style.BLACK},
    A: {"color": style.VERMILION},
    B: {"color": style.SKY},
    B_DECAYING: {"color": style.BLUE, "linestyle": (0, (4, 1.5))},
    TRACKING: {"color": style.GREY},
    EVENT_TRACKING: {"color": style.GREEN},
}


def plot(table: Table) -> Drawing:
    """Distance over the iterations and over the bits; messages of both vectors."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 3.1, columns=3, width_ratios=(1.15, 1.15, 1))
    for name, look in LOOKS.items():
        rows = table.where(rule=name)
        axes[0].semilogy(rows["iteration"], rows["distance"], label=name, **look)
        axes[1].loglog(rows["bits"][1:] / 1e3, rows["distance"][1:], **look)
        axes[1].plot(rows["bits"][-1] / 1e3, rows["distance"][-1], "o", color=look["color"], markersize=3.5)
    rows = table.where(rule=EVENT_TRACKING)
    axes[0].semilogy(rows["iteration"], rows["bound"], color=style.GREEN, linestyle=":", label="bound event-gt")
    axes[0].axhline(table["bias"][0], color=style.BLACK, linestyle=":", label="bound dgd-bias")
    axes[0].axhline(table["floor"][0], color=style.VERMILION, linestyle=":", label="bound dgd-bias + eg-sc")
    axes[0].set(title="over iterations", xlabel="iteration $k$", ylabel="distance from the minimiser")
    axes[1].set(title="over bits", xlabel="kbit per worker")
    for axis in axes[:2]:
        axis.set_ylim(0.3 * table["distance"].min(), 100)
    _bars(axes[2], table)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, columnspacing=1.2)
    style.panel_letters(axes)
    return figure


def _bars(axis: Axes, table: Table) -> None:
    """Messages per link and iteration, of parameters and, paler, of trackers."""
    for place, (name, look) in enumerate(LOOKS.items()):
        last = {column: values[-1] for column, values in table.where(rule=name).columns.items()}
        x, y = last["parameters"] / last["iteration"], last["trackers"] / last["iteration"]
        axis.barh(place, x, 0.65, color=look["color"])
        axis.barh(place, y, 0.65, left=x, color=look["color"], alpha=0.45)
        axis.text(x + y + 0.04, place, f"{x + y:.2f}", va="center", fontsize=7.5)
    axis.set_yticks(range(len(LOOKS)), LOOKS)
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
    axis.set(title="messages, pale: trackers", xlabel="per link and iteration", xlim=(0, 2.45))


FIGURE = Figure(
    name="event-tracking",
    title="Events and gradient tracking",
    caption=(
        f"{WORKERS} workers on a torus with quadratics of different axes, curvatures (1/4 to 1) and minimisers, exact "
        "gradients, difference-norm triggers, the largest step that event-gt admits for all methods. Distance of the "
        "workers from the minimiser of their mean, root mean square, (a) over the iterations, with bounds, (b) over "
        "the bits to all neighbours, values of 32 bits. (c) Messages; trackers are sent, too. Constant threshold: "
        f"{CONSTANT:g}; decaying: {FIRST:g} at first, by a rate for which event-gt is linear. Gradient tracking and "
        "D-PSGD send always. D-PSGD and both B end together, at the bias of their step."
    ),
    claim=(
        "A ends at a bias and a floor and B at the bias alone; event-triggered tracking converges linearly to the "
        "minimiser itself, with fewer bits than tracking that sends always as long as its thresholds are not what "
        "limits the accuracy."
    ),
    theorems=("event-gt", "eg-sc", "dgd-bias", "ap-sc"),
    compute=compute,
    plot=plot,
)
