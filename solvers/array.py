"""Arrays and randomness: the one place that knows which array library is in use.

Every numerical routine of this room takes NumPy arrays or torch tensors (or any other array of the array API standard)
and answers in kind. torch is never imported here: a tensor can only arrive if its owner has imported torch already.
"""

import math
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import array_api_compat
import array_api_compat.numpy
import numpy as np
from scipy import sparse

from taciturn.theory.checks import check_choice, check_count, check_fraction, check_non_negative, check_positive

__all__ = [
    "Array",
    "Stream",
    "array_like",
    "array_namespace",
    "check_choice",
    "check_count",
    "check_fraction",
    "check_gradient",
    "check_non_negative",
    "check_positive",
    "check_stream",
    "cleared",
    "detached",
    "device_of",
    "float_bits",
    "matrix_like",
    "scatter",
    "to_numpy",
]

Array = Any
"""A NumPy array, a torch tensor, or another array of the array API standard (Python types cannot say this today)."""


def array_namespace(*arrays: Array) -> Any:
    """Return the array API namespace that the arrays share.

    Parameters
    ----------
    *arrays : Array
        One or more arrays of one library.

    Returns
    -------
    module
        Functions with the names of the array API standard, whatever the library.

    Raises
    ------
    TypeError
        If an argument is not an array (lists and numbers are not), or if the arrays are of different libraries.

    Examples
    --------
    >>> import numpy as np
    >>> array_namespace(np.ones(2)).sum(np.ones(2)).item()
    2.0
    """
    # Called in every routine, often with a short vector in hand: the common case is not asked twice.
    if all(type(array) is np.ndarray for array in arrays):
        return array_api_compat.numpy
    for array in arrays:
        if not array_api_compat.is_array_api_obj(array):
            raise TypeError(f"a {type(array).__name__} is not an array; pass a NumPy array or a torch tensor")
    return array_api_compat.array_namespace(*arrays)


def float_bits(array: Array) -> int:
    """Return the size of one entry in bits: 32 or 64.

    Raises
    ------
    TypeError
        If the entries are not real floating-point numbers of 32 or 64 bits.

    Examples
    --------
    >>> import numpy as np
    >>> float_bits(np.ones(3, dtype=np.float32))
    32
    """
    return _float_bits(array, "array")


def _float_bits(array: Array, name: str) -> int:
    xp = array_namespace(array)
    bits = int(xp.finfo(array.dtype).bits) if xp.isdtype(array.dtype, "real floating") else None
    if bits not in (32, 64):
        raise TypeError(f"{name} has the type {array.dtype}; accepted: float32 or float64")
    return bits


def check_gradient(gradient: Array, name: str = "gradient") -> Array:
    """Return an array (..., d) of finite real numbers, detached from its history, or refuse what is none.

    Parameters
    ----------
    gradient : Array, shape (..., d)
        One vector, or a batch of them with any leading axes (replicas, workers).
    name : str
        What the caller calls it.

    Raises
    ------
    TypeError
        If it is not an array, is a masked one, or its entries are not float32 or float64.
    ValueError
        If it has no axis, an axis of length zero, or an entry that is NaN or infinite.

    Examples
    --------
    >>> import numpy as np
    >>> check_gradient(np.array([1.0, np.nan]))
    Traceback (most recent call last):
        ...
    ValueError: gradient has entries that are NaN or infinite; accepted: finite numbers
    """
    if not array_api_compat.is_array_api_obj(gradient):
        raise TypeError(f"{name} is a {type(gradient).__name__}; pass a NumPy array or a torch tensor")
    if isinstance(gradient, np.ma.MaskedArray):
        raise TypeError(f"{name} is a MaskedArray; accepted: an array without a mask, say filled(0.0)")
    gradient = detached(gradient)
    xp = array_namespace(gradient)
    _float_bits(gradient, name)
    if gradient.ndim == 0 or 0 in gradient.shape:
        raise ValueError(
            f"{name} has the shape {tuple(gradient.shape)}; accepted: (..., d) with d >= 1 and no empty axis"
        )
    # NaN propagates through both extremes; two reductions need no temporary, unlike isfinite.
    if not (math.isfinite(float(xp.max(gradient))) and math.isfinite(float(xp.min(gradient)))):
        raise ValueError(f"{name} has entries that are NaN or infinite; accepted: finite numbers")
    return gradient


def detached(array: Array) -> Array:
    """Return the same numbers without the history that torch keeps of a tensor with ``requires_grad``.

    Examples
    --------
    >>> import numpy as np
    >>> detached(np.arange(3))
    array([0, 1, 2])
    """
    if type(array) is not np.ndarray and array_api_compat.is_torch_array(array):  # the common case is not asked twice
        return array.detach()
    return array


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """Return the numbers as a NumPy array on the host; it may share memory with its argument.

    Examples
    --------
    >>> import numpy as np
    >>> to_numpy(np.arange(3))
    array([0, 1, 2])
    """
    if array_api_compat.is_torch_array(array):
        return np.asarray(array.detach().cpu().numpy())
    return np.asarray(array)


