"""Attacks on the assignment problem and its certificates (dossier 3.7, 3.12)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from scipy.optimize import brentq

from taciturn.solvers.ratios import (
    Criterion,
    RatioProblem,
    SquaredMemory,
    SquaredNoise,
    assign,
    rational_gap,
    waterfill,
)
from taciturn.theory.theorem import Theorem

from ..family import Family, Instance
from ..fields import Fields, Integers, Positive
from ..measures import agreement, quotient, stated
from .instances import BOXES, WEIGHED, WORKERS, Problem, Vector, each, extreme, memory_cost, problem

__all__ = ["FAMILIES", "level_set", "objective", "stationary"]


def objective(w: Vector, delta: Vector, b: float) -> Vector:
    """Return sum_i w_i delta_i^(-b) of assignments (..., n)."""
    return np.asarray(np.sum(w * delta**-b, axis=-1))


def stationary(of: Problem, price: float, b: float) -> Vector:
    """Return the minimisers of w_i y^(-b) + price c_i y over the boxes."""
    return np.clip((b * of.w / (price * of.c)) ** (1 / (1 + b)), of.lower, of.upper)


def level_set(of: Problem, b: float) -> tuple[Vector, float]:
    """Return the assignment of the statement and its price, by bisection of the budget equation."""

    def excess(log_price: float) -> float:
        return float(of.c @ stationary(of, np.exp(log_price), b) - of.B)

    slopes = b * of.w / of.c
    low, high = np.log(np.min(slopes / of.upper ** (1 + b))), np.log(np.max(slopes / of.lower ** (1 + b)))
    price = float(np.exp(brentq(excess, low - 1e-6, high + 1e-6, xtol=1e-14, rtol=1e-14)))
    return stationary(of, price, b), price


def _chi2(theorem: Theorem, instance: Instance) -> float:
    """Free shares of the budget are no better than P, and differ from it as the divergence says."""
    w, c, b, B = (np.asarray(instance[name], dtype=float) for name in ("weights", "costs", "b", "share"))
    scale = (w * c**b) ** (1 / (1 + b))
    P = scale / np.sum(scale)
    others = np.asarray(instance["others"])
    Q = np.concatenate([P[None], others / np.sum(others, axis=1, keepdims=True)])
    value = stated(theorem.evaluate(assignment_scale=np.sum(scale), ratio_budget=B, objective_exponent=b).value)
    found = objective(w, Q * B / c, float(b))
    identity = agreement(found, value * np.sum(P ** (1 + b) * Q**-b, axis=1))
    if b == 1:
        identity = np.maximum(identity, agreement(found, value * (1 + np.sum((P - Q) ** 2 / Q, axis=1))))
    return float(max(np.max(identity), np.max(quotient(value, found)), agreement(found[0], value)))


def _waterfill(theorem: Theorem, instance: Instance) -> float:
    """The clipped assignment against other points and linear programs around it; and the library against both."""
    del theorem
    of, b = problem(instance), float(instance["b"])
    best = objective(of.w, level_set(of, b)[0], b)
    # Points between the answer and the others, as near to it as a thousandth.
    delta = level_set(of, b)[0]
    nearby = np.concatenate([of.others, *(delta + t * (of.others - delta) for t in (0.1, 1e-3))])
    solved = waterfill(of.w, of.B, costs=of.c, lower=of.lower, upper=of.upper, b=b)
    return float(max(np.max(quotient(best, objective(of.w, nearby, b))), agreement(solved.objective, best)))


def _gap_dual(theorem: Theorem, instance: Instance) -> float:
    """The distance from the optimum in units of the objective; at the optimum with its own price it is attained."""
    del theorem
    of, b = problem(instance), float(instance["b"])
    delta, own = level_set(of, b)
    best = objective(of.w, delta, b)
    worst = 0.0
    for price in (own, own * float(instance["factor"])):
        at_price = stationary(of, price, b)
        dual = objective(of.w, at_price, b) + price * (of.c @ at_price - of.B)
        found = objective(of.w, np.concatenate([delta[None], of.others]), b)
        worst = max(worst, float(np.max(1 - ((found - dual) - (found - best)) / found)))
    return worst


def _gap_fw(theorem: Theorem, instance: Instance) -> float:
    """The filled point against other feasible ones, and the gap against the distance from the optimum."""
    del theorem
    of, b = problem(instance), int(instance["b"])
    best = objective(of.w, level_set(of, b)[0], b)
    worst = 0.0
    for delta in of.others:
        gap = _filled_gap(of, delta, b)
        slopes = b * of.w / delta ** (b + 1)
        found = objective(of.w, delta, b)
        worst = max(worst, float(1 - (gap - (found - best)) / found))
        elsewhere = (of.others - delta) @ slopes
        worst = max(worst, float(np.max(1 - (gap - elsewhere) / (slopes @ of.upper))))
    proven = rational_gap(waterfill(of.w, of.B, costs=of.c, lower=of.lower, upper=of.upper, b=float(b)))
    return max(worst, 1 + max(float(proven.relative_gap) - 1e-9, 0.0))


def _filled_gap(of: Problem, delta: Vector, b: int) -> float:
    """max_y sum_i g_i (y_i - delta_i), filled in the order of g/c, in rational arithmetic."""
    w, c, lower, upper, at = ([Fraction(x) for x in a.tolist()] for a in (of.w, of.c, of.lower, of.upper, delta))
    g = [b * w_i / delta_i ** (b + 1) for w_i, delta_i in zip(w, at, strict=True)]
    left = Fraction(of.B) - sum((c_i * l_i for c_i, l_i in zip(c, lower, strict=True)), Fraction(0))
    y = list(lower)
    for i in sorted(range(len(g)), key=lambda i: -g[i] / c[i]):
        more = min(upper[i] - lower[i], max(left, Fraction(0)) / c[i])
        y[i] += more
        left -= more * c[i]
    return float(sum(g_i * (y_i - at_i) for g_i, y_i, at_i in zip(g, y, at, strict=True)))


def _exact_objectives(theorem: Theorem, instance: Instance) -> float:
    """The solutions of the stationarity conditions against other assignments; curvature by midpoints."""
    del theorem
    of = problem(instance)
    worst = 0.0
    costs: tuple[tuple[Criterion, Callable[[Vector], Vector]], ...] = (
        (SquaredMemory(), lambda delta: memory_cost(delta) ** 2),
        (SquaredNoise(), lambda delta: (1 - delta) / (1 - np.sqrt(1 - delta))),
    )
    for criterion, cost in costs:
        found = assign(RatioProblem(of.w, of.B, of.c, of.lower, of.upper), criterion)
        values = np.sum(of.w * cost(of.others), axis=1)
        worst = max(worst, float(np.max(quotient(np.sum(of.w * cost(found.delta)), values))))
        worst = max(worst, _bent(cost, instance["others"]))
    # a itself: convex up to 8/9, concave beyond.
    points = np.asarray(instance["others"])
    worst = max(worst, _bent(memory_cost, points * 8 / 9))
    return max(worst, _bent(lambda delta: 5 - memory_cost(delta), 8 / 9 + points / 9))


def _bent(cost: Callable[[Vector], Vector], points: Vector) -> float:
    """The cost in the middle of pairs of points, relative to the mean of their costs: at most 1 if convex."""
    x, y = np.asarray(points)[::2], np.asarray(points)[1::2]
    middle, ends = cost((x + y) / 2), (cost(x) + cost(y)) / 2
    return float(np.max(1 - (ends - middle) / (1 + np.abs(ends))))


def _surrogate(theorem: Theorem, instance: Instance) -> float:
    """Two workers, whose best assignment is found on a grid: what the surrogate loses is at least what is measured."""
    w, c = (np.asarray(instance[name], dtype=float)[:2] for name in ("weights", "costs"))
    B = float(instance["share"] * np.sum(c))
    grid = np.linspace(max(1e-4, (B - c[1]) / c[0]), min(1.0, B / c[0] - 1e-4), 1001)
    costs = w[0] * memory_cost(grid) + w[1] * memory_cost(np.clip((B - c[0] * grid) / c[1], 1e-9, 1.0))
    delta = waterfill(w, B, costs=c).delta
    lost = float(w @ memory_cost(delta) - np.min(costs))
    value = theorem.evaluate(weight_sum=np.sum(w), largest_weight=np.max(w / c), ratio_budget=B).value
    return float(quotient(lost, stated(value)))


def _minimax(theorem: Theorem, instance: Instance) -> float:
    w, c, B = (np.asarray(instance[name], dtype=float) for name in ("weights", "costs", "share"))
    value = stated(theorem.evaluate(weight_cost=w @ c, ratio_budget=B).value)
    others = np.asarray(instance["others"])
    spent = others * (B / (others @ c))[:, None]
    # In proportion to the weights, with all of the budget.
    best = w * (B / (w @ c))
    return float(max(np.max(quotient(value, np.max(w / spent, axis=1))), np.max(agreement(w / best, value))))


def _myopic(theorem: Theorem, instance: Instance) -> float:
    """Vertices with at most one fraction against other assignments; and the order of the linear case."""
    del theorem
    of = problem({**instance, "lower": np.zeros(WORKERS), "upper": np.ones(WORKERS)})
    p, m = of.w / np.sum(of.w), np.asarray(instance["norms"])
    gains = p**2 * m**2
    filled = np.zeros(WORKERS)
    for i in np.argsort(-gains / of.c):
        filled[i] = np.clip((of.B - of.c @ filled) / of.c[i], 0.0, 1.0)
    linear = quotient(gains @ (1 - filled), (1 - of.others) @ gains)
    vertices = [
        np.insert(np.array(corner, dtype=float), i, (of.B - np.delete(of.c, i) @ corner) / of.c[i])
        for i in range(WORKERS)
        for corner in itertools.product((0, 1), repeat=WORKERS - 1)
    ]
    roots = [np.sqrt(1 - np.clip(v, 0, 1)) @ (p * m) for v in vertices if np.all((v >= -1e-12) & (v <= 1 + 1e-12))]
    concave = quotient(min(roots), np.sqrt(1 - of.others) @ (p * m))
    return float(max(np.max(linear), np.max(concave)))


_EXPONENT: Fields = {"b": Positive(0.25, 4.0)}
_WHOLE: Fields = {"b": Integers(1, 3)}
_OTHERS: Fields = {**WEIGHED, "others": BOXES["others"]}
_DUAL: Fields = {**BOXES, **_EXPONENT, "factor": Positive(1e-3, 1e3)}
_NORMS: Fields = {**WEIGHED, "others": BOXES["others"], "norms": Positive(1e-2, 10.0, rows=(WORKERS,))}


def _family(fields: Fields, ratio: Callable[[Theorem, Instance], float], compares: str, **parts: object) -> Family:
    return Family(fields, each(ratio), compares, extreme(fields, **parts), dimensions=(1,))


FAMILIES = {
    "chi2-identity": _family(
        {**_OTHERS, **_EXPONENT}, _chi2, "stated minimum / objective, and the identity between them in both directions"
    ),
    "waterfill": _family({**BOXES, **_EXPONENT}, _waterfill, "objective of the statement / of other assignments"),
    "gap-dual": _family(_DUAL, _gap_dual, "1 - (gap less distance from the optimum) / objective", factor=2.0),
    "gap-fw": _family({**BOXES, **_WHOLE}, _gap_fw, "1 - (gap less distance from the optimum) / objective", b=1),
    "exact-objectives": _family(
        BOXES, _exact_objectives, "objective of the stationary assignment / of others; middle / mean of the ends"
    ),
    "alloc-surrogate": _family(WEIGHED, _surrogate, "loss / its bound"),
    "minimax-ratio": _family(_OTHERS, _minimax, "stated / found smallest largest quotient"),
    "myopic-vertex": _family(
        _NORMS, _myopic, "what the best vertex leaves out / what others leave out", norms=[1.0, 2.0, 3.0, 4.0]
    ),
}
