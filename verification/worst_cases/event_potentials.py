"""Worst cases of event-triggered methods whose potential is the largest of several norms (dossier 4.3, 4.9).

A start below such a potential is one constraint for every norm. Two workers, as in `event_triggering`; both updates
preserve the average, so what displaces the copies enters through ``W - I``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import PEPit

from .claims import Cell, final_bound
from .event_triggering import PAIR, Root, anywhere, displacement, mix, mixing, summed, unconstrained, weight
from .program import WorstCase
from .run import Expression, Method, Point, Problem, Run, State, zero_point, zero_value
from .vocabulary import SMOOTH, SMOOTH_STRONGLY_CONVEX

__all__ = ["CASES"]

# --- words ------------------------------------------------------------------------------------------------------------


def balanced(run: Run, threshold: str) -> tuple[Point, Point]:
    """``(W - I) Z``, every row of Z at most the threshold: errors of the mixing that cancel in the average."""
    first, second = (displacement(run, run.values[threshold]) for _ in PAIR)
    across = (1 - weight(run)) * (second - first)
    return across, -across


def tracking(run: Run, state: State) -> Iterator[State]:
    """``X+ = W X + E_x - step_size Y``, ``Y+ = W Y + E_y + gradients at X+ - gradients at X``."""
    points, trackers = state.memory[:2], state.memory[2:]
    E_x, E_y = balanced(run, "trigger_threshold"), balanced(run, "tracker_threshold")
    moved = tuple(x + e - run.step_size * y for x, e, y in zip(mix(weight(run), points), E_x, trackers, strict=True))
    changes = (
        f.gradient(after) - f.gradient(before)
        for f, after, before in zip(run.problem.parts, moved, points, strict=True)
    )
    tracked = tuple(y + e + change for y, e, change in zip(mix(weight(run), trackers), E_y, changes, strict=True))
    yield State(_mean(moved), memory=moved + tracked, path=(*state.path, state.x))


def mid_run(run: Run) -> tuple[Point, ...]:
    """Points anywhere, and trackers of which only the average is known: that of the gradients."""
    points = run.send(PEPit.Point()), run.send(PEPit.Point())
    mean = _mean([f.gradient(x) for f, x in zip(run.problem.parts, points, strict=True)])
    apart = run.send(PEPit.Point())
    return (*points, mean + apart, mean - apart)


def smooth_workers(pep: PEPit.PEP, values: Mapping[str, float]) -> Problem:
    """Two smooth workers; `strongly_convex` says what more is known of their average.

    Linear functions that cancel in the average change no difference of gradients, so both workers are flat at x*.
    """
    parts = tuple(SMOOTH.declare(pep, values) for _ in PAIR)
    for f in parts:
        f.add_point((zero_point(), zero_point(), zero_value()))
    F = 0.5 * parts[0] + 0.5 * parts[1]
    return Problem(F, zero_value(), zero_point(), values["L"], values["mu"], PAIR, parts)


def strongly_convex(run: Run) -> None:
    """F is smooth and strongly convex at x* and at the workers' averages before every step."""
    F = run.problem.function
    itself = SMOOTH_STRONGLY_CONVEX.declare(run.pep, run.values)
    averages = [_mean(state.memory[:2]) for level in run.levels[:-1] for state in level]
    for x in (run.problem.minimiser, *averages):
        itself.add_point((x, *F.oracle(x)))


def _mean(vectors: Sequence[Point]) -> Point:
    return 0.5 * vectors[0] + 0.5 * vectors[1]


def _parts(vectors: Sequence[Point]) -> tuple[Expression, Expression]:
    """``n |average|^2`` and ``|disagreement|_F^2``."""
    return 2 * _mean(vectors) ** 2, 0.5 * (vectors[0] - vectors[1]) ** 2


def _kappa(run: Run) -> float:
    return run.values["L"] / run.values["mu"]


def preserving_potential(run: Run, k: int) -> tuple[Expression, ...]:
    """Squares of ``sqrt(n) |average|/(2 kappa)`` and of the disagreement, both counted from the fixed point."""
    (state,) = run.levels[k]
    average, apart = _parts([x - fixed for x, fixed in zip(state.memory, run.atoms["fixed"], strict=True)])
    return average / (2 * _kappa(run)) ** 2, apart


def tracking_potential(run: Run, k: int) -> tuple[Expression, ...]:
    """Squares of ``sqrt(n) |average - x*|/(2 kappa)``, the disagreement of the points, and of the trackers by v_3."""
    (state,) = run.levels[k]
    values, kappa = run.values, _kappa(run)
    z, theta, B = values["L"] * run.step_size, values["spectral_gap"], values["mixing_strength"]
    v3 = values["L"] * (B + z + 2 * kappa * z) / (theta - z - z / (2 * kappa))
    average, apart = _parts([x - run.problem.minimiser for x in state.memory[:2]])
    return average / (2 * kappa) ** 2, apart, _parts(state.memory[2:])[1] / v3**2


# --- cases ------------------------------------------------------------------------------------------------------------


def _cell(K: int, mu: float, w: float, c: float, d: float | None = None, *, L: float = 1) -> Cell:
    """K steps of two workers of self-weight w with the thresholds c and, of trackers, d."""
    W = {"spectral_gap": 1 - abs(2 * w - 1), "mixing_strength": 2 * (1 - w), "workers": 2}
    trackers = {} if d is None else {"tracker_threshold": d}
    return Cell({"L": L, "mu": mu, **W, "trigger_threshold": c, **trackers}, K)


# A worst case is a paragraph.
# fmt: off
CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType(
    {
        "ap-sc": (
            WorstCase(
                "two workers, copies anywhere within the threshold", unconstrained(SMOOTH_STRONGLY_CONVEX),
                preserving_potential, Root(preserving_potential, final_bound),
                (
                    _cell(1, 0.9, 0.5, 0), _cell(2, 0.9, 0.5, 3), _cell(1, 0.2, 0.75, 0.1, L=2),
                    _cell(2, 0.5, 0.3, 0.1), _cell(3, 0.5, 0.5, 3),
                ),
                mixing(lambda run: balanced(run, "trigger_threshold"), anywhere),
            ),
        ),
        "event-gt": (
            WorstCase(
                "two workers without thresholds, F strongly convex at the averages, as in the proof", smooth_workers,
                tracking_potential, Root(tracking_potential, summed),
                (
                    _cell(1, 0.9, 0.4, 0, 0), _cell(1, 0.2, 0.75, 0, 0), _cell(1, 1.8, 0.4, 0, 0, L=2),
                    _cell(1, 0.3, 0.6, 0, 0),
                ),
                Method(tracking, mid_run), (strongly_convex,), tight=True,
            ),
            WorstCase(
                "two workers, copies of points and trackers anywhere within the thresholds", smooth_workers,
                tracking_potential, Root(tracking_potential, summed),
                (
                    _cell(1, 0.5, 0.4, 0, 10), _cell(1, 0.5, 0.75, 5, 0), _cell(1, 1, 0.5, 2, 12, L=2),
                    _cell(2, 0.5, 0.6, 0.1, 0.1),
                ),
                Method(tracking, mid_run), (strongly_convex,),
            ),
        ),
    }
)
# fmt: on
"""The worst cases, by theorem ID."""
