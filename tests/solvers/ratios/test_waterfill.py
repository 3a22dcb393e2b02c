"""Water-filling against conditions of optimality, scipy, and itself."""

import importlib
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ratio_cases import problems, random_problem
from scipy.optimize import LinearConstraint, minimize

from taciturn.solvers.ratios import (
    Power,
    RatioProblem,
    SquaredMemory,
    SquaredNoise,
    assign,
    certified,
    level,
    memory_cost,
    rational_gap,
    waterfill,
)
from taciturn.solvers.ratios.exact_sums import close_dot, exact_dot, exact_sum

waterfill_module = importlib.import_module("taciturn.solvers.ratios.waterfill")  # the function has its name

CRITERIA = [Power(1), Power(2), Power(0.5), Power(3.7), SquaredMemory(), SquaredNoise()]
SMALL_GAP = 1e-13
"""A hundred units of rounding; the product asks for 1e-12."""


def exact_spending(problem: RatioProblem, delta: np.ndarray) -> Fraction:
    return sum(
        (Fraction(c) * Fraction(x) for c, x in zip(problem.costs.tolist(), delta.tolist(), strict=True)), Fraction(0)
    )


def assert_feasible(problem: RatioProblem, delta: np.ndarray) -> None:
    assert np.all((delta >= problem.lower) & (delta <= problem.upper))
    assert exact_spending(problem, delta) <= Fraction(problem.budget)


@pytest.mark.parametrize("criterion", CRITERIA, ids=repr)
@settings(max_examples=25)
@given(problem=problems())
def test_the_answer_is_feasible_and_proven_optimal(criterion, problem):
    assignment = assign(problem, criterion)

    assert_feasible(problem, assignment.delta)
    # Near full communication the squares of error feedback vanish, their slopes do not: rounding delta costs slopes.
    slopes = 0 if isinstance(criterion, Power) else problem.weights * criterion.slope(assignment.delta)
    scale = assignment.objective + float(np.sum(slopes * assignment.delta))
    assert 0 <= assignment.gap <= SMALL_GAP * scale
    assert assignment.unspent == pytest.approx(
        float(Fraction(problem.budget) - exact_spending(problem, assignment.delta)), rel=1e-3
    )


@pytest.mark.parametrize("missing", [7.2e-14, 4.1e-13, 9.6e-10, 1.2e-8, 1e-4])
@pytest.mark.parametrize("criterion", CRITERIA, ids=repr)
def test_nearly_full_communication_is_found_in_few_steps(criterion, missing, monkeypatch):
    """There error feedback's spending hardly depends on the level: proportional steps alone would never arrive."""
    trials = []
    measured = waterfill_module.little_spare
    monkeypatch.setattr(waterfill_module, "little_spare", lambda *given: trials.append(given) or measured(*given))
    for n in (1, 2, 5):
        costs = np.random.default_rng(n).uniform(0.1, 1000, n)
        problem = RatioProblem(np.full(n, 1 / n), float(costs.sum()) * (1 - missing), costs)
        assignment = assign(problem, criterion)
        assert_feasible(problem, assignment.delta)
        assert assignment.delta.min() > 1 - 2 * n * 1e4 * missing
    assert len(trials) < 3 * 100


@pytest.mark.parametrize("b", [1.0, 2.0])
@settings(max_examples=25)
@given(problem=problems())
def test_the_proof_holds_in_rational_arithmetic(b, problem):
    assignment = assign(problem, Power(b))
    proof = rational_gap(assignment)

    assert 0 <= proof.gap <= Fraction(SMALL_GAP) * proof.objective
    assert proof.unspent == Fraction(problem.budget) - exact_spending(problem, assignment.delta)
    assert float(proof.objective) == pytest.approx(assignment.objective, rel=1e-13)


@settings(max_examples=25)
@given(problem=problems())
def test_conditions_of_karush_kuhn_and_tucker(problem):
    assignment = assign(problem, Power(1))
    if problem.largest:
        return
    worth = problem.weights / assignment.delta**2 / problem.costs
    free, movable = ~(assignment.at_lower | assignment.at_upper), problem.lower < problem.upper

    np.testing.assert_allclose(worth[free], assignment.multiplier, rtol=1e-12)
    assert np.all(worth[assignment.at_lower] <= assignment.multiplier * (1 + 1e-12))
    assert np.all(worth[assignment.at_upper & movable] >= assignment.multiplier * (1 - 1e-12))


