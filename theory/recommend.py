"""Which theorem promises most for a given problem, compressor, network and accuracy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .assumptions import closure
from .catalogue import catalogue
from .checks import check_choice, check_non_negative, check_positive
from .compression import Absolute, CompressionClass, Contractive, Unbiased
from .theorem import QUANTITIES, Guarantee, Theorem


@dataclass(frozen=True)
class Candidate:
    """One theorem in the comparison.

    Attributes
    ----------
    theorem
        The theorem.
    iterations, bits
        What it promises; ``None`` where it does not apply or does not count them.
    reason
        Why it wins, loses or does not apply, in words.
    """

    theorem: Theorem
    iterations: float | None
    bits: float | None
    reason: str


@dataclass(frozen=True)
class Recommendation:
    """The theorem with the smallest certified cost, and why the others lose.

    Attributes
    ----------
    theorem, guarantee
        The winner and its numbers.
    step_size
        The step size to use (``None`` if the statement fixes none).
    iterations, bits
        Certified iterations (``None`` for theorems that count only bits) and bits to the accuracy.
    relies_on
        Names of the assumptions that the winner needs; all were stated by the caller or follow from what was.
    losers
        Every other theorem about the same quantity, with the reason, best first.
    """

    theorem: Theorem
    guarantee: Guarantee
    step_size: float | None
    iterations: float | None
    bits: float
    relies_on: tuple[str, ...]
    losers: tuple[Candidate, ...]

    def __str__(self) -> str:
        lines = [
            f"{self.theorem.id}: step size {self.step_size:.6g}, {self.bits:.4g} bits"
            if self.step_size is not None
            else f"{self.theorem.id}: {self.bits:.4g} bits",
            f"  relies on {', '.join(self.relies_on)}",
        ]
        return "\n".join(lines + [f"  not {loser.theorem.id}: {loser.reason}" for loser in self.losers])


def recommend(
    *,
    assumptions: Iterable[str],
    compressor: CompressionClass,
    bits_per_iteration: float,
    eps: float,
    goal: str = "objective_gap",
    minimise: Literal["bits", "iterations"] = "bits",
    initial: float | None = None,
    initial_values: dict[str, float] | None = None,
    **constants: float,
) -> Recommendation:
    """Compare every theorem that applies and name the cheapest.

    Parameters
    ----------
    assumptions
        Names of what the caller can state (see `taciturn.theory.assumptions`): ``"strongly_convex"``,
        ``"exact_gradient"``, … What they imply is added; nothing else is assumed.
    compressor
        What the compressor guarantees, e.g. ``TopK(k).guarantee(d)`` or ``Unbiased(variance)``.
    bits_per_iteration
        Price of the messages of one iteration, e.g. ``technology("ethernet-udp").cost("S", d)(T)``.
    eps
        Accuracy to reach in the quantity `goal`.
    goal
        ``"objective_gap"``, ``"squared_distance"``, ``"squared_gradient"`` or ``"potential"``.
    minimise
        What the winner has fewest of.
    initial
        Initial value of the quantity `goal`.
    initial_values
        Initial values of other quantities, for theorems that start from them,
        e.g. ``{"squared_distance": 4.0}``.
    **constants
        Values of parameters: ``L=…``, ``mu=…``, ``radius=…``, …

    Raises
    ------
    ValueError
        If an argument is out of range, or no theorem applies; the message then gives every theorem's reason.

    Examples
    --------
    >>> from taciturn.theory.compression import Contractive
    >>> best = recommend(
    ...     L=1.0, mu=0.01, assumptions=["strongly_convex", "lipschitz_gradient", "exact_gradient"],
    ...     compressor=Contractive(0.1, projection=True), bits_per_iteration=480.0, eps=1e-3, initial=1.0,
    ... )
    >>> best.theorem.id, best.step_size, best.iterations
    ('topT-sc-exact', 1.0, 6563.0)
    """
    if isinstance(assumptions, str):
        raise TypeError(f"assumptions={assumptions!r} is one string; pass a list of names")
    if not isinstance(compressor, CompressionClass):
        raise TypeError(f"compressor={compressor!r} must be Unbiased, Contractive or Absolute")
    check_choice(goal, "goal", QUANTITIES)
    check_choice(minimise, "minimise", ("bits", "iterations"))
    check_positive(eps, "eps")
    check_positive(bits_per_iteration, "bits_per_iteration")
    starts = dict(initial_values or {}) | ({} if initial is None else {goal: initial})
    for name, value in starts.items():
        check_choice(name, "initial_values", QUANTITIES)
        check_positive(value, f"initial {name}")
    stated = closure({*assumptions, *_stated_by(compressor)})
    values = _parameters_of(compressor)
    named = {parameter.name for entry in catalogue() for parameter in entry.parameters}
    for name, constant in constants.items():
        check_choice(name, "constant", tuple(sorted(named)))
        if name in values:
            raise ValueError(f"{name}={constant!r} is fixed by compressor={compressor!r} at {values[name]:g}")
        check_non_negative(constant, name)
    values |= constants

    found: list[tuple[float, Candidate, Guarantee]] = []
    unfit: list[Candidate] = []
    for entry in catalogue():
        if entry.goal != goal or entry.kind == "lower":
            continue
        try:
            guarantee, iterations, bits = _promise(entry, stated, values, starts, eps, bits_per_iteration)
        except _DoesNotApply as reason:
            unfit.append(Candidate(entry, None, None, str(reason)))
            continue
        certified = bits if minimise == "bits" else iterations
        if certified is None or certified == float("inf"):
            reached = "counts only bits" if certified is None else f"never certifies accuracy {eps:g}"
            unfit.append(Candidate(entry, iterations, bits, reached))
        else:
            found.append((certified, Candidate(entry, iterations, bits, ""), guarantee))
    if not found:
        reasons = "; ".join(f"{candidate.theorem.id}: {candidate.reason}" for candidate in unfit)
        raise ValueError(f"no theorem about goal={goal!r} applies: {reasons or 'the catalogue has none'}")
    found.sort(key=lambda entry: entry[0])
    (least, winner, guarantee), others = found[0], found[1:]
    losers = [
        Candidate(other.theorem, other.iterations, other.bits, _comparison(value, least, minimise))
        for value, other, _ in others
    ]
    return Recommendation(
        theorem=winner.theorem,
        guarantee=guarantee,
        step_size=guarantee.step_size,
        iterations=winner.iterations,
        bits=winner.bits if winner.bits is not None else float("nan"),
        relies_on=tuple(assumption.name for assumption in winner.theorem.assumptions),
        losers=(*losers, *unfit),
    )


def _comparison(value: float, least: float, minimise: str) -> str:
    return f"{value:g} {minimise} instead of none" if least == 0 else f"{value / least:.3g} times the {minimise}"


class _DoesNotApply(Exception):
    """Why a theorem is out of the comparison."""


def _promise(
    entry: Theorem,
    stated: frozenset[str],
    values: dict[str, float],
    starts: dict[str, float],
    eps: float,
    bits_per_iteration: float,
) -> tuple[Guarantee, float | None, float]:
    """Iterations (where counted) and bits that a theorem certifies."""
    missing = [assumption.name for assumption in entry.assumptions if assumption.name not in stated]
    if missing:
        raise _DoesNotApply(f"needs {', '.join(missing)}, which was not stated")
    start = entry.start or entry.goal
    if start not in starts:
        raise _DoesNotApply(f"needs the initial value of {start}")
    known = {parameter.name: values[parameter.name] for parameter in entry.parameters if parameter.name in values}
    try:
        guarantee = entry.evaluate(**known)
    except ValueError as error:
        raise _DoesNotApply(str(error)) from error
    if entry.bits is not None:
        return guarantee, None, guarantee.bits(eps, starts[start])
    iterations = guarantee.iterations(eps, starts[start])
    return guarantee, iterations, iterations * bits_per_iteration


def _stated_by(compressor: CompressionClass) -> set[str]:
    """The assumptions that the class of a compressor amounts to."""
    if isinstance(compressor, Unbiased):
        return {"unbiased"} if compressor.variance > 0 else {"unbiased", "uncompressed"}
    if isinstance(compressor, Contractive):
        names = {"contractive"} | ({"projection"} if compressor.projection else set())
        return names | ({"uncompressed", "unbiased"} if compressor.delta == 1 else set())
    return {"absolute"}


def _parameters_of(compressor: CompressionClass) -> dict[str, float]:
    """The values a compressor gives to the parameters of theorems."""
    if isinstance(compressor, Unbiased):
        decrease = 1 / compressor.second_moment
        return {"omega": decrease} | ({"alpha": 1.0, "delta": 1.0} if decrease == 1 else {})
    if isinstance(compressor, Absolute):
        return {"absolute_error": compressor.error}
    names = ("delta", "alpha", "beta", "alpha_min") if compressor.projection else ("delta",)
    return dict.fromkeys(names, compressor.delta) | ({"omega": 1.0} if compressor.delta == 1 else {})