def array_like(values: Any, like: Array, *, dtype: Any = None) -> Array:
    """Return numbers as an array of the library, device and (unless ``dtype`` says otherwise) type of another array.

    Parameters
    ----------
    values : array_like
        Numbers, nested sequences of them, or a NumPy array.
    like : Array
        The array to follow.
    dtype : data type of the library of ``like``, optional
        Type of the entries; default the type of ``like``.

    Examples
    --------
    >>> import numpy as np
    >>> array_like([1, 2], np.ones(1, dtype=np.float32))
    array([1., 2.], dtype=float32)
    """
    xp = array_namespace(like)
    return xp.asarray(values, dtype=like.dtype if dtype is None else dtype, device=device_of(like))


def device_of(array: Array) -> Any:
    """Return the device an array is on, for the ``device`` argument of functions that create arrays.

    Examples
    --------
    >>> import numpy as np
    >>> device_of(np.ones(2))
    'cpu'
    """
    return array_api_compat.device(array)


def matrix_like(matrix: Any, like: Array) -> Any:
    """Return a matrix in the library, on the device and in the precision of an array; a sparse one stays sparse.

    Parameters
    ----------
    matrix : numpy.ndarray or scipy sparse array, shape (m, d)
        The matrix on the host.
    like : Array
        The array to follow.

    Returns
    -------
    Array, scipy sparse array, or torch.Tensor with the layout sparse CSR
        What ``@`` multiplies with arrays (d, columns) of the kind of ``like``.

    Raises
    ------
    TypeError
        If the matrix is sparse and the library has no sparse arrays.

    Examples
    --------
    >>> import numpy as np
    >>> matrix_like(np.eye(2), np.ones(1, dtype=np.float32)).dtype
    dtype('float32')
    """
    if not sparse.issparse(matrix):
        return array_like(matrix, like)
    if array_api_compat.is_numpy_array(like):
        return matrix.astype(like.dtype)
    if not array_api_compat.is_torch_array(like):
        raise TypeError(f"{array_namespace(like).__name__} has no sparse arrays; pass matrix.toarray()")
    torch = sys.modules["torch"]
    compressed = matrix.tocsr().sorted_indices()  # torch refuses rows whose columns are not in order
    starts, columns = (array_like(part, like, dtype=torch.int64) for part in (compressed.indptr, compressed.indices))
    values = array_like(compressed.data, like)
    with warnings.catch_warnings():
        # torch calls this layout beta; only products with dense matrices are used here, and they are tested.
        warnings.filterwarnings("ignore", "Sparse CSR tensor support", UserWarning)
        return torch.sparse_csr_tensor(starts, columns, values, size=matrix.shape, check_invariants=True)


def scatter(values: Array, positions: Array, shape: Sequence[int]) -> Array:
    """Return an array of a shape with values at increasing positions of the flattened array, and zeros elsewhere.

    Parameters
    ----------
    values : Array, shape (N,)
        Numbers.
    positions : Array of integers, shape (N,)
        Strictly increasing.
    shape : sequence of int
        Of the result.

    Notes
    -----
    The array API standard has no assignment to an array of positions; without it, every position is looked up among
    those that hold a value, which is the same thing, but slower.

    Examples
    --------
    >>> import numpy as np
    >>> scatter(np.array([2.0, 1.0]), np.array([1, 3]), (2, 2))
    array([[0., 2.],
           [0., 1.]])
    """
    xp = array_namespace(values)
    size = math.prod(shape)
    if array_api_compat.is_numpy_array(values) or array_api_compat.is_torch_array(values):
        flat = xp.zeros((size,), dtype=values.dtype, device=device_of(values))
        flat[positions] = values
        return xp.reshape(flat, tuple(shape))
    if positions.shape[0] == 0:
        return xp.zeros(tuple(shape), dtype=values.dtype, device=device_of(values))
    everywhere = xp.arange(size, dtype=positions.dtype, device=device_of(positions))
    nearest = xp.clip(xp.searchsorted(positions, everywhere), max=positions.shape[0] - 1)
    held = xp.take(positions, nearest) == everywhere
    found = xp.take(values, nearest)
    return xp.reshape(xp.where(held, found, xp.zeros_like(found)), tuple(shape))


def cleared(array: Array, positions: Array) -> Array:
    """Return an array with zeros at increasing positions of the flattened array; its argument may change, too.

    Examples
    --------
    >>> import numpy as np
    >>> cleared(np.array([[3.0, 4.0], [5.0, 6.0]]), np.array([1, 2]))
    array([[3., 0.],
           [0., 6.]])
    """
    xp = array_namespace(array)
    flat = xp.reshape(array, (-1,))
    if array_api_compat.is_numpy_array(array) or array_api_compat.is_torch_array(array):
        flat[positions] = 0.0
        return xp.reshape(flat, array.shape)
    return array - scatter(xp.take(flat, positions), positions, array.shape)


