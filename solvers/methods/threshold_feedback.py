"""Error feedback with hard thresholds that follow a traffic budget."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taciturn.theory.communication import Cost, check_cost

from ..array import Array, Stream, array_namespace, check_positive, to_numpy
from ..problems import Problem
from ..thresholds import L1Rule, ThresholdController
from .entries import reaching_positions, send_entries
from .error_feedback import MemoryState
from .memory_steps import absolute_step_size
from .oracle import Exact, Oracle, check_oracle, seen
from .state import check_step_size

__all__ = ["ThresholdFeedback", "ThresholdState"]

Rule = L1Rule | ThresholdController


@dataclass(frozen=True, eq=False, kw_only=True)
class ThresholdState(MemoryState):
    """A point with memories, and the thresholds.

    Parameters
    ----------
    thresholds : numpy.ndarray, shape (..., n)
        What was used on the way here; 0 at the start.
    levels : numpy.ndarray, shape (..., n), or (..., 1) where the total traffic is steered
        What the rules continue from.
    """

    thresholds: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    levels: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, eq=False)
class ThresholdFeedback:
    """Error feedback in which worker i sends its entries of at least lambda_i, which a rule moves to hold a budget.

    A run records N_i, the traffic, as `sparsity`; the thresholds by ``record={"thresholds": lambda state:
    state.thresholds}``.

    Parameters
    ----------
    rule : L1Rule, ThresholdController, or a sequence of n of them
        Without a profile every worker has a threshold of its own under the rule (or its own rule), whose budget is
        that of a worker. With a profile one rule steers one level, and its budget is that of all workers together.
    profile : array_like, shape (n,), optional
        theta_i > 0: lambda_i = level theta_i, for example 1/p_i (`profile_thresholds`).
    initial : float or array_like of shape (n,), optional
        Level of the first iteration, positive; controllers need one, the l1 rule has none.
    step_size : float, optional
        Default 1/(4 L), from `nuef-absolute`; every step below 1/L is safe.
    oracle : Oracle
        What the workers know of their gradients; default the exact ones.
    cost : Cost, optional
        Price of a message with T entries; default the bits of T indices and values.

    Raises
    ------
    TypeError
        If the rule is none of these.
    ValueError
        If a number is not positive, or the rule has an `initial` that it must not have, or lacks one; at the start, if
        profile, rules or `initial` are not for n workers, or an `L1Rule` is for another dimension than d, or n d where
        it steers the total.

    Notes
    -----
    The rules' guarantees hold for the gradients that the workers see. The total of all workers is the traffic of one
    worker with the n d numbers v_ij / theta_i: so the l1 rule for the total is that of dimension n d on the sum of
    ||g_i||_1 / theta_i. Source: dossier chapter 3, `thr-l1-rule`, `thr-controller`, `nuef-absolute`.

    Examples
    --------
    >>> from taciturn.solvers.methods import run
    >>> from taciturn.solvers.problems import heterogeneous_quadratic
    >>> problem = heterogeneous_quadratic(workers=3, d=8, L=1.0, mu=0.2, spread=1.0, seed=0)
    >>> result = run(ThresholdFeedback(L1Rule(budget=2, d=8)), problem, 400)
    >>> bool(result.gap[-1] < 0.1 * result.gap[0])
    True
    >>> bool(np.all(np.cumsum(result.sparsity, axis=0) <= 2 * np.arange(1, 401)[:, None]))
    True
    """

    rule: Rule | Sequence[Rule]
    profile: ArrayLike | None = None
    initial: ArrayLike | None = None
    step_size: float | None = None
    oracle: Oracle = field(default_factory=Exact)
    cost: Cost | None = None

    def __post_init__(self) -> None:
        controlled = [isinstance(rule, ThresholdController) for rule in self._rules]
        if self.profile is not None:
            if len(controlled) > 1:
                raise ValueError(f"rule has length {len(controlled)}; accepted with a profile: one rule, for the total")
            _check_positive(self.profile, "profile")
        if self.initial is None:
            if any(controlled):
                raise ValueError("initial is missing; a ThresholdController needs the level of the first iteration")
        elif not all(controlled):
            raise ValueError(f"initial = {self.initial}; an L1Rule finds its first threshold from the gradient")
        else:
            _check_positive(self.initial, "initial")
        check_oracle(self.oracle)
        if self.cost is not None:
            check_cost(self.cost)
        object.__setattr__(self, "step_size", check_step_size(self.step_size))

    @cached_property
    def _rules(self) -> NDArray[Any]:
        """The rules, as an array that broadcasts to the levels."""
        given = [self.rule] if isinstance(self.rule, Rule) else self.rule
        if not isinstance(given, Sequence) or not given or not all(isinstance(rule, Rule) for rule in given):
            raise TypeError(f"rule is {given!r}; pass an L1Rule, a ThresholdController, or one of them for each worker")
        rules = np.empty(len(given), dtype=object)
        rules[:] = given
        return rules

    def init(self, problem: Problem, x0: Array) -> ThresholdState:
        """Evaluate the problem at the start, with empty memories."""
        n = problem.workers
        places = n if self.profile is None else 1
        initial = np.asarray(0.0 if self.initial is None else self.initial, dtype=np.float64)
        for name, length, accepted in (
            ("profile", np.size(self._shape(n)), n),
            ("rule", places if isinstance(self.rule, Rule) else len(self.rule), places),
            ("initial", initial.size if initial.ndim else places, places),
        ):
            if length != accepted:
                raise ValueError(f"{name} has the length {length}; accepted: {accepted}")
        dimension = n // places * problem.d
        for rule in self._rules:
            if isinstance(rule, L1Rule) and rule.d != dimension:
                raise ValueError(f"rule is for d = {rule.d}; accepted: {dimension}, the entries whose traffic it holds")
        start = ThresholdState.without_memory(
            problem, x0, absolute_step_size(problem) if self.step_size is None else self.step_size
        )
        levels = np.array(np.broadcast_to(initial, (*x0.shape[:-1], places)))
        return replace(start, thresholds=np.zeros((*x0.shape[:-1], n)), levels=levels)

    def step(self, problem: Problem, state: ThresholdState, rng: Stream) -> ThresholdState:
        """Set the thresholds, send, move, remember the rest."""
        gradients = seen(self.oracle, problem, state, rng)
        levels = self._before(state.levels, gradients)
        thresholds = levels * self._shape(problem.workers)
        wanted = gradients + state.memory
        sent = send_entries(wanted, reaching_positions(wanted, thresholds), self.cost)
        following = self._after(levels, sent.sparsity)
        return replace(state.after(problem, wanted, sent), thresholds=thresholds, levels=following)

    def _shape(self, workers: int) -> NDArray[np.float64]:
        return np.ones(workers) if self.profile is None else np.asarray(self.profile, dtype=np.float64)

    def _before(self, levels: NDArray[np.float64], gradients: Array) -> NDArray[np.float64]:
        """The levels of this iteration, for which the l1 rule looks at the gradients."""
        xp = array_namespace(gradients)
        norms = to_numpy(xp.sum(xp.abs(gradients), axis=-1, dtype=xp.float64))
        if self.profile is not None:
            norms = np.sum(norms / self._shape(norms.shape[-1]), axis=-1, keepdims=True)
        return _each(_level_before, self._rules, levels, norms)

    def _after(self, levels: NDArray[np.float64], entries: NDArray[Any]) -> NDArray[np.float64]:
        """The levels that the next iteration continues from, for which the controller looks at the traffic."""
        traffic = entries if self.profile is None else entries.sum(axis=-1, keepdims=True)
        return _each(_level_after, self._rules, levels, traffic)


def _level_before(rule: Rule, level: float, norm: float) -> float:
    return rule.threshold(norm, level) if isinstance(rule, L1Rule) else level


def _level_after(rule: Rule, level: float, entries: float) -> float:
    return rule.threshold(level, entries) if isinstance(rule, ThresholdController) else level


def _each(function: Any, *arrays: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays)).astype(np.float64)


def _check_positive(values: ArrayLike, name: str) -> None:
    array = np.asarray(values)
    if array.ndim > 1:
        raise ValueError(f"{name} has the shape {array.shape}; accepted: one number, or (n,)")
    for i, value in enumerate(array.ravel().tolist()):
        check_positive(value, f"{name}[{i}]" if array.ndim else name)
