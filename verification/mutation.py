"""Deliberately wrong theorems and certificates; the witnesses must reject every one.

A verifier that rejects nothing verifies nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy

from taciturn.theory.certificate import Certificate, Line, Sign
from taciturn.theory.symbols import Expr
from taciturn.theory.theorem import Theorem

_MORE, _LESS = sympy.Rational(21, 20), sympy.Rational(19, 20)


def _stronger(theorem: Theorem, name: str, formula: Expr) -> Expr:
    """A formula made 5 % stronger: a rate contracts more, a bound is closer, a decrease larger."""
    if name == "rate":
        return 1 - _MORE * (1 - formula)
    if name == "value":
        return (_LESS if theorem.kind == "upper" else _MORE) * formula
    larger = theorem.kind == "lower" or name == "decrease"
    return (_MORE if larger else _LESS) * formula


@dataclass(frozen=True)
class Mutant:
    """A wrong certificate, and what was changed."""

    change: str
    certificate: Certificate


def strengthened(theorem: Theorem) -> Iterator[Theorem]:
    """The theorem with one of its formulas made 5 % too strong, one at a time.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> [str(wrong.rate) for wrong in strengthened(theorem("topT-pl-rate"))]
    ['1 - 21*alpha*mu/(20*L)']
    """
    for name in ("rate", "residual", "decrease", "value", "bound", "iterations", "bits"):
        formula = getattr(theorem, name)
        if formula is not None:
            yield replace(theorem, **{name: _stronger(theorem, name, formula)})


def mutants(certificate: Certificate) -> Iterator[Mutant]:
    """The certificate reduced to one line, with one multiplier, weight or sign of it changed: each is wrong.

    Multipliers and weights are scaled by 1.05, turned in sign and dropped; signs are turned.
    """
    for line in certificate.lines:
        for change, wrong in _wrong_lines(line):
            yield Mutant(f"{line.name}: {change}", replace(certificate, lines=(wrong,)))


def _wrong_lines(line: Line) -> Iterator[tuple[str, Line]]:
    if isinstance(line, Sign):
        yield "turned, beyond zero", replace(line, expression=-line.expression - sympy.Rational(1, 1000))
        return
    for factor, change in ((_MORE, "scaled by 1.05"), (sympy.S.NegativeOne, "turned"), (sympy.S.Zero, "dropped")):
        for i, term in enumerate(line.terms):
            wrong = replace(term, multiplier=factor * term.multiplier)
            yield f"{term.name} {change}", replace(line, terms=(*line.terms[:i], wrong, *line.terms[i + 1 :]))
        for i, square in enumerate(line.squares):
            wrong_square = replace(square, weight=factor * square.weight)
            squares = (*line.squares[:i], wrong_square, *line.squares[i + 1 :])
            yield f"{square.name} {change}", replace(line, squares=squares)
