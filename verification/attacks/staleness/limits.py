"""Attacks on the limits that no analysis can exceed: the instances behind them, coin by coin (dossier 4.2, 4.10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import comb

from taciturn.theory.theorem import Theorem

from ..adaptive_compression.descent import SCALES
from ..family import Batch, Family, Instance
from ..fields import Array, Fields, Integers, Positive
from ..measures import agreement, stated

__all__ = ["FAMILIES"]

_LONGEST = 20


def _huber(theorem: Theorem, batch: Batch) -> Array:
    """Run x <- x - gamma f'(x_{k - delay}) on the Huber function of the statement, with delays as drawn."""
    L, R, K = batch["L"], batch["R"], batch["iterations"]
    gamma = batch["relative_step"] / L
    slope = R / ((K - 1) * gamma + 1 / L)
    rows, points, total = np.arange(len(R)), [R], np.zeros(len(R))
    for k in range(_LONGEST):
        pull = np.clip(L * points[-1], -slope, slope)
        gap = pull * points[-1] - pull**2 / (2 * L)
        total = total + np.where(k < K, gap, 0.0)
        read = np.stack(points)[k - np.minimum(batch["delays"][:, k], k), rows]
        points.append(points[-1] - gamma * np.clip(L * read, -slope, slope))
    return agreement(total / K, theorem.evaluate(L=L, step_size=gamma).bound(K, R**2))


def _coins(held: int, variance: float, stored: bool) -> tuple[Array, Array]:
    """Return the values of S = sum of the factors 1 +- sqrt(variance) of the messages in a block, and their chances.

    A block holds one model for `held` iterations: x becomes (1 - gamma L S) x. Stored messages have one coin.
    """
    if stored:
        return held * (1 + np.sqrt(variance) * np.array([-1.0, 1.0])), np.array([0.5, 0.5])
    positive = np.arange(held + 1)
    return held + np.sqrt(variance) * (2 * positive - held), comb(held, positive) / 2.0**held


def _necessary(stored: bool) -> Callable[[Theorem, Batch], Array]:
    """Compare the limit with the step at which E x^2 after a block, 1 - 2 gamma L E S + (gamma L)^2 E S^2, is 1."""

    def ratio(theorem: Theorem, batch: Batch) -> Array:
        limits = []
        for L, tau, variance in zip(batch["L"], batch["tau"], batch["variance"], strict=True):
            S, chances = _coins(int(tau) + 1, float(variance), stored)
            limits.append(2 * np.sum(chances * S) / (L * np.sum(chances * S**2)))
        value = theorem.evaluate(L=batch["L"], tau=batch["tau"], variance=batch["variance"]).value
        return agreement(limits, stated(value))

    return ratio


_STEPS: Fields = {"L": SCALES, "tau": Integers(0, 30), "variance": Positive(1e-3, 1e3)}


def _blocks() -> Iterator[Instance]:
    for tau, variance in ((0, 1e-3), (4, 1e-3), (3, 7.0), (20, 20.0)):
        yield {"L": 1.0, "tau": tau, "variance": variance}


def _patterns() -> Iterator[Instance]:
    for step, iterations in ((1.0, 1), (0.3, 8), (1.0, _LONGEST)):
        yield {"L": 2.0, "relative_step": step, "R": 3.0, "iterations": iterations, "delays": list(range(_LONGEST))}


FAMILIES = {
    "tight-huber": Family(
        {
            "L": SCALES,
            "relative_step": Positive(1e-3, 1.0),
            "R": Positive(0.01, 100.0),
            "iterations": Integers(1, _LONGEST),
            "delays": Integers(0, _LONGEST, rows=(_LONGEST,)),
        },
        _huber,
        "average gap of the Huber function / stated, or the reverse: an equality",
        _patterns,
        dimensions=(1,),
    ),
    **{
        id: Family(
            _STEPS,
            _necessary(stored),
            "step at which the held block stops contracting / stated limit, or the reverse: an equality",
            _blocks,
            dimensions=(1,),
        )
        for id, stored in (("stale-necessary", False), ("stale-necessary-stored", True))
    },
}
