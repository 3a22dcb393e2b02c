"""Worst cases behind the statements on error feedback with data weights (dossier 3.1–3.6, 3.10, 3.11).

With one worker ``A_b = a``, ``A_L = L a`` and ``A_2 = L a^2``, where ``a = q/(beta - q)``: so q follows from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import PEPit

from taciturn.theory import theorem
from taciturn.theory.memory_constants import memory_constants, memory_cost
from taciturn.theory.theorem import Guarantee

from .claims import AtMost, BoundAfterRun, Cell, Inequality, final_bound, next_value
from .memory_vocabulary import (
    anything,
    bounded_stream,
    displaced,
    estimates,
    feedback,
    feedback_potential,
    gap_potential,
    gradient_potential,
    gradients_only,
    keeps,
    last_gradient,
    mean_squares,
    sharing,
    squared_memory,
    stream,
    virtual_distance,
)
from .program import WorstCase
from .run import Run
from .stale_vocabulary import Values, bounded_error, mean_of
from .vocabulary import (
    SMOOTH,
    SMOOTH_CONVEX,
    SMOOTH_STRONGLY_CONVEX,
    Reader,
    average,
    bounded_below,
    compressed_gradient,
    compressed_workers,
    contractive,
    mean_gradient,
    noise_at_optimum,
    objective_gap,
    pl,
    squared_distance,
    unbiased,
    whole,
)

_Rows = Sequence[Sequence[float]]
_PAIR = (0.25, 0.75)


def _cells(names: str, rows: _Rows, steps: Sequence[int] = (1,)) -> tuple[Cell, ...]:
    return tuple(Cell(dict(zip(names.split(), row, strict=True)), K) for K in steps for row in rows)


# --- one worker's q from the constants of the theorems ----------------------------------------------------------------


def _beta(values: Values) -> float:
    return math.sqrt(1 - values["step_size"] * values["mu"])


def _plain(values: Values) -> float:
    return 1.0


def _q(cost: Reader, beta: Reader = _plain) -> Reader:
    """``q = beta a/(1 + a)``."""
    return lambda values: beta(values) * cost(values) / (1 + cost(values))


_BY_DISSIMILARITY = _q(lambda values: values["memory_dissimilarity"])
_BY_CURVATURE = _q(lambda values: math.sqrt(values["memory_curvature"] / values["L"]))
_BY_DISCOUNTED_CURVATURE = _q(lambda values: math.sqrt(values["discounted_curvature"] / values["L"]), _beta)
_BY_SMOOTHNESS = _q(lambda values: values["memory_smoothness"] / values["L"])
_BY_DISCOUNTED_SMOOTHNESS = _q(lambda values: values["discounted_smoothness"] / values["L"], _beta)


def _gap_weight(q: Reader, beta: Reader) -> Reader:
    """kappa of EF21's potential for one worker: ``step_size/(2 beta (beta - q))``."""
    return lambda values: values["step_size"] / (2 * beta(values) * (beta(values) - q(values)))


def _squared_value(guarantee: Guarantee, cell: Cell) -> float:
    """The stated root mean square, squared."""
    assert guarantee.value is not None
    return float(guarantee.value) ** 2 * cell.initial


# --- cells ------------------------------------------------------------------------------------------------------------


def _costs(delta: float, beta: float = 1.0) -> tuple[float, float]:
    """a and a^2."""
    a = float(memory_cost(delta, beta))
    return a, a**2


def _tight_cells() -> tuple[Cell, ...]:
    """Steps below, at and beyond the best one, as a share of the longest, for conditions from 2 to 1000."""
    rows: list[Cell] = []
    for L, mu, delta, share in (
        (1, 0.1, 0.75, 0.5), (1, 0.1, 0.75, 1 / 1.1), (1, 0.1, 0.75, 0.97), (2, 1, 0.36, 0.4), (2, 1, 0.36, 2 / 3),
        (1, 0.5, 0.19, 0.9), (1, 0.01, 0.96, 0.6), (1, 0.01, 0.5, 1 / 1.01), (1, 0.001, 0.75, 0.99), (1, 0.3, 0.1, 0.8),
    ):  # fmt: skip
        s = math.sqrt(1 - delta)
        step = share * 2 / L * (1 - s) / (1 + s)
        rows.append(Cell({"L_max": L, "mu": mu, "delta": delta, "step_size": step}))
    return tuple(rows)


