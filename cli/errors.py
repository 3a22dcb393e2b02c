"""Bad input in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

__all__ = ["OneLineErrors", "writable_folder"]


class OneLineErrors(TyperGroup):
    """Commands whose errors about input, files and missing extras are one line on standard error, exit status 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # the reader of the output has had enough: no error of ours
        except OSError as error:
            _refuse(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
        except (ValueError, TypeError, ImportError) as error:
            _refuse(str(error))


def _refuse(message: str) -> NoReturn:
    typer.echo(f"taciturn: {' '.join(message.split())}", err=True)
    raise typer.Exit(2)


def writable_folder(folder: Path) -> Path:
    """Make a folder if it is not there, and insist that files can be written to it.

    Raises
    ------
    OSError
        If not; before any work is done.
    """
    from tempfile import TemporaryFile

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder):
        return folder
