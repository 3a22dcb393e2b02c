"""What a network of workers holds in an iteration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..array import Array, array_namespace, check_gradient
from ..problems import Problem
from .tensors import Tensors
from .triggers import Look, Trigger

__all__ = ["DecentralisedState", "Events", "Workers", "after_events", "check_start", "look_at"]


@dataclass(frozen=True, eq=False)
class Events:
    """What was sent in an iteration.

    Parameters
    ----------
    fired : numpy.ndarray of bool, shape (n, B)
        Which tensors of which workers.
    bits : numpy.ndarray, shape (n,)
        Of one message of every worker to one neighbour.
    error : float
        ``|E^k|_F``: how far the copies have moved the mixing, what `ev-posterior` sums; NaN if it was not measured.
    """

    fired: NDArray[np.bool_]
    bits: NDArray[np.float64]
    error: float = float("nan")


class Workers:
    """Whatever has the parameters of all workers: their average, and how far they are from it."""

    points: Array

    @property
    def average(self) -> Array:
        """The workers' average, shape (d,)."""
        return array_namespace(self.points).mean(self.points, axis=0)

    @property
    def disagreement(self) -> float:
        """Mean squared distance of the workers from their average: V."""
        xp = array_namespace(self.points)
        return float(xp.mean(xp.sum((self.points - self.average) ** 2, axis=1)))


@dataclass(frozen=True, eq=False, kw_only=True)
class DecentralisedState(Workers):
    """Parameters of all workers, and what their neighbours believe them to be.

    Parameters
    ----------
    iteration : int
        k.
    points, copies : Array, shape (n, d)
        Parameters, and what every worker has sent last, to all its neighbours.
    in_use : Array, shape (n, d)
        The copies that have arrived everywhere: `copies` without latency.
    in_flight : tuple of Array
        The copies as they were sent in the last iterations, the oldest first, as many as the latency.
    mixed : Array, shape (n, d), or None
        What the copies in use contribute to the mixing; None at the start.
    previous : Array, shape (n, d), or None
        Parameters of the iteration before, where the trigger looks at movements.
    copy_norms : numpy.ndarray, shape (n, B)
        Norms of the tensors when they were sent last.
    last_sent : numpy.ndarray of int, shape (n, B)
        Iteration of the last message; -1 if there was none.
    trigger_memory : object
        What the trigger remembers.
    events : Events or None
        What was sent on the way here; None at the start.
    """

    iteration: int
    points: Array
    copies: Array
    in_use: Array
    in_flight: tuple[Array, ...]
    mixed: Array | None
    previous: Array | None
    copy_norms: NDArray[np.float64]
    last_sent: NDArray[np.int64]
    trigger_memory: Any
    events: Events | None = None

    @classmethod
    def start(cls, points: Array, tensors: Tensors, trigger: Trigger, **more: Any) -> Self:
        """Return the state before the first iteration: copies are the parameters, known to all neighbours."""
        n = points.shape[0]
        return cls(
            iteration=0,
            points=points,
            copies=points,
            in_use=points,
            in_flight=(),
            mixed=None,
            previous=None,
            copy_norms=tensors.norms(points),
            last_sent=np.full((n, len(tensors.sizes)), -1, dtype=np.int64),
            trigger_memory=trigger.start(n, tensors),
            **more,
        )


def check_start(problem: Problem, x0: Array, tensors: Tensors) -> Array:
    """Return the parameters (n, d) at the start: x0 (d,) for all workers, or one row for each."""
    x0 = check_gradient(x0, "x0")
    n, d = problem.workers, problem.d
    if tensors.d != d:
        raise ValueError(f"tensors have {tensors.d} entries together; accepted: the problem's d={d}")
    if tuple(x0.shape) not in {(d,), (n, d)}:
        raise ValueError(f"x0 has the shape {tuple(x0.shape)}; accepted: ({d},) or ({n}, {d})")
    if x0.dtype != problem.weights.dtype:
        raise TypeError(f"x0 is of {x0.dtype}, the problem of {problem.weights.dtype}; carry the problem with on(x0)")
    xp = array_namespace(x0)
    return xp.asarray(xp.broadcast_to(x0, (n, d)), copy=True)


_State = TypeVar("_State", bound=DecentralisedState)


def look_at(state: DecentralisedState, points: Array, tensors: Tensors, trigger: Trigger, step: Any = None) -> Look:
    """Return what a trigger may look at, for the parameters that it is asked about."""
    moved = None
    if trigger.needs_movement:
        still = np.zeros(state.last_sent.shape)
        moved = still if state.previous is None else tensors.distances(points, state.previous)
    return Look(state.iteration, points, state.copies, tensors, state.copy_norms, state.last_sent, moved, step)


def after_events(state: _State, look: Look, fired: NDArray[np.bool_], memory: Any, trigger: Trigger) -> _State:
    """Return the state one iteration later, as far as the trigger is concerned."""
    return replace(
        state,
        iteration=state.iteration + 1,
        previous=look.points if trigger.needs_movement else None,
        copy_norms=np.where(fired, look.norms, state.copy_norms) if fired.any() else state.copy_norms,
        last_sent=np.where(fired, state.iteration, state.last_sent),
        trigger_memory=memory,
    )
