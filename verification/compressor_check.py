"""Check what a compressor claims: its class and constant, its moments, its messages and their bits.

The claims are measured on structured vectors and on the worst vectors that a directed search finds.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.solvers.array import Stream, to_numpy
from taciturn.theory.checks import check_count, check_positive
from taciturn.theory.compression import Absolute, CompressionClass, Unbiased

from .confidence import mean_interval
from .vectors import structured_vectors

__all__ = ["CompressorReport", "Finding", "check_compressor"]

Vector = NDArray[Any]


@dataclass(frozen=True)
class Finding:
    """One claim, measured at one vector.

    Attributes
    ----------
    claim : str
        What the compressor claims, with its number.
    vector : str
        Where it was measured.
    measured : float
        Mean over the replicas.
    half_width : float
        Of the confidence interval around it, rounding included; 0 for what is compared exactly.
    holds : bool
        Whether the interval allows the claim.
    """

    claim: str
    vector: str
    measured: float
    half_width: float
    holds: bool

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "VIOLATED"
        return f"{verdict}: {self.claim}; measured {self.measured:.6g} +- {self.half_width:.2g} at {self.vector}"


@dataclass(frozen=True)
class CompressorReport:
    """What `check_compressor` found.

    Attributes
    ----------
    compressor : str
        Its representation.
    guarantee : CompressionClass
        Its claim for every vector.
    findings : tuple of Finding
        Every claim, at every vector.
    failure_probability : float
        Of at least one false alarm among all findings.
    worst_share : float
        Largest measured error divided by the error that the guarantee allows: near 1 where the constant is exact.
    worst_vector : ndarray (d,)
        Where.
    """

    compressor: str
    guarantee: CompressionClass
    findings: tuple[Finding, ...]
    failure_probability: float
    worst_share: float
    worst_vector: Vector

    @property
    def violations(self) -> tuple[Finding, ...]:
        """The findings that contradict a claim."""
        return tuple(finding for finding in self.findings if not finding.holds)

    def __str__(self) -> str:
        counts = f"{len(self.findings)} claims measured, {len(self.violations)} violated"
        lines = [
            f"{self.compressor} claims {self.guarantee}",
            f"{counts} (probability of a false alarm at most {self.failure_probability:g})",
            f"largest error found: {self.worst_share:.4g} of what is allowed, at {self.worst_vector.tolist()}",
            *(str(finding) for finding in self.violations),
        ]
        return "\n".join(lines)


def check_compressor(
    compressor: Any,
    d: int = 16,
    *,
    seed: int = 0,
    replicas: int = 20_000,
    search_steps: int = 60,
    failure_probability: float = 1e-6,
    dtype: Any = np.float64,
) -> CompressorReport:
    """Measure every claim of a compressor, and raise if one is false.

    Parameters
    ----------
    compressor : object
        ``compressor(v, rng)`` compresses NumPy arrays (..., d) along the last axis, with independent coins from the
        `taciturn.solvers.array.Stream` for the other axes, and ``compressor.guarantee(d)`` returns ``Unbiased``,
        ``Contractive`` or ``Absolute`` of `taciturn.theory.compression`. Checked if it has them:
        ``declared_moments(v)``; ``encode(v, rng)``, ``decode(message)`` and ``bits(message)``. ``is_random = False``
        says that one draw is enough.
    d : int
        Dimension of the vectors.
    seed : int
        Of all coins and of the search.
    replicas : int
        Draws at each vector.
    search_steps : int
        Steps of the search for the vector with the largest error, 64 vectors each.
    failure_probability : float
        That a compressor whose claims are true is refused; shared equally by all findings (Bonferroni).
    dtype : data type
        float64 or float32.

    Returns
    -------
    CompressorReport
        If no claim is violated.

    Raises
    ------
    AssertionError
        With the report, if a claim is violated.
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Measured are: shape, type, finite entries, the argument left as it was, the same draws from the same seed, C(0) = 0
    unless the class is Absolute; the error E ||C(v) - v||^2 against the guarantee; E C(v) = v, in every coordinate and
    along v, if the class is Unbiased; error, second moment and number of non-zeros against ``declared_moments``; that
    ``decode(encode(v))`` gives what the call gives, and that no message is shorter than what it carries
    (``distinct messages``, and `bits-packing` of dossier chapter 2). Means have the confidence intervals of
    `taciturn.verification.confidence.mean_interval`. Relative claims are checked up to rounding and up to an underflow
    of one smallest normal number in each entry.

    Examples
    --------
    >>> from taciturn.solvers.compressors import TopK
    >>> report = check_compressor(TopK(4), d=16)
    >>> len(report.violations), round(report.worst_share, 6)
    (0, 1.0)

    A compressor that lies about its constant:

    >>> from dataclasses import dataclass
    >>> from taciturn.theory.compression import Contractive
    >>> @dataclass(frozen=True)
    ... class Optimistic(TopK):
    ...     def guarantee(self, d):
    ...         return Contractive(2 * self.k / d)
    >>> check_compressor(Optimistic(4), d=16)
    Traceback (most recent call last):
        ...
    AssertionError: Optimistic(k=4) claims Contractive(delta=0.5)
    ...
    """
    check_count(d, "d")
    check_count(replicas, "replicas", lowest=2)
    check_count(search_steps, "search_steps", lowest=0)
    check_positive(failure_probability, "failure_probability", highest=1.0)
    vectors = structured_vectors(d, dtype)
    vectors["worst vector found"] = _worst_vector(compressor, list(vectors.values()), search_steps, seed)
    if _serves(compressor, 1):
        short = structured_vectors(1, dtype)
        vectors |= {f"{name}, d = 1": short[name] for name in ("zero", "one entry", "huge", "tiny")}
    measure = _Measurement(compressor, replicas, failure_probability / (len(vectors) * (d + 5) + 1))
    findings, shares = [], []
    for (name, v), rng in zip(vectors.items(), Stream(seed).spawn(len(vectors)), strict=True):
        at_vector = measure.findings(v, name, rng)
        findings += at_vector
    ...
