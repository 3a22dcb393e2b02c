"""Attacks on what compression is free, how many entries to send, and which bound to use (dossier 3.8, 5)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.stale_steps import root_step
from taciturn.theory.theorem import Theorem

from ..adaptive_compression.descent import SCALES
from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Integers, Positive
from ..measures import quotient, stated

__all__ = ["FAMILIES"]

_PHI = (1 + np.sqrt(5)) / 2
_COUNT = 3


def _free(theorem: Theorem, batch: Batch) -> Array:
    """Iterations are in proportion to 1/step: at the stated variance at most twice those without compression.

    The steps 1/(A_0 + B_1 omega) must be ones that `stale-sc` allows: no longer than its root step.
    """
    L_hat, tau = batch["L"], batch["tau"]
    mu = L_hat * batch["inverse_condition"]
    A = L_hat * (1 + _PHI * tau) + 0.75 * mu * tau
    B = (1 + batch["young"]) * L_hat * batch["Lambda"]
    variance = stated(theorem.evaluate(base_complexity=A, noise_complexity=B).value)
    allowed = [1 / (A + slope) / root_step(L_hat, slope, tau, mu) for slope in (np.zeros_like(B), B * variance)]
    return np.max([(A + B * variance) / (2 * A), *allowed], axis=0)


def _accuracy(theorem: Theorem, batch: Batch) -> Array:
    """Bits at the stated number of entries / the fewest bits of any: a grid of real numbers, dense near the answer."""
    A, B, d, h, beta = (batch[name][:, None] for name in ("A", "B", "d", "header", "entry"))
    value = stated(
        theorem.evaluate(
            base_complexity=batch["A"],
            noise_complexity=batch["B"],
            d=batch["d"],
            header=batch["header"],
            entry_bits=batch["entry"],
        ).value
    )[:, None]

    def bits(k: Array) -> Array:
        return (A - B + B * d / k) * (h + beta * k)

    everywhere = d ** np.linspace(0, 1, 400)
    near = np.clip(value * np.exp(np.linspace(-0.05, 0.05, 101)), 1, d)
    best = np.min(np.concatenate([bits(everywhere), bits(near)], axis=1), axis=1)
    inside = (value >= 1 - 1e-12) & (value <= d * (1 + 1e-12))
    return np.where(inside, bits(value), np.inf)[:, 0] / best


def _select(theorem: Theorem, batch: Batch) -> Array:
    """Workers whose matrices of smoothness are L_i on their supports, with their true L_hat and sigma."""
    support = batch["supports"] != 0
    L_i = batch["L_i"] * np.any(support, axis=-1)
    p = batch["weights"] / np.sum(batch["weights"], axis=1, keepdims=True)
    Lambda, sigma = np.max(p * L_i, axis=1), np.max(np.sum(support, axis=1), axis=1)
    L_hat = np.max(np.sum((p * L_i)[..., None] * support, axis=1), axis=1)
    sigma = np.maximum(sigma, 1)
    omega, theta = batch["variance"], batch["young"]
    guarantee = theorem.evaluate(
        variance=omega, young=theta, Lambda=np.maximum(Lambda, np.finfo(float).tiny), sparsity_sigma=sigma
    )
    independent, any_law = omega * (1 + theta) * Lambda, omega * (1 + theta) * sigma * Lambda
    published = (1 + omega) * (1 + theta) * sigma * Lambda
    better = quotient(stated(guarantee.value) * (L_hat + any_law), published)
    return np.where(Lambda > 0, np.maximum(better, quotient(independent, any_law)), np.nan)


def _synchronous() -> Iterator[Instance]:
    """Without delay the steps are the longest that the bound allows."""
    for tau in (0, 5):
        yield {"L": 1.0, "tau": tau, "inverse_condition": 0.01, "young": 1.0, "Lambda": 0.1}


def _inside_and_at_the_ends() -> Iterator[Instance]:
    for A, B, header in ((10.0, 1.0, 64.0), (1.0, 10.0, 64.0), (10.0, 1.0, 0.01), (1.1, 1.0, 1e5)):
        yield {"A": A, "B": B, "d": 100, "header": header, "entry": 39.0}


def _one_coordinate() -> Iterator[Instance]:
    yield {
        "supports": [[1.0, 0.0]] * _COUNT,
        "L_i": [1.0] * _COUNT,
        "weights": [1.0] * _COUNT,
        "variance": 3.0,
        "young": 0.5,
    }


FAMILIES = {
    "tradeoff-free-compression": Family(
        {
            "L": SCALES,
            "tau": Integers(0, 50),
            "inverse_condition": Positive(1e-4, 1.0),
            "young": Positive(0.01, 100.0),
            "Lambda": Positive(1e-3, 1.0),
        },
        _free,
        "iterations at the free variance / twice those without compression, and the step / the longest valid one",
        _synchronous,
        dimensions=(1,),
    ),
    "optimal-accuracy": Family(
        {
            "A": Positive(0.1, 1e3),
            "B": Positive(0.1, 1e3),
            "d": Integers(1, 1000),
            "header": Positive(1e-2, 1e5),
            "entry": Positive(1.0, 64.0),
        },
        _accuracy,
        "bits at the stated number of entries / the fewest of any number",
        _inside_and_at_the_ends,
        dimensions=(1,),
    ),
    "dcgd-select": Family(
        {
            "supports": Entries(rows=(_COUNT,), zero=True),
            "L_i": Positive(0.01, 100.0, rows=(_COUNT,)),
            "weights": Positive(0.05, 1.0, rows=(_COUNT,)),
            "variance": Positive(1e-3, 1e3),
            "young": Positive(0.01, 100.0),
        },
        _select,
        "stated gain x the better constant / the published one, and independent coins / any joint law",
        _one_coordinate,
    ),
}
