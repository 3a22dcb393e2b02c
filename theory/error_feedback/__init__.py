"""Error feedback with data weights and non-uniform ratios (dossier chapter 3, sections 1 to 6, 10 and 11)."""

from __future__ import annotations

from . import (
    absolute,
    convex,
    ef21,
    lemmas,
    memoryless,
    nonconvex,
    shared_minimiser,
    step_limit,
    tight,
    unbiased,
)

THEOREMS = (
    *lemmas.THEOREMS, *nonconvex.THEOREMS, *convex.THEOREMS, *shared_minimiser.THEOREMS, *ef21.THEOREMS,
    *unbiased.THEOREMS, *step_limit.THEOREMS, *absolute.THEOREMS, *tight.THEOREMS, *memoryless.THEOREMS,
)  # fmt: skip

__all__ = ["THEOREMS"]
