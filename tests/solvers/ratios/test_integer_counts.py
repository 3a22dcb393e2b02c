"""Whole counts against brute force; what is not optimal is shown not to be, and within its bound."""

import itertools
import math

import numpy as np
import pytest

from taciturn.solvers.ratios import (
    COUNT_METHODS,
    Power,
    RatioProblem,
    SquaredMemory,
    SquaredNoise,
    assign,
    assign_counts,
)

CRITERIA = [Power(1), Power(2), Power(0.5), SquaredMemory(), SquaredNoise()]


def brute_force(weights, budget, d, costs, lower, upper, criterion):
    """The least objective over all counts."""
    choices = itertools.product(*(range(low, high + 1) for low, high in zip(lower, upper, strict=True)))
    feasible = np.array([k for k in choices if np.dot(costs, k) <= budget])
    return float(np.min(criterion.value(feasible / d) @ weights))


def random_counts(rng, equal):
    n, d = int(rng.integers(1, 5)), int(rng.integers(2, 9))
    lower = rng.integers(1, d + 1, n) if rng.random() < 0.3 else np.ones(n, dtype=int)
    upper = np.minimum(d, lower + rng.integers(0, d, n))
    costs = np.full(n, rng.integers(1, 4)) if equal else rng.integers(1, 8, n)
    least, most = int(costs @ lower), int(costs @ upper)
    return 10.0 ** rng.uniform(-4, 0, n), int(rng.integers(least, most + 2)), d, costs, lower, upper


@pytest.mark.parametrize("method", ["greedy", "proximity", "dynamic"])
@pytest.mark.parametrize("criterion", CRITERIA, ids=repr)
def test_equal_costs_equal_brute_force(criterion, method):
    rng = np.random.default_rng(0)
    for _ in range(40):
        weights, budget, d, costs, lower, upper = random_counts(rng, equal=True)
        found = assign_counts(
            weights, budget, d, costs=costs, lower=lower, upper=upper, criterion=criterion, method=method
        )

        assert found.objective == pytest.approx(
            brute_force(weights, budget, d, costs, lower, upper, criterion), rel=1e-13
        )
        assert np.all((found.counts >= lower) & (found.counts <= upper))
        assert found.spent == costs @ found.counts <= budget
        assert found.gap == 0
        # Not an entry more fits, unless every limit is reached.
        assert budget - found.spent < costs[0] or np.array_equal(found.counts, upper)


def test_unequal_costs_equal_brute_force_by_dynamic_programming():
    rng = np.random.default_rng(1)
    for _ in range(60):
        weights, budget, d, costs, lower, upper = random_counts(rng, equal=False)
        found = assign_counts(weights, budget, d, costs=costs, lower=lower, upper=upper, method="dynamic")
        assert found.objective == pytest.approx(
            brute_force(weights, budget, d, costs, lower, upper, Power(1)), rel=1e-13
        )
        assert found.spent <= budget


def test_density_is_within_its_bound_and_often_not_optimal():
    """`int-weighted`: with unequal costs greedy is no longer optimal, and its gap says by how much at most."""
    rng = np.random.default_rng(2)
    suboptimal = 0
    for _ in range(300):
        weights, budget, d, costs, lower, upper = random_counts(rng, equal=False)
        found = assign_counts(weights, budget, d, costs=costs, lower=lower, upper=upper, method="density")
        best = brute_force(weights, budget, d, costs, lower, upper, Power(1))

        assert found.spent == costs @ found.counts <= budget
        assert best * (1 - 1e-13) <= found.objective <= (best + found.gap) * (1 + 1e-13)
        suboptimal += found.objective > best * (1 + 1e-9)
    assert suboptimal > 0


def test_the_counterexample_to_density():
    """The first worker gains 3.1 for 3, the second 4 for 4; there are 4 to spend beyond the first entries."""
    arguments = dict(weights=[3.1, 4.0], budget=11, dimension=2, costs=[3, 4])
    greedy, best = assign_counts(**arguments, method="density"), assign_counts(**arguments, method="dynamic")

    assert (greedy.counts.tolist(), best.counts.tolist()) == ([2, 1], [1, 2])
    assert best.objective < greedy.objective <= best.objective + greedy.gap
    assert (greedy.gap, best.gap) == (1.0, 0.0)


def test_proximity_starts_near_the_optimum():
    """`int-proximity`: some optimal counts are within n of the continuous ones; here they are, and quickly found."""
    rng = np.random.default_rng(3)
    for n, d in [(3, 50), (20, 1000), (500, 10**6)]:
        weights = 10.0 ** rng.uniform(-4, 0, n)
        budget = int(0.05 * n * d)
        found = assign_counts(weights, budget, d)
        near = assign(RatioProblem(weights, budget / d, lower=1 / d), Power(1)).delta * d

        assert found.spent == budget
        assert np.max(np.abs(found.counts - near)) < n
        if budget <= 10**4:
            greedy = assign_counts(weights, budget, d, method="greedy")
            assert found.objective == pytest.approx(greedy.objective, rel=1e-14)


def test_rounding_down_and_filling_up_is_not_enough():
    """Twenty workers at 1.49 entries each gain more from a second entry than a large worker loses with its last."""
    weights = np.r_[np.full(20, 2.22), 1e4]
    found, greedy = (assign_counts(weights, 130, 1000, method=method) for method in ("proximity", "greedy"))

    assert found.counts.tolist() == greedy.counts.tolist()
    assert found.counts[-1] < math.floor(assign(RatioProblem(weights, 0.13), Power(1)).delta[-1] * 1000)


def test_all_limits_reached():
    found = assign_counts([0.7, 0.3], budget=100, dimension=10, upper=[4, 3])
    assert (found.counts.tolist(), found.spent, found.budget) == ([4, 3], 7, 100)


def test_one_worker_and_one_entry():
    assert assign_counts([1.0], budget=7, dimension=10).counts.tolist() == [7]
    assert assign_counts([0.6, 0.4], budget=2, dimension=10).counts.tolist() == [1, 1]


@pytest.mark.parametrize("method", COUNT_METHODS)
def test_every_method_says_what_it_guarantees(method):
    found = assign_counts([0.6, 0.4], budget=5, dimension=10, method=method)
    assert (found.method, found.guarantee) == (method, COUNT_METHODS[method])
