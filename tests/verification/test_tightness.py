from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy

from taciturn.theory import Theorem, theorem
from taciturn.verification import tightness
from taciturn.verification.evidence import BUDGETS, Budget, Verdict
from taciturn.verification.interpolation import reconstruct
from taciturn.verification.mutation import strengthened
from taciturn.verification.worst_cases import (
    CASES,
    SOLVERS,
    Cell,
    Solution,
    WorstCase,
    solve,
)

TOL = tightness.TOLERANCE  # of optima around 1
ONE_CELL = Budget(instances=0, cells=1, replicas=0)


def case(id: str, title: str) -> WorstCase:
    (found,) = (entry for entry in CASES[id] if entry.title.startswith(title))
    return found


def optimum(
    id: str, title: str, steps: int = 1, initial: float = 1.0, solver: str = "CLARABEL", **values: float
) -> Any:
    solution = solve(theorem(id), case(id, title), Cell(values, steps, initial), solver)
    assert solution.solved, solution.status
    return solution.optimum


@pytest.fixture(params=list(SOLVERS))
def solver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# --- the dossier's performance-estimation values, each from the problem as the dossier normalises it ------------------


@pytest.mark.parametrize(("alpha", "expected"), [(0.1, 0.05), (0.5, 0.25), (1.0, 0.5)])
def test_worst_decrease_of_one_step(alpha: float, expected: float, solver: str) -> None:
    worst = -optimum("proj-descent", "one step", L=1, alpha=alpha, step_size=1, solver=solver) / 2

    assert worst == pytest.approx(expected, abs=TOL[solver])


@pytest.mark.parametrize("m", [0.05, 0.1, 0.3, 0.6])
def test_gradient_descent_under_pl(m: float) -> None:
    assert optimum("descent-plus", "PL", L=1, mu=m) == pytest.approx((2 - 2 * m) / (2 + m), abs=1e-6)


@pytest.mark.parametrize("title", ["decrease, convex", "decrease, not convex"])
def test_sharper_descent_lemmas_are_attained(title: str) -> None:
    assert optimum("descent-plus", title, L=1, mu=0.1) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("m", [0.1, 0.3])
def test_pl_at_the_current_point(m: float, alpha: float) -> None:
    assert optimum("topT-pl-rate", "PL at the current", L=1, mu=m, alpha=alpha) == pytest.approx(
        1 - alpha * m, abs=1e-6
    )


@pytest.mark.parametrize(("alpha", "expected"), [(0.1, 0.98989), (0.5, 0.94637), (0.9, 0.88956), (1.0, 0.85714)])
def test_pl_at_both_points(alpha: float, expected: float, solver: str) -> None:
    worst = optimum("topT-pl-rate", "PL at every", L=1, mu=0.1, alpha=alpha, solver=solver)

    assert worst == pytest.approx(expected, abs=5e-6 + TOL[solver])


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("m", [0.02, 0.1, 0.3, 0.6])
def test_exact_factor_of_strong_convexity(m: float, alpha: float) -> None:
    worst = optimum("topT-sc-exact", "one step", L=1, mu=m, alpha=alpha)

    # The dossier reports 1.2e-7 over this grid.
    assert worst == pytest.approx(theorem("topT-sc-exact").evaluate(L=1, mu=m, alpha=alpha).rate, abs=2e-7)


# alpha -> worst case / bound after 1, 2, 3, 4 steps
CONVEX = {0.2: (0.871, 0.795, 0.748, 0.717), 0.5: (0.709, 0.593, 0.533, 0.498), 1.0: (0.417, 0.300, 0.250, 0.222)}


@pytest.mark.parametrize(
    ("alpha", "K", "expected"), [(alpha, K, row[K - 1]) for alpha, row in CONVEX.items() for K in (1, 2, 3, 4)]
)
def test_convex_rate(alpha: float, K: int, expected: float) -> None:
    worst = optimum("topT-convex-rate", "a run from the largest", K, 0.5, L=1, radius=1, alpha=alpha)

    assert worst / (2 / (alpha * K + 4)) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(
    ("alpha", "K", "expected"),
    [(0.7, 1, 0.700), (0.7, 2, 0.775), (0.7, 3, 0.804), (0.3, 1, 0.300), (0.3, 2, 0.457), (0.3, 3, 0.553)],
)
def test_nonconvex_rate(alpha: float, K: int, expected: float) -> None:
    worst = optimum("topT-nonconvex-rate", "a run", K, L=1, alpha=alpha)

    assert worst / (2 / (alpha * K)) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(("K", "expected"), [(1, 2.0), (2, 0.8), (3, 0.5)])
def test_gradient_descent_without_convexity(K: int, expected: float, solver: str) -> None:
    assert optimum("gd-nonconvex-exact", "a run", K, L=1, solver=solver) == pytest.approx(expected, abs=TOL[solver])


