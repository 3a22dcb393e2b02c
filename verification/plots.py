"""Small pictures of what a theorem promises, as SVG that takes its colours from the page around it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import sympy

from taciturn.theory.symbols import Parameter
from taciturn.theory.theorem import Guarantee, Theorem

__all__ = ["Plot", "plot", "typical_parameters"]

_TYPICAL: Mapping[str, float] = {
    "L": 1.0, "mu": 0.1, "L_restricted": 0.5, "L_tilde": 1.0, "relative_step": 1.0, "radius": 1.0,
    "alpha": 0.5, "beta": 0.5, "omega": 0.5, "delta": 0.5, "alpha_min": 0.5,
    "T": 10, "d": 100, "nnz": 50, "effective_sparsity": 20.0, "effective_dimension": 20.0,
    "c0": 640.0, "c1": 64.0, "cost": 1280.0, "dense_cost": 6400.0, "efficiency": 1e-3,
    "smallest_efficiency": 1.0, "largest_efficiency": 2.0,
    "gradient_noise": 0.1, "dissimilarity": 1.2, "heterogeneity": 0.1,
    "noise_smoothness": 1.0, "noise_at_optimum": 0.01, "noise_slope": 0.1, "noise_floor": 0.01,
    "optimum_gradients": 0.01,
    "relative_noise": 0.5, "absolute_noise": 0.1, "absolute_error": 0.1,
    "tau": 4, "workers": 10, "sparsity_sigma": 2.0,
}  # fmt: skip

_FAMILIES: Mapping[str, tuple[float, ...]] = {
    **dict.fromkeys(("alpha", "beta", "omega", "delta", "alpha_min"), (1.0, 0.5, 0.1)),
    "T": (20, 5, 1),
    "mu": (0.5, 0.1, 0.02),
}
"""Parameters that tell the curves of one picture apart, the most telling first, and their values."""

_AXES = (
    *("step_size", "T", "L_restricted", "alpha", "beta", "omega", "effective_sparsity", "efficiency", "d"),
    *("smallest_efficiency", "c0"),
)
"""Parameters along the axis of a picture, the most telling first; else the last one of the theorem."""

_Scale: TypeAlias = Literal["linear", "semilogarithmic", "logarithmic"]

_EPS, _INITIAL = 1e-3, 1.0
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 440.0, 220.0, 48.0, 16.0, 10.0, 24.0


@dataclass(frozen=True)
class Plot:
    """A picture and what is written around it.

    Attributes
    ----------
    svg
        The picture; its colours are the page's, by class: ``c0``, ``c1``, … for the curves.
    formula
        What is drawn: the name of a formula of the theorem.
    axis
        What it is drawn against, LaTeX.
    curves
        Names of the curves, LaTeX; empty for a single curve.
    fixed
        Values of the other parameters, LaTeX.
    """

    svg: str
    formula: str
    axis: str
    curves: tuple[str, ...]
    fixed: tuple[str, ...]


def typical_parameters(theorem: Theorem) -> dict[str, float]:
    """Return a usual value of every parameter that has no default; the middle of its range where that is outside.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> typical_parameters(theorem("topT-pl-rate"))
    {'L': 1.0, 'mu': 0.1, 'alpha': 0.5}
    """
    free = [entry for entry in theorem.parameters if entry.name not in theorem.defaults]
    values = {entry.name: _TYPICAL.get(entry.name, 1.0) for entry in free}
    for entry in free:
        lower, upper = _ends(theorem, entry, values)
        value = values[entry.name]
        above = value > lower if entry.domain.lower_open else value >= lower
        below = value < upper if entry.domain.upper_open else value <= upper
        if not (above and below):
            values[entry.name] = (lower + upper) / 2 if math.isfinite(upper) else lower + 1
    return values


def plot(theorem: Theorem) -> Plot | None:
    """Draw what the theorem promises: its bound against the iterations, else its number against a parameter.

    Returns
    -------
    Plot or None
        ``None`` for a theorem without formula or parameters, or where the usual values of the parameters do not fit.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> picture = plot(theorem("topT-pl-rate"))
    >>> picture.formula, picture.axis, picture.curves[0]
    ('bound', 'k', '\\\\alpha=1')
    """
    if theorem.bound_formula is not None:
        return _against_iterations(theorem)
    formulas = ("decrease", "value", "bits", "iterations")
    stated = [name for name in formulas if getattr(theorem, name) is not None]
    return _against_parameter(theorem, stated[0]) if stated and theorem.parameters else None


def _against_iterations(theorem: Theorem) -> Plot | None:
    values = typical_parameters(theorem)
    family = next((name for name in _FAMILIES if name in values), None)
    members = [values] if family is None else [values | {family: value} for value in _FAMILIES[family]]
    guarantees = [theorem.evaluate(**member) for member in members if _in_range(theorem, member)]
    if not guarantees:
        return None
    counts = [_iterations(guarantee) for guarantee in guarantees]
    end = int(np.clip(np.median([count for count in counts if math.isfinite(count)] or [60]), 20, 2000))
    geometric = theorem.rate is not None
    k = np.unique((np.linspace if geometric else np.geomspace)(1, end, 200).astype(int))
    y = np.array([guarantee.bound(k, _INITIAL) for guarantee in guarantees])
    names = () if family is None else tuple(_equation(theorem, family, g.values[family]) for g in guarantees)
    picture = _svg(k, y, scale="semilogarithmic" if geometric else "logarithmic")
    return Plot(picture, "bound", "k", names, _fixed(theorem, values, family))


def _against_parameter(theorem: Theorem, formula: str) -> Plot | None:
    values = typical_parameters(theorem)
    names = [entry.name for entry in theorem.parameters]
    axis = next((name for name in _AXES if name in names), names[-1])
    entry = theorem.parameters[names.index(axis)]
    x = _grid(theorem, entry, values)
    if not _in_range(theorem, {**values, axis: x}):  # some of it lies where the range of another parameter ends
        x = np.array([value for value in x if _in_range(theorem, {**values, axis: value})])
    if np.unique(x).size < 2:
        return None
    guarantee = theorem.evaluate(**{**values, axis: x})
    if formula in ("bits", "iterations"):
        y = getattr(guarantee, formula)(_EPS, _INITIAL)
    else:
        y = getattr(guarantee, formula)
    scale: _Scale = "semilogarithmic" if np.max(y) > 20 * np.median(y) > 0 else "linear"
    return Plot(_svg(x, np.asarray(y)[None], scale=scale), formula, entry.tex, (), _fixed(theorem, values, axis))


def _iterations(guarantee: Guarantee) -> float:
    if guarantee.theorem.iterations_formula is None:
        return math.inf
    return float(guarantee.iterations(_EPS, _INITIAL))


def _in_range(theorem: Theorem, values: Mapping[str, Any]) -> bool:
    try:
        theorem.evaluate(**values)
    except ValueError:
        return False
    return True


def _grid(theorem: Theorem, entry: Parameter, values: Mapping[str, float]) -> Any:
    """Values of a parameter over its range; five times the usual value where the range has no upper end."""
    lower, upper = _ends(theorem, entry, values)
    if not math.isfinite(upper):
        upper = max(5 * _TYPICAL.get(entry.name, 1.0), 2 * lower)
    if entry.domain.integer:
        return np.unique(np.linspace(lower, upper, 200).astype(int))
    margin = (upper - lower) / 200
    opened = (entry.domain.lower_open, entry.domain.upper_open)
    return np.linspace(lower + margin * opened[0], upper - margin * opened[1], 200)


def _ends(theorem: Theorem, entry: Parameter, values: Mapping[str, float]) -> tuple[float, float]:
    """The ends of a parameter's range at some values of the others; 0 and infinity where it has none."""
    known = {**values, **{name: theorem.compute(formula, values) for name, formula in theorem.defaults.items()}}
    lower, upper = (
        missing if end is None else float(theorem.compute(sympy.sympify(end), known))
        for end, missing in ((entry.domain.lower, 0.0), (entry.domain.upper, math.inf))
    )
    return lower, upper


