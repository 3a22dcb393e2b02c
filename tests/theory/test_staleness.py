"""The reference numbers and the sharpness statements of chapter 2, sections 3 to 6."""

from __future__ import annotations

import heapq
from fractions import Fraction

import numpy as np
import pytest

from taciturn.theory import theorem
from taciturn.theory.stale_steps import absorption, inverse_powers, noise_factor, root_step

K_TABLE = [  # kappa, tau, omega, n, then stale-second-moment, stale-sc, stale-sc-refined, stale-stored-sc
    (100, 0, 9, 10, 13_809, 2_618, 1_574, 5_243),
    (100, 10, 0, 10, 15_259, 14_553, 8_776, 30_525),
    (100, 10, 9, 10, 57_566, 19_349, 11_664, 58_004),
    (100, 10, 99, 10, 276_372, 36_122, 21_763, 332_795),
    (1000, 20, 9, 10, 1_012_056, 348_369, 185_315, 1_102_996),
]


@pytest.mark.parametrize(("kappa", "tau", "omega", "n", "second", "plain", "refined", "stored"), K_TABLE)
def test_iterations_of_the_dossier(
    kappa: int, tau: int, omega: int, n: int, second: int, plain: int, refined: int, stored: int
) -> None:
    """Dossier 4.7: iterations to 1e-6 with L_i = 1, equal weights, a common minimiser; rounded up here."""
    common = {"L_hat": 1.0, "mu": 1 / kappa, "tau": tau}
    fresh = common | {"noise_slope": omega / n, "noise_floor": 0.0}
    found = [
        theorem(id).evaluate(**parameters).iterations(1e-6, 1.0)
        for id, parameters in (
            ("stale-second-moment", common | {"second_moment_slope": 1 + omega, "second_moment_floor": 0.0}),
            ("stale-sc", fresh),
            ("stale-sc-refined", fresh),
            ("stale-stored-sc", fresh),
        )
    ]

    np.testing.assert_allclose(found, [second, plain, refined, stored], atol=1.0)


@pytest.mark.parametrize(("tau", "step"), [(1, 0.6180), (2, 0.3904), (3, 0.2824), (4, 0.2207), (6, 0.1534)])
def test_root_steps_of_the_dossier(tau: int, step: float) -> None:
    """Dossier 4.10, the column of root steps; without noise it is 2/(1 + sqrt(1 + 4 tau^2))."""
    assert float(root_step(1.0, 0.0, tau)) == pytest.approx(step, abs=5e-5)
    assert float(root_step(1.0, 0.0, tau)) == pytest.approx(2 / (1 + np.sqrt(1 + 4 * tau**2)), rel=1e-12)


def test_root_steps_are_admissible_and_no_larger_step_is() -> None:
    rng = np.random.default_rng(0)
    L_hat, slope, tau = rng.uniform(0.1, 10, 200), rng.uniform(0, 20, 200), rng.integers(0, 50, 200)
    mu = L_hat * rng.choice([0.0, 1e-3, 0.5, 1.0], 200)
    step = root_step(L_hat, slope, tau, mu)

    assert np.all(absorption(step, L_hat, slope, tau, mu) <= 1)
    shorter = step < 1 / (L_hat + slope) * (1 - 1e-9)
    assert np.all(absorption(step * 1.001, L_hat, slope, tau, mu)[shorter] > 1)


def test_closed_form_steps_are_admissible_with_a_noise_factor_of_two() -> None:
    """Dossier 4.2 and 4.3: gamma = 1/(L(1 + phi tau) + 3/4 mu tau + B_0) is below the root step, and c_N <= 2 there."""
    rng = np.random.default_rng(1)
    phi = (1 + np.sqrt(5)) / 2
    L_hat, slope, tau = rng.uniform(0.1, 10, 500), rng.uniform(0, 20, 500), rng.integers(0, 50, 500)
    mu = L_hat * rng.uniform(0, 1, 500)
    for curvature in (np.zeros(500), mu):
        closed = 1 / (L_hat * (1 + phi * tau) + 0.75 * curvature * tau + slope)

        assert np.all(closed <= root_step(L_hat, slope, tau, curvature) * (1 + 1e-12))
        assert np.all(noise_factor(closed, L_hat, slope, tau, curvature) <= 2)


