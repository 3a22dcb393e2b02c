"""Verdicts about staled and compressed gradients follow from measurements, and change with them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures import staleness_claims, staleness_tau
from taciturn.paper_figures import staleness_judgements as judge
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.verdicts import Finding, Verdict
from taciturn.theory import theorem


def _constants(share: float) -> Finding:
    return judge.on_constants({"urq-randk": 1.0, "urq-natural": share}, largest=1.0, loosest=0.7)


def _ball(change: float) -> Finding:
    return judge.on_ball(0.99, {1.0: 0.2, 64.0: 0.3}, change, 1.0, 0.03)


def _staleness(slow_down: float) -> Finding:
    return judge.on_staleness({"hold": 1.03}, {"hold": (0.6, slow_down)}, {"hold": 2.0})


def _tradeoff(slope: float) -> Finding:
    return judge.on_tradeoff({0: 1.4, 16: 1.3}, {0: slope}, 10.0)


def _exchange(gain: float) -> Finding:
    gains = {(0, 0.1, "natural"): 3.0, (0, 0.1, "ternary"): 1.0, (10, 0.1, "natural"): gain, (10, 0.1, "ternary"): 0.0}
    return judge.on_exchange(gains, {(0, "natural"): 2.9}, 0.5)


def _adaptive(largest: float) -> Finding:
    return judge.on_adaptive_steps({"rule 1": (1.2, largest)}, {"rule 1": 3.0}, {"rule 1": 0.4})


@pytest.mark.parametrize(
    ("finding", "right", "wrong"),
    [
        (_constants, 1.0, 0.99),
        (lambda value: judge.on_sparsity({"words": value, "rare": 0.01}, {"words": 0.9}, {"words": 0.9}), 0.05, 0.5),
        (_ball, 1.02, 1.2),
        (lambda value: judge.on_ball(value, {1.0: 0.2}, 1.0, 1.0, 0.1), 1.0, 1.001),
        (_staleness, 1.5, 2.5),
        (_tradeoff, 0.9, 0.5),
        (_exchange, 3.0, 1.5),
        (lambda value: judge.on_stored(0.5, value, 0.9, 0.9), 3.4, 0.9),
        (lambda value: judge.on_stored(0.5, 3.4, 0.9, value), 0.98, 1.0),
        (_adaptive, 1.4, 1.6),
    ],
)
def test_a_wrong_measurement_changes_the_verdict(
    finding: Callable[[float], Finding], right: float, wrong: float
) -> None:
    assert finding(right).verdict is Verdict.REPRODUCED
    assert finding(wrong).verdict is Verdict.IN_PART


def test_the_best_compressor_decides_in_every_case() -> None:
    deciding = [check.quantity for check in _exchange(3.0).checks if check.decides]

    assert deciding == [
        "gain in bits of the best (natural), tau = 0, gap 0.1",
        "gain in bits of the best (natural), tau = 10, gap 0.1",
    ]


def test_minimisers_farther_apart_scale_the_gradients_and_nothing_else() -> None:
    problem = staleness_tau.different()
    twice = staleness_claims._with_distant_minimisers(problem, 2.0)

    np.testing.assert_allclose(twice.minimiser, problem.minimiser, atol=1e-12)
    here, there = (each.worker_gradients(problem.minimiser) for each in (problem, twice))
    np.testing.assert_allclose(there, 2 * here, atol=1e-12)


@pytest.mark.slow
def test_all_claims_are_measured(small_staleness: None, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []

    findings = staleness_claims.measure(Setting(Cache(tmp_path)), lambda *parts: done.append(parts))

    assert done == [(part, 8) for part in range(1, 9)]
    assert len({finding.id for finding in findings}) == len(findings) == 8
    for finding in findings:
        assert finding.data
        assert any(check.decides for check in finding.checks)
        for id in finding.theorems:
            theorem(id)
    checks = {check.quantity: check for finding in findings for check in finding.checks}
    for quantity, check in checks.items():
        if "bound" in quantity or "guaranteed one" in quantity:  # what is proved holds on any data
            assert check.holds, quantity
    verdicts = {finding.id: finding.verdict for finding in findings}
    assert verdicts["constants"] is verdicts["stored"] is Verdict.REPRODUCED
