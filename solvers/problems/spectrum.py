"""Bounds on the extreme eigenvalues of a Gram matrix that hold for certain, not only when an iteration converged."""

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh

__all__ = ["gram_bounds", "perron_bound", "symmetric_bounds"]

EPS = float(np.finfo(np.float64).eps)
DENSE = 1500  # a Gram matrix of this order is solved in about a second
RITZ_VECTORS = 20


def symmetric_bounds(matrix: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Return a lower bound of the smallest and an upper bound of the largest eigenvalue of a symmetric matrix.

    LAPACK is backward stable, so its eigenvalues are off by at most a small multiple of the order times the machine
    precision times the norm; the bounds are moved outwards by that, and a lower bound within it of zero is zero.
    """
    eigenvalues = np.linalg.eigvalsh(matrix)
    slack = len(matrix) * EPS * float(np.abs(eigenvalues).max())
    smallest = float(eigenvalues[0]) - slack
    return (0.0 if abs(smallest) <= 2 * slack else smallest), float(eigenvalues[-1]) + slack


def gram_bounds(rows: Any, row_weights: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Bound the eigenvalues of M = sum_r w_r a_r a_r^T from below and from above.

    Parameters
    ----------
    rows : numpy.ndarray or scipy sparse array, shape (m, d)
        The vectors a_r.
    row_weights : numpy.ndarray, shape (m,)
        w_r >= 0.

    Returns
    -------
    smallest, largest : float
        0 <= smallest <= the eigenvalues of M <= largest.

    Notes
    -----
    Small matrices (min(m, d) <= 1500): all eigenvalues of the smaller Gram matrix; the bounds are exact to rounding.
    Large ones have smallest = 0, and largest by one of two rigorous bounds. Entries >= 0: max_j (Mx)_j / x_j over a
    positive x (Collatz 1942, Wielandt 1950), which power iteration drives down to the largest eigenvalue. Entries of
    both signs: with orthonormal Ritz vectors V, values theta and R = MV - V diag(theta), the complement of V holds
    at most the rest of the trace, so largest <= max(theta_1, tr M - sum theta) + ||R||.
    """
    m, d = rows.shape
    roots = np.sqrt(row_weights)
    scaled = sparse.diags_array(roots) @ rows if sparse.issparse(rows) else rows * roots[:, None]
    if min(m, d) <= DENSE:
        smallest, largest = _from_dense_gram(scaled)
    else:
        smallest, largest = 0.0, perron_bound(scaled) if scaled.min() >= 0 else _deflated_trace_bound(scaled)
    # Every entry of M is a sum of m products, each rounded.
    return max(smallest - m * EPS * largest, 0.0), largest * (1 + (m + d) * EPS)


def perron_bound(matrix: Any, steps: int = 1000) -> float:
    """Bound the largest eigenvalue of A^T A from above, for A with entries >= 0: max_j (A^T A x)_j / x_j, x > 0.

    Parameters
    ----------
    matrix : numpy.ndarray or scipy sparse array, shape (m, d)
        A.
    steps : int
        Power steps that improve x, at most; they end when the bound is within 1e-6 of the eigenvalue.

    Returns
    -------
    float
        A bound up to the rounding of the products, m + d times the machine precision, after any number of steps.
    """
    columns = np.asarray(matrix.sum(axis=0)).ravel() > 0
    x = np.where(columns, 1.0, 0.0)
    best = np.inf
    for _ in range(steps):
        product = matrix.T @ (matrix @ x)
        best = min(best, float((product[columns] / x[columns]).max()))
        if best <= (1 + 1e-6) * float(x @ product) / float(x @ x):
            break
        # The bound holds for every positive x: a floor keeps it so where a component of the data dies out.
        x = np.where(columns, np.maximum(product / product.max(), 1e-150), 0.0)
    return best


def _from_dense_gram(scaled: Any) -> tuple[float, float]:
    m, d = scaled.shape
    gram = scaled.T @ scaled if d <= m else scaled @ scaled.T
    smallest, largest = symmetric_bounds(gram.toarray() if sparse.issparse(gram) else gram)
    return (max(smallest, 0.0) if d <= m else 0.0), largest


def _deflated_trace_bound(scaled: Any) -> float:
    d = scaled.shape[1]
    gram = LinearOperator((d, d), matvec=lambda x: scaled.T @ (scaled @ x), dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(d)  # any fixed start that no data set is orthogonal to
    theta, vectors = eigsh(gram, k=RITZ_VECTORS, v0=start)
    residual = scaled.T @ (scaled @ vectors) - vectors * theta
    trace = float((scaled**2).sum())
    return max(float(theta.max()), trace - float(theta.sum())) + float(np.linalg.norm(residual))
