"""How much the data of different workers overlap: sigma, L_supp and conflict degrees, from a sparse matrix.

Worker i holds rows whose non-zero columns form its support S_i; c_l is the number of workers with l in their support.
Workers are in conflict if their supports meet: Delta_i is the number of others that worker i is in conflict with.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from .array import check_count
from .bounds import Bracket, Estimate
from .partition import Partition
from .problems.spectrum import EPS, perron_bound

__all__ = ["DataSparsity", "data_sparsity", "estimated_degrees", "exact_data_sparsity", "sigma_spec_bound", "supports"]

LARGEST_GRAPH = 3000
"""Workers of which the conflict graph is formed, at most: a dense matrix of this order."""

_PIECE = 2**19  # entries looked at in one step of a pass over a matrix: a few megabytes of temporaries


@dataclass(frozen=True, eq=False)
class DataSparsity:
    """What the overlap of the workers' supports says about sums of their gradients.

    Every sigma here satisfies E ||sum_i u_i||^2 <= alpha sigma sum_i ||g_i||^2 for random u_i supported in S_i with
    E ||u_i||^2 <= alpha ||g_i||^2, whatever their dependence. sigma_coord <= sigma_spec <= min(sigma_tr, sigma_Delta)
    and sigma_tr <= sigma_F: sigma_coord is the best, and the only one that costs nothing to know.

    Parameters
    ----------
    workers : int
        n.
    sigma_coord : int
        max_l c_l, exact: the supremum of ||sum u_i||^2 / sum ||u_i||^2.
    sigma_spec : Bracket
        lambda_max(I + A), A the adjacency matrix of the conflict graph.
    sigma_tr : Bracket
        1 + sqrt((n - 1) average degree).
    sigma_F : Bracket
        sqrt(n (1 + average degree)), as published.
    sigma_Delta : Bracket
        1 + largest degree, as published.
    degree_lower, degree_upper : numpy.ndarray of int, shape (n,)
        Limits of every Delta_i.
    average_degree, largest_degree : Bracket
        Of the Delta_i.
    L_supp : float or None
        max_l of the sum of p_i L_i over the workers with l in their support, to rounding; None without L_i. F is
        L_supp-smooth.

    Notes
    -----
    Source: dossier chapter 2, `sparsity-sigma`, `sparsity-order`, `sparsity-weighted`.
    """

    workers: int
    sigma_coord: int
    sigma_spec: Bracket
    sigma_tr: Bracket
    sigma_F: Bracket
    sigma_Delta: Bracket
    degree_lower: NDArray[np.int64]
    degree_upper: NDArray[np.int64]
    average_degree: Bracket
    largest_degree: Bracket
    L_supp: float | None


def data_sparsity(matrix: Any, partition: Partition | None = None, L_i: ArrayLike | None = None) -> DataSparsity:
    """Compute sigma_coord and L_supp exactly and bracket everything else, in a few passes over the non-zeros.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array, shape (m, d)
        Rows of data, without explicit zeros and duplicates. An l2 regulariser in the f_i makes every support full:
        keep it out, at the server.
    partition : Partition, optional
        Rows and weight of every worker; by default each row is a worker, with the weights 1/n.
    L_i : array_like, shape (n,), optional
        Smoothness of every f_i, for L_supp.

    Returns
    -------
    DataSparsity

    Raises
    ------
    TypeError
        If the matrix is not CSR.
    ValueError
        If the matrix has explicit zeros, duplicate entries or entries that are not finite, a worker has no non-zero
        entry, the partition names a row that does not exist, or the L_i are not n positive numbers. The message says
        how to repair the matrix.

    Notes
    -----
    max over l in S_i of c_l - 1 <= Delta_i <= min(n - 1, sum over l in S_i of (c_l - 1)): nobody forms the conflict
    graph. Time O(non-zeros); memory one byte for each non-zero besides the matrix, or one more index for each if there
    is a partition or the indices are not sorted. A column that nobody uses changes nothing.
    Source: dossier chapter 2, section 2.4.

    Examples
    --------
    >>> rows = sparse.csr_array(np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0]]))
    >>> found = data_sparsity(rows, L_i=[5.0, 1.0, 9.0])
    >>> found.sigma_coord, found.L_supp, found.largest_degree
    (2, 3.0, Bracket(lower=1.0, upper=1.0))
    """
    support = supports(matrix, partition)
    n = support.shape[0]
    weights = np.stack([np.ones(n), _curvatures(partition, L_i, n)], axis=1)
    columns = np.zeros((support.shape[1], 2))
    for rows, indices, starts in _pieces(support):
        shape = (len(starts) - 1, support.shape[1])
        columns += sparse.csr_array((np.ones(indices.size), indices, starts), shape).T @ weights[rows]
    others = columns[:, 0].astype(np.int64) - 1
    lower, upper = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for rows, indices, starts in _pieces(support):
        conflicts = others.take(indices)
        lower[rows] = np.maximum.reduceat(conflicts, starts[:-1])
        upper[rows] = np.add.reduceat(conflicts, starts[:-1])
    upper = np.minimum(upper, n - 1)
    L_supp = None if L_i is None else float(columns[:, 1].max())
    return _from_degrees(int(others.max()) + 1, lower, upper, L_supp)


def exact_data_sparsity(matrix: Any, partition: Partition | None = None, L_i: ArrayLike | None = None) -> DataSparsity:
    """Compute every number of `data_sparsity` exactly, from the conflict graph of a few workers.

    Parameters
    ----------
    matrix, partition, L_i
        As in `data_sparsity`; at most `LARGEST_GRAPH` workers.

    Returns
    -------
    DataSparsity
        Brackets of width zero, but for sigma_spec: that of an eigenvalue solver.

    Examples
    --------
    >>> rows = sparse.csr_array(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]))  # a path: 0 - 1 - 2
    >>> exact = exact_data_sparsity(rows)
    >>> exact.degree_upper, exact.sigma_Delta.upper, round(exact.sigma_spec.upper, 4)
    (array([1, 2, 1]), 3.0, 2.4142)
    """
    support = supports(matrix, partition)
    n = support.shape[0]
    check_count(n, "the number of workers", highest=LARGEST_GRAPH)
    meets = (support @ support.T).toarray()
    degrees = meets.sum(axis=1, dtype=np.int64) - 1
    found = data_sparsity(matrix, partition, L_i)
    known = _from_degrees(found.sigma_coord, degrees, degrees, found.L_supp)
    largest = float(np.linalg.eigvalsh(meets.astype(np.float64))[-1])
    spread = n * EPS * largest  # LAPACK is backward stable
    return DataSparsity(**{**vars(known), "sigma_spec": Bracket(largest - spread, largest + spread)})


def sigma_spec_bound(matrix: Any, partition: Partition | None = None, steps: int = 10) -> float:
    """Bound sigma_spec from above by ||B||_2^2, B the 0-1 matrix of the supports, with a certificate.

    Parameters
    ----------
    matrix, partition
        As in `data_sparsity`.
    steps : int
        Power steps, of two products with B each; the bound is rigorous after any number of them.

    Returns
    -------
    float

    Notes
    -----
    I + A <= B B^T entry by entry, so lambda_max(I + A) <= ||B||_2^2 (Perron, Frobenius), which is at most
    max_j (B^T B x)_j / x_j for every positive x (Collatz 1942, Wielandt 1950). Memory: one double for each non-zero.
    It can exceed the upper limit of `data_sparsity`'s bracket; take the smaller of both.

    Examples
    --------
    >>> rows = sparse.csr_array(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]))
    >>> bound = sigma_spec_bound(rows, steps=100)
    >>> exact_data_sparsity(rows).sigma_spec.upper <= bound <= 3.2471
    True
    """
    steps = check_count(steps, "steps")
    support = supports(matrix, partition).astype(np.float64)
    n, d = support.shape
    return perron_bound(support, steps) * float(1 + (n + d) * EPS)


def estimated_degrees(
    matrix: Any, partition: Partition | None = None, sketch_size: int = 64, seed: Any = 0
) -> Estimate:
    """Estimate the degrees Delta_i from bottom-k sketches; no theorem takes the answer.

    Parameters
    ----------
    matrix, partition
        As in `data_sparsity`.
    sketch_size : int
        k >= 3: workers remembered for each column. The relative deviation is at most 1 / sqrt(k - 2).
    seed : int or numpy.random.Generator
        Of the order in which workers are ranked.

    Returns
    -------
    Estimate
        Of shape (n,): unbiased, and exact where 1 + Delta_i < k.

    Notes
    -----
    Workers are ranked at random; each column keeps the k lowest ranks of its workers, and worker i merges the sketches
    of its columns. If its k-th lowest distinct rank is r (from 0), then 1 + Delta_i is about n (k - 1) / r, without
    bias: r + 1 is the number of draws without replacement until the k-th hit (Haldane 1945). Time
    O(k non-zeros), memory about three indices for each. Source: dossier 2.4, with ranks in place of hashes.

    Examples
    --------
    >>> rows = sparse.csr_array(np.ones((500, 1)))  # all workers are in conflict
    >>> estimate = estimated_degrees(rows, sketch_size=64)
    >>> bool(np.abs(estimate.value - 499).max() < 3 * 499 * estimate.relative_deviation)
    True
    """
    sketch_size = check_count(sketch_size, "sketch_size", lowest=3)
    support = supports(matrix, partition)
    n = support.shape[0]
    ranked = support[np.random.default_rng(seed).permutation(n)].tocsc()
    ranked.sort_indices()
    sketch_end = np.minimum(ranked.indptr[:-1] + sketch_size, ranked.indptr[1:])
    ranks = np.append(ranked.indices, n)
    neighbours = np.empty(n)
    for rows, indices, starts in _pieces(support):
        sketches = ranked.indptr[indices], sketch_end[indices]
        neighbours[rows] = _merged(*sketches, starts, ranks, sketch_size, n)
    return Estimate(neighbours - 1, 1 / math.sqrt(sketch_size - 2))


def supports(matrix: Any, partition: Partition | None = None) -> Any:
    """Return the supports S_i as the rows of a sparse 0-1 matrix, shape (n, d).

    Parameters
    ----------
    matrix, partition
        As in `data_sparsity`, whose errors it raises.

    Returns
    -------
    scipy.sparse.csr_array of bool
        It shares the indices of the matrix if there is no partition.

    Examples
    --------
    >>> rows = sparse.csr_array(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]]))
    >>> supports(rows, Partition([[0, 1], [2]])).toarray()
    array([[ True,  True],
           [ True, False]])
    """
    _check_matrix(matrix)
    entries = int(matrix.indptr[-1])
    pattern = sparse.csr_array((np.ones(entries, dtype=bool), matrix.indices[:entries], matrix.indptr), matrix.shape)
    if partition is not None:
        held = np.concatenate(partition.indices)
        if held.max() >= matrix.shape[0]:
            raise ValueError(f"the partition names row {held.max()}; accepted: rows below {matrix.shape[0]}")
        starts = np.concatenate([[0], np.cumsum(partition.sizes)])
        # A product of matrices of booleans is the union of the rows.
        shape = (partition.workers, matrix.shape[0])
        pattern = sparse.csr_array((np.ones(held.size, dtype=bool), held, starts), shape) @ pattern
    for i in np.flatnonzero(np.diff(pattern.indptr) == 0)[:1]:
        repair = "drop empty rows with matrix[numpy.diff(matrix.indptr) > 0]" if partition is None else "give it others"
        raise ValueError(f"worker {i} has no non-zero entry in its rows; {repair}")
    return pattern


def _check_matrix(matrix: Any) -> None:
    if not sparse.issparse(matrix) or matrix.format != "csr":
        kind = f"{matrix.format.upper()} matrix" if sparse.issparse(matrix) else type(matrix).__name__
        raise TypeError(f"matrix is a {kind}; accepted: CSR, as from scipy.sparse.csr_array(matrix)")
    if len(matrix.shape) != 2 or 0 in matrix.shape:
        raise ValueError(f"matrix has the shape {matrix.shape}; accepted: (m, d), neither zero")
    entries = matrix.data[: int(matrix.indptr[-1])]
    for start in range(0, entries.size, _PIECE):
        magnitudes = np.abs(entries[start : start + _PIECE])
        smallest, largest = magnitudes.min(), magnitudes.max()  # NaN, if there is one
        if not np.isfinite(smallest) or not np.isfinite(largest):
            raise ValueError("matrix has entries that are NaN or infinite; accepted: finite numbers")
        if smallest == 0:
            at = start + int(np.argmin(magnitudes))
            raise ValueError(f"matrix has an explicit zero at {_place(matrix, at)}; call matrix.eliminate_zeros()")
    ordered = matrix
    if not matrix.has_sorted_indices:
        ordered = sparse.csr_array(
            (np.ones(entries.size, dtype=bool), matrix.indices.copy(), matrix.indptr), matrix.shape
        )
        ordered.sort_indices()
    if not ordered.has_canonical_format:
        repeated = np.flatnonzero(np.diff(ordered.indices) == 0)
        # The last column of one row may be the first of the next.
        at = repeated[~np.isin(repeated + 1, ordered.indptr)][0]
        raise ValueError(f"matrix has two entries at {_place(ordered, at)}; call matrix.sum_duplicates()")


def _place(matrix: Any, entry: int) -> str:
    row = int(np.searchsorted(matrix.indptr, entry, side="right")) - 1
    return f"row {row}, column {matrix.indices[entry]}"


def _curvatures(partition: Partition | None, L_i: ArrayLike | None, n: int) -> NDArray[np.float64]:
    if L_i is None:
        return np.zeros(n)
    smoothness = np.asarray(L_i, dtype=np.float64)
    if smoothness.shape != (n,) or not (np.isfinite(smoothness) & (smoothness > 0)).all():
        raise ValueError(f"L_i of shape {smoothness.shape}; accepted: {n} positive numbers")
    return smoothness / n if partition is None else partition.weights * smoothness


def _pieces(support: Any) -> Iterator[tuple[slice, NDArray[Any], NDArray[Any]]]:
    """Yield consecutive rows, a bounded number of entries each: which rows, their columns, where each row starts."""
    starts, row = support.indptr, 0
    while row < support.shape[0]:
        end = max(row + 1, int(np.searchsorted(starts, int(starts[row]) + _PIECE, side="right")) - 1)
        yield slice(row, end), support.indices[starts[row] : starts[end]], starts[row : end + 1] - starts[row]
        row = end


def _from_degrees(
    sigma_coord: int, lower: NDArray[np.int64], upper: NDArray[np.int64], L_supp: float | None
) -> DataSparsity:
    n = len(lower)
    average = Bracket(float(lower.mean()), float(upper.mean()))
    largest = Bracket(float(lower.max()), float(upper.max()))
    tr = Bracket(*(1 + math.sqrt((n - 1) * limit) for limit in (average.lower, average.upper)))
    return DataSparsity(
        workers=n,
        sigma_coord=sigma_coord,
        # 1 + average degree is the Rayleigh quotient of I + A at the vector of ones.
        sigma_spec=Bracket(max(sigma_coord, 1 + average.lower), min(tr.upper, 1 + largest.upper)),
        sigma_tr=tr,
        sigma_F=Bracket(*(math.sqrt(n * (1 + limit)) for limit in (average.lower, average.upper))),
        sigma_Delta=Bracket(1 + largest.lower, 1 + largest.upper),
        degree_lower=lower,
        degree_upper=upper,
        average_degree=average,
        largest_degree=largest,
        L_supp=L_supp,
    )


def _merged(
    pointer: NDArray[Any],
    end: NDArray[Any],
    starts: NDArray[Any],
    ranks: NDArray[Any],
    sketch_size: int,
    n: int,
) -> NDArray[np.float64]:
    """Return the estimates of 1 + Delta_i for some rows, from the sketches of their columns.

    Every entry of the rows has a pointer into the sketch of its column; in each round a row takes the lowest rank that
    its pointers see, and the pointers that see it move on.
    """
    lengths = np.diff(starts)
    neighbours = np.full(len(lengths), -1.0)
    for taken in range(sketch_size):
        seen = np.where(pointer < end, ranks[pointer], n)
        lowest = np.minimum.reduceat(seen, starts[:-1])
        neighbours[(lowest == n) & (neighbours < 0)] = taken
        pointer += (seen == np.repeat(lowest, lengths)) & (seen < n)
    unknown = neighbours < 0
    neighbours[unknown] = n * (sketch_size - 1) / lowest[unknown]
    return neighbours
