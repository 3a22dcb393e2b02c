"""Worst cases of chapter 2, sections 3 and 4: the dossier's performance-estimation values, and wrong theorems."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from taciturn.solvers.methods import FillWindow
from taciturn.theory import Theorem, theorem
from taciturn.theory.symbols import Range, parameter
from taciturn.verification.worst_cases import (
    SOLVERS,
    Cell,
    Solution,
    WorstCase,
    compressed_gradient,
    solve,
    staleness,
)
from taciturn.verification.worst_cases.claims import AtMost, BoundAfterRun, final_bound
from taciturn.verification.worst_cases.stale_vocabulary import (
    Delays,
    constant,
    hold,
    mean_of,
    measured,
    repeated,
    stale,
    two_point,
)
from taciturn.verification.worst_cases.vocabulary import (
    SMOOTH_CONVEX,
    SMOOTH_STRONGLY_CONVEX,
    objective_gap,
    squared_distance,
    whole,
)

CHAPTER = {**compressed_gradient.CASES, **staleness.CASES}
DOSSIER = 6e-4  # three digits, as the dossier prints them

STALE = {"L_hat": 1, "noise_slope": 0, "noise_floor": 0}
NONCONVEX = {"L_stale": 1, "relative_noise": 0, "absolute_noise": 0}
ONE_WORKER = {"young": 1e-9, "optimum_gradients": 0, "largest_weight": 1, "sum_square_weights": 1, "L": 1, "L_max": 1}
TWO_WORKERS = {"largest_weight": 0.5, "sum_square_weights": 0.5, "L": 1, "L_max": 1}


def case(id: str, title: str) -> WorstCase:
    (found,) = (entry for entry in CHAPTER[id] if entry.title == title)
    return found


def decided(entry: Theorem, worst: WorstCase, cell: Cell) -> Solution:
    """The answer of the first solver that reaches its tolerance."""
    for solver in SOLVERS:
        answer = solve(entry, worst, cell, solver)
        if answer.solved:
            return answer
    raise AssertionError(answer.status)


def ratio(id: str, title: str, K: int, **values: float) -> float:
    found = decided(theorem(id), case(id, title), Cell(values, K)).ratio
    assert found is not None
    return found


# --- the dossier's values ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("m", "alpha"), [(m, alpha) for m in (0.01, 0.1, 0.5) for alpha in (1, 2, 3, 10)])
def test_dcgd_is_tight_for_one_worker(m: float, alpha: float) -> None:
    worst = ratio("dcgd-sc-tight", "one step, one worker", 1, **ONE_WORKER, mu=m, variance=alpha - 1)

    assert worst == pytest.approx(1, abs=1e-6)


def test_dcgd_is_tight_for_two_workers_with_the_same_minimiser() -> None:
    title = "one step, two workers with the same minimiser"
    worst = ratio("dcgd-sc-tight", title, 1, **TWO_WORKERS, young=1e-9, optimum_gradients=0, mu=0.1, variance=3)

    assert worst == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("theta", "energy", "low", "high"), [(4, 0.5, 0.98, 0.998), (1, 0.5, 0.80, 0.99), (0.3, 2.0, 0.35, 0.5)]
)
def test_young_is_what_dcgd_loses(theta: float, energy: float, low: float, high: float) -> None:
    title = "one step, two workers with different minimisers"
    worst = ratio("dcgd-sc-tight", title, 1, **TWO_WORKERS, young=theta, optimum_gradients=energy, mu=0.1, variance=2)

    assert low <= worst <= high


@pytest.mark.parametrize("K", [1, 2, 5])
def test_gradient_descent_on_convex_functions(K: int) -> None:
    worst = ratio("dcgd-convex", "a run without noise", K, L=1, noise_slope=0, noise_floor=0)

    assert worst == pytest.approx(1, abs=1e-6)


CONVEX = [(1, 8, 0.986), (1, 14, 0.9987), (2, 12, 0.885), (3, 16, 0.863)]


@pytest.mark.parametrize(
    ("tau", "K", "expected"), [CONVEX[0], *(pytest.param(*row, marks=pytest.mark.slow) for row in CONVEX[1:])]
)
def test_constant_delay_on_convex_functions(tau: int, K: int, expected: float) -> None:
    assert ratio("stale-convex", "constant delay", K, **STALE, tau=tau) == pytest.approx(expected, abs=DOSSIER)


@pytest.mark.parametrize("title", ["constant delay", "one model held", "two workers, each new in turn"])
@pytest.mark.parametrize(("tau", "K"), [(2, 3), (3, 4), pytest.param(2, 6, marks=pytest.mark.slow)])
def test_the_worst_convex_function_is_that_of_huber(tau: int, K: int, title: str) -> None:
    """K/(K - 1 + 1/(gamma L)), which the dossier finds for all delays but the constant 1; 0.79 at tau = 2, K = 6."""
    step = float(theorem("stale-convex").evaluate(**STALE, tau=tau).step_size)  # type: ignore[arg-type]

    assert ratio("stale-convex", title, K, **STALE, tau=tau) == pytest.approx(K / (K - 1 + 1 / step), abs=1e-5)


@pytest.mark.parametrize("K", [2, 3, pytest.param(5, marks=pytest.mark.slow)])
def test_noise_leaves_the_worst_case_between_huber_and_the_bound(K: int) -> None:
    values = {**STALE, "noise_slope": 2, "tau": 1}
    step = float(theorem("stale-convex").evaluate(**values).step_size)  # type: ignore[arg-type]

    worst = ratio("stale-convex", "constant delay and noise", K, **values)

    assert K / (K - 1 + 1 / step) - 1e-6 <= worst < 1


def exponent(id: str, tau: int, K: int, kappa: float, delays: Delays, noise: float = 0.0) -> float:
    """Logarithm of the worst case / logarithm of the bound, over strongly convex functions."""
    compressor = two_point(lambda values: values["noise_slope"])
    functions = SMOOTH_STRONGLY_CONVEX.where(L=lambda values: values["L_hat"])
    worst = WorstCase(
        "", whole(functions), squared_distance, AtMost(squared_distance, final_bound), (), stale(delays, compressor)
    )
    cell = Cell({"L_hat": 1, "mu": 1 / kappa, "noise_slope": noise, "noise_floor": 0, "tau": tau}, K)
    answer = decided(theorem(id), worst, cell)
    assert answer.optimum is not None
    return math.log(answer.optimum) / math.log(theorem(id).evaluate(**cell.parameters).bound(K, 1.0))


@pytest.mark.parametrize(("kappa", "low", "high"), [(10, 1.275, 1.305), (100, 1.09, 1.105), (1000, 1.025, 1.035)])
@pytest.mark.parametrize("tau", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_the_refined_exponent_is_tight_for_large_condition_numbers(
    tau: int, kappa: float, low: float, high: float
) -> None:
    found = min(exponent("stale-sc-refined", tau, 4 * (tau + 1), kappa, delays) for delays in (constant, hold))

    assert low <= found <= high


@pytest.mark.parametrize(("tau", "K", "noise"), [(1, 3, 2.0), (1, 4, 4.0), (2, 4, 1.0)])
def test_the_refined_exponent_with_noise(tau: int, K: int, noise: float) -> None:
    assert 1.165 <= exponent("stale-sc-refined", tau, K, 20, hold, noise) <= 1.205


@pytest.mark.parametrize("kappa", [10, *(pytest.param(kappa, marks=pytest.mark.slow) for kappa in (100, 1000))])
@pytest.mark.parametrize("tau", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_strong_convexity_doubles_the_exponent_of_quadratic_growth(tau: int, kappa: float) -> None:
    """The rate of stale-sc is (1 - gamma mu)^K; over strongly convex functions (1 - gamma mu)^(2K) is not exceeded."""
    found = [exponent("stale-sc", tau, 4 * (tau + 1), kappa, delays) for delays in (constant, hold)]

    assert min(found) >= 2
    assert min(found) <= 2.095


def test_quadratic_growth_alone_nearly_attains_the_exponent() -> None:
    values = {**STALE, "mu": 0.1, "tau": 1}
    answer = decided(theorem("stale-sc"), case("stale-sc", "constant delay, quadratic growth only"), Cell(values, 4))
    assert answer.optimum is not None

    assert 1 <= math.log(answer.optimum) / math.log(theorem("stale-sc").evaluate(**values).bound(4, 1.0)) <= 1.05


LAST_ONLY = "constant delay, F_inf below the last iterate only, as in the proof"


@pytest.mark.parametrize(
    ("tau", "K", "expected"),
    [
        (1, 4, 0.985),
        pytest.param(1, 8, 0.993, marks=pytest.mark.slow),
        pytest.param(2, 9, 0.835, marks=pytest.mark.slow),
        pytest.param(3, 8, 0.829, marks=pytest.mark.slow),
    ],
)
def test_constant_delay_without_convexity(tau: int, K: int, expected: float) -> None:
    """The dossier's values need only F(x_K) >= F_inf; smooth functions bounded below are less harmful."""
    worst = ratio("stale-nonconvex", LAST_ONLY, K, **NONCONVEX, tau=tau)
    everywhere = ratio("stale-nonconvex", "constant delay", K, **NONCONVEX, tau=tau)

    assert worst == pytest.approx(expected, abs=DOSSIER)
    assert everywhere < worst


