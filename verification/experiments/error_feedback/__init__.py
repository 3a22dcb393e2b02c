"""Real runs of error feedback and EF21 with data weights (dossier 3.1–3.6, 3.10, 3.11)."""

from __future__ import annotations

from collections.abc import Mapping

from ..comparison import Experiment
from . import exact, memories, runs

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: Mapping[str, Experiment] = {**memories.EXPERIMENTS, **runs.EXPERIMENTS, **exact.EXPERIMENTS}
"""What is run for every theorem by ID."""
