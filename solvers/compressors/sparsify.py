"""Compressors that keep some entries and send their indices and values: top-k, rand-k, hard threshold."""

import math
from dataclasses import dataclass
from typing import ClassVar

from taciturn.theory import compression
from taciturn.theory.communication import entry_bits
from taciturn.theory.compression import Absolute, Contractive, Unbiased

from .. import passes
from ..array import (
    Array,
    Stream,
    array_namespace,
    check_count,
    check_gradient,
    check_positive,
    check_stream,
    detached,
    float_bits,
    scatter,
)
from ..selection import top_k_mask
from .interface import Compressor, Moments
from .message import Field, Message, locate, sparse_fields
from .scaling import check_amplified, per_squared_norm, unit_scaled

__all__ = ["HardThreshold", "RandK", "Sparsifier", "TopK", "select"]


def select(v: Array, mask: Array) -> Array:
    """Return v where the mask is true, and zero elsewhere."""
    xp = array_namespace(v)
    return xp.where(mask, v, xp.zeros_like(v))


class Sparsifier(Compressor):
    """A compressor whose message is the index and the value of every entry of C(v) that is not zero.

    N entries take N (ceil(log2 d) + float bits) bits: payloads "S" and "SS" of dossier chapter 1, section 4.1.
    """

    def encode(self, v: Array, rng: Stream | None = None) -> Message:
        """Compress to a message with the fields count, indices, values."""
        compressed = self(v, rng)
        sent = compressed != 0
        fields = sparse_fields(sent)
        values = Field(compressed[sent], fields["count"].symbols * float_bits(v))
        return Message(tuple(v.shape), v.dtype, {**fields, "values": values})

    def decode(self, message: Message) -> Array:
        """Put the values at their indices."""
        return scatter(message.fields["values"].symbols, locate(message), message.shape)

    def payload_bits(self, compressed: Array) -> Array:
        """Count the entries that are not zero."""
        xp = array_namespace(compressed)
        entry = entry_bits("S", compressed.shape[-1], float_bits(compressed))
        return xp.count_nonzero(compressed, axis=-1) * entry


@dataclass(frozen=True)
class TopK(Sparsifier):
    """Keep the k entries of largest magnitude; among equal magnitudes those of lowest index.

    Contractive(k/d). At v the contraction is alpha(k), the share of ||v||^2 in the kept entries.

    Parameters
    ----------
    k : int
        Entries kept, 1..d; those that are zero are not sent.

    Raises
    ------
    TypeError, ValueError
        If k is not an integer of at least 1.

    Notes
    -----
    Source: dossier chapter 1, `alpha-profile`; chapter 2, `det-topk`.

    Examples
    --------
    >>> import numpy as np
    >>> compressor = TopK(2)
    >>> compressor(np.array([1.0, -3.0, 0.5, 2.0]))
    array([ 0., -3.,  0.,  2.])
    >>> compressor.guarantee(4)
    Contractive(delta=0.5)
    """

    k: int
    is_random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_count(self.k, "k"))

    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Keep the k largest magnitudes of each vector."""
        return select(detached(v), top_k_mask(v, self.k))

    def guarantee(self, d: int) -> Contractive:
        """Return Contractive(k/d)."""
        return compression.top_k(self.k, d)

    def declared_moments(self, v: Array) -> Moments:
        """Return the error 1 - alpha(k), the share of the d - k smallest squares."""
        v = check_gradient(v, "v")
        check_count(self.k, "k", highest=v.shape[-1])
        xp = array_namespace(v)
        w, _ = unit_scaled(v)
        squares = xp.sort(w * w, axis=-1)
        error = per_squared_norm(xp.sum(squares[..., : v.shape[-1] - self.k], axis=-1), w)
        nonzeros = xp.clip(xp.count_nonzero(v, axis=-1), max=self.k)
        return Moments.projection(error, xp.astype(nonzeros, v.dtype))


@dataclass(frozen=True)
class RandK(Sparsifier):
    """Keep k entries drawn uniformly without replacement, multiplied by d/k.

    Unbiased(d/k - 1), with equality for every v.

    Parameters
    ----------
    k : int
        Entries drawn, 1..d; those that are zero are not sent.

    Raises
    ------
    TypeError, ValueError
        If k is not an integer of at least 1.

    Notes
    -----
    Source: dossier chapter 2, `urq-randk`.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.array import Stream
    >>> RandK(2)(np.array([1.0, -3.0, 0.5, 2.0]), Stream(0))
    array([ 2., -6.,  0.,  0.])
    """

    k: int
    is_random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_count(self.k, "k"))

    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Keep k uniformly drawn entries of each vector, times d/k."""
        v = check_gradient(v, "v")
        stream = check_stream(rng, "RandK")
        scale = v.shape[-1] / self.k
        check_amplified(v, scale, "v")
        # The k largest of d independent uniform numbers are at uniformly drawn places.
        return select(v * scale, top_k_mask(stream.uniform(v.shape, v), self.k))

    def guarantee(self, d: int) -> Unbiased:
        """Return Unbiased(d/k - 1)."""
        return compression.rand_k(self.k, d)

    def declared_moments(self, v: Array) -> Moments:
        """Return the error d/k - 1, the same for every v but zero."""
        v = check_gradient(v, "v")
        xp = array_namespace(v)
        nonzeros = xp.astype(xp.count_nonzero(v, axis=-1), v.dtype)
        error = self.guarantee(v.shape[-1]).variance * xp.astype(nonzeros > 0, v.dtype)
        return Moments.unbiased(v, error, nonzeros * (self.k / v.shape[-1]))


