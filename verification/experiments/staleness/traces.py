"""Delays of the experiments: patterns up to a largest delay, and servers whose workers take Pareto times."""

from __future__ import annotations

from collections.abc import Mapping

from taciturn.solvers.delays import (
    Constant,
    Cyclic,
    Geometric,
    Hold,
    ParameterServer,
    Pareto,
    RampPlateau,
    Trace,
    Uniform,
    Worker,
)

from ...evidence import Budget

__all__ = ["patterns", "seeds", "server", "server_delays"]


def seeds(budget: Budget) -> range:
    """Return the seeds of random delays: more in a long run."""
    return range(budget.seed, budget.seed + 1 + budget.replicas // 1000)


def patterns(workers: int, iterations: int, seed: int = 0) -> Mapping[str, Trace]:
    """Return traces in which every worker is used in every iteration, by name."""
    models = {
        "no delay": Constant(0),
        "constant delay 1": Constant(1),
        "constant delay 5": Constant(5),
        "hold 3": Hold(3),
        "ramp 4": RampPlateau(4),
        "cyclic 3": Cyclic(3),
        "uniform 4": Uniform(4),
        "geometric 6": Geometric(0.6, 6),
    }
    traces = {name: model.trace(iterations, workers, seed) for name, model in models.items()}
    return {**traces, "Pareto server": server_delays(workers, iterations, seed)}


def server(workers: int, iterations: int, mode: str, seed: int) -> Trace:
    """Return what a server does whose workers compute for Pareto times of index 1.5, each slower than the last."""
    pool = [Worker(Pareto(1.5, 1.0 + i / workers)) for i in range(workers)]
    return ParameterServer(pool, mode).trace(iterations, 0.0, seed=seed)


def server_delays(workers: int, iterations: int, seed: int) -> Trace:
    """Return the ages of the models of a server, with a new message in every use.

    Several workers: it keeps the last message of each. One node: its gradients are computed by four in turn.
    """
    if workers == 1:
        return Trace.from_delays(server(4, iterations, "async", seed).largest_delay[:, None])
    return Trace.from_delays(server(workers, iterations, "aggregated", seed).delay)
