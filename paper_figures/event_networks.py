"""Networks: what the published rule sends and loses on rings, tori, stars and complete graphs, and what bounds say."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from taciturn.solvers.decentralised import Always, EventTriggeredGradient
from taciturn.solvers.topology import metropolis, network
from taciturn.theory import theorem
from taciturn.theory.mixing import mixing

from . import style
from .event_runs import AVERAGE_PRESERVING, PUBLISHED, RULES, SYNCHRONOUS, course
from .event_tasks import images, task
from .event_workers import EPOCHS, WORKERS
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "allowed", "attained", "messages"]

SIZES: dict[str, Mapping[str, tuple[int, ...]]] = {  # a torus of four workers is their ring
    "quick": {"ring": WORKERS, "torus": WORKERS[1:], "star": WORKERS[1::2], "complete": WORKERS},
    "full": {"ring": WORKERS, "torus": WORKERS[1:], "star": WORKERS, "complete": WORKERS},
}
UPDATES = {PUBLISHED: "published", AVERAGE_PRESERVING: "average-preserving"}
L = 1.0  # curvature of the quadratics on which copies are held away
SQUARINGS = 40  # until what is amplified most is all that is left
ROUNDING = 1e-9  # what counts as zero


def messages(events: NDArray[np.bool_], graph: Any) -> tuple[float, float]:
    """Return all tensor messages of events (K, n, B), and their mean per directed link: one goes to every neighbour.

    Examples
    --------
    >>> messages(np.ones((10, 4, 1), dtype=bool), network("complete", 4))
    (120.0, 10.0)
    """
    degrees = np.array([degree for _, degree in graph.degree()])
    total = float(events.sum(axis=(0, 2)) @ degrees)
    return total, total / float(degrees.sum())


def attained(W: Any, update: str) -> float:
    """Return the disagreement, root mean square in thresholds, that copies held at the threshold lead to.

    Identical quadratics and the step of `allowed`. Every copy stays one threshold away from its original, on the side
    that drives the workers apart: what `stale` copies may do, whatever the trigger.

    Examples
    --------
    >>> W = metropolis(network("ring", 16))
    >>> attained(W, "average-preserving") < 1 < attained(W, "published")
    True
    """
    settled = response(W, update) @ held(W, update)
    return float(np.sqrt(np.mean((settled - settled.mean()) ** 2)))


def response(W: Any, update: str) -> NDArray[np.float64]:
    """Where copies that are held lead to: ``(I - W + step L)^-1 weights``, times their distances z, (n, n).

    It is the fixed point of ``x = W x + weights z - step L x``, weights those of the copies in the update.
    """
    step = mixing(W).spectral_gap / (2 * L)
    weights = EventTriggeredGradient(W, Always(), step, update).copy_weights.toarray()
    return np.asarray(np.linalg.solve((1 + step * L) * np.eye(len(weights)) - W.toarray(), weights))


def held(W: Any, update: str) -> NDArray[np.float64]:
    """Return the distances of the copies, (n,), each -1 or 1: none that differs in one worker leads farther apart."""
    found = response(W, update)
    found = found - found.mean(axis=0)
    square = power = found.T @ found
    for _ in range(SQUARINGS):
        power = power @ power
        power /= np.linalg.norm(power)
    # What is amplified most; not a singular vector, of several equally good ones any may come.
    direction = power @ np.linspace(-1.0, 1.0, len(power))
    signs = np.where(direction >= -ROUNDING, 1.0, -1.0)
    while (gain := np.diag(square) - signs * (square @ signs)).max() > ROUNDING:
        signs[gain.argmax()] *= -1.0
    return signs


def allowed(W: Any, update: str) -> float:
    """Return the bound of the same: `consensus` for the published update, `gossip-sum` for the average-preserving."""
    net = mixing(W)
    known: dict[str, Any] = {"L": L, "trigger_threshold": 1.0, "uniform_dissimilarity": 0.0, "gradient_noise": 0.0}
    known |= {"step_size": net.spectral_gap / (2 * L)}
    if update == "published":
        gain = net.mixing_pull / net.workers**0.5
        found = theorem("consensus").evaluate(**known, mixing_rate=net.mixing_rate, disagreement_gain=gain)
    else:
        found = theorem("gossip-sum").evaluate(**known, spectral_gap=net.spectral_gap, gossip_sum=net.gossip_sum)
    return float(np.asarray(found.value))


def compute(setting: Setting, progress: Progress) -> Table:
    """Messages, loss and disagreement after equally many epochs, and the spectral figures with the bounds."""
    tables = []
    places = [(name, n) for name, sizes in SIZES[setting.budget].items() for n in sizes]
    for number, (name, workers) in enumerate(places, start=1):
        graph = network(name, workers)
        W, passes = metropolis(graph), task(workers, setting.budget).passes(EPOCHS[setting.budget])
        net = mixing(W)
        always = course(setting, replace(RULES[SYNCHRONOUS], graph=name), passes, workers)
        place = {"data": images(setting.budget)[0].name, "network": name, "workers": workers, "passes": passes}
        place |= {"degree": 2 * nx.number_of_edges(graph) / workers, "rho": round(net.mixing_rate, 12)}
        place |= {"gossip_sum": net.gossip_sum, "pull": net.pull}
        for rule in (SYNCHRONOUS, *UPDATES):
            run = course(setting, replace(RULES[rule], graph=name), passes, workers)
            total, per_link = messages(run.events, graph)
            update = UPDATES.get(rule)
            tables.append(
                Table.of(
                    **place,
                    rule=rule,
                    after_forced=run.share_after_forced,
                    total=total,
                    per_link=per_link,
                    loss=float(run.loss[-1]),
                    relative_loss=float(run.loss[-1] / always.loss[-1]),
                    accuracy=float(run.accuracy[-1]),
                    workers_accuracy=float(run.workers_accuracy[-1]),
                    disagreement=float(np.sqrt(run.disagreement[-1])),
                    attained=np.nan if update is None else attained(W, update),
                    bound=np.nan if update is None else allowed(W, update),
                )
            )
        progress(number, len(places))
    return stacked(tables)


COLOURS = {"ring": style.SKY, "torus": style.GREEN, "star": style.ORANGE, "complete": style.PURPLE}
MARKERS = {"ring": "o", "torus": "s", "star": "^", "complete": "D"}
RULES_COLOURS = {SYNCHRONOUS: style.BLACK, PUBLISHED: style.VERMILION, AVERAGE_PRESERVING: style.BLUE}
LINES: dict[str, dict[str, Any]] = {
    PUBLISHED: {"linestyle": "-"},
    AVERAGE_PRESERVING: {"linestyle": "--", "fillstyle": "none"},
    SYNCHRONOUS: {"linestyle": ":", "fillstyle": "none"},
}


def plot(table: Table) -> Drawing:
    """Shares, messages and losses over the workers and the pull; disagreement and bounds over the spectral gap."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 5.0, rows=2, columns=3)
    _over_workers(axes[0], table, "after_forced", (PUBLISHED, AVERAGE_PRESERVING))
    axes[0].set(title="share of messages", ylabel="messages after the forced / all")
    _over_workers(axes[1], table, "total", (PUBLISHED, SYNCHRONOUS))
    axes[1].set(title="messages on all links", ylabel="tensor messages", yscale="log")
    axes[1].yaxis.set_minor_formatter(NullFormatter())
    _loss(axes[2], table)
    _disagreement(axes[3], table)
    _bounds(axes[4], table)
    for axis in axes[3:5]:
        axis.set(xscale="log", yscale="log", xlabel=r"$1/(1-\rho)$")
        axis.margins(0.08)
        axis.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
        axis.minorticks_off()
    axes[3].yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes[3].yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    _legend(axes[5])
    style.panel_letters(axes[:5])
    return figure


