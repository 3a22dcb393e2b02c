"""Energy: the price of a message to a radio."""

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import ArrayLike

from taciturn.theory.checks import check_count, check_non_negative, check_positive

from .cost import HybridCost
from .packets import Packets

__all__ = ["EnergyCost", "first_order_radio", "radio_bit_energy"]


@dataclass(frozen=True)
class EnergyCost:
    """Energy of a message in joules: a hybrid cost from the constants of a radio.

    Parameters
    ----------
    packets : Packets
        How the payload is cut.
    bit_energy : float
        Joules for a bit sent (add the receiver's where it counts), > 0; see `first_order_radio`, `radio_bit_energy`.
    overhead_bits : int
        Bits of a packet besides its payload.
    turnaround_energy : float
        Joules a packet costs beyond its bits: turnaround, listening for the acknowledgement.
    wake_up_energy : float
        Joules a message costs whatever its length.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number, or out of range.

    Examples
    --------
    >>> bit_energy = radio_bit_energy(voltage=3, current=17.4e-3, bit_rate=250e3)
    >>> cost = EnergyCost(Packets(entry_bits=48, packet_bits=8 * 116), bit_energy, overhead_bits=8 * 17)
    >>> f"{cost(19):.3g} {cost.unit}"
    '0.000219 joules'
    """

    packets: Packets
    bit_energy: float
    overhead_bits: int
    turnaround_energy: float = 0.0
    wake_up_energy: float = 0.0
    unit: str = field(default="joules", init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bit_energy", check_positive(self.bit_energy, "bit_energy"))
        object.__setattr__(self, "overhead_bits", check_count(self.overhead_bits, "overhead_bits", lowest=0))
        object.__setattr__(self, "turnaround_energy", check_non_negative(self.turnaround_energy, "turnaround_energy"))
        object.__setattr__(self, "wake_up_energy", check_non_negative(self.wake_up_energy, "wake_up_energy"))

    def __call__(self, T: ArrayLike) -> Any:
        """Return the energy of a message with T entries."""
        return self._hybrid(T)

    def affine_minorant(self) -> tuple[float, float]:
        """Return the energy with fractions of packets."""
        return self._hybrid.affine_minorant()

    @property
    def _hybrid(self) -> HybridCost:
        packet_energy = self.overhead_bits * self.bit_energy + self.turnaround_energy
        return HybridCost(self.packets, packet_energy, self.bit_energy, self.wake_up_energy, self.unit)


def first_order_radio(distance: float) -> tuple[float, float]:
    """Return the joules to send and to receive a bit over a distance in metres.

    The first-order radio model: 50 nJ of electronics at each end, and 100 pJ/m^2 of amplifier at the sender.

    Source: Heinzelman, Chandrakasan, Balakrishnan (2000).

    Examples
    --------
    >>> first_order_radio(10.0)
    (6e-08, 5e-08)
    """
    distance = check_non_negative(distance, "distance")
    return 50e-9 + 100e-12 * distance**2, 50e-9


def radio_bit_energy(voltage: float, current: float, bit_rate: float) -> float:
    """Return the joules of a bit from the supply voltage (V), current (A) and bit rate (1/s) of a data sheet.

    Examples
    --------
    The CC2420 at 3 V sends (17.4 mA at 0 dBm) and receives (18.8 mA) 250 kbit/s:

    >>> f"{radio_bit_energy(3, 17.4e-3, 250e3):.3g} {radio_bit_energy(3, 18.8e-3, 250e3):.3g}"
    '2.09e-07 2.26e-07'
    """
    voltage = check_positive(voltage, "voltage")
    current = check_positive(current, "current")
    bit_rate = check_positive(bit_rate, "bit_rate")
    return voltage * current / bit_rate
