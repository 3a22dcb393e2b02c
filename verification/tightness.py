"""The second witness: the exact worst case, by performance estimation.

What a theorem bounds is maximised over every function, compressor and starting point that its hypotheses allow, as one
semidefinite program per set of parameters. Worst case / bound is at most 1 where the theorem holds, and 1 where it
cannot be improved.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from taciturn.theory.theorem import Theorem

from . import step_limits
from .evidence import Budget, Evidence, Verdict
from .worst_cases import CASES, NOT_APPLICABLE, SOLVERS, Cell, Solution, WorstCase, finite, solve

__all__ = ["TOLERANCE", "witness", "worst_instances"]

TOLERANCE: Mapping[str, float] = MappingProxyType({"CLARABEL": 1e-6, "SCS": 1e-5})
"""By how much worst case / bound may differ from the truth, and the solvers from each other: they stop at 2e-9 and 1e-8
of values around 1, and the second, a first-order method, is further from its optimum when it does."""


def witness(theorem: Theorem, budget: Budget) -> tuple[Evidence, ...]:
    """Compute the worst cases of the theorem.

    Returns
    -------
    tuple of Evidence
        One for every worst case of the theorem; one more where parameters were left unsolved, and one for the step
        size of a theorem under delays or noise (`step_limits`).

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> from taciturn.verification.evidence import BUDGETS
    >>> (evidence,) = witness(theorem("topT-sc-exact"), BUDGETS["quick"])
    >>> evidence.verdict, round(evidence.ratio, 5)
    (<Verdict.HELD: 'held'>, 1.0)
    """
    steps = step_limits.examine(theorem)
    if theorem.id not in CASES:
        return (_evidence(theorem, Verdict.NOT_APPLICABLE, None, _reason(theorem), 0.0, {}), *steps)
    return (*(finding for case in CASES[theorem.id] for finding in _examine(theorem, case, budget)), *steps)


def worst_instances(theorem: Theorem, budget: Budget) -> list[dict[str, Any]]:
    """The worst cases as data, the tightest first.

    Returns
    -------
    list of dict
        JSON-compatible: ``points``, ``gradients`` (lists of lists) and ``values`` wherever F was evaluated, the
        minimiser first where there is one; ``messages`` in the order in which they were sent; ``minimum``, ``L``,
        ``mu`` (``-L`` without convexity), ``step_size``, ``steps``, ``parameters``, ``ratio``, ``theorem``, ``case``.
        `taciturn.verification.interpolation.reconstruct` turns one into a function. Empty where performance estimation
        does not apply.
    """
    answers = (
        _answer(theorem, case, cell) for case in CASES.get(theorem.id, ()) for cell in case.cells[: budget.cells]
    )
    found = sorted((answer for answer in answers if answer.solved), key=_ratio, reverse=True)
    return [dict(answer.instance) for answer in found if answer.instance is not None]


def _examine(theorem: Theorem, case: WorstCase, budget: Budget) -> Iterator[Evidence]:
    start = time.perf_counter()
    answers = [(cell, _answer(theorem, case, cell)) for cell in case.cells[: budget.cells]]
    solved = [(cell, answer) for cell, answer in answers if answer.solved]
    failed = [(cell, answer) for cell, answer in answers if not answer.solved]
    if failed:
        words = "; ".join(f"{answer.status} at {_named(cell)}" for cell, answer in failed)
        yield _evidence(
            theorem,
            Verdict.NOT_SOLVED,
            None,
            f"{case.title}: no solver reached its tolerance: {words}",
            time.perf_counter() - start,
            {"case": case.title, "cells": [_record(*entry) for entry in failed]},
        )
    if not solved:
        return
    cell, answer = max(solved, key=lambda entry: _ratio(entry[1]))
    second = solve(theorem, case, cell, next(name for name in SOLVERS if name != answer.solver))
    verdict, prose = _judge(case, cell, answer, second)
    details = {
        "case": case.title,
        "tight": case.tight,
        "cells": [_record(*entry) for entry in solved],
        "second": _record(cell, second),
    }
    if verdict is Verdict.VIOLATED:
        details["counterexample"] = answer.instance
    ratio = None if verdict is Verdict.NOT_SOLVED else finite(answer.ratio)
    yield _evidence(theorem, verdict, ratio, f"{case.title}: {prose}", time.perf_counter() - start, details)


def _answer(theorem: Theorem, case: WorstCase, cell: Cell) -> Solution:
    """The answer of the first solver that reaches its tolerance, else of the last."""
    for solver in SOLVERS:
        solution = solve(theorem, case, cell, solver)
        if solution.solved:
            break
    return solution


def _judge(case: WorstCase, cell: Cell, answer: Solution, second: Solution) -> tuple[Verdict, str]:
    ratio = _ratio(answer)
    agreed = f"{second.solver} stopped: {second.status}"
    if second.solved:
        difference = abs(_ratio(second) - ratio) if math.isfinite(ratio) else 0.0
        if difference > max(TOLERANCE.values()):
            words = f"{answer.solver} says {ratio:.8g}, {second.solver} {_ratio(second):.8g} at {_named(cell)}"
            return Verdict.NOT_SOLVED, f"the solvers disagree on worst case / bound: {words}"
        agreed = f"{second.solver} agrees to {difference:.0e}"
    found = f"worst case / bound = {ratio:.8g} at {_named(cell)} ({answer.solver}; {agreed})"
    tolerance = TOLERANCE[answer.solver]
    if ratio > 1 + tolerance:
        return Verdict.VIOLATED, f"{found}: the worst case exceeds the bound"
    if ratio < 1 - tolerance:
        unexpected = "not attained, against expectation: " if case.tight else ""
        return Verdict.HELD, f"{found}: {unexpected}the worst case stays {100 * (1 - ratio):.3g} % below"
    meaning = "no better constant follows from these hypotheses" if case.tight else "here, not in general"
    return Verdict.HELD, f"{found}: attained, {meaning}"


def _ratio(solution: Solution) -> float:
    """The ratio of a solution that has one."""
    return -math.inf if solution.ratio is None else solution.ratio


def _named(cell: Cell) -> str:
    parameters = ", ".join(f"{name}={value:g}" for name, value in cell.parameters.items())
    return parameters + (f", {cell.steps} steps" if cell.steps > 1 else "")


def _record(cell: Cell, solution: Solution) -> dict[str, Any]:
    return {
        "parameters": dict(cell.parameters),
        "steps": cell.steps,
        "initial": cell.initial,
        **solution.as_record(),
    }


def _reason(theorem: Theorem) -> str:
    if theorem.id in NOT_APPLICABLE:
        return NOT_APPLICABLE[theorem.id]
    if theorem.kind == "lower":
        return "a lower bound, attained by an explicit instance"
    return theorem.no_certificate or "no worst-case program is stated for it"


def _evidence(
    theorem: Theorem, verdict: Verdict, ratio: float | None, prose: str, seconds: float, details: dict[str, Any]
) -> Evidence:
    return Evidence(theorem.id, "tightness", verdict, ratio, prose, seconds, details)
