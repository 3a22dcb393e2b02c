from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

from taciturn.solvers.array import to_numpy
from taciturn.solvers.bounds import Estimate
from taciturn.solvers.data import load_text
from taciturn.solvers.partition import Partition, split_iid
from taciturn.solvers.sparsity import (
    data_sparsity,
    estimated_degrees,
    exact_data_sparsity,
    sigma_spec_bound,
    supports,
)

SIGMAS = ("sigma_spec", "sigma_tr", "sigma_F", "sigma_Delta")


def random_rows(rng):
    """A small CSR matrix without empty rows: uniform, skewed, or with supports that are intervals."""
    rows, columns = rng.integers(1, 14), rng.integers(1, 20)
    kind = rng.integers(3)
    if kind == 0:
        dense = rng.random((rows, columns)) < rng.choice([0.05, 0.2, 0.6])
    elif kind == 1:
        dense = rng.random((rows, columns)) < 1 / (1 + np.arange(columns))
    else:
        start = rng.integers(0, columns, rows)[:, None]
        dense = (np.arange(columns) >= start) & (np.arange(columns) < start + 3)
    dense[np.arange(rows), rng.integers(0, columns, rows)] = True
    return sparse.csr_array(np.where(dense, rng.standard_normal((rows, columns)), 0.0))


def random_partition(rng, rows):
    workers = int(rng.integers(1, rows + 1))
    return split_iid(rows, workers, seed=int(rng.integers(1000)))


def by_hand(matrix, partition):
    """Supports as sets, and the conflict graph over all pairs."""
    rows = partition.indices if partition else [[row] for row in range(matrix.shape[0])]
    dense = matrix.toarray() != 0
    sets = [set(np.flatnonzero(dense[list(held)].any(axis=0)).tolist()) for held in rows]
    meets = np.array([[float(bool(a & b)) for b in sets] for a in sets])
    return sets, meets


CASES = []
for seed in range(200):
    generator = np.random.default_rng(seed)
    drawn = random_rows(generator)
    CASES.append((drawn, random_partition(generator, drawn.shape[0]) if seed % 2 else None))


def test_sigmas_are_what_the_conflict_graph_gives_on_200_small_matrices():
    for matrix, partition in CASES:
        sets, meets = by_hand(matrix, partition)
        n = len(sets)
        L_i = 1 + np.arange(n) % 3
        p = partition.weights if partition else np.full(n, 1 / n)
        found = data_sparsity(matrix, partition, L_i)
        exact = exact_data_sparsity(matrix, partition, L_i)
        columns = range(matrix.shape[1])
        degrees = meets.sum(axis=1) - 1
        expected = {
            "sigma_spec": np.linalg.eigvalsh(meets)[-1],
            "sigma_tr": 1 + np.sqrt((n - 1) * degrees.mean()),
            "sigma_F": np.sqrt(n * (1 + degrees.mean())),
            "sigma_Delta": 1 + degrees.max(),
        }

        assert found.workers == n
        assert found.sigma_coord == max(sum(column in support for support in sets) for column in columns)
        weighted = max(sum(p[i] * L_i[i] for i in range(n) if column in sets[i]) for column in columns)
        np.testing.assert_allclose(found.L_supp, weighted, rtol=1e-14)
        assert (found.degree_lower <= degrees).all()
        assert (degrees <= found.degree_upper).all()
        np.testing.assert_array_equal(exact.degree_upper, degrees)
        for name, value in expected.items():
            assert getattr(found, name).contains(value, tolerance=1e-14), name
            np.testing.assert_allclose(getattr(exact, name).upper, value, rtol=1e-13)
            np.testing.assert_allclose(getattr(exact, name).lower, value, rtol=1e-13)
        for steps in (1, 20):
            assert sigma_spec_bound(matrix, partition, steps) >= expected["sigma_spec"] * (1 - 1e-14)


