"""Worst cases behind the lemmas and the bounds for messages that are used once (dossier 3.1, 4.1–4.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from ..claims import BoundAfterRun, Cell, Inequality
from ..program import WorstCase
from ..run import Run
from ..stale_vocabulary import (
    Values,
    constant,
    cyclic,
    from_anywhere,
    gradients_at_minimiser,
    hold,
    last_bounded_below,
    quadratic_growth,
    reacting,
    stale,
    two_point,
    weighted_dissimilarity,
)
from ..vocabulary import SMOOTH, SMOOTH_CONVEX, average, bounded_below, objective_gap, pl, squared_distance, whole
from .common import (
    CONVEX,
    CURVED,
    DISTANCE,
    FLOOR,
    MEAN_GAP,
    MEAN_GRADIENT,
    NOISE,
    NONCONVEX,
    PAIR,
    STALE,
    STRONG,
    cells,
)

_SHARES = (0.25, 0.75)
_UNIT = SMOOTH_CONVEX.where(L=lambda values: 1.0)
_RELATIVE = "L_stale relative_noise absolute_noise tau"
_MOMENTS = "L_hat second_moment_slope second_moment_floor tau"


def _moment(values: Values) -> float:
    """The variance behind ``A = (1 + omega) L``."""
    return values["second_moment_slope"] / values["L_hat"] - 1


_MOMENT_FLOOR = gradients_at_minimiser(lambda values: values["second_moment_floor"] / (2 * _moment(values)))


def _bregman(run: Run) -> tuple[Any, ...]:
    """``D_{f_i}(x*, x)`` of every worker."""
    x, best = run.start.x, run.problem.minimiser
    return tuple(f(best) - f(x) - f.gradient(x) * (best - x) for f in run.problem.parts)


_COERCIVE: Mapping[str, Callable[[Run], Any]] = {
    "D[i]": _bregman,
    "w[i]": lambda run: tuple(f.gradient(run.start.x) - f.gradient(run.problem.minimiser) for f in run.problem.parts),
    "L[i]": lambda run: (run.problem.L,) * len(run.problem.parts),
    "p[i]": lambda run: run.problem.weights,
    "[i]": lambda run: run.problem.weights,
    "Lambda": lambda run: run.problem.L * max(run.problem.weights),
}

# A worst case is a paragraph.
# fmt: off
CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType(
    {
        "lemma-cocoercive-matrix": (
            WorstCase(
                "the third sum, two workers", average(_UNIT, _SHARES), squared_distance,
                Inequality("the third sum", _COERCIVE), (Cell({}),), tight=True,
            ),
            WorstCase(
                "the second sum, two workers", average(_UNIT, _SHARES), squared_distance,
                Inequality("the second sum, p_i L_i <= Lambda", _COERCIVE), (Cell({}),), tight=True,
            ),
        ),
        "stale-onestep": (
            WorstCase(
                "one step from stale points, two workers and noise", average(_UNIT, _SHARES), squared_distance,
                Inequality("expand the square, three-point identity, smoothness of every f_i from y_i to x"),
                (Cell({}),), from_anywhere(0.3, two_point(lambda values: 2.0)), tight=True,
            ),
        ),
        "stale-convex": (
            WorstCase(
                "constant delay", whole(CONVEX), squared_distance, MEAN_GAP,
                (
                    *cells(STALE, ((1, 0, 0, 1),), (8,)), *cells(STALE, ((1, 0, 0, 2), (2, 0, 0, 3)), (4,)),
                    *cells(STALE, ((1, 0, 0, 1),), (14,)), *cells(STALE, ((1, 0, 0, 2),), (12,)),
                    *cells(STALE, ((1, 0, 0, 3),), (16,)),
                ),
                stale(constant),
            ),
            WorstCase(
                "one model held", whole(CONVEX), squared_distance, MEAN_GAP,
                cells(STALE, ((1, 0, 0, 1), (2, 0, 0, 2), (1, 0, 0, 3)), (3, 12)),
                stale(hold),
            ),
            WorstCase(
                "two workers, each new in turn", average(CONVEX, PAIR), squared_distance, MEAN_GAP,
                cells(STALE, ((1, 0, 0, 1), (1, 0, 0, 2), (2, 0, 0, 1)), (3, 8)), stale(cyclic),
            ),
            WorstCase(
                "constant delay and noise", whole(CONVEX), squared_distance, MEAN_GAP,
                cells(STALE, ((1, 2, 0, 1), (2, 1, 0, 2), (1, 9, 0, 1)), (3, 5)), stale(constant, NOISE),
            ),
            WorstCase(
                "noise, two workers each new in turn", average(CONVEX, PAIR), squared_distance, MEAN_GAP,
                cells(STALE, ((1, 1, 0.5, 1),), (2,)), stale(cyclic, NOISE), (FLOOR,),
            ),
        ),
        "stale-sc": (
            WorstCase(
                "constant delay", whole(STRONG), squared_distance, DISTANCE,
                cells(CURVED, ((1, 0.1, 0, 0, 1), (2, 0.2, 0, 0, 2), (1, 0.01, 0, 0, 3)), (4, 8)), stale(constant),
            ),
            WorstCase(
                "constant delay, quadratic growth only", whole(CONVEX), squared_distance, DISTANCE,
                cells(CURVED, ((1, 0.1, 0, 0, 1), (2, 0.2, 0, 0, 2), (1, 0.01, 0, 0, 3)), (4, 8)), stale(constant),
                (quadratic_growth,),
            ),
            WorstCase(
                "one model held, noise", whole(STRONG), squared_distance, DISTANCE,
                cells(CURVED, ((1, 0.1, 2, 0, 1), (2, 1, 2, 0, 2)), (3,)), stale(hold, NOISE),
            ),
            WorstCase(
                "noise, two workers each new in turn", average(STRONG, PAIR), squared_distance, DISTANCE,
                cells(CURVED, ((1, 0.1, 1, 0.5, 1),), (2,)), stale(cyclic, NOISE), (FLOOR,),
            ),
        ),
        "stale-sc-refined": (
            WorstCase(
                "constant delay", whole(STRONG), squared_distance, DISTANCE,
                cells(CURVED, ((1, 0.1, 0, 0, 1), (2, 0.02, 0, 0, 1), (1, 0.001, 0, 0, 1)), (4, 8)), stale(constant),
            ),
            WorstCase(
                "one model held", whole(STRONG), squared_distance, DISTANCE,
                (
                    *cells(CURVED, ((1, 0.1, 0, 0, 1), (2, 0.02, 0, 0, 1), (1, 0.001, 0, 0, 1)), (8,)),
                    *cells(CURVED, ((2, 0.2, 0, 0, 2), (1, 0.001, 0, 0, 2)), (12,)),
                    *cells(CURVED, ((1, 0.1, 0, 0, 3), (1, 0.001, 0, 0, 3)), (16,)),
                ),
                stale(hold),
            ),
            WorstCase(
                "one model held, noise", whole(STRONG), squared_distance, DISTANCE,
                cells(CURVED, ((1, 0.05, 2, 0, 1), (2, 0.1, 2, 0, 2)), (4,)), stale(hold, NOISE),
            ),
            WorstCase(
                "noise, two workers each new in turn", average(STRONG, PAIR), squared_distance, DISTANCE,
                cells(CURVED, ((1, 0.1, 1, 0.5, 1),), (2,)), stale(cyclic, NOISE), (FLOOR,),
            ),
        ),
        "stale-nonconvex": (
            WorstCase(
                "constant delay", whole(NONCONVEX), objective_gap, MEAN_GRADIENT,
                (
                    *cells(_RELATIVE, ((1, 0, 0, 0),), (1,)), *cells(_RELATIVE, ((1, 0, 0, 1), (2, 0, 0, 1)), (4,)),
                    *cells(_RELATIVE, ((1, 0, 0, 1), (1, 0, 0, 3)), (8,)), *cells(_RELATIVE, ((1, 0, 0, 2),), (9,)),
                ),
                stale(constant), (bounded_below,),
            ),
            WorstCase(
                "constant delay, F_inf below the last iterate only, as in the proof", whole(NONCONVEX), objective_gap,
                MEAN_GRADIENT,
                (
                    *cells(_RELATIVE, ((1, 0, 0, 1), (2, 0, 0, 2), (1, 0, 0, 3)), (4,)),
                    *cells(_RELATIVE, ((1, 0, 0, 1), (1, 0, 0, 3)), (8,)), *cells(_RELATIVE, ((1, 0, 0, 2),), (9,)),
                ),
                stale(constant), (last_bounded_below,),
            ),
            WorstCase(
                "two workers, each new in turn", average(NONCONVEX, PAIR), objective_gap, MEAN_GRADIENT,
                cells(_RELATIVE, ((1, 0, 0, 1), (1, 0, 0, 2)), (4,)), stale(cyclic), (bounded_below,),
            ),
            WorstCase(
                "one model held, noise", whole(NONCONVEX), objective_gap, MEAN_GRADIENT,
                cells(_RELATIVE, ((1, 2, 0, 1), (2, 1, 0, 2)), (3,)),
                stale(hold, two_point(itemgetter("relative_noise"))), (bounded_below,),
            ),
        ),
        "stale-pl": (
            WorstCase(
                "constant delay", whole(NONCONVEX), objective_gap, BoundAfterRun(objective_gap),
                cells("L_stale mu relative_noise absolute_noise tau", (
                    (1, 0.1, 0, 0, 1), (2, 0.2, 0, 0, 2), (1, 0.01, 0, 0, 1),
                ), (3, 5)),
                stale(constant), (pl, bounded_below),
            ),
            WorstCase(
                "one model held, noise", whole(NONCONVEX), objective_gap, BoundAfterRun(objective_gap),
                cells("L_stale mu relative_noise absolute_noise tau", ((1, 0.1, 2, 0, 1),), (2,)),
                stale(hold, two_point(itemgetter("relative_noise"))), (pl, bounded_below),
            ),
        ),
        "stale-nonconvex-hetero": (
            WorstCase(
                "noise, two workers each new in turn", average(SMOOTH.where(L=itemgetter("L_Q")), PAIR), objective_gap,
                MEAN_GRADIENT,
                cells("L_Q variance relative_dissimilarity absolute_dissimilarity largest_weight tau", (
                    (1, 1, 1, 0.5, 0.5, 1), (1, 0, 1, 0, 0.5, 1),
                ), (2,)),
                stale(cyclic, two_point(itemgetter("variance"))), (weighted_dissimilarity, bounded_below),
            ),
        ),
        "stale-second-moment-convex": (
            WorstCase(
                "delays that react to the noise", whole(CONVEX), squared_distance, MEAN_GAP,
                cells(_MOMENTS, ((1, 3, 0, 1), (2, 4, 0, 2), (1, 9, 0, 1)), (3, 4)), reacting(two_point(_moment)),
            ),
            WorstCase(
                "noise, two workers each new in turn", average(CONVEX, PAIR), squared_distance, MEAN_GAP,
                cells(_MOMENTS, ((1, 2, 0.5, 1),), (2,)), stale(cyclic, two_point(_moment)), (_MOMENT_FLOOR,),
            ),
        ),
        "stale-second-moment": (
            WorstCase(
                "delays that react to the noise", whole(STRONG), squared_distance, DISTANCE,
                cells(f"mu {_MOMENTS}", ((0.1, 1, 3, 0, 1), (0.1, 2, 4, 0, 2)), (4,)), reacting(two_point(_moment)),
            ),
            WorstCase(
                "noise, two workers each new in turn", average(STRONG, PAIR), squared_distance, DISTANCE,
                cells(f"mu {_MOMENTS}", ((0.1, 1, 2, 0.5, 1),), (2,)), stale(cyclic, two_point(_moment)),
                (_MOMENT_FLOOR,),
            ),
        ),
    }
)
# fmt: on
"""The worst cases of the statements to which performance estimation applies."""

_NUMBERS = "a statement about sequences of numbers, in which no function occurs"

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        "lemma-three-point": "an identity",
        "lemma-absorption": _NUMBERS,
        "lemma-max-recursion": _NUMBERS,
        "stale-window": "a statement about sums of vectors, in which no function occurs",
    }
)
"""Why it does not apply to the others."""
