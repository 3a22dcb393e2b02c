"""The command ``taciturn``."""

from __future__ import annotations

from typing import Annotated

import typer

from . import asynchronous, events, figures, ratios, reproduction, sparsity, theorems, tuning, verification
from .errors import OneLineErrors

__all__ = ["app", "main"]

# Rich markup would double the time to --help: rich is imported by the commands that draw with it.
app = typer.Typer(
    cls=OneLineErrors,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    *(theorems.theorems, theorems.show, theorems.evaluate),
    *(verification.verify, verification.report),
    *(figures.figures, figures.claims),
    *(tuning.tune, tuning.technologies, ratios.ratios),
    sparsity.sparsity,
    *(asynchronous.run_async, events.run_events),
    reproduction.reproduce,
):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"taciturn {version('taciturn')}")
        raise typer.Exit


@app.callback()
def taciturn(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """How little may a distributed optimizer communicate and still provably converge?

    Theorems that can be read, evaluated, proved, attacked and measured.
    """


def main() -> None:
    """Run the command; bad input is one line on standard error and exit status 2."""
    app(prog_name="taciturn")
