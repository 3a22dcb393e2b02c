"""Payloads, index codes, cost models and technologies (dossier, chapter 1, sections 4.1, 4.2, 8.3 and 8.4)."""

import itertools
import math

import numpy as np
import pytest

from taciturn.theory.communication import (
    AffineCost,
    BidirectionalCost,
    EnergyCost,
    HybridCost,
    LoRaCost,
    LoRaModulation,
    PacketCost,
    Packets,
    TableCost,
    Technology,
    count_bits,
    elias_gamma_bits,
    entropy_index_bits,
    entry_bits,
    first_order_radio,
    golomb_rice_mean_bits,
    golomb_rice_remainder_bits,
    header_bits,
    index_bits,
    lora_air_time,
    nr_overhead_bits,
    payload_bits,
    radio_bit_energy,
    rice_bits,
    rice_bound,
    rice_remainder_bits,
    sampled_payload_bits,
    technologies,
    technology,
)

D_RCV1 = 47_236


# Payloads


@pytest.mark.parametrize(("d", "bits"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (65_536, 16), (65_537, 17)])
def test_index_bits_number_all_entries_and_no_more(d: int, bits: int) -> None:
    assert index_bits(d) == bits
    assert 2**bits >= d > 2 ** (bits - 1)


def test_count_bits_number_all_counts() -> None:
    assert all(2 ** count_bits(d) >= d + 1 > 2 ** (count_bits(d) - 1) for d in range(1, 200))


@pytest.mark.parametrize(
    ("scheme", "bits"),
    [
        ("dense", D_RCV1 * 32),
        ("S", 10 * (16 + 32)),
        ("S-bitmap", D_RCV1 + 10 * 32),
        ("S+Q", 32 + 10 * (16 + 1)),
        ("SS", 10 * (16 + 32)),
        ("menu", 2 + 10 * (16 + 32)),
    ],
)
def test_payload_of_each_format(scheme: str, bits: int) -> None:
    assert payload_bits(scheme, 10, D_RCV1) == bits
    assert np.array_equal(payload_bits(scheme, [10, 10], D_RCV1), [bits, bits])


def test_menu_uses_each_of_its_three_formats() -> None:
    T = np.arange(1, 1001)
    menu = payload_bits("menu", T, 1000, float_bits=8)
    formats = [payload_bits(scheme, T, 1000, float_bits=8) + 2 for scheme in ("S", "S-bitmap", "dense")]

    assert np.array_equal(menu, np.min(formats, axis=0))
    assert all(np.any((menu == bits) & (np.sum(np.equal(menu, formats), axis=0) == 1)) for bits in formats)


def test_sampled_payload_grows_from_that_of_quantisation_to_more_than_the_plain_one() -> None:
    assert sampled_payload_bits(10, 0, D_RCV1) == payload_bits("S+Q", 10, D_RCV1)
    assert sampled_payload_bits(10, 10, D_RCV1) == payload_bits("SS", 10, D_RCV1) + 32 + count_bits(D_RCV1)
    assert np.all(np.diff(sampled_payload_bits(10, np.arange(11), D_RCV1)) > 0)


# Index codes


def test_entropy_is_the_logarithm_of_the_number_of_sets() -> None:
    for d in (1, 2, 7, 64):
        expected = [math.log2(math.comb(d, T)) for T in range(d + 1)]
        np.testing.assert_allclose(entropy_index_bits(np.arange(d + 1), d), expected, rtol=1e-13, atol=1e-13)


def test_entropy_is_concave_and_below_plain_indices() -> None:
    T = np.arange(1001)
    entropy = entropy_index_bits(T, 1000)

    assert np.all(np.diff(entropy, 2) < 1e-9)
    assert np.all(entropy <= index_bits(1000) * T)


def _decode_rice(bits: str, remainder_bits: int) -> list[int]:
    indices, position, index = [], 0, -1
    while position < len(bits):
        quotient = bits.index("0", position) - position
        position += quotient + 1
        remainder = int(bits[position : position + remainder_bits] or "0", 2)
        position += remainder_bits
        index += quotient * 2**remainder_bits + remainder + 1
        indices.append(index)
    return indices


