"""One loop that drives every decentralised method and records what happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..array import Array, Stream, array_like, check_count, to_numpy
from ..problems import Problem

__all__ = ["DecentralisedMethod", "DecentralisedRun", "run_decentralised"]

_MEASURED = {"k", "value", "square", "disagreement"}


class DecentralisedMethod(Protocol):
    """A decentralised algorithm as two pure functions on an explicit state."""

    def init(self, problem: Problem, x0: Array) -> Any:
        """Return the state at the start."""

    def step(self, problem: Problem, state: Any, rng: Stream) -> Any:
        """Return the state after one of its own."""


@dataclass(frozen=True, eq=False)
class DecentralisedRun:
    """What happened in K iterations, as NumPy arrays.

    Parameters
    ----------
    iterations_recorded : shape (R,)
        The iterations whose states were measured, 0 and K among them.
    value, squared_gradient_norm : shape (R,)
        F and the squared norm of its gradient at the workers' average.
    disagreement : shape (R,)
        Mean squared distance of the workers from their average.
    events : bool, shape (K, n, B)
        Which tensors of which workers were sent.
    bits : shape (K, n)
        Bits of the message of every worker to one neighbour.
    error : shape (K,)
        ``|E^k|_F``, NaN where it was not measured.
    recorded : mapping from name to array of shape (R, ...)
        What `record` asked for.
    state : object
        The last state.
    """

    iterations_recorded: NDArray[np.int64]
    value: NDArray[np.float64]
    squared_gradient_norm: NDArray[np.float64]
    disagreement: NDArray[np.float64]
    events: NDArray[np.bool_]
    bits: NDArray[np.float64]
    error: NDArray[np.float64]
    recorded: Mapping[str, NDArray[Any]]
    state: Any

    @property
    def iterations(self) -> int:
        """K."""
        return len(self.events)

    @property
    def message_share(self) -> float:
        """Tensor messages / tensor messages of sending always."""
        return float(np.mean(self.events)) if self.events.size else 0.0

    @property
    def staleness(self) -> NDArray[np.int64]:
        """Iterations since the last message of every tensor, (K, n, B), counted from the start where there was none."""
        k = np.arange(self.iterations)[:, None, None]
        return np.asarray(k - np.maximum.accumulate(np.where(self.events, k, 0), axis=0), dtype=np.int64)

    def __repr__(self) -> str:
        return f"DecentralisedRun({self.iterations} iterations, {self.message_share:.1%} of the messages)"


def run_decentralised(
    method: DecentralisedMethod,
    problem: Problem,
    iterations: int,
    x0: Array | None = None,
    seed: Any = 0,
    *,
    record_every: int = 1,
    record: Mapping[str, Callable[[Any], Any]] | None = None,
    progress: Callable[[int], None] | None = None,
) -> DecentralisedRun:
    """Run a decentralised method.

    Parameters
    ----------
    method : DecentralisedMethod
        The algorithm.
    problem : Problem
        What to minimise, with equal weights 1/n.
    iterations : int
        K.
    x0 : Array, shape (d,) or (n, d), optional
        Start of all workers, or of each; default 0.
    seed : int
        Of every coin.
    record_every : int
        F and the disagreement are evaluated in every so many iterations, and at the end.
    record : mapping, optional
        Functions of the state to record besides, by name.
    progress : callable, optional
        Called with the number of steps taken after each of them.

    Returns
    -------
    DecentralisedRun
        If a value is not finite the run ends there, with that state recorded.

    Raises
    ------
    TypeError, ValueError
        If the workers have different weights, or the start does not fit.
    """
    iterations = check_count(iterations, "iterations", lowest=0)
    record_every = check_count(record_every, "record_every")
    weights = to_numpy(problem.weights)
    if np.ptp(weights) > 1e-12:
        raise ValueError(
            f"the workers have weights from {weights.min():.6g} to {weights.max():.6g}; accepted: equal ones"
        )
    if clashing := _MEASURED & (record or {}).keys():
        raise ValueError(f"record names {sorted(clashing)}, which are recorded anyway; accepted: other names")
    start = array_like(np.zeros(problem.d), problem.weights) if x0 is None else x0
    rng = Stream(seed)
    measures: dict[str, list[Any]] = {name: [] for name in (*_MEASURED, *(record or {}))}
    events: list[Any] = []
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges ends with what is not finite
        state = method.init(problem, start)
        for k in range(iterations + 1):
            if k % record_every == 0 or k == iterations:
                _measure(problem, state, k, record or {}, measures)
                if not np.isfinite(measures["value"][-1]):
                    break
            if k < iterations:
                state = method.step(problem, state, rng)
                events.append(state.events)
                if progress is not None:
                    progress(k + 1)
    n = problem.workers
    return DecentralisedRun(
        iterations_recorded=np.array(measures.pop("k"), dtype=np.int64),
        value=np.array(measures.pop("value")),
        squared_gradient_norm=np.array(measures.pop("square")),
        disagreement=np.array(measures.pop("disagreement")),
        events=np.stack([event.fired for event in events]) if events else np.zeros((0, n, 1), dtype=bool),
        bits=np.stack([event.bits for event in events]) if events else np.zeros((0, n)),
        error=np.array([event.error for event in events]),
        recorded={name: np.array(values) for name, values in measures.items()},
        state=state,
    )


def _measure(
    problem: Problem, state: Any, k: int, record: Mapping[str, Callable[[Any], Any]], measures: dict[str, list[Any]]
) -> None:
    value, gradient = problem.value_and_gradient(state.average)
    measures["k"].append(k)
    measures["value"].append(float(value))
    measures["square"].append(float((gradient**2).sum()))
    measures["disagreement"].append(state.disagreement)
    for name, measure in record.items():
        measures[name].append(np.asarray(measure(state)))
