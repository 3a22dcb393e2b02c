"""Gradient descent on compressed gradients."""

from dataclasses import dataclass

import numpy as np

from taciturn.theory.compression import Unbiased

from ..array import Array, Stream, array_like, to_numpy
from ..problems import Problem
from .sender import Sender, check_sender
from .state import Sent, State, check_step_size

__all__ = ["CompressedGradient"]


@dataclass(frozen=True)
class CompressedGradient:
    """x <- x - step_size sum_i p_i q_i, where worker i sends q_i in place of its gradient.

    =================================  ============================================================
    method of the dossier, chapter 1   sender
    =================================  ============================================================
    gradient descent                   ``Dense()``
    `gd-topT`, fixed T                 ``Fixed(TopK(T), cost)``
    S+Q, SS with fixed T               ``Fixed(ScaledSign(T), cost)``, ``Fixed(Bernoulli(T), cost)``
    `cat-s`, `cat-sq`, `cat-ss`        ``CAT(scheme, cost)``; on several workers the local CAT of `mn-descent`
    log-CAT (5.8)                      ``LogCAT(cost, inverse_condition)``
    `dynamic-T`                        ``DynamicT(cost)``
    `mn-price`                         ``CoordinatedCAT(cost)``
    =================================  ============================================================

    Parameters
    ----------
    sender : Sender
        What the workers send.
    step_size : float, optional
        Default by the class of the sender's guarantee. Contractive or absolute: 1/L, from `proj-descent` and
        `mn-descent`. Unbiased, one worker: omega_k / L with omega_k = ||g||^2 / E||q||^2 at the iterate, from
        `ss-descent`. Unbiased, several workers: 1/(L + 2M) with M = max_i p_i variance L_i, from `mn-ss`.

    Examples
    --------
    >>> import numpy as np
    >>> from taciturn.solvers.compressors import TopK
    >>> from taciturn.solvers.methods import Fixed, run
    >>> from taciturn.solvers.problems import quadratic_with_spectrum
    >>> result = run(CompressedGradient(Fixed(TopK(1))), quadratic_with_spectrum([1.0, 0.5]), 2, x0=np.ones(2))
    >>> result.state.x
    array([0. , 0.5])
    """

    sender: Sender
    step_size: float | None = None

    def __post_init__(self) -> None:
        check_sender(self.sender)
        object.__setattr__(self, "step_size", check_step_size(self.step_size))

    def init(self, problem: Problem, x0: Array) -> State:
        """Evaluate the problem at the start."""
        return State.at(problem, x0)

    def step(self, problem: Problem, state: State, rng: Stream) -> State:
        """Send the gradients and move."""
        sent = self.sender.send(state.gradients, problem.weights, rng)
        x = state.x - self._step_size(problem, sent) * problem.average(sent.vectors)
        return State.at(problem, x, sent=sent)

    def _step_size(self, problem: Problem, sent: Sent) -> float | Array:
        if self.step_size is not None:
            return self.step_size
        guarantee = self.sender.guarantee(problem.d)
        if not isinstance(guarantee, Unbiased):
            return 1 / problem.L
        if problem.workers == 1:
            return array_like(sent.coefficient, sent.vectors) / problem.L
        noise = guarantee.variance * float(np.max(to_numpy(problem.weights) * problem.L_i))
        return 1 / (problem.L + 2 * noise)
