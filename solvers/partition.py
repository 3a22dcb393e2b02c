"""Splits of the rows of a data set over workers: alike, by volume, by label, and in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .array import check_count, check_positive

__all__ = ["Partition", "split_by_label", "split_by_volume", "split_dirichlet", "split_iid"]


@dataclass(frozen=True, eq=False)
class Partition:
    """Who holds which rows, and how much every worker counts.

    Parameters
    ----------
    indices : sequence of n integer arrays
        Rows of worker i; no row belongs to two workers, no worker is empty.
    weights : array_like, shape (n,), optional
        p_i > 0, of sum 1; default the shares of the rows, for which F = sum_i p_i f_i is the mean over all rows.

    Raises
    ------
    TypeError
        If indices are not integers.
    ValueError
        If a worker is empty, a row is held twice, or the weights are not n positive numbers of sum 1.

    Examples
    --------
    >>> Partition([[0, 2], [1]]).weights
    array([0.66666667, 0.33333333])
    """

    indices: Sequence[NDArray[np.int64]]
    weights: NDArray[np.float64]

    def __init__(self, indices: Sequence[ArrayLike], weights: ArrayLike | None = None) -> None:
        arrays = tuple(np.asarray(rows) for rows in indices)
        sizes = [rows.size for rows in arrays]
        if not sizes or 0 in sizes:
            raise ValueError(f"indices give the workers {sizes} rows; accepted: at least one worker, one row each")
        pooled = np.concatenate([rows.ravel() for rows in arrays])
        if not np.issubdtype(pooled.dtype, np.integer):
            raise TypeError(f"indices are of {pooled.dtype}; accepted: integers")
        if pooled.min() < 0 or np.unique(pooled).size < pooled.size:
            raise ValueError("indices name a row twice or below 0; accepted: disjoint lists of rows 0, 1, ...")
        shares = np.asarray(sizes, dtype=np.float64) / pooled.size if weights is None else np.asarray(weights, float)
        object.__setattr__(self, "indices", arrays)
        object.__setattr__(self, "weights", check_weights(shares, len(sizes)))

    @property
    def workers(self) -> int:
        """Number of workers n."""
        return len(self.indices)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of every worker, shape (n,)."""
        return np.array([rows.size for rows in self.indices])


def check_weights(weights: ArrayLike, workers: int) -> NDArray[np.float64]:
    """Return the weights as float64, or refuse what is not n positive numbers of sum 1 (to 1e-12)."""
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (workers,) or not (array > 0).all() or not abs(array.sum() - 1) <= 1e-12:
        raise ValueError(f"weights = {array.tolist()}; accepted: {workers} positive numbers of sum 1")
    return array


def split_iid(rows: int, workers: int, seed: int) -> Partition:
    """Deal shuffled rows to workers, sizes equal to within one row.

    Parameters
    ----------
    rows, workers : int
        Rows in all, and n <= rows.
    seed : int
        Of the shuffle.

    Examples
    --------
    >>> split_iid(10, 3, seed=0).sizes
    array([3, 4, 3])
    """
    workers = check_count(workers, "workers", highest=rows)
    return split_by_volume(rows, np.ones(workers), seed)


def split_by_volume(rows: int, volumes: ArrayLike, seed: int) -> Partition:
    """Deal shuffled rows to workers in proportion to given volumes, rounded to whole rows.

    Parameters
    ----------
    rows : int
        Rows in all.
    volumes : array_like, shape (n,)
        Positive numbers; integers of sum `rows` are met exactly.
    seed : int
        Of the shuffle.

    Raises
    ------
    ValueError
        If a volume is not positive, or so small that its worker would get no row.

    Examples
    --------
    >>> split_by_volume(100, [1, 2, 7], seed=0).weights
    array([0.1, 0.2, 0.7])
    """
    rows = check_count(rows, "rows")
    shares = np.asarray(volumes, dtype=np.float64)
    if shares.ndim != 1 or not shares.size or not (np.isfinite(shares) & (shares > 0)).all():
        raise ValueError(f"volumes = {shares.tolist()}; accepted: a list of positive numbers")
    seed = check_count(seed, "seed", lowest=0)
    return Partition(np.split(np.random.default_rng(seed).permutation(rows), _cuts(rows, shares)))


def split_by_label(labels: ArrayLike, workers: int) -> Partition:
    """Sort the rows by label and cut them into equal consecutive pieces: workers that share as few labels as possible.

    Parameters
    ----------
    labels : array_like, shape (rows,)
        Class of every row.
    workers : int
        n <= rows.

    Examples
    --------
    >>> [rows.tolist() for rows in split_by_label([1, 0, 1, 0], 2).indices]
    [[1, 3], [0, 2]]
    """
    order = np.argsort(_classes(labels), kind="stable")
    workers = check_count(workers, "workers", highest=order.size)
    return Partition(np.split(order, _cuts(order.size, np.ones(workers))))


def split_dirichlet(labels: ArrayLike, workers: int, concentration: float, seed: int) -> Partition:
    """Share the rows of every class among the workers in proportions drawn from a symmetric Dirichlet law.

    Parameters
    ----------
    labels : array_like, shape (rows,)
        Class of every row.
    workers : int
        n <= rows.
    concentration : float
        Positive: near 0 every class goes to one worker, large values approach `split_iid`.
    seed : int
        Of the proportions and of the shuffle inside the classes.

    Notes
    -----
    A worker that would be empty takes one row of the largest worker.

    Examples
    --------
    >>> import numpy as np
    >>> split_dirichlet(np.arange(1000) % 10, 3, concentration=0.5, seed=1).sizes.sum()
    np.int64(1000)
    """
    classes = _classes(labels)
    workers = check_count(workers, "workers", highest=classes.size)
    concentration = check_positive(concentration, "concentration")
    rng = np.random.default_rng(check_count(seed, "seed", lowest=0))
    pieces = []
    for label in np.unique(classes):
        rows = rng.permutation(np.flatnonzero(classes == label))
        pieces.append(np.split(rows, _cuts(rows.size, rng.dirichlet(np.full(workers, concentration)))))
    held = [np.concatenate(column) for column in zip(*pieces, strict=True)]
    for i in range(workers):
        if not held[i].size:
            largest = max(range(workers), key=lambda j: held[j].size)
            held[i], held[largest] = held[largest][:1], held[largest][1:]
    return Partition(held)


def _classes(labels: ArrayLike) -> NDArray[Any]:
    classes = np.asarray(labels)
    if classes.ndim != 1:
        raise ValueError(f"labels has the shape {classes.shape}; accepted: (rows,)")
    return classes


def _cuts(rows: int, shares: NDArray[np.float64]) -> Any:
    """Where to cut 0..rows into pieces of the given proportions; rounding the running sum keeps the total."""
    running = np.cumsum(shares)
    return np.rint(rows * (running[:-1] / running[-1])).astype(np.int64)
