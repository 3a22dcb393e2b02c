"""How many entries of a gradient to send: the most certified decrease for the price."""

from dataclasses import dataclass

from taciturn.theory.communication import SCHEMES, AffineCost, Cost, check_cost

from .. import passes
from ..array import Array, check_choice
from .search import best_sparsity
from .stochastic import best_expected_sparsity

__all__ = ["Tuning", "tune"]


@dataclass(frozen=True)
class Tuning:
    """The best number of entries for a gradient and a cost.

    Attributes
    ----------
    scheme : str
        "S", "S+Q" or "SS".
    T : int or float
        The largest maximiser of the efficiency: entries to send, for SS their expected number; a float only for SS
        with an affine cost.
    ties : tuple of two numbers
        The smallest and the largest maximiser; efficiencies within a relative 1e-12 count as equal.
    decrease : float
        Certified decrease at T in units of |g|^2/(2L): alpha(T) for S, beta(T) for S+Q, omega(T) for SS.
    cost : float
        Price at T.
    unit : str
        Unit of the price.
    efficiency : float
        decrease / cost.
    threshold : float or None
        For S with an affine cost: the squared magnitude from which on an entry is worth its price, in squared gradient
        units. All entries above it are sent (or only the largest, if none is above), and with the largest T those
        equal to it.
    method : str
        What was done, in words.
    passes : int
        How often the gradient was read.
    evaluated : int
        How many T were tried.
    """

    scheme: str
    T: int | float
    ties: tuple[int | float, int | float]
    decrease: float
    cost: float
    unit: str
    efficiency: float
    threshold: float | None
    method: str
    passes: int
    evaluated: int


def tune(gradient: Array, cost: Cost, scheme: str = "S") -> Tuning:
    """Choose how many entries of a gradient to send: the largest maximiser of certified decrease / price.

    Parameters
    ----------
    gradient : Array, shape (d,)
        The gradient, not zero.
    cost : Cost
        The price of a message with T entries.
    scheme : str
        "S": the T largest entries; T in 1..d. "S+Q": their signs and mean magnitude; T in 1..nonzeros. "SS": random
        entries, T of them in expectation, with the optimal probabilities; real T in (0, nonzeros] if the cost is
        affine, else T in 1..nonzeros, for samples of that fixed size.

    Returns
    -------
    Tuning

    Raises
    ------
    TypeError
        If the gradient is not an array of real floating-point numbers, or the cost is not a `Cost`.
    ValueError
        If the gradient is not a finite vector, empty or zero, the scheme is unknown, or a price is not positive.

    Notes
    -----
    Dossier, chapter 1, section 4. S and S+Q: only the ranks that the affine minorant of the cost cannot exclude are
    sorted and tried (`eff-affine`, `eff-threshold`, `eff-packet`, `eff-hybrid`, `eff-safe-stop`). SS: the closed form
    of each piece for an affine cost (`eff-ss-closed-form`), else all T, after a sort.

    Examples
    --------
    A message costs as much as ten entries, besides what its entries cost:

    >>> import numpy as np
    >>> tuning = tune(np.array([5.0, -4.0, 0.1, 3.0]), AffineCost(c0=640, c1=64))
    >>> tuning.T, tuning.decrease, tuning.ties
    (3, 0.9998000399920016, (3, 3))

    Entries are sent from this squared magnitude on:

    >>> round(tuning.threshold, 4)
    3.8462
    """
    check_choice(scheme, "scheme", SCHEMES)
    check_cost(cost)
    gradient = passes.check_ahead(gradient, "gradient")
    if gradient.ndim != 1:
        raise ValueError(f"gradient has the shape {tuple(gradient.shape)}; accepted: (d,), tune a stack row by row")
    if scheme == "SS":
        optimum = best_expected_sparsity(gradient, cost)
        method = "closed form of each piece" if isinstance(cost, AffineCost) else "all T, after a sort"
    else:
        optimum = best_sparsity(gradient, cost, scheme)
        method = "all T that the affine minorant of the cost does not exclude"
    efficiency = optimum.decrease / optimum.cost
    threshold = None
    if scheme == "S" and isinstance(cost, AffineCost):
        threshold = cost.c1 * efficiency * optimum.squared_norm
    return Tuning(
        scheme=scheme,
        T=optimum.T,
        ties=optimum.ties,
        decrease=optimum.decrease,
        cost=optimum.cost,
        unit=cost.unit,
        efficiency=efficiency,
        threshold=threshold,
        method=method,
        passes=optimum.passes,
        evaluated=optimum.evaluated,
    )
