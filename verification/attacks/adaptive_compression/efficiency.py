"""Attacks on the efficiency theorems (dossier 4 and 8.3): the library's answers against every T.

The statements are about sorted vectors and prices, without parameters: what is attacked is the rule in the statement,
as `taciturn.solvers.tune` follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from taciturn.solvers.tune import optimal_probabilities, tune
from taciturn.theory.communication import (
    AffineCost,
    Cost,
    HybridCost,
    PacketCost,
    Packets,
    TableCost,
    entropy_index_bits,
    index_bits,
    rice_bits,
)
from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Fields, Integers, Positive
from ..functions import square
from ..measures import stated
from ..senders import best_sparsity, largest, sorted_sums

__all__ = ["FAMILIES", "OVERHEAD", "VECTOR_AND_PRICE"]

OVERHEAD = Positive(1e-3, 1e4)
"""c0 in units of c1: from no overhead to one that makes every message full."""

VECTOR_AND_PRICE: Fields = {"gradient": Entries(), "c0": OVERHEAD, "c1": Positive(0.1, 10.0)}
"""A gradient and an affine price c1 (c0 + T)."""

_PACKETS: Fields = {
    "gradient": Entries(),
    "c0": OVERHEAD,
    "packet_cost": Positive(0.1, 100.0),
    "entry_bits": Integers(1, 7),
    "packet_bits": Integers(7, 30),
}


def _affine(row: Batch) -> AffineCost:
    return AffineCost(float(row["c0"] * row["c1"]), float(row["c1"]))


def _rows(batch: Batch) -> Iterator[Batch]:
    m = len(batch["gradient"])
    return ({name: values[i] for name, values in batch.items()} for i in range(m))


def _efficiencies(g: Array, cost: Cost) -> Array:
    """Return alpha(T)/C(T) for T = 1..d."""
    energy = sorted_sums(g)[2]
    return energy / energy[-1] / cost(np.arange(1, g.size + 1))


def _each(measure: Callable[[Batch], float]) -> Callable[[Theorem, Batch], Array]:
    """Measure row by row; a theorem without formulas says nothing that could be evaluated."""

    def ratio(theorem: Theorem, batch: Batch) -> Array:
        del theorem
        return np.array([measure(row) for row in _rows(batch)])

    return ratio


def _eff_affine(row: Batch) -> float:
    g, cost = row["gradient"], _affine(row)
    E = _efficiencies(g, cost)
    first, last = tune(g, cost, "S").ties
    rising = E[: int(first) - 1] / E[1 : int(first)]
    falling = E[int(last) :] / E[int(last) - 1 : -1]
    tied = np.max(E) / E[int(first) - 1 : int(last)]
    return float(np.max(np.concatenate([rising, falling, tied])))


def _eff_c0_monotone(row: Batch) -> float:
    g, c1 = row["gradient"], float(row["c1"])
    less, more = sorted((float(row["c0"]), float(row["other"])))
    few, many = (tune(g, AffineCost(c0 * c1, c1), "S") for c0 in (less, more))
    return max(few.ties[0] / many.ties[0], few.ties[1] / many.ties[1])


def _eff_threshold(row: Batch) -> float:
    g, cost = row["gradient"], _affine(row)
    tuning, E = tune(g, cost, "S"), _efficiencies(g, cost)
    assert tuning.threshold is not None
    # Entries equal to the threshold are told from others by the tolerance within which efficiencies count as tied.
    above = max(int(np.count_nonzero(g**2 > tuning.threshold * (1 + 1e-11))), 1)
    from_on = max(int(np.count_nonzero(g**2 >= tuning.threshold * (1 - 1e-11))), 1)
    root = np.sum(np.maximum(g**2 - tuning.threshold, 0)) / (row["c0"] * tuning.threshold)
    return float(max(np.max(E) / E[above - 1], np.max(E) / E[from_on - 1], 1 + abs(root - 1) * (row["c0"] > 1e-2)))


def _packets(row: Batch, straddling: bool) -> Packets:
    return Packets(int(row["entry_bits"]), int(row["packet_bits"]), straddling=straddling)


def _eff_packet(row: Batch) -> float:
    g = row["gradient"]
    ratios = []
    for straddling in (False, True):
        packets = _packets(row, straddling)
        cost = PacketCost(packets, float(row["packet_cost"]), float(row["c0"]))
        E = _efficiencies(g, cost)
        full = E[packets.last_entries(g.size) - 1]
        ratios += [np.max(E) / np.max(full), np.max(E) / E[int(tune(g, cost, "S").T) - 1]]
    whole = _efficiencies(g, PacketCost(_packets(row, False), float(row["packet_cost"]), float(row["c0"])))
    block = whole[_packets(row, False).last_entries(g.size) - 1]
    best = int(np.argmax(block))
    rising, falling = block[:best] / block[1 : best + 1], block[best + 1 :] / block[best:-1]
    return float(max(*ratios, np.max(np.concatenate([rising, falling, [0.0]]))))


def _eff_hybrid(row: Batch) -> float:
    g = row["gradient"]
    ratios = []
    for straddling in (False, True):
        packets = _packets(row, straddling)
        cost = HybridCost(packets, float(row["packet_cost"]), float(row["bit_cost"]), float(row["c0"]))
        E = _efficiencies(g, cost)
        ratios.append(np.max(E) / E[int(tune(g, cost, "S").T) - 1])
        ratios.append(np.max(E) / np.max(E[_best_of_segments(g, cost) - 1]))
    return float(max(ratios))


def _best_of_segments(g: Array, cost: HybridCost) -> Array:
    """Return the T of every segment that the rule of the statement names."""
    magnitudes, _, energy = sorted_sums(g)
    squares = np.append(magnitudes**2, 0.0)
    price_of_entry = cost.bit_cost * cost.packets.entry_bits
    chosen, start = [], 0
    for end in cost.packets.last_entries(g.size):
        T = np.arange(start + 1, end + 1)
        stops = squares[T] * cost(T) - price_of_entry * energy[T - 1] <= 0
        chosen.append(int(T[np.argmax(stops)]) if stops.any() else int(end))
        start = int(end)
    return np.array(chosen)


def _eff_safe_stop(row: Batch) -> float:
    g, d = row["gradient"], row["gradient"].size
    T = np.arange(1, d + 1)
    prices = row["c0"] * row["c1"] + row["c1"] * T + np.abs(row["extra"])
    cost = TableCost(prices)
    magnitudes, _, energy = sorted_sums(g)
    E, alpha = energy / energy[-1] / prices, energy / energy[-1]
    c0, c1 = cost.affine_minorant()
    ratios = [np.max(E) / E[int(tune(g, cost, "S").T) - 1]]
    for t in range(1, d):
        increment = magnitudes[t] ** 2 / energy[-1]
        bound = (alpha[t - 1] + increment) / (c0 + c1 * (t + 1))
        if increment > 0:
            bound = max(bound, 1 / (c0 + c1 * (t + (1 - alpha[t - 1]) / increment)))
        ratios.append(np.max(E[t:]) / bound)
    return float(max(ratios))


def _eff_ss_closed_form(row: Batch) -> float:
    g, cost = row["gradient"], _affine(row)
    best = tune(g, cost, "SS")
    nnz = np.count_nonzero(g)
    grid = np.concatenate([nnz * np.linspace(0.02, 1, 8), float(best.T) * np.array([0.9, 0.99, 1.01, 1.1])])
    ratios = []
    for T in grid[grid <= nnz]:
        p = optimal_probabilities(g, float(T))
        omega = square(g) / np.sum(np.where(p > 0, g**2 / np.where(p > 0, p, 1.0), 0.0))
        ratios.append(omega / cost(T) / best.efficiency)
    return float(max(ratios))


def _entropy_larger_T(row: Batch) -> float:
    g, d = row["gradient"], row["gradient"].size
    T = np.arange(1, d + 1)
    _, mass, energy = sorted_sums(g)
    plain = row["c0"] + row["value_bits"] * T
    # Two concave index codes: the information limit, and a saturating one; with any numerator (S and S+Q).
    codes = (entropy_index_bits(T, d), np.minimum(index_bits(d) * T, row["saturation"] * index_bits(d)))
    ratios = []
    for numerator in (energy, mass**2 / T):
        fixed = best_sparsity(numerator, plain + index_bits(d) * T)
        ratios += [float(fixed / best_sparsity(numerator, plain + code)) for code in codes]
    return max(ratios)


def _rice_bound(theorem: Theorem, batch: Batch) -> Array:
    kept, T = largest(batch["gradient"], batch["T"]), batch["T"]
    d = kept.shape[1]
    bits = [rice_bits(np.flatnonzero(row), d) for row in kept]
    return np.array(bits) / stated(theorem.evaluate(d=d, T=T).value)


def _last_indices() -> Iterator[Instance]:
    for d in (8, 16, 33):
        for T in (1, 2, d // 4, d // 2):
            vector = np.zeros(d)
            vector[-T:] = 1.0  # one long gap, then short ones
            yield {"gradient": vector.tolist(), "T": T}


def _ties() -> Iterator[Instance]:
    for g in ([2.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0], [3.0, 2.0, 2.0, 1.0, 0.0]):
        for c0 in (1e-3, 1.0, 3.0, 11.0, 1e4):
            yield {"gradient": g, "c0": c0, "c1": 1.0}


_SEARCHED = "efficiency of the best T / of the T that the rule names"
_DIMENSIONS = (1, 3, 8, 20)

FAMILIES = {
    "eff-affine": Family(
        VECTOR_AND_PRICE,
        _each(_eff_affine),
        "efficiencies that should not exceed their neighbours nearer to the interval of ties",
        _ties,
        _DIMENSIONS,
    ),
    "eff-c0-monotone": Family(
        {**VECTOR_AND_PRICE, "other": OVERHEAD},
        _each(_eff_c0_monotone),
        "best T with less / with more overhead",
        dimensions=_DIMENSIONS,
    ),
    "eff-threshold": Family(
        VECTOR_AND_PRICE, _each(_eff_threshold), f"{_SEARCHED}, and 1 + the error of the root", _ties, _DIMENSIONS
    ),
    "eff-packet": Family(
        _PACKETS, _each(_eff_packet), "efficiency of the best T / of the best full packet", dimensions=_DIMENSIONS
    ),
    "eff-hybrid": Family(
        {**_PACKETS, "bit_cost": Positive(0.1, 10.0)}, _each(_eff_hybrid), _SEARCHED, dimensions=_DIMENSIONS
    ),
    "eff-safe-stop": Family(
        {**VECTOR_AND_PRICE, "extra": Entries(zero=True)},
        _each(_eff_safe_stop),
        "efficiency of every later T / its bound",
        dimensions=_DIMENSIONS,
    ),
    "eff-ss-closed-form": Family(
        VECTOR_AND_PRICE,
        _each(_eff_ss_closed_form),
        "efficiency on a grid of real T / of the T named",
        _ties,
        (1, 3, 8),
    ),
    "entropy-larger-T": Family(
        {
            "gradient": Entries(),
            "c0": Positive(1e-3, 1e3),
            "value_bits": Positive(0.1, 64.0),
            "saturation": Positive(0.5, 20.0),
        },
        _each(_entropy_larger_T),
        "best T with plain indices / with a concave index code",
        dimensions=_DIMENSIONS,
    ),
    "rice-bound": Family(
        {"gradient": Entries(), "T": Integers()},
        _rice_bound,
        "bits of an index set / the bound",
        _last_indices,
        dimensions=(1, 4, 16, 40),
    ),
}
