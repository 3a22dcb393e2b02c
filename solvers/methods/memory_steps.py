"""Step sizes of methods with memory: what the theorems allow for the compression of every worker."""

import math

import numpy as np
from numpy.typing import NDArray

from taciturn.theory import theorem
from taciturn.theory.compression import Absolute, Contractive, Unbiased
from taciturn.theory.memory_constants import MemoryConstants, memory_constants

from ..array import to_numpy
from ..problems import Problem
from .sender import PerWorkerSender, Sender, worker_guarantees

__all__ = ["absolute_step_size", "convex_step_size", "ef21_step_size", "error_feedback_step_size"]


def error_feedback_step_size(sender: Sender, problem: Problem) -> float:
    """Return the step size of error feedback on any smooth function.

    One worker and a contractive sender: theta/(2 L) with theta = 1 - sqrt(1 - delta), from `ef14-cat`. An absolute
    sender: 1/(4 L), from `nuef-absolute`.

    Raises
    ------
    ValueError
        If no theorem applies: unbiased messages, or several workers with relative errors. Then convex functions have
        `convex_step_size`.

    Examples
    --------
    >>> from taciturn.solvers.compressors import TopK
    >>> from taciturn.solvers.methods import Fixed
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> error_feedback_step_size(Fixed(TopK(3)), quadratic_with_spectrum([1.0, 1.0, 1.0, 1.0]))
    0.25
    """
    guarantees = worker_guarantees(sender, problem.d, problem.workers)
    if all(isinstance(guarantee, Absolute) for guarantee in guarantees):
        return absolute_step_size(problem)
    if problem.workers > 1:
        raise ValueError("step_size has no default for several workers; pass one, such as convex_step_size")
    (delta,) = _contractions(sender, problem)
    return memory_contraction(delta) / (2 * problem.L)


def absolute_step_size(problem: Problem) -> float:
    """Return 1/(4 L), from `nuef-absolute`, for error feedback with absolute errors, such as those of thresholds.

    Examples
    --------
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> absolute_step_size(quadratic_with_spectrum([2.0, 1.0]))
    0.125
    """
    return _allowed("nuef-absolute", L=problem.L, absolute_error=0.0, gradient_noise=0.0)  # which limit no step


def convex_step_size(sender: Sender, problem: Problem) -> float:
    """Return the step size of error feedback on convex functions, each worker with its own contractive compression.

    That of `nuef-strongly-convex` if mu > 0, else of `nuef-convex`; they hold for stochastic gradients, too.

    Parameters
    ----------
    sender : Sender
        With a contractive guarantee for every worker.
    problem : Problem
        Whose f_i are convex, which is not checked.

    Raises
    ------
    ValueError
        If a guarantee is not contractive.

    Examples
    --------
    >>> from taciturn.solvers.methods import PerWorkerTopK
    >>> from taciturn.solvers.problems import heterogeneous_quadratic
    >>> problem = heterogeneous_quadratic(workers=2, d=4, L=1.0, mu=1.0, spread=1.0, seed=0)
    >>> round(convex_step_size(PerWorkerTopK([3, 4]), problem), 6)
    0.25
    """
    delta = _contractions(sender, problem)
    constants = {
        "L": problem.L,
        "memory_curvature": _constants(problem, delta).memory_curvature,
        "residual_at_optimum": 0.0,  # they limit no step
        "gradient_noise": 0.0,
    }
    if problem.mu == 0:
        return _allowed("nuef-convex", **constants)
    return _allowed("nuef-strongly-convex", **constants, mu=problem.mu, delta=float(delta.min()))


def ef21_step_size(sender: Sender, problem: Problem) -> float:
    """Return the step size of EF21.

    Each worker with its own compression: from `nuef21-pl-simple` if mu > 0, else from `nuef21-nonconvex`. The same for
    all, with theta = 1 - sqrt(1 - delta) and L2 = sqrt(sum_i p_i L_i^2): from `ef21-cat-pl` if mu > 0,
    min(1/(L + sqrt(2) L2 (1 - theta)/theta), theta/(2 mu)), else from `ef21-cat`, 1/(L + L2 (1 - theta)/theta).

    Raises
    ------
    ValueError
        If a guarantee is not contractive.

    Examples
    --------
    >>> from taciturn.solvers.methods import PerWorkerTopK
    >>> from taciturn.solvers.problems import quadratic
    >>> problem = quadratic([[1.0, 0.0, 0.0, 0.0]] * 2, [[0.0] * 4] * 2)
    >>> ef21_step_size(PerWorkerTopK([4, 4]), problem), round(ef21_step_size(PerWorkerTopK([1, 4]), problem), 6)
    (1.0, 0.265217)
    """
    delta = _contractions(sender, problem)
    if isinstance(sender, PerWorkerSender):
        constants = {"L": problem.L, "memory_smoothness": _constants(problem, delta).memory_smoothness}
        if problem.mu == 0:
            return _allowed("nuef21-nonconvex", **constants)
        return _allowed("nuef21-pl-simple", **constants, mu=problem.mu, delta=float(delta.min()))
    theta = memory_contraction(delta[0])
    L2 = math.sqrt(float(to_numpy(problem.weights) @ problem.L_i**2))
    lag = L2 * (1 - theta) / theta
    if problem.mu == 0:
        return 1 / (problem.L + lag)
    return min(1 / (problem.L + math.sqrt(2) * lag), theta / (2 * problem.mu))


def memory_contraction(delta: float) -> float:
    """Return theta = 1 - sqrt(1 - delta).

    Examples
    --------
    >>> memory_contraction(0.75)
    0.5
    """
    return 1 - math.sqrt(1 - delta)


def _allowed(id: str, **constants: float) -> float:
    """The step size that a theorem recommends."""
    return float(np.asarray(theorem(id).evaluate(**constants).step_size))


def _contractions(sender: Sender, problem: Problem) -> NDArray[np.float64]:
    """The delta_i of all workers; 1 of those who send everything."""
    delta = []
    for guarantee in worker_guarantees(sender, problem.d, problem.workers):
        if not isinstance(guarantee, Contractive) and guarantee != Unbiased(0.0):
            raise ValueError(f"the sender's guarantee is {guarantee}; accepted: Contractive, or pass a step_size")
        delta.append(guarantee.delta if isinstance(guarantee, Contractive) else 1.0)
    return np.array(delta)


def _constants(problem: Problem, delta: NDArray[np.float64]) -> MemoryConstants:
    # Weights carried to single precision have sum 1 to that precision only.
    weights = to_numpy(problem.weights).astype(np.float64)
    return memory_constants(weights / weights.sum(), delta, smoothness=problem.L_i)
