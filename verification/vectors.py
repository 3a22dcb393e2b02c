"""Vectors at which compressors go wrong: ties, zeros, extreme sizes, and the worst cases of the known constants."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.checks import check_count

__all__ = ["structured_vectors"]


def structured_vectors(d: int, dtype: Any = np.float64) -> dict[str, NDArray[Any]]:
    """Return vectors of R^d by name.

    Parameters
    ----------
    d : int
        Dimension.
    dtype : data type
        float64 or float32.

    Returns
    -------
    dict of ndarray (d,)
        Ordinary shapes, the worst vectors of the constants in `taciturn.theory.compression`, and the largest and
        smallest sizes that the type holds: "huge" leaves a factor of 2^20, "tiny" a factor of 2^40 to the limits of
        normal numbers.

    Examples
    --------
    >>> structured_vectors(4)["one large, others equal"]
    array([1.        , 0.33333333, 0.33333333, 0.33333333])
    """
    check_count(d, "d")
    rng = np.random.default_rng(d)
    limits = np.finfo(dtype)
    j = np.arange(d)
    signs = np.where(j % 2 == 0, 1.0, -1.0)
    gaussian = rng.standard_normal(d)
    one = np.where(j == 0, 1.0, 0.0)
    vectors = {
        "zero": np.zeros(d),
        "one entry": -one,
        "flat": np.ones(d),  # top-k, sampling, 2-norm rounding
        "flat, both signs": signs,
        "flat on half": np.where(j < (d + 1) // 2, signs, 0.0),
        "two entries": np.where(j < 2, 1.0, 0.0),
        "two magnitudes": np.where(j < (d + 1) // 2, 2.0, -1.0),
        "linear": (j + 1.0) * signs,
        "geometric": 0.5**j,
        "root increments": np.sqrt(j + 1.0) - np.sqrt(j),  # scaled sign, at the best k
        "one large, others equal": np.where(j == 0, 1.0, 1.0 / (1.0 + np.sqrt(d))),  # max-norm rounding to 3 levels
        "one large, others small": np.where(j == 0, 1.0, 1e-3 * signs),  # scaled sign
        "half-integers": j % 3 + 0.5,  # rounding to levels
        "between powers of two": 4.0 / 3.0 * 2.0 ** (j % 3),  # rounding to powers of two
        "gaussian": gaussian,
        "all negative": -np.abs(gaussian) - 1e-3,
        "heavy-tailed": rng.standard_cauchy(d),
        "sparse": np.where(j % 4 == 1, gaussian, 0.0) if d > 1 else gaussian,
        "huge": gaussian / np.max(np.abs(gaussian)) * float(limits.max) * 2.0**-20,
        "tiny": gaussian / np.max(np.abs(gaussian)) * float(limits.smallest_normal) * 2.0**40,
        "huge and tiny": np.where(j == 0, float(limits.max) * 2.0**-20, float(limits.smallest_normal) * 2.0**40),
        "subnormal": (j % 3 + 1) * signs * float(limits.smallest_subnormal),
    }
    return {name: vector.astype(dtype) for name, vector in vectors.items()}
