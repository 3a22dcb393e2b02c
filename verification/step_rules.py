"""The step size that each theorem gives for one worker with ``L = 1``, and the delays and noise that it speaks of."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import sympy

from taciturn.solvers.delays import DESTABILISING, Periodic, window_count, window_norm
from taciturn.theory.theorem import Theorem

from .destabilising import Pattern

__all__ = ["NECESSARY", "SUFFICIENT", "Instance", "Rule", "longest_step"]

_TAUS = (0, 1, 2, 3, 4, 6)
_VARIANCES = (0.0, 0.1, 1.0, 10.0, 100.0)
_MU = 0.01
_YOUNG = 1e-9  # theta costs nothing: with one worker the gradient at the minimiser vanishes
_PERIODS = 60  # of a known pattern: the norm of its windows hardly changes any more
_BUDGETS = np.linspace(0, 1, 1001)[1:-1]


@dataclass(frozen=True)
class Instance:
    """Where steps are compared: ``L = 1``, delays up to `tau`, messages of a relative variance, some delay patterns."""

    tau: int
    variance: float
    patterns: tuple[Pattern, ...]


Step: TypeAlias = Callable[[Theorem, Instance], float]
"""The step size that a theorem gives for an instance."""


def _worst_patterns(tau: int) -> tuple[Pattern, ...]:
    """Constant delay, the hold pattern, and the worst one that a search has found."""
    return tuple(dict.fromkeys([(tau,), tuple(range(tau + 1)), DESTABILISING.get(tau, (tau,))]))


def _constant(tau: int) -> tuple[Pattern, ...]:
    """Constant delay only."""
    return ((tau,),)


@dataclass(frozen=True)
class Rule:
    """How a theorem is asked for a step, and where.

    Parameters
    ----------
    step
        Its longest step.
    stored, compressed
        Whether it speaks of messages that are used again, and of noise.
    taus
        Largest delays.
    patterns
        Delays that it allows, for a largest delay.
    known
        Whether it is told which of them occurs.
    """

    step: Step
    stored: bool = False
    compressed: bool = True
    taus: tuple[int, ...] = _TAUS
    patterns: Callable[[int], tuple[Pattern, ...]] = _worst_patterns
    known: bool = False

    def instances(self) -> Iterator[Instance]:
        """Where the theorem is compared."""
        for tau, variance in itertools.product(self.taus, _VARIANCES if self.compressed else _VARIANCES[:1]):
            patterns = self.patterns(tau)
            for allowed in ((pattern,) for pattern in patterns) if self.known else (patterns,):
                yield Instance(tau, variance, allowed)


def longest_step(theorem: Theorem, parameters: Mapping[str, float]) -> float:
    """The longest step size that a theorem allows.

    Parameters
    ----------
    theorem
        It prescribes a step size, or takes any up to a limit.
    parameters
        All its parameters but the step size.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> round(longest_step(theorem("stale-convex"), {"L_hat": 1, "noise_slope": 0, "noise_floor": 0, "tau": 3}), 6)
    0.282376
    """
    if any(entry.name == "step_size" for entry in theorem.parameters):
        parameters = {**parameters, "step_size": _upper_end(theorem, "step_size", parameters)}
    step: Any = theorem.evaluate(**parameters).step_size
    return float(step)


def _upper_end(theorem: Theorem, name: str, values: Mapping[str, Any]) -> Any:
    (limit,) = (entry.domain.upper for entry in theorem.parameters if entry.name == name)
    if limit is None:
        raise ValueError(f"theorem {theorem.id} takes {name} of any size")
    return theorem.compute(sympy.sympify(limit), values)


# --- how each theorem is asked ----------------------------------------------------------------------------------------


def _given(parameters: Callable[[Instance], Mapping[str, float]], share: Callable[[int], float] | None = None) -> Step:
    """The longest step for these parameters, or that share of it, for a largest delay."""

    def step(theorem: Theorem, instance: Instance) -> float:
        longest = longest_step(theorem, parameters(instance))
        return longest if share is None else longest * share(instance.tau)

    return step


def _noise(smoothness: str) -> Callable[[Instance], dict[str, float]]:
    """``B_0 = omega L``, ``N_0 = 0``: one worker."""
    return lambda instance: {smoothness: 1.0, "noise_slope": instance.variance, "noise_floor": 0.0}


def _stale(instance: Instance) -> dict[str, float]:
    return {**_noise("L_hat")(instance), "tau": instance.tau}


def _second_moment(instance: Instance) -> dict[str, float]:
    moments = {"second_moment_slope": 1 + instance.variance, "second_moment_floor": 0.0}
    return {"L_hat": 1.0, "tau": instance.tau, **moments}


def _curved(parameters: Callable[[Instance], Mapping[str, float]]) -> Callable[[Instance], dict[str, float]]:
    return lambda instance: {**parameters(instance), "mu": _MU}


def _relative(smoothness: str) -> Callable[[Instance], dict[str, float]]:
    return lambda instance: {smoothness: 1.0, "relative_noise": instance.variance, "absolute_noise": 0.0}


def _relative_stale(instance: Instance) -> dict[str, float]:
    return {**_relative("L_stale")(instance), "tau": instance.tau}


def _windows(instance: Instance) -> dict[str, float]:
    (pattern,) = instance.patterns
    delay = Periodic(pattern).trace(_PERIODS * len(pattern), workers=1).largest_delay
    return {**_noise("L_hat")(instance), "window_norm": window_norm(delay).upper, "window_count": window_count(delay)}


def _within_window(theorem: Theorem, instance: Instance) -> float:
    """The longest constant step of a window rule with a budget below 1 and a cap that falls with it."""
    values = {**_noise("L_hat")(instance), "window_budget": _BUDGETS}
    cap = _upper_end(theorem, "largest_step", values)
    return float(np.max(np.minimum(_BUDGETS / (instance.tau + 1), cap)))


_published = {"young": _YOUNG, "Lambda": 1.0, "sparsity_sigma": 1.0, "optimum_gradients": 0.0, "mu": _MU}
_tight = {
    "L": 1.0, "mu": _MU, "L_max": 1.0, "young": _YOUNG, "optimum_gradients": 0.0, "largest_weight": 1.0,
    "sum_square_weights": 1.0,
}  # fmt: skip
_alike = {"relative_dissimilarity": 1.0, "absolute_dissimilarity": 0.0, "largest_weight": 1.0, "L_Q": 1.0}
_AT_ONCE = (0,)

SUFFICIENT: Mapping[str, Rule] = MappingProxyType(
    {
        "dcgd-published": Rule(_given(lambda at: {**_published, "variance": at.variance}), taus=_AT_ONCE),
        "dcgd-sc": Rule(_given(_curved(_noise("L"))), taus=_AT_ONCE),
        "dcgd-sc-tight": Rule(_given(lambda at: {**_tight, "variance": at.variance}), taus=_AT_ONCE),
        "dcgd-convex": Rule(_given(_noise("L")), taus=_AT_ONCE),
        "dcgd-nonconvex": Rule(_given(_relative("L")), taus=_AT_ONCE),
        "stale-convex": Rule(_given(_stale)),
        "stale-sc": Rule(_given(_curved(_stale))),
        "stale-sc-refined": Rule(_given(_curved(_stale))),
        "stale-nonconvex": Rule(_given(_relative_stale)),
        "stale-pl": Rule(_given(_curved(_relative_stale))),
        "stale-nonconvex-hetero": Rule(_given(lambda at: {**_alike, "variance": at.variance, "tau": at.tau})),
        "stale-second-moment-convex": Rule(_given(_second_moment)),
        "stale-second-moment": Rule(_given(_curved(_second_moment))),
        "stale-maxrec": Rule(
            _given(
                lambda at: {"mu": _MU, "L_stale": 1.0, "max_slope": 1 + at.variance, "max_floor": 0.0, "tau": at.tau}
            )
        ),
        "stale-stored-convex": Rule(_given(_stale), stored=True),
        "stale-stored-sc": Rule(_given(_curved(_stale)), stored=True),
        "stale-absolute": Rule(
            _given(lambda at: {"L_hat": 1.0, "mu": _MU, "absolute_error": 0.0, "tau": at.tau}), compressed=False
        ),
        "stale-pattern-aware": Rule(_given(_windows), known=True),
        "delay-adaptive-convex": Rule(_within_window),
        "delay-adaptive-sc": Rule(
            # tau + 1 equal steps fill the window.
            _given(lambda at: {"L_hat": 1.0, "mu": _MU}, share=lambda tau: 1 / (tau + 1)), compressed=False
        ),
        # n workers of the same speed: every message is n - 1 iterations old.
        "delay-filter": Rule(
            _given(lambda at: {"L": 1.0, "workers": at.tau + 1}), compressed=False, patterns=_constant
        ),
    }
)  # fmt: skip
"""The theorems that give a step size."""


def _forbidden(theorem: Theorem, instance: Instance) -> float:
    """The step that a theorem calls too long."""
    limit: Any = theorem.evaluate(L=1.0, tau=instance.tau, variance=instance.variance).value
    return float(limit)


NECESSARY: Mapping[str, Rule] = MappingProxyType(
    {"stale-necessary": Rule(_forbidden), "stale-necessary-stored": Rule(_forbidden, stored=True)}
)
"""The theorems that say which steps are too long."""
