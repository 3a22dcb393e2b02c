"""Which worker may compress how hard (dossier 3.7–3.10, 3.12)."""

from __future__ import annotations

from . import allocation, beyond, exponents, integers, thresholds

THEOREMS = (
    *allocation.THEOREMS,
    *exponents.THEOREMS,
    *integers.THEOREMS,
    *thresholds.THEOREMS,
    *beyond.THEOREMS,
)

__all__ = ["THEOREMS"]
