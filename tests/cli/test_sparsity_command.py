from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from typer.testing import CliRunner

from taciturn.cli.main import app
from taciturn.solvers.data import load_text
from taciturn.solvers.partition import split_iid
from taciturn.solvers.problems import logistic_regression
from taciturn.solvers.sparsity import data_sparsity, estimated_degrees, exact_data_sparsity

BRACKETS = ("sigma_spec", "sigma_tr", "sigma_F", "sigma_Delta", "average_degree", "largest_degree")


def run(*arguments: object):  # type: ignore[no-untyped-def]
    return CliRunner().invoke(app, ["sparsity", *map(str, arguments)])


def small() -> sparse.csr_array:
    rng = np.random.default_rng(0)
    dense = rng.random((30, 12)) < 0.2
    dense[np.arange(30), rng.integers(12, size=30)] = True
    return sparse.csr_array(np.where(dense, rng.standard_normal(dense.shape), 0.0))


def npz(folder: Path, matrix: object) -> Path:
    path = folder / "rows.npz"
    sparse.save_npz(path, matrix)
    return path


def svmlight(matrix: sparse.csr_array) -> str:
    lines = []
    for row in range(matrix.shape[0]):
        piece = slice(matrix.indptr[row], matrix.indptr[row + 1])
        entries = zip(matrix.indices[piece], matrix.data[piece], strict=True)
        lines.append(" ".join(["1", *(f"{column + 1}:{value!r}" for column, value in entries)]))
    return "\n".join(lines).replace("np.float64(", "").replace(")", "") + "\n"


def files(folder: Path) -> list[Path]:
    plain, packed = folder / "rows.svm", folder / "rows.svm.gz"
    plain.write_text(svmlight(small()))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    return [npz(folder, small()), plain, packed]


@pytest.mark.parametrize("kind", [0, 1, 2], ids=["npz", "svmlight", "svmlight.gz"])
def test_every_kind_of_file_gives_what_the_library_finds(kind: int, tmp_path: Path) -> None:
    if kind:
        pytest.importorskip("sklearn")
    result = run(files(tmp_path)[kind], "--json")
    found, matrix = json.loads(result.stdout), small()

    expected = data_sparsity(matrix, L_i=np.sum(matrix.toarray() ** 2, axis=1) / 4)
    assert (found["rows"], found["columns"], found["workers"]) == (30, 12, 30)
    assert found["nonzeros"] == matrix.nnz
    assert found["density"] == pytest.approx(matrix.nnz / 360)
    assert found["sigma_coord"] == expected.sigma_coord
    assert found["L_supp"] == pytest.approx(expected.L_supp, rel=1e-12)
    exact = exact_data_sparsity(matrix)
    for name in BRACKETS:
        assert found[name] == [getattr(expected, name).lower, getattr(expected, name).upper]
        assert found[name][0] <= getattr(exact, name).upper
        assert getattr(exact, name).lower <= found[name][1]


def test_rows_are_dealt_to_workers(tmp_path: Path) -> None:
    path, matrix, split = npz(tmp_path, small()), small(), split_iid(30, 4, seed=3)
    found = json.loads(run(path, "--workers", 4, "--seed", 3, "--json").stdout)

    L_i = logistic_regression(matrix, np.ones(30), 0.0).split(split).L_i
    expected = data_sparsity(matrix, split, L_i)
    assert found["workers"] == 4
    assert (found["sigma_coord"], found["L_supp"]) == (expected.sigma_coord, expected.L_supp)


def test_columns_that_nobody_uses_are_counted_and_change_nothing(tmp_path: Path) -> None:
    wide = sparse.csr_array((small().data, small().indices, small().indptr), shape=(30, 40))
    used, found = (json.loads(run(npz(tmp_path, matrix), "--json").stdout) for matrix in (small(), wide))

    assert (used["unused_columns"], found["unused_columns"]) == (0, 28)
    assert all(found[name] == used[name] for name in ("sigma_coord", "L_supp", *BRACKETS))


def test_estimates_are_labelled(tmp_path: Path) -> None:
    path = npz(tmp_path, small())
    found = json.loads(run(path, "--estimate", "--seed", 1, "--json").stdout)
    shown = run(path, "--estimate").stdout

    degrees = estimated_degrees(small(), seed=1)
    assert found["estimates"]["average_degree"] == pytest.approx(np.mean(degrees.value))
    assert found["estimates"]["largest_degree"] == np.max(degrees.value)
    assert found["estimates"]["relative_deviation"] == degrees.relative_deviation
    assert shown.count("estimate, not a bound") == 2
    assert "estimates" not in json.loads(run(path, "--json").stdout)
    assert "estimate" not in run(path).stdout


