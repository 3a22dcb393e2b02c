"""Messages between neighbours over torch.distributed: one header in every iteration, a payload at events."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..distributed.errors import MessageTimeout
from ..distributed.transport import torch_modules
from .errors import NeighbourFailed, NeighbourLost

__all__ = ["HEADER_BYTES", "Links", "Parcel"]

_HEADER = struct.Struct("<qq")  # iteration, bytes that follow

HEADER_BYTES = _HEADER.size
"""Bytes of the header of a message, besides one bit for every tensor (rounded up to bytes)."""

_FAILED = -1
"""Sent in place of an iteration: the sender gives up."""


@dataclass(frozen=True, eq=False)
class Parcel:
    """What a rank sends to all its neighbours in an iteration.

    Parameters
    ----------
    iteration : int
        k.
    mask : numpy.ndarray of bool, shape (B,)
        Which tensors the content holds.
    content : bytes
        The tensors, one after the other; empty without events.
    """

    iteration: int
    mask: NDArray[np.bool_]
    content: bytes

    def header(self) -> bytes:
        """Return the bytes that travel in any case."""
        return _HEADER.pack(self.iteration, len(self.content)) + np.packbits(self.mask).tobytes()


@dataclass(eq=False)
class Links:
    """FIFO links to the neighbours of a rank.

    Messages between two ranks match in the order in which they are posted; a received one is whole. Buffers are kept
    until their sending has completed. docs/transport.md says what other transports guarantee.

    Parameters
    ----------
    neighbours : sequence of int
        Ranks.
    tensors : int
        B, bits of the mask.
    timeout : float
        Seconds after which a message that is due counts as lost.
    group : torch.distributed.ProcessGroup, optional
        Default the default one.
    """

    neighbours: Sequence[int]
    tensors: int
    timeout: float
    group: Any = None
    bytes_sent: int = 0
    _sending: deque[tuple[int, Any, Any]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._torch, self._distributed = torch_modules()

    @property
    def header_bytes(self) -> int:
        """Bytes of a header with its mask."""
        return HEADER_BYTES + (self.tensors + 7) // 8

    def post(self, parcel: Parcel) -> None:
        """Start sending a parcel to every neighbour, and return at once."""
        self._complete(block=False)
        for rank in self.neighbours:
            self._isend(parcel.header(), rank)
            if parcel.content:
                self._isend(parcel.content, rank)

    def collect(self, iteration: int) -> dict[int, Parcel]:
        """Wait for the parcel of an iteration from every neighbour.

        Raises
        ------
        NeighbourLost, NeighbourFailed, MessageTimeout
            If a neighbour's process died, gave up, or did not send in time.
        """
        headers = {rank: self._irecv(self.header_bytes, rank) for rank in self.neighbours}
        found = {}
        for rank in self.neighbours:
            header = self._wait(headers[rank], rank)
            k, size = _HEADER.unpack_from(header)
            if k == _FAILED:
                raise NeighbourFailed(f"rank {rank} has given up the run")
            if k != iteration:
                raise NeighbourFailed(f"rank {rank} is in iteration {k}, this one in {iteration}: their steps differ")
            mask = np.unpackbits(np.frombuffer(header, np.uint8, offset=HEADER_BYTES), count=self.tensors).astype(bool)
            content = self._wait(self._irecv(size, rank), rank) if size else b""
            found[rank] = Parcel(k, mask, content)
        return found

    def give_up(self) -> None:
        """Tell the neighbours, as far as they can be reached, that this rank stops."""
        header = _HEADER.pack(_FAILED, 0) + bytes(self.header_bytes - HEADER_BYTES)
        for rank in self.neighbours:
            try:
                self._isend(header, rank)
            except (ConnectionError, RuntimeError):
                continue
        try:
            self._complete(block=True)
        except (ConnectionError, TimeoutError, RuntimeError):
            return

    def close(self) -> None:
        """Wait until everything has been sent."""
        self._complete(block=True)

    def _isend(self, content: bytes, rank: int) -> None:
        buffer = self._torch.frombuffer(bytearray(content), dtype=self._torch.uint8)
        with self._named_failure(rank):
            self._sending.append((rank, self._distributed.isend(buffer, rank, self.group), buffer))
        self.bytes_sent += len(content)

    def _irecv(self, size: int, rank: int) -> tuple[Any, Any]:
        buffer = self._torch.empty(size, dtype=self._torch.uint8)
        with self._named_failure(rank):
            return self._distributed.irecv(buffer, rank, self.group), buffer

    def _wait(self, posted: tuple[Any, Any], rank: int) -> bytes:
        work, buffer = posted
        with self._named_failure(rank):
            work.wait(timedelta(seconds=self.timeout))
        return bytes(buffer.numpy())

    def _complete(self, *, block: bool) -> None:
        """Let go of the buffers that have been sent; wait for all of them if `block`."""
        while self._sending and (block or self._sending[0][1].is_completed()):
            rank, work, _ = self._sending.popleft()
            with self._named_failure(rank):
                work.wait(timedelta(seconds=self.timeout))

    @contextmanager
    def _named_failure(self, rank: int) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if "timed out" in str(error).lower():
                raise MessageTimeout(f"no message from rank {rank} for {self.timeout:g} seconds") from error
            raise NeighbourLost(f"the connection to rank {rank} is lost: its process died") from error