@pytest.mark.parametrize(("omega", "m", "expected"), [(0.3, 0.1, 0.943), (0.7, 0.4, 0.552)])
def test_distance_of_stochastic_sparsification(omega: float, m: float, expected: float, solver: str) -> None:
    worst = optimum("ss-distance-exact", "one step", L=1, mu=m, omega=omega, relative_step=1, solver=solver)

    assert worst == pytest.approx(expected, abs=TOL[solver])


@pytest.mark.parametrize("title", ["one step, two outcomes", "one step, three outcomes"])
@pytest.mark.parametrize("omega", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("m", [0.1, 0.4])
def test_exact_factor_of_stochastic_sparsification(m: float, omega: float, title: str) -> None:
    worst = optimum("ss-sc-exact", title, L=1, mu=m, omega=omega)

    assert worst == pytest.approx(1 - omega * m - omega**2 * m * (1 - m), abs=1e-6)


def test_several_workers_attain_the_descent_lemma(solver: str) -> None:
    assert optimum("mn-descent", "two workers", L=1, solver=solver) == pytest.approx(0, abs=TOL[solver])


@pytest.mark.parametrize("delta", [0.05, 0.3, 0.7])
def test_potential_of_error_feedback(delta: float) -> None:
    worst = optimum("ef21-cat", "the potential and its decrease", L=1, L_tilde=1, delta=delta)

    assert 1 + worst == pytest.approx(1, abs=1e-6)


# --- what is not in the dossier ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("K", [1, 2, 3])
@pytest.mark.parametrize("alpha", [0.3, 0.7])
def test_uniform_average_has_a_closed_form(alpha: float, K: int) -> None:
    """Each step may close the gap by the fraction alpha: gradients of energy (1 - alpha)^k, by a geometric sum."""
    worst = optimum("mean-validity", "a run", K, L=1, alpha_min=alpha)

    assert worst == pytest.approx(2 * (1 - (1 - alpha) ** K) / (alpha * K), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "K"), [(alpha, K) for alpha in CONVEX for K in (2, 3, 4)])
def test_convex_rate_needs_only_the_initial_distance_for_few_steps(alpha: float, K: int) -> None:
    def at_the_start(run: Any) -> None:
        run.pep.add_constraint((run.start.x - run.problem.minimiser) ** 2 <= run.values["radius"] ** 2)

    full = case("topT-convex-rate", "a run from the largest")
    cell = Cell({"L": 1, "radius": 1, "alpha": alpha}, K, 0.5)
    weaker = solve(theorem("topT-convex-rate"), replace(full, hypotheses=(at_the_start,)), cell)
    stronger = solve(theorem("topT-convex-rate"), full, cell)

    assert weaker.optimum == pytest.approx(stronger.optimum, abs=1e-6)


# --- the witness ------------------------------------------------------------------------------------------------------


def test_refutations_carry_their_counterexample() -> None:
    for id in ("topT-sc-exact", "ss-sc-exact"):
        (wrong,) = strengthened(theorem(id))
        for evidence in tightness.witness(wrong, ONE_CELL):
            assert evidence.verdict is Verdict.VIOLATED
            assert "exceeds the bound" in evidence.prose
            assert evidence.details["counterexample"]["points"]
            assert evidence.details["second"]["solver"] == "SCS"


UPPER = ["topT-convex-rate", "topT-nonconvex-rate", "mean-validity", "ss-convex-rate", "ss-nonconvex-rate", "ss-sgd"]


@pytest.mark.slow
@pytest.mark.parametrize("id", [*UPPER, "cat-actual-decrease", "mn-neighbourhood", "ef21-cat"])
def test_stronger_versions_of_most_other_bounds_are_refuted(id: str) -> None:
    found = [evidence for wrong in strengthened(theorem(id)) for evidence in tightness.witness(wrong, BUDGETS["quick"])]

    assert Verdict.VIOLATED in {evidence.verdict for evidence in found}


@pytest.mark.parametrize("id", ["topT-sc-exact", "ss-sc-exact", "ss-distance-exact"])
def test_a_longer_step_is_refuted(id: str) -> None:
    right = theorem(id)
    assert right.step_size is not None

    found = tightness.witness(replace(right, step_size=sympy.Rational(3, 2) * right.step_size), BUDGETS["quick"])

    assert found[0].verdict is Verdict.VIOLATED


def test_a_bound_below_zero_is_exceeded_without_measure() -> None:
    (evidence,) = tightness.witness(replace(theorem("topT-sc-exact"), rate=sympy.Integer(-1)), ONE_CELL)

    assert evidence.verdict is Verdict.VIOLATED
    assert evidence.ratio is None
    json.dumps(evidence.as_record(), allow_nan=False)


