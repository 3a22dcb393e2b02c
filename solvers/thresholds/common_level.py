"""Thresholds in inverse proportion to the importance of a worker: optimal for one step."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array import Array, array_like, array_namespace, check_count, check_gradient, check_positive, to_numpy
from ..ratios.problem import LARGEST, SMALLEST, check_range
from ..selection import top_k_indices

__all__ = ["common_level", "profile_thresholds"]


def profile_thresholds(level: float, importance: Any) -> NDArray[np.float64]:
    """Return lambda_i = level / importance_i.

    Parameters
    ----------
    level : float
        The common level, positive.
    importance : array_like, shape (n,)
        sqrt(Omega_i), positive: p_i for the error of the aggregate, sqrt(p_i) for the mean error of the workers.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    Four times the data, a quarter of the threshold:

    >>> profile_thresholds(0.2, [0.8, 0.2])
    array([0.25, 1.  ])
    """
    scale = np.asarray(importance, dtype=np.float64)
    if scale.ndim != 1 or scale.size == 0:
        raise ValueError(f"importance has the shape {scale.shape}; accepted: (n,), a number for each of n >= 1 workers")
    check_range(scale, "importance", SMALLEST, LARGEST)
    return np.asarray(check_positive(level, "level") / scale)


def common_level(vectors: Array, importance: Any, budget: int) -> float:
    """Return the level whose thresholds minimise the weighted error of one step with so many entries in total.

    Parameters
    ----------
    vectors : Array, shape (n, d)
        v_i, memory plus gradient of every worker.
    importance : array_like, shape (n,)
        sqrt(Omega_i), positive.
    budget : int
        Entries of all workers together, 1..n d.

    Returns
    -------
    float
        The smallest of the ``budget`` largest importance_i abs(v_ij), zero if fewer are not zero. The entries of at
        least the thresholds of `profile_thresholds` are these, and those that equal the last of them.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    sum_i Omega_i ||v_i - C(v_i)||^2 is additive over entries, so the largest terms are kept: hard thresholds in
    proportion to 1/sqrt(Omega_i) are optimal. Source: dossier chapter 3, `thr-one-step`.

    Examples
    --------
    >>> vectors = np.array([[1.0, -0.5], [3.0, 0.1]])
    >>> common_level(vectors, [0.8, 0.2], budget=2)
    0.6000000000000001
    """
    vectors = check_gradient(vectors, "vectors")
    if vectors.ndim != 2:
        raise ValueError(f"vectors has the shape {tuple(vectors.shape)}; accepted: (n, d), a row for each worker")
    n, d = (int(size) for size in vectors.shape)
    budget = check_count(budget, "budget", highest=n * d)
    scale = 1 / profile_thresholds(1.0, importance)
    if scale.size != n:
        raise ValueError(f"importance has {scale.size} numbers; accepted: {n}, one for each worker")
    xp = array_namespace(vectors)
    weighted = xp.reshape(xp.abs(vectors) * array_like(scale, vectors)[:, None], (-1,))
    return float(np.min(to_numpy(xp.take(weighted, top_k_indices(weighted, budget)))))
