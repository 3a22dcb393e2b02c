"""Attacks on the bits of a message: an entropy code, and how little a message of few bits can say (dossier 2.1.4)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import special

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance, as_record
from ..fields import Array, Entries, Integers
from ..functions import square
from ..measures import quotient
from .constants import evaluated

__all__ = ["FAMILIES", "expected_gamma_bits", "gamma_bits"]


def gamma_bits(number: Array) -> Array:
    """Return the length 2 floor(log2 m) + 1 of the Elias-gamma code of integers m >= 1.

    Examples
    --------
    >>> gamma_bits([1, 2, 3, 4]).tolist()
    [1, 3, 3, 5]
    """
    return 2 * np.frexp(np.asarray(number, dtype=float))[1].astype(np.int64) - 1


def expected_gamma_bits(v: Array, levels: Array, float_bits: Array) -> Array:
    """Return the exact expected length (m,) of the gamma-coded QSGD messages of vectors v (m, d) that are not zero.

    The code is the norm; the number of non-zero levels plus one; and for each of them the gap to the one before, the
    sign, and the level. Entries are rounded independently, so the distributions of counts and gaps follow entry by
    entry.

    Examples
    --------
    >>> expected_gamma_bits(np.array([[1.0, 0.0]]), np.array([1]), np.array([32])).tolist()  # 32, then 2, 1, sign, 1
    [38.0]
    """
    m, d = v.shape
    u = levels[:, None] * np.abs(v) / np.sqrt(square(v))[:, None]
    lower = np.floor(u)
    up = u - lower
    entry = np.where(lower > 0, (1 - up) * (1 + gamma_bits(np.maximum(lower, 1))), 0.0) + up * (
        1 + gamma_bits(lower + 1)
    )
    nonzero = np.where(lower > 0, 1.0, up)
    places = np.arange(1, d + 2)
    count = (places == 1) * np.ones((m, 1))  # of the number of non-zeros, plus one
    gap = (places == 1) * np.ones((m, 1))  # of the distance to the non-zero before, or to the start
    expected = float_bits + np.sum(entry, axis=1)
    for p in nonzero.T[..., None]:
        expected = expected + p[:, 0] * (gap @ gamma_bits(places))
        gap = np.concatenate([p, (1 - p) * gap[:, :-1]], axis=1)
        count = (1 - p) * count + p * np.concatenate([np.zeros((m, 1)), count[:, :-1]], axis=1)
    return expected + count @ gamma_bits(places)


def _gamma_coded(theorem: Theorem, batch: Batch) -> Array:
    v, levels, float_bits = batch["gradient"], batch["levels"], batch["float_bits"]
    bits = expected_gamma_bits(v, levels, float_bits)
    return np.where(square(v) > 0, quotient(bits, evaluated(theorem, v.shape[1], batch)), np.nan)


def _packed(theorem: Theorem, batch: Batch) -> Array:
    """Cut every coordinate of the unit ball into intervals, and send the number of the cell.

    A coordinate of a uniform point has a density proportional to (1 - t^2)^((d-1)/2); the best message for a cell is
    its centre of mass.
    """
    x, d = batch["cuts"], batch["cuts"].shape[-1]
    ends = np.ones_like(x[:, :1])
    edges = np.concatenate([-ends, np.sort(x / np.sqrt(1 + x**2), axis=1), ends], axis=1)
    below = np.sign(edges) * special.betainc(0.5, (d + 1) / 2, edges**2) / 2
    density = special.gamma(d / 2 + 1) / (np.sqrt(np.pi) * special.gamma((d + 1) / 2))
    masses = np.diff(below, axis=1)
    moments = np.diff(-density / (d + 1) * (1 - edges**2) ** ((d + 1) / 2), axis=1)
    cells = np.count_nonzero(masses > 0, axis=1)
    explained = np.sum(np.where(masses > 0, quotient(moments**2, masses), 0.0), axis=1)
    error = 1 - (d + 2) * np.mean(explained, axis=1)  # the mean square of a coordinate is 1/(d + 2)
    least = evaluated(theorem, d, {"message_bits": np.sum(np.log2(cells), axis=1)})
    return quotient(least, error)


def _flat_and_sparse() -> Iterator[Instance]:
    for d in (1, 4, 16, 64):
        for levels in (1, 2, 5):
            for gradient in (np.ones(d), np.arange(d) == 0):
                yield as_record({"gradient": gradient * 1.0, "levels": levels, "float_bits": 32})


def _quarters() -> Iterator[Instance]:
    """Yield cuts at -1/2, 0, 1/2: of the interval [-1, 1], the best there are."""
    for d in (1, 2, 5):
        yield as_record({"cuts": np.outer([-1 / np.sqrt(3), 0.0, 1 / np.sqrt(3)], np.ones(d))})


FAMILIES = {
    "bits-qsgd-gamma": Family(
        {"gradient": Entries(), "levels": Integers(1, 6), "float_bits": Integers(16, 64)},
        _gamma_coded,
        "expected bits / the bound",
        _flat_and_sparse,
        (1, 4, 16, 64),
    ),
    "bits-packing": Family(
        {"cuts": Entries(rows=(3,), zero=True)},
        _packed,
        "least / true mean error of a code of cells in the unit ball",
        _quarters,
        (1, 2, 5),
    ),
}
