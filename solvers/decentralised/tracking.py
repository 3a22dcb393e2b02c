"""Event-triggered gradient tracking: exact convergence with different workers (dossier 4.9, `event-gt`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..array import Array, Stream
from ..problems import Problem
from .event_triggered import EventTriggeredGradient
from .messages import Whole
from .state import DecentralisedState, Events, after_events, look_at
from .tensors import Tensors
from .triggers import Trigger

__all__ = ["EventTracking", "TrackingState"]


@dataclass(frozen=True, eq=False, kw_only=True)
class TrackingState(DecentralisedState):
    """Parameters and trackers, which have copies and triggers of their own.

    Parameters
    ----------
    trackers : DecentralisedState
        The estimates y_i of the average gradient, as `points`, with their copies.
    gradients : Array, shape (n, d)
        At the current parameters.
    """

    trackers: DecentralisedState
    gradients: Array


@dataclass(frozen=True, eq=False)
class EventTracking:
    """``X <- X + (W - I) copies - step_size Y``, ``Y <- Y + (W - I) copies of Y + gradients - gradients before``.

    Parameters
    ----------
    W : array_like or scipy sparse array, shape (n, n)
        Doubly stochastic mixing matrix.
    trigger, tracker_trigger : Trigger
        When parameters, and when trackers are sent; both are counted.
    step_size : float
        gamma.
    tensors : Tensors, optional
        What is looked at and sent separately; default the whole vector.

    Notes
    -----
    Source: dossier 4.9. Exact gradients. The average of the trackers is the average gradient whatever is sent. In the
    record of events the tensors of the trackers follow those of the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.decentralised import DifferenceNorm, Geometric, run_decentralised
    >>> from taciturn.solvers.problems import quadratic
    >>> workers = quadratic([[1.0], [3.0]], [[0.0], [4.0]])
    >>> trigger = DifferenceNorm(Geometric(0.1, 0.97))
    >>> method = EventTracking(np.array([[0.75, 0.25], [0.25, 0.75]]), trigger, trigger, step_size=0.03)
    >>> run_decentralised(method, workers, 1000).state.points.round(6).ravel().tolist()
    [3.0, 3.0]
    """

    W: Any
    trigger: Trigger
    tracker_trigger: Trigger
    step_size: float
    tensors: Tensors | None = None
    _mixing: EventTriggeredGradient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for trigger in (self.trigger, self.tracker_trigger):
            if trigger.needs_step:
                raise ValueError(f"{trigger!r} looks at gradient steps; accepted here: triggers that do not")
        mixing = EventTriggeredGradient(self.W, self.trigger, self.step_size, "average-preserving", self.tensors)
        object.__setattr__(self, "_mixing", mixing)

    def init(self, problem: Problem, x0: Array) -> TrackingState:
        """Start with trackers that are the gradients, and with true copies of both."""
        tensors = self._mixing.tensors_of(problem)
        points = self._mixing.init(problem, x0).points
        gradients = problem.local_gradients(points)
        trackers = DecentralisedState.start(gradients, tensors, self.tracker_trigger)
        return TrackingState.start(points, tensors, self.trigger, trackers=trackers, gradients=gradients)

    def step(self, problem: Problem, state: TrackingState, rng: Stream) -> TrackingState:
        """Send, mix and move the parameters; then the same for the trackers."""
        moved: TrackingState
        moved, fired, bits = self._mix(problem, state, self.trigger, rng)
        points = moved.points - self.step_size * state.trackers.points
        gradients = problem.local_gradients(points)
        trackers, tracker_fired, tracker_bits = self._mix(problem, state.trackers, self.tracker_trigger, rng)
        trackers = replace(trackers, points=trackers.points + gradients - state.gradients)
        return replace(
            moved,
            points=points,
            gradients=gradients,
            trackers=trackers,
            events=Events(np.concatenate([fired, tracker_fired], axis=1), bits + tracker_bits),
        )

    def _mix(self, problem: Problem, state: Any, trigger: Trigger, rng: Stream) -> tuple[Any, Any, Any]:
        """Send what a trigger says and mix: the state with mixed points, what was sent, and its bits."""
        tensors = self._mixing.tensors_of(problem)
        look = look_at(state, state.points, tensors, trigger)
        fired, memory = trigger.fires(look, state.trigger_memory)
        copies, bits = Whole().send(state.points, state.copies, fired, tensors, rng)
        mixed = state.mixed if state.mixed is not None and not fired.any() else self._mixing.mixed(copies)
        after = after_events(state, look, fired, memory, trigger)
        return replace(after, points=state.points + mixed, copies=copies, mixed=mixed), fired, bits
