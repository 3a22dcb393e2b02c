"""Worst cases of event-triggered methods: two workers, and copies that are anywhere within the threshold (dossier 4).

For two workers of self-weight w both eigenvalues of W but one are ``2 w - 1``. A state remembers the workers' points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import PEPit

from taciturn.theory.theorem import Guarantee

from .claims import AtMost, BoundAfterRun, Cell, Inequality, final_bound, stated_residual, stated_value
from .program import WorstCase
from .run import Expression, Method, Point, Problem, ProblemClass, Run, State, candidates, zero_point, zero_value
from .vocabulary import (
    SMOOTH,
    SMOOTH_CONVEX,
    SMOOTH_STRONGLY_CONVEX,
    FunctionClass,
    average,
    bounded_below,
    mean_gradient,
    objective_gap,
    squared_distance,
    whole,
)

__all__ = ["CASES", "NOT_APPLICABLE"]

PAIR = (0.5, 0.5)

# --- words ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Root(AtMost):
    """`AtMost` for a bound of a norm, whose square is what is measured; the start is squared as well."""

    def normalise(self, run: Run, start: Expression, cell: Cell) -> None:
        """``start <= initial^2``."""
        for member in candidates(start):
            run.pep.add_constraint(member <= cell.initial**2)

    def ratio(self, guarantee: Guarantee, cell: Cell, optimum: float) -> float:
        """Root of the largest value / promise."""
        return super().ratio(guarantee, cell, math.sqrt(max(optimum, 0.0)))


def unconstrained(members: FunctionClass) -> ProblemClass:
    """Two workers' functions of the class, of whose sum nothing is said."""

    def declare(pep: PEPit.PEP, values: Mapping[str, float]) -> Problem:
        parts = tuple(members.declare(pep, values) for _ in PAIR)
        L, mu = members.curvature(values)
        return Problem(0.5 * parts[0] + 0.5 * parts[1], zero_value(), None, L, mu, PAIR, parts)

    return declare


def weight(run: Run) -> float:
    """W_ii, from whichever number of W the theorem speaks of."""
    values = run.values
    if "pull" in values:
        return 1 - values["pull"]
    if "mixing_strength" in values:
        return 1 - values["mixing_strength"] / 2
    return (1 + values["lambda_2" if "lambda_2" in values else "lambda_n"]) / 2


def mix(w: float, points: Sequence[Point]) -> tuple[Point, Point]:
    first, second = points
    return w * first + (1 - w) * second, (1 - w) * first + w * second


def _fixed_points(run: Run) -> tuple[Point, ...]:
    """Add the solution of ``X = W X - step_size (gradients at X)`` as data of the functions."""
    points = (PEPit.Point(), PEPit.Point())
    for f, x, mixed in zip(run.problem.parts, points, mix(weight(run), points), strict=True):
        f.add_point((x, (mixed - x) / run.step_size, PEPit.Expression()))
    run.atoms["fixed"] = points
    return points


def displacement(run: Run, radius: float) -> Point:
    """A vector of at most this length, anywhere."""
    if radius == 0:
        return zero_point()
    z = run.send(PEPit.Point())
    run.pep.add_constraint(z**2 <= radius**2)
    return z


def _copies(run: Run) -> tuple[Point, ...]:
    """The errors of the mixing: every worker's copy of the other one is displaced by at most the threshold."""
    return tuple((1 - weight(run)) * displacement(run, run.values["trigger_threshold"]) for _ in PAIR)


def _anything(run: Run) -> tuple[Point, ...]:
    """Errors of the mixing whose Frobenius norm is the measured one at most."""
    errors = tuple(run.send(PEPit.Point()) for _ in PAIR)
    run.pep.add_constraint(errors[0] ** 2 + errors[1] ** 2 <= run.values["measured_error"] ** 2)
    return errors


def mixing(errors: Callable[[Run], tuple[Point, ...]], memory: Callable[[Run], tuple[Point, ...]]) -> Method:
    """``X+ = W X + E - step_size (gradients at X)``."""

    def step(run: Run, state: State) -> Iterator[State]:
        mixed = mix(weight(run), state.memory)
        moved = tuple(
            x + e - run.step_size * f.gradient(point)
            for x, e, f, point in zip(mixed, errors(run), run.problem.parts, state.memory, strict=True)
        )
        yield State(0.5 * moved[0] + 0.5 * moved[1], memory=moved, path=(*state.path, state.x))

    return Method(step, memory)


