"""An event-driven parameter server: heterogeneous workers and links produce the delays instead of assuming them."""

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..array import check_choice, check_count, check_non_negative, check_positive
from .compute_times import ComputeTime
from .trace import Trace

__all__ = ["MODES", "Link", "ParameterServer", "Worker"]

MODES = ("async", "aggregated")

_FIRST_BLOCK, _LARGEST_BLOCK = 2**6, 2**16  # times drawn in one call: few for a law that is rare, many for one in use


@dataclass(frozen=True)
class Link:
    """One direction of a connection.

    Parameters
    ----------
    latency : float
        Seconds from the first bit sent to the first bit received.
    bandwidth : float
        Bits per second; infinite by default.

    Examples
    --------
    >>> Link(latency=0.01, bandwidth=1e6).seconds(5000)
    0.015
    """

    latency: float = 0.0
    bandwidth: float = math.inf

    def __post_init__(self) -> None:
        object.__setattr__(self, "latency", check_non_negative(self.latency, "latency"))
        if self.bandwidth != math.inf:
            object.__setattr__(self, "bandwidth", check_positive(self.bandwidth, "bandwidth"))

    def seconds(self, bits: float) -> float:
        """Return the time a message takes."""
        return self.latency + bits / self.bandwidth


@dataclass(frozen=True)
class Worker:
    """One worker: how long it computes, and its links to and from the server.

    Examples
    --------
    >>> from taciturn.solvers.delays import Exponential
    >>> Worker(Exponential(0.1), uplink=Link(latency=0.02)).uplink
    Link(latency=0.02, bandwidth=inf)
    """

    compute: ComputeTime
    uplink: Link = field(default_factory=Link)
    downlink: Link = field(default_factory=Link)

    def __post_init__(self) -> None:
        if not isinstance(self.compute, ComputeTime):
            raise TypeError(f"compute is a {type(self.compute).__name__}; accepted: a law such as Exponential(0.1)")


