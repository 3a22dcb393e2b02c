"""Attacks on what is said of the average of the workers in one step (dossier 4.2, 4.8)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries
from ..functions import dot, square
from ..measures import agreement, quotient, stated
from .networks import complete, lazy, ring
from .setting import DIMENSIONS, WORKERS, instance, network, rows

__all__ = ["FAMILIES"]


def _drift(theorem: Theorem, batch: Batch) -> Array:
    """Any displacement within the threshold is below the bound, and one and the same for all copies attains it."""
    net = network(batch, pulls=rows(batch["pulls"]))
    c, X = batch["threshold"], rows(batch["start"])
    size = np.sqrt(square(rows(batch["directions"])))
    moved = rows(batch["directions"]) / np.max(size, axis=1)[:, None, None] * c[:, None, None]
    value = stated(theorem.evaluate(pull=net.figures.pull, trigger_threshold=c).value)
    any_drift, largest = (
        np.sqrt(square(np.mean(net.off_diagonal() @ z, axis=1)))
        for z in (moved, np.broadcast_to(moved[:, :1], moved.shape))
    )
    # The same through the whole update: W X + E - gamma g, whose average moves by no more than -gamma g and E.
    gamma = batch["relative_step"][:, None, None]
    after = net.W @ X + net.off_diagonal() @ moved - gamma * net.slopes(X)
    through = np.sqrt(square(np.mean(after - X + gamma * net.slopes(X), axis=1)))
    digits = 1e-13 * np.max(np.abs(X) + np.abs(gamma * net.slopes(X)), axis=(1, 2))
    reach = np.max(np.sqrt(square(moved[:, :1])), axis=1)
    full = np.where(reach > 0, agreement(quotient(largest * c, reach), value), 1.0)
    still = net.figures.pull < 1e-5  # the weights that are given away are known to 1e-16
    return np.where(still, np.nan, np.maximum(full, quotient(np.maximum(any_drift, through - digits), value)))


def _oracle(theorem: Theorem, batch: Batch) -> Array:
    """One step from anywhere, with any error and any noise."""
    del theorem
    net = network(batch, pulls=rows(batch["pulls"]))
    gamma, X = batch["relative_step"], rows(batch["start"])
    mean, h = np.mean(X, axis=1), np.mean(net.slopes(X), axis=1)
    noise, e = (batch[name][:, :, 0] for name in ("noise", "error"))
    common = np.mean(net.hessians, axis=1)
    centre = np.zeros_like(mean)  # pulls are balanced
    step = -gamma[:, None] * (h + noise) + e
    after = mean + step
    V = np.mean(square(X - mean[:, None]), axis=1)
    gap = np.einsum("mi,mij,mj->m", after, common, after) / 2
    L, mu = net.L, net.mu
    forced = (1 - gamma * L) * square(step) - 2 * dot(e - gamma[:, None] * noise, after - centre)
    left = 2 * gamma * gap + square(after)
    right = (1 - gamma * mu) * square(mean) + gamma * (L - mu) * V
    size = left + right + np.abs(forced)
    lost = 1e-13 * gamma * np.max(np.abs(net.slopes(X)), axis=(1, 2))  # of a step, by rounding
    hidden = lost * (np.sqrt(square(mean)) + np.sqrt(square(after)) + lost)
    close = 1 + quotient(left + forced - right - hidden, size + hidden)
    return np.where(right > 1e-3 * size, quotient(left + forced, right + hidden), close)


def _mass(theorem: Theorem, batch: Batch) -> Array:
    """The update of every worker on one side, the sum over the links on the other."""
    del theorem
    n = batch["W"].shape[-1]
    W, received, record = batch["W"] * (1 - np.eye(n)), rows(batch["received"]), rows(batch["record"])
    index = np.arange(n)
    # What i holds of j, and what i believes that j holds of i: entries differ from link to link.
    holds = received[:, None, :] * (1 + index[:, None, None]) + record[:, :, None] * (index[:, None] - 1)
    believes = record[:, :, None] + received[:, None, :] * (2 - index[:, None])
    moved = np.einsum("mij,mijx->mx", W, holds - believes)
    both = holds - np.swapaxes(believes, 1, 2) + np.swapaxes(holds, 1, 2) - believes
    links = np.einsum("mij,mijx->mx", np.triu(W, 1), both)
    scale = n**2 * np.max(np.abs(holds) + np.abs(believes), axis=(1, 2, 3))
    return 1 + np.max(np.abs(moved - links), axis=1) / np.where(scale > 0, scale, 1.0)


def _all_alike() -> Iterator[Instance]:
    for W in (ring(4), complete(2), lazy(ring(5), 0.3)):
        vector = np.ones((2, len(W))).tolist()
        yield instance(W, threshold=1.0) | {"pulls": vector}


def _one_curvature() -> Iterator[Instance]:
    for step in (1.0, 0.3):
        zero = np.zeros((2, 3)).tolist()
        yield instance(ring(3), relative_step=step) | {"pulls": zero, "noise": zero, "error": zero}


FAMILIES = {
    "mean-drift": Family(
        {**WORKERS, "pulls": Entries(rows=(2,), zero=True)},
        _drift,
        "drift of the average / its bound, or the reverse where all copies are displaced alike",
        _all_alike,
        DIMENSIONS,
    ),
    "mean-oracle-step": Family(
        {**WORKERS, **{name: Entries(rows=(2,), zero=True) for name in ("pulls", "noise", "error")}},
        _oracle,
        "what the step leaves and costs / what it starts from",
        _one_curvature,
        DIMENSIONS,
    ),
    "mass-conservation": Family(
        {"W": WORKERS["W"], "received": Entries(rows=(2,)), "record": Entries(rows=(2,))},
        _mass,
        "1 + difference of both sides / the size of their terms",
        dimensions=DIMENSIONS,
    ),
}
