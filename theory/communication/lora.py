"""LoRa: the air time of a message, a cost that is not affine."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from taciturn.theory.checks import check_count, check_non_negative, check_positive

from .entries import real_entries
from .packets import Packets

__all__ = ["LoRaCost", "LoRaModulation", "lora_air_time"]

_SLOW_SYMBOL = 16e-3  # seconds; longer symbols use the low-data-rate optimisation


@dataclass(frozen=True)
class LoRaModulation:
    """How a LoRa modem sends: everything its air time depends on besides the payload.

    Parameters
    ----------
    spreading_factor : int
        6..12.
    bandwidth : float
        Hertz.
    coding_rate : int
        1..4, for 4/5..4/8.
    preamble_symbols : int
        Programmed preamble length.
    checksum, implicit_header : bool
        Whether the payload has a CRC (uplinks do), and whether the physical header is left out.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> LoRaModulation(spreading_factor=12).symbol_time
    0.032768
    """

    spreading_factor: int
    bandwidth: float = 125e3
    coding_rate: int = 1
    preamble_symbols: int = 8
    checksum: bool = True
    implicit_header: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "spreading_factor", check_count(self.spreading_factor, "spreading_factor", lowest=6, highest=12)
        )
        object.__setattr__(self, "bandwidth", check_positive(self.bandwidth, "bandwidth"))
        object.__setattr__(self, "coding_rate", check_count(self.coding_rate, "coding_rate", highest=4))
        object.__setattr__(self, "preamble_symbols", check_count(self.preamble_symbols, "preamble_symbols", lowest=0))

    @property
    def symbol_time(self) -> float:
        """Seconds of a symbol, 2^SF / BW."""
        return float(2**self.spreading_factor / self.bandwidth)

    @property
    def block_bits(self) -> int:
        """Bits of a block of coding_rate + 4 symbols."""
        return 4 * (self.spreading_factor - 2 * (self.symbol_time > _SLOW_SYMBOL))

    @property
    def fixed_bits(self) -> int:
        """Bits of the coded blocks that are not payload (less those the first eight symbols carry)."""
        return 28 - 4 * self.spreading_factor + 16 * self.checksum - 20 * self.implicit_header


def lora_air_time(payload_bytes: ArrayLike, modulation: LoRaModulation) -> Any:
    """Return the seconds a LoRa frame with a physical payload of so many bytes is on the air.

    Parameters
    ----------
    payload_bytes : integer or array of integers
        Bytes of the physical payload, the MAC layer's overhead included.
    modulation : LoRaModulation
        How the modem sends.

    Returns
    -------
    float or array of float64, in seconds

    Raises
    ------
    ValueError
        If a length is negative.

    Notes
    -----
    Source: Semtech AN1200.13. With T_s = 2^SF/BW and DE = 1 for T_s > 16 ms, else 0:
    (n_pre + 4.25) T_s + (8 + max{ceil((8 PL - 4 SF + 28 + 16 CRC - 20 IH) / (4 (SF - 2 DE))) (CR + 4), 0}) T_s.

    Examples
    --------
    >>> lora_air_time(np.array([13, 64]), LoRaModulation(spreading_factor=12))
    array([1.155072, 2.793472])
    """
    length = real_entries(payload_bytes, "payload_bytes")
    blocks = np.maximum(np.ceil((8 * length + modulation.fixed_bits) / modulation.block_bits), 0)
    symbols = modulation.preamble_symbols + 4.25 + 8 + blocks * (modulation.coding_rate + 4)
    return symbols * modulation.symbol_time


@dataclass(frozen=True)
class LoRaCost:
    """Air time of a message in seconds: a bit stream cut into frames, the last one short.

    Parameters
    ----------
    entry_bits, header_bits : int
        Bits of an entry, and before the first one.
    frame_bytes : int
        Application payload of a full frame: 51 at EU868 DR0-2, 115 at DR3, 222 at DR4-7.
    modulation : LoRaModulation
        How the modem sends.
    overhead_bytes : int
        Physical payload of a frame besides the application's; 13 in LoRaWAN.
    c0 : float
        Seconds a message costs whatever its length, >= 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> cost = LoRaCost(48, 0, frame_bytes=51, modulation=LoRaModulation(spreading_factor=12))
    >>> f"{cost(8):.3f} {cost.unit}"
    '2.793 seconds'
    """

    entry_bits: int
    header_bits: int
    frame_bytes: int
    modulation: LoRaModulation
    overhead_bytes: int = 13
    c0: float = 0.0
    unit: str = field(default="seconds", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame_bytes", check_count(self.frame_bytes, "frame_bytes"))
        object.__setattr__(self, "overhead_bytes", check_count(self.overhead_bytes, "overhead_bytes", lowest=0))
        object.__setattr__(self, "c0", check_non_negative(self.c0, "c0"))
        object.__setattr__(self, "entry_bits", check_count(self.entry_bits, "entry_bits"))
        object.__setattr__(self, "header_bits", check_count(self.header_bits, "header_bits", lowest=0))

    def __call__(self, T: ArrayLike) -> Any:
        """Return the air time of a message with T entries."""
        full_frames = np.maximum(self._frames.count(T) - 1, 0)
        rest = np.ceil((self._frames.bits(T) - full_frames * 8 * self.frame_bytes) / 8)
        full_time = lora_air_time(self.frame_bytes + self.overhead_bytes, self.modulation)
        # An empty message is not sent.
        last_time = np.where(rest > 0, lora_air_time(rest + self.overhead_bytes, self.modulation), 0.0)[()]
        return self.c0 + full_frames * full_time + last_time

    def affine_minorant(self) -> tuple[float, float]:
        """Return the air time with fractions of frames, blocks and bytes.

        A frame of b bits takes at least u + v b seconds, where u is positive because the fixed bits of a frame save
        at most one block of 8 symbols while preamble and start take 12.25; and n >= P/P_max frames carry P bits.
        """
        m = self.modulation
        block_time = (m.coding_rate + 4) * m.symbol_time
        bit_time = block_time / m.block_bits
        frame_time = (m.preamble_symbols + 12.25) * m.symbol_time
        frame_time += bit_time * (8 * self.overhead_bytes + m.fixed_bits)
        n0, n1 = self._frames.affine_minorant()
        return (
            self.c0 + frame_time * n0 + bit_time * self.header_bits,
            frame_time * n1 + bit_time * self.entry_bits,
        )

    @property
    def _frames(self) -> Packets:
        return Packets(self.entry_bits, 8 * self.frame_bytes, self.header_bits, straddling=True)
