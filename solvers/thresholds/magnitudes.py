"""How many entries exceed a threshold: models of the magnitudes of a gradient, fitted to one."""

import math
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaincc, gammaln, wrightomega

from ..array import Array, check_gradient, check_positive, to_numpy

__all__ = ["GeneralisedGaussian", "Laplace", "MagnitudeModel", "PowerLaw"]

_SHAPES = (0.05, 100.0)


class MagnitudeModel(Protocol):
    """The distribution of a magnitude, as in `Laplace`."""

    @property
    def least(self) -> float:
        """The smallest threshold: below it everything is sent."""
        ...

    def fraction(self, threshold: float) -> float:
        """Return the expected fraction of the entries above a threshold."""
        ...

    def best_threshold(self, price: float, order: int) -> float:
        """Return the threshold that minimises threshold^order + price fraction(threshold)."""
        ...


@dataclass(frozen=True)
class Laplace:
    """Magnitudes with the density exp(-x/scale)/scale.

    Parameters
    ----------
    scale : float
        Mean magnitude, positive.

    Notes
    -----
    Source: dossier chapter 3, `thr-optimal`; the thresholds of order 2 are Lambert's W, here as Wright's omega
    W(e^x), which does not overflow.

    Examples
    --------
    >>> model = Laplace.fit(np.array([1.0, -3.0]))
    >>> model.scale, round(model.fraction(2.0), 6), model.best_threshold(2 * math.e, order=1)
    (2.0, 0.367879, 2.0)
    """

    scale: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", check_positive(self.scale, "scale"))

    @classmethod
    def fit(cls, v: Array) -> Self:
        """Fit to memory plus gradient: the mean magnitude."""
        return cls(float(np.mean(_magnitudes(v))))

    @property
    def least(self) -> float:
        """Zero."""
        return 0.0

    def fraction(self, threshold: float) -> float:
        """Return exp(-threshold/scale)."""
        return math.exp(-threshold / self.scale)

    def best_threshold(self, price: float, order: int) -> float:
        """Return scale ln^+(price/scale), or scale W(price/(2 scale^2)) for order 2."""
        if order == 1:
            return self.scale * max(math.log(price / self.scale), 0.0)
        return self.scale * float(wrightomega(math.log(price / 2) - 2 * math.log(self.scale)))


@dataclass(frozen=True)
class GeneralisedGaussian:
    """Magnitudes with a density in proportion to exp(-(x/scale)^shape).

    Parameters
    ----------
    scale, shape : float
        Positive; shape 1 is `Laplace`, shape 2 a Gaussian of variance scale^2/2.

    Notes
    -----
    Source: dossier chapter 3, `thr-optimal`.

    Examples
    --------
    >>> model = GeneralisedGaussian(scale=2.0, shape=1.0)
    >>> round(model.fraction(2.0), 6), round(model.best_threshold(8.0, order=2), 6)
    (0.367879, 1.134287)
    >>> round(Laplace(2.0).best_threshold(8.0, order=2), 6)
    1.134287
    """

    scale: float
    shape: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", check_positive(self.scale, "scale"))
        object.__setattr__(self, "shape", check_positive(self.shape, "shape"))

    @classmethod
    def fit(cls, v: Array) -> Self:
        """Fit to memory plus gradient: the moments of order one and two.

        Raises
        ------
        ValueError
            If the mean square over the squared mean is outside what shapes from 0.05 to 100 give, (1.3335.., 3e12):
            magnitudes flatter than uniform ones, or a vector with hardly an entry.
        """
        magnitudes = _magnitudes(v)
        mean = float(np.mean(magnitudes))
        ratio = float(np.mean((magnitudes / mean) ** 2))
        low, high = (_moment_ratio(shape) for shape in reversed(_SHAPES))
        if not low <= ratio <= high:
            raise ValueError(
                f"v has mean square / squared mean = {ratio:.6g}; a generalised Gaussian accepts {low:.6g}..{high:.3g}"
            )
        shape = float(brentq(lambda shape: _moment_ratio(shape) - ratio, *_SHAPES, xtol=1e-12))
        return cls(mean * math.exp(float(gammaln(1 / shape) - gammaln(2 / shape))), shape)

    @property
    def least(self) -> float:
        """Zero."""
        return 0.0

    def fraction(self, threshold: float) -> float:
        """Return Q(1/shape, (threshold/scale)^shape), Q the regularised upper incomplete gamma function."""
        return float(gammaincc(1 / self.shape, (threshold / self.scale) ** self.shape))

    def best_threshold(self, price: float, order: int) -> float:
        """Return the closed form of the dossier: a logarithm for order 1, Lambert's W for order 2."""
        # ln of price times the density at zero.
        log_pull = math.log(price * self.shape / self.scale) - float(gammaln(1 / self.shape))
        if order == 1:
            power = max(log_pull, 0.0)
        else:
            exponent = math.log(self.shape) + self.shape * (log_pull - math.log(2 * self.scale))
            power = float(wrightomega(exponent)) / self.shape
        return float(self.scale * power ** (1 / self.shape))