@dataclass(frozen=True)
class ParameterServer:
    """Workers that fetch the newest model, compute and send, at their own speed, and a server that never waits long.

    Parameters
    ----------
    workers : sequence of Worker
        n >= 1 of them.
    mode : {"async", "aggregated"}
        What an update uses. "async": the messages that have arrived, once. "aggregated": the last message of every
        worker; the first update waits until every worker has sent one.
    arrivals : int
        New messages an update waits for, 1..n. Their workers start again with the model of that update.

    Raises
    ------
    TypeError, ValueError
        If there is no worker, the mode is another word, or arrivals is outside 1..n.

    Notes
    -----
    Source: dossier chapter 2, section 6. In both modes the delays at first use obey `delay-budget` (6.1): the sum of
    delay + 1 over all messages is at most n K, so the mean delay is at most n / arrivals - 1.

    Messages have a fixed length, or travel for as long as their expected length takes. That is on purpose. If the
    length of a message depends on its coins (Elias codes, Bernoulli masks) and the arrival on the length, short
    messages overtake long ones, the messages in use are no longer unbiased, and no theorem of the library applies:
    pad to a fixed length, or schedule by the expected length, as here.

    Examples
    --------
    >>> from taciturn.solvers.delays import Deterministic
    >>> server = ParameterServer([Worker(Deterministic(1.0)), Worker(Deterministic(2.5))])
    >>> trace = server.trace(6, message_bits=100)
    >>> trace.worker, trace.message_delay
    (array([0, 0, 1, 0, 0, 0]), array([0, 0, 2, 1, 0, 0]))
    >>> trace.arrival
    array([1. , 2. , 2.5, 3. , 4. , 5. ])
    """

    workers: Sequence[Worker]
    mode: str = "async"
    arrivals: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "workers", tuple(self.workers))
        for worker in self.workers:
            if not isinstance(worker, Worker):
                raise TypeError(
                    f"workers contain a {type(worker).__name__}; accepted: Worker(compute, uplink, downlink)"
                )
        check_count(len(self.workers), "the number of workers")
        check_choice(self.mode, "mode", MODES)
        object.__setattr__(self, "arrivals", check_count(self.arrivals, "arrivals", highest=len(self.workers)))

    def trace(self, iterations: int, message_bits: ArrayLike, model_bits: float = 0.0, seed: Any = 0) -> Trace:
        """Run the server for K updates.

        Parameters
        ----------
        iterations : int
            K.
        message_bits : array_like, shape () or (n,)
            Fixed or expected length of a message, of all workers or of each.
        model_bits : float
            Length of the model on its way down.
        seed : int or numpy.random.Generator
            Of the compute times.

        Returns
        -------
        Trace
            Arrivals in seconds.

        Raises
        ------
        TypeError, ValueError
            If K is not a positive integer, or a length is negative, not finite or of another shape.

        Notes
        -----
        A heap of the next arrivals: O(log n) for each message. Compute times are drawn in blocks, from one stream for
        every standard law. All times are whole multiples of a tick, 2^-30 of the shortest scale of a random time or
        less: so sums are exact, and messages that arrive in the same tick are taken in the order of the workers.
        """
        check_count(iterations, "iterations")
        check_non_negative(model_bits, "model_bits")
        bits = self._bits(message_bits)
        n = len(self.workers)
        # A key is n times the ticks until the arrival, plus the worker: one integer to compare and to carry along,
        # because adding n times the ticks of the next job leaves the worker as it is.
        tick = 2.0 ** (math.floor(math.log2(min(worker.compute.scale for worker in self.workers))) - 30)
        job = self._jobs(n, tick, bits, model_bits, np.random.default_rng(seed))
        heap = [i + job[i]() for i in range(n)]
        heapify(heap)
        sender, arrival = array("q"), array("d")
        new = np.full(iterations, self.arrivals)
        if self.mode == "aggregated":
            new[0] = n
        for wanted in new.tolist():
            early = [heappop(heap) for _ in range(wanted - 1)] if wanted > 1 else []
            key = heap[0]
            now, i = divmod(key, n)
            sender.append(i)
            arrival.append(now * tick)
            heapreplace(heap, key + job[i]())
            # The last message made the update: from then on the workers of the earlier ones compute, too.
            for earlier in early:
                time, i = divmod(earlier, n)
                sender.append(i)
                arrival.append(time * tick)
                heappush(heap, n * now + i + job[i]())
        return self._trace(np.repeat(np.arange(iterations), new), np.array(sender), np.array(arrival), bits)

    def _bits(self, message_bits: ArrayLike) -> NDArray[np.float64]:
        bits = np.asarray(message_bits, dtype=np.float64)
        if bits.shape not in ((), (len(self.workers),)):
            raise ValueError(f"message_bits have the shape {bits.shape}; accepted: () or ({len(self.workers)},)")
        for length in bits[~(np.isfinite(bits) & (bits >= 0))][:1]:
            raise ValueError(f"message_bits = {length} is outside the accepted range [0, inf)")
        return np.broadcast_to(bits, (len(self.workers),))

    def _jobs(
        self, unit: int, tick: float, bits: NDArray[np.float64], model_bits: float, rng: np.random.Generator
    ) -> list[Callable[[], int]]:
        """Return, for every worker, the function that draws the time from one update to its next arrival.

        The time is counted in ticks, times a unit.
        """
        streams: dict[ComputeTime, Callable[[], float]] = {}
        jobs = []
        for worker, length in zip(self.workers, bits.tolist(), strict=True):
            law = worker.compute.standard()
            if law not in streams:
                streams[law] = _stream(law, rng).__next__
            fixed = worker.downlink.seconds(model_bits) + worker.compute.shift + worker.uplink.seconds(length)
            jobs.append(_durations(fixed / tick, worker.compute.scale / tick, streams[law], unit).__next__)
        return jobs

    def _trace(
        self,
        iteration: NDArray[np.int64],
        sender: NDArray[np.int64],
        arrival: NDArray[np.float64],
        bits: NDArray[np.float64],
    ) -> Trace:
        """Put the messages in order, and find the version each was computed at: that of the sender's last update."""
        order = np.lexsort((sender, iteration))
        iteration, sender, arrival = iteration[order], sender[order], arrival[order]
        by_sender = np.argsort(sender, kind="stable")
        version = np.zeros_like(iteration)
        again = sender[by_sender[1:]] == sender[by_sender[:-1]]
        version[by_sender[1:][again]] = iteration[by_sender[:-1][again]] + 1
        iterations = int(iteration[-1]) + 1
        stored = self.mode == "aggregated"
        return Trace(iterations, len(self.workers), iteration, sender, version, arrival, bits[sender], stored)


def _stream(law: ComputeTime, rng: np.random.Generator) -> Iterator[float]:
    """Draw without end, in blocks that grow to a size at which the cost of a call no longer matters."""
    size = _FIRST_BLOCK
    while True:
        yield from law.draw(rng, size).tolist()
        size = min(2 * size, _LARGEST_BLOCK)


def _durations(fixed: float, scale: float, draw: Callable[[], float], unit: int) -> Iterator[int]:
    while True:
        yield unit * int(fixed + scale * draw())
