"""Senders in which every worker has a compression of its own."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taciturn.theory import compression
from taciturn.theory.communication import Cost, check_cost
from taciturn.theory.compression import Absolute, CompressionClass, Contractive, Unbiased

from ..array import (
    Array,
    Stream,
    array_like,
    array_namespace,
    check_count,
    check_fraction,
    check_gradient,
    check_positive,
    check_stream,
)
from ..compressors import Compressor
from ..compressors.scaling import check_amplified
from ..selection import top_k_positions
from .entries import reaching_positions, send_entries
from .sender import Fixed
from .state import Sent

__all__ = ["PerWorker", "PerWorkerRandK", "PerWorkerThresholds", "PerWorkerTopK"]


@dataclass(frozen=True)
class PerWorkerTopK:
    """Worker i sends its k_i entries of largest magnitude.

    Contractive(k_i/d) for worker i.

    Parameters
    ----------
    counts : sequence of int
        k_i, 1..d.
    cost : Cost, optional
        Price of a message with T entries; default the bits of T indices and values.

    Raises
    ------
    TypeError, ValueError
        If a count is not an integer of at least 1; when sending, if it is above d, or there are not n of them.

    Examples
    --------
    >>> import numpy as np
    >>> sender = PerWorkerTopK([2, 1])
    >>> sender.send(np.array([[1.0, -3.0, 2.0], [5.0, 4.0, 0.0]]), np.ones(2) / 2, Stream(0)).vectors
    array([[ 0., -3.,  2.],
           [ 5.,  0.,  0.]])
    >>> sender.guarantees(4), sender.guarantee(4)
    ((Contractive(delta=0.5), Contractive(delta=0.25)), Contractive(delta=0.25))
    """

    counts: Sequence[int]
    cost: Cost | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", _checked(self.counts, "counts", check_count))
        _check_cost(self.cost)

    @classmethod
    def of_fractions(cls, delta: ArrayLike, d: int, cost: Cost | None = None) -> Self:
        """Return the sender that keeps floor(delta_i d) of d entries, at least one: no more than the fractions allow.

        Raises
        ------
        ValueError
            If a fraction is outside (0, 1].

        Examples
        --------
        >>> PerWorkerTopK.of_fractions([0.29, 0.001], d=100).counts
        (29, 1)
        """
        return cls(_counts(delta, d), cost)

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Compress vectors (..., n, d)."""
        del weights, rng
        _check_workers(self.counts, vectors)
        return send_entries(vectors, top_k_positions(vectors, np.array(self.counts)), self.cost)

    def guarantees(self, d: int) -> tuple[Contractive, ...]:
        """Return Contractive(k_i/d) for every worker."""
        return tuple(compression.top_k(k, d) for k in self.counts)

    def guarantee(self, d: int) -> Contractive:
        """Return the weakest of them."""
        return compression.top_k(min(self.counts), d)


