"""Functions that appear in bounds and are no elementary expressions: sums over the dimension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import sympy

from .stale_steps import noise_factor, pattern_noise_factor_value, pattern_root_step_value, root_step


class sqrt_increments(sympy.Function):
    r"""``h_d = sum_{j<=d} (sqrt(j) - sqrt(j-1))^2``: one over the worst decrease of adaptive S+Q (`beta-adaptive`)."""

    nargs = 1

    def _latex(self, printer: object) -> str:
        return "h_d"


class affine_increments(sympy.Function):
    r"""``w = sum_{j<=d} (sigma_j - sigma_{j-1})^2``, ``sigma_j = sqrt(c0 j + c1 j^2)`` (`cat-sq-bits`)."""

    nargs = 3

    def _latex(self, printer: object) -> str:
        return "w"


class stale_root_step(sympy.Function):
    r"""The largest admissible step of a stale method: L_hat, noise_slope, tau, mu (`stale_steps.root_step`)."""

    nargs = 4

    def _latex(self, printer: object) -> str:
        return r"\gamma_{\rm root}"


class stale_noise_factor(sympy.Function):
    r"""``c_N``: step_size, L_hat, noise_slope, tau, mu (`stale_steps.noise_factor`)."""

    nargs = 5

    def _latex(self, printer: object) -> str:
        return "c_N"


class pattern_root_step(sympy.Function):
    r"""The largest step for a known delay pattern: L_hat, noise_slope, window_norm, window_count."""

    nargs = 4

    def _latex(self, printer: object) -> str:
        return r"\gamma_{\rm root}"


class pattern_noise_factor(sympy.Function):
    r"""``c_N`` for a known delay pattern: step_size, L_hat, noise_slope, window_norm, window_count."""

    nargs = 5

    def _latex(self, printer: object) -> str:
        return "c_N"


def _sqrt_increments(d: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return _affine_increments(d, 1.0, 0.0)


def _affine_increments(d: npt.ArrayLike, c0: npt.ArrayLike, c1: npt.ArrayLike) -> npt.NDArray[np.float64]:
    def single(d: float, c0: float, c1: float) -> float:
        j = np.arange(int(d) + 1, dtype=np.float64)
        return float(np.sum(np.diff(np.sqrt(c0 * j + c1 * j**2)) ** 2))

    return np.asarray(np.vectorize(single, otypes=[np.float64])(d, c0, c1), dtype=np.float64)


NUMERIC: Mapping[str, Callable[..., npt.NDArray[np.float64]]] = MappingProxyType(
    {
        "sqrt_increments": _sqrt_increments,
        "affine_increments": _affine_increments,
        "stale_root_step": root_step,
        "stale_noise_factor": noise_factor,
        "pattern_root_step": pattern_root_step_value,
        "pattern_noise_factor": pattern_noise_factor_value,
        "Max": lambda *values: reduce(np.maximum, values),
        "Min": lambda *values: reduce(np.minimum, values),
    }
)
"""How to evaluate each of them."""