@pytest.mark.parametrize("criterion", CRITERIA, ids=repr)
@pytest.mark.parametrize("seed", range(4))
def test_as_scipy(criterion, seed):
    rng = np.random.default_rng(seed)
    n = 5
    problem = RatioProblem(rng.random(n) + 0.1, 0.8, rng.random(n) + 0.5, np.full(n, 0.02), np.full(n, 0.6))
    assignment = assign(problem, criterion)
    scale = problem.weights @ criterion.value(np.full(n, 0.1))
    found = minimize(
        lambda x: problem.weights @ criterion.value(x) / scale,
        np.full(n, 0.1),
        jac=lambda x: -problem.weights * criterion.slope(x) / scale,
        bounds=[(0.02, 0.6)] * n,
        constraints=LinearConstraint(problem.costs, -np.inf, problem.budget),
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 1000},
    )

    assert assignment.objective == pytest.approx(found.fun * scale, rel=1e-8)
    np.testing.assert_allclose(assignment.delta, found.x, rtol=2e-4)


@pytest.mark.parametrize("seed", range(20))
def test_a_proof_refuses_what_is_not_optimal(seed):
    """A gap that were too small would call a worse assignment optimal: the true loss is never above the proven one."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, 20)
    if problem.largest:
        return
    best = assign(problem, Power(1))
    other = np.maximum(problem.lower, best.delta * rng.uniform(0.9, 1, best.delta.size))
    for multiplier in (best.multiplier, 0.7 * best.multiplier, 2 * best.multiplier):
        worse = certified(problem, Power(1), other, multiplier, "worse")
        assert worse.gap >= (worse.objective - best.objective) * (1 - 1e-9)


@pytest.mark.parametrize("criterion", [Power(1), SquaredMemory()], ids=repr)
@pytest.mark.parametrize("seed", range(8))
def test_selection_finds_what_sorting_finds(criterion, seed):
    rng = np.random.default_rng(seed)
    n = 5000
    lower = 10.0 ** rng.uniform(-6, -2, n)
    upper = np.minimum(1, lower * 10.0 ** rng.uniform(0, 3, n))
    costs = 10.0 ** rng.uniform(-2, 2, n)
    volumes = rng.pareto(0.3, n) + 1e-9  # a few workers hold nearly everything
    budget = costs @ lower + rng.random() ** 3 * (costs @ (upper - lower))
    problem = RatioProblem(volumes, budget, costs, lower, upper)
    selected, ordered = assign(problem, criterion, "select"), assign(problem, criterion, "sort")

    np.testing.assert_allclose(selected.delta, ordered.delta, rtol=1e-12)
    assert max(selected.relative_gap, ordered.relative_gap) <= SMALL_GAP


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize(("method", "steps"), [("sort", 0), ("select", 0), ("select", 2), ("select", 6)])
@pytest.mark.parametrize("seed", range(6))
def test_the_level_spends_the_budget(seed, method, steps, curved, monkeypatch):
    """Before any correction: by sorting, by selection alone, and by selection where Newton's method has given up."""
    monkeypatch.setattr(level, "_NEWTON_STEPS", steps)
    monkeypatch.setattr(level, "_FEW", 20)
    rng = np.random.default_rng(seed)
    n = 3000
    low = 10.0 ** rng.uniform(-6, -2, n) * (rng.random(n) < 0.5)
    high = np.minimum(1, low + 10.0 ** rng.uniform(-4, 0, n))
    if seed == 0:  # equal workers, whose breakpoints are all tied
        low, high = np.full(n, 0.01), np.full(n, 0.7)
    costs = 10.0 ** rng.uniform(-1, 1, n)
    slopes = np.ones(n) if seed == 0 else rng.pareto(0.5, n) + 1e-6
    rays = level.Rays(slopes, low, high, costs, curved)
    least, most = costs @ rays.priced(low), costs @ rays.priced(high)
    for share in (0.01, 0.3, 0.9, 0.999):
        budget = least + share * (most - least)
        t, growth = level.find_level(rays, budget, method)
        assert rays.spent(t) == pytest.approx(budget, rel=1e-11)
        step = 1e-7 * t
        assert growth == pytest.approx((rays.spent(t + step) - rays.spent(t - step)) / (2 * step), rel=0.01)


