"""Statements on the profile of a gradient: what T entries hold, for every sorted vector.

They have no certificate of multipliers and squares; each is tried on random and structured vectors, at the vectors
where it is attained, and where the vectors that can be extreme are finitely many, on all of them.
"""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest

from taciturn.theory import theorem
from taciturn.theory.communication import entropy_index_bits, index_bits, rice_bits, rice_bound

TINY = 1e-12  # relative, for rounding errors


def sorted_vectors(seed: int, count: int, largest: int = 40) -> Iterator[np.ndarray]:
    """Decreasing vectors of six kinds, none of them zero."""
    rng = np.random.default_rng(seed)
    for kind, _ in itertools.product(range(6), range(count)):
        d = int(rng.integers(1, largest + 1))
        b = [
            lambda d=d: np.abs(rng.standard_normal(d)),
            lambda d=d: rng.uniform(1, 1.01, d),
            lambda d=d: rng.uniform(0.3, 1) ** np.arange(d),
            lambda d=d: rng.pareto(0.7, d),
            lambda d=d: np.append(1.0, np.abs(rng.standard_normal(d - 1)) * (rng.random(d - 1) < 0.3)),
            lambda d=d: np.append(3.0, rng.integers(0, 4, d - 1)),
        ][kind]()
        yield np.sort(b)[::-1]


def steps(d: int, last: int) -> Iterator[np.ndarray]:
    """The vectors of d entries with m equal ones first and zeros behind, m = 1..last."""
    for m in range(1, last + 1):
        yield np.append(np.ones(m), np.zeros(d - m))


def alpha(b: np.ndarray) -> np.ndarray:
    return np.cumsum(b**2) / np.sum(b**2)


def beta(b: np.ndarray) -> np.ndarray:
    return np.cumsum(b) ** 2 / (np.arange(1, b.size + 1) * np.sum(b**2))


def omega(b: np.ndarray, T: np.ndarray) -> np.ndarray:
    """omega(T) for 0 < T <= nonzeros: with m clipped entries, the fewest that leave no probability above one."""
    b = b[b > 0]
    m = np.arange(b.size)
    tail = np.cumsum(b[::-1])[::-1]
    before = np.cumsum(b**2) - b**2
    left = T[:, None] - m
    feasible = (left > 0) & (left * b <= tail * (1 + TINY))
    clipped = np.argmax(feasible, axis=1)
    return np.sum(b**2) / (before[clipped] + tail[clipped] ** 2 / (T - clipped))


def test_alpha_profile() -> None:
    for b in sorted_vectors(1, 300):
        d, T = b.size, np.arange(1, b.size + 1)
        profile, sparsity = alpha(b), np.sum(b) ** 2 / np.sum(b**2)
        nonzeros = np.count_nonzero(b)
        guaranteed = theorem("alpha-profile").evaluate(d=d, T=T, effective_sparsity=np.clip(sparsity, 1, d)).decrease

        assert np.all(np.diff(profile) >= 0)
        assert np.all(np.diff(profile, 2) <= TINY)
        assert np.all(profile[nonzeros - 1 :] >= 1 - TINY)
        assert np.all(profile >= guaranteed - TINY)
        assert np.all(profile >= np.minimum(1, T / nonzeros) - TINY)
        assert np.all(profile <= np.minimum(1, T * b[0] ** 2 / np.sum(b**2)) + TINY)


def test_alpha_profile_is_attained() -> None:
    """T/d by equal entries, and 1 - s/(4T) by 2T of them among any number of zeros."""
    for d in (1, 2, 9):
        np.testing.assert_allclose(alpha(np.ones(d)), np.arange(1, d + 1) / d)
    for T in (1, 3, 10):
        b = np.append(np.ones(2 * T), np.zeros(5))
        guaranteed = theorem("alpha-profile").evaluate(d=b.size, T=T, effective_sparsity=2 * T).decrease

        assert guaranteed == alpha(b)[T - 1] == 0.5


def test_beta_profile() -> None:
    for b in sorted_vectors(2, 300):
        T = np.arange(1, b.size + 1)

        assert np.all(beta(b) <= alpha(b) * (1 + TINY))
        assert np.all(beta(b) >= alpha(b) / T * (1 - TINY))
        assert np.all(beta(b) >= theorem("beta-profile").evaluate(d=b.size, T=T).decrease * (1 - TINY))


def test_beta_profile_is_attained_by_the_extreme_vectors() -> None:
    """For fixed T and B_T = 1 the norm is largest at an extreme point: m equal entries, m <= T or T of them equal."""
    for d in range(1, 12):
        for T in range(1, d + 1):
            values = [beta(b)[T - 1] for b in steps(d, d)]

            assert min(values) == pytest.approx(theorem("beta-profile").evaluate(d=d, T=T).decrease, rel=TINY)


def test_beta_is_neither_monotone_nor_unimodal() -> None:
    profile = beta(np.append(1.0, np.full(200, 0.05)))

    assert profile[[0, 19, 200]] == pytest.approx([0.667, 0.127, 0.401], abs=5e-4)


def test_beta_adaptive() -> None:
    for b in sorted_vectors(3, 500):
        assert np.max(beta(b)) >= theorem("beta-adaptive").evaluate(d=b.size).decrease * (1 - TINY)


