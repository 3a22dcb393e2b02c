import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from taciturn.solvers.array import Stream, to_numpy
from taciturn.solvers.compressors import (
    QSGD,
    Bernoulli,
    HardThreshold,
    Identity,
    Natural,
    RandK,
    ScaledSign,
    Sign,
    SystematicSampling,
    Ternary,
    TopK,
)
from taciturn.solvers.compressors.scaling import power_of_two
from taciturn.theory.communication import payload_bits
from taciturn.theory.compression import (
    Absolute,
    Contractive,
    Unbiased,
    natural_bits,
    qsgd_bits,
    sign_bits,
    ternary_bits,
)
from taciturn.verification.strategies import gradients
from taciturn.verification.vectors import structured_vectors

D = 7


def deterministic(k):
    return (TopK(k), ScaledSign(k), HardThreshold(0.6), Sign(), Identity())


def random(k):
    sampling = (RandK(k), Bernoulli(k), Bernoulli(k - 0.5), Bernoulli(k - 0.5, "uniform"), SystematicSampling(k))
    return (*sampling, Ternary(), Ternary("two"), QSGD(1), QSGD(4), QSGD(3, "max"), Natural())


DETERMINISTIC, RANDOM = deterministic(3), random(3)
COMPRESSORS = DETERMINISTIC + RANDOM
SCALE_FREE = [compressor for compressor in COMPRESSORS if not isinstance(compressor, HardThreshold)]
TYPES = (np.float64, np.float32)

every_compressor = pytest.mark.parametrize("compressor", COMPRESSORS, ids=repr)
every_random = pytest.mark.parametrize("compressor", RANDOM, ids=repr)
every_type = pytest.mark.parametrize("dtype", TYPES)


def batch(dtype=np.float64, d=D):
    """Return vectors (3, 2, d), among them zero, one entry, ties and all negative."""
    v = np.random.default_rng(0).standard_normal((3, 2, d))
    v[0, 0] = 0.0
    v[0, 1, 1:] = 0.0
    v[1, 0] = np.where(np.arange(d) % 2, 1.0, -1.0)
    v[1, 1] = -np.abs(v[1, 1])
    return v.astype(dtype)


def all_structured(d=D, dtype=np.float64):
    return np.array(list(structured_vectors(d, dtype).values()))


# ---- arrays ----


@every_type
@every_compressor
def test_every_library_gets_the_same_answer_in_kind(compressor, xp, dtype):
    given = batch(dtype)
    v = xp(given)

    answer = compressor(v, Stream(1))

    xp.assert_in_kind(answer, v, given.shape)
    np.testing.assert_array_equal(to_numpy(v), given)
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(to_numpy(answer), compressor(given, Stream(1)), rtol=8 * eps)


@every_type
@every_compressor
def test_every_library_decodes_what_it_encodes(compressor, xp, dtype):
    v = xp(batch(dtype))

    message = compressor.encode(v, Stream(1))
    decoded = compressor.decode(message)

    xp.assert_in_kind(decoded, v, (3, 2, D))
    np.testing.assert_array_equal(to_numpy(decoded), to_numpy(compressor(v, Stream(1))))
    np.testing.assert_array_equal(to_numpy(compressor.bits(message)), to_numpy(compressor.payload_bits(decoded)))


@every_type
@every_compressor
def test_every_library_gets_the_same_declared_moments(compressor, xp, dtype):
    v, eps = xp(batch(dtype)), float(np.finfo(dtype).eps)

    moments, expected = compressor.declared_moments(v), compressor.declared_moments(batch(dtype))

    for name in ("second_moment", "error", "nonzeros"):
        xp.assert_in_kind(getattr(moments, name), v, (3, 2))
        np.testing.assert_allclose(to_numpy(getattr(moments, name)), getattr(expected, name), rtol=64 * eps, atol=eps)
    assert (moments.mean is None) == (not isinstance(compressor.guarantee(D), Unbiased))


@pytest.mark.parametrize("compressor", DETERMINISTIC, ids=repr)
def test_a_batch_is_compressed_vector_by_vector(compressor):
    v = batch()

    np.testing.assert_array_equal(compressor(v), [[compressor(row) for row in rows] for rows in v])


@every_random
def test_vectors_of_a_batch_have_their_own_coins(compressor):
    v = np.tile(np.linspace(0.3, 1.0, D), (50, 1))

    assert len(np.unique(compressor(v, Stream(0)), axis=0)) > 2