def _discounted(id: str, constant: str, rows: _Rows, steps: Sequence[int], **others: float) -> tuple[Cell, ...]:
    """Cells (L, mu, delta, step) of a theorem whose constant is that at ``beta = sqrt(1 - step mu)``."""
    names = {"discounted_curvature": "memory_curvature", "discounted_smoothness": "memory_smoothness"}
    cells = []
    for L, mu, delta, step in rows:
        constants = memory_constants([1.0], delta, smoothness=L, beta=math.sqrt(1 - step * mu))
        known = {"L": L, "mu": mu, constant: getattr(constants, names[constant]), "step_size": step, **others}
        theorem(id).evaluate(**known)  # the step is allowed
        cells += [Cell(known, K) for K in steps]
    return tuple(cells)


def _strongly_convex_cells(steps: Sequence[int], **others: float) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            {
                "L": L, "mu": mu, "memory_curvature": L * _costs(delta)[1], "residual_at_optimum": 0,
                "gradient_noise": 0, "delta": delta, **others,
            },
            K,
        )
        for L, mu, delta in ((1, 0.1, 0.75), (2, 0.2, 0.3))
        for K in steps
    )  # fmt: skip


def _variance(values: Values) -> float:
    """The variance factor of two workers with L_i = L."""
    return values["noise_smoothness"] / (max(_PAIR) * values["L"])


# --- the table --------------------------------------------------------------------------------------------------------


def _balance(delta: float, beta: float) -> float:
    """The gradient with which a memory of norm 1 attains `ef-memory-step`: ``(beta - q) e = q g``."""
    q = math.sqrt(1 - delta)
    return (beta - q) / q


def _error(run: Run) -> Any:
    """The free difference of iterate and virtual iterate."""
    return run.atoms.setdefault("err", PEPit.Point())


def _away(run: Run) -> Any:
    return run.start.x - run.problem.minimiser


def _after(run: Run) -> Any:
    return (_away(run) - _error(run) - run.step_size * run.gradient(run.start.x)) ** 2


_ONE_STEP = Inequality("mu < L", {"x": _away, "err": _error, "V_next": _after, "gradient_noise": lambda run: 0.0})
_GRADIENTS, _MEMORIES = mean_squares(lambda values: values["discount"])
_RHO = mean_of(objective_gap, lambda values, k: [_beta(values) ** (-2 * j) for j in range(k)])
_MEAN_GAP = mean_of(objective_gap)
_TIGHT = SMOOTH_STRONGLY_CONVEX.where(L=lambda values: values["L_max"])

