"""The table of exact constants, measured: the worst vector that a search finds against the constant that is stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.theory import theorem
from taciturn.theory.checks import check_count

from .attacks.compression.constants import CONSTANTS, Constant, evaluated
from .attacks.fields import Entries
from .vector_search import worst_vector

__all__ = ["DIMENSIONS", "Row", "constants_table"]

DIMENSIONS = (1, 2, 3, 10, 100, 1000, 10_000)

_STARTS = 50


@dataclass(frozen=True)
class Row:
    """One compressor in one dimension.

    Parameters
    ----------
    theorem
        ID of the statement.
    d
        Dimension.
    parameters
        Of the compressor.
    constant
        What the statement says.
    share
        Largest measured / stated for a supremum, stated / measured for an infimum.
    exact
        Whether the statement calls its constant exact here: then the share is 1; else it is at most 1.
    """

    theorem: str
    d: int
    parameters: Mapping[str, Any]
    constant: float
    share: float
    exact: bool


def constants_table(dimensions: Sequence[int] = DIMENSIONS, steps: int = 10, seed: int = 0) -> tuple[Row, ...]:
    """Search for the worst vector of every compressor of the table.

    Parameters
    ----------
    dimensions : sequence of int
        Dimensions d.
    steps : int
        Steps of every search, with 64 changed vectors each. It starts from the vector that attains the constant by the
        proof, and from structured and random ones.
    seed : int
        Of the vectors.

    Returns
    -------
    tuple of Row
        A few settings of each compressor in each dimension. Moments are exact expectations at every vector.

    Raises
    ------
    ValueError
        If a dimension is below 1, or steps below 0.

    Notes
    -----
    Source: dossier chapter 2, section 1.2.

    Examples
    --------
    >>> rows = constants_table([10], steps=1)
    >>> [(row.parameters, round(row.share, 9), row.exact) for row in rows if row.theorem == "urq-qsgd-2"]
    [({'levels': 1}, 1.0, True), ({'levels': 2}, 0.9..., False), ({'levels': 5}, ..., False)]
    """
    for d in dimensions:
        check_count(d, "d")
    return tuple(
        row for id, constant in CONSTANTS.items() for d in dimensions for row in _rows(id, constant, d, steps, seed)
    )


def _rows(id: str, constant: Constant, d: int, steps: int, seed: int) -> Iterator[Row]:
    statement, ordinary = theorem(id), Entries().draw(_STARTS, d, np.random.default_rng(seed))
    for parameters in constant.settings(d):

        def batch(m: int, parameters: Mapping[str, Any] = parameters) -> dict[str, NDArray[Any]]:
            return {name: np.broadcast_to(value, (m, *np.shape(value))) for name, value in parameters.items()}

        def share(v: NDArray[Any]) -> NDArray[Any]:
            return np.asarray(constant.share(statement, v, batch(len(v))))

        starts = np.concatenate([np.atleast_2d(constant.extremal(d, **batch(1))), ordinary])
        worst = worst_vector(share, starts, steps, seed)
        yield Row(
            id,
            d,
            parameters,
            float(np.ravel(evaluated(statement, d, batch(1)))[0]),
            float(share(worst[None])[0]),
            bool(np.all(constant.exact(d, **batch(1)))),
        )
