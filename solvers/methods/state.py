"""What a method knows at an iteration, and what was sent to get there."""

from dataclasses import dataclass
from typing import Any, Self

from numpy.typing import NDArray

from ..array import Array, array_namespace, check_positive
from ..problems import Problem

__all__ = ["Sent", "State"]


@dataclass(frozen=True, eq=False)
class Sent:
    """What n workers sent in one iteration; every array has the leading axes of the replicas.

    Parameters
    ----------
    vectors : Array, shape (..., n, d)
        What the server holds after decoding.
    cost : numpy.ndarray, shape (..., n)
        Price of every message, in the unit of the cost model (bits if none is given).
    sparsity : numpy.ndarray, shape (..., n)
        T: entries of every message.
    coefficient : numpy.ndarray, shape (..., n)
        Certified decrease in units of the squared norm of what was compressed over 2 L: alpha(T) for sparsification
        (S), beta(T) for scaled signs (S+Q), omega(T) for stochastic sparsification (SS), in [0, 1].
    positions : Array or None
        Of messages that are entries as they are: where these lie in the flattened array, increasing. Else None.
    """

    vectors: Array
    cost: NDArray[Any]
    sparsity: NDArray[Any]
    coefficient: NDArray[Any]
    positions: Array | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class State:
    """A point with everything evaluated there. A step takes one state to the next and evaluates once.

    Parameters
    ----------
    x : Array, shape (..., d)
        The point; leading axes are replicas.
    value : Array, shape (...)
        F(x).
    gradients : Array, shape (..., n, d)
        Gradients of all f_i at x.
    gradient : Array, shape (..., d)
        Gradient of F at x.
    sent : Sent or None
        What was sent on the way here; None at the start.
    memory : Array or None
        What the method remembers besides the point, in a shape of its own; None if nothing.
    """

    x: Array
    value: Array
    gradients: Array
    gradient: Array
    sent: Sent | None = None
    memory: Array | None = None

    @classmethod
    def at(cls, problem: Problem, x: Array, sent: Sent | None = None, memory: Array | None = None) -> Self:
        """Evaluate the problem at x."""
        value, gradients = problem.value_and_worker_gradients(x)
        gradient = problem.average(gradients)
        return cls(x=x, value=value, gradients=gradients, gradient=gradient, sent=sent, memory=memory)

    @property
    def squared_gradient_norm(self) -> Array:
        """Squared norm of the gradient of F at x, shape (...)."""
        return array_namespace(self.gradient).vecdot(self.gradient, self.gradient)


def check_step_size(step_size: float | None) -> float | None:
    """Return a step size as ``float``, or refuse one that is given and not a positive finite number."""
    return None if step_size is None else check_positive(step_size, "step_size")