def test_reasons_are_given_where_it_does_not_apply() -> None:
    def prose(entry: Theorem) -> str:
        (evidence,) = tightness.witness(entry, ONE_CELL)
        assert evidence.verdict is Verdict.NOT_APPLICABLE
        return evidence.prose

    assert "coordinates" in prose(theorem("topT-diagonal-sc"))
    assert "lower bound" in prose(replace(theorem("mn-divergence"), id="another"))
    assert "sorted vectors" in prose(replace(theorem("alpha-profile"), id="another"))
    assert tightness.worst_instances(theorem("alpha-profile"), ONE_CELL) == []


Faked = Callable[[Theorem, WorstCase, Cell, str], Solution]


@pytest.mark.parametrize(
    ("answers", "verdict", "words"),
    [
        ({"CLARABEL": ("optimal", 0.9), "SCS": ("optimal", 0.9)}, Verdict.HELD, "stays 10 % below"),
        ({"CLARABEL": ("optimal", 1.1), "SCS": ("optimal", 1.1)}, Verdict.VIOLATED, "exceeds the bound"),
        ({"CLARABEL": ("optimal", 1.0), "SCS": ("optimal", 0.9)}, Verdict.NOT_SOLVED, "disagree"),
        ({"CLARABEL": ("optimal", 1.0), "SCS": ("failed", None)}, Verdict.HELD, "SCS stopped: failed"),
        ({"CLARABEL": ("stalled", 2.0), "SCS": ("optimal", 0.9)}, Verdict.HELD, "CLARABEL stopped: stalled"),
        ({"CLARABEL": ("stalled", 2.0), "SCS": ("too slow", 3.0)}, Verdict.NOT_SOLVED, "too slow"),
    ],
)
def test_solvers_are_believed_only_where_they_succeed(
    answers: dict[str, tuple[str, float | None]], verdict: Verdict, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake(entry: Theorem, case: WorstCase, cell: Cell, solver: str) -> Solution:
        status, ratio = answers[solver]
        return Solution(solver, status, ratio, ratio, 0.0, ratio, {"points": []})

    monkeypatch.setattr(tightness, "solve", fake)
    (evidence,) = tightness.witness(theorem("topT-sc-exact"), ONE_CELL)

    assert evidence.verdict is verdict
    assert words in evidence.prose
    assert (evidence.ratio is None) == (verdict is Verdict.NOT_SOLVED)


# --- worst cases as data and as functions -----------------------------------------------------------------------------


def test_worst_instances_are_runs_of_the_method() -> None:
    instances = tightness.worst_instances(theorem("topT-sc-exact"), BUDGETS["quick"])

    assert len(instances) == 3
    assert instances == json.loads(json.dumps(instances, allow_nan=False))
    for instance in instances:
        (best, x, x_next), (_, g, _) = (np.array(instance[name]) for name in ("points", "gradients"))
        (q,) = np.array(instance["messages"])
        assert g @ q == pytest.approx(q @ q, rel=1e-5)
        assert q @ q >= instance["parameters"]["alpha"] * g @ g * (1 - 1e-5)
        np.testing.assert_allclose(x_next, x - instance["step_size"] * q, atol=1e-5)
        np.testing.assert_allclose(best, 0, atol=1e-12)


@pytest.mark.parametrize(
    "id", ["topT-sc-exact", "ss-sc-exact", "topT-pl-rate", "gd-nonconvex-exact", "topT-convex-rate"]
)
def test_the_function_behind_a_worst_case_attains_it(id: str) -> None:
    for instance in tightness.worst_instances(theorem(id), ONE_CELL):
        F = reconstruct(instance)
        for x, g, value in zip(*(np.array(instance[name]) for name in ("points", "gradients", "values")), strict=True):
            assert F(x) == pytest.approx(value, abs=1e-7)
            np.testing.assert_allclose(F.gradient(x), g, atol=1e-4)


def test_one_step_on_the_worst_function_has_the_exact_factor() -> None:
    instance = tightness.worst_instances(theorem("topT-sc-exact"), ONE_CELL)[0]
    F = reconstruct(instance)
    x, q = np.array(instance["points"])[1], np.array(instance["messages"])[0]

    factor = F(x - instance["step_size"] * q) / F(x)

    assert factor == pytest.approx(theorem("topT-sc-exact").evaluate(**instance["parameters"]).rate, abs=1e-6)


def test_functions_without_smoothness_are_not_reconstructed() -> None:
    with pytest.raises(ValueError, match="sc-implies-pl is not smooth"):
        reconstruct(tightness.worst_instances(theorem("sc-implies-pl"), ONE_CELL)[0])
