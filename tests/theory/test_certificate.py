from __future__ import annotations

import pytest
import sympy

from taciturn.theory.certificate import Certificate, Change, Hypothesis, Identity, Line, Sign, Square, Term
from taciturn.theory.exact import is_zero
from taciturn.theory.gram import inner, mean, square, vectors

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
    assert message in report.lines[-1].message


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


x_i, y_i = sympy.symbols("x[i] y[i]", real=True)
z = sympy.Symbol("z", real=True)
I_SQUARE = Identity("imaginary", -square(g), (), (Square(sympy.Integer(1), sympy.I * g),))
FALSE_PROOFS = {
    "no lines": Certificate(()),
    "empty domain": Certificate((Sign("x >= 1 > 0 >= x", -sympy.Integer(1) * t),), (t >= 1, t <= 0)),
    "empty case": Certificate((Sign("case", -t, where=(t <= 0,)),), (t >= 1,)),
    "index captured by a mean": Certificate(
        (Identity("capture", mean(x_i * y_i), (Term(y_i, Hypothesis("", mean(x_i), "")),)),), (y_i >= 0,)
    ),
    "two indices": Certificate((Sign("two", sympy.Symbol("a[i][j]", real=True) ** 2),)),
    "step function of an atom": Certificate(
        (Identity("step", sympy.Piecewise((-1, square(g) > 0), (0, True))),),
    ),
    "pole of an equation's multiplier": Certificate(
        (Identity("pole", sympy.Integer(-1), (Term(-1 / z, Hypothesis("z = 0", z, "", equality=True)),)),)
    ),
    "square of an imaginary vector": Certificate((I_SQUARE,)),
    "square of a root of a negative number": Certificate(
        (Identity("root", (t - 1) * z**2, (), (Square(sympy.Integer(1), sympy.sqrt(t - 1) * z),)),), (t >= 0, t <= 1)
    ),
    "one name, two symbols": Certificate(
        (Sign("twins", -((sympy.Symbol("z", real=True) - sympy.Symbol("z", positive=True)) ** 2)),)
    ),
    "a vector as a scalar": Certificate((Sign("vector", g**2),)),
    "a change that divides by zero": Certificate(
        (Sign("change", t - 4),),
        (t > 0,),
        changes=(Change(t, s, 4 * (s**2 - t) / (s**2 - t), sympy.sqrt(t), sympy.Integer(2)),),
    ),
    "irrational sign": Certificate((Sign("irrational", sympy.Rational(22, 7) - sympy.pi),)),
    "a negative average of squares": Certificate(
        (Identity("means", sympy.Integer(-1), (Term(sympy.Integer(1), Hypothesis("", mean(x_i**2), "")),)),),
        means={x_i**2: sympy.Integer(-1)},
    ),
}


@pytest.mark.parametrize("name", FALSE_PROOFS)
def test_false_proofs_are_rejected(name: str) -> None:
    assert not FALSE_PROOFS[name].check().holds
    assert not FALSE_PROOFS[name].holds


def test_a_root_that_no_change_removes_fails() -> None:
    line = Sign("root", sympy.sqrt(1 - t))

    assert not Certificate((line,), (t <= 1,)).check().holds


def test_floating_point_numbers_are_no_exact_ones() -> None:
    with pytest.raises(ValueError, match="floating-point"):
        is_zero(sympy.Float(0.5) * t - t / 3)