@dataclass(frozen=True)
class PowerLaw:
    """Magnitudes of which (least/x)^tail exceed x >= least.

    Parameters
    ----------
    least : float
        Positive: the smallest magnitude.
    tail : float
        Positive.

    Notes
    -----
    PowerLaw(||g||_1 / d, 1) is the rigorous traffic bound of error feedback (`thr-traffic`): then these are the
    thresholds of a bound, not of a model. Source: dossier chapter 3, `thr-optimal`.

    Examples
    --------
    >>> model = PowerLaw(least=1.0, tail=1.0)
    >>> model.fraction(4.0), round(model.best_threshold(9.0, order=1), 6)
    (0.25, 3.0)
    """

    least: float
    tail: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "least", check_positive(self.least, "least"))
        object.__setattr__(self, "tail", check_positive(self.tail, "tail"))

    @classmethod
    def fit(cls, v: Array, largest: float = 0.1) -> Self:
        """Fit to memory plus gradient: Hill's estimator (1975) on the given fraction of the largest magnitudes.

        Raises
        ------
        ValueError
            If these are fewer than two, not positive or all equal.
        """
        magnitudes = _magnitudes(v)
        k = math.floor(check_positive(largest, "largest", highest=1.0) * magnitudes.size)
        top = np.sort(magnitudes)[::-1][: max(k, 0)]
        if k < 2 or top[-1] == 0 or top[0] == top[-1]:
            raise ValueError(
                f"v has no tail in its {k} largest magnitudes; accepted: two or more positive and different"
            )
        tail = (k - 1) / float(np.sum(np.log(top[:-1] / top[-1])))
        return cls(float(top[-1]) * (k / magnitudes.size) ** (1 / tail), tail)

    def fraction(self, threshold: float) -> float:
        """Return (least/threshold)^tail, at most 1."""
        return float((self.least / max(threshold, self.least)) ** self.tail)

    def best_threshold(self, price: float, order: int) -> float:
        """Return (price tail least^tail / order)^(1/(order + tail)), at least ``least``."""
        log_pull = math.log(price * self.tail / order) + self.tail * math.log(self.least)
        return max(math.exp(log_pull / (order + self.tail)), self.least)


def _magnitudes(v: Array) -> NDArray[np.float64]:
    magnitudes = np.abs(to_numpy(check_gradient(v, "v")).ravel().astype(np.float64))
    if not magnitudes.any():
        raise ValueError("v is zero; accepted: at least one entry that is not")
    return magnitudes


def _moment_ratio(shape: float) -> float:
    """E x^2 / (E x)^2, decreasing in the shape."""
    return math.exp(float(gammaln(1 / shape) + gammaln(3 / shape) - 2 * gammaln(2 / shape)))
