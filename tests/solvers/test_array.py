import subprocess
import sys

import array_api_strict
import numpy as np
import pytest

from taciturn.solvers.array import (
    Stream,
    array_like,
    array_namespace,
    check_gradient,
    check_stream,
    cleared,
    device_of,
    float_bits,
    scatter,
    to_numpy,
)
from taciturn.solvers.compressors import TopK
from taciturn.solvers.methods import DynamicT
from taciturn.solvers.selection import top_k_indices
from taciturn.solvers.tune import tune
from taciturn.theory.communication import AffineCost


def test_namespace_has_the_functions_of_the_standard(xp):
    v = xp([3.0, 4.0])

    assert float(array_namespace(v).sum(v * v)) == 25.0


@pytest.mark.parametrize("value", [[1.0], 1.0, None, "1"])
def test_namespace_refuses_what_is_not_an_array(value):
    with pytest.raises(TypeError, match="not an array; pass a NumPy array or a torch tensor"):
        array_namespace(value)


def test_namespace_refuses_two_libraries():
    with pytest.raises(TypeError, match="Multiple namespaces"):
        array_namespace(np.ones(1), array_api_strict.ones(1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1,), (3,), (2, 1, 3)])
def test_gradient_of_any_shape_passes(xp, dtype, shape):
    check_gradient(xp(np.ones(shape, dtype)))


def test_largest_numbers_are_finite(xp):
    largest = np.finfo(np.float64).max

    check_gradient(xp([largest, largest, -largest]))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        ([1.0], TypeError, "v is a list"),
        (np.ones(3, int), TypeError, "v has the type int64; accepted: float32 or float64"),
        (np.ones(3, complex), TypeError, "complex128"),
        (np.ones(3, bool), TypeError, "bool"),
        (np.ones(3, np.float16), TypeError, "float16"),
        (np.ones(3, object), TypeError, "object"),
        (np.float64(1.0), ValueError, r"v has the shape \(\)"),
        (np.ones(0), ValueError, r"v has the shape \(0,\)"),
        (np.ones((0, 3)), ValueError, r"v has the shape \(0, 3\)"),
        (np.array([1.0, np.nan]), ValueError, "NaN or infinite"),
        (np.array([[1.0, 2.0], [np.inf, 1.0]]), ValueError, "NaN or infinite"),
        (np.array([-np.inf]), ValueError, "NaN or infinite"),
    ],
)
def test_gradient_that_is_none_is_refused(value, error, text):
    with pytest.raises(error, match=text):
        check_gradient(value, "v")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_is_refused_in_every_library(xp, bad):
    with pytest.raises(ValueError, match="gradient has entries that are NaN or infinite"):
        check_gradient(xp([0.0, bad, 1.0]))


