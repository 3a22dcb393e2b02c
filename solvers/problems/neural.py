"""Small neural networks, trained by classification; they need torch, which is imported when one is built."""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ..array import Array, Stream, array_like, check_count, device_of
from ..partition import Partition
from .problem import Constants, Problem, Reference

__all__ = ["NeuralNetwork", "cnn2", "cnn_batch_norm", "mlp"]

ROWS_AT_A_TIME = 4096
"""Images in one forward pass, all workers together: what their activations need stays small."""

CHANNELS = (1, 10, 20)
"""Of the image and after the convolutions of `cnn2`."""

FEW_ROWS = 32
"""Convolutions of more images than these are faster worker by worker, with weights of their own, than together."""


@dataclass(frozen=True)
class Examples:
    """The rows of one worker."""

    features: Array
    """Shape (m, p), real."""

    labels: Array
    """Shape (m,), integers."""

    @property
    def rows(self) -> int:
        """Number of rows m."""
        return int(self.labels.shape[0])

    def of_rows(self, rows: Any) -> "Examples":
        """Return some of the rows."""
        return Examples(self.features[rows], self.labels[rows])


@dataclass(frozen=True, eq=False, repr=False)
class NeuralNetwork(Problem):
    """f_i(x) = mean cross-entropy over the rows of worker i, x being all parameters of a network in one vector.

    Made by `mlp`, `cnn2` and `cnn_batch_norm`; `split` deals the rows to workers. Points are torch tensors of the
    type of `weights`. The function is not convex and its smoothness is not known: methods need a step size, and a run
    ``reference=False``. Start from `start`: at 0, which is the default of a run, the layers are alike and stay so.

    Parameters
    ----------
    module : torch.nn.Module
        The network; its own parameters are not used, only their names and shapes.
    blocks : tuple of Examples
        Features and labels of every worker.
    measured : int, optional
        Values and gradients of a problem with this are over at most so many rows of each worker, the first ones;
        mini-batches are over all. For runs with mini-batches, whose record costs most of the time otherwise.

    Notes
    -----
    Workers with equally many rows, and mini-batches, are evaluated in one call (`torch.func`), convolutions of many
    rows worker by worker. A network with batch normalisation has no running statistics: it uses those of the rows that
    it is given, the mini-batch in training, and at most `ROWS_AT_A_TIME` rows of all workers elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.partition import split_iid
    >>> problem = mlp(np.eye(4), [0, 1, 0, 1], hidden=[3]).split(split_iid(4, 2, seed=0))
    >>> problem.tensors
    {'dense1.weight': 12, 'dense1.bias': 3, 'dense2.weight': 6, 'dense2.bias': 2}
    >>> x = problem.start(seed=0)
    >>> tuple(problem.worker_gradients(x).shape)
    (2, 23)
    """

    module: Any
    blocks: tuple[Examples, ...]
    measured: int | None = None

    @property
    def d(self) -> int:
        """Number of parameters."""
        return sum(self.tensors.values())

    @cached_property
    def tensors(self) -> dict[str, int]:
        """Names and sizes of the network's tensors, in the order in which they lie in a point."""
        return {name: parameter.numel() for name, parameter in self.module.named_parameters()}

    def start(self, seed: Any) -> Array:
        """Return random parameters (d,): uniform on +-1/sqrt(inputs of a neuron), weights and biases alike.

        Batch normalisation starts with scales 1 and shifts 0.

        Parameters
        ----------
        seed : int
            Anything a `Stream` is made from.
        """
        torch, stream = _torch(), Stream(seed)
        pieces, bound = [], 0.0
        for layer in self.module.modules():
            for parameter in layer.parameters(recurse=False):
                if isinstance(layer, torch.nn.BatchNorm2d):
                    pieces.append(parameter.detach().to(self.weights))  # torch's ones and zeros
                    continue
                if parameter.ndim > 1:  # the bias after it has the same inputs
                    bound = 1 / math.sqrt(parameter[0].numel())
                pieces.append(bound * (2 * stream.uniform((parameter.numel(),), like=self.weights) - 1))
        return torch.concat(pieces)

    def local_values_and_gradients(self, points: Array) -> tuple[Array, Array]:
        """Evaluate every f_i at a point of its own: points (..., n, d) to values (..., n) and gradients (..., n, d)."""
        torch = _torch()
        stacked = points.detach().reshape(-1, self.workers, self.d)
        values = torch.zeros_like(stacked[..., 0])
        gradients = torch.zeros_like(stacked)
        for group, features, labels in self._groups:
            values[:, group], gradients[:, group] = self._means(stacked[:, group], features, labels)
        return values.reshape(points.shape[:-1]), gradients.reshape(points.shape)

    def sampled_gradients(self, points: Array, size: int, rng: Stream) -> Array:
        """Return gradients (..., n, d) over rows drawn with replacement, anew for every worker and replica.

        Parameters
        ----------
        points : Array, shape (..., n, d)
            One for each worker.
        size : int
            Rows a worker draws.
        rng : Stream
            Coins.
        """
        torch = _torch()
        stacked = points.detach().reshape(-1, self.workers, self.d)
        draws = rng.uniform((len(stacked), self.workers, size), like=np.ones(1))
        batches = [
            [block.of_rows((draw * block.rows).astype(np.int64)) for block, draw in zip(self.blocks, own, strict=True)]
            for own in draws
        ]
        features = torch.stack([torch.stack([batch.features for batch in own]) for own in batches])
        labels = torch.stack([torch.stack([batch.labels for batch in own]) for own in batches])
        each = stacked.flatten(0, 1), features.flatten(0, 1), labels.flatten(0, 1)
        together = 1 if self._convolves and size > FEW_ROWS else len(each[0])
        gradients = [self._evaluate(*some)[0] for some in zip(*(part.split(together) for part in each), strict=True)]
        return torch.concat(gradients).reshape(points.shape)

    def accuracy(self, x: Array, features: ArrayLike, labels: ArrayLike) -> Array:
        """Return the share of rows whose class the network at x (..., d) finds, shape (...)."""
        torch = _torch()
        examples = self._examples(features, labels)
        found = []
        for parameters in x.detach().reshape(-1, self.d):
            scores = [
                self._scores(parameters, examples.features[first : first + ROWS_AT_A_TIME])
                for first in range(0, examples.rows, ROWS_AT_A_TIME)
            ]
            right = torch.concat(scores).argmax(-1) == examples.labels
            found.append(right.to(x.dtype).mean())
        return torch.stack(found).reshape(x.shape[:-1])

    def hessian_product(self, x: Array, v: Array) -> Array:
        """Return the Hessian of F at x (d,) times v (d,)."""
        torch = _torch()
        total = torch.zeros_like(x)
        for weight, block in zip(self.weights, self.blocks, strict=True):
            gradient = torch.func.grad(lambda point, block=block: self._loss(point, block.features, block.labels))
            _, transposed = torch.func.vjp(gradient, x)  # the Hessian is symmetric
            total = total + weight * transposed(v)[0]
        return total

    def split(self, partition: Partition) -> Self:
        """Deal the rows of this one-node problem to workers.

        Parameters
        ----------
        partition : Partition
            Rows and weight of every worker.

        Raises
        ------
        ValueError
            If the problem has several workers already, or lacks a row.
        """
        if self.workers > 1:
            raise ValueError("only a one-node problem is split; it has several workers already")
        (block,) = self.blocks
        last = max(int(rows.max()) for rows in partition.indices)
        if last >= block.rows:
            raise ValueError(f"the partition names row {last}; accepted: rows below {block.rows}")
        blocks = tuple(block.of_rows(rows) for rows in partition.indices)
        return replace(self, blocks=blocks, weights=array_like(partition.weights, self.weights))

    def measured_on(self, rows: int) -> Self:
        """Return the problem whose values and gradients are over the first rows of each worker only."""
        return replace(self, measured=check_count(rows, "rows"))

    def on(self, like: Array) -> Self:
        """Return this problem with its data on the device and in the precision of a tensor.

        Raises
        ------
        TypeError
            If it is not a torch tensor.
        """
        if not isinstance(like, _torch().Tensor):
            raise TypeError(f"like is a {type(like).__name__}; a neural network runs on torch tensors only")
        blocks = tuple(
            Examples(array_like(block.features, like), block.labels.to(device_of(like))) for block in self.blocks
        )
        return replace(self, blocks=blocks, weights=array_like(self.weights, like))

    def of_workers(self, chosen: Sequence[int]) -> Self:
        """Return the f_i of some of the workers, with their weights as they are, for their gradients and values."""
        return replace(self, blocks=tuple(self.blocks[i] for i in chosen), weights=self.weights[list(chosen)])

    @cached_property
    def _groups(self) -> list[tuple[list[int], Array, Array]]:
        """Workers that are evaluated together, with their features (g, m, p) and labels (g, m)."""
        torch = _torch()
        blocks = [block.of_rows(slice(self.measured)) for block in self.blocks]
        groups: dict[tuple[int, int], list[int]] = {}
        for i, block in enumerate(blocks):
            alone = self._convolves and block.rows > FEW_ROWS
            groups.setdefault((block.rows, i if alone else 0), []).append(i)
        return [
            (group, torch.stack([blocks[i].features for i in group]), torch.stack([blocks[i].labels for i in group]))
            for group in groups.values()
        ]

    @property
    def _convolves(self) -> bool:
        return any(parameter.ndim == 4 for parameter in self.module.parameters())

    def _means(self, points: Array, features: Array, labels: Array) -> tuple[Array, Array]:
        """Evaluate at points (r, g, d) the means over all rows (g, m, p), some rows at a time."""
        torch = _torch()
        (replicas, workers), rows = points.shape[:2], labels.shape[1]
        values, gradients = torch.zeros_like(points[..., 0]), torch.zeros_like(points)
        step = max(ROWS_AT_A_TIME // (replicas * workers), 1)
        for first in range(0, rows, step):
            some, classes = (
                part[:, first : first + step].expand(replicas, -1, -1, *part.shape[2:]).flatten(0, 1)
                for part in (features, labels)
            )
            gradient, value = self._evaluate(points.flatten(0, 1), some, classes)
            share = classes.shape[1] / rows
            values += share * value.reshape(values.shape)
            gradients += share * gradient.reshape(gradients.shape)
        return values, gradients

    @cached_property
    def _evaluate(self) -> Callable[[Array, Array, Array], tuple[Array, Array]]:
        """Gradients (m, d) and values (m,) at points (m, d), each over rows of its own (m, rows, p)."""
        func = _torch().func
        evaluate: Callable[[Array, Array, Array], tuple[Array, Array]] = func.vmap(func.grad_and_value(self._loss))
        return evaluate

    def _loss(self, point: Array, features: Array, labels: Array) -> Array:
        return _torch().nn.functional.cross_entropy(self._scores(point, features), labels)

    def _scores(self, point: Array, features: Array) -> Array:
        parts = point.split(list(self.tensors.values()))
        named = {
            name: part.reshape(parameter.shape)
            for (name, parameter), part in zip(self.module.named_parameters(), parts, strict=True)
        }
        return _torch().func.functional_call(self.module, named, (features,))

    def _examples(self, features: ArrayLike, labels: ArrayLike) -> Examples:
        torch = _torch()
        device = device_of(self.weights)
        classes = torch.asarray(np.asarray(labels), dtype=torch.int64, device=device)
        return Examples(array_like(np.asarray(features), self.weights), classes)

    def _compute_constants(self) -> Constants:
        raise ValueError("L and mu of a neural network are not known; pass a step_size")

    def _compute_reference(self) -> Reference:
        raise ValueError("a neural network has no certified minimiser; run it with reference=False")


def mlp(features: ArrayLike, labels: ArrayLike, hidden: Sequence[int] = (32,)) -> NeuralNetwork:
    """Return the training of a multi-layer perceptron with ReLU between its layers, on one node, in float32.

    Parameters
    ----------
    features : array_like, shape (m, p)
        Rows.
    labels : array_like of int, shape (m,)
        Classes 0, 1, ..., c - 1, at least two.
    hidden : sequence of int
        Widths of the hidden layers; (32,) makes 64-32-10 of the 8x8 digits.

    Raises
    ------
    ImportError
        If torch is missing.
    TypeError, ValueError
        If the data are not finite rows with classes, or a width is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> mlp(np.zeros((20, 64)), np.arange(20) % 10)
    NeuralNetwork(d = 2410, workers = 1)
    """
    rows, classes = _checked(features, labels)
    widths = [rows.shape[1], *(check_count(width, "hidden") for width in hidden), int(classes.max()) + 1]
    nn = _torch().nn
    layers: OrderedDict[str, Any] = OrderedDict()
    for number, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        if number > 1:
            layers[f"relu{number - 1}"] = nn.ReLU()
        layers[f"dense{number}"] = nn.Linear(inputs, outputs)
    return _one_node(layers, rows, classes)


def cnn2(features: ArrayLike, labels: ArrayLike) -> NeuralNetwork:
    """Return the training of a small convolutional network for square images, on one node, in float32.

    Two convolutions 3x3 with 10 and 20 channels, each followed by a 2x2 maximum and ReLU, then 50 neurons. On MNIST
    these are the layers 500-50-10 and 27,480 parameters in 8 tensors.

    Parameters
    ----------
    features : array_like, shape (m, s s)
        Images of s x s pixels, s >= 10, row by row.
    labels : array_like of int, shape (m,)
        Classes 0, 1, ..., c - 1, at least two.

    Raises
    ------
    ImportError
        If torch is missing.
    TypeError, ValueError
        If the data are not finite images with classes, or are too small.

    Notes
    -----
    The network of Ghosh et al. 2022 (event-triggered training), as recalled, without its dropout; dossier chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> problem = cnn2(np.zeros((10, 784)), np.arange(10))
    >>> problem.d, len(problem.tensors)
    (27480, 8)
    """
    return _convolutional(features, labels, normalised=False)


def cnn_batch_norm(features: ArrayLike, labels: ArrayLike) -> NeuralNetwork:
    """Return the training of the network of `cnn2` with batch normalisation after its convolutions, in float32.

    The convolutions have no biases, which would be subtracted again: on MNIST 27,510 parameters in 10 tensors. The loss
    does not depend on the scale of their weights, so that gradients turn these and hardly change their norms. There are
    no running statistics that would stay with a worker (dossier 4.1.6, D14): the rows at hand are normalised together.

    Parameters
    ----------
    features, labels : array_like
        As of `cnn2`.

    Raises
    ------
    ImportError, TypeError, ValueError
        As of `cnn2`.

    Examples
    --------
    >>> import numpy as np
    >>> problem = cnn_batch_norm(np.zeros((10, 784)), np.arange(10))
    >>> problem.d, list(problem.tensors)[:3]
    (27510, ['conv1.weight', 'norm1.weight', 'norm1.bias'])
    """
    return _convolutional(features, labels, normalised=True)


def _convolutional(features: ArrayLike, labels: ArrayLike, normalised: bool) -> NeuralNetwork:
    rows, classes = _checked(features, labels)
    side = math.isqrt(rows.shape[1])
    if side * side != rows.shape[1] or side < 10:
        raise ValueError(f"features have {rows.shape[1]} columns; accepted: s x s pixels with s >= 10")
    nn = _torch().nn
    layers: OrderedDict[str, Any] = OrderedDict(image=nn.Unflatten(1, (1, side, side)))
    for number, (inputs, outputs) in enumerate(pairwise(CHANNELS), start=1):
        layers[f"conv{number}"] = nn.Conv2d(inputs, outputs, 3, bias=not normalised)
        if normalised:
            layers[f"norm{number}"] = nn.BatchNorm2d(outputs, track_running_stats=False)
        layers[f"pool{number}"] = nn.MaxPool2d(2)
        layers[f"relu{number}"] = nn.ReLU()  # of the maxima: the same, on a quarter of the pixels
        side = (side - 2) // 2
    layers["flat"] = nn.Flatten()
    layers["dense1"] = nn.Linear(CHANNELS[-1] * side * side, 50)
    layers["relu3"] = nn.ReLU()
    layers["dense2"] = nn.Linear(50, int(classes.max()) + 1)
    return _one_node(layers, rows, classes)


def _one_node(layers: Mapping[str, Any], rows: Any, classes: Any) -> NeuralNetwork:
    torch = _torch()
    examples = Examples(torch.asarray(rows, dtype=torch.float32), torch.asarray(classes))
    return NeuralNetwork(torch.nn.Sequential(OrderedDict(layers)), (examples,), weights=torch.ones(1))


def _checked(features: ArrayLike, labels: ArrayLike) -> tuple[Any, Any]:
    rows, classes = np.asarray(features), np.asarray(labels)
    if not np.isdtype(rows.dtype, "real floating"):
        raise TypeError(f"features are of {rows.dtype}; accepted: real floating point")
    if rows.ndim != 2 or 0 in rows.shape or not np.isfinite(rows).all():
        raise ValueError(f"features of shape {rows.shape}; accepted: (m, p), finite numbers, neither zero")
    if not np.issubdtype(classes.dtype, np.integer):
        raise TypeError(f"labels are of {classes.dtype}; accepted: integers")
    if classes.shape != rows.shape[:1] or classes.min() < 0 or classes.max() < 1:
        raise ValueError(f"labels of shape {classes.shape}; accepted: a class 0, 1, ... for each of {len(rows)} rows")
    return rows, classes.astype(np.int64)


def _torch() -> Any:
    try:
        return import_module("torch")
    except ImportError as error:
        raise ImportError("neural networks need torch: pip install 'taciturn[torch]'") from error
