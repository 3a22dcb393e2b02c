"""Compressors of the library on gradients of the bundled text, and on the worst vectors of the table (dossier 2.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import (
    QSGD,
    Bernoulli,
    Compressor,
    HardThreshold,
    Natural,
    RandK,
    Sign,
    SystematicSampling,
    Ternary,
    TopK,
)
from taciturn.theory.compression import compose_blocks, compose_permk
from taciturn.theory.theorem import Theorem

from ..attacks.compression.bits import gamma_bits
from ..attacks.compression.constants import CONSTANTS, evaluated
from ..attacks.functions import square
from ..evidence import Budget
from .comparison import Comparison, Experiment, sampled, worst
from .settings import several, start, text_gradients

__all__ = ["DIMENSION", "EXPERIMENTS"]

Vectors = Any
Map = Callable[[Vectors, Stream], Vectors]
"""Compresses vectors (R, d), with coins of its own for each."""

_Setting = tuple[Compressor, Mapping[str, Any]]
"""A compressor of the library, and the parameters of the statement for it."""

DIMENSION = 300
"""Of the gradients of the text."""

_KEPT = 30

_SPACED = np.array([0, 6, 12])  # a gradient at the start of the run, in the middle and at the end


def _vectors(id: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, Vectors]]:
    """Yield gradients, and the vector at which the constant of the table is attained."""
    for i in _SPACED:
        yield f"gradient of the text, iteration {5 * i}", text_gradients()[i]
    batch = {name: np.asarray(value)[None] for name, value in parameters.items()}
    yield "worst vector", np.atleast_2d(CONSTANTS[id].extremal(DIMENSION, **batch))[0]


def _errors(compressed: Vectors, v: Vectors) -> Vectors:
    return square(compressed - v) / square(v)


def _second_moments(*settings: _Setting) -> Experiment:
    def experiment(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
        for compressor, parameters in settings:
            for name, v in _vectors(theorem.id, parameters):
                constant = evaluated(theorem, v.size, parameters)
                sent = compressor(np.tile(v, (budget.replicas, 1)), Stream(budget.seed))
                yield sampled(f"{compressor}, {name}", square(sent) / square(v), float(constant))

    return experiment


def _contractions(*settings: _Setting) -> Experiment:
    def experiment(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
        for compressor, parameters in settings:
            for name, v in _vectors(theorem.id, parameters):
                constant = evaluated(theorem, v.size, parameters)
                sent = compressor(v)
                yield worst(f"{compressor}, {name}", constant, np.sum(sent * (2 * v - sent)) / square(v))

    return experiment


def _threshold(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for share in (0.01, 0.1):
        parameters = {"magnitude_threshold": share * float(np.max(np.abs(text_gradients()[0])))}
        compressor = HardThreshold(**parameters)
        for name, v in _vectors(theorem.id, parameters):
            error = np.sqrt(square(compressor(v) - v))
            yield worst(f"{compressor}, {name}", error, evaluated(theorem, v.size, parameters))


def _exact_moments(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Compare the exact moments of a compressor that the library does not have."""
    del budget
    constant, v = CONSTANTS[theorem.id], text_gradients()
    for parameters in constant.settings(DIMENSION):
        batch = {name: np.broadcast_to(value, len(v)) for name, value in parameters.items()}
        named = ", ".join(f"{name} = {value}" for name, value in parameters.items())
        yield worst(f"exact moments at gradients of the text {named}".strip(), constant.share(theorem, v, batch), 1.0)


# ---- rules ----


