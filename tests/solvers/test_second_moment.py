import itertools

import numpy as np
import pytest

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import QSGD, Bernoulli, Identity, RandK, TopK
from taciturn.solvers.delays import (
    DESTABILISING,
    Constant,
    Cyclic,
    Deterministic,
    Hold,
    ParameterServer,
    Periodic,
    RoundRobin,
    Trace,
    Uniform,
    Worker,
)
from taciturn.solvers.problems import heterogeneous_quadratic, quadratic, quadratic_with_spectrum, ridge_regression
from taciturn.solvers.second_moment import NoiseModel, second_moments

D = 2
PROBLEM = heterogeneous_quadratic(workers=2, d=D, L=1.0, mu=0.3, spread=1.0, seed=4, weights=[0.3, 0.7])
X0 = np.array([1.0, -2.0])
STEP = 0.4

# Each law is a table of equally likely linear maps, given by their factors for every entry.
LAWS = {
    "two points": ([[1 + 3**0.5] * D, [1 - 3**0.5] * D], NoiseModel.exact_variance(3.0)),
    "bernoulli": ([[a, b] for a, b in itertools.product((0.0, 2.0), repeat=D)], NoiseModel.bernoulli([0.5, 0.5])),
    "uneven bernoulli": (
        [[a, b] for a in (0.0, 4.0, 0.0, 0.0) for b in (0.0, 2.0)],
        NoiseModel.bernoulli([0.25, 0.5]),
    ),
    "rand-1": ([[2.0, 0.0], [0.0, 2.0]], NoiseModel.of(RandK(1), D)),
    "none": ([[1.0, 1.0]], NoiseModel()),
}
ASYNC = ParameterServer([Worker(Deterministic(1.0)), Worker(Deterministic(1.7))]).trace(4, message_bits=1)
TRACES = {
    "constant": Constant(2).trace(3, 2),
    "cyclic": Cyclic(1).trace(3, 2),
    "stored cyclic": Cyclic(1).trace(3, 2).with_stored_messages(),
    "stored hold": Hold(2).trace(4, 2).with_stored_messages(),
    "round robin": RoundRobin().trace(3, 2),
    "async": ASYNC,
    "nobody at first": Trace(3, 2, [1, 2], [0, 1], [0, 1], [0, 0], [0, 0], stored=True),
}


def expected_by_enumeration(trace, factors, *, shared=False, shifted=False, noise=0.0):
    """E ||x_K - x*||^2 and E F(x_K) - F*, by following every outcome of every coin."""
    n, residuals = PROBLEM.workers, PROBLEM.worker_gradients(PROBLEM.minimiser)
    factors = np.array(factors)
    # A stochastic gradient: plus or minus noise along one axis at random, so that its covariance is noise^2/d I.
    kicks = noise * np.concatenate([np.eye(D), -np.eye(D)]) if noise else np.zeros((1, D))
    paths = [X0[None]]  # models x_0..x_k, each (outcomes, d); all outcomes are equally likely
    messages = np.zeros((1, n, D))
    shares = trace.shares(PROBLEM.weights)
    for k in range(trace.iterations):
        draws = {i: list(itertools.product(factors, kicks)) for i in np.flatnonzero(trace.fresh[k])}
        if shared:
            common = [dict.fromkeys(draws, factor) for factor in factors]
            outcomes = [{i: (factor[i], kicks[0]) for i in draws} for factor in common]
        else:
            outcomes = [dict(zip(draws, choice, strict=True)) for choice in itertools.product(*draws.values())]
        branches = []
        for outcome in outcomes:
            branch = messages.copy()
            for i, (factor, kick) in outcome.items():
                read = np.broadcast_to(paths[k - trace.delay[k, i]][:, None, :], (len(messages), n, D))
                gradient = PROBLEM.local_gradients(read)[:, i] + kick
                shift = residuals[i] if shifted else 0.0
                branch[:, i] = factor * (gradient - shift) + shift
            branches.append(branch)
        messages = np.concatenate(branches)
        paths = [np.concatenate([x] * len(outcomes)) for x in paths]
        paths.append(paths[-1] - STEP * np.einsum("i,pid->pd", shares[k], messages))
    last = paths[-1]
    return np.mean(np.sum((last - PROBLEM.minimiser) ** 2, axis=1)), np.mean(PROBLEM.objective(last)) - PROBLEM.minimum


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
@pytest.mark.parametrize(("factors", "noise"), LAWS.values(), ids=LAWS)
def test_the_recursion_is_the_expectation_over_all_coins(trace, factors, noise):
    if trace.messages * np.log2(len(factors)) > 13:
        factors, noise = LAWS["two points"]  # as many outcomes as can be followed
    for shifted in (False, True):
        exact = second_moments(PROBLEM, trace, STEP, noise, X0, shifted=shifted)
        distance, gap = expected_by_enumeration(trace, factors, shifted=shifted)
        np.testing.assert_allclose(exact.squared_distance[-1], distance, rtol=1e-11)
        np.testing.assert_allclose(exact.gap[-1], gap, rtol=1e-10)