def anywhere(run: Run) -> tuple[Point, ...]:
    _fixed_points(run)
    return run.send(PEPit.Point()), run.send(PEPit.Point())


def summed(guarantee: Guarantee, cell: Cell) -> float:
    """The bound after K steps before its sum over the earlier thresholds is replaced by that over all time.

    ``q^K initial + (1 - q^K) residual``, the residual being the sum of the constant input over all time.
    """
    kept = float(np.asarray(guarantee.rate)) ** cell.steps
    return kept * cell.initial + (1 - kept) * stated_residual(guarantee, cell)


def averaged() -> Method:
    """The workers' average under the published update: they are spread around it with V, as the theorem allows.

    ``x+ = x - step_size (mean gradient) + e``, e the average of displacements within the threshold.
    """

    def step(run: Run, state: State) -> Iterator[State]:
        apart = displacement(run, math.sqrt(run.values["disagreement"]))
        slopes = [f.gradient(x) for f, x in zip(run.problem.parts, (state.x + apart, state.x - apart), strict=True)]
        drift = run.values["pull"] * displacement(run, run.values["trigger_threshold"])
        yield state.moved(0.5 * run.step_size * (slopes[0] + slopes[1]) - drift)

    return Method(step)


def held(period: Callable[[Mapping[str, float]], int]) -> Method:
    """Identical workers: ``x+ = w x + (1 - w) copy - step_size grad f(x)``, a copy for so many iterations."""

    def step(run: Run, state: State) -> Iterator[State]:
        k, w = len(state.path), run.values["self_weight"]
        copy = (*state.path, state.x)[k - k % period(run.values)]
        yield state.moved((1 - w) * (state.x - copy) + run.step_size * run.gradient(state.x))

    return Method(step)


def relative_error(run: Run, state: State) -> Iterator[State]:
    """``x+ = x - step_size grad f(x) + E``, ``|E| <= relative_threshold * step_size |grad f(x)|``."""
    slope, E = run.step_size * run.gradient(state.x), run.send(PEPit.Point())
    run.pep.add_constraint(run.values["relative_threshold"] ** 2 * slope**2 >= E**2)
    yield state.moved(slope - E)


def two_points(run: Run, state: State) -> Iterator[State]:
    """A gradient step from each of two points."""
    moved = tuple(run.send(x - run.step_size * run.gradient(x)) for x in state.memory)
    yield State(moved[0] - moved[1], memory=moved)


def inexact_step(run: Run, state: State) -> Iterator[State]:
    """One step of the average with any error and any noise; what the certificate speaks of."""
    step_size = _UNIT["step_size"]
    mean = 0.5 * state.memory[0] + 0.5 * state.memory[1]
    slopes = [f.gradient(x) for f, x in zip(run.problem.parts, state.memory, strict=True)]
    values = [f(x) for f, x in zip(run.problem.parts, state.memory, strict=True)]
    noise, error = run.send(PEPit.Point()), run.send(PEPit.Point())
    h = 0.5 * slopes[0] + 0.5 * slopes[1]
    after = mean - step_size * (h + noise) + error
    oracle = [value + g * (mean - x) for value, g, x in zip(values, slopes, state.memory, strict=True)]
    run.atoms |= {
        **_UNIT, "r": mean, "h": h, "nu": noise, "e": error, "F_delta": 0.5 * oracle[0] + 0.5 * oracle[1],
        "V": _spread(state), "F_next": run.problem.function(after),
    }  # fmt: skip
    yield State(after, memory=state.memory)


_UNIT = {"L": 1.0, "mu": 0.1, "step_size": 0.5}
"""Constants of a statement without parameters."""


def _spread(state: State) -> Expression:
    return 0.25 * (state.memory[0] - state.memory[1]) ** 2


def from_fixed_points(run: Run, k: int) -> Expression:
    """``|X^k - X_gamma^*|_F^2``."""
    (state,) = run.levels[k]
    first, second = (x - fixed for x, fixed in zip(state.memory, run.atoms["fixed"], strict=True))
    return first**2 + second**2


def bias(run: Run, k: int) -> Expression:
    """``|X_gamma^* - 1 x^*|_F^2/n``."""
    first, second = (x - run.problem.minimiser for x in run.atoms["fixed"])
    return 0.5 * first**2 + 0.5 * second**2


def dissimilarity_at_minimiser(run: Run, k: int) -> Expression:
    """Mean squared gradient of the workers at x*."""
    first, second = (f.gradient(run.problem.minimiser) for f in run.problem.parts)
    return 0.5 * first**2 + 0.5 * second**2


