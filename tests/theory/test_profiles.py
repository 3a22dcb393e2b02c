"""Statements about sorted vectors and prices: exact on all small integer vectors, and on drawn ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from taciturn.theory import theorem
from taciturn.theory.communication import entropy_index_bits, index_bits, rice_bits
from taciturn.theory.special import NUMERIC

Magnitudes = tuple[int, ...]

SMALL: list[Magnitudes] = [
    magnitudes[::-1]
    for d in range(1, 6)
    for magnitudes in itertools.combinations_with_replacement(range(4), d)
    if any(magnitudes)
]
"""All sorted vectors of up to five magnitudes 0..3, but for zero vectors: every pattern of ties and zeros."""

DRAWN = st.lists(st.integers(0, 10**4), min_size=1, max_size=30).filter(any).map(lambda m: tuple(sorted(m)[::-1]))
"""Sorted magnitudes of up to 30 entries."""


def _sums(magnitudes: Magnitudes) -> tuple[list[int], list[int]]:
    """A_T and B_T for T = 1..d."""
    return list(itertools.accumulate(b * b for b in magnitudes)), list(itertools.accumulate(magnitudes))


def _counts(d: int) -> NDArray[np.int64]:
    return np.arange(1, d + 1)


def _floats(numbers: list[Fraction]) -> NDArray[np.float64]:
    return np.array([float(number) for number in numbers])


def _alpha(magnitudes: Magnitudes) -> list[Fraction]:
    energy, _ = _sums(magnitudes)
    return [Fraction(part, energy[-1]) for part in energy]


def _beta(magnitudes: Magnitudes) -> list[Fraction]:
    energy, mass = _sums(magnitudes)
    return [Fraction(part * part, T * energy[-1]) for T, part in enumerate(mass, 1)]


def _omega(magnitudes: Magnitudes, T: int) -> Fraction:
    """|g|^2/V(T) by the formula of ss-optimal-p: the m clipped entries are the fewest with b_{m+1} <= t_m."""
    energy, mass = _sums(magnitudes)
    if np.count_nonzero(magnitudes) <= T:
        return Fraction(1)
    for m in range(T):
        rest = mass[-1] - (mass[m - 1] if m else 0)
        if magnitudes[m] * (T - m) <= rest:
            return energy[-1] / (Fraction(rest * rest, T - m) + (energy[m - 1] if m else 0))
    raise AssertionError("no number of clipped entries fits")


def _check_alpha(magnitudes: Magnitudes) -> None:
    alpha, d, nnz = _alpha(magnitudes), len(magnitudes), int(np.count_nonzero(magnitudes))
    energy, mass = _sums(magnitudes)
    s = Fraction(mass[-1] ** 2, energy[-1])
    increments = [after - before for before, after in itertools.pairwise([Fraction(0), *alpha])]
    for T in range(1, d + 1):
        a = alpha[T - 1]
        assert (increments[T - 1] > 0) == (nnz >= T)
        assert (a == 1) == (nnz <= T)
        assert a >= min(1, Fraction(T, nnz)) >= Fraction(T, d)
        assert a <= min(1, Fraction(T * magnitudes[0] ** 2, energy[-1]))
        assert a >= 1 - s / (4 * T)
        if d > T:
            assert increments[T] <= increments[T - 1]
            assert (a == Fraction(T, d)) == (len(set(magnitudes)) == 1)
    stated = theorem("alpha-profile").evaluate(d=d, T=_counts(d), effective_sparsity=float(s)).decrease
    assert np.all(stated <= _floats(alpha) * (1 + 1e-12))
    for T in range(1, min(d, 6)):
        subsets = itertools.combinations(magnitudes, T)
        assert max(sum(b * b for b in subset) for subset in subsets) == energy[T - 1]


def test_alpha_profile() -> None:
    """Dossier 1.3, items 1 to 6."""
    for magnitudes in SMALL:
        _check_alpha(magnitudes)
    # Both lower bounds are attained.
    assert theorem("alpha-profile").evaluate(d=4, T=3, effective_sparsity=4).decrease == 0.75
    assert _alpha((1, 1, 1, 1))[2] == 0.75
    assert theorem("alpha-profile").evaluate(d=100, T=3, effective_sparsity=6).decrease == 0.5
    assert _alpha((1,) * 6 + (0,) * 94)[2] == 0.5


@given(DRAWN.filter(lambda magnitudes: len(magnitudes) < 12))
def test_alpha_profile_of_drawn_vectors(magnitudes: Magnitudes) -> None:
    _check_alpha(magnitudes)


def _check_beta(magnitudes: Magnitudes) -> None:
    alpha, beta, d = _alpha(magnitudes), _beta(magnitudes), len(magnitudes)
    for T in range(1, d + 1):
        assert alpha[T - 1] / T <= beta[T - 1] <= alpha[T - 1]
        assert beta[T - 1] >= min(Fraction(1, T), Fraction(T, d))
    assert np.all(theorem("beta-profile").evaluate(d=d, T=_counts(d)).decrease <= _floats(beta) * (1 + 1e-12))


def test_beta_profile() -> None:
    """Dossier 2.3: the bounds, the worst vectors, and that beta is not unimodal."""
    for magnitudes in SMALL:
        _check_beta(magnitudes)
    for d, T in ((7, 1), (7, 2), (7, 3), (9, 3), (7, 7)):
        flat = [_beta((1,) * m + (0,) * (d - m))[T - 1] for m in range(1, d + 1)]
        assert min(flat) == min(Fraction(1, T), Fraction(T, d))
        assert theorem("beta-profile").evaluate(d=d, T=T).decrease == pytest.approx(float(min(flat)))
    beta = _beta((20,) + (1,) * 200)
    assert [round(float(beta[T - 1]), 3) for T in (1, 20, 201)] == [0.667, 0.127, 0.401]


@given(DRAWN)
def test_beta_profile_of_drawn_vectors(magnitudes: Magnitudes) -> None:
    _check_beta(magnitudes)


@given(DRAWN)
def test_beta_adaptive_of_drawn_vectors(magnitudes: Magnitudes) -> None:
    assert theorem("beta-adaptive").evaluate(d=len(magnitudes)).decrease <= float(max(_beta(magnitudes))) * (1 + 1e-12)


def _harmonic(n: int) -> float:
    return sum(1 / j for j in range(1, n + 1))


def test_beta_adaptive() -> None:
    """Dossier 2.4: the bound, its worst vector, and the size of h_d."""
    for magnitudes in SMALL:
        assert theorem("beta-adaptive").evaluate(d=len(magnitudes)).decrease <= float(max(_beta(magnitudes))) + 1e-12
    for d in (1, 2, 3, 10, 200):
        worst = np.diff(np.sqrt(np.arange(d + 1)))
        beta = np.cumsum(worst) ** 2 / (np.arange(1, d + 1) * np.sum(worst**2))
        bound = theorem("beta-adaptive").evaluate(d=d).decrease
        np.testing.assert_allclose(beta, bound, rtol=1e-12)
        assert 1 / bound <= 1 + _harmonic(d - 1) / 4 + 1e-12


def _check_dynamic(magnitudes: Magnitudes) -> None:
    energy, mass = _sums(magnitudes)
    d = len(magnitudes)
    T = next(T for T, part in enumerate(mass, 1) if part * part >= energy[-1])
    beta = _beta(magnitudes)[T - 1]
    assert math.isqrt(d - 1) + 1 >= T  # the ceiling of the root of d
    assert (T == 1) == (np.count_nonzero(magnitudes) == 1)
    assert beta >= Fraction(1, T)
    if T >= 2:
        assert beta < Fraction(T, (T - 1) ** 2)
    constants = {"L": 2.0, "mu": 0.1, "d": d}
    stated = theorem("dynamic-T").evaluate(**constants, T=T)
    assert stated.decrease <= float(beta) * (1 + 1e-12)
    assert stated.step_size == pytest.approx(1 / (2 * T))
    assert theorem("dynamic-T").evaluate(**constants).decrease <= stated.decrease


def test_dynamic_rule() -> None:
    """Dossier 6: the size of T, and what it keeps; a flat vector of length T^2 attains 1/T."""
    for magnitudes in SMALL:
        _check_dynamic(magnitudes)
    assert _beta((1,) * 9)[2] == Fraction(1, 3)


@given(DRAWN)
def test_dynamic_rule_on_drawn_vectors(magnitudes: Magnitudes) -> None:
    _check_dynamic(magnitudes)


def _check_order(magnitudes: Magnitudes) -> None:
    alpha, beta, d = _alpha(magnitudes), _beta(magnitudes), len(magnitudes)
    nnz = int(np.count_nonzero(magnitudes))
    omega = [_omega(magnitudes, T) for T in range(1, d + 1)]
    for T in range(1, d + 1):
        assert omega[T - 1] <= alpha[T - 1]
        if T * magnitudes[0] <= sum(magnitudes):
            assert omega[T - 1] <= beta[T - 1]
    stated = theorem("ss-omega-profile").evaluate(nnz=nnz, T=_counts(nnz)).decrease
    assert np.all(stated <= _floats(omega[:nnz]) * (1 + 1e-12))


def test_order_of_schemes() -> None:
    """Dossier 3.4: SS keeps at most what S keeps, and below the clipping at most what S+Q keeps."""
    for magnitudes in SMALL:
        _check_order(magnitudes)
    # With clipping SS can keep more than S+Q.
    assert _omega((20, 1, 1), 2) > _beta((20, 1, 1))[1]


@given(DRAWN)
def test_order_of_schemes_on_drawn_vectors(magnitudes: Magnitudes) -> None:
    _check_order(magnitudes)


def _best(numerator: list[Fraction], price: list[int]) -> int:
    """The largest maximiser."""
    efficiency = [part / cost for part, cost in zip(numerator, price, strict=True)]
    return max(T for T, value in enumerate(efficiency, 1) if value == max(efficiency))


@given(
    DRAWN,
    st.integers(0, 3000),
    st.integers(0, 500),
    st.lists(st.integers(0, 12), min_size=30, max_size=30),
    st.integers(1, 20),
)
def test_entropy_coding_sends_more_entries(
    magnitudes: Magnitudes, c0: int, value: int, shares: list[int], index: int
) -> None:
    """Dossier 8.3: for every concave index code below the plain one, and for any numerator (prices in bits/12)."""
    d = len(magnitudes)
    # Increments that do not increase, none above the plain one, make the code concave and cheaper.
    code = list(itertools.accumulate(index * share for share in sorted(shares[:d], reverse=True)))
    # One more, so that no price is zero.
    plain = [1 + c0 + value * T + 12 * index * T for T in range(1, d + 1)]
    better = [1 + c0 + value * T + bits for T, bits in enumerate(code, 1)]
    for numerator in (_alpha(magnitudes), _beta(magnitudes)):
        assert _best(numerator, better) >= _best(numerator, plain)


@pytest.mark.parametrize("d", [1, 2, 9, 40, 1000])
def test_the_information_limit_is_such_a_code(d: int) -> None:
    T = np.arange(d + 1)
    bits = entropy_index_bits(T, d)

    assert bits[0] == 0
    assert np.all(np.diff(bits, 2) <= 1e-9)
    assert np.all(bits <= index_bits(d) * T + 1e-9)


def test_the_efficiency_under_the_information_limit_is_not_unimodal() -> None:
    """Dossier 8.3: d = 64, one entry 8, 63 entries 1, c0 = 2, one bit a value."""
    T = np.arange(1, 65)
    energy = 64.0 + np.arange(64)
    efficiency = energy / (2 + T + entropy_index_bits(T, 64))

    assert efficiency[[0, 19, 63]] == pytest.approx([7.1, 1.1, 1.9], abs=0.06)


def _subsets(d: int) -> Iterator[tuple[int, ...]]:
    for T in range(1, d + 1):
        yield from itertools.combinations(range(d), T)


def _rice_coded(indices: tuple[int, ...], d: int) -> int:
    """Bits of the gaps by the formula of the statement, in integers."""
    c = next(c for c in range(64) if len(indices) << c >= d)  # the ceiling of log2(d/T)
    gaps = [after - before for before, after in itertools.pairwise([-1, *indices])]
    return sum(((gap - 1) >> c) + 1 + c for gap in gaps)


@pytest.mark.parametrize("d", range(1, 12))
def test_rice_bound(d: int) -> None:
    """Dossier 8.3, for all index sets."""
    stated = theorem("rice-bound").evaluate(d=d, T=np.arange(1, d + 1)).value
    for indices in _subsets(d):
        bits = _rice_coded(indices, d)
        assert bits == rice_bits(np.array(indices), d)
        assert bits <= stated[len(indices) - 1]


@given(st.sets(st.integers(0, 10**6 - 1), min_size=1, max_size=200), st.integers(10**6, 2**40))
def test_rice_bound_of_drawn_sets(chosen: set[int], d: int) -> None:
    indices = tuple(sorted(chosen))
    last = (*indices[:-1], d - 1)  # a gap as long as can be

    for subset in (indices, last):
        assert _rice_coded(subset, d) <= theorem("rice-bound").evaluate(d=d, T=len(subset)).value


@pytest.mark.parametrize(("c0", "c1"), [(0, 1), (7, 2), (560, 17), (Fraction(1, 3), 5)])
def test_best_efficiency_of_quantised_messages(c0: Fraction, c1: Fraction) -> None:
    """Dossier 5.6: max_T beta/C >= 1/w, the vector that attains it, and the size of w."""
    for magnitudes in SMALL:
        w = float(NUMERIC["affine_increments"](len(magnitudes), float(c0), float(c1)))
        best = max(beta / (c0 + c1 * T) for T, beta in enumerate(_beta(magnitudes), 1))
        assert float(best) * w >= 1 - 1e-12
    for d in (1, 2, 10, 300):
        T = np.arange(d + 1)
        worst = np.diff(np.sqrt(float(c0) * T + float(c1) * T**2))
        w = float(NUMERIC["affine_increments"](d, float(c0), float(c1)))
        beta = np.cumsum(worst) ** 2 / (T[1:] * np.sum(worst**2))
        np.testing.assert_allclose(beta / (float(c0) + float(c1) * T[1:]), 1 / w, rtol=1e-11)
        assert w <= float(c1) * d + float(c0) * (1 + _harmonic(d - 1) / 4) + 1e-9
        bits = theorem("cat-sq-bits").evaluate(L=10, mu=1, c0=float(c0), c1=float(c1), d=d, cost=3).bits(0.1, 1.0)
        assert bits == pytest.approx(w * 10 * math.log(10) + 3)


@given(DRAWN, st.fractions(0, 1000, max_denominator=9), st.fractions(Fraction(1, 9), 50, max_denominator=9))
def test_best_efficiency_on_drawn_vectors(magnitudes: Magnitudes, c0: Fraction, c1: Fraction) -> None:
    w = float(NUMERIC["affine_increments"](len(magnitudes), float(c0), float(c1)))
    best = max(beta / (c0 + c1 * T) for T, beta in enumerate(_beta(magnitudes), 1))

    assert float(best) * w >= 1 - 1e-12
