"""The words in which worst cases are described: function classes, compressors, methods, measures, hypotheses."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import PEPit
from PEPit import functions

from .run import (
    Compressor,
    Constraint,
    Expression,
    Function,
    Measure,
    Method,
    Outcomes,
    Point,
    Problem,
    ProblemClass,
    Run,
    State,
    zero_point,
    zero_value,
)

Reader: TypeAlias = Callable[[Mapping[str, float]], float]
"""A number from the theorem's parameters."""


# --- what is minimised ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FunctionClass:
    """A class of functions, by PEPit's interpolation conditions and the theorem's parameters that they take."""

    conditions: Any
    parameters: tuple[str, ...]
    has_minimiser: bool = True
    readers: Mapping[str, Reader] = field(default_factory=dict)

    def where(self, **readers: Reader) -> FunctionClass:
        """The class for a theorem that calls a parameter by another name, or gives it through others."""
        return replace(self, readers=readers)

    def declare(self, pep: PEPit.PEP, values: Mapping[str, float]) -> Function:
        """A new function of the class."""
        return pep.declare_function(self.conditions, **{name: self._read(name, values) for name in self.parameters})

    def curvature(self, values: Mapping[str, float]) -> tuple[float, float]:
        """Upper and lower curvature."""
        L = self._read("L", values) if "L" in self.parameters else math.inf
        return L, self._read("mu", values) if "mu" in self.parameters else (0.0 if self.has_minimiser else -L)

    def _read(self, name: str, values: Mapping[str, float]) -> float:
        return self.readers[name](values) if name in self.readers else values[name]


SMOOTH = FunctionClass(functions.SmoothFunction, ("L",), has_minimiser=False)
"""Lipschitz gradient, no convexity; its lower bound is zero where `bounded_below` is among the hypotheses."""

SMOOTH_CONVEX = FunctionClass(functions.SmoothConvexFunction, ("L",))
STRONGLY_CONVEX = FunctionClass(functions.StronglyConvexFunction, ("mu",))
SMOOTH_STRONGLY_CONVEX = FunctionClass(functions.SmoothStronglyConvexFunction, ("L", "mu"))


def whole(members: FunctionClass, weights: tuple[float, ...] = (1.0,)) -> ProblemClass:
    """F in the class `members`; with several weights, F is an average of functions of which nothing else is known."""

    def declare(pep: PEPit.PEP, values: Mapping[str, float]) -> Problem:
        return _problem(members.declare(pep, values), members, values, weights)

    return declare


def average(members: FunctionClass, weights: tuple[float, ...]) -> ProblemClass:
    """``F = sum_i p_i f_i`` with every ``f_i`` in the class `members`."""

    def declare(pep: PEPit.PEP, values: Mapping[str, float]) -> Problem:
        parts = tuple(members.declare(pep, values) for _ in weights)
        F = sum((p * f for p, f in zip(weights[1:], parts[1:], strict=True)), weights[0] * parts[0])
        return _problem(F, members, values, weights, parts)

    return declare


def _problem(
    function: Function,
    members: FunctionClass,
    values: Mapping[str, float],
    weights: tuple[float, ...],
    parts: tuple[Function, ...] = (),
) -> Problem:
    L, mu = members.curvature(values)
    if not members.has_minimiser:
        return Problem(function, zero_value(), None, L, mu, weights, parts)
    minimiser, minimum = zero_point(), zero_value()
    function.add_point((minimiser, zero_point(), minimum))
    return Problem(function, minimum, minimiser, L, mu, weights, parts)


# --- compressors ------------------------------------------------------------------------------------------------------


def uncompressed(run: Run, v: Point) -> Outcomes:
    """The vector itself."""
    return ((1.0, run.send(v)),)