@pytest.mark.parametrize("name", ["two points", "bernoulli", "rand-1"])
@pytest.mark.parametrize("trace", [Cyclic(1).trace(4, 2), ASYNC], ids=["cyclic", "async"])
def test_shared_coins(name, trace):
    factors, noise = LAWS[name]
    for shifted in (False, True):
        exact = second_moments(PROBLEM, trace, STEP, noise, X0, shared_coins=True, shifted=shifted)
        distance, gap = expected_by_enumeration(trace, factors, shared=True, shifted=shifted)
        np.testing.assert_allclose(exact.squared_distance[-1], distance, rtol=1e-11)
        np.testing.assert_allclose(exact.gap[-1], gap, rtol=1e-10)


@pytest.mark.parametrize("trace", [Cyclic(1).trace(2, 2), RoundRobin().trace(3, 2)], ids=["fresh", "stored"])
def test_stochastic_gradients(trace):
    factors, _ = LAWS["rand-1"]
    noise = NoiseModel(outer=-1.0, diagonal=2.0, gradient_noise=0.7)
    distance, gap = expected_by_enumeration(trace, factors, noise=0.7)
    exact = second_moments(PROBLEM, trace, STEP, noise, X0)
    np.testing.assert_allclose(exact.squared_distance[-1], distance, rtol=1e-11)
    np.testing.assert_allclose(exact.gap[-1], gap, rtol=1e-10)


def test_stochastic_gradients_under_one_shared_map_are_those_of_the_sum():
    problem = quadratic_with_spectrum([1.0, 0.5])
    noise = NoiseModel(diagonal=1.0, gradient_noise=0.3)
    alone, shared = (
        second_moments(problem, Hold(2).trace(9, 1), 0.2, noise, X0, shared_coins=shared) for shared in (False, True)
    )
    np.testing.assert_allclose(shared.squared_distance, alone.squared_distance, rtol=1e-13)


def test_workers_may_have_noise_of_their_own():
    trace = Constant(1).trace(40, 2)
    first, second = NoiseModel.exact_variance(2.0), NoiseModel.of(RandK(1), D)
    both = second_moments(PROBLEM, trace, 0.1, [first, second], X0, shifted=True)
    each = [second_moments(PROBLEM, trace, 0.1, noise, X0, shifted=True) for noise in (first, second)]
    assert not np.allclose(both.gap, each[0].gap)
    swapped = quadratic(PROBLEM.hessians[::-1], PROBLEM.minimisers[::-1], PROBLEM.weights[::-1])
    mirrored = second_moments(swapped, trace, 0.1, [second, first], X0, shifted=True)
    np.testing.assert_allclose(mirrored.gap, both.gap, rtol=1e-9)


@pytest.mark.parametrize("stored", [False, True])
def test_monte_carlo_agrees(stored):
    problem = heterogeneous_quadratic(workers=3, d=4, L=1.0, mu=0.1, spread=0.5, seed=1)
    trace = Trace.from_delays(Uniform(4).trace(25, 3, seed=1).delay, stored=stored)
    compressor, replicas, rng = RandK(2), 20_000, Stream(0)
    exact = second_moments(problem, trace, 0.15, NoiseModel.of(compressor, 4), np.ones(4))
    models = [np.broadcast_to(np.ones(4), (replicas, 4))]
    kept = np.zeros((replicas, 3, 4))
    for k in range(trace.iterations):
        read = np.stack([models[k - delay] for delay in trace.delay[k]], axis=1)
        kept = np.where(trace.fresh[k][:, None], compressor(problem.local_gradients(read), rng), kept)
        models.append(models[-1] - 0.15 * problem.average(kept))
    gaps = problem.objective(models[-1]) - problem.minimum
    error = gaps.std() / replicas**0.5
    assert abs(gaps.mean() - exact.gap[-1]) < 4 * error
    assert error < 0.02 * exact.gap[-1]  # sharp enough to notice a wrong covariance


