"""Maximisers of decrease / cost over given T, with ties."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.communication import Cost

__all__ = ["TIE_TOLERANCE", "Optimum", "maximisers", "prices"]

TIE_TOLERANCE = 1e-12
"""Relative difference up to which two efficiencies count as equal: above rounding errors, below anything of use."""


@dataclass(frozen=True)
class Optimum:
    """A maximiser of decrease / cost.

    Attributes
    ----------
    T : int or float
        The largest maximiser.
    ties : tuple of two numbers
        The smallest and the largest maximiser.
    decrease : float
        Certified decrease at T, in units of |g|^2/(2L).
    cost : float
        Price at T.
    squared_norm : float
        |g|^2.
    passes : int
        How often the gradient was read.
    evaluated : int
        How many T were tried.
    """

    T: int | float
    ties: tuple[int | float, int | float]
    decrease: float
    cost: float
    squared_norm: float
    passes: int
    evaluated: int


def maximisers(efficiency: NDArray[np.float64]) -> tuple[int, int]:
    """Return the positions of the first and the last maximum, to within `TIE_TOLERANCE`.

    Examples
    --------
    >>> maximisers(np.array([1.0, 3.0, 2.0, 3.0, 1.0]))
    (1, 3)
    """
    (positions,) = np.nonzero(efficiency >= (1 - TIE_TOLERANCE) * np.max(efficiency))
    return int(positions[0]), int(positions[-1])


def prices(cost: Cost, T: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the prices of T entries, refusing a cost that breaks its promises.

    Raises
    ------
    ValueError
        If a price is not positive and finite, or below the affine minorant.

    Examples
    --------
    >>> from taciturn.theory.communication import AffineCost
    >>> prices(AffineCost(c0=64, c1=48), np.array([1, 10]))
    array([112., 544.])
    """
    values = np.broadcast_to(np.asarray(cost(T), dtype=np.float64), T.shape)
    c0, c1 = cost.affine_minorant()
    if not (c1 >= 0 and c0 + c1 > 0):
        raise ValueError(f"the affine minorant ({c0}, {c1}) of the cost is not positive for T >= 1")
    (refused,) = np.nonzero(~((values > 0) & (values < np.inf) & (values >= (1 - TIE_TOLERANCE) * (c0 + c1 * T))))
    if refused.size:
        T0, value = T[refused[0]], values[refused[0]]
        raise ValueError(f"cost({T0}) = {value}; accepted: a finite price of at least {c0 + c1 * T0}, and above 0")
    return values
