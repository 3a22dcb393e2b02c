"""Messages as bytes: what a compressor encodes, packed to what really travels."""

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array import Stream
from ..compressors import Compressor
from ..compressors.message import Field, Message

__all__ = ["Wire"]

Bytes = NDArray[np.uint8]

_HEADER = struct.Struct("<IB")  # symbols of a field, and bits of each


@dataclass(frozen=True)
class Wire:
    """The format of the messages of one compressor, for one NumPy vector each.

    Field after field: the number of symbols (4 bytes), the bits of each (1 byte), and the symbols themselves: floats
    as they are, integers with as many bits as the largest of a field needs, the last byte filled with zeros.

    Parameters
    ----------
    compressor : Compressor
        What encodes and decodes.
    d : int
        Length of the vectors.
    dtype : data type of NumPy
        float32 or float64.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.compressors import TopK
    >>> wire = Wire(TopK(2), 1000, np.float32)
    >>> content = wire.pack(np.eye(1000, dtype=np.float32)[7])
    >>> len(content), wire.unpack(content)[7].item()
    (21, 1.0)
    """

    compressor: Compressor
    d: int
    dtype: Any

    @cached_property
    def _fields(self) -> dict[str, tuple[Any, int]]:
        """Type and number of axes of each field: what the receiver knows beforehand, read off a message."""
        example = self.compressor.encode(np.ones(self.d, dtype=self.dtype), Stream(0))
        return {
            name: (np.asarray(field.symbols).dtype, np.ndim(field.symbols)) for name, field in example.fields.items()
        }

    def pack(self, v: Any, rng: Stream | None = None) -> Bytes:
        """Compress a vector (d,) to bytes."""
        message = self.compressor.encode(v, rng)
        parts = [_pack(np.asarray(message.fields[name].symbols)) for name in self._fields]
        return np.frombuffer(b"".join(parts), dtype=np.uint8)

    def unpack(self, content: Bytes) -> Any:
        """Return the vector (d,) that bytes carry.

        Raises
        ------
        ValueError
            If the bytes end early or go on.
        """
        data = content.tobytes()
        fields, place = {}, 0
        try:
            for name, (dtype, axes) in self._fields.items():
                symbols, end = _unpack(data, place, dtype)
                fields[name] = Field(symbols if axes else symbols.reshape(()), np.int64(8 * (end - place)))
                place = end
        except (struct.error, ValueError) as error:
            raise ValueError(f"a message of {len(data)} bytes is truncated or corrupt: {error}") from error
        if place != len(data):
            raise ValueError(f"a message of {len(data)} bytes is truncated or corrupt: its fields end at byte {place}")
        return self.compressor.decode(Message((self.d,), np.dtype(self.dtype), fields))


def _pack(symbols: NDArray[Any]) -> bytes:
    flat = symbols.reshape(-1)
    if flat.dtype.kind == "f":
        return _HEADER.pack(flat.size, 8 * flat.itemsize) + flat.tobytes()
    width = int(flat.max(initial=0)).bit_length()
    digits = np.unpackbits(flat.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)[:, 64 - width :]
    return _HEADER.pack(flat.size, width) + np.packbits(digits).tobytes()


def _unpack(data: bytes, start: int, dtype: Any) -> tuple[NDArray[Any], int]:
    """Return the symbols of a field and where the next one starts."""
    size, width = _HEADER.unpack_from(data, start)
    first = start + _HEADER.size
    end = first + (size * width + 7) // 8
    if end > len(data):
        raise ValueError(f"a field ends at byte {end}")
    if dtype.kind == "f":
        return np.frombuffer(data, dtype=dtype, count=size, offset=first), end
    digits = np.zeros((size, 64), dtype=np.uint8)
    packed = np.frombuffer(data, dtype=np.uint8, count=end - first, offset=first)
    digits[:, 64 - width :] = np.unpackbits(packed, count=size * width).reshape(size, width)
    return np.packbits(digits, axis=1).view(">u8").reshape(-1).astype(dtype), end
