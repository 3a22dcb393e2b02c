"""How the statements of dossier chapter 4 are attacked: networks of quadratics with adversarial copies, exact noise."""

from __future__ import annotations

from . import (
    ages,
    averages,
    damped,
    disagreement,
    means,
    messages,
    preserving,
    published,
    recursions,
    triggers,
    weights,
)

FAMILIES = {
    **recursions.FAMILIES,
    **averages.FAMILIES,
    **disagreement.FAMILIES,
    **published.FAMILIES,
    **means.FAMILIES,
    **preserving.FAMILIES,
    **ages.FAMILIES,
    **damped.FAMILIES,
    **triggers.FAMILIES,
    **messages.FAMILIES,
    **weights.FAMILIES,
}

__all__ = ["FAMILIES"]
