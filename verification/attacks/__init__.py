"""The attacks as data: one table for each subject of the theory."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import (
    adaptive_compression,
    compression,
    data_sparsity,
    error_feedback,
    event_triggering,
    ratio_assignment,
    staleness,
)
from .family import Family

__all__ = ["FAMILIES"]

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        **adaptive_compression.FAMILIES,
        **staleness.FAMILIES,
        **error_feedback.FAMILIES,
        **event_triggering.FAMILIES,
        **ratio_assignment.FAMILIES,
        **compression.FAMILIES,
        **data_sparsity.FAMILIES,
    }
)
"""The attack on every theorem by ID."""
