"""Gradients that arrive late and compressed (dossier chapter 2)."""

from __future__ import annotations

from . import bounds, lemmas, limits, stored

THEOREMS = (*lemmas.THEOREMS, *bounds.THEOREMS, *stored.THEOREMS, *limits.THEOREMS)

__all__ = ["THEOREMS"]
