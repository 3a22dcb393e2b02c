"""Compressors that sample entries at random and divide them by their probability (SS)."""

from dataclasses import dataclass
from typing import ClassVar

from taciturn.theory import compression
from taciturn.theory.compression import Unbiased

from ..array import (
    Array,
    Stream,
    array_namespace,
    check_choice,
    check_count,
    check_gradient,
    check_positive,
    check_stream,
)
from ..tune.sampling import optimal_probabilities, systematic_sample
from .interface import Moments
from .scaling import check_amplified, per_squared_norm, unit_scaled
from .sparsify import Sparsifier, select

__all__ = ["Bernoulli", "SystematicSampling"]


@dataclass(frozen=True)
class Bernoulli(Sparsifier):
    """Keep each entry independently with probability p_j, divided by p_j; T entries in expectation.

    Unbiased(d/T - 1). With the optimal probabilities p_j = min(1, |v_j|/t) the variance at v is the least possible for
    T entries, and entries of magnitude below t are sent as -t or t. If v has at most T entries that are not
    zero, all are sent.

    Parameters
    ----------
    T : float
        Expected number of entries, in (0, d]; it need not be an integer.
    probabilities : {"optimal", "uniform"}
        Optimal for each v, or T/d for every entry.

    Raises
    ------
    TypeError, ValueError
        If T is not a positive number, or probabilities is another word.

    Notes
    -----
    Source: Wangni et al. 2018; dossier chapter 1, `ss-moments` and `ss-optimal-p`; chapter 2, `urq-bernoulli`
    and `urq-optimal`.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.array import Stream
    >>> Bernoulli(2)(np.array([1.0, -4.0, 0.5, 2.5]), Stream(0))
    array([ 0., -4.,  4.,  4.])
    """

    T: float
    probabilities: str = "optimal"
    is_random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "T", check_positive(self.T, "T"))
        check_choice(self.probabilities, "probabilities", ("optimal", "uniform"))

    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Sample each entry independently."""
        v = check_gradient(v, "v")
        stream = check_stream(rng, "Bernoulli")
        probabilities = self._probabilities(v)
        check_amplified(v, v.shape[-1] / self.T, "v")  # |v_j| / p_j <= (d/T) max |v| for both kinds
        return _divided(v, probabilities, stream.bernoulli(probabilities))

    def guarantee(self, d: int) -> Unbiased:
        """Return Unbiased(d/T - 1), for both kinds of probabilities."""
        return compression.uniform_sampling(self.T, d)

    def declared_moments(self, v: Array) -> Moments:
        """Return the error sum v_j^2 (1/p_j - 1) / ||v||^2."""
        v = check_gradient(v, "v")
        return _sampling_moments(v, self._probabilities(v))

    def _probabilities(self, v: Array) -> Array:
        xp = array_namespace(v)
        check_positive(self.T, "T", highest=v.shape[-1])
        if self.probabilities == "uniform":
            return xp.full_like(v, self.T / v.shape[-1])
        return optimal_probabilities(v, self.T)


@dataclass(frozen=True)
class SystematicSampling(Sparsifier):
    """Keep exactly T entries, entry j with the optimal probability p_j, divided by p_j.

    The inclusion probabilities, hence mean and variance, are those of ``Bernoulli(T)``, but the size of the message
    is not random: use it where the cost of a message jumps, as with packets. Fewer than T entries are sent only if v
    has fewer that are not zero.

    Parameters
    ----------
    T : int
        Number of entries, 1..d.

    Raises
    ------
    TypeError, ValueError
        If T is not an integer of at least 1.

    Notes
    -----
    Source: Madow 1949; dossier chapter 1, `ss-fixed-size`.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.array import Stream
    >>> SystematicSampling(2)(np.array([1.0, -4.0, 0.5, 2.5]), Stream(0))
    array([ 0., -4.,  0.,  4.])
    """

    T: int
    is_random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "T", check_count(self.T, "T"))

    def __call__(self, v: Array, rng: Stream | None = None) -> Array:
        """Sample exactly T entries."""
        v = check_gradient(v, "v")
        stream = check_stream(rng, "SystematicSampling")
        probabilities = optimal_probabilities(v, self.T)
        check_amplified(v, v.shape[-1] / self.T, "v")
        return _divided(v, probabilities, systematic_sample(probabilities, stream.uniform(v.shape[:-1], v)))

    def guarantee(self, d: int) -> Unbiased:
        """Return Unbiased(d/T - 1)."""
        return compression.optimal_sampling(self.T, d)

    def declared_moments(self, v: Array) -> Moments:
        """Return the error sum v_j^2 (1/p_j - 1) / ||v||^2."""
        v = check_gradient(v, "v")
        return _sampling_moments(v, optimal_probabilities(v, self.T))


def _divided(v: Array, probabilities: Array, sampled: Array) -> Array:
    """Return v / probabilities at the sampled entries."""
    xp = array_namespace(v)
    return select(v / xp.where(sampled, probabilities, xp.ones_like(v)), sampled)


def _sampling_moments(v: Array, probabilities: Array) -> Moments:
    xp = array_namespace(v)
    w, _ = unit_scaled(v)
    possible = xp.where(probabilities > 0, probabilities, xp.ones_like(v))
    # w/p is bounded where 1/p overflows, as p does not vanish faster than w.
    error = per_squared_norm(xp.sum(w * (w / possible - w), axis=-1), w)
    nonzeros = xp.sum(select(probabilities, v != 0), axis=-1)
    return Moments.unbiased(v, error, nonzeros)
