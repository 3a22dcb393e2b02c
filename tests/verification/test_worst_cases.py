from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import PEPit
import pytest
import sympy
from PEPit import functions

from taciturn.theory import theorem
from taciturn.theory.certificate import Hypothesis
from taciturn.theory.gram import inner, mean, scalars, square, vectors
from taciturn.theory.hypotheses import Point, convex_interpolation, interpolation, smooth_interpolation
from taciturn.verification.worst_cases import Cell
from taciturn.verification.worst_cases.claims import (
    AtLeast,
    AtMost,
    BoundAfterRun,
    Inequality,
    certified_decrease,
    next_value,
    stated_value,
    translate,
)
from taciturn.verification.worst_cases.vocabulary import decrease, objective_gap

L, mu = sympy.symbols("L mu", real=True)
FIRST, SECOND = (Point(name, *vectors(f"x_{name} g_{name}"), *scalars(f"f_{name}")) for name in "ij")
VALUES = {"L": 3.0, "mu": 0.7}


def coefficients(expression: Any) -> dict[Any, float]:
    """Coefficients of a PEPit expression over unordered scalar products and values."""
    collected: dict[Any, float] = {}
    for key, value in expression.decomposition_dict.items():
        name = frozenset(point.name for point in key) if isinstance(key, tuple) else key.name
        collected[name] = collected.get(name, 0.0) + float(value)
    return {name: value for name, value in collected.items() if abs(value) > 1e-12}


@pytest.mark.parametrize(
    ("conditions", "parameters", "hypothesis"),
    [
        (functions.SmoothStronglyConvexFunction, ("L", "mu"), interpolation(FIRST, SECOND, L, mu)),
        (functions.SmoothConvexFunction, ("L",), convex_interpolation(FIRST, SECOND, L)),
        (functions.SmoothFunction, ("L",), smooth_interpolation(FIRST, SECOND, L)),
    ],
)
def test_interpolation_inequalities_are_those_of_pepit(
    conditions: Any, parameters: tuple[str, ...], hypothesis: Hypothesis
) -> None:
    pep = PEPit.PEP()
    F = pep.declare_function(conditions, **{name: VALUES[name] for name in parameters})
    atoms: dict[str, Any] = dict(VALUES)
    for end in "ij":
        x = PEPit.Point(name=f"x_{end}")
        g, f = F.oracle(x)
        g.set_name(f"g_{end}")
        f.set_name(f"f_{end}")
        atoms |= {f"x_{end}": x, f"g_{end}": g, f"f_{end}": f}
    F.set_class_constraints()
    # PEPit's constraints are ``expression <= 0``; its first is at the pair (i, j).
    theirs = coefficients(-F.list_of_class_constraints[0].expression)

    ours = coefficients(translate(hypothesis.expression, atoms.__getitem__))

    assert ours.keys() == theirs.keys()
    assert all(ours[name] == pytest.approx(theirs[name]) for name in theirs)


def test_averages_are_weighted_sums() -> None:
    PEPit.PEP()
    g, g_i = vectors("g g[i]")
    G, first, second = (PEPit.Point(name=name) for name in ("G", "first", "second"))
    atoms: Mapping[str, Any] = {"g": G, "g[i]": (first, second), "[i]": (0.25, 0.75)}

    found = coefficients(translate(2 * mean(square(g_i - g)) + inner(g, g), atoms.__getitem__))

    assert found == pytest.approx(
        {
            frozenset({"first"}): 0.5,
            frozenset({"second"}): 1.5,
            frozenset({"first", "G"}): -1.0,
            frozenset({"second", "G"}): -3.0,
            frozenset({"G"}): 3.0,
        }
    )


def test_what_has_no_counterpart_is_refused() -> None:
    with pytest.raises(ValueError, match="has no counterpart"):
        translate(sympy.sin(L), {"L": 1.0}.__getitem__)


def test_claims_compare_with_the_theorem() -> None:
    noisy = theorem("ss-sgd").evaluate(L=1, mu=0.1, omega=0.5, gradient_noise=2, step_size=0.5)
    gd = theorem("gd-nonconvex-exact").evaluate(L=1)
    step = theorem("proj-descent").evaluate(L=1, alpha=0.5)

    # One step of the bound: the rate applies to the distance from the residual, 20.
    assert next_value(noisy, Cell({}, initial=1.0)) == pytest.approx(0.95 * 1 + 0.05 * 20)
    assert AtMost(objective_gap, next_value).ratio(noisy, Cell({}), 1.95) == pytest.approx(1)
    # 4L/(3K - 1) after three steps, and three iterations for the accuracy 1/2.
    assert BoundAfterRun(objective_gap).ratio(gd, Cell({}, 3), 0.5) == pytest.approx(1)
    assert BoundAfterRun(objective_gap).ratio(gd, Cell({}, 3), 0.25) == pytest.approx(3 / (17 / 3))
    # A decrease of 1 where 1/2 is certified; no decrease at all.
    assert AtLeast(decrease, certified_decrease).ratio(step, Cell({}), -1.0) == pytest.approx(0.5)
    assert AtLeast(decrease, certified_decrease).ratio(step, Cell({}), 0.1) == float("inf")
    assert Inequality("one step").ratio(step, Cell({}, initial=2.0), 0.2) == pytest.approx(1.1)


def test_claims_on_what_a_theorem_does_not_state_are_refused() -> None:
    guarantee = theorem("proj-descent").evaluate(L=1, alpha=0.5)

    with pytest.raises(ValueError, match="proj-descent states no rate"):
        next_value(guarantee, Cell({}))
    with pytest.raises(ValueError, match="proj-descent states no value"):
        stated_value(guarantee, Cell({}))
