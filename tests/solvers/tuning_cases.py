"""Gradients, prices and a brute-force reference for the tests of communication-aware tuning."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from taciturn.theory.communication import (
    AffineCost,
    BidirectionalCost,
    Cost,
    EnergyCost,
    HybridCost,
    LoRaCost,
    LoRaModulation,
    PacketCost,
    Packets,
    TableCost,
    entropy_index_bits,
    entry_bits,
    header_bits,
    payload_bits,
    technologies,
)

Vector = NDArray[np.float64]
Generator = np.random.Generator

TOLERANCE = 1e-12  # relative; within it efficiencies tie


def _nonzero(g: Vector) -> Vector:
    return g if g.any() else np.eye(1, g.size, g.size // 2)[0]


FAMILIES: dict[str, Callable[[Generator, int], Vector]] = {
    "ordinary": lambda rng, d: rng.standard_normal(d),
    "flat": lambda rng, d: rng.choice([-1, 1], d) * rng.uniform(1, 1.01, d),
    "equal": lambda rng, d: rng.choice([-0.1, 0.1], d),
    "geometric": lambda rng, d: rng.permutation(rng.uniform(0.5, 0.99) ** np.arange(d)),
    "heavy-tailed": lambda rng, d: rng.standard_normal(d) * rng.pareto(1, d),
    "sparse": lambda rng, d: _nonzero(rng.standard_normal(d) * (rng.random(d) < 0.3)),
    "ties": lambda rng, d: _nonzero(rng.integers(-3, 4, d).astype(float)),
    "spike": lambda rng, d: rng.permutation(np.r_[1e3, rng.standard_normal(d - 1)]),
}


def preset_costs(scheme: str, d: int) -> Iterator[Cost]:
    """Every technology, with and without overhead of the message, entries whole or straddling."""
    for row, c0, straddling in itertools.product(technologies(), (0.0, 528.0, 1e5), (False, True)):
        yield row.cost(scheme, d, c0=c0, straddling=straddling)


def other_costs(rng: Generator, scheme: str, d: int) -> Iterator[Cost]:
    """One cost of every other kind, with random parameters."""
    entry, header = entry_bits(scheme, d), header_bits(scheme)
    c0 = float(rng.choice([0.0, 64.0, 528.0, 1e4, 1e6]))
    packets = Packets(entry, int(rng.integers(max(entry, header), 6 * entry + header)), header, bool(rng.integers(2)))
    T = np.arange(1, d + 1)
    yield AffineCost(c0, float(entry))
    yield AffineCost(64.0, float(entry))
    yield PacketCost(packets, float(rng.uniform(1, 1e3)), c0)
    yield HybridCost(packets, float(rng.uniform(0, 1e3)), float(rng.uniform(0.1, 3)), c0)
    yield EnergyCost(packets, 2e-7, 136, turnaround_energy=1e-5, wake_up_energy=c0 * 1e-7)
    yield LoRaCost(entry, header, int(rng.choice([11, 51, 115])), LoRaModulation(int(rng.integers(7, 13))))
    yield BidirectionalCost(AffineCost(c0, float(entry)), AffineCost(0.0, 48.0), d, workers=int(rng.integers(1, 5)))
    yield TableCost(rng.uniform(0.1, 10, d))
    yield TableCost(np.sort(rng.uniform(0.1, 10, d)))
    yield TableCost(c0 + 64 * T + entropy_index_bits(T, d))
    if scheme == "S":
        yield TableCost(c0 + payload_bits("menu", T, d))


def omega(g: Vector, T: Vector | None = None) -> Vector:
    """omega(T), for T = 1..nonzeros by default, with the root of sum_j min(1, b_j/t) = T found by bisection."""
    b = np.abs(g[g != 0].astype(np.float64))
    T = (np.arange(1, b.size + 1) if T is None else T)[:, None]
    low, high = np.zeros(T.shape), 2 * b.sum() / T
    for _ in range(100):
        middle = (low + high) / 2
        too_small = np.sum(np.minimum(1, b / middle), axis=1, keepdims=True) >= T
        low, high = np.where(too_small, middle, low), np.where(too_small, high, middle)
    return np.sum(b**2) / np.sum(b**2 / np.minimum(1, b / high), axis=1)


def decrease(g: Vector, scheme: str) -> Vector:
    """The certified decrease for every T a scheme may send."""
    b = np.sort(np.abs(g.astype(np.longdouble)))[::-1]
    if scheme == "S":
        return np.asarray(np.cumsum(b**2) / np.sum(b**2), dtype=np.float64)
    if scheme == "SS":
        return omega(g)
    b = b[b > 0]
    return np.asarray(np.cumsum(b) ** 2 / (np.arange(1, b.size + 1) * np.sum(b**2)), dtype=np.float64)


def brute_force(g: Vector, cost: Cost, scheme: str) -> tuple[int, int, float, float]:
    """Smallest and largest maximiser, efficiency and decrease at the latter, by trying every T one by one."""
    numerator = decrease(g, scheme)
    efficiency = numerator / np.array([float(cost(T)) for T in range(1, numerator.size + 1)])
    maximisers = np.flatnonzero(efficiency >= (1 - TOLERANCE) * efficiency.max()) + 1
    return (
        int(maximisers[0]),
        int(maximisers[-1]),
        float(efficiency[maximisers[-1] - 1]),
        float(numerator[maximisers[-1] - 1]),
    )