@dataclass(frozen=True)
class PerWorkerRandK:
    """Worker i sends k_i entries drawn uniformly without replacement.

    Parameters
    ----------
    counts : sequence of int
        k_i, 1..d.
    scaled : bool
        Whether they are multiplied by d/k_i: then Unbiased(d/k_i - 1), and else Contractive(k_i/d), for worker i.
    cost : Cost, optional
        Price of a message with T entries; default the bits of T indices and values.

    Raises
    ------
    TypeError, ValueError
        As `PerWorkerTopK`.

    Examples
    --------
    >>> import numpy as np
    >>> sender = PerWorkerRandK([2, 1])
    >>> sender.send(np.array([[1.0, -3.0, 2.0, 6.0], [5.0, 4.0, 7.0, 8.0]]), np.ones(2) / 2, Stream(0)).vectors
    array([[ 2., -6.,  0.,  0.],
           [ 0., 16.,  0.,  0.]])
    >>> sender.guarantees(4), PerWorkerRandK([2, 1], scaled=False).guarantee(4)
    ((Unbiased(variance=1.0), Unbiased(variance=3.0)), Contractive(delta=0.25))
    """

    counts: Sequence[int]
    scaled: bool = True
    cost: Cost | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", _checked(self.counts, "counts", check_count))
        _check_cost(self.cost)

    @classmethod
    def of_fractions(cls, delta: ArrayLike, d: int, scaled: bool = True, cost: Cost | None = None) -> Self:
        """As `PerWorkerTopK.of_fractions`."""
        return cls(_counts(delta, d), scaled, cost)

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Compress vectors (..., n, d) with independent coins."""
        del weights
        _check_workers(self.counts, vectors)
        vectors, stream = check_gradient(vectors, "vectors"), check_stream(rng, "PerWorkerRandK")
        counts, d = np.array(self.counts), vectors.shape[-1]
        if self.scaled:
            check_amplified(vectors, d / min(self.counts), "vectors")
        # The largest of d independent uniform numbers are at uniformly drawn places.
        sent = send_entries(vectors, top_k_positions(stream.uniform(vectors.shape, vectors), counts), self.cost)
        if not self.scaled:
            return sent
        received = np.broadcast_to(counts / d, sent.coefficient.shape)  # ||v||^2 / E ||C(v)||^2
        scaled = sent.vectors * array_like(d / counts, vectors)[:, None]
        return replace(sent, vectors=scaled, coefficient=received, positions=None)

    def guarantees(self, d: int) -> tuple[CompressionClass, ...]:
        """Return Unbiased(d/k_i - 1) or Contractive(k_i/d) for every worker."""
        return tuple(self._guarantee(k, d) for k in self.counts)

    def guarantee(self, d: int) -> CompressionClass:
        """Return the weakest of them."""
        return self._guarantee(min(self.counts), d)

    def _guarantee(self, k: int, d: int) -> CompressionClass:
        # Without the factor E ||C(v) - v||^2 = (1 - k/d) ||v||^2, and C is a projection, as top-k.
        return compression.rand_k(k, d) if self.scaled else compression.top_k(k, d)


@dataclass(frozen=True)
class PerWorkerThresholds:
    """Worker i sends its entries of at least the magnitude lambda_i.

    Absolute(lambda_i sqrt(d)) for worker i. For thresholds that follow a traffic budget see `ThresholdFeedback`.

    Parameters
    ----------
    thresholds : sequence of float
        lambda_i, in the units of the vectors, positive.
    cost : Cost, optional
        Price of a message with T entries; default the bits of T indices and values.

    Raises
    ------
    TypeError, ValueError
        If a threshold is not a positive finite number; when sending, if there are not n of them.

    Notes
    -----
    Source: dossier chapter 3, `thr-memory`.

    Examples
    --------
    >>> import numpy as np
    >>> sender = PerWorkerThresholds([2.0, 4.5])
    >>> sender.send(np.array([[1.0, -3.0, 2.0], [5.0, 4.0, 0.0]]), np.ones(2) / 2, Stream(0)).vectors
    array([[ 0., -3.,  2.],
           [ 5.,  0.,  0.]])
    >>> sender.guarantee(4)
    Absolute(error=9.0)
    """

    thresholds: Sequence[float]
    cost: Cost | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", _checked(self.thresholds, "thresholds", check_positive))
        _check_cost(self.cost)

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Compress vectors (..., n, d)."""
        del weights, rng
        _check_workers(self.thresholds, vectors)
        return send_entries(vectors, reaching_positions(vectors, self.thresholds), self.cost)

    def guarantees(self, d: int) -> tuple[Absolute, ...]:
        """Return Absolute(lambda_i sqrt(d)) for every worker."""
        return tuple(compression.hard_threshold(level, d) for level in self.thresholds)

    def guarantee(self, d: int) -> Absolute:
        """Return the weakest of them."""
        return compression.hard_threshold(max(self.thresholds), d)


