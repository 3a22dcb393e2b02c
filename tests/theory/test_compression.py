import itertools
import math

import numpy as np
import pytest

from taciturn.theory import compression
from taciturn.theory.compression import (
    Absolute,
    Contractive,
    Unbiased,
    compose_average,
    compose_blocks,
    compose_induced,
    compose_permk,
    compose_scale,
    compose_unbiased,
    compose_unbiased_after_contractive,
    compose_unscaled,
    natural_bits,
    qsgd_bits,
    sign_bits,
    ternary_bits,
)
from taciturn.verification.vector_search import worst_vector

# ---- worst-case constants: the relative error at v (m, d), from its definition ----


def squared_norm(v):
    return np.sum(v * v, axis=-1)


def rounding_error(u, levels, scale):
    """Return the variance of rounding u = levels |v| / scale to integers, in units of v."""
    return np.sum((u - np.floor(u)) * (np.ceil(u) - u), axis=-1) * scale**2 / levels**2


def qsgd_error(levels, norm):
    def error(v):
        scale = np.max(np.abs(v), axis=-1) if norm == "max" else np.sqrt(squared_norm(v))
        u = levels * np.abs(v) / scale[:, None]
        return rounding_error(u, levels, scale) / squared_norm(v)

    return error


def sampling_error(T):
    """Return the error with the optimal probabilities: the least of all numbers m of entries kept for certain."""

    def error(v):
        b = np.sort(np.abs(v), axis=-1)[:, ::-1]
        moments = []
        for m in range(math.ceil(T)):
            rest = np.sum(b[:, m:], axis=-1)
            feasible = b[:, m] * (T - m) <= rest * (1 + 1e-12)
            moments.append(np.where(feasible, np.sum(b[:, :m] ** 2, axis=-1) + rest**2 / (T - m), np.inf))
        moments.append(np.where(np.count_nonzero(v, axis=-1) <= T, squared_norm(v), np.inf))
        return np.min(moments, axis=0) / squared_norm(v) - 1

    return error


def natural_error(v):
    magnitude = np.abs(v)
    lower = 2.0 ** np.floor(np.log2(np.where(magnitude > 0, magnitude, 1.0)))
    return np.sum(np.where(magnitude > 0, (magnitude - lower) * (2 * lower - magnitude), 0.0), axis=-1) / squared_norm(
        v
    )


def top_k_error(k):
    return lambda v: 1 - np.sum(np.sort(v * v, axis=-1)[:, -k:], axis=-1) / squared_norm(v)


def scaled_sign_error(k):
    def error(v):
        b = np.sort(np.abs(v), axis=-1)[:, ::-1]
        T = np.minimum(k, np.count_nonzero(b, axis=-1))
        return 1 - np.sum(b[:, :k], axis=-1) ** 2 / (T * squared_norm(v))

    return error


D = 6
WORST_CASES = [
    ("optimal_sampling, 2", compression.optimal_sampling(2, D), sampling_error(2)),
    ("optimal_sampling, 2.5", compression.optimal_sampling(2.5, D), sampling_error(2.5)),
    ("ternary, max", compression.ternary(D, "max"), qsgd_error(1, "max")),
    ("ternary, two", compression.ternary(D, "two"), qsgd_error(1, "two")),
    ("natural", compression.natural(), natural_error),
    ("top_k, 2", compression.top_k(2, D), top_k_error(2)),
    ("scaled_sign, 2", compression.scaled_sign(2, D), scaled_sign_error(2)),
    ("scaled_sign, 5", compression.scaled_sign(5, D), scaled_sign_error(5)),
    ("sign", compression.sign(D), lambda v: 1 - np.sum(np.abs(v), axis=-1) ** 2 / (D * squared_norm(v))),
    *(
        (f"qsgd, {levels}, {norm}", compression.qsgd(levels, D, norm), qsgd_error(levels, norm))
        for levels in (2, 3, 5)
        for norm in ("two", "max")
    ),
]


@pytest.mark.parametrize(
    ("guarantee", "error"), [case[1:] for case in WORST_CASES], ids=[case[0] for case in WORST_CASES]
)
def test_stated_constant_is_the_supremum_found_by_search(guarantee, error):
    stated = guarantee.squared_error(1.0)
    rng = np.random.default_rng(0)
    shapes = [np.ones(D), np.eye(1, D)[0] + 1e-9, np.arange(D) % 3 + 0.5, np.arange(D) % 2 * 4 + 0.5]

    found = worst_vector(error, np.concatenate([shapes, rng.standard_normal((40, D))]), steps=150, seed=0)

    share = float(error(found[None])[0]) / stated
    assert 0.9995 < share < 1 + 1e-9