@pytest.mark.parametrize("tau", [0, 1, 5])
@pytest.mark.parametrize("variance", [0.0, 0.5, 20.0])
def test_hold_pattern_gives_the_factors_of_stale_necessary(tau, variance):
    T, a, noise = tau + 1, 0.03, NoiseModel.exact_variance(variance)
    problem, trace = quadratic_with_spectrum([1.0]), Hold(tau).trace(3 * T, 1)
    fresh = second_moments(problem, trace, a, noise, [1.0])
    stored = second_moments(problem, trace.with_stored_messages(), a, noise, [1.0])

    factor = 1 - 2 * T * a + a**2 * (T**2 + T * variance)
    np.testing.assert_allclose(fresh.squared_distance[::T], factor ** np.arange(4), rtol=1e-12)
    factor = 1 - 2 * T * a + a**2 * T**2 * (1 + variance)
    np.testing.assert_allclose(stored.squared_distance[::T], factor ** np.arange(4), rtol=1e-12)


def test_stored_messages_diverge_at_a_step_at_which_fresh_ones_converge():
    golden = (1 + 5**0.5) / 2
    step, noise = 1 / (1 + golden * 20 + 20), NoiseModel.exact_variance(20.0)
    problem, trace = quadratic_with_spectrum([1.0]), Hold(20).trace(21, 1)
    fresh = second_moments(problem, trace, step, noise, [1.0]).squared_distance[-1]
    stored = second_moments(problem, trace.with_stored_messages(), step, noise, [1.0]).squared_distance[-1]

    np.testing.assert_allclose([fresh, stored], [0.515, 3.47], atol=0.005)  # the numbers of dossier 4.9


def test_destabilising_patterns_destabilise():
    problem = quadratic_with_spectrum([1.0])
    trace = Periodic(DESTABILISING[3]).trace(3000, 1)
    runs = second_moments(problem, trace, np.broadcast_to([0.42, 0.425], (3000, 2)), NoiseModel(), [1.0])
    assert runs.squared_distance[-1, 0] < 1e-3 < 1e3 < runs.squared_distance[-1, 1]


def test_a_batch_is_its_members():
    trace, noise = Cyclic(2).trace(12, 2), NoiseModel.of(Bernoulli(1, "uniform"), D)
    steps, starts = np.linspace(0.05, 0.3, 3), np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]])
    changing = steps * np.linspace(1, 0.5, 12)[:, None]
    batch = second_moments(PROBLEM, trace, changing, noise, starts)
    for j in range(3):
        alone = second_moments(PROBLEM, trace, changing[:, j], noise, starts[j])
        for name in ("squared_distance", "gap", "squared_gradient_norm"):
            np.testing.assert_allclose(getattr(batch, name)[:, j], getattr(alone, name), rtol=1e-12)


def test_without_noise_it_is_the_method_itself():
    trace = Uniform(3).trace(30, 2, seed=3)
    exact = second_moments(PROBLEM, trace, STEP, NoiseModel.of(Identity(), D))
    models = [np.zeros(D)]
    for k in range(30):
        read = np.stack([models[k - delay] for delay in trace.delay[k]])
        models.append(models[-1] - STEP * PROBLEM.average(PROBLEM.local_gradients(read)))
    gradients = PROBLEM.gradient(np.array(models))
    np.testing.assert_allclose(exact.gap, PROBLEM.objective(np.array(models)) - PROBLEM.minimum, atol=1e-13)
    np.testing.assert_allclose(exact.squared_gradient_norm, (gradients**2).sum(axis=1), atol=1e-13)


def test_a_diagonal_problem_is_a_full_one():
    diagonal = quadratic([[1.0, 0.2], [0.5, 0.5]], [[0.0, 1.0], [1.0, 0.0]])
    full = quadratic([np.diag([1.0, 0.2]), np.diag([0.5, 0.5])], [[0.0, 1.0], [1.0, 0.0]])
    gaps = [second_moments(p, Hold(2).trace(9, 2), 0.2, NoiseModel(diagonal=1.0)).gap for p in (diagonal, full)]
    np.testing.assert_allclose(*gaps, rtol=1e-12)


