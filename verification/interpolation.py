"""A function through given points, gradients and values: worst cases as functions one can call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import clarabel
import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["InterpolatingFunction", "reconstruct"]

Vector: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class InterpolatingFunction:
    r"""The largest L-smooth function of lower curvature `mu` with given values and gradients.

    With ``f_i``, ``g_i`` what is left after subtracting ``mu/2 |x|^2``, and ``l = L - mu``,

    .. math:: F(x) = \tfrac\mu2|x|^2 + \min_{\lambda\in\Delta}\Big[\tfrac l2\big|x-\sum_i\lambda_i(x_i-g_i/l)\big|^2
              + \sum_i\lambda_i\big(f_i-\tfrac1{2l}|g_i|^2\big)\Big]:

    the convex hull of the parabolas of curvature l that touch the data; the conjugate of the construction in Taylor,
    Hendrickx, Glineur (2017), arXiv 1502.05666, theorem 4. Being the largest, it has every lower bound that any
    function with this data has.

    Parameters
    ----------
    points, gradients
        Shape (n, d).
    values
        Shape (n,); the three must satisfy the interpolation conditions of the class.
    L, mu
        Upper and lower curvature, ``mu < L``; ``mu = -L`` for smooth functions without convexity.

    Examples
    --------
    >>> F = InterpolatingFunction(np.array([[0.0], [1.0]]), np.array([[0.0], [0.5]]), np.array([0.0, 0.2]), L=1, mu=0.1)
    >>> x = np.array([1.0])
    >>> round(F(x), 6), F.gradient(x).round(6)
    (0.2, array([0.5]))
    """

    points: Vector
    gradients: Vector
    values: Vector
    L: float
    mu: float

    def __call__(self, x: Vector) -> float:
        """The value at `x` of shape (d,)."""
        anchors, heights = self._parabolas
        weights = self._weights(x)
        away = x - weights @ anchors
        return float(self.mu / 2 * x @ x + (self.L - self.mu) / 2 * away @ away + weights @ heights)

    def gradient(self, x: Vector) -> Vector:
        """The gradient at `x` of shape (d,)."""
        anchors, _ = self._parabolas
        return np.asarray(self.mu * x + (self.L - self.mu) * (x - self._weights(x) @ anchors))

    @property
    def _parabolas(self) -> tuple[Vector, Vector]:
        """Lowest points and values of the parabolas that touch the convex part at the data."""
        curvature = self.L - self.mu
        gradients = self.gradients - self.mu * self.points
        values = self.values - self.mu / 2 * np.sum(self.points**2, axis=1)
        return self.points - gradients / curvature, values - np.sum(gradients**2, axis=1) / (2 * curvature)

    def _weights(self, x: Vector) -> Vector:
        anchors, heights = self._parabolas
        n, curvature = len(heights), self.L - self.mu
        # Around x, so that the quadratic program does not lose digits far from the origin.
        away = anchors - x
        simplex = sparse.csc_matrix(np.vstack([np.ones(n), -np.eye(n)]))
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
        solver = clarabel.DefaultSolver(
            sparse.csc_matrix(np.triu(curvature * away @ away.T)),
            heights,
            simplex,
            np.concatenate([[1.0], np.zeros(n)]),
            [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(n)],
            settings,
        )
        solution = solver.solve()
        if solution.status not in (clarabel.SolverStatus.Solved, clarabel.SolverStatus.AlmostSolved):
            raise ArithmeticError(f"no convex combination found at x={x}: Clarabel says {solution.status}")
        weights = np.maximum(np.asarray(solution.x), 0)
        return np.asarray(weights / weights.sum())


def reconstruct(instance: Mapping[str, Any]) -> InterpolatingFunction:
    """The function behind an instance of `taciturn.verification.tightness.worst_instances`.

    Raises
    ------
    ValueError
        If the instance belongs to a class without smoothness.
    """
    if instance["L"] is None:
        raise ValueError(f"the worst case of {instance['theorem']} is not smooth: no gradient interpolates it")

    def array(name: str) -> Vector:
        entries: Sequence[Any] = instance[name]
        return np.asarray(entries, dtype=np.float64)

    return InterpolatingFunction(array("points"), array("gradients"), array("values"), instance["L"], instance["mu"])
