"""Attacks on biased messages of bounded error: thresholds, grids, and errors that push away (dossier 4.8)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..adaptive_compression.workers import SEVERAL, several
from ..family import Batch, Family, Instance
from ..fields import Array, Integers, Positive, Words
from ..functions import square
from ..measures import reached, stated

__all__ = ["FAMILIES"]

_ITERATIONS = 24
_COUNT = 2
_KINDS = ("threshold", "grid", "outwards")


def _errors(kind: Array, g: Array, size: Array, e: Array) -> Array:
    """Return C_i(g_i) - g_i of norm at most size_i for gradients g (m, n, d) at the distance e (m, d)."""
    width = size[..., None] / np.sqrt(g.shape[-1])
    norm = np.sqrt(square(e))[:, None]
    away = np.where(norm > 0, e / np.where(norm > 0, norm, 1.0), np.eye(e.shape[1])[0])
    choices = [
        np.where(np.abs(g) >= width, 0.0, -g),
        2 * width * np.rint(g / (2 * width)) - g,
        -size[..., None] * away[:, None, :],
    ]
    return np.select([(kind == name)[:, None, None] for name in _KINDS], choices)


def _absolute(theorem: Theorem, batch: Batch) -> Array:
    workers, e, tau = several(batch), batch["start"], batch["tau"]
    scale = np.sqrt(np.max(square(workers.gradients(e)), axis=1))
    size = batch["sizes"] * scale[:, None]
    L = workers.L
    guarantee = theorem.evaluate(L_hat=L, mu=np.minimum(workers.mu, L), absolute_error=workers.average(size), tau=tau)
    rows = np.arange(len(e))[:, None]
    initial, history, ratios = square(e), [e], []
    for k in range(_ITERATIONS):
        delay = np.minimum(batch["delays"][:, k] % (tau[:, None] + 1), k)
        read = np.stack(history, axis=1)[rows, k - delay]
        g = np.einsum("mnij,mnj->mni", workers.hessians, read) + workers.at_minimiser
        sent = g + _errors(batch["kind"], g, size, e)
        e = e - stated(guarantee.step_size)[:, None] * workers.average(sent)
        history.append(e)
        ratios.append(reached(square(e), guarantee.bound(k + 1, initial), initial))
    return np.max(ratios, axis=0)


def _slow_and_pushed() -> Iterator[Instance]:
    """Hardly any curvature and hardly any error: the distance stays; and an error that always pushes the same way."""
    for flattest, kind, start, size in (
        (1e-3, "threshold", 1.0, 1e-6),
        (1e-3, "outwards", 1.0, 1e-6),
        (1.0, "outwards", 1e-3, 1e3),
        (1.0, "grid", 1.0, 0.5),
    ):
        for tau in (0, 3):
            yield {
                "L": 1.0,
                "spectra": [[1.0, flattest]] * _COUNT,
                "mirrors": [[0.0, 0.0]] * _COUNT,
                "centres": [[0.0, 0.0]] * _COUNT,
                "weights": [1.0] * _COUNT,
                "start": [0.0, start],
                "kind": kind,
                "sizes": [size] * _COUNT,
                "tau": tau,
                "delays": [[k % (tau + 1)] * _COUNT for k in range(_ITERATIONS)],
            }


FAMILIES = {
    "stale-absolute": Family(
        {
            **{name: field for name, field in SEVERAL.items() if name != "T"},
            "kind": Words(_KINDS),
            "sizes": Positive(1e-6, 1e3, rows=(_COUNT,)),
            "tau": Integers(0, 6),
            "delays": Integers(0, 6, rows=(_ITERATIONS, _COUNT)),
        },
        _absolute,
        "squared distance / its bound",
        _slow_and_pushed,
    )
}
