"""Exponents, gains, links and budgets: the numbers of the dossier, and optimality against fine grids."""

import numpy as np
import pytest

from taciturn.solvers.ratios import (
    Power,
    best_budget,
    best_round_time,
    dirichlet_saving,
    memory_cost,
    power_law,
    predicted_gain,
    predicted_saving,
    preset,
    waterfill,
)
from taciturn.theory.ratio_presets import PRESETS


def power_volumes(a: float, n: int = 10) -> np.ndarray:
    volumes = np.arange(1.0, n + 1) ** -a
    return volumes / volumes.sum()


@pytest.mark.parametrize(
    ("name", "exponent"), [("uniform", 0), ("jensen", 1 / 3), ("tri", 1 / 2), ("cs", 2 / 3), ("chi2", 1)]
)
def test_presets_are_powers_of_the_volume(name, exponent):
    p = power_volumes(2)
    delta = preset(name, p, 0.01).delta

    assert PRESETS[name].exponent == pytest.approx(exponent)
    np.testing.assert_allclose(delta, 0.01 * p**exponent / np.sum(p**exponent), rtol=1e-13)
    np.testing.assert_allclose(power_law(exponent, p, 0.01).delta, delta, rtol=1e-13)


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "uniform"])
def test_a_preset_minimises_what_it_says(name):
    p = power_volumes(1.5, 6)
    costs, entry = np.linspace(1, 3, 6), PRESETS[name]
    assignment = preset(name, p, 0.4, costs=costs, lower=0.02, upper=0.3)

    assert assignment.objective == pytest.approx(np.sum(p**entry.volume_power / assignment.delta**entry.b), rel=1e-13)
    for other in PRESETS:
        delta = preset(other, p, 0.4, costs=costs, lower=0.02, upper=0.3).delta
        assert np.sum(p**entry.volume_power / delta**entry.b) >= assignment.objective * (1 - 1e-13)


def test_uniform_is_uniform_whatever_the_costs():
    delta = preset("uniform", power_volumes(2), 1.0, costs=np.linspace(1, 5, 10), upper=[0.01] + [1.0] * 9).delta
    assert delta[0] == 0.01
    assert np.ptp(delta[1:]) <= 1e-15


def test_exponents_are_symmetric_about_one_half():
    """`exponent-symmetry`: S_alpha S_(1-alpha) / B; the exponents 0 and 1 give n/B."""
    p, budget = power_volumes(3), 1e-3
    value = {alpha: np.sum(p / power_law(alpha, p, budget).delta) for alpha in (0, 0.2, 0.5, 0.8, 1)}

    assert value[0.2] == pytest.approx(value[0.8], rel=1e-12)
    assert value[0] == pytest.approx(10 / budget, rel=1e-12)
    assert value[1] == pytest.approx(10 / budget, rel=1e-12)
    assert value[0.5] == pytest.approx(np.sum(np.sqrt(p)) ** 2 / budget, rel=1e-12)


@pytest.mark.parametrize(("a", "best", "third"), [(1, 0.139, 0.125), (2, 0.446, 0.407), (3, 0.668, 0.621)])
def test_savings_of_the_dossier(a, best, third):
    p = power_volumes(a)
    assert predicted_saving(p) == pytest.approx(best, abs=6e-4)
    other = 1 - np.sum(p ** (1 / 3)) * np.sum(p ** (2 / 3)) / 10
    assert other == pytest.approx(third, abs=6e-4)


@pytest.mark.parametrize(("alpha", "saving"), [(0.1, 0.679), (0.5, 0.327), (1.0, 0.193), (5.0, 0.044)])
def test_savings_for_dirichlet_volumes(alpha, saving):
    assert dirichlet_saving(10, alpha) == pytest.approx(saving, abs=6e-4)
    drawn = np.maximum(np.random.default_rng(0).dirichlet(np.full(10, alpha), 4000), 1e-80)
    assert np.mean([1 - 1 / predicted_gain(p) for p in drawn]) == pytest.approx(saving, abs=0.01)