def _fixed(theorem: Theorem, values: Mapping[str, float], drawn: str | None) -> tuple[str, ...]:
    return tuple(_equation(theorem, name, value) for name, value in values.items() if name != drawn)


def _equation(theorem: Theorem, name: str, value: float) -> str:
    (tex,) = (entry.tex for entry in theorem.parameters if entry.name == name)
    return f"{tex}={float(value):g}"


def _svg(x: Any, y: Any, *, scale: _Scale) -> str:
    """Curves y (curves, n) over x (n,) with axes; a logarithmic scale shows what is positive, over ten decades."""
    if scale == "linear":
        y_ticks = _round_numbers(min(float(y.min()), 0.0), float(y.max()))
    else:
        with np.errstate(divide="ignore"):
            y = np.log10(y)
        y_ticks = _decades(y[np.isfinite(y)])
    if scale == "logarithmic":
        x = np.log10(x)
        x_ticks = _decades(x)
    else:
        x_ticks = _round_numbers(float(x[0]), float(x[-1]))
    low, high = y_ticks[0], y_ticks[-1]
    if low == high:  # a formula that is zero, or one power of ten, everywhere
        low, high = low - 1, high + 1

    def across(value: Any) -> Any:
        return _LEFT + (value - x[0]) / (x[-1] - x[0]) * (_WIDTH - _LEFT - _RIGHT)

    def down(value: Any) -> Any:
        return _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img">']
    for tick in y_ticks:
        label = _number(tick) if scale == "linear" else _power_of_ten(tick)
        parts.append(f'<path class="grid" d="M{_LEFT:g} {down(tick):.1f}H{_WIDTH - _RIGHT:g}"/>')
        parts.append(f'<text x="{_LEFT - 6:g}" y="{down(tick) + 4:.1f}" text-anchor="end">{label}</text>')
    for tick in x_ticks:
        if x[0] <= tick <= x[-1]:
            label = _power_of_ten(tick) if scale == "logarithmic" else _number(tick)
            parts.append(f'<text x="{across(tick):.1f}" y="{_HEIGHT - 6:g}" text-anchor="middle">{label}</text>')
    for i, curve in enumerate(y):
        shown = (curve >= low) & (curve <= high)
        points = " ".join(f"{across(a):.1f},{down(b):.1f}" for a, b in zip(x[shown], curve[shown], strict=True))
        parts.append(f'<polyline class="curve c{i}" points="{points}"/>')
    return "".join((*parts, "</svg>"))


