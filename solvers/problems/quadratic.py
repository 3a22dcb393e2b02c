"""Quadratics with known spectrum and known minimisers, on one node or on several that disagree."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..array import Array, array_like, array_namespace, check_count, check_non_negative, check_positive
from ..partition import check_weights
from .problem import Constants, Problem, Reference
from .spectrum import symmetric_bounds

__all__ = ["Quadratic", "heterogeneous_quadratic", "quadratic", "quadratic_with_spectrum"]


@dataclass(frozen=True, eq=False, repr=False)
class Quadratic(Problem):
    """f_i(x) = 1/2 (x - c_i)^T H_i (x - c_i) with positive semidefinite H_i; made by `quadratic` and its kin.

    Notes
    -----
    L and mu are the extreme eigenvalues of H = sum_i p_i H_i; those of full matrices are moved outwards by the
    rounding error of the eigenvalue solver (d times the machine precision, relative to L), those of diagonal ones
    are exact. The minimiser solves sum_i p_i H_i (x - c_i) = 0; where H is singular it is a solution with the
    components of c_1 in the null space, and the smallest positive eigenvalue takes the place of mu in
    `minimum_error` (the PL inequality holds with it).
    """

    hessians: Array
    """H_i, shape (n, d, d), or their diagonals, shape (n, d)."""

    minimisers: Array
    """c_i, shape (n, d)."""

    @property
    def d(self) -> int:
        """Number of variables."""
        return int(self.minimisers.shape[-1])

    def local_values_and_gradients(self, points: Array) -> tuple[Array, Array]:
        """Evaluate every f_i at a point of its own: points (..., n, d) to values (..., n) and gradients (..., n, d)."""
        xp = array_namespace(points)
        difference = points - self.minimisers
        if self.hessians.ndim == 2:
            gradients = self.hessians * difference
        else:
            # One product of two matrices for each worker, with all replicas as rows of the first (H_i is symmetric).
            rows = xp.reshape(xp.moveaxis(difference, -2, 0), (self.workers, -1, self.d))
            product = xp.reshape(rows @ self.hessians, (self.workers, *points.shape[:-2], self.d))
            gradients = xp.moveaxis(product, 0, -2)
        return 0.5 * xp.sum(gradients * difference, axis=-1), gradients

    def hessian_product(self, x: Array, v: Array) -> Array:
        """Return the Hessian of F, the same everywhere, times v (d,)."""
        del x
        xp = array_namespace(v)
        hessian = xp.tensordot(self.weights, self.hessians, axes=1)
        return hessian * v if hessian.ndim == 1 else hessian @ v

    def on(self, like: Array) -> Self:
        """Return this problem with its data in the library, on the device and in the precision of another array."""
        host = self.host or self
        arrays = {name: array_like(getattr(host, name), like) for name in ("hessians", "minimisers", "weights")}
        return replace(self, **arrays, host=host)

    def of_workers(self, chosen: Sequence[int]) -> Self:
        """Return the f_i of some of the workers, with their weights as they are, for their gradients and values."""
        xp = array_namespace(self.weights)
        places = array_like(list(chosen), self.weights, dtype=xp.int64)
        arrays = {name: xp.take(getattr(self, name), places, axis=0) for name in ("hessians", "minimisers", "weights")}
        return replace(self, **arrays, host=None if self.host is None else self.host.of_workers(chosen))

    def _compute_constants(self) -> Constants:
        smallest, largest = _bounds(np.tensordot(self.weights, self.hessians, axes=1))
        return Constants(largest, smallest, np.array([_bounds(hessian)[1] for hessian in self.hessians]))

    def _compute_reference(self) -> Reference:
        # Measured from c_1, so that one node gives c_1 itself and the minimum 0 without rounding.
        hessian = np.tensordot(self.weights, self.hessians, axes=1)
        gradient = self.gradient(self.minimisers[0])
        if hessian.ndim == 1:
            curvature = hessian[hessian > 0]
            step = np.divide(gradient, hessian, out=np.zeros(self.d), where=hessian > 0)
        else:
            eigenvalues, vectors = np.linalg.eigh(hessian)
            kept = eigenvalues > 2 * self.d * np.finfo(float).eps * self.L
            curvature = eigenvalues[kept]
            step = vectors[:, kept] @ ((vectors[:, kept].T @ gradient) / curvature)
        minimiser = self.minimisers[0] - step
        residual = self.gradient(minimiser)
        error = float(residual @ residual) / (2 * float(curvature.min())) if curvature.size else 0.0
        return Reference(minimiser, float(self.objective(minimiser)), error)


def _bounds(hessian: NDArray[Any]) -> tuple[float, float]:
    if hessian.ndim == 1:
        return float(hessian.min()), float(hessian.max())
    return symmetric_bounds(hessian)


def quadratic(hessians: ArrayLike, minimisers: ArrayLike, weights: ArrayLike | None = None) -> Quadratic:
    """Return F = sum_i p_i f_i with f_i(x) = 1/2 (x - c_i)^T H_i (x - c_i).

    Parameters
    ----------
    hessians : array_like, shape (n, d, d) or (n, d)
        H_i, symmetric and positive semidefinite, or their diagonals.
    minimisers : array_like, shape (n, d)
        c_i.
    weights : array_like, shape (n,), optional
        p_i, positive, of sum 1; default 1/n.

    Raises
    ------
    ValueError
        If the shapes do not fit, an entry is not finite, or an H_i is not symmetric and positive semidefinite.

    Examples
    --------
    >>> problem = quadratic([[4.0, 1.0], [1.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]])
    >>> problem.L, problem.mu, problem.L_max
    (2.5, 2.5, 4.0)
    >>> problem.minimiser
    array([0.8, 0.8])
    """
    H, c = np.asarray(hessians, dtype=np.float64), np.asarray(minimisers, dtype=np.float64)
    if c.ndim != 2 or 0 in c.shape or H.shape not in (c.shape, (*c.shape, c.shape[-1])):
        raise ValueError(f"hessians {H.shape} and minimisers {c.shape}; accepted: (n, d, d) or (n, d), and (n, d)")
    if not (np.isfinite(H).all() and np.isfinite(c).all()):
        raise ValueError("hessians or minimisers have entries that are NaN or infinite; accepted: finite numbers")
    if H.ndim == 3 and not np.array_equal(H, H.mT):
        raise ValueError("hessians are not symmetric; accepted: exactly symmetric matrices")
    if min(_bounds(hessian)[0] for hessian in H) < 0:
        raise ValueError("hessians have negative eigenvalues; accepted: positive semidefinite matrices")
    n = len(c)
    return Quadratic(H, c, weights=check_weights(np.full(n, 1 / n) if weights is None else weights, n))


def quadratic_with_spectrum(
    eigenvalues: ArrayLike, seed: int | None = None, minimiser: ArrayLike | None = None
) -> Quadratic:
    """Return a one-node quadratic with given curvatures, along the axes or along rotated ones.

    Parameters
    ----------
    eigenvalues : array_like, shape (d,)
        At least 0.
    seed : int, optional
        Of a rotation drawn uniformly; without it the Hessian is diagonal.
    minimiser : array_like, shape (d,), optional
        Default 0.

    Examples
    --------
    >>> problem = quadratic_with_spectrum([1.0, 0.1, 0.01], seed=0)
    >>> round(problem.L, 12), round(problem.mu, 12)
    (1.0, 0.01)
    """
    curvatures = np.asarray(eigenvalues, dtype=np.float64)
    if curvatures.ndim != 1 or not (np.isfinite(curvatures) & (curvatures >= 0)).all():
        raise ValueError(f"eigenvalues = {curvatures.tolist()}; accepted: a list of numbers >= 0")
    centre = np.zeros(curvatures.size) if minimiser is None else np.asarray(minimiser, dtype=np.float64)
    if seed is None:
        return quadratic(curvatures[None], centre[None])
    return quadratic(_rotated(curvatures, np.random.default_rng(seed))[None], centre[None])


def heterogeneous_quadratic(
    workers: int, d: int, L: float, mu: float, spread: float, seed: int, weights: ArrayLike | None = None
) -> Quadratic:
    """Return quadratics that differ between workers in axes, curvatures and minimisers.

    Parameters
    ----------
    workers, d : int
        n and the number of variables (at least 2).
    L, mu : float
        Largest and smallest curvature of every f_i, 0 < mu <= L; the others are log-uniform between them.
    spread : float
        Standard deviation of the coordinates of the minimisers c_i; 0 for a common minimiser at 0.
    seed : int
        Of everything random.
    weights : array_like, shape (n,), optional
        p_i; default 1/n.

    Examples
    --------
    >>> problem = heterogeneous_quadratic(workers=3, d=5, L=1.0, mu=0.1, spread=1.0, seed=0)
    >>> bool(problem.mu >= 0.1 - 1e-12 and problem.L <= 1 + 1e-12)
    True
    """
    workers = check_count(workers, "workers")
    d = check_count(d, "d", lowest=2)
    L = check_positive(L, "L")
    mu = check_positive(mu, "mu", highest=L)
    spread = check_non_negative(spread, "spread")
    rng = np.random.default_rng(seed)
    inner = np.exp(rng.uniform(np.log(mu), np.log(L), (workers, d - 2)))
    curvatures = np.concatenate([np.full((workers, 1), L), inner, np.full((workers, 1), mu)], axis=1)
    hessians = [_rotated(row, rng) for row in curvatures]
    return quadratic(hessians, spread * rng.standard_normal((workers, d)), weights)


def _rotated(curvatures: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    # The signs make the orthogonal factor uniform (Mezzadri 2007); the mean makes the product exactly symmetric.
    q, r = np.linalg.qr(rng.standard_normal((curvatures.size, curvatures.size)))
    q = q * np.sign(np.diag(r))
    hessian = (q * curvatures) @ q.T
    symmetric: NDArray[Any] = (hessian + hessian.T) / 2
    return symmetric
