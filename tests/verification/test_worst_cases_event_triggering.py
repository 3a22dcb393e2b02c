"""Worst cases of event-triggered methods: the dossier's performance-estimation values, and wrong theorems."""

from __future__ import annotations

import math

import pytest

from taciturn.theory import catalogue, theorem
from taciturn.verification import tightness, worst_cases
from taciturn.verification.evidence import Budget, Verdict
from taciturn.verification.mutation import strengthened
from taciturn.verification.worst_cases import Cell, event_triggering, solve

CASES, NOT_APPLICABLE = event_triggering.CASES, event_triggering.NOT_APPLICABLE
TOL = tightness.TOLERANCE["CLARABEL"]
ONE_CELL = Budget(instances=0, cells=1, replicas=0)


def ratio(id: str, K: int, **values: float) -> float:
    found = solve(theorem(id), CASES[id][0], Cell(values, K)).ratio
    assert found is not None
    return found


def test_every_statement_has_a_worst_case_or_a_reason() -> None:
    assert {entry.id for entry in catalogue("event-triggering")} == CASES.keys() | NOT_APPLICABLE.keys()
    assert not CASES.keys() & NOT_APPLICABLE.keys()
    assert all(worst_cases.CASES[id] is cases for id, cases in CASES.items())
    assert NOT_APPLICABLE.items() <= worst_cases.NOT_APPLICABLE.items()


QUICK = ["gd-contraction", "mean-oracle-step", "eg-sc", "dgd-bias", "bounded-delay"]


@pytest.mark.parametrize("id", [*QUICK, *(pytest.param(id, marks=pytest.mark.slow) for id in CASES if id not in QUICK)])
def test_worst_cases_stay_below_the_bound(id: str) -> None:
    for evidence in tightness.witness(theorem(id), ONE_CELL):
        assert evidence.verdict is Verdict.HELD, evidence.prose
        assert "against expectation" not in evidence.prose


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


@pytest.mark.parametrize(("id", "which"), [("gd-contraction", 0), ("eg-sc", 0), ("eg-sc", 1), ("ev-posterior", 1)])
def test_a_statement_made_5_percent_too_strong_is_refuted(id: str, which: int) -> None:
    wrong = list(strengthened(theorem(id)))[which]

    few = Budget(instances=0, cells=3, replicas=0)
    assert tightness.witness(wrong, few)[0].verdict is Verdict.VIOLATED


def test_a_delay_that_is_not_counted_is_refuted() -> None:
    """Copies of age 2 against the bound for age 1."""
    case = CASES["bounded-delay"][0]
    entry = theorem("bounded-delay")
    values = {"L": 1, "mu": 0.1, "self_weight": 0.1, "tau": 2}
    found = solve(entry, case, Cell(values, 6))
    assert found.optimum is not None

    fresher = entry.evaluate(**{**values, "tau": 1}).bound(6, 1.0)
    assert math.sqrt(found.optimum) > 1.01 * fresher
