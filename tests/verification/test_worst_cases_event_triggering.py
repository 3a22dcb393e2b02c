"""Worst cases of event-triggered methods: the dossier's performance-estimation values, and wrong theorems."""

from __future__ import annotations

import math

import pytest

from taciturn.theory import theorem
from taciturn.verification import tightness
from taciturn.verification.worst_cases import Cell, event_triggering, solve

CASES = event_triggering.CASES
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