def test_divergence_ends_in_infinity_without_a_warning():
    problem = quadratic_with_spectrum([1.0])
    runs = second_moments(problem, Constant(1).trace(3000, 1), 2.0, NoiseModel.exact_variance(1.0), [1.0])
    assert not np.isfinite(runs.squared_distance[-1])


@pytest.mark.parametrize("compressor", [Identity(), RandK(2), Bernoulli(1.5, "uniform")], ids=repr)
@pytest.mark.parametrize("d", [2, 5])
def test_the_model_of_a_compressor_has_the_variance_it_declares(compressor, d):
    v = np.random.default_rng(0).standard_normal(d)
    noise = NoiseModel.of(compressor, d)
    variance = noise.outer * (v @ v) + np.sum(noise.entries(d) * v**2)
    np.testing.assert_allclose(variance / (v @ v), compressor.declared_moments(v).error, atol=1e-14)


TRACE = Constant(1).trace(3, 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: NoiseModel.of(TopK(1), 3), TypeError, r"variance of TopK\(k=1\) is not quadratic"),
        (lambda: NoiseModel.of(QSGD(1), 3), TypeError, "simulate others"),
        (lambda: NoiseModel.of(Bernoulli(1), 3), TypeError, r"Bernoulli\(T, 'uniform'\)"),
        (lambda: NoiseModel(diagonal=-1.0), ValueError, "diagonal = -1.0"),
        (lambda: NoiseModel(outer=np.nan), ValueError, "outer = nan"),
        (lambda: NoiseModel(gradient_noise=-1.0), ValueError, "gradient_noise = -1.0"),
        (lambda: NoiseModel.exact_variance(-1.0), ValueError, "variance = -1.0"),
        (lambda: NoiseModel.bernoulli([0.5, 0.0]), ValueError, r"probabilities = \[0.5, 0.0\]"),
        (lambda: NoiseModel(outer=-1.0, diagonal=1.5).entries(2), ValueError, "negative variances for d = 2"),
        (lambda: NoiseModel(diagonal=[1.0, 2.0, 3.0]).entries(2), ValueError, r"diagonal has the shape \(3,\)"),
        (lambda: second_moments(PROBLEM, TRACE, 0.1, [NoiseModel()]), ValueError, "noise has length 1"),
        (lambda: second_moments(PROBLEM, Constant(1).trace(3, 3), 0.1, NoiseModel()), ValueError, "3 workers"),
        (lambda: second_moments(PROBLEM, TRACE, [0.1, 0.1], NoiseModel()), ValueError, r"shape \(2,\)"),
        (lambda: second_moments(PROBLEM, TRACE, -0.1, NoiseModel()), ValueError, "step_size = -0.1"),
        (lambda: second_moments(PROBLEM, TRACE, np.nan, NoiseModel()), ValueError, "step_size = nan"),
        (lambda: second_moments(PROBLEM, TRACE, 0.1, NoiseModel(), [1.0]), ValueError, r"x0 of shape \(1,\)"),
        (lambda: second_moments(PROBLEM, TRACE, 0.1, NoiseModel(), [1.0, np.inf]), ValueError, "x0 of shape"),
        (
            lambda: second_moments(PROBLEM, RoundRobin().trace(3, 2), 0.1, NoiseModel(), shared_coins=True),
            ValueError,
            "shared_coins = True",
        ),
        (
            lambda: second_moments(ridge_regression(np.eye(2), np.ones(2), 0.1), TRACE, 0.1, NoiseModel()),
            TypeError,
            "problem is a LinearModel",
        ),
    ],
)
def test_bad_input_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_rounding_does_not_grow_in_a_stable_run():
    """Curvatures near 1/step and 0 on tilted axes: an antisymmetric part of the covariance would double each step."""
    axes = np.eye(3) - 2 * np.outer([1.0, 0.3, -0.7], [1.0, 0.3, -0.7]) / 1.58
    hessian = axes @ np.diag([1.0, 0.98, 0.0]) @ axes
    problem = quadratic([(hessian + hessian.T) / 2], [[0.0, 0.0, 0.0]])
    exact = second_moments(problem, Constant(0).trace(150, 1), 0.97, NoiseModel(diagonal=0.03), x0=[1.0, 2.0, 3.0])

    assert np.all(np.abs(exact.gap[20:]) < 1e-12)