@every_random
def test_equal_streams_give_equal_answers_and_others_do_not(compressor):
    v = batch()

    np.testing.assert_array_equal(compressor(v, Stream(4)), compressor(v, Stream(4)))
    assert np.any(compressor(v, Stream(4)) != compressor(v, Stream(5)))


# ---- extreme entries ----


@every_type
@every_compressor
def test_structured_vectors_survive_the_round_trip(compressor, dtype):
    v = all_structured(D, dtype)

    compressed = compressor(v, Stream(0))

    assert np.all(np.isfinite(compressed))
    np.testing.assert_array_equal(compressor.decode(compressor.encode(v, Stream(0))), compressed)
    np.testing.assert_array_equal(compressed[~np.any(v, axis=-1)], 0.0)


@pytest.mark.parametrize(("dtype", "exponents"), [(np.float64, (990, -990)), (np.float32, (115, -100))])
@pytest.mark.parametrize("compressor", SCALE_FREE, ids=repr)
def test_scaling_by_a_power_of_two_scales_the_answer_exactly(compressor, dtype, exponents):
    v = np.random.default_rng(1).standard_normal((20, D)).astype(dtype)
    for exponent in exponents:
        scale = dtype(2.0) ** exponent

        scaled = compressor(v * scale, Stream(0))

        np.testing.assert_array_equal(scaled, compressor(v, Stream(0)) * scale)
        moments, expected = compressor.declared_moments(v * scale), compressor.declared_moments(v)
        np.testing.assert_array_equal(moments.error, expected.error)


@pytest.mark.parametrize(("dtype", "huge"), [(np.float64, 1e300), (np.float32, 1e38)])
@every_compressor
def test_huge_entries_stay_finite(compressor, dtype, huge):
    v = np.array([huge, -huge, huge / 3, 0.0, huge], dtype)

    assert np.all(np.isfinite(compressor(v, Stream(0))))
    moments = compressor.declared_moments(v)
    assert np.isfinite(moments.error)
    assert moments.second_moment > 0


@example(
    v=np.array([1.0, 4.3e301, 1.2e-7]), compressor=Bernoulli(2.5)
)  # magnitudes that are subnormal next to the largest
@example(v=np.array([1.0, 1e-310, 1.0]), compressor=Bernoulli(1))
@given(
    v=arrays(np.float64, st.integers(3, 8), elements=st.floats(-1e300, 1e300)), compressor=st.sampled_from(COMPRESSORS)
)
def test_any_mixture_of_sizes_survives_the_round_trip(v, compressor):
    compressed = compressor(v, Stream(0))

    assert np.all(np.isfinite(compressed))
    np.testing.assert_array_equal(compressor.decode(compressor.encode(v, Stream(0))), compressed)
    assert compressor.declared_moments(v).error >= 0


@pytest.mark.parametrize(
    ("compressor", "v"),
    [
        (RandK(1), np.array([1e308, 1.0])),
        (Bernoulli(0.5), np.array([1e308, 1.0])),
        (Bernoulli(1, "uniform"), np.array([1e308, 1.0])),
        (SystematicSampling(1), np.array([1e308, 1.0])),
        (QSGD(2), np.array([1.7e308, 1.7e308])),
        (Ternary("two"), np.array([3e38, 3e38], np.float32)),
        (Natural(), np.array([2.0**127 * 1.5], np.float32)),
    ],
    ids=repr,
)
def test_what_might_overflow_is_refused_whatever_the_coins(compressor, v):
    for seed in range(5):
        with pytest.raises(ValueError, match="overflow"):
            compressor(v, Stream(seed))


@pytest.mark.parametrize("compressor", deterministic(1) + random(1), ids=repr)
def test_one_coordinate_is_enough(compressor):
    v = np.array([[-4.0], [0.0], [3.0]])

    compressed = compressor(v, Stream(0))

    np.testing.assert_array_equal(compressor.decode(compressor.encode(v, Stream(0))), compressed)
    if compressor.guarantee(1) in (Unbiased(0.0), Contractive(1.0)):
        np.testing.assert_array_equal(compressed, v)


