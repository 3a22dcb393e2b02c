"""What the best assignment is predicted to save."""

from typing import Any

import numpy as np
from scipy.special import gammaln

from ..array import check_count, check_positive
from .problem import LARGEST, SMALLEST, check_range, shares

__all__ = ["dirichlet_saving", "predicted_gain", "predicted_saving"]


def predicted_gain(weights: Any, b: float = 1.0) -> float:
    """Return the objective of the uniform ratio over that of the best: n^b sum w / (sum w^(1/(1+b)))^(1+b).

    Parameters
    ----------
    weights : array_like, shape (n,)
        w_i > 0.
    b : float
        Positive.

    Returns
    -------
    float
        In [1, n^b]; equal costs, no active limit.

    Notes
    -----
    Source: dossier chapter 3, `gain-formula`.

    Examples
    --------
    >>> round(predicted_gain([0.8, 0.2]), 4)
    1.1111
    """
    weights, b = np.asarray(weights, dtype=np.float64), check_positive(b, "b")
    check_range(weights, "weights", SMALLEST, LARGEST)
    relative = weights / weights.max()
    return float(relative.size**b * relative.sum() / (relative ** (1 / (1 + b))).sum() ** (1 + b))


def predicted_saving(p: Any) -> float:
    """Return the share of iterations that the exponent 1/2 saves over the uniform ratio: 1 - (sum sqrt(p))^2 / n.

    Parameters
    ----------
    p : array_like, shape (n,)
        Shares of the data.

    Returns
    -------
    float
        In [0, 1); for equal smoothness and costs, small fractions, no active limit.

    Examples
    --------
    Ten workers with volumes as 1, 1/2, 1/3, ...:

    >>> volumes = 1 / np.arange(1, 11)
    >>> round(predicted_saving(volumes / volumes.sum()), 3)
    0.139
    """
    return 1 - 1 / predicted_gain(shares(p))


def dirichlet_saving(workers: int, concentration: float) -> float:
    """Return the mean of `predicted_saving` over shares drawn from a symmetric Dirichlet distribution.

    Parameters
    ----------
    workers : int
        n.
    concentration : float
        alpha_0 of every worker, positive.

    Notes
    -----
    (1 - 1/n) (1 - (Gamma(alpha_0 + 1/2) / Gamma(alpha_0))^2 / alpha_0). Source: dossier chapter 3, `gain-formula`.

    Examples
    --------
    >>> round(dirichlet_saving(10, 0.5), 3)
    0.327
    """
    n, alpha = check_count(workers, "workers"), check_positive(concentration, "concentration")
    root = np.exp(2 * (gammaln(alpha + 0.5) - gammaln(alpha)))
    return float((1 - 1 / n) * (1 - root / alpha))
