"""Events, compressed differences and an exact average together (dossier 4.7, `choco-event`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..array import Array, Stream
from ..compressors import Compressor
from ..methods.oracle import Exact, Oracle
from ..problems import Problem
from .event_triggered import EventTriggeredGradient
from .messages import Compressed
from .state import DecentralisedState, Events, after_events, look_at
from .tensors import Tensors
from .triggers import Trigger

__all__ = ["CompressedEvents"]


@dataclass(frozen=True, eq=False)
class CompressedEvents:
    """Gradient step first, then a compressed difference where the trigger fires, then damped mixing of the copies.

    Parameters
    ----------
    W : array_like or scipy sparse array, shape (n, n)
        Symmetric mixing matrix.
    trigger : Trigger
        Asked about the parameters after the gradient step.
    compressor : Compressor
        C of the differences; sender and receivers apply the same message.
    step_size, damping : float
        gamma and eta; `choco-event` says which damping is safe.
    tensors : Tensors, optional
        What is looked at and sent separately; default the whole vector.
    oracle : Oracle
        What the workers know of their gradients; default the exact ones.

    Notes
    -----
    Source: dossier 4.7; algorithm of Koloskova, Stich and Jaggi (2019) and Singh, Data, George and Diggavi (2020).

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.compressors import TopK
    >>> from taciturn.solvers.decentralised import Constant, DifferenceNorm, run_decentralised
    >>> from taciturn.solvers.problems import quadratic
    >>> workers = quadratic(np.ones((2, 2)), [[0.0, 0.0], [2.0, 2.0]])
    >>> method = CompressedEvents(
    ...     np.full((2, 2), 0.5), DifferenceNorm(Constant(0.01)), TopK(1), step_size=0.1, damping=0.5)
    >>> run_decentralised(method, workers, 200).state.average.round(6)
    array([1., 1.])
    """

    W: Any
    trigger: Trigger
    compressor: Compressor
    step_size: float
    damping: float
    tensors: Tensors | None = None
    oracle: Oracle = field(default_factory=Exact)
    _mixing: EventTriggeredGradient = field(init=False, repr=False)

    def __post_init__(self) -> None:
        mixing = EventTriggeredGradient(
            self.W, self.trigger, self.step_size, "average-preserving", self.tensors, damping=self.damping
        )
        object.__setattr__(self, "_mixing", mixing)

    def init(self, problem: Problem, x0: Array) -> DecentralisedState:
        """Start with copies that are the parameters, known to all neighbours."""
        return self._mixing.init(problem, x0)

    def step(self, problem: Problem, state: DecentralisedState, rng: Stream) -> DecentralisedState:
        """Move, send what the trigger says, and mix."""
        tensors = self._mixing.tensors_of(problem)
        gradients = self.oracle.gradients(problem, state.points, rng)
        step = self.step_size * tensors.norms(gradients) if self.trigger.needs_step else None
        moved = state.points - self.step_size * gradients
        look = look_at(state, moved, tensors, self.trigger, step)
        fired, memory = self.trigger.fires(look, state.trigger_memory)
        copies, bits = Compressed(self.compressor).send(moved, state.copies, fired, tensors, rng)
        mixed = state.mixed if state.mixed is not None and not fired.any() else self._mixing.mixed(copies)
        return replace(
            after_events(state, look, fired, memory, self.trigger),
            points=moved + mixed,
            copies=copies,
            mixed=mixed,
            events=Events(fired, bits),
        )
