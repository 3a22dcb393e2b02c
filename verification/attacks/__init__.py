"""The attacks as data: one table for each subject of the theory."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import adaptive_compression
from .family import Family

__all__ = ["FAMILIES"]

FAMILIES: Mapping[str, Family] = MappingProxyType({**adaptive_compression.FAMILIES})
"""The attack on every theorem by ID."""
