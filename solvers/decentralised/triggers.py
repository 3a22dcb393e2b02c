"""When a worker sends: small values that look at its parameters and its last message (dossier 4.1.3, 4.1.4)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..array import Array, check_choice, check_count, check_non_negative
from .tensors import Tensors
from .thresholds import Threshold

__all__ = [
    "Adaptive",
    "Always",
    "DifferenceNorm",
    "Every",
    "Forced",
    "HorizonWarning",
    "Look",
    "NormAndAngle",
    "NormDifference",
    "Path",
    "Relative",
    "Trigger",
]

Floats = NDArray[np.float64]
Fires = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Look:
    """What a trigger may look at in an iteration; norms and distances are computed when they are asked for.

    Parameters
    ----------
    iteration : int
        k.
    points, copies : Array, shape (n, d)
        The workers' parameters, and what they have sent last.
    tensors : Tensors
        Which tensors they consist of.
    copy_norms : numpy.ndarray, shape (n, B)
        Norms of the tensors when they were sent last.
    last_sent : numpy.ndarray of int, shape (n, B)
        Iteration of the last message; -1 if there was none.
    moved : numpy.ndarray, shape (n, B)
        Distance from the parameters of the iteration before, 0 at the start; only where `needs_movement`.
    step : numpy.ndarray, shape (n, B)
        Norm of the gradient step that follows; only where `needs_step`.
    """

    iteration: int
    points: Array
    copies: Array
    tensors: Tensors
    copy_norms: Floats
    last_sent: NDArray[np.int64]
    moved: Floats | None = None
    step: Floats | None = None

    @cached_property
    def norms(self) -> Floats:
        """Norms of the tensors, shape (n, B)."""
        return self.tensors.norms(self.points)

    @cached_property
    def norm_differences(self) -> Floats:
        """``| |x| - |x when sent last| |``, shape (n, B)."""
        return np.abs(self.norms - self.copy_norms)

    @cached_property
    def distances(self) -> Floats:
        """``|x - copy|``, shape (n, B)."""
        return self.tensors.distances(self.points, self.copies)


class Trigger(Protocol):
    """Decides which tensors of which workers are sent."""

    @property
    def needs_movement(self) -> bool:
        """Whether it looks at `Look.moved`."""

    @property
    def needs_step(self) -> bool:
        """Whether it looks at `Look.step`."""

    def start(self, n: int, tensors: Tensors) -> Any:
        """Return what it remembers at the start."""

    def fires(self, look: Look, memory: Any) -> tuple[Fires, Any]:
        """Return which tensors are sent, shape (n, B), and what it remembers then."""


class _Memoryless:
    """What most triggers share: they remember nothing, and look at parameters only."""

    needs_movement = False
    needs_step = False

    def start(self, n: int, tensors: Tensors) -> Any:
        """Remember nothing."""
        del n, tensors


@dataclass(frozen=True)
class Always(_Memoryless):
    """Send in every iteration: D-PSGD."""

    def fires(self, look: Look, memory: Any) -> tuple[Fires, Any]:
        """Fire everywhere."""
        return np.ones(look.last_sent.shape, dtype=bool), memory


@dataclass(frozen=True)
class Every(_Memoryless):
    """Send in every m-th iteration.

    Parameters
    ----------
    period : int
        m.
    """

    period: int

    def __post_init__(self) -> None:
        check_count(self.period, "period")

    def fires(self, look: Look, memory: Any) -> tuple[Fires, Any]:
        """Fire everywhere if k is a multiple of the period."""
        return np.full(look.last_sent.shape, look.iteration % self.period == 0), memory


@dataclass(frozen=True)
class NormDifference(_Memoryless):
    """Send where the norm has changed: ``| |x| - |copy| | >= c_k``. As published; it bounds nothing.

    Notes
    -----
    Source: dossier 4.1.3, `norm-diff-unsafe`. It does not see a change at equal norm.
    """

    threshold: Threshold

    def fires(self, look: Look, memory: Any) -> tuple[Fires, Any]:
        """Compare norms."""
        return look.norm_differences >= self.threshold(look.iteration), memory


@dataclass(frozen=True)
class DifferenceNorm(_Memoryless):
    """Send where the parameters have changed: ``|x - copy| >= c_k``. Safe: no copy is farther than c_k."""

    threshold: Threshold

    def fires(self, look: Look, memory: Any) -> tuple[Fires, Any]:
        """Compare distances."""
        return look.distances >= self.threshold(look.iteration), memory


@dataclass(frozen=True)
class Path:
    """Send where the way since the last message reaches c_k. Safe, and needs one number instead of a copy."""

    threshold: Threshold
    needs_movement = True
    needs_step = False

    def start(self, n: int, tensors: Tensors) -> Floats:
        """Return the ways since the last messages: none."""
        return np.zeros((n, len(tensors.sizes)))

    def fires(self, look: Look, memory: Floats) -> tuple[Fires, Floats]:
        """Add the last movement, and compare."""
        way = memory + np.asarray(look.moved)
        fires = way >= self.threshold(look.iteration)
        return fires, np.where(fires, 0.0, way)


@dataclass(frozen=True)
class Relative(_Memoryless):
    """Send where ``|x - copy| > factor |step|``, the size of the gradient step at hand (`relative-threshold`)."""

    factor: float
    needs_step = True

    def __post_init__(self) -> None:
        check_non_negative(self.factor, "factor")

    def fires(self, look: Look, memory: Any) -> tuple[Fires, Any]:
        """Compare distances with steps."""
        return look.distances > self.factor * np.asarray(look.step), memory


@dataclass(frozen=True)
class NormAndAngle(_Memoryless):
    """Send where the norm or the angle has changed: the safe repair of the published trigger (`norm-diff-repair`).

    Parameters
    ----------
    norm_threshold, angle_threshold : Threshold
        Bounds of ``| |x| - |copy| |`` and of ``sqrt(2 (|x| |copy| - <x, copy>))``: together they bound the distance by
        the root of the sum of their squares.
    """

    norm_threshold: Threshold
    angle_threshold: Threshold

    def fires(self, look: Look, memory: Any) -> tuple[Fires, Any]:
        """Compare both parts; the law of cosines gives the second from the distance."""
        angular = np.sqrt(np.maximum(look.distances**2 - look.norm_differences**2, 0.0))
        k = look.iteration
        return (look.norm_differences >= self.norm_threshold(k)) | (angular >= self.angle_threshold(k)), memory


@dataclass(frozen=True)
class Forced:
    """Another trigger, and a message at least in every `every`-th iteration.

    Parameters
    ----------
    trigger : Trigger
        The other one.
    every : int
        Iterations between two messages, at most: the age of copies is at most ``every - 1``.
    """

    trigger: Trigger
    every: int

    def __post_init__(self) -> None:
        check_count(self.every, "every")

    @property
    def needs_movement(self) -> bool:
        """What the other one needs."""
        return self.trigger.needs_movement

    @property
    def needs_step(self) -> bool:
        """What the other one needs."""
        return self.trigger.needs_step

    def start(self, n: int, tensors: Tensors) -> Any:
        """Return what the other one remembers."""
        return self.trigger.start(n, tensors)

    def fires(self, look: Look, memory: Any) -> tuple[Fires, Any]:
        """Fire where the other one does, or the last message is old."""
        fires, memory = self.trigger.fires(look, memory)
        return fires | (look.iteration - look.last_sent >= self.every), memory


HORIZON_LIMIT = 3 ** (1 / 3)
"""The value of `horizon-lockout`: a tensor of steadily drifting norm is never sent again beyond it."""


class HorizonWarning(UserWarning):
    """A horizon at which the published rule falls silent for ever."""


@dataclass(frozen=True, eq=False)
class AdaptiveMemory:
    """What the adaptive rule remembers of every tensor: threshold, last slopes (n, B, H), last pass, last norm."""

    threshold: Floats
    slopes: Floats
    last_pass: NDArray[np.int64]


@dataclass(frozen=True)
class Adaptive:
    """The published rule: the threshold is the mean of the last slopes, times the horizon in every pass.

    Parameters
    ----------
    horizon : float
        h. Beyond ``3^(1/3)`` a steadily drifting tensor falls silent for ever (`horizon-lockout`) if it compounds.
    history : int
        Number of slopes that are averaged.
    warm_up : int
        Passes at the start in which everything is sent.
    compounding : bool
        Whether the horizon multiplies the threshold in every pass, as in the reference program, or once.
    measure : {"norm difference", "distance"}
        What is compared with the threshold: as published, or safe.

    Warns
    -----
    HorizonWarning
        If the horizon compounds and is beyond the limit of `horizon-lockout`.

    Notes
    -----
    Source: dossier 4.1.4, read from the reference program. Passes count from 1.

    Examples
    --------
    >>> import pytest
    >>> with pytest.warns(HorizonWarning, match="1.4422"):
    ...     _ = Adaptive(horizon=1.5)
    """

    horizon: float = 1.0
    history: int = 2
    warm_up: int = 29
    compounding: bool = True
    measure: str = "norm difference"
    needs_movement = False
    needs_step = False

    def __post_init__(self) -> None:
        check_non_negative(self.horizon, "horizon")
        check_count(self.history, "history")
        check_count(self.warm_up, "warm_up", lowest=0)
        check_choice(self.measure, "measure", ("norm difference", "distance"))
        if self.compounding and self.horizon > HORIZON_LIMIT:
            warnings.warn(
                f"horizon={self.horizon:g} is beyond 3^(1/3) = {HORIZON_LIMIT:.5g}: tensors whose norms drift steadily "
                "are never sent again after the first passes (horizon-lockout)",
                HorizonWarning,
                stacklevel=3,
            )

    def start(self, n: int, tensors: Tensors) -> AdaptiveMemory:
        """Return thresholds and slopes that are zero."""
        shape = (n, len(tensors.sizes))
        return AdaptiveMemory(np.zeros(shape), np.zeros((*shape, self.history)), np.zeros(shape, dtype=np.int64))

    def fires(self, look: Look, memory: AdaptiveMemory) -> tuple[Fires, AdaptiveMemory]:
        """Compare the change with the threshold, and learn the slope where it fires."""
        change = look.norm_differences if self.measure == "norm difference" else look.distances
        k = look.iteration + 1
        with np.errstate(over="ignore"):  # a threshold that grows for ever ends as infinity: silence
            threshold = memory.threshold * self.horizon if self.compounding else memory.threshold
        compared = threshold if self.compounding else threshold * self.horizon
        fires = (change >= compared) | (k <= self.warm_up)
        slope = change / (k - memory.last_pass)
        slopes = np.where(
            fires[..., None], np.concatenate([memory.slopes[..., 1:], slope[..., None]], axis=-1), memory.slopes
        )
        return fires, AdaptiveMemory(
            np.where(fires, slopes.mean(axis=-1), threshold), slopes, np.where(fires, k, memory.last_pass)
        )