def test_the_bundled_text_in_words() -> None:
    features = load_text().features
    shown = run("text").stdout

    assert shown.startswith("rows      6045, dealt to 6045 workers\ncolumns   26521, 0 of them unused\n")
    assert "non-zeros 944703, density 0.00589" in shown
    assert f"{int(np.bincount(features.indices).max())} " in next(
        line for line in shown.splitlines() if line.startswith("sigma_coord")
    )
    assert shown.count("bracket") == len(BRACKETS)
    assert shown.splitlines()[-1].startswith("computed in")


def with_entries(data: list[float], indices: list[int], indptr: tuple[int, ...] = (0, 2, 3)) -> sparse.csr_array:
    return sparse.csr_array((np.array(data), np.array(indices), np.array(indptr)), shape=(2, 3))


@pytest.mark.parametrize(
    ("matrix", "arguments", "message"),
    [
        (with_entries([1.0, 0.0, 2.0], [0, 1, 2]), (), "explicit zero at row 0, column 1"),
        (with_entries([1.0, 2.0, 2.0], [1, 1, 2]), (), "two entries at row 0, column 1"),
        (with_entries([1.0, 2.0, 2.0], [1, 2, 2]), ("--workers", 3), "workers = 3 is outside the accepted range 1..2"),
        (with_entries([1.0, 2.0, 2.0], [1, 2, 2]), ("--workers", 0), "workers = 0"),
        (with_entries([1.0, 2.0, 2.0], [1, 2, 0], (0, 3, 3)), (), "worker 1 has no non-zero entry"),
        (with_entries([1.0, 2.0, 2.0], [1, 2, 0], (0, 3, 3)), ("--workers", 2), "has no non-zero entry"),
        (with_entries([1.0, float("nan"), 2.0], [1, 2, 2]), (), "NaN or infinite"),
        (with_entries([1.0, 2.0, 2.0], [1, 2, 2]).tocoo(), (), "COO matrix; accepted: CSR"),
        (sparse.csr_array((2, 3)), (), "no non-zero entry"),
    ],
)
def test_bad_matrices_are_one_line(matrix, arguments, message, tmp_path) -> None:  # type: ignore[no-untyped-def]
    result = run(npz(tmp_path, matrix), *arguments)

    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.npz", b"", "rows.npz is corrupt, or no sparse matrix"),
        ("rows.npz", b"PK\x03\x04cut", "rows.npz is corrupt, or no sparse matrix"),
        ("rows.svm", b"", "it has no line"),
        ("rows.svm", b"1 1:0.5 2:\n", "rows.svm is corrupt or not an svmlight file"),
        ("rows.svm", b"1 2:1 1:1\n", "sorted and unique"),
        ("rows.svm", b"1 1:1 1:2\n", "sorted and unique"),
        ("rows.svm", b"1 1:0 2:1\n", "explicit zero at row 0, column 0"),
        ("rows.svm", b"1 1:1\n-1\n", "worker 1 has no non-zero entry"),
        ("rows.svm.gz", gzip.compress(b"1 1:0.5\n" * 500, mtime=0)[:-12], "rows.svm.gz is corrupt"),
    ],
)
def test_bad_files_are_one_line(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    if ".svm" in name:
        pytest.importorskip("sklearn")
    path = tmp_path / name
    path.write_bytes(content)

    result = run(path)

    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_arrays_that_are_no_sparse_matrix_and_missing_files_are_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "dense.npz", a=np.ones(3))
    outside = with_entries([1.0, 2.0, 2.0], [1, 2, 2])
    outside.indices[0] = 7
    cases = {
        tmp_path / "dense.npz": "no sparse matrix of scipy",
        npz(tmp_path, outside): "rows.npz: indices must be < 3",
        tmp_path / "none.npz": "none.npz does not exist",
        tmp_path / "none.svm": "none.svm does not exist",
    }

    for path, message in cases.items():
        if path.suffix == ".svm":
            pytest.importorskip("sklearn")
        result = run(path)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert message in result.stderr