@dataclass(frozen=True)
class PerWorker:
    """Worker i sends through its own compressor, of any kind; workers with equal compressors are served in one call.

    Parameters
    ----------
    compressors : sequence of Compressor
        C_i.
    cost : Cost, optional
        Price of a message with T entries; default the bits of the compressor's own message.

    Raises
    ------
    TypeError
        If one is not a compressor.
    ValueError
        If there is none; when sending, if there are not n of them.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.compressors import Identity, Sign
    >>> sender = PerWorker([Sign(), Identity(), Sign()])
    >>> sender.send(np.array([[1.0, -3.0], [5.0, 4.0], [2.0, 0.0]]), np.ones(3) / 3, Stream(0)).vectors
    array([[ 2., -2.],
           [ 5.,  4.],
           [ 1.,  1.]])
    """

    compressors: Sequence[Compressor]
    cost: Cost | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "compressors", _checked(self.compressors, "compressors", _check_compressor))
        _check_cost(self.cost)

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Compress vectors (..., n, d) with independent coins."""
        _check_workers(self.compressors, vectors)
        xp = array_namespace(vectors)
        groups = [
            [i for i, compressor in enumerate(self.compressors) if compressor == kind]
            for kind in dict.fromkeys(self.compressors)
        ]
        parts = [
            Fixed(self.compressors[group[0]], self.cost).send(_workers(vectors, group), weights, rng)
            for group in groups
        ]
        back = np.argsort([i for group in groups for i in group])
        columns = (
            np.concatenate([getattr(part, name) for part in parts], axis=-1)[..., back]
            for name in ("cost", "sparsity", "coefficient")
        )
        return Sent(_workers(xp.concat([part.vectors for part in parts], axis=-2), back), *columns)

    def guarantees(self, d: int) -> tuple[CompressionClass, ...]:
        """Return the guarantee of every worker's compressor."""
        return tuple(compressor.guarantee(d) for compressor in self.compressors)

    def guarantee(self, d: int) -> CompressionClass:
        """Return the weakest of them.

        Raises
        ------
        ValueError
            If they are of several classes, which no one of them stands for.
        """
        return weakest(self.guarantees(d))


def weakest(guarantees: Sequence[CompressionClass]) -> CompressionClass:
    """Return what holds for all of some guarantees; Unbiased(0), no error at all, is of every class.

    Raises
    ------
    ValueError
        If no one of them holds for all.

    Examples
    --------
    >>> weakest([Contractive(0.5), Contractive(0.25), Unbiased(0.0)])
    Contractive(delta=0.25)
    """
    erring = [one for one in guarantees if one != Unbiased(0.0)] or [Unbiased(0.0)]
    contractive = [one for one in erring if isinstance(one, Contractive)]
    unbiased = [one for one in erring if isinstance(one, Unbiased)]
    absolute = [one for one in erring if isinstance(one, Absolute)]
    if len(contractive) == len(erring):
        return min(contractive, key=lambda one: one.delta)
    if len(unbiased) == len(erring):
        return max(unbiased, key=lambda one: one.variance)
    if len(absolute) == len(erring):
        return max(absolute, key=lambda one: one.error)
    kinds = ", ".join(sorted({type(one).__name__ for one in erring}))
    raise ValueError(f"the workers' guarantees are of the classes {kinds}; accepted: one class for all")


def _workers(vectors: Array, chosen: Any) -> Array:
    xp = array_namespace(vectors)
    return xp.take(vectors, array_like(np.asarray(chosen), vectors, dtype=xp.int64), axis=-2)


def _counts(delta: ArrayLike, d: int) -> Any:
    d = check_count(d, "d")
    fractions: NDArray[np.float64] = np.array(_checked(np.asarray(delta).ravel().tolist(), "delta", check_fraction))
    # A product that is whole but for rounding is not rounded down.
    return np.maximum(np.floor(fractions * d * (1 + 4 * np.finfo(float).eps)).astype(np.int64), 1).tolist()


def _checked(values: Any, name: str, check: Callable[[Any, str], Any]) -> tuple[Any, ...]:
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} = {values!r} is a {type(values).__name__}; pass a sequence, one for each worker")
    checked = tuple(check(value, f"{name}[{i}]") for i, value in enumerate(values))
    if not checked:
        raise ValueError(f"{name} has length 0; accepted: one for each worker")
    return checked


def _check_compressor(compressor: Any, name: str) -> Compressor:
    if not isinstance(compressor, Compressor):
        raise TypeError(f"{name} is a {type(compressor).__name__}; pass a Compressor of taciturn.solvers.compressors")
    return compressor


def _check_cost(cost: Cost | None) -> None:
    if cost is not None:
        check_cost(cost)


def _check_workers(own: Sequence[Any], vectors: Array) -> None:
    n = vectors.shape[-2] if vectors.ndim > 1 else 1
    if len(own) != n:
        raise ValueError(f"the sender is for {len(own)} workers, the vectors are of {n}; accepted: the same number")
