"""Bytes between processes: the one place that knows torch.distributed."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array import check_count
from .errors import MessageTimeout, ServerLost, WorkerLost

__all__ = ["Channel", "Place", "connected", "open_store"]

Bytes = NDArray[np.uint8]

SERVER = 0
"""The rank of the server; worker i is rank i + 1."""

SILENCE = 10.0
"""Seconds after the start timeout until a host is given up that accepts the connection and says nothing.

Torch would wait for its first word without end; every other failure to meet it reports within that time.
"""


@dataclass(frozen=True)
class Place:
    """The place of a process in a run: rank 0 is the server, rank i + 1 is worker i.

    Examples
    --------
    >>> Place(rank=2, world_size=4).worker
    1
    """

    rank: int
    world_size: int

    def __post_init__(self) -> None:
        check_count(self.world_size, "world_size", lowest=2)
        check_count(self.rank, "rank", lowest=0, highest=self.world_size - 1)

    @classmethod
    def from_environment(cls) -> "Place | None":
        """Return the place that torchrun gives to this process (RANK and WORLD_SIZE), or None if it gives none.

        Raises
        ------
        ValueError
            If one of them is no integer, or outside its range.
        """
        if not {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys():
            return None
        return cls(_integer("RANK"), _integer("WORLD_SIZE"))

    @property
    def worker(self) -> int:
        """Number of the worker."""
        return self.rank - 1


def _integer(name: str) -> int:
    try:
        return int(os.environ[name])
    except ValueError:
        raise ValueError(f"{name} = {os.environ[name]!r} in the environment; accepted: an integer") from None


def torch_modules() -> tuple[Any, Any]:
    """Return torch and torch.distributed, or say what they are wanted for and how to install them."""
    try:
        torch, distributed = import_module("torch"), import_module("torch.distributed")
    except ImportError as error:
        raise ImportError("a distributed run needs torch: pip install 'taciturn[torch]'") from error
    if not (distributed.is_available() and distributed.is_gloo_available()):
        raise ImportError("a distributed run needs a torch with the gloo backend; this one was built without it")
    return torch, distributed


def open_store(place: Place, timeout: float, address: str = "127.0.0.1", port: int = 0) -> Any:
    """Return the store where processes meet; the server opens it, at a free port if none is named."""
    _, distributed = torch_modules()
    seconds = timedelta(seconds=timeout)
    server = place.rank == SERVER
    return distributed.TCPStore(address, port, place.world_size, server, timeout=seconds, wait_for_workers=False)


@dataclass(frozen=True)
class Channel:
    """Sending and receiving of one process; failures have names."""

    place: Place
    timeout: float
    torch: Any
    distributed: Any

    def send(self, content: Bytes, rank: int) -> None:
        """Send bytes to another process."""
        with self._named_failure(rank):
            self.distributed.isend(self.torch.from_numpy(content.copy()), rank).wait(self._patience)

    def receive(self, size: int, rank: int) -> Bytes:
        """Wait for a number of bytes from another process."""
        content = self.torch.empty(size, dtype=self.torch.uint8)
        with self._named_failure(rank):
            self.distributed.irecv(content, rank).wait(self._patience)
        received: Bytes = content.numpy()
        return received

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self.timeout)

    @contextmanager
    def _named_failure(self, rank: int) -> Iterator[None]:
        other = "the server" if rank == SERVER else f"worker {rank - 1}"
        try:
            yield
        except RuntimeError as error:
            if "timed out" in str(error).lower():
                raise MessageTimeout(f"no message from {other} for {self.timeout:g} seconds") from error
            lost = ServerLost if rank == SERVER else WorkerLost
            raise lost(f"the connection to {other} is lost: its process died") from error


@contextmanager
def connected(place: Place, timeout: float, start_timeout: float, store: Any = None) -> Iterator[Channel]:
    """Join the other processes, at a store or where the environment says (as torchrun does).

    Raises
    ------
    ImportError
        Without torch.
    MessageTimeout
        If the others do not come within the start timeout; after ten seconds more if the host at MASTER_ADDR takes
        the connection and says nothing.
    """
    torch, distributed = torch_modules()
    deadline = time.monotonic() + start_timeout
    where = "the others"
    try:
        if store is None:
            where += f" at {os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
            store = _within(start_timeout + SILENCE, lambda: _meeting_place(distributed, place, start_timeout))
        left = timedelta(seconds=max(deadline - time.monotonic(), 1e-3))
        distributed.init_process_group("gloo", rank=place.rank, world_size=place.world_size, timeout=left, store=store)
    except (RuntimeError, TimeoutError) as error:
        raise MessageTimeout(
            f"rank {place.rank} of {place.world_size} did not find {where} within {start_timeout:g} seconds"
        ) from error
    try:
        yield Channel(place, timeout, torch, distributed)
    finally:
        distributed.destroy_process_group()


def _meeting_place(distributed: Any, place: Place, timeout: float) -> Any:
    """Return the store at MASTER_ADDR and MASTER_PORT; rank 0 opens it, unless torchrun has."""
    store, *_ = next(distributed.rendezvous("env://", place.rank, place.world_size, timeout=timedelta(seconds=timeout)))
    return store


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """Return what some work returns, or give it up; the thread that does it then keeps no process alive."""
    outcome: Future[Any] = Future()

    def complete() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:
            outcome.set_exception(error)

    Thread(target=complete, daemon=True, name="meeting").start()
    return outcome.result(seconds)
