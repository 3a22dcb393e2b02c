from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from taciturn.cli.main import app
from taciturn.theory import catalogue, theorem
from taciturn.theory import theorem as find


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == status, result.output
    return result.output


def test_theorems_lists_a_subject() -> None:
    lines = run("theorems", "--subject", "adaptive-compression").splitlines()

    entries = catalogue("adaptive-compression")
    certified = sum(entry.certificate is not None for entry in entries)
    assert [line.split()[0] for line in lines[1:-1]] == [entry.id for entry in entries]
    assert lines[-1] == f"{len(entries)} theorems, {certified} with a certificate"


def test_theorems_as_json() -> None:
    records = json.loads(run("theorems", "--json"))

    assert [record["id"] for record in records] == [entry.id for entry in catalogue()]
    assert records[0]["parameters"] == {"mu": "(0, inf)"}


def _only(monkeypatch: pytest.MonkeyPatch, *entries: object) -> None:
    monkeypatch.setattr("taciturn.theory.catalogue", lambda subject=None: entries)


def test_theorems_checks_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, theorem("topT-pl-rate"), theorem("eff-threshold"))

    shown = run("theorems", "--check")

    assert "exact, 0." in shown
    assert re.search(r"checks: all exact, \d+ lines, \d", shown)
    (first, second) = json.loads(run("theorems", "--check", "--json"))
    assert first["check"]["exact"] is True
    assert "check" not in second


def test_theorems_says_which_line_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = theorem("topT-pl-rate")
    _only(monkeypatch, replace(entry, rate=entry.rate / 2))

    shown = run("theorems", "--check", status=1)

    assert re.search(r"checks: 1 of \d+ lines fail", shown)
    assert "topT-pl-rate: one step: the identity fails" in shown


def test_show_tells_everything() -> None:
    shown = run("show", "sq-descent")

    entry = find("sq-descent")
    assert entry.statement in shown
    assert "by default sqrt(T*beta)/(L*T)" in shown
    assert all(hypothesis.name in shown for hypothesis in entry.certificate.hypotheses)
    assert "no certificate" not in shown
    assert find("eff-threshold").no_certificate in run("show", "eff-threshold")


def test_evaluate_gives_the_numbers_of_the_theorem() -> None:
    (record,) = json.loads(
        run("evaluate", "topT-pl-rate", "L=1", "mu=0.1", "alpha=0.5", "--k", "10", "--eps", "1e-3", "--json")
    )

    guarantee = theorem("topT-pl-rate").evaluate(L=1, mu=0.1, alpha=0.5)
    assert record["rate"] == guarantee.rate
    assert record["bound"] == guarantee.bound(10, 1.0)
    assert record["iterations"] == guarantee.iterations(1e-3, 1.0)
    assert "bits" not in record


def test_evaluate_takes_every_combination_of_lists_and_ranges() -> None:
    arguments = ("evaluate", "topT-pl-rate", "L=1", "mu=0.1,0.2", "alpha=0.1:1:4", "--eps", "1e-3,1e-6")
    records = json.loads(run(*arguments, "--bits-per-iteration", "480", "--json"))

    assert len(records) == 2 * 4 * 2
    for record in records:
        guarantee = theorem("topT-pl-rate").evaluate(L=1, mu=record["mu"], alpha=record["alpha"])
        assert record["rate"] == guarantee.rate
        assert record["bits"] == 480 * guarantee.iterations(record["eps"], 1.0)
    assert sorted({round(record["alpha"], 9) for record in records}) == [0.1, 0.4, 0.7, 1.0]
    table = run(*arguments).splitlines()
    assert len(table) == 17
    assert table[0].split()[:3] == ["L", "mu", "alpha"]


def test_json_has_no_infinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taciturn.cli.theorems._results", lambda *_: {"rate": math.inf, "k": math.nan})

    shown = run("evaluate", "topT-pl-rate", "L=1", "mu=0.1", "alpha=0.5", "--json")

    assert json.loads(shown, parse_constant=pytest.fail) == [{"L": 1, "mu": 0.1, "alpha": 0.5, "rate": None, "k": None}]


def test_evaluate_shows_defaults_and_prices_of_their_own() -> None:
    assert "T          10" in run("evaluate", "dynamic-T", "L=1", "mu=0.1", "d=100")
    assert "bits" in run("evaluate", "cat-bits", "L=1", "mu=0.1", "efficiency=1e-3", "cost=100", "--eps", "1e-3")
    assert "states no number" in run("evaluate", "ss-order")
