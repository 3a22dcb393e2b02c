"""Numbers of the event-triggered methods against small independent simulations, and the exact counterexamples."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy

from taciturn.theory import theorem
from taciturn.theory.event_triggering.counterexamples import (
    CHECKERBOARD,
    LATE_ROUND_ROBIN,
    NORM_DIFFERENCE,
    PeriodicMessages,
    stuck,
)
from taciturn.theory.mixing import mixing


def ring(n: int) -> np.ndarray:
    W = np.zeros((n, n))
    for shift in (-1, 0, 1):
        W[np.arange(n), (np.arange(n) + shift) % n] += 1 / 3
    return W


@pytest.mark.parametrize(
    ("example", "largest"), [(CHECKERBOARD, 1.0517698), (LATE_ROUND_ROBIN, 1.0253728)], ids=["no latency", "latency 3"]
)
def test_tensors_of_different_ages_diverge(example: PeriodicMessages, largest: float) -> None:
    def radius(messages: PeriodicMessages) -> float:
        return float(np.max(np.abs(np.linalg.eigvals(np.array(messages.matrix().evalf(), dtype=float)))))

    assert radius(example) == pytest.approx(largest, abs=1e-6)
    assert radius(example.whole_vectors()) < 1


def test_tensors_of_different_ages_diverge_in_the_network() -> None:
    """The mode's matrix is what the whole ring does: four workers, one entry of three sent per iteration."""
    hessian = np.array(CHECKERBOARD.hessian.evalf(), dtype=float)
    gamma = float(CHECKERBOARD.step_size)
    x = 1e-3 * np.array([1, -1, 1, -1])[:, None] * np.array([1.0, 0.3, -0.5])
    copies, W = x.copy(), ring(4)
    sizes = []
    for k in range(1500):
        (tensor,) = CHECKERBOARD.schedule[k % 3]
        copies[:, tensor] = x[:, tensor]
        x = np.diag(np.diag(W)) @ x + (W - np.diag(np.diag(W))) @ copies - gamma * x @ hessian
        sizes.append(np.linalg.norm(x))
    growth = (sizes[-1] / sizes[-301]) ** (1 / 100)
    assert growth == pytest.approx(1.0517698, abs=1e-4)


def test_the_norm_trigger_falls_silent() -> None:
    run = list(NORM_DIFFERENCE.replay(200))
    x, copy = run[-1]
    assert all(pair == (Fraction(-1), Fraction(1)) for pair in run[NORM_DIFFERENCE.forced :])
    assert abs(x) - abs(copy) == 0
    error = abs(x - NORM_DIFFERENCE.optimum)
    unseen = theorem("norm-diff-unsafe").evaluate(self_weight=1 / 3, error=float(error)).value
    assert float(abs(x - copy)) == pytest.approx(unseen)


@pytest.mark.parametrize(("step_size", "where"), [((1, 3), 0.2), ((1, 10), 0.666666), ((1, 100), 6.66666)])
def test_the_safe_trigger_is_stuck_where_the_bound_says(step_size: tuple[int, int], where: float) -> None:
    threshold, gamma, w = Fraction(1, 10), Fraction(*step_size), Fraction(1, 3)
    example = stuck(threshold, Fraction(1), gamma, w, 1 - Fraction(1, 10**6))
    distances = [(float(x), float(abs(x - copy))) for x, copy in example.replay(80)]
    assert all(distance < threshold for _, distance in distances)  # the trigger never fires
    x, copy = float(example.start), float(example.start)
    for _ in range(3000):  # the same run in floating point, to its end
        x = float(w) * x + (1 - float(w)) * copy - float(gamma) * x
    assert x == pytest.approx(where, rel=2e-6)
    bound = theorem("eg-stuck").evaluate(mu=1, self_weight=1 / 3, step_size=float(gamma), trigger_threshold=0.1).value
    assert 0.999 * bound < x < bound
    general = theorem("eg-sc").evaluate(
        L=1, mu=1, lambda_n=-1 / 3, step_size=float(gamma), mixing_pull=2 / 3, trigger_threshold=0.1,
        gradient_noise=0, workers=1,
    )  # fmt: skip
    assert bound == pytest.approx(general.residual)


def test_old_copies_destabilise_the_average_preserving_update() -> None:
    W = ring(4)
    limit = theorem("ap-hold-instability").evaluate(lambda_n=mixing(W).lambda_n).value
    assert limit == pytest.approx(1.5)

    def radius(m: float) -> float:
        period = np.eye(4) + m * (W - np.eye(4))
        return float(np.max(np.abs(np.linalg.eigvals(period - np.ones((4, 4)) / 4))))

    assert radius(0.999 * limit) < 1 < radius(1.001 * limit)
    assert radius(2) > 1  # every second iteration already