def test_inverse_powers_are_their_sum() -> None:
    for rho in (0.3, 0.9, 1 - 1e-9, 1.0):
        direct = sum(rho**-t for t in range(1, 8))

        assert float(inverse_powers(rho, 7)) == pytest.approx(direct, rel=1e-9)


@pytest.mark.parametrize("tau", [1, 2, 5])
def test_absorption_is_sharp(tau: int) -> None:
    """With W on one index and equality throughout: V_K <= rho^K V_0 iff q T_rho(tau) <= p."""
    rho = Fraction(9, 10)
    total = sum(rho**-t for t in range(1, tau + 1))

    def final(q: Fraction, p: Fraction) -> Fraction:
        values, W = [Fraction(10)], [Fraction(1)] + [Fraction(0)] * (2 * tau)
        for k in range(2 * tau + 1):
            values.append(rho * values[-1] - p * W[k] + q * sum(W[max(0, k - tau) : k]))
        return values[-1] / (rho ** (2 * tau + 1) * values[0])

    assert final(q=1 / total, p=Fraction(1)) == 1
    assert final(q=Fraction(101, 100) / total, p=Fraction(1)) > 1


@pytest.mark.parametrize(("a", "q", "m"), [(0.5, 0.3, 0), (0.5, 0.3, 3), (0.0, 0.9, 10), (0.9, 0.05, 4)])
def test_max_recursion(a: float, q: float, m: int) -> None:
    rate = theorem("lemma-max-recursion").evaluate(current_weight=a, window_weight=q, window=m).rate
    values = [1.0]
    for k in range(200):
        values.append(a * values[-1] + q * max(values[max(0, k - m) :]))

    assert np.all(np.array(values) <= rate ** np.arange(201) * (1 + 1e-9))


@pytest.mark.parametrize(("tau", "omega"), [(0, 0), (0, 3), (4, 0), (3, 7), (20, 20)])
def test_necessary_steps_are_attained(tau: int, omega: int) -> None:
    """Second moment over one block of the hold pattern on x^2/2, exact: 1 at the limit, above 1 beyond it."""
    block = tau + 1
    for id, noise in (("stale-necessary", block * omega), ("stale-necessary-stored", block**2 * omega)):
        limit = theorem(id).evaluate(L=1.0, tau=tau, variance=float(omega)).value

        def moment(step: float, noise: float = noise) -> float:
            return (1 - block * step) ** 2 + noise * step**2

        assert moment(limit) == pytest.approx(1.0)
        assert moment(1.01 * limit) > 1 > moment(0.99 * limit)


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_delay_budget(workers: int) -> None:
    """sum (tau_k + 1) <= nK for n asynchronous workers of any speeds."""
    rng = np.random.default_rng(workers)
    speeds, updates = rng.pareto(1.2, workers) + 0.01, 500
    heap = [(speeds[i] * rng.exponential(), i) for i in range(workers)]
    heapq.heapify(heap)
    started, total = [0] * workers, 0
    for k in range(updates):
        time, i = heapq.heappop(heap)
        total += k - started[i] + 1
        started[i] = k + 1
        heapq.heappush(heap, (time + speeds[i] * rng.exponential(), i))

        assert total <= workers * (k + 1)
    assert total / updates - 1 <= theorem("delay-budget").evaluate(workers=workers).value


def test_best_number_of_entries_is_the_brute_force_one() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        A, B, d = rng.uniform(0.1, 100), rng.uniform(0.1, 100), int(rng.integers(2, 500))
        header, entry = rng.uniform(0, 1000), rng.uniform(1, 64)
        found = theorem("optimal-accuracy").evaluate(
            base_complexity=A, noise_complexity=B, d=d, header=header, entry_bits=entry
        )
        k = np.linspace(1, d, 20_001)
        bits = (A - B + B * d / k) * (header + entry * k)
        best = (A - B + B * d / found.value) * (header + entry * found.value)

        assert best <= bits.min() * (1 + 1e-9)


def test_huber_bound_is_below_the_upper_bound_and_tends_to_it() -> None:
    upper = theorem("stale-convex").evaluate(L_hat=1.0, noise_slope=0.0, noise_floor=0.0, tau=0, step_size=0.7)
    lower = theorem("tight-huber").evaluate(L=1.0, step_size=0.7)
    ratios = lower.bound(np.array([1, 10, 1000]), 1.0) / upper.bound(np.array([1, 10, 1000]), 1.0)

    assert np.all(ratios <= 1)
    assert ratios[-1] > 0.999
