"""Messages of single tensors against messages of whole vectors of the same age: divergence and convergence."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from taciturn.solvers.decentralised import EventTriggeredGradient, Tensors, run_decentralised
from taciturn.solvers.gossip import EventTrace, Replayed
from taciturn.solvers.problems import Quadratic, quadratic
from taciturn.theory.event_triggering.counterexamples import CHECKERBOARD, LATE_ROUND_ROBIN, PeriodicMessages

from . import style
from .event_runs import PUBLISHED, RULES, WORKERS, course, ring
from .event_tasks import CNN2, models, network_passes, task
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["CASES", "FIGURE", "growth", "simulated"]

IDENTICAL = 4
ITERATIONS = {"quick": 1500, "full": 2700}
START = 1e-3
CASES: Mapping[str, tuple[PeriodicMessages, tuple[int, ...]]] = {
    "no latency, signs $+-+-$": (CHECKERBOARD, (1, -1, 1, -1)),
    "latency 3, workers that agree": (LATE_ROUND_ROBIN, (1, 1, 1, 1)),
}
"""The exact counterexamples, and the mode of the ring of 4 in which they diverge."""

BY_TENSOR, WHOLE = "one tensor in an iteration", "all tensors in every third"


def problem(messages: PeriodicMessages) -> Quadratic:
    """Return four identical workers with the Hessian of a counterexample and the minimiser 0."""
    H = np.array(messages.hessian.tolist(), dtype=np.float64)
    return quadratic(np.broadcast_to(H, (IDENTICAL, *H.shape)), np.zeros((IDENTICAL, len(H))))


def growth(messages: PeriodicMessages) -> float:
    """Return the largest modulus of an eigenvalue of one period, from its exact matrix.

    Examples
    --------
    >>> 1.05 < growth(CHECKERBOARD) < 1.06
    True
    """
    exact = np.array(messages.matrix().tolist(), dtype=np.float64)
    return float(np.abs(np.linalg.eigvals(exact)).max())


def simulated(messages: PeriodicMessages, signs: tuple[int, ...], iterations: int) -> np.ndarray:
    """Return the norms of all parameters, shape (K + 1,), of the method with the schedule for a trigger.

    Copies are right at the start.
    """
    d = messages.hessian.rows
    fired = np.zeros((iterations, IDENTICAL, d), dtype=bool)
    for k in range(iterations):
        fired[k][:, list(messages.schedule[k % len(messages.schedule)])] = True
    trace = EventTrace(fired, messages.latency, np.zeros(IDENTICAL, dtype=np.int64), np.zeros(IDENTICAL))
    tensors = Tensors.of({f"tensor {b}": 1 for b in range(d)})
    method = EventTriggeredGradient(
        ring(IDENTICAL),
        Replayed(trace),
        float(messages.step_size),
        tensors=tensors,
        latency=messages.latency,
    )
    x0 = START * np.outer(signs, np.array([1.0, -0.5, 0.25])[:d])
    norm = {"norm": lambda state: float(np.linalg.norm(state.points))}
    return run_decentralised(method, problem(messages), iterations, x0, record=norm).recorded["norm"]


GROWTH, SHARES = "growth", "shares"
"""Parts of the table."""


def compute(setting: Setting, progress: Progress) -> Table:
    """Norms along the runs, the exact growth through the point after two thirds, and what each tensor sends."""
    iterations = ITERATIONS[setting.budget]
    shown = models(CNN2)[:1]
    unknown = {"messages": np.nan, "bits": np.nan}
    tables = []
    for number, (case, (messages, signs)) in enumerate(CASES.items(), start=1):
        for curve, schedule in ((BY_TENSOR, messages), (WHOLE, messages.whole_vectors())):
            norms = simulated(schedule, signs, iterations)
            rate = growth(schedule)
            k = np.arange(0, iterations + 1, len(schedule.schedule))
            first = 2 * len(k) // 3
            exact = norms[k[first]] * rate ** (np.arange(len(k)) - first)
            place = {"part": GROWTH, "case": case, "curve": curve, "growth": rate}
            tables.append(Table.of(**place, iteration=k, norm=norms[k], exact=exact, **unknown))
        progress(number, len(CASES) + len(shown))
    for model in shown:
        tables.append(_sent(setting, model))
        progress(len(CASES) + 1, len(CASES) + 1)
    return stacked(tables)


def _sent(setting: Setting, model: str) -> Table:
    """Share of its messages that each tensor sends, and its share of all bits that are sent."""
    run = course(setting, RULES[PUBLISHED], network_passes(WORKERS, setting.budget, model), model=model)
    names, sent = task(WORKERS, setting.budget, model).tensors.names, run.events.mean(axis=(0, 1))
    bits = sent * run.bits / (sent @ run.bits)
    unknown = {"growth": np.nan, "iteration": 0, "norm": np.nan, "exact": np.nan}
    return Table.of(part=SHARES, case=model, curve=names, **unknown, messages=sent, bits=bits)


def plot(table: Table) -> Drawing:
    """A panel for each counterexample, and one for the tensors of a network."""
    rows, sent = table.where(part=GROWTH), table.where(part=SHARES)
    cases = rows.different("case")
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.7, columns=len(cases) + bool(len(sent)))
    for axis, case in zip(axes, cases, strict=False):
        _draw_growth(axis, rows.where(case=case), case)
    axes[0].set(ylabel=r"$\|X^k\|_F$")
    if len(sent):
        _draw_sent(axes[-1], sent)
    style.panel_letters(axes)
    return figure


def _draw_growth(axis: Axes, table: Table, case: str) -> None:
    for curve, colour in ((BY_TENSOR, style.VERMILION), (WHOLE, style.BLUE)):
        rows = table.where(curve=curve)
        label = f"{curve}: {rows['growth'][0]:.4f}"
        axis.semilogy(rows["iteration"], np.maximum(rows["norm"], 1e-16), color=colour, label=label)
        exact = np.maximum(rows["exact"], 1e-16)
        axis.semilogy(rows["iteration"], exact, color=style.BLACK, linestyle=":", linewidth=1.0)
    axis.set(title=case, xlabel="iteration $k$", ylim=(1e-14, 1e14))
    axis.legend(loc="upper left", title="sent, and growth in three iterations:", title_fontsize=7.0, fontsize=7.0)


def _draw_sent(axis: Axes, table: Table) -> None:
    place = np.arange(len(table))
    axis.barh(place - 0.2, table["messages"], 0.4, color=style.VERMILION, label="its messages / always")
    axis.barh(place + 0.2, table["bits"], 0.4, color=style.BLUE, label="its bits / all bits sent")
    axis.set_yticks(place, table["curve"])
    axis.grid(False, axis="y")
    axis.set(title="CNN-2, published rule", xlabel="share", xlim=(0, 1), ylim=(len(table) + 1.2, -0.6))
    axis.legend(loc="lower right", fontsize=7.0)


FIGURE = Figure(
    name="event-tensors",
    title="Single tensors against whole vectors",
    caption=(
        "Four identical quadratics of condition number 20 on a ring, update A, a step that bounded-delay admits, three "
        "tensors of one entry. Red: one tensor is sent in every iteration, so that no copy is older than two "
        "iterations beyond the latency. Blue: all are sent together in every third iteration. Dotted: the growth per "
        "period, the spectral radius of its exact rational matrix. (a) Without latency, in the mode of alternating "
        "signs. (b) With latency 3, in perfect agreement. (c) Where torch "
        f"is: what the published rule sends of the 8 tensors of CNN-2, {WORKERS} workers on a ring, digits, all passes."
    ),
    claim="Bounded ages suffice for whole vectors and not for tensors sent one by one.",
    theorems=("bounded-delay", "per-tensor-divergence"),
    compute=compute,
    plot=plot,
)
