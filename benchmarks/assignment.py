"""Ratio assignment: against cvxpy and a sort, its memory, models solved again, thresholds against a copy."""

import sys
import tracemalloc
import warnings

from ratios import Target, median_seconds, report

import numpy as np  # isort: skip  (after ratios, which sets the number of threads)
import cvxpy as cp

from taciturn.solvers.compressors import HardThreshold, TopK
from taciturn.solvers.ratios import RatioProblem, waterfill
from taciturn.solvers.ratios.models import AssignmentModel
from taciturn.solvers.selection import threshold_indices, top_k_indices

GAP_LIMIT = 1e-12
MEMORY_LIMIT = 8.0


def problem(n, rng):
    """Heavy-tailed volumes; costs and limits, some of which are active."""
    lower = 1e-3 * rng.random(n)
    limits = dict(costs=rng.random(n) + 0.1, lower=lower, upper=lower + 0.5 * rng.random(n))
    return rng.random(n) ** 3 + 1e-6, 0.02 * n, limits


def by_cvxpy(weights, budget, costs=None, lower=0.0, upper=1.0):
    """The same problem for a solver, with the numbers as constants, which is fastest."""
    delta = cp.Variable(weights.size)
    spent = cp.sum(delta) if costs is None else costs @ delta
    constraints = [spent <= budget, delta >= lower, delta <= upper]
    program = cp.Problem(cp.Minimize(weights @ cp.inv_pos(delta)), constraints)
    with warnings.catch_warnings(action="ignore"):  # what the solver calls inaccurate is not held against it here
        program.solve(solver="CLARABEL")
    return program


def against_cvxpy(rng) -> bool:
    weights, budget, limits = problem(10**4, rng)
    cases = {
        "100 x water-filling": lambda: [waterfill(weights, budget) for _ in range(100)],
        "100 x with costs and limits": lambda: [waterfill(weights, budget, **limits) for _ in range(100)],
        "cvxpy": lambda: by_cvxpy(weights, budget),
        "cvxpy with costs and limits": lambda: by_cvxpy(weights, budget, **limits),
    }
    targets = [
        Target("cvxpy", "100 x water-filling", 10.0, at_least=True),
        Target("cvxpy with costs and limits", "100 x with costs and limits", 10.0, at_least=True),
    ]
    return report("water-filling, n = 10000", median_seconds(cases, repetitions=5), targets)


def against_sort(rng) -> bool:
    weights, budget, limits = problem(10**6, rng)
    cases = {
        "sort": lambda: np.sort(weights),
        "water-filling": lambda: waterfill(weights, budget),
        "water-filling with costs and limits": lambda: waterfill(weights, budget, **limits),
        "water-filling, b = 2": lambda: waterfill(weights, budget, b=2.0),
        "water-filling, sorted": lambda: waterfill(weights, budget, method="sort"),
    }
    targets = [Target("water-filling", "sort", 4.0), Target("water-filling with costs and limits", "sort", 4.0)]
    met = [report("water-filling, n = 1000000", median_seconds(cases), targets)]
    for name, assignment in {
        "water-filling": waterfill(weights, budget),
        "water-filling with costs and limits": waterfill(weights, budget, **limits),
    }.items():
        met.append(assignment.relative_gap <= GAP_LIMIT)
        print(f"  {name}: proven relative gap {assignment.relative_gap:.2g} (at most {GAP_LIMIT:g})")
    return all(met)


def memory(rng) -> bool:
    met = []
    weights, budget, limits = problem(10**7, rng)
    for name, arguments in {"weights": {}, "weights, costs and limits": limits}.items():
        size = weights.nbytes + sum(values.nbytes for values in arguments.values())
        tracemalloc.start()
        waterfill(weights, budget, **arguments)
        peak = tracemalloc.get_traced_memory()[1] / size
        tracemalloc.stop()
        met.append(peak <= MEMORY_LIMIT - 1)
        print(f"  n = 10000000, {name}: memory with the input / input = {1 + peak:.3g} (at most {MEMORY_LIMIT:g})")
    return all(met)


def solved_again(rng) -> bool:
    n = 100
    weights = rng.random(n) ** 3 + 1e-6
    sweep = [RatioProblem(weights, budget) for budget in np.linspace(0.02, 0.5, 100) * n]
    model = AssignmentModel(n)
    cases = {
        "solved again": lambda: [model.solve(problem) for problem in sweep],
        "built again": lambda: [AssignmentModel(n).solve(problem) for problem in sweep],
    }
    seconds = median_seconds(cases, repetitions=3)
    return report("100 budgets, n = 100", seconds, [Target("built again", "solved again", 3.0, at_least=True)])


def thresholds(rng) -> bool:
    d = 10**7
    gradient = rng.standard_normal(d, dtype=np.float32)
    level, k = 2.5758, d // 100  # a hundredth of the entries either way
    cases = {
        "copy": gradient.copy,
        "threshold to indices and values": lambda: gradient[threshold_indices(gradient, level)],
        "threshold to a vector": lambda: HardThreshold(level)(gradient),
        "top-k to indices and values": lambda: gradient[top_k_indices(gradient, k)],
        "top-k to a vector": lambda: TopK(k)(gradient),
        "argpartition": lambda: np.argpartition(np.abs(gradient), d - k),
    }
    seconds = median_seconds(cases)
    met = report(f"thresholds, d = {d}, float32", seconds, [Target("threshold to indices and values", "copy", 2.0)])
    for kind in ("indices and values", "a vector"):
        ratio = seconds[f"top-k to {kind}"] / seconds[f"threshold to {kind}"]
        print(f"  top-k to {kind} / threshold to {kind} = {ratio:.3g}")
    print(f"  threshold to a vector / copy = {seconds['threshold to a vector'] / seconds['copy']:.3g}")
    return met


def main() -> bool:
    rng = np.random.default_rng(0)
    met = [check(rng) for check in (against_cvxpy, against_sort, memory, solved_again, thresholds)]
    return all(met)


if __name__ == "__main__":
    sys.exit(not main())
