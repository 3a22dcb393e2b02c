"""The attacks on ratios and thresholds: that they hold, and that they refute what is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from taciturn.theory import theorem
from taciturn.verification.attack import ratio, witness
from taciturn.verification.attacks.family import as_record
from taciturn.verification.attacks.ratio_assignment import FAMILIES, allocation, integers, thresholds
from taciturn.verification.attacks.ratio_assignment.allocation import level_set, objective
from taciturn.verification.attacks.ratio_assignment.instances import problem, within_budget
from taciturn.verification.evidence import Budget, Verdict

RNG = np.random.default_rng
FEW = Budget(instances=6, cells=1, replicas=1)


EQUALITIES = (
    "chi2-identity", "minimax-ratio", "exponent-table", "gain-formula", "thr-traffic", "thr-optimal", "bits-optimal",
    "schedule-periodic",
)  # fmt: skip


@pytest.mark.parametrize("id", EQUALITIES)
def test_equalities_made_weaker_are_refuted_too(id: str) -> None:
    (evidence,) = witness(replace(theorem(id), value=0.95 * theorem(id).value), FEW)

    assert evidence.verdict is Verdict.VIOLATED


@pytest.mark.parametrize(("id", "factor"), [("thr-l1-rule", 0.3), ("thr-controller", 0.3), ("alloc-surrogate", 0.02)])
def test_loose_bounds_are_refuted_when_far_too_strong(id: str, factor: float) -> None:
    entry = theorem(id)
    (evidence,) = witness(replace(entry, value=factor * entry.value), Budget(instances=100, cells=1, replicas=1))

    assert evidence.verdict is Verdict.VIOLATED, evidence.prose


def _random(id: str, count: int = 20) -> list[dict[str, object]]:
    family = FAMILIES[id]
    drawn = family.sample(count, family.dimensions[-1], RNG(2))
    return [dict(as_record({name: values[i] for name, values in drawn.items()})) for i in range(count)]


def test_an_assignment_that_is_not_water_filling_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """In proportion to the weights, as the chi-square objective without its root would have it."""

    def proportional(of: allocation.Problem, b: float) -> tuple[np.ndarray, float]:
        share = (of.B - of.c @ of.lower) / (of.c @ (of.upper - of.lower))
        return of.lower + share * (of.upper - of.lower), 1.0

    monkeypatch.setattr(allocation, "level_set", proportional)
    found = [ratio(theorem("waterfill"), instance) for instance in _random("waterfill")]

    assert max(found) > 1.01


def test_counts_by_rounding_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def equal(w: np.ndarray, b: float, costs: np.ndarray, budget: int) -> tuple[np.ndarray, float, float]:
        return np.full(len(w), budget // len(w)), 0.0, 0.0

    monkeypatch.setattr(integers, "_greedy", equal)
    assert max(ratio(theorem("int-greedy"), instance) for instance in _random("int-greedy")) > 1.01


def test_forgotten_memories_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without memory nothing of the tight instance is ever sent: the stated traffic is not attained."""
    monkeypatch.setattr(
        thresholds, "traffic", lambda gradients, rule: (np.zeros(len(gradients), dtype=int), np.ones(len(gradients)))
    )
    assert ratio(theorem("thr-traffic"), _random("thr-traffic", 1)[0]) > 1.01


def test_the_level_spends_the_budget_with_one_price() -> None:
    for instance in _random("waterfill"):
        of, b = problem(instance), float(instance["b"])
        delta, price = level_set(of, b)
        assert of.c @ delta == pytest.approx(of.B)
        assert np.all((delta >= of.lower) & (delta <= of.upper))
        inside = (delta > of.lower * 1.0001) & (delta < of.upper * 0.9999)
        assert b * of.w[inside] / delta[inside] ** (b + 1) == pytest.approx(price * of.c[inside])
        assert objective(of.w, delta, b) <= np.min(objective(of.w, of.others, b)) * (1 + 1e-12)


def test_points_are_feasible() -> None:
    rng = RNG(4)
    lower, costs = np.full(3, 0.1), rng.uniform(0.5, 2, 3)
    points = within_budget(rng.uniform(0.1, 1, (200, 3)), costs, 1.0, lower)

    assert np.all(points @ costs <= 1.0 + 1e-12)
    assert np.all(points >= lower)
