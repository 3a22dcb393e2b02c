"""The profile of a gradient."""

import numpy as np
import pytest

from taciturn.solvers.array import to_numpy
from taciturn.solvers.tune import profile
from taciturn.solvers.tune.profile import prefix_sums, safe_scale


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_profile_of_a_stack_is_that_of_its_rows(xp, dtype: type) -> None:
    g = np.random.default_rng(0).standard_normal((2, 3, 300)).astype(dtype)
    sums = profile(xp(g))
    b = np.sort(np.abs(g.astype(np.float64)))[..., ::-1]
    T = np.arange(1, 301)
    squared_norm = np.sum(b**2, axis=-1, keepdims=True)

    np.testing.assert_array_equal(to_numpy(sums.magnitudes), b)
    np.testing.assert_allclose(to_numpy(sums.alpha), np.cumsum(b**2, axis=-1) / squared_norm, rtol=1e-13)
    np.testing.assert_allclose(to_numpy(sums.beta), np.cumsum(b, axis=-1) ** 2 / (T * squared_norm), rtol=1e-13)
    np.testing.assert_allclose(
        to_numpy(sums.effective_sparsity), np.sum(b, axis=-1) ** 2 / squared_norm[..., 0], rtol=1e-13
    )
    assert np.all(to_numpy(sums.nonzeros) == 300)


def test_nonzeros_are_counted(xp) -> None:
    assert to_numpy(profile(xp(np.array([[0.0, 3.0, -1.0], [0.0, 0.0, 1.0]]))).nonzeros).tolist() == [2, 1]


@pytest.mark.parametrize("d", [1, 127, 128, 129, 128**2, 128**2 + 1, 40_000])
def test_prefix_sums_are_running_sums(xp, d: int) -> None:
    x = np.random.default_rng(d).uniform(0, 1, (2, d))

    np.testing.assert_allclose(to_numpy(prefix_sums(xp(x))), np.cumsum(x.astype(np.longdouble), axis=-1), rtol=1e-14)


def test_prefix_sums_do_not_drift() -> None:
    means = prefix_sums(np.full(10**6, 0.1)) / np.arange(1, 10**6 + 1)

    assert np.ptp(means) < 1e-14
    assert np.ptp(np.cumsum(np.full(10**6, 0.1)) / np.arange(1, 10**6 + 1)) > 1e-12


@pytest.mark.parametrize("largest", [5e-324, 1e-300, 1e-101, 1e101, 1e308, 1.7976931348623157e308])
def test_scale_is_a_power_of_two_near_the_largest_magnitude(largest: float) -> None:
    scale = safe_scale(largest)

    assert np.frexp(scale)[0] == 0.5
    assert 1 <= largest / scale < 2


@pytest.mark.parametrize("exponent", [-1000, -400, 400, 1000])
def test_huge_and_tiny_gradients_have_the_profile_of_others(exponent: int) -> None:
    g = np.random.default_rng(1).standard_normal(50)
    expected, sums = profile(g), profile(np.ldexp(g, exponent))

    np.testing.assert_allclose(sums.alpha, expected.alpha, rtol=1e-12)
    np.testing.assert_allclose(sums.beta, expected.beta, rtol=1e-12)


@pytest.mark.parametrize(
    ("gradient", "error", "words"),
    [
        (np.zeros(3), ValueError, "gradient is zero"),
        (np.array([[1.0], [0.0]]), ValueError, "gradient is zero"),
        (np.array([np.nan]), ValueError, "NaN"),
        (np.array([]), ValueError, "shape"),
        (np.array([1]), TypeError, "int64"),
    ],
)
def test_bad_input_is_refused_in_words(gradient, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        profile(gradient)
