"""Technologies: what a packet of each carries, with the standard the numbers come from."""

from dataclasses import dataclass

from taciturn.theory.checks import check_choice, check_count

from .cost import PacketCost
from .packets import Packets
from .payload import entry_bits, header_bits

__all__ = ["Technology", "nr_overhead_bits", "technologies", "technology"]


@dataclass(frozen=True)
class Technology:
    """A packet format.

    Parameters
    ----------
    name : str
        What `technology` finds it by.
    title : str
        Name for people.
    payload_bytes, overhead_bytes : int
        Bytes of a full packet that carry the message, and that do not.
    standard : str
        Where the numbers come from.

    Raises
    ------
    TypeError, ValueError
        If a number is not an integer or out of range.

    Examples
    --------
    >>> udp = technology("ethernet-udp")
    >>> udp.payload_bytes, udp.packets("S", d=47236).packet_entries
    (1472, 245)
    """

    name: str
    title: str
    payload_bytes: int
    overhead_bytes: int
    standard: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "payload_bytes", check_count(self.payload_bytes, "payload_bytes"))
        object.__setattr__(self, "overhead_bytes", check_count(self.overhead_bytes, "overhead_bytes", lowest=0))

    def packets(self, scheme: str, d: int, float_bits: int = 32, straddling: bool = False) -> Packets:
        """Return how a message of a scheme is cut into packets.

        Parameters
        ----------
        scheme : str
            "S", "S+Q" or "SS".
        d : int
            Length of the gradient.
        float_bits : int
            Bits of a value.
        straddling : bool
            Whether an entry may lie in two packets.

        Raises
        ------
        TypeError, ValueError
            If the scheme is unknown, a number out of range, or a packet too small for a whole entry.
        """
        entry, header = entry_bits(scheme, d, float_bits), header_bits(scheme, float_bits)
        return Packets(entry, 8 * self.payload_bytes, header, straddling)

    def cost(self, scheme: str, d: int, float_bits: int = 32, c0: float = 0.0, straddling: bool = False) -> PacketCost:
        """Return the bits on the medium of a message, every packet billed in full.

        Parameters
        ----------
        scheme, d, float_bits, straddling
            As in `packets`.
        c0 : float
            Bits a message costs whatever its length, >= 0.

        Raises
        ------
        TypeError, ValueError
            As in `packets`, or if c0 is negative.

        Examples
        --------
        >>> float(technology("ethernet-udp").cost("S", d=47236)(246))
        24608.0
        """
        packet_bits = 8 * (self.payload_bytes + self.overhead_bytes)
        return PacketCost(self.packets(scheme, d, float_bits, straddling), float(packet_bits), c0)


_ETHERNET = (
    "IEEE 802.3: header 14, FCS 4, preamble and SFD 8, inter-frame gap 12 bytes; a payload under 46 bytes is padded"
)
_LORAWAN = "LoRaWAN Regional Parameters (N); MHDR 1, FHDR 7, FPort 1, MIC 4 bytes"