# Invariances


@settings(max_examples=25)
@given(problem=problems(), scale=st.sampled_from([2.0**-60, 1e-7, 3.0, 2.0**40]), seed=st.integers(0, 9))
def test_scaling_and_permutation(problem, scale, seed):
    if problem.largest:
        return
    delta = assign(problem, Power(1)).delta
    order = np.random.default_rng(seed).permutation(delta.size)
    weighted = RatioProblem(scale * problem.weights, problem.budget, problem.costs, problem.lower, problem.upper)
    permuted = [values[order] for values in (problem.costs, problem.lower, problem.upper)]

    np.testing.assert_allclose(assign(weighted, Power(1)).delta, delta, rtol=1e-12)
    try:
        reordered = RatioProblem(problem.weights[order], problem.budget, *permuted)
    except ValueError:
        raise AssertionError("feasibility depends on the order of the workers") from None
    np.testing.assert_allclose(assign(reordered, Power(1)).delta, delta[order], rtol=1e-12)


@pytest.mark.parametrize("criterion", CRITERIA, ids=repr)
@pytest.mark.parametrize("seed", range(5))
def test_more_budget_is_never_less_for_anybody(criterion, seed):
    problem = random_problem(np.random.default_rng(seed), 30)
    least, most = problem.costs @ problem.lower, problem.costs @ problem.upper
    previous = None
    for share in np.linspace(0.01, 1, 12):
        budget = least + share * (most - least)
        assignment = assign(
            RatioProblem(problem.weights, budget, problem.costs, problem.lower, problem.upper), criterion
        )
        if previous is not None:
            assert np.all(assignment.delta >= previous.delta * (1 - 1e-13))
            assert assignment.objective <= previous.objective * (1 + 1e-13)
            assert assignment.multiplier <= previous.multiplier * (1 + 1e-13)
        previous = assignment


# Edges


@pytest.mark.parametrize("criterion", CRITERIA, ids=repr)
def test_one_worker(criterion):
    assert assign(RatioProblem([0.3], 0.25), criterion).delta == pytest.approx(0.25, rel=1e-15)
    assert assign(RatioProblem([0.3], 0.25, upper=0.2), criterion).delta == 0.2


@pytest.mark.parametrize("n", [2, 3, 10, 5000, 20_000])
def test_thousands_of_equal_workers(n):
    assignment = waterfill(np.full(n, 1 / n), 0.1 * n)

    assert assignment.relative_gap <= SMALL_GAP
    np.testing.assert_allclose(assignment.delta, 0.1, rtol=1e-14)
    assert np.ptp(assignment.delta) == 0


def test_one_worker_holds_everything():
    volumes = np.full(10_000, 1e-30)
    volumes[0] = 1.0
    assignment = waterfill(volumes, 0.5)

    assert assignment.delta[0] == pytest.approx(0.5, rel=1e-10)
    assert assignment.relative_gap <= SMALL_GAP


@pytest.mark.parametrize("criterion", CRITERIA, ids=repr)
def test_budgets_within_rounding_of_the_limits(criterion):
    rng = np.random.default_rng(0)
    for _ in range(20):
        n = int(rng.integers(1, 40))
        lower = rng.random(n) * 0.3
        upper = lower + rng.random(n) * 0.5
        costs = rng.random(n) + 0.1
        for limits in (lower, upper):
            exact = exact_dot(costs, limits)
            budget = float(exact)
            if Fraction(budget) < exact:
                budget = math.nextafter(budget, math.inf)
            for steps in range(4):
                assignment = assign(RatioProblem(np.ones(n), budget, costs, lower, upper), criterion)
                assert_feasible(assignment.problem, assignment.delta)
                assert assignment.relative_gap <= SMALL_GAP
                assert steps or assignment.remark or Fraction(budget) > exact or limits is upper
                budget = math.nextafter(budget, -math.inf if limits is upper else math.inf)


def test_the_box_is_the_answer_and_says_so():
    assignment = waterfill([0.5, 0.5], 3.0, upper=[0.4, 1.0])

    assert assignment.delta.tolist() == [0.4, 1.0]
    assert (assignment.multiplier, assignment.gap) == (0, 0)
    assert assignment.unspent == pytest.approx(1.6)
    assert "upper limits" in assignment.remark


