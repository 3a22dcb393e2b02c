"""Payloads: how many bits a message of T entries takes."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from taciturn.theory.checks import check_choice, check_count

from .entries import integer_entries

__all__ = [
    "FORMATS",
    "SCHEMES",
    "count_bits",
    "entry_bits",
    "header_bits",
    "index_bits",
    "payload_bits",
    "sampled_payload_bits",
]

SCHEMES = ("S", "S+Q", "SS")
"""Sparsification, sparsification with quantisation (scaled sign), stochastic sparsification."""

FORMATS = (*SCHEMES, "S-bitmap", "dense", "menu")
"""Formats of a message: that of each scheme, S with a bitmap for indices, all entries, the shortest of those three."""

_MODE_BITS = 2  # names the format of a message of the menu


def index_bits(d: int) -> int:
    """Return the bits of an index in 0..d-1, ceil(log2 d).

    Examples
    --------
    >>> index_bits(47236)
    16
    """
    d = check_count(d, "d")
    return (d - 1).bit_length()


def count_bits(d: int) -> int:
    """Return the bits of a number of entries in 0..d, ceil(log2(d + 1)).

    A receiver that is not told T by the packet's length field needs them once in every message.

    Examples
    --------
    >>> count_bits(7), count_bits(8)
    (3, 4)
    """
    d = check_count(d, "d")
    return d.bit_length()


def entry_bits(scheme: str, d: int, float_bits: int = 32) -> int:
    """Return the bits of one entry: its index with its value (S, SS) or with its sign (S+Q).

    Examples
    --------
    >>> entry_bits("S", 47236), entry_bits("S+Q", 47236)
    (48, 17)
    """
    check_choice(scheme, "scheme", SCHEMES)
    float_bits = check_count(float_bits, "float_bits")
    return index_bits(d) + (1 if scheme == "S+Q" else float_bits)


def header_bits(scheme: str, float_bits: int = 32) -> int:
    """Return the bits before the entries: the one magnitude of S+Q, nothing for S and SS.

    Examples
    --------
    >>> header_bits("S"), header_bits("S+Q")
    (0, 32)
    """
    check_choice(scheme, "scheme", SCHEMES)
    float_bits = check_count(float_bits, "float_bits")
    return float_bits if scheme == "S+Q" else 0


def payload_bits(scheme: str, T: ArrayLike, d: int, float_bits: int = 32) -> Any:
    """Return the bits of a message with T of d entries.

    Parameters
    ----------
    scheme : str
        A member of `FORMATS`. "menu" is the shortest of S, S-bitmap and dense, with two bits that say which.
    T : integer or array of integers
        Number of entries, 0..d; for SS the realised number.
    d : int
        Length of the gradient.
    float_bits : int
        Bits of a value.

    Returns
    -------
    int or array of int64, in bits

    Raises
    ------
    TypeError
        If T, d or float_bits is not integer.
    ValueError
        If the format is unknown, T outside 0..d, or d or float_bits less than 1.

    Notes
    -----
    Dossier, chapter 1, section 4.1. T itself is not encoded: see `count_bits`.

    Examples
    --------
    >>> payload_bits("S", 10, 47236), payload_bits("S+Q", 10, 47236)
    (480, 202)
    >>> payload_bits("menu", np.array([1, 500, 1000]), 1000)
    array([   44, 17002, 32002])
    """
    check_choice(scheme, "scheme", FORMATS)
    d, float_bits = check_count(d, "d"), check_count(float_bits, "float_bits")
    entries = integer_entries(T, "T", 0, d)
    if scheme == "menu":
        shortest = np.minimum(payload_bits("S", T, d, float_bits), payload_bits("S-bitmap", T, d, float_bits))
        bits = _MODE_BITS + np.minimum(shortest, d * float_bits)
    elif scheme == "dense":
        bits = np.full_like(entries, d * float_bits)
    elif scheme == "S-bitmap":
        bits = d + entries * float_bits
    else:
        bits = header_bits(scheme, float_bits) + entries * entry_bits(scheme, d, float_bits)
    return bits if np.ndim(T) else int(bits)


def sampled_payload_bits(N: ArrayLike, clipped: ArrayLike, d: int, float_bits: int = 32) -> Any:
    """Return the bits of an SS message that says once the magnitude all unclipped entries share.

    Parameters
    ----------
    N : integer or array of integers
        Number of entries sent, 0..d.
    clipped : integer or array of integers
        How many of them have probability one and keep their own value, 0..d.
    d, float_bits : int
        Length of the gradient, bits of a value.

    Returns
    -------
    int or array of int64, in bits

    Raises
    ------
    TypeError
        If an argument is not integer.
    ValueError
        If a number is out of range, or more entries are clipped than sent.

    Notes
    -----
    An unclipped entry g_j with its optimal probability abs(g_j)/t is sent as g_j/p_j, that is t or -t. Where nothing
    is clipped, the field that counts the clipped entries is left out. Dossier, chapter 1, section 3.8.

    Examples
    --------
    >>> sampled_payload_bits(10, 0, 47236), sampled_payload_bits(10, 2, 47236)
    (202, 280)
    """
    d, float_bits = check_count(d, "d"), check_count(float_bits, "float_bits")
    sent, exact = integer_entries(N, "N", 0, d), integer_entries(clipped, "clipped", 0, d)
    if np.any(exact > sent):
        raise ValueError("clipped exceeds N; accepted: 0..N")
    shared = float_bits + (sent - exact) * entry_bits("S+Q", d, float_bits)
    bits = shared + np.where(exact > 0, exact * entry_bits("S", d, float_bits) + count_bits(d), 0)
    return bits if np.ndim(bits) else int(bits)
