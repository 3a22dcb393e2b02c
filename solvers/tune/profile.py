"""The profile of a gradient: what its T largest entries hold, for every T."""

import math
from dataclasses import dataclass

from ..array import Array, array_namespace, check_gradient

__all__ = ["Profile", "prefix_sums", "profile", "safe_scale", "summed_magnitudes"]

_BLOCK = 128


@dataclass(frozen=True)
class Profile:
    """Sums over the T largest magnitudes b_1 >= b_2 >= ... of a gradient, in double precision.

    Attributes
    ----------
    magnitudes : Array, shape (..., d)
        b_T / scale.
    energy : Array, shape (..., d)
        A_T / scale^2, the sum of the T largest squares.
    mass : Array, shape (..., d)
        B_T / scale, the sum of the T largest magnitudes.
    nonzeros : Array of integers, shape (...)
        Number of entries that are not zero, also where their quotient by the scale is.
    scale : float
        1, unless squares would leave the range of double precision; then a power of two near the largest magnitude.
    """

    magnitudes: Array
    energy: Array
    mass: Array
    nonzeros: Array
    scale: float

    @property
    def alpha(self) -> Array:
        """The certified decrease of S in units of |g|^2/(2L), A_T / |g|^2, shape (..., d)."""
        return self.energy / self.energy[..., -1:]

    @property
    def beta(self) -> Array:
        """The certified decrease of S+Q, B_T^2 / (T |g|^2), shape (..., d); meaningful for T up to `nonzeros`."""
        xp = array_namespace(self.mass)
        T = xp.arange(1, self.mass.shape[-1] + 1, dtype=self.mass.dtype, device=self.mass.device)
        return self.mass**2 / (T * self.energy[..., -1:])

    @property
    def effective_sparsity(self) -> Array:
        """s(g) = |g|_1^2 / |g|^2, shape (...): alpha(T) >= 1 - s/(4T) whatever the dimension."""
        return self.mass[..., -1] ** 2 / self.energy[..., -1]


def profile(gradient: Array) -> Profile:
    """Sort the magnitudes of a gradient and sum them up.

    Parameters
    ----------
    gradient : Array, shape (..., d)
        One gradient, or a stack of them; none of them zero.

    Returns
    -------
    Profile

    Raises
    ------
    TypeError
        If the gradient is not an array of real floating-point numbers.
    ValueError
        If it is empty or not finite, or a gradient is zero.

    Notes
    -----
    Dossier, chapter 1, sections 1.3 (`alpha-profile`) and 2.3 (`beta-profile`).

    Examples
    --------
    >>> import numpy as np
    >>> p = profile(np.array([1.0, 0.0, -2.0]))
    >>> p.alpha, p.beta, float(p.effective_sparsity)
    (array([0.8, 1. , 1. ]), array([0.8, 0.9, 0.6]), 1.8)
    """
    gradient = check_gradient(gradient)
    sums = summed_magnitudes(gradient)
    if not bool(array_namespace(gradient).all(sums.magnitudes[..., 0] > 0)):
        raise ValueError("gradient is zero: its alpha and beta are not defined; a method stops before")
    return sums


def summed_magnitudes(gradient: Array) -> Profile:
    """Return the profile of a checked gradient; where it is zero, alpha and beta must not be asked for."""
    xp = array_namespace(gradient)
    ascending = xp.sort(xp.abs(gradient), axis=-1, stable=False)
    scale = safe_scale(float(xp.max(ascending)))
    magnitudes = xp.astype(xp.flip(ascending, axis=-1), xp.float64) / scale
    nonzeros = xp.count_nonzero(ascending, axis=-1)
    return Profile(magnitudes, prefix_sums(magnitudes**2), prefix_sums(magnitudes), nonzeros, scale)


def prefix_sums(x: Array) -> Array:
    """Return the cumulative sums along the last axis, with an error that grows only with the logarithm of its length.

    One running sum drifts: after a million equal entries it is off by 1e-10, enough to hide that their means are
    equal. Sums within blocks, and prefix sums of those, keep ties within 1e-13.

    Examples
    --------
    >>> import numpy as np
    >>> means = prefix_sums(np.full(10**5, 0.1)) / np.arange(1, 10**5 + 1)
    >>> bool(np.ptp(means) < 1e-13)
    True
    """
    xp = array_namespace(x)
    *rows, d = x.shape
    if d <= _BLOCK:
        return xp.cumulative_sum(x, axis=-1)
    blocks = -(-d // _BLOCK)
    padding = xp.zeros((*rows, blocks * _BLOCK - d), dtype=x.dtype, device=x.device)
    inner = xp.cumulative_sum(xp.reshape(xp.concat((x, padding), axis=-1), (*rows, blocks, _BLOCK)), axis=-1)
    before = xp.concat((xp.zeros_like(x[..., :1]), prefix_sums(inner[..., -1])[..., :-1]), axis=-1)
    return xp.reshape(inner + before[..., None], (*rows, blocks * _BLOCK))[..., :d]


def safe_scale(largest: float) -> float:
    """Return a power of two by which magnitudes are divided so that their squares do not overflow or vanish.

    Examples
    --------
    >>> safe_scale(3.0), safe_scale(2.0**1000) == 2.0**1000
    (1.0, True)
    """
    if 1e-100 < largest < 1e100:
        return 1.0
    _, exponent = math.frexp(largest)
    return math.ldexp(1.0, exponent - 1)
