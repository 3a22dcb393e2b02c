"""The words for gradients that arrive late: delays, step rules, methods, measures, hypotheses."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import PEPit

from taciturn.solvers.delays import Constant, Cyclic, DelayModel, Hold, Periodic, Trace
from taciturn.solvers.methods import StepRule, adaptive_steps

from .run import (
    Compressor,
    Constraint,
    Expression,
    Measure,
    Method,
    Outcomes,
    Point,
    Run,
    State,
    zero_point,
    zero_value,
)
from .vocabulary import Reader, uncompressed

Values: TypeAlias = Mapping[str, float]
"""The theorem's parameters."""

# --- delays and step sizes --------------------------------------------------------------------------------------------

Delays: TypeAlias = Callable[[Values], DelayModel]
"""The delays of a run, from the theorem's parameters."""


def at_once(values: Values) -> DelayModel:
    """No delay."""
    return Constant(0)


def constant(values: Values) -> DelayModel:
    """Delay tau in every iteration, as soon as there is a model of that age."""
    return Constant(int(values["tau"]))


def hold(values: Values) -> DelayModel:
    """The same model for tau + 1 iterations."""
    return Hold(int(values["tau"]))


def cyclic(values: Values) -> DelayModel:
    """The workers take a new model one after the other."""
    return Cyclic(int(values["tau"]))


def repeated(*pattern: int) -> Delays:
    """These delays, the same for every worker, over and over."""
    return lambda values: Periodic(pattern)


Steps: TypeAlias = Callable[[Values, int], Sequence[float]]
"""The sizes of the first k steps."""


def prescribed(values: Values, k: int) -> Sequence[float]:
    """The step size of the theorem, every time."""
    return [values["step_size"]] * k


def measured(delays: Delays, rule: Callable[[Values], StepRule]) -> Steps:
    """A rule that looks at the delays as they come."""
    return lambda values, k: adaptive_steps(rule(values), delays(values).trace(k, 1).largest_delay).tolist()


# --- compressors ------------------------------------------------------------------------------------------------------


def two_point(variance: Reader) -> Compressor:
    """``(1 + s) v`` or ``(1 - s) v`` with equal probabilities, ``s^2`` the variance."""

    def compress(run: Run, v: Point) -> Outcomes:
        spread = math.sqrt(variance(run.values))
        if spread == 0:
            return uncompressed(run, v)
        return tuple((0.5, run.send(factor * v)) for factor in (1 + spread, 1 - spread))

    return compress


def bounded_error(error: str) -> Compressor:
    """``|q - v| <= error``."""

    def compress(run: Run, v: Point) -> Outcomes:
        if run.values[error] == 0:
            return uncompressed(run, v)
        q = PEPit.Point()
        run.pep.add_constraint((q - v) ** 2 <= run.values[error] ** 2)
        return ((1.0, run.send(q)),)

    return compress


# --- methods ----------------------------------------------------------------------------------------------------------


def stale(delays: Delays, compressor: Compressor = uncompressed, steps: Steps = prescribed) -> Method:
    """``x_{k+1} = x_k - gamma_k sum_i p_i message_i`` for gradients at ``x_{k - tau_i}``, each message used once."""

    def step(run: Run, state: State) -> Iterator[State]:
        k = len(state.path)
        trace = _trace(run, delays, k)
        gradients = _gradients(run, state, trace.delay[k].tolist())
        for probability, messages in _sent(run, compressor, gradients):
            yield state.moved(steps(run.values, k + 1)[k] * _mean(run, messages), probability)

    return Method(step)


def stored(delays: Delays, compressor: Compressor) -> Method:
    """The same with a memory: a message is used again while its worker's model stays the same."""

    def step(run: Run, state: State) -> Iterator[State]:
        k = len(state.path)
        trace = _trace(run, delays, k).with_stored_messages()
        new = trace.fresh[k].tolist()
        gradients = _gradients(run, state, trace.delay[k].tolist())
        sent = [gradient for gradient, is_new in zip(gradients, new, strict=True) if is_new]
        for probability, messages in _sent(run, compressor, sent):
            renewed = iter(messages)
            memory = tuple(next(renewed) if is_new else old for old, is_new in zip(state.memory, new, strict=True))
            yield state.moved(run.step_size * _mean(run, memory), probability, memory)

    return Method(step, lambda run: tuple(zero_point() for _ in run.problem.weights))


def reacting(compressor: Compressor) -> Method:
    """One worker whose gradient is tau iterations old after the first outcome of the last message, new after others."""

    def step(run: Run, state: State) -> Iterator[State]:
        (late,) = state.memory
        delay = min(int(run.values["tau"]), len(state.path)) if late else 0
        (gradient,) = _gradients(run, state, [delay])
        for outcome, (probability, message) in enumerate(compressor(run, gradient)):
            yield state.moved(run.step_size * message, probability, (outcome == 0,))

    return Method(step, lambda run: (False,))