def _over_workers(axis: Axes, table: Table, column: str, rules: tuple[str, ...]) -> None:
    for rule in rules:
        for name, colour in COLOURS.items():
            rows = table.where(network=name, rule=rule)
            axis.plot(np.log2(rows["workers"]), rows[column], color=colour, marker=MARKERS[name], **LINES[rule])
    n = sorted(table.different("workers"))
    axis.set_xticks(np.log2(n), [str(workers) for workers in n])
    axis.set(xlabel="workers $n$")


def _loss(axis: Axes, table: Table) -> None:
    """A over the pull, a line for each number of workers, and B."""
    for workers in table.different("workers"):
        rows = table.where(rule=PUBLISHED, workers=workers)
        order = np.argsort(rows["pull"])
        pull, loss = rows["pull"][order], rows["relative_loss"][order]
        axis.plot(pull, loss, color=style.GREY, linewidth=0.7)
        place: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points", "ha": "center"}
        axis.annotate(str(workers), (pull[-1], loss[-1]), **place, color=style.GREY, fontsize=7.5)
    for rule in (PUBLISHED, AVERAGE_PRESERVING):
        for name, colour in COLOURS.items():
            rows, look = table.where(rule=rule, network=name), {**LINES[rule], "linestyle": "none"}
            axis.plot(rows["pull"], rows["relative_loss"], color=colour, marker=MARKERS[name], **look)
    axis.set(title="loss at equal passes", xlabel=r"weight of the neighbours $1-\bar w$", ylabel="loss / D-PSGD's")
    axis.set_xlim(0, 1.1)
    axis.margins(y=0.1)


