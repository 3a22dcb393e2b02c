"""The runs that the figures about event-triggered messages share: images of digits on a ring, in mini-batches."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.solvers.array import Array, to_numpy
from taciturn.solvers.compressors import TopK
from taciturn.solvers.data import Dataset, load_digits, load_mnist
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
from taciturn.solvers.partition import Partition
from taciturn.solvers.problems import softmax_regression
from taciturn.solvers.topology import metropolis, network
from taciturn.theory.communication import index_bits

from .adaptive_compression_runs import mnist_is_here
from .cache import Arrays
from .setting import Setting

__all__ = [
    "AVERAGE_PRESERVING",
    "FLOAT_BITS",
    "FORCED",
    "PUBLISHED",
    "RULES",
    "STEP",
    "SYNCHRONOUS",
    "WORKERS",
    "Course",
    "Rule",
    "Task",
    "course",
    "ring",
    "task",
]

WORKERS = 8
STEP = 0.05  # as published
FORCED = 29  # passes at the start of the published rule, in which everything is sent
FLOAT_BITS = 32  # what a value is billed as
REGULARISATION = 1e-3
MNIST_ROWS = {"quick": 3200, "full": 60_000}
BATCH = {"digits": 16, "synthetic": 16, "mnist": 64}
POINTS = 40  # of a run at which the loss is evaluated

SYNCHRONOUS, PUBLISHED, AVERAGE_PRESERVING = "D-PSGD", "A, published trigger", "B, published trigger"


@dataclass(frozen=True, eq=False)
class Task:
    """What the workers train.

    Parameters
    ----------
    problem : Problem
        With a contiguous part of the rows for each worker, all equally many.
    tensors : Tensors
        Of its parameters.
    start : Array, shape (d,)
        Of all workers.
    accuracy : callable
        Share of the test images whose class parameters (d,) find.
    batch : int
        Rows of a mini-batch.
    rows : int
        Of every worker.
    """

    problem: Any
    tensors: Tensors
    start: Array
    accuracy: Callable[[Array], float]
    batch: int
    rows: int

    def passes(self, epochs: int) -> int:
        """Iterations in a number of epochs, the last batch of each incomplete."""
        return epochs * -(-self.rows // self.batch)


@cache
def images(budget: str) -> tuple[Dataset, Dataset]:
    """Return images for training and tests: MNIST if TACITURN_DATA names it, else 8x8 digits, else synthetic ones."""
    if mnist_is_here():
        training, rows = load_mnist(), MNIST_ROWS[budget]
        return Dataset("mnist", training.features[:rows], training.targets[:rows]), load_mnist(part="test")
    try:
        digits = load_digits()
    except ImportError:
        digits = _prototypes()
    parts = slice(0, 1440), slice(1440, None)
    training, test = (Dataset(digits.name, digits.features[part], digits.targets[part]) for part in parts)
    return training, test


def _prototypes() -> Dataset:
    """Ten images of random pixels, each many times with noise: what there is without scikit-learn."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 10, 1797)
    return Dataset("synthetic", rng.random((10, 64))[targets] + rng.normal(size=(1797, 64)), targets)


@cache
def task(workers: int, budget: str) -> Task:
    """Return softmax regression, weights and biases, on contiguous parts of the images.

    Examples
    --------
    >>> import pytest
    >>> _ = pytest.importorskip("sklearn")
    >>> task(8, "quick").tensors.names
    ('weight', 'bias')
    """
    training, test = images(budget)
    # A column of ones makes the last rows of the matrix the biases.
    features, tested = (np.column_stack([part.features, np.ones(len(part.targets))]) for part in (training, test))
    rows = len(features) // workers
    one = softmax_regression(features, training.targets, REGULARISATION)
    problem = one.split(Partition([*np.arange(rows * workers).reshape(workers, rows)]))
    classes = one.d // features.shape[1]

    def accuracy(x: Array) -> float:
        return float(np.mean((tested @ x.reshape(-1, classes)).argmax(axis=1) == test.targets))

    tensors = Tensors.of({"weight": one.d - classes, "bias": classes})
    return Task(problem, tensors, np.zeros(one.d), accuracy, BATCH[training.name], rows)


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
    """

    trigger: Trigger
    update: str = "published"
    kept: float = 1.0
    damping: float | None = None

    def method(self, where: Task) -> DecentralisedMethod:
        """Return the method on the ring."""
        W, oracle = ring(where.problem.workers), MiniBatch(where.batch)
        if self.damping is not None:
            top = TopK(int(np.ceil(self.kept * where.tensors.d)))
            return CompressedEvents(W, self.trigger, top, STEP, self.damping, oracle=oracle)
        content = Whole() if self.kept == 1 else Sparsified(self.kept)
        return EventTriggeredGradient(W, self.trigger, STEP, self.update, where.tensors, content, oracle=oracle)

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


@dataclass(frozen=True, eq=False)
class Course:
    """A run.

    Parameters
    ----------
    iteration : shape (R,)
        Where loss, accuracy and disagreement were measured, 0 and K among them.
    loss : shape (R,)
        F of the workers' average.
    accuracy : shape (R,)
        Share of test images.
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


def course(setting: Setting, rule: Rule, passes: int, workers: int = WORKERS, seed: int = 0) -> Course:
    """Return a run, made or from the cache."""
    data = images(setting.budget)[0].name
    inputs = {"rule": rule, "passes": passes, "workers": workers, "seed": seed, "data": data, "budget": setting.budget}
    return Course(**setting.cache.get(partial(_run, rule, passes, workers, seed, setting.budget), **inputs))


def _run(rule: Rule, passes: int, workers: int, seed: int, budget: str) -> Arrays:
    where = task(workers, budget)
    record = {"accuracy": lambda state: where.accuracy(to_numpy(state.average))}
    found = run_decentralised(
        rule.method(where),
        where.problem,
        passes,
        where.start,
        seed,
        record_every=max(passes // POINTS, 1),
        record=record,
    )
    return {
        "iteration": found.iterations_recorded,
        "loss": found.value,
        "accuracy": found.recorded["accuracy"],
        "disagreement": found.disagreement,
        "events": found.events,
        "bits": rule.bits(where.tensors),
        "full": np.array(float(FLOAT_BITS * where.tensors.d)),
    }