def from_anywhere(step_size: float, compressor: Compressor) -> Method:
    """One step along gradients at free points ``x - e_i``; the symbols of `stale-onestep` are noted."""

    def step(run: Run, state: State) -> Iterator[State]:
        weights, parts, best = run.problem.weights, run.problem.parts, run.problem.minimiser
        errors = tuple(PEPit.Point() for _ in parts)
        gradients = tuple(f.gradient(state.x - e) for f, e in zip(parts, errors, strict=True))
        sent = tuple(_sent(run, compressor, gradients))
        mean = _mean(run, gradients)
        noise = [probability * (_mean(run, messages) - mean) ** 2 for probability, messages in sent]
        moved = [state.moved(step_size * _mean(run, messages), probability) for probability, messages in sent]
        run.atoms |= {
            "step_size": step_size,
            "[i]": weights,
            "r": state.x - best,
            "e[i]": errors,
            "g[i]": gradients,
            "f_y[i]": tuple(f(state.x - e) for f, e in zip(parts, errors, strict=True)),
            "f_star[i]": tuple(f(best) for f in parts),
            "window[i]": tuple(run.problem.L * e**2 for e in errors),
            "v": mean,
            "noise": sum(noise[1:], noise[0]),
            "r_next": sum(after.probability * (after.x - best) ** 2 for after in moved),
        }
        yield from moved

    return Method(step)


def _trace(run: Run, delays: Delays, k: int) -> Trace:
    return delays(run.values).trace(k + 1, len(run.problem.weights))


def _gradients(run: Run, state: State, delays: Sequence[int]) -> tuple[Point, ...]:
    """The gradients of the workers' functions at models of these ages."""
    visited = (*state.path, state.x)
    functions = run.problem.parts or (run.problem.function,)
    return tuple(f.gradient(visited[len(state.path) - delay]) for f, delay in zip(functions, delays, strict=True))


def _sent(run: Run, compressor: Compressor, vectors: Sequence[Point]) -> Iterator[tuple[float, tuple[Point, ...]]]:
    """Independent messages for the vectors, all combinations with their probabilities."""
    for combination in itertools.product(*(tuple(compressor(run, v)) for v in vectors)):
        yield math.prod(probability for probability, _ in combination), tuple(message for _, message in combination)


def _mean(run: Run, messages: Sequence[Point]) -> Point:
    terms = [p * message for p, message in zip(run.problem.weights, messages, strict=True)]
    return sum(terms[1:], terms[0])


# --- measures ---------------------------------------------------------------------------------------------------------


def mean_of(measure: Measure, steps: Steps = prescribed) -> Measure:
    """The mean of a measure over ``x_0 .. x_{k-1}``, weighted by the step sizes."""

    def mean(run: Run, k: int) -> Expression:
        weights = steps(run.values, k)
        return sum(weight * measure(run, j) for j, weight in enumerate(weights) if weight) / sum(weights)

    return mean


def excess_noise(variance: Reader) -> Measure:
    """``E|xi|^2 - 2 B_0 D`` at free points of the workers, B_0 the theorem's value, D their mean Bregman distance."""

    def measure(run: Run, k: int) -> Expression:
        best, found = run.problem.minimiser, zero_value()
        for p, f in zip(run.problem.weights, run.problem.parts, strict=True):
            y = PEPit.Point()
            g = f.gradient(y)
            distance = f(best) - f(y) - g * (best - y)
            found += p**2 * variance(run.values) * g**2 - 2 * run.values["value"] * p * distance
        return found

    return measure


# --- further hypotheses -----------------------------------------------------------------------------------------------


def last_bounded_below(run: Run) -> None:
    """``F(x) >= F_inf`` at the last iterates only: all that the proof of a run uses."""
    for state in run.levels[-1]:
        run.pep.add_constraint(run.gap(state.x) >= 0)


def quadratic_growth(run: Run) -> None:
    """``F(x) - F* >= mu/2 |x - x*|^2`` at every iterate but the last ones."""
    for level in run.levels[:-1]:
        for state in level:
            distance = (state.x - run.problem.minimiser) ** 2
            run.pep.add_constraint(run.gap(state.x) >= run.values["mu"] / 2 * distance)


def gradients_at_minimiser(limit: Reader) -> Constraint:
    """``sum_i p_i^2 |grad f_i(x*)|^2 <= limit``."""

    def constrain(run: Run) -> None:
        energy = _weighted_energy(run, run.problem.minimiser)
        run.pep.add_constraint(energy <= limit(run.values))

    return constrain


def bounded_parts(dissimilarity: str) -> Constraint:
    """Every ``f_i`` is bounded below, ``sum_i p_i inf f_i`` by at most so much less than F."""

    def constrain(run: Run) -> None:
        lowest = tuple(PEPit.Expression() for _ in run.problem.parts)
        for bound, f in zip(lowest, run.problem.parts, strict=True):
            for _, g, value in tuple(f.list_of_points):
                run.pep.add_constraint(value - g**2 / (2 * run.problem.L) >= bound)
        run.pep.add_constraint(run.problem.minimum - _mean(run, lowest) <= run.values[dissimilarity])

    return constrain


def weighted_dissimilarity(run: Run) -> None:
    """``sum_i p_i^2 |grad f_i(x)|^2 <= B^2 |grad F(x)|^2 + zeta_0^2`` at every iterate but the last ones."""
    B, zeta = run.values["relative_dissimilarity"], run.values["absolute_dissimilarity"]
    for level in run.levels[:-1]:
        for state in level:
            limit = B**2 * run.gradient(state.x) ** 2 + zeta**2
            run.pep.add_constraint(_weighted_energy(run, state.x) <= limit)


def _weighted_energy(run: Run, x: Point) -> Expression:
    terms = [p**2 * f.gradient(x) ** 2 for p, f in zip(run.problem.weights, run.problem.parts, strict=True)]
    return sum(terms[1:], terms[0])
