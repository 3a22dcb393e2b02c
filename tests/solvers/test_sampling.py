"""Optimal probabilities, and samples of fixed size that have them."""

import itertools
import math

import numpy as np
import pytest
from tuning_cases import FAMILIES, omega

from taciturn.solvers.array import to_numpy
from taciturn.solvers.tune import optimal_probabilities, systematic_sample

METHODS = ("newton", "sort")


def second_moment(g: np.ndarray, p: np.ndarray) -> float:
    return float(np.sum(g[g != 0] ** 2 / p[g != 0]))


def cases(seed: int, count: int) -> list[tuple[np.ndarray, float]]:
    rng = np.random.default_rng(seed)
    pairs = []
    for family in FAMILIES.values():
        for _ in range(count):
            d = int(rng.integers(1, 40))
            T = float(rng.integers(1, d + 1)) if rng.random() < 0.5 else float(rng.uniform(1e-3, d))
            pairs.append((family(rng, d), T))
    return pairs


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_are_feasible_and_sum_to_T(method: str) -> None:
    for g, T in cases(0, 60):
        p = optimal_probabilities(g, T, method)

        assert np.all((p >= 0) & (p <= 1) & ((p > 0) == (g != 0)))
        assert np.sum(p) == pytest.approx(min(T, np.count_nonzero(g)), rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_no_other_probabilities_are_better(method: str) -> None:
    """Random feasible ones, and small changes that keep the sum."""
    rng = np.random.default_rng(1)
    for g, T in cases(2, 12):
        p = optimal_probabilities(g, T, method)
        best = second_moment(g, p)
        support = np.flatnonzero(g)
        for _ in range(20):
            other = np.zeros_like(p)
            other[support] = rng.uniform(0, 1, support.size)
            other *= min(1.0, T / np.sum(other))
            i, j = rng.choice(support, 2)
            shift = 0.1 * rng.random() * min(p[i], 1 - p[j])
            changed = p.copy()
            changed[i] -= shift
            changed[j] += shift

            assert second_moment(g, other) >= best * (1 - 1e-12)
            assert second_moment(g, changed) >= best * (1 - 1e-12)


def test_the_two_methods_agree() -> None:
    for g, T in cases(3, 100):
        np.testing.assert_allclose(
            optimal_probabilities(g, T, "newton"), optimal_probabilities(g, T, "sort"), rtol=1e-13, atol=1e-300
        )


def test_second_moment_is_that_of_the_definition() -> None:
    for g, _ in cases(4, 5):
        for T, expected in enumerate(omega(g), start=1):
            p = optimal_probabilities(g, T)

            assert np.sum(g**2) / second_moment(g, p) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_rows_of_a_stack_are_independent(xp, method: str) -> None:
    g = np.random.default_rng(5).standard_normal((2, 3, 9)).astype(np.float32)
    g[0, 0] = 0
    g[1, 1, 3:] = 0
    p = optimal_probabilities(xp(g), 4.5, method)

    xp.assert_in_kind(p, xp(g), (2, 3, 9))
    for row in np.ndindex(2, 3):
        np.testing.assert_array_equal(to_numpy(p)[row], optimal_probabilities(g[row], 4.5, method))
    assert np.all(to_numpy(p)[0, 0] == 0)
    assert to_numpy(p)[1, 1].tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("exponent", [-1060, -500, 500, 1000])
def test_huge_and_tiny_gradients_have_the_probabilities_of_others(method: str, exponent: int) -> None:
    g = np.round(np.random.default_rng(6).standard_normal(9), 1)

    expected = optimal_probabilities(g, 3, method)
    np.testing.assert_allclose(optimal_probabilities(np.ldexp(g, exponent), 3, method), expected, rtol=1e-3)


def inclusion(p: np.ndarray) -> np.ndarray:
    """Inclusion probabilities of the sample, by integrating it over the uniform number.

    The sample only changes where uniform meets the fractional part of a cumulative sum, so its mean is a finite sum
    over the intervals between these.
    """
    jumps = np.unique(np.concatenate(([0.0, 1.0], np.cumsum(p[p < 1]) % 1.0)))
    widths, middles = np.diff(jumps), np.minimum((jumps[1:] + jumps[:-1]) / 2, np.nextafter(1.0, 0.0))
    samples = systematic_sample(np.tile(p, (middles.size, 1)), middles)
    return widths @ samples


def test_systematic_inclusion_probabilities_are_exact() -> None:
    for g, T in cases(7, 20):
        size = min(math.ceil(T), np.count_nonzero(g))
        p = optimal_probabilities(g, size)

        np.testing.assert_allclose(inclusion(p), p, atol=1e-13)


def test_sample_has_always_the_same_size(xp) -> None:
    rng = np.random.default_rng(8)
    for g, T in cases(9, 10):
        size = min(math.ceil(T), np.count_nonzero(g))
        p = optimal_probabilities(g, size)
        for uniform in (0.0, np.nextafter(1.0, 0.0), float(np.cumsum(p)[p.size // 2] % 1.0), rng.random()):
            sample = to_numpy(systematic_sample(xp(p), xp(np.array(uniform))))

            assert np.count_nonzero(sample) == size
            assert np.all(sample[p == 1])
            assert not np.any(sample[p == 0])


def test_zeros_are_never_sampled_whatever_the_rounding() -> None:
    """The sum of ten times 0.1 ends below 1; the entries of probability zero behind it must not fill the gap."""
    p = np.r_[np.full(10, 0.1), np.zeros(5)]
    for uniform in (0.0, np.nextafter(1.0, 0.0), 1 - 1e-16, 1 - 2e-16):
        sample = systematic_sample(p, np.array(min(uniform, np.nextafter(1.0, 0.0))))

        assert np.count_nonzero(sample) == 1
        assert not np.any(sample[10:])


def test_probability_one_ulp_below_one_keeps_the_size() -> None:
    """The first ten sum to less than 1 in double precision: the last step, up to 2, would pass two integers."""
    p = np.append(np.full(10, 0.1), 1 - 2.0**-53)
    sum_of_ten = np.cumsum(p)[9]

    assert sum_of_ten < 1
    assert np.flatnonzero(systematic_sample(p, sum_of_ten)).tolist() == [9, 10]


def test_single_precision_is_sampled_from() -> None:
    rng = np.random.default_rng(10)
    p = optimal_probabilities(rng.standard_normal((5, 100_000), dtype=np.float32), 1000)
    sample = systematic_sample(p, rng.random(5, dtype=np.float32))

    assert np.all(np.count_nonzero(sample, axis=-1) == 1000)


def test_a_sample_by_hand() -> None:
    """P = (0.5, 1, 1.5, 2): each number selects one of the first two entries and one of the last two."""
    p = np.full(4, 0.5)
    selected = {u: np.flatnonzero(systematic_sample(p, np.array(u))).tolist() for u in (0.0, 0.49, 0.5, 0.99)}

    assert selected == {0.0: [0, 2], 0.49: [0, 2], 0.5: [1, 3], 0.99: [1, 3]}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: optimal_probabilities(np.ones(3), 0), ValueError, "T = 0.0 is outside the accepted range"),
        (lambda: optimal_probabilities(np.ones(3), 3.5), ValueError, "T = 3.5 is outside the accepted range"),
        (lambda: optimal_probabilities(np.ones(3), math.nan), ValueError, "T = nan"),
        (lambda: optimal_probabilities(np.ones(3), 1, "newtn"), ValueError, "did you mean 'newton'"),
        (lambda: optimal_probabilities(np.array([1.0, np.inf]), 1), ValueError, "NaN or infinite"),
        (lambda: optimal_probabilities(np.array([1]), 1), TypeError, "int64"),
        (lambda: systematic_sample(np.array([0.5, 0.6]), np.array(0.5)), ValueError, "sum to an integer"),
        (lambda: systematic_sample(np.array([1.5, 0.5]), np.array(0.5)), ValueError, r"p has entries outside"),
        (lambda: systematic_sample(np.array([-0.5, 0.5]), np.array(0.5)), ValueError, r"p has entries outside"),
        (lambda: systematic_sample(np.array([0.5, 0.5]), np.array(1.0)), ValueError, "uniform has entries outside"),
        (lambda: systematic_sample(np.array([0.5, 0.5]), np.array([0.5])), ValueError, r"uniform has the shape \(1,\)"),
    ],
)
def test_bad_input_is_refused_in_words(call, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_newton_passes_never_exceed_the_clipped_entries() -> None:
    """The clipped set only grows: the worst geometric gradients still end, with the right answer."""
    for decay, d in itertools.product((0.1, 0.5, 0.9), (5, 30)):
        g = decay ** np.arange(d, dtype=float)
        for T in (1.0, d / 2, d - 1e-9):
            assert np.sum(optimal_probabilities(g, T)) == pytest.approx(T, rel=1e-12)
