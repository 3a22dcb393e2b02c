"""Ratios that follow the volumes off convex ground: a small network on the digits of scikit-learn."""

import math
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from taciturn.solvers.array import array_like
from taciturn.solvers.data import load_digits
from taciturn.solvers.methods import ErrorFeedback, PerWorkerTopK, run
from taciturn.solvers.problems import mlp
from taciturn.theory.ratio_presets import PRESETS

from . import ratios_runs as runs
from .cache import Arrays
from .ratios_assignment import shares_of
from .setting import Setting

__all__ = ["TITLE", "iterations", "network_is_here"]

TITLE = "MLP on 8x8 digits"
ROWS = {"quick": 600, "full": 1797}
HIDDEN = (16,)
KEPT = 0.005  # of the entries, on average
TARGET = 0.2  # loss over that at the start
LONGEST = 300
GRID = 2.0 ** np.arange(-3, 3, 0.5)


def network_is_here() -> bool:
    """Whether torch and scikit-learn are."""
    return all(find_spec(name) is not None for name in ("torch", "sklearn"))


def iterations(setting: Setting, imbalance: int, name: str, seed: int) -> float:
    """Return the iterations to the target at the best step of the grid by a preset's ratios; infinite if missed."""
    inputs = {"network": TITLE, "imbalance": imbalance, "preset": name, "seed": seed, "budget": setting.budget}
    return float(setting.cache.get(partial(_run, setting.budget, imbalance, name, seed), **inputs)["iterations"])


def _run(budget: str, imbalance: int, name: str, seed: int) -> Arrays:
    data, p = load_digits(), shares_of(runs.WORKERS, imbalance)
    features, labels = data.features[: ROWS[budget]], data.targets[: ROWS[budget]]
    where = mlp(features, labels, hidden=HIDDEN).split(runs.skewed_split(labels, p, 0.0, seed))
    keep = runs.counts(float(PRESETS[name].exponent), p, runs.entries(where, KEPT), where.d)
    start = where.start(seed=seed)
    torch = import_module("torch")
    method = runs.StepGrid(ErrorFeedback(PerWorkerTopK(keep), step_size=1.0), array_like(GRID[:, None], start))
    x0 = torch.stack([start] * len(GRID))
    target = TARGET * float(where.objective(start))
    result = run(method, where, LONGEST, x0=x0, until=lambda state: bool(state.value.min() <= target), reference=False)
    reached = float(result.value[-1].min()) <= target
    return {"iterations": np.array(result.iterations if reached else math.inf)}
