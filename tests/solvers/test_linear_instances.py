"""Linear instances of error feedback and EF21 against the methods, the exact rate, and the stated step limit."""

from __future__ import annotations

import numpy as np
import pytest

from taciturn.solvers.linear_instances import divergence_limit, linear_instance_rate, linear_instances, radius
from taciturn.theory import theorem
from taciturn.theory.memory_constants import memory_constants

RNG = np.random.default_rng
VOLUMES = [(0.25, 0.25, 0.25, 0.25), (0.7, 0.2, 0.05, 0.05), (0.97, 0.01, 0.01, 0.01)]


@pytest.mark.parametrize("method", ["EF", "EF21"])
def test_matrices_are_steps_of_the_methods(method: str) -> None:
    rng = RNG(0)
    p, curvature, left, step = rng.dirichlet(np.ones(3)), rng.uniform(0.1, 2, 3), rng.uniform(-0.9, 0.9, 3), 0.3
    matrix = linear_instances(p, curvature, left, step, method)
    x, memory = 1.3, rng.standard_normal(3)
    if method == "EF":
        v = memory + curvature * x
        kept = left * v
        after, later = x - step * p @ (v - kept), kept
        before = np.concatenate([[x - step * p @ memory], step * memory])
        expected = np.concatenate([[after - step * p @ later], step * later])
    else:
        after = x - step * p @ memory
        later = memory + (1 - left) * (curvature * after - memory)
        before, expected = np.concatenate([[x], memory]), np.concatenate([[after], later])

    assert matrix @ before == pytest.approx(expected)
    stacked = linear_instances(p, curvature, left, np.array([0.1, step]), method)
    assert stacked[1] == pytest.approx(matrix)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_one_worker_has_the_exact_rate(share: float) -> None:
    step = share * 2 / 3
    exact = theorem("ef-tight").evaluate(L_max=1, mu=0.2, delta=0.75, step_size=step).rate

    for method in ("EF", "EF21"):
        assert linear_instance_rate([1.0], 1.0, 0.2, 0.75, step, method) ** 2 == pytest.approx(exact)


@pytest.mark.parametrize("p", VOLUMES)
@pytest.mark.parametrize("method", ["EF", "EF21"])
def test_measured_limit_is_the_stated_one_and_above_the_safe_step(p: tuple[float, ...], method: str) -> None:
    L, delta = np.array([1.0, 2.0, 0.5, 1.0]), np.array([0.3, 0.1, 0.05, 0.9])
    known = memory_constants(p, delta, smoothness=L)
    stated = theorem("step-limit").evaluate(
        mean_smoothness=known.mean_smoothness, memory_smoothness=known.memory_smoothness
    ).value  # fmt: skip
    safe = theorem("nuef21-nonconvex").evaluate(
        L=known.mean_smoothness, memory_smoothness=known.memory_smoothness
    ).step_size  # fmt: skip
    found = divergence_limit(p, L, delta, method)

    assert found == pytest.approx(stated, rel=1e-8)
    assert safe <= found <= 2 * safe
    assert linear_instance_rate(p, L, L, delta, 1.01 * found, method) > 1


@pytest.mark.parametrize(
    ("p", "budget", "expected"),
    [
        ((0.8, 0.2), 0.3, (7.71, 8.32, 8.43, 8.32, 7.33)),
        ((0.95, 0.05), 0.3, (7.71, 10.38, 10.54, 9.86, 5.90)),
    ],
)
def test_rates_of_the_dossier(p: tuple[float, ...], budget: float, expected: tuple[float, ...]) -> None:
    """Dossier 3.17, check G: 1000 (1 - rate^2) at the best step for the exponents 0, 1/3, 1/2, 2/3, 1; mu = 0.05."""
    found = []
    for alpha in (0, 1 / 3, 1 / 2, 2 / 3, 1):
        delta = budget * np.array(p) ** alpha / np.sum(np.array(p) ** alpha)
        limit = divergence_limit(p, 1.0, delta)
        steps = limit * np.linspace(0.6, 0.999, 120)
        found.append(1000 * (1 - min(linear_instance_rate(p, 1.0, 0.05, delta, step) for step in steps) ** 2))

    # The dossier's steps are on a coarser grid: its best ones are a little worse.
    assert np.all(np.array(found) > np.array(expected) * (1 - 2e-3))
    assert found == pytest.approx(expected, rel=0.03)
    assert np.argmax(found) == 2
    assert found[4] < found[0]


def test_radius_of_a_stack() -> None:
    assert radius(np.array([np.eye(2), [[0.0, 2.0], [0.0, 0.5]]])) == pytest.approx([1.0, 0.5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.4], 1.0, 0.1, 0.5, 0.1), "sum 1"),
        (([0.5, 0.5], [1.0, 0.0], 0.0, 0.5, 0.1), "L="),
        (([0.5, 0.5], 1.0, 2.0, 0.5, 0.1), "mu="),
        (([0.5, 0.5], 1.0, 0.1, [0.5, 0.0], 0.1), "delta="),
        (([0.5, 0.5], 1.0, 0.1, [0.5] * 3, 0.1), "one per worker"),
        (([0.5, 0.5], 1.0, 0.1, 0.5, -1.0), "step_size"),
        (([0.1] * 10, 1.0, 0.1, 0.5, 0.1), "up to 6 workers"),
        (([0.5, 0.5], 1.0, 0.1, 0.5, 0.1, "SGD"), "method"),
    ],
)
def test_bad_arguments_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        linear_instance_rate(*arguments)
