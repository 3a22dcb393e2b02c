"""What the figures about event-triggered messages train: images of digits, contiguous parts for the workers."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from taciturn.solvers.classification import Classification, network_task, softmax_task
from taciturn.solvers.data import Dataset, load_digits, load_mnist
from taciturn.solvers.problems import cnn2, cnn_batch_norm

from .adaptive_compression_runs import mnist_is_here
from .staleness_asynchronous import torch_is_here

__all__ = [
    "BATCH_NORM",
    "CNN2",
    "MODELS",
    "SOFTMAX",
    "Task",
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


@dataclass(frozen=True, eq=False, kw_only=True)
class Task(Classification):
    """A classifier in training, in mini-batches.

    Parameters
    ----------
    batch : int
        Rows of a mini-batch.
    """

    batch: int

    def passes(self, epochs: int) -> int:
        """Iterations in a number of epochs, the last batch of each incomplete."""
        return epochs * -(-self.rows // self.batch)


@cache
def images(budget: str) -> tuple[Dataset, Dataset]:
    """Return images for training and tests: MNIST if TACITURN_DATA names it, else 8x8 digits, else synthetic ones."""
    if mnist_is_here():
        return load_mnist().of_rows(slice(MNIST_ROWS[budget])), load_mnist(part="test")
    try:
        return load_digits(part="train"), load_digits(part="test")
    except ImportError:
        return _prototypes(1500, seed=1), _prototypes(300, seed=2)


def _prototypes(rows: int, seed: int) -> Dataset:
    """Ten images of random pixels, always the same, each many times with noise: what there is without scikit-learn."""
    prototypes, rng = np.random.default_rng(0).random((10, 64)), np.random.default_rng(seed)
    targets = rng.integers(0, 10, rows)
    return Dataset("synthetic", prototypes[targets] + rng.normal(size=(rows, 64)), targets)


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
    found = softmax_task(training, test, workers, REGULARISATION, scale)
    return Task(**vars(found), batch=BATCH[training.name])


@cache
def _network_task(workers: int, budget: str, model: str) -> Task:
    """A network; its loss is evaluated on the first `MEASURED` images only, equally many of each worker."""
    training, test = images(budget)
    make = {CNN2: cnn2, BATCH_NORM: cnn_batch_norm}[model]
    found = network_task(make, training, test.of_rows(slice(TESTED[budget])), workers)
    problem = found.problem.measured_on(max(MEASURED[budget] // workers, 1))
    return Task(**{**vars(found), "problem": problem}, batch=NETWORK_BATCH[training.name])
