"""What a theorem promises about a worst case, read off the theorem itself, and by how much it is met."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import sympy

from taciturn.theory.certificate import Identity
from taciturn.theory.gram import Mean, dot
from taciturn.theory.theorem import Guarantee, Theorem

from .run import Expression, Measure, Run, candidates


@dataclass(frozen=True)
class Cell:
    """One set of parameters for which a worst case is computed.

    Parameters
    ----------
    parameters
        The theorem's parameters.
    steps
        Number of steps of the method.
    initial
        Value of the measure at the start.
    """

    parameters: Mapping[str, float]
    steps: int = 1
    initial: float = 1.0


Promise: TypeAlias = Callable[[Guarantee, Cell], float]
"""A number that the theorem promises."""


def next_value(guarantee: Guarantee, cell: Cell) -> float:
    """The measure after one step: ``rate * initial``, and what the residual adds, of which it is the fixed point."""
    rate, residual = _stated(guarantee, "rate"), float(guarantee.residual or 0.0)
    return rate * cell.initial + (1 - rate) * residual


def final_bound(guarantee: Guarantee, cell: Cell) -> float:
    """The bound after all steps."""
    return float(guarantee.bound(cell.steps, cell.initial))


def stated_residual(guarantee: Guarantee, cell: Cell) -> float:
    """What the theorem adds whatever the start."""
    return _stated(guarantee, "residual")


def certified_decrease(guarantee: Guarantee, cell: Cell) -> float:
    """The certified decrease, in units of ``|g|^2/(2L)``."""
    return _stated(guarantee, "decrease") * cell.initial


def stated_value(guarantee: Guarantee, cell: Cell) -> float:
    """The number that the statement is about."""
    return _stated(guarantee, "value") * cell.initial


def inverse_value(guarantee: Guarantee, cell: Cell) -> float:
    """One over the number that the statement is about."""
    return cell.initial / _stated(guarantee, "value")


def _stated(guarantee: Guarantee, name: str) -> float:
    value = getattr(guarantee, name)
    if value is None:
        raise ValueError(f"theorem {guarantee.theorem.id} states no {name}; it is about {guarantee.theorem.measure}")
    return float(value)


class Claim(Protocol):
    """How the worst case of a run is measured and compared with the theorem."""

    def normalise(self, run: Run, start: Expression, cell: Cell) -> None:
        """Fix the scale."""

    def objective(self, run: Run, theorem: Theorem) -> Expression:
        """The quantity to maximise, or a tuple of which the largest maximum counts."""

    def ratio(self, guarantee: Guarantee, cell: Cell, optimum: float) -> float:
        """Worst case / bound, at most 1 where the theorem holds; `optimum` is the largest value of the objective."""


@dataclass(frozen=True)
class AtMost:
    """``measure <= promise`` after the run, from a start of at most `Cell.initial`; both may be maxima."""

    measure: Measure
    promise: Promise

    def normalise(self, run: Run, start: Expression, cell: Cell) -> None:
        """``start <= initial``."""
        for member in candidates(start):
            run.pep.add_constraint(member <= cell.initial)

    def objective(self, run: Run, theorem: Theorem) -> Expression:
        """The measure."""
        return self.measure(run, run.steps)

    def ratio(self, guarantee: Guarantee, cell: Cell, optimum: float) -> float:
        """Largest value / promise."""
        return _quotient(optimum, self.promise(guarantee, cell))


@dataclass(frozen=True)
class BoundAfterRun(AtMost):
    """`AtMost` the theorem's bound, with the number of iterations that it states for an accuracy."""

    promise: Promise = final_bound

    def ratio(self, guarantee: Guarantee, cell: Cell, optimum: float) -> float:
        """The larger of worst case / bound and steps / iterations stated for the accuracy of the worst case.

        With an accuracy just below the worst case after K steps the theorem must ask for more than K iterations; it
        states no number for an accuracy below its residual.
        """
        if optimum <= float(guarantee.residual or 0.0):
            return super().ratio(guarantee, cell, optimum)
        values = {**guarantee.values, "eps": optimum, "initial": cell.initial}
        iterations = guarantee.theorem.compute(guarantee.theorem.iterations_formula, values)
        return max(super().ratio(guarantee, cell, optimum), _quotient(cell.steps, iterations))


@dataclass(frozen=True)
class Exceeded(AtMost):
    """The largest value of the measure is at least the promise: what a lower bound says of the worst case."""

    def ratio(self, guarantee: Guarantee, cell: Cell, optimum: float) -> float:
        """Promise / largest value."""
        return _quotient(self.promise(guarantee, cell), optimum)


