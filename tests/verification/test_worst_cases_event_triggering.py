"""Worst cases of event-triggered methods: the dossier's performance-estimation values, and wrong theorems."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from taciturn.theory import Theorem, theorem
from taciturn.theory.theorem import Guarantee
from taciturn.verification import tightness
from taciturn.verification.worst_cases import Cell, WorstCase, event_potentials, event_triggering, solve
from taciturn.verification.worst_cases.event_potentials import preserving_potential, tracking_potential
from taciturn.verification.worst_cases.event_triggering import Root, summed
from taciturn.verification.worst_cases.run import Measure

CASES = event_triggering.CASES
POTENTIALS = event_potentials.CASES
TOL = tightness.TOLERANCE["CLARABEL"]


def ratio(id: str, K: int, **values: float) -> float:
    found = solve(theorem(id), CASES[id][0], Cell(values, K)).ratio
    assert found is not None
    return found


def _pair(mu: float, w: float, c: float) -> dict[str, float]:
    pull = math.sqrt(2) * (1 - w)
    mixing = {"lambda_n": 2 * w - 1, "mixing_pull": pull, "workers": 2}
    return {"L": 1, "mu": mu, "trigger_threshold": c, "gradient_noise": 0, **mixing}


@pytest.mark.parametrize(("mu", "w", "c", "K"), [(0.1, 1 / 3, 1, 1), (0.5, 0.5, 0.1, 2), (0.1, 0.8, 0, 1)])
def test_thresholds_cost_exactly_what_is_stated(mu: float, w: float, c: float, K: int) -> None:
    assert ratio("eg-sc", K, **_pair(mu, w, c)) == pytest.approx(1, abs=TOL)


@pytest.mark.slow
def test_thresholds_cost_exactly_what_is_stated_in_longer_runs() -> None:
    assert ratio("eg-sc", 5, **_pair(0.1, 1 / 3, 0.5)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("w", "tau", "expected"), [(1 / 3, 2, 0.956), (0.1, 2, 0.997), (0.02, 2, 0.9999)])
def test_held_copies_contract_as_the_dossier_says(w: float, tau: int, expected: float) -> None:
    K = 2 * (tau + 1)
    assert ratio("bounded-delay", K, L=1, mu=0.1, self_weight=w, tau=tau) == pytest.approx(expected, abs=2e-3)


def test_the_bias_of_two_workers_is_about_half_to_three_quarters_of_its_bound() -> None:
    for mu, weight in ((0.1, -1 / 3), (0.5, 0.0)):
        values = {"L": 1, "mu": mu, "lambda_2": weight, "step_size": 0.1, "optimum_dissimilarity": 1}
        assert 0.45 <= ratio("dgd-bias", 0, **values) <= 0.85


def test_a_delay_that_is_not_counted_is_refuted() -> None:
    """Copies of age 2 against the bound for age 1."""
    case = CASES["bounded-delay"][0]
    entry = theorem("bounded-delay")
    values = {"L": 1, "mu": 0.1, "self_weight": 0.1, "tau": 2}
    found = solve(entry, case, Cell(values, 6))
    assert found.optimum is not None

    fresher = entry.evaluate(**{**values, "tau": 1}).bound(6, 1.0)
    assert math.sqrt(found.optimum) > 1.01 * fresher


def one(measure: Measure, i: int) -> Measure:
    """One of the norms of a potential."""
    return lambda run, k: measure(run, k)[i]


def answer(entry: Theorem, case: WorstCase, cell: Cell) -> float:
    found = solve(entry, case, cell)
    assert found.solved, found.status
    assert found.ratio is not None
    return found.ratio


@pytest.mark.parametrize(
    ("id", "number", "measure", "members"),
    [("ap-sc", 2, preserving_potential, 2), ("event-gt", 1, tracking_potential, 3)],
)
def test_a_potential_is_as_large_as_the_largest_of_its_norms(
    id: str, number: int, measure: Measure, members: int
) -> None:
    case = POTENTIALS[id][-1]
    entry, cell = theorem(id), case.cells[number]
    alone = [
        answer(entry, replace(case, claim=replace(case.claim, measure=one(measure, i))), cell)  # type: ignore[type-var]
        for i in range(members)
    ]

    assert max(alone) - min(alone) > 0.1
    assert answer(entry, case, cell) == max(alone)


@pytest.mark.parametrize("i", [0, 1])
def test_every_norm_of_a_potential_is_small_at_the_start(i: int) -> None:
    case = POTENTIALS["ap-sc"][0]
    cell = case.cells[0]

    assert solve(theorem("ap-sc"), case, cell).solved
    assert not solve(theorem("ap-sc"), replace(case, start=one(preserving_potential, i)), cell).solved


def test_the_average_is_bounded_by_half_the_residual() -> None:
    """Of ap-sc, which bounds the two norms one by one."""

    def halved(guarantee: Guarantee, cell: Cell) -> float:
        return float(guarantee.bound(cell.steps, cell.initial)) - float(guarantee.residual or 0.0) / 2

    case = POTENTIALS["ap-sc"][0]
    sharper = replace(case, claim=Root(one(preserving_potential, 0), halved))
    assert max(answer(theorem("ap-sc"), sharper, cell) for cell in case.cells) <= 1 + TOL


@pytest.mark.parametrize(
    ("id", "number", "threshold"),
    [("ap-sc", 1, "trigger_threshold"), ("event-gt", 2, "trigger_threshold"), ("event-gt", 0, "tracker_threshold")],
)
def test_a_threshold_that_is_not_counted_is_refuted(id: str, number: int, threshold: str) -> None:
    case = POTENTIALS[id][-1]
    entry, cell = theorem(id), case.cells[number]
    found = solve(entry, case, cell)
    assert found.optimum is not None

    exact = entry.evaluate(**{**cell.parameters, threshold: 0.0})
    assert math.sqrt(found.optimum) > 1.01 * summed(exact, cell)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"rate": 2 * theorem("ap-sc").rate - 1}, id="a rate that forgets the disagreement"),  # type: ignore[operator]
        pytest.param({"residual": theorem("ap-sc").residual / 2}, id="half the residual"),  # type: ignore[operator]
    ],
)
def test_the_update_that_preserves_the_average_does_not_do_twice_as_well(changes: dict[str, Any]) -> None:
    case = POTENTIALS["ap-sc"][0]
    wrong = replace(theorem("ap-sc"), **changes)
    assert max(answer(wrong, case, cell) for cell in case.cells) > 1 + 1e-3
