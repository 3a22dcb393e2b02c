"""The words for methods that remember what was not sent: error feedback and EF21 from any memory, their potentials."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import PEPit
from PEPit import functions

from .run import (
    Compressor,
    Expression,
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
from .vocabulary import FunctionClass, Reader, objective_gap

Memory: TypeAlias = Callable[[Run], tuple[Point, ...]]
"""What the workers remember at the start."""


# --- compressors and memories -----------------------------------------------------------------------------------------


def keeps(q: Reader) -> Compressor:
    """``|v - C(v)| <= q |v|``, q from the theorem's parameters."""

    def compress(run: Run, v: Point) -> Outcomes:
        left, message = q(run.values), PEPit.Point()
        if left == 0.0:
            return ((1.0, run.send(v)),)
        run.pep.add_constraint((v - message) ** 2 <= left**2 * v**2)
        return ((1.0, run.send(message)),)

    return compress


def nothing(run: Run) -> tuple[Point, ...]:
    """Empty memories."""
    return tuple(zero_point() for _ in run.problem.weights)


def anything(run: Run) -> tuple[Point, ...]:
    """Any memories."""
    return tuple(PEPit.Point() for _ in run.problem.weights)


# --- methods ----------------------------------------------------------------------------------------------------------


def feedback(compressor: Compressor, memory: Memory = nothing) -> Method:
    """``v_i = e_i + grad f_i(x)``; ``x+ = x - step_size sum_i p_i C_i(v_i)``; ``e_i+ = v_i - C_i(v_i)``."""

    def step(run: Run, state: State) -> Iterator[State]:
        wanted = [e + g for e, g in zip(state.memory, _gradients(run, state.x), strict=True)]
        sent = [_only(compressor(run, v)) for v in wanted]
        kept = tuple(v - message for v, message in zip(wanted, sent, strict=True))
        yield state.moved(run.step_size * _mean(run, sent), 1.0, kept)

    return Method(step, memory)


def estimates(compressor: Compressor, *, exact: bool) -> Method:
    """EF21 in which the memory is ``G_i - grad f_i(x)``: zero at the start if exact, else anything."""

    def step(run: Run, state: State) -> Iterator[State]:
        estimated = [g + error for g, error in zip(_gradients(run, state.x), state.memory, strict=True)]
        moved = state.moved(run.step_size * _mean(run, estimated))
        later = _gradients(run, moved.x)
        errors = tuple(G + _only(compressor(run, g - G)) - g for g, G in zip(later, estimated, strict=True))
        yield State(moved.x, 1.0, errors, moved.path)

    return Method(step, nothing if exact else anything)


def displaced(bound: Reader) -> Method:
    """The virtual iterate ``z+ = z - step_size grad F(z + step_size e)`` with any ``|e|`` up to a bound."""

    def step(run: Run, state: State) -> Iterator[State]:
        e = PEPit.Point()
        run.pep.add_constraint(e**2 <= bound(run.values) ** 2)
        yield state.moved(run.step_size * run.gradient(state.x + run.step_size * e))

    return Method(step)


def stream(compressor: Compressor, memory: Memory = nothing) -> Method:
    """The memory of one worker that sees any gradients; nothing moves."""

    def step(run: Run, state: State) -> Iterator[State]:
        (e,) = state.memory
        gradient = PEPit.Point()
        run.atoms.setdefault("stream", []).append(gradient)
        v = e + gradient
        yield state.moved(zero_point(), 1.0, (v - _only(compressor(run, v)),))

    return Method(step, memory)


def gradients_only(pep: PEPit.PEP, values: Mapping[str, float]) -> Problem:
    """No function: the gradients are a stream of vectors."""
    del values
    return Problem(pep.declare_function(functions.SmoothFunction, L=1.0), zero_value(), None, 1.0, -1.0)


