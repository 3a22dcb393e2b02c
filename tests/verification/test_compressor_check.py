from dataclasses import dataclass

import numpy as np
import pytest

from taciturn.solvers.compressors import (
    QSGD,
    Bernoulli,
    HardThreshold,
    Identity,
    Natural,
    RandK,
    ScaledSign,
    Sign,
    SystematicSampling,
    Ternary,
    TopK,
)
from taciturn.theory.compression import Absolute, Contractive, Unbiased
from taciturn.verification.compressor_check import check_compressor

D = 12
QUICK = {"d": D, "replicas": 3000, "search_steps": 25}

HONEST = (
    TopK(3),
    ScaledSign(3),
    ScaledSign(6),
    HardThreshold(0.6),
    Sign(),
    Identity(),
    RandK(3),
    Bernoulli(3),
    Bernoulli(2.5, "uniform"),
    SystematicSampling(3),
    Ternary(),
    Ternary("two"),
    QSGD(1),
    QSGD(3),
    QSGD(3, "max"),
    Natural(),
)


@pytest.mark.parametrize("compressor", HONEST, ids=repr)
def test_honest_compressors_pass_and_their_constants_are_attained(compressor):
    report = check_compressor(compressor, **QUICK)

    assert not report.violations
    if compressor != Identity():
        assert 0.95 < report.worst_share < 1.1


@pytest.mark.parametrize(
    "compressor", [ScaledSign(3), HardThreshold(0.6), Bernoulli(3), RandK(3), QSGD(3), Natural()], ids=repr
)
def test_honest_compressors_pass_in_single_precision(compressor):
    check_compressor(compressor, dtype=np.float32, **QUICK)


@pytest.mark.parametrize("compressor", [TopK(1), RandK(1), Sign(), QSGD(2), Natural()], ids=repr)
def test_honest_compressors_pass_in_one_dimension(compressor):
    check_compressor(compressor, **{**QUICK, "d": 1})


# ---- liars: each tells one lie, and the report must name it ----


@dataclass(frozen=True)
class LargerContraction(TopK):
    def guarantee(self, d):
        return Contractive(1.1 * self.k / d)


@dataclass(frozen=True)
class ContractionOfFlatVectors(ScaledSign):
    """k/d holds at flat vectors, but not at one large entry among small ones."""

    def guarantee(self, d):
        return Contractive(self.k / d)


@dataclass(frozen=True)
class NoProjection(TopK):
    """Contractive as it says, but too short to be a projection."""

    def __call__(self, v, rng=None):
        return super().__call__(v) / 2

    def guarantee(self, d):
        return Contractive(0.5 * self.k / d, projection=True)


@dataclass(frozen=True)
class VarianceOfGaussianVectors(Ternary):
    """The variance at Gaussian vectors, a fifth below the worst."""

    def guarantee(self, d):
        return Unbiased(0.8 * super().guarantee(d).variance)


@dataclass(frozen=True)
class SmallerLevels(QSGD):
    def guarantee(self, d):
        return Unbiased(0.85 * super().guarantee(d).variance)


@dataclass(frozen=True)
class SmallerThreshold(HardThreshold):
    def guarantee(self, d):
        return Absolute(0.9 * super().guarantee(d).error)


@dataclass(frozen=True)
class NotRescaled(RandK):
    """Its error is below that of RandK, but it is biased."""

    def __call__(self, v, rng=None):
        return super().__call__(v, rng) * (self.k / v.shape[-1])


@dataclass(frozen=True)
class RoundToNearest(Natural):
    """Biased; the error of rounding at random is an upper bound of its own."""

    def __call__(self, v, rng=None):
        exponent = np.where(v != 0, np.floor(np.log2(np.abs(np.where(v != 0, v, 1)) * (4 / 3))), 0)
        return np.sign(v) * np.exp2(exponent).astype(v.dtype)


@dataclass(frozen=True)
class ShrunkByAFifth(Bernoulli):
    def __call__(self, v, rng=None):
        return super().__call__(v, rng) * v.dtype.type(0.8)


@dataclass(frozen=True)
class MoreThanK(TopK):
    """Keeps all ties."""

    def __call__(self, v, rng=None):
        magnitudes = np.abs(v)
        return np.where(magnitudes >= np.sort(magnitudes, axis=-1)[..., [-self.k]], v, 0)


