"""Drawing figures and measuring claims."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from .errors import writable_folder
from .screen import print_table, progress_bar
from .verification import Jobs

__all__ = ["captions", "claims", "draw_figures", "figures", "print_claims"]

CLAIMS = "claims"
Folder = Annotated[Path, typer.Option(help="Folder of the figures.")]
ArrayBackend = Annotated[str, typer.Option(help="Array library of the experiments: numpy or torch.")]
Device = Annotated[str, typer.Option(help="Device of the torch tensors, e.g. cuda.")]
Size = Annotated[str, typer.Option(help="Replicas, points and accuracy of the figures: quick or full.")]


def figures(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Figures; all if absent.")] = None,
    output: Folder = Path("out/figures"),
    check: Annotated[
        bool,
        typer.Option("--check", help="Draw elsewhere and compare with the folder; exit status 1 if a file differs."),
    ] = False,
    backend: ArrayBackend = "numpy",
    device: Device = "cpu",
    budget: Size = "quick",
    jobs: Jobs = 1,
) -> None:
    """Draw figures and tables from scratch, each with the CSV it is drawn from."""
    if not check:
        draw_figures(names, output, backend, device, budget, jobs)
        typer.echo(f"figures: {output}")
        return
    from taciturn.paper_figures import registry

    different: list[str] = []
    for name in _known(names):
        with progress_bar(name) as progress:
            report = partial(progress, "")
            different += registry.check(name, output, backend, device, budget, report)
    for file in different:
        typer.echo(f"{output / file} is missing or not what is drawn now", err=True)
    if different:
        raise typer.Exit(1)
    typer.echo(f"{output} holds what is drawn now")


def claims(output: Folder = Path("out/figures"), backend: ArrayBackend = "numpy", device: Device = "cpu") -> None:
    """Show the claims of the literature with what was measured here; they are measured if they were not yet."""
    if not (output / "claims.json").exists():
        draw_figures([CLAIMS], output, backend, device)
    print_claims(output)


def draw_figures(
    names: Sequence[str] | None, output: Path, backend: str, device: str, budget: str = "quick", jobs: int = 1
) -> None:
    """Draw figures (all if there are no names) into a folder, behind a bar for each or, with several jobs, for all."""
    from taciturn.paper_figures import registry

    chosen = _known(names)
    writable_folder(output)
    if jobs != 1:
        # Those of real runs start processes of their own; claims come after the figures, whose runs they use.
        together = [name for name in chosen if name != CLAIMS and registry.figure(name).repeatable]
        _draw_together(together, output, backend, device, budget, jobs)
        chosen = [name for name in chosen if name not in together]
    for name in chosen:
        with progress_bar(name) as progress:
            registry.draw(name, output, backend, device, budget, partial(progress, ""))


def _draw_together(names: Sequence[str], output: Path, backend: str, device: str, budget: str, jobs: int) -> None:
    from joblib import Parallel, delayed

    from taciturn.paper_figures import registry

    drawn = Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")(
        delayed(registry.draw)(name, output, backend, device, budget) for name in names
    )
    with progress_bar("figures") as progress:
        for done, files in enumerate(drawn, start=1):
            progress(files[0].stem, done, len(names))


def captions(output: Path) -> dict[str, str]:
    """What the figures of a folder show, by name; nothing if there is no folder."""
    if not output.is_dir():
        return {}
    from taciturn.paper_figures import registry

    entries = [registry.figure(name) for name in registry.names()]
    return {entry.name: f"{entry.title}: {entry.caption}" for entry in entries}


def print_claims(output: Path) -> None:
    """Print the table of claims in a folder."""
    path, fields = output / "claims.json", ("claim", "verdict", "reason")
    try:
        rows = [[record.get(field, "") for field in fields] for record in json.loads(path.read_bytes())]
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no list of claims ({error}); without the file they are measured again") from error
    print_table(fields, rows)


def _known(names: Sequence[str] | None) -> Sequence[str]:
    """The names, all of them known; all figures if there are none."""
    from taciturn.paper_figures import registry
    from taciturn.theory.checks import check_choice

    for name in names or ():
        check_choice(name, "figure", registry.names())
    return names or registry.names()
