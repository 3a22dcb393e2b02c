"""How all figures look: sizes, fonts, colours, and files that come out the same byte for byte.

Figures are `matplotlib.figure.Figure` objects without pyplot: no window, no current figure. The settings of matplotlib
hold inside `settings()` only.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

__all__ = [
    "BLACK",
    "BLUE",
    "COLOURS",
    "FORMATS",
    "GREEN",
    "GREY",
    "ONE_COLUMN",
    "ORANGE",
    "PURPLE",
    "SKY",
    "TWO_COLUMNS",
    "VERMILION",
    "canvas",
    "label_line",
    "lay_out",
    "legend_panel",
    "panel_letters",
    "save",
    "settings",
]

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0
"""Widths in inches of a column and of a page with two of them."""

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
BLACK, GREY = "#1A1A1A", "#8C8C8C"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
"""Okabe and Ito's colours, which remain distinct for colour-blind readers; in this order."""

FORMATS = ("pdf", "png", "svg")

# Dates and versions would make two runs differ.
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"Creator": "taciturn", "Producer": None, "CreationDate": None},
    "png": {"Software": "taciturn"},
    "svg": {"Creator": "taciturn", "Date": None},
}

_SETTINGS = {
    "font.family": "STIXGeneral",  # shipped with matplotlib, so the same everywhere
    "mathtext.fontset": "stix",
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.labelspacing": 0.3,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.which": "major",
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # real text in the PDF
    "svg.fonttype": "path",
    "svg.hashsalt": "taciturn",
}


def settings() -> AbstractContextManager[Any]:
    """Return a context in which matplotlib draws in this style; figures are made and saved in it."""
    return matplotlib.rc_context({**matplotlib.rcParamsDefault, "backend": "agg", **_SETTINGS})


def canvas(width: float, height: float, rows: int = 1, columns: int = 1, **subplots: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure of a size in inches, and its panels row by row.

    Examples
    --------
    >>> with settings():
    ...     figure, axes = canvas(ONE_COLUMN, 2.4, columns=2)
    >>> len(axes)
    2
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, columns, squeeze=False, **subplots).flat)


def panel_letters(axes: Iterable[Axes]) -> None:
    """Put a bold (a), (b), ... before the titles of panels."""
    for letter, axis in zip("abcdefghijkl", axes, strict=False):
        axis.set_title(rf"$\bf{{({letter})}}$ {axis.get_title()}", loc="left")
        axis.set_title("", loc="center")


def label_line(axis: Axes, x: float, y: float, text: str, colour: str, **placement: Any) -> None:
    """Write the name of a line beside it, in its colour, on a white ground so that no other line crosses it."""
    ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.2}
    axis.text(x, y, text, color=colour, **{"fontsize": 8.0, "bbox": ground, **placement})


def legend_panel(axis: Axes, groups: Iterable[tuple[Sequence[Artist], float, str, int]], **spacing: Any) -> None:
    """Fill the place of a panel with legends: handles, height of the top (1 is that of the panel), title, columns."""
    axis.set_axis_off()
    place: dict[str, Any] = {"loc": "upper left", "alignment": "left", "borderaxespad": 0.0, "title_fontsize": 8.0}
    for handles, height, title, columns in groups:
        anchor = (0, height)
        legend = axis.legend(handles=handles, bbox_to_anchor=anchor, title=title, ncols=columns, **place, **spacing)
        axis.add_artist(legend)


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, ...]:
    """Write a figure in every format; the bytes depend on the figure only."""
    lay_out(figure)
    paths = tuple(folder / f"{name}.{kind}" for kind in FORMATS)
    for path, kind in zip(paths, FORMATS, strict=True):
        figure.savefig(path, format=kind, metadata=_METADATA[kind])
    return paths


def lay_out(figure: Figure) -> None:
    """Lay a figure out once for all formats, and round where its panels stand.

    The solver of the layout orders its variables by their addresses, so the last bits of what it finds vary.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axis in figure.axes:
        x, y, width, height = (round(side, 9) for side in axis.get_position(original=True).bounds)
        axis.set_position((x, y, width, height), which="original")
