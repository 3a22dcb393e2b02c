"""How many entries of a gradient are worth their price."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from .screen import counted, print_json, print_table

__all__ = ["technologies", "tune"]


def tune(
    file: Annotated[Path, typer.Argument(help="A gradient: .npy, .npz with one array, or .txt.")],
    technology: Annotated[str, typer.Option(help="A name from `taciturn technologies`.")],
    scheme: Annotated[str, typer.Option(help="S, S+Q or SS.")] = "S",
    float_bits: Annotated[int, typer.Option(help="Bits of a value.")] = 32,
    c0: Annotated[float, typer.Option(help="Bits that a message costs whatever its length.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the number of entries T with the most certified decrease per bit."""
    from taciturn.solvers.tune import tune as best
    from taciturn.theory import technology as find

    network = find(technology)
    gradient = _load(file)
    cost = network.cost(scheme, gradient.size, float_bits, c0)
    tuning = best(gradient, cost, scheme)
    found = {
        "T": tuning.T,
        "d": gradient.size,
        "ties": tuning.ties,
        "decrease": tuning.decrease,
        "efficiency": tuning.efficiency,
        "threshold": tuning.threshold,
        tuning.unit: tuning.cost,
        "packets": int(network.packets(scheme, gradient.size, float_bits).count(tuning.T)),
    }
    if as_json:
        print_json(found, indent=None)
        return
    first, last = tuning.ties
    typer.echo(
        f"T           {tuning.T} of {gradient.size} entries" + (f" (any of {first}..{last})" if first < last else "")
    )
    typer.echo(f"decrease    {tuning.decrease:.6g} of |g|^2/(2L), certified")
    typer.echo(f"efficiency  {tuning.efficiency:.6g} per bit")
    stated = "none: the price comes in whole packets" if tuning.threshold is None else f"{tuning.threshold:.6g}"
    typer.echo(f"threshold   {stated}")
    typer.echo(f"message     {tuning.cost:g} {tuning.unit} in {counted(found['packets'], 'packet')} of {network.title}")


def technologies(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the networks whose prices are known."""
    from dataclasses import asdict

    from taciturn.theory import technologies as known

    records = [asdict(entry) for entry in known()]
    if as_json:
        print_json(records)
    else:
        header = ["technology", "payload bytes", "overhead bytes", "title", "standard"]
        order = ("name", "payload_bytes", "overhead_bytes", "title", "standard")
        print_table(header, ([record[field] for field in order] for record in records))


def _load(path: Path) -> Any:
    """Read the gradient in a file."""
    import numpy as np

    if path.suffix not in (".npy", ".npz", ".txt"):
        raise ValueError(f"file={path} has the ending {path.suffix!r}; accepted: .npy, .npz, .txt")
    if not path.exists():
        raise FileNotFoundError(f"file={path} does not exist")
    try:
        if path.suffix == ".txt":
            with warnings.catch_warnings(action="error"):  # NumPy only warns of a file without numbers
                arrays = {"": np.loadtxt(path, ndmin=1)}
        elif path.suffix == ".npy":
            with path.open("rb") as file:
                arrays = {"": np.lib.format.read_array(file, allow_pickle=False)}
        else:
            with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as archive:
                arrays = dict(archive)
    except Exception as error:  # numpy raises whatever the damage leads to
        raise ValueError(f"file={path} is corrupt or truncated ({error})") from error
    if len(arrays) != 1:
        raise ValueError(f"file={path} holds the arrays {', '.join(arrays)}; accepted: a single one")
    (gradient,) = arrays.values()
    if gradient.size == 0:
        raise ValueError(f"file={path} holds no number; accepted: at least one")
    return gradient
