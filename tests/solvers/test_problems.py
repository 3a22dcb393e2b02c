import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import svds

from taciturn.solvers.data import load_text
from taciturn.solvers.partition import Partition, split_by_label, split_iid
from taciturn.solvers.problems import (
    heterogeneous_quadratic,
    logistic_regression,
    quadratic,
    quadratic_with_spectrum,
    ridge_regression,
    softmax_regression,
    spectrum,
)

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((40, 6)) * [3, 1, 1, 0.5, 0.2, 0.1]
SPARSE = sparse.random_array((40, 6), density=0.4, rng=np.random.default_rng(1), format="csr")
SIGNS = np.where(RNG.random(40) < 0.4, 1.0, -1.0)
CLASSES = np.arange(40) % 3
TARGETS = RNG.standard_normal(40)

PROBLEMS = {
    "diagonal": quadratic_with_spectrum([1.0, 0.5, 0.3, 0.2, 0.1, 0.01], minimiser=np.arange(6.0)),
    "rotated": quadratic_with_spectrum([1.0, 0.5, 0.3, 0.2, 0.1, 0.01], seed=1),
    "heterogeneous": heterogeneous_quadratic(4, 6, L=2.0, mu=0.1, spread=1.0, seed=2, weights=[0.1, 0.2, 0.3, 0.4]),
    "heterogeneous-diagonal": quadratic(RNG.random((3, 6)), RNG.standard_normal((3, 6))),
    "ridge": ridge_regression(FEATURES, TARGETS, 0.1),
    "ridge-wide": ridge_regression(FEATURES[:4], TARGETS[:4], 0.1),
    "ridge-csr": ridge_regression(SPARSE, TARGETS, 0.1),
    "logistic": logistic_regression(FEATURES, SIGNS, 0.1),
    "logistic-csr": logistic_regression(SPARSE, SIGNS, 0.1),
    "logistic-split": logistic_regression(FEATURES, SIGNS, 0.1).split(split_iid(40, 7, seed=0)),
    "logistic-csr-split": logistic_regression(SPARSE, SIGNS, 0.1).split(split_by_label(SIGNS, 3)),
    "softmax": softmax_regression(FEATURES, CLASSES, 0.1),
    "softmax-csr-split": softmax_regression(SPARSE, CLASSES, 0.1).split(split_by_label(CLASSES, 2)),
}
EVERY = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())


def dense_hessian(problem, x):
    return np.stack([problem.hessian_product(x, e) for e in np.eye(problem.d)])


def some_point(problem, *shape, seed=3):
    return np.random.default_rng(seed).standard_normal((*shape, problem.d))


@EVERY
def test_gradient_is_the_derivative_of_the_objective(problem):
    x, step = some_point(problem), 1e-5
    differences = [
        (problem.objective(x + step * e) - problem.objective(x - step * e)) / (2 * step) for e in np.eye(problem.d)
    ]
    np.testing.assert_allclose(problem.gradient(x), differences, rtol=1e-7, atol=1e-8)


@EVERY
def test_hessian_is_the_derivative_of_the_gradient(problem):
    x, v, step = some_point(problem), some_point(problem, seed=4), 1e-5
    difference = (problem.gradient(x + step * v) - problem.gradient(x - step * v)) / (2 * step)
    np.testing.assert_allclose(problem.hessian_product(x, v), difference, rtol=1e-6, atol=1e-8)


@EVERY
def test_replicas_agree_with_single_points(problem):
    points = some_point(problem, 2, 3)
    values, gradients = problem.value_and_worker_gradients(points)
    assert values.shape == (2, 3)
    assert gradients.shape == (2, 3, problem.workers, problem.d)
    for index in np.ndindex(2, 3):
        value, gradient = problem.value_and_worker_gradients(points[index])
        np.testing.assert_allclose(values[index], value, rtol=1e-12)
        np.testing.assert_allclose(gradients[index], gradient, rtol=1e-12, atol=1e-14)


