"""Water-filling: the level at which clipped rays cost what there is to spend, by sorting or by selection."""

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .exact_sums import chunks

__all__ = ["Rays", "find_level"]

Vector = NDArray[np.float64]

_FEW = 1024
"""So many workers are sorted."""

_MANY = 2**16
"""For more workers a sample saves steps."""

_NEWTON_STEPS = 6

_CLOSE = 2.0**-26
"""Relative: from here a step of Newton's method leads to within rounding."""


@dataclass(frozen=True, eq=False)
class Rays:
    """Worker i does z_i(t) = clip(t slope_i, low_i, high_i) and pays c_i z_i, or c_i z_i (2 - z_i) if curved.

    Each spends a piecewise polynomial in t with the breakpoints low_i/slope_i and high_i/slope_i, not decreasing.
    """

    slopes: Any
    low: Any
    high: Any
    costs: Any
    curved: bool = False

    def __getitem__(self, which: Any) -> "Rays":
        return Rays(self.slopes[which], self.low[which], self.high[which], self.costs[which], self.curved)

    def __len__(self) -> int:
        return int(self.slopes.size)

    def at(self, t: float) -> Vector:
        """Return z(t)."""
        z = t * self.slopes
        np.maximum(z, self.low, out=z)  # the two take a third of the time of numpy.clip
        return np.asarray(np.minimum(z, self.high, out=z))

    def priced(self, z: Any) -> Any:
        """Return what is sent: z, or z (2 - z)."""
        return z * (2 - z) if self.curved else z

    def spent(self, t: float) -> float:
        """Return what the workers pay at the level t."""
        parts = (self[piece] for piece in chunks(len(self)))
        return math.fsum(float(np.dot(part.costs, part.priced(part.at(t)))) for part in parts)

    def coefficients(self, costs: Any) -> tuple[Any, ...]:
        """Return the coefficients of t, and of t^2 if curved, in what workers between their breakpoints pay."""
        linear = costs * self.slopes
        return (2 * linear, -linear * self.slopes) if self.curved else (linear,)


class Settled(NamedTuple):
    """What the workers without a breakpoint in the bracket pay: constant + linear t + quadratic t^2."""

    constant: float = 0.0
    linear: float = 0.0
    quadratic: float = 0.0

    def spent(self, t: Any) -> Any:
        """Return what they pay at the level t."""
        return self.constant + self.linear * t + self.quadratic * t * t


def find_level(rays: Rays, budget: float, method: str) -> tuple[float, float]:
    """Return the level t at which the workers spend the budget, up to rounding, and how fast that grows with t.

    Parameters
    ----------
    rays : Rays
        Slopes and upper limits positive.
    budget : float
        Between what they spend at t = 0 and at t = infinity.
    method : str
        "sort": sort all breakpoints, O(n log n). "select": a few steps of Newton's method, which mostly are enough;
        else keep a bracket of the level and the workers with a breakpoint inside, narrow it with two breakpoints of a
        sample that should lie close on both sides of the level, and sort when few workers are left. Expected O(n).

    Examples
    --------
    >>> rays = Rays(np.array([1.0, 2.0]), np.array([0.0, 0.0]), np.array([9.0, 1.0]), np.array([1.0, 1.0]))
    >>> find_level(rays, 1.5, "sort"), find_level(rays, 3.0, "sort")
    ((0.5, 3.0), (2.0, 1.0))
    """
    settled, bracket = Settled(), (0.0, math.inf)
    if method == "select":
        found, bracket = _newton_level(rays, budget)
        if found is not None:
            return found
        rays, settled = _narrowed(rays, settled, bracket)
    rng = np.random.default_rng(0)  # the answer does not depend on it
    lucky = True
    while method == "select" and len(rays) > _FEW:
        sample = rays[rng.integers(0, len(rays), int(len(rays) ** (2 / 3)))]
        before = bracket
        for pivot in _pivots(sample, len(rays) / len(sample), settled, budget, bracket, lucky):
            if bracket[0] < pivot < bracket[1]:
                less = settled.spent(pivot) + rays.spent(pivot) < budget
                bracket = (pivot, bracket[1]) if less else (bracket[0], pivot)
        # A sample without the workers that matter guesses badly; next time its median halves what is left.
        lucky = not lucky or (bracket[0] > before[0] and bracket[1] < before[1])
        rays, settled = _narrowed(rays, settled, bracket)
    return _sorted_level(rays, settled, budget, bracket)


