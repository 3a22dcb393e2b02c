"""How the statements about ratios and thresholds are attacked: brute force and streams (dossier 3.7–3.12)."""

from __future__ import annotations

from . import allocation, beyond, exponents, integers, thresholds

FAMILIES = {
    **allocation.FAMILIES,
    **exponents.FAMILIES,
    **integers.FAMILIES,
    **thresholds.FAMILIES,
    **beyond.FAMILIES,
}

__all__ = ["FAMILIES"]
