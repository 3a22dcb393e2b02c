"""Attacks on the lemmas about sequences, with the largest sequence that each recursion allows (dossier 4.2)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.theorem import Theorem

from ..adaptive_compression.descent import SCALES
from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Positive, Spectrum
from ..functions import Quadratics, square
from ..measures import quotient, reached
from .setting import compared

__all__ = ["FAMILIES"]

_LONG = 100


def _contraction(theorem: Theorem, batch: Batch) -> Array:
    """Every pair of gradients of a smooth, strongly convex function is that of a quadratic."""
    L, spectrum = batch["L"], batch["spectrum"]
    quadratics = Quadratics.along(L[:, None] * spectrum, batch["mirror"])
    mu = np.minimum(L * np.min(spectrum, axis=1), L)
    gamma = batch["relative_step"] * 2 / (L + mu)
    moved = batch["moved"] - gamma[:, None] * quadratics.gradient(batch["moved"])
    rate = theorem.evaluate(L=L, mu=mu, step_size=gamma).rate
    return reached(np.sqrt(square(moved)), rate * np.sqrt(square(batch["moved"])), np.sqrt(square(batch["moved"])))


def _noise_recursion(theorem: Theorem, batch: Batch) -> Array:
    q, b, s, first = (batch[name] for name in ("factor", "input", "spread", "first"))
    y = [first]
    for _ in range(_LONG):
        y.append(np.hypot(q * y[-1] + b, s))
    guarantee = theorem.evaluate(contraction_factor=q[:, None], input=b[:, None], spread=s[:, None])
    return compared(np.stack(y, axis=1), guarantee, first, first)


def _biased_recursion(theorem: Theorem, batch: Batch) -> Array:
    m, bias, power, first = (batch[name] for name in ("margin", "bias", "power", "first"))
    a = [first]
    for _ in range(_LONG):
        a.append((bias + np.sqrt(bias**2 + (1 + m) * ((1 - m) * a[-1] ** 2 + power))) / (1 + m))
    guarantee = theorem.evaluate(margin=m[:, None], bias=bias[:, None], noise_power=power[:, None])
    return compared(np.stack(a, axis=1), guarantee, first, first)


def _max_root(theorem: Theorem, batch: Batch) -> Array:
    """u_k is the larger root of u^2 = S_k + 2 sum_{t < k} epsilon_t u_t + 2 epsilon_k u."""
    del theorem
    epsilon, S = np.abs(batch["epsilon"]), np.cumsum(batch["increments"] ** 2, axis=1)
    paid, largest, ratios = np.zeros(len(S)), np.zeros(len(S)), []
    for k in range(S.shape[1]):
        u = epsilon[:, k] + np.sqrt(epsilon[:, k] ** 2 + S[:, k] + paid)
        paid, largest = paid + 2 * epsilon[:, k] * u, np.maximum(largest, u)
        A = np.sum(epsilon[:, : k + 1], axis=1)
        ratios.append(quotient(largest, A + np.sqrt(S[:, k] + A**2)))
        ratios.append(quotient(S[:, k] + paid, (np.sqrt(S[:, k]) + 2 * A) ** 2))
    return np.max(ratios, axis=0)


def _at_once() -> Iterator[Instance]:
    for step in (1.0, 0.3):
        yield {"L": 2.0, "spectrum": [1.0, 0.1], "mirror": [0.0, 0.0], "moved": [0.0, 1.0], "relative_step": step}


def _pure() -> Iterator[Instance]:
    """A start alone, an input alone, noise alone."""
    small = 1e-12
    yield {"factor": 0.9, "input": small, "spread": small, "first": 1e3}
    yield {"factor": 0.5, "input": 1.0, "spread": small, "first": small}
    yield {"factor": 0.5, "input": small, "spread": 1.0, "first": small}


def _biased() -> Iterator[Instance]:
    small = 1e-12
    yield {"margin": 0.01, "bias": small, "power": small, "first": 1e3}
    yield {"margin": 0.5, "bias": 1.0, "power": small, "first": small}
    yield {"margin": 0.5, "bias": small, "power": 1.0, "first": small}


def _only_one_error() -> Iterator[Instance]:
    for increment in (0.0, 1.0):
        yield {"epsilon": [1.0, 0.0, 0.0], "increments": [increment, 0.0, 0.0]}


FAMILIES = {
    "gd-contraction": Family(
        {
            "L": SCALES,
            "spectrum": Spectrum(),
            "mirror": Entries(zero=True),
            "moved": Entries(),
            "relative_step": Positive(1e-2, 1.0),
        },
        _contraction,
        "distance after a step / its bound",
        _at_once,
    ),
    "noise-recursion": Family(
        {
            "factor": Positive(1e-3, 0.999),
            "input": Positive(1e-12, 1e3),
            "spread": Positive(1e-12, 1e3),
            "first": Positive(1e-12, 1e3),
        },
        _noise_recursion,
        "largest sequence / its bound",
        _pure,
        dimensions=(1,),
    ),
    "biased-recursion": Family(
        {
            "margin": Positive(1e-3, 1.0),
            "bias": Positive(1e-12, 1e3),
            "power": Positive(1e-12, 1e3),
            "first": Positive(1e-12, 1e3),
        },
        _biased_recursion,
        "largest sequence / its bound",
        _biased,
        dimensions=(1,),
    ),
    "max-root": Family(
        {"epsilon": Entries(zero=True), "increments": Entries(zero=True)},
        _max_root,
        "largest sequence, and largest sum / their bounds",
        _only_one_error,
        dimensions=(3, 6, 12),
    ),
}
