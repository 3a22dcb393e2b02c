"""The reference numbers of chapter 1."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy

from taciturn.theory import theorem
from taciturn.theory.special import NUMERIC


@pytest.mark.parametrize(
    ("m", "alpha", "squared"),
    [(0.1, 0.5, 0.935168), (0.02, 0.2, 0.995565), (0.3, 0.8, 0.652276), (0.6, 0.05, 0.969695)],
)
def test_exact_factor_of_top_T(m: float, alpha: float, squared: float) -> None:
    """Dossier 1.5."""
    rate = theorem("topT-sc-exact").evaluate(L=1, mu=m, alpha=alpha).rate

    assert rate == pytest.approx(squared, abs=5e-7)
    assert rate <= 1 - alpha * m
    assert rate <= math.exp(-2 * alpha * m / (2 - alpha))


def test_exact_factor_in_its_limits() -> None:
    rate = theorem("topT-sc-exact").evaluate

    assert rate(L=3, mu=0.3, alpha=1).rate == pytest.approx(0.81)  # gradient descent: (1 - m)^2
    assert rate(L=2, mu=2, alpha=0.3).rate == pytest.approx(0.7)  # mu = L: 1 - alpha


@pytest.mark.parametrize(("omega", "m", "factor"), [(0.3, 0.1, 0.943), (0.7, 0.4, 0.552)])
def test_exact_distance_factor_of_sampling(omega: float, m: float, factor: float) -> None:
    """Dossier 3.6."""
    guarantee = theorem("ss-distance-exact").evaluate(L=1, mu=m, omega=omega, relative_step=1.0)

    assert guarantee.rate == pytest.approx(factor, abs=5e-7)


def test_exact_function_value_factor_of_sampling() -> None:
    """Dossier 3.7: the limit of coordinate sampling for omega = 0.5, m = 0.1."""
    assert theorem("ss-sc-exact").evaluate(L=1, mu=0.1, omega=0.5).rate == pytest.approx(0.9275)


def test_value_of_adaptivity() -> None:
    """Dossier 2.4: d = 47236."""
    adaptive = theorem("beta-adaptive").evaluate(d=47236).decrease
    fixed = theorem("beta-profile").evaluate(d=47236, T=math.ceil(math.sqrt(47236))).decrease
    worst = theorem("beta-profile").evaluate(d=47236, T=1).decrease

    assert adaptive == pytest.approx(0.2711, abs=5e-5)
    assert fixed == pytest.approx(0.0046, abs=5e-5)
    assert worst == pytest.approx(2.1e-5, rel=0.02)


def test_worst_case_bits_of_quantised_messages() -> None:
    """Dossier 5.6: d = 47236 and a UDP header, per unit of kappa ln."""
    w = NUMERIC["affine_increments"](47236, 66 * 8 + 32, 17)

    assert float(w) == pytest.approx(8.05e5, rel=2e-3)


def test_effective_dimension() -> None:
    """Dossier 1.10: d = 200, one curvature 0.001, the others 0.5, T = 10."""
    curvatures = np.array([0.001] + [0.5] * 199)
    d_eff = float(np.sum(curvatures.min() / curvatures))
    better = theorem("topT-diagonal-sc").evaluate(L=1, mu=0.001, T=10, effective_dimension=d_eff)
    plain = theorem("topT-pl-rate").evaluate(L=1, mu=0.001, alpha=10 / 200)

    assert d_eff == pytest.approx(1.398, abs=5e-3)
    assert better.iterations(1e-6, 1.0) == pytest.approx(13_816, rel=1e-3)
    assert plain.iterations(1e-6, 1.0) == pytest.approx(276_310, rel=1e-3)


@pytest.mark.parametrize(("d", "index_bits", "ceiling"), [(47_236, 16, 3.1e4), (3_200_000, 22, 1.9e6), (784, 10, 597)])
def test_gain_ceilings(d: int, index_bits: int, ceiling: float) -> None:
    """Dossier 5.9, 32-bit floats, no overhead."""
    gain = theorem("gain-ceiling").evaluate(dense_cost=32 * d, c0=0, c1=index_bits + 32).value

    assert gain == pytest.approx(ceiling, rel=0.02)


def test_loss_against_a_fixed_T() -> None:
    """Dossier 5.8: 80 against 17."""
    assert theorem("cat-not-trajectory-optimal").evaluate(c0=9, c1=1, T=8).value == pytest.approx(80 / 17)


def test_special_functions_are_their_sums() -> None:
    d = 50
    direct = sum((sympy.sqrt(j) - sympy.sqrt(j - 1)) ** 2 for j in range(1, d + 1))

    assert float(NUMERIC["sqrt_increments"](d)) == pytest.approx(float(direct), rel=1e-13)