@pytest.mark.parametrize("d", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("levels", [1, 2, 3, 4, 6])
def test_qsgd_constant_is_the_maximum_over_all_half_integers(levels, d):
    """The maximum is at a multiple of a vector of numbers m + 1/2: all of them with m <= levels are tried."""
    halves = np.array(list(itertools.combinations_with_replacement(np.arange(levels + 1) + 0.5, d)))

    best = float(np.max(qsgd_error(levels, "two")(halves)))

    np.testing.assert_allclose(compression.qsgd(levels, d, "two").variance, best, atol=1e-12)
    assert best <= min(d / (4 * levels**2), math.sqrt(d) / levels) + 1e-12  # the dossier's bound and the published one


def test_qsgd_with_one_level_is_ternary():
    for d in (1, 2, 3, 10, 1000):
        np.testing.assert_allclose(compression.ternary(d, "two").variance, math.sqrt(d) - 1, atol=1e-12)
        np.testing.assert_allclose(compression.ternary(d, "max").variance, (math.sqrt(d) - 1) / 2, atol=1e-12)


def test_max_norm_has_never_a_larger_constant_with_the_same_levels():
    for levels, d in itertools.product(range(1, 9), range(1, 60)):
        largest, euclidean = compression.qsgd(levels, d, "max"), compression.qsgd(levels, d, "two")
        assert largest.variance <= euclidean.variance + 1e-12


# ---- composition, by enumeration of all outcomes of sampling with probability p ----


def sampled(v, p):
    """Return all outcomes of keeping each entry with probability p, divided by p, with their probabilities."""
    masks = itertools.product([0.0, 1.0], repeat=len(v))
    return [(np.prod([p if kept else 1 - p for kept in mask]), np.array(mask) * v / p) for mask in masks]


def largest(v, k=1):
    return np.where(np.argsort(np.argsort(-np.abs(v), kind="stable"), kind="stable") < k, v, 0.0)


def relative_error(outcomes, v):
    assert math.isclose(sum(probability for probability, _ in outcomes), 1.0)
    return sum(probability * np.sum((c - v) ** 2) for probability, c in outcomes) / np.sum(v * v)


VECTORS = [np.ones(3), np.array([1.0, -0.5, 0.25]), np.array([0.0, 2.0, 0.0])]
P = 0.4
Q = Unbiased(1 / P - 1)  # with equality for every vector
TOP = Contractive(1 / 3, projection=True)  # with equality for equal magnitudes


def test_unbiased_after_unbiased():
    for v in VECTORS:
        outcomes = [(a * b, c) for a, inner in sampled(v, 0.7) for b, c in sampled(inner, P)]
        np.testing.assert_allclose(
            relative_error(outcomes, v), compose_unbiased(Q, Unbiased(1 / 0.7 - 1)).variance, rtol=1e-12
        )


def test_average_of_copies():
    for v in VECTORS:
        outcomes = [(a * b, (c + e) / 2) for a, c in sampled(v, P) for b, e in sampled(v, P)]
        np.testing.assert_allclose(relative_error(outcomes, v), compose_average(Q, 2).variance)


def test_scaled_unbiased_is_contractive_and_no_factor_is_better():
    v = VECTORS[1]

    def error(factor):
        return relative_error([(a, factor * c) for a, c in sampled(v, P)], v)

    np.testing.assert_allclose(error(1 / Q.second_moment), compose_scale(Q).squared_error(1.0))
    assert error(1 / Q.second_moment) < min(error(0.99 / Q.second_moment), error(1.01 / Q.second_moment))


@pytest.mark.parametrize(
    ("guarantee", "composite", "p"),
    [
        (compose_unbiased_after_contractive(Q, TOP), lambda v, p: [(a, p * c) for a, c in sampled(largest(v), p)], P),
        (compose_unscaled(Unbiased(1 / 0.8 - 1), TOP), lambda v, p: sampled(largest(v), p), 0.8),
        (compose_induced(Q, TOP), lambda v, p: [(a, largest(v) + c) for a, c in sampled(v - largest(v), p)], P),
    ],
    ids=["unbiased-after-contractive", "unscaled", "induced"],
)
def test_composites_keep_their_guarantee_and_attain_it(guarantee, composite, p):
    allowed = guarantee.squared_error(1.0)
    errors = [relative_error(composite(v, p), v) for v in VECTORS]

    np.testing.assert_allclose(errors[0], allowed, rtol=1e-12)
    assert max(errors) <= allowed + 1e-12


def test_unscaled_composite_needs_a_variance_below_one():
    v = np.array([1.0, 0.0, 0.0])

    with pytest.raises(ValueError, match=r"outer.variance = 1.5 is outside the accepted range \[0, 1\)"):
        compose_unscaled(Q, TOP)
    with pytest.raises(ValueError, match=r"inner.projection = False"):
        compose_unscaled(Unbiased(0.5), Contractive(1 / 3))
    assert relative_error(sampled(largest(v), P), v) > 1  # and indeed it is not contractive


def test_induced_composite_is_unbiased():
    v = VECTORS[1]
    mean = largest(v) + sum(a * c for a, c in sampled(v - largest(v), P))

    np.testing.assert_allclose(mean, v, atol=1e-15)


def test_blocks():
    assert compose_blocks([Unbiased(1.0), Unbiased(2.0)]) == Unbiased(2.0)
    assert compose_blocks([Contractive(0.5), Contractive(0.2, projection=True)]) == Contractive(0.2)
    assert compose_blocks([TOP, TOP]) == TOP
    assert compose_blocks([Absolute(3.0), Absolute(4.0)]) == Absolute(5.0)
    with pytest.raises(TypeError, match="accepted: one class"):
        compose_blocks([Unbiased(1.0), Contractive(0.5)])
    with pytest.raises(ValueError, match="length 0"):
        compose_blocks([])


def test_permk_error_over_all_partitions():
    v = np.random.default_rng(0).standard_normal((2, 4))
    mean = np.mean(v, axis=0)
    # Coordinate l of the mean of the messages is 2 v_{i,l} / 2 for the worker i whose block holds l.
    owners = [np.isin(np.arange(4), block).astype(int) for block in itertools.combinations(range(4), 2)]
    error = np.mean([np.sum((v[owner, np.arange(4)] - mean) ** 2) for owner in owners])

    np.testing.assert_allclose(compose_permk(np.sum(v * v, axis=-1).tolist(), float(mean @ mean)), error)


def test_permk_refuses_norms_that_no_vectors_have():
    with pytest.raises(ValueError, match="squared_norm_of_mean = 2"):
        compose_permk([1.0, 1.0], 2.0)
    with pytest.raises(ValueError, match="length 0"):
        compose_permk([], 0.0)


# ---- bits ----


def test_bits_of_dense_messages():
    assert (sign_bits(100), sign_bits(100, 64)) == (132, 164)
    assert (ternary_bits(5), ternary_bits(6)) == (40, 48)
    assert (natural_bits(10), natural_bits(10, 64)) == (90, 120)
    for levels, d in itertools.product((1, 2, 7, 8), (1, 2, 9, 64, 100)):
        assert qsgd_bits(levels, d) - 32 == ((2 * levels + 1) ** d - 1).bit_length()
    with pytest.raises(ValueError, match="float_bits = 16"):
        natural_bits(10, 16)


# ---- bad input ----


@pytest.mark.parametrize(
    ("build", "error", "text"),
    [
        (lambda: Unbiased(-1e-9), ValueError, "variance = -1e-09"),
        (lambda: Unbiased(math.inf), ValueError, "variance = inf"),
        (lambda: Unbiased("1"), TypeError, "variance = '1' is a str"),
        (lambda: Contractive(0.0), ValueError, r"delta = 0.0 is outside the accepted range \(0, 1\]"),
        (lambda: Contractive(1.1), ValueError, "delta = 1.1"),
        (lambda: Contractive(math.nan), ValueError, "delta = nan"),
        (lambda: Absolute(-1.0), ValueError, "error = -1.0"),
        (lambda: compression.top_k(4, 3), ValueError, "k = 4 is outside the accepted range 1..3"),
        (lambda: compression.rand_k(0, 3), ValueError, "k = 0"),
        (lambda: compression.uniform_sampling(3.5, 3), ValueError, r"T = 3.5 is outside the accepted range \(0, 3\]"),
        (lambda: compression.qsgd(0, 3, "two"), ValueError, "levels = 0"),
        (lambda: compression.qsgd(1, 3, "three"), ValueError, "norm = 'three' is unknown"),
        (lambda: compression.sign(0), ValueError, "d = 0"),
        (lambda: compression.hard_threshold(0.0, 3), ValueError, "magnitude_threshold = 0.0"),
        (lambda: compose_average(Q, 0), ValueError, "copies = 0"),
    ],
)
def test_out_of_range(build, error, text):
    with pytest.raises(error, match=text):
        build()


def test_small_numpy_integers_count_like_plain_ones():
    assert compression.qsgd(np.uint8(100), 1000, "max") == compression.qsgd(100, 1000, "max")
    assert compression.qsgd_bits(np.uint8(200), np.uint8(200)) == compression.qsgd_bits(200, 200)
    assert compression.sign_bits(np.uint8(250)) == compression.sign_bits(250)
