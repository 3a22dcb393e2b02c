"""Stretches: the profile of a long gradient on some consecutive ranks, without sorting the rest."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import passes
from ..array import Array, array_namespace, check_gradient, to_numpy
from .profile import prefix_sums

__all__ = ["Stretch", "largest_magnitude", "stretch_between"]


@dataclass(frozen=True)
class Stretch:
    """Exact sums over the T largest magnitudes, for T = start, start + 1, ..., stop.

    Attributes
    ----------
    start : int
        Entries above the stretch.
    magnitudes : array, shape (stop - start,)
        Those of the ranks start + 1, ..., stop, decreasing, divided by the scale.
    energy : array, shape (stop - start + 1,)
        A_T / scale^2.
    total : float
        Energy of the whole gradient, |g|^2 / scale^2.
    nonzeros : int
        Entries of the stretch that are not zero, also where their quotient by the scale is.
    mass : array, shape (stop - start + 1,), or None
        B_T / scale, where it was asked for.
    """

    start: int
    magnitudes: NDArray[np.float64]
    energy: NDArray[np.float64]
    total: float
    nonzeros: int
    mass: NDArray[np.float64] | None = None

    @property
    def stop(self) -> int:
        """The last T."""
        return self.start + self.magnitudes.size


def largest_magnitude(gradient: Array) -> float:
    """Return the largest magnitude of a vector, which is checked on the way.

    Raises
    ------
    TypeError, ValueError
        As `check_gradient`.

    Examples
    --------
    >>> largest_magnitude(np.array([1.0, -2.0]))
    2.0
    """
    xp = array_namespace(gradient)
    largest = [float(xp.max(chunk)) for _, chunk in passes.magnitude_chunks(gradient)]
    if not all(map(math.isfinite, largest)):
        check_gradient(gradient)
    return max(largest)


def stretch_between(gradient: Array, low: float, high: float, scale: float = 1.0, with_mass: bool = False) -> Stretch:
    """Return the stretch of the entries with low <= magnitude <= high, in one pass over a vector.

    Only these are kept and sorted. Of the entries above, the number and the sums are kept.

    Examples
    --------
    >>> stretch = stretch_between(np.array([1.0, -4.0, 0.0, 2.0, -2.0]), low=1.5, high=3.0)
    >>> stretch.start, stretch.magnitudes, stretch.energy, stretch.total
    (1, array([2., 2.]), array([16., 20., 24.]), 25.0)
    """
    xp = array_namespace(gradient)
    start, energy, mass, total = 0, 0.0, 0.0, 0.0
    inside: list[Any] = []
    for _, chunk in passes.magnitude_chunks(gradient):
        scaled = xp.astype(chunk, xp.float64, copy=False)
        if scale != 1.0:
            scaled = scaled / scale
        total += float(xp.vecdot(scaled, scaled))
        wanted = chunk >= low
        if high < math.inf:
            above = chunk > high
            wanted = wanted & ~above
            start += int(xp.count_nonzero(above))
            # Multiplied by the mask, a chunk is summed much faster than its marked entries are collected.
            scaled = scaled * xp.astype(above, xp.float64)
            energy += float(xp.vecdot(scaled, scaled))
            if with_mass:
                mass += float(xp.sum(scaled))
        (positions,) = xp.nonzero(wanted)
        inside.append(xp.take(chunk, positions))
    ascending = to_numpy(xp.sort(xp.concat(inside), stable=False))
    magnitudes = ascending[::-1].astype(np.float64) / scale
    masses = _sums(mass, magnitudes) if with_mass else None
    return Stretch(start, magnitudes, _sums(energy, magnitudes**2), total, int(np.count_nonzero(ascending)), masses)


def _sums(before: float, terms: NDArray[np.float64]) -> NDArray[np.float64]:
    return before + np.concatenate(([0.0], prefix_sums(terms)))
