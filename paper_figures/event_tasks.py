"""What the figures about event-triggered messages train: images of digits, contiguous parts for the workers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.solvers.array import Array, array_like
from taciturn.solvers.data import Dataset, load_digits, load_mnist
from taciturn.solvers.decentralised import Tensors
from taciturn.solvers.partition import Partition
from taciturn.solvers.problems import cnn2, cnn_batch_norm, softmax_regression

from .adaptive_compression_runs import mnist_is_here
from .staleness_asynchronous import torch_is_here

__all__ = [
    "BATCH_NORM",
    "CNN2",
    "MODELS",
    "SOFTMAX",
    "Task",
    "enlarged",
    "images",
    "models",
    "network_passes",
    "task",
]

REGULARISATION = 1e-3
MNIST_ROWS = {"quick": 3200, "full": 60_000}
BATCH = {"digits": 16, "synthetic": 16, "mnist": 64}
NETWORK_BATCH = {"digits": 8, "synthetic": 8, "mnist": 64}
NETWORK_EPOCHS = {  # the published number is 10
    "quick": {"digits": 7, "synthetic": 7, "mnist": 20},
    "full": {"digits": 40, "synthetic": 40, "mnist": 10},
}
MEASURED = {"quick": 192, "full": 2048}  # images of all workers on which the loss of a network is evaluated
TESTED = {"quick": 1000, "full": 10_000}  # and its accuracy

SOFTMAX, CNN2, BATCH_NORM = "softmax", "cnn2", "cnn_batch_norm"
MODELS = {SOFTMAX: "softmax regression", CNN2: "CNN-2", BATCH_NORM: "CNN-2 with batch normalisation"}
"""What is trained, in words; networks need torch."""


@dataclass(frozen=True, eq=False)
class Task:
    """What the workers train.

    Parameters
    ----------
    problem : Problem
        With a contiguous part of the rows for each worker, all equally many. Values of a network are over some.
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


def models(*wanted: str) -> tuple[str, ...]:
    """Return those of the models, all by default, that can be trained here: networks only where torch is.

    Examples
    --------
    >>> models("softmax")
    ('softmax',)
    """
    return tuple(model for model in wanted or MODELS if model == SOFTMAX or torch_is_here())


def task(workers: int, budget: str, model: str = SOFTMAX, scale: float = 1.0) -> Task:
    """Return a model on contiguous parts of the images: softmax regression, weights and biases, or a network.

    Parameters
    ----------
    workers : int
        On whom the images are.
    budget : str
        How many images.
    model : str
        One of `MODELS`.
    scale : float
        Of the features of softmax regression; the function is that of `scale` times the parameters, the penalty, too.

    Examples
    --------
    >>> import pytest
    >>> _ = pytest.importorskip("sklearn")
    >>> task(8, "quick").tensors.names
    ('weight', 'bias')
    """
    return _softmax_task(workers, budget, scale) if model == SOFTMAX else _network_task(workers, budget, model)


def network_passes(workers: int, budget: str, model: str = CNN2) -> int:
    """Return the passes in which networks are trained: as many epochs for any number of workers."""
    return task(workers, budget, model).passes(NETWORK_EPOCHS[budget][images(budget)[0].name])


@cache
def _softmax_task(workers: int, budget: str, scale: float) -> Task:
    training, test = images(budget)
    # A column of ones makes the last rows of the matrix the biases.
    features, tested = (
        scale * np.column_stack([part.features, np.ones(len(part.targets))]) for part in (training, test)
    )
    rows = len(features) // workers
    one = softmax_regression(features, training.targets, REGULARISATION * scale**2)
    problem = one.split(Partition([*np.arange(rows * workers).reshape(workers, rows)]))
    classes = one.d // features.shape[1]

    def accuracy(x: Array) -> float:
        return float(np.mean((tested @ x.reshape(-1, classes)).argmax(axis=1) == test.targets))

    tensors = Tensors.of({"weight": one.d - classes, "bias": classes})
    return Task(problem, tensors, np.zeros(one.d), accuracy, BATCH[training.name], rows)


@cache
def _network_task(workers: int, budget: str, model: str) -> Task:
    """A network; its loss is evaluated on the first `MEASURED` images only, equally many of each worker."""
    training, test = images(budget)
    pixels = enlarged(training.features)
    centre, spread = pixels.mean(), pixels.std()  # the published program standardises, too
    features, tested = ((part - centre) / spread for part in (pixels, enlarged(test.features)))
    rows, most = len(features) // workers, TESTED[budget]
    one = {CNN2: cnn2, BATCH_NORM: cnn_batch_norm}[model](features, training.targets)
    problem = one.split(Partition([*np.arange(rows * workers).reshape(workers, rows)]))
    problem = problem.measured_on(max(MEASURED[budget] // workers, 1))

    def accuracy(x: Array) -> float:
        return float(problem.accuracy(array_like(x, problem.weights), tested[:most], test.targets[:most]))

    tensors = Tensors.of(problem.tensors)
    return Task(problem, tensors, problem.start(0), accuracy, NETWORK_BATCH[training.name], rows)


def enlarged(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return images of 28 x 28 pixels, for which the network is made: every pixel of an 8 x 8 one 3 x 3 times.

    Examples
    --------
    >>> big = enlarged(np.eye(64)[:1]).reshape(28, 28)
    >>> int(big.sum()), big[2:5, 2:5].min()
    (9, np.float64(1.0))
    """
    if features.shape[1] == 784:
        return features
    times = np.kron(features.reshape(-1, 8, 8), np.ones((3, 3)))
    return np.pad(times, ((0, 0), (2, 2), (2, 2))).reshape(-1, 784)
