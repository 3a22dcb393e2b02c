"""Verdicts about ratios and thresholds follow from measurements, and change with them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from taciturn.paper_figures import ratios_claims, ratios_runs
from taciturn.paper_figures import ratios_judgements as judge
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.claims import CLAIMS
from taciturn.paper_figures.ratios_judgements import Saving
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.verdicts import Finding, Verdict
from taciturn.theory import theorem


def _two(value: float) -> dict[tuple[str, int, str], Saving]:
    """Data of which the first save for sure, the second so much."""
    return {("a", 1, "half"): Saving(0.5, 0.1), ("b", 1, "half"): Saving(value, 0.05), ("b", 2, "half"): Saving(0, 0.1)}


@pytest.mark.parametrize(
    ("finding", "right", "wrong"),
    [
        (lambda value: judge.on_ratios(_two(value), {1: 0.139}), 0.31, 0.3),
        (lambda value: judge.on_thresholds(_two(value)), 0.22, 0.21),
        (lambda value: judge.on_exponent_one({("a", 1, "one"): Saving(value, 0.1)}, 0.1), 0.11, 0.09),
        (lambda value: judge.on_exponent_one({("a", 1, "one"): Saving(0.3, 0.1)}, value), 0.1, 0.001),
        (lambda v: judge.on_prediction({("a", 1): Saving(v, 1), ("b", 1): Saving(0.1, 1)}, {1: 0.139}), 0.28, 0.3),
        (lambda value: judge.on_balance(value, {"a": 0.6}, {"a": 0.1}), 0.0, 1.0),
        (lambda value: judge.on_balance(0.0, {"a": 0.6}, {"a": value}), 0.6, 0.61),
        (lambda v: judge.on_different_labels({"r": 3.0, "e": 3.0}, {"r": v, "e": 2.0}), 2.9, 3.1),
    ],
)
def test_a_wrong_measurement_changes_the_verdict(
    finding: Callable[[float], Finding], right: float, wrong: float
) -> None:
    assert finding(right).verdict is Verdict.REPRODUCED
    assert finding(wrong).verdict is Verdict.IN_PART


def test_the_best_assignment_decides_for_every_data_set() -> None:
    checks = judge.on_ratios(_two(0.31), {1: 0.139}).checks
    deciding = [check.quantity for check in checks if check.decides]

    assert deciding == [
        "best saving less its spread, a (i^-1, half)",
        "best saving less its spread, b (i^-1, half)",
    ]


def test_timings_decide_nothing() -> None:
    assert judge.on_cost().verdict is Verdict.NOT_TESTABLE


@pytest.mark.slow
def test_all_claims_are_measured(small_ratios: None, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    findings = ratios_claims.measure(Setting(Cache(tmp_path)), lambda *parts: done.append(parts))

    assert done == [(1, 3), (2, 3), (3, 3)]
    assert len({finding.id for finding in findings}) == len(findings) == 7
    for finding in findings:
        assert finding.data
        assert set(finding.theorems) <= set(CLAIMS.theorems)
        for id in finding.theorems:
            theorem(id)
    by_id = {finding.id: finding for finding in findings}
    names = {check.quantity for check in by_id["dagc-r"].checks}
    for imbalance in ratios_runs.IMBALANCES:
        assert f"saving, e-mails, i^-{imbalance}, exponent 1/2" in names
    (limit,) = [check for check in by_id["exponent-one"].checks if "worst case" in check.quantity]
    assert not limit.holds  # exponent-symmetry is a theorem
    (counts,) = [check for check in by_id["balance"].checks if "counts" in check.quantity]
    assert counts.holds
