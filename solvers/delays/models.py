"""Delay models: rules that give every worker a delay in every iteration."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array import check_count, check_positive
from .trace import Trace

__all__ = [
    "DESTABILISING",
    "Constant",
    "Cyclic",
    "DelayModel",
    "Geometric",
    "HeavyTail",
    "Hold",
    "Periodic",
    "RampPlateau",
    "RoundRobin",
    "Uniform",
]

DESTABILISING = {
    1: (1,),
    2: (0, 1, 2, 2),
    3: (0, 1, 2, 3, 3, 3),
    4: (0, 1, 2, 3, 4, 4, 4, 4),
    5: (0, 1, 2, 3, 4, 5, 5, 5, 5),
    6: (0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6),
}
"""For each staleness, the pattern found to make x <- x - step L x_{k - delay} unstable at the smallest step.

The steps, in units of 1/L: 1, 2 - sqrt(2), 1 - 1/sqrt(3), 1/3, 0.2713, 0.2298. For 3 the search of dossier 4.10 had
stopped at 0.4302; up to period 8 no pattern is worse than these for staleness 2 and 3.
"""


class DelayModel(ABC):
    """A rule for tau_i^k; where it asks for a version before the start, the worker reads version 0."""

    def trace(self, iterations: int, workers: int, seed: Any = 0) -> Trace:
        """Return K iterations of n workers.

        Parameters
        ----------
        iterations, workers : int
            K and n.
        seed : int or numpy.random.Generator
            Of the delays, where they are random.

        Returns
        -------
        Trace
            Every worker is used in every iteration, with a new message (unless the model says otherwise); arrivals
            are counted in iterations, lengths are 0 bits.

        Raises
        ------
        TypeError, ValueError
            If K or n is not a positive integer.
        """
        check_count(iterations, "iterations")
        check_count(workers, "workers")
        delay = self._delays(np.arange(iterations)[:, None], np.arange(workers), np.random.default_rng(seed))
        return Trace.from_delays(np.minimum(delay, np.arange(iterations)[:, None]))

    @abstractmethod
    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the delays wanted, for iterations k (K, 1) and workers i (n,), as what broadcasts to (K, n)."""


@dataclass(frozen=True)
class Constant(DelayModel):
    """tau_i^k = tau: a pipeline.

    Examples
    --------
    >>> Constant(2).trace(5, 1).delay.ravel()
    array([0, 1, 2, 2, 2])
    """

    tau: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", check_count(self.tau, "tau", lowest=0))

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        return self.tau + 0 * (k + i)


@dataclass(frozen=True)
class Cyclic(DelayModel):
    """tau_i^k = (k + i) mod (tau + 1): every worker takes a new model each tau + 1 iterations, one after the other.

    Examples
    --------
    >>> Cyclic(2).trace(6, 2).delay.T
    array([[0, 1, 2, 0, 1, 2],
           [0, 1, 0, 1, 2, 0]])
    """

    tau: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", check_count(self.tau, "tau", lowest=0))

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        return (k + i) % (self.tau + 1)


@dataclass(frozen=True)
class Hold(DelayModel):
    """tau_i^k = k mod (tau + 1): local rounds on one broadcast; extremal for `stale-necessary`.

    Examples
    --------
    >>> Hold(2).trace(6, 1).delay.ravel()
    array([0, 1, 2, 0, 1, 2])
    """

    tau: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", check_count(self.tau, "tau", lowest=0))

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        return k % (self.tau + 1) + 0 * i


@dataclass(frozen=True)
class Periodic(DelayModel):
    """tau_i^k = pattern[k mod length], the same for every worker.

    Parameters
    ----------
    pattern : tuple of int
        Delays; `DESTABILISING` has the worst ones known.

    Examples
    --------
    >>> Periodic(DESTABILISING[2]).trace(9, 1).delay.ravel()
    array([0, 1, 2, 2, 0, 1, 2, 2, 0])
    """

    pattern: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.pattern:
            raise ValueError("pattern is empty; accepted: at least one delay")
        for delay in self.pattern:
            check_count(delay, "pattern", lowest=0)

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        return np.array(self.pattern)[k % len(self.pattern)] + 0 * i


