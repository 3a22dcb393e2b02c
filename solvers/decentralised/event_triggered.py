"""Decentralised gradient methods that send only at events (dossier 4.1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from taciturn.theory.mixing import check_mixing_matrix

from ..array import (
    Array,
    Stream,
    array_like,
    array_namespace,
    check_choice,
    check_count,
    check_fraction,
    check_positive,
    matrix_like,
)
from ..methods.oracle import Exact, Oracle
from ..problems import Problem
from .messages import Content, Whole
from .state import DecentralisedState, Events, after_events, check_start, look_at
from .tensors import Tensors
from .triggers import Trigger

__all__ = ["EventTriggeredGradient"]

UPDATES = ("published", "average-preserving")


@dataclass(frozen=True, eq=False)
class EventTriggeredGradient:
    """Mix own parameters with the neighbours' last messages, then take a gradient step.

    ``"published"`` (variant A): ``x_i <- W_ii x_i + sum_{j != i} W_ij copy_j - step_size g_i``.
    ``"average-preserving"`` (variant B): ``x_i <- x_i + damping sum_j W_ij (copy_j - copy_i) - step_size g_i``.
    With the trigger `Always` both are D-PSGD.

    Parameters
    ----------
    W : array_like or scipy sparse array, shape (n, n)
        Mixing matrix; its rows sum to one.
    trigger : Trigger
        When tensors are sent.
    step_size : float
        gamma.
    update : {"published", "average-preserving"}
        Which of the two.
    tensors : Tensors, optional
        What is looked at and sent separately; default the whole vector.
    content : Content
        What is sent at an event; default whole tensors.
    damping : float
        eta of the average-preserving update, in (0, 1].
    latency : int
        Iterations after which a message is used, by its receivers and, in the average-preserving update, its sender.
    oracle : Oracle
        What the workers know of their gradients; default the exact ones.
    measure_error : bool
        Whether to compute the error ``|E^k|_F`` of the copies in every iteration, for `ev-posterior`.

    Raises
    ------
    ValueError
        If W is not square, a row does not sum to one, or a number is out of range.

    Notes
    -----
    The gradient is taken before mixing, at the worker's own parameters. Where nothing is sent, nothing is copied and
    what the copies contribute is not computed again.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.decentralised import Constant, DifferenceNorm, run_decentralised
    >>> from taciturn.solvers.problems import quadratic
    >>> from taciturn.solvers.topology import metropolis, network
    >>> workers = quadratic(np.ones((4, 1)), np.zeros((4, 1)))
    >>> method = EventTriggeredGradient(metropolis(network("ring", 4)), DifferenceNorm(Constant(0.1)), step_size=1 / 3)
    >>> stuck = run_decentralised(method, workers, 100, x0=np.array([0.29]))
    >>> int(stuck.events[1:].sum()), round(float(stuck.state.points[0, 0]), 4)
    (0, 0.1933)
    """

    W: Any
    trigger: Trigger
    step_size: float
    update: str = "published"
    tensors: Tensors | None = None
    content: Content = field(default_factory=Whole)
    damping: float = 1.0
    latency: int = 0
    oracle: Oracle = field(default_factory=Exact)
    measure_error: bool = False

    def __post_init__(self) -> None:
        check_mixing_matrix(self.W)
        check_choice(self.update, "update", UPDATES)
        check_positive(self.step_size, "step_size")
        check_fraction(self.damping, "damping")
        check_count(self.latency, "latency", lowest=0)
        if self.damping != 1 and self.update == "published":
            raise ValueError(f"damping={self.damping} belongs to the average-preserving update; accepted here: 1")

    @cached_property
    def own_weights(self) -> Any:
        """What multiplies a worker's own parameters, shape (n, 1): W_ii, or 1 for the average-preserving update."""
        diagonal = self.W.diagonal() if sparse.issparse(self.W) else np.diag(np.asarray(self.W, dtype=np.float64))
        return (diagonal if self.update == "published" else np.ones(len(diagonal)))[:, None]

    @cached_property
    def copy_weights(self) -> Any:
        """What multiplies the copies, (n, n): W without its diagonal, or damping (W - I)."""
        W = sparse.csr_array(self.W) if sparse.issparse(self.W) else np.asarray(self.W, dtype=np.float64)
        n = W.shape[0]
        if self.update == "published":
            return W - (sparse.diags_array(W.diagonal()) if sparse.issparse(W) else np.diag(np.diag(W)))
        return self.damping * (W - (sparse.eye_array(n) if sparse.issparse(W) else np.eye(n)))

    def tensors_of(self, problem: Problem) -> Tensors:
        """Return the tensors, by default the whole vector of the problem."""
        return Tensors.whole(problem.d) if self.tensors is None else self.tensors

    def init(self, problem: Problem, x0: Array) -> DecentralisedState:
        """Start with copies that are the parameters, known to all neighbours."""
        if len(self.own_weights) != problem.workers:
            raise ValueError(f"W is for {len(self.own_weights)} workers, the problem has {problem.workers}")
        tensors = self.tensors_of(problem)
        points = check_start(problem, x0, tensors)
        return DecentralisedState.start(points, tensors, self.trigger)

    def step(self, problem: Problem, state: DecentralisedState, rng: Stream) -> DecentralisedState:
        """Take gradients, send what the trigger says, mix, and move."""
        tensors, points = self.tensors_of(problem), state.points
        gradients = self.oracle.gradients(problem, points, rng)
        step = self.step_size * tensors.norms(gradients) if self.trigger.needs_step else None
        look = look_at(state, points, tensors, self.trigger, step)
        fired, memory = self.trigger.fires(look, state.trigger_memory)
        copies, bits = self.content.send(points, state.copies, fired, tensors, rng)
        queue = (*state.in_flight, copies)
        in_use, in_flight = (queue[0], queue[1:]) if len(queue) > self.latency else (state.in_use, queue)
        mixed = state.mixed if state.mixed is not None and in_use is state.in_use else self.mixed(in_use)
        moved = array_like(self.own_weights, points) * points
        moved += mixed
        gradients = gradients * self.step_size
        moved -= gradients
        error = self._error(points, in_use) if self.measure_error else float("nan")
        return replace(
            after_events(state, look, fired, memory, self.trigger),
            points=moved,
            copies=copies,
            in_use=in_use,
            in_flight=in_flight,
            mixed=mixed,
            events=Events(fired, bits, error),
        )

    def mixed(self, copies: Array) -> Array:
        """Return what the copies contribute to the mixing, shape (n, d)."""
        return matrix_like(self.copy_weights, copies) @ copies

    def _error(self, points: Array, copies: Array) -> float:
        """``|E|_F``, E = copy_weights (copies - points)."""
        xp = array_namespace(points)
        error = matrix_like(self.copy_weights, points) @ (copies - points)
        return float(xp.sqrt(xp.sum(error**2)))
