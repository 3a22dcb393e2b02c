from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from taciturn.cli.main import app

HEAVY = ("sympy", "cvxpy", "PEPit", "torch", "matplotlib", "scipy", "numpy", "z3", "joblib", "hypothesis", "rich")
COMMANDS = (
    "theorems",
    "show",
    "evaluate",
    "verify",
    "report",
    "figures",
    "claims",
    "tune",
    "technologies",
    "sparsity",
    "reproduce",
)


def run(*arguments: str):  # type: ignore[no-untyped-def]
    return CliRunner().invoke(app, arguments)


def test_the_command_starts_without_heavy_imports() -> None:
    # Help of a command reads its signature too.
    program = (
        "import sys, taciturn.cli.main as m\n"
        "for arguments in (['--help'], ['verify', '--help'], ['--version']):\n"
        "    try: m.app(arguments)\n"
        "    except SystemExit: pass\n"
        f"print('loaded:', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_help_names_every_command() -> None:
    shown = run("--help").output

    assert all(f"  {name} " in shown for name in COMMANDS)


def test_version() -> None:
    from importlib.metadata import version

    assert run("--version").output == f"taciturn {version('taciturn')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert "Usage:" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "topT-sc-exakt"], "topT-sc-exact"),
        (["theorems", "--subject", "adaptive"], "adaptive-compression"),
        (["evaluate", "topT-pl-rate", "L=1", "mu=2", "alpha=0.5"], "mu=2 is outside the range (0, L]"),
        (["evaluate", "topT-pl-rate", "L=1", "mu=0.1"], "needs alpha"),
        (["evaluate", "topT-pl-rate", "L"], "NAME=VALUE"),
        (["evaluate", "topT-pl-rate", "L=x"], "L=x is no number"),
        (["evaluate", "topT-pl-rate", "L=1", "L=2"], "L=1 L=2 gives a parameter twice"),
        (["evaluate", "topT-pl-rate", "mu=0.1:1:1000000000000"], "is outside the accepted range 1..1000000"),
        (["evaluate", "topT-pl-rate", "L=1:2:1001", "mu=0.1:1:1000"], "have 1001000 combinations"),
        (["evaluate", "topT-pl-rate", "mu=0.1:1:0"], "is outside the accepted range 1..1000000"),
        (["evaluate", "topT-pl-rate", "L=1:2"], "L=1:2 is no number"),
        (["evaluate", "topT-pl-rate", "L=1", "mu=0.1", "alpha=nan"], "finite"),
        (["evaluate", "topT-pl-rate", "L=1", "mu=0.1", "alpha=1", "--k", "-1"], "k=-1.0 must be at least 0"),
        (["tune", "nowhere.npy", "--technology", "ble-4.2"], "nowhere.npy does not exist"),
        (["tune", "nowhere.npy", "--technology", "ble-4.3"], "ble-4.2"),
        (["verify", "topT-pl-rate", "--budget", "quik"], "quick"),
        (["verify", "topT-pl-rate", "--output", "/dev/null"], "/dev/null is no regular file"),
        (["verify", "topT-pl-rate", "--fresh", "--backend", "unheard-of"], "unheard-of"),
        (["reproduce", "--backend", "jax"], "'numpy', 'torch'"),
        (["reproduce", "--device", "moon"], "device='moon'"),
        (["figures", "claim"], "'claims'"),
        (["report", "--evidence", "a.html", "--output", "a.html"], "would overwrite the findings in a.html"),
        (["report", "--evidence", "./summary.json", "--output", "a.html"], "would overwrite the findings in summary"),
        (["report", "--output", "a.jsonl"], "accepted: .html"),
        (["report", "--evidence", "nowhere.jsonl"], "nowhere.jsonl: No such file or directory"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = run(*arguments)

    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("taciturn: ")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_unknown_commands_and_options_are_status_2() -> None:
    assert run("prove").exit_code == 2
    assert run("theorems", "--colour").exit_code == 2


def test_a_reader_that_stops_reading_is_no_error_of_ours() -> None:
    start = "from taciturn.cli.main import main; main()"
    command = [sys.executable, "-c", start, "theorems", "--subject", "data-sparsity"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)

    assert "Traceback" not in done.stderr
    assert "taciturn:" not in done.stderr
