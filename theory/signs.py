"""Signs of rational functions over a domain, decided by z3's real arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import sympy

from .symbols import Expr

TIMEOUT_MILLISECONDS = 20_000
"""How long z3 may think about one sign; a time-out counts as "not proved"."""


def prove_sign(expression: Expr, domain: Iterable[sympy.Basic], *, strict: bool = False) -> str | None:
    """Prove ``expression >= 0`` (``> 0`` if `strict`) wherever all facts of `domain` hold.

    Parameters
    ----------
    expression
        A rational function with rational coefficients.
    domain
        Inequalities between rational functions.
    strict
        Whether zero is excluded.

    Returns
    -------
    str or None
        ``None`` if proved; otherwise the reason: a counterexample, a vanishing denominator, or z3's word.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> prove_sign(1 - x**2, [x >= 0, x <= 1])
    >>> prove_sign(1 - x**2, [x >= 0])
    '1 - x**2 >= 0 fails at x = 2'
    """

    numerator, denominator = sympy.fraction(sympy.cancel(sympy.together(expression)))
    relation = ">" if strict else ">="
    if not numerator.free_symbols and not denominator.free_symbols:
        value = sympy.Rational(numerator, denominator)
        return None if value > 0 or (value == 0 and not strict) else f"{expression} {relation} 0 is false"
    # Facts that sympy already knows to hold for all real values arrive as `true` and say nothing.
    facts = [_fact(fact) for fact in domain if fact is not sympy.true]
    if denominator.free_symbols:
        found = _refute(facts, _polynomial(denominator) == 0)
        if found is not None:
            return f"the denominator {denominator} can vanish ({found})"
    product = _polynomial(sympy.expand(numerator * denominator))
    found = _refute(facts, product <= 0 if strict else product < 0)
    if found is None:
        return None
    separator = "is not proved" if found.startswith("z3") else "fails at"
    return f"{expression} {relation} 0 {separator} {found}"


def _refute(facts: list[Any], negation: Any) -> str | None:
    """``None`` if `facts` and `negation` cannot hold together, else a model in words."""
    import z3

    solver = z3.SolverFor("QF_NRA")
    solver.set("timeout", TIMEOUT_MILLISECONDS)
    solver.add(*facts, negation)
    answer = solver.check()
    if answer == z3.unsat:
        return None
    if answer == z3.unknown:
        return f"z3 says {solver.reason_unknown()}"
    model = solver.model()
    return ", ".join(sorted(f"{name} = {model[name]}" for name in model.decls()))


@cache
def _fact(fact: sympy.Basic) -> Any:
    """A relation of rational functions as a polynomial relation (denominators are multiplied out with their sign)."""
    if not isinstance(fact, sympy.core.relational.Relational):
        raise ValueError(f"fact={fact} is not an inequality or equation")
    numerator, denominator = sympy.fraction(sympy.cancel(sympy.together(fact.lhs - fact.rhs)))
    product = _polynomial(sympy.expand(numerator * denominator))
    if isinstance(fact, sympy.GreaterThan):
        return product >= 0
    if isinstance(fact, sympy.StrictGreaterThan):
        return product > 0
    if isinstance(fact, sympy.LessThan):
        return product <= 0
    if isinstance(fact, sympy.StrictLessThan):
        return product < 0
    if isinstance(fact, sympy.Equality):
        return product == 0
    raise ValueError(f"fact={fact} is a relation of an unknown kind")


def _polynomial(expression: Expr) -> Any:
    """A polynomial with rational coefficients in z3's language."""
    import z3

    if isinstance(expression, sympy.Symbol):
        return z3.Real(expression.name)
    if isinstance(expression, sympy.Rational):
        return z3.RealVal(f"{expression.p}/{expression.q}")
    if isinstance(expression, sympy.Add):
        return z3.Sum([_polynomial(argument) for argument in expression.args])
    if isinstance(expression, sympy.Mul):
        return z3.Product([_polynomial(argument) for argument in expression.args])
    if isinstance(expression, sympy.Pow) and expression.exp.is_Integer and expression.exp > 0:
        return z3.Product([_polynomial(expression.base)] * int(expression.exp))
    raise ValueError(f"expression={expression} is not a polynomial with rational coefficients")
