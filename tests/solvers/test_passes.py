"""Samples of a long vector and passes over it."""

import numpy as np
import pytest

from taciturn.solvers import passes
from taciturn.solvers.array import to_numpy


@pytest.mark.parametrize("d", [1, 2, 511, 512, 513, 5_000, 10**6])
def test_sample_is_all_of_few_entries_and_never_more_than_there_are(d: int) -> None:
    size = passes.sample_size(d)

    assert 1 <= size <= min(d, passes.LARGEST_SAMPLE)
    assert size == d or d > 512


def test_whole_sample_is_a_sort(xp) -> None:
    v = np.array([-3.0, 0.5, 2.0, -2.0])

    np.testing.assert_array_equal(to_numpy(passes.sample_magnitudes(xp(v), 4)), [0.5, 2, 2, 3])
    np.testing.assert_array_equal(to_numpy(passes.sample_magnitudes(xp(v), 9)), [0.5, 2, 2, 3])


def test_sample_is_spread_evenly_and_has_no_period() -> None:
    d, size = 10**5, 1000
    positions = passes.sample_magnitudes(np.arange(d, dtype=np.float64), size)

    # Any period up to 64 sees all its residues about equally often; the largest gap is a few times the mean one.
    for period in range(2, 65):
        counts = np.bincount(positions.astype(int) % period, minlength=period)
        assert np.all(np.abs(counts - size / period) < 6 * np.sqrt(size / period))
    assert np.max(np.diff(positions)) < 4 * d / size


@pytest.mark.parametrize("d", [1, 7, 8, 9, 24])
def test_chunks_put_together_are_the_magnitudes(xp, monkeypatch: pytest.MonkeyPatch, d: int) -> None:
    monkeypatch.setattr(passes, "CHUNK", 8)
    v = np.linspace(-1, 1, d)
    pieces = list(passes.magnitude_chunks(xp(v)))

    assert [start for start, _ in pieces] == list(range(0, d, 8))
    np.testing.assert_array_equal(np.concatenate([to_numpy(piece) for _, piece in pieces]), np.abs(v))
