"""Certificates: proofs as data, re-checked exactly.

A certificate is a list of *lines*. An `Identity` says that a conclusion equals a sum of multipliers times hypotheses
plus squares; a `Sign` says that an expression is non-negative. `Certificate.check` decides each line: identities by
arithmetic in a field of rational functions over the rationals, coefficient by coefficient in the Gram entries; signs of
multipliers by z3's real arithmetic over the whole domain of the parameters. Nothing is sampled.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TypeAlias

import sympy

from .exact import is_zero, lowest_terms
from .gram import Vector, coordinates, index_of, linear_atoms, linear_form, mean, reduce_means, square
from .signs import find_contradiction, prove_nonzero, prove_sign
from .symbols import Expr, Symbol


@dataclass(frozen=True)
class Hypothesis:
    """An inequality (or equation) that a proof may use.

    Parameters
    ----------
    name
        What it is called in words.
    expression
        The quantity that is ``>= 0`` (or ``== 0``).
    assumption
        The assumption of the theorem, or the definition, from which it follows.
    equality
        Whether it is an equation, which may be used with a multiplier of any sign.
    """

    name: str
    expression: Expr
    assumption: str
    equality: bool = False


@dataclass(frozen=True)
class Term:
    """``multiplier * hypothesis``; averaged over `index` where one is given."""

    multiplier: Expr
    hypothesis: Hypothesis
    index: str | None = None

    @property
    def name(self) -> str:
        """What the term uses, in words."""
        return f"multiplier of [{self.hypothesis.name}]"

    @property
    def value(self) -> Expr:
        """The term as an expression."""
        return _averaged(self.multiplier * self.hypothesis.expression, self.index)

    @property
    def must_be_nonnegative(self) -> Expr | None:
        """The multiplier, unless the hypothesis is an equation."""
        return None if self.hypothesis.equality else self.multiplier

    @property
    def must_be_defined(self) -> tuple[Expr, ...]:
        """The multiplier of an equation; the sign of any other is proved, which includes that it is defined."""
        return (self.multiplier,) if self.hypothesis.equality else ()


@dataclass(frozen=True)
class Square:
    """``weight * |vector|^2``; averaged over `index` where one is given.

    `vector` is a linear combination of vectors, or a scalar.
    """

    weight: Expr
    vector: Expr
    index: str | None = None

    @property
    def name(self) -> str:
        """What is squared, in words."""
        return f"weight of |{self.vector}|^2"

    @property
    def value(self) -> Expr:
        """The weighted square, expanded into Gram entries."""
        squared = square(self.vector) if self.vector.has(Vector) else self.vector**2
        return _averaged(self.weight * squared, self.index)

    @property
    def must_be_nonnegative(self) -> Expr:
        """The weight."""
        return self.weight

    @property
    def must_be_defined(self) -> tuple[Expr, ...]:
        """What the square is made of: only real numbers have non-negative squares."""
        return tuple(coordinates(self.vector).values()) if self.vector.has(Vector) else (self.vector,)


@dataclass(frozen=True)
class Identity:
    """``conclusion = sum of terms + sum of squares``, hence ``conclusion >= 0`` (``== 0`` without terms and squares).

    `where` narrows the domain for this line, as in a distinction of cases.
    """

    name: str
    conclusion: Expr
    terms: tuple[Term, ...] = ()
    squares: tuple[Square, ...] = ()
    where: tuple[sympy.Basic, ...] = ()


@dataclass(frozen=True)
class Sign:
    """``expression >= 0`` (``> 0`` if `strict`) over the whole domain, narrowed by `where`."""

    name: str
    expression: Expr
    strict: bool = False
    where: tuple[sympy.Basic, ...] = ()


Line: TypeAlias = Identity | Sign


@dataclass(frozen=True)
class Change:
    """A change of variables that turns a square root into a rational expression.

    ``old = forward(new)`` and ``new = inverse(old)``, where `inverse` contains one square root whose value in the new
    variables is `root`. The check verifies that `inverse` solves the equation, that the square of `root` is the
    radicand, that `root` is non-negative and that `facts` about the new variable follow; then a line proved in the new
    variables holds for all old ones.
    """

    old: Symbol
    new: Symbol
    forward: Expr
    inverse: Expr
    root: Expr
    facts: tuple[sympy.Basic, ...] = ()

    @property
    def radicand(self) -> Expr:
        """What stands under the square root of `inverse`."""
        (radicand,) = {power.base for power in self.inverse.atoms(sympy.Pow) if power.exp == sympy.Rational(1, 2)}
        return radicand

    def apply(self, expression: sympy.Basic) -> sympy.Basic:
        """The expression in the new variables."""
        if self.old in self.radicand.free_symbols and self.old not in expression.free_symbols:
            return expression  # neither the variable nor the root occurs
        return expression.subs(sympy.sqrt(self.radicand), self.root).subs(self.old, self.forward)


@dataclass(frozen=True)
class LineReport:
    """What the check of one line found."""

    name: str
    holds: bool
    message: str


@dataclass(frozen=True)
class CertificateReport:
    """What the check of a certificate found.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> theorem("topT-pl-rate").certificate.check().holds
    True
    """

    lines: tuple[LineReport, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether every line holds."""
        return bool(self.lines) and all(line.holds for line in self.lines)

    def __str__(self) -> str:
        return "\n".join(f"{'ok  ' if line.holds else 'FAIL'} {line.name}: {line.message}" for line in self.lines)


