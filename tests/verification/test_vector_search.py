import numpy as np
import pytest

from taciturn.verification.vector_search import worst_vector
from taciturn.verification.vectors import structured_vectors


def condition(v):
    """Return the largest magnitude divided by the smallest, at most 100."""
    return np.minimum(np.max(np.abs(v), axis=-1) / np.maximum(np.min(np.abs(v), axis=-1), 1e-300), 100.0)


def test_search_leaves_the_starts_behind():
    starts = np.ones((1, 5))

    found = worst_vector(condition, starts, steps=40, seed=0)

    assert condition(starts) == 1.0
    assert condition(found) == 100.0


def test_without_steps_the_worst_start_is_returned():
    starts = np.array([[1.0, 1.0], [1.0, 3.0], [1.0, 2.0]])

    assert worst_vector(condition, starts, steps=0, seed=0).tolist() == [1.0, 3.0]


def test_search_is_reproducible():
    starts = np.ones((2, 4))

    first, second, other = (worst_vector(condition, starts, steps=5, seed=seed).tolist() for seed in (1, 1, 2))

    assert first == second != other


def test_steps_out_of_range():
    with pytest.raises(ValueError, match="steps = -1"):
        worst_vector(condition, np.ones((1, 2)), steps=-1, seed=0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("d", [1, 2, 3, 16])
def test_structured_vectors_are_finite_and_reach_the_limits(d, dtype):
    vectors = structured_vectors(d, dtype)
    limits = np.finfo(dtype)

    for v in vectors.values():
        assert v.shape == (d,)
        assert v.dtype == dtype
        assert np.all(np.isfinite(v))
    assert [name for name, v in vectors.items() if not np.any(v)] == ["zero"]
    assert np.max(np.abs(vectors["huge"])) > limits.max * 2.0**-21
    assert 0 < np.max(np.abs(vectors["subnormal"])) < limits.smallest_normal
    assert limits.smallest_normal < np.max(np.abs(vectors["tiny"])) < limits.smallest_normal * 2.0**41
