"""Rules that hold a traffic budget, against hostile gradients; and the thresholds that are optimal for one step."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from taciturn.solvers.compressors import HardThreshold
from taciturn.solvers.selection import threshold_indices
from taciturn.solvers.thresholds import L1Rule, ThresholdController, common_level, l1_norm, profile_thresholds


def send(memory, gradient, threshold):
    """One step of error feedback: the new memory, and how many entries are sent."""
    v = memory + gradient
    sent = HardThreshold(threshold)(v) if threshold > 0 else np.zeros_like(v)
    return v - sent, int(np.count_nonzero(sent))


def hostile_gradients(rng, iterations, d):
    """Constant just at a threshold, bursts, sign changes, decay, sparse spikes."""
    k = np.arange(iterations)[:, None]
    return {
        "constant": np.full((iterations, d), 1.0),
        "decaying": 0.7**k * np.ones((iterations, d)),
        "bursts": np.where(k % 7 == 0, 5.0, 0.01) * rng.standard_normal((iterations, d)),
        "alternating": np.where(k % 2 == 0, 1.0, -0.99) * np.ones((iterations, d)),
        "sparse": rng.standard_normal((iterations, d)) * (rng.random((iterations, d)) < 0.05),
        "late": np.where(k < iterations // 2, 0.0, rng.standard_normal((iterations, d))),
    }


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("eta", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("budget", [1, 3, 20])
def test_the_l1_rule_never_exceeds_its_budget(budget, eta, dtype):
    rng = np.random.default_rng(0)
    d = 20
    # As fast as thresholds may fall: memory is filled under high thresholds and sent under low ones.
    falling = (1 + eta * budget / d) ** -np.arange(200.0)[:, None] * np.ones((200, d))
    for gradients in (falling, *hostile_gradients(rng, 60, d).values()):
        rule, memory, threshold, total = L1Rule(budget, d, eta), np.zeros(d, dtype), 0.0, 0
        for k, gradient in enumerate(gradients.astype(dtype)):
            threshold = rule.threshold(l1_norm(gradient), threshold)
            memory, sent = send(memory, gradient, threshold)
            total += sent

            assert total <= (k + 1) * budget
            assert np.max(np.abs(memory)) <= threshold


@settings(max_examples=50)
@given(
    gradients=arrays(np.float64, (12, 4), elements=st.floats(-4, 4, width=16)),
    budget=st.integers(1, 4),
    eta=st.sampled_from([0.01, 0.5, 0.99]),
)
def test_the_l1_rule_for_every_sequence(gradients, budget, eta):
    rule, memory, threshold, total = L1Rule(budget, 4, eta), np.zeros(4), 0.0, 0
    for k, gradient in enumerate(gradients):
        threshold = rule.threshold(l1_norm(gradient), threshold)
        memory, sent = send(memory, gradient, threshold)
        total += sent
        assert total <= (k + 1) * budget


def test_a_rule_with_twice_the_budget_is_needed_to_break_it():
    """The budget is not met by a wide margin: half the threshold breaks it."""
    rule, memory, total = L1Rule(5, 20, eta=0.01), np.zeros(20), 0
    for _ in range(200):
        memory, sent = send(memory, np.full(20, 1.0), 0.5 * rule.threshold(20.0))
        total += sent
    assert total > 200 * 5


@pytest.mark.parametrize("gain", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("initial", [1e-3, 1.0, 1e3])
def test_the_controller_keeps_its_identity_and_its_guarantee(gain, initial):
    rng = np.random.default_rng(1)
    d, budget = 20, 4
    for gradients in hostile_gradients(rng, 300, d).values():
        controller, memory, threshold, total = ThresholdController(budget, gain), np.zeros(d), initial, 0
        bound = max(np.max(np.sum(np.abs(gradients), axis=1)), 1e-9)
        for k, gradient in enumerate(gradients, start=1):
            memory, sent = send(memory, gradient, threshold)
            threshold = controller.threshold(threshold, sent)
            total += sent

            assert total <= k * budget + controller.largest_excess(bound, initial, d)
        assert total / k == pytest.approx(budget * (1 + math.log(threshold / initial) / (gain * k)), rel=1e-9, abs=1e-9)


def test_a_gain_that_overflows_is_refused():
    with pytest.raises(ValueError, match="gain = 1 moves the threshold 1 out of double precision"):
        ThresholdController(1, 1.0).threshold(1.0, sent=10**6)


@pytest.mark.parametrize("seed", range(30))
def test_the_common_level_is_optimal_for_one_step(seed):
    """`thr-one-step`, against all supports."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    vectors, importance = rng.standard_normal((n, d)), rng.random(n) + 0.05
    budget = int(rng.integers(1, n * d + 1))
    thresholds = profile_thresholds(common_level(vectors, importance, budget), importance)
    sent = np.stack([HardThreshold(level * (1 - 1e-12))(v) for level, v in zip(thresholds, vectors, strict=True)])
    error = np.sum(importance**2 @ (vectors - sent) ** 2)
    squares = (importance[:, None] * vectors).ravel() ** 2
    best = min(squares.sum() - squares[list(kept)].sum() for kept in itertools.combinations(range(n * d), budget))

    assert np.count_nonzero(sent) == budget
    assert error == pytest.approx(best, abs=1e-12)


