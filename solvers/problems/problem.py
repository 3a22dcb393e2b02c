"""What every problem offers: F = sum_i p_i f_i, its gradients, its constants and a certified minimiser."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from numpy.typing import NDArray

from ..array import Array, array_like, array_namespace

__all__ = ["Constants", "Problem", "Reference"]


@dataclass(frozen=True, eq=False)
class Constants:
    """Smoothness and strong convexity of F = sum_i p_i f_i.

    Parameters
    ----------
    L : float
        Upper bound of the smoothness of F.
    mu : float
        Lower bound of the strong convexity of F; 0 if none is known.
    L_i : numpy.ndarray, shape (n,)
        Upper bounds of the smoothness of every f_i.
    """

    L: float
    mu: float
    L_i: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Reference:
    """A minimiser with a certificate.

    Parameters
    ----------
    minimiser : Array, shape (d,)
        A point.
    minimum : float
        F there, an upper bound of F*.
    minimum_error : float
        Bound of minimum - F* in exact arithmetic: the squared gradient norm there over 2 mu (by the PL inequality).
    """

    minimiser: Array
    minimum: float
    minimum_error: float


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Problem(ABC):
    """F(x) = sum_i p_i f_i(x) over n workers; n = 1 is the problem of one node.

    Points have the shape (..., d): any leading axes are replicas, computed in one call. A problem is built from
    NumPy or SciPy data on the host, where its constants and its minimiser are computed in double precision;
    `problem.on(tensor)` carries its data to the library, device and precision of another array.
    """

    weights: Array
    """p_i, shape (n,), positive, of sum 1."""

    host: Self | None = None
    """The problem this one was carried from; it answers for the constants."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(d = {self.d}, workers = {self.workers})"

    @property
    @abstractmethod
    def d(self) -> int:
        """Number of variables."""

    @abstractmethod
    def local_values_and_gradients(self, points: Array) -> tuple[Array, Array]:
        """Evaluate every f_i at a point of its own: points (..., n, d) to values (..., n) and gradients (..., n, d)."""

    @abstractmethod
    def hessian_product(self, x: Array, v: Array) -> Array:
        """Return the Hessian of F at x (d,) times v (d,)."""

    @abstractmethod
    def on(self, like: Array) -> Self:
        """Return this problem with its data in the library, on the device and in the precision of another array."""

    @abstractmethod
    def of_workers(self, chosen: Sequence[int]) -> Self:
        """Return the f_i of some of the workers, with their weights as they are, for their gradients and values."""

    @abstractmethod
    def _compute_constants(self) -> Constants: ...

    @abstractmethod
    def _compute_reference(self) -> Reference: ...

    @property
    def workers(self) -> int:
        """Number of workers n."""
        return int(self.weights.shape[0])

    @cached_property
    def constants(self) -> Constants:
        """L, mu and the L_i, computed on first use."""
        return self._compute_constants() if self.host is None else self.host.constants

    @cached_property
    def reference(self) -> Reference:
        """A minimiser and the certificate of its accuracy, computed on first use.

        Raises
        ------
        ValueError
            If mu = 0, so that no residual certifies a minimiser.
        ArithmeticError
            If the certified error is not small: the problem is too badly conditioned for double precision.
        """
        if self.host is None:
            return self._compute_reference()
        known = self.host.reference
        return Reference(array_like(known.minimiser, self.weights), known.minimum, known.minimum_error)

    @property
    def L(self) -> float:
        """Smoothness of F (an upper bound)."""
        return self.constants.L

    @property
    def mu(self) -> float:
        """Strong convexity of F (a lower bound)."""
        return self.constants.mu

    @property
    def condition_number(self) -> float:
        """L / mu, infinite if mu = 0."""
        return self.L / self.mu if self.mu else float("inf")

    @property
    def L_i(self) -> NDArray[Any]:
        """Smoothness of every f_i (upper bounds), shape (n,)."""
        return self.constants.L_i

    @property
    def L_max(self) -> float:
        """Largest of the L_i."""
        return float(max(self.L_i))

    @property
    def minimiser(self) -> Array:
        """A minimiser, shape (d,); see `reference` for its certificate."""
        return self.reference.minimiser

    @property
    def minimum(self) -> float:
        """F at `minimiser`."""
        return self.reference.minimum

    @property
    def minimum_error(self) -> float:
        """Certified bound of minimum - F*."""
        return self.reference.minimum_error

    def value_and_worker_gradients(self, x: Array) -> tuple[Array, Array]:
        """Evaluate at a common point: x (..., d) to F (...,) and the gradients of all f_i (..., n, d)."""
        shape = (*x.shape[:-1], self.workers, self.d)
        if x.ndim == 0 or x.shape[-1] != self.d:
            raise ValueError(f"x has the shape {tuple(x.shape)}; accepted: (..., {self.d})")
        points = array_namespace(x).broadcast_to(x[..., None, :], shape)
        values, gradients = self.local_values_and_gradients(points)
        return values @ self.weights, gradients

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Evaluate F (...,) and its gradient (..., d) at x (..., d), in the time of the gradient."""
        value, gradients = self.value_and_worker_gradients(x)
        return value, self.average(gradients)

    def average(self, vectors: Array) -> Array:
        """Return sum_i p_i v_i of vectors (..., n, d): (..., d)."""
        axes = ((0,), (vectors.ndim - 2,))
        return array_namespace(vectors).tensordot(self.weights, vectors, axes=axes)

    def objective(self, x: Array) -> Array:
        """Evaluate F at x (..., d); costs as much as its gradient."""
        return self.value_and_gradient(x)[0]

    def gradient(self, x: Array) -> Array:
        """Evaluate the gradient of F at x (..., d)."""
        return self.value_and_gradient(x)[1]

    def worker_gradients(self, x: Array) -> Array:
        """Evaluate the gradients of all f_i at a common point: x (..., d) to (..., n, d)."""
        return self.value_and_worker_gradients(x)[1]

    def local_gradients(self, points: Array) -> Array:
        """Evaluate the gradient of every f_i at a point of its own: points (..., n, d) to (..., n, d)."""
        return self.local_values_and_gradients(points)[1]
