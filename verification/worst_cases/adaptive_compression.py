"""Worst cases behind the statements on adaptive compression (dossier chapter 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from .claims import (
    AtLeast,
    AtMost,
    BoundAfterRun,
    Cell,
    Inequality,
    certified_decrease,
    inverse_value,
    next_value,
    stated_value,
)
from .program import WorstCase
from .run import Method, Run
from .vocabulary import (
    SMOOTH,
    SMOOTH_CONVEX,
    SMOOTH_STRONGLY_CONVEX,
    STRONGLY_CONVEX,
    average,
    bounded_below,
    bounded_distance,
    compressed_gradient,
    compressed_workers,
    contractive,
    decrease,
    dissimilar_workers,
    drop,
    ef21,
    enough_signs,
    error_feedback,
    gap_of_mean,
    mean_gradient,
    mean_squared_message,
    memory_error,
    memory_potential,
    noise_at_optimum,
    noisy,
    objective_gap,
    pl,
    pl_at_start,
    projection,
    restricted_smoothness,
    signs,
    smallest_gradient,
    squared_distance,
    squared_gradient,
    squared_message,
    unbiased,
    uncompressed,
    whole,
)

_Rows = Sequence[Sequence[float]]


def _cells(names: str, rows: _Rows, steps: Sequence[int] = (1,), initial: float = 1.0) -> tuple[Cell, ...]:
    """One cell per row of parameters and number of steps."""
    return tuple(Cell(dict(zip(names.split(), row, strict=True)), K, initial) for row in rows for K in steps)


def _omega(run: Run) -> float:
    return run.values["omega"]


_COIN, _DIE = (0.5, 0.5), (0.2, 0.3, 0.5)
_WORKERS = (0.25, 0.75)

_TOP_T = compressed_gradient(projection("alpha"))
_ANY = compressed_gradient(projection())
_GD = compressed_gradient(uncompressed)
_EF21 = ef21(contractive("delta"))
_SS = compressed_gradient(unbiased(_omega, _COIN))
_DECREASE = AtLeast(decrease, certified_decrease)
_FACTOR = AtMost(objective_gap, next_value)
_DISTANCE = AtMost(squared_distance, next_value)

# (L, mu, fraction kept) for one-step factors; L = 2 checks how the formulas scale.
_FACTORS: _Rows = (
    (1, 0.1, 0.5), (2, 0.8, 0.2), (1, 0.3, 0.9), (1, 0.02, 0.2), (1, 0.6, 0.05), (1, 0.1, 1), (1, 0.1, 0.1),
    (1, 0.1, 0.9), (1, 0.3, 0.8), (1, 0.02, 0.8), (1, 0.6, 1), (0.1, 0.03, 0.5),
)  # fmt: skip


def _pl_rate(fraction: str, method: Method, rows: _Rows = _FACTORS) -> tuple[WorstCase, ...]:
    """The rate under PL: what its proof uses, and the class it speaks of."""
    cells = _cells(f"L mu {fraction}", rows)
    return (
        WorstCase(
            "PL at the current point only, as in the proof",
            whole(SMOOTH), objective_gap, _FACTOR, cells, method, (pl_at_start, bounded_below), tight=True,
        ),
        WorstCase(
            "PL at every point", whole(SMOOTH), objective_gap, _FACTOR, cells, method, (pl, bounded_below)
        ),
    )  # fmt: skip


_POTENTIAL = Inequality(
    "one step of the potential",
    {"E": lambda run: memory_error(run, run.start), "E_next": lambda run: memory_error(run, run.levels[1][0])},
)


# Two workers with L_i = L and one variance factor nu: M = max_i p_i nu L_i, N_* = nu sum_i p_i^2 |grad f_i(x*)|^2.
def _variance(run: Run) -> float:
    return run.values["noise_smoothness"] / (max(_WORKERS) * run.values["L"])


# A worst case is a paragraph.
# fmt: off
CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType(
    {
        "sc-implies-pl": (
            WorstCase(
                "any point", whole(STRONGLY_CONVEX), objective_gap, AtLeast(squared_gradient, stated_value),
                _cells("mu", ((0.1,), (1,), (3,))), tight=True,
            ),
        ),
        "proj-descent": (
            WorstCase(
                "one step", whole(SMOOTH), squared_gradient, _DECREASE,
                _cells("L alpha step_size", (
                    (1, 0.5, 1), (2, 0.1, 0.5), (1, 0.5, 1.5), (1, 0.1, 1), (1, 1, 1), (3, 0.7, 0.1),
                )),
                _TOP_T, tight=True,
            ),
        ),
        "descent-plus": (
            WorstCase(
                "PL at every point", whole(SMOOTH), objective_gap, _FACTOR,
                _cells("L mu", ((1, 0.1), (2, 1.2), (1, 0.05), (1, 0.3))),
                _GD, (pl, bounded_below), tight=True,
            ),
            WorstCase(
                "decrease, convex", whole(SMOOTH_CONVEX), squared_message, Inequality("convex"),
                _cells("L mu", ((1, 0.1), (2, 0.1))), _ANY, tight=True,
            ),
            WorstCase(
                "decrease, not convex", whole(SMOOTH), squared_message, Inequality("in general"),
                _cells("L mu", ((1, 0.1), (2, 0.1))), _ANY, tight=True,
            ),
        ),
        "restricted-smoothness": (
            WorstCase(
                "one step", whole(SMOOTH), squared_gradient, _DECREASE,
                _cells("L L_restricted alpha", ((1, 0.5, 0.5), (2, 0.4, 0.2), (1, 0.1, 0.9), (1, 1, 0.5))),
                _TOP_T, (restricted_smoothness,), tight=True,
            ),
        ),
        "topT-pl-rate": _pl_rate("alpha", _TOP_T),
        "topT-sc-exact": (
            WorstCase(
                "one step", whole(SMOOTH_STRONGLY_CONVEX), objective_gap, _FACTOR,
                _cells("L mu alpha", _FACTORS), _TOP_T, tight=True,
            ),
        ),
        "topT-convex-rate": (
            WorstCase(
                # The largest gap that |x_0 - x*| <= R allows is L R^2/2.
                "a run from the largest gap", whole(SMOOTH_CONVEX), objective_gap, BoundAfterRun(objective_gap),
                _cells("L radius alpha", ((1, 1, 0.2), (1, 1, 0.5), (1, 1, 1)), (1, 2, 3, 4), initial=0.5),
                _TOP_T, (bounded_distance,),
            ),
            WorstCase(
                "a run from a smaller gap", whole(SMOOTH_CONVEX), objective_gap, BoundAfterRun(objective_gap),
                _cells("L radius alpha", ((2, 1.5, 0.5),), (1, 2, 3), initial=0.5),
                _TOP_T, (bounded_distance,),
            ),
        ),
        "topT-nonconvex-rate": (
            WorstCase(
                "a run", whole(SMOOTH), objective_gap, BoundAfterRun(smallest_gradient),
                _cells("L alpha", ((1, 0.7), (1, 0.3), (2, 0.5)), (1, 2, 3)), _TOP_T, (bounded_below,),
            ),
        ),
        "gd-nonconvex-exact": (
            WorstCase(
                "a run", whole(SMOOTH), objective_gap, BoundAfterRun(smallest_gradient),
                _cells("L", ((1,), (2,)), (1, 2, 3)), _GD, (bounded_below,), tight=True,
            ),
        ),
        "mean-validity": (
            WorstCase(
                "a run", whole(SMOOTH), objective_gap, BoundAfterRun(mean_gradient),
                _cells("L alpha_min", ((1, 0.7), (1, 0.3)), (1, 2, 3)),
                compressed_gradient(projection("alpha_min")), (bounded_below,),
            ),
        ),
        "sq-descent": (
            WorstCase(
                "one step", whole(SMOOTH), squared_gradient, _DECREASE,
                _cells("L T beta step_size", ((1, 4, 0.5, 0.2), (2, 3, 0.2, 0.1), (1, 2, 0.9, 1), (1, 1, 0.3, 0.5))),
                compressed_gradient(signs), tight=True,
            ),
        ),
        "sq-scaled-sign": (
            WorstCase(
                "one step", whole(SMOOTH), squared_gradient, _DECREASE,
                _cells("L beta", ((1, 0.5), (2, 0.1), (1, 1))), compressed_gradient(projection("beta")), tight=True,
            ),
        ),
        "sq-rates": _pl_rate("beta", compressed_gradient(projection("beta"))),
        "dynamic-T": (
            WorstCase(
                "decrease of one step", whole(SMOOTH), squared_gradient, _DECREASE,
                _cells("L mu d T", ((1, 0.1, 16, 4), (2, 0.1, 9, 2), (1, 0.1, 4, 1))),
                compressed_gradient(enough_signs), tight=True,
            ),
            *_pl_rate("d T", compressed_gradient(enough_signs), ((1, 0.1, 16, 4), (2, 0.8, 9, 2), (1, 0.3, 100, 7))),
        ),
        "ss-descent": (
            WorstCase(
                "one step, two outcomes", whole(SMOOTH), squared_gradient, _DECREASE,
                _cells("L omega step_size", ((1, 0.5, 0.5), (2, 0.2, 0.1), (1, 0.7, 0.3), (1, 0.3, 0.5))),
                _SS, tight=True,
            ),
        ),
        "ss-pl-rate": _pl_rate("omega", _SS),
        "ss-distance-exact": (
            WorstCase(
                "one step, two outcomes", whole(SMOOTH_STRONGLY_CONVEX), squared_distance, _DISTANCE,
                _cells("L mu omega relative_step", (
                    (1, 0.1, 0.3, 1), (1, 0.4, 0.7, 1), (2, 0.5, 0.5, 0.8), (1, 0.1, 0.5, 1.8), (1, 0.3, 0.2, 0.2),
                )),
                _SS, tight=True,
            ),
        ),
        "ss-convex-rate": (
            WorstCase(
                "a run, two outcomes", whole(SMOOTH_CONVEX), squared_distance, BoundAfterRun(gap_of_mean),
                (*_cells("L omega", ((1, 1),)), *_cells("L omega", ((1, 0.5), (2, 0.2)), (2, 1))), _SS,
            ),
            WorstCase(
                "the inequality of one step, two outcomes", whole(SMOOTH_CONVEX), squared_distance,
                Inequality("one step"), _cells("L omega", ((1, 0.5), (2, 0.2))), _SS, tight=True,
            ),
        ),
        "ss-sc-exact": (
            WorstCase(
                "one step, two outcomes", whole(SMOOTH_STRONGLY_CONVEX), objective_gap, _FACTOR,
                _cells("L mu omega", (
                    (1, 0.1, 0.5), (2, 0.8, 0.2), (1, 0.1, 0.8), (1, 0.4, 0.5), (1, 0.1, 0.2), (1, 0.4, 0.8),
                )),
                _SS, tight=True,
            ),
            WorstCase(
                "one step, three outcomes", whole(SMOOTH_STRONGLY_CONVEX), objective_gap, _FACTOR,
                _cells("L mu omega", ((1, 0.1, 0.5), (1, 0.4, 0.2), (1, 0.1, 0.8))),
                compressed_gradient(unbiased(_omega, _DIE)), tight=True,
            ),
        ),
        "ss-nonconvex-rate": (
            WorstCase(
                "a run, two outcomes", whole(SMOOTH), objective_gap, BoundAfterRun(smallest_gradient),
                _cells("L omega", ((1, 0.7), (2, 0.4)), (1, 2, 3)), _SS, (bounded_below,),
            ),
        ),
        "ss-sgd": (
            WorstCase(
                "one step, two gradients with two outcomes each", whole(SMOOTH), objective_gap, _FACTOR,
                _cells("L mu omega gradient_noise step_size", (
                    (1, 0.1, 0.5, 1, 0.5), (2, 0.5, 0.2, 0.5, 0.1), (1, 0.3, 0.7, 2, 0.3), (1, 0.1, 0.5, 0, 0.5),
                )),
                compressed_gradient(noisy(unbiased(_omega, _COIN))), (pl_at_start, bounded_below),
            ),
        ),
        "cat-actual-decrease": (
            WorstCase(
                "strongly convex", whole(SMOOTH_STRONGLY_CONVEX), squared_message, AtMost(decrease, inverse_value),
                _cells("L mu", ((1, 0.1), (2, 1), (1, 0.6))), _ANY, tight=True,
            ),
            WorstCase(
                "convex", whole(SMOOTH_CONVEX), squared_message, AtMost(decrease, inverse_value),
                _cells("L mu", ((1, 0), (2, 0))), _ANY, tight=True,
            ),
            WorstCase(
                "not convex", whole(SMOOTH), squared_message, Inequality("Lipschitz gradient only: a third instead"),
                _cells("L mu", ((1, 0), (2, 0))), _ANY, tight=True,
            ),
        ),
        "mn-descent": (
            WorstCase(
                "two workers", whole(SMOOTH, _WORKERS), mean_squared_message, Inequality("one step"),
                _cells("L", ((1,), (2,))), compressed_workers(projection()), tight=True,
            ),
        ),
        "mn-neighbourhood": (
            WorstCase(
                "one step, two workers", whole(SMOOTH, _WORKERS), objective_gap, _FACTOR,
                _cells("L mu alpha_min dissimilarity heterogeneity", (
                    (1, 0.1, 0.5, 1.5, 0.5), (2, 0.5, 0.8, 2, 1), (1, 0.3, 0.5, 1, 0), (1, 0.1, 0.9, 1.1, 2),
                )),
                compressed_workers(projection("alpha_min")), (dissimilar_workers, pl_at_start, bounded_below),
            ),
        ),
        "mn-ss": (
            WorstCase(
                "one step, two workers with two outcomes each", average(SMOOTH_STRONGLY_CONVEX, _WORKERS),
                squared_distance, _DISTANCE,
                _cells("L mu noise_smoothness noise_at_optimum", (
                    (1, 0.1, 1, 0.5), (2, 1, 3, 0.1), (1, 0.3, 0.5, 0.01),
                )),
                compressed_workers(unbiased(lambda run: 1 / (1 + _variance(run)), _COIN)),
                (noise_at_optimum(_variance),),
            ),
        ),
        "ef14-cat": (
            WorstCase(
                "a run", whole(SMOOTH), objective_gap, BoundAfterRun(mean_gradient),
                _cells("L delta", ((2, 0.7), (1, 0.4)), (3, 1, 2)),
                error_feedback(contractive("delta")), (bounded_below,),
            ),
        ),
        "ef21-cat": (
            WorstCase(
                "a run, one worker", whole(SMOOTH), memory_potential(0.5), BoundAfterRun(mean_gradient),
                _cells("L L_tilde delta", ((1, 1, 0.3), (2, 2, 0.7)), (2, 1, 3)), _EF21, (bounded_below,),
            ),
            WorstCase(
                # Phi+ <= Phi - step/2 |g|^2 is the bound with what the potential loses as its initial value.
                "decrease of the potential, one worker", whole(SMOOTH), drop(memory_potential(0.5)),
                BoundAfterRun(mean_gradient),
                _cells("L L_tilde delta", ((1, 1, 0.1), (2, 2, 0.7), (1, 1, 0.3), (1, 1, 0.95))),
                _EF21, (bounded_below,),
            ),
            WorstCase(
                "the potential and its decrease, two workers (attained at rest)", average(SMOOTH, _WORKERS),
                memory_potential(0.5), _POTENTIAL,
                _cells("L L_tilde delta", ((1, 1, 0.3), (1, 1, 0.05), (1, 1, 0.7))),
                _EF21, (bounded_below,), tight=True,
            ),
        ),
        "ef21-cat-pl": (
            WorstCase(
                "one step, one worker", whole(SMOOTH), memory_potential(1.0), AtMost(memory_potential(1.0), next_value),
                _cells("L L_tilde mu delta", ((1, 1, 0.1, 0.3), (2, 2, 0.1, 0.05), (1, 1, 0.5, 0.7))),
                _EF21, (pl, bounded_below),
            ),
        ),
    }
)
# fmt: on
"""The worst cases of every statement to which performance estimation applies."""

_VECTORS = "a statement about sorted vectors, in which no function occurs; its worst vectors are explicit"
_SEARCH = "a statement about the search for the best T at one gradient, in which no method takes a step"
_BITS = "a count of messages; its convergence statement is {}, whose worst case is computed there"

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        "alpha-profile": _VECTORS,
        "topT-worst-case-lower": "a lower bound, attained by an explicit quadratic of d + 1 coordinates",
        "topT-diagonal-sc": "its hypothesis is about coordinates, and scalar products do not see coordinates",
        "beta-profile": _VECTORS,
        "beta-adaptive": _VECTORS,
        "ss-moments": "an equation between moments of the compressor, in which no function occurs",
        "ss-optimal-p": _VECTORS,
        "ss-omega-profile": _VECTORS,
        "ss-order": _VECTORS,
        "ss-fixed-size": "a statement about a sampling algorithm, in which no function occurs",
        "eff-affine": _SEARCH,
        "eff-c0-monotone": _SEARCH,
        "eff-threshold": _SEARCH,
        "eff-packet": _SEARCH,
        "eff-hybrid": _SEARCH,
        "eff-safe-stop": _SEARCH,
        "eff-ss-closed-form": _SEARCH,
        "cat-greedy": _SEARCH,
        "cat-bits": _BITS.format("topT-pl-rate"),
        "cat-vs-fixed-worst-case": _BITS.format("topT-pl-rate"),
        "cat-bits-sparsity": _BITS.format("topT-pl-rate"),
        "cat-sq-bits": _BITS.format("sq-rates"),
        "cat-ss-bits": _BITS.format("ss-pl-rate"),
        "cat-not-trajectory-optimal": "a lower bound, attained by an explicit quadratic with geometric gradients",
        "gain-ceiling": _VECTORS,
        "mn-divergence": "a lower bound, attained by three explicit quadratics in three coordinates",
        "mn-price": "a statement about shared prices at one point, in which no method takes a step",
        "entropy-larger-T": _SEARCH,
        "rice-bound": "a statement about index sets, in which no function occurs",
    }
)
"""Why performance estimation does not apply to the others."""
