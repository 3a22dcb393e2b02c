"""The problems, the senders and the runs of the experiments on error feedback with data weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from taciturn.solvers.array import Array, Stream
from taciturn.solvers.methods import EF21, Dense, ErrorFeedback, PerWorkerTopK, Run, run
from taciturn.solvers.methods.oracle import Exact, Noisy, Oracle
from taciturn.solvers.methods.sender import Sender
from taciturn.solvers.methods.state import Sent
from taciturn.solvers.partition import split_by_volume
from taciturn.solvers.problems import Problem, Quadratic, heterogeneous_quadratic, quadratic
from taciturn.theory.compression import Contractive
from taciturn.theory.memory_constants import MemoryConstants, memory_constants

from ..settings import start, text

__all__ = [
    "STEPS",
    "Made",
    "Scaling",
    "alone",
    "constants",
    "feedback",
    "places",
    "ratios",
    "shared",
    "thresholds",
    "volumes",
]

STEPS = 60
_VOLUMES = (0.6, 0.3, 0.1)
_RECORD = {
    "x": lambda state: state.x,
    "gradients": lambda state: state.gradients,
    "memory": lambda state: state.memory,
}


@dataclass(frozen=True)
class Scaling:
    """Worker i sends (1 - left_i) v_i: contractive with equality, and what the worst cases are made of."""

    left: tuple[float, ...]

    def send(self, vectors: Array, weights: Array, rng: Stream) -> Sent:
        """Scale vectors (..., n, d)."""
        del weights, rng
        counts = np.full(vectors.shape[:-1], vectors.shape[-1])
        sent = vectors * (1 - np.array(self.left))[:, None]
        return Sent(sent, counts.astype(float), counts, np.ones(vectors.shape[:-1]))

    def guarantee(self, d: int) -> Contractive:
        """Return that of the worker that keeps most back."""
        del d
        return Contractive(1 - max(abs(left) for left in self.left) ** 2)


@cache
def volumes(problem: Problem) -> Any:
    """Return the weights, sum 1 to rounding."""
    p = np.asarray(problem.weights, dtype=float)
    return p / p.sum()


@cache
def _quadratics() -> Quadratic:
    return heterogeneous_quadratic(3, 8, L=1.0, mu=0.2, spread=1.0, seed=3)


@cache
def places() -> Mapping[str, Problem]:
    """Return the problems of several workers by name: quadratics that disagree, the text dealt out unevenly."""
    return MappingProxyType(
        {
            "quadratics with volumes 6 : 3 : 1": quadratic(_quadratics().hessians, _quadratics().minimisers, _VOLUMES),
            "text with volumes 60 : 25 : 10 : 5": text().split(split_by_volume(404, [0.6, 0.25, 0.1, 0.05], seed=0)),
        }
    )


@cache
def shared() -> Quadratic:
    """Return three quadratics with the same minimiser."""
    return quadratic(_quadratics().hessians, np.zeros((3, 8)), _VOLUMES)


@cache
def alone() -> Quadratic:
    """Return one worker with curvatures from 0.1 to 1, diagonal."""
    return quadratic([[0.1, 0.4, 1.0]], [[0.0, 0.0, 0.0]])


def ratios(problem: Problem) -> tuple[int, ...]:
    """Return entries per worker: a half, a quarter, an eighth of all, and again."""
    return tuple(max(problem.d // (2 << (i % 3)), 1) for i in range(problem.workers))


def thresholds(problem: Problem) -> tuple[float, ...]:
    """Return magnitudes that most entries of the first gradients do not reach."""
    gradients = np.abs(np.asarray(problem.worker_gradients(start(problem))))
    return tuple(float(level) for level in np.quantile(gradients, 0.9, axis=1))


@dataclass(frozen=True)
class Made:
    """A run with what the theorems need to know of it; the squared norms have the axes (K + 1, ..., n)."""

    problem: Problem
    run: Run
    delta: Any
    step_size: float
    noise: float

    @property
    def memory(self) -> Any:
        """e_i, or G_i of EF21."""
        return self.run.recorded["memory"]

    @property
    def mean_memory(self) -> Any:
        """sum_i p_i e_i."""
        return np.einsum("n,...nd->...d", volumes(self.problem), self.memory)

    @property
    def squared_virtual_distance(self) -> Any:
        """|x_k - step_size sum_i p_i e_i - x*|^2, shape (K + 1, ...)."""
        virtual = self.run.recorded["x"] - self.step_size * self.mean_memory
        return np.sum((virtual - np.asarray(self.problem.minimiser)) ** 2, axis=-1)

    @property
    def squared_errors(self) -> Any:
        """|G_i - grad f_i(x_k)|^2 of EF21, shape (K + 1, ..., n)."""
        return np.sum((self.memory - self.run.recorded["gradients"]) ** 2, axis=-1)


def constants(problem: Problem, delta: Any, beta: float = 1.0, **others: Any) -> MemoryConstants:
    """Return the constants of the theorems, with the gradients at the minimiser."""
    at_minimiser = np.linalg.norm(np.asarray(problem.worker_gradients(problem.minimiser)), axis=1)
    known = {"gradients": at_minimiser, **others}
    return memory_constants(volumes(problem), delta, smoothness=np.asarray(problem.L_i), beta=beta, **known)


def feedback(
    problem: Problem,
    step_size: float,
    *,
    sender: Sender | None = None,
    ef21: bool = False,
    noise: float = 0.0,
    replicas: int = 0,
    steps: int = STEPS,
    seed: int = 0,
) -> Made:
    """Run error feedback, or EF21 from exact estimates, with top-k of `ratios` if no sender is given."""
    used = PerWorkerTopK(ratios(problem)) if sender is None else sender
    oracle: Oracle = Noisy(noise) if noise else Exact()
    method = (
        EF21(used, step_size=step_size, first_sender=Dense())
        if ef21
        else ErrorFeedback(used, step_size=step_size, oracle=oracle)
    )
    x0 = start(problem, (replicas,)) if replicas else start(problem)
    made = run(method, problem, steps + ef21, x0, seed, record=_RECORD)
    delta = np.array(ratios(problem)) / problem.d
    return Made(problem, made, delta, step_size, noise)
