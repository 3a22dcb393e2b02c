"""Batches of functions with known constants and minima: quadratics, and sums of piecewise quadratic functions.

A batch of m functions takes points (m, ..., d), one leading entry for each function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from .fields import Array

__all__ = ["Function", "PiecewiseQuadratics", "Quadratics", "dot", "reflected", "reflection", "square"]


def dot(v: Array, w: Array) -> Array:
    """Return the scalar products along the last axis."""
    return np.sum(v * w, axis=-1)


def square(v: Array) -> Array:
    """Return the squared norms along the last axis."""
    return np.sum(v * v, axis=-1)


def reflected(mirror: Array, v: Array) -> Array:
    """Return v (..., d) reflected at the hyperplane orthogonal to the mirror (..., d); unchanged if that is zero."""
    squared = square(mirror)[..., None]
    return v - 2 * dot(mirror, v)[..., None] / np.where(squared > 0, squared, 1.0) * mirror


def reflection(mirror: Array) -> Array:
    """Return the matrices (..., d, d) of the reflections."""
    return reflected(mirror[..., None, :], np.eye(mirror.shape[-1]))


class Function(Protocol):
    """What the attacks use of a batch of functions."""

    def gradient(self, x: Array) -> Array:
        """Return the gradients (m, ..., d)."""

    def gap(self, x: Array) -> Array:
        """Return F(x) - inf F, shape (m, ...)."""

    def decrease(self, x: Array, g: Array, step: Array) -> Array:
        """Return F(x) - F(x - step) with the gradient g at x, shape (m, ...)."""


@dataclass(frozen=True)
class Quadratics:
    """F(x) = 1/2 <x, H x>, with the infimum 0 if H is positive semidefinite."""

    hessian: Array
    """Shape (m, d, d), symmetric."""

    @classmethod
    def along(cls, curvatures: Array, mirror: Array) -> Quadratics:
        """Return the quadratics with these curvatures (m, d) along the reflected axes."""
        axes = reflection(mirror)
        return cls((axes * curvatures[..., None, :]) @ axes)

    def apply(self, v: Array) -> Array:
        """Return H v."""
        return np.einsum("mij,m...j->m...i", self.hessian, v)

    def gradient(self, x: Array) -> Array:
        """Return H x."""
        return self.apply(x)

    def point(self, g: Array) -> Array:
        """Return the points (m, d) with these gradients (m, d); H must not be singular."""
        return np.linalg.solve(self.hessian, g[..., None])[..., 0]

    def gap(self, x: Array) -> Array:
        """Return F(x)."""
        return 0.5 * dot(x, self.apply(x))

    def decrease(self, x: Array, g: Array, step: Array) -> Array:
        """Return <g, step> - 1/2 <step, H step>, free of cancellation where the step is short."""
        del x
        return dot(g, step) - 0.5 * dot(step, self.apply(step))


@dataclass(frozen=True)
class PiecewiseQuadratics:
    """F(x) = sum_j f_j((P x)_j) with reflections P: every f_j' is piecewise linear and zero at zero."""

    knots: Array
    """Where the slopes of the f_j' change, shape (m, d, k), increasing along the last axis."""

    slopes: Array
    """The slopes between the knots, shape (m, d, k + 1), the outer ones not negative."""

    mirror: Array
    """Of the reflection P, shape (m, d)."""

    def coordinates(self, x: Array) -> Array:
        """Return P x."""
        return reflected(self._spread(self.mirror, x.ndim), x)

    def gradient(self, x: Array) -> Array:
        """Return the gradients."""
        return reflected(self._spread(self.mirror, x.ndim), self.derivatives(self.coordinates(x)))

    def gap(self, x: Array) -> Array:
        """Return F(x) - inf F, and 0 where that is too small to be known to ten digits."""
        values, size = self._values(self.coordinates(x))
        lowest = self._spread(self.lowest, x.ndim)
        gap = np.sum(values - lowest, axis=-1)
        return np.where(gap > 1e-6 * np.sum(size + np.abs(lowest), axis=-1), gap, 0.0)

    def decrease(self, x: Array, g: Array, step: Array) -> Array:
        """Return F(x) - F(x - step)."""
        del g
        return np.sum(self.values(self.coordinates(x)) - self.values(self.coordinates(x - step)), axis=-1)

    def derivatives(self, t: Array) -> Array:
        """Return f_j'(t_j), shape (m, ..., d)."""
        first, jumps, knots = self._parts(t.ndim)
        t_at_knots = t[..., None]
        # (t - knot)_+ less its value at 0, in cases so that distant knots cancel exactly.
        turned = np.where(knots <= 0, np.maximum(t_at_knots, knots), np.maximum(t_at_knots - knots, 0.0))
        return first * t + np.sum(jumps * turned, axis=-1)

    def values(self, t: Array) -> Array:
        """Return f_j(t_j) - f_j(0), shape (m, ..., d)."""
        return self._values(t)[0]

    def _values(self, t: Array) -> tuple[Array, Array]:
        """The values, and the sizes of the terms that make them up."""
        first, jumps, knots = self._parts(t.ndim)
        t_at_knots = t[..., None]
        # The integrals of the cases of the derivatives.
        before = np.where(t_at_knots >= knots, 0.5 * t_at_knots**2, knots * (t_at_knots - 0.5 * knots))
        turned = jumps * np.where(knots <= 0, before, 0.5 * np.maximum(t_at_knots - knots, 0.0) ** 2)
        straight = 0.5 * first * t**2
        return straight + np.sum(turned, axis=-1), np.abs(straight) + np.sum(np.abs(turned), axis=-1)

    @cached_property
    def lowest(self) -> Array:
        """The minima of the f_j, shape (m, d): at a knot, or where f_j' is zero between two."""
        at_knots = self._at_knots(self.derivatives)
        before, after = (
            self.knots - np.where(slopes != 0, at_knots / np.where(slopes != 0, slopes, 1.0), 0.0)
            for slopes in (self.slopes[..., :-1], self.slopes[..., 1:])
        )
        last = np.full_like(self.knots[..., :1], np.inf)
        inside = np.clip(after, self.knots, np.concatenate([self.knots[..., 1:], last], axis=-1))
        first = np.minimum(before[..., :1], self.knots[..., :1])
        candidates = np.concatenate([first, self.knots, inside], axis=-1)
        return np.min(np.moveaxis(self.values(np.moveaxis(candidates, -1, 1)), 1, -1), axis=-1)

    @cached_property
    def pl_constant(self) -> Array:
        """The largest mu with |grad F|^2 >= 2 mu (F - min F), shape (m,); NaN unless 0 is the only stationary point.

        On a piece with slope s the difference f'^2 - 2 s f is constant, so f'^2/(2f) = s + constant/(2f) is monotone
        in f, and smallest at a knot, at zero, or at infinity.
        """
        derivatives, values = self._at_knots(self.derivatives), self._at_knots(self.values)
        away = self.knots != 0
        one_sided = np.all(~away | (derivatives * self.knots > 0), axis=(-2, -1))
        at_zero = np.take_along_axis(self.slopes, np.sum(self.knots < 0, axis=-1)[..., None], axis=-1)
        beyond_zero = np.take_along_axis(self.slopes, np.sum(self.knots <= 0, axis=-1)[..., None], axis=-1)
        at_knots = np.where(away, derivatives**2 / np.where(values > 0, 2 * values, np.inf), np.inf)
        everywhere = [at_knots, at_zero, beyond_zero, self.slopes[..., :1], self.slopes[..., -1:]]
        smallest = np.min(np.concatenate(everywhere, axis=-1), axis=(-2, -1))
        return np.where(one_sided & (smallest > 0), smallest, np.nan)

    def _at_knots(self, function: Callable[[Array], Array]) -> Array:
        return np.moveaxis(function(np.moveaxis(self.knots, -1, 1)), 1, -1)

    def _parts(self, ndim: int) -> tuple[Array, Array, Array]:
        first, jumps = self.slopes[..., 0], np.diff(self.slopes, axis=-1)
        return self._spread(first, ndim), self._spread(jumps, ndim + 1), self._spread(self.knots, ndim + 1)

    @staticmethod
    def _spread(values: Array, ndim: int) -> Array:
        """Give (m, d, ...) axes of length one after the first, up to ndim axes."""
        return values.reshape(values.shape[0], *(1 for _ in range(ndim - values.ndim)), *values.shape[1:])
