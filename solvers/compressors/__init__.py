"""Compressors: maps of gradients to messages that are cheaper to send, each with its guarantee and its bits.

A compressor is a frozen dataclass. ``compressor(v, rng)`` compresses along the last axis of v; all other axes are a
batch. ``compressor.guarantee(d)`` is what holds for every vector, ``compressor.declared_moments(v)`` what holds for
this one, ``compressor.encode(v, rng)`` the message, ``compressor.bits(message)`` its size.
"""

from .identity import Identity
from .interface import Compressor, Moments
from .message import Field, Message
from .quantise import QSGD, Natural, Ternary
from .sample import Bernoulli, SystematicSampling
from .sign import ScaledSign, Sign
from .sparsify import HardThreshold, RandK, TopK

__all__ = [
    "QSGD",
    "Bernoulli",
    "Compressor",
    "Field",
    "HardThreshold",
    "Identity",
    "Message",
    "Moments",
    "Natural",
    "RandK",
    "ScaledSign",
    "Sign",
    "SystematicSampling",
    "Ternary",
    "TopK",
]
