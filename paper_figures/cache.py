"""Results of long computations, kept in a folder so that figures share them."""

import functools
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Cache", "code_version"]

Arrays = Mapping[str, NDArray[Any]]
"""A result: arrays by name."""


@dataclass(frozen=True)
class Cache:
    """Named arrays in files, found by a digest of what they were computed from and of the code that did it.

    Parameters
    ----------
    folder : Path
        Where the files lie; made when the first result is kept.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = Cache(Path(folder))
    ...     first = cache.get(lambda: {"square": np.array(9)}, x=3)
    ...     again = cache.get(lambda: {}, x=3)
    >>> int(again["square"])
    9
    """

    folder: Path

    def get(self, compute: Callable[[], Arrays], **inputs: Any) -> Arrays:
        """Return the result for the inputs, from the folder if it is there, else computed and kept.

        Parameters
        ----------
        compute : callable
            Computes the result.
        **inputs
            Everything it depends on; values with a `repr` that says all (numbers, strings, frozen dataclasses of them).

        Raises
        ------
        TypeError
            If a `repr` is that of an object's address, or abridged: it would not identify the input.
        """
        path = self.folder / f"{_digest(inputs)}.npz"
        try:
            with path.open("rb") as file, np.load(file) as archive:
                return dict(archive)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            pass  # not there, or cut off when it was written
        result = compute()
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as part:
            np.savez(part, allow_pickle=False, **dict(result))
        os.replace(part.name, path)
        return result


def _digest(inputs: Mapping[str, Any]) -> str:
    words = repr(sorted(inputs.items()))
    if " at 0x" in words or "..." in words:
        raise TypeError(f"inputs {words} do not identify a result; accepted: values whose repr says all")
    return hashlib.sha256(f"{code_version()} {words}".encode()).hexdigest()[:32]


@functools.cache
def code_version() -> str:
    """Return a digest of the source of the rooms that results come from, and of the versions of NumPy and SciPy."""
    digest = hashlib.sha256(f"numpy {version('numpy')} scipy {version('scipy')}".encode())
    for room in ("theory", "solvers", "paper_figures"):
        for folder in import_module(f"taciturn.{room}").__path__:
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(path.read_bytes())
    return digest.hexdigest()