@dataclass(frozen=True)
class Overflowing(QSGD):
    """Squares before it scales; what is not a number counts as zero."""

    def __call__(self, v, rng=None):
        with np.errstate(all="ignore"):
            norm = np.sqrt(np.sum(v * v, axis=-1, keepdims=True))
            u = self.levels * np.abs(v) / norm
            return np.nan_to_num(np.sign(v) * np.floor(u + rng.uniform(v.shape, v)) * norm / self.levels)


@dataclass(frozen=True)
class DividesByZero(Sign):
    def __call__(self, v, rng=None):
        with np.errstate(all="ignore"):
            return super().__call__(v) * (v / v)


@dataclass(frozen=True)
class InPlace(TopK):
    def __call__(self, v, rng=None):
        v[...] = super().__call__(v)
        return v


@dataclass(frozen=True)
class Single(TopK):
    def __call__(self, v, rng=None):
        return super().__call__(v / np.max(np.abs(v))).astype(np.float32)


@dataclass(frozen=True)
class HiddenState(TopK):
    def __call__(self, v, rng=None):
        return super().__call__(v) * (1 + 1e-9 * np.random.default_rng().random())


@dataclass(frozen=True)
class CutsTheBatch(TopK):
    """One magnitude for all vectors of a batch: the smallest that one of them keeps."""

    def __call__(self, v, rng=None):
        kept = super().__call__(v)
        return np.where(np.abs(v) >= np.min(np.abs(kept), where=kept != 0, initial=np.inf), v, 0)


@dataclass(frozen=True)
class Halved(Identity):
    """Without coins, and of error 1/4, yet biased."""

    def __call__(self, v, rng=None):
        return 0.5 * v

    def guarantee(self, d):
        return Unbiased(0.25)


@dataclass(frozen=True)
class EveryDimension(LargerContraction):
    """Its guarantee does not say that it needs k entries."""

    def guarantee(self, d):
        return Contractive(min(1.0, 1.1 * self.k / d))


@dataclass(frozen=True)
class SharedCoins(RandK):
    """All vectors of the batch get the coins of the first."""

    def __call__(self, v, rng=None):
        mask = super().__call__(np.ones(v.shape[-1]), rng)
        return (v * mask).astype(v.dtype)


@dataclass(frozen=True)
class LosesASign(TopK):
    def decode(self, message):
        return np.abs(super().decode(message))


@dataclass(frozen=True)
class FreeMessages(TopK):
    def bits(self, message):
        return 0 * super().bits(message)


@dataclass(frozen=True)
class TooFewBits(TopK):
    """4000 random vectors have fewer than 2^13 different messages, but no 2^14 vectors come so close to all others."""

    def bits(self, message):
        return 0 * super().bits(message) + 13


@dataclass(frozen=True)
class FractionsOfBits(TopK):
    def bits(self, message):
        return super().bits(message) / 8


@dataclass(frozen=True)
class FewerEntries(Bernoulli):
    def declared_moments(self, v):
        moments = super().declared_moments(v)
        return type(moments)(moments.mean, moments.second_moment, moments.error, moments.nonzeros * 0.8)


@dataclass(frozen=True)
class SmallerError(Natural):
    def declared_moments(self, v):
        moments = super().declared_moments(v)
        return type(moments)(moments.mean, moments.second_moment, moments.error * 0.8, moments.nonzeros)