def lockout_events(horizon: float, passes: int = 3000) -> int:
    last, threshold, slope, events = 0.0, 1.0, (1.0, 1.0), 0
    last_pass = 0
    for k in range(1, passes):
        norm = float(k)
        threshold *= horizon
        if norm - last >= threshold:
            slope = (slope[1], (norm - last) / (k - last_pass))
            threshold, last, last_pass, events = sum(slope) / 2, norm, k, events + 1
    return events


def test_the_horizon_locks_out() -> None:
    limit = theorem("horizon-lockout").evaluate().value
    assert limit == pytest.approx(1.44225, abs=1e-5)
    assert lockout_events(limit - 3e-4) == pytest.approx(1000, abs=2)
    assert lockout_events(limit + 3e-4) == 0
    assert lockout_events(1.0) == 2999


def adaptive_events(norms: np.ndarray, horizon: float) -> list[bool]:
    """The published rule with 29 forced passes."""
    last, last_pass, threshold, slopes, fired = 0.0, 0, 0.0, (0.0, 0.0), []
    for k, norm in enumerate(norms.tolist(), start=1):
        change = abs(norm - last)
        threshold *= horizon
        fires = bool(change >= threshold or k < 30)
        if fires:
            slopes = (slopes[1], change / (k - last_pass))
            threshold, last, last_pass = sum(slopes) / 2, norm, k
        fired.append(fires)
    return fired


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("horizon", [0.9, 1.0, 1.02])
def test_the_adaptive_rule_is_scale_free(seed: int, horizon: float) -> None:
    norms = np.round(np.cumsum(np.random.default_rng(seed).standard_normal(400)) * 2**20)  # exact in binary
    pattern = adaptive_events(norms, horizon)
    assert adaptive_events(-1024 * norms + 2.0**30, horizon)[29:] == pattern[29:]


def test_the_adaptive_rule_saves_on_random_walks() -> None:
    norms = np.cumsum(np.random.default_rng(0).standard_normal(20_000))
    assert np.mean(adaptive_events(norms, 1.0)[1000:]) == pytest.approx(0.388, abs=0.02)
    assert np.mean(adaptive_events(norms, 0.5)[1000:]) == pytest.approx(0.716, abs=0.02)
    assert np.mean(adaptive_events(norms, 1.05)[1000:]) < 0.001


@pytest.mark.parametrize(("w", "bound", "synchronous"), [(1 / 3, 463, 688), (1 / 2, 348, 688)])
def test_the_pullback_caps_the_saving(w: float, bound: int, synchronous: int) -> None:
    gamma, h, eps = 1.0, 0.01, 1e-3
    factor = theorem("pullback-cap").evaluate(self_weight=w, eigenvalue=h, step_size=gamma).value
    least = int(np.ceil(np.log(eps) / np.log(factor))) - 1  # N + 1 holds reach the target
    assert least == pytest.approx(bound, abs=1)
    assert np.ceil(np.log(eps) / np.log(1 - gamma * h)) == pytest.approx(synchronous, abs=1)
    rng = np.random.default_rng(0)
    for hold in (1, 2, 3, 5, 10, 50):
        x, copy, events = 1.0, 1.0, 0
        for k in range(1, 20_000):
            x = (w - gamma * h) * x + (1 - w) * copy
            if x <= eps:
                break
            if k % hold == 0 or rng.random() < 0.05:
                copy, events = x, events + 1
        assert events >= least - 1


def test_the_average_survives_equal_versions() -> None:
    rng = np.random.default_rng(0)
    W, copies = ring(5), rng.standard_normal((5, 5, 3))  # copies[j, i] of j held by i
    x = rng.standard_normal((5, 3))

    def moved(records: np.ndarray) -> np.ndarray:
        return np.array([sum(W[i, j] * (copies[j, i] - records[i, j]) for j in range(5) if j != i) for i in range(5)])

    assert np.mean(x + moved(copies), axis=0) == pytest.approx(np.mean(x, axis=0))
    older = copies + 0.1 * rng.standard_normal(copies.shape)
    assert np.max(np.abs(np.mean(moved(older), axis=0))) > 1e-3