@EVERY
def test_local_gradients_are_those_of_each_worker_at_its_own_point(problem):
    points = some_point(problem, problem.workers)
    expected = [problem.worker_gradients(point)[i] for i, point in enumerate(points)]
    np.testing.assert_allclose(problem.local_gradients(points), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(problem.gradient(points[0]), problem.weights @ problem.worker_gradients(points[0]))


@pytest.mark.parametrize("name", PROBLEMS)
def test_constants_bound_the_hessian(name):
    """Equality at 0, but for softmax: with three classes its curvature is below that of two."""
    problem = PROBLEMS[name]
    eigenvalues = np.linalg.eigvalsh(dense_hessian(problem, np.zeros(problem.d)))
    lower, upper = problem.mu, problem.L
    assert lower <= eigenvalues[0] * (1 + 1e-12)
    assert upper >= eigenvalues[-1]
    assert "softmax" in name or upper <= eigenvalues[-1] * (1 + 1e-12)
    assert upper <= problem.weights @ problem.L_i * (1 + 1e-12)
    assert problem.L_max == max(problem.L_i)


@pytest.mark.parametrize("name", ["diagonal", "rotated", "heterogeneous", "ridge", "ridge-wide", "ridge-csr"])
def test_strong_convexity_of_quadratic_functions_is_exact(name):
    problem = PROBLEMS[name]
    eigenvalues = np.linalg.eigvalsh(dense_hessian(problem, np.zeros(problem.d)))
    np.testing.assert_allclose(problem.mu, eigenvalues[0], rtol=1e-10)


@EVERY
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([1e-3, 1.0, 30.0]))
def test_smoothness_and_strong_convexity_hold_between_random_points(problem, seed, scale):
    x, y = scale * some_point(problem, 2, seed=seed)
    (value_x, value_y), (gradient, _) = problem.value_and_gradient(np.stack([x, y]))
    linear = value_y - value_x - gradient @ (y - x)
    half_square = 0.5 * (y - x) @ (y - x)
    rounding = 1e-13 * (1 + value_x + value_y + abs(gradient @ (y - x)))
    assert problem.mu * half_square - rounding <= linear <= problem.L * half_square + rounding


@EVERY
def test_minimiser_is_certified_by_its_residual(problem):
    reference = problem.reference
    gradient = problem.gradient(reference.minimiser)
    assert np.linalg.norm(gradient) <= 1e-12
    np.testing.assert_allclose(reference.minimum_error, gradient @ gradient / (2 * problem.mu), rtol=1e-6, atol=1e-300)
    assert reference.minimum == problem.objective(reference.minimiser)
    nearby = reference.minimiser + 1e-3 * some_point(problem, 20)
    assert np.all(problem.objective(nearby) > reference.minimum)


def test_ridge_has_the_minimiser_of_the_normal_equations():
    hessian = FEATURES.T @ FEATURES / 40 + 0.1 * np.eye(6)
    expected = np.linalg.solve(hessian, FEATURES.T @ TARGETS / 40)
    np.testing.assert_allclose(PROBLEMS["ridge"].minimiser, expected, rtol=1e-10)


def test_one_node_quadratic_has_exactly_the_given_minimiser():
    problem = quadratic_with_spectrum([1.0, 1e-9], seed=5, minimiser=[3.0, -2.0])
    np.testing.assert_array_equal(problem.minimiser, [3.0, -2.0])
    assert (problem.minimum, problem.minimum_error) == (0.0, 0.0)


@pytest.mark.parametrize("seed", [None, 3])
def test_rank_deficient_quadratics_have_minimisers(seed):
    problem = quadratic_with_spectrum([1.0, 0.2, 0.0, 0.0], seed=seed, minimiser=[1.0, 2.0, 3.0, 4.0])
    assert problem.mu == 0.0
    assert problem.condition_number == np.inf
    several = quadratic([problem.hessians[0], 2 * problem.hessians[0]], [problem.minimisers[0], np.zeros(4)])
    assert several.mu == 0.0
    assert np.linalg.norm(several.gradient(several.minimiser)) <= 1e-14
    assert several.minimum > 0
    assert several.minimum_error < 1e-28


def test_flat_quadratic_is_minimal_everywhere():
    problem = quadratic(np.zeros((1, 2)), np.ones((1, 2)))
    assert (problem.L, problem.minimum, problem.minimum_error) == (0.0, 0.0, 0.0)


def test_prescribed_spectrum_survives_the_rotation():
    eigenvalues = np.geomspace(1e-4, 10.0, 30)
    problem = quadratic_with_spectrum(eigenvalues, seed=0)
    np.testing.assert_allclose(np.linalg.eigvalsh(problem.hessians[0]), eigenvalues, rtol=1e-9)
    assert abs(problem.hessians[0][0, 1]) > 1e-3


def test_heterogeneous_quadratics_differ_and_keep_their_constants():
    problem = heterogeneous_quadratic(5, 8, L=3.0, mu=0.5, spread=2.0, seed=1)
    np.testing.assert_allclose(problem.L_i, 3.0, rtol=1e-12)
    assert 0.5 < problem.mu < problem.L < 3.0
    gradients = problem.worker_gradients(problem.minimiser)
    assert np.linalg.norm(gradients, axis=1).min() > 0.1
    common = heterogeneous_quadratic(5, 8, L=3.0, mu=0.5, spread=0.0, seed=1)
    assert not np.any(common.worker_gradients(np.zeros(8)))


