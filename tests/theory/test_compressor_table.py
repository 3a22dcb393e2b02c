"""The table of compressors as theorems agrees with the functions that compressors use; bits of messages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from taciturn.theory import compression, theorem


@pytest.mark.parametrize("d", [1, 2, 5, 16, 100, 10_000])
@pytest.mark.parametrize("s", [1, 2, 5])
def test_theorems_and_functions_state_the_same_constants(d: int, s: int) -> None:
    k = max(1, d // 3)
    second_moments = {
        "urq-optimal": (theorem("urq-optimal").evaluate(d=d, k=k), compression.optimal_sampling(k, d)),
        "urq-randk": (theorem("urq-randk").evaluate(d=d, k=k), compression.rand_k(k, d)),
        "urq-ternary-inf": (theorem("urq-ternary-inf").evaluate(d=d), compression.ternary(d, "max")),
        "urq-ternary-2": (theorem("urq-ternary-2").evaluate(d=d), compression.ternary(d, "two")),
        "urq-qsgd-inf": (theorem("urq-qsgd-inf").evaluate(d=d, levels=s), compression.qsgd(s, d, "max")),
        "urq-natural": (theorem("urq-natural").evaluate(), compression.natural()),
    }
    for id, (stated, used) in second_moments.items():
        assert stated.value == pytest.approx(used.second_moment), id
    # The function is exact, the theorem an upper bound that is exact for d >= 4 s^2 and for one level.
    stated, used = theorem("urq-qsgd-2").evaluate(d=d, levels=s).value, compression.qsgd(s, d, "two").second_moment
    assert used == pytest.approx(stated) if d >= 4 * s**2 or s == 1 else used <= stated * (1 + 1e-12)
    assert theorem("det-topk").evaluate(d=d, k=k).value == pytest.approx(compression.top_k(k, d).delta)
    assert theorem("det-sign").evaluate(d=d).value == pytest.approx(compression.sign(d).delta)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_packing_bound(d: int, bits: int) -> None:
    """The best grid of 2^bits points in the unit ball errs at least as much as the bound allows."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20_000, d))
    points *= (rng.uniform(size=(20_000, 1)) ** (1 / d)) / np.linalg.norm(points, axis=1, keepdims=True)
    codebook = points[: 2**bits].copy() if d > 1 else (2 * np.arange(2**bits)[:, None] + 1) / 2**bits - 1.0
    for _ in range(30):  # Lloyd's algorithm
        nearest = np.argmin(((points[:, None] - codebook) ** 2).sum(-1), axis=1)
        codebook = np.array(
            [points[nearest == i].mean(0) if np.any(nearest == i) else codebook[i] for i in range(2**bits)]
        )
    error = np.min(((points[:, None] - codebook) ** 2).sum(-1), axis=1).mean() / (points**2).sum(-1).mean()
    least = theorem("bits-packing").evaluate(d=d, message_bits=bits).value

    assert least <= error * 1.02
    if d == 1:
        assert error <= 1.05 * least  # in one dimension cells are intervals and the bound is attained


def _gamma(number: int) -> int:
    return 2 * int(math.log2(number)) + 1


@pytest.mark.parametrize(("d", "levels"), [(100, 1), (1000, 1), (1000, 4)])
@pytest.mark.parametrize("family", ["normal", "flat", "sparse"])
def test_gamma_coded_bits(d: int, levels: int, family: str) -> None:
    """Real Elias-gamma codes of QSGD messages stay below the bound, on average over the coins."""
    rng = np.random.default_rng(d + levels)
    v = {"normal": rng.normal(size=d), "flat": np.ones(d), "sparse": np.where(np.arange(d) < 5, 1.0, 1e-3)}[family]
    scaled = levels * np.abs(v) / np.linalg.norm(v)
    bits = []
    for _ in range(50):
        level = np.floor(scaled + rng.uniform(size=d)).astype(int)
        (places,) = np.nonzero(level)
        gaps = np.diff(np.concatenate([[-1], places]))
        codes = sum(_gamma(int(gap)) + 1 + _gamma(int(level[j])) for gap, j in zip(gaps, places, strict=True))
        bits.append(32 + _gamma(len(places) + 1) + codes)
    bound = theorem("bits-qsgd-gamma").evaluate(d=d, levels=levels, float_bits=32).value

    assert np.mean(bits) <= bound
    assert bound <= 40 * np.mean(bits)