# A worst case is a paragraph.
# fmt: off
CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType(
    {
        "ef-memory-step": (
            WorstCase(
                "one step", gradients_only, squared_memory, AtMost(squared_memory, next_value),
                _cells("delta discount gradient_bound gradient_noise", tuple(
                    (delta, beta, _balance(delta, beta), 0) for delta, beta in ((0.75, 1), (0.3, 0.9), (0.96, 0.5))
                )),
                stream(contractive("delta"), anything), (bounded_stream,), tight=True,
            ),
        ),
        "ef-memory-sum": (
            WorstCase(
                "a run", gradients_only, _GRADIENTS, AtMost(_MEMORIES, _squared_value),
                _cells("delta discount gradient_bound gradient_noise", (
                    (0.75, 1, 1, 0), (0.3, 0.95, 1, 0), (0.96, 0.8, 1, 0),
                ), (8, 2, 4)),
                stream(contractive("delta")),
            ),
        ),
        "ef-memory-uniform": (
            WorstCase(
                "the last memory of a run", gradients_only, last_gradient, AtMost(squared_memory, _squared_value),
                _cells("delta gradient_bound gradient_noise", ((0.96, 1, 0), (0.75, 1, 0), (0.3, 1, 0)), (8, 1, 2)),
                stream(contractive("delta")), (bounded_stream,),
            ),
        ),
        "nuef-nonconvex": (
            WorstCase(
                "a run, one worker", whole(SMOOTH), objective_gap, BoundAfterRun(mean_gradient),
                _cells("L memory_dissimilarity memory_residual gradient_noise", (
                    (1, 0, 0, 0), (2, _costs(0.51)[0], 0, 0), (1, _costs(0.19)[0], 0, 0),
                ), (4, 1, 2)),
                feedback(keeps(_BY_DISSIMILARITY)), (bounded_below,),
            ),
        ),
        "nuef-nonconvex-complexity": (
            WorstCase(
                "a run, one worker", whole(SMOOTH), objective_gap, BoundAfterRun(mean_gradient),
                _cells("L memory_dissimilarity memory_residual gradient_noise target", (
                    (1, 0, 0, 0, 0.5), (2, _costs(0.51)[0], 0, 0, 0.5),
                ), (4, 1, 2)),
                feedback(keeps(_BY_DISSIMILARITY)), (bounded_below,),
            ),
        ),
        "ef-onestep-convex": (
            WorstCase(
                "the inequality of one step", whole(SMOOTH_STRONGLY_CONVEX), squared_distance, _ONE_STEP,
                _cells("L mu step_size", ((1, 0.1, 0.25), (1, 0.1, 0.5), (2, 0.5, 0.1), (1, 0.01, 0.9))), tight=True,
            ),
        ),
        "nuef-convex": (
            WorstCase(
                "a run, one worker", whole(SMOOTH_CONVEX), squared_distance, BoundAfterRun(_MEAN_GAP),
                _cells("L memory_curvature residual_at_optimum gradient_noise", (
                    (1, 1e-4, 0, 0), (1, _costs(0.75)[1], 0, 0), (2, 2 * _costs(0.3)[1], 0, 0),
                ), (4, 2)),
                feedback(keeps(_BY_CURVATURE)),
            ),
        ),
        "nuef-convex-complexity": (
            WorstCase(
                "a run, one worker", whole(SMOOTH_CONVEX), squared_distance, BoundAfterRun(_MEAN_GAP),
                _cells("L memory_curvature residual_at_optimum gradient_noise target", (
                    (1, _costs(0.75)[1], 0, 0, 0.1), (2, 2 * _costs(0.3)[1], 0, 0, 0.1),
                ), (4, 2)),
                feedback(keeps(_BY_CURVATURE)),
            ),
        ),
        "nuef-master": (
            WorstCase(
                "a run, one worker", whole(SMOOTH_STRONGLY_CONVEX), squared_distance, BoundAfterRun(_RHO),
                _discounted("nuef-master", "discounted_curvature", ((1, 0.1, 0.75, 0.4), (2, 0.2, 0.3, 0.08)), (4, 2),
                            discounted_residual=0, gradient_noise=0),
                feedback(keeps(_BY_DISCOUNTED_CURVATURE)),
            ),
        ),
        "nuef-strongly-convex": (
            WorstCase(
                "a run, one worker", whole(SMOOTH_STRONGLY_CONVEX), squared_distance, BoundAfterRun(_RHO),
                _strongly_convex_cells((4, 2)), feedback(contractive("delta")),
            ),
        ),
        "nuef-strongly-convex-complexity": (
            WorstCase(
                "a run, one worker", whole(SMOOTH_STRONGLY_CONVEX), squared_distance, BoundAfterRun(_RHO),
                _strongly_convex_cells((4, 2), target=0.1), feedback(contractive("delta")),
            ),
        ),
        "nuef-interpolation": (
            WorstCase(
                "a run, one worker", whole(SMOOTH_STRONGLY_CONVEX), squared_distance,
                AtMost(virtual_distance, final_bound),
                _discounted("nuef-interpolation", "discounted_curvature", ((1, 0.1, 0.75, 0.4), (2, 0.2, 0.3, 0.08)),
                            (3, 1)),
                feedback(keeps(_BY_DISCOUNTED_CURVATURE)),
            ),
        ),
        "nuef-interpolation-simple": (
            WorstCase(
                "a run, one worker", whole(SMOOTH_STRONGLY_CONVEX), squared_distance,
                AtMost(virtual_distance, final_bound),
                _cells("L mu memory_curvature delta", (
                    (1, 0.1, _costs(0.75)[1], 0.75), (2, 0.2, 2 * _costs(0.3)[1], 0.3),
                ), (3, 1)),
                feedback(contractive("delta")),
            ),
        ),
        "nuef21-nonconvex": (
            WorstCase(
                "a run from exact estimates, one worker", whole(SMOOTH), objective_gap, BoundAfterRun(mean_gradient),
                _cells("L memory_smoothness", ((1, _costs(0.75)[0]), (2, 2 * _costs(0.19)[0])), (4, 1, 2)),
                estimates(keeps(_BY_SMOOTHNESS), exact=True), (bounded_below,),
            ),
            WorstCase(
                "a run from any estimates, one worker", whole(SMOOTH),
                gap_potential(_gap_weight(_BY_SMOOTHNESS, _plain)), BoundAfterRun(mean_gradient),
                _cells("L memory_smoothness", ((1, _costs(0.75)[0]), (2, 2 * _costs(0.19)[0])), (2, 1)),
                estimates(keeps(_BY_SMOOTHNESS), exact=False), (bounded_below,),
            ),
        ),
        "nuef21-pl": (
            WorstCase(
                "one step, one worker", whole(SMOOTH), gap_potential(_gap_weight(_BY_DISCOUNTED_SMOOTHNESS, _beta)),
                AtMost(gap_potential(_gap_weight(_BY_DISCOUNTED_SMOOTHNESS, _beta)), next_value),
                _discounted("nuef21-pl", "discounted_smoothness", ((1, 0.1, 0.75, 0.5), (2, 0.2, 0.3, 0.08)), (1,)),
                estimates(keeps(_BY_DISCOUNTED_SMOOTHNESS), exact=False), (pl, bounded_below),
            ),
        ),
        "nuef21-pl-simple": (
            WorstCase(
                "one step, one worker", whole(SMOOTH),
                gap_potential(_gap_weight(lambda values: math.sqrt(1 - values["delta"]), _beta)),
                AtMost(gap_potential(_gap_weight(lambda values: math.sqrt(1 - values["delta"]), _beta)), next_value),
                _cells("L mu memory_smoothness delta", (
                    (1, 0.1, _costs(0.75)[0], 0.75), (2, 0.2, 2 * _costs(0.3)[0], 0.3),
                )),
                estimates(contractive("delta"), exact=False), (pl, bounded_below),
            ),
        ),
        "nu-dcgd": (
            WorstCase(
                "one step, two workers with two outcomes each", average(SMOOTH_STRONGLY_CONVEX, _PAIR),
                squared_distance, AtMost(squared_distance, next_value),
                _cells("L mu noise_smoothness noise_at_optimum received_noise", (
                    (1, 0.1, 1, 0.5, 0), (2, 1, 3, 0.1, 0), (1, 0.3, 0.5, 0.01, 0),
                )),
                compressed_workers(unbiased(lambda run: 1 / (1 + _variance(run.values)), (0.5, 0.5))),
                (noise_at_optimum(lambda run: _variance(run.values)),),
            ),
        ),
        "nuef-bounded-memory": (
            WorstCase(
                "a run", whole(SMOOTH_STRONGLY_CONVEX), squared_distance, AtMost(squared_distance, final_bound),
                _cells("L mu memory_norm gradient_noise step_size", (
                    (1, 0.1, 1, 0, 0.25), (1, 0.5, 3, 0, 0.5), (2, 0.2, 0.1, 0, 0.1),
                ), (2, 1)),
                displaced(lambda values: values["memory_norm"]),
            ),
        ),
        "nuef-absolute": (
            WorstCase(
                "a run, one worker", whole(SMOOTH), objective_gap, BoundAfterRun(mean_gradient),
                _cells("L absolute_error gradient_noise step_size", ((1, 0.5, 0, 0.25), (2, 1, 0, 0.2)), (4, 1, 2)),
                feedback(bounded_error("absolute_error")), (bounded_below,),
            ),
        ),
        "nuef-absolute-strongly-convex": (
            WorstCase(
                "a run, one worker", whole(SMOOTH_STRONGLY_CONVEX), squared_distance,
                AtMost(virtual_distance, final_bound),
                _cells("L mu absolute_error gradient_noise step_size", (
                    (1, 0.1, 1, 0, 0.25), (1, 0.5, 3, 0, 0.5),
                ), (3, 1)),
                feedback(bounded_error("absolute_error")),
            ),
        ),
        "ef-tight": (
            WorstCase(
                "one step of the potential, one worker", whole(_TIGHT), feedback_potential,
                AtMost(feedback_potential, next_value), _tight_cells(),
                feedback(contractive("delta"), anything), tight=True,
            ),
            WorstCase(
                "one step of the potential, two workers", sharing(_TIGHT, _PAIR), feedback_potential,
                AtMost(feedback_potential, next_value), _tight_cells(),
                feedback(contractive("delta"), anything), tight=True,
            ),
        ),
        "ef-ef21-isomorphism": (
            WorstCase(
                "one step of the potential", whole(_TIGHT), gradient_potential,
                AtMost(gradient_potential, next_value), _tight_cells(),
                estimates(contractive("delta"), exact=False), tight=True,
            ),
        ),
        "memoryless-tight": (
            WorstCase(
                "one step", whole(SMOOTH_STRONGLY_CONVEX), objective_gap, AtMost(objective_gap, next_value),
                _cells("L mu delta", ((1, 0.1, 0.75), (2, 0.2, 0.3), (1, 0.5, 0.96), (1, 0.01, 0.51))),
                compressed_gradient(contractive("delta")), tight=True,
            ),
        ),
    }
)
# fmt: on
"""The worst cases of every statement to which performance estimation applies."""

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        "def-a-r": "equations between functions of the ratio, in which no function is minimised",
        "ef-virtual-iterate": "an identity, whatever is sent",
        "ef-memory-aggregate": "an inequality between norms at one point; attained by aligned memories",
        "ef-memory-meanlinear": "coins double the outcomes with every step and worker; attacked with exact moments",
        "step-limit": "a lower bound, attained by quadratics of one variable with compressors that scale",
        "thr-memory": "a statement about coordinates, and scalar products do not see coordinates",
    }
)
"""Why it does not apply to the others."""
