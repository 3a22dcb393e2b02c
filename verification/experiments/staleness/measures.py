"""What a theorem of dossier chapter 2 bounds, read off exact moments or runs, beside its bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from taciturn.solvers.methods import Run
from taciturn.solvers.second_moment import ExactMoments
from taciturn.theory.theorem import Guarantee

from ..comparison import Comparison, sampled, worst

__all__ = ["bounded", "bounded_means", "series"]

_DIGITS = 1e-8
"""What has shrunk by this factor counts as zero: minimisers of real problems are known to more digits."""


def series(guarantee: Guarantee, made: Run | ExactMoments, weights: Any = None) -> tuple[Any, float]:
    """Return what the theorem bounds after k = 1, ..., K iterations, shape (K, ...), and the value it starts from.

    Bounds that start from another quantity are about averages over the points before k, with the weights (K,) if given.
    """
    values = {
        "squared_distance": made.squared_distance,
        "objective_gap": made.gap,
        "squared_gradient": made.squared_gradient_norm,
    }
    goal, start = guarantee.theorem.goal, guarantee.theorem.start
    measured, initial = values[goal], values[start or goal]
    assert measured is not None
    assert initial is not None
    if start:
        share = np.ones(len(measured) - 1) if weights is None else np.asarray(weights)
        share = share.reshape(-1, *(1 for _ in measured.shape[1:]))
        measured = np.cumsum(share * measured[:-1], axis=0) / np.cumsum(share, axis=0)
    else:
        measured = measured[1:]
    return measured, float(np.ravel(initial)[0])


def bounded(setting: str, guarantee: Guarantee, made: Run | ExactMoments, weights: Any = None) -> Comparison:
    """Compare what is known without sampling with the bound, after every iteration."""
    measured, initial = series(guarantee, made, weights)
    bound = guarantee.bound(np.arange(1, len(measured) + 1), initial)
    scale = measured[0] if guarantee.theorem.start else initial
    return worst(setting, np.where(measured > _DIGITS * scale, measured, 0.0), bound)


def bounded_means(
    setting: str, guarantee: Guarantee, made: Run, checked: tuple[int, ...], weights: Any = None
) -> Iterator[Comparison]:
    """Compare the means over replicas with the bound after some iterations."""
    measured, initial = series(guarantee, made, weights)
    bound = np.broadcast_to(guarantee.bound(np.arange(1, len(measured) + 1), initial), len(measured))
    for k in checked:
        yield sampled(f"{setting}, k = {k}", measured[k - 1], float(bound[k - 1]))
