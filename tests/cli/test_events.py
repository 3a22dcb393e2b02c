"""`taciturn run-events`: bad input, a run with its replay and certificate, a rank that dies, and the restart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from taciturn.cli.main import app
from taciturn.solvers.gossip import EventTrace, GossipRun

SMALL = ("run-events", "--workers", "2", "--iterations", "40", "--rows", "200", "--timeout", "5")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "images"], "data = 'images'"),
        (["--model", "cnn"], "'cnn2'"),
        (["--trigger", "norm"], "trigger"),
        (["--update", "C"], "update = 'C'"),
        (["--workers", "1"], "workers = 1"),
        (["--iterations", "0"], "iterations = 0"),
        (["--threshold", "-1"], "c = -1"),
        (["--horizon", "nan"], "horizon = nan"),
        (["--forced", "-1"], "forced = -1"),
        (["--latency", "-1"], "latency = -1"),
        (["--step-size", "0"], "step_size = 0"),
        (["--damping", "0.5"], "average-preserving"),
        (["--regularisation", "0"], "regularisation = 0"),
        (["--rows", "1"], "rows = 1"),
        (["--kill", "2:5"], "kill = '2:5'"),
        (["--resume"], "resume needs a checkpoint"),
        (["--resume", "--save", "empty"], "no checkpoint of all 2 ranks"),
        (["--output", "/dev/null/trace.npz"], "/dev/null"),
    ],
)
def test_bad_input_is_one_line_before_any_process_starts(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, [*SMALL, *arguments])

    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("taciturn: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_run_is_measured_replayed_and_certified() -> None:
    result = CliRunner().invoke(app, [*SMALL, "--output", "there/trace.npz", "--json"])

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    trace = EventTrace.load("there/trace.npz")
    assert found["message_share"] == trace.message_share == pytest.approx(1 - found["nominal_saving"])
    assert 29 / 40 <= found["message_share"] < 1
    assert found["replay_difference"] == 0
    assert found["loss"][1] < found["loss"][0]
    for name in ("accuracy", "workers_accuracy"):
        assert found[name] > 0.5
        assert found[f"{name}_sending_always"] > 0.5
    assert found["saving_at_equal_loss"] <= found["nominal_saving"] + 1e-9
    # A ring of two is one link: a header of 17 bytes in every iteration, the word that settings agree, of 24 bytes, and
    # the start of 650 numbers with its own header.
    assert found["bytes_of_headers"] == 2 * 40 * 17
    assert found["bytes_of_starts"] == 2 * (24 + 17 + 650 * 8)
    parts = ("bytes_counted", "bytes_of_headers", "bytes_of_starts")
    assert found["bytes_sent"] == sum(found[part] for part in parts)
    certificate = found["certificate"]
    assert 0 < certificate["end_by_residual"] < certificate["end"]
    assert certificate["end"] < 2 * certificate["start"]


@pytest.mark.slow
def test_the_same_command_line_runs_under_torchrun_and_trains_the_network() -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "4", "-m", "taciturn.cli"]
    network = ["--model", "cnn2", "--batch", "40", "--graph", "star", "--iterations", "34"]
    command = [*launcher, *SMALL, "--workers", "4", *network, "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=240, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1  # one rank speaks
    found = json.loads(done.stdout)
    assert found["workers"] == 4
    # Shares of 357 test images, in single precision; the mean of four workers is one of 1428.
    for count, name in ((357, "accuracy"), (4 * 357, "workers_accuracy")):
        for found_by in (found[name], found[f"{name}_sending_always"]):
            assert count * found_by == pytest.approx(round(count * found_by), abs=1e-3)
    assert found["replay_difference"] == 0
    assert found["certificate"] is None
    # Three links in both directions; 8 tensors are one byte of the header.
    assert found["bytes_of_headers"] == 6 * 34 * 17
    assert found["bytes_of_starts"] == 6 * (24 + 17 + 27_480 * 4)
    assert 29 / 34 <= found["message_share"] <= 1


def test_a_horizon_that_silences_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taciturn.solvers.gossip.run_gossip", lambda *_: GossipRun({0: "stopped here"}))
    result = CliRunner().invoke(app, [*SMALL, "--horizon", "1.5"])

    assert result.exit_code == 3
    assert "warning: horizon=1.5 is beyond 3^(1/3) = 1.4422" in result.stderr


@pytest.mark.slow
def test_a_rank_that_dies_is_named_and_the_run_goes_on_from_its_checkpoint() -> None:
    longer = [*SMALL, "--update", "B", "--damping", "0.5", "--latency", "1", "--batch", "16", "--save-every", "10"]
    whole = CliRunner().invoke(app, [*longer, "--output", "whole.npz", "--json"])
    broken = CliRunner().invoke(app, [*longer, "--save", "saved", "--kill", "1:25"])

    assert broken.exit_code == 3
    assert "rank 0: NeighbourLost: " in broken.stderr
    assert "rank 1" in broken.stderr.splitlines()[0]
    assert "rank 1: the process died" in broken.stderr
    resumed = CliRunner().invoke(app, [*longer, "--save", "saved", "--resume", "--output", "resumed.npz", "--json"])
    assert resumed.exit_code == 0, resumed.output
    one, other = (json.loads(result.stdout) for result in (whole, resumed))
    assert one["loss"] == other["loss"]
    assert one["certificate"] is None
    assert (EventTrace.load("whole.npz").fired == EventTrace.load("resumed.npz").fired).all()
