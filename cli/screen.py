"""What commands draw on the terminal: tables and progress."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

__all__ = ["counted", "print_json", "print_table", "progress_bar", "show"]


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    Examples
    --------
    >>> counted(1, "packet"), counted(2, "packet")
    ('1 packet', '2 packets')
    """
    return f"{number} {noun}{'s' * (number != 1)}"


def show(renderable: Any) -> None:
    """Print something of rich; where that is no terminal, on lines as long as they need to be."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 400, highlight=False).print(renderable)


def print_json(data: Any, indent: int | None = 1) -> None:
    """Print JSON, which knows neither NaN nor infinity: they are null."""
    typer.echo(json.dumps(_finite(data), indent=indent, allow_nan=False))


def _finite(data: Any) -> Any:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {name: _finite(value) for name, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, (list, tuple)) else data


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table."""
    from rich.table import Table
    from rich.text import Text

    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(str(entry)) for entry in row))
    show(table)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error while work is done; none where that is no terminal.

    The function it gives is called with what was just done, how many parts are done, and how many there are.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        *(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()),
        TextColumn("{task.fields[latest]}", style="dim"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None, latest="")

        def progress(latest: str, done: int, total: int) -> None:
            bar.update(task, latest=latest, completed=done, total=total)

        yield progress