def apart(run: Run, k: int) -> Expression:
    """Squared distance of the two points."""
    (state,) = run.levels[k]
    return (state.memory[0] - state.memory[1]) ** 2


def size_and_spread(run: Run, k: int) -> Expression:
    """``|x_mean - x*|^2 + V``."""
    (state,) = run.levels[k]
    return (0.5 * state.memory[0] + 0.5 * state.memory[1] - run.problem.minimiser) ** 2 + _spread(state)


def mean_gap_after(run: Run, k: int) -> Expression:
    """``sum_{j=1}^k (F(x_j) - F*) / k``."""
    return sum(objective_gap(run, j) for j in range(1, k + 1)) / k


# --- cases ------------------------------------------------------------------------------------------------------------


def _cells(names: str, rows: Sequence[Sequence[float]], steps: Sequence[int]) -> tuple[Cell, ...]:
    return tuple(Cell(dict(zip(names.split(), row, strict=True)), K) for K in steps for row in rows)


def _pairs(rows: Sequence[tuple[float, float, float]], steps: Sequence[int]) -> tuple[Cell, ...]:
    """Cells of `eg-sc` by mu, w and c, with L = 1."""
    return tuple(
        Cell(
            {
                "L": 1, "mu": mu, "lambda_n": 2 * w - 1, "mixing_pull": math.sqrt(2) * (1 - w), "trigger_threshold": c,
                "gradient_noise": 0, "workers": 2,
            },
            K,
        )
        for K in steps
        for mu, w, c in rows
    )  # fmt: skip


_MEAN = "L mu step_size pull trigger_threshold disagreement gradient_noise workers"
_FLAT = "L step_size pull trigger_threshold disagreement gradient_noise workers"
_STRONG = SMOOTH_STRONGLY_CONVEX
_FIXED: dict[str, Callable[[Mapping[str, float]], float]] = {
    "L": lambda values: _UNIT["L"],
    "mu": lambda values: _UNIT["mu"],
}
_DELAYED = "L mu self_weight tau"


def _age(values: Mapping[str, float]) -> int:
    return int(values["tau"]) + 1