LIES = [
    (LargerContraction(3), r"VIOLATED: E \|\|C\(v\) - v\|\|\^2 / \|\|v\|\|\^2 <= 0.725"),
    (ContractionOfFlatVectors(6), r"VIOLATED: E \|\|C\(v\) - v\|\|\^2 / \|\|v\|\|\^2 <= 0.5"),
    (NoProjection(3), r"VIOLATED: \|<v, C\(v\)> - \|\|C\(v\)\|\|\^2\| / \|\|v\|\|\^2 = 0"),
    (VarianceOfGaussianVectors(), r"VIOLATED: E \|\|C\(v\) - v\|\|\^2 / \|\|v\|\|\^2 <= 0.98.*worst vector found"),
    (SmallerLevels(3, "max"), r"VIOLATED: E \|\|C\(v\) - v\|\|\^2 / \|\|v\|\|\^2 <= .*worst vector found"),
    (SmallerThreshold(0.6), r"VIOLATED: E \|\|C\(v\) - v\|\|\^2 / \|\|v\|\|\^2 <= .*worst vector found"),
    (NotRescaled(3), r"VIOLATED: <E C\(v\), v> / \|\|v\|\|\^2 = 1; measured 0.25"),
    (RoundToNearest(), r"VIOLATED: \(E C\(v\) - v\)_\d+ / \|\|v\|\| = 0"),
    (ShrunkByAFifth(3), r"VIOLATED: <E C\(v\), v> / \|\|v\|\|\^2 = 1; measured 0.8"),
    (MoreThanK(3), r"VIOLATED: E number of non-zeros = 3; measured 12 .* at flat"),
    (Overflowing(3), r"VIOLATED: <E C\(v\), v> / \|\|v\|\|\^2 = 1; measured 0 .* at huge"),
    (DividesByZero(), "answers with NaN or infinity"),
    (InPlace(3), "modifies its argument"),
    (Single(3), "answers float64 with float32"),
    (HiddenState(3), "VIOLATED: no stream changes the answer"),
    (CutsTheBatch(3), "VIOLATED: no other vector of a batch changes the answer"),
    (Halved(), r"VIOLATED: <E C\(v\), v> / \|\|v\|\|\^2 = 1; measured 0.5"),
    (EveryDimension(3), r"VIOLATED: E \|\|C\(v\) - v\|\|\^2 / \|\|v\|\|\^2 <= 0.725"),
    (SharedCoins(3), r"VIOLATED: \(E C\(v\) - v\)_\d+ / \|\|v\|\| = 0"),
    (LosesASign(3), r"VIOLATED: decode\(encode\(v\)\) = C\(v\)"),
    (FreeMessages(3), "VIOLATED: 0 bits tell apart what they carry"),
    (TooFewBits(6), "VIOLATED: with at most 13 bits the mean error in the unit ball"),
    (FractionsOfBits(3), r"VIOLATED: bits\(message\) counts the bits of each message"),
    (FewerEntries(3), "VIOLATED: E number of non-zeros = 2.4"),
    (SmallerError(), r"VIOLATED: E \|\|C\(v\) - v\|\|\^2 / \|\|v\|\|\^2 = 0.1;"),
]


@pytest.mark.parametrize(("liar", "lie"), LIES, ids=[type(liar).__name__ for liar, _ in LIES])
def test_liars_are_caught(liar, lie):
    with pytest.raises(AssertionError, match=lie):
        check_compressor(liar, **QUICK)


def test_a_lie_is_found_by_the_search_alone():
    """Without it, no structured vector refutes this constant."""
    liar = SmallerLevels(3, "max")

    check_compressor(liar, **{**QUICK, "search_steps": 0})
    with pytest.raises(AssertionError, match="the worst vector found"):
        check_compressor(liar, **QUICK)


# ---- the least that a compressor of one's own needs ----


class Halve:
    """C(v) = v/2: contractive with delta = 3/4."""

    def __init__(self, delta):
        self.delta = delta

    def __repr__(self):
        return f"Halve({self.delta})"

    def __call__(self, v, rng):
        return v / 2

    def guarantee(self, d):
        return Contractive(self.delta)


def test_a_call_and_a_guarantee_are_enough():
    report = check_compressor(Halve(0.75), d=3, replicas=100)

    assert report.worst_share == pytest.approx(1.0)
    with pytest.raises(AssertionError, match=r"Halve\(0.8\) claims Contractive\(delta=0.8\)"):
        check_compressor(Halve(0.8), d=3, replicas=100)


def test_equal_seeds_give_equal_reports():
    first, second = (check_compressor(Ternary(), seed=3, **QUICK) for _ in range(2))

    assert first.findings == second.findings
    assert str(first) == str(second)
    assert str(first).startswith("Ternary(norm='max') claims Unbiased(variance=")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"d": 0}, "d = 0"),
        ({"replicas": 1}, "replicas = 1"),
        ({"search_steps": -1}, "search_steps = -1"),
        ({"failure_probability": 0.0}, "failure_probability = 0.0"),
        ({"failure_probability": 2.0}, "failure_probability = 2.0"),
    ],
)
def test_arguments_out_of_range(arguments, text):
    with pytest.raises(ValueError, match=text):
        check_compressor(Sign(), **arguments)


def test_a_compressor_for_more_dimensions_is_not_asked_for_fewer():
    report = check_compressor(TopK(3), **QUICK)

    assert not any("d = 1" in finding.vector for finding in report.findings)
    assert any("d = 1" in finding.vector for finding in check_compressor(Sign(), **QUICK).findings)
