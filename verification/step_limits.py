"""How far the step size of a theorem is from one that nobody can exceed.

Every sufficient step is compared with the smallest step known to be unstable under the theorem's own hypotheses: on
``L x^2/2`` with one worker, messages of the stated variance and the worst delay patterns known. Source: dossier 4.10.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from taciturn.theory.theorem import Theorem

from .destabilising import Pattern, destabilising_step, growth
from .evidence import Evidence, Verdict
from .step_rules import NECESSARY, SUFFICIENT, Instance, Rule

__all__ = ["TOLERANCE", "Limit", "examine", "step_limits"]

TOLERANCE = 1e-9
"""By how much a step may exceed the necessary one: spectral radii and roots are known to this."""


@dataclass(frozen=True)
class Limit:
    """The step of a theorem beside the shortest unstable one, both in units of ``1/L``.

    Attributes
    ----------
    tau, variance
        Largest delay, and variance of the messages relative to the squared gradient.
    pattern
        The delays that are unstable beyond `unstable`.
    stored
        Whether messages are kept and used again.
    stated
        The longest step that the theorem allows, or the shortest that it calls too long.
    unstable
        The step beyond which nobody can promise convergence.
    """

    tau: int
    variance: float
    pattern: Pattern
    stored: bool
    stated: float
    unstable: float

    @property
    def gap(self) -> float:
        """``unstable / stated``: at least 1 for a step that is safe, at most 1 for one that is not."""
        return self.unstable / self.stated


def step_limits(theorem: Theorem) -> tuple[Limit, ...]:
    """The longest step of a theorem beside the necessary one, over delays and variances.

    Parameters
    ----------
    theorem
        One of `SUFFICIENT` or `NECESSARY`, or a wrong one with the same ID: its own formulas are used.

    Returns
    -------
    tuple of Limit
        Empty for a theorem that speaks of no step size.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> for limit in step_limits(theorem("stale-convex")):
    ...     if limit.variance == 0 and 0 < limit.tau < 4:
    ...         print(limit.tau, limit.pattern, round(limit.gap, 2))
    1 (1,) 1.62
    2 (0, 1, 2, 2) 1.5
    3 (0, 1, 2, 3, 3, 3) 1.5
    """
    rule = SUFFICIENT.get(theorem.id, NECESSARY.get(theorem.id))
    return () if rule is None else tuple(_compare(theorem, rule, instance) for instance in rule.instances())


def _compare(theorem: Theorem, rule: Rule, instance: Instance) -> Limit:
    unstable = {
        pattern: destabilising_step(pattern, instance.variance, stored=rule.stored) for pattern in instance.patterns
    }
    pattern = min(unstable, key=lambda delays: round(unstable[delays], 9))
    step = rule.step(theorem, instance)
    return Limit(instance.tau, instance.variance, pattern, rule.stored, step, unstable[pattern])


def examine(theorem: Theorem) -> tuple[Evidence, ...]:
    """Compare the steps that a theorem allows, or forbids, with the shortest unstable ones.

    Returns
    -------
    tuple of Evidence
        One, or none for a theorem that speaks of no step size. Its ratio is the largest stated / unstable step of a
        theorem that allows steps, the largest unstable / stated step of one that forbids them.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> (evidence,) = examine(theorem("dcgd-convex"))
    >>> evidence.verdict, round(evidence.ratio, 6)
    (<Verdict.HELD: 'held'>, 0.5)
    """
    start = time.perf_counter()
    limits = sorted(step_limits(theorem), key=lambda limit: limit.gap)
    if not limits:
        return ()
    lower = theorem.id in NECESSARY
    tightest, loosest = (limits[-1], limits[0]) if lower else (limits[0], limits[-1])
    cells = [_record(limit, lower) for limit in limits]
    ratio = max(float(record["ratio"]) for record in cells)
    violated = ratio > 1 + TOLERANCE
    details: dict[str, Any] = {"case": "step size", "gap": [tightest.gap, loosest.gap], "cells": cells}
    if violated:
        per_period = growth(tightest.pattern, tightest.stated, tightest.variance, stored=tightest.stored)
        details["counterexample"] = {**_record(tightest, lower), "growth per period": float(per_period)}
    verdict = Verdict.VIOLATED if violated else Verdict.HELD
    words = (_necessary_words if lower else _sufficient_words)(tightest, loosest, violated)
    prose = f"step size: {words}"
    return (Evidence(theorem.id, "tightness", verdict, ratio, prose, time.perf_counter() - start, details),)


def _sufficient_words(tightest: Limit, loosest: Limit, violated: bool) -> str:
    if violated:
        steps = f"{tightest.stated:.6g}/L is allowed, beyond the necessary {tightest.unstable:.6g}/L"
        return f"{steps}: L x^2/2 diverges ({_named(tightest)})"
    least, most = f"{tightest.gap:.3f}", f"{loosest.gap:.3f}"
    ends = f"by the factor {least} ({_named(tightest)})"
    if least == most:
        return f"the necessary step is longer {ends}"
    return f"the necessary step is longer, at least {ends}, at most by {most} ({_named(loosest)})"


def _necessary_words(tightest: Limit, loosest: Limit, violated: bool) -> str:
    if violated:
        return f"no delays are known to be unstable just beyond {tightest.stated:.6g}/L ({_named(tightest)})"
    shorter = f"unstable are steps down to {loosest.gap:.3f} of the limit ({_named(loosest)})"
    return f"unstable beyond the limit everywhere; {shorter}"


def _named(limit: Limit) -> str:
    return f"tau={limit.tau}, variance={limit.variance:g}, delays {' '.join(map(str, limit.pattern))}, repeated"


def _record(limit: Limit, lower: bool) -> dict[str, Any]:
    return {
        "parameters": {"tau": limit.tau, "variance": limit.variance},
        "pattern": list(limit.pattern),
        "stored": limit.stored,
        "stated": limit.stated,
        "unstable": limit.unstable,
        "ratio": limit.gap if lower else 1 / limit.gap,
    }
