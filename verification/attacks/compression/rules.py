"""Attacks on the rules of composition, with compressors whose moments are exact (dossier 2.1.3).

An unbiased one adds or subtracts, with equal probability, a vector of squared length omega |v|^2 along a direction of
the instance; a contractive one adds a vector of squared length (1 - delta) |v|^2. Each has exactly the error that its
class allows, so composites attain what the rules say of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from taciturn.theory.compression import CompressionClass, Contractive, Unbiased, compose_blocks, compose_permk
from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Integers, Positive, Words
from ..functions import square
from ..measures import agreement, quotient
from ..senders import PROJECTIONS, project, share
from .constants import evaluated

__all__ = ["FAMILIES"]

Outcomes = Sequence[Array]
"""Equally likely vectors (m, d)."""


def _step(v: Array, direction: Array, squared: Array) -> Array:
    """Return a vector of squared length squared |v|^2 along the direction, or the first axis where that is zero."""
    axis = np.where(square(direction)[:, None] > 0, direction, np.arange(v.shape[1]) == 0)
    return np.sqrt(squared * square(v) / square(axis))[:, None] * axis


def _unbiased(v: Array, direction: Array, variance: Array) -> Outcomes:
    step = _step(v, direction, variance)
    return [v + step, v - step]


def _contractive(v: Array, direction: Array, delta: Array) -> Array:
    return v + _step(v, direction, 1 - delta)


def _error(outcomes: Outcomes, v: Array) -> Array:
    """Return E|C(v) - v|^2 / |v|^2."""
    return quotient(np.mean([square(outcome - v) for outcome in outcomes], axis=0), square(v))


def _variance(theorem: Theorem, batch: Batch, outcomes: Outcomes) -> Array:
    """Compare the error of an unbiased composite with the theorem's; a bias counts as a violation."""
    v = batch["gradient"]
    stated = evaluated(theorem, v.shape[1], batch)
    bias = _error([np.mean(outcomes, axis=0)], v)
    return np.where(square(v) > 0, np.maximum(agreement(_error(outcomes, v), stated), 1 + bias), np.nan)


def _contraction(theorem: Theorem, batch: Batch, outcomes: Outcomes) -> Array:
    v = batch["gradient"]
    stated = evaluated(theorem, v.shape[1], batch)
    return np.where(square(v) > 0, agreement(1 - _error(outcomes, v), stated), np.nan)


def _compose_unbiased(theorem: Theorem, batch: Batch) -> Array:
    inner = _unbiased(batch["gradient"], batch["direction"], batch["variance_2"])
    outcomes = [outcome for w in inner for outcome in _unbiased(w, batch["other"], batch["variance_1"])]
    return _variance(theorem, batch, outcomes)


def _compose_average(theorem: Theorem, batch: Batch) -> Array:
    ratios = np.empty(len(batch["copies"]))
    for copies in np.unique(batch["copies"]):
        chosen = batch["copies"] == copies
        part = {name: values[chosen] for name, values in batch.items()}
        one = _unbiased(part["gradient"], part["direction"], part["variance"])
        outcomes = [np.mean(messages, axis=0) for messages in product(one, repeat=int(copies))]
        ratios[chosen] = _variance(theorem, part, outcomes)
    return ratios


def _compose_scale(theorem: Theorem, batch: Batch) -> Array:
    outcomes = _unbiased(batch["gradient"], batch["direction"], batch["variance"])
    return _contraction(theorem, batch, [outcome / (1 + batch["variance"][:, None]) for outcome in outcomes])


def _compose_after(theorem: Theorem, batch: Batch) -> Array:
    inner = _contractive(batch["gradient"], batch["direction"], batch["delta"])
    outcomes = _unbiased(inner, batch["other"], batch["variance"])
    return _contraction(theorem, batch, [outcome / (1 + batch["variance"][:, None]) for outcome in outcomes])


def _compose_unscaled(theorem: Theorem, batch: Batch) -> Array:
    v = batch["gradient"]
    inner = project(batch["compressor"], v, batch["T"], batch["direction"])
    delta = share(v, inner)
    known = delta > 1e-3  # of smaller contractions 1 - error keeps too few digits
    outcomes = _unbiased(inner, batch["other"], batch["variance"])
    ratio = _contraction(theorem, {**batch, "delta": np.where(known, delta, 1.0)}, outcomes)
    return np.where(known, ratio, np.nan)


def _compose_induced(theorem: Theorem, batch: Batch) -> Array:
    inner = _contractive(batch["gradient"], batch["direction"], batch["delta"])
    repairs = _unbiased(batch["gradient"] - inner, batch["other"], batch["variance"])
    return _variance(theorem, batch, [inner + repair for repair in repairs])


def _compose_blocks(theorem: Theorem, batch: Batch) -> Array:
    del theorem  # it has no formulas: attacked is the rule as the library follows it
    unbiased = _two_blocks(batch, batch["variances"], _unbiased, Unbiased)
    contractive = _two_blocks(batch, batch["deltas"], lambda *part: [_contractive(*part)], Contractive)
    return np.where(square(batch["gradient"]) > 0, np.maximum(unbiased, contractive), np.nan)


