from __future__ import annotations

import numpy as np
import pytest

from taciturn.verification.interpolation import InterpolatingFunction

RNG = np.random.default_rng(5)


def data(H: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, gradients and values of a quadratic."""
    return points, points @ H, 0.5 * np.sum(points @ H * points, axis=1)


@pytest.mark.parametrize(("spectrum", "mu"), [((0.2, 0.5, 1.0), 0.1), ((0.0, 0.5, 1.0), 0.0), ((-0.7, 0.3, 0.9), -1.0)])
def test_values_and_gradients_are_interpolated(spectrum: tuple[float, ...], mu: float) -> None:
    """Strongly convex, convex and without convexity; far from the origin too."""
    axes = np.linalg.qr(RNG.standard_normal((3, 3)))[0]
    H = axes @ np.diag(spectrum) @ axes.T
    for shift in (0.0, 30.0):
        points, gradients, values = data(H, RNG.standard_normal((6, 3)) + shift)
        F = InterpolatingFunction(points, gradients, values, L=1.1, mu=mu)

        assert [F(x) for x in points] == pytest.approx(list(values), abs=1e-8 * (1 + shift**2))
        np.testing.assert_allclose([F.gradient(x) for x in points], gradients, atol=1e-5 * (1 + shift))


def test_it_stays_in_its_class_and_above_every_other_function_with_the_data() -> None:
    H, L, mu = np.diag([0.3, 0.8]), 1.0, 0.2
    F = InterpolatingFunction(*data(H, RNG.standard_normal((4, 2))), L=L, mu=mu)

    for x, y in RNG.standard_normal((50, 2, 2)):
        linear = F(x) + F.gradient(x) @ (y - x)
        assert linear + mu / 2 * (y - x) @ (y - x) - 1e-9 <= F(y) <= linear + L / 2 * (y - x) @ (y - x) + 1e-9
        assert F(y) >= 0.5 * y @ H @ y - 1e-9


def test_gradient_is_the_slope() -> None:
    F = InterpolatingFunction(*data(np.diag([0.3, 0.8]), RNG.standard_normal((4, 2))), L=1.0, mu=0.2)
    x, h = np.array([0.7, -1.3]), 1e-4

    slopes = [(F(x + h * axis) - F(x - h * axis)) / (2 * h) for axis in np.eye(2)]

    np.testing.assert_allclose(slopes, F.gradient(x), atol=1e-6)
