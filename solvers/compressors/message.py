"""Messages: what travels, field by field, with its size in bits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taciturn.theory.communication import index_bits

from ..array import Array, array_namespace, device_of

__all__ = [
    "Field",
    "Message",
    "bits_each",
    "locate",
    "pack",
    "sparse_fields",
    "unpack",
]


@dataclass(frozen=True)
class Field:
    """One field of a message.

    Attributes
    ----------
    symbols : Array
        What is sent: floats, indices, packed signs or levels. Integers are kept in the machine's integer types. Where
        the number of symbols differs from vector to vector, those of all vectors of the batch follow each other.
    bits : Array of int, shape (...)
        Size in bits for each vector of the batch.
    """

    symbols: Array
    bits: Array


@dataclass(frozen=True)
class Message:
    """What is sent for a vector, or for each vector of a batch.

    Attributes
    ----------
    shape : tuple of int
        Shape (..., d) of the vectors; the receiver knows it.
    dtype : data type
        Type of the floats; the receiver knows it.
    fields : mapping from name to Field
        What travels. The field "count" of sparse messages (number of entries) has 0 bits: it is known beforehand or
        the length field of the packet, whose header the cost models price.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.compressors import TopK
    >>> message = TopK(2).encode(np.array([1.0, -3.0, 0.0, 2.0]))
    >>> {name: int(field.bits) for name, field in message.fields.items()}
    {'count': 0, 'indices': 4, 'values': 128}
    >>> int(message.bits)
    132
    """

    shape: tuple[int, ...]
    dtype: Any
    fields: Mapping[str, Field]

    @property
    def bits(self) -> Array:
        """Size in bits of the message of each vector: integers of shape (...)."""
        first, *others = (field.bits for field in self.fields.values())
        return sum(others, start=first)


def bits_each(v: Array, bits: int) -> Array:
    """Return the same number of bits for each vector of the batch v (..., d): integers of shape (...)."""
    xp = array_namespace(v)
    return xp.full(v.shape[:-1], bits, dtype=xp.int64, device=device_of(v))


def sparse_fields(sent: Array) -> dict[str, Field]:
    """Return the fields that say which entries of a batch are sent.

    Parameters
    ----------
    sent : Array of bool, shape (..., d)
        The entries; their values are ``v[sent]``, in the same order.

    Returns
    -------
    dict of Field
        "count" (...), entries of each vector, and "indices" (number of all entries,).
    """
    xp = array_namespace(sent)
    count = xp.count_nonzero(sent, axis=-1)
    indices = xp.nonzero(sent)[-1]
    return {"count": Field(count, 0 * count), "indices": Field(indices, count * index_bits(sent.shape[-1]))}


def locate(message: Message) -> Array:
    """Return the positions of the entries of a sparse message in the flattened batch, in increasing order."""
    xp = array_namespace(message.fields["indices"].symbols)
    indices, count = message.fields["indices"].symbols, message.fields["count"].symbols
    vector = xp.arange(math.prod(count.shape), dtype=xp.int64, device=device_of(count))
    return indices + message.shape[-1] * xp.repeat(vector, xp.reshape(count, (-1,)))


def pack(digits: Array, base: int, per_byte: int) -> Array:
    """Pack digits 0..base-1 along the last axis into bytes of ``per_byte`` digits each.

    Examples
    --------
    >>> import numpy as np
    >>> pack(np.array([1, 0, 1, 0, 0, 0, 0, 0, 1]), base=2, per_byte=8)
    array([5, 1], dtype=uint8)
    """
    xp = array_namespace(digits)
    *batch, d = digits.shape
    padding = xp.zeros((*batch, -d % per_byte), dtype=xp.int64, device=device_of(digits))
    groups = xp.concat([xp.astype(digits, xp.int64), padding], axis=-1)
    groups = xp.reshape(groups, (*batch, groups.shape[-1] // per_byte, per_byte))
    return xp.astype(xp.sum(groups * _weights(digits, base, per_byte), axis=-1), xp.uint8)


def unpack(packed: Array, base: int, per_byte: int, d: int) -> Array:
    """Return the d digits along the last axis that ``pack`` packed.

    Examples
    --------
    >>> import numpy as np
    >>> unpack(np.array([5, 1], dtype=np.uint8), base=2, per_byte=8, d=9)
    array([1, 0, 1, 0, 0, 0, 0, 0, 1])
    """
    xp = array_namespace(packed)
    groups = xp.astype(packed, xp.int64)[..., None] // _weights(packed, base, per_byte) % base
    return xp.reshape(groups, (*packed.shape[:-1], packed.shape[-1] * per_byte))[..., :d]


def _weights(like: Array, base: int, per_byte: int) -> Array:
    xp = array_namespace(like)
    return xp.asarray([base**place for place in range(per_byte)], dtype=xp.int64, device=device_of(like))
