"""Attack on the mixing that is best for a threshold: the residual itself, minimised (dossier 4.9)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Positive
from ..functions import square
from ..measures import agreement, stated
from .networks import Mixings, complete, figures, ring
from .setting import DIMENSIONS, only, rows

__all__ = ["FAMILIES"]


def _attacked(theorem: Theorem, batch: Batch) -> Array:
    of = figures(batch["W"])
    return only(of.connected & (of.mixing_pull > 1e-6), theorem, batch, _best_damping)


def _best_damping(theorem: Theorem, batch: Batch) -> Array:
    """The residual of `eg-sc` and `dgd-bias` at eta/2 and 2 eta is the same at its minimum, and nowhere else."""
    W, c, L = batch["W"], batch["threshold"], batch["L"]
    n, mu, gamma = W.shape[-1], batch["L"] / batch["condition"], batch["step"] / batch["L"]
    dissimilarity = np.sqrt(np.mean(square(rows(batch["pulls"])), axis=1))
    eye = np.eye(n)

    def residual(eta: Array) -> Array:
        of = figures(eye + eta[:, None, None] * (W - eye))
        bias = gamma * dissimilarity / of.mixing_gap * np.sqrt((L / mu + 1) / 2)
        return of.mixing_pull * c / (np.sqrt(n) * gamma * mu) + bias

    low, high = np.full(len(W), -14.0), np.full(len(W), 14.0)
    for _ in range(60):
        middle = (low + high) / 2
        eta = np.exp(middle)
        falls = residual(eta / 2) > residual(2 * eta)
        low, high = np.where(falls, middle, low), np.where(falls, high, middle)
    of = figures(W)
    value = theorem.evaluate(
        L=L, mu=mu, step_size=gamma, optimum_dissimilarity=dissimilarity, mixing_pull=of.mixing_pull,
        trigger_threshold=c, mixing_gap=of.mixing_gap, workers=n,
    ).value  # fmt: skip
    best = np.exp(low)
    inside = (np.abs(low) < 9) | (low > 0)  # farther away the gap of W_eta is lost in rounding
    return np.where(inside, 1 + 1e-3 * (agreement(np.minimum(1.0, best), stated(value)) - 1), np.nan)


def _networks() -> Iterator[Instance]:
    for W in (ring(8), complete(2)):
        pulls = np.where(np.arange(len(W)) % 2, -1.0, 1.0) * np.ones((2, 1)) / np.sqrt(2)
        for c in (1e-4, 1e-2, 1e-1):
            yield {"W": W.tolist(), "pulls": pulls.tolist(), "L": 1.0, "condition": 10.0, "step": 0.1, "threshold": c}


FAMILIES = {
    "optimal-weights": Family(
        {
            "W": Mixings(),
            "pulls": Entries(rows=(2,)),
            "L": Positive(1e-2, 1e2),
            "condition": Positive(1.0, 1e4),
            "step": Positive(1e-2, 1.0),
            "threshold": Positive(1e-6, 1e2),
        },
        _attacked,
        "best damping / stated, or the reverse: an equality",
        _networks,
        DIMENSIONS,
    )
}
