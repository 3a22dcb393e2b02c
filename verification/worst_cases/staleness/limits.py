"""Worst cases behind known and measured delays, and the lower bounds (dossier 4.2, 4.10–4.12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from taciturn.solvers.delays import Periodic, window_count, window_norm
from taciturn.solvers.methods import Capped, DelayFilter, FillWindow, OneOverDelay, StepRule
from taciturn.theory.theorem import Guarantee

from ..claims import AtMost, BoundAfterRun, Cell, Exceeded, Promise, final_bound
from ..program import WorstCase
from ..stale_vocabulary import Steps, Values, mean_of, measured, repeated, stale
from ..vocabulary import (
    SMOOTH_CONVEX,
    bounded_below,
    objective_gap,
    squared_distance,
    squared_gradient,
    whole,
)
from .common import CONVEX, MEAN_GAP, NOISE, NONCONVEX, STRONG, cells

_OF_STEPS = "mean_step mean_square_step largest_step"
_CHAOS = (0, 1, 0, 2, 3, 1, 0, 4, 2, 5)  # delays of no rule
_FILTERED = (0, 0, 0, 0, 0, 5, 1, 0)  # two workers, one of them five times slower
_ALL = 1 - 1e-9  # of the budget: without noise the statement allows all of it


def _known(pattern: tuple[int, ...], steps: Sequence[int], variance: float = 0.0) -> tuple[Cell, ...]:
    """Cells of `stale-pattern-aware`, with the windows of the run itself."""
    runs = {K: Periodic(pattern).trace(K, 1).largest_delay for K in steps}
    return tuple(
        Cell(
            {
                "L_hat": 1, "noise_slope": variance, "noise_floor": 0, "window_norm": window_norm(delay).upper,
                "window_count": window_count(delay),
            },
            K,
        )
        for K, delay in runs.items()
    )  # fmt: skip


def _along(steps: Steps, K: int, names: str, **values: float) -> Cell:
    """A cell with the numbers of the step sizes that the statement names."""
    sizes = steps(values, K)
    of_steps = {
        "mean_step": sum(sizes) / K,
        "mean_square_step": sum(size**2 for size in sizes) / K,
        "largest_step": max(sizes),
    }
    return Cell({**values, **{name: of_steps[name] for name in names.split()}}, K)


def _fill(values: Values) -> StepRule:
    return FillWindow(values["window_budget"] / values["L_hat"], fraction=0.7)


def _one_over(values: Values) -> StepRule:
    return OneOverDelay(values["window_budget"] / values["L_hat"])


def _capped(values: Values) -> StepRule:
    return Capped(_fill(values), (1 - values["window_budget"]) ** 2 / values["noise_slope"])


def _product_of_rates(steps: Steps) -> Promise:
    """What the rates of all steps leave of the start."""

    def promise(guarantee: Guarantee, cell: Cell) -> float:
        left = cell.initial
        for size in steps(cell.parameters, cell.steps):
            after: Any = guarantee.theorem.evaluate(**{**cell.parameters, "step_size": size}).rate if size else 1
            left *= float(after)
        return left

    return promise


_MEASURED = measured(repeated(*_CHAOS), _fill)
_SECOND_RULE = measured(repeated(*_CHAOS), _one_over)
_MEASURED_NOISE = measured(repeated(*_CHAOS), _capped)
_SC_RULE = measured(repeated(*_CHAOS), lambda values: FillWindow(values["step_size"], fraction=0.7))
_FILTER = measured(
    repeated(*_FILTERED),
    lambda values: DelayFilter(1 / (2 * values["workers"] * values["L"]), 2 * int(values["workers"]) - 1),
)
_NONCONVEX_RULE = measured(repeated(*_CHAOS), lambda values: FillWindow(1 / values["L_stale"], fraction=0.7))

# A worst case is a paragraph.
# fmt: off
CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType(
    {
        "tight-huber": (
            WorstCase(
                "a run with delays 2", whole(SMOOTH_CONVEX), squared_distance,
                Exceeded(mean_of(objective_gap), final_bound),
                cells("L step_size", ((1, 0.39), (2, 0.1)), (3, 6)), stale(repeated(2)), tight=True,
            ),
        ),
        "stale-pattern-aware": (
            WorstCase(
                "one model held, tau = 3", whole(CONVEX), squared_distance, MEAN_GAP,
                _known((0, 1, 2, 3), (4, 6, 8, 16)),
                stale(repeated(0, 1, 2, 3)),
            ),
            WorstCase(
                "the worst pattern for tau = 2", whole(CONVEX), squared_distance, MEAN_GAP,
                _known((0, 1, 2, 2), (4, 6, 8, 12)), stale(repeated(0, 1, 2, 2)),
            ),
            WorstCase(
                "one model held, tau = 1, noise", whole(CONVEX), squared_distance, MEAN_GAP,
                _known((0, 1), (2, 3), 2.0),
                stale(repeated(0, 1), NOISE),
            ),
        ),
        "delay-adaptive-convex": (
            WorstCase(
                "rule 1", whole(CONVEX), squared_distance, BoundAfterRun(mean_of(objective_gap, _MEASURED)),
                tuple(
                    _along(_MEASURED, K, _OF_STEPS, L_hat=L, noise_slope=0, noise_floor=0, window_budget=_ALL)
                    for L, K in ((1, 4), (2, 6), (1, 5), (1, 10))
                ),
                stale(repeated(*_CHAOS), steps=_MEASURED),
            ),
            WorstCase(
                "rule 2", whole(CONVEX), squared_distance, BoundAfterRun(mean_of(objective_gap, _SECOND_RULE)),
                tuple(
                    _along(_SECOND_RULE, K, _OF_STEPS, L_hat=1, noise_slope=0, noise_floor=0, window_budget=_ALL)
                    for K in (6, 10)
                ),
                stale(repeated(*_CHAOS), steps=_SECOND_RULE),
            ),
            WorstCase(
                "rule 1, capped, noise", whole(CONVEX), squared_distance,
                BoundAfterRun(mean_of(objective_gap, _MEASURED_NOISE)),
                (_along(_MEASURED_NOISE, 3, _OF_STEPS, L_hat=1, noise_slope=2, noise_floor=0, window_budget=0.5),),
                stale(repeated(*_CHAOS), NOISE, _MEASURED_NOISE),
            ),
        ),
        "delay-adaptive-sc": (
            WorstCase(
                "rule 1", whole(STRONG), squared_distance, AtMost(squared_distance, _product_of_rates(_SC_RULE)),
                tuple(
                    Cell({"L_hat": L, "mu": mu, "step_size": budget / L}, K)
                    for L, mu, budget, K in ((1, 0.1, 0.951249, 6), (2, 0.02, 0.995012, 8), (1, 0.5, 0.780776, 6))
                ),
                stale(repeated(*_CHAOS), steps=_SC_RULE),
            ),
        ),
        "delay-adaptive-nonconvex": (
            WorstCase(
                "rule 1", whole(NONCONVEX), objective_gap, BoundAfterRun(mean_of(squared_gradient, _NONCONVEX_RULE)),
                tuple(_along(_NONCONVEX_RULE, K, "mean_step", L_stale=L) for L, K in ((1, 6), (2, 8))),
                stale(repeated(*_CHAOS), steps=_NONCONVEX_RULE), (bounded_below,),
            ),
        ),
        "delay-filter": (
            WorstCase(
                "two workers, one of them slow", whole(SMOOTH_CONVEX), squared_distance,
                BoundAfterRun(mean_of(objective_gap, _FILTER)),
                cells("L workers", ((1, 2), (2, 2)), (8,)), stale(repeated(*_FILTERED), steps=_FILTER),
            ),
        ),
    }
)
# fmt: on
"""The worst cases of the statements to which performance estimation applies."""

_FORMULA = "a comparison of formulas, in which no function occurs"
_LIMIT = "a lower bound, attained by L x^2/2 with an explicit delay pattern"

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        "stale-necessary": _LIMIT,
        "stale-necessary-stored": _LIMIT,
        "delay-budget": "a count of messages, in which no function occurs",
        "tradeoff-free-compression": _FORMULA,
        "optimal-accuracy": _FORMULA,
    }
)
"""Why it does not apply to the others."""