def test_levels_in_every_array_library(xp):
    vectors = np.random.default_rng(0).standard_normal((3, 50))
    expected = np.sort(np.abs(vectors * [[0.7], [0.2], [0.1]]).ravel())[-20]
    assert common_level(xp(vectors), [0.7, 0.2, 0.1], 20) == pytest.approx(expected)
    assert l1_norm(xp(vectors[0])) == pytest.approx(np.sum(np.abs(vectors[0])))


@pytest.mark.parametrize("d", [5, 100_000])
def test_entries_that_reach_a_threshold(xp, d):
    v = np.round(np.random.default_rng(0).standard_normal(d), 1)
    found = threshold_indices(xp(v), 1.0)

    np.testing.assert_array_equal(np.asarray(found), np.flatnonzero(np.abs(v) >= 1))
    np.testing.assert_array_equal(np.asarray(HardThreshold(1.0)(xp(v))), np.where(np.abs(v) >= 1, v, 0))


@pytest.mark.parametrize("position", [0, 60_000, 99_999])
def test_thresholds_see_every_entry_that_is_not_finite(position):
    v = np.ones(100_000)
    for bad in (np.nan, np.inf, -np.inf):
        v[position] = bad
        for call in (HardThreshold(2.0), lambda v: threshold_indices(v, 2.0), l1_norm):
            with pytest.raises(ValueError, match="NaN or infinite"):
                call(v)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: L1Rule(0, 5), "budget = 0"),
        (lambda: L1Rule(6, 5), "budget = 6"),
        (lambda: L1Rule(1, 5, eta=1.0), "eta = 1.0"),
        (lambda: L1Rule(1, 5, eta=0.0), "eta = 0.0"),
        (lambda: L1Rule(1, 5).threshold(math.nan), "l1_norm = nan"),
        (lambda: L1Rule(1, 5).threshold(1.0, -1.0), "previous = -1.0"),
        (lambda: ThresholdController(0, 1.0), "budget = 0.0"),
        (lambda: ThresholdController(1, 0.0), "gain = 0.0"),
        (lambda: ThresholdController(1, 1.0).threshold(0.0, 1), "current = 0.0"),
        (lambda: ThresholdController(1, 1.0).threshold(1.0, -1), "sent = -1.0"),
        (lambda: ThresholdController(9, 1.0).largest_excess(1.0, 1.0, d=5), "budget = 9.0"),
        (lambda: profile_thresholds(1.0, [0.5, 0.0]), r"importance\[1\] = 0.0"),
        (lambda: profile_thresholds(0.0, [0.5]), "level = 0.0"),
        (lambda: common_level(np.ones(3), [1.0], 1), "vectors has the shape"),
        (lambda: common_level(np.ones((2, 3)), [1.0], 1), "importance has 1 numbers"),
        (lambda: common_level(np.ones((2, 3)), [1.0, 1.0], 7), "budget = 7"),
        (lambda: threshold_indices(np.ones((2, 2)), 1.0), "v has the shape"),
        (lambda: threshold_indices(np.ones(2), 0.0), "magnitude_threshold = 0.0"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
