"""All figures and tables by name."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from taciturn.solvers.array import check_choice

from . import (
    adaptive_compression_bits,
    adaptive_compression_bounds,
    adaptive_compression_complexity,
    adaptive_compression_efficiency,
    adaptive_compression_overhead,
    adaptive_compression_profile,
    adaptive_compression_technologies,
    adaptive_compression_workers,
    claims,
    event_horizon,
    event_mixing,
    event_networks,
    event_one_sided,
    event_raster,
    event_residual,
    event_savings,
    event_sparsified,
    event_tensors,
    event_tracking,
    event_workers,
    ratios_assignment,
    ratios_budget,
    ratios_convergence,
    ratios_labels,
    ratios_rate,
    ratios_savings,
    ratios_step_limits,
    ratios_time,
    ratios_traffic,
    staleness_accuracy,
    staleness_adaptive_steps,
    staleness_asynchronous,
    staleness_convergence,
    staleness_data,
    staleness_steps,
    staleness_stored,
    staleness_tau,
)
from .cache import Cache
from .setting import Progress, Setting

__all__ = ["Entry", "check", "draw", "figure", "names", "redraw"]


class Entry(Protocol):
    """What the registry holds: figures, and the table of claims."""

    @property
    def name(self) -> str:
        """Name of the files."""

    @property
    def title(self) -> str:
        """One line."""

    @property
    def caption(self) -> str:
        """What is seen."""

    @property
    def claim(self) -> str:
        """What it supports, or tests."""

    @property
    def theorems(self) -> tuple[str, ...]:
        """IDs of the theorems it shows."""

    @property
    def repeatable(self) -> bool:
        """Whether computing again gives the same numbers."""

    def draw(self, folder: Path, setting: Setting, progress: Progress) -> tuple[Path, ...]:
        """Compute and write all files."""

    def redraw(self, folder: Path) -> tuple[Path, ...]:
        """Write all files that follow from those with numbers."""


_ENTRIES: tuple[Entry, ...] = (
    adaptive_compression_profile.FIGURE,
    adaptive_compression_efficiency.FIGURE,
    adaptive_compression_bits.FIGURE,
    adaptive_compression_technologies.FIGURE,
    adaptive_compression_bounds.FIGURE,
    adaptive_compression_workers.FIGURE,
    adaptive_compression_overhead.FIGURE,
    adaptive_compression_complexity.FIGURE,
    staleness_data.FIGURE,
    staleness_convergence.FIGURE,
    staleness_tau.FIGURE,
    staleness_steps.FIGURE,
    staleness_accuracy.FIGURE,
    staleness_stored.FIGURE,
    staleness_adaptive_steps.FIGURE,
    staleness_asynchronous.FIGURE,
    event_raster.FIGURE,
    event_workers.FIGURE,
    event_networks.FIGURE,
    event_savings.FIGURE,
    event_sparsified.FIGURE,
    event_horizon.FIGURE,
    event_residual.FIGURE,
    event_tracking.FIGURE,
    event_tensors.FIGURE,
    event_mixing.FIGURE,
    event_one_sided.FIGURE,
    ratios_convergence.FIGURE,
    ratios_savings.FIGURE,
    ratios_assignment.FIGURE,
    ratios_traffic.FIGURE,
    ratios_time.FIGURE,
    ratios_labels.FIGURE,
    ratios_rate.FIGURE,
    ratios_budget.FIGURE,
    ratios_step_limits.FIGURE,
    claims.CLAIMS,
)


def names() -> tuple[str, ...]:
    """Return the names of all figures and tables, in the order of the papers.

    Examples
    --------
    >>> names()[0]
    'adaptive-compression-profile'
    """
    return tuple(entry.name for entry in _ENTRIES)


def figure(name: str) -> Entry:
    """Return a figure or table.

    Raises
    ------
    ValueError
        If there is none of that name; the message proposes the nearest.

    Examples
    --------
    >>> figure("adaptive-compression-profile").theorems[0]
    'alpha-profile'
    """
    check_choice(name, "figure", names())
    return next(entry for entry in _ENTRIES if entry.name == name)


def draw(
    name: str,
    output: Path,
    backend: str = "numpy",
    device: str = "cpu",
    budget: str = "quick",
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Compute a figure and write its files: CSV, PDF, PNG and SVG; of the claims CSV, JSON and Markdown.

    Parameters
    ----------
    name : str
        One of `names`.
    output : Path
        Folder of the files, made if it is not there. Runs that several figures share lie in its sub-folder `.cache`;
        they are kept until the code changes.
    backend, device, budget : str
        Where the runs are computed, and how many; see `Setting`.
    progress : callable, optional
        Called with the number of parts done and of all parts.

    Returns
    -------
    tuple of Path
        The files. They are replaced only when all of them are complete.

    Raises
    ------
    ValueError, ImportError
        If the name, backend, device or budget is unknown, or torch is missing.
    OSError
        If the folder cannot be written to; before any work.
    """
    entry = figure(name)
    setting = Setting(Cache(output / ".cache"), backend, device, budget)
    return _replace(output, lambda scratch: entry.draw(scratch, setting, progress or _silent))


def redraw(name: str, output: Path) -> tuple[Path, ...]:
    """Draw a figure again from the CSV file in the folder.

    Raises
    ------
    FileNotFoundError, ValueError
        If the CSV file is missing or corrupt.
    """
    entry = figure(name)
    return _replace(output, lambda scratch: _redrawn(entry, output, scratch))


def check(
    name: str,
    output: Path,
    backend: str = "numpy",
    device: str = "cpu",
    budget: str = "quick",
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Compute and draw a figure from scratch elsewhere, and compare with the files in the folder.

    What is not repeatable is drawn again from the numbers in the folder.

    Returns
    -------
    tuple of str
        Names of files that are missing or differ in a byte; empty if all agree.
    """
    with tempfile.TemporaryDirectory() as scratch:
        if figure(name).repeatable:
            fresh = draw(name, Path(scratch), backend, device, budget, progress)
        elif (output / f"{name}.csv").is_file():
            fresh = _redrawn(figure(name), output, Path(scratch))
        else:
            return (f"{name}.csv",)
        return tuple(path.name for path in fresh if not _same(path, output / path.name))


def _redrawn(entry: Entry, output: Path, scratch: Path) -> tuple[Path, ...]:
    """Draw in a scratch folder from the numbers in the output folder."""
    for numbers in output.glob(f"{entry.name}.*"):
        shutil.copy(numbers, scratch)
    return entry.redraw(scratch)


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _replace(output: Path, work: Callable[[Path], tuple[Path, ...]]) -> tuple[Path, ...]:
    """Let work write into a scratch folder and move its files to the output when all are there."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".drawing-") as scratch:
        written = work(Path(scratch))
        for path in written:
            os.replace(path, output / path.name)
    return tuple(output / path.name for path in written)


def _silent(done: int, total: int) -> None:
    del done, total
