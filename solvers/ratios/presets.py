"""Exponents with a name: fractions kept in proportion to a power of the data volume, and what each power optimises."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array import check_choice
from .assignment import Assignment
from .criteria import Power
from .problem import RatioProblem, shares
from .waterfill import assign

__all__ = ["PRESETS", "Preset", "power_law", "preset"]


@dataclass(frozen=True)
class Preset:
    """delta_i in proportion to p_i^exponent, as long as no limit is active and the costs are equal.

    Attributes
    ----------
    name : str
        What it is called.
    volume_power, b : float
        It minimises sum_i p_i^volume_power / delta_i^b.
    theorem : str
        The statements of the dossier with that objective.
    optimises : str
        What the objective is.
    status : str
        How good a bound it comes from.
    """

    name: str
    volume_power: float
    b: float
    theorem: str
    optimises: str
    status: str

    @property
    def exponent(self) -> float:
        """volume_power / (1 + b)."""
        return self.volume_power / (1 + self.b)


_RECALLED = "perhaps the objective of DAGC-R (recalled, uncertain)"

_TABLE = (
    Preset(
        name="uniform",
        volume_power=0.0,
        b=1.0,
        theorem="",
        optimises="nothing: the same fraction for every worker",
        status="the baseline",
    ),
    Preset(
        name="jensen",
        volume_power=1.0,
        b=2.0,
        theorem="ef-memory-aggregate, nuef-convex",
        optimises="the memory of error feedback, summed by Jensen's inequality",
        status="valid, loose",
    ),
    Preset(
        name="tri",
        volume_power=1.0,
        b=1.0,
        theorem="step-limit, nuef21-nonconvex",
        optimises="the step-size limit of error feedback and EF21",
        status="necessary, and for EF21 sufficient to a factor of two",
    ),
    Preset(
        name="cs",
        volume_power=2.0,
        b=2.0,
        theorem="ef-memory-aggregate",
        optimises="the memory of error feedback, summed by the inequality of Cauchy and Schwarz",
        status=f"valid, loose; {_RECALLED}",
    ),
    Preset(
        name="chi2",
        volume_power=2.0,
        b=1.0,
        theorem="nu-dcgd",
        optimises="the variance of unbiased compression without memory",
        status=f"exact there, but with error feedback no better than uniform; {_RECALLED}",
    ),
)

PRESETS = {entry.name: entry for entry in _TABLE}
"""The named exponents; "tri" is the default everywhere."""


def preset(name: str, p: Any, budget: float, *, costs: Any = 1.0, lower: Any = 0.0, upper: Any = 1.0) -> Assignment:
    """Assign fractions by a named exponent: what minimises sum_i p_i^e / delta_i^b for its e and b.

    Parameters
    ----------
    name : str
        "uniform", "jensen", "tri", "cs" or "chi2".
    p : array_like, shape (n,)
        Shares of the data, of sum one: see `shares`.
    budget, costs, lower, upper
        As for `waterfill`.

    Returns
    -------
    Assignment
        With its proven gap for its own objective; for "uniform", equal fractions, those at a limit excepted.

    Raises
    ------
    ValueError
        If the name is unknown, or as by `waterfill` and `shares`.

    Notes
    -----
    Source: dossier chapter 3, `exponent-table`.

    Examples
    --------
    >>> preset("tri", [0.8, 0.2], budget=0.3).delta.round(6)
    array([0.2, 0.1])
    >>> preset("chi2", [0.8, 0.2], budget=0.3).delta.round(6)
    array([0.24, 0.06])
    """
    check_choice(name, "preset", tuple(PRESETS))
    chosen = PRESETS[name]
    if name == "uniform":
        return power_law(0.0, p, budget, costs=costs, lower=lower, upper=upper)
    problem = RatioProblem(shares(p) ** chosen.volume_power, budget, costs, lower, upper)
    return assign(problem, Power(chosen.b))


def power_law(
    exponent: float, p: Any, budget: float, *, costs: Any = 1.0, lower: Any = 0.0, upper: Any = 1.0
) -> Assignment:
    """Assign fractions in proportion to p_i^exponent, clipped to the limits, that spend the budget.

    Parameters
    ----------
    exponent : float
        Any finite number.
    p, budget, costs, lower, upper
        As for `preset`.

    Returns
    -------
    Assignment
        Its objective is the one that this exponent minimises: sum_i c_i p_i^(2 exponent) / delta_i.

    Examples
    --------
    >>> power_law(0.0, [0.8, 0.2], budget=0.3).delta.round(6)
    array([0.15, 0.15])
    """
    if not np.isfinite(exponent):
        raise ValueError(f"exponent = {exponent} is outside the accepted range (-inf, inf)")
    weights = np.asarray(costs, dtype=np.float64) * shares(p) ** (2 * exponent)
    return assign(RatioProblem(weights, budget, costs, lower, upper), Power(1.0))