def _encode_rice(indices: tuple[int, ...], c: int) -> str:
    gaps = np.diff(indices, prepend=-1)
    return "".join("1" * int((gap - 1) >> c) + "0" + (f"{int(gap - 1) % 2**c:0{c}b}" if c else "") for gap in gaps)


def test_rice_code_of_every_set_decodes_and_keeps_its_bound() -> None:
    d = 11
    largest = dict.fromkeys(range(1, d + 1), 0)
    for T in largest:
        for indices in itertools.combinations(range(d), T):
            message = _encode_rice(indices, rice_remainder_bits(T, d))

            assert _decode_rice(message, rice_remainder_bits(T, d)) == list(indices)
            assert rice_bits(indices, d) == len(message)
            largest[T] = max(largest[T], len(message))

    assert all(bits <= rice_bound(T, d) for T, bits in largest.items())
    assert 2 ** rice_remainder_bits(3, d) >= d / 3 > 2 ** (rice_remainder_bits(3, d) - 1)


def test_elias_gamma_code_of_every_set_keeps_its_bound() -> None:
    d = 11
    for T in range(1, d + 1):
        for indices in itertools.combinations(range(d), T):
            gaps = np.diff(indices, prepend=-1)
            bits = elias_gamma_bits(indices, d)

            assert bits == sum(2 * int(gap).bit_length() - 1 for gap in gaps)
            assert bits <= 2 * T * math.log2(d / T) + T + 1e-9


@pytest.mark.parametrize("density", [0.7, 0.4, 0.38, 0.3, 0.1, 0.01, 1e-4])
def test_best_rice_parameter_has_the_least_mean(density: float) -> None:
    best = golomb_rice_remainder_bits(density)
    gaps = np.arange(1, int(40 / density))
    probability = density * (1 - density) ** (gaps - 1)
    means = [np.sum(probability * (((gaps - 1) >> c) + 1 + c)) for c in range(20)]

    np.testing.assert_allclose([golomb_rice_mean_bits(density, c) for c in range(20)], means, rtol=1e-9)
    assert np.argmin(means) == best


# Costs


def _pack(packets: Packets, T: int) -> int:
    """Packets of a message, by putting one entry after the other into them."""
    room, used = 0, 0
    sizes = [packets.header_bits] * (packets.header_bits > 0) + [packets.entry_bits] * T
    for size in sizes:
        if packets.straddling:
            while size > room:
                size, used, room = size - room, used + 1, packets.packet_bits
        elif size > room:
            used, room = used + 1, packets.packet_bits
        room -= size
    return used


PACKETS = [
    Packets(entry, packet, header, straddling)
    for entry, packet, header in [(3, 3, 0), (3, 10, 0), (3, 10, 3), (3, 10, 10), (5, 7, 6), (4, 16, 5), (1, 1, 1)]
    for straddling in (False, True)
] + [Packets(7, 3, 5, straddling=True)]


@pytest.mark.parametrize("packets", PACKETS, ids=repr)
def test_packets_are_counted_as_they_are_filled(packets: Packets) -> None:
    expected = [_pack(packets, T) for T in range(60)]

    assert np.array_equal(packets.count(np.arange(60)), expected)
    assert packets.bits(5) == packets.header_bits + 5 * packets.entry_bits
    ends = [T for T in range(1, 59) if expected[T + 1] > expected[T]] + [59]
    assert np.array_equal(packets.last_entries(59), ends)


