"""The experiments as data: one table for each subject of the theory."""

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
from .comparison import Experiment

__all__ = ["EXPERIMENTS", "NOT_APPLICABLE"]

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        **adaptive_compression.EXPERIMENTS,
        **staleness.EXPERIMENTS,
        **event_triggering.EXPERIMENTS,
        **error_feedback.EXPERIMENTS,
        **ratio_assignment.EXPERIMENTS,
        **compression.EXPERIMENTS,
        **data_sparsity.EXPERIMENTS,
    }
)
"""What is run for every theorem by ID."""

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {**adaptive_compression.NOT_APPLICABLE, **event_triggering.NOT_APPLICABLE, **ratio_assignment.NOT_APPLICABLE}
)
"""Why nothing is run for a theorem, by ID."""