def _disagreement(axis: Axes, table: Table) -> None:
    for rule, colour in RULES_COLOURS.items():
        for name, marker in MARKERS.items():
            rows = table.where(rule=rule, network=name)
            look: dict[str, Any] = {"color": colour, "marker": marker}
            fill = "none" if rule == SYNCHRONOUS else "full"
            size = 6.0 if rule == SYNCHRONOUS else 3.2
            axis.plot(
                1 / (1 - rows["rho"]), rows["disagreement"], linestyle="none", fillstyle=fill, markersize=size, **look
            )
    axis.set(title="disagreement in training", ylabel="distance from the average")


def _bounds(axis: Axes, table: Table) -> None:
    for rule in UPDATES:
        colour = RULES_COLOURS[rule]
        for name, marker in MARKERS.items():
            rows = table.where(rule=rule, network=name)
            x = 1 / (1 - rows["rho"])
            axis.plot(x, rows["bound"], color=colour, marker="_", linestyle="none", markersize=7.0)
            axis.plot(x, rows["attained"], color=colour, marker=marker, linestyle="none", markersize=3.2)
    axis.set(title="what thresholds permit", ylabel="disagreement / threshold")


def _legend(axis: Axes) -> None:
    """Networks and rules, in the place of a panel."""
    black: dict[str, Any] = {"color": style.BLACK, "marker": "o"}
    networks = [
        Line2D([], [], color=colour, marker=MARKERS[name], linestyle="none", label=name)
        for name, colour in COLOURS.items()
    ]
    upper = [Line2D([], [], **black, **LINES[rule], label=rule) for rule in LINES]
    lower = [
        Line2D([], [], color=colour, marker="o", linestyle="none", label=rule, markersize=3.2)
        for rule, colour in RULES_COLOURS.items()
    ]
    lower[0].set(fillstyle="none", markersize=6.0)
    lower.append(Line2D([], [], color=style.BLACK, marker="_", linestyle="none", markersize=7.0, label="bound"))
    groups = ((networks, 1.0, "network", 2), (upper, 0.7, "(a) to (c)", 1), (lower, 0.33, "(d) and (e)", 1))
    style.legend_panel(axis, groups)


FIGURE = Figure(
    name="event-networks",
    title="Messages, loss and disagreement on different networks",
    caption=(
        "Softmax regression on contiguous parts of images of digits (column data), published trigger, Metropolis "
        "weights, equally many epochs as in event-workers; tori of 8 and 16 workers are hypercubes. (a) Share of the "
        "messages of a link after the 29 forced passes. (b) Tensor messages on all links, forced ones too: an event "
        "goes to every neighbour. (c) F of the average over that of D-PSGD on the same network; lines join equal n "
        "(numbers); open: B. (d) Distance of the workers from their average after the last pass, root mean square. "
        r"(e) The same in thresholds, for identical quadratics and the step $(1-\rho)/(2L)$: copies that stay one "
        "threshold away where it hurts most, which a safe trigger permits, and bounds: consensus for A, gossip-sum, "
        "which knows the network by $S_W$ alone, for B."
    ),
    claim=(
        "At equal passes A loses most on complete graphs, where a worker keeps least of its own and the gap is "
        "largest; B loses nothing, at the price of more disagreement. What thresholds permit grows with one over the "
        "gap on rings and tori, for A only."
    ),
    theorems=("consensus", "gossip-sum", "ev-sc-mean", "pullback-cap", "adaptive-invariance"),
    compute=compute,
    plot=plot,
)
