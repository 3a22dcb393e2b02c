"""Theorems with one wrong constant are rejected by the attack, and those they were made from are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sympy

from taciturn.theory import theorem
from taciturn.theory.special import pattern_root_step, stale_root_step
from taciturn.theory.symbols import Expr, Range, parameter
from taciturn.theory.theorem import INITIAL, K, Theorem
from taciturn.verification.attack import witness
from taciturn.verification.evidence import Budget, Verdict

HARDLY_ANY = Budget(instances=1, cells=1, replicas=1)
"""Besides the instances that are known to be hard."""

L_hat, mu, tau, gamma = (parameter(name).symbol for name in ("L_hat", "mu", "tau", "step_size"))
omega, theta, Lambda, sigma = (parameter(name).symbol for name in ("variance", "young", "Lambda", "sparsity_sigma"))
B_0, N_0, beta = (parameter(name).symbol for name in ("noise_slope", "noise_floor", "relative_noise"))
w2, m = (parameter(name).symbol for name in ("window_norm", "window_count"))
A, squares = (sympy.Symbol(name, real=True) for name in ("second_moment_slope", "sum_square_weights"))

Change = Callable[[Theorem], Theorem]


def longest_step(change: Callable[[Expr], Expr]) -> Change:
    """Another largest step size, which is also the default."""

    def wrong(right: Theorem) -> Theorem:
        step = change(right.defaults["step_size"])
        domain = Range(0, step, lower_open=True)
        parameters = [entry.within(domain) if entry.name == "step_size" else entry for entry in right.parameters]
        return replace(right, defaults={"step_size": step}, parameters=tuple(parameters))

    return wrong


def formula(**changes: Callable[[Expr], Expr]) -> Change:
    """Other formulas."""
    return lambda right: replace(right, **{name: change(getattr(right, name)) for name, change in changes.items()})


def budget(upper: float) -> Change:
    """Windows whose steps sum to more."""

    def wrong(right: Theorem) -> Theorem:
        domain = Range(0, upper, lower_open=True, upper_open=True)
        parameters = [entry.within(domain) if entry.name == "window_budget" else entry for entry in right.parameters]
        return replace(right, parameters=tuple(parameters))

    return wrong


def rounded_window(step: Expr) -> Expr:
    """tau where tau^2 belongs."""
    return 2 / (L_hat * (1 + sympy.sqrt(1 + 4 * tau)) + 2 * B_0)


OF_THE_DOSSIER: list[tuple[str, str, Change]] = [
    ("stale-convex", "a step 1.9 times as long", longest_step(lambda step: 1.9 * step)),
    ("stale-sc", "a step 2.6 times as long", longest_step(lambda step: 2.6 * step)),
    ("noise-table", "0.3 N_0", formula(residual=lambda floor: 0.3 * floor)),
    ("noise-table", "0.05 B_0", formula(value=lambda slope: 0.05 * slope)),
    ("dcgd-sc-tight", "2.01 gamma mu in the rate", formula(rate=lambda rate: rate - 0.01 * gamma * mu)),
    ("stale-sc-refined", "mu_e = 2.2 mu", formula(rate=lambda rate: sympy.Max(1 - 2.2 * gamma * mu, 0))),
    (
        "stale-stored-convex",
        "the step of fresh messages",
        longest_step(lambda step: stale_root_step(L_hat, B_0, tau, 0)),
    ),
]

OTHERS: list[tuple[str, str, Change]] = [
    (
        "stale-convex",
        "the step for tau - 1",
        longest_step(lambda step: stale_root_step(L_hat, B_0, sympy.Max(tau - 1, 0), 0)),
    ),
    ("stale-convex", "B_0 / 2 in the step", longest_step(lambda step: step.subs(B_0, B_0 / 2))),
    ("stale-convex", "tau where tau^2 belongs in the step", longest_step(rounded_window)),
    ("stale-sc", "0.9 N_0 in the residual", formula(residual=lambda residual: 0.9 * residual)),
    ("stale-sc", "the rate to the power 2.01", formula(rate=lambda rate: rate**2.01)),
    ("stale-sc-refined", "no noise in the step", longest_step(lambda step: step.subs(B_0, 0))),
    (
        "stale-pattern-aware",
        "the norm of the windows, not squared",
        longest_step(lambda step: pattern_root_step(L_hat, B_0, sympy.sqrt(w2), m)),
    ),
    ("stale-second-moment", "no tau in the step", longest_step(lambda step: 1 / A)),
    (
        "stale-second-moment-convex",
        "A / 2 in the step",
        longest_step(lambda step: step.subs(A, sympy.Max(L_hat, A / 2))),
    ),
    ("stale-nonconvex", "half the bound", formula(bound=lambda bound: bound / 2)),
    ("stale-nonconvex", "no noise in the step", longest_step(lambda step: step.subs(beta, 0))),
    ("stale-pl", "the rate to the power 2.01", formula(rate=lambda rate: rate**2.01)),
    (
        "stale-nonconvex-hetero",
        "1.9 where 4 stands in the bound",
        formula(bound=lambda bound: bound - 2.1 * INITIAL / (gamma * K)),
    ),
    ("stale-stored-sc", "no noise in the step", longest_step(lambda step: step.subs(B_0, 0))),
    ("stale-stored-convex", "no floor", formula(bound=lambda bound: bound.subs(N_0, 0))),
    ("stale-maxrec", "nine times the rate, and no window", formula(rate=lambda rate: 1 - 2.25 * gamma * mu)),
    ("delay-adaptive-convex", "h = 1.5", budget(1.5)),
    ("delay-adaptive-sc", "the rate to the power 2.01", formula(rate=lambda rate: rate**2.01)),
    ("delay-adaptive-nonconvex", "no factor 2 in the bound", formula(bound=lambda bound: bound / 2)),
    ("dcgd-published", "no sigma in the step", formula(step_size=lambda step: step.subs(sigma, 1))),
    ("dcgd-sc", "half the residual", formula(residual=lambda residual: residual / 2)),
    ("dcgd-sc", "a contraction of 2 gamma mu", formula(rate=lambda rate: sympy.Max(1 - 2 * gamma * mu, 0))),
    ("dcgd-sc-tight", "squared weights squared again", formula(rate=lambda rate: rate.subs(squares, squares**2))),
    ("dcgd-sc-tight", "no noise in the rate", formula(rate=lambda rate: (1 - gamma * mu) ** 2)),
    ("dcgd-convex", "the floor subtracted", formula(bound=lambda bound: bound.subs(N_0, -N_0))),
    ("dcgd-nonconvex", "no noise in the step", longest_step(lambda step: step.subs(beta, 0))),
    ("dcgd-nc-abc", "1.9 where 2 stands", formula(bound=lambda bound: 0.95 * bound)),
    ("noise-table", "theta where 1 + theta belongs", formula(value=lambda slope: omega * theta * Lambda)),
]  # fmt: skip


CASES = [
    pytest.param(*case, id=f"{case[0]}: {case[1]}", marks=marks)
    for table, marks in ((OF_THE_DOSSIER, ()), (OTHERS, pytest.mark.slow))
    for case in table
]


@pytest.mark.parametrize(("id", "change", "make"), CASES)
def test_a_wrong_constant_is_rejected(id: str, change: str, make: Change) -> None:
    (evidence,) = witness(make(theorem(id)), HARDLY_ANY)

    assert evidence.verdict is Verdict.VIOLATED, f"{change}: {evidence.prose}"


@pytest.mark.slow
@pytest.mark.parametrize("id", sorted({case[0] for case in (*OF_THE_DOSSIER, *OTHERS)}))
def test_the_right_constants_are_not(id: str) -> None:
    (evidence,) = witness(theorem(id), HARDLY_ANY)

    assert evidence.verdict is Verdict.HELD, evidence.prose
