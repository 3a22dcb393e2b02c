from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sympy

from taciturn.theory import catalogue, theorem
from taciturn.verification import campaign
from taciturn.verification.campaign import verify
from taciturn.verification.evidence import Budget, Evidence, Verdict
from taciturn.verification.evidence_log import latest_evidence, read_answers

IDS = ("sc-implies-pl", "proj-descent", "topT-pl-rate")
SMALL = Budget(instances=1, cells=1, replicas=1)


class Witnesses:
    """Witnesses that note what they are asked, and may be told to fail."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.failure: BaseException | None = None
        self.details: dict[str, object] = {}

    def load(self, name: str):  # type: ignore[no-untyped-def]
        def witness(entry, budget):  # type: ignore[no-untyped-def]
            self.asked.append((entry.id, name))
            if self.failure is not None and len(self.asked) == 2:
                raise self.failure
            return (Evidence(entry.id, name, Verdict.HELD, 0.5, f"seed {budget.seed}", 0.1, dict(self.details)),)

        return witness


@pytest.fixture
def witnesses(monkeypatch: pytest.MonkeyPatch) -> Witnesses:
    fake = Witnesses()
    monkeypatch.setattr(campaign, "load_witness", fake.load)
    return fake


def test_findings_come_in_the_order_of_theorems_then_witnesses(witnesses: Witnesses) -> None:
    found = verify(IDS, witnesses=["attack", "certificate"], budget=SMALL)

    assert [(finding.theorem, finding.witness) for finding in found] == [
        (id, witness) for id in IDS for witness in ("attack", "certificate")
    ]


def test_theorems_are_chosen_by_object_id_or_subject(witnesses: Witnesses) -> None:
    assert [f.theorem for f in verify(theorem("ss-order"), witnesses=["attack"])] == ["ss-order"]
    assert [f.theorem for f in verify("ss-order", witnesses=["attack"])] == ["ss-order"]
    subject = {f.theorem for f in verify("data-sparsity", witnesses=["attack"])}
    assert subject == {entry.id for entry in catalogue("data-sparsity")}


def test_all_theorems_are_chosen_where_none_is_named(witnesses: Witnesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "catalogue", lambda: tuple(map(theorem, IDS)))

    assert [f.theorem for f in verify(witnesses=["attack"])] == list(IDS)


def test_processes_do_not_change_the_answer(tmp_path: Path) -> None:
    one, two = (verify(IDS, witnesses=["certificate"], output=tmp_path / f"{jobs}.jsonl", jobs=jobs) for jobs in (1, 2))

    assert [replace(finding, seconds=0) for finding in one] == [replace(finding, seconds=0) for finding in two]
    assert {answer.question for answer in read_answers(tmp_path / "1.jsonl")} == {
        answer.question for answer in read_answers(tmp_path / "2.jsonl")
    }


def test_a_finding_is_in_the_file_when_progress_is_told(witnesses: Witnesses, tmp_path: Path) -> None:
    output = tmp_path / "new" / "evidence.jsonl"
    seen = []

    def progress(label: str, done: int, total: int) -> None:
        seen.append((done, total, len(read_answers(output))))

    verify(IDS, witnesses=["attack"], output=output, progress=progress)

    assert seen == [(0, 3, 0), (1, 3, 1), (2, 3, 2), (3, 3, 3)]


def test_an_interrupted_run_goes_on_where_it_stopped(witnesses: Witnesses, tmp_path: Path) -> None:
    output = tmp_path / "evidence.jsonl"
    witnesses.failure = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        verify(IDS, witnesses=["attack"], output=output)
    assert len(read_answers(output)) == 1

    found = verify(IDS, witnesses=["attack"], output=output)

    assert [id for id, _ in witnesses.asked] == [IDS[0], IDS[1], IDS[1], IDS[2]]
    assert [finding.theorem for finding in found] == list(IDS)


def test_a_killed_process_loses_at_most_the_line_it_wrote(tmp_path: Path) -> None:
    output = tmp_path / "evidence.jsonl"
    ids = (*IDS, "restricted-smoothness", "sq-rates", "topT-sc-exact")
    call = f"verify({ids}, witnesses=['certificate'], output=Path({str(output)!r}))"
    command = f"from pathlib import Path; from taciturn.verification import verify; {call}"
    process = subprocess.Popen([sys.executable, "-c", command])
    while not (output.exists() and output.stat().st_size > 0):
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = [answer.question.theorem for answer in read_answers(output)]

    found = verify(ids, witnesses=["certificate"], output=output)

    after = [answer.question.theorem for answer in read_answers(output)]
    assert 1 <= len(before) < len(found)
    assert after[: len(before)] == before
    assert sorted(after) == sorted(finding.theorem for finding in found)


def test_a_truncated_last_line_is_asked_again(witnesses: Witnesses, tmp_path: Path) -> None:
    output = tmp_path / "evidence.jsonl"
    verify(IDS, witnesses=["attack"], output=output)
    complete = output.read_bytes()
    output.write_bytes(complete[:-20])
    assert len(read_answers(output)) == 2

    verify(IDS, witnesses=["attack"], output=output)

    assert output.read_bytes() == complete
    assert [id for id, _ in witnesses.asked] == [*IDS, IDS[2]]


@pytest.mark.parametrize("damage", [b"{", b"\x00\xff", b"[]", b'{"theorem": "ss-order"}', b""])
def test_a_corrupt_line_is_an_error_and_left_as_it_is(witnesses: Witnesses, tmp_path: Path, damage: bytes) -> None:
    output = tmp_path / "evidence.jsonl"
    verify(IDS, witnesses=["attack"], output=output)
    lines = output.read_bytes().split(b"\n")
    corrupt = b"\n".join([lines[0], damage, *lines[2:]])
    output.write_bytes(corrupt)

    with pytest.raises(ValueError, match="line 2"):
        verify(IDS, witnesses=["attack"], output=output)

    assert output.read_bytes() == corrupt
    assert len(witnesses.asked) == 3


def test_stale_findings_are_not_used(witnesses: Witnesses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "evidence.jsonl"
    entry = theorem("topT-pl-rate")
    changed = replace(entry, rate=entry.rate - sympy.Rational(1, 100))

    verify(entry, witnesses=["attack"], budget=SMALL, output=output)
    verify(entry, witnesses=["attack"], budget=SMALL, output=output)
    assert len(witnesses.asked) == 1
    verify(entry, witnesses=["attack"], budget=replace(SMALL, seed=1), output=output)
    assert len(witnesses.asked) == 2
    verify(changed, witnesses=["attack"], budget=SMALL, output=output)
    assert len(witnesses.asked) == 3
    monkeypatch.setattr(campaign, "_library", lambda: "another version")
    (finding,) = verify(entry, witnesses=["attack"], budget=replace(SMALL, seed=2), output=output)
    assert len(witnesses.asked) == 4

    assert latest_evidence(output) == (finding,)


def test_a_witness_that_raises_is_not_solved_and_asked_again(witnesses: Witnesses, tmp_path: Path) -> None:
    output = tmp_path / "evidence.jsonl"
    witnesses.failure = RuntimeError("numerical trouble")

    found = verify(IDS, witnesses=["attack"], output=output)

    assert [finding.verdict for finding in found] == [Verdict.HELD, Verdict.NOT_SOLVED, Verdict.HELD]
    assert "RuntimeError: numerical trouble" in found[1].prose
    assert all(finding.verdict is Verdict.HELD for finding in verify(IDS, witnesses=["attack"], output=output))
    assert len(witnesses.asked) == 4
    assert {finding.verdict for finding in latest_evidence(output)} == {Verdict.HELD}


def test_a_finding_that_is_no_json_is_not_solved(witnesses: Witnesses, tmp_path: Path) -> None:
    witnesses.details = {"residual": float("nan")}

    (finding,) = verify(IDS[0], witnesses=["attack"], output=tmp_path / "evidence.jsonl")

    assert finding.verdict is Verdict.NOT_SOLVED


def test_a_fresh_start_keeps_what_was_there(witnesses: Witnesses, tmp_path: Path) -> None:
    output = tmp_path / "evidence.jsonl"
    verify(IDS, witnesses=["attack"], output=output)
    earlier = output.read_bytes()

    verify(IDS[0], witnesses=["attack"], output=output, resume=False)

    assert (tmp_path / "evidence.jsonl.previous").read_bytes() == earlier
    assert [answer.question.theorem for answer in read_answers(output)] == [IDS[0]]


@pytest.mark.parametrize("backend", ["unheard-of", "threading"])
def test_a_fresh_start_on_no_backend_moves_nothing(witnesses: Witnesses, tmp_path: Path, backend: str) -> None:
    output = tmp_path / "evidence.jsonl"
    verify(IDS, witnesses=["attack"], output=output)
    earlier = output.read_bytes()

    with pytest.raises(ValueError, match=backend):
        verify(IDS, witnesses=["attack"], output=output, backend=backend, resume=False)

    assert output.read_bytes() == earlier
    assert list(tmp_path.iterdir()) == [output]


def test_a_fresh_start_from_nothing_keeps_the_previous_findings(witnesses: Witnesses, tmp_path: Path) -> None:
    output, previous = tmp_path / "evidence.jsonl", tmp_path / "evidence.jsonl.previous"
    verify(IDS, witnesses=["attack"], output=previous)
    earlier = previous.read_bytes()
    output.touch()

    verify(IDS, witnesses=["attack"], output=output, resume=False)

    assert previous.read_bytes() == earlier


@pytest.mark.parametrize("resume", [True, False])
def test_what_is_no_regular_file_is_refused(witnesses: Witnesses, tmp_path: Path, resume: bool) -> None:
    for output in (Path(os.devnull), tmp_path):
        with pytest.raises(ValueError, match=f"{output} is no regular file"):
            verify(IDS, witnesses=["attack"], output=output, resume=resume)

    assert Path(os.devnull).exists()
    assert witnesses.asked == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"theorems": "topT-pl-rat"}, "topT-pl-rate"),
        ({"witnesses": ["atack"]}, "attack"),
        ({"budget": "quik"}, "quick"),
        ({"jobs": 0}, "jobs"),
        ({"jobs": -2}, "jobs"),
        ({"backend": "threading"}, "threading"),
        ({"backend": "unheard-of"}, "unheard-of"),
    ],
)
def test_bad_arguments_are_refused(witnesses: Witnesses, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        verify(**({"theorems": IDS} | arguments))  # type: ignore[arg-type]

    assert witnesses.asked == []


def test_an_output_that_cannot_be_written_is_found_before_any_work(witnesses: Witnesses, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(OSError, match="file"):
        verify(IDS, output=tmp_path / "file" / "evidence.jsonl")

    assert witnesses.asked == []


def test_dask_without_its_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.setitem(sys.modules, "dask.distributed", None)

    with pytest.raises(ImportError, match=r"taciturn\[dask\]"):
        verify(IDS[0], witnesses=["certificate"], backend="dask")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_dask_gives_the_same_answer() -> None:
    distributed = pytest.importorskip("dask.distributed")
    expected = [replace(finding, seconds=0) for finding in verify(IDS, witnesses=["certificate"])]

    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None):
        found = verify(IDS, witnesses=["certificate"], backend="dask", jobs=2)
    with (
        distributed.Client(n_workers=1, threads_per_worker=2, dashboard_address=None),
        pytest.raises(ValueError, match="one thread each"),
    ):
        verify(IDS, witnesses=["certificate"], backend="dask")

    assert [replace(finding, seconds=0) for finding in found] == expected


def test_every_line_is_standard_json(tmp_path: Path) -> None:
    output = tmp_path / "evidence.jsonl"
    verify(IDS, witnesses=["certificate"], output=output)

    records = [json.loads(line) for line in output.read_text().splitlines()]

    assert [record["theorem"] for record in records] == list(IDS)
    assert all(record["findings"][0]["verdict"] == "held" for record in records)
