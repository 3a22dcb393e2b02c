"""The small problems of the experiments: quadratics of several shapes, and the bundled text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from taciturn.solvers.data import load_text
from taciturn.solvers.methods import CAT, CompressedGradient, run
from taciturn.solvers.partition import split_iid
from taciturn.solvers.problems import (
    LinearModel,
    Problem,
    Quadratic,
    heterogeneous_quadratic,
    logistic_regression,
    quadratic_with_spectrum,
)
from taciturn.theory.communication import AffineCost

__all__ = [
    "BITS",
    "SMALL",
    "diagonal",
    "flat",
    "rotated",
    "several",
    "start",
    "strongly_convex",
    "text",
    "text_gradients",
]

BITS = AffineCost(c0=64, c1=32 + 9)
"""A header and entries of a 32-bit float and a 9-bit index."""


@cache
def rotated(d: int = 20, condition: float = 50.0) -> Quadratic:
    """Return a quadratic with geometric curvatures along rotated axes."""
    return quadratic_with_spectrum(np.geomspace(1.0, 1 / condition, d), seed=1)


@cache
def diagonal() -> Quadratic:
    """Return a quadratic whose coordinates do not interact: one flat, the others steep."""
    return quadratic_with_spectrum([1.0] + [0.5] * 18 + [0.01])


@cache
def flat() -> Quadratic:
    """Return a convex quadratic that is constant along half of the space."""
    return quadratic_with_spectrum(np.concatenate([np.geomspace(1.0, 0.05, 10), np.zeros(10)]), seed=2)


@cache
def text() -> LinearModel:
    """Return logistic regression on every 15th e-mail and its 300 most frequent tokens (404 x 300)."""
    data = load_text()
    rows = np.arange(0, data.features.shape[0], 15)
    features = data.features[rows]
    frequency = np.asarray((features != 0).sum(axis=0)).ravel()
    tokens = np.sort(np.argsort(-frequency, kind="stable")[:300])
    return logistic_regression(features[:, tokens].toarray(), data.targets[rows], 1e-3)


@cache
def text_gradients() -> Any:
    """Return gradients (13, d) of logistic regression on the text along a run of CAT-S."""
    record = {"gradient": lambda state: state.gradient}
    made = run(CompressedGradient(CAT("S", BITS)), text(), 60, record=record)
    return made.recorded["gradient"][::5]


@cache
def several() -> Mapping[str, Problem]:
    """Return the problems of several workers: quadratics that disagree, and the text dealt to four workers."""
    return MappingProxyType(
        {
            "three different quadratics": heterogeneous_quadratic(3, 8, L=1.0, mu=0.2, spread=1.0, seed=3),
            "text on four workers": text().split(split_iid(404, 4, seed=0)),
        }
    )


@cache
def strongly_convex() -> Mapping[str, Problem]:
    """Return the problems of one node by name."""
    return MappingProxyType({"rotated quadratic": rotated(), "diagonal quadratic": diagonal(), "text": text()})


SMALL = (1, 2, 5, 20)
"""Numbers of entries that fixed-T methods keep."""


def start(problem: Problem, replicas: tuple[int, ...] = ()) -> Any:
    """Return a start, the same for all replicas."""
    point = np.random.default_rng(7).standard_normal(problem.d)
    return np.broadcast_to(point, (*replicas, problem.d)).copy()
