"""Mixing matrices with simple formulas (sparse, one row per worker)."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse

from ..array import check_fraction
from .graphs import Graph, check_connected

__all__ = ["lazy", "max_degree", "metropolis", "uniform_weights"]


def metropolis(graph: Graph) -> Any:
    """Return the Metropolis weights ``W_ij = 1/(1 + max(deg_i, deg_j))``: symmetric, non-negative, for every graph.

    Returns
    -------
    scipy.sparse.csr_array, shape (n, n)

    Examples
    --------
    >>> from taciturn.solvers.topology import network
    >>> metropolis(network("path", 3)).toarray().round(3).tolist()
    [[0.667, 0.333, 0.0], [0.333, 0.333, 0.333], [0.0, 0.333, 0.667]]
    """
    edges, degrees = _edges(graph)
    return _symmetric(edges, 1 / (1 + np.max(degrees[edges], axis=0)), len(degrees))


def max_degree(graph: Graph) -> Any:
    """Return ``W_ij = 1/(1 + max_k deg_k)`` on every edge.

    Examples
    --------
    >>> from taciturn.solvers.topology import network
    >>> max_degree(network("star", 3)).toarray().round(3).tolist()
    [[0.333, 0.333, 0.333], [0.333, 0.667, 0.0], [0.333, 0.0, 0.667]]
    """
    edges, degrees = _edges(graph)
    return _symmetric(edges, np.full(edges.shape[1], 1 / (1 + np.max(degrees))), len(degrees))


def uniform_weights(graph: Graph) -> Any:
    """Return ``W_ij = 1/(1 + deg_i)``: rows sum to one, and columns only where all degrees are equal.

    Examples
    --------
    >>> from taciturn.solvers.topology import network
    >>> uniform_weights(network("ring", 4)).toarray()[0].round(3).tolist()
    [0.333, 0.333, 0.0, 0.333]
    """
    edges, degrees = _edges(graph)
    (i, j), n = edges, len(degrees)
    share = 1 / (1 + degrees)
    rows, columns = np.concatenate([i, j, np.arange(n)]), np.concatenate([j, i, np.arange(n)])
    return sparse.csr_array((share[rows], (rows, columns)), shape=(n, n))


def lazy(W: Any, strength: float) -> Any:
    """Return ``(1 - strength) I + strength W``, which mixes less and keeps more of a worker's own parameters.

    Examples
    --------
    >>> lazy(np.array([[0.5, 0.5], [0.5, 0.5]]), 0.5).tolist()
    [[0.75, 0.25], [0.25, 0.75]]
    """
    strength = check_fraction(strength, "strength")
    identity = sparse.eye_array(W.shape[0], format="csr") if sparse.issparse(W) else np.eye(len(W))
    return (1 - strength) * identity + strength * W


def _edges(graph: Graph) -> tuple[Any, Any]:
    """Return the edges, shape (2, m), and the degrees, shape (n,)."""
    adjacency = nx.to_scipy_sparse_array(check_connected(graph), weight=None, dtype=float, format="coo")
    upper = adjacency.row < adjacency.col
    return np.stack([adjacency.row[upper], adjacency.col[upper]]), np.asarray(adjacency.sum(axis=1)).ravel()


def _symmetric(edges: Any, values: Any, n: int) -> Any:
    i, j = edges
    given = np.bincount(np.concatenate([i, j]), weights=np.concatenate([values, values]), minlength=n)
    rows, columns = np.concatenate([i, j, np.arange(n)]), np.concatenate([j, i, np.arange(n)])
    return sparse.csr_array((np.concatenate([values, values, 1 - given]), (rows, columns)), shape=(n, n))