def test_the_best_damping() -> None:
    figures, gamma, L, mu, zeta = mixing(ring(8)), 0.1, 1.0, 0.1, 1.0
    for c in (1e-4, 1e-2, 1e-1):
        best = theorem("optimal-weights").evaluate(
            L=L, mu=mu, step_size=gamma, optimum_dissimilarity=zeta, mixing_pull=figures.mixing_pull,
            trigger_threshold=c, mixing_gap=figures.mixing_gap, workers=8,
        ).value  # fmt: skip
        etas = np.linspace(0.01, 1, 1000)
        thresholds = etas * figures.mixing_pull * c / (np.sqrt(8) * gamma * mu)
        bias = gamma * zeta * np.sqrt((L / mu + 1) / 2) / (etas * figures.mixing_gap)
        assert etas[np.argmin(thresholds + bias)] == pytest.approx(best, abs=2e-3)
        if best == 1:
            residual = {1e-4: 1.208, 1e-2: 1.868}[c]
            assert (thresholds + bias)[-1] == pytest.approx(residual, abs=1e-3)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("update", ["published", "average-preserving"])
def test_consensus_and_bounds_hold_on_random_networks(seed: int, update: str) -> None:
    """A quadratic on a ring with constant difference-norm triggers, against eg-sc, dgd-bias and consensus."""
    rng = np.random.default_rng(seed)
    n, d, c = 6, 2, 0.05
    W = ring(n)
    figures = mixing(W)
    eigenvalues, centres = np.full((n, d), 1.0) * rng.uniform(0.3, 1, d), rng.standard_normal((n, d))
    L, mu = float(np.max(eigenvalues)), float(np.min(eigenvalues))
    gamma = min((1 + figures.lambda_n) / (L + mu), figures.spectral_gap / (2 * L))
    fixed = np.stack(
        [np.linalg.solve(np.eye(n) - W + gamma * h * np.eye(n), gamma * h * centres[:, j])
         for j, h in enumerate(eigenvalues[0])], axis=1,
    )  # fmt: skip
    zeta = np.sqrt(np.mean(np.sum((eigenvalues * (centres - np.mean(centres, axis=0))) ** 2, axis=1)))
    bias = theorem("dgd-bias").evaluate(
        L=L * 1.0000001, mu=mu, lambda_2=figures.lambda_2, step_size=gamma, optimum_dissimilarity=zeta
    )
    assert np.linalg.norm(fixed - np.mean(centres, axis=0)) / np.sqrt(n) <= bias.value
    x = np.zeros((n, d))
    copies, start = x.copy(), np.linalg.norm(fixed)
    gain = figures.mixing_pull / np.sqrt(n) if update == "published" else figures.mixing_strength
    disagreement = theorem("consensus").evaluate(
        L=L, mixing_rate=figures.mixing_rate, step_size=gamma, disagreement_gain=gain, trigger_threshold=c,
        uniform_dissimilarity=zeta, gradient_noise=0,
    )  # fmt: skip
    bound = theorem("eg-sc").evaluate(
        L=L, mu=mu, lambda_n=figures.lambda_n, step_size=gamma, mixing_pull=figures.mixing_pull, trigger_threshold=c,
        gradient_noise=0, workers=n,
    )  # fmt: skip
    for k in range(300):
        if update == "published":
            assert np.linalg.norm(x - fixed) <= bound.bound(k, start) * (1 + 1e-12)
        assert np.linalg.norm(x - np.mean(x, axis=0)) / np.sqrt(n) <= disagreement.value * (1 + 1e-12)
        fires = np.linalg.norm(x - copies, axis=1) >= c
        copies[fires] = x[fires]
        gradient = eigenvalues * (x - centres)
        if update == "published":
            x = W @ copies + np.diag(W)[:, None] * (x - copies) - gamma * gradient
        else:
            x = x + W @ copies - copies - gamma * gradient


def test_the_repair_of_the_norm_trigger() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 100, 3))
    norms = np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)
    radial = np.abs(norms[0] - norms[1])
    angular = np.sqrt(np.maximum(2 * (norms[0] * norms[1] - np.sum(x * y, axis=1)), 0))
    value = theorem("norm-diff-repair").evaluate(norm_threshold=radial, angle_threshold=angular).value
    assert value == pytest.approx(np.sum((x - y) ** 2, axis=1))


def test_counterexamples_are_exact() -> None:
    assert isinstance(CHECKERBOARD.characteristic(sympy.Rational(-21, 20)), sympy.Rational)
    assert (
        CHECKERBOARD.characteristic(sympy.Rational(-21, 20)) < 0 < CHECKERBOARD.characteristic(sympy.Rational(-53, 50))
    )
