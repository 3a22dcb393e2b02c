"""Assignments by a power of the data volume, the named powers among them."""

from typing import Any

import numpy as np

from taciturn.theory.ratio_presets import PRESETS

from ..array import check_choice
from .assignment import Assignment
from .criteria import Power
from .problem import RatioProblem, shares
from .waterfill import assign

__all__ = ["power_law", "preset"]


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