@every_type
def test_power_of_two_is_exact_over_the_whole_range(xp, dtype):
    limits = np.finfo(dtype)
    powers = np.ldexp(dtype(1), np.arange(limits.minexp - limits.nmant, limits.maxexp))
    a = np.concatenate([powers, np.nextafter(powers, dtype(0)), powers * dtype(1.7), [dtype(0), limits.max]])
    a = a[np.isfinite(a)].astype(dtype)

    expected = np.where(a > 0, np.ldexp(dtype(1), np.frexp(a)[1] - 1), dtype(0))
    np.testing.assert_array_equal(to_numpy(power_of_two(xp(a))), expected)


# ---- what the compressors do ----


@pytest.mark.parametrize(
    ("compressor", "v", "expected"),
    [
        (TopK(2), [1.0, -2.0, 2.0, -2.0], [0.0, -2.0, 2.0, 0.0]),
        (TopK(2), [0.0, 0.0, -1.0], [0.0, 0.0, -1.0]),
        (ScaledSign(2), [1.0, -2.0, 4.0, -2.0], [0.0, -3.0, 3.0, 0.0]),
        (ScaledSign(3), [0.0, -2.0, 4.0, 0.0], [0.0, -3.0, 3.0, 0.0]),
        (HardThreshold(2.0), [1.0, -2.0, 3.0], [0.0, -2.0, 3.0]),
        (Sign(), [0.0, -2.0, 4.0], [2.0, -2.0, 2.0]),
        (Identity(), [0.0, -2.0, 4.0], [0.0, -2.0, 4.0]),
    ],
    ids=repr,
)
def test_deterministic_answers(xp, compressor, v, expected):
    assert to_numpy(compressor(xp(v))).tolist() == expected


def test_identity_answers_with_a_copy(xp):
    v = np.ones(2)
    answer = Identity()(v)
    answer[0] = 5.0

    assert v.tolist() == [1.0, 1.0]


@every_type
def test_values_are_those_that_can_be_sent(dtype):
    v = np.random.default_rng(2).standard_normal((200, D)).astype(dtype)
    largest, norm = np.max(np.abs(v), axis=-1, keepdims=True), np.linalg.norm(v, axis=-1, keepdims=True)

    assert np.all(np.isin(np.round(Ternary()(v, Stream(0)) / largest, 4), [-1, 0, 1]))
    levels = QSGD(4)(v, Stream(0)) / norm * 4
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-5)
    assert np.all(np.abs(levels) <= np.ceil(np.abs(v) / norm * 4) + 1e-5)
    powers = Natural()(v, Stream(0))
    np.testing.assert_array_equal(np.abs(np.frexp(powers)[0]), 0.5)
    assert np.all((np.abs(powers) <= 2 * np.abs(v)) & (np.abs(powers) > np.abs(v) / 2))


def test_sizes_that_are_fixed_are_fixed():
    v = np.random.default_rng(3).standard_normal((500, D))

    for compressor in (TopK(3), ScaledSign(3), RandK(3), SystematicSampling(3)):
        np.testing.assert_array_equal(np.count_nonzero(compressor(v, Stream(0)), axis=-1), 3)
    assert len(np.unique(np.count_nonzero(Bernoulli(3)(v, Stream(0)), axis=-1))) > 3


@pytest.mark.parametrize("compressor", [Bernoulli(3), SystematicSampling(3), RandK(3), TopK(3)], ids=repr)
def test_no_more_is_sent_than_there_is(compressor):
    v = np.tile(np.where(np.arange(D) == 4, -2.0, 0.0), (50, 1))

    compressed = compressor(v, Stream(0))

    np.testing.assert_array_equal(compressed[v == 0], 0.0)
    if not isinstance(compressor, RandK):
        np.testing.assert_array_equal(compressed, v)


class AlwaysUp(Stream):
    """A stream that rounds up whatever is not on a level already."""

    def bernoulli(self, probability):
        return probability > 0


@pytest.mark.parametrize("norm", ["two", "max"])
def test_rounding_errors_do_not_lead_above_the_highest_level(norm):
    v = np.random.default_rng(6).standard_normal((1000, 1))

    np.testing.assert_allclose(QSGD(5, norm)(v, AlwaysUp(0)), v, rtol=1e-15)


# ---- moments ----