@pytest.mark.parametrize("b", [0.5, 1.0, 2.0])
def test_predicted_gain_is_the_ratio_of_two_objectives(b):
    weights = power_volumes(2)
    best = waterfill(weights, 1e-3, b=b).objective
    uniform = float(weights @ Power(b).value(np.full(10, 1e-4)))

    assert predicted_gain(weights, b) == pytest.approx(uniform / best, rel=1e-12)
    assert predicted_gain([1.0] * 7, b) == pytest.approx(1.0)


# Links


@pytest.mark.parametrize("seed", range(30))
def test_best_round_time_beats_a_fine_grid(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    weights, seconds = rng.random(n) + 0.01, 10.0 ** rng.uniform(-2, 1, n)
    latency = rng.random(n) * rng.choice([0.0, 0.1, 1.0])
    lower = 0.1 * rng.random(n)
    L = float(weights.sum() * rng.uniform(0.1, 1))
    found = best_round_time(weights, seconds, latency=latency, lower=lower, L=L)
    grid = np.geomspace(
        max(np.max(latency + seconds * lower), np.max(latency) * (1 + 1e-9)), 2 * np.max(latency + seconds), 4000
    )
    delta = np.minimum(1, (grid[1:, None] - latency) / seconds)
    values = grid[1:] * (L + (2 / delta - 1.5) @ weights)

    assert found.objective <= np.min(values) * (1 + 1e-12)
    assert np.min(values) <= found.objective * (1 + 1e-2)
    assert found.gap <= 1e-12 * found.objective
    assert np.all(found.delta >= lower * (1 - 1e-12))
    assert np.max(latency + seconds * found.delta) <= found.round_time * (1 + 1e-12)
    again = found.round_time * (L + weights @ (2 / found.delta - 1.5))
    assert found.objective == pytest.approx(again, rel=1e-12)


# Budgets


@pytest.mark.parametrize(("n", "objective", "budget"), [(10, 4.61, 2.5), (50, 6.63, 3.04)])
def test_budgets_of_the_dossier(n, objective, budget):
    choice = best_budget(power_volumes(3, n), lower=1e-4)

    assert choice.objective == pytest.approx(objective, abs=5e-3)
    assert choice.budget == pytest.approx(budget, abs=0.06)
    assert choice.full == pytest.approx(n)


@pytest.mark.parametrize("n", [1, 2, 10])
def test_equal_workers_save_nothing(n):
    """The cost of a uniform ratio is n L (1 + q): least at full communication."""
    choice = best_budget(np.full(n, 1 / n), lower=1e-3)
    assert choice.objective == pytest.approx(choice.full, rel=1e-4)
    assert choice.budget == pytest.approx(n, rel=1e-4)


@pytest.mark.parametrize("seed", range(10))
def test_best_budget_beats_a_fine_grid(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    weights, costs = 10.0 ** rng.uniform(-3, 0, n), 10.0 ** rng.uniform(-1, 1, n)
    overhead, lower = float(rng.choice([0.0, 0.5])), 1e-3
    choice = best_budget(weights, costs=costs, overhead=overhead, lower=lower, tolerance=1e-5)
    values = []
    for budget in np.geomspace(costs.sum() * lower, costs.sum(), 300)[1:]:
        delta = waterfill(weights, budget, costs=costs, lower=lower).delta
        values.append((weights.sum() + weights @ memory_cost(delta)) * (overhead + costs @ delta))

    assert choice.objective <= min(values) * (1 + 1e-5)
    assert choice.gap == pytest.approx(1e-5 * choice.objective)
    assert choice.objective == pytest.approx((overhead + choice.budget) / choice.step_size, rel=1e-12)
    assert choice.budget == pytest.approx(costs @ choice.delta)
