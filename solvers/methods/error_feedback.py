"""Methods that remember what was not sent: error feedback and EF21."""

from dataclasses import dataclass, field, replace
from typing import Self

from ..array import Array, Stream, array_namespace, cleared
from ..problems import Problem
from .memory_steps import ef21_step_size, error_feedback_step_size
from .oracle import Exact, Oracle, check_oracle, seen
from .sender import Sender, check_sender
from .state import Sent, State, check_step_size

__all__ = ["EF21", "ErrorFeedback", "MemoryState"]


@dataclass(frozen=True, eq=False, kw_only=True)
class MemoryState(State):
    """A point, what every worker remembers there, shape (..., n, d), and the step size.

    Parameters
    ----------
    step_size : float
        gamma, the same in the whole run.
    """

    step_size: float = 0.0

    @classmethod
    def without_memory(cls, problem: Problem, x0: Array, step_size: float) -> Self:
        """Evaluate the problem at the start, with memories 0."""
        start = cls.at(problem, x0)
        return replace(start, memory=array_namespace(x0).zeros_like(start.gradients), step_size=step_size)

    def after(self, problem: Problem, wanted: Array, sent: Sent) -> Self:
        """Move by what was sent in place of what was wanted, which is overwritten, and remember the rest."""
        x = self.x - self.step_size * problem.average(sent.vectors)
        rest = wanted - sent.vectors if sent.positions is None else cleared(wanted, sent.positions)
        return replace(type(self).at(problem, x, sent=sent, memory=rest), step_size=self.step_size)


@dataclass(frozen=True)
class ErrorFeedback:
    """Send v_i = gradient + memory e_i compressed to q_i, move by the weighted mean, remember e_i = v_i - q_i.

    The state's memory is e_i, shape (..., n, d), in gradient units.

    Parameters
    ----------
    sender : Sender
        What the workers send, the same for all or each its own (`PerWorkerTopK` and its kin); CAT chooses T from v_i,
        not from the gradient.
    step_size : float, optional
        Default that of `error_feedback_step_size`, which exists for one worker and for absolute senders;
        `convex_step_size` is one for several workers whose functions are convex.
    oracle : Oracle
        What the workers know of their gradients; default the exact ones.

    Raises
    ------
    ValueError
        At the start, if the default is needed and does not exist.

    Notes
    -----
    The virtual iterate x - step_size sum_i p_i e_i moves by exactly -step_size sum_i p_i (gradient i), whatever is sent
    (`ef-virtual-iterate`). Source: dossier chapter 3, `alg-nuef`.

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
    oracle: Oracle = field(default_factory=Exact)

    def __post_init__(self) -> None:
        check_sender(self.sender)
        check_oracle(self.oracle)
        object.__setattr__(self, "step_size", check_step_size(self.step_size))

    def init(self, problem: Problem, x0: Array) -> MemoryState:
        """Evaluate the problem at the start, with empty memories."""
        step_size = error_feedback_step_size(self.sender, problem) if self.step_size is None else self.step_size
        return MemoryState.without_memory(problem, x0, step_size)

    def step(self, problem: Problem, state: MemoryState, rng: Stream) -> MemoryState:
        """Send, move, remember the rest."""
        wanted = seen(self.oracle, problem, state, rng) + state.memory
        return state.after(problem, wanted, self.sender.send(wanted, problem.weights, rng))


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
        Default that of `ef21_step_size`.
    oracle : Oracle
        What the workers know of their gradients; default the exact ones. EF21 does not average their noise.
    first_sender : Sender, optional
        What sends the gradients at the start; default `sender`. ``Dense()`` is the exact start.

    Raises
    ------
    ValueError
        At the start, if the default is needed and the guarantee is not contractive.

    Notes
    -----
    Richtarik, Sokolov, Fatkhullin 2021, with weights p_i and a compression that may differ between messages and
    workers. Source: dossier chapter 3, `alg-nuef21`.

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
    oracle: Oracle = field(default_factory=Exact)
    first_sender: Sender | None = None

    def __post_init__(self) -> None:
        check_sender(self.sender)
        check_oracle(self.oracle)
        if self.first_sender is not None:
            check_sender(self.first_sender)
        object.__setattr__(self, "step_size", check_step_size(self.step_size))

    def init(self, problem: Problem, x0: Array) -> MemoryState:
        """Evaluate the problem at the start, with estimates 0."""
        step_size = ef21_step_size(self.sender, problem) if self.step_size is None else self.step_size
        return MemoryState.without_memory(problem, x0, step_size)

    def step(self, problem: Problem, state: MemoryState, rng: Stream) -> MemoryState:
        """Move along the estimates, then update them at the new point."""
        there = MemoryState.at(problem, state.x - state.step_size * problem.average(state.memory))
        wanted = seen(self.oracle, problem, there, rng) - state.memory
        sender = self.sender if state.sent is not None or self.first_sender is None else self.first_sender
        sent = sender.send(wanted, problem.weights, rng)
        return replace(there, sent=sent, memory=state.memory + sent.vectors, step_size=state.step_size)