def test_lower_limits_are_the_answer_and_say_so():
    assignment = waterfill([0.5, 0.5], 0.75, lower=[0.25, 0.5])

    assert assignment.delta.tolist() == [0.25, 0.5]
    assert assignment.unspent == 0
    assert assignment.gap <= 1e-25
    assert "lower limits" in assignment.remark


def test_nobody_between_the_limits():
    assignment = waterfill([0.99, 0.01], 0.6, lower=[0.1, 0.1], upper=[0.5, 0.5])

    assert assignment.delta == pytest.approx([0.5, 0.1], rel=1e-14)
    assert assignment.relative_gap <= SMALL_GAP


def test_an_input_in_full_is_not_copied():
    weights = np.random.default_rng(0).random(10)
    assert waterfill(weights, 1.0).problem.weights is weights


# Criteria


@pytest.mark.parametrize("criterion", CRITERIA, ids=repr)
def test_criteria_are_convex_with_the_slope_and_minimiser_they_say(criterion):
    delta = np.concatenate((np.geomspace(1e-6, 0.5, 40), np.linspace(0.55, 0.999, 10)))
    step = 1e-6 * delta * (1 - delta)
    slope = (criterion.value(delta - step) - criterion.value(delta + step)) / (2 * step)

    np.testing.assert_allclose(criterion.slope(delta), slope, rtol=1e-6)
    assert np.all(np.diff(criterion.slope(delta)) < 0)
    np.testing.assert_allclose(criterion.minimiser(criterion.slope(delta)), delta, rtol=1e-12)


@pytest.mark.parametrize("criterion", CRITERIA, ids=repr)
def test_gains_are_differences_without_cancellation(criterion):
    d = 1000
    for k in (1, 7, 500, 998, 999):
        difference = float(criterion.value(np.float64(k / d)) - criterion.value(np.float64((k + 1) / d)))
        assert float(criterion.gain(k, d)) == pytest.approx(difference, rel=1e-10)
    # The mean slope on an interval so short that a difference would lose nine digits of it.
    d = 10**9
    for k in (10**5, d // 2, d - 10**4):
        assert float(criterion.gain(k, d)) * d == pytest.approx(float(criterion.slope((k + 0.5) / d)), rel=1e-8)


def test_memory_cost_of_the_dossier():
    delta = np.array([1e-6, 0.1, 8 / 9, 1.0])
    q = np.sqrt(1 - delta)

    np.testing.assert_allclose(memory_cost(delta), 2 / delta - 1.5 - (1 - q) / (2 * (1 + q)), rtol=1e-9)
    second = [memory_cost(x - 1e-4) - 2 * memory_cost(x) + memory_cost(x + 1e-4) for x in (8 / 9 - 0.01, 8 / 9 + 0.01)]
    assert second[0] > 0 > second[1]  # convex up to 8/9, concave from there


def test_the_surrogate_loses_at_most_half_the_weights():
    """`alloc-surrogate` on two workers, against a fine grid."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        weights, costs = rng.random(2) + 0.01, rng.random(2) + 0.1
        budget = rng.random() * costs.sum()
        first = np.linspace(1e-6, min(1, budget / costs[0]), 20_001)[:-1]
        second = np.clip((budget - costs[0] * first) / costs[1], 1e-12, 1)
        best = np.min(weights[0] * memory_cost(first) + weights[1] * memory_cost(second))
        found = weights @ memory_cost(waterfill(weights, budget, costs=costs).delta)

        assert found <= best + min(0.5 * weights.sum(), 0.5 * budget * np.max(weights / costs)) + 1e-6 * best


# Sums


@pytest.mark.parametrize("seed", range(10))
def test_sums_are_exact(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.choice([1, 10, 3000, 40_000]))
    x, y = (rng.standard_normal(n) * 10.0 ** rng.uniform(-12, 12, n) for _ in range(2))
    expected = sum(map(Fraction, x.tolist()), Fraction(0))
    assert exact_sum(x) == expected
    if n <= 3000:
        product = sum((Fraction(a) * Fraction(b) for a, b in zip(x.tolist(), y.tolist(), strict=True)), Fraction(0))
        assert exact_dot(x, y) == product
        assert abs(close_dot(x, y) - product) <= 2.0**-70 * n * np.max(np.abs(x * y))
    assert exact_dot(np.broadcast_to(0.1, (n,)), x) == Fraction(0.1) * expected
