"""Error feedback with ratios that follow the volumes: the runs that the figures about ratios share.

Every method runs with all step sizes of one grid at once, as replicas, and is judged at its best one.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taciturn.solvers.array import Array, Stream, array_like, to_numpy
from taciturn.solvers.data import load_mnist, load_text
from taciturn.solvers.methods import ErrorFeedback, Method, PerWorkerTopK, ThresholdFeedback, run
from taciturn.solvers.partition import Partition
from taciturn.solvers.problems import LinearModel, Problem, logistic_regression
from taciturn.solvers.ratios import power_law
from taciturn.solvers.thresholds import ThresholdController
from taciturn.theory.ratio_presets import PRESETS

from .adaptive_compression_runs import mnist_is_here
from .cache import Arrays
from .ratios_assignment import shares_of
from .setting import Progress, Setting

__all__ = [
    "BUDGETS",
    "CASES",
    "GRID",
    "IMBALANCES",
    "SEEDS",
    "TARGET",
    "THRESHOLDS",
    "WORKERS",
    "Case",
    "Course",
    "StepGrid",
    "best_course",
    "cases",
    "controlled",
    "counts",
    "courses",
    "entries",
    "problem",
    "saving",
    "skewed_split",
    "top_k",
    "whole",
]

WORKERS = 10
IMBALANCES = (1, 2, 3)
SEEDS = {"quick": 3, "full": 10}
BUDGETS = {"tight": 0.02, "loose": 0.1}
"""Fraction that is kept on average."""

THRESHOLDS = {"threshold": 0.0, "threshold, root": 0.5, "threshold, inverse": 1.0}
"""Thresholds lambda_i ~ p_i^-exponent under one controller, by name."""

GAIN = 0.1  # of the controller
TARGET = 1e-2  # gap relative to the start
LONGEST = 300  # iterations
GRID = 2.0 ** np.arange(-4, 5, 0.5)
"""Step sizes of every method, in units of 1/L: a grid coarser than the savings would decide them."""

ROWS = {"quick": 600, "full": 5000}
COLUMNS = {"quick": 200, "full": 2000}


@dataclass(frozen=True)
class Case:
    """Data and how they are dealt.

    Parameters
    ----------
    data : {"text", "mnist"}
        E-mails, spam or not; images of digits, odd or even.
    skew : float
        0 for rows dealt at random; the larger, the more alike are a worker's labels.
    title : str
        In words.
    regularisation : float
        Of the logistic regression.
    """

    data: str
    skew: float
    title: str
    regularisation: float


CASES = (
    Case("text", 0.0, "e-mails", 1e-4),
    Case("text", 1.0, "e-mails, by label", 1e-4),
    Case("mnist", 0.0, "MNIST", 1e-1),
)


def cases() -> tuple[Case, ...]:
    """Return the cases whose data are here."""
    return tuple(case for case in CASES if case.data != "mnist" or mnist_is_here())


@cache
def whole(case: Case, budget: str) -> tuple[LinearModel, NDArray[Any]]:
    """Return the problem of a single worker, and the labels."""
    rows, columns = ROWS[budget], COLUMNS[budget]
    if case.data == "mnist":
        images = load_mnist(part="test")
        labels = np.where(images.targets[:rows] % 2 == 0, 1.0, -1.0)
        return logistic_regression(images.features[:rows], labels, case.regularisation), labels
    mails = load_text()
    every = max(len(mails.targets) // rows, 1)
    common = np.argsort(-np.diff(mails.features.tocsc().indptr), kind="stable")[:columns]
    features, labels = mails.features[::every][:, np.sort(common)].toarray(), mails.targets[::every]
    return logistic_regression(features, labels, case.regularisation), labels


@cache
def problem(case: Case, imbalance: float, seed: int, budget: str) -> LinearModel:
    """Return a logistic regression of ten workers whose shares of the data are as i^-imbalance."""
    one, labels = whole(case, budget)
    return one.split(skewed_split(labels, shares_of(WORKERS, imbalance), case.skew, seed))


def skewed_split(labels: NDArray[Any], shares: NDArray[np.float64], skew: float, seed: int) -> Partition:
    """Deal rows to workers with given shares, alike in their labels to a degree that does not depend on the shares.

    Rows are ordered by skew times their label's rank plus a uniform number, and cut at the shares in random order.

    Examples
    --------
    >>> split = skewed_split(np.array([1, -1] * 50), np.array([0.9, 0.1]), skew=1.0, seed=0)
    >>> split.sizes
    array([90, 10])
    >>> np.unique(np.array([1, -1] * 50)[split.indices[1]]).size
    1
    """
    random = np.random.default_rng(seed)
    order = np.argsort(skew * np.unique(labels, return_inverse=True)[1] + random.uniform(size=len(labels)))
    turn = random.permutation(len(shares))
    sizes = np.maximum(np.floor(shares * len(labels)).astype(int), 1)
    sizes[0] += len(labels) - sizes.sum()  # the largest
    pieces = np.split(order, np.cumsum(sizes[turn])[:-1])
    return Partition([np.sort(pieces[place]) for place in np.argsort(turn)])


def counts(exponent: float, p: NDArray[np.float64], budget: int, d: int) -> tuple[int, ...]:
    """Return how many of d entries worker i keeps: in proportion to p_i^exponent, at least 1, of sum budget.

    Examples
    --------
    >>> counts(0.5, np.array([0.8, 0.2]), budget=30, d=100)
    (20, 10)
    """
    # A little less than 1, for rounding: the budget may be the number of workers.
    ideal = power_law(exponent, p, budget / d, lower=(1 - 1e-12) / d).delta * d
    whole = np.maximum(np.floor(ideal * (1 + 1e-12)).astype(int), 1)
    largest_rest = np.argsort(whole - ideal, kind="stable")
    whole[largest_rest[: budget - int(whole.sum())]] += 1
    return tuple(whole.tolist())


@dataclass(frozen=True, eq=False)
class StepGrid:
    """A method with memory run with several step sizes at once, one for each replica.

    Parameters
    ----------
    method : Method
        Whose state has a `step_size`.
    steps : array, shape (replicas, 1)
        Step sizes.
    """

    method: Method
    steps: Any

    def init(self, problem: Problem, x0: Array) -> Any:
        """As the method, with these step sizes."""
        state: Any = self.method.init(problem, x0)
        return replace(state, step_size=self.steps)

    def step(self, problem: Problem, state: Any, rng: Stream) -> Any:
        """As the method."""
        return self.method.step(problem, state, rng)


@dataclass(frozen=True, eq=False)
class Course:
    """A run with all steps of the grid.

    Parameters
    ----------
    gap : shape (K + 1, steps)
        F(x_k) - F* relative to the start, until one of the steps reached the target.
    sent : shape (K, steps)
        Entries of all workers.
    """

    gap: NDArray[np.float64]
    sent: NDArray[np.float64]

    @property
    def best(self) -> int:
        """The step that reaches the target first, the lowest gap at the end deciding between equals."""
        return int(np.argmin(self.gap[-1]))

    @property
    def iterations(self) -> float:
        """Iterations to the target at the best step; infinite if no step reaches it."""
        reached = np.flatnonzero(self.gap.min(axis=1) <= TARGET)
        return float(reached[0]) if reached.size else math.inf

    @property
    def entries(self) -> float:
        """Entries that all workers sent until then at the best step, or until the end."""
        return float(self.sent[:, self.best].sum())


def best_course(setting: Setting, where: LinearModel, method: Method) -> Arrays:
    """Run a method with all steps of the grid until one of them reaches the target."""
    there = where.on(setting.prototype())
    like = there.weights
    x0 = array_like(np.zeros((len(GRID), where.d)), like)
    target = where.minimum + TARGET * (float(where.objective(np.zeros(where.d))) - where.minimum)
    steps = array_like(GRID[:, None] / where.L, like)
    until = partial(_reached, target)
    result = run(StepGrid(method, steps), there, LONGEST, x0=x0, until=until, reference=False)
    gap = result.value - where.minimum
    return {"gap": gap / gap[0], "sent": result.sparsity.sum(axis=-1).astype(np.float64)}


def _reached(target: float, state: Any) -> bool:
    return bool(to_numpy(state.value).min() <= target)


def courses(
    setting: Setting, wanted: Iterable[tuple[Case, int, str, str]], progress: Progress
) -> dict[tuple[Case, int, str, str, int], Course]:
    """Return runs by case, imbalance, budget, preset or threshold, and seed, made or from the cache."""
    tasks = [(*place, seed) for place in wanted for seed in range(SEEDS[setting.budget])]
    done = {}
    for number, task in enumerate(tasks, start=1):
        inputs = {"ratios": task, "backend": setting.backend, "device": setting.device, "budget": setting.budget}
        done[task] = Course(**setting.cache.get(partial(_run, setting, *task), **inputs))
        progress(number, len(tasks))
    return done


def _run(setting: Setting, case: Case, imbalance: int, budget: str, name: str, seed: int) -> Arrays:
    where = problem(case, imbalance, seed, setting.budget)
    total = entries(where, BUDGETS[budget])
    if name in THRESHOLDS:
        return best_course(setting, where, controlled(where, THRESHOLDS[name], total))
    return best_course(setting, where, top_k(where, float(PRESETS[name].exponent), total))


def entries(where: Problem, kept: float) -> int:
    """Return how many entries of all workers are a fraction kept on average, at least two for each."""
    return max(round(kept * where.d * where.workers), 2 * where.workers)


def top_k(where: LinearModel, exponent: float, total: int) -> Method:
    """Return error feedback in which worker i keeps in proportion to p_i^exponent, of so many entries in total."""
    return ErrorFeedback(PerWorkerTopK(counts(exponent, np.asarray(where.weights), total, where.d)), step_size=1.0)


def controlled(where: LinearModel, exponent: float, total: int) -> Method:
    """Return error feedback with thresholds in proportion to p_i^-exponent, held at so many entries in total."""
    profile = np.asarray(where.weights) ** -exponent
    magnitudes = np.abs(where.worker_gradients(np.zeros(where.d))) / profile[:, None]
    initial = float(np.partition(magnitudes.ravel(), -total)[-total])  # sends the budget in the first iteration
    return ThresholdFeedback(ThresholdController(total, GAIN), profile=profile, initial=initial, step_size=1.0)


def saving(uniform: Iterable[float], others: Iterable[float]) -> NDArray[np.float64]:
    """Return the shares of iterations that are saved, seed by seed; a run that missed the target counts as longest.

    Examples
    --------
    >>> saving([100.0, math.inf], [75.0, 150.0])
    array([0.25, 0.5 ])
    """
    before, after = (np.minimum(np.array(list(each)), LONGEST) for each in (uniform, others))
    return np.asarray(1 - after / before)
