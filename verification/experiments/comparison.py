"""What an experiment returns: something measured beside the bound of a theorem."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from taciturn.theory.theorem import Theorem

from ..confidence import mean_interval
from ..evidence import Budget

__all__ = ["FAILURE_PROBABILITY", "Comparison", "Experiment", "sampled", "worst"]

FAILURE_PROBABILITY = 1e-6
"""Of one confidence interval: a few thousand of them go into a campaign, and none should fail by chance."""


@dataclass(frozen=True)
class Comparison:
    """A number that should not exceed its bound.

    Parameters
    ----------
    setting
        What was run, in words.
    measured
        The number, or the mean of independent draws of a number with that expectation.
    half_width
        Of its confidence interval, 0 for a number that is not random.
    bound
        What the theorem says of it, positive.
    samples
        Number of draws.
    """

    setting: str
    measured: float
    bound: float
    half_width: float = 0.0
    samples: int = 1

    @property
    def ratio(self) -> float:
        """The lower end of the confidence interval / the bound: above 1 only if the bound is violated."""
        lower = self.measured - self.half_width
        if lower <= 0:
            return 0.0
        return lower / self.bound if self.bound > 0 else np.inf


Experiment: TypeAlias = Callable[[Theorem, Budget], Iterable[Comparison]]
"""Runs methods and compares what they do with the formulas of the theorem it is given."""


def worst(setting: str, measured: ArrayLike, bound: ArrayLike, counted: ArrayLike = True) -> Comparison:
    """Return the comparison with the largest ratio among the numbers that count.

    Examples
    --------
    >>> worst("x", [1.0, 3.0], [4.0, 4.0]).ratio
    0.75
    """
    measured, bound, counted = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (measured, bound, counted)))
    values, limits = measured[counted > 0], bound[counted > 0]
    if values.size == 0:
        raise ValueError(f"{setting}: nothing was measured")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(limits > 0, values / limits, np.where(values > 0, np.inf, 0.0))
    i = int(np.argmax(ratios))
    return Comparison(setting, float(values[i]), float(limits[i]))


def sampled(setting: str, draws: Any, bound: float) -> Comparison:
    """Return the comparison of a mean, known from independent draws (R,), with its bound."""
    mean, half_width = mean_interval(np.asarray(draws, dtype=float), FAILURE_PROBABILITY)
    return Comparison(setting, float(mean), float(bound), float(half_width), len(draws))
