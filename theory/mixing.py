"""Spectral figures of mixing matrices that the theorems on decentralised methods speak of (dossier 4.0, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Mixing:
    """What the theorems need to know of a symmetric mixing matrix W.

    Parameters
    ----------
    workers
        n.
    lambda_2, lambda_n
        Second largest and smallest eigenvalue.
    mixing_rate, spectral_gap
        ``rho = |W - J|`` and ``theta = 1 - rho``.
    mixing_gap, mixing_strength
        ``beta = 1 - lambda_2`` and ``B = |I - W| = 1 - lambda_n``.
    mixing_pull, pull
        ``a_W = sqrt(sum (1 - W_ii)^2)`` and the mean of ``1 - W_ii``.
    self_weight
        The smallest W_ii.
    gossip_sum
        ``S_W``.
    nonnegative
        Whether all weights are non-negative.
    """

    workers: int
    lambda_2: float
    lambda_n: float
    mixing_rate: float
    spectral_gap: float
    mixing_gap: float
    mixing_strength: float
    mixing_pull: float
    pull: float
    self_weight: float
    gossip_sum: float
    nonnegative: bool


def mixing(W: Any) -> Mixing:
    """Compute the figures of a symmetric matrix (dense or sparse) with rows that sum to one; O(n^3).

    Raises
    ------
    ValueError
        If W is not square, not finite, not symmetric, its rows do not sum to one, or the network is not connected.

    Examples
    --------
    >>> ring = mixing((np.ones((4, 4)) - np.eye(4)[[2, 3, 0, 1]]) / 3)
    >>> round(ring.lambda_2, 5), round(ring.mixing_gap, 5), round(ring.gossip_sum, 3)
    (0.33333, 0.66667, 2.0)
    """
    matrix = check_mixing_matrix(W)
    if np.max(np.abs(matrix - matrix.T)) > _TOLERANCE:
        i, j = np.unravel_index(np.argmax(np.abs(matrix - matrix.T)), matrix.shape)
        raise ValueError(f"W must be symmetric: W[{i}, {j}]={matrix[i, j]:.6g} and W[{j}, {i}]={matrix[j, i]:.6g}")
    n = len(matrix)
    eigenvalues = np.linalg.eigvalsh(matrix)
    lambda_2, lambda_n = (float(eigenvalues[-2]), float(eigenvalues[0])) if n > 1 else (0.0, 1.0)
    rate = max(abs(lambda_2), abs(lambda_n)) if n > 1 else 0.0
    if rate >= 1 - _TOLERANCE:
        raise ValueError(
            f"W has |W - J|={rate:.6g}, which must be below 1: its network is not connected, or it swaps two halves"
        )
    given = 1 - np.diag(matrix)
    return Mixing(
        workers=n,
        lambda_2=lambda_2,
        lambda_n=lambda_n,
        mixing_rate=rate,
        spectral_gap=1 - rate,
        mixing_gap=1 - lambda_2,
        mixing_strength=1 - lambda_n,
        mixing_pull=float(np.linalg.norm(given)),
        pull=float(np.mean(given)),
        self_weight=float(np.min(np.diag(matrix))),
        gossip_sum=gossip_sum(eigenvalues[:-1]),
        nonnegative=bool(np.min(matrix) >= -_TOLERANCE),
    )


def check_mixing_matrix(W: Any) -> npt.NDArray[np.float64]:
    """Return W as an array, if it is square and its rows sum to one."""
    matrix = np.asarray(W.toarray() if sparse.issparse(W) else W, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"W has the shape {matrix.shape}; it must be square, one row per worker")
    if not np.all(np.isfinite(matrix)):
        raise ValueError("W must be finite")
    sums = np.sum(matrix, axis=1)
    worst = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[worst] - 1) > _TOLERANCE:
        raise ValueError(f"row {worst} of W sums to {sums[worst]:.12g}; every row must sum to 1")
    return matrix


def gossip_sum(eigenvalues: npt.ArrayLike, accuracy: float = 1e-12) -> float:
    """Return ``S_W = sum_t max_i |lambda_i|^t (1 - lambda_i)`` over all eigenvalues but the one of the average.

    The sum is cut where the rest is below `accuracy`.

    Examples
    --------
    >>> round(gossip_sum([0.5, -0.5]), 6)  # 1.5 + .75 + .375 + ...
    3.0
    """
    values = np.unique(np.asarray(eigenvalues, dtype=np.float64))
    size, weight = np.abs(values), 1 - values
    rate = float(np.max(size, initial=0.0))
    if rate >= 1:
        raise ValueError(f"eigenvalues reach {rate:.6g} in modulus; they must stay below 1")
    total, powers = 0.0, weight.copy()
    while np.max(powers, initial=0.0) > accuracy * (1 - rate):
        total += float(np.max(powers))
        powers *= size
    return total
