"""Check what a compressor claims: its class and constant, its moments, its messages and their bits.

The claims are measured on structured vectors and on the worst vectors that a directed search finds.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.solvers.array import Stream, to_numpy
from taciturn.theory.checks import check_count, check_positive
from taciturn.theory.compression import Absolute, CompressionClass, Contractive, Unbiased

from .confidence import mean_interval
from .vector_search import worst_vector
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
        worst = np.array2string(self.worst_vector, precision=4, threshold=20, max_line_width=10**6)
        lines = [
            f"{self.compressor} claims {self.guarantee}",
            f"{counts} (probability of a false alarm at most {self.failure_probability:g})",
            f"largest error found: {self.worst_share:.4g} of what is allowed, at {worst}",
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
    Measured are: shape, type, finite entries, that the argument is left as it was and that equal streams give equal
    answers, and without coins all streams and all batches; E ||C(v) - v||^2 against the guarantee, hence C(0) = 0
    unless the class is Absolute; E C(v) = v, in every coordinate and along v, if the class is Unbiased; <v, C(v)> =
    ||C(v)||^2 in every draw, if it is a projection; error, second moment and number of non-zeros against
    ``declared_moments``; that ``decode(encode(v))`` is what the call gives, and that the bits suffice: 2^b messages
    carry at most 2^b vectors, and no closer to all vectors of the unit ball than `bits-packing` (dossier chapter 2)
    allows.

    Means have the confidence intervals of `taciturn.verification.confidence.mean_interval`; outcomes of probability
    below about 20 / replicas are invisible, so d should be small. Claims relative to ||v|| are checked up to rounding
    and up to the underflow of one smallest normal number in each entry.

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
    vectors["the worst vector found"] = _worst_vector(compressor, np.array(list(vectors.values())), search_steps, seed)
    everything = np.array(list(vectors.values()))
    if _serves(compressor, 1):
        short = structured_vectors(1, dtype)
        vectors |= {f"{name}, d = 1": short[name] for name in ("zero", "one entry", "huge", "tiny")}
    level = failure_probability / (len(vectors) * (d + 5) + 1)  # at most d + 5 intervals at each vector, 1 for messages

    findings, shares = _repeats(compressor, everything, seed), []
    for (name, v), rng in zip(vectors.items(), Stream(seed).spawn(len(vectors)), strict=True):
        guarantee, draws = compressor.guarantee(v.size), _draws(compressor, v, name, replicas, level, rng)
        error, share = _error(draws, guarantee)
        findings.append(error)
        shares.append(share)
        if isinstance(guarantee, Unbiased):
            findings += _bias(draws, guarantee, _is_random(compressor))
        if isinstance(guarantee, Contractive) and guarantee.projection:
            findings.append(_projection(draws))
        if hasattr(compressor, "declared_moments") and draws.is_normal:
            findings += _moments(draws, compressor.declared_moments(v))
    if hasattr(compressor, "encode"):
        findings += _messages(compressor, everything, seed, level)

    worst = int(np.argmax(shares))
    report = CompressorReport(
        compressor=repr(compressor),
        guarantee=compressor.guarantee(d),
        findings=tuple(findings),
        failure_probability=failure_probability,
        worst_share=shares[worst],
        worst_vector=list(vectors.values())[worst],
    )
    if report.violations:
        raise AssertionError(str(report))
    return report


def _serves(compressor: Any, d: int) -> bool:
    """Say whether the compressor is meant for vectors of R^d; one that keeps k > d entries is not."""
    try:
        compressor.guarantee(d)
        compressor(np.zeros(d), Stream(0))  # a guarantee of its own may not know about k
    except ValueError:
        return False
    return True


def _is_random(compressor: Any) -> bool:
    return bool(getattr(compressor, "is_random", True))


def _compress(compressor: Any, batch: Vector, rng: Stream) -> Vector:
    """Compress a batch (..., d), insist on the form of the answer, and return it in double precision."""

    def insist(condition: Any, violation: str) -> None:
        if not condition:
            raise AssertionError(f"{compressor!r} {violation}")

    given = batch.copy()
    compressed = compressor(given, rng)
    insist(np.array_equal(batch, given), "modifies its argument")
    insist(isinstance(compressed, np.ndarray), f"answers a NumPy array with a {type(compressed).__name__}")
    insist(compressed.shape == batch.shape, f"answers the shape {batch.shape} with {compressed.shape}")
    insist(compressed.dtype == batch.dtype, f"answers {batch.dtype} with {compressed.dtype}")
    finite = np.all(np.isfinite(compressed), axis=-1)
    insist(np.all(finite), f"answers with NaN or infinity at {batch[~finite][:1].tolist()}")
    doubles: Vector = compressed.astype(np.float64)
    return doubles


@dataclass(frozen=True)
class _Draws:
    """Compressed copies of one vector, in units in which the vector has norm 1; as they are for the zero vector.

    Attributes: the name of the vector, the vector (d,), the draws (n, d), their numbers of non-zeros (n,), the unit as
    a factor and an exponent of two (their product may not be a normal number), what rounding does to numbers near 1,
    what underflow may do to the norm of a draw, the failure probability of one interval.
    """

    name: str
    vector: Vector
    compressed: Vector
    nonzeros: Vector
    norm: float
    unit: float
    rounding: float
    underflow: float
    level: float

    @property
    def is_normal(self) -> bool:
        """Whether relative claims mean anything: the vector is neither zero nor made of subnormal numbers."""
        return bool(np.any(self.vector)) and self.underflow < 1e-3

    def equals(self, claim: str, samples: Vector, claimed: float, slack: float) -> Finding:
        """Compare the mean of samples (n,) with what is claimed."""
        mean, half_width = mean_interval(samples, self.level)
        width = float(half_width) + slack
        return Finding(f"{claim} = {claimed:.6g}", self.name, float(mean), width, abs(float(mean) - claimed) <= width)


def _draws(compressor: Any, v: Vector, name: str, replicas: int, level: float, rng: Stream) -> _Draws:
    compressed = _compress(compressor, np.tile(v, (replicas if _is_random(compressor) else 2, 1)), rng)
    # Divided by a power of two near the largest magnitude before anything is squared.
    largest = float(np.max(np.abs(v)))
    unit = math.ldexp(1.0, math.frexp(largest)[1] - 1) if largest > 0 else 1.0
    w = v.astype(np.float64) / unit
    norm = math.sqrt(float(w @ w)) or 1.0
    limits = np.finfo(v.dtype)
    return _Draws(
        name=name,
        vector=w / norm,
        compressed=compressed / unit / norm,
        nonzeros=np.count_nonzero(compressed, axis=-1),
        norm=norm,
        unit=unit,
        rounding=float(limits.eps) * (64 + v.size) if largest > 0 else 0.0,
        underflow=math.sqrt(v.size) * float(limits.smallest_normal) / unit / norm if largest > 0 else 0.0,
        level=level,
    )


def _slack(draws: _Draws, squared: float) -> float:
    """Return what rounding and underflow may do to the square of a length."""
    return draws.rounding * (1 + squared) + draws.underflow * (2 * math.sqrt(squared) + draws.underflow)


def _allowed(draws: _Draws, guarantee: CompressionClass) -> float:
    if isinstance(guarantee, Absolute):
        error = guarantee.error / draws.unit / draws.norm
        return error * error
    return guarantee.squared_error(float(draws.vector @ draws.vector))


def _error(draws: _Draws, guarantee: CompressionClass) -> tuple[Finding, float]:
    """Compare the error with the guarantee; return also the share of the error allowed."""
    allowed = _allowed(draws, guarantee)
    mean, half_width = mean_interval(np.sum((draws.compressed - draws.vector) ** 2, axis=-1), draws.level)
    error, width = float(mean), float(half_width) + _slack(draws, allowed)
    claim = f"E ||C(v) - v||^2 / ||v||^2 <= {allowed:.6g}"
    share = error / allowed if allowed > 0 and draws.is_normal else 0.0
    return Finding(claim, draws.name, error, width, error - width <= allowed), share


def _bias(draws: _Draws, guarantee: Unbiased, is_random: bool) -> list[Finding]:
    """Compare the mean with the vector, in every coordinate and along the vector."""
    # Outcomes too rare to have been seen, of probability q in all, move a mean by at most sqrt(q * variance).
    q = min(1.0, math.log(4 / draws.level) / len(draws.compressed)) if is_random else 0.0
    largest = float(np.max(np.abs(draws.compressed)))
    slack = draws.rounding * (1 + largest) + draws.underflow + math.sqrt(q * _allowed(draws, guarantee))
    bias, half_width = mean_interval(draws.compressed - draws.vector, draws.level)
    j = int(np.argmax(np.abs(bias) - half_width))
    width = float(half_width[j]) + slack
    coordinate = Finding(f"(E C(v) - v)_{j} / ||v|| = 0", draws.name, float(bias[j]), width, abs(bias[j]) <= width)
    along = draws.equals(
        "<E C(v), v> / ||v||^2", draws.compressed @ draws.vector, float(draws.vector @ draws.vector), slack
    )
    return [coordinate, along]


def _projection(draws: _Draws) -> Finding:
    """Compare <v, C(v)> with ||C(v)||^2 in every draw."""
    lengths = np.sum(draws.compressed**2, axis=-1)
    gaps = np.abs(draws.compressed @ draws.vector - lengths)
    gap, width = float(np.max(gaps)), _slack(draws, float(np.max(lengths)))
    return Finding("|<v, C(v)> - ||C(v)||^2| / ||v||^2 = 0", draws.name, gap, width, gap <= width)


def _moments(draws: _Draws, declared: Any) -> list[Finding]:
    """Compare error, second moment and number of non-zeros with what is declared."""
    error, second_moment, nonzeros = map(float, (declared.error, declared.second_moment, declared.nonzeros))
    errors = np.sum((draws.compressed - draws.vector) ** 2, axis=-1)
    lengths = np.sum(draws.compressed**2, axis=-1)
    slack = _slack(draws, second_moment)
    return [
        draws.equals("E ||C(v) - v||^2 / ||v||^2", errors, error, slack),
        draws.equals("E ||C(v)||^2 / ||v||^2", lengths, second_moment, slack),
        draws.equals("E number of non-zeros", draws.nonzeros, nonzeros, draws.rounding * (1 + nonzeros)),
    ]


def _repeats(compressor: Any, vectors: Vector, seed: int) -> list[Finding]:
    """Compress the vectors (m, d) again with an equal stream, or, without coins, with another one and one by one."""
    first, name = _compress(compressor, vectors, Stream(seed)), f"{len(vectors)} vectors"

    def same(claim: str, second: Vector, slack: Any = 0.0) -> Finding:
        differ = int(np.count_nonzero(np.abs(first - second) > slack))
        return Finding(f"{claim}: entries that differ = 0", name, differ, 0.0, differ == 0)

    if _is_random(compressor):
        return [same("equal streams give equal answers", _compress(compressor, vectors, Stream(seed)))]
    alone = np.array([_compress(compressor, v, Stream(seed)) for v in vectors])
    # A sum over a batch may be taken in another order than one over a single vector.
    rounding = float(np.finfo(vectors.dtype).eps) * (64 + vectors.shape[-1])
    slack = rounding * np.max(np.abs(vectors), axis=-1, keepdims=True).astype(np.float64)
    return [
        same("no stream changes the answer", _compress(compressor, vectors, Stream(seed + 1))),
        same("no other vector of a batch changes the answer", alone, slack),
    ]


def _messages(compressor: Any, vectors: Vector, seed: int, level: float) -> list[Finding]:
    """Send the vectors (m, d) and many random ones; check what arrives, and that the bits suffice for it."""
    d, rng = vectors.shape[-1], np.random.default_rng(seed)
    directions = rng.standard_normal((4000, d))
    radii = rng.random((len(directions), 1)) ** (1 / d)
    ball = (radii * directions / np.linalg.norm(directions, axis=-1, keepdims=True)).astype(vectors.dtype)
    batch = np.concatenate([vectors, ball])
    compressed = _compress(compressor, batch, Stream(seed))
    message = compressor.encode(batch, Stream(seed))
    differ = int(np.count_nonzero(to_numpy(compressor.decode(message)) != compressed))
    bits = to_numpy(compressor.bits(message))
    counted = bits.shape == (len(batch),) and np.issubdtype(bits.dtype, np.integer) and bool(np.all(bits >= 0))
    name = f"{len(batch)} vectors"
    findings = [
        Finding("decode(encode(v)) = C(v): entries that differ = 0", name, differ, 0.0, differ == 0),
        Finding("bits(message) counts the bits of each message", name, float(counted), 0.0, counted),
    ]
    if not counted:
        return findings

    # The 2^b messages of b bits carry at most 2^b vectors.
    bits, carried = bits[len(vectors) :], compressed[len(vectors) :]
    needed = {int(b): math.log2(len(np.unique(carried[bits == b], axis=0))) for b in np.unique(bits)}
    name = f"{len(ball)} random vectors"
    b = max(needed, key=lambda b: needed[b] - b)
    findings.append(Finding(f"{b} bits tell apart what they carry", name, needed[b], 0.0, needed[b] <= b))

    # Fewer than 2^(b + 1) messages have at most b bits, and so few vectors leave this error in the ball (bits-packing).
    b = max(needed)
    least = d / (d + 2) * 4.0 ** (-(b + 1) / d)
    mean, half_width = mean_interval(np.sum((carried - ball) ** 2, axis=-1), level)
    error = float(mean)
    width = float(half_width) + float(np.finfo(ball.dtype).eps) ** 2  # the vectors are themselves rounded
    claim = f"with at most {b} bits the mean error in the unit ball >= {least:.6g}"
    return [*findings, Finding(claim, name, error, width, error + width >= least)]


def _worst_vector(compressor: Any, starts: Vector, steps: int, seed: int) -> Vector:
    """Search for the vector with the largest share of the error that the guarantee allows."""
    d, dtype = starts.shape[-1], starts.dtype
    guarantee = compressor.guarantee(d)
    draws = 128 if _is_random(compressor) else 1

    def share(vectors: Vector) -> Vector:
        # The same coins in every step: differences between vectors are less noisy than the errors themselves.
        batch = np.tile(vectors.astype(dtype), (draws, 1, 1))
        errors = np.mean(np.sum((_compress(compressor, batch, Stream(seed)) - vectors) ** 2, axis=-1), axis=0)
        allowed = np.array([guarantee.squared_error(float(v @ v)) for v in vectors])
        shares: Vector = np.divide(errors, allowed, out=np.zeros(len(vectors)), where=allowed > 0)
        return shares

    starts = starts[np.any(starts, axis=-1)].astype(np.float64)
    starts = starts / np.max(np.abs(starts), axis=-1, keepdims=True)
    if isinstance(guarantee, Absolute):
        starts = starts * (guarantee.error / math.sqrt(d))
    return worst_vector(share, starts, steps, seed).astype(dtype)
