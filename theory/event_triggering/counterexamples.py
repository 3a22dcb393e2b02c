"""Exact counterexamples as data: runs in rational arithmetic that anybody can replay (dossier 4.3–4.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy


@dataclass(frozen=True)
class FrozenCopy:
    """Identical workers on ``(curvature/2)(x - optimum)^2`` whose trigger never fires again.

    Parameters
    ----------
    id
        The statement it belongs to.
    curvature, optimum
        Of every worker's objective.
    start
        Of every worker.
    step_size, self_weight
        Of the published update.
    forced
        Number of iterations, from the first on, in which every worker sends.
    """

    id: str
    curvature: Fraction
    optimum: Fraction
    start: Fraction
    step_size: Fraction
    self_weight: Fraction
    forced: int

    def replay(self, iterations: int) -> Iterator[tuple[Fraction, Fraction]]:
        """Yield parameters and copy of every iteration, exactly; only the forced messages are sent.

        Examples
        --------
        >>> [(int(x), int(copy)) for x, copy in NORM_DIFFERENCE.replay(32)][-2:]
        [(-1, 1), (-1, 1)]
        """
        x, copy = self.start, self.start
        for k in range(iterations):
            if k < self.forced:
                copy = x
            yield x, copy
            gradient = self.curvature * (x - self.optimum)
            x = self.self_weight * x + (1 - self.self_weight) * copy - self.step_size * gradient


NORM_DIFFERENCE = FrozenCopy(
    id="norm-diff-unsafe",
    curvature=Fraction(1),
    optimum=Fraction(-5),
    start=-5 + 6 * Fraction(3, 2) ** 28,
    step_size=Fraction(1, 3),
    self_weight=Fraction(1, 3),
    forced=29,
)
"""After 29 forced messages the copy is 1 and the parameters are -1 for ever: equal norms, an error of 4."""


def stuck(
    threshold: Fraction, curvature: Fraction, step_size: Fraction, self_weight: Fraction, share: Fraction
) -> FrozenCopy:
    """Return the instance of `eg-stuck` that starts at `share` < 1 of the critical distance.

    Examples
    --------
    >>> stuck(Fraction(1, 10), Fraction(1), Fraction(1, 3), Fraction(1, 3), Fraction(1, 2)).start
    Fraction(3, 20)
    """
    critical = threshold * (1 - self_weight + step_size * curvature) / (step_size * curvature)
    return FrozenCopy("eg-stuck", curvature, Fraction(0), share * critical, step_size, self_weight, 1)


@dataclass(frozen=True)
class PeriodicMessages:
    """One mode of a linear run whose tensors (single entries) are sent by a fixed schedule: one period is a matrix.

    ``y <- (self_weight I - step_size H) y + copies_weight copies`` in every iteration.

    Parameters
    ----------
    hessian
        Of every worker's quadratic, rational.
    step_size, self_weight
        Of the published update.
    copies_weight
        What multiplies the copies: the eigenvalue of W of this mode minus the self-weight.
    schedule
        The tensors that are delivered in each iteration of a period.
    latency
        Iterations between sending and use.
    """

    hessian: sympy.Matrix
    step_size: sympy.Rational
    self_weight: sympy.Rational
    copies_weight: sympy.Rational
    schedule: tuple[tuple[int, ...], ...]
    latency: int = 0

    def matrix(self) -> sympy.Matrix:
        """Return the exact map of one period on (parameters of the last latency + 1 iterations, copies).

        Iteration k first delivers the entries ``schedule[k]`` of the parameters of iteration ``k - latency``, then
        updates.
        """
        d, history = self.hessian.rows, self.latency + 1
        size = d * (history + 1)
        own = self.self_weight * sympy.eye(d) - self.step_size * self.hessian
        total = sympy.eye(size)
        update = sympy.zeros(size)
        update[:d, :d] = own
        update[:d, d * history :] = self.copies_weight * sympy.eye(d)
        update[d : d * history, : d * self.latency] = sympy.eye(d * self.latency)
        update[d * history :, d * history :] = sympy.eye(d)
        for tensors in self.schedule:
            deliver = sympy.eye(size)
            for tensor in tensors:
                row, sender = d * history + tensor, d * self.latency + tensor
                deliver[row, row], deliver[row, sender] = 0, 1
            total = update * deliver * total
        return total

    def characteristic(self, z: sympy.Rational) -> sympy.Rational:
        """Return the characteristic polynomial of one period at `z`, exactly."""
        period = self.matrix()
        return (period - z * sympy.eye(period.rows)).det(method="berkowitz")

    def whole_vectors(self) -> PeriodicMessages:
        """Return the run in which everything is delivered together, once in a period."""
        everything = tuple(range(self.hessian.rows))
        return replace(self, schedule=(everything, *((),) * (len(self.schedule) - 1)))


def _hessian(mu: sympy.Rational, d: int) -> sympy.Matrix:
    return mu * sympy.eye(d) + (1 - mu) * sympy.ones(d) / d


_MU, _W = sympy.Rational(1, 20), sympy.Rational(1, 3)

CHECKERBOARD = PeriodicMessages(
    hessian=_hessian(_MU, 3),
    step_size=2 * _W / (1 + _MU),
    self_weight=_W,
    copies_weight=-sympy.Rational(1, 3) - _W,
    schedule=((0,), (2,), (1,)),
)
"""Ring of 4, the mode (+, -, +, -): no latency, every entry at most 2 iterations old, and divergence."""

LATE_ROUND_ROBIN = PeriodicMessages(
    hessian=_hessian(_MU, 3),
    step_size=2 * _W / (1 + _MU),
    self_weight=_W,
    copies_weight=1 - _W,
    schedule=((0,), (1,), (2,)),
    latency=3,
)
"""Identical workers in perfect agreement, latency 3, tensors in turn: divergence."""
