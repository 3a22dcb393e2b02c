"""Delays chosen to do harm: from the problem alone, or from the run as it goes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .array import Array, array_namespace, check_choice, check_count, check_positive, to_numpy
from .delays import DelayModel
from .problems import Problem
from .second_moment import NoiseModel, Recursion

__all__ = ["RULES", "AdaptiveAdversary", "ObliviousAdversary", "worst_delays"]

RULES = ("alignment", "excess")


def worst_delays(gradients: Array, distance: Array, rule: str = "alignment") -> Array:
    """Return, for every worker, the delay at which its stale gradient helps least.

    Parameters
    ----------
    gradients : Array, shape (tau + 1, ..., n, d)
        Gradients of the f_i at the models of age 0, 1, ..., tau; (...) are replicas.
    distance : Array, shape (..., d)
        r_k = x_k - x*.
    rule : {"alignment", "excess"}
        Smallest <g, r_k>, or largest ||g||^2 - <g, r_k>.

    Returns
    -------
    Array of int, shape (..., n)
        In 0..tau; the shortest delay where several are as bad.

    Notes
    -----
    A choice made after the coins of earlier messages are seen: with compression, only `stale-second-moment` and
    `stale-absolute` allow it. Source: dossier chapter 2, section 6.

    Examples
    --------
    >>> worst_delays(np.array([[[1.0, 0.0]], [[-1.0, 0.0]]]), np.array([1.0, 0.0]))
    array([1])
    """
    check_choice(rule, "rule", RULES)
    xp = array_namespace(gradients, distance)
    help_given = xp.sum(gradients * distance[..., None, :], axis=-1)
    if rule == "excess":
        help_given = help_given - xp.vecdot(gradients, gradients)
    return xp.argmin(help_given, axis=0)


@dataclass(frozen=True, eq=False)
class AdaptiveAdversary(DelayModel):
    """The delays that `worst_delays` chooses along the run without compression.

    Without noise the adversary needs no coins, and every theorem allows it. With compression its delays depend on the
    replica: then call `worst_delays` in every iteration.

    Parameters
    ----------
    problem : Problem
        Whose f_i the delayed gradients belong to.
    step_size : float
        gamma.
    tau : int
        Largest delay.
    x0 : array_like, shape (d,)
        Start.
    rule : {"alignment", "excess"}
        As in `worst_delays`.

    Examples
    --------
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> adversary = AdaptiveAdversary(quadratic_with_spectrum([1.0]), 0.5, tau=2, x0=[1.0], rule="excess")
    >>> adversary.trace(8, workers=1).delay.ravel()  # the pattern that no step above 0.5858 survives
    array([0, 1, 2, 2, 0, 1, 2, 2])
    """

    problem: Problem
    step_size: float
    tau: int
    x0: ArrayLike
    rule: str = "alignment"

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_size", check_positive(self.step_size, "step_size"))
        object.__setattr__(self, "tau", check_count(self.tau, "tau", lowest=0))
        check_choice(self.rule, "rule", RULES)

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        host = _host(self.problem, len(i))
        x = np.asarray(self.x0, dtype=np.float64)
        recent: list[NDArray[Any]] = []
        chosen = np.empty((len(k), len(i)), dtype=np.int64)
        for row in chosen:
            recent = [host.worker_gradients(x), *recent[: self.tau]]
            ages = np.stack(recent)
            row[:] = worst_delays(ages, x - host.minimiser, self.rule)
            x = x - self.step_size * host.average(ages[row, i])
        return chosen


@dataclass(frozen=True, eq=False)
class ObliviousAdversary(DelayModel):
    """Delays that make the exact E ||x_{k+1} - x*||^2 as large as possible, one iteration after the other.

    They are chosen from the problem, the step size and the law of the noise, never from a coin: every theorem for
    arbitrary delays up to tau allows them.

    Parameters
    ----------
    problem : Quadratic
        Whose f_i the delayed gradients belong to.
    step_size : float
        gamma.
    noise : NoiseModel
        Of the messages, each used once.
    tau : int
        Largest delay.
    x0 : array_like, shape (d,)
        Start.

    Notes
    -----
    Workers choose in turn, given the choices of the ones before: n (tau + 1) steps of the recursion for an iteration.
    Source: dossier chapter 2, section 6.

    Examples
    --------
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> noise = NoiseModel.exact_variance(20.0)
    >>> adversary = ObliviousAdversary(quadratic_with_spectrum([1.0]), 0.05, noise, tau=2, x0=[1.0])
    >>> adversary.trace(8, workers=1).delay.ravel()  # noise hurts most where the gradients are largest
    array([0, 1, 2, 2, 2, 2, 2, 2])
    """

    problem: Problem
    step_size: float
    noise: NoiseModel
    tau: int
    x0: ArrayLike

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_size", check_positive(self.step_size, "step_size"))
        object.__setattr__(self, "tau", check_count(self.tau, "tau", lowest=0))

    def _delays(self, k: NDArray[np.int64], i: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        host = _host(self.problem, len(i))
        recursion = Recursion.of(host, self.noise, self.tau)
        everyone, weights = np.ones(len(i), dtype=bool), to_numpy(host.weights)
        distance = np.eye(host.d)
        state = recursion.start(np.asarray(self.x0, dtype=np.float64) - host.minimiser)
        chosen = np.zeros((len(k), len(i)), dtype=np.int64)
        for iteration, row in enumerate(chosen):
            for worker in range(len(i)):
                harm = []
                for row[worker] in range(min(self.tau, iteration) + 1):
                    after = recursion.step(state, row, everyone, weights, self.step_size)
                    harm.append(float(recursion.squared(after, distance)))
                row[worker] = int(np.argmax(harm))
            state = recursion.step(state, row, everyone, weights, self.step_size)
        return chosen


def _host(problem: Problem, workers: int) -> Problem:
    if problem.workers != workers:
        raise ValueError(f"workers = {workers}; accepted: {problem.workers}, as many as the problem has")
    return problem.host or problem
