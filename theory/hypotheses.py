"""The inequalities that proofs start from, as functions of the points they are written at."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from .certificate import Hypothesis
from .gram import Vector, inner, square
from .symbols import Expr


@dataclass(frozen=True)
class Point:
    """A point with its gradient and function value; positions are relative to the minimiser where there is one."""

    name: str
    x: Expr
    gradient: Expr
    value: Expr


def minimiser(value: Expr | None = None) -> Point:
    """The minimiser: origin of the coordinates, zero gradient."""
    return Point("x*", sympy.S.Zero, sympy.S.Zero, sympy.Symbol("F_star", real=True) if value is None else value)


def start(x: Expr | None = None) -> Point:
    """The current point ``x`` (position ``e = x - x*``) with gradient ``g`` and value ``F``."""
    return Point("x", Vector("e") if x is None else x, Vector("g"), sympy.Symbol("F", real=True))


def after(step: Expr, name: str = "x+", *, x: Expr | None = None) -> Point:
    """The point ``x - step`` with gradient ``g_next`` and value ``F_next``."""
    origin = Vector("e") if x is None else x
    return Point(name, origin - step, Vector("g_next"), sympy.Symbol("F_next", real=True))


def smooth(a: Point, b: Point, L: Expr) -> Hypothesis:
    """``F(b) <= F(a) + <g_a, b - a> + L/2 |b - a|^2``."""
    expression = a.value + inner(a.gradient, b.x - a.x) + L / 2 * square(b.x - a.x) - b.value
    return Hypothesis(f"smoothness from {a.name} to {b.name}", expression, "L_smooth")


def strongly_convex(a: Point, b: Point, mu: Expr) -> Hypothesis:
    """``F(b) >= F(a) + <g_a, b - a> + mu/2 |b - a|^2``."""
    expression = b.value - a.value - inner(a.gradient, b.x - a.x) - mu / 2 * square(b.x - a.x)
    return Hypothesis(f"strong convexity at {a.name}, seen from {b.name}", expression, "strongly_convex")


def convex(a: Point, b: Point) -> Hypothesis:
    """``F(b) >= F(a) + <g_a, b - a>``."""
    expression = b.value - a.value - inner(a.gradient, b.x - a.x)
    return Hypothesis(f"convexity at {a.name}, seen from {b.name}", expression, "convex")


def lower_smooth(a: Point, b: Point, L: Expr) -> Hypothesis:
    """``F(b) >= F(a) + <g_a, b - a> - L/2 |b - a|^2``, from a Lipschitz gradient."""
    expression = b.value - a.value - inner(a.gradient, b.x - a.x) + L / 2 * square(b.x - a.x)
    return Hypothesis(f"lower smoothness from {a.name} to {b.name}", expression, "lipschitz_gradient")


def interpolation(i: Point, j: Point, L: Expr, mu: Expr) -> Hypothesis:
    """The interpolation inequality ``I_ij`` of L-smooth, mu-strongly convex functions (mu < L)."""
    dg, dx = i.gradient - j.gradient, i.x - j.x
    quadratic = square(dg) / L + mu * square(dx) - 2 * mu / L * inner(dg, dx)
    expression = i.value - j.value - inner(j.gradient, dx) - quadratic / (2 * (1 - mu / L))
    return Hypothesis(f"interpolation {i.name}, {j.name}", expression, "strongly_convex, lipschitz_gradient")


def convex_interpolation(i: Point, j: Point, L: Expr) -> Hypothesis:
    """``F_i >= F_j + <g_j, x_i - x_j> + |g_i - g_j|^2/(2L)``."""
    expression = i.value - j.value - inner(j.gradient, i.x - j.x) - square(i.gradient - j.gradient) / (2 * L)
    return Hypothesis(f"convex interpolation {i.name}, {j.name}", expression, "convex, lipschitz_gradient")


def smooth_interpolation(i: Point, j: Point, L: Expr) -> Hypothesis:
    """``F_i >= F_j + <g_i + g_j, x_i - x_j>/2 + |g_i - g_j|^2/(4L) - L/4 |x_i - x_j|^2`` (no convexity)."""
    dx, dg = i.x - j.x, i.gradient - j.gradient
    expression = i.value - j.value - inner(i.gradient + j.gradient, dx) / 2 - square(dg) / (4 * L) + L / 4 * square(dx)
    return Hypothesis(f"smooth interpolation {i.name}, {j.name}", expression, "lipschitz_gradient")


def lipschitz(a: Point, b: Point, L: Expr) -> Hypothesis:
    """``|g_a - g_b|^2 <= L^2 |a - b|^2``."""
    expression = L**2 * square(a.x - b.x) - square(a.gradient - b.gradient)
    return Hypothesis(f"Lipschitz gradient {a.name}, {b.name}", expression, "lipschitz_gradient")


def monotone(a: Point, b: Point, L: Expr, mu: Expr) -> Hypothesis:
    """``<g - mu e, L e - g> >= 0`` for the differences of gradients and points."""
    g, e = a.gradient - b.gradient, a.x - b.x
    expression = inner(g - mu * e, L * e - g)
    return Hypothesis(f"co-coercivity {a.name}, {b.name}", expression, "strongly_convex, lipschitz_gradient")


def pl(a: Point, mu: Expr, minimum: Expr | None = None) -> Hypothesis:
    """``|g|^2 >= 2 mu (F - F*)``."""
    lowest = sympy.Symbol("F_star", real=True) if minimum is None else minimum
    return Hypothesis(f"PL at {a.name}", square(a.gradient) - 2 * mu * (a.value - lowest), "PL")


def projection_type(g: Expr, q: Expr) -> Hypothesis:
    """``<g, q> = |q|^2``."""
    return Hypothesis("q is of projection type", inner(g, q) - square(q), "projection", equality=True)


def efficiency(g: Expr, q: Expr, alpha: Expr) -> Hypothesis:
    """``|q|^2 >= alpha |g|^2``."""
    return Hypothesis("efficiency of q", square(q) - alpha * square(g), "projection")