def test_leading_float_enters_the_first_packet() -> None:
    packets = technology("ethernet-udp").packets("S+Q", D_RCV1, straddling=True)
    n = np.arange(1, 10)

    assert np.array_equal(packets.last_entries(D_RCV1)[:9], (n * 1472 * 8 - 32) // 17)


SMALL = Packets(entry_bits=17, packet_bits=160, header_bits=32)
COSTS = {
    "affine": AffineCost(64, 48),
    "affine without overhead": AffineCost(0, 48),
    "dense": AffineCost(3200, 0),
    **{f"packet {packets}": PacketCost(packets, 12.5, 3.0) for packets in PACKETS},
    "hybrid": HybridCost(SMALL, packet_cost=200, bit_cost=0.5, c0=10),
    "hybrid, straddling": HybridCost(Packets(17, 160, 32, straddling=True), packet_cost=200, bit_cost=0.5),
    "energy": EnergyCost(SMALL, 2.09e-7, 136, turnaround_energy=1e-5, wake_up_energy=1e-3),
    **{
        f"LoRa SF{factor}{' implicit' * implicit}": LoRaCost(
            17, 32, 11, LoRaModulation(factor, coding_rate=4, preamble_symbols=0, implicit_header=implicit), 0
        )
        for factor in range(6, 13)
        for implicit in (False, True)
    },
    "two directions": BidirectionalCost(AffineCost(64, 48), PacketCost(SMALL, 296), d=200, workers=7),
    "dense downlink": BidirectionalCost(AffineCost(64, 48), AffineCost(6400, 0), d=200),
    "random table": TableCost(np.random.default_rng(0).uniform(0.1, 9, 200)),
    "falling table": TableCost(np.linspace(9, 1, 200)),
    "table with a dip": TableCost(np.r_[5.0, 0.01, np.full(198, 700.0)]),
    "menu": TableCost(payload_bits("menu", np.arange(1, 201), 200)),
    "entropy": TableCost(64 + 32 * np.arange(1, 201) + entropy_index_bits(np.arange(1, 201), 200)),
}


@pytest.mark.parametrize("cost", COSTS.values(), ids=COSTS.keys())
def test_every_cost_is_positive_and_above_its_minorant(cost: AffineCost) -> None:
    T = np.arange(1, 201)
    c0, c1 = cost.affine_minorant()

    assert np.all(cost(T) > 0)
    assert c1 >= 0
    assert np.all(c0 + c1 * T > 0)
    assert np.all(cost(T) >= (c0 + c1 * T) * (1 - 1e-14))
    np.testing.assert_array_equal([cost(int(t)) for t in T], cost(T))


def test_affine_table_is_its_own_minorant() -> None:
    np.testing.assert_allclose(TableCost(64 + 48 * np.arange(1, 100)).affine_minorant(), (64, 48), rtol=1e-12)


def test_table_keeps_its_values_when_the_caller_changes_them() -> None:
    values = np.ones(3)
    cost = TableCost(values)
    values[:] = 9

    assert cost(2) == 1
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(cost.values)[0] = 9


def test_last_packet_is_billed_in_full_or_by_its_bits() -> None:
    packets = Packets(entry_bits=48, packet_bits=1000)
    T = np.array([1, 20, 21])

    np.testing.assert_array_equal(PacketCost(packets, 1100, c0=7)(T), [1107, 1107, 2207])
    np.testing.assert_array_equal(HybridCost(packets, 100, 2, c0=7)(T), [7 + 100 + 96, 7 + 100 + 1920, 7 + 200 + 2016])


def test_energy_is_that_of_the_data_sheet() -> None:
    assert radio_bit_energy(3, 17.4e-3, 250e3) == pytest.approx(209e-9, rel=2e-3)
    assert radio_bit_energy(3, 18.8e-3, 250e3) == pytest.approx(226e-9, rel=2e-3)
    assert first_order_radio(0) == (50e-9, 50e-9)
    assert first_order_radio(100) == pytest.approx((1050e-9, 50e-9))

    # A full IEEE 802.15.4 frame of 133 bytes, header included, and the wake-up.
    cost = EnergyCost(Packets(48, 8 * 116), 209e-9, overhead_bits=8 * 17, turnaround_energy=1e-6, wake_up_energy=1e-5)
    assert cost(19) == pytest.approx((19 * 48 + 8 * 17) * 209e-9 + 1e-6 + 1e-5)


def test_full_frame_takes_its_time() -> None:
    row = technology("ieee-802.15.4")

    assert 8 * (row.payload_bytes + row.overhead_bytes) / 250e3 == pytest.approx(4.256e-3)


@pytest.mark.parametrize(("factor", "payload", "seconds"), [(12, 64, 2.7935), (7, 235, 0.3689), (9, 13, 0.164864)])
def test_lora_air_time_of_the_application_note(factor: int, payload: int, seconds: float) -> None:
    assert lora_air_time(payload, LoRaModulation(factor)) == pytest.approx(seconds, abs=5e-5)


def test_lora_air_time_never_falls_and_sometimes_stays() -> None:
    steps = np.diff(lora_air_time(np.arange(256), LoRaModulation(9)))

    assert np.all(steps >= 0)
    assert np.any(steps == 0)


def test_lora_message_is_full_frames_and_a_short_one() -> None:
    modulation = LoRaModulation(12)
    cost = LoRaCost(entry_bits=48, header_bits=0, frame_bytes=51, modulation=modulation, c0=1)

    # 17 entries are 102 bytes: two full frames of 51; the eighteenth opens a third with 6 bytes.
    full = lora_air_time(51 + 13, modulation)
    assert cost(17) == pytest.approx(1 + 2 * full)
    assert cost(18) == pytest.approx(1 + 2 * full + lora_air_time(6 + 13, modulation))
    assert cost(0) == 1


def test_two_directions_add_up_and_the_union_is_capped() -> None:
    uplink, downlink = AffineCost(1, 2), AffineCost(3, 4)
    cost = BidirectionalCost(uplink, downlink, d=10, workers=3)

    np.testing.assert_array_equal(cost(np.array([1, 3, 4, 10])), [3 + 3 + 12, 7 + 3 + 36, 9 + 3 + 40, 21 + 3 + 40])
    assert BidirectionalCost(uplink, TableCost(np.arange(1.0, 11)), d=10, workers=3)(4) == 9 + 10


# Technologies

TABLE = [  # name, payload, overhead, whole entries of S and of S+Q in a packet for d = 47236, 32 bits (section 4.2)
    ("ethernet-udp", 1472, 66, 245, 692),
    ("ethernet-udp-jumbo", 8972, 66, 1495, 4222),
    ("ieee-802.15.4", 116, 17, 19, 54),
    ("ieee-802.15.4-safe", 102, 31, 17, 48),
    ("6lowpan-secured", 81, 52, 13, 38),
    ("ble-4.0", 20, 17, 3, 9),
    ("ble-4.2", 244, 17, 40, 114),
    ("lorawan-eu868-dr0", 51, 13, 8, 24),
    ("lorawan-eu868-dr3", 115, 13, 19, 54),
    ("lorawan-eu868-dr4", 222, 13, 37, 104),
    ("lorawan-us915-dr0", 11, 13, 1, 5),
    ("nb-iot-rel13", 125, 3, 20, 58),
    ("nb-iot-rel14", 317, 3, 52, 149),
    ("infiniband-4096", 4096, 26, 682, 1927),
]


@pytest.mark.parametrize(("name", "payload", "overhead", "tau_S", "tau_SQ"), TABLE)
def test_technologies_carry_what_the_table_says(
    name: str, payload: int, overhead: int, tau_S: int, tau_SQ: int
) -> None:
    row = technology(name)

    assert (row.payload_bytes, row.overhead_bytes) == (payload, overhead)
    assert row.packets("S", D_RCV1).packet_entries == tau_S
    assert row.packets("S+Q", D_RCV1).packet_entries == tau_SQ
    assert row.cost("S", D_RCV1)(tau_S) == 8 * (payload + overhead)
    assert row.cost("S", D_RCV1, c0=5)(tau_S + 1) == 16 * (payload + overhead) + 5


def test_technologies_have_different_names_and_a_standard() -> None:
    names = [row.name for row in technologies()]

    assert len(set(names)) == len(names)
    assert {name for name, *_ in TABLE} | {"ethernet-udp-ipv6", "lorawan-eu868-dr4-direct", "5g-nr"} == set(names)
    assert all(len(row.standard) > 20 and row.title for row in technologies())


def test_frames_on_the_wire_are_as_long_with_both_internet_protocols() -> None:
    lengths = {technology(f"ethernet-udp{v}").payload_bytes + technology(f"ethernet-udp{v}").overhead_bytes
               for v in ("", "-ipv6")}  # fmt: skip

    assert lengths == {14 + 4 + 8 + 12 + 1500}


@pytest.mark.parametrize(
    ("bits", "base_graph", "overhead"),
    [
        (100, 1, 16), (3824, 1, 16), (3825, 1, 24), (8424, 1, 24), (8425, 1, 24 + 2 * 24),
        (3816, 2, 16), (3825, 2, 24 + 2 * 24), (16_824, 1, 24 + 2 * 24), (16_825, 1, 24 + 3 * 24),
    ],
)  # fmt: skip
def test_nr_blocks_get_their_checksums(bits: int, base_graph: int, overhead: int) -> None:
    assert nr_overhead_bits(bits, base_graph) == overhead


# Bad input


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: technology("etherned-udp"), ValueError, "did you mean 'ethernet-udp'"),
        (lambda: technology("lorawan"), ValueError, "did you mean .*lorawan"),
        (lambda: payload_bits("SQ", 1, 10), ValueError, "scheme = 'SQ' is unknown; did you mean .*'S\\+Q'"),
        (lambda: entry_bits("dense", 10), ValueError, "scheme = 'dense' is unknown"),
        (lambda: header_bits("menu"), ValueError, "scheme = 'menu' is unknown"),
        (lambda: payload_bits("S", 11, 10), ValueError, "T = 11 is outside the accepted range 0..10"),
        (lambda: payload_bits("S", -1, 10), ValueError, "T = -1 is outside"),
        (lambda: payload_bits("S", 1.5, 10), TypeError, "T has the type float64"),
        (lambda: payload_bits("S", 1, 0), ValueError, "d = 0 is outside"),
        (lambda: payload_bits("S", 1, 10, 0), ValueError, "float_bits = 0 is outside"),
        (lambda: index_bits(2.5), TypeError, "d = 2.5 is a float"),
        (lambda: sampled_payload_bits(3, 4, 10), ValueError, "clipped exceeds N"),
        (lambda: entropy_index_bits([1, 11], 10), ValueError, "T = 11 is outside"),
        (lambda: rice_bits([], 10), TypeError, "indices has the type float64"),
        (lambda: rice_bits([1, 1], 10), ValueError, r"indices\[1\] = 1 is not above"),
        (lambda: rice_bits([1, 10], 10), ValueError, "indices = 10 is outside the accepted range 0..9"),
        (lambda: rice_bits([[1, 2]], 10), ValueError, r"shape \(1, 2\)"),
        (lambda: rice_remainder_bits(11, 10), ValueError, "T = 11 is outside"),
        (lambda: golomb_rice_remainder_bits(1.0), ValueError, "density = 1.0 is outside"),
        (lambda: AffineCost(-1, 1), ValueError, "c0 = -1.0 is outside"),
        (lambda: AffineCost(1, -1), ValueError, "c1 = -1.0 is outside"),
        (lambda: AffineCost(0, 0), ValueError, "c0 \\+ c1 = 0.0 is outside"),
        (lambda: AffineCost(math.nan, 1), ValueError, "c0 = nan is outside"),
        (lambda: AffineCost(0, 1)(-1), ValueError, "T = -1.0 is outside"),
        (lambda: AffineCost(0, 1)(math.nan), ValueError, "T = nan is outside"),
        (lambda: Packets(10, 9), ValueError, "packet_bits = 9 is too small .* or straddling=True"),
        (lambda: Packets(10, 20, header_bits=21), ValueError, "too small for a header of 21 bits"),
        (lambda: Packets(0, 9), ValueError, "entry_bits = 0 is outside"),
        (lambda: PacketCost(SMALL, 0.0), ValueError, "packet_cost = 0.0 is outside"),
        (lambda: PacketCost(SMALL, 1.0, -1.0), ValueError, "c0 = -1.0 is outside"),
        (lambda: HybridCost(SMALL, -1.0, 1.0), ValueError, "packet_cost = -1.0 is outside"),
        (lambda: HybridCost(SMALL, 1.0, 0.0), ValueError, "bit_cost = 0.0 is outside"),
        (lambda: EnergyCost(SMALL, 0.0, 1), ValueError, "bit_energy = 0.0 is outside"),
        (lambda: LoRaModulation(13), ValueError, "spreading_factor = 13 is outside"),
        (lambda: LoRaModulation(7, coding_rate=5), ValueError, "coding_rate = 5 is outside"),
        (lambda: lora_air_time(-1, LoRaModulation(7)), ValueError, "payload_bytes = -1.0 is outside"),
        (lambda: LoRaCost(48, 0, 0, LoRaModulation(7)), ValueError, "frame_bytes = 0 is outside"),
        (lambda: TableCost([]), ValueError, r"values has the shape \(0,\)"),
        (lambda: TableCost([[1.0]]), ValueError, r"values has the shape \(1, 1\)"),
        (lambda: TableCost([1.0, 0.0]), ValueError, r"values\[1\] = 0.0 is outside"),
        (lambda: TableCost([math.nan]), ValueError, r"values\[0\] = nan is outside"),
        (lambda: TableCost([1.0, 2.0])(3), ValueError, "T = 3 is outside the accepted range 1..2"),
        (lambda: TableCost([1.0, 2.0])(0), ValueError, "T = 0 is outside the accepted range 1..2"),
        (lambda: BidirectionalCost(AffineCost(0, 1), AffineCost(0, 1, "seconds"), 5), ValueError, "bits, .* seconds"),
        (lambda: Technology("x", "x", 0, 1, "x"), ValueError, "payload_bytes = 0 is outside"),
        (lambda: technology("lorawan-us915-dr0").cost("S", 2**30, 64), ValueError, "too small .* straddling=True"),
        (lambda: nr_overhead_bits(100, 3), ValueError, "base_graph = 3 is outside"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_words(call, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    "evaluate",
    [
        lambda n: index_bits(n),
        lambda n: count_bits(n),
        lambda n: entry_bits("S", n, n),
        lambda n: header_bits("S+Q", n),
        lambda n: payload_bits("dense", 1, n, n),
        lambda n: payload_bits("menu", 1, n, n),
        lambda n: sampled_payload_bits(3, 2, n, n),
        lambda n: float(entropy_index_bits(50, n)),
        lambda n: rice_bound(n, 1000),
        lambda n: nr_overhead_bits(n),
        lambda n: first_order_radio(n),
        lambda n: radio_bit_energy(n, n, n),
        lambda n: AffineCost(n, n)(n),
        lambda n: Packets(n, n, n).count(n),
        lambda n: Technology("", "", n, n, "").cost("S", 9)(n),
        lambda n: LoRaCost(n, n, n, LoRaModulation(7), n)(n),
        lambda n: EnergyCost(Packets(n, 1000), 1e-9, n)(n),
        lambda n: BidirectionalCost(AffineCost(0, 1), AffineCost(0, 1), 10**6, n)(n),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_small_numpy_integers_count_like_plain_ones(evaluate, dtype) -> None:
    assert evaluate(dtype(200)) == evaluate(200)


def test_small_spreading_factor_does_not_wrap_around() -> None:
    assert LoRaModulation(np.int8(12)).symbol_time == LoRaModulation(12).symbol_time


@pytest.mark.parametrize("values", [[True, True], ["1", "2"], [None, 1.0]])
def test_table_refuses_what_is_not_numbers(values) -> None:
    with pytest.raises(TypeError, match=r"values are of .*; accepted: real numbers"):
        TableCost(values)


def test_minorant_of_a_steep_table_is_below_it() -> None:
    cost = TableCost([7.06113939e-04, 2807.21114])
    c0, c1 = cost.affine_minorant()
    assert all(0 < c0 + c1 * T <= cost(T) for T in (1, 2))
