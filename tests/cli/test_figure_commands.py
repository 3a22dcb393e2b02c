from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from typer.testing import CliRunner

import taciturn.paper_figures
from taciturn.cli.main import app

ROW = {"claim": "a thousandfold", "verdict": "refuted", "reason": "31-fold", "theorems": [], "checks": []}


@pytest.fixture(autouse=True)
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """A registry of two figures and the claims that notes what it draws."""
    noted: list[tuple[str, ...]] = []
    registry = ModuleType("registry")

    def draw(
        name: str, output: Path, backend: str, device: str, budget: str, progress: Callable[[int, int], None]
    ) -> None:
        noted.append((name, backend, device, budget))
        (output / f"{name}.csv").write_text("1")
        if name == "claims":
            (output / "claims.json").write_text(json.dumps([ROW]))
        progress(1, 1)

    def check(name: str, output: Path, *rest: object) -> tuple[str, ...]:
        agrees = (output / f"{name}.csv").exists() and (output / f"{name}.csv").read_text() == "1"
        return () if agrees else (f"{name}.csv",)

    registry.names = lambda: ("bits", "gain", "claims")  # type: ignore[attr-defined]
    registry.figure = lambda name: SimpleNamespace(name=name, title=name, caption="seen", repeatable=name != "gain")  # type: ignore[attr-defined]
    registry.draw, registry.check = draw, check  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "taciturn.paper_figures.registry", registry)
    monkeypatch.setattr(taciturn.paper_figures, "registry", registry, raising=False)
    monkeypatch.chdir(tmp_path)
    return noted


def test_figures_draws_all_or_some(drawn: list[tuple[str, ...]]) -> None:
    assert CliRunner().invoke(app, ["figures"]).exit_code == 0
    assert (
        CliRunner()
        .invoke(app, ["figures", "gain", "--backend", "torch", "--device", "cuda", "--budget", "full"])
        .exit_code
        == 0
    )

    everything = [(name, "numpy", "cpu", "quick") for name in ("bits", "gain", "claims")]
    assert drawn == [*everything, ("gain", "torch", "cuda", "full")]
    assert Path("out/figures/bits.csv").exists()


def test_unknown_figures_are_refused_before_any_work(drawn: list[tuple[str, ...]]) -> None:
    result = CliRunner().invoke(app, ["figures", "bits", "gains"])

    assert result.exit_code == 2
    assert "'gain'" in result.stderr
    assert drawn == []
    assert not Path("out").exists()


def test_check_names_the_files_that_differ(drawn: list[tuple[str, ...]]) -> None:
    CliRunner().invoke(app, ["figures"])
    assert CliRunner().invoke(app, ["figures", "--check"]).exit_code == 0
    Path("out/figures/gain.csv").write_text("2")

    result = CliRunner().invoke(app, ["figures", "--check"])

    assert result.exit_code == 1
    assert result.stderr == "out/figures/gain.csv is missing or not what is drawn now\n"


def test_claims_are_measured_once(drawn: list[tuple[str, ...]]) -> None:
    first, second = (CliRunner().invoke(app, ["claims"]).output for _ in range(2))

    assert first == second
    assert "31-fold" in first
    assert [name for name, *_ in drawn] == ["claims"]


@pytest.mark.parametrize("content", ['{"a": 1}', '[{"claim": "a thous', "5", '["a"]'])
def test_corrupt_claims_are_named(drawn: list[tuple[str, ...]], content: str) -> None:
    Path("claims.json").write_text(content)

    result = CliRunner().invoke(app, ["claims", "--output", "."])

    assert result.exit_code == 2
    assert result.stderr.startswith("taciturn: claims.json is no list of claims")
    assert result.stderr.count("\n") == 1


def test_reproduce_does_everything(drawn: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    from taciturn.theory import theorem
    from taciturn.verification import campaign, report
    from taciturn.verification.evidence import Evidence, Verdict

    entries = (theorem("topT-pl-rate"), theorem("ss-order"))
    for module in (campaign, report):
        monkeypatch.setattr(module, "catalogue", lambda: entries)
    verdict = Verdict.HELD

    def witness(entry, budget):  # type: ignore[no-untyped-def]
        return (Evidence(entry.id, "attack", verdict, None, "", 0.1),)

    monkeypatch.setattr(campaign, "load_witness", lambda name: witness)

    result = CliRunner().invoke(app, ["reproduce", "--output", "all", "--jobs", "1"])

    assert result.exit_code == 0, result.output
    assert [name for name, *_ in drawn] == ["bits", "gain", "claims"]
    written = {path.name for path in Path("all").iterdir()}
    assert written == {"evidence.jsonl", "figures", "report.html", "summary.json"}
    assert "31-fold" in Path("all/report.html").read_text(encoding="utf-8")

    verdict = Verdict.VIOLATED
    assert CliRunner().invoke(app, ["reproduce", "--output", "all", "--jobs", "1", "--fresh"]).exit_code == 1
    assert "violated" in Path("all/report.html").read_text(encoding="utf-8")


def test_jobs_draw_figures_together_and_claims_after_them(
    drawn: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    waves: list[list[str]] = []
    monkeypatch.setattr("taciturn.cli.figures._draw_together", lambda chosen, *_: waves.append(list(chosen)))
    result = CliRunner().invoke(app, ["figures", "--jobs", "2"])

    assert result.exit_code == 0, result.output
    assert waves == [["bits"]]  # gain is of a real run
    assert [name for name, *_ in drawn] == ["gain", "claims"]
