"""The two kinds of messages of a run: models on their way down, compressed gradients on their way up."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .transport import SERVER, Channel

__all__ = ["FAILED", "FINISHED", "receive_gradient", "receive_model", "send_gradient", "send_model"]

FINISHED, FAILED = -1, -2
"""Sent in place of a version: the run is over, or was given up."""

Bytes = NDArray[np.uint8]

_VERSION = struct.Struct("<q")
_GRADIENT = struct.Struct("<qq")  # the version read, and the bytes that follow


def send_model(channel: Channel, rank: int, version: int, x: Any) -> None:
    """Send a version of the model to a worker."""
    channel.send(_bytes(_VERSION.pack(version) + x.tobytes()), rank)


def receive_model(channel: Channel, like: Any) -> tuple[int, Any]:
    """Wait for a model of the shape and type of an array; return its version and the model."""
    content = channel.receive(_VERSION.size + like.nbytes, SERVER).tobytes()
    (version,) = _VERSION.unpack_from(content)
    return version, np.frombuffer(content, dtype=like.dtype, offset=_VERSION.size).copy()


def send_gradient(channel: Channel, version: int, content: Bytes) -> None:
    """Send a compressed gradient at a version to the server."""
    channel.send(_bytes(_GRADIENT.pack(version, content.size)), SERVER)
    channel.send(content, SERVER)


def receive_gradient(channel: Channel, rank: int) -> tuple[int, Bytes, int]:
    """Wait for a compressed gradient; return the version it was computed at, its bytes, and all bits received."""
    header = channel.receive(_GRADIENT.size, rank)
    version, size = _GRADIENT.unpack(header.tobytes())
    content = channel.receive(size, rank)
    return version, content, 8 * (header.nbytes + content.nbytes)


def _bytes(content: bytes) -> Bytes:
    return np.frombuffer(content, dtype=np.uint8)
