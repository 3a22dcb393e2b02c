import subprocess
import sys

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from taciturn.verification.strategies import convex_problems, delays, dimensions, gradients, spectra, volumes, weights


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(data=st.data())
def test_gradients_are_finite_and_normal(dtype, data):
    v = data.draw(gradients(dtype=dtype))

    assert v.dtype == dtype
    assert 1 <= v.size <= 40
    magnitudes = np.abs(v[v != 0])
    assert np.all(np.isfinite(v))
    assert np.all(magnitudes >= np.finfo(dtype).smallest_normal)


@pytest.mark.parametrize(
    "kind",
    [
        lambda v: not np.any(v),
        lambda v: np.count_nonzero(v) == 1,
        lambda v: np.all(v < 0),
        lambda v: len(np.unique(np.abs(v))) < v.size and np.all(v),
        lambda v: np.max(np.abs(v)) > 1e301,
        lambda v: 0 < np.max(np.abs(v)) < 1e-290,
        lambda v: np.all(v) and 1e60 > np.max(np.abs(v)) > 1e10 * np.min(np.abs(v)),
        lambda v: 0 < np.count_nonzero(v) <= v.size / 2,
    ],
    ids=["zero", "one entry", "all negative", "ties", "huge", "tiny", "heavy-tailed", "sparse"],
)
def test_gradients_are_of_every_kind(kind):
    find(
        gradients(st.just(5)),
        lambda v: bool(kind(v)),
        settings=settings(max_examples=3000, database=None, phases=[Phase.generate]),
    )


@given(gradients(st.integers(2, 3)), dimensions(4))
def test_dimension_is_obeyed(v, d):
    assert v.size in (2, 3)
    assert d in (1, 2, 3, 4)


@given(volumes(3), volumes(2, largest=1), weights(5))
def test_volumes_and_weights(sizes, ones, shares):
    assert sizes.shape == (3,)
    assert np.issubdtype(sizes.dtype, np.integer)
    assert np.all((sizes >= 1) & (sizes <= 10**6))
    assert ones.tolist() == [1, 1]
    assert shares.shape == (5,)
    assert np.all(shares > 0)
    assert abs(np.sum(shares) - 1) < 1e-12


@given(data=st.data(), workers=st.integers(1, 4), iterations=st.integers(1, 12), staleness=st.integers(0, 5))
def test_delays_are_allowed(data, workers, iterations, staleness):
    pattern = data.draw(delays(workers, iterations, staleness))

    assert pattern.shape == (iterations, workers)
    assert np.all(pattern >= 0)
    assert np.all(pattern <= np.minimum(staleness, np.arange(iterations)[:, None]))


def test_largest_delay_is_drawn():
    find(delays(2, 8, 3), lambda pattern: bool(np.all(pattern[3:] == 3)), settings=settings(database=None))


@given(spectra(), spectra(st.just(4), largest_condition=10.0))
def test_spectra_have_the_condition(eigenvalues, four):
    assert np.max(eigenvalues) == 1.0
    assert np.min(eigenvalues) >= 1e-4 * (1 - 1e-12)
    assert four.shape == (4,)
    assert np.min(four) >= 0.1 * (1 - 1e-12)


@settings(max_examples=50)
@given(data=st.data(), workers=st.integers(1, 3))
def test_convex_problems_are_convex_and_smooth(data, workers):
    problem = data.draw(convex_problems(workers=workers))
    x, y = (np.array(data.draw(st.lists(st.floats(-4, 4), min_size=problem.d, max_size=problem.d))) for _ in "xy")

    assert problem.workers == workers
    bregman = problem.objective(x) - problem.objective(y) - problem.gradient(y) @ (x - y)
    distance = float((x - y) @ (x - y))
    rounding = 1e-12 * (1 + abs(problem.objective(x)) + abs(problem.objective(y)))
    assert problem.mu / 2 * distance - rounding <= bregman <= problem.L / 2 * distance + rounding


def test_import_is_light():
    heavy = "[m for m in ('torch', 'cvxpy', 'PEPit') if m in sys.modules]"
    code = f"import sys, taciturn.verification.strategies; print({heavy})"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert found == "[]\n"
