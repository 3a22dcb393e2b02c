"""Named networks; every other networkx graph serves as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import networkx as nx

from ..array import check_choice, check_count, check_fraction

__all__ = ["NETWORKS", "Graph", "check_connected", "network"]

Graph: TypeAlias = Any
"""An undirected networkx.Graph (which has no types); its nodes are the workers, in the order of the graph."""


def _torus(workers: int) -> Graph:
    rows = next(side for side in range(math.isqrt(workers), 0, -1) if workers % side == 0)
    return nx.grid_2d_graph(rows, workers // rows, periodic=True)


def _hypercube(workers: int) -> Graph:
    dimension = workers.bit_length() - 1
    if workers != 2**dimension:
        raise ValueError(f"workers={workers} must be a power of two for a hypercube")
    return nx.hypercube_graph(dimension)


NETWORKS: Mapping[str, Callable[[int], Graph]] = MappingProxyType(
    {
        "ring": nx.cycle_graph,
        "path": nx.path_graph,
        "torus": _torus,
        "complete": nx.complete_graph,
        "star": lambda workers: nx.star_graph(workers - 1),
        "hypercube": _hypercube,
    }
)
"""The networks that are determined by the number of workers."""

_RANDOM = ("random regular", "Erdős–Rényi")


def network(
    name: str, workers: int, *, degree: int | None = None, probability: float | None = None, seed: int = 0
) -> Graph:
    """Return a connected network.

    Parameters
    ----------
    name
        One of `NETWORKS`, or ``"random regular"`` (needs `degree`) or ``"Erdős–Rényi"`` (needs `probability`).
    workers
        Number of nodes. A torus has the two sides nearest to each other with that product.
    degree
        Neighbours of every worker.
    probability
        Of every edge.
    seed
        Of the random networks. Those that are not connected are drawn again, at most a hundred times.

    Raises
    ------
    ValueError
        If there is no such network.

    Examples
    --------
    >>> sorted(network("ring", 4).edges)
    [(0, 1), (0, 3), (1, 2), (2, 3)]
    """
    check_choice(name, "name", (*NETWORKS, *_RANDOM))
    workers = check_count(workers, "workers", lowest=1)
    if name in NETWORKS:
        return _with_integers(NETWORKS[name](workers))
    for attempt in range(100):
        graph = _random(name, workers, degree, probability, seed + attempt)
        if nx.is_connected(graph):
            return graph
    raise ValueError(f"a hundred {name} networks with {workers} workers were not connected; accepted: more edges")


def _random(name: str, workers: int, degree: int | None, probability: float | None, seed: int) -> Graph:
    if name == "random regular":
        if degree is None or not 0 <= degree < workers or degree * workers % 2:
            raise ValueError(f"degree={degree} must be below workers={workers}, with an even product of the two")
        return nx.random_regular_graph(degree, workers, seed=seed)
    if probability is None:
        raise ValueError("probability is missing; accepted: a number in (0, 1]")
    return nx.erdos_renyi_graph(workers, check_fraction(probability, "probability"), seed=seed)


def _with_integers(graph: Graph) -> Graph:
    simple = nx.convert_node_labels_to_integers(graph, ordering="sorted")
    simple.remove_edges_from(list(nx.selfloop_edges(simple)))
    return simple


def check_connected(graph: Graph) -> Graph:
    """Return an undirected, connected graph without loops, or refuse what is none.

    Raises
    ------
    TypeError, ValueError
        The message names the smallest part that is cut off.
    """
    if not isinstance(graph, nx.Graph) or graph.is_directed() or graph.is_multigraph():
        raise TypeError(f"graph is a {type(graph).__name__}; accepted: an undirected networkx.Graph")
    if graph.number_of_nodes() == 0:
        raise ValueError("graph has no nodes; accepted: at least one worker")
    if not nx.is_connected(graph):
        parts = sorted(nx.connected_components(graph), key=len)
        raise ValueError(f"graph is not connected: {len(parts)} parts, the smallest one holds {sorted(parts[0])[:5]}")
    if loops := list(nx.nodes_with_selfloops(graph)):
        raise ValueError(f"graph has a loop at {loops[0]}; accepted: no loops, the self-weight is implied")
    return graph
