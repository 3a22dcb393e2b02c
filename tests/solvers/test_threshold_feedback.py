"""Error feedback with thresholds that follow a traffic budget."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taciturn.solvers.array import Stream
from taciturn.solvers.methods import MiniBatch, Noisy, ThresholdFeedback, run
from taciturn.solvers.partition import split_by_volume
from taciturn.solvers.problems import heterogeneous_quadratic, quadratic, ridge_regression
from taciturn.solvers.thresholds import L1Rule, ThresholdController, profile_thresholds
from taciturn.theory import theorem
from taciturn.theory.communication import AffineCost

N, D, K = 4, 10, 120
WEIGHTS = np.array([0.5, 0.3, 0.15, 0.05])
PROBLEM = heterogeneous_quadratic(N, D, L=1.0, mu=0.1, spread=1.0, seed=3, weights=WEIGHTS)
START = 3 * np.random.default_rng(0).standard_normal(D)
PROFILE = profile_thresholds(1.0, WEIGHTS)
STEP = 0.2

METHODS = {
    "l1 rule": ThresholdFeedback(L1Rule(2, D), step_size=STEP),
    "l1 rules": ThresholdFeedback([L1Rule(k, D, eta) for k, eta in ((4, 0.5), (3, 0.3), (2, 0.5), (1, 0.8))]),
    "l1 rule, total": ThresholdFeedback(L1Rule(8, N * D), profile=PROFILE, step_size=STEP),
    "controller": ThresholdFeedback(ThresholdController(2.0, 0.2), initial=0.3, step_size=STEP),
    "controllers": ThresholdFeedback(
        [ThresholdController(b, 0.1) for b in (4.0, 2.0, 1.5, 0.5)], initial=[0.1, 0.2, 0.3, 0.4], step_size=STEP
    ),
    "controller, total": ThresholdFeedback(ThresholdController(8.0, 0.1), PROFILE, initial=0.1, step_size=STEP),
    "l1 rule, noise": ThresholdFeedback(L1Rule(2, D), step_size=STEP, oracle=Noisy(0.5)),
}
every_exact = pytest.mark.parametrize("name", [name for name in METHODS if "noise" not in name])
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
RECORD = {
    "thresholds": lambda state: state.thresholds,
    "memory": lambda state: state.memory,
    "gradients": lambda state: state.gradients,
    "x": lambda state: state.x,
}


def by_hand(method, iterations):
    """One worker and one number after the other, from the formulas of the dossier; thresholds, traffic, points."""
    rules = list(method.rule) if isinstance(method.rule, list) else [method.rule] * N
    total = method.profile is not None
    theta = np.ones(N) if method.profile is None else method.profile
    step = 1 / (4 * PROBLEM.L) if method.step_size is None else method.step_size
    level = [0.0] * N if method.initial is None else list(np.broadcast_to(method.initial, N))
    x, e = START.copy(), np.zeros((N, D))
    rounded_up = L1Rule(1, D).threshold(0.5)  # instead of 1
    thresholds, traffic, points = [], [], [x]
    for _ in range(iterations):
        g = PROBLEM.worker_gradients(x)
        norms = [sum(abs(entry) for entry in row) for row in g]
        if total:
            norms = [sum(norm / t for norm, t in zip(norms, theta, strict=True))] * N
        for i, rule in enumerate(rules):
            if isinstance(rule, L1Rule):
                falling = level[i] / (1 + rule.eta * rule.budget / rule.d)
                level[i] = max(norms[i] / ((1 - rule.eta) * rule.budget), falling) * rounded_up
        used = [level[i] * theta[i] for i in range(N)]
        v = g + e
        m = np.array([[entry if abs(entry) >= used[i] else 0.0 for entry in v[i]] for i in range(N)])
        sent = np.count_nonzero(m, axis=1)
        e, x = v - m, x - step * WEIGHTS @ m
        for i, rule in enumerate(rules):
            if isinstance(rule, ThresholdController):
                entries = sent.sum() if total else sent[i]
                level[i] *= math.exp(rule.gain * (entries / rule.budget - 1))
        thresholds.append(used)
        traffic.append(sent)
        points.append(x)
    return np.array(thresholds), np.array(traffic), np.array(points)


@every_exact
def test_a_run_is_the_loop_by_hand(name):
    result = run(METHODS[name], PROBLEM, K, x0=START, record=RECORD)
    thresholds, traffic, points = by_hand(METHODS[name], K)
    np.testing.assert_allclose(result.recorded["thresholds"][1:], thresholds, rtol=1e-9)
    np.testing.assert_array_equal(result.sparsity, traffic)
    np.testing.assert_allclose(result.recorded["x"], points, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(result.cost, traffic * (4 + 64))
    assert len(np.unique(thresholds[:, 0])) > K / 8


@every_method
def test_memory_stays_below_the_latest_threshold(method):
    """thr-memory: the largest entry of the memory is below the threshold, for every worker, at every step."""
    result = run(method, PROBLEM, K, x0=START, record=RECORD)
    largest = np.abs(result.recorded["memory"]).max(axis=-1)
    assert np.all(largest[1:] < result.recorded["thresholds"][1:])
    assert np.max(largest[1:] / result.recorded["thresholds"][1:]) > 0.9


@every_exact
def test_traffic_is_within_its_bound(name):
    """thr-traffic, any thresholds: sum N_k <= sum |g_k|_1/lambda_k + d sum (lambda_(k-1)/lambda_k - 1)_+."""
    result = run(METHODS[name], PROBLEM, K, x0=START, record=RECORD)
    levels = result.recorded["thresholds"][1:]
    norms = np.abs(result.recorded["gradients"][:-1]).sum(axis=-1)
    falling = np.concatenate([np.zeros((1, N)), np.maximum(levels[:-1] / levels[1:] - 1, 0)])
    assert np.all(np.cumsum(result.sparsity, axis=0) <= np.cumsum(norms / levels + D * falling, axis=0) + 1e-9)


# ---- budgets ----


@pytest.mark.parametrize("oracle", [Noisy(2.0), Noisy(0.0)], ids=repr)
@pytest.mark.parametrize(("budget", "eta"), [(1, 0.1), (3, 0.5), (10, 0.9), (10, 0.1)])
def test_l1_rule_keeps_every_prefix_of_its_budget(budget, eta, oracle):
    """thr-l1-rule, every worker of 20 replicas, whatever the gradients."""
    method = ThresholdFeedback(L1Rule(budget, D, eta), step_size=0.9, oracle=oracle)
    result = run(method, PROBLEM, K, x0=np.random.default_rng(1).standard_normal((20, D)))
    allowed = budget * np.arange(1, K + 1)[:, None, None]
    assert np.all(np.cumsum(result.sparsity, axis=0) <= allowed)
    assert result.sparsity.sum(axis=0).max() > 0.2 * allowed[-1, 0, 0] * min(eta, 1 - eta)


def test_l1_rule_for_the_total_keeps_every_prefix_of_it():
    for profile in (np.ones(N), PROFILE, 1 / PROFILE):
        method = ThresholdFeedback(L1Rule(5, N * D, 0.3), profile, oracle=Noisy(1.0))
        result = run(method, PROBLEM, K, x0=START, record=RECORD)
        assert np.all(np.cumsum(result.sparsity.sum(axis=-1)) <= 5 * np.arange(1, K + 1))
        ratio = result.recorded["thresholds"][1:] / profile
        np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape), rtol=1e-12)


class Spikes:
    """Gradients that are large, then small: what makes a falling threshold send its memory."""

    def gradients(self, problem, points, rng):
        del problem
        scale = 10 ** (6 * rng.uniform((*points.shape[:-1], 1), like=points) - 3)
        return scale * rng.normal(points.shape, like=points)


@settings(max_examples=20, deadline=None)
@given(budget=st.integers(1, D), eta=st.floats(0.01, 0.99), seed=st.integers(0, 2**32 - 1))
def test_l1_rule_survives_gradients_of_all_sizes(budget, eta, seed):
    method = ThresholdFeedback(L1Rule(budget, D, eta), step_size=1e-9, oracle=Spikes())
    result = run(method, PROBLEM, 60, x0=START, seed=seed)
    assert np.all(np.cumsum(result.sparsity, axis=0) <= budget * np.arange(1, 61)[:, None])


@pytest.mark.parametrize("gain", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("initial", [1e-3, 1.0, 1e3])
def test_controller_keeps_its_guarantee_and_its_identity(gain, initial):
    """thr-controller: mean N = budget (1 + ln(lambda_K/lambda_0)/(gain K)), and an excess of at most a constant."""
    budget = 2.5
    method = ThresholdFeedback(ThresholdController(budget, gain), initial=initial, step_size=STEP, oracle=Noisy(1.0))
    result = run(method, PROBLEM, K, x0=np.random.default_rng(2).standard_normal((5, D)))
    drift = np.log(result.state.levels / initial)
    np.testing.assert_allclose(result.sparsity.mean(axis=0), budget * (1 + drift / (gain * K)), atol=1e-9)


def test_controller_of_bounded_gradients_exceeds_its_budget_by_no_more_than_promised():
    problem = quadratic(np.zeros((N, D)), np.zeros((N, D)), WEIGHTS)  # all that is seen is noise, of bounded l1 norm
    for initial, gain in ((1e-4, 0.1), (1e-2, 1.0), (1.0, 0.05)):
        controller = ThresholdController(2.0, gain)
        method = ThresholdFeedback(controller, initial=initial, step_size=1.0, oracle=Bounded())
        # The problem's own gradient is zero, which would end the run: the steps are taken one by one.
        state, total, stream = method.init(problem, START), np.zeros(N), Stream(0)
        excess = controller.largest_excess(l1_bound=D, initial=initial, d=D)
        for k in range(1, 200):
            state = method.step(problem, state, stream)
            total += state.sent.sparsity
            assert np.all(total <= 2.0 * k + excess)


class Bounded:
    """Gradients with entries in [-1, 1]."""

    def gradients(self, problem, points, rng):
        del problem
        return 2 * rng.uniform(points.shape, like=points) - 1


def test_controllers_hold_the_traffic_in_the_long_run():
    for name, budget in (("controller", 2.0 * N), ("controller, total", 8.0)):
        result = run(METHODS[name], PROBLEM, 800, x0=START)
        assert result.sparsity[400:].sum(axis=-1).mean() == pytest.approx(budget, rel=0.05)


# ---- convergence ----


def test_virtual_iterate_moves_by_what_the_workers_saw():
    problem = ridge_regression(np.random.default_rng(4).standard_normal((40, D)), np.ones(40), 0.1)
    problem, oracle = problem.split(split_by_volume(40, WEIGHTS, seed=0)), MiniBatch(3)
    for rule, initial in ((L1Rule(2, D), None), (ThresholdController(2.0, 0.1), 0.2)):
        method = ThresholdFeedback(rule, initial=initial, step_size=STEP, oracle=oracle)
        state = method.init(problem, START)
        for k in range(20):
            gradients = oracle.gradients(problem, np.broadcast_to(state.x, (N, D)), Stream(k))
            virtual = state.x - STEP * WEIGHTS @ state.memory
            state = method.step(problem, state, Stream(k))
            moved = state.x - STEP * WEIGHTS @ state.memory
            np.testing.assert_allclose(moved, virtual - STEP * WEIGHTS @ gradients, rtol=1e-11, atol=1e-13)


@every_exact
def test_runs_converge_as_the_theorem_says(name):
    """nuef-absolute with D = sqrt(d) sum p_i max lambda_i, the largest of the run."""
    method = ThresholdFeedback(**{**vars_of(METHODS[name]), "step_size": None})
    result = run(method, PROBLEM, 400, x0=START, record=RECORD)
    error = math.sqrt(D) * float(WEIGHTS @ result.recorded["thresholds"].max(axis=0))
    known = theorem("nuef-absolute").evaluate(L=PROBLEM.L, absolute_error=error, gradient_noise=0.0)
    assert result.state.step_size == pytest.approx(float(known.step_size))
    assert np.mean(result.squared_gradient_norm[:-1]) <= known.bound(400, result.gap[0])
    assert result.gap[-50:].mean() < 0.1 * result.gap[0]


def vars_of(method):
    return {name: getattr(method, name) for name in ("rule", "profile", "initial", "oracle", "cost")}


# ---- arrays ----


@every_exact
def test_replicas_agree_with_single_runs(name):
    starts = np.random.default_rng(5).standard_normal((2, 3, D))
    together = run(METHODS[name], PROBLEM, 10, x0=starts, record=RECORD)
    assert together.recorded["thresholds"].shape == (11, 2, 3, N)
    for index in np.ndindex(2, 3):
        alone = run(METHODS[name], PROBLEM, 10, x0=starts[index], record=RECORD)
        np.testing.assert_allclose(together.value[:, *index], alone.value, rtol=1e-9)
        np.testing.assert_allclose(together.recorded["thresholds"][:, *index], alone.recorded["thresholds"], rtol=1e-9)


@every_method
def test_torch_agrees_with_numpy(method):
    torch = pytest.importorskip("torch")
    x0 = torch.asarray(START)
    expected, found = run(method, PROBLEM, 30, x0=START), run(method, PROBLEM.on(x0), 30, x0=x0)
    assert type(found.state.memory) is torch.Tensor
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-8)
    np.testing.assert_array_equal(found.sparsity, expected.sparsity)


@every_method
def test_single_precision_keeps_its_type_and_the_budget(method):
    x0 = START.astype(np.float32)
    result = run(method, PROBLEM.on(x0), K, x0=x0)
    assert result.state.memory.dtype == np.float32
    if isinstance(method.rule, L1Rule) and method.profile is None:
        assert np.all(np.cumsum(result.sparsity, axis=0) <= method.rule.budget * np.arange(1, K + 1)[:, None])


@every_method
def test_steps_are_pure(method):
    state = method.step(PROBLEM, method.init(PROBLEM, START), Stream(0))
    before = {name: np.copy(getattr(state, name)) for name in ("x", "memory", "levels", "thresholds", "gradients")}
    first, second = (method.step(PROBLEM, state, Stream(1)) for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)
    np.testing.assert_array_equal(first.levels, second.levels)
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(state, name), array)


def test_a_worker_at_its_minimiser_sends_nothing_under_the_l1_rule():
    problem = quadratic(np.ones((2, D)), [START, np.zeros(D)])
    method = ThresholdFeedback(L1Rule(3, D), step_size=0.1, cost=AffineCost(c0=10, c1=1))
    state = method.init(problem, START)
    for _ in range(5):
        still = replace(method.step(problem, state, Stream(0)), x=state.x, gradients=state.gradients)
        state = still
        assert state.sent.sparsity[0] == state.sent.cost[0] == 0
    assert 0 < state.sent.sparsity[1] == state.sent.cost[1] - 10


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ThresholdFeedback(None), TypeError, "rule is None; pass an L1Rule"),
        (lambda: ThresholdFeedback(L1Rule), TypeError, "pass an L1Rule"),
        (lambda: ThresholdFeedback([]), TypeError, r"rule is \[\]"),
        (lambda: ThresholdFeedback([L1Rule(1, D), 0.3]), TypeError, "rule is .*0.3"),
        (lambda: ThresholdFeedback([L1Rule(1, D)] * 2, profile=[1.0, 2.0]), ValueError, "rule has length 2"),
        (lambda: ThresholdFeedback(L1Rule(1, D), profile=[1.0, 0.0]), ValueError, r"profile\[1\] = 0\.0"),
        (lambda: ThresholdFeedback(L1Rule(1, D), profile=[1.0, -1.0]), ValueError, r"profile\[1\] = -1\.0"),
        (lambda: ThresholdFeedback(L1Rule(1, D), profile=[[1.0]]), ValueError, "profile has the shape"),
        (lambda: ThresholdFeedback(ThresholdController(1.0, 1.0)), ValueError, "initial is missing"),
        (lambda: ThresholdFeedback(ThresholdController(1.0, 1.0), initial=0.0), ValueError, r"initial = 0\.0"),
        (
            lambda: ThresholdFeedback(ThresholdController(1.0, 1.0), initial=[1.0, math.nan]),
            ValueError,
            "initial.1. = n",
        ),
        (lambda: ThresholdFeedback(L1Rule(1, D), initial=1.0), ValueError, r"initial = 1\.0; an L1Rule finds"),
        (lambda: ThresholdFeedback(L1Rule(1, D), step_size=0.0), ValueError, r"step_size = 0\.0"),
        (lambda: ThresholdFeedback(L1Rule(1, D), oracle=Noisy), TypeError, "oracle is a type"),
        (lambda: ThresholdFeedback(L1Rule(1, D), cost=64), TypeError, "cost is a int"),
        (lambda: run(ThresholdFeedback(L1Rule(1, D + 1)), PROBLEM, 1), ValueError, "rule is for d = 11; accepted: 10"),
        (lambda: run(ThresholdFeedback(L1Rule(1, D), np.ones(N)), PROBLEM, 1), ValueError, "accepted: 40"),
        (lambda: run(ThresholdFeedback(L1Rule(1, D), [1.0, 2.0]), PROBLEM, 1), ValueError, "profile has the length 2"),
        (
            lambda: run(ThresholdFeedback([L1Rule(1, D)] * 3), PROBLEM, 1),
            ValueError,
            "rule has the length 3; accepted: 4",
        ),
        (
            lambda: run(ThresholdFeedback(ThresholdController(1.0, 1.0), initial=[1.0] * 3), PROBLEM, 1),
            ValueError,
            "initial has the length 3; accepted: 4",
        ),
    ],
)
def test_bad_input_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
