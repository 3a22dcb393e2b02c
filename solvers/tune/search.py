"""The best number of entries for S and S+Q at any price, without sorting a long gradient."""

import math

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.communication import Cost

from .. import passes
from ..array import Array, to_numpy
from .optimum import TIE_TOLERANCE, Optimum, maximisers, prices
from .profile import safe_scale
from .stretch import Stretch, largest_magnitude, stretch_between

__all__ = ["best_sparsity"]

_FIRST_MARGIN = 4.0  # standard deviations of the rank of a sampled entry
_FEW = 64  # one in so many entries is cheap to sort


def best_sparsity(gradient: Array, cost: Cost, scheme: str) -> Optimum:
    """Return the best T of S or S+Q for a gradient that is not zero.

    The cost is at least c0 + c1 T and the decrease of both schemes at most alpha(T), so their efficiency is at most
    U(T) = alpha(T) / (c0 + c1 T), which is quasi-concave (`eff-affine`). Hence, once a value of the efficiency is
    known, a better one can lie only in the interval where U reaches this value (`eff-safe-stop`, in both directions).

    A sample guesses the interval. One pass collects the entries of these ranks; only they are sorted, and all their T
    are tried. The exact values of U at the ends say whether the interval was left. If not, the guess is repeated from
    an end, whose energy is now known exactly, with a wider margin, until at last it is the whole gradient.

    Raises
    ------
    ValueError
        If the gradient is zero, or the cost is not positive or below its minorant.

    Examples
    --------
    >>> from taciturn.theory.communication import AffineCost
    >>> best_sparsity(np.array([3.0, -1.0, 2.0, 1.0]), AffineCost(c0=2, c1=1), "S").T
    2
    """
    d = gradient.shape[0]
    largest = largest_magnitude(gradient)
    if largest == 0:
        raise ValueError("gradient is zero: nothing is worth its price; a method stops before")
    scale = safe_scale(largest)
    sample = to_numpy(passes.sample_magnitudes(gradient, passes.sample_size(d)))[::-1].astype(np.float64) / scale
    c0, c1 = cost.affine_minorant()
    known, margin, readings, evaluated = (0, 0.0, 0.0), _FIRST_MARGIN, 1, 0
    while True:
        low, high = _levels(sample, d, cost, scheme, known, margin)
        stretch = stretch_between(gradient, low * scale, high * scale, scale, with_mass=scheme == "S+Q")
        T, decrease = _candidates(stretch)
        price = prices(cost, T)
        efficiency = decrease / price
        first, last = maximisers(efficiency)
        readings, evaluated = readings + 1, evaluated + T.size

        excluded = (1 - TIE_TOLERANCE) * efficiency[last]
        complete_above = stretch.start == 0 or stretch.energy[0] < excluded * (c0 + c1 * stretch.start)
        complete_below = stretch.stop == d or stretch.energy[-1] < excluded * (c0 + c1 * stretch.stop)
        if complete_above and complete_below:
            return Optimum(
                T=int(T[last]),
                ties=(int(T[first]), int(T[last])),
                # Two sums of the same energy may differ by a rounding error.
                decrease=min(1.0, float(decrease[last]) / stretch.total),
                cost=float(price[last]),
                squared_norm=stretch.total * scale * scale,
                passes=readings,
                evaluated=evaluated,
            )
        end = 0 if complete_below else -1
        mass = 0.0 if stretch.mass is None else float(stretch.mass[end])
        known = (stretch.stop if end else stretch.start, float(stretch.energy[end]), mass)
        margin = 8 * margin + 1


def _candidates(stretch: Stretch) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The T of a stretch that may be sent, and scale^-2 |g|^2 times the decrease of each: S+Q with the mass, else S."""
    skipped = 1 if stretch.start == 0 else 0  # T = 0 is not a message
    if stretch.mass is None:
        return np.arange(stretch.start + skipped, stretch.stop + 1), stretch.energy[skipped:]
    # Beyond the last non-zero B_T^2/T is not the decrease (`beta-profile`).
    T = np.arange(stretch.start + skipped, stretch.start + stretch.nonzeros + 1)
    return T, stretch.mass[skipped : skipped + T.size] ** 2 / T


def _levels(
    sample: NDArray[np.float64], d: int, cost: Cost, scheme: str, known: tuple[int, float, float], margin: float
) -> tuple[float, float]:
    """Magnitudes between which the interval of the candidates should lie, from a decreasing sample.

    Parameters
    ----------
    known : tuple
        A rank and its exact energy and mass: the sums are estimated from there, since the few largest entries, which a
        sample can miss, may hold most of them.
    margin : float
        Allowance at both ends, in standard deviations of the rank of a sampled entry.
    """
    m = sample.size
    if m == d:
        return 0.0, math.inf
    rank = np.arange(1, m + 1) * (d / m)
    energy, mass = np.cumsum(sample**2) * (d / m), np.cumsum(sample) * (d / m)
    energy = np.maximum(energy + known[1] - np.interp(known[0], rank, energy, left=0.0), 0.0)
    mass = np.maximum(mass + known[2] - np.interp(known[0], rank, mass, left=0.0), 0.0)
    T = np.rint(rank).astype(np.int64)
    c0, c1 = cost.affine_minorant()
    efficiency = (energy if scheme == "S" else mass**2 / T) / prices(cost, T)
    bound = energy / (c0 + c1 * rank)
    (kept,) = np.nonzero(bound >= min(np.max(efficiency), np.max(bound)))
    first, last = kept[0] + 1, kept[-1] + 1
    first, last = math.floor(first - margin * (math.sqrt(first) + 1)), math.ceil(last + margin * (math.sqrt(last) + 1))
    low = float(sample[last - 1]) if last <= m else 0.0
    # A few more entries cost little, and the largest may hold most of the energy without being in the sample.
    high = float(sample[first - 1]) if first > m // _FEW else math.inf
    return low, high
