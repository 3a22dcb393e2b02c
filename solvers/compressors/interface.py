"""What every compressor offers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from taciturn.theory.compression import CompressionClass

from ..array import Array, Stream
from .message import Message

__all__ = ["Compressor", "Moments"]


@dataclass(frozen=True)
class Moments:
    """What a compressor declares for a given vector, or each vector of a batch (..., d).

    Second moment and error are in units of ||v||^2, so that they exist for entries of every size; for v = 0 they are
    1 and 0.

    Attributes
    ----------
    mean : Array (..., d) or None
        E C(v); None for a biased compressor.
    second_moment : Array (...)
        E ||C(v)||^2 / ||v||^2.
    error : Array (...)
        E ||C(v) - v||^2 / ||v||^2: the variance omega at v of an unbiased compressor, 1 - delta at v of a
        contractive one.
    nonzeros : Array (...)
        Expected number of entries of C(v) that are not zero.
    """

    mean: Array | None
    second_moment: Array
    error: Array
    nonzeros: Array

    @classmethod
    def unbiased(cls, v: Array, error: Array, nonzeros: Array) -> "Moments":
        """Return the moments of a compressor with E C(v) = v, so E ||C(v)||^2 = ||v||^2 + E ||C(v) - v||^2."""
        return cls(v, 1 + error, error, nonzeros)

    @classmethod
    def projection(cls, error: Array, nonzeros: Array) -> "Moments":
        """Return the moments of a compressor with <C(v), v> = ||C(v)||^2 = ||v||^2 - ||C(v) - v||^2."""
        return cls(None, 1 - error, error, nonzeros)


class Compressor(ABC):
    """A map of vectors to vectors that are cheaper to send.

    Compressors are frozen dataclasses. They work along the last axis; all other axes are a batch (replicas, workers),
    compressed with independent coins. They take NumPy arrays or torch tensors, answer in kind and type, and never
    modify their argument.
    """

    is_random: ClassVar[bool]
    """Whether C(v) depends on coins; then ``rng`` is needed."""

    @abstractmethod
    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Compress.

        Parameters
        ----------
        v : Array, shape (..., d)
            Finite vectors of float32 or float64.
        rng : Stream
            Needed by random compressors, ignored by the others.

        Returns
        -------
        Array, shape (..., d)
            C(v), of the library, device and type of v.

        Raises
        ------
        TypeError
            If v is not an array of float32 or float64, or a random compressor gets no stream.
        ValueError
            If v has an empty axis or entries that are NaN, infinite, or too large for C(v) to be finite whatever the
            coins, or d is too small for the compressor.
        """

    @abstractmethod
    def guarantee(self, d: int) -> CompressionClass:
        """Return the class of the compressor and its exact constant for vectors of R^d."""

    @abstractmethod
    def declared_moments(self, v: Array) -> Moments:
        """Return the exact moments of C(v) for this v (..., d), from their formulas."""

    @abstractmethod
    def encode(self, v: Array, rng: Stream | None = None) -> Message:
        """Compress to the message that is sent; ``decode`` gives what the call gives with an equal stream."""

    @abstractmethod
    def decode(self, message: Message) -> Array:
        """Return the vectors (..., d) that a message carries."""

    @abstractmethod
    def payload_bits(self, compressed: Array) -> Array:
        """Return the bits of the messages that carry the vectors (..., d), without building them: integers (...)."""

    def bits(self, message: Message) -> Array:
        """Return the size of a message in bits, for each vector of the batch: integers (...)."""
        return message.bits
