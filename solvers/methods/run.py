"""One loop that drives every method and records what happens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..array import Array, Stream, array_like, array_namespace, check_count, check_gradient, to_numpy
from ..problems import Problem
from .state import State

__all__ = ["Ending", "Method", "Run", "run"]


@runtime_checkable
class Method(Protocol):
    """An algorithm as two pure functions on an explicit state."""

    def init(self, problem: Problem, x0: Array) -> State:
        """Return the state at the start x0 (..., d)."""

    def step(self, problem: Problem, state: Any, rng: Stream) -> State:
        """Return the state after one of its own; coins come from rng only."""


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
    squared_distance : shape (K + 1, ...), or None
        Squared distance of x_k to the minimiser; None in a run without reference.
    minimum : float or None
        F at the minimiser; None in a run without reference.
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
    squared_distance: NDArray[Any] | None
    minimum: float | None
    recorded: Mapping[str, NDArray[Any]]
    state: State
    ending: Ending

    @property
    def iterations(self) -> int:
        """K, the number of steps taken."""
        return len(self.cost)

    @property
    def gap(self) -> NDArray[Any]:
        """F(x_k) - F(minimiser), shape (K + 1, ...).

        Raises
        ------
        ValueError
            In a run without reference.
        """
        if self.minimum is None:
            raise ValueError("the gap is not known: the run was made with reference=False")
        return self.value - self.minimum

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
        If the method or the problem is none; if the start is not finite floating point of the problem's library and
        length, or the number of iterations is negative; if the problem has no certified minimiser and `reference` is
        true.

    Notes
    -----
    A gradient that is zero (of every replica) is a normal end. A run that diverges ends at the first state that is
    not finite, with that state recorded and `Ending.DIVERGED`.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.methods import CompressedGradient, Dense
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> run(CompressedGradient(Dense()), quadratic_with_spectrum([2.0, 2.0]), 100, x0=np.ones(2))
    Run(1 iterations, F = 0.0, ended because the gradient is zero)
    """
    if isinstance(method, type) or not isinstance(method, Method):
        raise TypeError(f"method is a {type(method).__name__}; pass a method such as CompressedGradient(Dense())")
    if not isinstance(problem, Problem):
        raise TypeError(f"problem is a {type(problem).__name__}; pass a Problem of taciturn.solvers.problems")
    iterations = check_count(iterations, "iterations", lowest=0)
    x0 = _checked_start(array_like(np.zeros(problem.d), problem.weights) if x0 is None else x0, problem)
    measures = _standard_measures(problem, reference)
    if clashing := measures.keys() & (record or {}):
        raise ValueError(f"record names {sorted(clashing)}, which are recorded anyway; accepted: other names")
    measures |= record or {}
    rng = Stream(seed)
    measured: dict[str, list[NDArray[Any]]] = {name: [] for name in measures}
    sent: dict[str, list[NDArray[Any]]] = {name: [] for name in ("cost", "sparsity", "coefficient")}
    step = 0
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges says so by its ending
        state = method.init(problem, x0)
        while True:
            for name, measure in measures.items():
                measured[name].append(to_numpy(measure(state)))
            ending = _ending(state, measured, until) or (Ending.ITERATIONS if step == iterations else None)
            if ending is not None:
                break
            state = method.step(problem, state, rng)
            for name, values in sent.items():
                values.append(getattr(state.sent, name))
            step += 1
            if progress is not None:
                progress(step)
    messages = (*x0.shape[:-1], problem.workers)
    at_states = {name: np.stack(values) for name, values in measured.items()}
    return Run(
        **{name: np.stack(values) if values else np.zeros((0, *messages)) for name, values in sent.items()},
        value=at_states.pop("value"),
        squared_gradient_norm=at_states.pop("squared_gradient_norm"),
        squared_distance=at_states.pop("squared_distance", None),
        minimum=problem.minimum if reference else None,
        recorded=at_states,
        state=state,
        ending=ending,
    )


def _checked_start(x0: Array, problem: Problem) -> Array:
    x0 = check_gradient(x0, "x0")
    array_namespace(x0, problem.weights)
    if x0.shape[-1] != problem.d:
        raise ValueError(f"x0 has the shape {tuple(x0.shape)}; accepted: (..., {problem.d})")
    if x0.dtype != problem.weights.dtype:
        raise TypeError(f"x0 is of {x0.dtype}, the problem of {problem.weights.dtype}; carry the problem with on(x0)")
    return x0


def _standard_measures(problem: Problem, reference: bool) -> dict[str, Callable[[State], Array]]:
    measures: dict[str, Callable[[State], Array]] = {
        "value": lambda state: state.value,
        "squared_gradient_norm": lambda state: state.squared_gradient_norm,
    }
    if reference:
        minimiser = problem.minimiser
        measures["squared_distance"] = lambda state: array_namespace(state.x).sum((state.x - minimiser) ** 2, axis=-1)
    return measures


def _ending(
    state: State, measured: Mapping[str, list[NDArray[Any]]], until: Callable[[State], bool] | None
) -> Ending | None:
    value, square = measured["value"][-1], measured["squared_gradient_norm"][-1]
    if not (np.isfinite(value).all() and np.isfinite(square).all()):
        return Ending.DIVERGED
    # The square of a gradient that is not zero may vanish.
    if not square.any() and not array_namespace(state.gradient).any(state.gradient != 0):
        return Ending.ZERO_GRADIENT
    return Ending.UNTIL if until is not None and until(state) else None
