"""Signs of rational functions over a domain, decided by z3's real arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import sympy

from .gram import Vector
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
    return _decide(expression, tuple(domain), strict)


@cache
def _decide(expression: Expr, domain: tuple[sympy.Basic, ...], strict: bool) -> str | None:
    numerator, denominator = sympy.fraction(sympy.cancel(sympy.together(expression)))
    relation = ">" if strict else ">="
    if not numerator.free_symbols and not denominator.free_symbols:
        value = sympy.Rational(numerator, denominator)
        return None if value > 0 or (value == 0 and not strict) else f"{expression} {relation} 0 is false"
    facts = _facts(domain)
    if problem := prove_nonzero(denominator, domain):
        return problem
    product = _polynomial(sympy.expand(numerator * denominator))
    found = _refute(facts, product <= 0 if strict else product < 0)
    if found is None:
        return None
    separator = "is not proved" if found.startswith("z3") else "fails at"
    return f"{expression} {relation} 0 {separator} {found}"


def prove_nonzero(denominator: Expr, domain: Iterable[sympy.Basic]) -> str | None:
    """Prove that a polynomial has no zero where all facts of `domain` hold; ``None`` if proved, else the reason.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> prove_nonzero(1 + x**2, [])
    >>> prove_nonzero(1 - x, [x >= 0])
    'the denominator 1 - x can vanish (x = 1)'
    """
    if not denominator.free_symbols:
        return None if denominator != 0 else "the denominator is zero"
    found = _refute(_facts(domain), _polynomial(sympy.expand(denominator)) == 0)
    return None if found is None else f"the denominator {denominator} can vanish ({found})"


def find_contradiction(domain: Iterable[sympy.Basic]) -> str | None:
    """Say so if no point satisfies all facts of `domain`: then anything could be proved there.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> find_contradiction([x > 0, x < 1])
    >>> find_contradiction([x > 1, x < 0])
    'the domain is empty: its facts contradict each other'
    """
    return "the domain is empty: its facts contradict each other" if _is_empty(tuple(domain)) else None


@cache
def _is_empty(domain: tuple[sympy.Basic, ...]) -> bool:
    return sympy.false in domain or _refute(_facts(domain), True) is None


def _facts(domain: Iterable[sympy.Basic]) -> list[Any]:
    # Facts that sympy already knows to hold for all real values arrive as `true` and say nothing.
    return [_fact(fact) for fact in domain if fact is not sympy.true]


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

    if isinstance(expression, Vector):
        raise ValueError(f"expression={expression} is a vector; a scalar is needed")
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
