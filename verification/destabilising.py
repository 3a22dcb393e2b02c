"""Delay patterns that make a step unstable on the simplest problem, and the search for the worst of them.

On ``F = x^2/2`` with one worker, ``x <- x - step * message`` and periodic delays, the last models and the message in
use go through a linear map per period. Its spectral radius decides whether a step size can be safe for every problem
with ``L = 1``; with compression, messages being ``(1 +- sqrt(variance))`` times the gradient, it is that of the second
moments.
Source: dossier 4.10, `stale-necessary`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from taciturn.theory.checks import check_count, check_non_negative

__all__ = ["Pattern", "destabilising_step", "growth", "most_destabilising"]

Pattern = tuple[int, ...]
"""Delays of one period; iteration k reads the model of iteration ``k - pattern[k mod length]``."""

Floats = NDArray[np.float64]

_SCAN = np.geomspace(1e-3, 1, 48)  # in units of the longest step: where instability is looked for first
_GROWS = 1e-9  # growth beyond 1 that is not rounding
_HIGHEST = 2.1  # without delay and noise the limit is 2; both lower it


def growth(pattern: Pattern, step: Any, variance: float = 0.0, *, stored: bool = False) -> Floats:
    """Factor by which the second moments grow per period, asymptotically: above 1 the step is unstable.

    Parameters
    ----------
    pattern
        Delays of one period.
    step
        Step sizes in units of ``1/L``, shape (...).
    variance
        Of the messages relative to the squared gradient.
    stored
        Whether a message is kept and used again while the model it was computed at stays the same.

    Raises
    ------
    ValueError, TypeError
        If the pattern is empty or has a delay that is no integer >= 0, or the variance is negative.

    Examples
    --------
    >>> round(float(growth((0, 1, 2), 0.1, variance=5.0)), 9)  # held: 1 - 2 T a + a^2 (T^2 + T omega), T = 3
    0.64
    >>> round(float(growth((0, 1, 2), 0.1, variance=5.0, stored=True)), 9)  # 1 - 2 T a + a^2 T^2 (1 + omega)
    0.94
    """
    if not pattern:
        raise ValueError("pattern is empty; accepted: at least one delay")
    for delay in pattern:
        check_count(delay, "pattern", lowest=0)
    spread = np.sqrt(check_non_negative(variance, "variance"))
    steps = np.asarray(step, dtype=np.float64)
    tau = max(pattern)
    period = np.eye((tau + 2) ** 2 if spread else tau + 2)
    for delay, renewed in _uses(pattern, stored):
        factors = (1 + spread, 1 - spread) if renewed and spread else (1.0,)
        maps = [_iteration(steps, tau, delay if renewed else None, factor) for factor in factors]
        # Without noise the second moments are those of the mean, whose map is smaller.
        period = np.mean([_squared(step_map) for step_map in maps], axis=0) @ period if spread else maps[0] @ period
    radius = np.abs(np.linalg.eigvals(period)).max(axis=-1)
    return np.asarray(radius if spread else radius**2)


def _uses(pattern: Pattern, stored: bool) -> Iterator[tuple[int, bool]]:
    """Delay of every iteration of a period, and whether its message is new."""
    for k, delay in enumerate(pattern):
        yield delay, not stored or delay != pattern[k - 1] + 1


def _iteration(steps: Floats, tau: int, read: int | None, factor: float) -> Floats:
    """One iteration as a map of ``(x_k, ..., x_{k - tau}, message)``; `read` is the model a new message is made of."""
    result = np.zeros((*steps.shape, tau + 2, tau + 2))
    message = np.zeros(tau + 2)
    message[-1 if read is None else read] = factor
    result[..., 0, 0] = 1.0
    result[..., 0, :] -= steps[..., None] * message
    result[..., range(1, tau + 1), range(tau)] = 1.0
    result[..., -1, :] = message
    return result


def _squared(step_map: Floats) -> Floats:
    """The map of the second moments."""
    size = step_map.shape[-1] ** 2
    products = np.einsum("...ij,...kl->...ikjl", step_map, step_map)
    return np.asarray(products.reshape(*step_map.shape[:-2], size, size))


@functools.lru_cache(maxsize=4096)
def destabilising_step(pattern: Pattern, variance: float = 0.0, *, stored: bool = False) -> float:
    """The step size, in units of ``1/L``, beyond which a delay pattern is unstable on ``L x^2/2``.

    Nobody can promise convergence of a longer step for all delays that include the pattern.

    Parameters
    ----------
    pattern, variance, stored
        As in `growth`.

    Examples
    --------
    >>> round(destabilising_step((0, 1, 2, 3, 3, 3)), 6)  # 1 - 1/sqrt(3)
    0.42265
    >>> round(destabilising_step((0, 1, 2, 3), variance=2.0), 6)  # 2/(tau + 1 + variance)
    0.333333
    """

    def excess(step: Any) -> Any:
        return growth(pattern, step, variance, stored=stored) - 1

    steps = _HIGHEST / (1 + variance) * _SCAN
    first = int(np.argmax(excess(steps) > _GROWS))
    return float(brentq(excess, steps[first - 1], steps[first], xtol=1e-14))


def most_destabilising(
    tau: int, longest: int, *, variance: float = 0.0, stored: bool = False, restarts: int = 5, seed: int = 0
) -> Pattern:
    """Search the periodic delay patterns for the one that is unstable at the smallest step.

    From known patterns (constant delay, hold, a ramp with a plateau) and random ones, one delay at a time is changed,
    inserted or left out, whatever lowers the destabilising step most, until nothing does.

    Parameters
    ----------
    tau
        Largest delay.
    longest
        Longest period.
    variance, stored
        As in `growth`.
    restarts
        Number of random patterns.
    seed
        Of the random patterns.

    Raises
    ------
    ValueError, TypeError
        If a number is outside its range.

    Examples
    --------
    >>> most_destabilising(2, longest=4)
    (0, 1, 2, 2)
    """
    check_count(tau, "tau")
    check_count(longest, "longest", lowest=tau + 1)
    check_count(restarts, "restarts", lowest=0)
    rng = np.random.default_rng(seed)

    def limit(pattern: Pattern) -> float:
        return destabilising_step(pattern, variance, stored=stored)

    def descend(pattern: Pattern) -> Pattern:
        best = limit(pattern)
        while True:
            # Most neighbours are stable there, which one spectral radius tells.
            worse = [
                near
                for near in _neighbours(pattern, tau, longest)
                if growth(near, best, variance, stored=stored) > 1 + _GROWS
            ]
            if not worse:
                return pattern
            pattern = min(worse, key=limit)
            best = limit(pattern)

    ramp = (*range(tau), *[tau] * min(tau, longest - tau))
    lengths = rng.integers(1, longest, size=restarts, endpoint=True).tolist()
    drawn = [tuple(rng.integers(0, tau, size=length, endpoint=True).tolist()) for length in lengths]
    found = [descend(pattern) for pattern in ((tau,), tuple(range(tau + 1)), ramp, *drawn)]
    return _from_smallest(min(found, key=lambda pattern: (round(limit(pattern), 9), len(pattern), pattern)))


def _neighbours(pattern: Pattern, tau: int, longest: int) -> Iterator[Pattern]:
    """Patterns with one delay changed, inserted or left out."""
    for k in range(len(pattern)):
        before, after = pattern[:k], pattern[k + 1 :]
        yield from ((*before, delay, *after) for delay in range(tau + 1) if delay != pattern[k])
        if len(pattern) < longest:
            yield from ((*before, delay, *pattern[k:]) for delay in range(tau + 1))
        if len(pattern) > 1:
            yield (*before, *after)


def _from_smallest(pattern: Pattern) -> Pattern:
    """The same periodic sequence, begun where it reads smallest."""
    return min(pattern[k:] + pattern[:k] for k in range(len(pattern)))
