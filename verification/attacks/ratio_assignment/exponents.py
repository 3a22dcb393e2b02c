"""Attacks on exponents and predicted gains (dossier 3.8)."""

from __future__ import annotations

import numpy as np

from taciturn.solvers.ratios import predicted_gain, predicted_saving, waterfill
from taciturn.theory.theorem import Theorem

from ..family import Family, Instance
from ..fields import Fields, Positive
from ..measures import agreement, quotient, stated
from .instances import WORKERS, Vector, each

__all__ = ["FAMILIES"]

_TINY = 1e-9  # a budget so small that no ratio reaches 1


def _shares(instance: Instance) -> Vector:
    volumes = np.asarray(instance["volumes"], dtype=float)
    return np.asarray(volumes / np.sum(volumes))


def _exponent_table(theorem: Theorem, instance: Instance) -> float:
    """The slope of the solver's ratios between the smallest and the largest worker."""
    p, e, b = _shares(instance), float(instance["e"]), float(instance["b"])
    delta = waterfill(p**e, _TINY, b=b).delta
    value = stated(theorem.evaluate(weight_exponent=e, objective_exponent=b).value)
    least, most = np.argmin(p), np.argmax(p)
    across = np.log(p[most] / p[least])
    if across < 0.1:
        return float("nan")
    return float(agreement(np.log(delta[most] / delta[least]) / across, value))


def _exponent_symmetry(theorem: Theorem, instance: Instance) -> float:
    del theorem
    p, alpha, B = _shares(instance), float(instance["alpha"]), float(instance["budget"])

    def cost(exponent: float) -> float:
        return float(np.sum(p / (B * p**exponent / np.sum(p**exponent))))

    # Log-convex in the exponent: the middle of two is at most their geometric mean.
    other = float(instance["other"])
    middle = quotient(cost((alpha + other) / 2), np.sqrt(cost(alpha) * cost(other)))
    ends = agreement(cost(0.0), WORKERS / B), agreement(cost(1.0), WORKERS / B)
    return float(max(agreement(cost(alpha), cost(1 - alpha)), quotient(cost(0.5), cost(alpha)), middle, *ends))


def _gain(theorem: Theorem, instance: Instance) -> float:
    """Equal ratios against the solver's, both of a budget that no box notices."""
    p = _shares(instance)
    value = stated(theorem.evaluate(workers=WORKERS, root_sum=min(np.sum(np.sqrt(p)), np.sqrt(WORKERS))).value)
    gain = np.sum(p / (_TINY / WORKERS)) / waterfill(p, _TINY).objective
    ours = agreement(predicted_gain(p), gain), agreement(1 / (1 - predicted_saving(p)), gain)
    return float(max(agreement(gain, value), *ours))


_VOLUMES: Fields = {"volumes": Positive(1e-4, 1.0, rows=(WORKERS,))}
_HARD = ([1.0] * WORKERS, [1.0, 1e-4, 1e-4, 1e-4], [1.0, 0.5, 0.25, 0.125])

FAMILIES = {
    "exponent-table": Family(
        {**_VOLUMES, "e": Positive(0.1, 3.0), "b": Positive(0.25, 4.0)},
        each(_exponent_table),
        "exponent of the best ratios / stated, or the reverse: an equality",
        lambda: ({"volumes": volumes, "e": e, "b": 1.0} for volumes in _HARD for e in (0.5, 1.0, 2.0)),
        dimensions=(1,),
    ),
    "exponent-symmetry": Family(
        {
            **_VOLUMES,
            "alpha": Positive(1e-3, 1.0),
            "other": Positive(1e-3, 1.0),
            "budget": Positive(1e-3, 1.0),
        },
        each(_exponent_symmetry),
        "cost of one exponent / of its mirror image, or the reverse; of 1/2 / of others",
        lambda: ({"volumes": v, "alpha": a, "other": 1.0, "budget": 0.1} for v in _HARD for a in (0.001, 0.5, 1.0)),
        dimensions=(1,),
    ),
    "gain-formula": Family(
        _VOLUMES,
        each(_gain),
        "measured / stated gain, or the reverse: an equality",
        lambda: ({"volumes": volumes} for volumes in _HARD),
        dimensions=(1,),
    ),
}
