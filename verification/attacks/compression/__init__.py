"""How the table of compressors, the rules of composition and the bits of messages are attacked (dossier 2.1)."""

from __future__ import annotations

from . import bits, constants, rules

FAMILIES = {**constants.FAMILIES, **rules.FAMILIES, **bits.FAMILIES}

__all__ = ["FAMILIES"]
