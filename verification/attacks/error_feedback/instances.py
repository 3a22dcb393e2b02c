"""What an instance consists of, and the ones known to be hard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..family import Instance
from ..fields import Entries, Fields, Positive, Spectrum, Words
from ..staleness.delays import Weights
from .setting import COMPRESSORS

__all__ = ["COMPRESSION", "NOISE", "PROBLEMS", "PULLS", "SHAPES", "STEP", "TARGET", "WORKERS", "alone", "hard"]

WORKERS = 5

PROBLEMS: Fields = {
    "L": Positive(0.01, 100.0),
    "spectra": Spectrum(rows=(WORKERS,)),
    "mirrors": Entries(rows=(WORKERS,), zero=True),
    "weights": Weights(WORKERS),
    "start": Entries(),
}
"""Up to five workers with quadratics of their own, conditioned up to 1e4, and a start."""

PULLS: Fields = {"pulls": Entries(rows=(WORKERS,), zero=True)}
"""Their gradients at the minimiser of the mean."""

SHAPES: Fields = {"shape": Words(("quadratic", "logarithm"))}

COMPRESSION: Fields = {
    "delta": Positive(0.02, 1.0, rows=(WORKERS,)),
    "compressor": Words(COMPRESSORS),
    "direction": Entries(),
}

NOISE: Fields = {"noise": Words(("none", "coins")), "deviation": Positive(1e-2, 10.0)}

STEP: Fields = {"relative_step": Positive(0.05, 1.0)}
"""The step size in units of the longest that the theorem allows."""

TARGET: Fields = {"target": Positive(1e-3, 10.0)}
"""The accuracy in units of what is measured at the start."""


def alone(spectrum: list[float], **parts: Any) -> Instance:
    """Return one worker with this spectrum, which keeps q = 1/2 of everything back; the others do not exist.

    Examples
    --------
    >>> alone([1.0], compressor="over")["weights"]
    [1.0, 0.0, 0.0, 0.0, 0.0]
    """
    d = len(spectrum)
    return {
        "L": 1.0,
        "spectra": [spectrum] * WORKERS,
        "mirrors": [[0.0] * d] * WORKERS,
        "pulls": [[0.0] * d] * WORKERS,
        "weights": [1.0] + [0.0] * (WORKERS - 1),
        "start": [1.0] * d,
        "shape": "quadratic",
        "delta": [0.75] * WORKERS,
        "compressor": "under",
        "direction": [1.0] + [0.0] * (d - 1),
        "noise": "none",
        "deviation": 1.0,
        "relative_step": 1.0,
        "target": 0.1,
        **parts,
    }


def hard(fields: Fields, **parts: Any) -> Callable[[], Iterator[Instance]]:
    """Return a function that makes hard instances with the parts that the fields name."""
    return partial(_hard, fields, parts)


def _hard(fields: Fields, parts: dict[str, Any]) -> Iterator[Instance]:
    for compressor in ("under", "over", "aligned"):
        for delta in (0.02, 0.75, 1.0):
            common: dict[str, Any] = {"compressor": compressor, "delta": [delta] * WORKERS, **parts}
            pull = [0.3] * WORKERS
            for instance in (
                alone([1.0], **common),
                alone([1.0, 0.01], **common),
                alone([1.0], noise="coins", **common),
                # Different volumes and ratios; equal curvatures, a pull that the last worker has to bear.
                alone([1.0], **{**common, "weights": [1.0, 0.2, 0.05, 0.05, 0.05]}),
                alone([1.0], **{**common, "weights": [1.0] * WORKERS, "pulls": [[p] for p in [*pull[1:], -1.2]]}),
            ):
                yield {name: instance[name] for name in fields}
