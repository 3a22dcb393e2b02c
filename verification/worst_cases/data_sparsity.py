"""Why performance estimation does not apply to what sparse data save (dossier 2.2-2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_SUPPORTS = "a statement about the coordinates that vectors share, which scalar products do not see"

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        "sparsity-sigma": f"{_SUPPORTS}; its worst vectors are explicit",
        "sparsity-order": "a statement about eigenvalues and degrees of a graph, in which no function occurs",
        "sparsity-weighted": f"{_SUPPORTS}; its worst vectors are explicit",
    }
)
"""Why performance estimation does not apply, by theorem ID."""
