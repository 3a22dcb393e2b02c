"""A thousand random problems of assignment: what is proven, what a solver finds, what whole numbers can."""

import itertools

import numpy as np
import pytest
from ratio_cases import random_problem

from taciturn.solvers.ratios import Power, SolverFailed, assign, assign_counts, rational_gap
from taciturn.solvers.ratios.models import AssignmentModel

PROBLEMS = 1000
EVERY = 10
"""Of the problems every tenth is also given to a solver, which takes a thousand times as long."""


@pytest.mark.slow
def test_proven_gaps_of_a_thousand_problems():
    rng = np.random.default_rng(0)
    dual, rational = 0.0, 0.0
    for i in range(PROBLEMS):
        assignment = assign(random_problem(rng, 500), Power(1 + i % 2))
        dual = max(dual, assignment.relative_gap)
        rational = max(rational, float(rational_gap(assignment).relative_gap))
    print(f"largest proven relative gap of {PROBLEMS} problems: {dual:.2g}, in rational arithmetic {rational:.2g}")

    assert dual <= 1e-12
    assert rational <= 1e-12


@pytest.mark.slow
def test_solvers_on_a_hundred_of_them():
    rng = np.random.default_rng(0)
    losses, gaps, refused = [], [], 0
    for i in range(PROBLEMS):
        problem, b = random_problem(rng, 500), 1 + i % 2
        if i % EVERY in (0, 1) and i % (2 * EVERY) < EVERY:
            exact = assign(problem, Power(b))
            try:
                found = AssignmentModel(problem.workers, b).solve(problem)
            except SolverFailed:
                refused += 1
                continue
            losses.append((found.objective - exact.objective) / exact.objective)
            gaps.append(found.relative_gap)
            assert -1e-13 <= losses[-1] <= gaps[-1] + 1e-13
    print(
        f"cvxpy with Clarabel, repaired, on {len(losses)} problems: largest loss {max(losses):.2g}, largest proven gap"
    )
    print(f"{max(gaps):.2g}, median loss {np.median(losses):.2g}; {refused} refused as inaccurate")

    assert max(losses) <= 1e-3
    assert np.median(losses) <= 1e-7
    assert refused <= len(losses) / 10


@pytest.mark.slow
def test_whole_numbers_of_a_thousand_problems():
    rng = np.random.default_rng(0)
    suboptimal, largest = 0, 0.0
    for i in range(PROBLEMS):
        n, d, b = int(rng.integers(1, 5)), int(rng.integers(2, 8)), 1 + i % 2
        weights, unequal = 10.0 ** rng.uniform(-6, 0, n), rng.integers(1, 6, n)
        k = np.array(list(itertools.product(range(1, d + 1), repeat=n)))
        objectives = Power(b).value(k / d) @ weights
        for costs in (np.ones(n, dtype=int), unequal):
            budget = int(rng.integers(costs.sum(), costs.sum() * d + 1))
            best = float(np.min(objectives[k @ costs <= budget]))
            found = assign_counts(weights, budget, d, costs=costs, criterion=Power(b))
            loss = found.objective / best - 1
            if found.method == "proximity":
                largest = max(largest, loss)
                assert abs(loss) <= 1e-13
            else:
                suboptimal += loss > 1e-9
                assert found.objective <= (best + found.gap) * (1 + 1e-13)
            exact = assign_counts(weights, budget, d, costs=costs, criterion=Power(b), method="dynamic")
            assert exact.objective == pytest.approx(best, rel=1e-13)
    print(
        f"equal costs: optimal in all {PROBLEMS}, to {largest:.2g}; density suboptimal in {suboptimal}, within its gap"
    )

    assert suboptimal > 0
