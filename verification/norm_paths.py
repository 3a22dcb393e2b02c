"""The published rule on given norms, no learning involved: the null model of `adaptive-invariance`."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from taciturn.solvers.decentralised import Adaptive, HorizonWarning, Look, Tensors

__all__ = ["event_pattern", "published"]


def published(horizon: float) -> Adaptive:
    """Return the published rule; beyond the limit of `horizon-lockout`, too, where silence is what is shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HorizonWarning)
        return Adaptive(horizon)


def event_pattern(norms: NDArray[np.float64], trigger: Adaptive) -> NDArray[np.bool_]:
    """Return when the rule fires on given norms of tensors, shape (K, m) to (K, m).

    Examples
    --------
    >>> int(event_pattern(np.arange(40.0)[:, None], published(1.5))[29:].sum())  # steady growth, silence
    0
    """
    passes, count = norms.shape
    tensors = Tensors.whole(1)
    memory = trigger.start(count, tensors)
    sent, last = norms[0][:, None], np.full((count, 1), -1)
    fired = np.zeros((passes, count), dtype=bool)
    for k in range(passes):
        points = norms[k][:, None]  # a tensor of one entry, whose norm it is
        fires, memory = trigger.fires(Look(k, points, sent, tensors, sent, last), memory)
        sent, last = np.where(fires, points, sent), np.where(fires, k, last)
        fired[k] = fires[:, 0]
    return fired
