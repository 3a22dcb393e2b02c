"""How every statement of dossier chapter 1 is attacked, one module for each module of the theory."""

from __future__ import annotations

from . import descent, efficiency, memory, quantised, rates, stochastic, tuning, workers

FAMILIES = {
    **descent.FAMILIES,
    **rates.FAMILIES,
    **quantised.FAMILIES,
    **stochastic.FAMILIES,
    **efficiency.FAMILIES,
    **tuning.FAMILIES,
    **workers.FAMILIES,
    **memory.FAMILIES,
}

__all__ = ["FAMILIES"]
