"""Compression adapted in every iteration to the gradient and to the price of the network (dossier chapter 1)."""

from __future__ import annotations

from . import descent, efficiency, memory, quantised, rates, sampling, stochastic, tuning, workers

THEOREMS = (
    *descent.THEOREMS,
    *rates.THEOREMS,
    *quantised.THEOREMS,
    *sampling.THEOREMS,
    *stochastic.THEOREMS,
    *efficiency.THEOREMS,
    *tuning.THEOREMS,
    *workers.THEOREMS,
    *memory.THEOREMS,
)

__all__ = ["THEOREMS"]
