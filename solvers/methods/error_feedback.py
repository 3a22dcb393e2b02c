"""Methods that remember what was not sent: error feedback and EF21."""

import math
from dataclasses import dataclass, replace

from taciturn.theory.compression import Contractive

from ..array import Array, Stream, array_namespace, to_numpy
from ..problems import Problem
from .sender import Sender, check_sender
from .state import State, check_step_size

__all__ = ["EF21", "ErrorFeedback"]


@dataclass(frozen=True)
class ErrorFeedback:
    """Send v_i = gradient + memory e_i compressed to q_i, move by the weighted mean, remember e_i = v_i - q_i.

    The state's memory is e_i, shape (..., n, d), in gradient units.

    Parameters
    ----------
    sender : Sender
        What the workers send; CAT chooses T from v_i, not from the gradient.
    step_size : float, optional
        Default theta / (2L) with theta = 1 - sqrt(1 - delta), from `ef14-cat`, for one worker and a contractive
        sender; several workers need a step size.

    Raises
    ------
    ValueError
        At the first step, if the default is needed and does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.compressors import TopK
    >>> from taciturn.solvers.methods import Fixed, run
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> problem = quadratic_with_spectrum([1.0, 0.5, 0.2], seed=0)
    >>> result = run(ErrorFeedback(Fixed(TopK(1))), problem, 500, x0=np.ones(3))
    >>> bool(result.gap[-1] < 1e-6)
    True
    """

    sender: Sender
    step_size: float | None = None

    def __post_init__(self) -> None:
        check_sender(self.sender)
        object.__setattr__(self, "step_size", check_step_size(self.step_size))

    def init(self, problem: Problem, x0: Array) -> State:
        """Evaluate the problem at the start, with empty memories."""
        return _without_memory(problem, x0)

    def step(self, problem: Problem, state: State, rng: Stream) -> State:
        """Send, move, remember the rest."""
        wanted = state.gradients + state.memory
        sent = self.sender.send(wanted, problem.weights, rng)
        x = state.x - self._step_size(problem) * problem.average(sent.vectors)
        return State.at(problem, x, sent=sent, memory=wanted - sent.vectors)

    def _step_size(self, problem: Problem) -> float:
        if self.step_size is not None:
            return self.step_size
        if problem.workers > 1:
            raise ValueError("step_size has no default for several workers; pass one")
        return memory_contraction(self.sender, problem.d) / (2 * problem.L)


@dataclass(frozen=True)
class EF21:
    """Every worker keeps an estimate G_i of its gradient, which server and worker update by compressed differences.

    ``x <- x - step_size sum_i p_i G_i``, then ``G_i <- G_i + q_i``, where q_i is sent in place of the gradient at the
    new x minus G_i. The state's memory is G_i, shape (..., n, d), which starts at 0: the first step does not move, its
    messages carry the gradients at the start.

    Parameters
    ----------
    sender : Sender
        What the workers send; its guarantee must be contractive (CAT: with a `minimum_sparsity`).
    step_size : float, optional
        Default, with theta = 1 - sqrt(1 - delta) and L2 = sqrt(sum_i p_i L_i^2), from `ef21-cat-pl` if mu > 0:
        min(1 / (L + sqrt(2) L2 (1 - theta) / theta), theta / (2 mu)), and else from `ef21-cat`:
        1 / (L + L2 (1 - theta) / theta).

    Raises
    ------
    ValueError
        At the first step, if the default is needed and the guarantee is not contractive.

    Notes
    -----
    Richtarik, Sokolov, Fatkhullin 2021, with weights p_i and a T that may change from message to message.

    Examples
    --------
    >>> from taciturn.solvers.compressors import TopK
    >>> from taciturn.solvers.methods import Fixed, run
    >>> from taciturn.solvers.problems import heterogeneous_quadratic
    >>> problem = heterogeneous_quadratic(workers=3, d=4, L=1.0, mu=0.2, spread=1.0, seed=0)
    >>> result = run(EF21(Fixed(TopK(2))), problem, 300)
    >>> bool(result.gap[-1] < 1e-6)
    True
    """

    sender: Sender
    step_size: float | None = None

    def __post_init__(self) -> None:
        check_sender(self.sender)
        object.__setattr__(self, "step_size", check_step_size(self.step_size))

    def init(self, problem: Problem, x0: Array) -> State:
        """Evaluate the problem at the start, with estimates 0."""
        return _without_memory(problem, x0)

    def step(self, problem: Problem, state: State, rng: Stream) -> State:
        """Move along the estimates, then update them at the new point."""
        x = state.x - self._step_size(problem) * problem.average(state.memory)
        there = State.at(problem, x)
        sent = self.sender.send(there.gradients - state.memory, problem.weights, rng)
        return replace(there, sent=sent, memory=state.memory + sent.vectors)

    def _step_size(self, problem: Problem) -> float:
        if self.step_size is not None:
            return self.step_size
        theta = memory_contraction(self.sender, problem.d)
        L2 = math.sqrt(float(to_numpy(problem.weights) @ problem.L_i**2))
        lag = L2 * (1 - theta) / theta
        if problem.mu == 0:
            return 1 / (problem.L + lag)
        return min(1 / (problem.L + math.sqrt(2) * lag), theta / (2 * problem.mu))


def memory_contraction(sender: Sender, d: int) -> float:
    """Return theta = 1 - sqrt(1 - delta) for a contractive sender, or refuse it."""
    guarantee = sender.guarantee(d)
    if not isinstance(guarantee, Contractive):
        raise ValueError(f"the sender's guarantee is {guarantee}; accepted: Contractive, or pass a step_size")
    return 1 - math.sqrt(1 - guarantee.delta)


def _without_memory(problem: Problem, x0: Array) -> State:
    start = State.at(problem, x0)
    return replace(start, memory=array_namespace(x0).zeros_like(start.gradients))
