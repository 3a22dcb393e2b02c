"""Heterogeneous links: the round time, and with it the fractions kept, that reach a target soonest."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array import check_positive
from .problem import LARGEST, RatioProblem, one_or_many

__all__ = ["RoundTime", "best_round_time"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RoundTime:
    """How long a round should take.

    Attributes
    ----------
    round_time : float
        T, in seconds.
    delta : numpy.ndarray of float, shape (n,)
        What worker i can send meanwhile, min(1, (T - tau_i) / c_i).
    objective : float
        T (L + sum_i w_i (2/delta_i - 3/2)): to this the time to a target accuracy is proportional.
    gap : float
        Proven, to rounding: the objective is at most this far above the minimum.
    """

    round_time: float
    delta: Vector
    objective: float
    gap: float


def best_round_time(
    weights: Any, seconds: Any, *, latency: Any = 0.0, lower: Any = 0.0, L: float | None = None
) -> RoundTime:
    """Choose the round time over links of different speed.

    Parameters
    ----------
    weights : array_like, shape (n,)
        w_i = p_i L_i > 0.
    seconds : array_like, shape (n,) or a number
        c_i > 0: seconds that worker i needs for a full vector.
    latency : array_like, shape (n,) or a number
        tau_i >= 0: seconds of computation and latency.
    lower : array_like, shape (n,) or a number
        Smallest fractions, in [0, 1].
    L : float, optional
        Smoothness of the mean, positive and at most sum_i w_i, its default.

    Returns
    -------
    RoundTime

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    In a round of T seconds every worker sends as much as it can, whatever its weight. The objective is convex in T; the
    sign of its derivative is bisected, and the tangent at the lower end of the last bracket bounds the minimum.
    Source: dossier chapter 3, `link-time`.

    Examples
    --------
    A fast worker and one that is ten times as slow:

    >>> found = best_round_time([0.5, 0.5], seconds=[1.0, 10.0], latency=0.1)
    >>> round(found.round_time, 4), found.delta.round(4)
    (1.5142, array([1.    , 0.1414]))
    """
    problem = RatioProblem(weights, budget=LARGEST, costs=seconds, lower=lower)
    w, c = problem.weights, problem.costs
    tau = np.broadcast_to(one_or_many(latency, "latency", w.size, 0.0, LARGEST), w.shape)
    total = float(w.sum())
    smoothness = total if L is None else check_positive(L, "L", highest=total * (1 + 1e-12))

    def objective(T: float) -> float:
        return T * (smoothness - 1.5 * total) + 2 * float(np.dot(w, np.maximum(c * (T / (T - tau)), T)))

    def derivative(T: float) -> float:
        sending = T - tau < c
        moving = np.where(sending, -c * tau / (T - tau) ** 2, 1.0)
        return smoothness - 1.5 * total + 2 * float(np.dot(w, moving))

    low, high = float(np.max(tau + c * problem.lower)), float(np.max(tau + c))
    low = math.nextafter(max(low, float(tau.max())), math.inf)
    while low < (middle := low + (high - low) / 2) < high:
        if derivative(middle) < 0:
            low = middle
        else:
            high = middle
    best, T = min((objective(end), end) for end in (low, high))
    bound = objective(low) + min(derivative(low), 0.0) * (high - low)
    return RoundTime(T, np.minimum((T - tau) / c, 1.0), best, max(best - bound, 0.0))
