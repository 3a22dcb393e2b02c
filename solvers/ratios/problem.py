"""What is to be assigned: weights, costs, limits and one budget, checked."""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..array import check_positive
from .errors import InfeasibleBudget
from .exact_sums import chunks, close_dot, exact_dot

__all__ = ["RatioProblem", "shares"]

Vector = NDArray[np.float64]

SMALLEST, LARGEST = 2.0**-300, 2.0**300
"""Weights and costs outside are refused: their products would leave double precision."""


@dataclass(frozen=True, eq=False)
class RatioProblem:
    """Minimise sum_i w_i f(delta_i) subject to sum_i c_i delta_i <= B and l_i <= delta_i <= u_i, f convex, decreasing.

    Parameters
    ----------
    weights : array_like, shape (n,)
        w_i, positive.
    budget : float
        B, positive, in the unit of the costs.
    costs : array_like, shape (n,) or a number
        c_i, positive: the price of sending everything.
    lower, upper : array_like, shape (n,) or a number
        0 <= l_i <= u_i <= 1, u_i > 0.

    Attributes
    ----------
    largest : bool
        Whether the budget pays for all the upper limits: then they are the answer.

    Raises
    ------
    TypeError, ValueError
        If a number is NaN, infinite or out of range (weights and costs: 2^-300..2^300), the shapes do not match, or
        there is no worker; the message names the argument, the worker and the value.
    InfeasibleBudget
        If B < sum_i c_i l_i, decided without rounding.

    Notes
    -----
    Source: dossier chapter 3, section 3.7. A lower limit of zero is none: f is infinite there.

    Examples
    --------
    >>> RatioProblem([1.0, 4.0], budget=0.3).costs
    array([1., 1.])
    >>> RatioProblem([1.0, 4.0], budget=0.3, lower=0.25)
    Traceback (most recent call last):
        ...
    taciturn.solvers.ratios.errors.InfeasibleBudget: budget = 0.3 is 0.2 below the smallest ...
    """

    weights: Any
    budget: float
    costs: Any = 1.0
    lower: Any = 0.0
    upper: Any = 1.0
    largest: bool = field(init=False)

    def __post_init__(self) -> None:
        weights = _numbers(self.weights, "weights")
        if weights.ndim != 1 or weights.size == 0:
            raise ValueError(
                f"weights has the shape {weights.shape}; accepted: (n,), one number for each of n >= 1 workers"
            )
        check_range(weights, "weights", SMALLEST, LARGEST)
        n = weights.size
        costs = one_or_many(self.costs, "costs", n, SMALLEST, LARGEST)
        lower, upper = (
            one_or_many(self.lower, "lower", n, 0.0, 1.0),
            one_or_many(self.upper, "upper", n, SMALLEST, 1.0),
        )
        if np.any(lower > upper):
            lower, upper = np.broadcast_to(lower, (n,)), np.broadcast_to(upper, (n,))
            i = int(np.argmax(lower > upper))
            raise ValueError(f"lower[{i}] = {float(lower[i])!r} is above upper[{i}] = {float(upper[i])!r}")
        # A single number is repeated without taking memory.
        costs, lower, upper = (np.broadcast_to(values, (n,)) for values in (costs, lower, upper))
        budget = check_positive(self.budget, "budget", highest=LARGEST)
        deficit = -spare(costs, lower, budget)
        if deficit > 0:
            raise InfeasibleBudget(budget, float(Fraction(budget) + deficit), float(deficit))
        if deficit == 0 and not lower.all():
            i = int(np.argmin(lower))
            raise ValueError(f"budget = {budget!r} pays for the lower limits only, and lower[{i}] = 0.0 leaves nothing")
        largest = spare(costs, upper, budget) >= 0
        checked = dict(weights=weights, budget=budget, costs=costs, lower=lower, upper=upper, largest=largest)
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def workers(self) -> int:
        """n."""
        return int(self.weights.size)


def spare(costs: Vector, delta: Vector, budget: float) -> Fraction:
    """Return B - sum_i c_i delta_i: its sign exactly, its value to a relative 2^-10 or better.

    Examples
    --------
    >>> spare(np.ones(2), np.array([0.1, 0.2]), 0.30000000000000004) == 0
    False
    """
    parts = (float(np.dot(costs[piece], delta[piece])) for piece in chunks(delta.size))
    rounded = budget - math.fsum(parts)
    return Fraction(rounded) if abs(rounded) > 1e-6 * budget else little_spare(costs, delta, budget)


def little_spare(costs: Vector, delta: Vector, budget: float) -> Fraction:
    """As `spare`, for what is known to spend nearly all.

    Examples
    --------
    >>> little_spare(np.ones(2), np.array([0.25, 0.25]), 0.5)
    Fraction(0, 1)
    """
    close = Fraction(budget) - close_dot(costs, delta)
    return close if abs(close) > 2.0**-60 * budget else Fraction(budget) - exact_dot(costs, delta)


def shares(volumes: ArrayLike, normalise: bool = False) -> Vector:
    """Return the shares p_i of data volumes.

    Parameters
    ----------
    volumes : array_like, shape (n,)
        Positive numbers; they sum to one, or ``normalise`` is true.
    normalise : bool
        Divide by the sum.

    Raises
    ------
    TypeError, ValueError
        If a volume is not a positive finite number, there is none, or they do not sum to one and should.

    Examples
    --------
    >>> shares([30, 10], normalise=True)
    array([0.75, 0.25])
    >>> shares([30, 10])
    Traceback (most recent call last):
        ...
    ValueError: volumes sum to 40; accepted: shares, of sum 1, or any positive numbers with normalise=True
    """
    p = _numbers(volumes, "volumes")
    if p.ndim != 1 or p.size == 0:
        raise ValueError(f"volumes has the shape {p.shape}; accepted: (n,), a number for each of n >= 1 workers")
    check_range(p, "volumes", SMALLEST, LARGEST)
    total = float(p.sum())
    if normalise:
        return p / total
    if abs(total - 1) > 1e-12 + p.size * np.finfo(np.float64).eps:
        raise ValueError(
            f"volumes sum to {total:.12g}; accepted: shares, of sum 1, or any positive numbers with normalise=True"
        )
    return p


def check_range(values: Vector, name: str, lowest: float, highest: float) -> None:
    """Insist that all numbers are in lowest..highest; the message names the first that is not.

    Examples
    --------
    >>> check_range(np.array([1.0, -2.0]), "costs", 0.0, 1.0)
    Traceback (most recent call last):
        ...
    ValueError: costs[1] = -2.0 is outside the accepted range [0, 1]
    """
    # NaN fails both comparisons; two reductions need no temporary.
    if values.min() >= lowest and values.max() <= highest:
        return
    i = int(np.argmin((values >= lowest) & (values <= highest)))
    raise ValueError(f"{name}[{i}] = {float(values[i])!r} is outside the accepted range [{lowest:.3g}, {highest:.3g}]")


def _numbers(values: Any, name: str) -> Vector:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has entries of the type {array.dtype}; real numbers are needed")
    return array.astype(np.float64, copy=False)


def one_or_many(values: Any, name: str, n: int, lowest: float, highest: float) -> Vector:
    array = _numbers(values, name)
    if array.shape == ():
        check_range(array[None], name, lowest, highest)
    elif array.shape == (n,):
        check_range(array, name, lowest, highest)
    else:
        raise ValueError(f"{name} has the shape {array.shape}; accepted: one number, or ({n},) as the weights")
    return array
