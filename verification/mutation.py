"""Deliberately wrong theorems and certificates; the witnesses must reject every one.

A verifier that rejects nothing verifies nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import sympy

from taciturn.theory.certificate import Certificate, Line, Sign
from taciturn.theory.theorem import Theorem

_MORE, _LESS = sympy.Rational(21, 20), sympy.Rational(19, 20)

# How each formula of a theorem is made 5 % stronger: rates contract 5 % more, bounds are 5 % smaller,
# certified decreases 5 % larger.
_STRONGER = {
    "rate": lambda formula: 1 - _MORE * (1 - formula),
    "residual": lambda formula: _LESS * formula,
    "decrease": lambda formula: _MORE * formula,
    "value": lambda formula: _MORE * formula,
    "bound": lambda formula: _LESS * formula,
    "iterations": lambda formula: _LESS * formula,
    "bits": lambda formula: _LESS * formula,
}


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
    for name, stronger in _STRONGER.items():
        formula = getattr(theorem, name)
        if formula is not None:
            yield replace(theorem, **{name: stronger(formula)})


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
