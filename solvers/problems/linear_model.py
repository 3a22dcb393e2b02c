"""Regularised linear models on rows of data, dense or sparse: ridge, logistic and softmax regression."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from ..array import Array, array_like, array_namespace, check_non_negative, matrix_like
from ..partition import Partition
from .losses import LogisticLoss, Loss, SoftmaxLoss, SquaredLoss
from .problem import Constants, Problem, Reference
from .reference import solve
from .spectrum import gram_bounds

__all__ = ["LinearModel", "logistic_regression", "ridge_regression", "softmax_regression"]


@dataclass(frozen=True, eq=False, repr=False)
class Block:
    """The rows of one worker: a linear map, its transpose, and the targets."""

    features: Any
    """Shape (m, p), dense or sparse."""

    transposed: Any
    """Shape (p, m): the same numbers in the layout that multiplies fastest."""

    targets: Array
    """Shape (m, c)."""

    @property
    def rows(self) -> int:
        """Number of rows m."""
        return int(self.features.shape[0])

    def of_rows(self, rows: NDArray[np.int64]) -> "Block":
        """Return the block of some rows, in their order, on the host."""
        return _block(self.features[rows], self.targets[rows])

    def on(self, like: Array) -> "Block":
        """Return the block in the library, on the device and in the precision of another array."""
        features, transposed = (matrix_like(matrix, like) for matrix in (self.features, self.transposed))
        return Block(features, transposed, array_like(self.targets, like))


def _product(matrix: Any, x: Array) -> Array:
    """Multiply along the last axis but one: (m, p) times (..., p, c) is (..., m, c), as one product of two matrices."""
    if x.ndim == 2:  # the same with nothing to rearrange
        return matrix @ x
    xp = array_namespace(x)
    columns = xp.reshape(xp.moveaxis(x, -2, 0), (x.shape[-2], -1))
    product = xp.reshape(matrix @ columns, (matrix.shape[0], *x.shape[:-2], x.shape[-1]))
    return xp.moveaxis(product, 0, -2)


@dataclass(frozen=True, eq=False, repr=False)
class LinearModel(Problem):
    """f_i(x) = mean over the rows a of worker i of phi(a^T X, y) + regularisation/2 ||x||^2, with x = vec X.

    X is (p, c) for p features and c outputs, d = p c; c = 1 but for softmax. Made by `ridge_regression`,
    `logistic_regression` and `softmax_regression`; `split` deals the rows to workers.

    Notes
    -----
    With the curvature of phi in [a, b] and M = sum_i p_i mean_i(a a^T): L = b lambda_max(M) + regularisation and
    mu = a lambda_min(M) + regularisation, with bounds of the eigenvalues that hold for certain (`spectrum`). For
    ridge and logistic regression L is the exact smoothness up to the accuracy of the eigenvalue (1e-6 relative if
    the data are large).
    """

    loss: Loss
    blocks: tuple[Block, ...]
    regularisation: float

    @property
    def d(self) -> int:
        """Number of variables, features times outputs."""
        return int(self.blocks[0].features.shape[1] * self.blocks[0].targets.shape[1])

    def local_values_and_gradients(self, points: Array) -> tuple[Array, Array]:
        """Evaluate every f_i at a point of its own: points (..., n, d) to values (..., n) and gradients (..., n, d)."""
        xp = array_namespace(points)
        values, gradients = [], []
        for i, block in enumerate(self.blocks):
            point = points[..., i, :]
            row_values, slopes = self.loss.value_and_slope(self._scores(block, point), block.targets)
            values.append(xp.sum(row_values, axis=-1) / block.rows)
            gradients.append(xp.reshape(_product(block.transposed, slopes / block.rows), point.shape))
        value = xp.stack(values, axis=-1) + 0.5 * self.regularisation * xp.vecdot(points, points)
        return value, xp.stack(gradients, axis=-2) + self.regularisation * points

    def hessian_product(self, x: Array, v: Array) -> Array:
        """Return the Hessian of F at x (d,) times v (d,)."""
        xp = array_namespace(x)
        product = self.regularisation * v
        for weight, block in zip(self.weights, self.blocks, strict=True):
            scores, change = self._scores(block, x), self._scores(block, v)
            slopes = self.loss.slope_product(scores, block.targets, change) * (weight / block.rows)
            product = product + xp.reshape(_product(block.transposed, slopes), v.shape)
        return product

    def split(self, partition: Partition) -> Self:
        """Deal the rows of this one-node problem to workers.

        Parameters
        ----------
        partition : Partition
            Rows and weight of every worker.

        Returns
        -------
        LinearModel
            With n = partition.workers; F is the same function if the weights are the shares of the rows.

        Raises
        ------
        ValueError
            If the problem has several workers already, was carried to another library, or lacks a row.

        Examples
        --------
        >>> import numpy as np
        >>> from taciturn.solvers.partition import split_iid
        >>> problem = ridge_regression(np.eye(4), np.ones(4), 0.1).split(split_iid(4, 2, seed=0))
        >>> problem.worker_gradients(np.zeros(4)).shape
        (2, 4)
        """
        if self.workers > 1 or self.host is not None:
            raise ValueError("only a one-node problem on the host is split; split it first, then carry it with on()")
        (block,) = self.blocks
        last = max(int(rows.max()) for rows in partition.indices)
        if last >= block.rows:
            raise ValueError(f"the partition names row {last}; accepted: rows below {block.rows}")
        blocks = tuple(block.of_rows(rows) for rows in partition.indices)
        return replace(self, blocks=blocks, weights=partition.weights)

    def on(self, like: Array) -> Self:
        """Return this problem with its data in the library, on the device and in the precision of another array.

        Sparse features stay sparse with NumPy and torch (as torch sparse CSR); other libraries have no sparse arrays.

        Raises
        ------
        TypeError
            If the features are sparse and the library has no sparse arrays.
        """
        host = self.host or self
        blocks = tuple(block.on(like) for block in host.blocks)
        return replace(self, blocks=blocks, weights=array_like(host.weights, like), host=host)

    def of_workers(self, chosen: Sequence[int]) -> Self:
        """Return the f_i of some of the workers, with their weights as they are, for their gradients and values."""
        xp = array_namespace(self.weights)
        weights = xp.take(self.weights, array_like(list(chosen), self.weights, dtype=xp.int64), axis=0)
        host = None if self.host is None else self.host.of_workers(chosen)
        return replace(self, blocks=tuple(self.blocks[i] for i in chosen), weights=weights, host=host)

    def _scores(self, block: Block, x: Array) -> Array:
        features, outputs = block.features.shape[1], block.targets.shape[1]
        return _product(block.features, array_namespace(x).reshape(x, (*x.shape[:-1], features, outputs)))

    def _compute_constants(self) -> Constants:
        low, high = self.loss.curvature
        features = [block.features for block in self.blocks]
        shares = [np.full(block.rows, 1 / block.rows) for block in self.blocks]
        pooled = sparse.vstack(features, format="csr") if sparse.issparse(features[0]) else np.concatenate(features)
        weights = np.concatenate([p * share for p, share in zip(self.weights, shares, strict=True)])
        smallest, largest = gram_bounds(pooled, weights)
        L_i = [
            high * gram_bounds(rows, share)[1] + self.regularisation
            for rows, share in zip(features, shares, strict=True)
        ]
        return Constants(high * largest + self.regularisation, low * smallest + self.regularisation, np.array(L_i))

    def _compute_reference(self) -> Reference:
        return solve(self)


def ridge_regression(features: Any, targets: ArrayLike, regularisation: float) -> LinearModel:
    """Return F(x) = 1/(2m) ||A x - b||^2 + regularisation/2 ||x||^2.

    Parameters
    ----------
    features : array_like or scipy sparse array, shape (m, d)
        A.
    targets : array_like, shape (m,)
        b.
    regularisation : float
        At least 0.

    Examples
    --------
    >>> import numpy as np
    >>> problem = ridge_regression(np.eye(2), np.array([1.0, 0.0]), 0.5)
    >>> problem.gradient(np.zeros(2))
    array([-0.5,  0. ])
    >>> problem.minimiser
    array([0.5, 0. ])
    """
    rows = _checked_features(features)
    return _one_node(SquaredLoss(), rows, _checked_targets(targets, rows)[:, None], regularisation)


def logistic_regression(features: Any, labels: ArrayLike, regularisation: float) -> LinearModel:
    """Return F(x) = 1/m sum_r log(1 + exp(-y_r a_r^T x)) + regularisation/2 ||x||^2.

    Parameters
    ----------
    features : array_like or scipy sparse array, shape (m, d)
        Rows a_r.
    labels : array_like, shape (m,)
        y_r = -1 or +1.
    regularisation : float
        At least 0.

    Examples
    --------
    >>> import numpy as np
    >>> problem = logistic_regression(np.eye(2), np.array([1, -1]), 0.1)
    >>> problem.objective(np.zeros(2)).item()
    0.6931471805599453
    >>> round(problem.L, 12)
    0.225
    """
    rows = _checked_features(features)
    signs = _checked_targets(labels, rows)
    if not (np.abs(signs) == 1).all():
        raise ValueError(f"labels are {np.unique(signs)[:5].tolist()}, ...; accepted: -1 and +1")
    return _one_node(LogisticLoss(), rows, signs[:, None], regularisation)


def softmax_regression(features: Any, labels: ArrayLike, regularisation: float) -> LinearModel:
    """Return the cross-entropy of softmax(a_r^T X) against the class of every row, plus regularisation/2 ||X||_F^2.

    Parameters
    ----------
    features : array_like or scipy sparse array, shape (m, p)
        Rows a_r.
    labels : array_like of int, shape (m,)
        Classes 0, 1, ..., c - 1, each at least once.
    regularisation : float
        At least 0.

    Returns
    -------
    LinearModel
        With d = p c variables: x reshaped to (p, c) is X.

    Examples
    --------
    >>> import numpy as np
    >>> softmax_regression(np.eye(3), np.array([0, 1, 2]), 0.1).d
    9
    """
    rows = _checked_features(features)
    classes = np.asarray(labels)
    if not np.issubdtype(classes.dtype, np.integer):
        raise TypeError(f"labels are of {classes.dtype}; accepted: integers")
    present = np.unique(_checked_targets(classes, rows))
    if present.size < 2 or not np.array_equal(present, np.arange(present.size)):
        raise ValueError(f"labels are {present[:5].tolist()}, ...; accepted: classes 0, 1, ..., at least two")
    return _one_node(SoftmaxLoss(), rows, np.eye(present.size)[classes], regularisation)


def _one_node(loss: Loss, features: Any, targets: NDArray[Any], regularisation: float) -> LinearModel:
    regularisation = check_non_negative(regularisation, "regularisation")
    return LinearModel(loss, (_block(features, targets),), float(regularisation), weights=np.ones(1))


def _block(features: Any, targets: NDArray[Any]) -> Block:
    return Block(features, features.T, targets)


def _checked_features(features: Any) -> Any:
    rows = sparse.csr_array(features) if sparse.issparse(features) else np.asarray(features)
    if not np.isdtype(rows.dtype, "real floating"):
        raise TypeError(f"features are of {rows.dtype}; accepted: real floating point")
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"features have the shape {rows.shape}; accepted: (m, d), neither zero")
    if not np.isfinite(rows.data if sparse.issparse(rows) else rows).all():
        raise ValueError("features have entries that are NaN or infinite; accepted: finite numbers")
    return rows.astype(np.float64)


def _checked_targets(targets: ArrayLike, features: Any) -> NDArray[Any]:
    values = np.asarray(targets, dtype=np.float64)
    if values.shape != features.shape[:1] or not np.isfinite(values).all():
        raise ValueError(
            f"targets of shape {values.shape}; accepted: one finite number for each of {features.shape[0]} rows"
        )
    return values
