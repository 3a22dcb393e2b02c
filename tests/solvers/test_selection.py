"""Exact selection of the largest magnitudes."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taciturn.solvers import passes
from taciturn.solvers.array import to_numpy
from taciturn.solvers.selection import top_k_indices, top_k_mask, top_k_positions
from taciturn.verification.strategies import gradients


def reference(v: np.ndarray, k: int) -> np.ndarray:
    """The definition: a stable sort puts the lowest index first among equal magnitudes."""
    return np.sort(np.argsort(-np.abs(v), axis=-1, kind="stable")[..., :k], axis=-1)


@pytest.fixture(params=[1, 5, 32])
def tiny_sample(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make vectors of more than a few entries long ones, which are read once in several chunks."""
    monkeypatch.setattr(passes, "LARGEST_SAMPLE", request.param)
    monkeypatch.setattr(passes, "sample_size", lambda d: min(d, request.param))
    monkeypatch.setattr(passes, "CHUNK", 16)


FAMILIES = {
    "ordinary": lambda rng, d: rng.standard_normal(d),
    "ties": lambda rng, d: rng.integers(-2, 3, d).astype(float),
    "zeros": lambda rng, d: np.zeros(d),
    "equal": lambda rng, d: rng.choice([-0.1, 0.1], d),
    "subnormal": lambda rng, d: 5e-324 * rng.integers(-3, 4, d),
    "huge": lambda rng, d: 1e308 * rng.uniform(-1, 1, d),
    "sparse": lambda rng, d: rng.standard_normal(d) * (rng.random(d) < 0.1),
    "heavy-tailed": lambda rng, d: rng.standard_normal(d) * rng.pareto(0.5, d),
    "periodic": lambda rng, d: np.resize(rng.standard_normal(7), d),
    "increasing": lambda rng, d: np.arange(d, dtype=float),
    "decreasing": lambda rng, d: -np.arange(d, 0, -1.0),
}


@given(v=gradients(), data=st.data())
def test_selection_is_that_of_a_stable_sort(v: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, v.size))

    np.testing.assert_array_equal(top_k_indices(v, k), reference(v, k))


@pytest.mark.parametrize("family", FAMILIES)
def test_long_vectors_are_selected_from_exactly(family: str, xp, tiny_sample: None) -> None:
    rng = np.random.default_rng(0)
    for _ in range(2):
        d = int(rng.integers(2, 200))
        v = FAMILIES[family](rng, d)
        for k in {1, d, int(rng.integers(1, d + 1))}:
            indices = to_numpy(top_k_indices(xp(v), k))
            mask = to_numpy(top_k_mask(xp(v), k))

            np.testing.assert_array_equal(indices, reference(v, k))
            np.testing.assert_array_equal(np.flatnonzero(mask), indices)


def _sampled(d: int) -> np.ndarray:
    """The positions that the sample of a vector of length d looks at."""
    return passes.sample_magnitudes(np.arange(d, dtype=np.float64), passes.sample_size(d)).astype(int)


@pytest.mark.parametrize("sign", [1, -1], ids=["sample sees only large entries", "sample sees only small ones"])
@pytest.mark.parametrize("k", [1, 100, 20_000, 49_999])
def test_misled_sample_changes_nothing(sign: int, k: int) -> None:
    d = 50_000
    v = np.random.default_rng(1).standard_normal(d)
    v[_sampled(d)] += sign * 100 if sign > 0 else 0
    v[np.setdiff1d(np.arange(d), _sampled(d))] += 100 if sign < 0 else 0

    np.testing.assert_array_equal(top_k_indices(v, k), reference(v, k))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 3, 1000, 60_000, 100_000])
def test_default_sample_and_chunks_are_exact(xp, dtype: type, k: int) -> None:
    rng = np.random.default_rng(2)
    v = np.round(rng.standard_normal(300_000), 2).astype(dtype)

    np.testing.assert_array_equal(to_numpy(top_k_indices(xp(v), k)), reference(v, k))


