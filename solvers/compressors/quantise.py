"""Compressors that round every entry to a few levels at random: ternary, QSGD, natural."""

import math
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from taciturn.theory import compression
from taciturn.theory.compression import Unbiased

from ..array import (
    Array,
    Stream,
    array_like,
    array_namespace,
    check_choice,
    check_count,
    check_gradient,
    check_stream,
    float_bits,
)
from .interface import Compressor, Moments
from .message import Field, Message, bits_each, pack, unpack
from .scaling import check_magnitude, per_squared_norm, power_of_two, rescaled, unit_scaled

__all__ = ["QSGD", "Natural", "Ternary"]


class _StochasticLevels(Compressor):
    """Round u_j = levels |v_j| / s to one of the two nearest integers, up with probability u_j - floor(u_j).

    The scale s is the Euclidean norm or the largest magnitude of v; C(v)_j = s sgn(v_j) (rounded u_j) / levels.
    """

    levels: int
    norm: str
    is_random: ClassVar[bool] = True

    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Round the entries of each vector to its levels."""
        return self._value(*self._round(v, rng))

    def guarantee(self, d: int) -> Unbiased:
        """Return Unbiased with the exact constant of `taciturn.theory.compression.qsgd`."""
        return compression.qsgd(self.levels, d, self.norm)

    def declared_moments(self, v: Array) -> Moments:
        """Return the error sum f_j (1 - f_j) (s / levels)^2 / ||v||^2, f_j the fractional part of u_j."""
        v = check_gradient(v, "v")
        xp = array_namespace(v)
        w, _ = unit_scaled(v)
        scale = self._scale(w)
        u = self._in_levels(w, scale)
        fraction = u - xp.floor(u)
        variance = xp.sum(fraction * (1 - fraction) * (scale / self.levels) ** 2, axis=-1)
        return Moments.unbiased(v, per_squared_norm(variance, w), xp.sum(xp.clip(u, max=1.0), axis=-1))

    def encode(self, v: Array, rng: Stream | None = None) -> Message:
        """Compress to a message with the fields scale and levels."""
        levels, scale = self._round(v, rng)
        xp = array_namespace(v)
        digits = xp.astype(levels, xp.int64) + self.levels
        fields = {
            "scale": Field(scale[..., 0], bits_each(v, float_bits(v))),
            "levels": Field(self._pack(digits), self.payload_bits(v) - float_bits(v)),
        }
        return Message(tuple(v.shape), v.dtype, fields)

    def decode(self, message: Message) -> Array:
        """Multiply the levels by the scale."""
        digits = self._unpack(message.fields["levels"].symbols, message.shape[-1])
        xp = array_namespace(digits)
        return self._value(xp.astype(digits - self.levels, message.dtype), message.fields["scale"].symbols[..., None])

    @abstractmethod
    def _pack(self, digits: Array) -> Array:
        """Return the symbols sent for digits 0..2 levels."""

    @abstractmethod
    def _unpack(self, symbols: Array, d: int) -> Array:
        """Return the digits."""

    def _scale(self, w: Array) -> Array:
        xp = array_namespace(w)
        if self.norm == "max":
            return xp.max(xp.abs(w), axis=-1, keepdims=True)
        return xp.sqrt(xp.sum(w * w, axis=-1, keepdims=True))

    def _in_levels(self, w: Array, scale: Array) -> Array:
        xp = array_namespace(w)
        u = self.levels * xp.abs(w) / xp.where(scale > 0, scale, xp.ones_like(scale))
        return xp.clip(u, max=float(self.levels))  # rounding may have put the largest above

    def _round(self, v: Array, rng: Stream | None) -> tuple[Array, Array]:
        v = check_gradient(v, "v")
        stream = check_stream(rng, type(self).__name__)
        xp = array_namespace(v)
        w, unit = unit_scaled(v)
        scale = self._scale(w)
        u = self._in_levels(w, scale)
        lower = xp.floor(u)
        rounded = lower + xp.astype(stream.bernoulli(u - lower), v.dtype)
        return xp.sign(w) * rounded, rescaled(scale, unit, "v")

    def _value(self, levels: Array, scale: Array) -> Array:
        return levels / self.levels * scale


@dataclass(frozen=True)
class QSGD(_StochasticLevels):
    """Round to ``levels`` equidistant levels of each sign, and zero.

    Unbiased, with the exact worst-case variance: (sqrt(1 + (d-1)/levels^2) - 1)/2 for the largest magnitude as scale,
    sqrt(d)/levels - 1 for the Euclidean norm if d >= 4 levels^2. The message is one scale and d levels, written
    as one integer in base 2 levels + 1: float bits + ceil(d log2(2 levels + 1)) bits.

    Parameters
    ----------
    levels : int
        Positive levels, at least 1.
    norm : {"two", "max"}
        The scale: Euclidean norm, or largest magnitude.

    Raises
    ------
    TypeError, ValueError
        If levels is not an integer of at least 1, or norm is another word.

    Notes
    -----
    Source: Alistarh et al. 2017; dossier chapter 2, `urq-qsgd-2` and `urq-qsgd-inf`, and
    `taciturn.theory.compression.qsgd`, which sharpens the first.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.array import Stream
    >>> QSGD(2, norm="max")(np.array([1.0, -4.0, 0.5, 2.0]), Stream(0))
    array([ 0., -4.,  2.,  2.])
    >>> QSGD(2).guarantee(16)
    Unbiased(variance=1.0)
    """

    levels: int
    norm: str = "two"

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "levels", check_count(self.levels, "levels", highest=2**20)
        )  # so that levels are exact in float32
        check_choice(self.norm, "norm", ("two", "max"))

    def payload_bits(self, compressed: Array) -> Array:
        """Count d levels and one scale."""
        d = compressed.shape[-1]
        return bits_each(compressed, compression.qsgd_bits(self.levels, d, float_bits(compressed)))

    def _pack(self, digits: Array) -> Array:
        return digits

    def _unpack(self, symbols: Array, d: int) -> Array:
        return symbols


@dataclass(frozen=True)
class Ternary(_StochasticLevels):
    """Round to -s, 0, s, where s is the largest magnitude or the Euclidean norm: P(C(v)_j != 0) = |v_j| / s.

    Unbiased((sqrt(d) - 1)/2) for "max", Unbiased(sqrt(d) - 1) for "two". The message is one scale and d trits,
    five in a byte.

    Parameters
    ----------
    norm : {"max", "two"}
        The scale.

    Raises
    ------
    ValueError
        If norm is another word.

    Notes
    -----
    Source: Wen et al. 2017; dossier chapter 2, `urq-ternary-inf` and `urq-ternary-2`.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.array import Stream
    >>> Ternary()(np.array([1.0, -4.0, 0.5, 2.0]), Stream(0))
    array([ 0., -4.,  4.,  4.])
    >>> Ternary().guarantee(9)
    Unbiased(variance=1.0)
    """

    norm: str = "max"
    levels: int = field(default=1, init=False, repr=False)

    def __post_init__(self) -> None:
        check_choice(self.norm, "norm", ("max", "two"))

    def payload_bits(self, compressed: Array) -> Array:
        """Count d trits and one scale."""
        return bits_each(compressed, compression.ternary_bits(compressed.shape[-1], float_bits(compressed)))

    def _pack(self, digits: Array) -> Array:
        return pack(digits, base=3, per_byte=5)

    def _unpack(self, symbols: Array, d: int) -> Array:
        return unpack(symbols, base=3, per_byte=5, d=d)


@dataclass(frozen=True)
class Natural(Compressor):
    """Round every magnitude to one of the two nearest powers of two.

    Unbiased(1/8). The message is a sign and an exponent of each entry: 9 bits for float32, 12 for float64, one code
    of the exponent being zero. Below the smallest normal number the levels are zero and that number: still unbiased,
    but with an error of up to a quarter of its square, whatever ||v|| is.

    Notes
    -----
    Source: Horvath et al. 2019; dossier chapter 2, `urq-natural`.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.array import Stream
    >>> Natural()(np.array([1.0, -3.0, 0.6, 0.0]), Stream(0))
    array([ 1., -4.,  1.,  0.])
    """

    is_random: ClassVar[bool] = True

    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Round each entry to a power of two."""
        v = check_gradient(v, "v")
        stream = check_stream(rng, "Natural")
        check_magnitude(v, 2.0 ** _exponents(v, v.dtype)[-1], "v")  # larger ones have no level above them
        lower, gap, probability = self._levels(v)
        xp = array_namespace(v)
        up = xp.astype(stream.bernoulli(probability), v.dtype)
        return xp.sign(v) * (lower + up * gap)

    def guarantee(self, d: int) -> Unbiased:
        """Return Unbiased(1/8)."""
        check_count(d, "d")
        return compression.natural()

    def declared_moments(self, v: Array) -> Moments:
        """Return the error sum (|v_j| - lower)(upper - |v_j|) / ||v||^2."""
        v = check_gradient(v, "v")
        xp = array_namespace(v)
        lower, gap, probability = self._levels(v)
        w, unit = unit_scaled(v)
        step = gap / unit
        error = per_squared_norm(xp.sum(step * step * probability * (1 - probability), axis=-1), w)
        nonzeros = xp.sum(xp.where(lower > 0, xp.ones_like(v), probability), axis=-1)
        return Moments.unbiased(v, error, nonzeros)

    def encode(self, v: Array, rng: Stream | None = None) -> Message:
        """Compress to a message with the fields signs, eight in a byte, and exponents."""
        compressed = self(v, rng)
        xp = array_namespace(v)
        magnitudes = xp.abs(compressed)
        occupied = magnitudes > 0
        exponents = xp.log2(xp.where(occupied, magnitudes, xp.ones_like(magnitudes)))
        codes = xp.astype(xp.round(exponents), xp.int64) - _exponents(v, v.dtype)[0] + 1
        d = v.shape[-1]
        fields = {
            "signs": Field(pack(compressed < 0, base=2, per_byte=8), bits_each(v, d)),
            "exponents": Field(xp.where(occupied, codes, xp.zeros_like(codes)), self.payload_bits(v) - d),
        }
        return Message(tuple(v.shape), v.dtype, fields)

    def decode(self, message: Message) -> Array:
        """Put the signs before the powers of two."""
        codes = message.fields["exponents"].symbols
        xp = array_namespace(codes)
        negative = unpack(message.fields["signs"].symbols, base=2, per_byte=8, d=message.shape[-1])
        # A table, because a library's 2**e need not be exact.
        powers = [0.0, *(2.0**exponent for exponent in _exponents(codes, message.dtype))]
        table = array_like(powers, codes, dtype=message.dtype)
        magnitudes = xp.reshape(xp.take(table, xp.reshape(codes, (-1,))), message.shape)
        return xp.where(negative == 1, -magnitudes, magnitudes)

    def payload_bits(self, compressed: Array) -> Array:
        """Count d signs and d exponents."""
        return bits_each(compressed, compression.natural_bits(compressed.shape[-1], float_bits(compressed)))

    @staticmethod
    def _levels(v: Array) -> tuple[Array, Array, Array]:
        """Return the level below |v|, the distance to the level above, and the probability to round up."""
        xp = array_namespace(v)
        smallest = float(xp.finfo(v.dtype).smallest_normal)
        magnitudes = xp.abs(v)
        lower = power_of_two(magnitudes)
        normal = magnitudes >= smallest
        lower = xp.where(normal, lower, xp.zeros_like(lower))
        gap = xp.where(normal, lower, xp.full_like(lower, smallest))
        return lower, gap, (magnitudes - lower) / gap


def _exponents(like: Array, dtype: Any) -> range:
    """Return the exponents of the normal numbers of a type."""
    limits = array_namespace(like).finfo(dtype)
    return range(math.frexp(float(limits.smallest_normal))[1] - 1, math.frexp(float(limits.max))[1])