def _decades(exponents: Any) -> list[float]:
    """Whole exponents around some numbers, at most ten decades from the top, in at most six steps."""
    top = math.ceil(exponents.max() - 1e-9)
    bottom = max(min(math.floor(exponents.min() + 1e-9), top - 1), top - 10)
    step = -(-(top - bottom) // 6)
    return [float(tick) for tick in range(top - step * -(-(top - bottom) // step), top + 1, step)]


def _round_numbers(low: float, high: float) -> list[float]:
    """About five round numbers around an interval."""
    raw = (high - low) / 5 or 1.0
    unit = 10.0 ** math.floor(math.log10(raw))
    step = unit * next(factor for factor in (1, 2, 5, 10) if factor * unit >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _number(value: float) -> str:
    if value == 0 or 1e-4 <= abs(value) < 1e5:
        return f"{value:g}"
    mantissa, exponent = f"{value:e}".split("e")
    return f"{float(mantissa):g}·" + _power_of_ten(float(exponent), plain=False)


def _power_of_ten(exponent: float, *, plain: bool = True) -> str:
    if plain and abs(exponent) <= 3:
        return f"{10.0**exponent:g}"
    sign = "−" if exponent < 0 else ""
    return f'10<tspan dy="-4" font-size="8">{sign}{abs(exponent):g}</tspan>'
