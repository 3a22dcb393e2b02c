"""Gradients met on the bundled text, put to the statements about vectors and prices (dossier 1–5, 8.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from taciturn.theory.theorem import Theorem

from ...attacks import FAMILIES
from ...evidence import Budget
from ..comparison import Comparison, Experiment, worst
from ..settings import text_gradients

__all__ = ["EXPERIMENTS"]


def _experiment(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    """Draw everything but the gradient as an attack does."""
    family, gradients = FAMILIES[theorem.id], text_gradients()
    batch = family.sample(len(gradients), gradients.shape[1], np.random.default_rng(budget.seed))
    ratios = family.ratio(theorem, {**batch, "gradient": gradients})
    yield worst(f"text, {family.compares}", ratios, 1.0)


EXPERIMENTS: Mapping[str, Experiment] = dict.fromkeys(
    (
        "alpha-profile",
        "beta-profile",
        "beta-adaptive",
        "ss-optimal-p",
        "ss-omega-profile",
        "ss-order",
        "ss-fixed-size",
        "eff-affine",
        "eff-c0-monotone",
        "eff-threshold",
        "eff-packet",
        "eff-hybrid",
        "eff-safe-stop",
        "eff-ss-closed-form",
        "entropy-larger-T",
        "rice-bound",
        "cat-greedy",
        "gain-ceiling",
    ),
    _experiment,
)
