"""Attacks on what communication-aware tuning guarantees (dossier 5.1–5.9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from taciturn.solvers.tune import tune
from taciturn.theory.communication import AffineCost
from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Integers, Positive, Spectrum, Words
from ..functions import Quadratics
from ..measures import agreement, quotient, stated
from ..senders import (
    bernoulli_outcomes,
    best_sparsity,
    nonzeros,
    sampling_probabilities,
    scaled_sign,
    sorted_sums,
    top,
)
from .descent import SCALES, STEP, curvature, quadratics
from .efficiency import VECTOR_AND_PRICE

__all__ = ["FAMILIES"]

_RUN: Fields = {
    **{name: STEP[name] for name in ("L", "mirror", "gradient")},
    "spectrum": Spectrum(condition=8.0),
    "c0": Positive(1e-3, 100.0),
    "c1": Positive(0.1, 10.0),
    "eps": Positive(1e-2, 0.999),
}
"""A well-conditioned quadratic, so that runs are short, an affine price c1 (c0 + T), and a relative accuracy."""


def _prices(batch: Batch, d: int) -> Array:
    """Return the prices (m, d) of T = 1..d entries."""
    return batch["c1"][:, None] * (batch["c0"][:, None] + np.arange(1, d + 1))


@dataclass(frozen=True)
class _Bill:
    """What m runs of CAT paid for their accuracy."""

    initial: Array
    bits: Array
    last: Array
    smallest_efficiency: Array
    largest_sparsity: Array


def _run(batch: Batch, signs: bool) -> _Bill:
    """Run CAT-S or CAT-S+Q until F - F* has shrunk to the relative accuracy; infinite bits if it never does."""
    function, L, g = quadratics(batch), batch["L"], batch["gradient"]
    m, d = g.shape
    prices, x = _prices(batch, d), function.point(g)
    initial = function.gap(x)
    bits, last, efficiency, sparsity = np.zeros(m), np.zeros(m), np.full(m, np.inf), np.ones(m)
    # A share of at least 1/d per iteration: after so many the accuracy is certain.
    most = int(np.max(d * L / curvature(batch) * np.log(1 / batch["eps"]))) + 2
    for _ in range(most):
        running = function.gap(x) > batch["eps"] * initial
        if not running.any():
            return _Bill(initial, bits, last, efficiency, sparsity)
        share, q, T, s = _choose(g, prices, signs)
        price = np.take_along_axis(prices, T[:, None] - 1, axis=1)[:, 0]
        bits += np.where(running, price, 0.0)
        last = np.where(running, price, last)
        efficiency = np.where(running, np.minimum(efficiency, share / price), efficiency)
        sparsity = np.where(running, np.maximum(sparsity, s), sparsity)
        x = np.where(running[:, None], x - q / L[:, None], x)
        g = np.where(running[:, None], function.gradient(x), g)
    missed = function.gap(x) > batch["eps"] * initial
    return _Bill(initial, np.where(missed, np.inf, bits), last, efficiency, sparsity)


def _choose(g: Array, prices: Array, signs: bool) -> tuple[Array, Array, Array, Array]:
    """Return what CAT certifies, sends and chooses for g (m, d), and the effective sparsities."""
    _, mass, energy = sorted_sums(g)
    T = np.arange(1, g.shape[1] + 1)
    numerator = np.where(nonzeros(g)[:, None] >= T, mass**2 / T, 0.0) if signs else energy
    chosen = best_sparsity(numerator, prices)
    share = np.take_along_axis(numerator, chosen[:, None] - 1, axis=1)[:, 0] / energy[:, -1]
    q = (scaled_sign if signs else top)(g, chosen)
    return share, q, chosen, np.clip(mass[:, -1] ** 2 / energy[:, -1], 1.0, g.shape[1])


def _constants(batch: Batch) -> dict[str, Array]:
    return {"L": batch["L"], "mu": curvature(batch)}


def _price(batch: Batch) -> dict[str, Array]:
    return {"c0": batch["c0"] * batch["c1"], "c1": batch["c1"]}


def _compare(theorem: Theorem, batch: Batch, bill: _Bill, **parameters: Array) -> Array:
    bits = theorem.evaluate(**_constants(batch), **parameters).bits(batch["eps"] * bill.initial, bill.initial)
    return quotient(bill.bits, bits)


def _cat_bits(theorem: Theorem, batch: Batch) -> Array:
    bill = _run(batch, signs=False)
    return _compare(theorem, batch, bill, efficiency=bill.smallest_efficiency, cost=bill.last)


def _cat_worst_case(theorem: Theorem, batch: Batch) -> Array:
    d = np.full(len(batch["L"]), batch["gradient"].shape[1])
    return _compare(theorem, batch, _run(batch, signs=False), **_price(batch), d=d)


def _cat_sparsity(theorem: Theorem, batch: Batch) -> Array:
    bill = _run(batch, signs=False)
    return _compare(theorem, batch, bill, **_price(batch), effective_sparsity=bill.largest_sparsity, cost=bill.last)


def _cat_sq_bits(theorem: Theorem, batch: Batch) -> Array:
    bill, d = _run(batch, signs=True), np.full(len(batch["L"]), batch["gradient"].shape[1])
    return _compare(theorem, batch, bill, **_price(batch), d=d, cost=bill.last)


def _runs() -> Iterator[Instance]:
    for d in (1, 2, 5):
        for eps in (0.999, 0.5, 0.01):
            for c0 in (1e-3, 100.0):
                yield {
                    "L": 2.0,
                    "spectrum": [1.0] * d,
                    "mirror": [0.0] * d,
                    "gradient": [1.0] * d,
                    "c0": c0,
                    "c1": 1.0,
                    "eps": eps,
                }


def _cat_ss_bits(theorem: Theorem, batch: Batch) -> Array:
    function = quadratics(batch)
    ratios = []
    for i, g in enumerate(batch["gradient"]):
        L, mu, eps = float(batch["L"][i]), float(curvature(batch)[i]), float(batch["eps"][i])
        one = Quadratics(function.hessian[i : i + 1])
        cost = AffineCost(float(batch["c0"][i] * batch["c1"][i]), float(batch["c1"][i]))
        bill = _stopped(one, one.point(g[None]), L, cost, L / mu * np.log(1 / eps))
        guarantee = theorem.evaluate(L=L, mu=mu, efficiency=bill.efficiency)
        initial = float(one.gap(one.point(g[None]))[0])
        promised = float(guarantee.bits(eps * initial, initial))
        ratios.append(max(bill.bits / promised, bill.gap / (eps * initial)))
    return np.array(ratios)


@dataclass
class _Stopped:
    """Expectations over all outcomes of CAT-SS with the stopping rule."""

    gap: float = 0.0
    bits: float = 0.0
    efficiency: float = np.inf


def _stopped(function: Quadratics, start: Array, L: float, cost: AffineCost, progress: float) -> _Stopped:
    """Follow every outcome until the sum of omega reaches the progress that is needed."""
    bill, open_ends = _Stopped(), [(start, 1.0, 0.0)]
    while open_ends:
        x, probability, total = open_ends.pop()
        g = function.gradient(x)[0]
        if total >= progress or not g.any():
            bill.gap += probability * float(function.gap(x)[0])
            continue
        best = tune(g, cost, "SS")
        bill.bits += probability * best.cost
        bill.efficiency = min(bill.efficiency, best.efficiency)
        (p,) = sampling_probabilities(g[None], np.array([float(best.T)]))
        open_ends += [
            (x - best.decrease / L * message, probability * chance, total + best.decrease)
            for chance, message in bernoulli_outcomes(g, p)
            if chance > 0
        ]
    return bill


def _cat_greedy(theorem: Theorem, batch: Batch) -> Array:
    del theorem  # its statement is the comparison itself
    ratios = []
    for g, c0, c1, weights, scheme in zip(
        *(batch[name] for name in ("gradient", "c0", "c1", "weights", "scheme")), strict=True
    ):
        T, cost = np.arange(1, np.count_nonzero(g) + 1), AffineCost(float(c0 * c1), float(c1))
        _, mass, energy = sorted_sums(g)
        decrease = (energy if scheme == "S" else mass**2 / np.arange(1, g.size + 1)) / energy[-1]
        chances = np.abs(weights[: T.size]) + 1e-12
        mixed = float(chances @ decrease[: T.size]) / float(chances @ cost(T))
        ratios.append(mixed / tune(g, cost, str(scheme)).efficiency)
    return np.array(ratios)


def _cat_actual(theorem: Theorem, batch: Batch) -> Array:
    function, L, g = quadratics(batch), batch["L"], batch["gradient"]
    m, d = g.shape
    prices, signs = _prices(batch, d), batch["scheme"] == "S+Q"
    chosen: Array = np.where(signs, _choose(g, prices, True)[2], _choose(g, prices, False)[2])
    true = np.zeros((m, d))
    for T in range(1, d + 1):
        counts = np.full(m, T)
        q = np.where(signs[:, None], scaled_sign(g, counts), top(g, counts))
        true[:, T - 1] = function.decrease(g, g, q / L[:, None])
    # Beyond the number of non-zeros S+Q sends the same message at a higher price: never better.
    per_price = true / prices
    achieved = np.take_along_axis(per_price, chosen[:, None] - 1, axis=1)[:, 0]
    value = stated(theorem.evaluate(L=L, mu=curvature(batch)).value)
    return quotient(value * np.max(per_price, axis=1), achieved)


def _halved_by_curvature() -> Iterator[Instance]:
    # The entry that CAT sends is steep and makes half the decrease that the flat one would make.
    for scheme in ("S", "S+Q"):
        yield {
            "L": 1.0,
            "spectrum": [1.0, 1e-4],
            "mirror": [0.0, 0.0],
            "gradient": [1.0, 0.9999],
            "c0": 1e-3,
            "c1": 1.0,
            "scheme": scheme,
        }


def _cat_not_optimal(theorem: Theorem, batch: Batch) -> Array:
    ratios = []
    for c0, c1, T, shrink in zip(*(batch[name] for name in ("c0", "c1", "T", "shrink")), strict=True):
        cost = AffineCost(float(c0 * c1), float(c1))
        x = np.sqrt((shrink * 0.999 / (1 + c0)) ** np.arange(T))
        bits = 0.0
        while x.any():  # F = |x|^2/2: every entry sent becomes zero
            sent = int(tune(x, cost, "S").T)
            bits += float(cost(sent))
            x = x - top(x[None], np.array([sent]))[0]
        named = stated(theorem.evaluate(c0=c0 * c1, c1=c1, T=T).value)
        ratios.append(float(agreement(bits / float(cost(int(T))), named)))
    return np.array(ratios)


def _gain_ceiling(theorem: Theorem, batch: Batch) -> Array:
    g = batch["gradient"]
    energy = sorted_sums(g)[2]
    gain = batch["dense"] * np.max(energy / energy[:, -1:] / _prices(batch, g.shape[1]), axis=1)
    return quotient(gain, stated(theorem.evaluate(dense_cost=batch["dense"], **_price(batch)).value))


def _one_entry() -> Iterator[Instance]:
    yield {"gradient": [0.0, 3.0, 0.0], "c0": 1.0, "c1": 2.0, "dense": 96.0}


_BITS = "bits paid / their bound"

FAMILIES = {
    "cat-greedy": Family(
        {**VECTOR_AND_PRICE, "weights": Entries(), "scheme": Words(("S", "S+Q"))},
        _cat_greedy,
        "certified decrease per price of a random T / of CAT",
        dimensions=(1, 4, 12),
    ),
    "cat-actual-decrease": Family(
        {
            **{name: STEP[name] for name in ("L", "spectrum", "mirror")},
            **VECTOR_AND_PRICE,
            "scheme": Words(("S", "S+Q")),
        },
        _cat_actual,
        "promised share of the best true decrease per price / CAT's",
        _halved_by_curvature,
    ),
    "cat-bits": Family(_RUN, _cat_bits, _BITS, _runs, dimensions=(1, 2, 5)),
    "cat-vs-fixed-worst-case": Family(_RUN, _cat_worst_case, _BITS, _runs, dimensions=(1, 2, 5)),
    "cat-bits-sparsity": Family(_RUN, _cat_sparsity, _BITS, _runs, dimensions=(1, 2, 5)),
    "cat-sq-bits": Family(_RUN, _cat_sq_bits, _BITS, _runs, dimensions=(1, 2, 5)),
    "cat-ss-bits": Family(
        {**_RUN, "spectrum": Spectrum(condition=2.0), "eps": Positive(0.3, 0.9)},
        _cat_ss_bits,
        "expected bits / their bound, and expected gap at the stopping time / eps",
        dimensions=(1, 2),
    ),
    "cat-not-trajectory-optimal": Family(
        {"c0": Positive(0.1, 30.0), "c1": SCALES, "T": Integers(1, 8), "shrink": Positive(0.1, 1.0)},
        _cat_not_optimal,
        "counted / stated bits of CAT over bits of the fixed T, or the reverse: an equality",
        dimensions=(1,),
    ),
    "gain-ceiling": Family(
        {**VECTOR_AND_PRICE, "dense": Positive(1.0, 1e6)},
        _gain_ceiling,
        "gain / its ceiling",
        _one_entry,
        dimensions=(1, 4, 12),
    ),
}
