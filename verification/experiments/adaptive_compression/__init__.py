"""What is run for every statement of dossier chapter 1."""

from __future__ import annotations

from collections.abc import Mapping

from ..comparison import Experiment
from . import gradients, one_node, stochastic, workers

__all__ = ["EXPERIMENTS", "NOT_APPLICABLE"]

EXPERIMENTS: Mapping[str, Experiment] = {
    **one_node.EXPERIMENTS,
    **stochastic.EXPERIMENTS,
    **workers.EXPERIMENTS,
    **gradients.EXPERIMENTS,
}

NOT_APPLICABLE: Mapping[str, str] = {
    "ss-sgd": "no method of the library draws stochastic gradients; the attack follows its exact second moments",
}
