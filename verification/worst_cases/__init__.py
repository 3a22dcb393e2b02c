"""The exact worst cases behind the statements, as semidefinite programs: one table per subject.

A worst case is a row of words: function class, start, claim, parameters, method, further hypotheses. The words are in
`vocabulary` and, for gradients that arrive late, `stale_vocabulary`; the bound is the theorem's own (`claims`); PEPit
supplies the interpolation conditions, and `program` runs the solvers. A new subject is one more table; a new kind of
compressor or method, one more word.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import (
    adaptive_compression,
    compressed_gradient,
    compression,
    data_sparsity,
    error_feedback,
    event_potentials,
    event_triggering,
    ratio_assignment,
    staleness,
)
from .claims import Cell
from .program import SOLVERS, Solution, WorstCase, finite, solve

CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType(
    {
        **adaptive_compression.CASES,
        **compressed_gradient.CASES,
        **staleness.CASES,
        **error_feedback.CASES,
        **event_triggering.CASES,
        **event_potentials.CASES,
    }
)
"""The worst cases of every statement to which performance estimation applies, by theorem ID."""

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        **adaptive_compression.NOT_APPLICABLE,
        **compression.NOT_APPLICABLE,
        **compressed_gradient.NOT_APPLICABLE,
        **data_sparsity.NOT_APPLICABLE,
        **staleness.NOT_APPLICABLE,
        **event_triggering.NOT_APPLICABLE,
        **error_feedback.NOT_APPLICABLE,
        **ratio_assignment.NOT_APPLICABLE,
    }
)
"""Why performance estimation does not apply to a statement, by theorem ID."""

__all__ = ["CASES", "NOT_APPLICABLE", "SOLVERS", "Cell", "Solution", "WorstCase", "finite", "solve"]
