"""Mixing matrices by semidefinite programming (dossier 4.9, `optimal-weights`)."""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..array import check_non_negative, check_positive
from .graphs import Graph, check_connected

__all__ = ["bound_optimal_weights", "fastest_mixing"]


def fastest_mixing(graph: Graph, *, nonnegative: bool = True) -> NDArray[np.float64]:
    """Return the symmetric W on the graph with the smallest ``|W - J|``.

    Parameters
    ----------
    graph
        A connected networkx graph.
    nonnegative
        Whether all weights must be non-negative; `bounded-delay` needs that.

    Raises
    ------
    RuntimeError
        If the solver does not succeed; the message has its word.

    Notes
    -----
    Source: Xiao and Boyd (2004), Boyd, Diaconis and Xiao (2004); dossier 4.9.

    Examples
    --------
    >>> from taciturn.solvers.topology import network
    >>> W = fastest_mixing(network("complete", 3))
    >>> bool(np.allclose(W, 1 / 3, atol=1e-5))
    True
    """
    W, constraints, J = _weights(graph, nonnegative)
    rate = cp.Variable()
    size = np.eye(W.shape[0])
    return _solve(cp.Minimize(rate), [*constraints, W - J << rate * size, W - J >> -rate * size], W, nonnegative)


def bound_optimal_weights(
    graph: Graph,
    *,
    threshold: float,
    step_size: float,
    L: float,
    mu: float,
    optimum_dissimilarity: float,
    nonnegative: bool = True,
) -> NDArray[np.float64]:
    """Return the symmetric W on the graph that minimises the residual of `eg-sc` and `dgd-bias` together.

    Parameters
    ----------
    graph
        A connected networkx graph.
    threshold, step_size
        c of the trigger and gamma.
    L, mu
        Constants of the workers.
    optimum_dissimilarity
        zeta_*: root mean square of the workers' gradients at the minimiser.
    nonnegative
        Whether all weights must be non-negative.

    Raises
    ------
    ValueError
        If a constant is out of range, or no W admits the step.
    RuntimeError
        If the solver does not succeed; the message has its word.

    Examples
    --------
    >>> from taciturn.solvers.topology import network
    >>> W = bound_optimal_weights(
    ...     network("ring", 8), threshold=0.1, step_size=0.1, L=1.0, mu=0.1, optimum_dissimilarity=1.0)
    >>> round(float(W[0, 0]), 3)
    0.717
    """
    check_non_negative(threshold, "threshold")
    check_non_negative(optimum_dissimilarity, "optimum_dissimilarity")
    for name, value in (("step_size", step_size), ("L", L), ("mu", mu)):
        check_positive(value, name)
    if step_size * (L + mu) > 2:
        raise ValueError(f"step_size={step_size:.6g} must be at most 2/(L + mu)={2 / (L + mu):.6g}")
    W, constraints, J = _weights(graph, nonnegative)
    n = W.shape[0]
    gap = cp.Variable()
    residual = cp.norm(1 - cp.diag(W)) * (threshold / (np.sqrt(n) * step_size * mu))
    bias = step_size * optimum_dissimilarity * np.sqrt((L / mu + 1) / 2) * cp.inv_pos(gap)
    spectrum = [W - J << (1 - gap) * np.eye(n), W >> (step_size * (L + mu) - 1) * np.eye(n)]
    return _solve(cp.Minimize(residual + bias), [*constraints, *spectrum], W, nonnegative)


def _weights(graph: Graph, nonnegative: bool) -> tuple[cp.Variable, list[Any], NDArray[np.float64]]:
    """Return a symmetric matrix on the graph with rows that sum to one, its constraints, and J."""
    adjacency = nx.to_numpy_array(check_connected(graph), weight=None)
    n = len(adjacency)
    W = cp.Variable((n, n), symmetric=True)
    absent = (adjacency == 0) & ~np.eye(n, dtype=bool)
    constraints = [cp.sum(W, axis=1) == 1]
    if absent.any():
        constraints.append(W[absent] == 0)
    if nonnegative:
        constraints.append(W >= 0)
    return W, constraints, np.full((n, n), 1 / n)


def _solve(objective: cp.Minimize, constraints: list[Any], W: cp.Variable, nonnegative: bool) -> NDArray[np.float64]:
    problem = cp.Problem(objective, constraints)
    problem.solve(solver=cp.CLARABEL)
    if problem.status != cp.OPTIMAL:
        raise RuntimeError(f"CLARABEL says {problem.status}; no mixing matrix")
    return _repaired(np.asarray(W.value), 0.0 if nonnegative else -np.inf)


def _repaired(found: NDArray[np.float64], lowest: float) -> NDArray[np.float64]:
    """Return the matrix with exact symmetry, exact zeros and rows that sum to one, as far as rounding allows."""
    off = np.maximum((found + found.T) / 2 * (np.abs(found) > 1e-9), lowest)
    np.fill_diagonal(off, 0.0)
    return off + np.diag(1 - off.sum(axis=1))
