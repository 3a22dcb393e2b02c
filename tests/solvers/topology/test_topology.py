from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from taciturn.solvers.topology import (
    NETWORKS,
    bound_optimal_weights,
    check_connected,
    fastest_mixing,
    lazy,
    max_degree,
    metropolis,
    network,
    uniform_weights,
)
from taciturn.theory.mixing import mixing

GRAPHS = [
    *((name, 8, {}) for name in NETWORKS),
    ("random regular", 10, {"degree": 3}),
    ("Erdős–Rényi", 12, {"probability": 0.4}),
]


@pytest.mark.parametrize(("name", "n", "options"), GRAPHS, ids=lambda value: str(value))
@pytest.mark.parametrize("weights", [metropolis, max_degree])
def test_weights_are_symmetric_and_stochastic_on_the_graph(name, n, options, weights) -> None:
    graph = network(name, n, **options)
    W = weights(graph).toarray()

    assert np.array_equal(W, W.T)
    assert W.sum(axis=1) == pytest.approx(np.ones(n))
    assert np.min(W) >= 0
    assert mixing(W).mixing_rate < 1
    off = ~np.eye(n, dtype=bool)
    assert np.array_equal(W[off] > 0, nx.to_numpy_array(graph)[off] > 0)


def test_uniform_weights_have_rows_that_sum_to_one() -> None:
    W = uniform_weights(network("star", 4)).toarray()

    assert W.sum(axis=1) == pytest.approx(np.ones(4))
    assert W.sum(axis=0) != pytest.approx(np.ones(4))


@pytest.mark.parametrize(
    ("name", "n", "plain", "fastest", "signed"),
    [("ring", 8, 0.805, 0.745, 0.745), ("ring", 16, 0.949, 0.927, 0.927), ("path", 8, 0.949, 0.924, 0.924),
     ("star", 8, 0.875, 0.857, 0.778), ("torus", 16, 0.600, 0.600, 0.600)],
)  # fmt: skip
def test_published_mixing_rates(name, n, plain, fastest, signed) -> None:
    graph = network(name, n)

    assert mixing(metropolis(graph)).mixing_rate == pytest.approx(plain, abs=1e-3)
    assert mixing(fastest_mixing(graph)).mixing_rate == pytest.approx(fastest, abs=1e-3)
    assert mixing(fastest_mixing(graph, nonnegative=False)).mixing_rate == pytest.approx(signed, abs=1e-3)


@pytest.mark.parametrize(("c", "residual"), [(1e-4, 0.857), (1e-2, 1.790), (1e-1, 5.66)])
def test_published_residuals_of_the_best_weights(c, residual) -> None:
    graph, step_size, L, mu = network("ring", 8), 0.1, 1.0, 0.1

    def bound(W) -> float:
        figures = mixing(W)
        bias = step_size * np.sqrt((L / mu + 1) / 2) / figures.mixing_gap
        return figures.mixing_pull * c / (np.sqrt(8) * step_size * mu) + bias

    best = bound_optimal_weights(graph, threshold=c, step_size=step_size, L=L, mu=mu, optimum_dissimilarity=1.0)
    assert bound(best) == pytest.approx(residual, abs=5e-3)
    assert bound(best) <= min(bound(metropolis(graph)), bound(fastest_mixing(graph))) + 1e-6


def test_lazy_mixing_keeps_more_of_the_own() -> None:
    W = metropolis(network("ring", 6))

    assert mixing(lazy(W, 0.5)).mixing_gap == pytest.approx(mixing(W).mixing_gap / 2)
    assert lazy(W.toarray(), 0.25) == pytest.approx(lazy(W, 0.25).toarray())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: network("ringg", 4), ValueError, "ring"),
        (lambda: network("ring", 0), ValueError, "workers"),
        (lambda: network("hypercube", 6), ValueError, "power of two"),
        (lambda: network("random regular", 5, degree=3), ValueError, "even product"),
        (lambda: network("Erdős–Rényi", 5), ValueError, "probability"),
        (lambda: network("Erdős–Rényi", 30, probability=1e-3), ValueError, "not connected"),
        (lambda: metropolis(nx.Graph([(0, 1), (2, 3)])), ValueError, "2 parts"),
        (lambda: metropolis(nx.DiGraph([(0, 1)])), TypeError, "undirected"),
        (lambda: check_connected(nx.Graph([(0, 0), (0, 1)])), ValueError, "loop"),
        (lambda: lazy(np.eye(2), 0.0), ValueError, "strength"),
        (
            lambda: bound_optimal_weights(
                network("ring", 4), threshold=0.1, step_size=3.0, L=1.0, mu=0.1, optimum_dissimilarity=1.0
            ),
            ValueError,
            "step_size=3",
        ),
    ],
)
def test_bad_input_is_refused(make, error, message) -> None:
    with pytest.raises(error, match=message):
        make()
