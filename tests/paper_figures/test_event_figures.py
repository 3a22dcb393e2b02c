"""Figures about event-triggered messages: what they show follows from theorems, and verdicts from measurements."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures import (
    event_claims,
    event_mixing,
    event_residual,
    event_savings,
    event_tensors,
    event_workers,
)
from taciturn.paper_figures import event_judgements as judge
from taciturn.paper_figures import event_runs as runs
from taciturn.paper_figures import event_tasks as tasks
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.verdicts import Finding, Verdict
from taciturn.solvers.decentralised import Adaptive, Tensors, run_decentralised
from taciturn.theory import theorem
from taciturn.verification.norm_paths import event_pattern, published


def test_the_rule_forces_its_first_passes_and_falls_silent_beyond_the_limit() -> None:
    steady = np.arange(200.0)[:, None]
    limit = float(theorem("horizon-lockout").evaluate().value)
    rules = (published(limit + change) for change in (-1e-3, 1e-3))
    below, beyond = (event_pattern(steady, rule) for rule in rules)

    assert below[: runs.FORCED].all()
    assert beyond[: runs.FORCED].all()
    assert 0.2 < below[runs.FORCED :].mean() < 0.6
    assert not beyond[runs.FORCED :].any()


def test_the_pattern_does_not_depend_on_the_scale() -> None:
    norms = 100 + np.cumsum(np.random.default_rng(0).normal(size=(300, 5)), axis=0)
    plain, scaled = (event_pattern(S, Adaptive())[runs.FORCED :] for S in (norms, 7 * norms + 2))

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
    loss, bits, full = np.array([4.0, 2.0, 1.0]), np.array([64.0]), np.array(128.0)
    found = runs.Course(np.array([0, 2, 4]), loss, zeros, zeros, zeros, events, bits, full)

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


def test_the_end_of_a_run_has_the_accuracy_of_the_average_and_that_of_the_workers(digits: None, tmp_path: Path) -> None:
    rule, where = replace(runs.RULES["B, constant 1"], step=0.5), tasks.task(8, "quick")
    found = runs.course(Setting(Cache(tmp_path)), rule, 60)
    again = run_decentralised(rule.method(where), where.problem, 60, where.start, record_every=60).state
    each = [where.accuracy(x) for x in again.points]

    assert np.isnan(found.workers_accuracy[:-1]).all()
    assert found.workers_accuracy[-1] == pytest.approx(np.mean(each), rel=1e-12)
    assert found.accuracy[-1] == where.accuracy(again.average)
    assert found.accuracy[-1] - found.workers_accuracy[-1] > 0.02  # these workers have hardly spoken


def test_every_rule_has_a_look() -> None:
    assert list(event_savings.LOOKS) == list(runs.RULES)


# ---- networks ----

needs_torch = pytest.mark.skipif(not tasks.torch_is_here(), reason="torch is not installed")


@pytest.fixture
def digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The 8x8 digits, or what there is without scikit-learn."""
    monkeypatch.delenv("TACITURN_DATA", raising=False)
    if tasks.images("quick")[0].name == "mnist":
        for function in (tasks.images, tasks._softmax_task, tasks._network_task):
            function.cache_clear()


@needs_torch
def test_the_network_has_the_published_tensors_and_bits(digits: None) -> None:
    tensors = tasks.task(8, "quick", tasks.CNN2).tensors
    bits = runs.RULES[runs.PUBLISHED].bits(tensors)

    assert tensors.sizes == (90, 10, 1800, 20, 25_000, 50, 500, 10)
    assert bits.sum() == 27_480 * 32
    assert bits[tensors.names.index("dense1.weight")] / bits.sum() == pytest.approx(0.91, abs=1e-3)
    assert len(tasks.task(8, "quick", tasks.BATCH_NORM).tensors.sizes) == 10


