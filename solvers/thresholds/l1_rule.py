"""Thresholds from the l1 norm: one pass, no sort, and never more traffic than allowed."""

import math
from dataclasses import dataclass

from .. import passes
from ..array import Array, array_namespace, check_count, check_non_negative, check_positive

__all__ = ["L1Rule", "l1_norm"]

_ROUNDED_UP = 1 + 2.0**-20
"""More than what rounding can take, also where the worker computes in float32."""


@dataclass(frozen=True)
class L1Rule:
    """Thresholds under which a worker with error feedback never sends more than its budget, whatever its gradients.

    Parameters
    ----------
    budget : int
        Entries per iteration, at most d.
    d : int
        Dimension.
    eta : float
        In (0, 1): the part of the budget that pays for falling thresholds.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    lambda_k = max(||g_k||_1 / ((1 - eta) budget), lambda_(k-1) / (1 + eta budget/d)). If the worker sends the entries
    of memory plus gradient of at least this magnitude, it has sent at most (k + 1) budget entries after iteration
    k = 0, 1, ..., for every k and every sequence of gradients. Source: dossier chapter 3, `thr-l1-rule`.

    Examples
    --------
    >>> rule = L1Rule(budget=10, d=100, eta=0.5)
    >>> first = rule.threshold(l1_norm=50.0)
    >>> round(first, 4), round(rule.threshold(l1_norm=1.0, previous=first), 4)
    (10.0, 9.5238)
    """

    budget: int
    d: int
    eta: float = 0.5

    def __post_init__(self) -> None:
        d = check_count(self.d, "d")
        object.__setattr__(self, "budget", check_count(self.budget, "budget", highest=d))
        eta = check_positive(self.eta, "eta", highest=1.0)
        if eta == 1:
            raise ValueError("eta = 1.0 is outside the accepted range (0, 1)")
        object.__setattr__(self, "eta", eta)

    def threshold(self, l1_norm: float, previous: float = 0.0) -> float:
        """Return the next threshold.

        Parameters
        ----------
        l1_norm : float
            ||g_k||_1 of this iteration's gradient, without the memory.
        previous : float
            The last threshold; 0 before the first.

        Returns
        -------
        float
            In gradient units. Zero only while all gradients have been zero: then there is nothing to send.
        """
        level = check_non_negative(l1_norm, "l1_norm") / ((1 - self.eta) * self.budget)
        falling = check_non_negative(previous, "previous") / (1 + self.eta * self.budget / self.d)
        return max(level, falling) * _ROUNDED_UP


def l1_norm(gradient: Array) -> float:
    """Return the sum of the magnitudes of a vector, in double precision and one pass.

    Raises
    ------
    TypeError, ValueError
        If it is not a vector of finite real floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> l1_norm(np.array([3.0, -4.0], dtype=np.float32))
    7.0
    """
    gradient = passes.check_ahead(gradient, "gradient")
    if gradient.ndim != 1:
        raise ValueError(f"gradient has the shape {tuple(gradient.shape)}; accepted: (d,)")
    xp = array_namespace(gradient)
    total = math.fsum(
        float(xp.sum(magnitudes, dtype=xp.float64)) for _, magnitudes in passes.magnitude_chunks(gradient)
    )
    if not math.isfinite(total):
        raise ValueError("gradient has entries that are NaN or infinite; accepted: finite numbers")
    return total
