"""What is run for every statement of dossier chapter 4 about event-triggered messages."""

from __future__ import annotations

from collections.abc import Mapping

from ..comparison import Experiment
from . import convergence

__all__ = ["EXPERIMENTS", "NOT_APPLICABLE"]

EXPERIMENTS: Mapping[str, Experiment] = {**convergence.EXPERIMENTS}

NOT_APPLICABLE: Mapping[str, str] = dict.fromkeys(
    ("noise-recursion", "biased-recursion", "max-root"),
    "a statement about sequences of numbers, in which no method occurs",
)
