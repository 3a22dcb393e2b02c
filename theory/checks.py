"""Checks of scalar arguments: each raises at once, naming the argument, its value and the accepted range."""

import difflib
import math
import operator
from collections.abc import Sequence
from typing import Any

__all__ = ["check_choice", "check_count", "check_fraction", "check_non_negative", "check_positive"]


def _outside(value: Any, name: str, accepted: str) -> ValueError:
    return ValueError(f"{name} = {value} is outside the accepted range {accepted}")


def _real(value: Any, name: str) -> float:
    if isinstance(value, (bool, str)):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; a real number is needed")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; a real number is needed") from None


def check_count(value: Any, name: str, lowest: int = 1, highest: int | None = None) -> None:
    """Refuse what is not an integer in lowest..highest.

    Parameters
    ----------
    value : int
        The argument; numpy integers are integers, booleans and floats are not.
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
    >>> check_count(11, "k", highest=10)
    Traceback (most recent call last):
        ...
    ValueError: k = 11 is outside the accepted range 1..10
    """
    try:
        count = operator.index(value)
    except TypeError:
        count = None
    if count is None or isinstance(value, bool):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; an integer is needed")
    if count < lowest or (highest is not None and count > highest):
        accepted = f"{lowest}, {lowest + 1}, ..." if highest is None else f"{lowest}..{highest}"
        raise _outside(count, name, accepted)


def check_positive(value: Any, name: str, highest: float = math.inf) -> None:
    """Refuse what is not a finite real number in (0, highest].

    Raises
    ------
    TypeError
        If the value is not a real number.
    ValueError
        If it is outside the range, NaN or infinite.

    Examples
    --------
    >>> check_positive(0.5, "L")
    >>> check_positive(-1.0, "L")
    Traceback (most recent call last):
        ...
    ValueError: L = -1.0 is outside the accepted range (0, inf)
    """
    number = _real(value, name)
    if not 0 < number <= highest or number == math.inf:
        raise _outside(number, name, "(0, inf)" if highest == math.inf else f"(0, {highest:g}]")


def check_non_negative(value: Any, name: str) -> None:
    """Refuse what is not a finite real number in [0, inf).

    Raises
    ------
    TypeError
        If the value is not a real number.
    ValueError
        If it is negative, NaN or infinite.

    Examples
    --------
    >>> check_non_negative(0, "variance")
    """
    number = _real(value, name)
    if not 0 <= number < math.inf:
        raise _outside(number, name, "[0, inf)")


def check_fraction(value: Any, name: str) -> None:
    """Refuse what is not a real number in (0, 1].

    Raises
    ------
    TypeError
        If the value is not a real number.
    ValueError
        If it is outside (0, 1] or NaN.

    Examples
    --------
    >>> check_fraction(1, "delta")
    """
    check_positive(value, name, highest=1.0)


def check_choice(value: Any, name: str, choices: Sequence[str]) -> None:
    """Refuse a word that is not among the choices, and propose the nearest ones.

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
    near = difflib.get_close_matches(str(value), choices, n=3, cutoff=0.5)
    proposal = f"; did you mean {' or '.join(map(repr, near))}?" if near else "."
    raise ValueError(f"{name} = {value!r} is unknown{proposal} Accepted: {', '.join(map(repr, choices))}")
