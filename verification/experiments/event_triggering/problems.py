"""Workers, networks and triggers of the experiments of dossier chapter 4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from taciturn.solvers.data import load_digits
from taciturn.solvers.decentralised import (
    Constant,
    DecentralisedRun,
    DifferenceNorm,
    EventTriggeredGradient,
    NormAndAngle,
    Path,
    Tensors,
    Trigger,
    fixed_point,
    run_decentralised,
)
from taciturn.solvers.partition import split_by_label
from taciturn.solvers.problems import Problem, Quadratic, heterogeneous_quadratic, quadratic, softmax_regression
from taciturn.solvers.topology import lazy, metropolis, network
from taciturn.theory.mixing import Mixing, check_mixing_matrix, mixing

__all__ = [
    "WORKERS",
    "RoundRobin",
    "Setting",
    "alike",
    "distances",
    "run",
    "safe",
    "settings",
    "settled",
    "shifted",
]

WORKERS = 8
_ITERATIONS = 60


@dataclass(frozen=True, eq=False)
class Setting:
    """Workers on a network.

    Parameters
    ----------
    name
        In words.
    problem
        With equal weights.
    L, mu
        Largest and smallest constant of the f_i.
    W
        Mixing matrix, symmetric.
    """

    name: str
    problem: Problem
    L: float
    mu: float
    W: Any

    @property
    def figures(self) -> Mixing:
        """Of the mixing matrix."""
        return mixing(self.W)

    @property
    def dense(self) -> Any:
        """W as an array (n, n)."""
        return check_mixing_matrix(self.W)

    @property
    def start(self) -> Any:
        """A start of all workers."""
        return np.random.default_rng(7).standard_normal(self.problem.d)

    @property
    def optimum_dissimilarity(self) -> float:
        """zeta_*."""
        squares = np.sum(self.problem.worker_gradients(self.problem.minimiser) ** 2, axis=-1)
        return float(np.sqrt(np.mean(squares)))


@cache
def _networks() -> Mapping[str, Any]:
    ring = metropolis(network("ring", WORKERS))
    return MappingProxyType({"ring": ring, "lazy ring": lazy(ring, 0.5), "path": metropolis(network("path", WORKERS))})


@cache
def _problems() -> Mapping[str, tuple[Problem, float, float]]:
    """Quadratics that disagree about everything; softmax regression on digits, every worker with digits of its own."""
    data, regularisation = load_digits(), 2.0
    rows = np.arange(0, data.features.shape[0], 6)[: 37 * WORKERS]  # equally many for every worker
    labels = data.targets[rows]
    digits = softmax_regression(data.features[rows], labels, regularisation).split(split_by_label(labels, WORKERS))
    quadratics = heterogeneous_quadratic(WORKERS, 6, L=1.0, mu=0.1, spread=1.0, seed=3)
    return MappingProxyType(
        {
            "different quadratics": (quadratics, 1.0 + 1e-12, 0.1 - 1e-12),
            "softmax regression on digits": (digits, float(np.max(digits.L_i)), regularisation),
        }
    )


@cache
def settings() -> tuple[Setting, ...]:
    """Return quadratics on a ring, a lazy ring and a path, and digits on a ring."""
    of_all = _problems()
    return tuple(
        Setting(f"{of_workers}, {name}", *of_all[of_workers], W)
        for of_workers in of_all
        for name, W in _networks().items()
        if name == "ring" or of_workers == "different quadratics"
    )


@cache
def shifted() -> tuple[Setting, ...]:
    """Return workers with the same Hessian and different minimisers: their dissimilarity is the same everywhere."""
    rng = np.random.default_rng(5)
    hessian = np.geomspace(1.0, 0.1, 6)
    problem = quadratic(np.broadcast_to(hessian, (WORKERS, 6)), rng.standard_normal((WORKERS, 6)))
    return tuple(Setting(f"shifted quadratics, {name}", problem, 1.0, 0.1, W) for name, W in _networks().items())


@cache
def alike() -> tuple[Setting, ...]:
    """Return identical workers: quadratics of six variables."""
    problem = quadratic(np.broadcast_to(np.geomspace(1.0, 0.1, 6), (WORKERS, 6)), np.ones((WORKERS, 6)))
    ring = _networks()["ring"]
    return tuple(
        Setting(f"identical quadratics, {name}", problem, 1.0, 0.1, W)
        for name, W in (("ring", ring), ("lazy ring", lazy(ring, 0.5)))
    )


def safe(c: float) -> Mapping[str, Trigger]:
    """Return the triggers that keep every copy within c."""
    part = Constant(c / np.sqrt(2))
    return MappingProxyType(
        {
            "difference norm": DifferenceNorm(Constant(c)),
            "path": Path(Constant(c)),
            "norm and angle": NormAndAngle(part, part),
        }
    )


@cache
def settled(of: Setting, step_size: float) -> Any:
    """Return the fixed point of the published update, (n, d): by a linear system for quadratics, else by iteration."""
    if not isinstance(of.problem, Quadratic):
        return fixed_point(of.problem, of.W, step_size, of.mu)[0]
    n, d = of.problem.workers, of.problem.d
    matrix = np.kron(np.eye(n) - of.dense, np.eye(d))
    right = np.zeros(n * d)
    for i, (H, centre) in enumerate(zip(of.problem.hessians, of.problem.minimisers, strict=True)):
        block, H = slice(i * d, (i + 1) * d), np.diag(H) if H.ndim == 1 else H
        matrix[block, block] += step_size * H
        right[block] = step_size * H @ centre
    return np.linalg.solve(matrix, right).reshape(n, d)


def run(
    of: Setting, trigger: Trigger, step_size: float, *, iterations: int = _ITERATIONS, x0: Any = None, **parts: Any
) -> DecentralisedRun:
    """Run either update, by default the published one, recording the points and the copies after every iteration."""
    method = EventTriggeredGradient(of.W, trigger, step_size, measure_error=True, **parts)
    record = {
        "points": lambda state: state.points,
        "copies": lambda state: state.copies,
        "in_use": lambda state: state.in_use,
    }
    return run_decentralised(method, of.problem, iterations, of.start if x0 is None else x0, record=record)


def distances(made: DecentralisedRun, point: Any) -> Any:
    """Return |X^k - point|_F, shape (K + 1,)."""
    return np.linalg.norm(made.recorded["points"] - point, axis=(1, 2))


@dataclass(frozen=True)
class RoundRobin:
    """Every worker sends one tensor in every iteration, in a fixed order.

    Parameters
    ----------
    order
        Tensors, one for each iteration of a period.
    """

    order: tuple[int, ...]
    needs_movement = False
    needs_step = False

    def start(self, n: int, tensors: Tensors) -> None:
        """Remember nothing."""

    def fires(self, look: Any, memory: Any) -> tuple[Any, Any]:
        """Send the tensor whose turn it is."""
        fires = np.zeros(look.last_sent.shape, dtype=bool)
        fires[:, self.order[look.iteration % len(self.order)]] = True
        return fires, memory
