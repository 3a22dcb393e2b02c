"""Attacks on the lemmas, limits and servers of chapter 2, and the wrong statements that they refute."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from taciturn.solvers.delays import Deterministic, Hold, ParameterServer, Worker
from taciturn.solvers.problems import quadratic_with_spectrum
from taciturn.solvers.second_moment import NoiseModel, second_moments
from taciturn.theory import theorem
from taciturn.theory.theorem import Theorem
from taciturn.verification.attack import ratio, witness
from taciturn.verification.attacks import FAMILIES
from taciturn.verification.attacks.functions import Quadratics, dot, square
from taciturn.verification.attacks.measures import TOLERANCE
from taciturn.verification.attacks.staleness.lemmas import bregman, huber_bregman, three_point
from taciturn.verification.attacks.staleness.servers import arrivals
from taciturn.verification.evidence import Budget, Verdict

FEW = Budget(instances=60, cells=1, replicas=1)


def _scaled(entry: Theorem, name: str, factor: float) -> Theorem:
    formula = getattr(entry, name)
    assert isinstance(formula, sympy.Expr)
    return replace(entry, **{name: sympy.Rational(factor) * formula})


# Equalities are refuted in both directions; upper bounds by what is missing to their worst case.
WRONG = [
    ("stale-necessary", "value", 0.95),
    ("stale-necessary-stored", "value", 0.95),
    ("tight-huber", "bound", 1.05),
    ("delay-budget", "value", 0.95),
    ("optimal-accuracy", "value", 0.95),
    ("delay-filter", "bound", 0.65),
    ("delay-filter", "step_size", 6.0),
    ("stale-absolute", "residual", 0.15),
    ("stale-absolute", "step_size", 6.0),
]


@pytest.mark.parametrize(("id", "name", "factor"), WRONG)
def test_wrong_constants_are_refuted(id: str, name: str, factor: float) -> None:
    assert witness(_scaled(theorem(id), name, factor), FEW)[0].verdict is Verdict.VIOLATED


def test_absorption_needs_its_condition() -> None:
    impulse = next(iter(FAMILIES["lemma-absorption"].structured()))
    delayed = {**impulse, "tau": 3}

    assert ratio(theorem("lemma-absorption"), delayed) == pytest.approx(1, abs=1e-9)
    assert ratio(theorem("lemma-absorption"), {**delayed, "share": 1.01}) > 1 + 1e-4


def test_bregman_distances_by_integration() -> None:
    rng = np.random.default_rng(0)
    function = Quadratics.along(rng.uniform(-1, 1, (20, 3)), rng.standard_normal((20, 3)))
    x, y = rng.standard_normal((2, 20, 3))

    np.testing.assert_allclose(bregman(function.gradient, x, y), function.gap(x - y), atol=1e-13)


def test_the_identity_needs_the_gradient_of_the_function() -> None:
    x, y, z = np.random.default_rng(0).standard_normal((3, 20, 4))

    def value(v: np.ndarray) -> np.ndarray:
        return np.sum(np.sin(v), axis=-1) + square(v) ** 2

    def gradient(v: np.ndarray) -> np.ndarray:
        return np.cos(v) + 4 * square(v)[..., None] * v

    def wrong(v: np.ndarray) -> np.ndarray:
        return gradient(v) + 0.01 * dot(v, v)[..., None]

    assert np.max(three_point(value, gradient, x, y, z)) < 1e-11
    assert np.median(three_point(value, wrong, x, y, z)) > 1e-3


@pytest.mark.parametrize(("c", "u"), [(0.3, -0.2), (0.3, -4.0), (2.5, 0.1), (2.5, -3.0), (2.5, 4.0), (-0.5, -0.5)])
def test_bregman_distance_of_the_huber_function(c: float, u: float) -> None:
    t = np.linspace(0, 1, 100_001)
    slopes = np.clip(u + t * (c - u), -1, 1) - np.clip(u, -1, 1)

    assert huber_bregman(np.array(c), np.array(u), np.array(1.0)) == pytest.approx(
        np.trapezoid(slopes, t) * (c - u), abs=1e-8
    )


@pytest.mark.parametrize("times", [(1.0, 2.5), (1.0, 1.0, 1.0), (0.3, 7.0, 0.9, 2.2)])
def test_arrivals_are_those_of_the_server(times: tuple[float, ...]) -> None:
    trace = ParameterServer([Worker(Deterministic(time)) for time in times]).trace(50, 0.0)
    made = arrivals(np.array([[times]]), 50)

    np.testing.assert_array_equal(made.delay[0], trace.message_delay)
    np.testing.assert_array_equal(
        made.under_way[0], [50 - (1 + max(np.flatnonzero(trace.worker == i), default=-1)) for i in range(len(times))]
    )


@pytest.mark.parametrize("stored", [False, True])
def test_the_limit_is_that_of_the_exact_recursion(stored: bool) -> None:
    """Found by bisection on the second moment after a block, with none of the attack's enumeration."""
    tau, variance = 4, 3.0
    trace = Hold(tau).trace(tau + 1, 1)
    used = trace.with_stored_messages() if stored else trace

    def grows(step: float) -> bool:
        noise = NoiseModel.exact_variance(variance)
        return bool(second_moments(quadratic_with_spectrum([2.0]), used, step, noise, [1.0]).squared_distance[-1] > 1)

    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if grows(middle) else (middle, high)
    id = "stale-necessary-stored" if stored else "stale-necessary"
    right = replace(theorem(id), value=sympy.Float(low, 20))

    assert ratio(right, {"L": 2.0, "tau": tau, "variance": variance}) <= 1 + TOLERANCE
