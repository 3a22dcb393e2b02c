"""How long a worker computes: laws of random times, in seconds."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..array import check_non_negative, check_positive

__all__ = ["ComputeTime", "Deterministic", "Exponential", "LogNormal", "Pareto", "ShiftedExponential"]


class ComputeTime(ABC):
    """A random time: shift + scale times a draw of a standard law, which workers of different speed can share."""

    @property
    def shift(self) -> float:
        """The part that is the same every time, in seconds."""
        return 0.0

    @property
    @abstractmethod
    def scale(self) -> float:
        """Unit of the random part, in seconds."""

    @property
    @abstractmethod
    def mean(self) -> float:
        """Expected time in seconds; infinite for a Pareto law of index 1 or less."""

    @abstractmethod
    def standard(self) -> Self:
        """Return the law with shift 0 and scale 1."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Draw independent times, in seconds, shape (size,)."""


@dataclass(frozen=True)
class Deterministic(ComputeTime):
    """Always the same time.

    Examples
    --------
    >>> Deterministic(2.0).draw(np.random.default_rng(0), 3)
    array([2., 2., 2.])
    """

    seconds: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", check_positive(self.seconds, "seconds"))

    @property
    def scale(self) -> float:
        """The time itself."""
        return self.seconds

    @property
    def mean(self) -> float:
        """The time itself."""
        return self.seconds

    def standard(self) -> Self:
        """Return the law of one second."""
        return type(self)(1.0)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Repeat the time."""
        return np.full(size, float(self.seconds))


@dataclass(frozen=True)
class Exponential(ComputeTime):
    """P(time > t) = exp(-t / average).

    Examples
    --------
    >>> Exponential(2.0).draw(np.random.default_rng(0), 10_000).mean().round(1)
    np.float64(2.0)
    """

    average: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "average", check_positive(self.average, "average"))

    @property
    def scale(self) -> float:
        """The average."""
        return self.average

    @property
    def mean(self) -> float:
        """The average."""
        return self.average

    def standard(self) -> Self:
        """Return the law of average 1."""
        return type(self)(1.0)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Draw times."""
        return self.average * rng.standard_exponential(size)


@dataclass(frozen=True)
class ShiftedExponential(ComputeTime):
    """least + an exponential time: a fixed amount of work and random interruptions.

    Parameters
    ----------
    least : float
        Smallest time, in seconds, at least 0.
    average_excess : float
        Mean of what comes on top, in seconds.

    Examples
    --------
    >>> ShiftedExponential(1.0, 0.5).mean
    1.5
    """

    least: float
    average_excess: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "least", check_non_negative(self.least, "least"))
        object.__setattr__(self, "average_excess", check_positive(self.average_excess, "average_excess"))

    @property
    def shift(self) -> float:
        """The smallest time."""
        return self.least

    @property
    def scale(self) -> float:
        """Mean of what comes on top."""
        return self.average_excess

    @property
    def mean(self) -> float:
        """Smallest time plus mean excess."""
        return self.least + self.average_excess

    def standard(self) -> Self:
        """Return the exponential law of average 1."""
        return type(self)(0.0, 1.0)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Draw times."""
        return self.least + self.average_excess * rng.standard_exponential(size)


@dataclass(frozen=True)
class Pareto(ComputeTime):
    """P(time > t) = (least / t)^index for t >= least: stragglers.

    Parameters
    ----------
    index : float
        At least 0.1, so that no time overflows; in (1, 2] the mean is finite and the variance is not.
    least : float
        Smallest time, in seconds.

    Examples
    --------
    >>> Pareto(1.5, least=1.0).mean
    3.0
    """

    index: float
    least: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", check_positive(self.index, "index"))
        if self.index < 0.1:
            raise ValueError(f"index = {self.index} is outside the accepted range [0.1, inf)")
        object.__setattr__(self, "least", check_positive(self.least, "least"))

    @property
    def scale(self) -> float:
        """The smallest time."""
        return self.least

    @property
    def mean(self) -> float:
        """Index / (index - 1) times the smallest time, infinite for index <= 1."""
        return self.least * self.index / (self.index - 1) if self.index > 1 else math.inf

    def standard(self) -> Self:
        """Return the law of the same index from 1 second on."""
        return type(self)(self.index, 1.0)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Draw times."""
        return self.least * (1 + rng.pareto(self.index, size))


@dataclass(frozen=True)
class LogNormal(ComputeTime):
    """median times the exponential of a normal number.

    Parameters
    ----------
    median : float
        In seconds.
    log_deviation : float
        Standard deviation of the logarithm, at most 50, so that no time overflows.

    Examples
    --------
    >>> round(LogNormal(1.0, 0.5).mean, 4)
    1.1331
    """

    median: float
    log_deviation: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "median", check_positive(self.median, "median"))
        object.__setattr__(self, "log_deviation", check_positive(self.log_deviation, "log_deviation", highest=50.0))

    @property
    def scale(self) -> float:
        """The median."""
        return self.median

    @property
    def mean(self) -> float:
        """Median times exp(log_deviation^2 / 2)."""
        return self.median * math.exp(self.log_deviation**2 / 2)

    def standard(self) -> Self:
        """Return the law of the same deviation with median 1."""
        return type(self)(1.0, self.log_deviation)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Draw times."""
        return self.median * np.exp(self.log_deviation * rng.standard_normal(size))
