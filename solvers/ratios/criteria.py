"""What compression costs, as convex decreasing functions f of the fraction kept."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..array import check_positive

__all__ = ["Criterion", "Power", "SquaredMemory", "SquaredNoise", "memory_cost"]


class Criterion(Protocol):
    """A convex decreasing f on (0, 1], as in `Power`; every function is of arrays, entry by entry."""

    def value(self, delta: Any) -> Any:
        """Return f(delta)."""
        ...

    def slope(self, delta: Any) -> Any:
        """Return -f'(delta)."""
        ...

    def minimiser(self, price: Any) -> Any:
        """Return the minimiser of f(delta) + price delta, to a few units of rounding."""
        ...

    def gain(self, k: Any, d: int) -> Any:
        """Return f(k/d) - f((k + 1)/d) for counts 1 <= k < d, without cancellation."""
        ...


@dataclass(frozen=True)
class Power:
    """f(delta) = delta^(-b).

    Parameters
    ----------
    b : float
        Positive. 1: step-size limit and memory of error feedback; 2: its square; 1/2: its noise.

    Raises
    ------
    TypeError, ValueError
        If b is not a positive finite number.

    Notes
    -----
    Source: dossier chapter 3, sections 3.7 and 3.8.

    Examples
    --------
    >>> Power(2).value(0.5), Power(2).slope(0.5)
    (4.0, 16.0)
    """

    b: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "b", check_positive(self.b, "b"))

    def value(self, delta: Any) -> Any:
        """Return delta^(-b)."""
        return 1 / (delta if self.b == 1 else delta**self.b)

    def slope(self, delta: Any) -> Any:
        """Return b delta^(-b-1)."""
        return self.value(delta) * (self.b / delta)

    def minimiser(self, price: Any) -> Any:
        """Return (b / price)^(1/(1 + b))."""
        return (self.b / price) ** (1 / (1 + self.b))

    def gain(self, k: Any, d: int) -> Any:
        """Return (d/k)^b - (d/(k + 1))^b."""
        if self.b == 1:
            return d / (k * (k + 1.0))
        return (d / k) ** self.b * -np.expm1(-self.b * np.log1p(1 / k))


@dataclass(frozen=True)
class SquaredMemory:
    """f(delta) = a(delta)^2, a(delta) = q/(1 - q), q = sqrt(1 - delta): the memory of error feedback, squared, exactly.

    Notes
    -----
    Source: dossier chapter 3, `exact-objectives`; with z = 1 - q, delta = z (2 - z), f = (1/z - 1)^2, -f' = 1/z^3.

    Examples
    --------
    >>> float(SquaredMemory().value(0.75)), float(SquaredMemory().slope(0.75))
    (1.0, 8.0)
    """

    def value(self, delta: Any) -> Any:
        """Return a(delta)^2."""
        return memory_cost(delta) ** 2

    def slope(self, delta: Any) -> Any:
        """Return 1/z^3."""
        return (1 / contraction(delta)) ** 3

    def minimiser(self, price: Any) -> Any:
        """Return z (2 - z) with z = price^(-1/3), at most 1."""
        z = np.minimum((1 / price) ** (1 / 3), 1.0)
        return z * (2 - z)

    def gain(self, k: Any, d: int) -> Any:
        """Return a(k/d)^2 - a((k + 1)/d)^2."""
        first, second = k / d, (k + 1.0) / d
        q_first, q_second = np.sqrt((d - k) / d), np.sqrt((d - k - 1.0) / d)
        # 1/z = (1 + q)/delta; both factors of the difference of squares are sums of positive terms.
        step = (1 + q_first + first / (q_first + q_second)) / (d * first * second)
        return step * (memory_cost(first) + memory_cost(second))


@dataclass(frozen=True)
class SquaredNoise:
    """f(delta) = r(delta)^2 = q^2/(1 - q), q = sqrt(1 - delta): what error feedback makes of gradient noise, squared.

    Notes
    -----
    Source: dossier chapter 3, `exact-objectives`; with z = 1 - q, f = (1 - z)^2/z, -f' = (1 + z)/(2 z^2).

    Examples
    --------
    >>> float(SquaredNoise().value(0.75)), float(SquaredNoise().slope(0.75))
    (0.5, 3.0)
    """

    def value(self, delta: Any) -> Any:
        """Return r(delta)^2."""
        return (1 - delta) / contraction(delta)

    def slope(self, delta: Any) -> Any:
        """Return (1 + z)/(2 z^2)."""
        z = contraction(delta)
        return (1 + z) / z / (2 * z)

    def minimiser(self, price: Any) -> Any:
        """Return z (2 - z) with z = (1 + sqrt(1 + 8 price))/(4 price), at most 1."""
        z = np.minimum((1 + np.sqrt(1 + 8 * price)) / (4 * price), 1.0)
        return z * (2 - z)

    def gain(self, k: Any, d: int) -> Any:
        """Return r(k/d)^2 - r((k + 1)/d)^2."""
        first, second = contraction(k / d), contraction((k + 1.0) / d)
        # (1 - z)^2/z = 1/z - 2 + z, and the difference of the two z is 1/d over their 2 - z_1 - z_2.
        q_first, q_second = np.sqrt((d - k) / d), np.sqrt((d - k - 1.0) / d)
        return (1 / (first * second) - 1) / (d * (q_first + q_second))


def contraction(delta: Any) -> Any:
    """Return z = 1 - sqrt(1 - delta), without cancellation.

    Examples
    --------
    >>> float(contraction(0.75))
    0.5
    """
    return delta / (1 + np.sqrt(1 - delta))


def memory_cost(delta: Any) -> Any:
    """Return a(delta) = q/(1 - q), q = sqrt(1 - delta): the memory of error feedback in units of the gradient.

    Notes
    -----
    Source: dossier chapter 3, `def-a-r`. Convex on (0, 8/9] only.

    Examples
    --------
    >>> memory_cost(np.array([0.75, 1.0]))
    array([1., 0.])
    """
    q = np.sqrt(1 - delta)
    return q * (1 + q) / delta