def test_brackets_are_tight_where_supports_are_disjoint_or_all_meet():
    disjoint = data_sparsity(sparse.csr_array(np.eye(5)))
    assert [getattr(disjoint, name).upper for name in SIGMAS] == [1, 1, pytest.approx(5**0.5), 1]
    star = data_sparsity(sparse.csr_array(np.hstack([np.ones((5, 2)), np.eye(5)])))
    assert star.sigma_coord == 5
    assert all(getattr(star, name).is_exact and getattr(star, name).upper == pytest.approx(5) for name in SIGMAS)


def test_sigma_spec_bound_tends_to_the_squared_norm_from_above():
    for matrix, partition in CASES[:40]:
        norm = np.linalg.norm(supports(matrix, partition).toarray().astype(float), 2) ** 2
        bounds = [sigma_spec_bound(matrix, partition, steps) for steps in (1, 3, 10, 1000)]
        assert all(earlier >= later * (1 - 1e-12) for earlier, later in pairwise(bounds))
        assert norm * (1 - 1e-13) <= bounds[-1] <= norm * (1 + 1e-5)


def test_sigma_coord_is_attained():
    rng = np.random.default_rng(0)
    matrix = random_rows(rng)
    found = data_sparsity(matrix)
    pattern = supports(matrix).toarray()
    column = int(pattern.sum(axis=0).argmax())
    vectors = np.where(pattern[:, column, None], np.eye(matrix.shape[1])[column], 0.0)
    assert (vectors.sum(axis=0) ** 2).sum() / (vectors**2).sum() == found.sigma_coord


def test_pieces_do_not_matter(monkeypatch):
    matrix = sparse.random_array((60, 30), density=0.2, rng=np.random.default_rng(0), format="csr")
    matrix = sparse.csr_array(matrix + sparse.eye_array(60, 30))
    matrix = matrix[np.diff(matrix.indptr) > 0]
    whole, sketch = data_sparsity(matrix), to_numpy(estimated_degrees(matrix, sketch_size=8).value)
    monkeypatch.setattr("taciturn.solvers.sparsity._PIECE", 7)

    pieces = data_sparsity(matrix)
    assert pieces.sigma_coord == whole.sigma_coord
    np.testing.assert_array_equal(pieces.degree_upper, whole.degree_upper)
    np.testing.assert_array_equal(pieces.degree_lower, whole.degree_lower)
    np.testing.assert_array_equal(estimated_degrees(matrix, sketch_size=8).value, sketch)


def test_sketches_are_exact_for_few_neighbours():
    for matrix, partition in CASES[:60]:
        degrees = by_hand(matrix, partition)[1].sum(axis=1) - 1
        np.testing.assert_array_equal(estimated_degrees(matrix, partition, sketch_size=16).value, degrees)


def test_sketches_are_unbiased_with_the_deviation_they_state():
    rng = np.random.default_rng(1)
    matrix = sparse.csr_array(
        (rng.random((300, 40)) < 0.05) | (np.arange(300)[:, None] % 40 == np.arange(40)), dtype=float
    )
    degrees = by_hand(matrix, None)[1].sum(axis=1) - 1
    estimates = [estimated_degrees(matrix, sketch_size=10, seed=seed) for seed in range(400)]
    values = np.array([estimate.value for estimate in estimates])
    deviation = estimates[0].relative_deviation
    np.testing.assert_allclose(deviation, 8**-0.5, rtol=1e-15)
    assert degrees.min() > 10  # all are estimated
    assert (np.abs(values.mean(axis=0) / degrees - 1) < 5 * deviation / 20).all()
    assert (values.std(axis=0) <= 1.15 * deviation * (1 + degrees)).all()
    assert values.std(axis=0).min() > 0.3 * deviation * degrees.min()  # they are not the degrees themselves


def test_an_estimate_is_labelled():
    estimate = estimated_degrees(CASES[0][0])
    assert isinstance(estimate, Estimate)
    with pytest.raises(TypeError, match="not a bound"):
        np.sqrt(estimate)


