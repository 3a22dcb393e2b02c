"""The compressor that does not compress."""

from dataclasses import dataclass
from typing import ClassVar

from taciturn.theory.compression import Unbiased

from ..array import Array, Stream, array_namespace, check_count, check_gradient, float_bits
from .interface import Compressor, Moments
from .message import Field, Message, bits_each

__all__ = ["Identity"]


@dataclass(frozen=True)
class Identity(Compressor):
    """Send every entry: Unbiased(0), d times the float bits.

    Examples
    --------
    >>> import numpy as np
    >>> Identity()(np.array([1.0, -3.0]))
    array([ 1., -3.])
    """

    is_random: ClassVar[bool] = False

    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Copy v."""
        v = check_gradient(v, "v")
        xp = array_namespace(v)
        return xp.asarray(v, copy=True)

    def guarantee(self, d: int) -> Unbiased:
        """Return Unbiased(0)."""
        check_count(d, "d")
        return Unbiased(0.0)

    def declared_moments(self, v: Array) -> Moments:
        """Return the error 0."""
        v = check_gradient(v, "v")
        xp = array_namespace(v)
        nonzeros = xp.astype(xp.count_nonzero(v, axis=-1), v.dtype)
        return Moments.unbiased(v, xp.zeros_like(nonzeros), nonzeros)

    def encode(self, v: Array, rng: Stream | None = None) -> Message:
        """Send v in the field values."""
        values = self(v)
        return Message(tuple(v.shape), v.dtype, {"values": Field(values, self.payload_bits(values))})

    def decode(self, message: Message) -> Array:
        """Return the values."""
        return message.fields["values"].symbols

    def payload_bits(self, compressed: Array) -> Array:
        """Count d floats."""
        return bits_each(compressed, compressed.shape[-1] * float_bits(compressed))
