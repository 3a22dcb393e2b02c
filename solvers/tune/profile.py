"""The profile of a gradient: what its T largest entries hold, for every T."""

import math
from dataclasses import dataclass

from ..array import Array, array_namespace, check_gradient

__all__ = ["Profile", "profile", "safe_scale"]


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
    scale : float
        1, unless squares would leave the range of double precision; then a power of two near the largest magnitude.
    """

    magnitudes: Array
    energy: Array
    mass: Array
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

    @property
    def nonzeros(self) -> Array:
        """Number of entries that are not zero, shape (...)."""
        return array_namespace(self.magnitudes).count_nonzero(self.magnitudes, axis=-1)


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
    check_gradient(gradient)
    xp = array_namespace(gradient)
    magnitudes = xp.abs(gradient)
    largest = xp.max(magnitudes, axis=-1)
    if not bool(xp.all(largest > 0)):
        raise ValueError("gradient is zero; the profile of a zero gradient is not defined")
    scale = safe_scale(float(xp.max(largest)))
    magnitudes = xp.astype(xp.sort(magnitudes, axis=-1, descending=True, stable=False), xp.float64) / scale
    energy, mass = xp.cumulative_sum(magnitudes**2, axis=-1), xp.cumulative_sum(magnitudes, axis=-1)
    return Profile(magnitudes, energy, mass, scale)


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