@pytest.mark.parametrize("d", [1, 2, 3, 10, 1000, 47_236])
def test_beta_adaptive_is_attained(d: int) -> None:
    j = np.arange(1, d + 1)
    b = np.sqrt(j) - np.sqrt(j - 1)
    guaranteed = theorem("beta-adaptive").evaluate(d=d).decrease

    np.testing.assert_allclose(beta(b), guaranteed, rtol=1e-9)
    assert 1 / guaranteed <= 1 + sum(1 / j for j in range(1, d)) / 4 + TINY


def test_omega_is_increasing_and_concave_and_at_least_uniform() -> None:
    for b in sorted_vectors(4, 40):
        nonzeros = np.count_nonzero(b)
        T = np.linspace(0, nonzeros, 201)[1:]
        profile = omega(b, T)

        assert np.all(np.diff(profile) >= -TINY)
        assert np.all(np.diff(profile, 2) <= TINY)
        assert np.all(profile >= T / nonzeros * (1 - TINY))
        assert profile[-1] == pytest.approx(1, rel=TINY)


def test_order_of_schemes() -> None:
    """omega <= alpha for every real T, and omega <= beta for the integer T where nothing is clipped."""
    for b in sorted_vectors(5, 200):
        nonzeros = np.count_nonzero(b)
        T = np.linspace(0, nonzeros, 51)[1:]
        interpolated = np.interp(T, np.arange(b.size + 1), np.append(0, alpha(b)))
        integers = np.arange(1, math.floor(np.sum(b) / b[0] * (1 + TINY)) + 1)

        assert np.all(omega(b, T) <= interpolated * (1 + TINY))
        assert np.all(omega(b, integers.astype(float)) <= beta(b)[integers - 1] * (1 + TINY))


def test_dynamic_rule() -> None:
    """T# = min{T: B_T >= |g|}."""
    for b in sorted_vectors(6, 400):
        T = int(np.argmax(np.cumsum(b) >= np.linalg.norm(b) * (1 - TINY))) + 1
        kept = beta(b)[T - 1]

        assert T in range(1, math.isqrt(b.size - 1) + 2)  # up to ceil(sqrt(d))
        assert (T == 1) == (np.sum(b[1:] ** 2) <= 1e-11 * b[0] ** 2)
        assert kept >= 1 / T * (1 - 1e-11)
        assert T == 1 or kept < T / (T - 1) ** 2


def test_best_efficiency_of_quantised_messages() -> None:
    """max_T beta(T)/C(T) >= 1/w with equality for increments of sigma_j = sqrt(c0 j + c1 j^2)."""
    rng = np.random.default_rng(7)
    for b in sorted_vectors(8, 200):
        c0, c1 = float(rng.choice([0, 1, 11, 500])), float(rng.choice([1, 17]))
        j = np.arange(b.size + 1)
        increments = np.diff(np.sqrt(c0 * j + c1 * j**2))
        # With mu = L and an initial gap of e epsilon the bits are w and one message.
        bits = theorem("cat-sq-bits").evaluate(L=1, mu=1, c0=c0, c1=c1, d=b.size, cost=1).bits(1.0, math.e)
        w = float(bits) - 1

        assert w == pytest.approx(np.sum(increments**2), rel=1e-9)
        for vector, relation in ((b, np.greater_equal), (increments, np.isclose)):
            best = np.max(beta(vector) / (c0 + c1 * j[1:]))

            assert relation(best * w * (1 + 1e-9), 1.0)


def test_entropy_coding_sends_more_entries() -> None:
    rng = np.random.default_rng(9)
    for b in sorted_vectors(10, 150):
        d, T = b.size, np.arange(1, b.size + 1)
        c0, v = float(rng.choice([0.0, 2.0, 60.0, 500.0])), float(rng.choice([1, 32]))
        largest = {}
        for code, bits in {"plain": index_bits(d) * T, "entropy": entropy_index_bits(T, d)}.items():
            efficiency = alpha(b) / (c0 + v * T + bits)
            largest[code] = np.flatnonzero(efficiency >= np.max(efficiency) * (1 - TINY))[-1]

        assert largest["entropy"] >= largest["plain"]


def test_efficiency_with_entropy_coding_is_not_unimodal() -> None:
    T = np.arange(1, 65)
    b = np.append(8.0, np.ones(63))
    efficiency = np.cumsum(b**2) / (2 + T + entropy_index_bits(T, 64))

    assert efficiency[[0, 19, 63]] == pytest.approx([7.1, 1.1, 1.9], abs=0.06)


def test_rice_bound() -> None:
    """Every set of indices for small d, random sets for larger d, and a set that comes within one bit an index."""
    for d in range(1, 11):
        for T in range(1, d + 1):
            assert max(rice_bits(s, d) for s in itertools.combinations(range(d), T)) <= rice_bound(T, d)
    rng = np.random.default_rng(11)
    for _ in range(200):
        d = int(rng.integers(1, 5000))
        T = int(rng.integers(1, d + 1))
        bound = theorem("rice-bound").evaluate(d=d, T=T).value

        assert rice_bits(np.sort(rng.choice(d, T, replace=False)), d) <= bound == rice_bound(T, d)
        assert bound <= T * (math.log2(d / T) + 3)
    assert rice_bits(np.arange(15, 256, 16), 256) == rice_bound(16, 256) - 16