@dataclass(frozen=True)
class Certificate:
    """A machine-checkable proof.

    Parameters
    ----------
    lines
        Identities and signs, in the order of the argument.
    domain
        Facts about the parameters and other scalars: where the signs have to hold.
    changes
        Changes of variables that remove square roots.
    means
        Averages by summand, see `taciturn.theory.gram.reduce_means`: names of aggregates and facts about averages,
        taken as given like hypotheses.
    scope
        For what the certificate proves the statement (every dimension, every number of workers, fixed ``n`` …).
    remainder
        The steps of the proof that the lines do not contain, in words.
    """

    lines: tuple[Line, ...]
    domain: tuple[sympy.Basic, ...] = ()
    changes: tuple[Change, ...] = ()
    means: Mapping[Expr, Expr] = field(default_factory=dict)
    scope: str = "every dimension, every value of the parameters in their domain"
    remainder: str = ""

    def transform(self, change: Callable[[sympy.Basic], sympy.Basic]) -> Certificate:
        """The certificate with `change` applied to every formula of its lines and its domain."""
        return replace(
            self,
            lines=tuple(_transform_line(line, change) for line in self.lines),
            domain=tuple(change(fact) for fact in self.domain),
        )

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """Every hypothesis used, once, in order of appearance."""
        used = (term.hypothesis for line in self.lines if isinstance(line, Identity) for term in line.terms)
        return tuple(dict.fromkeys(used))

    def check(self) -> CertificateReport:
        """Decide every line exactly.

        Returns
        -------
        CertificateReport
            One entry per line (and per change of variables), each with the reason if it fails.
        """
        start = time.perf_counter()
        return CertificateReport(tuple(self._reports()), time.perf_counter() - start)

    @property
    def holds(self) -> bool:
        """Whether every line holds: what `check` says, found out up to the first line that does not."""
        return all(report.holds for report in self._reports())

    def _reports(self) -> Iterator[LineReport]:
        yield _report("well formed", self._structure_problems)
        for change in self.changes:
            yield _report(f"{change.old} = {change.forward}", partial(self._change_problems, change))
        for line in self.lines:
            yield _report(line.name, partial(self._line_problems, line))

    def _structure_problems(self) -> Iterator[str]:
        """What would make the lines mean something else than they say."""
        if not self.lines:
            yield "there are no lines"
        atoms = set().union(*(formula.free_symbols for formula in self._formulas()))
        for atom in atoms:
            index_of(atom)  # refuses malformed indices
        names = Counter(atom.name for atom in atoms)
        if clashing := sorted(name for name, count in names.items() if count > 1):
            yield f"different atoms share the names {', '.join(clashing)}"
        for summand, average in self.means.items():
            if average.is_Number and not isinstance(summand, Vector):
                yield f"the average of {summand} is given as the number {average}; name it"
        if contradiction := find_contradiction(self._facts):
            yield contradiction

    def _formulas(self) -> Iterator[sympy.Basic]:
        yield from self.domain
        yield from (part for pair in self.means.items() for part in pair)
        for line in self.lines:
            yield from line.where
            if isinstance(line, Sign):
                yield line.expression
                continue
            yield line.conclusion
            parts: tuple[Term | Square, ...] = (*line.terms, *line.squares)
            yield from (part.value for part in parts)

    def _change_problems(self, change: Change) -> Iterator[str]:
        if change.old in change.forward.free_symbols or change.new in change.inverse.free_symbols:
            yield f"{change.old} and {change.new} are not separated"
        surd = sympy.Symbol(f"root of {change.radicand}", real=True)
        radicand = sympy.expand(change.radicand)
        known = [*self.domain, surd >= 0, sympy.Eq(surd**2, radicand)]
        inverse = change.inverse.subs(sympy.sqrt(change.radicand), surd)
        solved, denominator = sympy.fraction(sympy.together((change.forward - change.old).subs(change.new, inverse)))
        if not is_zero(sympy.rem(sympy.expand(solved), surd**2 - radicand, surd)):
            yield f"{change.new} = {change.inverse} does not solve it"
        if problem := prove_nonzero(denominator, known):
            yield problem
        if not is_zero(change.root**2 - change.radicand.subs(change.old, change.forward)):
            yield f"({change.root})^2 is not {change.radicand}"
        for fact in change.facts:
            positive = (fact.gts - fact.lts).subs(change.new, inverse)
            strict = isinstance(fact, (sympy.StrictGreaterThan, sympy.StrictLessThan))
            if problem := prove_sign(positive, known, strict=strict):
                yield f"{fact}: {problem}"
        yield from self._sign_problems(Sign("sign of the root", change.root))

    def _line_problems(self, line: Line) -> Iterator[str]:
        if line.where and (contradiction := find_contradiction(self._facts_of(line))):
            yield contradiction
        yield from self._sign_problems(line) if isinstance(line, Sign) else self._identity_problems(line)

    def _identity_problems(self, line: Identity) -> Iterator[str]:
        parts: tuple[Term | Square, ...] = (*line.terms, *line.squares)
        residual = line.conclusion - sympy.Add(*(part.value for part in parts))
        residual = reduce_means(self._rational(residual), self.means)
        coefficients, constant = linear_form(residual, linear_atoms(residual))
        left = [entry for entry, coefficient in coefficients.items() if not is_zero(coefficient)]
        if left:
            yield f"the identity fails: {left[0]} is left with coefficient {lowest_terms(coefficients[left[0]])}"
        elif not is_zero(constant):
            yield f"the identity fails: {lowest_terms(constant)} is left over"
        for part in parts:
            if part.must_be_nonnegative is not None:
                yield from self._sign_problems(Sign(part.name, part.must_be_nonnegative, where=line.where))
            for factor in part.must_be_defined:
                real = self._rational(factor)
                if real.has(sympy.I) or not real.is_rational_function(*real.free_symbols):
                    yield f"{part.name}: {real} is not a rational function, so it may be undefined or not real"
                elif problem := prove_nonzero(sympy.fraction(sympy.together(real))[1], self._facts_of(line)):
                    yield f"{part.name}: {problem}"

    def _sign_problems(self, line: Sign) -> Iterator[str]:
        problem = prove_sign(self._rational(line.expression), self._facts_of(line), strict=line.strict)
        if problem is not None:
            yield f"{line.name}: {problem}"

    def _facts_of(self, line: Line) -> list[sympy.Basic]:
        return [*self._facts, *(self._rational(fact) for fact in line.where)]

    @cached_property
    def _facts(self) -> tuple[sympy.Basic, ...]:
        facts = [fact for change in self.changes for fact in change.facts]
        return tuple(self._rational(fact) for fact in (*self.domain, *facts))

    def _rational(self, expression: sympy.Basic) -> sympy.Basic:
        """The expression in the variables in which it is rational."""
        for change in self.changes:
            expression = change.apply(expression)
        return expression


def _report(name: str, problems: Callable[[], Iterator[str]]) -> LineReport:
    try:
        found = list(problems())
    except (ValueError, TypeError, ArithmeticError, sympy.PolynomialError, sympy.CoercionFailed) as error:
        found = [str(error)]
    return LineReport(name, not found, "; ".join(found) or "exact")


def _averaged(expression: Expr, index: str | None) -> Expr:
    return expression if index is None else mean(expression, index)


def _transform_line(line: Line, change: Callable[[sympy.Basic], sympy.Basic]) -> Line:
    where = tuple(change(fact) for fact in line.where)
    if isinstance(line, Sign):
        return replace(line, expression=change(line.expression), where=where)
    return replace(
        line,
        where=where,
        conclusion=change(line.conclusion),
        terms=tuple(
            replace(
                term,
                multiplier=change(term.multiplier),
                hypothesis=replace(term.hypothesis, expression=change(term.hypothesis.expression)),
            )
            for term in line.terms
        ),
        squares=tuple(replace(s, weight=change(s.weight), vector=change(s.vector)) for s in line.squares),
    )
