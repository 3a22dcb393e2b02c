"""A figure: what it shows, how its numbers are computed, how they are drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure as Drawing

from . import style
from .setting import Progress, Setting
from .table import Table

__all__ = ["Figure"]


@dataclass(frozen=True)
class Figure:
    """One figure or table of a paper: numbers go into a CSV file, and the picture is drawn from that file.

    Parameters
    ----------
    name : str
        Name of the files.
    title : str
        One line.
    caption : str
        What is seen, with the data and the units.
    claim : str
        The claim it supports, or tests.
    theorems : tuple of str
        IDs of the theorems it shows; their curves are evaluated from the theorem objects.
    compute : callable
        Takes a setting and a `Progress` to the numbers.
    plot : callable
        Takes the numbers, as read back from the CSV file, to a picture.
    repeatable : bool
        Whether computing again gives the same numbers: not of a record of what processes did.
    """

    name: str
    title: str
    caption: str
    claim: str
    theorems: tuple[str, ...]
    compute: Callable[[Setting, Progress], Table]
    plot: Callable[[Table], Drawing]
    repeatable: bool = True

    def draw(self, folder: Path, setting: Setting, progress: Progress) -> tuple[Path, ...]:
        """Compute the numbers and draw them."""
        table = folder / f"{self.name}.csv"
        self.compute(setting, progress).write(table)
        return (table, *self.redraw(folder))

    def redraw(self, folder: Path) -> tuple[Path, ...]:
        """Draw the numbers that lie in the folder already.

        Raises
        ------
        FileNotFoundError
            If they do not.
        ValueError
            If their file is corrupt.
        """
        numbers = Table.read(folder / f"{self.name}.csv")
        with style.settings():
            return style.save(self.plot(numbers), folder, self.name)
