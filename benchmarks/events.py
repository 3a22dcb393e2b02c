"""Event-triggered methods: a silent step beside mixing and gradients, and mixing on large sparse networks."""

import sys

from ratios import Target, median_seconds, report

import numpy as np  # isort: skip  (after ratios, which sets the number of threads)

from taciturn.solvers.decentralised import Always, Constant, DifferenceNorm, EventTriggeredGradient, NormDifference
from taciturn.solvers.problems import quadratic
from taciturn.solvers.topology import metropolis, network

WORKERS, D = 32, 1_000_000
MANY, SHORT = 1000, 10_000


def _problem(workers, d):
    rng = np.random.default_rng(0)
    return quadratic(rng.uniform(0.5, 1.0, (workers, d)), rng.standard_normal((workers, d)))


def silent_step() -> bool:
    """No trigger fires: the copies are mixed once, before; the baseline mixes the parameters in every iteration."""
    problem, W = _problem(WORKERS, D), metropolis(network("ring", WORKERS))
    triggers = {"difference norm": DifferenceNorm(Constant(1e9)), "norm difference": NormDifference(Constant(1e9))}
    methods = {name: EventTriggeredGradient(W, trigger, 0.1) for name, trigger in triggers.items()}
    states = {name: method.step(problem, method.init(problem, np.zeros(D)), None) for name, method in methods.items()}
    points = next(iter(states.values())).points

    def baseline():
        return W @ points - 0.1 * problem.local_gradients(points)

    cases = {name: lambda name=name: methods[name].step(problem, states[name], None) for name in methods}
    seconds = median_seconds({**cases, "mixing and gradients": baseline}, repetitions=5)
    title = f"one iteration without events, {WORKERS} workers, d = {D}"
    return report(title, seconds, [Target(name, "mixing and gradients", 1.3) for name in methods])


def large_network() -> bool:
    """Twice the edges, about twice the mixing: sparse matrices, nothing of the size of n^2."""
    graphs = {"torus": network("torus", MANY), "degree 8": network("random regular", MANY, degree=8)}
    methods = {name: EventTriggeredGradient(metropolis(graph), Always(), 0.1) for name, graph in graphs.items()}
    points = np.random.default_rng(1).standard_normal((MANY, SHORT))
    cases = {name: lambda name=name: methods[name].mixed(points) for name in methods}
    edges = {name: graph.number_of_edges() for name, graph in graphs.items()}
    title = f"mixing of {MANY} workers, d = {SHORT}, edges {edges}"
    return report(title, median_seconds(cases, repetitions=5), [Target("degree 8", "torus", 2.5)])


def main() -> bool:
    return all([silent_step(), large_network()])


if __name__ == "__main__":
    sys.exit(not main())