def projection(fraction: str | None = None) -> Compressor:
    """``<v, q> = |q|^2``, and ``|q|^2 >= fraction |v|^2`` if a fraction is named."""

    def compress(run: Run, v: Point) -> Outcomes:
        kept = run.values[fraction] if fraction else 0.0
        # With everything kept q = v; stated as constraints, that would leave the program without interior.
        if kept == 1.0:
            return uncompressed(run, v)
        q = PEPit.Point()
        run.pep.add_constraint(v * q == q**2)
        if kept:
            run.pep.add_constraint(q**2 >= kept * v**2)
        return ((1.0, run.send(q)),)

    return compress


def contractive(fraction: str) -> Compressor:
    """``|v - q|^2 <= (1 - fraction) |v|^2``."""

    def compress(run: Run, v: Point) -> Outcomes:
        q = PEPit.Point()
        run.pep.add_constraint((v - q) ** 2 <= (1 - run.values[fraction]) * v**2)
        return ((1.0, run.send(q)),)

    return compress


def signs(run: Run, v: Point) -> Outcomes:
    """``<v, Q> = |v| B_T`` with ``B_T^2 = beta T |v|^2``, and ``|Q|^2 = T |v|^2``."""
    Q, T = PEPit.Point(), run.values["T"]
    run.pep.add_constraint(v * Q == math.sqrt(run.values["beta"] * T) * v**2)
    run.pep.add_constraint(T * v**2 == Q**2)
    return ((1.0, run.send(Q)),)


def enough_signs(run: Run, v: Point) -> Outcomes:
    """``<v, Q> >= |v|^2`` and ``|Q|^2 = T |v|^2``: the dynamic rule."""
    Q = PEPit.Point()
    run.pep.add_constraint(v * Q >= v**2)
    run.pep.add_constraint(run.values["T"] * v**2 == Q**2)
    return ((1.0, run.send(Q)),)


def unbiased(omega: Callable[[Run], float], probabilities: tuple[float, ...]) -> Compressor:
    """One of several messages with mean v and mean square at most ``|v|^2/omega``."""

    def compress(run: Run, v: Point) -> Outcomes:
        if omega(run) == 1.0:
            return uncompressed(run, v)
        free = [PEPit.Point() for _ in probabilities[1:]]
        last = v / probabilities[0]
        for p, Q in zip(probabilities[1:], free, strict=True):
            last = last - (p / probabilities[0]) * Q
        messages = tuple(run.send(Q) for Q in (last, *free))
        square = sum(p * Q**2 for p, Q in zip(probabilities, messages, strict=True))
        run.pep.add_constraint(square <= v**2 / omega(run))
        run.atoms.setdefault("Q[xi]", messages)
        run.atoms.setdefault("[xi]", probabilities)
        return tuple(zip(probabilities, messages, strict=True))

    return compress


def noisy(compressor: Compressor) -> Compressor:
    """The compressor applied to ``v + n`` or ``v - n``, ``|n| <= sigma``: a stochastic gradient."""

    def compress(run: Run, v: Point) -> Iterator[tuple[float, Point]]:
        noise = PEPit.Point()
        run.pep.add_constraint(noise**2 <= run.values["gradient_noise"] ** 2)
        for sample in (v + noise, v - noise):
            for probability, message in compressor(run, sample):
                yield probability / 2, message

    return compress


# --- methods ----------------------------------------------------------------------------------------------------------


def compressed_gradient(compressor: Compressor) -> Method:
    """``x+ = x - step_size * message``, the message for the gradient."""

    def step(run: Run, state: State) -> Iterator[State]:
        for probability, message in compressor(run, run.gradient(state.x)):
            run.atoms.setdefault("q", message)
            yield state.moved(run.step_size * message, probability)

    return Method(step)


