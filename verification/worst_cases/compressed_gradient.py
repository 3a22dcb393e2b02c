"""Worst cases behind the statements on compressed gradients without delay (dossier 3.2–3.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType

from .claims import AtMost, BoundAfterRun, Cell, final_bound, next_value, stated_residual
from .program import WorstCase
from .stale_vocabulary import (
    Values,
    at_once,
    bounded_parts,
    excess_noise,
    gradients_at_minimiser,
    mean_of,
    stale,
    two_point,
)
from .vocabulary import (
    SMOOTH,
    SMOOTH_CONVEX,
    SMOOTH_STRONGLY_CONVEX,
    average,
    bounded_below,
    objective_gap,
    smallest_gradient,
    squared_distance,
    squared_gradient,
    whole,
)

_PAIR = (0.5, 0.5)


def _cells(names: str, rows: Sequence[Sequence[float]], steps: Sequence[int] = (1,)) -> tuple[Cell, ...]:
    return tuple(Cell(dict(zip(names.split(), row, strict=True)), K) for row in rows for K in steps)


# One worker: theta = 0, B_0 = omega L, N_0 = 0. Two with L_i = L and weights 1/2: theta = 1, B_0 = omega L,
# N_0 = 2 omega E_*.
def _slope(values: Values) -> float:
    return values["noise_slope"] / values["L"]


def _floor(values: Values) -> float:
    return values["noise_floor"] / (2 * _slope(values))


def _smoothness(values: Values) -> float:
    """``L_i`` from ``Lambda = max p_i L_i``."""
    return values["Lambda"] / max(_PAIR)


def _strength(values: Values) -> float:
    """The variance behind ``A = omega max p_i L_i``."""
    return values["noise_strength"] / (max(_PAIR) * values["L"])


def _tight(row: Sequence[float], rows: Sequence[Sequence[float]], initial: float = 1.0) -> tuple[Cell, ...]:
    """Cells of `dcgd-sc-tight` with equal ``L_i``: theta, E_*, weights; then L, mu and variance of each."""
    names = "young optimum_gradients largest_weight sum_square_weights L mu variance L_max"
    return tuple(
        Cell(dict(zip(names.split(), (*row, L, mu, variance, L), strict=True)), initial=initial)
        for L, mu, variance in rows
    )


_variance = itemgetter("variance")
_energy = gradients_at_minimiser(itemgetter("optimum_gradients"))
_NEXT_DISTANCE = AtMost(squared_distance, next_value)
_MEAN_GAP = BoundAfterRun(mean_of(objective_gap))
_STRONG = SMOOTH_STRONGLY_CONVEX
_FREE = 1e-9  # theta where no gradient is left at the minimiser
_ALONE = (_FREE, 0, 1, 1)
_HALF = (0.5, 0.5)

# A worst case is a paragraph.
# fmt: off
CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType(
    {
        "noise-table": (
            WorstCase(
                "two workers at any points", average(SMOOTH_CONVEX.where(L=_smoothness), _PAIR), squared_distance,
                AtMost(excess_noise(_variance), stated_residual),
                _cells("variance young Lambda optimum_gradients", (
                    (2, 1, 1, 0.5), (0.5, 0.3, 2, 1), (10, 4, 0.5, 0.1), (1, 0.1, 1, 3),
                )),
                hypotheses=(_energy,), tight=True,
            ),
        ),
        "dcgd-published": (
            WorstCase(
                "one step, two workers", average(_STRONG.where(L=_smoothness), _PAIR), squared_distance, _NEXT_DISTANCE,
                _cells("mu variance young Lambda sparsity_sigma optimum_gradients", (
                    (0.1, 1, 1, 1, 2, 0.5), (0.5, 4, 0.3, 1, 2, 0), (0.2, 0, 2, 0.5, 2, 1),
                )),
                stale(at_once, two_point(_variance)), (_energy,),
            ),
        ),
        "dcgd-sc": (
            WorstCase(
                "one step, one worker", whole(_STRONG), squared_distance, _NEXT_DISTANCE,
                _cells("L mu noise_slope noise_floor", ((1, 0.1, 0, 0), (1, 0.1, 2, 0), (2, 1, 1, 0))),
                stale(at_once, two_point(_slope)),
            ),
            WorstCase(
                "one step, two workers", average(_STRONG, _PAIR), squared_distance, _NEXT_DISTANCE,
                _cells("L mu noise_slope noise_floor", ((1, 0.1, 1, 0.5), (2, 0.1, 8, 1))),
                stale(at_once, two_point(_slope)), (gradients_at_minimiser(_floor),),
            ),
        ),
        "dcgd-sc-tight": (
            WorstCase(
                "one step, one worker", whole(_STRONG), squared_distance, _NEXT_DISTANCE,
                _tight(_ALONE, ((1, 0.1, 2), (1, 0.5, 1), (1, 0.01, 9), (2, 0.2, 0))),
                stale(at_once, two_point(_variance)), tight=True,
            ),
            WorstCase(
                "one step, two workers with the same minimiser", average(_STRONG, _PAIR), squared_distance,
                _NEXT_DISTANCE, _tight((_FREE, 0, *_HALF), ((1, 0.1, 2), (2, 0.1, 9))),
                stale(at_once, two_point(_variance)), (_energy,), tight=True,
            ),
            WorstCase(
                "one step, two workers with different minimisers", average(_STRONG, _PAIR), squared_distance,
                _NEXT_DISTANCE,
                (
                    *_tight((4, 0.5, *_HALF), ((1, 0.1, 2),)), *_tight((1, 0.5, *_HALF), ((1, 0.1, 2),)),
                    *_tight((0.3, 3, *_HALF), ((1, 0.1, 2),)),
                ),
                stale(at_once, two_point(_variance)), (_energy,),
            ),
            WorstCase(
                "one step from the minimiser of F", average(_STRONG, _PAIR), squared_distance, _NEXT_DISTANCE,
                _tight((100, 1, *_HALF), ((1, 0.1, 2),), initial=1e-3),
                stale(at_once, two_point(_variance)), (_energy,),
            ),
        ),
        "dcgd-convex": (
            WorstCase(
                "a run without noise", whole(SMOOTH_CONVEX), squared_distance, _MEAN_GAP,
                _cells("L noise_slope noise_floor", ((1, 0, 0), (2, 0, 0)), (1, 3, 6)), stale(at_once), tight=True,
            ),
            WorstCase(
                "a run, one worker", whole(SMOOTH_CONVEX), squared_distance, _MEAN_GAP,
                _cells("L noise_slope noise_floor", ((1, 2, 0), (2, 1, 0)), (1, 3)), stale(at_once, two_point(_slope)),
            ),
            WorstCase(
                "a run, two workers", average(SMOOTH_CONVEX, _PAIR), squared_distance, _MEAN_GAP,
                _cells("L noise_slope noise_floor", ((1, 1, 0.5), (1, 4, 1)), (2, 1)),
                stale(at_once, two_point(_slope)), (gradients_at_minimiser(_floor),),
            ),
        ),
        "dcgd-nonconvex": (
            WorstCase(
                "a run, one worker", whole(SMOOTH), objective_gap, BoundAfterRun(mean_of(squared_gradient)),
                _cells("L relative_noise absolute_noise", ((1, 0, 0), (1, 2, 0), (2, 1, 0)), (1, 2)),
                stale(at_once, two_point(itemgetter("relative_noise"))), (bounded_below,),
            ),
        ),
        "dcgd-nc-abc": (
            WorstCase(
                "a run, two workers", average(SMOOTH, _PAIR), objective_gap, AtMost(smallest_gradient, final_bound),
                _cells("L step_size noise_strength dissimilarity_inf", ((1, 0.5, 1, 0.5), (2, 0.2, 3, 0.1)), (1, 2)),
                stale(at_once, two_point(_strength)), (bounded_below, bounded_parts("dissimilarity_inf")),
            ),
        ),
    }
)
# fmt: on
"""The worst cases of every statement to which performance estimation applies."""

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {"dcgd-select": "a comparison of the constants of other statements, in which no method takes a step"}
)
"""Why performance estimation does not apply to the others."""
