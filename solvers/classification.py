"""Training a classifier on the images of several workers: what the examples, figures and commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .array import Array, array_like, check_count, to_numpy
from .data import Dataset
from .decentralised.tensors import Tensors
from .partition import Partition
from .problems import NeuralNetwork, softmax_regression

__all__ = ["Classification", "enlarged", "network_task", "softmax_task"]


@dataclass(frozen=True, eq=False)
class Classification:
    """A classifier in training, and how good its parameters are.

    Parameters
    ----------
    problem : Problem
        With a contiguous part of the rows for each worker, all equally many.
    tensors : Tensors
        Of its parameters.
    start : Array, shape (d,)
        Of all workers.
    accuracies : callable
        Share of the test rows whose class parameters (..., d) find, shape (...).
    rows : int
        Of every worker.
    mu : float
        Strong convexity of every f_i; 0 of a network.
    """

    problem: Any
    tensors: Tensors
    start: Array
    accuracies: Callable[[Array], Array]
    rows: int
    mu: float = 0.0

    def accuracy(self, x: Array) -> float:
        """Return the share of the test rows whose class parameters (d,) find: those of the final model, the average."""
        return float(self.accuracies(x))

    def workers_accuracy(self, points: Array) -> float:
        """Return the mean of the workers' accuracies, each with its own parameters, (n, d) (dossier 4.1.6, D14)."""
        return float(to_numpy(self.accuracies(points)).mean(dtype=np.float64))


def softmax_task(
    training: Dataset, test: Dataset, workers: int, regularisation: float, scale: float = 1.0
) -> Classification:
    """Return softmax regression with weights and biases.

    Parameters
    ----------
    training, test : Dataset
        Rows and classes.
    workers : int
        n.
    regularisation : float
        mu, at scale 1.
    scale : float
        Of the features; the function is then that of `scale` times the parameters, the penalty, too.

    Examples
    --------
    >>> import numpy as np
    >>> rows = Dataset("rows", np.eye(4), np.array([0, 1, 0, 1]))
    >>> softmax_task(rows, rows, workers=2, regularisation=0.1).tensors.names
    ('weight', 'bias')
    """
    # A column of ones makes the last rows of the matrix the biases.
    features, tested = (
        scale * np.column_stack([part.features, np.ones(len(part.targets))]) for part in (training, test)
    )
    parts = _contiguous(len(features), workers)
    problem = softmax_regression(features, training.targets, regularisation * scale**2).split(parts)
    classes = problem.d // features.shape[1]

    def accuracies(x: Array) -> Array:
        weights = to_numpy(x).reshape(*x.shape[:-1], -1, classes)
        found = np.tensordot(weights, tested, axes=(-2, 1)).argmax(axis=-2)  # all workers in one product
        return np.mean(found == test.targets, axis=-1)

    tensors = Tensors.of({"weight": problem.d - classes, "bias": classes})
    mu = regularisation * scale**2
    return Classification(problem, tensors, np.zeros(problem.d), accuracies, len(parts.indices[0]), mu)


def network_task(
    make: Callable[[ArrayLike, ArrayLike], NeuralNetwork], training: Dataset, test: Dataset, workers: int, seed: int = 0
) -> Classification:
    """Return the training of a network for images of 28 x 28 pixels; smaller ones are enlarged, all are standardised.

    Parameters
    ----------
    make : callable
        `cnn2` or another one of `taciturn.solvers.problems`.
    training, test : Dataset
        Rows of 784 or 64 pixels, and classes.
    workers : int
        n.
    seed : int
        Of the start.

    Raises
    ------
    ImportError
        Without torch.
    """
    pixels = enlarged(training.features)
    centre, spread = pixels.mean(), pixels.std()
    features, tested = (  # in the precision of networks, so that no evaluation copies them
        ((part - centre) / spread).astype(np.float32) for part in (pixels, enlarged(test.features))
    )
    parts = _contiguous(len(features), workers)
    problem = make(features, training.targets).split(parts)

    def accuracies(x: Array) -> Array:
        return problem.accuracy(array_like(x, problem.weights), tested, test.targets)

    return Classification(problem, Tensors.of(problem.tensors), problem.start(seed), accuracies, len(parts.indices[0]))


def enlarged(features: NDArray[Any]) -> NDArray[Any]:
    """Return images of 28 x 28 pixels: every pixel of a smaller square several times, in a border of zeros.

    Examples
    --------
    >>> import numpy as np
    >>> big = enlarged(np.eye(64)[:1]).reshape(28, 28)
    >>> int(big.sum()), float(big[2:5, 2:5].min())
    (9, 1.0)
    """
    side = math.isqrt(features.shape[1])
    if side * side != features.shape[1] or not 1 <= side <= 28:
        raise ValueError(
            f"features have {features.shape[1]} columns; accepted: square images of at most 28 x 28 pixels"
        )
    times = 28 // side
    before = (28 - times * side) // 2
    after = 28 - times * side - before
    images = np.kron(features.reshape(-1, side, side), np.ones((times, times)))
    return np.pad(images, ((0, 0), (before, after), (before, after))).reshape(-1, 28 * 28)


def _contiguous(rows: int, workers: int) -> Partition:
    """Return the rows in order, equally many for each worker; what is left over is not used."""
    each = rows // check_count(workers, "workers", lowest=1)
    if each < 1:
        raise ValueError(f"rows = {rows} for {workers} workers; accepted: at least one for each")
    return Partition([*np.arange(each * workers).reshape(workers, each)])
