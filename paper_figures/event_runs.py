"""The runs that the figures about event-triggered messages share: rules on a ring, in mini-batches."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.solvers.compressors import TopK
from taciturn.solvers.decentralised import (
    Adaptive,
    Always,
    CompressedEvents,
    Constant,
    DecentralisedMethod,
    DifferenceNorm,
    EventTriggeredGradient,
    Sparsified,
    Tensors,
    Trigger,
    Whole,
    run_decentralised,
)
from taciturn.solvers.methods import MiniBatch
from taciturn.solvers.topology import metropolis, network
from taciturn.theory.communication import index_bits

from .cache import Arrays
from .event_tasks import BATCH_NORM, CNN2, SOFTMAX, Task, images, task
from .setting import Setting

__all__ = [
    "AVERAGE_PRESERVING",
    "FLOAT_BITS",
    "FORCED",
    "NETWORK_RULES",
    "PUBLISHED",
    "RULES",
    "STEP",
    "SYNCHRONOUS",
    "WORKERS",
    "Course",
    "Rule",
    "course",
    "ring",
]

WORKERS = 8
STEP = 0.05  # as published
FORCED = 29  # passes at the start of the published rule, in which everything is sent
FLOAT_BITS = 32  # what a value is billed as
POINTS = 40  # of a run at which the loss is evaluated
NETWORK_POINTS = 10
SYNCHRONOUS, PUBLISHED, AVERAGE_PRESERVING = "D-PSGD", "A, published trigger", "B, published trigger"


def ring(workers: int) -> Any:
    """Return the mixing matrix of the ring with weights 1/3, sparse."""
    return metropolis(network("ring", workers))


@dataclass(frozen=True)
class Rule:
    """A decentralised method but for its problem.

    Parameters
    ----------
    trigger : Trigger
        When tensors are sent.
    update : str
        "published" or "average-preserving".
    kept : float
        Share of the entries of a tensor that an event sends, as values.
    damping : float or None
        If given, events send compressed differences, and the gradient comes first (`choco-event`).
    graph : str
        Name of the network, with Metropolis weights.
    step : float
        Of the gradient.
    """

    trigger: Trigger
    update: str = "published"
    kept: float = 1.0
    damping: float | None = None
    graph: str = "ring"
    step: float = STEP

    def method(self, where: Task) -> DecentralisedMethod:
        """Return the method on the network."""
        W, oracle = metropolis(network(self.graph, where.problem.workers)), MiniBatch(where.batch)
        if self.damping is not None:
            top = TopK(int(np.ceil(self.kept * where.tensors.d)))
            return CompressedEvents(W, self.trigger, top, self.step, self.damping, oracle=oracle)
        content = Whole() if self.kept == 1 else Sparsified(self.kept)
        return EventTriggeredGradient(W, self.trigger, self.step, self.update, where.tensors, content, oracle=oracle)

    def bits(self, tensors: Tensors) -> NDArray[np.float64]:
        """Bits of an event of every tensor, to one neighbour; a sparse one sends indices."""
        sizes = np.array([tensors.d] if self.damping is not None else tensors.sizes)
        if self.kept == 1:
            return FLOAT_BITS * sizes.astype(np.float64)
        indices = np.array([index_bits(size) for size in sizes.tolist()])
        return np.asarray(np.ceil(self.kept * sizes) * (FLOAT_BITS + indices))


RULES: dict[str, Rule] = {
    SYNCHRONOUS: Rule(Always()),
    PUBLISHED: Rule(Adaptive()),
    "A, constant 0.2": Rule(DifferenceNorm(Constant(0.2))),
    AVERAGE_PRESERVING: Rule(Adaptive(), "average-preserving"),
    "B, constant 0.2": Rule(DifferenceNorm(Constant(0.2)), "average-preserving"),
    "B, constant 1": Rule(DifferenceNorm(Constant(1.0)), "average-preserving"),
    "top 10 % always, A": Rule(Always(), kept=0.1),
    "top 10 % at events, A": Rule(Adaptive(), kept=0.1),
    "choco-event, top 10 %": Rule(DifferenceNorm(Constant(0.2)), kept=0.1, damping=0.2),
}
"""Constant thresholds are those of the difference-norm trigger, without forced passes."""

NETWORK_RULES = {
    CNN2: (
        SYNCHRONOUS,
        PUBLISHED,
        AVERAGE_PRESERVING,
        "B, constant 0.2",
        "top 10 % at events, A",
        "choco-event, top 10 %",
    ),
    BATCH_NORM: (SYNCHRONOUS, PUBLISHED),
}
"""Those with which networks are trained, which takes longer."""


@dataclass(frozen=True, eq=False)
class Course:
    """A run.

    Parameters
    ----------
    iteration : shape (R,)
        Where loss, accuracy and disagreement were measured, 0 and K among them.
    loss : shape (R,)
        F of the workers' average; of a network over the first rows of every worker.
    accuracy : shape (R,)
        Share of the test images whose class the workers' average finds.
    workers_accuracy : shape (R,)
        Mean over the workers of the share that their own parameters find; NaN but at the end, where alone it is
        measured: everywhere it would take as long as the run.
    disagreement : shape (R,)
        Mean squared distance of the workers from their average.
    events : bool, shape (K, n, B)
        Which tensors were sent.
    bits : shape (B,)
        Of an event, to one neighbour.
    full : float
        Bits of everything, to one neighbour.
    """

    iteration: NDArray[np.int64]
    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    workers_accuracy: NDArray[np.float64]
    disagreement: NDArray[np.float64]
    events: NDArray[np.bool_]
    bits: NDArray[np.float64]
    full: NDArray[np.float64]

    @property
    def message_share(self) -> float:
        """Tensor messages / tensor messages of sending always."""
        return float(np.mean(self.events))

    @property
    def share_after_forced(self) -> float:
        """The same after the passes in which the published rule sends in any case."""
        return float(np.mean(self.events[FORCED:]))

    @property
    def messages(self) -> NDArray[np.float64]:
        """Messages so far at the measured iterations, in units of all messages of sending always, shape (R,)."""
        return self._so_far(self.events.mean(axis=(1, 2))) / len(self.events)

    @property
    def volume(self) -> NDArray[np.float64]:
        """Bits so far at the measured iterations, in units of the bits of sending everything always, shape (R,)."""
        return self._so_far((self.events @ self.bits).mean(axis=1)) / (len(self.events) * float(self.full))

    def _so_far(self, each: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([[0.0], np.cumsum(each)])[self.iteration]

    def until(self, loss: float, spent: NDArray[np.float64]) -> float:
        """What was spent when the loss first fell to a value, interpolated; infinite if it never did."""
        below = np.flatnonzero(self.loss <= loss)
        if not below.size:
            return float("inf")
        after = int(below[0])
        if after == 0:
            return 0.0
        part = (self.loss[after - 1] - loss) / (self.loss[after - 1] - self.loss[after])
        return float(spent[after - 1] + part * (spent[after] - spent[after - 1]))


def course(
    setting: Setting, rule: Rule, passes: int, workers: int = WORKERS, seed: int = 0, model: str = SOFTMAX
) -> Course:
    """Return a run, made or from the cache."""
    inputs: dict[str, Any] = {
        "rule": rule,
        "passes": passes,
        "workers": workers,
        "seed": seed,
        "budget": setting.budget,
    }
    data = images(setting.budget)[0].name
    return Course(**setting.cache.get(partial(_run, **inputs, model=model), **inputs, data=data, model=model))


def _run(rule: Rule, passes: int, workers: int, seed: int, budget: str, model: str) -> Arrays:
    where, points = task(workers, budget, model), POINTS if model == SOFTMAX else NETWORK_POINTS
    record = {"accuracy": lambda state: where.accuracy(state.average)}
    found = run_decentralised(
        rule.method(where),
        where.problem,
        passes,
        where.start,
        seed,
        record_every=max(passes // points, 1),
        record=record,
    )
    workers_accuracy = np.full(len(found.value), np.nan)
    workers_accuracy[-1] = where.workers_accuracy(found.state.points)
    return {
        "iteration": found.iterations_recorded,
        "loss": found.value,
        "accuracy": found.recorded["accuracy"],
        "workers_accuracy": workers_accuracy,
        "disagreement": found.disagreement,
        "events": found.events,
        "bits": rule.bits(where.tensors),
        "full": np.array(float(FLOAT_BITS * where.tensors.d)),
    }
