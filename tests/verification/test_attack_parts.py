"""What the attacks are made of, against independent computations."""

from __future__ import annotations

import numpy as np
import pytest

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import Bernoulli, ScaledSign, TopK
from taciturn.solvers.tune import tune
from taciturn.theory import theorem
from taciturn.theory.communication import AffineCost
from taciturn.verification.attacks.fields import Entries, Integers, Positive, Spectrum
from taciturn.verification.attacks.functions import PiecewiseQuadratics, Quadratics, square
from taciturn.verification.attacks.measures import (
    agreement,
    e_foldings,
    iterations_missed,
    promised_e_foldings,
    quotient,
    stated,
)
from taciturn.verification.attacks.outcomes import expected, tree
from taciturn.verification.attacks.senders import best_sparsity, scaled_sign, sorted_sums, top
from taciturn.verification.attacks.trajectories import descend

RNG = np.random.default_rng


def _piecewise(m: int, d: int, low: float, seed: int = 0) -> PiecewiseQuadratics:
    rng = RNG(seed)
    slopes = rng.uniform(low, 1, (m, d, 5))
    slopes[..., [0, -1]] = 1.0
    return PiecewiseQuadratics(np.sort(rng.standard_normal((m, d, 4)), axis=-1), slopes, rng.standard_normal((m, d)))


def _differences(function: Quadratics | PiecewiseQuadratics, x: np.ndarray, h: float = 1e-6) -> np.ndarray:
    steps = [np.broadcast_to(e * h, x.shape) for e in np.eye(x.shape[-1])]
    return np.stack([function.decrease(x + e, function.gradient(x + e), 2 * e) / (2 * h) for e in steps], axis=-1)


def test_gradients_are_derivatives() -> None:
    x = 2 * RNG(1).standard_normal((50, 3))
    quadratics = Quadratics.along(RNG(2).uniform(0.1, 1, (50, 3)), RNG(3).standard_normal((50, 3)))
    for function in (quadratics, _piecewise(50, 3, -1.0)):
        np.testing.assert_allclose(_differences(function, x), function.gradient(x), atol=1e-6)


def test_functions_take_several_points_at_once() -> None:
    function = _piecewise(4, 3, -1.0)
    x = RNG(5).standard_normal((4, 7, 3))
    each = np.stack([function.gap(x[:, i]) for i in range(7)], axis=1)

    np.testing.assert_array_equal(function.gap(x), each)


def test_minima_are_found() -> None:
    function = _piecewise(50, 1, -1.0)
    grid = np.linspace(-12, 12, 6001)
    lowest = np.min(function.values(np.broadcast_to(grid[None, :, None], (50, grid.size, 1))), axis=1)

    np.testing.assert_allclose(function.lowest, lowest, atol=1e-5)
    assert np.all(function.lowest <= lowest + 1e-12)


def test_pl_constants_are_the_largest() -> None:
    function = _piecewise(500, 1, -0.3)
    grid = np.broadcast_to(np.linspace(-4, 4, 400), (500, 400))  # without 0
    x = np.concatenate([grid, function.knots[:, 0]], axis=1)[..., None]
    found = np.min(function.derivatives(x)[..., 0] ** 2 / (2 * np.maximum(function.values(x)[..., 0], 1e-300)), axis=1)
    usable = np.isfinite(function.pl_constant)
    flattest = np.min(function.slopes, axis=(1, 2))

    assert np.count_nonzero(usable & (flattest < 0)) > 10  # not only convex ones
    np.testing.assert_allclose(function.pl_constant[usable], found[usable], rtol=1e-9)


def test_senders_are_the_compressors_of_the_library() -> None:
    v = RNG(0).integers(-3, 4, (200, 6)).astype(float)
    v = v[np.any(v, axis=1)]
    for T in range(1, 7):
        counts = np.full(len(v), T)
        np.testing.assert_array_equal(top(v, counts), TopK(T)(v))
        np.testing.assert_allclose(scaled_sign(v, counts), ScaledSign(T)(v))


def test_the_choice_of_T_is_the_one_of_the_library() -> None:
    v, cost = RNG(0).integers(0, 4, (200, 6)).astype(float), AffineCost(c0=3, c1=2)
    v = v[np.any(v, axis=1)]
    prices = cost(np.arange(1, 7))

    assert best_sparsity(sorted_sums(v)[2], prices).tolist() == [tune(row, cost).T for row in v]


