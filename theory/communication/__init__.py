"""Prices of messages: payloads, index codes, cost models and technologies (dossier, chapter 1, sections 4 and 8)."""

from .cost import AffineCost, BidirectionalCost, Cost, HybridCost, PacketCost, TableCost, check_cost
from .energy import EnergyCost, first_order_radio, radio_bit_energy
from .index_coding import (
    elias_gamma_bits,
    entropy_index_bits,
    golomb_rice_mean_bits,
    golomb_rice_remainder_bits,
    rice_bits,
    rice_bound,
    rice_remainder_bits,
)
from .lora import LoRaCost, LoRaModulation, lora_air_time
from .packets import Packets
from .payload import (
    FORMATS,
    SCHEMES,
    count_bits,
    entry_bits,
    header_bits,
    index_bits,
    payload_bits,
    sampled_payload_bits,
)
from .technology import Technology, nr_overhead_bits, technologies, technology

__all__ = [
    "FORMATS",
    "SCHEMES",
    "AffineCost",
    "BidirectionalCost",
    "Cost",
    "EnergyCost",
    "HybridCost",
    "LoRaCost",
    "LoRaModulation",
    "PacketCost",
    "Packets",
    "TableCost",
    "Technology",
    "check_cost",
    "count_bits",
    "elias_gamma_bits",
    "entropy_index_bits",
    "entry_bits",
    "first_order_radio",
    "golomb_rice_mean_bits",
    "golomb_rice_remainder_bits",
    "header_bits",
    "index_bits",
    "lora_air_time",
    "nr_overhead_bits",
    "payload_bits",
    "radio_bit_energy",
    "rice_bits",
    "rice_bound",
    "rice_remainder_bits",
    "sampled_payload_bits",
    "technologies",
    "technology",
]
