"""The best expected number of entries for SS."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.communication import AffineCost, Cost

from ..array import Array, to_numpy
from .optimum import Optimum, maximisers, prices
from .profile import prefix_sums, profile

__all__ = ["StochasticProfile", "best_expected_sparsity", "stochastic_profile"]


@dataclass(frozen=True)
class StochasticProfile:
    """omega(T), the certified decrease of SS with the optimal probabilities, for real T in (0, nonzeros].

    With m clipped entries the second moment is A_m + (|g|_1 - B_m)^2 / (T - m), and m entries are clipped from
    T = m + (|g|_1 - B_m)/b_m on (`ss-optimal-p`, `ss-omega-profile`; dossier, chapter 1, sections 3.2 and 3.3).

    Attributes
    ----------
    magnitudes : array, shape (nonzeros,)
        The magnitudes b_1 >= b_2 >= ..., divided by the scale.
    energy : array, shape (nonzeros + 1,)
        A_m for m = 0, 1, ...
    tail : array, shape (nonzeros,)
        |g|_1 - B_m for m = 0, 1, ...
    clipped_from : array, shape (nonzeros - 1,)
        Least T with m clipped entries, for m = 1, 2, ...
    scale : float
        As in `Profile`.
    """

    magnitudes: NDArray[np.float64]
    energy: NDArray[np.float64]
    tail: NDArray[np.float64]
    clipped_from: NDArray[np.float64]
    scale: float

    def __call__(self, T: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
        """Return omega(T)."""
        # At the start of a piece its left neighbour is used: the two agree there, and it has T > m for certain.
        m = np.searchsorted(self.clipped_from, T, side="left")
        second_moment = self.energy[m] + self.tail[m] ** 2 / (T - m)
        return np.asarray(self.energy[-1] / second_moment)


def stochastic_profile(gradient: Array) -> StochasticProfile:
    """Sort the magnitudes of a gradient and sum them up for SS.

    Parameters
    ----------
    gradient : Array, shape (d,)
        The gradient, not zero.

    Raises
    ------
    TypeError, ValueError
        As `profile`.

    Examples
    --------
    >>> stochastic_profile(np.array([3.0, -1.0, 0.0, 1.0]))(np.array([1.0, 2.0, 3.0]))
    array([0.44      , 0.84615385, 1.        ])
    """
    sums = profile(gradient)
    magnitudes = to_numpy(sums.magnitudes)
    n = int(np.count_nonzero(magnitudes))  # without those so small that their quotient by the scale vanishes
    magnitudes = magnitudes[:n]
    # Summed from the smallest up, the tails do not suffer from cancellation.
    tail = prefix_sums(magnitudes[::-1])[::-1]
    return StochasticProfile(
        magnitudes=magnitudes,
        energy=np.concatenate(([0.0], to_numpy(sums.energy)[:n])),
        tail=tail,
        clipped_from=np.arange(1, n) + tail[1:] / magnitudes[:-1],
        scale=sums.scale,
    )


def best_expected_sparsity(gradient: Array, cost: Cost) -> Optimum:
    """Return the best T of SS for a gradient that is not zero: real for an affine cost, else integer.

    Integer T belong to samples of fixed size (`systematic_sample`), whose price is not random. All of 1..nonzeros are
    tried then; an affine cost has the closed form `eff-ss-closed-form`.

    Raises
    ------
    ValueError
        If the gradient is zero, or the cost is not positive or below its minorant.

    Examples
    --------
    Without overhead the efficiency is constant as long as no entry is clipped:

    >>> best_expected_sparsity(np.array([4.0, -1.0, 2.0, 1.0]), AffineCost(c0=0, c1=1)).ties
    (0.0, 2.0)
    """
    omega = stochastic_profile(gradient)
    if isinstance(cost, AffineCost):
        largest = _stationary(omega, cost)
        smallest = 0.0 if cost.c0 == 0 else largest
        T = np.array([largest])
        decrease, price = omega(T), np.array([float(cost(largest))])
        first = last = 0
    else:
        T = np.arange(1, omega.magnitudes.size + 1)
        decrease, price = omega(T), prices(cost, T)
        first, last = maximisers(decrease / price)
        smallest, largest = int(T[first]), int(T[last])
    return Optimum(
        T=largest,
        ties=(smallest, largest),
        decrease=min(1.0, float(decrease[last])),
        cost=float(price[last]),
        squared_norm=float(omega.energy[-1]) * omega.scale * omega.scale,
        passes=1,
        evaluated=T.size,
    )


def _stationary(omega: StochasticProfile, cost: AffineCost) -> float:
    """The largest maximiser of omega(T) / (c0 + c1 T), `eff-ss-closed-form`.

    On the piece with m clipped entries the derivative has the sign of B^2 (c0 + c1 m) - c1 A u^2, where u = T - m,
    A = A_m and B = |g|_1 - B_m. For m = 0 it is not negative (A = 0), so the pieces m = 1, 2, ... are searched. It is
    continuous and falls, so on the first piece with a stationary point before its end, that point is not before its
    start either.
    """
    n = omega.magnitudes.size
    if cost.c1 == 0:
        return float(n)  # entries are free
    m = np.arange(1, n)
    A, B = omega.energy[1:n], omega.tail[1:]
    end = B / omega.magnitudes[1:]
    # The stationary point is at most the end: squared, and without a division by c1, which may be tiny.
    (reached,) = np.nonzero(B**2 * (cost.c0 + cost.c1 * m) <= cost.c1 * A * end**2)
    if not reached.size:
        return float(n)
    piece = reached[0]
    stationary = B[piece] * math.sqrt((cost.c0 / cost.c1 + m[piece]) / A[piece])
    return min(float(m[piece] + stationary), float(n))
