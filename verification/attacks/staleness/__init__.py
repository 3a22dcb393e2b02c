"""How the statements of dossier chapter 2 are attacked: quadratics with exact expectations, limits, servers, lemmas."""

from __future__ import annotations

from . import (
    adaptive,
    biased,
    fresh,
    lemmas,
    limits,
    nonconvex,
    onestep,
    reacting,
    servers,
    stored,
    synchronous,
    tradeoffs,
)

FAMILIES = {
    **synchronous.FAMILIES,
    **onestep.FAMILIES,
    **fresh.FAMILIES,
    **reacting.FAMILIES,
    **nonconvex.FAMILIES,
    **stored.FAMILIES,
    **adaptive.FAMILIES,
    **lemmas.FAMILIES,
    **limits.FAMILIES,
    **servers.FAMILIES,
    **biased.FAMILIES,
    **tradeoffs.FAMILIES,
}

__all__ = ["FAMILIES"]
