"""Event-triggered steps over one-sided windows: what the transport of the reference program does to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..array import Array, Stream, array_like, array_namespace, check_positive, float_bits, matrix_like, to_numpy
from ..methods.oracle import Exact, Oracle
from ..problems import Problem
from .counts import Counts
from .event_triggered import EventTriggeredGradient
from .inbox import Inbox, Links
from .messages import Sparsified, Whole
from .state import Events, Workers
from .tensors import Tensors
from .triggers import Look, Trigger
from .windows import Windows, rounded_indices

__all__ = ["OneSidedGradient", "OneSidedState"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
INDEX_BITS = 32  # of an index that travels as a float


@dataclass(frozen=True, eq=False, kw_only=True)
class OneSidedState(Workers):
    """All workers, what they have sent, and their windows.

    Parameters
    ----------
    tick : int
        Steps of the simulation.
    iterations : numpy.ndarray of int, shape (n,)
        Steps of every worker.
    points, velocity : Array, shape (n, d)
        Parameters, and sum of the gradients with momentum.
    records : Array, shape (n, d)
        What every worker believes its neighbours to hold.
    previous : Array, shape (n, d)
        Parameters at the last look of the trigger.
    record_norms : numpy.ndarray, shape (n, B)
        Norms of the tensors when they were sent last.
    last_sent : numpy.ndarray of int, shape (n, B)
        In the sender's iterations; -1 if never.
    memories : tuple
        What the trigger of every worker remembers.
    inbox : Inbox
        Windows and copies of the links.
    counts : Counts
        What the transport has done.
    events : Events or None
        What was sent on the way here; None at the start.
    """

    tick: int
    iterations: Integers
    points: Array
    velocity: Array
    records: Array
    previous: Array
    record_norms: Floats
    last_sent: Integers
    memories: tuple[Any, ...]
    inbox: Inbox
    counts: Counts
    events: Events | None = None


@dataclass(frozen=True, eq=False)
class OneSidedGradient:
    """``x_i <- W_ii x_i + sum_{j != i} W_ij copy_{j -> i} - step_size g_i``, with a window for every link.

    With exact windows this is `EventTriggeredGradient` with the published update, event for event.

    Parameters
    ----------
    W : array_like or scipy sparse array, shape (n, n)
        Mixing matrix; its rows sum to one.
    trigger : Trigger
        When tensors are sent; every worker asks its own, which counts the iterations of that worker.
    step_size : float
        gamma.
    windows : Windows
        What the transport does; default nothing.
    tensors : Tensors, optional
        What is looked at and sent separately; default the whole vector.
    content : Whole or Sparsified
        What is sent at an event; default whole tensors.
    momentum : float
        beta in [0, 1): the step is along ``v <- beta v + g`` (D13).
    oracle : Oracle
        What the workers know of their gradients; default the exact ones.

    Raises
    ------
    ValueError, TypeError
        If W or a number is out of range, the windows are for other workers, or they are for sparse messages and those
        are whole.

    Notes
    -----
    Source: dossier 4.1.6, D5 to D11 and D13. The randomness of the transport is spawned from the stream of a step, so
    that mini-batches are the same whatever the windows do. A step of the simulation is a tick; a worker that does not
    act in it stands still.

    Examples
    --------
    >>> from taciturn.solvers.decentralised import Always, run_decentralised
    >>> from taciturn.solvers.problems import quadratic
    >>> workers = quadratic(np.ones((2, 1)), np.zeros((2, 1)))
    >>> late = Windows(start="zeros", lateness=(0.0, 1.0))
    >>> method = OneSidedGradient(np.full((2, 2), 0.5), Always(), 0.1, late)
    >>> first = run_decentralised(method, workers, 1, x0=np.ones(1)).state  # the neighbour was mixed as zero
    >>> first.points.ravel(), int(first.counts.lag[0])
    (array([0.4, 0.4]), 1)
    """

    W: Any
    trigger: Trigger
    step_size: float
    windows: Windows = field(default_factory=Windows)
    tensors: Tensors | None = None
    content: Whole | Sparsified = field(default_factory=Whole)
    momentum: float = 0.0
    oracle: Oracle = field(default_factory=Exact)

    def __post_init__(self) -> None:
        check_positive(self.step_size, "step_size")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum = {self.momentum} is outside the accepted range [0, 1)")
        if not isinstance(self.content, (Whole, Sparsified)):
            raise TypeError(f"content is a {type(self.content).__name__}; accepted: Whole, Sparsified")
        n = len(self._exact.own_weights)
        for name in ("paces", "stops"):
            values = getattr(self.windows, name)
            if values is not None and len(values) != n:
                raise ValueError(f"{name} has {len(values)} entries; accepted: one for each of {n} workers")
        for name in ("zero_pairs", "index_precision"):
            if getattr(self.windows, name) and isinstance(self.content, Whole):
                raise ValueError(f"{name}={getattr(self.windows, name)} is of sparse messages, the content is whole")

    @cached_property
    def _exact(self) -> EventTriggeredGradient:
        return EventTriggeredGradient(self.W, self.trigger, self.step_size, tensors=self.tensors, content=self.content)

    @cached_property
    def _weights(self) -> Any:
        """What multiplies the copies of other workers, shape (n, n)."""
        weights = sparse.csr_array(self._exact.copy_weights)
        weights.eliminate_zeros()
        weights.sort_indices()
        return weights

    @cached_property
    def _link_weights(self) -> Any:
        """What multiplies the copies of the links, shape (n, E): every link has a column."""
        weights = self._weights
        return sparse.csr_array(
            (weights.data, np.arange(weights.nnz), weights.indptr), shape=(len(weights.indptr) - 1, weights.nnz)
        )

    def links(self, problem: Problem) -> Links:
        """Return the links, those to the same receiver together."""
        target, source = self._weights.nonzero()
        return Links(source.astype(np.int64), target.astype(np.int64), self._exact.tensors_of(problem))

    def init(self, problem: Problem, x0: Array) -> OneSidedState:
        """Start with the records and copies that the windows say."""
        links, tensors = self.links(problem), self._exact.tensors_of(problem)
        points = self._exact.init(problem, x0).points
        records = points
        if self.windows.start == "random":
            records = self.windows.deviation * Stream([self.windows.seed, 0]).normal(points.shape, like=points)
        n = problem.workers
        return OneSidedState(
            tick=0,
            iterations=np.zeros(n, dtype=np.int64),
            points=points,
            velocity=array_namespace(points).zeros_like(points),
            records=records,
            previous=points,
            record_norms=tensors.norms(points),
            last_sent=np.full((n, len(tensors.sizes)), -1, dtype=np.int64),
            memories=tuple(self.trigger.start(1, tensors) for _ in range(n)),
            inbox=Inbox.start(points, links, self.windows),
            counts=Counts.none(len(tensors.sizes)),
        )

    def step(self, problem: Problem, state: OneSidedState, rng: Stream) -> OneSidedState:
        """Let the workers whose turn it is take gradients, put, read, mix, and move."""
        links, tensors, points = self.links(problem), self._exact.tensors_of(problem), state.points
        xp, transport = array_namespace(points), rng.spawn(1)[0]
        gradients = self.oracle.gradients(problem, points, rng)
        acts = self._acts(state.iterations, transport)
        moving = array_like(acts[:, None], points, dtype=xp.bool)
        velocity = xp.where(moving, self.momentum * state.velocity + gradients, state.velocity)

        fired, memories = self._looks(state, acts, tensors, velocity)
        records, bits = self.content.send(points, state.records, fired, tensors, rng)
        entries, values = links.spread(fired), points
        if isinstance(self.content, Sparsified):
            entries &= to_numpy(records != state.records)
            if self.windows.index_precision is not None:
                kept = np.array([self.content.kept(size) for size in tensors.sizes])
                bits = fired @ kept * float(float_bits(points) + INDEX_BITS)
                entries, values = _rounded(entries, points, tensors, self.windows.index_precision)

        puts, reads = fired[links.source], acts[links.target]
        inbox = state.inbox.post(links, self.windows, state.tick, values, entries, puts, transport)
        inbox, torn, overwritten = inbox.arrive(links, self.windows, state.tick, reads, transport)
        inbox = inbox.read(reads)
        mixed = array_like(self._exact.own_weights, points) * points
        mixed += matrix_like(self._link_weights, points) @ inbox.copies
        mixed -= velocity * self.step_size
        moved = xp.where(moving, mixed, points)

        read = np.broadcast_to(reads[:, None], links.shape)
        ages = read * (state.tick - inbox.used)
        counts = state.counts.after(
            puts=puts,
            overwritten=overwritten,
            torn=torn,
            reads=read,
            ages=ages,
            oldest=ages,
            lag=read * inbox.lag(state.tick),
            threshold=tensors.distances(points, records),
            movement=tensors.distances(moved, points),
            error=read * links.distances(points, inbox.copies),
            conflict=read * links.distances(records, inbox.copies),
        )
        return replace(
            state,
            tick=state.tick + 1,
            iterations=state.iterations + acts,
            points=moved,
            velocity=velocity,
            records=records,
            previous=xp.where(moving, points, state.previous) if self.trigger.needs_movement else state.previous,
            record_norms=np.where(fired, tensors.norms(points), state.record_norms),
            last_sent=np.where(fired, state.iterations[:, None], state.last_sent),
            memories=memories,
            inbox=inbox,
            counts=counts,
            events=Events(fired, bits),
        )

    def _acts(self, iterations: Integers, rng: Stream) -> NDArray[np.bool_]:
        """Which workers act in this tick, shape (n,)."""
        acts = np.ones(len(iterations), dtype=bool)
        if self.windows.paces is not None:
            acts = rng.uniform(acts.shape, like=np.ones(1)) < np.array(self.windows.paces)
        return acts if self.windows.stops is None else acts & (iterations < np.array(self.windows.stops))

    def _looks(
        self, state: OneSidedState, acts: NDArray[np.bool_], tensors: Tensors, velocity: Array
    ) -> tuple[NDArray[np.bool_], tuple[Any, ...]]:
        """Ask the triggers of the workers that act: what is sent, shape (n, B), and what they remember then."""
        fired = np.zeros(state.last_sent.shape, dtype=bool)
        memories = list(state.memories)
        for i in np.flatnonzero(acts).tolist():
            me = slice(i, i + 1)
            look = Look(
                int(state.iterations[i]),
                state.points[me],
                state.records[me],
                tensors,
                state.record_norms[me],
                state.last_sent[me],
                tensors.distances(state.points[me], state.previous[me]) if self.trigger.needs_movement else None,
                self.step_size * tensors.norms(velocity[me]) if self.trigger.needs_step else None,
            )
            fired[me], memories[i] = self.trigger.fires(look, memories[i])
        return fired, tuple(memories)


def _rounded(
    entries: NDArray[np.bool_], values: Array, tensors: Tensors, precision: int
) -> tuple[NDArray[np.bool_], Array]:
    """Return sparse messages whose indices were rounded: the last of those that meet stays, beyond the end is lost."""
    sent, arrived = entries, values
    for part, size in zip(tensors.slices, tensors.sizes, strict=True):
        moved = rounded_indices(np.arange(size), precision)
        if (moved == np.arange(size)).all():
            continue
        if sent is entries:
            sent, arrived = entries.copy(), array_namespace(values).asarray(values, copy=True)
        for i in np.flatnonzero(entries[:, part].any(axis=1)).tolist():
            old = np.flatnonzero(entries[i, part])
            new = moved[old]
            kept = np.append(new[1:] != new[:-1], True) & (new < size)  # increasing
            sent[i, part] = np.isin(np.arange(size), new[kept])
            arrived[i, part.start + new[kept]] = values[i, part.start + old[kept]]
    return sent, arrived