def test_bundled_text():
    features = load_text().features
    found = data_sparsity(features[np.diff(features.indptr) > 0])
    assert found.workers == 6045
    assert found.sigma_coord == int(np.bincount(features.indices).max())
    assert found.sigma_coord <= found.sigma_spec.upper <= found.sigma_F.upper


def unsorted(matrix):
    mixed = matrix.copy()
    for row in range(matrix.shape[0]):
        piece = slice(matrix.indptr[row], matrix.indptr[row + 1])
        mixed.indices[piece] = matrix.indices[piece][::-1]
    mixed.has_sorted_indices = False
    return mixed


def test_unsorted_indices_are_as_good():
    for matrix, partition in CASES[:20]:
        assert data_sparsity(unsorted(matrix), partition).sigma_coord == data_sparsity(matrix, partition).sigma_coord


def with_entries(data, indices, indptr=(0, 2, 3)):
    return sparse.csr_array((np.array(data), np.array(indices), np.array(indptr)), shape=(2, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: data_sparsity(np.eye(2)), TypeError, "matrix is a ndarray; accepted: CSR"),
        (
            lambda: data_sparsity(sparse.csc_array(np.eye(2))),
            TypeError,
            r"matrix is a CSC matrix; .*csr_array\(matrix\)",
        ),
        (lambda: data_sparsity(sparse.csr_array((0, 3))), ValueError, r"shape \(0, 3\)"),
        (
            lambda: data_sparsity(with_entries([1.0, 2.0, 0.0], [0, 1, 2])),
            ValueError,
            r"explicit zero at row 1, column 2; call matrix.eliminate_zeros\(\)",
        ),
        (
            lambda: data_sparsity(with_entries([1.0, 2.0, 3.0], [1, 1, 1])),
            ValueError,
            r"two entries at row 0, column 1; call matrix.sum_duplicates\(\)",
        ),
        (
            lambda: data_sparsity(with_entries([1.0, 2.0, 3.0, 4.0], [0, 2, 0, 2], (0, 1, 4))),
            ValueError,
            "two entries at row 1, column 2",
        ),
        (lambda: data_sparsity(with_entries([1.0, np.nan, 3.0], [0, 1, 2])), ValueError, "NaN or infinite"),
        (
            lambda: data_sparsity(with_entries([1.0, 2.0, 3.0], [0, 1, 2], (0, 3, 3))),
            ValueError,
            "worker 1 has no non-zero entry in its rows; drop empty rows",
        ),
        (
            lambda: data_sparsity(with_entries([1.0, 2.0, 3.0], [0, 1, 2], (0, 3, 3)), Partition([[0], [1]])),
            ValueError,
            "worker 1 has no non-zero entry in its rows; give it others",
        ),
        (lambda: data_sparsity(CASES[0][0], Partition([[10**6]])), ValueError, "names row 1000000"),
        (
            lambda: data_sparsity(with_entries([1.0, 2.0, 3.0], [0, 1, 2]), L_i=[1.0]),
            ValueError,
            r"L_i of shape \(1,\)",
        ),
        (lambda: data_sparsity(with_entries([1.0, 2.0, 3.0], [0, 1, 2]), L_i=[1.0, 0.0]), ValueError, "2 positive num"),
        (lambda: exact_data_sparsity(sparse.csr_array(np.ones((3001, 1)))), ValueError, "the number of workers = 3001"),
        (lambda: estimated_degrees(CASES[0][0], sketch_size=2), ValueError, "sketch_size = 2"),
        (lambda: sigma_spec_bound(CASES[0][0], steps=0), ValueError, "steps = 0"),
    ],
)
def test_bad_input_is_refused_with_the_repair(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_empty_row_inside_a_worker_and_an_empty_column_change_nothing():
    matrix = sparse.csr_array(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    found = data_sparsity(matrix, Partition([[0, 1], [2]]))
    assert found.sigma_coord == 2
    assert found.largest_degree.is_exact
