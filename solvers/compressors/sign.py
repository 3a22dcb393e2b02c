"""Compressors that send signs and one scale: scaled sign of all entries, and of the k largest (S+Q)."""

from dataclasses import dataclass
from typing import ClassVar

from taciturn.theory import compression
from taciturn.theory.communication import entry_bits, header_bits
from taciturn.theory.compression import Contractive

from ..array import Array, Stream, array_namespace, check_count, check_gradient, float_bits, scatter
from ..selection import top_k_mask
from .interface import Compressor, Moments
from .message import Field, Message, bits_each, locate, pack, sparse_fields, unpack
from .scaling import per_squared_norm, unit_scaled
from .sparsify import select

__all__ = ["ScaledSign", "Sign"]


@dataclass(frozen=True)
class Sign(Compressor):
    """Send all signs and the mean magnitude: (||v||_1 / d) sgn(v), where sgn(0) = 1.

    Contractive(1/d). At v the contraction is ||v||_1^2 / (d ||v||^2).

    Notes
    -----
    Source: dossier chapter 2, `det-sign`.

    Examples
    --------
    >>> import numpy as np
    >>> Sign()(np.array([1.0, -3.0, 0.0, 2.0]))
    array([ 1.5, -1.5,  1.5,  1.5])
    """

    is_random: ClassVar[bool] = False

    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Replace each magnitude by the mean magnitude."""
        v = check_gradient(v, "v")
        return _signed(v >= 0, self._scale(v))

    def guarantee(self, d: int) -> Contractive:
        """Return Contractive(1/d)."""
        return compression.sign(d)

    def declared_moments(self, v: Array) -> Moments:
        """Return the error 1 - ||v||_1^2 / (d ||v||^2)."""
        v = check_gradient(v, "v")
        xp = array_namespace(v)
        magnitudes = xp.abs(unit_scaled(v)[0])
        # sum (|w| - mean)^2 = ||w||^2 - ||w||_1^2 / d without its cancellation.
        deviations = magnitudes - xp.mean(magnitudes, axis=-1, keepdims=True)
        error = per_squared_norm(xp.sum(deviations * deviations, axis=-1), magnitudes)
        nonzeros = v.shape[-1] * xp.astype(xp.any(v != 0, axis=-1), v.dtype)
        return Moments.projection(error, nonzeros)

    def encode(self, v: Array, rng: Stream | None = None) -> Message:
        """Compress to a message with the fields scale and signs, eight signs in a byte."""
        v = check_gradient(v, "v")
        scale = Field(self._scale(v)[..., 0], bits_each(v, float_bits(v)))
        signs = Field(pack(v >= 0, base=2, per_byte=8), bits_each(v, v.shape[-1]))
        return Message(tuple(v.shape), v.dtype, {"scale": scale, "signs": signs})

    def decode(self, message: Message) -> Array:
        """Multiply the signs by the scale."""
        positive = unpack(message.fields["signs"].symbols, base=2, per_byte=8, d=message.shape[-1]) == 1
        return _signed(positive, message.fields["scale"].symbols[..., None])

    def payload_bits(self, compressed: Array) -> Array:
        """Count d signs and one scale."""
        return bits_each(compressed, compression.sign_bits(compressed.shape[-1], float_bits(compressed)))

    @staticmethod
    def _scale(v: Array) -> Array:
        xp = array_namespace(v)
        w, unit = unit_scaled(v)
        return xp.mean(xp.abs(w), axis=-1, keepdims=True) * unit


def _signed(positive: Array, scale: Array) -> Array:
    xp = array_namespace(scale)
    return xp.where(positive, scale, -scale)


@dataclass(frozen=True)
class ScaledSign(Compressor):
    """Send the signs of the k largest magnitudes, their indices and their mean magnitude (S+Q).

    The best approximation of v by multiples of sign(v) on the k largest magnitudes, and what S+Q with its optimal step
    comes to. Entries that are zero have no sign: with fewer than k others, only those are sent.

    Contractive(min(1/k, k/d)). At v the contraction is beta(k) = B^2 / (k ||v||^2), B the sum of the k largest
    magnitudes.

    Parameters
    ----------
    k : int
        Entries sent, 1..d.

    Raises
    ------
    TypeError, ValueError
        If k is not an integer of at least 1.

    Notes
    -----
    Source: dossier chapter 1, `sq-scaled-sign` and `beta-profile`.

    Examples
    --------
    >>> import numpy as np
    >>> ScaledSign(2)(np.array([1.0, -3.0, 0.0, 2.0]))
    array([ 0. , -2.5,  0. ,  2.5])
    """

    k: int
    is_random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_count(self.k, "k"))

    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Replace the k largest magnitudes by their mean, all others by zero."""
        v = check_gradient(v, "v")
        sent = self._sent(v)
        return select(_signed(v > 0, self._scale(v, sent)), sent)

    def guarantee(self, d: int) -> Contractive:
        """Return Contractive(min(1/k, k/d))."""
        return compression.scaled_sign(self.k, d)

    def declared_moments(self, v: Array) -> Moments:
        """Return the error 1 - beta(k)."""
        v = check_gradient(v, "v")
        check_count(self.k, "k", highest=v.shape[-1])
        xp = array_namespace(v)
        magnitudes = xp.sort(xp.abs(unit_scaled(v)[0]), axis=-1, descending=True)
        count = xp.clip(xp.count_nonzero(v, axis=-1), max=self.k)
        sent = xp.arange(v.shape[-1]) < count[..., None]
        mean = xp.sum(select(magnitudes, sent), axis=-1) / xp.astype(xp.clip(count, min=1), v.dtype)
        deviations = xp.where(sent, magnitudes - mean[..., None], magnitudes)
        error = per_squared_norm(xp.sum(deviations * deviations, axis=-1), magnitudes)
        return Moments.projection(error, xp.astype(count, v.dtype))

    def encode(self, v: Array, rng: Stream | None = None) -> Message:
        """Compress to a message with the fields scale, count, indices, signs; eight signs in a byte."""
        v = check_gradient(v, "v")
        sent = self._sent(v)
        scale = Field(self._scale(v, sent)[..., 0], bits_each(v, float_bits(v)))
        fields = sparse_fields(sent)
        signs = Field(pack(v[sent] > 0, base=2, per_byte=8), fields["count"].symbols)
        return Message(tuple(v.shape), v.dtype, {"scale": scale, **fields, "signs": signs})

    def decode(self, message: Message) -> Array:
        """Put the signs at their indices and multiply them by the scale."""
        scale, positions = message.fields["scale"].symbols, locate(message)
        xp = array_namespace(scale)
        positive = unpack(message.fields["signs"].symbols, base=2, per_byte=8, d=positions.shape[0])
        signs = xp.astype(2 * positive - 1, message.dtype)
        return scatter(signs, positions, message.shape) * scale[..., None]

    def payload_bits(self, compressed: Array) -> Array:
        """Count index and sign of the entries that are not zero, and one scale."""
        xp = array_namespace(compressed)
        floats = float_bits(compressed)
        entry = entry_bits("S+Q", compressed.shape[-1], floats)
        return header_bits("S+Q", floats) + xp.count_nonzero(compressed, axis=-1) * entry

    def _sent(self, v: Array) -> Array:
        return top_k_mask(v, self.k) & (v != 0)

    @staticmethod
    def _scale(v: Array, sent: Array) -> Array:
        xp = array_namespace(v)
        w, unit = unit_scaled(v)
        count = xp.astype(xp.count_nonzero(sent, axis=-1, keepdims=True), v.dtype)
        return xp.sum(select(xp.abs(w), sent), axis=-1, keepdims=True) / xp.clip(count, min=1.0) * unit
