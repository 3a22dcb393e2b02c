"""What the worst cases of stale gradients share: classes, claims, and the noise behind the theorems' parameters.

With one worker theta = 0: ``B_0 = omega L``, ``N_0 = 0``. With two of weights 1/2 and ``L_i = L`` theta = 1:
``B_0 = omega L``, ``N_0 = 2 omega E_*``.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from ..claims import BoundAfterRun, Cell
from ..stale_vocabulary import Values, gradients_at_minimiser, mean_of, two_point
from ..vocabulary import (
    SMOOTH,
    SMOOTH_CONVEX,
    SMOOTH_STRONGLY_CONVEX,
    objective_gap,
    squared_distance,
    squared_gradient,
)

PAIR = (0.5, 0.5)
CONVEX = SMOOTH_CONVEX.where(L=itemgetter("L_hat"))
STRONG = SMOOTH_STRONGLY_CONVEX.where(L=itemgetter("L_hat"))
NONCONVEX = SMOOTH.where(L=itemgetter("L_stale"))

MEAN_GAP = BoundAfterRun(mean_of(objective_gap))
DISTANCE = BoundAfterRun(squared_distance)
MEAN_GRADIENT = BoundAfterRun(mean_of(squared_gradient))

STALE = "L_hat noise_slope noise_floor tau"
CURVED = "L_hat mu noise_slope noise_floor tau"


def cells(names: str, rows: Sequence[Sequence[float]], steps: Sequence[int] = (1,)) -> tuple[Cell, ...]:
    """One cell per number of steps and row of parameters, the short runs first."""
    return tuple(Cell(dict(zip(names.split(), row, strict=True)), K) for K in steps for row in rows)


def _variance(values: Values) -> float:
    return values["noise_slope"] / values["L_hat"]


NOISE = two_point(_variance)
FLOOR = gradients_at_minimiser(lambda values: values["noise_floor"] / (2 * _variance(values)))
