"""Oracles: what a worker knows of the gradient of its function at a point."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..array import Array, Stream, array_namespace, check_count, check_non_negative
from ..problems import LinearModel, NeuralNetwork, Problem
from .state import State

__all__ = ["Exact", "MiniBatch", "Noisy", "Oracle", "check_oracle", "seen"]


@runtime_checkable
class Oracle(Protocol):
    """An unbiased estimate of the gradients of all f_i, each at a point of its own."""

    def gradients(self, problem: Problem, points: Array, rng: Stream) -> Array:
        """Return estimates (..., n, d) at points (..., n, d), independent between workers and replicas."""


def check_oracle(oracle: Any) -> None:
    """Refuse what is not an oracle; a class in place of its object is none."""
    if isinstance(oracle, type) or not isinstance(oracle, Oracle):
        raise TypeError(f"oracle is a {type(oracle).__name__}; pass an oracle such as Exact() or Noisy(0.1)")


def seen(oracle: Oracle, problem: Problem, state: State, rng: Stream) -> Array:
    """Return what the workers know of their gradients at the point of a state, (..., n, d)."""
    if isinstance(oracle, Exact):
        return state.gradients
    x = state.x
    points = array_namespace(x).broadcast_to(x[..., None, :], (*x.shape[:-1], problem.workers, problem.d))
    return oracle.gradients(problem, points, rng)


@dataclass(frozen=True)
class Exact:
    """The gradients themselves."""

    def gradients(self, problem: Problem, points: Array, rng: Stream) -> Array:
        """Return the gradients at points (..., n, d)."""
        del rng
        return problem.local_gradients(points)


@dataclass(frozen=True)
class Noisy:
    """The gradients plus Gaussian noise, the same in all directions.

    Parameters
    ----------
    deviation : float
        s with E ||g~ - g||^2 = s^2; the `gradient_noise` of `taciturn.solvers.second_moment.NoiseModel`.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> problem = quadratic_with_spectrum([1.0, 1.0])
    >>> Noisy(0.0).gradients(problem, np.array([[3.0, 4.0]]), Stream(0))
    array([[3., 4.]])
    """

    deviation: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "deviation", check_non_negative(self.deviation, "deviation"))

    def gradients(self, problem: Problem, points: Array, rng: Stream) -> Array:
        """Return noisy gradients at points (..., n, d)."""
        noise = rng.normal(points.shape, like=points)
        return problem.local_gradients(points) + self.deviation / points.shape[-1] ** 0.5 * noise


@dataclass(frozen=True)
class MiniBatch:
    """The gradients over rows drawn with replacement, anew for every worker, replica and call.

    Parameters
    ----------
    size : int
        Rows a worker draws.

    Raises
    ------
    TypeError
        At the first call, if the problem is neither a `NeuralNetwork` nor a `LinearModel` on the host.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.problems import ridge_regression
    >>> problem = ridge_regression(np.eye(4), np.ones(4), 0.0)
    >>> int(np.count_nonzero(MiniBatch(1).gradients(problem, np.zeros((1, 4)), Stream(0))))
    1
    """

    size: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", check_count(self.size, "size"))

    def gradients(self, problem: Problem, points: Array, rng: Stream) -> Array:
        """Return gradients over a mini-batch at points (..., n, d)."""
        if isinstance(problem, NeuralNetwork):
            return problem.sampled_gradients(points, self.size, rng)
        if not isinstance(problem, LinearModel) or problem.host is not None:
            raise TypeError(f"problem is {problem!r}; mini-batches need a linear model of rows on the host")
        replicas = points.reshape(-1, *points.shape[-2:])
        return np.stack([self._sampled(problem, rng).local_gradients(x) for x in replicas]).reshape(points.shape)

    def _sampled(self, problem: LinearModel, rng: Stream) -> LinearModel:
        draws = rng.uniform((problem.workers, self.size), like=np.ones(1))
        blocks = [
            block.of_rows((draw * block.rows).astype(np.int64))
            for block, draw in zip(problem.blocks, draws, strict=True)
        ]
        return replace(problem, blocks=tuple(blocks))
