"""Worst cases as semidefinite programs: built, solved and dropped one at a time."""

from __future__ import annotations

import contextlib
import io
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cvxpy
import numpy as np
import PEPit

from taciturn.theory.theorem import Guarantee, Theorem

from .claims import Cell, Claim
from .run import Constraint, Expression, Measure, Method, ProblemClass, Run, State, candidates, zero_point

SOLVERS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "CLARABEL": {"tol_gap_abs": 2e-9, "tol_gap_rel": 2e-9, "tol_feas": 2e-9},
        "SCS": {"eps_abs": 1e-8, "eps_rel": 1e-8, "max_iters": 20_000},
    }
)
"""The solvers, first the interior-point method that decides, then the first-order method that witnesses."""


@dataclass(frozen=True)
class WorstCase:
    """How the exact worst case behind a statement is computed.

    Parameters
    ----------
    title
        What distinguishes it from the other worst cases of the theorem.
    problem, method
        Function class and algorithm; without method, the statement is about a point.
    start
        The measure that fixes the scale.
    claim
        What is maximised, and what the theorem says of it.
    cells
        Parameters, the most telling first.
    hypotheses
        What the theorem assumes beyond function class and compressor.
    tight
        Whether the worst case equals the bound (else it is only below).
    """

    title: str
    problem: ProblemClass
    start: Measure
    claim: Claim
    cells: tuple[Cell, ...]
    method: Method | None = None
    hypotheses: tuple[Constraint, ...] = ()
    tight: bool = False


@dataclass(frozen=True)
class Solution:
    """The answer of one solver.

    Attributes
    ----------
    solver, status
        Who answered, in its own word.
    optimum
        Largest value of the objective at the solver's primal point; ``None`` if it was not found.
    upper
        The dual value.
    residual
        Largest violation of a constraint at the primal point.
    ratio
        Worst case / bound.
    instance
        The worst case itself, JSON-compatible; see `taciturn.verification.tightness.worst_instances`.
    """

    solver: str
    status: str
    optimum: float | None = None
    upper: float | None = None
    residual: float | None = None
    ratio: float | None = None
    instance: Mapping[str, Any] | None = None

    @property
    def solved(self) -> bool:
        """Whether the solver reached its tolerance."""
        return bool(self.status == cvxpy.OPTIMAL)

    def as_record(self) -> dict[str, Any]:
        """The numbers, without the instance; JSON-compatible."""
        names = ("solver", "status", "optimum", "upper", "residual")
        return {name: getattr(self, name) for name in names} | {"ratio": finite(self.ratio)}


def finite(number: float | None) -> float | None:
    """The number, or nothing where JSON has no word for it: a bound of at most zero is exceeded without measure."""
    return number if number is not None and math.isfinite(number) else None


def solve(theorem: Theorem, case: WorstCase, cell: Cell, solver: str = "CLARABEL") -> Solution:
    """The exact worst case for one set of parameters; of a maximum, one program for every member.

    Parameters
    ----------
    theorem
        The statement; step size and bound are taken from it.
    case, cell
        What is solved.
    solver
        One of `SOLVERS`.

    Raises
    ------
    ValueError
        If the cell is outside the theorem's range.
    """
    guarantee = theorem.evaluate(**cell.parameters)
    run, objectives = _build(theorem, guarantee, case, cell)
    answers = [_maximise(theorem, guarantee, case, cell, solver, run, objectives[0])]
    for i in range(1, len(objectives)):  # a program has one objective
        run, objectives = _build(theorem, guarantee, case, cell)
        answers.append(_maximise(theorem, guarantee, case, cell, solver, run, objectives[i]))
    # What is not known may be the largest.
    return next((answer for answer in answers if not answer.solved), None) or max(answers, key=_optimum)


def _optimum(answer: Solution) -> float:
    return -math.inf if answer.optimum is None else answer.optimum


def _maximise(
    theorem: Theorem, guarantee: Guarantee, case: WorstCase, cell: Cell, solver: str, run: Run, objective: Expression
) -> Solution:
    """The largest value of an objective."""
    run.pep.set_performance_metric(objective)
    # PEPit prints and cvxpy warns where a solver stops early; the status says so already.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            upper = run.pep.solve(wrapper="cvxpy", verbose=0, solver=solver, **SOLVERS[solver])
        except cvxpy.SolverError as error:
            return Solution(solver, str(error))
    status = str(run.pep.wrapper.prob.status)
    if upper is None:
        return Solution(solver, status)
    optimum = float(objective.eval())
    ratio = case.claim.ratio(guarantee, cell, optimum)
    instance = _instance(theorem, case, cell, run) | {"ratio": finite(ratio)}
    return Solution(solver, status, optimum, float(upper), _residual(run), ratio, instance)


def _build(theorem: Theorem, guarantee: Guarantee, case: WorstCase, cell: Cell) -> tuple[Run, tuple[Expression, ...]]:
    pep = PEPit.PEP()
    values = {name: float(value) for name, value in guarantee.values.items()}
    stated = {"step_size": guarantee.step_size, "value": guarantee.value}
    values |= {name: float(value) for name, value in stated.items() if value is not None}
    run = Run(pep, values, case.problem(pep, values))
    # Without minimiser the start is the origin.
    x = PEPit.Point() if run.problem.minimiser is not None else zero_point()
    run.levels.append((State(x, memory=case.method.memory(run) if case.method else ()),))
    if case.method is not None:
        for _ in range(cell.steps):
            run.levels.append(tuple(after for state in run.levels[-1] for after in case.method.step(run, state)))
    case.claim.normalise(run, case.start(run, 0), cell)
    objectives = candidates(case.claim.objective(run, theorem))
    # Last: these speak of every point at which F was evaluated.
    for constrain in case.hypotheses:
        constrain(run)
    return run, objectives


def _residual(run: Run) -> float:
    """Largest violation of a constraint by the positive semidefinite part of the solver's Gram matrix."""
    of_classes = (c for function in run.pep.list_of_functions for c in function.list_of_class_constraints)
    constraints = (*run.pep.list_of_constraints, *of_classes)
    return float(max(abs(c.eval()) if c.equality_or_inequality == "equality" else c.eval() for c in constraints))


def _instance(theorem: Theorem, case: WorstCase, cell: Cell, run: Run) -> dict[str, Any]:
    """Points, gradients and values of the worst case, in as few coordinates as it needs."""
    triplets = run.problem.function.list_of_points
    vectors = [x for x, _, _ in triplets], [g for _, g, _ in triplets], run.messages
    stacked = np.array([vector.eval() for group in vectors for vector in group])
    # Scalar products are known to about 1e-8, hence coordinates to 1e-4.
    _, size, directions = np.linalg.svd(stacked, full_matrices=False)
    coordinates = stacked @ directions[size > 1e-4 * size[0]].T
    points, gradients, messages = np.split(coordinates, [len(triplets), 2 * len(triplets)])
    return {
        "theorem": theorem.id,
        "case": case.title,
        "parameters": dict(cell.parameters),
        "steps": cell.steps,
        "L": run.problem.L if math.isfinite(run.problem.L) else None,
        "mu": run.problem.mu,
        "step_size": run.values.get("step_size"),
        "minimum": 0.0,
        "points": points.tolist(),
        "gradients": gradients.tolist(),
        "values": [float(value.eval()) for _, _, value in triplets],
        "messages": messages.tolist(),
    }
