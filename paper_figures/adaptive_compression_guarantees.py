"""What theorems promise for messages of T entries: one call for all schemes."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taciturn.solvers.problems import Problem
from taciturn.theory import Guarantee, theorem

__all__ = ["decrease_for_any_gradient", "linear_rate"]


def decrease_for_any_gradient(scheme: str, T: ArrayLike, d: int) -> NDArray[Any]:
    """Return the certified decrease of a message with T of d entries, whatever the gradient.

    Parameters
    ----------
    scheme : {"S", "S+Q", "SS"}
        What is sent.
    T : array_like of int
        Entries, 1..d.
    d : int
        Length of the gradient.

    Examples
    --------
    >>> [float(decrease_for_any_gradient(scheme, 10, 1000)) for scheme in ("S", "S+Q", "SS")]
    [0.01, 0.01, 0.01]
    """
    decrease: Any
    if scheme == "S":
        decrease = theorem("alpha-profile").evaluate(d=d, T=T, effective_sparsity=d).decrease
    elif scheme == "S+Q":
        decrease = theorem("beta-profile").evaluate(d=d, T=T).decrease
    else:
        decrease = theorem("ss-omega-profile").evaluate(nnz=d, T=T).decrease
    return np.asarray(decrease)


def linear_rate(scheme: str, problem: Problem, decrease: ArrayLike) -> Guarantee:
    """Return the guarantee of a scheme under the PL inequality for certified decreases alpha, beta or omega.

    Examples
    --------
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> linear_rate("S+Q", quadratic_with_spectrum([1.0, 0.5]), 0.5).rate
    0.75
    """
    id, letter = {"S": ("topT-pl-rate", "alpha"), "S+Q": ("sq-rates", "beta"), "SS": ("ss-pl-rate", "omega")}[scheme]
    return theorem(id).evaluate(L=problem.L, mu=problem.mu, **{letter: decrease})