def compressed_workers(compressor: Compressor) -> Method:
    """``x+ = x - step_size * sum_i p_i message_i``, every worker with its own compressor, independent of the others."""

    def step(run: Run, state: State) -> Iterator[State]:
        weights = run.problem.weights
        gradients = _worker_gradients(run, state.x)
        run.atoms |= {"g[i]": gradients, "[i]": weights}
        for combination in itertools.product(*(tuple(compressor(run, g)) for g in gradients)):
            probabilities, messages = zip(*combination, strict=True)
            run.atoms.setdefault("q[i]", messages)
            yield state.moved(run.step_size * _average(weights, messages), math.prod(probabilities))

    return Method(step)


def error_feedback(compressor: Compressor) -> Method:
    """``v = step_size * gradient + e; x+ = x - message(v); e+ = v - message(v)``, from ``e = 0``."""

    def step(run: Run, state: State) -> Iterator[State]:
        v = run.step_size * run.gradient(state.x) + state.memory[0]
        for probability, message in compressor(run, v):
            yield state.moved(message, probability, (v - message,))

    return Method(step, lambda run: (zero_point(),))


def ef21(compressor: Compressor) -> Method:
    """``x+ = x - step_size * sum_i p_i G_i; G_i+ = G_i + message(grad f_i(x+) - G_i)``, from any G_i."""

    def step(run: Run, state: State) -> Iterator[State]:
        mean = _average(run.problem.weights, state.memory)
        moved = state.moved(run.step_size * mean)
        errors = [g - G for g, G in zip(_worker_gradients(run, moved.x), state.memory, strict=True)]
        for combination in itertools.product(*(tuple(compressor(run, error)) for error in errors)):
            probabilities, messages = zip(*combination, strict=True)
            memory = tuple(G + message for G, message in zip(state.memory, messages, strict=True))
            yield state.moved(run.step_size * mean, math.prod(probabilities), memory)

    return Method(step, lambda run: tuple(PEPit.Point() for _ in run.problem.weights))


def _worker_gradients(run: Run, x: Point) -> tuple[Point, ...]:
    weights, parts, g = run.problem.weights, run.problem.parts, run.gradient(x)
    if parts:
        return tuple(f.gradient(x) for f in parts)
    free = tuple(PEPit.Point() for _ in weights[1:])
    last = g
    for p, g_i in zip(weights[1:], free, strict=True):
        last = last - p * g_i
    return (last / weights[0], *free)


def _average(weights: tuple[float, ...], members: tuple[Any, ...]) -> Any:
    terms = [p * member for p, member in zip(weights, members, strict=True)]
    return sum(terms[1:], terms[0])


# --- measures ---------------------------------------------------------------------------------------------------------


def objective_gap(run: Run, k: int) -> Expression:
    """``E F(x_k) - F*``."""
    return run.expected(k, lambda state: run.gap(state.x))


def squared_distance(run: Run, k: int) -> Expression:
    """``E|x_k - x*|^2``."""
    return run.expected(k, lambda state: (state.x - run.problem.minimiser) ** 2)


def squared_gradient(run: Run, k: int) -> Expression:
    """``E|grad F(x_k)|^2``."""
    return run.expected(k, lambda state: run.gradient(state.x) ** 2)


def smallest_gradient(run: Run, k: int) -> Expression:
    """``min_{j<k} E|grad F(x_j)|^2``."""
    smallest = PEPit.Expression()
    for j in range(k):
        run.pep.add_constraint(smallest <= squared_gradient(run, j))
    return smallest


def mean_gradient(run: Run, k: int) -> Expression:
    """``sum_{j<k} E|grad F(x_j)|^2 / k``."""
    return sum(squared_gradient(run, j) for j in range(k)) / k


def gap_of_mean(run: Run, k: int) -> Expression:
    """``E F(mean of x_0 .. x_{k-1}) - F*``."""
    return run.expected(k, lambda state: run.gap(sum(state.path[1:], state.path[0]) / k))


def decrease(run: Run, k: int) -> Expression:
    """``2L (F(x_0) - E F(x_k))``."""
    return 2 * run.problem.L * (objective_gap(run, 0) - objective_gap(run, k))


