"""A search for runs that a trigger leaves stuck: it never fires, and the workers stay away from the minimiser.

Nothing is known beforehand: identical workers on quadratics start from random instances, which are changed again and
again. For a safe trigger no error can exceed the bound of `eg-sc`; for the published one there is no bound
(`norm-diff-unsafe`), and the search finds that by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from taciturn.solvers.decentralised import EventTriggeredGradient, Trigger, run_decentralised
from taciturn.solvers.problems import quadratic
from taciturn.theory import theorem
from taciturn.theory.checks import check_count, check_positive

__all__ = ["Stuck", "examine", "search"]

Floats = NDArray[np.float64]

_ELITE = 40


@dataclass(frozen=True)
class Stuck:
    """An instance on which the trigger has not fired after the first iteration, and how far it stays from the solution.

    Parameters
    ----------
    start, centre : tuple of float
        Of every worker, and the minimiser.
    curvatures : tuple of float
        Of every worker's quadratic along the two axes; the larger one is 1.
    self_weight, step_size : float
        w, and gamma up to ``2 w/(L + mu)``, which `eg-sc` admits.
    unseen : float
        ``|x - copy|`` at the end.
    error, bound : float
        ``|x - minimiser|`` at the end, and what `eg-sc` says of it if every copy is within the threshold.
    tried : int
        Number of instances tried.
    """

    start: tuple[float, ...]
    centre: tuple[float, ...]
    curvatures: tuple[float, ...]
    self_weight: float
    step_size: float
    unseen: float
    error: float
    bound: float
    tried: int

    @property
    def ratio(self) -> float:
        """Error / bound: at most 1 for a safe trigger."""
        return self.error / self.bound

    @property
    def forgetfulness(self) -> float:
        """Step times curvature along the way to where the run stays, in units of w: 1 if it gets there at once."""
        centred = np.subtract(self.start, self.centre)
        share = np.abs(np.asarray(self.curvatures) * centred)
        curvature = np.asarray(self.curvatures)[int(np.argmax(share))]
        return float(self.step_size * curvature / self.self_weight)


def search(
    trigger: Trigger, threshold: float = 1.0, *, generations: int = 60, children: int = 300, seed: int = 0
) -> Stuck:
    """Search for the instance with the largest error / bound on which a trigger stays silent.

    Parameters
    ----------
    trigger : Trigger
        Of the published update, with whole vectors.
    threshold : float
        c: what the trigger is meant to keep every copy within.
    generations, children : int
        How often the worst instances known are changed, and how many new ones there are each time.
    seed : int
        Of everything random.

    Examples
    --------
    >>> from taciturn.solvers.decentralised import Constant, DifferenceNorm, NormDifference
    >>> search(DifferenceNorm(Constant(1.0)), generations=5).ratio <= 1
    True
    >>> search(NormDifference(Constant(1.0)), generations=20).ratio > 5
    True
    """
    check_positive(threshold, "threshold")
    check_count(generations, "generations")
    check_count(children, "children", lowest=_ELITE)
    rng = np.random.default_rng(seed)
    pool = _drawn(children, threshold, rng)
    scores = _scores(trigger, threshold, pool)
    for _ in range(generations):
        elite = np.argsort(-scores, kind="stable")[:_ELITE]
        pool, scores = {name: values[elite] for name, values in pool.items()}, scores[elite]
        parents = rng.integers(_ELITE, size=children)
        changed = _changed({name: values[parents] for name, values in pool.items()}, rng)
        pool = {name: np.concatenate([values, changed[name]]) for name, values in pool.items()}
        scores = np.concatenate([scores, _scores(trigger, threshold, changed)])
    best = {name: values[[int(np.argmax(scores))]] for name, values in pool.items()}
    found = examine(trigger, threshold, best)
    return Stuck(
        start=tuple(best["start"][0].tolist()),
        centre=tuple(best["centre"][0].tolist()),
        curvatures=tuple(_curvatures(best)[0].tolist()),
        self_weight=float(best["self_weight"][0]),
        step_size=float(_steps(best)[0]),
        tried=(generations + 1) * children,
        **{name: float(found[name][0]) for name in ("unseen", "error", "bound")},
    )


def examine(
    trigger: Trigger, threshold: float, instances: Mapping[str, Floats], iterations: int = 40
) -> dict[str, Floats]:
    """Run instances, and return what is left after so many iterations.

    Parameters
    ----------
    trigger, threshold
        As in `search`.
    instances : mapping from name to array
        ``start`` and ``centre`` (m, 2), ``flatness`` (mu/L), ``self_weight`` and ``relative_step`` (m,).
    iterations : int
        K.

    Returns
    -------
    dict
        ``events`` after the first iteration, ``unseen``, ``error`` and ``bound``, all (m,).
    """
    w, gamma, H = instances["self_weight"], _steps(instances), _curvatures(instances)
    m = len(w)
    # Pairs of workers that nobody else talks to: one run for all instances. The step is in the Hessians.
    W = sparse.block_diag([[[a, 1 - a], [1 - a, a]] for a in w.tolist()], format="csr")
    twice = {name: np.repeat(instances[name], 2, axis=0) for name in ("start", "centre")}
    workers = quadratic(np.repeat(gamma[:, None] * H, 2, axis=0), twice["centre"])
    run = run_decentralised(
        EventTriggeredGradient(W, trigger, 1.0), workers, iterations, x0=twice["start"], record_every=iterations
    )
    left = np.linalg.norm(run.state.points - twice["centre"], axis=1)[::2]
    guarantee = theorem("eg-sc").evaluate(
        L=1.0, mu=H[:, 1], lambda_n=2 * w - 1, step_size=gamma, mixing_pull=1 - w, trigger_threshold=threshold,
        gradient_noise=0.0, workers=1,
    )  # fmt: skip
    away = np.linalg.norm(instances["start"] - instances["centre"], axis=1)
    return {
        "events": np.sum(run.events[1:, ::2], axis=(0, 2)).astype(float).reshape(m),
        "unseen": np.linalg.norm(run.state.points - run.state.copies, axis=1)[::2],
        "error": left,
        "bound": np.asarray(guarantee.bound(iterations, np.maximum(away, np.finfo(float).tiny))),
    }


def _curvatures(instances: Mapping[str, Floats]) -> Floats:
    flatness = instances["flatness"]
    return np.stack([np.ones_like(flatness), flatness], axis=1)


def _steps(instances: Mapping[str, Floats]) -> Floats:
    """``2 w/(L + mu)`` is the largest step, a hair less is used."""
    largest = 2 * instances["self_weight"] / (1 + instances["flatness"])
    return np.asarray(instances["relative_step"] * largest * (1 - 1e-12))


def _scores(trigger: Trigger, threshold: float, instances: Mapping[str, Floats]) -> Floats:
    """Error / bound where the trigger is silent, less than nothing where it is not."""
    found = examine(trigger, threshold, instances)
    return np.where(found["events"] > 0, -found["events"], found["error"] / found["bound"])


_LOWEST = {"flatness": 0.05, "self_weight": 0.1, "relative_step": 0.05}
_HIGHEST = {"flatness": 1.0, "self_weight": 0.9, "relative_step": 1.0}


def _drawn(m: int, threshold: float, rng: np.random.Generator) -> dict[str, Floats]:
    def vectors() -> Any:
        return rng.standard_normal((m, 2)) * threshold * 10 ** rng.uniform(-1, 3, (m, 1))

    numbers = {name: rng.uniform(low, _HIGHEST[name], m) for name, low in _LOWEST.items()}
    return {"start": vectors(), "centre": vectors(), **numbers}


def _changed(instances: Mapping[str, Floats], rng: np.random.Generator) -> dict[str, Floats]:
    """Scale and shift vectors, and move numbers, by much or by little; a part of every instance, or all of it."""
    m = len(instances["self_weight"])
    size = 10 ** rng.uniform(-4, 0, m)
    chosen = {name: rng.random(m) < 0.5 for name in instances}
    together = np.where(rng.random(m) < 0.3, np.exp(size * rng.standard_normal(m)), 1.0)[:, None]
    changed = {}
    for name, values in instances.items():
        if values.ndim == 2:
            length = np.linalg.norm(values, axis=1, keepdims=True)
            moved = values + size[:, None] * length * rng.standard_normal(values.shape)
            changed[name] = together * np.where(chosen[name][:, None], moved, values)
        else:
            moved = values + size * rng.standard_normal(m)
            changed[name] = np.clip(np.where(chosen[name], moved, values), _LOWEST[name], _HIGHEST[name])
    return changed