def test_splitting_by_shares_leaves_the_function_unchanged():
    whole, split = PROBLEMS["logistic"], PROBLEMS["logistic-split"]
    x = some_point(whole)
    np.testing.assert_allclose(split.objective(x), whole.objective(x), rtol=1e-14)
    np.testing.assert_allclose(split.gradient(x), whole.gradient(x), rtol=1e-12)
    np.testing.assert_allclose(split.L, whole.L, rtol=1e-12)


def test_worker_holds_the_rows_of_its_partition_with_its_weight():
    partition = Partition([[3, 5], [0]], weights=[0.9, 0.1])
    split = ridge_regression(SPARSE, TARGETS, 0.2).split(partition)
    mine = ridge_regression(SPARSE.toarray()[[3, 5]], TARGETS[[3, 5]], 0.2)
    x = some_point(split)
    np.testing.assert_allclose(split.worker_gradients(x)[0], mine.gradient(x), rtol=1e-12)
    np.testing.assert_allclose(split.L_i[0], mine.L, rtol=1e-12)
    np.testing.assert_allclose(split.gradient(x), [0.9, 0.1] @ split.worker_gradients(x), rtol=1e-12)


def test_extreme_scores_overflow_nowhere():
    problem = logistic_regression(np.array([[1e4], [-1e4]]), [1, 1], 0.0)
    value, gradient = problem.value_and_gradient(np.array([1.0]))
    np.testing.assert_allclose([value, gradient[0]], [5000.0, 5000.0])
    softmax = softmax_regression(np.array([[1e4], [1e4]]), [0, 1], 0.0)
    np.testing.assert_allclose(softmax.objective(np.array([1.0, -1.0])), 1e4)


def nonnegative(m, d, density, seed):
    rows = sparse.random_array((m, d), density=density, rng=np.random.default_rng(seed), format="csr")
    return rows + sparse.csr_array((np.ones(m), (np.arange(m), np.zeros(m, int))), shape=(m, d))


@pytest.mark.parametrize("make", [lambda rows: rows, lambda rows: rows.toarray()], ids=["csr", "dense"])
def test_perron_bound_is_an_upper_bound_and_sharp(monkeypatch, make):
    rows = nonnegative(60, 90, 0.1, seed=2)
    weights = np.random.default_rng(3).random(60)
    exact = np.linalg.eigvalsh(rows.toarray().T * weights @ rows.toarray())[-1]
    monkeypatch.setattr(spectrum, "DENSE", 0)
    smallest, largest = spectrum.gram_bounds(make(rows), weights)
    assert smallest == 0.0
    assert exact <= largest <= exact * (1 + 2e-6)


def test_perron_bound_holds_for_data_in_unconnected_pieces(monkeypatch):
    """The iteration starves the weaker piece; the bound must not forget it, nor a column of zeros."""
    rows = sparse.block_diag([nonnegative(5, 4, 0.5, 0), 0.9 * nonnegative(5, 4, 0.5, 0), np.zeros((1, 2))], "csr")
    monkeypatch.setattr(spectrum, "DENSE", 0)
    exact = np.linalg.eigvalsh((rows.T @ rows).toarray())[-1]
    largest = spectrum.gram_bounds(rows, np.ones(11))[1]
    assert exact <= largest <= exact * (1 + 2e-6)


def test_perron_bound_survives_entries_that_die_out(monkeypatch):
    """Two nearly equal pieces keep the iteration going until the entries of a third would be rounded to zero."""
    rows = sparse.block_diag([np.ones((2, 2)), 0.9999 * np.ones((2, 2)), 1e-3 * np.ones((2, 2))], "csr")
    monkeypatch.setattr(spectrum, "DENSE", 0)
    assert 4.0 <= spectrum.gram_bounds(rows, np.ones(6))[1] <= 4.0 * (1 + 2e-6)