@pytest.mark.parametrize(("dtype", "bits"), [(np.float32, 32), (np.float64, 64)])
def test_float_bits_are_those_of_the_type(xp, dtype, bits):
    assert float_bits(xp(np.ones(2, dtype))) == bits


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_go_to_a_library_and_back(xp, dtype):
    like = xp(np.ones(1, dtype))

    there = array_like([1.0, 2.5], like)

    assert type(there) is type(like)
    assert there.dtype == like.dtype
    assert device_of(there) == device_of(like)
    np.testing.assert_array_equal(to_numpy(there), np.array([1.0, 2.5], dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("draw", ["uniform", "normal"])
def test_one_seed_gives_the_same_numbers_in_every_library(xp, dtype, draw):
    like = xp(np.ones(1, dtype))

    numbers = getattr(Stream(7), draw)((2, 3), like)

    xp.assert_in_kind(numbers, like, (2, 3))
    np.testing.assert_array_equal(to_numpy(numbers), getattr(Stream(7), draw)((2, 3), np.ones(1, dtype)))


def test_uniform_and_normal_have_their_moments():
    like = np.ones(1)
    uniform, normal = Stream(0).uniform((100_000,), like), Stream(0).normal((100_000,), like)

    assert np.all((uniform >= 0) & (uniform < 1))
    np.testing.assert_allclose([uniform.mean(), uniform.var()], [1 / 2, 1 / 12], atol=0.005)
    np.testing.assert_allclose([normal.mean(), normal.var()], [0, 1], atol=0.02)


def test_bernoulli_has_the_probabilities(xp):
    probabilities = np.array([0.0, 0.1, 0.5, 1.0])

    draws = to_numpy(Stream(0).bernoulli(xp(np.tile(probabilities, (20_000, 1)))))

    assert draws.dtype == bool
    np.testing.assert_allclose(draws.mean(axis=0), probabilities, atol=0.015)
    assert not draws[:, 0].any()
    assert draws[:, 3].all()


def test_bernoulli_resolves_probabilities_below_those_of_single_precision():
    class Fixed(np.random.Generator):
        def random(self, size=None, dtype=np.float64, out=None):
            return np.full(size, 2.0**-30 if dtype == np.float64 else 0.0, dtype)  # singles: multiples of 2^-24

    draws = Stream(Fixed(np.random.PCG64(0))).bernoulli(np.array([2.0**-31, 2.0**-29], dtype=np.float32))

    assert draws.tolist() == [False, True]


def test_stream_advances():
    stream, like = Stream(0), np.ones(1)

    assert stream.uniform((1,), like) != stream.uniform((1,), like)


def test_spawned_streams_are_reproducible_and_differ():
    like = np.ones(1)

    first, second = Stream(3).spawn(2), Stream(3).spawn(2)
    numbers = [stream.uniform((4,), like).tolist() for stream in (*first, *second, Stream(3))]

    assert numbers[:2] == numbers[2:4]
    assert numbers[0] != numbers[1]
    assert numbers[4] not in numbers[:4]


def test_stream_wraps_a_numpy_generator():
    generator = np.random.default_rng(5)

    numbers = Stream(generator).uniform((2,), np.ones(1))

    np.testing.assert_array_equal(numbers, np.random.default_rng(5).random(2))
    assert generator.random() != np.random.default_rng(5).random()


def test_stream_wraps_a_torch_generator():
    torch = pytest.importorskip("torch")
    like = torch.ones(1, dtype=torch.float32)

    def stream():
        return Stream(torch.Generator().manual_seed(5))

    numbers, expected = stream().uniform((3,), like), torch.rand(3, generator=torch.Generator().manual_seed(5))
    assert torch.equal(numbers, expected)
    assert stream().normal((3,), like).dtype == torch.float32
    spawned = [child.uniform((2,), like).tolist() for child in stream().spawn(2) + stream().spawn(2)]
    assert spawned[:2] == spawned[2:]
    assert spawned[0] != spawned[1]
    with pytest.raises(TypeError, match="stream on the torch device cpu cannot serve a ndarray"):
        stream().uniform((3,), np.ones(1))


@pytest.mark.parametrize("seed", [None, True, 1.5, "seed"])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(TypeError, match="accepted: an integer or a generator"):
        Stream(seed)


@pytest.mark.parametrize("rng", [None, 0, np.random.default_rng(0)])
def test_what_is_no_stream_is_refused(rng):
    with pytest.raises(TypeError, match=r"RandK is random and needs rng=Stream\(seed\)"):
        check_stream(rng, "RandK")


WITHOUT_TORCH = """
import sys
import taciturn.solvers.compressors
assert "torch" not in sys.modules, "importing the solvers imports torch"
sys.modules["torch"] = None  # from here on `import torch` fails, as where torch is not installed
import numpy as np
from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import Bernoulli
assert Bernoulli(1)(np.array([0.0, 2.0]), Stream(0)).tolist() == [0.0, 2.0]
"""


def test_torch_is_neither_imported_nor_needed():
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH], check=True)


def test_masked_arrays_are_refused():
    with pytest.raises(TypeError, match="v is a MaskedArray"):
        check_gradient(np.ma.masked_array([1.0, 2.0], [True, False]), "v")


def test_gradients_with_a_history_are_used_without_it():
    torch = pytest.importorskip("torch")
    v = torch.tensor([3.0, -1.0], dtype=torch.float64, requires_grad=True)
    assert not check_gradient(v, "v").requires_grad
    assert not TopK(1)(v).requires_grad
    assert top_k_indices(v, 1).tolist() == [0]
    assert tune(v, AffineCost(c0=2, c1=1)).T == 1
    assert not DynamicT(AffineCost(c0=2, c1=1)).send(v[None], torch.ones(1), Stream(0)).vectors.requires_grad


@pytest.mark.parametrize("positions", [[], [0], [3, 4, 7], [0, 1, 2, 3, 4, 5, 6, 7]])
def test_values_are_scattered_and_cleared(xp, positions):
    array, expected = np.arange(8.0).reshape(2, 4) + 1, np.zeros(8)
    expected[positions] = 5.0
    places = xp(np.array(positions, dtype=np.int64))

    scattered = scatter(xp(np.full(len(positions), 5.0)), places, (2, 4))
    remaining = cleared(array_like(array, scattered), places)

    xp.assert_in_kind(scattered, xp(array), (2, 4))
    np.testing.assert_array_equal(to_numpy(scattered), expected.reshape(2, 4))
    np.testing.assert_array_equal(to_numpy(remaining), np.where(expected.reshape(2, 4) == 0, array, 0.0))


def test_an_array_out_of_order_is_cleared_all_the_same():
    array = np.arange(6.0).reshape(3, 2).T

    np.testing.assert_array_equal(cleared(array, np.array([1, 5])), [[0.0, 0.0, 4.0], [1.0, 3.0, 0.0]])