@dataclass(frozen=True)
class RampPlateau(DelayModel):
    """0, 1, ..., tau - 1, then tau for some iterations, repeated: near the most destabilising pattern for quadratics.

    Parameters
    ----------
    tau : int
        Largest delay.
    plateau : int, optional
        Iterations at tau in each period; default tau (1 if tau = 0).

    Examples
    --------
    >>> RampPlateau(2).trace(9, 1).delay.ravel()
    array([0, 1, 2, 2, 0, 1, 2, 2, 0])
    """

    tau: int
    plateau: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", check_count(self.tau, "tau", lowest=0))
        if self.plateau is not None:
            object.__setattr__(self, "plateau", check_count(self.plateau, "plateau"))

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        plateau = max(self.tau, 1) if self.plateau is None else self.plateau
        return np.minimum(k % (self.tau + plateau), self.tau) + 0 * i


@dataclass(frozen=True)
class Uniform(DelayModel):
    """tau_i^k independent and uniform on 0..tau: an average case.

    Examples
    --------
    >>> Uniform(3).trace(1000, 2, seed=0).max_delay
    3
    """

    tau: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", check_count(self.tau, "tau", lowest=0))

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.integers(0, self.tau, size=(k + i).shape, endpoint=True)


@dataclass(frozen=True)
class Geometric(DelayModel):
    """tau_i^k independent, P(delay = t) = (1 - continuation) continuation^t, cut off: longer ones count as tau.

    Parameters
    ----------
    continuation : float
        Probability that a delay goes on for one more iteration, in (0, 1); the mean before the cut is
        continuation / (1 - continuation).
    tau : int
        Largest delay.

    Examples
    --------
    >>> Geometric(0.5, tau=4).trace(1000, 2, seed=0).max_delay
    4
    """

    continuation: float
    tau: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "continuation", check_positive(self.continuation, "continuation", highest=1.0))
        if self.continuation == 1:
            raise ValueError(
                "continuation = 1 is outside the accepted range (0, 1): every delay would be tau; use Constant"
            )
        object.__setattr__(self, "tau", check_count(self.tau, "tau", lowest=0))

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        return np.minimum(rng.geometric(1 - self.continuation, size=(k + i).shape) - 1, self.tau)


@dataclass(frozen=True)
class HeavyTail(DelayModel):
    """tau_i^k independent, P(delay >= t) = (1 + t/scale)^(-index) for t = 0, 1, ...: no largest delay.

    Only the delay-adaptive steps and the delay filter (dossier 4.12) cover it: `max_delay` of a trace grows with K.

    Parameters
    ----------
    index : float
        Of the Pareto law, positive; in (1, 2] the mean is finite and the variance is not.
    scale : float
        In iterations.

    Examples
    --------
    >>> trace = HeavyTail(1.5).trace(10_000, 1, seed=0)
    >>> bool(trace.delay.mean() < 2), trace.max_delay > 100
    (True, True)
    """

    index: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", check_positive(self.index, "index"))
        object.__setattr__(self, "scale", check_positive(self.scale, "scale"))

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        draws = self.scale * rng.pareto(self.index, size=(k + i).shape)
        return np.floor(np.minimum(draws, k)).astype(np.int64)  # before the conversion: a draw can exceed every integer


@dataclass(frozen=True)
class RoundRobin(DelayModel):
    """Stored messages, one refreshed in each iteration, in turn: the classical incremental aggregated gradient.

    Iteration 0 uses a new message of every worker; then iteration k replaces the one of worker k mod n. tau = n - 1.

    Examples
    --------
    >>> trace = RoundRobin().trace(6, 3)
    >>> trace
    Trace(6 iterations, 3 workers, 8 messages stored, largest delay 2)
    >>> trace.fresh.sum(axis=1)
    array([3, 1, 1, 1, 1, 1])
    """

    def trace(self, iterations: int, workers: int, seed: Any = 0) -> Trace:
        """Return K iterations of n workers, with stored messages."""
        return super().trace(iterations, workers, seed).with_stored_messages()

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        return (k - i) % max(len(i), 1)
