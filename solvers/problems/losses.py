"""Losses of a linear model: a value and a slope for every row, and bounds on the curvature."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..array import Array, array_namespace

__all__ = ["LogisticLoss", "Loss", "SoftmaxLoss", "SquaredLoss"]


class Loss(Protocol):
    """phi(z, y) of scores z (..., m, c) and targets y (m, c), row by row."""

    curvature: ClassVar[tuple[float, float]]
    """Numbers between which all eigenvalues of the Hessian in z lie."""

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        """Return the values (..., m) and the gradients in z (..., m, c)."""

    def slope_product(self, z: Array, y: Array, v: Array) -> Array:
        """Return the Hessian in z times v (..., m, c)."""


@dataclass(frozen=True)
class SquaredLoss:
    """phi = (z - y)^2 / 2, real targets y."""

    curvature: ClassVar[tuple[float, float]] = (1.0, 1.0)

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        """Return the values (..., m) and the gradients in z (..., m, 1)."""
        difference = z - y
        return 0.5 * difference[..., 0] ** 2, difference

    def slope_product(self, z: Array, y: Array, v: Array) -> Array:
        """Return the Hessian in z times v."""
        del z, y
        return v


@dataclass(frozen=True)
class LogisticLoss:
    """phi = log(1 + exp(-y z)), labels y = -1 or +1."""

    curvature: ClassVar[tuple[float, float]] = (0.0, 0.25)

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        """Return the values (..., m) and the gradients in z (..., m, 1)."""
        xp = array_namespace(z)
        margin = y * z
        # exp of a non-positive number only: nothing overflows, and 1 + tiny keeps its digits in log1p.
        tiny = xp.exp(-xp.abs(margin))
        value = xp.log1p(tiny) + 0.5 * (xp.abs(margin) - margin)
        slope = -y * xp.where(margin > 0, tiny, xp.ones_like(tiny)) / (1 + tiny)
        return value[..., 0], slope

    def slope_product(self, z: Array, y: Array, v: Array) -> Array:
        """Return the Hessian in z times v."""
        xp = array_namespace(z)
        tiny = xp.exp(-xp.abs(y * z))
        return v * tiny / (1 + tiny) ** 2


@dataclass(frozen=True)
class SoftmaxLoss:
    """phi = log sum_c exp(z_c) - <y, z>, y the unit vector of the class.

    The Hessian diag(q) - q q^T at probabilities q lies between 0 and 1/2 (Boehning 1992).
    """

    curvature: ClassVar[tuple[float, float]] = (0.0, 0.5)

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        """Return the values (..., m) and the gradients in z (..., m, c)."""
        xp = array_namespace(z)
        top = xp.max(z, axis=-1, keepdims=True)
        exponentials = xp.exp(z - top)
        total = xp.sum(exponentials, axis=-1, keepdims=True)
        value = (xp.log(total) + top)[..., 0] - xp.sum(y * z, axis=-1)
        return value, exponentials / total - y

    def slope_product(self, z: Array, y: Array, v: Array) -> Array:
        """Return the Hessian in z times v."""
        xp = array_namespace(z)
        probabilities = self.value_and_slope(z, y)[1] + y
        weighted = probabilities * v
        return weighted - probabilities * xp.sum(weighted, axis=-1, keepdims=True)
