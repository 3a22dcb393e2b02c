"""Exact decisions about rational functions with rational coefficients."""

from __future__ import annotations

from functools import cache

import sympy

from .symbols import Expr


@cache
def is_zero(expression: Expr) -> bool:
    """Whether a rational function with rational coefficients vanishes identically.

    Functions (averages, logarithms, maxima) and powers with other than integer exponents count as independent
    variables.

    Raises
    ------
    ValueError
        If the expression contains floating-point numbers.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> is_zero((x**2 - 1) / (x - 1) - x - 1), is_zero(sympy.log(x) - sympy.log(x)), is_zero(x - 1)
    (True, True, False)
    """
    if expression.has(sympy.Float):
        raise ValueError(f"expression={expression} contains floating-point numbers; exact ones are needed")
    opaque = [power for power in expression.atoms(sympy.Pow) if not power.exp.is_Integer]
    if opaque:
        expression = sympy.expand(expression)  # squares of square roots become their radicands
        opaque = [power for power in expression.atoms(sympy.Pow) if not power.exp.is_Integer]
    opaque += expression.atoms(sympy.Function, sympy.Max, sympy.Min)
    renamed = expression.xreplace({atom: sympy.Dummy() for atom in opaque})
    generators = sorted(renamed.free_symbols, key=str)
    if not generators:
        return bool(sympy.Rational(renamed) == 0)
    return not sympy.QQ.frac_field(*generators).from_sympy(renamed)
