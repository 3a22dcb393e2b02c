"""Worst cases behind the statements on stale gradients (dossier chapter 2)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..program import WorstCase
from . import bounds, limits, stored

CASES: Mapping[str, tuple[WorstCase, ...]] = MappingProxyType({**bounds.CASES, **stored.CASES, **limits.CASES})
"""The worst cases of every statement to which performance estimation applies."""

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType({**bounds.NOT_APPLICABLE, **limits.NOT_APPLICABLE})
"""Why performance estimation does not apply to the others."""
