"""Worst cases behind stored messages, biased messages and the max-recursion route (dossier 4.7–4.9)."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from types import MappingProxyType

from ..program import WorstCase
from ..stale_vocabulary import bounded_error, constant, cyclic, hold, quadratic_growth, stale, stored, two_point
from ..vocabulary import SMOOTH_STRONGLY_CONVEX, average, squared_distance, whole
from .common import CONVEX, CURVED, DISTANCE, FLOOR, MEAN_GAP, NOISE, PAIR, STALE, STRONG, cells

# A worst case is a paragraph.
# fmt: off
CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType(
    {
        "stale-stored-convex": (
            WorstCase(
                "one message held", whole(CONVEX), squared_distance, MEAN_GAP,
                cells(STALE, ((1, 2, 0, 1), (2, 1, 0, 1), (1, 2, 0, 2)), (4, 6)),
                stored(hold, NOISE),
            ),
            WorstCase(
                "two workers, each new in turn", average(CONVEX, PAIR), squared_distance, MEAN_GAP,
                cells(STALE, ((1, 1, 0.5, 1),), (2,)), stored(cyclic, NOISE), (FLOOR,),
            ),
        ),
        "stale-stored-sc": (
            WorstCase(
                "one message held", whole(STRONG), squared_distance, DISTANCE,
                (
                    *cells(CURVED, ((1, 0.1, 2, 0, 1), (2, 1, 1, 0, 1)), (4,)),
                    *cells(CURVED, ((1, 0.1, 2, 0, 2),), (6,)),
                ),
                stored(hold, NOISE),
            ),
            WorstCase(
                "two workers, each new in turn", average(STRONG, PAIR), squared_distance, DISTANCE,
                cells(CURVED, ((1, 0.1, 1, 0.5, 1),), (2, 3)), stored(cyclic, NOISE), (FLOOR,),
            ),
        ),
        "stale-absolute": (
            WorstCase(
                "constant delay", whole(CONVEX), squared_distance, DISTANCE,
                cells("L_hat mu absolute_error tau", ((1, 0.1, 0.1, 1), (2, 1, 0.2, 2), (1, 0.5, 0, 1)), (4, 6)),
                stale(constant, bounded_error("absolute_error")), (quadratic_growth,),
            ),
        ),
        "stale-maxrec": (
            WorstCase(
                "constant delay and noise", whole(SMOOTH_STRONGLY_CONVEX.where(L=itemgetter("L_stale"))),
                squared_distance, DISTANCE,
                cells("mu L_stale max_slope max_floor tau", ((0.3, 1, 3, 0, 1), (0.5, 2, 4, 0, 2)), (4,)),
                stale(constant, two_point(lambda values: values["max_slope"] / values["L_stale"] ** 2 - 1)),
            ),
        ),
    }
)
# fmt: on
"""The worst cases of all of them."""