@pytest.mark.parametrize(("workers", "share"), [(4, 0.012), (8, 0.025), (16, 0.049), (32, 0.097)])
def test_forced_passes_are_the_share_that_the_counting_rules_say(workers: int, share: float) -> None:
    each, batch = 60_000 // workers, tasks.NETWORK_BATCH["mnist"]
    where = tasks.Task(None, Tensors.whole(1), np.zeros(1), lambda x: 0.0, rows=each, batch=batch)

    assert runs.FORCED / where.passes(tasks.NETWORK_EPOCHS["full"]["mnist"]) == pytest.approx(share, abs=6e-4)


@needs_torch
def test_a_network_is_trained_tensor_by_tensor_from_one_start(digits: None, tmp_path: Path) -> None:
    found = runs.course(Setting(Cache(tmp_path)), runs.RULES[runs.PUBLISHED], 44, workers=3, model=tasks.CNN2)
    where = tasks.task(3, "quick", tasks.CNN2)

    assert found.events.shape == (44, 3, 8)
    assert found.events[: runs.FORCED].all()
    assert 0 < found.share_after_forced < 0.9
    assert found.loss[-1] < 0.97 * found.loss[0]
    # Bits weigh the tensors: all but all of them are those of the one with 25,000 entries.
    assert found.volume[-1] == pytest.approx(float(found.events[..., 4].mean()), abs=0.09)
    assert found.volume[-1] != pytest.approx(found.message_share, abs=1e-6)
    # All workers start where they agree, and F is over the first rows of each.
    assert found.disagreement[0] < 1e-9 < found.disagreement[-1]
    first = [block.of_rows(slice(tasks.MEASURED["quick"] // 3)) for block in where.problem.blocks]
    values = [float(where.problem._loss(where.start, block.features, block.labels)) for block in first]
    assert found.loss[0] == pytest.approx(np.mean(values), rel=1e-5)


@needs_torch
def test_the_pixels_of_a_network_are_standardised(digits: None) -> None:
    features = np.concatenate([block.features.numpy() for block in tasks.task(8, "quick", tasks.CNN2).problem.blocks])

    assert features.shape[1] == 784
    assert features.mean() == pytest.approx(0, abs=1e-4)
    assert features.std() == pytest.approx(1, abs=1e-4)


def test_without_torch_networks_are_left_out_and_it_is_said(
    digits: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "torch_is_here", lambda: False)
    monkeypatch.setattr(runs, "POINTS", 5)
    monkeypatch.setattr(event_savings, "PASSES", {"quick": 40})
    monkeypatch.setattr(event_workers, "WORKERS", (4,))
    monkeypatch.setattr(event_workers, "EPOCHS", {"quick": 2})
    monkeypatch.setattr(event_tensors, "ITERATIONS", {"quick": 30})
    setting = Setting(Cache(tmp_path))

    for figure, column, left in (
        (event_savings.FIGURE, "model", ["softmax"]),
        (event_workers.FIGURE, "model", ["softmax"]),
        (event_tensors.FIGURE, "part", ["growth"]),
    ):
        table = figure.compute(setting, lambda done, total: None)
        assert table.different(column) == left
        if "workers_accuracy" in table.columns:
            ends = table["iteration"] == table["iteration"].max() if "iteration" in table.columns else slice(None)
            assert np.isfinite(table["workers_accuracy"][ends]).all()
        figure.plot(table)
    finding = event_claims._cifar(setting)
    assert "left out, torch is not installed: CNN-2, CNN-2 with batch normalisation" in finding.data
    assert any("softmax regression: saving at equal loss" in check.quantity for check in finding.checks)
    assert not any("CNN" in check.quantity for check in finding.checks)


def test_larger_data_and_smaller_steps_are_the_same_run(digits: None) -> None:
    found = event_claims._scaled("quick")
    rule, where = runs.Rule(Adaptive(), step=runs.STEP / 10), tasks.task(8, "quick", scale=10.0)
    wrong = run_decentralised(rule.method(where), where.problem, 80, where.start, record_every=80)

    assert (found["plain"] == found["scaled"]).all()
    assert 0.2 < found["plain"].mean() < 0.8
    assert (wrong.events[runs.FORCED :] != found["plain"][: 80 - runs.FORCED]).any()


def test_messages_at_equal_loss_with_and_without_the_forced() -> None:
    ends = np.zeros(2)
    count = 2 * runs.FORCED

    def made(loss: list[float], fired: int) -> runs.Course:
        events = np.zeros((count, 1, 1), dtype=bool)
        events[:fired] = True
        return runs.Course(np.array([0, count]), np.array(loss), ends, ends, ends, events, np.ones(1), np.array(1.0))

    run, other = made([2.0, 0.5], runs.FORCED + 1), made([2.0, 0.0], count)
    assert event_claims._spent(run, other) == pytest.approx((runs.FORCED + 1) / (0.75 * count))
    assert event_claims._spent(run, other, forced=0.5) == pytest.approx((1 / count) / 0.25)
    assert event_claims._spent(made([2.0, 1.5], runs.FORCED), other, forced=0.5) == float("inf")


# ---- verdicts ----


def _messages(equal: float) -> Finding:
    good = judge.Saving(
        0.6,
        0.5,
        at_equal_loss=0.55,
        spent_after_forced=0.4,
        bits=0.3,
        bits_at_equal_loss=0.1,
        accuracy=0,
        workers_accuracy=0.3,
    )
    return judge.on_messages("C1", "Saves.", 0.6, {"a": good, "b": replace(good, at_equal_loss=equal)}, null=0.61)


@pytest.mark.parametrize(
    ("finding", "right", "wrong"),
    [
        (_messages, 0.51, 0.4),
        (lambda value: judge.on_tuning({"h": 1.0}, {"norms": value}, {"h": 0.0}), 0.0, 0.01),
        (lambda value: judge.on_tuning({"h": value}, {"norms": 0.0}, {}), 1.05, 1.3),
        (lambda value: judge.on_accuracy({"A": value}, {"A": 0.0}, {"A": 0.3}, {"A": 9.0}), 1.005, 1.1),
        (lambda value: judge.on_accuracy({"A": 1.0}, {"A": value}, {"A": 0.3}, {"A": 9.0}), 0.01, 0.011),
        (lambda value: judge.on_compression({"a": judge.Compression(0.2, 0.0, 0.3, value, 0.1)}), 0.4, 0.6),
        (lambda value: judge.on_guarantee(0.5, 0.999, value, 0.9), 1.0, 2e9),
        (lambda value: judge.on_guarantee(0.5, value, 1.0, 0.9), 0.999, 1.001),
        (lambda value: judge.on_workers({"ring, n = 4": 0.6}, {"ring, n = 4": value}, 0.6), 1.0, 1.05),
    ],
)
def test_a_wrong_measurement_changes_the_verdict(
    finding: Callable[[float], Finding], right: float, wrong: float
) -> None:
    assert finding(right).verdict is Verdict.REPRODUCED
    assert finding(wrong).verdict is Verdict.IN_PART


def test_what_accuracies_have_lost_is_measured_of_the_average_and_of_the_workers() -> None:
    def ends(accuracy: float, workers: float) -> runs.Course:
        last = np.array([np.nan, accuracy]), np.array([np.nan, workers])
        return runs.Course(
            np.array([0, 1]), np.ones(2), *last, np.ones(2), np.ones((1, 1, 1), bool), np.ones(1), np.ones(())
        )

    pairs = [(ends(0.75, 0.5), ends(1.0, 0.75)), (ends(0.5, 0.0), ends(0.5, 0.75))]
    assert event_claims._lost(pairs, "accuracy") == 0.125
    assert event_claims._lost(pairs, "workers_accuracy") == 0.5


def test_what_the_workers_have_lost_is_said_beside_and_decides_nothing(
    small_events: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "torch_is_here", lambda: False)
    setting = Setting(Cache(tmp_path))
    for claim in (event_claims._cifar, event_claims._accuracy, event_claims._compression):
        found = [check for check in claim(setting).checks if "accuracy lost" in check.quantity]
        workers = [check for check in found if "workers' accuracy" in check.quantity]
        assert len(found) == 2 * len(workers) > 0
        assert not any(check.decides for check in workers)
        assert all(check.decides for check in found if check not in workers)
