"""The problems of the experiments of dossier chapter 2: real text, convex or not, and quadratics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from taciturn.solvers.methods import delay_smoothness
from taciturn.solvers.partition import split_by_label
from taciturn.solvers.problems import (
    LinearModel,
    Problem,
    Quadratic,
    heterogeneous_quadratic,
    quadratic,
    quadratic_with_spectrum,
    ridge_regression,
)

from ..settings import text

__all__ = [
    "HuberLoss",
    "SigmoidLoss",
    "alike",
    "curvature",
    "disagreement",
    "divided",
    "huber",
    "largest_weighted",
    "matrices",
    "mean_square",
    "quadratics",
    "ridge",
    "shape",
    "sigmoid",
    "steepest",
]

WORKERS = 4
_WEAK = 3e-5  # regularisation at which the conditions of the few tokens still show


@dataclass(frozen=True)
class SigmoidLoss:
    """phi = 1/(1 + exp(y z)), labels y = -1 or +1: a smooth count of errors, not convex, between 0 and 1."""

    curvature: ClassVar[tuple[float, float]] = (-1 / (6 * 3**0.5), 1 / (6 * 3**0.5))
    steepest: ClassVar[float] = 0.25
    """The largest slope."""

    def value_and_slope(self, z: Any, y: Any) -> tuple[Any, Any]:
        """Return the values (..., m) and the gradients in z (..., m, 1)."""
        value = (1 - np.tanh(y * z / 2)) / 2
        return value[..., 0], -y * value * (1 - value)

    def slope_product(self, z: Any, y: Any, v: Any) -> Any:
        """Return the Hessian in z times v."""
        value = (1 - np.tanh(y * z / 2)) / 2
        return value * (1 - value) * (1 - 2 * value) * v


@dataclass(frozen=True)
class HuberLoss:
    """phi = z^2/2 up to the slope, then linear; targets do not matter."""

    slope: float
    curvature: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def value_and_slope(self, z: Any, y: Any) -> tuple[Any, Any]:
        """Return the values (..., m) and the gradients in z (..., m, 1)."""
        pull = np.clip(z, -self.slope, self.slope) + 0 * y
        return (pull * z - pull**2 / 2)[..., 0], pull

    def slope_product(self, z: Any, y: Any, v: Any) -> Any:
        """Return the Hessian in z times v."""
        return np.where(np.abs(z) < self.slope, v, 0 * y * v)


@cache
def divided() -> LinearModel:
    """Return logistic regression on the text, whose workers share as few labels as possible."""
    (block,) = text().blocks
    return text().split(split_by_label(block.targets[:, 0], WORKERS))


@cache
def sigmoid(workers: int) -> LinearModel:
    """Return the smooth count of errors on the text, by one worker or several, without regularisation."""
    whole = divided() if workers == WORKERS else text()
    return replace(whole, loss=SigmoidLoss(), regularisation=0.0)


@cache
def ridge() -> Quadratic:
    """Return ridge regression of the labels on the 8 most frequent tokens, as the quadratics that it is."""
    (block,) = text().blocks
    frequency = np.count_nonzero(block.features, axis=0)
    tokens = np.sort(np.argsort(-frequency, kind="stable")[:8])
    partition = split_by_label(block.targets[:, 0], WORKERS)
    whole = ridge_regression(block.features[:, tokens], block.targets[:, 0], _WEAK).split(partition)
    hessians = [rows.features.T @ rows.features / rows.rows + _WEAK * np.eye(8) for rows in whole.blocks]
    minimisers = [
        np.linalg.solve(hessian, (rows.features.T @ rows.targets)[:, 0] / rows.rows)
        for hessian, rows in zip(hessians, whole.blocks, strict=True)
    ]
    symmetric = [(hessian + hessian.T) / 2 for hessian in hessians]
    return quadratic(symmetric, minimisers, partition.weights)


@cache
def quadratics() -> Mapping[str, Quadratic]:
    """Return the problems on which expectations are exact, by name."""
    weights = [0.5, 0.3, 0.2]
    return MappingProxyType(
        {
            "ridge regression on text": ridge(),
            "three different quadratics": heterogeneous_quadratic(3, 6, 1.0, 0.1, spread=1.0, seed=3, weights=weights),
            "three with one minimiser": heterogeneous_quadratic(3, 6, 1.0, 0.1, spread=0.0, seed=4),
            "steep and flat": quadratic_with_spectrum([1.0, 1.0, 1e-3, 1e-3]),
            "equal curvatures": quadratic_with_spectrum([0.1, 0.1, 0.1, 0.1]),
        }
    )


def alike(problem: Any, workers: int) -> Any:
    """Return the problem of one node held by several workers, each with all of it."""
    weights = np.full(workers, 1 / workers)
    if isinstance(problem, Quadratic):
        hessians, minimisers = (np.repeat(part, workers, axis=0) for part in (problem.hessians, problem.minimisers))
        return replace(problem, hessians=hessians, minimisers=minimisers, weights=weights)
    return replace(problem, blocks=problem.blocks * workers, weights=weights)


def huber(slope: float) -> LinearModel:
    """Return the Huber function of one variable with curvature 1 up to a slope; its minimum is 0 at 0."""
    return replace(ridge_regression(np.ones((1, 1)), np.zeros(1), 0.0), loss=HuberLoss(slope))


def shape(problem: Problem) -> dict[str, float]:
    """Return L_hat and mu."""
    L_hat = delay_smoothness(problem)
    return {"L_hat": L_hat, "mu": min(problem.mu, L_hat)}


def matrices(problem: Quadratic) -> Any:
    """Return the H_i, shape (n, d, d)."""
    hessians = problem.hessians
    return hessians if hessians.ndim == 3 else hessians[..., None] * np.eye(problem.d)


def curvature(problem: Quadratic) -> float:
    """Return the strong convexity that every f_i has."""
    return float(np.min(np.linalg.eigvalsh(matrices(problem))))


def largest_weighted(problem: Problem) -> float:
    """Return Lambda = max_i p_i L_i."""
    return float(np.max(problem.weights * problem.L_i))


def mean_square(problem: Problem) -> float:
    """Return L_Q, the root mean square of the L_i."""
    return float(np.sqrt(problem.weights @ problem.L_i**2))


def disagreement(problem: Problem) -> float:
    """Return E_* = sum_i p_i^2 |h_i|^2."""
    squares = np.sum(problem.worker_gradients(problem.minimiser) ** 2, axis=-1)
    return float(problem.weights**2 @ squares)


def steepest(problem: Any) -> float:
    """Return sum_i p_i^2 G_i^2, G_i the largest gradient of f_i: a slope times the longest row."""
    longest = [float(np.max(np.sum(block.features**2, axis=1))) for block in problem.blocks]
    return float(problem.weights**2 @ (SigmoidLoss.steepest**2 * np.array(longest)))
