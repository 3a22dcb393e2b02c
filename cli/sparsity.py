"""How much the data of different workers overlap."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .screen import counted, print_json, print_table

__all__ = ["sparsity"]

BRACKETS = ("sigma_spec", "sigma_tr", "sigma_F", "sigma_Delta", "average_degree", "largest_degree")


def sparsity(
    file: Annotated[
        str, typer.Argument(help="svmlight (also .gz, .bz2), .npz of scipy.sparse, or `text`: the bundled e-mails.")
    ],
    workers: Annotated[
        int | None, typer.Option(help="Deal the rows to n workers; default: each row is a worker.")
    ] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Estimate the degrees, too; no bounds.")] = False,
    seed: Annotated[int, typer.Option(help="Of the split and of the estimates.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute sigma and L_supp of sparse data, and bracket the other constants of their conflict graph.

    Workers are in conflict if they use a common column; the graph is never formed. L_supp is that of logistic
    regression without a regulariser, which would fill every support.
    """
    from time import perf_counter

    import numpy as np

    from taciturn.solvers.sparsity import data_sparsity

    matrix = _load(file)
    split = _split(matrix.shape[0], workers, seed)
    start = perf_counter()
    try:
        matrix.check_format(full_check=True)
        constants = data_sparsity(matrix, split, _smoothness(matrix, split))
    except (ValueError, TypeError) as error:
        raise ValueError(f"file={file}: {error}") from error
    found: dict[str, Any] = {
        "rows": matrix.shape[0],
        "columns": matrix.shape[1],
        "unused_columns": int(np.count_nonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]) == 0)),
        "nonzeros": int(matrix.nnz),
        "density": float(matrix.nnz / (matrix.shape[0] * matrix.shape[1])),
        "workers": constants.workers,
        "sigma_coord": constants.sigma_coord,
        "L_supp": constants.L_supp,
        **{name: [float(limit) for limit in vars(getattr(constants, name)).values()] for name in BRACKETS},
        "seconds": perf_counter() - start,
    }
    if estimate:
        found["estimates"] = _estimates(matrix, split, seed)
    if as_json:
        print_json(found, indent=None)
    else:
        _report(found)


def _report(found: dict[str, Any]) -> None:
    typer.echo(f"rows      {found['rows']}, dealt to {counted(found['workers'], 'worker')}")
    typer.echo(f"columns   {found['columns']}, {found['unused_columns']} of them unused")
    typer.echo(f"non-zeros {found['nonzeros']}, density {found['density']:.3g}")
    logistic = "exact for the L_i of logistic losses"
    table = [["sigma_coord", found["sigma_coord"], "exact"], ["L_supp", f"{found['L_supp']:.6g}", logistic]]
    for name in BRACKETS:
        lower, upper = found[name]
        if lower == upper:
            table.append([name, f"{lower:.6g}", "exact"])
        else:
            table.append([name, f"{lower:.6g} to {upper:.6g}", "bracket"])
    if "estimates" in found:
        known = f"estimate, not a bound: degrees to {found['estimates']['relative_deviation']:.0%}"
        for name in ("average_degree", "largest_degree"):
            table.append([name, f"about {found['estimates'][name]:.6g}", known])
    print_table(["constant", "value", "known"], table)
    typer.echo(f"computed in {found['seconds']:.3g} s")


def _estimates(matrix: Any, split: Any, seed: int) -> dict[str, float]:
    import numpy as np

    from taciturn.solvers.sparsity import estimated_degrees

    degrees = estimated_degrees(matrix, split, seed=seed)
    return {
        "average_degree": float(np.mean(degrees.value)),
        "largest_degree": float(np.max(degrees.value)),
        "relative_deviation": degrees.relative_deviation,
    }


def _split(rows: int, workers: int | None, seed: int) -> Any:
    from taciturn.solvers.partition import split_iid

    return None if workers is None else split_iid(rows, workers, seed)


def _smoothness(matrix: Any, split: Any) -> Any:
    """Return L_i of the mean logistic loss over the rows of every worker, without a regulariser."""
    import numpy as np

    from taciturn.solvers.problems import logistic_regression

    if split is None:
        return np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel() / 4
    return logistic_regression(matrix, np.ones(matrix.shape[0]), regularisation=0.0).split(split).L_i


def _load(file: str) -> Any:
    """Return the rows in a file as a CSR matrix, those of the bundled text that have an entry."""
    import numpy as np

    from taciturn.solvers.data import load_svmlight, load_text

    if file == "text":
        features = load_text().features
        return features[np.diff(features.indptr) > 0]
    path = Path(file)
    return _load_npz(path) if path.suffix == ".npz" else load_svmlight(path).features


def _load_npz(path: Path) -> Any:
    from scipy import sparse

    if not path.exists():
        raise FileNotFoundError(f"file={path} does not exist")
    try:
        with path.open("rb") as file:
            matrix = sparse.load_npz(file)
    except Exception as error:  # scipy raises whatever the damage leads to
        raise ValueError(f"file={path} is corrupt, or no sparse matrix of scipy ({error})") from error
    if matrix.format != "csr":
        raise ValueError(f"file={path} holds a {matrix.format.upper()} matrix; accepted: CSR")
    return matrix
