"""Tables: named columns, written as CSV with a fixed format and read back as what was written."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Table", "stacked"]

DIGITS = 9
"""Significant digits of a number: more than a picture shows, fewer than rounding errors reach."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length, of numbers or of words.

    Parameters
    ----------
    columns : mapping from name to array, shape (rows,)
        Integers, floats or strings.

    Examples
    --------
    >>> table = Table.of(series="alpha", T=[1, 2], value=[0.5, 1.0])
    >>> table["series"].tolist(), table.where(T=2)["value"].tolist()
    (['alpha', 'alpha'], [1.0])
    """

    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, **columns: Any) -> Self:
        """Make a table from columns; a single value is repeated in every row.

        Raises
        ------
        ValueError
            If two columns have different lengths.
        """
        arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(column)) for column in columns.values()))
        return cls(dict(zip(columns, arrays, strict=True)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a CSV file; a column is of integers or floats if all its entries are.

        Raises
        ------
        ValueError
            If the file has no header or a row of another length: it is corrupt or truncated.
        """
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        if not rows or any(len(row) != len(rows[0]) for row in rows):
            raise ValueError(f"{path} is corrupt or truncated: its rows have different lengths; draw the figure anew")
        cells = np.array(rows[1:], dtype=str).reshape(-1, len(rows[0]))
        return cls({name: _parsed(column) for name, column in zip(rows[0], cells.T, strict=True)})

    def write(self, path: Path) -> None:
        """Write a CSV file: UTF-8, lines end in a line feed, floats with nine significant digits."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns)
            writer.writerows(zip(*(map(_formatted, column) for column in self.columns.values()), strict=True))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def where(self, **equal: Any) -> "Table":
        """Return the rows whose columns equal the given values."""
        kept = np.ones(len(self), dtype=bool)
        for name, value in equal.items():
            kept &= self[name] == value
        return Table({name: column[kept] for name, column in self.columns.items()})

    def different(self, name: str) -> list[Any]:
        """Return the different values of a column in the order of their first appearance."""
        return list(dict.fromkeys(self[name].tolist()))


def stacked(tables: Iterable[Table]) -> Table:
    """Return the rows of tables with the same columns, one below the other.

    Examples
    --------
    >>> stacked(Table.of(series=name, x=[1, 2]) for name in "ab")["series"].tolist()
    ['a', 'a', 'b', 'b']
    """
    parts = list(tables)
    return Table({name: np.concatenate([part[name] for part in parts]) for name in parts[0].columns})


def _formatted(value: Any) -> str:
    return f"{value:.{DIGITS}g}" if isinstance(value, (float, np.floating)) else str(value)


def _parsed(cells: NDArray[Any]) -> NDArray[Any]:
    for kind in (np.int64, np.float64):
        try:
            return cells.astype(kind)
        except ValueError:
            continue
    return cells