_TECHNOLOGIES = (
    Technology(
        "ethernet-udp",
        "Ethernet, IPv4, UDP",
        1472,
        66,
        f"{_ETHERNET}; MTU 1500; IPv4 20 (RFC 791), UDP 8 (RFC 768)",
    ),
    Technology(
        "ethernet-udp-ipv6",
        "Ethernet, IPv6, UDP",
        1452,
        86,
        f"{_ETHERNET}; MTU 1500; IPv6 40 (RFC 8200), UDP 8 (RFC 768)",
    ),
    Technology(
        "ethernet-udp-jumbo",
        "Ethernet with jumbo frames, IPv4, UDP",
        8972,
        66,
        f"{_ETHERNET}; MTU 9000 is vendors' practice, not in 802.3; IPv4 20 (RFC 791), UDP 8 (RFC 768)",
    ),
    Technology(
        "ieee-802.15.4",
        "IEEE 802.15.4, 16-bit addresses",
        116,
        17,
        "IEEE 802.15.4: aMaxPHYPacketSize 127; MAC header 9 (FCF 2, sequence 1, PAN 2, addresses 2 + 2), FCS 2; "
        "PHY 6 (preamble 4, SFD 1, length 1)",
    ),
    Technology(
        "ieee-802.15.4-safe",
        "IEEE 802.15.4, payload every receiver accepts",
        102,
        31,
        "IEEE 802.15.4: aMaxPHYPacketSize 127 less aMaxMPDUUnsecuredOverhead 25; PHY 6",
    ),
    Technology(
        "6lowpan-secured",
        "6LoWPAN link, secured",
        81,
        52,
        "RFC 4944: 102 bytes less up to 21 for AES-CCM-128; IEEE 802.15.4 PHY 6",
    ),
    Technology(
        "ble-4.0",
        "Bluetooth Low Energy 4.0 and 4.1, notification",
        20,
        17,
        "Bluetooth Core 4.0: link-layer payload 27; preamble 1, access address 4, header 2, CRC 3; L2CAP 4, ATT 3",
    ),
    Technology(
        "ble-4.2",
        "Bluetooth Low Energy 4.2 and later (LE 1M), notification",
        244,
        17,
        "Bluetooth Core 4.2, data length extension: link-layer payload 251; preamble 1, access address 4, header 2, "
        "CRC 3; L2CAP 4, ATT 3; 4 more for the MIC if encrypted",
    ),
    Technology("lorawan-eu868-dr0", "LoRaWAN EU868, DR0 to DR2", 51, 13, _LORAWAN),
    Technology("lorawan-eu868-dr3", "LoRaWAN EU868, DR3", 115, 13, _LORAWAN),
    Technology("lorawan-eu868-dr4", "LoRaWAN EU868, DR4 to DR7", 222, 13, _LORAWAN),
    Technology(
        "lorawan-eu868-dr4-direct",
        "LoRaWAN EU868, DR4 to DR7, no repeater",
        242,
        13,
        f"{_LORAWAN}; N for networks without repeaters",
    ),
    Technology("lorawan-us915-dr0", "LoRaWAN US915, DR0", 11, 13, _LORAWAN),
    Technology(
        "nb-iot-rel13",
        "NB-IoT uplink, Release 13",
        125,
        3,
        "3GPP TS 36.213 section 16.5: largest NPUSCH transport block 1000 bits; 24-bit CRC; layer-2 headers come off "
        "the payload",
    ),
    Technology(
        "nb-iot-rel14",
        "NB-IoT uplink, Release 14",
        317,
        3,
        "3GPP TS 36.213 section 16.5: largest NPUSCH transport block 2536 bits; 24-bit CRC; layer-2 headers come off "
        "the payload",
    ),
    Technology(
        "5g-nr",
        "5G NR, largest transport block with the short CRC",
        478,
        2,
        "3GPP TS 38.212: 16-bit CRC up to a transport block of 3824 bits; the scheduler picks the block, see "
        "nr_overhead_bits for others",
    ),
    Technology(
        "infiniband-4096",
        "InfiniBand, reliable connection, MTU 4096",
        4096,
        26,
        "InfiniBand Architecture: LRH 8, BTH 12, ICRC 4, VCRC 2; GRH 40 more between subnets, RETH 16 for RDMA write",
    ),
)


def technologies() -> tuple[Technology, ...]:
    """Return all technologies (dossier, chapter 1, section 4.2).

    Examples
    --------
    >>> [t.name for t in technologies() if t.payload_bytes < 50]
    ['ble-4.0', 'lorawan-us915-dr0']
    """
    return _TECHNOLOGIES


def technology(name: str) -> Technology:
    """Return the technology of a name.

    Raises
    ------
    ValueError
        If there is none; the message proposes the nearest names.

    Examples
    --------
    >>> technology("ble-4.2").payload_bytes
    244
    """
    check_choice(name, "technology", [row.name for row in _TECHNOLOGIES])
    return next(row for row in _TECHNOLOGIES if row.name == name)


def nr_overhead_bits(transport_block_bits: int, base_graph: int = 1) -> int:
    """Return the CRC bits 5G NR adds to a transport block.

    Parameters
    ----------
    transport_block_bits : int
        Bits of the transport block, which the scheduler picks.
    base_graph : int
        LDPC base graph 1 or 2, with code blocks of at most 8448 or 3840 bits.

    Returns
    -------
    int
        16 bits up to a block of 3824, else 24; and 24 for each code block if there are several.

    Raises
    ------
    TypeError, ValueError
        If a number is not an integer or out of range.

    Notes
    -----
    Source: 3GPP TS 38.212; B bits with the CRC make ceil(B/(K_cb - 24)) code blocks if B exceeds K_cb.

    Examples
    --------
    >>> nr_overhead_bits(3824), nr_overhead_bits(8424), nr_overhead_bits(8448)
    (16, 24, 72)
    """
    transport_block_bits = check_count(transport_block_bits, "transport_block_bits")
    base_graph = check_count(base_graph, "base_graph", highest=2)
    crc = 16 if transport_block_bits <= 3824 else 24
    with_crc, code_block = transport_block_bits + crc, 8448 if base_graph == 1 else 3840
    blocks = 1 if with_crc <= code_block else -(-with_crc // (code_block - 24))
    return crc + (24 * blocks if blocks > 1 else 0)
