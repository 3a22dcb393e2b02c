"""What an instance consists of, and the ones known to be hard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np

from taciturn.solvers.adversaries import ObliviousAdversary
from taciturn.solvers.delays import DESTABILISING, Constant, Cyclic, DelayModel, Hold, Periodic
from taciturn.solvers.problems import quadratic_with_spectrum
from taciturn.solvers.second_moment import NoiseModel
from taciturn.theory.stale_steps import root_step

from ..family import Instance
from ..fields import Array, Entries, Fields, Integers, Positive, Spectrum, Words
from .delays import Delays, Weights
from .noise import ROWS

__all__ = [
    "DELAYS",
    "ITERATIONS",
    "NOISE",
    "QUADRATICS",
    "STEP",
    "WORKERS",
    "alone",
    "apart",
    "hard",
    "patterns",
    "rows",
]

WORKERS, ITERATIONS = 4, 100

QUADRATICS: Fields = {
    "L": Positive(0.01, 100.0),
    "spectra": Spectrum(rows=(WORKERS,), singular=True),
    "mirrors": Entries(rows=(WORKERS,), zero=True),
    "pulls": Entries(rows=(WORKERS,), zero=True),
    "weights": Weights(WORKERS),
    "start": Entries(),
}
"""Up to four workers with curvatures up to L along axes of their own, their gradients at the minimiser, and a start."""

NOISE: Fields = {
    "row": Words(ROWS),
    "law": Words(("along", "entries")),
    "variance": Positive(1e-3, 20.0),
    "opposed": Integers(0, 1, rows=(WORKERS,)),
    "young": Positive(1e-2, 100.0),
    "deviation": Positive(1e-3, 10.0),
}
"""A row of the noise table with all that it needs: see `noise`."""

DELAYS: Fields = {"delays": Delays(ITERATIONS, WORKERS)}

STEP: Fields = {"relative_step": Positive(0.05, 1.0)}
"""The step size in units of the largest that the theorem allows."""


def alone(spectrum: list[float], **parts: Any) -> Instance:
    """Return one worker with this spectrum; the others do not exist.

    Examples
    --------
    >>> alone([1.0], variance=3.0)["weights"]
    [1.0, 0.0, 0.0, 0.0]
    """
    d = len(spectrum)
    return {
        "L": 1.0,
        "spectra": [spectrum] * WORKERS,
        "mirrors": [[0.0] * d] * WORKERS,
        "pulls": [[0.0] * d] * WORKERS,
        "added": [[0.0] * d] * WORKERS,
        "weights": [1.0] + [0.0] * (WORKERS - 1),
        "start": [1.0] * d,
        "row": "none",
        "law": "along",
        "variance": 1.0,
        "opposed": [0] * WORKERS,
        "young": 1.0,
        "deviation": 1.0,
        "delays": patterns()[0],
        "relative_step": 1.0,
        **parts,
    }


def apart(spectrum: list[float], **parts: Any) -> Instance:
    """Return two equal workers that pull in opposite directions."""
    pull = [1.0] + [0.0] * (len(spectrum) - 1)
    pulls = [pull, [-entry for entry in pull]] + [[0.0] * len(spectrum)] * (WORKERS - 2)
    return alone(spectrum, **{"weights": [1.0, 1.0] + [0.0] * (WORKERS - 2), "pulls": pulls, **parts})


@cache
def patterns() -> tuple[Array, ...]:
    """Return delay patterns that do harm: none, constant, held, cyclic, destabilising, and those of an adversary."""
    models: list[DelayModel] = [model(tau) for tau in (1, 2, 3) for model in (Constant, Hold, Cyclic)]
    models += [Periodic(DESTABILISING[tau]) for tau in (2, 3, 4)]
    adversaries = [_adversary(tau, variance) for tau, variance in ((2, 0.0), (2, 20.0), (3, 0.0))]
    traces = [model.trace(ITERATIONS, WORKERS).delay for model in (Constant(0), *models)]
    return (*traces, *(np.repeat(adversary, WORKERS, axis=1) for adversary in adversaries))


def _adversary(tau: int, variance: float) -> Array:
    """The delays that grow the second moment most for one worker at the root step."""
    step = float(root_step(1.0, variance, tau))
    law = NoiseModel.exact_variance(variance)
    adversary = ObliviousAdversary(quadratic_with_spectrum([1.0]), step, law, tau, x0=[1.0])
    return adversary.trace(ITERATIONS, workers=1).delay


def hard(fields: Fields, **parts: Any) -> Callable[[], Iterator[Instance]]:
    """Return a function that makes hard instances with the parts that the fields name.

    Steep, flat and ill-conditioned problems of one worker, two workers that disagree, and four that throw the same
    coins; without noise, with little and with much, as far as the fields allow; with every delay pattern, if there are
    delays.
    """
    return partial(_hard, fields, parts)


def _hard(fields: Fields, parts: dict[str, Any]) -> Iterator[Instance]:
    for delays in patterns() if "delays" in fields else patterns()[:1]:
        for instance in _problems(**parts, delays=delays):
            if instance["row"] in rows(fields):
                yield {name: instance[name] for name in fields}


def _problems(**parts: Any) -> Iterator[Instance]:
    levels: tuple[dict[str, Any], ...] = (
        {"row": "none"},
        {"row": "independent", "variance": 1.0},
        {"row": "independent", "variance": 20.0},
    )
    for level in levels:
        yield alone([1.0], **level, **parts)
        yield alone([1.0, 0.01], **level, **parts)
        yield alone([1.0, 1e-4], start=[0.0, 1.0], **level, **parts)
        yield alone([1.0], weights=[1.0, 1.0] + [0.0] * (WORKERS - 2), **level, **parts)
        yield apart([1.0], **level, **parts)
    yield alone([1.0], row="one map", variance=20.0, **parts)
    yield alone([1.0], row="stochastic", variance=1e-3, **parts)  # noise that does not depend on the point
    yield alone([1.0], weights=[1.0] * WORKERS, row="joint", variance=20.0, young=0.01, **parts)  # as one worker


def rows(fields: Fields) -> tuple[str, ...]:
    """Return the rows of the noise table that instances may have."""
    field = fields["row"]
    return field.options if isinstance(field, Words) else ()
