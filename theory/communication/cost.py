"""Cost models: the price C(T) of a message with T entries."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taciturn.theory.checks import check_count, check_non_negative, check_positive

from .entries import integer_entries, real_entries
from .packets import Packets

__all__ = [
    "AffineCost",
    "BidirectionalCost",
    "Cost",
    "HybridCost",
    "PacketCost",
    "TableCost",
    "check_cost",
]


@runtime_checkable
class Cost(Protocol):
    """The price of a message with T entries: anything with these three members.

    Every T in 1..d has a positive finite price. T may be an array, and the answer has its shape; T = 0, a Bernoulli
    sample that came out empty, is priced too except by a table.
    """

    @property
    def unit(self) -> str:
        """Unit of the price: "bits", "seconds" or "joules"."""

    def __call__(self, T: ArrayLike) -> Any:
        """Return the price of a message with T entries."""

    def affine_minorant(self) -> tuple[float, float]:
        """Return (c0, c1) with 0 <= c1 and 0 < c0 + c1 T <= C(T) for every T in 1..d.

        The searches stop by it (`eff-safe-stop`): the closer it is, the fewer entries they sort.
        """


def check_cost(cost: Any, name: str = "cost") -> None:
    """Refuse what is not a `Cost`; a class in place of its object is none.

    Raises
    ------
    TypeError
        Naming the argument.

    Examples
    --------
    >>> check_cost(64)
    Traceback (most recent call last):
        ...
    TypeError: cost is a int; pass a Cost of taciturn.theory.communication
    """
    if isinstance(cost, type) or not isinstance(cost, Cost):
        raise TypeError(f"{name} is a {type(cost).__name__}; pass a Cost of taciturn.theory.communication")


@dataclass(frozen=True)
class AffineCost:
    """C(T) = c0 + c1 T (Hockney's latency and bandwidth; dossier, chapter 1, section 4.2).

    Parameters
    ----------
    c0 : float
        Price of a message whatever its length, >= 0.
    c1 : float
        Price of an entry, >= 0; one of the two is positive. c1 = 0 is a dense message.
    unit : str
        Unit of the price.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number, or out of range.

    Examples
    --------
    >>> AffineCost(c0=64, c1=48)(np.array([1, 10]))
    array([112., 544.])
    """

    c0: float
    c1: float
    unit: str = "bits"

    def __post_init__(self) -> None:
        object.__setattr__(self, "c0", check_non_negative(self.c0, "c0"))
        object.__setattr__(self, "c1", check_non_negative(self.c1, "c1"))
        check_positive(self.c0 + self.c1, "c0 + c1")

    def __call__(self, T: ArrayLike) -> Any:
        """Return the price of a message with T entries."""
        return self.c0 + self.c1 * real_entries(T)

    def affine_minorant(self) -> tuple[float, float]:
        """Return (c0, c1)."""
        return self.c0, self.c1


@dataclass(frozen=True)
class PacketCost:
    """C(T) = c0 + packet_cost ceil(P(T)/P_max): the last packet is padded, or billed as if it were full.

    Parameters
    ----------
    packets : Packets
        How the payload is cut.
    packet_cost : float
        Price of a packet with its overhead, > 0.
    c0 : float
        Price of a message whatever its length, >= 0.
    unit : str
        Unit of the price.

    Raises
    ------
    TypeError, ValueError
        If a price is not a number, or out of range.

    Examples
    --------
    >>> cost = PacketCost(Packets(entry_bits=48, packet_bits=8 * 1472), packet_cost=8 * (1472 + 66))
    >>> cost(np.array([245, 246]))
    array([12304., 24608.])
    """

    packets: Packets
    packet_cost: float
    c0: float = 0.0
    unit: str = "bits"

    def __post_init__(self) -> None:
        object.__setattr__(self, "packet_cost", check_positive(self.packet_cost, "packet_cost"))
        object.__setattr__(self, "c0", check_non_negative(self.c0, "c0"))

    def __call__(self, T: ArrayLike) -> Any:
        """Return the price of a message with T entries."""
        return self.c0 + self.packet_cost * self.packets.count(T)

    def affine_minorant(self) -> tuple[float, float]:
        """Return the price with fractions of packets."""
        n0, n1 = self.packets.affine_minorant()
        return self.c0 + self.packet_cost * n0, self.packet_cost * n1


@dataclass(frozen=True)
class HybridCost:
    """C(T) = c0 + packet_cost ceil(P(T)/P_max) + bit_cost P(T): the last packet is short.

    Parameters
    ----------
    packets : Packets
        How the payload is cut.
    packet_cost : float
        Price of a packet's overhead, >= 0.
    bit_cost : float
        Price of a payload bit, > 0.
    c0 : float
        Price of a message whatever its length, >= 0.
    unit : str
        Unit of the price.

    Raises
    ------
    TypeError, ValueError
        If a price is not a number, or out of range.

    Examples
    --------
    >>> cost = HybridCost(Packets(entry_bits=48, packet_bits=8 * 1472), packet_cost=8 * 66, bit_cost=1)
    >>> cost(np.array([245, 246]))
    array([12288., 12864.])
    """

    packets: Packets
    packet_cost: float
    bit_cost: float
    c0: float = 0.0
    unit: str = "bits"

    def __post_init__(self) -> None:
        object.__setattr__(self, "packet_cost", check_non_negative(self.packet_cost, "packet_cost"))
        object.__setattr__(self, "bit_cost", check_positive(self.bit_cost, "bit_cost"))
        object.__setattr__(self, "c0", check_non_negative(self.c0, "c0"))

    def __call__(self, T: ArrayLike) -> Any:
        """Return the price of a message with T entries."""
        return self.c0 + self.packet_cost * self.packets.count(T) + self.bit_cost * self.packets.bits(T)

    def affine_minorant(self) -> tuple[float, float]:
        """Return the price with fractions of packets."""
        n0, n1 = self.packets.affine_minorant()
        return (
            self.c0 + self.packet_cost * n0 + self.bit_cost * self.packets.header_bits,
            self.packet_cost * n1 + self.bit_cost * self.packets.entry_bits,
        )


@dataclass(frozen=True)
class BidirectionalCost:
    """C(T) = C_up(T) + C_down(min(d, workers T)): the aggregated update comes back to the worker.

    Parameters
    ----------
    up, down : Cost
        Prices of the two directions, in one unit. A dense broadcast of the model is ``AffineCost(d * float_bits, 0)``.
    d : int
        Length of the gradient.
    workers : int
        Workers that send T entries each; their union has at most min(d, workers T).

    Raises
    ------
    TypeError, ValueError
        If a number is not an integer or out of range, or the units differ.

    Notes
    -----
    Dossier, chapter 1, section 8.4. One worker with two affine costs has again an affine one, the sum.

    Examples
    --------
    >>> uplink = AffineCost(c0=64, c1=48)
    >>> BidirectionalCost(uplink, AffineCost(c0=32 * 1000, c1=0), d=1000)(np.array([10, 20]))
    array([32544., 33024.])
    """

    up: Cost
    down: Cost
    d: int
    workers: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "d", check_count(self.d, "d"))
        object.__setattr__(self, "workers", check_count(self.workers, "workers"))
        if self.up.unit != self.down.unit:
            raise ValueError(f"the uplink is priced in {self.up.unit}, the downlink in {self.down.unit}")

    @property
    def unit(self) -> str:
        """Unit of the price."""
        return self.up.unit

    def __call__(self, T: ArrayLike) -> Any:
        """Return the price of a message with T entries and its answer."""
        return self.up(T) + self.down(np.minimum(np.int64(self.workers) * np.asarray(T), self.d))

    def affine_minorant(self) -> tuple[float, float]:
        """Return the sum of the minorants; min(d, workers T) >= T."""
        up, down = self.up.affine_minorant(), self.down.affine_minorant()
        return up[0] + down[0], up[1] + down[1]


@dataclass(frozen=True, eq=False)
class TableCost:
    """C(T) = values[T - 1]: an arbitrary positive price for each T in 1..d.

    Parameters
    ----------
    values : array_like, shape (d,)
        The prices, > 0. They need not increase.
    unit : str
        Unit of the price.

    Raises
    ------
    TypeError, ValueError
        If the values are not a vector of finite positive numbers.

    Examples
    --------
    >>> TableCost([3.0, 4.0, 9.0])(np.array([2, 3]))
    array([4., 9.])
    """

    values: ArrayLike
    unit: str = "bits"

    def __post_init__(self) -> None:
        given = np.asarray(self.values)
        if given.dtype.kind not in "iuf":
            raise TypeError(f"values are of {given.dtype}; accepted: real numbers")
        values = np.array(given, dtype=np.float64)
        if values.ndim != 1 or not values.size:
            raise ValueError(f"values has the shape {values.shape}; accepted: (d,) with d >= 1")
        refused = np.flatnonzero(~((values > 0) & (values < np.inf)))
        if refused.size:
            raise ValueError(f"values[{refused[0]}] = {values[refused[0]]} is outside the accepted range (0, inf)")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    def __call__(self, T: ArrayLike) -> Any:
        """Return the price of a message with T entries, T integer in 1..d."""
        return self._table[integer_entries(T, "T", 1, len(self._table)) - 1]

    def affine_minorant(self) -> tuple[float, float]:
        """Return the line with the slope from the first to the last price that touches the table from below.

        An affine table is its own minorant, but for the rounding errors of the line, by which it is lowered. Where the
        slope is negative it is put to 0; where the line is not positive at T = 1, the steepest line through the origin
        takes its place.
        """
        T = np.arange(1, len(self._table) + 1)
        slope = max(0.0, float(self._table[-1] - self._table[0]) / max(1, T.size - 1))
        intercept = float(np.min(self._table - slope * T) - 4 * np.finfo(np.float64).eps * np.max(self._table))
        if intercept + slope > 0:
            return intercept, slope
        return 0.0, float(np.min(self._table / T))

    @property
    def _table(self) -> NDArray[np.float64]:
        return np.asarray(self.values)
