"""What is run for every statement of dossier chapter 4 about event-triggered messages."""

from __future__ import annotations

from collections.abc import Mapping

from ..comparison import Experiment
from . import convergence, messages

__all__ = ["EXPERIMENTS", "NOT_APPLICABLE"]

EXPERIMENTS: Mapping[str, Experiment] = {**convergence.EXPERIMENTS, **messages.EXPERIMENTS}

_NUMBERS = "a statement about sequences of numbers, in which no method occurs"

NOT_APPLICABLE: Mapping[str, str] = {"noise-recursion": _NUMBERS, "biased-recursion": _NUMBERS, "max-root": _NUMBERS}
"""Why nothing is run for the others."""
