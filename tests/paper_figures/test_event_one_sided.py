"""One-sided windows in training: the faults that were injected are found again, and the claim can hold and fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures import event_claims, event_one_sided
from taciturn.paper_figures import event_judgements as judge
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.event_one_sided import ALL, CASES, EXACT, LATE, SPARSE, WHOLE, Case, final
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.paper_figures.verdicts import Finding, Verdict
from taciturn.solvers.decentralised import Windows

PASSES = 40
NEVER = (0.0,) * 1000 + (1.0,)
"""Lateness of puts that arrive after the end of the run."""


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TACITURN_DATA", raising=False)
        patch.setattr(event_one_sided, "PASSES", {"quick": PASSES})
        patch.setattr(event_one_sided, "POINTS", 5)
        yield event_one_sided.FIGURE.compute(Setting(Cache(tmp_path_factory.mktemp("cache"))), lambda done, total: None)


def test_every_case_has_a_colour() -> None:
    assert {case for cases in CASES.values() for case in cases} == set(event_one_sided.COLOURS)


def test_every_run_has_as_many_passes(numbers: Table) -> None:
    for variant, cases in CASES.items():
        for case in cases:
            passes = numbers.where(variant=variant, case=case)["passes"]
            assert passes[0] == 0
            assert passes[-1] == PASSES
            assert np.all(np.diff(passes) >= 0)


def test_what_was_injected_is_measured(numbers: Table) -> None:
    for variant, cases in CASES.items():
        for name, case in cases.items():
            windows, latest = case.windows, len(case.windows.lateness) - 1
            found = {column: final(numbers, column, variant, name) for column in ("lag", "torn", "overwritten")}
            assert found["lag"] == latest + (windows.torn > 0)
            assert (found["torn"] > 0) == (windows.torn > 0)
            assert (found["overwritten"] > 0) == windows.overwritable
            assert found["torn"] <= 0.3 * (windows.torn > 0)


def test_late_copies_obey_the_bound_of_their_lag(numbers: Table) -> None:
    for variant in CASES:
        assert final(numbers, "over_bound", variant, EXACT) == pytest.approx(1.0)  # c itself
        assert 0.1 < final(numbers, "over_bound", variant, LATE) <= 1


def test_lateness_holds_back_and_overwriting_costs_sparse_messages_more(numbers: Table) -> None:
    for variant in CASES:
        assert final(numbers, "loss", variant, LATE) > final(numbers, "loss", variant, EXACT)
        assert final(numbers, "loss", variant, ALL) > final(numbers, "loss", variant, EXACT)
    assert final(numbers, "loss", SPARSE, "late, overwritable") > final(numbers, "loss", SPARSE, LATE)


def test_workers_that_disagree_have_an_accuracy_of_their_own(numbers: Table) -> None:
    for variant in CASES:
        average, workers = (final(numbers, column, variant, EXACT) for column in ("accuracy", "workers_accuracy"))
        assert 0 < abs(average - workers) < 0.2


def _judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, everything: Case) -> Finding:
    """The claim with other windows for all deviations together, the exact and the late ones as they are."""
    monkeypatch.delenv("TACITURN_DATA", raising=False)
    monkeypatch.setattr(event_one_sided, "PASSES", {"quick": PASSES})
    monkeypatch.setattr(event_one_sided, "POINTS", 5)
    monkeypatch.setattr(event_claims, "torch_is_here", lambda: False)
    few = {name: {case: CASES[name][case] for case in (EXACT, LATE)} | {ALL: everything} for name in (WHOLE, SPARSE)}
    monkeypatch.setattr(event_one_sided, "CASES", few)
    return event_claims._parallel(Setting(Cache(tmp_path)))


def test_exact_windows_would_support_the_claim(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert _judged(monkeypatch, tmp_path, Case(Windows(overwritable=True))).verdict is Verdict.REPRODUCED


def test_unlimited_delays_refute_all_but_the_bound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    finding = _judged(monkeypatch, tmp_path, Case(Windows(lateness=NEVER)))
    holds = {check.quantity: check.holds for check in finding.checks}
    assert finding.verdict is Verdict.IN_PART
    assert not holds["loss over exact links, whole tensors"]
    assert not holds["staleness over what was injected, largest"]
    assert holds["distance of a late copy over its bound, largest"]


RIGHT = {
    "loss": {WHOLE: 1.0},
    "accuracy": {WHOLE: 0.0},
    "workers_accuracy": {WHOLE: 0.3},  # said beside, decides nothing
    "lag": 1.0,
    "distance": 0.9,
    "difference": 0.0,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss": {WHOLE: 1.02}},
        {"accuracy": {WHOLE: 0.02}},
        {"lag": 1.25},
        {"distance": 1.01},
        {"difference": 1e-6},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_every_measurement_can_change_the_verdict(wrong: dict) -> None:
    assert judge.on_parallel(**RIGHT).verdict is Verdict.REPRODUCED
    assert judge.on_parallel(**{**RIGHT, "difference": None}).verdict is Verdict.REPRODUCED
    assert judge.on_parallel(**{**RIGHT, **wrong}).verdict is Verdict.IN_PART


def test_a_run_that_ends_before_its_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_one_sided, "MARGIN", 0.9)
    monkeypatch.delenv("TACITURN_DATA", raising=False)
    with pytest.raises(RuntimeError, match="of 20 steps"):
        event_one_sided._run(WHOLE, replace(CASES[WHOLE][EXACT], uneven=True), passes=20, seed=0, budget="quick")
