"""What is run for every statement of dossier chapter 2 about stale, compressed gradients."""

from __future__ import annotations

from collections.abc import Mapping

from ..comparison import Experiment
from . import lemmas, limits, measured_delays, stale, stored, synchronous

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: Mapping[str, Experiment] = {
    **lemmas.EXPERIMENTS,
    **synchronous.EXPERIMENTS,
    **stale.EXPERIMENTS,
    **stored.EXPERIMENTS,
    **limits.EXPERIMENTS,
    **measured_delays.EXPERIMENTS,
}
