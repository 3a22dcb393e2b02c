"""What chapter 1, section 4 says about the efficiency of a message, tried on random gradients and prices.

The searches rest on these statements; `test_tune` checks the searches.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from tuning_cases import FAMILIES, TOLERANCE, decrease, other_costs, preset_costs

from taciturn.solvers.tune import tune
from taciturn.solvers.tune.threshold import adaptive_threshold
from taciturn.theory.communication import AffineCost, HybridCost, PacketCost, Packets

RHO = (0.0, 0.3, 1.0, 4.0, 30.0, 1e3, 1e6)


def gradients(seed: int, count: int, largest: int = 60) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    for family, _ in itertools.product(FAMILIES.values(), range(count)):
        yield family(rng, int(rng.integers(1, largest + 1)))


def sorted_squares(g: np.ndarray) -> np.ndarray:
    return np.sort(g**2)[::-1]


# eff-affine, eff-threshold


def test_sign_of_D_is_that_of_the_increment_and_D_falls() -> None:
    for g, rho in itertools.product(gradients(1, 5), RHO):
        a = sorted_squares(g)
        T = np.arange(1, g.size + 1)
        efficiency = np.cumsum(a) / (rho + T)
        D = np.append(a[1:], 0) * (rho + T) - np.cumsum(a)
        # Relative differences of the efficiency below 1e-13 are rounding errors.
        error = 1e-13 * (rho + T) * np.cumsum(a)

        assert D[-1] < 0
        assert np.all(np.diff(D) <= error[1:])
        increments = np.diff(efficiency)
        clear = np.abs(D[:-1]) > error[:-1]
        assert np.all(np.sign(increments[clear]) == np.sign(D[:-1][clear]))


def test_threshold_is_the_root_and_counts_the_entries() -> None:
    for g, rho in itertools.product(gradients(2, 8), RHO):
        tuning = tune(g, AffineCost(3.0 * rho, 3.0))
        threshold = tuning.threshold
        excess = np.sum(np.maximum(g**2 - threshold, 0)) - rho * threshold

        assert excess == pytest.approx(0, abs=1e-12 * (np.sum(g**2) + rho * threshold))
        # An efficiency within the tolerance belongs to entries within (rho + T) times it of the threshold.
        slack = 2 * TOLERANCE * (rho + g.size)
        above = [int(np.sum(g**2 > threshold * (1 + sign * slack))) for sign in (1, -1)]
        assert max(1, above[0]) <= tuning.ties[0] <= max(1, above[1])
        not_below = [int(np.sum(g**2 >= threshold * (1 + sign * slack))) for sign in (1, -1)]
        assert max(1, not_below[0]) <= tuning.ties[1] <= max(1, not_below[1])


def test_newton_finds_the_same_threshold() -> None:
    for g, rho in itertools.product(gradients(3, 8), RHO):
        expected = np.max(np.cumsum(sorted_squares(g)) / (rho + np.arange(1, g.size + 1)))

        assert adaptive_threshold(g**2, rho) == pytest.approx(expected, rel=1e-13)


def test_without_overhead_only_the_largest_entries_are_sent() -> None:
    for g in gradients(4, 10):
        tied = np.sum(np.abs(g) >= np.max(np.abs(g)) * (1 - 1e-13))

        assert tune(g, AffineCost(0.0, 7.0)).ties == (1, tied)


def test_neither_the_scale_of_the_gradient_nor_that_of_the_price_matters() -> None:
    for g, rho in itertools.product(gradients(5, 5), RHO):
        expected = tune(g, AffineCost(rho, 1.0)).ties

        assert tune(-3 * g, AffineCost(rho, 1.0)).ties == expected
        assert tune(g, AffineCost(48 * rho, 48.0)).ties == expected


# eff-packet, eff-hybrid


def random_packets(rng: np.random.Generator, straddling: bool) -> Packets:
    entry = int(rng.integers(1, 8))
    return Packets(entry, int(rng.integers(entry, 9 * entry)), straddling=straddling)


@pytest.mark.parametrize("scheme", ["S", "SS"])
@pytest.mark.parametrize("straddling", [False, True])
def test_a_full_packet_is_among_the_best(scheme: str, straddling: bool) -> None:
    rng = np.random.default_rng(6)
    for g in gradients(7, 15):
        cost = PacketCost(random_packets(rng, straddling), float(rng.uniform(1, 9)), float(rng.choice([0, 3, 50])))
        numerator = decrease(g, scheme)
        efficiency = numerator / cost(np.arange(1, numerator.size + 1))
        full = cost.packets.last_entries(numerator.size)

        assert np.max(efficiency[full - 1]) >= np.max(efficiency) * (1 - 1e-13)


def test_efficiency_of_full_packets_is_unimodal_if_entries_are_whole() -> None:
    rng = np.random.default_rng(8)
    for g in gradients(9, 30):
        cost = PacketCost(random_packets(rng, straddling=False), 1.0, float(rng.choice([0, 1, 8])))
        full = cost.packets.last_entries(g.size)
        efficiency = np.cumsum(sorted_squares(g))[full - 1] / cost(full)
        best = int(np.argmax(efficiency))

        assert np.all(np.diff(efficiency[: best + 1]) >= -1e-13 * efficiency[best])
        assert np.all(np.diff(efficiency[best:]) <= 1e-13 * efficiency[best])


def test_it_is_not_if_they_straddle_and_the_relaxation_says_when_to_stop() -> None:
    """Packets of 3.5 entries hold 3 and 4 in turn; U(n) counts the halves, too."""
    rng, failures = np.random.default_rng(10), 0
    for g in gradients(11, 60):
        packets = random_packets(rng, straddling=True)
        c0 = float(rng.choice([0, 1, 8, 30]))
        full = packets.last_entries(g.size)
        energy = np.cumsum(sorted_squares(g))
        n = packets.count(full)
        efficiency = energy[full - 1] / (c0 + n)
        best = int(np.argmax(efficiency))
        failures += bool(
            np.any(np.diff(efficiency[: best + 1]) < -1e-9 * efficiency[best])
            or np.any(np.diff(efficiency[best:]) > 1e-9 * efficiency[best])
        )
        fractional = np.minimum(n * packets.packet_bits / packets.entry_bits, g.size)
        bound = np.interp(fractional, np.arange(g.size + 1), np.concatenate(([0], energy))) / (c0 + n)

        assert np.all(bound >= efficiency * (1 - 1e-13))
        for stop in range(len(n) - 1):
            if bound[stop + 1] <= min(bound[stop], np.max(efficiency[: stop + 1])):
                assert np.max(efficiency) <= np.max(efficiency[: stop + 1]) * (1 + 1e-13)
                break

    assert failures > 0


def test_best_of_a_segment_is_its_first_without_gain_or_its_end() -> None:
    rng = np.random.default_rng(12)
    for g in gradients(13, 15):
        cost = HybridCost(random_packets(rng, bool(rng.integers(2))), float(rng.uniform(0, 50)), 1.0, 3.0)
        a, energy = sorted_squares(g), np.cumsum(sorted_squares(g))
        ends = cost.packets.last_entries(g.size)
        for first, last in zip(np.concatenate(([1], ends[:-1] + 1)), ends, strict=True):
            T = np.arange(first, last + 1)
            gain = np.append(a, 0)[T] * cost(T) - cost.bit_cost * cost.packets.entry_bits * energy[T - 1]
            chosen = T[np.argmax(np.append(gain[:-1] <= 0, True))]

            assert energy[chosen - 1] / cost(chosen) >= np.max(energy[T - 1] / cost(T)) * (1 - 1e-13)


# eff-safe-stop


def test_what_has_been_seen_bounds_what_has_not() -> None:
    rng = np.random.default_rng(14)
    for g in gradients(15, 4, largest=40):
        a = sorted_squares(g) / np.sum(g**2)
        alpha, beta = np.cumsum(a), np.cumsum(np.sqrt(a)) ** 2 / np.arange(1, g.size + 1)
        effective_sparsity = np.sum(np.abs(g)) ** 2 / np.sum(g**2)
        for cost in itertools.chain(other_costs(rng, "S", g.size), itertools.islice(preset_costs("S", g.size), 6)):
            c0, c1 = cost.affine_minorant()
            price = cost(np.arange(1, g.size + 1))
            for T in range(1, g.size):
                increment = a[T]
                bound = 1 / (c0 + c1 * (T + 1))
                if increment > 0:
                    full = max(T + 1.0, T + (1 - alpha[T - 1]) / increment)
                    bound = max((alpha[T - 1] + increment) / (c0 + c1 * (T + 1)), 1 / (c0 + c1 * full))
                quantised = min(1, effective_sparsity / (T + 1)) / (c0 + c1 * (T + 1))

                assert np.max(alpha[T:] / price[T:]) <= bound * (1 + 1e-11)
                assert np.max(beta[T:] / price[T:]) <= quantised * (1 + 1e-11)
