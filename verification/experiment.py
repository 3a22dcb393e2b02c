"""The fourth witness: the methods themselves, run on small real problems beside the bound."""

from __future__ import annotations

import sys
import time

from taciturn.theory.theorem import Theorem

from .evidence import Budget, Evidence, Verdict
from .experiments import EXPERIMENTS, NOT_APPLICABLE
from .experiments.comparison import FAILURE_PROBABILITY, Comparison

__all__ = ["TOLERANCE", "compare", "witness"]

TOLERANCE = 1e-6
"""How far above 1 a ratio may be by rounding: gaps and decreases count only where they are known to seven digits."""


def compare(theorem: Theorem, budget: Budget) -> tuple[Comparison, ...]:
    """Run everything that is run for the theorem, or for a wrong one with the same ID.

    Raises
    ------
    ValueError
        If nothing is run for it.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> comparisons = compare(theorem("gd-nonconvex-exact"), Budget(instances=1, cells=1, replicas=2))
    >>> [comparison.setting for comparison in comparisons][0]
    'gradient descent, rotated quadratic'
    """
    if theorem.id not in EXPERIMENTS:
        raise ValueError(f"theorem={theorem.id!r}: nothing is run for it; there are {', '.join(EXPERIMENTS)}")
    return tuple(EXPERIMENTS[theorem.id](theorem, budget))


def witness(theorem: Theorem, budget: Budget) -> tuple[Evidence, ...]:
    """Compare the methods with the theorem.

    An expectation is measured by `Budget.replicas` independent runs; it violates the bound if the lower end of its
    confidence interval lies above.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> from taciturn.verification.evidence import BUDGETS
    >>> witness(theorem("gd-nonconvex-exact"), BUDGETS["quick"])[0].verdict
    <Verdict.HELD: 'held'>
    """
    if theorem.id not in EXPERIMENTS:
        reason = NOT_APPLICABLE.get(theorem.id, f"{theorem.id} has no entry in the tables of experiments")
        return (Evidence(theorem.id, "experiment", Verdict.NOT_APPLICABLE, None, reason, 0.0),)
    start = time.perf_counter()
    comparisons = compare(theorem, budget)
    worst = max(comparisons, key=lambda comparison: comparison.ratio)
    violated = [comparison for comparison in comparisons if comparison.ratio > 1 + TOLERANCE]
    interval = f" (± {worst.half_width:.2g}, {worst.samples} runs)" if worst.samples > 1 else ""
    prose = (
        f"{len(violated)} of {len(comparisons)} bounds violated" if violated else f"{len(comparisons)} bounds held"
    ) + f"; nearest to its bound: {worst.setting}, {worst.measured:.4g}{interval} against {worst.bound:.4g}"
    details = {
        "comparisons": len(comparisons),
        "setting": worst.setting,
        "measured": worst.measured,
        "half width": worst.half_width,
        "runs": worst.samples,
        "bound": worst.bound,
        "failure probability": FAILURE_PROBABILITY,
        "tolerance": TOLERANCE,
    }
    verdict = Verdict.VIOLATED if violated else Verdict.HELD
    ratio = min(worst.ratio, sys.float_info.max)  # JSON has no infinity
    return (Evidence(theorem.id, "experiment", verdict, ratio, prose, time.perf_counter() - start, details),)
