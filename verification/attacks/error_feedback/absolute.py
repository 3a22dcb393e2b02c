"""Attacks on hard thresholds and other absolute compressors (dossier 3.10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Positive, Words
from ..functions import square
from ..measures import agreement, quotient, stated
from .instances import NOISE, PROBLEMS, PULLS, SHAPES, STEP, WORKERS, alone
from .runs import affinely, averages, compared, squared_gradient, virtual_distance
from .setting import Setting, aligned, allowed_step, by_noise, feedback

__all__ = ["FAMILIES"]

_STEPS = 24
KINDS = ("threshold", "aligned", "fixed", "smallest")
"""What is kept back of v: entries up to the threshold; a vector of the largest allowed norm along the mean of all v, or
anywhere; as much of v as is allowed."""


def _below(v: Array, thresholds: Array) -> Array:
    return np.where(np.abs(v) > thresholds, 0.0, v)


def _keep(of: Setting) -> tuple[Array, Callable[[Array, int], Array]]:
    """Return kappa_i (m, n) and what is kept back of v (m, N, n, d)."""
    batch, d = of.batch, of.batch["start"].shape[1]
    thresholds = batch["L"][:, None] * batch["levels"]
    kappa = np.sqrt(d) * thresholds

    def keep(v: Array, k: int) -> Array:
        del k
        radius = kappa[:, None, :, None]
        norm = np.sqrt(square(v))[..., None]
        along = np.broadcast_to(of.mean(v)[:, :, None], v.shape)
        anywhere = np.broadcast_to(batch["direction"][:, None, None], v.shape)
        kinds = (
            _below(v, thresholds[:, None, :, None]),
            radius * aligned(along, v),
            radius * aligned(anywhere, v),
            v * np.minimum(1.0, radius / np.where(norm > 0, norm, 1.0)),
        )
        return np.select([(batch["compressor"] == name)[:, None, None, None] for name in KINDS], kinds)

    return kappa, keep


def _columns(values: dict[str, Array]) -> dict[str, Array]:
    return {name: np.asarray(value)[:, None] for name, value in values.items()}


def _nonconvex(theorem: Theorem, of: Setting) -> Array:
    kappa, keep = _keep(of)
    values = {"L": of.L, "absolute_error": of.average(kappa), "gradient_noise": of.sigma}
    step = allowed_step(theorem, of.batch, values)
    guarantee = theorem.evaluate(**_columns({**values, "step_size": step}))
    squares = np.stack([squared_gradient(of, at) for at in feedback(of, step, _STEPS - 1, keep)], axis=1)
    initial = of.gap(of.batch["start"][:, None])[:, 0]
    return compared(averages(squares), guarantee, initial, np.arange(1, _STEPS + 1))


def _strongly_convex(theorem: Theorem, of: Setting) -> Array:
    kappa, keep = _keep(of)
    values = {"L": of.L, "mu": of.mu, "absolute_error": of.average(kappa), "gradient_noise": of.sigma}
    step = allowed_step(theorem, of.batch, values)
    guarantee = theorem.evaluate(**_columns({**values, "step_size": step}))
    distances = [virtual_distance(of, at, step) for at in feedback(of, step, _STEPS, keep)]
    return affinely(np.stack(distances, axis=1), guarantee)


def _threshold_memory(theorem: Theorem, batch: Batch) -> Array:
    """Any gradients, thresholds that change from step to step."""
    p = batch["weights"] / np.sum(batch["weights"], axis=1, keepdims=True)
    gradients, thresholds = batch["gradients"], batch["thresholds"]
    e, ratios = np.zeros_like(gradients[:, 0]), []
    for k in range(gradients.shape[1]):
        e = _below(e + gradients[:, k], thresholds[:, k, :, None])
        mean = np.sqrt(square(np.einsum("mn,mnd->md", p, e)))
        value = theorem.evaluate(d=e.shape[2], mean_threshold=np.sum(p * thresholds[:, k], axis=1)).value
        ratios.append(quotient(mean, stated(value)))
        # Memories that are full: gradients at the thresholds, which are not sent.
        full = _below(np.broadcast_to(thresholds[:, k, :, None], e.shape), thresholds[:, k, :, None])
        ratios.append(agreement(np.sqrt(square(np.einsum("mn,mnd->md", p, full))), stated(value)))
    return np.max(ratios, axis=0)


def _full() -> Iterator[Instance]:
    """All entries of all memories at their thresholds."""
    levels = [1.0, 0.5, 0.25]
    for d in (1, 4):
        stream = [[[level] * d for level in levels]] + [[[0.0] * d] * 3] * 5
        yield {"weights": [1.0, 2.0, 3.0], "gradients": stream, "thresholds": [levels] * 6}


def _hard(fields: Fields) -> Callable[[], Iterator[Instance]]:
    def instances() -> Iterator[Instance]:
        for compressor in KINDS:
            for level in (0.1, 0.5, 3.0):
                for relative_step in (0.1, 0.6):
                    parts = {"compressor": compressor, "levels": [level] * WORKERS, "relative_step": relative_step}
                    yield {name: value for name, value in alone([1.0, 1.0], **parts).items() if name in fields}

    return instances


_ABSOLUTE: Fields = {
    **PROBLEMS,
    **PULLS,
    "levels": Positive(1e-3, 10.0, rows=(WORKERS,)),
    "compressor": Words(KINDS),
    "direction": Entries(),
    **NOISE,
    **STEP,
}
_NONCONVEX: Fields = {**_ABSOLUTE, **SHAPES}

FAMILIES = {
    "thr-memory": Family(
        {
            "weights": Positive(0.05, 1.0, rows=(3,)),
            "gradients": Entries(rows=(6, 3), zero=True),
            "thresholds": Positive(1e-2, 10.0, rows=(6, 3)),
        },
        _threshold_memory,
        "mean memory / its bound",
        _full,
        dimensions=(1, 4),
    ),
    "nuef-absolute": Family(
        _NONCONVEX,
        by_noise(_nonconvex),
        "average squared gradient / its bound, or iterations",
        _hard(_NONCONVEX),
        dimensions=(1, 3, 6),
    ),
    "nuef-absolute-strongly-convex": Family(
        _ABSOLUTE,
        by_noise(_strongly_convex),
        "expected squared distance of the virtual iterate / its bound",
        _hard(_ABSOLUTE),
        dimensions=(1, 3, 6),
    ),
}