class EveryOutcome(Stream):
    """A stream whose draws, over a batch of copies of one vector, are all that can occur, with their probabilities."""

    def __init__(self, d):
        super().__init__(0)
        self.d = d
        self.probabilities = None

    def bernoulli(self, probability):
        outcomes = np.array(list(itertools.product([False, True], repeat=self.d)))
        self.probabilities = np.prod(np.where(outcomes, probability[:1], 1 - probability[:1]), axis=-1)
        return outcomes & (probability[:1] > 0)  # in place of what cannot occur, something that can

    def uniform(self, shape, like):
        outcomes = np.array(list(itertools.permutations(np.arange(1, self.d + 1) / (self.d + 1))))
        if len(shape) == 1:  # systematic sampling draws one number for each vector: the midpoints of a fine grid
            outcomes = (np.arange(shape[0]) + 0.5) / shape[0]
        self.probabilities = np.full(len(outcomes), 1 / len(outcomes))
        return outcomes.astype(like.dtype)


@every_type
@every_random
def test_moments_over_all_outcomes_are_those_declared(compressor, dtype):
    copies, tolerance = {RandK: (24, 1e-12), SystematicSampling: (2**16, 1e-3)}.get(type(compressor), (16, 1e-12))
    tolerance = max(tolerance, 64 * float(np.finfo(dtype).eps))
    for v in all_structured(4, dtype):
        if 0 < np.max(np.abs(v)) < np.finfo(dtype).smallest_normal:
            continue  # results below the normal numbers are rounded coarsely
        stream = EveryOutcome(4)
        outcomes = compressor(np.tile(v, (copies, 1)), stream)
        scale = float(np.max(np.abs(v))) or 1.0
        c, w = outcomes.astype(np.float64) / scale, v.astype(np.float64) / scale
        squared_norm = float(w @ w) or 1.0
        p, declared = stream.probabilities, compressor.declared_moments(v)

        np.testing.assert_array_equal(declared.mean, v)
        np.testing.assert_allclose(p @ c, w, atol=tolerance)
        error = p @ np.sum((c - w) ** 2, axis=-1) / squared_norm
        np.testing.assert_allclose(declared.error, error, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(declared.second_moment, 1 + error, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(declared.nonzeros, p @ np.count_nonzero(outcomes, axis=-1), atol=4 * tolerance)


@pytest.mark.parametrize("compressor", DETERMINISTIC, ids=repr)
def test_moments_of_deterministic_compressors_are_those_declared(compressor):
    v = np.random.default_rng(4).standard_normal((100, D))
    v[:20] = np.round(v[:20])
    c, squared_norm = compressor(v), np.sum(v * v, axis=-1)

    declared = compressor.declared_moments(v)

    np.testing.assert_allclose(declared.error, np.sum((c - v) ** 2, axis=-1) / squared_norm, atol=1e-14)
    np.testing.assert_allclose(declared.second_moment, np.sum(c * c, axis=-1) / squared_norm, atol=1e-14)
    np.testing.assert_array_equal(declared.nonzeros, np.count_nonzero(c, axis=-1))


@given(v=gradients(st.integers(3, 12)), compressor=st.sampled_from(COMPRESSORS))
def test_no_vector_has_a_larger_error_than_guaranteed(v, compressor):
    guarantee = compressor.guarantee(v.size)
    error = float(compressor.declared_moments(v).error)

    if isinstance(guarantee, Absolute):
        scale = max(float(np.max(np.abs(v))), guarantee.error)
        assert error * np.sum((v / scale) ** 2) <= (guarantee.error / scale) ** 2 * (1 + 1e-12)
    else:
        assert error <= guarantee.squared_error(1.0) + 1e-12


@given(v=gradients(st.integers(2, 12)), data=st.data())
def test_no_probabilities_are_better_than_the_optimal_ones(v, data):
    T = data.draw(st.floats(0.1, v.size - 0.1))
    others = np.array(data.draw(st.lists(st.floats(0.01, 1.0), min_size=v.size, max_size=v.size)))
    others = np.minimum(1.0, others * T / np.sum(others))  # sum at most T
    w = v / (np.max(np.abs(v)) or 1.0)

    optimal = float(Bernoulli(T).declared_moments(v).second_moment)

    assert optimal * np.sum(w * w) <= np.sum(w * w / others) * (1 + 1e-12)
    assert optimal <= float(Bernoulli(T, "uniform").declared_moments(v).second_moment) * (1 + 1e-12)


def test_worst_vectors_attain_the_guarantee():
    d, s = 9, 3
    flat, one = np.ones(d), np.eye(1, d)[0]
    rest = 1 / (s * (1 + math.sqrt(1 + (d - 1) / s**2)))  # t = 1/(2 alpha) of a level, alpha = 1 + variance
    worst = {
        TopK(2): flat,
        ScaledSign(2): flat,
        ScaledSign(5): np.where(one > 0, 1.0, 1e-9),
        Sign(): one,
        RandK(2): flat,
        Bernoulli(2): flat,
        Bernoulli(2, "uniform"): one,
        SystematicSampling(2): flat,
        Ternary(): np.where(one > 0, 1.0, 1 / (1 + math.sqrt(d))),
        Ternary("two"): flat,
        QSGD(1): flat,
        QSGD(s): np.where(one > 0, 2.5, 0.5),
        QSGD(s, "max"): np.where(one > 0, 1.0, rest),
        Natural(): 4 / 3 * flat,
    }
    for compressor, v in worst.items():
        error = float(compressor.declared_moments(v).error)
        np.testing.assert_allclose(
            error, compressor.guarantee(d).squared_error(1.0), rtol=1e-8, err_msg=repr(compressor)
        )
    below = np.full(d, np.nextafter(0.6, 0))
    np.testing.assert_allclose(np.linalg.norm(HardThreshold(0.6)(below) - below), HardThreshold(0.6).guarantee(d).error)


@pytest.mark.parametrize(
    ("compressor", "guarantee"),
    [
        (TopK(5), Contractive(0.25)),
        (ScaledSign(5), Contractive(0.2)),
        (HardThreshold(0.5), Absolute(0.5 * math.sqrt(20))),
        (Sign(), Contractive(0.05)),
        (Identity(), Unbiased(0.0)),
        (RandK(5), Unbiased(3.0)),
        (Bernoulli(2.5), Unbiased(7.0)),
        (Bernoulli(2.5, "uniform"), Unbiased(7.0)),
        (SystematicSampling(5), Unbiased(3.0)),
        (Ternary(), Unbiased((math.sqrt(20) - 1) / 2)),
        (Ternary("two"), Unbiased(math.sqrt(20) - 1)),
        (QSGD(2), Unbiased(math.sqrt(20) / 2 - 1)),
        (Natural(), Unbiased(0.125)),
    ],
    ids=repr,
)
def test_guarantees_are_those_of_the_tables(compressor, guarantee):
    found = compressor.guarantee(20)

    assert type(found) is type(guarantee)
    np.testing.assert_allclose(found.squared_error(1.0), guarantee.squared_error(1.0))


@pytest.mark.parametrize("v", [[1.0, 1.0, 1e-17], [4.0, -3.0, 2e-17, 1e-17], [0.0, 1e-18, 1.0, 1.0]])
def test_entries_lost_to_rounding_do_not_change_the_others(v):
    """The two large entries have the probability 1 to rounding, the rest of the sum is below the rounding errors."""
    v = np.array(v)

    for compressor in (Bernoulli(2), SystematicSampling(2)):
        np.testing.assert_allclose(compressor(v, Stream(0)), np.where(np.abs(v) > 0.5, v, 0.0), rtol=1e-15)
        np.testing.assert_allclose(compressor.declared_moments(v).nonzeros, 2.0)


# ---- messages ----


@every_type
@every_compressor
def test_bits_are_those_of_the_payload_formulas(compressor, dtype):
    v = all_structured(20, dtype)
    bits = 8 * np.dtype(dtype).itemsize
    compressed = compressor(v, Stream(0))
    N = np.count_nonzero(compressed, axis=-1)

    expected = {
        ScaledSign: payload_bits("S+Q", N, 20, bits),
        Sign: sign_bits(20, bits),
        Identity: payload_bits("dense", N, 20, bits),
        Ternary: ternary_bits(20, bits),
        QSGD: qsgd_bits(getattr(compressor, "levels", 1), 20, bits),
        Natural: natural_bits(20, bits),
    }.get(type(compressor), payload_bits("S", N, 20, bits))

    message = compressor.encode(v, Stream(0))
    np.testing.assert_array_equal(compressor.bits(message), np.broadcast_to(expected, len(v)))
    np.testing.assert_array_equal(compressor.payload_bits(compressed), compressor.bits(message))


@every_type
@pytest.mark.parametrize("d", [3, 8, 9, 20])
@every_compressor
def test_every_field_fits_into_its_bits(compressor, dtype, d):
    """The symbols could be written with the bits counted: floats in theirs, integers as digits of one number."""
    v = np.random.default_rng(5).standard_normal(d).astype(dtype)
    message = compressor.encode(v, Stream(0))

    for name, field in message.fields.items():
        bits, symbols = int(field.bits), np.atleast_1d(field.symbols)
        if name == "count":
            assert bits == 0
        elif name in ("scale", "values"):
            assert symbols.dtype == dtype
            assert bits == symbols.size * symbols.dtype.itemsize * 8
        elif name == "signs":
            assert symbols.dtype == np.uint8
            assert 8 * symbols.size - 8 < bits <= 8 * symbols.size
        elif symbols.dtype == np.uint8:
            assert bits == 8 * symbols.size
        else:
            base = {"indices": d, "levels": 2 * getattr(compressor, "levels", 1) + 1, "exponents": 2**11}[name]
            base = 2**8 if name == "exponents" and dtype == np.float32 else base
            assert symbols.min() >= 0
            assert symbols.max() < base
            assert sum(int(symbol) * base**place for place, symbol in enumerate(symbols)) < 2**bits


def test_indices_increase_and_values_follow_them(xp):
    message = TopK(3).encode(xp([[1.0, -5.0, 0.0, 3.0], [0.0, 0.0, 7.0, 0.0]]))

    assert to_numpy(message.fields["count"].symbols).tolist() == [3, 1]
    assert to_numpy(message.fields["indices"].symbols).tolist() == [0, 1, 3, 2]
    assert to_numpy(message.fields["values"].symbols).tolist() == [1.0, -5.0, 3.0, 7.0]


# ---- bad input ----


@pytest.mark.parametrize(
    ("build", "error", "text"),
    [
        (lambda: TopK(0), ValueError, "k = 0 is outside the accepted range 1, 2, ..."),
        (lambda: TopK(2.0), TypeError, r"k = 2.0 is a float; an integer is needed"),
        (lambda: ScaledSign(True), TypeError, "k = True is a bool"),
        (lambda: RandK(-1), ValueError, "k = -1"),
        (lambda: HardThreshold(0.0), ValueError, r"magnitude_threshold = 0.0 is outside the accepted range \(0, inf\)"),
        (lambda: HardThreshold(math.nan), ValueError, "magnitude_threshold = nan"),
        (lambda: Bernoulli(0), ValueError, "T = 0"),
        (lambda: Bernoulli(math.inf), ValueError, "T = inf"),
        (lambda: Bernoulli(1, "optimum"), ValueError, "did you mean 'optimal'"),
        (lambda: SystematicSampling(2.5), TypeError, "T = 2.5"),
        (lambda: QSGD(0), ValueError, "levels = 0"),
        (lambda: QSGD(2, "tow"), ValueError, "did you mean 'two'"),
        (lambda: Ternary("max-norm"), ValueError, "did you mean 'max'"),
    ],
)
def test_parameters_out_of_range_are_refused_at_once(build, error, text):
    with pytest.raises(error, match=text):
        build()


@pytest.mark.parametrize(
    "compressor", [TopK(4), ScaledSign(4), RandK(4), Bernoulli(3.5), Bernoulli(3.5, "uniform"), SystematicSampling(4)]
)
def test_more_entries_than_there_are_are_refused(compressor):
    v = np.ones(3)
    for use in (
        lambda: compressor(v, Stream(0)),
        lambda: compressor.guarantee(3),
        lambda: compressor.declared_moments(v),
    ):
        with pytest.raises(ValueError, match=r"[kT] ?= ?(4|4.0|3.5) .*3"):
            use()


@pytest.mark.parametrize(
    "bad", [np.array([1.0, np.nan, 2.0, 0.0]), np.zeros((2, 0)), np.ones(4, int), [1.0, 2.0, 3.0, 4.0]]
)
@every_compressor
def test_what_is_no_gradient_is_refused(compressor, bad):
    for use in (compressor, compressor.encode):
        with pytest.raises((TypeError, ValueError), match=r"^v (is|has)"):
            use(bad, Stream(0))
    with pytest.raises((TypeError, ValueError), match=r"^v (is|has)"):
        compressor.declared_moments(bad)


@every_random
def test_randomness_must_be_given(compressor):
    with pytest.raises(TypeError, match=r"rng is a NoneType; \w+ is random and needs rng=Stream\(seed\)"):
        compressor(np.ones(4))


@every_compressor
def test_compressors_are_values(compressor):
    assert compressor == type(compressor)(**{name: getattr(compressor, name) for name in compressor.__match_args__})
    assert hash(compressor) == hash(compressor)
    assert compressor.is_random == (compressor in RANDOM)
