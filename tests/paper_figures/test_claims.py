"""Verdicts follow from measurements, and change with them."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from taciturn.paper_figures import adaptive_compression_claims, claims
from taciturn.paper_figures import adaptive_compression_judgements as judge
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.verdicts import Check, Finding, Verdict
from taciturn.theory import theorem

PASS, FAIL = Check("one", 2.0, lowest=1.0), Check("two", 2.0, highest=1.0)
INFORMATION = Check("three", 3.0, "bits")


@pytest.mark.parametrize(
    ("checks", "not_testable", "verdict"),
    [
        ((PASS, PASS), "", Verdict.REPRODUCED),
        ((PASS, FAIL), "", Verdict.IN_PART),
        ((FAIL, FAIL), "", Verdict.REFUTED),
        ((PASS, INFORMATION), "", Verdict.REPRODUCED),
        ((FAIL, INFORMATION), "", Verdict.REFUTED),
        ((INFORMATION,), "", Verdict.NOT_TESTABLE),
        ((PASS,), "no such data", Verdict.NOT_TESTABLE),
    ],
)
def test_verdict_follows_from_the_checks(checks: tuple[Check, ...], not_testable: str, verdict: Verdict) -> None:
    assert Finding("id", "claim", (), checks, not_testable).verdict is verdict


def test_ends_of_the_range_hold_and_the_reason_names_what_fails() -> None:
    assert Check("q", 1.0, lowest=1.0).holds
    assert Check("q", 1.0, highest=1.0).holds
    assert not Check("q", math.inf, highest=1.0).holds
    assert Finding("id", "claim", (), (PASS, FAIL)).reason == "1 of 2 criteria hold; not: two is 2"


def test_nan_is_no_measurement() -> None:
    with pytest.raises(ValueError, match="measured = nan"):
        Check("q", math.nan, lowest=1.0)


def _savings(gain: float) -> Finding:
    return judge.on_savings(1.4, {"e-mails, gap 0.5": gain}, 5.0)


def _choice(ratio: float) -> Finding:
    return judge.on_choice(1.0, {("plain", 0.5): ratio, ("ethernet-udp", 0.5): ratio})


def _networks(last_median: float) -> Finding:
    medians = {"lorawan-eu868-dr0": 8.0, "plain": 1.0, "ieee-802.15.4": 19.0, "ethernet-udp": last_median}
    return judge.on_networks(medians, {("a", "b"): 1.5, ("b", "a"): 3.0})


def _workers(gap: float) -> Finding:
    return judge.on_workers(0.3, 0.5, {"EF21": gap}, 0.9, {"EF21": 2.0})


def _sampling(over_top: float) -> Finding:
    return judge.on_sampling({0.5: 3.0}, {0.5: over_top})


@pytest.mark.parametrize(
    ("finding", "right", "wrong"),
    [
        (_savings, 150.0, 0.5),
        (lambda value: judge.on_rate({10: value, 100: 50.0}), 40.0, 5.0),
        (lambda value: judge.on_bounds({"run": value, "other": 0.9}), 0.99, 1.001),
        (_choice, 0.9, 1.2),
        (_networks, 250.0, 10.0),
        (lambda value: judge.on_quantisation({("published", "plain", 0.5): value, ("a", "plain", 0.2): 2.0}), 1.1, 0.9),
        (_sampling, 2.0, 0.5),
        (_workers, 1e-7, 1e-3),
    ],
)
def test_a_wrong_measurement_changes_the_verdict(
    finding: Callable[[float], Finding], right: float, wrong: float
) -> None:
    assert finding(right).verdict is Verdict.REPRODUCED
    assert finding(wrong).verdict is Verdict.IN_PART


@pytest.mark.parametrize(
    ("ceiling", "gain", "verdict"),
    [(2e4, 1.5e4, Verdict.REPRODUCED), (2e4, 150.0, Verdict.REFUTED), (6e3, 150.0, Verdict.NOT_TESTABLE)],
)
def test_orders_of_magnitude_are_judged_under_their_ceiling(ceiling: float, gain: float, verdict: Verdict) -> None:
    assert judge.on_orders(ceiling, {"CAT": gain}, []).verdict is verdict


def test_files_carry_the_findings_there_and_back(tmp_path: Path) -> None:
    content = (
        Finding("a", "It | holds.", ("cat-greedy",), (PASS, INFORMATION, Check("missed", math.inf, highest=2.0))),
        Finding("b", "It cannot.", (), (Check("r", 1 / 3, reference=0.25),), "no network", "e-mails"),
    )
    claims.write(content, tmp_path / "claims.json")
    again = claims.read(tmp_path / "claims.json")

    assert [finding.verdict for finding in again] == [Verdict.IN_PART, Verdict.NOT_TESTABLE]
    assert again[0] == content[0]
    assert again[1].checks[0].measured == pytest.approx(1 / 3, rel=1e-8)
    assert again[1].data == "e-mails"


def test_corrupt_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    path.write_text('[{"id": "a"')
    with pytest.raises(ValueError, match=r"claims\.json is corrupt"):
        claims.read(path)


@pytest.mark.slow
def test_all_claims_are_measured(cache: Cache) -> None:
    findings = adaptive_compression_claims.measure(Setting(cache), lambda done, total: None)

    assert len({finding.id for finding in findings}) == len(findings) == 9
    for finding in findings:
        assert any(check.decides for check in finding.checks)
        for id in finding.theorems:
            theorem(id)
    verdicts = {finding.id: finding.verdict for finding in findings}
    assert verdicts["bounds"] is Verdict.REPRODUCED  # what is proved holds on any data
    greedy = next(finding for finding in findings if finding.id == "choice").checks[0]
    assert greedy.holds
    text = claims.markdown(findings)
    assert all(finding.claim in text for finding in findings)
