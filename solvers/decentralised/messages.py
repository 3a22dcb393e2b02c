"""What is sent at an event: whole tensors, or compressed differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..array import Array, Stream, array_namespace, check_fraction, float_bits, to_numpy
from ..compressors import Compressor, TopK
from .tensors import Tensors

__all__ = ["Compressed", "Content", "Sparsified", "Whole"]


class Content(Protocol):
    """How copies follow their originals at events."""

    def send(
        self, points: Array, copies: Array, fires: NDArray[np.bool_], tensors: Tensors, rng: Stream
    ) -> tuple[Array, NDArray[np.float64]]:
        """Return the copies after the events, and the bits of one message of every worker, shape (n,).

        The copies given are not changed; they are returned where nothing fires.
        """


@dataclass(frozen=True)
class Whole:
    """The tensor as it is: 32 (or 64) bits for every entry."""

    def send(
        self, points: Array, copies: Array, fires: NDArray[np.bool_], tensors: Tensors, rng: Stream
    ) -> tuple[Array, NDArray[np.float64]]:
        """Copy the tensors that are sent."""
        del rng
        bits = np.asarray(fires @ np.asarray(tensors.sizes) * float_bits(points), dtype=np.float64)
        if fires.all():
            return points, bits  # points are never changed in place: no copy is needed
        if not fires.any():
            return copies, bits
        updated = array_namespace(copies).asarray(copies, copy=True)
        for i, b in zip(*np.nonzero(fires), strict=True):
            updated[i, tensors.slices[b]] = points[i, tensors.slices[b]]
        return updated, bits


@dataclass(frozen=True)
class Compressed:
    """The compressed difference from the copy: ``copy <- copy + C(x - copy)``, tensor by tensor.

    Parameters
    ----------
    compressor : Compressor
        C; the same message is applied by the sender and by all receivers.
    """

    compressor: Compressor

    def send(
        self, points: Array, copies: Array, fires: NDArray[np.bool_], tensors: Tensors, rng: Stream
    ) -> tuple[Array, NDArray[np.float64]]:
        """Add the compressed differences of the tensors that are sent."""

        def message(b: int, point: Array, copy: Array) -> tuple[Array, Array]:
            del b
            encoded = self.compressor.encode(point - copy, rng)
            return copy + self.compressor.decode(encoded), self.compressor.bits(encoded)

        return _send_tensors(points, copies, fires, tensors, message)


@dataclass(frozen=True)
class Sparsified:
    """The entries that have changed most, as values: the receiver overwrites them (dossier 4.1.5).

    Parameters
    ----------
    fraction : float
        Share of the entries of every tensor that is sent, rounded up.
    """

    fraction: float

    def __post_init__(self) -> None:
        check_fraction(self.fraction, "fraction")

    def kept(self, size: int) -> int:
        """Return the number of entries sent of a tensor of `size` entries.

        Examples
        --------
        >>> Sparsified(0.01).kept(250)
        3
        """
        return math.ceil(self.fraction * size)

    def send(
        self, points: Array, copies: Array, fires: NDArray[np.bool_], tensors: Tensors, rng: Stream
    ) -> tuple[Array, NDArray[np.float64]]:
        """Overwrite the entries that are sent."""

        def message(b: int, point: Array, copy: Array) -> tuple[Array, Array]:
            top = TopK(self.kept(tensors.sizes[b]))
            encoded = top.encode(point - copy, rng)
            # Not copy + difference, which would round: an entry of a copy is a past value of the original.
            return array_namespace(copy).where(top.decode(encoded) != 0, point, copy), top.bits(encoded)

        return _send_tensors(points, copies, fires, tensors, message)


def _send_tensors(
    points: Array,
    copies: Array,
    fires: NDArray[np.bool_],
    tensors: Tensors,
    message: Callable[[int, Array, Array], tuple[Array, Array]],
) -> tuple[Array, NDArray[np.float64]]:
    """Return the copies with `message` applied to the tensors that are sent, all workers of a tensor in one call."""
    bits = np.zeros(fires.shape[0])
    if not fires.any():
        return copies, bits
    updated = array_namespace(copies).asarray(copies, copy=True)
    for b, part in enumerate(tensors.slices):
        senders = np.flatnonzero(fires[:, b]).tolist()
        if senders:
            updated[senders, part], sent = message(b, points[senders, part], copies[senders, part])
            bits[senders] += to_numpy(sent)
    return updated, bits
