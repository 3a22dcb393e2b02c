"""Links with windows: puts on their way, what has arrived, and what receivers have taken over."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..array import Array, Stream, array_like, array_namespace
from .tensors import Tensors
from .windows import Windows

__all__ = ["Inbox", "Links", "Puts"]

NEVER = np.iinfo(np.int64).max

Bools = NDArray[np.bool_]
Ticks = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Links:
    """Directed links between workers, and the tensors that travel on them.

    Parameters
    ----------
    source, target : numpy.ndarray of int, shape (E,)
        Sender and receiver.
    tensors : Tensors
        B of them.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    tensors: Tensors

    @property
    def shape(self) -> tuple[int, int]:
        """(E, B)."""
        return len(self.source), len(self.tensors.sizes)

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Repeat what is known of tensors, shape (..., B), for their entries, shape (..., d)."""
        return np.repeat(values, self.tensors.sizes, axis=-1)

    @cached_property
    def position(self) -> Ticks:
        """Index of every entry within its tensor, shape (d,)."""
        return np.concatenate([np.arange(size) for size in self.tensors.sizes])

    def distances(self, vectors: Array, others: Array) -> NDArray[np.float64]:
        """Distance of the parameters (n, d) of the senders from vectors of the links (E, d), shape (E, B)."""
        return self.tensors.distances(vectors[self.source], others)


@dataclass(frozen=True, eq=False)
class Puts:
    """The puts of a tick, as far as they are still to arrive.

    Parameters
    ----------
    tick : int
        When they were made.
    values : Array, shape (n, d)
        Parameters of the senders.
    entries : numpy.ndarray of bool, shape (n, d)
        Which of them the messages hold.
    due : numpy.ndarray of int, shape (E, B)
        When they arrive; `NEVER` where nothing is to arrive.
    first : numpy.ndarray of int, shape (E, B)
        Entries of the tensor that have arrived already.
    """

    tick: int
    values: Array
    entries: Bools
    due: Ticks
    first: Ticks


@dataclass(frozen=True, eq=False)
class Inbox:
    """Windows and copies of all links.

    Parameters
    ----------
    window, copies : Array, shape (E, d)
        What senders have written, and what receivers have taken over.
    unread : numpy.ndarray of bool, shape (E, d)
        Entries of the windows that have not been taken over.
    pending : numpy.ndarray of bool, shape (E, B)
        Whether a put has arrived since the last read.
    arrived, used : numpy.ndarray of int, shape (E, B)
        When the last put that is whole in the window, and in the copy, was made; 0 where there was none.
    on_the_way : tuple of Puts
        The oldest first.
    latest : numpy.ndarray of int, shape (E, B)
        When the last put made arrives.
    """

    window: Array
    copies: Array
    unread: Bools
    pending: Bools
    arrived: Ticks
    used: Ticks
    on_the_way: tuple[Puts, ...]
    latest: Ticks

    @classmethod
    def start(cls, points: Array, links: Links, windows: Windows) -> Self:
        """Return windows and copies before the first message."""
        xp, none = array_namespace(points), np.zeros(links.shape, dtype=np.int64)
        copies = points[links.source]
        if windows.start == "zeros":
            copies = xp.zeros_like(copies)
        elif windows.start == "random":
            copies = windows.deviation * Stream([windows.seed, 1]).normal(copies.shape, like=copies)
        unread = np.zeros(copies.shape, dtype=bool)
        unread[:, links.position == 0] = windows.zero_pairs
        return cls(xp.zeros_like(copies), copies, unread, none.astype(bool), none, none, (), none)

    def post(
        self, links: Links, windows: Windows, tick: int, values: Array, entries: Bools, puts: Bools, rng: Stream
    ) -> Self:
        """Put the tensors `puts`, shape (E, B): entries of values, both of shape (n, d)."""
        if not puts.any():
            return self
        likely = np.cumsum(np.array(windows.lateness, dtype=np.float64))
        likely[-1] = math.inf  # whatever their sum is rounded to
        delays = np.searchsorted(likely, rng.uniform(links.shape, like=np.ones(1)), side="right")
        due = np.asarray(tick + delays, dtype=np.int64)
        if windows.in_order:
            due = np.maximum(due, self.latest)
        arrives = puts & (rng.uniform(links.shape, like=np.ones(1)) >= windows.dropped)
        message = Puts(tick, values, entries, np.where(arrives, due, NEVER), np.zeros_like(due))
        return replace(
            self,
            on_the_way=(*self.on_the_way, message),
            latest=np.where(arrives, due, self.latest),
        )

    def arrive(
        self, links: Links, windows: Windows, tick: int, reads: Bools, rng: Stream
    ) -> tuple[Self, Bools, NDArray[np.int64]]:
        """Let puts arrive that are due; `reads`, shape (E,), are the links read in this tick.

        Returns
        -------
        inbox : Inbox
        torn : numpy.ndarray of bool, shape (E, B)
            Which reads will be torn.
        overwritten : numpy.ndarray of int, shape (E, B)
            Puts that have lost their place to a later one, unread.
        """
        xp, position = array_namespace(self.window), links.position
        sizes: Ticks = np.array(links.tensors.sizes)
        window, unread, pending, arrived = self.window, self.unread, self.pending, self.arrived
        torn, overwritten = np.zeros(links.shape, dtype=bool), np.zeros(links.shape, dtype=np.int64)
        later: list[Puts] = []
        for puts in self.on_the_way:
            lands = (puts.due <= tick) & ~torn  # what follows a torn put waits for the rest of it
            if lands.any():
                cut = 1 + (rng.uniform(links.shape, like=np.ones(1)) * (sizes - 1)).astype(np.int64)
                tears = lands & (puts.first == 0) & (sizes > 1) & reads[:, None]
                tears &= rng.uniform(links.shape, like=np.ones(1)) < windows.torn
                last = np.where(tears, cut, sizes)
                here = links.spread(lands) & (links.spread(puts.first) <= position) & (position < links.spread(last))
                new = here & puts.entries[links.source]
                window = xp.where(array_like(new, window, dtype=xp.bool), puts.values[links.source], window)
                if windows.overwritable:
                    overwritten = overwritten + (lands & pending & (puts.first == 0))
                    unread = np.where(here, new, unread)
                else:
                    unread = unread | new
                pending = pending | lands
                torn |= tears
                arrived = np.where(lands & ~tears, puts.tick, arrived)
                due = np.where(tears, tick + 1, np.where(lands, NEVER, puts.due))
                puts = replace(puts, due=due, first=np.where(tears, cut, puts.first))
            if (puts.due < NEVER).any():
                later.append(puts)
        inbox = replace(self, window=window, unread=unread, pending=pending, arrived=arrived, on_the_way=tuple(later))
        return inbox, torn, overwritten

    def read(self, reads: Bools) -> Self:
        """Take over the windows of some links, shape (E,)."""
        xp, taken = array_namespace(self.copies), self.unread & reads[:, None]
        copies = self.copies
        if taken.any():
            copies = xp.where(array_like(taken, copies, dtype=xp.bool), self.window, copies)
        return replace(
            self,
            copies=copies,
            unread=self.unread & ~reads[:, None],
            pending=self.pending & ~reads[:, None],
            used=np.where(reads[:, None], self.arrived, self.used),
        )

    def lag(self, tick: int) -> Ticks:
        """Ticks by which copies that have just been read are behind the records of their senders, shape (E, B)."""
        lag = np.zeros(self.used.shape, dtype=np.int64)
        for puts in reversed(self.on_the_way):
            lag = np.where(puts.due < NEVER, tick + 1 - puts.tick, lag)
        return lag
