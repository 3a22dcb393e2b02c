"""Hypothesis strategies for property tests of compressors, methods and bounds.

>>> from hypothesis import given
>>> from taciturn.solvers.compressors import Sign
>>> from taciturn.verification.strategies import gradients
>>> @given(gradients())
... def test_sign_keeps_the_mean_magnitude(v):
...     assert np.allclose(np.mean(np.abs(Sign()(v))), np.mean(np.abs(v)))
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from taciturn.theory.checks import check_count, check_positive

if TYPE_CHECKING:
    from taciturn.solvers.problems import Quadratic

__all__ = ["convex_problems", "delays", "dimensions", "gradients", "spectra", "volumes", "weights"]

Vectors = st.SearchStrategy[NDArray[Any]]


def dimensions(largest: int = 40) -> st.SearchStrategy[int]:
    """Draw a dimension in 1..largest.

    Examples
    --------
    >>> dimensions(3)
    integers(min_value=1, max_value=3)
    """
    check_count(largest, "largest")
    return st.integers(1, largest)


def gradients(dimension: st.SearchStrategy[int] | None = None, dtype: Any = np.float64) -> Vectors:
    """Draw a vector of one of many kinds: ordinary, zero, ties, sparse, one entry, heavy-tailed, huge, tiny.

    Parameters
    ----------
    dimension : strategy of int
        Default ``dimensions()``.
    dtype : data type
        float64 or float32.

    Returns
    -------
    strategy of ndarray (d,)
        Finite, and normal or zero, in every entry. Huge entries leave a factor of 2^20, tiny ones of 2^40, to the
        limits of the type.
    """
    limits = np.finfo(dtype)
    smallest = float(limits.smallest_normal)
    numbers = st.floats(-8.0, 8.0, width=32 if limits.bits == 32 else 64, allow_subnormal=False)
    # Exponents of two up to a quarter of the range: squares neither overflow nor vanish.
    exponents = st.integers(limits.minexp // 4, limits.maxexp // 4)
    heavy_tailed = st.builds(lambda sign, exponent: sign * 2.0**exponent, st.sampled_from([-1.0, 1.0]), exponents)

    def of_dimension(d: int) -> Vectors:
        def entries(elements: st.SearchStrategy[float]) -> Vectors:
            return arrays(dtype, d, elements=elements)

        ordinary = entries(numbers)
        return st.one_of(
            ordinary,
            entries(st.just(0.0)),
            entries(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0])),
            entries(st.one_of(st.just(0.0), st.just(0.0), numbers)),
            st.integers(0, d - 1).map(lambda j: np.eye(1, d, j, dtype=dtype)[0] * np.asarray(-3.0, dtype)),
            entries(heavy_tailed),
            ordinary.map(lambda v: -np.abs(v)),
            entries(st.integers(-8, 8).map(lambda m: m / 8 * float(limits.max) * 2.0**-20)),
            entries(st.integers(-8, 8).map(lambda m: m * smallest * 2.0**40)),
        )

    return (dimensions() if dimension is None else dimension).flatmap(of_dimension)


def volumes(workers: int, largest: int = 10**6) -> Vectors:
    """Draw the numbers of samples that workers hold: integers (n,) in 1..largest, equal or of very different size."""
    check_count(workers, "workers")
    check_count(largest, "largest")
    sizes = st.one_of(st.integers(1, min(10, largest)), st.integers(1, largest))
    equal = st.integers(1, largest).map(lambda size: np.full(workers, size))
    return st.one_of(equal, arrays(np.int64, workers, elements=sizes))


def weights(workers: int) -> Vectors:
    """Draw weights p_i > 0 of sum 1: the shares (n,) of volumes."""
    return volumes(workers).map(lambda sizes: sizes / np.sum(sizes))


def delays(workers: int, iterations: int, staleness: int) -> Vectors:
    """Draw delays tau_i^k, integers (iterations, n) with 0 <= tau_i^k <= min(staleness, k).

    Constant, as large as allowed, saw-toothed (a model kept for staleness + 1 iterations) or arbitrary.
    """
    check_count(workers, "workers")
    check_count(iterations, "iterations")
    check_count(staleness, "staleness", lowest=0)
    shape = (iterations, workers)
    k = np.arange(iterations)[:, None]
    phase = arrays(np.int64, workers, elements=st.integers(0, staleness))
    patterns = st.one_of(
        st.integers(0, staleness).map(lambda delay: np.full(shape, delay)),
        phase.map(lambda delay: np.broadcast_to(delay, shape)),
        phase.map(lambda offset: (k + offset) % (staleness + 1)),
        arrays(np.int64, shape, elements=st.integers(0, staleness)),
    )
    return patterns.map(lambda pattern: np.minimum(pattern, k))


def spectra(dimension: st.SearchStrategy[int] | None = None, largest_condition: float = 1e4) -> Vectors:
    """Draw the eigenvalues of a Hessian: (d,), positive, the largest 1, the smallest at least 1/largest_condition.

    Two clusters, geometric, or arbitrary on the logarithmic scale.
    """
    check_positive(largest_condition, "largest_condition")
    decades = float(np.log10(largest_condition))

    def of_dimension(d: int) -> Vectors:
        exponents = st.floats(-decades, 0.0)
        clusters = st.builds(
            lambda low, split: np.where(np.arange(d) < split, 1.0, 10.0**low), exponents, st.integers(1, d)
        )
        geometric = exponents.map(lambda low: np.geomspace(1.0, 10.0**low, d) if d > 1 else np.ones(1))
        arbitrary = arrays(np.float64, d, elements=exponents).map(lambda logs: 10.0 ** (logs - np.max(logs)))
        return st.one_of(clusters, geometric, arbitrary)

    return (dimensions(8) if dimension is None else dimension).flatmap(of_dimension)


@st.composite
def convex_problems(
    draw: st.DrawFn,
    dimension: st.SearchStrategy[int] | None = None,
    workers: int = 1,
    largest_condition: float = 1e4,
) -> "Quadratic":
    """Draw F = sum_i p_i f_i of quadratics with drawn spectra, axes, minimisers and weights.

    Parameters
    ----------
    dimension : strategy of int
        Default 1..8.
    workers : int
        Number n of quadratics.
    largest_condition : float
        Of every f_i.

    Returns
    -------
    strategy of taciturn.solvers.problems.Quadratic
    """
    from taciturn.solvers.problems import quadratic  # here, because it imports scipy

    check_count(workers, "workers")
    d = draw(dimensions(8) if dimension is None else dimension)
    hessians = []
    for _ in range(workers):
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        axes = np.linalg.qr(rng.standard_normal((d, d)))[0] if draw(st.booleans()) else np.eye(d)
        hessian = (axes * draw(spectra(st.just(d), largest_condition))) @ axes.T
        hessians.append((hessian + hessian.T) / 2)
    minimisers = draw(arrays(np.float64, (workers, d), elements=st.floats(-4.0, 4.0)))
    return quadratic(hessians, minimisers, draw(weights(workers)))
