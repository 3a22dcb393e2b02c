"""Messages between neighbours over torch.distributed: one header in every iteration, a payload at events."""

from __future__ import annotations

import math
import struct
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..distributed.errors import MessageTimeout
from ..distributed.transport import torch_modules
from .errors import NeighbourFailed, NeighbourLost

__all__ = ["START", "Links", "Parcel", "header_bytes"]

_HEADER = struct.Struct("<qq")  # iteration, bytes that follow
_WORD = struct.Struct("<qqd")  # that it is one, checksum of the settings, W_ij of the sender

_FAILED, START, _MEETING = -1, -2, -3
"""Sent in place of an iteration: the sender gives up; its parameters at the start; what it runs with."""


def header_bytes(tensors: int) -> int:
    """Return the bytes of the header of a message: two numbers, and one bit for every tensor.

    Examples
    --------
    >>> header_bytes(8), header_bytes(9)
    (17, 18)
    """
    return _HEADER.size + (tensors + 7) // 8


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

    Messages between two ranks match in the order in which they are posted; a received one is whole. A buffer is kept
    until the neighbours' later messages show that it has left: gloo completes a work only where it is waited for.
    docs/transport.md says what other transports guarantee.

    Parameters
    ----------
    neighbours : sequence of int
        Ranks.
    tensors : int
        B, bits of the mask.
    latency : int
        Iterations by which receivers are behind, at most: whoever sends iteration k has taken k - 1 - latency.
    timeout : float
        Seconds after which a message that is due counts as lost.
    group : torch.distributed.ProcessGroup, optional
        Default the default one.
    """

    neighbours: Sequence[int]
    tensors: int
    latency: int
    timeout: float
    group: Any = None
    bytes_sent: int = 0
    _sending: deque[tuple[int, int, Any, Any]] = field(default_factory=deque)  # iteration, rank, work, buffer
    _headers: dict[int, tuple[Any, Any]] = field(default_factory=dict)  # receives that wait for the next ones, by rank
    _gone: set[int] = field(default_factory=set)  # neighbours that need not be told of a failure

    def __post_init__(self) -> None:
        self._torch, self._distributed = torch_modules()

    def agree(self, settings: str, weights: Mapping[int, float]) -> dict[int, float]:
        """Insist that the neighbours run with the same settings, and return the weights that they give this rank.

        Raises
        ------
        ValueError
            If one has others.
        """
        checksum = zlib.crc32(settings.encode())
        for rank in self.neighbours:
            self._isend(_MEETING, _WORD.pack(_MEETING, checksum, weights[rank]), rank)
        posted = {rank: self._irecv(_WORD.size, rank) for rank in self.neighbours}
        heard = {rank: _WORD.unpack(self._header(posted[rank], rank)) for rank in self.neighbours}
        self._complete(before=START)  # whoever has other settings is to hear of it too
        strangers = [rank for rank, (_, theirs, _) in heard.items() if theirs != checksum]
        self._gone.update(strangers)  # they know as well
        if strangers:
            raise ValueError(f"rank {strangers[0]} runs with other settings; accepted on all ranks: {settings}")
        return {rank: weight for rank, (*_, weight) in heard.items()}

    def post(self, parcel: Parcel) -> None:
        """Start sending a parcel to every neighbour, and to receive the next header of each; return at once."""
        for rank in self.neighbours:
            self._isend(parcel.iteration, parcel.header(), rank)
            if parcel.content:
                self._isend(parcel.iteration, parcel.content, rank)
        self._await_headers()

    def collect(self, iteration: int) -> dict[int, Parcel]:
        """Wait for the parcel of an iteration from every neighbour.

        Raises
        ------
        NeighbourLost, NeighbourFailed, MessageTimeout
            If a neighbour's process died, gave up, or did not send in time.
        """
        self._await_headers()
        headers, self._headers = self._headers, {}
        found = {}
        for rank in self.neighbours:
            header = self._header(headers[rank], rank)
            k, size = _HEADER.unpack_from(header)
            if k != iteration:
                raise NeighbourFailed(f"rank {rank} is in iteration {k}, this one in {iteration}: their steps differ")
            mask = np.unpackbits(np.frombuffer(header, np.uint8, offset=_HEADER.size), count=self.tensors).astype(bool)
            content = self._wait(self._irecv(size, rank), rank) if size else b""
            found[rank] = Parcel(k, mask, content)
        self._complete(before=iteration - self.latency)
        return found

    def give_up(self) -> None:
        """Tell the neighbours, as far as they can be reached and have not failed first, that this rank stops."""
        earlier = len(self._sending)
        for rank in self.neighbours:
            if rank not in self._gone:
                with suppress(OSError):
                    self._isend(_FAILED, _HEADER.pack(_FAILED, 0), rank)  # fits wherever a header is awaited
        for _, rank, work, _ in list(self._sending)[earlier:]:
            with suppress(OSError), self._named_failure(rank):
                work.wait(timedelta(seconds=self.timeout))

    def close(self) -> None:
        """Wait until everything has been sent."""
        self._complete(before=math.inf)

    def _isend(self, iteration: int, content: bytes, rank: int) -> None:
        buffer = self._torch.frombuffer(bytearray(content), dtype=self._torch.uint8)
        with self._named_failure(rank):
            self._sending.append((iteration, rank, self._distributed.isend(buffer, rank, self.group), buffer))
        self.bytes_sent += len(content)

    def _await_headers(self) -> None:
        """Post the receives of the next headers; one a link, since what follows a header is received between."""
        if not self._headers:
            self._headers = {rank: self._irecv(header_bytes(self.tensors), rank) for rank in self.neighbours}

    def _irecv(self, size: int, rank: int) -> tuple[Any, Any]:
        buffer = self._torch.empty(size, dtype=self._torch.uint8)
        with self._named_failure(rank):
            return self._distributed.irecv(buffer, rank, self.group), buffer

    def _wait(self, posted: tuple[Any, Any], rank: int) -> bytes:
        work, buffer = posted
        with self._named_failure(rank):
            work.wait(timedelta(seconds=self.timeout))
        return bytes(buffer.numpy())

    def _header(self, posted: tuple[Any, Any], rank: int) -> bytes:
        """Wait for a header, and hear whether the neighbour gives up."""
        header = self._wait(posted, rank)
        if _HEADER.unpack_from(header)[0] == _FAILED:
            self._gone.add(rank)
            raise NeighbourFailed(f"rank {rank} has given up the run")
        return header

    def _complete(self, before: float) -> None:
        """Wait until the messages of the iterations before one have been sent, and let go of their buffers."""
        while self._sending and self._sending[0][0] < before:
            _, rank, work, _ = self._sending.popleft()
            with self._named_failure(rank):
                work.wait(timedelta(seconds=self.timeout))

    @contextmanager
    def _named_failure(self, rank: int) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            self._gone.add(rank)
            if "timed out" in str(error).lower():
                raise MessageTimeout(f"no message from rank {rank} for {self.timeout:g} seconds") from error
            raise NeighbourLost(f"the connection to rank {rank} is lost: its process died or timed out") from error
