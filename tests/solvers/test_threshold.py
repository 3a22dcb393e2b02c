import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taciturn.solvers.array import Stream
from taciturn.solvers.methods import CAT
from taciturn.solvers.tune import tune
from taciturn.solvers.tune.threshold import adaptive_threshold
from taciturn.theory.communication import AffineCost

VECTORS = {
    "normal": lambda rng, d: rng.standard_normal(d),
    "heavy": lambda rng, d: rng.standard_cauchy(d),
    "geometric": lambda rng, d: 0.5 ** np.arange(d) * rng.choice([-1, 1], d),
    "flat": lambda rng, d: np.full(d, 0.1),
    "few values": lambda rng, d: rng.integers(1, 4, d) * rng.choice([-1.0, 1.0], d),
    "sparse": lambda rng, d: rng.standard_normal(d) * (rng.random(d) < 0.2) + np.eye(d)[0],
}
OVERHEADS = [0.0, 1e-3, 4 / 3, 11.0, 1e6]


@pytest.mark.parametrize("kind", VECTORS)
@given(overhead=st.sampled_from(OVERHEADS), seed=st.integers(0, 10**6), d=st.integers(1, 60))
def test_threshold_is_the_largest_progress_per_entry(kind, overhead, seed, d):
    squares = VECTORS[kind](np.random.default_rng(seed), d) ** 2
    sums = np.cumsum(np.sort(squares)[::-1])
    expected = np.max(sums / (overhead + np.arange(1, d + 1)))
    assert adaptive_threshold(squares, overhead) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", VECTORS)
@given(overhead=st.sampled_from(OVERHEADS), seed=st.integers(0, 10**6), d=st.integers(1, 60))
def test_cat_by_threshold_sends_what_the_search_chooses(kind, overhead, seed, d):
    v, cost = VECTORS[kind](np.random.default_rng(seed), d), AffineCost(c0=3 * overhead, c1=3)
    sent, tuning = CAT("S", cost).send(v[None], np.ones(1), Stream(0)), tune(v, cost)
    assert (sent.sparsity[0], sent.cost[0]) == (tuning.T, tuning.cost)
    assert sent.coefficient[0] == pytest.approx(tuning.decrease, rel=1e-12)
    assert np.sort(np.abs(sent.vectors[0]))[::-1].tolist()[: tuning.T] == np.sort(np.abs(v))[::-1].tolist()[: tuning.T]
    assert not np.any(sent.vectors[0][np.argsort(-np.abs(v), kind="stable")[tuning.T :]])


def test_threshold_of_the_dossier_example():
    """|g_(j)| = 1/j, d = 47236: T* = 1, 1, 3, 8, 41, 780 for these overheads."""
    squares = 1 / np.arange(1, 47237) ** 2.0
    found = [np.count_nonzero(squares >= adaptive_threshold(squares, rho)) for rho in (0, 4 / 3, 11, 100, 2700, 1e6)]
    assert found == [1, 1, 3, 8, 41, 780]


def test_price_without_a_price_for_entries_sends_everything():
    sent = CAT("S", AffineCost(c0=5, c1=0)).send(np.array([[3.0, 1.0, 2.0]]), np.ones(1), Stream(0))
    assert sent.sparsity == 3


@pytest.mark.parametrize(("squares", "overhead"), [(1.0, -1.0), (1.0, np.nan), (1.0, np.inf), (0.0, 1.0), (0.0, 0.0)])
def test_bad_input_is_refused(squares, overhead):
    with pytest.raises(ValueError, match=r"overhead = |squares are all zero"):
        adaptive_threshold(np.full(3, squares), overhead)
