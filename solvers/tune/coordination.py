"""Coordinated prices: several workers, one price of progress."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.communication import Cost, check_cost

from ..array import Array, check_gradient, check_positive, to_numpy
from .optimum import TIE_TOLERANCE, prices
from .profile import summed_magnitudes

__all__ = ["Coordination", "coordinated_tune"]


@dataclass(frozen=True)
class Coordination:
    """The numbers of entries that maximise the joint energy per unit of price.

    Attributes
    ----------
    T : tuple of int
        Entries each worker sends; 0 if it is silent.
    price : float
        The ratio achieved, in squared gradient units per unit of the costs. At this price of a unit every worker finds
        its T alone: with an affine cost it sends the entries with weight * g_j^2 > price * c1.
    energy : float
        The sum of weight * A(T) over the workers, in squared gradient units.
    cost : float
        The sum of C(T) over the workers.
    rounds : int
        How often the price was announced until it stayed the same.
    """

    T: tuple[int, ...]
    price: float
    energy: float
    cost: float
    rounds: int


def coordinated_tune(
    gradients: Array, weights: Sequence[float], costs: Sequence[Cost], silence: bool = False
) -> Coordination:
    """Choose the numbers of entries of several workers that maximise sum_i p_i A_i(T_i) / sum_i C_i(T_i) (CAT-S).

    Parameters
    ----------
    gradients : Array, shape (n, d)
        One gradient a worker; a worker's may be zero, but not all of them.
    weights : sequence of n floats
        The weights p_i > 0.
    costs : sequence of n Cost
        The price of each worker's message, in one unit.
    silence : bool
        Whether a worker may send nothing, for nothing.

    Returns
    -------
    Coordination

    Raises
    ------
    TypeError, ValueError
        If the gradients are not a finite real matrix, all are zero, the lengths differ, a weight is not positive, the
        units differ, or a cost breaks its promises.

    Notes
    -----
    `mn-price`, dossier, chapter 1, section 5.12: Dinkelbach's method. Each worker maximises p_i A_i(T) - E C_i(T) at
    the announced price E, and the ratio achieved is announced next. The prices increase, and there are finitely many
    ratios. For one worker with an affine cost this is Newton's method for the threshold c1 E (`eff-threshold`).

    Examples
    --------
    >>> from taciturn.theory.communication import AffineCost
    >>> gradients = np.array([[3.0, -1.0, 2.0], [0.5, 0.5, -0.5]])
    >>> coordinated_tune(gradients, [0.5, 0.5], [AffineCost(c0=2, c1=1)] * 2, silence=True).T
    (2, 0)
    """
    if getattr(gradients, "ndim", 2) != 2:
        raise ValueError(f"gradients has the shape {tuple(gradients.shape)}; accepted: (n, d)")
    gradients = check_gradient(gradients, "gradients")
    n, d = gradients.shape
    if len(weights) != n or len(costs) != n:
        raise ValueError(f"{n} gradients need as many weights and costs; got {len(weights)} and {len(costs)}")
    for weight in weights:
        check_positive(weight, "weights")
    for cost in costs:
        check_cost(cost, "a member of costs")
    if len({cost.unit for cost in costs}) > 1:
        raise ValueError(f"costs are in different units: {sorted({cost.unit for cost in costs})}")
    sums = summed_magnitudes(gradients)
    T = np.arange(1, d + 1)
    energy = np.asarray(weights, dtype=np.float64)[:, None] * to_numpy(sums.energy)
    if not energy.any():
        raise ValueError("gradients are all zero: nothing is worth its price; a method stops before")
    price = np.stack([prices(cost, T) for cost in costs])
    if silence:
        T, energy, price = (np.concatenate((np.zeros_like(x[..., :1]), x), axis=-1) for x in (T, energy, price))

    announced, rounds = 0.0, 0
    while True:
        answers = _answers(energy, price, announced)
        total_energy = float(np.take_along_axis(energy, answers, axis=-1).sum())
        total_price = float(np.take_along_axis(price, answers, axis=-1).sum())
        rounds += 1
        if total_energy <= (1 + TIE_TOLERANCE) * announced * total_price:
            break
        announced = total_energy / total_price
    total_energy *= sums.scale * sums.scale
    return Coordination(
        T=tuple(int(t) for t in T[answers[:, 0]]),
        price=total_energy / total_price,
        energy=total_energy,
        cost=total_price,
        rounds=rounds,
    )


def _answers(energy: NDArray[np.float64], price: NDArray[np.float64], announced: float) -> NDArray[np.int64]:
    """Last position in each row, shape (n, 1), that maximises energy - announced * price."""
    value = energy - announced * price
    tied = value >= np.max(value, axis=-1, keepdims=True) - TIE_TOLERANCE * np.max(energy)
    return np.asarray(tied.shape[-1] - 1 - np.argmax(tied[:, ::-1], axis=-1, keepdims=True))
