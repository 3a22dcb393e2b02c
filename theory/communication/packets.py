"""Packets: how a payload is cut."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taciturn.theory.checks import check_count

from .entries import real_entries

__all__ = ["Packets"]


@dataclass(frozen=True)
class Packets:
    """How a payload of header and T entries is cut into packets.

    Parameters
    ----------
    entry_bits : int
        Bits of an entry.
    packet_bits : int
        Payload bits a packet carries.
    header_bits : int
        Bits before the first entry, sent in the first packet.
    straddling : bool
        Whether an entry may lie in two packets. If not, the rest of a packet that no whole entry fits in is unused.

    Raises
    ------
    TypeError, ValueError
        If a number is not an integer or out of range, or a packet is too small for the header or a whole entry.

    Examples
    --------
    245 whole entries of 48 bits fit in a UDP packet on Ethernet:

    >>> packets = Packets(entry_bits=48, packet_bits=8 * 1472)
    >>> packets.count(np.array([1, 245, 246])), packets.last_entries(600)
    (array([1., 1., 2.]), array([245, 490, 600]))
    """

    entry_bits: int
    packet_bits: int
    header_bits: int = 0
    straddling: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "entry_bits", check_count(self.entry_bits, "entry_bits"))
        object.__setattr__(self, "packet_bits", check_count(self.packet_bits, "packet_bits"))
        object.__setattr__(self, "header_bits", check_count(self.header_bits, "header_bits", lowest=0))
        needed = 0 if self.straddling else max(self.entry_bits, self.header_bits)
        if self.packet_bits < needed:
            raise ValueError(
                f"packet_bits = {self.packet_bits} is too small for a header of {self.header_bits} bits and whole "
                f"entries of {self.entry_bits} bits; accepted: {needed}, {needed + 1}, ..., or straddling=True"
            )

    @property
    def packet_entries(self) -> int:
        """Whole entries in a packet without the header."""
        return self.packet_bits // self.entry_bits

    def bits(self, T: ArrayLike) -> Any:
        """Return the payload P(T) in bits."""
        return self.header_bits + self.entry_bits * real_entries(T)

    def count(self, T: ArrayLike) -> Any:
        """Return the number of packets of a message with T entries.

        The ceilings are exact in double precision: P = n packet_bits divides exactly, and one bit more or less moves
        the quotient by more than a rounding error as long as P < 2^52.
        """
        if self.straddling:
            return np.ceil(self.bits(T) / self.packet_bits)
        beyond_first = np.maximum(real_entries(T) - self._first_entries, 0)
        # A header always needs a packet; without header and entries there is no message.
        first = 1 if self.header_bits else np.minimum(np.ceil(real_entries(T)), 1)
        return first + np.ceil(beyond_first / self.packet_entries)

    def last_entries(self, d: int) -> NDArray[np.int64]:
        """Return T_1 < T_2 < ... = d: the last entry of each packet of a message with d entries.

        For a numerator that does not decrease, only these T need to be examined (`eff-packet`). A packet that is
        filled by the header has no last entry.
        """
        check_count(d, "d")
        n = np.arange(1, int(self.count(d)) + 1)
        if self.straddling:
            last = (n * self.packet_bits - self.header_bits) // self.entry_bits
        else:
            last = self._first_entries + (n - 1) * self.packet_entries
        return np.unique(np.clip(last, 0, d)[last > 0])

    def affine_minorant(self) -> tuple[float, float]:
        """Return (n0, n1) with n0 + n1 T <= count(T) for every T >= 1."""
        if self.straddling:
            return self.header_bits / self.packet_bits, self.entry_bits / self.packet_bits
        return 1 - self._first_entries / self.packet_entries, 1 / self.packet_entries

    @property
    def _first_entries(self) -> int:
        return (self.packet_bits - self.header_bits) // self.entry_bits
