"""The exact worst cases behind the statements, as semidefinite programs: one table per subject.

A worst case is a row of words: function class, start, claim, parameters, method, further hypotheses. The words are in
`vocabulary`; the bound is the theorem's own (`claims`); PEPit supplies the interpolation conditions, and `program` runs
the solvers. A new subject is one more table; a new kind of compressor or method, one more word.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import adaptive_compression
from .claims import Cell
from .program import SOLVERS, Solution, WorstCase, finite, solve

CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType({**adaptive_compression.CASES})
"""The worst cases of every statement to which performance estimation applies, by theorem ID."""

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType({**adaptive_compression.NOT_APPLICABLE})
"""Why performance estimation does not apply to a statement, by theorem ID."""

__all__ = ["CASES", "NOT_APPLICABLE", "SOLVERS", "Cell", "Solution", "WorstCase", "finite", "solve"]
