"""Exact decisions about rational functions with rational coefficients."""

from __future__ import annotations

from functools import cache

import sympy

from .symbols import Expr


@cache
def lowest_terms(expression: Expr) -> Expr:
    """A rational function with rational coefficients as a quotient of polynomials without common factors.

    Functions (averages, logarithms, maxima) and powers with other than integer exponents count as independent
    variables.

    Raises
    ------
    ValueError
        If the expression contains floating-point numbers.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> lowest_terms((x**2 - 1) / (x - 1) - x)
    1
    """
    if expression.has(sympy.Float):
        raise ValueError(f"expression={expression} contains floating-point numbers; exact ones are needed")
    opaque = [power for power in expression.atoms(sympy.Pow) if not power.exp.is_Integer]
    if opaque:
        expression = sympy.expand(expression)  # squares of square roots become their radicands
        opaque = [power for power in expression.atoms(sympy.Pow) if not power.exp.is_Integer]
    opaque += expression.atoms(sympy.Function, sympy.Max, sympy.Min)
    names = {atom: sympy.Dummy() for atom in opaque}
    renamed = expression.xreplace(names)
    generators = sorted(renamed.free_symbols, key=str)
    if not generators:
        return sympy.Rational(renamed)
    field = sympy.QQ.frac_field(*generators)
    return field.to_sympy(field.from_sympy(renamed)).xreplace({name: atom for atom, name in names.items()})


def is_zero(expression: Expr) -> bool:
    """Whether a rational function, as `lowest_terms` takes it, vanishes identically.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> is_zero((x**2 - 1) / (x - 1) - x - 1), is_zero(sympy.log(x) - sympy.log(x)), is_zero(x - 1)
    (True, True, False)
    """
    return bool(lowest_terms(expression) == 0)
