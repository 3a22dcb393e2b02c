"""Optimal thresholds against numerical optima; models against the magnitudes they were fitted to."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import lambertw

from taciturn.solvers.thresholds import GeneralisedGaussian, Laplace, PowerLaw, optimal_thresholds

D = 10_000
MODELS = [
    Laplace(0.3),
    GeneralisedGaussian(0.5, 2.0),
    GeneralisedGaussian(0.2, 0.6),
    GeneralisedGaussian(1.0, 5.0),
    PowerLaw(0.05, 1.0),
    PowerLaw(0.1, 2.5),
]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("price", [1e-3, 0.3, 5.0, 1e4])
@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_closed_forms_are_minimisers(model, price, order):
    found = model.best_threshold(price, order)
    highest = 4 * max(found, model.least, 1e-3)
    best = minimize_scalar(
        lambda x: x**order + price * model.fraction(x),
        bounds=(model.least, highest),
        method="bounded",
        options={"xatol": 1e-12},
    )

    assert found >= model.least
    assert found**order + price * model.fraction(found) <= best.fun * (1 + 1e-12)
    if found > model.least:
        assert found == pytest.approx(best.x, rel=1e-4, abs=1e-6)


def test_order_two_is_lambert_w():
    for price in (1e-6, 1.0, 1e6):
        expected = 0.3 * float(lambertw(price / (2 * 0.3**2)).real)
        assert Laplace(0.3).best_threshold(price, 2) == pytest.approx(expected, rel=1e-13)
    assert math.isfinite(Laplace(1e-100).best_threshold(1e300, 2))  # the argument of W would overflow


def test_a_laplace_distribution_is_a_generalised_gaussian():
    for threshold in (0.0, 0.1, 3.0):
        assert GeneralisedGaussian(0.3, 1.0).fraction(threshold) == pytest.approx(Laplace(0.3).fraction(threshold))
    for price, order in [(0.2, 1), (5.0, 1), (0.2, 2), (5.0, 2)]:
        expected = Laplace(0.3).best_threshold(price, order)
        assert GeneralisedGaussian(0.3, 1.0).best_threshold(price, order) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("seed", range(6))
def test_thresholds_are_optimal_and_keep_the_budget(seed, order):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    models = [MODELS[i] for i in rng.integers(0, len(MODELS), n)]
    weights, costs = rng.random(n) + 0.05, rng.random(n) + 0.5
    budget = float(rng.uniform(0.001, 0.5)) * D * costs.sum()
    found = optimal_thresholds(models, weights, budget, D, costs=costs, order=order)

    assert found.traffic <= budget
    assert found.objective == pytest.approx(weights @ found.thresholds**order)
    assert 0 <= found.gap <= 1e-9 * max(found.objective, 1e-9)
    # A move along the budget from one worker to another is no gain.
    for i in range(n):
        for j in range(n):
            moved = found.thresholds.copy()
            moved[i] *= 1.001
            saved = costs[i] * D * (models[i].fraction(found.thresholds[i]) - models[i].fraction(moved[i]))
            wanted = models[j].fraction(found.thresholds[j]) + saved / (costs[j] * D)
            if i == j or wanted >= 1 or found.thresholds[j] <= models[j].least:
                continue
            low, high = models[j].least, found.thresholds[j]
            for _ in range(80):
                middle = (low + high) / 2
                low, high = (middle, high) if models[j].fraction(middle) > wanted else (low, middle)
            moved[j] = high
            assert weights @ moved**order >= found.objective * (1 - 1e-9)


def test_the_rows_of_the_dossier_for_order_one():
    p, scales, costs, budget = np.array([0.6, 0.3, 0.1]), np.array([1.0, 2.0, 0.5]), np.array([1.0, 2.0, 1.0]), 300.0
    laplace = optimal_thresholds([Laplace(b) for b in scales], p, budget, D, costs=costs)
    k = budget * p * scales / (costs * np.sum(p * scales))
    np.testing.assert_allclose(laplace.thresholds, scales * np.log(D / k), rtol=1e-9)

    norms = np.array([50.0, 80.0, 20.0])
    rigorous = optimal_thresholds([PowerLaw(norm / D, 1.0) for norm in norms], p, budget, D, costs=costs)
    expected = np.sqrt(costs * norms / p) * np.sum(np.sqrt(costs * norms * p)) / budget
    np.testing.assert_allclose(rigorous.thresholds, expected, rtol=1e-9)
    # The same b = 1 problem as DAGC-R: entries in proportion to sqrt(p_i G_i / c_i).
    sent = norms / rigorous.thresholds
    assert np.ptp(sent / np.sqrt(p * norms / costs)) <= 1e-9 * sent[0]


def test_a_budget_for_everything_gives_the_least_thresholds():
    found = optimal_thresholds([Laplace(1.0), PowerLaw(0.2, 1.0)], [0.5, 0.5], 2.0 * D, D)
    assert found.thresholds.tolist() == [0.0, 0.2]
    assert (found.multiplier, found.gap) == (0.0, 0.0)


# Fits


def test_fits_recover_their_model():
    rng = np.random.default_rng(0)
    laplace = Laplace.fit(rng.laplace(scale=0.3, size=200_000))
    gaussian = GeneralisedGaussian.fit(rng.standard_normal(200_000))
    power = PowerLaw.fit(0.2 * (1 + rng.pareto(2.5, 200_000)))

    assert laplace.scale == pytest.approx(0.3, rel=0.01)
    assert (gaussian.scale, gaussian.shape) == pytest.approx((math.sqrt(2), 2.0), rel=0.02)
    assert (power.least, power.tail) == pytest.approx((0.2, 2.5), rel=0.05)


@pytest.mark.parametrize("model", [Laplace, GeneralisedGaussian, PowerLaw])
def test_a_fit_predicts_the_traffic_of_what_it_was_fitted_to(model):
    v = np.random.default_rng(1).laplace(size=50_000)
    fitted = model.fit(v.astype(np.float32))
    for fraction in (0.02, 0.05):
        threshold = np.quantile(np.abs(v), 1 - fraction)
        assert fitted.fraction(threshold) == pytest.approx(fraction, rel=0.6 if model is PowerLaw else 0.1)


def test_fits_in_every_array_library(xp):
    v = np.random.default_rng(2).laplace(size=2000)
    for model in (Laplace, GeneralisedGaussian, PowerLaw):
        assert model.fit(xp(v)) == model.fit(v)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Laplace(0.0), "scale = 0.0"),
        (lambda: GeneralisedGaussian(1.0, -1.0), "shape = -1.0"),
        (lambda: PowerLaw(0.0, 1.0), "least = 0.0"),
        (lambda: Laplace.fit(np.zeros(3)), "v is zero"),
        (lambda: Laplace.fit(np.array([np.nan])), "NaN"),
        (lambda: GeneralisedGaussian.fit(np.ones(10)), "a generalised Gaussian accepts 1.33"),
        (lambda: PowerLaw.fit(np.ones(100)), "v has no tail"),
        (lambda: PowerLaw.fit(np.arange(1.0, 6.0)), "v has no tail"),
        (lambda: optimal_thresholds([], [], 1.0, 10), "for 0 models"),
        (lambda: optimal_thresholds([Laplace(1.0)], [1.0, 1.0], 1.0, 10), "for 1 models"),
        (lambda: optimal_thresholds([Laplace(1.0)], [0.0], 1.0, 10), r"weights\[0\] = 0.0"),
        (lambda: optimal_thresholds([Laplace(1.0)], [1.0], 0.0, 10), "budget = 0.0"),
        (lambda: optimal_thresholds([Laplace(1.0)], [1.0], 1.0, 10, order=3), "order = 3"),
        (lambda: optimal_thresholds([Laplace(1.0)], [1.0], 1.0, 10, costs=0.0), r"costs\[0\] = 0.0"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
