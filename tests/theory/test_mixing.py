from __future__ import annotations

import numpy as np
import pytest

from taciturn.theory.mixing import gossip_sum, mixing


def ring(n: int) -> np.ndarray:
    W = np.zeros((n, n))
    for shift in (-1, 0, 1):
        W[np.arange(n), (np.arange(n) + shift) % n] += 1 / 3
    return W


@pytest.mark.parametrize(
    ("n", "lambda_2", "beta", "quotient", "total"),
    [(4, 0.33333, 0.66667, 2.00, 2.000), (8, 0.80474, 0.19526, 6.83, 2.447), (16, 0.94925, 0.05075, 26.3, 2.931),
     (32, 0.98719, 0.01281, 104, 3.437)],
)  # fmt: skip
def test_figures_of_the_ring(n: int, lambda_2: float, beta: float, quotient: float, total: float) -> None:
    figures = mixing(ring(n))

    assert figures.lambda_2 == pytest.approx(lambda_2, abs=1e-5)
    assert figures.mixing_rate == pytest.approx(lambda_2, abs=1e-5)
    assert figures.mixing_gap == pytest.approx(beta, abs=1e-5)
    assert figures.mixing_strength / figures.spectral_gap == pytest.approx(quotient, rel=5e-3)
    assert figures.gossip_sum == pytest.approx(total, abs=1e-3)
    assert figures.mixing_pull == pytest.approx(np.sqrt(n) * 2 / 3)


def test_two_workers_on_a_ring_have_both_neighbours_in_one() -> None:
    assert mixing(ring(2)).lambda_n == pytest.approx(-1 / 3)


def test_one_worker_has_nobody_to_disagree_with() -> None:
    figures = mixing([[1.0]])

    assert (figures.mixing_rate, figures.mixing_strength, figures.gossip_sum) == (0, 0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_gossip_sum_lies_between_its_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    eigenvalues = rng.uniform(0, 0.999, 5)
    total = gossip_sum(eigenvalues)

    assert 1 - np.min(eigenvalues) <= total <= 2 + 0.5 * np.log(np.ceil(1 / (1 - np.max(eigenvalues))))
    powers = np.max(eigenvalues[:, None] ** np.arange(40_000) * (1 - eigenvalues[:, None]), axis=0)
    assert total == pytest.approx(np.sum(powers), rel=1e-6)


@pytest.mark.parametrize(
    ("W", "message"),
    [
        ([[1.0, 0.0]], "square"),
        ([[np.nan]], "finite"),
        ([[0.5, 0.4], [0.5, 0.5]], "row 0 of W sums to 0.9"),
        ([[0.9, 0.1], [0.3, 0.7]], r"W\[0, 1\]=0.1 and W\[1, 0\]=0.3"),
        (np.eye(3), "not connected"),
        ([[0.0, 1.0], [1.0, 0.0]], "below 1"),
    ],
)
def test_bad_matrices_are_refused(W: list[list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mixing(W)
