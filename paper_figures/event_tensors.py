"""Messages of single tensors against messages of whole vectors of the same age: divergence and convergence."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure as Drawing

from taciturn.solvers.decentralised import EventTriggeredGradient, Tensors, run_decentralised
from taciturn.solvers.gossip import EventTrace, Replayed
from taciturn.solvers.problems import Quadratic, quadratic
from taciturn.theory.event_triggering.counterexamples import CHECKERBOARD, LATE_ROUND_ROBIN, PeriodicMessages

from . import style
from .event_runs import ring
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["CASES", "FIGURE", "growth", "simulated"]

WORKERS = 4
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
    return quadratic(np.broadcast_to(H, (WORKERS, *H.shape)), np.zeros((WORKERS, len(H))))


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
    fired = np.zeros((iterations, WORKERS, d), dtype=bool)
    for k in range(iterations):
        fired[k][:, list(messages.schedule[k % len(messages.schedule)])] = True
    trace = EventTrace(fired, messages.latency, np.zeros(WORKERS, dtype=np.int64), np.zeros(WORKERS))
    tensors = Tensors.of({f"tensor {b}": 1 for b in range(d)})
    method = EventTriggeredGradient(
        ring(WORKERS),
        Replayed(trace),
        float(messages.step_size),
        tensors=tensors,
        latency=messages.latency,
    )
    x0 = START * np.outer(signs, np.array([1.0, -0.5, 0.25])[:d])
    norm = {"norm": lambda state: float(np.linalg.norm(state.points))}
    return run_decentralised(method, problem(messages), iterations, x0, record=norm).recorded["norm"]


def compute(setting: Setting, progress: Progress) -> Table:
    """Norms along the runs, and the exact growth through the point after two thirds."""
    iterations = ITERATIONS[setting.budget]
    tables = []
    for number, (case, (messages, signs)) in enumerate(CASES.items(), start=1):
        for curve, schedule in ((BY_TENSOR, messages), (WHOLE, messages.whole_vectors())):
            norms = simulated(schedule, signs, iterations)
            rate = growth(schedule)
            k = np.arange(0, iterations + 1, len(schedule.schedule))
            first = 2 * len(k) // 3
            exact = norms[k[first]] * rate ** (np.arange(len(k)) - first)
            tables.append(Table.of(case=case, curve=curve, growth=rate, iteration=k, norm=norms[k], exact=exact))
        progress(number, len(CASES))
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """A panel for each counterexample."""
    cases = table.different("case")
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.7, columns=len(cases), sharey=True)
    for axis, case in zip(axes, cases, strict=True):
        for curve, colour in ((BY_TENSOR, style.VERMILION), (WHOLE, style.BLUE)):
            rows = table.where(case=case, curve=curve)
            label = f"{curve}: {rows['growth'][0]:.4f}"
            axis.semilogy(rows["iteration"], np.maximum(rows["norm"], 1e-16), color=colour, label=label)
            exact = np.maximum(rows["exact"], 1e-16)
            axis.semilogy(rows["iteration"], exact, color=style.BLACK, linestyle=":", linewidth=1.0)
        axis.set(title=case, xlabel="iteration $k$", ylim=(1e-14, 1e10))
        axis.legend(loc="upper left", title="sent, and growth in three iterations:", title_fontsize=7.5, fontsize=7.5)
    axes[0].set(ylabel=r"$\|X^k\|_F$")
    style.panel_letters(axes)
    return figure


FIGURE = Figure(
    name="event-tensors",
    title="Single tensors against whole vectors",
    caption=(
        "Four identical quadratics of condition number 20 on a ring, update A, a step that bounded-delay admits, three "
        "tensors of one entry. Red: one tensor is sent in every iteration, so that no copy is older than two "
        "iterations beyond the latency. Blue: all are sent together in every third iteration. Dotted: the growth per "
        "period, the spectral radius of its exact rational matrix. (a) Without latency, in the mode of alternating "
        "signs. (b) With latency 3, in perfect agreement."
    ),
    claim="Bounded ages suffice for whole vectors and not for tensors sent one by one.",
    theorems=("bounded-delay", "per-tensor-divergence"),
    compute=compute,
    plot=plot,
)
