"""One loop that drives every method and records what happens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..array import Array, Stream, array_like, array_namespace, check_count, check_gradient, to_numpy
from ..problems import Problem
from .state import State

__all__ = ["Ending", "Method", "Run", "run"]


class Method(Protocol):
    """An algorithm as two pure functions on an explicit state."""

    def init(self, problem: Problem, x0: Array) -> State:
        """Return the state at the start x0 (..., d)."""

    def step(self, problem: Problem, state: State, rng: Stream) -> State:
        """Return the next state; coins come from rng only."""


class Ending(StrEnum):
    """Why a run ended."""

    ITERATIONS = "all iterations done"
    UNTIL = "the condition `until` holds"
    ZERO_GRADIENT = "the gradient is zero"
    DIVERGED = "the objective or the gradient is not finite"


@dataclass(frozen=True, eq=False)
class Run:
    """What happened in K iterations, as NumPy arrays; leading axes (...) are replicas, n is the number of workers.

    Parameters
    ----------
    value : shape (K + 1, ...)
        F(x_k), k = 0..K.
    squared_gradient_norm : shape (K + 1, ...)
        Squared norm of the gradient of F at x_k.
    cost : shape (K, ..., n)
        Price of the message of every worker in iteration k, in the unit of the sender's cost (bits by default).
    sparsity : shape (K, ..., n)
        T_k of every worker.
    coefficient : shape (K, ..., n)
        Certified decrease alpha_k, beta_k or omega_k of every worker; see `Sent`.
    gap, squared_distance : shape (K + 1, ...), or None
        F(x_k) - F(minimiser) and the squared distance of x_k to the minimiser; None in a run without reference.
    recorded : mapping from name to array of shape (K + 1, ...)
        What `record` asked for.
    state : State
        The last state.
    ending : Ending
        Why the run ended.
    """

    value: NDArray[Any]
    squared_gradient_norm: NDArray[Any]
    cost: NDArray[Any]
    sparsity: NDArray[Any]
    coefficient: NDArray[Any]
    gap: NDArray[Any] | None
    squared_distance: NDArray[Any] | None
    recorded: Mapping[str, NDArray[Any]]
    state: State
    ending: Ending

    @property
    def iterations(self) -> int:
        """K, the number of steps taken."""
        return len(self.cost)

    @property
    def cumulative_cost(self) -> NDArray[Any]:
        """Price of everything sent by all workers before iteration k, shape (K + 1, ...)."""
        each = self.cost.sum(axis=-1)
        return np.concatenate([np.zeros((1, *each.shape[1:])), np.cumsum(each, axis=0)])

    def __repr__(self) -> str:
        return f"Run({self.iterations} iterations, F = {self.value[-1]}, ended because {self.ending})"


def run(
    method: Method,
    problem: Problem,
    iterations: int,
    x0: Array | None = None,
    seed: Any = 0,
    *,
    until: Callable[[State], bool] | None = None,
    reference: bool = True,
    record: Mapping[str, Callable[[State], Array]] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Run a method on a problem.

    Parameters
    ----------
    method : Method
        The algorithm.
    problem : Problem
        What to minimise.
    iterations : int
        Most steps to take.
    x0 : Array, shape (..., d), optional
        Start, one point or a batch of replicas, in the library of the problem; default 0.
    seed : int
        Of every coin; anything a `Stream` is made from.
    until : callable, optional
        Takes a state to True where the run is to end, for example ``lambda state: state.value < 0.2``.
    reference : bool
        Whether to measure against the problem's certified minimiser, which is computed on first use.
    record : mapping, optional
        Functions of the state to record besides, by name.
    progress : callable, optional
        Called with the number of steps taken after each of them.

    Returns
    -------
    Run

    Raises
    ------
    TypeError, ValueError
        If the start is not finite floating point of the problem's library and length, or the number of iterations
        is negative; if the problem has no certified minimiser and `reference` is true.

    Notes
    -----
    A gradient that is zero (of every replica) is a normal end. A run that diverges ends at the first state that is
    not finite, with that state recorded and `Ending.DIVERGED`.

    Examples
    --------
    >>> from taciturn.solvers.methods import CompressedGradient, Dense
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> run(CompressedGradient(Dense()), quadratic_with_spectrum([2.0, 2.0]), 100, x0=np.ones(2))
    Run(1 iterations, F = 0.0, ended because the gradient is zero)
    """
    check_count(iterations, "iterations", lowest=0)
    if x0 is None:
        x0 = array_like(np.zeros(problem.d), problem.weights)
    check_gradient(x0, "x0")
    array_namespace(x0, problem.weights)
    rng = Stream(seed)
    watched: dict[str, Callable[[State], Array]] = {
        "value": lambda state: state.value,
        "squared_gradient_norm": lambda state: state.squared_gradient_norm,
    }
    if reference:
        minimiser = problem.minimiser
        watched["squared_distance"] = lambda state: array_namespace(state.x).sum((state.x - minimiser) ** 2, axis=-1)
    watched |= record or {}
    history: dict[str, list[NDArray[Any]]] = {name: [] for name in watched}
    steps = []
    # A run that diverges says so by its ending, not by warnings.
    with np.errstate(over="ignore", invalid="ignore"):
        state = method.init(problem, x0)
        ending = None
        while True:
            for name, measure in watched.items():
                history[name].append(to_numpy(measure(state)))
            ending = _ending(state, history, until) or (Ending.ITERATIONS if len(steps) == iterations else None)
            if ending is not None:
                break
            state = method.step(problem, state, rng)
            steps.append(state.sent)
            if progress is not None:
                progress(len(steps))
