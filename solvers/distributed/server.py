"""The server: update the model as messages arrive, and record the trace."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..delays import Trace
from ..methods.stale import mean_of_messages
from .errors import MessageTimeout
from .frames import FAILED, FINISHED, receive_gradient, send_model
from .settings import AsyncSettings
from .transport import Channel
from .wire import Wire

__all__ = ["AsyncRun", "serve"]


@dataclass(frozen=True, eq=False)
class AsyncRun:
    """What an asynchronous run did.

    Parameters
    ----------
    trace : Trace
        The true delays: versions, arrivals in seconds since the start, bits that arrived (headers included).
    x : numpy.ndarray, shape (d,)
        The last model.
    """

    trace: Trace
    x: Any


@dataclass(frozen=True)
class Arrival:
    """One message at the server."""

    worker: int
    version: int
    seconds: float
    bits: int
    vector: Any = field(compare=False)


@dataclass
class Record:
    """The messages of the updates made so far, in the order of the trace."""

    workers: int
    stored: bool
    iterations: int = 0
    iteration: list[int] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)

    def add(self, arrivals: Sequence[Arrival]) -> None:
        """Count one more update with its new messages."""
        self.iteration += [self.iterations] * len(arrivals)
        self.arrivals += arrivals
        self.iterations += 1

    def trace(self) -> Trace:
        """Return the trace so far."""
        return Trace(
            self.iterations,
            self.workers,
            self.iteration,
            worker=[arrival.worker for arrival in self.arrivals],
            version=[arrival.version for arrival in self.arrivals],
            arrival=[arrival.seconds for arrival in self.arrivals],
            bits=[arrival.bits for arrival in self.arrivals],
            stored=self.stored,
        )


class Conversation(threading.Thread):
    """The server's side of one worker: a model down, a message up, in turn, and a word at the end."""

    def __init__(self, channel: Channel, worker: int, wire: Wire, start: float, inbox: "queue.SimpleQueue[Any]"):
        super().__init__(daemon=True, name=f"conversation with worker {worker}")
        self.channel, self.worker, self.wire, self.began, self.inbox = channel, worker, wire, start, inbox
        self.models: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()

    def run(self) -> None:
        """Pass on models until the last word; what goes wrong goes to the inbox in place of a message."""
        rank = self.worker + 1
        try:
            while True:
                version, x = self.models.get()
                send_model(self.channel, rank, version, x)
                if version < 0:
                    return
                read, content, bits = receive_gradient(self.channel, rank)
                seconds = time.perf_counter() - self.began
                self.inbox.put(Arrival(self.worker, read, seconds, bits, self.wire.unpack(content)))
        except Exception as error:  # every failure of the thread is raised by the server
            self.inbox.put(error)


def serve(
    settings: AsyncSettings,
    weights: Any,
    x0: Any,
    channel: Channel,
    trace_file: Path | None = None,
    observe: Callable[[int, Any], None] | None = None,
) -> AsyncRun:
    """Serve as the server of this process for all updates; see `run_async`."""
    n = len(weights)
    wire, inbox = Wire(settings.compressor, len(x0), x0.dtype), queue.SimpleQueue[Any]()
    began = time.perf_counter()
    conversations = [Conversation(channel, i, wire, began, inbox) for i in range(n)]
    record, word = Record(n, settings.mode == "aggregated"), FAILED
    try:
        for conversation in conversations:
            conversation.start()
            conversation.models.put((0, x0))
        x = _update(settings, weights, x0, conversations, record, observe or _ignore)
        word = FINISHED
    finally:
        trace = record.trace()
        if trace_file is not None:
            trace.save(trace_file)
        # A worker that still computes is told when its message is there; a dead one ends its conversation itself.
        for conversation in conversations:
            conversation.models.put((word, x0))
        deadline = time.perf_counter() + settings.timeout
        for conversation in conversations:
            conversation.join(max(deadline - time.perf_counter(), 0.0))
    return AsyncRun(trace, x)


def _update(
    settings: AsyncSettings,
    weights: Any,
    x: Any,
    conversations: Sequence[Conversation],
    record: Record,
    observe: Callable[[int, Any], None],
) -> Any:
    inbox = conversations[0].inbox
    memory: dict[int, Arrival] = {}
    steps = np.zeros(settings.iterations)
    observe(0, x)
    for k in range(settings.iterations):
        wanted = len(conversations) if record.stored and k == 0 else settings.arrivals
        arrivals = sorted((_next(inbox, settings.timeout) for _ in range(wanted)), key=lambda arrival: arrival.worker)
        in_use = {arrival.worker: arrival for arrival in arrivals}
        if record.stored:
            memory |= in_use
            in_use = dict(sorted(memory.items()))
        delay = k - min(arrival.version for arrival in in_use.values())
        steps[k] = _step_size(settings, delay, float(steps[k - delay : k].sum()))
        workers, vectors = np.array(list(in_use)), np.stack([arrival.vector for arrival in in_use.values()])
        x = x - float(steps[k]) * mean_of_messages(weights, workers, vectors)
        record.add(arrivals)
        observe(k + 1, x)
        for arrival in arrivals:
            conversations[arrival.worker].models.put((k + 1, x))
    return x


def _next(inbox: "queue.SimpleQueue[Any]", timeout: float) -> Arrival:
    """Return the next message, or raise what went wrong in a conversation."""
    try:
        item = inbox.get(timeout=2 * timeout)  # a conversation gives up after one timeout for each way
    except queue.Empty:
        raise MessageTimeout(f"no message from any worker for {2 * timeout:g} seconds") from None
    if isinstance(item, Exception):
        raise item
    arrival: Arrival = item
    return arrival


def _step_size(settings: AsyncSettings, delay: int, recent: float) -> float:
    if isinstance(settings.step_size, (int, float)):
        return float(settings.step_size)
    return settings.step_size.step(delay, recent)


def _ignore(version: int, x: Any) -> None:
    del version, x
