"""Stale compressed gradients: a replay beside its gradients, and replicas in one run against a loop over them."""

import sys

from ratios import Target, median_seconds, report

import numpy as np  # isort: skip  (after ratios, which sets the number of threads)

from taciturn.solvers.compressors import Bernoulli, TopK
from taciturn.solvers.data import load_text
from taciturn.solvers.delays import Constant
from taciturn.solvers.methods import Fixed, StaleGradient, run
from taciturn.solvers.partition import split_iid
from taciturn.solvers.problems import heterogeneous_quadratic, logistic_regression

WORKERS, TAU, KEPT, ITERATIONS = 20, 50, 265, 60
REPLICAS, D, K, LOOPED = 10_000, 10, 200, 4


def against_gradients() -> bool:
    """A run evaluates every f_i at x_k, for its record, and at the version its worker read: the baseline does, too."""
    data = load_text()
    partition = split_iid(len(data.targets), WORKERS, seed=0)
    problem = logistic_regression(data.features, data.targets, 1e-3).split(partition)
    method = StaleGradient(Fixed(TopK(KEPT)), Constant(TAU).trace(ITERATIONS, WORKERS), step_size=1 / (TAU * problem.L))
    points = list(np.random.default_rng(0).standard_normal((TAU + 1, problem.d)))

    def replay():
        run(method, problem, ITERATIONS, reference=False)

    def gradients():
        for k in range(ITERATIONS):
            problem.value_and_worker_gradients(points[k % len(points)])
            problem.local_gradients(np.broadcast_to(points[max(k - TAU, 0)], (WORKERS, problem.d)))

    seconds = median_seconds({"stale run": replay, "its gradient evaluations": gradients}, repetitions=3)
    title = f"{ITERATIONS} iterations, {WORKERS} workers, staleness {TAU}, top-{KEPT} of {problem.d}"
    return report(title, seconds, [Target("stale run", "its gradient evaluations", 1.5)])


def against_loop() -> bool:
    """The loop is timed for a few replicas and extrapolated to all: its time is in proportion to their number."""
    problem = heterogeneous_quadratic(workers=4, d=D, L=1.0, mu=0.1, spread=1.0, seed=0)
    method = StaleGradient(Fixed(Bernoulli(3, "uniform")), Constant(5).trace(K, workers=4))

    def together():
        run(method, problem, K, x0=np.ones((REPLICAS, D)), seed=0)

    def one_by_one():
        for seed in range(LOOPED):
            run(method, problem, K, x0=np.ones(D), seed=seed)

    seconds = median_seconds({"one run": together, "loop": one_by_one}, repetitions=3)
    seconds["loop"] *= REPLICAS / LOOPED
    title = f"{REPLICAS} replicas of {K} iterations, 4 workers, d = {D} (loop extrapolated from {LOOPED} replicas)"
    return report(title, seconds, [Target("loop", "one run", 50.0, at_least=True)])


def main() -> bool:
    return all([against_gradients(), against_loop()])


if __name__ == "__main__":
    sys.exit(not main())