def _torch_generator_type() -> Any:
    """Return torch.Generator if torch has been imported, else a type that nothing is an instance of."""
    torch = sys.modules.get("torch")
    return () if torch is None else torch.Generator


class Stream:
    """A stream of random numbers, passed explicitly to everything that is random.

    Numbers are drawn on the host and carried to the library and device of the arrays they are for, so one seed gives
    the same numbers with every library. A stream made from a ``torch.Generator`` draws on the device of that
    generator instead, which is faster there, and serves tensors of that device only.

    Parameters
    ----------
    seed : int, sequence of int, numpy.random.SeedSequence, numpy.random.Generator or torch.Generator
        A seed, or a generator to wrap (its state advances with the draws).

    Raises
    ------
    TypeError
        If the seed is none of these; ``None`` is not a seed.
    ValueError
        If an integer seed is negative.

    Examples
    --------
    >>> import numpy as np
    >>> draws = Stream(0).uniform((2, 3), like=np.ones(1, dtype=np.float32))
    >>> draws.shape, draws.dtype
    ((2, 3), dtype('float32'))
    """

    def __init__(self, seed: Any) -> None:
        if isinstance(seed, (np.random.Generator, _torch_generator_type())):
            self._generator = seed
        elif seed is None or isinstance(seed, (bool, float, str)):
            raise TypeError(f"seed = {seed!r} is a {type(seed).__name__}; accepted: an integer or a generator")
        else:
            self._generator = np.random.default_rng(seed)

    def __repr__(self) -> str:
        return f"Stream({self._generator!r})"

    def uniform(self, shape: Sequence[int], like: Array) -> Array:
        """Draw independent numbers uniform on [0, 1), of the library, device and type of ``like``."""
        return self._draw("uniform", shape, like)

    def normal(self, shape: Sequence[int], like: Array) -> Array:
        """Draw independent standard normal numbers, of the library, device and type of ``like``."""
        return self._draw("normal", shape, like)

    def bernoulli(self, probability: Array) -> Array:
        """Draw independent booleans that are true with the given probabilities, one for each entry."""
        # Compared in double precision: a float32 uniform is a multiple of 2**-24, too coarse for small probabilities.
        xp = array_namespace(probability)
        double = xp.astype(probability, xp.float64)
        return self._draw("uniform", probability.shape, double) < double

    def spawn(self, n: int) -> list["Stream"]:
        """Return n independent streams; this one may be used further."""
        check_count(n, "n")
        if isinstance(self._generator, np.random.Generator):
            return [Stream(child) for child in self._generator.spawn(n)]
        torch = sys.modules["torch"]
        generator = self._generator
        seeds = torch.randint(2**63 - 1, (n,), generator=generator, device=generator.device).tolist()
        return [Stream(torch.Generator(generator.device).manual_seed(seed)) for seed in seeds]

    def _draw(self, distribution: str, shape: Sequence[int], like: Array) -> Array:
        if isinstance(self._generator, np.random.Generator):
            # NumPy's names of the two types are the same in every library.
            precision = np.float32 if _float_bits(like, "like") == 32 else np.float64
            draws: dict[str, Any] = {"uniform": self._generator.random, "normal": self._generator.standard_normal}
            return array_like(draws[distribution](tuple(shape), dtype=precision), like)
        if not array_api_compat.is_torch_array(like) or like.device.type != self._generator.device.type:
            raise TypeError(
                f"a stream on the torch device {self._generator.device} cannot serve a {type(like).__name__} on "
                f"{device_of(like)}; pass Stream(integer seed) or a generator of that device"
            )
        torch = sys.modules["torch"]
        draws = {"uniform": torch.rand, "normal": torch.randn}
        return draws[distribution](tuple(shape), generator=self._generator, dtype=like.dtype, device=like.device)


def check_stream(rng: Any, user: str) -> Stream:
    """Return the stream of random numbers, or refuse what is not one.

    Parameters
    ----------
    rng : Stream
        The argument.
    user : str
        Who needs the random numbers, for the message.

    Returns
    -------
    Stream
        The argument.

    Raises
    ------
    TypeError
        If it is anything else; ``None`` is not randomness.

    Examples
    --------
    >>> check_stream(None, "Bernoulli")
    Traceback (most recent call last):
        ...
    TypeError: rng is a NoneType; Bernoulli is random and needs rng=Stream(seed)
    """
    if not isinstance(rng, Stream):
        raise TypeError(f"rng is a {type(rng).__name__}; {user} is random and needs rng=Stream(seed)")
    return rng
