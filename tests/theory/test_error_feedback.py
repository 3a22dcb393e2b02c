"""The reference numbers of chapter 3, sections 1 to 6, 10 and 11, and its bounds against runs that can be computed."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
import sympy

from taciturn.theory import recommend, theorem
from taciturn.theory.compression import Absolute, Contractive
from taciturn.theory.memory_constants import memory_constants, memory_cost, noise_memory_cost
from taciturn.theory.symbols import PARAMETERS

Floats = npt.NDArray[np.float64]


# ---- what a ratio costs, and how large memories get ----


def test_ratio_functions() -> None:
    delta = np.linspace(0.001, 1, 500)
    q, a, r = np.sqrt(1 - delta), memory_cost(delta), noise_memory_cost(delta)

    np.testing.assert_allclose(theorem("def-a-r").evaluate(delta=delta).value, a, rtol=1e-12)
    np.testing.assert_allclose(2 / delta - 1.5 - a, delta / (2 * (1 + q) ** 2), atol=1e-9)
    np.testing.assert_allclose(r**2, (1 - delta) * (1 + q) / delta, atol=1e-12)
    # Second differences of a turn negative at 8/9.
    bent = np.diff(a, 2)
    assert np.all(bent[delta[2:] < 8 / 9] > 0)
    assert np.all(bent[delta[:-2] > 8 / 9] < 0)


@pytest.mark.parametrize(("delta", "h", "s"), [(0.1, 1.0, 0.0), (0.3, 0.5, 2.0), (0.01, 0.1, 1.0), (1.0, 1.0, 1.0)])
def test_memory_stays_below_its_bounds(delta: float, h: float, s: float) -> None:
    """C(v) = (1 - q) v with constant gradients and noise: mean and variance of the memory are known exactly."""
    q, steps = np.sqrt(1 - delta), 3000
    mean, variance, squares = 0.0, 0.0, []
    for _ in range(steps):
        squares.append(mean**2 + variance)
        mean, variance = q * (mean + h), q**2 * (variance + s**2)
    limit = theorem("ef-memory-uniform").evaluate(delta=delta, gradient_bound=h, gradient_noise=s).value
    a, r = memory_cost(delta), noise_memory_cost(delta)

    assert max(squares) <= limit**2 * (1 + 1e-12)
    assert limit <= np.sqrt(a**2 * h**2 + r**2 * s**2) * (1 + 1e-12)
    if s == 0:
        assert max(squares) == pytest.approx(limit**2)
    for beta in {1.0, (q + 1) / 2}:
        weights = beta ** (-2.0 * np.arange(200))
        bound = theorem("ef-memory-sum").evaluate(delta=delta, discount=beta, gradient_bound=h, gradient_noise=s).value
        assert np.sum(weights * squares[:200]) <= bound**2 * np.sum(weights) * (1 + 1e-12)


@pytest.mark.parametrize("beta", [0.9, 1.0])
def test_one_step_of_a_memory_is_attained(beta: float) -> None:
    """Dossier 3.2: equality for C(v) = (1 - q) v and (beta - q) e = q g."""
    q, g = 0.6, 1.3
    e = q * g / (beta - q)
    found = theorem("ef-memory-step").evaluate(delta=1 - q**2, discount=beta, gradient_bound=g, gradient_noise=0.0)

    assert found.rate * e**2 + (1 - found.rate) * found.residual == pytest.approx((q * (e + g)) ** 2)


def test_triangle_aggregation_is_the_tightest_and_attained() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        n = int(rng.integers(1, 8))
        p, y = rng.dirichlet(np.ones(n)), rng.exponential(size=n)
        triangle, jensen, cauchy = (p @ y) ** 2, p @ y**2, n * p**2 @ y**2
        assert triangle <= min(jensen, cauchy) * (1 + 1e-12)
        assert jensen <= triangle / p.min() * (1 + 1e-12)
        assert cauchy <= n * triangle * (1 + 1e-12)
    p, delta, G, e = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.5, 0.9]), np.array([1.0, 2.0, 5.0]), np.zeros(3)
    for _ in range(2000):
        e = np.sqrt(1 - delta) * (e + G)

    assert p @ e == pytest.approx(p @ (memory_cost(delta) * G))


@pytest.mark.parametrize(("n", "delta"), [(1, 0.2), (4, 0.2), (50, 0.05)])
def test_independent_compressors_keep_less(n: int, delta: float) -> None:
    """Each worker sends all or nothing with probability delta: the moments of the mean memory are known exactly."""
    h, mean, second = 1.0, 0.0, 0.0
    bound = theorem("ef-memory-meanlinear").evaluate(delta=delta, gradient_bound=h, sum_square_weights=1 / n).value
    for _ in range(2000):
        second = (1 - delta) * (second + 2 * mean * h + h**2)
        mean = (1 - delta) * (mean + h)
        assert mean**2 + (second - mean**2) / n <= bound**2 * (1 + 1e-12)
    if n == 50:
        common_coins = second
        assert common_coins > bound**2
        assert bound < memory_cost(delta) * h


def test_threshold_memory() -> None:
    rng = np.random.default_rng(1)
    n, d, p = 3, 20, np.array([0.6, 0.3, 0.1])
    e, largest = np.zeros((n, d)), 0.0
    for _ in range(300):
        thresholds = rng.uniform(0.1, 2.0, n)
        v = e + rng.standard_normal((n, d)) * rng.exponential()
        e = np.where(np.abs(v) > thresholds[:, None], 0.0, v)
        bound = theorem("thr-memory").evaluate(d=d, mean_threshold=p @ thresholds).value
        largest = max(largest, float(np.linalg.norm(p @ e)) / bound)
    full = np.ones((n, d)) * np.array([0.5, 1.0, 2.0])[:, None]

    assert largest <= 1
    assert np.linalg.norm(p @ full) == pytest.approx(theorem("thr-memory").evaluate(d=d, mean_threshold=0.8).value)


# ---- convergence ----


@pytest.mark.parametrize("seed", range(20))
def test_recommended_steps_reach_their_target(seed: int) -> None:
    """Dossier 3.3: the counts of iterations in closed form are enough, and those that are evaluated are no larger."""
    rng = np.random.default_rng(seed)
    L, A, D, sigma = 10 ** rng.uniform(-1, 1), 10 ** rng.uniform(-1, 2), 10 ** rng.uniform(-2, 1), rng.exponential()
    eps, start, mu, delta = 10 ** rng.uniform(-3, 0), 10 ** rng.uniform(0, 1), L * 10 ** rng.uniform(-3, 0), 0.1
    cases = {
        "nuef-nonconvex-complexity": (
            {"memory_dissimilarity": A, "memory_residual": D, "gradient_noise": sigma}, eps**2,
            lambda step: 12 * start / (step * eps**2),
        ),
        "nuef-convex-complexity": (
            {"memory_curvature": A, "residual_at_optimum": D, "gradient_noise": sigma}, eps,
            lambda step: 3 * start / (step * eps),
        ),
        "nuef-strongly-convex-complexity": (
            {"memory_curvature": A, "residual_at_optimum": D, "gradient_noise": sigma, "mu": mu, "delta": delta}, eps,
            lambda step: max(np.log(2), np.log(8 * mu * start / eps)) / (step * mu),
        ),
    }  # fmt: skip
    for id, (constants, accuracy, count) in cases.items():
        guarantee = theorem(id).evaluate(L=L, target=eps, **constants)
        closed = np.ceil(count(guarantee.step_size))

        assert guarantee.bound(closed, start) <= accuracy * (1 + 1e-9)
        assert guarantee.iterations(accuracy, start) <= closed


def test_complexity_has_the_constants_of_the_dossier() -> None:
    """Dossier 3.3: 48, 24 sqrt 2, 12 sqrt 12 and 72, each when its term decides the step."""
    common, eps = {"L": 1.0, "target": 1e-3}, 1e-3
    for A, D, sigma, constant in [
        (0.0, 0.0, 0.0, 48 / eps**2),
        (1e3, 0.0, 0.0, 24 * np.sqrt(2) * 1e3 / eps**2),
        (0.0, 10.0, 0.0, 12 * np.sqrt(12) * 10 / eps**3),
        (0.0, 0.0, 10.0, 72 * 100 / eps**4),
    ]:
        found = theorem("nuef-nonconvex-complexity").evaluate(
            **common, memory_dissimilarity=A, memory_residual=D, gradient_noise=sigma
        )
        assert 12 / (found.step_size * eps**2) == pytest.approx(constant)


def test_root_bounds_solve_their_inequalities_and_are_below_the_simple_ones() -> None:
    rng = np.random.default_rng(3)
    for _ in range(100):
        L, A, D, sigma, K = 1.0, rng.exponential(3), rng.exponential(), rng.exponential(), float(rng.integers(1, 1000))
        sharp = theorem("nuef-nonconvex").evaluate(L=L, memory_dissimilarity=A, memory_residual=D, gradient_noise=sigma)
        gamma, y = sharp.step_size, np.sqrt(sharp.bound(K, 2.0))
        right = 4 / (gamma * K) + gamma * L * sigma**2 + (gamma * L) ** 2 * (D + A * y) ** 2
        assert (1 - L * gamma) * y**2 == pytest.approx(right)
        assert y**2 <= (8 / (gamma * K) + 2 * gamma * L * sigma**2 + 4 * (gamma * L * D) ** 2) * (1 + 1e-12)

        convex = theorem("nuef-convex").evaluate(L=L, memory_curvature=A, residual_at_optimum=D, gradient_noise=sigma)
        gamma, gap = convex.step_size, convex.bound(K, 2.0)
        kappa = gamma**2 * L / (1 - gamma * L)
        right = 1 / (gamma * K) + gamma * sigma**2 / 2 + kappa / 2 * (D + np.sqrt(2 * A * gap)) ** 2
        assert gap == pytest.approx(right)
        assert gap <= (2 / (gamma * K) + gamma * sigma**2 + 8 / 3 * gamma**2 * L * D**2) * (1 + 1e-12)


P, Q, CURVATURES = np.array([0.6, 0.3, 0.1]), np.array([0.4, 0.8, 0.9]), np.array([[1.0, 0.2], [0.5, 2.0], [3.0, 1.0]])


def _error_feedback(step: float, minima: Floats, factors: Floats, steps: int) -> tuple[Floats, Floats]:
    """EF on f_i = |x - minima_i|^2/2 in the norm of CURVATURES_i, C_i(v) = (1 - factors_i) v: iterates and memories."""
    x, e = np.array([2.0, -1.0]), np.zeros((3, 2))
    iterates, memories = [], []
    for _ in range(steps):
        iterates.append(x)
        memories.append(P @ e)
        v = e + CURVATURES * (x - minima)
        sent = v * (1 - factors[:, None])
        x, e = x - step * P @ sent, v - sent
    return np.array(iterates), np.array(memories)


MEAN = P @ CURVATURES
L, MU = float(MEAN.max()), float(MEAN.min())
SMOOTHNESS = CURVATURES.max(axis=1)


@pytest.mark.parametrize("sign", [1.0, -1.0])  # undershooting and overshooting compressors
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_bounds_hold_on_quadratics(sign: float, spread: float) -> None:
    minima = spread * np.array([[0.0, 1.0], [1.0, -1.0], [-2.0, 0.5]])
    best = (P @ (CURVATURES * minima)) / MEAN
    zeta, delta, steps = np.linalg.norm(CURVATURES * (best - minima), axis=1), 1 - Q**2, 60
    relative = np.max(CURVATURES / MEAN, axis=1)  # |grad f_i(x)| <= |grad f_i(x*)| + b_i |grad F(x)|
    constants = memory_constants(P, delta, smoothness=SMOOTHNESS, gradients=zeta, relative=relative)
    start = float(np.sum((np.array([2.0, -1.0]) - best) ** 2))
    gap = 0.5 * float(np.sum(MEAN * (np.array([2.0, -1.0]) - best) ** 2))
    K = np.arange(1, steps + 1)
    common = {"L": L, "gradient_noise": 0.0, "residual_at_optimum": constants.memory_residual}

    guarantee = theorem("nuef-nonconvex").evaluate(
        L=L, gradient_noise=0.0, memory_residual=constants.memory_residual,
        memory_dissimilarity=constants.memory_dissimilarity,
    )  # fmt: skip
    x, _ = _error_feedback(guarantee.step_size, minima, sign * Q, steps)
    squares = np.sum((MEAN * (x - best)) ** 2, axis=1)
    assert np.all(np.cumsum(squares) / K <= guarantee.bound(K, gap))

    guarantee = theorem("nuef-convex").evaluate(**common, memory_curvature=constants.memory_curvature)
    x, _ = _error_feedback(guarantee.step_size, minima, sign * Q, steps)
    gaps = 0.5 * np.sum(MEAN * (x - best) ** 2, axis=1)
    assert np.all(np.cumsum(gaps) / K <= guarantee.bound(K, start))

    guarantee = theorem("nuef-strongly-convex").evaluate(
        **common, mu=MU, memory_curvature=constants.memory_curvature, delta=delta.min()
    )
    x, memory = _error_feedback(guarantee.step_size, minima, sign * Q, steps)
    gamma = guarantee.step_size
    gaps, weights = 0.5 * np.sum(MEAN * (x - best) ** 2, axis=1), (1 - gamma * MU) ** -np.arange(float(steps))
    average = np.cumsum(weights * gaps) / np.cumsum(weights)
    assert np.all(average <= guarantee.bound(K, start))
    discounted = memory_constants(P, delta, smoothness=SMOOTHNESS, gradients=zeta, beta=np.sqrt(1 - gamma * MU))
    master = theorem("nuef-master").evaluate(
        L=L, mu=MU, gradient_noise=0.0, discounted_curvature=discounted.memory_curvature,
        discounted_residual=discounted.memory_residual, step_size=gamma,
    )  # fmt: skip
    assert np.all(average <= master.bound(K, start))
    assert np.all(master.bound(K, start) <= guarantee.bound(K, start))

    distances = np.sum((x - gamma * memory - best) ** 2, axis=1)
    bounded = theorem("nuef-bounded-memory").evaluate(
        L=L, mu=MU, gradient_noise=0.0, memory_norm=np.linalg.norm(memory, axis=1).max(), step_size=gamma
    )
    assert np.all(distances <= bounded.bound(K - 1, start) * (1 + 1e-12))
    if spread == 0:
        shared = theorem("nuef-interpolation-simple").evaluate(
            L=L, mu=MU, memory_curvature=constants.memory_curvature, delta=delta.min()
        )
        x, memory = _error_feedback(shared.step_size, minima, sign * Q, steps)
        distances = np.sum((x - shared.step_size * memory - best) ** 2, axis=1)
        assert np.all(distances <= shared.bound(K - 1, start) * (1 + 1e-12))
        sharp = memory_constants(P, delta, smoothness=SMOOTHNESS, beta=np.sqrt(1 - shared.step_size * MU))
        assert theorem("nuef-interpolation").evaluate(
            L=L, mu=MU, discounted_curvature=sharp.memory_curvature, step_size=shared.step_size
        ).rate == pytest.approx(shared.rate)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_ef21_bounds_hold_on_quadratics(sign: float) -> None:
    minima = np.array([[0.0, 1.0], [1.0, -1.0], [-2.0, 0.5]])
    best, delta, steps = (P @ (CURVATURES * minima)) / MEAN, 1 - Q**2, 60
    constants = memory_constants(P, delta, smoothness=SMOOTHNESS)
    a = memory_cost(delta)

    def run(step: float) -> tuple[Floats, Floats]:
        x = np.array([2.0, -1.0])
        d, iterates, errors = CURVATURES * (x - minima), [], []
        for _ in range(steps):
            iterates.append(x)
            errors.append(np.sum((d - CURVATURES * (x - minima)) ** 2, axis=1))
            x = x - step * P @ d
            d = d + (1 - sign * Q[:, None]) * (CURVATURES * (x - minima) - d)
        return np.array(iterates), np.array(errors)

    guarantee = theorem("nuef21-nonconvex").evaluate(L=L, memory_smoothness=constants.memory_smoothness)
    x, _ = run(guarantee.step_size)
    gaps, K = 0.5 * np.sum(MEAN * (x - best) ** 2, axis=1), np.arange(1, steps + 1)
    assert np.all(np.cumsum(np.sum((MEAN * (x - best)) ** 2, axis=1)) / K <= guarantee.bound(K, gaps[0]))

    linear = theorem("nuef21-pl-simple").evaluate(
        L=L, mu=MU, memory_smoothness=constants.memory_smoothness, delta=delta.min()
    )
    x, errors = run(linear.step_size)
    gamma, beta = linear.step_size, np.sqrt(linear.rate)
    discounted = memory_constants(P, delta, smoothness=SMOOTHNESS, beta=beta).memory_smoothness
    weights = gamma / 2 * discounted * P / (SMOOTHNESS * memory_cost(delta, beta) * beta * (beta - Q))
    potential = 0.5 * np.sum(MEAN * (x - best) ** 2, axis=1) + errors @ weights
    assert np.all(potential[1:] <= linear.rate * potential[:-1] * (1 + 1e-12))
    assert theorem("nuef21-pl").evaluate(
        L=L, mu=MU, discounted_smoothness=discounted, step_size=gamma
    ).rate == pytest.approx(linear.rate)
    assert np.all(a <= memory_cost(delta, beta))


def test_without_compression_the_steps_are_those_of_gradient_descent() -> None:
    assert theorem("nuef21-nonconvex").evaluate(L=2.0, memory_smoothness=0.0).step_size == pytest.approx(0.5)
    assert theorem("nu-dcgd").evaluate(
        L=2.0, mu=1.0, noise_smoothness=0.0, noise_at_optimum=0.0, received_noise=0.0
    ).step_size == pytest.approx(0.5)
    no_memory = theorem("nuef-convex").evaluate(
        L=2.0, memory_curvature=0.0, residual_at_optimum=0.0, gradient_noise=0.0, step_size=0.1
    )
    assert no_memory.bound(10, 1.0) == pytest.approx(1 / (2 * 0.1 * 10))


def test_variance_of_random_k_is_the_chi_square_objective() -> None:
    """Dossier 3.5: every pair of subsets of two workers."""
    rng = np.random.default_rng(4)
    g, p, k, d = rng.standard_normal((2, 4)), np.array([0.7, 0.3]), (1, 2), 4
    draws = []
    for left, right in product(combinations(range(d), k[0]), combinations(range(d), k[1])):
        sent = np.zeros((2, d))
        sent[0, list(left)], sent[1, list(right)] = g[0, list(left)] * d / k[0], g[1, list(right)] * d / k[1]
        draws.append(np.sum((p @ sent - p @ g) ** 2))

    assert np.mean(draws) == pytest.approx(float(p**2 * (d / np.array(k) - 1) @ np.sum(g**2, axis=1)))


def test_dcgd_bound_on_scalar_quadratics() -> None:
    """All-or-nothing messages on f_i = L_i (x - b_i)^2/2 with noise: the second moment is known exactly."""
    L_i, b, delta, s = np.array([1.0, 4.0, 0.5]), np.array([0.0, 1.0, -3.0]), np.array([0.5, 0.2, 0.1]), 0.3
    smooth, omega = float(P @ L_i), 1 / delta - 1
    best = float(P @ (L_i * b)) / smooth
    found = theorem("nu-dcgd").evaluate(
        L=smooth, mu=smooth, noise_smoothness=np.max(P * omega * L_i),
        noise_at_optimum=float(P**2 * omega @ (L_i * (best - b)) ** 2), received_noise=float(P**2 @ (1 + omega)) * s**2,
    )  # fmt: skip
    gamma, mean, second = found.step_size, 2.0 - best, (2.0 - best) ** 2
    for k in range(200):
        assert second <= found.bound(k, (2.0 - best) ** 2) * (1 + 1e-12)
        offset = best - b
        squared = L_i**2 * (second + 2 * mean * offset + offset**2)  # E|grad f_i|^2
        variance = float(P**2 @ (omega * (squared + s**2) + s**2))
        second = (1 - gamma * smooth) ** 2 * second + gamma**2 * variance
        mean = (1 - gamma * smooth) * mean


# ---- limits and exact rates ----


def _linear_instance(
    p: Floats, curvature: Floats, residual: Floats, step: float, *, ef21: bool = False
) -> npt.NDArray[np.float64]:
    """EF in (virtual iterate, memories in step units), or EF21 in (x, sent gradients), on curvature_i x^2/2."""
    n = p.size
    M = np.zeros((n + 1, n + 1))
    if ef21:
        M[0] = np.concatenate([[1.0], -step * p])
        M[1:] = (1 - residual)[:, None] * curvature[:, None] * M[0]
        M[1:, 1:] += np.diag(residual)
    else:
        x = np.concatenate([[1.0], p])
        M[0] = np.concatenate([[1.0], np.zeros(n)]) - step * (p @ curvature) * x
        M[1:] = residual[:, None] * step * curvature[:, None] * x
        M[1:, 1:] += np.diag(residual)
    return M


def _radius(matrix: Floats) -> float:
    return float(np.max(np.abs(np.linalg.eigvals(matrix))))


@pytest.mark.parametrize("ef21", [False, True])
def test_step_limit_is_where_the_instance_stops_converging(ef21: bool) -> None:
    """Dossier 3.6: the spectral radius of C_i(v) = (1 + q_i) v crosses 1 between 0.999 and 1.001 of the limit."""
    rng = np.random.default_rng(5)
    for _ in range(100):
        p, curvature, delta = rng.dirichlet(np.ones(3)), rng.uniform(0.1, 3, 3), rng.uniform(0.02, 0.98, 3)
        constants = memory_constants(p, delta, smoothness=curvature)
        limit = theorem("step-limit").evaluate(
            mean_smoothness=constants.mean_smoothness, memory_smoothness=constants.memory_smoothness
        ).value  # fmt: skip
        below, above = (
            _radius(_linear_instance(p, curvature, -np.sqrt(1 - delta), scale * limit, ef21=ef21))
            for scale in (0.999, 1.001)
        )
        assert below < 1 < above


def test_the_limit_is_within_a_factor_two_of_the_safe_step() -> None:
    A = np.logspace(-3, 5, 50)
    limit = theorem("step-limit").evaluate(mean_smoothness=1.0, memory_smoothness=A).value
    safe = theorem("nuef21-nonconvex").evaluate(L=1.0, memory_smoothness=A).step_size
    ratio = limit / safe

    assert np.all((ratio >= 1) & (ratio <= 2))
    assert ratio[-1] == pytest.approx(1, abs=1e-4)
    assert ratio[0] == pytest.approx(2, abs=1e-2)


def test_exact_rate_is_the_published_closed_form_to_50_digits() -> None:
    """Dossier 3.11: rho at the best step equals z^2, with 50 digits; `evaluate` agrees to rounding."""
    mpmath.mp.dps = 60
    for kappa, s in product((1.01, 10, 1e4), (0.01, 0.5, 0.999)):
        L_, mu_, s_ = mpmath.mpf(kappa), mpmath.mpf(1), mpmath.mpf(s)
        step = 2 / (L_ + mu_) * (1 - s_) / (1 + s_)
        T = max(1 - s_ - step * mu_ * (1 + s_), step * L_ * (1 + s_) - (1 - s_))
        z = (T + mpmath.sqrt(T**2 + 4 * s_)) / 2
        theta = (L_ - mu_) / (L_ + mu_)
        root = mpmath.sqrt((1 + s_) ** 2 + 16 * s_ * L_ / (L_ - 1) ** 2)
        published = s_ + (1 - s_) / 2 * theta**2 * (1 - s_ + root)
        assert abs(published - z**2) < mpmath.mpf(10) ** -50

        formula = theorem("ef-tight").rate
        exact = formula.subs({PARAMETERS[name].symbol: sympy.Float(str(value), 60) for name, value in [
            ("L_max", L_), ("mu", mu_), ("delta", 1 - s_**2), ("step_size", step)
        ]}).evalf(55)  # fmt: skip
        assert abs(mpmath.mpf(str(exact)) - published) < mpmath.mpf(10) ** -50
        found = theorem("ef-tight").evaluate(L_max=kappa, mu=1.0, delta=1 - s**2).rate
        assert found == pytest.approx(float(published), rel=1e-12)


@pytest.mark.parametrize("scale", [0.05, 0.5, 0.9, 1.0, 1.05, 1.15])
def test_exact_rate_is_attained_and_never_exceeded(scale: float) -> None:
    """Every step size: random weighted workers in three dimensions stay below z^2, the eigenvector attains it."""
    rng = np.random.default_rng(6)
    L_max, mu, s = 1.0, 0.2, 0.6
    step = scale * 2 / (L_max + mu) * (1 - s) / (1 + s)
    rate = theorem("ef-tight").evaluate(L_max=L_max, mu=mu, delta=1 - s**2, step_size=step).rate

    curvature = mu if scale <= 1 else L_max
    M = np.array([[1 - step * curvature, -step * curvature], [-s * step * curvature, -s * (1 + step * curvature)]])
    values, vectors = np.linalg.eig(M)
    vector = vectors[:, np.argmax(np.abs(values))].real
    norm = np.array([1.0, 1 / s])
    assert norm @ (M @ vector) ** 2 / (norm @ vector**2) == pytest.approx(rate, rel=1e-12)

    def potential(x: Floats, e: Floats, p: Floats) -> float:
        return float(p @ np.sum((x - e) ** 2, axis=1) + np.sum((p @ e) ** 2) / s)

    largest = 0.0
    for _ in range(300):
        n = int(rng.integers(1, 4))
        p, x, e = rng.dirichlet(np.ones(n)), rng.standard_normal(3), rng.standard_normal((n, 3))
        turns = np.linalg.qr(rng.standard_normal((n, 3, 3)))[0]
        hessians = np.einsum("nij,nj,nkj->nik", turns, rng.choice([mu, L_max], (n, 3)), turns)
        v = e + step * hessians @ x
        left = s * np.einsum("nij,nj->ni", np.linalg.qr(rng.standard_normal((n, 3, 3)))[0], v)
        x_next = x - p @ (v - left)
        largest = max(largest, potential(x_next, left, p) / potential(x, e, p))
    assert largest <= rate * (1 + 1e-12)


def test_ef21_attains_the_same_rate() -> None:
    L_max, mu, s = 1.0, 0.1, 0.7
    for scale in (0.4, 1.0, 1.05):
        step = scale * 2 / (L_max + mu) * (1 - s) / (1 + s)
        rate = theorem("ef-ef21-isomorphism").evaluate(L_max=L_max, mu=mu, delta=1 - s**2, step_size=step).rate
        found = max(
            _radius(_linear_instance(np.ones(1), np.array([curvature]), np.array([-s]), step, ef21=True)) ** 2
            for curvature in (mu, L_max)
        )
        assert found == pytest.approx(rate, rel=1e-12)


def test_without_memory_and_in_its_limits_the_exact_rate_is_that_of_gradient_descent() -> None:
    rate = theorem("ef-tight").evaluate(L_max=1.0, mu=0.1, delta=1 - 1e-16).rate
    assert rate == pytest.approx((0.9 / 1.1) ** 2, rel=1e-6)
    # Dossier 3.11: 1 - z^2 tends to 4/kappa/(1 + 2a) for large condition numbers.
    for delta in (0.05, 0.5):
        slow = theorem("ef-tight").evaluate(L_max=1e5, mu=1.0, delta=delta).rate
        assert (1 - slow) * 1e5 / 4 * (1 + 2 * memory_cost(delta)) == pytest.approx(1, rel=1e-3)


def test_one_worker_is_faster_without_memory() -> None:
    """Dossier 3.11.3: .8751 against .8848 for kappa = 10, s = 1/2."""
    assert theorem("memoryless-tight").evaluate(L=10.0, mu=1.0, delta=0.75).rate == pytest.approx(0.8751, abs=5e-5)
    assert theorem("ef-tight").evaluate(L_max=10.0, mu=1.0, delta=0.75).rate == pytest.approx(0.8848, abs=5e-5)
    kappa, delta = np.meshgrid(np.logspace(0.01, 4, 30), np.linspace(0.01, 0.99, 30))
    plain = theorem("memoryless-tight").evaluate(L=kappa, mu=1.0, delta=delta)
    assert np.all(plain.rate < theorem("ef-tight").evaluate(L_max=kappa, mu=1.0, delta=delta).rate)
    s = np.sqrt(1 - delta)
    for curvature, factor in ((np.ones_like(s), 1 - s), (kappa, 1 + s)):
        np.testing.assert_allclose((1 - plain.step_size * factor * curvature) ** 2, plain.rate, rtol=1e-9)


def test_rates_of_two_workers_follow_the_memory_smoothness() -> None:
    """Dossier 3.11.4: p = (.95, .05), delta_1 + delta_2 = .5, step 0.6 of 2/((L + mu)(1 + 2A))."""
    p, mu, L_max = np.array([0.95, 0.05]), 0.2, 1.0
    for delta, cost, rate in [
        (0.25, 6.46, 0.9717), (0.30, 5.29, 0.9660), (0.35, 4.54, 0.9611), (0.40, 4.19, 0.9582),
    ]:  # fmt: skip
        ratios = np.array([delta, 0.5 - delta])
        A = memory_constants(p, ratios, smoothness=L_max).memory_smoothness
        step, q = 0.6 * 2 / ((L_max + mu) * (1 + 2 * A)), np.sqrt(1 - ratios)
        worst = max(
            _radius(_linear_instance(p, np.array(curvature), np.array(signs) * q, step)) ** 2
            for curvature in product((mu, L_max), repeat=2)
            for signs in product((-1, 1), repeat=2)
        )
        assert pytest.approx(cost, abs=5e-3) == A
        assert worst == pytest.approx(rate, abs=2e-4)


# ---- wrong theorems, recommendations, bad input ----

_L, _A, _gamma, _delta, _mu = (
    PARAMETERS[name].symbol for name in ("L", "memory_smoothness", "step_size", "delta", "mu")
)


@pytest.mark.parametrize(
    ("id", "change"),
    [
        ("step-limit", {"value": 2 / (PARAMETERS["mean_smoothness"].symbol + _A)}),
        ("def-a-r", {"value": sympy.sqrt(1 - _delta) / _delta}),
        ("nuef21-pl", {"rate": 1 - 2 * _gamma * _mu}),
        ("nuef-interpolation", {"rate": (1 - _gamma * _mu) ** 2}),
        ("ef-onestep-convex", {"value": _gamma * _L}),
        ("ef-memory-uniform", {"value": (1 - _delta) / _delta * PARAMETERS["gradient_bound"].symbol}),
        ("ef-memory-step", {"rate": 1 - _delta}),
        ("memoryless-tight", {"step_size": 2 / (_L + _mu)}),
    ],
)
def test_tempting_wrong_theorems_lose_their_certificates(id: str, change: dict[str, sympy.Expr]) -> None:
    assert not replace(theorem(id), **change).certificate.check().holds


def test_recommendations_take_ratios_into_account() -> None:
    assumptions = ["lipschitz_gradient", "each_lipschitz", "bounded_below", "exact_gradient"]
    uneven = memory_constants([0.9, 0.1], [0.5, 0.01], smoothness=1.0)
    best = recommend(
        L=1.0, L_tilde=1.0, memory_smoothness=uneven.memory_smoothness, assumptions=assumptions,
        compressor=Contractive(0.01), bits_per_iteration=100.0, eps=1e-3, goal="squared_gradient",
        initial_values={"potential": 1.0, "objective_gap": 1.0},
    )  # fmt: skip

    assert best.theorem.id == "nuef21-nonconvex"
    losers = {loser.theorem.id: loser.reason for loser in best.losers}
    assert "times the bits" in losers["ef21-cat"]
    assert "worker_dissimilarity" in losers["nuef-nonconvex"]


def test_absolute_compressors_state_their_assumption() -> None:
    best = recommend(
        L=1.0, gradient_noise=0.0, assumptions=["lipschitz_gradient", "bounded_below", "exact_gradient"],
        compressor=Absolute(1e-3), bits_per_iteration=100.0, eps=1e-3, goal="squared_gradient",
        initial_values={"objective_gap": 1.0},
    )  # fmt: skip

    assert best.theorem.id == "nuef-absolute"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"weights": [0.5, 0.6]}, "weights"),
        ({"weights": []}, "weights"),
        ({"delta": [0.0, 0.5]}, "delta"),
        ({"delta": [0.1, 0.2, 0.3]}, "delta"),
        ({"smoothness": 0.0}, "smoothness"),
        ({"noise": -1.0}, "noise"),
        ({"relative": float("nan")}, "relative"),
        ({"beta": 0.5}, "beta"),
    ],
)
def test_bad_constants_are_named(change: dict[str, object], word: str) -> None:
    good: dict[str, object] = {"weights": [0.5, 0.5], "delta": [0.1, 0.2], "smoothness": 1.0}
    with pytest.raises(ValueError, match=word):
        memory_constants(**(good | change))  # type: ignore[arg-type]
