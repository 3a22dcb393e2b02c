"""Attacks on the lemmas about memories (dossier 3.1.4, 3.2)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Positive, Words
from ..functions import dot, square
from ..measures import agreement, quotient, stated
from .instances import COMPRESSION, NOISE, PROBLEMS, PULLS, STEP, hard
from .setting import COINS, COMPRESSORS, Setting, aligned, by_noise, feedback, kept_back

__all__ = ["FAMILIES", "memories"]

_STEPS = 60
_STREAM = 8


def _ratio_functions(theorem: Theorem, batch: Batch) -> Array:
    """The sum of q^j is what constant gradients of norm 1 leave behind; it is below both of its upper bounds."""
    delta = batch["delta"]
    q = np.sqrt(1 - delta)
    series = np.sum(q[:, None] ** np.arange(1, 6001), axis=1)
    value = stated(theorem.evaluate(delta=delta).value)
    squared_noise = np.sum(q[:, None] ** np.arange(2, 6001), axis=1)
    surrogate = 2 / delta - 1.5
    below = (
        quotient(series, surrogate),
        quotient(surrogate, series + 0.5),
        quotient(series**2, 4 * (1 - delta) / delta**2),
        quotient(squared_noise, 2 * (1 - delta) / delta),
    )
    return np.max([agreement(series, value), *below], axis=0)


def _virtual_iterate(theorem: Theorem, of: Setting) -> Array:
    del theorem
    step = of.batch["relative_step"] / of.L
    largest, scale = np.zeros(len(step)), np.ones(len(step)) * 1e-300
    before: tuple[Array, Array] | None = None
    for at in feedback(of, step, 12):
        virtual = at.x - step[:, None, None] * of.mean(at.memory)
        if before is not None:
            last, gradient = before
            # Coins have mean zero: the mean of the outcomes takes an uncompressed step.
            wanted = np.mean(last - step[:, None, None] * gradient, axis=1)
            largest = np.maximum(largest, np.sqrt(square(np.mean(virtual, axis=1) - wanted)))
        # Every term on the way is at most of this size.
        terms = np.sqrt(square(at.x)) + step[:, None] * of.average(
            np.swapaxes(np.sqrt(square(at.memory)) + np.sqrt(square(of.gradients(at.x))), 1, 2)
        )
        scale = np.maximum(scale, np.max(terms, axis=1) + step * of.average(of.noise))
        before = virtual, of.mean(of.gradients(at.x))
    return 1 + largest / scale


def memories(batch: Batch, gradients: Array, noise: Array, steps: int) -> Iterator[Array]:
    """Yield the memory (m, N, d) of one worker that sees the gradients (m, K, d) in turn, after 0, ..., steps steps.

    The first few gradients have the noise (m,) along the direction of the instance, by a fair coin.
    """
    d = gradients.shape[2]
    counts = np.clip(np.ceil(batch["delta"] * d - 1e-9), 1, d).astype(int)
    q = contraction(batch, d)
    e = np.zeros((len(q), 1, d))
    for k in range(steps + 1):
        yield e
        v = e + gradients[:, None, k % gradients.shape[1]]
        if k < COINS and np.any(noise):
            shift = (noise[:, None] * aligned(batch["direction"], gradients[:, 0]))[:, None]
            v = np.concatenate([v + shift, v - shift], axis=1)
        e = kept_back(batch, q[:, None], counts[:, None], v, v[:, :, None], k)[:, :, 0]


def contraction(batch: Batch, d: int) -> Array:
    """Return q (m,) of the compressors of a batch in d dimensions."""
    counts = np.clip(np.ceil(batch["delta"] * d - 1e-9), 1, d)
    return np.sqrt(1 - np.where(batch["compressor"] == "top-k", counts / d, batch["delta"]))


def _expected(e: Array) -> Array:
    return np.mean(square(e), axis=1)


def _noise(batch: Batch) -> Array:
    """The noise, where the coins can be told from a gradient that is 0."""
    return np.where(batch["noise"] == "coins", batch["deviation"], 0.0)


def _discount(batch: Batch, q: Array) -> Array:
    return q + batch["share"] * (1 - q)


def _memory_step(theorem: Theorem, batch: Batch) -> Array:
    e, g, s = batch["memory"], batch["gradient"], _noise(batch)
    d = e.shape[1]
    q = contraction(batch, d)
    counts = np.clip(np.ceil(batch["delta"] * d - 1e-9), 1, d).astype(int)
    shift = s[:, None] * aligned(batch["direction"], g)
    v = np.stack([e + g + shift, e + g - shift], axis=1)
    after = _expected(kept_back(batch, q[:, None], counts[:, None], v, v[:, :, None], 0)[:, :, 0])
    guarantee = theorem.evaluate(
        delta=1 - q**2, discount=_discount(batch, q), gradient_bound=np.sqrt(square(g)), gradient_noise=s
    )
    rate = stated(guarantee.rate)
    return quotient(after, rate * square(e) + (1 - rate) * stated(guarantee.residual))


def _memory_sum(theorem: Theorem, batch: Batch) -> Array:
    steps = 40
    gradients = batch["gradients"]
    q, s = contraction(batch, gradients.shape[2]), _noise(batch)
    beta = _discount(batch, q)
    growth = np.where(batch["shrinking"] == "with the discount", beta, 1.0)
    path = gradients[:, np.arange(steps) % gradients.shape[1]] * growth[:, None, None] ** np.arange(steps)[:, None]
    squares = np.stack([_expected(e) for e in memories(batch, path, s, steps - 1)], axis=1)
    weights = beta[:, None] ** (-2.0 * np.arange(steps))
    ratios = []
    for K in (2, 5, 12, steps):
        total = np.sum(weights[:, :K], axis=1)
        root = np.sqrt(np.sum(weights[:, :K] * squares[:, :K], axis=1) / total)
        h = np.sqrt(np.sum(weights[:, :K] * square(path[:, :K]), axis=1) / total)
        value = theorem.evaluate(delta=1 - q**2, discount=beta, gradient_bound=h, gradient_noise=s).value
        ratios.append(quotient(root, stated(value)))
    return np.max(ratios, axis=0)


def _memory_uniform(theorem: Theorem, batch: Batch) -> Array:
    gradients = batch["gradients"]
    q, s = contraction(batch, gradients.shape[2]), _noise(batch)
    largest = np.max([_expected(e) for e in memories(batch, gradients, s, _STEPS)], axis=0)
    h = np.sqrt(np.max(square(gradients), axis=1))
    value = stated(theorem.evaluate(delta=1 - q**2, gradient_bound=h, gradient_noise=s).value)
    return quotient(np.sqrt(largest), value)


def _memory_aggregate(theorem: Theorem, batch: Batch) -> Array:
    """Memories inside their bounds, on them where the slack is 1."""
    del theorem
    p = batch["weights"] / np.sum(batch["weights"], axis=1, keepdims=True)
    y, n = batch["bounds"], p.shape[1]
    e = (y * batch["slack"])[..., None] * aligned(batch["memories"], batch["memories"])
    mean = square(np.einsum("mn,mni->mi", p, e))
    triangle, jensen = np.sum(p * y, axis=1) ** 2, np.sum(p * y**2, axis=1)
    cauchy = n * np.sum(p**2 * y**2, axis=1)
    ordered = (
        (mean, triangle),
        (triangle, jensen),
        (triangle, cauchy),
        (jensen, triangle / np.min(p, axis=1)),
        (cauchy, n * triangle),
    )
    return np.max([quotient(smaller, larger) for smaller, larger in ordered], axis=0)


def _memory_meanlinear(theorem: Theorem, batch: Batch) -> Array:
    """Every worker sends all or nothing, independently: mean and second moment of its memory are known exactly."""
    p = batch["weights"] / np.sum(batch["weights"], axis=1, keepdims=True)
    delta, gradients = batch["delta"], batch["gradients"]
    h = np.sqrt(np.max(square(gradients), axis=(1, 2)))
    squares = np.sum(p**2, axis=1)
    value = stated(theorem.evaluate(delta=delta, gradient_bound=h, sum_square_weights=squares).value)
    mean, second = np.zeros_like(gradients[:, 0]), np.zeros(p.shape)
    ratios = []
    for k in range(80):
        g = gradients[:, k % gradients.shape[1]]
        second = (1 - delta)[:, None] * (second + 2 * dot(mean, g) + square(g))
        mean = (1 - delta)[:, None, None] * (mean + g)
        variance = np.sum(p**2 * (second - square(mean)), axis=1)
        ratios.append(quotient(np.sqrt(square(np.einsum("mn,mni->mi", p, mean)) + variance), value))
    return np.max(ratios, axis=0)


_ONE: Fields = {"delta": Positive(0.02, 1.0), "compressor": Words(COMPRESSORS), "direction": Entries(), **NOISE}
_DISCOUNT: Fields = {"share": Positive(1e-2, 1.0)}
_PATH: Fields = {"gradients": Entries(rows=(_STREAM,))}


def _one(d: int, **parts: object) -> Instance:
    """One worker that keeps a share of everything back."""
    return {
        "delta": 0.75,
        "compressor": "under",
        "direction": [1.0] + [0.0] * (d - 1),
        "noise": "none",
        "deviation": 1.0,
        **parts,
    }


def _balanced() -> Iterator[Instance]:
    """Equality: (beta - q) e = q g, for q = 1/2 and beta = 1/2 + share/2."""
    for share in (0.2, 1.0):
        yield _one(1, memory=[1.0], gradient=[share], share=share)
        yield _one(2, memory=[1.0, 1.0], gradient=[share, share], share=share, compressor="over")


def _shrinking() -> Iterator[Instance]:
    for share in (0.2, 0.8, 1.0):
        for delta in (0.3, 0.75, 0.99):
            yield _one(1, gradients=[[1.0]] * _STREAM, share=share, delta=delta, shrinking="with the discount")


def _constant() -> Iterator[Instance]:
    for delta in (0.6, 0.9, 1.0):
        for noise in ("none", "coins"):
            yield _one(1, gradients=[[1.0]] * _STREAM, delta=delta, noise=noise)


def _same_direction() -> Iterator[Instance]:
    yield {
        "weights": [0.5, 0.3, 0.2],
        "bounds": [3.0, 1.0, 0.1],
        "slack": [1.0] * 3,
        "memories": [[1.0, 2.0]] * 3,
    }


def _independent() -> Iterator[Instance]:
    for delta in (0.1, 0.5, 0.9):
        yield {"weights": [1.0] * 3, "delta": delta, "gradients": [[[1.0]] * 3] * _STREAM}


_VIRTUAL: Fields = {**PROBLEMS, **PULLS, **COMPRESSION, **NOISE, **STEP}

FAMILIES = {
    "def-a-r": Family(
        {"delta": Positive(0.02, 1.0)},
        _ratio_functions,
        "sum of the powers of q / stated, or the reverse: an equality; and either against its upper bounds",
        lambda: ({"delta": delta} for delta in (0.02, 0.5, 0.99, 1.0)),
        dimensions=(1,),
    ),
    "ef-virtual-iterate": Family(
        _VIRTUAL,
        by_noise(_virtual_iterate),
        "1 + difference of both sides / the size of their terms",
        hard(_VIRTUAL),
        dimensions=(1, 3, 6),
    ),
    "ef-memory-step": Family(
        {"memory": Entries(zero=True), "gradient": Entries(), **_ONE, **_DISCOUNT},
        _memory_step,
        "expected squared memory after a step / its bound",
        _balanced,
        dimensions=(1, 2, 6),
    ),
    "ef-memory-sum": Family(
        {**_PATH, **_ONE, **_DISCOUNT, "shrinking": Words(("not", "with the discount"))},
        _memory_sum,
        "weighted root mean square of the memory / its bound",
        _shrinking,
        dimensions=(1, 2, 6),
    ),
    "ef-memory-uniform": Family(
        {**_PATH, **_ONE},
        _memory_uniform,
        "largest root mean square of the memory / its bound",
        _constant,
        dimensions=(1, 2, 6),
    ),
    "ef-memory-aggregate": Family(
        {
            "weights": Positive(0.05, 1.0, rows=(3,)),
            "bounds": Positive(1e-2, 100.0, rows=(3,)),
            "slack": Positive(0.1, 1.0, rows=(3,)),
            "memories": Entries(rows=(3,)),
        },
        _memory_aggregate,
        "largest of smaller / larger among mean memory, triangle, Jensen and Cauchy-Schwarz bounds",
        _same_direction,
    ),
    "ef-memory-meanlinear": Family(
        {
            "weights": Positive(0.05, 1.0, rows=(3,)),
            "delta": Positive(0.02, 1.0),
            "gradients": Entries(rows=(_STREAM, 3)),
        },
        _memory_meanlinear,
        "root mean square of the mean memory / its bound",
        _independent,
        dimensions=(1, 2, 4),
    ),
}
