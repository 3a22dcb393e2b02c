"""Optimal thresholds under an expected-traffic budget."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ..array import check_count, check_positive
from ..ratios.problem import LARGEST, SMALLEST, check_range, one_or_many
from .magnitudes import MagnitudeModel

__all__ = ["OptimalThresholds", "optimal_thresholds"]

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class OptimalThresholds:
    """Thresholds whose expected traffic is within a budget.

    Attributes
    ----------
    thresholds : numpy.ndarray of float, shape (n,)
        lambda_i.
    objective : float
        sum_i w_i lambda_i^order.
    traffic : float
        sum_i c_i k_i(lambda_i), at most the budget.
    multiplier : float
        nu: what a unit of budget is worth.
    gap : float
        nu (budget - traffic): the objective is at most this far above the minimum, to rounding.
    """

    thresholds: NDArray[np.float64]
    objective: float
    traffic: float
    multiplier: float
    gap: float


def optimal_thresholds(
    models: Sequence[MagnitudeModel], weights: Any, budget: float, d: int, *, costs: Any = 1.0, order: int = 1
) -> OptimalThresholds:
    """Minimise sum_i w_i lambda_i^order subject to sum_i c_i d fraction_i(lambda_i) <= budget, lambda_i >= least_i.

    Parameters
    ----------
    models : sequence of MagnitudeModel
        Of each worker's memory plus gradient, best fitted to it.
    weights : array_like, shape (n,)
        w_i > 0: p_i, or p_i^2 for the inequality of Cauchy and Schwarz with order 2.
    budget : float
        Positive: expected entries per iteration times their costs.
    d : int
        Dimension.
    costs : array_like, shape (n,) or a number
        c_i > 0: the price of an entry.
    order : int
        1: error of the aggregate (triangle inequality). 2: squared errors (Jensen; Cauchy and Schwarz).

    Returns
    -------
    OptimalThresholds
        If the budget pays for everything, the least thresholds.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the answer leaves double precision.

    Notes
    -----
    The thresholds are closed forms of the multiplier, which is found by bisection. The models are models: hold the
    budget with `L1Rule` or `ThresholdController`. Source: dossier chapter 3, `thr-optimal`.

    Examples
    --------
    Traffic in proportion to p_i and to the scale:

    >>> from taciturn.solvers.thresholds import Laplace
    >>> found = optimal_thresholds([Laplace(1.0), Laplace(1.0)], [0.75, 0.25], budget=40, d=1000)
    >>> (1000 * np.exp(-found.thresholds)).round(6)
    array([30., 10.])
    """
    weights = np.asarray(weights, dtype=np.float64)
    n = len(models)
    if n == 0 or weights.shape != (n,):
        raise ValueError(
            f"weights has the shape {weights.shape} for {n} models; accepted: (n,), one for each of n >= 1"
        )
    check_range(weights, "weights", SMALLEST, LARGEST)
    d, order = check_count(d, "d"), check_count(order, "order", highest=2)
    prices = d * np.broadcast_to(one_or_many(costs, "costs", n, SMALLEST, LARGEST), (n,))
    budget = check_positive(budget, "budget")

    def thresholds(multiplier: float) -> NDArray[np.float64]:
        relative = multiplier * prices / weights
        return np.array([model.best_threshold(price, order) for model, price in zip(models, relative, strict=True)])

    def traffic(levels: NDArray[np.float64]) -> float:
        return math.fsum(c * model.fraction(level) for c, model, level in zip(prices, models, levels, strict=True))

    def answer(levels: NDArray[np.float64], multiplier: float) -> OptimalThresholds:
        sent = traffic(levels)
        objective = float(np.dot(weights, levels**order))
        return OptimalThresholds(levels, objective, sent, multiplier, multiplier * (budget - sent))

    least = np.array([model.least for model in models])
    if traffic(least) <= budget:
        return answer(least, 0.0)

    def excess(log_multiplier: float) -> float:
        return traffic(thresholds(math.exp(log_multiplier))) - budget

    low, high = -1.0, 1.0
    while excess(low) < 0:
        low *= 2
    while excess(high) > 0:
        high *= 2
    root = float(brentq(excess, low, high, xtol=4 * _EPS, rtol=4 * _EPS))
    # From the other side of the root, if need be: the budget is not exceeded.
    step = _EPS
    while excess(root) > 0:
        root, step = root + step * max(1.0, abs(root)), 2 * step
    return answer(thresholds(math.exp(root)), math.exp(root))
