"""Thresholds of triggers as functions of the iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..array import check_fraction, check_non_negative

__all__ = ["Constant", "Geometric", "PowerLaw", "Threshold"]


class Threshold(Protocol):
    """c_k, non-negative."""

    def __call__(self, k: int) -> float:
        """Return the threshold of iteration k."""


@dataclass(frozen=True)
class Constant:
    """c_k = c.

    Examples
    --------
    >>> Constant(0.1)(7)
    0.1
    """

    c: float

    def __post_init__(self) -> None:
        check_non_negative(self.c, "c")

    def __call__(self, k: int) -> float:
        """Return c."""
        return self.c


@dataclass(frozen=True)
class Geometric:
    """c_k = c factor^k: linear convergence at the slower of the two rates (`eg-sc`).

    Examples
    --------
    >>> Geometric(1.0, 0.5)(2)
    0.25
    """

    c: float
    factor: float

    def __post_init__(self) -> None:
        check_non_negative(self.c, "c")
        check_fraction(self.factor, "factor")

    def __call__(self, k: int) -> float:
        """Return c factor^k."""
        return float(self.c * self.factor**k)


@dataclass(frozen=True)
class PowerLaw:
    """c_k = c (k + 1)^(-exponent).

    Examples
    --------
    >>> PowerLaw(1.0, 1.0)(3)
    0.25
    """

    c: float
    exponent: float

    def __post_init__(self) -> None:
        check_non_negative(self.c, "c")
        check_non_negative(self.exponent, "exponent")

    def __call__(self, k: int) -> float:
        """Return c (k + 1)^(-exponent)."""
        return float(self.c * (k + 1) ** -self.exponent)
