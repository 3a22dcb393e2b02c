"""Figures about event-triggered messages: what they show follows from theorems, and verdicts from measurements."""

from collections.abc import Callable

import numpy as np
import pytest

from taciturn.paper_figures import event_horizon, event_mixing, event_residual, event_savings, event_tensors
from taciturn.paper_figures import event_judgements as judge
from taciturn.paper_figures import event_runs as runs
from taciturn.paper_figures.verdicts import Finding, Verdict
from taciturn.solvers.decentralised import Adaptive, Tensors
from taciturn.theory import theorem


def test_the_rule_forces_its_first_passes_and_falls_silent_beyond_the_limit() -> None:
    steady = np.arange(200.0)[:, None]
    limit = float(theorem("horizon-lockout").evaluate().value)
    below, beyond = (event_horizon.event_pattern(steady, Adaptive(limit + change)) for change in (-1e-3, 1e-3))

    assert below[: runs.FORCED].all()
    assert beyond[: runs.FORCED].all()
    assert 0.2 < below[runs.FORCED :].mean() < 0.6
    assert not beyond[runs.FORCED :].any()


def test_the_pattern_does_not_depend_on_the_scale() -> None:
    norms = 100 + np.cumsum(np.random.default_rng(0).normal(size=(300, 5)), axis=0)
    plain, scaled = (event_horizon.event_pattern(S, Adaptive())[runs.FORCED :] for S in (norms, 7 * norms + 2))

    assert (plain == scaled).all()
    assert 0.2 < plain.mean() < 0.6


@pytest.mark.parametrize(("c", "gamma"), [(0.1, 0.032), (1.0, 0.032)])
def test_residuals_stay_below_their_bounds_and_the_stuck_one_attains_it(c: float, gamma: float) -> None:
    allowed = event_residual.bound("published", c, gamma)

    assert 0.998 * allowed < event_residual.residual("published", c, gamma, stuck=True) <= allowed
    assert event_residual.residual("published", c, gamma) <= allowed
    assert event_residual.residual("average-preserving", c, gamma) <= event_residual.bound(
        "average-preserving", c, gamma
    )


@pytest.mark.parametrize(("messages", "signs"), event_tensors.CASES.values(), ids=["a", "b"])
def test_simulated_growth_is_that_of_the_exact_matrix(messages: event_tensors.PeriodicMessages, signs: tuple) -> None:
    for schedule in (messages, messages.whole_vectors()):
        norms = event_tensors.simulated(schedule, signs, 900)
        assert norms[900] / norms[897] == pytest.approx(event_tensors.growth(schedule), rel=1e-3)
    assert event_tensors.growth(messages) > 1 > event_tensors.growth(messages.whole_vectors())


def test_the_best_strength_is_where_the_bound_is_least() -> None:
    W = runs.ring(event_mixing.WORKERS)
    best = event_mixing.best_strength(0.1)
    values = [event_mixing.bound(event_mixing.lazy(W, best * factor), 0.1) for factor in (0.95, 1.0, 1.05)]

    assert best == pytest.approx(0.425, abs=1e-3)
    assert values[1] < min(values[0], values[2])
    # What the dossier says of the weights 1/3 and of the threshold 1e-2.
    assert event_mixing.bound(W, 1e-2) == pytest.approx(1.868, abs=1e-3)
    assert event_mixing.problem().minimiser == pytest.approx(np.zeros(1), abs=1e-12)


def test_what_is_spent_until_a_loss_is_interpolated() -> None:
    events = np.ones((4, 2, 1), dtype=bool)
    zeros = np.zeros(3)
    found = runs.Course(
        np.array([0, 2, 4]), np.array([4.0, 2.0, 1.0]), zeros, zeros, events, np.array([64.0]), np.array(128.0)
    )

    assert found.messages.tolist() == [0, 0.5, 1.0]
    assert found.volume.tolist() == [0, 0.25, 0.5]
    assert found.until(3.0, found.messages) == 0.25
    assert found.until(0.5, found.messages) == float("inf")
    assert found.until(4.0, found.messages) == 0.0


def test_bits_of_sparse_events_count_indices() -> None:
    tensors = Tensors.of({"weight": 640, "bias": 10})

    assert runs.Rule(Adaptive()).bits(tensors).tolist() == [640 * 32, 320]
    assert runs.RULES["top 10 % at events, A"].bits(tensors).tolist() == [64 * (32 + 10), 32 + 4]
    assert runs.RULES["choco-event, top 10 %"].bits(tensors).tolist() == [65 * (32 + 10)]


def test_every_rule_has_a_look() -> None:
    assert list(event_savings.LOOKS) == list(runs.RULES)


def _messages(equal: float) -> Finding:
    return judge.on_messages(
        "C1", "Saves.", 0.6, nominal=0.6, with_forced=0.5, at_equal_loss=equal, null=0.61, accuracy=0.0
    )


@pytest.mark.parametrize(
    ("finding", "right", "wrong"),
    [
        (_messages, 0.51, 0.4),
        (lambda value: judge.on_tuning({"h": 1.0}, value, 0.0), 0.0, 0.01),
        (lambda value: judge.on_tuning({"h": value}, 0.0, 0.0), 1.05, 1.3),
        (lambda value: judge.on_accuracy({"A": value}, {"A": 0.0}), 1.005, 1.1),
        (lambda value: judge.on_compression(0.2, 0.0, value, 0.1), 0.4, 0.6),
        (lambda value: judge.on_guarantee(0.5, 0.999, value, 0.9), 1.0, 2e9),
        (lambda value: judge.on_guarantee(0.5, value, 1.0, 0.9), 0.999, 1.001),
        (lambda value: judge.on_workers({4: 0.6}, {4: value}, 0.6), 1.0, 1.05),
    ],
)
def test_a_wrong_measurement_changes_the_verdict(
    finding: Callable[[float], Finding], right: float, wrong: float
) -> None:
    assert finding(right).verdict is Verdict.REPRODUCED
    assert finding(wrong).verdict is Verdict.IN_PART


def test_a_replay_does_not_decide_about_one_sided_messages() -> None:
    for difference in (0.0, 1.0, None):
        finding = judge.on_parallel(difference)
        assert finding.verdict is Verdict.NOT_TESTABLE
        assert [check.holds for check in finding.checks] == ([] if difference is None else [difference == 0])