# A worst case is a paragraph.
# fmt: off
CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType(
    {
        "gd-contraction": (
            WorstCase(
                "two points", whole(_STRONG), apart, Root(apart, final_bound),
                _cells("L mu", ((1, 0.1), (2, 1)), (1,)),
                Method(two_points, lambda run: (PEPit.Point(), PEPit.Point())), tight=True,
            ),
        ),
        "mean-oracle-step": (
            WorstCase(
                "one step of two workers, any error and noise", average(_STRONG.where(**_FIXED), PAIR),
                size_and_spread, Inequality("right side - left side"), (Cell({}),),
                Method(inexact_step, lambda run: (PEPit.Point(), PEPit.Point())), tight=True,
            ),
        ),
        "eg-sc": (
            WorstCase(
                "two workers, copies anywhere within the threshold", unconstrained(_STRONG), from_fixed_points,
                Root(from_fixed_points, summed),
                (
                    *_pairs(((0.1, 1 / 3, 1),), (1,)), *_pairs(((0.5, 0.5, 0.1), (0.1, 1 / 3, 0)), (2,)),
                    *_pairs(((0.1, 0.8, 0.3),), (3,)),
                ),
                mixing(_copies, anywhere), tight=True,
            ),
        ),
        "ev-posterior": (
            WorstCase(
                "two workers, any errors of the measured size", unconstrained(_STRONG), from_fixed_points,
                Root(from_fixed_points, summed),
                _cells("L mu lambda_n measured_error", ((1, 0.1, -1 / 3, 0.1), (1, 0.9, 0, 1)), (1, 2)),
                mixing(_anything, anywhere), tight=True,
            ),
        ),
        "dgd-bias": (
            WorstCase(
                "the fixed point of two workers", average(_STRONG, PAIR), dissimilarity_at_minimiser,
                Root(bias, stated_value),
                _cells("L mu lambda_2 step_size optimum_dissimilarity", (
                    (1, 0.1, -1 / 3, 0.1, 1), (1, 0.5, 0, 0.2, 1), (1, 0.1, 0.5, 0.05, 1),
                ), (0,)),
                Method(two_points, _fixed_points),
            ),
        ),
        "ev-sc-mean": (
            WorstCase(
                "the average of two workers within V of it", average(_STRONG, PAIR), squared_distance,
                Root(squared_distance, final_bound),
                _cells(_MEAN, ((1, 0.1, 1, 0.5, 0.1, 0, 0, 2), (1, 0.1, 0.5, 0, 0, 0.1, 0, 2)), (1, 2)), averaged(),
            ),
        ),
        "ev-convex": (
            WorstCase(
                "the average of two workers within V of it", average(SMOOTH_CONVEX, PAIR), squared_distance,
                AtMost(mean_gap_after, final_bound),
                (
                    *_cells(_FLAT, ((1, 1, 0, 0, 0.1, 0, 2),), (1, 2)),
                    *_cells(_FLAT, ((1, 1, 0.5, 0.1, 0.1, 0, 2),), (1,)),
                ),
                averaged(),
            ),
        ),
        "ev-nonconvex": (
            WorstCase(
                "the average of two workers within V of it", average(SMOOTH, PAIR), objective_gap,
                AtMost(mean_gradient, final_bound),
                _cells(_FLAT, ((1, 1, 0.5, 0.1, 0.1, 0, 2), (1, 1, 0, 0, 0.1, 0, 2)), (1, 2)), averaged(),
                (bounded_below,),
            ),
        ),
        "bounded-delay": (
            WorstCase(
                "identical workers, a copy held for tau + 1 iterations", whole(_STRONG), squared_distance,
                Root(squared_distance, final_bound),
                (
                    *_cells(_DELAYED, ((1, 0.1, 1 / 3, 1),), (2,)), *_cells(_DELAYED, ((1, 0.1, 0.1, 2),), (3,)),
                    *_cells(_DELAYED, ((1, 0.1, 1 / 3, 2),), (6,)),
                ),
                held(_age),
            ),
        ),
        "hold-descent": (
            WorstCase(
                "a copy held for tau + 1 iterations", whole(SMOOTH), objective_gap, BoundAfterRun(mean_gradient),
                _cells("L self_weight tau", ((1, 1 / 3, 0), (1, 1 / 3, 1), (1, 0.5, 2)), (2, 4)), held(_age),
                (bounded_below,),
            ),
        ),
        "relative-threshold": (
            WorstCase(
                "identical workers", whole(_STRONG), objective_gap, BoundAfterRun(objective_gap),
                _cells("L mu lambda_n relative_threshold", ((1, 0.1, 1, 0.5), (1, 0.5, 1, 0.5)), (1, 2)),
                Method(relative_error),
            ),
        ),
    }
)
# fmt: on
"""The worst cases of the statements to which performance estimation applies."""

_NUMBERS = "a statement about sequences of numbers, in which no function occurs"
_VECTORS = (
    "only the length of the gradients enters: a statement about sums of bounded vectors, in which no function occurs"
)
_TRIGGER = "a statement about when a trigger fires on a path, in which no function occurs"
_INSTANCE = "an exact instance, which is replayed in rational arithmetic"

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        "mean-drift": "the gradients cancel: an identity and the triangle inequality",
        "noise-recursion": _NUMBERS,
        "biased-recursion": _NUMBERS,
        "max-root": _NUMBERS,
        "consensus": "its dissimilarity is bounded at every point, and its supremum is over runs of every length",
        "gossip-sum": "its supremum is over runs of every length; one step of it is consensus without a cancellation",
        "eg-stuck": "a real trigger on an explicit instance, which the attack runs",
        "ap-decreasing": "its step sizes shrink from t_0 >= 8 L/(mu theta) on: short runs do not show it",
        "per-tensor-divergence": _INSTANCE,
        "ap-hold-instability": "a statement about eigenvalues of W; the step size is zero and no function occurs",
        "bounded-stale-damped": _VECTORS,
        "norm-diff-unsafe": _INSTANCE,
        "norm-diff-repair": "the law of cosines: an identity",
        "horizon-lockout": _NUMBERS,
        "adaptive-invariance": "a statement about a program that compares numbers, in which no function occurs",
        "count-path": _TRIGGER,
        "guaranteed-saving": _VECTORS,
        "pullback-cap": "a component of a quadratic under a given Hessian: no class of functions is worst",
        "compressed-staleness": _TRIGGER,
        "choco-event": _VECTORS,
        "latency-staleness": _TRIGGER,
        "torn-copies": _TRIGGER,
        "mass-conservation": "an identity, in which no function occurs",
        "optimal-weights": "a minimum over the damping of the mixing, in which no function occurs",
        "time-varying": "its supremum is over runs of every length and all sequences of matrices",
    }
)
"""Why it does not apply to the others."""
