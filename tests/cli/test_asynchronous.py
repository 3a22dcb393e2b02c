"""`taciturn run-async`, on this machine and under torchrun."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from taciturn.cli.main import app
from taciturn.solvers.delays import Trace

SMALL = ("run-async", "--data", "quadratic", "--compressor", "natural", "--iterations", "30")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "images"], "data = 'images'"),
        (["--compressor", "topk"], "'top-k'"),
        (["--kept", "1.5"], "kept = 1.5"),
        (["--workers", "0"], "workers = 0"),
        (["--iterations", "0"], "iterations = 0"),
        (["--mode", "sync"], "mode"),
        (["--step-size", "-1"], "step_size = -1"),
        (["--seed", "-1"], "seed = -1"),
        (["--timeout", "0"], "timeout = 0"),
        (["--start-timeout", "nan"], "start_timeout = nan"),
        (["--output", "/dev/null/trace.npz"], "/dev/null"),
    ],
)
def test_bad_input_is_one_line_before_any_process_starts(arguments: list[str], message: str) -> None:
    pytest.importorskip("torch")
    result = CliRunner().invoke(app, [*SMALL, *arguments])

    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("taciturn: ")
    assert result.stderr.count("\n") == 1
    assert list(Path().iterdir()) == []


@pytest.mark.slow
def test_a_run_is_recorded_and_replayed() -> None:
    pytest.importorskip("torch")
    result = CliRunner().invoke(app, [*SMALL, "--workers", "1", "--output", "there/trace.npz", "--json"])

    assert result.exit_code == 0, result.output
    _check(json.loads(result.stdout), Trace.load("there/trace.npz"), workers=1)


@pytest.mark.slow
def test_the_same_command_line_runs_under_torchrun() -> None:
    pytest.importorskip("torch")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "4", "-m", "taciturn.cli"]
    command = [*launcher, *SMALL, "--workers", "3", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1  # the server speaks, the workers do not
    _check(json.loads(done.stdout), Trace.load("trace.npz"), workers=3)


@pytest.mark.slow
def test_a_report_for_people_names_what_travelled() -> None:
    pytest.importorskip("torch")
    result = CliRunner().invoke(app, ["run-async", "--workers", "2", "--iterations", "40"])

    assert result.exit_code == 0, result.output
    trace = Trace.load("trace.npz")
    assert f"{int(trace.bits.sum())} bits on the wire" in result.stdout
    assert "at most n - 1 = 1" in result.stdout


def _check(found: dict[str, object], trace: Trace, workers: int) -> None:
    assert (trace.iterations, trace.workers, trace.messages) == (30, workers, 30)
    assert found["bits"] == trace.bits.sum()
    assert found["mean_delay"] == pytest.approx(trace.message_delay.mean())
    assert trace.message_delay.mean() <= workers - 1
    # A frame is 16 bytes; each of two fields has a header of 5 and is filled to a whole byte.
    per_message = (trace.bits.sum() - float(str(found["declared_bits"]))) / trace.messages
    assert 0 <= per_message <= 8 * (16 + 2 * 6)
    assert float(str(found["replay_difference"])) < 1e-12
