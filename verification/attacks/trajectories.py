"""Runs of batches of one-node methods, with everything measured that the bounds speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .fields import Array
from .functions import Function, square
from .measures import DIGITS, e_foldings, quotient
from .senders import share

__all__ = ["Trajectory", "descend"]


@dataclass(frozen=True)
class Trajectory:
    """m runs of K steps."""

    gap: Array
    """F(x_k) - inf F, shape (m, K + 1)."""

    squared_gradient: Array
    """Shape (m, K + 1)."""

    squared_distance: Array
    """Squared distance of x_k from 0, shape (m, K + 1)."""

    decrease: Array
    """F(x_k) - F(x_{k+1}), shape (m, K)."""

    share: Array
    """|q_k|^2/|g_k|^2, shape (m, K)."""

    @property
    def steps(self) -> Array:
        """1..K."""
        return np.arange(1, self.decrease.shape[1] + 1)

    @property
    def counted(self) -> Array:
        """Steps from points that are not yet optimal, with so much sent that progress is measurable, shape (m, K)."""
        going = (self.gap[:, :-1] > DIGITS * self.gap[:, :1]) & (self.squared_gradient[:, :-1] > 0)
        return going & (self.share > 1e-6)

    @property
    def certified(self) -> Array:
        """The share where a step counts, else 1, shape (m, K): always a valid parameter."""
        return np.where(self.counted, self.share, 1.0)

    @property
    def mean_share(self) -> Array:
        """The arithmetic mean of the shares of the first k steps, shape (m, K)."""
        return np.cumsum(self.certified, axis=1) / self.steps

    @property
    def made(self) -> Array:
        """E-foldings of the gap in every step, shape (m, K)."""
        return e_foldings(self.decrease, self.gap[:, :-1])

    def progress(self, promised: Array) -> Array:
        """The largest promised / made progress, both in e-foldings of the gap since the start, shape (m,).

        Parameters
        ----------
        promised : shape (m, K)
            E-foldings that a bound promises in the first k steps.
        """
        return self.largest(quotient(promised, np.cumsum(np.where(self.counted, self.made, 0.0), axis=1)))

    def largest(self, ratios: Array) -> Array:
        """The largest of the ratios (m, K) over the beginnings that count, shape (m,); NaN if there is none."""
        running = np.logical_and.accumulate(self.counted, axis=1)
        return np.where(running[:, 0], np.max(np.where(running, ratios, 0.0), axis=1), np.nan)


def descend(
    function: Function,
    x: Array,
    send: Callable[[int, Array], Array],
    step_size: Array,
    iterations: int,
    gradient: Array | None = None,
) -> Trajectory:
    """Run x <- x - step_size q, q = send(k, gradient).

    Parameters
    ----------
    function
        m functions.
    x
        Starts, shape (m, d).
    send
        What is sent in iteration k.
    step_size
        Shape (m,).
    iterations
        K.
    gradient
        The gradients at the starts, where they are known better than by evaluation (with exact ties).
    """
    records: list[list[Array]] = [[], [], [], [], []]
    g = function.gradient(x) if gradient is None else gradient
    for k in range(iterations + 1):
        for record, value in zip(records[:3], (function.gap(x), square(g), square(x)), strict=True):
            record.append(value)
        if k == iterations:
            break
        q = send(k, g)
        records[3].append(function.decrease(x, g, step_size[:, None] * q))
        records[4].append(share(g, q))
        x = x - step_size[:, None] * q
        g = function.gradient(x)
    return Trajectory(*(np.stack(record, axis=1) for record in records))