@dataclass(frozen=True)
class HardThreshold(Sparsifier):
    """Keep the entries of at least a given magnitude.

    Absolute(magnitude_threshold sqrt(d)).

    Parameters
    ----------
    magnitude_threshold : float
        In the units of v, positive.

    Raises
    ------
    TypeError, ValueError
        If the threshold is not a positive finite number.

    Notes
    -----
    Source: dossier chapter 2, `det-threshold`.

    Examples
    --------
    >>> import numpy as np
    >>> HardThreshold(1.0)(np.array([1.0, -3.0, 0.5, 2.0]))
    array([ 1., -3.,  0.,  2.])
    """

    magnitude_threshold: float
    is_random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "magnitude_threshold", check_positive(self.magnitude_threshold, "magnitude_threshold"))

    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Keep the magnitudes of at least the threshold."""
        v = passes.check_ahead(v, "v")
        if v.ndim != 1:
            return select(v, self._reaches(v))
        # In pieces that stay in the cache; multiplied by zero or one, which is faster than choosing.
        xp = array_namespace(v)
        compressed = xp.empty_like(v)
        for start, magnitudes in passes.magnitude_chunks(v):
            if not math.isfinite(float(xp.max(magnitudes))):
                check_gradient(v, "v")
            piece = slice(start, start + magnitudes.shape[0])
            compressed[piece] = v[piece] * xp.astype(magnitudes >= self.magnitude_threshold, v.dtype)
        return compressed

    def guarantee(self, d: int) -> Absolute:
        """Return Absolute(magnitude_threshold sqrt(d))."""
        return compression.hard_threshold(self.magnitude_threshold, d)

    def declared_moments(self, v: Array) -> Moments:
        """Return the error, the share of ||v||^2 below the threshold."""
        v = check_gradient(v, "v")
        xp = array_namespace(v)
        w, _ = unit_scaled(v)
        error = per_squared_norm(xp.sum(select(w * w, ~self._reaches(v)), axis=-1), w)
        nonzeros = xp.count_nonzero(self._reaches(v), axis=-1)
        return Moments.projection(error, xp.astype(nonzeros, v.dtype))

    def _reaches(self, v: Array) -> Array:
        xp = array_namespace(v)
        return xp.abs(v) >= self.magnitude_threshold
