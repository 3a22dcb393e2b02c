from __future__ import annotations

import numpy as np
import pytest
import sympy

from taciturn.theory.gram import coordinates, inner, mean, reduce_means, scalars, square, vectors

g, e, g_i, h_i = vectors("g e g[i] h[i]")
F, f_i, L_i = scalars("F f[i] L[i]")


def test_inner_is_bilinear_and_symmetric() -> None:
    assert inner(2 * g + e, g - 3 * e) == sympy.expand(inner(g - 3 * e, 2 * g + e))
    assert square(g - e) == inner(g, g) - 2 * inner(g, e) + inner(e, e)


@pytest.mark.parametrize("wrong", [g * e, g**2, g + 1, sympy.sin(g)])
def test_coordinates_refuse_what_is_not_a_linear_combination(wrong: sympy.Expr) -> None:
    with pytest.raises(ValueError, match="not linear"):
        coordinates(wrong)


@pytest.mark.parametrize("workers", [1, 3, 7])
def test_means_agree_with_numbers(workers: int) -> None:
    """Symbolic averages equal weighted sums of random vectors, for several numbers of workers."""
    rng = np.random.default_rng(workers)
    p = rng.dirichlet(np.ones(workers))
    gradients, constants, other = rng.normal(size=(workers, 4)), rng.uniform(1, 2, workers), rng.normal(size=4)
    average = p @ gradients
    expression = mean(square(g_i - 2 * e) * 3 + L_i * square(g_i) + L_i)
    reduced = reduce_means(expression, {g_i: g, L_i: sympy.Symbol("L_bar"), L_i * square(g_i): sympy.Symbol("S")})
    values = {
        inner(g_i, g_i): 0.0,
        sympy.Symbol("L_bar"): p @ constants,
        sympy.Symbol("S"): p @ (constants * np.sum(gradients**2, axis=1)),
        inner(e, g): average @ other,
        inner(e, e): other @ other,
        mean(square(g_i)): p @ np.sum(gradients**2, axis=1),
    }
    direct = p @ (
        3 * np.sum((gradients - 2 * other) ** 2, axis=1) + constants * np.sum(gradients**2, axis=1) + constants
    )

    assert float(reduced.xreplace(values)) == pytest.approx(direct, rel=1e-12)


def test_unknown_averages_stay_formal() -> None:
    assert reduce_means(mean(f_i) - mean(f_i), {}) == 0
    assert reduce_means(mean(f_i), {}) == mean(f_i)
    assert reduce_means(mean(sympy.Integer(1)), {}) == 1


def test_an_average_of_a_product_is_not_the_product_of_averages() -> None:
    reduced = reduce_means(mean(L_i * f_i), {L_i: F, f_i: F})

    assert reduced != F**2
