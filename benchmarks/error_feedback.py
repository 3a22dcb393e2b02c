"""A step of error feedback in which every worker has its own k, against one partition of everything."""

import sys
from dataclasses import dataclass

from ratios import Target, median_seconds, report

import numpy as np  # isort: skip  (after ratios, which sets the number of threads)

from taciturn.solvers.array import Stream
from taciturn.solvers.methods import ErrorFeedback, PerWorkerTopK, ThresholdFeedback
from taciturn.solvers.problems import Quadratic
from taciturn.solvers.ratios import assign_counts
from taciturn.solvers.thresholds import L1Rule

WORKERS, D, BUDGET = 100, 10**5, 10**5


@dataclass(frozen=True, eq=False, repr=False)
class Given(Quadratic):
    """Gradients that are the same everywhere and cost nothing, so that the step alone is timed."""

    def local_values_and_gradients(self, points):
        return points[..., 0], self.minimisers


def main() -> bool:
    rng = np.random.default_rng(0)
    volumes = np.arange(1, WORKERS + 1) ** -1.0
    volumes = volumes / volumes.sum()
    counts = assign_counts(volumes, BUDGET, D).counts
    gradients = rng.standard_normal((WORKERS, D))
    problem = Given(gradients, gradients, weights=volumes)
    per_worker = ErrorFeedback(PerWorkerTopK(counts), step_size=0.1)
    thresholds = ThresholdFeedback(L1Rule(BUDGET // WORKERS, D), step_size=0.1)
    states = {}
    for method in (per_worker, thresholds):
        state = method.init(problem, np.zeros(D))
        for _ in range(5):
            state = method.step(problem, state, Stream(0))
        states[method] = state
    wanted = gradients + states[per_worker].memory
    seconds = median_seconds(
        {
            "argpartition": lambda: np.argpartition(np.abs(wanted), D - BUDGET // WORKERS, axis=-1),
            "of the raw entries": lambda: np.argpartition(wanted, D - BUDGET // WORKERS, axis=-1),
            "step": lambda: per_worker.step(problem, states[per_worker], Stream(0)),
            "threshold step": lambda: thresholds.step(problem, states[thresholds], Stream(0)),
        }
    )
    title = f"error feedback, {WORKERS} workers with k from {counts.min()} to {counts.max()} of d = {D}"
    met = report(title, seconds, [Target("step", "argpartition", 2.0), Target("threshold step", "argpartition", 2.0)])
    print(f"  step / partition of the raw entries = {seconds['step'] / seconds['of the raw entries']:.3g}")
    return met


if __name__ == "__main__":
    sys.exit(not main())
