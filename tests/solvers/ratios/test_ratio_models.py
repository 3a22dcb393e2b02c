"""The convex programs: disciplined, as good as their repaired answers prove, and never silently inaccurate."""

import cvxpy as cp
import numpy as np
import pytest
from ratio_cases import random_problem

from taciturn.solvers.ratios import Power, RatioProblem, SolverFailed, assign
from taciturn.solvers.ratios.models import FORMS, AssignmentModel, repaired

CASES = [("power", 0.5), ("power", 1.0), ("power", 2.0), ("power", 3.0), ("inverse", 1.0), ("quadratic", 1.0)]
GAP = {"CLARABEL": 1e-5, "SCS": 2e-2}
"""Relative, proven for repaired answers: conic solvers stop at an absolute 1e-8 and 1e-4."""

PROBLEM = RatioProblem([0.6, 0.25, 0.1, 0.05], 0.9, [1.0, 2.0, 0.5, 1.0], [0.01, 0.05, 0.0, 0.1], [0.3, 0.9, 0.5, 1.0])


@pytest.mark.parametrize(("form", "b"), CASES)
@pytest.mark.parametrize("solver", GAP)
def test_solvers_agree_with_the_exact_answer(form, b, solver):
    model = AssignmentModel(4, b, form)
    assert model.program.is_dcp()
    assert model.program.is_dcp(dpp=True)
    found, exact = model.solve(PROBLEM, solver), assign(PROBLEM, Power(b))

    loss = found.objective - exact.objective
    assert -1e-14 * exact.objective <= loss <= found.gap
    assert found.relative_gap <= GAP[solver]
    assert solver in found.method


def test_a_sweep_solves_the_same_program_again():
    model = AssignmentModel(4)
    program = model.program
    for budget in (0.3, 0.6, 1.2):
        problem = RatioProblem(PROBLEM.weights, budget, PROBLEM.costs, PROBLEM.lower, PROBLEM.upper)
        assert model.solve(problem).objective == pytest.approx(assign(problem, Power(1)).objective, rel=1e-6)
        assert model.program is program


@pytest.mark.parametrize("seed", range(4))
def test_extreme_problems_are_solved_or_refused(seed):
    problem = random_problem(np.random.default_rng(seed), 40)
    found, exact = AssignmentModel(problem.workers).solve(problem), assign(problem, Power(1))
    assert -1e-14 * exact.objective <= found.objective - exact.objective <= found.gap <= 1e-3 * exact.objective


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("optimal_inaccurate", None),
        ("infeasible", None),
        ("user_limit", None),
        (None, cp.error.SolverError("broke down")),
    ],
)
def test_what_a_solver_does_not_vouch_for_is_an_error(status, error, monkeypatch):
    def solve(self, **options):
        if error is not None:
            raise error
        self._status = status

    monkeypatch.setattr(cp.Problem, "solve", solve)
    with pytest.raises(SolverFailed, match=status or "broke down") as caught:
        AssignmentModel(4).solve(PROBLEM)
    assert caught.value.solver == "CLARABEL"


def test_a_solver_that_stops_early_is_an_error():
    with pytest.raises(SolverFailed, match=r"SCS reports '.*'; accepted: 'optimal'"):
        AssignmentModel(4).solve(PROBLEM, "SCS", max_iters=3)


def test_bad_models_are_refused():
    for arguments, message in [
        ((2, 1.0, "invers"), "form = 'invers' is unknown; did you mean 'inverse'"),
        ((2, 2.0, "inverse"), "for b = 1, not b = 2.0"),
        ((2, -1.0), "b = -1.0"),
    ]:
        with pytest.raises(ValueError, match=message):
            AssignmentModel(*arguments)
    with pytest.raises(ValueError, match="problem has 4 workers; accepted: 2"):
        AssignmentModel(2).solve(PROBLEM)
    assert "quadratic" in FORMS


@pytest.mark.parametrize("scale", [0.0, 0.3, 0.999999, 1.0, 1.000001, 3.0])
def test_repair_is_feasible_and_spends_the_budget(scale):
    rng = np.random.default_rng(0)
    for _ in range(30):
        problem = random_problem(rng, 30)
        exact = assign(problem, Power(1)).delta
        delta = repaired(problem, scale * exact * (1 + 1e-6 * rng.standard_normal(exact.size)))
        left = problem.budget - float(np.dot(problem.costs, delta))

        assert np.all((delta >= problem.lower) & (delta <= problem.upper))
        assert left >= -1e-12 * problem.budget
        # Where fractions are zero nothing can be multiplied.
        assert scale == 0 or problem.largest or left <= 1e-9 * problem.budget
