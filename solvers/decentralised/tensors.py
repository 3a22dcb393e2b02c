"""A parameter vector as named tensors that are sent, and looked at, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..array import Array, array_namespace, check_count, to_numpy
from ..passes import CHUNK

__all__ = ["Tensors"]


@dataclass(frozen=True)
class Tensors:
    """How the d entries of a parameter vector divide into tensors.

    Parameters
    ----------
    names : tuple of str
        Of the B tensors, in the order of their entries.
    sizes : tuple of int
        Numbers of entries, of sum d.

    Examples
    --------
    >>> layers = Tensors.of({"weight": 6, "bias": 2})
    >>> layers.d, list(layers.slices)
    (8, [slice(0, 6, None), slice(6, 8, None)])
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.sizes) or not self.sizes:
            raise ValueError(f"names={self.names} and sizes={self.sizes} must be equally many, at least one")
        for name, size in zip(self.names, self.sizes, strict=True):
            check_count(size, f"size of {name}")

    @classmethod
    def of(cls, sizes: Mapping[str, int]) -> Tensors:
        """Return the tensors with these names and sizes."""
        return cls(tuple(sizes), tuple(sizes.values()))

    @classmethod
    def whole(cls, d: int) -> Tensors:
        """Return one tensor that is the whole vector."""
        return cls(("parameters",), (d,))

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each tensor lies in the vector."""
        ends = np.cumsum(self.sizes).tolist()
        return tuple(slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True))

    @property
    def d(self) -> int:
        """Number of entries of the whole vector."""
        return sum(self.sizes)

    def norms(self, vectors: Array) -> NDArray[np.float64]:
        """Return the norm of every tensor, shape (n, B), of vectors (n, d); one pass, no temporary."""
        xp = array_namespace(vectors)
        squares = [to_numpy(xp.vecdot(vectors[:, part], vectors[:, part])) for part in self.slices]
        return np.sqrt(np.stack(squares, axis=1).astype(np.float64))

    def distances(self, vectors: Array, others: Array) -> NDArray[np.float64]:
        """Return the norm of the difference of every tensor, shape (n, B); both are read once, in pieces."""
        xp = array_namespace(vectors, others)
        squares = np.zeros((vectors.shape[0], len(self.sizes)))
        for b, part in enumerate(self.slices):
            for rows, piece in _pieces(vectors.shape[0], part):
                difference = vectors[rows, piece] - others[rows, piece]
                squares[rows, b] += to_numpy(xp.vecdot(difference, difference))
        return np.sqrt(squares)


def _pieces(n: int, part: slice) -> Iterator[tuple[slice, slice]]:
    """Yield blocks of rows and columns of a tensor that are few enough entries to stay in the cache."""
    size = part.stop - part.start
    rows = max(CHUNK // size, 1)
    for first in range(0, n, rows):
        for start in range(part.start, part.stop, CHUNK):
            yield slice(first, first + rows), slice(start, min(start + CHUNK, part.stop))
