"""Step sizes for stale gradients: one for the largest delay, or rules that look at the delays as they come."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taciturn.theory.compression import CompressionClass, Contractive, Unbiased
from taciturn.theory.stale_steps import root_step

from ..array import check_count, check_non_negative, check_positive, to_numpy
from ..delays import Trace
from ..problems import LinearModel, Problem, Quadratic

__all__ = [
    "Capped",
    "DelayFilter",
    "FillWindow",
    "OneOverDelay",
    "StepRule",
    "adaptive_steps",
    "delay_smoothness",
    "stale_step_size",
]


class StepRule(Protocol):
    """A step size from delays alone, measured while the method runs."""

    def step(self, delay: int, recent: float) -> float:
        """Return gamma_k >= 0 from tau_k and the sum of gamma_j over k - tau_k <= j < k."""


@dataclass(frozen=True)
class FillWindow:
    """Rule 1: a fraction of what the budget of the window leaves, gamma_k = fraction (budget - recent)_+.

    Parameters
    ----------
    budget : float
        H = h / L_hat, with h of `delay-adaptive-convex` or `delay-adaptive-sc`: 1 for convex functions without noise.
    fraction : float
        c in (0, 1].

    Notes
    -----
    Whatever the delays, sum_{j <= k} gamma_j >= c H (k + 1) / (tau + 1), with tau the largest delay so far: with c = 1
    never less than the constant step for that delay. Source: dossier 4.12 (rule of Wu, Magnusson, Feyzmahdavian,
    Johansson 2022, recalled).

    Examples
    --------
    >>> adaptive_steps(FillWindow(1.0, fraction=0.5), [0, 0, 1, 2]).tolist()
    [0.5, 0.5, 0.25, 0.125]
    """

    budget: float
    fraction: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", check_positive(self.budget, "budget"))
        object.__setattr__(self, "fraction", check_positive(self.fraction, "fraction", highest=1.0))

    def step(self, delay: int, recent: float) -> float:
        """Return the fraction of what is left."""
        del delay
        return self.fraction * max(self.budget - recent, 0.0)


@dataclass(frozen=True)
class OneOverDelay:
    """Rule 2: gamma_k = budget / (tau_k + 1) if the window has room for it, else 0.

    Parameters
    ----------
    budget : float
        H as in `FillWindow`.

    Notes
    -----
    sum_{j <= k} gamma_j >= H tau (k + 1) / (tau + 1)^2 for the largest delay tau >= 1 so far. Source: dossier 4.12.

    Examples
    --------
    >>> adaptive_steps(OneOverDelay(1.0), [0, 0, 1, 1]).tolist()
    [1.0, 1.0, 0.0, 0.5]
    """

    budget: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", check_positive(self.budget, "budget"))

    def step(self, delay: int, recent: float) -> float:
        """Return H / (delay + 1) or nothing."""
        wanted = self.budget / (delay + 1)
        return wanted if wanted <= self.budget - recent else 0.0


@dataclass(frozen=True)
class DelayFilter:
    """A constant step for messages that are not too late; later ones are dropped.

    Parameters
    ----------
    step_size : float
        1/(2 n L) for n workers with the same function, exact gradients; with noise min(1/(4 n L), 1/(4 B_0)).
    longest : int
        Largest delay accepted, 2 n - 1: more than half of the messages have it, whatever the largest delay.

    Notes
    -----
    Source: dossier 4.12, `delay-filter`. Not for workers with different functions: slow ones would be censored.

    Examples
    --------
    >>> adaptive_steps(DelayFilter(0.25, longest=3), [0, 1, 2, 3, 4]).tolist()
    [0.25, 0.25, 0.25, 0.25, 0.0]
    """

    step_size: float
    longest: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_size", check_positive(self.step_size, "step_size"))
        object.__setattr__(self, "longest", check_count(self.longest, "longest", lowest=0))

    def step(self, delay: int, recent: float) -> float:
        """Return the step, or 0 for a message that is too late."""
        del recent
        return self.step_size if delay <= self.longest else 0.0


@dataclass(frozen=True)
class Capped:
    """Another rule, never above a limit: (1 - h)^2 / B_0 under the noise of compression.

    Examples
    --------
    >>> adaptive_steps(Capped(FillWindow(1.0), highest=0.4), [0, 0, 2, 3]).round(3).tolist()
    [0.4, 0.4, 0.2, 0.0]
    """

    rule: StepRule
    highest: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "highest", check_positive(self.highest, "highest"))

    def step(self, delay: int, recent: float) -> float:
        """Return the smaller of the two."""
        return min(self.rule.step(delay, recent), self.highest)


def adaptive_steps(rule: StepRule, delay: ArrayLike) -> NDArray[np.float64]:
    """Return gamma_0, ..., gamma_{K-1} of a rule along measured delays.

    Parameters
    ----------
    rule : StepRule
        The rule.
    delay : array_like of int, shape (K,)
        tau_k <= k: ``trace.largest_delay``.

    Raises
    ------
    ValueError
        If a delay is outside 0..k.
    """
    delays = np.asarray(delay)
    for k in np.flatnonzero((delays < 0) | (delays > np.arange(len(delays))))[:1]:
        raise ValueError(f"delay = {delays[k]} in iteration {k} is outside the accepted range 0..{k}")
    steps = np.zeros(len(delays))
    for k, tau in enumerate(delays.tolist()):
        steps[k] = rule.step(tau, float(steps[k - tau : k].sum()))
    return steps


def delay_smoothness(problem: Problem) -> float:
    """Return L_hat, the largest eigenvalue of sum_i p_i L_i with the matrices L_i of smoothness (dossier 2.0).

    It is L for quadratics and for linear models, and at most sum_i p_i L_i for anything else.

    Examples
    --------
    >>> from taciturn.solvers.problems import quadratic
    >>> delay_smoothness(quadratic([[4.0, 1.0], [1.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]))
    2.5
    """
    if isinstance(problem, (Quadratic, LinearModel)):
        return problem.L
    return float(to_numpy(problem.weights) @ problem.L_i)


def stale_step_size(problem: Problem, guarantee: CompressionClass, trace: Trace) -> float:
    """Return the largest constant step that a theorem allows for all delays up to the largest of a trace.

    The root step of `stale-sc` (of `stale-convex` if mu = 0) where messages are used once; the step of
    `stale-stored-sc` (`stale-stored-convex`) where they are stored. Compressors are independent and unbiased; the
    noise slope is that of row 2 of the noise table with theta = 1, or 0 for one worker, whose gradient vanishes at
    the minimiser.

    Parameters
    ----------
    problem : Problem
        Convex f_i.
    guarantee : CompressionClass
        Of the messages.
    trace : Trace
        In which every iteration uses all workers.

    Raises
    ------
    ValueError
        If no theorem applies: biased messages, or iterations that use only some of the workers.

    Examples
    --------
    >>> from taciturn.solvers.delays import Constant
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> trace = Constant(3).trace(10, workers=1)
    >>> round(stale_step_size(quadratic_with_spectrum([1.0, 0.0]), Unbiased(0.0), trace), 6)
    0.282376
    """
    if isinstance(guarantee, Contractive) and guarantee.delta == 1:
        guarantee = Unbiased(0.0)
    if not isinstance(guarantee, Unbiased):
        raise ValueError(f"step_size has no default for messages of {guarantee}; accepted: Unbiased, or pass one")
    first = int(trace.starts[1]) if trace.iterations else trace.workers
    complete = first == trace.workers if trace.stored else trace.messages == trace.iterations * trace.workers
    if not complete:
        raise ValueError("step_size has no default for iterations that use only some of the workers; pass one")
    L_hat, mu, tau = delay_smoothness(problem), problem.mu, trace.max_delay
    heterogeneity = 2 if problem.workers > 1 else 1  # 1 + theta
    slope = guarantee.variance * heterogeneity * float(np.max(to_numpy(problem.weights) * problem.L_i))
    if trace.stored:
        return 1 / ((L_hat + slope) * (2 + (2 + mu / L_hat) * tau))
    return float(root_step(L_hat, slope, tau, mu))


def step_sizes(
    step_size: float | StepRule | None, problem: Problem, guarantee: CompressionClass, trace: Trace
) -> NDArray[np.float64]:
    """Return gamma_k, shape (K,), of a constant, a rule, or the default."""
    if step_size is None:
        step_size = stale_step_size(problem, guarantee, trace)
    if isinstance(step_size, (int, float)):
        return np.full(trace.iterations, float(step_size))
    return adaptive_steps(step_size, trace.largest_delay)


def check_step_rule(step_size: float | StepRule | None) -> None:
    """Refuse what is neither a step size nor a rule."""
    if step_size is None or hasattr(step_size, "step"):
        return
    step_size = check_non_negative(step_size, "step_size")
    step_size = check_positive(step_size, "step_size")
