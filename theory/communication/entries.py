"""Numbers of entries as arrays, checked."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["integer_entries", "real_entries"]


def integer_entries(T: ArrayLike, name: str, lowest: int, highest: int) -> NDArray[np.int64]:
    """Return T as an array of int64, refusing what is not an integer in lowest..highest.

    Raises
    ------
    TypeError
        If the type is not integer.
    ValueError
        With the first number out of range.

    Examples
    --------
    >>> integer_entries([2, 9], "T", 0, 5)
    Traceback (most recent call last):
        ...
    ValueError: T = 9 is outside the accepted range 0..5
    """
    entries = np.asarray(T)
    if not np.issubdtype(entries.dtype, np.integer):
        raise TypeError(f"{name} has the type {entries.dtype}; an integer or an array of integers is needed")
    refused = entries[(entries < lowest) | (entries > highest)]
    if refused.size:
        raise ValueError(f"{name} = {refused[0]} is outside the accepted range {lowest}..{highest}")
    return entries.astype(np.int64)


def real_entries(T: ArrayLike, name: str = "T") -> Any:
    """Return T in double precision, a scalar for a scalar, refusing what is negative or not finite.

    Raises
    ------
    ValueError
        With the first number out of range.

    Examples
    --------
    >>> real_entries(-1)
    Traceback (most recent call last):
        ...
    ValueError: T = -1.0 is outside the accepted range [0, inf)
    """
    entries = np.asarray(T, dtype=np.float64)
    # Written so that NaN, which compares false, is refused.
    refused = entries[~((entries >= 0) & (entries < np.inf))]
    if refused.size:
        raise ValueError(f"{name} = {refused[0]} is outside the accepted range [0, inf)")
    return entries[()]
