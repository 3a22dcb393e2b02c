"""The explicit instances of chapter 1, replayed in rational arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from taciturn.theory import theorem

Vector = list[Fraction]


def _vector(entries: Sequence[object]) -> Vector:
    return [Fraction(str(entry)) for entry in entries]


def _square(v: Vector) -> Fraction:
    return sum((entry * entry for entry in v), Fraction(0))


def _top(v: Vector, T: int) -> Vector:
    order = sorted(range(len(v)), key=lambda j: (-abs(v[j]), j))
    return [v[j] if j in order[:T] else Fraction(0) for j in range(len(v))]


def _tuned(v: Vector, c0: Fraction, c1: Fraction) -> int:
    """The largest maximiser of A_T / (c0 + c1 T)."""
    squares = sorted((entry * entry for entry in v), reverse=True)
    efficiency = [sum(squares[:T]) / (c0 + c1 * T) for T in range(1, len(v) + 1)]
    return max(T for T, value in enumerate(efficiency, 1) if value == max(efficiency))


@pytest.mark.parametrize(("d", "T", "condition"), [(12, 3, 20), (5, 1, 8), (16, 4, 5), (4, 4, 10), (7, 3, 6)])
def test_worst_case_lower_is_attained(d: int, T: int, condition: int) -> None:
    """Dossier 1.9: entries not yet reduced come first, each visit multiplies by 1 - m, so the count is exact."""
    m = Fraction(1, condition)
    guarantee = theorem("topT-worst-case-lower").evaluate(L=1.0, mu=1 / condition, d=d, T=T)
    x, iterations, initial = _vector([1] * d), 0, Fraction(d) * m / 2
    targets = [Fraction(99, 100), Fraction(9, 10), Fraction(1, 2), Fraction(1, 10), Fraction(1, 300)]
    while targets:
        while targets and _square(x) <= targets[0] * d:
            assert iterations == guarantee.iterations(float(targets.pop(0) * initial), float(initial))
        x = [entry - m * sent for entry, sent in zip(x, _top(x, T), strict=True)]
        iterations += 1
        visits, ahead = divmod(iterations * T, d)
        assert sorted(x) == [(1 - m) ** (visits + 1)] * ahead + [(1 - m) ** visits] * (d - ahead)


@pytest.mark.parametrize(("d", "T", "condition", "share"), [(12, 3, 20, 0.488), (20, 1, 50, 0.495), (16, 4, 5, 0.449)])
def test_worst_case_is_half_of_the_upper_bound(d: int, T: int, condition: int, share: float) -> None:
    """Dossier 1.9; the upper bound is d/T kappa ln(1/eps)."""
    constants = {"L": 1.0, "mu": 1 / condition}
    eps = 1e-12
    needed = theorem("topT-worst-case-lower").evaluate(**constants, d=d, T=T).iterations(eps, 1.0)
    enough = theorem("topT-pl-rate").evaluate(**constants, alpha=T / d).iterations(eps, 1.0)

    assert needed <= enough
    assert needed / (d / T * condition * 27.631) == pytest.approx(share, abs=2e-3)


@pytest.mark.parametrize(
    ("start", "average", "mean", "claim"),
    [
        ([1, 1], Fraction(3, 2), "arithmetic", Fraction(4, 3)),
        ([1, 1, "0.1"], Fraction(101, 100), "harmonic", Fraction(201 * 402, 100 * 900)),
    ],
)
def test_mean_validity_counterexamples(start: list[object], average: Fraction, mean: str, claim: Fraction) -> None:
    """Dossier 1.8: F = |x|^2/2, T = 1: the smallest alpha is a valid mean, the arithmetic and harmonic ones are not."""
    x, squares, shares = _vector(start), [], []
    initial = _square(x) / 2
    while any(x):
        sent = _top(x, 1)
        squares.append(_square(x))
        shares.append(_square(sent) / _square(x))
        x = [entry - part for entry, part in zip(x, sent, strict=True)]
    K = len(squares)
    means = {"arithmetic": sum(shares) / K, "harmonic": K / sum(1 / share for share in shares)}

    assert sum(squares) / K == average
    assert 2 * initial / (K * means[mean]) == claim < average
    valid = theorem("mean-validity").evaluate(L=1.0, alpha_min=float(min(shares))).bound(K, float(initial))
    assert valid == pytest.approx(float(2 * initial / (K * min(shares))))
    assert average <= valid


_V = ([-3, 2, 2], [2, -3, 2], [2, 2, -3])


@pytest.mark.parametrize("step_size", [Fraction(1, 1000), Fraction(1, 7), Fraction(1), Fraction(12)])
def test_local_tuning_diverges(step_size: Fraction) -> None:
    """Dossier 5.11: as long as 81 c0 < 40 c1 every worker sends its own first entry, which has the wrong sign."""
    c0, c1 = Fraction(40, 81) - Fraction(1, 10**6), Fraction(1)
    x = _vector([2, 2, 2])
    bound = theorem("mn-divergence").evaluate(step_size=float(step_size)).bound
    for k in range(1, 9):
        sent = []
        for v in _V:
            product = sum(a * b for a, b in zip(v, x, strict=True))
            g = [2 * product * a + b / 2 for a, b in zip(v, x, strict=True)]
            assert _tuned(g, c0, c1) == 1
            sent.append(_top(g, 1))
        x = [x[j] - step_size * sum(q[j] for q in sent) / 3 for j in range(3)]
        assert x == [2 * (1 + Fraction(11, 6) * step_size) ** k] * 3
        assert float(x[0]) == pytest.approx(bound(k, 2.0), rel=1e-12)


def test_more_overhead_avoids_the_divergence_at_first() -> None:
    """The condition 81 c0 < 40 c1 is exact: with equality two and three entries are as good as one."""
    g = _vector([-11, 9, 9])

    assert _tuned(g, Fraction(40), Fraction(81)) == 3
    assert _tuned(g, Fraction(399, 10), Fraction(81)) == 1


@pytest.mark.parametrize(("c0", "c1", "T"), [(9, 1, 8), (1, 1, 3), (100, 1, 12), (0, 1, 5)])
def test_cat_can_lose_to_a_fixed_T(c0: int, c1: int, T: int) -> None:
    """Dossier 5.8: squares that fall faster than c1/(c0 + c1) are sent one by one; a fixed T pays the header once."""
    ratio = Fraction(c1, c0 + c1) * Fraction(99, 100)
    squares = [ratio**j for j in range(T)]
    paid = 0
    while squares:
        efficiency = [sum(squares[:t]) / (c0 + c1 * t) for t in range(1, len(squares) + 1)]
        sent = max(t for t, value in enumerate(efficiency, 1) if value == max(efficiency))
        assert sent == 1
        paid += c0 + c1 * sent
        squares = squares[sent:]

    value = theorem("cat-not-trajectory-optimal").evaluate(c0=c0, c1=c1, T=T).value
    assert Fraction(paid, c0 + c1 * T) == Fraction(T * (c0 + c1), c0 + c1 * T)
    assert paid / (c0 + c1 * T) == pytest.approx(value)
    assert value < 1 + c0 / c1 or c0 == 0


def test_the_stated_loss_is_80_against_17() -> None:
    assert theorem("cat-not-trajectory-optimal").evaluate(c0=9, c1=1, T=8).value == 80 / 17


_H = [[17, 12, -5], [12, 13, -11], [-5, -11, 14]]


def _determinant(A: list[Vector]) -> Fraction:
    if len(A) == 1:
        return A[0][0]
    minors = ([row[:j] + row[j + 1 :] for row in A[1:]] for j in range(len(A)))
    return sum(((-1) ** j * A[0][j] * _determinant(minor) for j, minor in enumerate(minors)), Fraction(0))


def _is_positive_definite(A: list[Vector]) -> bool:
    return all(_determinant([row[:k] for row in A[:k]]) > 0 for k in range(1, len(A) + 1))


def test_distance_to_the_minimiser_may_grow() -> None:
    """Dossier 1.6: F falls, yet |x - x*| grows; so |x_0 - x*| is no radius of the run."""
    H = [_vector(row) for row in _H]
    # The largest eigenvalue of H from above, to 1e-6.
    L = Fraction(33_553_219, 1_000_000)
    lifted = [[L * (i == j) - H[i][j] for j in range(3)] for i in range(3)]
    lowered = [[(L - Fraction(1, 10**6)) * (i == j) - H[i][j] for j in range(3)] for i in range(3)]
    assert _is_positive_definite(H)
    assert _is_positive_definite(lifted)
    assert not _is_positive_definite(lowered)

    def value(x: Vector) -> Fraction:
        return sum((x[i] * H[i][j] * x[j] for i in range(3) for j in range(3)), Fraction(0)) / 2

    x = _vector([-4, 2, 4])
    g = [sum((row[j] * x[j] for j in range(3)), Fraction(0)) for row in H]
    assert g == [-64, -66, 54]
    after = [entry - sent / L for entry, sent in zip(x, _top(g, 1), strict=True)]

    assert float(_square(after) / _square(x)) == pytest.approx(1.326, abs=5e-4)
    assert float(value(after) / value(x)) == pytest.approx(0.384, abs=5e-4)
    alpha = _square(_top(g, 1)) / _square(g)
    assert value(x) - value(after) >= alpha * _square(g) / (2 * L)
