"""What one-sided windows have done to messages so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Counts"]

_SUMMED = ("puts", "overwritten", "torn", "reads", "ages")


@dataclass(frozen=True, eq=False)
class Counts:
    """Numbers for every tensor, shape (B,), of all links together.

    The constants of `latency-staleness` and `torn-copies` are among them: c, l and m as they were in the run.

    Parameters
    ----------
    puts, overwritten, torn, reads : numpy.ndarray of int
        Puts; those that a later one replaced before they were read; torn reads; reads.
    ages, oldest : numpy.ndarray of int
        Sum over all reads, and largest, of the ticks since what was read was put.
    lag : numpy.ndarray of int
        Most ticks by which a copy was behind the record of its sender when it was mixed: l.
    threshold : numpy.ndarray
        Largest distance of parameters from the record of what was sent, after the trigger: c, whatever the trigger.
    movement : numpy.ndarray
        Largest movement in a tick: m.
    error, conflict : numpy.ndarray
        Largest distance of a copy, when it was mixed, from the parameters and from the record of its sender.

    Examples
    --------
    >>> counts = Counts.none(1).after(reads=np.array([[True], [True]]), ages=np.array([[4], [2]]))
    >>> counts.mean_age
    3.0
    """

    puts: NDArray[np.int64]
    overwritten: NDArray[np.int64]
    torn: NDArray[np.int64]
    reads: NDArray[np.int64]
    ages: NDArray[np.int64]
    oldest: NDArray[np.int64]
    lag: NDArray[np.int64]
    threshold: NDArray[np.float64]
    movement: NDArray[np.float64]
    error: NDArray[np.float64]
    conflict: NDArray[np.float64]

    @classmethod
    def none(cls, tensors: int) -> Self:
        """Return the counts of nothing, for B tensors."""
        whole, real = np.zeros(tensors, dtype=np.int64), np.zeros(tensors)
        return cls(whole, whole, whole, whole, whole, whole, whole, real, real, real, real)

    def after(self, **more: NDArray[Any]) -> Self:
        """Return the counts with those of a tick, shape (..., B): sums of what is counted, maxima of the rest."""
        return replace(
            self,
            **{
                name: getattr(self, name) + values.sum(axis=0)
                if name in _SUMMED
                else np.maximum(getattr(self, name), values.max(axis=0, initial=0))
                for name, values in more.items()
            },
        )

    @property
    def mean_age(self) -> float:
        """Ticks since what was read was put, on average; 0 without reads."""
        return float(self.ages.sum() / max(self.reads.sum(), 1))
