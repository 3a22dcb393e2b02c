"""Messages that are sent only when something has changed (dossier chapter 4)."""

from __future__ import annotations

from . import ages, beyond, compression, counting, lemmas, published, thresholds, transport

THEOREMS = (
    *lemmas.THEOREMS, *thresholds.THEOREMS, *ages.THEOREMS, *published.THEOREMS, *counting.THEOREMS,
    *compression.THEOREMS, *transport.THEOREMS, *beyond.THEOREMS,
)  # fmt: skip

__all__ = ["THEOREMS"]
