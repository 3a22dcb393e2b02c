"""Numbers that are known within limits: brackets, which hold for certain, and estimates, which do not."""

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bracket", "Estimate"]


@dataclass(frozen=True)
class Bracket:
    """A number that lies between two others for certain; a theorem takes the one on its safe side.

    Parameters
    ----------
    lower, upper : float
        lower <= the number <= upper; equal if it is known.

    Raises
    ------
    ValueError
        If the limits are in the wrong order, or NaN.

    Examples
    --------
    >>> Bracket(2.0, 3.5).contains(3.0), Bracket(2.0, 2.0).is_exact
    (True, True)
    """

    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise ValueError(f"lower = {self.lower} and upper = {self.upper}; accepted: lower <= upper")

    @property
    def is_exact(self) -> bool:
        """Whether the limits agree."""
        return self.lower == self.upper

    def contains(self, value: float, tolerance: float = 0.0) -> bool:
        """Say whether a value lies between the limits, up to a relative tolerance."""
        return bool(self.lower * (1 - tolerance) <= value <= self.upper * (1 + tolerance))


@dataclass(frozen=True, eq=False)
class Estimate:
    """A random guess of a number, not a bound: nothing that takes a number takes an estimate.

    Parameters
    ----------
    value : float or numpy.ndarray
        The guess; ask for it by name to draw it or print it.
    relative_deviation : float
        Bound of its standard deviation, in units of the number.

    Examples
    --------
    >>> float(Estimate(12.0, 0.1))
    Traceback (most recent call last):
        ...
    TypeError: an estimate is not a bound; a theorem needs a bracket's limit (the guess itself is `value`)
    """

    value: float | NDArray[np.float64]
    relative_deviation: float

    def __float__(self) -> float:
        self._refuse()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise TypeError("an estimate is not a bound; a theorem needs a bracket's limit (the guess itself is `value`)")