def test_every_row_of_a_stack_is_selected_from(xp) -> None:
    v = np.random.default_rng(3).integers(-2, 3, (3, 4, 9)).astype(np.float32)
    for k in range(1, 10):
        indices, mask = top_k_indices(xp(v), k), top_k_mask(xp(v), k)

        assert tuple(indices.shape) == (3, 4, k)
        np.testing.assert_array_equal(to_numpy(indices), reference(v, k))
        assert np.array_equal(np.take_along_axis(to_numpy(mask), reference(v, k), -1), np.ones((3, 4, k), dtype=bool))
        assert np.all(np.sum(to_numpy(mask), axis=-1) == k)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("chunk", [1, 50, 10**6])
def test_positions_are_those_of_every_row_by_itself(family: str, chunk: int, xp, monkeypatch) -> None:
    """Each row has its own count; rows are sorted together, one by one, or read in pieces."""
    monkeypatch.setattr(passes, "CHUNK", chunk)
    rng = np.random.default_rng(5)
    for sample in (5, 1000):
        monkeypatch.setattr(passes, "LARGEST_SAMPLE", sample)
        monkeypatch.setattr(passes, "sample_size", lambda d, sample=sample: min(d, sample))
        v = np.stack([[FAMILIES[family](rng, 40) for _ in range(3)] for _ in range(2)])
        counts = rng.integers(1, 41, 3)
        found = to_numpy(top_k_positions(xp(v), counts))
        rows = [reference(v[r, i], counts[i]) + 40 * (3 * r + i) for r in range(2) for i in range(3)]
        np.testing.assert_array_equal(found, np.concatenate(rows))


@pytest.mark.parametrize(
    ("v", "counts", "error", "words"),
    [
        (np.ones((2, 3)), [1, 0], ValueError, r"counts\[1\] = 0 is outside the accepted range 1\.\.3"),
        (np.ones((2, 3)), [4, 1], ValueError, r"counts\[0\] = 4"),
        (np.ones((2, 3)), [1.0, 1.0], TypeError, "counts are of float64"),
        (np.full((1, 3), np.nan), [1], ValueError, "v has entries that are NaN"),
        (np.full((1, 50_000), np.inf), [1], ValueError, "v has entries that are NaN"),
        (np.ones((1, 3), int), [1], TypeError, "v has the type int64"),
    ],
)
def test_bad_counts_are_refused_in_words(v, counts, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        top_k_positions(v, counts)


def test_memory_stays_far_below_that_of_a_sort() -> None:
    v = np.random.default_rng(4).standard_normal(10**6, dtype=np.float32)
    for vector in (v, np.ones_like(v)):
        tracemalloc.start()
        top_k_indices(vector, 10_000)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert peak < 1.5 * v.nbytes


@pytest.mark.parametrize("select", [top_k_indices, top_k_mask])
@pytest.mark.parametrize(
    ("v", "k", "error", "words"),
    [
        ([1.0, 2.0], 1, TypeError, "v is a list"),
        (np.array([1, 2]), 1, TypeError, "v has the type int64"),
        (np.array([1j, 2]), 1, TypeError, "v has the type complex128"),
        (np.array(1.0), 1, ValueError, "v has the shape"),
        (np.array([]), 1, ValueError, "v has the shape"),
        (np.array([1.0, np.nan]), 1, ValueError, "v has entries that are NaN"),
        (np.array([1.0, -np.inf]), 1, ValueError, "v has entries that are NaN"),
        (np.array([1.0, 2.0]), 0, ValueError, "k = 0 is outside the accepted range 1..2"),
        (np.array([1.0, 2.0]), 3, ValueError, "k = 3 is outside the accepted range 1..2"),
        (np.array([1.0, 2.0]), 1.0, TypeError, "k = 1.0"),
        (np.arange(100_000), 1, TypeError, "v has the type int64"),
        (np.r_[np.ones(99_999), np.nan], 1, ValueError, "v has entries that are NaN"),
        (np.r_[np.ones(99_999), np.inf], 100_000, ValueError, "v has entries that are NaN"),
        (np.ones(100_000), 100_001, ValueError, "k = 100001 is outside"),
    ],
)
def test_bad_input_is_refused_in_words(select, v, k, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        select(v, k)


def test_small_numpy_integers_count_like_plain_ones() -> None:
    assert top_k_indices(np.ones(1000), np.uint8(3)).tolist() == [0, 1, 2]
