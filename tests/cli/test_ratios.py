from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from taciturn.cli.main import app
from taciturn.solvers.ratios import assign_counts, preset, waterfill
from taciturn.theory.ratio_presets import PRESETS

VOLUMES = ["--volumes", "0.5,0.3,0.2"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["ratios", *arguments])


@pytest.mark.parametrize("name", PRESETS)
def test_ratios_are_those_of_the_library(name: str) -> None:
    options = ["--budget", "0.5", "--costs", "1,2,1", "--lower", "0.05", "--upper", "0.4,0.5,0.1"]
    found = json.loads(run(*VOLUMES, *options, "--preset", name, "--json").stdout)
    expected = preset(name, [0.5, 0.3, 0.2], 0.5, costs=[1, 2, 1], lower=0.05, upper=[0.4, 0.5, 0.1])

    assert found["delta"] == expected.delta.tolist()
    assert (found["objective"], found["multiplier"]) == (expected.objective, expected.multiplier)
    assert 0 <= found["relative_gap"] <= 1e-12
    assert found["at_upper"] == expected.at_upper.nonzero()[0].tolist()


def test_any_power_and_volumes_that_are_normalised_when_told() -> None:
    found = json.loads(run("--volumes", "50,30,20", "--normalise", "--budget", "0.3", "--b", "2", "--json").stdout)
    assert found["delta"] == waterfill([0.5, 0.3, 0.2], 0.3, b=2).delta.tolist()
    refused = run("--volumes", "50,30,20", "--budget", "0.3")
    assert refused.exit_code == 2
    assert "volumes sum to 100" in refused.stderr


def test_whole_counts() -> None:
    found = json.loads(run(*VOLUMES, "--budget", "100", "--dimension", "500", "--json").stdout)
    assert found["counts"] == assign_counts([0.5, 0.3, 0.2], 100, 500).counts.tolist()
    assert (found["spent"], found["method"]) == (100, "proximity")
    unequal = json.loads(run(*VOLUMES, "--budget", "100", "--dimension", "500", "--costs", "3,2,5", "--json").stdout)
    assert (unequal["method"], unequal["spent"] <= 100) == ("density", True)
    assert "within the stated gap" in unequal["guarantee"]


def test_a_comparison_of_the_presets() -> None:
    records = json.loads(run(*VOLUMES, "--budget", "0.03", "--compare", "--json").stdout)
    saving = {record["name"]: record["saving"] for record in records}

    assert list(saving) == list(PRESETS)
    assert max(saving, key=saving.__getitem__) == "tri"
    assert saving["uniform"] == 0
    assert all(record["status"] for record in records)


def test_answers_in_words() -> None:
    shown = run(*VOLUMES, "--budget", "0.3", "--exact").stdout
    assert "in rational arithmetic" in shown
    assert "at most" in shown
    assert "the budget pays for all upper limits" in run(*VOLUMES, "--budget", "3").stdout
    assert "recalled, uncertain" in run(*VOLUMES, "--budget", "0.3", "--compare").stdout
    assert "guarantee   optimal" in run(*VOLUMES, "--budget", "30", "--dimension", "100").stdout
    proof = json.loads(run(*VOLUMES, "--budget", "0.3", "--exact", "--json").stdout)["rational_gap"]
    assert 0 <= int(proof["numerator"]) / int(proof["denominator"]) < 1e-13


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*VOLUMES, "--budget", "0.3", "--lower", "0.2"], "is 0.3 below the smallest feasible one"),
        ([*VOLUMES, "--budget", "-1"], "budget = -1.0 is outside"),
        (["--volumes", "0.5,0.5,0", "--budget", "1"], "volumes[2] = 0.0"),
        (["--volumes", "1,two", "--budget", "1"], "no list of numbers"),
        (["--volumes", "nan", "--budget", "1"], "volumes[0] = nan"),
        ([*VOLUMES, "--budget", "0.3", "--preset", "trj"], "did you mean 'tri'"),
        ([*VOLUMES, "--budget", "0.3", "--costs", "1,2"], "costs has the shape (2,)"),
        ([*VOLUMES, "--budget", "0.3", "--b", "0"], "b = 0.0"),
        ([*VOLUMES, "--budget", "30.5", "--dimension", "100"], "budget = 30.5 is no whole number"),
        ([*VOLUMES, "--budget", "30", "--dimension", "100", "--preset", "uniform"], "optimises nothing"),
        ([*VOLUMES, "--budget", "30", "--dimension", "100", "--compare"], "leave --dimension out"),
        ([*VOLUMES, "--budget", "2", "--dimension", "100"], "budget = 2 is 1 below"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