def test_no_delay_without_convexity() -> None:
    assert ratio("stale-nonconvex", "constant delay", 1, **NONCONVEX, tau=0) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("K", "expected"), [(4, 0.689), pytest.param(16, 0.90, marks=pytest.mark.slow)])
def test_known_delays(K: int, expected: float) -> None:
    windows = {"window_norm": 5.0489217, "window_count": 3}
    step = float(theorem("stale-pattern-aware").evaluate(**STALE, **windows).step_size)  # type: ignore[arg-type]

    worst = ratio("stale-pattern-aware", "one model held, tau = 3", K, **STALE, **windows)

    assert step == pytest.approx(0.357, abs=DOSSIER)
    assert worst == pytest.approx(expected, abs=2e-3)
    assert worst == pytest.approx(K / (K - 1 + 1 / step), abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("K", [8, 10])
def test_measured_delays(K: int) -> None:
    """The dossier: 0.87 to 0.95 on six random sequences; the sum of steps 1.5 to 2.8 times that of the constant one."""
    rng = np.random.default_rng(0)
    for _ in range(3):
        pattern = tuple(int(rng.integers(0, min(k, 4) + 1)) for k in range(K))
        delays = repeated(*pattern)
        steps = measured(delays, lambda values: FillWindow(1 / values["L_hat"], fraction=0.7))
        sizes = np.array(steps(STALE, K))
        numbers = {"mean_step": sizes.mean(), "mean_square_step": (sizes**2).mean(), "largest_step": sizes.max()}
        cell = Cell({**STALE, **numbers, "window_budget": 1 - 1e-9}, K)
        worst = replace(
            case("delay-adaptive-convex", "rule 1"),
            claim=BoundAfterRun(mean_of(objective_gap, steps)),
            method=stale(delays, steps=steps),
        )

        found = decided(theorem("delay-adaptive-convex"), worst, cell).ratio

        assert found is not None
        assert 0.83 <= found <= 0.95
        assert 1.4 <= sizes.sum() * (1 + max(pattern)) / K <= 2.8


# --- the largest steps that keep the distance (dossier 4.10) ----------------------------------------------------------


def distance_after(step: float, pattern: Sequence[int], K: int) -> float:
    """Largest |x_K - x*|^2 from 1 over convex functions with L = 1."""
    right = theorem("stale-convex")
    any_step = replace(right, parameters=(*right.parameters[:-1], parameter("step_size", Range(0, 2))))
    functions = SMOOTH_CONVEX.where(L=lambda values: values["L_hat"])
    claim = AtMost(squared_distance, final_bound)
    worst = WorstCase("", whole(functions), squared_distance, claim, (), stale(repeated(*pattern)))
    answer = decided(any_step, worst, Cell({**STALE, "tau": max(pattern), "step_size": step}, K))
    assert answer.optimum is not None
    return answer.optimum


@pytest.mark.parametrize(
    ("tau", "K", "kept", "lost", "worst"),
    [
        (1, 8, 0.94, 0.96, (1,)),
        pytest.param(2, 9, 0.585, 0.6, (0, 1, 2, 2), marks=pytest.mark.slow),
        pytest.param(3, 8, 0.42, 0.43, (0, 1, 2, 3, 3, 3), marks=pytest.mark.slow),
    ],
)
def test_steps_just_below_the_necessary_ones_keep_the_distance(
    tau: int, K: int, kept: float, lost: float, worst: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(tau)
    drawn = tuple(rng.integers(0, tau, size=K, endpoint=True).tolist())

    assert all(
        distance_after(kept, pattern, K) <= 1 + 1e-6 for pattern in ((tau,), tuple(range(tau + 1)), worst, drawn)
    )
    assert distance_after(lost, worst, K) > 1.01


# --- the witness ------------------------------------------------------------------------------------------------------


def with_longest_step(entry: Theorem, factor: float) -> Theorem:
    """The theorem with a range of steps and a default that are longer by a factor."""
    (limit,) = (known.domain.upper for known in entry.parameters if known.name == "step_size")
    longer = parameter("step_size", Range(0, factor * limit, lower_open=True))
    parameters = tuple(longer if known.name == "step_size" else known for known in entry.parameters)
    return replace(entry, parameters=parameters, defaults={"step_size": factor * entry.defaults["step_size"]})


@pytest.mark.parametrize(
    ("id", "title", "K", "values", "factor"),
    [
        ("stale-convex", "constant delay", 8, {**STALE, "tau": 1}, 1.9),
        ("stale-sc", "constant delay", 8, {**STALE, "mu": 0.1, "tau": 1}, 2.6),
        ("stale-nonconvex", "constant delay", 8, {**NONCONVEX, "tau": 1}, 1.9),
        ("stale-stored-convex", "one message held", 4, {**STALE, "noise_slope": 9, "tau": 1}, 8),
    ],
)
def test_longer_steps_are_refuted(id: str, title: str, K: int, values: Mapping[str, float], factor: float) -> None:
    found = decided(with_longest_step(theorem(id), factor), case(id, title), Cell(values, K)).ratio

    assert found is not None
    assert found > 1.01


# --- the words --------------------------------------------------------------------------------------------------------


def instance(id: str, title: str, K: int, **values: float) -> Mapping[str, Any]:
    found = decided(theorem(id), case(id, title), Cell(values, K)).instance
    assert found is not None
    return found


def test_worst_cases_are_runs_of_the_stale_method() -> None:
    tau, K = 2, 5
    found = instance("stale-sc", "constant delay", K, **STALE, mu=0.1, tau=tau)
    points, gradients, messages = (np.array(found[name]) for name in ("points", "gradients", "messages"))
    x = {0: points[1]}
    for k in range(K):
        x[k + 1] = x[k] - found["step_size"] * messages[k]
        np.testing.assert_allclose(messages[k], gradients[1 + max(k - tau, 0)], atol=1e-6)
        # Gradients were evaluated at x_0, ..., x_{K - 1 - tau}, in this order.
        if k + 1 < K - tau:
            np.testing.assert_allclose(points[2 + k], x[k + 1], atol=1e-4)


def test_stored_messages_are_drawn_once_and_fresh_ones_at_every_use() -> None:
    """Held for two iterations: a block of two has two possible messages, or two at each of its iterations."""
    values = {**STALE, "noise_slope": 2, "tau": 1}
    kept = instance("stale-stored-convex", "one message held", 2, **values)
    new = instance("stale-convex", "constant delay and noise", 2, **values)

    assert len(kept["messages"]) == 2
    assert len(new["messages"]) == 2 + 4
    spread = math.sqrt(2)
    for up, down in (kept["messages"], new["messages"][:2]):
        np.testing.assert_allclose(np.array(up) * (1 - spread), np.array(down) * (1 + spread), atol=1e-6)