def sharing(members: FunctionClass, weights: tuple[float, ...]) -> ProblemClass:
    """``F = sum_i p_i f_i`` with every ``f_i`` in the class and smallest at the same point."""

    def declare(pep: PEPit.PEP, values: Mapping[str, float]) -> Problem:
        parts = tuple(members.declare(pep, values) for _ in weights)
        minimiser = zero_point()
        for f in parts:
            f.add_point((minimiser, zero_point(), zero_value()))
        F = sum((p * f for p, f in zip(weights[1:], parts[1:], strict=True)), weights[0] * parts[0])
        return Problem(F, zero_value(), minimiser, *members.curvature(values), weights, parts)

    return declare


def _only(outcomes: Outcomes) -> Point:
    ((_, message),) = outcomes
    return message


def _gradients(run: Run, x: Point) -> tuple[Point, ...]:
    parts = run.problem.parts
    return tuple(f.gradient(x) for f in parts) if parts else (run.gradient(x),)


def _mean(run: Run, members: Sequence[Any]) -> Any:
    terms = [p * member for p, member in zip(run.problem.weights, members, strict=True)]
    return sum(terms[1:], terms[0])


# --- measures ---------------------------------------------------------------------------------------------------------


def virtual_distance(run: Run, k: int) -> Expression:
    """``|x_k - step_size sum_i p_i e_i - x*|^2``."""
    (state,) = run.levels[k]
    return (state.x - run.step_size * _mean(run, state.memory) - run.problem.minimiser) ** 2


def feedback_potential(run: Run, k: int) -> Expression:
    """``sum_i p_i |x - x* - step_size e_i|^2 + step_size^2/s |mean e|^2``, ``s = sqrt(1 - delta)``."""
    (state,) = run.levels[k]
    away = state.x - run.problem.minimiser
    apart = _mean(run, [(away - run.step_size * e) ** 2 for e in state.memory])
    return apart + run.step_size**2 / _s(run) * _mean(run, state.memory) ** 2


def gradient_potential(run: Run, k: int) -> Expression:
    """``|grad f(x)|^2 + |G - grad f(x)|^2/s`` for one worker, of the memory G - grad f(x)."""
    (state,) = run.levels[k]
    (error,) = state.memory
    return run.gradient(state.x) ** 2 + error**2 / _s(run)


def gap_potential(weight: Reader) -> Measure:
    """``F - F* + weight |G - grad f(x)|^2`` for one worker."""

    def measure(run: Run, k: int) -> Expression:
        (state,) = run.levels[k]
        (error,) = state.memory
        return objective_gap(run, k) + weight(run.values) * error**2

    return measure


def squared_memory(run: Run, k: int) -> Expression:
    """``|e_k|^2`` of one worker."""
    (state,) = run.levels[k]
    (e,) = state.memory
    return e**2


def mean_squares(root: Reader) -> tuple[Measure, Measure]:
    """The means over k < K of ``|g_k|^2`` and of ``|e_k|^2``, with weights root^(-2k)."""

    def weights(run: Run) -> list[float]:
        raw = [root(run.values) ** (-2 * k) for k in range(run.steps)]
        return [weight / sum(raw) for weight in raw]

    def gradients(run: Run, k: int) -> Expression:
        return sum(weight * g**2 for weight, g in zip(weights(run), run.atoms["stream"], strict=True))

    def memories(run: Run, k: int) -> Expression:
        # The first memory is empty.
        return sum(weight * squared_memory(run, j) for j, weight in enumerate(weights(run)) if j > 0)

    return gradients, memories


def last_gradient(run: Run, k: int) -> Expression:
    """``|g|^2`` of the last gradient of a stream."""
    return run.atoms["stream"][-1] ** 2


def bounded_stream(run: Run) -> None:
    """``|g_k| <= gradient_bound`` for all gradients of a stream."""
    for g in run.atoms["stream"]:
        run.pep.add_constraint(g**2 <= run.values["gradient_bound"] ** 2)


def _s(run: Run) -> float:
    return math.sqrt(1 - run.values["delta"])