@dataclass(frozen=True)
class AtLeast:
    """``measure >= promise`` after the run, from a start of at least `Cell.initial`."""

    measure: Measure
    promise: Promise

    def normalise(self, run: Run, start: Expression, cell: Cell) -> None:
        """``start >= initial``."""
        run.pep.add_constraint(start >= cell.initial)

    def objective(self, run: Run, theorem: Theorem) -> Expression:
        """The measure, turned."""
        return -self.measure(run, run.steps)

    def ratio(self, guarantee: Guarantee, cell: Cell, optimum: float) -> float:
        """Promise / smallest value."""
        return _quotient(self.promise(guarantee, cell), -optimum)


@dataclass(frozen=True)
class Inequality:
    """A line of the theorem's certificate, whose conclusion (``>= 0``) is the statement.

    Parameters
    ----------
    line
        Name of the line.
    atoms
        What the symbols of the conclusion stand for, beyond `SYMBOLS` and what the method knows.
    """

    line: str
    atoms: Mapping[str, Callable[[Run], Any]] = field(default_factory=dict)

    def normalise(self, run: Run, start: Expression, cell: Cell) -> None:
        """``start == initial``: the conclusion is homogeneous, the start is its unit."""
        run.pep.add_constraint(start == cell.initial)

    def objective(self, run: Run, theorem: Theorem) -> Expression:
        """The conclusion, turned."""
        certificate = theorem.certificate
        if certificate is None:
            raise ValueError(f"theorem {theorem.id} has no certificate: {theorem.no_certificate}")
        lines = {line.name: line for line in certificate.lines if isinstance(line, Identity)}
        roots = {str(change.new): change.inverse for change in certificate.changes}
        readers = {**SYMBOLS, **self.atoms}

        def lookup(name: str) -> Any:
            if name in run.values:
                return run.values[name]
            if name in run.atoms:
                return run.atoms[name]
            return theorem.compute(roots[name], run.values) if name in roots else readers[name](run)

        return -translate(lines[self.line].conclusion, lookup)

    def ratio(self, guarantee: Guarantee, cell: Cell, optimum: float) -> float:
        """1 - the smallest slack of the conclusion, in units of the start."""
        return 1 + optimum / cell.initial


def _quotient(part: float, whole: float) -> float:
    """``part / whole`` for a positive part: a whole that is not positive is exceeded by any."""
    return part / whole if whole > 0 else math.inf


SYMBOLS: Mapping[str, Callable[[Run], Any]] = {
    "e": lambda run: run.start.x - run.problem.minimiser,
    "g": lambda run: run.gradient(run.start.x),
    "g_next": lambda run: run.gradient(run.levels[1][0].x),
    "F": lambda run: run.problem.function(run.start.x),
    "F_next": lambda run: run.expected(1, lambda state: run.problem.function(state.x)),
    "F_star": lambda run: run.problem.minimum,
    "F_inf": lambda run: run.problem.minimum,
}
"""The symbols of one-step inequalities."""


def translate(expression: sympy.Expr, lookup: Callable[[str], Any]) -> Any:
    """The worst case's counterpart of an expression in Gram entries, scalars and averages.

    Parameters
    ----------
    expression
        Linear in scalar products and function values, as conclusions of certificates are.
    lookup
        Number, point or expression for the name of a symbol; for a name that ends in ``[i]`` one for every member, and
        for ``"[i]"`` itself the weights.
    """
    if expression.is_number:
        return float(expression)
    if isinstance(expression, sympy.Symbol):
        return lookup(expression.name)
    if isinstance(expression, Mean):
        index, inside = f"[{expression.args[0]}]", expression.args[1]

        def member(name: str, i: int) -> Any:
            return lookup(name)[i] if name.endswith(index) else lookup(name)

        weights = lookup(index)
        terms = [p * translate(inside, functools.partial(member, i=i)) for i, p in enumerate(weights)]
        return sum(terms[1:], terms[0])
    arguments = [translate(argument, lookup) for argument in expression.args]
    if isinstance(expression, (dot, sympy.Mul)):
        return functools.reduce(operator.mul, arguments)
    if isinstance(expression, sympy.Add):
        return functools.reduce(operator.add, arguments)
    if isinstance(expression, sympy.Pow):
        return operator.pow(*arguments)
    raise ValueError(f"expression={expression} has no counterpart in a worst case")
