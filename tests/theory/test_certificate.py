from __future__ import annotations

import pytest
import sympy

from taciturn.theory.certificate import Certificate, Change, Hypothesis, Identity, Line, Sign, Square, Term
from taciturn.theory.gram import inner, square, vectors

g, e = vectors("g e")
t, delta, s = sympy.symbols("t delta s", real=True)
POSITIVE = Hypothesis("<g, e> >= 0", inner(g, e), "assumed")


@pytest.mark.parametrize(
    ("line", "domain", "holds", "message"),
    [
        (Identity("square of a sum", square(g + e), (Term(sympy.Integer(2), POSITIVE),), ()), (), False, "dot"),
        (
            Identity("square of a sum", square(g + e) - square(g) - square(e), (Term(sympy.Integer(2), POSITIVE),)),
            (),
            True,
            "exact",
        ),
        (
            Identity("negative multiplier", -inner(g, e), (Term(sympy.Integer(-1), POSITIVE),)),
            (),
            False,
            "is false",
        ),
        (
            Identity("multiplier of either sign", t * inner(g, e), (Term(t, POSITIVE),)),
            (t >= -1,),
            False,
            "fails at",
        ),
        (
            Identity("equation", t * inner(g, e), (Term(t, Hypothesis("=", inner(g, e), "", equality=True)),)),
            (t >= -1,),
            True,
            "exact",
        ),
        (Identity("negative square", -square(g), (), (Square(sympy.Integer(-1), g),)), (), False, "is false"),
        (Identity("case", t * square(g), (), (Square(t, g),), where=(t >= 0,)), (t >= -1,), True, "exact"),
        (Sign("sign", t * (1 - t)), (t >= 0, t <= 1), True, "exact"),
        (Sign("strict sign", t * (1 - t), strict=True), (t >= 0, t <= 1), False, "fails at"),
    ],
)
def test_lines(line: Line, domain: tuple[sympy.Basic, ...], holds: bool, message: str) -> None:
    report = Certificate((line,), domain).check()

    assert report.holds == holds
    assert message in report.lines[0].message


ROOT = Change(delta, s, 1 - s**2, sympy.sqrt(1 - delta), s, facts=(s >= 0, s < 1))


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        (ROOT, True),
        (Change(delta, s, 1 - s**2, -sympy.sqrt(1 - delta), s, facts=(s >= 0,)), False),  # wrong branch
        (Change(delta, s, 1 - s, sympy.sqrt(1 - delta), s), False),  # does not solve the equation
        (Change(delta, s, 1 - s**2, sympy.sqrt(1 - delta), -s, facts=(s >= 0,)), False),  # negative root
        (Change(delta, s, 1 - s**2, sympy.sqrt(1 - delta), s, facts=(s >= 0, s < sympy.Rational(1, 2))), False),
    ],
)
def test_changes_of_variables(change: Change, holds: bool) -> None:
    line = Identity("1 - delta", (sympy.sqrt(1 - delta) ** 2 - s**2) * square(g))
    report = Certificate((line,), (delta > 0, delta <= 1), changes=(change,)).check()

    assert report.holds == holds


def test_a_root_that_no_change_removes_fails() -> None:
    line = Sign("root", sympy.sqrt(1 - t))

    assert not Certificate((line,), (t <= 1,)).check().holds
