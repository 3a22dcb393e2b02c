"""Small pictures for a web page, as SVG that follows the page's colours: what a theorem promises, and how tight it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from taciturn.theory.symbols import Parameter
from taciturn.theory.theorem import Theorem

__all__ = ["Plot", "plot", "typical_parameters"]

_TYPICAL: Mapping[str, float] = {
    "L": 1.0, "mu": 0.1, "L_restricted": 0.5, "L_tilde": 1.0, "relative_step": 1.0, "radius": 1.0,
    "alpha": 0.5, "beta": 0.5, "omega": 0.5, "delta": 0.5, "alpha_min": 0.5,
    "T": 10, "d": 100, "nnz": 50, "effective_sparsity": 20.0, "effective_dimension": 20.0,
    "c0": 640.0, "c1": 64.0, "cost": 1280.0, "dense_cost": 6400.0, "efficiency": 1e-3,
    "smallest_efficiency": 1.0, "largest_efficiency": 2.0,
    "gradient_noise": 0.1, "dissimilarity": 1.2, "heterogeneity": 0.1, "noise_smoothness": 1.0, "noise_at_optimum": 0.01,
}  # fmt: skip

_FAMILIES = ("alpha", "beta", "omega", "delta", "alpha_min", "T", "mu")
"""Parameters that tell the curves of one picture apart, the most telling first."""

_AXES = ("step_size", "T", "alpha", "beta", "omega", "effective_sparsity", "L_restricted", "d", "smallest_efficiency")
"""Parameters along the axis of a picture, the most telling first; else the last one."""

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 440.0, 230.0, 52.0, 12.0, 10.0, 26.0
_EPS, _INITIAL = 1e-3, 1.0


@dataclass(frozen=True)
class Plot:
    """A picture and what belongs around it.

    Attributes
    ----------
    svg
        The picture, in colours that the page sets by class.
    formula
        What is drawn: a field of the theorem.
    axis
        What it is drawn against, LaTeX.
    family
        The curves' names, LaTeX, in their order; empty for a single curve.
    fixed
        Values of the other parameters, LaTeX.
    """

    svg: str
    formula: str
    axis: str
    family: tuple[str, ...]
    fixed: tuple[str, ...]


@dataclass(frozen=True)
class _Curves:
    """What is drawn: abscissae (n,), and ordinates (curves, n)."""

    x: Any
    y: Any
    logarithmic: bool
    steps: bool = False


def typical_parameters(theorem: Theorem) -> dict[str, float]:
    """Return a value of every parameter without default, inside the range of the theorem.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> typical_parameters(theorem("topT-pl-rate"))
    {'L': 1.0, 'mu': 0.1, 'alpha': 0.5}
    """
    return {entry.name: _TYPICAL.get(entry.name, 1.0) for entry in theorem.parameters if entry.name not in theorem.defaults}


def plot(theorem: Theorem) -> Plot | None:
    """Draw what the theorem promises: its bound against the iterations, else its number against a parameter.

    Returns
    -------
    Plot or None
        ``None`` for a theorem without formula or parameters.
    """
    values = typical_parameters(theorem)
    if theorem.bound_formula is not None:
        return _bound_plot(theorem, values)
    for formula in ("decrease", "value", "bits", "iterations"):
        if getattr(theorem, f"{formula}_formula" if formula == "iterations" else formula) is not None:
            return _formula_plot(theorem, formula, values) if theorem.parameters else None
    return None
