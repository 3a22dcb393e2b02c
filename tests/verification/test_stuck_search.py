"""The search for runs that a trigger leaves stuck: it finds what the published trigger does not see, unasked."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction

import numpy as np
import pytest

from taciturn.solvers.decentralised import Constant, DifferenceNorm, NormAndAngle, NormDifference, Path
from taciturn.theory.event_triggering.counterexamples import stuck
from taciturn.verification.stuck_search import Stuck, examine, search

C = Constant(1.0)
SHARE = Constant(0.5**0.5)
REPAIRED = [DifferenceNorm(C), Path(C), NormAndAngle(SHARE, SHARE)]


def _again(found: Stuck, trigger: object, iterations: int) -> dict[str, float]:
    """Run the instance that was found for longer."""
    largest = 2 * found.self_weight / (found.curvatures[0] + found.curvatures[1])
    instance = {
        "start": np.array([found.start]),
        "centre": np.array([found.centre]),
        "flatness": np.array([found.curvatures[1]]),
        "self_weight": np.array([found.self_weight]),
        "relative_step": np.array([found.step_size / largest]),
    }
    measured = examine(trigger, 1.0, instance, iterations)  # type: ignore[arg-type]
    return {name: float(values[0]) for name, values in measured.items()}


@pytest.fixture(scope="module")
def published() -> Stuck:
    return search(NormDifference(C), generations=25)


def _is_stuck_unseen(found: Stuck) -> None:
    """Far from the solution and from the copies, by the bound and by the threshold (1), and it stays there."""
    assert found.ratio > 10
    assert found.unseen > 10
    assert found.error > 10
    # Nobody told it that a step of w over the curvature makes the iterate forget where it was.
    assert found.forgetfulness == pytest.approx(1, abs=0.1)
    longer = _again(found, NormDifference(C), 400)
    assert longer["events"] == 0
    assert longer["error"] == pytest.approx(found.error, rel=1e-6)


def test_the_published_trigger_is_found_stuck(published: Stuck) -> None:
    _is_stuck_unseen(published)
    assert published.error > 30


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_published_trigger_is_found_stuck_from_other_seeds(seed: int) -> None:
    _is_stuck_unseen(search(NormDifference(C), generations=25, seed=seed))


@pytest.mark.parametrize("trigger", REPAIRED, ids=lambda trigger: type(trigger).__name__)
def test_a_repaired_trigger_is_stuck_within_the_bound_only(trigger: object) -> None:
    found = search(trigger, generations=12)  # type: ignore[arg-type]

    assert 0.9 < found.ratio <= 1 + 1e-9
    assert found.unseen <= 1


@pytest.mark.parametrize("trigger", REPAIRED, ids=lambda trigger: type(trigger).__name__)
def test_what_fools_the_published_trigger_does_not_fool_a_repaired_one(trigger: object, published: Stuck) -> None:
    repaired = _again(published, trigger, 400)

    assert repaired["events"] > 0
    assert repaired["error"] <= repaired["bound"]


def test_the_critical_start_is_examined_as_replayed_exactly() -> None:
    """The instance of `eg-stuck` in rational arithmetic, and by the solver."""
    exact = stuck(Fraction(1), Fraction(1), Fraction(1, 3), Fraction(1, 3), Fraction(99, 100))
    x, copy = list(exact.replay(41))[-1]
    instance = {
        "start": np.array([[float(exact.start), 0.0]]),
        "centre": np.zeros((1, 2)),
        "flatness": np.ones(1),
        "self_weight": np.array([1 / 3]),
        "relative_step": np.ones(1),
    }
    found = examine(DifferenceNorm(C), 1.0, instance)

    assert found["events"][0] == 0
    assert found["error"][0] == pytest.approx(float(x), rel=1e-9)
    assert found["unseen"][0] == pytest.approx(float(copy - x), rel=1e-9)
    assert found["error"][0] / found["bound"][0] == pytest.approx(0.99, rel=1e-6)


def test_searches_are_reproducible() -> None:
    first, second = (search(NormDifference(C), generations=3, seed=5) for _ in range(2))
    assert asdict(first) == asdict(second)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": 0.0}, "threshold = 0.0"),
        ({"generations": 0}, "generations = 0"),
        ({"children": 3}, "children = 3"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        search(NormDifference(C), **arguments)  # type: ignore[arg-type]
