"""Networks of workers and their mixing matrices."""

from .graphs import NETWORKS, check_connected, network
from .optimal import bound_optimal_weights, fastest_mixing
from .weights import lazy, max_degree, metropolis, uniform_weights

__all__ = [
    "NETWORKS",
    "bound_optimal_weights",
    "check_connected",
    "fastest_mixing",
    "lazy",
    "max_degree",
    "metropolis",
    "network",
    "uniform_weights",
]
