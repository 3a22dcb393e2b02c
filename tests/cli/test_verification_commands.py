from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from taciturn.cli.main import app
from taciturn.theory import theorem
from taciturn.verification import campaign
from taciturn.verification import report as report_module
from taciturn.verification.evidence import Evidence, Verdict
from taciturn.verification.evidence_log import read_answers

RUN = ("verify", "topT-pl-rate", "sq-rates", "--witness", "attack")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> dict[str, Verdict | BaseException]:
    """What the witness says of each theorem; held if nothing else is noted here."""
    noted: dict[str, Verdict | BaseException] = {}

    def witness(entry, budget):  # type: ignore[no-untyped-def]
        verdict = noted.get(entry.id, Verdict.HELD)
        if isinstance(verdict, BaseException):
            raise verdict
        return (Evidence(entry.id, "attack", verdict, 0.5, "as noted", 0.1),)

    monkeypatch.setattr(campaign, "load_witness", lambda name: witness)
    return noted


def test_verify_prints_a_table_and_writes_the_findings(verdicts: dict[str, Verdict | BaseException]) -> None:
    result = CliRunner().invoke(app, RUN)

    assert result.exit_code == 0
    assert "2 theorems, 2 findings: 2 held, 0 violated, 0 not applicable, 0 not solved" in result.output
    assert len(read_answers(Path("out/evidence.jsonl"))) == 2


@pytest.mark.parametrize("verdict", [Verdict.VIOLATED, Verdict.NOT_SOLVED, RuntimeError("numerical trouble")])
def test_a_violation_or_a_failure_is_status_1(
    verdicts: dict[str, Verdict | BaseException], verdict: Verdict | BaseException
) -> None:
    verdicts["sq-rates"] = verdict

    result = CliRunner().invoke(app, RUN)

    assert result.exit_code == 1
    assert "sq-rates, attack" in result.stderr
    assert "topT-pl-rate" not in result.stderr


def test_an_interruption_says_how_to_go_on(verdicts: dict[str, Verdict | BaseException]) -> None:
    verdicts["sq-rates"] = KeyboardInterrupt()

    result = CliRunner().invoke(app, RUN)

    assert result.exit_code == 130
    assert "goes on from there" in result.stderr
    assert len(read_answers(Path("out/evidence.jsonl"))) == 1


def test_fresh_and_resume(verdicts: dict[str, Verdict | BaseException]) -> None:
    CliRunner().invoke(app, RUN)
    CliRunner().invoke(app, RUN)
    assert len(read_answers(Path("out/evidence.jsonl"))) == 2

    CliRunner().invoke(app, [*RUN[:2], "--witness", "attack", "--fresh"])

    assert len(read_answers(Path("out/evidence.jsonl"))) == 1
    assert len(read_answers(Path("out/evidence.jsonl.previous"))) == 2


def test_verify_a_subject_as_json(verdicts: dict[str, Verdict | BaseException]) -> None:
    result = CliRunner().invoke(app, ["verify", "--subject", "adaptive-compression", "--witness", "attack", "--json"])

    assert json.loads(result.stdout)["witnesses"]["attack"]["held"] > 50


@pytest.mark.parametrize("command", [RUN, ("reproduce",)])
def test_an_unwritable_folder_is_found_before_any_work(
    verdicts: dict[str, Verdict | BaseException], command: tuple[str, ...]
) -> None:
    Path("out").write_text("a file where the folder should be")
    verdicts["topT-pl-rate"] = AssertionError("asked")

    result = CliRunner().invoke(app, command)

    assert result.exit_code == 2
    assert result.stderr.startswith("taciturn: out")
    assert result.stderr.count("\n") == 1
    assert Path("out").read_text() == "a file where the folder should be"


def test_a_corrupt_file_is_left_as_it_is(verdicts: dict[str, Verdict | BaseException]) -> None:
    Path("out").mkdir()
    Path("out/evidence.jsonl").write_text("{}\n")

    result = CliRunner().invoke(app, RUN)

    assert result.exit_code == 2
    assert "line 1" in result.stderr
    assert Path("out/evidence.jsonl").read_text() == "{}\n"


def test_report_writes_page_and_summary(
    verdicts: dict[str, Verdict | BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_module, "catalogue", lambda: (theorem("topT-pl-rate"), theorem("sq-rates")))
    CliRunner().invoke(app, RUN)

    result = CliRunner().invoke(app, ["report"])

    assert result.exit_code == 0, result.output
    assert '<article id="sq-rates">' in Path("out/report.html").read_text(encoding="utf-8")
    assert json.loads(Path("out/summary.json").read_text())["findings"] == 2
