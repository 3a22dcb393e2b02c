"""Checks of scalar arguments: each raises at once, naming the argument, its value and the accepted range.

Checks of numbers return a plain ``int`` or ``float``, to compute with in place of the argument: NumPy's small integers
would wrap around.
"""

import difflib
import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

__all__ = ["check_choice", "check_count", "check_fraction", "check_non_negative", "check_positive"]


def _outside(value: Any, name: str, accepted: str) -> ValueError:
    return ValueError(f"{name} = {value} is outside the accepted range {accepted}")


def _real(value: Any, name: str) -> float:
    if isinstance(value, (bool, np.bool_, str, bytes)):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; a real number is needed")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; a real number is needed") from None
    except OverflowError:  # an integer or a fraction beyond double precision
        return math.inf if value > 0 else -math.inf


def check_count(value: Any, name: str, lowest: int = 1, highest: int | None = None) -> int:
    """Return an integer in lowest..highest as ``int``, or refuse what is none.

    Parameters
    ----------
    value : int
        The argument; NumPy integers are integers; booleans, floats and arrays are not.
    name : str
        What the caller calls it.
    lowest, highest : int
        The accepted range, both ends included; ``highest=None`` leaves it open.

    Raises
    ------
    TypeError
        If the value is not an integer.
    ValueError
        If it is outside the range.

    Examples
    --------
    >>> check_count(3, "k", highest=10)
    3
    >>> check_count(11, "k", highest=10)
    Traceback (most recent call last):
        ...
    ValueError: k = 11 is outside the accepted range 1..10
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; an integer is needed")
    count = int(value)
    if count < lowest or (highest is not None and count > highest):
        accepted = f"{lowest}, {lowest + 1}, ..." if highest is None else f"{lowest}..{highest}"
        raise _outside(count, name, accepted)
    return count


def check_positive(value: Any, name: str, highest: float = math.inf) -> float:
    """Return a finite real number in (0, highest] as ``float``, or refuse what is none.

    Raises
    ------
    TypeError
        If the value is not a real number.
    ValueError
        If it is outside the range, NaN or infinite.

    Examples
    --------
    >>> check_positive(0.5, "L")
    0.5
    >>> check_positive(-1.0, "L")
    Traceback (most recent call last):
        ...
    ValueError: L = -1.0 is outside the accepted range (0, inf)
    """
    number = _real(value, name)
    if not 0 < number <= highest or number == math.inf:
        raise _outside(number, name, "(0, inf)" if highest == math.inf else f"(0, {highest:g}]")
    return number


def check_non_negative(value: Any, name: str) -> float:
    """Return a finite real number in [0, inf) as ``float``, or refuse what is none.

    Raises
    ------
    TypeError
        If the value is not a real number.
    ValueError
        If it is negative, NaN or infinite.

    Examples
    --------
    >>> check_non_negative(0, "variance")
    0.0
    """
    number = _real(value, name)
    if not 0 <= number < math.inf:
        raise _outside(number, name, "[0, inf)")
    return number


def check_fraction(value: Any, name: str) -> float:
    """Return a real number in (0, 1] as ``float``, or refuse what is none.

    Raises
    ------
    TypeError
        If the value is not a real number.
    ValueError
        If it is outside (0, 1] or NaN.

    Examples
    --------
    >>> check_fraction(1, "delta")
    1.0
    """
    return check_positive(value, name, highest=1.0)


def check_choice(value: Any, name: str, choices: Sequence[str]) -> None:
    """Refuse a word that is not among the choices, and propose the nearest ones, whatever their case.

    Raises
    ------
    ValueError
        With the nearest valid words, or all of them where none is near.

    Examples
    --------
    >>> check_choice("maxx", "norm", ("max", "two"))
    Traceback (most recent call last):
        ...
    ValueError: norm = 'maxx' is unknown; did you mean 'max'? Accepted: 'max', 'two'
    """
    if value in choices:
        return
    lowered = {choice.lower(): choice for choice in choices}
    near = [lowered[word] for word in difflib.get_close_matches(str(value).lower(), lowered, n=3, cutoff=0.5)]
    proposal = f"; did you mean {' or '.join(map(repr, near))}?" if near else "."
    raise ValueError(f"{name} = {value!r} is unknown{proposal} Accepted: {', '.join(map(repr, choices))}")
