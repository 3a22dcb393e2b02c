"""Worst cases of chapter 3: the dossier's performance-estimation values, and the free potential."""

from __future__ import annotations

import math

import pytest

from taciturn.theory import Theorem, theorem
from taciturn.verification.lyapunov import best_quadratic_rate
from taciturn.verification.worst_cases import Cell, WorstCase, solve
from taciturn.verification.worst_cases.error_feedback import CASES as CHAPTER

RATES = [cell.parameters for cell in CHAPTER["ef-tight"][0].cells]


def ratio(entry: Theorem, case: WorstCase, cell: Cell) -> float:
    found = solve(entry, case, cell)
    assert found.solved, found.status
    assert found.ratio is not None
    return found.ratio


# Bound / worst case: dossier 3.3 and 3.4. One step of size 1/(4L): 1/(1/4 3/4), as |grad F|^2 <= 2L gap is attained.
PUBLISHED = [
    ("nuef-nonconvex", {"L": 1, "memory_dissimilarity": 0, "memory_residual": 0, "gradient_noise": 0}, 1, 16 / 3),
    ("nuef-nonconvex", {"L": 1, "memory_dissimilarity": 0, "memory_residual": 0, "gradient_noise": 0}, 4, 2.6),
    ("nuef21-nonconvex", {"L": 1, "memory_smoothness": 1}, 4, 1.24),
    ("nuef21-nonconvex", {"L": 1, "memory_smoothness": 9}, 4, 3.2),
]


@pytest.mark.parametrize(("id", "values", "steps", "expected"), PUBLISHED)
def test_values_of_the_dossier(id: str, values: dict[str, float], steps: int, expected: float) -> None:
    found = 1 / ratio(theorem(id), CHAPTER[id][0], Cell(values, steps))

    # Two digits, as the dossier prints them.
    assert found == pytest.approx(expected, rel=0.02)


def free(parameters: dict[str, float]) -> float:
    return best_quadratic_rate(parameters["L_max"], parameters["mu"], parameters["delta"], parameters["step_size"])


@pytest.mark.parametrize("i", [0, 2])
def test_no_potential_is_better_than_the_stated_one(i: int) -> None:
    assert free(dict(RATES[i])) == pytest.approx(theorem("ef-tight").evaluate(**RATES[i]).rate, abs=1e-6)


@pytest.mark.slow
def test_no_potential_is_better_at_ten_parameter_sets() -> None:
    """Steps below, at and beyond the best one: the largest difference of the free program from z^2."""
    differences = [abs(free(dict(values)) - theorem("ef-tight").evaluate(**values).rate) for values in RATES]
    best = [
        2 / (v["L_max"] + v["mu"]) * (1 - math.sqrt(1 - v["delta"])) / (1 + math.sqrt(1 - v["delta"])) for v in RATES
    ]

    assert len(differences) >= 9
    assert max(differences) < 1e-6
    assert any(v["step_size"] > 1.01 * step for v, step in zip(RATES, best, strict=True))
    assert any(v["step_size"] < 0.99 * step for v, step in zip(RATES, best, strict=True))
    assert any(v["step_size"] == pytest.approx(step) for v, step in zip(RATES, best, strict=True))


@pytest.mark.parametrize("factor", [1.0, 1.2])
def test_no_potential_contracts_from_the_longest_step_on(factor: float) -> None:
    assert best_quadratic_rate(1.0, 0.1, 0.75, factor * 2 / 3) == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((1.0, 1.0, 0.5, 0.1), "mu"), ((1.0, 0.1, 1.0, 0.1), "delta"), ((1.0, 0.1, 0.5, 0.0), "step_size")],
)
def test_bad_parameters_are_refused(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        best_quadratic_rate(*arguments)