def _composite(name: str, composite: Map, parameters: Mapping[str, float], *, contracts: bool) -> Experiment:
    """Compare the mean error of a composite with the variance or the contraction that the theorem states."""

    def experiment(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
        value = float(evaluated(theorem, DIMENSION, parameters))
        for place, v in (("gradient of the text", text_gradients()[6]), ("equal entries", np.ones(DIMENSION))):
            sent = composite(np.tile(v, (budget.replicas, 1)), Stream(budget.seed))
            yield sampled(f"{name}, {place}", _errors(sent, v), 1 - value if contracts else value)

    return experiment


_QSGD, _RANDK, _TOP, _NATURAL = QSGD(4), RandK(_KEPT), TopK(_KEPT), Natural()
_MEAN_OF = 4


def _mean(v: Vectors, rng: Stream) -> Vectors:
    return np.mean(_RANDK(np.tile(v, (_MEAN_OF, 1, 1)), rng), axis=0)


def _repaired(v: Vectors, rng: Stream) -> Vectors:
    kept = _TOP(v)
    return kept + _RANDK(v - kept, rng)


def _blocks(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    del theorem  # it has no formulas: the library's rule is compared
    v, rng, half = text_gradients()[6], Stream(budget.seed), DIMENSION // 2
    compressors = (RandK(_KEPT), RandK(_KEPT // 2))
    for name, whole in (
        ("gradient of the text", v),
        ("zero but in the worse block", np.where(np.arange(v.size) < half, 0.0, v)),
    ):
        batch = np.tile(whole, (budget.replicas, 1))
        parts = [c(part, rng) for c, part in zip(compressors, (batch[:, :half], batch[:, half:]), strict=True)]
        stated = compose_blocks([c.guarantee(half) for c in compressors]).squared_error(1.0)
        yield sampled(f"two blocks of different RandK, {name}", _errors(np.concatenate(parts, axis=1), whole), stated)


def _permk(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    del theorem  # it has no formulas: the library's rule is compared
    problem = several()["text on four workers"]
    v = problem.worker_gradients(start(problem))
    n, d = v.shape
    rng = np.random.default_rng(budget.seed)
    owners = rng.permuted(np.tile(np.arange(d) % n, (budget.replicas, 1)), axis=1)
    mean = np.mean(v, axis=0)
    errors = square(v[owners, np.arange(d)] - mean)  # n v_i in its block, over n
    yield sampled("gradients of four workers", errors, compose_permk(square(v).tolist(), float(square(mean))))


# ---- bits ----


def _gamma_code(levels: Any) -> int:
    """Return the bits of a gamma-coded list of signed levels, without the norm."""
    (places,) = np.nonzero(levels)
    gaps = np.diff(places, prepend=-1)
    entries = gamma_bits(gaps) + 1 + gamma_bits(np.abs(levels[places]))
    return int(gamma_bits(len(places) + 1) + np.sum(entries))


def _gamma_coded(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for levels in (1, 4):
        compressor = QSGD(levels)
        for name, v in _vectors("urq-qsgd-2", {"levels": levels}):
            message = compressor.encode(np.tile(v, (budget.replicas, 1)), Stream(budget.seed))
            bits = [64 + _gamma_code(row) for row in message.fields["levels"].symbols - levels]
            bound = evaluated(theorem, v.size, {"levels": levels, "float_bits": 64})
            yield sampled(f"{compressor}, {name}", bits, float(bound))


def _packed(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Send uniform points of the unit ball: the bits of the longest message bound the mean error from below."""
    d, rng = DIMENSION, np.random.default_rng(budget.seed)
    directions = rng.standard_normal((budget.replicas, d))
    radii = rng.random((budget.replicas, 1)) ** (1 / d)
    ball = (radii * directions / np.sqrt(square(directions))[:, None]).astype(np.float32)
    for compressor in (Sign(), TopK(1), _TOP, Ternary(), _QSGD, _NATURAL):
        message = compressor.encode(ball, Stream(budget.seed))
        bits = int(np.max(message.bits)) + 1  # fewer than 2^(b + 1) messages have at most b bits
        least = float(evaluated(theorem, d, {"message_bits": bits}))
        lost = square(compressor.decode(message) - ball) * (d + 2) / d  # the mean of |v|^2 is d/(d + 2)
        yield sampled(f"{compressor}, {bits} bits: 1 + least - true error", 1 + least - lost, 1.0)


EXPERIMENTS: Mapping[str, Experiment] = {
    "urq-bernoulli": _second_moments(
        (Bernoulli(_KEPT, "uniform"), {"smallest_probability": _KEPT / DIMENSION, "spectrum": np.ones(DIMENSION)})
    ),
    "urq-optimal": _second_moments((Bernoulli(_KEPT), {"k": _KEPT}), (SystematicSampling(_KEPT), {"k": _KEPT})),
    "urq-randk": _second_moments((RandK(_KEPT), {"k": _KEPT}), (RandK(1), {"k": 1})),
    "urq-ternary-inf": _second_moments((Ternary("max"), {})),
    "urq-ternary-2": _second_moments((Ternary("two"), {})),
    "urq-qsgd-2": _second_moments((QSGD(1), {"levels": 1}), (QSGD(4), {"levels": 4})),
    "urq-qsgd-inf": _second_moments((QSGD(1, "max"), {"levels": 1}), (QSGD(4, "max"), {"levels": 4})),
    "urq-natural": _second_moments((Natural(), {})),
    **dict.fromkeys(
        (
            "urq-randk-replacement",
            "urq-natural-base",
            "urq-natdither-2",
            "urq-natdither-inf",
            "urq-stochastic-sign",
            "det-onebit",
            "det-grid",
        ),
        _exact_moments,
    ),
    "det-topk": _contractions((TopK(_KEPT), {"k": _KEPT}), (TopK(1), {"k": 1})),
    "det-sign": _contractions((Sign(), {})),
    "det-threshold": _threshold,
    "compose-unbiased": _composite(
        "QSGD after RandK",
        lambda v, rng: _QSGD(_RANDK(v, rng), rng),
        {"variance_1": _QSGD.guarantee(DIMENSION).variance, "variance_2": _RANDK.guarantee(DIMENSION).variance},
        contracts=False,
    ),
    "compose-average": _composite(
        f"mean of {_MEAN_OF} RandK",
        _mean,
        {"variance": _RANDK.guarantee(DIMENSION).variance, "copies": _MEAN_OF},
        contracts=False,
    ),
    "compose-scale": _composite(
        "scaled RandK",
        lambda v, rng: _RANDK(v, rng) / (1 + _RANDK.guarantee(DIMENSION).variance),
        {"variance": _RANDK.guarantee(DIMENSION).variance},
        contracts=True,
    ),
    "compose-unbiased-after-contractive": _composite(
        "scaled QSGD after TopK",
        lambda v, rng: _QSGD(_TOP(v), rng) / (1 + _QSGD.guarantee(DIMENSION).variance),
        {"variance": _QSGD.guarantee(DIMENSION).variance, "delta": _TOP.guarantee(DIMENSION).delta},
        contracts=True,
    ),
    "compose-unscaled": _composite(
        "Natural after TopK",
        lambda v, rng: _NATURAL(_TOP(v), rng),
        {"variance": _NATURAL.guarantee(DIMENSION).variance, "delta": _TOP.guarantee(DIMENSION).delta},
        contracts=True,
    ),
    "compose-induced": _composite(
        "TopK repaired by RandK",
        _repaired,
        {"variance": _RANDK.guarantee(DIMENSION).variance, "delta": _TOP.guarantee(DIMENSION).delta},
        contracts=False,
    ),
    "compose-blocks": _blocks,
    "compose-permk": _permk,
    "bits-qsgd-gamma": _gamma_coded,
    "bits-packing": _packed,
}
