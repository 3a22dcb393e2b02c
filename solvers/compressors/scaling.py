"""Exact scaling by powers of two, so that squares and sums of huge or tiny entries neither overflow nor vanish."""

from ..array import Array, array_namespace

__all__ = ["check_amplified", "check_magnitude", "per_squared_norm", "power_of_two", "rescaled", "unit_scaled"]


def power_of_two(magnitude: Array) -> Array:
    """Return the largest power of two that is at most each magnitude; zero for zero.

    Notes
    -----
    ``ufp`` of Rump, "Ultimately fast accurate summation", SIAM J. Sci. Comput. 31 (2009), Algorithm 3.6: with unit
    roundoff u and q = (1/(2u) + 1) a, the rounded |q - (1 - u) q| is exact for every a, subnormal ones included, as
    long as q does not overflow; hence the detour through a / 2^64 for large a.

    Examples
    --------
    >>> import numpy as np
    >>> power_of_two(np.array([0.0, 0.3, 4.0, 7.9]))
    array([0.  , 0.25, 4.  , 4.  ])
    """
    xp = array_namespace(magnitude)
    shift = 2.0**64
    large = magnitude >= 1
    a = xp.where(large, magnitude / shift, magnitude)
    roundoff = float(xp.finfo(magnitude.dtype).eps) / 2
    q = (0.5 / roundoff + 1.0) * a
    leading = xp.abs(q - (1.0 - roundoff) * q)
    return xp.where(large, leading * shift, leading)


def unit_scaled(v: Array) -> tuple[Array, Array]:
    """Return (w, unit) with v = w unit: unit (..., 1) a power of two, largest magnitude of w in [1, 2), or zero.

    The division is exact, except that entries about 2^1022 (in float32 2^126) times smaller than the largest lose
    digits or vanish; they do not count next to it.

    Examples
    --------
    >>> import numpy as np
    >>> w, unit = unit_scaled(np.array([3e-200, 1e-200]))
    >>> bool(np.sum(w**2) > 1), bool(np.all(w * unit == [3e-200, 1e-200]))
    (True, True)
    """
    xp = array_namespace(v)
    unit = power_of_two(xp.max(xp.abs(v), axis=-1, keepdims=True))
    unit = xp.where(unit > 0, unit, xp.ones_like(unit))
    return v / unit, unit


def rescaled(norm: Array, unit: Array, name: str) -> Array:
    """Return norm times unit, the norm of a vector from that of the unit-scaled vector.

    Raises
    ------
    ValueError
        If the norm of a vector overflows its type.
    """
    xp = array_namespace(norm)
    largest, margin = float(xp.finfo(norm.dtype).max), 2.0**-64
    if bool(xp.any(norm * margin * unit > largest * margin)):
        raise ValueError(f"{name} has a norm that overflows {norm.dtype}; accepted: up to {largest:.2g}")
    return norm * unit


def per_squared_norm(total: Array, w: Array) -> Array:
    """Return total / ||w||^2 for unit-scaled vectors w (..., d), and 0 where w = 0.

    Examples
    --------
    >>> import numpy as np
    >>> per_squared_norm(np.array([4.0, 0.0]), np.array([[1.0, 1.0], [0.0, 0.0]]))
    array([2., 0.])
    """
    xp = array_namespace(w)
    return total / xp.clip(xp.sum(w * w, axis=-1), min=1.0)  # ||w|| >= 1 unless w = 0


def check_magnitude(v: Array, largest: float, name: str) -> None:
    """Refuse entries so large that what is sent for them may overflow.

    Whether this raises must not depend on coins, or the errors would bias an unbiased compressor; so ``largest`` is
    what fits whatever the coins.

    Raises
    ------
    ValueError
        Naming the largest magnitude and the accepted range.

    Examples
    --------
    >>> import numpy as np
    >>> check_magnitude(np.array([1e308, 1.0]), 9e307, "v")
    Traceback (most recent call last):
        ...
    ValueError: v has entries of magnitude 1e+308, whose compressed values may overflow float64; accepted: up to 9e+307
    """
    xp = array_namespace(v)
    found = max(abs(float(xp.max(v))), abs(float(xp.min(v))))
    if found > largest:
        raise ValueError(
            f"{name} has entries of magnitude {found:.3g}, whose compressed values may overflow {v.dtype}; "
            f"accepted: up to {largest:.3g}"
        )


def check_amplified(v: Array, factor: float, name: str) -> None:
    """Refuse entries that overflow when multiplied by a factor; see `check_magnitude`."""
    check_magnitude(v, float(array_namespace(v).finfo(v.dtype).max) / factor, name)