def test_the_tree_of_outcomes_agrees_with_replicas() -> None:
    hessian = np.array([[[1.0, 0.3], [0.3, 0.5]]])
    function, start, T = Quadratics(hessian), np.array([[1.0, -2.0]]), np.array([1.2])
    *_, last = tree(function, start, np.array([1.2]), T, 3)
    assert np.sum(last.probability) == pytest.approx(1)

    rng, x = Stream(0), np.broadcast_to(start, (1, 40_000, 2))
    for _ in range(3):
        g = function.gradient(x)
        omega = 1 / Bernoulli(1.2).declared_moments(g).second_moment
        x = x - (omega / 1.2)[..., None] * Bernoulli(1.2)(g, rng)
    gaps = function.gap(x)[0]
    error = 5 * np.std(gaps) / np.sqrt(gaps.size)

    assert expected(last, function.gap(last.x))[0] == pytest.approx(np.mean(gaps), abs=error)


def test_trajectories_measure_gradient_descent() -> None:
    function = Quadratics(np.diag([1.0, 0.5])[None])
    made = descend(function, np.array([[0.0, 1.0]]), lambda k, g: g, np.array([1.0]), 3)

    np.testing.assert_allclose(made.gap, [[0.25 * 0.25**k for k in range(4)]])
    np.testing.assert_allclose(made.made, np.log(4) * np.ones((1, 3)))
    assert made.progress(np.log(4) * made.steps).tolist() == [1.0]
    assert made.counted.all()


def test_a_run_that_starts_at_the_minimum_measures_nothing() -> None:
    made = descend(Quadratics(np.eye(2)[None]), np.zeros((1, 2)), lambda k, g: g, np.array([1.0]), 2)

    assert np.isnan(made.progress(np.ones((1, 2)))).all()


def test_quotients_of_nothing() -> None:
    assert quotient([0.0, 1.0, np.nan, 1.0], [0.0, -1.0, 0.0, 2.0]).tolist()[:2] == [0.0, np.inf]
    assert np.isnan(quotient([np.nan], [0.0]))
    assert agreement([3.0, 2.0], [2.0, 3.0]).tolist() == [1.5, 1.5]


def test_slow_progress_keeps_its_digits() -> None:
    assert e_foldings(np.array([1e-12]), np.array([1.0]))[0] == pytest.approx(1e-12, rel=1e-12)
    assert np.isposinf(e_foldings(np.array([1.0]), np.array([1.0])))
    assert promised_e_foldings(0.5) == pytest.approx(np.log(2), rel=1e-9)
    assert promised_e_foldings(1.0) == 0
    assert promised_e_foldings(-0.3) > 20  # more than all of the gap


def test_numbers_of_iterations_are_compared_as_whole_numbers() -> None:
    guarantee = theorem("gd-nonconvex-exact").evaluate(L=1.0)
    at_the_bound = np.array([guarantee.bound(3, 1.0)])

    assert iterations_missed(guarantee, 3, at_the_bound, np.ones(1)).tolist() == [0.0]
    assert iterations_missed(guarantee, 4, at_the_bound, np.ones(1)).tolist() == [5 / 4]
    assert iterations_missed(guarantee, 4, np.zeros(1), np.ones(1)).tolist() == [0.0]


def test_a_number_that_is_not_stated_is_refused() -> None:
    with pytest.raises(ValueError, match="states no such number"):
        stated(theorem("mn-descent").evaluate(L=1.0).rate)


FIELDS = [
    (Entries(), lambda v: np.all(np.any(v, axis=-1))),
    (Entries(rows=(2,), zero=True), lambda v: np.all(np.isfinite(v))),
    (Spectrum(condition=10.0), lambda v: np.all((v >= 0.1) & (v <= 1)) and np.all(np.max(v, axis=1) == 1)),
    (Spectrum(condition=10.0, signed=True), lambda v: np.all((np.abs(v) >= 0.1) & (np.abs(v) <= 1))),
    (Spectrum(condition=10.0, singular=True), lambda v: np.all((v == 0) | ((v >= 0.1) & (v <= 1)))),
    (Positive(0.5, 2.0, rows=(3,)), lambda v: np.all((v >= 0.5) & (v <= 2))),
    (Integers(), lambda v: np.all((v >= 1) & (v <= 4))),
    (Integers(2, 9, rows=(3,)), lambda v: np.all((v >= 2) & (v <= 9))),
]


@pytest.mark.parametrize(("field", "holds"), FIELDS, ids=[repr(field) for field, _ in FIELDS])
def test_fields_stay_in_their_range(field, holds) -> None:  # type: ignore[no-untyped-def]
    rng = RNG(0)
    values = field.draw(200, 4, rng)
    for _ in range(30):
        assert holds(values)
        values = field.change(values, 4, rng)


def test_vectors_are_also_tied_sparse_and_flat() -> None:
    vectors = Entries().draw(500, 6, RNG(0))
    magnitudes = np.sort(np.abs(vectors), axis=1)

    assert np.mean(np.any(np.diff(magnitudes, axis=1) == 0, axis=1)) > 0.1
    assert np.mean(np.any(vectors == 0, axis=1)) > 0.03
    assert np.any(np.all(magnitudes == magnitudes[:, :1], axis=1))
    assert square(vectors).min() > 0
