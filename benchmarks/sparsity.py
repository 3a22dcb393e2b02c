"""Sigma, L_supp and the brackets of a 200,000 x 47,000 matrix with 1.5e7 non-zeros, against one product A @ x."""

import sys
import tracemalloc

from ratios import Target, median_seconds, report

import numpy as np  # isort: skip  (after ratios, which sets the number of threads)
from scipy import sparse

from taciturn.solvers.partition import split_iid
from taciturn.solvers.sparsity import data_sparsity, sigma_spec_bound

ROWS, COLUMNS, ENTRIES = 200_000, 47_000, 15_000_000
MEMORY_LIMIT = 2.0


def random_matrix(rng):
    """Rows of as many draws each, with column l drawn in proportion to 1 / (l + 50): words of a text."""
    draws = ENTRIES // ROWS
    popularity = np.log1p(np.arange(COLUMNS + 1) / 50)
    columns = np.searchsorted(popularity, rng.random((ROWS, draws)) * popularity[-1], side="right") - 1
    starts = np.arange(0, ENTRIES + 1, draws)
    matrix = sparse.csr_array((rng.random(ENTRIES), columns.astype(np.int32).ravel(), starts.astype(np.int32)))
    matrix.sum_duplicates()
    return matrix


def extra_memory(matrix, action):
    """Peak allocation of an action, in units of the matrix."""
    size = matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes
    tracemalloc.start()
    action()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / size


def main() -> bool:
    rng = np.random.default_rng(0)
    matrix = random_matrix(rng)
    rows, columns = matrix.shape
    x, L_i = rng.random(columns), rng.random(rows) + 0.5
    partition = split_iid(rows, 100, seed=0)
    print(f"{rows} x {columns}, {matrix.nnz} non-zeros")

    def unknown():
        """The same arrays in a matrix that SciPy has not checked yet, so that every call checks it."""
        return sparse.csr_array((matrix.data, matrix.indices, matrix.indptr), matrix.shape)

    actions = {
        "one row a worker": lambda: data_sparsity(unknown(), L_i=L_i),
        "100 workers": lambda: data_sparsity(unknown(), partition, L_i[:100]),
        "spectral bound, 1 step": lambda: sigma_spec_bound(unknown(), steps=1),
    }
    seconds = median_seconds({"A @ x": lambda: matrix @ x, **actions}, repetitions=5)
    met = [report("Data sparsity", seconds, [Target("one row a worker", "A @ x", 10.0)])]
    for name, action in actions.items():
        memory = extra_memory(matrix, action)
        met.append(memory <= MEMORY_LIMIT)
        print(f"  {name}: extra memory / matrix = {memory:.3g} (at most {MEMORY_LIMIT:g})")
    found = data_sparsity(matrix, L_i=L_i)
    print(f"  sigma_coord = {found.sigma_coord}, L_supp = {found.L_supp:.6g}, sigma_spec in {found.sigma_spec}")
    print(f"  sigma_F in {found.sigma_F}, sigma_Delta in {found.sigma_Delta}")
    return all(met)


if __name__ == "__main__":
    sys.exit(not main())
