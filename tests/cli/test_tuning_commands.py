from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from taciturn.cli.main import app
from taciturn.solvers.tune import tune
from taciturn.theory import technologies, technology

GRADIENT = np.random.default_rng(0).standard_normal(2000) ** 3


def _save(folder: Path, kind: str) -> Path:
    path = folder / f"gradient.{kind}"
    {"npy": np.save, "npz": np.savez, "txt": np.savetxt}[kind](path, GRADIENT)
    return path


@pytest.mark.parametrize("kind", ["npy", "npz", "txt"])
@pytest.mark.parametrize("scheme", ["S", "S+Q", "SS"])
def test_tune_finds_what_the_library_finds(kind: str, scheme: str, tmp_path: Path) -> None:
    arguments = ["tune", str(_save(tmp_path, kind)), "--technology", "ble-4.2", "--scheme", scheme, "--json"]
    result = CliRunner().invoke(app, arguments)

    expected = tune(GRADIENT, technology("ble-4.2").cost(scheme, 2000), scheme)
    found = json.loads(result.stdout)
    assert (found["T"], found["efficiency"], found["bits"]) == (expected.T, expected.efficiency, expected.cost)
    assert tuple(found["ties"]) == expected.ties
    assert found["bits"] == found["packets"] * 8 * (244 + 17)


def test_tune_in_words(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["tune", str(_save(tmp_path, "npy")), "--technology", "ethernet-udp"])

    assert result.exit_code == 0
    assert "of 2000 entries" in result.stdout
    assert "packet of Ethernet, IPv4, UDP" in result.stdout


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.npy", b"\x93NUMPY\x01\x00v\x00{'descr'", "corrupt or truncated"),
        ("empty.npy", b"", "corrupt or truncated"),
        ("empty.npz", b"", "corrupt or truncated"),
        ("empty.txt", b"", "corrupt or truncated"),
        ("words.txt", b"a b c", "corrupt or truncated"),
        ("nan.txt", b"1 nan", "NaN"),
        ("zero.txt", b"0 0 0", "zero"),
        ("matrix.txt", b"1 2\n3 4", "shape"),
        ("table.csv", b"1,2", "accepted: .npy, .npz, .txt"),
    ],
)
def test_bad_files_are_one_line(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    result = CliRunner().invoke(app, ["tune", str(tmp_path / name), "--technology", "ble-4.2"])

    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_files_with_the_wrong_ending_or_no_number_are_one_line(tmp_path: Path) -> None:
    _save(tmp_path, "npz").rename(tmp_path / "archive.npy")
    _save(tmp_path, "npy").rename(tmp_path / "array.npz")
    np.save(tmp_path / "none.npy", np.zeros(0))

    for name, message in (("archive.npy", "corrupt"), ("array.npz", "corrupt"), ("none.npy", "holds no number")):
        result = CliRunner().invoke(app, ["tune", str(tmp_path / name), "--technology", "ble-4.2"])
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert message in result.stderr


def test_two_arrays_and_whole_numbers_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", a=GRADIENT, b=GRADIENT)
    np.save(tmp_path / "whole.npy", np.arange(1, 5))

    for name, message in (("two.npz", "holds the arrays a, b"), ("whole.npy", "float64")):
        result = CliRunner().invoke(app, ["tune", str(tmp_path / name), "--technology", "ble-4.2"])
        assert result.exit_code == 2
        assert message in result.stderr


def test_technologies_are_listed_with_their_standards() -> None:
    shown = CliRunner().invoke(app, ["technologies"]).output
    records = json.loads(CliRunner().invoke(app, ["technologies", "--json"]).stdout)

    assert all(entry.name in shown and entry.standard in shown for entry in technologies())
    assert records == [asdict(entry) for entry in technologies()]
