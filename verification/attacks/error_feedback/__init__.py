"""How the statements about error feedback with data weights are attacked (dossier 3.1–3.6, 3.10, 3.11)."""

from __future__ import annotations

from . import absolute, ef21, exact, memory, runs, unbiased

FAMILIES = {
    **memory.FAMILIES,
    **runs.FAMILIES,
    **ef21.FAMILIES,
    **unbiased.FAMILIES,
    **absolute.FAMILIES,
    **exact.FAMILIES,
}

__all__ = ["FAMILIES"]