def _two_blocks(
    batch: Batch,
    constants: Array,
    compress: Callable[[Array, Array, Array], Outcomes],
    guarantee: Callable[[float], CompressionClass],
) -> Array:
    """Compare the error of two blocks with the rule, and the rule with the error of the worse block alone."""
    v, cut = batch["gradient"], batch["gradient"].shape[1] // 2
    halves = (slice(cut), slice(cut, None))
    blocks = [v[:, half] for half in halves]
    sent = [compress(v[:, half], batch["direction"][:, half], constants[:, i]) for i, half in enumerate(halves)]
    stated = np.array([compose_blocks([guarantee(c) for c in row]).squared_error(1.0) for row in constants.tolist()])
    whole = [np.concatenate(messages, axis=1) for messages in product(*sent)]
    alone = np.max([_error(outcomes, block) for outcomes, block in zip(sent, blocks, strict=True)], axis=0)
    filled = np.all([square(block) > 0 for block in blocks], axis=0)
    return np.maximum(quotient(_error(whole, v), stated), np.where(filled, agreement(alone, stated), 0.0))


def _compose_permk(theorem: Theorem, batch: Batch) -> Array:
    """Average over all cuts of the coordinates into one block of equal size for each worker."""
    del theorem  # it has no formulas: attacked is the rule as the library follows it
    v = batch["gradients"]
    n, d = v.shape[1:]
    owners = np.array(
        [owner for owner in product(range(n), repeat=d) if np.all(np.bincount(owner, minlength=n) == d // n)]
    )
    held = owners[:, None] == np.arange(n)[:, None]
    means = np.mean(n * np.where(held, v[:, None], 0.0), axis=2)
    mean, sizes = np.mean(v, axis=1), square(v)
    measured = np.mean(square(means - mean[:, None]), axis=1)
    rows = zip(sizes.tolist(), square(mean).tolist(), strict=True)
    stated = np.array([compose_permk(*row) for row in rows])
    total = np.mean(sizes, axis=1)  # both may be zero but for rounding
    return np.where(total > 0, agreement(total + measured, total + stated), np.nan)


_VARIANCE, _DELTA = Positive(0.01, 100.0), Positive(0.01, 1.0)
_VECTOR: Fields = {"gradient": Entries(), "direction": Entries()}
_VECTORS: Fields = {**_VECTOR, "other": Entries()}


def _simple(vectors: Fields, **parameters: object) -> Iterator[Instance]:
    """Yield equal entries and a single entry, with compressors that err along the last axis."""
    for d in (2, 3):
        last = [0.0] * (d - 1) + [1.0]
        for gradient in ([1.0] * d, [2.0] + [0.0] * (d - 1)):
            yield {**dict.fromkeys(vectors, last), "gradient": gradient, **parameters}


_EQUAL = "measured / stated, or its inverse, of members that err as much as they may"

FAMILIES = {
    "compose-unbiased": Family(
        {**_VECTORS, "variance_1": _VARIANCE, "variance_2": _VARIANCE},
        _compose_unbiased,
        _EQUAL,
        lambda: _simple(_VECTORS, variance_1=3.0, variance_2=0.5),
    ),
    "compose-average": Family(
        {**_VECTOR, "variance": _VARIANCE, "copies": Integers(1, 6)},
        _compose_average,
        _EQUAL,
        lambda: _simple(_VECTOR, variance=3.0, copies=4),
    ),
    "compose-scale": Family(
        {**_VECTOR, "variance": _VARIANCE}, _compose_scale, _EQUAL, lambda: _simple(_VECTOR, variance=3.0)
    ),
    "compose-unbiased-after-contractive": Family(
        {**_VECTORS, "variance": _VARIANCE, "delta": _DELTA},
        _compose_after,
        _EQUAL,
        lambda: _simple(_VECTORS, variance=3.0, delta=0.25),
    ),
    "compose-unscaled": Family(
        {**_VECTORS, "compressor": Words(PROJECTIONS), "T": Integers(), "variance": Positive(0.01, 0.99)},
        _compose_unscaled,
        _EQUAL,
        lambda: _simple(_VECTORS, compressor="top-T", T=1, variance=0.5),
    ),
    "compose-induced": Family(
        {**_VECTORS, "variance": _VARIANCE, "delta": _DELTA},
        _compose_induced,
        _EQUAL,
        lambda: _simple(_VECTORS, variance=3.0, delta=0.25),
    ),
    "compose-blocks": Family(
        {**_VECTOR, "variances": Positive(0.01, 100.0, rows=(2,)), "deltas": Positive(0.01, 1.0, rows=(2,))},
        _compose_blocks,
        "measured / stated error of two blocks, and what the worse block attains alone",
        lambda: _simple(_VECTOR, variances=[1.0, 2.0], deltas=[0.5, 0.25]),
    ),
    "compose-permk": Family(
        {"gradients": Entries(rows=(3,), zero=True)},
        _compose_permk,
        "measured / stated second moment of the mean message, or its inverse",
        dimensions=(3, 6),
    ),
}
