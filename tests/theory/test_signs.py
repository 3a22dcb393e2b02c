from __future__ import annotations

import pytest
import sympy

from taciturn.theory.signs import prove_sign

x, y = sympy.symbols("x y", real=True)


@pytest.mark.parametrize(
    ("expression", "domain", "strict", "holds"),
    [
        (x**2 + y**2 - 2 * x * y, [], False, True),
        (x**2 + y**2 - 2 * x * y, [], True, False),
        (1 / (1 - x), [x >= 0, x < 1], True, True),
        (1 / (1 - x), [x >= 0, x <= 1], True, False),  # the denominator can vanish
        (x - 1, [x**2 >= 1, x >= 0], False, True),
        (x - 1, [x**2 >= 1], False, False),
        (x, [sympy.Eq(x**2, 2), x > 0], True, True),
        (sympy.Integer(0), [], False, True),
        (sympy.Integer(0), [], True, False),
        (sympy.Integer(-1), [], False, False),
    ],
)
def test_signs_are_decided(expression: sympy.Expr, domain: list[sympy.Basic], strict: bool, holds: bool) -> None:
    assert (prove_sign(expression, domain, strict=strict) is None) == holds


def test_a_counterexample_is_named() -> None:
    assert "x = " in str(prove_sign(x, [x >= -1]))


@pytest.mark.parametrize("wrong", [sympy.sqrt(x), sympy.exp(x), x * sympy.pi])
def test_what_is_not_rational_is_refused(wrong: sympy.Expr) -> None:
    with pytest.raises(ValueError, match="not a polynomial"):
        prove_sign(wrong, [x > 0])
