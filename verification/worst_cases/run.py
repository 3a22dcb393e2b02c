"""A run of a method under performance estimation: points and values whose scalar products are the unknowns.

PEPit's points and expressions stand for vectors and scalars that the worst case may choose. PEPit keeps global state,
so one run is built, solved and dropped before the next; runs must not be shared between threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import PEPit

Point: TypeAlias = Any
"""A vector of the worst case (``PEPit.Point``; PEPit has no types)."""

Expression: TypeAlias = Any
"""A scalar of the worst case (``PEPit.Expression``)."""

Function: TypeAlias = Any
"""A function of the worst case (``PEPit.Function``)."""


@dataclass(frozen=True)
class Problem:
    """What is minimised.

    Parameters
    ----------
    function
        The objective F.
    minimum
        ``F*``, or the lower bound of a function without minimiser.
    minimiser
        ``x*``, where the class has one.
    L, mu
        Upper and lower curvature (``mu = -L`` for smooth functions without convexity).
    weights
        Shares of the workers, of sum one.
    parts
        The workers' functions, or nothing where only their gradients at the iterates matter.
    """

    function: Function
    minimum: Expression
    minimiser: Point | None
    L: float
    mu: float
    weights: tuple[float, ...] = (1.0,)
    parts: tuple[Function, ...] = ()


@dataclass(frozen=True)
class State:
    """One possible iterate: where, how probable, what the method remembers, and the iterates before it."""

    x: Point
    probability: float = 1.0
    memory: tuple[Point, ...] = ()
    path: tuple[Point, ...] = ()

    def moved(self, shift: Point, probability: float = 1.0, memory: tuple[Point, ...] = ()) -> State:
        """The state at ``x - shift``."""
        return State(self.x - shift, self.probability * probability, memory, (*self.path, self.x))


@dataclass
class Run:
    """A run under construction.

    Parameters
    ----------
    pep
        The program that collects constraints.
    values
        The theorem's parameters, and what it states under ``"step_size"`` and ``"value"``.
    problem
        What is minimised.
    levels
        ``levels[k]``: every possible state after k steps; their probabilities sum to one.
    messages
        Everything that was sent, in order.
    atoms
        What the symbols of the theorem's certificate stand for, where the method knows it.
    """

    pep: PEPit.PEP
    values: Mapping[str, float]
    problem: Problem
    levels: list[tuple[State, ...]] = field(default_factory=list)
    messages: list[Point] = field(default_factory=list)
    atoms: dict[str, Any] = field(default_factory=dict)

    @property
    def step_size(self) -> float:
        """The step size the theorem prescribes."""
        return self.values["step_size"]

    @property
    def steps(self) -> int:
        """Number of steps made."""
        return len(self.levels) - 1

    @property
    def start(self) -> State:
        """The state before the first step."""
        return self.levels[0][0]

    def gradient(self, x: Point) -> Point:
        """The gradient of F."""
        return self.problem.function.gradient(x)

    def gap(self, x: Point) -> Expression:
        """``F(x) - F*``."""
        return self.problem.function(x) - self.problem.minimum

    def expected(self, k: int, quantity: Callable[[State], Expression]) -> Expression:
        """Expectation of `quantity` over the states after `k` steps."""
        return sum(state.probability * quantity(state) for state in self.levels[k])

    def send(self, message: Point) -> Point:
        """Note a message."""
        self.messages.append(message)
        return message


ProblemClass: TypeAlias = Callable[[PEPit.PEP, Mapping[str, float]], Problem]
"""Declares what is minimised, from the theorem's parameters."""

Outcomes: TypeAlias = Iterable[tuple[float, Point]]
"""Possible messages with their probabilities."""

Compressor: TypeAlias = Callable[[Run, Point], Outcomes]
"""The possible messages for a vector, with the compressor's guarantee as constraints."""

Measure: TypeAlias = Callable[[Run, int], Expression]
"""A quantity after k steps; a maximum of several is their tuple."""

Constraint: TypeAlias = Callable[[Run], None]
"""Adds constraints to a run whose points are all there."""


@dataclass(frozen=True)
class Method:
    """How a state leads to the next ones, and what the method remembers at the start."""

    step: Callable[[Run, State], Iterable[State]]
    memory: Callable[[Run], tuple[Point, ...]] = lambda run: ()


def candidates(quantity: Expression) -> tuple[Expression, ...]:
    """The quantities of which this one is the largest."""
    return quantity if isinstance(quantity, tuple) else (quantity,)


def zero_point() -> Point:
    """The zero vector; the worst case does not depend on where the origin is, so it is put where it helps."""
    return PEPit.Point(is_leaf=False, decomposition_dict={})


def zero_value() -> Expression:
    """The number zero."""
    return PEPit.Expression(is_leaf=False, decomposition_dict={})