def _newton_level(rays: Rays, budget: float) -> tuple[tuple[float, float] | None, tuple[float, float]]:
    """The level if a few steps of Newton's method find it, and a bracket of it in any case."""
    bracket = (0.0, math.inf)
    t = _guess(rays, budget)
    for _ in range(_NEWTON_STEPS):
        left, growth = budget, 0.0
        for piece in chunks(len(rays)):
            part = rays[piece]
            z = part.at(t)
            free = (z > part.low) & (z < part.high)
            left -= float(np.dot(part.costs, part.priced(z)))
            for power, coefficient in enumerate(part.coefficients(part.costs)):
                growth += (power + 1) * t**power * float(np.dot(free, coefficient))
        following = t + left / growth if growth > 0 else t
        if abs(left) <= _CLOSE * budget:
            return (following, growth), bracket
        bracket = (t, bracket[1]) if left > 0 else (bracket[0], t)
        if not bracket[0] < following < bracket[1]:
            break
        t = following
    return None, bracket


def _guess(rays: Rays, budget: float) -> float:
    """A level near the right one: as if nobody had limits, or for very many workers that of a sample."""
    n = len(rays)
    if n <= _MANY:
        return budget / float(np.dot(rays.costs, rays.slopes))
    sample = rays[:: int(n ** (1 / 3))]
    return _sorted_level(sample, Settled(), budget * len(sample) / n, (0.0, math.inf))[0]


def _pivots(
    sample: Rays, multiple: float, settled: Settled, budget: float, bracket: tuple[float, float], lucky: bool
) -> list[float]:
    """Breakpoints of a sample inside the bracket: two around the level that the sample suggests, or their median."""
    points = _breakpoints(sample, bracket)
    if not lucky:
        return [float(points[points.size // 2])]
    rank = bisect_left(points, budget, key=lambda t: settled.spent(t) + multiple * sample.spent(t))
    margin = int(2 * math.sqrt(points.size)) + 1
    return [float(points[max(rank - margin, 0)]), float(points[min(rank + margin, points.size - 1)])]


def _breakpoints(rays: Rays, bracket: tuple[float, float]) -> Vector:
    """The breakpoints inside the bracket, in increasing order."""
    points = np.concatenate((rays.low / rays.slopes, rays.high / rays.slopes))
    return np.sort(points[(points > bracket[0]) & (points < bracket[1])])


def _narrowed(rays: Rays, settled: Settled, bracket: tuple[float, float]) -> tuple[Rays, Settled]:
    """Move the workers without a breakpoint inside the bracket to the settled ones."""
    kept, sums = [np.zeros(0, dtype=np.int64)], [settled]
    for piece in chunks(len(rays)):
        part = rays[piece]
        starts, stops = part.low / part.slopes, part.high / part.slopes
        waiting, done = starts >= bracket[1], stops <= bracket[0]
        moving = (starts <= bracket[0]) & (stops >= bracket[1])
        still = part.costs * part.priced(np.where(waiting, part.low, part.high))
        coefficients = (float(np.dot(moving, coefficient)) for coefficient in part.coefficients(part.costs))
        sums.append(Settled(float(np.dot(waiting | done, still)), *coefficients))
        kept.append(np.flatnonzero(~(waiting | done | moving)) + piece.start)
    return rays[np.concatenate(kept)], Settled(*map(math.fsum, zip(*sums, strict=True)))


def _sorted_level(rays: Rays, settled: Settled, budget: float, bracket: tuple[float, float]) -> tuple[float, float]:
    """Sort the breakpoints, find between which two the budget is spent, solve there."""
    points = _breakpoints(rays, bracket)
    rank = bisect_left(points, budget, key=lambda t: settled.spent(t) + rays.spent(t))
    low = float(points[rank - 1]) if rank > 0 else bracket[0]
    high = float(points[rank]) if rank < points.size else bracket[1]
    _, (constant, linear, quadratic) = _narrowed(rays, settled, (low, high))
    if linear == 0:  # nobody moves here: every level between these two breakpoints is one
        return high if high < math.inf else low, 0.0
    left = budget - constant
    # The smaller root of linear t + quadratic t^2 = left; quadratic is not positive.
    t = 2 * left / (linear + math.sqrt(max(linear * linear + 4 * quadratic * left, 0.0)))
    t = min(max(t, low), high)
    return t, linear + 2 * quadratic * t
