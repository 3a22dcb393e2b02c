"""Attacks on what sparse data save: small matrices, and their conflict graphs pair by pair (dossier 2.2-2.3)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from .family import Batch, Family, Instance
from .fields import Array, Entries, Fields, Positive
from .functions import square
from .measures import quotient, stated

__all__ = ["FAMILIES"]

_WORKERS = 5


def _supports(batch: Batch) -> Array:
    """Return which coordinates each worker uses, shape (m, n, d)."""
    return batch["matrix"] != 0


def _sums(vectors: Array, weights: Array | float, scales: Array | float) -> Array:
    """Return |sum_i weights_i u_i|^2 / sum_i scales_i |u_i|^2."""
    weights, scales = (np.broadcast_to(part, vectors.shape[:2]) for part in (weights, scales))
    return quotient(square(np.sum(weights[..., None] * vectors, axis=1)), np.sum(scales * square(vectors), axis=1))


def _at_column(supports: Array, masses: Array) -> Array:
    """Return masses_i e_l for every worker that uses l, the coordinate of the largest sum of masses."""
    used = np.where(supports, masses[..., None], 0.0)
    heaviest = np.argmax(np.sum(used, axis=1), axis=1)
    return np.where(np.arange(supports.shape[2]) == heaviest[:, None, None], used, 0.0)


def _sigma(theorem: Theorem, batch: Batch) -> Array:
    supports = _supports(batch)
    largest = np.max(np.sum(supports, axis=1), axis=1)
    constant = stated(theorem.evaluate(workers=_WORKERS, column_count=largest).value)
    sums = _sums(np.where(supports, batch["vectors"], 0.0), 1.0, 1.0)
    attained = _sums(_at_column(supports, np.ones(supports.shape[:2])), 1.0, 1.0)
    return np.maximum(sums / constant, constant / attained)


def _order(theorem: Theorem, batch: Batch) -> Array:
    supports = _supports(batch)
    meets = np.any(supports[:, :, None] & supports[:, None], axis=3)  # I + A
    degrees = np.sum(meets, axis=2) - 1
    average = np.mean(degrees, axis=1)
    coord = np.max(np.sum(supports, axis=1), axis=1)
    spec = np.linalg.eigvalsh(meets.astype(float))[:, -1]
    tr = stated(theorem.evaluate(workers=_WORKERS, average_degree=average).value)
    F, Delta = np.sqrt(_WORKERS * (1 + average)), 1 + np.max(degrees, axis=1)
    return np.max([coord / spec, spec / tr, spec / Delta, tr / F], axis=0)


def _weighted(theorem: Theorem, batch: Batch) -> Array:
    supports, L = _supports(batch), batch["L_i"]
    p = batch["weights"] / np.sum(batch["weights"], axis=1, keepdims=True)
    masses = p * L
    L_supp = np.max(np.sum(masses[..., None] * supports, axis=1), axis=1)
    sums, attained = (
        _sums(vectors, p, p / L)
        for vectors in (np.where(supports, batch["vectors"], 0.0), _at_column(supports, masses) / p[..., None])
    )
    # f_i(x) = L_i/2 <a_i, x>^2 with a_i of unit length in the support of worker i.
    rows = batch["matrix"] / np.sqrt(square(batch["matrix"]))[..., None]
    smoothness = np.linalg.eigvalsh(np.sum(masses[..., None, None] * rows[..., :, None] * rows[..., None, :], axis=1))
    largest, Lambda = np.max(np.sum(supports, axis=1), axis=1), np.max(masses, axis=1)
    limit = stated(theorem.evaluate(workers=_WORKERS, column_count=largest, Lambda=Lambda).value)
    equal = np.max(np.sum(Lambda[:, None, None] * supports, axis=1), axis=1)  # L_supp if all p_i L_i were Lambda
    return np.max(
        [
            sums / L_supp,
            L_supp / attained,
            smoothness[:, -1] / L_supp,
            L_supp / np.minimum(np.sum(masses, axis=1), limit),
            limit / equal,
        ],
        axis=0,
    )


_MATRIX: Fields = {"matrix": Entries(rows=(_WORKERS,))}
_SUMS: Fields = {**_MATRIX, "vectors": Entries(rows=(_WORKERS,), zero=True)}
_WEIGHTED: Fields = {**_SUMS, "weights": Positive(0.01, 1.0, (_WORKERS,)), "L_i": Positive(0.01, 100.0, (_WORKERS,))}


def _graphs(fields: Fields, **shares: object) -> Iterator[Instance]:
    """Yield workers that all meet, a star, a path, and workers that never meet."""
    n = _WORKERS
    star, path = np.eye(n), np.eye(n)
    star[0], path[np.arange(n - 1), np.arange(1, n)] = 1.0, 1.0
    for matrix in (np.ones((n, n)), star, path, np.eye(n)):
        yield {**dict.fromkeys(fields, matrix.tolist()), **shares}


_EQUAL_SHARES = {"weights": [0.2] * _WORKERS, "L_i": [1.0] * _WORKERS}

FAMILIES = {
    "sparsity-sigma": Family(
        _SUMS,
        _sigma,
        "|sum u_i|^2 / sigma sum |u_i|^2, and sigma against what the fullest column attains",
        lambda: _graphs(_SUMS),
        (1, 3, 5, 10),
    ),
    "sparsity-order": Family(
        _MATRIX,
        _order,
        "a constant / the next in order, on the explicit conflict graph",
        lambda: _graphs(_MATRIX),
        (1, 3, 5, 10),
    ),
    "sparsity-weighted": Family(
        _WEIGHTED,
        _weighted,
        "|sum p_i u_i|^2, L and L_supp / their bounds, and those against what the heaviest column attains",
        lambda: _graphs(_SUMS, **_EQUAL_SHARES),
        (1, 3, 5, 10),
    ),
}
