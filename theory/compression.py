r"""Classes of compressors, their worst-case constants, how they compose, and the bits of their messages.

A compressor C maps a vector v of R^d to one that is cheaper to send. Three classes cover the compressors in use:

- ``Unbiased(variance)``: E C(v) = v and E ||C(v) - v||^2 <= variance ||v||^2 for every v;
- ``Contractive(delta)``: E ||C(v) - v||^2 <= (1 - delta) ||v||^2 for every v;
- ``Absolute(error)``: E ||C(v) - v||^2 <= error^2 for every v.

The functions named after a compressor give its exact constant, the smallest that is valid for every v of R^d. The
functions ``compose_...`` are the rules by which guarantees combine; each returns the guarantee of the composite. The
functions ``..._bits`` are the sizes of the messages that are not sparse (those of sparse messages are in
``taciturn.theory.communication``).

Source: dossier chapter 2, sections 1.2 to 1.4, and chapter 1, section 2.3, unless a function says otherwise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from .checks import check_choice, check_count, check_fraction, check_non_negative, check_positive

__all__ = [
    "Absolute",
    "CompressionClass",
    "Contractive",
    "Unbiased",
    "compose_average",
    "compose_blocks",
    "compose_induced",
    "compose_permk",
    "compose_scale",
    "compose_unbiased",
    "compose_unbiased_after_contractive",
    "compose_unscaled",
    "hard_threshold",
    "natural",
    "natural_bits",
    "optimal_sampling",
    "qsgd",
    "qsgd_bits",
    "rand_k",
    "scaled_sign",
    "sign",
    "sign_bits",
    "ternary",
    "ternary_bits",
    "top_k",
    "uniform_sampling",
]


@dataclass(frozen=True)
class Unbiased:
    """E C(v) = v and E ||C(v) - v||^2 <= variance ||v||^2 for every v.

    Parameters
    ----------
    variance : float
        The factor omega >= 0.

    Raises
    ------
    ValueError
        If the variance is negative, NaN or infinite.

    Examples
    --------
    >>> Unbiased(variance=3.0).second_moment
    4.0
    """

    variance: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "variance", check_non_negative(self.variance, "variance"))

    @property
    def second_moment(self) -> float:
        """Bound 1 + omega of E ||C(v)||^2 / ||v||^2."""
        return 1.0 + self.variance

    def squared_error(self, squared_norm: float) -> float:
        """Bound of E ||C(v) - v||^2 for a vector with this ||v||^2."""
        return self.variance * squared_norm


@dataclass(frozen=True)
class Contractive:
    """E ||C(v) - v||^2 <= (1 - delta) ||v||^2 for every v.

    Parameters
    ----------
    delta : float
        The contraction, in (0, 1].
    projection : bool
        Whether also <v, C(v)> = ||C(v)||^2 for every v, as for top-k and the scaled sign: then delta is the certified
        decrease of one step, and the sharper theorems about projection-type compressors apply.

    Raises
    ------
    ValueError
        If delta is outside (0, 1] or NaN.

    Examples
    --------
    >>> Contractive(delta=0.25).squared_error(8.0)
    6.0
    """

    delta: float
    projection: bool = field(default=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", check_fraction(self.delta, "delta"))

    def squared_error(self, squared_norm: float) -> float:
        """Bound of E ||C(v) - v||^2 for a vector with this ||v||^2."""
        return (1.0 - self.delta) * squared_norm


@dataclass(frozen=True)
class Absolute:
    """E ||C(v) - v||^2 <= error^2 for every v.

    Parameters
    ----------
    error : float
        The absolute error kappa >= 0, in the units of v.

    Raises
    ------
    ValueError
        If the error is negative, NaN or infinite.

    Examples
    --------
    >>> Absolute(error=0.5).squared_error(100.0)
    0.25
    """

    error: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "error", check_non_negative(self.error, "error"))

    def squared_error(self, squared_norm: float) -> float:
        """Bound of E ||C(v) - v||^2; it does not depend on ||v||^2."""
        del squared_norm
        return self.error**2


CompressionClass = Unbiased | Contractive | Absolute
"""What a compressor guarantees for every vector."""


# ---- worst-case constants ----


def uniform_sampling(T: float, d: int) -> Unbiased:
    """Return the guarantee of keeping each coordinate with probability T/d, divided by it (`urq-bernoulli`).

    Parameters
    ----------
    T : float
        Expected number of coordinates kept, in (0, d].
    d : int
        Dimension.

    Returns
    -------
    Unbiased
        Variance d/T - 1, for every v.

    Examples
    --------
    >>> uniform_sampling(T=25, d=100)
    Unbiased(variance=3.0)
    """
    d = check_count(d, "d")
    T = check_positive(T, "T", highest=d)
    return Unbiased(d / T - 1.0)


def optimal_sampling(T: float, d: int) -> Unbiased:
    """Return the guarantee of sampling with the probabilities of least variance (`urq-optimal`, `ss-optimal-p`).

    The uniform probabilities are feasible, and optimal at vectors with entries of equal magnitude: so the worst case is
    that of ``uniform_sampling``, and no unbiased sampling of T coordinates has a better one.

    Examples
    --------
    >>> optimal_sampling(T=25, d=100)
    Unbiased(variance=3.0)
    """
    return uniform_sampling(T, d)


def rand_k(k: int, d: int) -> Unbiased:
    """Return the guarantee of k coordinates drawn without replacement, multiplied by d/k (`urq-randk`).

    Examples
    --------
    >>> rand_k(k=1, d=3)
    Unbiased(variance=2.0)
    """
    d = check_count(d, "d")
    k = check_count(k, "k", highest=d)
    return Unbiased(d / k - 1.0)


def ternary(d: int, norm: str) -> Unbiased:
    """Return the guarantee of stochastic rounding to -s, 0, s (`urq-ternary-inf`, `urq-ternary-2`).

    Parameters
    ----------
    d : int
        Dimension.
    norm : {"max", "two"}
        The scale s: the largest magnitude, or the Euclidean norm.

    Returns
    -------
    Unbiased
        Variance (sqrt(d) - 1)/2 for "max", sqrt(d) - 1 for "two".

    Examples
    --------
    >>> ternary(d=9, norm="max"), ternary(d=9, norm="two")
    (Unbiased(variance=1.0), Unbiased(variance=2.0))
    """
    return qsgd(1, d, norm)


def qsgd(levels: int, d: int, norm: str) -> Unbiased:
    r"""Return the guarantee of stochastic rounding to multiples of s/levels (`urq-qsgd-2`, `urq-qsgd-inf`).

    Parameters
    ----------
    levels : int
        Number of positive levels.
    d : int
        Dimension.
    norm : {"two", "max"}
        The scale s: the Euclidean norm, or the largest magnitude.

    Returns
    -------
    Unbiased
        The exact supremum over v for both norms.

    Notes
    -----
    With ``u_j = levels |v_j| / s`` the relative variance is sum phi(u_j) / (levels^2 ||v||^2 / s^2), where
    phi(u) = {u}(1 - {u}) = max over integers m >= 0 of (u - m)(m + 1 - u).

    Norm "two": ||u|| = levels =: l. For given m_j, with h_j = m_j + 1/2 and M = ||h||^2, the sum is
    2 <h, u> - l^2 - M + d/4, largest at u parallel to h, where it is d/4 - (sqrt(M) - l)^2. Here M = d/4 + 2t, where t
    is a sum of d triangular numbers m(m+1)/2, which for d >= 3 is any integer t >= 0 (Gauss). So
    variance = (d/4 - min_t (sqrt(d/4 + 2t) - l)^2) / l^2, which is sqrt(d)/l - 1 if t = 0 is best, in particular for
    d >= 4 l^2, and never more than d/(4 l^2).

    Norm "max": (sqrt(1 + (d-1)/l^2) - 1)/2.

    Examples
    --------
    >>> qsgd(levels=2, d=16, norm="two")
    Unbiased(variance=1.0)
    >>> round(qsgd(levels=4, d=16, norm="two").variance, 6), 16 / (4 * 4**2)
    (0.25, 0.25)
    """
    levels = check_count(levels, "levels")
    d = check_count(d, "d")
    check_choice(norm, "norm", ("two", "max"))
    if norm == "max":
        return Unbiased((math.sqrt(1.0 + (d - 1) / levels**2) - 1.0) / 2.0)
    if d == 1:
        return Unbiased(0.0)
    if d >= 4 * levels**2:
        return Unbiased(math.sqrt(d) / levels - 1.0)
    gap = min(abs(math.sqrt(d / 4 + 2 * t) - levels) for t in _nearest_triangular_sums(levels**2 / 2 - d / 8, d))
    return Unbiased((d / 4 - gap**2) / levels**2)


def _nearest_triangular_sums(target: float, d: int) -> Sequence[int]:
    """Return the sums of d >= 2 triangular numbers nearest to a target >= 0, from below and from above."""
    below, above = math.floor(target), math.ceil(target)
    while not _is_triangular_sum(below, d):  # 0 is one
        below -= 1
    while not _is_triangular_sum(above, d):
        above += 1
    return below, above


def _is_triangular_sum(t: int, d: int) -> bool:
    """Say whether t is a sum of d >= 2 triangular numbers: always if d >= 3 (Gauss)."""
    if d >= 3:
        return True
    # t = m(m+1)/2 + n(n+1)/2 with m >= n; a number r is triangular exactly if 8r + 1 is a square.
    candidates = range(math.isqrt(2 * t) + 1)
    return any(math.isqrt(8 * r + 1) ** 2 == 8 * r + 1 for n in candidates if (r := t - n * (n + 1) // 2) >= 0)


def natural() -> Unbiased:
    """Return the guarantee of stochastic rounding to powers of two (`urq-natural`).

    For |v_j| = 2^a t with t in [1, 2] the relative variance is (t - 1)(2 - t)/t^2, largest at t = 4/3.

    Examples
    --------
    >>> natural()
    Unbiased(variance=0.125)
    """
    return Unbiased(0.125)


def top_k(k: int, d: int) -> Contractive:
    """Return the guarantee of keeping the k largest magnitudes (`det-topk`).

    Examples
    --------
    >>> top_k(k=1, d=4)
    Contractive(delta=0.25)
    """
    d = check_count(d, "d")
    k = check_count(k, "k", highest=d)
    return Contractive(k / d, projection=True)


def scaled_sign(k: int, d: int) -> Contractive:
    """Return the guarantee of the signs of the k largest magnitudes times their mean magnitude (`beta-profile`).

    The contraction at v is beta(k) = (sum of the k largest magnitudes)^2 / (k ||v||^2); its infimum is min(1/k, k/d).

    Examples
    --------
    >>> scaled_sign(k=10, d=100)
    Contractive(delta=0.1)
    """
    d = check_count(d, "d")
    k = check_count(k, "k", highest=d)
    return Contractive(min(1 / k, k / d), projection=True)


def sign(d: int) -> Contractive:
    """Return the guarantee of all signs times the mean magnitude (`det-sign`).

    Examples
    --------
    >>> sign(d=4)
    Contractive(delta=0.25)
    """
    d = check_count(d, "d")
    return Contractive(1 / d, projection=True)


def hard_threshold(magnitude_threshold: float, d: int) -> Absolute:
    """Return the guarantee of keeping the magnitudes of at least a threshold (`det-threshold`).

    Examples
    --------
    >>> hard_threshold(magnitude_threshold=0.1, d=100)
    Absolute(error=1.0)
    """
    magnitude_threshold = check_positive(magnitude_threshold, "magnitude_threshold")
    d = check_count(d, "d")
    return Absolute(magnitude_threshold * math.sqrt(d))


# ---- composition ----


def compose_unbiased(outer: Unbiased, inner: Unbiased) -> Unbiased:
    """Return the guarantee of one unbiased compressor applied to the output of another, independently.

    Tower property: the second moments multiply.

    Examples
    --------
    >>> compose_unbiased(Unbiased(1.0), Unbiased(0.5))
    Unbiased(variance=2.0)
    """
    return Unbiased(outer.second_moment * inner.second_moment - 1.0)


def compose_average(compressor: Unbiased, copies: int) -> Unbiased:
    """Return the guarantee of the mean of independent copies: variances add.

    Examples
    --------
    >>> compose_average(Unbiased(3.0), copies=6)
    Unbiased(variance=0.5)
    """
    copies = check_count(copies, "copies")
    return Unbiased(compressor.variance / copies)


def compose_blocks(blocks: Sequence[CompressionClass]) -> CompressionClass:
    """Return the guarantee of compressing the blocks of a vector separately.

    Squared errors of blocks add: the worst block decides a relative constant, absolute errors add in squares.

    Raises
    ------
    TypeError
        If the blocks are of different classes.
    ValueError
        If there is no block.

    Examples
    --------
    >>> compose_blocks([Contractive(0.5), Contractive(0.25)])
    Contractive(delta=0.25)
    """
    if not blocks:
        raise ValueError("blocks has length 0; accepted: one guarantee or more")
    unbiased = [block for block in blocks if isinstance(block, Unbiased)]
    contractive = [block for block in blocks if isinstance(block, Contractive)]
    absolute = [block for block in blocks if isinstance(block, Absolute)]
    if len(unbiased) == len(blocks):
        return Unbiased(max(block.variance for block in unbiased))
    if len(contractive) == len(blocks):
        projection = all(block.projection for block in contractive)
        return Contractive(min(block.delta for block in contractive), projection=projection)
    if len(absolute) == len(blocks):
        return Absolute(math.hypot(*(block.error for block in absolute)))
    raise TypeError(f"blocks are of the classes {sorted({type(b).__name__ for b in blocks})}; accepted: one class")


def compose_scale(compressor: Unbiased) -> Contractive:
    """Return the guarantee of an unbiased compressor divided by its second moment 1 + omega, the best factor.

    E ||a Q - v||^2 <= (a^2 (1 + omega) - 2a + 1) ||v||^2, least at a = 1/(1 + omega).

    Examples
    --------
    >>> compose_scale(Unbiased(3.0))
    Contractive(delta=0.25)
    """
    return Contractive(1.0 / compressor.second_moment)


def compose_unbiased_after_contractive(outer: Unbiased, inner: Contractive) -> Contractive:
    """Return the guarantee of Q(C(v)) / (1 + omega) for Q unbiased and C contractive, with independent coins.

    Examples
    --------
    >>> compose_unbiased_after_contractive(Unbiased(1.0), Contractive(0.5))
    Contractive(delta=0.25)
    """
    return Contractive(inner.delta / outer.second_moment)


def compose_unscaled(outer: Unbiased, inner: Contractive) -> Contractive:
    """Return the guarantee of Q(C(v)) for Q unbiased and C a projection: <C(v), v> = ||C(v)||^2, as top-k.

    E ||Q(C(v)) - v||^2 <= omega ||C(v)||^2 + ||v - C(v)||^2, and ||C(v)||^2 = ||v||^2 - ||v - C(v)||^2.

    Raises
    ------
    ValueError
        If C is no projection, or the variance of Q is 1 or more: then Q(C(v)) need not be contractive; divide it by
        1 + omega instead.

    Examples
    --------
    >>> compose_unscaled(Unbiased(0.125), Contractive(0.5, projection=True))
    Contractive(delta=0.4375)
    """
    if not inner.projection:
        raise ValueError("inner.projection = False; accepted: True, or use compose_unbiased_after_contractive")
    if outer.variance >= 1:
        raise ValueError(
            f"outer.variance = {outer.variance} is outside the accepted range [0, 1); "
            "compose_unbiased_after_contractive holds for every variance"
        )
    return Contractive(inner.delta * (1.0 - outer.variance))


def compose_induced(compressor: Unbiased, inner: Contractive) -> Unbiased:
    """Return the guarantee of C(v) + Q(v - C(v)) for C contractive and Q unbiased.

    Examples
    --------
    >>> compose_induced(Unbiased(3.0), Contractive(0.5))
    Unbiased(variance=1.5)
    """
    return Unbiased(compressor.variance * (1.0 - inner.delta))


def compose_permk(squared_norms: Sequence[float], squared_norm_of_mean: float) -> float:
    """Return E ||mean of messages - mean of vectors||^2 for PermK: exactly mean ||v_i||^2 - ||mean v_i||^2.

    n workers cut the d = q n coordinates into n equal blocks uniformly at random; worker i sends its block times n.
    Coordinate l of the mean of the messages is then v_{i,l} for one worker i, uniform over the workers.

    Parameters
    ----------
    squared_norms : sequence of float
        ||v_i||^2 for each worker.
    squared_norm_of_mean : float
        ||mean of the v_i||^2.

    Raises
    ------
    ValueError
        If no v_i have these norms: the mean cannot be longer than the root mean square.

    Examples
    --------
    >>> compose_permk([1.0, 1.0], 0.5), compose_permk([1.0, 1.0], 1.0)
    (0.5, 0.0)
    """
    if not squared_norms:
        raise ValueError("squared_norms has length 0; accepted: one number for each worker")
    for squared_norm in squared_norms:
        check_non_negative(squared_norm, "squared_norms")
    squared_norm_of_mean = check_non_negative(squared_norm_of_mean, "squared_norm_of_mean")
    mean = math.fsum(squared_norms) / len(squared_norms)
    if squared_norm_of_mean > mean * (1 + 1e-12):  # rounding of the caller's norms
        raise ValueError(f"squared_norm_of_mean = {squared_norm_of_mean} is outside the accepted range [0, {mean}]")
    return max(mean - squared_norm_of_mean, 0.0)


# ---- bits of one message ----


def sign_bits(d: int, float_bits: int = 32) -> int:
    """Return the bits of d signs and one scale.

    Examples
    --------
    >>> sign_bits(d=100)
    132
    """
    d = check_count(d, "d")
    float_bits = check_count(float_bits, "float_bits")
    return float_bits + d


def ternary_bits(d: int, float_bits: int = 32) -> int:
    """Return the bits of d trits, five in a byte, and one scale.

    Examples
    --------
    >>> ternary_bits(d=100)
    192
    """
    d = check_count(d, "d")
    float_bits = check_count(float_bits, "float_bits")
    return float_bits + 8 * math.ceil(d / 5)


def qsgd_bits(levels: int, d: int, float_bits: int = 32) -> int:
    """Return the bits of d signed levels, written as one integer in base 2 levels + 1, and one scale.

    Examples
    --------
    >>> qsgd_bits(levels=4, d=100)
    349
    """
    levels = check_count(levels, "levels")
    d = check_count(d, "d")
    float_bits = check_count(float_bits, "float_bits")
    return float_bits + math.ceil(d * math.log2(2 * levels + 1))


def natural_bits(d: int, float_bits: int = 32) -> int:
    """Return the bits of d signs and exponents: 9 an entry for 32-bit numbers, 12 for 64-bit numbers.

    Examples
    --------
    >>> natural_bits(d=100), natural_bits(d=100, float_bits=64)
    (900, 1200)
    """
    d = check_count(d, "d")
    if float_bits not in (32, 64):
        raise ValueError(f"float_bits = {float_bits} is outside the accepted range 32, 64")
    return d * {32: 9, 64: 12}[float_bits]