def squared_message(run: Run, k: int) -> Expression:
    """``|q|^2`` of the first message."""
    return run.messages[0] ** 2


def mean_squared_message(run: Run, k: int) -> Expression:
    """``sum_i p_i |q_i|^2`` of the workers' first messages."""
    return _average(run.problem.weights, tuple(q**2 for q in run.atoms["q[i]"]))


def memory_potential(share: float) -> Measure:
    """``F - F* + share * step_size/theta * sum_i p_i |G_i - grad f_i(x)|^2``, ``theta = 1 - sqrt(1 - delta)``."""

    def measure(run: Run, k: int) -> Expression:
        scale = share * run.step_size / (1 - math.sqrt(1 - run.values["delta"]))
        return run.expected(k, lambda state: run.gap(state.x) + scale * memory_error(run, state))

    return measure


def drop(potential: Measure) -> Measure:
    """What a potential loses over the whole run."""
    return lambda run, k: potential(run, 0) - potential(run, run.steps)


def memory_error(run: Run, state: State) -> Expression:
    """``sum_i p_i |G_i - grad f_i(x)|^2``."""
    errors = [(G - g) ** 2 for G, g in zip(state.memory, _worker_gradients(run, state.x), strict=True)]
    return _average(run.problem.weights, tuple(errors))


# --- further hypotheses -----------------------------------------------------------------------------------------------


def bounded_below(run: Run) -> None:
    """A smooth function does not pass its lower bound: ``F(x) - |g|^2/(2L) >= F_inf``, wherever F was evaluated."""
    for _, g, value in tuple(run.problem.function.list_of_points):
        run.pep.add_constraint(value - g**2 / (2 * run.problem.L) >= run.problem.minimum)


def pl_at_start(run: Run) -> None:
    """The PL inequality at ``x_0`` only: all that a proof of one step uses."""
    run.pep.add_constraint(run.gradient(run.start.x) ** 2 >= 2 * run.values["mu"] * run.gap(run.start.x))


def pl(run: Run) -> None:
    """The PL inequality wherever F was evaluated."""
    for _, g, value in tuple(run.problem.function.list_of_points):
        run.pep.add_constraint(g**2 >= 2 * run.values["mu"] * (value - run.problem.minimum))


def bounded_distance(run: Run) -> None:
    """``|x_k - x*| <= R`` for every k before the last."""
    for level in run.levels[:-1]:
        for state in level:
            run.pep.add_constraint((state.x - run.problem.minimiser) ** 2 <= run.values["radius"] ** 2)


def restricted_smoothness(run: Run) -> None:
    """Smoothness with ``L_restricted`` along the step, in both directions."""
    x, y = run.start.x, run.levels[1][0].x
    F, L = run.problem.function, run.values["L_restricted"]
    for a, b in ((x, y), (y, x)):
        run.pep.add_constraint(F(b) <= F(a) + F.gradient(a) * (b - a) + L / 2 * (b - a) ** 2)


def dissimilar_workers(run: Run) -> None:
    """``sum_i p_i |g_i|^2 <= G |g|^2 + B^2`` at ``x_0``."""
    energy = _average(run.problem.weights, tuple(g**2 for g in run.atoms["g[i]"]))
    limit = run.values["dissimilarity"] * run.gradient(run.start.x) ** 2 + run.values["heterogeneity"] ** 2
    run.pep.add_constraint(energy <= limit)


def noise_at_optimum(factor: Callable[[Run], float]) -> Constraint:
    """``sum_i p_i^2 nu |grad f_i(x*)|^2 <= noise_at_optimum``, the variance factor nu the same for every worker."""

    def constrain(run: Run) -> None:
        weights, at_optimum = run.problem.weights, _worker_gradients(run, run.problem.minimiser)
        energy = _average(tuple(p**2 for p in weights), tuple(g**2 for g in at_optimum))
        run.pep.add_constraint(factor(run) * energy <= run.values["noise_at_optimum"])

    return constrain
