"""Windows that senders write to and receivers read when they like: what may go wrong (dossier 4.1.6, 4.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..array import check_choice, check_count, check_non_negative

__all__ = ["Windows", "rounded_indices"]

STARTS = ("true", "zeros", "random")


@dataclass(frozen=True)
class Windows:
    """In what one-sided windows differ from exact links; by default in nothing.

    Time is counted in ticks: in each of them every worker may take one iteration of its own. The numbers D5 to D11 are
    those of the deviations of the reference program.

    Parameters
    ----------
    start : {"true", "zeros", "random"}
        What copies are before the first message: the parameters of their sender, zeros (D5), or models of random
        entries, other ones at every receiver and in the record of the sender (D8).
    deviation : float
        Standard deviation of those entries.
    seed : int
        Of those entries.
    lateness : tuple of float
        Probabilities that a put has arrived after 0, 1, 2, ... ticks, independently for every tensor and link (D6).
    in_order : bool
        Whether the puts of a tensor on a link arrive in the order in which they were made.
    dropped : float
        Probability that a put never arrives.
    torn : float
        Probability that a read in the tick in which a put arrives sees only its first entries; the rest is there in
        the next tick (D6).
    paces : tuple of float, optional
        For every worker the probability that it acts in a tick; default 1 (D7).
    stops : tuple of int, optional
        For every worker the iterations after which it is silent; default never (D7).
    overwritable : bool
        Whether a put takes the place of one that has not been read (D9); else it is kept beside it.
    zero_pairs : bool
        Whether sparse windows hold the value 0.0 for entry 0 of every tensor before the first message (D10).
    index_precision : int, optional
        Significant bits that are left of the indices of sparse messages: 24 in float32 (D11); default all.

    Raises
    ------
    ValueError, TypeError
        If a number is out of range.

    Notes
    -----
    Source: dossier 4.1.6 and 4.8.

    Examples
    --------
    >>> Windows.reference_program(lateness=(0.5, 0.5), sparse=True).start
    'random'
    """

    start: str = "true"
    deviation: float = 0.0
    seed: int = 0
    lateness: tuple[float, ...] = (1.0,)
    in_order: bool = True
    dropped: float = 0.0
    torn: float = 0.0
    paces: tuple[float, ...] | None = None
    stops: tuple[int, ...] | None = None
    overwritable: bool = False
    zero_pairs: bool = False
    index_precision: int | None = None

    def __post_init__(self) -> None:
        check_choice(self.start, "start", STARTS)
        check_non_negative(self.deviation, "deviation")
        check_count(self.seed, "seed", lowest=0)
        for name in ("dropped", "torn"):
            _check_probability(getattr(self, name), name)
        for name in ("lateness", "paces"):
            for value in getattr(self, name) or ():
                _check_probability(value, f"entry of {name}")
        if abs(sum(self.lateness) - 1) > 1e-9:
            raise ValueError(f"lateness sums to {sum(self.lateness)}; accepted: probabilities that sum to 1")
        for stop in self.stops or ():
            check_count(stop, "entry of stops", lowest=0)
        if self.index_precision is not None:
            check_count(self.index_precision, "index_precision")

    @classmethod
    def reference_program(cls, *, sparse: bool, **intensities: Any) -> Self:
        """Return the windows of the reference program; how late, torn and uneven they are, the machine decides.

        Parameters
        ----------
        sparse : bool
            Whether messages are sparse: then copies start as random models, and indices are float32.
        **intensities
            `lateness`, `torn`, `paces`, `stops`, and `deviation` of the random models.
        """
        if sparse:
            return cls(start="random", overwritable=True, zero_pairs=True, index_precision=24, **intensities)
        return cls(start="zeros", overwritable=True, **intensities)


def _check_probability(value: Any, name: str) -> None:
    if check_non_negative(value, name) > 1:
        raise ValueError(f"{name} = {value} is outside the accepted range [0, 1]")


def rounded_indices(indices: NDArray[np.int64], precision: int) -> NDArray[np.int64]:
    """Return indices as they come out of floats of a precision, rounded half to even.

    Examples
    --------
    >>> rounded_indices(np.array([2**24, 2**24 + 1, 2**24 + 3]), 24) - 2**24
    array([0, 0, 4])
    """
    mantissa, exponent = np.frexp(indices.astype(np.float64))
    rounded = np.ldexp(np.round(np.ldexp(mantissa, precision)), exponent - precision)
    return np.asarray(rounded, dtype=np.int64)
