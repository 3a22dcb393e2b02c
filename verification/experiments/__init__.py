"""The experiments as data: one table for each subject of the theory."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import adaptive_compression, compression, data_sparsity, staleness
from .comparison import Experiment

__all__ = ["EXPERIMENTS", "NOT_APPLICABLE"]

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        **adaptive_compression.EXPERIMENTS,
        **staleness.EXPERIMENTS,
        **compression.EXPERIMENTS,
        **data_sparsity.EXPERIMENTS,
    }
)
"""What is run for every theorem by ID."""

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType({**adaptive_compression.NOT_APPLICABLE})
"""Why nothing is run for a theorem, by ID."""
