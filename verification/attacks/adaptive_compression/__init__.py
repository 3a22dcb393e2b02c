"""How every statement of dossier chapter 1 is attacked, one module for each module of the theory."""

from __future__ import annotations

from . import descent, quantised, rates

FAMILIES = {
    **descent.FAMILIES,
    **rates.FAMILIES,
    **quantised.FAMILIES,
}

__all__ = ["FAMILIES"]
