"""Senders: what workers send in place of a vector, and what that costs."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.communication import Cost, check_cost
from taciturn.theory.compression import CompressionClass, Contractive, Unbiased

from ..array import Array, Stream, array_namespace, float_bits, to_numpy
from ..compressors import Compressor
from .state import Sent

__all__ = ["Dense", "Fixed", "PerWorkerSender", "Sender", "check_sender", "worker_guarantees"]


@runtime_checkable
class Sender(Protocol):
    """A rule by which n workers send messages in place of their vectors.

    It takes the place of a compressor in every method: senders differ in what they send, methods in what they compress.
    A worker with nothing to send, because its vector is zero, is silent at no cost.
    """

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Compress vectors (..., n, d) of workers with weights p_i (n,)."""

    def guarantee(self, d: int) -> CompressionClass:
        """Return what holds for the message of every worker, whatever its vector of length d."""


@runtime_checkable
class PerWorkerSender(Sender, Protocol):
    """A sender that compresses differently for different workers."""

    def guarantees(self, d: int) -> tuple[CompressionClass, ...]:
        """Return what holds for the messages of each worker, whatever its vectors of length d."""


def worker_guarantees(sender: Sender, d: int, workers: int) -> tuple[CompressionClass, ...]:
    """Return what holds for the messages of each of n workers.

    Raises
    ------
    ValueError
        If the sender is for another number of workers.

    Examples
    --------
    >>> worker_guarantees(Dense(), d=4, workers=2)
    (Contractive(delta=1.0), Contractive(delta=1.0))
    """
    if not isinstance(sender, PerWorkerSender):
        return (sender.guarantee(d),) * workers
    guarantees = sender.guarantees(d)
    if len(guarantees) != workers:
        raise ValueError(f"the sender is for {len(guarantees)} workers, the problem has {workers}; accepted: the same")
    return guarantees


def check_sender(sender: Any) -> None:
    """Refuse what is not a sender; a class in place of its object is none."""
    if isinstance(sender, type) or not isinstance(sender, Sender):
        raise TypeError(f"sender is a {type(sender).__name__}; pass a sender such as Dense() or Fixed(TopK(1))")


@dataclass(frozen=True)
class Dense:
    """Send every vector as it is.

    Parameters
    ----------
    cost : Cost, optional
        Price of a message with T = d entries; default the bits of d floats.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.methods import CompressedGradient, run
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> result = run(CompressedGradient(Dense()), quadratic_with_spectrum([1.0, 0.5]), 3, x0=np.ones(2))
    >>> result.gap.tolist(), result.cumulative_cost.tolist()
    ([0.75, 0.0625, 0.015625, 0.00390625], [0.0, 128.0, 256.0, 384.0])
    """

    cost: Cost | None = None

    def __post_init__(self) -> None:
        if self.cost is not None:
            check_cost(self.cost)

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Send vectors (..., n, d) in full."""
        del weights, rng
        d = vectors.shape[-1]
        price = d * float_bits(vectors) if self.cost is None else self.cost(d)
        speaks = to_numpy(array_namespace(vectors).any(vectors != 0, axis=-1))
        return Sent(vectors, np.where(speaks, float(price), 0.0), np.where(speaks, d, 0), np.ones(speaks.shape))

    def guarantee(self, d: int) -> CompressionClass:
        """Return Contractive(1)."""
        del d
        return Contractive(1.0, projection=True)


@dataclass(frozen=True)
class Fixed:
    """Send every vector through one compressor, replicas and workers in one call.

    Parameters
    ----------
    compressor : Compressor
        Any compressor of `taciturn.solvers.compressors`.
    cost : Cost, optional
        Price of a message with T entries; default the bits of the compressor's own message.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.compressors import TopK
    >>> sent = Fixed(TopK(1)).send(np.array([[3.0, 1.0, 0.0, 4.0]]), np.ones(1), Stream(0))
    >>> sent.vectors, sent.cost, sent.coefficient.round(3)
    (array([[0., 0., 0., 4.]]), array([66]), array([0.615]))
    """

    compressor: Compressor
    cost: Cost | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.compressor, Compressor):
            raise TypeError(
                f"compressor is a {type(self.compressor).__name__}; pass a Compressor of taciturn.solvers.compressors"
            )
        if self.cost is not None:
            check_cost(self.cost)

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Compress vectors (..., n, d) with independent coins."""
        del weights
        xp = array_namespace(vectors)
        compressed = self.compressor(vectors, rng)
        entries = to_numpy(xp.count_nonzero(compressed, axis=-1))
        if self.cost is None:
            price = to_numpy(self.compressor.payload_bits(compressed))
        else:
            price = np.where(entries > 0, self.cost(np.maximum(entries, 1)), 0.0)
        return Sent(compressed, price, entries, coefficient(self.compressor, vectors, compressed))

    def guarantee(self, d: int) -> CompressionClass:
        """Return the guarantee of the compressor."""
        return self.compressor.guarantee(d)


def coefficient(compressor: Compressor, vectors: Array, compressed: Array) -> NDArray[Any]:
    """Return the certified decrease of a message in units of ||v||^2/(2L), for every vector (..., d).

    Unbiased compressors: ||v||^2 / E||C(v)||^2, reached by the step omega/L. Others: `decrease`, reached by 1/L.
    """
    if isinstance(compressor.guarantee(vectors.shape[-1]), Unbiased):
        return to_numpy(1 / compressor.declared_moments(vectors).second_moment)
    return to_numpy(decrease(vectors, compressed))


def decrease(vectors: Array, compressed: Array) -> Array:
    """Return 1 - ||q - v||^2 / ||v||^2 for every vector (..., d), and 1 where v = 0.

    With the step 1/L the smoothness inequality gives F(x - q/L) <= F(x) - (||g||^2 - ||q - g||^2) / (2L) for any q
    in place of the gradient g.
    """
    xp = array_namespace(vectors)
    square, error = xp.vecdot(vectors, vectors), _squared_distance(compressed, vectors)
    precision = xp.finfo(vectors.dtype)
    lost = (square < precision.smallest_normal / precision.eps**2) | ~xp.isfinite(square)
    if xp.any(lost):
        # Squares that vanish or overflow, of entries that do not: in units of the largest entry they do neither.
        largest = xp.max(xp.abs(vectors), axis=-1, keepdims=True)
        scale = xp.where(largest > 0, largest, xp.ones_like(largest))
        scaled = vectors / scale
        square, error = xp.vecdot(scaled, scaled), _squared_distance(compressed / scale, scaled)
    return 1 - error / xp.where(square > 0, square, xp.ones_like(square))


def _squared_distance(a: Array, b: Array) -> Array:
    difference = a - b
    return array_namespace(a).vecdot(difference, difference)