@pytest.mark.parametrize(("found", "noise"), [(slice(-20, None), 0.03), (slice(-21, -1), 0.0)], ids=["rough", "missed"])
def test_deflated_trace_bound_holds_for_ritz_vectors_that_did_not_converge(monkeypatch, found, noise):
    rng = np.random.default_rng(4)
    rows = rng.standard_normal((50, 60)) * np.sqrt(0.5 ** np.arange(60))
    gram = rows.T @ rows
    exact, vectors = np.linalg.eigh(gram)

    def poor_eigsh(operator, k, v0):
        basis = np.linalg.qr(vectors[:, found] + noise * rng.standard_normal((60, k)))[0]
        theta, rotation = np.linalg.eigh(basis.T @ gram @ basis)
        assert theta[-1] < exact[-1] * (1 - 1e-4)
        return theta, basis @ rotation

    monkeypatch.setattr(spectrum, "DENSE", 0)
    monkeypatch.setattr(spectrum, "eigsh", poor_eigsh)
    assert exact[-1] <= spectrum.gram_bounds(rows, np.ones(50))[1] <= 2 * exact[-1]


@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_deflated_trace_bound_is_an_upper_bound(monkeypatch, decay):
    """Sharp if the spectrum decays, loose but valid if it does not."""
    rng = np.random.default_rng(4)
    rows = rng.standard_normal((50, 60)) * np.sqrt(decay ** np.arange(60))
    monkeypatch.setattr(spectrum, "DENSE", 0)
    exact = np.linalg.eigvalsh(rows.T @ rows / 50)[-1]
    largest = spectrum.gram_bounds(rows, np.full(50, 1 / 50))[1]
    assert exact <= largest <= exact * (1 + 1e-9 if decay == 0.5 else 20)


@pytest.mark.parametrize("shape", [(30, 7), (7, 30)])
def test_dense_gram_bounds_are_sharp_on_both_sides(shape):
    rows = np.random.default_rng(5).standard_normal(shape)
    eigenvalues = np.linalg.eigvalsh(rows.T @ rows)
    smallest, largest = spectrum.gram_bounds(rows, np.ones(shape[0]))
    assert eigenvalues[-1] <= largest <= eigenvalues[-1] * (1 + 1e-12)
    assert 0 <= smallest <= max(eigenvalues[0], 0)
    assert smallest >= eigenvalues[0] - 1e-12 * eigenvalues[-1]


def test_bundled_text_has_tight_constants_and_a_certified_minimiser():
    text = load_text()
    problem = logistic_regression(text.features, text.targets, 1 / 6046)
    largest = svds(text.features, k=1, return_singular_vectors=False, rng=np.random.default_rng(0))[0] ** 2
    smoothness = problem.L
    assert 0 <= smoothness - (largest / 4 + 1) / 6046 <= 2e-6 * smoothness
    assert problem.mu == 1 / 6046
    assert problem.minimum_error < 1e-20


# ---- other libraries: the same numbers, to rounding (float64: 1e-12, float32: 1e-5, relative to the largest) ----


def check_agreement(problem, like, tolerance, convert):
    carried = problem.on(like)
    x = some_point(problem, 3)
    point = convert(x)
    for name in ("objective", "gradient", "worker_gradients"):
        expected, found = getattr(problem, name)(x), getattr(carried, name)(point)
        assert type(found) is type(like)
        assert found.dtype == like.dtype
        np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=tolerance * np.abs(expected).max())
    assert carried.constants is problem.constants
    assert carried.minimiser.dtype == like.dtype
    np.testing.assert_allclose(np.asarray(carried.minimiser), problem.minimiser, rtol=1e-6, atol=1e-6)


@EVERY
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_torch_agrees_with_numpy(problem, dtype, tolerance):
    torch = pytest.importorskip("torch")
    like = torch.zeros(1, dtype=getattr(torch, dtype))
    check_agreement(problem, like, tolerance, lambda x: torch.asarray(x, dtype=like.dtype))


def test_torch_takes_rows_whose_columns_are_not_in_order():
    torch = pytest.importorskip("torch")
    features = sparse.csr_array((np.array([2.0, 1.0, 3.0]), np.array([2, 0, 1]), np.array([0, 2, 3])), shape=(2, 3))
    problem = ridge_regression(features, np.array([1.0, -1.0]), 0.1)
    x = np.array([0.5, -1.0, 2.0])
    found = problem.on(torch.zeros(1, dtype=torch.float64)).gradient(torch.asarray(x))

    np.testing.assert_allclose(found.numpy(), problem.gradient(x), rtol=1e-12)


@EVERY
def test_numpy_float32_agrees_with_float64(problem):
    check_agreement(problem, np.zeros(1, dtype=np.float32), 1e-5, lambda x: x.astype(np.float32))


@pytest.mark.parametrize("name", [name for name in PROBLEMS if "csr" not in name])
def test_array_api_strict_agrees_with_numpy(name):
    check_agreement(PROBLEMS[name], array_api_strict.zeros(1), 1e-12, array_api_strict.asarray)


def test_library_without_sparse_arrays_is_named():
    with pytest.raises(TypeError, match=r"array_api_strict has no sparse arrays; pass matrix\.toarray"):
        PROBLEMS["logistic-csr"].on(array_api_strict.zeros(1))


@EVERY
def test_arguments_are_only_read(problem):
    x = some_point(problem)
    x.flags.writeable = False
    problem.value_and_worker_gradients(x)


def test_carrying_back_and_forth_keeps_the_host():
    problem = PROBLEMS["logistic-csr"]
    there = problem.on(np.zeros(1, dtype=np.float32))
    assert there.on(np.zeros(1)).host is problem
    np.testing.assert_array_equal(there.on(np.zeros(1)).blocks[0].features.data, problem.blocks[0].features.data)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ridge_regression(FEATURES, TARGETS, -1.0), ValueError, r"regularisation = -1\.0"),
        (lambda: ridge_regression(FEATURES, TARGETS[:-1], 0.1), ValueError, "one finite number for each of 40 rows"),
        (lambda: ridge_regression(FEATURES, TARGETS * np.nan, 0.1), ValueError, "one finite number"),
        (lambda: ridge_regression(FEATURES * np.inf, TARGETS, 0.1), ValueError, "features .* NaN or infinite"),
        (lambda: ridge_regression(SPARSE * np.nan, TARGETS, 0.1), ValueError, "features .* NaN or infinite"),
        (lambda: ridge_regression(FEATURES[0], TARGETS, 0.1), ValueError, r"shape \(6,\); accepted: \(m, d\)"),
        (lambda: ridge_regression(FEATURES[:, :0], TARGETS, 0.1), ValueError, "neither zero"),
        (lambda: ridge_regression(np.ones((40, 2), int), TARGETS, 0.1), TypeError, "features are of int64"),
        (lambda: ridge_regression(FEATURES + 0j, TARGETS, 0.1), TypeError, "features are of complex128"),
        (lambda: logistic_regression(FEATURES, CLASSES, 0.1), ValueError, r"labels .* accepted: -1 and \+1"),
        (lambda: softmax_regression(FEATURES, SIGNS, 0.1), TypeError, "accepted: integers"),
        (lambda: softmax_regression(FEATURES, CLASSES + 1, 0.1), ValueError, r"accepted: classes 0, 1, \.\.\."),
        (lambda: softmax_regression(FEATURES, 0 * CLASSES, 0.1), ValueError, "at least two"),
        (
            lambda: PROBLEMS["logistic"].split(Partition([[0], [40]])),
            ValueError,
            "names row 40; accepted: rows below 40",
        ),
        (lambda: PROBLEMS["logistic-split"].split(split_iid(40, 2, 0)), ValueError, "only a one-node problem"),
        (lambda: quadratic(np.ones((2, 3)), np.ones((2, 4))), ValueError, "do not fit|accepted"),
        (lambda: quadratic(np.full((1, 2), np.nan), np.ones((1, 2))), ValueError, "NaN"),
        (lambda: quadratic([[1.0, -1.0]], [[0.0, 0.0]]), ValueError, "negative eigenvalues"),
        (lambda: quadratic([[[1.0, 2.0], [0.0, 1.0]]], [[0.0, 0.0]]), ValueError, "not symmetric"),
        (lambda: quadratic([[1.0]], [[0.0]], weights=[0.5]), ValueError, "weights"),
        (lambda: quadratic_with_spectrum([1.0, -1.0]), ValueError, "eigenvalues"),
        (lambda: heterogeneous_quadratic(2, 3, L=1.0, mu=2.0, spread=1.0, seed=0), ValueError, r"mu = 2\.0"),
        (lambda: logistic_regression(FEATURES, SIGNS, 0.0).minimiser, ValueError, "mu = 0: no residual certifies"),
        (
            lambda: PROBLEMS["logistic"].gradient(np.zeros(5)),
            ValueError,
            r"x has the shape \(5,\); accepted: \(\.\.\., 6\)",
        ),
        (lambda: PROBLEMS["rotated"].gradient(np.zeros(7)), ValueError, r"accepted: \(\.\.\., 6\)"),
    ],
)
def test_bad_input_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_hopeless_conditioning_is_an_error_not_a_number():
    features = np.diag(np.geomspace(1.0, 1e-9, 12))
    with pytest.raises(ArithmeticError, match="certified to"):
        _ = logistic_regression(features, np.where(np.arange(12) % 2, 1, -1), 1e-30).minimiser
